/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rows that are written when something happens: a sink beside that of the
 * counts, for the tables that are asked for. The four parts of a delay are
 * those of F14.4, with all six decimals.
 */
#include "sim/results/results_parts.h"

#include "sim/results/delay_parts.h"
#include "sim/results/maillog.h"
#include "sim/results/metrics.h"

static bool
open_maillog(struct results *r)
{
	r->maillog = maillog_open(r->part, &r->view);
	if (r->maillog->error[0])
		results_fail(r, "%s", r->maillog->error);
	return !r->error[0];
}

void
results_rows_close(struct results *r)
{
	char error[METRICS_ERROR];

	if (r->metrics && !metrics_write(r->metrics, r->part, error))
		results_fail(r, "%s", error);
	if (r->maillog && !maillog_close(r->maillog))
		results_fail(r, "%s", r->maillog->error);
}

/* message,source,index */
static void
put_origin(struct results *r, struct table_out *t, uint32_t serial,
	   mta_addr sender)
{
	struct book_origin origin = book_origin_of(r->view.book, sender);

	table_out_integer(t, serial);
	table_out_text(t, results_source_name(r, origin.source));
	table_out_integer(t, (int64_t)origin.index);
}

static void
put_address(struct results *r, struct table_out *t, mta_addr address)
{
	const struct mta_book *book = &r->view.book->base;
	char text[MTA_ADDR_TEXT_MAX];

	book->text(book, address, text, sizeof(text));
	table_out_text(t, text);
}

static void
put_symbol(struct results *r, struct table_out *t, mta_sym symbol)
{
	table_out_text(t, mta_sym_text(r->view.symbols, symbol));
}

/* Empty if it never was. */
static void
put_time(struct table_out *t, mta_time at)
{
	if (at == MTA_NEVER)
		table_out_empty(t);
	else
		table_out_seconds(t, results_time(at));
}

void
results_row_message(struct results *r, const struct mta_trace_ended *e)
{
	struct table_out *t = &r->tables[RESULTS_MESSAGES];
	struct mta_spool *spool = r->view.spool;
	char id[MTA_ID_TEXT_MAX];

	if (!t->buffer)
		return;
	put_origin(r, t, e->serial, e->sender);
	spool->ops->id_text(spool, e->file, id, sizeof(id));
	table_out_text(t, id);
	put_address(r, t, e->sender);
	put_time(t, e->arrival);
	put_time(t, e->accepted);
	put_time(t, e->first_active);
	put_time(t, e->at);
	table_out_integer(t, e->size_bytes);
	table_out_integer(t, e->recipient_count);
	table_out_integer(t, e->attempts);
	table_out_text(t, mta_outcome_name((enum mta_outcome)e->outcome));
	table_out_end_row(t);
}

static void
put_delays(struct table_out *t, const struct mta_trace_delivery *d)
{
	struct delay_parts delays = delay_parts_of(d);

	table_out_seconds(t, delays.whole);
	for (int i = 0; i < DELAY_PARTS; i++)
		table_out_seconds(t, delays.part[i]);
}

static void
put_dsn(struct table_out *t, struct mta_dsn dsn)
{
	char text[32];
	char *at = table_out_put_integer(text, dsn.class);

	*at++ = '.';
	at = table_out_put_integer(at, dsn.subject);
	*at++ = '.';
	at = table_out_put_integer(at, dsn.detail);
	*at = '\0';
	table_out_text(t, dsn.class ? text : "");
}

/* An empty field for nothing. */
static void
put_positive(struct table_out *t, int64_t number)
{
	if (number > 0)
		table_out_integer(t, number);
	else
		table_out_empty(t);
}

