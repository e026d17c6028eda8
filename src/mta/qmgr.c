/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The queue manager's main loop, turned inside out: a turn is one pass. It
 * hears the notes that have come, asks for agents, looks at incoming and
 * deferred in turn for at most one mail to take in, and settles the flow
 * tokens. A pass that found a name is followed by another, behind everything
 * that is already due, as a poll between two passes would serve it.
 */
#include "mta/pure.h"

#include "mta/mail.h"
#include "mta/qmgr.h"

#include "mta/panic.h"

enum {
	CHUNK_OBJECTS = 256
};

static void qmgr_turn_fired(struct mta_timer *timer);
static void qmgr_run_timer_fired(struct mta_timer *timer);

void
mta_qmgr_init(struct mta_qmgr *q, const struct mta_host *host,
	      const struct mta_params *params)
{
	*q = (struct mta_qmgr){.host = *host, .params = params};
	mta_timer_init(&q->turn, qmgr_turn_fired);
	mta_timer_init(&q->run_timer, qmgr_run_timer_fired);
	mta_list_init(&q->transports);
	mta_table_init(&q->transport_index);
	mta_table_init(&q->dest_index);
	mta_table_init(&q->peer_index);
	mta_pool_init(&q->mails, sizeof(struct mta_qmail), CHUNK_OBJECTS);
	mta_pool_init(&q->jobs, sizeof(struct mta_job), CHUNK_OBJECTS);
	mta_pool_init(&q->peers, sizeof(struct mta_peer), CHUNK_OBJECTS);
	mta_pool_init(&q->entries, sizeof(struct mta_entry), CHUNK_OBJECTS);
	mta_pool_init(&q->rcpts, sizeof(struct mta_rcpt), CHUNK_OBJECTS);
	mta_pool_init(&q->dests, sizeof(struct mta_dest), CHUNK_OBJECTS);
	q->retry_name = mta_sym_intern(host->symbols, "retry");
	q->error_name = mta_sym_intern(host->symbols, "error");
	host->port->ops->attach(host->port, MTA_TO_QMGR, host->loop, &q->turn);
}

/* Destinations hold names and timers; the rest goes with its pool. */
static void
transport_forget_dests(struct mta_transport *t)
{
	while (!mta_list_is_empty(&t->dests)) {
		struct mta_dest *d = mta_container_of(
			t->dests.next, struct mta_dest, in_transport);

		d->todo_count = 0;
		d->busy_count = 0;
		d->peers = (struct mta_tree){0};
		mta_dest_free(d);
	}
}

/* Notes for a queue manager that is gone: nobody reads them. */
static void
qmgr_drop_notes(struct mta_qmgr *q)
{
	struct mta_note *note;

	while ((note = q->host.port->ops->receive(q->host.port, MTA_TO_QMGR)))
		if (note->kind == MTA_NOTE_DELIVERED)
			mta_sym_drop(q->host.symbols,
				     note->delivered.hop.reason);
}

void
mta_qmgr_stop(struct mta_qmgr *q)
{
	const struct mta_spool_ops *ops = q->host.spool->ops;

	while (!mta_list_is_empty(&q->transports)) {
		struct mta_transport *t = mta_container_of(
			q->transports.next, struct mta_transport, in_qmgr);

		transport_forget_dests(t);
		mta_transport_free(t);
	}
	if (q->incoming.dir.is_open)
		ops->scan_close(q->host.spool, &q->incoming.dir);
	if (q->deferred.dir.is_open)
		ops->scan_close(q->host.spool, &q->deferred.dir);
	qmgr_drop_notes(q);
	mta_timer_cancel(q->host.loop, &q->turn);
	mta_timer_cancel(q->host.loop, &q->run_timer);
	mta_table_release(&q->peer_index);
	mta_pool_clear(&q->mails);
	mta_pool_clear(&q->jobs);
	mta_pool_clear(&q->peers);
	mta_pool_clear(&q->entries);
	mta_pool_clear(&q->rcpts);
	q->active_count = 0;
	q->rcpt_total = 0;
	q->startable_sum = 0;
	q->is_running = false;
}

void
mta_qmgr_release(struct mta_qmgr *q)
{
	mta_qmgr_stop(q);
	mta_reading_release(q);
	mta_sym_drop(q->host.symbols, q->retry_name);
	mta_sym_drop(q->host.symbols, q->error_name);
	mta_table_release(&q->transport_index);
	mta_table_release(&q->dest_index);
	mta_pool_release(&q->mails);
	mta_pool_release(&q->jobs);
	mta_pool_release(&q->peers);
	mta_pool_release(&q->entries);
	mta_pool_release(&q->rcpts);
	mta_pool_release(&q->dests);
}

void
mta_qmgr_wake(struct mta_qmgr *q)
{
	if (!mta_timer_is_armed(&q->turn) || q->turn.at > q->host.loop->now)
		mta_timer_set(q->host.loop, &q->turn, q->host.loop->now);
}

