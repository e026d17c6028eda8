/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Scenarios are read once, here; children find them in their memory. Job k is
 * replication k % N of the k / N th scenario that is valid, so that the cases
 * become complete in order.
 */
#include "sim/command/check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mta/panic.h"
#include "sim/base/arena.h"
#include "sim/base/exit_code.h"
#include "sim/base/folder.h"
#include "sim/base/jobs.h"
#include "sim/command/check_report.h"
#include "sim/command/commands.h"
#include "sim/command/golden.h"
#include "sim/command/options.h"
#include "sim/command/run.h"
#include "sim/results/results.h"
#include "sim/scenario/scenario.h"

struct check {
	struct jobs jobs;
	const struct options *options;
	struct check_case *cases; /* owned */
	size_t case_count;
	size_t *valid; /* owned; cases that have runs */
	size_t told;   /* cases reported */
	struct check_report report;
	int code;
	/* in a child */
	FILE *out;
	struct check_found found;
	struct expect_verdict *verdicts; /* owned */
	char *golden_text;		 /* owned */
};

/* ---- in the child
 * -------------------------------------------------------------- */

/* A request in what is to be made of it. */
struct child {
	struct run_request request;
	struct check *check;
};

static void
keep(const struct run_request *request, const struct results *results)
{
	struct check *k =
		mta_const_container_of(request, struct child, request)->check;
	struct check_found *f = &k->found;
	const struct totals_sums t = totals_sum(&results->totals);

	f->is_whole = !results->partial;
	fingerprint_text(&results->fingerprint, f->fingerprint);
	f->end_us = results->end_us;
	f->accepted = t.accepted;
	f->delivered = t.delivered;
	f->bounced = t.bounced;
	f->expired = t.expired;
	f->deferrals = t.deferrals;
	f->unfinished = results->left_recipients;
	f->verdict_count = results->expect.count;
	k->verdicts = memory_array(f->verdict_count + 1, sizeof(*k->verdicts));
	memcpy(k->verdicts, results->verdicts,
	       f->verdict_count * sizeof(*k->verdicts));
}

static char *
run_folder(const struct check_case *c, uint32_t replication)
{
	if (c->run_count == 1)
		return memory_text(c->dir);
	return memory_print("%s/r%lu", c->part, (unsigned long)replication);
}

/* The results are in their folder. */
static void
compare_golden(struct check *k, const struct run_request *request)
{
	const struct options *o = k->options;

	if (!o->golden || !k->found.is_whole)
		return;
	k->found.golden_code =
		golden_judge(o->golden, request->scenario->name, request->dir,
			     o->is_update, &k->golden_text);
	k->found.golden_size = strlen(k->golden_text);
}

static void
hand_over(struct check *k, FILE *out)
{
	fwrite(&k->found, sizeof(k->found), 1, out);
	if (k->verdicts)
		fwrite(k->verdicts, sizeof(*k->verdicts),
		       k->found.verdict_count, out);
	if (k->golden_text)
		fwrite(k->golden_text, 1, k->found.golden_size, out);
	free(k->verdicts);
	free(k->golden_text);
	k->verdicts = NULL;
	k->golden_text = NULL;
}

static int
work(struct jobs *jobs, uint32_t index, FILE *out)
{
	struct check *k = mta_container_of(jobs, struct check, jobs);
	uint32_t runs = k->options->replications;
	const struct check_case *c = &k->cases[k->valid[index / runs]];
	char *dir = run_folder(c, index % runs);
	struct child child = {
		.request =
			{
				.options = k->options,
				.scenario = c->scenario,
				.path = c->path,
				.dir = dir,
				.replication = index % runs,
				.output = k->options->golden ? golden_output()
							     : 0,
				.say = keep,
			},
		.check = k,
	};
	int code;

	run_catch_signals(false);
	code = run_scenario(&child.request);
	compare_golden(k, &child.request);
	hand_over(k, out);
	free(dir);
	return code;
}

/* ---- in the parent
 * -------------------------------------------------------------- */

/* Take what the child wrote apart; a child that crashed may have written less.
 */
static void
run_take(struct check_run *run, const struct job_end *end)
{
	struct check_found *f = &run->found;
	size_t at = sizeof(*f);
	size_t verdicts;

	run->is_done = true;
	run->code = end->code;
	run->signal = end->signal;
	run->said = memory_text(end->said);
	/* What a run that failed says stands in its line. */
	if (end->code == EXIT_CODE_OK || end->code == EXIT_CODE_EXPECTATION)
		fputs(run->said, stderr);
	if (end->code < 0 || end->out_size < at)
		return;
	memcpy(f, end->out, at);
	verdicts = f->verdict_count * sizeof(*run->verdicts);
	if (end->out_size < at + verdicts) {
		f->is_whole = false;
		return;
	}
	run->verdicts =
		memory_array(f->verdict_count + 1, sizeof(*run->verdicts));
	memcpy(run->verdicts, end->out + at, verdicts);
	at += verdicts;
	if (f->golden_size > 0 && end->out_size >= at + f->golden_size) {
		run->golden_text = memory_array(f->golden_size + 1, 1);
		memcpy(run->golden_text, end->out + at, f->golden_size);
	}
}

