/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * model/arrival and model/chooser: times by hand where there is no chance;
 * counts and gaps against theory where there is; chances read back from alias
 * tables against the weights.
 *
 * Statistical bounds as in test_model_law.c: 5.5 standard deviations, or a
 * p-value of 4e-8.
 */
#include "tests/harness.h"

#include "model/arrival.h"
#include "model/chooser.h"
#include "model/law.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define S	   INT64_C(1000000)
#define HOUR	   (3600 * S)
#define SIGMAS	   5.5
#define KOLMOGOROV 2.9

static int
compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static struct arrival
start(const struct arrival_config *config, uint64_t seed, int64_t until_us,
      int64_t messages)
{
	struct stream stream;
	struct arrival arrival;

	ck_assert_ptr_null(arrival_config_check(config));
	stream_init(&stream, seed, 0, "source/web");
	arrival_init(&arrival, config, stream, until_us, messages);
	return arrival;
}

static void
expect_times(struct arrival arrival, const int64_t *times, size_t count)
{
	for (size_t i = 0; i < count; i++)
		ck_assert_int_eq(arrival_next(&arrival), times[i]);
	ck_assert_int_eq(arrival_next(&arrival), ARRIVAL_NEVER);
	ck_assert_int_eq(arrival_next(&arrival), ARRIVAL_NEVER);
}

/* M-ARRIVAL-EVEN: three a second from time 0: n / 3 s, rounded, without drift.
 */
START_TEST(even_is_even)
{
	struct arrival_config config = {.kind = ARRIVAL_EVEN, .rate_per_s = 3};
	static const int64_t times[] = {0, 333333, 666667, S, 1333333};

	expect_times(start(&config, 1, ARRIVAL_NEVER, 5), times, 5);
	/* Nothing at or after `until`. */
	expect_times(start(&config, 1, 1333333, ARRIVAL_NEVER), times, 4);
}
END_TEST

/* M-ARRIVAL-TIMES, M-ARRIVAL-BURST, M-ARRIVAL-BURSTS */
START_TEST(times_and_bursts_by_hand)
{
	static const int64_t list[] = {-S, 0, 0, 5 * S};
	static const int64_t two[] = {10 * S, 10 * S + 250000};
	static const int64_t bursts[] = {60 * S, 61 * S, 120 * S, 121 * S};
	/* 5 messages 20 s apart last 80 s: the next burst, due at 120 s, waits
	 * for 140 s. */
	static const int64_t late[] = {60 * S,	80 * S,	 100 * S, 120 * S,
				       140 * S, 140 * S, 160 * S};
	struct law every, two_each, five_each;
	struct arrival_config config = {
		.kind = ARRIVAL_TIMES, .times = list, .time_count = 4};

	expect_times(start(&config, 1, ARRIVAL_NEVER, ARRIVAL_NEVER), list, 4);
	config = (struct arrival_config){.kind = ARRIVAL_BURST,
					 .at_us = 10 * S,
					 .burst_messages = 2,
					 .rate_per_s = 4};
	expect_times(start(&config, 1, ARRIVAL_NEVER, ARRIVAL_NEVER), two, 2);
	ck_assert_ptr_null(law_constant(&every, 60e6));
	ck_assert_ptr_null(law_constant(&two_each, 2));
	ck_assert_ptr_null(law_constant(&five_each, 5));
	config = (struct arrival_config){.kind = ARRIVAL_BURSTS,
					 .every = &every,
					 .messages = &two_each,
					 .rate_per_s = 1};
	expect_times(start(&config, 1, 130 * S, ARRIVAL_NEVER), bursts, 4);
	config.messages = &five_each;
	config.rate_per_s = 0.05;
	expect_times(start(&config, 1, ARRIVAL_NEVER, 7), late, 7);
}
END_TEST

/* Times never go back, where a late burst follows one whose last message came
 * between two microseconds: three a third of a second apart from 0.1 s on, the
 * last at 766666.67 us; the next burst, due at 0.2 s, begins when that one was
 * given out. */
