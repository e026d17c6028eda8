/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rows that are written when something happens. The four parts of a delay are
 * those of F14.4, with all six decimals.
 */
#include "sim/results_parts.h"

#include "sim/delay_parts.h"
#include "sim/maillog.h"
#include "sim/metrics.h"

static bool
open_maillog(struct results *r)
{
	r->maillog = maillog_open(r->part, &(struct maillog_view){
						   .scenario = r->view.scenario,
						   .trace = r->view.trace,
						   .symbols = r->view.symbols,
						   .book = r->view.book,
						   .spool = r->view.spool,
						   .params = r->view.params,
					   });
	if (r->maillog->error[0])
		results_fail(r, "%s", r->maillog->error);
	return !r->error[0];
}

static void
open_metrics(struct results *r)
{
	r->metrics = metrics_open(&(struct metrics_view){
		.scenario = r->view.scenario,
		.trace = r->view.trace,
		.symbols = r->view.symbols,
		.spool = r->view.spool,
	});
}

bool
results_rows_open(struct results *r)
{
	const char *dir = r->part;

	if (r->output & SCENARIO_OUTPUT_MESSAGES &&
	    !table_out_open(&r->messages, dir, "messages.csv",
			    "message,source,index,queue_id,sender,arrived_s,"
			    "accepted_s,first_active_s,ended_s,size_bytes,"
			    "recipients,attempts,outcome"))
		return false;
	if (r->output & SCENARIO_OUTPUT_ATTEMPTS &&
	    !table_out_open(&r->attempts, dir, "attempts.csv",
			    "time_s,message,source,index,recipient,address,"
			    "domain,transport,destination,relay,outcome,dsn,"
			    "code,step,delay_s,before_queue_manager_s,"
			    "queue_manager_s,connection_setup_s,"
			    "transmission_s,batch,conn_use,reason"))
		return false;
	if (r->output & SCENARIO_OUTPUT_MOVES &&
	    !table_out_open(&r->moves, dir, "moves.csv",
			    "time_s,message,source,index,from,to,reason"))
		return false;
	if (r->output & SCENARIO_OUTPUT_FEEDBACK &&
	    !table_out_open(&r->feedback, dir, "feedback.csv",
			    "time_s,event,transport,destination,limit,"
			    "window,busy,success,failure,fail_cohorts"))
		return false;
	if (r->output & SCENARIO_OUTPUT_METRICS)
		open_metrics(r);
	return !(r->output & SCENARIO_OUTPUT_MAILLOG) || open_maillog(r);
}

bool
results_rows_close(struct results *r)
{
	bool is_whole = table_out_close(&r->messages);
	char error[METRICS_ERROR];

	is_whole = table_out_close(&r->attempts) && is_whole;
	is_whole = table_out_close(&r->moves) && is_whole;
	is_whole = table_out_close(&r->feedback) && is_whole;
	if (r->metrics && !metrics_write(r->metrics, r->part, error)) {
		results_fail(r, "%s", error);
		return false;
	}
	if (!r->maillog || maillog_close(r->maillog))
		return is_whole;
	results_fail(r, "%s", r->maillog->error);
	return false;
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
	struct table_out *t = &r->messages;
	struct mta_spool *spool = r->view.spool;
	char id[MTA_ID_TEXT_MAX];

	/* Pickup has passed it on under the same number: it goes on. A mail
	 * that is left over has no end. */
	if (!t->buffer || (e->outcome == MTA_QUEUED && e->at != MTA_NEVER))
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

void
results_row_attempt(struct results *r, const struct mta_trace_delivery *d,
		    const struct tally_place *place)
{
	struct table_out *t = &r->attempts;

	if (!t->buffer || !tally_is_attempt(d))
		return;
	table_out_seconds(t, results_time(d->at));
	put_origin(r, t, d->serial, d->sender);
	table_out_integer(t, d->offset);
	put_address(r, t, d->recipient);
	put_symbol(r, t, place->domain->name);
	put_symbol(r, t, d->transport);
	put_symbol(r, t, place->destination->name);
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

void
results_row_move(struct results *r, const struct mta_trace_move *m)
{
	struct table_out *t = &r->moves;

	if (!t->buffer)
		return;
	table_out_seconds(t, results_time(m->at));
	put_origin(r, t, m->serial, m->sender);
	put_queue(t, m->from);
	put_queue(t, m->to);
	table_out_text(t,
		       mta_move_reason_name((enum mta_move_reason)m->reason));
	table_out_end_row(t);
}

void
results_row_feedback(struct results *r, const struct mta_trace_feedback *f)
{
	struct table_out *t = &r->feedback;

	if (!t->buffer)
		return;
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
