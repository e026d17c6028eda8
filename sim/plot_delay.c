/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The picture of delays: of each of the busiest destinations the distribution
 * of the time from arrival to delivery, per recipient. From attempts.csv the
 * whole distribution; where that was not written, the percentiles that
 * summary.json always has.
 *
 * A curve is drawn from at most 400 points, taken where the distribution rises
 * by equal steps, and by finer ones towards its top, where the interest is.
 */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/arena.h"
#include "sim/csv_read.h"
#include "sim/name_index.h"
#include "sim/plot_job.h"

enum {
	CURVES_MOST = 6,
	BARS_MOST = 12,
	POINTS_MOST = 400
};

/* A delay below this is drawn at it: the axis is logarithmic. */
#define DELAY_LEAST 1e-3

struct sample {
	char *name;	/* owned */
	double *values; /* owned; seconds */
	size_t count;
	size_t room;
};

struct samples {
	struct sample *list; /* owned */
	size_t count;
	size_t room;
	struct name_index index;
};

static struct sample *
sample_of(struct samples *all, const char *name)
{
	size_t at = name_index_get(&all->index, name, SIZE_MAX);
	if (at != SIZE_MAX)
		return &all->list[at];
	if (all->count == all->room) {
		all->room = all->room ? all->room * 2 : 64;
		all->list =
			memory_resize(all->list, all->room, sizeof(*all->list));
	}
	struct sample *sample = &all->list[all->count];
	*sample = (struct sample){.name = memory_text(name)};
	name_index_add(&all->index, sample->name, all->count);
	all->count++;
	return sample;
}

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

static void
samples_release(struct samples *all)
{
	for (size_t i = 0; i < all->count; i++) {
		free(all->list[i].name);
		free(all->list[i].values);
	}
	free(all->list);
	name_index_release(&all->index);
}

static int
compare_double(const void *left, const void *right)
{
	const double *a = left;
	const double *b = right;
	return (*a > *b) - (*a < *b);
}

/* Most recipients first; by name where that is equal. */
static int
compare_sample(const void *left, const void *right)
{
	const struct sample *a = left;
	const struct sample *b = right;
	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	return strcmp(a->name, b->name);
}

static enum plot_result
read_attempts(struct plot_job *job, const char *path, struct samples *all)
{
	struct csv_reader csv;
	int destination, outcome, delay;
	bool good = csv_open(&csv, path) &&
		    csv_find(&csv, "destination", &destination) &&
		    csv_find(&csv, "outcome", &outcome) &&
		    csv_find(&csv, "delay_s", &delay);
	while (good && csv_next(&csv)) {
		double value;
		if (strcmp(csv_text(&csv, outcome), "sent") != 0)
			continue;
		good = csv_double(&csv, delay, &value);
		if (good)
			sample_add(sample_of(all, csv_text(&csv, destination)),
				   value);
	}
	if (csv.unfinished)
		csv_fail(&csv, "the file is cut off");
	csv_close(&csv);
	if (csv.error[0])
		return plot_why(job, PLOT_BAD, "%s; run the scenario again",
				csv.error);
	return PLOT_READY;
}

static double
drawn(double delay)
{
	return delay > DELAY_LEAST ? delay : DELAY_LEAST;
}

static void
print_curve(struct plot_job *job, size_t number, const struct sample *sample)
{
	size_t last = SIZE_MAX;
	size_t n = sample->count;
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
			drawn(sample->values[at]),
			(double)(at + 1) / (double)n);
	}
}

/* The value that a share of the sorted sample does not exceed. */
static double
quantile(const struct sample *sample, double share)
{
	double rank = ceil(share * (double)sample->count);
	size_t at = rank > 1 ? (size_t)rank - 1 : 0;
	return sample->values[at < sample->count ? at : sample->count - 1];
}

static void
set_curve(struct plot_job *job, size_t number, const struct sample *sample)
{
	char name[32];
	char text[160];
	char half[32];
	char high[32];
	plot_time_text(quantile(sample, 0.5), half, sizeof(half));
	plot_time_text(quantile(sample, 0.95), high, sizeof(high));
	snprintf(name, sizeof(name), "curve_%zu", number);
	plot_set_text(job, name, sample->name);
	snprintf(name, sizeof(name), "curve_%zu_text", number);
	snprintf(text, sizeof(text), "p50 %s, p95 %s", half, high);
	plot_set_text(job, name, text);
}