static int
case_code(const struct check_case *c, const struct check_line *lines,
	  size_t count)
{
	int code = c->scenario ? EXIT_CODE_OK : EXIT_CODE_INVALID;

	for (uint32_t i = 0; c->scenario && i < c->run_count; i++) {
		const struct check_run *run = &c->runs[i];

		if (run->is_done && run->code != EXIT_CODE_EXPECTATION)
			code = check_worse(code, run->code < 0
							 ? EXIT_CODE_INTERNAL
							 : run->code);
	}
	if (c->scenario)
		code = check_worse(code, c->runs[0].found.golden_code);
	for (size_t i = 0; i < count; i++) {
		if (!lines[i].passed && !lines[i].is_error)
			code = check_worse(code, EXIT_CODE_EXPECTATION);
	}
	return code;
}

/* All runs of the case to their place. */
static int
case_place(struct check_case *c, const struct check_line *lines, size_t count)
{
	char why[FOLDER_ERROR];
	int code = EXIT_CODE_INTERNAL;

	if (!check_report_replications(c, c->part, lines, count))
		fprintf(stderr, "mtasim: the results are in '%s'\n", c->part);
	else if (folder_put(c->part, c->dir, why))
		code = EXIT_CODE_OK;
	else
		fprintf(stderr, "mtasim: %s; see '%s'\n", why, c->part);
	free(c->part);
	c->part = NULL;
	return code;
}

static void
case_tell(struct check *k, struct check_case *c)
{
	size_t count;
	struct check_line *lines = check_lines(c, &count);

	c->code = check_worse(c->code, case_code(c, lines, count));
	if (c->part && c->runs[0].is_done)
		c->code = check_worse(c->code, case_place(c, lines, count));
	check_report_case(&k->report, c, lines, count);
	k->code = check_worse(k->code, c->code);
	free(lines);
}

static bool
case_is_over(const struct check_case *c)
{
	return !c->scenario || c->runs[c->run_count - 1].is_done;
}

/* In order; a case that is not over holds up those behind it. */
static void
tell_cases(struct check *k)
{
	while (k->told < k->case_count && case_is_over(&k->cases[k->told]))
		case_tell(k, &k->cases[k->told++]);
}

static void
done(struct jobs *jobs, uint32_t index, const struct job_end *end)
{
	struct check *k = mta_container_of(jobs, struct check, jobs);
	uint32_t runs = k->options->replications;

	run_take(&k->cases[k->valid[index / runs]].runs[index % runs], end);
	tell_cases(k);
}

/* ---- before
 * ---------------------------------------------------------------------- */

static char *
case_dir(const struct options *o, const struct scenario *scenario)
{
	char *out;
	char *dir;

	if (!o->out || o->scenario_count == 1)
		return run_dir(o, scenario);
	out = folder_clean(o->out);
	dir = memory_print("%s/%s", out, scenario->name);
	free(out);
	return dir;
}

static struct scenario *
case_scenario(const struct options *o, struct check_case *c)
{
	size_t size = 0;
	FILE *complain = memory_stream(&c->said, &size);
	struct scenario *scenario = run_read_scenario(o, c->path, complain);

	memory_stream_end(complain);
	fputs(c->said, stderr);
	return scenario;
}

static void
case_read(struct check *k, struct check_case *c, const char *path)
{
	const struct options *o = k->options;

	*c = (struct check_case){
		.path = path,
		.name = path,
		.run_count = o->replications,
	};
	c->runs = memory_array(c->run_count, sizeof(*c->runs));
	c->scenario = case_scenario(o, c);
	if (!c->scenario)
		return;
	c->name = c->scenario->name;
	c->dir = case_dir(o, c->scenario);
	k->valid[k->jobs.count++] = (size_t)(c - k->cases);
}

/* Two scenarios of one name would write over each other's results. */
static bool
names_differ(const struct check *k)
{
	for (uint32_t i = 0; i < k->jobs.count; i++) {
		for (uint32_t j = 0; j < i; j++) {
			const struct check_case *a = &k->cases[k->valid[j]];
			const struct check_case *b = &k->cases[k->valid[i]];

			if (strcmp(a->name, b->name) != 0)
				continue;
			fprintf(stderr,
				"mtasim: '%s' and '%s' are both called '%s' "
				"and would share a results folder; rename one "
				"(scenario:)\n",
				a->path, b->path, a->name);
			return false;
		}
	}
	return true;
}

static bool
places_are_free(const struct check *k)
{
	for (uint32_t i = 0; i < k->jobs.count; i++) {
		const struct check_case *c = &k->cases[k->valid[i]];

		if (results_check_place(c->dir) != 0)
			return false;
	}
	return true;
}

