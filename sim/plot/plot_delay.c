/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The picture of delays: of each of the busiest destinations the distribution
 * of the time from arrival to delivery, per recipient. summary.json tells the
 * destinations, their recipients and percentiles; where attempts.csv was
 * written, the whole distribution is drawn.
 *
 * A curve is the share of all recipients of a destination, those that still
 * wait too: it ends below 1 where not all were delivered. Its percentiles are
 * those of summary.json, lower bounds marked.
 *
 * A curve is drawn from at most 400 points, taken where the distribution rises
 * by equal steps, and by finer ones towards its top, where the interest is.
 */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/arena.h"
#include "sim/base/folder.h"
#include "sim/plot/plot_dest.h"

enum {
	CURVES_MOST = 6,
	BARS_MOST = 12,
	POINTS_MOST = 400
};

/* A delay below this is drawn at it: the axis is logarithmic. */
#define DELAY_LEAST 1e-3

/* What summary.json says of one destination. */
struct bar {
	const char *name; /* borrowed from the tree */
	double count;	  /* recipients, those that still wait too */
	double p50, p90, p95, p99;
	double bounds_from; /* from this percentile on they are lower bounds */
};

struct bars {
	json_t *tree;	  /* owned */
	struct bar *list; /* owned; most recipients first */
	size_t count;
	bool others; /* there are others, of which only the sum is known */
};

/* Delays of the delivered recipients of one destination. */
struct sample {
	double *values; /* owned; seconds */
	size_t count;
	size_t room;
};

static double
drawn(double delay)
{
	return delay > DELAY_LEAST ? delay : DELAY_LEAST;
}

/* ---- from summary.json */

