/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * JUnit's XML: a suite for each scenario, a test for each line; what does not
 * hold is a failure, what could not be judged an error. No times and no host:
 * the same runs give the same bytes.
 */
#ifndef SIM_CHECK_JUNIT_H
#define SIM_CHECK_JUNIT_H

#include <stdio.h>

#include "sim/command/check.h"

/* One <testsuite>. */
void check_junit_suite(FILE *out, const struct check_case *c,
		       const struct check_line *lines, size_t count);

struct check_junit_counts {
	uint32_t tests;
	uint32_t failures;
	uint32_t errors;
};

/* The file around the suites, written beside its place and renamed. False:
 * stderr has been told. */
bool check_junit_write(const char *path, const char *suites,
		       const struct check_junit_counts *counts);

#endif
