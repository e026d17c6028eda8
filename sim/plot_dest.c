/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pictures from destinations.csv: windows and busy deliveries of a few
 * destinations, and the deaths that other pictures mark.
 *
 * The table has a row only where a destination changed, and may have hundreds
 * of destinations, so it is read twice: once to learn what each of them did,
 * once more for the rows of the few that are drawn. What a row does not say is
 * as it was in the row before.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/arena.h"
#include "sim/csv_read.h"
#include "sim/name_index.h"
#include "sim/plot_job.h"

enum {
	PANELS_MOST = 6,
	PANELS_TEXT = 2,
	ROWS_MOST = 600
};

/* What one destination did. */
struct dest_story {
	char *name;	 /* owned; of the destination */
	char *transport; /* owned */
	char *key;	 /* owned; both, as the index knows it */
	double at_s;	 /* of the last row */
	double busy;	 /* of the last row */
	double busy_s;	 /* integral of busy: what it took of the agents */
	double deferred_most;
	double delivered; /* of the last row */
	bool dead;	  /* now */
	long deaths;
	double died_s;	       /* first death */
	double back_s;	       /* return that lasted so far; NaN: none */
	double back_delivered; /* when it returned */
};

struct dest_stories {
	struct dest_story *list; /* owned */
	size_t count;
	size_t room;
	struct name_index index;
};

/* Columns of destinations.csv. */
struct dest_columns {
	int time, transport, destination, state, window, busy, deferred,
		delivered;
};

static bool
find_columns(struct csv_reader *csv, struct dest_columns *columns)
{
	return csv_find(csv, "time_s", &columns->time) &&
	       csv_find(csv, "transport", &columns->transport) &&
	       csv_find(csv, "destination", &columns->destination) &&
	       csv_find(csv, "state", &columns->state) &&
	       csv_find(csv, "window", &columns->window) &&
	       csv_find(csv, "busy", &columns->busy) &&
	       csv_find(csv, "deferred", &columns->deferred) &&
	       csv_find(csv, "delivered", &columns->delivered);
}

/* The story of the row's destination; good until the next call. */
static struct dest_story *
story_of(struct dest_stories *all, const struct csv_reader *csv,
	 const struct dest_columns *columns)
{
	const char *transport = csv_text(csv, columns->transport);
	const char *name = csv_text(csv, columns->destination);
	char key[600];
	snprintf(key, sizeof(key), "%.200s:%.380s", transport, name);
	size_t at = name_index_get(&all->index, key, SIZE_MAX);
	if (at != SIZE_MAX)
		return &all->list[at];
	if (all->count == all->room) {
		all->room = all->room ? all->room * 2 : 64;
		all->list =
			memory_resize(all->list, all->room, sizeof(*all->list));
	}
	struct dest_story *story = &all->list[all->count];
	*story = (struct dest_story){
		.name = memory_text(name),
		.transport = memory_text(transport),
		.key = memory_text(key),
		.died_s = (double)NAN,
		.back_s = (double)NAN,
	};
	name_index_add(&all->index, story->key, all->count);
	all->count++;
	return story;
}

/*
 * A return counts when something was delivered before the next death: a dead
 * destination that is tried and fails again has not come back.
 */
static void
tell_state(struct dest_story *story, double at, bool dead)
{
	if (dead && !story->dead) {
		if (story->deaths++ == 0)
			story->died_s = at;
		story->back_s = (double)NAN;
	} else if (!dead && story->dead) {
		story->back_s = at;
		story->back_delivered = story->delivered;
	}
	story->dead = dead;
}

static bool
tell_row(struct dest_stories *all, struct csv_reader *csv,
	 const struct dest_columns *columns)
{
	double at, busy, deferred, delivered;
	if (!csv_double(csv, columns->time, &at) ||
	    !csv_double(csv, columns->busy, &busy) ||
	    !csv_double(csv, columns->deferred, &deferred) ||
	    !csv_double(csv, columns->delivered, &delivered))
		return false;
	struct dest_story *story = story_of(all, csv, columns);
	story->busy_s += story->busy * (at - story->at_s);
	story->at_s = at;
	story->busy = busy;
	if (deferred > story->deferred_most)
		story->deferred_most = deferred;
	tell_state(story, at, !strcmp(csv_text(csv, columns->state), "dead"));
	story->delivered = delivered;
	return true;
}

