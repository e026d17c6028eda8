/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Acceptance. A message that neither waits nor sleeps nor takes time is served
 * from its note. A process exists here only while one does: a connection that
 * finds the service at its process limit waits in the backlog, and its flow
 * token is taken when it is accepted, not before.
 *
 * Time that the spool takes has moved loop->now by when the answer is given, so
 * the trigger and the answer leave at that time, and under a process limit the
 * process is occupied until then.
 *
 * Not done: headers, milters, duplicate recipients, address rewriting.
 */
#include "mta/pure.h"

#include "mta/bounce.h"
#include "mta/cleanup.h"
#include "mta/mail.h"

#include "mta/panic.h"
#include "mta/turn.h"

enum {
	PROCESSES_PER_CHUNK = 256,
	REFUSALS_PER_CHUNK = 64
};

enum process_step {
	PROCESS_QUEUED, /* a connection nobody has accepted */
	PROCESS_ASLEEP, /* in_flow_delay */
	PROCESS_ENDING, /* has answered, and is busy until its timer */
};

struct cleanup_process {
	struct mta_pooled pooled;
	struct mta_list link; /* backlog, else off */
	struct mta_timer timer;
	struct mta_cleanup *cleanup;
	struct mta_note_submit submit;
	enum mta_submit_result judged; /* what it comes to, but for the disk */
	enum process_step step;
};

/* A mail of maildrop that is refused: its file stays, as one that is being
 * written, until its notices are queued. */
struct cleanup_refusal {
	struct mta_pooled pooled;
	struct mta_trace_notice notice; /* under way */
	struct mta_envelope about;
	bool wants_copy; /* of the notice, for the postmaster */
};

static void process_fired(struct mta_timer *timer);

/* ---- one message -------------------------------------------------------- */

static enum mta_access_action
cleanup_ask_access(const struct mta_cleanup *c, const struct mta_note_submit *s,
		   const struct mta_recipient *items)
{
	bool is_from_outside =
		s->reply_to == MTA_TO_CLIENT || s->reply_to == MTA_TO_PICKUP;

	if (!c->access || !is_from_outside || s->is_requeued)
		return MTA_ACCESS_NONE;
	return c->access->decide(c->access, s, items);
}

static bool
cleanup_is_too_large(const struct mta_cleanup *c,
		     const struct mta_note_submit *s)
{
	int64_t limit = c->params->message_size_limit_bytes;

	return limit > 0 && (int64_t)s->size_bytes > limit;
}

/* What the message comes to, but for the disk: R-CLEANUP-STATUS (F2.3), the
 * size before the content; R-ACCESS (F2.7), hold only what is otherwise
 * accepted. */
static enum mta_submit_result
cleanup_judge(const struct mta_cleanup *c, struct mta_note_submit *s)
{
	if (cleanup_is_too_large(c, s))
		return MTA_SUBMIT_TOO_LARGE;
	switch (cleanup_ask_access(
		c, s, mta_recipients_items(c->host.port, &s->recipients))) {
	case MTA_ACCESS_NONE:
		break;
	case MTA_ACCESS_HOLD:
		return MTA_SUBMIT_HELD;
	case MTA_ACCESS_DISCARD:
		return MTA_SUBMIT_DISCARDED;
	case MTA_ACCESS_REJECT:
		return MTA_SUBMIT_REJECTED;
	}
	return MTA_SUBMIT_ACCEPTED;
}

static struct mta_envelope
cleanup_envelope(const struct mta_cleanup *c, const struct mta_note_submit *s)
{
	return (struct mta_envelope){
		.arrival = s->arrival,
		.created = c->host.loop->now,
		.sender = s->sender,
		.warn_s = mta_warn_time_s(s->arrival, s->sender,
					  c->params->delay_warning_time_s),
		.serial = s->serial,
		.size_bytes = s->size_bytes,
		.recipient_count = s->recipient_count,
		.first_active = MTA_NEVER,
		.committed = c->host.loop->now,
	};
}

static void
refusal_notify(const struct mta_cleanup *c, struct cleanup_refusal *r,
	       enum mta_notice_kind kind)
{
	r->notice.kind = kind;
	r->notice.notice_serial = mta_notice_send(
		&c->host, c->params,
		&(struct mta_notice){.kind = kind,
				     .about = &r->about,
				     .reported_count = r->about.recipient_count,
				     .reply_to = MTA_TO_CLEANUP,
				     .client = mta_pool_ref(r)});
}

