/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A timer that fires or is cancelled is only given up: its key stays where it
 * is, without a timer, until it is passed. When more than half of all keys, and
 * not only a few, are such, they are thrown out together.
 *
 * Invariants: keys in the row are before `far`, those in buckets are not. A
 * key stands in the bucket of the first digit in which its time differed from
 * `far` when it was put there. `far` passes no bucket that has keys, a bucket
 * in whose range it has come is put anew, and so are all when it goes back: so
 * the keys of a bucket agree with `far` in all digits above, and what is in a
 * bucket of a lower level is before all that is in higher ones. Keys of one
 * time are always together, and in the order of their setting: however many
 * they are, each comes behind the last of the row. The first of the row has a
 * timer.
 */
#include "mta/pure.h"

#include "mta/wheel.h"

#include "mta/panic.h"

/*
 * A key is one number of 128 bits: the time (64, the sign turned to give
 * unsigned order), the sequence of setting (40), the timer's slot (24, never
 * decides).
 */
enum {
	SLOT_BITS = 24,
	SLOTS_MAX = 1 << SLOT_BITS,
	SLOTS_FIRST = 64,
	CHUNK_KEYS = 15,
	CHUNKS_FIRST = 64,
	NEAR_FEW = 48,	   /* a bucket with no more comes near as it is */
	NEAR_MOST = 256,   /* a row that has so many more is not short, */
	NEAR_SHARE = 8,	   /* nor one of which they are such a part */
	FETCH_MOST = 4096, /* timers that stay in the cache until they fire */
	GONE_LEAST = 64,   /* fewer are not worth throwing out */
};

/* Keys of one bucket: 256 bytes, of which the last 8 are links. */
struct mta_wheel_chunk {
	mta_key keys[CHUNK_KEYS];
	uint32_t next; /* filled after it, or free; from 1; 0: none */
	uint32_t count;
};

/* ---- keys --------------------------------------------------------------- */

static mta_key
key_make(struct mta_when when, uint32_t slot)
{
	uint64_t order = (uint64_t)when.at ^ UINT64_C(1) << 63;

	mta_assert(when.sequence >> (64 - SLOT_BITS) == 0);
	return (mta_key)order << 64 | (when.sequence << SLOT_BITS | slot);
}

/* The time in unsigned order. */
static uint64_t
key_order(mta_key key)
{
	return (uint64_t)(key >> 64);
}

static struct mta_when
key_when(mta_key key)
{
	return (struct mta_when){
		.at = (mta_time)(key_order(key) ^ UINT64_C(1) << 63),
		.sequence = (uint64_t)key >> SLOT_BITS};
}

static uint32_t
key_slot(mta_key key)
{
	return (uint32_t)key & (SLOTS_MAX - 1);
}

/* ---- slots -------------------------------------------------------------- */

MTA_RARE static void
slots_grow(struct mta_wheel *w)
{
	uint32_t old = w->slot_capacity;
	uint32_t capacity = old ? old * 2 : SLOTS_FIRST;

	mta_assert(capacity <= SLOTS_MAX);
	w->timers = mta_realloc(w->timers, capacity, sizeof(*w->timers));
	w->free_slots =
		mta_realloc(w->free_slots, capacity, sizeof(*w->free_slots));
	for (uint32_t slot = capacity; slot-- > old;)
		w->free_slots[w->slot_count++] = slot;
	w->slot_capacity = capacity;
}

static inline uint32_t
slot_take(struct mta_wheel *w, struct mta_timer *timer)
{
	uint32_t slot;

	if (w->slot_count == 0)
		slots_grow(w);
	slot = w->free_slots[--w->slot_count];
	w->timers[slot] = timer;
	return slot;
}

static inline void
slot_free(struct mta_wheel *w, uint32_t slot)
{
	w->free_slots[w->slot_count++] = slot;
}

/* ---- buckets ------------------------------------------------------------ */

MTA_RARE static void
chunks_grow(struct mta_wheel *w)
{
	uint32_t old = w->chunk_capacity;
	uint32_t capacity = old ? old * 2 : CHUNKS_FIRST;

	w->chunks = mta_realloc(w->chunks, capacity, sizeof(*w->chunks));
	for (uint32_t i = capacity; i > old; i--) {
		w->chunks[i - 1].next = w->free_chunk;
		w->free_chunk = i;
	}
	w->chunk_capacity = capacity;
}

/* Begin another chunk of a bucket. */
static void
bucket_extend(struct mta_wheel *w, struct mta_bucket *b)
{
	struct mta_wheel_chunk *chunk;
	uint32_t number;

	if (w->free_chunk == 0)
		chunks_grow(w);
	number = w->free_chunk;
	chunk = &w->chunks[number - 1];
	w->free_chunk = chunk->next;
	chunk->next = 0;
	chunk->count = 0;
	if (b->first == 0)
		b->first = number;
	else
		w->chunks[b->last - 1].next = number;
	b->last = number;
}

