/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Timers of one loop: two 4-ary heaps, one in microseconds and one in whole
 * seconds, and a list of what is to be done at once. The state is in the loop
 * and in the timers; an armed timer knows its place, so that it can be moved or
 * cancelled without a search.
 *
 * Invariants: a parent is not later than its children; the at-once list is in
 * the order of (at, sequence), because `stepped` never runs backwards and a
 * timer that is put there takes it as its time; no key occurs twice.
 *
 * Most timers of a simulation are "at once": they cost two pointers and never
 * see a heap.
 */
#include "mta/loop.h"

#include "mta/rules.h"

/*
 * An item is one number of 128 bits: the time (64, the sign turned to give
 * unsigned order), the sequence of setting (40), the timer's slot (24, never
 * decides). One wide compare instead of two with a branch between: the outcome
 * is a coin toss, and a wrong guess costs more than the heap's memory. Four
 * siblings fill one cache line.
 *
 * What sinks and rises writes its place into a small array by slot, not into
 * the timer: with many timers each such write would miss the cache.
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
};

/* ---- heap -----------------------------------------------------------------
 */

static struct mta_heap_item
item_make(mta_time at, uint64_t sequence, uint32_t slot)
{
	uint64_t order = (uint64_t)at ^ UINT64_C(1) << 63;

	mta_assert(sequence >> (64 - HEAP_SLOT_BITS) == 0);
	return (struct mta_heap_item){
		.key = (heap_key)order << 64 |
		       (sequence << HEAP_SLOT_BITS | slot)};
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

static void
heap_put(struct mta_heap *h, uint32_t place, struct mta_heap_item item)
{
	h->items[place] = item;
	h->places[item_slot(&item)] = place;
}

/* Let the item rise from a hole to where it belongs. */
static void
heap_rise(struct mta_heap *h, uint32_t hole, struct mta_heap_item item)
{
	while (hole > 0) {
		uint32_t parent = (hole - 1) / HEAP_WAYS;

		if (item.key > h->items[parent].key)
			break;
		heap_put(h, hole, h->items[parent]);
		hole = parent;
	}
	heap_put(h, hole, item);
}

/* The earlier of two places, without a branch. */
static uint32_t
earlier(const struct mta_heap_item *items, uint32_t a, uint32_t b)
{
	uint32_t b_is_first = items[b].key < items[a].key;

	return a ^ ((a ^ b) & (0U - b_is_first));
}

/* The earliest of the children, the first of which exists. */
static uint32_t
heap_least_child(const struct mta_heap *h, uint32_t first)
{
	uint32_t least = first;

	if (first + HEAP_WAYS <= h->count)
		return earlier(h->items, earlier(h->items, first, first + 1),
			       earlier(h->items, first + 2, first + 3));
	for (uint32_t i = first + 1; i < h->count; i++)
		least = earlier(h->items, least, i);
	return least;
}

/*
 * Take away the item at a place. The hole sinks to the bottom unconditionally
 * and the last item rises from there: it came from the bottom and nearly always
 * belongs there, so that asking on the way down would be wasted.
 */
static void
heap_remove(struct mta_heap *h, uint32_t slot)
{
	uint32_t hole = h->places[slot];
	struct mta_heap_item last;

	mta_assert(hole < h->count);
	h->places[slot] = h->free_slot;
	h->free_slot = slot;
	last = h->items[--h->count];
	if (hole == h->count)
		return;
	for (;;) {
		uint32_t child = hole * HEAP_WAYS + 1;

		if (child >= h->count)
			break;
		child = heap_least_child(h, child);
		heap_put(h, hole, h->items[child]);
		hole = child;
	}
	heap_rise(h, hole, last);
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

static void
heap_grow(struct mta_heap *h)
{
	uint32_t capacity = h->capacity ? h->capacity * 2 : HEAP_FIRST_CAPACITY;
	void *memory = mta_alloc(
		(size_t)capacity * sizeof(*h->items) + HEAP_LINE_BYTES, 1);
	struct mta_heap_item *items = items_align(memory);

	mta_assert(capacity <= HEAP_CAPACITY_MAX);
	if (h->count > 0)
		memcpy(items, h->items, h->count * sizeof(*items));
	free(h->memory);
	h->memory = memory;
	h->items = items;
	h->places = mta_realloc(h->places, capacity, sizeof(*h->places));
	h->timers =
		mta_realloc(h->timers, capacity, sizeof(struct mta_timer *));
	for (uint32_t i = h->capacity; i < capacity; i++)
		h->places[i] = i + 1;
	h->free_slot = h->capacity;
	h->capacity = capacity;
}

static void
heap_add(struct mta_heap *h, struct mta_timer *t)
{
	if (h->count == h->capacity)
		heap_grow(h);
	t->slot = h->free_slot;
	h->free_slot = h->places[t->slot];
	h->timers[t->slot] = t;
	h->count++;
	heap_rise(h, h->count - 1, item_make(t->at, t->sequence, t->slot));
}

static void
heap_release(struct mta_heap *h)
{
	free(h->memory);
	free(h->places);
	free(h->timers);
}

/* ---- timers ---------------------------------------------------------------
 */

void
mta_loop_init(struct mta_loop *l, uint64_t *sequence, mta_time now)
{
	*l = (struct mta_loop){
		.now = now, .stepped = now, .sequence = sequence};
	mta_list_init(&l->at_once);
}

void
mta_loop_release(struct mta_loop *l)
{
	heap_release(&l->exact);
	heap_release(&l->seconds);
	*l = (struct mta_loop){.sequence = l->sequence};
	mta_list_init(&l->at_once);
}

void
mta_timer_init(struct mta_timer *t, void (*fire)(struct mta_timer *))
{
	*t = (struct mta_timer){.fire = fire, .state = MTA_TIMER_IDLE};
	mta_list_init(&t->link);
}

void
mta_timer_set(struct mta_loop *l, struct mta_timer *t, mta_time at)
{
	mta_timer_cancel(l, t);
	t->sequence = (*l->sequence)++;
	if (at <= l->stepped) {
		t->at = l->stepped;
		t->state = MTA_TIMER_AT_ONCE;
		mta_list_append(&l->at_once, &t->link);
	} else {
		t->at = at;
		t->state = MTA_TIMER_EXACT;
		heap_add(&l->exact, t);
	}
}

/* R-TIMER-SECONDS */
void
mta_timer_after_s(struct mta_loop *l, struct mta_timer *t, int32_t seconds)
{
	mta_timer_cancel(l, t);
	t->sequence = (*l->sequence)++;
	t->at = mta_second(l->now) + seconds;
	t->state = MTA_TIMER_SECONDS;
	heap_add(&l->seconds, t);
}

void
mta_timer_cancel(struct mta_loop *l, struct mta_timer *t)
{
	switch ((enum mta_timer_state)t->state) {
	case MTA_TIMER_IDLE:
		return;
	case MTA_TIMER_AT_ONCE:
		mta_list_remove(&t->link);
		break;
	case MTA_TIMER_EXACT:
		mta_assert(l->exact.timers[t->slot] == t);
		heap_remove(&l->exact, t->slot);
		break;
	case MTA_TIMER_SECONDS:
		mta_assert(l->seconds.timers[t->slot] == t);
		heap_remove(&l->seconds, t->slot);
		break;
	}
	t->state = MTA_TIMER_IDLE;
}

bool
mta_timer_is_armed(const struct mta_timer *t)
{
	return t->state != MTA_TIMER_IDLE;
}

/* ---- steps ----------------------------------------------------------------
 */

static bool
when_is_before(struct mta_when a, struct mta_when b)
{
	return a.at < b.at || (a.at == b.at && a.sequence < b.sequence);
}

/* The first timer of a heap; not empty. */
static struct mta_timer *
heap_first(const struct mta_heap *h)
{
	return h->timers[item_slot(&h->items[0])];
}

/* The first timer whose time is exact, at once or later; NULL: none. */
struct first {
	struct mta_timer *timer;
	struct mta_when when;
};

static struct first
loop_first_exact(const struct mta_loop *l)
{
	struct first first = {
		.when = {.at = MTA_NEVER, .sequence = UINT64_MAX}};

	if (!mta_list_is_empty(&l->at_once)) {
		first.timer = mta_container_of(l->at_once.next,
					       struct mta_timer, link);
		first.when =
			(struct mta_when){.at = first.timer->at,
					  .sequence = first.timer->sequence};
	}
	if (l->exact.count > 0) {
		struct mta_when when = item_when(&l->exact.items[0]);

		if (when_is_before(when, first.when))
			first = (struct first){.timer = heap_first(&l->exact),
					       .when = when};
	}
	return first;
}

struct mta_when
mta_loop_next(const struct mta_loop *l)
{
	struct mta_when when = loop_first_exact(l).when;

	if (l->seconds.count > 0) {
		struct mta_when second = item_when(&l->seconds.items[0]);

		second.at = mta_timer_fires_at(l->now, second.at);
		if (second.at > l->now)
			second.at += l->oversleep;
		if (when_is_before(second, when))
			when = second;
	}
	return when;
}

/* In one pass of a poll loop whole seconds that have come go before everything
 * else. */
static struct mta_timer *
loop_first_due(const struct mta_loop *l)
{
	struct first first;

	if (l->seconds.count > 0 &&
	    item_when(&l->seconds.items[0]).at <= mta_second(l->now))
		return heap_first(&l->seconds);
	first = loop_first_exact(l);
	return first.when.at <= l->now ? first.timer : NULL;
}

bool
mta_loop_step(struct mta_loop *l, mta_time now)
{
	struct mta_timer *t;

	mta_assert(now >= l->stepped);
	l->now = now;
	l->stepped = now;
	t = loop_first_due(l);
	if (!t)
		return false;
	mta_timer_cancel(l, t);
	t->fire(t);
	return true;
}
