/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The judge of expectations (sim/results/expect.c): each is read from a
 * scenario's text, fed samples or recipients by hand, and judged; numbers were
 * worked out on paper, in the comments.
 */
#include "tests/harness.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "sim/results/expect.h"

#define S INT64_C(1000000)

static struct complaints complaints;
static struct scenario *scenario;
static struct mta_symtab symbols;
static struct expect judge;
static struct tally_key dest_a;
static struct tally_key dest_b;
static struct tally_key domain_a;

static void
setup(void)
{
	complaints_init(&complaints);
	mta_symtab_init(&symbols);
	dest_a = (struct tally_key){
		.transport = mta_sym_intern(&symbols, "smtp"),
		.name = mta_sym_intern(&symbols, "a.example"),
	};
	dest_b = (struct tally_key){
		.transport = mta_sym_intern(&symbols, "lmtp"),
		.name = mta_sym_intern(&symbols, "b.example"),
	};
	domain_a = dest_a;
}

static void
expecting(const char *run, const char *text)
{
	char yaml[1000];
	struct scenario_options options = {.set_count = 0};

	snprintf(yaml, sizeof(yaml),
		 "scenario: x\n"
		 "run: {for: 1h%s}\n"
		 "receivers: {there: {transfer: 1s}}\n"
		 "domains: {a.example: {receiver: there}}\n"
		 "sources:\n"
		 "  web: {arrivals: {even: 1/s}, to: a.example}\n"
		 "  app: {arrivals: {even: 1/s}, to: a.example}\n"
		 "expect:\n"
		 "  - \"%s\"\n",
		 run, text);
	scenario = scenario_read_memory("x.yaml", yaml, strlen(yaml), &options,
					&complaints);
	if (!scenario)
		complaints_print(&complaints, stderr);
	ck_assert_ptr_nonnull(scenario);
	expect_init(&judge, scenario, &symbols);
}

static void
forget(void)
{
	expect_release(&judge);
	scenario_free(scenario);
	scenario = NULL;
}

static void
teardown(void)
{
	if (scenario)
		forget();
	complaints_release(&complaints);
	mta_symtab_release(&symbols);
}

/* ---- columns ----------------------------------------------------------------
 */

struct one_value {
	struct expect_sample base;
	double value;
};

static double
value_of(const struct expect_sample *base, const char *column,
	 const char *transport, const char *destination)
{
	(void)column;
	(void)transport;
	(void)destination;
	return ((const struct one_value *)(const void *)base)->value;
}

static void
sample(int64_t at_s, double value)
{
	struct one_value v = {.base = {.column = value_of}, .value = value};

	expect_sample(&judge, at_s * S, &v.base);
}

/* A series: 0 until 10 s, 4 until 20 s, 2 until 40 s, 6 at 40 s; end at 50 s.
 */
static struct expect_verdict
judge_series(const char *run, const char *text)
{
	struct expect_end end = {.now_us = 50 * S, .drained_us = -1};
	struct expect_verdict v;

	expecting(run, text);
	sample(0, 0);
	sample(10, 4);
	sample(20, 2);
	sample(30, 2);
	sample(40, 6);
	v = expect_judge(&judge, 0, &end);
	forget();
	return v;
}

static void
found(const char *run, const char *text, double wanted)
{
	struct expect_verdict v = judge_series(run, text);

	ck_assert_int_eq(v.bound, EXPECT_EXACT);
	ck_assert_msg(fabs(v.value - wanted) < 1e-9, "%s", v.text);
}

START_TEST(columns)
{
	found("", "max(active) < 9", 6);
	found("", "min(active) < 9", 0);
	found("", "final(active) < 9", 6);
	found("", "value(active, at=10s) < 9", 4);
	found("", "value(active, at=19s) < 9", 4);
	found("", "value(active, at=50s) < 9", 6);
	/* 10*0 + 10*4 + 20*2 + 10*6 */
	found("", "integral(active) < 9", 140);
	found("", "mean(active) < 9", 140.0 / 50);
}
END_TEST

START_TEST(columns_in_a_window)
{
	/* What is in force at the beginning counts: 4 since 10 s. */
	found("", "max(active, 15s..35s) < 9", 4);
	found("", "min(active, 15s..35s) < 9", 2);
	/* 5*4 + 15*2 */
	found("", "integral(active, 15s..35s) < 9", 50);
	found("", "mean(active, 15s..35s) < 9", 2.5);
	found("", "final(active, 15s..35s) < 9", 2);
	/* From the sample at or before 15 s to that before 45 s:
	 * (6 - 4) / (40 - 10) */
	found("", "rate(delivered, 15s..45s) < 9/s", 2.0 / 30);
	/* from 4 at 10 s to 6 at 40 s, both on the border */
	found("", "rate(delivered, 10s..40s) < 9/s", 2.0 / 30);
	found("", "rate(delivered) < 9/s", 6.0 / 40);
}
END_TEST

