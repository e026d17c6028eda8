/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A scenario file with 100,000 domains: mtasim from the command line to the end
 * of a run in which nothing happens, beside libyaml's parser alone on the same
 * file, which is the least that reading it can cost.
 */
#include <stdio.h>
#include <yaml.h>

#include "tests/bench/bench.h"
#include "tests/bench/sim.h"

enum {
	DOMAINS = 100000
};

static void
write_scenario(struct bench_sim *s)
{
	FILE *f = bench_sim_write(s);

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
	bench_sim_written(s, f);
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
	struct bench_work works[2];
	struct bench_result r[2];
	struct bench_sim s;

	bench_sim_open(&s);
	write_scenario(&s);
	works[0] = (struct bench_work){parse_only, s.scenario};
	works[1] = bench_sim_work(&s);
	bench_in_turn(works, 2, r);
	bench_sim_close(&s);
	printf("%d domains: run %.3f s, parser alone %.3f s, ratio %.2f, "
	       "%.0f MB\n",
	       DOMAINS, r[1].seconds, r[0].seconds, r[1].ratio,
	       r[1].bytes / 1e6);
	return 0;
}
