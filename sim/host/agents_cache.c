/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Connections behind the sessions that are kept (src/mta/session.h). Any
 * session with a remote end will do, whichever of its hosts it is with.
 */
#include "sim/host/agents_parts.h"

/* Nobody has it any more; its connection goes to whoever asked. */
static inline void
session_free(struct mta_session *kept, struct agent_connection *connection)
{
	struct agent_session *s =
		mta_container_of(kept, struct agent_session, kept);

	*connection = s->connection;
	mta_pool_give(&s->agents->sessions, s);
}

static void
session_end(struct mta_session *kept)
{
	struct agents *a =
		mta_container_of(kept, struct agent_session, kept)->agents;
	struct agent_connection connection;

	session_free(kept, &connection);
	agents_close(a, &connection);
}

bool
agent_cache_take(struct agent_process *p, struct remote *r)
{
	struct mta_session *kept = mta_session_take(
		&p->transport->cache, &p->client.agent, &r->cached);

	if (!kept)
		return false;
	session_free(kept, &p->connection);
	return true;
}

bool
agent_cache_keep(struct agent_process *p)
{
	struct agents_transport *t = p->transport;
	const struct agent_connection *c = &p->connection;
	struct mta_connection_use use = {.opened = c->opened,
					 .count = c->conn.messages};
	struct agent_session *s;

	if (!mta_session_may_stay(&t->cache, &p->client.agent, use))
		return false;
	s = mta_pool_take_raw(&t->agents->sessions);
	s->agents = t->agents;
	s->connection = *c;
	mta_session_keep(&t->cache, &s->kept, &c->remote->cached);
	p->connection.remote = NULL;
	return true;
}

void
agents_cache_init(struct agents_transport *t)
{
	struct agents *a = t->agents;

	mta_session_cache_init(&t->cache, &a->host, a->params,
			       t->is_smtp ? t->smtp : NULL, session_end);
}
