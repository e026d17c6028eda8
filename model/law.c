/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Laws of chance as plain data: builders, draws and their bounds.
 *
 * Draws are by inversion of one uniform number where a closed form exists, so
 * that a larger median or mean stretches the same luck; gamma rejects. Nothing
 * on the way of a draw calls libm or GSL (real.h).
 *
 * Parameters, in a and b:
 *	constant    value             weibull   scale, shape
 *	uniform     least, most       pareto    least, shape
 *	exponential mean              gamma     scale, shape
 *	lognormal   median, sigma
 */
#include "model/law.h"

#include "model/real.h"

#include <math.h>

static const char negative[] = "cannot be negative";
static const char not_positive[] = "must be more than 0";
static const char too_large[] = "is more than 1e15, too large for a draw";

/* What a parameter that is a result cannot be. NaN is refused as negative. */
static const char *
check_value(double x)
{
	if (!(x >= 0))
		return negative;
	return x > (double)LAW_MOST ? too_large : NULL;
}

static const char *
check_positive(double x)
{
	if (!(x > 0))
		return not_positive;
	return x > (double)LAW_MOST ? too_large : NULL;
}

/* Rounded to the nearest, halves up, clamped; x is not NaN. */
static int64_t
to_integer(double x)
{
	if (x <= 0)
		return 0;
	if (x >= (double)LAW_MOST)
		return LAW_MOST;
	return (int64_t)(x + 0.5);
}

const char *
law_constant(struct law *law, double value)
{
	const char *error = check_value(value);

	*law = (struct law){.kind = LAW_CONSTANT, .a = value};
	if (!error)
		law->constant = to_integer(value);
	return error;
}

const char *
law_uniform(struct law *law, double least, double most)
{
	const char *error = check_value(least);

	*law = (struct law){.kind = LAW_UNIFORM,
			    .a = floor(least + 0.5),
			    .b = floor(most + 0.5)};
	if (error)
		return error;
	if (!(least <= most))
		return "the least of uniform is above the most";
	return check_value(most);
}

const char *
law_exponential(struct law *law, double mean)
{
	*law = (struct law){.kind = LAW_EXPONENTIAL, .a = mean};
	return check_value(mean);
}

const char *
law_lognormal(struct law *law, double median, double sigma)
{
	*law = (struct law){.kind = LAW_LOGNORMAL, .a = median, .b = sigma};
	if (!(median > 0))
		return "the median must be more than 0";
	if (!(sigma >= 0))
		return "sigma cannot be negative";
	if (sigma > 10)
		return "sigma is above 10; it is the deviation of the natural "
		       "logarithm";
	return check_value(median);
}

const char *
law_lognormal_p99(struct law *law, double median, double p99)
{
	double sigma = 0;

	if (median > 0 && !(p99 >= median))
		return "p99 is below the median";
	if (median > 0 && p99 <= (double)LAW_MOST)
		sigma = real_log(p99 / median) / real_normal_quantile(0.99);
	return law_lognormal(law, median, sigma > 0 ? sigma : 0);
}

const char *
law_gamma(struct law *law, double mean, double shape)
{
	*law = (struct law){.kind = LAW_GAMMA, .a = mean / shape, .b = shape};
	if (!(shape > 0))
		return "the shape must be more than 0";
	return check_positive(mean);
}

const char *
law_weibull(struct law *law, double scale, double shape)
{
	*law = (struct law){.kind = LAW_WEIBULL, .a = scale, .b = shape};
	if (!(shape > 0))
		return "the shape must be more than 0";
	return check_positive(scale);
}

const char *
law_pareto(struct law *law, double least, double shape)
{
	*law = (struct law){.kind = LAW_PARETO, .a = least, .b = shape};
	if (!(shape > 0))
		return "the shape must be more than 0";
	return check_positive(least);
}

const char *
law_mixture(struct law *law, const struct law_part *parts, size_t count)
{
	double sum = 0;

	*law = (struct law){
		.kind = LAW_MIXTURE, .list.parts = parts, .count = count};
	if (count == 0)
		return "a mixture needs at least one part";
	for (size_t i = 0; i < count; i++) {
		if (!(parts[i].share >= 0 && parts[i].share <= 1))
			return "a share lies outside 0..1";
		sum += parts[i].share;
	}
	/* Shares are written with a few digits: 33.3% three times is meant. */
	if (fabs(sum - 1) > 0.005)
		return "the shares of a mixture must sum to 1";
	return NULL;
}

const char *
law_empirical(struct law *law, const struct law_knot *knots, size_t count)
{
	*law = (struct law){
		.kind = LAW_EMPIRICAL, .list.knots = knots, .count = count};
	if (count == 0)
		return "an empirical law needs at least one knot";
	for (size_t i = 0; i < count; i++) {
		const char *error = check_value(knots[i].value);

		if (error)
			return error;
		if (!(knots[i].share >= 0 && knots[i].share <= 1))
			return "a share lies outside 0..1";
		if (i > 0 && !(knots[i].value >= knots[i - 1].value))
			return "the values of an empirical law must ascend";
		if (i > 0 && !(knots[i].share >= knots[i - 1].share))
			return "the shares of an empirical law must ascend";
	}
	if (fabs(knots[count - 1].share - 1) > 1e-9)
		return "the last share of an empirical law must be 1";
	return NULL;
}

