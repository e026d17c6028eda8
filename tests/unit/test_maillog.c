/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The mail log against the layout of facts F14. Receivers have fixed times, so
 * every number below follows from the scenario by hand: a mail of 1 s that is
 * connected in 200 ms and transferred in 900 ms has delay 1.1, and so on. Short
 * ids are five hex digits of the microsecond and the slot's number (F1.4).
 */
#include <stdlib.h>
#include <unistd.h>

#include "sim/results/maillog.h"
#include "tests/harness.h"
#include "tests/world_run.h"

static const char start[] = "scenario: log\n"
			    "seed: 1\n"
			    "run: {for: 90s, sample: 1s}\n"
			    "receivers:\n"
			    "  good: {connect: 200ms, transfer: 900ms}\n"
			    "  bad:\n"
			    "    connect: 10ms\n"
			    "    transfer: 20ms\n"
			    "    replies:\n"
			    "      - {step: rcpt, code: 550, match: \"u1@*\"}\n"
			    "      - {step: rcpt, code: 450, match: \"u0@*\"}\n"
			    "domains:\n"
			    "  good.example: {receiver: good}\n"
			    "  bad.example: {receiver: bad}\n"
			    "sources:\n";

static const char one_good[] = "  web:\n"
			       "    arrivals: {times: [1s]}\n"
			       "    sender: app{n}@shop.example\n"
			       "    to: {good.example: 1}\n"
			       "    recipients: 1\n"
			       "    users: 1\n"
			       "    size: 2000\n";

static const char two_bad[] = "  list:\n"
			      "    arrivals: {times: [2s]}\n"
			      "    sender: list{n}@shop.example\n"
			      "    to: {bad.example: 1}\n"
			      "    recipients: 2\n"
			      "    users: 2\n"
			      "    size: 1000\n";

static const char by_cron[] = "  cron:\n"
			      "    arrivals: {times: [3s]}\n"
			      "    sender: root@shop.example\n"
			      "    to: {good.example: 1}\n"
			      "    recipients: 1\n"
			      "    users: 1\n"
			      "    size: 1000\n"
			      "    via: {sendmail: root}\n";

/* Run a scenario and read its log. The caller frees. */
static char *
log_of(const char *sources, const char *operator)
{
	char dir[] = "/tmp/mtasim-maillog-XXXXXX";
	char text[4096];
	char *log = calloc(1, 65536);
	struct world_run *run;
	struct maillog *m;
	FILE *file;

	ck_assert_ptr_nonnull(log);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(text, sizeof(text), "%s%s%s", start, sources, operator);
	run = world_run_open(text, NULL);
	m = maillog_open(dir, &(struct results_view){
				      .scenario = run->scenario,
				      .trace = &run->world.trace,
				      .symbols = &run->world.symbols,
				      .book = &run->world.book,
				      .spool = world_host(&run->world)->spool,
				      .params = &run->world.params,
			      });
	ck_assert_str_eq(m->error, "");
	world_run_finish(run);
	ck_assert(maillog_close(m));
	file = fopen(m->path, "r");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_gt(fread(log, 1, 65535, file), 0);
	fclose(file);
	unlink(m->path);
	rmdir(dir);
	maillog_free(m);
	world_run_close(run);
	return log;
}

START_TEST(a_mail_that_is_delivered)
{
	char *log = log_of(one_good, "");

	ck_assert_str_eq(
		log,
		"Jan  5 00:00:01 mta postfix/smtpd[101]: 000001: "
		"client=client1.example[198.51.100.1]\n"
		"Jan  5 00:00:01 mta postfix/cleanup[102]: 000001: "
		"message-id=<m0@mta.example>\n"
		"Jan  5 00:00:01 mta postfix/qmgr[104]: 000001: "
		"from=<app0@shop.example>, size=2000, nrcpt=1 "
		"(queue active)\n"
		"Jan  5 00:00:02 mta postfix/smtp[201]: 000001: "
		"to=<u0@good.example>, relay=mx.good[192.0.2.1]:25, "
		"delay=1.1, delays=0/0/0.2/0.9, dsn=2.0.0, "
		"status=sent (250 2.0.0 Ok: queued)\n"
		"Jan  5 00:00:02 mta postfix/qmgr[104]: 000001: removed\n");
	free(log);
}
END_TEST

