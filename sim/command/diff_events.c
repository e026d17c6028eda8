/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The first event that differs. Each table of events is in order of time, so
 * its first row that is not the same is where it parts; the earliest of the
 * tables is told whole, the others in a word. At one instant an attempt comes
 * before the feedback that it gives and the move that follows.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/base/csv_read.h"
#include "sim/base/exit_code.h"
#include "sim/command/diff.h"

struct event {
	const char *table; /* NULL: none */
	int64_t at_us;
	long lines[2]; /* 0: that table has ended */
	char texts[2][DIFF_EVENT_TEXT];
	char columns[DIFF_EVENT_TEXT]; /* that differ */
	char where[DIFF_FIRST_TEXT];
};

/* ---- one event in words
 * ----------------------------------------------------------- */

static const char *
field(const struct csv_reader *csv, const char *name)
{
	int column = csv_column(csv, name);

	return column < 0 ? "?" : csv_text(csv, column);
}

/* Which rule of docs/rules.md makes such an event. */
static const char *
rule_of(const char *event)
{
	static const char *const rules[][2] = {
		{"alive", "R-WINDOW-UP"},
		{"sick", "R-WINDOW-DOWN"},
		{"dead", "R-DEAD"},
		{"revived", "R-DEAD-RETURN"},
		{"admitted", "R-SCAN-TURN"},
		{"accepted", "R-FLOW-TOKEN"},
		{"deferred", "R-BACKOFF-AGE"},
		{"expired", "R-EXPIRE"},
	};

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (strcmp(rules[i][0], event) == 0)
			return rules[i][1];
	}
	return "";
}

static void
put_attempt(const struct csv_reader *c, char *out, size_t size)
{
	snprintf(out, size,
		 "%s s  mail %s (%s %s) to %s in %s:%s: %s%s%s, %.200s",
		 field(c, "time_s"), field(c, "message"), field(c, "source"),
		 field(c, "index"), field(c, "address"), field(c, "transport"),
		 field(c, "destination"), field(c, "outcome"),
		 *field(c, "step") ? " at " : "", field(c, "step"),
		 field(c, "reason"));
}

static void
put_feedback(const struct csv_reader *c, char *out, size_t size)
{
	const char *event = field(c, "event");

	snprintf(out, size,
		 "%s s  %s:%s: %s (%s), limit %s, window %s, busy %s, "
		 "success %s, failure %s, failed cohorts %s",
		 field(c, "time_s"), field(c, "transport"),
		 field(c, "destination"), event, rule_of(event),
		 field(c, "limit"), field(c, "window"), field(c, "busy"),
		 field(c, "success"), field(c, "failure"),
		 field(c, "fail_cohorts"));
}

static void
put_move(const struct csv_reader *c, char *out, size_t size)
{
	const char *from = field(c, "from");
	const char *to = field(c, "to");
	const char *reason = field(c, "reason");
	const char *rule = rule_of(reason);

	snprintf(out, size, "%s s  mail %s (%s %s) from %s to %s: %s%s%s%s",
		 field(c, "time_s"), field(c, "message"), field(c, "source"),
		 field(c, "index"), *from ? from : "nowhere",
		 *to ? to : "nowhere", reason, *rule ? " (" : "", rule,
		 *rule ? ")" : "");
}

static const struct {
	const char *name;
	void (*put)(const struct csv_reader *c, char *out, size_t size);
} tables[] = {
	{"attempts.csv", put_attempt},
	{"feedback.csv", put_feedback},
	{"moves.csv", put_move},
};
enum {
	TABLES = sizeof(tables) / sizeof(tables[0])
};

/* ---- where a table parts
 * ------------------------------------------------------------ */

static bool
rows_differ(const struct csv_reader csv[2])
{
	for (int i = 0; i < (int)csv[0].columns; i++) {
		if (strcmp(csv_text(&csv[0], i), csv_text(&csv[1], i)) != 0)
			return true;
	}
	return false;
}

