/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The account of a drawn run; see ledger.h. check writes a mark for each of its
 * assertions, and there are millions of facts here: so they are plain tests.
 */
#include "tests/swarm/ledger.h"

#include <check.h>
#include <stdio.h>

#include "model/stream.h"
#include "mta/panic.h"
#include "tests/harness.h"

void
ledger_fail(const struct ledger *l, const char *fact, int64_t number)
{
	printf("seed %llu, step %llu: not so: %s (%lld)\n"
	       "replay: MTASIM_TEST_SEED=%llu MTASIM_TEST_SCALE=1 CK_FORK=no\n"
	       "%s",
	       (unsigned long long)l->seed, (unsigned long long)l->steps, fact,
	       (long long)number, (unsigned long long)l->seed, l->drawn.text);
	fflush(stdout);
	ck_abort_msg("seed %llu: not so: %s (%lld)",
		     (unsigned long long)l->seed, fact, (long long)number);
}

/* Whose run it is, when a fact of the core does not hold. */
static const struct ledger *running;

static void
report_panic(const char *file, int line, const char *fact)
{
	char text[512];

	snprintf(text, sizeof(text), "%s, %s", file ? file : "",
		 fact ? fact : "out of memory");
	if (running)
		ledger_fail(running, text, line);
}

/* ---- the account ------------------------------------------------------- */

static struct ledger_mail *
mail_of(struct ledger *l, uint32_t serial)
{
	ledger_must(l, serial < LEDGER_MAILS, serial);
	if (serial >= l->mail_count)
		l->mail_count = serial + 1;
	return &l->mails[serial];
}

static bool
outcome_is_final(uint8_t outcome)
{
	return outcome == MTA_SENT || outcome == MTA_BOUNCED ||
	       outcome == MTA_EXPIRED;
}

static void
take_delivery(struct ledger *l, const struct mta_trace_delivery *d)
{
	struct ledger_mail *m = mail_of(l, d->serial);

	l->hash = stream_mix(l->hash, (uint64_t)d->at);
	l->hash = stream_mix(l->hash, (uint64_t)d->serial << 32 |
					      (uint64_t)d->outcome << 16 |
					      d->offset);
	if (!outcome_is_final(d->outcome) || !m->is_accepted)
		return;
	ledger_must(l, d->offset < LEDGER_RECIPIENTS, d->offset);
	m->finished[d->offset]++;
	if (m->finished[d->offset] <= 1 || m->was_requeued)
		return;
	ledger_must(l, m->finished[d->offset] <= 1 + m->marks_lost + m->copies,
		    d->serial);
	l->twice++;
}

static void
take_move(struct ledger *l, const struct mta_trace_move *v)
{
	l->made += v->from == MTA_QUEUES;
	l->gone += v->to == MTA_QUEUES;
	if (v->from == MTA_ACTIVE && v->to == MTA_HOLD)
		mail_of(l, v->serial)->copies++;
	if (v->reason == MTA_MOVE_REQUEUED)
		mail_of(l, v->serial)->was_requeued = true;
}

static void
take_ended(struct ledger *l, const struct mta_trace_ended *e)
{
	struct ledger_mail *m = mail_of(l, e->serial);

	if (e->outcome == MTA_QUEUED)
		return; /* maildrop's file; the mail goes on in incoming */
	m->ends++;
	m->was_deleted = e->outcome == MTA_DELETED;
	m->has_expired = e->outcome == MTA_EXPIRED;
	ledger_must(l, m->ends == 1, e->serial);
}

static bool
result_is_success(uint32_t result)
{
	return result == MTA_SUBMIT_ACCEPTED || result == MTA_SUBMIT_HELD;
}

static void
ledger_take(struct mta_sink *sink, enum mta_trace_kind kind, const void *record)
{
	struct ledger *l = mta_container_of(sink, struct ledger, sink);

	if (kind == MTA_TRACE_DELIVERY) {
		take_delivery(l, record);
	} else if (kind == MTA_TRACE_MOVE) {
		take_move(l, record);
	} else if (kind == MTA_TRACE_ENDED) {
		take_ended(l, record);
	} else {
		const struct mta_trace_answered *a = record;
		struct ledger_mail *m = mail_of(l, a->serial);

		if (!result_is_success(a->result))
			return;
		m->is_accepted = true;
		if (!m->was_requeued)
			m->recipients = (uint8_t)a->recipient_count;
	}
}

/* ---- limits ------------------------------------------------------------ */

static int64_t
queued(const struct world_run *r)
{
	int64_t count = 0;

	for (int q = 0; q < MTA_QUEUES; q++)
		count += world_run_in_queue(r, (enum mta_queue)q);
	return count;
}

