/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The scheduler of one transport: which entry goes to the agent that is ready.
 *
 * Jobs stand in `order`. The current job hands out its entries until it has
 * none left; a job that cannot start anything now is blocked and is passed over
 * until a destination it waits for may be usable again. While the current job
 * hands out entries it earns credit, and a smaller job may jump before it by
 * paying (preemption): it becomes its child, one level up, and what it did not
 * use is refunded when it leaves the stack.
 *
 * Decisions are here; order.c finds the next job to look at without a walk. Not
 * here: windows and death (dest.c), reading recipients (qmgr_feed.c).
 */
#include "mta/pure.h"

#include "mta/order.h"
#include "mta/panic.h"

static bool
job_has_entries(const struct mta_job *j)
{
	return j->selected < j->read;
}

static struct mta_job_view
job_view(const struct mta_job *j)
{
	return (struct mta_job_view){
		.read = j->read,
		.selected = j->selected,
		.unread = j->mail->unread,
		.avail = j->avail,
	};
}

static void
cache_clear(struct mta_transport *t)
{
	t->cache.owner = NULL;
}

/* ---- recipient slots (F6.9) --------------------------------------------- */

static void
job_take_pool(struct mta_job *j)
{
	struct mta_transport *t = j->transport;

	if (t->slots <= 0)
		return;
	j->rcpt_limit += t->slots;
	j->mail->rcpt_limit += t->slots;
	t->slots = 0;
}

static void
job_give_spare(struct mta_job *j)
{
	struct mta_transport *t = j->transport;
	struct mta_qmail *m = j->mail;
	int64_t spare = mta_slots_spare(
		(struct mta_slot_account){.limit = j->rcpt_limit,
					  .count = j->rcpt_count},
		(struct mta_slot_account){.limit = m->rcpt_limit,
					  .count = m->rcpt_count});

	j->rcpt_limit -= spare;
	m->rcpt_limit -= spare;
	t->slots += spare;
	if (spare > 0 && t->next_unread)
		job_take_pool(t->next_unread);
}

/* Return recipient slots that the job may spare (F6.9). R-SLOTS-NEXT: who gets
 * them is another job. */
static inline void
job_give_slots(struct mta_job *j)
{
	struct mta_transport *t = j->transport;

	if (t->next_unread == j)
		t->next_unread = mta_order_next_unread(j);
	if (j->rcpt_limit > j->rcpt_count)
		job_give_spare(j);
}

void
mta_job_entry_ended(struct mta_job *j)
{
	struct mta_qmail *m = j->mail;

	for (struct mta_job *other = m->jobs; other; other = other->next)
		if (other != j && other->rcpt_limit > other->rcpt_count &&
		    (other->level < 0 || m->more == 0))
			job_give_slots(other);
	if (m->more == 0)
		job_give_slots(j);
}

/* ---- on and off the lists (F6.4, F6.11, F6.12) --------------------------- */

/* R-JOB-ORDER: behind the last job that is not a guest and not younger. */
static void
job_link_order(struct mta_job *j)
{
	struct mta_transport *t = j->transport;
	bool becomes_current = t->current == NULL;
	struct mta_job *before = NULL;

	for (struct mta_list *l = t->order.prev; l != &t->order; l = l->prev) {
		struct mta_job *p =
			mta_container_of(l, struct mta_job, in_order);

		if (!p->parent && p->mail->queued_s <= j->mail->queued_s)
			break;
		if (p == t->current)
			becomes_current = true;
		before = p;
	}
	mta_order_insert(j, before);
	if (becomes_current)
		t->current = j;
}

/* R-SLOTS-NEXT: the earlier one is first in the line for recipient slots. */
static void
job_link_slots(struct mta_job *j)
{
	struct mta_transport *t = j->transport;
	struct mta_job *old = t->next_unread;

	if (old && !mta_job_is_later(old, j))
		return;
	t->next_unread = j;
	if (old)
		job_give_slots(old);
}

