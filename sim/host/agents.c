/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The processes of delivery agents, and their master.
 *
 * The queue manager connects (WANT_AGENT); the connection waits in the backlog
 * until a process accepts it and says hello (AGENT_READY). A process is started
 * when a connection waits, none is idle and the limit allows. Of several idle
 * ones the longest idle accepts. The queue manager's answer is the request, or
 * that it needs none.
 *
 * A process that has replied is free at once; a real one first waits until the
 * queue manager has closed the connection.
 */
#include "sim/host/agents.h"

#include "mta/panic.h"
#include "mta/turn.h"
#include "sim/host/agents_parts.h"

enum {
	PROCESSES_PER_CHUNK = 16,
	SESSIONS_PER_CHUNK = 64
};

static void process_fired(struct mta_timer *timer);
static inline void transport_serve(struct agents_transport *t);

/* ---- what a transport is ------------------------------------------------ */

/* What we configure of the client's patience; the rest is the system's. */
static struct receiver_client
client_of(const struct mta_smtp_params *p)
{
	struct receiver_client c = receiver_client_default();

	c.connect_us = mta_from_seconds(p->connect_timeout_s);
	c.greeting_us = mta_from_seconds(p->helo_timeout_s);
	c.rset_us = mta_from_seconds(p->rset_timeout_s);
	c.mail_us = mta_from_seconds(p->mail_timeout_s);
	c.rcpt_us = mta_from_seconds(p->rcpt_timeout_s);
	c.data_us = mta_from_seconds(p->data_init_timeout_s);
	c.end_us = mta_from_seconds(p->data_done_timeout_s);
	return c;
}

/* R-STEP-TIMEOUT: a command or a mailbox takes as long as it takes (F11.8). */
static struct receiver_client
patience_of(const struct agents_transport *t)
{
	struct receiver_client c = client_of(t->smtp);

	if (!t->is_smtp)
		c.mail_us = c.rcpt_us = c.data_us = c.end_us = 0;
	return c;
}

/* R-PIPE: until it is killed (F11.8). */
static mta_span
time_limit_of(const struct agents_transport *t)
{
	const struct agents *a = t->agents;
	struct mta_transport_params own;

	mta_transport_params(a->params, mta_sym_text(a->host.symbols, t->name),
			     &own);
	return mta_from_seconds(own.time_limit_s);
}

/* ---- processes ---------------------------------------------------------- */

static struct agent_process *
process_of(struct mta_list *link)
{
	return mta_container_of(link, struct agent_process, link);
}

/* What it keeps from one delivery for the next. */
static void
process_free_rooms(struct agent_process *p)
{
	free(p->codes);
	free(p->refused_us);
	free(p->tour);
}

static void
process_free(struct agent_process *p, enum mta_child_end how)
{
	struct agents_transport *t = p->transport;
	struct agents *a = t->agents;

	mta_timer_cancel(a->host.loop, &p->timer);
	if (mta_service_ended(&t->service, &p->child, how))
		mta_timer_after_s(a->host.loop, &t->throttle_timer,
				  a->params->service_throttle_time_s);
	process_free_rooms(p);
	mta_pool_give(&a->processes, p);
}

/* Wait for a connection; the oldest has max_idle to get one. */
static void
process_rest(struct agent_process *p)
{
	struct agents_transport *t = p->transport;
	struct agents *a = t->agents;

	p->step = AGENT_IDLE;
	p->idle_since = a->host.loop->now;
	mta_list_append(&t->idle, &p->link);
	if (!mta_timer_is_armed(&t->idle_timer))
		mta_timer_set(a->host.loop, &t->idle_timer,
			      p->idle_since +
				      mta_from_seconds(a->params->max_idle_s));
}

static void
transport_idle_fired(struct mta_timer *timer)
{
	struct agents_transport *t =
		mta_container_of(timer, struct agents_transport, idle_timer);
	struct mta_loop *loop = t->agents->host.loop;
	mta_span most = mta_from_seconds(t->agents->params->max_idle_s);

	while (!mta_list_is_empty(&t->idle)) {
		struct agent_process *p = process_of(t->idle.next);

		if (p->idle_since + most > loop->now) {
			mta_timer_set(loop, &t->idle_timer,
				      p->idle_since + most);
			return;
		}
		mta_list_remove(&p->link);
		process_free(p, MTA_CHILD_DONE);
	}
}

