/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The simulated clock. The loops of all services, and which steps next: the one
 * whose next turn is first by (time, sequence). There is no other event queue.
 *
 * A loop is a process (queue manager, pickup) or a pool of them. A process
 * whose last step moved its loop's time forward is busy until then: its next
 * step waits. In a pool the processes keep their own time; the loop steps
 * whenever something is due.
 */
#ifndef SIM_DRIVER_H
#define SIM_DRIVER_H

#include "mta/loop.h"

/*
 * Scenario time 0 on the clock of the mail system: Monday 2026-01-05 00:00 UTC,
 * a whole second, so that whole seconds of both agree.
 */
#define SIM_EPOCH_S INT64_C(1767571200)
#define SIM_EPOCH   (SIM_EPOCH_S * MTA_USEC_PER_S)

enum driver_kind {
	DRIVER_PROCESS,
	DRIVER_POOL,
};

enum {
	DRIVER_LOOPS_MAX = 4
};

struct driver_loop {
	struct mta_loop *loop; /* borrowed */
	enum driver_kind kind;
	mta_time busy_until; /* of a process */
};

struct driver {
	struct driver_loop loops[DRIVER_LOOPS_MAX];
	uint32_t count;
	uint64_t steps; /* taken so far */
};

void driver_init(struct driver *d);
void driver_add(struct driver *d, struct mta_loop *loop, enum driver_kind kind);

/* The step that comes next, or at MTA_NEVER when nothing is set anywhere. */
struct driver_turn {
	mta_time at;
	uint32_t loop;
};
struct driver_turn driver_next(const struct driver *d);
/* Take the step that driver_next told. */
void driver_step(struct driver *d, struct driver_turn turn);

#endif
