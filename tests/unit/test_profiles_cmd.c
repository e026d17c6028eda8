/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How old a profile is. Months by hand, on a calendar.
 */
#include <check.h>

#include "sim/command/profiles_cmd.h"

START_TEST(age_in_months)
{
	/* From May 2024 to November 2026: 2 years and 6 months. */
	ck_assert_int_eq(profile_age_months("2024-05", 2026, 11), 30);
	ck_assert_int_eq(profile_age_months("2024-11", 2026, 11), 24);
	ck_assert_int_eq(profile_age_months("2025-12", 2026, 1), 1);
	/* A year alone is as young as it can be. */
	ck_assert_int_eq(profile_age_months("2013", 2014, 1), 1);
	/* Nothing is younger than today. */
	ck_assert_int_eq(profile_age_months("2026", 2026, 11), 0);
}
END_TEST

START_TEST(what_is_no_date)
{
	static const char *const wrong[] = {"",	       "soon",	    "20",
					    "2024-13", "2024-00",   "2024-5",
					    "2024/05", "2024-05-01"};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ck_assert_int_eq(profile_age_months(wrong[i], 2026, 11), -1);
}
END_TEST

Suite *
profiles_cmd_suite(void)
{
	Suite *suite = suite_create("profiles");
	TCase *age = tcase_create("age");

	tcase_add_test(age, age_in_months);
	tcase_add_test(age, what_is_no_date);
	suite_add_tcase(suite, age);
	return suite;
}
