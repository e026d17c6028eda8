/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * F6 step by step; each function names its fact. State: the arrays of
 * naive_sched.h. A job is on both lists of its transport or on none (level -1).
 * Asserted: recipient slots are conserved (a job ends with limit 0). Not here:
 * deliveries, feedback, throttled transports.
 */
#include "tests/reference/naive_sched.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	READ_MOST = 5000
}; /* F5.2: never more in one read */

struct ns_sched {
	int recipient_limit;
	int recipient_minimum;
	int rcpt_total;
	ns_resolve_fn resolve;
	void *ctx;
	struct ns_list transports;
};

struct ns_peer {
	struct ns_job *job;
	struct ns_queue *queue;
	struct ns_list entries; /* waiting */
	int refs;		/* waiting and busy */
};

struct ns_job {
	struct ns_msg *msg;
	struct ns_transport *transport;
	int level; /* -1 not on the lists */
	struct ns_job *parent;
	struct ns_list children;
	struct ns_list peers;
	int avail;
	int used;
	int selected;
	int read;
	int rcpt_count;
	int rcpt_limit;
	int tag;
};

/* ---- lists ---- */

static void *
must(void *p)
{
	if (p == NULL)
		abort();
	return p;
}

static void
list_insert(struct ns_list *l, size_t pos, void *x)
{
	assert(pos <= l->n);
	if (l->n == l->room) {
		l->room = l->room == 0 ? 8 : 2 * l->room;
		l->at = must(realloc(l->at, l->room * sizeof(*l->at)));
	}
	memmove(l->at + pos + 1, l->at + pos, (l->n - pos) * sizeof(*l->at));
	l->at[pos] = x;
	l->n++;
}

static void
list_append(struct ns_list *l, void *x)
{
	list_insert(l, l->n, x);
}

static size_t
list_index(const struct ns_list *l, const void *x)
{
	size_t i = 0;

	while (i < l->n && l->at[i] != x)
		i++;
	return i;
}

static void
list_remove(struct ns_list *l, const void *x)
{
	size_t i = list_index(l, x);

	assert(i < l->n);
	l->n--;
	memmove(l->at + i, l->at + i + 1, (l->n - i) * sizeof(*l->at));
}

static void *
list_after(const struct ns_list *l, const void *x)
{
	size_t i = list_index(l, x);

	assert(i < l->n);
	return i + 1 < l->n ? l->at[i + 1] : NULL;
}

/* Ring-rotate (F0.3): x becomes last, what stood behind it comes first. */
static void
list_rotate(struct ns_list *l, const void *x)
{
	size_t cut = list_index(l, x) + 1;

	assert(cut <= l->n);
	for (; cut > 0; cut--) {
		void *head = l->at[0];

		list_remove(l, head);
		list_append(l, head);
	}
}

static void
list_release(struct ns_list *l)
{
	free(l->at);
	*l = (struct ns_list){0};
}

/* ---- words of F6.1 ---- */

/* The monotonous clock of F0.3 counts whole seconds. */
static int64_t
seconds(int64_t us)
{
	return us >= 0 ? us / 1000000 : -((999999 - us) / 1000000);
}

static bool
has(const struct ns_job *j)
{
	return j->selected < j->read;
}

static int
max_e(const struct ns_job *j)
{
	return j->read + j->msg->unread;
}

static bool
blocker(const struct ns_job *j)
{
	return j->tag == j->transport->tag;
}

/* ---- recipient slots ---- */

static int
least(int a, int b)
{
	return a < b ? a : b;
}

