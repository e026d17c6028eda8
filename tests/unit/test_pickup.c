/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pickup and postdrop (src/mta/pickup.c, postdrop.c), with the real cleanup
 * behind them. Expected results: F2.1, F2.2, F2.4, F3.2, F1.11; times are sums
 * of the delays that each test sets.
 */
#include <check.h>

#include "mta/cleanup.h"
#include "mta/pickup.h"
#include "tests/unit/fake_host.h"

#define SENDER mta_addr_make(FAKE_SENDER_FAMILY, 1)

static struct fake_host f;
static struct mta_cleanup cleanup;
static struct mta_pickup pickup;

static void
set_up(void)
{
	fake_init(&f);
	mta_cleanup_init(&cleanup, &f.host, &f.params, NULL);
	mta_pickup_init(&pickup, &f.host);
}

static void
tear_down(void)
{
	mta_pickup_release(&pickup);
	mta_cleanup_release(&cleanup);
	fake_release(&f);
}

static void
trigger(void)
{
	fake_send(&f, MTA_TO_PICKUP,
		  (struct mta_note){.kind = MTA_NOTE_TRIGGER,
				    .trigger = MTA_TRIGGER_WAKEUP});
}

static enum mta_postdrop_result
drop(const char *user, uint32_t recipients, uint32_t size_bytes)
{
	static const mta_addr to[2] = {1, 2};

	return mta_postdrop_submit(
		&f.host, &f.params,
		&(struct mta_postdrop){.user = user,
				       .sender = SENDER,
				       .recipients = to,
				       .recipient_count = recipients,
				       .size_bytes = size_bytes,
				       .serial = f.serial++});
}

START_TEST(files_go_one_at_a_time_f2_2)
{
	/* R-PICKUP; F3.2: each pays in_flow_delay 1 s, one after the other. */
	for (int i = 0; i < 3; i++)
		fake_add(&f, MTA_MAILDROP, SENDER, 2);
	trigger();
	fake_run(&f, 1.5);
	ck_assert_uint_eq(fake_count(&f, MTA_INCOMING), 1);
	ck_assert_uint_eq(fake_count(&f, MTA_MAILDROP), 2);
	ck_assert_uint_eq(cleanup.busy_count, 1);
	fake_run(&f, 20);
	ck_assert_uint_eq(f.answer_count, 3);
	ck_assert_double_eq(fake_seconds(f.answers[0].at), 1);
	ck_assert_double_eq(fake_seconds(f.answers[1].at), 2);
	ck_assert_double_eq(fake_seconds(f.answers[2].at), 3);
	ck_assert_uint_eq(fake_count(&f, MTA_MAILDROP), 0);
	ck_assert_uint_eq(fake_count(&f, MTA_INCOMING), 3);
}
END_TEST

START_TEST(what_comes_during_a_run_is_found_by_the_next_pass)
{
	/* F2.2: passes until one removes nothing; no trigger is needed. */
	fake_add(&f, MTA_MAILDROP, SENDER, 1);
	trigger();
	fake_run(&f, 0.5);
	fake_add(&f, MTA_MAILDROP, SENDER, 1);
	fake_run(&f, 10);
	ck_assert_uint_eq(fake_count(&f, MTA_INCOMING), 2);
}
END_TEST

START_TEST(a_trigger_during_a_run_starts_another)
{
	trigger();
	fake_run(&f, 1);
	ck_assert(!pickup.is_running);
	f.spool.is_full = true;
	fake_add(&f, MTA_MAILDROP, SENDER, 1);
	trigger();
	fake_run(&f, 1.2);
	ck_assert(pickup.is_running);
	trigger();
	fake_run(&f, 2.5);
	/* The first run kept the file (no space), the second tries again. */
	ck_assert_uint_eq(f.answer_count, 1);
	ck_assert(pickup.is_running);
	f.spool.is_full = false;
	fake_run(&f, 10);
	ck_assert_uint_eq(f.answer_count, 2);
	ck_assert_uint_eq(fake_count(&f, MTA_INCOMING), 1);
	ck_assert(!pickup.is_running);
}
END_TEST

