/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The results folder as pictures see it: name and seed from run.json, what the
 * operator did, how far the samples reach. Reads; writes nothing.
 *
 * A file that is packed by gzip is taken where the plain one is missing: a
 * folder that was put away can still be drawn.
 */
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/base/arena.h"
#include "sim/base/csv_read.h"
#include "sim/base/exit_code.h"
#include "sim/base/folder.h"
#include "sim/plot/plot_job.h"

enum plot_result
plot_why(struct plot_job *job, enum plot_result result, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(job->why, sizeof(job->why), format, arguments);
	va_end(arguments);
	return result;
}

/* Where the columns are; -1 for one that may be missing and is. */
static bool
find_columns(struct csv_reader *csv, const char *const *names, int *columns)
{
	for (size_t i = 0; names[i]; i++) {
		if (names[i][0] == '?')
			columns[i] = csv_column(csv, names[i] + 1);
		else if (!csv_find(csv, names[i], &columns[i]))
			return false;
	}
	return true;
}

static void
read_rows(struct csv_reader *csv, const int *columns, struct plot_table *table)
{
	while (csv_next(csv)) {
		double *row = plot_table_add(table);
		for (size_t i = 0; i < table->columns; i++) {
			if (columns[i] >= 0 && *csv_text(csv, columns[i]))
				csv_double(csv, columns[i], &row[i]);
		}
		/* Half a row is none. */
		if (csv->error[0])
			table->rows--;
	}
	if (csv->unfinished)
		csv_fail(csv, "the file is cut off");
}

enum plot_result
plot_read_path(struct plot_job *job, const char *path, const char *const *names,
	       struct plot_table *table)
{
	enum {
		COLUMNS_MAX = 24
	};
	int columns[COLUMNS_MAX];
	struct csv_reader csv;
	while (names[table->columns])
		table->columns++;
	if (csv_open(&csv, path) && find_columns(&csv, names, columns))
		read_rows(&csv, columns, table);
	csv_close(&csv);
	if (csv.error[0])
		return plot_why(job, PLOT_BAD, "%s; run the scenario again",
				csv.error);
	return PLOT_READY;
}

enum plot_result
plot_read(struct plot_job *job, const char *file, const char *const *names,
	  struct plot_table *table)
{
	char *path = folder_find(job->run->dir, file);
	if (!path)
		return plot_why(job, PLOT_ABSENT,
				"%s/%s is missing; run the scenario again",
				job->run->dir, file);
	enum plot_result result = plot_read_path(job, path, names, table);
	free(path);
	return result;
}

/* run.json's list of what the operator did: at_s and text. */
static void
read_operator(struct plot_run *run, const json_t *tree)
{
	const json_t *list = json_object_get(tree, "operator");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *entry = json_array_get(list, i);
		const json_t *at = json_object_get(entry, "at_s");
		const char *text =
			json_string_value(json_object_get(entry, "text"));
		if (json_is_number(at) && text)
			plot_events_add(&run->operator, json_number_value(at),
					1e300, text);
	}
}

const char *
plot_run_parameter(const struct plot_run *run, const char *name)
{
	return json_string_value(json_object_get(run->parameters, name));
}

static int
read_run_json(struct plot_run *run, const char *path)
{
	json_error_t error;
	json_t *tree = json_load_file(path, 0, &error);
	if (!tree) {
		if (error.line < 0)
			fprintf(stderr, "mtasim: %s: %s\n", path, error.text);
		else
			fprintf(stderr, "mtasim: %s:%d:%d: %s\n", path,
				error.line, error.column, error.text);
		fprintf(stderr, "run the scenario again\n");
		return EXIT_CODE_INVALID;
	}
	const char *name = json_string_value(json_object_get(tree, "scenario"));
	run->scenario = memory_text(name ? name : "");
	run->seed = json_integer_value(json_object_get(tree, "seed"));
	run->partial = json_is_true(json_object_get(tree, "partial"));
	run->warmup_s = json_number_value(json_object_get(tree, "warmup_s"));
	run->parameters = json_incref(json_object_get(tree, "parameters"));
	read_operator(run, tree);
	json_decref(tree);
	if (name)
		return 0;
	fprintf(stderr,
		"mtasim: %s: names no scenario; is it the run.json of "
		"a run?\n",
		path);
	return EXIT_CODE_INVALID;
}

/* The ends of the time axis. */
static int
read_times(struct plot_run *run)
{
	static const char *const names[] = {"time_s", NULL};
	struct plot_job job = {.run = run};
	struct plot_table times = {0};
	enum plot_result result = plot_read(&job, "series.csv", names, &times);
	run->from_s = 0;
	run->to_s = 1;
	if (times.rows > 0) {
		run->from_s = plot_table_get(&times, 0, 0);
		run->to_s = plot_table_get(&times, times.rows - 1, 0);
	}
	/* A first sample a little after 0 is no reason to start there. */
	if (run->from_s > 0 && run->from_s < 0.02 * run->to_s)
		run->from_s = 0;
	if (!(run->to_s > run->from_s))
		run->to_s = run->from_s + 1;
	plot_table_release(&times);
	/* What is bad is said by the pictures that need the file. */
	return result == PLOT_READY || job.why[0] ? EXIT_CODE_OK
						  : EXIT_CODE_INTERNAL;
}

static void
find_recorded(struct plot_run *run)
{
	run->recorded = folder_find(run->dir, "recorded_series.csv");
	if (run->recorded || strchr(run->scenario, '/'))
		return;
	char *name = memory_print("%s/recorded_series.csv", run->scenario);
	run->recorded = plot_shipped("scenarios", name);
	free(name);
}

int
plot_run_read(struct plot_run *run, const char *dir)
{
	struct stat status;
	*run = (struct plot_run){.dir = dir};
	if (stat(dir, &status) != 0 || !S_ISDIR(status.st_mode)) {
		fprintf(stderr,
			"mtasim: %s: there is no such folder; `mtasim run "
			"SCENARIO` makes runs/NAME\n",
			dir);
		return EXIT_CODE_INVALID;
	}
	char *path = folder_find(dir, "run.json");
	if (!path) {
		fprintf(stderr,
			"mtasim: %s: holds no run.json, so it is not the "
			"results of a run; `mtasim run SCENARIO --out %s` "
			"makes one\n",
			dir, dir);
		return EXIT_CODE_INVALID;
	}
	int code = read_run_json(run, path);
	free(path);
	if (code == 0)
		code = read_times(run);
	if (code == 0)
		find_recorded(run);
	return code;
}

void
plot_run_release(struct plot_run *run)
{
	free(run->scenario);
	free(run->recorded);
	json_decref(run->parameters);
	run->scenario = run->recorded = NULL;
	run->parameters = NULL;
}
