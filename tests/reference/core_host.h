/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The smallest host in which the real queue manager runs by itself: a spool of
 * plain arrays, a port whose other ends are the test's hands, a router that
 * knows a few domains. Nothing costs time and nothing happens unless the test
 * does it: it submits a message, says that an agent is ready, reports a
 * delivery, moves the clock. What the queue manager asks for is laid open.
 *
 * Not here: hashed directories, locks, modes, logs (the spool has none), the
 * bounce service.
 */
#ifndef TESTS_REFERENCE_CORE_HOST_H
#define TESTS_REFERENCE_CORE_HOST_H

#include "mta/qmgr.h"

enum {
	CH_DOMAINS = 8,
	CH_TRANSPORTS = 4,
	CH_NOTES = 64,
	CH_RECIPIENTS = 256
};

struct ch_file {
	struct mta_envelope envelope;
	enum mta_queue queue;
	bool is_gone;
	uint32_t wake_s;
	uint32_t n;
	bool done[CH_RECIPIENTS];
	mta_addr address[CH_RECIPIENTS];
};

struct ch_list { /* recipients that a note carries */
	struct mta_recipient *items;
	uint32_t count;
};

struct ch_spool {
	struct mta_spool spool;
	struct ch_file *files; /* by place, which is the serial as well */
	uint32_t count;
	uint32_t capacity;
};

struct ch_port {
	struct mta_port port;
	struct mta_loop *loop;
	struct mta_timer *wake;
	struct mta_note inbox[CH_NOTES];
	uint32_t inbox_count;
	struct ch_list lists[CH_NOTES * 16];
	uint32_t list_count;
	struct mta_note_deliver request; /* the last one handed out */
	bool has_request;
	uint32_t dismissed;
	int32_t wanted[CH_TRANSPORTS]; /* agents asked for, unanswered */
};

struct ch_router {
	struct mta_router router;
	struct mta_book book;
	uint32_t domain_count;
	mta_sym domain[CH_DOMAINS];
	mta_sym transport[CH_DOMAINS];
	mta_sym names[CH_TRANSPORTS];
	struct mta_symtab *symbols;
};

struct ch {
	struct ch_spool spool;
	struct ch_port port;
	struct ch_router router;
	struct mta_symtab symbols;
	struct mta_trace trace;
	struct mta_loop loop;
	struct mta_params params;
	struct mta_qmgr qmgr;
	struct mta_host host;
	uint64_t sequence;
	uint32_t serial;
};

/* All but the queue manager, so that parameters can be set. now: microseconds.
 */
void ch_init(struct ch *h, mta_time now);
/* false: no such parameter or no such value */
bool ch_set(struct ch *h, const char *name, const char *value);
/* A domain and its transport (a place below CH_TRANSPORTS, with its name). */
void ch_domain(struct ch *h, const char *domain, uint32_t transport,
	       const char *name);
/* The address rNUMBER@ of a domain by its place. */
mta_addr ch_address(uint32_t domain, uint64_t number);
/* The queue manager starts. */
void ch_start(struct ch *h);
void ch_release(struct ch *h);

/* Take turns until nothing is due at `now`. */
void ch_run(struct ch *h, mta_time now);

/* A new file in incoming, committed; the queue manager is told. */
uint32_t ch_submit(struct ch *h, const mta_addr *to, uint32_t n);

/* An agent that was asked for is ready. True: port.request has its entry. */
bool ch_ready(struct ch *h, uint32_t transport);

/* A delivery is reported: all of its recipients are finished. */
void ch_report(struct ch *h, const struct mta_note_deliver *request);

/* Recipients of a request; borrowed. */
const struct mta_recipient *
ch_recipients(struct ch *h, const struct mta_note_deliver *r);

#endif
