/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The operations of the memory spool. A file is written into a side; commit
 * packs it into its record if it fits; whatever then needs more room (the move
 * to active is the usual case) writes it out again. Sides are taken last in,
 * first out, so that a mail which passes quickly costs no memory that is cold.
 *
 * Life of a slot: new -> in a queue -> gone, while a log is left -> free. Every
 * operation looks a handle up by slot and generation, so one whose file is gone
 * finds nothing.
 */
#include "sim/spool_mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mta/panic.h"
#include "mta/rules.h"

enum {
	SIDES_PER_CHUNK = 256,
	WRITEBACK_S = 30,
	SCAN_CHARGE_US = 1000
};

static const struct mta_spool_ops spool_mem_ops;

/* ---- store ----------------------------------------------------------------
 */

void
spool_mem_init(struct spool_mem *s, const struct spool_mem_config *c,
	       struct mta_symtab *symbols, mta_time now)
{
	*s = (struct spool_mem){
		.symbols = symbols,
		.long_ids = c->long_ids,
		.files_max = c->files_max,
		.writeback = c->writeback ? c->writeback
					  : mta_from_seconds(WRITEBACK_S),
		.disk = {.fsync = c->disk_fsync,
			 .rename = c->disk_rename,
			 .parallel = c->disk_parallel ? c->disk_parallel : 1},
	};
	s->disk.free_at = mta_alloc(s->disk.parallel, sizeof(mta_time));
	for (uint32_t i = 0; i < s->disk.parallel; i++)
		s->disk.free_at[i] = INT64_MIN;
	spool_records_init(&s->records, now);
	spool_dirs_init(&s->dirs, &c->dirs, &s->records);
	mta_pool_init(&s->sides, sizeof(struct spool_side), SIDES_PER_CHUNK);
}

static bool
side_is_used(const struct spool_side *side)
{
	return side->pooled.generation % 2 == 1;
}

void
spool_mem_release(struct spool_mem *s)
{
	for (uint32_t i = 0; i < s->sides.fresh; i++) {
		struct spool_side *side = mta_pool_at(&s->sides, i);

		if (!side_is_used(side))
			continue;
		spool_recipients_release(&side->to);
		for (uint32_t l = 0; l < SPOOL_LOGS; l++)
			free(side->logs[l].records);
	}
	mta_pool_release(&s->sides);
	spool_dirs_release(&s->dirs);
	spool_records_release(&s->records);
	free(s->disk.free_at);
	s->disk.free_at = NULL;
}

void
spool_view_init(struct spool_view *v, struct spool_mem *s,
		struct mta_loop *loop, const struct spool_costs *costs)
{
	*v = (struct spool_view){.base = {.ops = &spool_mem_ops},
				 .store = s,
				 .loop = loop,
				 .costs = costs};
}

static struct spool_view *
view_of(struct mta_spool *spool)
{
	return mta_container_of(spool, struct spool_view, base);
}

void
spool_disk_use(struct spool_disk *d, struct mta_loop *loop, mta_span service)
{
	uint32_t first = 0;

	if (service == 0)
		return;
	for (uint32_t i = 1; i < d->parallel; i++)
		if (d->free_at[i] < d->free_at[first])
			first = i;
	if (d->free_at[first] < loop->now)
		d->free_at[first] = loop->now;
	d->free_at[first] += service;
	mta_loop_charge(loop, d->free_at[first] - loop->now);
}

/* ---- records and sides ----------------------------------------------------
 */

struct spool_side *
spool_mem_side(struct spool_mem *s, struct spool_record *record, uint32_t slot)
{
	struct spool_side *side;
	struct spool_plain plain;

	if (record->has_side)
		return spool_mem_side_of(s, record);
	spool_record_unpack(&s->records, record, &plain);
	side = mta_pool_take(&s->sides);
	side->slot = slot;
	side->envelope = plain.envelope;
	side->created = plain.created;
	spool_recipients_add(&side->to, plain.to);
	spool_record_set_side(record, side->pooled.index);
	return side;
}

