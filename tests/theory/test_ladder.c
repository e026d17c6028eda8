/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The test vectors of back-off and windows through the whole system: F17.1,
 * F17.2, F17.3, F17.5. Expected numbers are those of the fact sheet, computed
 * there by an independent model; the formulas stand beside each.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tests/harness.h"
#include "tests/world_run.h"

#define S INT64_C(1000000)

/* ---- the ladder (F17.3) ------------------------------------------------ */

struct ladder {
	int arrival_s;	 /* scans are at 0, 300, 600, ...: phase p = -arrival */
	int64_t head[8]; /* seconds after arrival */
	int head_count;
	int64_t last;
	size_t attempts;
};

/* R-BACKOFF-AGE, R-DUE-GRACE, R-EXPIRE. After the head each step is 4200 s: the
 * first scan at or after 4000 s, less the second of grace. */
static void
judge_ladder(const struct ladder *l)
{
	char text[1024];
	struct world_run *r;
	size_t n = 0;

	snprintf(text, sizeof(text),
		 "scenario: ladder\nrun: {until: drained, at_most: 6d}\n"
		 "receivers: {r: {replies: [{step: rcpt, code: 450}]}}\n"
		 "domains: {a.example: {receiver: r}}\n"
		 "sources: {s: {arrivals: {times: [%ds]}, to: a.example}}\n",
		 l->arrival_s);
	r = world_run_whole(text);
	for (; n < r->delivery.count; n++) {
		const struct mta_trace_delivery *d =
			world_run_delivery(r, 0, n);

		if (!d || d->outcome != MTA_DEFERRED_OUTCOME)
			break;
		if (n < (size_t)l->head_count)
			ck_assert_int_eq(d->at - d->arrival, l->head[n] * S);
		else
			ck_assert_int_eq(
				d->at - d->arrival,
				(l->head[l->head_count - 1] +
				 4200 * (int64_t)(n + 1 -
						  (size_t)l->head_count)) *
					S);
	}
	ck_assert_uint_eq(n, l->attempts);
	ck_assert_int_eq(world_run_delivery(r, 0, n - 1)->at -
				 world_run_delivery(r, 0, 0)->arrival,
			 l->last * S);
	/* The attempt at or after 5 d expires it, at once. */
	ck_assert_ptr_nonnull(world_run_ended(r, 0));
	ck_assert_uint_eq(world_run_ended(r, 0)->outcome, MTA_EXPIRED);
	ck_assert_uint_eq(world_run_ended(r, 0)->attempts, l->attempts);
	ck_assert_int_eq(world_run_ended(r, 0)->at -
				 world_run_ended(r, 0)->arrival,
			 l->last * S);
	world_run_close(r);
}

START_TEST(ladder_at_three_phases)
{
	judge_ladder(&(struct ladder){
		.arrival_s = 300,
		.head = {0, 300, 600, 1200, 2400, 4800, 9000, 13200},
		.head_count = 8,
		.last = 433200,
		.attempts = 108});
	judge_ladder(&(struct ladder){
		.arrival_s = 150,
		.head = {0, 450, 1050, 2250, 4650, 8850, 13050, 17250},
		.head_count = 8,
		.last = 433050,
		.attempts = 107});
	judge_ladder(&(struct ladder){
		.arrival_s = 1,
		.head = {0, 299, 599, 1199, 2399, 4799, 8999, 13199},
		.head_count = 8,
		.last = 433199,
		.attempts = 108});
}
END_TEST

/* ---- windows (F17.1, F17.2) -------------------------------------------- */

struct ramp {
	const char *positive;
	const char *negative;
	int initial;
	int limit;
	int cohorts;
	int maxproc;
	int mails;
	const char *receiver;
};

static struct world_run *
run_ramp(const struct ramp *p)
{
	char text[2048];

	snprintf(text, sizeof(text),
		 "scenario: ramp\nrun: {for: 290s}\nspool: {order: "
		 "oldest-first}\n"
		 "mta:\n"
		 "  in_flow_delay: 0\n"
		 "  initial_destination_concurrency: %d\n"
		 "  default_destination_concurrency_limit: %d\n"
		 "  default_destination_concurrency_positive_feedback: %s\n"
		 "  default_destination_concurrency_negative_feedback: %s\n"
		 "  default_destination_concurrency_failed_cohort_limit: %d\n"
		 "  smtp_connection_cache_on_demand: no\n"
		 "transports: {smtp: {maxproc: %d}}\n"
		 "receivers: {r: %s}\n"
		 "domains: {a.example: {receiver: r}}\n"
		 "sources: {s: {arrivals: {burst: {at: 1s, messages: %d}}, "
		 "to: a.example}}\n",
		 p->initial, p->limit, p->positive ? p->positive : "1",
		 p->negative ? p->negative : "1", p->cohorts, p->maxproc,
		 p->receiver, p->mails);
	return world_run_whole(text);
}

