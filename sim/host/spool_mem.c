/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files and their places. A file is written into a side. Most mails go on to
 * active in moments, where they need it; one that comes into a queue which is
 * not short will wait for longer. It is packed into its record, if it fits, and
 * is written out again by whatever then needs more room. Sides are taken last
 * in, first out, so that a mail which passes quickly costs no memory that is
 * cold.
 *
 * Life of a slot: new -> in a queue -> gone, while a log is left -> free.
 */
#include "sim/host/spool_mem.h"

#include "mta/panic.h"

enum {
	SIDES_PER_CHUNK = 256,
	WRITEBACK_S = 30
};

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
	};
	spool_disk_init(&s->disk, c->disk_fsync, c->disk_rename,
			c->disk_parallel);
	spool_records_init(&s->records, now);
	spool_dirs_init(&s->dirs, &c->dirs, &s->records);
	mta_pool_init(&s->sides, sizeof(struct spool_side), SIDES_PER_CHUNK);
}

void
spool_mem_release(struct spool_mem *s)
{
	/* Logs stay with a side that is in no use. */
	for (uint32_t i = 0; i < s->sides.fresh; i++)
		spool_side_release(mta_pool_at(&s->sides, i));
	mta_pool_release(&s->sides);
	spool_dirs_release(&s->dirs);
	spool_records_release(&s->records);
	spool_disk_release(&s->disk);
}

/* ---- records and sides -----------------------------------------------------
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

static void
side_give(struct spool_mem *s, struct spool_side *side)
{
	spool_side_clear(side);
	mta_pool_give(&s->sides, side);
}

void
spool_mem_try_pack(struct spool_mem *s, struct spool_record *record)
{
	struct spool_side *side = spool_side_of(record);
	struct spool_log *l = NULL;

	if (side->count != 1 || side->one_mark != 0 ||
	    side->shared_locks != 0 || !spool_side_has_plain_logs(side))
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

const struct mta_file *
spool_mem_show(struct spool_mem *s, const struct spool_record *record)
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

/* ---- files -----------------------------------------------------------------
 */

struct spool_side *
spool_mem_make(struct spool_mem *s, const struct mta_envelope *e,
	       mta_addr first)
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

void
spool_mem_publish(struct spool_mem *s, enum mta_queue queue,
		  struct spool_record *record, struct spool_entry entry)
{
	struct spool_side *side = spool_side_of(record);

	side->plain.file.envelope.recipient_count = side->count;
	s->new_count--;
	spool_dirs_add(&s->dirs, queue, record, entry);
}

bool
spool_mem_has_room(const struct spool_mem *s)
{
	return s->files_max == 0 ||
	       s->records.used_count - s->new_count - s->orphan_count <
		       s->files_max;
}

struct mta_ref
spool_mem_put(struct spool_mem *s, const struct spool_seed *f)
{
	struct spool_side *side =
		spool_mem_make(s, &f->envelope, f->recipients[0]);
	uint32_t slot = side->slot;
	struct spool_record *record = spool_record_at(&s->records, slot);

	for (uint32_t i = 1; i < f->envelope.recipient_count; i++)
		spool_side_add(side, f->recipients[i]);
	spool_mem_publish(
		s, f->queue, record,
		(struct spool_entry){.slot = slot, .wake_s = f->wake_s});
	spool_mem_try_pack(s, record);
	return spool_record_ref(&s->records, slot);
}

uint32_t
spool_mem_wake(struct spool_mem *s, struct mta_ref file)
{
	const struct spool_record *record = spool_mem_find(s, file);

	if (!record)
		return 0;
	return spool_dirs_wake(&s->dirs, record, file.index);
}

/* ---- power loss ------------------------------------------------------------
 */

static bool
side_is_used(const struct spool_side *side)
{
	return side->pooled.generation % 2 == 1;
}

/* The file of a side forgets what was not synced; how many marks. */
static uint32_t
lose_marks(struct spool_mem *s, struct spool_side *side, mta_time now,
	   struct spool_luck *luck)
{
	if (side->dirty_since == 0 || now - side->dirty_since > s->writeback)
		return 0;
	if (!luck->is_lost(luck, spool_record_ref(&s->records, side->slot)))
		return 0;
	return spool_side_lose_marks(side);
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
			lost += lose_marks(s, side, now, luck);
			side->dirty_since = 0;
		}
	}
	return lost;
}
