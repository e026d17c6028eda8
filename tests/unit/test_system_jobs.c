/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who is delivered next, and which recipients are in core, through the whole
 * system. Mails are numbered in the order in which they come; the expected
 * orders and times are worked out by hand from F5 and F6.
 */
#include <check.h>
#include <string.h>

#include "tests/world_run.h"

#define S INT64_C(1000000)

/* R-JOB-ORDER (F6.4): order of admission, not of arrival. The directory lists
 * the newest first, so the last of three mails is admitted first. */
START_TEST(order_of_admission)
{
	struct world_run *r = world_run_whole(
		"scenario: admission\nrun: {until: drained}\n"
		"mta: {initial_destination_concurrency: 1}\n"
		"transports: {smtp: {maxproc: 1}}\n"
		"spool: {order: newest-first}\n"
		"receivers: {r: {transfer: 1s}}\n"
		"domains: {a.example: {receiver: r}}\n"
		"start: [{queue: incoming, messages: 3, to: a.example}]\n");

	ck_assert_str_eq(world_run_say_selected(r), "2@0 1@1 0@2");
	world_run_close(r);
}
END_TEST

/*
 * R-BLOCKER, R-UNBLOCK, R-JOB-ORDER (F6.5, F6.10, F6.13): mail 0 has three
 * requests of two recipients for a.example, where one may run at a time and
 * takes 10 s. While it is blocked, mails for b.example pass it. Each time that
 * a.example is free, it is the first job's turn again, and mail 3, for the same
 * site, comes last.
 */
START_TEST(blocked_job_is_passed)
{
	struct world_run *r = world_run_whole(
		"scenario: blocked\nrun: {until: drained}\n"
		"mta:\n"
		"  initial_destination_concurrency: 1\n"
		"  default_destination_concurrency_limit: 1\n"
		"  smtp_destination_recipient_limit: 2\n"
		"receivers:\n"
		"  slow: {transfer: 10s}\n"
		"  fast: {transfer: 1s}\n"
		"domains:\n"
		"  a.example: {receiver: slow}\n"
		"  b.example: {receiver: fast}\n"
		"sources:\n"
		"  list: {arrivals: {times: [0s]}, to: a.example, users: 100,\n"
		"    recipients: 6}\n"
		"  b: {arrivals: {times: [1s, 5s]}, to: b.example}\n"
		"  a: {arrivals: {times: [6s]}, to: a.example}\n");

	ck_assert_str_eq(world_run_say_selected(r),
			 "0@0 1@1 2@5 0@10 0@20 3@30");
	for (size_t i = 0; i < r->selected.count; i++)
		ck_assert_uint_eq(r->selected.list[i].recipient_count,
				  r->selected.list[i].serial == 0 ? 2 : 1);
	world_run_close(r);
}
END_TEST

/*
 * R-PEER-TURN, R-BATCH (F6.6, F5.7): one mail with ten recipients, five at each
 * of two sites, two to a request: requests of 2, 2 and 1 for each site, and the
 * sites take turns, a.example first, because recipients are sorted by domain
 * when requests are made.
 */
START_TEST(sites_of_a_mail_take_turns)
{
	static const uint32_t counts[] = {2, 2, 2, 2, 1, 1};
	struct world_run *r = world_run_whole(
		"scenario: peers\nrun: {until: drained}\n"
		"mta: {smtp_destination_recipient_limit: 2}\n"
		"transports: {smtp: {maxproc: 1}}\n"
		"receivers: {r: {transfer: 1s}}\n"
		"domains: {\"*\": {receiver: r}}\n"
		"sources:\n"
		"  list: {arrivals: {times: [0s]}, users: 100, recipients: "
		"10,\n"
		"    to: {cycle: [b.example, a.example]}}\n");

	ck_assert_uint_eq(r->selected.count, 6);
	for (size_t i = 0; i < 6; i++) {
		const struct mta_trace_selected *s = &r->selected.list[i];

		ck_assert_str_eq(world_run_text(r, s->destination),
				 i % 2 == 0 ? "a.example" : "b.example");
		ck_assert_uint_eq(s->recipient_count, counts[i]);
		ck_assert_int_eq(world_run_us(s->at), (int64_t)i * S);
	}
	world_run_close(r);
}
END_TEST

/* R-RCPT-ORDER (F5.6): one request with twelve recipients; they are delivered
 * in order of their addresses as text ("u10" before "u9"), not of their places
 * in the file. */
