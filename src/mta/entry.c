/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Entries, the requests that go to agents, from their first recipient to their
 * end; and the peers that hold them, one for each destination of a job.
 *
 * An entry that waits stands in two lists, of its destination and of its peer;
 * one that is with an agent is only counted. Nearly all mail has one recipient,
 * so a job holds its first peer in itself, and an entry its first recipient.
 * The peers of a job with many are found by a table.
 *
 * Not here: who goes next (job.c), what a reply says of a destination (dest.c)
 * and what becomes of a mail without entries (qmgr_finish.c).
 */
#include "mta/pure.h"

#include "mta/order.h"
#include "mta/qmgr.h"

#include "mta/panic.h"

/* ---- peers (F5.7) -------------------------------------------------------- */

/* Jobs of up to this many peers find theirs by looking at them. */
enum {
	PEERS_LISTED_MAX = 8
};

/* A mail has one job for each transport, so mail and destination name one. */
static uint64_t
peer_key(const struct mta_job *j, const struct mta_dest *d)
{
	return (uint64_t)(j->mail->pooled.index + 1) << 32 |
	       (d->pooled.index + 1);
}

static struct mta_peer *
peer_find(const struct mta_job *j, const struct mta_dest *d)
{
	struct mta_list *l;

	if (j->last_peer && j->last_peer->dest == d)
		return j->last_peer;
	if (j->peer_count > PEERS_LISTED_MAX)
		return mta_table_find(&d->qmgr->peer_index, peer_key(j, d));
	for (l = j->peers.next; l != &j->peers; l = l->next) {
		struct mta_peer *p =
			mta_container_of(l, struct mta_peer, in_job);

		if (p->dest == d)
			return p;
	}
	return NULL;
}

/* A job that grows beyond the listed size has all its peers in the table. */
static void
peer_index_all(struct mta_job *j)
{
	struct mta_list *l;

	for (l = j->peers.next; l != &j->peers; l = l->next) {
		struct mta_peer *p =
			mta_container_of(l, struct mta_peer, in_job);

		mta_table_add(&p->dest->qmgr->peer_index, peer_key(j, p->dest),
			      p);
	}
}

static void
peer_unindex_all(struct mta_job *j)
{
	struct mta_list *l;

	for (l = j->peers.next; l != &j->peers; l = l->next) {
		struct mta_peer *p =
			mta_container_of(l, struct mta_peer, in_job);

		mta_table_remove(&p->dest->qmgr->peer_index,
				 peer_key(j, p->dest));
	}
}

static struct mta_peer *
peer_create(struct mta_job *j, struct mta_dest *d)
{
	struct mta_peer *p = &j->first_peer;

	if (p->dest)
		p = mta_pool_take_raw(&d->qmgr->peers);
	p->job = j;
	p->dest = d;
	p->entry_count = 0;
	p->first = NULL;
	mta_list_append(&j->peers, &p->in_job);
	j->peer_count++;
	if (j->peer_count == PEERS_LISTED_MAX + 1)
		peer_index_all(j);
	else if (j->peer_count > PEERS_LISTED_MAX)
		mta_table_add(&d->qmgr->peer_index, peer_key(j, d), p);
	return p;
}

/* The job's peer for a destination, made when new. */
static struct mta_peer *
peer_obtain(struct mta_job *j, struct mta_dest *d)
{
	struct mta_peer *p = peer_find(j, d);

	if (!p)
		p = peer_create(j, d);
	j->last_peer = p;
	return p;
}

static void
peer_free(struct mta_peer *p)
{
	struct mta_job *j = p->job;

	mta_assert(p->first == NULL);
	if (j->peer_count == PEERS_LISTED_MAX + 1)
		peer_unindex_all(j);
	else if (j->peer_count > PEERS_LISTED_MAX)
		mta_table_remove(&p->dest->qmgr->peer_index,
				 peer_key(j, p->dest));
	j->peer_count--;
	if (j->last_peer == p)
		j->last_peer = NULL;
	mta_list_remove(&p->in_job);
	if (p == &j->first_peer)
		p->dest = NULL;
	else
		mta_pool_give(&p->dest->qmgr->peers, p);
}

/* ---- making entries ------------------------------------------------------ */

/* It fills active. */
MTA_APART static void
dest_warn_of_clog(struct mta_dest *d)
{
	const struct mta_qmgr *q = d->qmgr;
	const struct mta_params *p = q->params;
	int64_t now_s;

	if (!p->helpful_warnings || p->qmgr_clog_warn_time_s == 0)
		return;
	now_s = mta_host_second(&q->host);
	if (now_s < d->next_warn_s)
		return;
	d->next_warn_s = now_s + p->qmgr_clog_warn_time_s;
	if (!mta_trace_wants(q->host.trace, MTA_TRACE_CLOGGED))
		return;
	mta_trace_deliver(
		q->host.trace, MTA_TRACE_CLOGGED,
		&(struct mta_trace_clogged){
			.at = q->host.loop->now,
			.transport = d->transport->name,
			.destination = d->name,
			.used = (uint32_t)(d->todo_count + d->busy_count),
			.active_count = q->active_count,
		});
}

