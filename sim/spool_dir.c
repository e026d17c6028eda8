/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Directories: which lane a file is in, and the places that open scans
 * remember. A lane renumbers its entries when holes are closed; whoever does
 * that here corrects the cursors in the same breath.
 *
 * A file's lane is not stored: it follows from the queue and the id.
 */
#include "sim/spool_dir.h"

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

/* One lane for each sub-directory? */
static bool
has_subdirs(const struct spool_dirs *d, const struct spool_dir *dir)
{
	return dir->is_hashed && !is_seeded(d);
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
		if (has_subdirs(d, dir))
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
seeded_lane(const struct spool_dirs *d, enum mta_queue queue, uint32_t slot)
{
	uint64_t generation = spool_record_at(d->records, slot)->generation;
	uint64_t id = (uint64_t)queue << 56 | generation << 32 | slot;

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
	for (uint32_t i = 0, open = d->cursors_open; open > 0; i++) {
		struct spool_cursor *c = &d->cursors[i];

		open -= c->is_open;
		if (!c->is_open || c->queue != queue)
			continue;
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

static struct spool_lane *
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

static struct spool_lane *
lane_of(struct spool_dirs *d, enum mta_queue queue, struct spool_name name)
{
	struct spool_dir *dir = &d->dirs[queue];

	if (is_seeded(d))
		return dir->lanes[seeded_lane(d, queue, name.slot)];
	if (dir->is_hashed)
		return subdir_lane(d, queue, name.created);
	return dir->lanes[0];
}

/* ---- places that scans remember ---------------------------------------------
 */

/* Number of entries up to a place, by which it is renumbered: its rank when
 * holes are closed, itself but for the end when they are cut off. */
typedef uint32_t renumber(const struct spool_lane *l, uint32_t place);

static uint32_t
cut_to_size(const struct spool_lane *l, uint32_t place)
{
	return place < l->size ? place : l->size;
}

static void
cursors_renumber(struct spool_dirs *d, enum mta_queue queue,
		 const struct spool_lane *lane, renumber *number)
{
	const struct spool_dir *dir = &d->dirs[queue];

	for (uint32_t i = 0, open = d->cursors_open; open > 0; i++) {
		struct spool_cursor *c = &d->cursors[i];

		open -= c->is_open;
		if (!c->is_open || c->queue != queue)
			continue;
		if (c->is_reading && dir->lanes[c->lane] == lane) {
			c->walk.place = number(lane, c->walk.place);
			c->walk.end = number(lane, c->walk.end);
		}
		if (!dir->is_hashed)
			c->ends[lane->key] = number(lane, c->ends[lane->key]);
	}
}

static void
lane_close_holes(struct spool_dirs *d, enum mta_queue queue,
		 struct spool_lane *lane)
{
	cursors_renumber(d, queue, lane, spool_lane_rank);
	spool_lane_compact(lane);
	for (uint32_t place = 0; place < lane->size; place++)
		spool_record_at(d->records, spool_lane_entry(lane, place)->slot)
			->place = place;
}

/* ---- entries --------------------------------------------------------------
 */

void
spool_dirs_add(struct spool_dirs *d, enum mta_queue queue,
	       struct spool_name name, uint32_t wake_s)
{
	struct spool_record *record = spool_record_at(d->records, name.slot);
	struct spool_lane *lane = lane_of(d, queue, name);

	mta_assert(record->where == SPOOL_OUTSIDE);
	record->where = (uint32_t)queue & 7;
	record->place =
		spool_lane_append(lane, (struct spool_entry){.slot = name.slot,
							     .wake_s = wake_s});
	d->dirs[queue].live++;
	if (is_seeded(d))
		d->dirs[queue].live_lanes |= 1U << lane->key;
}

static struct spool_entry *
entry_of(struct spool_lane *lane, const struct spool_record *record,
	 uint32_t slot)
{
	struct spool_entry *e;

	mta_assert(record->place < lane->size);
	e = spool_lane_entry(lane, (uint32_t)record->place);
	mta_assert(e->slot == slot);
	return e;
}

uint32_t
spool_dirs_remove(struct spool_dirs *d, enum mta_queue queue,
		  struct spool_name name)
{
	struct spool_record *record = spool_record_at(d->records, name.slot);
	struct spool_lane *lane = lane_of(d, queue, name);
	uint32_t wake_s = entry_of(lane, record, name.slot)->wake_s;

	mta_assert(record->where == queue);
	spool_lane_remove(lane, (uint32_t)record->place);
	record->where = SPOOL_OUTSIDE;
	d->dirs[queue].live--;
	if (is_seeded(d) && lane->all.live == 0)
		d->dirs[queue].live_lanes &= ~(1U << lane->key);
	if (spool_lane_trim(lane))
		cursors_renumber(d, queue, lane, cut_to_size);
	if (spool_lane_is_sparse(lane))
		lane_close_holes(d, queue, lane);
	return wake_s;
}

uint32_t
spool_dirs_wake(struct spool_dirs *d, enum mta_queue queue,
		struct spool_name name)
{
	return entry_of(lane_of(d, queue, name),
			spool_record_at(d->records, name.slot), name.slot)
		->wake_s;
}

void
spool_dirs_set_wake(struct spool_dirs *d, enum mta_queue queue,
		    struct spool_name name, uint32_t wake_s)
{
	const struct spool_record *record =
		spool_record_at(d->records, name.slot);

	spool_lane_set_wake(lane_of(d, queue, name), (uint32_t)record->place,
			    wake_s);
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

/* Remember where each lane ends. An empty lane ends at 0, since holes at the
 * end are cut off. */
static void
cursor_snapshot(const struct spool_dirs *d, struct spool_cursor *c)
{
	const struct spool_dir *dir = &d->dirs[c->queue];

	memset(c->ends, 0, sizeof(c->ends));
	if (!is_seeded(d)) {
		c->ends[0] = dir->lanes[0]->size;
		return;
	}
	for (uint32_t left = dir->live_lanes; left != 0; left &= left - 1) {
		int i = __builtin_ctz(left);

		c->ends[i] = dir->lanes[i]->size;
	}
}

void
spool_dirs_scan_open(struct spool_dirs *d, enum mta_queue queue,
		     struct mta_scan *scan)
{
	const struct spool_dir *dir = &d->dirs[queue];
	struct spool_cursor *c;

	mta_assert(!scan->is_open);
	*scan = (struct mta_scan){
		.queue = queue, .is_open = true, .cursor = cursor_take(d)};
	c = &d->cursors[scan->cursor];
	c->is_open = true;
	c->queue = queue;
	c->is_reading = false;
	c->lanes_left = dir->lane_count;
	c->lane = d->order == SPOOL_NEWEST_FIRST && dir->lane_count > 0
			  ? dir->lane_count - 1
			  : 0;
	if (!dir->is_hashed)
		cursor_snapshot(d, c);
}

static void
cursor_enter(struct spool_dirs *d, struct spool_cursor *c)
{
	const struct spool_dir *dir = &d->dirs[c->queue];
	uint32_t end =
		dir->is_hashed ? dir->lanes[c->lane]->size : c->ends[c->lane];

	c->is_reading = true;
	if (d->order == SPOOL_NEWEST_FIRST)
		c->walk = (struct spool_walk){.place = end, .end = 0};
	else
		c->walk = (struct spool_walk){.place = 0, .end = end};
}

static void
cursor_leave(struct spool_dirs *d, struct spool_cursor *c)
{
	c->is_reading = false;
	c->lanes_left--;
	if (d->order != SPOOL_NEWEST_FIRST)
		c->lane++;
	else if (c->lanes_left > 0)
		c->lane--;
}

/* Go to the next lane that is not empty, without a look at those between. */
static void
cursor_leap(const struct spool_dirs *d, struct spool_cursor *c)
{
	uint32_t ahead = d->dirs[c->queue].live_lanes >> c->lane;
	uint32_t leap = ahead ? (uint32_t)__builtin_ctz(ahead) : c->lanes_left;

	if (leap == 0)
		return;
	c->is_reading = false;
	c->lane += leap;
	c->lanes_left -= leap;
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
	for (; dir->live > 0; cursor_leave(d, c)) {
		struct spool_lane *lane;
		uint32_t place;

		if (is_seeded(d) && c->lanes_left > 0)
			cursor_leap(d, c);
		if (c->lanes_left == 0)
			break;
		lane = dir->lanes[c->lane];
		if (!c->is_reading)
			cursor_enter(d, c);
		c->walk.due_s = due_s;
		c->walk.skips_max = skips_max;
		c->walk.skipped = item->skipped;
		place = d->order == SPOOL_NEWEST_FIRST
				? spool_lane_walk_down(lane, &c->walk)
				: spool_lane_walk_up(lane, &c->walk);
		item->skipped = c->walk.skipped;
		if (place != SPOOL_NO_SLOT) {
			item->id = spool_record_ref(
				d->records,
				spool_lane_entry(lane, place)->slot);
			return MTA_SCAN_FOUND;
		}
		if (item->skipped == skips_max)
			return MTA_SCAN_SKIPPED;
	}
	spool_dirs_scan_close(d, scan);
	return MTA_SCAN_END;
}

void
spool_dirs_scan_close(struct spool_dirs *d, struct mta_scan *scan)
{
	struct spool_cursor *c = cursor_of(d, scan);

	c->is_open = false;
	d->cursors_open--;
	scan->is_open = false;
}
