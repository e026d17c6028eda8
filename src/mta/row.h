/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Numbers of 128 bits in a row, in order, the least first. Made for dozens: the
 * least is taken without a look at the others, and one that comes moves those
 * of the shorter side by a place, which for so few is a copy of some lines of
 * the cache. No number occurs twice.
 */
#ifndef MTA_ROW_H
#define MTA_ROW_H

#include "mta/types.h"

__extension__ typedef unsigned __int128 mta_key;

struct mta_row {
	mta_key *first; /* the least, unless at `end` */
	mta_key *end;	/* behind the last */
	mta_key *places;
	mta_key *limit; /* behind the last place */
};

/* Zeroed, a row is empty. */
void mta_row_release(struct mta_row *r);

static inline uint32_t
mta_row_count(const struct mta_row *r)
{
	return (uint32_t)(r->end - r->first);
}

static inline bool
mta_row_is_empty(const struct mta_row *r)
{
	return r->first == r->end;
}

void mta_row_add(struct mta_row *r, mta_key key);

/* Take the least away; there is one. */
static inline void
mta_row_remove_first(struct mta_row *r)
{
	r->first++;
}

#endif