START_TEST(no_space_keeps_the_file_f2_2)
{
	f.spool.is_full = true;
	fake_add(&f, MTA_MAILDROP, SENDER, 1);
	trigger();
	fake_run(&f, 50);
	ck_assert_uint_eq(f.answer_count, 1);
	ck_assert_uint_eq(fake_count(&f, MTA_MAILDROP), 1);
}
END_TEST

START_TEST(refused_files_go_and_bounce_f2_4)
{
	struct mta_ref id = fake_add(&f, MTA_MAILDROP, SENDER, 1);

	fake_file(&f, id)->shown.envelope.size_bytes = 10240001;
	trigger();
	fake_run(&f, 50);
	ck_assert_uint_eq(fake_count(&f, MTA_MAILDROP), 0);
	ck_assert_uint_eq(f.delivery_count, 1);
	ck_assert_int_eq(f.deliveries[0].outcome, MTA_BOUNCED);
	/* 552 5.3.4 (F2.3) */
	ck_assert_uint_eq(f.deliveries[0].dsn.subject, 3);
	ck_assert_uint_eq(f.deliveries[0].dsn.detail, 4);
	ck_assert_uint_eq(fake_count(&f, MTA_INCOMING), 1);
}
END_TEST

START_TEST(requeued_mail_keeps_its_arrival_f1_11)
{
	struct mta_ref id = fake_add(&f, MTA_MAILDROP, SENDER, 3);
	struct fake_file *file = fake_file(&f, id);
	struct fake_file *copy;

	f.port.tokens = 9;
	file->shown.mode = MTA_MODE_REQUEUED;
	file->shown.envelope.arrival = FAKE_START - 900 * MTA_USEC_PER_S;
	file->shown.envelope.created = file->shown.envelope.arrival;
	file->shown.envelope.serial = 77;
	file->done[1] = true;
	/* F12.2: it comes with its logs, which must not outlive it: they would
	 * be those of whoever gets its id. */
	file->log_count[MTA_LOG_DEFER] = 1;
	file->log_count[MTA_LOG_BOUNCE] = 1;
	trigger();
	fake_run(&f, 5);
	ck_assert_uint_eq(file->log_count[MTA_LOG_DEFER], 0);
	ck_assert_uint_eq(file->log_count[MTA_LOG_BOUNCE], 0);
	ck_assert_uint_eq(fake_count(&f, MTA_INCOMING), 1);
	copy = &f.spool.files[1];
	ck_assert_int_eq(copy->shown.envelope.arrival,
			 FAKE_START - 900 * MTA_USEC_PER_S);
	ck_assert_int_eq(copy->shown.envelope.created, FAKE_START);
	ck_assert_uint_eq(copy->shown.envelope.serial, 77);
	/* Only who is not finished. */
	ck_assert_uint_eq(copy->count, 2);
	ck_assert_uint_eq(copy->recipients[0],
			  mta_addr_make(FAKE_RECIPIENT_FAMILY, 0));
	ck_assert_uint_eq(copy->recipients[1],
			  mta_addr_make(FAKE_RECIPIENT_FAMILY, 2));
}
END_TEST

START_TEST(no_recipient_left_removes_the_file_f2_2)
{
	struct mta_ref id = fake_add(&f, MTA_MAILDROP, SENDER, 1);

	fake_file(&f, id)->done[0] = true;
	trigger();
	fake_run(&f, 5);
	ck_assert_uint_eq(fake_count(&f, MTA_MAILDROP), 0);
	ck_assert_uint_eq(fake_count(&f, MTA_INCOMING), 0);
	ck_assert_uint_eq(f.answer_count, 0);
}
END_TEST

