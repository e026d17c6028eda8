/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A lane: the entries of one directory of the memory spool, in the order in
 * which they were made. Every rename into a directory makes a new entry at the
 * end; one that goes leaves a hole. Two levels of summaries, over 64 and over
 * 4096 entries, keep how many are live and a lower bound of their wake times,
 * so that a scan costs what is due and not what waits.
 *
 * Places are numbers of entries, holes counted. They hold until the lane is
 * trimmed or compacted, which the directory (sim/host/spool_dir.h) does, since
 * it knows who remembers a place.
 */
#ifndef SIM_SPOOL_LANE_H
#define SIM_SPOOL_LANE_H

#include "mta/panic.h"
#include "mta/types.h"

#define SPOOL_NO_SLOT UINT32_MAX

enum {
	SPOOL_BLOCK = 64,
	SPOOL_CHUNK = SPOOL_BLOCK * SPOOL_BLOCK,
	SPOOL_SPARSE_HOLES = 1024, /* as few are no matter */
};

struct spool_entry {
	uint32_t slot;	 /* SPOOL_NO_SLOT: a hole */
	uint32_t wake_s; /* when it is due */
};

/* Of a block, a chunk, or a whole lane. */
struct spool_summary {
	uint32_t live;
	uint32_t least_s; /* no live entry has a lesser wake time */
};

struct spool_chunk {
	struct spool_summary all;
	struct spool_summary blocks[SPOOL_BLOCK];
	struct spool_entry entries[SPOOL_CHUNK];
};

struct spool_lane {
	struct spool_chunk **chunks;
	uint32_t chunk_count;	 /* allocated */
	uint32_t chunk_capacity; /* of the array */
	uint32_t size;		 /* entries, holes counted */
	struct spool_summary all;
	uint32_t key; /* the directory's: hash characters */
};

void spool_lane_init(struct spool_lane *l);
void spool_lane_release(struct spool_lane *l);

static inline struct spool_entry *
spool_lane_entry(const struct spool_lane *l, uint32_t place)
{
	return &l->chunks[place / SPOOL_CHUNK]->entries[place % SPOOL_CHUNK];
}

/* One more chunk. */
MTA_RARE void spool_lane_grow(struct spool_lane *l);

static inline struct spool_chunk *
spool_lane_chunk(const struct spool_lane *l, uint32_t place)
{
	return l->chunks[place / SPOOL_CHUNK];
}

static inline struct spool_summary *
spool_chunk_block(struct spool_chunk *c, uint32_t place)
{
	return &c->blocks[place % SPOOL_CHUNK / SPOOL_BLOCK];
}

static inline void
spool_summary_add(struct spool_summary *s, uint32_t wake_s)
{
	/* An empty one may carry a bound from earlier. */
	if (s->live++ == 0 || wake_s < s->least_s)
		s->least_s = wake_s;
}

/* A new entry at the end; its place. */
static inline uint32_t
spool_lane_append(struct spool_lane *l, struct spool_entry e)
{
	uint32_t place = l->size;
	struct spool_chunk *chunk;

	mta_assert(place < UINT32_MAX - SPOOL_CHUNK);
	if (place / SPOOL_CHUNK == l->chunk_count)
		spool_lane_grow(l);
	l->size++;
	chunk = spool_lane_chunk(l, place);
	chunk->entries[place % SPOOL_CHUNK] = e;
	spool_summary_add(spool_chunk_block(chunk, place), e.wake_s);
	spool_summary_add(&chunk->all, e.wake_s);
	spool_summary_add(&l->all, e.wake_s);
	return place;
}

/* The entry becomes a hole. place: live */
static inline void
spool_lane_remove(struct spool_lane *l, uint32_t place)
{
	struct spool_chunk *chunk = spool_lane_chunk(l, place);

	mta_assert(place < l->size);
	mta_assert(chunk->entries[place % SPOOL_CHUNK].slot != SPOOL_NO_SLOT);
	chunk->entries[place % SPOOL_CHUNK].slot = SPOOL_NO_SLOT;
	spool_chunk_block(chunk, place)->live--;
	chunk->all.live--;
	l->all.live--;
}

/* Holes at the end go. Nobody may remember a place. */
static inline void
spool_lane_trim(struct spool_lane *l)
{
	if (l->all.live == 0)
		l->size = 0;
	while (l->size > 0 &&
	       spool_lane_entry(l, l->size - 1)->slot == SPOOL_NO_SLOT)
		l->size--;
}

/* No summary promises more than this wake time of the entry. */
void spool_lane_lower(struct spool_lane *l, uint32_t place, uint32_t wake_s);

/* Of a live entry. */
static inline void
spool_lane_set_wake(struct spool_lane *l, uint32_t place, uint32_t wake_s)
{
	struct spool_chunk *chunk = spool_lane_chunk(l, place);

	mta_assert(place < l->size);
	mta_assert(chunk->entries[place % SPOOL_CHUNK].slot != SPOOL_NO_SLOT);
	chunk->entries[place % SPOOL_CHUNK].wake_s = wake_s;
	/* The wider a summary, the lower its bound. */
	if (wake_s < spool_chunk_block(chunk, place)->least_s)
		spool_lane_lower(l, place, wake_s);
}

/* Are there so many holes that compacting pays? */
static inline bool
spool_lane_is_sparse(const struct spool_lane *l)
{
	uint32_t holes = l->size - l->all.live;

	return holes > SPOOL_SPARSE_HOLES && holes > l->all.live;
}

/* Live entries before a place: where it will be once compacted. */
uint32_t spool_lane_rank(const struct spool_lane *l, uint32_t place);
/*
 * Close all holes. The caller then reads the entries from place 0 on, tells
 * each file its new place, and turns remembered places into their ranks, which
 * it asked for before.
 */
void spool_lane_compact(struct spool_lane *l);

/* A walk over a part of a lane, in one direction. */
struct spool_walk {
	uint32_t place;	    /* up: next entry; down: one above the next */
	uint32_t end;	    /* up: stop before it; down: stop at it */
	uint32_t due_s;	    /* wanted: wake_s <= due_s */
	uint32_t skips_max; /* > 0 */
	uint32_t skipped;   /* live entries passed that are not due */
};

/*
 * Go on until an entry that is due (its place), or skips_max others were
 * passed, or the end is reached (SPOOL_NO_SLOT in both cases).
 */
uint32_t spool_lane_walk_up(struct spool_lane *l, struct spool_walk *w);
uint32_t spool_lane_walk_down(struct spool_lane *l, struct spool_walk *w);

#endif