/* F6.9 */
static void
give_away(struct ns_job *j)
{
	struct ns_transport *t = j->transport;
	int spare;

	if (t->next_unread == j) {
		struct ns_job *nx = list_after(&t->by_time, j);

		while (nx != NULL && !nx->msg->more)
			nx = list_after(&t->by_time, nx);
		t->next_unread = nx;
	}
	spare = least(j->rcpt_limit - j->rcpt_count,
		      j->msg->rcpt_limit - j->msg->rcpt_count);
	if (spare <= 0)
		return;
	j->rcpt_limit -= spare;
	j->msg->rcpt_limit -= spare;
	t->pool += spare;
	if (t->next_unread != NULL && t->pool > 0) {
		t->next_unread->rcpt_limit += t->pool;
		t->next_unread->msg->rcpt_limit += t->pool;
		t->pool = 0;
	}
}

/* ---- linking ---- */

/* F6.4 */
static void
job_link(struct ns_job *j)
{
	struct ns_transport *t = j->transport;
	int64_t mine = j->msg->queued_s;
	bool walked_cur = t->cur == NULL;
	bool walked_unread = t->next_unread == NULL;
	size_t pos;

	assert(j->level == -1);
	for (pos = t->jobs.n; pos > 0; pos--) {
		struct ns_job *p = t->jobs.at[pos - 1];

		if (p->parent == NULL && p->msg->queued_s <= mine)
			break;
		if (p == t->cur)
			walked_cur = true;
	}
	list_insert(&t->jobs, pos, j);
	if (walked_cur)
		t->cur = j;
	for (pos = t->by_time.n; pos > 0; pos--) {
		struct ns_job *p = t->by_time.at[pos - 1];

		if (p->msg->queued_s <= mine)
			break;
		if (p == t->next_unread)
			walked_unread = true;
	}
	list_insert(&t->by_time, pos, j);
	if (walked_unread) {
		struct ns_job *old = t->next_unread;

		t->next_unread = j;
		if (old != NULL)
			give_away(old);
	}
	j->level = 0;
	if (t->pool > 0) {
		j->rcpt_limit += t->pool;
		j->msg->rcpt_limit += t->pool;
		t->pool = 0;
	}
}

/* F6.11 */
static void
job_pop(struct ns_job *j)
{
	struct ns_job *up = j->parent;

	if (up != NULL && j->level == up->level + 1)
		up->avail -= j->used * j->transport->p.slot_cost;
	if (up != NULL)
		list_remove(&up->children, j);
	for (size_t i = 0; i < j->children.n; i++) {
		struct ns_job *c = j->children.at[i];

		c->parent = up;
		if (up != NULL)
			list_append(&up->children, c);
	}
	j->children.n = 0;
	j->parent = NULL;
	j->level = 0;
	j->transport->cache_owner = NULL;
}

/* F6.12 */
static void
job_unlink(struct ns_job *j)
{
	struct ns_transport *t = j->transport;

	assert(j->level == 0);
	for (size_t i = 0; i < j->children.n; i++)
		((struct ns_job *)j->children.at[i])->parent = NULL;
	j->children.n = 0;
	if (t->cur == j)
		t->cur = list_after(&t->jobs, j);
	list_remove(&t->jobs, j);
	list_remove(&t->by_time, j);
	j->level = -1;
	if (t->cache_owner == j || t->cache_result == j)
		t->cache_owner = NULL;
}

static void
job_retire(struct ns_job *j)
{
	if (j->level > 0)
		job_pop(j);
	give_away(j);
	job_unlink(j);
}

/* F6.3 */
static struct ns_job *
job_obtain(struct ns_msg *m, struct ns_transport *t)
{
	struct ns_job *j = NULL;

	for (size_t i = 0; i < m->jobs.n; i++)
		if (((struct ns_job *)m->jobs.at[i])->transport == t)
			j = m->jobs.at[i];
	if (j == NULL) {
		j = must(calloc(1, sizeof(*j)));
		j->msg = m;
		j->transport = t;
		j->level = -1;
		list_append(&m->jobs, j);
	}
	if (j->level < 0)
		job_link(j);
	t->cache_owner = NULL;
	if (blocker(j)) {
		j->tag = 0;
		t->cur = t->jobs.at[0];
	}
	return j;
}

