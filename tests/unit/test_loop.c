/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The loop (src/mta/loop.c). All short sequences of operations on three timers,
 * and long random ones on many, are compared with a list that is searched from
 * one end to the other at every question; the times of whole-second timers are
 * worked out by hand from F0.4.
 */
#include "tests/harness.h"

#include <string.h>

#include "mta/loop.h"
#include "tests/unit/naive_loop.h"

#define MS INT64_C(1000)

/* ---- both, side by side ---------------------------------------------------
 */

struct watched {
	struct mta_timer timer;
	int fired;
};

static struct watched *last_fired; /* by the last step */

static void
watched_fired(struct mta_timer *t)
{
	last_fired = mta_container_of(t, struct watched, timer);
	last_fired->fired++;
}

struct pair {
	struct mta_agenda agenda;
	struct mta_loop loop;
	struct watched timers[NAIVE_TIMERS];
	int count;
	struct naive_loop naive;
	uint64_t naive_sequence;
};

static void
pair_init(struct pair *p, int count)
{
	mta_time start = 10 * MTA_USEC_PER_S;

	memset(p, 0, sizeof(*p));
	p->count = count;
	naive_loop_init(&p->naive, &p->naive_sequence, start);
	mta_agenda_init(&p->agenda);
	mta_loop_init(&p->loop, &p->agenda, start, MTA_LOOP_POOL);
	for (int i = 0; i < count; i++)
		mta_timer_init(&p->timers[i].timer, watched_fired);
}

static void
pair_compare(struct pair *p)
{
	struct mta_when ours = mta_loop_next(&p->loop);
	struct mta_when theirs;

	naive_next(&p->naive, &theirs);
	ck_assert_int_eq(ours.at, theirs.at);
	ck_assert_uint_eq(ours.sequence, theirs.sequence);
	for (int i = 0; i < p->count; i++)
		ck_assert_int_eq(mta_timer_is_armed(&p->timers[i].timer),
				 p->naive.timers[i].kind != NAIVE_OFF);
}

static void
pair_step(struct pair *p, mta_time now)
{
	int i = naive_step(&p->naive, now);

	last_fired = NULL;
	ck_assert_int_eq(mta_loop_step(&p->loop, now), i >= 0);
	ck_assert_ptr_eq(last_fired, i >= 0 ? &p->timers[i] : NULL);
	ck_assert_int_eq(p->loop.now, now);
}

/* Step at the time that the loop asks for, not before the last step. */
static bool
pair_step_next(struct pair *p)
{
	mta_time at = mta_loop_next(&p->loop).at;

	if (at == MTA_NEVER)
		return false;
	if (at < p->loop.stepped)
		at = p->loop.stepped;
	pair_step(p, at);
	return true;
}

static void
pair_set(struct pair *p, int i, mta_time at)
{
	mta_timer_set(&p->loop, &p->timers[i].timer, at);
	naive_set(&p->naive, i, at);
}

static void
pair_after_s(struct pair *p, int i, int seconds)
{
	mta_timer_after_s(&p->loop, &p->timers[i].timer, seconds);
	naive_after_s(&p->naive, i, seconds);
}

static void
pair_cancel(struct pair *p, int i)
{
	mta_timer_cancel(&p->loop, &p->timers[i].timer);
	naive_cancel(&p->naive, i);
}

static void
pair_charge(struct pair *p, mta_span cost)
{
	mta_loop_charge(&p->loop, cost);
	p->naive.now += cost;
}

static void
pair_end(struct pair *p)
{
	int steps = 0;

	while (pair_step_next(p)) {
		pair_compare(p);
		ck_assert_int_lt(++steps, 1000);
	}
	mta_loop_release(&p->loop);
}

enum {
	OPERATIONS = 11
};

