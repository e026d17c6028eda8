/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading a trace and keeping it. A mistake in the file ends the reading with
 * its line; the scenario is refused then, so nothing half-read is ever used.
 */
#include "sim/host/trace_file.h"

#include "mta/panic.h"
#include "sim/base/csv_read.h"
#include "sim/base/value.h"

struct columns {
	int time;
	int sender;
	int recipients;
	int size;
};

static void
recipient_add(struct trace_file *t, mta_addr address)
{
	if (t->recipient_count == t->recipient_capacity) {
		t->recipient_capacity = t->recipient_capacity * 2 + 64;
		t->recipients =
			mta_realloc(t->recipients, t->recipient_capacity,
				    sizeof(*t->recipients));
	}
	t->recipients[t->recipient_count++] = address;
}

/* Addresses separated by blanks; each must have a domain. */
static bool
recipients_add(struct trace_file *t, struct book *book, struct csv_reader *csv,
	       const char *list, struct trace_row *row)
{
	char address[MTA_ADDR_TEXT_MAX];

	row->first_recipient = (uint32_t)t->recipient_count;
	for (list += strspn(list, " "); *list; list += strspn(list, " ")) {
		size_t n = strcspn(list, " ");

		if (n >= sizeof(address))
			return csv_fail(csv, "address longer than %d bytes",
					MTA_ADDR_TEXT_MAX - 1);
		memcpy(address, list, n);
		address[n] = '\0';
		if (!strchr(address, '@'))
			return csv_fail(csv, "recipient '%s' has no @domain",
					address);
		recipient_add(t, book_literal(book, address));
		row->recipient_count++;
		list += n;
	}
	if (row->recipient_count == 0)
		return csv_fail(csv, "a row needs at least one recipient");
	return true;
}

/* As a time in a scenario: neither further away, nor of another beginning, as
 * seconds since 1970 would be. */
static bool
time_read(struct csv_reader *csv, int column, int64_t *us)
{
	if (!csv_microseconds(csv, column, us))
		return false;
	if (*us <= VALUE_TIME_MOST_US && *us >= -VALUE_TIME_MOST_US)
		return true;
	return csv_fail(csv,
			"%s: '%.40s' is more than 30 years away; it counts "
			"from the beginning of the run",
			csv_name(csv, column), csv_text(csv, column));
}

static bool
row_add(struct trace_file *t, struct book *book, struct csv_reader *csv,
	const struct columns *c, uint32_t family)
{
	struct trace_row row = {.number = (uint32_t)t->count};
	int64_t size;

	if (!time_read(csv, c->time, &row.time_us) ||
	    !csv_integer(csv, c->size, &size))
		return false;
	if (size < 0 || size > UINT32_MAX)
		return csv_fail(csv, "size_bytes %lld is out of range",
				(long long)size);
	row.size_bytes = (uint32_t)size;
	if (!recipients_add(t, book, csv, csv_text(csv, c->recipients), &row))
		return false;
	row.sender = book_add_row(book, family, csv_text(csv, c->sender));
	if (t->count == t->capacity) {
		t->capacity = t->capacity * 2 + 64;
		t->rows = mta_realloc(t->rows, t->capacity, sizeof(*t->rows));
	}
	t->rows[t->count++] = row;
	return true;
}

static int
compare_rows(const void *va, const void *vb)
{
	const struct trace_row *a = va;
	const struct trace_row *b = vb;

	if (a->time_us != b->time_us)
		return a->time_us < b->time_us ? -1 : 1;
	return a->number < b->number ? -1 : a->number > b->number;
}

static bool
trace_read(struct trace_file *t, struct book *book, struct csv_reader *csv,
	   uint32_t source, const struct trace_file_reading *reading)
{
	uint32_t family = book_add_rows(book, source);
	struct columns c;

	if (!csv_find(csv, "time_s", &c.time) ||
	    !csv_find(csv, "sender", &c.sender) ||
	    !csv_find(csv, "recipients", &c.recipients) ||
	    !csv_find(csv, "size_bytes", &c.size))
		return false;
	while (csv_next(csv)) {
		if (!row_add(t, book, csv, &c, family))
			return false;
		if (reading->is_interrupted && reading->is_interrupted())
			return csv_fail(csv, "interrupted");
	}
	return csv->error[0] == '\0';
}

struct trace_file *
trace_file_load(const char *path, struct book *book, uint32_t source,
		struct trace_file_reading *reading)
{
	struct trace_file *t = mta_alloc(1, sizeof(*t));
	struct csv_reader csv;
	bool is_read;

	is_read = csv_open(&csv, path) &&
		  trace_read(t, book, &csv, source, reading);
	if (!is_read)
		snprintf(reading->error, sizeof(reading->error), "%s",
			 csv.error);
	csv_close(&csv);
	if (!is_read) {
		trace_file_free(t);
		return NULL;
	}
	if (t->count > 1)
		qsort(t->rows, t->count, sizeof(*t->rows), compare_rows);
	return t;
}

void
trace_file_free(struct trace_file *t)
{
	if (!t)
		return;
	free(t->rows);
	free(t->recipients);
	free(t);
}
