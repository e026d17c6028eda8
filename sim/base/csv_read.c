/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The reader keeps one row: its bytes, with every field ended by NUL, and
 * where each field starts. A row is read character by character through one
 * small automaton, since a quoted field may hold commas and line ends.
 *
 * Numbers are scanned into an integer and a power of ten, not by strtod():
 * its decimal point is the locale's, it takes "nan" and "0x10", and a time in
 * microseconds must be exact.
 */
#include "sim/base/csv_read.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "sim/base/arena.h"

enum {
	ROW_BYTES_MAX = 1 << 26, /* a list of recipients may be long */
	BUFFER_BYTES = 1 << 16,
	DIGITS_MAX = 18, /* what an int64_t surely holds */
	PLACES_MAX = 22, /* 10^22 is exact in a double */
};

/* A decimal: mantissa / 10^places. */
struct decimal {
	int64_t mantissa;
	int places; /* digits after the point */
};

bool
csv_fail(struct csv_reader *csv, const char *format, ...)
{
	if (csv->error[0])
		return false;
	const char *path = csv->path ? csv->path : "";
	/* Of a very long path the end tells more. */
	size_t length = strlen(path);
	const char *shown = length > 250 ? path + length - 250 : path;
	int n = csv->line > 0 ? snprintf(csv->error, sizeof(csv->error),
					 "%s:%ld: ", shown, csv->line)
			      : snprintf(csv->error, sizeof(csv->error),
					 "%s: ", shown);
	if (n < 0 || (size_t)n >= sizeof(csv->error))
		return false;
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(csv->error + n, sizeof(csv->error) - (size_t)n, format,
		  arguments);
	va_end(arguments);
	return false;
}

static void
row_put(struct csv_reader *csv, char c)
{
	if (csv->row_used == csv->row_room) {
		csv->row_room = csv->row_room ? csv->row_room * 2 : 256;
		csv->row = memory_resize(csv->row, csv->row_room, 1);
	}
	csv->row[csv->row_used++] = c;
}

/* End the field that began at `start`, the `count`th of the row. */
static void
row_end_field(struct csv_reader *csv, size_t start, size_t count)
{
	row_put(csv, '\0');
	if (count >= csv->field_room) {
		csv->field_room = csv->field_room ? csv->field_room * 2 : 32;
		csv->fields = memory_resize(csv->fields, csv->field_room,
					    sizeof(*csv->fields));
	}
	csv->fields[count] = start;
}

/* Where the automaton stands within a row. */
enum csv_state {
	CSV_START,  /* of a field */
	CSV_PLAIN,  /* in a field without quotes */
	CSV_QUOTED, /* between quotes */
	CSV_QUOTE,  /* behind a quote that ends the field, or is doubled */
};

/* What a character meant. */
enum csv_step {
	CSV_MORE,
	CSV_FIELD_ENDS,
	CSV_ROW_ENDS,
	CSV_STEP_BAD
};

static enum csv_step
step_quoted(struct csv_reader *csv, enum csv_state *state, int c)
{
	if (c == '"') {
		*state = CSV_QUOTE;
		return CSV_MORE;
	}
	if (c == '\n')
		csv->next_line++;
	row_put(csv, (char)c);
	return CSV_MORE;
}

static enum csv_step
step(struct csv_reader *csv, enum csv_state *state, int c)
{
	if (c == '\0') {
		csv_fail(csv, "holds a byte 0; is this a text file?");
		return CSV_STEP_BAD;
	}
	if (*state == CSV_QUOTED)
		return step_quoted(csv, state, c);
	if (c == '"' && *state != CSV_PLAIN) {
		/* A quote behind a quote stands for itself. */
		if (*state == CSV_QUOTE)
			row_put(csv, '"');
		*state = CSV_QUOTED;
		return CSV_MORE;
	}
	if (c == ',')
		return CSV_FIELD_ENDS;
	if (c == '\n') {
		csv->next_line++;
		return CSV_ROW_ENDS;
	}
	if (*state == CSV_QUOTE && c != '\r') {
		csv_fail(csv, "text behind the quote that ends a field");
		return CSV_STEP_BAD;
	}
	if (*state == CSV_START)
		*state = CSV_PLAIN;
	row_put(csv, (char)c);
	return CSV_MORE;
}

