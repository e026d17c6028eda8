/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The scheduler of src/mta against the naive one, on generated sequences: mail
 * of random recipients is admitted, agents get ready, deliveries end, time goes
 * by; after each step both must want the same number of agents and hand out the
 * same entry: mail, destination, recipients in order. Parameters are drawn
 * small, so that windows block, slots run out, jobs preempt, recipients are
 * read late and jobs retire and come back within a few dozen steps.
 *
 * sched_sequences_test [SEQUENCES [FIRST_SEED]]; a failure names its seed, and
 * `sched_sequences_test 1 SEED` repeats it with every step printed. Exit 0 when
 * all agree. $MTASIM_TEST_SCALE multiplies the number of sequences.
 */
#include "tests/reference/core_host.h"
#include "tests/reference/feedback_model.h"
#include "tests/reference/naive_sched.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	DOMAINS = 4,
	TRANSPORTS = 2,
	STEPS = 150,
	RUNNING = 64
};

static const char *const domain_names[DOMAINS] = {"a.test", "b.test", "c.test",
						  "d.test"};
static const char *const transport_names[TRANSPORTS] = {"smtp", "slow"};

struct running { /* one delivery, as both sides know it */
	struct mta_note_deliver ours;
	struct ns_entry *theirs;
};

struct pair { /* both schedulers and what is under way */
	struct ch core;
	struct ns_sched *naive;
	struct ns_params params;
	struct fm_rule rule;
	struct ns_list order; /* naive transports, front first */
	int pending[TRANSPORTS];
	struct running running[RUNNING];
	int running_count;
	int mails; /* in core */
	int active_limit;
	mta_time now;
	uint64_t dice;
	bool talk;
	int preempted; /* steps that were really reached */
	int refilled;
	int blocked;
	char error[400];
};

/* xorshift: the sequence of a seed is the same everywhere. */
static uint32_t
draw(struct pair *p, uint32_t n)
{
	p->dice ^= p->dice << 13;
	p->dice ^= p->dice >> 7;
	p->dice ^= p->dice << 17;
	return (uint32_t)((p->dice >> 33) % n);
}

static void *
must(void *p)
{
	if (p == NULL)
		abort();
	return p;
}

/* ---- the naive side ---- */

static struct ns_transport *
naive_transport(struct pair *p, uint32_t place)
{
	struct ns_transport *t;

	for (size_t i = 0; i < p->order.n; i++) {
		t = p->order.at[i];
		if (strcmp(t->name, transport_names[place]) == 0)
			return t;
	}
	t = ns_transport_add(p->naive, transport_names[place], &p->params);
	p->order.at =
		must(realloc(p->order.at, (p->order.n + 1) * sizeof(void *)));
	memmove(p->order.at + 1, p->order.at, p->order.n * sizeof(void *));
	p->order.at[0] = t;
	p->order.n++;
	return t;
}

static struct ns_queue *
naive_resolve(void *ctx, struct ns_msg *m, struct ns_rcpt *r)
{
	struct pair *p = ctx;
	const char *domain = strchr(r->address, '@') + 1;
	uint32_t d = (uint32_t)(domain[0] - 'a');
	struct ns_transport *t = naive_transport(p, d % TRANSPORTS);
	struct ns_queue *q = ns_queue_find(t, domain);
	struct fm_state *s;

	(void)m;
	if (q != NULL)
		return q;
	q = ns_queue_add(t, domain);
	s = must(calloc(1, sizeof(*s)));
	fm_init(s, &p->rule);
	q->user = s;
	return q;
}

static int *
naive_pending(struct pair *p, const struct ns_transport *t)
{
	return &p->pending[strcmp(t->name, transport_names[0]) == 0 ? 0 : 1];
}

