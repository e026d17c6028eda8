/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Two results folders: did the runs do the same, and if not, where did they
 * part? Compared are fingerprint, totals, series.csv, and the events in
 * attempts.csv, feedback.csv and moves.csv as far as both have them (plain or
 * .gz), and all other files that both have. Versions, parameters in force and
 * scenarios that differ, and files that one has alone, are notes: they may be
 * why, and are no difference in behaviour by themselves.
 *
 * A folder of another results format, without run.json, or with a table that is
 * cut off is an error, never a difference.
 */
#ifndef SIM_DIFF_H
#define SIM_DIFF_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "sim/base/csv_read.h"

enum {
	DIFF_EVENT_TEXT = 600,
	DIFF_FIRST_TEXT = 300,
};

struct diff {
	const char *dirs[2]; /* borrowed */
	const char
		*names[2]; /* borrowed; what to call them: "recorded", "now" */
	FILE *out;	   /* borrowed; lines go there */
	bool is_record;	   /* the first has events, series and no more */
	bool differs;
	char first[DIFF_FIRST_TEXT]; /* where they part, in a few words; "" */
	char error[600];	     /* why they cannot be compared; "" */
};

/* 0: the same; 99: they differ; 3: see error. */
int diff_folders(struct diff *d);

/* ---- the parts ---- */

/* Keep the first error. Returns 3. */
int diff_fail(struct diff *d, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

enum diff_table {
	DIFF_TABLE_NONE, /* neither has it */
	DIFF_TABLE_ONE,	 /* one only; noted */
	DIFF_TABLE_BOTH, /* both are open, and have the same columns */
	DIFF_TABLE_BAD,	 /* see error */
};
/* Open a table of both folders, whether packed or not. */
enum diff_table
diff_open(struct diff *d, const char *name, struct csv_reader csv[2]);

/* At the end of both: were they whole? Closes them. 0 or 3. */
int diff_close(struct diff *d, struct csv_reader csv[2]);

/* 0 or 3 */
int diff_events(struct diff *d);
int diff_series(struct diff *d);
int diff_files(struct diff *d);
/* Note where the scenarios differ. */
void diff_scenario(struct diff *d);

#endif
