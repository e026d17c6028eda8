/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A trace of submissions: a CSV file with the columns time_s, sender,
 * recipients (separated by blanks) and size_bytes, gzip'ed or not. Rows are
 * taken in the order of their times; equal times keep the order of the file.
 *
 * The whole file is kept in memory: a row, its recipients' handles, its sender.
 */
#ifndef SIM_TRACE_FILE_H
#define SIM_TRACE_FILE_H

#include "mta/types.h"
#include "sim/host/book.h"
#include "sim/base/complaint.h"

struct trace_row {
	int64_t time_us;
	mta_addr sender;
	uint32_t first_recipient; /* in the file's recipients */
	uint32_t recipient_count; /* >= 1 */
	uint32_t size_bytes;
	uint32_t number; /* of the row in the file, from 0 */
};

struct trace_file {
	struct trace_row *rows; /* by time */
	size_t count;
	size_t capacity;
	mta_addr *recipients;
	size_t recipient_count;
	size_t recipient_capacity;
};

enum {
	TRACE_FILE_ERROR = 600 /* bytes of a text that says what went wrong */
};

struct trace_file_reading {
	bool (*is_interrupted)(void); /* is the rest not wanted? NULL: it is */
	char error[TRACE_FILE_ERROR]; /* "PATH:LINE: what", when it failed */
};

/* Read a file; addresses are put into the book as those of source `source`.
 * NULL: what is wrong stands in reading->error. */
struct trace_file *
trace_file_load(const char *path, struct book *book, uint32_t source,
		struct trace_file_reading *reading);
void trace_file_free(struct trace_file *t); /* NULL is fine */

#endif
