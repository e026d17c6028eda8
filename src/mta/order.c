/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * See order.h for what is kept and why it gives the decisions of the rules.
 *
 * Invariants: every job before `current` is blocked or exempt; a destination in
 * the heap has no blocked job among its peers at the time of a selection,
 * because whatever opens a destination that a blocked job waits for sets all
 * blocked jobs free. tests/reference compares with a scheduler that walks.
 */
#include "mta/pure.h"

#include "mta/order.h"

#include "mta/panic.h"

#define PLACE_GAP  ((int64_t)1 << 24)
#define PLACE_MOST (INT64_MAX / 2)

static struct mta_job *
job_in_order(struct mta_list *l)
{
	return mta_container_of(l, struct mta_job, in_order);
}

static struct mta_job *
job_in_special(struct mta_list *l)
{
	return mta_container_of(l, struct mta_job, in_special);
}

static struct mta_job *
job_in_unread(struct mta_list *l)
{
	return mta_container_of(l, struct mta_job, in_unread);
}

static struct mta_peer *
peer_in_dest(struct mta_tree_node *n)
{
	return mta_container_of(n, struct mta_peer, in_dest);
}

void
mta_order_init(struct mta_transport *t)
{
	mta_list_init(&t->order);
	mta_list_init(&t->unread);
	mta_list_init(&t->exempt);
	mta_list_init(&t->special);
	t->tag = 1;
}

void
mta_order_release(struct mta_transport *t)
{
	free(t->open);
}

struct mta_job *
mta_order_head(const struct mta_transport *t)
{
	if (mta_list_is_empty(&t->order))
		return NULL;
	return job_in_order(t->order.next);
}

struct mta_job *
mta_order_successor(const struct mta_job *j)
{
	struct mta_list *next = j->in_order.next;

	return next == &j->transport->order ? NULL : job_in_order(next);
}

/* ---- the heap of open destinations -------------------------------------- */

static int64_t
open_key(const struct mta_dest *d)
{
	return d->peers.first->key;
}

static void
open_put(struct mta_transport *t, uint32_t place, struct mta_dest *d)
{
	t->open[place - 1] = d;
	d->open_place = place;
}

/* Towards the top, as long as the one above is later. Places count from 1. */
static inline void
open_sift_up(struct mta_transport *t, struct mta_dest *d, uint32_t place)
{
	while (place > 1) {
		uint32_t above = place / 2;

		if (open_key(t->open[above - 1]) <= open_key(d))
			break;
		open_put(t, place, t->open[above - 1]);
		place = above;
	}
	open_put(t, place, d);
}

static void
open_sift_down(struct mta_transport *t, struct mta_dest *d, uint32_t place)
{
	int64_t key = open_key(d);

	for (;;) {
		uint32_t below = place * 2;

		if (below > t->open_count)
			break;
		if (below < t->open_count &&
		    open_key(t->open[below]) < open_key(t->open[below - 1]))
			below++;
		if (open_key(t->open[below - 1]) >= key)
			break;
		open_put(t, place, t->open[below - 1]);
		place = below;
	}
	open_put(t, place, d);
}

static void
open_settle(struct mta_transport *t, struct mta_dest *d, uint32_t place)
{
	open_sift_up(t, d, place);
	if (d->open_place == place)
		open_sift_down(t, d, place);
}

void
mta_order_dest_opens(struct mta_dest *d)
{
	struct mta_transport *t = d->transport;

	mta_assert(d->open_place == 0);
	if (t->open_count == t->open_capacity) {
		t->open_capacity = t->open_capacity ? t->open_capacity * 2 : 16;
		t->open = mta_realloc(t->open, t->open_capacity,
				      sizeof(*t->open));
	}
	t->open_count++;
	open_sift_up(t, d, t->open_count);
}

void
mta_order_dest_closes(struct mta_dest *d)
{
	struct mta_transport *t = d->transport;
	uint32_t place = d->open_place;
	struct mta_dest *last = t->open[--t->open_count];

	mta_assert(t->open[place - 1] == d);
	d->open_place = 0;
	if (last != d)
		open_settle(t, last, place);
}

/* ---- peers by place ----------------------------------------------------- */

/* Another peer is its first: so its place in the heap may be another. */
static inline void
open_key_changed(struct mta_dest *d)
{
	if (d->open_place != 0 && d->peers.first)
		open_settle(d->transport, d, d->open_place);
}

void
mta_order_peer_waits(struct mta_peer *p)
{
	struct mta_dest *d = p->dest;

	p->in_dest.key = p->job->place;
	mta_tree_add(&d->peers, &p->in_dest);
	if (d->peers.first == &p->in_dest)
		open_key_changed(d);
}

void
mta_order_peer_rests(struct mta_peer *p)
{
	struct mta_dest *d = p->dest;
	bool was_first = d->peers.first == &p->in_dest;

	mta_tree_remove(&d->peers, &p->in_dest);
	if (was_first)
		open_key_changed(d);
}