/* ---- starting (F1.15) --------------------------------------------------- */

/* R-RESTART: what an earlier queue manager had in active is eligible at once,
 * in the order in which the directory lists it. */
static void
qmgr_move_active_to_incoming(struct mta_qmgr *q)
{
	const struct mta_spool_ops *ops = q->host.spool->ops;
	struct mta_scan dir = {0};
	struct mta_ref id;
	struct mta_move move = {.from = MTA_ACTIVE,
				.to = MTA_INCOMING,
				.reason = MTA_MOVE_RESTART};

	move.wake_s = (uint32_t)mta_host_second(&q->host);
	ops->scan_open(q->host.spool, MTA_ACTIVE, &dir);
	while (mta_spool_next(q->host.spool, &dir, &id)) {
		enum mta_err err = mta_mail_move(&q->host, id, move);

		mta_assert(err == MTA_OK || err == MTA_ENOENT);
	}
}

void
mta_qmgr_start(struct mta_qmgr *q)
{
	mta_assert(!q->is_running);
	q->is_running = true;
	q->first = MTA_INCOMING;
	mta_run_init(&q->incoming, MTA_INCOMING);
	mta_run_init(&q->deferred, MTA_DEFERRED);
	qmgr_drop_notes(q);
	qmgr_move_active_to_incoming(q);
	mta_run_request(q, &q->incoming, MTA_RUN_START);
	mta_run_request(q, &q->deferred, MTA_RUN_START);
	mta_timer_after_s(q->host.loop, &q->run_timer,
			  q->params->queue_run_delay_s);
}

static void
qmgr_run_timer_fired(struct mta_timer *timer)
{
	struct mta_qmgr *q =
		mta_container_of(timer, struct mta_qmgr, run_timer);

	mta_run_request(q, &q->deferred, MTA_RUN_START);
	mta_timer_after_s(q->host.loop, &q->run_timer,
			  q->params->queue_run_delay_s);
}

/* ---- notes -------------------------------------------------------------- */

/* R-TRIGGER: bytes that came together are one request to each run (F4.6). */
static void
qmgr_trigger(struct mta_qmgr *q, uint32_t bits)
{
	uint32_t both = 0;
	uint32_t incoming;
	uint32_t deferred;

	if (bits & MTA_TRIGGER_FLUSH)
		both |= MTA_RUN_FLUSH_ONCE | MTA_RUN_DEFER_ALSO;
	if (bits & MTA_TRIGGER_ALL)
		both |= MTA_RUN_ALL;
	incoming = both;
	deferred = both;
	if (bits & MTA_TRIGGER_WAKEUP)
		incoming |= MTA_RUN_START;
	if (bits & MTA_TRIGGER_DEFERRED)
		deferred |= MTA_RUN_START;
	if (incoming)
		mta_run_request(q, &q->incoming, incoming);
	if (deferred)
		mta_run_request(q, &q->deferred, deferred);
}

/* Who asked may be gone: a handle from before a restart finds nothing. */
static void
qmgr_delivered(struct mta_qmgr *q, const struct mta_note_delivered *reply)
{
	struct mta_entry *e = mta_pool_find(&q->entries, reply->entry);

	if (e)
		mta_entry_reply(q, e, reply);
	mta_sym_drop(q->host.symbols, reply->hop.reason);
}

static void
qmgr_agent_failed(struct mta_qmgr *q, mta_sym transport)
{
	struct mta_status status = {.dsn = MTA_DSN(4, 3, 0)};

	status.reason =
		mta_sym_intern(q->host.symbols, "mail transport unavailable");
	mta_transport_agent_failed(mta_transport_get(q, transport), status);
	mta_sym_drop(q->host.symbols, status.reason);
}

static void
qmgr_hear(struct mta_qmgr *q, const struct mta_note *note)
{
	struct mta_qmail *m;

	switch (note->kind) {
	case MTA_NOTE_TRIGGER:
		qmgr_trigger(q, note->trigger);
		break;
	case MTA_NOTE_AGENT_READY:
		mta_transport_agent_ready(
			mta_transport_get(q, note->agent.transport),
			note->agent.agent);
		break;
	case MTA_NOTE_AGENT_FAILED:
		qmgr_agent_failed(q, note->agent.transport);
		break;
	case MTA_NOTE_DELIVERED:
		qmgr_delivered(q, &note->delivered);
		break;
	case MTA_NOTE_NOTIFIED:
		m = mta_pool_find(&q->mails, note->notify.message);
		if (m)
			mta_qmail_notified(q, m, note->notify.failed);
		break;
	case MTA_NOTE_WANT_AGENT:
	case MTA_NOTE_DELIVER:
	case MTA_NOTE_DISMISS:
	case MTA_NOTE_NOTIFY:
	case MTA_NOTE_SUBMIT:
	case MTA_NOTE_SUBMITTED:
		mta_assert(note->kind == MTA_NOTE_TRIGGER);
		break;
	}
}

