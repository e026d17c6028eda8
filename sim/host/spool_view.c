/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The operations of the door: each finds the file by slot and generation, so
 * that a handle whose file is gone finds nothing, lets its service's loop be
 * busy for as long as the work takes, and has the store do it.
 */
#include "sim/host/spool_view.h"

#include <stdio.h>

#include "mta/panic.h"
#include "mta/rules.h"

enum {
	SCAN_CHARGE_US = 1000
};

/* ---- making files ----------------------------------------------------------
 */

static struct mta_ref
op_create(struct mta_spool *spool, const struct mta_envelope *e, mta_addr first)
{
	struct spool_mem *s = spool_view_of(spool)->store;

	return spool_record_ref(&s->records, spool_mem_make(s, e, first)->slot);
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
	spool_side_add(
		spool_side_of(new_file(spool_view_of(spool)->store, file)), to);
}

static const struct mta_file *
op_commit(struct mta_spool *spool, struct mta_ref file, enum mta_queue queue)
{
	struct spool_view *v = spool_view_of(spool);
	struct spool_mem *s = v->store;
	struct spool_record *record = new_file(s, file);
	const struct mta_file *shown;

	mta_loop_charge(v->loop, v->costs->commit);
	if (!spool_mem_has_room(s))
		return NULL;
	spool_disk_use(&s->disk, v->loop, s->disk.fsync);
	spool_disk_use(&s->disk, v->loop, s->disk.rename);
	record->out.plain->file.envelope.committed = v->loop->now;
	spool_mem_publish(s, queue, record,
			  (struct spool_entry){.slot = file.index,
					       .wake_s = (uint32_t)mta_second(
						       v->loop->now)});
	/* What a side says stays as it is until the side is taken again. */
	shown = spool_mem_show(s, record);
	if (s->dirs.dirs[queue].live > SPOOL_SHORT)
		spool_mem_try_pack(s, record);
	return shown;
}

static void
op_abandon(struct mta_spool *spool, struct mta_ref file)
{
	struct spool_mem *s = spool_view_of(spool)->store;
	struct spool_record *record = new_file(s, file);

	s->new_count--;
	s->removed = file;
	s->removed_created = spool_record_created(&s->records, record);
	spool_mem_settle(s, record, file.index);
}

/* ---- reading and marking ---------------------------------------------------
 */