START_TEST(late_burst_never_goes_back)
{
	static const int64_t times[] = {100000, 433333,	 766667,
					766667, 1100000, 1433334};
	struct law every, messages;
	struct arrival_config config = {.kind = ARRIVAL_BURSTS,
					.every = &every,
					.messages = &messages,
					.rate_per_s = 3};

	ck_assert_ptr_null(law_constant(&every, 1e5));
	ck_assert_ptr_null(law_constant(&messages, 3));
	expect_times(start(&config, 1, ARRIVAL_NEVER, 6), times, 6);
}
END_TEST

/* M-ARRIVAL-BURSTS: gaps of 1 s, then of none, which count as 1 ms; two
 * messages, then none for ever, which is noticed. */
START_TEST(bursts_at_their_limits)
{
	static const double gaps[] = {1e6, 0};
	static const double counts[] = {0, 2, 1, 0};
	static const int64_t times[] = {S + 1000, S + 1000, S + 2000};
	struct law every, messages;
	struct arrival_config config = {
		.kind = ARRIVAL_BURSTS, .every = &every, .messages = &messages};

	ck_assert_ptr_null(
		law_values(&every, gaps, 2, LAW_BY_DELIVERY, LAW_THEN_LAST));
	ck_assert_ptr_null(law_values(&messages, counts, 4, LAW_BY_DELIVERY,
				      LAW_THEN_LAST));
	expect_times(start(&config, 1, ARRIVAL_NEVER, ARRIVAL_NEVER), times, 3);
}
END_TEST

/* M-ARRIVAL-POISSON: mean and variance of the count in disjoint seconds are
 * both the rate; the index of dispersion times (n - 1) is chi-squared. */
START_TEST(poisson_counts)
{
	enum {
		SECONDS = 2000
	};
	struct arrival_config config = {.kind = ARRIVAL_POISSON,
					.rate_per_s = 20};
	struct arrival arrival =
		start(&config, harness_seed(3), SECONDS * S, ARRIVAL_NEVER);
	static int count[SECONDS];
	double chi = 0, mean;
	int64_t t, last = 0;
	int all = 0;

	memset(count, 0, sizeof(count));
	while ((t = arrival_next(&arrival)) != ARRIVAL_NEVER) {
		ck_assert(t >= last && t < SECONDS * S);
		last = t;
		count[t / S]++;
		all++;
	}
	ck_assert_msg(fabs(all - 20.0 * SECONDS) <
			      SIGMAS * sqrt(20.0 * SECONDS),
		      "%d arrivals", all);
	mean = (double)all / SECONDS;
	for (int i = 0; i < SECONDS; i++)
		chi += (count[i] - mean) * (count[i] - mean) / mean;
	ck_assert(gsl_cdf_chisq_Q(chi, SECONDS - 1) > 4e-8);
	ck_assert(gsl_cdf_chisq_P(chi, SECONDS - 1) > 4e-8);
}
END_TEST

/* A million a second: gaps of 1 us keep their mean although times are whole
 * microseconds. */
START_TEST(fast_poisson_keeps_its_rate)
{
	struct arrival_config config = {.kind = ARRIVAL_POISSON,
					.rate_per_s = 1e6};
	struct arrival arrival =
		start(&config, harness_seed(4), ARRIVAL_NEVER, 100000);
	int64_t t, last = 0;

	while ((t = arrival_next(&arrival)) != ARRIVAL_NEVER)
		last = t;
	/* Sum of n unit exponentials: n, deviation sqrt n. */
	ck_assert_msg(fabs((double)last - 1e5) < SIGMAS * sqrt(1e5),
		      "last at %lld", (long long)last);
}
END_TEST

START_TEST(twice_the_rate_is_half_of_each_time)
{
	struct arrival_config slow = {.kind = ARRIVAL_POISSON,
				      .rate_per_s = 10};
	struct arrival_config fast = {.kind = ARRIVAL_POISSON,
				      .rate_per_s = 20};
	struct arrival a = start(&slow, 8, ARRIVAL_NEVER, 1000);
	struct arrival b = start(&fast, 8, ARRIVAL_NEVER, 1000);

	for (int i = 0; i < 1000; i++)
		ck_assert(llabs(arrival_next(&a) - 2 * arrival_next(&b)) <= 2);
}
END_TEST

/* M-ARRIVAL-WEIBULL: gaps of mean 1/rate; their squared coefficient of
 * variation is Gamma(1 + 2/k) / Gamma(1 + 1/k)^2 - 1, 5 for shape 1/2. */