/* The entry that it is linked for decides where it is indexed. */
static void
job_link(struct mta_job *j)
{
	mta_assert(j->level < 0);
	job_link_order(j);
	j->level = 0;
	job_link_slots(j);
	job_take_pool(j);
}

/* Leave the stack of preemption: settle with the parent, hand it the children.
 * R-PREEMPT-PRICE: no refund from a parent that was inherited. */
static void
job_pop(struct mta_job *j)
{
	struct mta_job *parent = j->parent;

	mta_assert(j->level > 0);
	if (parent) {
		if (j->level == parent->level + 1)
			parent->avail -= mta_slot_price(&j->transport->slot_law,
							j->used);
		mta_list_remove(&j->in_children);
	}
	while (!mta_list_is_empty(&j->children)) {
		struct mta_list *l = j->children.next;

		mta_list_remove(l);
		mta_container_of(l, struct mta_job, in_children)->parent =
			parent;
		if (parent)
			mta_list_append(&parent->children, l);
	}
	j->parent = NULL;
	j->level = 0;
	cache_clear(j->transport);
}

static inline void
job_unlink(struct mta_job *j)
{
	struct mta_transport *t = j->transport;

	mta_assert(j->level == 0);
	while (!mta_list_is_empty(&j->children)) {
		struct mta_list *l = j->children.next;

		mta_list_remove(l);
		mta_container_of(l, struct mta_job, in_children)->parent = NULL;
	}
	if (t->cache.owner == j || t->cache.result == j)
		cache_clear(t);
	mta_order_remove(j);
	j->level = -1;
}

/* Off the lists, but still its mail's: it can come back. */
static void
job_retire(struct mta_job *j)
{
	if (j->level > 0)
		job_pop(j);
	job_give_slots(j);
	job_unlink(j);
}

void
mta_job_free(struct mta_job *j)
{
	mta_assert(j == j->mail->jobs);
	if (j->level >= 0)
		job_retire(j);
	else
		job_give_slots(j);
	mta_assert(j->rcpt_limit == 0);
	mta_assert(mta_list_is_empty(&j->peers));
	j->mail->jobs = j->next;
	if (j == &j->mail->first_job)
		j->transport = NULL;
	else
		mta_pool_give(&j->transport->qmgr->jobs, j);
}

/* ---- making jobs (F6.3) -------------------------------------------------- */

/* All but the place in the order, which mta_order_insert sets. */
static struct mta_job *
job_create(struct mta_qmail *m, struct mta_transport *t)
{
	struct mta_job *j = &m->first_job;

	if (j->transport)
		j = mta_pool_take_raw(&t->qmgr->jobs);
	mta_list_init(&j->in_special);
	mta_list_init(&j->in_unread);
	mta_list_init(&j->children);
	mta_list_init(&j->peers);
	j->first_peer.dest = NULL;
	j->mail = m;
	j->transport = t;
	j->parent = NULL;
	j->last_peer = NULL;
	j->peer_count = 0;
	j->level = -1;
	j->avail = 0;
	j->used = 0;
	j->selected = 0;
	j->read = 0;
	j->rcpt_count = 0;
	j->rcpt_limit = 0;
	j->exempt_tag = 0;
	j->next = NULL;
	return j;
}

struct mta_job *
mta_job_obtain(struct mta_qmail *m, struct mta_transport *t)
{
	struct mta_job **link = &m->jobs;
	struct mta_job *j;

	while (*link && (*link)->transport != t)
		link = &(*link)->next;
	if (!*link)
		*link = job_create(m, t);
	j = *link;
	if (j->level < 0)
		job_link(j);
	cache_clear(t);
	if (mta_job_is_blocked(j)) {
		mta_order_free_one(j);
		t->current = mta_order_head(t);
	}
	return j;
}

void
mta_job_was_read(struct mta_job *j)
{
	if (job_has_entries(j) && !mta_job_is_blocked(j))
		cache_clear(j->transport);
	mta_job_reclassify(j);
	if (j->mail->more == 0)
		job_give_slots(j);
}

