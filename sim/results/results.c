/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The folder from beginning to end. It is written beside its place and renamed
 * when it is whole (sim/base/folder.h).
 */
#include "sim/results/results_parts.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/arena.h"
#include "sim/base/exit_code.h"
#include "sim/base/folder.h"
#include "sim/results/maillog.h"
#include "sim/results/metrics.h"

int
results_fail(struct results *r, const char *format, ...)
{
	va_list arguments;

	if (!r->error[0]) {
		va_start(arguments, format);
		vsnprintf(r->error, sizeof(r->error), format, arguments);
		va_end(arguments);
	}
	return EXIT_CODE_INTERNAL;
}

/* ---- folders --------------------------------------------------------------
 */

int
results_check_place(const char *dir)
{
	char *path = folder_clean(dir);
	bool is_free = folder_is_free(path);

	if (!is_free)
		fprintf(stderr,
			"mtasim: '%s' is there already and does not hold "
			"results of ours (no run.json of ours); choose another "
			"place with --out, or move it away\n",
			path);
	free(path);
	return is_free ? EXIT_CODE_OK : EXIT_CODE_USAGE;
}

static int
put_in_place(struct results *r)
{
	char why[FOLDER_ERROR];

	if (folder_put(r->part, r->dir, why))
		return 0;
	/* A run may have taken hours. */
	if (folder_is(r->part))
		results_fail(r, "%s; the results are in '%s'", why, r->part);
	else
		results_fail(r, "%s", why);
	free(r->part);
	r->part = NULL;
	return EXIT_CODE_INTERNAL;
}

/* ---- the trace --------------------------------------------------------------
 */

static void
take_submitted(struct mta_sink *sink, enum mta_trace_kind kind,
	       const void *record)
{
	struct results *r =
		mta_container_of(sink, struct results, on_submitted);

	(void)kind;
	totals_submitted(&r->totals, record);
}

static void
take_answered(struct mta_sink *sink, enum mta_trace_kind kind,
	      const void *record)
{
	struct results *r = mta_container_of(sink, struct results, on_answered);

	(void)kind;
	totals_answered(&r->totals, record);
}

static void
count_deleted(struct results *r, const struct mta_trace_move *m)
{
	uint32_t source = results_source_of(r, m->sender);

	tally_source(&r->tally, source)->outcomes[MTA_DELETED] +=
		m->recipient_count;
	expect_deleted(&r->expect, results_time(m->at), m->recipient_count,
		       source);
}

/* Mail that comes to wait, or no longer does, or is deleted. */
MTA_APART static void
take_odd_move(struct results *r, const struct mta_trace_move *m)
{
	if (m->from == MTA_DEFERRED || m->to == MTA_DEFERRED)
		results_count_deferred(r, m);
	if (m->reason == MTA_MOVE_DELETED)
		count_deleted(r, m);
}

static void
take_move(struct mta_sink *sink, enum mta_trace_kind kind, const void *record)
{
	struct results *r = mta_container_of(sink, struct results, on_move);
	const struct mta_trace_move *m = record;

	(void)kind;
	totals_move(&r->totals, m);
	fingerprint_move(&r->fingerprint, m);
	if (m->from == MTA_DEFERRED || m->to == MTA_DEFERRED ||
	    m->reason == MTA_MOVE_DELETED)
		take_odd_move(r, m);
}

/* Which attempt it was, as the queue file counts; 0: the file is gone. */
static uint32_t
attempts_of(struct results *r, struct mta_ref file)
{
	const struct mta_file *shown;

	if (!r->expect.wants_tries)
		return 0;
	shown = r->view.spool->ops->look(r->view.spool, file);
	if (!shown)
		return 0;
	return shown->envelope.attempts > 0 ? shown->envelope.attempts : 1;
}

MTA_APART static void
tell_expect(struct results *r, const struct mta_trace_delivery *d,
	    const struct tally_place *place)
{
	struct expect_recipient x = {
		.at_us = results_time(d->at),
		.delay_us = d->at - d->arrival,
		.wait_us = -1,
		.attempts = attempts_of(r, d->file),
		.outcome = (enum mta_outcome)d->outcome,
		.destination = tally_destination_at(&r->tally, place->pair),
		.domain = tally_domain_at(&r->tally, place->pair),
		.source = place->source->source,
	};

	if (x.attempts == 1 && d->outcome != MTA_EXPIRED)
		x.wait_us = (d->handoff == MTA_NEVER ? d->at : d->handoff) -
			    d->arrival;
	expect_recipient(&r->expect, &x);
}

