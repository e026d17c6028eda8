/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What run.json tells, and the command. Numbers of run.json are compared as
 * they are written: both sides come from the same writer.
 */
#include "sim/command/diff.h"

#include <getopt.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/csv_read.h"
#include "sim/base/exit_code.h"
#include "sim/base/folder.h"
#include "sim/command/commands.h"
#include "sim/command/options.h"
#include "sim/results/results.h"

int
diff_fail(struct diff *d, const char *format, ...)
{
	va_list arguments;

	if (!d->error[0]) {
		va_start(arguments, format);
		vsnprintf(d->error, sizeof(d->error), format, arguments);
		va_end(arguments);
	}
	return EXIT_CODE_INVALID;
}

/* ---- tables
 * ------------------------------------------------------------------- */

static bool
open_one(const char *dir, const char *name, struct csv_reader *csv,
	 bool *is_there)
{
	char *path = folder_find(dir, name);
	bool is_open;

	*csv = (struct csv_reader){0};
	*is_there = path != NULL;
	is_open = *is_there && csv_open(csv, path);
	free(path);
	return is_open;
}

static bool
have_same_columns(const struct csv_reader csv[2])
{
	if (csv[0].columns != csv[1].columns)
		return false;
	for (int i = 0; i < (int)csv[0].columns; i++) {
		if (strcmp(csv_name(&csv[0], i), csv_name(&csv[1], i)) != 0)
			return false;
	}
	return true;
}

enum diff_table
diff_open(struct diff *d, const char *name, struct csv_reader csv[2])
{
	bool is_there[2];
	bool is_open[2];

	for (int i = 0; i < 2; i++)
		is_open[i] = open_one(d->dirs[i], name, &csv[i], &is_there[i]);
	for (int i = 0; i < 2; i++) {
		if (is_there[i] && !is_open[i])
			diff_fail(d, "%s", csv[i].error);
	}
	if (!d->error[0] && is_open[0] && is_open[1]) {
		if (have_same_columns(csv))
			return DIFF_TABLE_BOTH;
		diff_fail(d, "%s: the columns are not those of '%s'",
			  csv[0].path, csv[1].path);
	}
	for (int i = 0; i < 2; i++)
		csv_close(&csv[i]);
	if (d->error[0])
		return DIFF_TABLE_BAD;
	if (!is_there[0] && !is_there[1])
		return DIFF_TABLE_NONE;
	fprintf(d->out, "note: only '%s' has %s\n", d->dirs[is_there[1]], name);
	return DIFF_TABLE_ONE;
}

int
diff_close(struct diff *d, struct csv_reader csv[2])
{
	for (int i = 0; i < 2; i++) {
		if (csv[i].error[0])
			diff_fail(d, "%s", csv[i].error);
		else if (csv[i].unfinished)
			diff_fail(d,
				  "%s: the file is cut off; the run did not "
				  "finish writing it, or a copy of it is not "
				  "whole",
				  csv[i].path);
		csv_close(&csv[i]);
	}
	return d->error[0] ? EXIT_CODE_INVALID : 0;
}

/* ---- run.json
 * ------------------------------------------------------------------ */

static json_t *
run_json(struct diff *d, const char *dir)
{
	char path[FOLDER_PATH];
	json_error_t why;
	json_t *run;
	const json_t *format;

	if (!folder_holds(dir, "run.json")) {
		diff_fail(d,
			  "'%s' holds no run.json: it is no results folder, or "
			  "its run did not finish",
			  dir);
		return NULL;
	}
	snprintf(path, sizeof(path), "%s/run.json", dir);
	run = json_load_file(path, 0, &why);
	format = json_object_get(run, "format");
	if (!run)
		diff_fail(d, "%s:%d: %s", path, why.line, why.text);
	else if (json_integer_value(format) != RESULTS_FORMAT)
		diff_fail(d,
			  "%s: results format %lld, this program has %d and "
			  "cannot compare them; make them anew (with --golden: "
			  "--update)",
			  path, (long long)json_integer_value(format),
			  RESULTS_FORMAT);
	else if (json_is_true(json_object_get(run, "partial")))
		diff_fail(d,
			  "%s: the run was interrupted, its results are "
			  "partial and cannot be compared",
			  path);
	if (d->error[0]) {
		json_decref(run);
		return NULL;
	}
	return run;
}

static char *
value_text(const json_t *value)
{
	return value ? json_dumps(value,
				  JSON_ENCODE_ANY | JSON_REAL_PRECISION(9))
		     : NULL;
}

