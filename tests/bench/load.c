/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A scenario file with 100,000 domains: mtasim from the command line to the end
 * of a run in which nothing happens, beside libyaml's parser alone on the same
 * file, which is the least that reading it can cost.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <yaml.h>

#include "tests/bench/bench.h"

enum {
	PATH_ROOM = 256,
	DOMAINS = 100000
};

static void
write_scenario(const char *path)
{
	FILE *f = fopen(path, "w");

	if (!f) {
		perror(path);
		exit(1);
	}
	fprintf(f, "scenario: load\nrun: {for: 1s}\n"
		   "receivers: {r: {connect: 20ms}}\n"
		   "sources: {s: {arrivals: {burst: {at: 0s, messages: 1}}, "
		   "to: d7.example}}\n"
		   "domains:\n");
	for (int i = 0; i < DOMAINS; i++)
		fprintf(f,
			"  domain-number-%d.example: {receiver: r, "
			"transport: smtp}\n",
			i);
	fprintf(f, "  d7.example: {receiver: r}\n");
	fclose(f);
}

static int
parse_only(void *argument)
{
	FILE *f = fopen(argument, "r");
	yaml_parser_t parser;
	yaml_event_t event;
	int is_end = 0;

	if (!f || !yaml_parser_initialize(&parser))
		return 1;
	yaml_parser_set_input_file(&parser, f);
	while (!is_end) {
		if (!yaml_parser_parse(&parser, &event))
			return 1;
		is_end = event.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	return fclose(f);
}

int
main(void)
{
	char dir[] = "/tmp/mtasim-bench-XXXXXX";
	char scenario[PATH_ROOM], out[PATH_ROOM], program[PATH_ROOM * 4];
	char run[] = "run", quiet[] = "--quiet", to[] = "--out";
	char rm[] = "/bin/rm", rf[] = "-rf";
	char *argv[] = {program, run, quiet, to, out, scenario, NULL};
	char *clean[] = {rm, rf, dir, NULL};
	const char *path = getenv("MTASIM");
	double ours[BENCH_ROUNDS_MAX], bare[BENCH_ROUNDS_MAX];
	int rounds = bench_rounds();

	if (!mkdtemp(dir))
		return 1;
	snprintf(scenario, sizeof(scenario), "%s/s.yaml", dir);
	snprintf(out, sizeof(out), "%s/out", dir);
	snprintf(program, sizeof(program), "%s",
		 path ? path : "build/release/gcc/mtasim");
	write_scenario(scenario);
	for (int i = 0; i < rounds; i++) {
		ours[i] = bench_program(argv).seconds;
		bare[i] = bench_measure(parse_only, scenario).seconds;
	}
	bench_program(clean);
	printf("%d domains: run %.3f s, parser alone %.3f s\n", DOMAINS,
	       bench_median(ours, rounds), bench_median(bare, rounds));
	return 0;
}