static void
release_stories(struct dest_stories *all)
{
	for (size_t i = 0; i < all->count; i++) {
		free(all->list[i].name);
		free(all->list[i].transport);
		free(all->list[i].key);
	}
	free(all->list);
	name_index_release(&all->index);
}

/* End of a table of ours: an unfinished line means that it was cut off. */
static enum plot_result
end_table(struct plot_job *job, struct csv_reader *csv)
{
	if (csv->unfinished)
		csv_fail(csv, "the file is cut off");
	csv_close(csv);
	if (csv->error[0])
		return plot_why(job, PLOT_BAD, "%s; run the scenario again",
				csv->error);
	return PLOT_READY;
}

static enum plot_result
read_stories(struct plot_job *job, struct dest_stories *all)
{
	struct csv_reader csv;
	struct dest_columns columns;
	char *path = plot_find(job->run->dir, "destinations.csv");
	if (!path)
		return plot_why(
			job, PLOT_ABSENT,
			"%s/destinations.csv is missing; run the scenario "
			"again",
			job->run->dir);
	if (csv_open(&csv, path) && find_columns(&csv, &columns)) {
		while (csv_next(&csv) && tell_row(all, &csv, &columns))
			continue;
	}
	free(path);
	for (size_t i = 0; i < all->count; i++) {
		struct dest_story *story = &all->list[i];
		story->busy_s += story->busy * (job->run->to_s - story->at_s);
	}
	return end_table(job, &csv);
}

static void
add_story_events(struct plot_events *events, const struct dest_story *story)
{
	char text[100];
	if (story->deaths == 0)
		return;
	if (story->deaths > 1)
		snprintf(text, sizeof(text), "%.48s dead (%ld times)",
			 story->name, story->deaths);
	else
		snprintf(text, sizeof(text), "%.60s dead", story->name);
	plot_events_add(events, story->died_s, story->deferred_most, text);
	snprintf(text, sizeof(text), "%.60s back", story->name);
	/* Revived at the very end, and nothing delivered since, is no return.
	 */
	if (!isnan(story->back_s) && story->delivered > story->back_delivered)
		plot_events_add(events, story->back_s, story->deferred_most,
				text);
}

enum plot_result
plot_read_deaths(struct plot_job *job, struct plot_events *events)
{
	struct dest_stories all = {0};
	enum plot_result result = read_stories(job, &all);
	/* A picture of the queues can do without the marks. */
	if (result == PLOT_ABSENT)
		result = PLOT_READY;
	for (size_t i = 0; i < all.count; i++)
		add_story_events(events, &all.list[i]);
	release_stories(&all);
	return result;
}

/* ---- window */

static bool
is_sum(const struct dest_story *story)
{
	return !strcmp(story->name, "(other)");
}

/* The busiest first; by name where that is equal; the sum of others last. */
static int
compare_busy(const void *left, const void *right)
{
	const struct dest_story *a = left;
	const struct dest_story *b = right;
	if (is_sum(a) != is_sum(b))
		return is_sum(a) ? 1 : -1;
	if (a->busy_s != b->busy_s)
		return a->busy_s > b->busy_s ? -1 : 1;
	return strcmp(a->key, b->key);
}

