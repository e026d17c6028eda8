/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A loop as a list of timers that is searched from one end to the other at
 * every question: what src/mta/loop.c is compared with. Timers are named by
 * their place in the list; times are not negative.
 */
#ifndef TESTS_UNIT_NAIVE_LOOP_H
#define TESTS_UNIT_NAIVE_LOOP_H

#include "mta/loop.h"

enum {
	NAIVE_TIMERS = 64
};

enum naive_kind {
	NAIVE_OFF,
	NAIVE_EXACT,
	NAIVE_SECONDS,
};

struct naive_timer {
	enum naive_kind kind;
	mta_time at; /* microseconds or whole second */
	uint64_t sequence;
};

struct naive_loop {
	mta_time now;
	mta_time stepped;
	mta_span oversleep; /* how late a sleep of whole seconds ends */
	uint64_t *sequence; /* of the next setting; borrowed */
	struct naive_timer timers[NAIVE_TIMERS];
};

/* sequence: shared by the loops of an agenda. */
void naive_loop_init(struct naive_loop *n, uint64_t *sequence, mta_time now);

void naive_set(struct naive_loop *n, int i, mta_time at);
void naive_after_s(struct naive_loop *n, int i, int seconds);
void naive_cancel(struct naive_loop *n, int i);

/* The timer that lets the loop wake up first, and when; -1 and MTA_NEVER: there
 * is none. */
int naive_next(const struct naive_loop *n, struct mta_when *when);

/* The timer that fires in a step at `now`, off from here on; -1: none. */
int naive_step(struct naive_loop *n, mta_time now);

#endif
