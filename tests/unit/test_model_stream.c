/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * model/stream and model/real: the generator against its published vectors, a
 * draw depends on key, index, part and place and on nothing else, uniformity,
 * and elementary functions against libm.
 *
 * Statistical bounds: 5.5 standard deviations of the normal approximation, a
 * chance of 4e-8 for each comparison, so that a thousand seeds still pass.
 */
#include "tests/harness.h"

#include "model/philox.h"
#include "model/real.h"
#include "model/stream.h"

#include <Random123/philox.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <math.h>

#define SIGMAS 5.5

/* Published known answers of philox4x32-10 (Salmon, Moraes, Dror, Shaw,
 * "Parallel random numbers: as easy as 1, 2, 3", test vectors of Random123):
 * counter and key all zero bits, all one bits, and the digits of pi. */
START_TEST(philox_gives_its_published_answers)
{
	struct draw zero = stream_at((struct stream){.key = 0}, 0);
	struct draw ones = {.key = UINT64_MAX,
			    .index = UINT64_MAX,
			    .part = UINT32_MAX,
			    .block = UINT32_MAX};
	struct draw pi = {.key = UINT64_C(0x299f31d0a4093822),
			  .index = UINT64_C(0x0370734413198a2e),
			  .part = 0x85a308d3,
			  .block = 0x243f6a88};

	ck_assert(draw_bits(&zero) == UINT64_C(0xe169c58d6627e8d5));
	ck_assert(draw_bits(&zero) == UINT64_C(0x9b00dbd8bc57ac4c));
	ck_assert(draw_bits(&ones) == UINT64_C(0x41c83b0e408f276d));
	ck_assert(draw_bits(&ones) == UINT64_C(0x6d5451fda20bc7c6));
	ck_assert(draw_bits(&pi) == UINT64_C(0x94fdccebd16cfe09));
	ck_assert(draw_bits(&pi) == UINT64_C(0x24126ea15001e420));
}
END_TEST

/* Random123's own function, on counters and keys that are of no pattern. */
START_TEST(philox_is_that_of_random123)
{
	struct philox_block x = {1, 2};

	for (uint64_t key = 1; key < 1000; key += 7) {
		philox4x32_ctr_t c = {{(uint32_t)x.low, (uint32_t)(x.low >> 32),
				       (uint32_t)x.high,
				       (uint32_t)(x.high >> 32)}};
		philox4x32_key_t k = {{(uint32_t)(key * x.low),
				       (uint32_t)(key * x.low >> 32)}};

		x = philox(x, key * x.low);
		c = philox4x32(c, k);
		ck_assert(x.low == ((uint64_t)c.v[1] << 32 | c.v[0]));
		ck_assert(x.high == ((uint64_t)c.v[3] << 32 | c.v[2]));
	}
}
END_TEST

/* M-STREAM */
START_TEST(draws_do_not_depend_on_other_draws)
{
	struct stream stream, again;
	struct draw first, second;
	uint64_t bits[4];

	stream_init(&stream, 42, 0, "receiver/a.example");
	first = stream_at(stream, 7);
	for (int i = 0; i < 4; i++)
		bits[i] = draw_bits(&first);

	/* Another stream, another index and another part in between. */
	stream_init(&again, 42, 0, "receiver/a.example");
	second = stream_at(again, 7);
	for (int i = 0; i < 4; i++) {
		struct draw other = stream_at(again, 8);
		struct draw part = stream_at_part(again, 7, 1);

		ck_assert(draw_bits(&other) != bits[0]);
		ck_assert(draw_bits(&part) != bits[0]);
		ck_assert(draw_bits(&second) == bits[i]);
	}
	/* A place can be gone to: block 1 holds the third and fourth. */
	draw_seek(&second, 1);
	ck_assert(draw_bits(&second) == bits[2]);
	ck_assert(draw_bits(&second) == bits[3]);
}
END_TEST

