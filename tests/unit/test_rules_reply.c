/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What remote answers mean (R-BLAME): the table of F11.2 row by row, then the
 * conditions of its `bulk`, then the codes (R-DSN-FIT, R-SOFT-BOUNCE). Each
 * expected outcome is the cell of that table; nothing comes from our output.
 */
#include <check.h>
#include <stdio.h>

#include "mta/rules.h"

enum outcome {
	DEFERS,
	BOUNCES,
	HELO,
	NEXT
};

static const char outcome_letters[] = "DBHN";

static enum outcome
outcome_of(const struct mta_verdict *v)
{
	switch (v->effect) {
	case MTA_EFFECT_DEFER:
		return DEFERS;
	case MTA_EFFECT_BOUNCE:
		return BOUNCES;
	case MTA_EFFECT_TRY_HELO:
		return HELO;
	case MTA_EFFECT_NEXT_SERVER:
		break;
	}
	return NEXT;
}

/* At the last server, with the defaults. */
static struct mta_request_view
last_server(void)
{
	return (struct mta_request_view){.is_last_server = true,
					 .skip_5xx_greeting = true};
}

static struct mta_failure
reply(enum mta_smtp_step step, int32_t code)
{
	return (struct mta_failure){
		.step = step, .kind = MTA_FAIL_REPLY, .reply_code = code};
}

static struct mta_failure
failure(enum mta_smtp_step step, enum mta_failure_kind kind)
{
	return (struct mta_failure){.step = step, .kind = kind};
}

static void
check_verdict(const struct mta_failure *f, const struct mta_request_view *view,
	      enum outcome expected, int blames)
{
	struct mta_verdict v = mta_failure_judge(f, view);

	ck_assert_msg(outcome_of(&v) == expected &&
			      v.blames_destination == (blames != 0),
		      "step %d kind %d code %d: %c, blame %d", (int)f->step,
		      (int)f->kind, (int)f->reply_code,
		      outcome_letters[outcome_of(&v)],
		      (int)v.blames_destination);
}

struct reply_case {
	enum mta_smtp_step step;
	int32_t code;
	enum outcome outcome;
	int blames;
};

START_TEST(replies_f11_2)
{
	static const struct reply_case cases[] = {
		/* greeting 4xx; 5xx with smtp_skip_5xx_greeting */
		{MTA_STEP_GREETING, 421, DEFERS, 1},
		{MTA_STEP_GREETING, 450, DEFERS, 1},
		{MTA_STEP_GREETING, 554, DEFERS, 1},
		{MTA_STEP_CONNECT, 421, DEFERS, 1},
		{MTA_STEP_CONNECT, 554, DEFERS, 1},
		/* EHLO 421; other refusals of EHLO lead to HELO */
		{MTA_STEP_EHLO, 421, DEFERS, 1},
		{MTA_STEP_EHLO, 450, HELO, 0},
		{MTA_STEP_EHLO, 502, HELO, 0},
		/* HELO, LHLO */
		{MTA_STEP_HELO, 421, DEFERS, 1},
		{MTA_STEP_HELO, 450, DEFERS, 1},
		{MTA_STEP_HELO, 550, BOUNCES, 0},
		/* STARTTLS refused where TLS is required */
		{MTA_STEP_STARTTLS, 454, DEFERS, 1},
		{MTA_STEP_STARTTLS, 502, BOUNCES, 0},
		/* the server's own code to AUTH */
		{MTA_STEP_AUTH, 454, DEFERS, 1},
		/* MAIL FROM, DATA, end of data */
		{MTA_STEP_MAIL, 400, DEFERS, 0},
		{MTA_STEP_MAIL, 499, DEFERS, 0},
		{MTA_STEP_MAIL, 500, BOUNCES, 0},
		{MTA_STEP_MAIL, 599, BOUNCES, 0},
		{MTA_STEP_MAIL, 450, DEFERS, 0},
		{MTA_STEP_MAIL, 421, DEFERS, 0},
		{MTA_STEP_MAIL, 550, BOUNCES, 0},
		{MTA_STEP_DATA, 451, DEFERS, 0},
		{MTA_STEP_DATA, 554, BOUNCES, 0},
		{MTA_STEP_END, 451, DEFERS, 0},
		{MTA_STEP_END, 421, DEFERS, 0},
		{MTA_STEP_END, 554, BOUNCES, 0},
		/* RCPT TO */
		{MTA_STEP_RCPT, 450, DEFERS, 0},
		{MTA_STEP_RCPT, 421, DEFERS, 0},
		{MTA_STEP_RCPT, 550, BOUNCES, 0},
	};
	struct mta_request_view view = last_server();
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mta_failure f = reply(cases[i].step, cases[i].code);

		check_verdict(&f, &view, cases[i].outcome, cases[i].blames);
	}
}
END_TEST

