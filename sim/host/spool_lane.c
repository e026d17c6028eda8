/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Entries of a directory with summaries. The bounds of wake times only ever
 * fall by themselves (an entry comes, a wake time is set); a walk raises them
 * again where it finds that they promised something due which is not there. So
 * every look at entries in vain is paid for by an entry that went.
 */
#include "sim/host/spool_lane.h"

#include <stdlib.h>

#include "mta/panic.h"

void
spool_lane_init(struct spool_lane *l)
{
	*l = (struct spool_lane){.all = {.least_s = UINT32_MAX}};
}

void
spool_lane_release(struct spool_lane *l)
{
	for (uint32_t i = 0; i < l->chunk_count; i++)
		free(l->chunks[i]);
	free(l->chunks);
	spool_lane_init(l);
}

static struct spool_summary *
block_of(const struct spool_lane *l, uint32_t place)
{
	return spool_chunk_block(spool_lane_chunk(l, place), place);
}

/* ---- entries --------------------------------------------------------------
 */

void
spool_lane_grow(struct spool_lane *l)
{
	if (l->chunk_count == l->chunk_capacity) {
		l->chunk_capacity = l->chunk_capacity * 2 + 2;
		l->chunks = mta_realloc(l->chunks, l->chunk_capacity,
					sizeof(*l->chunks));
	}
	l->chunks[l->chunk_count++] = mta_alloc(1, sizeof(struct spool_chunk));
}

static void
summary_lower(struct spool_summary *s, uint32_t wake_s)
{
	if (wake_s < s->least_s)
		s->least_s = wake_s;
}

void
spool_lane_lower(struct spool_lane *l, uint32_t place, uint32_t wake_s)
{
	summary_lower(block_of(l, place), wake_s);
	summary_lower(&spool_lane_chunk(l, place)->all, wake_s);
	summary_lower(&l->all, wake_s);
}

/* ---- holes ----------------------------------------------------------------
 */

/* Keep what the entries need and one chunk more, lest a lane that swings over
 * the edge of a chunk frees and allocates all the time. */
static void
lane_shrink(struct spool_lane *l)
{
	uint32_t needed = (l->size + SPOOL_CHUNK - 1) / SPOOL_CHUNK;

	while (l->chunk_count > needed + 1)
		free(l->chunks[--l->chunk_count]);
}

uint32_t
spool_lane_rank(const struct spool_lane *l, uint32_t place)
{
	uint32_t rank = 0;
	uint32_t i = 0;

	while (i < place) {
		if (i % SPOOL_CHUNK == 0 && i + SPOOL_CHUNK <= place) {
			rank += spool_lane_chunk(l, i)->all.live;
			i += SPOOL_CHUNK;
		} else if (i % SPOOL_BLOCK == 0 && i + SPOOL_BLOCK <= place) {
			rank += block_of(l, i)->live;
			i += SPOOL_BLOCK;
		} else {
			rank += spool_lane_entry(l, i++)->slot != SPOOL_NO_SLOT;
		}
	}
	return rank;
}

/* Forget what the summaries knew. */
static void
lane_clear(struct spool_lane *l)
{
	for (uint32_t c = 0; c < l->chunk_count; c++) {
		l->chunks[c]->all.live = 0;
		for (uint32_t b = 0; b < SPOOL_BLOCK; b++)
			l->chunks[c]->blocks[b].live = 0;
	}
	l->all.live = 0;
	l->size = 0;
}

void
spool_lane_compact(struct spool_lane *l)
{
	uint32_t size = l->size;

	/* Each entry is read before the appending end comes by. */
	lane_clear(l);
	for (uint32_t i = 0; i < size; i++) {
		struct spool_entry e = *spool_lane_entry(l, i);

		if (e.slot != SPOOL_NO_SLOT)
			spool_lane_append(l, e);
	}
	lane_shrink(l);
}

/* ---- walks ----------------------------------------------------------------
 */

/* The bound of a block, made exact. */
static void
block_refresh(const struct spool_lane *l, uint32_t first)
{
	uint32_t end = first + SPOOL_BLOCK;
	uint32_t least_s = UINT32_MAX;

	if (end > l->size)
		end = l->size;
	for (uint32_t i = first; i < end; i++) {
		const struct spool_entry *e = spool_lane_entry(l, i);

		if (e->slot != SPOOL_NO_SLOT && e->wake_s < least_s)
			least_s = e->wake_s;
	}
	block_of(l, first)->least_s = least_s;
}

/* The bound of a chunk, from those of its blocks. */
static void
chunk_refresh(struct spool_chunk *c)
{
	uint32_t least_s = UINT32_MAX;

	for (uint32_t b = 0; b < SPOOL_BLOCK; b++)
		if (c->blocks[b].live > 0 && c->blocks[b].least_s < least_s)
			least_s = c->blocks[b].least_s;
	c->all.least_s = least_s;
}