/* Out of the destinations' order while the job has no place. */
static void
peers_leave(struct mta_job *j)
{
	for (struct mta_list *l = j->peers.next; l != &j->peers; l = l->next) {
		struct mta_peer *p =
			mta_container_of(l, struct mta_peer, in_job);

		if (!p->first)
			continue;
		if (p->dest->open_place != 0)
			mta_order_dest_closes(p->dest);
		mta_tree_remove(&p->dest->peers, &p->in_dest);
	}
}

/* And in again. */
static void
peers_return(struct mta_job *j)
{
	for (struct mta_list *l = j->peers.next; l != &j->peers; l = l->next) {
		struct mta_peer *p =
			mta_container_of(l, struct mta_peer, in_job);

		if (!p->first)
			continue;
		p->in_dest.key = j->place;
		mta_tree_add(&p->dest->peers, &p->in_dest);
		if (p->dest->startable > 0)
			mta_order_dest_opens(p->dest);
	}
}

/* ---- blocked, passed, exempt -------------------------------------------- */

static void
exempt_add(struct mta_job *j)
{
	if (mta_job_is_exempt(j))
		return;
	j->exempt_tag = j->transport->tag;
	mta_list_append(&j->transport->exempt, &j->in_exempt);
}

static void
exempt_remove(struct mta_job *j)
{
	if (!mta_job_is_exempt(j))
		return;
	j->exempt_tag = 0;
	mta_list_remove(&j->in_exempt);
}

static void
special_skip_passed(struct mta_transport *t)
{
	while (t->special_next && mta_job_is_passed(t->special_next)) {
		struct mta_list *l = t->special_next->in_special.next;

		t->special_next = l == &t->special ? NULL : job_in_special(l);
	}
}

static void
frontier_set(struct mta_transport *t, struct mta_job *j)
{
	t->frontier = j;
	special_skip_passed(t);
}

void
mta_order_block(struct mta_job *j)
{
	struct mta_transport *t = j->transport;

	exempt_remove(j);
	if (!mta_job_is_passed(j)) {
		mta_assert(t->frontier == j);
		frontier_set(t, mta_order_successor(j));
	}
}

/* R-BLOCKER: what it waited for stays marked, as the rules have it. */
void
mta_order_free_one(struct mta_job *j)
{
	uint64_t tag = j->transport->tag;

	for (struct mta_list *l = j->peers.next; l != &j->peers; l = l->next) {
		struct mta_peer *p =
			mta_container_of(l, struct mta_peer, in_job);

		if (p->first)
			p->dest->tag = tag;
	}
	exempt_add(j);
}

void
mta_order_free_all(struct mta_transport *t)
{
	while (!mta_list_is_empty(&t->exempt))
		mta_list_remove(t->exempt.next);
	t->tag++;
	t->frontier = mta_order_head(t);
	t->special_next = mta_list_is_empty(&t->special)
				  ? NULL
				  : job_in_special(t->special.next);
}

bool
mta_order_peers_wait(const struct mta_dest *d)
{
	struct mta_tree_node *n = d->peers.first;

	for (; n; n = mta_tree_next(n)) {
		const struct mta_job *j = peer_in_dest(n)->job;

		if (mta_job_is_blocked(j))
			return true;
		if (!mta_job_is_passed(j))
			return false;
	}
	return false;
}

/* ---- the walk ----------------------------------------------------------- */

static struct mta_job *
earlier(struct mta_job *a, struct mta_job *b)
{
	if (!a || (b && b->place < a->place))
		return b;
	return a;
}

/* The earliest exempt job behind a place. There are few. */
static struct mta_job *
exempt_first(const struct mta_transport *t, int64_t behind)
{
	struct mta_job *best = NULL;

	for (struct mta_list *l = t->exempt.next; l != &t->exempt;
	     l = l->next) {
		struct mta_job *j =
			mta_container_of(l, struct mta_job, in_exempt);

		if (j->place > behind)
			best = earlier(best, j);
	}
	return best;
}

struct mta_job *
mta_order_next_stop(struct mta_transport *t)
{
	struct mta_job *stop = exempt_first(t, INT64_MIN);

	stop = earlier(stop, t->special_next);
	if (t->open_count > 0)
		stop = earlier(stop,
			       peer_in_dest(t->open[0]->peers.first)->job);
	if (!stop) {
		frontier_set(t, NULL);
		return NULL;
	}
	mta_assert(!mta_job_is_blocked(stop));
	if (!mta_job_is_passed(stop) && t->frontier != stop)
		frontier_set(t, stop);
	return stop;
}

struct mta_job *
mta_order_next_free(const struct mta_job *j)
{
	struct mta_job *next = mta_order_successor(j);
	struct mta_job *exempt;

	if (!next || !mta_job_is_passed(next))
		return next;
	exempt = exempt_first(j->transport, j->place);
	return exempt ? exempt : j->transport->frontier;
}

