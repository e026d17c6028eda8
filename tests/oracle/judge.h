/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The comparison of one simulated run with the recorded runs of its scenario:
 * which quantities are compared, by which tolerance, and the table of verdicts.
 * What a scenario is judged by is named for the known ones and derived from the
 * recordings for any other: one delivery at a time demands equal order, failing
 * connections demand agreement in distribution, the rest equal times within the
 * recorded spread.
 */
#ifndef TESTS_ORACLE_JUDGE_H
#define TESTS_ORACLE_JUDGE_H

#include "tests/oracle/rundir.h"

#include <stdio.h>

struct judge {
	FILE *out;
	const struct run *recorded;
	size_t recorded_n;
	const struct run *ours;
	bool exact_only; /* leave out what is not of the exact tier */
	int compared;
	int missed;
};

/* Compare everything that applies; rows go to out, counts to the struct. */
void judge_run(struct judge *j);

/* The head of the table. */
void judge_head(FILE *out);

#endif
