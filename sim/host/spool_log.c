/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The door's operations on logs. A log belongs to its file's slot, which is
 * kept while a log is left.
 */
#include "sim/host/spool_view.h"

enum mta_err
spool_log_append(struct mta_spool *spool, enum mta_log log, struct mta_ref file,
		 const struct mta_log_record *record)
{
	struct spool_view *v = spool_view_of(spool);
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
	struct spool_mem *s = spool_view_of(spool)->store;
	struct spool_record *r;
	const struct spool_side *side = side_with_log(s, log, file, &r);

	if (r && r->has_past)
		return past_log_read(s, log, r, n, record);
	if (!side || n >= side->logs->of[log].count)
		return MTA_ENOENT;
	*record = side->logs->of[log].records[n];
	return MTA_OK;
}

void
spool_log_remove(struct mta_spool *spool, enum mta_log log, struct mta_ref file)
{
	struct spool_mem *s = spool_view_of(spool)->store;
	struct spool_record *r = spool_record_find(&s->records, file);
	struct spool_side *side;

	if (r && r->has_past)
		spool_mem_write_out(s, r, file.index);
	side = side_with_log(s, log, file, &r);
	if (!side)
		return;
	spool_side_drop_log(side, log, s->symbols);
	if (r->where == SPOOL_GONE)
		spool_mem_settle(s, r, file.index);
}
