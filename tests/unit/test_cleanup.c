/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Cleanup (src/mta/cleanup.c). Expected results are the statements of the fact
 * sheet: F2.3, F2.4, F2.5, F2.7, F3.2, F3.4, F10.4; times are sums of the
 * delays that each test sets.
 */
#include <check.h>

#include "mta/cleanup.h"
#include "tests/unit/fake_host.h"

#define SENDER mta_addr_make(FAKE_SENDER_FAMILY, 1)

static struct fake_host f;
static struct mta_cleanup cleanup;
static enum mta_access_action answer; /* of the access rules */
static unsigned asked;

static enum mta_access_action
access_decide(struct mta_access *access, const struct mta_note_submit *s,
	      const struct mta_recipient *items)
{
	(void)access;
	ck_assert_uint_eq(mta_addr_family(items[0].address),
			  FAKE_RECIPIENT_FAMILY);
	ck_assert_uint_gt(s->recipient_count, 0);
	asked++;
	return answer;
}

static struct mta_access rules = {.decide = access_decide};

static void
set_up(void)
{
	fake_init(&f);
	answer = MTA_ACCESS_NONE;
	asked = 0;
	mta_cleanup_init(&cleanup, &f.host, &f.params, &rules);
}

static void
tear_down(void)
{
	mta_cleanup_release(&cleanup);
	fake_release(&f);
}

static void
submit(uint32_t recipients)
{
	fake_send(&f, MTA_TO_CLEANUP, fake_submission(&f, SENDER, recipients));
}

/* Answer number n to the client, at the seconds it must come at. */
static void
expect_answer(uint32_t n, double at, enum mta_submit_result result)
{
	const struct fake_note *note = fake_sent(&f, MTA_TO_CLIENT, n);

	ck_assert_ptr_nonnull(note);
	ck_assert_int_eq(note->note.kind, MTA_NOTE_SUBMITTED);
	ck_assert_int_eq(note->note.submitted.result, result);
	ck_assert_double_eq(fake_seconds(note->at), at);
}

START_TEST(a_message_is_taken)
{
	struct fake_file *file;

	f.port.tokens = 3;
	submit(2);
	fake_run(&f, 10);
	expect_answer(0, 0, MTA_SUBMIT_ACCEPTED);
	ck_assert_uint_eq(
		fake_sent(&f, MTA_TO_CLIENT, 0)->note.submitted.client.index,
		5);
	ck_assert_uint_eq(f.port.tokens, 2);
	ck_assert_uint_eq(fake_count(&f, MTA_INCOMING), 1);
	file = &f.spool.files[0];
	ck_assert_uint_eq(file->count, 2);
	ck_assert_uint_eq(file->shown.envelope.recipient_count, 2);
	ck_assert_int_eq(file->shown.envelope.created, FAKE_START);
	ck_assert_int_eq(file->shown.envelope.warn_s, 0);
	/* F1.7: one trigger, W, for each commit. */
	ck_assert_uint_eq(fake_sent_count(&f, MTA_TO_QMGR), 1);
	ck_assert_uint_eq(fake_sent(&f, MTA_TO_QMGR, 0)->note.trigger,
			  MTA_TRIGGER_WAKEUP);
	ck_assert_uint_eq(f.answer_count, 1);
	ck_assert_uint_eq(f.answers[0].slept, 0);
}
END_TEST

START_TEST(without_token_each_sleeps_alone_f3_2)
{
	fake_set(&f, "in_flow_delay", "2s");
	f.port.tokens = 1;
	submit(1);
	submit(1);
	submit(1);
	fake_run(&f, 1);
	ck_assert_uint_eq(cleanup.asleep_count, 2);
	/* F3.2: no re-check; tokens that come meanwhile change nothing. */
	f.port.tokens = 7;
	fake_run(&f, 10);
	expect_answer(0, 0, MTA_SUBMIT_ACCEPTED);
	expect_answer(1, 2, MTA_SUBMIT_ACCEPTED);
	expect_answer(2, 2, MTA_SUBMIT_ACCEPTED);
	ck_assert_uint_eq(f.port.tokens, 7);
	ck_assert_uint_eq(cleanup.busy_count, 0);
	ck_assert_uint_eq(f.answers[0].slept, 0);
	ck_assert_uint_eq(f.answers[2].slept, 1);
}
END_TEST

START_TEST(delay_zero_takes_no_tokens_f3_5)
{
	fake_set(&f, "in_flow_delay", "0s");
	f.port.tokens = 4;
	submit(1);
	fake_run(&f, 1);
	expect_answer(0, 0, MTA_SUBMIT_ACCEPTED);
	ck_assert_uint_eq(f.port.tokens, 4);
}
END_TEST

