/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Mail that only waits: messages in deferred, none due, while the queue is run
 * every 300 seconds for five days. What a queue run costs is the difference
 * between five days and one hour, and is to be the same for any number. What it
 * is for many is known only as well as the time to load them: a hundredth of
 * that time is more than a queue run.
 */
#include <stdio.h>

#include "tests/bench/bench.h"
#include "tests/bench/sim.h"

enum {
	RUNS = (5 * 24 - 1) * 12 /* in what five days have more than an hour */
};

static void
write_scenario(struct bench_sim *s, uint32_t messages, const char *run)
{
	FILE *f = bench_sim_write(s);

	bench_sim_head(f, run, "1h", 100);
	fprintf(f,
		"receivers: {r: {connect: 20ms}}\n"
		"domains: {\"*\": {receiver: {each: r}}}\n"
		"start:\n  - queue: deferred\n    messages: %u\n"
		"    due: 30d\n    users: 100\n    to: ",
		messages);
	bench_sim_zipf(f, 10000, 1);
	bench_sim_written(s, f);
}

static void
wait_out(uint32_t messages)
{
	struct bench_sim s[2];
	struct bench_work works[2];
	struct bench_result r[2];

	for (int i = 0; i < 2; i++) {
		bench_sim_open(&s[i]);
		write_scenario(&s[i], messages, i ? "for: 5d" : "for: 1h");
		works[i] = bench_sim_work(&s[i]);
	}
	bench_in_turn(works, 2, r);
	for (int i = 0; i < 2; i++)
		bench_sim_close(&s[i]);
	printf("%9u %12.0f %14.1f %10.0f\n", messages,
	       r[0].seconds / messages * 1e9,
	       (r[1].ratio - 1) * r[0].seconds / RUNS * 1e6,
	       r[1].bytes / messages);
	fflush(stdout);
}

int
main(void)
{
	printf("%9s %12s %14s %10s\n", "deferred", "ns to load", "us/queue run",
	       "bytes each");
	wait_out(1000);
	wait_out(100000);
	wait_out(1000000);
	if (bench_is_full())
		wait_out(10000000);
	return 0;
}
