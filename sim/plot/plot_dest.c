/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One pass over destinations.csv, keeping a few numbers for each destination.
 * The table has a row only where a destination changed: what holds between two
 * rows is what the first of them says.
 */
#include "sim/plot/plot_dest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/arena.h"
#include "sim/base/folder.h"

/* Columns of destinations.csv. */
struct dest_columns {
	int time, transport, destination, state, busy, deferred, delivered;
};

static bool
find_columns(struct csv_reader *csv, struct dest_columns *columns)
{
	return csv_find(csv, "time_s", &columns->time) &&
	       csv_find(csv, "transport", &columns->transport) &&
	       csv_find(csv, "destination", &columns->destination) &&
	       csv_find(csv, "state", &columns->state) &&
	       csv_find(csv, "busy", &columns->busy) &&
	       csv_find(csv, "deferred", &columns->deferred) &&
	       csv_find(csv, "delivered", &columns->delivered);
}

void
dest_key(const char *transport, const char *name, char *key, size_t size)
{
	snprintf(key, size, "%.200s:%.380s", transport, name);
}

bool
dest_is_sum(const struct dest_story *story)
{
	return !strcmp(story->name, "(other)");
}

/* The story of the row's destination; good until the next call. */
static struct dest_story *
story_of(struct dest_stories *all, const struct csv_reader *csv,
	 const struct dest_columns *columns)
{
	const char *transport = csv_text(csv, columns->transport);
	const char *name = csv_text(csv, columns->destination);
	char key[DEST_KEY_BYTES];
	dest_key(transport, name, key, sizeof(key));
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

void
dest_release_stories(struct dest_stories *all)
{
	for (size_t i = 0; i < all->count; i++) {
		free(all->list[i].name);
		free(all->list[i].transport);
		free(all->list[i].key);
	}
	free(all->list);
	name_index_release(&all->index);
}

enum plot_result
dest_end_table(struct plot_job *job, struct csv_reader *csv)
{
	if (csv->unfinished)
		csv_fail(csv, "the file is cut off");
	csv_close(csv);
	if (csv->error[0])
		return plot_why(job, PLOT_BAD, "%s; run the scenario again",
				csv->error);
	return PLOT_READY;
}

enum plot_result
dest_read_stories(struct plot_job *job, struct dest_stories *all)
{
	struct csv_reader csv;
	struct dest_columns columns;
	char *path = folder_find(job->run->dir, "destinations.csv");
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
	return dest_end_table(job, &csv);
}

static void
add_story_events(struct plot_events *events, const struct dest_story *story)
{
	char text[100];
	if (story->deaths == 0 || dest_is_sum(story))
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
	enum plot_result result = dest_read_stories(job, &all);
	/* A picture of the queues can do without the marks. */
	if (result == PLOT_ABSENT)
		result = PLOT_READY;
	for (size_t i = 0; i < all.count; i++)
		add_story_events(events, &all.list[i]);
	dest_release_stories(&all);
	return result;
}
