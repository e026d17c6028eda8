/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The delivery agents of the simulated host: for each transport a pool of
 * processes, started and ended as the master does it (src/mta/master.h), that
 * work on requests (src/mta/agent.h) and ask the model of the remote end what
 * happens (model/receiver.h).
 *
 * All processes share one loop; a delivery has one timer, set to when the next
 * thing happens to it. To a remote end that only takes time that is its end.
 */
#ifndef SIM_AGENTS_H
#define SIM_AGENTS_H

#include "mta/agent.h"
#include "mta/list.h"
#include "mta/master.h"
#include "mta/pool.h"
#include "mta/table.h"
#include "sim/remote.h"
#include "sim/scenario.h"

/* Who knows the remote ends: the remote end of a recipient, or NULL when it has
 * none (then local, virtual and pipe deliver at once; smtp and lmtp defer). */
struct agents_lookup {
	struct remote *(*remote)(struct agents_lookup *, mta_addr recipient);
};

/* Processes of one transport. */
struct agents_transport {
	struct agents *agents;
	mta_sym name;
	enum scenario_kind kind;
	struct mta_service_state service;
	struct mta_timer throttle_timer; /* end of service_throttle_time */
	struct mta_timer idle_timer;	 /* the longest idle may have to go */
	struct mta_list idle;		 /* processes, longest idle first */
	struct mta_list busy;		 /* processes, longest at work first */
	uint32_t backlog;    /* connections that nobody has accepted */
	uint32_t busy_count; /* processes that have a request or wait for it */
};

struct agents {
	struct mta_host host;
	const struct mta_params *params;
	struct agents_lookup *lookup;
	struct scenario_costs costs;
	struct mta_timer wake;
	struct mta_pool processes;
	struct agents_transport *transports; /* owned; in order of the file */
	size_t transport_count;
	struct mta_table index; /* transports by name */
	struct agents_words *words; /* texts that are the same everywhere */
};

/*
 * host, params, lookup: borrowed; host->loop is that of the pool of processes.
 * scenario: transports and costs, borrowed for the call. Attaches itself to the
 * port as MTA_TO_AGENTS.
 */
void agents_init(struct agents *a, const struct mta_host *host,
		 const struct mta_params *params,
		 const struct scenario *scenario,
		 struct agents_lookup *lookup);
void agents_release(struct agents *a);

/* Processes that exist and that work, of one transport; NULL: no such name. */
const struct agents_transport *agents_find(const struct agents *a,
					   mta_sym transport);

/*
 * Reload or stop, F8.11: idle processes end, those at work end after their
 * request and no longer count. params may have other values by now. Connections
 * that wait are forgotten: the queue manager that asked is gone.
 */
void agents_reload(struct agents *a);

/* The agent that has been at work longest dies (F9.5). False: none is. */
bool agents_crash(struct agents *a, mta_sym transport);

#endif
