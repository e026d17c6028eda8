/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An event in words. The first line is the same for all: when, who, what, the
 * mail, the six queues, tokens, whose turn, and the destination if there is
 * one. The second is a sentence of its own for each kind and reason.
 */
#include <inttypes.h>

#include "mta/note.h"
#include "mta/rules.h"
#include "sim/command/step_text.h"

/* What the first line says of each kind, and where its records have it: bytes
 * from their beginning. 0: they have none, for they begin with their time
 * (trace.def). */
struct kind {
	const char *who; /* unless the record tells more */
	const char *what;
	size_t mail;
	size_t file;
	size_t transport;
	size_t destination;
};

#define IN(record, field) offsetof(struct mta_trace_##record, field)
static const struct kind kinds[MTA_TRACE_KINDS] = {
	[MTA_TRACE_SUBMITTED] = {"client", "submits",
				 .mail = IN(submitted, serial)},
	[MTA_TRACE_ANSWERED] = {"cleanup", "answers",
				.mail = IN(answered, serial)},
	[MTA_TRACE_MOVE] = {"qmgr", "moves", .mail = IN(move, serial),
			    .file = IN(move, file)},
	[MTA_TRACE_ADMITTED] = {"qmgr", "admits", .mail = IN(admitted, serial),
				.file = IN(admitted, file)},
	[MTA_TRACE_JUMPED] = {"qmgr", "lets jump ahead",
			      .mail = IN(jumped, serial),
			      .file = IN(jumped, file),
			      .transport = IN(jumped, transport)},
	[MTA_TRACE_SELECTED] = {"qmgr", "hands to an agent",
				.mail = IN(selected, serial),
				.file = IN(selected, file),
				.transport = IN(selected, transport),
				.destination = IN(selected, destination)},
	[MTA_TRACE_DELIVERY] = {"agent", "reports",
				.mail = IN(delivery, serial),
				.file = IN(delivery, file),
				.transport = IN(delivery, transport),
				.destination = IN(delivery, destination)},
	[MTA_TRACE_FEEDBACK] = {"qmgr", "feedback",
				.transport = IN(feedback, transport),
				.destination = IN(feedback, destination)},
	[MTA_TRACE_THROTTLE] = {"qmgr", "throttles",
				.transport = IN(throttle, transport)},
	[MTA_TRACE_CLOGGED] = {"qmgr", "warns",
			       .transport = IN(clogged, transport),
			       .destination = IN(clogged, destination)},
	[MTA_TRACE_SCAN] = {.who = "qmgr", .what = "begins a run over"},
	[MTA_TRACE_NOTICE] = {"bounce", "notifies", .mail = IN(notice, serial),
			      .file = IN(notice, file)},
	[MTA_TRACE_STATUS] = {"qmgr", "says", .mail = IN(status, serial),
			      .file = IN(status, file)},
	[MTA_TRACE_ENDED] = {"qmgr", "ends", .mail = IN(ended, serial)},
};
#undef IN

static const char *
text_of(const struct world *w, mta_sym symbol)
{
	return mta_sym_text(&w->symbols, symbol);
}

mta_time
step_time(const void *record)
{
	return *(const mta_time *)record;
}

/* ---- the first line -------------------------------------------------------
 */

static const char *
who_moves(const struct mta_trace_move *r)
{
	switch ((enum mta_move_reason)r->reason) {
	case MTA_MOVE_ACCEPTED:
		return "cleanup";
	case MTA_MOVE_SUBMITTED:
		return "postdrop";
	case MTA_MOVE_PICKED_UP:
		return "pickup";
	case MTA_MOVE_HOLD:
		return r->from == MTA_QUEUES ? "cleanup" : "postsuper";
	case MTA_MOVE_RELEASED:
	case MTA_MOVE_REQUEUED:
	case MTA_MOVE_DELETED:
		return "postsuper";
	case MTA_MOVE_FLUSHED:
		return "flush";
	case MTA_MOVE_ADMITTED:
	case MTA_MOVE_LOCKED:
	case MTA_MOVE_DEFERRED:
	case MTA_MOVE_DONE:
	case MTA_MOVE_DAMAGED:
	case MTA_MOVE_RESTART:
		return "qmgr";
	case MTA_MOVE_PRESENT:
		return "start";
	}
	return "qmgr";
}

