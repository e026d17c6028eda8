/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How a service that is a pool of processes hears its notes. All processes
 * share one loop, but each has its own time: when one has moved the loop's
 * `now` forward, the others must not be late for it. So nobody else is served
 * in that step, and the wake timer is set again for what may wait.
 */
#ifndef MTA_TURN_H
#define MTA_TURN_H

#include "mta/host.h"

/* The next note for a process of the pool, in this step; else NULL. */
static inline struct mta_note *
mta_turn_receive(const struct mta_host *h, enum mta_service service,
		 struct mta_timer *wake)
{
	if (h->loop->now != h->loop->stepped) {
		mta_timer_set(h->loop, wake, h->loop->stepped);
		return NULL;
	}
	return h->port->ops->receive(h->port, service);
}

#endif