static void
check_processes(const struct ledger *l, const struct agents *a)
{
	for (size_t i = 0; i < a->transport_count; i++) {
		const struct mta_service_state *s = &a->transports[i].service;

		ledger_must(l, s->total_count >= 0, i);
		ledger_must(l, s->idle_count <= s->total_count, i);
		if (s->process_limit > 0)
			ledger_must(l, s->total_count <= s->process_limit, i);
	}
}

static void
check_dest(const struct ledger *l, const struct mta_dest *d)
{
	int32_t limit = d->transport->window_law.limit;

	ledger_must(l, d->busy_count >= 0, d->busy_count);
	ledger_must(l, d->todo_count >= 0, d->todo_count);
	if (d->state == MTA_DEST_DEAD)
		ledger_must(l, d->window.window == 0, d->window.window);
	if (d->state != MTA_DEST_READY)
		return;
	ledger_must(l, d->window.window >= 1, d->window.window);
	if (limit > 0)
		ledger_must(l, d->window.window <= limit, d->window.window);
	ledger_must(l, d->todo_count + d->busy_count > 0, 0);
}

static void
check_transport(const struct ledger *l, const struct mta_transport *t)
{
	struct mta_list *k;

	ledger_must(l, t->pending >= 0, t->pending);
	ledger_must(l, t->pending <= 2, t->pending);
	for (k = t->dests.next; k != &t->dests; k = k->next)
		check_dest(l,
			   mta_container_of(k, struct mta_dest, in_transport));
}

static void
check_qmgr(const struct ledger *l, const struct mta_qmgr *q)
{
	struct mta_list *k;

	ledger_must(l,
		    (int64_t)q->active_count <=
			    q->params->qmgr_message_active_limit,
		    q->active_count);
	ledger_must(l, q->rcpt_total >= 0, q->rcpt_total);
	for (k = q->transports.next; k != &q->transports; k = k->next)
		check_transport(
			l, mta_container_of(k, struct mta_transport, in_qmgr));
}

static void
ledger_look(struct world_watch *watch, struct world_run *r)
{
	struct ledger *l = mta_container_of(watch, struct ledger, watch);

	l->steps++;
	ledger_must(l, l->made == l->gone + queued(r), l->made - l->gone);
	if (l->steps % 16 == 0) {
		check_processes(l, &r->world.agents);
		check_qmgr(l, &r->world.qmgr);
	}
	if (l->disturb)
		l->disturb(l, r);
}

/* ---- a run --------------------------------------------------------------- */

struct world_run *
ledger_open(struct ledger *l, uint64_t seed, enum draw_what what)
{
	l->sink.take = ledger_take;
	l->watch.look = ledger_look;
	l->seed = seed;
	l->is_operated = what == DRAW_OPERATED;
	draw_scenario(&l->drawn, seed, what);
	running = l;
	mta_panic_set_reporter(report_panic);
	return world_run_open(l->drawn.text,
			      &(struct world_run_options){
				      .keep = WORLD_RUN_KEEP(CLOGGED),
				      .also = &l->sink,
				      .also_kinds = WORLD_RUN_KEEP(DELIVERY) |
						    WORLD_RUN_KEEP(MOVE) |
						    WORLD_RUN_KEEP(ENDED) |
						    WORLD_RUN_KEEP(ANSWERED),
				      .watch = &l->watch});
}

static void
settle_mail(struct ledger *l, uint32_t serial)
{
	const struct ledger_mail *m = &l->mails[serial];

	if (!m->is_accepted || m->was_deleted || m->ends == 0 ||
	    m->was_requeued)
		return;
	for (uint32_t i = 0; i < m->recipients; i++) {
		if (m->finished[i] >= 1)
			continue;
		ledger_must(l, m->has_expired, serial);
		ledger_must(l, m->agent_died || l->is_operated, serial);
		l->forgotten++;
	}
}

void
ledger_finish(struct ledger *l, struct world_run *r)
{
	int64_t unfinished = 0;

	world_run_finish(r);
	ledger_must(l, world_is_drained(&r->world), queued(r));
	ledger_must(l, r->world.qmgr.active_count == 0,
		    r->world.qmgr.active_count);
	for (uint32_t i = 0; i < l->mail_count; i++) {
		unfinished += l->mails[i].is_accepted && !l->mails[i].ends;
		settle_mail(l, i);
	}
	ledger_must(l, unfinished == queued(r), unfinished - queued(r));
	if (!l->is_operated)
		ledger_must(l, unfinished == 0, unfinished);
	running = NULL;
}