/* The warm-up is left out, unless a window is given. */
START_TEST(columns_after_warm_up)
{
	/* (15 * 2 + 10 * 6) / 25, from 25 s on */
	found(", warmup: 25s", "mean(active) < 9", 90.0 / 25);
	found(", warmup: 25s", "min(active) < 9", 2);
	found(", warmup: 25s", "min(active, 0s..50s) < 9", 0);
}
END_TEST

START_TEST(what_was_never_seen)
{
	struct expect_end end = {.now_us = 50 * S, .drained_us = -1};
	struct expect_verdict v;

	expecting("", "max(busy, destination=typo.example) < 9");
	sample(0, (double)NAN);
	sample(10, (double)NAN);
	v = expect_judge(&judge, 0, &end);
	ck_assert_int_eq(v.bound, EXPECT_UNKNOWN);
	ck_assert(!v.passed);
	ck_assert_str_eq(v.text, "max(busy, destination=typo.example) < 9: not "
				 "known, it was never seen");
	forget();
	/* Seen late: it had nothing before. */
	expecting("", "mean(busy, destination=a.example) < 9");
	sample(0, (double)NAN);
	sample(25, 4);
	v = expect_judge(&judge, 0, &end);
	ck_assert_double_eq_tol(v.value, 2, 1e-9);
	forget();
	v = judge_series("", "value(active, at=51s) < 9");
	ck_assert(!v.passed);
	ck_assert_int_eq(v.bound, EXPECT_UNKNOWN);
}
END_TEST

/* A window has no value before its destination is known, so it is the mean of
 * what was there: (10 * 5 + 15 * 10) / 25, from 25 s on. */
START_TEST(a_window_that_comes_late)
{
	struct expect_end end = {.now_us = 50 * S, .drained_us = -1};
	struct expect_verdict v;

	expecting("", "mean(window, destination=a.example, 10s..50s) < 9");
	sample(0, (double)NAN);
	sample(20, (double)NAN);
	sample(25, 5);
	sample(35, 10);
	v = expect_judge(&judge, 0, &end);
	ck_assert_int_eq(v.bound, EXPECT_EXACT);
	ck_assert_double_eq_tol(v.value, 8, 1e-9);
}
END_TEST

static void
beyond(const char *text)
{
	struct expect_verdict v = judge_series("", text);

	ck_assert_int_eq(v.bound, EXPECT_UNKNOWN);
	ck_assert(!v.passed);
	ck_assert_msg(strstr(v.text, "not known, the run ended before the "
				     "window did"),
		      "%s", v.text);
}

/* The run ends at 50 s: what is asked until 51 s nobody knows. */
START_TEST(windows_that_the_run_does_not_fill)
{
	found("", "max(active, 0s..50s) < 9", 6);
	beyond("max(active, 0s..51s) < 9");
	beyond("min(active, 0s..51s) >= 0");
	beyond("mean(active, 15s..51s) < 9");
	beyond("final(active, 15s..51s) < 9");
	beyond("integral(active, 15s..51s) < 900");
	beyond("rate(delivered, 15s..51s) < 9/s");
	beyond("rate(delivered, 60s..70s) == 0/s");
	beyond("count(bounced, 15s..51s) == 0");
	beyond("p99(delay, 15s..51s) < 9s");
}
END_TEST

/* ... but when nothing is left, and nobody sends any more, the later part of
 * it has no recipients. */
START_TEST(a_drained_run_fills_windows_of_recipients)
{
	struct expect_end end = {.now_us = 50 * S, .drained_us = 50 * S};

	expecting("", "count(bounced, 15s..51s) == 0");
	ck_assert(expect_judge(&judge, 0, &end).passed);
	end.drained_us = -1;
	ck_assert(!expect_judge(&judge, 0, &end).passed);
	end.drained_us = 50 * S;
	forget();
	expecting("", "max(active, 15s..51s) < 9");
	sample(0, 1);
	ck_assert(!expect_judge(&judge, 0, &end).passed);
}
END_TEST

static void
verdict(const char *text, bool passed, double margin)
{
	struct expect_verdict v = judge_series("", text);

	ck_assert_msg(v.passed == passed, "%s", v.text);
	ck_assert_msg(fabs(v.margin - margin) < 1e-9, "%s: %g", v.text,
		      v.margin);
}

