/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Text and TAP are written as cases come; JSON too, since its writer needs no
 * look ahead. JUnit's root counts what it holds and so is written at the end.
 */
#include "sim/command/check_report.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/arena.h"
#include "sim/base/exit_code.h"
#include "sim/base/folder.h"
#include "sim/command/check_junit.h"
#include "sim/command/options.h"
#include "sim/results/results.h"
#include "sim/scenario/scenario.h"

/* ---- text -------------------------------------------------------------------
 */

static void
print_more(FILE *out, const char *prefix, const char *more)
{
	while (more && *more) {
		size_t length = strcspn(more, "\n");

		fprintf(out, "%s%.*s\n", prefix, (int)length, more);
		more += length + (more[length] == '\n');
	}
}

static void
text_case(const struct check_report *r, const struct check_case *c,
	  const struct check_line *lines, size_t count)
{
	bool is_quiet = r->options->is_quiet;
	bool has_failed = false;

	for (size_t i = 0; i < count; i++)
		has_failed |= !lines[i].passed;
	if (is_quiet && !has_failed)
		return;
	printf("%s", c->name);
	if (c->run_count > 1)
		printf(", %" PRIu32 " runs", c->run_count);
	putchar('\n');
	for (size_t i = 0; i < count; i++) {
		if (is_quiet && lines[i].passed)
			continue;
		fputs("  ", stdout);
		summary_print_mark(stdout, &r->style, lines[i].passed);
		printf(" %s\n", lines[i].text);
		/* What a reader has said stands on stderr. */
		if (!c->scenario)
			continue;
		print_more(stdout, "      ", lines[i].more);
	}
}

static void
text_end(const struct check_report *r, FILE *out, const char *prefix)
{
	uint32_t failed = r->lines - r->passed - r->errors;

	fprintf(out,
		"%scheck: %" PRIu32 " scenario%s, %" PRIu32 " held, %" PRIu32
		" did not, %" PRIu32 " error%s\n",
		prefix, r->cases, r->cases == 1 ? "" : "s", r->passed, failed,
		r->errors, r->errors == 1 ? "" : "s");
}

/* ---- TAP --------------------------------------------------------------------
 */

/* A '#' would begin a directive. */
static void
tap_text(const char *text)
{
	for (; *text; text++) {
		if (*text == '#' || *text == '\\')
			putchar('\\');
		putchar(*text == '\n' ? ' ' : *text);
	}
}

static void
tap_case(const struct check_report *r, const struct check_case *c,
	 const struct check_line *lines, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		printf("%sok %zu - ", lines[i].passed ? "" : "not ",
		       (size_t)r->lines + i + 1);
		tap_text(c->name);
		printf(": ");
		tap_text(lines[i].text);
		putchar('\n');
		print_more(stdout, "# ", lines[i].more);
	}
}

/* ---- JSON -------------------------------------------------------------------
 */

static void
json_line(struct json_out *json, const struct check_line *l)
{
	static const char *const kinds[] = {
		[CHECK_RUN] = "run",
		[CHECK_EXPECT] = "expect",
		[CHECK_GOLDEN] = "golden",
	};

	json_out_open(json, NULL, JSON_OUT_OBJECT);
	json_out_text(json, "kind", kinds[l->kind]);
	json_out_text(json, "name", l->name);
	json_out_boolean(json, "passed", l->passed);
	json_out_boolean(json, "error", l->is_error);
	json_out_text(json, "text", l->text);
	json_out_text(json, "more", l->more);
	json_out_double(json, "value", l->value);
	json_out_double(json, "margin", l->margin);
	json_out_integer(json, "runs", l->runs);
	json_out_integer(json, "held", l->held);
	json_out_integer(json, "needed", l->needed);
	json_out_integer(json, "worst", l->worst);
	json_out_close(json);
}

static void
json_lines(struct json_out *json, const struct check_line *lines, size_t count)
{
	json_out_open(json, "lines", JSON_OUT_ARRAY);
	for (size_t i = 0; i < count; i++)
		json_line(json, &lines[i]);
	json_out_close(json);
}

static void
json_case(struct check_report *r, const struct check_case *c,
	  const struct check_line *lines, size_t count)
{
	struct json_out *json = &r->json;

	json_out_open(json, NULL, JSON_OUT_OBJECT);
	json_out_text(json, "scenario", c->name);
	json_out_text(json, "file", c->path);
	if (c->scenario)
		json_out_integer(json, "seed", c->scenario->seed);
	json_out_integer(json, "replications", c->run_count);
	json_out_text(json, "results", c->dir);
	json_out_integer(json, "code", c->code);
	json_lines(json, lines, count);
	json_out_close(json);
}

