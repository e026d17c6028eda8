/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the operator does to mail, submission, and notices, through the whole
 * system. Times are sums of what each scenario says; deferred runs are at 0,
 * 300, 600 s and so on.
 */
#include <check.h>
#include <string.h>

#include "tests/world_run.h"

#define S INT64_C(1000000)

/* ---- postsuper --------------------------------------------------------- */

/*
 * R-POSTSUPER hold (F9.10): held while it is delivered. The agent finishes, at
 * 100 s, and its mark makes the file due then; the mail stays in hold with
 * nobody left. Released at 200 s it is taken in at 300 s, and gone.
 */
START_TEST(hold_while_delivered)
{
	struct world_run *r = world_run_whole(
		"scenario: hold\nrun: {for: 400s}\n"
		"receivers: {r: {transfer: 100s}}\n"
		"domains: {a.example: {receiver: r}}\n"
		"sources: {s: {arrivals: {times: [0s]}, to: a.example}}\n"
		"operator:\n"
		"  - {at: 10s, postsuper: hold, where: ALL}\n"
		"  - {at: 200s, postsuper: release, where: ALL}\n");

	ck_assert_str_eq(world_run_say_deliveries(r), "0:sent@100");
	ck_assert_str_eq(world_run_say_moves(r, 0),
			 "0:new>incoming@0 0:incoming>active@0 "
			 "0:active>hold@10 0:hold>deferred@200 "
			 "0:deferred>active@300 0:active>gone@300");
	ck_assert_uint_eq(world_run_ended(r, 0)->outcome, MTA_SENT);
	world_run_close(r);
}
END_TEST

#define ONCE_REFUSED                                                           \
	"receivers:\n"                                                         \
	"  r: {replies: [{step: rcpt, code: 450, times: 1}]}\n"                \
	"domains: {a.example: {receiver: r}}\n"                                \
	"sources: {s: {arrivals: {times: [0s]}, to: a.example}}\n"

/* R-POSTSUPER release (F12.2): the wake time stays, 300 s; not 20, not 320. */
START_TEST(release_keeps_the_wake_time)
{
	struct world_run *r = world_run_whole(
		"scenario: release\nrun: {for: 700s}\n" ONCE_REFUSED
		"operator:\n"
		"  - {at: 10s, postsuper: hold, where: {queue: deferred}}\n"
		"  - {at: 20s, postsuper: release, where: {queue: hold}}\n");

	ck_assert_str_eq(world_run_say_moves(r, 0),
			 "0:new>incoming@0 0:incoming>active@0 "
			 "0:active>deferred@0 0:deferred>hold@10 "
			 "0:hold>deferred@20 0:deferred>active@300 "
			 "0:active>gone@300");
	world_run_close(r);
}
END_TEST

/* R-POSTSUPER hold: what is on hold when it falls due stays there. */
START_TEST(held_mail_is_never_looked_at)
{
	struct world_run *r = world_run_whole(
		"scenario: held\nrun: {for: 700s}\n" ONCE_REFUSED "operator:\n"
		"  - {at: 10s, postsuper: hold, where: {domain: a.example}}\n"
		"  - {at: 400s, postqueue: flush}\n");

	ck_assert_str_eq(world_run_say_deliveries(r), "0:deferred@0");
	ck_assert_uint_eq(world_run_in_queue(r, MTA_HOLD), 1);
	world_run_close(r);
}
END_TEST

/*
 * R-POSTSUPER requeue (F1.11, F12.2): requeued at 1300 s, picked up at 1320 s
 * (each 60 s), refused again. The new file was created at 1320 s: due 300 s
 * later, tried at 1800 s; by its arrival it would be due at 2640 s. The
 * arrival, 0 s, is kept. No access rule is asked again.
 */
START_TEST(requeue_is_a_new_file)
{
	struct world_run *r = world_run_whole(
		"scenario: requeue\nrun: {for: 2000s}\n"
		"access: [{sender: \"*\", recipient: \"none@*\", action: "
		"reject}]\n"
		"receivers:\n"
		"  r: {replies: [{step: rcpt, code: 450}]}\n"
		"domains: {a.example: {receiver: r}}\n"
		"sources: {s: {arrivals: {times: [0s]}, to: a.example}}\n"
		"operator:\n"
		"  - {at: 1300s, postsuper: requeue, where: {sender: "
		"\"sender@*\"}}\n");

	ck_assert_str_eq(world_run_say_deliveries(r),
			 "0:deferred@0 0:deferred@300 0:deferred@600 "
			 "0:deferred@1200 0:deferred@1320 0:deferred@1800");
	for (size_t i = 0; i < r->delivery.count; i++)
		ck_assert_int_eq(world_run_us(r->delivery.list[i].arrival), 0);
	world_run_close(r);
}
END_TEST

