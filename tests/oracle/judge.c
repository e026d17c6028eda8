/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tolerances, all in one place. They are beyond the recorded range, whose
 * spread is the largest minus the smallest value; docs/validation.md has the
 * same list.
 *
 *   order, turns, ages    equal
 *   outcomes              none; where connections fail a quarter of the spread
 *   accepted until        1 message
 *   positions             the larger of 3 (bursts: 5) and 1.5 spreads
 *   attempt times         the larger of 0.05 s and 1.5 spreads
 *   series                2 messages, outside bursts
 *   totals                a quarter of the spread; means at least 0.05
 *                         messages, the last attempt at least 0.05 s
 *   ramps                 full window 5 %, last window none, last delivery 1 s
 *
 * No tolerance depends on the scenario.
 */
#include "tests/oracle/judge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	BY_ORDER = 1,	    /* equal order of deliveries */
	BY_AGES = 2,	    /* attempt ages in whole seconds */
	BY_INTAKE = 4,	    /* messages accepted per interval */
	BY_ADMISSION = 8,   /* turns of incoming and deferred */
	BY_TIMES = 16,	    /* attempt times */
	BY_SERIES = 32,	    /* queue lengths */
	BY_NEAR_ORDER = 64, /* order within a few positions */
	BY_BURSTS = 128,    /* mean active, order within 5 */
	BY_RAMP = 256,	    /* growth of the window */
	BY_TOTALS = 512	    /* distribution */
};

static const struct {
	const char *name;
	unsigned by;
} known[] = {
	{"S01", BY_ORDER | BY_TIMES | BY_SERIES},
	{"S02a", BY_ORDER | BY_TIMES | BY_SERIES},
	{"S03a", BY_RAMP | BY_NEAR_ORDER | BY_SERIES},
	{"S03b", BY_RAMP | BY_NEAR_ORDER | BY_SERIES},
	{"S04a", BY_TOTALS},
	{"S05a", BY_TOTALS},
	{"S06a", BY_TIMES | BY_SERIES | BY_NEAR_ORDER},
	{"S07", BY_ORDER | BY_TIMES | BY_SERIES},
	{"S08a", BY_ORDER},
	{"S08c", BY_ORDER},
	{"S08e", BY_ORDER},
	{"S08h", BY_ORDER},
	{"S09a", BY_TOTALS},
	{"S09c", BY_ADMISSION},
	{"S10", BY_INTAKE},
	{"S11a", BY_TOTALS},
	{"S11b", BY_TOTALS},
	{"S12a", BY_ORDER},
	{"S13", BY_TIMES | BY_SERIES | BY_NEAR_ORDER},
	{"S14a", BY_TIMES | BY_SERIES | BY_NEAR_ORDER},
	{"S15a", BY_ORDER | BY_TIMES | BY_SERIES},
	{"S16a", BY_TIMES | BY_SERIES | BY_NEAR_ORDER},
	{"S18a", BY_TIMES | BY_SERIES | BY_NEAR_ORDER},
	{"S21", BY_TIMES | BY_SERIES | BY_NEAR_ORDER},
	{"S23", BY_BURSTS},
	{"S24a", BY_TOTALS},
	{"S25a", BY_AGES | BY_TIMES | BY_SERIES},
	{"S28", BY_ORDER | BY_TIMES | BY_SERIES},
};

static void *
must(void *p)
{
	if (p == NULL)
		abort();
	return p;
}

struct range {
	double least, most;
	size_t n;
};

static void
widen(struct range *r, double x)
{
	if (r->n == 0 || x < r->least)
		r->least = x;
	if (r->n == 0 || x > r->most)
		r->most = x;
	r->n++;
}

void
judge_head(FILE *out)
{
	fprintf(out, "%-22s %-34s %-24s %-16s %s\n", "scenario", "compared",
		"recorded (least..most)", "ours", "verdict");
}

static void
row(struct judge *j, const char *what, const char *recorded, const char *ours,
    bool ok)
{
	j->compared++;
	j->missed += !ok;
	fprintf(j->out, "%-22.22s %-34.34s %-24.24s %-16.16s %s\n",
		j->recorded[0].name, what, recorded, ours,
		ok ? "ok" : "MISSED");
}