START_TEST(process_limit_makes_a_queue)
{
	/* F3.2: inflow without tokens is processes / delay: 1 / 3 s. */
	fake_set(&f, "in_flow_delay", "3s");
	cleanup.process_limit = 1;
	submit(1);
	submit(1);
	submit(1);
	fake_run(&f, 100);
	expect_answer(0, 3, MTA_SUBMIT_ACCEPTED);
	expect_answer(1, 6, MTA_SUBMIT_ACCEPTED);
	expect_answer(2, 9, MTA_SUBMIT_ACCEPTED);
}
END_TEST

START_TEST(time_of_the_disk_is_each_process_own)
{
	f.spool.fsync = 4000;
	f.port.tokens = 9;
	submit(1);
	submit(1);
	fake_run(&f, 1);
	expect_answer(0, 0.004, MTA_SUBMIT_ACCEPTED);
	expect_answer(1, 0.004, MTA_SUBMIT_ACCEPTED);
	ck_assert_double_eq(fake_seconds(fake_sent(&f, MTA_TO_QMGR, 0)->at),
			    0.004);
}
END_TEST

START_TEST(one_process_pays_for_the_disk_in_turn)
{
	f.spool.fsync = 4000;
	f.port.tokens = 9;
	cleanup.process_limit = 1;
	submit(1);
	submit(1);
	submit(1);
	fake_run(&f, 1);
	expect_answer(0, 0.004, MTA_SUBMIT_ACCEPTED);
	expect_answer(1, 0.008, MTA_SUBMIT_ACCEPTED);
	expect_answer(2, 0.012, MTA_SUBMIT_ACCEPTED);
	ck_assert_uint_eq(f.port.tokens, 6);
}
END_TEST

START_TEST(held_mail_gives_its_token_back_f3_4)
{
	/* R-FLOW-HOLD, R-ACCESS */
	answer = MTA_ACCESS_HOLD;
	f.port.tokens = 5;
	submit(1);
	fake_run(&f, 1);
	expect_answer(0, 0, MTA_SUBMIT_HELD);
	ck_assert_uint_eq(f.port.tokens, 5);
	ck_assert_uint_eq(fake_count(&f, MTA_HOLD), 1);
	ck_assert_uint_eq(fake_sent_count(&f, MTA_TO_QMGR), 0);
}
END_TEST

START_TEST(discarded_mail_costs_its_token_f2_7)
{
	answer = MTA_ACCESS_DISCARD;
	f.port.tokens = 5;
	submit(1);
	fake_run(&f, 1);
	expect_answer(0, 0, MTA_SUBMIT_DISCARDED);
	ck_assert_uint_eq(f.port.tokens, 4);
	ck_assert(!f.spool.files[0].exists);
	ck_assert_uint_eq(fake_sent_count(&f, MTA_TO_QMGR), 0);
}
END_TEST

START_TEST(refusals)
{
	struct mta_note large = fake_submission(&f, SENDER, 1);

	/* R-SMTPD-REFUSE (F2.5, F2.6): no token is there, and none is wanted;
	 * nor is a process. */
	f.port.tokens = 0;
	cleanup.process_limit = 1;
	answer = MTA_ACCESS_REJECT;
	submit(1);
	fake_run(&f, 0);
	expect_answer(0, 0, MTA_SUBMIT_REJECTED);
	ck_assert_uint_eq(f.answers[0].slept, 0);
	ck_assert(!mta_ref_is_set(f.answers[0].file));
	f.port.tokens = 9;
	fake_run(&f, 1);
	/* R-CLEANUP-STATUS, F2.3: size has priority over content. F2.5: default
	 * limit. */
	large.submit.size_bytes = 10240001;
	fake_send(&f, MTA_TO_CLEANUP, large);
	fake_run(&f, 2);
	expect_answer(1, 1, MTA_SUBMIT_TOO_LARGE);
	ck_assert_uint_eq(f.port.tokens, 9);
	ck_assert_uint_eq(fake_count(&f, MTA_INCOMING), 0);
	/* A client that hears it gets no bounce. */
	ck_assert_uint_eq(f.delivery_count, 0);
}
END_TEST

