/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The queue manager of the naive model: the pass of F4.3, admission (F4.7, F5),
 * agents (F8.3, F8.5), reports (F9.2), completion (F9.7) and the timers of
 * F0.4. One wake: due timers, then what has come in, then one pass; after a
 * pass that did something the next one follows at once, else it sleeps whole
 * seconds to the first timer, counted from this wake. Scheduling is
 * naive_sched's, windows are feedback_model's.
 *
 * Not modelled: throttled transports, transport rate delay, delay warnings,
 * damaged files.
 */
#include "tests/reference/naive_world.h"

#include <stdlib.h>
#include <string.h>

enum {
	TIMER_SCAN,
	TIMER_REVIVE,
	TIMER_RESUME
};
enum {
	SCAN_START = 1,
	SCAN_ALL = 2
};
enum {
	INCOMING,
	DEFERRED
};

static void *
must(void *p)
{
	if (p == NULL)
		abort();
	return p;
}

int64_t
nw_seconds(int64_t us)
{
	return us >= 0 ? us / 1000000 : -((999999 - us) / 1000000);
}

/* ---- parameters ---- */

static int64_t
seconds_of(const char *text)
{
	char *end;
	int64_t n = strtoll(text, &end, 10);

	return n * (*end == 'm'	  ? 60
		    : *end == 'h' ? 3600
		    : *end == 'd' ? 86400
		    : *end == 'w' ? 604800
				  : 1);
}

static int64_t
number(const struct world *w, const char *name, int64_t otherwise)
{
	const char *text = rec_param(w->sc, name);

	return text == NULL ? otherwise : seconds_of(text);
}

static int
transport_number(const struct world *w, const char *t, const char *suffix,
		 int otherwise)
{
	const char *text = rec_transport_param(w->sc, t, suffix);

	return text == NULL ? otherwise : (int)seconds_of(text);
}

static struct fm_value
feedback_value(const struct world *w, const char *t, const char *suffix)
{
	const char *text = rec_transport_param(w->sc, t, suffix);
	struct fm_value v;

	fm_value_parse(text == NULL ? "1" : text, &v);
	return v;
}

/* ---- transports and queues ---- */

static struct ns_transport *
transport_get(struct world *w, const char *name)
{
	struct nw_transport *x;
	struct ns_transport *t;
	struct ns_params p;

	for (size_t i = 0; i < w->transports.n; i++) {
		t = w->transports.at[i];
		if (strcmp(t->name, name) == 0)
			return t;
	}
	x = must(calloc(1, sizeof(*x)));
	x->retry = strcmp(name, "retry") == 0;
	x->maxproc = 100;
	for (size_t i = 0; i < w->sc->transports_n; i++)
		if (strcmp(w->sc->transports[i].name, name) == 0)
			x->maxproc = atoi(w->sc->transports[i].value);
	x->rule.limit =
		transport_number(w, name, "destination_concurrency_limit", 20);
	x->rate_delay_s =
		transport_number(w, name, "destination_rate_delay", 0);
	if (x->rate_delay_s > 0)
		x->rule.limit = 1;
	x->rule.initial =
		transport_number(w, name, "initial_destination_concurrency", 5);
	if (x->rule.limit != 0 && x->rule.initial > x->rule.limit)
		x->rule.initial = x->rule.limit;
	x->rule.cohorts_max = transport_number(
		w, name, "destination_concurrency_failed_cohort_limit", 1);
	x->rule.up = feedback_value(
		w, name, "destination_concurrency_positive_feedback");
	x->rule.down = feedback_value(
		w, name, "destination_concurrency_negative_feedback");
	p = (struct ns_params){
		.slot_cost = transport_number(w, name, "delivery_slot_cost", 5),
		.slot_loan = transport_number(w, name, "delivery_slot_loan", 3),
		.slot_discount =
			transport_number(w, name, "delivery_slot_discount", 50),
		.min_slots =
			transport_number(w, name, "minimum_delivery_slots", 3),
		.recipient_limit =
			transport_number(w, name, "recipient_limit", 20000),
		.extra_limit = transport_number(w, name,
						"extra_recipient_limit", 1000),
		.refill_limit = transport_number(w, name,
						 "recipient_refill_limit", 100),
		.refill_delay_s =
			transport_number(w, name, "recipient_refill_delay", 5),
		.batch_limit = transport_number(
			w, name, "destination_recipient_limit", 50),
		.initial = x->rule.initial,
	};
	t = ns_transport_add(w->sched, name, &p);
	t->user = x;
	w->transports.at = must(realloc(
		w->transports.at, (w->transports.n + 1) * sizeof(void *)));
	memmove(w->transports.at + 1, w->transports.at,
		w->transports.n * sizeof(void *));
	w->transports.at[0] = t;
	w->transports.n++;
	return t;
}

