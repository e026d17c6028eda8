/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Loading of recorded folders and of ours into struct run. The recordings give
 * deliveries as their destination saw them (sink.csv); ours are put together
 * from the rows of one batch. A delivery that was turned away before MAIL is an
 * attempt, but not a delivery.
 */
#include "tests/oracle/rundir.h"

#include "tests/oracle/convert.h"
#include "tests/oracle/sheet.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *
must(void *p)
{
	if (p == NULL)
		abort();
	return p;
}

static bool
need(struct sheet *t, const char *dir, const char *name, char *error,
     size_t error_size)
{
	if (!sheet_read(t, dir, name)) {
		snprintf(error, error_size, "%s: %s is missing or torn", dir,
			 name);
		return false;
	}
	if (t->file_rows_bad > 0) {
		snprintf(error, error_size, "%s: %s has %zu torn rows", dir,
			 name, t->file_rows_bad);
		sheet_release(t);
		return false;
	}
	return true;
}

static void
put(char *out, size_t room, const char *text)
{
	snprintf(out, room, "%s", text);
}

static int
recorded_key(const char *msg)
{
	return msg[0] == 'B' ? RUN_BOUNCE + atoi(msg + 1) : atoi(msg);
}

static enum run_class
recorded_class(const char *status, const char *class)
{
	if (strcmp(status, "sent") == 0)
		return RUN_SENT;
	if (strcmp(class, "refused") == 0 || strcmp(class, "connfail") == 0)
		return RUN_NO_CONNECTION;
	if (strcmp(class, "suspended") == 0)
		return RUN_SUSPENDED;
	if (strcmp(class, "timeout") == 0 || strcmp(class, "lost") == 0)
		return RUN_LOST;
	return strcmp(status, "bounced") == 0 ? RUN_SAID_5XX : RUN_SAID_4XX;
}

/* ---- order and numbering, the same for both kinds ---- */

static int
by_number(double x, double y)
{
	return (x > y) - (x < y);
}

static int
attempt_order(const void *a, const void *b)
{
	return by_number(((const struct run_attempt *)a)->at,
			 ((const struct run_attempt *)b)->at);
}

static int
delivery_order(const void *a, const void *b)
{
	return by_number(((const struct run_delivery *)a)->mail_at,
			 ((const struct run_delivery *)b)->mail_at);
}

static int
event_order(const void *a, const void *b)
{
	return by_number(((const struct run_event *)a)->at,
			 ((const struct run_event *)b)->at);
}

/* qsort need not keep equal elements in order; insertion does, and the tables
 * are nearly sorted already. */
static void
sort(void *v, size_t n, size_t size, int (*order)(const void *, const void *))
{
	char *a = v;
	char *x = must(malloc(size));

	for (size_t i = 1; i < n; i++) {
		size_t k = i;

		memcpy(x, a + i * size, size);
		for (; k > 0 && order(a + (k - 1) * size, x) > 0; k--)
			memcpy(a + k * size, a + (k - 1) * size, size);
		memcpy(a + k * size, x, size);
	}
	free(x);
}

static void
finish(struct run *r)
{
	sort(r->attempts, r->attempts_n, sizeof(*r->attempts), attempt_order);
	sort(r->deliveries, r->deliveries_n, sizeof(*r->deliveries),
	     delivery_order);
	sort(r->accepted, r->accepted_n, sizeof(*r->accepted), event_order);
	sort(r->active, r->active_n, sizeof(*r->active), event_order);
	for (size_t i = 0; i < r->attempts_n; i++) {
		struct run_attempt *a = &r->attempts[i];

		for (size_t k = i; k-- > 0;)
			if (r->attempts[k].key == a->key &&
			    r->attempts[k].rcpt == a->rcpt) {
				a->nth = r->attempts[k].nth + 1;
				break;
			}
		if (a->at > r->finish)
			r->finish = a->at;
	}
	for (size_t i = 0; i < r->deliveries_n; i++) {
		struct run_delivery *d = &r->deliveries[i];

		for (size_t k = i; k-- > 0;) {
			struct run_delivery *e = &r->deliveries[k];

			if (e->key == d->key && e->rcpts == d->rcpts &&
			    strcmp(e->dest, d->dest) == 0) {
				d->nth = e->nth + 1;
				break;
			}
		}
	}
}

