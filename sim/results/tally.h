/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What became of recipients, by destination (transport and name), by recipient
 * domain and by source, and over all: outcomes, attempts, delays to the final
 * outcome. A key costs about two hundred bytes and a sketch of its delays, a
 * pair of domain and destination 128 bytes and, until the end, a sketch too.
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
#include "sim/base/arena.h"
#include "sim/results/histogram.h"

enum {
	TALLY_LINE = 64 /* bytes that the memory brings at a time */
};

struct tally_key {
	mta_sym transport; /* held; of a destination, else 0 */
	mta_sym name;	   /* held; "" of a source */
	uint32_t number;   /* in its table, from 0 */
	uint32_t source;   /* of a source: its number in the scenario */
	uint64_t outcomes[MTA_OUTCOMES]; /* recipients; deferred: each time */
	struct histogram delay;		 /* final outcomes, us */
	struct histogram open; /* unfinished ones at the end, us so far */
};

/* Outcomes that a delivery can have. */
enum tally_outcome {
	TALLY_SENT,
	TALLY_DEFERRED,
	TALLY_BOUNCED,
	TALLY_EXPIRED,
	TALLY_DISCARDED,
	TALLY_OUTCOMES
};

/*
 * A domain and a destination to which its mail goes, where records are counted:
 * one line of memory for the counts and one for the delays. Counts and delays
 * lag behind what is told, until tally_changes or tally_close.
 */
struct tally_pair {
	_Alignas(TALLY_LINE) mta_sym transport; /* of the destination */
	mta_sym name;				/* likewise */
	uint32_t destination;			/* number of the key */
	uint32_t domain;     /* likewise; TALLY_NO_DOMAIN: nobody knows it */
	int32_t in_deferred; /* mails now */
	bool has_changed;    /* it is on the list */
	uint64_t outcomes[TALLY_OUTCOMES];
	struct histogram delay; /* nothing, once closed */
	uint32_t number;	/* from 0 */
};

#define TALLY_NO_DOMAIN UINT32_MAX

/* A pair whose counts have changed, and what they were before. */
struct tally_change {
	uint32_t pair;
	int32_t in_deferred;
	uint64_t delivered;
	uint64_t failed;
};

enum {
	TALLY_SERVICES = 8,
	TALLY_NOTES = 256, /* that may wait to be counted */
};

/*
 * What is told of a pair and not counted there yet. Where a pair lies in memory
 * is anybody's guess; a row of them is waited for together, one after the other
 * each would be waited for alone.
 */
struct tally_note {
	struct tally_pair *pair;
	struct tally_key *source;   /* has the delay too; NULL: no delay */
	int64_t us;		    /* of the delay */
	enum tally_outcome outcome; /* TALLY_OUTCOMES: none */
	int32_t in_deferred;	    /* so many more */
};

/* Where a domain's mail went last; what a delivery is compared with stands
 * beside the pair, which then need not be looked at. */
struct tally_last {
	struct tally_pair *pair; /* NULL: nothing is known of the domain */
	mta_sym transport;	 /* the pair's, as the next */
	mta_sym name;
};

struct tally_table {
	struct tally_key **keys; /* owned; by number */
	uint32_t count;
	uint32_t capacity;
};

/* In the order in which pairs changed first. */
struct tally_changes {
	struct tally_change *list; /* owned */
	uint32_t count;
	uint32_t room;
};

struct tally {
	struct mta_symtab *symbols;	  /* borrowed */
	const struct mta_book *book;	  /* borrowed */
	struct mta_router *router;	  /* borrowed, or NULL */
	mta_sym services[TALLY_SERVICES]; /* transports whose destinations
					   * are texts */
	uint32_t service_count;
	struct arena memory; /* of the keys */
	struct tally_table destinations;
	struct tally_table domains;
	struct tally_table sources;
	struct mta_table destination_index; /* names -> struct tally_key */
	struct tally_key **by_source;	    /* owned; by number + 1 as 32 bits,
					     * so that notices are 0; or NULL */
	uint32_t by_source_room;
	struct tally_pair **pairs; /* owned, each; blocks of them */
	uint32_t pair_count;
	struct mta_table pair_index;  /* two numbers -> struct tally_pair */
	struct tally_last *by_domain; /* owned; by symbol */
	uint32_t by_domain_room;
	struct tally_changes changes; /* see tally_changes */
	uint32_t note_count;
	struct tally_note notes[TALLY_NOTES];
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
struct tally_key *tally_source(struct tally *t, uint32_t source);
/* Where mail of a recipient's domain went last; before that where the router
 * sends it, or a destination of its own name without a transport. */
struct tally_pair *tally_pair_of(struct tally *t, mta_addr recipient);
/* Of a mail of which no recipient is known: a destination without a name. */
struct tally_pair *tally_pair_of_none(struct tally *t);
struct tally_pair *tally_pair_at(const struct tally *t, uint32_t number);
struct tally_key *
tally_destination_at(const struct tally *t, const struct tally_pair *pair);
/* Of a pair that has one. */
struct tally_key *
tally_domain_at(const struct tally *t, const struct tally_pair *pair);

/* Whose record it is. */
struct tally_place {
	struct tally_pair *pair;
	struct tally_key *source;
};
struct tally_place
tally_delivery(struct tally *t, const struct mta_trace_delivery *d,
	       uint32_t source);
/* Mails of the pair that have come to deferred, or left it: 1 or -1. */
void tally_deferred(struct tally *t, struct tally_pair *pair, int32_t change);
/* A recipient that is still there at the end, `age` microseconds old. outcome:
 * QUEUED or HELD. */
struct tally_place
tally_open(struct tally *t, mta_addr recipient, uint32_t source, int64_t age,
	   enum mta_outcome outcome);

static inline uint64_t
tally_delivered(const struct tally_pair *pair)
{
	return pair->outcomes[TALLY_SENT] + pair->outcomes[TALLY_DISCARDED];
}

static inline uint64_t
tally_failed(const struct tally_pair *pair)
{
	return pair->outcomes[TALLY_DEFERRED] + pair->outcomes[TALLY_BOUNCED];
}

/* The pairs that have changed since the list was begun; all that was told is in
 * their counts. Whoever has read it begins a new one. Borrowed until then. */
const struct tally_changes *tally_changes(struct tally *t);
void tally_clear_changes(struct tally *t);

/*
 * Nothing comes any more: add up. Until then only pairs and sources have
 * counts.
 */
void tally_close(struct tally *t);

/* A final outcome is one after which nothing is tried. */
bool tally_is_final(enum mta_outcome outcome);
/* F14.4: an outcome that somebody was asked for; expiry is none. */
bool tally_is_attempt(const struct mta_trace_delivery *d);
/* All such outcomes of a key. */
uint64_t tally_attempts(const struct tally_key *key);

#endif
