/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Transports: asking for delivery agents when entries could start, giving an
 * agent that is ready the entry that the scheduler picks at that moment, and
 * avoiding a transport whose agents cannot be had.
 *
 * At most two requests for an agent are unanswered at a time. At the process
 * limit nobody answers, and nothing is wrong: the transport simply waits.
 * Transports are never deleted.
 */
#include "mta/pure.h"

#include "mta/order.h"
#include "mta/qmgr.h"

#include "mta/panic.h"

static void transport_retry_fired(struct mta_timer *timer);
static void transport_rate_fired(struct mta_timer *timer);

/* One for each name in the router. */
struct mta_transport *
mta_transport_create(struct mta_qmgr *q, mta_sym name)
{
	struct mta_transport *t = mta_alloc(1, sizeof(*t));
	const char *text = mta_sym_text(q->host.symbols, name);

	t->qmgr = q;
	t->name = name;
	mta_sym_hold(q->host.symbols, name);
	mta_transport_params(q->params, text, &t->params);
	t->window_law = mta_transport_window_law(&t->params);
	t->slot_law = mta_transport_slot_law(&t->params);
	t->defers_by_rule =
		mta_list_has_name(q->params->defer_transports, text);
	t->is_service = name == q->retry_name || name == q->error_name;
	t->slots = t->params.recipient_limit;
	mta_list_init(&t->dests);
	mta_order_init(t);
	mta_timer_init(&t->retry_timer, transport_retry_fired);
	mta_timer_init(&t->rate_timer, transport_rate_fired);
	mta_list_prepend(&q->transports, &t->in_qmgr);
	mta_table_add(&q->transport_index, name, t);
	return t;
}

void
mta_transport_free(struct mta_transport *t)
{
	struct mta_qmgr *q = t->qmgr;

	mta_assert(mta_list_is_empty(&t->dests));
	q->asked_for = NULL;
	mta_timer_cancel(q->host.loop, &t->retry_timer);
	mta_timer_cancel(q->host.loop, &t->rate_timer);
	mta_table_remove(&q->transport_index, t->name);
	mta_list_remove(&t->in_qmgr);
	mta_sym_drop(q->host.symbols, t->why.reason);
	mta_sym_drop(q->host.symbols, t->name);
	mta_order_release(t);
	free(t);
}

/* ---- asking for agents (F8.3, F8.4) ------------------------------------- */

/* Some destination allows fewer deliveries than it has: the order in which the
 * terms are added matters, so add them one by one. */
static bool
transport_needs_agent_slowly(const struct mta_transport *t)
{
	int64_t need = t->pending + 1;
	const struct mta_list *l;

	for (l = t->dests.next; l != &t->dests; l = l->next) {
		const struct mta_dest *d = mta_const_container_of(
			l, struct mta_dest, in_transport);

		if (d->state != MTA_DEST_READY)
			continue;
		need = mta_agent_need(
			need, (struct mta_dest_load){.window = d->window.window,
						     .busy = d->busy_count,
						     .todo = d->todo_count});
		if (need <= 0)
			return true;
	}
	return false;
}

/* R-AGENT-NEED, from the sums that dest.c keeps. */
static bool
transport_needs_agent(const struct mta_transport *t)
{
	if (t->is_throttled || t->is_rate_locked ||
	    t->pending >= MTA_PENDING_MAX)
		return false;
	if (t->startable_sum < t->pending + 1)
		return false;
	if (t->startable_sum - t->deficit_sum >= t->pending + 1)
		return true;
	return transport_needs_agent_slowly(t);
}

/* R-AGENT-TURN: transports take turns. */
static struct mta_transport *
transport_choose(struct mta_qmgr *q)
{
	struct mta_list *l;

	for (l = q->transports.next; l != &q->transports; l = l->next) {
		struct mta_transport *t =
			mta_container_of(l, struct mta_transport, in_qmgr);

		if (transport_needs_agent(t)) {
			mta_list_rotate(&q->transports, l);
			return t;
		}
	}
	return NULL;
}

