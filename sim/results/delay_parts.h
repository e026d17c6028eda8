/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The four parts of a delay, as logged in delays=a/b/c/d (F14.4): before this
 * admission to active; in active, until an agent had it; connection setup;
 * transmission. Missing stamps: never active, all is in the first; no hand-off,
 * the rest is in the second; no setup, the rest is in the fourth. Nothing is
 * below 0.
 */
#ifndef SIM_DELAY_PARTS_H
#define SIM_DELAY_PARTS_H

#include "mta/trace.h"

enum {
	DELAY_PARTS = 4,
};

struct delay_parts {
	mta_span whole; /* arrival to the end of the attempt */
	mta_span part[DELAY_PARTS];
};

static inline mta_span
delay_between(mta_time from, mta_time to)
{
	return to < from ? 0 : to - from;
}

static inline struct delay_parts
delay_parts_of(const struct mta_trace_delivery *d)
{
	struct delay_parts p = {.whole = delay_between(d->arrival, d->at)};

	if (d->active == MTA_NEVER) {
		p.part[0] = p.whole;
		return p;
	}
	p.part[0] = delay_between(d->arrival, d->active);
	if (d->handoff == MTA_NEVER) {
		p.part[1] = delay_between(d->active, d->at);
		return p;
	}
	p.part[1] = delay_between(d->active, d->handoff);
	if (d->setup == MTA_NEVER) {
		p.part[3] = delay_between(d->handoff, d->at);
		return p;
	}
	p.part[2] = delay_between(d->handoff, d->setup);
	p.part[3] = delay_between(d->setup, d->at);
	return p;
}

#endif
