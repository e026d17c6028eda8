/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The events that a picture marks, and where their names stand.
 *
 * They are named above the picture, where no data are. A name takes a width
 * there, and a line runs from the time axis up to it; names that would touch,
 * or be struck through by the line of another, stand in different rows. The
 * heaviest events are placed first; one for which no place is left is not
 * named, and not marked. Widths are those of a picture of the usual size; a
 * name that would leave it on the right ends at its event instead.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/plot/plot_job.h"

/* Shares of the time axis, in a picture of the usual size. */
#define LETTER_WIDTH 0.0101
#define LABEL_GAP    0.02
#define MERGE_WIDTH  0.004
#define RIGHT_END    1.12

enum {
	LABEL_ROWS = 4,
	LABELS_MAX = 10
};

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
			char head[48];
			char line[sizeof(head) + 32];
			copy_text(head, sizeof(head), best.text);
			snprintf(line, sizeof(line), "%s, %zu more", head,
				 more);
			copy_text(best.text, sizeof(best.text), line);
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
	const struct plot_event *event; /* borrowed */
	double at;			/* of the event */
	double from;
	double to;
	int row;
	bool ends_here; /* the text ends at the event */
};

static struct label
make_label(const struct plot_run *run, const struct plot_event *event)
{
	double x = (event->at_s - run->from_s) / (run->to_s - run->from_s);
	double width = (double)letters(event->text) * LETTER_WIDTH + LABEL_GAP;
	bool ends_here = x + width > RIGHT_END;
	return (struct label){
		.event = event,
		.at = x,
		.from = ends_here ? x - width : x,
		.to = ends_here ? x : x + width,
		.ends_here = ends_here,
	};
}

/* From right to left. */
static int
compare_place(const void *left, const void *right)
{
	const struct label *a = left;
	const struct label *b = right;
	return (a->at < b->at) - (a->at > b->at);
}

/* Does a label, with its line up to it, keep clear of another one? */
static bool
is_clear(const struct label *a, const struct label *b)
{
	if (a->row == b->row)
		return a->to < b->from || a->from > b->to;
	const struct label *low = a->row < b->row ? a : b;
	const struct label *high = a->row < b->row ? b : a;
	/* The line of the higher passes the row of the lower. */
	return high->at < low->from || high->at > low->to;
}

/* The lowest row in which labels[n] is clear of those before it. */
static bool
find_row(struct label *labels, size_t n)
{
	struct label *label = &labels[n];
	for (label->row = 0; label->row < LABEL_ROWS; label->row++) {
		bool clear = true;
		for (size_t i = 0; i < n && clear; i++)
			clear = is_clear(label, &labels[i]);
		if (clear)
			return true;
	}
	return false;
}

/*
 * Give every label a row; false if one has no place. Texts run to the right,
 * so an event gets a row above those of the events that its text passes.
 */
static bool
place_labels(struct label *labels, size_t count)
{
	qsort(labels, count, sizeof(*labels), compare_place);
	for (size_t i = 0; i < count; i++) {
		if (!find_row(labels, i))
			return false;
	}
	return true;
}

static void
set_label(struct plot_job *job, size_t number, const struct label *label)
{
	char name[40];
	snprintf(name, sizeof(name), "event_%zu_text", number);
	plot_set_text(job, name, label->event->text);
	snprintf(name, sizeof(name), "event_%zu_at", number);
	plot_set_number(job, name, label->event->at_s);
	snprintf(name, sizeof(name), "event_%zu_row", number);
	plot_set_number(job, name, label->row);
	snprintf(name, sizeof(name), "event_%zu_left", number);
	plot_set_number(job, name, label->ends_here);
}

void
plot_set_events(struct plot_job *job, struct plot_events *events)
{
	struct label placed[LABELS_MAX] = {{0}};
	struct label tried[LABELS_MAX] = {{0}};
	size_t count = 0;
	int rows = 0;
	merge_crowds(events, job->run->to_s - job->run->from_s);
	qsort(events->list, events->count, sizeof(events->list[0]),
	      compare_weight);
	for (size_t i = 0; i < events->count && count < LABELS_MAX; i++) {
		memcpy(tried, placed, sizeof(tried));
		tried[count] = make_label(job->run, &events->list[i]);
		if (tried[count].at < 0 || tried[count].at > 1 ||
		    !place_labels(tried, count + 1))
			continue;
		memcpy(placed, tried, sizeof(placed));
		count++;
	}
	for (size_t i = 0; i < count; i++) {
		set_label(job, i + 1, &placed[i]);
		if (placed[i].row >= rows)
			rows = placed[i].row + 1;
	}
	plot_set_number(job, "events", (double)count);
	plot_set_number(job, "event_rows", rows);
}