START_TEST(weibull_gaps)
{
	enum {
		GAPS = 20000
	};
	struct arrival_config config = {
		.kind = ARRIVAL_WEIBULL, .rate_per_s = 2, .shape = 0.5};
	struct arrival arrival =
		start(&config, harness_seed(5), ARRIVAL_NEVER, GAPS);
	int64_t t, last = 0;
	int below = 0;
	/* scale = mean / Gamma(3) = 0.25 s: median = 0.25 (ln 2)^2 s */
	double median_us = 0.25e6 * log(2) * log(2);

	while ((t = arrival_next(&arrival)) != ARRIVAL_NEVER) {
		below += (double)(t - last) <= median_us;
		last = t;
	}
	ck_assert_msg(fabs((double)last / 1e6 / GAPS - 0.5) <
			      SIGMAS * 0.5 * sqrt(5.0 / GAPS),
		      "mean gap %g s", (double)last / 1e6 / GAPS);
	ck_assert_msg(abs(below - GAPS / 2) < SIGMAS * sqrt(GAPS / 4.0),
		      "%d of %d below the median", below, GAPS);
}
END_TEST

/* M-ARRIVAL-DAILY: hours 9 and 15 weigh 3 and 1, all others 0; Sunday nothing;
 * the scenario begins on Saturday 12:00. Counts of the hours are Poisson. */
START_TEST(daily_follows_the_hours)
{
	struct arrival_config config = {.kind = ARRIVAL_DAILY,
					.rate_per_s = 0.1,
					.days = {1, 1, 1, 1, 1, 0.5, 0},
					.day_us = (5 * 24 + 12) * HOUR};
	struct arrival arrival;
	int64_t t;
	double saturday = 0, nine = 0, fifteen = 0;

	config.hours[9] = 3;
	config.hours[15] = 1;
	/* Two weeks and half a day. */
	arrival = start(&config, harness_seed(6), (14 * 24 + 12) * HOUR,
			ARRIVAL_NEVER);
	while ((t = arrival_next(&arrival)) != ARRIVAL_NEVER) {
		int64_t hour = (t + config.day_us) / HOUR;

		ck_assert(hour % 24 == 9 || hour % 24 == 15);
		ck_assert(hour / 24 % 7 != 6);
		if (hour / 24 % 7 == 5)
			saturday++;
		else if (hour % 24 == 9)
			nine++;
		else
			fifteen++;
	}
	/* 0.1/s of mean rate is 8640 a day: 6480 at nine, 2160 at 15 h. Ten
	 * working days. Saturdays: half of 2160 today, and twice half of
	 * 8640 (the last one whole: the run ends at midnight). */
	ck_assert_msg(fabs(nine - 64800) < SIGMAS * sqrt(64800), "%g", nine);
	ck_assert_msg(fabs(fifteen - 21600) < SIGMAS * sqrt(21600), "%g",
		      fifteen);
	ck_assert_msg(fabs(saturday - 9720) < SIGMAS * sqrt(9720), "%g",
		      saturday);
}
END_TEST

/* The integrated rate of a daily process, told anew: hours from 0 h of the
 * scenario's first day, each with its own rate. */
static double
events_until(const double *hours, double per_s, int64_t us)
{
	double sum = 0;
	int64_t hour = 0;

	for (; (hour + 1) * HOUR <= us; hour++)
		sum += hours[hour % 24] * 3600;
	sum += hours[hour % 24] * (double)(us - hour * HOUR) / 1e6;
	return sum * per_s;
}

/* A process is Poisson of that rate if its times, measured in events that were
 * due, are those of a Poisson process of rate 1: gaps are unit exponentials
 * (Kolmogorov) and the next does not know the one before (correlation). The
 * rate jumps between the hours, by a thousand and to nothing. */