/* Done with a request, or with a connection that brought none. */
static void
process_avail(struct agent_process *p)
{
	struct agents_transport *t = p->transport;

	mta_service_avail(&t->service, &p->child);
	if (mta_child_is_spent(&t->service, &p->child,
			       t->agents->params->max_use))
		process_free(p, MTA_CHILD_DONE);
	else
		process_rest(p);
}

static void
process_start(struct agents_transport *t)
{
	struct agents *a = t->agents;
	struct agent_process *p = mta_pool_take(&a->processes);

	mta_list_init(&p->link);
	mta_timer_init(&p->timer, process_fired);
	p->transport = t;
	mta_client_init(&p->client, &a->host, a->params,
			t->is_smtp ? MTA_CLIENT_SMTP : MTA_CLIENT_LOCAL);
	mta_service_spawned(&t->service, &p->child);
	if (a->costs.agent_start_us == 0) {
		process_rest(p);
		return;
	}
	p->step = AGENT_STARTING;
	mta_timer_set(a->host.loop, &p->timer,
		      a->host.loop->now + a->costs.agent_start_us);
}

/* It may be of an old generation by now. */
static void
process_started(struct agent_process *p)
{
	struct agents_transport *t = p->transport;

	if (mta_child_is_spent(&t->service, &p->child,
			       t->agents->params->max_use))
		process_free(p, MTA_CHILD_DONE);
	else
		process_rest(p);
	transport_serve(t);
}

static void
process_hello(struct agent_process *p)
{
	struct agents_transport *t = p->transport;
	struct mta_port *port = t->agents->host.port;
	struct mta_note note;

	mta_list_remove(&p->link);
	mta_service_taken(&t->service, &p->child);
	p->step = AGENT_TAKEN;
	note.kind = MTA_NOTE_AGENT_READY;
	note.agent.transport = t->name;
	note.agent.agent = mta_pool_ref(p);
	port->ops->send(port, MTA_TO_QMGR, &note);
}

/* R-MASTER-LISTEN: connections wait; who may accept them? */
static void
transport_accept(struct agents_transport *t)
{
	do {
		if (!mta_list_is_empty(&t->idle)) {
			t->backlog--;
			process_hello(process_of(t->idle.next));
		} else if (mta_service_may_spawn(&t->service)) {
			process_start(t);
		} else {
			return;
		}
	} while (t->backlog > 0);
}

/* Whenever a connection may find somebody. */
static inline void
transport_serve(struct agents_transport *t)
{
	if (t->backlog > 0)
		transport_accept(t);
}

static void
transport_throttle_fired(struct mta_timer *timer)
{
	struct agents_transport *t = mta_container_of(
		timer, struct agents_transport, throttle_timer);

	mta_service_unthrottle(&t->service);
	transport_serve(t);
}

/* ---- deliveries --------------------------------------------------------- */

static void
process_free_now(struct agent_process *p)
{
	struct agents_transport *t = p->transport;

	process_avail(p);
	transport_serve(t);
}

/* The process is free when the time has come that its last words took. */
static void
process_leave(struct agent_process *p)
{
	struct mta_loop *loop = agent_loop(p);

	p->transport->busy_count--;
	if (loop->now == loop->stepped) {
		process_free_now(p);
		return;
	}
	p->step = AGENT_ENDING;
	mta_timer_set(loop, &p->timer, loop->now);
}

void
agent_finish(struct agent_process *p)
{
	mta_agent_end(&p->client.agent);
	process_leave(p);
}

/* local, virtual and pipe without a remote end deliver what they get. */
static void
process_deliver_here(struct agent_process *p)
{
	struct agents_transport *t = p->transport;

	mta_agent_rest(&p->client.agent,
		       &(struct mta_agent_result){
			       .status = {.dsn = MTA_DSN(2, 0, 0),
					  .reason = t->agents->mailbox_reason},
			       .relay = t->name},
		       MTA_BLAME_NOBODY);
	agent_finish(p);
}

static void
process_say_text(struct agent_process *p, enum mta_text_agent kind)
{
	mta_agent_text(&p->client.agent, kind);
	agent_finish(p);
}

