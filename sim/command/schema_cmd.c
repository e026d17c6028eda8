/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sections become definitions, rows their properties. Values are written as
 * strings or as what YAML makes of them, so that types are those of the
 * language (a pattern for a time, one for a rate) and plain numbers pass where
 * they mean the same. Keys that the table calls special have their shape here,
 * in a small table of texts; a special key without one is not restricted.
 */
#include "sim/command/commands.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "mta/params.h"
#include "sim/base/exit_code.h"
#include "sim/scenario/schema.h"

/* Braces of JSON are written as they are; {"type": ...} in one piece. */
#define REF(name)    "{\"$ref\": \"#/definitions/" name "\"}"
#define TEXT	     "{\"type\": \"string\"}"
#define LIST_OF(x)   "{\"type\": \"array\", \"items\": " x "}"
#define EITHER(x, y) "{\"anyOf\": [" x ", " y "]}"
#define ANYTHING     "{}"
#define WORDS(w)     "{\"enum\": [" w "]}"
#define MAP_OF(x)    "{\"type\": \"object\", \"additionalProperties\": " x "}"

/* A map with this key and no other. */
#define ONLY(key, x)                                                           \
	"{\"type\": \"object\", \"properties\": {\"" key "\": " x              \
	"}, \"required\": [\"" key "\"], \"additionalProperties\": false}"

/* ---- special shapes ----------------------------------------------------- */

static const struct {
	enum schema_section section;
	const char *name;
	const char *shape;
} specials[] = {
	{SCHEMA_ROOT, "mta", REF("mta")},
	{SCHEMA_ROOT, "bounces_to", REF("receiver-use")},
	{SCHEMA_ROOT, "expect", LIST_OF(TEXT)},
	{SCHEMA_ROOT, "files", MAP_OF(TEXT)},
	{SCHEMA_FAILS, "pattern", LIST_OF(WORDS("0, 1"))},
	{SCHEMA_LAW, "mixture", LIST_OF("{\"type\": \"object\"}")},
	{SCHEMA_DOMAIN, "receiver", REF("receiver-use")},
	{SCHEMA_SOURCE, "arrivals", REF("sources.NAME.arrivals")},
	{SCHEMA_SOURCE, "to", REF("to")},
	{SCHEMA_SOURCE, "via",
	 EITHER(WORDS("\"smtp\", \"sendmail\""), ONLY("sendmail", TEXT))},
	{SCHEMA_ARRIVALS, "times", LIST_OF(REF("signed-time"))},
	{SCHEMA_DAILY, "hours", LIST_OF(REF("number"))},
	{SCHEMA_DAILY, "days", LIST_OF(REF("number"))},
	{SCHEMA_START, "postqueue", TEXT},
	{SCHEMA_START, "to", REF("to")},
	{SCHEMA_ACTION, "set", REF("mta")},
	{SCHEMA_ACTION, "where",
	 EITHER(WORDS("\"ALL\""), REF("operator.where"))},
	{SCHEMA_ACTION, "postqueue",
	 EITHER(WORDS("\"flush\""),
		EITHER(ONLY("site", TEXT), ONLY("id", TEXT)))},
	{SCHEMA_ACTION, "crash",
	 EITHER(WORDS("\"qmgr\""), ONLY("agent", TEXT))},
};

/* Types of the language, and shapes that several keys have. Patterns are those
 * of the table at the head of docs/scenario.md. */
#define NUMBER	   "(0|[1-9][0-9]*)([.][0-9]+)?"
#define STRING(p)  "{\"type\": \"string\", \"pattern\": \"^" p "$\"}"
#define TIME(sign) STRING("(0|" sign NUMBER "(us|ms|s|m|h|d|w))")
#define RECEIVER   EITHER(TEXT, REF("receivers.NAME"))
#define WEIGHTS	   MAP_OF(REF("number"))
#define ZIPF	   ONLY("zipf", REF("sources.NAME.to.zipf"))
#define CYCLE	   ONLY("cycle", LIST_OF(TEXT))

