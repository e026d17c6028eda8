/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A 4-ary heap of timers. One that fires or is cancelled is only given up: its
 * item stays in the heap, without a timer, and the next timer that is set while
 * the first item is given up (what fired is set again, a new delivery begins)
 * takes its place in one way down instead of two. So items need not know where
 * they are. When more than half of them are given up they are thrown out
 * together.
 *
 * Invariants: a parent is not later than its children; every item has a slot of
 * its own; no key occurs twice.
 */
#include "mta/heap.h"

#include "mta/panic.h"

/*
 * An item is one number of 128 bits: the time (64, the sign turned to give
 * unsigned order), the sequence of setting (40), the timer's slot (24, never
 * decides). One wide compare instead of two with a branch between: the outcome
 * is a coin toss, and a wrong guess costs more than the heap's memory. Four
 * siblings fill one cache line.
 */
__extension__ typedef unsigned __int128 heap_key;

struct mta_heap_item {
	heap_key key;
};

enum {
	HEAP_WAYS = 4,
	HEAP_LINE_BYTES = 64,
	HEAP_FIRST_CAPACITY = 64,
	HEAP_SLOT_BITS = 24,
	HEAP_CAPACITY_MAX = 1 << HEAP_SLOT_BITS,
	HEAP_GONE_LEAST = 64, /* fewer are not worth throwing out */
	HEAP_FETCH_LEVELS = 3,
};

static struct mta_heap_item
item_make(struct mta_when when, uint32_t slot)
{
	uint64_t order = (uint64_t)when.at ^ UINT64_C(1) << 63;

	mta_assert(when.sequence >> (64 - HEAP_SLOT_BITS) == 0);
	return (struct mta_heap_item){
		.key = (heap_key)order << 64 |
		       (when.sequence << HEAP_SLOT_BITS | slot)};
}

static struct mta_when
item_when(const struct mta_heap_item *i)
{
	return (struct mta_when){
		.at = (mta_time)((uint64_t)(i->key >> 64) ^ UINT64_C(1) << 63),
		.sequence = (uint64_t)i->key >> HEAP_SLOT_BITS};
}

static uint32_t
item_slot(const struct mta_heap_item *i)
{
	return (uint32_t)i->key & (HEAP_CAPACITY_MAX - 1);
}

/* Let the item rise from a hole to where it belongs. */
static void
heap_rise(struct mta_heap *h, uint32_t hole, struct mta_heap_item item)
{
	while (hole > 0) {
		uint32_t parent = (hole - 1) / HEAP_WAYS;

		if (item.key > h->items[parent].key)
			break;
		h->items[hole] = h->items[parent];
		hole = parent;
	}
	h->items[hole] = item;
}

/* The earlier of items a and b, by arithmetic: a branch would be guessed wrong
 * every second time, and compilers do not always see that. */
static inline uint32_t
earlier(const struct mta_heap_item *items, uint32_t a, uint32_t b)
{
	return a ^ ((a ^ b) & -(uint32_t)(items[b].key < items[a].key));
}

/* The earliest of the children, the first of which exists. */
static inline uint32_t
heap_least_child(const struct mta_heap *h, uint32_t first)
{
	const struct mta_heap_item *i = h->items + first;

	return first + earlier(i, earlier(i, 0, 1), earlier(i, 2, 3));
}

/*
 * Put an item where the first was. The hole sinks to the bottom unconditionally
 * and the item rises from there: it nearly always belongs near the bottom, so
 * that asking on the way down would be wasted.
 *
 * What has come near the top will soon fire: its timer is fetched, and a level
 * before that where it stands. With many timers both are memory that is cold.
 */
static void
heap_replace_first(struct mta_heap *h, struct mta_heap_item item)
{
	uint32_t way[HEAP_FETCH_LEVELS] = {0};
	uint32_t level = 0;
	uint32_t hole = 0;
	uint32_t child = 1;

	while (child < h->count) {
		uint32_t least = heap_least_child(h, child);

		h->items[hole] = h->items[least];
		hole = least;
		child = hole * HEAP_WAYS + 1;
		if (level < HEAP_FETCH_LEVELS)
			way[level++] = hole;
	}
	heap_rise(h, hole, item);
	__builtin_prefetch(h->timers[item_slot(&h->items[way[1]])], 1);
	__builtin_prefetch(&h->timers[item_slot(&h->items[way[2]])]);
}

static struct mta_timer *
item_timer(const struct mta_heap *h, const struct mta_heap_item *i)
{
	return h->timers[item_slot(i)];
}

static void
heap_note_first(struct mta_heap *h)
{
	h->first_is_gone = h->gone > 0 && !item_timer(h, &h->items[0]);
}

static void
heap_free_slot(struct mta_heap *h, uint32_t slot)
{
	h->free_slots[h->capacity - h->count] = slot;
	h->count--;
}