static void
process_work(struct agent_process *p)
{
	struct agents_lookup *lookup = p->transport->agents->lookup;

	switch (p->transport->kind) {
	case SCENARIO_KIND_ERROR:
		process_say_text(p, MTA_TEXT_ERROR);
		return;
	case SCENARIO_KIND_RETRY:
		process_say_text(p, MTA_TEXT_RETRY);
		return;
	case SCENARIO_KIND_DISCARD:
		process_say_text(p, MTA_TEXT_DISCARD);
		return;
	case SCENARIO_KIND_SMTP:
	case SCENARIO_KIND_LMTP:
	case SCENARIO_KIND_LOCAL:
	case SCENARIO_KIND_VIRTUAL:
	case SCENARIO_KIND_PIPE:
		break;
	}
	p->main = lookup->remote(lookup, p->client.agent.items[0].address);
	if (p->main || p->transport->is_smtp)
		agent_talk(p);
	else
		process_deliver_here(p);
}

static void
process_request(struct agent_process *p, const struct mta_note_deliver *request)
{
	struct agents_transport *t = p->transport;
	mta_span cost = t->agents->costs.agent_delivery_us;

	p->request_number = t->agents->request_count++;
	t->busy_count++;
	if (!mta_agent_begin(&p->client.agent, request)) {
		process_leave(p);
		return;
	}
	if (cost == 0) {
		process_work(p);
		return;
	}
	p->step = AGENT_WORKING;
	mta_timer_set(agent_loop(p), &p->timer, agent_loop(p)->now + cost);
}

static void
process_fired(struct mta_timer *timer)
{
	struct agent_process *p =
		mta_container_of(timer, struct agent_process, timer);

	switch (p->step) {
	case AGENT_STARTING:
		process_started(p);
		break;
	case AGENT_WORKING:
		process_work(p);
		break;
	case AGENT_CONNECTING:
	case AGENT_WAITING:
	case AGENT_REFUSING:
	case AGENT_SENDING:
		agent_talk_goes_on(p);
		break;
	case AGENT_ENDING:
		process_free_now(p);
		break;
	case AGENT_IDLE:
	case AGENT_TAKEN:
		mta_assert(p->step != AGENT_IDLE);
		mta_assert(p->step != AGENT_TAKEN);
		break;
	}
}

/* ---- the remote ends ---------------------------------------------------- */

/* A waiting process, as the model keeps it. */
static struct agent_process *
process_by_ticket(struct agents *a, uint64_t ticket)
{
	return mta_pool_find(&a->processes,
			     (struct mta_ref){.index = (uint32_t)(ticket >> 32),
					      .generation = (uint32_t)ticket});
}

void
agents_poll(struct agents *a, struct remote *r)
{
	struct receiver_woken woken;

	if (!r->receiver.extra)
		return;
	while (receiver_poll(&r->receiver, agents_model_time(a->host.loop->now),
			     &woken)) {
		struct agent_process *p = process_by_ticket(a, woken.ticket);

		mta_assert(p);
		mta_assert(p->step == AGENT_WAITING);
		p->connection.conn = woken.conn;
		agent_connected(p, woken.answer);
	}
}

void
agents_close(struct agents *a, struct agent_connection *c)
{
	struct remote *r = c->remote;

	c->remote = NULL;
	receiver_close(&r->receiver, &c->conn,
		       agents_model_time(a->host.loop->now));
	agents_poll(a, r);
}

/* ---- notes -------------------------------------------------------------- */

static struct agents_transport *
agents_transport(struct agents *a, mta_sym name)
{
	/* Most ask again for the same. */
	if (!a->asked || a->asked->name != name)
		a->asked = mta_table_find(&a->index, name);
	mta_assert(a->asked);
	return a->asked;
}

/* The process died between its hello and the request: the stream has ended. */
static void
agents_refuse(struct agents *a, const struct mta_note_deliver *request)
{
	struct mta_port *port = a->host.port;

	mta_recipients_free(port, &request->recipients);
	port->ops->send(port, MTA_TO_QMGR,
			&(struct mta_note){
				.kind = MTA_NOTE_DELIVERED,
				.delivered = {.entry = request->entry,
					      .crashed = true,
					      .incomplete = true},
			});
}

static void
agents_deliver(struct agents *a, const struct mta_note_deliver *request)
{
	struct agent_process *p = mta_pool_find(&a->processes, request->agent);

	if (p && p->step == AGENT_TAKEN)
		process_request(p, request);
	else
		agents_refuse(a, request);
}

