/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sessions that are kept (src/mta/session.c): F11.6, with the defaults of
 * F13.4: idle life 2 s and 2 s, whole life 300 s, no limit of uses. The tests
 * are those who drive: a session's connection is its number.
 */
#include <check.h>

#include "mta/session.h"
#include "tests/unit/fake_host.h"

#define EITHER (MTA_HINT_LOAD | MTA_HINT_STORE)

struct kept {
	struct mta_session session;
	double ended; /* when, in seconds; -1: it is not */
};

static struct fake_host f;
static struct mta_session_cache smtp;
static struct mta_list server;
static struct mta_agent request;
static struct kept all[3];

static void
end(struct mta_session *s)
{
	struct kept *k = mta_container_of(s, struct kept, session);

	ck_assert_double_eq(k->ended, -1);
	k->ended = fake_seconds(f.loop.now);
}

static void
set_up(void)
{
	fake_init(&f);
	mta_agent_init(&request, &f.host, &f.params);
	mta_session_cache_init(&smtp, &f.host, &f.params, &f.params.smtp, end);
	mta_list_init(&server);
	for (size_t i = 0; i < 3; i++)
		all[i] = (struct kept){.ended = -1};
}

static void
tear_down(void)
{
	mta_session_cache_clear(&smtp);
	ck_assert(mta_list_is_empty(&server));
	fake_release(&f);
}

static bool
may_stay(uint32_t hints, double opened, uint32_t count)
{
	struct mta_connection_use use = {
		.opened = FAKE_START + (mta_time)(opened * MTA_USEC_PER_S),
		.count = count};

	request.hints = hints;
	return mta_session_may_stay(&smtp, &request, use);
}

static void
keep(size_t i)
{
	mta_session_keep(&smtp, &all[i].session, &server);
}

static const struct mta_session *
take(uint32_t hints)
{
	request.hints = hints;
	return mta_session_take(&smtp, &request, &server);
}

/* R-CONNECTION-CACHE: on demand each way has its hint (F7.10). */
START_TEST(hints_ask)
{
	ck_assert(may_stay(MTA_HINT_STORE, 0, 1));
	ck_assert(!may_stay(MTA_HINT_LOAD, 0, 1));
	ck_assert(!may_stay(0, 0, 1));
	keep(0);
	ck_assert_ptr_null(take(MTA_HINT_STORE));
	ck_assert_ptr_null(take(0));
	ck_assert_ptr_eq(take(MTA_HINT_LOAD), &all[0].session);
	ck_assert_ptr_null(take(MTA_HINT_LOAD));
}
END_TEST

START_TEST(on_demand_can_be_off)
{
	fake_set(&f, "smtp_connection_cache_on_demand", "no");
	ck_assert(!may_stay(EITHER, 0, 1));
	keep(0);
	ck_assert_ptr_null(take(EITHER));
}
END_TEST

/* A destination that is listed needs no hint, nor the demand. */
START_TEST(a_destination_is_named)
{
	fake_set(&f, "smtp_connection_cache_on_demand", "no");
	fake_set(&f, "smtp_connection_cache_destinations",
		 "b.example, A.example");
	request.nexthop = mta_sym_intern(&f.symbols, "a.example");
	ck_assert(may_stay(0, 0, 1));
	keep(0);
	ck_assert_ptr_eq(take(0), &all[0].session);
	mta_sym_drop(&f.symbols, request.nexthop);
	request.nexthop = mta_sym_intern(&f.symbols, "c.example");
	ck_assert(!may_stay(EITHER, 0, 1));
	mta_sym_drop(&f.symbols, request.nexthop);
}
END_TEST

START_TEST(an_agent_that_keeps_none)
{
	keep(0);
	smtp.smtp = NULL;
	ck_assert(!may_stay(EITHER, 0, 1));
	ck_assert_ptr_null(take(EITHER));
}
END_TEST

/* R-CONNECTION-LIFE: 300 s from the connect. */
START_TEST(whole_life)
{
	fake_run(&f, 400);
	ck_assert(may_stay(EITHER, 100.000001, 1));
	ck_assert(!may_stay(EITHER, 100, 1));
	fake_set(&f, "smtp_connection_reuse_time_limit", "10s");
	ck_assert(may_stay(EITHER, 390.5, 1));
	ck_assert(!may_stay(EITHER, 389.5, 1));
}
END_TEST

