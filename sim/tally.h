/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What became of recipients, by destination (transport and name), by recipient
 * domain and by source, and over all: outcomes, attempts, delays to the final
 * outcome. A key costs about two hundred bytes and a sketch of its delays.
 *
 * Keys are in order of their first record, so never in an order of addresses.
 * What has no destination in the trace, as an expired recipient, or one of the
 * transports retry and error, whose destinations are texts, counts for the
 * destination that its domain had last, or that the router tells.
 */
#ifndef SIM_TALLY_H
#define SIM_TALLY_H

#include "mta/book.h"
#include "mta/router.h"
#include "mta/symtab.h"
#include "mta/table.h"
#include "mta/trace.h"
#include "sim/histogram.h"

struct tally_key {
	mta_sym transport; /* held; of a destination, else 0 */
	mta_sym name;	   /* held; "" of a source */
	uint32_t number;   /* in its table, from 0 */
	uint32_t source;   /* of a source: its number in the scenario */
	struct tally_key *last_dest; /* of a domain: where it went last */
	struct tally_key *last_pair; /* of a domain: its pair with that */
	struct tally_key *of_domain; /* of a pair, as the next */
	struct tally_key *of_dest;
	uint64_t attempts;
	uint64_t outcomes[MTA_OUTCOMES]; /* recipients; deferred: each time */
	int64_t in_deferred; /* of a destination: mails in deferred */
	bool has_changed;    /* of a destination: since it was last looked at */
	struct histogram delay; /* final outcomes, us */
	struct histogram open;	/* unfinished ones at the end, us so far */
};

enum {
	TALLY_SERVICES = 8
};

struct tally_table {
	struct mta_table index;	 /* key -> struct tally_key */
	struct tally_key **keys; /* owned, each; by number */
	uint32_t count;
	uint32_t capacity;
};

struct tally {
	struct mta_symtab *symbols;	  /* borrowed */
	const struct mta_book *book;	  /* borrowed */
	struct mta_router *router;	  /* borrowed, or NULL */
	mta_sym services[TALLY_SERVICES]; /* transports whose destinations
					   * are texts */
	uint32_t service_count;
	struct tally_table destinations;
	struct tally_table domains;
	struct tally_table sources;
	struct tally_table pairs;   /* of a domain and a destination */
	struct tally_key **by_name; /* owned; domains by symbol, or NULL */
	uint32_t by_name_room;
	struct tally_key all;
	bool is_closed;
	mta_time stats_from; /* final outcomes before it have no delay here */
};

/* router: may be NULL. */
void tally_init(struct tally *t, struct mta_symtab *symbols,
		const struct mta_book *book, struct mta_router *router,
		mta_time stats_from);
void tally_release(struct tally *t);

/* A transport whose destinations are texts; beyond the eighth ignored. */
void tally_add_service(struct tally *t, mta_sym transport);
bool tally_is_service(const struct tally *t, mta_sym transport);

/* The key, made when new. source: its number, UINT32_MAX for notices. */
struct tally_key *
tally_destination(struct tally *t, mta_sym transport, mta_sym name);
struct tally_key *tally_domain(struct tally *t, mta_sym domain);
struct tally_key *tally_source(struct tally *t, uint32_t source);
/* Where mail of a recipient's domain went last; before that where the router
 * sends it, or a destination of its own name without a transport. */
struct tally_key *tally_destination_of(struct tally *t, mta_addr recipient);

/* Whose record it is. */
struct tally_place {
	struct tally_key *destination;
	struct tally_key *domain;
	struct tally_key *source;
};
struct tally_place
tally_delivery(struct tally *t, const struct mta_trace_delivery *d,
	       uint32_t source);
/* A recipient that is still there at the end, `age` microseconds old. outcome:
 * QUEUED or HELD. */
struct tally_place
tally_open(struct tally *t, mta_addr recipient, uint32_t source, int64_t age,
	   enum mta_outcome outcome);

/*
 * Nothing comes any more: add up. Until then domains have no counts, and only
 * sources have them all; destinations have outcomes and attempts but no delays.
 */
void tally_close(struct tally *t);

/* A final outcome is one after which nothing is tried. */
bool tally_is_final(enum mta_outcome outcome);
/* F14.4: an outcome that somebody was asked for; expiry is none. */
bool tally_is_attempt(const struct mta_trace_delivery *d);

#endif
