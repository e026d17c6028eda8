/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Results of recipients, the bounce service and its notices (src/mta/bounce.c,
 * notify.c). Cleanup is played by the tests, which see what is handed in.
 * Expected results: F9.1, F10.
 */
#include <check.h>

#include "mta/bounce.h"
#include "tests/unit/fake_host.h"

#define SENDER mta_addr_make(FAKE_SENDER_FAMILY, 1)
#define NOBODY mta_addr_make(0, 12)

static struct fake_host f;
static struct mta_bounce bounce;

static void
set_up(void)
{
	fake_init(&f);
	mta_bounce_init(&bounce, &f.host, &f.params);
}

static void
tear_down(void)
{
	for (uint32_t i = 0; i < f.spool.file_count; i++) {
		struct mta_ref id = {.index = i, .generation = 1};

		f.host.spool->ops->log_remove(f.host.spool, MTA_LOG_DEFER, id);
		f.host.spool->ops->log_remove(f.host.spool, MTA_LOG_BOUNCE, id);
	}
	mta_bounce_release(&bounce);
	/* Every owner of a text has let it go. */
	ck_assert_uint_eq(f.symbols.live_count, 0);
	fake_release(&f);
}

/* ---- results ------------------------------------------------------------ */

static struct mta_trace_delivery
result_of(struct mta_ref file, uint32_t recipient, struct mta_dsn dsn)
{
	return mta_delivery_without_agent(
		file, &fake_file(&f, file)->shown.envelope,
		(struct mta_recipient){
			.address =
				mta_addr_make(FAKE_RECIPIENT_FAMILY, recipient),
			.offset = recipient},
		(struct mta_status){
			.dsn = dsn,
			.reason = mta_sym_intern(&f.symbols, "words")});
}

static bool
append_bounce(struct mta_ref file, uint32_t recipient, struct mta_dsn dsn)
{
	struct mta_trace_delivery d = result_of(file, recipient, dsn);
	bool is_done = mta_bounce_append(&f.host, &f.params, &d);

	mta_sym_drop(&f.symbols, d.reason);
	return is_done;
}

static void
append_defer(struct mta_ref file, uint32_t recipient, struct mta_dsn dsn)
{
	struct mta_trace_delivery d = result_of(file, recipient, dsn);

	mta_defer_append(&f.host, &d);
	mta_sym_drop(&f.symbols, d.reason);
}

static void
expect_dsn(struct mta_dsn dsn, unsigned class, unsigned subject,
	   unsigned detail)
{
	ck_assert_uint_eq(dsn.class, class);
	ck_assert_uint_eq(dsn.subject, subject);
	ck_assert_uint_eq(dsn.detail, detail);
}

START_TEST(sent_is_traced_and_marked)
{
	struct mta_ref id = fake_add(&f, MTA_ACTIVE, SENDER, 2);
	struct mta_trace_delivery d = result_of(id, 1, MTA_DSN(2, 0, 0));

	mta_rcpt_sent(&f.host, &d);
	mta_sym_drop(&f.symbols, d.reason);
	ck_assert(fake_file(&f, id)->done[1]);
	ck_assert(!fake_file(&f, id)->done[0]);
	ck_assert_uint_eq(f.delivery_count, 1);
	ck_assert_int_eq(f.deliveries[0].outcome, MTA_SENT);
	ck_assert_uint_eq(f.deliveries[0].offset, 1);
	ck_assert_uint_eq(fake_file(&f, id)->log_count[MTA_LOG_DEFER], 0);
}
END_TEST

START_TEST(deferred_is_logged_and_left)
{
	struct mta_ref id = fake_add(&f, MTA_ACTIVE, SENDER, 1);
	struct fake_file *file = fake_file(&f, id);

	/* The end is after the log is written: 4 ms. */
	f.spool.fsync = 4000;
	append_defer(id, 0, MTA_DSN(4, 4, 1));
	ck_assert(!file->done[0]);
	ck_assert_uint_eq(file->log_count[MTA_LOG_DEFER], 1);
	expect_dsn(file->logs[MTA_LOG_DEFER][0].status.dsn, 4, 4, 1);
	ck_assert_str_eq(
		mta_sym_text(&f.symbols,
			     file->logs[MTA_LOG_DEFER][0].status.reason),
		"words");
	ck_assert_int_eq(f.deliveries[0].outcome, MTA_DEFERRED_OUTCOME);
	ck_assert_double_eq(fake_seconds(f.deliveries[0].at), 0.004);
}
END_TEST