START_TEST(postdrop_wakes_pickup)
{
	f.port.tokens = 9;
	ck_assert_int_eq(drop("alice", 2, 1000), MTA_POSTDROP_OK);
	ck_assert_uint_eq(fake_count(&f, MTA_MAILDROP), 1);
	fake_run(&f, 1);
	ck_assert_uint_eq(fake_count(&f, MTA_MAILDROP), 0);
	ck_assert_uint_eq(fake_count(&f, MTA_INCOMING), 1);
	ck_assert_uint_eq(f.spool.files[1].count, 2);
	ck_assert_uint_eq(f.spool.files[1].shown.envelope.size_bytes, 1000);
	ck_assert_int_eq(f.spool.files[1].shown.envelope.arrival, FAKE_START);
}
END_TEST

struct seen {
	struct mta_sink sink;
	unsigned submitted;
	unsigned refused;
};

static void
see(struct mta_sink *sink, enum mta_trace_kind kind, const void *record)
{
	struct seen *seen = mta_container_of(sink, struct seen, sink);
	const struct mta_trace_submitted *r = record;

	ck_assert(kind == MTA_TRACE_SUBMITTED);
	seen->submitted++;
	seen->refused += r->is_refused;
}

START_TEST(postdrop_refuses)
{
	struct seen seen = {.sink = {.take = see}};

	mta_trace_subscribe(&f.trace, MTA_TRACE_SUBMITTED, &seen.sink);
	fake_set(&f, "authorized_submit_users", "!mallory, static:all");
	ck_assert_int_eq(drop("mallory", 1, 1), MTA_POSTDROP_REFUSED);
	ck_assert_int_eq(drop("alice", 0, 1), MTA_POSTDROP_NO_RECIPIENT);
	ck_assert_int_eq(drop("alice", 1, 10240001), MTA_POSTDROP_TOO_LARGE);
	ck_assert_uint_eq(seen.submitted, 3);
	ck_assert_uint_eq(seen.refused, 3);
	ck_assert_int_eq(drop("alice", 1, 10240000), MTA_POSTDROP_OK);
	ck_assert_uint_eq(seen.submitted, 4);
	ck_assert_uint_eq(seen.refused, 3);
	f.spool.is_full = true;
	ck_assert_int_eq(drop("alice", 1, 1), MTA_POSTDROP_NO_SPACE);
	ck_assert_uint_eq(fake_count(&f, MTA_MAILDROP), 1);
	ck_assert_uint_eq(fake_sent_count(&f, MTA_TO_PICKUP), 1);
}
END_TEST

START_TEST(lists_of_users_f2_1)
{
	ck_assert(mta_user_is_listed("static:anyone", "alice"));
	ck_assert(mta_user_is_listed("root, alice", "alice"));
	ck_assert(!mta_user_is_listed("root, alice", "alic"));
	ck_assert(!mta_user_is_listed("root, alice", "bob"));
	ck_assert(!mta_user_is_listed("", "bob"));
	/* R-SUBMIT-USERS: the first that fits decides. */
	ck_assert(!mta_user_is_listed("!bob\tstatic:all", "bob"));
	ck_assert(mta_user_is_listed("bob !bob", "bob"));
	ck_assert(!mta_user_is_listed("!static:all alice", "alice"));
}
END_TEST

Suite *
pickup_suite(void)
{
	Suite *s = suite_create("pickup");
	TCase *c = tcase_create("pickup");

	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_add_test(c, files_go_one_at_a_time_f2_2);
	tcase_add_test(c, what_comes_during_a_run_is_found_by_the_next_pass);
	tcase_add_test(c, a_trigger_during_a_run_starts_another);
	tcase_add_test(c, no_space_keeps_the_file_f2_2);
	tcase_add_test(c, refused_files_go_and_bounce_f2_4);
	tcase_add_test(c, requeued_mail_keeps_its_arrival_f1_11);
	tcase_add_test(c, no_recipient_left_removes_the_file_f2_2);
	tcase_add_test(c, postdrop_wakes_pickup);
	tcase_add_test(c, postdrop_refuses);
	tcase_add_test(c, lists_of_users_f2_1);
	suite_add_tcase(s, c);
	return s;
}
