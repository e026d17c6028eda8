/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Judging scenarios: all runs of all of them, each in a process of its own, and
 * the lines that tell what came out. One scenario is a case; its lines are
 *
 *   run      that its runs went to their end; only when it has no other line,
 *            or when one did not
 *   expect   one for each expectation. Over several runs it holds if it held in
 *            all of them, or in the share that `in X% of runs` asks for
 *   golden   that it did what a recorded run did (sim/command/golden.h)
 *
 * Reports (sim/command/check_report.h) are four ways to write the same lines.
 *
 * Several runs of one scenario share a folder: NAME/r0, NAME/r1, ..., and
 * NAME/replications.json, which has the lines and a row for each run.
 */
#ifndef SIM_CHECK_H
#define SIM_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/results/expect.h"
#include "sim/results/fingerprint.h"

struct options;
struct scenario;

/* What a run hands to its parent, beside verdicts: plain bytes. */
struct check_found {
	bool is_whole; /* there are results, and they are not partial */
	char fingerprint[FINGERPRINT_TEXT];
	int64_t end_us;
	uint64_t accepted;
	uint64_t delivered;
	uint64_t bounced;
	uint64_t expired;
	uint64_t deferrals;
	uint64_t unfinished; /* recipients */
	uint64_t verdict_count;
	uint64_t golden_size; /* bytes of golden_text */
	int golden_code;      /* of golden_judge() */
};

struct check_run {
	bool is_done;
	int code;   /* exit code of run_scenario(); -1: it crashed */
	int signal; /* that crashed it */
	struct check_found found;
	struct expect_verdict *verdicts; /* owned; found.verdict_count */
	char *golden_text;		 /* owned; or NULL */
	char *said;			 /* owned; what it wrote to stderr */
};

struct check_case {
	const char *path; /* as given */
	const char *name; /* of the scenario; the path when it is invalid */
	struct scenario *scenario; /* owned; NULL: it cannot be run */
	char *said;		   /* owned; by its reader, on stderr too */
	char *dir;		   /* owned; where the results will be */
	char *part; /* owned; of several runs: until all are there */
	struct check_run *runs; /* owned; replications */
	uint32_t run_count;
	int code; /* what the case ends with */
};

enum check_kind {
	CHECK_RUN,
	CHECK_EXPECT,
	CHECK_GOLDEN,
};

struct check_line {
	enum check_kind kind;
	bool passed;
	bool is_error;	  /* it could not be judged: code 1, 2, 3 or a crash */
	const char *name; /* borrowed; expectation as written, ... */
	char text[512];	  /* name and what was found */
	const char *more; /* borrowed; further lines, or NULL */
	double value;	  /* found; of the worst run; NaN: none */
	double margin;
	uint32_t worst;	 /* replication */
	uint32_t runs;	 /* that were judged */
	uint32_t held;	 /* among them */
	uint32_t needed; /* so many must hold */
};

/* The lines of a case whose runs are over; the answer for free(). */
struct check_line *check_lines(const struct check_case *c, size_t *count);

/* Of two exit codes the one that counts: 130, 143, 1, 2, 3, 99, 0. */
int check_worse(int a, int b);

/* All that the options ask for; the exit code. */
int check_all(const struct options *options);

#endif
