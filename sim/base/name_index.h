/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From a name to a number, for names that a user wrote: receivers, domains,
 * keys of a large map, anchors. Borrowed names; the walk order is nobody's
 * business, so there is no walk. Also the nearest of several names, for
 * "did you mean".
 */
#ifndef SIM_NAME_INDEX_H
#define SIM_NAME_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct name_slot {
	const char *name; /* NULL: empty */
	uint32_t hash;
	uint32_t value;
};

/* {0} is empty. */
struct name_index {
	struct name_slot *slots; /* owned */
	size_t room;		 /* a power of two, or 0 */
	size_t count;
};

/* Values are below 2^32. */

/* Room for `count` names, so that nothing moves until there are more. */
void name_index_reserve(struct name_index *index, size_t count);

/* Give `name` a value; false, and nothing changed, if it has one already. */
bool name_index_add(struct name_index *index, const char *name, size_t value);

/* Give `name` this value, whether it had another or none. */
void name_index_put(struct name_index *index, const char *name, size_t value);

/* The value of `name`, or `otherwise`. */
size_t name_index_get(const struct name_index *index, const char *name,
		      size_t otherwise);

void name_index_release(struct name_index *index);

/* Search for the name most like another: fewest letters changed, capitals being
 * no change. */
struct name_nearest {
	const char *wanted; /* set by the caller */
	const char *best;   /* NULL at first, and if none is near enough */
	size_t distance;    /* of best */
};

/* Let `candidate` compete; of two equally near, the first stays. */
void name_nearest_try(struct name_nearest *nearest, const char *candidate);

#endif
