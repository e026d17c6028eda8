/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The master's policy (src/mta/master.c): F8.9, F8.11, F8.12, F8.13.
 */
#include <check.h>

#include "mta/master.h"
#include "tests/unit/fake_host.h"

START_TEST(limits_f8_11)
{
	struct mta_service_state s;

	mta_service_init(&s, -1, 100); /* "-" of master.cf */
	ck_assert_int_eq(s.process_limit, 100);
	mta_service_init(&s, 0, 100);
	ck_assert_int_eq(s.process_limit, 0);
	mta_service_init(&s, 7, 100);
	ck_assert_int_eq(s.process_limit, 7);
	mta_service_init(&s, INT64_MAX, 100);
	ck_assert_int_eq(s.process_limit, INT32_MAX);
}
END_TEST

START_TEST(one_process_at_a_time_f8_11)
{
	struct mta_service_state s;
	struct mta_child a, b;

	mta_service_init(&s, 2, 100);
	ck_assert(mta_service_may_spawn(&s));
	mta_service_spawned(&s, &a);
	/* R-MASTER-LISTEN: a child counts as idle at once: nobody listens
	 * meanwhile. */
	ck_assert(!mta_service_may_spawn(&s));
	mta_service_taken(&s, &a);
	ck_assert(mta_service_may_spawn(&s));
	mta_service_spawned(&s, &b);
	mta_service_taken(&s, &b);
	ck_assert(!mta_service_may_spawn(&s)); /* the limit */
	mta_service_avail(&s, &a);
	ck_assert_int_eq(s.idle_count, 1);
	ck_assert_uint_eq(a.use_count, 1);
	/* Said twice: nothing. */
	mta_service_avail(&s, &a);
	ck_assert_int_eq(s.idle_count, 1);
	ck_assert_uint_eq(a.use_count, 1);
	ck_assert(!mta_service_ended(&s, &a, MTA_CHILD_DONE));
	ck_assert_int_eq(s.total_count, 1);
	ck_assert_int_eq(s.idle_count, 0);
	ck_assert(mta_service_may_spawn(&s));
}
END_TEST

START_TEST(no_limit)
{
	struct mta_service_state s;
	struct mta_child c;

	mta_service_init(&s, 0, 100);
	for (int i = 0; i < 500; i++) {
		ck_assert(mta_service_may_spawn(&s));
		mta_service_spawned(&s, &c);
		mta_service_taken(&s, &c);
	}
	ck_assert_int_eq(s.total_count, 500);
}
END_TEST

START_TEST(throttle_f8_12)
{
	struct mta_service_state s;
	struct mta_child fresh, used;

	mta_service_init(&s, 10, 100);
	mta_service_spawned(&s, &used);
	mta_service_taken(&s, &used);
	mta_service_avail(&s, &used);
	mta_service_taken(&s, &used);
	/* R-MASTER-THROTTLE: one that had ended a request is only logged. */
	ck_assert(!mta_service_ended(&s, &used, MTA_CHILD_FAILED));
	ck_assert(mta_service_may_spawn(&s));
	mta_service_spawned(&s, &fresh);
	mta_service_taken(&s, &fresh);
	ck_assert(mta_service_ended(&s, &fresh, MTA_CHILD_FAILED));
	ck_assert(!mta_service_may_spawn(&s));
	mta_service_unthrottle(&s);
	ck_assert(mta_service_may_spawn(&s));
	/* An orderly end without a request is none. */
	mta_service_spawned(&s, &fresh);
	ck_assert(!mta_service_ended(&s, &fresh, MTA_CHILD_DONE));
}
END_TEST

START_TEST(reload_f8_11)
{
	struct mta_service_state s;
	struct mta_child busy, young;

	mta_service_init(&s, 1, 100);
	mta_service_spawned(&s, &busy);
	mta_service_taken(&s, &busy);
	ck_assert(!mta_service_may_spawn(&s));
	mta_service_reload(&s, 2, 100);
	ck_assert_int_eq(s.process_limit, 2);
	/* Old ones no longer count against the limit. */
	ck_assert(mta_service_may_spawn(&s));
	mta_service_spawned(&s, &young);
	mta_service_avail(&s, &busy);
	ck_assert_int_eq(s.idle_count, 1);
	ck_assert(mta_child_is_spent(&s, &busy, 100));
	ck_assert(!mta_child_is_spent(&s, &young, 100));
	ck_assert(!mta_service_ended(&s, &busy, MTA_CHILD_DONE));
	ck_assert_int_eq(s.total_count, 1);
}
END_TEST

START_TEST(max_use_f8_9)
{
	/* R-AGENT-RETIRE */
	struct mta_service_state s;
	struct mta_child c;

	mta_service_init(&s, 1, 100);
	mta_service_spawned(&s, &c);
	for (int i = 0; i < 99; i++) {
		mta_service_taken(&s, &c);
		mta_service_avail(&s, &c);
	}
	ck_assert(!mta_child_is_spent(&s, &c, 100));
	mta_service_taken(&s, &c);
	mta_service_avail(&s, &c);
	ck_assert(mta_child_is_spent(&s, &c, 100));
}
END_TEST

START_TEST(wakeups_f8_13)
{
	static struct fake_host f;
	struct mta_wakeup w = {.period_s = 0};

	fake_init(&f);
	mta_wakeup_stop(&w);
	mta_wakeup_start(&w, &f.host, MTA_TO_PICKUP, MTA_WAKEUP_PICKUP_S);
	fake_run(&f, 185);
	/* R-WAKEUP: now, and at 60, 120, 180 s. */
	ck_assert_uint_eq(fake_sent_count(&f, MTA_TO_PICKUP), 4);
	ck_assert_double_eq(fake_seconds(fake_sent(&f, MTA_TO_PICKUP, 0)->at),
			    0);
	ck_assert_double_eq(fake_seconds(fake_sent(&f, MTA_TO_PICKUP, 3)->at),
			    180);
	ck_assert_uint_eq(fake_sent(&f, MTA_TO_PICKUP, 3)->note.trigger,
			  MTA_TRIGGER_WAKEUP);
	mta_wakeup_stop(&w);
	fake_run(&f, 400);
	ck_assert_uint_eq(fake_sent_count(&f, MTA_TO_PICKUP), 4);
	fake_release(&f);
}
END_TEST

Suite *
master_suite(void)
{
	Suite *s = suite_create("master");
	TCase *c = tcase_create("master");

	tcase_add_test(c, limits_f8_11);
	tcase_add_test(c, one_process_at_a_time_f8_11);
	tcase_add_test(c, no_limit);
	tcase_add_test(c, throttle_f8_12);
	tcase_add_test(c, reload_f8_11);
	tcase_add_test(c, max_use_f8_9);
	tcase_add_test(c, wakeups_f8_13);
	suite_add_tcase(s, c);
	return s;
}
