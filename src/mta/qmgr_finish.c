/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What becomes of a mail that was tried: the agent's reply and what it means
 * for the destination; then, when nothing of the mail is in core any more,
 * notify the sender of what bounced, read what is left in the file, expire,
 * warn, defer or remove.
 *
 * The mail stays in core, and counts as active, while the bounce service works.
 */
#include "mta/pure.h"

#include "mta/bounce.h"
#include "mta/mail.h"
#include "mta/qmgr.h"

#include "mta/panic.h"

/* ---- the reply (F9.2, F9.5) --------------------------------------------- */

/* The complaint of a destination, as its mail will be told; reason owned. */
static struct mta_status
suspended_status(const struct mta_qmgr *q, struct mta_status hop)
{
	char text[MTA_STATUS_TEXT];
	struct mta_status status = hop;

	if (status.dsn.class != 4 && status.dsn.class != 5)
		status.dsn = MTA_DSN(4, 0, 0);
	snprintf(text, sizeof(text), "delivery temporarily suspended: %s",
		 hop.reason ? mta_sym_text(q->host.symbols, hop.reason)
			    : "unknown error");
	status.reason = mta_sym_intern(q->host.symbols, text);
	return status;
}

/* R-REPLY-BLAME */
static void
entry_blame(struct mta_entry *e, struct mta_status hop)
{
	struct mta_dest *d = e->dest;
	struct mta_qmgr *q = d->qmgr;
	struct mta_status status;

	if (d->state != MTA_DEST_READY)
		return;
	status = suspended_status(q, hop);
	mta_dest_sick(d, status);
	if (d->state == MTA_DEST_DEAD)
		mta_dest_defer_todo(d, status);
	mta_sym_drop(q->host.symbols, status.reason);
}

/* R-AGENT-CRASH: the destination is charged with a fixed text, where Postfix
 * 3.7.11 charges it with whatever the reply before this one said; and the lock
 * of a transport rate delay is let go, where it would stay for ever (F8.7). */
static void
entry_crashed(struct mta_entry *e)
{
	struct mta_qmgr *q = e->dest->qmgr;
	struct mta_status hop = {.dsn = MTA_DSN(4, 3, 0)};

	e->peer->job->mail->is_incomplete = true;
	hop.reason =
		mta_sym_intern(q->host.symbols, "unknown mail transport error");
	entry_blame(e, hop);
	mta_sym_drop(q->host.symbols, hop.reason);
	e->dest->transport->is_rate_locked = false;
	mta_entry_finish(e);
}

void
mta_entry_reply(struct mta_qmgr *q, struct mta_entry *e,
		const struct mta_note_delivered *reply)
{
	mta_assert(e->dest->qmgr == q);
	mta_assert(e->is_busy);
	if (reply->crashed) {
		entry_crashed(e);
		return;
	}
	if (reply->incomplete) {
		e->peer->job->mail->is_incomplete = true;
		if (mta_status_is_set(reply->hop))
			entry_blame(e, reply->hop);
	}
	mta_transport_unthrottle(e->dest->transport);
	if (!mta_status_is_set(reply->hop))
		mta_dest_alive(e->dest);
	mta_entry_finish(e);
}

/* ---- recipients that no agent sees (F9.1) ------------------------------- */

/* What becomes of a recipient that no agent was asked to deliver. */
static struct mta_trace_delivery
delivery_without_agent(const struct mta_qmail *m,
		       const struct mta_recipient *to, struct mta_status status)
{
	struct mta_trace_delivery d = mta_delivery_without_agent(
		m->file, &m->shown.envelope, *to, status);

	d.active = m->active_time;
	return d;
}

void
mta_qmail_defer_rcpt(struct mta_qmgr *q, struct mta_qmail *m,
		     const struct mta_recipient *to, struct mta_status status)
{
	struct mta_trace_delivery d = delivery_without_agent(m, to, status);

	m->is_incomplete = true;
	mta_defer_append(&q->host, &d);
}

