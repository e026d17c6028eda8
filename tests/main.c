/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The main program of every kind of test: runs the suites that
 * tests/list-suites found and ends with one plain line that scripts add up:
 *
 *	unit: 312 passed, 0 failed
 *
 * Usage: KIND-tests [NAME]; the name is what that line calls it. libcheck's own
 * variables work as usual: CK_RUN_SUITE, CK_RUN_CASE, CK_FORK=no, CK_VERBOSITY.
 */
#include "tests/harness.h"

#include <stdio.h>
#include <stdlib.h>

int
main(int argc, char **argv)
{
	SRunner *runner = srunner_create(NULL);
	int run, failed;

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