START_TEST(daily_is_poisson_in_its_own_time)
{
	enum {
		EVENTS = 40000
	};
	static const double weights[4] = {1, 0, 0.01, 10};
	struct arrival_config config = {.kind = ARRIVAL_DAILY,
					.rate_per_s = 0.05};
	struct arrival arrival;
	static double gap[EVENTS];
	double sum = 0, last = 0, distance = 0, correlation = 0;

	for (int i = 0; i < 24; i++) {
		config.hours[i] = weights[i % 4];
		sum += weights[i % 4];
	}
	arrival = start(&config, harness_seed(7), ARRIVAL_NEVER, EVENTS);
	for (int i = 0; i < EVENTS; i++) {
		double now = events_until(config.hours, 0.05 * 24 / sum,
					  arrival_next(&arrival));

		gap[i] = 1 - exp(last - now); /* uniform */
		last = now;
	}
	for (int i = 0; i + 1 < EVENTS; i++)
		correlation += (gap[i] - 0.5) * (gap[i + 1] - 0.5) * 12;
	ck_assert_msg(fabs(correlation) < SIGMAS * sqrt(EVENTS),
		      "correlation %g", correlation / EVENTS);
	qsort(gap, EVENTS, sizeof(*gap), compare_doubles);
	for (int i = 0; i < EVENTS; i++)
		distance = fmax(distance, fabs((i + 0.5) / EVENTS - gap[i]));
	ck_assert_msg(distance * sqrt(EVENTS) < KOLMOGOROV, "distance %g",
		      distance);
}
END_TEST

static void
refused(struct arrival_config config, const char *word)
{
	const char *error = arrival_config_check(&config);

	ck_assert_ptr_nonnull(error);
	ck_assert_msg(strstr(error, word), "'%s' lacks '%s'", error, word);
}

START_TEST(what_no_arrival_can_have)
{
	static const int64_t back[] = {2, 1};
	struct law zero, short_of_1ms;

	ck_assert_ptr_null(law_constant(&zero, 0));
	ck_assert_ptr_null(law_constant(&short_of_1ms, 999));
	refused((struct arrival_config){.kind = ARRIVAL_POISSON}, "rate: ");
	refused((struct arrival_config){.kind = ARRIVAL_EVEN, .rate_per_s = -1},
		"rate: ");
	refused((struct arrival_config){.kind = ARRIVAL_WEIBULL,
					.rate_per_s = 1},
		"shape: ");
	refused((struct arrival_config){.kind = ARRIVAL_DAILY, .rate_per_s = 1},
		"hours: ");
	refused((struct arrival_config){.kind = ARRIVAL_TIMES,
					.times = back,
					.time_count = 2},
		"ascend");
	refused((struct arrival_config){.kind = ARRIVAL_BURST}, "messages: ");
	refused((struct arrival_config){.kind = ARRIVAL_BURSTS,
					.every = &zero,
					.messages = &zero},
		"every: ");
	refused((struct arrival_config){.kind = ARRIVAL_BURSTS,
					.every = &short_of_1ms,
					.messages = &short_of_1ms},
		"every: must be 1ms or more");
}
END_TEST

/* The chance of an index, read back from the columns. */
static double
chance_of(const struct chooser *chooser, uint32_t index)
{
	double sum = 0;

	for (uint32_t i = 0; i < chooser->count; i++) {
		const struct chooser_column *column = &chooser->columns[i];

		if (i == index)
			sum += column->stay;
		if (column->other == index)
			sum += 0x1p32 - column->stay;
	}
	return sum / 0x1p32 / chooser->count;
}

/* M-CHOOSE-WEIGHTS: exact up to the rounding of the table: half of 2^-32 for
 * each column. */
START_TEST(alias_table_holds_the_weights)
{
	static const double weights[] = {3, 0, 1, 0.5, 20, 7, 1e-3};
	enum {
		N = sizeof(weights) / sizeof(weights[0])
	};
	struct chooser chooser;
	double sum = 0;

	for (int i = 0; i < N; i++)
		sum += weights[i];
	ck_assert_ptr_null(chooser_init_weights(&chooser, weights, N));
	for (uint32_t i = 0; i < N; i++)
		ck_assert_double_eq_tol(chance_of(&chooser, i),
					weights[i] / sum, 0x1p-32);
	chooser_release(&chooser);
}
END_TEST

/* M-CHOOSE-WEIGHTS: all tables of four small weights. */
START_TEST(all_small_tables)
{
	for (unsigned code = 1; code < 256; code++) {
		double weights[4], sum = 0;
		struct chooser chooser;

		for (unsigned i = 0; i < 4; i++) {
			weights[i] = code >> 2 * i & 3;
			sum += weights[i];
		}
		ck_assert_ptr_null(chooser_init_weights(&chooser, weights, 4));
		for (uint32_t i = 0; i < 4; i++)
			ck_assert_double_eq_tol(chance_of(&chooser, i),
						weights[i] / sum, 0x1p-32);
		chooser_release(&chooser);
	}
}
END_TEST