/* R-POSTSUPER delete: from every queue, one mail each; only one is delivered:
 * the one whose sender the second clause spares. */
START_TEST(delete_from_every_queue)
{
	struct world_run *r = world_run_whole(
		"scenario: delete\nrun: {for: 100s}\n"
		"mta: {qmgr_message_active_limit: 1}\n"
		"receivers: {r: {transfer: 20s}}\n"
		"domains: {\"*\": {receiver: r}}\n"
		"start:\n"
		"  - {queue: hold, messages: 1, to: a.example}\n"
		"  - {queue: deferred, messages: 1, to: a.example, age: 1h,\n"
		"     due: 1h}\n"
		"sources:\n"
		"  kept: {arrivals: {times: [0s]}, sender: kept@s.example,\n"
		"    to: b.example}\n"
		"  s: {arrivals: {times: [1s]}, to: a.example}\n"
		"operator:\n"
		"  - {at: 10s, postsuper: delete, where: {sender: "
		"\"sender@*\"}}\n");

	ck_assert_str_eq(world_run_say_deliveries(r), "2:sent@20");
	ck_assert_uint_eq(r->ended.count, 4);
	for (size_t i = 0; i < 4; i++)
		ck_assert_uint_eq(r->ended.list[i].outcome,
				  r->ended.list[i].serial == 2 ? MTA_SENT
							       : MTA_DELETED);
	ck_assert_str_eq(world_run_say_moves(r, 3),
			 "3:new>incoming@1 3:incoming>gone@10");
	world_run_close(r);
}
END_TEST

/* R-POSTSUPER expire (F5.10): a mail with a defer log goes back with what
 * stands there, without another attempt, when it is next taken in. */
START_TEST(expire_uses_the_defer_log)
{
	struct world_run *r = world_run_whole(
		"scenario: expire\nrun: {for: 700s}\n" ONCE_REFUSED
		"operator: [{at: 10s, postsuper: expire, where: ALL}]\n");

	ck_assert_str_eq(world_run_say_deliveries(r),
			 "0:deferred@0 0:expired@300 1:sent@300");
	ck_assert_uint_eq(r->notice.count, 1);
	ck_assert_uint_eq(r->notice.list[0].kind, MTA_NOTICE_BOUNCE);
	world_run_close(r);
}
END_TEST

/*
 * R-EXPIRE-FORCED (F5.1, F9.7 step 3): a list of 100 that is half tried. The
 * first read takes 20 (qmgr_message_recipient_limit), which are deferred at
 * 10 s; with no pool the next read takes the 10 slots of the mail, which are
 * under way when the queue manager dies at 15 s, and deferred at 20 s. Locked
 * till then, the mail is taken in at 300 s, when master wakes the queue
 * manager: its log names 30. The first read takes the same 20 again and leaves
 * them to the log; 8 reads of 10 send the other 80 to retry. So 30 + 80 are
 * deferred, and the 100 of the mail expire, each once.
 */
START_TEST(expire_reads_the_whole_list)
{
	struct world_run *r = world_run_whole(
		"scenario: expire\nrun: {for: 310s}\n"
		"mta: {qmgr_message_active_limit: 20,\n"
		"  qmgr_message_recipient_limit: 20, default_recipient_limit: "
		"0}\n"
		"receivers:\n"
		"  r: {replies: [{step: mail, code: 450, after: 10s}]}\n"
		"domains: {a.example: {receiver: r}}\n"
		"sources: {s: {arrivals: {times: [0s]}, to: a.example,\n"
		"  users: 100, recipients: 100}}\n"
		"operator:\n"
		"  - {at: 12s, postsuper: expire, where: ALL}\n"
		"  - {at: 15s, crash: qmgr}\n");

	ck_assert_uint_eq(world_run_count_outcome(r, MTA_DEFERRED_OUTCOME),
			  30 + 80);
	ck_assert_uint_eq(world_run_count_outcome(r, MTA_EXPIRED), 100);
	ck_assert_uint_eq(world_run_ended(r, 0)->outcome, MTA_EXPIRED);
	ck_assert_uint_eq(r->notice.count, 1);
	world_run_close(r);
}
END_TEST

