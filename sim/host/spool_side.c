/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Most mails have one recipient, which needs no memory of its own.
 */
#include "sim/host/spool_side.h"

#include <stdlib.h>
#include <string.h>

#include "mta/panic.h"

enum {
	LOG_KEPT = 16 /* records that a log which was removed has room for */
};

void
spool_side_release(struct spool_side *side)
{
	free(side->many);
	if (!side->logs)
		return;
	for (uint32_t log = 0; log < SPOOL_LOGS; log++)
		free(side->logs->of[log].records);
	free(side->logs);
}

void
spool_side_clear(struct spool_side *side)
{
	if (side->many) {
		free(side->many);
		side->many = NULL;
		side->capacity = 0;
	}
	side->count = 0;
	side->dirty_since = 0;
}

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

/* What the system wrote back in the meantime can be lost no more. */
static void
side_write_back(struct spool_side *side, mta_time now, mta_span writeback)
{
	if (side->dirty_since != 0 && now - side->dirty_since <= writeback)
		return;
	side->dirty_since = now;
	for (uint32_t i = 0; i < side->count; i++)
		side->marks[i] &= (uint8_t)~SPOOL_MARK_UNSYNCED;
}

void
spool_side_mark_done(struct spool_side *side, uint32_t n, mta_time now,
		     mta_span writeback)
{
	mta_assert(n < side->count);
	side_write_back(side, now, writeback);
	side->marks[n] |= SPOOL_MARK_DONE | SPOOL_MARK_UNSYNCED;
}

uint32_t
spool_side_lose_marks(struct spool_side *side)
{
	uint32_t lost = 0;

	for (uint32_t i = 0; i < side->count; i++) {
		if (!(side->marks[i] & SPOOL_MARK_UNSYNCED))
			continue;
		side->marks[i] = 0;
		lost++;
	}
	return lost;
}

/* ---- logs -----------------------------------------------------------------
 */

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
spool_side_drop_log(struct spool_side *side, enum mta_log log,
		    struct mta_symtab *symbols)
{
	side->plain.file.logs &= ~(1U << log);
	log_clear(&side->logs->of[log], symbols);
}

bool
spool_side_has_plain_logs(const struct spool_side *side)
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