static void
transport_ask(struct mta_transport *t)
{
	struct mta_port *port = t->qmgr->host.port;
	struct mta_note note;

	if (t->params.transport_rate_delay_s > 0)
		t->is_rate_locked = true;
	t->pending++;
	note.kind = MTA_NOTE_WANT_AGENT;
	note.agent.transport = t->name;
	note.agent.agent = (struct mta_ref){0};
	port->ops->send(port, MTA_TO_AGENTS, &note);
}

void
mta_transports_drain(struct mta_qmgr *q)
{
	struct mta_transport *t;

	while ((t = transport_choose(q)) != NULL)
		transport_ask(t);
}

/* ---- handing out (F8.5) ------------------------------------------------- */

static struct mta_recipients
entry_recipients(const struct mta_qmgr *q, const struct mta_entry *e)
{
	struct mta_recipients list = {.only = e->to};
	struct mta_recipient *items = mta_recipients_begin(
		q->host.port, &list, (uint32_t)e->rcpt_count);

	*items++ = e->to;
	for (const struct mta_rcpt *r = e->more; r; r = r->next)
		*items++ = r->to;
	return list;
}

static void
entry_trace_selected(const struct mta_entry *e, uint32_t batch)
{
	const struct mta_dest *d = e->dest;
	const struct mta_host *h = &d->qmgr->host;
	const struct mta_job *j = e->peer->job;

	if (!mta_trace_wants(h->trace, MTA_TRACE_SELECTED))
		return;
	mta_trace_deliver(h->trace, MTA_TRACE_SELECTED,
			  &(struct mta_trace_selected){
				  .at = h->loop->now,
				  .file = j->mail->file,
				  .serial = j->mail->shown.envelope.serial,
				  .transport = d->transport->name,
				  .destination = d->name,
				  .recipient_count = (uint32_t)e->rcpt_count,
				  .batch = batch,
				  .window = (uint32_t)d->window.window,
				  .busy = (uint32_t)d->busy_count,
				  .preempted = e->has_jumped,
			  });
}

static uint32_t
hint_bits(struct mta_cache_hints hints)
{
	return (hints.load ? (uint32_t)MTA_HINT_LOAD : 0U) |
	       (hints.store ? (uint32_t)MTA_HINT_STORE : 0U);
}

static void
entry_send(struct mta_entry *e, struct mta_ref agent)
{
	struct mta_dest *d = e->dest;
	struct mta_qmgr *q = d->qmgr;
	const struct mta_qmail *m = e->peer->job->mail;
	uint32_t batch = q->batch_count++;

	entry_trace_selected(e, batch);
	q->host.port->ops->send(
		q->host.port, MTA_TO_AGENTS,
		&(struct mta_note){
			.kind = MTA_NOTE_DELIVER,
			.deliver =
				{
					.agent = agent,
					.entry = mta_pool_ref(e),
					.file = m->file,
					.recipients = entry_recipients(q, e),
					.transport = d->transport->name,
					.nexthop = d->nexthop,
					.destination = d->name,
					.recipient_count =
						(uint32_t)e->rcpt_count,
					.sender = m->shown.envelope.sender,
					.serial = m->shown.envelope.serial,
					.size_bytes =
						m->shown.envelope.size_bytes,
					.arrival = m->shown.envelope.arrival,
					.active_time = m->active_time,
					.batch = batch,
					.hints = hint_bits(d->hints),
					.attempts = m->shown.envelope.attempts,
				},
		});
}

static void
transport_dismiss(const struct mta_transport *t, struct mta_ref agent)
{
	const struct mta_host *h = &t->qmgr->host;

	h->port->ops->send(
		h->port, MTA_TO_AGENTS,
		&(struct mta_note){
			.kind = MTA_NOTE_DISMISS,
			.agent = {.transport = t->name, .agent = agent},
		});
}

/* R-AGENT-UNUSED: with nothing to deliver the agent is let go. The rate lock is
 * let go too, where Postfix would leave it set for ever (F8.7). */
static void
transport_use_agent(struct mta_transport *t, struct mta_ref agent)
{
	struct mta_entry *e = mta_job_select(t);

	if (e) {
		entry_send(e, agent);
		return;
	}
	t->is_rate_locked = false;
	transport_dismiss(t, agent);
}

