/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The wheel (src/mta/wheel.c): what is first of its timers is compared with a
 * list that is searched from one end to the other, while timers are set, fire
 * and are given up; at times that are near each other and at all scales of 64
 * bits, before and after what has been first already.
 */
#include "tests/harness.h"

#include <string.h>

#include "mta/loop.h"

enum {
	TIMERS = 1000
};

struct listed {
	bool is_set;
	struct mta_when when;
	uint32_t slot;
};

static struct mta_wheel wheel;
static struct mta_timer timers[TIMERS];
static struct listed list[TIMERS];
static uint64_t sequence;
static uint64_t seed; /* of a random test */
static uint64_t luck;

static void
set_up(void)
{
	memset(list, 0, sizeof(list));
	sequence = 0;
	wheel = (struct mta_wheel){0};
}

static void
tear_down(void)
{
	mta_wheel_release(&wheel);
}

static void
set(int i, mta_time at)
{
	list[i] = (struct listed){.is_set = true, .when = {at, sequence++}};
	list[i].slot = mta_wheel_add(&wheel, list[i].when, &timers[i]);
}

static void
give_up(int i)
{
	list[i].is_set = false;
	mta_wheel_give_up(&wheel, list[i].slot);
}

static int
listed_first(void)
{
	int first = -1;

	for (int i = 0; i < TIMERS; i++)
		if (list[i].is_set &&
		    (first < 0 || list[i].when.at < list[first].when.at ||
		     (list[i].when.at == list[first].when.at &&
		      list[i].when.sequence < list[first].when.sequence)))
			first = i;
	return first;
}

/* The first is the listed one; its number, or -1. */
static int
first(void)
{
	struct mta_when when;
	struct mta_timer *timer = mta_wheel_first(&wheel, &when);
	int i = listed_first();

	if (i < 0) {
		ck_assert_ptr_null(timer);
		ck_assert_int_eq(when.at, MTA_NEVER);
		return -1;
	}
	ck_assert_msg(timer == &timers[i] && when.at == list[i].when.at &&
			      when.sequence == list[i].when.sequence,
		      "seed %llu: setting %llu is first, not %llu",
		      (unsigned long long)seed,
		      (unsigned long long)when.sequence,
		      (unsigned long long)list[i].when.sequence);
	return i;
}

static void
drain(void)
{
	for (int i = first(); i >= 0; i = first())
		give_up(i);
}

START_TEST(empty)
{
	ck_assert_int_eq(first(), -1);
	set(0, 5);
	ck_assert_int_eq(first(), 0);
	give_up(0);
	ck_assert_int_eq(first(), -1);
}
END_TEST

/* A timer is set for a time at or beside the end of a digit; or the first one
 * goes, or the one that was set last. */
START_TEST(all_short_sequences)
{
	static const mta_time times[] = {-1, 0, 63, 64, 65, 4095, 4096};
	enum {
		TIMES = sizeof(times) / sizeof(times[0]),
		MOVES = TIMES + 2,
		LENGTH = 5
	};
	long sequences = 1;

	for (int i = 0; i < LENGTH; i++)
		sequences *= MOVES;
	for (long s = 0; s < sequences; s++) {
		long rest = s;
		int last = 0;

		for (int i = 0; i < LENGTH; i++, rest /= MOVES) {
			int move = (int)(rest % MOVES);

			if (move < TIMES)
				set(last = i, times[move]);
			else if (move == TIMES && first() >= 0)
				give_up(first());
			else if (list[last].is_set)
				give_up(last);
			first();
		}
		drain();
		mta_wheel_release(&wheel);
	}
}
END_TEST

START_TEST(ends_of_time)
{
	static const mta_time times[] = {INT64_MIN,	INT64_MIN + 1, -1, 0, 1,
					 MTA_NEVER - 1, MTA_NEVER - 2};

	for (int i = 6; i >= 0; i--)
		set(i, times[i]);
	drain();
	/* And again, when all that is left is behind. */
	for (int i = 0; i < 7; i++)
		set(i, times[i]);
	drain();
}
END_TEST

/* Many at one time are in the order of their setting, and so are more than
 * come near at once. */
START_TEST(one_time)
{
	for (int i = 0; i < TIMERS; i++)
		set(i, i % 3 == 0 ? 1000 : 1000 + i % 2);
	drain();
}
END_TEST

