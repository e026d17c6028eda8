/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rows of destinations.csv and transports.csv, made at samples: counts of the
 * tally, windows and queues of the queue manager, processes of the agents.
 *
 * A destination has a row when something of it has changed. The `top` busiest
 * (most attempts so far) stand by name; one that has become twice as busy as
 * the least of them takes its place. The rest is summed as (other), whose sums
 * always speak of those that are not named at that sample.
 */
#ifndef SIM_RESULTS_DESTINATIONS_H
#define SIM_RESULTS_DESTINATIONS_H

#include "mta/qmgr.h"
#include "sim/base/table_out.h"
#include "sim/host/agents.h"
#include "sim/results/tally.h"
#include "sim/scenario/columns.h"

/* A row, without time and names. */
struct dest_row {
	int64_t column[DESTINATION_COLUMNS];
	enum mta_dest_state state;
};

/* Of one destination the same, in less than a line of memory. */
struct dest_entry {
	int32_t window;
	int32_t busy;
	int32_t todo;
	enum mta_dest_state state;
	int64_t deferred;
	uint64_t delivered;
	uint64_t failed;
	uint32_t live_look; /* at which the queue manager had it */
	mta_sym transport;
	bool is_known; /* looked at once */
	bool is_named;
};

/* One that stands by name. */
struct dest_named {
	uint32_t number;
	bool has_row;
	struct dest_row written; /* its last row */
};

struct transport_sum {
	mta_sym name;
	int64_t todo;
	int64_t busy;
	int64_t pending;
	int32_t initial_window; /* of a destination that is new */
	bool is_throttled;
};

struct results_destinations {
	struct tally *tally;	    /* borrowed */
	struct dest_entry *entries; /* owned; by number of the tally's key */
	uint32_t entry_room;
	uint32_t *live; /* owned; numbers the queue manager had last time */
	uint32_t live_count;
	uint32_t live_room;
	struct dest_named *named; /* owned */
	uint32_t named_count;
	uint32_t top;
	uint64_t least_attempts; /* of named ones, at most */
	uint32_t look;
	struct dest_row other;
	struct dest_row other_written;
	bool has_other_row;
	struct transport_sum *transports; /* owned; in order of first use */
	uint32_t transport_count;
};

void results_destinations_init(struct results_destinations *d,
			       struct tally *tally, int64_t top);
void results_destinations_release(struct results_destinations *d);

/* Read all that has changed, in the tally since the last look. qmgr, agents:
 * may be NULL. */
void results_destinations_look(struct results_destinations *d,
			       const struct mta_qmgr *qmgr,
			       const struct agents *agents);

/* Rows of what differs from the last rows. */
void results_destinations_write(struct results_destinations *d,
				struct table_out *out, int64_t now_us,
				const struct mta_symtab *symbols);
void results_transports_write(const struct results_destinations *d,
			      struct table_out *out, int64_t now_us,
			      const struct agents *agents,
			      const struct mta_symtab *symbols);

/* A column as of the last look, summed over what fits; NaN: nothing does.
 * transport: NULL fits all. */
double results_destinations_column(const struct results_destinations *d,
				   const char *column, const char *transport,
				   const char *destination,
				   const struct mta_symtab *symbols);
/* 0: nothing has gone that way. */
double results_transports_column(const struct results_destinations *d,
				 const char *column, const char *transport,
				 const struct agents *agents,
				 const struct mta_symtab *symbols);
/* Deliveries under way, with all transports. */
int64_t
results_busy(const struct results_destinations *d, const struct agents *agents);

#endif
