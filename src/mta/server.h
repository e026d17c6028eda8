/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where a delivery over connections goes: to the site, then to each fallback
 * relay, at each to the servers that were found, in order, until nobody is left
 * or a limit is reached (F11.3). Whoever drives finds the servers and connects;
 * here they are numbers.
 *
 *   begin, add, add, ... or straight -> session, next, session, next, ...
 */
#ifndef MTA_SERVER_H
#define MTA_SERVER_H

#include "mta/panic.h"
#include "mta/params.h"

enum {
	MTA_STOPS_MAX = 8, /* the site, and its fallback relays */
	/* Servers tried: 32 of the site, with limit 0 too, and at least one of
	 * each relay. */
	MTA_SERVERS_MAX = 32 + MTA_STOPS_MAX - 1
};

/* An address that was found for a name. */
struct mta_server {
	int64_t preference; /* of its MX record; the least comes first */
	uint32_t number;    /* whoever drives calls it so */
};

/* Servers count through all stops. Invariant: server < ends[stop]. */
struct mta_way {
	const struct mta_smtp_params *smtp; /* borrowed; the limits */
	uint32_t server;		    /* being tried */
	uint32_t server_count;
	uint32_t stop; /* being tried; 0 is the site */
	uint32_t stop_count;
	uint32_t session_count;	      /* past the handshake, at this stop */
	uint32_t ends[MTA_STOPS_MAX]; /* each stop's servers end here */
};

/* One server and nothing behind it: most deliveries. */
static inline void
mta_way_straight(struct mta_way *w, const struct mta_smtp_params *smtp)
{
	w->smtp = smtp;
	w->server = w->stop = w->session_count = 0;
	w->server_count = w->stop_count = w->ends[0] = 1;
}

/* A way without stops yet. smtp: borrowed while it is in use. */
void mta_way_begin(struct mta_way *w, const struct mta_smtp_params *smtp);

/*
 * One more stop. found: its servers, equal ones shuffled if
 * smtp_randomize_addresses; is sorted. Answers how many of the first are tried,
 * which are the next numbers of the way; 0: there are too many stops. count:
 * > 0. R-SERVER-ORDER, R-SERVER-LIMIT
 */
uint32_t
mta_way_add(struct mta_way *w, struct mta_server *found, uint32_t count);

/* The handshake with the server being tried is done, or was so before the
 * session was kept. */
static inline void
mta_way_session(struct mta_way *w)
{
	w->session_count++;
}

/* That session had ended while it was kept: it does not count. */
static inline void
mta_way_session_was_dead(struct mta_way *w)
{
	mta_assert(w->session_count > 0);
	w->session_count--;
}

/* May no other server be tried after this one? R-SERVER-LIMIT */
bool mta_way_is_at_end(const struct mta_way *w);

/* To the next server; some recipient is left, so there must be one. */
void mta_way_next(struct mta_way *w);

/*
 * The next host of a list as smtp_fallback_relay has them, from *at on, which
 * moves behind it. Brackets and the port are left out, and hosts whose names
 * need more than size_bytes. False: no more.
 */
bool mta_relay_next(const char **at, char *host, size_t size_bytes);

#endif