/* Put off because destination or transport were known to be dead: the queue
 * manager did it by itself or by a service that asks nobody (F9.3). */
static bool
is_untried(const struct results *r, const struct mta_trace_delivery *d)
{
	return d->outcome == MTA_DEFERRED_OUTCOME &&
	       (d->handoff == MTA_NEVER ||
		tally_is_service(&r->tally, d->transport));
}

static void
take_delivery(struct mta_sink *sink, enum mta_trace_kind kind,
	      const void *record)
{
	struct results *r = mta_container_of(sink, struct results, on_delivery);
	const struct mta_trace_delivery *d = record;
	struct tally_place place =
		tally_delivery(&r->tally, d, results_source_of(r, d->sender));

	(void)kind;
	totals_delivery(&r->totals, d);
	if (is_untried(r, d))
		r->totals.untried++;
	fingerprint_delivery(&r->fingerprint, d);
	if (r->expect.wants_recipients)
		tell_expect(r, d, &place);
}

static void
take_feedback(struct mta_sink *sink, enum mta_trace_kind kind,
	      const void *record)
{
	struct results *r = mta_container_of(sink, struct results, on_feedback);

	(void)kind;
	fingerprint_feedback(&r->fingerprint, record);
}

static void
take_ended(struct mta_sink *sink, enum mta_trace_kind kind, const void *record)
{
	struct results *r = mta_container_of(sink, struct results, on_ended);

	(void)kind;
	totals_ended(&r->totals, record);
}

static void
subscribe(struct results *r)
{
	struct mta_trace *t = r->view.trace;

	r->on_submitted.take = take_submitted;
	r->on_answered.take = take_answered;
	r->on_move.take = take_move;
	r->on_delivery.take = take_delivery;
	r->on_feedback.take = take_feedback;
	r->on_ended.take = take_ended;
	mta_trace_subscribe(t, MTA_TRACE_SUBMITTED, &r->on_submitted);
	mta_trace_subscribe(t, MTA_TRACE_ANSWERED, &r->on_answered);
	mta_trace_subscribe(t, MTA_TRACE_MOVE, &r->on_move);
	mta_trace_subscribe(t, MTA_TRACE_DELIVERY, &r->on_delivery);
	mta_trace_subscribe(t, MTA_TRACE_FEEDBACK, &r->on_feedback);
	mta_trace_subscribe(t, MTA_TRACE_ENDED, &r->on_ended);
}

/* ---- beginning --------------------------------------------------------------
 */

static const struct {
	const char *name;
	const char *header;
	unsigned output; /* enum scenario_output; 0: always */
} tables[RESULTS_TABLES] = {
	[RESULTS_SERIES] = {.name = "series.csv", .header = "time_s"
#define SERIES(id, name) "," name
#include "sim/scenario/columns.def"
	},
	[RESULTS_DESTINATIONS] = {.name = "destinations.csv",
				  .header = "time_s,transport,destination,state"
#define DESTINATION(id, name) "," name
#include "sim/scenario/columns.def"
	},
	[RESULTS_TRANSPORTS] = {.name = "transports.csv",
				.header = "time_s,transport"
#define TRANSPORT(id, name) "," name
#include "sim/scenario/columns.def"
					  ",state"},
	[RESULTS_MESSAGES] = {"messages.csv",
			      "message,source,index,queue_id,sender,arrived_s,"
			      "accepted_s,first_active_s,ended_s,size_bytes,"
			      "recipients,attempts,outcome",
			      SCENARIO_OUTPUT_MESSAGES},
	[RESULTS_ATTEMPTS] = {"attempts.csv",
			      "time_s,message,source,index,recipient,address,"
			      "domain,transport,destination,relay,outcome,dsn,"
			      "code,step,delay_s,before_queue_manager_s,"
			      "queue_manager_s,connection_setup_s,"
			      "transmission_s,batch,conn_use,reason",
			      SCENARIO_OUTPUT_ATTEMPTS},
	[RESULTS_MOVES] = {"moves.csv",
			   "time_s,message,source,index,from,to,reason",
			   SCENARIO_OUTPUT_MOVES},
	[RESULTS_FEEDBACK] = {"feedback.csv",
			      "time_s,event,transport,destination,limit,"
			      "window,busy,success,failure,fail_cohorts",
			      SCENARIO_OUTPUT_FEEDBACK},
};

