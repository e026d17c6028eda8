/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The sequences of F17.4 through the whole system. One agent delivers one
 * recipient at a time (recipient limit 1), all mail comes in the same instant,
 * and a delivery takes a millisecond, so that everything happens within the
 * second of admission. Every mailbox is a destination of its own: no window is
 * in the way. Expected orders are those of the fact sheet, which two
 * independent sources agree on.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tests/harness.h"
#include "tests/world_run.h"

struct order {
	const char *settings; /* of the scheduler, or "" */
	const char *sizes;    /* recipients of each mail */
	int mails;
	const char *entries; /* "A5 b A1": so many of that mail in a row */
};

/* Mail 0 is A or 1, mail 1 is b, B or 2, and so on. */
static uint32_t
mail_of(char letter)
{
	if (letter >= 'a')
		return (uint32_t)(letter - 'a');
	return (uint32_t)(letter >= 'A' ? letter - 'A' : letter - '1');
}

static struct world_run *
run_order(const struct order *o)
{
	char text[2048];

	snprintf(text, sizeof(text),
		 "scenario: order\nrun: {until: drained}\n"
		 "spool: {order: oldest-first}\n"
		 "mta:\n"
		 "  in_flow_delay: 0\n"
		 "  smtp_destination_recipient_limit: 1\n"
		 "%s"
		 "transports: {smtp: {maxproc: 1}}\n"
		 "receivers: {r: {transfer: 1ms}}\n"
		 "domains: {a.example: {receiver: r}}\n"
		 "sources:\n"
		 "  s:\n"
		 "    arrivals: {burst: {at: 0s, messages: %d}}\n"
		 "    to: a.example\n"
		 "    users: 1000\n"
		 "    recipients: {values: {list: [%s], by: message, then: "
		 "cycle}}\n",
		 o->settings, o->mails, o->sizes);
	return world_run_whole(text);
}

static void
judge(const struct order *o)
{
	struct world_run *r = run_order(o);
	const char *at = o->entries;
	size_t n = 0;

	while (*at) {
		int count = 1;
		int length = 0;
		char letter = *at++;

		if (sscanf(at, "%d%n", &count, &length) == 1)
			at += length;
		for (int i = 0; i < count; i++, n++) {
			ck_assert_uint_lt(n, r->selected.count);
			ck_assert_msg(r->selected.list[n].serial ==
					      mail_of(letter),
				      "%s: selection %zu is of mail %u, not "
				      "of %c",
				      o->entries, n, r->selected.list[n].serial,
				      letter);
		}
		at += strspn(at, " ");
	}
	ck_assert_uint_eq(n, r->selected.count);
	world_run_close(r);
}

#define PLAIN                                                                  \
	"  default_delivery_slot_loan: 0\n"                                    \
	"  default_delivery_slot_discount: 0\n"

/* R-PREEMPT-ALLOWED, R-PREEMPT-CREDIT, R-PREEMPT-PRICE, R-CANDIDATE-SCORE. In
 * the published sequences of digits a run of one letter is a count here. */
START_TEST(published)
{
	judge(&(struct order){"  default_delivery_slot_cost: 2\n"
			      "  default_minimum_delivery_slots: 3\n" PLAIN,
			      "10, 2, 2", 3, "A4 B2 A4 C2 A2"});
	judge(&(struct order){"  default_delivery_slot_cost: 2\n"
			      "  default_delivery_slot_loan: 0\n"
			      "  default_delivery_slot_discount: 50\n",
			      "10, 2, 2", 3, "A2 B2 A4 C2 A4"});
}
END_TEST

START_TEST(defaults)
{
	judge(&(struct order){"", "100, 1, 1, 1, 1, 1, 1", 7,
			      "A b A5 c A5 d A5 e A5 f A5 g A74"});
	/* Below 3 x 5 entries nobody may jump. */
	judge(&(struct order){"", "14, 1, 1", 3, "A14 b c"});
	judge(&(struct order){"", "15, 1, 1, 1, 1", 5, "A b A5 c A5 d A4 e"});
	judge(&(struct order){"", "100, 6, 7", 3, "A B6 A34 C7 A65"});
	judge(&(struct order){"", "100, 10", 2, "A10 B10 A90"});
}
END_TEST

START_TEST(costs)
{
	judge(&(struct order){"  default_delivery_slot_cost: 5\n" PLAIN,
			      "100, 1, 1, 1, 1", 5, "A5 b A5 c A5 d A5 e A80"});
	/* R-PREEMPT-OFF */
	judge(&(struct order){"  default_delivery_slot_cost: 0\n", "20, 1", 2,
			      "A20 b"});
	judge(&(struct order){"  default_delivery_slot_cost: 1\n", "20, 1", 2,
			      "A20 b"});
}
END_TEST

/* What the trace says of a jump: marked at the first entry of b, not of A. With
 * the defaults (F13: cost 5, loan 3, discount 50) it comes after one entry of
 * A, which earns 1 // 5 = 0 slots, and costs 1 x 5. */
START_TEST(jumps_are_marked)
{
	struct world_run *r = run_order(&(struct order){"", "100, 1", 2, ""});

	ck_assert_uint_eq(r->selected.count, 101);
	for (size_t n = 0; n < 101; n++)
		ck_assert_uint_eq(r->selected.list[n].preempted, n == 1);
	ck_assert_uint_eq(r->jumped.count, 1);
	ck_assert_uint_eq(r->jumped.list[0].serial, 1);
	ck_assert_uint_eq(r->jumped.list[0].over_serial, 0);
	ck_assert_int_eq(r->jumped.list[0].credit, 1);
	ck_assert_int_eq(r->jumped.list[0].loan, 3);
	ck_assert_int_eq(r->jumped.list[0].discount, 50);
	ck_assert_int_eq(r->jumped.list[0].need, 1);
	ck_assert_int_eq(r->jumped.list[0].price, 5);
	world_run_close(r);
}
END_TEST

Suite *
preemption_suite(void)
{
	Suite *s = suite_create("preemption");
	TCase *tc = tcase_create("F17.4");

	tcase_add_test(tc, published);
	tcase_add_test(tc, defaults);
	tcase_add_test(tc, costs);
	tcase_add_test(tc, jumps_are_marked);
	suite_add_tcase(s, tc);
	return s;
}
