/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pieces are put one behind the other.
 */
#include "tests/page.h"

#include <check.h>

static void
put(struct mta_text *text, const char *piece)
{
	struct page *p = mta_container_of(text, struct page, base);
	size_t length = strlen(piece);

	ck_assert_uint_lt(p->used + length, sizeof(p->text));
	memcpy(p->text + p->used, piece, length + 1);
	p->used += length;
}

void
page_clear(struct page *page)
{
	page->base.put = put;
	page->text[0] = '\0';
	page->used = 0;
}
