/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Laws of chance: what a scenario writes wherever a time, a size or a number
 * may be drawn (docs/models.md). A law is plain data: once built it
 * never changes, so one law serves any number of owners.
 *
 * Builders take numbers in the unit of the result (microseconds, bytes, plain
 * count), fill the caller's struct and return NULL, or a static text that says
 * why no law has these numbers; then the struct is unusable. Arrays given to a
 * builder are borrowed and must outlive the law; nothing here allocates.
 *
 * A draw is an integer: rounded to the nearest, clamped to 0..LAW_MOST. No bit
 * of it depends on the C library (real.h).
 */
#ifndef MODEL_LAW_H
#define MODEL_LAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/stream.h"

#define LAW_MOST INT64_C(1000000000000000) /* 1e15: 30 years in us */

/* 1 ms: what repeats, as bursts and outages do, comes no faster, so that a long
 * time can be passed over. */
#define LAW_GAP_LEAST INT64_C(1000)

enum law_kind {
	LAW_CONSTANT,	 /* M-LAW-CONSTANT */
	LAW_UNIFORM,	 /* M-LAW-UNIFORM */
	LAW_EXPONENTIAL, /* M-LAW-EXPONENTIAL */
	LAW_LOGNORMAL,	 /* M-LAW-LOGNORMAL */
	LAW_GAMMA,	 /* M-LAW-GAMMA */
	LAW_WEIBULL,	 /* M-LAW-WEIBULL */
	LAW_PARETO,	 /* M-LAW-PARETO */
	LAW_MIXTURE,	 /* M-LAW-MIXTURE */
	LAW_EMPIRICAL,	 /* M-LAW-EMPIRICAL */
	LAW_VALUES,	 /* M-LAW-VALUES */
};

enum law_by {
	LAW_BY_DELIVERY, /* the n-th draw of its owner takes the n-th value */
	LAW_BY_MESSAGE,	 /* message n takes the n-th value */
};

enum law_then {
	LAW_THEN_LAST,	/* after the list: its last value for ever */
	LAW_THEN_CYCLE, /* from the start again */
};

struct law;

struct law_part {
	double share;	       /* 0..1; the shares of a mixture sum to 1 */
	const struct law *law; /* borrowed */
};

/* A point of a distribution function: `share` of all draws are <= value. */
struct law_knot {
	double value;
	double share;
};

struct law {
	enum law_kind kind;
	double a, b;	  /* the parameters, as the kind's builder names them */
	int64_t constant; /* of LAW_CONSTANT: every draw */
	union {
		const struct law_part *parts;
		const struct law_knot *knots;
		const double *values;
	} list;		/* borrowed */
	size_t count;	/* of the list */
	enum law_by by; /* of values, as the next */
	enum law_then then;
};

const char *law_constant(struct law *law, double value);
/* Every integer from least to most with the same chance. */
const char *law_uniform(struct law *law, double least, double most);
const char *law_exponential(struct law *law, double mean);
const char *law_lognormal(struct law *law, double median, double sigma);
const char *law_lognormal_p99(struct law *law, double median, double p99);
const char *law_gamma(struct law *law, double mean, double shape);
const char *law_weibull(struct law *law, double scale, double shape);
const char *law_pareto(struct law *law, double least, double shape);
const char *
law_mixture(struct law *law, const struct law_part *parts, size_t count);
/*
 * Linear between knots. Values and shares ascend; the last share is 1. A first
 * share above 0 is a lump at the first value.
 */
const char *
law_empirical(struct law *law, const struct law_knot *knots, size_t count);
const char *law_values(struct law *law, const double *values, size_t count,
		       enum law_by by, enum law_then then);

/*
 * Draw. `message` and `delivery` choose the value of a replayed list; other
 * laws use the draw alone. Takes nothing from `draw` if there is no chance.
 */
int64_t law_draw(const struct law *law, struct draw *draw, uint64_t message,
		 uint64_t delivery);

/* The first draw at an index and a part of a stream. */
int64_t
law_draw_first(const struct law *law, struct stream stream, uint64_t index,
	       uint32_t part, uint64_t message, uint64_t delivery);

/* The same where a law may be absent, or leaves nothing to chance: NULL is 0.
 */
static inline int64_t
law_draw_at(const struct law *law, struct stream stream, uint64_t index,
	    uint32_t part, uint64_t message, uint64_t delivery)
{
	if (!law)
		return 0;
	if (law->kind == LAW_CONSTANT)
		return law->constant;
	return law_draw_first(law, stream, index, part, message, delivery);
}

/* The least and the greatest that a draw can be. */
int64_t law_least(const struct law *law);
int64_t law_most(const struct law *law);

/* Name of a kind as scenarios spell it. */
const char *law_kind_name(enum law_kind kind);

#endif
