/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the program shows on a terminal and writes as JSON: sparklines, the
 * progress line, the JSON writer. Expected texts are made by hand from the
 * headers' promises.
 */
#include <jansson.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/json_out.h"
#include "sim/command/progress.h"
#include "sim/base/sparkline.h"
#include "tests/harness.h"

START_TEST(test_sparkline_heights)
{
	/* value / 7 of the way up: each character once */
	const double steps[] = {0, 1, 2, 3, 4, 5, 6, 7};
	char out[SPARKLINE_BYTES(8)];
	ck_assert_str_eq(sparkline(steps, 8, 8, SPARKLINE_ASCII, out),
			 "_.-:=+*#");
	ck_assert_str_eq(sparkline(steps, 8, 8, SPARKLINE_UTF8, out),
			 "\u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588");
}
END_TEST

START_TEST(test_sparkline_edges)
{
	char out[SPARKLINE_BYTES(10)];
	const double zeros[] = {0, 0, 0};
	ck_assert_str_eq(sparkline(zeros, 3, 10, SPARKLINE_ASCII, out), "___");
	ck_assert_str_eq(sparkline(zeros, 0, 10, SPARKLINE_ASCII, out), "");
	/* the least bit above zero is not zero */
	const double tiny[] = {1000, 0.001, 0};
	ck_assert_str_eq(sparkline(tiny, 3, 10, SPARKLINE_ASCII, out), "#._");
	const double gap[] = {1, (double)NAN, 1};
	ck_assert_str_eq(sparkline(gap, 3, 10, SPARKLINE_ASCII, out), "# #");
}
END_TEST

START_TEST(test_sparkline_peak)
{
	/* 1000 values in 10 characters: the lone peak is in the fourth */
	double values[1000] = {0};
	char out[SPARKLINE_BYTES(10)];
	values[355] = 3;
	ck_assert_str_eq(sparkline(values, 1000, 10, SPARKLINE_ASCII, out),
			 "___#______");
}
END_TEST

START_TEST(test_sparkline_locale)
{
	setenv("LC_ALL", "", 1);
	setenv("LC_CTYPE", "", 1);
	setenv("LANG", "fr_FR.UTF-8", 1);
	ck_assert_int_eq(sparkline_style(), SPARKLINE_UTF8);
	setenv("LC_CTYPE", "C.utf8", 1);
	setenv("LANG", "C", 1);
	ck_assert_int_eq(sparkline_style(), SPARKLINE_UTF8);
	setenv("LC_ALL", "C", 1);
	ck_assert_int_eq(sparkline_style(), SPARKLINE_ASCII);
	unsetenv("LC_ALL");
	unsetenv("LC_CTYPE");
	unsetenv("LANG");
	ck_assert_int_eq(sparkline_style(), SPARKLINE_ASCII);
}
END_TEST

START_TEST(test_progress_line)
{
	const struct progress_counts counts = {
		.incoming = 12, .active = 20000, .deferred = 7};
	struct progress bar = {.total_us = INT64_C(7200000000), .speed = 1250};
	char line[200];
	progress_line(&bar, INT64_C(3661000000), &counts, 120, line,
		      sizeof(line));
	/* 3661 of 7200 s are 50.8 %, 10 of 20 cells */
	ck_assert_str_eq(line,
			 "[==========>         ]  50 %  1:01:01 of 2:00:00"
			 "  1250x  incoming 12  active 20000  deferred 7");
	progress_line(&bar, INT64_C(3661000000), &counts, 60, line,
		      sizeof(line));
	ck_assert_str_eq(
		line,
		"[==========>         ]  50 %  1:01:01 of 2:00:00  1250x");
	progress_line(&bar, INT64_C(9000000000), &counts, 28, line,
		      sizeof(line));
	ck_assert_str_eq(line, "[====================] 100 %");
	progress_line(&bar, 0, &counts, 5, line, sizeof(line));
	ck_assert_str_eq(line, "");
}
END_TEST

START_TEST(test_progress_unknown_length)
{
	const struct progress_counts counts = {.hold = 3};
	struct progress bar;
	char line[200];
	progress_init(&bar, INT64_MAX, PROGRESS_NEVER);
	progress_line(&bar, INT64_C(90061000000), &counts, 120, line,
		      sizeof(line));
	ck_assert_str_eq(line, "1d 1:01:01  0x  incoming 0  active 0"
			       "  deferred 0  hold 3");
	ck_assert(!bar.enabled);
	progress_update(&bar, 1, &counts);
	ck_assert(!bar.shown);
	progress_finish(&bar);
}
END_TEST

