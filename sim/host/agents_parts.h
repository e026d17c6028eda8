/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the files of the delivery agents share, and nobody else sees: one
 * process and one cached session.
 *
 *   agents.c       notes, processes, the master's part
 *   agents_smtp.c  a delivery over connections: sessions, results
 *   agents_servers.c  the servers of a delivery that has several
 *   agents_cache.c sessions kept open for the next delivery
 */
#ifndef SIM_AGENTS_PARTS_H
#define SIM_AGENTS_PARTS_H

#include "mta/client.h"
#include "sim/host/agents.h"
#include "sim/host/epoch.h"

enum agent_step {
	AGENT_STARTING,	  /* the process is being started */
	AGENT_IDLE,	  /* in its transport's list */
	AGENT_TAKEN,	  /* has said hello, waits for the request */
	AGENT_WORKING,	  /* costs.agent_delivery */
	AGENT_CONNECTING, /* a connection will be known to have failed */
	AGENT_WAITING,	  /* the remote end lets it wait */
	AGENT_REFUSING,	  /* a refusal of RCPT will be known, before the rest */
	AGENT_SENDING,	  /* the last answer is yet to come */
	AGENT_ENDING,	  /* has replied, busy until its timer */
};

/* A connection in use, or cached. */
struct agent_connection {
	struct remote *remote; /* NULL: none */
	struct receiver_conn conn;
	mta_time opened;
};

/* A way with more than one server on it. */
struct agent_tour {
	/* Of each stop; NULL: the name is not known. */
	struct remote *remotes[MTA_STOPS_MAX];
	struct receiver_server servers[MTA_SERVERS_MAX];
};

/* What each delivery needs stands together, what few need at the end. */
struct agent_process {
	struct mta_pooled pooled;
	struct mta_list link; /* transport's idle, else off */
	struct agents_transport *transport;
	struct mta_timer timer;
	struct mta_child child;
	enum agent_step step;
	mta_time idle_since;
	uint64_t request_number; /* of that being worked on, or the last */
	struct mta_client client;
	/* the conversation */
	struct remote *main;   /* of the first recipient; NULL: none */
	struct remote *remote; /* of the server being tried */
	struct agent_connection connection;
	struct receiver_result result; /* known when the timer fires */
	uint64_t luck;		       /* of the message: for the model */
	uint32_t try;		       /* of the message, likewise */
	uint16_t code;		       /* of the recipient, when it is one */
	bool is_reused; /* a cached session: failing is no failure */
	bool is_killed; /* a command that ran too long; of pipe alone */
	bool is_direct; /* one server, that of main; else on tour */
	struct agent_tour *tour;       /* owned; NULL: never had one */
	struct remote_failure failure; /* known when the timer fires */
	uint32_t codes_capacity;
	uint16_t *codes; /* owned; of the recipients, when they are several */
	int64_t *refused_us; /* owned, beside codes: MAIL to each refusal */
	mta_time mail_at;    /* MAIL is sent; of REFUSING */
};

/* A session that is kept open (F11.6). */
struct agent_session {
	struct mta_pooled pooled;
	struct mta_session kept;
	struct agents *agents;
	struct agent_connection connection;
};

static inline struct mta_loop *
agent_loop(const struct agent_process *p)
{
	return p->transport->agents->host.loop;
}

/* A mail system's time on the clock of the models. */
static inline int64_t
agents_model_time(mta_time t)
{
	return t - SIM_EPOCH;
}

/* ---- agents.c ----------------------------------------------------------- */

/* All is said of all recipients: reply, and be free. */
void agent_finish(struct agent_process *p);
/* Whom does the remote end let in by now, or send away? */
void agents_poll(struct agents *a, struct remote *r);
/* The process of a transport that has been at work longest; NULL: none is.
 * Looks at all processes. */
struct agent_process *
agents_longest_at_work(struct agents *a, const struct agents_transport *t);
/* End a session, and see whom that lets in. */
void agents_close(struct agents *a, struct agent_connection *c);

/* ---- agents_smtp.c ------------------------------------------------------ */

/* Begin the conversation. */
void agent_talk(struct agent_process *p);
/* The timer of CONNECTING, WAITING, REFUSING or SENDING has fired. */
void agent_talk_goes_on(struct agent_process *p);
/* The remote end has answered a connection that waited. */
void agent_connected(struct agent_process *p, struct receiver_answer answer);
/* It dies: leave the remote end. */
void agent_talk_breaks(struct agent_process *p);

/* ---- agents_servers.c --------------------------------------------------- */

/* Make the way of this delivery, and find its servers. */
void agent_make_tour(struct agent_process *p);

/* One server, and no relay behind it: most deliveries. */
static inline bool
agent_way_is_direct(const struct agent_process *p)
{
	const struct agents_transport *t = p->transport;

	if (t->is_smtp && *t->smtp->fallback_relay)
		return false;
	return !p->main || p->main->receiver.config->mx_count == 0;
}

/* The server being tried; NULL: the remote end itself. */
static inline const struct receiver_server *
agent_server(const struct agent_process *p)
{
	return p->is_direct ? NULL : &p->tour->servers[p->client.way.server];
}

/* The remote end of the stop being tried, or NULL. */
static inline struct remote *
agent_stop(const struct agent_process *p)
{
	return p->is_direct ? p->main : p->tour->remotes[p->client.way.stop];
}

/* ---- agents_cache.c ----------------------------------------------------- */

/* A session for this process, if its request allows and one is there. */
bool agent_cache_take(struct agent_process *p, struct remote *r);
/* Keep the session of this process, if its request asks for that. */
bool agent_cache_keep(struct agent_process *p);
void agents_cache_init(struct agents_transport *t);

#endif
