/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The operations of the memory spool. A file is written into a side. Most mails
 * go on to active in moments, where they need it; one that comes into a queue
 * which is not short will wait for longer. It is packed into its record, if it
 * fits, and is written out again by whatever then needs more room. Sides are
 * taken last in, first out, so that a mail which passes quickly costs no memory
 * that is cold.
 *
 * Life of a slot: new -> in a queue -> gone, while a log is left -> free. Every
 * operation looks a handle up by slot and generation, so one whose file is gone
 * finds nothing.
 */
#include "sim/host/spool_mem.h"

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

static void
side_free(struct spool_side *side)
{
	free(side->many);
	if (!side->logs)
		return;
	for (uint32_t log = 0; log < SPOOL_LOGS; log++)
		free(side->logs->of[log].records);
	free(side->logs);
}

void
spool_mem_release(struct spool_mem *s)
{
	/* Logs stay with a side that is in no use. */
	for (uint32_t i = 0; i < s->sides.fresh; i++)
		side_free(mta_pool_at(&s->sides, i));
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
spool_disk_wait(struct spool_disk *d, struct mta_loop *loop, mta_span service)
{
	uint32_t first = 0;

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

static inline struct spool_side *
side_take(struct spool_mem *s, struct spool_record *record, uint32_t slot)
{
	struct spool_side *side = mta_pool_take_raw(&s->sides);

	mta_assert(side->count == 0);
	side->slot = slot;
	side->shared_locks = 0;
	spool_record_write_out(record, &side->plain);
	return side;
}

struct spool_side *
spool_mem_write_out(struct spool_mem *s, struct spool_record *record,
		    uint32_t slot)
{
	struct spool_past *past = spool_record_past(&s->records, record);
	struct spool_side *side;
	struct spool_plain plain;

	spool_record_unpack(&s->records, record, &plain);
	side = side_take(s, record, slot);
	side->plain = plain;
	spool_side_add(side, plain.to);
	if (past) {
		if (plain.file.logs != 0)
			spool_side_log(side, MTA_LOG_DEFER,
				       &(struct mta_log_record){
					       .address = plain.to,
					       .status = past->deferred});
		spool_record_drop_past(&s->records, record);
	}
	return side;
}

/* As it was taken. */
static void
side_give(struct spool_mem *s, struct spool_side *side)
{
	if (side->many) {
		free(side->many);
		side->many = NULL;
		side->capacity = 0;
	}
	side->count = 0;
	side->dirty_since = 0;
	mta_pool_give(&s->sides, side);
}

/* The logs say at most why the one recipient waits. */
static bool
side_has_plain_logs(const struct spool_side *side)
{
	const struct spool_log *l;

	if (side->plain.file.logs == 0)
		return true;
	if (side->plain.file.logs != 1U << MTA_LOG_DEFER)
		return false;
	l = &side->logs->of[MTA_LOG_DEFER];
	return l->count == 1 && l->records[0].offset == 0 &&
	       l->records[0].address == side->plain.to &&
	       l->records[0].status.dsn.class != 0;
}

/* In a queue that is long, the side of a usual mail with one recipient that
 * nobody works on becomes a packed record. */
MTA_APART static void
record_try_pack(struct spool_mem *s, struct spool_record *record)
{
	struct spool_side *side = spool_side_of(record);
	struct spool_log *l = NULL;

	if (side->count != 1 || side->one_mark != 0 ||
	    side->shared_locks != 0 || !side_has_plain_logs(side))
		return;
	if (side->plain.file.logs != 0)
		l = &side->logs->of[MTA_LOG_DEFER];
	if (!spool_record_pack(&s->records, record,
			       l ? &l->records[0].status : NULL))
		return;
	if (l)
		l->count = 0;
	side_give(s, side);
}

void
spool_mem_settle(struct spool_mem *s, struct spool_record *record,
		 uint32_t slot)
{
	bool was_orphan = record->where == SPOOL_GONE;

	if (record->has_past)
		spool_mem_write_out(s, record, slot);
	if (record->is_written_out) {
		struct spool_side *side = spool_side_of(record);

		if (side->plain.file.logs != 0) {
			s->orphan_count += !was_orphan;
			record->where = SPOOL_GONE;
			return;
		}
		side_give(s, side);
	}
	s->orphan_count -= was_orphan;
	spool_records_give(&s->records, slot);
}

/* The record of a file that is in a queue, or NULL. */
static inline struct spool_record *
file_find(struct spool_mem *s, struct mta_ref file)
{
	struct spool_record *record = spool_record_find(&s->records, file);

	return record && record->where < MTA_QUEUES ? record : NULL;
}

/* The same, of one that is in this queue. */
static inline struct spool_record *
file_find_in(struct spool_mem *s, struct mta_ref file, enum mta_queue queue)
{
	struct spool_record *record = spool_record_find(&s->records, file);

	return record && record->where == queue ? record : NULL;
}

/* A look writes nothing out. */
static const struct mta_file *
file_show(struct spool_mem *s, const struct spool_record *record)
{
	struct spool_plain *plain = &s->shown;

	if (record->is_written_out)
		plain = record->out.plain;
	else
		spool_record_unpack(&s->records, record, plain);
	plain->file.queue = (enum mta_queue)record->where;
	plain->file.mode = record->mode;
	return &plain->file;
}

/* ---- making files ---------------------------------------------------------
 */

static struct spool_side *
file_make(struct spool_mem *s, const struct mta_envelope *e, mta_addr first)
{
	uint32_t slot = spool_records_take(&s->records);
	struct spool_record *record = spool_record_at(&s->records, slot);
	struct spool_side *side = side_take(s, record, slot);

	record->where = SPOOL_OUTSIDE;
	side->plain.file.envelope = *e;
	if (e->attempts == 0)
		side->plain.file.envelope.first_active = MTA_NEVER;
	side->plain.file.logs = 0;
	spool_side_add(side, first);
	s->new_count++;
	return side;
}

static struct mta_ref
op_create(struct mta_spool *spool, const struct mta_envelope *e, mta_addr first)
{
	struct spool_mem *s = view_of(spool)->store;

	return spool_record_ref(&s->records, file_make(s, e, first)->slot);
}

static inline struct spool_record *
new_file(struct spool_mem *s, struct mta_ref file)
{
	struct spool_record *record = spool_record_find(&s->records, file);

	mta_assert(record != NULL);
	mta_assert(record->where == SPOOL_OUTSIDE);
	return record;
}

static void
op_append(struct mta_spool *spool, struct mta_ref file, mta_addr to)
{
	spool_side_add(spool_side_of(new_file(view_of(spool)->store, file)),
		       to);
}

/* From being written to a queue. */
static void
file_publish(struct spool_mem *s, enum mta_queue queue,
	     struct spool_record *record, struct spool_entry entry)
{
	struct spool_side *side = spool_side_of(record);

	side->plain.file.envelope.recipient_count = side->count;
	s->new_count--;
	spool_dirs_add(&s->dirs, queue, record, entry);
}

static bool
has_room(const struct spool_mem *s)
{
	return s->files_max == 0 ||
	       s->records.used_count - s->new_count - s->orphan_count <
		       s->files_max;
}

static const struct mta_file *
op_commit(struct mta_spool *spool, struct mta_ref file, enum mta_queue queue)
{
	struct spool_view *v = view_of(spool);
	struct spool_mem *s = v->store;
	struct spool_record *record = new_file(s, file);
	const struct mta_file *shown;

	mta_loop_charge(v->loop, v->costs->commit);
	if (!has_room(s))
		return NULL;
	spool_disk_use(&s->disk, v->loop, s->disk.fsync);
	spool_disk_use(&s->disk, v->loop, s->disk.rename);
	record->out.plain->file.envelope.committed = v->loop->now;
	file_publish(s, queue, record,
		     (struct spool_entry){
			     .slot = file.index,
			     .wake_s = (uint32_t)mta_second(v->loop->now)});
	/* What a side says stays as it is until the side is taken again. */
	shown = file_show(s, record);
	if (s->dirs.dirs[queue].live > SPOOL_SHORT)
		record_try_pack(s, record);
	return shown;
}

static void
op_abandon(struct mta_spool *spool, struct mta_ref file)
{
	struct spool_mem *s = view_of(spool)->store;
	struct spool_record *record = new_file(s, file);

	s->new_count--;
	s->removed = file;
	s->removed_created = spool_record_created(&s->records, record);
	spool_mem_settle(s, record, file.index);
}

struct mta_ref
spool_mem_put(struct spool_mem *s, const struct spool_seed *f)
{
	struct spool_side *side = file_make(s, &f->envelope, f->recipients[0]);
	uint32_t slot = side->slot;
	struct spool_record *record = spool_record_at(&s->records, slot);

	for (uint32_t i = 1; i < f->envelope.recipient_count; i++)
		spool_side_add(side, f->recipients[i]);
	file_publish(s, f->queue, record,
		     (struct spool_entry){.slot = slot, .wake_s = f->wake_s});
	record_try_pack(s, record);
	return spool_record_ref(&s->records, slot);
}

/* ---- reading and marking --------------------------------------------------
 */

static const struct mta_file *
op_look(struct mta_spool *spool, struct mta_ref file)
{
	struct spool_mem *s = view_of(spool)->store;
	const struct spool_record *record = file_find(s, file);

	return record ? file_show(s, record) : NULL;
}

/* The recipient at an offset, of one that there is. */
static void
record_read(const struct spool_record *record, uint32_t offset,
	    struct mta_record *out)
{
	const struct spool_side *side;

	out->kind = MTA_RECORD_RECIPIENT;
	out->next = offset + 1;
	if (!record->is_written_out) {
		out->address = spool_record_to(record);
		return;
	}
	side = spool_side_of(record);
	out->address = spool_side_recipient(side, offset);
	if (side->marks[offset] & SPOOL_MARK_DONE)
		out->kind = MTA_RECORD_DONE;
}

/* Recipient n stands at offset n. */
static enum mta_err
op_read(struct mta_spool *spool, struct mta_ref file, uint32_t offset,
	struct mta_record *out)
{
	const struct spool_record *record =
		file_find(view_of(spool)->store, file);
	uint32_t count;

	if (!record)
		return MTA_ENOENT;
	out->offset = offset;
	count = record->is_written_out ? spool_side_of(record)->count : 1;
	if (offset < count) {
		record_read(record, offset, out);
		return MTA_OK;
	}
	out->kind = MTA_RECORD_END;
	out->next = offset;
	out->address = 0;
	return MTA_OK;
}

/* A write sets the file's time to now (F1.9). */
static void
file_touch(struct spool_view *v, const struct spool_record *record,
	   uint32_t slot)
{
	spool_dirs_set_wake(&v->store->dirs, record,
			    (struct spool_entry){.slot = slot,
						 .wake_s = (uint32_t)mta_second(
							 v->loop->now)});
}

/* What the system wrote back in the meantime can be lost no more. */
static void
side_write_back(const struct spool_mem *s, struct spool_side *side,
		mta_time now)
{
	if (side->dirty_since != 0 && now - side->dirty_since <= s->writeback)
		return;
	side->dirty_since = now;
	for (uint32_t i = 0; i < side->count; i++)
		side->marks[i] &= (uint8_t)~SPOOL_MARK_UNSYNCED;
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
	mta_assert(offset < side->count);
	side_write_back(v->store, side, v->loop->now);
	side->marks[offset] |= SPOOL_MARK_DONE | SPOOL_MARK_UNSYNCED;
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
	spool_mem_side(v->store, record, file.index)
		->plain.file.envelope.warn_s = -1;
	file_touch(v, record, file.index);
	return MTA_OK;
}

static void
op_set_mode(struct mta_spool *spool, struct mta_ref file, uint32_t set,
	    uint32_t clear)
{
	struct spool_record *record = file_find(view_of(spool)->store, file);

	mta_assert(set < 1U << MTA_MODES);
	if (record)
		record->mode = ((record->mode & ~clear) | set) &
			       ((1U << MTA_MODES) - 1);
}

/* ---- moving ---------------------------------------------------------------
 */

static uint32_t
record_locks(const struct spool_record *record)
{
	return record->is_written_out ? spool_side_of(record)->shared_locks : 0;
}

static enum mta_err
op_lock(struct mta_spool *spool, struct mta_ref file)
{
	struct spool_mem *s = view_of(spool)->store;
	struct spool_record *record = file_find_in(s, file, MTA_ACTIVE);

	if (!record)
		return MTA_ENOENT;
	if (record->mode & MTA_MODE_DAMAGED)
		return MTA_ECORRUPT;
	spool_mem_side(s, record, file.index)->shared_locks++;
	return MTA_OK;
}

static void
op_unlock(struct mta_spool *spool, struct mta_ref file)
{
	struct spool_record *record = file_find(view_of(spool)->store, file);

	/* A power loss in between forgot the lock. */
	if (record && record_locks(record) > 0)
		spool_side_of(record)->shared_locks--;
}

static void
charge_finish(struct spool_view *v, enum mta_queue from)
{
	if (from == MTA_ACTIVE || from == MTA_MAILDROP)
		mta_loop_charge(v->loop, v->costs->finish);
	spool_disk_use(&v->store->disk, v->loop, v->store->disk.rename);
}

static void
file_move(struct spool_mem *s, struct spool_record *record, uint32_t slot,
	  enum mta_queue to, uint32_t wake_s)
{
	struct spool_entry entry = {
		.slot = slot,
		.wake_s = spool_dirs_remove(&s->dirs, record, slot)};

	if (wake_s != MTA_WAKE_KEEP)
		entry.wake_s = wake_s;
	spool_dirs_add(&s->dirs, to, record, entry);
}

static void
count_attempt(struct mta_envelope *e, mta_time now)
{
	e->attempts++;
	if (e->first_active == MTA_NEVER)
		e->first_active = now;
}

static enum mta_err
op_admit(struct mta_spool *spool, struct mta_ref file, enum mta_queue from,
	 const struct mta_file **shown)
{
	struct spool_view *v = view_of(spool);
	struct spool_mem *s = v->store;
	struct spool_record *record = file_find_in(s, file, from);
	struct spool_side *side;

	mta_assert(from != MTA_ACTIVE);
	if (!record)
		return MTA_ENOENT;
	mta_loop_charge(v->loop, v->costs->admit);
	spool_disk_use(&s->disk, v->loop, s->disk.rename);
	side = spool_mem_side(s, record, file.index);
	count_attempt(&side->plain.file.envelope, v->loop->now);
	file_move(s, record, file.index, MTA_ACTIVE, MTA_WAKE_KEEP);
	*shown = file_show(s, record);
	if (record->mode & MTA_MODE_DAMAGED)
		return MTA_ECORRUPT;
	return side->shared_locks > 0 ? MTA_ELOCKED : MTA_OK;
}

static const struct mta_file *
op_move(struct mta_spool *spool, struct mta_ref file, enum mta_queue from,
	enum mta_queue to, uint32_t wake_s)
{
	struct spool_view *v = view_of(spool);
	struct spool_mem *s = v->store;
	struct spool_record *record = file_find_in(s, file, from);
	const struct mta_file *shown;

	mta_assert(to != MTA_ACTIVE);
	if (!record)
		return NULL;
	charge_finish(v, from);
	file_move(s, record, file.index, to, wake_s);
	/* What a side says stays as it is until the side is taken again. */
	shown = file_show(s, record);
	if (record->is_written_out && s->dirs.dirs[to].live > SPOOL_SHORT)
		record_try_pack(s, record);
	return shown;
}

static const struct mta_file *
op_remove(struct mta_spool *spool, struct mta_ref file, enum mta_queue from)
{
	struct spool_view *v = view_of(spool);
	struct spool_mem *s = v->store;
	struct spool_record *record = file_find_in(s, file, from);
	const struct mta_file *shown;

	if (!record)
		return NULL;
	charge_finish(v, from);
	shown = file_show(s, record);
	s->removed = file;
	s->removed_created = shown->envelope.created;
	spool_dirs_remove(&s->dirs, record, file.index);
	/* What a side says stays as it is until the side is taken again. */
	spool_mem_settle(s, record, file.index);
	return shown;
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
	return v->costs->passes_unwritten &&
	       op_look(&v->base, file)->envelope.committed > v->loop->now;
}

/* A look that takes time, or passes by what is not written yet. */
static enum mta_scan_result
scan_at_cost(struct spool_view *v, struct mta_scan *scan, uint32_t due_s,
	     uint32_t skips_max, struct mta_scan_item *item)
{
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

static enum mta_scan_result
op_scan_next(struct mta_spool *spool, struct mta_scan *scan, uint32_t due_s,
	     uint32_t skips_max, struct mta_scan_item *item)
{
	struct spool_view *v = view_of(spool);

	if (v->costs->scan > 0 || v->costs->passes_unwritten)
		return scan_at_cost(v, scan, due_s, skips_max, item);
	return spool_dirs_scan_next(&v->store->dirs, scan, due_s, skips_max,
				    item);
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
	char text[MTA_ID_TEXT_MAX] = "";

	if (record || is_removed) {
		struct mta_queue_id_parts id = {
			.created = record ? spool_record_created(&s->records,
								 record)
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
	return spool_dirs_wake(&s->dirs, record, file.index);
}

/* ---- power loss -----------------------------------------------------------
 */

static bool
side_is_used(const struct spool_side *side)
{
	return side->pooled.generation % 2 == 1;
}

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
	for (uint32_t i = 0; i < side->count; i++) {
		if (!(side->marks[i] & SPOOL_MARK_UNSYNCED))
			continue;
		side->marks[i] = 0;
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
	.look = op_look,
	.read = op_read,
	.mark_done = op_mark_done,
	.mark_warned = op_mark_warned,
	.set_mode = op_set_mode,
	.admit = op_admit,
	.lock = op_lock,
	.unlock = op_unlock,
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
