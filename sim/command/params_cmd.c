/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Prints src/mta/params.def. All names are looked up before the first line is
 * printed, so that a script never takes half an answer for a whole one. Keeps
 * no state.
 */
#include "sim/command/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mta/params.h"
#include "sim/base/arena.h"
#include "sim/base/exit_code.h"
#include "sim/base/name_index.h"

enum {
	CELL_SIZE = 200,
};

enum layout {
	LAYOUT_TEXT,
	LAYOUT_MARKDOWN,
};

struct cells {
	char name[CELL_SIZE]; /* TRANSPORT_... for a transport form */
	const char *default_text;
	const char *unit;
	char bounds[CELL_SIZE];
};

static const char usage[] =
	"usage: mtasim params [--markdown] [NAME...]\n"
	"print name, default, unit, bounds and meaning of the parameters\n";

static struct cells
cells_of(const struct mta_param *row)
{
	struct cells c = {.default_text = "(empty)"};

	snprintf(c.name, sizeof(c.name), "%s%s",
		 row->is_transport_form ? "TRANSPORT" : "", row->name);
	if (*row->default_text)
		c.default_text = row->default_text;
	c.unit = mta_param_unit(row);
	mta_param_bounds_format(row, c.bounds, sizeof(c.bounds));
	return c;
}

/* ---- Text ---- */

/* Wide enough for the widest cell of what is printed. */
struct widths {
	int name;
	int default_text;
	int bounds;
};

static void
widen(int *width, const char *cell)
{
	int length = (int)strlen(cell);

	if (*width < length)
		*width = length;
}

static void
widen_for_row(struct widths *w, const struct mta_param *row)
{
	struct cells c = cells_of(row);

	widen(&w->name, c.name);
	widen(&w->default_text, c.default_text);
	widen(&w->bounds, c.bounds);
}

static void
print_text_row(const struct widths *w, const struct mta_param *row)
{
	struct cells c = cells_of(row);

	printf("%-*s  %-*s  %-5s  %-*s  %s\n", w->name, c.name, w->default_text,
	       c.default_text, c.unit, w->bounds, c.bounds, row->help);
}

static void
print_text(const struct mta_param *const *rows, size_t count)
{
	struct widths w = {0, 0, 0};
	size_t i;

	widen(&w.name, "name");
	widen(&w.default_text, "default");
	widen(&w.bounds, "bounds");
	for (i = 0; i < count; i++)
		widen_for_row(&w, rows[i]);
	printf("%-*s  %-*s  %-5s  %-*s  %s\n", w.name, "name", w.default_text,
	       "default", "unit", w.bounds, "bounds", "meaning");
	for (i = 0; i < count; i++)
		print_text_row(&w, rows[i]);
}

/* ---- Markdown ---- */

static void
print_markdown_row(const struct mta_param *row)
{
	struct cells c = cells_of(row);

	printf("| `%s` | `%s` | %s | %s | %s | %s |\n", c.name, c.default_text,
	       c.unit, c.bounds, row->help, row->fact);
}

static void
print_markdown_head(void)
{
	printf("| name | default | unit | bounds | meaning | source |\n"
	       "|---|---|---|---|---|---|\n");
}

static const char markdown_start[] =
	"# Parameters\n"
	"\n"
	"Made by `mtasim params --markdown`. All parameters that bear on"
	" queues, under the\n"
	"names, units and defaults that they have in `main.cf`. They stand"
	" under `mta:` in\n"
	"a scenario.\n"
	"\n"
	"* Times are whole numbers with `s`, `m`, `h`, `d` or `w`; a bare"
	" number has the\n"
	"  unit of the default. `250ms` is an error: Postfix would read 250"
	" minutes.\n"
	"* Sizes are plain bytes. Feedback is `1`, `0.25`, `1/4`,"
	" `1/concurrency` or, as an\n"
	"  extension, `1/sqrt_concurrency`.\n"
	"* A value outside the bounds is an error. `$name` is not expanded; a"
	" default\n"
	"  `$name` that is not in this table stands for an empty text.\n"
	"* *(no effect)*: taken, so that a `main.cf` can be pasted, and shown"
	" in `run.json`;\n"
	"  what it would steer is not simulated. A scenario that sets it to"
	" something else\n"
	"  than its default is warned of it.\n"
	"* Source: section of the fact sheet on Postfix that default, bounds"
	" and meaning\n"
	"  were taken from.\n"
	"\n";

