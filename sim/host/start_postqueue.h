/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A start from the output of `postqueue -j`: one JSON object a line. Members
 * that we do not know are ignored, as newer releases add some.
 */
#ifndef SIM_START_POSTQUEUE_H
#define SIM_START_POSTQUEUE_H

#include "mta/types.h"
#include "sim/scenario/scenario.h"

struct world;
struct world_options;

/* A mail to be put in place. */
struct start_letter {
	enum mta_queue queue;
	mta_addr sender;
	const mta_addr *recipients; /* borrowed */
	uint32_t recipient_count;   /* >= 1 */
	uint32_t size_bytes;
	mta_time arrival;
	mta_span due_after;	  /* from now; MTA_NEVER: by its age */
	bool is_forced_to_expire; /* postsuper -e (F5.10) */
};

void start_one(struct world *w, const struct start_letter *l);

/*
 * The newest arrival of the listing is taken to be the beginning of the run, or
 * a second before; all others keep their distance from it. False:
 * options->error says what is wrong, "PATH:LINE: what".
 */
bool start_postqueue(struct world *w, const char *path, uint32_t source,
		     struct world_options *options);

/* Is the rest of what is to be read, or put in place, not wanted? */
bool start_is_given_up(const struct world_options *options);

#endif