START_TEST(greeting_5xx_taken_at_its_word)
{
	/* F11.2: greeting 5xx with smtp_skip_5xx_greeting off bounces. */
	struct mta_request_view view = last_server();
	struct mta_failure f = reply(MTA_STEP_GREETING, 554);
	struct mta_verdict v = mta_failure_judge(&f, &view);

	ck_assert_int_eq(v.dsn.class, 4);
	view.skip_5xx_greeting = false;
	check_verdict(&f, &view, BOUNCES, 0);
}
END_TEST

START_TEST(other_failures_f11_2)
{
	static const struct {
		enum mta_smtp_step step;
		enum mta_failure_kind kind;
		enum outcome outcome;
		int blames;
		int class, subject, detail;
	} cases[] = {
		{MTA_STEP_DNS, MTA_FAIL_DNS_SOFT, DEFERS, 1, 4, 4, 3},
		{MTA_STEP_DNS, MTA_FAIL_DNS_NONE, BOUNCES, 0, 5, 4, 4},
		{MTA_STEP_DNS, MTA_FAIL_NULL_MX, BOUNCES, 0, 5, 1, 0},
		{MTA_STEP_DNS, MTA_FAIL_LOOP, BOUNCES, 0, 5, 4, 6},
		{MTA_STEP_CONNECT, MTA_FAIL_REFUSED, DEFERS, 1, 4, 4, 1},
		{MTA_STEP_CONNECT, MTA_FAIL_TIMEOUT, DEFERS, 1, 4, 4, 1},
		{MTA_STEP_CONNECT, MTA_FAIL_UNREACHABLE, DEFERS, 1, 4, 4, 1},
		{MTA_STEP_GREETING, MTA_FAIL_LOST, DEFERS, 1, 4, 4, 2},
		{MTA_STEP_GREETING, MTA_FAIL_TIMEOUT, DEFERS, 1, 4, 4, 2},
		{MTA_STEP_EHLO, MTA_FAIL_LOST, DEFERS, 1, 4, 4, 2},
		{MTA_STEP_EHLO, MTA_FAIL_TIMEOUT, DEFERS, 1, 4, 4, 2},
		{MTA_STEP_STARTTLS, MTA_FAIL_LOST, DEFERS, 1, 4, 4, 2},
		{MTA_STEP_EHLO, MTA_FAIL_NO_TLS, DEFERS, 1, 4, 7, 4},
		{MTA_STEP_STARTTLS, MTA_FAIL_TLS_BAD, DEFERS, 1, 4, 7, 5},
		{MTA_STEP_STARTTLS, MTA_FAIL_TLS_MAY, DEFERS, 0, 4, 7, 5},
		{MTA_STEP_AUTH, MTA_FAIL_AUTH, DEFERS, 1, 4, 7, 0},
		{MTA_STEP_EHLO, MTA_FAIL_LOOP, BOUNCES, 0, 5, 4, 6},
		{MTA_STEP_EHLO, MTA_FAIL_LOOP_BACKUP, DEFERS, 1, 4, 4, 6},
		{MTA_STEP_MAIL, MTA_FAIL_LOST, DEFERS, 1, 4, 4, 2},
		{MTA_STEP_RCPT, MTA_FAIL_LOST, DEFERS, 1, 4, 4, 2},
		{MTA_STEP_DATA, MTA_FAIL_TIMEOUT, DEFERS, 1, 4, 4, 2},
		{MTA_STEP_END, MTA_FAIL_TIMEOUT, DEFERS, 1, 4, 4, 2},
		{MTA_STEP_MAIL, MTA_FAIL_TOO_BIG, BOUNCES, 0, 5, 3, 4},
		{MTA_STEP_DATA, MTA_FAIL_LOCAL_DATA, DEFERS, 1, 4, 3, 0},
		/* F11.8 */
		{MTA_STEP_END, MTA_FAIL_TIME_LIMIT, BOUNCES, 0, 5, 3, 0},
		{MTA_STEP_MAIL, MTA_FAIL_NO_UTF8, BOUNCES, 0, 5, 6, 7},
	};
	struct mta_request_view view = last_server();
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mta_failure f = failure(cases[i].step, cases[i].kind);
		struct mta_verdict v = mta_failure_judge(&f, &view);

		check_verdict(&f, &view, cases[i].outcome, cases[i].blames);
		ck_assert_int_eq(v.dsn.class, cases[i].class);
		ck_assert_int_eq(v.dsn.subject, cases[i].subject);
		ck_assert_int_eq(v.dsn.detail, cases[i].detail);
	}
}
END_TEST

