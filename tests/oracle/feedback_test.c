/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every recorded step of every destination's window, explained: the recorded
 * sequence of good and bad reports is fed through the rules of src/mta and
 * through the independent model of tests/reference, and both must give the
 * recorded window, sums and cohorts. Exit 0 when every step of every run is
 * explained.
 *
 * The recordings do not say how many deliveries were in progress (the window's
 * ceiling needs it), nor when a destination's queue was empty and forgotten.
 * Both are put together from the connections that the destination saw and the
 * mail that was active; where two things lie closer together than the log's
 * delay can tell, either order is tried, and a step counts as explained when
 * one of them gives it. Steps that needed such a choice are counted by
 * themselves.
 *
 * feedback_test [DATADIR]
 */
#include "tests/oracle/rundir.h"

#include "mta/rules.h"
#include "tests/oracle/recorded.h"
#include "tests/reference/feedback_model.h"

#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Log lines and accepts of one instant lie up to this far apart. */
#define NEAR_S 0.012

struct tally {
	long steps;
	long chosen; /* explained by one of several orders */
	long missed;
};

struct both { /* one destination, computed twice */
	struct fm_state model;
	struct mta_window rules;
};

struct setting {
	struct fm_rule model;
	struct mta_window_law rules;
};

static struct mta_feedback
as_rule(const struct fm_value *v)
{
	struct mta_feedback f = {.kind = v->per_window ? MTA_FEEDBACK_PER_WINDOW
						       : MTA_FEEDBACK_PLAIN,
				 .numerator = v->number,
				 .denominator = 1.0};

	return f;
}

static int
number(const struct rec_scenario *sc, const char *transport, const char *suffix,
       int otherwise)
{
	const char *text = rec_transport_param(sc, transport, suffix);

	return text == NULL ? otherwise : atoi(text);
}

static struct fm_value
value(const struct rec_scenario *sc, const char *transport, const char *suffix)
{
	const char *text = rec_transport_param(sc, transport, suffix);
	struct fm_value v;

	fm_value_parse(text == NULL ? "1" : text, &v);
	return v;
}

static struct setting
setting_of(const struct rec_scenario *sc, const char *transport)
{
	struct setting s = {0};
	struct fm_rule *m = &s.model;

	m->limit = number(sc, transport, "destination_concurrency_limit", 20);
	if (number(sc, transport, "destination_rate_delay", 0) > 0)
		m->limit = 1;
	m->initial =
		number(sc, transport, "initial_destination_concurrency", 5);
	if (m->limit != 0 && m->initial > m->limit)
		m->initial = m->limit;
	m->cohorts_max =
		number(sc, transport,
		       "destination_concurrency_failed_cohort_limit", 1);
	m->up = value(sc, transport,
		      "destination_concurrency_positive_feedback");
	m->down = value(sc, transport,
			"destination_concurrency_negative_feedback");
	s.rules = (struct mta_window_law){.limit = m->limit,
					  .initial = m->initial,
					  .failed_cohort_limit = m->cohorts_max,
					  .positive = as_rule(&m->up),
					  .negative = as_rule(&m->down)};
	return s;
}

static void
fresh(struct both *b, const struct setting *s)
{
	fm_init(&b->model, &s->model);
	mta_window_init(&b->rules, &s->rules);
}

/* One report through both; a bad one on a dead destination is not logged, so it
 * cannot come. */
static void
step(struct both *b, const struct setting *s, bool good, int busy)
{
	if (good) {
		fm_alive(&b->model, &s->model, busy);
		if (b->rules.window == 0)
			mta_window_revive(&b->rules, &s->rules, busy);
		else
			mta_window_up(&b->rules, &s->rules, busy);
	} else {
		fm_sick(&b->model, &s->model);
		(void)mta_window_down(&b->rules, &s->rules);
	}
}

/* The log prints six significant digits. */
static bool
near(double a, double b)
{
	return fabs(a - b) <= 2e-5 * fmax(1.0, fabs(a));
}

static bool
explains(const struct both *b, const struct run_feedback *f)
{
	return b->model.window == f->window && b->rules.window == f->window &&
	       near(b->model.good, f->success) &&
	       near(b->rules.good, f->success) &&
	       near(b->model.bad, f->failure) &&
	       near(b->rules.bad, f->failure) &&
	       near(b->model.cohorts, f->cohorts) &&
	       near(b->rules.cohorts, f->cohorts);
}

/* Deliveries in progress at a report, the reported one included: fewest and
 * most that the recording allows. */
static void
find_busy(const struct run *r, const struct run_feedback *f, int *least,
	  int *most)
{
	*least = 0;
	*most = 1;
	for (size_t i = 0; i < r->connections_n; i++) {
		const struct run_connection *c = &r->connections[i];

		if (strcmp(c->dest, f->dest) != 0)
			continue;
		*most += c->from <= f->at + NEAR_S && c->to >= f->at - NEAR_S;
		*least += c->from <= f->at - NEAR_S && c->to >= f->at + NEAR_S;
	}
	for (size_t i = 0; i < r->attempts_n;
	     i++) /* refused: no connection was seen */
		*most += r->attempts[i].class == RUN_NO_CONNECTION &&
			 fabs(r->attempts[i].at - f->at) < NEAR_S &&
			 strncmp(r->attempts[i].domain, f->dest,
				 strlen(f->dest)) == 0;
	if (*least < 1)
		*least = 1;
}

enum forgotten {
	KEPT,
	PERHAPS,
	GONE
};