static struct ns_queue *
queue_get(struct ns_transport *t, const char *name, struct nw_end *end,
	  const char *domain)
{
	struct ns_queue *q = ns_queue_find(t, name);
	struct nw_queue *x;

	if (q != NULL)
		return q;
	q = ns_queue_add(t, name);
	x = must(calloc(1, sizeof(*x)));
	fm_init(&x->fb, &((struct nw_transport *)t->user)->rule);
	x->end = end;
	x->domain = domain;
	q->user = x;
	return q;
}

static void
queue_drop_if_empty(struct ns_queue *q)
{
	if (q->window > 0 && q->busy == 0 && q->todo.n == 0) {
		free(q->user);
		ns_queue_drop(q);
	}
}

static struct ns_queue *
retry_queue(struct world *w, const struct ns_queue *dead)
{
	struct nw_queue *x = dead->user;
	char name[200];

	snprintf(name, sizeof(name), "4.4.1 suspended %s %s", x->domain,
		 x->why);
	return queue_get(transport_get(w, "retry"), name, NULL, x->domain);
}

static struct ns_queue *
resolve(void *ctx, struct ns_msg *m, struct ns_rcpt *r)
{
	struct world *w = ctx;
	const char *domain = strchr(r->address, '@') + 1;
	const struct rec_dest *dest = rec_dest_of(w->sc, domain);
	struct nw_end *end = &w->ends[dest - w->sc->dests];
	struct ns_queue *q = queue_get(transport_get(w, dest->transport),
				       domain, end, domain);

	(void)m;
	return q->window == 0 ? retry_queue(w, q) : q;
}

/* ---- timers ---- */

static void
timer_set(struct world *w, int kind, struct ns_queue *q, int64_t delay_s)
{
	for (int i = 0; i < w->timers_n; i++)
		if (w->timers[i].kind == kind && w->timers[i].q == q)
			w->timers[i--] = w->timers[--w->timers_n];
	if (w->timers_n == w->timers_room) {
		w->timers_room = 2 * w->timers_room + 8;
		w->timers =
			must(realloc(w->timers, (size_t)w->timers_room *
							sizeof(*w->timers)));
	}
	w->timers[w->timers_n++] = (struct nw_timer){
		.stored_s = nw_seconds(w->now) + delay_s, .kind = kind, .q = q};
}

static void
timer_cancel(struct world *w, int kind, const struct ns_queue *q)
{
	for (int i = 0; i < w->timers_n; i++)
		if (w->timers[i].kind == kind && w->timers[i].q == q) {
			memmove(w->timers + i, w->timers + i + 1,
				(size_t)(w->timers_n - i - 1) *
					sizeof(*w->timers));
			w->timers_n--;
			return;
		}
}

/* ---- feedback ---- */

static void
log_feedback(struct world *w, const char *event, const struct ns_queue *q)
{
	const struct nw_queue *x = q->user;
	const struct nw_transport *t = q->transport->user;

	if (x->end == NULL)
		return;
	fprintf(w->feedback, "%.6f,%s,%s,%s,%d,%d,%d,%g,%g,%g\n",
		(double)w->now / 1e6, event, q->transport->name, x->domain,
		t->rule.limit, x->fb.window, q->busy, x->fb.good, x->fb.bad,
		x->fb.cohorts);
}

