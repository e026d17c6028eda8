/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * All remote ends of a run: one for each shared receiver, one for each domain
 * that has a copy of its own. Made when mail for them is first tried, each with
 * a stream of luck named after it, so that the order in which they are made
 * changes nothing.
 */
#ifndef SIM_REMOTES_H
#define SIM_REMOTES_H

#include "model/receiver.h"
#include "model/stream.h"
#include "mta/pool.h"
#include "sim/host/agents.h"
#include "sim/host/remote.h"
#include "sim/host/route.h"

struct remotes {
	struct agents_lookup base;
	struct router *router; /* borrowed, as the next two */
	const struct scenario *scenario;
	struct mta_symtab *symbols;
	struct stream luck;
	struct mta_pool ends;	/* struct remote_end */
	struct remote **shared; /* by receiver of the scenario, or NULL */
};

/* All borrowed. seed, replication: of the run's luck. */
void remotes_init(struct remotes *r, struct router *router,
		  const struct scenario *scenario, struct mta_symtab *symbols,
		  uint64_t seed, uint32_t replication);
void remotes_release(struct remotes *r);

#endif
