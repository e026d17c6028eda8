/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One fold for each expectation. A column is a step function of time, known at
 * samples; recipients fall into two sketches, of final values and of values
 * that may still grow. The reader has refused what does not fit together, so
 * that each function here meets only metrics it knows.
 */
#include "sim/results/expect.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sim/base/arena.h"

struct expect_fold {
	int64_t from_us;
	int64_t to_us;
	/* columns */
	bool has_held;	  /* some sample was there */
	bool was_real;	  /* some sample had a value of its own */
	bool has_extreme; /* some value was in force within the window */
	int64_t held_us;
	double held; /* value since held_us */
	double most;
	double least;
	double integral;    /* up to held_us, in seconds */
	int64_t covered_us; /* of the window, by the integral */
	double first;	    /* rate: value at the beginning of the window ... */
	int64_t first_us;
	double last; /* ... and at its end */
	int64_t last_us;
	bool has_at; /* value(): a sample at or before the time */
	double at;
	/* recipients */
	struct histogram closed;
	struct histogram open;
	uint64_t hits; /* of the outcome */
	uint64_t all;
};

void
expect_init(struct expect *e, const struct scenario *scenario,
	    const struct mta_symtab *symbols)
{
	*e = (struct expect){
		.scenario = scenario,
		.symbols = symbols,
		.count = scenario->expect_count,
		.folds = memory_array(scenario->expect_count + 1,
				      sizeof(struct expect_fold)),
	};
	for (size_t i = 0; i < e->count; i++) {
		const struct scenario_expect *x = &scenario->expect[i];
		struct expect_fold *f = &e->folds[i];

		f->from_us =
			x->has_window ? x->from_us : scenario->run.warmup_us;
		f->to_us = x->to_us;
		if (x->function == SCENARIO_DRAINED)
			continue;
		e->wants_recipients |= x->metric != SCENARIO_METRIC_COLUMN;
		e->wants_tries |= x->metric == SCENARIO_METRIC_WAIT ||
				  x->metric == SCENARIO_METRIC_ATTEMPTS;
	}
}

void
expect_release(struct expect *e)
{
	for (size_t i = 0; i < e->count; i++) {
		histogram_release(&e->folds[i].closed);
		histogram_release(&e->folds[i].open);
	}
	free(e->folds);
	e->folds = NULL;
	e->count = 0;
}

/* ---- columns ----------------------------------------------------------------
 */

static void
note_extreme(struct expect_fold *f, double value)
{
	if (!f->has_extreme || value > f->most)
		f->most = value;
	if (!f->has_extreme || value < f->least)
		f->least = value;
	f->has_extreme = true;
}

/* The held value was in force until now. */
static void
advance(struct expect_fold *f, int64_t now_us)
{
	int64_t from = f->held_us > f->from_us ? f->held_us : f->from_us;
	int64_t to = now_us < f->to_us ? now_us : f->to_us;

	if (!f->has_held || to <= from)
		return;
	f->integral += f->held * ((double)(to - from) / 1e6);
	f->covered_us += to - from;
	note_extreme(f, f->held);
}

static void
fold_sample(struct expect_fold *f, const struct scenario_expect *x,
	    int64_t now_us, double value)
{
	advance(f, now_us);
	if (f->to_us >= now_us) {
		if (!f->has_held || now_us <= f->from_us) {
			f->first = value;
			f->first_us = now_us;
		}
		f->last = value;
		f->last_us = now_us;
		if (now_us >= f->from_us)
			note_extreme(f, value);
	}
	if (x->function == SCENARIO_VALUE && now_us <= x->at_us) {
		f->at = value;
		f->has_at = true;
	}
	f->held = value;
	f->held_us = now_us;
	f->has_held = true;
}

void
expect_sample(struct expect *e, int64_t now_us,
	      const struct expect_sample *sample)
{
	for (size_t i = 0; i < e->count; i++) {
		const struct scenario_expect *x = &e->scenario->expect[i];
		struct expect_fold *f = &e->folds[i];
		double value;

		if (x->function == SCENARIO_DRAINED ||
		    x->metric != SCENARIO_METRIC_COLUMN)
			continue;
		value = sample->column(sample, x->column, x->transport,
				       x->destination);
		if (!isnan(value)) {
			f->was_real = true;
		} else if (strcmp(x->column, "window") == 0) {
			continue;
		} else {
			/* Nothing has gone there yet: all its counts are 0. */
			value = 0;
		}
		fold_sample(f, x, now_us, value);
	}
}

/* ---- recipients -------------------------------------------------------------
 */

