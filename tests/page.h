/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A page that operators' text is printed on, for tests to read.
 */
#ifndef TESTS_PAGE_H
#define TESTS_PAGE_H

#include "mta/text.h"

struct page {
	struct mta_text base; /* to print on */
	char text[1 << 18];   /* printed since it was cleared; terminated */
	size_t used;
};

/* Empty and ready. What does not fit fails the test. */
void page_clear(struct page *page);

#endif
