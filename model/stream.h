/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Named random streams (docs/models.md, M-STREAM). A stream is a key; there is
 * no state to advance. What is drawn depends on the key, an index that the
 * caller chooses (message, connection, arrival) and how many numbers were taken
 * at that index, and on nothing else. So one more destination changes no other
 * draw, and two settings are compared on the same luck.
 *
 * Generator: Philox4x32-10 of Random123; key = hash(seed, replication, name),
 * counter = (block, part, index). A cursor computes nothing before the first
 * number is taken.
 */
#ifndef MODEL_STREAM_H
#define MODEL_STREAM_H

#include <gsl/gsl_rng.h>
#include <stdbool.h>
#include <stdint.h>

struct stream {
	uint64_t key;
};

/* A cursor: where in a stream the next number comes from. Copies go their own
 * way from the same place. */
struct draw {
	uint64_t key;
	uint64_t index;
	uint32_t part;
	uint32_t block; /* the next block to compute */
	uint64_t spare;
	uint64_t left; /* unused 64-bit words in spare: 0 or 1 */
};

/* Once in a program, first of all: GSL's errors end in a return value, never
 * in an abort, and its environment variables are not read. */
void model_init(void);

void stream_init(struct stream *stream, uint64_t seed, uint32_t replication,
		 const char *name);

/* A stream of the same seed and replication for one of many like things. */
struct stream stream_child(struct stream parent, const char *name);

/*
 * The cursor at an index. `part` tells apart what is drawn for the same index
 * for different purposes, so that one more purpose shifts none of the others.
 */
static inline struct draw
stream_at_part(struct stream stream, uint64_t index, uint32_t part)
{
	return (struct draw){.key = stream.key, .index = index, .part = part};
}

static inline struct draw
stream_at(struct stream stream, uint64_t index)
{
	return stream_at_part(stream, index, 0);
}

/* Go to the n-th block (two 64-bit numbers) of this cursor's index and part. */
static inline void
draw_seek(struct draw *draw, uint32_t n)
{
	draw->block = n;
	draw->left = 0;
}

/* A block: two numbers of 64 random bits. */
struct draw_pair {
	uint64_t first, second;
};
struct draw_pair
draw_pair_at(uint64_t key, uint64_t index, uint32_t part, uint32_t block);

/* 64 random bits. */
static inline uint64_t
draw_bits(struct draw *draw)
{
	struct draw_pair pair;

	if (draw->left > 0) {
		draw->left = 0;
		return draw->spare;
	}
	pair = draw_pair_at(draw->key, draw->index, draw->part, draw->block);
	draw->block++;
	draw->left = 1;
	draw->spare = pair.second;
	return pair.first;
}

/* Uniform in [0, 1): a multiple of 2^-53. */
static inline double
draw_unit(struct draw *draw)
{
	return (double)(int64_t)(draw_bits(draw) >> 11) * 0x1p-53;
}

/* Uniform in (0, 1): an odd multiple of 2^-53; its logarithm is finite. */
static inline double
draw_open(struct draw *draw)
{
	/* 52 bits and a half: 2k + 1 < 2^53 is exact in a double. */
	return (double)(int64_t)(draw_bits(draw) >> 12 << 1 | 1) * 0x1p-53;
}

/*
 * 0 .. bound - 1, each with exactly the same chance; bound > 0. Below 2^32 the
 * high half of bits * bound, after Lemire ("Fast random integer generation in
 * an interval", ACM TOMACS 29, 2019): of the 2^64 words, `uneven` too many for
 * equal shares are those whose low half of the product is smallest.
 */
static inline uint64_t
draw_below(struct draw *draw, uint64_t bound)
{
	uint64_t bits = draw_bits(draw);

	if (bound > UINT32_MAX) {
		uint64_t uneven = (UINT64_MAX - bound + 1) % bound;

		/* These would make the first ones likelier. */
		while (bits < uneven)
			bits = draw_bits(draw);
		return bits % bound;
	}
	if (bits * bound < bound) {
		uint64_t uneven = (UINT64_MAX - bound + 1) % bound;

		while (bits * bound < uneven)
			bits = draw_bits(draw);
	}
	return ((bits >> 32) * bound + ((bits & UINT32_MAX) * bound >> 32)) >>
	       32;
}

/* True with chance `share`; takes one number unless share is <= 0 or >= 1. */
static inline bool
draw_chance(struct draw *draw, double share)
{
	if (share <= 0)
		return false;
	if (share >= 1)
		return true;
	return draw_unit(draw) < share;
}

/* Exponential with mean 1; standard normal; gamma with scale 1 and shape > 0.
 */
double draw_exponential(struct draw *draw);
double draw_exponential_layer(unsigned i); /* of its table: for its test */
double draw_normal(struct draw *draw);
double draw_gamma(struct draw *draw, double shape);

/*
 * The generator for GSL's distributions. A gsl_rng made of it must be put on a
 * cursor before use: gsl_rng_alloc(stream_gsl_type()), stream_gsl_seek().
 */
const gsl_rng_type *stream_gsl_type(void);
void stream_gsl_seek(gsl_rng *rng, const struct draw *draw);

/* For the fingerprint of a run: mixes a number into a hash. */
uint64_t stream_mix(uint64_t hash, uint64_t number);

#endif
