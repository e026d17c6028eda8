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
#include "mta/session.h"
#include "mta/table.h"
#include "sim/host/remote.h"
#include "sim/scenario/scenario.h"

/* Who knows the remote ends. Both answers are borrowed and stay. */
struct agents_lookup {
	/* The remote end of a recipient, or NULL when it has none: then local,
	 * virtual and pipe deliver at once, smtp and lmtp do not find it. */
	struct remote *(*remote)(struct agents_lookup *, mta_addr recipient);
	/* The remote end of another receiver that an `mx:` names. */
	struct remote *(*other)(struct agents_lookup *,
				const struct receiver_config *);
	/* The remote end of a domain, as for a fallback relay, or NULL. */
	struct remote *(*domain)(struct agents_lookup *, const char *name);
};

/* Processes of one transport. */
struct agents_transport {
	struct agents *agents;
	mta_sym name;
	enum scenario_kind kind;
	bool is_smtp;	 /* smtp or lmtp: only these blame (F11.1) */
	int64_t maxproc; /* as in the scenario */
	const struct mta_smtp_params *smtp; /* borrowed; of its kind */
	struct mta_service_state service;
	struct mta_timer throttle_timer; /* end of service_throttle_time */
	struct mta_timer idle_timer;	 /* the longest idle may have to go */
	struct mta_list idle;		 /* processes, longest idle first */
	uint32_t backlog;    /* connections that nobody has accepted */
	uint32_t busy_count; /* processes with a delivery under way */
	struct mta_session_cache cache;
	struct receiver_client patience; /* how long we wait */
	mta_span time_limit;		 /* of a command; for pipe alone */
};

struct agents {
	struct mta_host host;
	const struct mta_params *params;
	struct agents_lookup *lookup;
	struct scenario_costs costs;
	struct mta_timer wake;
	struct mta_pool processes;
	struct mta_pool sessions;
	uint64_t request_count;		     /* requests taken so far */
	struct agents_transport *transports; /* owned; in order of the file */
	size_t transport_count;
	struct mta_table index;		/* transports by name */
	struct agents_transport *asked; /* for last; NULL: none was */
	mta_sym accepted_reason;
	mta_sym mailbox_reason;
	mta_sym no_host_reason;
	mta_sym time_limit_reason;
};

/*
 * host, params, lookup: borrowed; host->loop is that of the pool of processes.
 * scenario: transports and costs, borrowed for the call. Attaches itself to the
 * port as MTA_TO_AGENTS.
 */
void agents_init(struct agents *a, const struct mta_host *host,
		 const struct mta_params *params,
		 const struct scenario *scenario, struct agents_lookup *lookup);
/* Ends all deliveries and sessions without a word to anybody. Before the remote
 * ends are released. */
void agents_release(struct agents *a);

/* The processes of a transport (service.total_count, busy_count); NULL: no such
 * name. */
const struct agents_transport *
agents_find(const struct agents *a, mta_sym transport);

/* The next three are to be called in a step of the pool's loop. */

/* The queue manager dies: connections that wait are forgotten, agents that
 * waited for their request are idle again. Deliveries go on, so this is to be
 * called while the names in their requests still are. */
void agents_hang_up(struct agents *a);

/*
 * Reload or stop (F8.11): as above; then idle processes end, those at work end
 * after their request and count no longer. params may have other values by now.
 */
void agents_reload(struct agents *a);

/* The agent that has been at work longest dies (F9.5). False: none is. */
bool agents_crash(struct agents *a, mta_sym transport);

#endif