static bool
name_fits(const struct expect *e, const char *wanted, mta_sym name)
{
	return !wanted ||
	       strcasecmp(wanted, mta_sym_text(e->symbols, name)) == 0;
}

static bool
source_fits(const struct expect *e, const char *wanted, uint32_t source)
{
	const struct scenario *s = e->scenario;
	const char *name = source == UINT32_MAX	      ? "bounce"
			   : source < s->source_count ? s->sources[source].name
						      : "start";

	return !wanted || strcmp(wanted, name) == 0;
}

static bool
is_left(enum mta_outcome outcome)
{
	return outcome == MTA_QUEUED || outcome == MTA_HELD;
}

/* Of a sample of delay, wait or attempts; -1: this record has none. */
static int64_t
sample_of(const struct scenario_expect *x, const struct expect_recipient *r)
{
	bool is_over = tally_is_final(r->outcome) || is_left(r->outcome);

	switch (x->metric) {
	case SCENARIO_METRIC_DELAY:
		return is_over ? r->delay_us : -1;
	case SCENARIO_METRIC_WAIT:
		return r->wait_us;
	case SCENARIO_METRIC_ATTEMPTS:
		if (is_left(r->outcome))
			return r->attempts;
		return is_over && r->attempts > 0 ? (int64_t)r->attempts : -1;
	case SCENARIO_METRIC_COLUMN:
	case SCENARIO_METRIC_OUTCOME:
		return -1;
	}
	return -1;
}

/* A deferral happens to an attempt, all else to a recipient: the share of
 * deferred is one of attempts, any other one of recipients. */
static void
fold_outcome(struct expect_fold *f, const struct scenario_expect *x,
	     const struct expect_recipient *r)
{
	bool of_attempts = strcmp(x->column, "deferred") == 0;
	enum mta_outcome outcome =
		r->outcome == MTA_DISCARDED ? MTA_SENT : r->outcome;

	if (of_attempts ? !is_left(outcome) && outcome != MTA_EXPIRED
			: outcome != MTA_DEFERRED_OUTCOME)
		f->all++;
	if (strcmp(x->column, mta_outcome_name(outcome)) == 0)
		f->hits++;
}

void
expect_recipient(struct expect *e, const struct expect_recipient *r)
{
	for (size_t i = 0; i < e->count; i++) {
		const struct scenario_expect *x = &e->scenario->expect[i];
		struct expect_fold *f = &e->folds[i];
		int64_t value;

		if (x->function == SCENARIO_DRAINED ||
		    x->metric == SCENARIO_METRIC_COLUMN ||
		    r->at_us < f->from_us || r->at_us > f->to_us ||
		    !name_fits(e, x->destination, r->destination->name) ||
		    !name_fits(e, x->transport, r->destination->transport) ||
		    !name_fits(e, x->domain, r->domain->name) ||
		    !source_fits(e, x->source, r->source))
			continue;
		if (x->metric == SCENARIO_METRIC_OUTCOME)
			fold_outcome(f, x, r);
		value = sample_of(x, r);
		if (value >= 0)
			histogram_add(is_left(r->outcome) ? &f->open
							  : &f->closed,
				      value);
	}
}

void
expect_deleted(struct expect *e, int64_t at_us, uint32_t recipient_count,
	       uint32_t source)
{
	for (size_t i = 0; i < e->count; i++) {
		const struct scenario_expect *x = &e->scenario->expect[i];
		struct expect_fold *f = &e->folds[i];

		if (x->function == SCENARIO_DRAINED ||
		    x->metric != SCENARIO_METRIC_OUTCOME ||
		    strcmp(x->column, "deferred") == 0 || x->destination ||
		    x->domain || x->transport || at_us < f->from_us ||
		    at_us > f->to_us || !source_fits(e, x->source, source))
			continue;
		f->all += recipient_count;
		if (strcmp(x->column, "deleted") == 0)
			f->hits += recipient_count;
	}
}

/* ---- what was found ---------------------------------------------------------
 */

struct found {
	double value;
	enum expect_bound bound;
	const char *why; /* of EXPECT_UNKNOWN */
};

static struct found
unknown(const char *why)
{
	return (struct found){
		.value = (double)NAN, .bound = EXPECT_UNKNOWN, .why = why};
}

static struct found
exactly(double value)
{
	return (struct found){.value = value, .bound = EXPECT_EXACT};
}

static struct found
find_rate(const struct expect_fold *f)
{
	if (f->last_us <= f->first_us)
		return unknown("there are no two samples in the window");
	return exactly((f->last - f->first) /
		       ((double)(f->last_us - f->first_us) / 1e6));
}

