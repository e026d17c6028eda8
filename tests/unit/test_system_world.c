/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the host around the services does, through the whole system: fallback
 * relays, a stopped system, the disk that all who write wait for, very long
 * lists of recipients. Times are sums of what each scenario says.
 */
#include <check.h>

#include "tests/world_run.h"

/* F11.3: 30 s of smtp_connect_timeout at the site, 1 s at the other machine. */
START_TEST(a_fallback_relay_takes_what_the_site_does_not)
{
	struct world_run *r = world_run_whole(
		"scenario: fallback\nrun: {for: 100s}\n"
		"mta: {smtp_fallback_relay: \"[f.example]\"}\n"
		"receivers: {silent: {state: timeout}, f: {transfer: 1s}}\n"
		"domains: {a.example: {receiver: silent},\n"
		"  f.example: {receiver: f}}\n"
		"sources: {s: {arrivals: {times: [0s]}, to: a.example}}\n");

	ck_assert_str_eq(world_run_say_deliveries(r), "0:sent@31");
	world_run_close(r);
}
END_TEST

/* Soft failures of both: deferred after 2 + 3 s, and not before. A hard one is
 * final at once (F11.3). */
START_TEST(a_fallback_relay_may_fail_too)
{
	struct world_run *r = world_run_whole(
		"scenario: fallback\nrun: {for: 100s}\n"
		"mta: {smtp_fallback_relay: f.example}\n"
		"receivers:\n"
		"  down: {state: refused, after: 2s}\n"
		"  no: {replies: [{step: rcpt, code: 550}]}\n"
		"  f: {state: refused, after: 3s}\n"
		"domains: {a.example: {receiver: down},\n"
		"  b.example: {receiver: no}, f.example: {receiver: f}}\n"
		"sources:\n"
		"  s: {arrivals: {times: [0s]}, to: a.example}\n"
		"  t: {arrivals: {times: [10s]}, to: b.example,\n"
		"      sender: \"\"}\n");

	ck_assert_str_eq(world_run_say_deliveries(r),
			 "0:deferred@5 1:bounced@10");
	world_run_close(r);
}
END_TEST

/* The senders of a trace are one family of addresses, but live where they live:
 * so do the bounces that go to them. */
START_TEST(senders_of_a_trace_have_routes_of_their_own)
{
	struct world_run *r = world_run_whole(
		"scenario: senders\nrun: {for: 1s}\n"
		"receivers: {one: {transfer: 1s}, two: {transfer: 2s}}\n"
		"domains: {a.example: {receiver: one},\n"
		"  b.example: {receiver: two, nexthop: hub.example}}\n"
		"sources: {s: {arrivals: {times: [0s]}, to: a.example}}\n");
	struct world *w = &r->world;
	struct mta_router *router = &w->router.base;
	struct agents_lookup *lookup = &w->remotes.base;
	uint32_t rows = book_add_rows(&w->book, 0);
	mta_addr a = book_add_row(&w->book, rows, "u@a.example");
	mta_addr b = book_add_row(&w->book, rows, "u@b.example");
	struct mta_route to_a;
	struct mta_route to_b;

	ck_assert_int_eq(router->resolve(router, a, &to_a), MTA_ROUTE_OK);
	ck_assert_int_eq(router->resolve(router, b, &to_b), MTA_ROUTE_OK);
	ck_assert_str_eq(mta_sym_text(&w->symbols, to_a.nexthop), "a.example");
	ck_assert_str_eq(mta_sym_text(&w->symbols, to_b.nexthop),
			 "hub.example");
	ck_assert_ptr_ne(lookup->remote(lookup, a), lookup->remote(lookup, b));
	world_run_close(r);
}
END_TEST

static struct mta_dsn
last_dsn(const struct world_run *r)
{
	return r->delivery.list[r->delivery.count - 1].dsn;
}

/* R-BLAME, F11.2, F11.4: a relay that the DNS does not have is a hard failure
 * that our own settings make: 4.3.5, deferred. The site before was given up
 * after 30 s; asking for the relay takes no time. */