static const char *
who_of(enum mta_trace_kind kind, const void *record)
{
	const struct mta_trace_submitted *submitted = record;
	const struct mta_trace_answered *answered = record;
	const struct mta_trace_delivery *delivery = record;
	const struct mta_trace_status *status = record;
	const struct mta_trace_ended *ended = record;

	if (kind == MTA_TRACE_MOVE)
		return who_moves(record);
	if (kind == MTA_TRACE_SUBMITTED && submitted->is_notice)
		return "bounce";
	/* R-SMTPD-REFUSE: no file was begun. */
	if (kind == MTA_TRACE_ANSWERED && !mta_ref_is_set(answered->file))
		return "smtpd";
	if (kind == MTA_TRACE_DELIVERY && delivery->handoff == MTA_NEVER)
		return "qmgr";
	if (kind == MTA_TRACE_STATUS && status->what == MTA_STATUS_MARKED)
		return "postsuper";
	/* Pickup is done with its file, and the mail goes on. */
	if (kind == MTA_TRACE_ENDED && ended->outcome == MTA_QUEUED)
		return "pickup";
	if (kind == MTA_TRACE_ENDED && ended->outcome == MTA_DELETED)
		return "postsuper";
	return kinds[kind].who;
}

static const char *
queue_or(uint32_t queue, const char *otherwise)
{
	return queue < MTA_QUEUES ? mta_queue_name((enum mta_queue)queue)
				  : otherwise;
}

static void
put_what(FILE *out, enum mta_trace_kind kind, const void *record)
{
	const struct mta_trace_move *move = record;
	const struct mta_trace_delivery *delivery = record;
	const struct mta_trace_feedback *feedback = record;
	const struct mta_trace_throttle *throttle = record;
	const struct mta_trace_scan *scan = record;
	const char *what = kinds[kind].what;

	if (kind == MTA_TRACE_THROTTLE && !throttle->reason)
		what = "unthrottles";
	if (kind == MTA_TRACE_SCAN && !scan->is_open)
		what = "ends a run over";
	fputs(what, out);
	if (kind == MTA_TRACE_MOVE)
		fprintf(out, " %s -> %s", queue_or(move->from, "new"),
			queue_or(move->to, "gone"));
	if (kind == MTA_TRACE_DELIVERY)
		fprintf(out, " %s",
			mta_outcome_name((enum mta_outcome)delivery->outcome));
	if (kind == MTA_TRACE_FEEDBACK)
		fprintf(out, " %s",
			mta_feedback_event_name(
				(enum mta_feedback_event)feedback->event));
	if (kind == MTA_TRACE_SCAN)
		fprintf(out, " %s",
			mta_queue_name((enum mta_queue)scan->queue));
}

/* A number of a record, 0 if it has none. */
static uint32_t
number_at(const void *record, size_t place)
{
	uint32_t number = 0;

	if (place > 0)
		memcpy(&number, (const char *)record + place, sizeof(number));
	return number;
}

int64_t
step_mail(enum mta_trace_kind kind, const void *record)
{
	size_t place = kinds[kind].mail;

	return place > 0 ? (int64_t)number_at(record, place) : -1;
}

static void
put_mail(FILE *out, struct mta_spool *spool, enum mta_trace_kind kind,
	 const void *record)
{
	char id[MTA_ID_TEXT_MAX] = "";
	struct mta_ref file;

	if (kinds[kind].mail > 0)
		fprintf(out, " mail %" PRId64, step_mail(kind, record));
	if (kinds[kind].file == 0)
		return;
	memcpy(&file, (const char *)record + kinds[kind].file, sizeof(file));
	spool->ops->id_text(spool, file, id, sizeof(id));
	if (*id)
		fprintf(out, " %s", id);
}

static void
put_destination(FILE *out, struct world *w, mta_sym transport,
		mta_sym destination)
{
	const struct mta_dest *d = NULL;
	struct mta_list *at;

	for (at = w->qmgr.transports.next;
	     w->qmgr.is_running && at != &w->qmgr.transports; at = at->next) {
		struct mta_transport *t =
			mta_container_of(at, struct mta_transport, in_qmgr);

		if (t->name == transport)
			d = mta_dest_find(t, destination);
	}
	fprintf(out, " | %s%s%s", text_of(w, transport), destination ? ":" : "",
		text_of(w, destination));
	if (d)
		fprintf(out,
			" window %d busy %d todo %d success %.4g failure "
			"%.4g cohorts %.4g",
			d->window.window, d->busy_count, d->todo_count,
			d->window.good, d->window.bad, d->window.cohorts);
}

