/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * replay [--start-at S] [--convert-only] SCENARIO.json OUTDIR: convert a
 * recorded scenario, run it with the simulator, leave the results folder in
 * OUTDIR and the converted scenario in OUTDIR.input.
 *
 * base_config.json is looked for beside the scenario, one folder up, then in
 * the project's own data. When the daemons came up is the median of
 * master_started in the meta.json of the scenario's recorded runs, where those
 * lie beside it (N/meta.json, or ../runs/NAME/N/meta.json), else -2.05 s. The
 * simulator is $MTASIM, else the one of the build that this program belongs to.
 * Exit code: the simulator's; 2 wrong usage, 3 a scenario that cannot be
 * replayed.
 */
#include "tests/oracle/convert.h"

#include <errno.h>
#include <glob.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define USUAL_START (-2.05)

static int
number_order(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The median of master_started over the runs that match a pattern; USUAL_START
 * when there is none. */
static double
recorded_start(const char *pattern)
{
	double v[16];
	size_t n = 0;
	glob_t g;

	if (glob(pattern, 0, NULL, &g) != 0)
		return USUAL_START;
	for (size_t i = 0; i < g.gl_pathc && n < 16; i++) {
		json_t *meta = json_load_file(g.gl_pathv[i], 0, NULL);
		json_t *x = json_object_get(meta, "master_started");

		if (json_is_number(x))
			v[n++] = json_number_value(x);
		json_decref(meta);
	}
	globfree(&g);
	qsort(v, n, sizeof(v[0]), number_order);
	return n == 0 ? USUAL_START : v[n / 2];
}

static double
find_start(const char *file, const char *name)
{
	const char *slash = strrchr(file, '/');
	int dir = slash == NULL ? 0 : (int)(slash - file + 1);
	char pattern[1000];
	double s;

	snprintf(pattern, sizeof(pattern), "%.*s../runs/%s/*/meta.json", dir,
		 file, name);
	s = recorded_start(pattern);
	if (s < USUAL_START || s > USUAL_START)
		return s;
	snprintf(pattern, sizeof(pattern), "%.*s[0-9]*/meta.json", dir, file);
	return recorded_start(pattern);
}

static const char *
find_base(const char *file, char *out, size_t room)
{
	if (rec_find_base(file, out, room))
		return out;
	snprintf(out, room, "%s/tests/oracle/data/base_config.json",
		 MTASIM_SRCDIR);
	return access(out, R_OK) == 0 ? out : NULL;
}

/* $MTASIM, or mtasim two folders above this program
 * (BUILD/tests/oracle/replay). */
static void
find_simulator(const char *self, char *out, size_t room)
{
	const char *from_environment = getenv("MTASIM");
	char *slash;

	if (from_environment != NULL && *from_environment != '\0') {
		snprintf(out, room, "%s", from_environment);
		return;
	}
	snprintf(out, room, "%s", self);
	for (int i = 0; i < 3; i++) {
		slash = strrchr(out, '/');
		if (slash != NULL)
			*slash = '\0';
	}
	snprintf(out + strlen(out), room - strlen(out), "/mtasim");
}

static int
run_simulator(const char *simulator, const char *input, const char *outdir)
{
	char yaml[1100];
	char out[1000];
	int status;
	pid_t pid;

	snprintf(yaml, sizeof(yaml), "%s/scenario.yaml", input);
	snprintf(out, sizeof(out), "%s", outdir);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		execl(simulator, "mtasim", "run", "--quiet", "--out", out, yaml,
		      (char *)NULL);
		fprintf(stderr, "replay: cannot run '%s': %s\n", simulator,
			strerror(errno));
		_exit(1);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static int
replay(const char *self, const char *file, const char *outdir, double start,
       bool convert_only)
{
	struct rec_scenario sc;
	char base[1000];
	char input[1000];
	char simulator[1000];
	char error[600];
	bool ok;

	if (!rec_read(&sc, file, find_base(file, base, sizeof(base)), error,
		      sizeof(error))) {
		fprintf(stderr, "replay: %s\n", error);
		return 3;
	}
	snprintf(input, sizeof(input), "%s.input", outdir);
	if (mkdir(input, 0777) != 0 && errno != EEXIST) {
		fprintf(stderr, "replay: cannot make '%s': %s\n", input,
			strerror(errno));
		return 1;
	}
	ok = convert_scenario(&sc, input,
			      start < 1e8 ? start : find_start(file, sc.name),
			      error, sizeof(error));
	rec_release(&sc);
	if (!ok) {
		fprintf(stderr, "replay: %s\n", error);
		return 1;
	}
	if (convert_only)
		return 0;
	rmdir(outdir); /* an empty folder made for us may stand there */
	find_simulator(self, simulator, sizeof(simulator));
	return run_simulator(simulator, input, outdir);
}

int
main(int argc, char **argv)
{
	bool convert_only = false;
	double start = 1e9;
	int i = 1;

	for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
		if (strcmp(argv[i], "--convert-only") == 0)
			convert_only = true;
		else if (strcmp(argv[i], "--start-at") == 0 && i + 1 < argc)
			start = strtod(argv[++i], NULL);
		else
			break;
	}
	if (argc - i != 2) {
		fprintf(stderr, "usage: replay [--start-at S] [--convert-only] "
				"SCENARIO.json OUTDIR\n");
		return 2;
	}
	return replay(argv[0], argv[i], argv[i + 1], start, convert_only);
}
