/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Two kinds of rows, in the order of time: plain numbers, one row a sample, and
 * distributions, one row a minute. A family of the text is then a column, or
 * several with a label each, read from top to bottom.
 */
#include "sim/results/metrics.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mta/note.h"
#include "sim/base/arena.h"
#include "sim/base/folder.h"
#include "sim/host/epoch.h"
#include "sim/results/delay_parts.h"

enum {
	BOUNDS_MAX = 9,
	EVERY_US = 60 * MTA_USEC_PER_S,
};

/* Plain numbers: the queues first, by enum mta_queue. */
enum plain {
	PLAIN_CLEANUP = MTA_QUEUES,
	PLAIN_REMOVED,
	PLAIN_EXPIRED,
	PLAIN_NOTICES,
	PLAIN_BOUNCED,
	PLAIN_DEFERRED,
	PLAIN_SENT,
	PLAINS,
};

struct plain_row {
	int64_t at_us;
	uint64_t value[PLAINS];
};

/* Distributions. */
enum spread {
	SPREAD_DELAY, /* DELAY_PARTS of them */
	SPREAD_SIZE = SPREAD_DELAY + DELAY_PARTS,
	SPREAD_RECIPIENTS,
	SPREAD_AGE,				  /* MTA_QUEUES of them */
	SPREAD_WAITING = SPREAD_AGE + MTA_QUEUES, /* sizes; MTA_QUEUES */
	SPREADS = SPREAD_WAITING + MTA_QUEUES,
};

/* counts: not more than the bound, and more than the one before. */
struct counts {
	uint64_t in[BOUNDS_MAX + 1]; /* the last: more than all bounds */
	uint64_t sum;		     /* of the numbers, in the law's unit */
};

struct spread_row {
	int64_t at_us;
	struct counts of[SPREADS];
};

struct metrics {
	struct mta_sink sink;
	struct results_view view;
	bool *is_smtp; /* owned; by symbol: a transport that logs as smtp */
	mta_sym smtp_room;
	struct mta_ref refused; /* by cleanup, the last one */
	struct plain_row now;
	struct spread_row spreads;
	struct plain_row *plain_rows; /* owned */
	size_t plain_count;
	size_t plain_room;
	struct spread_row *spread_rows; /* owned */
	size_t spread_count;
	size_t spread_room;
};

/* ---- families ---------------------------------------------------------------
 */

/* Upper bounds of the buckets, in what is counted: microseconds, bytes, pieces.
 * per_unit: how many of them are one of the text. */
struct law {
	int64_t bounds[BOUNDS_MAX];
	int count;
	int64_t per_unit;
};

#define S INT64_C(1000000)
static const struct law delay_law = {{S / 1000, S / 100, S / 10, S, 10 * S,
				      60 * S, 3600 * S, 86400 * S, 172800 * S},
				     9,
				     S};
static const struct law age_law = {{10 * S, 100 * S, 1000 * S, 10000 * S,
				    100000 * S, 1000000 * S, 10000000 * S,
				    100000000 * S},
				   8,
				   S};
#undef S
static const struct law size_law = {
	{1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000}, 7, 1};
static const struct law recipients_law = {{1, 2, 4, 8, 16, 32, 64, 128}, 8, 1};

static const char *const stage_names[DELAY_PARTS] = {
	"before_queue_manager",
	"queue_manager",
	"connection_setup",
	"transmission",
};
static const char *const status_names[] = {"bounced", "deferred", "sent"};

/* label_of: the series of a family; NULL: one, without a label. */
struct family {
	const char *name;
	const char *help;
	const char *type; /* NULL: a counter, see the header */
	const char *label;
	const char *const *values; /* NULL: names of queues */
	int first;		   /* enum plain, or enum spread */
	int count;		   /* of series */
	const struct law *law;	   /* of a distribution */
};

