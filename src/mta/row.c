/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The keys stand somewhere among the places, with room on both sides. Where
 * there is none left on a side, all go to the middle, of twice as many places
 * if they fill half: so that is paid for by the keys that have come since.
 */
#include "mta/pure.h"

#include "mta/row.h"

#include "mta/panic.h"

enum {
	ROW_FIRST_CAPACITY = 256
};

MTA_RARE static void
row_centre(struct mta_row *r)
{
	size_t capacity = (size_t)(r->limit - r->places);
	size_t count = mta_row_count(r);
	mta_key *old = r->places;
	mta_key *to;

	if (count >= capacity / 2) {
		capacity = capacity ? 2 * capacity : ROW_FIRST_CAPACITY;
		r->places = mta_alloc(capacity, sizeof(*r->places));
		r->limit = r->places + capacity;
	}
	to = r->places + (capacity - count) / 2;
	if (count > 0)
		memmove(to, r->first, count * sizeof(*to));
	r->first = to;
	r->end = to + count;
	if (old != r->places)
		free(old);
}

/* Those that are less move down by a place. One is not. */
static inline void
row_add_early(struct mta_row *r, mta_key key)
{
	mta_key *place = --r->first;

	for (; place[1] < key; place++)
		place[0] = place[1];
	*place = key;
}

/* Those that are greater move up. */
static inline void
row_add_late(struct mta_row *r, mta_key key)
{
	mta_key *place = r->end++;

	for (; place != r->first && place[-1] > key; place--)
		place[0] = place[-1];
	*place = key;
}

void
mta_row_add(struct mta_row *r, mta_key key)
{
	if (r->first == r->places || r->end == r->limit)
		row_centre(r);
	if (!mta_row_is_empty(r) && key < r->first[mta_row_count(r) / 2])
		row_add_early(r, key);
	else
		row_add_late(r, key);
}

void
mta_row_release(struct mta_row *r)
{
	free(r->places);
	*r = (struct mta_row){0};
}