static struct ns_peer *
peer_obtain(struct ns_job *j, struct ns_queue *q)
{
	struct ns_peer *p;

	for (size_t i = 0; i < j->peers.n; i++) {
		p = j->peers.at[i];
		if (p->queue == q)
			return p;
	}
	p = must(calloc(1, sizeof(*p)));
	p->job = j;
	p->queue = q;
	list_append(&j->peers, p);
	return p;
}

static struct ns_entry *
entry_new(struct ns_msg *m, struct ns_queue *q)
{
	struct ns_job *j = job_obtain(m, q->transport);
	struct ns_peer *p = peer_obtain(j, q);
	struct ns_entry *e = must(calloc(1, sizeof(*e)));

	e->msg = m;
	e->job = j;
	e->peer = p;
	e->queue = q;
	list_append(&p->entries, e);
	list_append(&q->todo, e);
	p->refs++;
	m->refs++;
	j->read++;
	return e;
}

static void
entry_add(struct ns_entry *e, struct ns_rcpt *r)
{
	list_append(&e->rcpts, r);
	e->job->rcpt_count++;
	e->msg->rcpt_count++;
	e->msg->sched->rcpt_total++;
}

/* ---- reading (F5.2, F5.6, F5.7) ---- */

static const char *
domain_of(const char *address)
{
	const char *at = strrchr(address, '@');

	return at == NULL ? NULL : at + 1;
}

static int
address_order(const struct ns_rcpt *a, const struct ns_rcpt *b)
{
	const char *da = domain_of(a->address);
	const char *db = domain_of(b->address);
	int d;

	if (da == NULL || db == NULL)
		d = (da == NULL) - (db == NULL);
	else
		d = strcasecmp(da, db);
	return d != 0 ? d : strcmp(a->address, b->address);
}

struct bound { /* a recipient and where it goes */
	struct ns_rcpt *r;
	struct ns_queue *q;
};

static int
bound_order(const struct bound *a, const struct bound *b)
{
	int d;

	if (a->q == NULL || b->q == NULL)
		d = (a->q == NULL) - (b->q == NULL);
	else if ((d = strcmp(a->q->transport->name, b->q->transport->name)) ==
		 0)
		d = strcmp(a->q->name, b->q->name);
	return d != 0 ? d : address_order(a->r, b->r);
}

/* Insertion sort: stable, and nothing to get wrong. */
static void
bound_sort(struct bound *v, int n)
{
	for (int i = 1; i < n; i++) {
		struct bound x = v[i];
		int k = i;

		for (; k > 0 && bound_order(&v[k - 1], &x) > 0; k--)
			v[k] = v[k - 1];
		v[k] = x;
	}
}

static void
assign(struct ns_msg *m, const struct bound *v, int n)
{
	for (int i = 0; i < n; i++) {
		struct ns_queue *q = v[i].q;
		struct ns_entry *e = NULL;
		struct ns_peer *p;
		int most;

		if (q == NULL)
			continue;
		most = q->transport->p.batch_limit;
		p = peer_obtain(job_obtain(m, q->transport), q);
		if (p->entries.n > 0)
			e = p->entries.at[p->entries.n - 1];
		if (e == NULL || (most != 0 && e->rcpts.n >= (size_t)most))
			e = entry_new(m, q);
		entry_add(e, v[i].r);
	}
	for (size_t i = 0; i < m->jobs.n; i++) {
		struct ns_job *j = m->jobs.at[i];

		if (has(j) && !blocker(j))
			j->transport->cache_owner = NULL;
	}
}

