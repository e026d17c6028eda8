/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The queue manager's scheduler beside the naive one of naive_sched.h, on
 * generated sequences of operations: mail with few and many recipients comes,
 * agents are ready, deliveries end, windows move, destinations rest, what waits
 * is moved to the retry transport, time passes. After every `ready` both must
 * have chosen the same entry of the same mail with the same recipients.
 *
 * Nothing is expected that was not computed by the naive scheduler, which is
 * written from the facts (F6) and checked against F17.4.
 */
#include <check.h>

#include "mta/order.h"
#include "mta/qmgr.h"
#include "tests/harness.h"
#include "tests/reference/naive_sched.h"
#include "tests/reference/bare_host.h"

enum {
	TRANSPORTS = 3,
	DOMAINS = 9,
	BUSY_MOST = 400,
	MAILS_MOST = 40
};

/* An entry under way, as both see it. */
struct pair {
	struct mta_ref ours;
	struct ns_entry *naive;
};

struct both {
	uint64_t draw;
	uint64_t seed;
	struct bare_host bare;
	struct mta_params params;
	struct mta_qmgr qmgr;
	struct ns_sched *naive;
	struct ns_transport *naive_transports[TRANSPORTS + 1]; /* + retry */
	struct pair busy[BUSY_MOST];
	uint32_t busy_count;
	uint32_t mails; /* in core, by the naive count */
	char (*addresses)[32];
	uint64_t selected;
	uint64_t refused;
	uint64_t preempted;
};

/* check writes a mark for each of its assertions; here there are millions. */
#define must(b, fact) ((fact) ? (void)0 : differ((b), #fact))

static void
differ(const struct both *b, const char *fact)
{
	ck_abort_msg("seed %llu, choice %llu: not so: %s",
		     (unsigned long long)b->seed,
		     (unsigned long long)b->selected, fact);
}

static uint32_t
below(struct both *b, uint32_t bound)
{
	return harness_draw_below(&b->draw, bound);
}

/* ---- setting up
 * ---------------------------------------------------------------- */

static void
set_param(struct both *b, const char *name, long value)
{
	char text[32];
	char error[128];

	snprintf(text, sizeof(text), "%ld", value);
	must(b, mta_params_set(&b->params, name, text, error, sizeof(error)) ==
			MTA_PARAM_SET);
}

static void
draw_params(struct both *b)
{
	static const int costs[] = {0, 1, 2, 5, 5, 5};

	mta_params_init(&b->params);
	set_param(b, "qmgr_message_recipient_limit",
		  below(b, 3) ? 20000 : 20 + below(b, 100));
	set_param(b, "qmgr_message_recipient_minimum", 1 + below(b, 12));
	set_param(b, "default_delivery_slot_cost", costs[below(b, 6)]);
	set_param(b, "default_delivery_slot_loan", below(b, 5));
	set_param(b, "default_delivery_slot_discount", below(b, 101));
	set_param(b, "default_minimum_delivery_slots", below(b, 4));
	set_param(b, "default_recipient_limit", 10 + below(b, 200));
	set_param(b, "default_extra_recipient_limit", below(b, 50));
	set_param(b, "default_recipient_refill_limit", 1 + below(b, 30));
	set_param(b, "default_recipient_refill_delay", 1 + below(b, 5));
	set_param(b, "default_destination_recipient_limit",
		  2 + below(b, 4) * below(b, 10));
	set_param(b, "initial_destination_concurrency", 1 + below(b, 6));
	set_param(b, "default_destination_concurrency_positive_feedback", 0);
	set_param(b, "default_destination_concurrency_failed_cohort_limit", 0);
	/* The limits are set by the queue manager's start (F4.1); here the
	 * small ones are meant. */
	set_param(b, "t2_destination_rate_delay", 1);
}

static struct ns_params
naive_params(const struct mta_transport_params *t)
{
	return (struct ns_params){
		.slot_cost = t->delivery_slot_cost,
		.slot_loan = t->delivery_slot_loan,
		.slot_discount = t->delivery_slot_discount,
		.min_slots = t->minimum_delivery_slots,
		.recipient_limit = t->recipient_limit,
		.extra_limit = t->extra_recipient_limit,
		.refill_limit = t->recipient_refill_limit,
		.refill_delay_s = t->recipient_refill_delay_s,
		.batch_limit = t->destination_recipient_limit,
		.initial = t->initial_destination_concurrency,
	};
}