static void
row_range(struct judge *j, const char *what, const struct range *r, double ours,
	  double slack)
{
	char a[60];
	char b[30];

	if (r->least < r->most)
		snprintf(a, sizeof(a), "%.4g..%.4g", r->least, r->most);
	else
		snprintf(a, sizeof(a), "%.4g", r->least);
	snprintf(b, sizeof(b), "%.4g", ours);
	row(j, what, a, b, ours >= r->least - slack && ours <= r->most + slack);
}

/* ---- order ---- */

/* The deliveries to one destination (NULL: to all), in order. */
static size_t
select_deliveries(const struct run *r, const char *dest,
		  const struct run_delivery ***out)
{
	const struct run_delivery **v = must(
		calloc(r->deliveries_n + 1, sizeof(struct run_delivery *)));
	size_t n = 0;

	for (size_t i = 0; i < r->deliveries_n; i++)
		if (strcmp(r->deliveries[i].dest, dest) == 0)
			v[n++] = &r->deliveries[i];
	*out = v;
	return n;
}

static bool
same_delivery(const struct run_delivery *a, const struct run_delivery *b)
{
	return a->key == b->key && a->rcpts == b->rcpts && a->nth == b->nth;
}

/* Call f once for each destination of the first recorded run. */
static void
each_dest(struct judge *j, void (*f)(struct judge *, const char *))
{
	const struct run *r = &j->recorded[0];

	for (size_t i = 0; i < r->deliveries_n; i++) {
		size_t k = 0;

		while (strcmp(r->deliveries[k].dest, r->deliveries[i].dest) !=
		       0)
			k++;
		if (k == i)
			f(j, r->deliveries[i].dest);
	}
}

/* Length of the equal beginning. */
static size_t
common_start(const struct run *a, const struct run *b, const char *dest,
	     size_t *na, size_t *nb)
{
	const struct run_delivery **va;
	const struct run_delivery **vb;
	size_t i = 0;

	*na = select_deliveries(a, dest, &va);
	*nb = select_deliveries(b, dest, &vb);
	while (i < *na && i < *nb && va[i]->key == vb[i]->key &&
	       va[i]->rcpts == vb[i]->rcpts)
		i++;
	free(va);
	free(vb);
	return i;
}

static void
judge_order(struct judge *j, const char *dest)
{
	char what[100];
	char recorded[60];
	char ours[60];
	bool equal = false;
	size_t best = 0;
	size_t na = 0;
	size_t nb = 0;

	for (size_t i = 0; i < j->recorded_n; i++) {
		size_t same =
			common_start(&j->recorded[i], j->ours, dest, &na, &nb);

		best = same > best ? same : best;
		equal = equal || (same == na && same == nb);
	}
	snprintf(what, sizeof(what), "order of deliveries to %s", dest);
	snprintf(recorded, sizeof(recorded), "%zu", na);
	if (equal)
		snprintf(ours, sizeof(ours), "equal");
	else
		snprintf(ours, sizeof(ours), "differs at %zu", best);
	row(j, what, recorded, ours, equal);
}

static double
position(const struct run_delivery *const *v, size_t n,
	 const struct run_delivery *d)
{
	for (size_t i = 0; i < n; i++)
		if (same_delivery(v[i], d))
			return (double)i;
	return -1.0;
}

static void
near_order(struct judge *j, const char *dest, double floor_)
{
	const struct run_delivery **mine;
	const struct run_delivery **v[16];
	size_t vn[16];
	size_t n = select_deliveries(j->ours, dest, &mine);
	size_t runs = j->recorded_n < 16 ? j->recorded_n : 16;
	size_t beyond = 0;
	double worst = 0.0;
	double spread = 0.0;
	char what[100];
	char a[60];
	char b[60];

	for (size_t i = 0; i < runs; i++)
		vn[i] = select_deliveries(&j->recorded[i], dest, &v[i]);
	for (size_t i = 0; i < n; i++) {
		struct range r = {0};
		double tolerance;
		double off;

		for (size_t k = 0; k < runs; k++) {
			double p = position(v[k], vn[k], mine[i]);

			if (p >= 0.0)
				widen(&r, p);
		}
		tolerance = fmax(floor_, 1.5 * (r.most - r.least));
		off = r.n == 0 ? 1e9
			       : fmax(r.least - (double)i, (double)i - r.most);
		spread = fmax(spread, r.most - r.least);
		worst = fmax(worst, off);
		beyond += off > tolerance;
	}
	snprintf(what, sizeof(what), "positions of deliveries to %s", dest);
	snprintf(a, sizeof(a), "%zu, spread %.0f", vn[0], spread);
	snprintf(b, sizeof(b), "%zu, off %.0f", n, worst);
	row(j, what, a, b, beyond == 0 && n == vn[0]);
	for (size_t i = 0; i < runs; i++)
		free(v[i]);
	free(mine);
}

