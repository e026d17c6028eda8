/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The table of legal moves, and the one mover. Keeps no state: the spool knows
 * where a file is and shows it, the trace is told what happened.
 *
 * Which reason fits which move is the caller's to say; the table asks only
 * whether there is any.
 */
#include "mta/pure.h"

#include "mta/mail.h"

#include "mta/panic.h"

/* Why a mail may go from one queue (row) to another (column), F1.8; NULL: it
 * may not. */
static const char *const moves[MTA_QUEUES][MTA_QUEUES] = {
	[MTA_INCOMING] =
		{
			[MTA_MAILDROP] = "postsuper -r",
			[MTA_ACTIVE] = "admitted by the queue manager",
			[MTA_HOLD] = "postsuper -h",
		},
	[MTA_ACTIVE] =
		{
			[MTA_MAILDROP] = "postsuper -r",
			[MTA_INCOMING] = "an old agent has it, or a restart",
			[MTA_DEFERRED] = "some recipient is left",
			[MTA_HOLD] = "postsuper -h",
			[MTA_CORRUPT] = "unreadable, or marked as damaged",
		},
	[MTA_DEFERRED] =
		{
			[MTA_MAILDROP] = "postsuper -r",
			[MTA_INCOMING] = "flushed by id or by site",
			[MTA_ACTIVE] = "admitted by the queue manager",
			[MTA_HOLD] = "postsuper -h",
		},
	[MTA_HOLD] =
		{
			[MTA_MAILDROP] = "postsuper -r",
			[MTA_DEFERRED] = "postsuper -H",
		},
	/* maildrop: pickup makes a new file; corrupt: nothing comes back. */
};

/* Where a new file may appear (F1.7, F2.7). */
static const char *const beginnings[MTA_QUEUES] = {
	[MTA_MAILDROP] = "postdrop",
	[MTA_INCOMING] = "cleanup",
	[MTA_HOLD] = "cleanup, when an access action says hold",
};

bool
mta_mail_move_is_legal(enum mta_queue from, enum mta_queue to)
{
	mta_assert((unsigned)from < MTA_QUEUES);
	mta_assert((unsigned)to < MTA_QUEUES);
	return moves[from][to] != NULL;
}

/* ---- trace ----------------------------------------------------------------
 */

/* A step of a mail; from and to may be MTA_QUEUES: outside. */
struct step {
	uint32_t from;
	uint32_t to;
	enum mta_move_reason reason;
	uint32_t wake_s;
};

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

/* ---- the mover ------------------------------------------------------------
 */

enum mta_err
mta_mail_commit(const struct mta_host *h, struct mta_ref file,
		enum mta_queue queue, enum mta_move_reason reason)
{
	const struct mta_file *shown;

	mta_assert((unsigned)queue < MTA_QUEUES);
	mta_assert(beginnings[queue] != NULL);
	shown = h->spool->ops->commit(h->spool, file, queue);
	if (!shown) {
		h->spool->ops->abandon(h->spool, file);
		return MTA_ENOSPACE;
	}
	trace_step(h, file, &shown->envelope,
		   (struct step){.from = MTA_QUEUES,
				 .to = queue,
				 .reason = reason,
				 .wake_s = (uint32_t)mta_host_second(h)});
	return MTA_OK;
}

void
mta_mail_present(const struct mta_host *h, struct mta_ref file, uint32_t wake_s)
{
	const struct mta_file *shown = h->spool->ops->look(h->spool, file);

	mta_assert(shown != NULL);
	trace_step(h, file, &shown->envelope,
		   (struct step){.from = MTA_QUEUES,
				 .to = shown->queue,
				 .reason = MTA_MOVE_PRESENT,
				 .wake_s = wake_s});
}

enum mta_err
mta_mail_admit(const struct mta_host *h, struct mta_ref file,
	       enum mta_queue from, struct mta_file *shown)
{
	const struct mta_file *f;
	enum mta_err err;

	mta_assert(mta_mail_move_is_legal(from, MTA_ACTIVE));
	err = h->spool->ops->admit(h->spool, file, from, &f);
	if (err == MTA_ENOENT)
		return err;
	*shown = *f; /* who hears of the step may ask the spool */
	trace_step(h, file, &shown->envelope,
		   (struct step){.from = from,
				 .to = MTA_ACTIVE,
				 .reason = MTA_MOVE_ADMITTED,
				 .wake_s = MTA_WAKE_KEEP});
	return err;
}

enum mta_err
mta_mail_move(const struct mta_host *h, struct mta_ref file,
	      struct mta_move move)
{
	const struct mta_file *shown;

	mta_assert(mta_mail_move_is_legal(move.from, move.to));
	shown = h->spool->ops->move(h->spool, file, move.from, move.to,
				    move.wake_s);
	if (!shown)
		return MTA_ENOENT;
	trace_step(h, file, &shown->envelope,
		   (struct step){.from = move.from,
				 .to = move.to,
				 .reason = move.reason,
				 .wake_s = move.wake_s});
	return MTA_OK;
}

enum mta_err
mta_mail_remove(const struct mta_host *h, struct mta_ref file,
		enum mta_queue from, enum mta_move_reason reason,
		enum mta_outcome outcome)
{
	const struct mta_file *shown =
		h->spool->ops->remove(h->spool, file, from);
	struct mta_trace_ended ended;

	if (!shown)
		return MTA_ENOENT;
	/* Made first: who hears of the step may ask the spool. */
	ended = end_record(h, file, &shown->envelope, outcome);
	trace_step(h, file, &shown->envelope,
		   (struct step){.from = from,
				 .to = MTA_QUEUES,
				 .reason = reason,
				 .wake_s = 0});
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