static const struct family families[] = {
	{"postfix_showq_queue_depth", "Messages in a queue now.", "gauge",
	 "queue", NULL, 0, MTA_QUEUES, NULL},
	{"postfix_cleanup_messages_processed_total",
	 "Counter: messages that cleanup has read.", NULL, NULL, NULL,
	 PLAIN_CLEANUP, 1, NULL},
	{"postfix_qmgr_messages_removed_total",
	 "Counter: messages that the queue manager is done with.", NULL, NULL,
	 NULL, PLAIN_REMOVED, 1, NULL},
	{"postfix_qmgr_messages_expired_total",
	 "Counter: messages that were too old to be tried again.", NULL, NULL,
	 NULL, PLAIN_EXPIRED, 1, NULL},
	{"postfix_bounce_non_delivery_notification_total",
	 "Counter: notices of failure to senders.", NULL, NULL, NULL,
	 PLAIN_NOTICES, 1, NULL},
	{"postfix_smtp_messages_processed_total",
	 "Counter: attempts of smtp, one a recipient, by what came of them.",
	 NULL, "status", status_names, PLAIN_BOUNCED, 3, NULL},
	{"postfix_smtp_status_deferred",
	 "Counter: attempts of smtp that were put off.", NULL, NULL, NULL,
	 PLAIN_DEFERRED, 1, NULL},
	{"postfix_smtp_delivery_delay_seconds",
	 "Parts of the delays of smtp, one a recipient and attempt.",
	 "histogram", "stage", stage_names, SPREAD_DELAY, DELAY_PARTS,
	 &delay_law},
	{"postfix_qmgr_messages_inserted_size_bytes",
	 "Sizes of messages that entered active.", "histogram", NULL, NULL,
	 SPREAD_SIZE, 1, &size_law},
	{"postfix_qmgr_messages_inserted_receipients",
	 "Recipients of messages that entered active, as the name once was.",
	 "histogram", NULL, NULL, SPREAD_RECIPIENTS, 1, &recipients_law},
	{"postfix_qmgr_messages_inserted_recipients",
	 "Recipients of messages that entered active.", "histogram", NULL, NULL,
	 SPREAD_RECIPIENTS, 1, &recipients_law},
	{"postfix_showq_message_age_seconds",
	 "Ages of the messages in a queue now.", "histogram", "queue", NULL,
	 SPREAD_AGE, MTA_QUEUES, &age_law},
	{"postfix_showq_message_size_bytes",
	 "Sizes of the messages in a queue now.", "histogram", "queue", NULL,
	 SPREAD_WAITING, MTA_QUEUES, &size_law},
};

static void
count_in(struct counts *c, const struct law *law, int64_t number)
{
	int i = 0;

	while (i < law->count && number > law->bounds[i])
		i++;
	c->in[i]++;
	c->sum += (uint64_t)number;
}

/* ---- what happens -----------------------------------------------------------
 */

static void
take_move(struct metrics *m, const struct mta_trace_move *r)
{
	if (r->from == MTA_QUEUES &&
	    (r->to == MTA_INCOMING || r->to == MTA_HOLD))
		m->now.value[PLAIN_CLEANUP]++;
	if (r->reason == MTA_MOVE_DONE)
		m->now.value[PLAIN_REMOVED]++;
}

/* Cleanup refuses a mail of pickup's, recipient by recipient. */
static void
take_refused(struct metrics *m, const struct mta_trace_delivery *d)
{
	if (d->outcome != MTA_BOUNCED || mta_ref_equal(d->file, m->refused))
		return;
	m->refused = d->file;
	m->now.value[PLAIN_CLEANUP]++;
}

static void
take_delivery(struct metrics *m, const struct mta_trace_delivery *d)
{
	struct delay_parts delays;

	if (d->active == MTA_NEVER)
		take_refused(m, d);
	/* Others log what no agent has had in hand. */
	if (d->active == MTA_NEVER || d->handoff == MTA_NEVER ||
	    d->transport >= m->smtp_room || !m->is_smtp[d->transport])
		return;
	if (d->outcome == MTA_SENT)
		m->now.value[PLAIN_SENT]++;
	else if (d->outcome == MTA_DEFERRED_OUTCOME)
		m->now.value[PLAIN_DEFERRED]++;
	else if (d->outcome == MTA_BOUNCED)
		m->now.value[PLAIN_BOUNCED]++;
	else
		return;
	delays = delay_parts_of(d);
	for (int i = 0; i < DELAY_PARTS; i++)
		count_in(&m->spreads.of[SPREAD_DELAY + i], &delay_law,
			 delays.part[i]);
}

static void
take_admitted(struct metrics *m, const struct mta_trace_admitted *r)
{
	count_in(&m->spreads.of[SPREAD_SIZE], &size_law, r->size_bytes);
	count_in(&m->spreads.of[SPREAD_RECIPIENTS], &recipients_law,
		 r->recipient_count);
}