/*
 * Who asked for a notice may be gone when it is sent, and the next look finds
 * nobody left: the file still says what became of the mail. Expired at 0 s (a
 * lifetime of 0 is one attempt), held at 1 s, reported at 3 s, released at 30 s
 * and due at once, for the mark is from 3 s: the run of 300 s ends it. Bounced
 * at 0 s, the system stopped from 1 s to 10 s: its successor ends it then.
 */
START_TEST(end_that_nobody_waited_for)
{
	struct world_run *r = world_run_whole(
		"scenario: expired\nrun: {for: 400s}\n"
		"mta: {maximal_queue_lifetime: 0s}\n"
		"costs: {bounce: 3s}\n"
		"receivers: {r: {state: refused}}\n"
		"domains: {a.example: {receiver: r}}\n"
		"sources: {s: {arrivals: {times: [0s]}, to: a.example}}\n"
		"operator:\n"
		"  - {at: 1s, postsuper: hold, where: ALL}\n"
		"  - {at: 30s, postsuper: release, where: ALL}\n");

	ck_assert_int_eq(world_run_us(world_run_ended(r, 0)->at), 300000000);
	ck_assert_uint_eq(world_run_ended(r, 0)->outcome, MTA_EXPIRED);
	world_run_close(r);

	r = world_run_whole(
		"scenario: bounced\nrun: {for: 400s}\n"
		"costs: {bounce: 3s}\n"
		"receivers: {r: {replies: [{step: rcpt, code: 550}]}}\n"
		"domains: {a.example: {receiver: r}}\n"
		"sources: {s: {arrivals: {times: [0s]}, to: a.example}}\n"
		"operator:\n"
		"  - {at: 1s, postfix: stop}\n"
		"  - {at: 10s, postfix: start}\n");
	ck_assert_int_eq(world_run_us(world_run_ended(r, 0)->at), 10000000);
	ck_assert_uint_eq(world_run_ended(r, 0)->outcome, MTA_BOUNCED);
	ck_assert_uint_eq(r->notice.count, 1);
	world_run_close(r);
}
END_TEST

/* R-POSTSUPER expire: -e leaves on hold what is held (F12.2); -f is -e and -H.
 * Held at 10 s, marked at 20 s, due at 300 s but still held then; released at
 * 400 s, it is taken in at 600 s and goes back. */
START_TEST(expire_does_not_release)
{
	struct world_run *r = world_run_whole(
		"scenario: expire\nrun: {for: 700s}\n" ONCE_REFUSED
		"operator:\n"
		"  - {at: 10s, postsuper: hold, where: ALL}\n"
		"  - {at: 20s, postsuper: expire, where: {queue: hold}}\n"
		"  - {at: 400s, postsuper: release, where: ALL}\n");

	ck_assert_str_eq(world_run_say_deliveries(r),
			 "0:deferred@0 0:expired@600 1:sent@600");
	world_run_close(r);
}
END_TEST

/* R-FLOW-TOKEN (F3.1): the pipe of tokens is master's, new and empty with it.
 * It survives the queue manager, whose first turn fills it: 3, the process
 * limit. */
START_TEST(tokens_end_with_master)
{
	struct world_run *r = world_run_open(
		"scenario: tokens\nrun: {for: 20s}\n"
		"mta: {default_process_limit: 3}\n"
		"receivers: {r: {transfer: 0}}\n"
		"domains: {a.example: {receiver: r}}\n"
		"sources: {s: {arrivals: {times: [1s]}, to: a.example}}\n",
		NULL);

	world_run_until(r, 10 * INT64_C(1000000));
	ck_assert_uint_eq(r->world.port.tokens, 3);
	world_qmgr_crash(&r->world);
	ck_assert_uint_eq(r->world.port.tokens, 3);
	world_system_stop(&r->world);
	world_system_start(&r->world);
	ck_assert_uint_eq(r->world.port.tokens, 0);
	world_run_until(r, 11 * INT64_C(1000000));
	ck_assert_uint_eq(r->world.port.tokens, 3);
	world_run_close(r);
}
END_TEST

/* ---- main.cf ------------------------------------------------------------- */