static void
load_samples(struct run *r, const struct sheet *t, const char *time_name)
{
	static const char *const names[] = {"incoming", "active", "deferred",
					    "hold"};

	r->samples = must(calloc(t->rows + 1, sizeof(*r->samples)));
	for (size_t i = 0; i < t->rows; i++) {
		r->samples[i].at = sheet_number(t, i, time_name);
		for (int q = 0; q < 4; q++)
			r->samples[i].queue[q] = sheet_number(t, i, names[q]);
	}
	r->samples_n = t->rows;
}

/* ---- recorded ---- */

static bool
load_meta(struct run *r, const char *dir, char *error, size_t error_size)
{
	char path[1000];
	json_error_t e;
	json_t *v;
	json_t *x;
	const char *key;
	json_int_t outcomes = 0;

	snprintf(path, sizeof(path), "%s/meta.json", dir);
	v = json_load_file(path, 0, &e);
	if (v == NULL) {
		snprintf(error, error_size, "%s: meta.json is missing or torn",
			 dir);
		return false;
	}
	put(r->name, sizeof(r->name),
	    json_string_value(json_object_get(v, "scenario")));
	json_object_foreach (json_object_get(v, "max_conc"), key, x)
		if (json_integer_value(x) > r->max_conc)
			r->max_conc = (int)json_integer_value(x);
	json_object_foreach (json_object_get(v, "status"), key, x)
		outcomes += json_integer_value(x);
	json_decref(v);
	if ((size_t)outcomes == r->attempts_n)
		return true;
	snprintf(error, error_size,
		 "%s: attempts.csv has %zu rows, meta.json counts %lld", dir,
		 r->attempts_n, (long long)outcomes);
	return false;
}

/* The key of an event's mail; a bounce is called B there, and which one only
 * its queue id tells. */
static int
event_key(const struct sheet *ev, size_t row, const struct sheet *at)
{
	const char *msg = sheet_text(ev, row, "msg");
	const char *id = sheet_text(ev, row, "qid");

	if (strcmp(msg, "B") != 0)
		return recorded_key(msg);
	for (size_t i = 0; i < at->rows; i++)
		if (strcmp(sheet_text(at, i, "qid"), id) == 0)
			return recorded_key(sheet_text(at, i, "msg"));
	return RUN_BOUNCE;
}

/* Rows of one connection stand together: one for each answer. */
static void
load_recorded_connections(struct run *r, const struct sheet *sink)
{
	r->connections = must(calloc(sink->rows + 1, sizeof(*r->connections)));
	for (size_t i = 0; i < sink->rows; i++) {
		struct run_connection *c = &r->connections[r->connections_n];
		const char *dest = sheet_text(sink, i, "dest");
		int seq = (int)sheet_number(sink, i, "conn_seq");
		double to = sheet_number(sink, i, "t_reply");

		if (r->connections_n > 0 && c[-1].batch == seq &&
		    strcmp(c[-1].dest, dest) == 0) {
			c[-1].to = to > c[-1].to ? to : c[-1].to;
			continue;
		}
		c->from = sheet_number(sink, i, "t_accept");
		c->to = to;
		c->batch = seq;
		put(c->dest, sizeof(c->dest), dest);
		r->connections_n++;
	}
}

