/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The judge of expectations (sim/scenario/scenario.h has them parsed). Each
 * keeps a small fold of its own over samples, or over final outcomes of
 * recipients, and is judged at the end.
 *
 * A column has a value at each sample and keeps it until the next: mean and
 * integral weigh by time, from the first value on; value(at) is that of the
 * sample at or before, rate is the difference over a window divided by its
 * length. Delay, attempts and outcomes count where the final outcome falls into
 * the window, wait where the first attempt does. Without a window all of the
 * run counts after warmup; one that the run did not reach the end of is judged
 * by nothing, except that of recipients all is known once it is drained.
 *
 * What unfinished mail can still change is shown with >= and holds only if the
 * bound decides.
 */
#ifndef SIM_EXPECT_H
#define SIM_EXPECT_H

#include "sim/results/histogram.h"
#include "sim/scenario/scenario.h"
#include "sim/results/tally.h"

enum expect_bound {
	EXPECT_EXACT,
	EXPECT_AT_LEAST, /* the final value is this or more */
	EXPECT_UNKNOWN,	 /* nothing to judge: no sample, no recipient, ... */
};

struct expect_verdict {
	bool passed;
	enum expect_bound bound;
	double value;	/* found, in the unit of the expectation */
	double margin;	/* how far inside (>= 0) or outside of what is asked;
			 * NaN when there is nothing to say */
	char text[256]; /* "max(active) <= 20000: 17311, 2689 to spare" */
};

/* A sample as expectations see it: a value by name of the column. */
struct expect_sample {
	/* NaN: no such row yet. Filters: NULL where not given. */
	double (*column)(const struct expect_sample *, const char *column,
			 const char *transport, const char *destination);
};

struct expect_fold; /* expect.c */

struct expect {
	const struct scenario *scenario; /* borrowed */
	const struct mta_symtab *symbols;
	struct expect_fold *folds; /* owned; one for each expectation */
	size_t count;
	bool wants_recipients; /* some fold wants expect_recipient() */
	bool wants_tries;      /* ... and the number of the attempt */
};

/* Both borrowed. */
void expect_init(struct expect *e, const struct scenario *scenario,
		 const struct mta_symtab *symbols);
void expect_release(struct expect *e);

/* Times: microseconds of the scenario. */
void expect_sample(struct expect *e, int64_t now_us,
		   const struct expect_sample *sample);

/* Something became of a recipient, or it is left over at the end. */
struct expect_recipient {
	int64_t at_us;
	int64_t delay_us;  /* since arrival */
	int64_t wait_us;   /* arrival to first attempt; -1: not this one */
	uint32_t attempts; /* 0: not known */
	enum mta_outcome outcome; /* QUEUED or HELD: left over */
	const struct tally_key *destination;
	const struct tally_key *domain;
	uint32_t source; /* number; UINT32_MAX: a notice */
};
void expect_recipient(struct expect *e, const struct expect_recipient *r);
/* All recipients of a mail that the operator deleted. */
void expect_deleted(struct expect *e, int64_t at_us, uint32_t recipient_count,
		    uint32_t source);

struct expect_end {
	int64_t now_us;
	int64_t drained_us; /* -1: it is not */
};
/* Judge expectation `index`, from 0. */
struct expect_verdict expect_judge(const struct expect *e, size_t index,
				   const struct expect_end *end);

#endif
