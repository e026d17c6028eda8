/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Agents and remote ends of the naive model (F8.9, F8.11, F11). An agent
 * process is idle, busy or not yet born; at the process limit a request waits
 * in the backlog. One delivery is one connection. Refusals at RCPT cost no
 * time; the latency comes between end of data and its answer and counts
 * accepted recipients only.
 */
#include "tests/reference/naive_world.h"

#include <stdlib.h>
#include <string.h>

static void *
must(void *p)
{
	if (p == NULL)
		abort();
	return p;
}

void
nw_agent_ask(struct world *w, struct ns_transport *t)
{
	struct nw_transport *x = t->user;

	if (x->idle > 0) {
		x->idle--;
		nw_event_add(w, COST_AGENT_IDLE,
			     (struct nw_event){.kind = NW_NOTE,
					       .note = NW_READY,
					       .t = t});
	} else if (x->processes < x->maxproc) {
		x->processes++;
		nw_event_add(w, COST_AGENT_SPAWN,
			     (struct nw_event){.kind = NW_NOTE,
					       .note = NW_READY,
					       .t = t});
	} else {
		x->backlog++;
	}
}

void
nw_agent_free(struct world *w, struct ns_transport *t)
{
	struct nw_transport *x = t->user;

	if (x->backlog > 0) {
		x->backlog--;
		nw_event_add(w, COST_AGENT_IDLE,
			     (struct nw_event){.kind = NW_NOTE,
					       .note = NW_READY,
					       .t = t});
	} else {
		x->idle++;
	}
}

static void
log_rcpt(struct world *w, struct nw_delivery *d, int i, const char *outcome,
	 const char *step, int code, const char *reason)
{
	struct nw_mail *m = d->mail;
	struct ns_rcpt *r = d->rcpts[i];
	const char *at = strchr(r->address, '@');
	const struct nw_queue *q = d->e->queue->user;
	int64_t setup = d->mail_at > 0 ? d->mail_at : w->now;

	fprintf(w->attempts,
		"%.6f,%d,%s,%d,%d,%s,%s,%s,%s,%s,%s,,%d,%s,%.6f,%.6f,%.6f,%.6f,"
		"%.6f,%d,1,%s\n",
		(double)w->now / 1e6, m->number, m->bounce ? "bounce" : "trace",
		m->index, r->k, r->address, at == NULL ? "" : at + 1,
		d->t->name, q->domain, d->end == NULL ? "" : d->end->rec->name,
		outcome, code, step, (double)(w->now - m->arrival) / 1e6,
		(double)(m->active_at - m->arrival) / 1e6,
		(double)(d->handed - m->active_at) / 1e6,
		(double)(setup - d->handed) / 1e6,
		(double)(w->now - setup) / 1e6, d->batch, reason);
	m->attempts++;
}

static void
settle(struct world *w, struct nw_delivery *d, int i, const char *step,
       int code, const char *reason)
{
	struct nw_mail *m = d->mail;
	struct ns_rcpt *r = d->rcpts[i];

	if (code != 0 && code < 400) {
		m->done[r->k] = true;
		log_rcpt(w, d, i, "sent", step, 250, "");
	} else if (code >= 500) {
		m->done[r->k] = true;
		m->bounced++;
		log_rcpt(w, d, i, "bounced", step, code, reason);
	} else {
		d->left = true;
		log_rcpt(w, d, i, "deferred", step, code, reason);
	}
}

static void
settle_all(struct world *w, struct nw_delivery *d, const char *step, int code,
	   const char *reason)
{
	for (int i = 0; i < d->n; i++)
		settle(w, d, i, step, code, reason);
}

static void
report(struct world *w, struct nw_delivery *d, int64_t delay)
{
	nw_event_add(w, delay,
		     (struct nw_event){.kind = NW_NOTE,
				       .note = NW_DELIVERED,
				       .d = d,
				       .t = d->t});
}

void
nw_deliver(struct world *w, struct nw_delivery *d)
{
	d->n = (int)d->e->rcpts.n;
	d->rcpts = must(calloc((size_t)d->n + 1, sizeof(struct ns_rcpt *)));
	d->ok = must(calloc((size_t)d->n + 1, sizeof(*d->ok)));
	for (int i = 0; i < d->n; i++)
		d->rcpts[i] = d->e->rcpts.at[i];
	if (d->end == NULL)
		nw_event_add(w, COST_RETRY,
			     (struct nw_event){.kind = NW_REPORT, .d = d});
	else
		nw_event_add(w,
			     rec_phase_at(d->end->rec, w->now)->refuse
				     ? COST_REFUSED
				     : COST_CONNECT,
			     (struct nw_event){.kind = NW_ACCEPT, .d = d});
}

