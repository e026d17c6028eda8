/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Open addressing with linear probing, at most half full, FNV-1a. The nearest
 * name is by edits (insert, delete, replace, swap of neighbours); about a third
 * of the wanted name's letters may differ, at most three. A single letter and
 * names of more than 63 letters are never near anything.
 */
#include "sim/base/name_index.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mta/panic.h"
#include "sim/base/arena.h"

enum {
	NEAR_LETTERS = 63
};

static uint32_t
name_hash(const char *name)
{
	uint64_t hash = UINT64_C(14695981039346656037);
	for (; *name; name++) {
		hash ^= (unsigned char)*name;
		hash *= UINT64_C(1099511628211);
	}
	return (uint32_t)(hash ^ (hash >> 32));
}

/* The slot that holds `name`, or the empty one where it belongs. */
static struct name_slot *
index_slot(const struct name_index *index, const char *name, uint32_t hash)
{
	size_t at = hash & (index->room - 1);
	while (index->slots[at].name &&
	       (index->slots[at].hash != hash ||
		strcmp(index->slots[at].name, name) != 0))
		at = (at + 1) & (index->room - 1);
	return &index->slots[at];
}

/* To a power of two. */
static void
index_resize(struct name_index *index, size_t room)
{
	struct name_slot *slots = memory_array(room, sizeof(*slots));
	for (size_t i = 0; i < index->room; i++) {
		const struct name_slot *old = &index->slots[i];
		size_t at = old->hash & (room - 1);
		if (!old->name)
			continue;
		while (slots[at].name)
			at = (at + 1) & (room - 1);
		slots[at] = *old;
	}
	free(index->slots);
	index->slots = slots;
	index->room = room;
}

void
name_index_reserve(struct name_index *index, size_t count)
{
	size_t room = index->room ? index->room : 32;
	while (room / 2 < count)
		room *= 2;
	if (room > index->room)
		index_resize(index, room);
}

/* Give `name` a value; one that it has stays, unless `is_to_replace`. */
static bool
index_put(struct name_index *index, const char *name, size_t value,
	  bool is_to_replace)
{
	uint32_t hash = name_hash(name);
	struct name_slot *slot;
	bool is_new;

	name_index_reserve(index, index->count + 1);
	slot = index_slot(index, name, hash);
	is_new = !slot->name;
	mta_assert(value <= UINT32_MAX);
	if (is_new || is_to_replace)
		*slot = (struct name_slot){name, hash, (uint32_t)value};
	index->count += is_new;
	return is_new;
}

void
name_index_put(struct name_index *index, const char *name, size_t value)
{
	index_put(index, name, value, true);
}

bool
name_index_add(struct name_index *index, const char *name, size_t value)
{
	return index_put(index, name, value, false);
}

size_t
name_index_get(const struct name_index *index, const char *name,
	       size_t otherwise)
{
	if (!index->room)
		return otherwise;
	const struct name_slot *slot = index_slot(index, name, name_hash(name));
	return slot->name ? slot->value : otherwise;
}

void
name_index_release(struct name_index *index)
{
	free(index->slots);
	*index = (struct name_index){.slots = NULL};
}

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Letters are near their capitals: whoever writes one means the other. */
static bool
is_same_letter(char a, char b)
{
	return a == b ||
	       ((a ^ b) == 0x20 && (a | 0x20) >= 'a' && (a | 0x20) <= 'z');
}

/* Edits between two names of at most NEAR_LETTERS letters. */
static size_t
edit_distance(const char *a, size_t a_size, const char *b, size_t b_size)
{
	size_t rows[3][NEAR_LETTERS + 1] = {{0}};
	for (size_t j = 0; j <= b_size; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a_size; i++) {
		size_t *row = rows[i % 3];
		const size_t *last = rows[(i + 2) % 3];
		const size_t *before = rows[(i + 1) % 3];
		row[0] = i;
		for (size_t j = 1; j <= b_size; j++) {
			size_t same =
				is_same_letter(a[i - 1], b[j - 1]) ? 0 : 1;
			size_t d = least(last[j] + 1, row[j - 1] + 1);
			d = least(d, last[j - 1] + same);
			if (i > 1 && j > 1 &&
			    is_same_letter(a[i - 1], b[j - 2]) &&
			    is_same_letter(a[i - 2], b[j - 1]))
				d = least(d, before[j - 2] + 1);
			row[j] = d;
		}
	}
	return rows[a_size % 3][b_size];
}

void
name_nearest_try(struct name_nearest *nearest, const char *candidate)
{
	size_t wanted = strlen(nearest->wanted);
	size_t size = strlen(candidate);
	if (wanted > NEAR_LETTERS || size > NEAR_LETTERS)
		return;
	size_t most = least(3, (wanted + 1) / 3);
	size_t apart = wanted > size ? wanted - size : size - wanted;
	if (apart > most)
		return;
	size_t d = edit_distance(nearest->wanted, wanted, candidate, size);
	if (d > most || (nearest->best && d >= nearest->distance))
		return;
	nearest->best = candidate;
	nearest->distance = d;
}