static void
judge_near_order(struct judge *j, const char *dest)
{
	near_order(j, dest, 3.0);
}

static void
judge_burst_order(struct judge *j, const char *dest)
{
	near_order(j, dest, 5.0);
}

/* ---- attempts ---- */

static const struct run_attempt *
find_attempt(const struct run *r, const struct run_attempt *a)
{
	for (size_t i = 0; i < r->attempts_n; i++)
		if (r->attempts[i].key == a->key &&
		    r->attempts[i].rcpt == a->rcpt &&
		    r->attempts[i].nth == a->nth)
			return &r->attempts[i];
	return NULL;
}

static void
judge_times(struct judge *j)
{
	const struct run *first = &j->recorded[0];
	size_t beyond = 0;
	double worst = 0.0;
	double spread = 0.0;
	char a[60];
	char b[60];

	for (size_t i = 0; i < first->attempts_n; i++) {
		const struct run_attempt *mine =
			find_attempt(j->ours, &first->attempts[i]);
		struct range r = {0};
		double off;

		for (size_t k = 0; k < j->recorded_n; k++) {
			const struct run_attempt *x = find_attempt(
				&j->recorded[k], &first->attempts[i]);

			if (x != NULL)
				widen(&r, x->at);
		}
		off = mine == NULL
			      ? 1e9
			      : fmax(r.least - mine->at, mine->at - r.most);
		spread = fmax(spread, r.most - r.least);
		worst = fmax(worst, off);
		beyond += off > fmax(0.05, 1.5 * (r.most - r.least));
	}
	snprintf(a, sizeof(a), "%zu, spread %.3f s", first->attempts_n, spread);
	snprintf(b, sizeof(b), "%.3f s, %zu off", worst, beyond);
	row(j, "times of attempts", a, b, beyond == 0);
}

/* ---- counts ---- */

static const char *const class_names[RUN_CLASSES] = {
	"sent",	     "deferred by a 4xx reply", "bounced", "no connection",
	"suspended", "connection lost"};

static double
count_class(const struct run *r, int class)
{
	double n = 0.0;

	for (size_t i = 0; i < r->attempts_n; i++)
		n += (int)r->attempts[i].class == class;
	return n;
}

static void
judge_counts(struct judge *j, bool exact)
{
	for (int c = 0; c < RUN_CLASSES; c++) {
		struct range r = {0};
		char what[100];
		double mine = count_class(j->ours, c);

		for (size_t k = 0; k < j->recorded_n; k++)
			widen(&r, count_class(&j->recorded[k], c));
		if (r.most <= 0.0 && mine <= 0.0)
			continue;
		snprintf(what, sizeof(what), "attempts: %s", class_names[c]);
		row_range(j, what, &r, mine,
			  exact ? 0.0 : 0.25 * (r.most - r.least));
	}
}

static double
accepted_at(const struct run *r, int key)
{
	for (size_t i = 0; i < r->accepted_n; i++)
		if (r->accepted[i].key == key)
			return r->accepted[i].at;
	return 0.0;
}

static void
judge_ages(struct judge *j)
{
	const struct run *first = &j->recorded[0];
	size_t differ = 0;
	char a[60];
	char b[60];

	for (size_t i = 0; i < first->attempts_n; i++) {
		const struct run_attempt *x = &first->attempts[i];
		const struct run_attempt *mine = find_attempt(j->ours, x);
		double age = floor(x->at - accepted_at(first, x->key));

		differ +=
			mine == NULL ||
			floor(mine->at - accepted_at(j->ours, x->key)) < age ||
			floor(mine->at - accepted_at(j->ours, x->key)) > age;
	}
	snprintf(a, sizeof(a), "%zu attempts", first->attempts_n);
	snprintf(b, sizeof(b), "%zu differ", differ);
	row(j, "ages at attempts, whole seconds", a, b,
	    differ == 0 && j->ours->attempts_n == first->attempts_n);
}

static double
accepted_between(const struct run *r, double from, double to)
{
	double n = 0.0;

	for (size_t i = 0; i < r->accepted_n; i++)
		n += r->accepted[i].at >= from && r->accepted[i].at < to;
	return n;
}

