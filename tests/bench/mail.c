/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Mail: mtasim, the whole program with its results folder, beside the mini
 * model doing the same work. Feature by feature mtasim does more (that is what
 * it is for); the ratio tells what all of it together costs.
 *
 * A million messages, so that the start and the end of the run, which cost by
 * the destination, weigh little. The last line is the memory of a message that
 * waits: peak of a drain over that of a drain of a tenth, by the difference of
 * messages.
 */
#include <stdio.h>

#include "tests/bench/bench.h"
#include "tests/bench/mini.h"
#include "tests/bench/sim.h"

struct mail_case {
	const char *name;
	struct mini_case mini;
};

static const struct mail_case cases[] = {
	{"steady, 100 processes, 5 % fail", {10000, 100, 85, 11765, 0, 0.05}},
	{"steady, 2000 processes, 5 % fail", {10000, 2000, 1400, 714, 0, 0.05}},
	{"steady, 2000 processes, 30 % fail",
	 {10000, 2000, 1000, 1000, 0, 0.30}},
};

static int
run_mini(void *argument)
{
	return mini_run(argument) == 0;
}

/* Returns our peak of memory. */
static double
compare(const char *name, const struct mini_case *mini)
{
	struct mini_case c = *mini;
	double messages = c.backlog + c.rate * c.seconds;
	struct bench_work works[2] = {{run_mini, &c}};
	struct bench_result r[2];
	struct bench_sim s;

	bench_sim_open(&s);
	bench_sim_mail(&s, &c, "60s");
	works[1] = bench_sim_work(&s);
	bench_in_turn(works, 2, r);
	bench_sim_close(&s);
	printf("%-36s %8.0f %8.0f %7.3f %7.1f\n", name,
	       r[1].seconds / messages * 1e9, r[0].seconds / messages * 1e9,
	       1 / r[1].ratio, r[1].bytes / 1e6);
	fflush(stdout);
	return r[1].bytes;
}

/* Ten times as long at the full scale. */
static void
steady(const struct mail_case *m)
{
	struct mini_case c = m->mini;

	c.seconds *= bench_is_full() ? 10 : 1;
	compare(m->name, &c);
}

static double
drain(uint32_t messages)
{
	struct mini_case c = {10000, 2000, 0, 0, messages, 0};
	char name[64];

	snprintf(name, sizeof(name), "drain of %u queued", messages);
	return compare(name, &c);
}

int
main(void)
{
	uint32_t most = bench_is_full() ? 10000000 : 1000000;
	double less, more;

	printf("%-36s %8s %8s %7s %7s\n", "case", "ours ns", "mini ns", "ratio",
	       "MB");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		steady(&cases[i]);
	less = drain(most / 10);
	more = drain(most);
	printf("bytes for a message that waits: %.0f\n",
	       (more - less) / (0.9 * most));
	return 0;
}