static bool
open_tables(struct results *r)
{
	for (int i = 0; i < RESULTS_TABLES; i++) {
		if (tables[i].output && !(r->output & tables[i].output))
			continue;
		if (!table_out_open(&r->tables[i], r->part, tables[i].name,
				    tables[i].header))
			return false;
	}
	return results_rows_open(r);
}

/* The first error of any table, if nothing else went wrong before. */
static int
tables_fail(struct results *r)
{
	for (int i = 0; i < RESULTS_TABLES; i++) {
		if (r->tables[i].error[0])
			results_fail(r, "%s", r->tables[i].error);
	}
	return r->error[0] ? EXIT_CODE_INTERNAL : EXIT_CODE_OK;
}

static int
say_error(const struct results *r)
{
	if (r->error[0])
		fprintf(stderr, "mtasim: %s\n", r->error);
	return r->error[0] ? EXIT_CODE_INTERNAL : EXIT_CODE_OK;
}

static void
add_services(struct results *r)
{
	const struct scenario *s = r->view.scenario;

	for (size_t i = 0; i < s->transport_count; i++) {
		const struct scenario_transport *t = &s->transports[i];

		if (t->kind == SCENARIO_KIND_ERROR ||
		    t->kind == SCENARIO_KIND_RETRY)
			tally_add_service(
				&r->tally,
				mta_sym_intern(r->view.symbols, t->name));
	}
}

static void
name_starts(struct results *r)
{
	size_t count = r->view.scenario->start_count;

	r->start_names = memory_array(count + 1, sizeof(*r->start_names));
	for (size_t i = 0; i < count; i++)
		snprintf(r->start_names[i], sizeof(*r->start_names),
			 i ? "start[%zu]" : "start", i);
}

static void
init_folds(struct results *r)
{
	const struct results_view *v = &r->view;
	const struct scenario_run *run = &v->scenario->run;
	mta_time begin = SIM_EPOCH;

	if (run->start_at_us < 0)
		begin += run->start_at_us;
	totals_init(&r->totals, begin, v->spool);
	tally_init(&r->tally, v->symbols, &v->book->base, v->router,
		   SIM_EPOCH + run->warmup_us);
	add_services(r);
	fingerprint_init(&r->fingerprint, v->symbols, SIM_EPOCH);
	expect_init(&r->expect, v->scenario, v->symbols);
	r->destinations = memory_array(1, sizeof(*r->destinations));
	results_destinations_init(r->destinations, &r->tally,
				  v->scenario->destinations.top);
	results_scan_deferred(r);
}

int
results_init(struct results *r, const struct results_options *options,
	     const struct results_view *view)
{
	*r = (struct results){
		.view = *view,
		.dir = folder_clean(options->dir),
		.version = memory_text(options->version),
		.replication = options->replication,
		.output = options->output,
		.drained_us = -1,
		.spark = {.every = 1},
	};
	mta_params_copy(&r->params, view->params);
	name_starts(r);
	init_folds(r);
	subscribe(r);
	r->part = folder_beside(r->dir);
	if (!r->part)
		results_fail(r, "cannot create a folder beside '%s': %s",
			     r->dir, strerror(errno));
	else if (!open_tables(r))
		tables_fail(r);
	return say_error(r);
}

/* ---- samples ----------------------------------------------------------------
 */

_Static_assert((int)SERIES_CORRUPT == (int)MTA_CORRUPT, "queues come first");