START_TEST(class_fits_the_call_f9_1)
{
	struct mta_ref id = fake_add(&f, MTA_ACTIVE, SENDER, 2);
	struct mta_trace_delivery sent;

	append_defer(id, 0, MTA_DSN(5, 1, 1));
	expect_dsn(f.deliveries[0].dsn, 4, 0, 0);
	ck_assert(append_bounce(id, 1, MTA_DSN(4, 1, 1)));
	expect_dsn(f.deliveries[1].dsn, 5, 0, 0);
	ck_assert(fake_file(&f, id)->done[1]);
	sent = result_of(id, 0, MTA_DSN(4, 1, 1));
	mta_rcpt_sent(&f.host, &sent);
	mta_sym_drop(&f.symbols, sent.reason);
	expect_dsn(f.deliveries[2].dsn, 2, 0, 0);
}
END_TEST

START_TEST(soft_bounce_f9_1)
{
	struct mta_ref id = fake_add(&f, MTA_ACTIVE, SENDER, 1);
	struct fake_file *file = fake_file(&f, id);

	fake_set(&f, "soft_bounce", "yes");
	ck_assert(!append_bounce(id, 0, MTA_DSN(5, 1, 1)));
	ck_assert(!file->done[0]);
	ck_assert_uint_eq(file->log_count[MTA_LOG_BOUNCE], 0);
	ck_assert_uint_eq(file->log_count[MTA_LOG_DEFER], 1);
	expect_dsn(f.deliveries[0].dsn, 4, 1, 1);
	ck_assert_int_eq(f.deliveries[0].outcome, MTA_DEFERRED_OUTCOME);
	ck_assert_uint_eq(f.deliveries[0].soft_bounce, 1);
}
END_TEST

START_TEST(bounce_log_that_takes_nothing_f9_1)
{
	struct mta_ref id = fake_add(&f, MTA_ACTIVE, SENDER, 1);

	f.spool.no_logs = true;
	ck_assert(!append_bounce(id, 0, MTA_DSN(5, 1, 1)));
	ck_assert(!fake_file(&f, id)->done[0]);
	expect_dsn(f.deliveries[0].dsn, 4, 3, 0);
	ck_assert_uint_eq(f.deliveries[0].soft_bounce, 0);
}
END_TEST

/* ---- the service -------------------------------------------------------- */

static void
ask(struct mta_ref file, enum mta_notify what)
{
	fake_send(&f, MTA_TO_BOUNCE,
		  (struct mta_note){
			  .kind = MTA_NOTE_NOTIFY,
			  .notify = {.message = {.index = 3, .generation = 5},
				     .file = file,
				     .what = what}});
	fake_run(&f, fake_seconds(f.loop.stepped) + 1);
}

/* Cleanup answers submission number n. */
static void
answer(uint32_t n, enum mta_submit_result result)
{
	const struct fake_note *note = fake_sent(&f, MTA_TO_CLEANUP, n);

	ck_assert_ptr_nonnull(note);
	ck_assert_int_eq(note->note.submit.reply_to, MTA_TO_BOUNCE);
	mta_recipients_free(f.host.port, &note->note.submit.recipients);
	fake_send(&f, MTA_TO_BOUNCE,
		  (struct mta_note){
			  .kind = MTA_NOTE_SUBMITTED,
			  .submitted = {
				  .client = note->note.submit.client,
				  .file = {.index = 40 + n, .generation = 1},
				  .result = result}});
	fake_run(&f, fake_seconds(f.loop.stepped) + 1);
}

static void
expect_submission(uint32_t n, mta_addr from, mta_addr to)
{
	const struct fake_note *note = fake_sent(&f, MTA_TO_CLEANUP, n);
	struct mta_recipients recipients;

	ck_assert_ptr_nonnull(note);
	recipients = note->note.submit.recipients;
	ck_assert_uint_eq(note->note.submit.sender, from);
	ck_assert_uint_eq(note->note.submit.recipient_count, 1);
	ck_assert_uint_eq(
		mta_recipients_items(f.host.port, &recipients)->address, to);
}

/* The one answer that the queue manager has. */
static void
expect_notified(bool failed)
{
	const struct fake_note *note = fake_sent(&f, MTA_TO_QMGR, 0);

	ck_assert_uint_eq(fake_sent_count(&f, MTA_TO_QMGR), 1);
	ck_assert_int_eq(note->note.kind, MTA_NOTE_NOTIFIED);
	ck_assert_uint_eq(note->note.notify.message.index, 3);
	ck_assert_uint_eq(note->note.notify.message.generation, 5);
	ck_assert_int_eq(note->note.notify.failed, failed);
}