static void
transport_rate_fired(struct mta_timer *timer)
{
	struct mta_transport *t =
		mta_container_of(timer, struct mta_transport, rate_timer);

	transport_use_agent(t, t->waiting_agent);
	mta_qmgr_wake(t->qmgr);
}

void
mta_transport_agent_ready(struct mta_transport *t, struct mta_ref agent)
{
	/* Asked for by a queue manager that is no more. */
	if (t->pending == 0) {
		transport_dismiss(t, agent);
		return;
	}
	t->pending--;
	if (t->params.transport_rate_delay_s == 0) {
		transport_use_agent(t, agent);
		return;
	}
	/* R-TRANSPORT-RATE: the lock lets only one agent be held at a time. */
	t->waiting_agent = agent;
	mta_timer_after_s(t->qmgr->host.loop, &t->rate_timer,
			  t->params.transport_rate_delay_s);
}

/* ---- throttle (F8.6, F9.4) ---------------------------------------------- */

static void
transport_trace_throttle(const struct mta_transport *t)
{
	const struct mta_host *h = &t->qmgr->host;

	if (!mta_trace_wants(h->trace, MTA_TRACE_THROTTLE))
		return;
	mta_trace_deliver(h->trace, MTA_TRACE_THROTTLE,
			  &(struct mta_trace_throttle){
				  .at = h->loop->now,
				  .transport = t->name,
				  .reason = t->why.reason,
			  });
}

static void
transport_defer_todo(struct mta_transport *t, struct mta_status status)
{
	struct mta_list *next;

	for (struct mta_list *l = t->dests.next; l != &t->dests; l = next) {
		/* Deferring may free the destination at l, and no other. */
		next = l->next;
		mta_dest_defer_todo(
			mta_container_of(l, struct mta_dest, in_transport),
			status);
	}
}

/* R-TRANSPORT-THROTTLE, and R-DEFER-WAITING of all its destinations. */
void
mta_transport_throttle(struct mta_transport *t, struct mta_status status)
{
	struct mta_qmgr *q = t->qmgr;

	if (!t->is_throttled) {
		t->is_throttled = true;
		mta_sym_hold(q->host.symbols, status.reason);
		t->why = status;
		mta_timer_after_s(q->host.loop, &t->retry_timer,
				  q->params->transport_retry_time_s);
		transport_trace_throttle(t);
	}
	transport_defer_todo(t, status);
}

void
mta_transport_unthrottle(struct mta_transport *t)
{
	struct mta_qmgr *q = t->qmgr;

	t->is_rate_locked = false;
	if (!t->is_throttled)
		return;
	t->is_throttled = false;
	mta_timer_cancel(q->host.loop, &t->retry_timer);
	mta_sym_drop(q->host.symbols, t->why.reason);
	t->why = (struct mta_status){0};
	transport_trace_throttle(t);
}

static void
transport_retry_fired(struct mta_timer *timer)
{
	struct mta_transport *t =
		mta_container_of(timer, struct mta_transport, retry_timer);

	mta_transport_unthrottle(t);
	mta_qmgr_wake(t->qmgr);
}

void
mta_transport_agent_failed(struct mta_transport *t, struct mta_status status)
{
	if (t->pending > 0)
		t->pending--;
	t->is_rate_locked = false;
	mta_transport_throttle(t, status);
}

MTA_RARE void
mta_transports_enable_all(struct mta_qmgr *q)
{
	for (struct mta_list *l = q->transports.next; l != &q->transports;
	     l = l->next) {
		struct mta_transport *t =
			mta_container_of(l, struct mta_transport, in_qmgr);
		struct mta_list *next;

		if (t->is_throttled)
			mta_transport_unthrottle(t);
		for (struct mta_list *k = t->dests.next; k != &t->dests;
		     k = next) {
			struct mta_dest *d = mta_container_of(
				k, struct mta_dest, in_transport);

			next = k->next;
			if (d->state == MTA_DEST_DEAD)
				mta_dest_alive(d);
			mta_dest_forget_if_idle(d);
		}
	}
}