START_TEST(comparisons)
{
	verdict("max(active) < 6", false, 0);
	verdict("max(active) <= 6", true, 0);
	verdict("max(active) <= 5", false, -1);
	verdict("max(active) == 6", true, 0);
	verdict("max(active) != 6", false, 0);
	verdict("max(active) != 4", true, 2);
	verdict("max(active) >= 6", true, 0);
	verdict("max(active) > 4", true, 2);
	/* 6 is within 20% of 5 = 4..6 */
	verdict("max(active) within 20% of 5", true, 0);
	verdict("max(active) within 10% of 5", false, -0.5);
	ck_assert_str_eq(judge_series("", "max(active) < 20").text,
			 "max(active) < 20: 6, 14 to spare");
	ck_assert_str_eq(judge_series("", "max(active) < 5").text,
			 "max(active) < 5: 6, 1 too far");
}
END_TEST

/* ---- recipients -------------------------------------------------------------
 */

/* Delay in seconds to a destination; the outcome falls at 10 s. */
static void
recipient(int64_t delay_s, enum mta_outcome outcome,
	  const struct tally_key *destination, uint32_t source)
{
	expect_recipient(&judge, &(struct expect_recipient){
					 .at_us = 10 * S,
					 .delay_us = delay_s * S,
					 .wait_us = delay_s * S / 2,
					 .attempts = (uint32_t)delay_s,
					 .outcome = outcome,
					 .destination = destination,
					 .domain = &domain_a,
					 .source = source,
				 });
}

static struct expect_verdict
judge_recipients(const char *text)
{
	struct expect_end end = {.now_us = 50 * S, .drained_us = -1};
	struct expect_verdict v;

	expecting("", text);
	recipient(2, MTA_SENT, &dest_a, 0);
	recipient(4, MTA_SENT, &dest_a, 1);
	recipient(6, MTA_BOUNCED, &dest_b, 0);
	recipient(3, MTA_DEFERRED_OUTCOME, &dest_b, 0);
	recipient(8, MTA_EXPIRED, &dest_b, UINT32_MAX);
	v = expect_judge(&judge, 0, &end);
	forget();
	return v;
}

static void
among(const char *text, double wanted)
{
	struct expect_verdict v = judge_recipients(text);

	ck_assert_msg(v.bound == EXPECT_EXACT, "%s", v.text);
	ck_assert_msg(fabs(v.value - wanted) < 1e-9, "%s", v.text);
}

/* Final: 2 4 6 8. */
START_TEST(delays)
{
	among("max(delay) < 9s", 8);
	among("min(delay) < 9s", 2);
	among("mean(delay) < 9s", 5);
	among("p50(delay) < 9s", 4);
	among("p75(delay) < 9s", 6);
	among("p76(delay) < 9s", 8);
	among("max(delay, destination=a.example) < 9s", 4);
	among("min(delay, destination=B.example) < 9s", 6);
	among("max(delay, transport=smtp) < 9s", 4);
	among("max(delay, source=web) < 9s", 6);
	among("max(delay, source=bounce) < 9s", 8);
	among("max(delay, source=web, transport=smtp) < 9s", 2);
	among("max(delay, domain=a.example) < 9s", 8);
	among("mean(attempts) < 9", 5);
	/* wait has the deferred one too: 1 2 3 1.5 4 */
	among("mean(wait) < 9s", 11.5 / 5);
	among("p50(delay, 5s..10s) < 9s", 4);
	ck_assert_int_eq(judge_recipients("p50(delay, 11s..20s) < 9s").bound,
			 EXPECT_UNKNOWN);
	ck_assert_int_eq(
		judge_recipients("p50(delay, destination=c.example) < 9s")
			.bound,
		EXPECT_UNKNOWN);
}
END_TEST

START_TEST(outcomes)
{
	among("count(sent) == 2", 2);
	among("count(deferred) == 1", 1);
	among("count(expired, transport=lmtp) == 1", 1);
	/* of four recipients; a deferral is one of four attempts */
	among("share(bounced) < 50%", 0.25);
	among("share(deferred) < 50%", 0.25);
	among("share(sent, source=app) < 50%", 1);
}
END_TEST

START_TEST(deleted_mail)
{
	struct expect_end end = {.now_us = 50 * S, .drained_us = -1};

	expecting("", "share(deleted) < 50%");
	recipient(2, MTA_SENT, &dest_a, 0);
	expect_deleted(&judge, 5 * S, 3, 0);
	ck_assert_double_eq_tol(expect_judge(&judge, 0, &end).value, 0.75,
				1e-12);
	forget();
	expecting("", "count(deleted, destination=a.example) == 0");
	expect_deleted(&judge, 5 * S, 3, 0);
	ck_assert(!expect_judge(&judge, 0, &end).passed);
	ck_assert_int_eq(expect_judge(&judge, 0, &end).bound, EXPECT_UNKNOWN);
}
END_TEST

