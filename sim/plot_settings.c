/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a script has to be told about a run: numbers and texts, units of the
 * axes, and the events to mark.
 *
 * Texts come from results, so from users: they are put in single quotes, in
 * which gnuplot knows no escapes, no macros and no commands.
 *
 * Events are named above the picture, where no data are. A label takes a
 * width there; two that would touch stand in different rows, and when the rows
 * are full the lighter event is left out. Widths are those of a picture 1200
 * wide; a label that would leave it on the right ends at its event instead.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/plot_job.h"

/* Shares of the time axis, in a picture of the usual size. */
#define LETTER_WIDTH 0.0101
#define LABEL_GAP    0.02
#define MERGE_WIDTH  0.004

enum {
	LABEL_ROWS = 4,
	LABELS_MAX = 10
};

void
plot_set_number(struct plot_job *job, const char *name, double value)
{
	fprintf(job->settings, "%s = %.10g\n", name, value);
}

static void
put_quoted(FILE *out, const char *text)
{
	fputc('\'', out);
	for (const char *p = text; *p; p++) {
		if (*p == '\'')
			fputs("''", out);
		else
			fputc((unsigned char)*p < 0x20 ? ' ' : *p, out);
	}
	fputc('\'', out);
}

void
plot_set_text(struct plot_job *job, const char *name, const char *value)
{
	fprintf(job->settings, "%s = ", name);
	put_quoted(job->settings, value);
	fputc('\n', job->settings);
}

void
plot_set_scale(struct plot_job *job, const char *name, double most)
{
	/* A terminal has no place to name the unit. */
	if (job->text)
		most = 0;
	double divisor = most >= 1e7 ? 1e6 : most >= 2e4 ? 1e3 : 1;
	const char *unit = most >= 1e7	 ? "millions"
			   : most >= 2e4 ? "thousands"
					 : "";
	fprintf(job->settings, "%s_div = %.0f\n%s_unit = '%s'\n", name, divisor,
		name, unit);
}

struct time_unit {
	const char *name;
	double seconds;
	double longest; /* axis in this unit, seconds */
	double steps[10];
};

static const struct time_unit time_units[] = {
	{"seconds", 1, 301, {0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60}},
	{"minutes", 60, 3 * 3600 + 1, {0.5, 1, 2, 5, 10, 15, 20, 30}},
	{"hours", 3600, 4 * 86400 + 1, {0.5, 1, 2, 3, 4, 6, 12, 24}},
	{"days", 86400, HUGE_VAL, {0.5, 1, 2, 5, 7, 14, 30, 60, 90, 365}},
};

void
plot_set_time(struct plot_job *job)
{
	enum {
		TICS_MAX = 13
	};
	double span = job->run->to_s - job->run->from_s;
	const struct time_unit *unit = time_units;
	while (span > unit->longest)
		unit++;
	double step = unit->steps[0];
	for (size_t i = 0; i < 10 && unit->steps[i] > 0; i++) {
		step = unit->steps[i];
		if (span / unit->seconds / step <= TICS_MAX)
			break;
	}
	plot_set_text(job, "time_unit", unit->name);
	plot_set_number(job, "time_div", unit->seconds);
	plot_set_number(job, "time_step", step);
	plot_set_number(job, "time_from", job->run->from_s / unit->seconds);
	plot_set_number(job, "time_to", job->run->to_s / unit->seconds);
}

/* Cut a UTF-8 text at the start of a character. */
static void
copy_text(char *out, size_t size, const char *text)
{
	size_t length = strlen(text);
	if (length >= size) {
		length = size - 1;
		while (length > 0 &&
		       ((unsigned char)text[length] & 0xc0) == 0x80)
			length--;
	}
	memcpy(out, text, length);
	out[length] = '\0';
}

void
plot_events_add(struct plot_events *events, double at_s, double weight,
		const char *text)
{
	if (events->count == PLOT_EVENTS_MAX)
		return;
	struct plot_event *event = &events->list[events->count++];
	event->at_s = at_s;
	event->weight = weight;
	copy_text(event->text, sizeof(event->text), text);
}

/* By time; of one time the heavier first; then by text: a total order. */
static int
compare_time(const void *left, const void *right)
{
	const struct plot_event *a = left;
	const struct plot_event *b = right;
	if (a->at_s != b->at_s)
		return a->at_s < b->at_s ? -1 : 1;
	if (a->weight != b->weight)
		return a->weight > b->weight ? -1 : 1;
	return strcmp(a->text, b->text);
}

