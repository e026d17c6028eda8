/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The picture of windows: a few destinations, each with its window and the
 * deliveries under way over time.
 *
 * destinations.csv is read twice: for the stories, to choose by, and for the
 * rows of those that were chosen. A destination that is idle is forgotten; it
 * then has no window, which is not a window of 0, and nothing is drawn.
 * feedback.csv, where it was written, has what the window did between samples.
 *
 * Where there are more rows than a panel has room for, its time is cut into
 * slices: of the window the mean, the least and the greatest, of the
 * deliveries the mean and the greatest, weighted by time.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/arena.h"
#include "sim/base/folder.h"
#include "sim/plot/plot_dest.h"

enum {
	PANELS_MOST = 6,
	PANELS_TEXT = 2,
	SLICES = 240
};

/* The busiest first; by name where that is equal; the sum of others last. */
static int
compare_busy(const void *left, const void *right)
{
	const struct dest_story *a = left;
	const struct dest_story *b = right;
	if (dest_is_sum(a) != dest_is_sum(b))
		return dest_is_sum(a) ? 1 : -1;
	if (a->busy_s != b->busy_s)
		return a->busy_s > b->busy_s ? -1 : 1;
	return strcmp(a->key, b->key);
}

static int
compare_deaths(const void *left, const void *right)
{
	const struct dest_story *a = left;
	const struct dest_story *b = right;
	if (dest_is_sum(a) != dest_is_sum(b))
		return dest_is_sum(a) ? 1 : -1;
	if ((a->deaths > 0) != (b->deaths > 0))
		return a->deaths > 0 ? -1 : 1;
	if (a->deferred_most != b->deferred_most)
		return a->deferred_most > b->deferred_most ? -1 : 1;
	return compare_busy(left, right);
}

/*
 * The destinations worth a panel: a third of the panels for those that died,
 * by the mail that waits for them, the others for the busiest. The first
 * `wanted` of `order` are then they, the busiest first.
 */
static void
choose(struct dest_story *order, size_t count, size_t wanted)
{
	size_t deaths = 0;
	if (!order)
		return; /* no destinations at all */
	qsort(order, count, sizeof(*order), compare_deaths);
	while (deaths < count && deaths < (wanted + 2) / 3 &&
	       order[deaths].deaths > 0)
		deaths++;
	qsort(order + deaths, count - deaths, sizeof(*order), compare_busy);
	qsort(order, wanted, sizeof(*order), compare_busy);
}

/* Rows of one panel as read; the window is NaN where there is none. What says
 * whether the destination is dead is its state, or an event. */
enum {
	PANEL_TIME,
	PANEL_WINDOW,
	PANEL_BUSY,
	PANEL_DEAD,
	PANEL_COLUMNS
};

static const double *
row_of(const struct plot_table *panel, size_t row)
{
	return panel->cells + row * panel->columns;
}

static bool
read_panel_row(struct csv_reader *csv, const int *columns, double *row)
{
	bool dead = !strcmp(csv_text(csv, columns[PANEL_DEAD]), "dead");
	row[PANEL_DEAD] = dead;
	if (!csv_double(csv, columns[PANEL_TIME], &row[PANEL_TIME]) ||
	    !csv_double(csv, columns[PANEL_WINDOW], &row[PANEL_WINDOW]) ||
	    (columns[PANEL_BUSY] >= 0 &&
	     !csv_double(csv, columns[PANEL_BUSY], &row[PANEL_BUSY])))
		return false;
	if (row[PANEL_WINDOW] == 0 && !dead)
		row[PANEL_WINDOW] = (double)NAN;
	return true;
}

/* Where the columns of a row of destinations.csv are. */
static bool
find_panel_columns(struct csv_reader *csv, int *columns)
{
	static const char *const names[PANEL_COLUMNS] = {
		[PANEL_TIME] = "time_s",
		[PANEL_WINDOW] = "window",
		[PANEL_BUSY] = "busy",
		[PANEL_DEAD] = "state",
	};
	for (size_t c = 0; c < PANEL_COLUMNS; c++) {
		if (!csv_find(csv, names[c], &columns[c]))
			return false;
	}
	return true;
}

/* What a change of the window says; of deliveries under way it says nothing. */
static bool
find_change_columns(struct csv_reader *csv, int *columns)
{
	columns[PANEL_BUSY] = -1;
	return csv_find(csv, "time_s", &columns[PANEL_TIME]) &&
	       csv_find(csv, "window", &columns[PANEL_WINDOW]) &&
	       csv_find(csv, "event", &columns[PANEL_DEAD]);
}

/* Rows of a table that has the columns transport and destination, each into
 * that of its destination. */