static void
side_give(struct spool_mem *s, struct spool_record *record)
{
	struct spool_side *side = spool_mem_side_of(s, record);

	spool_recipients_release(&side->to);
	for (uint32_t l = 0; l < SPOOL_LOGS; l++)
		spool_log_release(&side->logs[l], s->symbols);
	record->has_side = 0;
	mta_pool_give(&s->sides, side);
}

static bool
side_has_log(const struct spool_side *side)
{
	return side->logs[MTA_LOG_DEFER].count > 0 ||
	       side->logs[MTA_LOG_BOUNCE].count > 0;
}

/* A side that holds nothing but a fresh mail becomes a packed record again. */
static void
record_try_pack(struct spool_mem *s, struct spool_record *record)
{
	struct spool_side *side = spool_mem_side_of(s, record);
	struct spool_plain plain = {.envelope = side->envelope,
				    .created = side->created};

	if (side->to.count != 1 || side->shared_locks > 0 || side_has_log(side))
		return;
	plain.to = spool_recipients_at(&side->to, 0);
	record->has_side = 0;
	if (!spool_record_pack(&s->records, record, &plain)) {
		spool_record_set_side(record, side->pooled.index);
		return;
	}
	spool_recipients_release(&side->to);
	mta_pool_give(&s->sides, side);
}

void
spool_mem_settle(struct spool_mem *s, struct spool_record *record,
		 uint32_t slot)
{
	bool was_orphan = record->where == SPOOL_GONE;

	if (record->has_side && side_has_log(spool_mem_side_of(s, record))) {
		s->orphan_count += !was_orphan;
		record->where = SPOOL_GONE;
		return;
	}
	s->orphan_count -= was_orphan;
	if (record->has_side)
		side_give(s, record);
	spool_records_give(&s->records, slot);
}

static mta_time
created_at(const struct spool_mem *s, const struct spool_record *record)
{
	struct spool_plain plain;

	if (record->has_side)
		return spool_mem_side_of(s, record)->created;
	spool_record_unpack(&s->records, record, &plain);
	return plain.created;
}

static struct spool_name
name_of(const struct spool_mem *s, const struct spool_record *record,
	uint32_t slot)
{
	return (struct spool_name){.slot = slot,
				   .created = created_at(s, record)};
}

/* The record of a file that is in a queue, or NULL. */
static struct spool_record *
file_find(const struct spool_mem *s, struct mta_ref file)
{
	struct spool_record *record = spool_record_find(&s->records, file);

	return record && record->where < MTA_QUEUES ? record : NULL;
}

/* The record of a file that is in a queue or being written, or NULL. */
static struct spool_record *
file_find_any(const struct spool_mem *s, struct mta_ref file)
{
	struct spool_record *record = spool_record_find(&s->records, file);

	return record && record->where != SPOOL_GONE ? record : NULL;
}

/* ---- making files ---------------------------------------------------------
 */

static struct spool_side *
file_make(struct spool_mem *s, const struct mta_envelope *e)
{
	uint32_t slot = spool_records_take(&s->records);
	struct spool_record *record = spool_record_at(&s->records, slot);
	struct spool_side *side = mta_pool_take(&s->sides);

	record->where = SPOOL_OUTSIDE;
	side->slot = slot;
	side->envelope = *e;
	if (e->attempts == 0)
		side->envelope.first_active = MTA_NEVER;
	/* The id needs microseconds: those of the arrival, if no better. */
	side->created = mta_from_seconds(e->created_s) + e->arrival -
			mta_from_seconds(mta_second(e->arrival));
	spool_record_set_side(record, side->pooled.index);
	s->new_count++;
	return side;
}

static struct mta_ref
op_create(struct mta_spool *spool, enum mta_queue queue,
	  const struct mta_envelope *e)
{
	struct spool_view *v = view_of(spool);
	struct spool_side *side = file_make(v->store, e);

	/* Until the commit it is invisible, wherever it lies. */
	(void)queue;
	if (e->created_s == mta_second(v->loop->now))
		side->created = v->loop->now;
	return spool_record_ref(&v->store->records, side->slot);
}