static void
read_recipients(struct ns_msg *m, int limit, int64_t now)
{
	struct ns_sched *s = m->sched;
	struct bound *v;
	int n = 0;

	limit = least(limit, READ_MOST);
	v = must(calloc((size_t)m->n + 1, sizeof(*v)));
	m->more = false;
	while (m->next < m->n) {
		struct ns_rcpt *r = &m->rcpts[m->next++];

		m->unread--;
		if (!r->done)
			v[n++].r = r;
		if (n >= limit) { /* stops without having seen the end */
			m->more = true;
			break;
		}
	}
	m->refill_s = seconds(now);
	bound_sort(v, n);
	for (int i = 0; i < n; i++)
		v[i].q = s->resolve(s->ctx, m, v[i].r);
	bound_sort(v, n);
	assign(m, v, n);
	free(v);
	if (!m->more)
		for (size_t i = 0; i < m->jobs.n; i++)
			give_away(m->jobs.at[i]);
}

struct ns_msg *
ns_admit(struct ns_sched *s, struct ns_rcpt *rcpts, int n, int64_t now,
	 void *user)
{
	struct ns_msg *m = must(calloc(1, sizeof(*m)));
	int limit = s->recipient_limit - s->rcpt_total;

	m->sched = s;
	m->rcpts = rcpts;
	m->n = n;
	m->unread = n;
	m->rcpt_limit = s->recipient_minimum;
	m->queued_s = seconds(now);
	m->user = user;
	read_recipients(m, limit > m->rcpt_limit ? limit : m->rcpt_limit, now);
	return m;
}

bool
ns_refill(struct ns_msg *m, int64_t now)
{
	int before = m->refs;

	if (m->more)
		read_recipients(m, m->rcpt_limit - m->rcpt_count, now);
	return m->refs > before;
}

/* ---- selection ---- */

static struct ns_peer *
round_robin(struct ns_job *j)
{
	for (size_t i = 0; i < j->peers.n; i++) {
		struct ns_peer *p = j->peers.at[i];

		if (p->queue->window > p->queue->busy && p->entries.n > 0) {
			list_rotate(&j->peers, p);
			return p;
		}
	}
	return NULL;
}

/* F6.6 */
static struct ns_peer *
pick_peer(struct ns_job *j, int64_t now)
{
	struct ns_msg *m = j->msg;
	const struct ns_params *p = &j->transport->p;
	int room = m->rcpt_limit - m->rcpt_count;
	struct ns_peer *found = NULL;

	if (m->more && m->refs > 0 &&
	    (room >= p->refill_limit ||
	     (room > 0 && seconds(now) - m->refill_s >= p->refill_delay_s)))
		ns_refill(m, now);
	if (has(j))
		found = round_robin(j);
	if (found != NULL)
		return found;
	if (m->more && m->refs > 0 && m->rcpt_limit > m->rcpt_count) {
		ns_refill(m, now);
		if (has(j))
			return round_robin(j);
	}
	return NULL;
}

/* F6.8 */
static struct ns_job *
candidate(struct ns_job *c, int64_t now)
{
	struct ns_transport *t = c->transport;
	struct ns_job *best = NULL;
	double top = 0.0;
	int room;

	if (t->cache_owner == c &&
	    (t->cache_result == NULL || t->cache_time == seconds(now)))
		return t->cache_result;
	room = (c->read - c->selected + c->avail) / t->p.slot_cost;
	for (size_t i = list_index(&t->jobs, c) + 1; room > 0 && i < t->jobs.n;
	     i++) {
		struct ns_job *j = t->jobs.at[i];
		int total = max_e(j);
		int need = total - j->selected;
		double age;

		if (j->children.n > 0 || blocker(j))
			continue;
		age = (double)(seconds(now) - j->msg->queued_s + 1);
		if (need > 0 && need <= room && age / total > top) {
			top = age / total;
			best = j;
		}
		if (age <= top && j->level == 0)
			break;
	}
	t->cache_owner = c;
	t->cache_result = best;
	t->cache_time = seconds(now);
	return best;
}

