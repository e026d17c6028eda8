/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What each destination did in a run, told by destinations.csv: how busy it
 * kept the agents, and when it died and came back. For the pictures that
 * choose among destinations or mark their deaths.
 */
#ifndef SIM_PLOT_DEST_H
#define SIM_PLOT_DEST_H

#include "sim/base/csv_read.h"
#include "sim/base/name_index.h"
#include "sim/plot/plot_job.h"

/* What one destination did. */
struct dest_story {
	char *name;	 /* owned; of the destination */
	char *transport; /* owned */
	char *key;	 /* owned; both, as the index knows it */
	double at_s;	 /* of the last row */
	double busy;	 /* of the last row */
	double busy_s;	 /* integral of busy: what it took of the agents */
	double deferred_most;
	double delivered; /* of the last row */
	bool dead;	  /* now */
	long deaths;
	double died_s;	       /* first death */
	double back_s;	       /* return that lasted so far; NaN: none */
	double back_delivered; /* when it returned */
};

struct dest_stories {
	struct dest_story *list; /* owned */
	size_t count;
	size_t room;
	struct name_index index;
};

/* Bytes of a key, with its NUL. */
enum {
	DEST_KEY_BYTES = 600
};

/* The name of a destination in the index: transport and destination. */
void dest_key(const char *transport, const char *name, char *key, size_t size);

/* Is it the sum of those that the table does not name? */
bool dest_is_sum(const struct dest_story *story);

/* Read them all, in order of appearance, into stories that are empty. */
enum plot_result
dest_read_stories(struct plot_job *job, struct dest_stories *all);

void dest_release_stories(struct dest_stories *all);

/* Close a table of ours; an unfinished line means that it was cut off. */
enum plot_result dest_end_table(struct plot_job *job, struct csv_reader *csv);

#endif
