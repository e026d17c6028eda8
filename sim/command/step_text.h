/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An event of `mtasim step` as text: a line (time, who, what, the queues, the
 * flow tokens, whose turn it is, the destination) and, below it, a sentence
 * that says why.
 */
#ifndef SIM_STEP_TEXT_H
#define SIM_STEP_TEXT_H

#include <stdio.h>

#include "mta/trace.h"
#include "sim/host/world.h"

/* out: two lines and their ends. */
void step_print(FILE *out, struct world *w, enum mta_trace_kind kind,
		const void *record);
/* When it was; whose mail it is about, or -1. */
mta_time step_time(const void *record);
int64_t step_mail(enum mta_trace_kind kind, const void *record);

#endif
