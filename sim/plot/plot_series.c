/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pictures from series.csv: queues, attempts, inflow, recorded.
 *
 * Levels (a queue's length) are thinned so that peaks stay. Running totals are
 * turned into rates over bins of a round length, each a whole number of
 * samples, so that a bar stands for a count that really happened in it.
 */
#include <math.h>
#include <string.h>

#include "sim/plot/plot_job.h"

enum {
	ROWS_MOST = 4000, /* of a table */
	STEPS_MOST = 300,
	BINS_MOST = 120, /* bars in a picture */
};

/* ---- queues */

/* Bottom to top. */
static const char *const queue_columns[] = {"time_s",	"active",   "incoming",
					    "maildrop", "deferred", "hold",
					    "?corrupt", NULL};
static const char *const queue_names[] = {"active",   "incoming", "maildrop",
					  "deferred", "hold",	  "corrupt"};

enum {
	QUEUES = 6
};

/* Which queues ever hold mail; the others are only named. */
static void
set_queues(struct plot_job *job, const struct plot_table *table)
{
	char empty[80] = "";
	char name[24];
	int used = 0;
	for (size_t i = 0; i < QUEUES; i++) {
		if (plot_table_max(table, i + 1) > 0) {
			snprintf(name, sizeof(name), "queue_%d", ++used);
			plot_set_text(job, name, queue_names[i]);
			continue;
		}
		/* That nothing is corrupt goes without saying. */
		if (!strcmp(queue_names[i], "corrupt"))
			continue;
		size_t length = strlen(empty);
		snprintf(empty + length, sizeof(empty) - length, "%s%s",
			 length ? ", " : "", queue_names[i]);
	}
	plot_set_number(job, "queues", used);
	plot_set_text(job, "queues_empty", empty);
}

static double
greatest_sum(const struct plot_table *table)
{
	double most = 0;
	for (size_t i = 0; i < table->rows; i++) {
		double sum = 0;
		for (size_t c = 1; c < table->columns; c++) {
			double x = plot_table_get(table, i, c);
			sum += isnan(x) ? 0 : x;
		}
		if (sum > most)
			most = sum;
	}
	return most;
}

/*
 * Levels as they are drawn. A table with few rows is drawn in steps, each
 * sample holding until the next: where somebody follows a handful of mails, a
 * slope would show halves of them.
 */
static void
shape_levels(struct plot_table *table)
{
	if (table->rows > STEPS_MOST) {
		plot_table_thin(table, ROWS_MOST);
		return;
	}
	struct plot_table steps = {.columns = table->columns};
	for (size_t i = 0; i < table->rows; i++) {
		size_t size = table->columns * sizeof(double);
		const double *row = table->cells + i * table->columns;
		if (i > 0) {
			double *held = plot_table_add(&steps);
			memcpy(held, row - table->columns, size);
			held[0] = row[0];
		}
		memcpy(plot_table_add(&steps), row, size);
	}
	plot_table_release(table);
	*table = steps;
}

static void
print_queues(struct plot_job *job, struct plot_table *table)
{
	fputs("time_s,active,incoming,maildrop,deferred,hold,corrupt\n",
	      job->table);
	shape_levels(table);
	plot_table_print(table, job->table);
}

enum plot_result
plot_make_queues(struct plot_job *job)
{
	struct plot_table table = {0};
	struct plot_events events = job->run->operator;
	enum plot_result result =
		plot_read(job, "series.csv", queue_columns, &table);
	if (result == PLOT_READY)
		result = plot_read_deaths(job, &events);
	if (result == PLOT_READY) {
		set_queues(job, &table);
		plot_set_scale(job, "count", greatest_sum(&table));
		plot_set_number(job, "count_most", greatest_sum(&table));
		plot_set_time(job);
		plot_set_events(job, &events);
		print_queues(job, &table);
	}
	plot_table_release(&table);
	return result;
}

/* ---- rates */

/* The greatest step between two samples. */
static double
sample_step(const struct plot_table *table)
{
	double step = 0;
	for (size_t i = 1; i < table->rows; i++) {
		double d = plot_table_get(table, i, 0) -
			   plot_table_get(table, i - 1, 0);
		if (d > step)
			step = d;
	}
	return step > 0 ? step : 1;
}

/* A round bin length, of at least one sample. */
static double
bin_length(const struct plot_job *job, const struct plot_table *table)
{
	static const double lengths[] = {
		0.1, 0.2, 0.5, 1,    2,	   5,	 10,	15,    30,    60,   120,
		300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400};
	double least = sample_step(table) * 0.999;
	double span = job->run->to_s - job->run->from_s;
	if (span / BINS_MOST > least)
		least = span / BINS_MOST;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		if (lengths[i] >= least)
			return lengths[i];
	}
	return ceil(least / 86400) * 86400;
}

