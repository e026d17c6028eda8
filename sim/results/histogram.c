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
#include "sim/results/histogram.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mta/panic.h"
#include "sim/base/arena.h"

enum {
	SUB_BITS = 6,
	LINEAR = 2 << SUB_BITS, /* numbers that are their own bucket */
	EXACT_FIRST = 8,
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
add_chunk(struct histogram *h, uint32_t number)
{
	uint32_t n = h->chunk_count++;

	/* Room doubles from 1. */
	if ((n & (n - 1)) == 0)
		h->chunks = memory_resize(h->chunks, n ? 2 * n : 1,
					  sizeof(*h->chunks));
	mta_assert(h->chunks != NULL);
	h->chunks[n] = (struct histogram_chunk){.counts = {0}};
	h->places[number] = (uint8_t)(n + 1);
	return &h->chunks[n];
}

/* The counts of sixteen buckets, or NULL: there are none yet. h: has left the
 * values as they are. */
static inline uint32_t *
counts_of(const struct histogram *h, uint32_t chunk)
{
	uint32_t place = h->places[chunk];

	return place ? h->chunks[place - 1].counts : NULL;
}

/* The same, made when new. */
static uint32_t *
counts_made(struct histogram *h, uint32_t chunk)
{
	uint32_t *counts = counts_of(h, chunk);

	return counts ? counts : add_chunk(h, chunk)->counts;
}

static void
count_bucket(struct histogram *h, uint32_t bucket)
{
	uint32_t *counts = counts_made(h, bucket / HISTOGRAM_CHUNK);

	counts[bucket % HISTOGRAM_CHUNK]++;
}

/* From values to buckets, if it still has values. */
static void
leave_exact(struct histogram *h)
{
	int64_t *exact = h->exact;

	if (h->places)
		return;
	h->places = memory_array(HISTOGRAM_CHUNKS, 1);
	h->chunks = NULL;
	for (uint64_t i = 0; i < h->count; i++)
		count_bucket(h, bucket_of(exact[i]));
	free(exact);
}

/* The first value is the least and the greatest. */
static void
begin(struct histogram *h, int64_t least, int64_t greatest)
{
	h->least = least;
	h->greatest = greatest;
}

static inline void
widen(struct histogram *h, int64_t least, int64_t greatest)
{
	if (least < h->least)
		h->least = least;
	if (greatest > h->greatest)
		h->greatest = greatest;
}

/* Room for one more: first for as many as are in a line of memory, then for
 * all that are kept. */
static void
keep_exact(struct histogram *h, int64_t value)
{
	uint64_t n = h->count;

	if (n == 0) {
		begin(h, value, value);
		h->exact = memory_array(EXACT_FIRST, sizeof(*h->exact));
	} else if (n == EXACT_FIRST) {
		h->exact = memory_resize(h->exact, HISTOGRAM_EXACT,
					 sizeof(*h->exact));
	}
	h->exact[n] = value;
}

static inline void
note_value(struct histogram *h, int64_t value)
{
	widen(h, value, value);
	h->count++;
	h->sum += (uint64_t)value;
}

/* There is no bucket for it yet. Apart, so that the usual way is short. */
__attribute__((noinline)) static void
add_anew(struct histogram *h, int64_t value)
{
	if (!h->places && h->count < HISTOGRAM_EXACT) {
		keep_exact(h, value);
	} else {
		leave_exact(h);
		count_bucket(h, bucket_of(value));
	}
	note_value(h, value);
}

void
histogram_release(struct histogram *h)
{
	free(h->exact); /* or the chunks */
	free(h->places);
	*h = (struct histogram){.count = 0};
}

void
histogram_add(struct histogram *h, int64_t value)
{
	uint32_t bucket;
	uint32_t *counts;

	if (value < 0)
		value = 0;
	bucket = bucket_of(value);
	counts = h->places ? counts_of(h, bucket / HISTOGRAM_CHUNK) : NULL;
	if (!counts) {
		add_anew(h, value);
		return;
	}
	counts[bucket % HISTOGRAM_CHUNK]++;
	note_value(h, value);
}

static void
merge_chunk(struct histogram *to, uint32_t chunk, const uint32_t *counts)
{
	uint32_t *sum = counts_made(to, chunk);

	for (uint32_t i = 0; i < HISTOGRAM_CHUNK; i++)
		sum[i] += counts[i];
}

/* from: has no chunks. */
static void
copy_exact(struct histogram *to, const struct histogram *from)
{
	size_t room =
		from->count <= EXACT_FIRST ? EXACT_FIRST : HISTOGRAM_EXACT;

	*to = *from;
	to->exact = memory_array(room, sizeof(*to->exact));
	memcpy(to->exact, from->exact, from->count * sizeof(*to->exact));
}

void
histogram_merge(struct histogram *to, const struct histogram *from)
{
	if (from->count == 0)
		return;
	if (!from->places && to->count == 0) {
		copy_exact(to, from);
		return;
	}
	if (!from->places) {
		for (uint64_t i = 0; i < from->count; i++)
			histogram_add(to, from->exact[i]);
		return;
	}
	leave_exact(to);
	if (to->count == 0)
		begin(to, from->least, from->greatest);
	widen(to, from->least, from->greatest);
	for (uint32_t i = 0; i < HISTOGRAM_CHUNKS; i++) {
		const uint32_t *counts = counts_of(from, i);

		if (counts)
			merge_chunk(to, i, counts);
	}
	to->count += from->count;
	to->sum += from->sum;
}

void
histogram_take(struct histogram *to, struct histogram *from)
{
	if (to->count > 0) {
		histogram_merge(to, from);
		histogram_release(from);
	} else {
		*to = *from;
		*from = (struct histogram){.count = 0};
	}
}

double
histogram_mean(const struct histogram *h)
{
	return h->count ? (double)h->sum / (double)h->count : 0;
}

/* The order of the values means nothing, so they are sorted where they are: a
 * few, and sorted already when asked again. */
static int64_t
exact_at(const struct histogram *h, uint64_t rank)
{
	int64_t *values = h->exact;

	for (uint64_t i = 1; i < h->count; i++) {
		int64_t value = values[i];
		uint64_t at = i;

		for (; at > 0 && values[at - 1] > value; at--)
			values[at] = values[at - 1];
		values[at] = value;
	}
	return values[rank - 1];
}

static uint64_t
sum_of(const uint32_t *counts)
{
	uint64_t sum = 0;

	for (uint32_t k = 0; k < HISTOGRAM_CHUNK; k++)
		sum += counts[k];
	return sum;
}

/* The bucket of the value at a rank, from 1. h: has chunks. */
static uint32_t
bucket_at(const struct histogram *h, uint64_t rank)
{
	uint32_t chunk = 0;
	uint32_t k = 0;
	const uint32_t *counts;

	for (;; chunk++) {
		uint64_t sum;

		mta_assert(chunk < HISTOGRAM_CHUNKS);
		counts = counts_of(h, chunk);
		sum = counts ? sum_of(counts) : 0;
		if (sum >= rank)
			break;
		rank -= sum;
	}
	mta_assert(counts != NULL); /* the rank is not 0 */
	for (; counts[k] < rank; k++)
		rank -= counts[k];
	return chunk * HISTOGRAM_CHUNK + k;
}

/* The value at a rank, from 1. */
static int64_t
value_at(const struct histogram *h, uint64_t rank)
{
	int64_t middle;

	if (!h->places)
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
