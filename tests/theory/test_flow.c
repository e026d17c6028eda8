/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The law of in_flow_delay (F3.5). Mail is offered at 400/s by 100 sessions;
 * the queue manager is charged 5 ms a mail, so it takes mu = 200/s. It puts a
 * token for each mail that it takes, and who finds none sleeps d seconds: of P
 * = 100 sessions nearly all sleep, and each gets one mail in per d. Accepted
 * rate: mu + P / d, that is 300, 250, 220 /s for d = 1, 2, 5 s; and all 400 /s
 * when d = 0, for then nothing holds them back.
 *
 * The law wants sleepers that are spread over d. So the offered rate grows
 * slowly and evenly from 180/s to 400/s: the sessions fall asleep one by one.
 * When they all fall asleep together they stay in step, for the clients here
 * take no time of their own, and tokens above P are dropped while nobody is
 * awake. They fall asleep within the half second in which the 200 tokens/s that
 * are too few use up P; they wake within such a half second too, in which 100
 * tokens are made, and P are there from before. A cycle of d >= 1 s takes
 * 100 + 100 + P = 300 mails: 150/s for d = 2.
 */
#include <check.h>
#include <math.h>
#include <stdio.h>

#include "tests/harness.h"
#include "tests/world_run.h"

enum {
	FROM_S = 500,
	TO_S = 800,
	STEPS = 22,
	STEP_S = 20
};

/* Mails committed to incoming from one time to another. */
struct intake {
	struct mta_sink sink;
	int64_t count;
	int64_t slept;
};

static void
intake_take(struct mta_sink *sink, enum mta_trace_kind kind, const void *record)
{
	struct intake *in = mta_container_of(sink, struct intake, sink);
	const struct mta_trace_answered *a = record;
	int64_t us = world_run_us(a->at);

	ck_assert(kind == MTA_TRACE_ANSWERED);
	if (us < FROM_S * INT64_C(1000000) || us >= TO_S * INT64_C(1000000))
		return;
	in->count++;
	in->slept += a->slept;
}

/* Who offers 400 mails a second. */
enum crowd {
	CROWD_GROWS, /* 180/s, and 10/s more each 20 s */
	CROWD_AT_ONCE,
};

static void
crowd_text(enum crowd crowd, char *text, size_t size)
{
	size_t used = 0;

	if (crowd == CROWD_AT_ONCE) {
		snprintf(text, size,
			 "  s: {arrivals: {poisson: 400/s}, to: a.example}\n");
		return;
	}
	used += (size_t)snprintf(
		text, size, "  s: {arrivals: {even: 180/s}, to: a.example}\n");
	for (int i = 0; i < STEPS; i++)
		used += (size_t)snprintf(
			text + used, size - used,
			"  s%d: {arrivals: {burst: {at: %ds, messages: "
			"%d, rate: 10/s}}, to: a.example}\n",
			i, (i + 1) * STEP_S, 10 * TO_S);
}

static double
accepted_rate(int delay_s, enum crowd crowd)
{
	struct intake in = {.sink.take = intake_take};
	char sources[8192];
	char text[10240];
	struct world_run *r;

	crowd_text(crowd, sources, sizeof(sources));
	snprintf(text, sizeof(text),
		 "scenario: flow\nseed: 5\nrun: {for: %ds}\n"
		 "mta:\n"
		 "  in_flow_delay: %d\n"
		 "  qmgr_message_active_limit: 200000\n"
		 "  default_destination_concurrency_limit: 0\n"
		 "transports: {smtp: {maxproc: 0}}\n"
		 "services: {smtpd: {maxproc: 100}}\n"
		 "costs: {qmgr: {admit: 5ms}}\n"
		 "receivers: {r: {transfer: 0}}\n"
		 "domains: {a.example: {receiver: r}}\n"
		 "sources:\n%s",
		 TO_S, delay_s, sources);
	r = world_run_open(text,
			   &(struct world_run_options){
				   .keep = WORLD_RUN_KEEP(THROTTLE),
				   .also = &in.sink,
				   .also_kinds = WORLD_RUN_KEEP(ANSWERED)});
	world_run_finish(r);
	world_run_close(r);
	printf("theory: in_flow_delay %d s  accepted %.2f /s, %lld of %lld "
	       "slept\n",
	       delay_s, (double)in.count / (TO_S - FROM_S), (long long)in.slept,
	       (long long)in.count);
	fflush(stdout);
	if (delay_s == 0)
		ck_assert_int_eq(in.slept, 0);
	else
		ck_assert_int_gt(in.slept, 0);
	return (double)in.count / (TO_S - FROM_S);
}

/* Within 3 %. R-FLOW-TOKEN, R-FLOW-TOKENS */
START_TEST(accepted_is_mu_plus_sessions_by_delay)
{
	static const struct {
		int delay_s;
		double rate;
	} law[] = {{1, 300}, {2, 250}, {5, 220}};

	for (int i = 0; i < 3; i++)
		ck_assert_double_le(
			fabs(accepted_rate(law[i].delay_s, CROWD_GROWS) -
			     law[i].rate),
			0.03 * law[i].rate);
}
END_TEST

/* 300 s of a Poisson stream of 400 /s: 120,000 +- 346, so 1.2 /s; 3 % is 12. */
START_TEST(without_delay_all_is_accepted)
{
	ck_assert_double_le(fabs(accepted_rate(0, CROWD_AT_ONCE) - 400), 12);
}
END_TEST

START_TEST(in_step_they_get_less)
{
	ck_assert_double_le(fabs(accepted_rate(2, CROWD_AT_ONCE) - 150),
			    0.03 * 150);
}
END_TEST

Suite *
flow_suite(void)
{
	Suite *s = suite_create("flow");
	TCase *tc = tcase_create("law of in_flow_delay");

	tcase_add_test(tc, accepted_is_mu_plus_sessions_by_delay);
	tcase_add_test(tc, without_delay_all_is_accepted);
	tcase_add_test(tc, in_step_they_get_less);
	suite_add_tcase(s, tc);
	return s;
}
