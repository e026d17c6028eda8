/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Alias tables (Walker 1977, built as Vose, IEEE Trans. Software Eng. 17,
 * 1991): n columns of equal weight, each shared by at most two indices. A pick
 * is one bounded integer and one comparison, both from one block of the stream.
 *
 * Chances are rounded to 2^-32 of a column. Memory is bounded by CHOOSER_MOST
 * and asked for when a source is set up, never later.
 */
#include "model/chooser.h"

#include "model/real.h"

#include <math.h>
#include <stdlib.h>

#define FULL 4294967296.0 /* 2^32 */

/* Indices whose share is below (from the front) and above (from the back) the
 * height of a column, in one array. */
struct piles {
	uint32_t *index;
	size_t small, large; /* next free from the front, first from the back */
};

static uint32_t
to_stay(double share)
{
	double scaled = share * FULL + 0.5;

	return scaled >= FULL ? UINT32_MAX : (uint32_t)scaled;
}

/* scaled[i]: weight over mean weight; used up. */
static void
fill_columns(struct chooser *chooser, double *scaled, struct piles *piles)
{
	struct chooser_column *columns = chooser->columns;
	uint32_t n = chooser->count;

	for (uint32_t i = 0; i < n; i++) {
		/* What is left over in the end is full up to rounding. */
		columns[i] = (struct chooser_column){UINT32_MAX, i};
		if (scaled[i] < 1)
			piles->index[piles->small++] = i;
		else
			piles->index[--piles->large] = i;
	}
	while (piles->small > 0 && piles->large < n) {
		uint32_t low = piles->index[--piles->small];
		uint32_t high = piles->index[piles->large];

		columns[low].stay = to_stay(scaled[low]);
		columns[low].other = high;
		scaled[high] = scaled[high] + scaled[low] - 1;
		if (scaled[high] < 1) {
			piles->large++;
			piles->index[piles->small++] = high;
		}
	}
}

/* Takes over `scaled`, which holds the weights. */
static const char *
build(struct chooser *chooser, double *scaled, size_t count, double sum)
{
	struct piles piles = {.large = count};

	*chooser = (struct chooser){.count = (uint32_t)count};
	chooser->columns = calloc(count, sizeof(*chooser->columns));
	piles.index = calloc(count, sizeof(*piles.index));
	if (!chooser->columns || !piles.index) {
		chooser_release(chooser);
		free(piles.index);
		free(scaled);
		return "there is not enough memory for so many";
	}
	for (size_t i = 0; i < count; i++)
		scaled[i] = scaled[i] / sum * (double)count;
	fill_columns(chooser, scaled, &piles);
	free(piles.index);
	free(scaled);
	return NULL;
}

static const char *
check_count(size_t count)
{
	if (count == 0)
		return "there is nothing to choose from";
	if (count > CHOOSER_MOST)
		return "there are more than 100 million to choose from";
	return NULL;
}

const char *
chooser_init_weights(struct chooser *chooser, const double *weights,
		     size_t count)
{
	const char *error = check_count(count);
	double sum = 0, *scaled;

	*chooser = (struct chooser){0};
	if (error)
		return error;
	for (size_t i = 0; i < count; i++) {
		if (!(weights[i] >= 0 && weights[i] <= 1e300))
			return "a weight must be a number of 0 or more";
		sum += weights[i];
	}
	if (!(sum > 0) || isinf(sum))
		return "the weights must have a positive, finite sum";
	scaled = calloc(count, sizeof(*scaled));
	if (!scaled)
		return "there is not enough memory for so many";
	for (size_t i = 0; i < count; i++)
		scaled[i] = weights[i];
	return build(chooser, scaled, count, sum);
}

const char *
chooser_init_zipf(struct chooser *chooser, size_t count, double exponent)
{
	const char *error = check_count(count);
	double sum = 0, *scaled;

	*chooser = (struct chooser){0};
	if (error)
		return error;
	if (!(exponent >= 0 && exponent <= 30))
		return "the exponent must lie in 0..30";
	scaled = calloc(count, sizeof(*scaled));
	if (!scaled)
		return "there is not enough memory for so many";
	for (size_t i = 0; i < count; i++) {
		scaled[i] = real_power((double)(i + 1), -exponent);
		sum += scaled[i];
	}
	return build(chooser, scaled, count, sum);
}

const char *
chooser_init_cycle(struct chooser *chooser, size_t count)
{
	*chooser = (struct chooser){.count = (uint32_t)count};
	return check_count(count);
}

void
chooser_release(struct chooser *chooser)
{
	free(chooser->columns);
	*chooser = (struct chooser){0};
}

struct chooser_throw
chooser_throw(const struct chooser *chooser, struct stream stream,
	      uint64_t index, uint32_t part, uint64_t n)
{
	struct draw draw = stream_at_part(stream, index, part);
	struct chooser_throw at = {0};

	if (!chooser->columns) {
		at.column = (uint32_t)(n % chooser->count);
		return at;
	}
	at.column = (uint32_t)draw_below(&draw, chooser->count);
	at.height = (uint32_t)(draw_bits(&draw) >> 32);
	return at;
}

void
chooser_fetch(const struct chooser *chooser, struct chooser_throw at)
{
	if (chooser->columns)
		__builtin_prefetch(&chooser->columns[at.column]);
}

uint32_t
chooser_read(const struct chooser *chooser, struct chooser_throw at)
{
	const struct chooser_column *column;

	if (!chooser->columns)
		return at.column;
	column = &chooser->columns[at.column];
	return at.height < column->stay ? at.column : column->other;
}
