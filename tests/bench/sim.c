/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Scenarios are written with the same words everywhere, so that what is
 * compared differs only in what the case is about.
 */
#include "tests/bench/sim.h"

#include <stdlib.h>
#include <unistd.h>

static void
fail(const char *what)
{
	perror(what);
	exit(1);
}

/* Into argv, before the scenario. */
static void
add(struct bench_sim *s, char *argument)
{
	if (s->argument_count + 2 >= BENCH_ARGUMENTS) {
		fprintf(stderr, "bench: too many options\n");
		exit(1);
	}
	s->argv[s->argument_count++] = argument;
	s->argv[s->argument_count] = s->scenario;
	s->argv[s->argument_count + 1] = NULL;
}

void
bench_sim_option(struct bench_sim *s, const char *option)
{
	char *text = s->options[s->argument_count];

	snprintf(text, sizeof(s->options[0]), "%s", option);
	add(s, text);
}

void
bench_sim_open(struct bench_sim *s)
{
	const char *base = getenv("TMPDIR");
	const char *program = getenv("MTASIM");

	*s = (struct bench_sim){.argument_count = 0};
	snprintf(s->dir, sizeof(s->dir), "%s/mtasim-bench-XXXXXX",
		 base ? base : "/tmp");
	if (!mkdtemp(s->dir))
		fail(s->dir);
	snprintf(s->scenario, sizeof(s->scenario), "%s/s.yaml", s->dir);
	snprintf(s->out, sizeof(s->out), "%s/out", s->dir);
	snprintf(s->program, sizeof(s->program), "%s",
		 program ? program : "build/release/gcc/mtasim");
	add(s, s->program);
	bench_sim_option(s, "run");
	bench_sim_option(s, "--quiet");
	bench_sim_option(s, "--out");
	add(s, s->out);
}

struct bench_work
bench_sim_work(struct bench_sim *s)
{
	return (struct bench_work){.run = bench_execute, .argument = s->argv};
}

void
bench_sim_close(struct bench_sim *s)
{
	char rm[] = "/bin/rm";
	char flag[] = "-rf";
	char *argv[] = {rm, flag, s->dir, NULL};

	bench_measure(bench_execute, argv);
}

FILE *
bench_sim_write(struct bench_sim *s)
{
	FILE *f = fopen(s->scenario, "w");

	if (!f)
		fail(s->scenario);
	return f;
}

void
bench_sim_written(struct bench_sim *s, FILE *f)
{
	if (fclose(f) != 0)
		fail(s->scenario);
}

void
bench_sim_head(FILE *f, const char *run, const char *sample, uint32_t processes)
{
	fprintf(f,
		"scenario: bench\nrun: {%s, sample: %s}\n"
		"mta:\n"
		"  default_destination_concurrency_positive_feedback: "
		"1/concurrency\n"
		"  default_destination_concurrency_negative_feedback: "
		"1/concurrency\n"
		"  in_flow_delay: 0\n",
		run, sample);
	fprintf(f, "transports: {smtp: {maxproc: %u}}\n", processes);
}

void
bench_sim_zipf(FILE *f, uint32_t domains, int exponent)
{
	fprintf(f,
		"{zipf: {domains: %u, exponent: %d, name: "
		"\"d{n}.example\"}}\n",
		domains, exponent);
}

void
bench_sim_mail(struct bench_sim *s, const struct mini_case *c,
	       const char *sample)
{
	FILE *f = bench_sim_write(s);

	bench_sim_head(f, "until: drained, at_most: 100d", sample,
		       c->processes);
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
	fprintf(f, "    users: 100\n    size: 5KB\n    to: ");
	bench_sim_zipf(f, c->destinations, 1);
	bench_sim_written(s, f);
}