START_TEST(recipients_are_sorted)
{
	struct world_run *r = world_run_whole(
		"scenario: sorted\nrun: {until: drained}\n"
		"receivers: {r: {transfer: 1s}}\n"
		"domains: {\"*\": {receiver: r}}\n"
		"sources:\n"
		"  list: {arrivals: {times: [0s]}, users: 12, recipients: 12,\n"
		"    to: a.example}\n");
	bool is_in_file_order = true;

	ck_assert_uint_eq(r->selected.count, 1);
	ck_assert_uint_eq(r->delivery.count, 12);
	for (size_t i = 1; i < 12; i++) {
		const struct mta_trace_delivery *a = &r->delivery.list[i - 1];
		const struct mta_trace_delivery *b = &r->delivery.list[i];

		ck_assert_int_lt(strcmp(world_run_address(r, a->recipient),
					world_run_address(r, b->recipient)),
				 0);
		if (a->offset > b->offset)
			is_in_file_order = false;
	}
	ck_assert(!is_in_file_order);
	world_run_close(r);
}
END_TEST

/*
 * R-CANDIDATE (F6.8): mail 1 has three requests, mail 2 one; age for each
 * request is greatest for mail 2, so it jumps first though it stands behind.
 * Defaults (cost 5, loan 3, discount 50): after one request of mail 0 its
 * credit is 1: 1 // 5 + 3 = 3 >= 1 x 0.5. It pays 5 (credit -4), has 1 again
 * after five more requests, then pays 15 for mail 1 (3 >= 1.5), and never earns
 * that back to any purpose.
 */
START_TEST(best_candidate_first)
{
	struct world_run *r = world_run_whole(
		"scenario: candidate\nrun: {until: drained}\n"
		"mta: {smtp_destination_recipient_limit: 1}\n"
		"transports: {smtp: {maxproc: 1}}\n"
		"spool: {order: oldest-first}\n"
		"receivers: {r: {transfer: 1ms}}\n"
		"domains: {\"*\": {receiver: r}}\n"
		"sources:\n"
		"  s:\n"
		"    arrivals: {burst: {at: 0s, messages: 3}}\n"
		"    to: a.example\n"
		"    users: 1000\n"
		"    recipients: {values: {list: [30, 3, 1], by: message,\n"
		"      then: cycle}}\n");
	static const char order[] = "0200000111";

	ck_assert_uint_eq(r->selected.count, 34);
	for (size_t i = 0; i < 34; i++)
		ck_assert_uint_eq(
			r->selected.list[i].serial,
			i < sizeof(order) - 1 ? (uint32_t)(order[i] - '0') : 0);
	world_run_close(r);
}
END_TEST

/* ---- recipients in core ------------------------------------------------ */

static struct mta_qmail *
mail_in_core(struct world_run *r, uint32_t serial)
{
	struct mta_pool *mails = &r->world.qmgr.mails;

	for (uint32_t i = 0; i < mails->fresh; i++) {
		struct mta_qmail *m = mta_pool_at(mails, i);

		if (m->pooled.generation % 2 == 1 &&
		    m->shown.envelope.serial == serial)
			return m;
	}
	return NULL;
}

#define SMALL_LIMITS                                                           \
	"mta:\n"                                                               \
	"  in_flow_delay: 0\n"                                                 \
	"  qmgr_message_active_limit: 4\n"                                     \
	"  qmgr_message_recipient_limit: 4\n"                                  \
	"  qmgr_message_recipient_minimum: 2\n"                                \
	"  smtp_destination_recipient_limit: 1\n"

/*
 * R-READ-COUNT, R-READ-FIRST (F5.2, F6.1): with 4 recipients in core at first,
 * mail 0 (exactly 4) is read to its last recipient, yet nobody knows that it is
 * the last one: `more` is set and nothing is unread. Mails 1 and 2 get the two
 * slots that every mail owns. Pool 0, 10 s a recipient, one at a time.
 */
START_TEST(read_stops_at_its_limit)
{
	struct world_run *r = world_run_open(
		"scenario: read\nrun: {for: 300s}\n"
		"spool: {order: oldest-first}\n" SMALL_LIMITS
		"  smtp_recipient_limit: 0\n"
		"transports: {smtp: {maxproc: 1}}\n"
		"receivers: {r: {transfer: 10s}}\n"
		"domains: {\"*\": {receiver: r}}\n"
		"sources:\n"
		"  s: {arrivals: {burst: {at: 0s, messages: 3}}, to: "
		"a.example,\n"
		"    users: 100, recipients: {values: {list: [4, 10, 5],\n"
		"      by: message, then: cycle}}}\n",
		NULL);

	world_run_until(r, 1 * S);
	ck_assert_int_eq(r->world.qmgr.rcpt_total, 8);
	ck_assert_int_eq(mail_in_core(r, 0)->rcpt_count, 4);
	ck_assert_uint_ne(mail_in_core(r, 0)->more, 0);
	ck_assert_int_eq(mail_in_core(r, 0)->unread, 0);
	ck_assert_int_eq(mail_in_core(r, 1)->rcpt_count, 2);
	ck_assert_int_eq(mail_in_core(r, 1)->unread, 8);
	ck_assert_int_eq(mail_in_core(r, 2)->rcpt_count, 2);
	ck_assert_int_eq(mail_in_core(r, 2)->unread, 3);
	world_run_finish(r);
	ck_assert_uint_eq(world_run_count_outcome(r, MTA_SENT), 19);
	ck_assert_uint_eq(r->ended.count, 3);
	world_run_close(r);
}
END_TEST

