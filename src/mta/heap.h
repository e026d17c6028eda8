/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Timers in the order in which they fire: (time, sequence of setting). What the
 * times count, microseconds or whole seconds, is the owner's affair.
 */
#ifndef MTA_HEAP_H
#define MTA_HEAP_H

#include "mta/types.h"

struct mta_timer;

/* When something wants to happen, with its tie-break. */
struct mta_when {
	mta_time at; /* MTA_NEVER: nothing does */
	uint64_t sequence;
};

/* One wide compare: which is the earlier is a coin toss, no branch's guess. */
static inline bool
mta_when_is_before(struct mta_when a, struct mta_when b)
{
	__extension__ typedef __int128 wide;
	__extension__ typedef unsigned __int128 bits;

	/* Times before the epoch are negative, and those are not shifted. */
	return (wide)((bits)a.at << 64 | a.sequence) <
	       (wide)((bits)b.at << 64 | b.sequence);
}

/* At most 2^24 timers at a time and 2^40 settings in a run. */
struct mta_heap {
	struct mta_heap_item *items; /* 4-ary heap; items[0] is the earliest */
	void *memory;		     /* what items lies in */
	struct mta_timer **timers;   /* by slot: borrowed; NULL: given up */
	uint32_t *free_slots;	     /* capacity - count of them */
	uint32_t count;		     /* of items, given up ones included */
	uint32_t gone;		     /* items whose timer is given up, */
	bool first_is_gone;	     /* and whether items[0] is one of them */
	uint32_t capacity;	     /* of slots */
};

/* Zeroed, a heap is empty. */
void mta_heap_release(struct mta_heap *h);

/* timer: borrowed until it is given up, by the slot that comes back. */
uint32_t
mta_heap_add(struct mta_heap *h, struct mta_when when, struct mta_timer *timer);
void mta_heap_give_up(struct mta_heap *h, uint32_t slot);

/* The first timer, and when it fires; NULL and MTA_NEVER: there is none. */
struct mta_timer *mta_heap_first(struct mta_heap *h, struct mta_when *when);

#endif
