/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What long lists and blocked jobs cost those beside them.
 *
 * Lists: messages of 5,000 recipients among single ones, more of both than 2000
 * processes can take at once, so that small mail passes the lists (preemption).
 * Beside it the single ones alone.
 *
 * Blocked: a destination that answers after five minutes has 20,000 jobs in
 * active while a quick one gets 500 mails a second. Beside it the quick one
 * alone; what is left when there is no quick mail is measured and taken off.
 */
#include <stdio.h>

#include "tests/bench/bench.h"
#include "tests/bench/sim.h"

enum {
	LIST_RECIPIENTS = 5000,
	BLOCKED = 20000,
	QUICK_RATE = 500
};

static void
write_lists(struct bench_sim *s, int seconds, bool has_lists)
{
	FILE *f = bench_sim_write(s);

	bench_sim_head(f, "until: drained, at_most: 100d", "60s", 2000);
	fprintf(f,
		"receivers: {r: {connect: 20ms, "
		"transfer: {exponential: 980ms}}}\n"
		"domains: {\"*\": {receiver: {each: r}}}\n"
		"sources:\n"
		"  single:\n    arrivals: {poisson: 1000/s}\n"
		"    until: %ds\n    users: 100\n    to: ",
		seconds);
	bench_sim_zipf(f, 10000, 1);
	if (has_lists) {
		fprintf(f,
			"  list:\n    arrivals: {even: 1/s}\n"
			"    until: %ds\n    recipients: %d\n"
			"    users: 100\n    to: ",
			seconds, LIST_RECIPIENTS);
		bench_sim_zipf(f, 10000, 1);
	}
	bench_sim_written(s, f);
}

static void
lists(void)
{
	int seconds = bench_is_full() ? 1000 : 60;
	double single = 1000.0 * seconds;
	double listed = (double)LIST_RECIPIENTS * seconds;
	struct bench_sim s[2];
	struct bench_work works[2];
	struct bench_result r[2];

	for (int i = 0; i < 2; i++) {
		bench_sim_open(&s[i]);
		write_lists(&s[i], seconds, i == 1);
		works[i] = bench_sim_work(&s[i]);
	}
	bench_in_turn(works, 2, r);
	for (int i = 0; i < 2; i++)
		bench_sim_close(&s[i]);
	printf("single messages alone: %.0f ns each\n",
	       r[0].seconds / single * 1e9);
	printf("with %d lists of %d: %.0f ns for a recipient of a list, "
	       "%.0f MB\n",
	       seconds, LIST_RECIPIENTS,
	       (r[1].seconds - r[0].seconds) / listed * 1e9, r[1].bytes / 1e6);
	fflush(stdout);
}

static void
write_blocked(struct bench_sim *s, int seconds, int blocked, bool is_quick)
{
	FILE *f = bench_sim_write(s);
	char run[32];

	snprintf(run, sizeof(run), "for: %ds", seconds);
	bench_sim_head(f, run, "60s", 100);
	fprintf(f,
		"receivers:\n"
		"  quick: {connect: 1ms, transfer: {exponential: 10ms}}\n"
		"  slow: {connect: 1ms, transfer: 300s}\n"
		"domains: {quick.example: {receiver: quick}, "
		"slow.example: {receiver: slow}}\n"
		"start:\n  - {queue: incoming, messages: %d, users: 100, "
		"to: slow.example}\n",
		blocked);
	if (is_quick)
		fprintf(f,
			"sources:\n  s:\n    arrivals: {poisson: %d/s}\n"
			"    users: 100\n    to: quick.example\n",
			QUICK_RATE);
	bench_sim_written(s, f);
}

static void
blocked(void)
{
	/* none and many blocked, without and with quick mail */
	static const struct {
		int blocked;
		bool is_quick;
	} cases[] = {{1, false}, {1, true}, {BLOCKED, false}, {BLOCKED, true}};
	int seconds = bench_is_full() ? 200 : 100;
	double quick = (double)QUICK_RATE * seconds;
	struct bench_sim s[4];
	struct bench_work works[4];
	struct bench_result r[4];

	for (int i = 0; i < 4; i++) {
		bench_sim_open(&s[i]);
		bench_sim_option(&s[i], "--set");
		bench_sim_option(&s[i], "mta.qmgr_message_active_limit=40000");
		bench_sim_option(&s[i], "--set");
		bench_sim_option(&s[i],
				 "mta.qmgr_message_recipient_limit=40000");
		write_blocked(&s[i], seconds, cases[i].blocked,
			      cases[i].is_quick);
		works[i] = bench_sim_work(&s[i]);
	}
	bench_in_turn(works, 4, r);
	for (int i = 0; i < 4; i++)
		bench_sim_close(&s[i]);
	printf("quick mail alone: %.0f ns each; beside %d blocked jobs: "
	       "%.0f ns\n",
	       (r[1].seconds - r[0].seconds) / quick * 1e9, BLOCKED,
	       (r[3].seconds - r[2].seconds) / quick * 1e9);
}

int
main(void)
{
	lists();
	blocked();
	return 0;
}
