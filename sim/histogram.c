/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The sketch. A bucket is found from the bits of a number: below 128 the number
 * is its bucket; above, the highest seven bits tell, as many buckets before
 * them as smaller powers of two have. The middle of a bucket [a, a + w) with w
 * = a's power of two / 64 is at most w/2 <= a/128 away: 0.8 %.
 *
 * Memory is bounded by the number of chunks, 4 for each power of two that was
 * seen and at most 232.
 */
#include "sim/histogram.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mta/panic.h"
#include "sim/arena.h"

enum {
	SUB_BITS = 6,
	LINEAR = 2 << SUB_BITS, /* numbers that are their own bucket */
};

static uint32_t
bucket_of(int64_t value)
{
	uint64_t v = (uint64_t)value;
	uint32_t shift;

	if (v < LINEAR)
		return (uint32_t)v;
	shift = 63u - (uint32_t)__builtin_clzll(v) - SUB_BITS;
	return (shift << SUB_BITS) + (uint32_t)(v >> shift);
}

/* The middle, rounded down. */
static int64_t
bucket_middle(uint32_t bucket)
{
	uint32_t shift;
	uint64_t low;

	if (bucket < LINEAR)
		return (int64_t)bucket;
	shift = (bucket >> SUB_BITS) - 1;
	low = (uint64_t)(bucket - (shift << SUB_BITS)) << shift;
	return (int64_t)(low + ((UINT64_C(1) << shift) - 1) / 2);
}

static struct histogram_chunk *
chunk_get(struct histogram *h, uint32_t number)
{
	uint32_t place;

	if (!h->places)
		h->places = memory_array(HISTOGRAM_CHUNKS, 1);
	place = h->places[number];
	if (place == 0) {
		uint32_t n = h->chunk_count;

		/* Room doubles from 1. */
		if ((n & (n - 1)) == 0)
			h->chunks = memory_resize(h->chunks, n ? 2 * n : 1,
						  sizeof(*h->chunks));
		h->chunks[n] = (struct histogram_chunk){.counts = {0}};
		place = ++h->chunk_count;
		h->places[number] = (uint8_t)place;
	}
	mta_assert(h->chunks != NULL);
	return &h->chunks[place - 1];
}

static void
count_bucket(struct histogram *h, uint32_t bucket, uint32_t times)
{
	struct histogram_chunk *c = chunk_get(h, bucket / HISTOGRAM_CHUNK);

	c->counts[bucket % HISTOGRAM_CHUNK] += times;
}

/* The counts of sixteen buckets, or NULL: all 0. h: has chunks. */
static const uint32_t *
counts_of(const struct histogram *h, uint32_t chunk)
{
	uint32_t place = h->places[chunk];

	return place ? h->chunks[place - 1].counts : NULL;
}

/* From values to buckets. */
static void
leave_exact(struct histogram *h)
{
	if (h->chunk_count == 0) {
		for (uint64_t i = 0; i < h->count; i++)
			count_bucket(h, bucket_of(h->exact[i]), 1);
	}
	free(h->exact);
	h->exact = NULL;
}

/* Room for one more: it doubles from 2. */
static void
keep_exact(struct histogram *h, int64_t value)
{
	uint64_t n = h->count;

	if ((n & (n - 1)) == 0 && n != 1)
		h->exact = memory_resize(h->exact, n ? 2 * n : 2,
					 sizeof(*h->exact));
	h->exact[n] = value;
}

static void
widen(struct histogram *h, int64_t least, int64_t greatest)
{
	if (h->count == 0 || least < h->least)
		h->least = least;
	if (h->count == 0 || greatest > h->greatest)
		h->greatest = greatest;
}

void
histogram_release(struct histogram *h)
{
	free(h->exact);
	free(h->chunks);
	free(h->places);
	*h = (struct histogram){.count = 0};
}

void
histogram_add(struct histogram *h, int64_t value)
{
	if (value < 0)
		value = 0;
	widen(h, value, value);
	if (h->chunk_count == 0 && h->count < HISTOGRAM_EXACT) {
		keep_exact(h, value);
	} else {
		if (h->chunk_count == 0)
			leave_exact(h);
		count_bucket(h, bucket_of(value), 1);
	}
	h->count++;
	h->sum += (uint64_t)value;
}

