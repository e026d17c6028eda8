/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A small open-addressing table from a 64-bit key (never 0) to a pointer. For
 * finding things by the numbers they are known by (a destination by transport
 * and name); nothing is ever ordered by it.
 */
#ifndef MTA_TABLE_H
#define MTA_TABLE_H

#include "mta/types.h"

struct mta_table_slot {
	uint64_t key; /* 0: free */
	void *value;
};

struct mta_table {
	struct mta_table_slot *slots; /* owned */
	uint32_t slot_count;	      /* a power of two, or 0 */
	uint32_t used_count;	      /* keys in it */
};

void mta_table_init(struct mta_table *t);
void mta_table_release(struct mta_table *t);
/* key: not in the table. value: borrowed, not NULL. */
void mta_table_add(struct mta_table *t, uint64_t key, void *value);
/* key: in the table. */
void mta_table_remove(struct mta_table *t, uint64_t key);

/* Where the search for a key begins. */
static inline uint32_t
mta_table_home(const struct mta_table *t, uint64_t key)
{
	/* Fibonacci hashing: the high bits of the product are well mixed. */
	return (uint32_t)((key * 0x9e3779b97f4a7c15ULL) >> 32) &
	       (t->slot_count - 1);
}

/* The slot of a key, or the free one where it would go. There are slots. */
static inline uint32_t
mta_table_probe(const struct mta_table *t, uint64_t key)
{
	uint32_t i = mta_table_home(t, key);

	while (t->slots[i].key != key && t->slots[i].key != 0)
		i = (i + 1) & (t->slot_count - 1);
	return i;
}

/* The value of a key, or NULL. key: not 0 */
static inline void *
mta_table_find(const struct mta_table *t, uint64_t key)
{
	if (t->slot_count == 0)
		return NULL;
	return t->slots[mta_table_probe(t, key)].value;
}

#endif