START_TEST(uses_are_limited)
{
	ck_assert(may_stay(EITHER, 0, 1000000));
	fake_set(&f, "smtp_connection_reuse_count_limit", "3");
	ck_assert(may_stay(EITHER, 0, 2));
	ck_assert(!may_stay(EITHER, 0, 3));
}
END_TEST

/* R-CONNECTION-LIFE: the lesser of the two limits of idleness. */
START_TEST(idle_life)
{
	static const struct {
		const char *own;
		const char *all;
		double ends;
	} rows[] = {{"2s", "2s", 3},
		    {"5s", "2s", 3},
		    {"1s", "2s", 2},
		    {"5s", "4s", 5}};

	fake_set(&f, "smtp_connection_cache_time_limit", rows[_i].own);
	fake_set(&f, "connection_cache_ttl_limit", rows[_i].all);
	fake_run(&f, 1);
	keep(0);
	fake_run(&f, rows[_i].ends - 0.000001);
	ck_assert_double_eq(all[0].ended, -1);
	fake_run(&f, 100);
	ck_assert_double_eq_tol(all[0].ended, rows[_i].ends, 1e-9);
	ck_assert_ptr_null(take(EITHER));
}
END_TEST

/* One timer, several lives: kept at 0, 0.5 and 1.5 s, the second is used. */
START_TEST(each_ends_at_its_time)
{
	keep(0);
	fake_run(&f, 0.5);
	keep(1);
	ck_assert_ptr_eq(take(EITHER), &all[1].session);
	fake_run(&f, 1.5);
	keep(2);
	fake_run(&f, 100);
	ck_assert_double_eq_tol(all[0].ended, 2, 1e-9);
	ck_assert_double_eq(all[1].ended, -1);
	ck_assert_double_eq_tol(all[2].ended, 3.5, 1e-9);
}
END_TEST

START_TEST(the_last_one_kept_is_taken_first)
{
	keep(0);
	keep(1);
	ck_assert_ptr_eq(take(EITHER), &all[1].session);
	ck_assert_ptr_eq(take(EITHER), &all[0].session);
}
END_TEST

/* Two transports, one server: each has its own sessions. */
START_TEST(not_those_of_another_transport)
{
	struct mta_session_cache relay;

	mta_session_cache_init(&relay, &f.host, &f.params, &f.params.smtp, end);
	keep(0);
	mta_session_keep(&relay, &all[1].session, &server);
	ck_assert_ptr_eq(take(EITHER), &all[0].session);
	ck_assert_ptr_null(take(EITHER));
	mta_session_cache_clear(&relay);
	ck_assert_double_eq(all[1].ended, 0);
}
END_TEST

START_TEST(all_end_when_it_is_cleared)
{
	keep(0);
	keep(1);
	fake_run(&f, 1);
	mta_session_cache_clear(&smtp);
	ck_assert_double_eq(all[0].ended, 1);
	ck_assert_double_eq(all[1].ended, 1);
	fake_run(&f, 10);
	keep(2);
	fake_run(&f, 100);
	ck_assert_double_eq_tol(all[2].ended, 12, 1e-9);
}
END_TEST

Suite *
session_suite(void)
{
	Suite *s = suite_create("session");
	TCase *tc = tcase_create("cache");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, hints_ask);
	tcase_add_test(tc, on_demand_can_be_off);
	tcase_add_test(tc, a_destination_is_named);
	tcase_add_test(tc, an_agent_that_keeps_none);
	tcase_add_test(tc, whole_life);
	tcase_add_test(tc, uses_are_limited);
	tcase_add_loop_test(tc, idle_life, 0, 4);
	tcase_add_test(tc, each_ends_at_its_time);
	tcase_add_test(tc, the_last_one_kept_is_taken_first);
	tcase_add_test(tc, not_those_of_another_transport);
	tcase_add_test(tc, all_end_when_it_is_cleared);
	suite_add_tcase(s, tc);
	return s;
}