#define NULL_SENDER   mta_addr_make(0, 7) /* of the small host's book */
#define DOUBLE_SENDER mta_addr_make(FAKE_DOUBLE_FAMILY, 7)
/* The small host's book counts letters: "postmaster" has ten. */
#define POSTMASTER mta_addr_make(FAKE_POSTMASTER_FAMILY, 10)

START_TEST(single_bounce_f10_1)
{
	struct mta_ref id = fake_add(&f, MTA_ACTIVE, SENDER, 3);
	uint32_t serial = f.serial;

	append_bounce(id, 0, MTA_DSN(5, 1, 1));
	append_bounce(id, 2, MTA_DSN(5, 1, 1));
	ask(id, MTA_NOTIFY_BOUNCE);
	/* One message, to the sender, from <>. Not answered before cleanup
	 * is. */
	ck_assert_uint_eq(fake_sent_count(&f, MTA_TO_CLEANUP), 1);
	expect_submission(0, NULL_SENDER, SENDER);
	ck_assert_uint_eq(fake_sent_count(&f, MTA_TO_QMGR), 0);
	answer(0, MTA_SUBMIT_ACCEPTED);
	expect_notified(false);
	ck_assert_uint_eq(fake_file(&f, id)->log_count[MTA_LOG_BOUNCE], 0);
	ck_assert_uint_eq(f.notice_count, 1);
	ck_assert_uint_eq(f.notices[0].kind, MTA_NOTICE_BOUNCE);
	ck_assert_uint_eq(f.notices[0].notice.index, 40);
	ck_assert_uint_eq(f.notices[0].notice_serial, serial);
	ck_assert_uint_eq(f.notices[0].serial,
			  fake_file(&f, id)->shown.envelope.serial);
	ck_assert_uint_eq(f.serial, serial + 1);
}
END_TEST

START_TEST(bounce_failed_keeps_the_log_f10_6)
{
	struct mta_ref id = fake_add(&f, MTA_ACTIVE, SENDER, 1);

	append_bounce(id, 0, MTA_DSN(5, 1, 1));
	ask(id, MTA_NOTIFY_BOUNCE);
	answer(0, MTA_SUBMIT_NO_SPACE);
	expect_notified(true);
	ck_assert_uint_eq(fake_file(&f, id)->log_count[MTA_LOG_BOUNCE], 1);
	ck_assert_uint_eq(f.notice_count, 0);
}
END_TEST

START_TEST(postmaster_copy_f10_1)
{
	/* R-NOTIFY-COPY */
	struct mta_ref id = fake_add(&f, MTA_ACTIVE, SENDER, 1);

	fake_set(&f, "notify_classes", "resource, Bounce");
	append_bounce(id, 0, MTA_DSN(5, 1, 1));
	ask(id, MTA_NOTIFY_BOUNCE);
	answer(0, MTA_SUBMIT_ACCEPTED);
	ck_assert_uint_eq(fake_sent_count(&f, MTA_TO_QMGR), 0);
	expect_submission(1, DOUBLE_SENDER, POSTMASTER);
	/* That the copy fails changes nothing. */
	answer(1, MTA_SUBMIT_NO_SPACE);
	expect_notified(false);
	ck_assert_uint_eq(f.notice_count, 1);
}
END_TEST

START_TEST(double_bounce_is_dropped_f10_2)
{
	/* R-DOUBLE-BOUNCE */
	struct mta_ref id = fake_add(&f, MTA_ACTIVE, NOBODY, 1);

	append_bounce(id, 0, MTA_DSN(5, 1, 1));
	ask(id, MTA_NOTIFY_BOUNCE);
	ck_assert_uint_eq(fake_sent_count(&f, MTA_TO_CLEANUP), 0);
	expect_notified(false);
	ck_assert_uint_eq(f.status_count, 1);
	ck_assert_uint_eq(f.statuses[0].what, MTA_STATUS_DROPPED);
	ck_assert_uint_eq(fake_file(&f, id)->log_count[MTA_LOG_BOUNCE], 0);
}
END_TEST

START_TEST(double_bounce_to_the_postmaster_f10_2)
{
	struct mta_ref id = fake_add(&f, MTA_ACTIVE, NOBODY, 1);

	fake_set(&f, "notify_classes", "2bounce");
	append_bounce(id, 0, MTA_DSN(5, 1, 1));
	ask(id, MTA_NOTIFY_BOUNCE);
	expect_submission(0, DOUBLE_SENDER, POSTMASTER);
	answer(0, MTA_SUBMIT_ACCEPTED);
	expect_notified(false);
	ck_assert_uint_eq(f.notices[0].kind, MTA_NOTICE_DOUBLE_BOUNCE);
}
END_TEST

