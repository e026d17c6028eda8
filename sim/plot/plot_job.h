/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the makers of pictures share. A picture is made in two steps: a
 * function in C reads the results and makes a small table (a few thousand rows
 * at most, whatever the length of the run) and settings for gnuplot; then the
 * script plots/NAME.gp draws the table. Table and script stand side by side in
 * DIR/plots, so the picture can be drawn again with gnuplot alone.
 *
 * Tables are of doubles; a NaN is printed as an empty field, which gnuplot
 * takes for missing.
 */
#ifndef SIM_PLOT_JOB_H
#define SIM_PLOT_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Something to be marked on the time axis. */
struct plot_event {
	double at_s;
	double weight; /* the heavier is kept when there are too many */
	char text[80]; /* UTF-8 */
};

enum {
	PLOT_EVENTS_MAX = 256
};

struct plot_events {
	struct plot_event list[PLOT_EVENTS_MAX];
	size_t count;
};

/* The results folder. */
struct plot_run {
	const char *dir; /* borrowed; as the user gave it */
	char *scenario;	 /* owned; name */
	int64_t seed;
	bool partial;		     /* the run was interrupted */
	double warmup_s;	     /* what ended before has no delay */
	struct json_t *parameters;   /* owned; as texts, or NULL */
	double from_s;		     /* of the samples */
	double to_s;		     /* > from_s */
	char *recorded;		     /* owned; recorded_series.csv, or NULL */
	struct plot_events operator; /* what the operator did */
};

enum plot_result {
	PLOT_READY,  /* table and settings are made */
	PLOT_ABSENT, /* the folder lacks what the picture needs; see why */
	PLOT_BAD,    /* a file cannot be read; see why */
};

/* One picture in the making. */
struct plot_job {
	const struct plot_run *run; /* borrowed */
	FILE *table;		    /* borrowed; the CSV */
	FILE *settings;		    /* borrowed; assignments of gnuplot */
	bool text;		    /* for a text terminal: keep it simple */
	char why[700];		    /* when it cannot be made */
};

/* Rows of doubles. */
struct plot_table {
	size_t columns;
	size_t rows;
	size_t room;   /* rows */
	double *cells; /* owned; row by row */
};

/*
 * Makers, one a picture; each reads what its name says in plots/NAME.gp.
 */
enum plot_result plot_make_queues(struct plot_job *job);
enum plot_result plot_make_window(struct plot_job *job);
enum plot_result plot_make_delays(struct plot_job *job);
enum plot_result plot_make_attempts(struct plot_job *job);
enum plot_result plot_make_inflow(struct plot_job *job);
enum plot_result plot_make_jobs(struct plot_job *job);
enum plot_result plot_make_recorded(struct plot_job *job);

/* ---- reading */

/*
 * Read run.json and the ends of the time axis. 0, or an exit code after a
 * message on stderr.
 */
int plot_run_read(struct plot_run *run, const char *dir);
void plot_run_release(struct plot_run *run);

/* The text of a parameter in force, borrowed; NULL if run.json has none. */
const char *plot_run_parameter(const struct plot_run *run, const char *name);

/*
 * Read columns of DIR/FILE into a table that is empty. A name with a '?' before
 * it may be missing in the file: its cells are NaN. `names` ends with NULL.
 */
enum plot_result plot_read(struct plot_job *job, const char *file,
			   const char *const *names, struct plot_table *table);

/* The same for a path. */
enum plot_result
plot_read_path(struct plot_job *job, const char *path, const char *const *names,
	       struct plot_table *table);

/* Why the picture cannot be made; returns `result`. */
enum plot_result
plot_why(struct plot_job *job, enum plot_result result, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* ---- tables */

/* A new row, its cells NaN; good until the next is added. */
double *plot_table_add(struct plot_table *table);

/* A cell; row and column from 0. */
double
plot_table_get(const struct plot_table *table, size_t row, size_t column);

/*
 * Keep about `most` rows: of each stretch of rows those that hold a column's
 * least or greatest, and the first; so that no peak is lost.
 */
void plot_table_thin(struct plot_table *table, size_t most);

/* Greatest of a column, 0 at least. */
double plot_table_max(const struct plot_table *table, size_t column);

/* Rows as CSV, without a header. */
void plot_table_print(const struct plot_table *table, FILE *out);

void plot_table_release(struct plot_table *table);

/* ---- settings */

/* An assignment in the script that is written. */
void plot_set_number(struct plot_job *job, const char *name, double value);

/* Quoted so that gnuplot takes no byte of it for anything but text. */
void plot_set_text(struct plot_job *job, const char *name, const char *value);

/* name_div and name_unit: thousands or millions if the counts are large. */
void plot_set_scale(struct plot_job *job, const char *name, double most);

/* The time axis of the run. */
void plot_set_time(struct plot_job *job);

/* Events to mark: chosen, merged, and placed in rows above the picture. */
void plot_set_events(struct plot_job *job, struct plot_events *events);

/* What there is no room for is left out. text: copied, and cut. */
void plot_events_add(struct plot_events *events, double at_s, double weight,
		     const char *text);

/* A time as people say it: 250 ms, 3.2 s, 12 min. */
const char *plot_time_text(double seconds, char *out, size_t size);

/* ---- gnuplot */

/* Deaths and returns of destinations, from destinations.csv. */
enum plot_result
plot_read_deaths(struct plot_job *job, struct plot_events *events);

/* A shipped script as one text for free(), or NULL after a message. */
char *plot_script_load(const char *name);

/*
 * Look for a shipped file FOLDER/NAME where they are kept; its path for free()
 * or NULL.
 */
char *plot_shipped(const char *folder, const char *name);

/*
 * Run gnuplot on a script in a folder; `picture` is the file that it shall
 * write there. False after a message.
 */
bool plot_gnuplot(const char *folder, const char *script, const char *picture);

/* Is there a gnuplot to run? */
bool plot_gnuplot_exists(void);

#endif