START_TEST(a_fallback_relay_that_is_unknown)
{
	struct world_run *r = world_run_whole(
		"scenario: fallback\nrun: {for: 100s}\n"
		"mta: {smtp_fallback_relay: nowhere.example}\n"
		"receivers: {silent: {state: timeout}}\n"
		"domains: {a.example: {receiver: silent}}\n"
		"sources: {s: {arrivals: {times: [0s]}, to: a.example}}\n");

	ck_assert_str_eq(world_run_say_deliveries(r), "0:deferred@30");
	ck_assert_uint_eq(last_dsn(r).subject, 3);
	ck_assert_uint_eq(last_dsn(r).detail, 5);
	world_run_close(r);
}
END_TEST

/* A list is tried in its order, unknown names are passed by: 2 s at the site,
 * 3 s at the first that is known, 1 s for the second to take it. */
START_TEST(several_fallback_relays)
{
	struct world_run *r = world_run_whole(
		"scenario: fallback\nrun: {for: 100s}\n"
		"mta: {smtp_fallback_relay: \"nowhere.example, "
		"[f.example]:587 g.example\"}\n"
		"receivers:\n"
		"  down: {state: refused, after: 2s}\n"
		"  f: {state: refused, after: 3s}\n"
		"  g: {transfer: 1s}\n"
		"domains: {a.example: {receiver: down},\n"
		"  f.example: {receiver: f}, g.example: {receiver: g}}\n"
		"sources: {s: {arrivals: {times: [0s]}, to: a.example}}\n");

	ck_assert_str_eq(world_run_say_deliveries(r), "0:sent@6");
	world_run_close(r);
}
END_TEST

/* F11.3: without a limit of addresses 32 of the site are tried, 30 s each, and
 * the relay still gets its turn: 960 + 1 s. */
START_TEST(a_fallback_relay_after_many_servers)
{
	struct world_run *r = world_run_whole(
		"scenario: fallback\nrun: {for: 1000s}\n"
		"mta: {smtp_fallback_relay: f.example, "
		"smtp_mx_address_limit: 0}\n"
		"receivers:\n"
		"  a: {mx: [{preference: 10, hosts: 40, dead: 40}]}\n"
		"  f: {transfer: 1s}\n"
		"domains: {a.example: {receiver: a},\n"
		"  f.example: {receiver: f}}\n"
		"sources: {s: {arrivals: {times: [0s]}, to: a.example}}\n");

	ck_assert_str_eq(world_run_say_deliveries(r), "0:sent@961");
	world_run_close(r);
}
END_TEST

/* F11.3: a reply is acted on at once when it is hard, at a fallback relay as
 * anywhere: only lookups turn into 4.3.5. With soft_bounce it is no bounce, so
 * it moves on to the second relay. */
static void
judge_hard_relay(const char *soft_bounce, const char *expected)
{
	char text[1024];
	struct world_run *r;

	snprintf(text, sizeof(text),
		 "scenario: fallback\nrun: {for: 100s}\n"
		 "mta: {smtp_fallback_relay: f.example g.example, "
		 "soft_bounce: %s}\n"
		 "receivers:\n"
		 "  down: {state: refused, after: 2s}\n"
		 "  f: {replies: [{step: rcpt, code: 550, after: 1s}]}\n"
		 "  g: {transfer: 4s}\n"
		 "domains: {a.example: {receiver: down},\n"
		 "  f.example: {receiver: f}, g.example: {receiver: g}}\n"
		 "sources: {s: {arrivals: {times: [0s]}, to: a.example,\n"
		 "  sender: \"\"}}\n",
		 soft_bounce);
	r = world_run_whole(text);
	ck_assert_str_eq(world_run_say_deliveries(r), expected);
	world_run_close(r);
}

START_TEST(a_hard_reply_of_a_fallback_relay)
{
	judge_hard_relay("no", "0:bounced@3");
	judge_hard_relay("yes", "0:sent@7");
}
END_TEST

