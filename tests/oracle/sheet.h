/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A table from a CSV file, plain or gzip-compressed (NAME or NAME.gz), with one
 * header line; columns are found by name. Fields hold no quotes, except that a
 * quoted last field may hold commas. The whole file is in memory and belongs to
 * the table.
 */
#ifndef TESTS_ORACLE_SHEET_H
#define TESTS_ORACLE_SHEET_H

#include <stdbool.h>
#include <stddef.h>

struct sheet {
	char *text;
	char **fields; /* rows x columns, row by row, without the header */
	char **names;
	size_t columns;
	size_t rows;
	size_t file_rows_bad; /* rows with too few fields: a torn table */
};

/* False when neither DIR/NAME nor DIR/NAME.gz can be read, or it has no header.
 */
bool sheet_read(struct sheet *t, const char *dir, const char *name);

void sheet_release(struct sheet *t);

/* A field as text; "" when the table lacks the column. */
const char *sheet_text(const struct sheet *t, size_t row, const char *column);

double sheet_number(const struct sheet *t, size_t row, const char *column);

bool sheet_has(const struct sheet *t, const char *column);

#endif
