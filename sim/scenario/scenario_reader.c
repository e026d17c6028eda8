/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading a map by the rows of its section. One loop for all sections: the
 * rows say what a key is called, what type its value has, and where it goes;
 * code of a section's own is needed for nested things only.
 */
#include "sim/scenario/scenario_reader.h"

#include <stdlib.h>
#include <string.h>

#include "mta/panic.h"

void
reader_complain(struct reader *r, const struct tree_node *node,
		const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	char *text = memory_vprint(format, arguments);
	va_end(arguments);
	complaints_add(r->complaints, node->at, tree_path(r->tree, node), "%s",
		       text);
	free(text);
}

void
reader_complain_key(struct reader *r, const struct tree_node *node,
		    const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	char *text = memory_vprint(format, arguments);
	va_end(arguments);
	struct place at = node->key ? node->key_at : node->at;
	complaints_add(r->complaints, at, tree_path(r->tree, node), "%s", text);
	free(text);
}

void
reader_warn_key(struct reader *r, const struct tree_node *node,
		const char *format, ...)
{
	va_list arguments;
	if (!r->options || !r->options->warnings)
		return;
	va_start(arguments, format);
	char *text = memory_vprint(format, arguments);
	va_end(arguments);
	complaints_add(r->options->warnings, node->key_at,
		       tree_path(r->tree, node), "warning: %s", text);
	free(text);
}

const char *
reader_did_you_mean(struct reader *r, const struct name_nearest *nearest)
{
	if (!nearest->best)
		return "";
	return arena_print(r->arena, "; did you mean %s?", nearest->best);
}

bool
reader_may_suggest(struct reader *r)
{
	if (!r->suggestions)
		return false;
	r->suggestions--;
	return true;
}

void
reader_judge(struct reader *r, const struct tree_node *map, const char *error)
{
	if (!error)
		return;
	size_t size = strcspn(error, ":");
	const struct tree_node *key =
		tree_get(map, arena_copy(r->arena, error, size));
	if (key && error[size])
		reader_complain(r, key, "%s", error + size + 2);
	else
		reader_complain(r, map, "%s", error);
}

static const char *
kind_name(enum tree_kind kind)
{
	switch (kind) {
	case TREE_SCALAR:
		return "a single value";
	case TREE_LIST:
		return "a list";
	case TREE_MAP:
		return "a map of keys";
	}
	return "";
}

bool
reader_want(struct reader *r, const struct tree_node *node, enum tree_kind kind)
{
	if (!node)
		return false;
	if (node->kind == kind)
		return true;
	bool nothing =
		node->kind == TREE_SCALAR && !node->quoted && !*node->text;
	reader_complain(r, node, "%s is wanted here, not %s", kind_name(kind),
			nothing ? "nothing" : kind_name(node->kind));
	return false;
}

/* Complains and answers "" if it is no scalar. */
static const char *
text_of(struct reader *r, const struct tree_node *node)
{
	if (!reader_want(r, node, TREE_SCALAR))
		return "";
	if (!*node->text && !node->quoted)
		reader_complain(r, node,
				"has no value; write \"\" for an "
				"empty text");
	return node->text;
}

const char *
reader_name(struct reader *r, const struct tree_node *node, const char *wanted)
{
	const char *text = text_of(r, node);
	if (node && node->kind == TREE_SCALAR && node->quoted && !*text)
		reader_complain(r, node, "must not be empty: %s", wanted);
	return text;
}

void
reader_want_key(struct reader *r, const struct tree_node *node)
{
	if (!*node->key)
		reader_complain_key(r, node, "a name must not be empty");
}

/* Take the next word of "a b c" off *words into a copy of the arena. */
static const char *
next_word(struct reader *r, const char **words)
{
	size_t size = strcspn(*words, " ");
	const char *word = arena_copy(r->arena, *words, size);
	*words += size;
	if (**words == ' ')
		++*words;
	return word;
}

