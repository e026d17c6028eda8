/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From runs to lines. Partial runs and those that failed judge nothing: they
 * make the line of the run fail, and the others are counted without them.
 */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/arena.h"
#include "sim/base/exit_code.h"
#include "sim/command/check.h"
#include "sim/scenario/scenario.h"

int
check_worse(int a, int b)
{
	static const int order[] = {
		EXIT_CODE_SIGNAL + SIGINT, EXIT_CODE_SIGNAL + SIGTERM,
		EXIT_CODE_SIGNAL + SIGHUP, EXIT_CODE_INTERNAL,
		EXIT_CODE_USAGE,	   EXIT_CODE_INVALID,
		EXIT_CODE_EXPECTATION,
	};

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		if (a == order[i] || b == order[i])
			return order[i];
	}
	return EXIT_CODE_OK;
}

/* The margin by which runs are compared: nothing known is the worst. */
static double
rank_of(const struct expect_verdict *v)
{
	return isnan(v->margin) ? -HUGE_VAL : v->margin;
}

/* Put the runs of one expectation together. The worst is one that does not
 * hold, if there is any, and of those the one with the least margin. */
static const struct expect_verdict *
gather(const struct check_case *c, size_t index, struct check_line *line)
{
	const struct expect_verdict *worst = NULL;

	for (uint32_t i = 0; i < c->run_count; i++) {
		const struct check_run *run = &c->runs[i];
		const struct expect_verdict *v;

		if (!run->is_done || !run->found.is_whole)
			continue;
		v = &run->verdicts[index];
		line->runs++;
		line->held += v->passed;
		if (!worst || v->passed < worst->passed ||
		    (v->passed == worst->passed &&
		     rank_of(v) < rank_of(worst))) {
			worst = v;
			line->worst = i;
		}
	}
	return worst;
}

/* What a verdict says behind the expectation. */
static const char *
finding(const struct expect_verdict *v)
{
	const char *colon = strstr(v->text, ": ");

	return colon ? colon + 2 : v->text;
}

static void
line_expect(const struct check_case *c, size_t index, struct check_line *line)
{
	const struct scenario_expect *x = &c->scenario->expect[index];
	double share = x->runs_share > 0 ? x->runs_share : 1;
	const struct expect_verdict *worst = gather(c, index, line);

	line->kind = CHECK_EXPECT;
	line->name = x->text;
	if (!worst) {
		line->is_error = true;
		snprintf(line->text, sizeof(line->text),
			 "%.120s: no run went to its end", x->text);
		return;
	}
	/* 95 % of 20 runs are 19, whatever doubles say. */
	line->needed = (uint32_t)ceil(share * line->runs - 1e-9);
	line->passed = line->held >= line->needed;
	line->value = worst->value;
	line->margin = worst->margin;
	if (c->run_count == 1)
		snprintf(line->text, sizeof(line->text), "%s", worst->text);
	else
		snprintf(line->text, sizeof(line->text),
			 "%.120s: in %u of %u runs, %u needed; worst r%u: %s",
			 x->text, line->held, line->runs, line->needed,
			 line->worst, finding(worst));
}

static void
line_golden(const struct check_case *c, struct check_line *line)
{
	const struct check_run *run = &c->runs[0];
	const char *text = run->golden_text;
	size_t length = strcspn(text, "\n");

	line->kind = CHECK_GOLDEN;
	line->name = "golden";
	line->passed = run->found.golden_code == EXIT_CODE_OK;
	line->is_error = !line->passed &&
			 run->found.golden_code != EXIT_CODE_EXPECTATION;
	line->runs = line->needed = 1;
	line->held = line->passed;
	snprintf(line->text, sizeof(line->text), "golden: %.*s", (int)length,
		 text);
	if (text[length] && text[length + 1])
		line->more = text + length + 1;
}

static bool
is_well(const struct check_run *run)
{
	return run->is_done && run->found.is_whole &&
	       (run->code == EXIT_CODE_OK ||
		run->code == EXIT_CODE_EXPECTATION);
}

static void
say_trouble(const struct check_run *run, char *out, size_t size)
{
	if (!run->is_done)
		snprintf(out, size, "not begun");
	else if (run->code < 0)
		snprintf(out, size,
			 "crashed by signal %d; what it had written "
			 "is in a hidden folder beside its place",
			 run->signal);
	else if (run->code > EXIT_CODE_SIGNAL)
		snprintf(out, size,
			 "interrupted at %.6g s, results are partial",
			 (double)run->found.end_us / 1e6);
	else if (run->code == EXIT_CODE_INVALID)
		snprintf(out, size, "the input is invalid");
	else
		snprintf(out, size, "failed with exit code %d", run->code);
}

/* The first complaint stands for all; reports that are read apart from stderr
 * have them too. */
static void
line_unread(const struct check_case *c, struct check_line *line)
{
	line->kind = CHECK_RUN;
	line->name = "run";
	line->needed = c->run_count;
	line->is_error = true;
	line->more = c->said;
	snprintf(line->text, sizeof(line->text), "run: %.*s",
		 (int)strcspn(c->said, "\n"), c->said);
}

static void
line_run(const struct check_case *c, struct check_line *line)
{
	const struct check_run *bad = NULL;
	char what[160] = "";

	line->kind = CHECK_RUN;
	line->name = "run";
	line->needed = c->run_count;
	for (uint32_t i = 0; i < c->run_count; i++) {
		line->runs += c->runs[i].is_done;
		line->held += is_well(&c->runs[i]);
		if (!bad && !is_well(&c->runs[i])) {
			bad = &c->runs[i];
			line->worst = i;
		}
	}
	line->passed = !bad;
	line->is_error = !line->passed;
	if (bad) {
		say_trouble(bad, what, sizeof(what));
		line->more = bad->said && *bad->said ? bad->said : NULL;
	}
	if (line->passed)
		snprintf(line->text, sizeof(line->text), "run: to its end");
	else if (c->run_count > 1)
		snprintf(line->text, sizeof(line->text),
			 "run: %u of %u to their end; r%u %s", line->held,
			 c->run_count, line->worst, what);
	else
		snprintf(line->text, sizeof(line->text), "run: %s", what);
}

struct check_line *
check_lines(const struct check_case *c, size_t *count)
{
	size_t expect_count = c->scenario ? c->scenario->expect_count : 0;
	struct check_line *lines =
		memory_array(expect_count + 2, sizeof(*lines));
	size_t n = 0;

	for (size_t i = 0; i < expect_count + 2; i++)
		lines[i].value = lines[i].margin = (double)NAN;
	if (!c->scenario) {
		line_unread(c, &lines[0]);
		*count = 1;
		return lines;
	}
	line_run(c, &lines[0]);
	if (!lines[0].passed)
		n++;
	else
		lines[0] = (struct check_line){.value = (double)NAN,
					       .margin = (double)NAN};
	for (size_t i = 0; i < expect_count; i++)
		line_expect(c, i, &lines[n++]);
	if (c->runs[0].golden_text)
		line_golden(c, &lines[n++]);
	if (n == 0)
		line_run(c, &lines[n++]);
	*count = n;
	return lines;
}
