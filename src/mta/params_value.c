/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Text of parameter values to numbers and back, as main.cf has it (R-PARAM-TIME
 * F0.5, R-FEEDBACK-TEXT F7.3). Numbers are read by hand: the C library's
 * readers take blanks, hexadecimal, infinity and the user's decimal point, and
 * none of these is meant. A message says what is wrong first and what would be
 * right after it; the caller puts place and name in front.
 */
#include "mta/pure.h"

#include "mta/panic.h"
#include "mta/params.h"

struct err_text {
	char *text; /* borrowed from the caller */
	size_t size_bytes;
};

/* Write the message and answer false, for `return fail(...)`. */
__attribute__((format(__printf__, 2, 3))) static bool
fail(struct err_text err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(err.text, err.size_bytes, format, args);
	va_end(args);
	return false;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* A part of a value's text. */
struct span {
	const char *start;
	int length; /* for %.*s */
};

/* Without blanks around it, of which main.cf takes no notice. */
static struct span
trimmed(struct span s)
{
	while (s.length > 0 && is_blank(s.start[0])) {
		s.start++;
		s.length--;
	}
	while (s.length > 0 && is_blank(s.start[s.length - 1]))
		s.length--;
	return s;
}

/* ---- Whole numbers and times ---- */

struct whole {
	int64_t value;	   /* saturates at the ends of int64_t */
	const char *after; /* first character behind it; NULL: no number */
};

static struct whole
read_whole(struct span s)
{
	const char *end = s.start + s.length;
	const char *c = s.start;
	struct whole w = {.value = 0, .after = NULL};
	bool is_negative = c < end && *c == '-';

	if (c < end && (*c == '-' || *c == '+'))
		c++;
	if (c == end || !is_digit(*c))
		return w;
	for (; c < end && is_digit(*c); c++) {
		int digit = *c - '0';

		if (w.value > (INT64_MAX - digit) / 10)
			w.value = INT64_MAX;
		else
			w.value = w.value * 10 + digit;
	}
	if (is_negative)
		w.value = -w.value;
	w.after = c;
	return w;
}

static bool
has_leading_zero(struct span s)
{
	return s.length > 1 && s.start[0] == '0' && is_digit(s.start[1]);
}

struct time_unit {
	char letter;
	int32_t seconds;
	const char *name;
};

static const struct time_unit time_units[] = {
	{.letter = 's', .seconds = 1, .name = "seconds"},
	{.letter = 'm', .seconds = 60, .name = "minutes"},
	{.letter = 'h', .seconds = 3600, .name = "hours"},
	{.letter = 'd', .seconds = 86400, .name = "days"},
	{.letter = 'w', .seconds = 604800, .name = "weeks"},
};

static const struct time_unit *
find_unit(char letter)
{
	size_t i;

	for (i = 0; i < sizeof(time_units) / sizeof(time_units[0]); i++) {
		if (time_units[i].letter == letter)
			return &time_units[i];
	}
	return NULL;
}

static bool
check_bounds(const struct mta_param *row, int64_t value, struct span text,
	     struct err_text err)
{
	char bounds[64];

	if (value >= row->least && value <= row->most)
		return true;
	if (value > row->most && row->most >= INT32_MAX)
		return fail(err,
			    "%.*s is out of range; it must be at most %lld%s",
			    text.length, text.start, (long long)row->most,
			    row->kind == MTA_PARAM_TIME ? "s" : "");
	mta_param_bounds_format(row, bounds, sizeof(bounds));
	return fail(err, "%.*s is out of range; it must be %s", text.length,
		    text.start, bounds);
}

static bool
parse_time(const struct mta_param *row, struct span s, int32_t *seconds,
	   struct err_text err)
{
	struct whole w = read_whole(s);
	const char *end = s.start + s.length;
	const struct time_unit *unit;
	size_t word;

	if (w.after == NULL || has_leading_zero(s))
		return fail(err,
			    "'%.*s' is not a time; write a whole number "
			    "and s, m, h, d or w, as 300s",
			    s.length, s.start);
	unit = find_unit(w.after < end ? *w.after : *mta_param_unit(row));
	if (unit == NULL)
		return fail(err,
			    "'%.*s': the number must be whole and s, m, "
			    "h, d or w may follow it at once, as 300s",
			    s.length, s.start);
	/* Only the first letter counts; do not let the others say more. */
	word = (size_t)(end - w.after);
	if (word > strlen(unit->name) || memcmp(w.after, unit->name, word) != 0)
		return fail(err,
			    "'%.*s': Postfix would read %.*s %s; write "
			    "%.*s%c for that, a time is a whole number of "
			    "seconds at least",
			    s.length, s.start, (int)(w.after - s.start),
			    s.start, unit->name, (int)(w.after - s.start),
			    s.start, unit->letter);
	if (w.value > INT64_MAX / unit->seconds)
		w.value = INT64_MAX;
	else if (w.value < 0)
		w.value = -1; /* out of every range, and no overflow */
	else
		w.value *= unit->seconds;
	if (!check_bounds(row, w.value, s, err))
		return false;
	*seconds = (int32_t)w.value;
	return true;
}

static bool
parse_whole(const struct mta_param *row, struct span s, int64_t *number,
	    struct err_text err)
{
	struct whole w = read_whole(s);

	if (w.after != s.start + s.length || has_leading_zero(s)) {
		if (row->kind == MTA_PARAM_BYTES)
			return fail(err,
				    "'%.*s' is not a number of bytes; "
				    "Postfix reads digits alone, as 10240000",
				    s.length, s.start);
		return fail(err,
			    "'%.*s' is not a whole number; Postfix reads "
			    "digits alone, as 100",
			    s.length, s.start);
	}
	if (!check_bounds(row, w.value, s, err))
		return false;
	*number = w.value;
	return true;
}

/* ---- yes and no ---- */

static bool
is_word(struct span s, const char *word)
{
	int i;

	for (i = 0; i < s.length && word[i] != '\0'; i++) {
		char c = s.start[i];

		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if (c != word[i])
			return false;
	}
	return i == s.length && word[i] == '\0';
}

static bool
parse_flag(struct span s, bool *flag, struct err_text err)
{
	*flag = is_word(s, "yes") || is_word(s, "true");
	if (*flag || is_word(s, "no") || is_word(s, "false"))
		return true;
	return fail(err, "'%.*s' is neither yes nor no", s.length, s.start);
}

/* ---- Feedback ---- */

enum {
	DECIMAL_DIGITS_MAX = 15
}; /* exact in a double, so is the quotient */

/* A decimal without sign and exponent, as 0.25; all of the span. */
static bool
read_decimal(struct span s, double *out)
{
	int64_t digits = 0;
	int64_t scale = 1;
	int count = 0;
	bool has_point = false;
	int i;

	for (i = 0; i < s.length; i++) {
		if (s.start[i] == '.' && !has_point) {
			has_point = true;
			continue;
		}
		if (!is_digit(s.start[i]) || count == DECIMAL_DIGITS_MAX)
			return false;
		digits = digits * 10 + (s.start[i] - '0');
		if (has_point)
			scale *= 10;
		count++;
	}
	*out = (double)digits / (double)scale;
	return count > 0;
}

static bool
read_denominator(struct span s, struct mta_feedback *f)
{
	f->denominator = 1;
	if (is_word(s, "concurrency")) {
		f->kind = MTA_FEEDBACK_PER_WINDOW;
		return true;
	}
	if (is_word(s, "sqrt_concurrency")) {
		f->kind = MTA_FEEDBACK_PER_SQRT_WINDOW;
		return true;
	}
	return read_decimal(s, &f->denominator) &&
	       f->denominator >= 1.0 / INT32_MAX;
}

/* R-FEEDBACK-TEXT */
static bool
parse_feedback(struct span s, struct mta_feedback *out, struct err_text err)
{
	struct mta_feedback f = {.kind = MTA_FEEDBACK_PLAIN, .denominator = 1};
	const char *slash = memchr(s.start, '/', (size_t)s.length);
	struct span left = s;
	bool is_good = true;

	if (slash != NULL) {
		int place = (int)(slash - s.start);
		struct span right = {.start = slash + 1,
				     .length = s.length - place - 1};

		left.length = place;
		left = trimmed(left);
		is_good = read_denominator(trimmed(right), &f);
	}
	if (!is_good || !read_decimal(left, &f.numerator))
		return fail(err,
			    "'%.*s' is no feedback; write 1, 0.25, 1/4, "
			    "1/concurrency or 1/sqrt_concurrency (Postfix "
			    "would warn and use 1)",
			    s.length, s.start);
	if (f.numerator / f.denominator > 1)
		return fail(err,
			    "%.*s is out of range; it must be 0 to 1 "
			    "(Postfix would warn and use 1)",
			    s.length, s.start);
	*out = f;
	return true;
}

/* ---- Any kind ---- */

bool
mta_param_parse(const struct mta_param *row, const char *text,
		union mta_param_value *out, char *err, size_t err_size_bytes)
{
	struct err_text e = {.text = err, .size_bytes = err_size_bytes};
	struct span s = {.start = text, .length = (int)strlen(text)};
	int64_t number = 0;

	s = trimmed(s);
	if (s.length == 0)
		return fail(e, "the value is missing");
	if (memchr(s.start, '$', (size_t)s.length) != NULL)
		return fail(e,
			    "'%.*s': $name is not expanded here; write the "
			    "value itself",
			    s.length, s.start);
	switch (row->kind) {
	case MTA_PARAM_TIME:
		return parse_time(row, s, &out->number, e);
	case MTA_PARAM_INT:
		if (!parse_whole(row, s, &number, e))
			return false;
		out->number = (int32_t)number;
		return true;
	case MTA_PARAM_BYTES:
		return parse_whole(row, s, &out->bytes, e);
	case MTA_PARAM_BOOL:
		return parse_flag(s, &out->flag, e);
	case MTA_PARAM_FEEDBACK:
		return parse_feedback(s, &out->feedback, e);
	case MTA_PARAM_TEXT:
		break;
	}
	mta_assert(row->kind != MTA_PARAM_TEXT);
	return false;
}

/* ---- To text ---- */

/* In the unit of the default where that is exact. */
static int
format_time(const struct mta_param *row, int32_t seconds, char *buf,
	    size_t size_bytes)
{
	const struct time_unit *unit = find_unit(*mta_param_unit(row));

	if (unit != NULL && seconds % unit->seconds == 0)
		return snprintf(buf, size_bytes, "%d%c",
				(int)(seconds / unit->seconds), unit->letter);
	return snprintf(buf, size_bytes, "%ds", (int)seconds);
}

static int
format_feedback(const struct mta_feedback *f, char *buf, size_t size_bytes)
{
	const char *over = "";

	switch (f->kind) {
	case MTA_FEEDBACK_PLAIN:
		if (f->denominator < 1 || f->denominator > 1)
			return snprintf(buf, size_bytes, "%.15g/%.15g",
					f->numerator, f->denominator);
		break;
	case MTA_FEEDBACK_PER_WINDOW:
		over = "/concurrency";
		break;
	case MTA_FEEDBACK_PER_SQRT_WINDOW:
		over = "/sqrt_concurrency";
		break;
	}
	return snprintf(buf, size_bytes, "%.15g%s", f->numerator, over);
}

int
mta_param_value_format(const struct mta_param *row,
		       const union mta_param_value *value, char *buf,
		       size_t size_bytes)
{
	switch (row->kind) {
	case MTA_PARAM_TIME:
		return format_time(row, value->number, buf, size_bytes);
	case MTA_PARAM_INT:
		return snprintf(buf, size_bytes, "%d", (int)value->number);
	case MTA_PARAM_BYTES:
		return snprintf(buf, size_bytes, "%lld",
				(long long)value->bytes);
	case MTA_PARAM_BOOL:
		return snprintf(buf, size_bytes, "%s",
				value->flag ? "yes" : "no");
	case MTA_PARAM_FEEDBACK:
		return format_feedback(&value->feedback, buf, size_bytes);
	case MTA_PARAM_TEXT:
		break;
	}
	mta_assert(row->kind != MTA_PARAM_TEXT);
	return 0;
}

int
mta_param_bounds_format(const struct mta_param *row, char *buf,
			size_t size_bytes)
{
	const char *unit = row->kind == MTA_PARAM_TIME ? "s" : "";

	switch (row->kind) {
	case MTA_PARAM_TEXT:
		return snprintf(buf, size_bytes, "%s", "");
	case MTA_PARAM_BOOL:
		return snprintf(buf, size_bytes, "yes or no");
	case MTA_PARAM_TIME:
	case MTA_PARAM_INT:
	case MTA_PARAM_BYTES:
	case MTA_PARAM_FEEDBACK:
		break;
	}
	if (row->most >= INT32_MAX)
		return snprintf(buf, size_bytes, "at least %lld%s",
				(long long)row->least, unit);
	return snprintf(buf, size_bytes, "%lld%s to %lld%s",
			(long long)row->least, unit, (long long)row->most,
			unit);
}
