/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writing CSV tables, fast: no printf in a row. Whole numbers, seconds with six
 * decimals, plain decimals, texts in quotes where they need them. The file is
 * written beside its place (NAME.part) and renamed when it is whole; the first
 * error of the system is kept and told at the end.
 *
 *	struct table_out t;
 *	table_out_open(&t, dir, "series.csv", "time_s,active");
 *	table_out_seconds(&t, now_us);
 *	table_out_integer(&t, count);
 *	table_out_end_row(&t);
 *	if (!table_out_close(&t)) complain(t.error);
 */
#ifndef SIM_TABLE_OUT_H
#define SIM_TABLE_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table_out {
	int fd;		 /* -1: not open, or given up */
	char *path;	 /* owned; where it will be */
	char *part;	 /* owned; where it is written */
	char *buffer;	 /* owned */
	size_t used;	 /* bytes of buffer */
	uint64_t rows;	 /* ended so far, without the header */
	bool has_fields; /* of the present row */
	char error[512]; /* "cannot write 'PATH': why", or empty */
};

/* dir, name, header: copied. False: t->error says why; every later call is
 * allowed and does nothing. */
bool table_out_open(struct table_out *t, const char *dir, const char *name,
		    const char *header);

void table_out_integer(struct table_out *t, int64_t number);
/* Microseconds as seconds with six decimals. */
void table_out_seconds(struct table_out *t, int64_t us);
/* Up to nine decimals, rounded half away from zero, trailing zeros left out.
 * Empty when it is no number or beyond 9e9. */
void table_out_decimal(struct table_out *t, double number);
void table_out_text(struct table_out *t, const char *text);
void table_out_empty(struct table_out *t);
void table_out_end_row(struct table_out *t);

/* Write what is left and rename. False: t->error says why, and neither file is
 * left behind. Frees all; the error stays readable. */
bool table_out_close(struct table_out *t);
/* Free all and remove the unfinished file. */
void table_out_drop(struct table_out *t);

/* Digits of a number at `at`, which has room for 20; returns their end. */
char *table_out_put_integer(char *at, int64_t number);

#endif
