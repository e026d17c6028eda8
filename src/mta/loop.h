/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Time as an argument. A loop holds the timers of one single-threaded service,
 * or of a pool of processes. The driver says what time it is and which loop
 * steps; nothing here reads a clock.
 *
 * Three kinds of waiting:
 *   exact         mta_timer_set: fires at its microsecond (a process that
 *                 sleeps, a remote answer)
 *   at once       mta_timer_set with a time that has come: first in, first out
 *   whole seconds mta_timer_after_s: a timer as Postfix keeps them, which fires
 *                 with the sub-second phase of the loop's last wake-up (F0.4)
 *
 * `now` may be moved forward during a step by a door whose operation takes time
 * (a disk that syncs, work that is charged). What the service sets or sends
 * afterwards in the same step then happens that much later, and a loop that is
 * one process takes its next step no earlier.
 *
 * Order: (time, sequence of setting); the sequence is shared by all loops of a
 * host, so that the order of events is total.
 */
#ifndef MTA_LOOP_H
#define MTA_LOOP_H

#include "mta/list.h"
#include "mta/types.h"

struct mta_timer {
	void (*fire)(struct mta_timer *); /* finds its owner: container_of */
	struct mta_list link;		  /* at-once list, else off */
	mta_time at;			  /* microseconds, or whole seconds */
	uint64_t sequence;		  /* of setting */
	uint32_t slot;			  /* in its heap, if in one */
	uint8_t state;			  /* enum mta_timer_state */
};

enum mta_timer_state {
	MTA_TIMER_IDLE,
	MTA_TIMER_AT_ONCE,
	MTA_TIMER_EXACT,
	MTA_TIMER_SECONDS,
};

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

/* When something wants to happen, with its tie-break. */
struct mta_when {
	mta_time at; /* MTA_NEVER: nothing does */
	uint64_t sequence;
};

struct mta_loop {
	mta_time now;	       /* the driver sets it; doors may add */
	mta_time stepped;      /* what the driver set in this step */
	mta_span oversleep;    /* a sleep of whole seconds ends so much late */
	uint64_t *sequence;    /* shared counter of settings */
	struct mta_heap exact; /* key: (microseconds, sequence) */
	struct mta_heap seconds; /* key: (whole second, sequence) */
	struct mta_list at_once; /* in order of setting */
	struct mta_when next;	 /* what mta_loop_next found, */
	mta_time next_of;	 /* when `now` was this, */
	bool next_is_known;	 /* and no timer has changed since */
};

/* sequence: borrowed, shared by all loops of one host; starts at 0. */
void mta_loop_init(struct mta_loop *l, uint64_t *sequence, mta_time now);
void mta_loop_release(struct mta_loop *l);

void mta_timer_init(struct mta_timer *t, void (*fire)(struct mta_timer *));

/* Fire at `at` (a time that has come: in this order, after what is due).
 * An armed timer is moved. */
void mta_timer_set(struct mta_loop *l, struct mta_timer *t, mta_time at);

/* A whole-second timer: stored = second of now + seconds; fires on the first
 * pass with now >= stored, and wakes the loop as F0.4 says. Moves an armed one.
 */
void
mta_timer_after_s(struct mta_loop *l, struct mta_timer *t, int32_t seconds);

/* No effect on a timer that is not armed. */
void mta_timer_cancel(struct mta_loop *l, struct mta_timer *t);
bool mta_timer_is_armed(const struct mta_timer *t);

/* Find out anew what mta_loop_next answers. */
void mta_loop_look(struct mta_loop *l);

/* When the loop wants its next step, or MTA_NEVER; with its tie-break. */
static inline struct mta_when
mta_loop_next(struct mta_loop *l)
{
	if (!l->next_is_known || l->next_of != l->now)
		mta_loop_look(l);
	return l->next;
}

/*
 * Take one step at `now` (not before the last): fire the first due timer. Whole
 * seconds that have come go before everything else, as in one pass of a poll
 * loop. Returns false when nothing was due.
 */
bool mta_loop_step(struct mta_loop *l, mta_time now);

/* Move `now` forward by the time that an operation took. cost >= 0 */
static inline void
mta_loop_charge(struct mta_loop *l, mta_span cost)
{
	l->now += cost;
}

#endif