static void
series_look(const struct results *r, const struct totals_sums *t,
	    int64_t row[SERIES_COLUMNS])
{
	struct mta_port *port = r->view.port;

	for (uint32_t q = 0; q < MTA_QUEUES; q++)
		row[q] = t->queue[q];
	row[SERIES_BUSY] = results_busy(r->destinations, r->view.agents);
	row[SERIES_TOKENS] = port ? port->ops->token_count(port) : 0;
	row[SERIES_SUBMITTED] = (int64_t)t->submitted;
	row[SERIES_ACCEPTED] = (int64_t)t->accepted;
	row[SERIES_DELIVERED] = (int64_t)t->delivered;
	row[SERIES_BOUNCED] = (int64_t)t->bounced;
	row[SERIES_DEFERRALS] = (int64_t)t->deferrals;
	row[SERIES_EXPIRED] = (int64_t)t->expired;
	row[SERIES_DELETED] = (int64_t)t->deleted;
}

static void
series_write(struct table_out *out, int64_t now_us,
	     const int64_t row[SERIES_COLUMNS])
{
	table_out_seconds(out, now_us);
	for (int i = 0; i < SERIES_COLUMNS; i++)
		table_out_integer(out, row[i]);
	table_out_end_row(out);
}

/* Each place shows the greatest of its samples; when all places are taken each
 * two become one. */
static void
note_spark(struct results *r, const struct totals_sums *t)
{
	struct results_spark *s = &r->spark;

	if (s->within == 0 && s->count == RESULTS_SPARK_ROOM) {
		for (uint32_t q = 0; q < MTA_QUEUES; q++) {
			for (size_t i = 0; i < RESULTS_SPARK_ROOM / 2; i++)
				s->queue[q][i] = fmax(s->queue[q][2 * i],
						      s->queue[q][2 * i + 1]);
		}
		s->count /= 2;
		s->every *= 2;
	}
	if (s->within == 0) {
		for (uint32_t q = 0; q < MTA_QUEUES; q++)
			s->queue[q][s->count] = 0;
		s->count++;
	}
	for (uint32_t q = 0; q < MTA_QUEUES; q++) {
		double *place = &s->queue[q][s->count - 1];

		*place = fmax(*place, (double)t->queue[q]);
	}
	s->within = (s->within + 1) % s->every;
}

struct sample_view {
	struct expect_sample base;
	const struct results *results;
	int64_t series[SERIES_COLUMNS];
};

static double
sample_column(const struct expect_sample *base, const char *column,
	      const char *transport, const char *destination)
{
	const struct sample_view *v =
		mta_const_container_of(base, struct sample_view, base);
	const struct results *r = v->results;

	if (destination)
		return results_destinations_column(r->destinations, column,
						   transport, destination,
						   r->view.symbols);
	if (transport)
		return results_transports_column(r->destinations, column,
						 transport, r->view.agents,
						 r->view.symbols);
	return (double)v->series[column_place(series_words, column)];
}

/* Since when sources have ended and nothing waits; the moment itself, not the
 * sample at which it is seen. */
static void
note_drained(struct results *r, int64_t now_us, bool sources_ended)
{
	const struct totals *t = &r->totals;

	if (!sources_ended || !totals_is_empty(t)) {
		r->drained_us = -1;
		return;
	}
	if (r->drained_us >= 0)
		return;
	/* A client may have had its answer, and no mail, after the last one. */
	r->drained_us = results_time(t->last_work);
	if (r->drained_us > now_us)
		r->drained_us = now_us;
}

static bool
is_row_due(const struct results *r, int64_t now_us)
{
	int64_t every = r->view.scenario->destinations.every_us;

	return every <= 0 || !r->has_sample ||
	       now_us / every != r->last_sample_us / every;
}

static void
write_destinations(struct results *r, int64_t now_us)
{
	results_destinations_write(r->destinations,
				   &r->tables[RESULTS_DESTINATIONS], now_us,
				   r->view.symbols);
	r->last_row_us = now_us;
}

