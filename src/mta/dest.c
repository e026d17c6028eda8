/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One destination of a transport: how many deliveries it may have at once, and
 * whether it is dead or resting.
 *
 *   READY -> DEAD       failed cohorts reached the limit
 *   DEAD -> READY       its timer, a delivery that went well, or a flush
 *   READY -> SUSPENDED  rate delay, after each delivery
 *   SUSPENDED -> READY  its timer
 *
 * A destination that is ready and has nothing to do is forgotten at once, and
 * with it all that was learned (R-DEST-FORGET). Not here: who goes next
 * (job.c), the arithmetic of windows (rules.c).
 */
#include "mta/pure.h"

#include "mta/order.h"
#include "mta/qmgr.h"

#include "mta/panic.h"

static const bool dest_moves[3][3] = {
	[MTA_DEST_READY] = {[MTA_DEST_DEAD] = true,	  /* cohorts */
			    [MTA_DEST_SUSPENDED] = true}, /* rate delay */
	[MTA_DEST_DEAD] = {[MTA_DEST_READY] = true},	  /* revival */
	[MTA_DEST_SUSPENDED] = {[MTA_DEST_READY] = true}, /* timer */
};

static void
dest_set_state(struct mta_dest *d, enum mta_dest_state state)
{
	mta_assert(dest_moves[d->state][state]);
	d->state = state;
	mta_dest_account(d);
}

static int32_t
positive_part(int32_t n)
{
	return n > 0 ? n : 0;
}

void
mta_dest_set_startable(struct mta_dest *d, int32_t startable)
{
	struct mta_transport *t = d->transport;
	int32_t old = d->startable;
	int32_t change = positive_part(startable) - positive_part(old);

	d->startable = startable;
	t->startable_sum += change;
	t->qmgr->startable_sum += change;
	if (startable < 0 || old < 0)
		t->deficit_sum +=
			positive_part(-startable) - positive_part(-old);
	if (old <= 0 && startable > 0)
		mta_order_dest_opens(d);
	else if (old > 0 && startable <= 0)
		mta_order_dest_closes(d);
}

/* ---- being known --------------------------------------------------------- */

static void dest_timer_fired(struct mta_timer *timer);

struct mta_dest *
mta_dest_create_routed(struct mta_transport *t, mta_sym name, mta_sym nexthop)
{
	struct mta_qmgr *q = t->qmgr;
	struct mta_dest *d = mta_pool_take(&q->dests);

	mta_list_init(&d->todo);
	d->peers = (struct mta_tree){0};
	mta_timer_init(&d->timer, dest_timer_fired);
	d->transport = t;
	d->qmgr = q;
	d->name = name;
	d->nexthop = nexthop;
	mta_window_init(&d->window, &t->window_law);
	mta_list_append(&t->dests, &d->in_transport);
	q->dest_total++;
	mta_table_add(&q->dest_index, mta_dest_key(t, name), d);
	return d;
}

struct mta_dest *
mta_dest_create(struct mta_transport *t, mta_sym name, mta_sym nexthop)
{
	struct mta_dest *d = mta_dest_create_routed(t, name, nexthop);

	mta_sym_hold(t->qmgr->host.symbols, name);
	mta_sym_hold(t->qmgr->host.symbols, nexthop);
	d->owns_names = true;
	return d;
}

static void
dest_drop_names(struct mta_dest *d)
{
	struct mta_symtab *symbols = d->qmgr->host.symbols;

	if (!d->owns_names)
		return;
	mta_sym_drop(symbols, d->name);
	mta_sym_drop(symbols, d->nexthop);
}

/* What is ready has no timer running, and no complaint. */
static void
dest_end_trouble(struct mta_dest *d)
{
	if (d->state == MTA_DEST_READY)
		return;
	mta_timer_cancel(d->qmgr->host.loop, &d->timer);
	mta_sym_drop(d->qmgr->host.symbols, d->why.reason);
}

void
mta_dest_free(struct mta_dest *d)
{
	struct mta_qmgr *q = d->qmgr;

	mta_assert(d->todo_count == 0);
	mta_assert(d->busy_count == 0);
	mta_assert(!d->peers.first);
	mta_table_remove(&q->dest_index, mta_dest_key(d->transport, d->name));
	mta_list_remove(&d->in_transport);
	q->dest_total--;
	dest_drop_names(d);
	dest_end_trouble(d);
	mta_pool_give(&q->dests, d);
}

static bool
dest_is_idle(const struct mta_dest *d)
{
	return d->todo_count == 0 && d->busy_count == 0;
}

/* R-DEST-FORGET, and R-DEST-PRESSURE: too many dead ones are revived. */
void
mta_dest_forget_if_idle(struct mta_dest *d)
{
	const struct mta_qmgr *q = d->qmgr;

	if (!dest_is_idle(d))
		return;
	if (d->state == MTA_DEST_DEAD &&
	    (int64_t)q->dest_total >
		    2 * (int64_t)q->params->qmgr_message_recipient_limit)
		mta_dest_alive(d);
	if (d->state == MTA_DEST_READY)
		mta_dest_free(d);
}

/* ---- feedback (F7.4, F7.5) ----------------------------------------------- */

