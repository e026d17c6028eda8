/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What theory says of a law: mean, variance, distribution function, quantiles,
 * bounds. For tests, documents and reports; no draw comes here, so GSL and
 * libm may be used freely. The formulas are in docs/models.md.
 *
 * All but least and most speak of the value before rounding and clamping.
 */
#include "model/law.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sf_gamma.h>
#include <math.h>

/* E[X^n], n = 1 or 2, of one linear piece of an empirical law. */
static double
piece_moment(const struct law_knot *from, const struct law_knot *to, int n)
{
	double a = from->value, b = to->value;
	double moment = n == 1 ? (a + b) / 2 : (a * a + a * b + b * b) / 3;

	return (to->share - from->share) * moment;
}

static double
empirical_moment(const struct law *law, int n)
{
	const struct law_knot *knots = law->list.knots;
	double sum = knots[0].share * pow(knots[0].value, n);

	for (size_t i = 1; i < law->count; i++)
		sum += piece_moment(&knots[i - 1], &knots[i], n);
	return sum;
}

static double
values_moment(const struct law *law, int n)
{
	double sum = 0;

	/* In the long run only the last counts, unless the list repeats. */
	if (law->then == LAW_THEN_LAST)
		return pow(law->list.values[law->count - 1], n);
	for (size_t i = 0; i < law->count; i++)
		sum += pow(law->list.values[i], n);
	return sum / (double)law->count;
}

static double
pareto_moment(double least, double shape, int n)
{
	return shape > n ? shape * pow(least, n) / (shape - n)
			 : (double)INFINITY;
}

static double
mixture_moment(const struct law *law, int n)
{
	double sum = 0, shares = 0;

	for (size_t i = 0; i < law->count; i++) {
		const struct law_part *part = &law->list.parts[i];
		/* The last part takes what rounding of the shares left. */
		double share = i + 1 < law->count ? part->share : 1 - shares;
		double mean = law_mean(part->law);

		shares += share;
		sum += share *
		       (n == 1 ? mean : law_variance(part->law) + mean * mean);
	}
	return sum;
}

/* E[X^n] for n = 1 or 2. */
static double
moment(const struct law *law, int n)
{
	double a = law->a, b = law->b, count;

	switch (law->kind) {
	case LAW_CONSTANT:
		return pow(a, n);
	case LAW_UNIFORM:
		count = b - a + 1;
		return n == 1 ? (a + b) / 2
			      : (count * count - 1) / 12 +
					(a + b) * (a + b) / 4;
	case LAW_EXPONENTIAL:
		return n == 1 ? a : 2 * a * a;
	case LAW_LOGNORMAL:
		return pow(a, n) * exp(n * n * b * b / 2);
	case LAW_GAMMA:
		return n == 1 ? a * b : a * a * b * (b + 1);
	case LAW_WEIBULL:
		return pow(a, n) * gsl_sf_gamma(1 + n / b);
	case LAW_PARETO:
		return pareto_moment(a, b, n);
	case LAW_MIXTURE:
		return mixture_moment(law, n);
	case LAW_EMPIRICAL:
		return empirical_moment(law, n);
	case LAW_VALUES:
		return values_moment(law, n);
	}
	return 0;
}

double
law_mean(const struct law *law)
{
	return moment(law, 1);
}

double
law_variance(const struct law *law)
{
	double mean = moment(law, 1);
	double square = moment(law, 2);

	if (!isfinite(square))
		return (double)INFINITY;
	return fmax(0, square - mean * mean);
}

static double
empirical_cdf(const struct law *law, double x)
{
	const struct law_knot *knots = law->list.knots;
	size_t i = law->count - 1;

	if (x < knots[0].value)
		return 0;
	while (knots[i].value > x)
		i--;
	if (i + 1 == law->count)
		return 1;
	return knots[i].share + (knots[i + 1].share - knots[i].share) *
					(x - knots[i].value) /
					(knots[i + 1].value - knots[i].value);
}

static double
values_cdf(const struct law *law, double x)
{
	size_t below = 0;

	if (law->then == LAW_THEN_LAST)
		return x >= law->list.values[law->count - 1];
	for (size_t i = 0; i < law->count; i++)
		below += law->list.values[i] <= x;
	return (double)below / (double)law->count;
}

static double
mixture_cdf(const struct law *law, double x)
{
	double sum = 0, shares = 0;

	for (size_t i = 0; i < law->count; i++) {
		const struct law_part *part = &law->list.parts[i];
		double share = i + 1 < law->count ? part->share : 1 - shares;

		shares += share;
		sum += share * law_cdf(part->law, x);
	}
	return sum;
}

