/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A small open-addressing table from a 64-bit key (never 0) to a pointer. For
 * finding things by the numbers they are known by (a destination by transport
 * and name); nothing is ever ordered by it.
 */
#ifndef MTA_TABLE_H
#define MTA_TABLE_H

#include "mta/types.h"

struct mta_table {
	uint64_t *keys; /* 0: free */
	void **values;
	uint32_t slot_count; /* a power of two, or 0 */
	uint32_t used_count;
};

void mta_table_init(struct mta_table *t);
void mta_table_release(struct mta_table *t);
/* The value of a key, or NULL. */
void *mta_table_find(const struct mta_table *t, uint64_t key);
/* key: not in the table. value: borrowed, not NULL. */
void mta_table_add(struct mta_table *t, uint64_t key, void *value);
/* key: in the table. */
void mta_table_remove(struct mta_table *t, uint64_t key);

#endif
