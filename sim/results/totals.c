/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Counting. How many moves there were from each queue to each other, and the
 * sum of their times, tell all that moves have to tell: what a queue holds is
 * what came less what left, and the area under the number in system up to now
 * is that of those who came, were they all still there, less the rest of those
 * who left.
 *
 * Sums of microseconds are kept modulo 2^64: two equal sums are equal there
 * too, and a mean is right as long as the true sum stays below 2^64.
 */
#include "sim/results/totals.h"

#include <inttypes.h>

static void
note_work(struct totals *t, mta_time at)
{
	if (at > t->last_work)
		t->last_work = at;
}

void
totals_init(struct totals *t, mta_time begin, struct mta_spool *spool)
{
	*t = (struct totals){
		.begin = begin,
		.last_work = begin,
	};
	for (uint32_t q = 0; q < MTA_QUEUES; q++)
		t->start[q] =
			(uint64_t)spool->ops->count(spool, (enum mta_queue)q);
}

void
totals_submitted(struct totals *t, const struct mta_trace_submitted *r)
{
	t->submitted++;
	t->notices += r->is_notice != 0;
	t->refused += r->is_refused != 0;
	note_work(t, r->at);
}

void
totals_answered(struct totals *t, const struct mta_trace_answered *r)
{
	switch ((enum mta_submit_result)r->result) {
	case MTA_SUBMIT_ACCEPTED:
	case MTA_SUBMIT_HELD:
		break;
	case MTA_SUBMIT_DISCARDED:
	case MTA_SUBMIT_REJECTED:
	case MTA_SUBMIT_TOO_LARGE:
	case MTA_SUBMIT_NO_SPACE:
		t->refused++;
		break;
	}
	note_work(t, r->at);
}

void
totals_move(struct totals *t, const struct mta_trace_move *r)
{
	struct totals_moves *m = &t->moves[r->from][r->to];

	m->count++;
	m->times += (uint64_t)r->at;
	if (r->reason == MTA_MOVE_DELETED)
		t->outcomes[MTA_DELETED] += r->recipient_count;
	note_work(t, r->at);
}

void
totals_delivery(struct totals *t, const struct mta_trace_delivery *r)
{
	t->outcomes[r->outcome]++;
	note_work(t, r->at);
}

static uint64_t
stay_of(const struct totals *t, mta_time accepted, mta_time end)
{
	mta_time from = accepted > t->begin ? accepted : t->begin;

	return (uint64_t)(end - from);
}

/* Its move out of the queue has told when work was done. */
void
totals_ended(struct totals *t, const struct mta_trace_ended *r)
{
	t->ended_files++;
	t->passed_on += r->outcome == MTA_QUEUED;
	t->stays += stay_of(t, r->accepted, r->at);
}

/* ---- sums
 * ------------------------------------------------------------------------ */

static void
moves_add(struct totals_moves *sum, const struct totals_moves *m)
{
	sum->count += m->count;
	sum->times += m->times;
}

/* All moves into a queue; MTA_QUEUES: out of the system. */
static struct totals_moves
moves_to(const struct totals *t, uint32_t queue)
{
	struct totals_moves sum = {.count = 0};

	for (uint32_t q = 0; q <= MTA_QUEUES; q++)
		moves_add(&sum, &t->moves[q][queue]);
	return sum;
}

/* All moves out of a queue; MTA_QUEUES: into the system. */
static struct totals_moves
moves_from(const struct totals *t, uint32_t queue)
{
	struct totals_moves sum = {.count = 0};

	for (uint32_t q = 0; q <= MTA_QUEUES; q++)
		moves_add(&sum, &t->moves[queue][q]);
	return sum;
}

struct totals_sums
totals_sum(const struct totals *t)
{
	struct totals_sums s = {
		.appeared = moves_from(t, MTA_QUEUES).count,
		.gone = moves_to(t, MTA_QUEUES).count,
		.submitted = t->submitted,
		.notices = t->notices,
		.refused = t->refused,
		.ended = t->ended_files - t->passed_on,
		.delivered = t->outcomes[MTA_SENT] + t->outcomes[MTA_DISCARDED],
		.bounced = t->outcomes[MTA_BOUNCED],
		.deferrals = t->outcomes[MTA_DEFERRED_OUTCOME],
		.expired = t->outcomes[MTA_EXPIRED],
		.deleted = t->outcomes[MTA_DELETED],
	};

	for (uint32_t q = 0; q < MTA_QUEUES; q++) {
		s.queue[q] = (int64_t)(t->start[q] + moves_to(t, q).count -
				       moves_from(t, q).count);
		s.start += t->start[q];
	}
	s.accepted = s.appeared - t->moves[MTA_QUEUES][MTA_MAILDROP].count;
	s.in_system = s.start + s.appeared - s.gone;
	s.attempts = s.delivered + s.bounced + s.deferrals;
	return s;
}

