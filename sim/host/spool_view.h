/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A service's view of the memory spool: a door in the sense of mta/spool.h,
 * which charges the time that operations take to that service's loop.
 */
#ifndef SIM_SPOOL_VIEW_H
#define SIM_SPOOL_VIEW_H

#include "mta/loop.h"
#include "sim/host/spool_mem.h"

/* Work that a service is busy with, microseconds; all 0: costs no time. */
struct spool_costs {
	mta_span commit; /* cleanup: per message */
	mta_span admit;	 /* queue manager: a file into active */
	mta_span scan;	 /* queue manager: a name looked at */
	mta_span finish; /* queue manager, pickup: a file out of active, or out
			  * of maildrop */
	/* Scans pass by files that cleanup or the disk is not done with. */
	bool passes_unwritten;
};

struct spool_view {
	struct mta_spool base; /* the door */
	struct spool_mem *store;
	struct mta_loop *loop;
	const struct spool_costs *costs;
};

/* All borrowed; costs may change while the view is in use. */
void spool_view_init(struct spool_view *v, struct spool_mem *s,
		     struct mta_loop *loop, const struct spool_costs *costs);

static inline struct spool_view *
spool_view_of(struct mta_spool *spool)
{
	return mta_container_of(spool, struct spool_view, base);
}

/* Operations on logs (sim/host/spool_log.c). */
enum mta_err spool_log_append(struct mta_spool *, enum mta_log, struct mta_ref,
			      const struct mta_log_record *);
enum mta_err spool_log_read(struct mta_spool *, enum mta_log, struct mta_ref,
			    uint32_t n, struct mta_log_record *);
void spool_log_remove(struct mta_spool *, enum mta_log, struct mta_ref);

#endif
