/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Typed values of a scenario: what is read, and what is refused with which
 * words. Expected numbers are the units' definitions (1 h = 3600 s, 1 KiB =
 * 1024 bytes).
 */
#include <check.h>
#include <string.h>

#include "sim/base/value.h"

static struct value_error why;

static int64_t
time_of(const char *text)
{
	int64_t us = -1;
	ck_assert_msg(value_time(text, &us, &why), "%s: %s", text, why.text);
	return us;
}

static void
refuse_time(const char *text, const char *words)
{
	int64_t us = -7;
	ck_assert_msg(!value_time(text, &us, &why), "%s was read", text);
	ck_assert_msg(strstr(why.text, words) != NULL, "%s: %s", text,
		      why.text);
	ck_assert_int_eq(us, -7);
}

START_TEST(times_have_units)
{
	ck_assert_int_eq(time_of("0"), 0);
	ck_assert_int_eq(time_of("0s"), 0);
	ck_assert_int_eq(time_of("7us"), 7);
	ck_assert_int_eq(time_of("250ms"), 250000);
	ck_assert_int_eq(time_of("1.5m"), 90000000);
	ck_assert_int_eq(time_of("2h"), INT64_C(7200000000));
	ck_assert_int_eq(time_of("1d"), INT64_C(86400000000));
	ck_assert_int_eq(time_of("1w"), INT64_C(604800000000));
	ck_assert_int_eq(time_of("1.000001s"), 1000001);
	/* 30 years of 365 days, in microseconds: 10950 * 86400e6. */
	ck_assert_int_eq(time_of("10950d"), INT64_C(946080000000000));
	/* Halves go up, in microseconds. */
	ck_assert_int_eq(time_of("0.5us"), 1);
	ck_assert_int_eq(time_of("0.4us"), 0);
}
END_TEST

START_TEST(times_refused)
{
	refuse_time("10", "write 10s");
	refuse_time("", "has no value");
	refuse_time("1:30", "base 60");
	refuse_time("0450s", "starts with 0");
	refuse_time("1_0s", "underscore");
	refuse_time("-5s", "below 0");
	refuse_time("5min", "did you mean m?");
	refuse_time("5 s", "not a unit");
	refuse_time("1e3s", "not a unit");
	refuse_time(".5s", "not a time");
	refuse_time("5.s", "not a time");
	refuse_time("+5s", "not a time");
	refuse_time("1234567890123456s", "more than 15 digits");
	refuse_time("10950.001d", "too large; at most 10950d");
	refuse_time("999999d", "too large");
	refuse_time("~", "not a time");
}
END_TEST

START_TEST(signed_times)
{
	int64_t us = 0;
	ck_assert(value_signed_time("-2.05s", &us, &why));
	ck_assert_int_eq(us, -2050000);
	ck_assert(value_signed_time("3s", &us, &why));
	ck_assert_int_eq(us, 3000000);
	ck_assert(!value_signed_time("--3s", &us, &why));
}
END_TEST

START_TEST(rates)
{
	double rate = 0;
	ck_assert(value_rate("20/s", &rate, &why));
	ck_assert_double_eq(rate, 20);
	ck_assert(value_rate("900/min", &rate, &why));
	ck_assert_double_eq(rate, 15);
	ck_assert(value_rate("1800/h", &rate, &why));
	ck_assert_double_eq(rate, 0.5);
	ck_assert(!value_rate("20", &rate, &why));
	ck_assert_str_eq(why.text, "'20' has no unit; write 20/s, or /min /h "
				   "/d");
	ck_assert(!value_rate("20/m", &rate, &why));
	ck_assert_ptr_nonnull(strstr(why.text, "/min"));
}
END_TEST