static const struct {
	const char *name;
	const char *shape;
} types[] = {
	{"time", EITHER(WORDS("0"), TIME(""))},
	{"signed-time", EITHER(WORDS("0"), TIME("-?"))},
	{"rate", STRING(NUMBER "/(s|min|h|d)")},
	{"size", EITHER("{\"type\": \"integer\", \"minimum\": 0}",
			STRING(NUMBER "(B|KB|KiB|MB|MiB|GB|GiB)?"))},
	{"share", EITHER("{\"type\": \"number\", \"minimum\": 0, "
			 "\"maximum\": 1}",
			 STRING(NUMBER "%?"))},
	{"number", EITHER("{\"type\": \"number\"}", STRING("-?" NUMBER))},
	{"text", "{\"type\": [\"string\", \"number\", \"boolean\"]}"},
	{"name", "{\"type\": [\"string\", \"number\", \"boolean\"], "
		 "\"minLength\": 1}"},
	{"value", "{\"type\": [\"string\", \"number\"]}"},
	{"law", EITHER(REF("value"), REF("a-law"))},
	{"receiver-use", EITHER(RECEIVER, ONLY("each", RECEIVER))},
	{"to", EITHER(EITHER(TEXT, ZIPF), EITHER(CYCLE, WEIGHTS))},
};

static const char *
special_shape(const struct schema_key *key)
{
	for (size_t i = 0; i < sizeof(specials) / sizeof(specials[0]); i++) {
		if (specials[i].section == key->section &&
		    strcmp(specials[i].name, key->name) == 0)
			return specials[i].shape;
	}
	return NULL;
}

/* ---- one key ------------------------------------------------------------ */

static void
print_text(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putchar('\\');
		putchar(*text);
	}
	putchar('"');
}

/* A title as the name of a definition, which is a part of a URI. */
static void
print_name(const char *title)
{
	for (; *title; title++)
		putchar(*title == ' ' || *title == '/' ? '-' : *title);
}

static void
print_ref(const char *title)
{
	printf("{\"$ref\": \"#/definitions/");
	print_name(title);
	printf("\"}");
}

/* A word that looks like a number may be written without quotes. */
static void
print_words(const char *words)
{
	const char *before = "";

	printf("{\"enum\": [");
	while (*words) {
		size_t length = strcspn(words, " ");
		bool is_number = strspn(words, "0123456789") == length;

		printf("%s\"%.*s\"", before, (int)length, words);
		if (is_number)
			printf(", %.*s", (int)length, words);
		before = ", ";
		words += length;
		words += strspn(words, " ");
	}
	printf("]}");
}

/* "list of client, sender": the table has the words themselves. False: it says
 * something else. */
static bool
print_word_list(const char *words)
{
	static const char start[] = "list of ";
	const char *before = "";

	if (strncmp(words, start, strlen(start)) != 0)
		return false;
	printf("{\"type\": \"array\", \"items\": {\"enum\": [");
	for (words += strlen(start); *words; words += strspn(words, ", ")) {
		size_t length = strcspn(words, ", ");

		printf("%s\"%.*s\"", before, (int)length, words);
		before = ", ";
		words += length;
	}
	printf("]}}");
	return true;
}

static void
print_integer(const struct schema_key *key)
{
	printf("{\"type\": \"integer\", \"minimum\": %lld, \"maximum\": %lld}",
	       (long long)key->least, (long long)key->most);
}

static void
print_container(const struct schema_key *key)
{
	const char *title = schema_section_title(key->child);

	if (key->type == SCHEMA_TYPE_LIST)
		printf("{\"type\": \"array\", \"items\": ");
	else if (key->type == SCHEMA_TYPE_NAMED)
		printf("{\"type\": \"object\", \"additionalProperties\": ");
	print_ref(title);
	if (key->type != SCHEMA_TYPE_MAP)
		putchar('}');
}

static void
print_special(const struct schema_key *key)
{
	const char *shape = special_shape(key);

	if (shape)
		fputs(shape, stdout);
	else if (!print_word_list(key->words))
		fputs(ANYTHING, stdout);
}

static void
print_shape(const struct schema_key *key)
{
	switch (key->type) {
	case SCHEMA_TYPE_TIME:
		print_ref("time");
		return;
	case SCHEMA_TYPE_SIGNED_TIME:
		print_ref("signed-time");
		return;
	case SCHEMA_TYPE_RATE:
		print_ref("rate");
		return;
	case SCHEMA_TYPE_SIZE:
		print_ref("size");
		return;
	case SCHEMA_TYPE_SHARE:
		print_ref("share");
		return;
	case SCHEMA_TYPE_INTEGER:
		print_integer(key);
		return;
	case SCHEMA_TYPE_NUMBER:
		print_ref("number");
		return;
	case SCHEMA_TYPE_BOOLEAN:
		printf("{\"enum\": [true, false, \"yes\", \"no\"]}");
		return;
	case SCHEMA_TYPE_TEXT:
		print_ref("text");
		return;
	case SCHEMA_TYPE_NAME:
		print_ref("name");
		return;
	case SCHEMA_TYPE_WORD:
		print_words(key->words);
		return;
	case SCHEMA_TYPE_LAW:
		print_ref("law");
		return;
	case SCHEMA_TYPE_MAP:
	case SCHEMA_TYPE_LIST:
	case SCHEMA_TYPE_NAMED:
		print_container(key);
		return;
	case SCHEMA_TYPE_SPECIAL:
		print_special(key);
		return;
	}
}