static void
load_recorded_tables(struct run *r, const struct sheet *at,
		     const struct sheet *sink, const struct sheet *ev)
{
	r->attempts = must(calloc(at->rows + 1, sizeof(*r->attempts)));
	for (size_t i = 0; i < at->rows; i++) {
		struct run_attempt *a = &r->attempts[r->attempts_n++];

		a->at = sheet_number(at, i, "t");
		a->key = recorded_key(sheet_text(at, i, "msg"));
		a->rcpt = (int)sheet_number(at, i, "rcpt");
		a->class = recorded_class(sheet_text(at, i, "status"),
					  sheet_text(at, i, "class"));
		put(a->domain, sizeof(a->domain), sheet_text(at, i, "domain"));
	}
	r->deliveries = must(calloc(sink->rows + 1, sizeof(*r->deliveries)));
	for (size_t i = 0; i < sink->rows; i++) {
		struct run_delivery *d = &r->deliveries[r->deliveries_n];
		double end = sheet_number(sink, i, "t_reply");

		if (*sheet_text(sink, i, "t_mail") == '\0')
			continue;
		if (i > 0 && d > r->deliveries &&
		    strcmp(sheet_text(sink, i, "dest"), d[-1].dest) == 0 &&
		    strcmp(sheet_text(sink, i, "conn_seq"),
			   sheet_text(sink, i - 1, "conn_seq")) == 0) {
			d[-1].rcpts += (int)sheet_number(
				sink, i,
				"nrcpt"); /* one delivery, several answers */
			d[-1].end_at = end > d[-1].end_at ? end : d[-1].end_at;
			continue;
		}
		d->mail_at = sheet_number(sink, i, "t_mail");
		d->end_at = end;
		d->key = recorded_key(sheet_text(sink, i, "msg"));
		d->rcpts = (int)sheet_number(sink, i, "nrcpt");
		put(d->dest, sizeof(d->dest), sheet_text(sink, i, "dest"));
		r->deliveries_n++;
	}
	load_recorded_connections(r, sink);
	r->active = must(calloc(ev->rows + 1, sizeof(*r->active)));
	for (size_t i = 0; i < ev->rows; i++)
		if (strcmp(sheet_text(ev, i, "event"), "active") == 0)
			r->active[r->active_n++] = (struct run_event){
				.at = sheet_number(ev, i, "t"),
				.key = event_key(ev, i, at)};
}

static void
load_recorded_feedback(struct run *r, const struct sheet *t)
{
	r->feedback = must(calloc(t->rows + 1, sizeof(*r->feedback)));
	for (size_t i = 0; i < t->rows; i++) {
		struct run_feedback *f = &r->feedback[r->feedback_n++];

		*f = (struct run_feedback){
			.at = sheet_number(t, i, "t"),
			.good = strcmp(sheet_text(t, i, "event"),
				       "unthrottle") == 0,
			.limit = (int)sheet_number(t, i, "limit"),
			.window = (int)sheet_number(t, i, "window"),
			.busy = -1,
			.success = sheet_number(t, i, "success"),
			.failure = sheet_number(t, i, "failure"),
			.cohorts = sheet_number(t, i, "fail_cohorts")};
		put(f->dest, sizeof(f->dest), sheet_text(t, i, "dest"));
	}
}

static bool
load_recorded_rest(struct run *r, const char *dir, char *error,
		   size_t error_size)
{
	struct sheet t;

	if (!need(&t, dir, "samples.csv", error, error_size))
		return false;
	load_samples(r, &t, "t");
	sheet_release(&t);
	if (!need(&t, dir, "feedback.csv", error, error_size))
		return false;
	load_recorded_feedback(r, &t);
	sheet_release(&t);
	if (!need(&t, dir, "injections.csv", error, error_size))
		return false;
	r->accepted = must(calloc(t.rows + 1, sizeof(*r->accepted)));
	for (size_t i = 0; i < t.rows; i++)
		if (*sheet_text(&t, i, "t_queued") != '\0')
			r->accepted[r->accepted_n++] = (struct run_event){
				.at = sheet_number(&t, i, "t_queued"),
				.key = (int)sheet_number(&t, i, "msg")};
	sheet_release(&t);
	return true;
}

bool
rundir_load_recorded(struct run *r, const char *dir, char *error,
		     size_t error_size)
{
	struct sheet at = {0};
	struct sheet sink = {0};
	struct sheet ev = {0};
	bool ok;

	*r = (struct run){0};
	ok = need(&at, dir, "attempts.csv", error, error_size) &&
	     need(&sink, dir, "sink.csv", error, error_size) &&
	     need(&ev, dir, "queue_events.csv", error, error_size);
	if (ok)
		load_recorded_tables(r, &at, &sink, &ev);
	sheet_release(&at);
	sheet_release(&sink);
	sheet_release(&ev);
	ok = ok && load_meta(r, dir, error, error_size) &&
	     load_recorded_rest(r, dir, error, error_size);
	if (!ok) {
		rundir_release(r);
		return false;
	}
	finish(r);
	return true;
}