/* A row ended in CRLF has the CR in its last field. */
static void
row_drop_cr(struct csv_reader *csv, size_t start)
{
	if (csv->row_used > start && csv->row[csv->row_used - 1] == '\r')
		csv->row_used--;
}

/* What the library said about the end of the input; true if it was fair. */
static bool
check_end(struct csv_reader *csv, enum csv_state state)
{
	int code = Z_OK;
	const char *text = gzerror(csv->file, &code);
	if (code == Z_BUF_ERROR)
		return csv_fail(csv, "the file is cut off");
	if (code != Z_OK && code != Z_STREAM_END)
		return csv_fail(csv, "cannot read: %s", text);
	if (state == CSV_QUOTED)
		return csv_fail(csv, "the file ends within quotes");
	return true;
}

/*
 * Read one row into row[] and fields[]. The number of fields, or 0 at the end
 * of the file and after an error. An empty line is one empty field.
 */
static size_t
read_row(struct csv_reader *csv)
{
	enum csv_state state = CSV_START;
	size_t count = 0;
	size_t start = 0;
	csv->row_used = 0;
	csv->line = csv->next_line;
	for (;;) {
		int c = gzgetc((gzFile)csv->file);
		if (c < 0) {
			if (!check_end(csv, state))
				return 0;
			if (count == 0 && state == CSV_START)
				return 0;
			csv->unfinished = true;
			break;
		}
		enum csv_step what = step(csv, &state, c);
		if (what == CSV_STEP_BAD)
			return 0;
		if (what == CSV_ROW_ENDS)
			break;
		if (what == CSV_FIELD_ENDS) {
			row_end_field(csv, start, count++);
			start = csv->row_used;
			state = CSV_START;
		}
		if (csv->row_used > ROW_BYTES_MAX) {
			csv_fail(csv, "a row of more than 64 MiB");
			return 0;
		}
	}
	row_drop_cr(csv, start);
	row_end_field(csv, start, count++);
	return count;
}

/* Make the row that was read the header. */
static bool
take_header(struct csv_reader *csv, size_t count)
{
	static const char mark[] = "\xef\xbb\xbf"; /* UTF-8, says a Windows */
	csv->header = memory_array(csv->row_used, 1);
	memcpy(csv->header, csv->row, csv->row_used);
	csv->names = memory_array(count, sizeof(*csv->names));
	memcpy(csv->names, csv->fields, count * sizeof(*csv->names));
	csv->columns = count;
	if (!strncmp(csv->header, mark, strlen(mark)))
		csv->names[0] += strlen(mark);
	for (size_t i = 0; i < count; i++) {
		const char *name = csv_name(csv, (int)i);
		if (csv_column(csv, name) != (int)i)
			return csv_fail(
				csv, "two columns have the name '%.80s'", name);
	}
	return true;
}

bool
csv_open(struct csv_reader *csv, const char *path)
{
	*csv = (struct csv_reader){.path = memory_text(path), .next_line = 1};
	csv->file = gzopen(path, "rb");
	if (!csv->file) {
		csv_fail(csv, "cannot open the file");
		csv_close(csv);
		return false;
	}
	gzbuffer(csv->file, BUFFER_BYTES);
	size_t count = read_row(csv);
	if (count == 0 || (count == 1 && !csv->row[0]))
		csv_fail(csv, "the file is empty; a line with the names of "
			      "the columns is wanted");
	else if (count > INT_MAX)
		csv_fail(csv, "too many columns");
	if (csv->error[0] || !take_header(csv, count)) {
		csv_close(csv);
		return false;
	}
	return true;
}

void
csv_close(struct csv_reader *csv)
{
	if (csv->file)
		gzclose(csv->file);
	free(csv->path);
	free(csv->header);
	free(csv->row);
	free(csv->names);
	free(csv->fields);
	csv->file = NULL;
	csv->path = csv->header = csv->row = NULL;
	csv->names = csv->fields = NULL;
	csv->columns = csv->row_room = csv->field_room = 0;
}

const char *
csv_name(const struct csv_reader *csv, int column)
{
	return csv->header + csv->names[column];
}