static void
agents_dismiss(struct agents *a, struct mta_ref agent)
{
	struct agent_process *p = mta_pool_find(&a->processes, agent);

	if (p && p->step == AGENT_TAKEN)
		process_free_now(p);
}

static void
agents_hear(struct agents *a, const struct mta_note *note)
{
	struct agents_transport *t;

	switch (note->kind) {
	case MTA_NOTE_WANT_AGENT:
		t = agents_transport(a, note->agent.transport);
		t->backlog++;
		transport_serve(t);
		break;
	case MTA_NOTE_DELIVER:
		agents_deliver(a, &note->deliver);
		break;
	case MTA_NOTE_DISMISS:
		agents_dismiss(a, note->agent.agent);
		break;
	case MTA_NOTE_TRIGGER:
	case MTA_NOTE_AGENT_READY:
	case MTA_NOTE_AGENT_FAILED:
	case MTA_NOTE_DELIVERED:
	case MTA_NOTE_NOTIFY:
	case MTA_NOTE_NOTIFIED:
	case MTA_NOTE_SUBMIT:
	case MTA_NOTE_SUBMITTED:
		mta_assert(note->kind == MTA_NOTE_WANT_AGENT);
		break;
	}
}

static void
agents_wake_fired(struct mta_timer *timer)
{
	struct agents *a = mta_container_of(timer, struct agents, wake);
	struct mta_note *note;

	while ((note = mta_turn_receive(&a->host, MTA_TO_AGENTS, &a->wake)))
		agents_hear(a, note);
}

/* ---- life --------------------------------------------------------------- */

static void
transport_init(struct agents_transport *t, struct agents *a,
	       const struct scenario_transport *from)
{
	*t = (struct agents_transport){
		.agents = a,
		.name = mta_sym_intern(a->host.symbols, from->name),
		.kind = from->kind,
		.is_smtp = from->kind == SCENARIO_KIND_SMTP ||
			   from->kind == SCENARIO_KIND_LMTP,
		.maxproc = from->maxproc,
		.smtp = from->kind == SCENARIO_KIND_LMTP ? &a->params->lmtp
							 : &a->params->smtp,
	};
	mta_service_init(&t->service, t->maxproc,
			 a->params->default_process_limit);
	mta_timer_init(&t->throttle_timer, transport_throttle_fired);
	mta_timer_init(&t->idle_timer, transport_idle_fired);
	mta_list_init(&t->idle);
	agents_cache_init(t);
	mta_table_add(&a->index, t->name, t);
}

static void
agents_read_params(struct agents *a)
{
	for (size_t i = 0; i < a->transport_count; i++) {
		struct agents_transport *t = &a->transports[i];

		t->patience = patience_of(t);
		t->time_limit = time_limit_of(t);
	}
}

void
agents_init(struct agents *a, const struct mta_host *host,
	    const struct mta_params *params, const struct scenario *scenario,
	    struct agents_lookup *lookup)
{
	*a = (struct agents){.host = *host,
			     .params = params,
			     .lookup = lookup,
			     .costs = scenario->costs,
			     .transport_count = scenario->transport_count};
	mta_timer_init(&a->wake, agents_wake_fired);
	mta_pool_init(&a->processes, sizeof(struct agent_process),
		      PROCESSES_PER_CHUNK);
	mta_pool_init(&a->sessions, sizeof(struct agent_session),
		      SESSIONS_PER_CHUNK);
	mta_table_init(&a->index);
	/* One for each transport of the scenario. */
	a->transports =
		mta_alloc(a->transport_count + 1, sizeof(*a->transports));
	for (size_t i = 0; i < a->transport_count; i++)
		transport_init(&a->transports[i], a, &scenario->transports[i]);
	agents_read_params(a);
	a->accepted_reason =
		mta_sym_intern(host->symbols, "250 2.0.0 Ok: queued");
	a->mailbox_reason =
		mta_sym_intern(host->symbols, "delivered to mailbox");
	a->no_host_reason =
		mta_sym_intern(host->symbols, "Host or domain name not found");
	a->time_limit_reason =
		mta_sym_intern(host->symbols, "command time limit exceeded");
	host->port->ops->attach(host->port, MTA_TO_AGENTS, host->loop,
				&a->wake);
}