/* The destination turned us away at the door: all recipients are deferred and
 * it is blamed. */
static void
turned_away(struct world *w, struct nw_delivery *d, const char *step, int code,
	    const char *why)
{
	d->blame = true;
	d->why = why;
	settle_all(w, d, step, code, why);
	report(w, d, COST_REPLY / 2);
}

static void
accept_connection(struct world *w, struct nw_delivery *d)
{
	struct nw_end *end = d->end;
	const struct rec_phase *p = rec_phase_at(end->rec, w->now);
	int seq = end->connections;

	if (p->refuse) {
		turned_away(w, d, "connect", 0, "refused");
		return;
	}
	end->connections++;
	end->open++;
	if ((p->connect_fail != NULL &&
	     p->connect_fail[(size_t)seq % p->connect_fail_n]) ||
	    (p->conn_limit > 0 && end->open > p->conn_limit)) {
		nw_event_add(w, p->fail_delay + COST_MAIL,
			     (struct nw_event){
				     .kind = NW_CLOSED, .d = d, .number = 1});
		return;
	}
	nw_event_add(w, p->banner_delay + COST_MAIL,
		     (struct nw_event){.kind = NW_GREETED, .d = d});
}

static int
rcpt_code(struct nw_delivery *d, struct ns_rcpt *r, const struct rec_phase *p)
{
	const char *at = strchr(r->address, '@');
	char local[60];
	char *dot;
	int tries = d->mail->tries[r->k]++;

	snprintf(local, sizeof(local), "%.*s", (int)(at - r->address),
		 r->address);
	dot = strchr(local, '.');
	if (p->rcpt_code != 0)
		return p->rcpt_code;
	if (dot == NULL)
		return 250;
	if (strcmp(dot, ".p") == 0)
		return 550;
	if (strcmp(dot, ".tx") == 0)
		return 450;
	return tries < atoi(dot + 2) ? 450 : 250;
}

static void
mail_from(struct world *w, struct nw_delivery *d)
{
	const struct rec_phase *p = rec_phase_at(d->end->rec, w->now);
	int64_t latency;

	d->mail_at = w->now;
	if (p->mail_code != 0) {
		settle_all(w, d, "mail", p->mail_code, "mail refused");
		nw_event_add(w, COST_REPLY,
			     (struct nw_event){.kind = NW_CLOSED, .d = d});
		return;
	}
	for (int i = 0; i < d->n; i++) {
		int code = rcpt_code(d, d->rcpts[i], p);

		d->ok[i] = code < 400;
		if (d->ok[i])
			d->accepted++;
		else
			settle(w, d, i, "rcpt", code, "recipient refused");
	}
	latency = d->accepted > 0
			  ? rec_latency(p, d->mail->index, d->accepted) +
				    COST_ANSWER
			  : 0;
	nw_event_add(w, COST_DATA + latency + (d->n - 1) * COST_RCPT_OUT,
		     (struct nw_event){.kind = NW_REPLIED,
				       .d = d,
				       .number = p->eod_code});
}

void
nw_remote_event(struct world *w, struct nw_event *ev)
{
	struct nw_delivery *d = ev->d;

	if (ev->kind == NW_ACCEPT) {
		accept_connection(w, d);
	} else if (ev->kind == NW_GREETED) {
		mail_from(w, d);
	} else if (ev->kind == NW_REPLIED) {
		for (int i = 0; i < d->n; i++)
			if (d->ok[i])
				settle(w, d, i, "end",
				       ev->number == 0 ? 250 : ev->number,
				       "refused at end of data");
		nw_event_add(w, COST_REPLY / 2,
			     (struct nw_event){.kind = NW_CLOSED, .d = d});
	} else if (ev->kind == NW_CLOSED) {
		d->end->open--;
		if (ev->number != 0)
			turned_away(w, d, "greeting", 421, "421");
		else
			report(w, d, COST_REPLY / 2);
	} else {
		settle_all(w, d, "", 0, "delivery temporarily suspended");
		report(w, d, COST_RETRY / 2);
	}
}
