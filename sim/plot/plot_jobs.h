/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Deliveries of a run, told by attempts.csv, job by job: a job is a mail in one
 * stay in the active queue, in one transport. For the picture of a large one
 * and of those that went before it.
 */
#ifndef SIM_PLOT_JOBS_H
#define SIM_PLOT_JOBS_H

#include "sim/base/name_index.h"
#include "sim/plot/plot_job.h"

/* Each different name once. */
struct names {
	char **list; /* owned, and the names */
	size_t count;
	size_t room;
	struct name_index index;
};

/* One request to an agent, of one recipient or more. */
struct delivery {
	double start; /* handed to an agent */
	double end;
	double active;	   /* when the mail came to active */
	double before;	   /* from its arrival until then: one for each stay */
	int64_t batch;	   /* in order of handing out */
	int64_t message;   /* of all */
	int64_t of_source; /* of those of its source */
	size_t source;
	size_t transport;
};

/* What a job is to the large one. */
enum role {
	ROLE_OTHER, /* of another transport or time, or older */
	ROLE_LARGE,
	ROLE_AHEAD, /* went before it */
};

struct job {
	const struct delivery *first; /* handed out; borrowed */
	size_t count;		      /* of deliveries, which stand together */
	double end;		      /* of all of them */
	enum role role;
};

struct jobs {
	struct delivery *deliveries; /* owned; job by job */
	size_t delivery_count;
	size_t delivery_room;
	struct job *list; /* owned; by first delivery */
	size_t count;
	struct names sources;
	struct names transports;
	const struct job *large; /* borrowed from list */
	size_t ahead;		 /* so many went before it */
	size_t rows;		 /* so many of them are shown */
	double from;		 /* what is drawn */
	double to;
};

/* What the parameters of a transport say (R-PREEMPT-ALLOWED). */
struct slot_law {
	double cost, loan, discount, minimum;
};

/* Read attempts.csv into jobs that are empty. */
enum plot_result plot_jobs_read(struct plot_job *job, struct jobs *jobs);

/* Choose the large job and those that went before it; false: there is none. */
bool plot_jobs_choose(const struct plot_run *run, struct jobs *jobs);

void plot_jobs_release(struct jobs *jobs);

struct slot_law plot_jobs_law(const struct plot_run *run,
			      const struct jobs *jobs, const struct job *j);

#endif
