/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Time as an argument. A loop holds the timers of one single-threaded service,
 * or of a pool of processes. An agenda knows in which order the loops of one
 * host step; whoever drives it says what time it is. Nothing here reads a
 * clock.
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
 * Order: (time, sequence of setting); the sequence is the agenda's, so that the
 * order of what happens on a host is total. A loop that is busy when its turn
 * comes takes it when it no longer is, with the same sequence.
 */
#ifndef MTA_LOOP_H
#define MTA_LOOP_H

#include "mta/wheel.h"
#include "mta/list.h"
#include "mta/panic.h"
#include "mta/types.h"

struct mta_loop;

struct mta_timer {
	void (*fire)(struct mta_timer *); /* finds its owner: container_of */
	struct mta_list link;		  /* at-once list, else off */
	struct mta_loop *loop;		  /* on which it is set */
	mta_time at;			  /* microseconds, or whole seconds */
	uint64_t sequence;		  /* of setting */
	uint32_t slot;			  /* in its wheel, if in one */
	uint8_t state;			  /* enum mta_timer_state */
};

enum mta_timer_state {
	MTA_TIMER_IDLE,
	MTA_TIMER_AT_ONCE,
	MTA_TIMER_EXACT,
	MTA_TIMER_SECONDS,
};

enum mta_loop_kind {
	MTA_LOOP_POOL,	  /* its processes keep their own time */
	MTA_LOOP_PROCESS, /* busy until its `now` after a step */
};

struct mta_loop {
	mta_time now;	     /* set when a step begins; doors may add */
	mta_time stepped;    /* what it was set to */
	mta_time busy_until; /* of a process */
	mta_span oversleep;  /* a sleep of whole seconds ends so much late */
	struct mta_agenda *agenda;
	struct mta_timer *first; /* in exact, NULL: it is empty; */
	struct mta_when next;	 /* when that wants to happen; */
	bool is_first_known;	 /* and whether both are so now */
	mta_time second_begins;	 /* of the first in seconds, at the earliest */
	enum mta_loop_kind kind;
	struct mta_wheel exact;	  /* key: (microseconds, sequence) */
	struct mta_wheel seconds; /* key: (whole second, sequence) */
};

enum {
	MTA_LOOPS_MAX = 4
};

struct mta_agenda {
	uint64_t sequence;	 /* of the next setting */
	struct mta_list at_once; /* of all loops, in the order of firing */
	mta_time quiet_until;	 /* nothing in a wheel fires before */
	struct mta_loop *leader; /* whose timer was the last first, or NULL */
	mta_time others_until;	 /* nothing in a wheel of others fires before */
	struct mta_loop *loops[MTA_LOOPS_MAX];
	uint32_t loop_count; /* of them */
	uint64_t steps;	     /* taken so far */
};

void mta_agenda_init(struct mta_agenda *a);

/* agenda: borrowed until the loop is released; at most MTA_LOOPS_MAX loops. A
 * loop that is released while others go on leaves no timer armed. */
void mta_loop_init(struct mta_loop *l, struct mta_agenda *agenda, mta_time now,
		   enum mta_loop_kind kind);
void mta_loop_release(struct mta_loop *l);

/*
 * A process is started at `now`, by the step of another loop. Whatever its
 * predecessor on this loop was busy with is no business of its own. It does the
 * work of its start, which may be charged, and is busy until mta_loop_begun.
 */
void mta_loop_begin(struct mta_loop *l, mta_time now);
void mta_loop_begun(struct mta_loop *l);

void mta_timer_init(struct mta_timer *t, void (*fire)(struct mta_timer *));

/* Fire at `at` (a time that has come: in this order, after what is due).
 * An armed timer is moved. */
void mta_timer_set(struct mta_loop *l, struct mta_timer *t, mta_time at);

/* The same, by somebody else whose step is being taken at `now`: the loop
 * itself may have stepped last long ago. */
