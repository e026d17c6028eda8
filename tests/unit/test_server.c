/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The servers of a delivery and their limits (src/mta/server.c): F11.3, with
 * the defaults of F13.4: five addresses and two sessions for each stop.
 */
#include <check.h>

#include "mta/server.h"

static struct mta_params params;
static struct mta_smtp_params *smtp;
static struct mta_way way;
static struct mta_server found[64];

static void
set_up(void)
{
	mta_params_init(&params);
	smtp = &params.smtp;
	mta_way_begin(&way, smtp);
}

static void
tear_down(void)
{
	mta_params_release(&params);
}

/* One more stop with so many servers of one preference. */
static uint32_t
add(uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		found[i] = (struct mta_server){.preference = 10, .number = i};
	return mta_way_add(&way, found, count);
}

/* A failure before there is a session: on to a server, at a stop. */
static void
expect_next(uint32_t server, uint32_t stop)
{
	ck_assert(!mta_way_is_at_end(&way));
	mta_way_next(&way);
	ck_assert_uint_eq(way.server, server);
	ck_assert_uint_eq(way.stop, stop);
}

/* R-SERVER-ORDER: by preference; equal ones stay as they were shuffled. */
START_TEST(sorted_by_preference)
{
	static const int64_t preferences[] = {20, 10, 30, 10, 20, 0};
	static const uint32_t numbers[] = {5, 1, 3, 0, 4};

	for (uint32_t i = 0; i < 6; i++)
		found[i] = (struct mta_server){.preference = preferences[i],
					       .number = i};
	/* Five of the six are tried: the last one in order is not. */
	ck_assert_uint_eq(mta_way_add(&way, found, 6), 5);
	for (uint32_t i = 0; i < 5; i++)
		ck_assert_uint_eq(found[i].number, numbers[i]);
}
END_TEST

START_TEST(one_server)
{
	mta_way_straight(&way, smtp);
	ck_assert(mta_way_is_at_end(&way));
	mta_way_session(&way);
	ck_assert(mta_way_is_at_end(&way));
}
END_TEST

/* R-SERVER-LIMIT: five addresses, each of which fails to connect. */
START_TEST(five_addresses)
{
	ck_assert_uint_eq(add(7), 5);
	for (uint32_t server = 1; server < 5; server++)
		expect_next(server, 0);
	ck_assert(mta_way_is_at_end(&way));
}
END_TEST

/* Limit 0 is 32: a deviation. */
START_TEST(any_number_of_addresses)
{
	smtp->mx_address_limit = 0;
	ck_assert_uint_eq(add(64), 32);
}
END_TEST

/* R-SERVER-LIMIT: the second session is the last, whoever else is there. */
START_TEST(two_sessions)
{
	add(5);
	mta_way_session(&way);
	expect_next(1, 0);
	ck_assert(!mta_way_is_at_end(&way));
	mta_way_session(&way);
	ck_assert(mta_way_is_at_end(&way));
}
END_TEST

/* What fails before the handshake is done is no session: after one session two
 * more fail to connect, and the next one still is tried. */
START_TEST(failures_are_no_sessions)
{
	add(5);
	mta_way_session(&way);
	expect_next(1, 0);
	expect_next(2, 0);
	expect_next(3, 0);
	mta_way_session(&way);
	ck_assert(mta_way_is_at_end(&way));
}
END_TEST

START_TEST(a_dead_session_does_not_count)
{
	smtp->mx_session_limit = 1;
	add(2);
	mta_way_session(&way);
	mta_way_session_was_dead(&way);
	expect_next(1, 0);
}
END_TEST

START_TEST(any_number_of_sessions)
{
	smtp->mx_session_limit = 0;
	add(3);
	mta_way_session(&way);
	expect_next(1, 0);
	mta_way_session(&way);
	expect_next(2, 0);
	mta_way_session(&way);
	ck_assert(mta_way_is_at_end(&way));
}
END_TEST

/* R-SERVER-LIMIT: both limits are for each stop; the last server is that of the
 * last one. Two sessions at the site, then a relay with three servers. */
START_TEST(limits_are_for_each_stop)
{
	ck_assert_uint_eq(add(5), 5);
	ck_assert_uint_eq(add(3), 3);
	mta_way_session(&way);
	expect_next(1, 0);
	mta_way_session(&way);
	expect_next(5, 1);
	mta_way_session(&way);
	expect_next(6, 1);
	mta_way_session(&way);
	ck_assert(mta_way_is_at_end(&way));
}
END_TEST

/* The site and seven relays; each has a server, however many those before it
 * have: 32 and 7 in all. */
START_TEST(eight_stops)
{
	smtp->mx_address_limit = 0;
	for (uint32_t stop = 0; stop < 8; stop++)
		ck_assert_uint_eq(add(64), stop == 0 ? 32 : 1);
	ck_assert_uint_eq(add(64), 0);
	ck_assert_uint_eq(way.server_count, MTA_SERVERS_MAX);
}
END_TEST

START_TEST(names_of_relays)
{
	const char *at = "a.example, [b.example]:587 c.example:25,, [192.0.2.1]"
			 " [2001:db8::1]:25 [] too-long.example";
	static const char *const hosts[] = {"a.example", "b.example",
					    "c.example", "192.0.2.1",
					    "2001:db8::1"};
	char host[12];

	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		ck_assert(mta_relay_next(&at, host, sizeof(host)));
		ck_assert_str_eq(host, hosts[i]);
	}
	ck_assert(!mta_relay_next(&at, host, sizeof(host)));
}
END_TEST

Suite *
server_suite(void)
{
	Suite *s = suite_create("server");
	TCase *tc = tcase_create("way");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, sorted_by_preference);
	tcase_add_test(tc, one_server);
	tcase_add_test(tc, five_addresses);
	tcase_add_test(tc, any_number_of_addresses);
	tcase_add_test(tc, two_sessions);
	tcase_add_test(tc, failures_are_no_sessions);
	tcase_add_test(tc, a_dead_session_does_not_count);
	tcase_add_test(tc, any_number_of_sessions);
	tcase_add_test(tc, limits_are_for_each_stop);
	tcase_add_test(tc, eight_stops);
	tcase_add_test(tc, names_of_relays);
	suite_add_tcase(s, tc);
	return s;
}