static struct found
find_column(const struct expect_fold *before, const struct scenario_expect *x,
	    int64_t end_us)
{
	struct expect_fold fold = *before;
	struct expect_fold *f = &fold;

	if (!f->was_real)
		return unknown("it was never seen");
	advance(f, end_us);
	if (!f->has_extreme && x->function != SCENARIO_VALUE)
		return unknown("the run has no sample in the window");
	switch (x->function) {
	case SCENARIO_VALUE:
		if (x->at_us > end_us)
			return unknown("the run ended before");
		return f->has_at ? exactly(f->at)
				 : unknown("there is no sample before");
	case SCENARIO_FINAL:
		return exactly(f->last);
	case SCENARIO_MAX:
		return exactly(f->most);
	case SCENARIO_MIN:
		return exactly(f->least);
	case SCENARIO_INTEGRAL:
		return exactly(f->integral);
	case SCENARIO_MEAN:
		return exactly(f->covered_us > 0
				       ? f->integral /
						 ((double)f->covered_us / 1e6)
				       : f->last);
	case SCENARIO_RATE:
		return find_rate(f);
	case SCENARIO_COUNT:
	case SCENARIO_SHARE:
	case SCENARIO_PERCENTILE:
	case SCENARIO_DRAINED:
		break;
	}
	return unknown("it cannot be asked of a column");
}

static double
both_mean(const struct expect_fold *f)
{
	return ((double)f->closed.sum + (double)f->open.sum) /
	       (double)(f->closed.count + f->open.count);
}

static int64_t
both_least(const struct expect_fold *f)
{
	if (f->closed.count == 0)
		return f->open.least;
	if (f->open.count == 0 || f->closed.least <= f->open.least)
		return f->closed.least;
	return f->open.least;
}

static int64_t
both_greatest(const struct expect_fold *f)
{
	if (f->closed.count == 0)
		return f->open.greatest;
	if (f->open.count == 0 || f->closed.greatest > f->open.greatest)
		return f->closed.greatest;
	return f->open.greatest;
}

static struct found
find_sample(const struct expect_fold *f, const struct scenario_expect *x)
{
	double unit = x->metric == SCENARIO_METRIC_ATTEMPTS ? 1 : 1e6;
	struct found found = {.bound = EXPECT_EXACT};
	int64_t value;

	if (f->closed.count + f->open.count == 0)
		return unknown("no recipient fits");
	if (f->open.count > 0)
		found.bound = EXPECT_AT_LEAST;
	if (x->function == SCENARIO_MEAN) {
		found.value = both_mean(f) / unit;
	} else if (x->function == SCENARIO_MAX) {
		found.value = (double)both_greatest(f) / unit;
	} else if (x->function == SCENARIO_MIN) {
		value = both_least(f);
		found.value = (double)value / unit;
		if (f->closed.count > 0 && f->closed.least <= value)
			found.bound = EXPECT_EXACT;
	} else {
		found.bound = histogram_bound(&f->closed, &f->open, x->percent,
					      &value)
				      ? EXPECT_EXACT
				      : EXPECT_AT_LEAST;
		found.value = (double)value / unit;
	}
	return found;
}

/* Does the run tell all of the window? Of recipients also beyond its end, when
 * none can come any more. */
static bool
is_window_known(const struct scenario_expect *x, const struct expect_end *end)
{
	return !x->has_window || x->to_us <= end->now_us ||
	       (end->drained_us >= 0 && x->metric != SCENARIO_METRIC_COLUMN);
}

static struct found
find(const struct expect_fold *f, const struct scenario_expect *x,
     const struct expect_end *end)
{
	if (x->function == SCENARIO_DRAINED && end->drained_us >= 0)
		return exactly((double)end->drained_us / 1e6);
	if (x->function == SCENARIO_DRAINED)
		return (struct found){.value = (double)end->now_us / 1e6,
				      .bound = EXPECT_AT_LEAST};
	if (!is_window_known(x, end))
		return unknown("the run ended before the window did");
	switch (x->metric) {
	case SCENARIO_METRIC_COLUMN:
		return find_column(f, x, end->now_us);
	case SCENARIO_METRIC_OUTCOME:
		if (strcmp(x->column, "deleted") == 0 &&
		    (x->destination || x->domain || x->transport))
			return unknown("where deleted mail was going is not "
				       "known; filter by source");
		if (x->function == SCENARIO_COUNT)
			return exactly((double)f->hits);
		if (f->all == 0)
			return unknown("no recipient fits");
		return exactly((double)f->hits / (double)f->all);
	case SCENARIO_METRIC_DELAY:
	case SCENARIO_METRIC_WAIT:
	case SCENARIO_METRIC_ATTEMPTS:
		return find_sample(f, x);
	}
	return unknown("it is no metric");
}