static uint32_t
pick_at(const struct chooser *chooser, struct stream stream, uint64_t index,
	uint32_t part, uint64_t n)
{
	return chooser_read(chooser,
			    chooser_throw(chooser, stream, index, part, n));
}

/* M-CHOOSE-ZIPF: chances k^-1.5 / sum over a million, with libm's pow; and
 * picks by them. */
START_TEST(zipf_of_a_million)
{
	enum {
		N = 1000000,
		PICKS = 50000
	};
	struct chooser chooser;
	struct stream stream;
	double sum = 0, chi = 0, first = 0;
	static const uint32_t some[] = {0, 1, 9, 999, 999999};
	double count[4] = {0};

	for (int k = 1; k <= N; k++)
		sum += pow(k, -1.5);
	ck_assert_ptr_null(chooser_init_zipf(&chooser, N, 1.5));
	for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++)
		ck_assert_double_eq_tol(chance_of(&chooser, some[i]),
					pow(some[i] + 1, -1.5) / sum, 0x1p-31);
	stream_init(&stream, harness_seed(12), 0, "to");
	for (uint64_t i = 0; i < PICKS; i++) {
		uint32_t pick = pick_at(&chooser, stream, i, 0, i);

		ck_assert(pick < N);
		count[pick < 3 ? pick : 3]++;
	}
	for (int i = 0; i < 4; i++) {
		double p = i < 3 ? pow(i + 1, -1.5) / sum : 1 - first;

		first += p;
		chi += pow(count[i] - PICKS * p, 2) / (PICKS * p);
	}
	ck_assert_msg(gsl_cdf_chisq_Q(chi, 3) > 4e-8, "chi2 %g", chi);
	chooser_release(&chooser);
}
END_TEST

/* M-CHOOSE-CYCLE */
START_TEST(cycle_and_refusals)
{
	static const double none[] = {0, 0}, less[] = {1, -1};
	struct chooser chooser;
	struct stream stream = {0};

	ck_assert_ptr_null(chooser_init_cycle(&chooser, 3));
	/* Whatever the luck is. */
	for (uint32_t n = 0; n < 7; n++)
		for (uint32_t k = 0; k < 7; k++)
			ck_assert_uint_eq(pick_at(&chooser, stream, k, k, n),
					  n % 3);
	chooser_release(&chooser);
	ck_assert_ptr_nonnull(chooser_init_cycle(&chooser, 0));
	ck_assert_ptr_nonnull(chooser_init_weights(&chooser, none, 2));
	ck_assert_ptr_nonnull(chooser_init_weights(&chooser, less, 2));
	ck_assert_ptr_nonnull(chooser_init_zipf(&chooser, 5, -1));
	ck_assert_ptr_nonnull(chooser_init_zipf(&chooser, 0, 1));
}
END_TEST

Suite *
model_arrival_suite(void)
{
	Suite *suite = suite_create("model/arrival");
	TCase *tcase = tcase_create("arrival");

	tcase_add_test(tcase, even_is_even);
	tcase_add_test(tcase, times_and_bursts_by_hand);
	tcase_add_test(tcase, late_burst_never_goes_back);
	tcase_add_test(tcase, bursts_at_their_limits);
	tcase_add_test(tcase, poisson_counts);
	tcase_add_test(tcase, fast_poisson_keeps_its_rate);
	tcase_add_test(tcase, twice_the_rate_is_half_of_each_time);
	tcase_add_test(tcase, weibull_gaps);
	tcase_add_test(tcase, daily_follows_the_hours);
	tcase_add_test(tcase, daily_is_poisson_in_its_own_time);
	tcase_add_test(tcase, what_no_arrival_can_have);
	tcase_add_test(tcase, alias_table_holds_the_weights);
	tcase_add_test(tcase, all_small_tables);
	tcase_add_test(tcase, zipf_of_a_million);
	tcase_add_test(tcase, cycle_and_refusals);
	suite_add_tcase(suite, tcase);
	return suite;
}
