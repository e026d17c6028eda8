/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Counting. The area under the number in system is integrated step by step,
 * n * dt at each move; a record that comes late has a dt below zero and takes
 * back what was counted too much, so the sum is that of the records in order.
 *
 * Sums of microseconds are kept modulo 2^64: two equal sums are equal there
 * too, and a mean is right as long as the true sum stays below 2^64.
 */
#include "sim/totals.h"

#include <inttypes.h>

static void
note_work(struct totals *t, mta_time at)
{
	if (at > t->last_work)
		t->last_work = at;
}

static int64_t
in_system(const struct totals *t)
{
	int64_t n = 0;

	for (uint32_t q = 0; q < MTA_QUEUES; q++)
		n += t->queue[q];
	return n;
}

bool
totals_is_empty(const struct totals *t)
{
	return t->queue[MTA_MAILDROP] == 0 && t->queue[MTA_INCOMING] == 0 &&
	       t->queue[MTA_ACTIVE] == 0 && t->queue[MTA_DEFERRED] == 0;
}

void
totals_init(struct totals *t, mta_time begin, struct mta_spool *spool)
{
	*t = (struct totals){
		.begin = begin,
		.area_to = begin,
		.last_work = begin,
	};
	for (uint32_t q = 0; q < MTA_QUEUES; q++) {
		t->queue[q] = spool->ops->count(spool, (enum mta_queue)q);
		t->start += (uint64_t)t->queue[q];
	}
	t->emptied = totals_is_empty(t) ? begin : MTA_NEVER;
}

void
totals_submitted(struct totals *t, const struct mta_trace_submitted *r)
{
	t->submitted++;
	t->notices += r->is_notice != 0;
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

static void
grow_area(struct totals *t, mta_time at)
{
	t->area += (uint64_t)in_system(t) * (uint64_t)(at - t->area_to);
	t->area_to = at;
}

void
totals_move(struct totals *t, const struct mta_trace_move *r)
{
	if (r->from == MTA_QUEUES || r->to == MTA_QUEUES)
		grow_area(t, r->at);
	if (r->from < MTA_QUEUES) {
		t->queue[r->from]--;
	} else {
		t->appeared++;
		t->accepted += r->to != MTA_MAILDROP;
	}
	if (r->to < MTA_QUEUES)
		t->queue[r->to]++;
	else
		t->gone++;
	if (r->reason == MTA_MOVE_DELETED)
		t->deleted += r->recipient_count;
	if (!totals_is_empty(t))
		t->emptied = MTA_NEVER;
	else if (t->emptied == MTA_NEVER)
		t->emptied = r->at;
	note_work(t, r->at);
}

void
totals_delivery(struct totals *t, const struct mta_trace_delivery *r)
{
	switch ((enum mta_outcome)r->outcome) {
	case MTA_SENT:
	case MTA_DISCARDED:
		t->delivered++;
		break;
	case MTA_DEFERRED_OUTCOME:
		t->deferrals++;
		break;
	case MTA_BOUNCED:
		t->bounced++;
		break;
	case MTA_EXPIRED:
		t->expired++;
		break;
	case MTA_HELD:
	case MTA_DELETED:
	case MTA_QUEUED:
		break;
	}
	t->attempts += r->outcome != MTA_EXPIRED;
	note_work(t, r->at);
}

static uint64_t
stay_of(const struct totals *t, mta_time accepted, mta_time end)
{
	mta_time from = accepted > t->begin ? accepted : t->begin;

	return (uint64_t)(end - from);
}

void
totals_ended(struct totals *t, const struct mta_trace_ended *r)
{
	t->ended_files++;
	t->ended += r->outcome != MTA_QUEUED;
	t->stays += stay_of(t, r->accepted, r->at);
	note_work(t, r->at);
}

bool
totals_check(const struct totals *t, struct mta_spool *spool, char *why,
	     size_t why_size)
{
	for (uint32_t q = 0; q < MTA_QUEUES; q++) {
		enum mta_queue queue = (enum mta_queue)q;
		int64_t there = spool->ops->count(spool, queue);

		if (t->queue[q] == there)
			continue;
		snprintf(why, why_size,
			 "by their moves %" PRId64 " mails are in %s, but the "
			 "spool has %" PRId64,
			 t->queue[q], mta_queue_name(queue), there);
		return false;
	}
	if (t->start + t->appeared != t->gone + (uint64_t)in_system(t)) {
		snprintf(why, why_size,
			 "%" PRIu64 " mails at the start and %" PRIu64
			 " since are not %" PRIu64 " gone and %" PRId64
			 " in the queues",
			 t->start, t->appeared, t->gone, in_system(t));
		return false;
	}
	if (t->gone != t->ended_files) {
		snprintf(why, why_size,
			 "%" PRIu64 " mails left their queue, but %" PRIu64
			 " have ended",
			 t->gone, t->ended_files);
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

/* Sums the stays of those that are still there. */
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
	struct mta_envelope e;

	(void)queue;
	if (spool->ops->envelope(spool, file, &e) != MTA_OK)
		return;
	v->stays += stay_of(v->totals, e.committed, v->now);
	v->files++;
}

bool
totals_check_little(struct totals *t, struct mta_spool *spool, mta_time now,
		    char *why, size_t why_size)
{
	struct stay_visitor v = {
		.base = {.visit = visit_stay},
		.totals = t,
		.now = now,
	};
	uint64_t stays;

	grow_area(t, now);
	for (uint32_t q = 0; q < MTA_QUEUES; q++)
		totals_walk(spool, (enum mta_queue)q, &v.base);
	stays = t->stays + v.stays;
	if (v.files != (uint64_t)in_system(t)) {
		snprintf(why, why_size,
			 "the queues hold %" PRId64 " mails, but %" PRIu64
			 " are found in the spool",
			 in_system(t), v.files);
		return false;
	}
	if (stays != t->area) {
		snprintf(why, why_size,
			 "the area under the number of mails is %" PRIu64
			 " us, but their stays are %" PRIu64
			 " us (Little's law)",
			 t->area, stays);
		return false;
	}
	return true;
}

double
totals_mean_in_system(const struct totals *t)
{
	return t->area_to > t->begin
		       ? (double)t->area / (double)(t->area_to - t->begin)
		       : 0;
}
