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

Suite *
system_costs_suite(void)
{
	Suite *s = suite_create("system/costs");
	TCase *tc = tcase_create("costs");

	tcase_add_test(tc, mail_is_not_taken_before_cleanup_is_done_with_it);
	tcase_add_test(tc, deliveries_are_handed_out_one_by_one);
	tcase_add_test(tc, notices_are_made_side_by_side);
	suite_add_tcase(s, tc);
	return s;
}
