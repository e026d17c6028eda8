/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The fingerprint (sim/results/fingerprint.c): every field that counts changes
 * it, order changes it, and what must not count does not: numbers of symbols,
 * the calendar, padding. No value is expected by itself; that is for the golden
 * runs.
 */
#include "tests/harness.h"

#include <string.h>

#include "sim/results/fingerprint.h"

static struct mta_symtab symbols;

static void
setup(void)
{
	mta_symtab_init(&symbols);
}

static void
teardown(void)
{
	mta_symtab_release(&symbols);
}

static const mta_time epoch = INT64_C(1000000000000);

static struct mta_trace_delivery
delivery_with(struct mta_symtab *s)
{
	return (struct mta_trace_delivery){
		.at = epoch + 9,
		.arrival = epoch + 1,
		.active = epoch + 2,
		.handoff = epoch + 3,
		.setup = epoch + 4,
		.serial = 5,
		.offset = 6,
		.transport = mta_sym_intern(s, "smtp"),
		.destination = mta_sym_intern(s, "a.example"),
		.relay = mta_sym_intern(s, "mx.a.example"),
		.reason = mta_sym_intern(s, "250 fine"),
		.dsn = MTA_DSN(2, 0, 0),
		.code = 250,
		.batch = 7,
		.size_bytes = 8,
		.conn_use = 1,
		.outcome = MTA_SENT,
		.step = MTA_STEP_END,
	};
}

static uint64_t
print_of(struct mta_symtab *s, mta_time start,
	 const struct mta_trace_delivery *d)
{
	struct fingerprint f;

	fingerprint_init(&f, s, start);
	fingerprint_delivery(&f, d);
	return f.state;
}

#define DIFFERS(field, value)                                                  \
	do {                                                                   \
		struct mta_trace_delivery other = d;                           \
		other.field = (value);                                         \
		ck_assert_msg(print_of(&symbols, epoch, &other) != same,       \
			      #field);                                         \
	} while (0)

START_TEST(every_field_counts)
{
	struct mta_trace_delivery d = delivery_with(&symbols);
	uint64_t same = print_of(&symbols, epoch, &d);

	ck_assert_uint_eq(print_of(&symbols, epoch, &d), same);
	DIFFERS(at, epoch + 10);
	DIFFERS(arrival, epoch);
	DIFFERS(active, MTA_NEVER);
	DIFFERS(handoff, epoch + 4);
	DIFFERS(setup, epoch + 5);
	DIFFERS(serial, 6);
	DIFFERS(offset, 7);
	DIFFERS(transport, mta_sym_intern(&symbols, "bulk"));
	DIFFERS(destination, mta_sym_intern(&symbols, "b.example"));
	DIFFERS(relay, 0);
	DIFFERS(reason, mta_sym_intern(&symbols, "251 fine"));
	DIFFERS(dsn, MTA_DSN(2, 0, 1));
	DIFFERS(code, 251);
	DIFFERS(batch, 8);
	DIFFERS(size_bytes, 9);
	DIFFERS(conn_use, 2);
	DIFFERS(outcome, MTA_BOUNCED);
	DIFFERS(step, MTA_STEP_RCPT);
	/* Two fields that are hashed together change places. */
	{
		struct mta_trace_delivery other = d;

		other.transport = d.destination;
		other.destination = d.transport;
		ck_assert(print_of(&symbols, epoch, &other) != same);
	}
}
END_TEST

START_TEST(numbers_of_symbols_and_the_calendar_do_not)
{
	struct mta_symtab other;
	struct mta_trace_delivery d = delivery_with(&symbols);
	struct mta_trace_delivery moved;

	mta_symtab_init(&other);
	mta_sym_intern(&other, "something else");
	moved = delivery_with(&other);
	ck_assert_uint_ne(moved.transport, d.transport);
	moved.at += 77;
	moved.arrival += 77;
	moved.active += 77;
	moved.handoff += 77;
	moved.setup += 77;
	ck_assert_uint_eq(print_of(&other, epoch + 77, &moved),
			  print_of(&symbols, epoch, &d));
	mta_symtab_release(&other);
}
END_TEST

/* A number that was given out again for another text must not keep its hash. */
START_TEST(a_number_that_is_used_again)
{
	struct mta_symtab other;
	struct mta_trace_delivery d = delivery_with(&symbols);
	struct mta_trace_delivery same;
	mta_sym first = mta_sym_intern(&symbols, "one");
	uint64_t before;

	d.reason = first;
	before = print_of(&symbols, epoch, &d);
	mta_sym_drop(&symbols, first);
	ck_assert_uint_eq(mta_sym_intern(&symbols, "two"), first);
	ck_assert(print_of(&symbols, epoch, &d) != before);
	/* As in a table that never knew the first. */
	mta_symtab_init(&other);
	same = delivery_with(&other);
	same.reason = mta_sym_intern(&other, "two");
	ck_assert_uint_eq(print_of(&symbols, epoch, &d),
			  print_of(&other, epoch, &same));
	mta_symtab_release(&other);
}
END_TEST

START_TEST(order_and_kind_count)
{
	struct mta_trace_move a = {.at = epoch, .serial = 1, .to = MTA_ACTIVE};
	struct mta_trace_move b = {.at = epoch, .serial = 2, .to = MTA_ACTIVE};
	struct mta_trace_feedback e = {.at = epoch, .window = 5, .limit = 20};
	struct fingerprint f;
	struct fingerprint g;
	char text[2][FINGERPRINT_TEXT];

	fingerprint_init(&f, &symbols, epoch);
	fingerprint_init(&g, &symbols, epoch);
	fingerprint_move(&f, &a);
	fingerprint_move(&f, &b);
	fingerprint_move(&g, &b);
	fingerprint_move(&g, &a);
	ck_assert(f.state != g.state);
	fingerprint_init(&g, &symbols, epoch);
	fingerprint_move(&g, &a);
	fingerprint_move(&g, &b);
	fingerprint_text(&f, text[0]);
	fingerprint_text(&g, text[1]);
	ck_assert_str_eq(text[0], text[1]);
	ck_assert_uint_eq(strlen(text[0]), 16);
	ck_assert_uint_eq(strspn(text[0], "0123456789abcdef"), 16);
	fingerprint_feedback(&f, &e);
	e.busy = 1;
	fingerprint_feedback(&g, &e);
	ck_assert(f.state != g.state);
	/* Doubles are left out: they may differ in a last bit. */
	fingerprint_init(&g, &symbols, epoch);
	fingerprint_move(&g, &a);
	fingerprint_move(&g, &b);
	e.busy = 0;
	e.success = 0.25;
	fingerprint_feedback(&g, &e);
	ck_assert_uint_eq(f.state, g.state);
}
END_TEST

Suite *
fingerprint_suite(void)
{
	Suite *suite = suite_create("fingerprint");
	TCase *c = tcase_create("all");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, every_field_counts);
	tcase_add_test(c, numbers_of_symbols_and_the_calendar_do_not);
	tcase_add_test(c, a_number_that_is_used_again);
	tcase_add_test(c, order_and_kind_count);
	suite_add_tcase(suite, c);
	return suite;
}