/* 2.010 s: both recipients are refused after 10 ms of setup. The notice's id
 * has its own microseconds; what it is made of is another test's business. */
START_TEST(a_mail_that_bounces_and_is_deferred)
{
	char *log = log_of(two_bad, "");

	ck_assert_ptr_nonnull(strstr(
		log, "000001: from=<list0@shop.example>, size=1000, nrcpt=2 "
		     "(queue active)\n"));
	ck_assert_ptr_nonnull(strstr(
		log, "postfix/smtp[201]: 000001: to=<u0@bad.example>, "
		     "relay=mx.bad[192.0.2.1]:25, delay=0.01, "
		     "delays=0/0/0.01/0, dsn=4.2.0, status=deferred (host "));
	ck_assert_ptr_nonnull(strstr(
		log, "postfix/smtp[201]: 000001: to=<u1@bad.example>, "
		     "relay=mx.bad[192.0.2.1]:25, delay=0.01, "
		     "delays=0/0/0.01/0, dsn=5.1.1, status=bounced (host "));
	ck_assert_ptr_nonnull(strstr(log, "postfix/bounce[105]: 000001: sender "
					  "non-delivery notification: "));
	ck_assert_ptr_nonnull(strstr(log, ": from=<>, size="));
	ck_assert_ptr_nonnull(
		strstr(log, ": to=<list0@shop.example>, relay=local, "));
	/* The mail itself stays: one recipient is left. */
	ck_assert_ptr_null(strstr(log, "000001: removed"));
	free(log);
}
END_TEST

/* The file in maildrop has the first slot, pickup's new one the second. */
START_TEST(a_mail_from_maildrop)
{
	char *log = log_of(by_cron, "");

	ck_assert_ptr_nonnull(strstr(log,
				     "postfix/pickup[103]: 000002: uid=1000 "
				     "from=<root@shop.example>\n"));
	ck_assert_ptr_null(strstr(log, "client="));
	free(log);
}
END_TEST

/* F12.2: hold, then requeue; pickup looks each minute and names the old id. */
START_TEST(what_the_operator_does)
{
	char *log = log_of(
		two_bad,
		"operator:\n"
		"  - {at: 10s, postsuper: hold, where: {queue: deferred}}\n"
		"  - {at: 12s, postsuper: release, where: {queue: hold}}\n"
		"  - {at: 14s, postsuper: requeue, where: {queue: deferred}}\n"
		"  - {at: 80s, postsuper: delete, where: ALL}\n");
	const char *at = strstr(log, "Jan  5 00:00:10 mta postfix/"
				     "postsuper[106]: 000001: placed on hold\n"
				     "Jan  5 00:00:12 mta postfix/"
				     "postsuper[106]: 000001: released from "
				     "hold\n"
				     "Jan  5 00:00:14 mta postfix/"
				     "postsuper[106]: 000001: requeued\n");

	ck_assert_ptr_nonnull(at);
	at = strstr(at, "uid=1000 from=<list0@shop.example> orig_id=000001\n");
	ck_assert_ptr_nonnull(at);
	/* The old arrival counts: 60 s - 2 s, and 58 has two digits. */
	ck_assert_ptr_nonnull(strstr(at, ", delay=58, delays=58/0/0.01/0, "));
	ck_assert_ptr_nonnull(
		strstr(at, "Jan  5 00:01:20 mta postfix/postsuper[106]: "));
	free(log);
}
END_TEST

/* F9.10: the delivery of 1 s ends at 2.1 s, after its mail was deleted; and its
 * own line names the mail, as does that of the agent of a mail that is held
 * first. */
