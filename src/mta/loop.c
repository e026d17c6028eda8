/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Timers of one loop: two 4-ary heaps, one in microseconds and one in whole
 * seconds, and a list of what is to be done at once. The state is in the loop
 * and in the timers.
 *
 * A timer that fires or is cancelled is only given up: its item stays in the
 * heap, without a timer, until it is first. So items need not know where they
 * are, and a timer that is set while the first item is given up (what fired is
 * set again) takes its place in one way down instead of two. When more than
 * half of the items are given up they are thrown out together.
 *
 * Invariants: a parent is not later than its children; every item has a slot of
 * its own; the at-once list is in the order of (at, sequence), because
 * `stepped` never runs backwards and a timer that is put there takes it as its
 * time; no key occurs twice.
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
 * Put an item where there is a hole. The hole sinks to the bottom
 * unconditionally and the item rises from there: it nearly always belongs near
 * the bottom, so that asking on the way down would be wasted.
 */
static void
heap_fill(struct mta_heap *h, uint32_t hole, struct mta_heap_item item)
{
	for (;;) {
		uint32_t child = hole * HEAP_WAYS + 1;

		if (child >= h->count)
			break;
		child = heap_least_child(h, child);
		h->items[hole] = h->items[child];
		hole = child;
	}
	heap_rise(h, hole, item);
}

static struct mta_timer *
heap_first(const struct mta_heap *h)
{
	return h->timers[item_slot(&h->items[0])];
}

static void
heap_note_first(struct mta_heap *h)
{
	h->first_is_gone = h->gone > 0 && !heap_first(h);
}

static void
heap_free_slot(struct mta_heap *h, uint32_t slot)
{
	h->free_slots[h->capacity - h->count] = slot;
	h->count--;
}

/* Make the first item one that has a timer, unless there is none. */
static void
heap_settle(struct mta_heap *h)
{
	while (h->first_is_gone) {
		heap_free_slot(h, item_slot(&h->items[0]));
		h->gone--;
		if (h->count > 0)
			heap_fill(h, 0, h->items[h->count]);
		heap_note_first(h);
	}
}

/* Throw out all items without a timer, and make a heap of the others. */
static void
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
	h->gone = 0;
	h->first_is_gone = false;
	/* The first alone is a heap; each next item rises to its place. */
	for (uint32_t i = 1; i < kept; i++)
		heap_rise(h, i, h->items[i]);
}

static void
heap_give_up(struct mta_heap *h, uint32_t slot)
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
	h->timers =
		mta_realloc(h->timers, capacity, sizeof(struct mta_timer *));
	h->free_slots =
		mta_realloc(h->free_slots, capacity, sizeof(*h->free_slots));
	for (uint32_t i = h->capacity; i < capacity; i++)
		h->free_slots[i - h->capacity] = i;
	h->capacity = capacity;
}

static void
heap_add(struct mta_heap *h, struct mta_timer *t)
{
	if (h->first_is_gone) {
		t->slot = item_slot(&h->items[0]);
		h->timers[t->slot] = t;
		h->gone--;
		heap_fill(h, 0, item_make(t->at, t->sequence, t->slot));
		heap_note_first(h);
		return;
	}
	if (h->count == h->capacity)
		heap_grow(h);
	h->count++;
	t->slot = h->free_slots[h->capacity - h->count];
	h->timers[t->slot] = t;
	heap_rise(h, h->count - 1, item_make(t->at, t->sequence, t->slot));
}

static void
heap_release(struct mta_heap *h)
{
	free(h->memory);
	free(h->timers);
	free(h->free_slots);
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
	l->next_is_known = false;
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
	l->next_is_known = false;
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
		heap_give_up(&l->exact, t->slot);
		break;
	case MTA_TIMER_SECONDS:
		mta_assert(l->seconds.timers[t->slot] == t);
		heap_give_up(&l->seconds, t->slot);
		break;
	}
	t->state = MTA_TIMER_IDLE;
	l->next_is_known = false;
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

static const struct mta_when never = {.at = MTA_NEVER, .sequence = UINT64_MAX};

/* Whose first item is settled by this. */
static inline struct mta_when
heap_next(struct mta_heap *h)
{
	if (h->first_is_gone)
		heap_settle(h);
	return h->count > 0 ? item_when(&h->items[0]) : never;
}

static struct mta_timer *
at_once_first(const struct mta_loop *l)
{
	return mta_container_of(l->at_once.next, struct mta_timer, link);
}

static struct mta_when
at_once_next(const struct mta_loop *l)
{
	const struct mta_timer *t = at_once_first(l);

	if (mta_list_is_empty(&l->at_once))
		return never;
	return (struct mta_when){.at = t->at, .sequence = t->sequence};
}

void
mta_loop_look(struct mta_loop *l)
{
	struct mta_when exact = heap_next(&l->exact);
	struct mta_when second = heap_next(&l->seconds);

	l->next = at_once_next(l);
	if (when_is_before(exact, l->next))
		l->next = exact;
	/* It fires no earlier than when its second begins. */
	if (second.at != MTA_NEVER &&
	    mta_from_seconds(second.at) <= l->next.at) {
		second.at = mta_timer_fires_at(l->now, second.at);
		if (second.at > l->now)
			second.at += l->oversleep;
		if (when_is_before(second, l->next))
			l->next = second;
	}
	l->next_of = l->now;
	l->next_is_known = true;
}

/* In one pass of a poll loop whole seconds that have come go before everything
 * else. */
static struct mta_timer *
loop_first_due(struct mta_loop *l)
{
	struct mta_when exact = heap_next(&l->exact);
	struct mta_when at_once = at_once_next(l);

	if (heap_next(&l->seconds).at <= mta_second(l->now))
		return heap_first(&l->seconds);
	if (when_is_before(at_once, exact))
		return at_once.at <= l->now ? at_once_first(l) : NULL;
	return exact.at <= l->now ? heap_first(&l->exact) : NULL;
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
