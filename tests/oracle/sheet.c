/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * See sheet.h. Reading is in two steps: the whole text into memory (zlib reads
 * plain files as well), then commas and line ends become NUL and the fields are
 * pointed at. No state beyond the table.
 */
#include "tests/oracle/sheet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static void *
must(void *p)
{
	if (p == NULL)
		abort();
	return p;
}

static char *
slurp(const char *dir, const char *name)
{
	char path[1000];
	size_t n = 0;
	size_t room = 1 << 16;
	char *text = NULL;
	gzFile f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = gzopen(path, "rb");
	if (f == NULL) {
		snprintf(path, sizeof(path), "%s/%s.gz", dir, name);
		f = gzopen(path, "rb");
	}
	if (f == NULL)
		return NULL;
	for (;;) {
		int got;

		text = must(realloc(text, room + 1));
		got = gzread(f, text + n, (unsigned)(room - n));
		if (got < 0) { /* a torn archive */
			free(text);
			gzclose(f);
			return NULL;
		}
		if (got == 0)
			break;
		n += (size_t)got;
		if (n == room)
			room *= 2;
	}
	text[n] = '\0';
	if (gzclose(f) != Z_OK) { /* the archive ends in the middle */
		free(text);
		return NULL;
	}
	return text;
}

static char *
split(char **rest, char at)
{
	char *field = *rest;
	char *end = strchr(field, at);

	if (end == NULL) {
		*rest = field + strlen(field);
		return field;
	}
	*end = '\0';
	*rest = end + 1;
	return field;
}

static size_t
count(const char *s, char c)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += *s == c;
	return n;
}

bool
sheet_read(struct sheet *t, const char *dir, const char *name)
{
	char *rest;
	char *line;
	size_t lines;

	*t = (struct sheet){.text = slurp(dir, name)};
	if (t->text == NULL || t->text[0] == '\0') {
		free(t->text);
		return false;
	}
	lines = count(t->text, '\n');
	rest = t->text;
	line = split(&rest, '\n');
	t->columns = count(line, ',') + 1;
	t->names = must(calloc(t->columns, sizeof(char *)));
	for (size_t c = 0; c < t->columns; c++)
		t->names[c] = split(&line, ',');
	t->fields = must(calloc((lines + 1) * t->columns, sizeof(char *)));
	while (*rest != '\0') {
		line = split(&rest, '\n');
		if (*line == '\0')
			continue;
		if (count(line, ',') + 1 < t->columns) {
			t->file_rows_bad++;
			continue;
		}
		for (size_t c = 0; c + 1 < t->columns; c++)
			t->fields[t->rows * t->columns + c] = split(&line, ',');
		t->fields[t->rows * t->columns + t->columns - 1] = line;
		t->rows++;
	}
	return true;
}

void
sheet_release(struct sheet *t)
{
	free(t->text);
	free(t->fields);
	free(t->names);
	*t = (struct sheet){0};
}

static size_t
find(const struct sheet *t, const char *column)
{
	size_t c = 0;

	while (c < t->columns && strcmp(t->names[c], column) != 0)
		c++;
	return c;
}

bool
sheet_has(const struct sheet *t, const char *column)
{
	return find(t, column) < t->columns;
}

const char *
sheet_text(const struct sheet *t, size_t row, const char *column)
{
	size_t c = find(t, column);

	return c < t->columns ? t->fields[row * t->columns + c] : "";
}

double
sheet_number(const struct sheet *t, size_t row, const char *column)
{
	return strtod(sheet_text(t, row, column), NULL);
}