/* The windows after each event; the last one is 0: dead. */
static void
judge_fall(const char *negative, int initial, int cohorts, const char *windows)
{
	struct world_run *r = run_ramp(&(struct ramp){
		.negative = negative,
		.initial = initial,
		.limit = initial,
		.cohorts = cohorts,
		.maxproc = 100,
		.mails = 150,
		.receiver = "{fails: {share: 100%, how: refused, after: "
			    "10ms}}"});
	size_t n = 0;
	int length;
	int expected;

	for (; sscanf(windows, "%d%n", &expected, &length) == 1; n++) {
		const struct mta_trace_feedback *f =
			world_run_feedback(r, "a.example", n);

		ck_assert_ptr_nonnull(f);
		ck_assert_msg(f->window == expected,
			      "from %d, feedback %s: event %zu gives %d, not "
			      "%d",
			      initial, negative, n + 1, f->window, expected);
		ck_assert_uint_eq(f->event, expected ? MTA_FEEDBACK_SICK
						     : MTA_FEEDBACK_DEAD);
		windows += length;
	}
	ck_assert_uint_gt(n, 0);
	world_run_close(r);
}

/* The number of the event that kills. */
static void
judge_fall_length(const char *negative, int initial, int cohorts, size_t events)
{
	struct world_run *r = run_ramp(&(struct ramp){
		.negative = negative,
		.initial = initial,
		.limit = initial,
		.cohorts = cohorts,
		.maxproc = 100,
		.mails = 150,
		.receiver = "{fails: {share: 100%, how: refused, after: "
			    "10ms}}"});

	ck_assert_ptr_nonnull(world_run_feedback(r, "a.example", events - 1));
	for (size_t n = 0; n < events; n++)
		ck_assert_uint_eq(world_run_feedback(r, "a.example", n)->event,
				  n + 1 < events ? MTA_FEEDBACK_SICK
						 : MTA_FEEDBACK_DEAD);
	world_run_close(r);
}

/* F17.1 */
START_TEST(falls)
{
	judge_fall("1", 1, 1, "0");
	judge_fall("1", 2, 1, "1 0");
	judge_fall("1", 3, 1, "1 0");
	judge_fall("1", 5, 1, "3 2 0");
	judge_fall("1", 10, 1, "8 7 6 5 4 3 0");
	judge_fall("1", 20, 1, "18 17 16 15 14 13 12 11 10 9 8 7 0");
	judge_fall("1/concurrency", 5, 1, "4 4 4 3 0");
	judge_fall_length("1/concurrency", 10, 1, 10);
	judge_fall_length("1/concurrency", 20, 1, 20);
	judge_fall("0.25", 5, 1, "4 4 4 3 0");
	judge_fall("0.25", 10, 1, "9 9 9 8 8 8 8 7 0");
	judge_fall("0", 5, 1, "5 5 5 5 0");
	/* Ten times 1/10 is below 1 in doubles. */
	judge_fall_length("0", 10, 1, 11);
	judge_fall_length("0", 20, 1, 20);
	judge_fall("1", 5, 2, "3 2 1 0");
	judge_fall("1", 5, 3, "3 2 1 1 0");
	judge_fall_length("1", 5, 10, 12);
	judge_fall_length("1", 5, 100, 102);
}
END_TEST

/* A backlog keeps busy = window; exponential times keep completions apart. */
static struct world_run *
run_climb(const char *positive, int maxproc)
{
	return run_ramp(&(struct ramp){.positive = positive,
				       .initial = 5,
				       .limit = 20,
				       .cohorts = 1,
				       .maxproc = maxproc,
				       .mails = 150,
				       .receiver = "{transfer: {exponential: "
						   "1s}}"});
}

/* The window grows at these events (from 1) and at no other. */
static void
judge_climb(const char *positive, const char *steps)
{
	struct world_run *r = run_climb(positive, 100);
	int32_t window = 5;
	size_t n = 0;
	int at;
	int length;

	while (sscanf(steps, "%d%n", &at, &length) == 1) {
		for (; n < (size_t)at; n++) {
			const struct mta_trace_feedback *f =
				world_run_feedback(r, "a.example", n);

			window += n + 1 == (size_t)at;
			ck_assert_ptr_nonnull(f);
			ck_assert_uint_eq(f->event, MTA_FEEDBACK_ALIVE);
			ck_assert_msg(f->window == window,
				      "feedback %s: event %zu gives %d, not "
				      "%d",
				      positive, n + 1, f->window, window);
		}
		steps += length;
	}
	ck_assert_uint_gt(n, 0);
	world_run_close(r);
}

/* F17.2 */
START_TEST(climbs)
{
	struct world_run *r;

	judge_climb("1", "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15");
	judge_climb("1/4", "4 8 12 16 20 24");
	judge_climb("1/3", "3 6 9 12 15 18");
	judge_climb("0.4", "2 5 7 10 12 15");
	judge_climb("1/concurrency", "5 11 18 26 35");
	/* Never above the limit. */
	r = run_climb("1", 100);
	for (size_t n = 15; n < 120; n++)
		ck_assert_int_le(world_run_feedback(r, "a.example", n)->window,
				 20);
	ck_assert_int_eq(world_run_feedback(r, "a.example", 15)->window, 20);
	world_run_close(r);
}
END_TEST