static void
pair_operate(struct pair *p, int operation)
{
	switch (operation) {
	case 0:
		pair_set(p, 0, p->loop.now);
		break;
	case 1:
		pair_set(p, 1, p->loop.now + 400 * MS);
		break;
	case 2:
		pair_set(p, 2, p->loop.now + 800 * MS);
		break;
	case 3:
		pair_set(p, 2, p->loop.stepped);
		break;
	case 4:
		pair_after_s(p, 0, 1);
		break;
	case 5:
		pair_after_s(p, 1, 0);
		break;
	case 6:
		pair_after_s(p, 2, 2);
		break;
	case 7:
		pair_cancel(p, 0);
		break;
	case 8:
		pair_step_next(p);
		break;
	case 9:
		pair_charge(p, 300 * MS);
		break;
	default:
		pair_step(p, p->loop.stepped + 500 * MS);
		break;
	}
}

START_TEST(all_short_sequences)
{
	int length = harness_scale() > 1 ? 5 : 4;
	long sequences = 1;

	for (int i = 0; i < length; i++)
		sequences *= OPERATIONS;
	for (long s = 0; s < sequences; s++) {
		struct pair p;
		long rest = s;

		pair_init(&p, 3);
		for (int i = 0; i < length; i++) {
			pair_operate(&p, (int)(rest % OPERATIONS));
			rest /= OPERATIONS;
			pair_compare(&p);
		}
		pair_end(&p);
	}
}
END_TEST

START_TEST(long_random_sequences)
{
	uint64_t seed = harness_seed(1);

	for (long round = 0; round < 20 * harness_scale(); round++) {
		uint64_t state = seed + (uint64_t)round;
		struct pair p;

		pair_init(&p, NAIVE_TIMERS);
		for (int k = 0; k < 2000; k++) {
			int i = (int)harness_draw_below(&state, NAIVE_TIMERS);
			uint32_t what = harness_draw_below(&state, 10);
			mta_span in = harness_draw_below(&state, 20);

			if (what < 5)
				pair_set(&p, i, p.loop.now + in * 100 * MS);
			else if (what < 6)
				pair_after_s(&p, i, (int)in / 4);
			else if (what < 7)
				pair_cancel(&p, i);
			else if (what < 9)
				pair_step_next(&p);
			else
				pair_charge(&p, in * MS);
			pair_compare(&p);
		}
		pair_end(&p);
	}
}
END_TEST

/* ---- F0.4 by hand ---------------------------------------------------------
 */

struct phase {
	struct mta_agenda agenda;
	struct mta_loop loop;
	struct watched second;
	struct watched other;
};

static void
phase_init(struct phase *p, mta_time now)
{
	memset(p, 0, sizeof(*p));
	mta_agenda_init(&p->agenda);
	mta_loop_init(&p->loop, &p->agenda, now, MTA_LOOP_POOL);
	mta_timer_init(&p->second.timer, watched_fired);
	mta_timer_init(&p->other.timer, watched_fired);
	/* The wake-up in which the timer is armed. */
	ck_assert(!mta_loop_step(&p->loop, now));
}

/* A 1 s timer armed at 10.4 s; another wake-up at `other`. When it fires. */
static mta_time
one_second(mta_time other)
{
	struct phase p;
	mta_time fired = 0;

	phase_init(&p, 10400 * MS);
	mta_timer_after_s(&p.loop, &p.second.timer, 1);
	if (other)
		mta_timer_set(&p.loop, &p.other.timer, other);
	while (p.second.fired == 0) {
		fired = mta_loop_next(&p.loop).at;
		ck_assert(mta_loop_step(&p.loop, fired));
	}
	mta_loop_release(&p.loop);
	return fired;
}

START_TEST(whole_seconds_f0_4)
{
	/* Nobody else: exactly a second. */
	ck_assert_int_eq(one_second(0), 11400 * MS);
	/* The recorded gaps of a 1 s delay: 0.6, 1.1 and 1.6 s. A wake-up at
	 * 11.0 finds it due; one at 10.5 moves the phase to .5; at 10.999 the
	 * phase is .999. */
	ck_assert_int_eq(one_second(11000 * MS), 11000 * MS);
	ck_assert_int_eq(one_second(10500 * MS), 11500 * MS);
	ck_assert_int_eq(one_second(10999 * MS), 11999 * MS);
	/* A wake-up after it is due by itself changes nothing. */
	ck_assert_int_eq(one_second(11500 * MS), 11400 * MS);
}
END_TEST