/* A notice of ours is queued, or could not be, which nobody hears. */
static void
cleanup_notified(struct mta_cleanup *c, const struct mta_note *note)
{
	struct mta_spool *spool = c->host.spool;
	struct cleanup_refusal *r =
		mta_pool_find(&c->refusals, note->submitted.client);

	if (!r)
		return; /* asked for before a restart */
	if (mta_submit_is_success(note->submitted.result)) {
		r->notice.notice = note->submitted.file;
		mta_notice_trace_queued(&c->host, &r->notice);
		if (r->wants_copy) {
			r->wants_copy = false;
			refusal_notify(c, r, MTA_NOTICE_POSTMASTER);
			return;
		}
	}
	spool->ops->abandon(spool, r->notice.file);
	mta_pool_give(&c->refusals, r);
}

/* R-CLEANUP-BOUNCE (F2.4): nobody waits to hear that a mail of maildrop was
 * refused, so it bounces as a mail that was tried would (R-DOUBLE-BOUNCE,
 * R-NOTIFY-COPY). False: nobody is to be told. */
static bool
cleanup_bounce(struct mta_cleanup *c, const struct mta_note_submit *s,
	       const struct mta_recipient *items, struct mta_ref file,
	       struct mta_status why)
{
	struct mta_notice_classes classes =
		mta_notice_classes_of(c->params->notify_classes);
	struct mta_envelope about = cleanup_envelope(c, s);
	enum mta_notice_kind kind;
	struct cleanup_refusal *r;

	for (uint32_t i = 0; i < s->recipient_count; i++) {
		struct mta_trace_delivery d =
			mta_delivery_without_agent(file, &about, items[i], why);

		mta_rcpt_refused(&c->host, &d);
	}
	if (!mta_notice_of_failure(&c->host, c->params, s->sender, &kind)) {
		mta_mail_trace_status(&c->host, file, &about,
				      MTA_STATUS_DROPPED);
		return false;
	}
	r = mta_pool_take(&c->refusals);
	r->notice =
		(struct mta_trace_notice){.file = file, .serial = about.serial};
	r->about = about;
	r->wants_copy = kind == MTA_NOTICE_BOUNCE && classes.bounce;
	refusal_notify(c, r, kind);
	return true;
}

/* The file goes at once, or when its notices are queued. */
MTA_RARE static void
cleanup_refuse(struct mta_cleanup *c, const struct mta_note_submit *s,
	       const struct mta_recipient *items, struct mta_ref file,
	       enum mta_submit_result why)
{
	struct mta_spool *spool = c->host.spool;
	struct mta_symtab *symbols = c->host.symbols;
	struct mta_status status;
	bool is_needed;

	if (s->reply_to != MTA_TO_PICKUP) {
		spool->ops->abandon(spool, file);
		return;
	}
	if (why == MTA_SUBMIT_TOO_LARGE) {
		status.dsn = MTA_DSN(5, 3, 4);
		status.reason = mta_sym_intern(
			symbols, "message size exceeds size limit");
	} else {
		status.dsn = MTA_DSN(5, 7, 1);
		status.reason =
			mta_sym_intern(symbols, "message content rejected");
	}
	is_needed = cleanup_bounce(c, s, items, file, status);
	mta_sym_drop(symbols, status.reason);
	if (!is_needed)
		spool->ops->abandon(spool, file);
}

/* R-FLOW-HOLD (F3.4): what is held takes no part in the flow. */
static enum mta_submit_result
cleanup_commit(const struct mta_cleanup *c, struct mta_ref file,
	       enum mta_submit_result result)
{
	const struct mta_host *h = &c->host;
	bool is_held = result == MTA_SUBMIT_HELD;
	enum mta_err err =
		mta_mail_commit(h, file, is_held ? MTA_HOLD : MTA_INCOMING,
				is_held ? MTA_MOVE_HOLD : MTA_MOVE_ACCEPTED);
	struct mta_note note;

	if (err != MTA_OK)
		return MTA_SUBMIT_NO_SPACE;
	if (!is_held) {
		note.kind = MTA_NOTE_TRIGGER;
		note.trigger = MTA_TRIGGER_WAKEUP;
		h->port->ops->send(h->port, MTA_TO_QMGR, &note);
	} else if (c->params->in_flow_delay_s > 0) {
		h->port->ops->token_put(h->port, 1);
	}
	return result;
}

static enum mta_submit_result
cleanup_store(struct mta_cleanup *c, struct mta_note_submit *s,
	      enum mta_submit_result result, struct mta_ref *file)
{
	const struct mta_host *h = &c->host;
	struct mta_envelope envelope = cleanup_envelope(c, s);
	struct mta_recipient *items =
		mta_recipients_items(h->port, &s->recipients);