/* Two mails at 20 s, of 10 s each, and what the operator does before. */
static struct world_run *
run_edited(const char *actions)
{
	char text[1024];

	snprintf(text, sizeof(text),
		 "scenario: edited\nrun: {for: 60s}\n"
		 "mta: {initial_destination_concurrency: 1}\n"
		 "receivers: {r: {transfer: 10s}}\n"
		 "domains: {a.example: {receiver: r}}\n"
		 "sources: {s: {arrivals: {times: [20s, 20s]}, to: "
		 "a.example}}\n"
		 "operator: [%s]\n",
		 actions);
	return world_run_whole(text);
}

static void
expect_edited(const char *actions, const char *deliveries)
{
	struct world_run *r = run_edited(actions);

	ck_assert_str_eq(world_run_say_deliveries(r), deliveries);
	world_run_close(r);
}

/* R-RESTART: a window of 1 lets the second wait; of 2, not. */
START_TEST(who_starts_reads_main_cf)
{
#define EDITED "{at: 5s, set: {initial_destination_concurrency: 2}}"
	expect_edited(EDITED, "0:sent@30 1:sent@40");
	expect_edited(EDITED ", {at: 10s, postfix: reload}",
		      "0:sent@30 1:sent@30");
	expect_edited(EDITED ", {at: 10s, crash: qmgr}", "0:sent@30 1:sent@30");
	expect_edited(EDITED ", {at: 10s, postfix: stop, service: qmgr}, "
			     "{at: 11s, postfix: start, service: qmgr}",
		      "0:sent@30 1:sent@30");
	expect_edited(EDITED ", {at: 10s, postfix: stop}, "
			     "{at: 11s, postfix: start}",
		      "0:sent@30 1:sent@30");
#undef EDITED
}
END_TEST

/* R-RESTART: agents read it when the system starts or reloads: now there is one
 * process of smtp (F8.11). A queue manager reads it for itself only. */
START_TEST(agents_read_main_cf_together)
{
#define EDITED                                                                 \
	"{at: 5s, set: {initial_destination_concurrency: 2, "                  \
	"default_process_limit: 1}}"
	expect_edited(EDITED ", {at: 10s, postfix: reload}",
		      "0:sent@30 1:sent@40");
	expect_edited(EDITED ", {at: 10s, postfix: stop}, "
			     "{at: 11s, postfix: start}",
		      "0:sent@30 1:sent@40");
	expect_edited(EDITED ", {at: 10s, crash: qmgr}", "0:sent@30 1:sent@30");
#undef EDITED
}
END_TEST

/* R-MASTER-LISTEN (F8.11): smtpd's limit of 2, 10 s a mail, is 1 from 10 s on;
 * the process of before, which has a mail until 15 s, no longer counts. */
START_TEST(smtpd_reads_its_limit_again)
{
	struct world_run *r = world_run_whole(
		"scenario: smtpd\nrun: {for: 60s}\n"
		"mta: {default_process_limit: 2}\n"
		"costs: {cleanup: 10s}\n"
		"receivers: {r: {transfer: 0}}\n"
		"domains: {a.example: {receiver: r}}\n"
		"sources: {s: {arrivals: {times: [5s, 11s, 11s]}, to: "
		"a.example}}\n"
		"operator:\n"
		"  - {at: 1s, set: {default_process_limit: 1}}\n"
		"  - {at: 10s, postfix: reload}\n");

	ck_assert_str_eq(world_run_say_deliveries(r),
			 "0:sent@15 1:sent@21 2:sent@31");
	world_run_close(r);
}
END_TEST

/* R-DAMAGED (F1.12, F9.7 step 2): marked by an agent at work, and something is
 * left undone: into corrupt, for good. */
START_TEST(damaged_mail)
{
	struct world_run *r = world_run_open(
		"scenario: damaged\nrun: {for: 700s}\n"
		"receivers:\n"
		"  r: {replies: [{step: rcpt, code: 450, after: 20s}]}\n"
		"domains: {a.example: {receiver: r}}\n"
		"sources: {s: {arrivals: {times: [0s]}, to: a.example}}\n",
		NULL);
	struct mta_spool *spool = world_host(&r->world)->spool;

	world_run_until(r, 10 * S);
	spool->ops->set_mode(spool, r->move.list[0].file, MTA_MODE_DAMAGED, 0);
	world_run_finish(r);
	ck_assert_str_eq(world_run_say_moves(r, 0),
			 "0:new>incoming@0 0:incoming>active@0 "
			 "0:active>corrupt@20");
	ck_assert_uint_eq(r->world.qmgr.active_count, 0);
	world_run_close(r);
}
END_TEST