/* Less than 2^scale microseconds from now, mostly after it. */
static mta_time
time_about(mta_time now, int scale)
{
	int64_t away = (int64_t)(harness_draw(&luck) >> (64 - scale));

	return harness_draw_below(&luck, 8) == 0 ? now - away : now + away;
}

/* One setting or giving up, of the first `use` timers, and perhaps a firing.
 * Returns what time it is then. */
static mta_time
step(mta_time now, uint32_t use, int scale, uint32_t cancelled_of_ten)
{
	int i = (int)harness_draw_below(&luck, use);

	if (!list[i].is_set)
		set(i, time_about(now, scale));
	else if (harness_draw_below(&luck, 10) < cancelled_of_ten)
		give_up(i);
	i = first();
	if (i < 0 || harness_draw_below(&luck, 3) > 0)
		return now;
	give_up(i);
	return list[i].when.at;
}

/* Timers that fire, are set and are given up, in phases of different scales. */
START_TEST(random_phases)
{
	static const int scales[] = {2, 6, 12, 20, 21, 33, 47, 58};
	const mta_time begin = INT64_C(1) << 61;
	mta_time now = begin;

	seed = harness_seed(1) + (uint64_t)_i;
	luck = seed;
	for (int phase = 0; phase < 20; phase++) {
		int scale = scales[harness_draw_below(&luck, 8)];
		uint32_t use = phase % 4 == 0 ? 20 : TIMERS;
		uint32_t cancelled = harness_draw_below(&luck, 10);

		for (int n = 0; n < 2000; n++)
			now = step(now, use, scale, cancelled);
		if (now < begin / 2 || now > begin * 3 / 2)
			now = begin;
	}
	drain();
}
END_TEST

/* Times at and beside what ends a digit, of several scales at once: the way to
 * the first of them ends one digit after the other. */
START_TEST(ends_of_digits)
{
	static const int scales[] = {3, 6, 7, 12, 13, 18, 24, 40};
	mta_time now = 0;

	seed = harness_seed(1) + (uint64_t)_i;
	luck = seed;
	for (int n = 0; n < 4000; n++) {
		int i = (int)harness_draw_below(&luck, 300);
		int scale = scales[harness_draw_below(&luck, 8)];

		if (!list[i].is_set) {
			mta_time at = time_about(now, scale);

			set(i, (at | 63) + harness_draw_below(&luck, 3) - 1);
		}
		i = first();
		if (i >= 0 && harness_draw_below(&luck, 2) == 0) {
			now = list[i].when.at;
			give_up(i);
		}
	}
	drain();
}
END_TEST

/* One bucket of all timers becomes as many as there are timers: there is no
 * room for those yet. */
START_TEST(one_bucket_becomes_many)
{
	const mta_time far = INT64_C(1) << 40;

	set(0, far - 1);
	ck_assert_int_eq(first(), 0);
	for (int i = 1; i < TIMERS; i++)
		set(i, far + i % 31 * INT64_C(70000) + i * INT64_C(4100));
	drain();
}
END_TEST

/* A timer that is far away does not make all others stand in the row. */
START_TEST(far_ahead)
{
	set(0, INT64_C(1) << 42);
	ck_assert_int_eq(first(), 0);
	for (int i = 1; i < TIMERS; i++)
		set(i, i * INT64_C(30000));
	ck_assert_uint_lt(mta_row_count(&wheel.near), 300);
	drain();
}
END_TEST

/* What is given up does not stay: of a hundred thousand that are set for later
 * and given up, not even one slot in a hundred is left behind. */
START_TEST(given_up)
{
	set(0, 1);
	for (int n = 0; n < 100000; n++) {
		set(1, 1000000 + n);
		if (n % 1000 == 0)
			ck_assert_int_eq(first(), 0);
		give_up(1);
	}
	ck_assert_uint_lt(wheel.slot_capacity, 1000);
	drain();
}
END_TEST

Suite *
wheel_suite(void)
{
	Suite *s = suite_create("wheel");
	TCase *t = tcase_create("wheel");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, empty);
	tcase_add_test(t, all_short_sequences);
	tcase_add_test(t, ends_of_time);
	tcase_add_test(t, one_time);
	tcase_add_loop_test(t, random_phases, 0, (int)(8 * harness_scale()));
	tcase_add_loop_test(t, ends_of_digits, 0, (int)(20 * harness_scale()));
	tcase_add_test(t, one_bucket_becomes_many);
	tcase_add_test(t, far_ahead);
	tcase_add_test(t, given_up);
	suite_add_tcase(s, t);
	return s;
}