/* At once: what comes in before half a second; then by seconds, each counted
 * from the middle of one. */
static void
judge_intake(struct judge *j)
{
	double last = j->recorded[0].accepted[j->recorded[0].accepted_n - 1].at;
	double from = -10.0;

	for (double to = 0.5; from < last; to += 1.0) {
		struct range r = {0};
		char what[100];

		for (size_t k = 0; k < j->recorded_n; k++)
			widen(&r, accepted_between(&j->recorded[k], from, to));
		snprintf(what, sizeof(what), "accepted until %.1f s", to);
		row_range(j, what, &r, accepted_between(j->ours, from, to),
			  1.0);
		from = to;
	}
}

/* Which of the two queues each admission came from; the mails of a recording
 * are told apart by ours. */
static bool
from_deferred(const struct run *ours, int key)
{
	for (size_t i = 0; i < ours->active_n; i++)
		if (ours->active[i].key == key)
			return ours->active[i].retry;
	return false;
}

static void
judge_admission(struct judge *j)
{
	size_t best = 0;
	bool equal = false;
	char a[60];
	char b[60];

	for (size_t k = 0; k < j->recorded_n; k++) {
		const struct run *r = &j->recorded[k];
		size_t i = 0;

		while (i < r->active_n && i < j->ours->active_n &&
		       from_deferred(j->ours, r->active[i].key) ==
			       j->ours->active[i].retry)
			i++;
		best = i > best ? i : best;
		equal = equal || (i == r->active_n && i == j->ours->active_n);
	}
	snprintf(a, sizeof(a), "%zu", j->recorded[0].active_n);
	if (equal)
		snprintf(b, sizeof(b), "equal");
	else
		snprintf(b, sizeof(b), "differs at %zu", best);
	row(j, "turns of incoming and deferred", a, b, equal);
}

/* ---- series ---- */

static double
sampled(const struct run *r, double at, int queue)
{
	double x = 0.0;

	for (size_t i = 0; i < r->samples_n && r->samples[i].at <= at + 0.06;
	     i++)
		x = r->samples[i].queue[queue];
	return x;
}

static double
series_end(const struct run *r)
{
	return r->samples_n == 0 ? 0.0 : r->samples[r->samples_n - 1].at;
}

static void
judge_series(struct judge *j)
{
	static const char *const names[] = {"incoming", "active", "deferred",
					    "hold"};
	const struct run *first = &j->recorded[0];

	for (int q = 0; q < 4; q++) {
		size_t judged = 0;
		size_t beyond = 0;
		double most = 0.0;
		double worst = 0.0;
		char what[100];
		char a[60];
		char b[60];

		for (size_t i = 1; i + 1 < first->samples_n; i++) {
			struct range r = {0};
			struct range near = {0};
			double off;

			for (size_t k = 0; k < j->recorded_n; k++) {
				widen(&r, sampled(&j->recorded[k],
						  first->samples[i].at, q));
				for (int d = -1; d <= 1; d++)
					widen(&near,
					      sampled(&j->recorded[k],
						      first->samples
							      [(size_t)((int)i +
									d)]
								      .at,
						      q));
			}
			most = fmax(most, r.most);
			if (near.most - near.least > 4.0)
				continue; /* a burst */
			off = sampled(j->ours, first->samples[i].at, q);
			off = fmax(r.least - off, off - r.most);
			worst = fmax(worst, off);
			judged++;
			beyond += off > 2.0;
		}
		if (most <= 0.0)
			continue;
		snprintf(what, sizeof(what), "length of %s", names[q]);
		snprintf(a, sizeof(a), "%zu samples, most %.0f", judged, most);
		snprintf(b, sizeof(b), "off %.0f, %zu off", worst, beyond);
		row(j, what, a, b, beyond == 0);
	}
}

static double
mean(const struct run *r, int queue, double until)
{
	double sum = 0.0;
	double n = 0.0;

	for (size_t i = 0; i < r->samples_n && r->samples[i].at <= until; i++) {
		sum += r->samples[i].queue[queue];
		n += 1.0;
	}
	return n > 0.0 ? sum / n : 0.0;
}

/* ---- totals ---- */