static void
put_line(FILE *out, struct world *w, enum mta_trace_kind kind,
	 const void *record)
{
	struct mta_spool *spool = world_host(w)->spool;
	struct mta_port *port = world_host(w)->port;
	mta_sym transport = number_at(record, kinds[kind].transport);

	fprintf(out, "%.6f %s ", (double)(step_time(record) - SIM_EPOCH) / 1e6,
		who_of(kind, record));
	put_what(out, kind, record);
	put_mail(out, spool, kind, record);
	fputs(" |", out);
	for (int q = 0; q < MTA_QUEUES; q++)
		fprintf(out, " %s %u", mta_queue_name((enum mta_queue)q),
			spool->ops->count(spool, (enum mta_queue)q));
	fprintf(out, " | tokens %d, turn %s", (int)port->ops->token_count(port),
		w->qmgr.is_running ? mta_queue_name(w->qmgr.first) : "nobody");
	if (transport)
		put_destination(out, w, transport,
				number_at(record, kinds[kind].destination));
	fputc('\n', out);
}

/* ---- sentences ------------------------------------------------------------
 */

/* How long the mail waits in deferred is said by put_why. */
static const char *
why_move(const struct mta_trace_move *r)
{
	switch ((enum mta_move_reason)r->reason) {
	case MTA_MOVE_ACCEPTED:
		return "cleanup has committed the file: from now on the mail "
		       "is the system's";
	case MTA_MOVE_SUBMITTED:
		return "postdrop has put it into maildrop, where pickup finds "
		       "it";
	case MTA_MOVE_HOLD:
		return "hold: nobody looks at it until the operator releases "
		       "it";
	case MTA_MOVE_ADMITTED:
		return "the queue manager takes it into active";
	case MTA_MOVE_LOCKED:
		return "an agent from before the restart still works on it: "
		       "back to incoming for a minute";
	case MTA_MOVE_DEFERRED:
		return "some recipient is left: it waits in deferred as long "
		       "again as it is old, minimal_backoff_time at least "
		       "and maximal_backoff_time at most, and then for a "
		       "queue run; due at";
	case MTA_MOVE_DONE:
		return "nothing is left to do: the file is removed";
	case MTA_MOVE_PICKED_UP:
		return "pickup has passed it on to cleanup";
	case MTA_MOVE_DAMAGED:
		return "the file cannot be read: it is put aside into corrupt";
	case MTA_MOVE_RESTART:
		return "the queue manager starts: whatever lies in active goes "
		       "back to incoming";
	case MTA_MOVE_FLUSHED:
		return "flushed: out of deferred, due now";
	case MTA_MOVE_RELEASED:
		return "released: into deferred, due when it was due before";
	case MTA_MOVE_REQUEUED:
		return "requeued: into maildrop, to be read like new mail";
	case MTA_MOVE_DELETED:
		return "the operator has deleted it";
	case MTA_MOVE_PRESENT:
		return "it was there before anything happened";
	}
	return "";
}

static const char *
why_answered(const struct world *w, const struct mta_trace_answered *r)
{
	if (r->slept)
		return "no flow token was left, so the client waited "
		       "in_flow_delay for its answer";
	switch ((enum mta_submit_result)r->result) {
	case MTA_SUBMIT_ACCEPTED:
		return w->params.in_flow_delay_s > 0
			       ? "accepted at once: a flow token was there"
			       : "accepted at once: in_flow_delay is 0, so no "
				 "flow token is asked for";
	case MTA_SUBMIT_HELD:
		return "accepted into hold";
	case MTA_SUBMIT_DISCARDED:
		return "thrown away by an access rule; the client sees success";
	case MTA_SUBMIT_REJECTED:
		return "refused by an access rule";
	case MTA_SUBMIT_TOO_LARGE:
		return "refused: larger than message_size_limit";
	case MTA_SUBMIT_NO_SPACE:
		return "refused for now: the spool takes no more";
	}
	return "";
}

