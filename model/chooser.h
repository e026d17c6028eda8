/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which one of n: by weights, by Zipf's law, or in turn (docs/models.md). Index
 * 0 .. n - 1. Weighted choices use an alias table: a pick costs the same for
 * ten and for a million; building one is linear in n.
 *
 * A chooser owns its table (8 bytes an entry) and does not change once made.
 * Functions that return a text return NULL when all is well, else a static
 * text that says what cannot be; then there is nothing to release.
 */
#ifndef MODEL_CHOOSER_H
#define MODEL_CHOOSER_H

#include <stddef.h>
#include <stdint.h>

#include "model/stream.h"

#define CHOOSER_MOST 100000000 /* entries of one chooser */

/* Column i of the table: i with chance stay / 2^32, else the other. */
struct chooser_column {
	uint32_t stay;
	uint32_t other;
};

struct chooser {
	struct chooser_column *columns; /* owned; NULL: in turn */
	uint32_t count;
};

/* M-CHOOSE-WEIGHTS: index i with chance weights[i] / sum; at least one weight
 * is positive. */
const char *chooser_init_weights(struct chooser *chooser, const double *weights,
				 size_t count);

/* M-CHOOSE-ZIPF: index k - 1 with chance proportional to k^-exponent; exponent
 * >= 0. */
const char *
chooser_init_zipf(struct chooser *chooser, size_t count, double exponent);

/* M-CHOOSE-CYCLE: the n-th pick is n modulo count. */
const char *chooser_init_cycle(struct chooser *chooser, size_t count);

void chooser_release(struct chooser *chooser);

/*
 * A pick is made in two steps, for who knows early what he picks next: where
 * the luck falls (pick number n: in turn by n alone, else by the luck at this
 * index and part), and which index stands there. The column may be far away in
 * memory; chooser_fetch has it brought meanwhile.
 */
struct chooser_throw {
	uint32_t column; /* in turn: the index */
	uint32_t height; /* in the column */
};
struct chooser_throw
chooser_throw(const struct chooser *chooser, struct stream stream,
	      uint64_t index, uint32_t part, uint64_t n);
void chooser_fetch(const struct chooser *chooser, struct chooser_throw at);
uint32_t chooser_read(const struct chooser *chooser, struct chooser_throw at);

#endif
