/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One destination of a transport: how many deliveries it may have at once, what
 * waits for it, whether it is dead or resting; and the entries that belong to
 * it, from creation to their end.
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

int32_t
mta_dest_window(const struct mta_dest *d)
{
	return d->state == MTA_DEST_READY ? d->window.window : 0;
}

static int32_t
min_int32(int32_t a, int32_t b)
{
	return a < b ? a : b;
}

void
mta_dest_account(struct mta_dest *d)
{
	struct mta_transport *t = d->transport;
	int32_t now = 0;

	mta_order_dest_changed(d);
	if (d->state == MTA_DEST_READY)
		now = min_int32(d->window.window - d->busy_count,
				d->todo_count);
	if (now == d->startable)
		return;
	t->startable_sum -= d->startable > 0 ? d->startable : 0;
	t->deficit_sum -= d->startable < 0 ? -d->startable : 0;
	t->startable_sum += now > 0 ? now : 0;
	t->deficit_sum += now < 0 ? -now : 0;
	d->startable = now;
}

/* ---- being known --------------------------------------------------------- */

static uint64_t
dest_key(const struct mta_transport *t, mta_sym name)
{
	/* A transport's name is never the empty symbol. */
	return (uint64_t)t->name << 32 | name;
}

struct mta_dest *
mta_dest_find(struct mta_transport *t, mta_sym name)
{
	return mta_table_find(&t->qmgr->dest_index, dest_key(t, name));
}

static void dest_timer_fired(struct mta_timer *timer);

struct mta_dest *
mta_dest_create(struct mta_transport *t, mta_sym name, mta_sym nexthop)
{
	struct mta_qmgr *q = t->qmgr;
	struct mta_dest *d = mta_pool_take(&q->dests);

	mta_list_init(&d->todo);
	mta_list_init(&d->busy);
	mta_list_init(&d->peers);
	mta_timer_init(&d->timer, dest_timer_fired);
	d->transport = t;
	d->qmgr = q;
	d->name = name;
	d->nexthop = nexthop;
	mta_sym_hold(q->host.symbols, name);
	mta_sym_hold(q->host.symbols, nexthop);
	mta_window_init(&d->window, &t->window_law);
	mta_list_append(&t->dests, &d->in_transport);
	t->dest_count++;
	q->dest_total++;
	mta_table_add(&q->dest_index, dest_key(t, name), d);
	return d;
}

