/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The clients: sources of mail of a scenario. A source has arrivals and a
 * number of sessions. An arrival that finds a session free becomes a mail at
 * once: it is submitted to cleanup through smtpd, of which there are so many
 * processes, and the session waits for the answer. What finds none waits at the
 * client, in order. Mail by sendmail goes to maildrop and waits for nobody.
 *
 * What a message is (recipients, size, mailboxes) depends on the seed, the
 * source and its number alone, never on when it gets in.
 */
#ifndef SIM_INJECT_H
#define SIM_INJECT_H

#include "model/arrival.h"
#include "model/chooser.h"
#include "model/stream.h"
#include "mta/host.h"
#include "mta/list.h"
#include "mta/master.h"
#include "mta/params.h"
#include "sim/host/book.h"
#include "sim/scenario/scenario.h"
#include "sim/host/trace_file.h"

/* Where a source's mail goes: the addresses of its target domains. */
struct targets {
	const struct scenario_to *to; /* borrowed */
	struct chooser chooser;
	uint32_t *families; /* by target, made when first wanted; 0: not yet */
	int64_t users;
	struct stream luck;
	struct chooser_throw next; /* the first recipient's, of the message */
	uint64_t next_index;	   /* that probably comes next */
};

struct injector;

struct source {
	struct injector *injector;
	const struct scenario_source *config; /* borrowed */
	uint32_t number;		      /* in the scenario */
	struct mta_timer timer;		      /* the next arrival */
	struct mta_list in_queue; /* waits for an smtpd process, else off */
	struct arrival arrival;
	struct trace_file *trace; /* rows, instead of arrivals; or NULL */
	struct stream luck;	  /* of recipients, sizes, mailboxes */
	struct targets targets;
	uint32_t sender_family;
	uint64_t arrived;      /* messages that have come up */
	uint64_t started;      /* of them, those that are no longer waiting */
	int64_t session_count; /* with a mail under way */
	int64_t session_limit;
	bool has_ended; /* no more arrivals */
};

struct injector {
	struct mta_host host;
	const struct mta_params *params;
	struct book *book;
	struct source *sources;
	size_t source_count;
	struct mta_timer wake;	 /* answers have come */
	struct mta_list waiting; /* sources that want an smtpd process */
	struct mta_service_state smtpd;
	bool is_up; /* smtpd listens */
};

struct injector_options {
	uint64_t seed;
	uint32_t replication;
	struct trace_file_reading reading;
};

/*
 * host, params, book, scenario: borrowed. host->loop is that of the pool of
 * processes. Arrivals begin at once, also before smtpd is up. False: a trace
 * cannot be read, or the run is not wanted any more; options->reading.error
 * says why; release it all the same.
 */
bool injector_init(struct injector *in, const struct mta_host *host,
		   const struct mta_params *params, struct book *book,
		   const struct scenario *scenario,
		   struct injector_options *options);
void injector_release(struct injector *in);

/* The system starts, or reloads: smtpd has the limit of master.cf (-1:
 * default_process_limit, 0: none), and processes of before, which end with
 * their mail, no longer count (F8.11). */
void injector_reload(struct injector *in, int64_t maxproc);

/* smtpd listens, or no longer: what comes meanwhile waits at the client. */
void injector_set_up(struct injector *in, bool is_up);

/* Have all sources ended, and has all their mail got in? */
bool injector_has_ended(const struct injector *in);

/* Draws as mail has them: a count of recipients, and a size. */
uint32_t inject_recipients(int64_t drawn);
uint32_t inject_size(int64_t drawn);

/* Messages that have come up and that no session has taken yet. */
uint64_t injector_waiting(const struct injector *in);

/* to: borrowed. luck: of recipients and mailboxes. */
void targets_init(struct targets *t, const struct scenario_to *to,
		  int64_t users, struct stream luck);
void targets_release(struct targets *t);
/* The k-th recipient of message `index`: one of the target's mailboxes. Those
 * of one message in one domain differ as long as there are mailboxes. */
mta_addr
targets_pick(struct targets *t, struct book *book, uint64_t index, uint32_t k);

#endif