static void
why_admitted(FILE *out, const struct world *w,
	     const struct mta_trace_admitted *r)
{
	struct mta_active_fill fill = {
		.active_count = (int32_t)w->qmgr.active_count,
		.active_limit =
			(int32_t)w->qmgr_params.qmgr_message_active_limit,
	};

	if (fill.active_count >= fill.active_limit)
		fputs("it was due, and active is full now: when there is room, "
		      "incoming is looked at first",
		      out);
	else
		fprintf(out,
			"it was due, and active has room for %d more; next %s "
			"is looked at first",
			fill.active_limit - fill.active_count,
			mta_queue_name(
				mta_turn_next((enum mta_queue)r->from, fill)));
}

static void
why_selected(FILE *out, const struct world *w,
	     const struct mta_trace_selected *r)
{
	if (r->preempted)
		fputs("its mail stands before a larger one; ", out);
	fprintf(out,
		"an agent of %s is free and %s has room: %u of %u "
		"deliveries run with this one",
		text_of(w, r->transport), text_of(w, r->destination), r->busy,
		r->window);
}

/* R-PREEMPT-CREDIT, R-PREEMPT-PRICE in words. */
static void
why_jumped(FILE *out, const struct mta_trace_jumped *r)
{
	int64_t cost = r->price / r->need;

	fprintf(out,
		"before mail %" PRIu32
		", whose deliveries have earned a credit "
		"of %" PRId64 ": at %" PRId64 " a slot %" PRId64
		", and %" PRId32 " on loan, are enough for %" PRId64
		" deliver%s less %" PRId32 " %%; all of it is charged, "
		"%" PRId64 ", and the credit is %" PRId64 " now",
		r->over_serial, r->credit, cost, r->credit / cost, r->loan,
		r->need, r->need == 1 ? "y" : "ies", r->discount, r->price,
		r->credit - r->price);
}

static void
why_delivery(FILE *out, const struct world *w,
	     const struct mta_trace_delivery *r)
{
	char to[MTA_ADDR_TEXT_MAX];

	w->book.base.text(&w->book.base, r->recipient, to, sizeof(to));
	fprintf(out, "%s is %s", to,
		mta_outcome_name((enum mta_outcome)r->outcome));
	if (r->soft_bounce)
		fputs(", where it would have bounced", out);
	if (r->handoff == MTA_NEVER && r->active != MTA_NEVER)
		fputs(", without an agent", out);
	if (r->reason)
		fprintf(out, ": %s", text_of(w, r->reason));
}

static const char *
why_feedback(const struct mta_trace_feedback *r)
{
	switch ((enum mta_feedback_event)r->event) {
	case MTA_FEEDBACK_ALIVE:
		return "the destination itself gave no trouble, whatever "
		       "became of the recipient: positive feedback, and "
		       "failed cohorts are forgotten";
	case MTA_FEEDBACK_SICK:
		return "the destination itself gave trouble: negative "
		       "feedback, and 1/window of a failed cohort more";
	case MTA_FEEDBACK_DEAD:
		return "the failed cohorts have reached their limit: the "
		       "destination is dead for minimal_backoff_time, unless "
		       "something gets through, and its mail is deferred "
		       "untried";
	case MTA_FEEDBACK_REVIVED:
		return "usable again: the window begins anew";
	}
	return "";
}

/* R-SCAN-REQUEST: what asks for a run is not in the record. */
static const char *
why_scan(const struct mta_trace_scan *r)
{
	if (!r->is_open)
		return "every file that was there has been looked at; what is "
		       "not due yet stays";
	if (r->queue == MTA_INCOMING)
		return "mail has come, or it is time: its files are looked at "
		       "one by one, and one that is due is admitted when "
		       "active has room";
	return "it is time, each queue_run_delay, or somebody flushes: its "
	       "files are looked at one "
	       "by one, and one that is due is admitted when active has room";
}

static const char *
why_status(const struct mta_trace_status *r)
{
	switch ((enum mta_mail_status)r->what) {
	case MTA_STATUS_EXPIRED:
		return "too old to be tried again: returned to the sender";
	case MTA_STATUS_FORCE_EXPIRED:
		return "marked by the operator: returned to the sender";
	case MTA_STATUS_BOUNCE_FAILED:
		return "the bounce could not be queued: deferred";
	case MTA_STATUS_WARN_FAILED:
		return "the delay warning could not be queued: deferred";
	case MTA_STATUS_SKIPPED:
		return "skipped: an agent from before still delivers it";
	case MTA_STATUS_DROPPED:
		return "a notice that cannot be delivered is dropped";
	case MTA_STATUS_MARKED:
		return "marked to expire when it is taken in next";
	}
	return "";
}

