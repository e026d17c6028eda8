/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A delivery over connections, as an smtp client keeps account of it: which
 * server is next, and what its answers and failures mean to the recipients that
 * are left, to the destination and to the connection (F11.1-F11.3). Whoever
 * drives finds servers, connects, talks, and says what happened.
 *
 *   agent begin, way made -> try -> fail, or
 *                                   mail, refuse, refuse, ..., sent or
 * fail_mail as long as somebody is left: way next -> try ...
 *
 * Agents that deliver to mailboxes and commands may use it too.
 */
#ifndef MTA_CLIENT_H
#define MTA_CLIENT_H

#include "mta/agent.h"
#include "mta/server.h"

struct mta_client {
	struct mta_agent agent;
	struct mta_way way;
	bool is_smtp; /* or lmtp: they alone blame, and have a set-up */
};

/* Who it is, as the facts distinguish them (F11.1). */
enum mta_client_kind {
	MTA_CLIENT_SMTP,  /* and lmtp */
	MTA_CLIENT_LOCAL, /* mailboxes and commands */
};

/* host, params: borrowed. */
void
mta_client_init(struct mta_client *c, const struct mta_host *host,
		const struct mta_params *params, enum mta_client_kind kind);

/* The next server of the way is about to be tried. */
static inline void
mta_client_try(struct mta_client *c)
{
	c->agent.attempt.setup = MTA_NEVER;
}

/* MAIL is, or will be, sent at this time: past the handshake (F14.4). */
static inline void
mta_client_mail(struct mta_client *c, mta_time at)
{
	mta_way_session(&c->way);
	if (c->is_smtp)
		c->agent.attempt.setup = at;
}

/* The session, a kept one, turned out to have ended: connect anew. */
static inline void
mta_client_session_was_dead(struct mta_client *c)
{
	mta_way_session_was_dead(&c->way);
	mta_client_try(c);
}

/* What went wrong, and how it is told. Symbols are borrowed. */
struct mta_client_failure {
	struct mta_failure what;
	mta_sym reason;
	mta_sym relay;	   /* who answered; 0: nobody */
	uint16_t conn_use; /* uses of the connection, 0: none */
};

/* No session: whom it leaves undone, and does not leave to the next server, is
 * told so; what passed counts as set-up (F14.4). R-BLAME */
void mta_client_fail(struct mta_client *c, const struct mta_client_failure *f);

/* One recipient is refused. Answers whether the session is still good. R-BLAME
 */
bool mta_client_refuse(struct mta_client *c, uint32_t recipient,
		       const struct mta_client_failure *f);

/* Whom RCPT accepted. */
struct mta_client_accepted {
	const uint16_t *codes; /* of each recipient of the request: 250, or what
				* has refused it */
	uint32_t count;	       /* with 250, of those that are left */
};

/* The mail is taken, for all who were accepted. */
void mta_client_sent(struct mta_client *c, struct mta_client_accepted to,
		     const struct mta_agent_result *sent);

/* The mail is not taken. Answers whether the session is still good. R-BLAME: a
 * hard failure is of those who were accepted, a soft one of all that are left,
 * if there is no other server. */
bool mta_client_fail_mail(struct mta_client *c, struct mta_client_accepted to,
			  const struct mta_client_failure *f);

#endif