	*file = h->spool->ops->create(h->spool, &envelope, items[0].address);
	for (uint32_t i = 1; i < s->recipient_count; i++)
		h->spool->ops->append(h->spool, *file, items[i].address);
	switch (result) {
	case MTA_SUBMIT_ACCEPTED:
	case MTA_SUBMIT_HELD:
		result = cleanup_commit(c, *file, result);
		break;
	case MTA_SUBMIT_REJECTED:
	case MTA_SUBMIT_TOO_LARGE:
		cleanup_refuse(c, s, items, *file, result);
		break;
	case MTA_SUBMIT_DISCARDED:
	case MTA_SUBMIT_NO_SPACE:
		h->spool->ops->abandon(h->spool, *file);
		break;
	}
	mta_recipients_free(h->port, &s->recipients);
	return result;
}

/* What became of a message that is told about. */
struct outcome {
	struct mta_ref file;
	enum mta_submit_result result;
	bool has_slept;
};

static void
cleanup_answer(const struct mta_cleanup *c, const struct mta_note_submit *s,
	       struct outcome o)
{
	const struct mta_host *h = &c->host;
	struct mta_note note;

	if (mta_trace_wants(h->trace, MTA_TRACE_ANSWERED))
		mta_trace_deliver(h->trace, MTA_TRACE_ANSWERED,
				  &(struct mta_trace_answered){
					  .at = h->loop->now,
					  .arrival = s->arrival,
					  .sender = s->sender,
					  .file = o.file,
					  .serial = s->serial,
					  .result = o.result,
					  .recipient_count = s->recipient_count,
					  .slept = o.has_slept,
				  });
	note.kind = MTA_NOTE_SUBMITTED;
	note.submitted.client = s->client;
	note.submitted.file = o.file;
	note.submitted.result = o.result;
	h->port->ops->send(h->port, s->reply_to, &note);
}

static void
cleanup_serve(struct mta_cleanup *c, struct mta_note_submit *s,
	      enum mta_submit_result judged, bool has_slept)
{
	struct outcome o = {.has_slept = has_slept};

	o.result = cleanup_store(c, s, judged, &o.file);
	cleanup_answer(c, s, o);
}

/* R-SMTPD-REFUSE (F2.5, F2.6): what smtpd refuses never meets cleanup. smtpd is
 * no service of its own here, so its answer is given in its place. */
static bool
smtpd_refuses(const struct mta_cleanup *c, struct mta_note_submit *s,
	      enum mta_submit_result judged)
{
	if (s->reply_to != MTA_TO_CLIENT ||
	    (judged != MTA_SUBMIT_REJECTED && judged != MTA_SUBMIT_TOO_LARGE))
		return false;
	mta_recipients_free(c->host.port, &s->recipients);
	cleanup_answer(c, s, (struct outcome){.result = judged});
	return true;
}

/* ---- processes ---------------------------------------------------------- */

static bool
cleanup_has_room(const struct mta_cleanup *c)
{
	return c->process_limit == 0 || c->busy_count < c->process_limit;
}

/* R-FLOW-TOKEN (F3.2): no token, so sleep; then no token is owed, and nobody
 * looks again. */
static bool
cleanup_must_sleep(const struct mta_cleanup *c)
{
	struct mta_port *port = c->host.port;

	return c->params->in_flow_delay_s > 0 && !port->ops->token_take(port);
}

/* Is whoever has just served busy with it for longer than this step? Without a
 * limit that does not matter. */
static bool
cleanup_took_time(const struct mta_cleanup *c)
{
	return c->process_limit > 0 &&
	       c->host.loop->now > c->host.loop->stepped;
}

MTA_APART static struct cleanup_process *
process_begin(struct mta_cleanup *c, const struct mta_note_submit *s,
	      enum mta_submit_result judged)
{
	struct cleanup_process *p = mta_pool_take(&c->processes);

	mta_list_init(&p->link);
	mta_timer_init(&p->timer, process_fired);
	p->cleanup = c;
	p->submit = *s;
	p->judged = judged;
	return p;
}

/* The process is busy until a time. */
static void
process_occupy(struct cleanup_process *p, enum process_step step,
	       mta_time until)
{
	p->step = step;
	p->cleanup->busy_count++;
	mta_timer_set(p->cleanup->host.loop, &p->timer, until);
}

static void
process_sleep(struct cleanup_process *p)
{
	struct mta_cleanup *c = p->cleanup;

	c->asleep_count++;
	process_occupy(p, PROCESS_ASLEEP,
		       c->host.loop->now +
			       mta_from_seconds(c->params->in_flow_delay_s));
}