/*
 * Rows of running totals (column 0 the time) become rates per second over
 * bins; a bin's time is its middle. The total at the end of a bin is that of
 * the last sample in it; totals are 0 before the first sample.
 */
static void
make_rates(const struct plot_table *totals, double length,
	   struct plot_table *rates)
{
	enum {
		COLUMNS_MAX = 24
	};
	double before[COLUMNS_MAX] = {0};
	double began = 0;
	rates->columns = totals->columns;
	for (size_t i = 0; i < totals->rows; i++) {
		double at = plot_table_get(totals, i, 0);
		/* A bin is (k * length, (k + 1) * length]. */
		double bin = ceil(at / length - 1e-9);
		if (i + 1 < totals->rows &&
		    ceil(plot_table_get(totals, i + 1, 0) / length - 1e-9) ==
			    bin)
			continue;
		if (at <= began)
			continue;
		double *row = plot_table_add(rates);
		row[0] = (began + at) / 2;
		for (size_t c = 1; c < totals->columns; c++) {
			double total = plot_table_get(totals, i, c);
			row[c] = (total - before[c]) / (at - began);
			before[c] = total;
		}
		began = at;
	}
}

/*
 * rate_mul and rate_unit: what a rate is multiplied by, and its name. Where a
 * bin of so many seconds holds a few at most they are counted by the bin: one
 * attempt in two minutes is not thirty an hour. Nor are fifty in half a second
 * a hundred.
 */
static void
set_rate_unit(struct plot_job *job, double most, double bin)
{
	enum {
		FEW = 20
	};
	char text[32];
	if ((most * bin < FEW && bin > 1) || bin < 1) {
		plot_set_number(job, "rate_mul", bin);
		plot_set_text(job, "rate_unit",
			      plot_time_text(bin, text, sizeof(text)));
		return;
	}
	double factor = most >= 2 ? 1 : most >= 2.0 / 60 ? 60 : 3600;
	const char *unit = most >= 2	      ? "second"
			   : most >= 2.0 / 60 ? "minute"
					      : "hour";
	plot_set_number(job, "rate_mul", factor);
	plot_set_text(job, "rate_unit", unit);
}

static void
set_bins(struct plot_job *job, double length)
{
	char text[32];
	plot_set_number(job, "bin_s", length);
	plot_set_text(job, "bin_text",
		      plot_time_text(length, text, sizeof(text)));
}

enum plot_result
plot_make_attempts(struct plot_job *job)
{
	static const char *const columns[] = {"time_s",	   "delivered",
					      "deferrals", "bounced",
					      "?expired",  NULL};
	struct plot_table totals = {0};
	struct plot_table rates = {0};
	enum plot_result result =
		plot_read(job, "series.csv", columns, &totals);
	struct plot_events events = job->run->operator;
	if (result == PLOT_READY)
		result = plot_read_deaths(job, &events);
	if (result == PLOT_READY) {
		double length = bin_length(job, &totals);
		make_rates(&totals, length, &rates);
		set_bins(job, length);
		set_rate_unit(job, greatest_sum(&rates), length);
		plot_set_number(job, "any_deferred",
				plot_table_max(&rates, 2) > 0);
		plot_set_number(job, "any_bounced",
				plot_table_max(&rates, 3) > 0);
		plot_set_number(job, "any_expired",
				plot_table_max(&rates, 4) > 0);
		plot_set_number(job, "rate_most", greatest_sum(&rates));
		plot_set_time(job);
		plot_set_events(job, &events);
		fputs("time_s,delivered,deferrals,bounced,expired\n",
		      job->table);
		plot_table_print(&rates, job->table);
	}
	plot_table_release(&totals);
	plot_table_release(&rates);
	return result;
}