static inline unsigned
digit_of(uint64_t order, unsigned level)
{
	return order >> level * MTA_WHEEL_DIGIT_BITS & (MTA_WHEEL_DIGITS - 1);
}

/* Where a key stands that is not before `far`. */
struct spot {
	unsigned level;
	unsigned digit;
};

static inline struct spot
key_spot(const struct mta_wheel *w, mta_key key)
{
	uint64_t order = key_order(key);
	unsigned differs = 63 - (unsigned)__builtin_clzll((order ^ w->far) | 1);
	unsigned level = differs / MTA_WHEEL_DIGIT_BITS;

	return (struct spot){.level = level, .digit = digit_of(order, level)};
}

static inline bool
bucket_is_full(const struct mta_wheel *w, const struct mta_bucket *b)
{
	return b->last == 0 || w->chunks[b->last - 1].count == CHUNK_KEYS;
}

/* Put a key into its bucket, which has room. */
static inline void
key_put_at(struct mta_wheel *w, mta_key key, struct spot at)
{
	struct mta_bucket *b = &w->buckets[at.level][at.digit];
	struct mta_wheel_chunk *chunk = &w->chunks[b->last - 1];

	chunk->keys[chunk->count++] = key;
	b->count++;
	w->filled[at.level] |= UINT64_C(1) << at.digit;
	w->levels |= 1U << at.level;
}

MTA_APART static void
key_file_further(struct mta_wheel *w, mta_key key)
{
	struct spot at = key_spot(w, key);

	bucket_extend(w, &w->buckets[at.level][at.digit]);
	key_put_at(w, key, at);
}

/* Put a key, which is not before `far`, into its bucket. */
static inline void
key_file(struct mta_wheel *w, mta_key key)
{
	struct spot at = key_spot(w, key);

	if (bucket_is_full(w, &w->buckets[at.level][at.digit]))
		key_file_further(w, key);
	else
		key_put_at(w, key, at);
}

/* Has the key's timer been given up? Then the key is at its end. */
static inline bool
key_is_gone(struct mta_wheel *w, mta_key key)
{
	uint32_t slot = key_slot(key);

	if (w->timers[slot])
		return false;
	slot_free(w, slot);
	w->gone--;
	return true;
}

/* Put a key anew, unless its timer is given up. */
static inline void
key_put(struct mta_wheel *w, mta_key key)
{
	if (w->gone > 0 && key_is_gone(w, key))
		return;
	if (key_order(key) < w->far)
		mta_row_add(&w->near, key);
	else
		key_file(w, key);
}

/*
 * Empty a bucket, and put its keys anew. Timers are memory that is cold: those
 * of few keys, which will soon fire, are fetched.
 */
static void
bucket_put(struct mta_wheel *w, unsigned level, unsigned digit)
{
	struct mta_bucket *b = &w->buckets[level][digit];
	bool fetch = b->count <= FETCH_MOST;
	uint32_t number = b->first;

	w->filled[level] &= ~(UINT64_C(1) << digit);
	if (!w->filled[level])
		w->levels &= ~(1U << level);
	*b = (struct mta_bucket){0};
	while (number != 0) {
		uint32_t place = number - 1; /* chunks move when they grow */
		uint32_t count = w->chunks[place].count;

		for (uint32_t i = 0; i < count; i++) {
			mta_key key = w->chunks[place].keys[i];

			if (fetch)
				__builtin_prefetch(w->timers[key_slot(key)], 1);
			key_put(w, key);
		}
		number = w->chunks[place].next;
		w->chunks[place].next = w->free_chunk;
		w->free_chunk = place + 1;
	}
}

/*
 * Put all keys anew, but those without a timer. Where `far` has gone back, a
 * key stands in a bucket of the same level or of a higher one; so those come
 * first.
 */
MTA_RARE static void
wheel_put(struct mta_wheel *w)
{
	struct mta_row old = w->near;

	w->near = (struct mta_row){0};
	for (unsigned level = MTA_WHEEL_LEVELS; level-- > 0;)
		for (unsigned digit = 0; digit < MTA_WHEEL_DIGITS; digit++)
			if (w->filled[level] >> digit & 1)
				bucket_put(w, level, digit);
	for (const mta_key *key = old.first; key != old.end; key++)
		key_put(w, *key);
	mta_row_release(&old);
	mta_assert(w->gone == 0);
}

/* With so many more than it has now it is crowded. */
static inline void
near_begins(struct mta_wheel *w)
{
	uint32_t count = mta_row_count(&w->near);

	w->near_most = count + count / NEAR_SHARE + NEAR_MOST;
}

/* What was first was far away, and much has been set before it since. */
MTA_RARE static void
near_is_crowded(struct mta_wheel *w)
{
	w->far = key_order(*w->near.first) + 1;
	wheel_put(w);
	near_begins(w);
}

/* ---- from far to near --------------------------------------------------- */