/* R-CLOG-WARN */
static inline void
dest_warn_if_clogged(struct mta_dest *d)
{
	int64_t used = d->todo_count + d->busy_count;

	if (used * 5 > d->qmgr->params->qmgr_message_active_limit)
		dest_warn_of_clog(d);
}

/* An entry at the end of peer and destination. The job is not indexed anew. */
static struct mta_entry *
entry_create(struct mta_peer *p)
{
	struct mta_dest *d = p->dest;
	struct mta_entry *e = mta_pool_take_raw(&d->qmgr->entries);

	if (p->first) {
		p->last->next = e;
	} else {
		mta_order_peer_waits(p);
		p->first = e;
	}
	p->last = e;
	mta_list_append(&d->todo, &e->in_dest);
	e->next = NULL;
	e->peer = p;
	e->dest = d;
	e->rcpt_count = 0;
	e->is_busy = false;
	e->has_jumped = false;
	e->more = NULL;
	e->last = NULL;
	p->entry_count++;
	p->job->mail->entry_count++;
	p->job->read++;
	d->todo_count++;
	mta_dest_account(d);
	dest_warn_if_clogged(d);
	return e;
}

static void
entry_add_more(struct mta_entry *e, const struct mta_recipient *to)
{
	struct mta_rcpt *r = mta_pool_take_raw(&e->dest->qmgr->rcpts);

	r->to = *to;
	r->next = NULL;
	if (e->more)
		e->last->next = r;
	else
		e->more = r;
	e->last = r;
}

static void
entry_add(struct mta_entry *e, const struct mta_recipient *to)
{
	struct mta_job *j = e->peer->job;

	if (e->rcpt_count == 0)
		e->to = *to;
	else
		entry_add_more(e, to);
	e->rcpt_count++;
	j->rcpt_count++;
	j->mail->rcpt_count++;
	e->dest->qmgr->rcpt_total++;
}

/* R-BATCH: behind the last waiting entry of the peer while that has room. */
void
mta_job_assign(struct mta_job *j, struct mta_dest *d,
	       const struct mta_recipient *to)
{
	struct mta_peer *p = peer_obtain(j, d);
	int32_t limit = d->transport->params.destination_recipient_limit;

	if (!p->first || (limit != 0 && p->last->rcpt_count >= limit))
		entry_create(p);
	entry_add(p->last, to);
}

/* ---- starting and ending ------------------------------------------------- */

/* It is no longer one of those that wait for an agent. */
static void
entry_leave_todo(struct mta_entry *e)
{
	struct mta_peer *p = e->peer;

	mta_assert(p->first == e); /* both lists have the same order */
	p->first = e->next;
	mta_list_remove(&e->in_dest);
	if (!p->first)
		mta_order_peer_rests(p);
	p->job->selected++;
	e->dest->todo_count--;
}

void
mta_entry_start(struct mta_entry *e)
{
	struct mta_dest *d = e->dest;

	mta_assert(!e->is_busy);
	entry_leave_todo(e);
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
		d->busy_count--;
	} else {
		/* That a blocked job waited here stays known (F6.10). */
		if (mta_job_is_blocked(e->peer->job))
			d->tag = d->transport->tag;
		entry_leave_todo(e);
		mta_job_reclassify(e->peer->job);
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
	while (e->more) {
		struct mta_rcpt *r = e->more;

		e->more = r->next;
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
		mta_dest_rest(d);
	if (d->state != MTA_DEST_SUSPENDED && mta_order_is_awaited(d))
		mta_dest_unblock(d);
	mta_pool_give(&q->entries, e);
	p->entry_count--;
	if (p->entry_count == 0)
		peer_free(p);
	if (was_busy)
		d->last_done_s = mta_host_second(&q->host);
	mta_dest_forget_if_idle(d);
	m->entry_count--;
	if (m->entry_count == 0)
		mta_qmail_done(q, m);
}

/* ---- giving up on what waits (F9.3) -------------------------------------- */

/* The recipients go to a new entry of the same mail; the old one ends. */
static void
entry_move_to(struct mta_entry *e, struct mta_dest *d)
{
	struct mta_qmail *m = e->peer->job->mail;
	struct mta_job *j = mta_job_obtain(m, d->transport);
	struct mta_entry *moved = entry_create(peer_obtain(j, d));

	moved->to = e->to;
	moved->more = e->more;
	moved->last = e->last;
	moved->rcpt_count = e->rcpt_count;
	mta_job_reclassify(j);
	j->rcpt_count += e->rcpt_count;
	e->peer->job->rcpt_count -= e->rcpt_count;
	e->more = NULL;
	e->rcpt_count = 0;
	mta_entry_finish(e);
}

static void
entry_defer_here(struct mta_entry *e, struct mta_status status)
{
	struct mta_qmail *m = e->peer->job->mail;

	mta_qmail_defer_rcpt(e->dest->qmgr, m, &e->to, status);
	for (struct mta_rcpt *r = e->more; r; r = r->next)
		mta_qmail_defer_rcpt(e->dest->qmgr, m, &r->to, status);
	mta_entry_finish(e);
}

/* R-DEFER-WAITING */
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