/* ---- inflow */

/*
 * One table of two kinds of rows: levels (kind 0) at their samples, and rates
 * (kind 1) at the middle of their bins; what a row has not is empty.
 */
static void
print_inflow(struct plot_job *job, struct plot_table *levels,
	     const struct plot_table *rates, double bin)
{
	shape_levels(levels);
	fputs("time_s,incoming,tokens,submitted,accepted\n", job->table);
	for (size_t i = 0; i < levels->rows; i++)
		fprintf(job->table, "%.10g,%.10g,%.10g,,\n",
			plot_table_get(levels, i, 0),
			plot_table_get(levels, i, 1),
			plot_table_get(levels, i, 2));
	for (size_t i = 0; i < rates->rows; i++)
		fprintf(job->table, "%.10g,,,%.10g,%.10g\n",
			plot_table_get(rates, i, 0),
			plot_table_get(rates, i, 1),
			plot_table_get(rates, i, 2));
	/* Steps reach to the end only if there is a row at it. */
	if (rates->rows > 0)
		fprintf(job->table, "%.10g,,,%.10g,%.10g\n",
			job->run->to_s + bin / 2,
			plot_table_get(rates, rates->rows - 1, 1),
			plot_table_get(rates, rates->rows - 1, 2));
}

/* At the start of the run in_flow_delay is 0. */
static bool
flow_is_off(const struct plot_run *run)
{
	const char *delay = plot_run_parameter(run, "in_flow_delay");
	return delay && strcmp(delay, "0s") == 0;
}

enum plot_result
plot_make_inflow(struct plot_job *job)
{
	static const char *const level_columns[] = {"time_s", "incoming",
						    "tokens", NULL};
	static const char *const total_columns[] = {"time_s", "submitted",
						    "accepted", NULL};
	struct plot_table levels = {0};
	struct plot_table totals = {0};
	struct plot_table rates = {0};
	struct plot_events events = job->run->operator;
	enum plot_result result =
		plot_read(job, "series.csv", level_columns, &levels);
	if (result == PLOT_READY)
		result = plot_read(job, "series.csv", total_columns, &totals);
	if (result == PLOT_READY) {
		double length = bin_length(job, &totals);
		double most;
		make_rates(&totals, length, &rates);
		most = plot_table_max(&rates, 1);
		if (plot_table_max(&rates, 2) > most)
			most = plot_table_max(&rates, 2);
		set_bins(job, length);
		set_rate_unit(job, most, length);
		plot_set_scale(job, "incoming", plot_table_max(&levels, 1));
		plot_set_number(job, "rate_most", most);
		plot_set_number(job, "incoming_most",
				plot_table_max(&levels, 1));
		plot_set_number(job, "tokens_most", plot_table_max(&levels, 2));
		plot_set_number(job, "flow_is_off",
				flow_is_off(job->run) &&
					plot_table_max(&levels, 2) == 0);
		plot_set_time(job);
		plot_set_events(job, &events);
		print_inflow(job, &levels, &rates, length);
	}
	plot_table_release(&levels);
	plot_table_release(&totals);
	plot_table_release(&rates);
	return result;
}

/* ---- recorded */

static const char *const recorded_names[] = {
	"incoming", "active", "deferred", "hold", "maildrop", "delivered"};
static const char *const ours_columns[] = {"time_s",	"incoming", "active",
					   "deferred",	"hold",	    "maildrop",
					   "delivered", NULL};
static const char *const theirs_columns[] = {
	"time_s",    "?incoming",  "?active", "?deferred", "?hold",
	"?maildrop", "?delivered", "?run",    NULL};