/* The tally has seen it and knows where mail of the domain went. */
static void
row_attempt(struct results *r, const struct mta_trace_delivery *d)
{
	struct table_out *t = &r->tables[RESULTS_ATTEMPTS];
	const struct tally_pair *pair = tally_pair_of(&r->tally, d->recipient);

	table_out_seconds(t, results_time(d->at));
	put_origin(r, t, d->serial, d->sender);
	table_out_integer(t, d->offset);
	put_address(r, t, d->recipient);
	put_symbol(r, t, tally_domain_at(&r->tally, pair)->name);
	put_symbol(r, t, d->transport);
	put_symbol(r, t, pair->name);
	put_symbol(r, t, d->relay);
	table_out_text(t, mta_outcome_name((enum mta_outcome)d->outcome));
	put_dsn(t, d->dsn);
	put_positive(t, d->code);
	table_out_text(t, mta_step_name((enum mta_smtp_step)d->step));
	put_delays(t, d);
	if (d->handoff == MTA_NEVER)
		table_out_empty(t);
	else
		table_out_integer(t, d->batch);
	put_positive(t, d->conn_use);
	put_symbol(r, t, d->reason);
	table_out_end_row(t);
}

static void
put_queue(struct table_out *t, uint32_t queue)
{
	if (queue < MTA_QUEUES)
		table_out_text(t, mta_queue_name((enum mta_queue)queue));
	else
		table_out_empty(t);
}

static void
row_move(struct results *r, const struct mta_trace_move *m)
{
	struct table_out *t = &r->tables[RESULTS_MOVES];

	table_out_seconds(t, results_time(m->at));
	put_origin(r, t, m->serial, m->sender);
	put_queue(t, m->from);
	put_queue(t, m->to);
	table_out_text(t,
		       mta_move_reason_name((enum mta_move_reason)m->reason));
	table_out_end_row(t);
}

static void
row_feedback(struct results *r, const struct mta_trace_feedback *f)
{
	struct table_out *t = &r->tables[RESULTS_FEEDBACK];

	table_out_seconds(t, results_time(f->at));
	table_out_text(
		t, mta_feedback_event_name((enum mta_feedback_event)f->event));
	put_symbol(r, t, f->transport);
	put_symbol(r, t, f->destination);
	table_out_integer(t, f->limit);
	table_out_integer(t, f->window);
	table_out_integer(t, f->busy);
	table_out_decimal(t, f->success);
	table_out_decimal(t, f->failure);
	table_out_decimal(t, f->fail_cohorts);
	table_out_end_row(t);
}

/* ---- the sink
 * ---------------------------------------------------------------------- */

static void
take_row(struct mta_sink *sink, enum mta_trace_kind kind, const void *record)
{
	struct results *r = mta_container_of(sink, struct results, on_row);

	if (kind == MTA_TRACE_MOVE) {
		row_move(r, record);
	} else if (kind == MTA_TRACE_FEEDBACK) {
		row_feedback(r, record);
	} else if (kind == MTA_TRACE_DELIVERY) {
		if (tally_is_attempt(record))
			row_attempt(r, record);
	} else if (kind == MTA_TRACE_ENDED) {
		const struct mta_trace_ended *e = record;

		/* What pickup has passed on goes on under the same number. */
		if (e->outcome != MTA_QUEUED)
			results_row_message(r, e);
	}
}

bool
results_rows_open(struct results *r)
{
	static const struct {
		enum results_table table;
		enum mta_trace_kind kind;
	} made_of[] = {
		{RESULTS_MESSAGES, MTA_TRACE_ENDED},
		{RESULTS_ATTEMPTS, MTA_TRACE_DELIVERY},
		{RESULTS_MOVES, MTA_TRACE_MOVE},
		{RESULTS_FEEDBACK, MTA_TRACE_FEEDBACK},
	};

	r->on_row.take = take_row;
	for (size_t i = 0; i < sizeof(made_of) / sizeof(made_of[0]); i++)
		if (r->tables[made_of[i].table].buffer)
			mta_trace_subscribe(r->view.trace, made_of[i].kind,
					    &r->on_row);
	if (r->output & SCENARIO_OUTPUT_METRICS)
		r->metrics = metrics_open(&r->view);
	return !(r->output & SCENARIO_OUTPUT_MAILLOG) || open_maillog(r);
}
