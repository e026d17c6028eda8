/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Linear probing with backward-shift deletion, so that there are no tombstones
 * and a table in which things come and go for ever stays as fast as a new one.
 */
#include "mta/pure.h"

#include "mta/table.h"

#include "mta/panic.h"

static uint32_t
table_home(const struct mta_table *t, uint64_t key)
{
	/* Fibonacci hashing: the high bits of the product are well mixed. */
	return (uint32_t)((key * 0x9e3779b97f4a7c15ULL) >> 32) &
	       (t->slot_count - 1);
}

void
mta_table_init(struct mta_table *t)
{
	*t = (struct mta_table){0};
}

void
mta_table_release(struct mta_table *t)
{
	free(t->keys);
	free(t->values);
	*t = (struct mta_table){0};
}

static uint32_t
table_probe(const struct mta_table *t, uint64_t key)
{
	uint32_t i = table_home(t, key);

	while (t->keys[i] != 0 && t->keys[i] != key)
		i = (i + 1) & (t->slot_count - 1);
	return i;
}

void *
mta_table_find(const struct mta_table *t, uint64_t key)
{
	uint32_t i;

	if (t->slot_count == 0)
		return NULL;
	i = table_probe(t, key);
	return t->keys[i] == key ? t->values[i] : NULL;
}

static void
table_grow(struct mta_table *t)
{
	struct mta_table old = *t;

	t->slot_count = old.slot_count ? old.slot_count * 2 : 64;
	t->keys = mta_alloc(t->slot_count, sizeof(*t->keys));
	t->values = mta_alloc(t->slot_count, sizeof(*t->values));
	for (uint32_t i = 0; i < old.slot_count; i++) {
		uint32_t j;

		if (old.keys[i] == 0)
			continue;
		j = table_probe(t, old.keys[i]);
		t->keys[j] = old.keys[i];
		t->values[j] = old.values[i];
	}
	free(old.keys);
	free(old.values);
}

void
mta_table_add(struct mta_table *t, uint64_t key, void *value)
{
	uint32_t i;

	mta_assert(key != 0);
	if ((uint64_t)t->used_count * 2 >= t->slot_count)
		table_grow(t);
	i = table_probe(t, key);
	mta_assert(t->keys[i] == 0);
	t->keys[i] = key;
	t->values[i] = value;
	t->used_count++;
}

void
mta_table_remove(struct mta_table *t, uint64_t key)
{
	uint32_t mask = t->slot_count - 1;
	uint32_t hole;

	mta_assert(t->slot_count != 0);
	hole = table_probe(t, key);
	mta_assert(t->keys[hole] == key);
	for (uint32_t i = (hole + 1) & mask; t->keys[i] != 0;
	     i = (i + 1) & mask) {
		uint32_t home = table_home(t, t->keys[i]);

		/* May what stands at i move back to the hole? */
		if (((i - home) & mask) < ((i - hole) & mask))
			continue;
		t->keys[hole] = t->keys[i];
		t->values[hole] = t->values[i];
		hole = i;
	}
	t->keys[hole] = 0;
	t->values[hole] = NULL;
	t->used_count--;
}