static const char *
words_listed(struct reader *r, const char *words)
{
	char *listed = arena_print(r->arena, "%s", words);
	size_t count = 0;
	for (const char *p = words; *p; p++)
		count += *p == ' ';
	if (!count)
		return listed;
	char *wide = arena_alloc(r->arena, strlen(words) + count + 1, 1);
	char *to = wide;
	for (const char *p = words; *p; p++) {
		if (*p == ' ')
			*to++ = ',';
		*to++ = *p;
	}
	return wide;
}

bool
reader_has_blanks(const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text <= ' ' || *text == 0x7f)
			return true;
	}
	return false;
}

const char *
reader_near_word(struct reader *r, const char *words, const char *text)
{
	struct name_nearest nearest = {.wanted = text};
	while (*words)
		name_nearest_try(&nearest, next_word(r, &words));
	return reader_did_you_mean(r, &nearest);
}

int
reader_word(struct reader *r, const struct tree_node *node, const char *words)
{
	const char *text = text_of(r, node);
	int index = value_word(words, text);
	if (index >= 0 || !node || node->kind != TREE_SCALAR ||
	    (!*text && !node->quoted))
		return index;
	reader_complain(r, node, "'%s' is not %s%s%s", text,
			strchr(words, ' ') ? "one of " : "",
			words_listed(r, words),
			reader_near_word(r, words, text));
	return -1;
}

/* Store a word's index in an enum; all enums have the size of an int. */
static void
store_word(const struct schema_key *key, int index, void *to)
{
	unsigned value = (unsigned)key->least + (unsigned)index;
	_Static_assert(sizeof(enum scenario_kind) == sizeof(value),
		       "enums are stored as unsigned");
	memcpy(to, &value, sizeof(value));
}

static bool
time_of_text(const char *text, int64_t most_us, void *to,
	     struct value_error *why)
{
	int64_t us;
	if (!value_time(text, &us, why))
		return false;
	if (most_us > 0 && us > most_us) {
		snprintf(why->text, sizeof(why->text),
			 "'%.60s' is too long; at most %llds here", text,
			 (long long)(most_us / 1000000));
		return false;
	}
	memcpy(to, &us, sizeof(us));
	return true;
}

/* Read a text by its row; false, with `why`, if it is none such. */
static bool
value_of_text(const char *text, const struct schema_key *key, void *to,
	      struct value_error *why)
{
	switch (key->type) {
	case SCHEMA_TYPE_TIME:
		return time_of_text(text, key->most, to, why);
	case SCHEMA_TYPE_SIGNED_TIME:
		return value_signed_time(text, to, why);
	case SCHEMA_TYPE_RATE:
		return value_rate(text, to, why);
	case SCHEMA_TYPE_SIZE:
		return value_size(text, to, why);
	case SCHEMA_TYPE_SHARE:
		return value_share(text, to, why);
	case SCHEMA_TYPE_INTEGER:
		return value_integer(text, key->least, key->most, to, why);
	case SCHEMA_TYPE_NUMBER:
		return value_number(text, to, why);
	case SCHEMA_TYPE_BOOLEAN:
		return value_boolean(text, to, why);
	case SCHEMA_TYPE_TEXT:
	case SCHEMA_TYPE_NAME:
		memcpy(to, &text, sizeof(text));
		return true;
	case SCHEMA_TYPE_WORD:
	case SCHEMA_TYPE_LAW:
	case SCHEMA_TYPE_MAP:
	case SCHEMA_TYPE_LIST:
	case SCHEMA_TYPE_NAMED:
	case SCHEMA_TYPE_SPECIAL:
		break;
	}
	mta_panic(__FILE__, __LINE__, "a row of a plain value");
}

/* Read one scalar by its row. */
static bool
read_value(struct reader *r, const struct tree_node *node,
	   const struct schema_key *key, void *to)
{
	if (key->type == SCHEMA_TYPE_LAW) {
		struct law *law = reader_law(r, node, key->words);
		if (law)
			memcpy(to, &law, sizeof(law));
		return law != NULL;
	}
	if (key->type == SCHEMA_TYPE_WORD) {
		int index = reader_word(r, node, key->words);
		if (index >= 0)
			store_word(key, index, to);
		return index >= 0;
	}
	if (!reader_want(r, node, TREE_SCALAR))
		return false;
	const char *text = node->text;
	if (key->type == SCHEMA_TYPE_TEXT)
		text = text_of(r, node);
	if (key->type == SCHEMA_TYPE_NAME)
		text = reader_name(r, node, key->help);
	struct value_error why;
	bool ok = value_of_text(text, key, to, &why);
	if (!ok)
		reader_complain(r, node, "%s", why.text);
	return ok;
}

