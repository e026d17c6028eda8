/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Work in processes of its own: each piece in a child made by fork, so many at
 * a time, and what came of them told in order of their numbers, however long
 * each took. So output does not depend on how many work at once, and a piece
 * that crashes takes nothing with it.
 *
 * A child may write what it found to `out`; what it says on stderr is caught.
 * Both reach the parent as bytes. SIGINT or SIGTERM to the parent is passed on
 * to the children, no further ones are started, and those at work are waited
 * for; a second one kills them.
 */
#ifndef SIM_JOBS_H
#define SIM_JOBS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* How a piece of work ended. */
struct job_end {
	int code;   /* the child's exit code; -1: it crashed */
	int signal; /* that ended it, or 0 */
	char *out;  /* owned by jobs; what it wrote, a NUL behind it */
	size_t out_size;
	char *said; /* owned by jobs; its stderr */
	size_t said_size;
};

struct jobs {
	uint32_t count;
	uint32_t at_once; /* at least 1 */
	/* In the child; the answer is its exit code. */
	int (*work)(struct jobs *jobs, uint32_t index, FILE *out);
	/* In the parent, for 0, 1, 2, ... in this order. Pieces that were not
	 * begun because of a signal are not told. */
	void (*done)(struct jobs *jobs, uint32_t index,
		     const struct job_end *end);
};

/* 0, the signal that interrupted, or -1: the system gave no process or file;
 * then stderr has been told. */
int jobs_run(struct jobs *jobs);

#endif
