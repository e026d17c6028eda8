/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A stack of open containers decides what stands before a value: a comma, a
 * new line and its indent, or a blank within a row. jansson reads JSON for us,
 * but it prints doubles and orders members by its own rules, and it needs the
 * whole tree in memory.
 */
#include "sim/base/json_out.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "sim/base/table_out.h"
#include "sim/base/utf8.h"

void
json_out_init(struct json_out *json, FILE *file)
{
	*json = (struct json_out){.file = file};
}

static bool
is_object(enum json_out_kind kind)
{
	return kind == JSON_OUT_OBJECT || kind == JSON_OUT_ROW;
}

static bool
is_one_line(const struct json_out *json)
{
	enum json_out_kind kind = json->kind[json->depth - 1];
	return kind == JSON_OUT_ROW || kind == JSON_OUT_LIST;
}

static void
new_line(struct json_out *json)
{
	fputc('\n', json->file);
	for (int i = 0; i < json->depth; i++)
		fputs("  ", json->file);
}

static void
put_escaped(FILE *file, unsigned char c)
{
	switch (c) {
	case '"':
		fputs("\\\"", file);
		return;
	case '\\':
		fputs("\\\\", file);
		return;
	case '\n':
		fputs("\\n", file);
		return;
	case '\t':
		fputs("\\t", file);
		return;
	}
	if (c < 0x20 || c == 0x7f)
		fprintf(file, "\\u%04x", (unsigned)c);
	else
		fputc(c, file);
}

/* The bytes at `text` that are written as they are. */
static size_t
plain_length(const unsigned char *text)
{
	size_t n = 0;

	while (text[n] >= 0x20 && text[n] < 0x7f && text[n] != '"' &&
	       text[n] != '\\')
		n++;
	return n;
}

static void
put_text(FILE *file, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	fputc('"', file);
	while (*p) {
		size_t plain = plain_length(p);
		fwrite(p, 1, plain, file);
		p += plain;
		if (!*p)
			break;
		size_t length = utf8_length(p);
		if (length == 0)
			fputs("\xef\xbf\xbd", file);
		else if (length == 1)
			put_escaped(file, *p);
		else
			fwrite(p, 1, length, file);
		p += length ? length : 1;
	}
	fputc('"', file);
}

/* All that stands before a value. */
static void
begin_value(struct json_out *json, const char *key)
{
	if (json->depth == 0) {
		assert(!key);
		return;
	}
	int top = json->depth - 1;
	assert(is_object(json->kind[top]) == (key != NULL));
	if (json->filled[top])
		fputc(',', json->file);
	if (!is_one_line(json))
		new_line(json);
	else if (json->filled[top])
		fputc(' ', json->file);
	json->filled[top] = true;
	if (key) {
		put_text(json->file, key);
		fputs(": ", json->file);
	}
}

void
json_out_open(struct json_out *json, const char *key, enum json_out_kind kind)
{
	assert(json->depth < JSON_OUT_DEPTH);
	begin_value(json, key);
	/* What is within a row is in its line too. */
	if (json->depth > 0 && is_one_line(json))
		kind = is_object(kind) ? JSON_OUT_ROW : JSON_OUT_LIST;
	json->kind[json->depth] = kind;
	json->filled[json->depth] = false;
	json->depth++;
	fputc(is_object(kind) ? '{' : '[', json->file);
}

void
json_out_close(struct json_out *json)
{
	assert(json->depth > 0);
	int top = json->depth - 1;
	bool lines = !is_one_line(json) && json->filled[top];
	json->depth--;
	if (lines)
		new_line(json);
	fputc(is_object(json->kind[top]) ? '}' : ']', json->file);
}

bool
json_out_finish(struct json_out *json)
{
	assert(json->depth == 0);
	fputc('\n', json->file);
	return fflush(json->file) == 0 && !ferror(json->file);
}

void
json_out_null(struct json_out *json, const char *key)
{
	begin_value(json, key);
	fputs("null", json->file);
}

void
json_out_text(struct json_out *json, const char *key, const char *text)
{
	if (!text) {
		json_out_null(json, key);
		return;
	}
	begin_value(json, key);
	put_text(json->file, text);
}

void
json_out_integer(struct json_out *json, const char *key, int64_t number)
{
	char text[24];
	*table_out_put_integer(text, number) = '\0';
	begin_value(json, key);
	fputs(text, json->file);
}

void
json_out_double(struct json_out *json, const char *key, double number)
{
	char text[32];
	if (!isfinite(number)) {
		json_out_null(json, key);
		return;
	}
	/* -0 and 0 are one value. */
	snprintf(text, sizeof(text), "%.9g", number == 0 ? 0.0 : number);
	for (char *p = text; *p; p++) {
		if (!strchr("0123456789+-e", *p))
			*p = '.';
	}
	begin_value(json, key);
	fputs(text, json->file);
}

void
json_out_boolean(struct json_out *json, const char *key, bool truth)
{
	begin_value(json, key);
	fputs(truth ? "true" : "false", json->file);
}

void
json_out_seconds(struct json_out *json, const char *key, int64_t us)
{
	/* The magnitude is unsigned: the least int64_t has no positive twin. */
	uint64_t size = us < 0 ? 0 - (uint64_t)us : (uint64_t)us;
	unsigned rest = (unsigned)(size % 1000000);
	char text[32];
	char *at = text;
	if (us < 0)
		*at++ = '-';
	at = table_out_put_integer(at, (int64_t)(size / 1000000));
	if (rest > 0)
		*at++ = '.';
	for (; rest > 0; rest %= 1000000) {
		rest *= 10;
		*at++ = (char)('0' + rest / 1000000);
	}
	*at = '\0';
	begin_value(json, key);
	fputs(text, json->file);
}
