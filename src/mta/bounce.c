/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Results of recipients, and the bounce service.
 *
 * A request of the queue manager is a task: a notice to the sender, then maybe
 * a copy for the postmaster, each handed to cleanup and waited for. Then the
 * log is deleted and the queue manager gets its answer. When the notice to the
 * sender could not be queued the log stays, and the answer says so; a copy that
 * could not be queued changes nothing (F10.1, F10.6).
 *
 * A log that tells of nobody makes no notice: an agent that crashed before it
 * wrote anything leaves such mail behind.
 */
#include "mta/pure.h"

#include "mta/bounce.h"

#include "mta/mail.h"
#include "mta/panic.h"
#include "mta/turn.h"

enum {
	TASKS_PER_CHUNK = 64
};

/* ---- results of recipients (F9.1) --------------------------------------- */

struct mta_trace_delivery
mta_delivery_without_agent(struct mta_ref file, const struct mta_envelope *e,
			   struct mta_recipient to, struct mta_status status)
{
	return (struct mta_trace_delivery){
		.arrival = e->arrival,
		.active = MTA_NEVER,
		.handoff = MTA_NEVER,
		.setup = MTA_NEVER,
		.sender = e->sender,
		.recipient = to.address,
		.file = file,
		.serial = e->serial,
		.offset = to.offset,
		.reason = status.reason,
		.dsn = status.dsn,
		.size_bytes = e->size_bytes,
	};
}

static void
rcpt_trace(const struct mta_host *h, struct mta_trace_delivery *d,
	   enum mta_outcome outcome)
{
	d->at = h->loop->now;
	d->outcome = (uint8_t)outcome;
	mta_trace_deliver(h->trace, MTA_TRACE_DELIVERY, d);
}

/* The file may be gone by now: the operator deleted it (F9.10). */
static void
rcpt_mark_done(const struct mta_host *h, const struct mta_trace_delivery *d)
{
	enum mta_err err =
		h->spool->ops->mark_done(h->spool, d->file, d->offset);

	mta_assert(err == MTA_OK || err == MTA_ENOENT);
}

static enum mta_err
rcpt_log(const struct mta_host *h, enum mta_log log,
	 const struct mta_trace_delivery *d)
{
	struct mta_log_record record = {
		.offset = d->offset,
		.address = d->recipient,
		.status = {.dsn = d->dsn, .reason = d->reason}};

	mta_sym_hold(h->symbols, d->reason);
	return h->spool->ops->log_append(h->spool, log, d->file, &record);
}

void
mta_rcpt_sent(const struct mta_host *h, struct mta_trace_delivery *d)
{
	d->dsn = mta_dsn_fit(d->dsn, 2);
	rcpt_trace(h, d, MTA_SENT);
	rcpt_mark_done(h, d);
}

static void
rcpt_defer(const struct mta_host *h, struct mta_trace_delivery *d)
{
	/* That the log could not be written is no reason to lose the mail, and
	 * Postfix only warns of it. */
	(void)rcpt_log(h, MTA_LOG_DEFER, d);
	rcpt_trace(h, d, MTA_DEFERRED_OUTCOME);
}

void
mta_defer_append(const struct mta_host *h, struct mta_trace_delivery *d)
{
	d->dsn = mta_dsn_fit(d->dsn, 4);
	rcpt_defer(h, d);
}

/* R-SOFT-BOUNCE, and what a log that takes nothing means. */
bool
mta_bounce_append(const struct mta_host *h, const struct mta_params *p,
		  struct mta_trace_delivery *d)
{
	mta_sym reason = d->reason;

	if (p->soft_bounce) {
		d->dsn = mta_dsn_soften(d->dsn);
		d->soft_bounce = 1;
		rcpt_defer(h, d);
		d->soft_bounce = 0;
		return false;
	}
	d->dsn = mta_dsn_fit(d->dsn, 5);
	if (rcpt_log(h, MTA_LOG_BOUNCE, d) == MTA_OK) {
		rcpt_trace(h, d, MTA_BOUNCED);
		rcpt_mark_done(h, d);
		return true;
	}
	d->dsn = MTA_DSN(4, 3, 0);
	d->reason = mta_sym_intern(h->symbols, "bounce log not writable");
	rcpt_defer(h, d);
	mta_sym_drop(h->symbols, d->reason);
	d->reason = reason;
	return false;
}