void
mta_qmail_discard_rcpt(struct mta_qmgr *q, struct mta_qmail *m,
		       const struct mta_recipient *to)
{
	struct mta_symtab *symbols = q->host.symbols;
	struct mta_status status = {
		.dsn = {2, 0, 0},
		.reason = mta_sym_intern(symbols, "double bounce discarded"),
	};
	struct mta_trace_delivery d = delivery_without_agent(m, to, status);

	mta_rcpt_sent(&q->host, &d);
	mta_sym_drop(symbols, status.reason);
}

/* ---- the end game (F9.7) ------------------------------------------------ */

static void
qmail_free(struct mta_qmgr *q, struct mta_qmail *m)
{
	while (m->jobs)
		mta_job_free(m->jobs);
	mta_assert(m->entry_count == 0);
	q->active_count--;
	mta_pool_give(&q->mails, m);
}

static void
qmail_trace_status(const struct mta_qmgr *q, const struct mta_qmail *m,
		   enum mta_mail_status what)
{
	mta_mail_trace_status(&q->host, m->file, &m->shown.envelope, what);
}

static void
qmail_ask_bounce(struct mta_qmgr *q, struct mta_qmail *m,
		 enum mta_finish_step step, enum mta_notify what)
{
	m->step = step;
	q->host.port->ops->send(
		q->host.port, MTA_TO_BOUNCE,
		&(struct mta_note){
			.kind = MTA_NOTE_NOTIFY,
			.notify =
				{
					.message = mta_pool_ref(m),
					.file = m->file,
					.what = what,
				},
		});
}

/* R-BACKOFF-AGE, and the way to deferred. */
static void
qmail_defer(struct mta_qmgr *q, struct mta_qmail *m)
{
	int64_t now_s = mta_host_second(&q->host);
	int64_t delay_s = mta_backoff_delay_s(
		(struct mta_backoff){
			.minimal_s = q->params->minimal_backoff_time_s,
			.maximal_s = q->params->maximal_backoff_time_s},
		now_s - mta_second(m->shown.envelope.created));
	enum mta_err err = mta_mail_move(
		&q->host, m->file,
		(struct mta_move){.from = MTA_ACTIVE,
				  .to = MTA_DEFERRED,
				  .reason = MTA_MOVE_DEFERRED,
				  .wake_s = mta_wake_second(now_s + delay_s)});

	/* Gone in the meantime: the operator held or deleted it (F9.10). */
	mta_assert(err == MTA_OK || err == MTA_ENOENT);
	qmail_free(q, m);
}

static void
qmail_remove(struct mta_qmgr *q, struct mta_qmail *m)
{
	enum mta_outcome outcome = MTA_SENT;
	enum mta_err err;

	if (m->has_expired)
		outcome = MTA_EXPIRED;
	else if (m->has_bounced)
		outcome = MTA_BOUNCED;
	err = mta_mail_remove(&q->host, m->file, MTA_ACTIVE, MTA_MOVE_DONE,
			      outcome);
	mta_assert(err == MTA_OK || err == MTA_ENOENT);
	qmail_free(q, m);
}

/* Step 6. */
static void
qmail_settle(struct mta_qmgr *q, struct mta_qmail *m)
{
	if (m->is_incomplete)
		qmail_defer(q, m);
	else
		qmail_remove(q, m);
}

/* Step 5: some recipient is left. Too old, or time to warn? */
static void
qmail_expire_or_warn(struct mta_qmgr *q, struct mta_qmail *m)
{
	int64_t now_s = mta_host_second(&q->host);
	bool is_forced = (m->flags & MTA_RUN_FORCE_EXPIRE) != 0;

	mta_assert(m->is_incomplete);
	if (is_forced ||
	    mta_mail_has_expired(
		    (struct mta_lifetimes){
			    .mail_s = q->params->maximal_queue_lifetime_s,
			    .bounce_s = q->params->bounce_queue_lifetime_s},
		    m->shown.envelope.sender,
		    now_s - mta_second(m->shown.envelope.created))) {
		qmail_trace_status(q, m,
				   is_forced ? MTA_STATUS_FORCE_EXPIRED
					     : MTA_STATUS_EXPIRED);
		qmail_ask_bounce(q, m, MTA_FINISH_EXPIRE, MTA_NOTIFY_EXPIRE);
		return;
	}
	if (mta_warning_is_due(q->host.loop->now, m->shown.envelope.warn_s)) {
		qmail_ask_bounce(q, m, MTA_FINISH_WARN, MTA_NOTIFY_WARN);
		return;
	}
	qmail_defer(q, m);
}