static void
set_default(struct reader *r, const struct schema_key *key, void *to)
{
	if (key->type == SCHEMA_TYPE_LAW) {
		struct law *law =
			reader_law_default(r, key->default_text, key->words);
		memcpy(to, &law, sizeof(law));
		return;
	}
	if (key->type == SCHEMA_TYPE_WORD) {
		int index = value_word(key->words, key->default_text);
		mta_assert(index >= 0);
		store_word(key, index, to);
		return;
	}
	struct value_error why;
	bool ok = value_of_text(key->default_text, key, to, &why);
	mta_assert(ok);
}

bool
reader_is_set(const struct tree_node *node)
{
	return node->at.source && !node->at.source->text;
}

bool
reader_has_names(const struct reader *r, const char *section)
{
	const struct tree_node *node = tree_get(r->tree->root, section);
	return !node || node->kind == TREE_MAP;
}

/* Returns the name that may have been meant, or NULL. */
static const char *
complain_unknown(struct reader *r, const struct tree_node *node,
		 const struct schema_key *rows, size_t count)
{
	struct name_nearest nearest = {.wanted = node->key};
	if (!strcmp(node->key, "<<"))
		return NULL; /* a merge key, which the tree has complained of */
	for (size_t i = 0; i < count; i++)
		name_nearest_try(&nearest, rows[i].name);
	const char *hint = reader_did_you_mean(r, &nearest);
	/* A domain's dots look like those of a path. */
	if (!*hint && node->kind == TREE_MAP && reader_is_set(node))
		hint = "; a name with dots stands in brackets, as in "
		       "domains[a.example].transport";
	reader_complain_key(r, node, "unknown key%s", hint);
	return nearest.best;
}

static const struct schema_key *
find_row(const struct schema_key *rows, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (!strcmp(rows[i].name, name))
			return &rows[i];
	}
	return NULL;
}

/* The key of a map that is required and not there is missed at the map. */
static void
complain_missing(struct reader *r, const struct tree_node *node,
		 const struct schema_key *key)
{
	reader_complain_key(r, node, "the key '%s' is missing: %s", key->name,
			    key->help);
}

void
reader_section(struct reader *r, const struct tree_node *node,
	       enum schema_section section, void *to)
{
	size_t count;
	const struct schema_key *rows = schema_section_keys(section, &count);
	char *base = to;
	for (size_t i = 0; i < count; i++) {
		bool field = base && rows[i].offset != SCHEMA_NO_FIELD;
		if (field && rows[i].default_text && *rows[i].default_text)
			set_default(r, &rows[i], base + rows[i].offset);
	}
	if (!reader_want(r, node, TREE_MAP))
		return;
	const char *meant = NULL;
	for (const struct tree_node *n = node->first; n; n = n->next) {
		const struct schema_key *row = find_row(rows, count, n->key);
		if (!row)
			meant = complain_unknown(r, n, rows, count);
		else if (base && row->offset != SCHEMA_NO_FIELD)
			read_value(r, n, row, base + row->offset);
	}
	for (size_t i = 0; i < count; i++) {
		const char *name = rows[i].name;
		/* A misspelt key is not missing as well. */
		if (!rows[i].default_text && !tree_get(node, name) &&
		    !(meant && !strcmp(meant, name)))
			complain_missing(r, node, &rows[i]);
	}
}

bool
reader_key(struct reader *r, const struct tree_node *map,
	   enum schema_section section, const char *name, void *to)
{
	const struct tree_node *node = tree_get(map, name);
	const struct schema_key *key = schema_find(section, name);
	mta_assert(key != NULL);
	return node && read_value(r, node, key, to);
}