/* F6.7 */
static struct ns_job *
preempt(struct ns_job *c, int64_t now)
{
	struct ns_transport *t = c->transport;
	struct ns_job *j;
	int need;

	if (c->avail <= 0 || max_e(c) < t->p.min_slots * t->p.slot_cost)
		return c;
	j = candidate(c, now);
	if (j == NULL)
		return c;
	need = max_e(j) - j->selected;
	if (c->avail / t->p.slot_cost + t->p.slot_loan <
	    need * (100 - t->p.slot_discount) / 100.0)
		return c;
	if (j->level > 0)
		job_pop(j);
	list_remove(&t->jobs, j);
	list_insert(&t->jobs, list_index(&t->jobs, c), j);
	j->parent = c;
	list_append(&c->children, j);
	j->level = c->level + 1;
	t->cur = j;
	t->cache_owner = NULL;
	c->avail -= need * t->p.slot_cost;
	j->used = -need;
	if (j->msg->more) {
		int x = (t->p.extra_limit + t->pool + 1) / 2;

		j->rcpt_limit += x;
		j->msg->rcpt_limit += x;
		t->pool -= x;
	}
	return j;
}

static struct ns_entry *
take(struct ns_job *j, struct ns_peer *p)
{
	struct ns_transport *t = j->transport;
	struct ns_entry *e = p->entries.at[0];

	list_remove(&p->entries, e);
	list_remove(&e->queue->todo, e);
	e->busy = true;
	e->queue->busy++;
	j->selected++;
	j->avail++;
	j->used++;
	if (t->cache_owner != j)
		t->cache_owner = NULL;
	t->cur = j;
	if (!has(j) && !j->msg->more)
		job_retire(j);
	return e;
}

/* F6.5 */
struct ns_entry *
ns_select(struct ns_transport *t, int64_t now)
{
	struct ns_job *j = t->cur;

	if (j == NULL)
		return NULL;
	if (t->p.slot_cost >= 2)
		j = preempt(j, now);
	while (j != NULL) {
		struct ns_job *next = list_after(&t->jobs, j);

		if (!blocker(j)) {
			struct ns_peer *p = pick_peer(j, now);

			if (p != NULL)
				return take(j, p);
			if (has(j)) {
				j->tag = t->tag;
				for (size_t i = 0; i < j->peers.n; i++) {
					p = j->peers.at[i];
					if (p->entries.n > 0)
						p->queue->tag = t->tag;
				}
			} else {
				job_retire(j);
			}
		}
		j = next;
	}
	t->cur = NULL;
	return NULL;
}

/* F6.10 */
void
ns_unblock(struct ns_queue *q)
{
	struct ns_transport *t = q->transport;

	if (q->tag != t->tag)
		return;
	if (q->window > q->busy && q->todo.n > 0) {
		t->tag += 2;
		t->cur = t->jobs.n > 0 ? t->jobs.at[0] : NULL;
		t->cache_owner = NULL;
	}
	if (q->window > q->busy || q->window == 0)
		q->tag = 0;
}

/* ---- finishing (F7.11, F6.9) ---- */

void
ns_finish_count(struct ns_entry *e, int64_t now)
{
	struct ns_msg *m = e->msg;
	int n = (int)e->rcpts.n;

	(void)now;
	if (e->busy) {
		e->queue->busy--;
	} else {
		list_remove(&e->peer->entries, e);
		list_remove(&e->queue->todo, e);
		e->job->selected++;
	}
	e->job->rcpt_count -= n;
	m->rcpt_count -= n;
	m->sched->rcpt_total -= n;
	for (size_t i = 0; i < m->jobs.n; i++) {
		struct ns_job *j = m->jobs.at[i];

		if (j != e->job && j->rcpt_limit > j->rcpt_count &&
		    (j->level < 0 || !m->more))
			give_away(j);
	}
	if (!m->more)
		give_away(e->job);
}

