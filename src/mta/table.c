/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Linear probing with backward-shift deletion, so that there are no tombstones
 * and a table in which things come and go for ever stays as fast as a new one.
 */
#include "mta/pure.h"

#include "mta/table.h"

#include "mta/panic.h"

void
mta_table_init(struct mta_table *t)
{
	*t = (struct mta_table){0};
}

void
mta_table_release(struct mta_table *t)
{
	free(t->slots);
	*t = (struct mta_table){0};
}

MTA_RARE static void
table_grow(struct mta_table *t)
{
	struct mta_table old = *t;

	t->slot_count = old.slot_count ? old.slot_count * 2 : 64;
	t->slots = mta_alloc(t->slot_count, sizeof(*t->slots));
	for (uint32_t i = 0; i < old.slot_count; i++)
		if (old.slots[i].key != 0)
			t->slots[mta_table_probe(t, old.slots[i].key)] =
				old.slots[i];
	free(old.slots);
}

void
mta_table_add(struct mta_table *t, uint64_t key, void *value)
{
	uint32_t i;

	mta_assert(key != 0);
	if ((uint64_t)t->used_count * 2 >= t->slot_count)
		table_grow(t);
	i = mta_table_probe(t, key);
	mta_assert(t->slots[i].key == 0);
	t->slots[i] = (struct mta_table_slot){.key = key, .value = value};
	t->used_count++;
}

void
mta_table_remove(struct mta_table *t, uint64_t key)
{
	uint32_t mask = t->slot_count - 1;
	uint32_t hole;

	mta_assert(t->slot_count != 0);
	hole = mta_table_probe(t, key);
	mta_assert(t->slots[hole].key == key);
	for (uint32_t i = (hole + 1) & mask; t->slots[i].key != 0;
	     i = (i + 1) & mask) {
		uint32_t home = mta_table_home(t, t->slots[i].key);

		/* May what stands at i move back to the hole? */
		if (((i - home) & mask) < ((i - hole) & mask))
			continue;
		t->slots[hole] = t->slots[i];
		hole = i;
	}
	t->slots[hole] = (struct mta_table_slot){0};
	t->used_count--;
}
