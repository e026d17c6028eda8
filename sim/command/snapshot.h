/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The operator's snapshot: a qshape table of one queue as it is now, in the
 * results folder, as snapshot-QUEUE-SECONDS.txt.
 */
#ifndef SIM_SNAPSHOT_H
#define SIM_SNAPSHOT_H

#include "mta/host.h"

/* at_us: scenario time, for the name. False: said on stderr. */
bool snapshot_write(const char *dir, const struct mta_host *host,
		    enum mta_queue queue, int64_t at_us);

#endif
