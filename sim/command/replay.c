/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The scenario that a run wrote is the effective one, with the hashes of the
 * files that it names; the reader refuses it when one of them has changed.
 */
#include "sim/command/replay.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/arena.h"
#include "sim/base/exit_code.h"
#include "sim/base/folder.h"
#include "sim/base/sha256.h"

/* Is the folder's scenario the one of the run, whole? What cannot be read at
 * all is told by its reader. */
static bool
is_scenario_of(const char *dir, const char *hash)
{
	char *path = memory_print("%s/scenario.yaml", dir);
	char now[SHA256_HEX_SIZE];
	bool is_same = !sha256_file(path, now) || strcmp(now, hash) == 0;

	if (!is_same)
		fprintf(stderr,
			"mtasim: '%s' is not what the run was made from: it "
			"is cut off, or somebody has changed it; run the "
			"scenario again\n",
			path);
	free(path);
	return is_same;
}

/* End and replication of the run, from run.json. */
static bool
read_run_json(struct replay *r, const char *dir, uint32_t *replication)
{
	char *path = memory_print("%s/run.json", dir);
	json_error_t why;
	json_t *root = json_load_file(path, 0, &why);
	const json_t *end = json_object_get(root, "end_s");
	const char *hash =
		json_string_value(json_object_get(root, "scenario_sha256"));
	bool is_run = json_is_number(end);

	if (!root && why.line > 0)
		fprintf(stderr,
			"mtasim: '%s' is no results folder of a run: "
			"%s:%d:%d: %s\n",
			dir, path, why.line, why.column, why.text);
	else if (!root)
		fprintf(stderr,
			"mtasim: '%s' is no results folder of a run: %s\n", dir,
			why.text);
	else if (!is_run)
		fprintf(stderr,
			"mtasim: '%s' has no number end_s; run the "
			"scenario again\n",
			path);
	if (is_run && hash)
		is_run = is_scenario_of(dir, hash);
	if (is_run) {
		r->end_us = llround(json_number_value(end) * 1e6);
		*replication = (uint32_t)json_integer_value(
			json_object_get(root, "replication"));
	}
	json_decref(root);
	free(path);
	return is_run;
}

static bool
read_scenario(struct replay *r, const char *dir)
{
	char *path = memory_print("%s/scenario.yaml", dir);
	struct complaints complaints = {0};

	r->scenario = scenario_read_file(path, NULL, &complaints);
	complaints_print(&complaints, stderr);
	complaints_release(&complaints);
	free(path);
	return r->scenario != NULL;
}

int
replay_open(struct replay *r, const char *dir)
{
	struct world_options options = {0};

	*r = (struct replay){0};
	if (!read_run_json(r, dir, &options.replication) ||
	    !read_scenario(r, dir))
		return EXIT_CODE_INVALID;
	options.seed = (uint64_t)r->scenario->seed;
	r->has_world = true;
	if (world_init(&r->world, r->scenario, &options) &&
	    world_start(&r->world, &options))
		return EXIT_CODE_OK;
	fprintf(stderr, "%s\n", options.error);
	return EXIT_CODE_INVALID;
}

void
replay_until(struct replay *r, int64_t at_us)
{
	struct mta_agenda *agenda = &r->world.agenda;
	struct mta_due due = mta_agenda_next(agenda);

	while (due.at <= world_time(at_us)) {
		mta_agenda_step(due);
		due = mta_agenda_next(agenda);
	}
	/* Who looks now looks at this instant, not at the last event. */
	if (world_host(&r->world)->loop->now < world_time(at_us))
		world_host(&r->world)->loop->now = world_time(at_us);
}

void
replay_close(struct replay *r)
{
	if (r->has_world)
		world_release(&r->world);
	if (r->scenario)
		scenario_free(r->scenario);
}
