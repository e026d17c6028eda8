/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every number among the parameters at its least and at its most, one at a time
 * and some together, in a small run that meets lists, deferred and bounced
 * mail, a dead site and a jump ahead. Whatever is legal must be kept to without
 * an internal error, and no mail may get lost (F13: no upper bound but the
 * type's).
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tests/world_run.h"

/* What the table calls a number. */
static bool
is_number(const struct mta_param *row)
{
	return row->kind == MTA_PARAM_INT || row->kind == MTA_PARAM_TIME ||
	       row->kind == MTA_PARAM_BYTES;
}

/* Mails 0 to 9: a list of 30 on two transports, single ones, one that bounces,
 * two to a site that is down; the operator flushes and restarts. */
static void
run_with(const char *mta)
{
	char text[2048];
	struct world_run *r;
	uint32_t left = 0;

	snprintf(text, sizeof(text),
		 "scenario: limits\nrun: {for: 20m}\n"
		 "mta: {%s}\n"
		 "transports: {bulk: {kind: smtp}}\n"
		 "receivers:\n"
		 "  good: {transfer: 1s}\n"
		 "  no: {replies: [{step: rcpt, code: 550}]}\n"
		 "  down: {state: refused}\n"
		 "domains:\n"
		 "  a.example: {receiver: good}\n"
		 "  b.example: {receiver: good, transport: bulk}\n"
		 "  c.example: {receiver: no}\n"
		 "  d.example: {receiver: down}\n"
		 "sources:\n"
		 "  lists: {arrivals: {times: [0s, 0s]}, recipients: 30,\n"
		 "    users: 100, to: {cycle: [a.example, b.example]}}\n"
		 "  singles: {arrivals: {even: 1/s}, messages: 8,\n"
		 "    to: {cycle: [a.example, b.example, c.example,\n"
		 "                 d.example]}}\n"
		 "operator:\n"
		 "  - {at: 4m, postqueue: flush}\n"
		 "  - {at: 5m, postfix: reload}\n",
		 mta);
	r = world_run_whole(text);
	for (int q = 0; q < MTA_QUEUES; q++)
		left += world_run_in_queue(r, (enum mta_queue)q);
	/* What was submitted has ended, was refused, waits, or is at cleanup.
	 */
	ck_assert_uint_ge(r->submitted.count, 10);
	ck_assert_uint_ge(r->answered.count, r->ended.count + left);
	ck_assert_uint_gt(r->ended.count + left, 0);
	world_run_close(r);
}

static void
run_one(const struct mta_param *row, int64_t value)
{
	char mta[128];

	snprintf(mta, sizeof(mta), "%s%s: %lld%s",
		 row->is_transport_form ? "smtp" : "", row->name,
		 (long long)value, row->kind == MTA_PARAM_TIME ? "s" : "");
	run_with(mta);
}

START_TEST(every_number_at_its_least)
{
	for (size_t i = 0; i < mta_param_count(); i++)
		if (is_number(mta_param_at(i)))
			run_one(mta_param_at(i), mta_param_at(i)->least);
}
END_TEST

START_TEST(every_number_at_its_most)
{
	for (size_t i = 0; i < mta_param_count(); i++)
		if (is_number(mta_param_at(i)))
			run_one(mta_param_at(i), mta_param_at(i)->most);
}
END_TEST

/* Sums of what is legal alone: windows without a ceiling, pools of several
 * transports for one mail. */
START_TEST(great_numbers_together)
{
	run_with("initial_destination_concurrency: 2147483647,\n"
		 "  default_destination_concurrency_limit: 0");
	run_with("default_recipient_limit: 2147483647,\n"
		 "  default_extra_recipient_limit: 2147483647,\n"
		 "  qmgr_message_recipient_minimum: 2147483647");
	run_with("default_delivery_slot_cost: 2147483647,\n"
		 "  default_delivery_slot_loan: 2147483647,\n"
		 "  default_minimum_delivery_slots: 2147483647");
}
END_TEST

Suite *
system_limits_suite(void)
{
	Suite *s = suite_create("system/limits");
	TCase *t = tcase_create("parameters");

	tcase_add_test(t, every_number_at_its_least);
	tcase_add_test(t, every_number_at_its_most);
	tcase_add_test(t, great_numbers_together);
	suite_add_tcase(s, t);
	return s;
}
