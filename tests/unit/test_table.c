/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The table (src/mta/table.c) beside a list of flags: every short sequence of
 * adding and removing keys that want the same slots, at the end of the slots
 * and past it; and many keys.
 */
#include "tests/harness.h"

#include "mta/table.h"

enum {
	FEW = 6,
	LENGTH = 7,
	FIRST_SLOTS = 64,
	MANY = 3000
};

static char values[MANY]; /* their addresses are the values */

/* Keys whose search begins at these slots of a new table. */
static void
few_keys(uint64_t keys[FEW])
{
	static const uint32_t homes[FEW] = {62, 63, 63, 63, 0, 1};
	const struct mta_table new = {.slot_count = FIRST_SLOTS};
	uint64_t key = 0;

	for (int i = 0; i < FEW; i++) {
		do
			key++;
		while (mta_table_home(&new, key) != homes[i]);
		keys[i] = key;
	}
}

static void
check_all(const struct mta_table *t, const uint64_t *keys, const bool *is_in,
	  int count)
{
	uint32_t used = 0;

	for (int i = 0; i < count; i++) {
		ck_assert_ptr_eq(mta_table_find(t, keys[i]),
				 is_in[i] ? &values[i] : NULL);
		used += is_in[i];
	}
	ck_assert_uint_eq(t->used_count, used);
}

static void
toggle(struct mta_table *t, const uint64_t *keys, bool *is_in, uint32_t i)
{
	if (is_in[i])
		mta_table_remove(t, keys[i]);
	else
		mta_table_add(t, keys[i], &values[i]);
	is_in[i] = !is_in[i];
}

START_TEST(all_short_sequences)
{
	uint64_t keys[FEW];
	long sequences = 1;

	few_keys(keys);
	for (int i = 0; i < LENGTH; i++)
		sequences *= FEW;
	for (long s = 0; s < sequences; s++) {
		struct mta_table t;
		bool is_in[FEW] = {false};
		long rest = s;

		mta_table_init(&t);
		for (int i = 0; i < LENGTH; i++, rest /= FEW) {
			toggle(&t, keys, is_in, (uint32_t)(rest % FEW));
			check_all(&t, keys, is_in, FEW);
		}
		ck_assert_uint_eq(t.slot_count, FIRST_SLOTS);
		mta_table_release(&t);
	}
}
END_TEST

/* In no order, and as numbers that are near each other. */
START_TEST(many_keys)
{
	static uint64_t keys[MANY];
	static bool is_in[MANY];
	uint64_t luck = harness_seed(3);
	struct mta_table t;

	mta_table_init(&t);
	ck_assert_ptr_null(mta_table_find(&t, 1));
	for (uint32_t i = 0; i < MANY; i++) {
		keys[i] = i % 2 ? i + 1 : harness_draw(&luck) << 32 | (i + 1);
		is_in[i] = false;
	}
	for (long n = 0; n < 100000 * harness_scale(); n++) {
		toggle(&t, keys, is_in, harness_draw_below(&luck, MANY));
		if (n % 5000 == 0)
			check_all(&t, keys, is_in, MANY);
	}
	check_all(&t, keys, is_in, MANY);
	/* At most half of the slots are used, so the next power is enough. */
	ck_assert_uint_le(t.slot_count, 8192);
	mta_table_release(&t);
	ck_assert_ptr_null(mta_table_find(&t, keys[0]));
}
END_TEST

Suite *
table_suite(void)
{
	Suite *s = suite_create("table");
	TCase *t = tcase_create("table");

	tcase_add_test(t, all_short_sequences);
	tcase_add_test(t, many_keys);
	suite_add_tcase(s, t);
	return s;
}