/* A run would be compared with itself, or take the record away. */
static bool
golden_meets(const struct check *k, const struct check_case *recorded)
{
	char *place = golden_place(k->options->golden, recorded->name);
	bool meets = false;

	for (uint32_t i = 0; i < k->jobs.count && !meets; i++) {
		const char *dir = k->cases[k->valid[i]].dir;

		meets = folder_meets(dir, place);
		if (meets)
			fprintf(stderr,
				"mtasim: the recorded run '%s' and the results "
				"'%s' would be one in the other; choose "
				"another place with --out or --golden\n",
				place, dir);
	}
	free(place);
	return meets;
}

static bool
golden_is_apart(const struct check *k)
{
	for (uint32_t i = 0; k->options->golden && i < k->jobs.count; i++) {
		if (golden_meets(k, &k->cases[k->valid[i]]))
			return false;
	}
	return true;
}

/* Where the runs of a case gather until all are there. */
static bool
make_parts(struct check *k)
{
	for (uint32_t i = 0; i < k->jobs.count; i++) {
		struct check_case *c = &k->cases[k->valid[i]];

		if (c->run_count == 1)
			continue;
		c->part = folder_beside(c->dir);
		if (!c->part) {
			fprintf(stderr,
				"mtasim: cannot create a folder beside '%s': "
				"%s\n",
				c->dir, strerror(errno));
			return false;
		}
	}
	return true;
}

static void
cases_read(struct check *k)
{
	const struct options *o = k->options;

	k->case_count = o->scenario_count;
	k->cases = memory_array(k->case_count, sizeof(*k->cases));
	k->valid = memory_array(k->case_count, sizeof(*k->valid));
	for (size_t i = 0; i < k->case_count; i++)
		case_read(k, &k->cases[i], o->scenarios[i]);
}

static void
cases_release(struct check *k)
{
	for (size_t i = 0; i < k->case_count; i++) {
		struct check_case *c = &k->cases[i];

		for (uint32_t j = 0; j < c->run_count; j++) {
			free(c->runs[j].verdicts);
			free(c->runs[j].golden_text);
			free(c->runs[j].said);
		}
		free(c->runs);
		if (c->part)
			folder_remove(c->part); /* it was not begun */
		free(c->dir);
		free(c->part);
		free(c->said);
		scenario_free(c->scenario);
	}
	free(k->cases);
	free(k->valid);
}

/* ---- all
 * ----------------------------------------------------------------------------
 */

static int
code_of(int interrupted)
{
	if (interrupted < 0)
		return EXIT_CODE_INTERNAL;
	return interrupted ? EXIT_CODE_SIGNAL + interrupted : EXIT_CODE_OK;
}

static int
run_cases(struct check *k)
{
	check_report_begin(&k->report, k->options);
	k->jobs.count *= k->options->replications;
	tell_cases(k); /* invalid ones that come first */
	k->code = check_worse(k->code, code_of(jobs_run(&k->jobs)));
	tell_cases(k);
	/* Interrupted: what has begun is told, the rest is not there. */
	if (k->told < k->case_count && k->cases[k->told].runs[0].is_done)
		case_tell(k, &k->cases[k->told++]);
	return check_report_end(&k->report, k->code);
}

int
check_all(const struct options *options)
{
	struct check k = {
		.options = options,
		.jobs =
			{
				.at_once = options->jobs,
				.work = work,
				.done = done,
			},
	};
	int code = EXIT_CODE_USAGE;

	run_prepare();
	run_outlive_reader();
	cases_read(&k);
	if (names_differ(&k) && places_are_free(&k) && golden_is_apart(&k))
		code = make_parts(&k) ? run_cases(&k) : EXIT_CODE_INTERNAL;
	cases_release(&k);
	return code;
}

static const char check_help[] =
	"mtasim check [OPTION]... SCENARIO...\n"
	"\n"
	"Run scenarios and judge their expectations, one line each, and a "
	"last line for\n"
	"all. With several, results go to DIR/NAME, and the exit code is the "
	"first of\n"
	"1, 2, 3, 99 that occurred.\n"
	"\n"
	"  --junit FILE       write JUnit's XML too\n"
	"  --tap, --json      write TAP (for prove) or JSON instead of text\n"
	"  --golden DIR       compare each run with the one recorded in "
	"DIR/NAME; a\n"
	"                     difference, with the first event that differs, "
	"exits 99\n"
	"  --update           with --golden: record\n";

int
check_main(int argc, char **argv)
{
	struct options o;
	int code = options_read(&o, OPTIONS_CHECK, argc, argv);

	if (code == 0 && o.wants_help)
		printf("%s%s", check_help, options_help);
	else if (code == 0)
		code = check_all(&o);
	options_release(&o);
	return code;
}
