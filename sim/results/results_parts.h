/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the files of results share among themselves; nobody else includes it.
 *
 *   results.c               folder, trace, samples, end
 *   results_rows.c          rows of messages, attempts, moves, feedback
 *   results_destinations.c  rows of destinations and transports
 *   results_left.c          mail in deferred by destination, unfinished mail
 *   results_json.c          run.json, summary.json
 *   results_files.c         copies of the files that the scenario names
 */
#ifndef SIM_RESULTS_PARTS_H
#define SIM_RESULTS_PARTS_H

#include "sim/results/results.h"
#include "sim/results/results_destinations.h"

/* Keep the first error, for stderr. Returns 1. */
int results_fail(struct results *r, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static inline int64_t
results_time(mta_time at)
{
	return at - SIM_EPOCH;
}

static inline uint32_t
results_source_of(const struct results *r, mta_addr sender)
{
	return book_origin_of(r->view.book, sender).source;
}

/* results_rows.c. Subscribes, after the counts, to what the tables that are
 * open are made of; mail log and metrics too, if they are asked for. */
bool results_rows_open(struct results *r);
void results_rows_close(struct results *r);
/* at MTA_NEVER: it is left over. Nothing if messages are not asked for. */
void results_row_message(struct results *r, const struct mta_trace_ended *e);

/* results_left.c */
void results_count_deferred(struct results *r, const struct mta_trace_move *m);
/* Mail that is there when results begin. */
void results_scan_deferred(struct results *r);
/* Unfinished mail at the end: rows of messages, ages for quantiles. */
void results_scan_left(struct results *r, mta_time now);

/* results_json.c */
int results_write_run_json(struct results *r);
int results_write_summary_json(struct results *r);
int results_write_scenario(struct results *r);

/* results_files.c */
int results_write_files(struct results *r);

#endif
