/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * model/law: every law against GSL's distribution functions and against its
 * closed-form mean; that this would notice a mean wrong by 3 %; the same luck
 * under another parameter; replayed lists; and what no law can have.
 *
 * Bounds: each comparison fails by chance once in 2e7. Kolmogorov's statistic
 * sqrt(n) D exceeds 2.9 with chance 2 exp(-2 * 2.9^2) = 1e-7; a mean or a count
 * is off by 5.5 standard deviations with chance 4e-8 (normal theory; used where
 * the variance is finite and n draws make the sum near normal). The mean is
 * then known to 5.5 / sqrt(n) = 1.2 % of the standard deviation, which is 1.4
 * means at most; 3 % more of it are 9.5 deviations then, and go unnoticed with
 * chance 3e-5.
 */
#include "tests/harness.h"

#include "model/law.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	DRAWS = 200000
};
#define SIGMAS	   5.5
#define KOLMOGOROV 2.9

static double
cdf_uniform(double x)
{
	return gsl_cdf_flat_P(x, 2e5, 6e5);
}

static double
cdf_exponential(double x)
{
	return gsl_cdf_exponential_P(x, 3e6);
}

static double
cdf_lognormal(double x)
{
	return gsl_cdf_lognormal_P(x, log(60e6), 0.44);
}

static double
cdf_gamma(double x)
{
	return gsl_cdf_gamma_P(x, 2.5, 4e5);
}

static double
cdf_gamma_small(double x)
{
	return gsl_cdf_gamma_P(x, 0.5, 2e6);
}

static double
cdf_weibull(double x)
{
	return gsl_cdf_weibull_P(x, 1e6, 0.8);
}

static double
cdf_pareto(double x)
{
	return gsl_cdf_pareto_P(x, 3.5, 1e6);
}

/* A tenth is exactly 1 s; then linear to 2 s (half) and to 10 s (all). */
static double
cdf_empirical(double x)
{
	if (x < 1e6)
		return 0;
	if (x < 2e6)
		return 0.1 + 0.4 * (x - 1e6) / 1e6;
	return fmin(1, 0.5 + 0.5 * (x - 2e6) / 8e6);
}

static double
cdf_mixture(double x)
{
	return 0.7 * gsl_cdf_exponential_P(x, 3e6) +
	       0.3 * gsl_cdf_flat_P(x, 2e5, 6e5);
}

static const struct law_knot knots[] = {{1e6, 0.1}, {2e6, 0.5}, {10e6, 1}};

struct subject {
	const char *name;
	struct law law;
	double (*cdf)(double x);
	double mean; /* closed form, written out by hand */
	double sd;
};

enum {
	SUBJECTS = 9
};

/* The laws under test, with mean and deviation from the textbook formulas:
 * M-LAW-UNIFORM, M-LAW-EXPONENTIAL, M-LAW-LOGNORMAL, M-LAW-GAMMA,
 * M-LAW-WEIBULL, M-LAW-PARETO, M-LAW-EMPIRICAL, M-LAW-MIXTURE. */
