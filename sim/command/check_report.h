/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Four ways to write what `check` found: text for people, TAP version 13, JSON,
 * and JUnit's XML. Cases come one after the other; nothing of what is written
 * depends on the clock or on how many worked at once.
 *
 *	check_report_begin(&report, options);
 *	check_report_case(&report, &c, lines, count);     for each
 *	code = check_report_end(&report, code);
 */
#ifndef SIM_CHECK_REPORT_H
#define SIM_CHECK_REPORT_H

#include <stdio.h>

#include "sim/command/check.h"
#include "sim/base/json_out.h"
#include "sim/results/summary.h"

struct check_report {
	const struct options *options; /* borrowed */
	struct summary_style style;
	struct json_out json;
	FILE *suites;	    /* owned; the inside of the XML, or NULL */
	char *suites_text;  /* owned; what it has */
	size_t suites_size; /* bytes of it */
	uint32_t cases;
	uint32_t lines;
	uint32_t passed;
	uint32_t errors;
};

void check_report_begin(struct check_report *r, const struct options *options);
void check_report_case(struct check_report *r, const struct check_case *c,
		       const struct check_line *lines, size_t count);
/* The last line, and the XML file. code: what has come so far; the answer is
 * the exit code, 1 when a file could not be written. */
int check_report_end(struct check_report *r, int code);

/* replications.json of a case, in the folder `dir`. False: stderr was told. */
bool check_report_replications(const struct check_case *c, const char *dir,
			       const struct check_line *lines, size_t count);

#endif