static void
alive(struct world *w, struct ns_queue *q)
{
	struct nw_queue *x = q->user;
	bool dead = x->fb.window == 0;

	fm_alive(&x->fb, &((struct nw_transport *)q->transport->user)->rule,
		 q->busy);
	q->window = x->fb.window;
	if (dead)
		timer_cancel(w, TIMER_REVIVE, q);
	log_feedback(w, dead ? "revived" : "alive", q);
}

static void
sick(struct world *w, struct ns_queue *q, const char *why)
{
	struct nw_queue *x = q->user;

	fm_sick(&x->fb, &((struct nw_transport *)q->transport->user)->rule);
	q->window = x->fb.window;
	log_feedback(w, q->window == 0 ? "dead" : "sick", q);
	if (q->window > 0)
		return;
	x->why = why;
	timer_set(w, TIMER_REVIVE, q, w->min_backoff_s);
	while (q->todo.n > 0)
		ns_move_entry(q->todo.at[0], retry_queue(w, q), w->now);
}

static void
enable_all(struct world *w)
{
	for (size_t i = 0; i < w->transports.n; i++) {
		struct ns_transport *t = w->transports.at[i];

		for (size_t k = t->queues.n; k > 0; k--) {
			struct ns_queue *q = t->queues.at[k - 1];

			if (q->window == 0)
				alive(w, q);
			queue_drop_if_empty(q);
		}
	}
}

/* ---- scans (F4.2) ---- */

static void
scan_begin(struct world *w, int k)
{
	struct nw_scan *s = &w->scan[k];

	s->flags = s->next;
	s->next = 0;
	s->open = true;
	free(s->names);
	s->names = NULL;
	s->n = s->at = 0;
	if (k == INCOMING)
		s->n = nw_list(w, NW_INCOMING, -1, &s->names);
	s->subdirs = k == DEFERRED ? w->subdirs_n : 0;
}

static void
scan_request(struct world *w, int k, unsigned flags)
{
	struct nw_scan *s = &w->scan[k];

	if (s->open)
		s->flags |= flags & SCAN_ALL;
	s->next |= flags;
	if (!s->open && (s->next & SCAN_START) != 0) {
		s->next &= ~(unsigned)SCAN_START;
		scan_begin(w, k);
	}
}

static struct nw_mail *
scan_entry(struct world *w, int k)
{
	struct nw_scan *s = &w->scan[k];

	while (s->at >= s->n && s->subdirs > 0) {
		free(s->names);
		s->at = 0;
		s->n = nw_list(w, NW_DEFERRED, w->subdir_order[--s->subdirs],
			       &s->names);
	}
	return s->at < s->n ? s->names[s->at++] : NULL;
}

static struct nw_mail *
scan_next(struct world *w, int k)
{
	struct nw_scan *s = &w->scan[k];
	struct nw_mail *m = NULL;

	if (s->open) {
		m = scan_entry(w, k);
		s->open = m != NULL;
	}
	if (!s->open && (s->next & SCAN_START) != 0) {
		s->next &= ~(unsigned)SCAN_START;
		scan_begin(w, k);
		m = scan_entry(w, k);
		s->open = m != NULL;
	}
	return m;
}

/* ---- completion (F9.7) ---- */

static void
message_leave(struct world *w, struct nw_mail *m)
{
	int64_t now_s = nw_seconds(w->now);

	if (m->left) {
		int64_t delay = now_s - nw_seconds(m->created);

		delay = delay > w->max_backoff_s ? w->max_backoff_s : delay;
		delay = delay < w->min_backoff_s ? w->min_backoff_s : delay;
		m->wake_s = now_s + delay;
		nw_enter(w, m, NW_DEFERRED, "deferred");
	} else {
		nw_enter(w, m, NW_REMOVED, "done");
		m->ended = w->now;
		if (strcmp(m->outcome, "queued") == 0)
			m->outcome = "sent";
	}
	ns_forget(m->m);
	m->m = NULL;
	w->active_count--;
}

