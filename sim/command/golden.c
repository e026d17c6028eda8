/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Recording copies files and packs tables; gzip's header has no time and no
 * name, so a recording is the same bytes whenever it is made.
 */
#include "sim/command/golden.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "sim/base/arena.h"
#include "sim/base/exit_code.h"
#include "sim/base/folder.h"
#include "sim/command/diff.h"
#include "sim/scenario/scenario.h"

static const struct {
	const char *name;
	bool is_packed;
} files[] = {
	{"run.json", false}, {"scenario.yaml", false}, {"series.csv", true},
	{"moves.csv", true}, {"attempts.csv", true},   {"feedback.csv", true},
};
enum {
	FILES = sizeof(files) / sizeof(files[0])
};

unsigned
golden_output(void)
{
	return SCENARIO_OUTPUT_MOVES | SCENARIO_OUTPUT_ATTEMPTS |
	       SCENARIO_OUTPUT_FEEDBACK;
}

/* mode: "wb9" packs, "wbT" writes as it is. */
static bool
copy_file(const char *from, const char *to, const char *mode)
{
	char bytes[16384];
	FILE *in = fopen(from, "rb");
	gzFile out = in ? gzopen(to, mode) : NULL;
	bool is_whole = out != NULL;
	size_t size;

	while (is_whole && (size = fread(bytes, 1, sizeof(bytes), in)) > 0)
		is_whole = gzwrite(out, bytes, (unsigned)size) == (int)size;
	if (in)
		is_whole = !ferror(in) && is_whole;
	if (out)
		is_whole = gzclose(out) == Z_OK && is_whole;
	if (in)
		fclose(in);
	return is_whole;
}

static bool
copy_all(const char *results, const char *part)
{
	bool is_whole = true;

	for (size_t i = 0; i < FILES && is_whole; i++) {
		bool is_packed = files[i].is_packed;
		char *from = memory_print("%s/%s", results, files[i].name);
		char *to = memory_print("%s/%s%s", part, files[i].name,
					is_packed ? ".gz" : "");

		is_whole = copy_file(from, to, is_packed ? "wb9" : "wbT");
		free(from);
		free(to);
	}
	return is_whole;
}

static int
record(const char *results, const char *place, FILE *out)
{
	char *part = folder_beside(place);
	char why[FOLDER_ERROR];
	int code = EXIT_CODE_INTERNAL;

	if (!part || !copy_all(results, part)) {
		fprintf(out, "cannot write '%s': %s\n", part ? part : place,
			strerror(errno));
	} else if (!folder_put(part, place, why)) {
		fprintf(out, "%s\n", why);
	} else {
		fprintf(out, "recorded in '%s'\n", place);
		code = EXIT_CODE_OK;
	}
	if (part && code != EXIT_CODE_OK)
		folder_remove(part);
	free(part);
	return code;
}

static int
compare(const char *results, const char *place, FILE *out)
{
	char *lines = NULL;
	size_t size = 0;
	FILE *body = memory_stream(&lines, &size);
	struct diff d = {
		.dirs = {place, results},
		.names = {"recorded", "now"},
		.out = body,
		.is_record = true,
	};
	int code = diff_folders(&d);

	memory_stream_end(body);
	if (code == EXIT_CODE_OK)
		fputs("as recorded\n", out);
	else if (code == EXIT_CODE_EXPECTATION)
		fprintf(out, "differs from the recorded run%s%s\n",
			d.first[0] ? ", first " : "", d.first);
	else
		fprintf(out, "%s\n", d.error);
	fputs(lines, out);
	free(lines);
	return code;
}

static int
judge(const char *place, const char *results, bool update, FILE *out)
{
	char *ignored = NULL;
	size_t size = 0;
	FILE *nowhere;
	int code;

	if (!update && !folder_is(place)) {
		fprintf(out,
			"there is no recorded run in '%s'; record one with "
			"--update\n",
			place);
		return EXIT_CODE_INVALID;
	}
	if (!update)
		return compare(results, place, out);
	if (!folder_is_free(place)) {
		fprintf(out,
			"'%s' is there already and is no recorded run (no "
			"run.json of ours)\n",
			place);
		return EXIT_CODE_USAGE;
	}
	nowhere = memory_stream(&ignored, &size);
	code = folder_is(place) ? compare(results, place, nowhere)
				: EXIT_CODE_EXPECTATION;
	memory_stream_end(nowhere);
	free(ignored);
	if (code != EXIT_CODE_OK)
		return record(results, place, out);
	fputs("as recorded\n", out);
	return EXIT_CODE_OK;
}

char *
golden_place(const char *golden, const char *name)
{
	char *clean = folder_clean(golden);
	char *place = memory_print("%s/%s", clean, name);

	free(clean);
	return place;
}

int
golden_judge(const char *golden, const char *name, const char *results,
	     bool update, char **text)
{
	char *place = golden_place(golden, name);
	size_t size = 0;
	FILE *out;
	int code;

	*text = NULL;
	out = memory_stream(text, &size);
	code = judge(place, results, update, out);
	memory_stream_end(out);
	free(place);
	return code;
}
