/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The table of legal moves, and the one mover. Keeps no state: the spool knows
 * where a file is and shows it, the trace is told what happened.
 */
#include "mta/pure.h"

#include "mta/mail.h"

#include "mta/panic.h"

#define OUTSIDE	   MTA_QUEUES /* where new files come from, and mail ends */
#define BY(reason) (1U << MTA_MOVE_##reason)

/* For which reasons a mail may go from one queue (row) to another (column),
 * appear (F1.7, F2.7; or be there before anything happens) or end; none: it may
 * not (F1.8). */
static const uint32_t reasons[MTA_QUEUES + 1][MTA_QUEUES + 1] = {
	[OUTSIDE] =
		{
			[MTA_MAILDROP] = BY(SUBMITTED) | BY(PRESENT),
			[MTA_INCOMING] = BY(ACCEPTED) | BY(PRESENT),
			[MTA_DEFERRED] = BY(PRESENT),
			[MTA_HOLD] = BY(HOLD) | BY(ACCEPTED) | BY(PRESENT),
		},
	[MTA_MAILDROP] =
		{
			/* Pickup makes a new file of it. */
			[OUTSIDE] = BY(PICKED_UP) | BY(DELETED),
		},
	[MTA_INCOMING] =
		{
			[MTA_MAILDROP] = BY(REQUEUED),
			[MTA_ACTIVE] = BY(ADMITTED),
			[MTA_HOLD] = BY(HOLD),
			[OUTSIDE] = BY(DELETED),
		},
	[MTA_ACTIVE] =
		{
			[MTA_MAILDROP] = BY(REQUEUED),
			[MTA_INCOMING] = BY(LOCKED) | BY(RESTART),
			[MTA_DEFERRED] = BY(DEFERRED),
			[MTA_HOLD] = BY(HOLD),
			[MTA_CORRUPT] = BY(DAMAGED),
			[OUTSIDE] = BY(DONE) | BY(DELETED),
		},
	[MTA_DEFERRED] =
		{
			[MTA_MAILDROP] = BY(REQUEUED),
			[MTA_INCOMING] = BY(FLUSHED),
			[MTA_ACTIVE] = BY(ADMITTED),
			[MTA_HOLD] = BY(HOLD),
			[OUTSIDE] = BY(DELETED),
		},
	[MTA_HOLD] =
		{
			[MTA_MAILDROP] = BY(REQUEUED),
			[MTA_DEFERRED] = BY(RELEASED),
			[OUTSIDE] = BY(DELETED),
		},
	/* From corrupt nothing comes back. */
};

bool
mta_mail_move_is_legal(enum mta_queue from, enum mta_queue to)
{
	mta_assert((unsigned)from < MTA_QUEUES);
	mta_assert((unsigned)to < MTA_QUEUES);
	return reasons[from][to] != 0;
}

/* A step of a mail; from and to may be OUTSIDE. */
struct step {
	uint32_t from;
	uint32_t to;
	enum mta_move_reason reason;
	uint32_t wake_s;
};

static inline void
must_be_legal(struct step s)
{
	mta_assert(s.from <= OUTSIDE);
	mta_assert(s.to <= OUTSIDE);
	mta_assert(reasons[s.from][s.to] & 1U << s.reason);
}

/* ---- trace -------------------------------------------------------------- */

static inline void
trace_step(const struct mta_host *h, struct mta_ref file,
	   const struct mta_envelope *e, struct step step)
{
	if (!mta_trace_wants(h->trace, MTA_TRACE_MOVE))
		return;
	mta_trace_deliver(h->trace, MTA_TRACE_MOVE,
			  &(struct mta_trace_move){
				  .at = h->loop->now,
				  .sender = e->sender,
				  .file = file,
				  .serial = e->serial,
				  .from = step.from,
				  .to = step.to,
				  .reason = step.reason,
				  .wake_s = step.wake_s,
				  .recipient_count = e->recipient_count,
			  });
}

