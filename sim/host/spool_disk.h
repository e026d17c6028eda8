/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The disk of the memory spool: one station with `parallel` servers, first come
 * first served. It knows no files; time on it, queueing included, is charged to
 * the loop of whoever waits for it.
 */
#ifndef SIM_SPOOL_DISK_H
#define SIM_SPOOL_DISK_H

#include "mta/loop.h"

struct spool_disk {
	mta_span fsync;	   /* commit, append to a log */
	mta_span rename;   /* commit, move, remove */
	uint32_t parallel; /* >= 1 */
	mta_time *free_at; /* owned; by server */
};

/* parallel: 0 is 1. */
void spool_disk_init(struct spool_disk *d, mta_span fsync, mta_span rename,
		     uint32_t parallel);
void spool_disk_release(struct spool_disk *d);

MTA_APART void
spool_disk_wait(struct spool_disk *d, struct mta_loop *loop, mta_span service);
static inline void
spool_disk_use(struct spool_disk *d, struct mta_loop *loop, mta_span service)
{
	if (service > 0)
		spool_disk_wait(d, loop, service);
}

#endif