static void
ask_bounce(struct world *w, struct nw_mail *m)
{
	int64_t wait = 0;

	if (m->sender[0] == '\0') {
		nw_event_add(w, COST_BOUNCE,
			     (struct nw_event){.kind = NW_NOTE,
					       .note = NW_NOTIFIED,
					       .mail = m});
		return;
	}
	if (w->in_flow_s > 0 && w->tokens == 0)
		wait = w->in_flow_s * 1000000;
	else if (w->in_flow_s > 0)
		w->tokens--;
	nw_event_add(w, COST_BOUNCE + wait,
		     (struct nw_event){.kind = NW_BOUNCE_MADE, .mail = m});
}

static void
message_done(struct world *w, struct nw_mail *m)
{
	if (m->bounced > 0) {
		m->bounced = 0;
		ask_bounce(w, m);
		return;
	}
	if (m->m->more && ns_refill(m->m, w->now))
		return;
	if (m->left &&
	    nw_seconds(w->now) >=
		    nw_seconds(m->created) + (m->sender[0] != '\0'
						      ? w->lifetime_s
						      : w->bounce_lifetime_s)) {
		m->left = false;
		m->outcome = "expired";
		for (int k = 0; k < m->n; k++)
			m->done[k] = true;
		ask_bounce(w, m);
		return;
	}
	message_leave(w, m);
}

/* ---- admission (F4.7, F5) ---- */

static bool
feed(struct world *w, int k, struct nw_mail *m)
{
	struct ns_rcpt *v;
	int n = 0;

	if (m->dir != (k == INCOMING ? NW_INCOMING : NW_DEFERRED))
		return false;
	if ((w->scan[k].flags & SCAN_ALL) == 0 &&
	    m->wake_s > nw_seconds(w->now) + 1)
		return false;
	nw_enter(w, m, NW_ACTIVE, "admitted");
	m->active_at = w->now;
	if (m->first_active < 0)
		m->first_active = w->now;
	m->left = false;
	w->active_count++;
	v = must(calloc((size_t)m->n + 1, sizeof(*v)));
	for (; n < m->n; n++)
		v[n] = (struct ns_rcpt){
			.address = m->address[n], .k = n, .done = m->done[n]};
	m->m = ns_admit(w->sched, v, n, w->now, m);
	if (m->m->refs == 0)
		message_done(w, m);
	return true;
}

/* ---- agents and reports ---- */

/* F8.3 */
static struct ns_transport *
choose(struct world *w)
{
	for (size_t i = 0; i < w->transports.n; i++) {
		struct ns_transport *t = w->transports.at[i];
		struct nw_transport *x = t->user;
		int need = x->pending + 1;

		if (x->pending >= 2)
			continue;
		for (size_t k = 0; k < t->queues.n && need > 0; k++) {
			struct ns_queue *q = t->queues.at[k];
			int room = q->window - q->busy;

			if (q->window > 0)
				need -= room < (int)q->todo.n ? room
							      : (int)q->todo.n;
		}
		if (need > 0)
			continue;
		for (size_t k = 0; k <= i;
		     k++) { /* ring-rotate: t becomes last */
			void *head = w->transports.at[0];

			memmove(w->transports.at, w->transports.at + 1,
				(w->transports.n - 1) * sizeof(void *));
			w->transports.at[w->transports.n - 1] = head;
		}
		return t;
	}
	return NULL;
}

static void
drain(struct world *w)
{
	struct ns_transport *t;

	while ((t = choose(w)) != NULL) {
		((struct nw_transport *)t->user)->pending++;
		nw_agent_ask(w, t);
	}
}

static void
agent_ready(struct world *w, struct ns_transport *t)
{
	struct ns_entry *e;
	struct nw_delivery *d;

	((struct nw_transport *)t->user)->pending--;
	e = ns_select(t, w->now);
	if (e == NULL) {
		nw_agent_free(w, t);
		return;
	}
	d = must(calloc(1, sizeof(*d)));
	d->t = t;
	d->e = e;
	d->mail = e->msg->user;
	d->end = ((struct nw_queue *)e->queue->user)->end;
	d->handed = w->now;
	d->batch = ++w->batches;
	nw_deliver(w, d);
}

