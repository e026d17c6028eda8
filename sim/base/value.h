/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the text of a scalar means, by the type that its key wants. Never by
 * guessing: `1:30`, `0450` and `1_0` are wrong wherever a number is wanted,
 * and a time has a unit unless it is 0.
 *
 * Each reader returns false and says why, without a full stop, in `why`; the
 * result is then untouched. Decimals are exact up to 15 digits and then
 * rounded to the unit of the result, halves away from zero.
 */
#ifndef SIM_VALUE_H
#define SIM_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct value_error {
	char text[200];
};

/*
 * The longest time: 30 years. So far from the beginning the clock of files,
 * which counts seconds in 32 bits, has as much again before it, and no sum of a
 * few times is large.
 */
#define VALUE_TIME_MOST_US (INT64_C(10950) * 86400 * 1000000)

/* Microseconds, 0 to VALUE_TIME_MOST_US: decimals with us ms s m h d w. */
bool value_time(const char *text, int64_t *us, struct value_error *why);

/* The same, and a minus sign may stand before it. */
bool value_signed_time(const char *text, int64_t *us, struct value_error *why);

/* Per second, >= 0: decimals with /s /min /h /d. */
bool value_rate(const char *text, double *per_s, struct value_error *why);

/* Bytes: decimals with B KB MB GB KiB MiB GiB, or nothing. */
bool value_size(const char *text, int64_t *bytes, struct value_error *why);

/* 0..1: `2%` or `0.02`. */
bool value_share(const char *text, double *share, struct value_error *why);

/* A whole number within bounds. */
bool value_integer(const char *text, int64_t least, int64_t most,
		   int64_t *number, struct value_error *why);

/* A decimal; a minus sign may stand before it. */
bool value_number(const char *text, double *number, struct value_error *why);

/* true, false, yes, no. */
bool value_boolean(const char *text, bool *truth, struct value_error *why);

/* The index of a word in "a b c"; -1 if it is none. */
int value_word(const char *words, const char *word);

/*
 * Check a value of mta: for what looks like a scenario's unit but is read
 * otherwise in main.cf: `250ms`, `10KB`, `1.5h`. What is no such trap is left
 * to the table of parameters. `is_time`: the parameter is a time.
 */
bool value_main_cf(const char *text, bool is_time, struct value_error *why);

#endif