START_TEST(no_triple_bounces_f10_3)
{
	struct mta_ref id = fake_add(&f, MTA_ACTIVE, DOUBLE_SENDER, 1);

	fake_set(&f, "notify_classes", "bounce 2bounce");
	append_bounce(id, 0, MTA_DSN(5, 1, 1));
	ask(id, MTA_NOTIFY_BOUNCE);
	ck_assert_uint_eq(fake_sent_count(&f, MTA_TO_CLEANUP), 0);
	expect_notified(false);
}
END_TEST

/* F10.3, F10.4: a warning is no failure. Nobody is told of a late notice, and
 * what stays in the queue is not called dropped; that nobody is told has not
 * failed, so that it is not asked for again (F9.7 step 5). */
START_TEST(late_notices_make_no_warning)
{
	/* R-DOUBLE-BOUNCE */
	const mta_addr senders[] = {DOUBLE_SENDER, NOBODY};

	fake_set(&f, "notify_classes", "bounce 2bounce delay");
	for (size_t i = 0; i < 2; i++) {
		struct mta_ref id = fake_add(&f, MTA_ACTIVE, senders[i], 1);

		append_defer(id, 0, MTA_DSN(4, 4, 1));
		ask(id, MTA_NOTIFY_WARN);
		ck_assert_uint_eq(fake_sent_count(&f, MTA_TO_QMGR), i + 1);
		ck_assert(!fake_sent(&f, MTA_TO_QMGR, (uint32_t)i)
				   ->note.notify.failed);
		ck_assert_uint_eq(fake_file(&f, id)->log_count[MTA_LOG_DEFER],
				  1);
	}
	ck_assert_uint_eq(fake_sent_count(&f, MTA_TO_CLEANUP), 0);
	ck_assert_uint_eq(f.status_count, 0);
}
END_TEST

START_TEST(expiry_marks_who_is_in_the_log_f10_6)
{
	struct mta_ref id = fake_add(&f, MTA_ACTIVE, SENDER, 3);
	struct fake_file *file = fake_file(&f, id);

	append_defer(id, 0, MTA_DSN(4, 4, 1));
	append_defer(id, 2, MTA_DSN(4, 4, 1));
	ask(id, MTA_NOTIFY_EXPIRE);
	ck_assert(!file->done[0]);
	answer(0, MTA_SUBMIT_ACCEPTED);
	expect_notified(false);
	ck_assert(file->done[0]);
	ck_assert(!file->done[1]);
	ck_assert(file->done[2]);
	ck_assert_uint_eq(file->log_count[MTA_LOG_DEFER], 0);
	/* Two deferrals before, two expired now. */
	ck_assert_uint_eq(f.delivery_count, 4);
	ck_assert_int_eq(f.deliveries[3].outcome, MTA_EXPIRED);
	ck_assert_uint_eq(f.deliveries[3].offset, 2);
}
END_TEST

START_TEST(expiry_that_failed_marks_nobody)
{
	struct mta_ref id = fake_add(&f, MTA_ACTIVE, SENDER, 1);

	append_defer(id, 0, MTA_DSN(4, 4, 1));
	ask(id, MTA_NOTIFY_EXPIRE);
	answer(0, MTA_SUBMIT_NO_SPACE);
	expect_notified(true);
	ck_assert(!fake_file(&f, id)->done[0]);
	ck_assert_uint_eq(fake_file(&f, id)->log_count[MTA_LOG_DEFER], 1);
}
END_TEST

START_TEST(warning_f10_4)
{
	struct mta_ref id = fake_add(&f, MTA_ACTIVE, SENDER, 1);

	fake_set(&f, "notify_classes", "delay");
	append_defer(id, 0, MTA_DSN(4, 4, 1));
	ask(id, MTA_NOTIFY_WARN);
	expect_submission(0, NULL_SENDER, SENDER);
	answer(0, MTA_SUBMIT_ACCEPTED);
	expect_submission(1, DOUBLE_SENDER, POSTMASTER);
	answer(1, MTA_SUBMIT_ACCEPTED);
	expect_notified(false);
	ck_assert_uint_eq(f.notices[0].kind, MTA_NOTICE_WARNING);
	ck_assert_uint_eq(f.notices[1].kind, MTA_NOTICE_POSTMASTER_DELAY);
	/* The mail goes on, and so does its log. */
	ck_assert_uint_eq(fake_file(&f, id)->log_count[MTA_LOG_DEFER], 1);
	ck_assert(!fake_file(&f, id)->done[0]);
}
END_TEST

