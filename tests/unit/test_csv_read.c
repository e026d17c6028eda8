/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The reader of tables: fields by the grammar of RFC 4180, numbers, and an
 * error with its place for everything that is not a table. Expected values
 * are read off the texts by hand.
 */
#include "sim/base/csv_read.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "tests/harness.h"

static char path[64];

static void
make_file(const char *bytes, size_t size)
{
	strcpy(path, "/tmp/csv_read.XXXXXX");
	int fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
	close(fd);
}

static void
open_text(struct csv_reader *csv, const char *text)
{
	make_file(text, strlen(text));
	csv_open(csv, path);
	unlink(path);
}

/* Read to the end; the error must end in `wanted`, behind the path. */
static void
check_error(const char *text, const char *wanted)
{
	struct csv_reader csv;
	open_text(&csv, text);
	while (csv_next(&csv))
		continue;
	ck_assert_msg(csv.error[0], "no error from: %s", text);
	ck_assert_str_eq(csv.error + strlen(path), wanted);
	csv_close(&csv);
}

START_TEST(test_plain)
{
	struct csv_reader csv;
	open_text(&csv, "a,b,c\n1,two,\n\n,,3\r\n");
	ck_assert_str_eq(csv.error, "");
	ck_assert_int_eq(csv_column(&csv, "b"), 1);
	ck_assert_int_eq(csv_column(&csv, "B"), -1);
	ck_assert(csv_next(&csv));
	ck_assert_int_eq(csv.line, 2);
	ck_assert_str_eq(csv_text(&csv, 0), "1");
	ck_assert_str_eq(csv_text(&csv, 1), "two");
	ck_assert_str_eq(csv_text(&csv, 2), "");
	ck_assert(csv_next(&csv));
	ck_assert_int_eq(csv.line, 4);
	ck_assert_str_eq(csv_text(&csv, 2), "3");
	ck_assert(!csv_next(&csv));
	ck_assert_str_eq(csv.error, "");
	ck_assert(!csv.unfinished);
	csv_close(&csv);
}
END_TEST

START_TEST(test_quotes)
{
	struct csv_reader csv;
	open_text(&csv, "\"a\",b\n\"x,\"\"y\"\"\nz\",2\n\"\",\"q\"\n");
	ck_assert_int_eq(csv_column(&csv, "a"), 0);
	ck_assert(csv_next(&csv));
	ck_assert_str_eq(csv_text(&csv, 0), "x,\"y\"\nz");
	ck_assert_str_eq(csv_text(&csv, 1), "2");
	ck_assert(csv_next(&csv));
	ck_assert_int_eq(csv.line, 4); /* the row before took two lines */
	ck_assert_str_eq(csv_text(&csv, 0), "");
	ck_assert_str_eq(csv_text(&csv, 1), "q");
	ck_assert(!csv_next(&csv));
	ck_assert_str_eq(csv.error, "");
	csv_close(&csv);
}
END_TEST

START_TEST(test_byte_order_mark)
{
	struct csv_reader csv;
	open_text(&csv, "\xef\xbb\xbftime_s,x\r\n1,2\r\n");
	ck_assert_int_eq(csv_column(&csv, "time_s"), 0);
	ck_assert_int_eq(csv_column(&csv, "x"), 1);
	csv_close(&csv);
}
END_TEST

START_TEST(test_last_line)
{
	struct csv_reader csv;
	open_text(&csv, "a,b\n1,2\n3,4");
	ck_assert(csv_next(&csv));
	ck_assert(!csv.unfinished);
	ck_assert(csv_next(&csv));
	ck_assert_str_eq(csv_text(&csv, 1), "4");
	ck_assert(!csv_next(&csv));
	ck_assert_str_eq(csv.error, "");
	ck_assert(csv.unfinished);
	csv_close(&csv);
}
END_TEST

START_TEST(test_errors)
{
	check_error("", ":1: the file is empty; a line with the names of "
			"the columns is wanted");
	check_error("\n", ":1: the file is empty; a line with the names of "
			  "the columns is wanted");
	check_error("a,b\n1\n", ":2: 1 fields, but the header has 2");
	check_error("a,b\n1,2\n3,4,5\n", ":3: 3 fields, but the header has 2");
	check_error("a,b\n1,2\n3", ":3: 1 fields, but the header has 2; the "
				   "file is cut off");
	check_error("a,a\n", ":1: two columns have the name 'a'");
	check_error("a,b\n\"1,2\n", ":2: the file ends within quotes");
	check_error("a,b\n\"1\"x,2\n",
		    ":2: text behind the quote that ends a field");
}
END_TEST

