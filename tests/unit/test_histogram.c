/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The sketch of quantiles (sim/results/histogram.c) against sorted arrays:
 * exact while small, within 1 % always, the same whatever the order and the
 * merging; bounds where values are not final.
 */
#include "tests/harness.h"

#include <math.h>
#include <stdlib.h>

#include "sim/results/histogram.h"

static struct histogram h;

static void
setup(void)
{
	h = (struct histogram){.count = 0};
}

static void
teardown(void)
{
	histogram_release(&h);
}

/* Ranks by hand: of 1..10, ceil(0.5*10) = 5, ceil(0.95*10) = 10,
 * ceil(0.01*10) = 1, ceil(0.9*10) = 9. */
START_TEST(ten_numbers)
{
	static const int64_t numbers[] = {9, 2, 7, 4, 5, 6, 3, 8, 1, 10};

	for (int i = 0; i < 10; i++)
		histogram_add(&h, numbers[i] * 1000003);
	ck_assert_int_eq(histogram_percentile(&h, 50), 5 * 1000003);
	ck_assert_int_eq(histogram_percentile(&h, 95), 10 * 1000003);
	ck_assert_int_eq(histogram_percentile(&h, 1), 1 * 1000003);
	ck_assert_int_eq(histogram_percentile(&h, 90), 9 * 1000003);
	ck_assert_int_eq(histogram_percentile(&h, 100), 10 * 1000003);
	ck_assert_double_eq_tol(histogram_mean(&h), 5.5 * 1000003, 1e-6);
	ck_assert_int_eq(h.least, 1000003);
	ck_assert_int_eq(h.greatest, 10000030);
}
END_TEST

START_TEST(nothing_and_less)
{
	ck_assert_int_eq(histogram_percentile(&h, 50), 0);
	histogram_add(&h, -5);
	ck_assert_int_eq(histogram_percentile(&h, 50), 0);
	ck_assert_int_eq(h.least, 0);
}
END_TEST

static int
by_value(const void *left, const void *right)
{
	int64_t a = *(const int64_t *)left;
	int64_t b = *(const int64_t *)right;

	return (a > b) - (a < b);
}

/* Numbers over many powers of two, the largest of all among them. */
static int64_t
draw_number(uint64_t *state)
{
	uint64_t r = harness_draw(state);

	return (int64_t)(r >> (1 + harness_draw_below(state, 62)));
}

enum {
	MANY = 5000
};

START_TEST(within_one_percent)
{
	static const double percents[] = {1,  5,  25, 50,   75,
					  90, 95, 99, 99.9, 100};
	uint64_t state = harness_seed(11);
	static int64_t sorted[MANY];

	for (int n = 1; n <= MANY; n = n < 40 ? n + 1 : n * 3) {
		struct histogram g = {.count = 0};

		for (int i = 0; i < n; i++) {
			sorted[i] = draw_number(&state);
			histogram_add(&g, sorted[i]);
		}
		qsort(sorted, (size_t)n, sizeof(sorted[0]), by_value);
		for (size_t p = 0; p < 10; p++) {
			int rank = (int)ceil(percents[p] * n / 100 - 1e-9);
			int64_t exact = sorted[rank < 1 ? 0 : rank - 1];
			int64_t found = histogram_percentile(&g, percents[p]);

			if (n <= HISTOGRAM_EXACT)
				ck_assert_int_eq(found, exact);
			ck_assert_msg(fabs((double)found - (double)exact) <=
					      0.01 * (double)exact,
				      "p%g of %d: %lld, not %lld", percents[p],
				      n, (long long)found, (long long)exact);
		}
		histogram_release(&g);
	}
}
END_TEST

/* The same numbers backwards, and split in parts of every size. */
START_TEST(order_and_merging_do_not_matter)
{
	uint64_t state = harness_seed(12);
	struct histogram backward = {.count = 0};
	struct histogram merged = {.count = 0};
	static int64_t numbers[3000];
	int at = 0;

	for (int i = 0; i < 3000; i++) {
		numbers[i] = draw_number(&state) >> 20;
		histogram_add(&h, numbers[i]);
	}
	for (int i = 3000; i-- > 0;)
		histogram_add(&backward, numbers[i]);
	for (int size = 0; at < 3000; size++) {
		struct histogram part = {.count = 0};

		for (int i = 0; i < size && at < 3000; i++)
			histogram_add(&part, numbers[at++]);
		histogram_merge(&merged, &part);
		histogram_release(&part);
	}
	ck_assert_uint_eq(merged.count, 3000);
	ck_assert_uint_eq(merged.sum, h.sum);
	for (int p = 1; p <= 100; p++) {
		int64_t wanted = histogram_percentile(&h, p);

		ck_assert_int_eq(histogram_percentile(&backward, p), wanted);
		ck_assert_int_eq(histogram_percentile(&merged, p), wanted);
	}
	histogram_release(&backward);
	histogram_release(&merged);
}
END_TEST