static double
number_of(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static struct bar
bar_of(const char *name, const json_t *delay)
{
	const char *first =
		json_string_value(json_object_get(delay, "lower_bounds_from"));
	double unfinished = number_of(delay, "unfinished");
	return (struct bar){
		.name = name,
		.count = number_of(delay, "count") +
			 (isnan(unfinished) ? 0 : unfinished),
		.p50 = number_of(delay, "p50"),
		.p90 = number_of(delay, "p90"),
		.p95 = number_of(delay, "p95"),
		.p99 = number_of(delay, "p99"),
		/* "p99.9" and the like */
		.bounds_from = first ? strtod(first + 1, NULL) : HUGE_VAL,
	};
}

/* Most recipients first; by name where that is equal. */
static int
compare_bar(const void *left, const void *right)
{
	const struct bar *a = left;
	const struct bar *b = right;
	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	return strcmp(a->name, b->name);
}

static void
find_bars(struct bars *bars)
{
	json_t *all = json_object_get(bars->tree, "destinations");
	const char *name;
	json_t *entry;
	bars->list =
		memory_array(json_object_size(all) + 1, sizeof(struct bar));
	json_object_foreach (all, name, entry) {
		struct bar bar =
			bar_of(name, json_object_get(entry, "delay_s"));
		if (!strcmp(name, "(other)"))
			bars->others = true;
		else if (bar.count > 0 && !isnan(bar.p50) && !isnan(bar.p99))
			bars->list[bars->count++] = bar;
	}
	qsort(bars->list, bars->count, sizeof(struct bar), compare_bar);
}

static enum plot_result
read_bars(struct plot_job *job, struct bars *bars)
{
	const char *dir = job->run->dir;
	json_error_t error;
	char *path = folder_find(dir, "summary.json");
	if (!path)
		return plot_why(job, PLOT_ABSENT,
				"%s/summary.json is missing; run the scenario "
				"again",
				dir);
	bars->tree = json_load_file(path, 0, &error);
	free(path);
	if (!bars->tree)
		return plot_why(
			job, PLOT_BAD,
			"%s/summary.json:%d: %s; run the scenario again", dir,
			error.line, error.text);
	find_bars(bars);
	if (bars->count == 0)
		return plot_why(job, PLOT_ABSENT,
				"%s/summary.json has no delays of destinations",
				dir);
	return PLOT_READY;
}

static void
bars_release(struct bars *bars)
{
	free(bars->list);
	json_decref(bars->tree);
}

static void
make_bars(struct plot_job *job, const struct bars *bars)
{
	size_t shown = bars->count < BARS_MOST ? bars->count : BARS_MOST;
	double low = HUGE_VAL;
	double high = DELAY_LEAST;
	bool any_bound = false;
	char name[32];
	fputs("bar,p50,p90,p95,p99,bound\n", job->table);
	for (size_t i = 0; i < shown; i++) {
		const struct bar *bar = &bars->list[i];
		bool bound = bar->bounds_from <= 99;
		low = fmin(low, drawn(bar->p50));
		high = fmax(high, drawn(bar->p99));
		snprintf(name, sizeof(name), "bar_%zu", i + 1);
		plot_set_text(job, name, bar->name);
		fprintf(job->table, "%zu,%.9g,%.9g,%.9g,%.9g,%d\n", i + 1,
			drawn(bar->p50), drawn(bar->p90), drawn(bar->p95),
			drawn(bar->p99), bound);
		any_bound |= bound;
	}
	plot_set_number(job, "curves", 0);
	plot_set_number(job, "bars", (double)shown);
	plot_set_number(job, "any_bound", any_bound);
	plot_set_number(job, "delay_least", low);
	plot_set_number(job, "delay_most", high);
}

/* ---- from attempts.csv */

static void
sample_add(struct sample *sample, double value)
{
	if (sample->count == sample->room) {
		sample->room = sample->room ? sample->room * 2 : 64;
		sample->values = memory_resize(sample->values, sample->room,
					       sizeof(*sample->values));
	}
	sample->values[sample->count++] = value;
}

static int
compare_double(const void *left, const void *right)
{
	const double *a = left;
	const double *b = right;
	return (*a > *b) - (*a < *b);
}

/* Rows of recipients that were delivered, as percentiles know them: after the
 * warm-up. One of a destination that is not shown is passed. */
static void
read_rows(struct csv_reader *csv, double warmup_s,
	  const struct name_index *index, struct sample *samples)
{
	int time, transport, destination, outcome, delay;
	bool good = csv_find(csv, "time_s", &time) &&
		    csv_find(csv, "transport", &transport) &&
		    csv_find(csv, "destination", &destination) &&
		    csv_find(csv, "outcome", &outcome) &&
		    csv_find(csv, "delay_s", &delay);
	while (good && csv_next(csv)) {
		char key[DEST_KEY_BYTES];
		double at, value;
		if (strcmp(csv_text(csv, outcome), "sent") != 0)
			continue;
		dest_key(csv_text(csv, transport), csv_text(csv, destination),
			 key, sizeof(key));
		size_t place = name_index_get(index, key, SIZE_MAX);
		if (place == SIZE_MAX)
			continue;
		good = csv_double(csv, time, &at) &&
		       csv_double(csv, delay, &value);
		if (good && at >= warmup_s)
			sample_add(&samples[place], value);
	}
}

static enum plot_result
read_attempts(struct plot_job *job, const char *path, const struct bar *bars,
	      struct sample *samples, size_t shown)
{
	struct name_index index = {0};
	struct csv_reader csv;
	for (size_t i = 0; i < shown; i++)
		name_index_add(&index, bars[i].name, i);
	if (csv_open(&csv, path))
		read_rows(&csv, job->run->warmup_s, &index, samples);
	name_index_release(&index);
	return dest_end_table(job, &csv);
}

/* of: all recipients */
static void
print_curve(struct plot_job *job, size_t number, const struct sample *sample,
	    double of)
{
	size_t last = SIZE_MAX;
	size_t n = sample->count;
	if (n == 0)
		return;
	fprintf(job->table, "%zu,%.9g,0\n", number, drawn(sample->values[0]));
	for (size_t i = 1; i <= POINTS_MOST; i++) {
		/* From 0 to 1, slower and slower. */
		double rest = 1 - (double)i / POINTS_MOST;
		size_t at = (size_t)((1 - rest * rest) * (double)n);
		at = at > 0 ? at - 1 : 0;
		if (at == last)
			continue;
		last = at;
		fprintf(job->table, "%zu,%.9g,%.9g\n", number,
			drawn(sample->values[at]), (double)(at + 1) / of);
	}
}

static void
set_curve(struct plot_job *job, size_t number, const struct bar *bar)
{
	char name[32];
	char text[160];
	char half[32];
	char high[32];
	plot_time_text(bar->p50, half, sizeof(half));
	plot_time_text(bar->p95, high, sizeof(high));
	snprintf(name, sizeof(name), "curve_%zu", number);
	plot_set_text(job, name, bar->name);
	snprintf(name, sizeof(name), "curve_%zu_text", number);
	snprintf(text, sizeof(text), "p50 %s%s, p95 %s%s",
		 bar->bounds_from <= 50 ? ">= " : "", half,
		 bar->bounds_from <= 95 ? ">= " : "", high);
	plot_set_text(job, name, text);
}

static void
make_curves(struct plot_job *job, const struct bar *bars,
	    struct sample *samples, size_t shown)
{
	double low = HUGE_VAL;
	double high = DELAY_LEAST;
	fputs("curve,delay_s,share\n", job->table);
	for (size_t i = 0; i < shown; i++) {
		struct sample *sample = &samples[i];
		set_curve(job, i + 1, &bars[i]);
		if (sample->count == 0)
			continue;
		qsort(sample->values, sample->count, sizeof(double),
		      compare_double);
		low = fmin(low, drawn(sample->values[0]));
		high = fmax(high, drawn(sample->values[sample->count - 1]));
		print_curve(job, i + 1, sample, bars[i].count);
	}
	plot_set_number(job, "curves", (double)shown);
	plot_set_number(job, "bars", 0);
	plot_set_number(job, "delay_least", low);
	plot_set_number(job, "delay_most", high);
}

/* Curves if there are delays to draw them from. */
static enum plot_result
make_detailed(struct plot_job *job, const struct bars *bars, const char *path)
{
	struct sample samples[CURVES_MOST] = {{0}};
	size_t shown = bars->count < CURVES_MOST ? bars->count : CURVES_MOST;
	size_t delivered = 0;
	enum plot_result result =
		read_attempts(job, path, bars->list, samples, shown);
	for (size_t i = 0; i < shown; i++)
		delivered += samples[i].count;
	if (result == PLOT_READY && delivered > 0)
		make_curves(job, bars->list, samples, shown);
	else if (result == PLOT_READY)
		make_bars(job, bars);
	for (size_t i = 0; i < shown; i++)
		free(samples[i].values);
	return result;
}

enum plot_result
plot_make_delays(struct plot_job *job)
{
	struct bars bars = {0};
	enum plot_result result = read_bars(job, &bars);
	char *path = folder_find(job->run->dir, "attempts.csv");
	if (result == PLOT_READY) {
		plot_set_number(job, "destinations",
				bars.others ? 0 : (double)bars.count);
		if (path)
			result = make_detailed(job, &bars, path);
		else
			make_bars(job, &bars);
	}
	free(path);
	bars_release(&bars);
	return result;
}