START_TEST(size_limits_f2_5)
{
	struct mta_note at_limit = fake_submission(&f, SENDER, 1);
	struct mta_note huge = fake_submission(&f, SENDER, 1);

	f.port.tokens = 9;
	at_limit.submit.size_bytes = 10240000;
	fake_send(&f, MTA_TO_CLEANUP, at_limit);
	fake_run(&f, 1);
	expect_answer(0, 0, MTA_SUBMIT_ACCEPTED);
	fake_set(&f, "message_size_limit", "0");
	huge.submit.size_bytes = UINT32_MAX;
	fake_send(&f, MTA_TO_CLEANUP, huge);
	fake_run(&f, 2);
	expect_answer(1, 1, MTA_SUBMIT_ACCEPTED);
}
END_TEST

START_TEST(full_disk)
{
	f.port.tokens = 9;
	f.spool.is_full = true;
	submit(1);
	fake_run(&f, 1);
	expect_answer(0, 0, MTA_SUBMIT_NO_SPACE);
	ck_assert(!f.spool.files[0].exists);
	ck_assert_uint_eq(fake_sent_count(&f, MTA_TO_QMGR), 0);
}
END_TEST

START_TEST(warning_time_f10_4)
{
	/* floor(arrival) + 4 h; the arrival lies at 0.9 s. */
	struct mta_note late;

	f.port.tokens = 9;
	fake_set(&f, "delay_warning_time", "4h");
	fake_run(&f, 0.9);
	late = fake_submission(&f, SENDER, 1);
	fake_send(&f, MTA_TO_CLEANUP, late);
	fake_send(&f, MTA_TO_CLEANUP,
		  fake_submission(&f, mta_addr_make(0, 1), 1));
	fake_run(&f, 2);
	ck_assert_int_eq(f.spool.files[0].shown.envelope.warn_s,
			 mta_second(FAKE_START) + 14400);
	ck_assert_int_eq(f.spool.files[1].shown.envelope.warn_s, 0);
}
END_TEST

START_TEST(access_is_not_asked_of_notices_and_requeued_mail)
{
	struct mta_note notice = fake_submission(&f, SENDER, 1);
	struct mta_note requeued = fake_submission(&f, SENDER, 1);

	f.port.tokens = 9;
	notice.submit.reply_to = MTA_TO_BOUNCE;
	requeued.submit.reply_to = MTA_TO_PICKUP;
	requeued.submit.is_requeued = true;
	fake_send(&f, MTA_TO_CLEANUP, notice);
	fake_send(&f, MTA_TO_CLEANUP, requeued);
	submit(1);
	fake_run(&f, 1);
	ck_assert_uint_eq(asked, 1);
	ck_assert_uint_eq(fake_count(&f, MTA_INCOMING), 3);
}
END_TEST

START_TEST(what_pickup_brings_and_is_refused_bounces_f2_4)
{
	/* R-CLEANUP-BOUNCE */
	struct mta_note local = fake_submission(&f, SENDER, 2);

	f.port.tokens = 9;
	answer = MTA_ACCESS_REJECT;
	local.submit.reply_to = MTA_TO_PICKUP;
	fake_send(&f, MTA_TO_CLEANUP, local);
	fake_run(&f, 1);
	ck_assert_int_eq(fake_sent(&f, MTA_TO_PICKUP, 0)->note.submitted.result,
			 MTA_SUBMIT_REJECTED);
	ck_assert_uint_eq(f.delivery_count, 2);
	ck_assert_int_eq(f.deliveries[1].outcome, MTA_BOUNCED);
	ck_assert_uint_eq(f.deliveries[1].dsn.subject, 7);
	ck_assert_int_eq(f.deliveries[1].active, MTA_NEVER);
	/* The notice came through cleanup itself, a token of its own. */
	ck_assert_uint_eq(f.port.tokens, 7);
	ck_assert_uint_eq(fake_count(&f, MTA_INCOMING), 1);
	ck_assert(mta_addr_is_null(f.spool.files[1].shown.envelope.sender));
	ck_assert_uint_eq(f.spool.files[1].recipients[0], SENDER);
	/* It is told of, and the refused file, the first one, is dropped. */
	ck_assert_uint_eq(f.notice_count, 1);
	ck_assert_int_eq(f.notices[0].kind, MTA_NOTICE_BOUNCE);
	ck_assert_uint_eq(f.notices[0].serial, local.submit.serial);
	ck_assert_uint_eq(f.notices[0].file.index, 0);
	ck_assert_uint_eq(f.notices[0].notice.index, 1);
	ck_assert(!f.spool.files[0].exists);
}
END_TEST

/* A mail of maildrop, from `sender`, is refused. */
static void
refuse_local(mta_addr sender, const char *classes)
{
	struct mta_note local = fake_submission(&f, sender, 1);

	f.port.tokens = 9;
	answer = MTA_ACCESS_REJECT;
	fake_set(&f, "notify_classes", classes);
	local.submit.reply_to = MTA_TO_PICKUP;
	fake_send(&f, MTA_TO_CLEANUP, local);
	fake_run(&f, 1);
}