static struct spool_record *
new_file(const struct spool_mem *s, struct mta_ref file)
{
	struct spool_record *record = spool_record_find(&s->records, file);

	mta_assert(record != NULL);
	mta_assert(record->where == SPOOL_OUTSIDE);
	return record;
}

static void
op_append(struct mta_spool *spool, struct mta_ref file, mta_addr to)
{
	struct spool_mem *s = view_of(spool)->store;
	struct spool_record *record = new_file(s, file);

	spool_recipients_add(&spool_mem_side_of(s, record)->to, to);
}

/* From being written to a queue. */
static void
file_publish(struct spool_mem *s, struct spool_record *record, uint32_t slot,
	     const struct spool_seed *seed)
{
	struct spool_side *side = spool_mem_side_of(s, record);
	struct spool_name name = name_of(s, record, slot);

	side->envelope.recipient_count = side->to.count;
	s->new_count--;
	record_try_pack(s, record);
	spool_dirs_add(&s->dirs, seed->queue, name, seed->wake_s);
}

static enum mta_err
op_commit(struct mta_spool *spool, struct mta_ref file, enum mta_queue queue)
{
	struct spool_view *v = view_of(spool);
	struct spool_mem *s = v->store;
	struct spool_record *record = new_file(s, file);
	struct spool_seed seed = {.queue = queue};

	mta_loop_charge(v->loop, v->costs->commit);
	if (s->files_max > 0 &&
	    s->records.used_count - s->new_count - s->orphan_count >=
		    s->files_max)
		return MTA_ENOSPACE;
	spool_disk_use(&s->disk, v->loop, s->disk.fsync);
	spool_disk_use(&s->disk, v->loop, s->disk.rename);
	spool_mem_side_of(s, record)->envelope.committed = v->loop->now;
	seed.wake_s = (uint32_t)mta_second(v->loop->now);
	file_publish(s, record, file.index, &seed);
	return MTA_OK;
}

static void
op_abandon(struct mta_spool *spool, struct mta_ref file)
{
	struct spool_mem *s = view_of(spool)->store;
	struct spool_record *record = new_file(s, file);

	s->new_count--;
	spool_mem_settle(s, record, file.index);
}

struct mta_ref
spool_mem_put(struct spool_mem *s, const struct spool_seed *f)
{
	struct spool_side *side = file_make(s, &f->envelope);
	uint32_t slot = side->slot;

	for (uint32_t i = 0; i < f->envelope.recipient_count; i++)
		spool_recipients_add(&side->to, f->recipients[i]);
	file_publish(s, spool_record_at(&s->records, slot), slot, f);
	return spool_record_ref(&s->records, slot);
}

/* ---- reading and marking --------------------------------------------------
 */

static enum mta_err
op_open(struct mta_spool *spool, enum mta_queue queue, struct mta_ref file,
	enum mta_lock lock)
{
	struct spool_mem *s = view_of(spool)->store;
	struct spool_record *record = file_find(s, file);

	if (!record || record->where != queue)
		return MTA_ENOENT;
	if (record->mode & MTA_MODE_DAMAGED)
		return MTA_ECORRUPT;
	switch (lock) {
	case MTA_LOCK_NONE:
		break;
	case MTA_LOCK_SHARED:
		spool_mem_side(s, record, file.index)->shared_locks++;
		break;
	case MTA_LOCK_EXCLUSIVE:
		if (spool_mem_locks(s, file) > 0)
			return MTA_ELOCKED;
		break;
	}
	return MTA_OK;
}

static void
op_close(struct mta_spool *spool, struct mta_ref file, enum mta_lock lock)
{
	struct spool_mem *s = view_of(spool)->store;
	struct spool_record *record = file_find(s, file);

	/* The file may have been removed while it was open. */
	if (lock != MTA_LOCK_SHARED || !record || !record->has_side)
		return;
	/* A power loss in between forgot the lock. */
	if (spool_mem_side_of(s, record)->shared_locks > 0)
		spool_mem_side_of(s, record)->shared_locks--;
}