static const char markdown_forms[] =
	"\n"
	"## For every transport\n"
	"\n"
	"`TRANSPORT` is the name of a delivery service:"
	" `smtp_destination_rate_delay`,\n"
	"`bulk_destination_concurrency_limit`. A rate delay of a destination"
	" makes its\n"
	"concurrency limit 1; the initial window is at most the limit.\n"
	"\n";

static void
print_markdown(const struct mta_param *const *rows, size_t count)
{
	size_t i;

	print_markdown_head();
	for (i = 0; i < count; i++)
		print_markdown_row(rows[i]);
}

/* The whole document: the parameters, and after them the transport forms. */
static void
print_document(const struct mta_param *const *rows, size_t count)
{
	size_t plain = 0;

	while (plain < count && !rows[plain]->is_transport_form)
		plain++;
	printf("%s", markdown_start);
	print_markdown(rows, plain);
	printf("%s", markdown_forms);
	print_markdown(rows + plain, count - plain);
}

/* ---- The command ---- */

static void
complain_unknown(const char *name)
{
	struct name_nearest nearest = {.wanted = name};
	size_t i;

	for (i = 0; i < mta_param_count(); i++) {
		if (!mta_param_at(i)->is_transport_form)
			name_nearest_try(&nearest, mta_param_at(i)->name);
	}
	if (nearest.best)
		fprintf(stderr, "%s: unknown parameter; did you mean %s?\n",
			name, nearest.best);
	else
		fprintf(stderr,
			"%s: unknown parameter; `mtasim params` lists all\n",
			name);
}

/* The rows of the names, or all rows; complains of what it does not find.
 * Answers how many rows were put into `rows`. */
static size_t
choose_rows(int count, char **names, const struct mta_param **rows)
{
	size_t found = 0;
	size_t i;

	if (count == 0) {
		for (i = 0; i < mta_param_count(); i++)
			rows[i] = mta_param_at(i);
		return mta_param_count();
	}
	for (i = 0; i < (size_t)count; i++) {
		rows[found] = mta_param_find(names[i]);
		if (rows[found])
			found++;
		else
			complain_unknown(names[i]);
	}
	return found;
}

/* Complaints are out when a name was not found; then nothing is printed. */
static int
show(enum layout layout, int count, char **names)
{
	size_t room = count > 0 ? (size_t)count : mta_param_count();
	const struct mta_param **rows = memory_array(room, sizeof(*rows));
	size_t found = choose_rows(count, names, rows);

	if (found == room) {
		if (layout == LAYOUT_TEXT)
			print_text(rows, found);
		else if (count > 0)
			print_markdown(rows, found);
		else
			print_document(rows, found);
	}
	free(rows);
	if (found < room)
		return EXIT_CODE_USAGE;
	return EXIT_CODE_OK;
}

int
params_main(int argc, char **argv)
{
	enum layout layout = LAYOUT_TEXT;
	int i;

	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "--markdown") == 0) {
			layout = LAYOUT_MARKDOWN;
		} else if (strcmp(argv[i], "--help") == 0) {
			printf("%s", usage);
			return EXIT_CODE_OK;
		} else {
			fprintf(stderr, "%s: unknown option\n%s", argv[i],
				usage);
			return EXIT_CODE_USAGE;
		}
	}
	return show(layout, argc - i, argv + i);
}
