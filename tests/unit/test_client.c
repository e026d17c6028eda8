/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A delivery over connections (src/mta/client.c): what answers and failures do
 * to recipients, destination and session, by the table of F11.2 and by F11.1
 * and F11.3. Three recipients; the tests drive.
 */
#include <check.h>

#include "mta/client.h"
#include "tests/unit/fake_host.h"

#define SENDER mta_addr_make(FAKE_SENDER_FAMILY, 1)

static struct fake_host f;
static struct mta_client client;
static struct mta_ref file;
static uint16_t codes[3];

static void
begin(enum mta_client_kind kind, uint32_t servers)
{
	struct mta_server found[2] = {{.number = 0}, {.number = 1}};
	struct mta_note list = fake_submission(&f, SENDER, 3);
	struct mta_note_deliver request = {.file = file,
					   .recipients = list.submit.recipients,
					   .recipient_count = 3,
					   .sender = SENDER,
					   .arrival = FAKE_START,
					   .active_time = FAKE_START};

	mta_client_init(&client, &f.host, &f.params, kind);
	ck_assert(mta_agent_begin(&client.agent, &request));
	mta_way_begin(&client.way, &f.params.smtp);
	ck_assert_uint_eq(mta_way_add(&client.way, found, servers), servers);
	mta_client_try(&client);
}

static void
set_up(void)
{
	fake_init(&f);
	file = fake_add(&f, MTA_ACTIVE, SENDER, 3);
	for (size_t i = 0; i < 3; i++)
		codes[i] = 250;
}

static void
tear_down(void)
{
	if (client.agent.left_count == 0)
		mta_agent_end(&client.agent);
	else
		mta_agent_crash(&client.agent);
	f.host.spool->ops->log_remove(f.host.spool, MTA_LOG_DEFER, file);
	f.host.spool->ops->log_remove(f.host.spool, MTA_LOG_BOUNCE, file);
	fake_release(&f);
}

static struct mta_client_failure
failure(enum mta_smtp_step step, enum mta_failure_kind kind)
{
	return (struct mta_client_failure){.what = {.step = step, .kind = kind},
					   .conn_use = 1};
}

static struct mta_client_failure
reply(enum mta_smtp_step step, int32_t code)
{
	struct mta_client_failure r = failure(step, MTA_FAIL_REPLY);

	r.what.reply_code = code;
	return r;
}

static void
no_session(struct mta_client_failure what)
{
	mta_client_fail(&client, &what);
}

static bool
refuse(uint32_t recipient, uint16_t code)
{
	struct mta_client_failure what = reply(MTA_STEP_RCPT, code);

	codes[recipient] = code;
	return mta_client_refuse(&client, recipient, &what);
}

static struct mta_client_accepted
accepted(uint32_t count)
{
	return (struct mta_client_accepted){.codes = codes, .count = count};
}

static void
sent_to(uint32_t count)
{
	struct mta_agent_result sent = {.status = {.dsn = MTA_DSN(2, 0, 0)},
					.code = 250,
					.step = MTA_STEP_END};

	mta_client_sent(&client, accepted(count), &sent);
}

static bool
fail_mail(uint32_t count, struct mta_client_failure what)
{
	return mta_client_fail_mail(&client, accepted(count), &what);
}

static bool
is_blamed(void)
{
	return mta_status_is_set(client.agent.hop);
}

/* So many were said to, the last of them so. */
static void
expect_said(uint32_t count, enum mta_outcome last)
{
	ck_assert_uint_eq(f.delivery_count, count);
	ck_assert_uint_eq(client.agent.left_count, 3 - count);
	ck_assert_int_eq(f.deliveries[count - 1].outcome, last);
}

/* F11.3: a soft failure leaves all to the next server; at the last one it
 * defers, and is blamed. F14.4: all the time was set-up. */
START_TEST(no_connection)
{
	begin(MTA_CLIENT_SMTP, 2);
	no_session(failure(MTA_STEP_CONNECT, MTA_FAIL_REFUSED));
	ck_assert_uint_eq(f.delivery_count, 0);
	ck_assert(!is_blamed());
	mta_way_next(&client.way);
	mta_client_try(&client);
	fake_run(&f, 30);
	no_session(failure(MTA_STEP_CONNECT, MTA_FAIL_TIMEOUT));
	expect_said(3, MTA_DEFERRED_OUTCOME);
	ck_assert(is_blamed());
	ck_assert_double_eq(fake_seconds(f.deliveries[0].setup), 30);
	ck_assert_uint_eq(f.deliveries[0].step, MTA_STEP_CONNECT);
}
END_TEST

/* F11.1: others than smtp never blame; they have no set-up. */
START_TEST(a_mailbox_is_no_destination)
{
	begin(MTA_CLIENT_LOCAL, 1);
	no_session(failure(MTA_STEP_CONNECT, MTA_FAIL_REFUSED));
	expect_said(3, MTA_DEFERRED_OUTCOME);
	ck_assert(!is_blamed());
	ck_assert_int_eq(f.deliveries[0].setup, MTA_NEVER);
}
END_TEST

/* F11.3: a hard failure is acted on at any server. */
START_TEST(no_such_name)
{
	begin(MTA_CLIENT_SMTP, 2);
	no_session(failure(MTA_STEP_DNS, MTA_FAIL_DNS_NONE));
	expect_said(3, MTA_BOUNCED);
	ck_assert(!is_blamed());
}
END_TEST