static inline struct mta_trace_ended
end_record(const struct mta_host *h, struct mta_ref file,
	   const struct mta_envelope *e, enum mta_outcome outcome)
{
	return (struct mta_trace_ended){
		.at = h->loop->now,
		.arrival = e->arrival,
		.accepted = e->committed,
		.first_active = e->first_active,
		.sender = e->sender,
		.file = file,
		.serial = e->serial,
		.size_bytes = e->size_bytes,
		.recipient_count = e->recipient_count,
		.attempts = e->attempts,
		.outcome = outcome,
	};
}

/* ---- the mover ---------------------------------------------------------- */

enum mta_err
mta_mail_commit(const struct mta_host *h, struct mta_ref file,
		enum mta_queue queue, enum mta_move_reason reason)
{
	struct step step = {.from = OUTSIDE, .to = queue, .reason = reason};
	const struct mta_file *shown;

	must_be_legal(step);
	shown = h->spool->ops->commit(h->spool, file, queue);
	if (!shown) {
		h->spool->ops->abandon(h->spool, file);
		return MTA_ENOSPACE;
	}
	step.wake_s = (uint32_t)mta_host_second(h); /* when that was done */
	trace_step(h, file, &shown->envelope, step);
	return MTA_OK;
}

void
mta_mail_present(const struct mta_host *h, struct mta_ref file, uint32_t wake_s)
{
	const struct mta_file *shown = h->spool->ops->look(h->spool, file);
	struct step step = {
		.from = OUTSIDE, .reason = MTA_MOVE_PRESENT, .wake_s = wake_s};

	mta_assert(shown != NULL);
	step.to = shown->queue;
	must_be_legal(step);
	trace_step(h, file, &shown->envelope, step);
}

enum mta_err
mta_mail_admit(const struct mta_host *h, struct mta_ref file,
	       enum mta_queue from, struct mta_file *shown)
{
	const struct step step = {.from = from,
				  .to = MTA_ACTIVE,
				  .reason = MTA_MOVE_ADMITTED,
				  .wake_s = MTA_WAKE_KEEP};
	const struct mta_file *f;
	enum mta_err err;

	must_be_legal(step);
	err = h->spool->ops->admit(h->spool, file, from, &f);
	if (err == MTA_ENOENT)
		return err;
	*shown = *f; /* who hears of the step may ask the spool */
	trace_step(h, file, &shown->envelope, step);
	return err;
}

enum mta_err
mta_mail_move(const struct mta_host *h, struct mta_ref file,
	      struct mta_move move)
{
	const struct step step = {.from = move.from,
				  .to = move.to,
				  .reason = move.reason,
				  .wake_s = move.wake_s};
	const struct mta_file *shown;

	must_be_legal(step);
	shown = h->spool->ops->move(h->spool, file, move.from, move.to,
				    move.wake_s);
	if (!shown)
		return MTA_ENOENT;
	trace_step(h, file, &shown->envelope, step);
	return MTA_OK;
}

enum mta_err
mta_mail_remove(const struct mta_host *h, struct mta_ref file,
		enum mta_queue from, enum mta_move_reason reason,
		enum mta_outcome outcome)
{
	const struct step step = {
		.from = from, .to = OUTSIDE, .reason = reason};
	const struct mta_file *shown;
	struct mta_trace_ended ended;

	must_be_legal(step);
	shown = h->spool->ops->remove(h->spool, file, from);
	if (!shown)
		return MTA_ENOENT;
	/* Made first: who hears of the step may ask the spool. */
	ended = end_record(h, file, &shown->envelope, outcome);
	trace_step(h, file, &shown->envelope, step);
	mta_trace_deliver(h->trace, MTA_TRACE_ENDED, &ended);
	return MTA_OK;
}

void
mta_mail_trace_submitted(const struct mta_host *h,
			 struct mta_trace_submitted *r)
{
	r->at = h->loop->now;
	mta_trace_deliver(h->trace, MTA_TRACE_SUBMITTED, r);
}

void
mta_mail_trace_status(const struct mta_host *h, struct mta_ref file,
		      const struct mta_envelope *e, enum mta_mail_status what)
{
	if (mta_trace_wants(h->trace, MTA_TRACE_STATUS))
		mta_trace_deliver(h->trace, MTA_TRACE_STATUS,
				  &(struct mta_trace_status){
					  .at = h->loop->now,
					  .sender = e->sender,
					  .file = file,
					  .serial = e->serial,
					  .what = what,
				  });
}