START_TEST(what_is_deleted_while_it_is_delivered)
{
	static const char sent[] =
		"Jan  5 00:00:02 mta postfix/smtp[201]: 000001: "
		"to=<u0@good.example>, relay=mx.good[192.0.2.1]:25, "
		"delay=1.1, delays=0/0/0.2/0.9, dsn=2.0.0, status=sent ";
	char *log = log_of(
		one_good,
		"operator: [{at: 1.5s, postsuper: delete, where: ALL}]\n");

	ck_assert_ptr_nonnull(strstr(log, sent));
	free(log);
	log = log_of(one_good,
		     "operator:\n"
		     "  - {at: 1.5s, postsuper: hold, where: ALL}\n"
		     "  - {at: 1.6s, postsuper: delete, where: ALL}\n");
	ck_assert_ptr_nonnull(strstr(log, sent));
	free(log);
}
END_TEST

/* F2.4, F14.2: pickup's file is the second, the notice the third; pickup comes
 * at once. */
START_TEST(a_mail_from_maildrop_that_is_refused)
{
	char *log =
		log_of(by_cron, "access: [{sender: root@*, action: reject}]\n");
	static const char lines[] =
		"Jan  5 00:00:03 mta postfix/pickup[103]: 000002: uid=1000 "
		"from=<root@shop.example>\n"
		"Jan  5 00:00:03 mta postfix/cleanup[102]: 000002: "
		"message-id=<m0@mta.example>\n"
		"Jan  5 00:00:03 mta postfix/cleanup[102]: 000002: "
		"to=<u0@good.example>, relay=none, delay=0, delays=0/0/0/0, "
		"dsn=5.7.1, status=bounced (message content rejected)\n"
		"Jan  5 00:00:03 mta postfix/cleanup[102]: 000003: "
		"message-id=<m1@mta.example>\n"
		"Jan  5 00:00:03 mta postfix/bounce[105]: 000002: sender "
		"non-delivery notification: 000003\n";

	ck_assert_int_eq(strncmp(log, lines, strlen(lines)), 0);
	free(log);
}
END_TEST

/* Codes of F2.3, F2.5; what is thrown away is taken in before (F2.7). */
START_TEST(what_smtpd_answers)
{
	static const char no[] =
		"Jan  5 00:00:01 mta postfix/smtpd[101]: NOQUEUE: reject: "
		"MAIL from client1.example[198.51.100.1]: ";
	static const char taken[] =
		"Jan  5 00:00:01 mta postfix/smtpd[101]: 000001: "
		"client=client1.example[198.51.100.1]\n"
		"Jan  5 00:00:01 mta postfix/cleanup[102]: 000001: "
		"message-id=<m0@mta.example>\n";
	char *log = log_of(one_good,
			   "access: [{recipient: u0@*, action: reject}]\n");

	ck_assert_int_eq(strncmp(log, no, strlen(no)), 0);
	ck_assert_str_eq(log + strlen(no),
			 "550 5.7.1 access denied; from=<app0@shop.example> "
			 "proto=ESMTP helo=<client1.example>\n");
	free(log);
	log = log_of(one_good, "mta: {message_size_limit: 1999}\n");
	ck_assert_int_eq(strncmp(log, no, strlen(no)), 0);
	ck_assert_str_eq(log + strlen(no),
			 "552 5.3.4 message too large; from=<app0@shop.example>"
			 " proto=ESMTP helo=<client1.example>\n");
	free(log);
	log = log_of(one_good, "access: [{sender: app*, action: discard}]\n");
	ck_assert_ptr_nonnull(strstr(log, "NOQUEUE: discard: MAIL from "));
	ck_assert_str_eq(strchr(log, '\n') + 1, taken);
	free(log);
}
END_TEST

/* F10.2, F10.3: the bounce that bounces makes a double bounce, which bounces;
 * only that is warned of. */