static enum mta_err
op_envelope(struct mta_spool *spool, struct mta_ref file,
	    struct mta_envelope *e)
{
	struct spool_mem *s = view_of(spool)->store;
	struct spool_record *record = file_find_any(s, file);
	struct spool_plain plain;

	if (!record)
		return MTA_ENOENT;
	if (record->has_side) {
		*e = spool_mem_side_of(s, record)->envelope;
		return MTA_OK;
	}
	spool_record_unpack(&s->records, record, &plain);
	*e = plain.envelope;
	return MTA_OK;
}

/* Recipient n stands at offset n. A look writes nothing out. */
static enum mta_err
op_read(struct mta_spool *spool, struct mta_ref file, uint32_t offset,
	struct mta_record *out)
{
	struct spool_mem *s = view_of(spool)->store;
	struct spool_record *record = file_find_any(s, file);
	struct spool_recipients packed = {.count = 1};
	struct spool_recipients *to = &packed;

	if (!record)
		return MTA_ENOENT;
	*out = (struct mta_record){
		.kind = MTA_RECORD_END, .offset = offset, .next = offset};
	if (record->has_side) {
		to = &spool_mem_side_of(s, record)->to;
	} else {
		struct spool_plain plain;

		spool_record_unpack(&s->records, record, &plain);
		packed.one = plain.to;
	}
	if (offset >= to->count)
		return MTA_OK;
	out->kind = *spool_recipients_mark(to, offset) & SPOOL_MARK_DONE
			    ? MTA_RECORD_DONE
			    : MTA_RECORD_RECIPIENT;
	out->address = spool_recipients_at(to, offset);
	out->next = offset + 1;
	return MTA_OK;
}

/* A write sets the file's time to now (F1.9). */
static void
file_touch(struct spool_view *v, const struct spool_record *record,
	   uint32_t slot)
{
	spool_dirs_set_wake(&v->store->dirs, (enum mta_queue)record->where,
			    name_of(v->store, record, slot),
			    (uint32_t)mta_second(v->loop->now));
}

/* What the system wrote back in the meantime can be lost no more. */
static void
side_write_back(const struct spool_mem *s, struct spool_side *side,
		mta_time now)
{
	if (side->dirty_since != 0 && now - side->dirty_since <= s->writeback)
		return;
	side->dirty_since = now;
	for (uint32_t i = 0; i < side->to.count; i++)
		*spool_recipients_mark(&side->to, i) &=
			(uint8_t)~SPOOL_MARK_UNSYNCED;
}

static enum mta_err
op_mark_done(struct mta_spool *spool, struct mta_ref file, uint32_t offset)
{
	struct spool_view *v = view_of(spool);
	struct spool_record *record = file_find(v->store, file);
	struct spool_side *side;

	if (!record)
		return MTA_ENOENT;
	side = spool_mem_side(v->store, record, file.index);
	mta_assert(offset < side->to.count);
	side_write_back(v->store, side, v->loop->now);
	*spool_recipients_mark(&side->to, offset) |=
		SPOOL_MARK_DONE | SPOOL_MARK_UNSYNCED;
	file_touch(v, record, file.index);
	return MTA_OK;
}

static enum mta_err
op_mark_warned(struct mta_spool *spool, struct mta_ref file)
{
	struct spool_view *v = view_of(spool);
	struct spool_record *record = file_find(v->store, file);

	if (!record)
		return MTA_ENOENT;
	spool_mem_side(v->store, record, file.index)->envelope.warn_s = -1;
	file_touch(v, record, file.index);
	return MTA_OK;
}

static uint32_t
op_mode(struct mta_spool *spool, struct mta_ref file)
{
	const struct spool_record *record =
		file_find_any(view_of(spool)->store, file);

	return record ? record->mode : 0;
}

static void
op_set_mode(struct mta_spool *spool, struct mta_ref file, uint32_t set,
	    uint32_t clear)
{
	struct spool_record *record =
		file_find_any(view_of(spool)->store, file);

	mta_assert(set < 32);
	if (record)
		record->mode = ((record->mode & ~clear) | set) & 31;
}

