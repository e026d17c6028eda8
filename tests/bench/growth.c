/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How cost grows: with the number of messages and with that of destinations,
 * and what a second process brings. The cost of a message is to stay what it
 * is.
 */
#include <stdio.h>

#include "tests/bench/bench.h"
#include "tests/bench/sim.h"

static void
print(const char *what, double number, double messages,
      const struct bench_result *r)
{
	printf("%-13s %11.0f %10.0f ns a message, ratio %5.2f, %8.1f MB\n",
	       what, number, r->seconds / messages * 1e9, r->ratio,
	       r->bytes / 1e6);
	fflush(stdout);
}

/* So much mail that no queue grows, however long it comes. */
static struct mini_case
steady(uint32_t destinations, double messages)
{
	enum {
		PROCESSES = 100,
		RATE = 85
	};

	return (struct mini_case){destinations,	   PROCESSES, RATE,
				  messages / RATE, 0,	      0};
}

/* Each size by itself, for the greatest take long. */
static void
by_messages(void)
{
	double first = 0;
	double most = bench_is_full() ? 1e8 : 3e5;

	for (double n = bench_is_full() ? 1e5 : 1e4; n < 1.1 * most;) {
		struct mini_case c = steady(10000, n);
		struct bench_sim s;
		struct bench_work work;
		struct bench_result r;

		bench_sim_open(&s);
		bench_sim_mail(&s, &c, "60s");
		work = bench_sim_work(&s);
		bench_in_turn(&work, 1, &r);
		bench_sim_close(&s);
		first = first > 0 ? first : r.seconds / n;
		r.ratio = r.seconds / n / first;
		print("messages", n, n, &r);
		n = n < most && n * 10 > most ? most : n * 10;
	}
}

static void
by_destinations(void)
{
	static const uint32_t numbers[] = {10000, 100000, 1000000};
	double messages = bench_is_full() ? 1e7 : 1e5;
	size_t count = bench_is_full() ? 3 : 2;
	struct bench_sim s[3];
	struct bench_work works[3];
	struct bench_result r[3];

	for (size_t i = 0; i < count; i++) {
		struct mini_case c = steady(numbers[i], messages);

		bench_sim_open(&s[i]);
		bench_sim_mail(&s[i], &c, "60s");
		works[i] = bench_sim_work(&s[i]);
	}
	bench_in_turn(works, count, r);
	for (size_t i = 0; i < count; i++) {
		bench_sim_close(&s[i]);
		print("destinations", numbers[i], messages, &r[i]);
	}
}

static void
by_jobs(void)
{
	struct mini_case c = steady(10000, bench_is_full() ? 1e6 : 5e4);
	struct bench_sim s[2];
	struct bench_work works[2];
	struct bench_result r[2];

	for (int i = 0; i < 2; i++) {
		bench_sim_open(&s[i]);
		bench_sim_option(&s[i], "--replications");
		bench_sim_option(&s[i], "4");
		bench_sim_option(&s[i], "--jobs");
		bench_sim_option(&s[i], i ? "2" : "1");
		bench_sim_mail(&s[i], &c, "60s");
		works[i] = bench_sim_work(&s[i]);
	}
	bench_in_turn(works, 2, r);
	for (int i = 0; i < 2; i++)
		bench_sim_close(&s[i]);
	printf("4 replications: --jobs 1 %.2f s, --jobs 2 %.2f s of the "
	       "clock: %.2f times as fast\n",
	       r[0].wall, r[1].wall, 1 / r[1].wall_ratio);
}

int
main(void)
{
	by_messages();
	by_destinations();
	by_jobs();
	return 0;
}