/* ---- the pass (F4.3) ---------------------------------------------------- */

static bool
qmgr_has_room(const struct mta_qmgr *q)
{
	return (int64_t)q->active_count < q->params->qmgr_message_active_limit;
}

/* What one pass did. */
struct pass {
	enum mta_queue last; /* looked at last */
	bool found_name;
	bool admitted;
	uint32_t skipped;
};

/* R-SCAN-NAMES: names that are not due are spent one a pass while incoming has
 * mail, and together when it has none. */
static uint32_t
pass_skips_max(const struct mta_qmgr *q, const struct mta_run *r)
{
	if (r == &q->incoming || mta_run_has_work(&q->incoming))
		return 1;
	return UINT32_MAX;
}

static void
pass_take(struct mta_qmgr *q, struct pass *pass, struct mta_run *r)
{
	struct mta_scan_item item;
	enum mta_scan_result result =
		mta_run_next(q, r, pass_skips_max(q, r), &item);

	pass->skipped += item.skipped;
	if (result == MTA_SCAN_END)
		return;
	pass->found_name = true;
	if (result == MTA_SCAN_FOUND)
		pass->admitted = mta_qmgr_feed(q, r, item.id);
}

static inline void
pass_look(struct mta_qmgr *q, struct pass *pass, enum mta_queue queue)
{
	struct mta_run *r = queue == MTA_INCOMING ? &q->incoming : &q->deferred;

	pass->last = queue;
	if (r->is_through)
		mta_run_end(q, r);
	if (mta_run_has_work(r))
		pass_take(q, pass, r);
}

void
mta_qmgr_pass_turn(struct mta_qmgr *q, enum mta_queue last)
{
	q->first = mta_turn_next(
		last,
		(struct mta_active_fill){
			.active_count = (int32_t)q->active_count,
			.active_limit = q->params->qmgr_message_active_limit});
}

/* R-SCAN-TURN. With both runs closed two looks would find nothing and come
 * round to the queue that they began with. */
static void
pass_scan(struct mta_qmgr *q, struct pass *pass)
{
	bool has_room = qmgr_has_room(q);

	if (has_room && !mta_run_has_work(&q->incoming) &&
	    !mta_run_has_work(&q->deferred))
		return;
	if (has_room)
		pass_look(q, pass, q->first);
	if (has_room && !pass->admitted)
		pass_look(q, pass, mta_turn_other(q->first));
	mta_qmgr_pass_turn(q, pass->last);
}

static void
pass_settle_flow(struct mta_qmgr *q, const struct pass *pass)
{
	struct mta_port *port = q->host.port;
	int32_t change;

	if (q->params->in_flow_delay_s <= 0)
		return; /* nobody takes tokens */
	change = mta_flow_change(&(struct mta_flow){
		.tokens = (int32_t)port->ops->token_count(port),
		.level = q->params->default_process_limit,
		.in_flow_delay_s = q->params->in_flow_delay_s,
		.took_incoming = pass->admitted && pass->last == MTA_INCOMING,
		.incoming_is_open = mta_run_is_open(&q->incoming),
	});

	if (change > 0)
		port->ops->token_put(port, (uint32_t)change);
	else if (change < 0)
		port->ops->token_drop(port, (uint32_t)-change);
}

MTA_APART static void
pass_trace(const struct mta_qmgr *q, const struct pass *pass)
{
	const struct mta_host *h = &q->host;

	mta_trace_deliver(h->trace, MTA_TRACE_TURN,
			  &(struct mta_trace_turn){
				  .at = h->loop->now,
				  .active_count = q->active_count,
				  .turn_of = q->first,
				  .admitted = pass->admitted,
				  .skipped = pass->skipped,
				  .tokens = h->port->ops->token_count(h->port),
			  });
}

static void
qmgr_pass(struct mta_qmgr *q)
{
	struct pass pass = {.last = MTA_DEFERRED};

	if (q->startable_sum > 0)
		mta_transports_drain(q);
	pass_scan(q, &pass);
	pass_settle_flow(q, &pass);
	if (mta_trace_wants(q->host.trace, MTA_TRACE_TURN))
		pass_trace(q, &pass);
	if (pass.found_name)
		mta_qmgr_wake(q);
}

static void
qmgr_turn_fired(struct mta_timer *timer)
{
	struct mta_qmgr *q = mta_container_of(timer, struct mta_qmgr, turn);
	struct mta_note *note;

	if (!q->is_running)
		return; /* notes wait for the next one, which drops them */
	while ((note = q->host.port->ops->receive(q->host.port, MTA_TO_QMGR)))
		qmgr_hear(q, note);
	qmgr_pass(q);
}