/* R-DAMAGED: it has gone from active meanwhile, held at 10 s, and something is
 * left undone: forgotten. Its place in active is free. */
START_TEST(mail_that_went_away)
{
	struct world_run *r = world_run_whole(
		"scenario: away\nrun: {for: 700s}\n"
		"receivers:\n"
		"  r: {replies: [{step: rcpt, code: 450, after: 20s}]}\n"
		"domains: {a.example: {receiver: r}}\n"
		"sources: {s: {arrivals: {times: [0s]}, to: a.example}}\n"
		"operator: [{at: 10s, postsuper: hold, where: ALL}]\n");

	ck_assert_str_eq(world_run_say_deliveries(r), "0:deferred@20");
	ck_assert_str_eq(world_run_say_moves(r, 0),
			 "0:new>incoming@0 0:incoming>active@0 "
			 "0:active>hold@10");
	ck_assert_uint_eq(r->world.qmgr.active_count, 0);
	world_run_close(r);
}
END_TEST

/* ---- submission -------------------------------------------------------- */

/*
 * R-SUBMIT-USERS (F2.1): the list's first entry that fits decides.
 * R-CLEANUP-BOUNCE (F2.4): what pickup brings and is refused goes back to its
 * sender. That of a client is refused to its face.
 */
START_TEST(submission_by_users)
{
	struct world_run *r = world_run_whole(
		"scenario: users\nrun: {for: 10s}\n"
		"mta: {authorized_submit_users: \"!mallory, static:anyone\"}\n"
		"access: [{sender: \"bad*@*\", action: reject}]\n"
		"receivers: {r: {transfer: 0}}\n"
		"domains: {a.example: {receiver: r}}\n"
		"sources:\n"
		"  a: {arrivals: {times: [1s]}, via: {sendmail: alice}, to: "
		"a.example}\n"
		"  m: {arrivals: {times: [2s]}, via: {sendmail: mallory}, to: "
		"a.example}\n"
		"  b: {arrivals: {times: [3s]}, via: {sendmail: bob},\n"
		"    sender: bad@s.example, to: a.example}\n"
		"  c: {arrivals: {times: [4s]}, sender: bad@s.example,\n"
		"    to: a.example}\n");

	/* 0 is alice's; 1 was mallory's and went nowhere; 2 is bob's, refused;
	 * 3 the notice to him, delivered by local; 4 the client's. */
	ck_assert_str_eq(world_run_say_deliveries(r),
			 "0:sent@1 2:bounced@3 3:sent@3");
	ck_assert_str_eq(world_run_text(r, r->delivery.list[2].transport),
			 "local");
	ck_assert_str_eq(world_run_say_moves(r, 1), "");
	ck_assert_uint_eq(world_run_ended(r, 2)->outcome, MTA_BOUNCED);
	ck_assert_uint_eq(r->answered.list[r->answered.count - 1].serial, 4);
	ck_assert_uint_eq(r->answered.list[r->answered.count - 1].result,
			  MTA_SUBMIT_REJECTED);
	world_run_close(r);
}
END_TEST

/* R-ACCESS (F2.7): the first rule that fits decides; R-CLEANUP-STATUS (F2.3):
 * too large weighs more than an action. */
START_TEST(first_rule_that_fits)
{
	static const uint32_t results[] = {
		MTA_SUBMIT_HELD, MTA_SUBMIT_DISCARDED, MTA_SUBMIT_REJECTED,
		MTA_SUBMIT_ACCEPTED, MTA_SUBMIT_TOO_LARGE};
	struct world_run *r = world_run_whole(
		"scenario: access\nrun: {for: 10s}\n"
		"mta: {message_size_limit: 5000}\n"
		"access:\n"
		"  - {sender: \"h*@*\", action: hold}\n"
		"  - {sender: \"hd*@*\", action: reject}\n"
		"  - {sender: \"d*@*\", action: discard}\n"
		"  - {recipient: \"*@b.example\", action: reject}\n"
		"receivers: {r: {transfer: 0}}\n"
		"domains: {\"*\": {receiver: r}}\n"
		"sources:\n"
		"  a: {arrivals: {times: [1s]}, sender: hd@s.example, to: "
		"a.example}\n"
		"  b: {arrivals: {times: [2s]}, sender: d@s.example, to: "
		"b.example}\n"
		"  c: {arrivals: {times: [3s]}, sender: x@s.example, to: "
		"b.example}\n"
		"  d: {arrivals: {times: [4s]}, sender: x@s.example, to: "
		"a.example}\n"
		"  e: {arrivals: {times: [5s]}, sender: h@s.example, to: "
		"a.example,\n"
		"    size: 5001}\n");

	ck_assert_uint_eq(r->answered.count, 5);
	for (size_t i = 0; i < 5; i++)
		ck_assert_uint_eq(r->answered.list[i].result, results[i]);
	ck_assert_str_eq(world_run_say_deliveries(r), "3:sent@4");
	world_run_close(r);
}
END_TEST