const char *
law_values(struct law *law, const double *values, size_t count, enum law_by by,
	   enum law_then then)
{
	*law = (struct law){.kind = LAW_VALUES,
			    .list.values = values,
			    .count = count,
			    .by = by,
			    .then = then};
	if (count == 0)
		return "the list of values is empty";
	for (size_t i = 0; i < count; i++) {
		const char *error = check_value(values[i]);

		if (error)
			return error;
	}
	return NULL;
}

/* The part of a mixture that a share 0..1 falls into. */
static const struct law_part *
pick_part(const struct law *law, double share)
{
	const struct law_part *parts = law->list.parts;
	size_t i = 0;

	while (i + 1 < law->count && share >= parts[i].share)
		share -= parts[i++].share;
	return &parts[i];
}

static double
empirical_at(const struct law *law, double share)
{
	const struct law_knot *knots = law->list.knots;
	size_t low = 0, high = law->count - 1;
	double width;

	if (share <= knots[0].share)
		return knots[0].value;
	/* knots[low].share < share <= knots[high].share */
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (knots[middle].share < share)
			low = middle;
		else
			high = middle;
	}
	if (share >= knots[high].share)
		return knots[high].value;
	width = knots[high].share - knots[low].share;
	return knots[low].value + (knots[high].value - knots[low].value) *
					  ((share - knots[low].share) / width);
}

static double
value_at(const struct law *law, uint64_t n)
{
	if (n < law->count)
		return law->list.values[n];
	if (law->then == LAW_THEN_CYCLE)
		return law->list.values[n % law->count];
	return law->list.values[law->count - 1];
}

int64_t
law_draw(const struct law *law, struct draw *draw, uint64_t message,
	 uint64_t delivery)
{
	const struct law_part *part;
	double x = 0;

	switch (law->kind) {
	case LAW_CONSTANT:
		return law->constant;
	case LAW_UNIFORM:
		return (int64_t)law->a +
		       (int64_t)draw_below(draw,
					   (uint64_t)(law->b - law->a) + 1);
	case LAW_EXPONENTIAL:
		x = law->a * draw_exponential(draw);
		break;
	case LAW_LOGNORMAL:
		x = law->a * real_exp(law->b * draw_normal(draw));
		break;
	case LAW_GAMMA:
		x = law->a * draw_gamma(draw, law->b);
		break;
	case LAW_WEIBULL:
		x = law->a * real_power(draw_exponential(draw), 1 / law->b);
		break;
	case LAW_PARETO:
		x = law->a * real_exp(draw_exponential(draw) / law->b);
		break;
	case LAW_MIXTURE:
		part = pick_part(law, draw_unit(draw));
		return law_draw(part->law, draw, message, delivery);
	case LAW_EMPIRICAL:
		x = empirical_at(law, draw_open(draw));
		break;
	case LAW_VALUES:
		x = value_at(law,
			     law->by == LAW_BY_MESSAGE ? message : delivery);
		break;
	}
	return to_integer(x);
}

int64_t
law_draw_first(const struct law *law, struct stream stream, uint64_t index,
	       uint32_t part, uint64_t message, uint64_t delivery)
{
	struct draw draw = stream_at_part(stream, index, part);

	return law_draw(law, &draw, message, delivery);
}

/* The least (sign 1) or the greatest (sign -1) over a law's list. */
static int64_t
list_bound(const struct law *law, int sign)
{
	int64_t best = sign > 0 ? LAW_MOST : 0;

	for (size_t i = 0; i < law->count; i++) {
		int64_t x = 0;

		if (law->kind == LAW_VALUES)
			x = to_integer(law->list.values[i]);
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
		return to_integer(law->a);
	case LAW_EXPONENTIAL:
	case LAW_GAMMA:
	case LAW_WEIBULL:
		return 0;
	case LAW_LOGNORMAL:
		return law->b > 0 ? 0 : to_integer(law->a);
	case LAW_EMPIRICAL:
		return to_integer(law->list.knots[0].value);
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
		return to_integer(law->a);
	case LAW_UNIFORM:
		return to_integer(law->b);
	case LAW_EXPONENTIAL:
		return law->a > 0 ? LAW_MOST : 0;
	case LAW_LOGNORMAL:
		return law->b > 0 ? LAW_MOST : to_integer(law->a);
	case LAW_GAMMA:
	case LAW_WEIBULL:
	case LAW_PARETO:
		return LAW_MOST;
	case LAW_EMPIRICAL:
		return to_integer(law->list.knots[law->count - 1].value);
	case LAW_MIXTURE:
	case LAW_VALUES:
		return list_bound(law, -1);
	}
	return 0;
}

const char *
law_kind_name(enum law_kind kind)
{
	static const char *const names[] = {
		[LAW_CONSTANT] = "constant",
		[LAW_UNIFORM] = "uniform",
		[LAW_EXPONENTIAL] = "exponential",
		[LAW_LOGNORMAL] = "lognormal",
		[LAW_GAMMA] = "gamma",
		[LAW_WEIBULL] = "weibull",
		[LAW_PARETO] = "pareto",
		[LAW_MIXTURE] = "mixture",
		[LAW_EMPIRICAL] = "empirical",
		[LAW_VALUES] = "values",
	};

	return names[kind];
}