/* ---- ours ---- */

/* A bounce goes to the sender of the message it tells of: a letter and its
 * number. */
static int
our_key(const struct sheet *t, size_t row)
{
	if (strcmp(sheet_text(t, row, "source"), "bounce") == 0)
		return RUN_BOUNCE +
		       atoi(sheet_text(t, row, "address") +
			    (*sheet_text(t, row, "address") != '\0'));
	return (int)sheet_number(t, row, "index");
}

static bool
no_connection_step(const char *step)
{
	return strcmp(step, "connect") == 0 || strcmp(step, "greeting") == 0 ||
	       strcmp(step, "helo") == 0;
}

static enum run_class
our_class(const struct sheet *t, size_t row)
{
	const char *outcome = sheet_text(t, row, "outcome");

	if (strcmp(outcome, "sent") == 0)
		return RUN_SENT;
	if (strcmp(outcome, "bounced") == 0)
		return RUN_SAID_5XX;
	if (strstr(sheet_text(t, row, "reason"),
		   "delivery temporarily suspended") != NULL)
		return RUN_SUSPENDED;
	if (no_connection_step(sheet_text(t, row, "step")))
		return RUN_NO_CONNECTION;
	return RUN_SAID_4XX;
}

static void
add_to_batch(struct run *r, const struct sheet *t, size_t row, int *batch_of,
	     int batch)
{
	double mail_at = sheet_number(t, row, "time_s") -
			 sheet_number(t, row, "transmission_s");
	const char *domain = sheet_text(t, row, "domain");
	struct run_delivery *d;

	for (size_t k = r->deliveries_n; k-- > 0;)
		if (batch_of[k] == batch) {
			r->deliveries[k].rcpts++;
			if (sheet_number(t, row, "time_s") >
			    r->deliveries[k].end_at)
				r->deliveries[k].end_at =
					sheet_number(t, row, "time_s");
			return;
		}
	batch_of[r->deliveries_n] = batch;
	d = &r->deliveries[r->deliveries_n++];
	d->mail_at = mail_at;
	d->end_at = sheet_number(t, row, "time_s");
	d->key = our_key(t, row);
	d->rcpts = 1;
	snprintf(d->dest, sizeof(d->dest), "%.*s", (int)strcspn(domain, "."),
		 domain);
}

/* The most connections at once that any destination saw; those turned away
 * after accept count as well. */
static void
find_max_conc(struct run *r, const struct run_connection *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int open = 0;

		for (size_t k = 0; k < n; k++)
			open += strcmp(v[k].dest, v[i].dest) == 0 &&
				v[k].from <= v[i].from &&
				v[k].to > v[i].from + 1e-5;
		if (open > r->max_conc)
			r->max_conc = open;
	}
}

static void
add_connection(struct run_connection *v, size_t *n, const struct sheet *t,
	       size_t row)
{
	double to = sheet_number(t, row, "time_s");
	int batch = (int)sheet_number(t, row, "batch");
	const char *domain = sheet_text(t, row, "domain");
	struct run_connection *c = v;

	for (; c < v + *n; c++)
		if (c->batch == batch) {
			c->to = to > c->to ? to : c->to;
			return;
		}
	(*n)++;
	c->from = to - sheet_number(t, row, "transmission_s") -
		  sheet_number(t, row, "connection_setup_s") +
		  CONVERT_BEFORE_ACCEPT / 1e6;
	c->to = to;
	c->batch = batch;
	snprintf(c->dest, sizeof(c->dest), "%.*s", (int)strcspn(domain, "."),
		 domain);
}

