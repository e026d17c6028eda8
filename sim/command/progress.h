/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One line on stderr that says how far a run has come. It appears only when
 * stderr is a terminal and the run has taken longer than a second, is drawn
 * anew at most five times a second, and is wiped at the end. The bar reads the
 * real clock; nothing it knows flows back into the simulation.
 *
 *	struct progress bar;
 *	progress_init(&bar, end_us, PROGRESS_AUTO);
 *	... progress_update(&bar, now_us, &counts); ...
 *	progress_finish(&bar);
 */
#ifndef SIM_PROGRESS_H
#define SIM_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* --progress */
enum progress_mode {
	PROGRESS_AUTO,
	PROGRESS_NEVER,
};

/* Mails in each queue now. */
struct progress_counts {
	int64_t maildrop;
	int64_t incoming;
	int64_t active;
	int64_t deferred;
	int64_t hold;
};

struct progress {
	int64_t total_us; /* simulated length; 0: not known */
	int64_t began_ns; /* real time */
	int64_t drawn_ns; /* real time of the last drawing */
	int64_t last_us;  /* simulated time of the last drawing */
	double speed;	  /* simulated seconds a second, smoothed */
	bool enabled;	  /* a terminal is there to draw on */
	bool colour;	  /* NO_COLOR is not set */
	bool shown;	  /* a line stands on the terminal */
};

/*
 * total_us: how much simulated time lies ahead, from 0; 0 or INT64_MAX if only
 * the run itself will tell.
 */
void
progress_init(struct progress *bar, int64_t total_us, enum progress_mode mode);

/*
 * Cheap enough for every sample: a read of the clock, mostly. `counts` is
 * borrowed for the call.
 */
void progress_update(struct progress *bar, int64_t now_us,
		     const struct progress_counts *counts);

/* Wipe the line, if there is one, and draw no more. */
void progress_finish(struct progress *bar);

/*
 * The text of the line for a terminal of `width` columns, without colours and
 * without line end: what fits, the least important parts left out first.
 * size: bytes of out.
 */
void progress_line(const struct progress *bar, int64_t now_us,
		   const struct progress_counts *counts, size_t width,
		   char *out, size_t size);

#endif
