/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The logs of the memory spool, and the recipients of its files: the two parts
 * that grow with a mail. A log belongs to its file's slot, which is kept while
 * a log is left; it owns the reasons that stand in it.
 */
#include "sim/spool_mem.h"

#include <stdlib.h>
#include <string.h>

#include "mta/panic.h"

/* ---- recipients -----------------------------------------------------------
 */

/* Addresses first, marks behind them. */
static void
recipients_grow(struct spool_recipients *r)
{
	uint32_t capacity = r->capacity ? r->capacity * 2 : 4;
	mta_addr *many = mta_alloc(capacity, sizeof(*many) + 1);
	uint8_t *marks = (uint8_t *)(many + capacity);

	if (r->many) {
		memcpy(many, r->many, r->count * sizeof(*many));
		memcpy(marks, r->marks, r->count);
		free(r->many);
	} else {
		many[0] = r->one;
		marks[0] = r->one_mark;
	}
	r->many = many;
	r->marks = marks;
	r->capacity = capacity;
}

void
spool_recipients_add(struct spool_recipients *r, mta_addr to)
{
	mta_assert(r->count < UINT32_MAX / 2);
	if (r->count == 0) {
		r->one = to;
		r->one_mark = 0;
	} else {
		if (!r->many || r->count == r->capacity)
			recipients_grow(r);
		r->many[r->count] = to;
		r->marks[r->count] = 0;
	}
	r->count++;
}

mta_addr
spool_recipients_at(const struct spool_recipients *r, uint32_t n)
{
	mta_assert(n < r->count);
	return r->many ? r->many[n] : r->one;
}

uint8_t *
spool_recipients_mark(struct spool_recipients *r, uint32_t n)
{
	mta_assert(n < r->count);
	return r->many ? &r->marks[n] : &r->one_mark;
}

void
spool_recipients_release(struct spool_recipients *r)
{
	free(r->many);
	*r = (struct spool_recipients){.count = 0};
}

/* ---- logs -----------------------------------------------------------------
 */

static struct spool_view *
view_of(struct mta_spool *spool)
{
	return mta_container_of(spool, struct spool_view, base);
}

enum mta_err
spool_log_append(struct mta_spool *spool, enum mta_log log, struct mta_ref file,
		 const struct mta_log_record *record)
{
	struct spool_view *v = view_of(spool);
	struct spool_mem *s = v->store;
	struct spool_record *r = spool_record_find(&s->records, file);
	struct spool_log *l;

	if (!r) {
		mta_sym_drop(s->symbols, record->status.reason);
		return MTA_ENOENT;
	}
	l = &spool_mem_side(s, r, file.index)->logs[log];
	if (l->count == l->capacity) {
		l->capacity = l->capacity ? l->capacity * 2 : 1;
		l->records = mta_realloc(l->records, l->capacity,
					 sizeof(*l->records));
	}
	l->records[l->count++] = *record;
	spool_disk_use(&s->disk, v->loop, s->disk.fsync);
	return MTA_OK;
}

static struct spool_log *
log_find(const struct spool_mem *s, enum mta_log log, struct mta_ref file)
{
	const struct spool_record *r = spool_record_find(&s->records, file);

	if (!r || !r->has_side)
		return NULL;
	return &spool_mem_side_of(s, r)->logs[log];
}

enum mta_err
spool_log_read(struct mta_spool *spool, enum mta_log log, struct mta_ref file,
	       uint32_t n, struct mta_log_record *record)
{
	const struct spool_log *l = log_find(view_of(spool)->store, log, file);

	if (!l || n >= l->count)
		return MTA_ENOENT;
	*record = l->records[n];
	return MTA_OK;
}

void
spool_log_release(struct spool_log *l, struct mta_symtab *symbols)
{
	for (uint32_t i = 0; i < l->count; i++)
		mta_sym_drop(symbols, l->records[i].status.reason);
	free(l->records);
	*l = (struct spool_log){.count = 0};
}

void
spool_log_remove(struct mta_spool *spool, enum mta_log log, struct mta_ref file)
{
	struct spool_mem *s = view_of(spool)->store;
	struct spool_log *l = log_find(s, log, file);
	struct spool_record *r;

	if (!l || l->count == 0)
		return;
	spool_log_release(l, s->symbols);
	r = spool_record_at(&s->records, file.index);
	if (r->where == SPOOL_GONE)
		spool_mem_settle(s, r, file.index);
}