/* ---- notices ----------------------------------------------------------- */

static struct world_run *
run_bounce(const char *settings, const char *source)
{
	char text[2048];

	snprintf(text, sizeof(text),
		 "scenario: bounce\nrun: {until: drained}\n%s"
		 "receivers:\n"
		 "  hard: {replies: [{step: rcpt, code: 550}]}\n"
		 "  good: {transfer: 0}\n"
		 "domains:\n"
		 "  a.example: {receiver: hard}\n"
		 "  \"*\": {receiver: good}\n"
		 "sources:\n"
		 "  s: {arrivals: {times: [1s]}, to: a.example, %s}\n",
		 settings, source);
	return world_run_whole(text);
}

/* The length of the notice that is mail number `serial`. */
static uint32_t
notice_size(const struct world_run *r, uint32_t serial)
{
	for (size_t i = 0; i < r->submitted.count; i++)
		if (r->submitted.list[i].serial == serial) {
			ck_assert_uint_eq(r->submitted.list[i].is_notice, 1);
			return r->submitted.list[i].size_bytes;
		}
	ck_abort_msg("mail %u was not submitted", serial);
	return 0;
}

/*
 * R-FINISH (F9.8): the sender is told of the one who bounced, the others stay.
 * A mail of which a recipient bounced ends as bounced (enum mta_outcome), at
 * once or after the others were tried again: u0 is refused for good, and u1 at
 * the first attempt, at 1 s, or never. Age 0 at 1 s, due at 301 s, which the
 * run of 300 s takes by its second of grace.
 */
START_TEST(outcome_of_mail_that_bounced_in_part)
{
	static const char text[] =
		"scenario: part\nrun: {for: 700s}\n"
		"receivers:\n"
		"  r: {replies: [{step: rcpt, code: 550, match: \"u0@*\"},\n"
		"    {step: rcpt, code: 450, match: \"%s@*\", times: 1}]}\n"
		"domains: {a.example: {receiver: r}}\n"
		"sources: {s: {arrivals: {times: [1s]}, to: a.example,\n"
		"  users: 2, recipients: 2}}\n";
	char buffer[1024];
	struct world_run *r;

	snprintf(buffer, sizeof(buffer), text, "none");
	r = world_run_whole(buffer);
	ck_assert_int_eq(world_run_us(world_run_ended(r, 0)->at), 1 * S);
	ck_assert_uint_eq(world_run_ended(r, 0)->outcome, MTA_BOUNCED);
	world_run_close(r);
	snprintf(buffer, sizeof(buffer), text, "u1");
	r = world_run_whole(buffer);
	ck_assert_int_eq(world_run_us(world_run_ended(r, 0)->at), 300 * S);
	ck_assert_uint_eq(world_run_ended(r, 0)->outcome, MTA_BOUNCED);
	world_run_close(r);
}
END_TEST

/* R-NOTICE-SIZE (F10.1), M-NOTICE-SIZE: 1500 bytes of words, 500 for each
 * recipient, and the original, or 1500 bytes of head when it is longer than
 * bounce_size_limit. */
START_TEST(sizes_of_bounces)
{
	struct world_run *r = run_bounce("", "size: 50000, users: 9, "
					     "recipients: 2");

	ck_assert_uint_eq(notice_size(r, 1), 1500 + 2 * 500 + 50000);
	world_run_close(r);
	r = run_bounce("", "size: 50001");
	ck_assert_uint_eq(notice_size(r, 1), 1500 + 500 + 1500);
	world_run_close(r);
	r = run_bounce("mta: {bounce_size_limit: 100}\n", "size: 700");
	ck_assert_uint_eq(notice_size(r, 1), 1500 + 500 + 700);
	world_run_close(r);
}
END_TEST

