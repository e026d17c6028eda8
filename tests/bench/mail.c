/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Mail: mtasim, the whole program with its results folder, beside the mini
 * model doing the same work. Scenarios are written to a folder of their own
 * under the system's for temporary files, which is left empty.
 *
 * Feature by feature mtasim does more (that is what it is for); the ratio tells
 * what all of it together costs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/bench.h"
#include "tests/bench/mini.h"

enum {
	PATH_ROOM = 256
};

struct mail_case {
	const char *name;
	struct mini_case mini;
};

static const struct mail_case cases[] = {
	{"steady, 100 processes, 5 % fail", {10000, 100, 85, 3600, 0, 0.05}},
	{"steady, 2000 processes, 5 % fail", {10000, 2000, 1400, 300, 0, 0.05}},
	{"steady, 2000 processes, 30 % fail",
	 {10000, 2000, 1000, 300, 0, 0.30}},
	{"drain of 300,000 queued", {10000, 2000, 0, 0, 300000, 0}},
};

struct paths {
	char dir[PATH_ROOM];
	char scenario[PATH_ROOM + 16];
	char out[PATH_ROOM + 16];
};

static void
fail(const char *what)
{
	perror(what);
	exit(1);
}

static void
paths_make(struct paths *p)
{
	const char *base = getenv("TMPDIR");

	snprintf(p->dir, sizeof(p->dir), "%s/mtasim-bench-XXXXXX",
		 base ? base : "/tmp");
	if (!mkdtemp(p->dir))
		fail(p->dir);
	snprintf(p->scenario, sizeof(p->scenario), "%s/s.yaml", p->dir);
	snprintf(p->out, sizeof(p->out), "%s/out", p->dir);
}

static void
paths_remove(const struct paths *p)
{
	char remove[] = "/bin/rm";
	char flag[] = "-rf";
	char dir[PATH_ROOM];
	char *argv[] = {remove, flag, dir, NULL};

	snprintf(dir, sizeof(dir), "%s", p->dir);
	bench_program(argv);
}

static void
write_scenario(const struct paths *p, const struct mini_case *c)
{
	FILE *f = fopen(p->scenario, "w");

	if (!f)
		fail(p->scenario);
	fprintf(f, "scenario: bench\nrun: {until: drained, at_most: 5d, "
		   "sample: 60s}\n"
		   "mta:\n"
		   "  default_destination_concurrency_positive_feedback: "
		   "1/concurrency\n"
		   "  default_destination_concurrency_negative_feedback: "
		   "1/concurrency\n"
		   "  in_flow_delay: 0\n");
	fprintf(f, "transports: {smtp: {maxproc: %u}}\n", c->processes);
	fprintf(f, "receivers:\n  r:\n    connect: 20ms\n"
		   "    transfer: {exponential: 980ms}\n");
	if (c->failing > 0)
		fprintf(f,
			"    replies: [{step: end, code: 450, share: "
			"%.6f}]\n",
			c->failing);
	fprintf(f, "domains: {\"*\": {receiver: {each: r}}}\n");
	if (c->rate > 0)
		fprintf(f,
			"sources:\n  s:\n"
			"    arrivals: {poisson: %.1f/s}\n    until: %.0fs\n",
			c->rate, c->seconds);
	else
		fprintf(f, "start:\n  - queue: incoming\n    messages: %u\n",
			c->backlog);
	fprintf(f,
		"    users: 100\n    size: 5KB\n"
		"    to: {zipf: {domains: %u, exponent: 1, name: "
		"\"d{n}.example\"}}\n",
		c->destinations);
	if (fclose(f) != 0)
		fail(p->scenario);
}

static int
run_mini(void *argument)
{
	return mini_run(argument) == 0;
}

static struct bench_cost
run_mtasim(const struct paths *p)
{
	char program[PATH_ROOM * 4];
	char run[] = "run";
	char quiet[] = "--quiet";
	char out[] = "--out";
	char scenario[sizeof(p->scenario)];
	char folder[sizeof(p->out)];
	char *argv[] = {program, run, quiet, out, folder, scenario, NULL};
	const char *path = getenv("MTASIM");

	snprintf(program, sizeof(program), "%s",
		 path ? path : "build/release/gcc/mtasim");
	snprintf(scenario, sizeof(scenario), "%s", p->scenario);
	snprintf(folder, sizeof(folder), "%s", p->out);
	return bench_program(argv);
}

static void
compare(const struct paths *p, const struct mail_case *m)
{
	struct mini_case c = m->mini;
	double messages = c.backlog + c.rate * c.seconds;
	double ours[BENCH_ROUNDS_MAX];
	double mini[BENCH_ROUNDS_MAX];
	double ratio[BENCH_ROUNDS_MAX];
	double bytes = 0;
	int rounds = bench_rounds();

	write_scenario(p, &c);
	for (int i = 0; i < rounds; i++) {
		struct bench_cost cost = run_mtasim(p);

		bytes = cost.bytes;
		ours[i] = cost.seconds / messages * 1e9;
		mini[i] = bench_measure(run_mini, &c).seconds / messages * 1e9;
		ratio[i] = mini[i] / ours[i];
	}
	printf("%-36s %8.0f %8.0f %7.3f %6.1f\n", m->name,
	       bench_median(ours, rounds), bench_median(mini, rounds),
	       bench_median(ratio, rounds), bytes / 1e6);
	fflush(stdout);
}

int
main(void)
{
	struct paths p;

	paths_make(&p);
	printf("%-36s %8s %8s %7s %6s\n", "case", "ours ns", "mini ns", "ratio",
	       "MB");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		compare(&p, &cases[i]);
	paths_remove(&p);
	return 0;
}
