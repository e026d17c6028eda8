/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What each table of the results costs: 3,000 mails a second to 1,000 busy
 * destinations with hardly a sample, and the same with one thing more. The
 * share is of the run that has it.
 */
#include <stdio.h>

#include "tests/bench/bench.h"
#include "tests/bench/sim.h"

struct output_case {
	const char *name;
	const char *sample;
	const char *option; /* with its value, or NULL */
	const char *value;
};

static const struct output_case cases[] = {
	{"samples every hour", "1h", NULL, NULL},
	{"samples every second, one name", "1s", "--set", "destinations.top=1"},
	{"the same, 200 names", "1s", NULL, NULL},
	{"the same, 1000 names", "1s", "--set", "destinations.top=1000"},
	{"messages", "1h", "--output", "messages"},
	{"attempts", "1h", "--output", "attempts"},
	{"moves", "1h", "--output", "moves"},
	{"maillog", "1h", "--output", "maillog"},
};

enum {
	CASES = sizeof(cases) / sizeof(cases[0]),
	RATE = 3000
};

static void
write_scenario(struct bench_sim *s, const char *sample, int seconds)
{
	FILE *f = bench_sim_write(s);

	bench_sim_head(f, "until: drained, at_most: 100d", sample, 4000);
	fprintf(f,
		"receivers: {r: {connect: 20ms, "
		"transfer: {exponential: 980ms}}}\n"
		"domains: {\"*\": {receiver: {each: r}}}\n"
		"sources:\n  s:\n    arrivals: {poisson: %d/s}\n"
		"    until: %ds\n    users: 100\n    to: ",
		RATE, seconds);
	bench_sim_zipf(f, 1000, 0);
	bench_sim_written(s, f);
}

int
main(void)
{
	int seconds = bench_is_full() ? 300 : 20;
	struct bench_sim s[CASES];
	struct bench_work works[CASES];
	struct bench_result r[CASES];

	for (int i = 0; i < CASES; i++) {
		bench_sim_open(&s[i]);
		if (cases[i].option) {
			bench_sim_option(&s[i], cases[i].option);
			bench_sim_option(&s[i], cases[i].value);
		}
		write_scenario(&s[i], cases[i].sample, seconds);
		works[i] = bench_sim_work(&s[i]);
	}
	bench_in_turn(works, CASES, r);
	for (int i = 0; i < CASES; i++) {
		bench_sim_close(&s[i]);
		printf("%-32s %8.0f ns a message, share %5.1f %%\n",
		       cases[i].name,
		       r[i].seconds / ((double)RATE * seconds) * 1e9,
		       100 * (1 - 1 / r[i].ratio));
	}
	return 0;
}
