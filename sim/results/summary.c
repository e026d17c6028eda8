/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a user reads first. Numbers are those of summary.json, rounded; nothing
 * here is computed anew.
 */
#include "sim/results/summary.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/base/arena.h"
#include "sim/results/results.h"
#include "sim/base/sparkline.h"

enum {
	BUSIEST = 5,
	SPARK_WIDTH = 50,
	NAME_WIDTH = 32,
};

struct summary_style
summary_style_of(FILE *out)
{
	int fd = fileno(out);
	const char *no_colour = getenv("NO_COLOR");
	bool is_terminal = fd >= 0 && isatty(fd);

	return (struct summary_style){
		.sparklines = is_terminal,
		.utf8 = sparkline_style() == SPARKLINE_UTF8,
		.colour = is_terminal && !(no_colour && *no_colour),
	};
}

/* ---- expectations ----------------------------------------------------------
 */

void
summary_print_mark(FILE *out, const struct summary_style *style, bool passed)
{
	const char *mark = style->utf8 ? (passed ? "\u2713" : "\u2717")
				       : (passed ? "ok  " : "FAIL");

	if (style->colour)
		fprintf(out, "\x1b[%dm%s\x1b[0m", passed ? 32 : 31, mark);
	else
		fputs(mark, out);
}

/* Of an interrupted run the values so far, which decide nothing. */
static void
print_verdicts(const struct results *r, FILE *out,
	       const struct summary_style *style)
{
	for (size_t i = 0; r->verdicts && i < r->expect.count; i++) {
		fputs("  ", out);
		if (r->partial)
			fputs("not judged:", out);
		else
			summary_print_mark(out, style, r->verdicts[i].passed);
		fprintf(out, " %s\n", r->verdicts[i].text);
	}
}

/* ---- tables
 * ------------------------------------------------------------------ */

static void
print_totals(const struct results *r, FILE *out)
{
	const struct totals_sums t = totals_sum(&r->totals);

	fprintf(out,
		"  messages    %" PRIu64 " submitted (%" PRIu64
		" of them notices), %" PRIu64 " accepted, %" PRIu64
		" refused,\n"
		"              %" PRIu64 " ended, %" PRIu64 " unfinished\n",
		t.submitted, t.notices, t.accepted, t.refused, t.ended,
		r->left_messages);
	if (r->left_waiting > 0)
		fprintf(out,
			"              %" PRIu64
			" not yet submitted: waiting at the client\n",
			r->left_waiting);
	fprintf(out,
		"  recipients  %" PRIu64 " delivered, %" PRIu64
		" bounced, %" PRIu64 " expired, %" PRIu64 " deleted, %" PRIu64
		" unfinished\n",
		t.delivered, t.bounced, t.expired, t.deleted,
		r->left_recipients);
	fprintf(out, "  attempts    %" PRIu64 ", %" PRIu64 " put off",
		t.attempts, t.deferrals);
	if (r->totals.untried > 0)
		fprintf(out, ", %" PRIu64 " of them untried",
			r->totals.untried);
	fputc('\n', out);
}

/* "12.3 s", in ten columns; ">=" where unfinished mail can still move it, or a
 * lower one: as `lower_bounds_from` of summary.json. */
static void
print_delay(FILE *out, const struct tally_key *k, double percent,
	    bool *is_bound)
{
	int64_t us = 0;
	char text[40];
	double s;

	if (!histogram_bound(&k->delay, &k->open, percent, &us))
		*is_bound = true;
	s = (double)us / 1e6;
	snprintf(text, sizeof(text), "%s%.*f", *is_bound ? ">=" : "",
		 s < 10	   ? 3
		 : s < 100 ? 2
			   : 0,
		 s);
	fprintf(out, " %10s", text);
}