START_TEST(due_seconds_go_first)
{
	struct phase p;

	/* Both are due at 11.4: the timer runs before the other's turn. */
	phase_init(&p, 10400 * MS);
	mta_timer_set(&p.loop, &p.other.timer, 11400 * MS);
	mta_timer_after_s(&p.loop, &p.second.timer, 1);
	ck_assert_int_eq(mta_loop_next(&p.loop).at, 11400 * MS);
	ck_assert(mta_loop_step(&p.loop, 11400 * MS));
	ck_assert_int_eq(p.second.fired, 1);
	ck_assert_int_eq(p.other.fired, 0);
	ck_assert(mta_loop_step(&p.loop, 11400 * MS));
	ck_assert_int_eq(p.other.fired, 1);
	ck_assert(!mta_loop_step(&p.loop, 11400 * MS));
	/* Delay 0 means the next step. */
	mta_timer_after_s(&p.loop, &p.second.timer, 0);
	ck_assert_int_eq(mta_loop_next(&p.loop).at, 11400 * MS);
	ck_assert(mta_loop_step(&p.loop, 11400 * MS));
	ck_assert_int_eq(p.second.fired, 2);
	mta_loop_release(&p.loop);
}
END_TEST

START_TEST(charged_time_is_the_phase)
{
	struct phase p;

	/* The step at 10.4 took 0.2 s of work: the poll starts at 10.6, and a
	 * timer armed before that keeps its stored second. */
	phase_init(&p, 10400 * MS);
	mta_timer_after_s(&p.loop, &p.second.timer, 1);
	mta_loop_charge(&p.loop, 200 * MS);
	ck_assert_int_eq(mta_loop_next(&p.loop).at, 11600 * MS);
	/* Work that runs over the stored second: due when it ends. */
	mta_loop_charge(&p.loop, 900 * MS);
	ck_assert_int_eq(mta_loop_next(&p.loop).at, 11500 * MS);
	mta_loop_release(&p.loop);
}
END_TEST

START_TEST(a_sleep_ends_late)
{
	struct phase p;

	/* What sleeps whole seconds wakes 3 ms late; what is due already does
	 * not sleep, and exact timers are not touched. */
	phase_init(&p, 10400 * MS);
	p.loop.oversleep = 3 * MS;
	mta_timer_after_s(&p.loop, &p.second.timer, 1);
	ck_assert_int_eq(mta_loop_next(&p.loop).at, 11403 * MS);
	mta_timer_set(&p.loop, &p.other.timer, 11402 * MS);
	ck_assert_int_eq(mta_loop_next(&p.loop).at, 11402 * MS);
	mta_timer_after_s(&p.loop, &p.second.timer, 0);
	ck_assert_int_eq(mta_loop_next(&p.loop).at, 10400 * MS);
	mta_loop_release(&p.loop);
}
END_TEST

START_TEST(before_the_epoch)
{
	struct phase p;

	/* Seconds round towards the past: -2.05 s lies in second -3, so a 1 s
	 * timer is stored as -2 and fires a second later. */
	phase_init(&p, -2050 * MS);
	mta_timer_after_s(&p.loop, &p.second.timer, 1);
	mta_timer_set(&p.loop, &p.other.timer, -500 * MS);
	ck_assert_int_eq(mta_loop_next(&p.loop).at, -1050 * MS);
	ck_assert(mta_loop_step(&p.loop, -1050 * MS));
	ck_assert_int_eq(p.second.fired, 1);
	ck_assert_int_eq(mta_loop_next(&p.loop).at, -500 * MS);
	mta_loop_release(&p.loop);
}
END_TEST

Suite *
loop_suite(void)
{
	Suite *s = suite_create("loop");
	TCase *t = tcase_create("loop");

	tcase_add_test(t, all_short_sequences);
	tcase_add_test(t, long_random_sequences);
	tcase_add_test(t, whole_seconds_f0_4);
	tcase_add_test(t, due_seconds_go_first);
	tcase_add_test(t, charged_time_is_the_phase);
	tcase_add_test(t, a_sleep_ends_late);
	tcase_add_test(t, before_the_epoch);
	suite_add_tcase(s, t);
	return s;
}
