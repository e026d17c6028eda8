/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Peaks are what an operator looks for, so a character shows the greatest of
 * its values and not their mean. setlocale() is not asked: it would change the
 * decimal point of everything else that prints.
 */
#include "sim/base/sparkline.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	HEIGHTS = 8
};

enum sparkline_style
sparkline_style(void)
{
	static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *locale = getenv(names[i]);
		if (!locale || !*locale)
			continue;
		const char *dot = strchr(locale, '.');
		if (dot && (!strncasecmp(dot, ".utf-8", 6) ||
			    !strncasecmp(dot, ".utf8", 5)))
			return SPARKLINE_UTF8;
		return SPARKLINE_ASCII;
	}
	return SPARKLINE_ASCII;
}

/* The greatest of values[from..to), or NaN if none is a number. */
static double
greatest(const double *values, size_t from, size_t to)
{
	double most = (double)NAN;
	for (size_t i = from; i < to; i++) {
		if (isfinite(values[i]) && !(values[i] <= most))
			most = values[i];
	}
	return most;
}

static int
height(double value, double most)
{
	if (!(value > 0))
		return 0;
	int step = (int)ceil(value / most * (HEIGHTS - 1));
	return step < 1 ? 1 : step > HEIGHTS - 1 ? HEIGHTS - 1 : step;
}

static char *
put(char *at, int step, enum sparkline_style style)
{
	static const char ascii[] = "_.-:=+*#";
	if (style == SPARKLINE_ASCII) {
		*at = ascii[step];
		return at + 1;
	}
	/* U+2581 to U+2588, one eighth to a full block */
	at[0] = '\xe2';
	at[1] = '\x96';
	at[2] = (char)(0x81 + step);
	return at + 3;
}

char *
sparkline(const double *values, size_t count, size_t width,
	  enum sparkline_style style, char *out)
{
	double most = greatest(values, 0, count);
	size_t shown = count < width ? count : width;
	char *at = out;
	for (size_t i = 0; i < shown; i++) {
		size_t from = count * i / shown;
		size_t to = count * (i + 1) / shown;
		double value = greatest(values, from, to);
		if (isnan(value))
			*at++ = ' ';
		else
			at = put(at, height(value, most), style);
	}
	*at = '\0';
	return out;
}