/* ---- preemption (F6.7, F6.8) --------------------------------------------- */

/*
 * R-CANDIDATE: of the jobs behind c, the one with the greatest age for each
 * entry it may need, if c can pay for it. Parents and blocked ones are passed
 * over; once an unstacked job is younger than the best score, no later
 * one can win.
 */
static struct mta_job *
candidate_search(const struct mta_job *c, int64_t now_s)
{
	const struct mta_job_view owner = job_view(c);
	int64_t room = mta_candidate_room(&c->transport->slot_law, &owner);
	struct mta_job *best = NULL;
	double top = 0.0;
	struct mta_job *j;

	if (room <= 0)
		return NULL;
	for (j = mta_order_next_free(c); j; j = mta_order_next_free(j)) {
		int64_t age_s = now_s - j->mail->queued_s + 1;
		const struct mta_job_view v = job_view(j);

		if (!mta_list_is_empty(&j->children))
			continue;
		if (mta_candidate_fits(&v, room) &&
		    mta_candidate_score(&v, age_s) > top) {
			top = mta_candidate_score(&v, age_s);
			best = j;
		}
		if (j->level == 0 && mta_candidate_search_ends(age_s, top))
			break;
	}
	return best;
}

static struct mta_job *
job_candidate(struct mta_job *c)
{
	struct mta_candidate_cache *cache = &c->transport->cache;
	int64_t now_s = mta_host_second(&c->transport->qmgr->host);

	if (cache->owner == c && (cache->time_s == now_s || !cache->result))
		return cache->result;
	cache->result = candidate_search(c, now_s);
	cache->owner = c;
	cache->time_s = now_s;
	return cache->result;
}

static void
job_trace_jumped(const struct mta_job *j, const struct mta_job *c, int64_t need)
{
	const struct mta_transport *t = c->transport;
	const struct mta_host *h = &t->qmgr->host;

	if (!mta_trace_wants(h->trace, MTA_TRACE_JUMPED))
		return;
	mta_trace_deliver(h->trace, MTA_TRACE_JUMPED,
			  &(struct mta_trace_jumped){
				  .at = h->loop->now,
				  .file = j->mail->file,
				  .serial = j->mail->shown.envelope.serial,
				  .over_serial = c->mail->shown.envelope.serial,
				  .transport = t->name,
				  .loan = t->slot_law.loan,
				  .discount = t->slot_law.discount,
				  .credit = c->avail,
				  .need = need,
				  .price = mta_slot_price(&t->slot_law, need),
			  });
}

/* Put j before c, one level up, and let it pay. R-PREEMPT-PRICE */
static void
job_jump(struct mta_job *j, struct mta_job *c, int64_t need)
{
	struct mta_transport *t = c->transport;

	if (j->level > 0)
		job_pop(j);
	mta_order_advance(j, c);
	j->parent = c;
	mta_list_append(&c->children, &j->in_children);
	j->level = c->level + 1;
	t->current = j;
	cache_clear(t);
	c->avail -= mta_slot_price(&t->slot_law, need);
	j->used = -need;
	if (j->mail->more != 0) {
		int64_t advance = mta_preempt_advance(
			t->params.extra_recipient_limit, t->slots);

		j->rcpt_limit += advance;
		j->mail->rcpt_limit += advance;
		t->slots -= advance;
	}
}

/* A job that may be preempted is, by a candidate that it can pay for. */
MTA_APART static void
job_preempt(struct mta_job *c)
{
	const struct mta_slot_law *law = &c->transport->slot_law;
	struct mta_job_view current = job_view(c);
	struct mta_job_view v;
	struct mta_job *j;
	int64_t need;

	j = job_candidate(c);
	if (!j)
		return;
	v = job_view(j);
	need = mta_job_need(&v);
	if (!mta_job_can_afford(law, &current, need))
		return;
	job_trace_jumped(j, c, need);
	job_jump(j, c, need);
}

