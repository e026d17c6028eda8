/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Scenarios in the recordings' format that were never recorded
 * (tests/oracle/unseen): they name every key of it, and are small enough to be
 * worked out by hand. Each is converted and run; what became of the attempts,
 * the most connections at once and the last attempt must be as worked out
 * below. The daemons start at -2.3 s, so scans keep away from whole seconds.
 *
 * Of the time of the last attempt half a second is left to the costs of the
 * harness. The simulator is $MTASIM. Exit 0 when all is as it should be.
 */
#include "tests/oracle/convert.h"
#include "tests/oracle/rundir.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FOLDER MTASIM_SRCDIR "/tests/oracle/unseen/"
#define BASE   MTASIM_SRCDIR "/tests/oracle/data/base_config.json"

struct unseen {
	const char *name;
	int count[RUN_CLASSES]; /* sent 4xx 5xx refused suspended lost */
	int max_conc;
	double finish; /* not before, nor half a second after */
};

static const struct unseen all[] = {
	/* 24 mails by threes, 0.5 s each: 4 s; 5 one by one, 1 s each. */
	{"two-transports", {29}, 3, 5.2},
	/* 4 + 3 + 2 notices are sent, 2 are refused for good. .t2 fails twice,
	 * three times over: 6. .tx fails at 0, 1, 3, 5, 9 and 17 s, for the
	 * delays are its age, at least 2 and at most 8 s, and a scan comes
	 * every 2 s with a second of grace; at 25 s it is older than 20: 7. */
	{"suffixes", {9, 13, 2}, 1, 25.2},
	/* Fails at 1, 3 and 6 s (delays 3, 3 and 5 s, scans each 3 s); the next
	 * is due at 11 s, scanned at 12. */
	{"down-then-up", {1, 0, 0, 3}, 1, 12.2},
	/* a: the first connection fails, the next does not. b: of five at once
	 * three are turned away, of these, 3 s later, one, and 3 s later none;
	 * that one takes a second. */
	{"turned-away", {6, 0, 0, 5}, 5, 7.2},
	/* m and e fail at 0 and 3 s and are sent at 6 s; r bounces, and so does
	 * its notice, for its sender's domain does not exist. */
	{"fixed-replies", {2, 4, 2}, 1, 6.8},
	/* Refused at 1 s; held when it is due, and up when it is released. The
	 * second goes through at 9 s. */
	{"operator", {2, 0, 0, 1}, 1, 9.2},
	/* Nothing before 3 s, and what the harness then needs for a start. */
	{"late-manager", {4}, 4, 5.6},
	/* 0.2 + 0.1, 0.4 + 2 * 0.1 and 0.2 + 0.1 s, one after the other. */
	{"latency-list", {4}, 1, 1.3},
};

/* Every key, mode and suffix of the format. */
static const char *const words[] = {
	"\"name\"",	    "\"title\"",
	"\"visibility\"",   "\"main\"",
	"\"transports\"",   "\"maxproc\"",
	"\"destinations\"", "\"transport\"",
	"\"phases\"",	    "\"t\"",
	"\"mode\"",	    "\"refuse\"",
	"\"latency\"",	    "\"list\"",
	"\"key\"",	    "\"msg\"",
	"\"per_rcpt\"",	    "\"banner_delay\"",
	"\"connect_fail\"", "\"fail_delay\"",
	"\"conn_limit\"",   "\"mail\"",
	"\"rcpt\"",	    "\"eod\"",
	"\"arrivals\"",	    "\"to\"",
	"\"from\"",	    "\".t2\"",
	"\".tx\"",	    "\".p\"",
	"\"inject_conns\"", "\"actions\"",
	"\"exec\"",	    "\"do\"",
	"\"enable_qmgr\"",  "\"hup\"",
	"\"set\"",	    "\"start_without_qmgr\"",
	"\"duration\"",	    "\"min_duration\"",
	"\"sample\"",
};
enum {
	WORDS = sizeof(words) / sizeof(words[0])
};

static bool seen[WORDS];
static int failures;

static void
look_for_words(const char *file)
{
	static char text[1 << 16];
	FILE *f = fopen(file, "r");
	size_t n;

	if (f == NULL)
		abort();
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	fclose(f);
	for (size_t i = 0; i < WORDS; i++)
		seen[i] = seen[i] || strstr(text, words[i]) != NULL;
}

static bool
convert_file(const char *file, const char *dir, char *error, size_t room)
{
	struct rec_scenario sc;
	bool ok;

	if (!rec_read(&sc, file, BASE, error, room))
		return false;
	ok = convert_scenario(&sc, dir, -2.3, error, room);
	rec_release(&sc);
	return ok;
}

static bool
run_file(const char *file, const char *dir, struct run *r, char *error,
	 size_t room)
{
	const char *simulator = getenv("MTASIM");
	char command[1000];
	char out[200];

	if (simulator == NULL || !convert_file(file, dir, error, room)) {
		if (simulator == NULL)
			snprintf(error, room, "MTASIM is not set");
		return false;
	}
	snprintf(out, sizeof(out), "%s/out", dir);
	snprintf(command, sizeof(command),
		 "rm -rf %s; '%s' run --quiet --out %s %s/scenario.yaml", out,
		 simulator, out, dir);
	if (system(command) != 0) {
		snprintf(error, room, "the simulator failed");
		return false;
	}
	return rundir_load_ours(r, out, error, room);
}

static void
judge(const struct unseen *u, const struct run *r)
{
	int count[RUN_CLASSES] = {0};

	for (size_t i = 0; i < r->attempts_n; i++)
		count[r->attempts[i].class]++;
	for (int c = 0; c < RUN_CLASSES; c++)
		if (count[c] != u->count[c]) {
			failures++;
			printf("FAIL %s: class %d: %d, not %d\n", u->name, c,
			       count[c], u->count[c]);
		}
	if (r->max_conc != u->max_conc) {
		failures++;
		printf("FAIL %s: %d at once, not %d\n", u->name, r->max_conc,
		       u->max_conc);
	}
	if (r->finish < u->finish || r->finish > u->finish + 0.5) {
		failures++;
		printf("FAIL %s: last attempt at %.3f s\n", u->name, r->finish);
	}
}

int
main(void)
{
	char dir[] = "/tmp/oracle-unseen-XXXXXX";
	char command[100];

	if (mkdtemp(dir) == NULL)
		return 1;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct run r;
		char file[1000];
		char error[600];

		snprintf(file, sizeof(file), FOLDER "%s.json", all[i].name);
		look_for_words(file);
		if (!run_file(file, dir, &r, error, sizeof(error))) {
			failures++;
			printf("FAIL %s: %s\n", all[i].name, error);
			continue;
		}
		judge(&all[i], &r);
		rundir_release(&r);
	}
	for (size_t i = 0; i < WORDS; i++)
		if (!seen[i]) {
			failures++;
			printf("FAIL no scenario has %s\n", words[i]);
		}
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	failures += system(command) != 0;
	printf("unseen scenarios: %s\n", failures == 0 ? "ok" : "FAILED");
	return failures == 0 ? 0 : 1;
}