static enum mta_err
op_where(struct mta_spool *spool, struct mta_ref file, enum mta_queue *queue)
{
	const struct spool_record *record =
		file_find(view_of(spool)->store, file);

	if (!record)
		return MTA_ENOENT;
	*queue = (enum mta_queue)record->where;
	return MTA_OK;
}

/* ---- moving ---------------------------------------------------------------
 */

static void
charge_move(struct spool_view *v, enum mta_queue from, enum mta_queue to)
{
	if (to == MTA_ACTIVE)
		mta_loop_charge(v->loop, v->costs->admit);
	if (from == MTA_ACTIVE)
		mta_loop_charge(v->loop, v->costs->finish);
	spool_disk_use(&v->store->disk, v->loop, v->store->disk.rename);
}

static enum mta_err
op_move(struct mta_spool *spool, struct mta_ref file, enum mta_queue from,
	enum mta_queue to, uint32_t wake_s)
{
	struct spool_view *v = view_of(spool);
	struct spool_mem *s = v->store;
	struct spool_record *record = file_find(s, file);
	struct spool_name name;
	uint32_t old_wake_s;

	if (!record || record->where != from)
		return MTA_ENOENT;
	charge_move(v, from, to);
	name = name_of(s, record, file.index);
	old_wake_s = spool_dirs_remove(&s->dirs, from, name);
	spool_dirs_add(&s->dirs, to, name,
		       wake_s == MTA_WAKE_KEEP ? old_wake_s : wake_s);
	if (to == MTA_ACTIVE) {
		struct mta_envelope *e =
			&spool_mem_side(s, record, file.index)->envelope;

		e->attempts++;
		if (e->first_active == MTA_NEVER)
			e->first_active = v->loop->now;
	}
	return MTA_OK;
}

static enum mta_err
op_remove(struct mta_spool *spool, enum mta_queue queue, struct mta_ref file)
{
	struct spool_view *v = view_of(spool);
	struct spool_mem *s = v->store;
	struct spool_record *record = file_find(s, file);
	struct spool_name name;

	if (!record || record->where != queue)
		return MTA_ENOENT;
	charge_move(v, queue, queue == MTA_ACTIVE ? MTA_DEFERRED : queue);
	name = name_of(s, record, file.index);
	spool_dirs_remove(&s->dirs, queue, name);
	s->removed = file;
	s->removed_created = name.created;
	spool_mem_settle(s, record, file.index);
	return MTA_OK;
}

/* ---- scans ----------------------------------------------------------------
 */

static void
op_scan_open(struct mta_spool *spool, enum mta_queue queue,
	     struct mta_scan *scan)
{
	spool_dirs_scan_open(&view_of(spool)->store->dirs, queue, scan);
}

/*
 * A file whose writer is still at work or waits for the disk: it stands in the
 * directory from the beginning, as a file that is being written does, and
 * cannot be taken before the end.
 */
static bool
is_being_written(struct spool_view *v, struct mta_ref file)
{
	struct mta_envelope envelope;

	return v->costs->passes_unwritten &&
	       op_envelope(&v->base, file, &envelope) == MTA_OK &&
	       envelope.committed > v->loop->now;
}

static enum mta_scan_result
op_scan_next(struct mta_spool *spool, struct mta_scan *scan, uint32_t due_s,
	     uint32_t skips_max, struct mta_scan_item *item)
{
	struct spool_view *v = view_of(spool);
	mta_span cost = v->costs->scan;
	enum mta_scan_result result;

	/* A long run of names is cut in pieces of about a millisecond. */
	if (cost > 0 && skips_max > SCAN_CHARGE_US / cost)
		skips_max = cost < SCAN_CHARGE_US
				    ? (uint32_t)(SCAN_CHARGE_US / cost)
				    : 1;
	result = spool_dirs_scan_next(&v->store->dirs, scan, due_s, skips_max,
				      item);
	if (result == MTA_SCAN_FOUND && is_being_written(v, item->id)) {
		result = MTA_SCAN_SKIPPED;
		item->skipped++;
		mta_loop_charge(v->loop, cost * item->skipped);
		return result;
	}
	mta_loop_charge(v->loop,
			cost * (item->skipped + (result == MTA_SCAN_FOUND)));
	return result;
}