START_TEST(notices_that_cannot_be_delivered)
{
	static const char to_bad[] = "  bad:\n"
				     "    arrivals: {times: [1s]}\n"
				     "    sender: u1@bad.example\n"
				     "    to: {bad.example: 1}\n"
				     "    users: 2\n"
				     "    recipients: 2\n"
				     "    size: 1000\n";
	char *log = log_of(to_bad, "");

	ck_assert_ptr_nonnull(strstr(log, "sender non-delivery notification"));
	ck_assert_ptr_null(strstr(log, "warning"));
	ck_assert_ptr_null(strstr(log, "dropped"));
	free(log);
	log = log_of(to_bad, "mta:\n"
			     "  notify_classes: 2bounce\n"
			     "  2bounce_notice_recipient: u1@bad.example\n");
	ck_assert_ptr_nonnull(
		strstr(log, "postmaster non-delivery notification"));
	ck_assert_ptr_nonnull(strstr(log, "postfix/bounce[105]: warning: "));
	ck_assert_ptr_nonnull(
		strstr(log, ": undeliverable double bounce dropped\n"));
	free(log);
}
END_TEST

/* F12.2, F14.8: -e is logged once, for a mark that is there already counts for
 * nothing; then the queue manager says what came of it. */
START_TEST(a_mail_that_is_marked_to_expire)
{
	char *log =
		log_of(two_bad, "operator:\n"
				"  - {at: 10s, postsuper: expire, where: ALL}\n"
				"  - {at: 11s, postsuper: expire, where: ALL}\n"
				"  - {at: 12s, postqueue: flush}\n");
	const char *at = strstr(log, "Jan  5 00:00:10 mta postfix/"
				     "postsuper[106]: 000001: expired\n");

	ck_assert_ptr_nonnull(at);
	ck_assert_ptr_null(strstr(strchr(at, '\n'), ": expired\n"));
	ck_assert_ptr_nonnull(
		strstr(at, "000001: from=<list0@shop.example>, "
			   "status=force-expired, returned to sender\n"));
	free(log);
}
END_TEST

/* R-SOFT-BOUNCE (F9.1, F14.3): the same refusals; the second has another word,
 * and class 4 of what it would have been. */
START_TEST(a_mail_that_bounces_softly)
{
	char *log = log_of(two_bad, "mta: {soft_bounce: yes}\n");

	ck_assert_ptr_nonnull(strstr(log, "to=<u0@bad.example>, "));
	ck_assert_ptr_nonnull(strstr(log, ", dsn=4.2.0, status=deferred ("));
	ck_assert_ptr_nonnull(strstr(log, "to=<u1@bad.example>, "));
	ck_assert_ptr_nonnull(strstr(log, ", dsn=4.1.1, status=SOFTBOUNCE ("));
	ck_assert_ptr_null(strstr(log, "status=bounced"));
	free(log);
}
END_TEST

START_TEST(a_folder_that_is_not_there)
{
	struct mta_trace trace;
	struct maillog *m = maillog_open(
		"/nonexistent", &(struct results_view){.trace = &trace});

	ck_assert_str_eq(m->error, "cannot create '/nonexistent/maillog': No "
				   "such file or directory");
	ck_assert(!maillog_close(m));
	maillog_free(m);
}
END_TEST

Suite *
maillog_suite(void)
{
	Suite *s = suite_create("maillog");
	TCase *t = tcase_create("lines");

	tcase_add_test(t, a_mail_that_is_delivered);
	tcase_add_test(t, a_mail_that_bounces_and_is_deferred);
	tcase_add_test(t, a_mail_from_maildrop);
	tcase_add_test(t, what_the_operator_does);
	tcase_add_test(t, what_is_deleted_while_it_is_delivered);
	tcase_add_test(t, a_mail_from_maildrop_that_is_refused);
	tcase_add_test(t, what_smtpd_answers);
	tcase_add_test(t, notices_that_cannot_be_delivered);
	tcase_add_test(t, a_mail_that_is_marked_to_expire);
	tcase_add_test(t, a_mail_that_bounces_softly);
	tcase_add_test(t, a_folder_that_is_not_there);
	suite_add_tcase(s, t);
	return s;
}