static bool
job_may_be_preempted(const struct mta_job *c)
{
	const struct mta_slot_law *law = &c->transport->slot_law;
	const struct mta_job_view current = job_view(c);

	return mta_preemption_is_on(law) &&
	       mta_job_may_be_preempted(law, &current);
}

/* ---- selection (F6.5, F6.6) ---------------------------------------------- */

/* R-PEER-TURN: round robin over the destinations of one job. */
static struct mta_peer *
job_peer_in_turn(struct mta_job *j)
{
	struct mta_list *l;

	for (l = j->peers.next; l != &j->peers; l = l->next) {
		struct mta_peer *p =
			mta_container_of(l, struct mta_peer, in_job);

		if (p->first &&
		    mta_dest_window(p->dest) > p->dest->busy_count) {
			mta_list_rotate(&j->peers, l);
			return p;
		}
	}
	return NULL;
}

/* A refill that fails (the file has gone) is noticed when the mail is done. */
MTA_APART static void
job_refill(struct mta_job *j)
{
	enum mta_err err = mta_qmail_refill(j->transport->qmgr, j->mail);

	(void)err;
}

static bool
job_refill_is_due(const struct mta_job *j)
{
	const struct mta_qmail *m = j->mail;
	const struct mta_transport *t = j->transport;

	if (m->more == 0 || m->entry_count == 0)
		return false;
	return mta_refill_is_due(&(struct mta_refill_view){
		.refill_limit = t->params.recipient_refill_limit,
		.refill_delay_s = t->params.recipient_refill_delay_s,
		.free_slots = m->rcpt_limit - m->rcpt_count,
		.since_read_s = mta_host_second(&t->qmgr->host) - m->read_s,
	});
}

static struct mta_peer *
job_pick_peer(struct mta_job *j)
{
	struct mta_qmail *m = j->mail;
	struct mta_peer *p;

	if (job_refill_is_due(j))
		job_refill(j);
	if (job_has_entries(j)) {
		p = job_peer_in_turn(j);
		if (p)
			return p;
	}
	if (m->more == 0 || m->entry_count == 0 ||
	    m->rcpt_limit <= m->rcpt_count)
		return NULL;
	job_refill(j);
	return job_has_entries(j) ? job_peer_in_turn(j) : NULL;
}

static struct mta_entry *
job_start_entry(struct mta_job *j, struct mta_peer *p)
{
	struct mta_transport *t = j->transport;
	struct mta_entry *e = p->first;

	mta_entry_start(e);
	e->has_jumped =
		j->level > 0; /* its last entry takes it off the stack */
	j->avail++;
	j->used++;
	if (j != t->cache.owner)
		cache_clear(t);
	t->current = j;
	if (!job_has_entries(j) && j->mail->more == 0)
		job_retire(j);
	else
		mta_job_reclassify(j);
	return e;
}

/* R-BLOCKER: the job that the walk stopped at can start nothing. */
static void
job_turned_down(struct mta_job *j)
{
	if (job_has_entries(j))
		mta_order_block(j);
	else
		job_retire(j);
}

struct mta_entry *
mta_job_select(struct mta_transport *t)
{
	struct mta_job *j = t->current;

	if (!j)
		return NULL;
	if (job_may_be_preempted(j))
		job_preempt(j);
	while ((j = mta_order_next_stop(t)) != NULL) {
		struct mta_peer *p = job_pick_peer(j);

		if (p)
			return job_start_entry(j, p);
		job_turned_down(j);
	}
	t->current = NULL;
	return NULL;
}

/* R-UNBLOCK */
void
mta_dest_unblock(struct mta_dest *d)
{
	struct mta_transport *t = d->transport;
	bool is_usable = mta_dest_window(d) > d->busy_count;

	mta_assert(mta_order_is_awaited(d));
	if (is_usable && d->todo_count > 0) {
		mta_order_free_all(t);
		t->current = mta_order_head(t);
		cache_clear(t);
	}
	if (is_usable || d->state == MTA_DEST_DEAD)
		d->tag = 0;
}