static enum plot_result
read_rows(struct plot_job *job, const char *path,
	  bool find(struct csv_reader *, int *), const struct dest_story *order,
	  size_t count, struct plot_table *panels)
{
	struct name_index index = {0};
	struct csv_reader csv;
	int transport, name;
	int columns[PANEL_COLUMNS];
	char key[DEST_KEY_BYTES];
	for (size_t i = 0; i < count; i++)
		name_index_add(&index, order[i].key, i);
	bool good = csv_open(&csv, path) &&
		    csv_find(&csv, "transport", &transport) &&
		    csv_find(&csv, "destination", &name) && find(&csv, columns);
	while (good && csv_next(&csv)) {
		dest_key(csv_text(&csv, transport), csv_text(&csv, name), key,
			 sizeof(key));
		size_t at = name_index_get(&index, key, SIZE_MAX);
		if (at != SIZE_MAX)
			good = read_panel_row(&csv, columns,
					      plot_table_add(&panels[at]));
	}
	name_index_release(&index);
	return dest_end_table(job, &csv);
}

/* Let samples and changes stand in one table, in order of time. A change comes
 * before the sample of its instant; deliveries under way are those of the
 * sample before. */
static void
merge_changes(struct plot_table *samples, const struct plot_table *changes)
{
	struct plot_table both = {.columns = PANEL_COLUMNS};
	size_t i = 0;
	double busy = 0;
	for (size_t k = 0; i < samples->rows || k < changes->rows;) {
		double *row = plot_table_add(&both);
		bool is_change =
			k < changes->rows &&
			(i == samples->rows ||
			 plot_table_get(changes, k, PANEL_TIME) <=
				 plot_table_get(samples, i, PANEL_TIME));
		memcpy(row,
		       is_change ? row_of(changes, k++) : row_of(samples, i++),
		       PANEL_COLUMNS * sizeof(double));
		if (is_change)
			row[PANEL_BUSY] = busy;
		busy = row[PANEL_BUSY];
	}
	plot_table_release(samples);
	*samples = both;
}

static enum plot_result
add_changes(struct plot_job *job, const char *path,
	    const struct dest_story *order, size_t count,
	    struct plot_table *panels)
{
	struct plot_table changes[PANELS_MOST] = {0};
	for (size_t i = 0; i < count; i++)
		changes[i].columns = PANEL_COLUMNS;
	enum plot_result result = read_rows(job, path, find_change_columns,
					    order, count, changes);
	for (size_t i = 0; i < count; i++) {
		if (result == PLOT_READY && changes[i].rows > 0)
			merge_changes(&panels[i], &changes[i]);
		plot_table_release(&changes[i]);
	}
	return result;
}

static enum plot_result
read_panels(struct plot_job *job, const struct dest_story *order, size_t count,
	    struct plot_table *panels)
{
	char *path = folder_find(job->run->dir, "destinations.csv");
	enum plot_result result =
		read_rows(job, path ? path : "", find_panel_columns, order,
			  count, panels);
	free(path);
	path = folder_find(job->run->dir, "feedback.csv");
	if (path && result == PLOT_READY)
		result = add_changes(job, path, order, count, panels);
	free(path);
	return result;
}

/* A stretch of time of one panel, as it is drawn. */
struct slice {
	double from;
	double to;
	double window_s; /* integral of the window where there was one */
	double known_s;	 /* time in which there was one */
	double low;	 /* of the window */
	double high;
	double busy_s; /* integral of the deliveries under way */
	double busy_most;
	bool dead; /* at any time */
};

static struct slice
make_slice(double from, double to)
{
	return (struct slice){
		.from = from,
		.to = to,
		.low = HUGE_VAL,
		.high = -HUGE_VAL,
	};
}

/* Let a row that holds from..to count where it meets the slice. */
static void
slice_add(struct slice *slice, const double *row, double from, double to)
{
	double length = fmin(to, slice->to) - fmax(from, slice->from);
	if (length <= 0)
		return;
	slice->busy_s += row[PANEL_BUSY] * length;
	slice->busy_most = fmax(slice->busy_most, row[PANEL_BUSY]);
	slice->dead |= row[PANEL_DEAD] > 0;
	if (isnan(row[PANEL_WINDOW]))
		return;
	slice->window_s += row[PANEL_WINDOW] * length;
	slice->known_s += length;
	slice->low = fmin(slice->low, row[PANEL_WINDOW]);
	slice->high = fmax(slice->high, row[PANEL_WINDOW]);
}

/* When the row after this one takes over. */
static double
row_end(const struct plot_job *job, const struct plot_table *panel, size_t row)
{
	return row + 1 < panel->rows
		       ? plot_table_get(panel, row + 1, PANEL_TIME)
		       : job->run->to_s;
}

static size_t
slices_of_rows(const struct plot_job *job, const struct plot_table *panel,
	       struct slice *slices)
{
	size_t count = 0;
	for (size_t i = 0; i < panel->rows; i++) {
		double from = plot_table_get(panel, i, PANEL_TIME);
		double to = row_end(job, panel, i);
		if (to <= from)
			continue;
		slices[count] = make_slice(from, to);
		slice_add(&slices[count++], row_of(panel, i), from, to);
	}
	return count;
}

