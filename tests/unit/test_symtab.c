/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Interned names (src/mta/symtab.c): equality, owners, forgetting; random work
 * compared with an array of counts; no growth when names come and go.
 */
#include "tests/harness.h"

#include <stdio.h>
#include <string.h>

#include "mta/symtab.h"

START_TEST(same_text_same_number)
{
	struct mta_symtab t;
	mta_sym a;

	mta_symtab_init(&t);
	a = mta_sym_intern(&t, "a.example");
	ck_assert_uint_ne(a, 0);
	ck_assert_uint_eq(mta_sym_intern_n(&t, "a.example.net", 9), a);
	ck_assert_uint_eq(mta_sym_intern_lower(&t, "A.eXample"), a);
	ck_assert_uint_ne(mta_sym_intern(&t, "A.example"), a);
	ck_assert_uint_eq(mta_sym_find(&t, "a.example"), a);
	ck_assert_uint_eq(mta_sym_find(&t, "b.example"), 0);
	ck_assert_str_eq(mta_sym_text(&t, a), "a.example");
	mta_symtab_release(&t);
}
END_TEST

START_TEST(nothing_is_symbol_0)
{
	struct mta_symtab t;

	mta_symtab_init(&t);
	ck_assert_uint_eq(mta_sym_intern(&t, ""), 0);
	ck_assert_uint_eq(mta_sym_find(&t, ""), 0);
	ck_assert_str_eq(mta_sym_text(&t, 0), "");
	mta_sym_hold(&t, 0);
	mta_sym_drop(&t, 0);
	ck_assert_uint_eq(t.live_count, 0);
	mta_symtab_release(&t);
}
END_TEST

START_TEST(long_names_in_lower_case)
{
	struct mta_symtab t;
	char upper[3000], lower[3000];
	mta_sym a;

	memset(upper, 'Q', sizeof(upper) - 1);
	memset(lower, 'q', sizeof(lower) - 1);
	upper[sizeof(upper) - 1] = lower[sizeof(lower) - 1] = '\0';
	mta_symtab_init(&t);
	a = mta_sym_intern_lower(&t, upper);
	ck_assert_str_eq(mta_sym_text(&t, a), lower);
	mta_symtab_release(&t);
}
END_TEST

enum {
	FEW = 5,
	LENGTH = 6,
	FIRST_SLOTS = 64
};

/* Names that are looked for from these slots on: the last two and the first. */
static void
few_names(char names[FEW][16])
{
	static const uint64_t homes[FEW] = {62, 63, 63, 63, 0};
	struct mta_symtab t;
	int n = 0;

	mta_symtab_init(&t);
	ck_assert_uint_eq(t.slot_count, FIRST_SLOTS);
	for (int i = 0; i < FEW; i++) {
		mta_sym s = 0;

		do {
			mta_sym_drop(&t, s);
			snprintf(names[i], 16, "n%d", n++);
			s = mta_sym_intern(&t, names[i]);
		} while (mta_sym_hash(&t, s) % FIRST_SLOTS != homes[i]);
		mta_sym_drop(&t, s);
	}
	mta_symtab_release(&t);
}

/* Every short sequence in which names that want the same slots come and go. */
START_TEST(all_short_sequences)
{
	char names[FEW][16];
	long sequences = 1;

	few_names(names);
	for (int i = 0; i < LENGTH; i++)
		sequences *= FEW;
	for (long s = 0; s < sequences; s++) {
		mta_sym symbols[FEW] = {0};
		struct mta_symtab t;
		long rest = s;

		mta_symtab_init(&t);
		for (int i = 0; i < LENGTH; i++, rest /= FEW) {
			mta_sym *symbol = &symbols[rest % FEW];

			if (*symbol) {
				mta_sym_drop(&t, *symbol);
				*symbol = 0;
			} else {
				*symbol = mta_sym_intern(&t, names[rest % FEW]);
			}
			for (int k = 0; k < FEW; k++)
				ck_assert_uint_eq(mta_sym_find(&t, names[k]),
						  symbols[k]);
		}
		mta_symtab_release(&t);
	}
}
END_TEST

enum {
	NAMES = 200
};

START_TEST(owners_against_counts)
{
	uint64_t state = harness_seed(7);
	struct mta_symtab t;
	uint32_t owners[NAMES] = {0};
	mta_sym symbols[NAMES] = {0};
	uint32_t live = 0;

	mta_symtab_init(&t);
	for (long k = 0; k < 200000 * harness_scale(); k++) {
		uint32_t n = harness_draw_below(&state, NAMES);
		uint32_t what = harness_draw_below(&state, 5);
		char text[32];

		snprintf(text, sizeof(text), "name %u", n);
		if (what < 2) {
			mta_sym s = mta_sym_intern(&t, text);

			if (owners[n]++ == 0)
				live++;
			else
				ck_assert_uint_eq(s, symbols[n]);
			symbols[n] = s;
		} else if (what == 2 && owners[n] > 0) {
			mta_sym_hold(&t, symbols[n]);
			owners[n]++;
		} else if (owners[n] > 0) {
			mta_sym_drop(&t, symbols[n]);
			if (--owners[n] == 0)
				live--;
		}
		ck_assert_uint_eq(mta_sym_find(&t, text),
				  owners[n] ? symbols[n] : 0);
		if (owners[n])
			ck_assert_str_eq(mta_sym_text(&t, symbols[n]), text);
		ck_assert_uint_eq(t.live_count, live);
	}
	/* Numbers of forgotten names were used again. */
	ck_assert_uint_le(t.count, NAMES + 1);
	mta_symtab_release(&t);
}
END_TEST

START_TEST(names_that_come_and_go)
{
	struct mta_symtab t;
	uint32_t slots;

	mta_symtab_init(&t);
	slots = t.slot_count;
	for (int i = 0; i < 100000; i++) {
		char text[32];

		snprintf(text, sizeof(text), "reason %d", i);
		mta_sym_drop(&t, mta_sym_intern(&t, text));
	}
	ck_assert_uint_eq(t.count, 2);
	ck_assert_uint_eq(t.slot_count, slots);
	mta_symtab_release(&t);
}
END_TEST

Suite *
symtab_suite(void)
{
	Suite *s = suite_create("symtab");
	TCase *t = tcase_create("symtab");

	tcase_add_test(t, same_text_same_number);
	tcase_add_test(t, nothing_is_symbol_0);
	tcase_add_test(t, long_names_in_lower_case);
	tcase_add_test(t, all_short_sequences);
	tcase_add_test(t, owners_against_counts);
	tcase_add_test(t, names_that_come_and_go);
	suite_add_tcase(s, t);
	return s;
}