static void
merge_chunk(struct histogram *to, uint32_t chunk, const uint32_t *counts)
{
	uint32_t *sum = chunk_get(to, chunk)->counts;

	for (uint32_t i = 0; i < HISTOGRAM_CHUNK; i++)
		sum[i] += counts[i];
}

/* from: has no chunks. */
static void
copy_exact(struct histogram *to, const struct histogram *from)
{
	uint64_t room = 2;

	while (room < from->count)
		room *= 2;
	*to = *from;
	to->exact = memory_array(room, sizeof(*to->exact));
	memcpy(to->exact, from->exact, from->count * sizeof(*to->exact));
}

void
histogram_merge(struct histogram *to, const struct histogram *from)
{
	if (from->count == 0)
		return;
	if (from->chunk_count == 0 && to->count == 0) {
		copy_exact(to, from);
		return;
	}
	if (from->chunk_count == 0) {
		for (uint64_t i = 0; i < from->count; i++)
			histogram_add(to, from->exact[i]);
		return;
	}
	leave_exact(to);
	widen(to, from->least, from->greatest);
	for (uint32_t i = 0; i < HISTOGRAM_CHUNKS; i++) {
		const uint32_t *counts = counts_of(from, i);

		if (counts)
			merge_chunk(to, i, counts);
	}
	to->count += from->count;
	to->sum += from->sum;
}

double
histogram_mean(const struct histogram *h)
{
	return h->count ? (double)h->sum / (double)h->count : 0;
}

static int
compare_values(const void *left, const void *right)
{
	int64_t a = *(const int64_t *)left;
	int64_t b = *(const int64_t *)right;

	return (a > b) - (a < b);
}

static int64_t
exact_at(const struct histogram *h, uint64_t rank)
{
	int64_t sorted[HISTOGRAM_EXACT];

	memcpy(sorted, h->exact, h->count * sizeof(*sorted));
	qsort(sorted, h->count, sizeof(*sorted), compare_values);
	return sorted[rank - 1];
}

/* The bucket of the value at a rank, from 1. h: has chunks. */
static uint32_t
bucket_at(const struct histogram *h, uint64_t rank)
{
	uint64_t seen = 0;

	for (uint32_t i = 0; i < HISTOGRAM_CHUNKS; i++) {
		const uint32_t *counts = counts_of(h, i);

		for (uint32_t k = 0; counts && k < HISTOGRAM_CHUNK; k++) {
			seen += counts[k];
			if (seen >= rank)
				return i * HISTOGRAM_CHUNK + k;
		}
	}
	return bucket_of(h->greatest);
}

/* The value at a rank, from 1. */
static int64_t
value_at(const struct histogram *h, uint64_t rank)
{
	int64_t middle;

	if (h->chunk_count == 0)
		return exact_at(h, rank);
	middle = bucket_middle(bucket_at(h, rank));
	if (middle < h->least)
		return h->least;
	return middle > h->greatest ? h->greatest : middle;
}

/*
 * ceil(percent/100 * n). Percentages are decimals with at most one digit that
 * matters less than a hair; a product that misses a whole number by rounding
 * alone is that number.
 */
static uint64_t
rank_of(double percent, uint64_t n)
{
	double exact = percent * (double)n / 100;
	double whole = nearbyint(exact);
	double rank =
		fabs(exact - whole) < 1e-9 * (exact + 1) ? whole : ceil(exact);

	if (rank < 1)
		return 1;
	return rank >= (double)n ? n : (uint64_t)rank;
}

int64_t
histogram_percentile(const struct histogram *h, double percent)
{
	return h->count ? value_at(h, rank_of(percent, h->count)) : 0;
}

bool
histogram_bound(const struct histogram *closed, const struct histogram *open,
		double percent, int64_t *value)
{
	struct histogram both = {.count = 0};
	uint64_t n = closed->count + (open ? open->count : 0);
	uint64_t rank;
	int64_t bound;

	if (!open || open->count == 0) {
		*value = histogram_percentile(closed, percent);
		return true;
	}
	histogram_merge(&both, closed);
	histogram_merge(&both, open);
	rank = rank_of(percent, n);
	bound = value_at(&both, rank);
	histogram_release(&both);
	*value = bound;
	/* If all that is open went beyond everything: the same? */
	return rank <= closed->count &&
	       bucket_of(value_at(closed, rank)) == bucket_of(bound);
}