static int
compare_deaths(const void *left, const void *right)
{
	const struct dest_story *a = left;
	const struct dest_story *b = right;
	if (is_sum(a) != is_sum(b))
		return is_sum(a) ? 1 : -1;
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

/* Rows of one panel: time, window, busy, dead. */
enum {
	PANEL_TIME,
	PANEL_WINDOW,
	PANEL_BUSY,
	PANEL_DEAD,
	PANEL_COLUMNS
};

static enum plot_result
read_panels(struct plot_job *job, struct dest_story *order, size_t count,
	    struct plot_table *panels)
{
	struct name_index index = {0};
	struct csv_reader csv;
	struct dest_columns columns;
	char key[600];
	for (size_t i = 0; i < count; i++)
		name_index_add(&index, order[i].key, i);
	char *path = plot_find(job->run->dir, "destinations.csv");
	bool good = csv_open(&csv, path) && find_columns(&csv, &columns);
	while (good && csv_next(&csv)) {
		snprintf(key, sizeof(key), "%.200s:%.380s",
			 csv_text(&csv, columns.transport),
			 csv_text(&csv, columns.destination));
		size_t at = name_index_get(&index, key, SIZE_MAX);
		if (at == SIZE_MAX)
			continue;
		double *row = plot_table_add(&panels[at]);
		bool dead = !strcmp(csv_text(&csv, columns.state), "dead");
		row[PANEL_DEAD] = dead;
		good = csv_double(&csv, columns.time, &row[PANEL_TIME]) &&
		       csv_double(&csv, columns.window, &row[PANEL_WINDOW]) &&
		       csv_double(&csv, columns.busy, &row[PANEL_BUSY]);
	}
	free(path);
	name_index_release(&index);
	return end_table(job, &csv);
}

/* A last row at the end of the run, as the row before says. */
static void
extend_to_end(struct plot_table *panel, double to_s)
{
	double last[PANEL_COLUMNS];
	if (panel->rows == 0)
		return;
	for (size_t c = 0; c < PANEL_COLUMNS; c++)
		last[c] = plot_table_get(panel, panel->rows - 1, c);
	double *row = plot_table_add(panel);
	memcpy(row, last, sizeof(last));
	row[PANEL_TIME] = to_s;
}

static void
print_panel(struct plot_job *job, size_t number, const struct dest_story *story,
	    struct plot_table *panel)
{
	char name[32];
	char text[300];
	extend_to_end(panel, job->run->to_s);
	plot_table_thin(panel, ROWS_MOST);
	double most = plot_table_max(panel, PANEL_WINDOW);
	if (plot_table_max(panel, PANEL_BUSY) > most)
		most = plot_table_max(panel, PANEL_BUSY);
	snprintf(name, sizeof(name), "panel_%zu", number);
	snprintf(text, sizeof(text), "%.100s  (%.40s)", story->name,
		 story->transport);
	plot_set_text(job, name, text);
	snprintf(name, sizeof(name), "panel_%zu_most", number);
	plot_set_number(job, name, most);
	for (size_t i = 0; i < panel->rows; i++)
		fprintf(job->table, "%zu,%.10g,%.10g,%.10g,%.10g\n", number,
			plot_table_get(panel, i, PANEL_TIME),
			plot_table_get(panel, i, PANEL_WINDOW),
			plot_table_get(panel, i, PANEL_BUSY),
			plot_table_get(panel, i, PANEL_DEAD));
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

static enum plot_result
make_panels(struct plot_job *job, struct dest_story *order, size_t count,
	    size_t total)
{
	struct plot_table panels[PANELS_MOST] = {0};
	for (size_t i = 0; i < count; i++)
		panels[i].columns = PANEL_COLUMNS;
	enum plot_result result = read_panels(job, order, count, panels);
	if (result == PLOT_READY) {
		plot_set_time(job);
		plot_set_number(job, "any_dead", any_dead(order, count));
		plot_set_number(job, "panels", (double)count);
		plot_set_number(job, "destinations", (double)total);
		fputs("panel,time_s,window,busy,dead\n", job->table);
		for (size_t i = 0; i < count; i++)
			print_panel(job, i + 1, &order[i], &panels[i]);
	}
	for (size_t i = 0; i < count; i++)
		plot_table_release(&panels[i]);
	return result;
}

enum plot_result
plot_make_window(struct plot_job *job)
{
	struct dest_stories all = {0};
	enum plot_result result = read_stories(job, &all);
	size_t count = 0;
	for (size_t i = 0; i < all.count; i++) {
		if (!is_sum(&all.list[i]))
			count++;
	}
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
		choose(all.list, all.count, wanted);
		result = make_panels(job, all.list, wanted, count);
	}
	release_stories(&all);
	return result;
}