static int
take_sample(struct results *r, int64_t now_us,
	    const struct results_state *state)
{
	struct sample_view sample = {
		.base = {.column = sample_column},
		.results = r,
	};
	const struct totals_sums sums = totals_sum(&r->totals);
	char why[300];

	results_destinations_look(r->destinations, state->qmgr, r->view.agents);
	series_look(r, &sums, sample.series);
	series_write(&r->tables[RESULTS_SERIES], now_us, sample.series);
	results_transports_write(r->destinations,
				 &r->tables[RESULTS_TRANSPORTS], now_us,
				 r->view.agents, r->view.symbols);
	if (is_row_due(r, now_us))
		write_destinations(r, now_us);
	if (r->metrics)
		metrics_sample(r->metrics, now_us);
	note_spark(r, &sums);
	note_drained(r, now_us, state->sources_ended);
	expect_sample(&r->expect, now_us, &sample.base);
	r->last_sample_us = now_us;
	r->has_sample = true;
	if (!totals_check(&r->totals, r->view.spool, why, sizeof(why)))
		results_fail(r,
			     "internal error at %.6f s: %s; this is a bug of "
			     "mtasim",
			     (double)now_us / 1e6, why);
	return tables_fail(r);
}

int
results_sample(struct results *r, int64_t now_us,
	       const struct results_state *state)
{
	if (take_sample(r, now_us, state) == 0)
		return 0;
	return say_error(r);
}

/* ---- end --------------------------------------------------------------------
 */

static int
check_books(struct results *r)
{
	char why[300];

	if (totals_check_little(&r->totals, r->view.spool, r->end, why,
				sizeof(why)))
		return 0;
	return results_fail(r, "internal error: %s; this is a bug of mtasim",
			    why);
}

static int
judge(struct results *r)
{
	struct expect_end end = {
		.now_us = r->end_us,
		.drained_us = r->drained_us,
	};
	int code = 0;

	r->verdicts = memory_array(r->expect.count + 1, sizeof(*r->verdicts));
	for (size_t i = 0; i < r->expect.count; i++) {
		r->verdicts[i] = expect_judge(&r->expect, i, &end);
		if (!r->verdicts[i].passed)
			code = EXIT_CODE_EXPECTATION;
	}
	return code;
}

static int
close_tables(struct results *r)
{
	for (int i = 0; i < RESULTS_TABLES; i++)
		table_out_close(&r->tables[i]);
	results_rows_close(r);
	return tables_fail(r);
}

int
results_finish(struct results *r, int64_t now_us,
	       const struct results_state *state)
{
	int verdict;

	r->end_us = now_us;
	r->end = SIM_EPOCH + now_us;
	if (r->totals.last_work > r->end)
		r->end = r->totals.last_work;
	r->partial = state->partial;
	r->left_waiting = state->waiting;
	if (!r->has_sample || r->last_sample_us < now_us)
		take_sample(r, now_us, state);
	if (r->last_row_us < now_us)
		write_destinations(r, now_us);
	results_scan_left(r, r->end);
	tally_close(&r->tally);
	verdict = judge(r);
	if (r->error[0] || check_books(r) != 0 || close_tables(r) != 0 ||
	    results_write_scenario(r) != 0 || results_write_files(r) != 0 ||
	    results_write_run_json(r) != 0 ||
	    results_write_summary_json(r) != 0 || put_in_place(r) != 0)
		return say_error(r);
	free(r->part);
	r->part = NULL;
	return verdict;
}

void
results_release(struct results *r)
{
	for (int i = 0; i < RESULTS_TABLES; i++)
		table_out_drop(&r->tables[i]);
	maillog_free(r->maillog);
	metrics_free(r->metrics);
	if (r->part)
		folder_remove(r->part);
	if (r->destinations) {
		results_destinations_release(r->destinations);
		free(r->destinations);
	}
	expect_release(&r->expect);
	tally_release(&r->tally);
	free(r->deferred_at);
	free(r->verdicts);
	mta_params_release(&r->params);
	free(r->start_names);
	free(r->version);
	free(r->part);
	free(r->dir);
}

const char *
results_part_dir(const struct results *r)
{
	return r->part;
}

const char *
results_source_name(const struct results *r, uint32_t source)
{
	const struct scenario *s = r->view.scenario;

	if (source == BOOK_NO_SOURCE)
		return "bounce";
	if (source < s->source_count)
		return s->sources[source].name;
	source -= (uint32_t)s->source_count;
	return source < s->start_count ? r->start_names[source] : "start";
}