/* Beside $ref nothing counts in draft-07, hence allOf. */
static void
print_property(const struct schema_key *key)
{
	printf("        ");
	print_text(key->name);
	printf(": {\"description\": ");
	print_text(key->help);
	if (key->default_text && *key->default_text) {
		printf(", \"default\": ");
		print_text(key->default_text);
	}
	printf(", \"allOf\": [");
	print_shape(key);
	printf("]}");
}

/* ---- sections ----------------------------------------------------------- */

static void
print_required(const struct schema_key *key, size_t count)
{
	const char *before = ",\n      \"required\": [";
	bool is_open = false;

	for (size_t i = 0; i < count; i++) {
		if (key[i].default_text)
			continue;
		fputs(before, stdout);
		print_text(key[i].name);
		before = ", ";
		is_open = true;
	}
	if (is_open)
		putchar(']');
}

/* The object of a section, without its last brace's line end. */
static void
print_section(enum schema_section section)
{
	size_t count;
	const struct schema_key *key = schema_section_keys(section, &count);

	printf("{\n      \"type\": \"object\",\n      \"description\": ");
	print_text(schema_section_help(section));
	printf(",\n      \"additionalProperties\": false");
	print_required(key, count);
	printf(",\n      \"properties\": {\n");
	for (size_t i = 0; i < count; i++) {
		print_property(&key[i]);
		puts(i + 1 < count ? "," : "");
	}
	printf("      }\n    }");
}

/* Behind its name: a parameter has its value as in main.cf. */
static void
print_parameter(const struct mta_param *row)
{
	printf(": {\"description\": ");
	print_text(row->help);
	printf(", \"allOf\": [");
	print_ref("text");
	printf("]}");
}

/* Forms of transports have any name before. */
static void
print_mta(void)
{
	const char *before = "";

	printf("    \"mta\": {\n      \"type\": \"object\",\n"
	       "      \"additionalProperties\": false,\n"
	       "      \"properties\": {\n");
	for (size_t i = 0; i < mta_param_count(); i++) {
		const struct mta_param *row = mta_param_at(i);

		if (row->is_transport_form)
			continue;
		printf("%s        ", before);
		print_text(row->name);
		print_parameter(row);
		before = ",\n";
	}
	printf("\n      },\n      \"patternProperties\": {\n");
	before = "";
	for (size_t i = 0; i < mta_param_count(); i++) {
		const struct mta_param *row = mta_param_at(i);

		if (!row->is_transport_form)
			continue;
		printf("%s        \"^.+%s$\"", before, row->name);
		print_parameter(row);
		before = ",\n";
	}
	printf("\n      }\n    }");
}

static void
print_schema(enum schema_section top, const char *title)
{
	printf("{\n  \"$schema\": \"http://json-schema.org/draft-07/schema#\","
	       "\n  \"title\": \"%s\",\n",
	       title);
	printf("  \"allOf\": [");
	print_ref(schema_section_title(top));
	printf("],\n  \"definitions\": {\n");
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		printf("    \"%s\": %s,\n", types[i].name, types[i].shape);
	print_mta();
	for (int s = SCHEMA_NONE + 1; s < SCHEMA_SECTIONS; s++) {
		printf(",\n    \"");
		print_name(schema_section_title((enum schema_section)s));
		printf("\": ");
		print_section((enum schema_section)s);
	}
	printf("\n  }\n}\n");
}

int
schema_main(int argc, char **argv)
{
	static const char usage[] =
		"usage: mtasim schema [--profile]\n"
		"print the JSON Schema of a scenario, or of a profile\n";

	if (argc > 1 && strcmp(argv[1], "--help") == 0) {
		printf("%s", usage);
		return EXIT_CODE_OK;
	}
	if (argc == 1) {
		print_schema(SCHEMA_ROOT, "mtasim scenario");
	} else if (argc == 2 && strcmp(argv[1], "--profile") == 0) {
		print_schema(SCHEMA_PROFILE, "mtasim profile");
	} else {
		fprintf(stderr, "%s", usage);
		return EXIT_CODE_USAGE;
	}
	return EXIT_CODE_OK;
}