static const char *
why_notice(const struct mta_trace_notice *r)
{
	switch ((enum mta_notice_kind)r->kind) {
	case MTA_NOTICE_BOUNCE:
		return "the sender is told what failed; the notice is a new "
		       "mail in incoming";
	case MTA_NOTICE_WARNING:
		return "the sender is warned that it takes long";
	case MTA_NOTICE_POSTMASTER:
	case MTA_NOTICE_POSTMASTER_DELAY:
		return "the postmaster gets a copy";
	case MTA_NOTICE_DOUBLE_BOUNCE:
		return "a bounce bounced: the postmaster is told";
	}
	return "";
}

static void
why_submitted(FILE *out, const struct mta_trace_submitted *r)
{
	fprintf(out, "%s of %u bytes to %u recipient%s%s",
		r->is_notice ? "a notice" : "new mail", r->size_bytes,
		r->recipient_count, r->recipient_count == 1 ? "" : "s",
		r->is_refused ? ", refused by postdrop" : "");
}

static void
why_ended(FILE *out, const struct mta_trace_ended *r)
{
	if (r->outcome == MTA_QUEUED)
		fputs("its file in maildrop is gone, the mail goes on as a "
		      "file of cleanup's",
		      out);
	else
		fprintf(out, "outcome %s; it was in active %u time%s",
			mta_outcome_name((enum mta_outcome)r->outcome),
			r->attempts, r->attempts == 1 ? "" : "s");
}

static void
put_why(FILE *out, const struct world *w, enum mta_trace_kind kind,
	const void *record)
{
	const struct mta_trace_move *move = record;
	const struct mta_trace_scan *scan = record;
	const struct mta_trace_throttle *throttle = record;
	const struct mta_trace_clogged *clogged = record;

	switch (kind) {
	case MTA_TRACE_SUBMITTED:
		why_submitted(out, record);
		break;
	case MTA_TRACE_ANSWERED:
		fputs(why_answered(w, record), out);
		break;
	case MTA_TRACE_MOVE:
		fputs(why_move(move), out);
		if (move->reason == MTA_MOVE_DEFERRED)
			fprintf(out, " %" PRId64 " s",
				(int64_t)move->wake_s - SIM_EPOCH_S);
		break;
	case MTA_TRACE_ADMITTED:
		why_admitted(out, w, record);
		break;
	case MTA_TRACE_JUMPED:
		why_jumped(out, record);
		break;
	case MTA_TRACE_SELECTED:
		why_selected(out, w, record);
		break;
	case MTA_TRACE_DELIVERY:
		why_delivery(out, w, record);
		break;
	case MTA_TRACE_FEEDBACK:
		fputs(why_feedback(record), out);
		break;
	case MTA_TRACE_THROTTLE:
		fputs(throttle->reason ? text_of(w, throttle->reason)
				       : "it is time to try it again",
		      out);
		break;
	case MTA_TRACE_CLOGGED:
		fprintf(out,
			"%u deliveries wait or run for this one destination, "
			"more than a fifth of qmgr_message_active_limit, with "
			"%u mail%s in active: the log warns",
			clogged->used, clogged->active_count,
			clogged->active_count == 1 ? "" : "s");
		break;
	case MTA_TRACE_SCAN:
		fputs(why_scan(scan), out);
		break;
	case MTA_TRACE_NOTICE:
		fputs(why_notice(record), out);
		break;
	case MTA_TRACE_STATUS:
		fputs(why_status(record), out);
		break;
	case MTA_TRACE_ENDED:
		why_ended(out, record);
		break;
	case MTA_TRACE_TURN:
	case MTA_TRACE_KINDS:
		break;
	}
}

void
step_print(FILE *out, struct world *w, enum mta_trace_kind kind,
	   const void *record)
{
	put_line(out, w, kind, record);
	fputs("    ", out);
	put_why(out, w, kind, record);
	fputs(".\n", out);
}