static size_t
slices_of_time(const struct plot_job *job, const struct plot_table *panel,
	       struct slice *slices)
{
	double start = job->run->from_s;
	double length = (job->run->to_s - start) / SLICES;
	for (size_t k = 0; k < SLICES; k++)
		slices[k] = make_slice(start + length * (double)k,
				       start + length * (double)(k + 1));
	for (size_t i = 0; i < panel->rows; i++) {
		double from = plot_table_get(panel, i, PANEL_TIME);
		double to = row_end(job, panel, i);
		double first = fmax(0, floor((from - start) / length));
		for (size_t k = (size_t)first;
		     k < SLICES && slices[k].from < to; k++)
			slice_add(&slices[k], row_of(panel, i), from, to);
	}
	return SLICES;
}

/* Print what a slice says as the row from..its end. */
static void
print_slice(FILE *out, size_t number, const struct slice *slice, double from)
{
	double length = slice->to - slice->from;
	fprintf(out, "%zu,%.10g,%.10g,", number, from, slice->to);
	/* gnuplot lifts its pen at a NaN, and not at an empty field. */
	if (slice->known_s > 0)
		fprintf(out, "%.6g,%.10g,%.10g,",
			slice->window_s / slice->known_s, slice->low,
			slice->high);
	else
		fputs("NaN,NaN,NaN,", out);
	fprintf(out, "%.6g,%.10g,%d\n", slice->busy_s / length,
		slice->busy_most, slice->dead);
}

static void
set_panel(struct plot_job *job, size_t number, const struct dest_story *story,
	  const struct plot_table *panel)
{
	char name[32];
	char text[300];
	double most = fmax(plot_table_max(panel, PANEL_WINDOW),
			   plot_table_max(panel, PANEL_BUSY));
	snprintf(name, sizeof(name), "panel_%zu", number);
	snprintf(text, sizeof(text), "%.100s  (%.40s)", story->name,
		 story->transport);
	plot_set_text(job, name, text);
	snprintf(name, sizeof(name), "panel_%zu_most", number);
	plot_set_number(job, name, most);
}

/* True if slices stand for more than one row. */
static bool
print_panel(struct plot_job *job, size_t number, const struct plot_table *panel)
{
	struct slice slices[SLICES];
	bool sliced = panel->rows > SLICES;
	size_t count = sliced ? slices_of_time(job, panel, slices)
			      : slices_of_rows(job, panel, slices);
	for (size_t i = 0; i < count; i++)
		print_slice(job->table, number, &slices[i], slices[i].from);
	/* Areas and steps reach to the end only if there is a row at it. */
	if (count > 0)
		print_slice(job->table, number, &slices[count - 1],
			    slices[count - 1].to);
	return sliced;
}

static bool
any_dead(struct dest_story *order, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (order[i].deaths > 0)
			return true;
	}
	return false;
}

static void
print_panels(struct plot_job *job, struct dest_story *order, size_t count,
	     struct plot_table *panels)
{
	bool any_range = false;
	plot_set_time(job);
	plot_set_number(job, "any_dead", any_dead(order, count));
	plot_set_number(job, "panels", (double)count);
	fputs("panel,time_s,end_s,window,window_low,window_high,busy,busy_most,"
	      "dead\n",
	      job->table);
	for (size_t i = 0; i < count; i++) {
		set_panel(job, i + 1, &order[i], &panels[i]);
		any_range |= print_panel(job, i + 1, &panels[i]);
	}
	plot_set_number(job, "any_range", any_range);
}

static enum plot_result
make_panels(struct plot_job *job, struct dest_story *order, size_t count)
{
	struct plot_table panels[PANELS_MOST] = {0};
	for (size_t i = 0; i < count; i++)
		panels[i].columns = PANEL_COLUMNS;
	enum plot_result result = read_panels(job, order, count, panels);
	if (result == PLOT_READY)
		print_panels(job, order, count, panels);
	for (size_t i = 0; i < count; i++)
		plot_table_release(&panels[i]);
	return result;
}

enum plot_result
plot_make_window(struct plot_job *job)
{
	struct dest_stories all = {0};
	enum plot_result result = dest_read_stories(job, &all);
	size_t count = 0;
	for (size_t i = 0; i < all.count; i++)
		count += !dest_is_sum(&all.list[i]);
	size_t wanted = job->text ? PANELS_TEXT : PANELS_MOST;
	if (count < wanted)
		wanted = count;
	if (result == PLOT_READY && count == 0)
		result = plot_why(
			job, PLOT_ABSENT,
			"%s/destinations.csv has no rows: nothing was sent to "
			"any destination",
			job->run->dir);
	if (result == PLOT_READY) {
		/* Where the table has a sum, it does not say of how many. */
		plot_set_number(job, "destinations",
				count < all.count ? 0 : (double)count);
		choose(all.list, all.count, wanted);
		result = make_panels(job, all.list, wanted);
	}
	dest_release_stories(&all);
	return result;
}