static void
dest_trace_feedback(const struct mta_dest *d, enum mta_feedback_event event)
{
	const struct mta_host *h = &d->qmgr->host;

	if (!mta_trace_wants(h->trace, MTA_TRACE_FEEDBACK))
		return;
	mta_trace_deliver(h->trace, MTA_TRACE_FEEDBACK,
			  &(struct mta_trace_feedback){
				  .at = h->loop->now,
				  .transport = d->transport->name,
				  .destination = d->name,
				  .event = event,
				  .limit = d->transport->window_law.limit,
				  .window = d->window.window,
				  .busy = d->busy_count,
				  .success = d->window.good,
				  .failure = d->window.bad,
				  .fail_cohorts = d->window.cohorts,
			  });
}

static void
dest_set_why(struct mta_dest *d, struct mta_status why)
{
	struct mta_symtab *symbols = d->qmgr->host.symbols;

	mta_sym_hold(symbols, why.reason);
	mta_sym_drop(symbols, d->why.reason);
	d->why = why;
}

/* R-DEAD-RETURN */
static void
dest_revive(struct mta_dest *d)
{
	mta_timer_cancel(d->qmgr->host.loop, &d->timer);
	dest_set_why(d, (struct mta_status){0});
	mta_window_revive(&d->window, &d->transport->window_law, d->busy_count);
	dest_set_state(d, MTA_DEST_READY);
	dest_trace_feedback(d, MTA_FEEDBACK_REVIVED);
}

void
mta_dest_alive(struct mta_dest *d)
{
	int32_t window;

	mta_assert(d->state != MTA_DEST_SUSPENDED);
	if (d->state == MTA_DEST_DEAD) {
		dest_revive(d);
		return;
	}
	window = d->window.window;
	mta_window_up(&d->window, &d->transport->window_law, d->busy_count);
	if (d->window.window != window)
		mta_dest_account(d);
	dest_trace_feedback(d, MTA_FEEDBACK_ALIVE);
}

void
mta_dest_sick(struct mta_dest *d, struct mta_status status)
{
	struct mta_qmgr *q = d->qmgr;

	mta_assert(d->state == MTA_DEST_READY);
	if (!mta_window_down(&d->window, &d->transport->window_law)) {
		mta_dest_account(d);
		dest_trace_feedback(d, MTA_FEEDBACK_SICK);
		return;
	}
	dest_set_state(d, MTA_DEST_DEAD);
	dest_set_why(d, status);
	d->hints = (struct mta_cache_hints){0};
	mta_timer_after_s(q->host.loop, &d->timer,
			  q->params->minimal_backoff_time_s);
	dest_trace_feedback(d, MTA_FEEDBACK_DEAD);
}

/* ---- rate delay (F7.9) --------------------------------------------------- */

static void
dest_resume(struct mta_dest *d)
{
	d->window.window = 1;
	dest_set_state(d, MTA_DEST_READY);
	if (dest_is_idle(d))
		mta_dest_free(d);
	else if (mta_order_is_awaited(d))
		mta_dest_unblock(d);
}

static void
dest_timer_fired(struct mta_timer *timer)
{
	struct mta_dest *d = mta_container_of(timer, struct mta_dest, timer);
	struct mta_qmgr *q = d->qmgr;

	switch (d->state) {
	case MTA_DEST_DEAD:
		mta_dest_alive(d);
		mta_dest_forget_if_idle(d);
		break;
	case MTA_DEST_SUSPENDED:
		dest_resume(d);
		break;
	case MTA_DEST_READY:
		mta_assert(d->state != MTA_DEST_READY);
		break;
	}
	mta_qmgr_wake(q);
}

/* R-RATE-DELAY: after each delivery the destination rests. */
void
mta_dest_rest(struct mta_dest *d)
{
	int32_t delay_s = d->transport->params.destination_rate_delay_s;

	if (delay_s == 0)
		return;
	if (d->state == MTA_DEST_DEAD)
		mta_dest_alive(d);
	if (d->state != MTA_DEST_READY)
		return;
	dest_set_state(d, MTA_DEST_SUSPENDED);
	mta_timer_after_s(d->qmgr->host.loop, &d->timer, delay_s);
}

/* ---- the retry transport (F9.3) ------------------------------------------ */

void
mta_dest_status_text(const struct mta_qmgr *q, struct mta_status status,
		     char *text)
{
	snprintf(text, MTA_STATUS_TEXT, "%u.%u.%u %s", status.dsn.class,
		 status.dsn.subject, status.dsn.detail,
		 mta_sym_text(q->host.symbols, status.reason));
}

struct mta_dest *
mta_dest_for_retry(struct mta_qmgr *q, struct mta_status status)
{
	struct mta_transport *t = mta_transport_get(q, q->retry_name);
	struct mta_dest *d;
	char text[MTA_STATUS_TEXT];
	mta_sym name;

	if (t->is_throttled)
		return NULL;
	mta_dest_status_text(q, status, text);
	name = mta_sym_intern(q->host.symbols, text);
	d = mta_dest_find(t, name);
	if (!d)
		d = mta_dest_create(t, name, name);
	mta_sym_drop(q->host.symbols, name);
	return d->state == MTA_DEST_DEAD ? NULL : d;
}
