/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Invariants: a parent is less than its children; places without an item, to
 * the end of the last family of siblings at least, hold the greatest number, so
 * that every family can be taken for whole.
 */
#include "mta/pure.h"

#include "mta/heap.h"

#include "mta/panic.h"

enum {
	HEAP_WAYS = 4, /* siblings fill one cache line */
	HEAP_LINE_BYTES = 64,
	HEAP_FIRST_CAPACITY = 64,
};

static const mta_key no_item = ~(mta_key)0;

/* Let the key rise from a hole to where it belongs. */
static void
heap_rise(struct mta_heap *h, uint32_t hole, mta_key key)
{
	while (hole > 0) {
		uint32_t parent = (hole - 1) / HEAP_WAYS;

		if (key > h->items[parent])
			break;
		h->items[hole] = h->items[parent];
		hole = parent;
	}
	h->items[hole] = key;
}

/* The lesser of items a and b, by arithmetic: a branch would be guessed wrong
 * every second time, and compilers do not always see that. */
static inline uint32_t
lesser(const mta_key *items, uint32_t a, uint32_t b)
{
	return a ^ ((a ^ b) & -(uint32_t)(items[b] < items[a]));
}

/* The least of the children, the first of which exists. */
static inline uint32_t
heap_least_child(const struct mta_heap *h, uint32_t first)
{
	const mta_key *i = h->items + first;

	return first + lesser(i, lesser(i, 0, 1), lesser(i, 2, 3));
}

/*
 * The hole sinks to the bottom unconditionally, and what was last rises from
 * there: it nearly always belongs near the bottom, so that asking on the way
 * down would be wasted.
 */
void
mta_heap_remove_first(struct mta_heap *h)
{
	uint32_t last = --h->count;
	mta_key key = h->items[last];
	uint32_t hole = 0;
	uint32_t child = 1;

	h->items[last] = no_item;
	while (child < last) {
		uint32_t least = heap_least_child(h, child);

		h->items[hole] = h->items[least];
		hole = least;
		child = hole * HEAP_WAYS + 1;
	}
	if (last > 0)
		heap_rise(h, hole, key);
}

/* Where in memory items are to begin, so that items[1], the first of four
 * siblings, begins a cache line. */
static size_t
items_offset(const void *memory)
{
	uintptr_t p = (uintptr_t)memory + sizeof(mta_key);

	return (HEAP_LINE_BYTES - p % HEAP_LINE_BYTES) % HEAP_LINE_BYTES;
}

MTA_RARE static void
heap_grow(struct mta_heap *h)
{
	uint32_t capacity = h->capacity ? h->capacity * 2 : HEAP_FIRST_CAPACITY;
	uint32_t places = capacity + HEAP_WAYS;
	void *memory = mta_alloc(
		(size_t)places * sizeof(mta_key) + HEAP_LINE_BYTES, 1);
	mta_key *items =
		(mta_key *)(void *)((char *)memory + items_offset(memory));

	if (h->count > 0)
		memcpy(items, h->items, h->count * sizeof(*items));
	for (uint32_t i = h->count; i < places; i++)
		items[i] = no_item;
	free(h->memory);
	h->memory = memory;
	h->items = items;
	h->capacity = capacity;
}

void
mta_heap_add(struct mta_heap *h, mta_key key)
{
	if (h->count == h->capacity)
		heap_grow(h);
	heap_rise(h, h->count++, key);
}

void
mta_heap_release(struct mta_heap *h)
{
	free(h->memory);
	*h = (struct mta_heap){0};
}