/* R-DAMAGED: step 2. True: the mail is no longer ours. */
static bool
qmail_is_damaged(struct mta_qmgr *q, struct mta_qmail *m)
{
	const struct mta_file *shown =
		q->host.spool->ops->look(q->host.spool, m->file);
	enum mta_err err;

	if (mta_file_is_readable(shown, MTA_ACTIVE))
		return false;
	err = mta_mail_move(&q->host, m->file,
			    (struct mta_move){.from = MTA_ACTIVE,
					      .to = MTA_CORRUPT,
					      .reason = MTA_MOVE_DAMAGED,
					      .wake_s = MTA_WAKE_KEEP});
	(void)err; /* gone already, or gone now */
	return true;
}

/* R-FINISH: steps 2 and 3; where nothing is left, at once the last. */
static void
qmail_after_bounce(struct mta_qmgr *q, struct mta_qmail *m)
{
	if (!m->is_incomplete && m->more == 0) {
		qmail_remove(q, m);
		return;
	}
	if (m->is_incomplete && qmail_is_damaged(q, m)) {
		qmail_free(q, m);
		return;
	}
	if (m->more == 0) {
		qmail_expire_or_warn(q, m);
		return;
	}
	if (mta_qmail_refill(q, m) != MTA_OK) {
		bool is_damaged = qmail_is_damaged(q, m);

		mta_assert(is_damaged);
		qmail_free(q, m);
		return;
	}
	if (m->entry_count == 0)
		mta_qmail_done(q, m);
}

void
mta_qmail_done(struct mta_qmgr *q, struct mta_qmail *m)
{
	const struct mta_spool_ops *ops = q->host.spool->ops;
	struct mta_log_record record;

	mta_assert(m->entry_count == 0);
	mta_assert(m->step == MTA_FINISH_NONE);
	if (ops->log_read(q->host.spool, MTA_LOG_BOUNCE, m->file, 0, &record) ==
	    MTA_OK)
		qmail_ask_bounce(q, m, MTA_FINISH_BOUNCE, MTA_NOTIFY_BOUNCE);
	else
		qmail_after_bounce(q, m);
}

void
mta_qmail_notified(struct mta_qmgr *q, struct mta_qmail *m, bool failed)
{
	const struct mta_spool_ops *ops = q->host.spool->ops;
	enum mta_finish_step step = m->step;

	m->step = MTA_FINISH_NONE;
	switch (step) {
	case MTA_FINISH_BOUNCE:
		if (failed)
			qmail_trace_status(q, m, MTA_STATUS_BOUNCE_FAILED);
		m->is_incomplete = m->is_incomplete || failed;
		m->has_bounced = true;
		qmail_after_bounce(q, m);
		break;
	case MTA_FINISH_EXPIRE:
		if (failed)
			qmail_trace_status(q, m, MTA_STATUS_BOUNCE_FAILED);
		/* An assignment: nothing else is left of it (F9.7). */
		m->is_incomplete = failed;
		m->has_expired = true;
		qmail_settle(q, m);
		break;
	case MTA_FINISH_WARN:
		if (failed)
			qmail_trace_status(q, m, MTA_STATUS_WARN_FAILED);
		else /* unless it has gone meanwhile */
			(void)ops->mark_warned(q->host.spool, m->file);
		qmail_settle(q, m);
		break;
	case MTA_FINISH_NONE:
		mta_assert(step != MTA_FINISH_NONE);
		break;
	}
}
