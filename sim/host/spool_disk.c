/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whoever comes next gets the server that is free first.
 */
#include "sim/host/spool_disk.h"

#include <stdlib.h>

#include "mta/panic.h"

void
spool_disk_init(struct spool_disk *d, mta_span fsync, mta_span rename,
		uint32_t parallel)
{
	*d = (struct spool_disk){
		.fsync = fsync,
		.rename = rename,
		.parallel = parallel ? parallel : 1,
	};
	d->free_at = mta_alloc(d->parallel, sizeof(*d->free_at));
	for (uint32_t i = 0; i < d->parallel; i++)
		d->free_at[i] = INT64_MIN;
}

void
spool_disk_release(struct spool_disk *d)
{
	free(d->free_at);
	d->free_at = NULL;
}

void
spool_disk_wait(struct spool_disk *d, struct mta_loop *loop, mta_span service)
{
	uint32_t first = 0;

	for (uint32_t i = 1; i < d->parallel; i++)
		if (d->free_at[i] < d->free_at[first])
			first = i;
	if (d->free_at[first] < loop->now)
		d->free_at[first] = loop->now;
	d->free_at[first] += service;
	mta_loop_charge(loop, d->free_at[first] - loop->now);
}
