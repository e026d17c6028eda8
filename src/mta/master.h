/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The master's policy for one service: when a process is started, when none may
 * be, and which processes no longer count (F8.11, F8.12). Numbers in, numbers
 * out: whoever hosts the processes starts and ends them, keeps the timer of a
 * throttle, and tells what happened.
 *
 * Also the periodic wake-ups of master.cf (F8.13).
 */
#ifndef MTA_MASTER_H
#define MTA_MASTER_H

#include "mta/host.h"
#include "mta/panic.h"

/* Invariant: idle_count <= total_count; total_count counts the processes of
 * this generation, and is at most process_limit unless that is 0. */
struct mta_service_state {
	int32_t process_limit; /* 0: none */
	int32_t total_count;
	int32_t idle_count;  /* waiting for work, or about to */
	uint32_t generation; /* counts reloads */
	bool is_throttled;
};

/* What is remembered of one process. */
struct mta_child {
	uint32_t generation; /* in which it was started */
	uint32_t use_count;  /* requests that it has ended */
	bool is_idle;
};

/* maxproc: of master.cf, or -1 for default_limit; 0 is no limit. */
void mta_service_init(struct mta_service_state *s, int64_t maxproc,
		      int32_t default_limit);

/* R-MASTER-LISTEN (F8.11): a connection that nobody took starts a process only
 * when none is idle, the limit is not reached and the service not throttled. */
static inline bool
mta_service_may_spawn(const struct mta_service_state *s)
{
	if (s->idle_count > 0 || s->is_throttled)
		return false;
	return s->process_limit == 0 || s->total_count < s->process_limit;
}

/* A process was started: idle at once. */
void mta_service_spawned(struct mta_service_state *s, struct mta_child *child);
/* It took a connection, or waits for one again. Of another generation, or said
 * twice: no effect on the service. */
static inline void
mta_service_taken(struct mta_service_state *s, struct mta_child *child)
{
	if (!child->is_idle)
		return;
	child->is_idle = false;
	if (child->generation == s->generation)
		s->idle_count--;
	mta_assert(s->idle_count >= 0);
}

static inline void
mta_service_avail(struct mta_service_state *s, struct mta_child *child)
{
	if (child->is_idle)
		return;
	child->is_idle = true;
	child->use_count++;
	if (child->generation == s->generation)
		s->idle_count++;
	mta_assert(s->idle_count <= s->total_count);
}

enum mta_child_end {
	MTA_CHILD_DONE,	  /* max_use, max_idle, or an old generation */
	MTA_CHILD_FAILED, /* ended in disorder */
};

/*
 * It has ended. True: the service is to be throttled for service_throttle_time
 * (R-MASTER-THROTTLE, F8.12): it failed before it had ended a single request.
 */
bool mta_service_ended(struct mta_service_state *s,
		       const struct mta_child *child, enum mta_child_end how);
void mta_service_unthrottle(struct mta_service_state *s);

/* Reload: processes of before no longer count, the limit is read again. A
 * throttle stays. */
void mta_service_reload(struct mta_service_state *s, int64_t maxproc,
			int32_t default_limit);

/* R-AGENT-RETIRE (F8.9): an idle process that has had its max_use requests, or
 * is of an old generation, ends. */
static inline bool
mta_child_is_spent(const struct mta_service_state *s,
		   const struct mta_child *child, int32_t max_use)
{
	return child->generation != s->generation ||
	       child->use_count >= (uint32_t)max_use;
}

/* ---- wake-ups ----------------------------------------------------------- */

enum {
	MTA_WAKEUP_PICKUP_S = 60,
	MTA_WAKEUP_QMGR_S = 300,
};

struct mta_wakeup {
	struct mta_timer timer;
	const struct mta_host *host; /* borrowed; master's loop */
	enum mta_service service;    /* that is woken */
	int32_t period_s;	     /* whole seconds, more than 0 */
};

/* A trigger byte W now and every period_s. R-WAKEUP (F8.13) */
void mta_wakeup_start(struct mta_wakeup *w, const struct mta_host *host,
		      enum mta_service service, int32_t period_s);
/* Also for one that was never started but zeroed. */
void mta_wakeup_stop(struct mta_wakeup *w);

#endif