/*
 * R-SLOTS-NEXT, R-READ-REFILL, R-REFILL-DUE (F6.4, F6.6, F6.9). The pool has 3
 * slots. Mail 0 (6 recipients) reads 4, takes the pool: its limit is 2 + 3 = 5;
 * mail 1 (10) reads 2, its limit is 2. One at a time, 10 s each:
 *
 *   10 s  one of mail 0 has ended, 3 in core, 2 slots free for 10 s (delay is
 *         5 s): 2 more are read, 5 in core; nobody knows that these are the
 * last 20 s  4 in core: the next read finds the end. What can be spared is the
 *         lesser of the job's (3 - 4) and the mail's (5 - 4): nothing
 *   30 s  3 in core: 3 - 3, nothing
 *   40 s  2 in core: 3 - 2 = 1, which goes to mail 1, next with recipients
 *         unread: its limit is 3
 *   50 s  4;  60 s: mail 0 is gone, 5
 */
START_TEST(spare_slots_go_to_the_next)
{
	struct world_run *r = world_run_open(
		"scenario: slots\nrun: {for: 300s}\n"
		"spool: {order: oldest-first}\n" SMALL_LIMITS
		"  smtp_recipient_limit: 3\n"
		"transports: {smtp: {maxproc: 1}}\n"
		"receivers: {r: {transfer: 10s}}\n"
		"domains: {\"*\": {receiver: r}}\n"
		"sources:\n"
		"  s: {arrivals: {burst: {at: 0s, messages: 2}}, to: "
		"a.example,\n"
		"    users: 100, recipients: {values: {list: [6, 10],\n"
		"      by: message, then: cycle}}}\n",
		NULL);

	world_run_until(r, 5 * S);
	ck_assert_int_eq(mail_in_core(r, 0)->rcpt_limit, 5);
	ck_assert_int_eq(mail_in_core(r, 0)->rcpt_count, 4);
	ck_assert_int_eq(mail_in_core(r, 1)->rcpt_limit, 2);
	ck_assert_int_eq(mail_in_core(r, 1)->rcpt_count, 2);
	world_run_until(r, 15 * S);
	ck_assert_int_eq(mail_in_core(r, 0)->rcpt_count, 5);
	ck_assert_uint_ne(mail_in_core(r, 0)->more, 0);
	world_run_until(r, 35 * S);
	ck_assert_uint_eq(mail_in_core(r, 0)->more, 0);
	ck_assert_int_eq(mail_in_core(r, 0)->rcpt_count, 3);
	ck_assert_int_eq(mail_in_core(r, 1)->rcpt_limit, 2);
	world_run_until(r, 45 * S);
	ck_assert_int_eq(mail_in_core(r, 1)->rcpt_limit, 3);
	world_run_until(r, 55 * S);
	ck_assert_int_eq(mail_in_core(r, 1)->rcpt_limit, 4);
	world_run_until(r, 65 * S);
	ck_assert_ptr_null(mail_in_core(r, 0));
	ck_assert_int_eq(mail_in_core(r, 1)->rcpt_limit, 5);
	world_run_finish(r);
	ck_assert_uint_eq(world_run_count_outcome(r, MTA_SENT), 16);
	world_run_close(r);
}
END_TEST

Suite *
system_jobs_suite(void)
{
	Suite *s = suite_create("system_jobs");
	TCase *tc = tcase_create("whole system");

	tcase_add_test(tc, order_of_admission);
	tcase_add_test(tc, blocked_job_is_passed);
	tcase_add_test(tc, sites_of_a_mail_take_turns);
	tcase_add_test(tc, recipients_are_sorted);
	tcase_add_test(tc, best_candidate_first);
	tcase_add_test(tc, read_stops_at_its_limit);
	tcase_add_test(tc, spare_slots_go_to_the_next);
	suite_add_tcase(s, tc);
	return s;
}
