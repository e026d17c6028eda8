/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Two series.csv, sample by sample: for each column where the difference is
 * largest. Samples are paired by their time; one without a partner is counted.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/arena.h"
#include "sim/base/csv_read.h"
#include "sim/base/exit_code.h"
#include "sim/command/diff.h"

enum {
	SHOWN = 5, /* columns */
};

struct column {
	const char *name;
	double most;	 /* largest difference */
	double scale;	 /* largest value of either */
	double at[2];	 /* values there */
	int64_t at_us;	 /* and when */
	int64_t from_us; /* first difference */
};

struct series {
	struct csv_reader csv[2];
	int time[2];
	int64_t now[2];
	bool has[2];
	struct column *columns; /* owned */
	size_t count;
	uint64_t alone; /* samples without a partner */
};

static void
step(struct series *s, int side)
{
	s->has[side] =
		csv_next(&s->csv[side]) &&
		csv_microseconds(&s->csv[side], s->time[side], &s->now[side]);
}

static void
compare_column(struct series *s, size_t i)
{
	struct column *c = &s->columns[i];
	double a;
	double b;

	if (!csv_double(&s->csv[0], (int)i, &a) ||
	    !csv_double(&s->csv[1], (int)i, &b))
		return;
	c->scale = fmax(c->scale, fmax(fabs(a), fabs(b)));
	if (!(fabs(a - b) > c->most))
		return;
	if (!(c->most > 0))
		c->from_us = s->now[0];
	c->most = fabs(a - b);
	c->at[0] = a;
	c->at[1] = b;
	c->at_us = s->now[0];
}

static void
walk(struct series *s)
{
	step(s, 0);
	step(s, 1);
	while (s->has[0] || s->has[1]) {
		if (s->has[0] && s->has[1] && s->now[0] == s->now[1]) {
			for (size_t i = 1; i < s->count; i++)
				compare_column(s, i);
			step(s, 0);
			step(s, 1);
			continue;
		}
		s->alone++;
		step(s, !s->has[0] || (s->has[1] && s->now[1] < s->now[0]));
	}
}

/* The largest first, as a share of what the column has at most. */
static int
compare_most(const void *left, const void *right)
{
	const struct column *a = left;
	const struct column *b = right;
	double x = a->scale > 0 ? a->most / a->scale : 0;
	double y = b->scale > 0 ? b->most / b->scale : 0;

	if (x < y || x > y)
		return x > y ? -1 : 1;
	return strcmp(a->name, b->name);
}

static void
tell(struct diff *d, struct series *s)
{
	qsort(s->columns, s->count, sizeof(*s->columns), compare_most);
	for (size_t i = 0; i < s->count && i < SHOWN; i++) {
		const struct column *c = &s->columns[i];

		if (!(c->most > 0))
			break;
		d->differs = true;
		fprintf(d->out,
			"series %s: from %.6g s on; most at %.6g s: %s %.9g, "
			"%s %.9g\n",
			c->name, (double)c->from_us / 1e6,
			(double)c->at_us / 1e6, d->names[0], c->at[0],
			d->names[1], c->at[1]);
	}
	if (s->alone > 0) {
		d->differs = true;
		fprintf(d->out, "series: %llu samples are in one run only\n",
			(unsigned long long)s->alone);
	}
}

int
diff_series(struct diff *d)
{
	struct series s = {.count = 0};
	enum diff_table table = diff_open(d, "series.csv", s.csv);

	if (table == DIFF_TABLE_BAD)
		return EXIT_CODE_INVALID;
	if (table != DIFF_TABLE_BOTH)
		return diff_fail(d, "series.csv is missing in '%s' or '%s'",
				 d->dirs[0], d->dirs[1]);
	s.count = s.csv[0].columns;
	s.columns = memory_array(s.count, sizeof(*s.columns));
	for (size_t i = 0; i < s.count; i++)
		s.columns[i].name = csv_name(&s.csv[0], (int)i);
	if (csv_find(&s.csv[0], "time_s", &s.time[0]) &&
	    csv_find(&s.csv[1], "time_s", &s.time[1]))
		walk(&s);
	if (!s.csv[0].error[0] && !s.csv[1].error[0])
		tell(d, &s);
	free(s.columns);
	return diff_close(d, s.csv);
}
