/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pools of equal objects that grow by chunks and never move anything, so plain
 * pointers stay good inside a service. Objects that are spoken of across a door
 * are named by struct mta_ref: index and generation, so that a stale handle is
 * noticed. Freed objects are reused last in, first out.
 *
 * The first member of every pooled object is the pool's: `struct mta_pooled
 * pooled`.
 */
#ifndef MTA_POOL_H
#define MTA_POOL_H

#include "mta/panic.h"
#include "mta/types.h"

struct mta_pooled {
	uint32_t index;	     /* place in the pool */
	uint32_t generation; /* odd while in use, even while free */
};

struct mta_pool {
	size_t size_bytes;	      /* of one object */
	uint32_t per_chunk;	      /* objects in a chunk, a power of two */
	uint32_t chunk_shift;	      /* log2 of per_chunk */
	char **chunks;		      /* owned */
	uint32_t chunk_count;	      /* chunks there are */
	uint32_t chunk_capacity;      /* places for them */
	uint32_t used_count;	      /* objects in use */
	uint32_t fresh;		      /* objects ever taken */
	struct mta_free_object *free; /* the one given back last, or NULL */
};

/* What an object looks like while it is free. */
struct mta_free_object {
	struct mta_pooled pooled;
	struct mta_free_object *next; /* given back before it, or NULL */
};

/* size_bytes: of an object whose first member is struct mta_pooled, that has
 * room for a struct mta_free_object and is aligned as one. */
void mta_pool_init(struct mta_pool *p, size_t size_bytes, uint32_t per_chunk);
void mta_pool_release(struct mta_pool *p);

/* An object that was never used, zeroed by the allocation of its chunk. */
MTA_RARE void *mta_pool_take_fresh(struct mta_pool *p);

/* An object of which only `pooled` is set, never NULL: for those that write
 * every member themselves. What stands behind the eight bytes after `pooled` is
 * as it was given back, or zero when the object is new. */
static inline void *
mta_pool_take_raw(struct mta_pool *p)
{
	struct mta_free_object *o = p->free;

	p->used_count++;
	if (!o)
		return mta_pool_take_fresh(p);
	p->free = o->next;
	o->pooled.generation++;
	mta_assert(o->pooled.generation % 2 == 1);
	return o;
}

/* The same, and all but `pooled` is zero. */
static inline void *
mta_pool_take(struct mta_pool *p)
{
	struct mta_pooled *o = mta_pool_take_raw(p);

	memset(o + 1, 0, p->size_bytes - sizeof(*o));
	return o;
}

/* object: in use, from this pool. */
static inline void
mta_pool_give(struct mta_pool *p, void *object)
{
	struct mta_free_object *o = object;

	mta_assert(o->pooled.generation % 2 == 1);
	mta_assert(o->pooled.index < p->fresh);
	o->pooled.generation++;
	o->next = p->free;
	p->free = o;
	p->used_count--;
}

/* Give back every object in use: handles of all of them are stale then. */
void mta_pool_clear(struct mta_pool *p);

/* The object at a place, in use or not. index < fresh */
static inline void *
mta_pool_at(const struct mta_pool *p, uint32_t index)
{
	return p->chunks[index >> p->chunk_shift] +
	       (size_t)(index & (p->per_chunk - 1)) * p->size_bytes;
}

static inline struct mta_ref
mta_pool_ref(const void *object)
{
	const struct mta_pooled *o = object;

	return (struct mta_ref){.index = o->index, .generation = o->generation};
}

/* The object, or NULL when the handle is stale or was never given. */
static inline void *
mta_pool_find(const struct mta_pool *p, struct mta_ref ref)
{
	struct mta_pooled *o;

	if (ref.generation % 2 == 0 || ref.index >= p->fresh)
		return NULL;
	o = mta_pool_at(p, ref.index);
	return o->generation == ref.generation ? o : NULL;
}

#endif