/* R-NOTIFY-CLASSES, R-NOTIFY-COPY (F10.1, F10.7): with the class bounce a copy,
 * with the head only, goes to the postmaster; by default none does. */
START_TEST(copy_for_the_postmaster)
{
	struct world_run *r = run_bounce("", "size: 40000");

	ck_assert_uint_eq(r->notice.count, 1);
	ck_assert_uint_eq(r->notice.list[0].kind, MTA_NOTICE_BOUNCE);
	world_run_close(r);
	r = run_bounce("mta: {notify_classes: \"resource, bounce\"}\n",
		       "size: 40000");
	ck_assert_uint_eq(r->notice.count, 2);
	ck_assert_uint_eq(r->notice.list[0].kind, MTA_NOTICE_BOUNCE);
	ck_assert_uint_eq(r->notice.list[1].kind, MTA_NOTICE_POSTMASTER);
	ck_assert_uint_eq(notice_size(r, 2), 1500 + 500 + 1500);
	/* All three mails ended: the bounce and its copy were delivered. */
	ck_assert_uint_eq(r->ended.count, 3);
	ck_assert_uint_eq(world_run_count_outcome(r, MTA_SENT), 2);
	world_run_close(r);
}
END_TEST

/* R-DOUBLE-BOUNCE (F10.2, F10.3): the sender's own site refuses the bounce. By
 * default that is dropped without a word; with 2bounce the postmaster gets it;
 * and when the postmaster's site refuses that too, it is dropped. */
START_TEST(bounce_that_bounces)
{
	struct world_run *r = run_bounce("", "sender: x@a.example");

	ck_assert_uint_eq(r->notice.count, 1);
	ck_assert_uint_eq(r->ended.count, 2);
	ck_assert_uint_eq(r->status.count, 1);
	ck_assert_uint_eq(r->status.list[0].what, MTA_STATUS_DROPPED);
	world_run_close(r);
	r = run_bounce("mta: {notify_classes: 2bounce}\n",
		       "sender: x@a.example");
	ck_assert_uint_eq(r->notice.count, 2);
	ck_assert_uint_eq(r->notice.list[1].kind, MTA_NOTICE_DOUBLE_BOUNCE);
	ck_assert_uint_eq(r->status.count, 0);
	ck_assert_uint_eq(r->ended.count, 3);
	world_run_close(r);
	r = run_bounce("mta: {notify_classes: 2bounce,\n"
		       "  2bounce_notice_recipient: pm@a.example}\n",
		       "sender: x@a.example");
	ck_assert_uint_eq(r->notice.count, 2);
	ck_assert_uint_eq(r->status.count, 1);
	ck_assert_uint_eq(r->status.list[0].what, MTA_STATUS_DROPPED);
	ck_assert_uint_eq(r->ended.count, 3);
	world_run_close(r);
}
END_TEST

/* The sender of mail number `serial`, as text. */
static const char *
sender_of(const struct world_run *r, uint32_t serial)
{
	for (size_t i = 0; i < r->submitted.count; i++)
		if (r->submitted.list[i].serial == serial)
			return world_run_address(r,
						 r->submitted.list[i].sender);
	return "";
}

/* R-DOUBLE-BOUNCE (F10.3): mail from the parameter's local part at our name is
 * dropped when it fails, whoever has sent it; another name has no such right.
 * Copies for the postmaster come from the same (F10.1). */
START_TEST(who_sends_double_bounces)
{
	static const char named[] = "mta: {double_bounce_sender: dbl, "
				    "notify_classes: bounce}\n";
	struct world_run *r =
		run_bounce("", "sender: Double-Bounce@mta.example");

	ck_assert_uint_eq(r->notice.count, 0);
	ck_assert_uint_eq(r->status.list[0].what, MTA_STATUS_DROPPED);
	world_run_close(r);
	r = run_bounce(named, "sender: dbl@mta.example");
	ck_assert_uint_eq(r->notice.count, 0);
	ck_assert_uint_eq(r->status.list[0].what, MTA_STATUS_DROPPED);
	world_run_close(r);
	r = run_bounce(named, "sender: double-bounce@mta.example");
	ck_assert_uint_eq(r->notice.count, 2);
	ck_assert_uint_eq(r->notice.list[1].kind, MTA_NOTICE_POSTMASTER);
	ck_assert_str_eq(sender_of(r, 2), "dbl@mta.example");
	world_run_close(r);
}
END_TEST

