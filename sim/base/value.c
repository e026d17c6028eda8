/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Typed readers of scalars. All share one scanner of decimals, so a number
 * has one syntax everywhere: digits, perhaps a dot and digits. It works on
 * integers and one correctly rounded division, never on strtod(), whose
 * decimal point is the locale's.
 */
#include "sim/base/value.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
	DIGITS_MAX = 15
}; /* below 2^53: exact in a double */

/* What is larger is a slip of the pen. */
#define SIZE_MOST_BYTES 1e12

struct unit {
	const char *name;
	double factor;
};

static const struct unit time_units[] = {
	{"us", 1},     {"ms", 1e3},    {"s", 1e6},	   {"m", 60e6},
	{"h", 3600e6}, {"d", 86400e6}, {"w", 7 * 86400e6}, {NULL, 0},
};

static const struct unit rate_units[] = {
	{"/s", 1.0}, {"/min", 60.0}, {"/h", 3600.0}, {"/d", 86400.0}, {NULL, 0},
};

static const struct unit size_units[] = {
	{"", 1},     {"B", 1},	      {"KB", 1e3},	  {"MB", 1e6},
	{"GB", 1e9}, {"KiB", 1024.0}, {"MiB", 1048576.0}, {"GiB", 1073741824.0},
	{NULL, 0},
};