/* F8.3, as in the naive model of the whole system. */
static bool
naive_ask(struct pair *p)
{
	for (size_t i = 0; i < p->order.n; i++) {
		struct ns_transport *t = p->order.at[i];
		int need = *naive_pending(p, t) + 1;

		if (need > 2)
			continue;
		for (size_t k = 0; k < t->queues.n && need > 0; k++) {
			struct ns_queue *q = t->queues.at[k];
			int room = q->window - q->busy;

			need -= room < (int)q->todo.n ? room : (int)q->todo.n;
		}
		if (need > 0)
			continue;
		++*naive_pending(p, t);
		for (size_t k = 0; k <= i; k++) {
			void *head = p->order.at[0];

			memmove(p->order.at, p->order.at + 1,
				(p->order.n - 1) * sizeof(void *));
			p->order.at[p->order.n - 1] = head;
		}
		return true;
	}
	return false;
}

static void
naive_forget(struct pair *p, struct ns_msg *m)
{
	for (int i = 0; i < m->n; i++) {
		char *address;

		memcpy(&address, &m->rcpts[i].address, sizeof(address));
		free(address);
	}
	ns_forget(m);
	p->mails--;
}

static void
naive_done(struct pair *p, struct ns_msg *m)
{
	while (m->more)
		if (ns_refill(m, p->now))
			return;
	naive_forget(p, m);
}

static void
naive_report(struct pair *p, struct ns_entry *e)
{
	struct ns_queue *q = e->queue;
	struct ns_msg *m = e->msg;
	struct fm_state *s = q->user;

	for (size_t i = 0; i < e->rcpts.n; i++)
		((struct ns_rcpt *)e->rcpts.at[i])->done = true;
	fm_alive(s, &p->rule, q->busy);
	q->window = s->window;
	if (!ns_finish(e, p->now))
		m = NULL;
	if (q->busy == 0 && q->todo.n == 0) {
		free(q->user);
		ns_queue_drop(q);
	}
	if (m != NULL)
		naive_done(p, m);
}

/* ---- steps ---- */

static void
settle(struct pair *p)
{
	ch_run(&p->core, p->now);
	while (naive_ask(p))
		;
	for (int t = 0; t < TRANSPORTS && p->error[0] == '\0'; t++)
		if (p->core.port.wanted[t] != p->pending[t])
			snprintf(p->error, sizeof(p->error),
				 "agents wanted by %s: ours %d, naive %d",
				 transport_names[t], p->core.port.wanted[t],
				 p->pending[t]);
}

static void
admit(struct pair *p)
{
	mta_addr to[CH_RECIPIENTS];
	uint32_t n = 1 + draw(p, draw(p, 3) == 0 ? 60 : 5);
	struct ns_rcpt *v = must(calloc(n, sizeof(*v)));
	uint32_t serial = p->core.spool.count;
	uint32_t spread = 1 + draw(p, DOMAINS);

	for (uint32_t k = 0; k < n; k++) {
		uint32_t d = draw(p, spread);
		char text[60];

		to[k] = ch_address(d, serial * 100 + k);
		snprintf(text, sizeof(text), "r%06u@%s",
			 (unsigned)(serial * 100 + k), domain_names[d]);
		v[k].address = must(strdup(text));
		v[k].k = (int)k;
	}
	if (p->talk)
		printf("%lld admit mail %u with %u\n", (long long)p->now,
		       (unsigned)serial, (unsigned)n);
	ch_submit(&p->core, to, n);
	p->mails++;
	ns_admit(p->naive, v, (int)n, p->now,
		 must(memcpy(must(malloc(sizeof(serial))), &serial,
			     sizeof(serial))));
}

static bool
same_entry(struct pair *p, bool ours, const struct ns_entry *e)
{
	const struct mta_note_deliver *r = &p->core.port.request;
	const struct mta_recipient *v;
	uint32_t serial;

	if (ours != (e != NULL))
		return false;
	if (!ours)
		return true;
	memcpy(&serial, e->msg->user, sizeof(serial));
	if (r->serial != serial || r->recipient_count != e->rcpts.n)
		return false;
	v = ch_recipients(&p->core, r);
	for (size_t i = 0; i < e->rcpts.n; i++)
		if (v[i].offset !=
		    (uint32_t)((struct ns_rcpt *)e->rcpts.at[i])->k)
			return false;
	return strcmp(mta_sym_text(&p->core.symbols, r->destination),
		      e->queue->name) == 0;
}