/* F5.4 f: our own name is of the local class, whatever "*" or bounces_to say.
 */
START_TEST(our_own_name_is_local)
{
	static const char copies[] =
		"bounces_to: good\nmta: {notify_classes: bounce}\n";
	struct world_run *r = run_bounce(copies, "sender: x@b.example");

	/* The bounce goes to "*", its copy to postmaster@mta.example. */
	ck_assert_str_eq(world_run_say_deliveries(r),
			 "0:bounced@1 1:sent@1 2:sent@1");
	ck_assert_str_eq(world_run_text(r, r->delivery.list[1].transport),
			 "smtp");
	ck_assert_str_eq(world_run_text(r, r->delivery.list[2].transport),
			 "local");
	world_run_close(r);
	/* R-DOUBLE-BOUNCE-END: so what goes there ends without an agent. */
	r = run_bounce("mta: {notify_classes: bounce, "
		       "bounce_notice_recipient: double-bounce}\n",
		       "sender: x@b.example");
	ck_assert_uint_eq(world_run_count_outcome(r, MTA_SENT), 2);
	ck_assert_int_eq(world_run_delivery(r, 2, 0)->handoff, MTA_NEVER);
	world_run_close(r);
}
END_TEST

/* R-WARN-TIME, R-WARN-DUE (F10.4): 600 s after arrival (0.5 s: second 0), one
 * second early: the attempt in second 599 warns, once. The daemons start at
 * -1 s, so runs are in seconds 299 and 599, with the phase of the last wake-up,
 * that of the arrival (F0.4). Age 0 at first: due at 300, taken at 299 by the
 * second of grace; then age 299, 300 s more. */
START_TEST(warning_once)
{
	struct world_run *r = world_run_whole(
		"scenario: warn\nrun: {for: 2000s, start_at: -1s}\n"
		"mta: {delay_warning_time: 600s}\n"
		"receivers: {r: {replies: [{step: rcpt, code: 450}]}}\n"
		"domains: {a.example: {receiver: r}}\n"
		"sources: {s: {arrivals: {times: [0.5s]}, to: a.example}}\n");

	ck_assert_int_eq(world_run_us(world_run_delivery(r, 0, 1)->at),
			 299 * S + S / 2);
	ck_assert_int_eq(world_run_us(world_run_delivery(r, 0, 2)->at),
			 599 * S + S / 2);
	ck_assert_uint_eq(r->notice.count, 1);
	ck_assert_uint_eq(r->notice.list[0].kind, MTA_NOTICE_WARNING);
	ck_assert_int_eq(world_run_us(r->notice.list[0].at), 599 * S + S / 2);
	world_run_close(r);
}
END_TEST

Suite *
system_operator_suite(void)
{
	Suite *s = suite_create("system_operator");
	TCase *tc = tcase_create("whole system");

	tcase_add_test(tc, hold_while_delivered);
	tcase_add_test(tc, release_keeps_the_wake_time);
	tcase_add_test(tc, held_mail_is_never_looked_at);
	tcase_add_test(tc, requeue_is_a_new_file);
	tcase_add_test(tc, delete_from_every_queue);
	tcase_add_test(tc, expire_uses_the_defer_log);
	tcase_add_test(tc, expire_reads_the_whole_list);
	tcase_add_test(tc, expire_does_not_release);
	tcase_add_test(tc, end_that_nobody_waited_for);
	tcase_add_test(tc, tokens_end_with_master);
	tcase_add_test(tc, who_starts_reads_main_cf);
	tcase_add_test(tc, agents_read_main_cf_together);
	tcase_add_test(tc, smtpd_reads_its_limit_again);
	tcase_add_test(tc, damaged_mail);
	tcase_add_test(tc, mail_that_went_away);
	tcase_add_test(tc, submission_by_users);
	tcase_add_test(tc, first_rule_that_fits);
	tcase_add_test(tc, outcome_of_mail_that_bounced_in_part);
	tcase_add_test(tc, sizes_of_bounces);
	tcase_add_test(tc, copy_for_the_postmaster);
	tcase_add_test(tc, bounce_that_bounces);
	tcase_add_test(tc, who_sends_double_bounces);
	tcase_add_test(tc, our_own_name_is_local);
	tcase_add_test(tc, warning_once);
	suite_add_tcase(s, tc);
	return s;
}