void
mta_rcpt_refused(const struct mta_host *h, struct mta_trace_delivery *d)
{
	rcpt_trace(h, d, MTA_BOUNCED);
}

/* ---- the service -------------------------------------------------------- */

/* The notices of a task, one after the other. */
enum task_step {
	TASK_TELL_SENDER, /* or, of a bounce that bounced, the postmaster */
	TASK_TELL_POSTMASTER,
};

struct bounce_task {
	struct mta_pooled pooled;
	struct mta_ref message; /* the queue manager's handle */
	struct mta_ref file;
	enum mta_notify what;
	enum task_step step;
	enum mta_log log;
	struct mta_envelope about; /* of the mail it speaks of */
	uint32_t reported_count;   /* recipients in the log */
	enum mta_notice_kind kind; /* of the notice under way */
	uint32_t notice_serial;
};

static enum mta_log
task_log(enum mta_notify what)
{
	return what == MTA_NOTIFY_BOUNCE ? MTA_LOG_BOUNCE : MTA_LOG_DEFER;
}

static uint32_t
log_count(const struct mta_host *h, enum mta_log log, struct mta_ref file)
{
	struct mta_log_record record;
	uint32_t n = 0;

	while (h->spool->ops->log_read(h->spool, log, file, n, &record) ==
	       MTA_OK)
		n++;
	return n;
}

/* The log may name a recipient twice (R-EXPIRE-FORCED): it is finished once. */
static bool
rcpt_is_done(const struct mta_host *h, const struct mta_trace_delivery *d)
{
	struct mta_record record;

	return h->spool->ops->read(h->spool, d->file, d->offset, &record) ==
		       MTA_OK &&
	       record.kind == MTA_RECORD_DONE;
}

/* Expired recipients are finished; the log names them (F10.6). */
static void
task_mark_expired(const struct mta_host *h, const struct bounce_task *t)
{
	struct mta_log_record record;

	for (uint32_t n = 0; h->spool->ops->log_read(h->spool, t->log, t->file,
						     n, &record) == MTA_OK;
	     n++) {
		struct mta_recipient to = {.address = record.address,
					   .offset = record.offset};
		struct mta_trace_delivery d = mta_delivery_without_agent(
			t->file, &t->about, to, record.status);

		if (rcpt_is_done(h, &d))
			continue;
		rcpt_trace(h, &d, MTA_EXPIRED);
		rcpt_mark_done(h, &d);
	}
}

/* The log has been told of. The file says so itself: whoever asked may be gone,
 * and the next one finds nobody left in it. After a warning the log goes on. */
static void
task_settle(const struct mta_host *h, const struct bounce_task *t)
{
	uint32_t mark = MTA_MODE_BOUNCED;

	if (t->what == MTA_NOTIFY_WARN)
		return;
	if (t->what == MTA_NOTIFY_EXPIRE) {
		task_mark_expired(h, t);
		mark = MTA_MODE_EXPIRED;
	}
	h->spool->ops->set_mode(h->spool, t->file, mark, 0);
	h->spool->ops->log_remove(h->spool, t->log, t->file);
}

static void
task_answer(struct mta_bounce *b, struct bounce_task *t, bool failed)
{
	const struct mta_host *h = &b->host;

	if (!failed)
		task_settle(h, t);
	h->port->ops->send(h->port, MTA_TO_QMGR,
			   &(struct mta_note){
				   .kind = MTA_NOTE_NOTIFIED,
				   .notify = {.message = t->message,
					      .file = t->file,
					      .what = t->what,
					      .failed = failed},
			   });
	mta_pool_give(&b->tasks, t);
}

static void
task_submit(struct mta_bounce *b, struct bounce_task *t,
	    enum mta_notice_kind kind)
{
	t->kind = kind;
	t->notice_serial = mta_notice_send(
		&b->host, b->params,
		&(struct mta_notice){.kind = kind,
				     .about = &t->about,
				     .reported_count = t->reported_count,
				     .reply_to = MTA_TO_BOUNCE,
				     .client = mta_pool_ref(t)});
}