START_TEST(test_zero_byte)
{
	struct csv_reader csv;
	make_file("a,b\n1,\0\n", 8);
	ck_assert(csv_open(&csv, path));
	unlink(path);
	ck_assert(!csv_next(&csv));
	ck_assert_ptr_nonnull(strstr(csv.error, ":2: holds a byte 0"));
	csv_close(&csv);
}
END_TEST

START_TEST(test_no_file)
{
	struct csv_reader csv;
	ck_assert(!csv_open(&csv, "no/such/file.csv"));
	ck_assert_str_eq(csv.error, "no/such/file.csv: cannot open the file");
	ck_assert(!csv_next(&csv));
	csv_close(&csv);
}
END_TEST

START_TEST(test_no_column)
{
	struct csv_reader csv;
	int column;
	open_text(&csv, "a,b\n1,2\n");
	ck_assert(csv_find(&csv, "b", &column));
	ck_assert_int_eq(column, 1);
	ck_assert(!csv_find(&csv, "c", &column));
	ck_assert_str_eq(csv.error + strlen(path),
			 ":1: there is no column 'c'");
	ck_assert(!csv_next(&csv));
	csv_close(&csv);
}
END_TEST

static void
pack(const char *text)
{
	make_file("", 0);
	gzFile file = gzopen(path, "wb");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_gt(gzputs(file, text), 0);
	gzclose(file);
}

START_TEST(test_packed)
{
	struct csv_reader csv;
	pack("a,b\n1,2\n");
	ck_assert(csv_open(&csv, path));
	unlink(path);
	ck_assert(csv_next(&csv));
	ck_assert_str_eq(csv_text(&csv, 1), "2");
	ck_assert(!csv_next(&csv));
	ck_assert_str_eq(csv.error, "");
	csv_close(&csv);
}
END_TEST

START_TEST(test_packed_cut_off)
{
	struct csv_reader csv;
	pack("a,b\n1,2\n3,4\n5,6\n");
	ck_assert_int_eq(truncate(path, 24), 0);
	if (csv_open(&csv, path)) {
		while (csv_next(&csv))
			continue;
	}
	unlink(path);
	ck_assert_ptr_nonnull(strstr(csv.error, "the file is cut off"));
	csv_close(&csv);
}
END_TEST

struct number_case {
	const char *text;
	double number;
};

static const struct number_case numbers[] = {
	{"0", 0},
	{"-1.5", -1.5},
	{"7200.000001", 7200.000001},
	{"007", 7},
	{".5", 0.5},
	{"5.", 5},
	/* The nearest doubles, as the compiler reads them. */
	{"0.1", 0.1},
	{"123456789012345678", 123456789012345678.0},
	{"0.00000000000000000001", 1e-20},
};

START_TEST(test_double)
{
	char text[80];
	struct csv_reader csv;
	double number;
	snprintf(text, sizeof(text), "x\n%s\n", numbers[_i].text);
	open_text(&csv, text);
	ck_assert(csv_next(&csv));
	ck_assert_msg(csv_double(&csv, 0, &number), "%s", csv.error);
	ck_assert_double_eq(number, numbers[_i].number);
	csv_close(&csv);
}
END_TEST

static const char *const no_numbers[] = {
	"x",  "1e5", "nan", "0x10", "1,5",   "1 ",
	" 1", "--1", ".",   "-",    "1.2.3", "1234567890123456789"};

START_TEST(test_no_double)
{
	char text[80];
	struct csv_reader csv;
	double number = 42;
	snprintf(text, sizeof(text), "x,y\n\"%s\",\n", no_numbers[_i]);
	open_text(&csv, text);
	ck_assert(csv_next(&csv));
	ck_assert(!csv_double(&csv, 0, &number));
	ck_assert_ptr_nonnull(strstr(csv.error, ":2: x: '"));
	ck_assert_ptr_nonnull(strstr(csv.error, "' is not a number"));
	ck_assert_double_eq(number, 42);
	csv_close(&csv);
}
END_TEST

START_TEST(test_missing_number)
{
	struct csv_reader csv;
	double number;
	open_text(&csv, "x,y\n,1\n");
	ck_assert(csv_next(&csv));
	ck_assert(!csv_double(&csv, 0, &number));
	ck_assert_str_eq(csv.error + strlen(path),
			 ":2: x: a number is missing");
	csv_close(&csv);
}
END_TEST