/*
 * Was all mail of the destination gone at some instant after a report and
 * before the next, so that the queue was deleted with all that was learned?
 * Mail that the destination's death sent away does not count.
 */
static enum forgotten
find_forgotten(const struct run *r, const struct run_feedback *before)
{
	size_t len = before == NULL ? 0 : strlen(before->dest);
	enum forgotten answer = GONE;
	int ended = 0;

	for (size_t i = 0; before != NULL && i < r->attempts_n; i++) {
		const struct run_attempt *a = &r->attempts[i];
		double active = -1e9;

		if (strncmp(a->domain, before->dest, len) != 0 ||
		    a->domain[len] != '.' || a->class == RUN_SUSPENDED)
			continue;
		if (a->at < before->at - NEAR_S)
			continue; /* gone by then */
		for (size_t k = 0; k < r->active_n; k++)
			if (r->active[k].key == a->key &&
			    r->active[k].at <= a->at)
				active = r->active[k].at;
		if (active < before->at - NEAR_S && a->at > before->at + NEAR_S)
			return KEPT;
		if (active < before->at + NEAR_S && a->at > before->at + NEAR_S)
			answer = PERHAPS;
		if (a->at <= before->at + NEAR_S && ++ended > 1)
			answer = PERHAPS; /* which of them was reported last? */
	}
	return answer;
}

/* One way in which a report may have been taken; true when it gives what was
 * recorded. */
static bool
try_one(const struct both *from, const struct setting *s,
	const struct run_feedback *f, bool forget, int busy, struct both *to)
{
	*to = *from;
	if (forget)
		fresh(to, s);
	if (!f->good && to->model.window == 0)
		return false;
	step(to, s, f->good, busy);
	return explains(to, f);
}

/*
 * Try all ways that the recording leaves open. The record tells window and
 * sums, so all ways that explain it end in the same state; `chosen` says that
 * some way would not have explained it.
 */
static bool
explain(struct both *now, const struct setting *s, const struct run *r,
	const struct run_feedback *before, const struct run_feedback *f,
	bool *chosen)
{
	enum forgotten forgotten = before != NULL && now->model.window == 0
					   ? KEPT
					   : find_forgotten(r, before);
	struct both found = *now;
	bool any = false;
	int least;
	int most;

	*chosen = false;
	find_busy(r, f, &least, &most);
	if (f->good && now->model.window == 0)
		least = 0;
	for (int forget = forgotten == GONE; forget <= (forgotten != KEPT);
	     forget++)
		for (int busy = least; busy <= most; busy++) {
			struct both b;

			if (try_one(now, s, f, forget == 1, busy, &b)) {
				found = b;
				any = true;
			} else {
				*chosen = true;
			}
		}
	*chosen = *chosen && any;
	*now = found;
	return any;
}

static void
check_destination(const struct rec_scenario *sc, const struct rec_dest *d,
		  const struct run *r, const char *where, struct tally *t)
{
	struct setting s = setting_of(sc, d->transport);
	const struct run_feedback *before = NULL;
	struct both now;

	fresh(&now, &s);
	for (size_t i = 0; i < r->feedback_n; i++) {
		const struct run_feedback *f = &r->feedback[i];
		bool chosen = false;

		if (strcmp(f->dest, d->name) != 0)
			continue;
		t->steps++;
		if (!explain(&now, &s, r, before, f, &chosen)) {
			t->missed++;
			printf("%s: step %zu of %s at %.4f is not explained: "
			       "%s, window %d -> %d\n",
			       where, i, f->dest, f->at,
			       f->good ? "good" : "bad", now.model.window,
			       f->window);
			now.model = (struct fm_state){f->window, f->success,
						      f->failure, f->cohorts};
			now.rules = (struct mta_window){.window = f->window,
							.good = f->success,
							.bad = f->failure,
							.cohorts = f->cohorts};
		}
		t->chosen += chosen;
		before = f;
	}
}

static void
check_run(const char *dir, struct tally *t)
{
	struct rec_scenario sc;
	struct run r;
	char file[1000];
	char base[1000];
	char error[600];

	snprintf(file, sizeof(file), "%s/../scenario.json.gz", dir);
	if (!rec_read(&sc, file,
		      rec_find_base(file, base, sizeof(base)) ? base : NULL,
		      error, sizeof(error))) {
		printf("%s\n", error);
		t->missed++;
		return;
	}
	if (rundir_load_recorded(&r, dir, error, sizeof(error))) {
		for (size_t i = 0; i < sc.dests_n; i++)
			check_destination(&sc, &sc.dests[i], &r, dir, t);
		rundir_release(&r);
	} else {
		printf("%s\n", error);
		t->missed++;
	}
	rec_release(&sc);
}

int
main(int argc, char **argv)
{
	struct tally t = {0};
	char pattern[1000];
	glob_t g;

	snprintf(pattern, sizeof(pattern), "%s/*/[0-9]",
		 argc > 1 ? argv[1] : MTASIM_SRCDIR "/tests/oracle/data");
	if (glob(pattern, 0, NULL, &g) != 0) {
		printf("no recordings at %s\n", pattern);
		return 1;
	}
	for (size_t i = 0; i < g.gl_pathc; i++)
		check_run(g.gl_pathv[i], &t);
	printf("window feedback: %ld steps in %zu runs, %ld with a choice of "
	       "order, %ld not explained\n",
	       t.steps, g.gl_pathc, t.chosen, t.missed);
	globfree(&g);
	return t.missed == 0 ? 0 : 1;
}