/* Final 2 4 6, and one that is 5 s old: p50 is the second of four, 4 whatever
 * becomes of it; p75 is the third: 5 now, 6 if it grows; p99 is the fourth: 6
 * now, and no limit. */
static struct expect_verdict
judge_unfinished(const char *text)
{
	struct expect_end end = {.now_us = 50 * S, .drained_us = -1};
	struct expect_verdict v;

	expecting("", text);
	recipient(2, MTA_SENT, &dest_a, 0);
	recipient(4, MTA_SENT, &dest_a, 0);
	recipient(6, MTA_SENT, &dest_a, 0);
	recipient(5, MTA_QUEUED, &dest_a, 0);
	v = expect_judge(&judge, 0, &end);
	forget();
	return v;
}

static void
bound(const char *text, enum expect_bound wanted, double value, bool passed)
{
	struct expect_verdict v = judge_unfinished(text);

	ck_assert_msg(v.bound == wanted, "%s", v.text);
	ck_assert_msg(fabs(v.value - value) < 1e-9, "%s", v.text);
	ck_assert_msg(v.passed == passed, "%s", v.text);
}

START_TEST(unfinished_mail)
{
	bound("p50(delay) < 9s", EXPECT_EXACT, 4, true);
	bound("p75(delay) < 9s", EXPECT_AT_LEAST, 5, false);
	bound("p75(delay) > 4s", EXPECT_AT_LEAST, 5, true);
	bound("p75(delay) > 5s", EXPECT_AT_LEAST, 5, false);
	bound("p75(delay) >= 5s", EXPECT_AT_LEAST, 5, true);
	bound("p75(delay) != 4s", EXPECT_AT_LEAST, 5, true);
	bound("p75(delay) != 7s", EXPECT_AT_LEAST, 5, false);
	bound("p75(delay) within 50% of 5s", EXPECT_AT_LEAST, 5, false);
	bound("p99(delay) < 9s", EXPECT_AT_LEAST, 6, false);
	bound("p99(delay) < 5s", EXPECT_AT_LEAST, 6, false);
	bound("min(delay) < 9s", EXPECT_EXACT, 2, true);
	bound("max(delay) < 9s", EXPECT_AT_LEAST, 6, false);
	bound("mean(delay) > 4s", EXPECT_AT_LEAST, 17.0 / 4, true);
	bound("count(queued) == 1", EXPECT_EXACT, 1, true);
	bound("share(sent) == 75%", EXPECT_EXACT, 0.75, true);
	ck_assert_str_eq(judge_unfinished("p99(delay) < 9s").text,
			 "p99(delay) < 9s: >= 6 s, not decided: unfinished "
			 "mail can still move it");
	ck_assert_str_eq(judge_unfinished("p99(delay) < 5s").text,
			 "p99(delay) < 5s: >= 6 s, 1 s too far");
}
END_TEST

START_TEST(drained)
{
	struct expect_end end = {.now_us = 50 * S, .drained_us = 30 * S};
	struct expect_verdict v;

	expecting("", "drained <= 30s");
	v = expect_judge(&judge, 0, &end);
	ck_assert(v.passed);
	ck_assert_double_eq_tol(v.value, 30, 1e-9);
	end.drained_us = 31 * S;
	ck_assert(!expect_judge(&judge, 0, &end).passed);
	end.drained_us = -1; /* not yet: at 50 s or later */
	v = expect_judge(&judge, 0, &end);
	ck_assert(!v.passed);
	ck_assert_int_eq(v.bound, EXPECT_AT_LEAST);
	forget();
	expecting("", "drained > 40s");
	ck_assert(expect_judge(&judge, 0, &end).passed);
}
END_TEST

Suite *
expect_suite(void)
{
	Suite *suite = suite_create("expect");
	TCase *c = tcase_create("all");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, columns);
	tcase_add_test(c, columns_in_a_window);
	tcase_add_test(c, columns_after_warm_up);
	tcase_add_test(c, what_was_never_seen);
	tcase_add_test(c, a_window_that_comes_late);
	tcase_add_test(c, windows_that_the_run_does_not_fill);
	tcase_add_test(c, a_drained_run_fills_windows_of_recipients);
	tcase_add_test(c, comparisons);
	tcase_add_test(c, delays);
	tcase_add_test(c, outcomes);
	tcase_add_test(c, deleted_mail);
	tcase_add_test(c, unfinished_mail);
	tcase_add_test(c, drained);
	suite_add_tcase(suite, c);
	return suite;
}
