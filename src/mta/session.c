/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The last session that was kept is taken first. All sessions of a cache live
 * equally long, so they stand in the order in which they end, and one timer
 * serves all. A server's list may hold sessions of several caches: each
 * transport finds its own only.
 */
#include "mta/pure.h"

#include "mta/session.h"

#include "mta/panic.h"
#include "mta/text.h"

/* Is the destination one that is always cached? Its next hop is meant: the
 * queue manager's name of it may be that of one recipient (F5.5). */
static bool
destination_is_named(const struct mta_session_cache *c,
		     const struct mta_agent *request)
{
	const char *always = c->smtp->connection_cache_destinations;

	return *always != '\0' &&
	       mta_text_lists(always, mta_sym_text(request->host->symbols,
						   request->nexthop));
}

/* R-CONNECTION-CACHE: may the request use the cache this way? */
static inline bool
cache_is_wanted(const struct mta_session_cache *c,
		const struct mta_agent *request, enum mta_hint hint)
{
	if (!c->smtp)
		return false;
	return (c->smtp->connection_cache_on_demand &&
		(request->hints & (uint32_t)hint)) ||
	       destination_is_named(c, request);
}

static void
session_forget(struct mta_session *s)
{
	mta_list_remove(&s->in_server);
	mta_list_remove(&s->in_cache);
}

struct mta_session *
mta_session_take(struct mta_session_cache *c, const struct mta_agent *request,
		 struct mta_list *server)
{
	if (mta_list_is_empty(server) ||
	    !cache_is_wanted(c, request, MTA_HINT_LOAD))
		return NULL;
	for (struct mta_list *l = server->next; l != server; l = l->next) {
		struct mta_session *s =
			mta_container_of(l, struct mta_session, in_server);

		if (s->cache == c) {
			session_forget(s);
			return s;
		}
	}
	return NULL;
}

/* R-CONNECTION-LIFE: neither too old nor too much used to be used again. */
static bool
connection_may_live(const struct mta_session_cache *c,
		    struct mta_connection_use use)
{
	int32_t most = c->smtp->connection_reuse_count_limit;
	int32_t life_s = c->smtp->connection_reuse_time_limit_s;

	if (most > 0 && use.count >= (uint32_t)most)
		return false;
	return c->host->loop->now < use.opened + mta_from_seconds(life_s);
}

bool
mta_session_may_stay(const struct mta_session_cache *c,
		     const struct mta_agent *request,
		     struct mta_connection_use use)
{
	return cache_is_wanted(c, request, MTA_HINT_STORE) &&
	       connection_may_live(c, use);
}

/* R-CONNECTION-LIFE: idle. */
static mta_span
session_life(const struct mta_session_cache *c)
{
	int32_t own = c->smtp->connection_cache_time_limit_s;
	int32_t all = c->params->connection_cache_ttl_limit_s;

	return mta_from_seconds(own < all ? own : all);
}

void
mta_session_keep(struct mta_session_cache *c, struct mta_session *s,
		 struct mta_list *server)
{
	s->cache = c;
	s->until = c->host->loop->now + session_life(c);
	mta_list_prepend(server, &s->in_server);
	mta_list_append(&c->sessions, &s->in_cache);
	if (!mta_timer_is_armed(&c->timer))
		mta_timer_set(c->host->loop, &c->timer, s->until);
}

static struct mta_session *
cache_first(const struct mta_session_cache *c)
{
	return mta_container_of(c->sessions.next, struct mta_session, in_cache);
}

static void
cache_end_first(struct mta_session_cache *c)
{
	struct mta_session *s = cache_first(c);

	session_forget(s);
	c->end(s);
}

static void
cache_timer_fired(struct mta_timer *timer)
{
	struct mta_session_cache *c =
		mta_container_of(timer, struct mta_session_cache, timer);

	while (!mta_list_is_empty(&c->sessions)) {
		mta_time until = cache_first(c)->until;

		if (until > c->host->loop->now) {
			mta_timer_set(c->host->loop, &c->timer, until);
			return;
		}
		cache_end_first(c);
	}
}

void
mta_session_cache_init(struct mta_session_cache *c, const struct mta_host *host,
		       const struct mta_params *params,
		       const struct mta_smtp_params *smtp,
		       void (*end)(struct mta_session *))
{
	*c = (struct mta_session_cache){
		.host = host, .params = params, .smtp = smtp, .end = end};
	mta_list_init(&c->sessions);
	mta_timer_init(&c->timer, cache_timer_fired);
}

void
mta_session_cache_clear(struct mta_session_cache *c)
{
	while (!mta_list_is_empty(&c->sessions))
		cache_end_first(c);
	mta_timer_cancel(c->host->loop, &c->timer);
}