START_TEST(nobody_to_report_f10_1)
{
	struct mta_ref id = fake_add(&f, MTA_ACTIVE, SENDER, 1);

	ask(id, MTA_NOTIFY_EXPIRE);
	ck_assert_uint_eq(fake_sent_count(&f, MTA_TO_CLEANUP), 0);
	expect_notified(false);
}
END_TEST

START_TEST(a_file_that_is_gone)
{
	struct mta_ref id = fake_add(&f, MTA_ACTIVE, SENDER, 1);

	fake_file(&f, id)->exists = false;
	ask(id, MTA_NOTIFY_BOUNCE);
	expect_notified(true);
}
END_TEST

START_TEST(answers_to_nobody_are_ignored)
{
	fake_send(
		&f, MTA_TO_BOUNCE,
		(struct mta_note){.kind = MTA_NOTE_SUBMITTED,
				  .submitted = {.client = {.index = 0,
							   .generation = 9}}});
	fake_run(&f, 1);
	ck_assert_uint_eq(fake_sent_count(&f, MTA_TO_QMGR), 0);
}
END_TEST

START_TEST(lengths_f10_1)
{
	struct mta_envelope about = {.size_bytes = 50000};
	struct mta_notice n = {.kind = MTA_NOTICE_BOUNCE,
			       .about = &about,
			       .reported_count = 1};
	uint32_t whole = mta_notice_size_bytes(&n, &f.params);
	uint32_t head;

	/* R-NOTICE-SIZE, F10.1: the whole up to bounce_size_limit 50000, then
	 * the head. */
	ck_assert_uint_ge(whole, 50000);
	about.size_bytes = 50001;
	head = mta_notice_size_bytes(&n, &f.params);
	ck_assert_uint_lt(head, 50000);
	/* Copies and warnings hold the head, whatever its size. */
	about.size_bytes = 50000;
	n.kind = MTA_NOTICE_WARNING;
	ck_assert_uint_eq(mta_notice_size_bytes(&n, &f.params), head);
	/* Everybody who is reported makes it longer. */
	n.reported_count = 2;
	ck_assert_uint_gt(mta_notice_size_bytes(&n, &f.params), head);
}
END_TEST

START_TEST(classes_f10_7)
{
	/* R-NOTIFY-CLASSES */
	struct mta_notice_classes c = mta_notice_classes_of("");

	ck_assert(!c.bounce && !c.double_bounce && !c.delay);
	c = mta_notice_classes_of(" resource,software");
	ck_assert(!c.bounce && !c.double_bounce && !c.delay);
	c = mta_notice_classes_of("2BOUNCE, delay\tbouncer");
	ck_assert(!c.bounce && c.double_bounce && c.delay);
	c = mta_notice_classes_of("bounce");
	ck_assert(c.bounce && !c.double_bounce && !c.delay);
}
END_TEST

Suite *
bounce_suite(void)
{
	Suite *s = suite_create("bounce");
	TCase *r = tcase_create("results");
	TCase *c = tcase_create("service");

	tcase_add_checked_fixture(r, set_up, tear_down);
	tcase_add_test(r, sent_is_traced_and_marked);
	tcase_add_test(r, deferred_is_logged_and_left);
	tcase_add_test(r, class_fits_the_call_f9_1);
	tcase_add_test(r, soft_bounce_f9_1);
	tcase_add_test(r, bounce_log_that_takes_nothing_f9_1);
	suite_add_tcase(s, r);
	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_add_test(c, single_bounce_f10_1);
	tcase_add_test(c, bounce_failed_keeps_the_log_f10_6);
	tcase_add_test(c, postmaster_copy_f10_1);
	tcase_add_test(c, double_bounce_is_dropped_f10_2);
	tcase_add_test(c, double_bounce_to_the_postmaster_f10_2);
	tcase_add_test(c, late_notices_make_no_warning);
	tcase_add_test(c, no_triple_bounces_f10_3);
	tcase_add_test(c, expiry_marks_who_is_in_the_log_f10_6);
	tcase_add_test(c, expiry_that_failed_marks_nobody);
	tcase_add_test(c, warning_f10_4);
	tcase_add_test(c, nobody_to_report_f10_1);
	tcase_add_test(c, a_file_that_is_gone);
	tcase_add_test(c, answers_to_nobody_are_ignored);
	tcase_add_test(c, lengths_f10_1);
	tcase_add_test(c, classes_f10_7);
	suite_add_tcase(s, c);
	return s;
}
