/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One run, recorded or ours, in one shape, so that the comparer need not know
 * which it was. A mail's key is its trace row; a bounce's key is RUN_BOUNCE
 * plus the row of the message it tells of. Times are seconds.
 *
 * A folder that is cut short (a table missing or torn, fewer attempts than its
 * totals say) is not loaded; the error text says why.
 */
#ifndef TESTS_ORACLE_RUNDIR_H
#define TESTS_ORACLE_RUNDIR_H

#include <stdbool.h>
#include <stddef.h>

enum {
	RUN_BOUNCE = 1000000
};

enum run_class {
	RUN_SENT,
	RUN_SAID_4XX,
	RUN_SAID_5XX,
	RUN_NO_CONNECTION,
	RUN_SUSPENDED,
	RUN_LOST,
	RUN_CLASSES
};

struct run_attempt { /* recipient x attempt, in order of time */
	double at;
	int key;
	int rcpt;
	int nth; /* attempt number of this recipient, from 0 */
	enum run_class class;
	char domain[64];
};

struct run_delivery { /* delivery that got to MAIL, in order of MAIL */
	double mail_at;
	double end_at;
	int key;
	int rcpts;
	int nth; /* delivery number of this (key, rcpts, dest), from 0 */
	char dest[64];
};

struct run_connection { /* any connection, also one turned away after accept */
	double from, to;
	int batch;
	char dest[64];
};

struct run_sample {
	double at;
	double queue[4]; /* incoming active deferred hold */
};

struct run_feedback {
	double at;
	bool good;
	int limit;
	int window;
	int busy; /* ours only; -1 */
	double success, failure, cohorts;
	char dest[64];
};

struct run_event { /* a mail taken into active, or accepted */
	double at;
	int key;
	bool retry; /* ours only: it came from deferred */
};

struct run {
	char name[100]; /* of the scenario */
	struct run_attempt *attempts;
	size_t attempts_n;
	struct run_delivery *deliveries;
	size_t deliveries_n;
	struct run_connection *connections;
	size_t connections_n;
	struct run_sample *samples;
	size_t samples_n;
	struct run_feedback *feedback;
	size_t feedback_n;
	struct run_event *accepted; /* in order of time; no bounces */
	size_t accepted_n;
	struct run_event *active;
	size_t active_n;
	int max_conc;  /* of any one destination */
	double finish; /* last attempt's log line */
};

bool rundir_load_recorded(struct run *r, const char *dir, char *error,
			  size_t error_size);

bool rundir_load_ours(struct run *r, const char *dir, char *error,
		      size_t error_size);

void rundir_release(struct run *r);

#endif