/* F9.2, F7.9, F7.11 */
static void
agent_reports(struct world *w, struct nw_delivery *d)
{
	struct ns_entry *e = d->e;
	struct ns_queue *q = e->queue;
	struct nw_transport *x = q->transport->user;
	struct nw_mail *m = d->mail;

	for (int i = 0; i < d->n; i++)
		d->rcpts[i]->done = m->done[d->rcpts[i]->k];
	if (d->left)
		m->left = true;
	if (d->left && d->blame && q->window > 0)
		sick(w, q, d->why);
	if (!d->blame)
		alive(w, q);
	ns_finish_count(e, w->now);
	if (x->rate_delay_s > 0) {
		if (q->window == 0)
			alive(w, q);
		if (q->window > 0) {
			q->window = -1;
			timer_set(w, TIMER_RESUME, q, x->rate_delay_s);
		}
	}
	if (q->window != -1)
		ns_unblock(q);
	nw_agent_free(w, d->t);
	if (ns_finish_drop(e, w->now)) {
		queue_drop_if_empty(q);
		message_done(w, m);
	} else {
		queue_drop_if_empty(q);
	}
	free(d->rcpts);
	free(d->ok);
	free(d);
}

static void
take_note(struct world *w, const struct nw_event *ev)
{
	switch (ev->note) {
	case NW_TRIGGER:
		scan_request(w, INCOMING, SCAN_START);
		break;
	case NW_READY:
		agent_ready(w, ev->t);
		break;
	case NW_DELIVERED:
		agent_reports(w, ev->d);
		break;
	case NW_NOTIFIED:
		message_done(w, ev->mail);
		break;
	case NW_FLUSH:
		enable_all(w);
		scan_request(w, INCOMING, SCAN_START | SCAN_ALL);
		scan_request(w, DEFERRED, SCAN_START | SCAN_ALL);
		break;
	}
}

/* ---- the loop ---- */

static void
fire(struct world *w, const struct nw_timer *t)
{
	if (t->kind == TIMER_SCAN) {
		scan_request(w, DEFERRED, SCAN_START);
		timer_set(w, TIMER_SCAN, NULL, w->run_delay_s);
	} else if (t->kind == TIMER_REVIVE) {
		alive(w, t->q);
		queue_drop_if_empty(t->q);
	} else {
		t->q->window = 1;
		if (t->q->busy == 0 && t->q->todo.n == 0)
			queue_drop_if_empty(t->q);
		else
			ns_unblock(t->q);
	}
}

/* All timers due now, the earliest stored first; those set meanwhile wait for
 * the next wake. */
static void
fire_due(struct world *w)
{
	int64_t now_s = nw_seconds(w->now);
	int due = 0;

	for (int i = 0; i < w->timers_n; i++)
		due += w->timers[i].stored_s <= now_s;
	for (; due > 0; due--) {
		struct nw_timer t;
		int best = 0;

		for (int i = 1; i < w->timers_n; i++)
			if (w->timers[i].stored_s < w->timers[best].stored_s)
				best = i;
		t = w->timers[best];
		if (t.stored_s > now_s)
			return;
		memmove(w->timers + best, w->timers + best + 1,
			(size_t)(w->timers_n - best - 1) * sizeof(*w->timers));
		w->timers_n--;
		fire(w, &t);
	}
}

static void
flow_control(struct world *w, bool fed, int last)
{
	if (w->in_flow_s == 0)
		return;
	if (w->tokens > w->process_limit)
		w->tokens = w->process_limit;
	else if (w->tokens < w->process_limit && fed && last == INCOMING)
		w->tokens++;
	else if (!w->scan[INCOMING].open)
		w->tokens = w->process_limit;
}