bool
totals_is_empty(const struct totals *t)
{
	struct totals_sums s = totals_sum(t);

	return (int64_t)s.in_system == s.queue[MTA_HOLD] + s.queue[MTA_CORRUPT];
}

uint64_t
totals_area(const struct totals *t, mta_time now)
{
	struct totals_sums s = totals_sum(t);
	uint64_t came =
		s.start * (uint64_t)t->begin + moves_from(t, MTA_QUEUES).times;
	uint64_t left = moves_to(t, MTA_QUEUES).times;

	return s.in_system * (uint64_t)now + left - came;
}

double
totals_mean_in_system(const struct totals *t, mta_time now)
{
	return now > t->begin
		       ? (double)totals_area(t, now) / (double)(now - t->begin)
		       : 0;
}

/* ---- proofs
 * ---------------------------------------------------------------------- */

bool
totals_check(const struct totals *t, struct mta_spool *spool, char *why,
	     size_t why_size)
{
	struct totals_sums s = totals_sum(t);

	for (uint32_t q = 0; q < MTA_QUEUES; q++) {
		enum mta_queue queue = (enum mta_queue)q;
		int64_t there = spool->ops->count(spool, queue);

		if (s.queue[q] == there)
			continue;
		snprintf(why, why_size,
			 "by their moves %" PRId64 " mails are in %s, but the "
			 "spool has %" PRId64,
			 s.queue[q], mta_queue_name(queue), there);
		return false;
	}
	if (s.gone != t->ended_files) {
		snprintf(why, why_size,
			 "%" PRIu64 " mails left their queue, but %" PRIu64
			 " have ended",
			 s.gone, t->ended_files);
		return false;
	}
	return true;
}

void
totals_walk(struct mta_spool *spool, enum mta_queue queue,
	    struct totals_visitor *visitor)
{
	struct mta_scan scan = {.queue = queue};
	struct mta_ref id;

	spool->ops->scan_open(spool, queue, &scan);
	while (mta_spool_next(spool, &scan, &id))
		visitor->visit(visitor, spool, queue, id);
}

/* Adds the stays of those that are still there. */
struct stay_visitor {
	struct totals_visitor base;
	const struct totals *totals;
	mta_time now;
	uint64_t stays;
	uint64_t files;
};

static void
visit_stay(struct totals_visitor *base, struct mta_spool *spool,
	   enum mta_queue queue, struct mta_ref file)
{
	struct stay_visitor *v =
		mta_container_of(base, struct stay_visitor, base);
	const struct mta_file *shown = spool->ops->look(spool, file);

	(void)queue;
	if (!shown)
		return;
	v->stays += stay_of(v->totals, shown->envelope.committed, v->now);
	v->files++;
}

bool
totals_check_little(const struct totals *t, struct mta_spool *spool,
		    mta_time now, char *why, size_t why_size)
{
	uint64_t in_system = totals_sum(t).in_system;
	uint64_t area = totals_area(t, now);
	struct stay_visitor v = {
		.base = {.visit = visit_stay},
		.totals = t,
		.now = now,
		.stays = t->stays,
	};

	for (uint32_t q = 0; q < MTA_QUEUES; q++)
		totals_walk(spool, (enum mta_queue)q, &v.base);
	if (v.files != in_system) {
		snprintf(why, why_size,
			 "the queues hold %" PRIu64 " mails, but %" PRIu64
			 " are found in the spool",
			 in_system, v.files);
		return false;
	}
	if (v.stays != area) {
		snprintf(why, why_size,
			 "the area under the number of mails is %" PRIu64
			 " us, but their stays are %" PRIu64
			 " us (Little's law)",
			 area, v.stays);
		return false;
	}
	return true;
}
