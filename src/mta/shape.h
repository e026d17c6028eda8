/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How old is the mail of which domain? The table of qshape (F12.3), from the
 * doors alone: one count for each live recipient, or for each message that has
 * one by the domain of its sender, in buckets of age.
 *
 * As qshape does, it leaves out files that are marked to expire, damaged ones,
 * and what a client has just put into maildrop (which qshape -s counts as very
 * old mail of MAILER-DAEMON: it takes a file that it cannot read for one).
 *
 * Ages are whole seconds from first arrival to `now`. Rows by total, the
 * largest first, then the shorter name; of equal ones the alphabet decides,
 * where qshape has no order.
 *
 *	mta_shape_init(&s, host, &options);
 *	mta_shape_add_queue(&s, MTA_DEFERRED);      as often as wanted
 *	mta_shape_print(&s, text);
 *	mta_shape_release(&s);
 */
#ifndef MTA_SHAPE_H
#define MTA_SHAPE_H

#include "mta/host.h"
#include "mta/rules.h"
#include "mta/table.h"
#include "mta/text.h"

enum {
	MTA_SHAPE_BUCKETS_MAX = 200,
	MTA_SHAPE_WIDTH = 80, /* columns of the table, at least */
};

struct mta_shape_options {
	struct mta_shape_scale scale; /* -t, -b, -l */
	bool by_sender;		      /* -s: messages, by the sender's domain */
	bool with_parents;	      /* -p: parent domains too */
	int32_t least_below; /* -m: domains below a parent that is shown */
	int32_t width;	     /* -w: columns; not below MTA_SHAPE_WIDTH */
	int32_t rows_most;   /* -n: rows shown, TOTAL counted; 0: all */
};

/* As qshape has them: 10 buckets, the first of 5 minutes, all rows. */
struct mta_shape_options mta_shape_defaults(void);

struct mta_shape_row {
	mta_sym name;	 /* held; "TOTAL", a domain, ".parent" */
	uint32_t below;	 /* of a parent: domains directly below it */
	uint32_t *count; /* owned; [0] all, then by bucket */
};

struct mta_shape {
	const struct mta_host *host; /* borrowed */
	struct mta_shape_options options;
	int64_t now_s;		     /* ages count to here */
	struct mta_table places;     /* name + 1 -> row */
	struct mta_shape_row **rows; /* owned; the first is TOTAL */
	uint32_t row_count;
	uint32_t row_room; /* places in rows */
};

/* host: its loop's time is now. options: copied; buckets within
 * MTA_SHAPE_BUCKETS_MAX. */
void mta_shape_init(struct mta_shape *s, const struct mta_host *host,
		    const struct mta_shape_options *options);
void mta_shape_release(struct mta_shape *s);
/* Count what is in a queue now. */
void mta_shape_add_queue(struct mta_shape *s, enum mta_queue queue);
/* Head and rows. */
void mta_shape_print(struct mta_shape *s, struct mta_text *text);

#endif
