/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What `costs:` costs, through the whole system: each test names one cost and
 * follows it by hand from second to second. Receivers answer at once.
 */
#include <check.h>

#include "tests/world_run.h"

/* Cleanup takes 2 s, of two messages at the same time: they are there at 2 and
 * 3 s. The first wakes the queue manager while the second is still written,
 * whose file would pass by the grace of a second (F4.7). */
START_TEST(mail_is_not_taken_before_cleanup_is_done_with_it)
{
	struct world_run *r = world_run_whole(
		"scenario: cleanup\nrun: {for: 100s}\n"
		"costs: {cleanup: 2s}\n"
		"receivers: {r: {transfer: 0s}}\n"
		"domains: {a.example: {receiver: r}}\n"
		"sources:\n"
		"  s: {arrivals: {times: [0s, 1s]}, to: a.example}\n");

	ck_assert_str_eq(world_run_say_deliveries(r), "0:sent@2 1:sent@3");
	world_run_close(r);
}
END_TEST

/* Three mails that could go at once are handed out one after the other. */
START_TEST(deliveries_are_handed_out_one_by_one)
{
	struct world_run *r = world_run_whole(
		"scenario: request\nrun: {for: 100s}\n"
		"costs: {qmgr: {request: 1s}}\n"
		"receivers: {r: {transfer: 0s}}\n"
		"domains: {a.example: {receiver: r}}\n"
		"sources:\n"
		"  s: {arrivals: {times: [0s, 0s, 0s]}, to: a.example}\n");

	ck_assert_str_eq(world_run_say_deliveries(r),
			 "0:sent@1 1:sent@2 2:sent@3");
	world_run_close(r);
}
END_TEST

/* Two mails are there at 2 and 3 s, and bounce. Their notices are made side by
 * side, in 3 s each, then cleanup takes 2 s, as for any mail (F10.5). */
START_TEST(notices_are_made_side_by_side)
{
	struct world_run *r = world_run_whole(
		"scenario: notice\nrun: {for: 100s}\n"
		"costs: {bounce: 3s, cleanup: 2s}\n"
		"receivers:\n"
		"  no: {replies: [{step: rcpt, code: 550}]}\n"
		"  r: {transfer: 0s}\n"
		"domains: {a.example: {receiver: no}, b.example: {receiver: "
		"r}}\n"
		"sources:\n"
		"  s: {arrivals: {times: [0s, 1s]}, to: a.example,\n"
		"      sender: x@b.example}\n");

	ck_assert_str_eq(world_run_say_deliveries(r),
			 "0:bounced@2 1:bounced@3 2:sent@7 3:sent@8");
	world_run_close(r);
}
END_TEST

#define RESTARTED                                                              \
	"scenario: restart\nrun: {for: 100s}\nspool: {order: oldest-first}\n"  \
	"receivers: {r: {transfer: 1000s}}\n"                                  \
	"domains: {a.example: {receiver: r}}\n"

/*
 * R-RESTART: a new queue manager moves what is in active to incoming, three
 * mails of 1 s each, and looks at nothing before it is through, at 13 s; not at
 * a mail that comes at 11 s either. Its predecessor's agents still work on the
 * three: each is taken in and put back, 1 s, before that one's turn comes.
 */
START_TEST(a_queue_manager_is_busy_with_its_start)
{
	struct world_run *r = world_run_whole(
		RESTARTED "costs: {qmgr: {finish: 1s}}\n"
			  "sources:\n"
			  "  s: {arrivals: {times: [0s, 0s, 0s, 11s]},\n"
			  "    to: a.example}\n"
			  "operator: [{at: 10s, crash: qmgr}]\n");

	ck_assert_str_eq(world_run_say_moves(r, 0),
			 "0:new>incoming@0 0:incoming>active@0 "
			 "0:active>incoming@11 0:incoming>active@13 "
			 "0:active>incoming@14");
	ck_assert_str_eq(world_run_say_moves(r, 2),
			 "2:new>incoming@0 2:incoming>active@0 "
			 "2:active>incoming@13 2:incoming>active@15 "
			 "2:active>incoming@16");
	ck_assert_str_eq(world_run_say_moves(r, 3),
			 "3:new>incoming@11 3:incoming>active@16");
	world_run_close(r);
}
END_TEST

/* R-RESTART: likewise when master's wake-up is the first that it hears. */
START_TEST(a_reload_is_work_as_well)
{
	struct world_run *r = world_run_whole(
		RESTARTED "costs: {qmgr: {finish: 1s}}\n"
			  "sources:\n"
			  "  s: {arrivals: {times: [0s, 0s, 0s]},\n"
			  "    to: a.example}\n"
			  "operator: [{at: 10s, postfix: reload}]\n");

	ck_assert_str_eq(world_run_say_moves(r, 0),
			 "0:new>incoming@0 0:incoming>active@0 "
			 "0:active>incoming@11 0:incoming>active@13 "
			 "0:active>incoming@14");
	world_run_close(r);
}
END_TEST

/* A mail that cleanup is at work on when the queue manager dies: at 15 s it
 * tells the new one (F4.6). */
START_TEST(a_trigger_is_for_whoever_listens)
{
	struct world_run *r = world_run_whole(
		RESTARTED "costs: {cleanup: 10s}\n"
			  "sources:\n"
			  "  s: {arrivals: {times: [5s]}, to: a.example}\n"
			  "operator: [{at: 10s, crash: qmgr}]\n");

	ck_assert_str_eq(world_run_say_moves(r, 0),
			 "0:new>incoming@15 0:incoming>active@15");
	world_run_close(r);
}
END_TEST

/* R-RESTART: a mail is taken in at 30 s, and the next is being taken in, until
 * 60 s, when the queue manager dies at 32 s. The new one does not wait for
 * that: it has the first at 62 s, the second at 92 s. */
START_TEST(the_work_of_the_dead_is_not_waited_for)
{
	struct world_run *r = world_run_whole(
		RESTARTED "costs: {qmgr: {admit: 30s}}\n"
			  "sources:\n"
			  "  s: {arrivals: {times: [0s, 0s]}, to: a.example}\n"
			  "operator: [{at: 32s, crash: qmgr}]\n");

	ck_assert_int_eq(world_run_us(world_run_move(r, 0, 2)->at), 32000000);
	ck_assert_int_eq(world_run_us(world_run_move(r, 0, 3)->at), 62000000);
	ck_assert_int_eq(world_run_us(world_run_move(r, 1, 3)->at), 92000000);
	world_run_close(r);
}
END_TEST

Suite *
system_costs_suite(void)
{
	Suite *s = suite_create("system/costs");
	TCase *tc = tcase_create("costs");

	tcase_add_test(tc, mail_is_not_taken_before_cleanup_is_done_with_it);
	tcase_add_test(tc, deliveries_are_handed_out_one_by_one);
	tcase_add_test(tc, notices_are_made_side_by_side);
	tcase_add_test(tc, a_queue_manager_is_busy_with_its_start);
	tcase_add_test(tc, a_reload_is_work_as_well);
	tcase_add_test(tc, a_trigger_is_for_whoever_listens);
	tcase_add_test(tc, the_work_of_the_dead_is_not_waited_for);
	suite_add_tcase(s, tc);
	return s;
}
