/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The logs of the memory spool, and the recipients of its files: the two parts
 * that grow with a mail. A log belongs to its file's slot, which is kept while
 * a log is left; it owns the reasons that stand in it. The memory of a small
 * log stays with its side, for whatever file that is next.
 */
#include "sim/host/spool_mem.h"

#include <stdlib.h>
#include <string.h>

#include "mta/panic.h"

enum {
	LOG_KEPT = 16 /* records that a log which was removed has room for */
};

/* ---- recipients -----------------------------------------------------------
 */

/* Addresses first, marks behind them. */
MTA_APART static void
recipients_grow(struct spool_side *side)
{
	uint32_t capacity = side->capacity ? side->capacity * 2 : 4;
	mta_addr *many = mta_alloc(capacity, sizeof(*many) + 1);
	uint8_t *marks = (uint8_t *)(many + capacity);

	memcpy(many, side->many ? side->many : &side->plain.to,
	       side->count * sizeof(*many));
	memcpy(marks, side->marks, side->count);
	free(side->many);
	side->many = many;
	side->marks = marks;
	side->capacity = capacity;
}

void
spool_side_add(struct spool_side *side, mta_addr to)
{
	mta_assert(side->count < UINT32_MAX / 2);
	if (side->count == 0) {
		side->count = 1;
		side->plain.to = to;
		side->one_mark = 0;
		side->marks = &side->one_mark;
		return;
	}
	if (!side->many || side->count == side->capacity)
		recipients_grow(side);
	side->many[side->count] = to;
	side->marks[side->count] = 0;
	side->count++;
}

/* ---- logs -----------------------------------------------------------------
 */

static struct spool_view *
view_of(struct mta_spool *spool)
{
	return mta_container_of(spool, struct spool_view, base);
}

static struct spool_log *
side_log(struct spool_side *side, enum mta_log log)
{
	if (!side->logs)
		side->logs = mta_alloc(1, sizeof(*side->logs));
	return &side->logs->of[log];
}

void
spool_side_log(struct spool_side *side, enum mta_log log,
	       const struct mta_log_record *record)
{
	struct spool_log *l = side_log(side, log);

	side->plain.file.logs |= 1U << log;
	if (l->count == l->capacity) {
		l->capacity = l->capacity ? l->capacity * 2 : 1;
		l->records = mta_realloc(l->records, l->capacity,
					 sizeof(*l->records));
	}
	l->records[l->count++] = *record;
}

enum mta_err
spool_log_append(struct mta_spool *spool, enum mta_log log, struct mta_ref file,
		 const struct mta_log_record *record)
{
	struct spool_view *v = view_of(spool);
	struct spool_mem *s = v->store;
	struct spool_record *r = spool_record_find(&s->records, file);

	if (!r) {
		mta_sym_drop(s->symbols, record->status.reason);
		return MTA_ENOENT;
	}
	spool_side_log(spool_mem_side(s, r, file.index), log, record);
	spool_disk_use(&s->disk, v->loop, s->disk.fsync);
	return MTA_OK;
}

/* The side of a file that has such a log, with its record; else NULL. */
static struct spool_side *
side_with_log(struct spool_mem *s, enum mta_log log, struct mta_ref file,
	      struct spool_record **record)
{
	struct spool_side *side;

	*record = spool_record_find(&s->records, file);
	if (!*record || !(*record)->is_written_out)
		return NULL;
	side = spool_side_of(*record);
	return spool_side_has_log(side, log) ? side : NULL;
}

/* The defer log of a mail that is packed. A look writes nothing out. */
static enum mta_err
past_log_read(const struct spool_mem *s, enum mta_log log,
	      const struct spool_record *r, uint32_t n,
	      struct mta_log_record *record)
{
	const struct spool_past *past = spool_record_past(&s->records, r);

	if (log != MTA_LOG_DEFER || n > 0 || past->deferred.dsn.class == 0)
		return MTA_ENOENT;
	*record = (struct mta_log_record){.address = spool_record_to(r),
					  .status = past->deferred};
	return MTA_OK;
}

enum mta_err
spool_log_read(struct mta_spool *spool, enum mta_log log, struct mta_ref file,
	       uint32_t n, struct mta_log_record *record)
{
	struct spool_mem *s = view_of(spool)->store;
	struct spool_record *r;
	const struct spool_side *side = side_with_log(s, log, file, &r);

	if (r && r->has_past)
		return past_log_read(s, log, r, n, record);
	if (!side || n >= side->logs->of[log].count)
		return MTA_ENOENT;
	*record = side->logs->of[log].records[n];
	return MTA_OK;
}

static void
log_clear(struct spool_log *l, struct mta_symtab *symbols)
{
	for (uint32_t i = 0; i < l->count; i++)
		mta_sym_drop(symbols, l->records[i].status.reason);
	l->count = 0;
	if (l->capacity <= LOG_KEPT)
		return;
	free(l->records);
	l->records = NULL;
	l->capacity = 0;
}

void
spool_log_remove(struct mta_spool *spool, enum mta_log log, struct mta_ref file)
{
	struct spool_mem *s = view_of(spool)->store;
	struct spool_record *r = spool_record_find(&s->records, file);
	struct spool_side *side;

	if (r && r->has_past)
		spool_mem_write_out(s, r, file.index);
	side = side_with_log(s, log, file, &r);
	if (!side)
		return;
	side->plain.file.logs &= ~(1U << log);
	log_clear(&side->logs->of[log], s->symbols);
	if (r->where == SPOOL_GONE)
		spool_mem_settle(s, r, file.index);
}
