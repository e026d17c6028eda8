/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A 4-ary heap of numbers of 128 bits, the least first. One wide compare of two
 * of them is no branch's guess. No number occurs twice, and none is the
 * greatest that there is.
 */
#ifndef MTA_HEAP_H
#define MTA_HEAP_H

#include "mta/types.h"

__extension__ typedef unsigned __int128 mta_key;

struct mta_heap {
	mta_key *items; /* items[0] is the least */
	void *memory;	/* what items lies in */
	uint32_t count;
	uint32_t capacity;
};

/* Zeroed, a heap is empty. */
void mta_heap_release(struct mta_heap *h);

void mta_heap_add(struct mta_heap *h, mta_key key);

/* Take the least away; there is one. */
void mta_heap_remove_first(struct mta_heap *h);

#endif