/* F11.2: a greeting of 554 leaves all to the next server by default. */
START_TEST(a_greeting_of_5xx)
{
	begin(MTA_CLIENT_SMTP, 2);
	no_session(reply(MTA_STEP_GREETING, 554));
	ck_assert_uint_eq(f.delivery_count, 0);
	f.params.smtp.skip_5xx_greeting = false;
	no_session(reply(MTA_STEP_GREETING, 554));
	expect_said(3, MTA_BOUNCED);
}
END_TEST

START_TEST(all_are_taken)
{
	begin(MTA_CLIENT_SMTP, 1);
	mta_client_mail(&client, FAKE_START + 1);
	sent_to(3);
	expect_said(3, MTA_SENT);
	ck_assert_int_eq(f.deliveries[0].setup, FAKE_START + 1);
	ck_assert_uint_eq(f.deliveries[0].code, 250);
}
END_TEST

/* RCPT 4xx defers that recipient at the last server, 5xx bounces it, and the
 * session is good. */
START_TEST(refused_at_the_last_server)
{
	begin(MTA_CLIENT_SMTP, 1);
	mta_client_mail(&client, FAKE_START);
	ck_assert(refuse(0, 450));
	expect_said(1, MTA_DEFERRED_OUTCOME);
	ck_assert(refuse(1, 550));
	expect_said(2, MTA_BOUNCED);
	sent_to(1);
	expect_said(3, MTA_SENT);
	ck_assert(!is_blamed());
}
END_TEST

/* Else the one that is refused for now goes to the next server. That one is not
 * blamed for what it does then: a transaction had gone through (F11.2). */
START_TEST(refused_for_now)
{
	begin(MTA_CLIENT_SMTP, 2);
	mta_client_mail(&client, FAKE_START);
	refuse(0, 450);
	sent_to(2);
	expect_said(2, MTA_SENT);
	ck_assert(mta_agent_has_left(&client.agent, 0));
	mta_way_next(&client.way);
	mta_client_try(&client);
	no_session(failure(MTA_STEP_CONNECT, MTA_FAIL_REFUSED));
	expect_said(3, MTA_DEFERRED_OUTCOME);
	ck_assert(!is_blamed());
}
END_TEST

/* 5xx at the end is of those who were accepted: the other has a server yet. */
START_TEST(a_mail_that_bounces)
{
	begin(MTA_CLIENT_SMTP, 2);
	mta_client_mail(&client, FAKE_START);
	refuse(2, 450);
	ck_assert(fail_mail(2, reply(MTA_STEP_END, 554)));
	expect_said(2, MTA_BOUNCED);
	ck_assert(mta_agent_has_left(&client.agent, 2));
}
END_TEST

/* 4xx at the end defers all at the last server, and is nobody's fault; 421
 * announces that the server closes. */
START_TEST(a_mail_that_is_deferred)
{
	begin(MTA_CLIENT_SMTP, 2);
	mta_client_mail(&client, FAKE_START);
	ck_assert(fail_mail(3, reply(MTA_STEP_END, 451)));
	ck_assert_uint_eq(f.delivery_count, 0);
	mta_way_next(&client.way);
	mta_client_try(&client);
	mta_client_mail(&client, FAKE_START);
	ck_assert(!fail_mail(3, reply(MTA_STEP_END, 421)));
	expect_said(3, MTA_DEFERRED_OUTCOME);
	ck_assert(!is_blamed());
}
END_TEST

/* Lost between MAIL and the end: all the rest, and blamed. */
START_TEST(a_session_that_is_lost)
{
	begin(MTA_CLIENT_SMTP, 1);
	mta_client_mail(&client, FAKE_START);
	refuse(1, 550);
	ck_assert(!fail_mail(2, failure(MTA_STEP_DATA, MTA_FAIL_LOST)));
	expect_said(3, MTA_DEFERRED_OUTCOME);
	ck_assert(is_blamed());
}
END_TEST

/* It is no session of this delivery, and had no set-up. */
START_TEST(a_session_that_was_dead)
{
	begin(MTA_CLIENT_SMTP, 1);
	mta_client_mail(&client, FAKE_START);
	mta_client_session_was_dead(&client);
	ck_assert_uint_eq(client.way.session_count, 0);
	fake_run(&f, 2);
	no_session(failure(MTA_STEP_CONNECT, MTA_FAIL_REFUSED));
	ck_assert_double_eq(fake_seconds(f.deliveries[0].setup), 2);
}
END_TEST

/* R-PIPE: a command that was killed has no other server, soft_bounce or not. */
START_TEST(a_command_is_killed)
{
	fake_set(&f, "soft_bounce", "yes");
	begin(MTA_CLIENT_LOCAL, 2);
	mta_client_mail(&client, FAKE_START);
	fail_mail(3, failure(MTA_STEP_END, MTA_FAIL_TIME_LIMIT));
	ck_assert_uint_eq(client.agent.left_count, 0);
}
END_TEST

Suite *
client_suite(void)
{
	Suite *s = suite_create("client");
	TCase *tc = tcase_create("delivery");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, no_connection);
	tcase_add_test(tc, a_mailbox_is_no_destination);
	tcase_add_test(tc, no_such_name);
	tcase_add_test(tc, a_greeting_of_5xx);
	tcase_add_test(tc, all_are_taken);
	tcase_add_test(tc, refused_at_the_last_server);
	tcase_add_test(tc, refused_for_now);
	tcase_add_test(tc, a_mail_that_bounces);
	tcase_add_test(tc, a_mail_that_is_deferred);
	tcase_add_test(tc, a_session_that_is_lost);
	tcase_add_test(tc, a_session_that_was_dead);
	tcase_add_test(tc, a_command_is_killed);
	suite_add_tcase(s, tc);
	return s;
}
