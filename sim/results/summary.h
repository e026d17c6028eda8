/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The text at the end of a run: totals, delays over all and of the busiest
 * destinations, how each expectation was judged, where the results are. On a
 * terminal with a picture of each queue over time and with colours, unless
 * NO_COLOR is set.
 */
#ifndef SIM_SUMMARY_H
#define SIM_SUMMARY_H

#include <stdbool.h>
#include <stdio.h>

struct results;

struct summary_style {
	bool sparklines;
	bool utf8; /* tick, cross and blocks; else words and ASCII */
	bool colour;
};

/* What suits this stream and environment. */
struct summary_style summary_style_of(FILE *out);

/* r: finished. */
void summary_print(const struct results *r, FILE *out,
		   const struct summary_style *style);

/* A tick or a cross. */
void
summary_print_mark(FILE *out, const struct summary_style *style, bool passed);

#endif