static void
make_subjects(struct subject s[SUBJECTS], struct law_part parts[2])
{
	ck_assert_ptr_null(law_uniform(&s[0].law, 2e5, 6e5));
	s[0].name = "uniform", s[0].cdf = cdf_uniform;
	s[0].mean = 4e5, s[0].sd = 4e5 / sqrt(12);
	ck_assert_ptr_null(law_exponential(&s[1].law, 3e6));
	s[1].name = "exponential", s[1].cdf = cdf_exponential;
	s[1].mean = 3e6, s[1].sd = 3e6;
	ck_assert_ptr_null(law_lognormal(&s[2].law, 60e6, 0.44));
	s[2].name = "lognormal", s[2].cdf = cdf_lognormal;
	s[2].mean = 60e6 * exp(0.44 * 0.44 / 2);
	s[2].sd = s[2].mean * sqrt(exp(0.44 * 0.44) - 1);
	ck_assert_ptr_null(law_gamma(&s[3].law, 1e6, 2.5));
	s[3].name = "gamma", s[3].cdf = cdf_gamma;
	s[3].mean = 1e6, s[3].sd = 1e6 / sqrt(2.5);
	ck_assert_ptr_null(law_gamma(&s[4].law, 1e6, 0.5));
	s[4].name = "gamma, small shape", s[4].cdf = cdf_gamma_small;
	s[4].mean = 1e6, s[4].sd = 1e6 / sqrt(0.5);
	ck_assert_ptr_null(law_weibull(&s[5].law, 1e6, 0.8));
	s[5].name = "weibull", s[5].cdf = cdf_weibull;
	s[5].mean = 1e6 * tgamma(2.25);
	s[5].sd = 1e6 * sqrt(tgamma(3.5) - tgamma(2.25) * tgamma(2.25));
	ck_assert_ptr_null(law_pareto(&s[6].law, 1e6, 3.5));
	s[6].name = "pareto", s[6].cdf = cdf_pareto;
	s[6].mean = 1e6 * 3.5 / 2.5;
	s[6].sd = 1e6 * sqrt(3.5 / (2.5 * 2.5 * 1.5));
	ck_assert_ptr_null(law_empirical(&s[7].law, knots, 3));
	s[7].name = "empirical", s[7].cdf = cdf_empirical;
	/* .1*1 + .4*1.5 + .5*6 = 3.7; squares .1 + .4*7/3 + .5*124/3 */
	s[7].mean = 3.7e6;
	s[7].sd = 1e6 * sqrt(0.1 + 2.8 / 3 + 62.0 / 3 - 3.7 * 3.7);
	parts[0] = (struct law_part){0.7, &s[1].law};
	parts[1] = (struct law_part){0.3, &s[0].law};
	ck_assert_ptr_null(law_mixture(&s[8].law, parts, 2));
	s[8].name = "mixture", s[8].cdf = cdf_mixture;
	s[8].mean = 0.7 * 3e6 + 0.3 * 4e5;
	s[8].sd = sqrt(0.7 * 18e12 + 0.3 * (16e10 + 16e10 / 12) -
		       s[8].mean * s[8].mean);
}