static void
judge_mean(struct judge *j, const char *what, int queue, double floor_)
{
	struct range r = {0};
	double until = 1e9;

	for (size_t k = 0; k < j->recorded_n; k++)
		until = fmin(until, series_end(&j->recorded[k]));
	for (size_t k = 0; k < j->recorded_n; k++)
		widen(&r, mean(&j->recorded[k], queue, until));
	row_range(j, what, &r, mean(j->ours, queue, until),
		  fmax(floor_, 0.25 * (r.most - r.least)));
}

static void
judge_totals(struct judge *j)
{
	struct range all = {0};
	struct range conc = {0};
	struct range end = {0};

	for (size_t k = 0; k < j->recorded_n; k++) {
		widen(&all, (double)j->recorded[k].attempts_n);
		widen(&conc, (double)j->recorded[k].max_conc);
		widen(&end, j->recorded[k].finish);
	}
	row_range(j, "attempts", &all, (double)j->ours->attempts_n,
		  0.25 * (all.most - all.least));
	row_range(j, "largest concurrency", &conc, (double)j->ours->max_conc,
		  0.25 * (conc.most - conc.least));
	judge_mean(j, "mean active", 1, 0.05);
	judge_mean(j, "mean deferred", 2, 0.05);
	row_range(j, "last attempt, s", &end, j->ours->finish,
		  fmax(0.05, 0.25 * (end.most - end.least)));
}

/* ---- ramps ---- */

/* When the window it ends with was reached. */
static double
full_window_at(const struct run *r)
{
	for (size_t i = 0; i < r->feedback_n; i++)
		if (r->feedback[i].window >=
		    r->feedback[r->feedback_n - 1].window)
			return r->feedback[i].at;
	return -1.0;
}

static void
judge_ramp(struct judge *j)
{
	struct range full = {0};
	struct range last = {0};
	struct range end = {0};
	double mine =
		j->ours->feedback_n > 0
			? (double)j->ours->feedback[j->ours->feedback_n - 1]
				  .window
			: 0.0;

	for (size_t k = 0; k < j->recorded_n; k++) {
		const struct run *r = &j->recorded[k];

		widen(&full, full_window_at(r));
		widen(&last, (double)r->feedback[r->feedback_n - 1].window);
		widen(&end, r->finish);
	}
	row_range(j, "full window at, s", &full, full_window_at(j->ours),
		  0.05 * full.most);
	row_range(j, "last window", &last, mine, 0.0);
	row_range(j, "last delivery, s", &end, j->ours->finish, 1.0);
}

/* ---- choice ---- */

static bool
connections_fail(const struct judge *j)
{
	for (size_t k = 0; k < j->recorded_n; k++)
		if (count_class(&j->recorded[k], RUN_NO_CONNECTION) > 0.0 ||
		    count_class(&j->recorded[k], RUN_SUSPENDED) > 0.0 ||
		    count_class(&j->recorded[k], RUN_LOST) > 0.0)
			return true;
	return false;
}

static unsigned
judged_by(const struct judge *j)
{
	const char *name = j->recorded[0].name;
	size_t len = strcspn(name, "-");

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strlen(known[i].name) == len &&
		    strncmp(known[i].name, name, len) == 0)
			return known[i].by;
	if (connections_fail(j))
		return BY_TOTALS;
	if (j->recorded[0].max_conc <= 1)
		return BY_ORDER | BY_TIMES | BY_SERIES;
	return BY_TIMES | BY_SERIES | BY_NEAR_ORDER;
}

void
judge_run(struct judge *j)
{
	unsigned by = judged_by(j);
	bool fail = connections_fail(j);

	if (j->exact_only)
		by &= BY_ORDER | BY_AGES | BY_INTAKE | BY_ADMISSION;
	if (!fail)
		judge_counts(j, true);
	if (by & BY_ORDER)
		each_dest(j, judge_order);
	if (by & BY_AGES)
		judge_ages(j);
	if (by & BY_INTAKE)
		judge_intake(j);
	if (by & BY_ADMISSION)
		judge_admission(j);
	if (by & BY_NEAR_ORDER)
		each_dest(j, judge_near_order);
	if (by & BY_BURSTS) {
		judge_mean(j, "mean active", 1, 0.05);
		each_dest(j, judge_burst_order);
	}
	if (by & BY_RAMP)
		judge_ramp(j);
	if (by & BY_TIMES)
		judge_times(j);
	if (by & BY_SERIES)
		judge_series(j);
	if (fail && !j->exact_only)
		judge_counts(j, false);
	if (by & BY_TOTALS)
		judge_totals(j);
}
