/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Random streams without state: Philox4x32-10 (philox.h) on (key, counter).
 *
 * The 128-bit counter is (block, part, index low, index high); each block gives
 * two 64-bit numbers. Names become keys by FNV-1a with a finisher (SplitMix64's
 * mixing function), folded with seed and replication. Two streams meet only if
 * their 64-bit keys do: for a million streams a chance of 3e-8.
 *
 * Real-valued draws use real.h, so that their bits do not depend on libm. Each
 * takes one uniform but exponential (exponential.c) and gamma, which reject.
 */
#include "model/stream.h"

#include "model/philox.h"
#include "model/real.h"

#include <gsl/gsl_errno.h>
#include <math.h>

void
model_init(void)
{
	/* The default handler aborts; every caller looks at results. */
	gsl_set_error_handler_off();
}

/* SplitMix64's mixing function: a bijection in which each bit of the input
 * reaches each bit of the output. */
static uint64_t
finish(uint64_t x)
{
	x ^= x >> 30;
	x *= UINT64_C(0xbf58476d1ce4e5b9);
	x ^= x >> 27;
	x *= UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

uint64_t
stream_mix(uint64_t hash, uint64_t number)
{
	return finish(hash ^ (number + UINT64_C(0x9e3779b97f4a7c15) +
			      (hash << 6) + (hash >> 2)));
}

static uint64_t
hash_name(uint64_t hash, const char *name)
{
	uint64_t fnv = UINT64_C(14695981039346656037);

	for (; *name; name++) {
		fnv ^= (unsigned char)*name;
		fnv *= UINT64_C(1099511628211);
	}
	return stream_mix(hash, fnv);
}

void
stream_init(struct stream *stream, uint64_t seed, uint32_t replication,
	    const char *name)
{
	uint64_t hash = finish(seed + UINT64_C(0x9e3779b97f4a7c15));

	hash = stream_mix(hash, replication);
	stream->key = hash_name(hash, name);
}

struct stream
stream_child(struct stream parent, const char *name)
{
	return (struct stream){.key = hash_name(parent.key, name)};
}

struct draw_pair
draw_pair_at(uint64_t key, uint64_t index, uint32_t part, uint32_t block)
{
	struct philox_block numbers = philox(
		(struct philox_block){.low = (uint64_t)part << 32 | block,
				      .high = index},
		key);

	return (struct draw_pair){.first = numbers.low, .second = numbers.high};
}

double
draw_normal(struct draw *draw)
{
	return real_normal_quantile(draw_open(draw));
}

/*
 * Marsaglia and Tsang, "A simple method for generating gamma variables", ACM
 * TOMS 26 (2000): d (1 + cz)^3 for normal z, accepted with the chance that
 * makes it gamma. Below shape 1: gamma(shape + 1) times U^(1/shape).
 */
double
draw_gamma(struct draw *draw, double shape)
{
	double less = shape < 1 ? real_power(draw_open(draw), 1 / shape) : 1;
	double d = (shape < 1 ? shape + 1 : shape) - 1.0 / 3;
	double c = 1 / sqrt(9 * d);
	double z, v, u;

	for (;;) {
		z = draw_normal(draw);
		v = 1 + c * z;
		u = draw_open(draw);
		if (v <= 0)
			continue;
		v = v * v * v;
		if (real_log(u) < z * z / 2 + d - d * v + d * real_log(v))
			return d * v * less;
	}
}

/* GSL's view of a cursor. */

static void
gsl_set(void *state, unsigned long seed)
{
	struct stream stream;

	stream_init(&stream, seed, 0, "gsl");
	*(struct draw *)state = stream_at(stream, 0);
}

static unsigned long
gsl_get(void *state)
{
	return (unsigned long)(draw_bits(state) >> 32);
}

static double
gsl_get_double(void *state)
{
	return draw_unit(state);
}

static const gsl_rng_type gsl_type = {
	.name = "philox4x32-10",
	.max = 0xffffffffUL,
	.min = 0,
	.size = sizeof(struct draw),
	.set = gsl_set,
	.get = gsl_get,
	.get_double = gsl_get_double,
};

const gsl_rng_type *
stream_gsl_type(void)
{
	return &gsl_type;
}

void
stream_gsl_seek(gsl_rng *rng, const struct draw *draw)
{
	*(struct draw *)rng->state = *draw;
}