static void
print_key(FILE *out, const char *name, const struct tally_key *k)
{
	static const double percents[] = {50, 90, 95, 99};
	size_t length = strlen(name);
	/* The end of a name tells more than its beginning. */
	const char *shown =
		length > NAME_WIDTH ? name + (length - NAME_WIDTH) : name;
	bool is_bound = false;

	fprintf(out, "  %-*s %9" PRIu64, NAME_WIDTH, shown, k->delay.count);
	for (size_t i = 0; i < sizeof(percents) / sizeof(percents[0]); i++) {
		if (k->delay.count + k->open.count > 0)
			print_delay(out, k, percents[i], &is_bound);
		else
			fprintf(out, " %10s", "-");
	}
	fputc('\n', out);
}

/* Busiest first; of equals the one seen first. */
static bool
is_busier(const struct tally_key *a, const struct tally_key *b)
{
	uint64_t x = tally_attempts(a) + a->open.count;
	uint64_t y = tally_attempts(b) + b->open.count;

	return x > y || (x == y && a->number < b->number);
}

static const char *
key_name(const struct results *r, const struct tally_table *table,
	 const struct tally_key *k)
{
	return table == &r->tally.sources
		       ? results_source_name(r, k->source)
		       : mta_sym_text(r->view.symbols, k->name);
}

static void
print_busiest(const struct results *r, FILE *out,
	      const struct tally_table *table)
{
	const struct tally_key *best[BUSIEST];
	uint32_t count = 0;

	for (uint32_t i = 0; i < table->count; i++) {
		const struct tally_key *k = table->keys[i];
		uint32_t at = count < BUSIEST ? count++ : BUSIEST;

		if (at == BUSIEST) {
			if (!is_busier(k, best[BUSIEST - 1]))
				continue;
			at = BUSIEST - 1;
		}
		for (; at > 0 && is_busier(k, best[at - 1]); at--)
			best[at] = best[at - 1];
		best[at] = k;
	}
	for (uint32_t i = 0; i < count; i++)
		print_key(out, key_name(r, table, best[i]), best[i]);
	if (table->count > count)
		fprintf(out, "  and %" PRIu32 " more in summary.json\n",
			table->count - count);
}

static void
print_heading(FILE *out, const char *title)
{
	fprintf(out, "\n  %-*s %9s %10s %10s %10s %10s\n", NAME_WIDTH, title,
		"finished", "p50", "p90", "p95", "p99");
}

/* By source only where that says more than "all". */
static void
print_delays(const struct results *r, FILE *out)
{
	print_heading(out, "delay in seconds");
	print_key(out, "all", &r->tally.all);
	print_busiest(r, out, &r->tally.destinations);
	if (r->tally.sources.count < 2)
		return;
	print_heading(out, "by source");
	print_busiest(r, out, &r->tally.sources);
}

static void
print_sparks(const struct results *r, FILE *out,
	     const struct summary_style *style)
{
	char line[SPARKLINE_BYTES(SPARK_WIDTH)];

	fputc('\n', out);
	for (uint32_t q = 0; q < MTA_QUEUES; q++) {
		const double *values = r->spark.queue[q];
		double most = 0;

		for (size_t i = 0; i < r->spark.count; i++)
			most = values[i] > most ? values[i] : most;
		if (!(most > 0))
			continue;
		sparkline(values, r->spark.count, SPARK_WIDTH,
			  style->utf8 ? SPARKLINE_UTF8 : SPARKLINE_ASCII, line);
		fprintf(out, "  %-9s %s up to %.0f\n",
			mta_queue_name((enum mta_queue)q), line, most);
	}
}

void
summary_print(const struct results *r, FILE *out,
	      const struct summary_style *style)
{
	const struct scenario *s = r->view.scenario;

	fprintf(out, "%s: %.6g s simulated, seed %" PRId64 "%s\n", s->name,
		(double)r->end_us / 1e6, s->seed,
		r->partial ? " (interrupted: results are partial)" : "");
	print_totals(r, out);
	if (style->sparklines)
		print_sparks(r, out, style);
	print_delays(r, out);
	if (r->expect.count > 0)
		fputs("\nexpectations\n", out);
	print_verdicts(r, out, style);
	fprintf(out, "\nresults are in %s\n", r->dir);
}