static void
expect_same(const struct histogram *a, const struct histogram *b)
{
	ck_assert_uint_eq(a->count, b->count);
	ck_assert_uint_eq(a->sum, b->sum);
	for (int p = 1; p <= 100; p++)
		ck_assert_int_eq(histogram_percentile(a, p),
				 histogram_percentile(b, p));
}

/* A copy and what was taken go on like the sketch that they come from, at every
 * size at which memory grows; the first is left, the second is empty. */
START_TEST(copies_go_on)
{
	for (int size = 0; size < 2 * HISTOGRAM_EXACT; size++) {
		struct histogram all = {.count = 0};
		struct histogram first = {.count = 0};
		struct histogram copy = {.count = 0};
		struct histogram taken = {.count = 0};

		for (int i = 0; i < size; i++) {
			histogram_add(&all, 1000 - i);
			histogram_add(&first, 1000 - i);
		}
		histogram_merge(&copy, &first);
		expect_same(&first, &all);
		histogram_take(&taken, &first);
		ck_assert_uint_eq(first.count, 0);
		for (int i = 0; i < HISTOGRAM_EXACT; i++) {
			histogram_add(&all, i);
			histogram_add(&copy, i);
			histogram_add(&taken, i);
		}
		expect_same(&copy, &all);
		expect_same(&taken, &all);
		/* Into what is not empty: as by merging. */
		histogram_merge(&all, &copy);
		histogram_take(&taken, &copy);
		ck_assert_uint_eq(copy.count, 0);
		expect_same(&taken, &all);
		histogram_release(&all);
		histogram_release(&first);
		histogram_release(&copy);
		histogram_release(&taken);
	}
}
END_TEST

/* Numbers in a narrow range: at most the chunks of two powers of two. */
START_TEST(a_narrow_distribution_costs_little)
{
	for (int i = 0; i < 100000; i++)
		histogram_add(&h, 1000000 + i * 10);
	ck_assert_uint_le(h.chunk_count, 8);
}
END_TEST

/*
 * Ten numbers are final, 1..10, and ten are open. The median of twenty is the
 * tenth. Open at 0: the tenth smallest is 0 now; if all grew it would be 10: a
 * bound. Open at 20: it is 10 now and stays so: exact. p95 is the nineteenth,
 * one of the open ones: a bound.
 */
START_TEST(open_values_make_bounds)
{
	struct histogram low = {.count = 0};
	struct histogram high = {.count = 0};
	int64_t value;

	for (int i = 1; i <= 10; i++) {
		histogram_add(&h, i);
		histogram_add(&low, 0);
		histogram_add(&high, 20);
	}
	ck_assert(!histogram_bound(&h, &low, 50, &value));
	ck_assert_int_eq(value, 0);
	ck_assert(histogram_bound(&h, &high, 50, &value));
	ck_assert_int_eq(value, 10);
	ck_assert(!histogram_bound(&h, &high, 95, &value));
	ck_assert_int_eq(value, 20);
	ck_assert(histogram_bound(&h, NULL, 95, &value));
	ck_assert_int_eq(value, 10);
	histogram_release(&low);
	histogram_release(&high);
}
END_TEST

Suite *
histogram_suite(void)
{
	Suite *suite = suite_create("histogram");
	TCase *c = tcase_create("all");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, ten_numbers);
	tcase_add_test(c, nothing_and_less);
	tcase_add_test(c, within_one_percent);
	tcase_add_test(c, order_and_merging_do_not_matter);
	tcase_add_test(c, copies_go_on);
	tcase_add_test(c, a_narrow_distribution_costs_little);
	tcase_add_test(c, open_values_make_bounds);
	suite_add_tcase(suite, c);
	return suite;
}