/* The notice in file n: from where to where. */
static void
expect_notice(uint32_t n, uint32_t from_family, uint32_t to_family)
{
	const struct fake_file *file = &f.spool.files[n];

	ck_assert_uint_eq(mta_addr_family(file->shown.envelope.sender),
			  from_family);
	ck_assert_uint_eq(mta_addr_family(file->recipients[0]), to_family);
}

START_TEST(refused_mail_of_nobody_is_a_double_bounce_f10_2)
{
	/* R-CLEANUP-BOUNCE, R-DOUBLE-BOUNCE */
	refuse_local(mta_addr_make(0, 12), "2bounce");
	ck_assert_uint_eq(fake_count(&f, MTA_INCOMING), 1);
	expect_notice(1, FAKE_DOUBLE_FAMILY, FAKE_POSTMASTER_FAMILY);
	ck_assert_uint_eq(f.status_count, 0);
}
END_TEST

START_TEST(refused_mail_of_nobody_is_dropped_by_default_f10_2)
{
	refuse_local(mta_addr_make(0, 12), "resource, software");
	ck_assert_uint_eq(f.delivery_count, 1);
	ck_assert_uint_eq(fake_count(&f, MTA_INCOMING), 0);
	ck_assert_uint_eq(f.status_count, 1);
	ck_assert_uint_eq(f.statuses[0].what, MTA_STATUS_DROPPED);
}
END_TEST

START_TEST(refused_mail_of_double_bounces_is_dropped_f10_3)
{
	refuse_local(mta_addr_make(FAKE_DOUBLE_FAMILY, 1), "bounce 2bounce");
	ck_assert_uint_eq(fake_count(&f, MTA_INCOMING), 0);
	ck_assert_uint_eq(f.status_count, 1);
	ck_assert_uint_eq(f.statuses[0].what, MTA_STATUS_DROPPED);
}
END_TEST

START_TEST(postmaster_copy_of_a_refusal_f10_1)
{
	/* R-NOTIFY-COPY: the notice, and the copy from double-bounce. */
	refuse_local(SENDER, "bounce");
	ck_assert_uint_eq(fake_count(&f, MTA_INCOMING), 2);
	expect_notice(1, 0, FAKE_SENDER_FAMILY);
	expect_notice(2, FAKE_DOUBLE_FAMILY, FAKE_POSTMASTER_FAMILY);
	ck_assert_uint_eq(f.notice_count, 2);
	ck_assert_int_eq(f.notices[1].kind, MTA_NOTICE_POSTMASTER);
	ck_assert_uint_eq(f.notices[1].file.index, 0);
}
END_TEST

START_TEST(a_release_forgets_who_waits)
{
	cleanup.process_limit = 1;
	submit(1);
	submit(1);
	fake_run(&f, 0.5);
	ck_assert_uint_eq(cleanup.asleep_count, 1);
	/* tear_down checks that their lists were given back. */
}
END_TEST

Suite *
cleanup_suite(void)
{
	Suite *s = suite_create("cleanup");
	TCase *c = tcase_create("cleanup");

	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_add_test(c, a_message_is_taken);
	tcase_add_test(c, without_token_each_sleeps_alone_f3_2);
	tcase_add_test(c, delay_zero_takes_no_tokens_f3_5);
	tcase_add_test(c, process_limit_makes_a_queue);
	tcase_add_test(c, time_of_the_disk_is_each_process_own);
	tcase_add_test(c, one_process_pays_for_the_disk_in_turn);
	tcase_add_test(c, held_mail_gives_its_token_back_f3_4);
	tcase_add_test(c, discarded_mail_costs_its_token_f2_7);
	tcase_add_test(c, refusals);
	tcase_add_test(c, size_limits_f2_5);
	tcase_add_test(c, full_disk);
	tcase_add_test(c, warning_time_f10_4);
	tcase_add_test(c, access_is_not_asked_of_notices_and_requeued_mail);
	tcase_add_test(c, what_pickup_brings_and_is_refused_bounces_f2_4);
	tcase_add_test(c, refused_mail_of_nobody_is_a_double_bounce_f10_2);
	tcase_add_test(c, refused_mail_of_nobody_is_dropped_by_default_f10_2);
	tcase_add_test(c, refused_mail_of_double_bounces_is_dropped_f10_3);
	tcase_add_test(c, postmaster_copy_of_a_refusal_f10_1);
	tcase_add_test(c, a_release_forgets_who_waits);
	suite_add_tcase(s, c);
	return s;
}