START_TEST(seed_replication_and_name_all_count)
{
	struct stream a, b;

	stream_init(&a, 1, 0, "x");
	stream_init(&b, 2, 0, "x");
	ck_assert(a.key != b.key);
	stream_init(&b, 1, 1, "x");
	ck_assert(a.key != b.key);
	stream_init(&b, 1, 0, "y");
	ck_assert(a.key != b.key);
	stream_init(&b, 1, 0, "x");
	ck_assert(a.key == b.key);
	ck_assert(stream_child(a, "1").key != stream_child(a, "2").key);
	ck_assert(stream_child(a, "1").key == stream_child(b, "1").key);
}
END_TEST

/* Mean and variance of n uniforms: 1/2 and 1/12 / n. */
START_TEST(uniforms_are_uniform)
{
	enum {
		DRAWS = 100000,
		CELLS = 7
	};
	long cell[CELLS] = {0};
	uint64_t seed = harness_seed(11);
	double sum = 0, chi = 0;
	struct stream stream;

	stream_init(&stream, seed, 0, "u");
	for (uint64_t i = 0; i < DRAWS; i++) {
		struct draw draw = stream_at(stream, i);
		double u = draw_unit(&draw);

		ck_assert(u >= 0 && u < 1);
		sum += u;
		cell[draw_below(&draw, CELLS)]++;
	}
	ck_assert_msg(fabs(sum / DRAWS - 0.5) < SIGMAS / sqrt(12.0 * DRAWS),
		      "mean %g", sum / DRAWS);
	for (int i = 0; i < CELLS; i++) {
		double excess = (double)cell[i] - (double)DRAWS / CELLS;

		chi += excess * excess / ((double)DRAWS / CELLS);
	}
	ck_assert_msg(gsl_cdf_chisq_Q(chi, CELLS - 1) > 4e-8, "chi2 %g", chi);
}
END_TEST

START_TEST(bounded_integers_keep_their_bound)
{
	struct stream stream;
	struct draw draw;

	stream_init(&stream, 3, 0, "below");
	draw = stream_at(stream, 0);
	ck_assert(draw_below(&draw, 1) == 0);
	for (int i = 0; i < 1000; i++) {
		/* A bound just above 2^63 rejects nearly half of all words. */
		uint64_t bound = (UINT64_C(1) << 63) + 1;

		ck_assert(draw_below(&draw, bound) < bound);
	}
	ck_assert(!draw_chance(&draw, 0));
	ck_assert(draw_chance(&draw, 1));
}
END_TEST

static void
close_to(double ours, double theirs, double relative, double at)
{
	/* An assertion that holds is not free: a million of them. */
	if (!(fabs(ours - theirs) <= relative * fabs(theirs)))
		ck_abort_msg("at %.17g: %.17g, libm or GSL %.17g", at, ours,
			     theirs);
}

/* M-REAL: libm is good to one unit in the last place, 2.2e-16; the header
 * promises 1e-15. A power carries the error of its logarithm times the
 * exponent. */
START_TEST(elementary_functions_agree_with_libm)
{
	uint64_t state = harness_seed(5);

	for (int i = 0; i < 50000; i++) {
		double u =
			((double)(harness_draw(&state) >> 11) + 0.5) * 0x1p-53;
		double wide =
			ldexp(1 + u, (int)(harness_draw(&state) % 2000) - 1000);
		double x = (u - 0.5) * 1400;

		close_to(real_log(wide), log(wide), 1e-15, wide);
		close_to(real_log(1 + u / 1024), log(1 + u / 1024), 1e-15, u);
		close_to(real_exp(x), exp(x), 1e-15, x);
		close_to(real_power(1e6 * u, 0.7), pow(1e6 * u, 0.7), 1e-14, u);
	}
	ck_assert(real_log(1) == 0);
	ck_assert(real_exp(0) == 1);
	ck_assert(real_exp(-1000) == 0);
	ck_assert(isinf(real_exp(1000)));
}
END_TEST

