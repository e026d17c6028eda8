/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * libFuzzer target: any bytes as a table (CSV, or packed by gzip). A row has
 * the fields of the header, lines only grow, after an error there is no row; a
 * field that is a whole number is one in either way of reading it.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/csv_read.h"

/* A double has all whole numbers up to here. */
#define EXACT (INT64_C(1) << 53)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
want(bool truth)
{
	if (!truth)
		abort();
}

static void
put(const char *path, const uint8_t *data, size_t size)
{
	FILE *out = fopen(path, "w");

	want(out != NULL);
	want(fwrite(data, 1, size, out) == size);
	want(fclose(out) == 0);
}

/* An error ends the reading, so one field is taken in one way a row. */
static void
read_field(struct csv_reader *csv, int column)
{
	double number = 0;
	int64_t whole = 0;

	want(csv_text(csv, column) != NULL);
	switch ((csv->line + column) % 3) {
	case 0:
		want(csv_double(csv, column, &number) == !csv->error[0]);
		break;
	case 1:
		if (csv_integer(csv, column, &whole) && whole > -EXACT &&
		    whole < EXACT)
			want(csv_double(csv, column, &number) &&
			     number == (double)whole);
		break;
	default:
		want(csv_microseconds(csv, column, &whole) == !csv->error[0]);
		break;
	}
}

static void
read_rows(struct csv_reader *csv)
{
	long line = csv->line;

	while (csv_next(csv)) {
		want(!csv->error[0] && csv->line > line);
		line = csv->line;
		for (size_t i = 0; i < csv->columns && !csv->error[0]; i++)
			read_field(csv, (int)i);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char path[] = "table.csv";
	struct csv_reader csv;

	put(path, data, size);
	if (csv_open(&csv, path)) {
		for (size_t i = 0; i < csv.columns; i++)
			want(csv_column(&csv, csv_name(&csv, (int)i)) ==
			     (int)i);
		read_rows(&csv);
	} else {
		want(strncmp(csv.error, path, strlen(path)) == 0);
	}
	csv_close(&csv);
	return 0;
}