/* ---- special and unread jobs -------------------------------------------- */

static bool
is_off(const struct mta_list *l)
{
	return l->next == l;
}

static void
special_add(struct mta_job *j)
{
	struct mta_transport *t = j->transport;
	struct mta_list *l = t->special.prev;

	while (l != &t->special && job_in_special(l)->place > j->place)
		l = l->prev;
	mta_list_insert_before(l->next, &j->in_special);
	if (!mta_job_is_passed(j))
		t->special_next = earlier(j, t->special_next);
}

static void
special_remove(struct mta_job *j)
{
	struct mta_transport *t = j->transport;

	if (t->special_next == j) {
		struct mta_list *l = j->in_special.next;

		t->special_next = l == &t->special ? NULL : job_in_special(l);
	}
	mta_list_remove(&j->in_special);
}

bool
mta_job_is_later(const struct mta_job *a, const struct mta_job *b)
{
	if (a->mail->queued_s != b->mail->queued_s)
		return a->mail->queued_s > b->mail->queued_s;
	return a->link_count > b->link_count;
}

static void
unread_add(struct mta_job *j)
{
	struct mta_transport *t = j->transport;
	struct mta_list *l = t->unread.prev;

	while (l != &t->unread && mta_job_is_later(job_in_unread(l), j))
		l = l->prev;
	mta_list_insert_before(l->next, &j->in_unread);
}

struct mta_job *
mta_order_next_unread(const struct mta_job *j)
{
	const struct mta_transport *t = j->transport;
	struct mta_list *l = t->unread.next;

	while (l != &t->unread && !mta_job_is_later(job_in_unread(l), j))
		l = l->next;
	return l == &t->unread ? NULL : job_in_unread(l);
}

void
mta_order_index(struct mta_job *j)
{
	bool is_special = mta_order_is_special(j);

	if (j->level < 0)
		return;
	if (is_special && is_off(&j->in_special))
		special_add(j);
	else if (!is_special && !is_off(&j->in_special))
		special_remove(j);
	if (j->mail->more != 0 && is_off(&j->in_unread))
		unread_add(j);
	else if (j->mail->more == 0 && !is_off(&j->in_unread))
		mta_list_remove(&j->in_unread);
}

/* ---- places ------------------------------------------------------------- */

/* The job's place, and that of its peers. */
static void
job_place(struct mta_job *j, int64_t place)
{
	j->place = place;
	for (struct mta_list *l = j->peers.next; l != &j->peers; l = l->next)
		mta_container_of(l, struct mta_peer, in_job)->in_dest.key =
			place;
}

MTA_RARE static void
order_renumber(struct mta_transport *t)
{
	int64_t place = 0;

	for (struct mta_list *l = t->order.next; l != &t->order; l = l->next) {
		place += PLACE_GAP;
		job_place(job_in_order(l), place);
	}
}

/* A number between the neighbours, which have room for one. */
static void
order_number(struct mta_job *j)
{
	struct mta_transport *t = j->transport;
	bool is_first = j->in_order.prev == &t->order;
	bool is_last = j->in_order.next == &t->order;
	int64_t low = is_first ? 0 : job_in_order(j->in_order.prev)->place;
	int64_t high;

	if (is_last) {
		j->place = low + PLACE_GAP;
	} else {
		high = job_in_order(j->in_order.next)->place;
		if (is_first)
			low = high - 2 * PLACE_GAP;
		j->place = low + (high - low) / 2;
		if (j->place == low)
			order_renumber(t);
	}
	if (j->place > PLACE_MOST || j->place < -PLACE_MOST)
		order_renumber(t);
}

static inline void
order_put(struct mta_job *j, struct mta_job *before)
{
	struct mta_transport *t = j->transport;

	mta_list_insert_before(before ? &before->in_order : &t->order,
			       &j->in_order);
	order_number(j);
	if (before == t->frontier)
		t->frontier = j;
	else if (mta_job_is_passed(j))
		exempt_add(j);
}

void
mta_order_insert(struct mta_job *j, struct mta_job *before)
{
	j->link_count = j->transport->link_count++;
	order_put(j, before);
}

static inline void
order_take(struct mta_job *j)
{
	struct mta_transport *t = j->transport;

	exempt_remove(j);
	if (!is_off(&j->in_special))
		special_remove(j);
	if (t->frontier == j)
		t->frontier = mta_order_successor(j);
	mta_list_remove(&j->in_order);
}

void
mta_order_remove(struct mta_job *j)
{
	struct mta_transport *t = j->transport;

	if (t->current == j)
		t->current = mta_order_successor(j);
	if (!is_off(&j->in_unread))
		mta_list_remove(&j->in_unread);
	order_take(j);
}

void
mta_order_advance(struct mta_job *j, struct mta_job *before)
{
	peers_leave(j);
	order_take(j);
	order_put(j, before);
	peers_return(j);
	mta_job_reclassify(j);
}