static const struct mta_file *
op_look(struct mta_spool *spool, struct mta_ref file)
{
	struct spool_mem *s = spool_view_of(spool)->store;
	const struct spool_record *record = spool_mem_find(s, file);

	return record ? spool_mem_show(s, record) : NULL;
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
		spool_mem_find(spool_view_of(spool)->store, file);
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

static enum mta_err
op_mark_done(struct mta_spool *spool, struct mta_ref file, uint32_t offset)
{
	struct spool_view *v = spool_view_of(spool);
	struct spool_record *record = spool_mem_find(v->store, file);

	if (!record)
		return MTA_ENOENT;
	spool_side_mark_done(spool_mem_side(v->store, record, file.index),
			     offset, v->loop->now, v->store->writeback);
	file_touch(v, record, file.index);
	return MTA_OK;
}

static enum mta_err
op_mark_warned(struct mta_spool *spool, struct mta_ref file)
{
	struct spool_view *v = spool_view_of(spool);
	struct spool_record *record = spool_mem_find(v->store, file);

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
	struct spool_record *record =
		spool_mem_find(spool_view_of(spool)->store, file);

	mta_assert(set < 1U << MTA_MODES);
	if (record)
		record->mode = ((record->mode & ~clear) | set) &
			       ((1U << MTA_MODES) - 1);
}

/* ---- moving ----------------------------------------------------------------
 */

static enum mta_err
op_lock(struct mta_spool *spool, struct mta_ref file)
{
	struct spool_mem *s = spool_view_of(spool)->store;
	struct spool_record *record = spool_mem_find_in(s, file, MTA_ACTIVE);

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
	struct spool_record *record =
		spool_mem_find(spool_view_of(spool)->store, file);

	/* A power loss in between forgot the lock. */
	if (record && spool_record_locks(record) > 0)
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
	struct spool_view *v = spool_view_of(spool);
	struct spool_mem *s = v->store;
	struct spool_record *record = spool_mem_find_in(s, file, from);
	struct spool_side *side;

	mta_assert(from != MTA_ACTIVE);
	if (!record)
		return MTA_ENOENT;
	mta_loop_charge(v->loop, v->costs->admit);
	spool_disk_use(&s->disk, v->loop, s->disk.rename);
	side = spool_mem_side(s, record, file.index);
	count_attempt(&side->plain.file.envelope, v->loop->now);
	file_move(s, record, file.index, MTA_ACTIVE, MTA_WAKE_KEEP);
	*shown = spool_mem_show(s, record);
	if (record->mode & MTA_MODE_DAMAGED)
		return MTA_ECORRUPT;
	return side->shared_locks > 0 ? MTA_ELOCKED : MTA_OK;
}

static const struct mta_file *
op_move(struct mta_spool *spool, struct mta_ref file, enum mta_queue from,
	enum mta_queue to, uint32_t wake_s)
{
	struct spool_view *v = spool_view_of(spool);
	struct spool_mem *s = v->store;
	struct spool_record *record = spool_mem_find_in(s, file, from);
	const struct mta_file *shown;

	mta_assert(to != MTA_ACTIVE);
	if (!record)
		return NULL;
	charge_finish(v, from);
	file_move(s, record, file.index, to, wake_s);
	/* What a side says stays as it is until the side is taken again. */
	shown = spool_mem_show(s, record);
	if (record->is_written_out && s->dirs.dirs[to].live > SPOOL_SHORT)
		spool_mem_try_pack(s, record);
	return shown;
}

static const struct mta_file *
op_remove(struct mta_spool *spool, struct mta_ref file, enum mta_queue from)
{
	struct spool_view *v = spool_view_of(spool);
	struct spool_mem *s = v->store;
	struct spool_record *record = spool_mem_find_in(s, file, from);
	const struct mta_file *shown;

	if (!record)
		return NULL;
	charge_finish(v, from);
	shown = spool_mem_show(s, record);
	s->removed = file;
	s->removed_created = shown->envelope.created;
	spool_dirs_remove(&s->dirs, record, file.index);
	/* What a side says stays as it is until the side is taken again. */
	spool_mem_settle(s, record, file.index);
	return shown;
}

/* ---- scans -----------------------------------------------------------------
 */

static void
op_scan_open(struct mta_spool *spool, enum mta_queue queue,
	     struct mta_scan *scan)
{
	spool_dirs_scan_open(&spool_view_of(spool)->store->dirs, queue, scan);
}

/*
 * A file whose writer is still at work or waits for the disk: it stands in the
 * directory from the beginning, as a file that is being written does, and
 * cannot be taken before the end.
 */
static bool
is_being_written(struct spool_view *v, struct mta_ref file)
{
	const struct mta_file *shown;

	if (!v->costs->passes_unwritten)
		return false;
	shown = op_look(&v->base, file);
	mta_assert(shown != NULL); /* it was just found */
	return shown->envelope.committed > v->loop->now;
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
	struct spool_view *v = spool_view_of(spool);

	if (v->costs->scan > 0 || v->costs->passes_unwritten)
		return scan_at_cost(v, scan, due_s, skips_max, item);
	return spool_dirs_scan_next(&v->store->dirs, scan, due_s, skips_max,
				    item);
}

static void
op_scan_close(struct mta_spool *spool, struct mta_scan *scan)
{
	spool_dirs_scan_close(&spool_view_of(spool)->store->dirs, scan);
}

static uint32_t
op_count(struct mta_spool *spool, enum mta_queue queue)
{
	return spool_view_of(spool)->store->dirs.dirs[queue].live;
}

/* ---- names -----------------------------------------------------------------
 */

static void
op_id_text(struct mta_spool *spool, struct mta_ref file, char *buffer,
	   size_t size_bytes)
{
	struct spool_mem *s = spool_view_of(spool)->store;
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

static const struct mta_spool_ops spool_view_ops = {
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

void
spool_view_init(struct spool_view *v, struct spool_mem *s,
		struct mta_loop *loop, const struct spool_costs *costs)
{
	*v = (struct spool_view){.base = {.ops = &spool_view_ops},
				 .store = s,
				 .loop = loop,
				 .costs = costs};
}