static void
op_scan_close(struct mta_spool *spool, struct mta_scan *scan)
{
	spool_dirs_scan_close(&view_of(spool)->store->dirs, scan);
}

static uint32_t
op_count(struct mta_spool *spool, enum mta_queue queue)
{
	return view_of(spool)->store->dirs.dirs[queue].live;
}

/* ---- names and questions ---------------------------------------------------
 */

static void
op_id_text(struct mta_spool *spool, struct mta_ref file, char *buffer,
	   size_t size_bytes)
{
	struct spool_mem *s = view_of(spool)->store;
	const struct spool_record *record =
		spool_record_find(&s->records, file);
	bool is_removed = !record && mta_ref_is_set(file) &&
			  mta_ref_equal(file, s->removed);
	char text[MTA_QUEUE_ID_SIZE] = "";

	if (record || is_removed) {
		struct mta_queue_id_parts id = {
			.created = record ? created_at(s, record)
					  : s->removed_created,
			.inode = (uint64_t)file.index + 1};

		if (s->long_ids)
			mta_queue_id_long(id, text);
		else
			mta_queue_id_short(id, text);
	}
	snprintf(buffer, size_bytes, "%s", text);
}

uint32_t
spool_mem_wake(struct spool_mem *s, struct mta_ref file)
{
	const struct spool_record *record = file_find(s, file);

	if (!record)
		return 0;
	return spool_dirs_wake(&s->dirs, (enum mta_queue)record->where,
			       name_of(s, record, file.index));
}

uint32_t
spool_mem_locks(const struct spool_mem *s, struct mta_ref file)
{
	const struct spool_record *record = file_find(s, file);

	if (!record || !record->has_side)
		return 0;
	return spool_mem_side_of(s, record)->shared_locks;
}

/* ---- power loss -----------------------------------------------------------
 */

/* The file of a side forgets what was not synced; how many marks. */
static uint32_t
side_lose_marks(struct spool_mem *s, struct spool_side *side, mta_time now,
		struct spool_luck *luck)
{
	uint32_t lost = 0;

	if (side->dirty_since == 0 || now - side->dirty_since > s->writeback)
		return 0;
	if (!luck->is_lost(luck, spool_record_ref(&s->records, side->slot)))
		return 0;
	for (uint32_t i = 0; i < side->to.count; i++) {
		uint8_t *mark = spool_recipients_mark(&side->to, i);

		if (!(*mark & SPOOL_MARK_UNSYNCED))
			continue;
		*mark = 0;
		lost++;
	}
	return lost;
}

uint32_t
spool_mem_lose_power(struct spool_mem *s, mta_time now, struct spool_luck *luck)
{
	uint32_t lost = 0;

	for (uint32_t i = 0; i < s->sides.fresh; i++) {
		struct spool_side *side = mta_pool_at(&s->sides, i);
		struct spool_record *record;

		if (!side_is_used(side))
			continue;
		record = spool_record_at(&s->records, side->slot);
		side->shared_locks = 0;
		if (record->where == SPOOL_OUTSIDE) {
			s->new_count--;
			spool_mem_settle(s, record, side->slot);
		} else if (record->where < MTA_QUEUES) {
			lost += side_lose_marks(s, side, now, luck);
			side->dirty_since = 0;
		}
	}
	return lost;
}

static const struct mta_spool_ops spool_mem_ops = {
	.create = op_create,
	.append = op_append,
	.commit = op_commit,
	.abandon = op_abandon,
	.open = op_open,
	.close = op_close,
	.envelope = op_envelope,
	.read = op_read,
	.mark_done = op_mark_done,
	.mark_warned = op_mark_warned,
	.mode = op_mode,
	.set_mode = op_set_mode,
	.where = op_where,
	.move = op_move,
	.remove = op_remove,
	.scan_open = op_scan_open,
	.scan_next = op_scan_next,
	.scan_close = op_scan_close,
	.count = op_count,
	.log_append = spool_log_append,
	.log_read = spool_log_read,
	.log_remove = spool_log_remove,
	.id_text = op_id_text,
};
