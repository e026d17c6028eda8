/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is wrong with an input, collected and then said all at once.
 *
 * A reader notes each complaint with its place and goes on; the caller prints
 * them sorted by place when reading is over. A complaint is printed as
 *
 *     FILE:LINE:COLUMN: PATH: MESSAGE
 *         7 | the line as it stands in the file
 *           |     ^
 *
 * Lines and columns count from 1, columns in characters. A text that came from
 * the command line has neither lines nor a caret. Not for errors of the
 * program: those are assertions.
 */
#ifndef SIM_COMPLAINT_H
#define SIM_COMPLAINT_H

#include <stddef.h>
#include <stdio.h>

/* A text that places point into. Must outlive them. */
struct source_text {
	const char *name; /* borrowed; as the user gave it; printed */
	const char *text; /* NULL: no lines to show */
	size_t size;	  /* bytes */
	int rank;	  /* order of printing among several texts */
	size_t *lines;	  /* owned: where each line starts, or NULL */
	size_t line_count;
	char *owned; /* the text, or NULL: it belongs to somebody else */
};

/* A place in a text. `source` NULL: of no text. */
struct place {
	struct source_text *source; /* borrowed */
	int line;		    /* from 1; 0: the text as a whole */
	int column;		    /* from 1, in characters */
};

/* Holds copies only: it outlives the text that it is about. */
struct complaint {
	char *name; /* owned; of the text */
	int rank;   /* of the text */
	int line;   /* as in struct place */
	int column;
	char *excerpt;	 /* owned; the line, printable; or NULL */
	int caret;	 /* column in the excerpt, from 1 */
	char *path;	 /* owned; "mta.in_flow_delay", or "" */
	char *message;	 /* owned */
	size_t sequence; /* order of noting, the last resort */
};

struct complaints {
	struct complaint *list; /* owned */
	size_t count;
	size_t room;
};

/* Free what a source owns: its index of lines, and the text if it does. */
void source_text_release(struct source_text *source);

void complaints_init(struct complaints *all);

void complaints_release(struct complaints *all);

/* Note one. `path` may be NULL or empty; texts are copied. */
void
complaints_add(struct complaints *all, struct place at, const char *path,
	       const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Print all, by place; each place and message once. */
void complaints_print(struct complaints *all, FILE *out);

#endif
