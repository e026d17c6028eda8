/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Queue runs: one over incoming, one over deferred. A run reads its directory
 * from one end to the other and only then begins anew; asked for again while it
 * is open, it remembers that. When active is full it stays where it is.
 */
#include "mta/pure.h"

#include "mta/qmgr.h"

#include "mta/panic.h"

void
mta_run_init(struct mta_run *r, enum mta_queue queue)
{
	*r = (struct mta_run){.queue = queue};
}

MTA_APART static void
run_tell(const struct mta_qmgr *q, const struct mta_run *r)
{
	const struct mta_host *h = &q->host;

	mta_trace_deliver(h->trace, MTA_TRACE_SCAN,
			  &(struct mta_trace_scan){
				  .at = h->loop->now,
				  .queue = r->queue,
				  .is_open = r->dir.is_open,
			  });
}

static inline void
run_trace(const struct mta_qmgr *q, const struct mta_run *r)
{
	if (mta_trace_wants(q->host.trace, MTA_TRACE_SCAN))
		run_tell(q, r);
}

static void
run_begin(struct mta_qmgr *q, struct mta_run *r)
{
	r->flags = r->next & ~(uint32_t)MTA_RUN_START;
	r->next = 0;
	q->host.spool->ops->scan_open(q->host.spool, r->queue, &r->dir);
	run_trace(q, r);
}

void
mta_run_end(struct mta_qmgr *q, struct mta_run *r)
{
	r->is_through = false;
	q->host.spool->ops->scan_close(q->host.spool, &r->dir);
	run_trace(q, r);
}

/* R-SCAN-REQUEST */
void
mta_run_request(struct mta_qmgr *q, struct mta_run *r, uint32_t flags)
{
	if (flags & MTA_RUN_FLUSH_ONCE)
		mta_transports_enable_all(q);
	if (r->dir.is_open)
		r->flags |= flags & (MTA_RUN_ALL | MTA_RUN_DEFER_ALSO);
	r->next |= flags;
	if (!r->dir.is_open && (r->next & MTA_RUN_START))
		run_begin(q, r);
	mta_qmgr_wake(q);
}

/* The latest wake time of a file that the open run takes. */
static uint32_t
run_due_s(const struct mta_qmgr *q, const struct mta_run *r)
{
	if (r->flags & MTA_RUN_ALL)
		return UINT32_MAX;
	return (uint32_t)mta_due_latest_s(q->host.loop->now);
}

enum mta_scan_result
mta_run_next(struct mta_qmgr *q, struct mta_run *r, uint32_t skips_max,
	     struct mta_scan_item *item)
{
	enum mta_scan_result result;

	mta_assert(!r->is_through);
	*item = (struct mta_scan_item){0};
	for (int round = 0; round < 2; round++) {
		if (r->dir.is_open) {
			result = q->host.spool->ops->scan_next(
				q->host.spool, &r->dir, run_due_s(q, r),
				skips_max, item);
			if (result != MTA_SCAN_END) {
				r->is_through = item->is_last;
				return result;
			}
			run_trace(q, r);
			if (item->skipped > 0)
				return MTA_SCAN_SKIPPED;
		}
		if (!(r->next & MTA_RUN_START))
			break;
		run_begin(q, r);
	}
	return MTA_SCAN_END;
}