/* What `write` makes, for free(). */
static char *
written(void (*write)(struct json_out *))
{
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);
	struct json_out json;
	ck_assert_ptr_nonnull(file);
	json_out_init(&json, file);
	write(&json);
	ck_assert(json_out_finish(&json));
	fclose(file);
	return text;
}

static void
write_shapes(struct json_out *json)
{
	json_out_open(json, NULL, JSON_OUT_OBJECT);
	json_out_text(json, "name", "a \"b\" \\ \n\x01 \u00e9");
	json_out_text(json, "none", NULL);
	json_out_open(json, "empty", JSON_OUT_OBJECT);
	json_out_close(json);
	json_out_open(json, "list", JSON_OUT_LIST);
	json_out_integer(json, NULL, INT64_MIN);
	json_out_integer(json, NULL, INT64_MAX);
	json_out_close(json);
	json_out_open(json, "rows", JSON_OUT_ARRAY);
	json_out_open(json, NULL, JSON_OUT_ROW);
	json_out_boolean(json, "x", true);
	json_out_open(json, "y", JSON_OUT_ARRAY);
	json_out_boolean(json, NULL, false);
	json_out_null(json, NULL);
	json_out_close(json);
	json_out_close(json);
	json_out_close(json);
	json_out_close(json);
}

START_TEST(test_json_shapes)
{
	char *text = written(write_shapes);
	ck_assert_str_eq(
		text,
		"{\n"
		"  \"name\": \"a \\\"b\\\" \\\\ \\n\\u0001 \u00e9\",\n"
		"  \"none\": null,\n"
		"  \"empty\": {},\n"
		"  \"list\": [-9223372036854775808, 9223372036854775807],\n"
		"  \"rows\": [\n"
		"    {\"x\": true, \"y\": [false, null]}\n"
		"  ]\n"
		"}\n");
	json_error_t error;
	json_t *tree = json_loads(text, 0, &error);
	ck_assert_msg(tree, "%s", error.text);
	json_decref(tree);
	free(text);
}
END_TEST

static void
write_numbers(struct json_out *json)
{
	json_out_open(json, NULL, JSON_OUT_LIST);
	json_out_double(json, NULL, 0.1);
	json_out_double(json, NULL, 1.0 / 3);
	json_out_double(json, NULL, -0.0);
	json_out_double(json, NULL, 1e10);
	json_out_double(json, NULL, 1e-7);
	json_out_double(json, NULL, (double)NAN);
	json_out_double(json, NULL, (double)INFINITY);
	json_out_seconds(json, NULL, 0);
	json_out_seconds(json, NULL, 1500000);
	json_out_seconds(json, NULL, -1);
	json_out_seconds(json, NULL, INT64_C(7200000000));
	json_out_seconds(json, NULL, INT64_MIN);
	json_out_close(json);
}

START_TEST(test_json_numbers)
{
	char *text = written(write_numbers);
	ck_assert_str_eq(
		text, "[0.1, 0.333333333, 0, 1e+10, 1e-07, null, null, 0, 1.5, "
		      "-0.000001, 7200, -9223372036854.775808]\n");
	free(text);
}
END_TEST

static const char *const bad_utf8[] = {
	"\x80",
	"\xc0\xaf",
	"\xe2\x82",
	"\xed\xa0\x80",
	"\xf5\x80\x80\x80",
	"\xe0\x80\x80",
	"\xf4\x90\x80\x80",
	"\xff",
};
static const char *bad_text;

static void
write_bad(struct json_out *json)
{
	json_out_text(json, NULL, bad_text);
}

START_TEST(test_json_bad_utf8)
{
	bad_text = bad_utf8[_i];
	char *text = written(write_bad);
	json_error_t error;
	json_t *tree = json_loads(text, JSON_DECODE_ANY, &error);
	ck_assert_msg(tree, "%s", error.text);
	/* a replacement for every byte, or every byte that starts nothing */
	ck_assert_ptr_nonnull(strstr(json_string_value(tree), "\ufffd"));
	json_decref(tree);
	free(text);
}
END_TEST

Suite *
terminal_text_suite(void)
{
	Suite *suite = suite_create("terminal_text");
	TCase *all = tcase_create("all");
	tcase_add_test(all, test_sparkline_heights);
	tcase_add_test(all, test_sparkline_edges);
	tcase_add_test(all, test_sparkline_peak);
	tcase_add_test(all, test_sparkline_locale);
	tcase_add_test(all, test_progress_line);
	tcase_add_test(all, test_progress_unknown_length);
	tcase_add_test(all, test_json_shapes);
	tcase_add_test(all, test_json_numbers);
	tcase_add_loop_test(all, test_json_bad_utf8, 0,
			    (int)(sizeof(bad_utf8) / sizeof(bad_utf8[0])));
	suite_add_tcase(suite, all);
	return suite;
}
