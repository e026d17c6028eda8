/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Mail that waits. In deferred it is counted, one each, where its first
 * unfinished recipient goes, which is remembered by the file's place in
 * the spool: so what leaves is taken off where it was put, whoever took it
 * away, and the sum over destinations is always the length of the queue.
 *
 * At the end the spool is walked for what is unfinished.
 */
#include "sim/results/results_parts.h"

#include <stdlib.h>

#include "sim/base/arena.h"

static uint32_t *
place_of(struct results *r, struct mta_ref file)
{
	if (file.index >= r->deferred_room) {
		uint32_t room = file.index < 512 ? 1024 : file.index * 2;

		r->deferred_at = memory_resize(r->deferred_at, room,
					       sizeof(*r->deferred_at));
		memset(r->deferred_at + r->deferred_room, 0,
		       (room - r->deferred_room) * sizeof(*r->deferred_at));
		r->deferred_room = room;
	}
	return &r->deferred_at[file.index];
}

/* The next unfinished recipient from *offset on; false: there is none. */
static bool
next_recipient(struct mta_spool *spool, struct mta_ref file, uint32_t *offset,
	       struct mta_record *record)
{
	for (;;) {
		if (spool->ops->read(spool, file, *offset, record) != MTA_OK ||
		    record->kind == MTA_RECORD_END)
			return false;
		*offset = record->next;
		if (record->kind == MTA_RECORD_RECIPIENT)
			return true;
	}
}

static void
count_in(struct results *r, struct mta_ref file)
{
	struct mta_record record;
	uint32_t offset = 0;
	struct tally_pair *pair;

	if (next_recipient(r->view.spool, file, &offset, &record))
		pair = tally_pair_of(&r->tally, record.address);
	else
		pair = tally_pair_of_none(&r->tally);
	tally_deferred(&r->tally, pair, 1);
	*place_of(r, file) = pair->number + 1;
}

static void
count_out(struct results *r, struct mta_ref file)
{
	uint32_t *place = place_of(r, file);

	if (*place == 0)
		return;
	tally_deferred(&r->tally, tally_pair_at(&r->tally, *place - 1), -1);
	*place = 0;
}

void
results_count_deferred(struct results *r, const struct mta_trace_move *m)
{
	if (m->from == MTA_DEFERRED)
		count_out(r, m->file);
	if (m->to == MTA_DEFERRED)
		count_in(r, m->file);
}

/* ---- walks ------------------------------------------------------------------
 */

struct left_visitor {
	struct totals_visitor base;
	struct results *results;
	mta_time now;
};

static void
visit_deferred(struct totals_visitor *base, struct mta_spool *spool,
	       enum mta_queue queue, struct mta_ref file)
{
	struct left_visitor *v =
		mta_container_of(base, struct left_visitor, base);

	(void)spool;
	(void)queue;
	count_in(v->results, file);
}

void
results_scan_deferred(struct results *r)
{
	struct left_visitor v = {
		.base = {.visit = visit_deferred},
		.results = r,
	};

	totals_walk(r->view.spool, MTA_DEFERRED, &v.base);
}

static enum mta_outcome
outcome_in(enum mta_queue queue)
{
	return queue == MTA_HOLD ? MTA_HELD : MTA_QUEUED;
}

/* The least that its wait for the first attempt can become; -1: it has had
 * that. Of mail that is in active for the first time nobody here knows whether
 * an agent has it; until it came there none had. */
static int64_t
wait_so_far(const struct mta_envelope *e, enum mta_queue queue, mta_time now)
{
	if (e->attempts == 0)
		return now - e->arrival;
	if (e->attempts == 1 && (queue == MTA_ACTIVE || queue == MTA_INCOMING))
		return e->first_active - e->arrival;
	return -1;
}

static void
tell_left(struct left_visitor *v, const struct mta_envelope *e, mta_addr to,
	  enum mta_queue queue)
{
	enum mta_outcome outcome = outcome_in(queue);
	struct results *r = v->results;
	uint32_t source = results_source_of(r, e->sender);
	int64_t age = v->now - e->arrival;
	struct tally_place place =
		tally_open(&r->tally, to, source, age, outcome);

	r->left_recipients++;
	expect_recipient(
		&r->expect,
		&(struct expect_recipient){
			/* Not later: services may be busy beyond the end. */
			.at_us = r->end_us,
			.delay_us = age,
			.wait_us = wait_so_far(e, queue, v->now),
			.attempts = e->attempts,
			.outcome = outcome,
			.destination =
				tally_destination_at(&r->tally, place.pair),
			.domain = tally_domain_at(&r->tally, place.pair),
			.source = source,
		});
}

static void
visit_left(struct totals_visitor *base, struct mta_spool *spool,
	   enum mta_queue queue, struct mta_ref file)
{
	struct left_visitor *v =
		mta_container_of(base, struct left_visitor, base);
	const struct mta_file *shown = spool->ops->look(spool, file);
	struct mta_envelope e;
	struct mta_record record;
	uint32_t offset = 0;

	if (!shown)
		return;
	e = shown->envelope;
	v->results->left_messages++;
	results_row_message(v->results,
			    &(struct mta_trace_ended){
				    .at = MTA_NEVER,
				    .arrival = e.arrival,
				    .accepted = e.committed,
				    .first_active = e.first_active,
				    .sender = e.sender,
				    .file = file,
				    .serial = e.serial,
				    .size_bytes = e.size_bytes,
				    .recipient_count = e.recipient_count,
				    .attempts = e.attempts,
				    .outcome = outcome_in(queue),
			    });
	while (next_recipient(spool, file, &offset, &record))
		tell_left(v, &e, record.address, queue);
}

void
results_scan_left(struct results *r, mta_time now)
{
	struct left_visitor v = {
		.base = {.visit = visit_left},
		.results = r,
		.now = now,
	};

	for (uint32_t q = 0; q < MTA_QUEUES; q++)
		totals_walk(r->view.spool, (enum mta_queue)q, &v.base);
}
