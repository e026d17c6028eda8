/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading a CSV table row by row, its columns found by name: our own results,
 * recordings, and tables that users bring (a trace of arrivals). A file that
 * gzip has packed is read as if it were not.
 *
 * One header line; commas; fields may stand in double quotes, a quote inside
 * written twice; lines end in LF or CRLF. A row that has another number of
 * fields than the header is an error, and so is a column named twice. Numbers
 * are plain decimals, whatever the locale says.
 *
 *	struct csv_reader csv;
 *	if (!csv_open(&csv, path) || !csv_find(&csv, "time_s", &time))
 *		complain(csv.error);
 *	while (csv_next(&csv)) ...
 *	if (csv.error[0]) complain(csv.error);
 *	csv_close(&csv);
 *
 * After an error every further call fails with the first error kept.
 */
#ifndef SIM_CSV_READ_H
#define SIM_CSV_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct csv_reader {
	void *file;	   /* owned; a gzFile */
	char *path;	   /* owned; as given */
	char *header;	   /* owned; the names, each ended by NUL */
	char *row;	   /* owned; the fields, each ended by NUL */
	size_t row_room;   /* bytes */
	size_t row_used;   /* bytes */
	size_t *names;	   /* owned; where each name starts in header */
	size_t *fields;	   /* owned; where each field starts in row */
	size_t columns;	   /* of the header */
	size_t field_room; /* places in fields */
	long line;	   /* where the row began, from 1 */
	long next_line;	   /* where the next one begins */
	bool unfinished;   /* the last row had no end of line */
	char error[512];   /* "PATH:LINE: what", or empty */
};

/*
 * Open a table and read its header. False: csv->error says why, and
 * csv_close() may be called but need not. `path` is copied.
 */
bool csv_open(struct csv_reader *csv, const char *path);

/* Free everything; the error text stays readable. */
void csv_close(struct csv_reader *csv);

/* The place of a column, or -1. */
int csv_column(const struct csv_reader *csv, const char *name);

/* The same where the column must be there; else false and an error. */
bool csv_find(struct csv_reader *csv, const char *name, int *column);

/* Name of a column; borrowed until csv_close(). */
const char *csv_name(const struct csv_reader *csv, int column);

/*
 * Go to the next row. False at the end, and when csv->error is set. Empty
 * lines are passed over. csv->unfinished says after the end that the last row
 * had no end of line: a sign of a file cut off, if the writer always ends its
 * lines.
 */
bool csv_next(struct csv_reader *csv);

/* A field of the row; borrowed until csv_next(). */
const char *csv_text(const struct csv_reader *csv, int column);

/*
 * A field as a number. False, and an error with line and column name, when it
 * is no decimal. Digits beyond the eighteenth are not looked at.
 */
bool csv_double(struct csv_reader *csv, int column, double *number);

/* The same for a whole number; a fraction or an overflow is an error. */
bool csv_integer(struct csv_reader *csv, int column, int64_t *number);

/*
 * A field in seconds as whole microseconds, exact, halves away from zero;
 * outside of +-292,000 years an error.
 */
bool csv_microseconds(struct csv_reader *csv, int column, int64_t *us);

/*
 * Set an error about the present row: "PATH:LINE: what". Returns false. For
 * callers that find a value they cannot use.
 */
bool csv_fail(struct csv_reader *csv, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