static struct ns_queue *
naive_queue(struct both *b, uint32_t transport, const char *name)
{
	struct ns_transport *t = b->naive_transports[transport];
	struct ns_queue *q = ns_queue_find(t, name);

	return q ? q : ns_queue_add(t, name);
}

static struct ns_queue *
naive_resolve(void *context, struct ns_msg *m, struct ns_rcpt *r)
{
	struct both *b = context;
	const char *domain = strchr(r->address, '@') + 1;

	(void)m;
	return naive_queue(b, (uint32_t)atoi(domain + 1) % TRANSPORTS, domain);
}

static void
both_init(struct both *b, uint64_t seed)
{
	static const char *const names[] = {"t0", "t1", "t2", "retry"};

	char(*addresses)[32] =
		b->addresses; /* reused: contents do not matter */

	*b = (struct both){.draw = seed, .seed = seed, .addresses = addresses};
	draw_params(b);
	bare_init(&b->bare, TRANSPORTS);
	mta_qmgr_init(&b->qmgr, &b->bare.host, &b->params);
	mta_run_init(&b->qmgr.incoming, MTA_INCOMING);
	b->naive = ns_new(b->params.qmgr_message_recipient_limit,
			  b->params.qmgr_message_recipient_minimum,
			  naive_resolve, b);
	for (int i = 0; i <= TRANSPORTS; i++) {
		struct mta_transport_params t;
		struct ns_params p;

		mta_transport_params(&b->params, names[i], &t);
		p = naive_params(&t);
		b->naive_transports[i] =
			ns_transport_add(b->naive, names[i], &p);
	}
}

static void
both_release(struct both *b)
{
	mta_qmgr_release(&b->qmgr);
	bare_release(&b->bare);
	mta_params_release(&b->params);
	ns_free(b->naive);
}

static struct mta_transport *
our_transport(struct both *b, const char *name)
{
	mta_sym symbol = mta_sym_intern(&b->bare.symbols, name);

	return mta_transport_get(&b->qmgr, symbol);
}

/* ---- operations
 * -------------------------------------------------------------------- */

static uint32_t
draw_count(struct both *b)
{
	switch (below(b, 10)) {
	case 0:
	case 1:
		return 2 + below(b, 5);
	case 2:
		return 5 + below(b, 60);
	case 3:
		return 30 + below(b, 300);
	default:
		return 1;
	}
}

static void
do_admit(struct both *b)
{
	uint32_t count = draw_count(b);
	uint32_t domains = 1 + below(b, DOMAINS);
	uint32_t first = below(b, DOMAINS);
	mta_addr *recipients = calloc(count, sizeof(*recipients));
	struct ns_rcpt *rcpts = calloc(count, sizeof(*rcpts));
	struct mta_ref file;
	struct ns_msg *m;

	for (uint32_t k = 0; k < count; k++) {
		uint32_t domain = (first + below(b, domains)) % DOMAINS;
		char *text = b->addresses[domain * 1000 + k];

		recipients[k] = bare_address(domain, k);
		snprintf(text, sizeof(b->addresses[0]), "u%05u@d%02u.example",
			 k, domain);
		rcpts[k] = (struct ns_rcpt){.address = text, .k = (int)k};
	}
	file = bare_add_file(&b->bare, recipients, count);
	m = ns_admit(b->naive, rcpts, (int)count, b->bare.loop.now,
		     (void *)(uintptr_t)file.index);
	must(b, m->refs > 0);
	b->mails++;
	must(b, mta_qmgr_feed(&b->qmgr, &b->qmgr.incoming, file));
}

/* Both name the same entry: mail, destination, recipients in order. */
static void
compare_choice(struct both *b, const struct mta_note_deliver *ours,
	       const struct ns_entry *naive)
{
	const struct mta_recipient *items = ours->recipient_count == 1
						    ? &ours->recipients.only
						    : b->bare.list;

	must(b, ours->file.index == (uint32_t)(uintptr_t)naive->msg->user);
	must(b, strcmp(mta_sym_text(&b->bare.symbols, ours->destination),
		       naive->queue->name) == 0);
	must(b, ours->recipient_count == naive->rcpts.n);
	for (uint32_t i = 0; i < ours->recipient_count; i++) {
		const struct ns_rcpt *r = naive->rcpts.at[i];

		must(b, items[i].offset == (uint32_t)r->k);
	}
}