static void
take(struct mta_sink *sink, enum mta_trace_kind kind, const void *record)
{
	struct metrics *m = mta_container_of(sink, struct metrics, sink);
	const struct mta_trace_status *status = record;
	const struct mta_trace_notice *notice = record;
	const struct mta_trace_answered *answered = record;

	if (kind == MTA_TRACE_MOVE)
		take_move(m, record);
	else if (kind == MTA_TRACE_DELIVERY)
		take_delivery(m, record);
	else if (kind == MTA_TRACE_ADMITTED)
		take_admitted(m, record);
	else if (kind == MTA_TRACE_STATUS)
		m->now.value[PLAIN_EXPIRED] +=
			status->what == MTA_STATUS_EXPIRED ||
			status->what == MTA_STATUS_FORCE_EXPIRED;
	else if (kind == MTA_TRACE_NOTICE)
		m->now.value[PLAIN_NOTICES] +=
			notice->kind == MTA_NOTICE_BOUNCE;
	else if (kind == MTA_TRACE_ANSWERED)
		m->now.value[PLAIN_CLEANUP] +=
			answered->result == MTA_SUBMIT_DISCARDED;
}

static void
note_smtp(struct metrics *m)
{
	const struct scenario *s = m->view.scenario;

	for (size_t i = 0; i < s->transport_count; i++) {
		mta_sym symbol;

		if (s->transports[i].kind != SCENARIO_KIND_SMTP ||
		    strcmp(s->transports[i].name, "relay") == 0)
			continue;
		symbol = mta_sym_intern(m->view.symbols, s->transports[i].name);
		if (symbol >= m->smtp_room) {
			m->is_smtp = memory_resize(m->is_smtp, symbol + 1,
						   sizeof(*m->is_smtp));
			memset(m->is_smtp + m->smtp_room, 0,
			       symbol + 1 - m->smtp_room);
			m->smtp_room = symbol + 1;
		}
		m->is_smtp[symbol] = true;
	}
}

struct metrics *
metrics_open(const struct results_view *view)
{
	static const enum mta_trace_kind kinds[] = {
		MTA_TRACE_MOVE,	  MTA_TRACE_DELIVERY, MTA_TRACE_ADMITTED,
		MTA_TRACE_STATUS, MTA_TRACE_NOTICE,   MTA_TRACE_ANSWERED,
	};
	struct metrics *m = memory_array(1, sizeof(*m));

	m->sink.take = take;
	m->view = *view;
	note_smtp(m);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		mta_trace_subscribe(view->trace, kinds[i], &m->sink);
	return m;
}

/* ---- samples ----------------------------------------------------------------
 */

static void
look_at_queue(struct metrics *m, enum mta_queue queue, mta_time now)
{
	struct mta_spool *spool = m->view.spool;
	struct mta_scan scan = {0};
	struct mta_ref id;

	spool->ops->scan_open(spool, queue, &scan);
	while (mta_spool_next(spool, &scan, &id)) {
		const struct mta_file *shown = spool->ops->look(spool, id);
		const struct mta_envelope *e;

		if (!shown)
			continue;
		e = &shown->envelope;
		count_in(&m->spreads.of[SPREAD_AGE + (int)queue], &age_law,
			 e->arrival < now ? now - e->arrival : 0);
		count_in(&m->spreads.of[SPREAD_WAITING + (int)queue], &size_law,
			 e->size_bytes);
	}
}

static void
keep_spreads(struct metrics *m, int64_t now_us)
{
	memset(&m->spreads.of[SPREAD_AGE], 0,
	       (size_t)2 * MTA_QUEUES * sizeof(m->spreads.of[0]));
	for (int q = 0; q < MTA_QUEUES; q++)
		look_at_queue(m, (enum mta_queue)q, SIM_EPOCH + now_us);
	if (m->spread_count == m->spread_room) {
		m->spread_room = m->spread_room ? 2 * m->spread_room : 64;
		m->spread_rows = memory_resize(m->spread_rows, m->spread_room,
					       sizeof(*m->spread_rows));
	}
	m->spreads.at_us = now_us;
	m->spread_rows[m->spread_count++] = m->spreads;
}

static bool
is_new_minute(const struct metrics *m, int64_t now_us)
{
	return m->spread_count == 0 ||
	       m->spread_rows[m->spread_count - 1].at_us / EVERY_US !=
		       now_us / EVERY_US;
}

void
metrics_sample(struct metrics *m, int64_t now_us)
{
	struct mta_spool *spool = m->view.spool;

	for (int q = 0; q < MTA_QUEUES; q++)
		m->now.value[q] = spool->ops->count(spool, (enum mta_queue)q);
	if (m->plain_count == m->plain_room) {
		m->plain_room = m->plain_room ? 2 * m->plain_room : 1024;
		m->plain_rows = memory_resize(m->plain_rows, m->plain_room,
					      sizeof(*m->plain_rows));
	}
	m->now.at_us = now_us;
	m->plain_rows[m->plain_count++] = m->now;
	if (is_new_minute(m, now_us))
		keep_spreads(m, now_us);
}

/* ---- text -------------------------------------------------------------------
 */

