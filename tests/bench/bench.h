/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the measuring programs share: the cost of a piece of work in a process
 * of its own, pieces measured in turn, medians. Times are processor time, user
 * and system, in seconds, so that other load disturbs little; the time of the
 * clock is kept too. Memory is the peak of resident bytes.
 *
 * What is compared is the median over the rounds of the ratio within a round:
 * this piece and the first, measured one after the other.
 */
#ifndef TESTS_BENCH_BENCH_H
#define TESTS_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	BENCH_ROUNDS_MAX = 31,
	BENCH_WORKS_MAX = 12
};

struct bench_cost {
	double seconds; /* of processor time */
	double wall;	/* seconds of the clock */
	double bytes;	/* peak resident set */
};

/* Something to measure. run: in a child; 0 when it went well. */
struct bench_work {
	int (*run)(void *);
	void *argument;
};

/* Medians of the rounds. */
struct bench_result {
	double seconds;
	double wall;
	double bytes;
	double ratio;	   /* seconds of this one / of the first one */
	double wall_ratio; /* the same by the clock */
};

/* Each in turn, bench_rounds() times. count <= BENCH_WORKS_MAX. Ends the
 * program when one of them fails. */
void bench_in_turn(const struct bench_work *works, size_t count,
		   struct bench_result *results);

/* Run work(argument) in a child and wait. Ends the program when it fails. */
struct bench_cost bench_measure(int (*work)(void *), void *argument);

/* Become a program: argument is its argv[], ended by NULL; argv[0] its path.
 * Its output is thrown away. */
int bench_execute(void *argument);

/* count >= 1; sorts the values. */
double bench_median(double *values, int count);

/* MTASIM_BENCH_ROUNDS, or 5; odd, 1..BENCH_ROUNDS_MAX. */
int bench_rounds(void);

/* MTASIM_BENCH_SCALE=full asks for the big sizes, which take hours. */
bool bench_is_full(void);

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