static void
json_end(struct check_report *r, int code)
{
	struct json_out *json = &r->json;

	json_out_close(json);
	json_out_integer(json, "held", r->passed);
	json_out_integer(json, "not_held", r->lines - r->passed - r->errors);
	json_out_integer(json, "errors", r->errors);
	json_out_boolean(json, "partial", code > EXIT_CODE_SIGNAL);
	json_out_integer(json, "code", code);
	json_out_close(json);
	json_out_finish(json);
}

/* ---- all --------------------------------------------------------------------
 */

void
check_report_begin(struct check_report *r, const struct options *options)
{
	*r = (struct check_report){
		.options = options,
		.style = summary_style_of(stdout),
	};
	if (options->is_tap)
		puts("TAP version 13");
	if (options->is_json) {
		json_out_init(&r->json, stdout);
		json_out_open(&r->json, NULL, JSON_OUT_OBJECT);
		json_out_open(&r->json, "scenarios", JSON_OUT_ARRAY);
	}
	if (options->junit)
		r->suites = memory_stream(&r->suites_text, &r->suites_size);
}

void
check_report_case(struct check_report *r, const struct check_case *c,
		  const struct check_line *lines, size_t count)
{
	if (r->options->is_tap)
		tap_case(r, c, lines, count);
	else if (r->options->is_json)
		json_case(r, c, lines, count);
	else
		text_case(r, c, lines, count);
	if (r->suites)
		check_junit_suite(r->suites, c, lines, count);
	r->cases++;
	r->lines += (uint32_t)count;
	for (size_t i = 0; i < count; i++) {
		r->passed += lines[i].passed;
		r->errors += lines[i].is_error;
	}
	fflush(stdout);
}

int
check_report_end(struct check_report *r, int code)
{
	if (r->suites) {
		memory_stream_end(r->suites);
		if (!check_junit_write(
			    r->options->junit, r->suites_text,
			    &(struct check_junit_counts){
				    .tests = r->lines,
				    .errors = r->errors,
				    .failures =
					    r->lines - r->passed - r->errors}))
			code = check_worse(code, EXIT_CODE_INTERNAL);
		free(r->suites_text);
	}
	if (r->options->is_tap) {
		printf("1..%" PRIu32 "\n", r->lines);
		text_end(r, stdout, "# ");
	} else if (r->options->is_json) {
		json_end(r, code);
	} else {
		text_end(r, stdout, "");
	}
	return code;
}

/* ---- the folder of several runs
 * ----------------------------------------------- */

static void
json_run(struct json_out *json, const struct check_run *run, uint32_t index)
{
	const struct check_found *f = &run->found;
	char folder[24];

	snprintf(folder, sizeof(folder), "r%" PRIu32, index);
	json_out_open(json, NULL, JSON_OUT_ROW);
	json_out_integer(json, "replication", index);
	json_out_text(json, "folder", folder);
	json_out_integer(json, "code", run->code);
	json_out_boolean(json, "whole", f->is_whole);
	if (f->fingerprint[0]) {
		json_out_text(json, "fingerprint", f->fingerprint);
		json_out_seconds(json, "end_s", f->end_us);
		json_out_integer(json, "accepted", (int64_t)f->accepted);
		json_out_integer(json, "delivered", (int64_t)f->delivered);
		json_out_integer(json, "bounced", (int64_t)f->bounced);
		json_out_integer(json, "expired", (int64_t)f->expired);
		json_out_integer(json, "deferrals", (int64_t)f->deferrals);
		json_out_integer(json, "unfinished", (int64_t)f->unfinished);
	}
	json_out_close(json);
}

bool
check_report_replications(const struct check_case *c, const char *dir,
			  const struct check_line *lines, size_t count)
{
	char *path = memory_print("%s/replications.json", dir);
	FILE *file = fopen(path, "w");
	struct json_out json;
	uint32_t whole = 0;
	bool is_written = false;

	if (file) {
		for (uint32_t i = 0; i < c->run_count; i++)
			whole += c->runs[i].found.is_whole;
		json_out_init(&json, file);
		json_out_open(&json, NULL, JSON_OUT_OBJECT);
		json_out_integer(&json, "format", RESULTS_FORMAT);
		json_out_text(&json, "scenario", c->name);
		json_out_integer(&json, "seed", c->scenario->seed);
		json_out_integer(&json, "replications", c->run_count);
		json_out_boolean(&json, "partial", whole < c->run_count);
		json_out_open(&json, "runs", JSON_OUT_ARRAY);
		for (uint32_t i = 0; i < c->run_count; i++) {
			if (c->runs[i].is_done)
				json_run(&json, &c->runs[i], i);
		}
		json_out_close(&json);
		json_lines(&json, lines, count);
		json_out_close(&json);
		is_written = json_out_finish(&json);
		is_written = fclose(file) == 0 && is_written;
	}
	if (!is_written)
		fprintf(stderr, "mtasim: cannot write '%s': %s\n", path,
			strerror(errno));
	free(path);
	return is_written;
}
