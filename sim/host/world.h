/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The simulated host: everything that a scenario describes, built and owned
 * here. The services of src/mta, the doors they are given, the models of the
 * remote ends, the clients, the operator.
 *
 *   loops    pool       smtpd's clients, cleanup, bounce, agents, operator
 *            qmgr       the queue manager
 *            pickup     pickup
 *
 * Here too is what an operator does to the whole: start, stop, reload. Which
 * processes then no longer count, and what a service does as it starts, is in
 * src/mta (master.h, qmgr.h). That all daemons apart from the queue manager
 * read main.cf at once, and when, is the host's: they share one copy, where a
 * real process reads its own as it starts (R-RESTART).
 *
 * Who wants to know what happens subscribes to `trace` before world_start.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "mta/bounce.h"
#include "mta/cleanup.h"
#include "mta/master.h"
#include "mta/pickup.h"
#include "mta/qmgr.h"
#include "sim/host/access.h"
#include "sim/host/agents.h"
#include "sim/host/book.h"
#include "sim/host/epoch.h"
#include "sim/host/inject.h"
#include "sim/host/operator.h"
#include "sim/host/port_loop.h"
#include "sim/host/remotes.h"
#include "sim/host/route.h"
#include "sim/scenario/scenario.h"
#include "sim/host/spool_view.h"

enum world_loop {
	WORLD_POOL,
	WORLD_QMGR,
	WORLD_PICKUP,
};
enum {
	WORLD_LOOPS = WORLD_PICKUP + 1
};

/* What the services on one loop are given. */
struct world_place {
	struct mta_loop loop;
	struct spool_view spool;
	struct port_view port;
	struct mta_host host;
};

struct world {
	const struct scenario *scenario; /* borrowed */
	uint32_t serial;		 /* mails brought in */
	struct mta_params main_cf;	 /* as edited */
	struct mta_params params;	 /* as read by the daemons, */
	struct mta_params qmgr_params;	 /* and by the queue manager */
	struct mta_symtab symbols;
	struct mta_trace trace;
	struct mta_agenda agenda;
	struct spool_mem spool;
	struct spool_costs spool_costs[WORLD_LOOPS];
	struct port_loop port;
	struct world_place places[WORLD_LOOPS];
	struct book book;
	struct router router;
	struct remotes remotes;
	struct access access;
	struct mta_cleanup cleanup;
	struct mta_bounce bounce;
	struct mta_pickup pickup;
	struct mta_qmgr qmgr;
	struct agents agents;
	struct mta_wakeup qmgr_wakeup;
	struct mta_wakeup pickup_wakeup;
	struct injector injector;
	struct operator operator;
	struct mta_timer boot; /* run: start_at */
	bool is_up;	       /* the mail system runs */
};

struct world_options {
	uint64_t seed;
	uint32_t replication;
	/* Asked while a trace is read, and mail of `start:` is read and put in
	 * place, of which there can be much: is the rest not wanted? NULL: it
	 * is. */
	bool (*is_interrupted)(void);
	char error[TRACE_FILE_ERROR]; /* when world_init says that it went wrong
				       */
};

/*
 * Build it. False: a file that the scenario names cannot be used (a trace, a
 * queue listing), options->error says which and why; release it all the same.
 * scenario: borrowed for as long as the world lives.
 */
bool world_init(struct world *w, const struct scenario *scenario,
		struct world_options *options);
void world_release(struct world *w);

/* Put in place what is there at the beginning: mail of `start:`, and the start
 * of the daemons. Once. False: as world_init. */
bool world_start(struct world *w, struct world_options *options);

/* Have the sources ended, and are maildrop, incoming, active and deferred
 * empty, with nothing under way? */
bool world_is_drained(const struct world *w);

/* Edit main.cf. The settings must have been judged. */
void world_edit(struct world *w, const struct scenario_settings *set);

/* What an operator can do to the system as a whole (F1.15, F8.11).
 * R-RESTART: a queue manager reads main.cf for itself whenever one starts, the
 * other daemons together, when the system starts and when it reloads. */
void world_system_start(struct world *w);
void world_system_stop(struct world *w);
void world_system_reload(struct world *w);
void world_qmgr_start(struct world *w);
void world_qmgr_stop(struct world *w);
/* The queue manager dies and master starts another at once. */
void world_qmgr_crash(struct world *w);

/* The host of the pool of processes, for whoever acts from outside. */
static inline const struct mta_host *
world_host(const struct world *w)
{
	return &w->places[WORLD_POOL].host;
}

static inline mta_time
world_time(int64_t scenario_us)
{
	return SIM_EPOCH + scenario_us;
}

#endif