/* GSL's quantile of the normal law, and its symmetry about 1/2. */
START_TEST(normal_quantile_agrees_with_gsl)
{
	for (int i = 1; i < 10000; i++) {
		double p = i / 10000.0;

		if (i == 5000)
			continue;
		close_to(real_normal_quantile(p), gsl_cdf_ugaussian_Pinv(p),
			 1e-13, p);
	}
	for (int e = 5; e < 300; e += 5) {
		double p = pow(10, -e);

		close_to(real_normal_quantile(p), gsl_cdf_ugaussian_Pinv(p),
			 1e-13, p);
	}
	ck_assert(real_normal_quantile(0.5) == 0);
	/* Tables: the 97.5 % point is 1.959963984540054. */
	close_to(real_normal_quantile(0.975), 1.959963984540054, 1e-14, 0.975);
}
END_TEST

/* M-EXPONENTIAL: the table's equations, and the law far out, where the table
 * ends: shares e^-x beyond x. */
START_TEST(ziggurat_holds_its_equations)
{
	enum {
		DRAWS = 1000000,
		POINTS = 5
	};
	static const double points[POINTS] = {0.01, 1, 7, 7.7, 9};
	double r = draw_exponential_layer(1), beyond[POINTS] = {0};
	double area = (r + 1) * exp(-r); /* layer 0: rectangle and tail */
	struct stream stream;

	close_to(draw_exponential_layer(0), area * exp(r), 1e-12, 0);
	for (unsigned i = 1; i < 256; i++) {
		double x = draw_exponential_layer(i);

		close_to(x * (exp(-draw_exponential_layer(i + 1)) - exp(-x)),
			 area, 1e-11, x);
	}
	ck_assert(draw_exponential_layer(256) == 0);
	stream_init(&stream, harness_seed(21), 0, "e");
	for (uint64_t i = 0; i < DRAWS; i++) {
		struct draw draw = stream_at(stream, i);
		double x = draw_exponential(&draw);

		for (int k = 0; k < POINTS; k++)
			beyond[k] += x > points[k];
	}
	for (int k = 0; k < POINTS; k++) {
		double p = exp(-points[k]);

		ck_assert_double_eq_tol(beyond[k], DRAWS * p,
					SIGMAS * sqrt(DRAWS * p * (1 - p)));
	}
}
END_TEST

/* GSL's distributions draw from a cursor, and twice the same. */
START_TEST(gsl_draws_from_a_cursor)
{
	enum {
		DRAWS = 20000
	};
	gsl_rng *rng = gsl_rng_alloc(stream_gsl_type());
	struct stream stream;
	struct draw draw;
	double sum = 0, first;

	stream_init(&stream, harness_seed(17), 0, "gsl");
	draw = stream_at(stream, 0);
	stream_gsl_seek(rng, &draw);
	first = gsl_ran_gamma(rng, 2.5, 1);
	sum = first;
	for (int i = 1; i < DRAWS; i++)
		sum += gsl_ran_gamma(rng, 2.5, 1);
	/* gamma(2.5): mean 2.5, variance 2.5 */
	ck_assert_msg(fabs(sum / DRAWS - 2.5) < SIGMAS * sqrt(2.5 / DRAWS),
		      "mean %g", sum / DRAWS);
	stream_gsl_seek(rng, &draw);
	ck_assert(gsl_ran_gamma(rng, 2.5, 1) == first);
	gsl_rng_free(rng);
}
END_TEST

Suite *
model_stream_suite(void)
{
	Suite *suite = suite_create("model/stream");
	TCase *tcase = tcase_create("stream");

	model_init();
	tcase_add_test(tcase, philox_gives_its_published_answers);
	tcase_add_test(tcase, philox_is_that_of_random123);
	tcase_add_test(tcase, draws_do_not_depend_on_other_draws);
	tcase_add_test(tcase, seed_replication_and_name_all_count);
	tcase_add_test(tcase, uniforms_are_uniform);
	tcase_add_test(tcase, bounded_integers_keep_their_bound);
	tcase_add_test(tcase, elementary_functions_agree_with_libm);
	tcase_add_test(tcase, normal_quantile_agrees_with_gsl);
	tcase_add_test(tcase, ziggurat_holds_its_equations);
	tcase_add_test(tcase, gsl_draws_from_a_cursor);
	suite_add_tcase(suite, tcase);
	return suite;
}
