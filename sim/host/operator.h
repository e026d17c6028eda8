/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The operator: does at its time what `operator:` of the scenario says. Knows
 * the system from outside, by the tools of mta/admin.h and by what master does.
 */
#ifndef SIM_OPERATOR_H
#define SIM_OPERATOR_H

#include "mta/loop.h"
#include "sim/scenario/scenario.h"

struct world;

struct operator
{
	struct world *world;
	struct mta_timer timer; /* the next action */
	size_t next;
	/* told by whoever draws snapshots; may be NULL */
	void (*snapshot)(struct operator*, enum mta_queue queue);
};

void operator_init(struct operator* o, struct world *w);
void operator_release(struct operator* o);

#endif