/* With values: the words of an event do not have all of them. */
static void
name_columns(const struct csv_reader csv[2], char *out, size_t size)
{
	size_t used = 0;

	for (int i = 0; i < (int)csv[0].columns && used < size; i++) {
		if (strcmp(csv_text(&csv[0], i), csv_text(&csv[1], i)) == 0)
			continue;
		used += (size_t)snprintf(
			out + used, size - used, "%s%s: %s, %s",
			used ? "; " : "", csv_name(&csv[0], i),
			csv_text(&csv[0], i), csv_text(&csv[1], i));
	}
}

/* has: is there a row on each side? */
static void
note_event(struct event *e, size_t table, struct csv_reader csv[2],
	   const bool has[2])
{
	int64_t at;
	int time;
	int earlier = -1;

	e->table = tables[table].name;
	for (int i = 0; i < 2; i++) {
		snprintf(e->texts[i], sizeof(e->texts[i]),
			 "nothing more happens");
		if (!has[i])
			continue;
		e->lines[i] = csv[i].line;
		tables[table].put(&csv[i], e->texts[i], sizeof(e->texts[i]));
		if (csv_find(&csv[i], "time_s", &time) &&
		    csv_microseconds(&csv[i], time, &at) &&
		    (earlier < 0 || at < e->at_us)) {
			e->at_us = at;
			earlier = i;
		}
	}
	if (has[0] && has[1])
		name_columns(csv, e->columns, sizeof(e->columns));
	snprintf(e->where, sizeof(e->where), "at %.220s",
		 earlier < 0 ? "" : e->texts[earlier]);
}

/* Read on to the end, to know whether the tables are whole. */
static void
read_rest(struct csv_reader csv[2])
{
	for (int i = 0; i < 2; i++) {
		while (csv_next(&csv[i]))
			;
	}
}

static int
find_event(struct diff *d, size_t table, struct csv_reader csv[2],
	   struct event *e)
{
	bool has[2];

	do {
		has[0] = csv_next(&csv[0]);
		has[1] = csv_next(&csv[1]);
	} while (has[0] && has[1] && !rows_differ(csv));
	if ((has[0] || has[1]) && !csv[0].error[0] && !csv[1].error[0])
		note_event(e, table, csv, has);
	read_rest(csv);
	return diff_close(d, csv);
}

/* ---- all
 * ----------------------------------------------------------------------------
 */

static void
tell_first(struct diff *d, const struct event *e)
{
	d->differs = true;
	snprintf(d->first, sizeof(d->first), "%s", e->where);
	fprintf(d->out, "first event that differs, %s line %ld:\n", e->table,
		e->lines[0] ? e->lines[0] : e->lines[1]);
	for (int i = 0; i < 2; i++)
		fprintf(d->out, "  %-8s  %s\n", d->names[i], e->texts[i]);
	if (e->columns[0])
		fprintf(d->out, "  in %s\n", e->columns);
}

static void
tell(struct diff *d, const struct event events[TABLES])
{
	const struct event *first = NULL;

	for (size_t i = 0; i < TABLES; i++) {
		if (events[i].table &&
		    (!first || events[i].at_us < first->at_us))
			first = &events[i];
	}
	if (!first)
		return;
	tell_first(d, first);
	for (size_t i = 0; i < TABLES; i++) {
		if (events[i].table && &events[i] != first)
			fprintf(d->out, "then %s, %s\n", events[i].table,
				events[i].where);
	}
}

int
diff_events(struct diff *d)
{
	struct event events[TABLES] = {{.table = NULL}};
	size_t seen = 0;

	for (size_t i = 0; i < TABLES; i++) {
		struct csv_reader csv[2];
		enum diff_table table = diff_open(d, tables[i].name, csv);

		if (table == DIFF_TABLE_BAD)
			return EXIT_CODE_INVALID;
		if (table != DIFF_TABLE_BOTH)
			continue;
		seen++;
		if (find_event(d, i, csv, &events[i]) != 0)
			return EXIT_CODE_INVALID;
	}
	tell(d, events);
	if (seen == 0)
		fputs("note: no events to compare; run both with --output "
		      "moves,attempts,feedback to see the first that differs\n",
		      d->out);
	return 0;
}
