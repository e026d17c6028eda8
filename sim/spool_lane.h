/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A lane: the entries of one directory of the memory spool, in the order in
 * which they were made. Every rename into a directory makes a new entry at the
 * end; one that goes leaves a hole. Two levels of summaries, over 64 and over
 * 4096 entries, keep how many are live and a lower bound of their wake times,
 * so that a scan costs what is due and not what waits.
 *
 * Places are numbers of entries, holes counted. They hold until spool_lane_trim
 * or spool_lane_compact, which the directory (sim/spool_dir.h) calls, since it
 * knows who remembers a place.
 */
#ifndef SIM_SPOOL_LANE_H
#define SIM_SPOOL_LANE_H

#include "mta/types.h"

#define SPOOL_NO_SLOT UINT32_MAX

enum {
	SPOOL_BLOCK = 64,
	SPOOL_CHUNK = SPOOL_BLOCK * SPOOL_BLOCK
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

/* Invariant: the last entry is live, or there is none. */
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

/* A new entry at the end; its place. */
uint32_t spool_lane_append(struct spool_lane *l, struct spool_entry e);
/* The entry becomes a hole. place: live */
void spool_lane_remove(struct spool_lane *l, uint32_t place);
void spool_lane_set_wake(struct spool_lane *l, uint32_t place, uint32_t wake_s);

/* Holes at the end go; true if there were any. */
bool spool_lane_trim(struct spool_lane *l);

/* Are there so many holes that compacting pays? */
bool spool_lane_is_sparse(const struct spool_lane *l);
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