/* F17.2: one agent only, so busy is 1: the ceiling is busy + initial = 6. */
START_TEST(busy_is_a_ceiling)
{
	struct world_run *r = run_climb("1", 1);

	for (size_t n = 0; n < 30; n++)
		ck_assert_int_eq(world_run_feedback(r, "a.example", n)->window,
				 6);
	world_run_close(r);
}
END_TEST

/* F17.2: bad and good in turn from 20. */
START_TEST(bad_and_good_in_turn)
{
	static const int32_t windows[] = {18, 19, 17, 18, 16, 17, 15, 16};
	struct world_run *r = run_ramp(&(struct ramp){
		.initial = 20,
		.limit = 20,
		.cohorts = 1,
		.maxproc = 1,
		.mails = 50,
		.receiver = "{fails: {pattern: [1, 0], how: refused, after: "
			    "10ms}}"});

	for (size_t n = 0; n < 8; n++)
		ck_assert_int_eq(world_run_feedback(r, "a.example", n)->window,
				 windows[n]);
	world_run_close(r);
}
END_TEST

/* ---- death (F17.5) ----------------------------------------------------- */

/* R-DEAD, R-DEFER-WAITING, R-DEAD-RETURN, R-DEST-FORGET */
START_TEST(death_and_return)
{
	static const struct {
		int64_t at_s;
		uint32_t event;
		int32_t window;
		int32_t busy; /* the reported delivery included */
		double cohorts;
	} events[] = {
		{30, MTA_FEEDBACK_SICK, 3, 5, 1.0 / 5},
		{30, MTA_FEEDBACK_SICK, 2, 4, 1.0 / 5 + 1.0 / 3},
		{30, MTA_FEEDBACK_DEAD, 0, 3, 1.0 / 5 + 1.0 / 3 + 1.0 / 2},
		{330, MTA_FEEDBACK_REVIVED, 5, 0, 0},
	};
	static const char suspended[] = "delivery temporarily suspended: ";
	struct world_run *r = world_run_open(
		"scenario: death\nrun: {for: 599s}\n"
		"spool: {order: oldest-first}\n"
		"receivers: {r: {state: timeout}}\n"
		"domains: {a.example: {receiver: r}}\n"
		"sources: {s: {arrivals: {burst: {at: 0s, messages: 8}}, "
		"to: a.example}}\n",
		NULL);

	world_run_until(r, 331 * S);
	ck_assert_uint_eq(r->world.qmgr.dest_total, 0);
	for (size_t n = 0; n < 4; n++) {
		const struct mta_trace_feedback *f =
			world_run_feedback(r, "a.example", n);

		ck_assert_ptr_nonnull(f);
		ck_assert_int_eq(world_run_us(f->at), events[n].at_s * S);
		ck_assert_uint_eq(f->event, events[n].event);
		ck_assert_int_eq(f->window, events[n].window);
		ck_assert_int_eq(f->busy, events[n].busy);
		ck_assert_double_eq_tol(f->fail_cohorts, events[n].cohorts,
					1e-12);
	}
	ck_assert_ptr_null(world_run_feedback(r, "a.example", 4));
	ck_assert_uint_eq(r->delivery.count, 8);
	for (uint32_t serial = 0; serial < 8; serial++) {
		const struct mta_trace_delivery *d =
			world_run_delivery(r, serial, 0);
		const struct mta_trace_move *m = NULL;
		const char *reason = world_run_text(r, d->reason);
		bool is_attempt = serial < 5;

		for (size_t n = 0; world_run_move(r, serial, n); n++)
			m = world_run_move(r, serial, n);
		ck_assert_int_eq(world_run_us(d->at), 30 * S);
		ck_assert_uint_eq(d->outcome, MTA_DEFERRED_OUTCOME);
		ck_assert_str_eq(world_run_text(r, d->transport),
				 is_attempt ? "smtp" : "retry");
		ck_assert_int_eq(
			strncmp(reason, suspended, sizeof(suspended) - 1) == 0,
			!is_attempt);
		/* 4.4.1 either way, and nobody answered. */
		ck_assert_int_eq(d->dsn.subject * 10 + d->dsn.detail, 41);
		ck_assert_uint_eq(d->relay, 0);
		ck_assert_uint_eq(m->to, MTA_DEFERRED);
		ck_assert_int_eq(world_run_wake_s(m->wake_s), 330);
	}
	world_run_close(r);
}
END_TEST

Suite *
ladder_suite(void)
{
	Suite *s = suite_create("ladder");
	TCase *tc = tcase_create("vectors of windows and back-off");

	tcase_add_test(tc, ladder_at_three_phases);
	tcase_add_test(tc, falls);
	tcase_add_test(tc, climbs);
	tcase_add_test(tc, busy_is_a_ceiling);
	tcase_add_test(tc, bad_and_good_in_turn);
	tcase_add_test(tc, death_and_return);
	suite_add_tcase(s, tc);
	return s;
}