void
mta_dest_free(struct mta_dest *d)
{
	struct mta_qmgr *q = d->qmgr;

	mta_assert(d->todo_count == 0);
	mta_assert(d->busy_count == 0);
	mta_assert(mta_list_is_empty(&d->peers));
	mta_timer_cancel(q->host.loop, &d->timer);
	mta_table_remove(&q->dest_index, dest_key(d->transport, d->name));
	mta_list_remove(&d->in_transport);
	d->transport->dest_count--;
	q->dest_total--;
	mta_sym_drop(q->host.symbols, d->name);
	mta_sym_drop(q->host.symbols, d->nexthop);
	mta_sym_drop(q->host.symbols, d->why.reason);
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
	mta_assert(d->state != MTA_DEST_SUSPENDED);
	if (d->state == MTA_DEST_DEAD) {
		dest_revive(d);
		return;
	}
	mta_window_up(&d->window, &d->transport->window_law, d->busy_count);
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
	else
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
static void
dest_rest(struct mta_dest *d)
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

/* ---- entries --------------------------------------------------------------
 */

/* R-CLOG-WARN */
static void
dest_warn_if_clogged(struct mta_dest *d)
{
	const struct mta_qmgr *q = d->qmgr;
	const struct mta_params *p = q->params;
	int32_t used = d->todo_count + d->busy_count;
	int64_t now_s = mta_host_second(&q->host);

	if (used <= p->qmgr_message_active_limit / 5 || !p->helpful_warnings ||
	    p->qmgr_clog_warn_time_s == 0 || now_s < d->next_warn_s)
		return;
	d->next_warn_s = now_s + p->qmgr_clog_warn_time_s;
	if (!mta_trace_wants(q->host.trace, MTA_TRACE_CLOGGED))
		return;
	mta_trace_deliver(q->host.trace, MTA_TRACE_CLOGGED,
			  &(struct mta_trace_clogged){
				  .at = q->host.loop->now,
				  .transport = d->transport->name,
				  .destination = d->name,
				  .used = (uint32_t)used,
				  .active_count = q->active_count,
			  });
}

struct mta_entry *
mta_entry_create(struct mta_peer *p)
{
	struct mta_dest *d = p->dest;
	struct mta_entry *e = mta_pool_take(&d->qmgr->entries);

	e->peer = p;
	e->dest = d;
	if (mta_list_is_empty(&p->waiting))
		mta_order_peer_waits(p);
	mta_list_append(&p->waiting, &e->in_peer);
	mta_list_append(&d->todo, &e->in_dest);
	p->entry_count++;
	p->job->mail->entry_count++;
	p->job->read++;
	mta_job_reclassify(p->job);
	d->todo_count++;
	mta_dest_account(d);
	dest_warn_if_clogged(d);
	return e;
}

void
mta_entry_add(struct mta_entry *e, const struct mta_recipient *to)
{
	struct mta_qmgr *q = e->dest->qmgr;
	struct mta_rcpt *r = mta_pool_take(&q->rcpts);

	r->to = *to;
	if (e->last)
		e->last->next = r;
	else
		e->first = r;
	e->last = r;
	e->rcpt_count++;
	e->peer->job->rcpt_count++;
	e->peer->job->mail->rcpt_count++;
	q->rcpt_total++;
}

/* It is no longer one of those that wait for an agent. */
static void
entry_leave_todo(struct mta_entry *e)
{
	mta_list_remove(&e->in_peer);
	mta_list_remove(&e->in_dest);
	if (mta_list_is_empty(&e->peer->waiting))
		mta_order_peer_rests(e->peer);
	e->peer->job->selected++;
	mta_job_reclassify(e->peer->job);
	e->dest->todo_count--;
}

void
mta_entry_start(struct mta_entry *e)
{
	struct mta_dest *d = e->dest;

	mta_assert(!e->is_busy);
	entry_leave_todo(e);
	mta_list_append(&d->busy, &e->in_dest);
	e->is_busy = true;
	d->busy_count++;
	mta_dest_account(d);
	d->hints = mta_cache_hints_next(
		d->hints, &(struct mta_cache_view){
				  .last_done_s = d->last_done_s,
				  .now_s = mta_host_second(&d->qmgr->host),
				  .busy = d->busy_count,
			  });
}

static void
entry_take_off(struct mta_entry *e)
{
	struct mta_dest *d = e->dest;

	if (e->is_busy) {
		mta_list_remove(&e->in_dest);
		d->busy_count--;
	} else {
		/* That a blocked job waited here stays known (F6.10). */
		if (mta_job_is_blocked(e->peer->job))
			d->tag = d->transport->tag;
		entry_leave_todo(e);
	}
	mta_dest_account(d);
}

static void
entry_free_rcpts(struct mta_entry *e)
{
	struct mta_qmgr *q = e->dest->qmgr;
	struct mta_job *j = e->peer->job;

	j->rcpt_count -= e->rcpt_count;
	j->mail->rcpt_count -= e->rcpt_count;
	q->rcpt_total -= e->rcpt_count;
	while (e->first) {
		struct mta_rcpt *r = e->first;

		e->first = r->next;
		mta_pool_give(&q->rcpts, r);
	}
}

/* R-ENTRY-END: the order of these steps decides what the next select sees. */
void
mta_entry_finish(struct mta_entry *e)
{
	struct mta_dest *d = e->dest;
	struct mta_qmgr *q = d->qmgr;
	struct mta_peer *p = e->peer;
	struct mta_qmail *m = p->job->mail;
	bool was_busy = e->is_busy;

	entry_take_off(e);
	entry_free_rcpts(e);
	mta_job_entry_ended(p->job);
	if (was_busy)
		dest_rest(d);
	if (d->state != MTA_DEST_SUSPENDED)
		mta_dest_unblock(d);
	mta_pool_give(&q->entries, e);
	p->entry_count--;
	if (p->entry_count == 0)
		mta_peer_free(p);
	if (was_busy)
		d->last_done_s = mta_host_second(&q->host);
	mta_dest_forget_if_idle(d);
	m->entry_count--;
	if (m->entry_count == 0)
		mta_qmail_done(q, m);
}

/* ---- giving up on what waits (F9.3) ---------------------------------------
 */

struct mta_dest *
mta_dest_for_retry(struct mta_qmgr *q, struct mta_status status)
{
	struct mta_transport *t = mta_transport_get(q, q->retry_name);
	struct mta_dest *d;
	char text[1024];
	mta_sym name;

	if (t->is_throttled)
		return NULL;
	snprintf(text, sizeof(text), "%u.%u.%u %s", status.dsn.class,
		 status.dsn.subject, status.dsn.detail,
		 mta_sym_text(q->host.symbols, status.reason));
	name = mta_sym_intern(q->host.symbols, text);
	d = mta_dest_find(t, name);
	if (!d)
		d = mta_dest_create(t, name, name);
	mta_sym_drop(q->host.symbols, name);
	return d->state == MTA_DEST_DEAD ? NULL : d;
}

/* The recipients go to a new entry of the same mail; the old one ends. */
static void
entry_move_to(struct mta_entry *e, struct mta_dest *d)
{
	struct mta_qmail *m = e->peer->job->mail;
	struct mta_job *j = mta_job_obtain(m, d->transport);
	struct mta_entry *moved = mta_entry_create(mta_peer_obtain(j, d));

	moved->first = e->first;
	moved->last = e->last;
	moved->rcpt_count = e->rcpt_count;
	j->rcpt_count += e->rcpt_count;
	e->peer->job->rcpt_count -= e->rcpt_count;
	e->first = NULL;
	e->last = NULL;
	e->rcpt_count = 0;
	mta_entry_finish(e);
}

static void
entry_defer_here(struct mta_entry *e, struct mta_status status)
{
	struct mta_qmail *m = e->peer->job->mail;

	for (struct mta_rcpt *r = e->first; r; r = r->next)
		mta_qmail_defer_rcpt(e->dest->qmgr, m, &r->to, status);
	mta_entry_finish(e);
}

void
mta_dest_defer_todo(struct mta_dest *d, struct mta_status status)
{
	struct mta_qmgr *q = d->qmgr;
	int32_t count = d->todo_count;
	struct mta_dest *retry;

	if (count == 0)
		return;
	mta_sym_hold(q->host.symbols, status.reason);
	retry = mta_dest_for_retry(q, status);
	/* The last entry to end may take d with it. */
	for (int32_t i = 0; i < count; i++) {
		struct mta_entry *e = mta_container_of(
			d->todo.next, struct mta_entry, in_dest);

		if (retry && retry != d)
			entry_move_to(e, retry);
		else
			entry_defer_here(e, status);
	}
	mta_sym_drop(q->host.symbols, status.reason);
}
