/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The main program of every kind of test: runs the suites that
 * tests/list-suites found and ends with one plain line that scripts add up:
 *
 *	unit: 312 passed, 0 failed
 *
 * Usage: KIND-tests [NAME]; the name is what that line calls it. libcheck's own
 * variables work as usual: CK_RUN_SUITE, CK_RUN_CASE, CK_FORK=no, CK_VERBOSITY.
 *
 * How long a generated test takes depends on MTASIM_TEST_SCALE, the sanitizer
 * and who else uses the machine: the limit of a test is that of a stage
 * (tests/run), for those that hang, and none of them sets one of its own.
 */
#include "tests/harness.h"

#include <stdio.h>
#include <stdlib.h>

int
main(int argc, char **argv)
{
	SRunner *runner;
	int run, failed;

	/* Read when a test is made. */
	setenv("CK_DEFAULT_TIMEOUT", "1500", 0);
	runner = srunner_create(NULL);
	for (size_t i = 0; harness_suites[i]; i++)
		srunner_add_suite(runner, harness_suites[i]());
	srunner_run_all(runner, CK_ENV);
	run = srunner_ntests_run(runner);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);

	printf("%s: %d passed, %d failed\n", argc > 1 ? argv[1] : "tests",
	       run - failed, failed);
	/* A program that ran nothing has shown nothing. */
	return failed == 0 && run > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