/* ---- verdict ----------------------------------------------------------------
 */

static bool
compare(const struct scenario_expect *x, double value)
{
	switch (x->comparison) {
	case SCENARIO_LESS:
		return value < x->value;
	case SCENARIO_LESS_EQUAL:
		return value <= x->value;
	case SCENARIO_EQUAL:
		return value >= x->value && value <= x->value;
	case SCENARIO_NOT_EQUAL:
		return value < x->value || value > x->value;
	case SCENARIO_GREATER_EQUAL:
		return value >= x->value;
	case SCENARIO_GREATER:
		return value > x->value;
	case SCENARIO_WITHIN:
		return fabs(value - x->value) <= x->within * fabs(x->value);
	}
	return false;
}

/* Does it hold for every value from this one up? */
static bool
compare_from(const struct scenario_expect *x, double value)
{
	switch (x->comparison) {
	case SCENARIO_GREATER_EQUAL:
	case SCENARIO_GREATER:
		return compare(x, value);
	case SCENARIO_NOT_EQUAL:
		return value > x->value;
	case SCENARIO_LESS:
	case SCENARIO_LESS_EQUAL:
	case SCENARIO_EQUAL:
	case SCENARIO_WITHIN:
		return false;
	}
	return false;
}

static double
margin_of(const struct scenario_expect *x, double value)
{
	switch (x->comparison) {
	case SCENARIO_LESS:
	case SCENARIO_LESS_EQUAL:
		return x->value - value;
	case SCENARIO_GREATER:
	case SCENARIO_GREATER_EQUAL:
		return value - x->value;
	case SCENARIO_EQUAL:
		return 0 - fabs(value - x->value);
	case SCENARIO_NOT_EQUAL:
		return fabs(value - x->value);
	case SCENARIO_WITHIN:
		return x->within * fabs(x->value) - fabs(value - x->value);
	}
	return (double)NAN;
}

static void
put_value(const struct scenario_expect *x, double value, char *out, size_t size)
{
	switch (x->unit) {
	case SCENARIO_UNIT_SECONDS:
		snprintf(out, size, "%.6g s", value);
		break;
	case SCENARIO_UNIT_PER_SECOND:
		snprintf(out, size, "%.6g/s", value);
		break;
	case SCENARIO_UNIT_SHARE:
		snprintf(out, size, "%.4g%%", value * 100);
		break;
	case SCENARIO_UNIT_NUMBER:
		snprintf(out, size, "%.9g", value);
		break;
	}
}

static void
put_text(struct expect_verdict *v, const struct scenario_expect *x,
	 const struct found *found)
{
	const char *sign = found->bound == EXPECT_AT_LEAST ? ">= " : "";
	char value[48];
	char margin[48];
	const char *than = "";

	if (found->bound == EXPECT_UNKNOWN) {
		snprintf(v->text, sizeof(v->text), "%.120s: not known, %s",
			 x->text, found->why);
		return;
	}
	put_value(x, v->value, value, sizeof(value));
	put_value(x, fabs(v->margin), margin, sizeof(margin));
	if (v->passed)
		than = " to spare";
	else if (found->bound == EXPECT_EXACT || v->margin < 0)
		than = " too far";
	if (!v->passed && *than == '\0')
		snprintf(v->text, sizeof(v->text),
			 "%.120s: %s%s, not decided: unfinished mail can still "
			 "move it",
			 x->text, sign, value);
	else if (x->comparison == SCENARIO_EQUAL && v->passed)
		snprintf(v->text, sizeof(v->text), "%.120s: %s%s", x->text,
			 sign, value);
	else
		snprintf(v->text, sizeof(v->text), "%.120s: %s%s, %s%s",
			 x->text, sign, value, margin, than);
}

struct expect_verdict
expect_judge(const struct expect *e, size_t index, const struct expect_end *end)
{
	const struct scenario_expect *x = &e->scenario->expect[index];
	struct found found = find(&e->folds[index], x, end);
	struct expect_verdict v = {
		.bound = found.bound,
		.value = found.value,
		.margin = (double)NAN,
	};

	if (found.bound != EXPECT_UNKNOWN)
		v.margin = margin_of(x, found.value);
	if (found.bound == EXPECT_EXACT)
		v.passed = compare(x, found.value);
	else if (found.bound == EXPECT_AT_LEAST)
		v.passed = compare_from(x, found.value);
	put_text(&v, x, &found);
	return v;
}
