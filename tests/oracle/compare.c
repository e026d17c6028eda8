/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * compare [--exact] RUNDIR... OUTDIR: judge the results folder OUTDIR against
 * the recorded runs, print the table. --exact leaves out all but the exact
 * tier. Exit 0 when all is met, 99 when something is missed, 3 when no recorded
 * run or not our own folder could be read; a folder that is cut short is
 * reported on stderr and left out.
 */
#include "tests/oracle/judge.h"

#include <stdlib.h>
#include <string.h>

int
main(int argc, char **argv)
{
	struct judge j = {.out = stdout};
	struct run *runs;
	struct run ours;
	char error[500];
	int first = 1;

	if (argc > 1 && strcmp(argv[1], "--exact") == 0) {
		j.exact_only = true;
		first = 2;
	}
	if (argc - first < 2) {
		fprintf(stderr, "usage: compare [--exact] RUNDIR... OUTDIR\n");
		return 2;
	}
	runs = calloc((size_t)argc, sizeof(*runs));
	if (runs == NULL)
		return 1;
	for (int i = first; i + 1 < argc; i++) {
		if (rundir_load_recorded(&runs[j.recorded_n], argv[i], error,
					 sizeof(error)))
			j.recorded_n++;
		else
			fprintf(stderr, "compare: not judged: %s\n", error);
	}
	if (j.recorded_n == 0)
		return 3;
	if (!rundir_load_ours(&ours, argv[argc - 1], error, sizeof(error))) {
		fprintf(stderr, "compare: not judged: %s\n", error);
		return 3;
	}
	j.recorded = runs;
	j.ours = &ours;
	judge_run(&j);
	for (size_t k = 0; k < j.recorded_n; k++)
		rundir_release(&runs[k]);
	rundir_release(&ours);
	free(runs);
	return j.missed == 0 ? 0 : 99;
}