static bool
entry_jumped(struct both *b)
{
	const struct mta_entry *e = mta_pool_find(
		&b->qmgr.entries, b->bare.to_agents.deliver.entry);

	must(b, e != NULL);
	return e->peer->job->level > 0;
}

static void
do_ready(struct both *b)
{
	static const char *const names[] = {"t0", "t1", "t2", "retry"};
	uint32_t transport = below(b, TRANSPORTS + 1);
	struct mta_transport *t = our_transport(b, names[transport]);
	uint32_t before = b->bare.note_count;
	struct ns_entry *naive;

	if (b->busy_count == BUSY_MOST)
		return;
	naive = ns_select(b->naive_transports[transport], b->bare.loop.now);
	t->pending++;
	mta_transport_agent_ready(t, (struct mta_ref){.generation = 1});
	must(b, (b->bare.note_count > before) == (naive != NULL));
	if (!naive) {
		b->refused++;
		return;
	}
	compare_choice(b, &b->bare.to_agents.deliver, naive);
	b->selected++;
	b->preempted += entry_jumped(b);
	b->busy[b->busy_count++] = (struct pair){
		.ours = b->bare.to_agents.deliver.entry, .naive = naive};
}

static void
naive_drop_if_idle(struct ns_queue *q)
{
	if (q->busy == 0 && q->todo.n == 0 && q->window > 0)
		ns_queue_drop(q);
}

static void
naive_ended(struct both *b, struct ns_msg *m, bool was_last)
{
	if (was_last && !ns_refill(m, b->bare.loop.now)) {
		ns_forget(m);
		b->mails--;
	}
}

/* The naive scheduler's end of an entry, with the destination's rest between
 * the counts and the look at the blocked (F7.11). */
static void
naive_finish(struct both *b, struct ns_entry *e)
{
	struct ns_queue *q = e->queue;
	struct ns_msg *m = e->msg;
	bool was_last;

	ns_finish_count(e, b->bare.loop.now);
	if (q->transport == b->naive_transports[2])
		q->window = -1;
	if (q->window >= 0)
		ns_unblock(q);
	was_last = ns_finish_drop(e, b->bare.loop.now);
	naive_drop_if_idle(q);
	naive_ended(b, m, was_last);
}

static void
set_window(struct mta_dest *d, struct ns_queue *q, int32_t window)
{
	d->window.window = window;
	q->window = window;
	mta_dest_account(d);
}

static void
do_finish(struct both *b)
{
	uint32_t i;
	struct pair pair;
	struct mta_entry *e;

	if (b->busy_count == 0)
		return;
	i = below(b, b->busy_count);
	pair = b->busy[i];
	b->busy[i] = b->busy[--b->busy_count];
	e = mta_pool_find(&b->qmgr.entries, pair.ours);
	must(b, e != NULL);
	/* Feedback moves the window just before a delivery is finished. */
	if (below(b, 3) == 0 && e->dest->state == MTA_DEST_READY &&
	    pair.naive->queue->transport != b->naive_transports[2])
		set_window(e->dest, pair.naive->queue,
			   1 + (int32_t)below(b, 8));
	naive_finish(b, pair.naive);
	mta_entry_finish(e);
}

/* A destination that rests is usable again. */
static void
do_resume(struct both *b)
{
	struct mta_transport *t = our_transport(b, "t2");

	for (struct mta_list *l = t->dests.next; l != &t->dests; l = l->next) {
		struct mta_dest *d =
			mta_container_of(l, struct mta_dest, in_transport);
		struct ns_queue *q;

		if (d->state != MTA_DEST_SUSPENDED)
			continue;
		q = ns_queue_find(b->naive_transports[2],
				  mta_sym_text(&b->bare.symbols, d->name));
		must(b, q != NULL);
		q->window = 1;
		if (q->busy == 0 && q->todo.n == 0)
			ns_queue_drop(q);
		else
			ns_unblock(q);
		mta_timer_cancel(&b->bare.loop, &d->timer);
		d->timer.fire(&d->timer);
		return;
	}
}