enum {
	RECORDED = 6,
	RECORDED_PANELS = 4,
	RECORDED_RUN = 7
};

/* A panel for each column that both have and one of them uses. */
static size_t
set_panels(struct plot_job *job, const struct plot_table *ours,
	   const struct plot_table *theirs)
{
	size_t panels = 0;
	char name[24];
	for (size_t c = 1; c <= RECORDED && panels < RECORDED_PANELS; c++) {
		bool there = theirs->rows > 0 &&
			     !isnan(plot_table_get(theirs, 0, c));
		double most = plot_table_max(ours, c);
		if (plot_table_max(theirs, c) > most)
			most = plot_table_max(theirs, c);
		if (!there || most == 0)
			continue;
		panels++;
		snprintf(name, sizeof(name), "panel_%zu", panels);
		plot_set_text(job, name, recorded_names[c - 1]);
		snprintf(name, sizeof(name), "panel_%zu_most", panels);
		plot_set_number(job, name, most);
	}
	plot_set_number(job, "panels", (double)panels);
	return panels;
}

/*
 * Ours has recording 0, the recorded runs count from 1 and a blank line stands
 * between two, where gnuplot lifts its pen.
 */
static void
print_recorded(struct plot_job *job, const struct plot_table *ours,
	       const struct plot_table *theirs)
{
	double run = (double)NAN;
	int number = 1;
	fputs("recording,time_s,incoming,active,deferred,hold,maildrop,"
	      "delivered\n",
	      job->table);
	for (size_t i = 0; i < ours->rows; i++) {
		fputc('0', job->table);
		for (size_t c = 0; c <= RECORDED; c++)
			fprintf(job->table, ",%.10g",
				plot_table_get(ours, i, c));
		fputc('\n', job->table);
	}
	for (size_t i = 0; i < theirs->rows; i++) {
		double now = plot_table_get(theirs, i, RECORDED_RUN);
		if (i == 0 || (!isnan(now) && now != run))
			fputc('\n', job->table);
		if (i > 0 && !isnan(now) && now != run)
			number++;
		run = now;
		fprintf(job->table, "%d", number);
		for (size_t c = 0; c <= RECORDED; c++) {
			double x = plot_table_get(theirs, i, c);
			if (isnan(x))
				fputc(',', job->table);
			else
				fprintf(job->table, ",%.10g", x);
		}
		fputc('\n', job->table);
	}
	plot_set_number(job, "recordings", number);
}

/* The axis reaches as far as the longer of the two. */
static void
set_longer_time(struct plot_job *job, const struct plot_table *theirs)
{
	struct plot_run longer = *job->run;
	const struct plot_run *run = job->run;
	double last = plot_table_max(theirs, 0);
	if (last > longer.to_s)
		longer.to_s = last;
	job->run = &longer;
	plot_set_time(job);
	job->run = run;
}

enum plot_result
plot_make_recorded(struct plot_job *job)
{
	struct plot_table ours = {0};
	struct plot_table theirs = {0};
	if (!job->run->recorded)
		return plot_why(
			job, PLOT_ABSENT,
			"%s/recorded_series.csv is missing; put a recording "
			"of the same mail there, with the columns time_s and "
			"any of incoming, active, deferred, hold, maildrop, "
			"delivered",
			job->run->dir);
	enum plot_result result =
		plot_read(job, "series.csv", ours_columns, &ours);
	if (result == PLOT_READY)
		result = plot_read_path(job, job->run->recorded, theirs_columns,
					&theirs);
	if (result == PLOT_READY && set_panels(job, &ours, &theirs) == 0)
		result = plot_why(
			job, PLOT_BAD,
			"%s: has none of the columns incoming, active, "
			"deferred, hold, maildrop, delivered, or they are 0 "
			"throughout",
			job->run->recorded);
	if (result == PLOT_READY) {
		set_longer_time(job, &theirs);
		plot_table_thin(&ours, ROWS_MOST);
		print_recorded(job, &ours, &theirs);
	}
	plot_table_release(&ours);
	plot_table_release(&theirs);
	return result;
}
