/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The event list that a program would have which needs nothing but one: a 4-ary
 * heap of 128-bit keys (time, then order of setting, then a number), in one
 * array. Nothing can be moved or cancelled. The limit against which the loop of
 * src/mta is measured, and the event list of the mini model.
 */
#ifndef TESTS_BENCH_PLAIN_HEAP_H
#define TESTS_BENCH_PLAIN_HEAP_H

#include <stdint.h>
#include <stdlib.h>

__extension__ typedef unsigned __int128 plain_key;

struct plain_heap {
	plain_key *keys; /* owned; room for `capacity` and 8 more */
	uint32_t count;
	uint32_t sequence;
};

static inline void
plain_heap_init(struct plain_heap *h, uint32_t capacity)
{
	h->keys = calloc((size_t)capacity + 8, sizeof(*h->keys));
	if (!h->keys)
		abort();
	h->count = 0;
	h->sequence = 0;
}

static inline plain_key
plain_heap_key(struct plain_heap *h, int64_t at, uint32_t number)
{
	return (plain_key)(uint64_t)at << 64 |
	       ((uint64_t)h->sequence++ << 32 | number);
}

static inline int64_t
plain_heap_time(const struct plain_heap *h)
{
	return h->count > 0 ? (int64_t)(h->keys[0] >> 64) : INT64_MAX;
}

static inline uint32_t
plain_heap_number(const struct plain_heap *h)
{
	return (uint32_t)h->keys[0];
}

static inline void
plain_heap_rise(struct plain_heap *h, uint32_t hole, plain_key key)
{
	while (hole > 0 && key < h->keys[(hole - 1) / 4]) {
		h->keys[hole] = h->keys[(hole - 1) / 4];
		hole = (hole - 1) / 4;
	}
	h->keys[hole] = key;
}

static inline void
plain_heap_add(struct plain_heap *h, int64_t at, uint32_t number)
{
	plain_heap_rise(h, h->count++, plain_heap_key(h, at, number));
}

/* The first key goes, `last` sinks to where it belongs. */
static inline void
plain_heap_sink(struct plain_heap *h, plain_key last)
{
	uint32_t hole = 0;

	for (;;) {
		uint32_t child = hole * 4 + 1;
		uint32_t end = child + 4 < h->count ? child + 4 : h->count;
		uint32_t least = child;

		if (child >= h->count)
			break;
		for (uint32_t i = child + 1; i < end; i++)
			least = h->keys[i] < h->keys[least] ? i : least;
		h->keys[hole] = h->keys[least];
		hole = least;
	}
	plain_heap_rise(h, hole, last);
}

static inline void
plain_heap_pop(struct plain_heap *h)
{
	plain_key last = h->keys[--h->count];

	if (h->count > 0)
		plain_heap_sink(h, last);
}

/* Pop and add in one. */
static inline void
plain_heap_replace(struct plain_heap *h, int64_t at, uint32_t number)
{
	plain_heap_sink(h, plain_heap_key(h, at, number));
}

#endif
