/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The agenda (src/mta/loop.c): the steps of three loops, a pool and two
 * processes that are sometimes busy, are compared with those of three lists of
 * timers (naive_loop.h). The order is that of loop.h: each loop's first by
 * (time, sequence), put off to when the loop is free; of those the first by
 * (time, sequence).
 */
#include "tests/harness.h"

#include <string.h>

#include "mta/loop.h"
#include "tests/unit/naive_loop.h"

enum {
	LOOPS = 3,
	TIMERS = 24,
	STEPS = 20000,
	GRID_US = 250000
};

static const enum mta_loop_kind kinds[LOOPS] = {MTA_LOOP_POOL, MTA_LOOP_PROCESS,
						MTA_LOOP_PROCESS};

static const mta_span oversleep[LOOPS] = {0, 3000, 0};

struct bed {
	struct mta_agenda agenda;
	struct mta_loop loops[LOOPS];
	struct mta_timer timers[TIMERS];
	struct naive_loop naive[LOOPS];
	mta_time busy_until[LOOPS];
	uint64_t naive_sequence;
	uint64_t luck;
	uint32_t grid_us; /* times are multiples of it, so that they meet */
};

static struct mta_timer *last_fired;
static mta_span charge; /* of the next timer that fires */

static void
fired(struct mta_timer *t)
{
	last_fired = t;
	mta_loop_charge(t->loop, charge);
}

/* Which timer is next, and when; -1: none. */
static int
bed_naive_next(const struct bed *b, mta_time *at)
{
	struct mta_when best = {MTA_NEVER, UINT64_MAX};
	int first = -1;

	for (int l = 0; l < LOOPS; l++) {
		struct mta_when when;
		int i = naive_next(&b->naive[l], &when);

		if (i >= 0 && when.at < b->busy_until[l])
			when.at = b->busy_until[l];
		if (mta_when_is_before(when, best)) {
			best = when;
			first = i;
		}
	}
	*at = best.at;
	return first;
}

static void
bed_init(struct bed *b, uint64_t luck)
{
	mta_time start = 10 * MTA_USEC_PER_S;

	memset(b, 0, sizeof(*b));
	b->luck = luck;
	mta_agenda_init(&b->agenda);
	for (int l = 0; l < LOOPS; l++) {
		mta_loop_init(&b->loops[l], &b->agenda, start, kinds[l]);
		b->loops[l].oversleep = oversleep[l];
		naive_loop_init(&b->naive[l], &b->naive_sequence, start);
		b->naive[l].oversleep = oversleep[l];
	}
	for (int i = 0; i < TIMERS; i++)
		mta_timer_init(&b->timers[i], fired);
}

static void
bed_release(struct bed *b)
{
	for (int l = 0; l < LOOPS; l++)
		mta_loop_release(&b->loops[l]);
}

/* During a step of loop `from`: set or cancel some timer of some loop. */
static void
bed_act(struct bed *b, int from)
{
	int i = (int)harness_draw_below(&b->luck, TIMERS);
	int l = i % LOOPS;
	struct mta_loop *loop = &b->loops[l];
	struct naive_loop *n = &b->naive[l];
	mta_time at = b->naive[from].now;
	int seconds;

	switch (harness_draw_below(&b->luck, 6)) {
	case 0:
	case 1: /* in the future, or what has come */
		if (harness_draw_below(&b->luck, 2) == 0)
			at += b->grid_us *
			      harness_draw_below(&b->luck,
						 3000000 / b->grid_us);
		mta_timer_set(loop, &b->timers[i], at);
		naive_set(n, i, at);
		break;
	case 2:
	case 3:
		/* A note that leaves now: the sender's step is not over. */
		at = b->naive[from].stepped;
		mta_timer_wake(loop, &b->timers[i], at);
		naive_set(n, i, at);
		break;
	case 4:
		seconds = (int)harness_draw_below(&b->luck, 3);
		mta_timer_after_s(loop, &b->timers[i], seconds);
		naive_after_s(n, i, seconds);
		break;
	default:
		mta_timer_cancel(loop, &b->timers[i]);
		naive_cancel(n, i);
		break;
	}
}