static void
describe(char *out, size_t room, bool is, uint32_t serial, const char *dest,
	 size_t n)
{
	if (is)
		snprintf(out, room, "mail %u, %zu to %s", (unsigned)serial, n,
			 dest);
	else
		snprintf(out, room, "none");
}

static void
agent_ready(struct pair *p, uint32_t place)
{
	struct ns_transport *t = naive_transport(p, place);
	struct ns_msg *head = t->cur == NULL ? NULL : ns_job_mail(t->cur);
	struct ns_entry *e;
	bool ours;
	uint32_t serial = 0;
	char a[100];
	char b[100];

	p->pending[place]--;
	e = ns_select(t, p->now);
	ours = ch_ready(&p->core, place);
	if (e != NULL)
		memcpy(&serial, e->msg->user, sizeof(serial));
	describe(a, sizeof(a), ours, p->core.port.request.serial,
		 mta_sym_text(&p->core.symbols,
			      p->core.port.request.destination),
		 p->core.port.request.recipient_count);
	describe(b, sizeof(b), e != NULL, serial,
		 e == NULL ? "" : e->queue->name, e == NULL ? 0 : e->rcpts.n);
	if (p->talk)
		printf("%lld %s ready: ours %s; naive %s\n", (long long)p->now,
		       transport_names[place], a, b);
	if (!same_entry(p, ours, e)) {
		snprintf(p->error, sizeof(p->error), "ours %s; naive %s", a, b);
		return;
	}
	p->blocked += e == NULL;
	p->preempted += e != NULL && head != NULL && e->msg != head;
	if (e != NULL)
		p->running[p->running_count++] = (struct running){
			.ours = p->core.port.request, .theirs = e};
}

static void
delivery_ends(struct pair *p)
{
	int i = (int)draw(p, (uint32_t)p->running_count);
	struct running r = p->running[i];

	p->running[i] = p->running[--p->running_count];
	p->refilled += r.theirs->msg->more;
	if (p->talk)
		printf("%lld ends: mail %u to %s\n", (long long)p->now,
		       (unsigned)r.ours.serial, r.theirs->queue->name);
	naive_report(p, r.theirs);
	ch_report(&p->core, &r.ours);
}

static void
one_step(struct pair *p, bool drain_only)
{
	uint32_t kind = draw(p, 10);
	uint32_t t = draw(p, TRANSPORTS);

	if (p->pending[t] == 0)
		t = 1 - t;
	if (kind < 2 && !drain_only && p->mails < p->active_limit)
		admit(p);
	else if (kind == 2)
		p->now += (mta_time)draw(p, 3000000);
	else if (kind < 7 && p->pending[t] > 0 && p->running_count < RUNNING)
		agent_ready(p, t);
	else if (p->running_count > 0)
		delivery_ends(p);
	if (p->error[0] == '\0')
		settle(p);
}

/* ---- a sequence ---- */

static void
set_number(struct pair *p, const char *name, int value)
{
	char text[20];

	snprintf(text, sizeof(text), "%d", value);
	if (!ch_set(&p->core, name, text)) {
		printf("parameter %s is not taken\n", name);
		abort();
	}
}

static int
draw_set(struct pair *p, const char *name, int least, int most)
{
	int value = least + (int)draw(p, (uint32_t)(most - least + 1));

	set_number(p, name, value);
	return value;
}

