/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Quantiles of many non-negative whole numbers (microseconds, counts) in little
 * memory. The first 32 values are kept as they are; then numbers below 128 have
 * a bucket each and greater ones one of 64 buckets in each power of two, so
 * that a bucket's middle is within 0.8 % of any number in it. Buckets come in
 * chunks of sixteen that exist only where there are numbers.
 *
 * The p-th percentile of n numbers is the smallest of them that at least
 * ceil(p/100 * n) numbers do not exceed. The answer is that number itself, or
 * the middle of its bucket, held within the least and the greatest number.
 * Nothing depends on the order of adding, nor on how sketches were merged,
 * except that a sketch of 32 numbers or fewer is exact.
 */
#ifndef SIM_HISTOGRAM_H
#define SIM_HISTOGRAM_H

#include <stdbool.h>
#include <stdint.h>

enum {
	HISTOGRAM_EXACT = 32,
	HISTOGRAM_CHUNK = 16,
	HISTOGRAM_CHUNKS = 232, /* as many as there can be */
};

struct histogram_chunk {
	uint32_t counts[HISTOGRAM_CHUNK];
};

/* {0} is an empty one. */
struct histogram {
	uint64_t count;
	uint64_t sum; /* modulo 2^64 */
	int64_t least;
	int64_t greatest;
	union {
		int64_t *exact;			/* owned; while no chunks */
		struct histogram_chunk *chunks; /* owned; in order of use */
	};
	uint8_t *places; /* owned; of a chunk by number, from 1; 0: none;
			  * NULL while there are no chunks */
	uint32_t chunk_count;
};

void histogram_release(struct histogram *h);
/* value: negative ones count as 0. */
void histogram_add(struct histogram *h, int64_t value);
void histogram_merge(struct histogram *to, const struct histogram *from);
/* The same, but that `from` is empty after it. */
void histogram_take(struct histogram *to, struct histogram *from);

double histogram_mean(const struct histogram *h); /* 0 when empty */

/* percent: 0 < percent <= 100. 0 when empty. What is const is what is counted:
 * the few values that are kept as they are may be put in order. */
int64_t histogram_percentile(const struct histogram *h, double percent);

/*
 * A percentile where some values are not final: `open` holds what they have
 * reached so far, and each may still grow without bound. *value: the least that
 * the percentile can become. True if no growth can change it. open: may be
 * NULL.
 */
bool
histogram_bound(const struct histogram *closed, const struct histogram *open,
		double percent, int64_t *value);

#endif