START_TEST(sizes)
{
	int64_t bytes = 0;
	ck_assert(value_size("512", &bytes, &why));
	ck_assert_int_eq(bytes, 512);
	ck_assert(value_size("18.8KB", &bytes, &why));
	ck_assert_int_eq(bytes, 18800);
	ck_assert(value_size("10KiB", &bytes, &why));
	ck_assert_int_eq(bytes, 10240);
	ck_assert(value_size("1.5MiB", &bytes, &why));
	ck_assert_int_eq(bytes, 1572864);
	ck_assert(!value_size("10kb", &bytes, &why));
	ck_assert_ptr_nonnull(strstr(why.text, "KB (1000) or KiB (1024)"));
}
END_TEST

START_TEST(shares)
{
	double share = 0;
	ck_assert(value_share("2%", &share, &why));
	ck_assert_double_eq(share, 0.02);
	ck_assert(value_share("0.02", &share, &why));
	ck_assert_double_eq(share, 0.02);
	ck_assert(value_share("100%", &share, &why));
	ck_assert_double_eq(share, 1);
	ck_assert(!value_share("101%", &share, &why));
	ck_assert(!value_share("2", &share, &why));
	ck_assert_ptr_nonnull(strstr(why.text, "did you mean 2%?"));
}
END_TEST

START_TEST(whole_numbers)
{
	int64_t n = 0;
	ck_assert(value_integer("200000", 0, 1000000, &n, &why));
	ck_assert_int_eq(n, 200000);
	ck_assert(value_integer("-3", -5, 5, &n, &why));
	ck_assert_int_eq(n, -3);
	ck_assert(!value_integer("6", 0, 5, &n, &why));
	ck_assert_str_eq(why.text, "'6' is above 5");
	ck_assert(!value_integer("0", 1, 5, &n, &why));
	ck_assert_str_eq(why.text, "'0' is below 1");
	ck_assert(!value_integer("1.0", 0, 5, &n, &why));
	ck_assert(!value_integer("0x5", 0, 5, &n, &why));
	ck_assert(!value_integer("1:30", 0, 500, &n, &why));
	ck_assert(!value_integer("020", 0, 500, &n, &why));
	ck_assert_int_eq(n, -3);
}
END_TEST

START_TEST(booleans)
{
	bool truth = false;
	ck_assert(value_boolean("yes", &truth, &why) && truth);
	ck_assert(value_boolean("true", &truth, &why) && truth);
	ck_assert(value_boolean("no", &truth, &why) && !truth);
	ck_assert(value_boolean("false", &truth, &why) && !truth);
	ck_assert(!value_boolean("on", &truth, &why));
	ck_assert(!value_boolean("Yes", &truth, &why));
}
END_TEST

/* F0.5: of what follows the number Postfix looks at the first letter only. */
START_TEST(main_cf_traps)
{
	ck_assert(value_main_cf("5s", true, &why));
	ck_assert(value_main_cf("300", true, &why));
	ck_assert(!value_main_cf("250ms", true, &why));
	ck_assert_ptr_nonnull(strstr(why.text, "250 minutes"));
	ck_assert(!value_main_cf("1.5h", true, &why));
	ck_assert(!value_main_cf("10KB", false, &why));
	ck_assert_ptr_nonnull(strstr(why.text, "write 10000"));
	ck_assert(!value_main_cf("10KiB", false, &why));
	ck_assert_ptr_nonnull(strstr(why.text, "write 10240"));
	ck_assert(value_main_cf("10240", false, &why));
}
END_TEST

Suite *
value_suite(void)
{
	Suite *suite = suite_create("value");
	TCase *tc = tcase_create("value");
	tcase_add_test(tc, times_have_units);
	tcase_add_test(tc, times_refused);
	tcase_add_test(tc, signed_times);
	tcase_add_test(tc, rates);
	tcase_add_test(tc, sizes);
	tcase_add_test(tc, shares);
	tcase_add_test(tc, whole_numbers);
	tcase_add_test(tc, booleans);
	tcase_add_test(tc, main_cf_traps);
	suite_add_tcase(suite, tc);
	return suite;
}