/* All that waits for a destination goes to the retry transport (F9.3). */
static void
do_give_up(struct both *b)
{
	static const char *const names[] = {"t0", "t1"};
	uint32_t transport = below(b, 2);
	struct mta_transport *t = our_transport(b, names[transport]);
	struct mta_status status = {.dsn = MTA_DSN(4, 3, 0)};
	struct mta_dest *d;
	struct ns_queue *q;
	struct ns_queue *retry;
	size_t count;

	if (mta_list_is_empty(&t->dests))
		return;
	d = mta_container_of(t->dests.next, struct mta_dest, in_transport);
	q = ns_queue_find(b->naive_transports[transport],
			  mta_sym_text(&b->bare.symbols, d->name));
	count = q->todo.n;
	must(b, count == (size_t)d->todo_count);
	if (count == 0)
		return;
	status.reason = mta_sym_intern(&b->bare.symbols, "gone");
	retry = naive_queue(b, TRANSPORTS, "4.3.0 gone");
	for (size_t i = 0; i < count; i++)
		ns_move_entry(q->todo.at[0], retry, b->bare.loop.now);
	naive_drop_if_idle(q);
	mta_dest_defer_todo(d, status);
	mta_sym_drop(&b->bare.symbols, status.reason);
}

static void
do_something(struct both *b)
{
	uint32_t what = below(b, 100);

	if (what < 20 && b->mails < MAILS_MOST)
		do_admit(b);
	else if (what < 60)
		do_ready(b);
	else if (what < 90)
		do_finish(b);
	else if (what < 94)
		do_resume(b);
	else if (what < 95)
		do_give_up(b);
	else
		b->bare.loop.now += below(b, 2500000);
}

/* No more mail comes: all that is there must be handed out in the end. */
static void
drain(struct both *b)
{
	for (int i = 0; b->mails > 0 || b->busy_count > 0; i++) {
		must(b, i < 200000);
		do_ready(b);
		if (i % 2)
			do_finish(b);
		if (i % 16 == 0)
			do_resume(b);
		if (i % 64 == 0)
			b->bare.loop.now += MTA_USEC_PER_S;
	}
	for (int i = 0; i < DOMAINS; i++)
		do_resume(b);
}

/* How often what matters was reached. */
struct marks {
	uint64_t selected;
	uint64_t refused;
	uint64_t preempted;
};

static void
run_sequence(struct both *b, uint64_t seed, int length, struct marks *marks)
{
	both_init(b, seed);
	for (int i = 0; i < length; i++) {
		do_something(b);
		must(b, b->qmgr.active_count == b->mails);
		must(b, b->qmgr.rcpt_total == ns_rcpt_total(b->naive));
	}
	drain(b);
	marks->selected += b->selected;
	marks->refused += b->refused;
	marks->preempted += b->preempted;
	both_release(b);
}

START_TEST(same_decisions)
{
	/* 100,000 sequences in check-long, whose scale is 20. */
	long count = 5000 * harness_scale();
	uint64_t seed = harness_seed(20260105);
	struct marks marks = {0};
	struct both *b = calloc(1, sizeof(*b));

	b->addresses = calloc(DOMAINS * 1000, sizeof(*b->addresses));

	for (long i = 0; i < count; i++)
		run_sequence(b, seed + (uint64_t)i, 30 + (int)(i % 10) * 30,
			     &marks);
	free(b->addresses);
	free(b);
	/* The cases that matter were reached. */
	ck_assert_uint_gt(marks.selected, (uint64_t)count * 10);
	ck_assert_uint_gt(marks.refused, (uint64_t)count);
	ck_assert_uint_gt(marks.preempted, (uint64_t)count / 2);
}
END_TEST

Suite *scheduler_suite(void);

Suite *
scheduler_suite(void)
{
	Suite *suite = suite_create("scheduler");
	TCase *tcase = tcase_create("generated sequences");

	tcase_add_test(tcase, same_decisions);
	suite_add_tcase(suite, tcase);
	return suite;
}
