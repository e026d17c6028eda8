/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * When the master starts a process. A process counts as idle from its start, so
 * a service grows by one at a time, as fast as its processes take work. What
 * belongs to an older generation is counted nowhere: that is why a destination
 * can see twice its limit for a while after a reload (F8.11).
 */
#include "mta/pure.h"

#include "mta/master.h"

#include "mta/panic.h"

static int32_t
service_limit(int64_t maxproc, int32_t default_limit)
{
	if (maxproc < 0)
		return default_limit;
	return maxproc > INT32_MAX ? INT32_MAX : (int32_t)maxproc;
}

void
mta_service_init(struct mta_service_state *s, int64_t maxproc,
		 int32_t default_limit)
{
	*s = (struct mta_service_state){
		.process_limit = service_limit(maxproc, default_limit),
	};
}

void
mta_service_spawned(struct mta_service_state *s, struct mta_child *child)
{
	*child = (struct mta_child){.generation = s->generation,
				    .is_idle = true};
	s->total_count++;
	s->idle_count++;
}

bool
mta_service_ended(struct mta_service_state *s, const struct mta_child *child,
		  enum mta_child_end how)
{
	if (child->generation == s->generation) {
		s->total_count--;
		if (child->is_idle)
			s->idle_count--;
		mta_assert(s->total_count >= 0);
		mta_assert(s->idle_count >= 0);
	}
	if (how != MTA_CHILD_FAILED || child->use_count > 0)
		return false;
	s->is_throttled = true;
	return true;
}

void
mta_service_unthrottle(struct mta_service_state *s)
{
	s->is_throttled = false;
}

void
mta_service_reload(struct mta_service_state *s, int64_t maxproc,
		   int32_t default_limit)
{
	s->process_limit = service_limit(maxproc, default_limit);
	s->generation++;
	s->total_count = 0;
	s->idle_count = 0;
}

/* ---- wake-ups ----------------------------------------------------------- */

static void
wakeup_fired(struct mta_timer *timer)
{
	struct mta_wakeup *w =
		mta_container_of(timer, struct mta_wakeup, timer);
	const struct mta_host *h = w->host;

	h->port->ops->send(h->port, w->service,
			   &(struct mta_note){.kind = MTA_NOTE_TRIGGER,
					      .trigger = MTA_TRIGGER_WAKEUP});
	mta_timer_after_s(h->loop, &w->timer, w->period_s);
}

void
mta_wakeup_start(struct mta_wakeup *w, const struct mta_host *host,
		 enum mta_service service, int32_t period_s)
{
	mta_assert(period_s > 0);
	*w = (struct mta_wakeup){
		.host = host, .service = service, .period_s = period_s};
	mta_timer_init(&w->timer, wakeup_fired);
	mta_timer_set(host->loop, &w->timer, host->loop->now);
}

void
mta_wakeup_stop(struct mta_wakeup *w)
{
	if (w->host)
		mta_timer_cancel(w->host->loop, &w->timer);
}