struct time_case {
	const char *text;
	int64_t us;
};

static const struct time_case times[] = {
	{"0", 0},
	{"1", 1000000},
	{"-2.05", -2050000},
	{"7200.000001", 7200000001},
	{"0.1234564", 123456},
	{"0.1234565", 123457},
	{"-0.1234565", -123457},
	{"0.12345649999", 123456},
	{"9000000000000", INT64_C(9000000000000000000)},
};

START_TEST(test_microseconds)
{
	char text[80];
	struct csv_reader csv;
	int64_t us;
	snprintf(text, sizeof(text), "x\n%s\n", times[_i].text);
	open_text(&csv, text);
	ck_assert(csv_next(&csv));
	ck_assert_msg(csv_microseconds(&csv, 0, &us), "%s", csv.error);
	ck_assert_int_eq(us, times[_i].us);
	csv_close(&csv);
}
END_TEST

START_TEST(test_integer)
{
	struct csv_reader csv;
	int64_t number;
	open_text(&csv, "x,y,z\n-12,3.00,999999999999999999\n1,2.5,3\n");
	ck_assert(csv_next(&csv));
	ck_assert(csv_integer(&csv, 0, &number));
	ck_assert_int_eq(number, -12);
	ck_assert(csv_integer(&csv, 1, &number));
	ck_assert_int_eq(number, 3);
	ck_assert(csv_integer(&csv, 2, &number));
	ck_assert_int_eq(number, INT64_C(999999999999999999));
	ck_assert(csv_next(&csv));
	ck_assert(!csv_integer(&csv, 1, &number));
	ck_assert_str_eq(csv.error + strlen(path),
			 ":3: y: '2.5' is not a whole number");
	csv_close(&csv);
}
END_TEST

START_TEST(test_out_of_range)
{
	struct csv_reader csv;
	int64_t us;
	open_text(&csv, "x\n10000000000000\n");
	ck_assert(csv_next(&csv));
	ck_assert(!csv_microseconds(&csv, 0, &us));
	ck_assert_ptr_nonnull(strstr(csv.error, "is out of range"));
	csv_close(&csv);
}
END_TEST

/* A long table: rows grow past every first guess of a buffer. */
START_TEST(test_long)
{
	enum {
		ROWS = 300,
		LONGEST = 5000
	};
	make_file("", 0);
	FILE *file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fputs("n,text\n", file);
	for (int i = 0; i < ROWS; i++) {
		fprintf(file, "%d,", i);
		for (int j = 0; j < i * LONGEST / ROWS; j++)
			fputc('a' + j % 26, file);
		fputc('\n', file);
	}
	fclose(file);
	struct csv_reader csv;
	ck_assert(csv_open(&csv, path));
	unlink(path);
	for (int i = 0; i < ROWS; i++) {
		int64_t n;
		ck_assert(csv_next(&csv));
		ck_assert(csv_integer(&csv, 0, &n));
		ck_assert_int_eq(n, i);
		ck_assert_uint_eq(strlen(csv_text(&csv, 1)),
				  (size_t)(i * LONGEST / ROWS));
	}
	ck_assert(!csv_next(&csv));
	ck_assert_str_eq(csv.error, "");
	csv_close(&csv);
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

Suite *
csv_read_suite(void)
{
	Suite *suite = suite_create("csv_read");
	TCase *rows = tcase_create("rows");
	tcase_add_test(rows, test_plain);
	tcase_add_test(rows, test_quotes);
	tcase_add_test(rows, test_byte_order_mark);
	tcase_add_test(rows, test_last_line);
	tcase_add_test(rows, test_errors);
	tcase_add_test(rows, test_zero_byte);
	tcase_add_test(rows, test_no_file);
	tcase_add_test(rows, test_no_column);
	tcase_add_test(rows, test_packed);
	tcase_add_test(rows, test_packed_cut_off);
	tcase_add_test(rows, test_long);
	suite_add_tcase(suite, rows);
	TCase *values = tcase_create("numbers");
	tcase_add_loop_test(values, test_double, 0, COUNT(numbers));
	tcase_add_loop_test(values, test_no_double, 0, COUNT(no_numbers));
	tcase_add_test(values, test_missing_number);
	tcase_add_loop_test(values, test_microseconds, 0, COUNT(times));
	tcase_add_test(values, test_integer);
	tcase_add_test(values, test_out_of_range);
	suite_add_tcase(suite, values);
	return suite;
}