/* F4.3; true when another pass must follow at once. */
static bool
one_pass(struct world *w, int64_t *cost)
{
	bool again = false;
	bool fed = false;
	int last = DEFERRED;

	*cost = COST_PASS;
	drain(w);
	for (int k = 0; k < 2 && w->active_count < w->active_limit && !fed;
	     k++) {
		struct nw_mail *m;

		last = (w->first + k) % 2;
		m = scan_next(w, last);
		if (m == NULL)
			continue;
		again = true;
		fed = feed(w, last, m);
		if (fed)
			*cost = COST_ADMIT + (m->n - 1) * COST_RESOLVE;
	}
	w->first =
		w->active_count < w->active_limit ? (last + 1) % 2 : INCOMING;
	flow_control(w, fed, last);
	return again;
}

static void
wake_at(struct world *w, int64_t at)
{
	nw_event_add(w, at - w->now, (struct nw_event){.kind = NW_WAKE});
	w->wake_seq = w->seq;
}

void
nw_qmgr_note(struct world *w, const struct nw_event *ev)
{
	if (!w->qmgr_up)
		return;
	if (w->inbox_n == w->inbox_room) {
		w->inbox_room = 2 * w->inbox_room + 8;
		w->inbox = must(realloc(w->inbox, (size_t)w->inbox_room *
							  sizeof(*w->inbox)));
	}
	w->inbox[w->inbox_n++] = *ev;
	if (w->inbox_n == 1)
		wake_at(w, w->now > w->qmgr_busy ? w->now : w->qmgr_busy);
}

void
nw_qmgr_wake(struct world *w, const struct nw_event *ev)
{
	int64_t cost;
	int64_t first = INT64_MAX;
	bool again;
	int n = w->inbox_n;

	if (ev->seq != w->wake_seq)
		return;
	fire_due(w);
	for (int i = 0; i < n; i++)
		take_note(w, &w->inbox[i]);
	if (n > 0)
		memmove(w->inbox, w->inbox + n,
			(size_t)(w->inbox_n - n) * sizeof(*w->inbox));
	w->inbox_n -= n;
	again = one_pass(w, &cost);
	w->qmgr_busy = w->now + cost;
	if (again || w->inbox_n > 0) {
		wake_at(w, w->qmgr_busy);
		return;
	}
	for (int i = 0; i < w->timers_n; i++)
		if (w->timers[i].stored_s < first)
			first = w->timers[i].stored_s;
	first -= nw_seconds(w->qmgr_busy);
	wake_at(w,
		w->qmgr_busy + (first > 0 ? first * 1000000 + COST_TIMER : 0));
}

void
nw_qmgr_init(struct world *w)
{
	int recipient_limit =
		(int)number(w, "qmgr_message_recipient_limit", 20000);

	w->active_limit = (int)number(w, "qmgr_message_active_limit", 20000);
	w->run_delay_s = number(w, "queue_run_delay", 300);
	w->min_backoff_s = number(w, "minimal_backoff_time", 300);
	w->max_backoff_s = number(w, "maximal_backoff_time", 4000);
	w->lifetime_s = number(w, "maximal_queue_lifetime", 432000);
	w->bounce_lifetime_s = number(w, "bounce_queue_lifetime", 432000);
	if (w->bounce_lifetime_s > w->lifetime_s)
		w->bounce_lifetime_s = w->lifetime_s;
	w->in_flow_s = number(w, "in_flow_delay", 1);
	w->process_limit = (int)number(w, "default_process_limit", 100);
	if (recipient_limit < w->active_limit)
		recipient_limit = w->active_limit;
	w->sched = ns_new(recipient_limit,
			  (int)number(w, "qmgr_message_recipient_minimum", 10),
			  resolve, w);
}

void
nw_qmgr_start(struct world *w)
{
	w->qmgr_up = true;
	w->first = INCOMING;
	scan_request(w, INCOMING, SCAN_START);
	scan_request(w, DEFERRED, SCAN_START);
	timer_set(w, TIMER_SCAN, NULL, w->run_delay_s);
	wake_at(w, w->now);
}