/* Places without an item, to the end of the last family of siblings at least,
 * are later than any: so every family can be taken for whole. */
static void
heap_clear_places(struct mta_heap *h, uint32_t from, uint32_t end)
{
	for (uint32_t i = from; i < end; i++)
		h->items[i].key = ~(heap_key)0;
}

/* Make the first item one that has a timer, unless there is none. */
static void
heap_settle(struct mta_heap *h)
{
	while (h->first_is_gone) {
		struct mta_heap_item last = h->items[h->count - 1];

		heap_free_slot(h, item_slot(&h->items[0]));
		h->gone--;
		heap_clear_places(h, h->count, h->count + 1);
		if (h->count > 0)
			heap_replace_first(h, last);
		heap_note_first(h);
	}
}

/* Where the first item of all has been given up, but none of its children, it
 * stays for whoever is set next. */
struct mta_timer *
mta_heap_first(struct mta_heap *h, struct mta_when *when)
{
	const struct mta_heap_item *first = h->items;

	if (h->first_is_gone && h->count > 1) {
		first += heap_least_child(h, 1);
		if (h->gone > 1 && !item_timer(h, first)) {
			heap_settle(h);
			first = h->items;
		}
	} else if (h->first_is_gone) {
		heap_settle(h);
	}
	if (h->count == 0) {
		*when = (struct mta_when){MTA_NEVER, UINT64_MAX};
		return NULL;
	}
	*when = item_when(first);
	return item_timer(h, first);
}

/* Throw out all items without a timer, and make a heap of the others. */
MTA_RARE static void
heap_tidy(struct mta_heap *h)
{
	uint32_t all = h->count;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < all; i++) {
		uint32_t slot = item_slot(&h->items[i]);

		if (h->timers[slot])
			h->items[kept++] = h->items[i];
		else
			heap_free_slot(h, slot);
	}
	mta_assert(kept == h->count);
	heap_clear_places(h, kept, all);
	h->gone = 0;
	h->first_is_gone = false;
	/* The first alone is a heap; each next item rises to its place. */
	for (uint32_t i = 1; i < kept; i++)
		heap_rise(h, i, h->items[i]);
}

void
mta_heap_give_up(struct mta_heap *h, uint32_t slot)
{
	h->timers[slot] = NULL;
	h->gone++;
	if (item_slot(&h->items[0]) == slot)
		h->first_is_gone = true;
	if (h->gone > HEAP_GONE_LEAST && h->gone > h->count / 2)
		heap_tidy(h);
}

/* Room for items in which items[1], the first of four siblings, begins a cache
 * line. */
static struct mta_heap_item *
items_align(void *memory)
{
	uintptr_t p = (uintptr_t)memory + sizeof(struct mta_heap_item);
	size_t off = (HEAP_LINE_BYTES - p % HEAP_LINE_BYTES) % HEAP_LINE_BYTES;

	return (struct mta_heap_item *)(void *)((char *)memory + off);
}

MTA_RARE static void
heap_grow(struct mta_heap *h)
{
	uint32_t capacity = h->capacity ? h->capacity * 2 : HEAP_FIRST_CAPACITY;
	uint32_t places = capacity + HEAP_WAYS;
	void *memory = mta_alloc(
		(size_t)places * sizeof(*h->items) + HEAP_LINE_BYTES, 1);
	struct mta_heap_item *items = items_align(memory);

	mta_assert(capacity <= HEAP_CAPACITY_MAX);
	if (h->count > 0)
		memcpy(items, h->items, h->count * sizeof(*items));
	free(h->memory);
	h->memory = memory;
	h->items = items;
	heap_clear_places(h, h->count, places);
	h->timers =
		mta_realloc(h->timers, capacity, sizeof(struct mta_timer *));
	h->free_slots =
		mta_realloc(h->free_slots, capacity, sizeof(*h->free_slots));
	for (uint32_t i = h->capacity; i < capacity; i++)
		h->free_slots[i - h->capacity] = i;
	h->capacity = capacity;
}

uint32_t
mta_heap_add(struct mta_heap *h, struct mta_when when, struct mta_timer *timer)
{
	uint32_t slot;

	if (h->first_is_gone) {
		slot = item_slot(&h->items[0]);
		h->timers[slot] = timer;
		h->gone--;
		heap_replace_first(h, item_make(when, slot));
		heap_note_first(h);
		return slot;
	}
	if (h->count == h->capacity)
		heap_grow(h);
	h->count++;
	slot = h->free_slots[h->capacity - h->count];
	h->timers[slot] = timer;
	heap_rise(h, h->count - 1, item_make(when, slot));
	return slot;
}

void
mta_heap_release(struct mta_heap *h)
{
	free(h->memory);
	free(h->timers);
	free(h->free_slots);
	*h = (struct mta_heap){0};
}