static bool __attribute__((format(printf, 2, 3)))
fail(struct value_error *why, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(why->text, sizeof(why->text), format, arguments);
	va_end(arguments);
	return false;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* What is wrong with a text that should be a number and is none. */
static bool
fail_number(const char *text, const char *wanted, struct value_error *why)
{
	if (!*text)
		return fail(why, "has no value; %s is wanted", wanted);
	return fail(why, "'%.60s' is not %s", text, wanted);
}

/*
 * Read the decimal that a text starts with; *rest is what follows. The traps
 * of YAML 1.1 are named: base 60, base 8, digits parted by underscores.
 */
static bool
scan_decimal(const char *text, const char *wanted, double *number,
	     const char **rest, struct value_error *why)
{
	const char *p = text;
	double mantissa = 0;
	double scale = 1;
	int digits = 0;
	*number = 0; /* both are always set */
	*rest = text;
	if (*p == '-')
		return fail(why, "'%.60s' is below 0", text);
	if (!is_digit(*p))
		return fail_number(text, wanted, why);
	if (p[0] == '0' && is_digit(p[1]))
		return fail(why,
			    "'%.60s' starts with 0; write the number "
			    "without it",
			    text);
	for (; is_digit(*p); p++, digits++)
		mantissa = mantissa * 10 + (*p - '0');
	if (*p == '.' && !is_digit(p[1]))
		return fail_number(text, wanted, why);
	if (*p == '.') {
		for (p++; is_digit(*p); p++, digits++) {
			mantissa = mantissa * 10 + (*p - '0');
			scale *= 10;
		}
	}
	if (digits > DIGITS_MAX)
		return fail(why, "'%.60s' has more than %d digits", text,
			    DIGITS_MAX);
	if (*p == ':')
		return fail(why,
			    "'%.60s' is a number of base 60 to some "
			    "readers of YAML; write it with a unit, as "
			    "in 90s or 1.5m",
			    text);
	if (*p == '_')
		return fail(why,
			    "'%.60s' has an underscore; write the digits "
			    "without it",
			    text);
	*number = mantissa / scale;
	*rest = p;
	return true;
}

static const struct unit *
unit_find(const struct unit *units, const char *name)
{
	for (const struct unit *u = units; u->name; u++) {
		if (!strcmp(u->name, name))
			return u;
	}
	return NULL;
}

static bool
to_integer(const char *text, double value, double most, const char *most_text,
	   int64_t *out, struct value_error *why)
{
	if (value > most)
		return fail(why, "'%.60s' is too large; at most %s", text,
			    most_text);
	*out = (int64_t)llround(value);
	return true;
}

bool
value_time(const char *text, int64_t *us, struct value_error *why)
{
	double number;
	const char *rest;
	if (!scan_decimal(text, "a time", &number, &rest, why))
		return false;
	if (!*rest && number > 0)
		return fail(why,
			    "'%.60s' has no unit; write %.60ss, or another "
			    "of us ms s m h d w",
			    text, text);
	const struct unit *unit = unit_find(time_units, *rest ? rest : "s");
	if (!unit && (!strcmp(rest, "min") || !strcmp(rest, "sec") ||
		      !strcmp(rest, "M") || !strcmp(rest, "S")))
		return fail(why,
			    "'%.20s' is not a unit of time; did you mean "
			    "%c?",
			    rest, rest[0] == 'm' || rest[0] == 'M' ? 'm' : 's');
	if (!unit)
		return fail(why,
			    "'%.20s' is not a unit of time; the units are "
			    "us ms s m h d w",
			    rest);
	return to_integer(text, number * unit->factor,
			  (double)VALUE_TIME_MOST_US, "10950d (30 years)", us,
			  why);
}

bool
value_signed_time(const char *text, int64_t *us, struct value_error *why)
{
	if (*text != '-')
		return value_time(text, us, why);
	if (!value_time(text + 1, us, why))
		return false;
	*us = -*us;
	return true;
}

bool
value_rate(const char *text, double *per_s, struct value_error *why)
{
	double number;
	const char *rest;
	if (!scan_decimal(text, "a rate", &number, &rest, why))
		return false;
	if (!*rest)
		return fail(why,
			    "'%.60s' has no unit; write %.60s/s, or /min "
			    "/h /d",
			    text, text);
	const struct unit *unit = unit_find(rate_units, rest);
	if (!unit && !strcmp(rest, "/m"))
		return fail(why, "'/m' is not a unit of rates; did you mean "
				 "/min?");
	if (!unit)
		return fail(why,
			    "'%.20s' is not a unit of rates; the units "
			    "are /s /min /h /d",
			    rest);
	*per_s = number / unit->factor;
	return true;
}

bool
value_size(const char *text, int64_t *bytes, struct value_error *why)
{
	double number = 0;
	const char *rest = "";
	if (!scan_decimal(text, "a size", &number, &rest, why))
		return false;
	const struct unit *unit = unit_find(size_units, rest);
	if (!unit && (!strcmp(rest, "K") || !strcmp(rest, "k") ||
		      !strcmp(rest, "kB") || !strcmp(rest, "kb")))
		return fail(why,
			    "'%s' is not a unit of size; write KB (1000) "
			    "or KiB (1024)",
			    rest);
	if (!unit)
		return fail(why,
			    "'%.20s' is not a unit of size; the units are "
			    "B KB MB GB KiB MiB GiB",
			    rest);
	return to_integer(text, number * unit->factor, SIZE_MOST_BYTES,
			  "1000GB", bytes, why);
}

bool
value_share(const char *text, double *share, struct value_error *why)
{
	double number;
	const char *rest;
	if (!scan_decimal(text, "a share", &number, &rest, why))
		return false;
	bool percent = !strcmp(rest, "%");
	if (*rest && !percent)
		return fail(why, "'%.60s' is not a share; write 2%% or 0.02",
			    text);
	if (percent && number > 100)
		return fail(why, "'%.60s' is more than the whole", text);
	if (!percent && number > 1 && number <= 100)
		return fail(why,
			    "'%.60s' is more than the whole; did you mean "
			    "%.60s%%?",
			    text, text);
	if (!percent && number > 1)
		return fail(why, "'%.60s' is more than the whole", text);
	*share = percent ? number / 100 : number;
	return true;
}

bool
value_integer(const char *text, int64_t least, int64_t most, int64_t *number,
	      struct value_error *why)
{
	double value;
	const char *rest;
	bool minus = *text == '-' && least < 0;
	if (!scan_decimal(text + minus, "a whole number", &value, &rest, why))
		return false;
	if (*rest || strchr(text, '.'))
		return fail(why, "'%.60s' is not a whole number", text);
	int64_t n = (int64_t)value;
	n = minus ? -n : n;
	if (n < least)
		return fail(why, "'%.60s' is below %lld", text,
			    (long long)least);
	if (n > most)
		return fail(why, "'%.60s' is above %lld", text,
			    (long long)most);
	*number = n;
	return true;
}

bool
value_number(const char *text, double *number, struct value_error *why)
{
	double value;
	const char *rest;
	bool minus = *text == '-';
	if (!scan_decimal(text + minus, "a number", &value, &rest, why))
		return false;
	if (*rest)
		return fail(why, "'%.60s' is not a number", text);
	*number = minus ? -value : value;
	return true;
}

bool
value_boolean(const char *text, bool *truth, struct value_error *why)
{
	bool yes = !strcmp(text, "true") || !strcmp(text, "yes");
	bool no = !strcmp(text, "false") || !strcmp(text, "no");
	if (!yes && !no)
		return fail(why, "'%.60s' is not one of true, false, yes, no",
			    text);
	*truth = yes;
	return true;
}

int
value_word(const char *words, const char *word)
{
	size_t wanted = strlen(word);
	for (int index = 0; *words; index++) {
		size_t size = strcspn(words, " ");
		if (size == wanted && !memcmp(words, word, size))
			return index;
		words += size;
		words += *words == ' ';
	}
	return -1;
}

static const char *
main_cf_unit(char letter)
{
	switch (letter) {
	case 's':
		return "seconds";
	case 'm':
		return "minutes";
	case 'h':
		return "hours";
	case 'd':
		return "days";
	case 'w':
		return "weeks";
	default:
		return NULL;
	}
}

/* A time of main.cf: digits, and of what follows only the first letter. */
static bool
main_cf_time(const char *text, size_t digits, struct value_error *why)
{
	const char *rest = text + digits;
	if (*rest == '.')
		return fail(why,
			    "'%.60s' has a fraction; main.cf has whole "
			    "numbers only, Postfix would refuse it",
			    text);
	if (!*rest || !rest[1])
		return true;
	const char *unit = main_cf_unit(*rest);
	if (!unit)
		return true;
	return fail(why,
		    "'%.60s' would be read by Postfix as %.*s %s: of the "
		    "unit it looks at the first letter only; times here "
		    "are whole numbers with s m h d w",
		    text, (int)digits, text, unit);
}

bool
value_main_cf(const char *text, bool is_time, struct value_error *why)
{
	size_t digits = strspn(text, "0123456789");
	if (!digits || digits > 20)
		return true;
	if (is_time)
		return main_cf_time(text, digits, why);
	const char *rest = text + digits;
	if (unit_find(size_units, rest) && *rest) {
		int64_t bytes = 0;
		struct value_error ignored;
		if (!value_size(text, &bytes, &ignored))
			bytes = 0;
		return fail(why,
			    "'%.60s' would be refused by Postfix: a size "
			    "in main.cf is a number of bytes; write %lld",
			    text, (long long)bytes);
	}
	return true;
}
