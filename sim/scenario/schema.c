/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * schema.def turned into rows, and the rows into words. The macros here give
 * each kind of line its row; offsets are taken from the structs that the
 * sections' readers fill, so a renamed field does not compile.
 */
#include "sim/scenario/schema.h"

#include <stdbool.h>
#include <string.h>

#include "model/arrival.h"
#include "sim/scenario/scenario.h"
#include "sim/scenario/scenario_parts.h"

#define ROW(s, n, t, d, o, lo, hi, w, c, h)                                    \
	{.section = SCHEMA_##s,                                                \
	 .name = n,                                                            \
	 .type = SCHEMA_TYPE_##t,                                              \
	 .default_text = d,                                                    \
	 .offset = o,                                                          \
	 .least = lo,                                                          \
	 .most = hi,                                                           \
	 .words = w,                                                           \
	 .child = SCHEMA_##c,                                                  \
	 .help = h},
#define AT(tag, field) offsetof(struct tag, field)
#define BY_CODE	       SCHEMA_NO_FIELD
#define REQUIRED       NULL
#define OPTIONAL       ""

static const struct schema_key keys[] = {
#define KEY(s, n, t, d, o, h) ROW(s, n, t, d, o, 0, 0, "", NONE, h)
#define COST(s, n, o, h)                                                       \
	ROW(s, n, TIME, "0s", o, 0, INT64_C(3600000000), "", NONE, h)
#define WHOLE(s, n, d, o, lo, hi, h)                                           \
	ROW(s, n, INTEGER, d, o, lo, hi, "", NONE, h)
#define CHOICE(s, n, d, o, w, h)	 ROW(s, n, WORD, d, o, 0, 0, w, NONE, h)
#define CHOICE_FROM(s, n, d, o, f, w, h) ROW(s, n, WORD, d, o, f, 0, w, NONE, h)
#define DRAWN(s, n, d, o, w, h)		 ROW(s, n, LAW, d, o, 0, 0, w, NONE, h)
#define NESTED(s, n, t, d, o, c, h)	 ROW(s, n, t, d, o, 0, 0, "", c, h)

#define SPECIAL(s, n, d, w, h) ROW(s, n, SPECIAL, d, BY_CODE, 0, 0, w, NONE, h)
#include "sim/scenario/schema.def"
};

enum {
	KEY_COUNT = sizeof(keys) / sizeof(keys[0])
};

struct section_text {
	const char *title;
	const char *help;
};

static const struct section_text sections[] = {
	[SCHEMA_NONE] = {"", ""},
#define SECTION(id, t, h) [SCHEMA_##id] = {.title = t, .help = h},
#include "sim/scenario/schema.def"
};

const struct schema_key *
schema_keys(size_t *count)
{
	*count = KEY_COUNT;
	return keys;
}

const struct schema_key *
schema_section_keys(enum schema_section section, size_t *count)
{
	size_t first = 0;
	_Static_assert(KEY_COUNT < 512, "what the steps reach");
	/* Rows are in the order of sections. */
	for (size_t step = 256; step > 0; step /= 2) {
		if (first + step <= KEY_COUNT &&
		    keys[first + step - 1].section < section)
			first += step;
	}
	size_t end = first;
	while (end < KEY_COUNT && keys[end].section == section)
		end++;
	*count = end - first;
	return &keys[first < KEY_COUNT ? first : 0];
}

const struct schema_key *
schema_find(enum schema_section section, const char *name)
{
	size_t count;
	const struct schema_key *key = schema_section_keys(section, &count);
	for (; count > 0; key++, count--) {
		if (!strcmp(key->name, name))
			return key;
	}
	return NULL;
}

const char *
schema_section_title(enum schema_section section)
{
	return sections[section].title;
}

const char *
schema_section_help(enum schema_section section)
{
	return sections[section].help;
}

static void
words_print(const char *words, FILE *out)
{
	for (; *words; words++) {
		if (*words == ' ')
			fputs(", ", out);
		else
			fputc(*words, out);
	}
}

static void
integer_print(const struct schema_key *key, FILE *out)
{
	fputs("whole number", out);
	if (key->most < INT32_MAX)
		fprintf(out, ", %lld to %lld", (long long)key->least,
			(long long)key->most);
	else if (key->least != 0)
		fprintf(out, ", at least %lld", (long long)key->least);
}

/* "time", "whole number, at least 1", "one of hold, discard": for people. */
static void
type_print(const struct schema_key *key, FILE *out)
{
	switch (key->type) {
	case SCHEMA_TYPE_TIME:
		fputs("time", out);
		return;
	case SCHEMA_TYPE_SIGNED_TIME:
		fputs("time, may be negative", out);
		return;
	case SCHEMA_TYPE_RATE:
		fputs("rate", out);
		return;
	case SCHEMA_TYPE_SIZE:
		fputs("size", out);
		return;
	case SCHEMA_TYPE_SHARE:
		fputs("share", out);
		return;
	case SCHEMA_TYPE_INTEGER:
		integer_print(key, out);
		return;
	case SCHEMA_TYPE_NUMBER:
		fputs("number", out);
		return;
	case SCHEMA_TYPE_BOOLEAN:
		fputs("true or false", out);
		return;
	case SCHEMA_TYPE_TEXT:
	case SCHEMA_TYPE_NAME:
		fputs("text", out);
		return;
	case SCHEMA_TYPE_WORD:
		fputs("one of ", out);
		words_print(key->words, out);
		return;
	case SCHEMA_TYPE_LAW:
		fprintf(out, "law of a %s", key->words);
		return;
	case SCHEMA_TYPE_MAP:
		fprintf(out, "map, see %s", sections[key->child].title);
		return;
	case SCHEMA_TYPE_LIST:
		fprintf(out, "list, see %s", sections[key->child].title);
		return;
	case SCHEMA_TYPE_NAMED:
		fprintf(out, "map by name, see %s", sections[key->child].title);
		return;
	case SCHEMA_TYPE_SPECIAL:
		fputs(key->words, out);
		return;
	}
}

static void
key_print(const struct schema_key *key, FILE *out)
{
	fprintf(out, "| `%s` | ", key->name);
	type_print(key, out);
	if (!key->default_text)
		fputs(" | required", out);
	else if (*key->default_text)
		fprintf(out, " | `%s`", key->default_text);
	else
		fputs(" |", out);
	fprintf(out, " | %s |\n", key->help);
}

void
schema_print_reference(FILE *out)
{
	enum schema_section last = SCHEMA_NONE;
	for (size_t i = 0; i < KEY_COUNT; i++) {
		const struct schema_key *key = &keys[i];
		if (key->section != last) {
			last = key->section;
			fprintf(out,
				"%s### %s\n\n%s\n\n"
				"| key | value | default | meaning |\n"
				"|---|---|---|---|\n",
				i ? "\n" : "", sections[last].title,
				sections[last].help);
		}
		key_print(key, out);
	}
}