START_TEST(missing_relay_is_deferred)
{
	/* F11.2, F11.4: 4.3.5 and blame when a relay cannot be found. */
	struct mta_request_view view = last_server();
	struct mta_failure f = failure(MTA_STEP_DNS, MTA_FAIL_DNS_NONE);
	struct mta_verdict v;

	view.is_relay = true;
	check_verdict(&f, &view, DEFERS, 1);
	v = mta_failure_judge(&f, &view);
	ck_assert_int_eq(v.dsn.class, 4);
	ck_assert_int_eq(v.dsn.subject, 3);
	ck_assert_int_eq(v.dsn.detail, 5);
	/* What a relay answers is its own word. */
	f = reply(MTA_STEP_RCPT, 550);
	check_verdict(&f, &view, BOUNCES, 0);
}
END_TEST

START_TEST(soft_failures_try_the_next_server)
{
	/* F11.2 bulk, F11.3, F16.46: soft ones move on, hard ones do not. */
	struct mta_request_view view = last_server();
	struct mta_failure f = failure(MTA_STEP_CONNECT, MTA_FAIL_TIMEOUT);

	view.is_last_server = false;
	check_verdict(&f, &view, NEXT, 0);
	f = reply(MTA_STEP_RCPT, 450);
	check_verdict(&f, &view, NEXT, 0);
	f = reply(MTA_STEP_HELO, 550);
	check_verdict(&f, &view, BOUNCES, 0);
	f = reply(MTA_STEP_RCPT, 550);
	check_verdict(&f, &view, BOUNCES, 0);
	/* F0.2 b, 3.11: SMTPUTF8 is looked for at the other servers. */
	f = failure(MTA_STEP_MAIL, MTA_FAIL_NO_UTF8);
	check_verdict(&f, &view, NEXT, 0);
	/* HELO is tried on the same connection, at any server. */
	f = reply(MTA_STEP_EHLO, 500);
	check_verdict(&f, &view, HELO, 0);
	view.soft_bounce = true;
	f = reply(MTA_STEP_RCPT, 550);
	check_verdict(&f, &view, NEXT, 0);
}
END_TEST

START_TEST(soft_bounce_leaves_something_undone)
{
	/* F11.2 bulk with F9.1: the append of a soft bounce leaves the
	 * recipient, so a failure of the site is blamed. R-SOFT-BOUNCE */
	struct mta_request_view view = last_server();
	struct mta_failure f = reply(MTA_STEP_HELO, 550);
	struct mta_verdict v;

	view.soft_bounce = true;
	f.dsn = MTA_DSN(5, 7, 1);
	check_verdict(&f, &view, BOUNCES, 1);
	v = mta_failure_judge(&f, &view);
	/* Its status stays as it is: the append softens what it logs. */
	ck_assert_int_eq(v.dsn.class, 5);
	ck_assert_int_eq(v.dsn.subject, 7);
	ck_assert_int_eq(v.dsn.detail, 1);
	f = reply(MTA_STEP_RCPT, 550);
	check_verdict(&f, &view, BOUNCES, 0);
}
END_TEST

START_TEST(blame_only_once_and_not_after_success)
{
	/* F11.2 bulk, F16.39. */
	struct mta_request_view view = last_server();
	struct mta_failure f = failure(MTA_STEP_CONNECT, MTA_FAIL_REFUSED);

	view.session_completed = true;
	check_verdict(&f, &view, DEFERS, 0);
	view.session_completed = false;
	view.hop_is_blamed = true;
	check_verdict(&f, &view, DEFERS, 0);
	view.hop_is_blamed = false;
	check_verdict(&f, &view, DEFERS, 1);
}
END_TEST

START_TEST(failures_that_keep_the_connection)
{
	/* F11.2: blame forbids caching the connection. 421 announces its end
	 * (RFC 5321 3.8), and so does a handshake that failed. */
	static const struct {
		enum mta_smtp_step step;
		int32_t code;
		int keeps;
	} cases[] = {
		{MTA_STEP_RCPT, 450, 1}, {MTA_STEP_RCPT, 550, 1},
		{MTA_STEP_RCPT, 421, 0}, {MTA_STEP_MAIL, 450, 1},
		{MTA_STEP_DATA, 550, 1}, {MTA_STEP_END, 421, 0},
		{MTA_STEP_HELO, 450, 0}, {MTA_STEP_GREETING, 421, 0},
		{MTA_STEP_EHLO, 502, 1},
	};
	struct mta_request_view view = last_server();
	struct mta_failure f;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mta_verdict v;

		f = reply(cases[i].step, cases[i].code);
		v = mta_failure_judge(&f, &view);
		ck_assert_int_eq(v.keeps_connection, cases[i].keeps);
	}
	f = failure(MTA_STEP_STARTTLS, MTA_FAIL_TLS_MAY);
	ck_assert(!mta_failure_judge(&f, &view).keeps_connection);
	f = failure(MTA_STEP_MAIL, MTA_FAIL_TOO_BIG);
	ck_assert(mta_failure_judge(&f, &view).keeps_connection);
}
END_TEST

