/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A run's results folder: subscribes to the trace, writes the tables as the run
 * goes on, and run.json, summary.json and scenario.yaml at its end. The folder
 * is made beside its place and renamed when it is whole (sim/base/folder.h).
 *
 * Every number is a fold over trace records, but for what is read from the
 * queue manager and the agents at a sample: windows, busy, to do, processes.
 * Times in the trace are absolute, those in results count from SIM_EPOCH.
 *
 *	if ((code = results_check_place(dir)) != 0) return code;
 *	code = results_init(&r, &options, &view);     before the first event
 *	... results_sample(&r, now_us, &state) ...    each `sample`, from 0
 *	code = results_finish(&r, now_us, &state);    0, 1 or 99
 *	summary_print(&r, stdout, ...);               sim/results/summary.h
 *	results_release(&r);
 *
 * What goes wrong is said on stderr, with the name of the file.
 */
#ifndef SIM_RESULTS_H
#define SIM_RESULTS_H

#include "mta/params.h"
#include "mta/qmgr.h"
#include "sim/base/table_out.h"
#include "sim/host/epoch.h"
#include "sim/results/expect.h"
#include "sim/results/fingerprint.h"
#include "sim/results/results_view.h"
#include "sim/results/tally.h"
#include "sim/results/totals.h"

/* "format" of run.json. It rises when a program that compares two folders could
 * take a difference of layout for one of behaviour. */
enum {
	RESULTS_FORMAT = 1
};

struct results_options {
	const char *dir;      /* the place; borrowed for the call */
	const char *version;  /* of the program; borrowed */
	uint32_t replication; /* from 0 */
	unsigned output;      /* enum scenario_output, or-ed */
};

/* How things stand at a sample or at the end. */
struct results_state {
	const struct mta_qmgr *qmgr; /* NULL: it does not run */
	bool sources_ended;	     /* and all their mail has got in */
	uint64_t waiting;	     /* messages that wait at their clients */
	bool partial;		     /* the run was interrupted (end only) */
};

/* The queues over time, for the summary's pictures; halved when full. */
enum {
	RESULTS_SPARK_ROOM = 256
};
struct results_spark {
	double queue[MTA_QUEUES][RESULTS_SPARK_ROOM];
	size_t count;
	uint32_t every;	 /* samples that share a place */
	uint32_t within; /* of them, seen */
};

enum results_table {
	RESULTS_SERIES, /* the first three are always written */
	RESULTS_DESTINATIONS,
	RESULTS_TRANSPORTS,
	RESULTS_MESSAGES,
	RESULTS_ATTEMPTS,
	RESULTS_MOVES,
	RESULTS_FEEDBACK,
};
enum {
	RESULTS_TABLES = RESULTS_FEEDBACK + 1
};

struct maillog;		     /* maillog.h */
struct metrics;		     /* metrics.h */
struct results_destinations; /* results_destinations.c */

struct results {
	struct mta_sink on_submitted;
	struct mta_sink on_answered;
	struct mta_sink on_move;
	struct mta_sink on_delivery;
	struct mta_sink on_feedback;
	struct mta_sink on_ended;
	struct mta_sink on_row; /* results_rows.c */
	struct results_view view;
	char *dir;		  /* owned */
	char *part;		  /* owned; beside dir while it is written */
	char *version;		  /* owned */
	struct mta_params params; /* owned; in force at the start */
	char (*start_names)[24];  /* owned; of the entries of `start:` */
	uint32_t replication;
	unsigned output;
	struct totals totals;
	struct tally tally;
	struct fingerprint fingerprint;
	struct expect expect;
	struct expect_verdict *verdicts; /* owned; after finish */
	struct results_spark spark;
	struct results_destinations *destinations; /* owned */
	struct table_out tables[RESULTS_TABLES];
	struct maillog *maillog; /* owned; NULL unless asked for */
	struct metrics *metrics; /* owned; NULL unless asked for */
	uint32_t *deferred_at;	 /* owned; by place in the spool: the tally's
				  * pair of a mail in deferred, from 1 */
	uint32_t deferred_room;
	int64_t last_sample_us;
	int64_t last_row_us; /* of destinations.csv */
	bool has_sample;
	int64_t drained_us; /* -1: not, or no longer */
	int64_t end_us;
	mta_time end; /* of the trace: services may be busy beyond end_us */
	uint64_t left_messages; /* at the end, held ones too */
	uint64_t left_recipients;
	uint64_t left_waiting; /* messages that never got in */
	bool partial;
	char error[512]; /* the first thing that went wrong; "" */
};

/* May results be written there? 0, or 2 with a sentence on stderr: there is
 * something that is no results folder of ours. */
int results_check_place(const char *dir);

/* Make the folder, open the tables, subscribe. 0, or 1. */
int results_init(struct results *r, const struct results_options *options,
		 const struct results_view *view);

/*
 * A row of each table. now_us: since scenario start, later than that of the
 * last sample. 0, or 1: a file cannot be written, or the books do not balance.
 */
int results_sample(struct results *r, int64_t now_us,
		   const struct results_state *state);

/*
 * The end: the last row if there is none for now_us, unfinished mail, verdicts,
 * the JSON files; then the folder is moved to its place. 0, 1, or 99 when an
 * expectation does not hold (`run` may take that for 0).
 */
int results_finish(struct results *r, int64_t now_us,
		   const struct results_state *state);

/* Free all. A folder that was not finished is removed. */
void results_release(struct results *r);

/* Where the files are while the run goes on, for others that write there. */
const char *results_part_dir(const struct results *r);
/* Name of a source as results spell it: its own, "bounce", and for mail that
 * was there at the start "start", "start[1]", ... by entry. */
const char *results_source_name(const struct results *r, uint32_t source);

#endif
