/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `mtasim step`: a run event by event. Each event is a line (time, who, what,
 * the queues, the flow tokens, whose turn it is, the destination) and, below
 * it, a sentence that says why. In a terminal one event at a time: next, next
 * of the same kind, back (the run is made again up to the event before), quit.
 */
#ifndef SIM_STEP_H
#define SIM_STEP_H

#include <stdio.h>

#include "mta/trace.h"
#include "sim/host/world.h"

/* The command; argv[0] is its name. The exit code. */
int step_main(int argc, char **argv);

/* step_text.c: an event as text. out: two lines and their ends. */
void step_print(FILE *out, struct world *w, enum mta_trace_kind kind,
		const void *record);
/* When it was; whose mail it is about, or -1. */
mta_time step_time(const void *record);
int64_t step_mail(enum mta_trace_kind kind, const void *record);

#endif
