/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sessions kept open for the next delivery to the same server (F11.6). The last
 * one that was kept is taken first. All sessions of a transport live equally
 * long, so they stand in the order in which they end, and one timer serves all.
 *
 * Any session with a remote end will do, whichever of its hosts it is with, but
 * only of the same transport.
 */
#include "mta/panic.h"
#include "mta/text.h"
#include "sim/host/agents_parts.h"

/* Is the destination one that is always cached? Its next hop is meant: the
 * queue manager's name of it may be that of one recipient (F5.5). */
static bool
destination_is_named(const struct agent_process *p)
{
	const char *always = p->transport->smtp->connection_cache_destinations;

	return *always != '\0' &&
	       mta_text_lists(always,
			      mta_sym_text(p->transport->agents->host.symbols,
					   p->agent.nexthop));
}

/* May the request use the cache this way? */
static inline bool
cache_is_wanted(const struct agent_process *p, enum mta_hint hint)
{
	if (!p->transport->is_smtp)
		return false;
	return (p->transport->smtp->connection_cache_on_demand &&
		(p->agent.hints & (uint32_t)hint)) ||
	       destination_is_named(p);
}

/* Nobody has it any more; its connection goes to whoever asked. */
static inline void
session_remove(struct agent_session *s, struct agent_connection *connection)
{
	*connection = s->connection;
	mta_list_remove(&s->in_remote);
	mta_list_remove(&s->in_transport);
	mta_pool_give(&s->transport->agents->sessions, s);
}

static void
session_end(struct agent_session *s)
{
	struct agents *a = s->transport->agents;
	struct agent_connection connection;

	session_remove(s, &connection);
	agents_close(a, &connection);
}

static struct agent_session *
session_find(const struct agents_transport *t, struct remote *r)
{
	for (struct mta_list *l = r->cached.next; l != &r->cached;
	     l = l->next) {
		struct agent_session *s =
			mta_container_of(l, struct agent_session, in_remote);

		if (s->transport == t)
			return s;
	}
	return NULL;
}

bool
agent_cache_take(struct agent_process *p, struct remote *r)
{
	struct agent_session *s;

	if (mta_list_is_empty(&r->cached) || !cache_is_wanted(p, MTA_HINT_LOAD))
		return false;
	s = session_find(p->transport, r);
	if (!s)
		return false;
	session_remove(s, &p->connection);
	return true;
}

/* R-CONNECTION-LIFE: neither too old nor too much used to be used again. */
static bool
connection_may_stay(const struct agent_process *p)
{
	const struct mta_smtp_params *params = p->transport->smtp;
	const struct agent_connection *c = &p->connection;
	mta_time now = agent_loop(p)->now;

	if (params->connection_reuse_count_limit > 0 &&
	    c->conn.messages >= (uint32_t)params->connection_reuse_count_limit)
		return false;
	return now < c->opened + mta_from_seconds(
					 params->connection_reuse_time_limit_s);
}

static mta_span
session_life(const struct agents_transport *t)
{
	int32_t own = t->smtp->connection_cache_time_limit_s;
	int32_t all = t->agents->params->connection_cache_ttl_limit_s;

	return mta_from_seconds(own < all ? own : all);
}

bool
agent_cache_keep(struct agent_process *p)
{
	struct agents_transport *t = p->transport;
	struct agent_session *s;

	if (!cache_is_wanted(p, MTA_HINT_STORE) || !connection_may_stay(p))
		return false;
	s = mta_pool_take_raw(&t->agents->sessions);
	s->transport = t;
	s->connection = p->connection;
	s->until = agent_loop(p)->now + session_life(t);
	mta_list_prepend(&s->connection.remote->cached, &s->in_remote);
	mta_list_append(&t->sessions, &s->in_transport);
	p->connection.remote = NULL;
	if (!mta_timer_is_armed(&t->session_timer))
		mta_timer_set(agent_loop(p), &t->session_timer, s->until);
	return true;
}

static struct agent_session *
transport_first_session(struct agents_transport *t)
{
	return mta_container_of(t->sessions.next, struct agent_session,
				in_transport);
}

static void
session_timer_fired(struct mta_timer *timer)
{
	struct agents_transport *t =
		mta_container_of(timer, struct agents_transport, session_timer);
	struct mta_loop *loop = t->agents->host.loop;

	while (!mta_list_is_empty(&t->sessions)) {
		struct agent_session *s = transport_first_session(t);

		if (s->until > loop->now) {
			mta_timer_set(loop, &t->session_timer, s->until);
			return;
		}
		session_end(s);
	}
}

void
agents_cache_init(struct agents_transport *t)
{
	mta_list_init(&t->sessions);
	mta_timer_init(&t->session_timer, session_timer_fired);
}

void
agents_cache_clear(struct agents_transport *t)
{
	while (!mta_list_is_empty(&t->sessions))
		session_end(transport_first_session(t));
	mta_timer_cancel(t->agents->host.loop, &t->session_timer);
}
