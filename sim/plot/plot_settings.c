/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a script has to be told about a run: numbers and texts, and the units
 * of the axes, chosen so that the numbers on them are short.
 *
 * Texts come from results, so from users: they are put in single quotes, in
 * which gnuplot knows no escapes, no macros and no commands.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/plot/plot_job.h"

void
plot_set_number(struct plot_job *job, const char *name, double value)
{
	fprintf(job->settings, "%s = %.10g\n", name, value);
}

static void
put_quoted(FILE *out, const char *text)
{
	fputc('\'', out);
	for (const char *p = text; *p; p++) {
		if (*p == '\'')
			fputs("''", out);
		else
			fputc((unsigned char)*p < 0x20 ? ' ' : *p, out);
	}
	fputc('\'', out);
}

void
plot_set_text(struct plot_job *job, const char *name, const char *value)
{
	fprintf(job->settings, "%s = ", name);
	put_quoted(job->settings, value);
	fputc('\n', job->settings);
}

void
plot_set_scale(struct plot_job *job, const char *name, double most)
{
	/* A terminal has no place to name the unit. */
	if (job->text)
		most = 0;
	double divisor = most >= 1e7 ? 1e6 : most >= 2e4 ? 1e3 : 1;
	const char *unit = most >= 1e7	 ? "millions"
			   : most >= 2e4 ? "thousands"
					 : "";
	fprintf(job->settings, "%s_div = %.0f\n%s_unit = '%s'\n", name, divisor,
		name, unit);
}

struct time_unit {
	const char *name;
	double seconds;
	double longest; /* axis in this unit, seconds */
	double steps[10];
};

static const struct time_unit time_units[] = {
	{"seconds", 1, 301, {0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60}},
	{"minutes", 60, 3 * 3600 + 1, {0.5, 1, 2, 5, 10, 15, 20, 30}},
	{"hours", 3600, 4 * 86400 + 1, {0.5, 1, 2, 3, 4, 6, 12, 24}},
	{"days", 86400, HUGE_VAL, {0.5, 1, 2, 5, 7, 14, 30, 60, 90, 365}},
};

void
plot_set_time(struct plot_job *job)
{
	enum {
		TICS_MAX = 13
	};
	double span = job->run->to_s - job->run->from_s;
	const struct time_unit *unit = time_units;
	while (span > unit->longest)
		unit++;
	double step = unit->steps[0];
	for (size_t i = 0; i < 10 && unit->steps[i] > 0; i++) {
		step = unit->steps[i];
		if (span / unit->seconds / step <= TICS_MAX)
			break;
	}
	plot_set_text(job, "time_unit", unit->name);
	plot_set_number(job, "time_div", unit->seconds);
	plot_set_number(job, "time_step", step);
	plot_set_number(job, "time_from", job->run->from_s / unit->seconds);
	plot_set_number(job, "time_to", job->run->to_s / unit->seconds);
}

const char *
plot_time_text(double seconds, char *out, size_t size)
{
	double value = seconds < 1	     ? seconds * 1e3
		       : seconds < 120	     ? seconds
		       : seconds < 2 * 3600  ? seconds / 60
		       : seconds < 2 * 86400 ? seconds / 3600
					     : seconds / 86400;
	const char *unit = seconds < 1		 ? "ms"
			   : seconds < 120	 ? "s"
			   : seconds < 2 * 3600	 ? "min"
			   : seconds < 2 * 86400 ? "h"
						 : "d";
	/* 2 min, 2.5 min, 12 min */
	bool whole = fabs(value - nearbyint(value)) < 0.05;
	int decimals = value < 9.95 && !whole ? 1 : 0;
	snprintf(out, size, "%.*f %s", decimals, value, unit);
	return out;
}