/* F2.1: postdrop works while nobody runs. Stopped from 5 s to 100 s. */
START_TEST(maildrop_fills_while_the_system_is_stopped)
{
	struct world_run *r = world_run_open(
		"scenario: stopped\nrun: {for: 200s}\n"
		"receivers: {r: {transfer: 0s}}\n"
		"domains: {a.example: {receiver: r}}\n"
		"sources:\n"
		"  s: {arrivals: {times: [1s, 10s, 20s]}, via: sendmail,\n"
		"      to: a.example}\n"
		"operator:\n"
		"  - {at: 5s, postfix: stop}\n"
		"  - {at: 100s, postfix: start}\n",
		NULL);

	world_run_until(r, 99 * INT64_C(1000000));
	ck_assert_uint_eq(world_run_in_queue(r, MTA_MAILDROP), 2);
	world_run_finish(r);
	ck_assert_str_eq(world_run_say_deliveries(r),
			 "0:sent@1 1:sent@100 2:sent@100");
	world_run_close(r);
}
END_TEST

/* One write at a time, 2 s each: three mails of one instant are safe after 2, 4
 * and 6 s, and none is taken before, though each note wakes the queue manager
 * and times of files are whole seconds with one of grace (F4.7). */
START_TEST(mail_is_not_taken_before_the_disk_has_it)
{
	struct world_run *r = world_run_whole(
		"scenario: disk\nrun: {for: 100s}\n"
		"costs: {disk: {fsync: 2s}}\n"
		"receivers: {r: {transfer: 0s}}\n"
		"domains: {a.example: {receiver: r}}\n"
		"sources:\n"
		"  s: {arrivals: {times: [0s, 0s, 0s]}, to: a.example}\n");

	ck_assert_str_eq(world_run_say_deliveries(r),
			 "0:sent@2 1:sent@4 2:sent@6");
	world_run_close(r);
}
END_TEST

/* Three mails lie in maildrop. Pickup is busy for 2 s with each that it takes
 * away, which it does as soon as cleanup has it; so the second is handed in
 * after 2 s, and the third after 4 s. */
START_TEST(pickup_takes_its_time)
{
	struct world_run *r = world_run_whole(
		"scenario: pickup\nrun: {for: 100s}\n"
		"costs: {pickup: 2s}\n"
		"receivers: {r: {transfer: 0s}}\n"
		"domains: {a.example: {receiver: r}}\n"
		"sources:\n"
		"  s: {arrivals: {times: [0s, 0s, 0s]}, via: sendmail,\n"
		"      to: a.example}\n");

	ck_assert_str_eq(world_run_say_deliveries(r),
			 "0:sent@0 1:sent@2 2:sent@4");
	world_run_close(r);
}
END_TEST

START_TEST(a_mail_to_twenty_thousand)
{
	struct world_run *r = world_run_whole(
		"scenario: list\nrun: {for: 100s}\n"
		"receivers: {r: {transfer: 0s}}\n"
		"domains: {a.example: {receiver: r}}\n"
		"sources:\n"
		"  s: {arrivals: {times: [0s]}, to: a.example, users: 20000,\n"
		"      recipients: 20000}\n");

	ck_assert_uint_eq(r->delivery.count, 20000);
	ck_assert_uint_eq(world_run_ended(r, 0)->outcome, MTA_SENT);
	world_run_close(r);
}
END_TEST

Suite *
system_world_suite(void)
{
	Suite *suite = suite_create("system: the host");
	TCase *t = tcase_create("host");

	tcase_add_test(t, a_fallback_relay_takes_what_the_site_does_not);
	tcase_add_test(t, a_fallback_relay_may_fail_too);
	tcase_add_test(t, senders_of_a_trace_have_routes_of_their_own);
	tcase_add_test(t, a_fallback_relay_after_many_servers);
	tcase_add_test(t, a_fallback_relay_that_is_unknown);
	tcase_add_test(t, several_fallback_relays);
	tcase_add_test(t, a_hard_reply_of_a_fallback_relay);
	tcase_add_test(t, maildrop_fills_while_the_system_is_stopped);
	tcase_add_test(t, mail_is_not_taken_before_the_disk_has_it);
	tcase_add_test(t, pickup_takes_its_time);
	tcase_add_test(t, a_mail_to_twenty_thousand);
	suite_add_tcase(suite, t);
	return suite;
}