/* The last time in a bucket, which is not empty. */
static uint64_t
bucket_last(const struct mta_wheel *w, const struct mta_bucket *b)
{
	uint64_t last = 0;

	for (uint32_t number = b->first; number != 0;) {
		const struct mta_wheel_chunk *chunk = &w->chunks[number - 1];

		for (uint32_t i = 0; i < chunk->count; i++)
			if (key_order(chunk->keys[i]) > last)
				last = key_order(chunk->keys[i]);
		number = chunk->next;
	}
	return last;
}

/* When the range of a bucket begins, which is after `far`. */
static uint64_t
bucket_begins(const struct mta_wheel *w, unsigned level, unsigned digit)
{
	unsigned shift = level * MTA_WHEEL_DIGIT_BITS;
	uint64_t ours = (UINT64_C(1) << shift) - 1;

	ours |= (uint64_t)(MTA_WHEEL_DIGITS - 1) << shift;
	return (w->far & ~ours) | (uint64_t)digit << shift;
}

/* The buckets in whose range `far` has come: from the highest on, since their
 * keys go to lower ones. */
static void
far_has_come(struct mta_wheel *w)
{
	for (uint32_t levels = w->levels & ~1U; levels;) {
		unsigned level = 31 - (unsigned)__builtin_clz(levels);
		unsigned digit = digit_of(w->far, level);

		if (w->filled[level] >> digit & 1)
			bucket_put(w, level, digit);
		levels = w->levels & ((1U << level) - 2);
	}
}

/* Let some of the first keys come near, if there are any. */
static void
wheel_turn(struct mta_wheel *w)
{
	while (w->levels && mta_row_is_empty(&w->near)) {
		unsigned level = (unsigned)__builtin_ctz(w->levels);
		unsigned digit = (unsigned)__builtin_ctzll(w->filled[level]);
		const struct mta_bucket *b = &w->buckets[level][digit];

		if (level == 0 || b->count <= NEAR_FEW)
			w->far = bucket_last(w, b) + 1;
		else
			w->far = bucket_begins(w, level, digit);
		bucket_put(w, level, digit);
		far_has_come(w);
	}
	near_begins(w);
}

/* The first of the row, which is not empty. */
static inline struct mta_timer *
near_first(const struct mta_wheel *w, struct mta_when *when)
{
	*when = key_when(*w->near.first);
	return w->timers[key_slot(*w->near.first)];
}

MTA_APART static struct mta_timer *
far_first(struct mta_wheel *w, struct mta_when *when)
{
	wheel_turn(w);
	if (!mta_row_is_empty(&w->near))
		return near_first(w, when);
	*when = (struct mta_when){MTA_NEVER, UINT64_MAX};
	return NULL;
}

struct mta_timer *
mta_wheel_first(struct mta_wheel *w, struct mta_when *when)
{
	return mta_row_is_empty(&w->near) ? far_first(w, when)
					  : near_first(w, when);
}

/* ---- setting and giving up ---------------------------------------------- */

MTA_APART static void
near_add(struct mta_wheel *w, mta_key key)
{
	mta_row_add(&w->near, key);
	if (mta_row_count(&w->near) > w->near_most)
		near_is_crowded(w);
}

uint32_t
mta_wheel_add(struct mta_wheel *w, struct mta_when when,
	      struct mta_timer *timer)
{
	uint32_t slot = slot_take(w, timer);
	mta_key key = key_make(when, slot);

	mta_assert(when.at < MTA_NEVER);
	if (key_order(key) >= w->far)
		key_file(w, key);
	else
		near_add(w, key);
	return slot;
}

/* Is it the timer of the first key? */
static inline bool
near_first_has(const struct mta_wheel *w, uint32_t slot)
{
	return !mta_row_is_empty(&w->near) && key_slot(*w->near.first) == slot;
}

static inline void
near_remove_first(struct mta_wheel *w)
{
	slot_free(w, key_slot(*w->near.first));
	mta_row_remove_first(&w->near);
}

/* Pass by keys without a timer that are first now; too many, and all go. */
MTA_APART static void
gone_pass(struct mta_wheel *w)
{
	while (w->gone > 0 && !mta_row_is_empty(&w->near) &&
	       !w->timers[key_slot(*w->near.first)]) {
		near_remove_first(w);
		w->gone--;
	}
	if (w->gone > GONE_LEAST &&
	    w->gone > (w->slot_capacity - w->slot_count) / 2)
		wheel_put(w);
}

/* Most fire, and are the first. */
void
mta_wheel_give_up(struct mta_wheel *w, uint32_t slot)
{
	if (near_first_has(w, slot)) {
		near_remove_first(w);
	} else {
		w->timers[slot] = NULL;
		w->gone++;
	}
	if (w->gone > 0)
		gone_pass(w);
}

void
mta_wheel_release(struct mta_wheel *w)
{
	mta_row_release(&w->near);
	free(w->timers);
	free(w->free_slots);
	free(w->chunks);
	*w = (struct mta_wheel){0};
}