static void
process_serve(struct cleanup_process *p, bool has_slept)
{
	struct mta_cleanup *c = p->cleanup;

	cleanup_serve(c, &p->submit, p->judged, has_slept);
	if (cleanup_took_time(c))
		process_occupy(p, PROCESS_ENDING, c->host.loop->now);
	else
		mta_pool_give(&c->processes, p);
}

/* Whoever waits longest comes first. When one of them has moved the time, the
 * others must wait for another step; it is occupied, and its end is one. */
static void
cleanup_serve_backlog(struct mta_cleanup *c)
{
	while (!mta_list_is_empty(&c->backlog) && cleanup_has_room(c) &&
	       c->host.loop->now == c->host.loop->stepped) {
		struct cleanup_process *p = mta_container_of(
			c->backlog.next, struct cleanup_process, link);

		mta_list_remove(&p->link);
		if (cleanup_must_sleep(c))
			process_sleep(p);
		else
			process_serve(p, false);
	}
}

static void
process_fired(struct mta_timer *timer)
{
	struct cleanup_process *p =
		mta_container_of(timer, struct cleanup_process, timer);
	struct mta_cleanup *c = p->cleanup;

	c->busy_count--;
	switch (p->step) {
	case PROCESS_ASLEEP:
		c->asleep_count--;
		process_serve(p, true);
		break;
	case PROCESS_ENDING:
		mta_pool_give(&c->processes, p);
		break;
	case PROCESS_QUEUED:
		mta_assert(p->step != PROCESS_QUEUED);
		break;
	}
	cleanup_serve_backlog(c);
}

static void
cleanup_connected(struct mta_cleanup *c, struct mta_note_submit *s)
{
	enum mta_submit_result judged;

	mta_assert(s->recipient_count > 0);
	judged = cleanup_judge(c, s);
	if (smtpd_refuses(c, s, judged))
		return;
	if (!cleanup_has_room(c) || !mta_list_is_empty(&c->backlog)) {
		mta_list_append(&c->backlog,
				&process_begin(c, s, judged)->link);
	} else if (cleanup_must_sleep(c)) {
		process_sleep(process_begin(c, s, judged));
	} else {
		cleanup_serve(c, s, judged, false);
		if (cleanup_took_time(c))
			process_occupy(process_begin(c, s, judged),
				       PROCESS_ENDING, c->host.loop->now);
	}
}

static void
cleanup_wake_fired(struct mta_timer *timer)
{
	struct mta_cleanup *c =
		mta_container_of(timer, struct mta_cleanup, wake);
	struct mta_note *note;

	while ((note = mta_turn_receive(&c->host, MTA_TO_CLEANUP, &c->wake))) {
		if (note->kind == MTA_NOTE_SUBMITTED) {
			cleanup_notified(c, note);
			continue;
		}
		mta_assert(note->kind == MTA_NOTE_SUBMIT);
		cleanup_connected(c, &note->submit);
	}
}

void
mta_cleanup_init(struct mta_cleanup *c, const struct mta_host *host,
		 const struct mta_params *params, struct mta_access *access)
{
	*c = (struct mta_cleanup){
		.host = *host, .params = params, .access = access};
	mta_timer_init(&c->wake, cleanup_wake_fired);
	mta_list_init(&c->backlog);
	mta_pool_init(&c->processes, sizeof(struct cleanup_process),
		      PROCESSES_PER_CHUNK);
	mta_pool_init(&c->refusals, sizeof(struct cleanup_refusal),
		      REFUSALS_PER_CHUNK);
	host->port->ops->attach(host->port, MTA_TO_CLEANUP, host->loop,
				&c->wake);
}

/* A process in use has a generation that is odd. */
static void
cleanup_drop_process(struct mta_cleanup *c, struct cleanup_process *p)
{
	struct mta_port *port = c->host.port;

	if (p->pooled.generation % 2 == 0)
		return;
	mta_timer_cancel(c->host.loop, &p->timer);
	if (p->step != PROCESS_ENDING)
		mta_recipients_free(port, &p->submit.recipients);
}

void
mta_cleanup_release(struct mta_cleanup *c)
{
	for (uint32_t i = 0; i < c->processes.fresh; i++)
		cleanup_drop_process(c, mta_pool_at(&c->processes, i));
	mta_timer_cancel(c->host.loop, &c->wake);
	mta_pool_release(&c->processes);
	mta_pool_release(&c->refusals);
}