static void
lane_refresh(struct spool_lane *l)
{
	uint32_t least_s = UINT32_MAX;
	uint32_t count = (l->size + SPOOL_CHUNK - 1) / SPOOL_CHUNK;

	for (uint32_t c = 0; c < count; c++)
		if (l->chunks[c]->all.live > 0 &&
		    l->chunks[c]->all.least_s < least_s)
			least_s = l->chunks[c]->all.least_s;
	l->all.least_s = least_s;
}

/* Pass everything that a summary speaks of, if nothing in it is due and the
 * walk may skip so many. */
static bool
walk_passes(struct spool_walk *w, const struct spool_summary *s)
{
	if (s->live == 0)
		return true;
	if (s->least_s <= w->due_s || s->live > w->skips_max - w->skipped)
		return false;
	w->skipped += s->live;
	return true;
}

/*
 * From entry `first` on, how many can be passed by summaries alone? `whole`:
 * entries from there on that the walk covers, to the end of the lane if it
 * covers that.
 */
static uint32_t
walk_leap(struct spool_lane *l, struct spool_walk *w, uint32_t first,
	  uint32_t whole)
{
	struct spool_chunk *chunk = spool_lane_chunk(l, first);
	struct spool_summary *block = block_of(l, first);

	if (first == 0 && whole >= l->size) {
		if (l->all.least_s <= w->due_s)
			lane_refresh(l);
		if (walk_passes(w, &l->all))
			return l->size;
	}
	if (first % SPOOL_CHUNK == 0 &&
	    (whole >= SPOOL_CHUNK || whole >= l->size - first)) {
		if (chunk->all.least_s <= w->due_s)
			chunk_refresh(chunk);
		if (walk_passes(w, &chunk->all))
			return SPOOL_CHUNK;
	}
	if (whole >= SPOOL_BLOCK || whole >= l->size - first) {
		if (block->live > 0 && block->least_s <= w->due_s)
			block_refresh(l, first);
		if (walk_passes(w, block))
			return SPOOL_BLOCK;
	}
	return 0;
}

static bool
is_due(const struct spool_entry *e, const struct spool_walk *w)
{
	return e->slot != SPOOL_NO_SLOT && e->wake_s <= w->due_s;
}

/* Pass one entry that is not due. */
static void
walk_skip(struct spool_walk *w, const struct spool_entry *e)
{
	w->skipped += e->slot != SPOOL_NO_SLOT;
}

uint32_t
spool_lane_walk_up(struct spool_lane *l, struct spool_walk *w)
{
	while (w->place < w->end && w->skipped < w->skips_max) {
		const struct spool_entry *e = spool_lane_entry(l, w->place);
		uint32_t leap = 0;

		if (is_due(e, w))
			return w->place++;
		if (w->place % SPOOL_BLOCK == 0)
			leap = walk_leap(l, w, w->place, w->end - w->place);
		if (leap == 0) {
			walk_skip(w, e);
			leap = 1;
		}
		/* The last block may be longer than the lane. */
		w->place = leap < w->end - w->place ? w->place + leap : w->end;
	}
	return SPOOL_NO_SLOT;
}

/* Can the walk pass what lies below its place by summaries? The new place, or
 * the old one. Downward walks end at 0. */
static uint32_t
walk_leap_down(struct spool_lane *l, struct spool_walk *w)
{
	uint32_t first;

	if (w->place % SPOOL_BLOCK != 0 && w->place != l->size)
		return w->place;
	if (w->place == l->size) {
		if (l->all.least_s <= w->due_s)
			lane_refresh(l);
		if (walk_passes(w, &l->all))
			return 0;
	}
	first = (w->place - 1) / SPOOL_CHUNK * SPOOL_CHUNK;
	if (w->place % SPOOL_CHUNK == 0 || w->place == l->size) {
		struct spool_chunk *chunk = spool_lane_chunk(l, first);

		if (chunk->all.least_s <= w->due_s)
			chunk_refresh(chunk);
		if (walk_passes(w, &chunk->all))
			return first;
	}
	first = (w->place - 1) / SPOOL_BLOCK * SPOOL_BLOCK;
	if (block_of(l, first)->live > 0 &&
	    block_of(l, first)->least_s <= w->due_s)
		block_refresh(l, first);
	return walk_passes(w, block_of(l, first)) ? first : w->place;
}

uint32_t
spool_lane_walk_down(struct spool_lane *l, struct spool_walk *w)
{
	mta_assert(w->end == 0);
	while (w->place > 0 && w->skipped < w->skips_max) {
		const struct spool_entry *e = spool_lane_entry(l, w->place - 1);
		uint32_t place;

		if (is_due(e, w))
			return --w->place;
		place = walk_leap_down(l, w);
		if (place == w->place) {
			walk_skip(w, e);
			place--;
		}
		w->place = place;
	}
	return SPOOL_NO_SLOT;
}
