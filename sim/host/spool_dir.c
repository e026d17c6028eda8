/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Directories: which lane a file is in, and the places that open scans
 * remember. A lane renumbers its entries when holes are closed; whoever does
 * that here corrects the cursors in the same breath.
 *
 * A file's lane follows from the queue and the id. The record of a file that is
 * written out remembers it.
 */
#include "sim/host/spool_dir.h"

#include <stdlib.h>
#include <string.h>

#include "mta/panic.h"

enum {
	HASH_CHARACTER_BITS = 4,
	MICROSECOND_BITS = 20
};

/* ---- lanes ----------------------------------------------------------------
 */

static void
dir_insert_lane(struct spool_dir *dir, uint32_t at, uint32_t key)
{
	struct spool_lane *lane = mta_alloc(1, sizeof(*lane));

	spool_lane_init(lane);
	lane->key = key;
	dir->lanes = mta_realloc(dir->lanes, dir->lane_count + 1,
				 sizeof(*dir->lanes));
	for (uint32_t i = dir->lane_count++; i > at; i--)
		dir->lanes[i] = dir->lanes[i - 1];
	dir->lanes[at] = lane;
}

static bool
is_seeded(const struct spool_dirs *d)
{
	return d->order == SPOOL_SEEDED;
}

/* A mixing function with every bit of the input in every bit of the result. */
static uint64_t
mix(uint64_t x)
{
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

void
spool_dirs_init(struct spool_dirs *d, const struct spool_dirs_config *c,
		struct spool_records *records)
{
	mta_assert(c->hash_depth >= 1);
	*d = (struct spool_dirs){.order = c->order,
				 .seed = mix(c->seed),
				 .depth = c->hash_depth,
				 .records = records};
	if (d->depth > SPOOL_HASH_DEPTH)
		d->depth = SPOOL_HASH_DEPTH;
	for (uint32_t q = 0; q < MTA_QUEUES; q++) {
		struct spool_dir *dir = &d->dirs[q];
		uint32_t lanes = is_seeded(d) ? SPOOL_SEEDED_LANES : 1;

		dir->is_hashed = c->is_hashed[q];
		dir->has_subdirs = dir->is_hashed && !is_seeded(d);
		if (dir->has_subdirs)
			continue;
		for (uint32_t i = 0; i < lanes; i++)
			dir_insert_lane(dir, i, i);
	}
}

void
spool_dirs_release(struct spool_dirs *d)
{
	for (uint32_t q = 0; q < MTA_QUEUES; q++) {
		struct spool_dir *dir = &d->dirs[q];

		for (uint32_t i = 0; i < dir->lane_count; i++) {
			spool_lane_release(dir->lanes[i]);
			free(dir->lanes[i]);
		}
		free(dir->lanes);
		*dir = (struct spool_dir){.is_hashed = false};
	}
}

static uint32_t
seeded_lane(const struct spool_dirs *d, enum mta_queue queue,
	    struct mta_ref file)
{
	uint64_t id = (uint64_t)queue << 56 | (uint64_t)file.generation << 32 |
		      file.index;

	return (uint32_t)mix(d->seed ^ id) % SPOOL_SEEDED_LANES;
}

/* The hash characters of an id as a number: the first hex digits of the
 * microseconds, in both forms of ids (F1.5). */
static uint32_t
hash_key(const struct spool_dirs *d, mta_time created)
{
	uint32_t us =
		(uint32_t)(created - mta_from_seconds(mta_second(created)));

	return us >> (MICROSECOND_BITS - HASH_CHARACTER_BITS * d->depth);
}

/*
 * Where a new sub-directory stands: it is the newest in the deepest directory
 * that exists already, so it comes behind the last lane with the most hash
 * characters in common.
 */
static uint32_t
subdir_place(const struct spool_dirs *d, const struct spool_dir *dir,
	     uint32_t key)
{
	for (uint32_t level = 1; level < d->depth; level++)
		for (uint32_t i = dir->lane_count; i > 0; i--)
			if (dir->lanes[i - 1]->key >>
				    level * HASH_CHARACTER_BITS ==
			    key >> level * HASH_CHARACTER_BITS)
				return i;
	return dir->lane_count;
}

/* Scans that have the new lane before them or behind them count it. */
static void
cursors_shift(struct spool_dirs *d, enum mta_queue queue, uint32_t at)
{
	for (uint32_t i = 0, open = d->dirs[queue].cursors_open; open > 0;
	     i++) {
		struct spool_cursor *c = &d->cursors[i];

		if (!c->is_open || c->queue != queue)
			continue;
		open--;
		if (d->order == SPOOL_NEWEST_FIRST) {
			if (c->lanes_left > 0 && at <= c->lane) {
				c->lane++;
				c->lanes_left++;
			}
		} else if (at <= c->lane) {
			c->lane++;
		} else if (at < c->lane + c->lanes_left) {
			c->lanes_left++;
		}
	}
}

MTA_APART static struct spool_lane *
subdir_lane(struct spool_dirs *d, enum mta_queue queue, mta_time created)
{
	struct spool_dir *dir = &d->dirs[queue];
	uint32_t key = hash_key(d, created);
	uint32_t at;

	for (uint32_t i = 0; i < dir->lane_count; i++)
		if (dir->lanes[i]->key == key)
			return dir->lanes[i];
	at = subdir_place(d, dir, key);
	dir_insert_lane(dir, at, key);
	cursors_shift(d, queue, at);
	return dir->lanes[at];
}

/* Of a directory that has no sub-directories. */
static inline struct spool_lane *
lane_plain(const struct spool_dirs *d, enum mta_queue queue,
	   const struct spool_record *record, uint32_t slot)
{
	const struct spool_dir *dir = &d->dirs[queue];

	return dir->lanes[is_seeded(d)
				  ? seeded_lane(
					    d, queue,
					    (struct mta_ref){
						    .index = slot,
						    .generation =
							    record->generation})
				  : 0];
}

MTA_APART static struct spool_lane *
lane_find(struct spool_dirs *d, enum mta_queue queue,
	  const struct spool_record *record, uint32_t slot)
{
	if (d->dirs[queue].has_subdirs)
		return subdir_lane(d, queue,
				   spool_record_created(d->records, record));
	return lane_plain(d, queue, record, slot);
}

/* Does the record of a file that is in a directory know its lane? */
static inline bool
lane_is_known(const struct spool_record *record)
{
	mta_assert(record->where < MTA_QUEUES);
	return record->is_written_out && record->out.lane;
}

/* The lane of a file that is in a directory. */
static inline struct spool_lane *
lane_of(struct spool_dirs *d, const struct spool_record *record, uint32_t slot)
{
	return lane_is_known(record)
		       ? record->out.lane
		       : lane_find(d, (enum mta_queue)record->where, record,
				   slot);
}

/* ---- places that scans remember ---------------------------------------------
 */

/* Does a scan have a part of this lane before it? */
static bool
cursor_is_in(const struct spool_dir *dir, const struct spool_cursor *c,
	     const struct spool_lane *lane)
{
	return c->is_reading && dir->lanes[c->lane] == lane;
}

/* Will a scan come to this lane, whose end it remembers? */
static bool
cursor_comes_to(const struct spool_dir *dir, const struct spool_cursor *c,
		const struct spool_lane *lane)
{
	return !dir->is_hashed && c->lanes_ahead & 1U << lane->key;
}

/* The lane will be compacted: scans remember where their places will be. */
static void
cursors_follow(struct spool_dirs *d, enum mta_queue queue,
	       const struct spool_lane *lane)
{
	const struct spool_dir *dir = &d->dirs[queue];

	for (uint32_t i = 0, open = dir->cursors_open; open > 0; i++) {
		struct spool_cursor *c = &d->cursors[i];

		if (!c->is_open || c->queue != queue)
			continue;
		open--;
		if (cursor_is_in(dir, c, lane)) {
			c->walk.place = spool_lane_rank(lane, c->walk.place);
			c->walk.end = spool_lane_rank(lane, c->walk.end);
		}
		if (cursor_comes_to(dir, c, lane))
			c->ends[lane->key] =
				spool_lane_rank(lane, c->ends[lane->key]);
	}
}

MTA_RARE static void
lane_close_holes(struct spool_dirs *d, enum mta_queue queue,
		 struct spool_lane *lane)
{
	cursors_follow(d, queue, lane);
	spool_lane_compact(lane);
	for (uint32_t place = 0; place < lane->size; place++)
		spool_record_at(d->records, spool_lane_entry(lane, place)->slot)
			->place = place;
}

/* ---- entries --------------------------------------------------------------
 */

/* A lane: of this file in this queue. */
static inline void
lane_add(struct spool_dirs *d, enum mta_queue queue, struct spool_lane *lane,
	 struct spool_record *record, struct spool_entry e)
{
	struct spool_dir *dir = &d->dirs[queue];

	mta_assert(record->where == SPOOL_OUTSIDE);
	record->where = (uint32_t)queue & 7;
	if (dir->cursors_open == 0)
		spool_lane_trim(lane);
	record->place = spool_lane_append(lane, e);
	if (record->is_written_out)
		record->out.lane = lane;
	dir->live++;
	if (!dir->has_subdirs)
		dir->live_lanes |= 1U << lane->key;
}

MTA_APART static void
subdir_add(struct spool_dirs *d, enum mta_queue queue,
	   struct spool_record *record, struct spool_entry e)
{
	lane_add(d, queue, lane_find(d, queue, record, e.slot), record, e);
}

void
spool_dirs_add(struct spool_dirs *d, enum mta_queue queue,
	       struct spool_record *record, struct spool_entry e)
{
	if (d->dirs[queue].has_subdirs)
		subdir_add(d, queue, record, e);
	else
		lane_add(d, queue, lane_plain(d, queue, record, e.slot), record,
			 e);
}

static inline struct spool_entry *
entry_of(const struct spool_lane *lane, const struct spool_record *record,
	 uint32_t slot)
{
	struct spool_entry *e;

	mta_assert(record->place < lane->size);
	e = spool_lane_entry(lane, record->place);
	mta_assert(e->slot == slot);
	return e;
}

static inline uint32_t
lane_take(struct spool_dirs *d, struct spool_lane *lane,
	  struct spool_record *record, uint32_t slot)
{
	enum mta_queue queue = (enum mta_queue)record->where;
	struct spool_dir *dir = &d->dirs[queue];
	uint32_t wake_s = entry_of(lane, record, slot)->wake_s;

	spool_lane_remove(lane, record->place);
	record->where = SPOOL_OUTSIDE;
	dir->live--;
	if (lane->all.live == 0 && !dir->has_subdirs)
		dir->live_lanes &= ~(1U << lane->key);
	if (spool_lane_is_sparse(lane))
		lane_close_holes(d, queue, lane);
	return wake_s;
}

MTA_APART static uint32_t
found_take(struct spool_dirs *d, struct spool_record *record, uint32_t slot)
{
	return lane_take(d, lane_of(d, record, slot), record, slot);
}

uint32_t
spool_dirs_remove(struct spool_dirs *d, struct spool_record *record,
		  uint32_t slot)
{
	return lane_is_known(record)
		       ? lane_take(d, record->out.lane, record, slot)
		       : found_take(d, record, slot);
}

uint32_t
spool_dirs_wake(struct spool_dirs *d, const struct spool_record *record,
		uint32_t slot)
{
	return entry_of(lane_of(d, record, slot), record, slot)->wake_s;
}

void
spool_dirs_set_wake(struct spool_dirs *d, const struct spool_record *record,
		    struct spool_entry e)
{
	spool_lane_set_wake(lane_of(d, record, e.slot), record->place,
			    e.wake_s);
}

/* ---- scans ----------------------------------------------------------------
 */

static struct spool_cursor *
cursor_of(struct spool_dirs *d, const struct mta_scan *scan)
{
	struct spool_cursor *c = &d->cursors[scan->cursor];

	mta_assert(scan->is_open);
	mta_assert(c->is_open);
	mta_assert(c->queue == scan->queue);
	return c;
}

static uint32_t
cursor_take(struct spool_dirs *d)
{
	uint32_t i = 0;

	mta_assert(d->cursors_open < SPOOL_CURSORS);
	while (d->cursors[i].is_open)
		i++;
	d->cursors_open++;
	return i;
}

/* Remember where each lane ends; an empty one need not be read. Of a hashed
 * directory that is to be seen when the lane is reached. */
static void
cursor_snapshot(const struct spool_dir *dir, struct spool_cursor *c)
{
	if (dir->is_hashed) {
		c->lanes_ahead = (1U << dir->lane_count) - 1;
		return;
	}
	c->lanes_ahead = dir->live_lanes;
	for (uint32_t left = dir->live_lanes; left != 0; left &= left - 1) {
		int i = __builtin_ctz(left);

		c->ends[i] = dir->lanes[i]->size;
	}
}

void
spool_dirs_scan_open(struct spool_dirs *d, enum mta_queue queue,
		     struct mta_scan *scan)
{
	struct spool_dir *dir = &d->dirs[queue];
	struct spool_cursor *c;

	mta_assert(!scan->is_open);
	*scan = (struct mta_scan){
		.queue = queue, .is_open = true, .cursor = cursor_take(d)};
	c = &d->cursors[scan->cursor];
	dir->cursors_open++;
	c->is_open = true;
	c->queue = queue;
	c->is_reading = false;
	if (!dir->has_subdirs) {
		cursor_snapshot(dir, c);
		return;
	}
	c->lanes_left = dir->lane_count;
	c->lane = d->order == SPOOL_NEWEST_FIRST && dir->lane_count > 0
			  ? dir->lane_count - 1
			  : 0;
}

/* Go to the next lane that may have files to read; false: there is none. */
static bool
cursor_enter(struct spool_dirs *d, struct spool_cursor *c)
{
	const struct spool_dir *dir = &d->dirs[c->queue];
	uint32_t end;

	if (dir->has_subdirs) {
		if (c->lanes_left == 0)
			return false;
	} else {
		uint32_t full = c->lanes_ahead & dir->live_lanes;

		/* Those that are empty by now are passed by, up to the next
		 * that is not; a later one may have files when it is reached.
		 */
		if (full == 0)
			return false;
		c->lane = (uint32_t)__builtin_ctz(full);
		c->lanes_ahead &= ~((2U << c->lane) - 1);
	}
	end = dir->is_hashed ? dir->lanes[c->lane]->size : c->ends[c->lane];
	c->is_reading = true;
	if (d->order == SPOOL_NEWEST_FIRST)
		c->walk = (struct spool_walk){.place = end, .end = 0};
	else
		c->walk = (struct spool_walk){.place = 0, .end = end};
	return true;
}

static void
cursor_leave(struct spool_dirs *d, struct spool_cursor *c)
{
	c->is_reading = false;
	if (!d->dirs[c->queue].has_subdirs)
		return;
	c->lanes_left--;
	if (d->order != SPOOL_NEWEST_FIRST)
		c->lane++;
	else if (c->lanes_left > 0)
		c->lane--;
}

/* Has all been read that this scan will see? Sub-directories may still come. */
static bool
cursor_is_through(const struct spool_dir *dir, const struct spool_cursor *c)
{
	return c->walk.place == c->walk.end && c->lanes_ahead == 0 &&
	       !dir->has_subdirs;
}

/* The next due entry of the lane that is read, or SPOOL_NO_SLOT. */
static uint32_t
cursor_walk(const struct spool_dirs *d, struct spool_cursor *c)
{
	struct spool_lane *lane = d->dirs[c->queue].lanes[c->lane];
	uint32_t place = d->order == SPOOL_NEWEST_FIRST
				 ? spool_lane_walk_down(lane, &c->walk)
				 : spool_lane_walk_up(lane, &c->walk);

	return place == SPOOL_NO_SLOT ? place
				      : spool_lane_entry(lane, place)->slot;
}

enum mta_scan_result
spool_dirs_scan_next(struct spool_dirs *d, struct mta_scan *scan,
		     uint32_t due_s, uint32_t skips_max,
		     struct mta_scan_item *item)
{
	struct spool_cursor *c = cursor_of(d, scan);
	const struct spool_dir *dir = &d->dirs[c->queue];

	mta_assert(skips_max > 0);
	*item = (struct mta_scan_item){.skipped = 0};
	while (dir->live > 0 && (c->is_reading || cursor_enter(d, c))) {
		uint32_t slot;

		c->walk.due_s = due_s;
		c->walk.skips_max = skips_max;
		c->walk.skipped = item->skipped;
		slot = cursor_walk(d, c);
		item->skipped = c->walk.skipped;
		if (slot != SPOOL_NO_SLOT) {
			item->id = spool_record_ref(d->records, slot);
			item->is_last = cursor_is_through(dir, c);
			return MTA_SCAN_FOUND;
		}
		if (item->skipped == skips_max)
			return MTA_SCAN_SKIPPED;
		cursor_leave(d, c);
	}
	spool_dirs_scan_close(d, scan);
	return MTA_SCAN_END;
}

void
spool_dirs_scan_close(struct spool_dirs *d, struct mta_scan *scan)
{
	struct spool_cursor *c = cursor_of(d, scan);

	c->is_open = false;
	d->dirs[c->queue].cursors_open--;
	d->cursors_open--;
	scan->is_open = false;
}
