/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Collecting complaints and printing them with the line and a caret.
 *
 * A complaint is copied whole when it is noted, excerpt included, because the
 * text it is about is gone when the reader gives up. A text's index of lines
 * is built at its first complaint, so that many complaints cost no more than
 * one pass over the text. Lines are shown as they stand, except that bytes
 * which a terminal would not print become '?' and long lines are cut around
 * the place.
 */
#include "sim/base/complaint.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/arena.h"

enum {
	EXCERPT_MAX = 120,   /* characters of a line that are shown */
	EXCERPT_BEFORE = 60, /* of these before the place, if cut */
};

static void
source_index_lines(struct source_text *source)
{
	size_t count = 1;
	for (size_t i = 0; i < source->size; i++)
		count += source->text[i] == '\n';
	source->lines = memory_array(count + 1, sizeof(*source->lines));
	source->line_count = count;
	size_t line = 1;
	for (size_t i = 0; i < source->size; i++) {
		if (source->text[i] == '\n')
			source->lines[line++] = i + 1;
	}
	source->lines[count] = source->size + 1;
}

void
source_text_release(struct source_text *source)
{
	free(source->lines);
	free(source->owned);
	source->lines = NULL;
	source->owned = NULL;
	source->text = NULL;
	source->line_count = 0;
}

static bool
is_continuation(char c)
{
	return ((unsigned char)c & 0xC0u) == 0x80u;
}

/* Bytes of the UTF-8 character that starts here; 0 if none does. */
static size_t
character_size(const char *p, size_t left)
{
	unsigned char c = (unsigned char)*p;
	size_t size = c < 0x80	 ? 1
		      : c < 0xC2 ? 0
		      : c < 0xE0 ? 2
		      : c < 0xF0 ? 3
		      : c < 0xF5 ? 4
				 : 0;
	if (size > left)
		return 0;
	for (size_t i = 1; i < size; i++) {
		if (!is_continuation(p[i]))
			return 0;
	}
	return size;
}

static bool
is_printable(char c)
{
	unsigned char u = (unsigned char)c;
	return c == '\t' || (u >= 0x20 && u != 0x7F);
}

/*
 * Copy the part of a line around `column`; sets the caret's column in it.
 * Counts characters as libyaml does: bytes that continue one do not count.
 */
static char *
excerpt_copy(const char *line, size_t size, int column, int *caret)
{
	int first = 1;
	if (column > EXCERPT_MAX - EXCERPT_BEFORE / 2)
		first = column - EXCERPT_BEFORE;
	char *copy = memory_array(size + 1, 1);
	size_t used = 0;
	size_t step = 1;
	int at = 1;
	for (size_t i = 0; i < size && at < first + EXCERPT_MAX; i += step) {
		size_t bytes = character_size(line + i, size - i);
		step = bytes ? bytes : 1;
		if (at++ < first)
			continue;
		if (bytes && is_printable(line[i]))
			memcpy(copy + used, line + i, bytes);
		else
			copy[used] = '?';
		used += step;
	}
	copy[used] = '\0';
	*caret = column - first + 1;
	return copy;
}

static char *
excerpt_of(struct place at, int *caret)
{
	struct source_text *source = at.source;
	if (!source || !source->text || at.line < 1)
		return NULL;
	if (!source->lines)
		source_index_lines(source);
	size_t line = (size_t)at.line;
	if (line > source->line_count)
		return NULL;
	size_t from = source->lines[line - 1];
	size_t to = source->lines[line] - 1;
	if (to > from && source->text[to - 1] == '\r')
		to--;
	return excerpt_copy(source->text + from, to - from, at.column, caret);
}

void
complaints_init(struct complaints *all)
{
	*all = (struct complaints){.list = NULL};
}

void
complaints_release(struct complaints *all)
{
	for (size_t i = 0; i < all->count; i++) {
		free(all->list[i].name);
		free(all->list[i].excerpt);
		free(all->list[i].path);
		free(all->list[i].message);
	}
	free(all->list);
	complaints_init(all);
}

void
complaints_add(struct complaints *all, struct place at, const char *path,
	       const char *format, ...)
{
	if (all->count == all->room) {
		all->room = all->room ? all->room * 2 : 16;
		all->list =
			memory_resize(all->list, all->room, sizeof(*all->list));
	}
	struct complaint *c = &all->list[all->count];
	*c = (struct complaint){
		.name = memory_text(at.source ? at.source->name : ""),
		.rank = at.source ? at.source->rank : 0,
		.line = at.line,
		.column = at.column,
		.path = memory_text(path ? path : ""),
		.sequence = all->count,
	};
	c->excerpt = excerpt_of(at, &c->caret);
	va_list arguments;
	va_start(arguments, format);
	c->message = memory_vprint(format, arguments);
	va_end(arguments);
	all->count++;
}

static int
compare_int(int a, int b)
{
	return (a > b) - (a < b);
}

static int
complaint_compare(const void *a, const void *b)
{
	const struct complaint *x = a;
	const struct complaint *y = b;
	int order = compare_int(x->rank, y->rank);
	if (!order)
		order = compare_int(x->line, y->line);
	if (!order)
		order = compare_int(x->column, y->column);
	if (!order)
		order = (x->sequence > y->sequence) -
			(x->sequence < y->sequence);
	return order;
}

static void
caret_print(const struct complaint *c, FILE *out)
{
	int width = fprintf(out, "%5d", c->line);
	fprintf(out, " | %s\n%*s | ", c->excerpt, width, "");
	int at = 1;
	for (const char *p = c->excerpt; *p && at < c->caret; p++) {
		if (is_continuation(*p))
			continue;
		fputc(*p == '\t' ? '\t' : ' ', out);
		at++;
	}
	for (; at < c->caret; at++)
		fputc(' ', out);
	fputs("^\n", out);
}

static void
complaint_print(const struct complaint *c, FILE *out)
{
	if (c->name[0])
		fprintf(out, "%s:", c->name);
	if (c->line > 0)
		fprintf(out, "%d:%d:", c->line, c->column);
	if (c->name[0] || c->line > 0)
		fputc(' ', out);
	if (c->path[0])
		fprintf(out, "%s: ", c->path);
	fprintf(out, "%s\n", c->message);
	if (c->excerpt)
		caret_print(c, out);
}

static bool
complaint_same(const struct complaint *a, const struct complaint *b)
{
	return a->rank == b->rank && a->line == b->line &&
	       a->column == b->column && !strcmp(a->path, b->path) &&
	       !strcmp(a->message, b->message);
}

void
complaints_print(struct complaints *all, FILE *out)
{
	if (!all->count)
		return;
	qsort(all->list, all->count, sizeof(*all->list), complaint_compare);
	/* Standard error is not buffered: say it all in one piece. */
	char *text = NULL;
	size_t size = 0;
	FILE *buffer = memory_stream(&text, &size);
	for (size_t i = 0; i < all->count; i++) {
		if (i && complaint_same(&all->list[i - 1], &all->list[i]))
			continue;
		complaint_print(&all->list[i], buffer);
	}
	memory_stream_end(buffer);
	fwrite(text, 1, size, out);
	free(text);
}