static void
print_pair(struct diff *d, const char *what, const char *name, const char *a,
	   const char *b)
{
	fprintf(d->out, "%s %s: %s %s, %s %s\n", what, name, d->names[0],
		a ? a : "none", d->names[1], b ? b : "none");
}

/* Print a member that differs; does it? */
static bool
member_differs(struct diff *d, const char *what, const char *name,
	       const json_t *a, const json_t *b)
{
	char *texts[2];
	bool is_same = json_equal(a, b) || (!a && !b);

	if (is_same)
		return false;
	texts[0] = value_text(a);
	texts[1] = value_text(b);
	print_pair(d, what, name, texts[0], texts[1]);
	free(texts[0]);
	free(texts[1]);
	return true;
}

/* Members of two objects, in the order of the first, then what only the second
 * has. */
static bool
members_differ(struct diff *d, const char *what, json_t *a, json_t *b)
{
	const char *name;
	json_t *value;
	bool differs = false;

	json_object_foreach (a, name, value)
		differs |= member_differs(d, what, name, value,
					  json_object_get(b, name));
	json_object_foreach (b, name, value) {
		if (!json_object_get(a, name))
			differs |= member_differs(d, what, name, NULL, value);
	}
	return differs;
}

static void
compare_notes(struct diff *d, json_t *a, json_t *b)
{
	static const char *const keys[] = {"version", "scenario", "seed",
					   "replication"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		member_differs(d, "note:", keys[i], json_object_get(a, keys[i]),
			       json_object_get(b, keys[i]));
	members_differ(d, "note: parameter", json_object_get(a, "parameters"),
		       json_object_get(b, "parameters"));
}

static void
compare_totals(struct diff *d, json_t *a, json_t *b)
{
	json_t *totals[2] = {json_object_get(a, "totals"),
			     json_object_get(b, "totals")};
	static const char *const groups[] = {"messages", "recipients"};
	static const char *const single[] = {"end_s", "drained_s"};

	for (size_t i = 0; i < 2; i++) {
		d->differs |= members_differ(
			d, groups[i], json_object_get(totals[0], groups[i]),
			json_object_get(totals[1], groups[i]));
		d->differs |= member_differs(d, "total", single[i],
					     json_object_get(a, single[i]),
					     json_object_get(b, single[i]));
	}
	d->differs |=
		member_differs(d, "total", "mean_in_system",
			       json_object_get(totals[0], "mean_in_system"),
			       json_object_get(totals[1], "mean_in_system"));
	d->differs |= member_differs(d, "total", "fingerprint",
				     json_object_get(a, "fingerprint"),
				     json_object_get(b, "fingerprint"));
}

int
diff_folders(struct diff *d)
{
	json_t *a = run_json(d, d->dirs[0]);
	json_t *b = a ? run_json(d, d->dirs[1]) : NULL;

	if (b) {
		compare_notes(d, a, b);
		diff_scenario(d);
		diff_events(d);
		compare_totals(d, a, b);
		diff_series(d);
		if (!d->is_record)
			diff_files(d);
	}
	json_decref(a);
	json_decref(b);
	if (d->error[0])
		return EXIT_CODE_INVALID;
	return d->differs ? EXIT_CODE_EXPECTATION : EXIT_CODE_OK;
}

/* ---- the command
 * ------------------------------------------------------------------ */

static const char diff_help[] =
	"mtasim diff DIR DIR\n"
	"\n"
	"Compare fingerprint, totals, series and events. Exit code 0: the "
	"same; "
	"99: they\n"
	"differ; 3: a folder is no results folder of this format, or is not "
	"whole.\n";

int
diff_main(int argc, char **argv)
{
	static const struct option options[] = {
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct diff d = {.names = {"first", "second"}, .out = stdout};
	int id;
	int code;

	optind = 1;
	id = getopt_long(argc, argv, "", options, NULL);
	if (id == 'h') {
		fputs(diff_help, stdout);
		return EXIT_CODE_OK;
	}
	if (id != -1 || argc - optind != 2)
		return options_wrong("diff", "two results folders are wanted",
				     NULL);
	d.dirs[0] = argv[optind];
	d.dirs[1] = argv[optind + 1];
	code = diff_folders(&d);
	if (code == EXIT_CODE_INVALID)
		fprintf(stderr, "mtasim: %s\n", d.error);
	else if (code == EXIT_CODE_OK)
		puts("diff: the runs did the same");
	else
		printf("diff: they differ%s%s\n", d.first[0] ? ", first " : "",
		       d.first);
	return code;
}