bool
ns_finish_drop(struct ns_entry *e, int64_t now)
{
	struct ns_msg *m = e->msg;
	struct ns_peer *p = e->peer;

	(void)now;
	if (--p->refs == 0) {
		list_remove(&p->job->peers, p);
		list_release(&p->entries);
		free(p);
	}
	list_release(&e->rcpts);
	free(e);
	return --m->refs == 0;
}

bool
ns_finish(struct ns_entry *e, int64_t now)
{
	struct ns_queue *q = e->queue;

	ns_finish_count(e, now);
	ns_unblock(q);
	return ns_finish_drop(e, now);
}

void
ns_move_entry(struct ns_entry *e, struct ns_queue *to, int64_t now)
{
	struct ns_entry *fresh = entry_new(e->msg, to);

	assert(!e->busy);
	for (size_t i = 0; i < e->rcpts.n; i++)
		entry_add(fresh, e->rcpts.at[i]);
	ns_finish(e, now);
}

/* ---- making and freeing ---- */

struct ns_sched *
ns_new(int recipient_limit, int recipient_minimum, ns_resolve_fn resolve,
       void *ctx)
{
	struct ns_sched *s = must(calloc(1, sizeof(*s)));

	s->recipient_limit = recipient_limit;
	s->recipient_minimum = recipient_minimum;
	s->resolve = resolve;
	s->ctx = ctx;
	return s;
}

struct ns_transport *
ns_transport_add(struct ns_sched *s, const char *name,
		 const struct ns_params *p)
{
	struct ns_transport *t = must(calloc(1, sizeof(*t)));

	t->name = must(strdup(name));
	t->p = *p;
	t->pool = p->recipient_limit;
	t->tag = 1;
	list_insert(&s->transports, 0, t);
	return t;
}

struct ns_queue *
ns_queue_find(struct ns_transport *t, const char *name)
{
	for (size_t i = 0; i < t->queues.n; i++) {
		struct ns_queue *q = t->queues.at[i];

		if (strcmp(q->name, name) == 0)
			return q;
	}
	return NULL;
}

struct ns_queue *
ns_queue_add(struct ns_transport *t, const char *name)
{
	struct ns_queue *q = must(calloc(1, sizeof(*q)));

	assert(ns_queue_find(t, name) == NULL);
	q->transport = t;
	q->name = must(strdup(name));
	q->window = t->p.initial;
	list_append(&t->queues, q);
	return q;
}

void
ns_queue_drop(struct ns_queue *q)
{
	assert(q->busy == 0);
	assert(q->todo.n == 0);
	list_remove(&q->transport->queues, q);
	list_release(&q->todo);
	free(q->name);
	free(q);
}

static void
job_free(struct ns_job *j)
{
	bool linked = j->level >= 0;

	if (j->level > 0) /* read as for retire: only what is on the stack */
		job_pop(j);
	give_away(j);
	if (linked)
		job_unlink(j);
	assert(j->rcpt_limit == 0);
	assert(j->peers.n == 0);
	list_release(&j->peers);
	list_release(&j->children);
	free(j);
}

void
ns_forget(struct ns_msg *m)
{
	assert(m->refs == 0);
	for (size_t i = 0; i < m->jobs.n; i++)
		job_free(m->jobs.at[i]);
	list_release(&m->jobs);
	free(m->rcpts);
	free(m);
}

int
ns_rcpt_total(const struct ns_sched *s)
{
	return s->rcpt_total;
}

void
ns_free(struct ns_sched *s)
{
	for (size_t i = 0; i < s->transports.n; i++) {
		struct ns_transport *t = s->transports.at[i];

		while (t->queues.n > 0)
			ns_queue_drop(t->queues.at[t->queues.n - 1]);
		list_release(&t->queues);
		list_release(&t->jobs);
		list_release(&t->by_time);
		free(t->name);
		free(t);
	}
	list_release(&s->transports);
	free(s);
}

struct ns_msg *
ns_job_mail(const struct ns_job *j)
{
	return j->msg;
}
