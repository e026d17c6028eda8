/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One run of a scenario: build the world, let time pass, write the results. And
 * the command `mtasim run`, which does that once; several runs, and judging
 * them, is sim/command/check.h.
 */
#ifndef SIM_RUN_H
#define SIM_RUN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct options;
struct results;
struct scenario;

/* What to run; all borrowed for the call. */
struct run_request {
	const struct options *options;
	const struct scenario *scenario;
	const char *path; /* of the scenario, as given */
	const char *dir;  /* results folder */
	uint32_t replication;
	unsigned output; /* more than options and scenario ask for */
	/* The results are there; they go when the call returns. */
	void (*say)(const struct run_request *request,
		    const struct results *results);
};

/* Read a scenario as the options want it. NULL: `complain` has been told. */
struct scenario *run_read_scenario(const struct options *options,
				   const char *path, FILE *complain);

/* The results folder of a scenario that is run alone. For free(). */
char *run_dir(const struct options *options, const struct scenario *scenario);

/* Once in a program, before the first run. */
void run_prepare(void);

/* SIGINT and SIGTERM end a run with partial results; once: the second one ends
 * the program. */
void run_catch_signals(bool once);
/* A reader that goes, as in `| head`, does not end the program: what is run is
 * run to its end, with whole results. */
void run_outlive_reader(void);

/* The signal that was caught, or 0; and whether one was. */
int run_signal(void);
bool run_is_interrupted(void);

/* The exit code: 0, 99 when an expectation does not hold, or of an error,
 * which is on stderr. */
int run_scenario(const struct run_request *request);

#endif