static enum plot_result
make_curves(struct plot_job *job, struct samples *all)
{
	double low = HUGE_VAL;
	double high = DELAY_LEAST;
	size_t shown = all->count < CURVES_MOST ? all->count : CURVES_MOST;
	if (shown == 0)
		return plot_why(
			job, PLOT_ABSENT,
			"%s: nothing was delivered, so there are no delays to "
			"draw",
			job->run->dir);
	qsort(all->list, all->count, sizeof(*all->list), compare_sample);
	fputs("curve,delay_s,share\n", job->table);
	for (size_t i = 0; i < shown; i++) {
		struct sample *sample = &all->list[i];
		qsort(sample->values, sample->count, sizeof(double),
		      compare_double);
		low = fmin(low, drawn(sample->values[0]));
		high = fmax(high, drawn(sample->values[sample->count - 1]));
		set_curve(job, i + 1, sample);
		print_curve(job, i + 1, sample);
	}
	plot_set_number(job, "curves", (double)shown);
	plot_set_number(job, "bars", 0);
	plot_set_number(job, "destinations", (double)all->count);
	plot_set_number(job, "delay_least", low);
	plot_set_number(job, "delay_most", high);
	return PLOT_READY;
}

/* ---- from summary.json */

/* Percentiles of one destination. */
struct bar {
	const char *name; /* borrowed from the tree */
	double count;
	double p50, p90, p95, p99;
	bool bound; /* unfinished mail could still move one of them */
};

static double
number_of(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static int
compare_bar(const void *left, const void *right)
{
	const struct bar *a = left;
	const struct bar *b = right;
	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	return strcmp(a->name, b->name);
}

/* Busiest first; *sum: there are others, of which only the sum is known. */
static size_t
find_bars(json_t *tree, struct bar *bars, size_t room, bool *sum)
{
	const char *name;
	json_t *entry;
	size_t count = 0;
	json_object_foreach (json_object_get(tree, "destinations"), name,
			     entry) {
		const json_t *delay = json_object_get(entry, "delay_s");
		struct bar bar = {
			.name = name,
			.count = number_of(delay, "count"),
			.p50 = number_of(delay, "p50"),
			.p90 = number_of(delay, "p90"),
			.p95 = number_of(delay, "p95"),
			.p99 = number_of(delay, "p99"),
			.bound = json_is_string(
				json_object_get(delay, "lower_bounds_from")),
		};
		if (!strcmp(name, "(other)"))
			*sum = true;
		else if (count < room && bar.count > 0 && !isnan(bar.p50) &&
			 !isnan(bar.p99))
			bars[count++] = bar;
	}
	qsort(bars, count, sizeof(*bars), compare_bar);
	return count;
}

static void
print_bars(struct plot_job *job, const struct bar *bars, size_t shown)
{
	double low = HUGE_VAL;
	double high = DELAY_LEAST;
	bool any_bound = false;
	char name[32];
	fputs("bar,p50,p90,p95,p99,bound\n", job->table);
	for (size_t i = 0; i < shown; i++) {
		const struct bar *bar = &bars[i];
		low = fmin(low, drawn(bar->p50));
		high = fmax(high, drawn(bar->p99));
		snprintf(name, sizeof(name), "bar_%zu", i + 1);
		plot_set_text(job, name, bar->name);
		fprintf(job->table, "%zu,%.9g,%.9g,%.9g,%.9g,%d\n", i + 1,
			drawn(bar->p50), drawn(bar->p90), drawn(bar->p95),
			drawn(bar->p99), bar->bound);
		any_bound |= bar->bound;
	}
	plot_set_number(job, "any_bound", any_bound);
	plot_set_number(job, "delay_least", low);
	plot_set_number(job, "delay_most", high);
}

static enum plot_result
make_bars(struct plot_job *job)
{
	json_error_t error;
	char *path = plot_find(job->run->dir, "summary.json");
	if (!path)
		return plot_why(
			job, PLOT_ABSENT,
			"%s holds neither attempts.csv nor summary.json; run "
			"the scenario again, for whole distributions with "
			"--output attempts",
			job->run->dir);
	json_t *tree = json_load_file(path, 0, &error);
	free(path);
	if (!tree)
		return plot_why(
			job, PLOT_BAD,
			"%s/summary.json:%d: %s; run the scenario again",
			job->run->dir, error.line, error.text);
	size_t room = json_object_size(json_object_get(tree, "destinations"));
	struct bar *bars = memory_array(room, sizeof(*bars));
	bool sum = false;
	size_t count = find_bars(tree, bars, room, &sum);
	enum plot_result result = PLOT_READY;
	if (count == 0)
		result = plot_why(
			job, PLOT_ABSENT,
			"%s/summary.json has no delays of destinations; run "
			"the scenario with --output attempts to have them all",
			job->run->dir);
	else
		print_bars(job, bars, count < BARS_MOST ? count : BARS_MOST);
	plot_set_number(job, "curves", 0);
	plot_set_number(job, "bars",
			(double)(count < BARS_MOST ? count : BARS_MOST));
	plot_set_number(job, "destinations", sum ? 0 : (double)count);
	free(bars);
	json_decref(tree);
	return result;
}

enum plot_result
plot_make_delays(struct plot_job *job)
{
	char *path = plot_find(job->run->dir, "attempts.csv");
	if (!path)
		return make_bars(job);
	struct samples all = {0};
	enum plot_result result = read_attempts(job, path, &all);
	free(path);
	if (result == PLOT_READY)
		result = make_curves(job, &all);
	samples_release(&all);
	return result;
}
