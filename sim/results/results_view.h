/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What results look at: the world, from outside.
 */
#ifndef SIM_RESULTS_VIEW_H
#define SIM_RESULTS_VIEW_H

#include "mta/params.h"
#include "mta/port.h"
#include "mta/router.h"
#include "mta/spool.h"
#include "mta/symtab.h"
#include "mta/trace.h"
#include "sim/host/agents.h"
#include "sim/host/book.h"
#include "sim/scenario/scenario.h"

/* All borrowed for as long as the results live. */
struct results_view {
	const struct scenario *scenario;
	struct mta_trace *trace;
	struct mta_symtab *symbols;
	struct book *book;
	struct mta_spool *spool;     /* one that charges nobody for the time */
	struct mta_port *port;	     /* for the tokens; or NULL */
	const struct agents *agents; /* or NULL */
	const struct mta_params *params; /* as at the start; read by init */
	struct mta_router *router; /* tells where mail lies at the start would
				    * go; or NULL */
};

#endif
