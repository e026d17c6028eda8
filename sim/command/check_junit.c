/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * XML by hand: six kinds of characters need care, and those that XML 1.0 does
 * not know (control characters) become '?'.
 */
#include "sim/command/check_junit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/base/arena.h"
#include "sim/base/folder.h"

static void
put(FILE *out, const char *text)
{
	for (; text && *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '<')
			fputs("&lt;", out);
		else if (c == '>')
			fputs("&gt;", out);
		else if (c == '&')
			fputs("&amp;", out);
		else if (c == '"')
			fputs("&quot;", out);
		else if (c == '\n')
			fputs("&#10;", out);
		else if (c == '\t')
			fputs("&#9;", out);
		else
			fputc(c < 32 ? '?' : c, out);
	}
}

static void
test(FILE *out, const struct check_case *c, const struct check_line *l)
{
	const char *element = l->is_error ? "error" : "failure";

	fputs("\t\t<testcase classname=\"", out);
	put(out, c->name);
	fputs("\" name=\"", out);
	put(out, l->name);
	fputs("\">", out);
	if (l->passed) {
		fputs("<system-out>", out);
		put(out, l->text);
		fputs("</system-out>", out);
	} else {
		fprintf(out, "<%s message=\"", element);
		put(out, l->text);
		fputs("\">", out);
		put(out, l->more);
		fprintf(out, "</%s>", element);
	}
	fputs("</testcase>\n", out);
}

void
check_junit_suite(FILE *out, const struct check_case *c,
		  const struct check_line *lines, size_t count)
{
	size_t failures = 0;
	size_t errors = 0;

	for (size_t i = 0; i < count; i++) {
		errors += lines[i].is_error;
		failures += !lines[i].passed && !lines[i].is_error;
	}
	fputs("\t<testsuite name=\"", out);
	put(out, c->name);
	fprintf(out,
		"\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" "
		"skipped=\"0\">\n",
		count, failures, errors);
	for (size_t i = 0; i < count; i++)
		test(out, c, &lines[i]);
	fputs("\t</testsuite>\n", out);
}

/* A file beside `path` whose name nobody has. But what is no plain file, as
 * /dev/stdout, is written as it is: it must not be renamed away. */
static FILE *
open_part(const char *path, char **part)
{
	struct stat status;
	mode_t mask = umask(0);
	int fd;

	umask(mask);
	*part = NULL;
	if (lstat(path, &status) == 0 && !S_ISREG(status.st_mode))
		return fopen(path, "w");
	*part = memory_print("%s.XXXXXX", path);
	fd = mkstemp(*part);
	if (fd >= 0 && fchmod(fd, 0666 & ~mask) == 0)
		return fdopen(fd, "w");
	if (fd >= 0)
		close(fd);
	return NULL;
}

bool
check_junit_write(const char *path, const char *suites,
		  const struct check_junit_counts *counts)
{
	char *part;
	FILE *out = open_part(path, &part);
	bool is_written = out != NULL;

	if (out) {
		fprintf(out,
			"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
			"<testsuites name=\"mtasim\" tests=\"%" PRIu32
			"\" failures=\"%" PRIu32 "\" errors=\"%" PRIu32
			"\">\n%s</testsuites>\n",
			counts->tests, counts->failures, counts->errors,
			suites);
		is_written = !ferror(out);
		is_written = fclose(out) == 0 && is_written;
	}
	is_written = is_written && (!part || rename(part, path) == 0);
	if (!is_written) {
		fprintf(stderr, "mtasim: cannot write '%s': %s\n", path,
			strerror(errno));
		if (out && part)
			remove(part);
	}
	free(part);
	return is_written;
}
