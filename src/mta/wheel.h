/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Timers in the order in which they fire: (time, sequence of setting). What the
 * times count, microseconds or whole seconds, is the owner's affair.
 *
 * What fires soon stands in a short row. What fires later is sorted by the
 * digits of its time to the base 64, in a bucket for its first digit that is
 * not that of now: it comes nearer by a digit at a time, with all that is in
 * its bucket, and does not cost more for how many others wait. (The
 * hierarchical timing wheels of Varghese and Lauck, SOSP 1987; that the buckets
 * follow the first digit that differs, and need no width that fits, is the
 * radix heap of Ahuja, Mehlhorn, Orlin and Tarjan, JACM 37, 1990.)
 */
#ifndef MTA_WHEEL_H
#define MTA_WHEEL_H

#include "mta/row.h"
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

	/* Times before the epoch are negative, and those are not shifted. */
	return (wide)((mta_key)a.at << 64 | a.sequence) <
	       (wide)((mta_key)b.at << 64 | b.sequence);
}

enum {
	MTA_WHEEL_DIGIT_BITS = 6,
	MTA_WHEEL_DIGITS = 1 << MTA_WHEEL_DIGIT_BITS,
	MTA_WHEEL_LEVELS = 11, /* digits of 64 bits */
};

/* Keys in the order in which they came. */
struct mta_bucket {
	uint32_t first; /* of its chunks, from 1; 0: none */
	uint32_t last;	/* which is being filled */
	uint32_t count; /* of keys, in all of them */
};

/* At most 2^24 keys at a time, those of timers that are given up included, and
 * 2^40 settings in a run. */
struct mta_wheel {
	struct mta_row near;	   /* what fires before `far` */
	uint64_t far;		   /* a time in unsigned order */
	uint32_t near_most;	   /* with more it is crowded */
	uint32_t gone;		   /* keys whose timer is given up */
	struct mta_timer **timers; /* by slot: borrowed; NULL: given up */
	uint32_t *free_slots;	   /* slot_count of them */
	uint32_t slot_count;	   /* free ones */
	uint32_t slot_capacity;
	struct mta_wheel_chunk *chunks; /* owned */
	uint32_t free_chunk;		/* from 1; 0: none */
	uint32_t chunk_capacity;
	uint32_t levels; /* bit: a bucket of the level has keys */
	uint64_t filled[MTA_WHEEL_LEVELS]; /* bit: a bucket has keys */
	struct mta_bucket buckets[MTA_WHEEL_LEVELS][MTA_WHEEL_DIGITS];
};

/* Zeroed, a wheel is empty. */
void mta_wheel_release(struct mta_wheel *w);

/* timer: borrowed until it is given up, by the slot that comes back.
 * when.at < MTA_NEVER */
uint32_t mta_wheel_add(struct mta_wheel *w, struct mta_when when,
		       struct mta_timer *timer);
void mta_wheel_give_up(struct mta_wheel *w, uint32_t slot);

/* The first timer, and when it fires; NULL and MTA_NEVER: there is none. */
struct mta_timer *mta_wheel_first(struct mta_wheel *w, struct mta_when *when);

#endif
