/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Recorded runs, to see that behaviour stays: GOLDEN/NAME has what is compared
 * of the results of scenario NAME: run.json (fingerprint, totals, parameters),
 * scenario.yaml, series.csv.gz, and the events in moves.csv.gz, attempts.csv.gz
 * and feedback.csv.gz. A folder there is replaced only when it is asked for,
 * when it is ours, and when the runs differ.
 */
#ifndef SIM_GOLDEN_H
#define SIM_GOLDEN_H

#include <stdbool.h>

/* What `output` a run needs to be compared or recorded (enum scenario_output).
 */
unsigned golden_output(void);

/* GOLDEN/NAME. For free(). */
char *golden_place(const char *golden, const char *name);

/*
 * Compare the results in the folder `results` with GOLDEN/NAME, or record them.
 * 0: as recorded, or recorded now; 99: they differ; 1, 2, 3: an error. text:
 * lines that say so, the first of them alone enough; for free().
 */
int golden_judge(const char *golden, const char *name, const char *results,
		 bool update, char **text);

#endif