void mta_timer_wake(struct mta_loop *l, struct mta_timer *t, mta_time now);

/* A whole-second timer: stored = second of now + seconds; fires on the first
 * pass with now >= stored, and wakes the loop as F0.4 says. Moves an armed one.
 */
void
mta_timer_after_s(struct mta_loop *l, struct mta_timer *t, int32_t seconds);

/* No effect on a timer that is not armed. */
void mta_timer_cancel(struct mta_loop *l, struct mta_timer *t);
static inline bool
mta_timer_is_armed(const struct mta_timer *t)
{
	return t->state != MTA_TIMER_IDLE;
}

/*
 * One loop by itself, as a service that runs alone has it: its poll may return
 * at any time, for whatever reason.
 *
 * When the loop wants its next step, or MTA_NEVER; with its tie-break. Whether
 * it is busy then does not matter here.
 */
struct mta_when mta_loop_next(struct mta_loop *l);

/*
 * Take one step at `now` (not before the last): fire the first due timer. Whole
 * seconds that have come go before everything else, as in one pass of a poll
 * loop. Returns false when nothing was due.
 */
bool mta_loop_step(struct mta_loop *l, mta_time now);

/* The step that is next on an agenda: which timer fires, unless a whole second
 * comes before it, and when; MTA_NEVER: nothing is set. Good until any timer is
 * set or cancelled. */
struct mta_due {
	mta_time at;
	struct mta_timer *timer;
};

/* Does nothing stand before the first of the list? Then that is due. */
static inline bool
mta_agenda_at_once(struct mta_agenda *a, struct mta_due *due)
{
	struct mta_timer *t =
		mta_container_of(a->at_once.next, struct mta_timer, link);

	if (mta_list_is_empty(&a->at_once) || t->at >= a->quiet_until ||
	    t->at < t->loop->busy_until)
		return false;
	*due = (struct mta_due){.at = t->at, .timer = t};
	return true;
}

/* The same where the wheels must be asked. */
struct mta_due mta_agenda_look(struct mta_agenda *a);

static inline struct mta_due
mta_agenda_next(struct mta_agenda *a)
{
	struct mta_due due;

	return mta_agenda_at_once(a, &due) ? due : mta_agenda_look(a);
}

/* Of this file and loop.c: how a step begins, which timer it fires if whole
 * seconds have come, and how a timer leaves its wheel. */
static inline void
mta_loop_begin_step(struct mta_loop *l, mta_time now)
{
	mta_assert(now >= l->stepped);
	l->now = now;
	l->stepped = now;
}
MTA_APART struct mta_timer *
mta_loop_second_due(struct mta_loop *l, struct mta_timer *otherwise);
MTA_APART void mta_timer_leave_wheel(struct mta_timer *t);

static inline void
mta_timer_leave(struct mta_timer *t)
{
	if (t->state == MTA_TIMER_AT_ONCE)
		mta_list_remove(&t->link);
	else
		mta_timer_leave_wheel(t);
	t->state = MTA_TIMER_IDLE;
}

static inline void
mta_loop_fire(struct mta_loop *l, struct mta_timer *t)
{
	mta_timer_leave(t);
	t->fire(t);
	if (l->kind == MTA_LOOP_PROCESS)
		l->busy_until = l->now;
}

/* Take the step that mta_agenda_next told. In one pass of a poll loop whole
 * seconds that have come go before everything else. */
static inline void
mta_agenda_step(struct mta_due due)
{
	struct mta_timer *t = due.timer;
	struct mta_loop *l = t->loop;

	l->agenda->steps++;
	mta_loop_begin_step(l, due.at);
	if (l->second_begins <= due.at)
		t = mta_loop_second_due(l, t);
	mta_loop_fire(l, t);
}

/* Move `now` forward by the time that an operation took. cost >= 0 */
static inline void
mta_loop_charge(struct mta_loop *l, mta_span cost)
{
	l->now += cost;
}

#endif