static int
compare_weight(const void *left, const void *right)
{
	const struct plot_event *a = left;
	const struct plot_event *b = right;
	if (a->weight != b->weight)
		return a->weight > b->weight ? -1 : 1;
	return compare_time(left, right);
}

/* A crowd at one place is one event, named after its heaviest. */
static void
merge_crowds(struct plot_events *events, double span)
{
	size_t kept = 0;
	qsort(events->list, events->count, sizeof(events->list[0]),
	      compare_time);
	for (size_t i = 0; i < events->count;) {
		struct plot_event best = events->list[i];
		double start = best.at_s;
		size_t more = 0;
		for (i++; i < events->count; i++, more++) {
			const struct plot_event *next = &events->list[i];
			if (next->at_s - start > span * MERGE_WIDTH)
				break;
			if (next->weight > best.weight)
				best = *next;
		}
		if (more > 0) {
			char head[56];
			copy_text(head, sizeof(head), best.text);
			snprintf(best.text, sizeof(best.text), "%s, %zu more",
				 head, more);
		}
		events->list[kept++] = best;
	}
	events->count = kept;
}

static size_t
letters(const char *text)
{
	size_t n = 0;
	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

/* Where a label stands, in shares of the axis. */
struct label {
	double from;
	double to;
	int row;
	bool ends_here; /* the text ends at the event */
};

/*
 * Find room for a label whose event is at `at` among those placed already; a
 * label must not lie across the line of a higher one either, which runs up to
 * its row. False: there is none.
 */
static bool
place_label(struct label *label, const struct label *placed,
	    const double *placed_at, size_t count, double at)
{
	for (label->row = 0; label->row < LABEL_ROWS; label->row++) {
		bool clear = true;
		for (size_t i = 0; i < count && clear; i++) {
			const struct label *other = &placed[i];
			if (other->row == label->row)
				clear = label->to < other->from ||
					label->from > other->to;
			else if (other->row > label->row)
				clear = placed_at[i] < label->from ||
					placed_at[i] > label->to;
			else
				clear = at < other->from || at > other->to;
		}
		if (clear)
			return true;
	}
	return false;
}

void
plot_set_events(struct plot_job *job, struct plot_events *events)
{
	struct label labels[LABELS_MAX] = {{0}};
	double at[LABELS_MAX] = {0};
	size_t count = 0;
	int rows = 0;
	double span = job->run->to_s - job->run->from_s;
	merge_crowds(events, span);
	qsort(events->list, events->count, sizeof(events->list[0]),
	      compare_weight);
	for (size_t i = 0; i < events->count && count < LABELS_MAX; i++) {
		const struct plot_event *event = &events->list[i];
		double x = (event->at_s - job->run->from_s) / span;
		double width =
			(double)letters(event->text) * LETTER_WIDTH + LABEL_GAP;
		struct label *label = &labels[count];
		if (x < 0 || x > 1)
			continue;
		label->ends_here = x + width > 1.12;
		label->from = label->ends_here ? x - width : x;
		label->to = label->ends_here ? x : x + width;
		if (!place_label(label, labels, at, count, x))
			continue;
		at[count++] = x;
		if (label->row >= rows)
			rows = label->row + 1;
		char name[40];
		snprintf(name, sizeof(name), "event_%zu_text", count);
		plot_set_text(job, name, event->text);
		snprintf(name, sizeof(name), "event_%zu_at", count);
		plot_set_number(job, name, event->at_s);
		snprintf(name, sizeof(name), "event_%zu_row", count);
		plot_set_number(job, name, label->row);
		snprintf(name, sizeof(name), "event_%zu_left", count);
		plot_set_number(job, name, label->ends_here);
	}
	plot_set_number(job, "events", (double)count);
	plot_set_number(job, "event_rows", rows);
}

const char *
plot_time_text(double seconds, char *out, size_t size)
{
	double value = seconds < 1	     ? seconds * 1e3
		       : seconds < 120	     ? seconds
		       : seconds < 2 * 3600  ? seconds / 60
		       : seconds < 2 * 86400 ? seconds / 3600
					     : seconds / 86400;
	const char *unit = seconds < 1		 ? "ms"
			   : seconds < 120	 ? "s"
			   : seconds < 2 * 3600	 ? "min"
			   : seconds < 2 * 86400 ? "h"
						 : "d";
	int decimals = value < 9.95 ? 1 : 0;
	snprintf(out, size, "%.*f %s", decimals, value, unit);
	return out;
}
