/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The row (src/mta/row.c): what is taken from it is compared with a list of all
 * that is in it, while keys come before, between and behind the others, and
 * many more than there was room for.
 */
#include "tests/harness.h"

#include "mta/row.h"

enum {
	KEYS = 2000
};

static struct mta_row row;
static mta_key keys[KEYS]; /* in the row, in no order */
static uint32_t count;

static void
set_up(void)
{
	row = (struct mta_row){0};
	count = 0;
}

static void
tear_down(void)
{
	mta_row_release(&row);
}

static void
add(mta_key key)
{
	mta_row_add(&row, key);
	keys[count++] = key;
	ck_assert_uint_eq(mta_row_count(&row), count);
}

/* The first of the row is the least of the list; take it. */
static mta_key
take(void)
{
	uint32_t least = 0;
	mta_key first = *row.first;

	for (uint32_t i = 1; i < count; i++)
		if (keys[i] < keys[least])
			least = i;
	ck_assert(first == keys[least]);
	keys[least] = keys[--count];
	mta_row_remove_first(&row);
	ck_assert_uint_eq(mta_row_count(&row), count);
	ck_assert(mta_row_is_empty(&row) == (count == 0));
	return first;
}

/* A key of a few, unless it is there; or the least goes. */
START_TEST(all_short_sequences)
{
	enum {
		MOVES = 6,
		LENGTH = 6
	};
	long sequences = 1;

	for (int i = 0; i < LENGTH; i++)
		sequences *= MOVES;
	for (long s = 0; s < sequences; s++) {
		long rest = s;
		uint32_t there = 0; /* bits */

		for (int i = 0; i < LENGTH; i++, rest /= MOVES) {
			unsigned move = (unsigned)(rest % MOVES);

			if (move == MOVES - 1) {
				if (count > 0)
					there &= ~(1U << (unsigned)take());
			} else if (!(there >> move & 1)) {
				add(move);
				there |= 1U << move;
			}
		}
		while (count > 0)
			take();
	}
}
END_TEST

START_TEST(either_end)
{
	ck_assert(mta_row_is_empty(&row));
	for (uint32_t i = 0; i < KEYS / 2; i++) {
		add(((mta_key)1 << 100) + i);
		add(((mta_key)1 << 100) - 1 - i);
	}
	while (count > 0)
		take();
}
END_TEST

/* One goes and another comes behind it, for as long as the places would last
 * many times over. */
START_TEST(wanders)
{
	for (uint32_t i = 0; i < 100; i++)
		add((mta_key)i << 64);
	for (uint32_t i = 100; i < 20000; i++) {
		take();
		add((mta_key)i << 64);
	}
}
END_TEST

START_TEST(random_keys)
{
	uint64_t luck = harness_seed(5);
	mta_key now = 0;

	for (long i = 0; i < 20000 * harness_scale(); i++) {
		uint32_t most = i / 5000 % 2 ? 20 : KEYS;

		if (count == 0 ||
		    (count < most && harness_draw_below(&luck, 2)))
			add(now +
			    ((mta_key)harness_draw_below(&luck, 1000) << 64) +
			    (uint64_t)i);
		else
			now = take();
	}
}
END_TEST

Suite *
row_suite(void)
{
	Suite *s = suite_create("row");
	TCase *t = tcase_create("row");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, all_short_sequences);
	tcase_add_test(t, either_end);
	tcase_add_test(t, wanders);
	tcase_add_test(t, random_keys);
	suite_add_tcase(s, t);
	return s;
}