START_TEST(codes_fit_their_call)
{
	/* R-DSN-FIT, F9.1: a wrong first digit gives x.0.0. */
	struct mta_request_view view = last_server();
	struct mta_failure f = reply(MTA_STEP_RCPT, 450);
	struct mta_dsn d = mta_dsn_fit(MTA_DSN(5, 1, 1), 4);

	ck_assert_int_eq(d.class, 4);
	ck_assert_int_eq(d.subject, 0);
	ck_assert_int_eq(d.detail, 0);
	d = mta_dsn_fit(MTA_DSN(4, 2, 2), 4);
	ck_assert_int_eq(d.subject, 2);
	f.dsn = MTA_DSN(4, 2, 2);
	ck_assert_int_eq(mta_failure_judge(&f, &view).dsn.detail, 2);
	f.dsn = MTA_DSN(5, 2, 2);
	ck_assert_int_eq(mta_failure_judge(&f, &view).dsn.class, 4);
	ck_assert_int_eq(mta_failure_judge(&f, &view).dsn.detail, 0);
	/* Only a 5 is softened. */
	ck_assert_int_eq(mta_dsn_soften(MTA_DSN(5, 1, 1)).class, 4);
	ck_assert_int_eq(mta_dsn_soften(MTA_DSN(5, 1, 1)).subject, 1);
	ck_assert_int_eq(mta_dsn_soften(MTA_DSN(4, 1, 1)).class, 4);
	ck_assert_int_eq(mta_dsn_soften(MTA_DSN(2, 1, 1)).class, 2);
}
END_TEST

/* R-PIPE, F11.8: the limit first, then what refuses one refuses all. */
START_TEST(commands_f11_8)
{
	static const struct {
		mta_span took;
		uint16_t codes[3];
		struct mta_command_end end;
	} cases[] = {
		{999, {250, 250, 250}, {false, 250, 999}},
		{999, {250, 450, 550}, {false, 450, 999}},
		{0, {550, 450, 250}, {false, 550, 0}},
		{1000, {250, 250, 250}, {true, 0, 1000}},
		{2000, {250, 550, 250}, {true, 0, 1000}},
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mta_command c = {.took = cases[i].took,
					.limit = 1000,
					.codes = cases[i].codes,
					.count = 3};
		struct mta_command_end end = mta_command_judge(&c);

		ck_assert_int_eq(end.is_killed, cases[i].end.is_killed);
		ck_assert_uint_eq(end.code, cases[i].end.code);
		ck_assert_int_eq(end.after, cases[i].end.after);
	}
}
END_TEST

/* F11.8: killed, 5.3.0, a bounce, and nobody else's fault. */
START_TEST(killed_commands_bounce)
{
	struct mta_request_view view = last_server();
	struct mta_failure f = failure(MTA_STEP_END, MTA_FAIL_TIME_LIMIT);
	struct mta_verdict v = mta_failure_judge(&f, &view);

	ck_assert_int_eq(v.effect, MTA_EFFECT_BOUNCE);
	ck_assert_uint_eq(v.dsn.class, 5);
	ck_assert_uint_eq(v.dsn.subject, 3);
	ck_assert_uint_eq(v.dsn.detail, 0);
	ck_assert(!v.blames_destination);
}
END_TEST

Suite *
rules_reply_suite(void)
{
	Suite *s = suite_create("rules_reply");
	TCase *t = tcase_create("reply");

	tcase_add_test(t, replies_f11_2);
	tcase_add_test(t, greeting_5xx_taken_at_its_word);
	tcase_add_test(t, other_failures_f11_2);
	tcase_add_test(t, missing_relay_is_deferred);
	tcase_add_test(t, soft_failures_try_the_next_server);
	tcase_add_test(t, soft_bounce_leaves_something_undone);
	tcase_add_test(t, blame_only_once_and_not_after_success);
	tcase_add_test(t, failures_that_keep_the_connection);
	tcase_add_test(t, codes_fit_their_call);
	tcase_add_test(t, commands_f11_8);
	tcase_add_test(t, killed_commands_bounce);
	suite_add_tcase(s, t);
	return s;
}