/* A number of millionths as a decimal, without zeros at its end. */
static void
put_millionths(FILE *out, uint64_t number, uint64_t per_unit)
{
	char text[64];
	size_t n = (size_t)snprintf(text, sizeof(text), "%" PRIu64,
				    number / per_unit);

	if (number % per_unit != 0) {
		n += (size_t)snprintf(text + n, sizeof(text) - n, ".%06" PRIu64,
				      number % per_unit);
		while (text[n - 1] == '0')
			text[--n] = '\0';
	}
	fputs(text, out);
}

static void
put_stamp(FILE *out, int64_t at_us)
{
	fputc(' ', out);
	put_millionths(out, (uint64_t)(SIM_EPOCH + at_us), MTA_USEC_PER_S);
	fputc('\n', out);
}

/* NAME SUFFIX {LABEL="VALUE",le="BOUND"}; bound: NULL is none. */
static void
put_name(FILE *out, const struct family *f, const char *suffix, int series,
	 const char *bound)
{
	fprintf(out, "%s%s", f->name, suffix);
	if (!f->label && !bound)
		return;
	fputc('{', out);
	if (f->label)
		fprintf(out, "%s=\"%s\"", f->label,
			f->values ? f->values[series]
				  : mta_queue_name((enum mta_queue)series));
	if (bound)
		fprintf(out, "%sle=\"%s\"", f->label ? "," : "", bound);
	fputc('}', out);
}

static void
put_plain(FILE *out, const struct metrics *m, const struct family *f,
	  int series)
{
	for (size_t i = 0; i < m->plain_count; i++) {
		const struct plain_row *row = &m->plain_rows[i];

		put_name(out, f, "", series, NULL);
		fprintf(out, " %" PRIu64, row->value[f->first + series]);
		put_stamp(out, row->at_us);
	}
}

/* As OpenMetrics wants it: a whole number has one zero behind its point. */
static void
put_bound(char *text, size_t size, const struct law *law, int b)
{
	snprintf(text, size,
		 law->bounds[b] % law->per_unit == 0 ? "%.1f" : "%g",
		 (double)law->bounds[b] / (double)law->per_unit);
}

/* One distribution at one time. */
static void
put_spread(FILE *out, const struct family *f, int series,
	   const struct counts *c, int64_t at_us)
{
	uint64_t count = 0;

	for (int b = 0; b <= f->law->count; b++) {
		char bound[32] = "+Inf";

		if (b < f->law->count)
			put_bound(bound, sizeof(bound), f->law, b);
		count += c->in[b];
		put_name(out, f, "_bucket", series, bound);
		fprintf(out, " %" PRIu64, count);
		put_stamp(out, at_us);
	}
	put_name(out, f, "_sum", series, NULL);
	fputc(' ', out);
	put_millionths(out, c->sum, (uint64_t)f->law->per_unit);
	put_stamp(out, at_us);
	put_name(out, f, "_count", series, NULL);
	fprintf(out, " %" PRIu64, count);
	put_stamp(out, at_us);
}

static void
put_family(FILE *out, const struct metrics *m, const struct family *f)
{
	fprintf(out, "# HELP %s %s\n", f->name, f->help);
	if (f->type)
		fprintf(out, "# TYPE %s %s\n", f->name, f->type);
	for (int series = 0; series < f->count; series++) {
		if (!f->law)
			put_plain(out, m, f, series);
		for (size_t i = 0; f->law && i < m->spread_count; i++) {
			const struct spread_row *row = &m->spread_rows[i];

			put_spread(out, f, series, &row->of[f->first + series],
				   row->at_us);
		}
	}
}

bool
metrics_write(struct metrics *m, const char *dir, char error[METRICS_ERROR])
{
	char path[FOLDER_PATH];
	FILE *out;
	bool is_bad;

	if (m->plain_count > 0 &&
	    m->spread_rows[m->spread_count - 1].at_us != m->now.at_us)
		keep_spreads(m, m->now.at_us);
	snprintf(path, sizeof(path), "%s/metrics.om", dir);
	out = fopen(path, "w");
	if (!out) {
		snprintf(error, METRICS_ERROR, "cannot create '%.400s': %s",
			 path, strerror(errno));
		return false;
	}
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		put_family(out, m, &families[i]);
	fputs("# EOF\n", out);
	is_bad = ferror(out) != 0;
	if (fclose(out) == 0 && !is_bad)
		return true;
	snprintf(error, METRICS_ERROR, "cannot write '%.400s': %s", path,
		 strerror(errno));
	return false;
}

void
metrics_free(struct metrics *m)
{
	if (!m)
		return;
	free(m->is_smtp);
	free(m->plain_rows);
	free(m->spread_rows);
	free(m);
}
