/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bad input of the oracle's tools: a scenario with something unknown in it is
 * refused with a text that names it, and a run folder that is cut short is not
 * loaded, with a text that says what is missing. The folder is one of the kept
 * recordings, copied file by file into a temporary one and cut there.
 * Exit 0 when all is as it should be.
 */
#include "tests/oracle/recorded.h"
#include "tests/oracle/rundir.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int failures;

static void
expect_named(const char *what, const char *text, const char *name)
{
	if (strstr(text, name) != NULL)
		return;
	failures++;
	printf("FAIL %s: '%s' does not name '%s'\n", what, text, name);
}

/* ---- scenarios ---- */

struct bad_scenario {
	const char *json;  /* with ' for " */
	const char *named; /* must stand in the error */
};

#define HEAD                                                                   \
	"{'name': 'T', 'destinations': {'a': {'phases': [{'latency': 1}]}}, "
#define PHASE(p) "{'name': 'T', 'destinations': {'a': {'phases': [{" p "}]}}}"

static const struct bad_scenario bad_scenarios[] = {
	{HEAD "'colour': 1}", "'colour'"},
	{PHASE("'mode': 'slow'"), "'slow'"},
	{PHASE("'jitter': 1"), "'jitter'"},
	{PHASE("'latency': {'list': [1], 'key': 'conn'}"), "'conn'"},
	{PHASE("'latency': {'list': []}"), "latency.list"},
	{PHASE("'latency': 'fast'"), "latency"},
	{HEAD "'arrivals': [{'t': 0, 'to': [['a.test', 1, '.q']]}]}", "'.q'"},
	{HEAD "'arrivals': [{'t': 0, 'to': [['a.test', 1, '.t']]}]}", "'.t'"},
	{HEAD "'arrivals': [{'t': 0, 'to': [['z.test', 1]]}]}", "'z.test'"},
	{HEAD "'arrivals': [{'t': 0, 'size': 1}]}", "'size'"},
	{HEAD "'actions': [{'t': 1, 'do': 'dance'}]}", "'dance'"},
	{HEAD "'actions': [{'t': 1, 'exec': ['rm', '-r']}]}", "'rm -r'"},
	{HEAD "'actions': [{'t': 1, 'exec': ['postsuper', '-x', 'ALL']}]}",
	 "'-x'"},
	{HEAD "'actions': [{'t': 1, 'exec': ['postsuper', '-h', 'ID']}]}",
	 "'ID'"},
	{HEAD "'transports': {'smtp': {'wakeup': 1}}}", "'wakeup'"},
	{HEAD "'main': {'smtpd_sender_restrictions': 'reject'}}", "'reject'"},
	{HEAD "'main': {'smtpd_sender_restrictions': "
	      "'check_sender_access regexp:@ETC@/map'}}",
	 "@ETC@/map"},
	{HEAD "'name': 'T'}", "name"},
	{"{'name': ", "line 1"},
	{"[]", "object"},
};

static void
check_scenario(const struct bad_scenario *b, const char *file)
{
	struct rec_scenario sc;
	char error[600] = "";
	FILE *f = fopen(file, "w");

	if (f == NULL)
		abort();
	for (const char *c = b->json; *c != '\0'; c++)
		putc(*c == '\'' ? '"' : *c, f);
	fclose(f);
	if (rec_read(&sc, file, NULL, error, sizeof(error))) {
		failures++;
		printf("FAIL taken: %s\n", b->json);
		rec_release(&sc);
		return;
	}
	expect_named(b->json, error, b->named);
}

/* ---- run folders ---- */

static const char *const run_files[] = {
	"meta.json",	     "attempts.csv.gz", "queue_events.csv.gz",
	"sink.csv.gz",	     "samples.csv.gz",	"feedback.csv.gz",
	"injections.csv.gz",
};
enum {
	RUN_FILES = sizeof(run_files) / sizeof(run_files[0])
};

/* Copy at most `most` bytes of a file; none at all: leave it out. */
static void
copy_file(const char *from, const char *to, const char *name, size_t most)
{
	static char data[1 << 20];
	char path[1000];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", to, name);
	unlink(path);
	if (most == 0)
		return;
	snprintf(path, sizeof(path), "%s/%s", from, name);
	f = fopen(path, "rb");
	if (f == NULL)
		abort();
	n = fread(data, 1, most < sizeof(data) ? most : sizeof(data), f);
	fclose(f);
	snprintf(path, sizeof(path), "%s/%s", to, name);
	f = fopen(path, "wb");
	if (f == NULL || fwrite(data, 1, n, f) != n || fclose(f) != 0)
		abort();
}

/* One file missing or cut in the middle, all others whole. */
static void
check_folder(const char *from, const char *to, size_t cut, size_t most)
{
	struct run r;
	char error[600] = "";
	char name[40];

	for (size_t i = 0; i < RUN_FILES; i++)
		copy_file(from, to, run_files[i], i == cut ? most : SIZE_MAX);
	if (cut == RUN_FILES) {
		if (rundir_load_recorded(&r, to, error, sizeof(error))) {
			rundir_release(&r);
			return;
		}
		failures++;
		printf("FAIL a whole folder is refused: %s\n", error);
		return;
	}
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(run_files[cut], "."),
		 run_files[cut]);
	if (rundir_load_recorded(&r, to, error, sizeof(error))) {
		failures++;
		printf("FAIL a folder with %s cut to %zu is taken\n", name,
		       most);
		rundir_release(&r);
		return;
	}
	expect_named("cut folder", error, name);
}

int
main(void)
{
	const char *from = MTASIM_SRCDIR "/tests/oracle/data/S07-bounce/1";
	char dir[] = "/tmp/oracle-input-XXXXXX";
	char file[100];

	if (mkdtemp(dir) == NULL)
		return 1;
	snprintf(file, sizeof(file), "%s/scenario.json", dir);
	for (size_t i = 0; i < sizeof(bad_scenarios) / sizeof(bad_scenarios[0]);
	     i++)
		check_scenario(&bad_scenarios[i], file);
	check_folder(from, dir, RUN_FILES, SIZE_MAX);
	for (size_t i = 0; i < RUN_FILES; i++) {
		check_folder(from, dir, i, 0);
		check_folder(from, dir, i, 100);
	}
	for (size_t i = 0; i < RUN_FILES; i++)
		copy_file(from, dir, run_files[i], 0);
	unlink(file);
	rmdir(dir);
	printf("input of the oracle: %s\n", failures == 0 ? "ok" : "FAILED");
	return failures == 0 ? 0 : 1;
}