/* Of a notice there is no warning; it stays in the queue (F10.4). */
static void
task_warn(struct mta_bounce *b, struct bounce_task *t)
{
	mta_addr sender = t->about.sender;

	if (mta_addr_is_null(sender) ||
	    mta_sender_is_double_bounce(&b->host, b->params, sender))
		task_answer(b, t, false);
	else
		task_submit(b, t, MTA_NOTICE_WARNING);
}

static void
task_tell_failure(struct mta_bounce *b, struct bounce_task *t)
{
	enum mta_notice_kind kind;

	if (mta_notice_of_failure(&b->host, b->params, t->about.sender,
				  &kind)) {
		task_submit(b, t, kind);
		return;
	}
	mta_mail_trace_status(&b->host, t->file, &t->about, MTA_STATUS_DROPPED);
	task_answer(b, t, false);
}

static void
bounce_request(struct mta_bounce *b, const struct mta_note *note)
{
	const struct mta_host *h = &b->host;
	struct bounce_task *t = mta_pool_take(&b->tasks);
	const struct mta_file *shown;

	t->message = note->notify.message;
	t->file = note->notify.file;
	t->what = note->notify.what;
	t->log = task_log(t->what);
	shown = h->spool->ops->look(h->spool, t->file);
	if (!shown) {
		task_answer(b, t, true);
		return;
	}
	t->about = shown->envelope;
	t->reported_count = log_count(h, t->log, t->file);
	if (t->reported_count == 0)
		task_answer(b, t, false);
	else if (t->what == MTA_NOTIFY_WARN)
		task_warn(b, t);
	else
		task_tell_failure(b, t);
}

static void
task_trace_notice(const struct mta_bounce *b, const struct bounce_task *t,
		  struct mta_ref notice)
{
	mta_notice_trace_queued(&b->host,
				&(struct mta_trace_notice){
					.file = t->file,
					.notice = notice,
					.serial = t->about.serial,
					.notice_serial = t->notice_serial,
					.kind = t->kind,
				});
}

/* R-NOTIFY-COPY: does the postmaster get a copy of what the sender got? */
static bool
task_wants_copy(const struct mta_bounce *b, const struct bounce_task *t)
{
	struct mta_notice_classes classes =
		mta_notice_classes_of(b->params->notify_classes);

	if (t->step != TASK_TELL_SENDER || t->kind == MTA_NOTICE_DOUBLE_BOUNCE)
		return false;
	return t->what == MTA_NOTIFY_WARN ? classes.delay : classes.bounce;
}

static void
bounce_submitted(struct mta_bounce *b, const struct mta_note *note)
{
	struct bounce_task *t =
		mta_pool_find(&b->tasks, note->submitted.client);

	if (!t)
		return; /* asked for before a restart */
	if (mta_submit_is_success(note->submitted.result)) {
		task_trace_notice(b, t, note->submitted.file);
	} else if (t->step == TASK_TELL_SENDER) {
		task_answer(b, t, true);
		return;
	}
	if (!task_wants_copy(b, t)) {
		task_answer(b, t, false);
		return;
	}
	t->step = TASK_TELL_POSTMASTER;
	task_submit(b, t,
		    t->what == MTA_NOTIFY_WARN ? MTA_NOTICE_POSTMASTER_DELAY
					       : MTA_NOTICE_POSTMASTER);
}

static void
bounce_wake_fired(struct mta_timer *timer)
{
	struct mta_bounce *b = mta_container_of(timer, struct mta_bounce, wake);
	struct mta_note *note;

	while ((note = mta_turn_receive(&b->host, MTA_TO_BOUNCE, &b->wake))) {
		if (note->kind == MTA_NOTE_NOTIFY) {
			bounce_request(b, note);
			continue;
		}
		mta_assert(note->kind == MTA_NOTE_SUBMITTED);
		bounce_submitted(b, note);
	}
}

void
mta_bounce_init(struct mta_bounce *b, const struct mta_host *host,
		const struct mta_params *params)
{
	*b = (struct mta_bounce){.host = *host, .params = params};
	mta_timer_init(&b->wake, bounce_wake_fired);
	mta_pool_init(&b->tasks, sizeof(struct bounce_task), TASKS_PER_CHUNK);
	host->port->ops->attach(host->port, MTA_TO_BOUNCE, host->loop,
				&b->wake);
}

void
mta_bounce_release(struct mta_bounce *b)
{
	mta_timer_cancel(b->host.loop, &b->wake);
	mta_pool_release(&b->tasks);
}
