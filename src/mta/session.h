/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sessions kept open for the next delivery to the same server (F11.6): which
 * request may use them, which session it gets, which one may stay, and until
 * when. How a connection is made, used and ended is the business of whoever
 * drives: it embeds a session in what it knows of a connection, and keeps a
 * list for each server.
 */
#ifndef MTA_SESSION_H
#define MTA_SESSION_H

#include "mta/agent.h"
#include "mta/list.h"

struct mta_session_cache;

/* Kept, or to be kept. */
struct mta_session {
	struct mta_session_cache *cache;
	struct mta_list in_server; /* server's, the last one first */
	struct mta_list in_cache;  /* cache's, the first to end first */
	mta_time until;
};

/* What a transport's agents have kept. */
struct mta_session_cache {
	const struct mta_host *host; /* borrowed, as the next two */
	const struct mta_params *params;
	const struct mta_smtp_params *smtp; /* of its kind; NULL: keeps none */
	void (*end)(struct mta_session *);
	struct mta_list sessions;
	struct mta_timer timer; /* the first of them may have to go */
};

/*
 * host, params, smtp: borrowed; smtp is NULL for agents that keep none.
 * end: the life of a session has ended, or the cache is cleared; the session is
 * nobody's any more, and its connection is to be closed.
 */
void
mta_session_cache_init(struct mta_session_cache *c, const struct mta_host *host,
		       const struct mta_params *params,
		       const struct mta_smtp_params *smtp,
		       void (*end)(struct mta_session *));
/* End all: before other parameters are in force, and at the end. */
void mta_session_cache_clear(struct mta_session_cache *c);

/* The session of a server that this request uses, which is the caller's from
 * here on; NULL: it is to connect. R-CONNECTION-CACHE */
struct mta_session *
mta_session_take(struct mta_session_cache *c, const struct mta_agent *request,
		 struct mta_list *server);

/* The past of a connection. */
struct mta_connection_use {
	mta_time opened;
	uint32_t count; /* messages, the last one included */
};

/* May the session of this request be kept, if it is still good?
 * R-CONNECTION-CACHE, R-CONNECTION-LIFE */
bool mta_session_may_stay(const struct mta_session_cache *c,
			  const struct mta_agent *request,
			  struct mta_connection_use use);

/* Keep it, on the server's list, until somebody takes it or it has been idle
 * for too long. R-CONNECTION-LIFE */
void mta_session_keep(struct mta_session_cache *c, struct mta_session *s,
		      struct mta_list *server);

#endif
