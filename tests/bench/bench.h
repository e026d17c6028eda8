/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the measuring programs share: cost of a piece of work in a process of
 * its own, and medians. Times are processor time, user and system, in seconds,
 * so that other load disturbs little; memory is the peak of resident bytes.
 *
 * Rounds are interleaved by the caller: us, reference, us, reference; what is
 * compared is the median of the ratios of at least five rounds.
 */
#ifndef TESTS_BENCH_BENCH_H
#define TESTS_BENCH_BENCH_H

#include <stdint.h>

enum {
	BENCH_ROUNDS_MAX = 31
};

struct bench_cost {
	double seconds; /* of processor time */
	double bytes;	/* peak resident set */
};

/* Run work(argument) in a child and wait. Ends the program when it fails. */
struct bench_cost bench_measure(int (*work)(void *), void *argument);

/* Run a program; its output is thrown away. */
struct bench_cost bench_program(char *const argv[]);

/* count >= 1; sorts the values. */
double bench_median(double *values, int count);

/* MTASIM_BENCH_ROUNDS, or 5; odd, 1..BENCH_ROUNDS_MAX. */
int bench_rounds(void);

/* A generator that costs next to nothing (xoshiro256++ of Blackman and Vigna,
 * written from its definition). */
struct bench_random {
	uint64_t s[4];
};
void bench_random_init(struct bench_random *r, uint64_t seed);

static inline uint64_t
bench_rotate(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

static inline uint64_t
bench_random_bits(struct bench_random *r)
{
	uint64_t result = bench_rotate(r->s[0] + r->s[3], 23) + r->s[0];
	uint64_t t = r->s[1] << 17;

	r->s[2] ^= r->s[0];
	r->s[3] ^= r->s[1];
	r->s[1] ^= r->s[2];
	r->s[0] ^= r->s[3];
	r->s[2] ^= t;
	r->s[3] = bench_rotate(r->s[3], 45);
	return result;
}

/* 0 < u <= 1 */
static inline double
bench_random_unit(struct bench_random *r)
{
	return (double)((bench_random_bits(r) >> 11) + 1) * 0x1p-53;
}

#endif