int
csv_column(const struct csv_reader *csv, const char *name)
{
	for (size_t i = 0; i < csv->columns; i++) {
		if (!strcmp(csv_name(csv, (int)i), name))
			return (int)i;
	}
	return -1;
}

bool
csv_find(struct csv_reader *csv, const char *name, int *column)
{
	*column = csv_column(csv, name);
	if (*column >= 0)
		return true;
	csv->line = 1;
	return csv_fail(csv, "there is no column '%s'", name);
}

bool
csv_next(struct csv_reader *csv)
{
	size_t count;
	if (csv->error[0] || !csv->file)
		return false;
	do {
		count = read_row(csv);
		if (count == 0)
			return false;
	} while (count == 1 && csv->columns > 1 && !csv->row[0]);
	if (count == csv->columns)
		return true;
	return csv_fail(csv, "%zu fields, but the header has %zu%s", count,
			csv->columns,
			csv->unfinished ? "; the file is cut off" : "");
}

const char *
csv_text(const struct csv_reader *csv, int column)
{
	return csv->row + csv->fields[column];
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Read the whole of a text as a decimal. */
static bool
scan_decimal(const char *text, struct decimal *out)
{
	int digits = 0;
	int places = 0;
	int64_t mantissa = 0;
	bool point = false;
	bool any = false;
	const char *p = *text == '-' ? text + 1 : text;
	for (; is_digit(*p) || (*p == '.' && !point); p++) {
		if (*p == '.') {
			point = true;
			continue;
		}
		any = true;
		if (digits == DIGITS_MAX || places == PLACES_MAX) {
			if (!point)
				return false; /* too large for an int64_t */
			continue;
		}
		mantissa = mantissa * 10 + (*p - '0');
		digits += mantissa > 0;
		places += point;
	}
	if (*p || !any)
		return false;
	out->mantissa = *text == '-' ? -mantissa : mantissa;
	out->places = places;
	return true;
}

static bool
field_decimal(struct csv_reader *csv, int column, struct decimal *out)
{
	const char *text = csv_text(csv, column);
	if (scan_decimal(text, out))
		return true;
	return csv_fail(csv, "%s: %s%.40s%s", csv_name(csv, column),
			*text ? "'" : "", text,
			*text ? "' is not a number" : "a number is missing");
}

bool
csv_double(struct csv_reader *csv, int column, double *number)
{
	static const double powers[] = {1e0,  1e1,  1e2,  1e3,	1e4,  1e5,
					1e6,  1e7,  1e8,  1e9,	1e10, 1e11,
					1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
					1e18, 1e19, 1e20, 1e21, 1e22};
	struct decimal d = {0};
	if (!field_decimal(csv, column, &d))
		return false;
	*number = (double)d.mantissa / powers[d.places];
	return true;
}

bool
csv_integer(struct csv_reader *csv, int column, int64_t *number)
{
	struct decimal d = {0};
	if (!field_decimal(csv, column, &d))
		return false;
	while (d.places > 0 && d.mantissa % 10 == 0) {
		d.mantissa /= 10;
		d.places--;
	}
	if (d.places > 0)
		return csv_fail(csv, "%s: '%.40s' is not a whole number",
				csv_name(csv, column), csv_text(csv, column));
	*number = d.mantissa;
	return true;
}

bool
csv_microseconds(struct csv_reader *csv, int column, int64_t *us)
{
	enum {
		PLACES = 6
	};
	struct decimal d = {0};
	if (!field_decimal(csv, column, &d))
		return false;
	for (; d.places > PLACES + 1; d.places--)
		d.mantissa /= 10;
	if (d.places == PLACES + 1) {
		d.mantissa += d.mantissa < 0 ? -5 : 5;
		d.mantissa /= 10;
		d.places--;
	}
	for (; d.places < PLACES; d.places++) {
		if (d.mantissa > INT64_MAX / 10 || d.mantissa < INT64_MIN / 10)
			return csv_fail(csv, "%s: '%.40s' is out of range",
					csv_name(csv, column),
					csv_text(csv, column));
		d.mantissa *= 10;
	}
	*us = d.mantissa;
	return true;
}