/* Quietly: whoever would hear of it is gone too. */
static void
process_release(struct agent_process *p)
{
	struct agents *a = p->transport->agents;

	if (p->pooled.generation % 2 == 0)
		return;
	mta_timer_cancel(a->host.loop, &p->timer);
	mta_sym_drop(a->host.symbols, p->client.agent.hop.reason);
	process_free_rooms(p);
}

void
agents_release(struct agents *a)
{
	for (size_t i = 0; i < a->transport_count; i++)
		mta_session_cache_clear(&a->transports[i].cache);
	for (uint32_t i = 0; i < a->processes.fresh; i++)
		process_release(mta_pool_at(&a->processes, i));
	for (size_t i = 0; i < a->transport_count; i++) {
		struct agents_transport *t = &a->transports[i];

		mta_timer_cancel(a->host.loop, &t->throttle_timer);
		mta_timer_cancel(a->host.loop, &t->idle_timer);
		mta_sym_drop(a->host.symbols, t->name);
	}
	mta_timer_cancel(a->host.loop, &a->wake);
	mta_sym_drop(a->host.symbols, a->accepted_reason);
	mta_sym_drop(a->host.symbols, a->mailbox_reason);
	mta_sym_drop(a->host.symbols, a->no_host_reason);
	mta_sym_drop(a->host.symbols, a->time_limit_reason);
	mta_table_release(&a->index);
	mta_pool_release(&a->processes);
	mta_pool_release(&a->sessions);
	free(a->transports);
}

const struct agents_transport *
agents_find(const struct agents *a, mta_sym transport)
{
	return mta_table_find(&a->index, transport);
}

/* ---- faults and the operator -------------------------------------------- */

/* What the queue manager said last: it died before anybody heard it. */
static void
agents_drop_notes(struct agents *a)
{
	struct mta_port *port = a->host.port;
	struct mta_note *note;

	while ((note = port->ops->receive(port, MTA_TO_AGENTS)))
		if (note->kind == MTA_NOTE_DELIVER)
			mta_recipients_free(port, &note->deliver.recipients);
}

void
agents_hang_up(struct agents *a)
{
	agents_drop_notes(a);
	for (size_t i = 0; i < a->transport_count; i++)
		a->transports[i].backlog = 0;
	for (uint32_t i = 0; i < a->processes.fresh; i++) {
		struct agent_process *p = mta_pool_at(&a->processes, i);

		if (p->pooled.generation % 2 == 0)
			continue;
		mta_agent_orphan(&p->client.agent);
		if (p->step == AGENT_TAKEN)
			process_avail(p);
	}
}

void
agents_reload(struct agents *a)
{
	agents_hang_up(a);
	for (size_t i = 0; i < a->transport_count; i++) {
		struct agents_transport *t = &a->transports[i];

		while (!mta_list_is_empty(&t->idle)) {
			struct agent_process *p = process_of(t->idle.next);

			mta_list_remove(&p->link);
			process_free(p, MTA_CHILD_DONE);
		}
		mta_service_reload(&t->service, t->maxproc,
				   a->params->default_process_limit);
		mta_session_cache_clear(&t->cache);
	}
	agents_read_params(a);
}

static bool
process_is_at_work(const struct agent_process *p)
{
	return p->pooled.generation % 2 == 1 && p->step >= AGENT_WORKING &&
	       p->step <= AGENT_SENDING;
}

struct agent_process *
agents_longest_at_work(struct agents *a, const struct agents_transport *t)
{
	struct agent_process *longest = NULL;

	for (uint32_t i = 0; i < a->processes.fresh; i++) {
		struct agent_process *p = mta_pool_at(&a->processes, i);

		if (p->transport == t && process_is_at_work(p) &&
		    (!longest || p->request_number < longest->request_number))
			longest = p;
	}
	return longest;
}

bool
agents_crash(struct agents *a, mta_sym transport)
{
	struct agents_transport *t = agents_transport(a, transport);
	struct agent_process *p = agents_longest_at_work(a, t);

	if (!p)
		return false;
	t->busy_count--;
	agent_talk_breaks(p);
	mta_agent_crash(&p->client.agent);
	process_free(p, MTA_CHILD_FAILED);
	transport_serve(t);
	return true;
}