static void
load_our_attempts(struct run *r, const struct sheet *t)
{
	int *batch_of = must(calloc(t->rows + 1, sizeof(*batch_of)));

	r->connections = must(calloc(t->rows + 1, sizeof(*r->connections)));
	r->attempts = must(calloc(t->rows + 1, sizeof(*r->attempts)));
	r->deliveries = must(calloc(t->rows + 1, sizeof(*r->deliveries)));
	for (size_t i = 0; i < t->rows; i++) {
		struct run_attempt *a = &r->attempts[r->attempts_n++];

		a->at = sheet_number(t, i, "time_s");
		a->key = our_key(t, i);
		a->rcpt = (int)sheet_number(t, i, "recipient");
		a->class = our_class(t, i);
		put(a->domain, sizeof(a->domain), sheet_text(t, i, "domain"));
		if (a->class != RUN_NO_CONNECTION && a->class != RUN_SUSPENDED)
			add_to_batch(r, t, i, batch_of,
				     (int)sheet_number(t, i, "batch"));
		if (a->class != RUN_SUSPENDED &&
		    strcmp(sheet_text(t, i, "step"), "connect") != 0)
			add_connection(r->connections, &r->connections_n, t, i);
	}
	find_max_conc(r, r->connections, r->connections_n);
	free(batch_of);
}

static void
load_our_feedback(struct run *r, const struct sheet *t)
{
	r->feedback = must(calloc(t->rows + 1, sizeof(*r->feedback)));
	for (size_t i = 0; i < t->rows; i++) {
		const char *event = sheet_text(t, i, "event");
		const char *domain = sheet_text(t, i, "destination");
		struct run_feedback *f = &r->feedback[r->feedback_n++];

		*f = (struct run_feedback){
			.at = sheet_number(t, i, "time_s"),
			.good = strcmp(event, "alive") == 0 ||
				strcmp(event, "revived") == 0,
			.limit = (int)sheet_number(t, i, "limit"),
			.window = (int)sheet_number(t, i, "window"),
			.busy = (int)sheet_number(t, i, "busy"),
			.success = sheet_number(t, i, "success"),
			.failure = sheet_number(t, i, "failure"),
			.cohorts = sheet_number(t, i, "fail_cohorts")};
		snprintf(f->dest, sizeof(f->dest), "%.*s",
			 (int)strcspn(domain, "."), domain);
	}
}

static void
load_our_messages(struct run *r, const struct sheet *t)
{
	r->accepted = must(calloc(t->rows + 1, sizeof(*r->accepted)));
	for (size_t i = 0; i < t->rows; i++)
		if (strcmp(sheet_text(t, i, "source"), "bounce") != 0 &&
		    *sheet_text(t, i, "accepted_s") != '\0')
			r->accepted[r->accepted_n++] = (struct run_event){
				.at = sheet_number(t, i, "accepted_s"),
				.key = (int)sheet_number(t, i, "index")};
}

static void
load_our_moves(struct run *r, const struct sheet *t)
{
	r->active = must(calloc(t->rows + 1, sizeof(*r->active)));
	for (size_t i = 0; i < t->rows; i++)
		if (strcmp(sheet_text(t, i, "to"), "active") == 0)
			r->active[r->active_n++] = (struct run_event){
				.at = sheet_number(t, i, "time_s"),
				.key = (int)sheet_number(t, i, "index") +
				       (strcmp(sheet_text(t, i, "source"),
					       "bounce") == 0
						? RUN_BOUNCE
						: 0),
				.retry = strcmp(sheet_text(t, i, "from"),
						"deferred") == 0};
}

bool
rundir_load_ours(struct run *r, const char *dir, char *error, size_t error_size)
{
	static const struct {
		const char *name;
		void (*load)(struct run *, const struct sheet *);
	} tables[] = {{"attempts.csv", load_our_attempts},
		      {"feedback.csv", load_our_feedback},
		      {"messages.csv", load_our_messages},
		      {"moves.csv", load_our_moves}};
	struct sheet t;

	*r = (struct run){0};
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		if (!need(&t, dir, tables[i].name, error, error_size)) {
			rundir_release(r);
			return false;
		}
		tables[i].load(r, &t);
		sheet_release(&t);
	}
	if (!need(&t, dir, "series.csv", error, error_size)) {
		rundir_release(r);
		return false;
	}
	load_samples(r, &t, "time_s");
	sheet_release(&t);
	finish(r);
	return true;
}

void
rundir_release(struct run *r)
{
	free(r->attempts);
	free(r->deliveries);
	free(r->connections);
	free(r->samples);
	free(r->feedback);
	free(r->accepted);
	free(r->active);
	*r = (struct run){0};
}
