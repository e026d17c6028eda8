/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tables of doubles, and how a long one becomes short. A run of a month has
 * millions of samples and a picture a thousand columns of dots; what an
 * operator looks for are peaks, so thinning keeps extremes and never averages.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/arena.h"
#include "sim/plot/plot_job.h"

double *
plot_table_add(struct plot_table *table)
{
	if (table->rows == table->room) {
		table->room = table->room ? table->room * 2 : 64;
		table->cells = memory_resize(table->cells,
					     table->room * table->columns,
					     sizeof(double));
	}
	double *row = table->cells + table->rows * table->columns;
	for (size_t i = 0; i < table->columns; i++)
		row[i] = (double)NAN;
	table->rows++;
	return row;
}

double
plot_table_get(const struct plot_table *table, size_t row, size_t column)
{
	return table->cells[row * table->columns + column];
}

/* Mark the rows of a stretch that hold the extremes of one column. */
static void
keep_extremes(const struct plot_table *table, size_t from, size_t to,
	      size_t column, bool *keep)
{
	size_t low = from;
	size_t high = from;
	for (size_t i = from + 1; i < to; i++) {
		double x = plot_table_get(table, i, column);
		if (x < plot_table_get(table, low, column))
			low = i;
		if (x > plot_table_get(table, high, column))
			high = i;
	}
	keep[low] = keep[high] = true;
}

void
plot_table_thin(struct plot_table *table, size_t most)
{
	/* Each stretch keeps its first row and two for every column. */
	size_t kept_each = 2 * table->columns;
	size_t stretches = most / kept_each ? most / kept_each : 1;
	if (table->rows <= most)
		return;
	bool *keep = memory_array(table->rows, sizeof(*keep));
	for (size_t s = 0; s < stretches; s++) {
		size_t from = table->rows * s / stretches;
		size_t to = table->rows * (s + 1) / stretches;
		keep[from] = true;
		/* column 0 is the time: its extremes are the ends */
		for (size_t c = 0; c < table->columns; c++)
			keep_extremes(table, from, to, c, keep);
	}
	size_t rows = 0;
	for (size_t i = 0; i < table->rows; i++) {
		if (!keep[i])
			continue;
		memmove(table->cells + rows * table->columns,
			table->cells + i * table->columns,
			table->columns * sizeof(double));
		rows++;
	}
	table->rows = rows;
	free(keep);
}

double
plot_table_max(const struct plot_table *table, size_t column)
{
	double most = 0;
	for (size_t i = 0; i < table->rows; i++) {
		double x = plot_table_get(table, i, column);
		if (x > most)
			most = x;
	}
	return most;
}

void
plot_table_print(const struct plot_table *table, FILE *out)
{
	for (size_t i = 0; i < table->rows; i++) {
		for (size_t c = 0; c < table->columns; c++) {
			double x = plot_table_get(table, i, c);
			if (c > 0)
				fputc(',', out);
			if (!isnan(x))
				fprintf(out, "%.10g", x);
		}
		fputc('\n', out);
	}
}

void
plot_table_release(struct plot_table *table)
{
	free(table->cells);
	*table = (struct plot_table){0};
}