static int
compare_numbers(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static double
kolmogorov(const struct subject *s, int64_t *x)
{
	double worst = 0;

	qsort(x, DRAWS, sizeof(*x), compare_numbers);
	for (int i = 0; i < DRAWS; i++) {
		/* Ties (a lump of probability) are one step. */
		double f = s->cdf((double)x[i] + 0.5);

		if (i + 1 < DRAWS && x[i + 1] == x[i])
			continue;
		worst = fmax(worst, fabs((i + 1.0) / DRAWS - f));
	}
	return worst;
}

/* Do draws, each `stretch` times as large, follow the law? If not, `why`. */
static bool
follows(const struct subject *s, uint64_t seed, double stretch, char why[200])
{
	static int64_t x[DRAWS];
	struct stream stream;
	double sum = 0, distance;
	int below = 0, expected = DRAWS / 10 * 9;

	stream_init(&stream, seed, 0, s->name);
	for (uint64_t i = 0; i < DRAWS; i++) {
		struct draw draw = stream_at(stream, i);

		x[i] = llround(stretch *
			       (double)law_draw(&s->law, &draw, i, i));
		sum += (double)x[i];
		below += s->cdf((double)x[i] - 0.5) <= 0.9;
	}
	distance = kolmogorov(s, x);
	snprintf(why, 200,
		 "%s, seed %llu: mean %g, theory %g; %d of %d below the 90%% "
		 "point; Kolmogorov distance %g",
		 s->name, (unsigned long long)seed, sum / DRAWS, s->mean, below,
		 DRAWS, distance);
	return fabs(sum / DRAWS - s->mean) <
		       SIGMAS * s->sd / sqrt(DRAWS) + 0.5 &&
	       abs(below - expected) < SIGMAS * sqrt(DRAWS * 0.09) &&
	       distance * sqrt(DRAWS) < KOLMOGOROV;
}

START_TEST(draws_follow_their_law)
{
	struct subject subjects[SUBJECTS];
	struct law_part parts[2];
	uint64_t seed = harness_seed(1);
	char why[200];

	make_subjects(subjects, parts);
	for (long i = 0; i < harness_scale(); i++)
		for (int k = 0; k < SUBJECTS; k++)
			ck_assert_msg(follows(&subjects[k], seed + (uint64_t)i,
					      1, why),
				      "%s", why);
}
END_TEST

START_TEST(three_percent_would_be_noticed)
{
	struct subject subjects[SUBJECTS];
	struct law_part parts[2];
	uint64_t seed = harness_seed(1);
	char why[200];

	make_subjects(subjects, parts);
	for (int k = 0; k < SUBJECTS; k++) {
		ck_assert_msg(!follows(&subjects[k], seed, 0.97, why), "%s",
			      why);
		ck_assert_msg(!follows(&subjects[k], seed, 1.03, why), "%s",
			      why);
	}
}
END_TEST

/* p99 / median = exp(sigma * 2.3263...): of GSL's distribution function with
 * this median and sigma, the 99 % point is the one asked for. */
START_TEST(lognormal_by_p99)
{
	struct law law;

	ck_assert_ptr_null(law_lognormal_p99(&law, 540e3, 2.2e6));
	ck_assert_double_eq(law.a, 540e3);
	ck_assert_double_eq_tol(gsl_cdf_lognormal_P(2.2e6, log(law.a), law.b),
				0.99, 1e-12);
	ck_assert_ptr_null(law_lognormal_p99(&law, 540e3, 540e3));
	ck_assert(law_least(&law) == 540000 && law_most(&law) == 540000);
}
END_TEST

/* A part that is never drawn has no bounds, and what is replayed has those of
 * its list. */
START_TEST(bounds_of_the_draws)
{
	static const double listed[] = {70, 20.6, 30};
	struct law l[10], nothing;
	const struct law_part parts[] = {
		{0.5, &l[1]}, {0.5, &l[6]}, {0, &nothing}};
	const struct {
		int64_t least, most;
	} bounds[] = {
		{8, 8},		{3, 9},	       {0, LAW_MOST},
		{0, LAW_MOST},	{0, LAW_MOST}, {0, LAW_MOST},
		{50, LAW_MOST}, {3, LAW_MOST}, {1000000, 10000000},
		{21, 70},
	};

	ck_assert_ptr_null(law_constant(&l[0], 7.5));
	ck_assert_ptr_null(law_uniform(&l[1], 3, 9));
	ck_assert_ptr_null(law_exponential(&l[2], 10));
	ck_assert_ptr_null(law_lognormal(&l[3], 10, 1));
	ck_assert_ptr_null(law_gamma(&l[4], 10, 2));
	ck_assert_ptr_null(law_weibull(&l[5], 10, 2));
	ck_assert_ptr_null(law_pareto(&l[6], 50, 2));
	ck_assert_ptr_null(law_constant(&nothing, 0));
	ck_assert_ptr_null(law_mixture(&l[7], parts, 3));
	ck_assert_ptr_null(law_empirical(&l[8], knots, 3));
	ck_assert_ptr_null(
		law_values(&l[9], listed, 3, LAW_BY_DELIVERY, LAW_THEN_LAST));
	for (int i = 0; i < 10; i++) {
		ck_assert_int_eq(law_least(&l[i]), bounds[i].least);
		ck_assert_int_eq(law_most(&l[i]), bounds[i].most);
	}
	ck_assert_ptr_null(law_exponential(&l[2], 0));
	ck_assert_int_eq(law_most(&l[2]), 0);
}
END_TEST

/* The same luck: twice the mean is twice each draw (within rounding). */
START_TEST(parameters_stretch_the_same_luck)
{
	struct law one, two;
	struct stream stream;

	stream_init(&stream, harness_seed(9), 0, "s");
	ck_assert_ptr_null(law_lognormal(&one, 1e6, 0.7));
	ck_assert_ptr_null(law_lognormal(&two, 2e6, 0.7));
	for (uint64_t i = 0; i < 1000; i++) {
		struct draw a = stream_at(stream, i), b = a;
		int64_t x = law_draw(&one, &a, i, 0);
		int64_t y = law_draw(&two, &b, i, 0);

		ck_assert(llabs(y - 2 * x) <= 1);
	}
}
END_TEST

/* M-LAW-VALUES */
START_TEST(values_are_replayed)
{
	static const double list[] = {5, 7.6, 9};
	struct law law;
	struct draw draw = {0};

	ck_assert_ptr_null(
		law_values(&law, list, 3, LAW_BY_MESSAGE, LAW_THEN_CYCLE));
	ck_assert_int_eq(law_draw(&law, &draw, 0, 1), 5);
	ck_assert_int_eq(law_draw(&law, &draw, 1, 0), 8);
	ck_assert_int_eq(law_draw(&law, &draw, 5, 0), 9);
	ck_assert_ptr_null(
		law_values(&law, list, 3, LAW_BY_DELIVERY, LAW_THEN_LAST));
	ck_assert_int_eq(law_draw(&law, &draw, 9, 0), 5);
	ck_assert_int_eq(law_draw(&law, &draw, 0, 3), 9);
	/* No chance, nothing taken. */
	ck_assert(draw.block == 0 && draw.left == 0);
}
END_TEST

/* M-LAW-CONSTANT rounds half up; other laws keep their bounds. */
START_TEST(draws_are_integers_within_bounds)
{
	struct law law;
	struct stream stream;
	bool seen[4] = {false};

	stream_init(&stream, 1, 0, "b");
	ck_assert_ptr_null(law_constant(&law, 2.5));
	ck_assert_int_eq(law_draw(&law, &(struct draw){0}, 0, 0), 3);
	/* So heavy a tail goes beyond every bound: 1e6 U^(-100). */
	ck_assert_ptr_null(law_pareto(&law, 1e6, 0.01));
	for (uint64_t i = 0; i < 1000; i++) {
		struct draw draw = stream_at(stream, i);
		int64_t x = law_draw(&law, &draw, 0, 0);

		ck_assert(x >= 1000000 && x <= LAW_MOST);
	}
	ck_assert_ptr_null(law_uniform(&law, 1, 3));
	for (uint64_t i = 0; i < 200; i++) {
		struct draw draw = stream_at(stream, i);
		int64_t x = law_draw(&law, &draw, 0, 0);

		ck_assert(x >= 1 && x <= 3);
		seen[x] = true;
	}
	ck_assert(seen[1] && seen[2] && seen[3]);
}
END_TEST

static void
refused(const char *error, const char *word)
{
	ck_assert_ptr_nonnull(error);
	ck_assert_msg(strstr(error, word), "'%s' lacks '%s'", error, word);
}

START_TEST(what_no_law_can_have)
{
	static const struct law_knot back[] = {{2, 0.5}, {1, 1}};
	static const struct law_knot open_end[] = {{1, 0.5}, {2, 0.9}};
	static const double list[] = {1, -1};
	struct law law, one;
	struct law_part parts[2] = {{0.6, &one}, {0.6, &one}};

	ck_assert_ptr_null(law_constant(&one, 1));
	refused(law_constant(&law, -1), "negative");
	refused(law_constant(&law, (double)NAN), "negative");
	refused(law_constant(&law, 1e18), "too large");
	refused(law_uniform(&law, 5, 4), "above");
	refused(law_exponential(&law, -2), "negative");
	refused(law_lognormal(&law, 0, 1), "median");
	refused(law_lognormal(&law, 1, -1), "sigma");
	refused(law_lognormal_p99(&law, 5, 4), "p99 is below the median");
	refused(law_gamma(&law, 1, 0), "shape");
	refused(law_weibull(&law, 1, -1), "shape");
	refused(law_weibull(&law, 0, 1), "more than 0");
	refused(law_pareto(&law, 1, 0), "shape");
	refused(law_mixture(&law, parts, 2), "sum to 1");
	parts[0].share = 1.2;
	refused(law_mixture(&law, parts, 2), "outside 0..1");
	refused(law_mixture(&law, parts, 0), "at least one");
	refused(law_empirical(&law, back, 2), "ascend");
	refused(law_empirical(&law, open_end, 2), "last share");
	refused(law_values(&law, list, 2, LAW_BY_MESSAGE, LAW_THEN_LAST),
		"negative");
	refused(law_values(&law, list, 0, LAW_BY_MESSAGE, LAW_THEN_LAST),
		"empty");
}
END_TEST

Suite *
model_law_suite(void)
{
	Suite *suite = suite_create("model/law");
	TCase *tcase = tcase_create("law");

	tcase_add_test(tcase, draws_follow_their_law);
	tcase_add_test(tcase, three_percent_would_be_noticed);
	tcase_add_test(tcase, lognormal_by_p99);
	tcase_add_test(tcase, bounds_of_the_draws);
	tcase_add_test(tcase, parameters_stretch_the_same_luck);
	tcase_add_test(tcase, values_are_replayed);
	tcase_add_test(tcase, draws_are_integers_within_bounds);
	tcase_add_test(tcase, what_no_law_can_have);
	suite_add_tcase(suite, tcase);
	return suite;
}