/* One step of both; the loop that took it, or -1. */
static int
bed_step(struct bed *b)
{
	struct mta_due due = mta_agenda_next(&b->agenda);
	struct naive_loop *n;
	mta_time at;
	int i = bed_naive_next(b, &at);
	int l;

	ck_assert_int_eq(due.at, at);
	if (i < 0)
		return -1;
	ck_assert_ptr_eq(due.timer, &b->timers[i]);
	l = i % LOOPS;
	n = &b->naive[l];
	i = naive_step(n, at);
	ck_assert_int_ge(i, 0);
	charge = harness_draw_below(&b->luck, 4) == 0
			 ? b->grid_us * harness_draw_below(&b->luck,
							   750000 / b->grid_us)
			 : 0;
	mta_agenda_step(due);
	ck_assert_ptr_eq(last_fired, &b->timers[i]);
	n->now = at + charge;
	if (kinds[l] == MTA_LOOP_PROCESS)
		b->busy_until[l] = n->now;
	return l;
}

START_TEST(steps_of_three_loops)
{
	struct bed b;
	long steps = STEPS * harness_scale();
	long taken = 0;

	bed_init(&b, harness_seed(1) + (uint64_t)_i);
	b.grid_us = _i % 2 ? GRID_US : 1;
	for (long s = 0; s < steps; s++) {
		int l = bed_step(&b);
		int acts = (int)harness_draw_below(&b.luck, 4);

		taken += l >= 0;
		while (acts-- > 0)
			bed_act(&b, l < 0 ? 0 : l);
	}
	ck_assert_int_gt(taken, steps / 2);
	ck_assert_uint_eq(b.agenda.steps, (uint64_t)taken);
	bed_release(&b);
}
END_TEST

/* A busy process is passed over; what waited for it keeps its place. */
START_TEST(a_busy_process_waits)
{
	struct bed b;
	mta_time start;

	bed_init(&b, 1);
	start = b.loops[0].now;
	mta_timer_set(&b.loops[1], &b.timers[1], start);
	charge = 500;
	mta_agenda_step(mta_agenda_next(&b.agenda));
	charge = 0;
	mta_timer_wake(&b.loops[1], &b.timers[4], start + 100);
	mta_timer_wake(&b.loops[0], &b.timers[0], start + 200);
	ck_assert_ptr_eq(mta_agenda_next(&b.agenda).timer, &b.timers[0]);
	ck_assert_int_eq(mta_agenda_next(&b.agenda).at, start + 200);
	mta_agenda_step(mta_agenda_next(&b.agenda));
	mta_timer_set(&b.loops[0], &b.timers[3], start + 500);
	/* Both at 500: the process' was set first. */
	ck_assert_ptr_eq(mta_agenda_next(&b.agenda).timer, &b.timers[4]);
	ck_assert_int_eq(mta_agenda_next(&b.agenda).at, start + 500);
	mta_agenda_step(mta_agenda_next(&b.agenda));
	ck_assert_ptr_eq(mta_agenda_next(&b.agenda).timer, &b.timers[3]);
	bed_release(&b);
}
END_TEST

/* The loop whose timer was the last first is released: the others go on. What
 * takes its place in memory says that it has a timer before all. */
START_TEST(a_loop_is_released)
{
	struct bed b;
	mta_time start;

	bed_init(&b, 1);
	start = b.loops[0].now;
	mta_timer_set(&b.loops[0], &b.timers[0], start + 1);
	mta_timer_set(&b.loops[2], &b.timers[1], start + 2);
	mta_timer_set(&b.loops[1], &b.timers[2], start + 3);
	mta_agenda_step(mta_agenda_next(&b.agenda));
	mta_agenda_step(mta_agenda_next(&b.agenda));
	mta_loop_release(&b.loops[2]);
	b.loops[2] = (struct mta_loop){.now = start,
				       .stepped = start,
				       .busy_until = INT64_MIN,
				       .next.at = start,
				       .first = &b.timers[1],
				       .is_first_known = true,
				       .second_begins = MTA_NEVER,
				       .agenda = &b.agenda};
	ck_assert_ptr_eq(mta_agenda_next(&b.agenda).timer, &b.timers[2]);
	ck_assert_int_eq(mta_agenda_next(&b.agenda).at, start + 3);
	mta_loop_release(&b.loops[0]);
	mta_loop_release(&b.loops[1]);
}
END_TEST

Suite *
agenda_suite(void)
{
	Suite *s = suite_create("agenda");
	TCase *t = tcase_create("agenda");

	tcase_add_loop_test(t, steps_of_three_loops, 0, 8);
	tcase_add_test(t, a_busy_process_waits);
	tcase_add_test(t, a_loop_is_released);
	suite_add_tcase(s, t);
	return s;
}