static void
begin(struct pair *p, uint64_t seed)
{
	int minimum;
	int recipients;

	*p = (struct pair){.dice = seed * 2654435761u + 88172645463325252u};
	for (int i = 0; i < 8; i++)
		draw(p, 2);
	p->now = 1000000000;
	ch_init(&p->core, p->now);
	for (uint32_t d = 0; d < DOMAINS; d++)
		ch_domain(&p->core, domain_names[d], d % TRANSPORTS,
			  transport_names[d % TRANSPORTS]);
	set_number(p, "in_flow_delay", 0);
	set_number(p, "queue_run_delay", 1000000);
	p->params = (struct ns_params){
		.slot_cost = draw_set(p, "default_delivery_slot_cost", 0, 5),
		.slot_loan = draw_set(p, "default_delivery_slot_loan", 0, 3),
		.slot_discount = 50 * draw_set(p,
					       "default_delivery_slot_"
					       "discount",
					       0, 2),
		.min_slots =
			draw_set(p, "default_minimum_delivery_slots", 0, 3),
		.recipient_limit =
			draw_set(p, "default_recipient_limit", 0, 80),
		.extra_limit =
			draw_set(p, "default_extra_recipient_limit", 0, 20),
		.refill_limit =
			draw_set(p, "default_recipient_refill_limit", 1, 15),
		.refill_delay_s =
			draw_set(p, "default_recipient_refill_delay", 1, 6),
		.batch_limit = draw_set(
			p, "default_destination_recipient_limit", 2, 5),
	};
	set_number(p, "default_delivery_slot_discount",
		   p->params.slot_discount);
	p->rule.limit =
		draw_set(p, "default_destination_concurrency_limit", 1, 5);
	p->rule.initial = draw_set(p, "initial_destination_concurrency", 1, 4);
	if (p->rule.initial > p->rule.limit)
		p->rule.initial = p->rule.limit;
	p->rule.cohorts_max = 1;
	p->rule.up = p->rule.down = (struct fm_value){.number = 1.0};
	p->params.initial = p->rule.initial;
	p->active_limit = draw_set(p, "qmgr_message_active_limit", 5, 20);
	recipients = draw_set(p, "qmgr_message_recipient_limit", 20, 100);
	minimum = draw_set(p, "qmgr_message_recipient_minimum", 1, 10);
	p->naive = ns_new(recipients, minimum, naive_resolve, p);
	ch_start(&p->core);
	settle(p);
}

static void
end(struct pair *p)
{
	ch_release(&p->core);
	if (p->error[0] == '\0')
		ns_free(p->naive);
	free(p->order.at);
}

/* Random steps, then only deliveries until nothing is left. */
static bool
sequence(struct pair *p, uint64_t seed, bool talk)
{
	int step = 0;

	begin(p, seed);
	p->talk = talk;
	for (; step < STEPS && p->error[0] == '\0'; step++)
		one_step(p, false);
	for (; step < 100 * STEPS && p->error[0] == '\0' && p->mails > 0;
	     step++)
		one_step(p, true);
	if (p->error[0] == '\0' && p->mails > 0)
		snprintf(p->error, sizeof(p->error), "%d mails are stuck",
			 p->mails);
	if (p->error[0] == '\0' && p->core.qmgr.active_count != 0)
		snprintf(p->error, sizeof(p->error),
			 "%u mails are left in the core",
			 (unsigned)p->core.qmgr.active_count);
	if (p->error[0] != '\0')
		printf("seed %llu, step %d: %s\n", (unsigned long long)seed,
		       step, p->error);
	end(p);
	return p->error[0] == '\0';
}

int
main(int argc, char **argv)
{
	const char *scale = getenv("MTASIM_TEST_SCALE");
	long n = argc > 1 ? strtol(argv[1], NULL, 10)
			  : 2000 * (scale ? strtol(scale, NULL, 10) : 1);
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	static struct pair p;
	long preempted = 0;
	long refilled = 0;
	long blocked = 0;
	long bad = 0;

	for (long i = 0; i < n; i++) {
		bad += !sequence(&p, seed + (uint64_t)i, argc > 2);
		preempted += p.preempted;
		refilled += p.refilled;
		blocked += p.blocked;
	}
	printf("scheduler: %ld sequences, %ld differ; reached: %ld changes of "
	       "job, %ld mails read in parts, %ld agents without an entry\n",
	       n, bad, preempted, refilled, blocked);
	return bad == 0 ? 0 : 1;
}
