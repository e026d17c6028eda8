/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A series as one line of text: eight heights, from the least to the greatest
 * of what is shown. The bottom height means zero exactly; whatever is above
 * zero stands at least one higher. For the summary at the end of a run on a
 * terminal; nothing here goes into results.
 */
#ifndef SIM_SPARKLINE_H
#define SIM_SPARKLINE_H

#include <stddef.h>

enum sparkline_style {
	SPARKLINE_ASCII, /* _.-:=+*# */
	SPARKLINE_UTF8,	 /* blocks, three bytes each */
};

/* Bytes that a line of `width` characters needs at most, with its NUL. */
#define SPARKLINE_BYTES(width) ((size_t)(width)*3 + 1)

/* UTF-8 if the environment's locale is (LC_ALL, LC_CTYPE, LANG), else ASCII. */
enum sparkline_style sparkline_style(void);

/*
 * Write `count` values, none below 0, as at most `width` characters into
 * `out`, which holds SPARKLINE_BYTES(width). Where several values share a
 * character the greatest is shown; where there are fewer values than
 * characters, each takes one. What is not a number is a blank. Returns `out`.
 */
char *sparkline(const double *values, size_t count, size_t width,
		enum sparkline_style style, char *out);

#endif