double
law_cdf(const struct law *law, double x)
{
	double a = law->a, b = law->b;

	if (x < 0)
		return 0;
	switch (law->kind) {
	case LAW_CONSTANT:
		return x >= a;
	case LAW_UNIFORM:
		return fmin(1, fmax(0, (floor(x) - a + 1) / (b - a + 1)));
	case LAW_EXPONENTIAL:
		return a > 0 ? gsl_cdf_exponential_P(x, a) : 1;
	case LAW_LOGNORMAL:
		return b > 0 ? gsl_cdf_lognormal_P(x, log(a), b) : x >= a;
	case LAW_GAMMA:
		return gsl_cdf_gamma_P(x, b, a);
	case LAW_WEIBULL:
		return gsl_cdf_weibull_P(x, a, b);
	case LAW_PARETO:
		return gsl_cdf_pareto_P(x, b, a);
	case LAW_MIXTURE:
		return mixture_cdf(law, x);
	case LAW_EMPIRICAL:
		return empirical_cdf(law, x);
	case LAW_VALUES:
		return values_cdf(law, x);
	}
	return 0;
}

/* The least x with cdf(x) >= share, by halving an interval. */
static double
quantile_by_halving(const struct law *law, double share)
{
	double low = -1, high = 1;

	while (law_cdf(law, high) < share && high < (double)LAW_MOST)
		high *= 2;
	for (int i = 0; i < 200; i++) {
		double middle = low + (high - low) / 2;

		if (law_cdf(law, middle) >= share)
			high = middle;
		else
			low = middle;
	}
	return high;
}

double
law_quantile(const struct law *law, double share)
{
	double a = law->a, b = law->b;

	switch (law->kind) {
	case LAW_CONSTANT:
		return a;
	case LAW_UNIFORM:
		return a + fmax(0, ceil(share * (b - a + 1)) - 1);
	case LAW_EXPONENTIAL:
		return gsl_cdf_exponential_Pinv(share, a);
	case LAW_LOGNORMAL:
		return a * exp(b * gsl_cdf_ugaussian_Pinv(share));
	case LAW_GAMMA:
		return gsl_cdf_gamma_Pinv(share, b, a);
	case LAW_WEIBULL:
		return gsl_cdf_weibull_Pinv(share, a, b);
	case LAW_PARETO:
		return gsl_cdf_pareto_Pinv(share, b, a);
	case LAW_MIXTURE:
	case LAW_EMPIRICAL:
	case LAW_VALUES:
		return quantile_by_halving(law, share);
	}
	return 0;
}

static int64_t
bound(double x)
{
	return x >= (double)LAW_MOST ? LAW_MOST : (int64_t)floor(x + 0.5);
}

/* The least (sign 1) or the greatest (sign -1) over a law's list. */
static int64_t
list_bound(const struct law *law, int sign)
{
	int64_t best = sign > 0 ? LAW_MOST : 0;

	for (size_t i = 0; i < law->count; i++) {
		int64_t x = 0;

		if (law->kind == LAW_VALUES)
			x = bound(law->list.values[i]);
		else if (law->list.parts[i].share <= 0)
			continue;
		else if (sign > 0)
			x = law_least(law->list.parts[i].law);
		else
			x = law_most(law->list.parts[i].law);
		if ((x - best) * sign < 0)
			best = x;
	}
	return best;
}

int64_t
law_least(const struct law *law)
{
	switch (law->kind) {
	case LAW_CONSTANT:
	case LAW_UNIFORM:
	case LAW_PARETO:
		return bound(law->a);
	case LAW_EXPONENTIAL:
	case LAW_GAMMA:
	case LAW_WEIBULL:
		return 0;
	case LAW_LOGNORMAL:
		return law->b > 0 ? 0 : bound(law->a);
	case LAW_EMPIRICAL:
		return bound(law->list.knots[0].value);
	case LAW_MIXTURE:
	case LAW_VALUES:
		return list_bound(law, 1);
	}
	return 0;
}

int64_t
law_most(const struct law *law)
{
	switch (law->kind) {
	case LAW_CONSTANT:
		return bound(law->a);
	case LAW_UNIFORM:
		return bound(law->b);
	case LAW_EXPONENTIAL:
		return law->a > 0 ? LAW_MOST : 0;
	case LAW_LOGNORMAL:
		return law->b > 0 ? LAW_MOST : bound(law->a);
	case LAW_GAMMA:
	case LAW_WEIBULL:
	case LAW_PARETO:
		return LAW_MOST;
	case LAW_EMPIRICAL:
		return bound(law->list.knots[law->count - 1].value);
	case LAW_MIXTURE:
	case LAW_VALUES:
		return list_bound(law, -1);
	}
	return 0;
}
