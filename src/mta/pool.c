/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pools that grow by chunks: what is rare of them. A free object holds, behind
 * its pooled head, the next free one. Its generation is even then, odd in use,
 * and grows by one at each change, so that a handle fits one use only.
 */
#include "mta/pure.h"

#include "mta/pool.h"

void
mta_pool_init(struct mta_pool *p, size_t size_bytes, uint32_t per_chunk)
{
	mta_assert(size_bytes >= sizeof(struct mta_free_object));
	mta_assert(size_bytes % _Alignof(struct mta_free_object) == 0);
	mta_assert(per_chunk > 0 && (per_chunk & (per_chunk - 1)) == 0);
	*p = (struct mta_pool){.size_bytes = size_bytes,
			       .per_chunk = per_chunk};
	while (UINT32_C(1) << p->chunk_shift < per_chunk)
		p->chunk_shift++;
}

void
mta_pool_release(struct mta_pool *p)
{
	for (uint32_t i = 0; i < p->chunk_count; i++)
		free(p->chunks[i]);
	free(p->chunks);
	*p = (struct mta_pool){.size_bytes = p->size_bytes,
			       .per_chunk = p->per_chunk,
			       .chunk_shift = p->chunk_shift};
}

static void
pool_grow(struct mta_pool *p)
{
	if (p->chunk_count == p->chunk_capacity) {
		p->chunk_capacity =
			p->chunk_capacity ? p->chunk_capacity * 2 : 8;
		p->chunks = mta_realloc(p->chunks, p->chunk_capacity,
					sizeof(*p->chunks));
	}
	p->chunks[p->chunk_count++] = mta_alloc(p->per_chunk, p->size_bytes);
}

void *
mta_pool_take_fresh(struct mta_pool *p)
{
	struct mta_pooled *o;

	mta_assert(p->fresh < UINT32_MAX);
	if (p->fresh >> p->chunk_shift == p->chunk_count)
		pool_grow(p);
	o = mta_pool_at(p, p->fresh);
	o->index = p->fresh++;
	o->generation = 1;
	return o;
}

void
mta_pool_clear(struct mta_pool *p)
{
	for (uint32_t i = 0; i < p->fresh && p->used_count > 0; i++) {
		struct mta_pooled *o = mta_pool_at(p, i);

		if (o->generation % 2 == 1)
			mta_pool_give(p, o);
	}
}
