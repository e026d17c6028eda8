/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writing tables (sim/base/table_out.c): every kind of field against the text
 * that a reader of RFC 4180 and of plain decimals expects; what was written
 * reads back through sim/base/csv_read.c; a file is at its place only when it
 * is whole; errors name it.
 */
#include "tests/harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/base/csv_read.h"
#include "sim/base/table_out.h"

static char dir[] = "/tmp/test_table_out_XXXXXX";
static char path[200];
static struct table_out t;

static void
setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/x.csv", dir);
	ck_assert(table_out_open(&t, dir, "x.csv", "a,b"));
}

static void
teardown(void)
{
	table_out_drop(&t);
	unlink(path);
	rmdir(dir);
	memcpy(dir + strlen(dir) - 6, "XXXXXX", 6);
}

static void
expect_content(const char *wanted)
{
	static char text[4096];
	FILE *file = fopen(path, "r");
	size_t size;

	ck_assert_ptr_nonnull(file);
	size = fread(text, 1, sizeof(text) - 1, file);
	text[size] = '\0';
	fclose(file);
	ck_assert_str_eq(text, wanted);
}

START_TEST(integers)
{
	static const int64_t numbers[] = {0,   7,	  10,	    99,
					  100, 101,	  12345,    999999,
					  -1,  INT64_MAX, INT64_MIN};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		table_out_integer(&t, numbers[i]);
	table_out_end_row(&t);
	ck_assert(table_out_close(&t));
	expect_content("a,b\n0,7,10,99,100,101,12345,999999,-1,"
		       "9223372036854775807,-9223372036854775808\n");
}
END_TEST

START_TEST(seconds_have_six_decimals)
{
	table_out_seconds(&t, 0);
	table_out_seconds(&t, 1);
	table_out_seconds(&t, 1500000);
	table_out_seconds(&t, -2050000);
	table_out_seconds(&t, -1);
	table_out_seconds(&t, INT64_C(86400000000));
	table_out_end_row(&t);
	ck_assert(table_out_close(&t));
	expect_content("a,b\n0.000000,0.000001,1.500000,-2.050000,-0.000001,"
		       "86400.000000\n");
}
END_TEST

START_TEST(decimals_without_trailing_zeros)
{
	table_out_decimal(&t, 0);
	table_out_decimal(&t, 0.05);
	table_out_decimal(&t, -1.25);
	table_out_decimal(&t, 1.0 / 3);
	table_out_decimal(&t, 20);
	table_out_decimal(&t, 1e-10); /* half of the last place is 5e-10 */
	table_out_decimal(&t, (double)NAN);
	table_out_decimal(&t, (double)INFINITY);
	table_out_end_row(&t);
	ck_assert(table_out_close(&t));
	expect_content("a,b\n0,0.05,-1.25,0.333333333,20,0,,\n");
}
END_TEST

START_TEST(texts_are_quoted_where_needed)
{
	table_out_text(&t, "plain text");
	table_out_text(&t, "a,b");
	table_out_text(&t, "say \"no\"");
	table_out_text(&t, "two\nlines");
	table_out_text(&t, "");
	table_out_empty(&t);
	table_out_end_row(&t);
	ck_assert(table_out_close(&t));
	expect_content("a,b\nplain text,\"a,b\",\"say \"\"no\"\"\","
		       "\"two\nlines\",,\n");
}
END_TEST

/* More than the buffer holds, and a field longer than it. */
START_TEST(large_tables_read_back)
{
	struct csv_reader csv;
	char *huge = malloc(200001);
	int64_t number;
	int64_t row = 0;

	ck_assert_ptr_nonnull(huge);
	memset(huge, '"', 200000);
	huge[200000] = '\0';
	for (int64_t i = 0; i < 20000; i++) {
		table_out_seconds(&t, i * 1000003);
		table_out_text(&t, i == 7777 ? huge : "x,y");
		table_out_end_row(&t);
	}
	ck_assert_uint_eq(t.rows, 20000);
	ck_assert(table_out_close(&t));
	ck_assert(csv_open(&csv, path));
	for (; csv_next(&csv); row++) {
		ck_assert(csv_microseconds(&csv, 0, &number));
		ck_assert_int_eq(number, row * 1000003);
		ck_assert_str_eq(csv_text(&csv, 1), row == 7777 ? huge : "x,y");
	}
	ck_assert_str_eq(csv.error, "");
	ck_assert_int_eq(row, 20000);
	csv_close(&csv);
	free(huge);
}
END_TEST

START_TEST(at_its_place_when_whole)
{
	table_out_integer(&t, 1);
	table_out_end_row(&t);
	ck_assert_int_ne(access(path, F_OK), 0);
	ck_assert(table_out_close(&t));
	ck_assert_int_eq(access(path, F_OK), 0);
	/* teardown's rmdir fails if NAME.part were left */
}
END_TEST

START_TEST(dropped_leaves_nothing)
{
	table_out_integer(&t, 1);
	table_out_drop(&t);
	ck_assert_int_eq(rmdir(dir), 0);
	ck_assert_int_eq(mkdir(dir, 0700), 0);
}
END_TEST

START_TEST(errors_name_the_file)
{
	struct table_out bad;

	ck_assert(!table_out_open(&bad, "/nowhere/at/all", "x.csv", "a"));
	ck_assert_str_eq(bad.error, "cannot create '/nowhere/at/all/x.csv': "
				    "No such file or directory");
	table_out_integer(&bad, 1);
	table_out_text(&bad, "a");
	table_out_end_row(&bad);
	ck_assert(!table_out_close(&bad));
	ck_assert_ptr_nonnull(strstr(bad.error, "cannot create"));
}
END_TEST

/* A disk that is full: the device for it. */
START_TEST(a_full_disk_is_told)
{
	struct table_out bad;
	char place[200];

	snprintf(place, sizeof(place), "%s/full.csv.part", dir);
	if (symlink("/dev/full", place) != 0)
		return;
	ck_assert(table_out_open(&bad, dir, "full.csv", "a"));
	for (int i = 0; i < 100000; i++) {
		table_out_integer(&bad, i);
		table_out_end_row(&bad);
	}
	ck_assert(!table_out_close(&bad));
	ck_assert_ptr_nonnull(strstr(bad.error, "/full.csv': No space left"));
	ck_assert_int_ne(access(place, F_OK), 0);
}
END_TEST

Suite *
table_out_suite(void)
{
	Suite *suite = suite_create("table_out");
	TCase *c = tcase_create("all");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, integers);
	tcase_add_test(c, seconds_have_six_decimals);
	tcase_add_test(c, decimals_without_trailing_zeros);
	tcase_add_test(c, texts_are_quoted_where_needed);
	tcase_add_test(c, large_tables_read_back);
	tcase_add_test(c, at_its_place_when_whole);
	tcase_add_test(c, dropped_leaves_nothing);
	tcase_add_test(c, errors_name_the_file);
	tcase_add_test(c, a_full_disk_is_told);
	suite_add_tcase(suite, c);
	return suite;
}
