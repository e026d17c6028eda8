/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Counts of the whole system from the trace alone, and the proofs that they are
 * right: what the queues hold, what has come and gone, and the time that mails
 * have spent here counted in two ways.
 *
 * A record is only noted; what it means for all is summed up when somebody asks
 * (totals_sum). Records of services that are charged for time may come out of
 * order by as much; sums do not mind.
 */
#ifndef SIM_TOTALS_H
#define SIM_TOTALS_H

#include "mta/note.h"
#include "mta/spool.h"
#include "mta/trace.h"

/* Moves from one queue to another. */
struct totals_moves {
	uint64_t count;
	uint64_t times; /* sum of when they were, modulo 2^64 */
};

struct totals {
	mta_time begin;
	uint64_t start[MTA_QUEUES]; /* files that were there at `begin` */
	/* From (row) and to; MTA_QUEUES: outside. */
	struct totals_moves moves[MTA_QUEUES + 1][MTA_QUEUES + 1];
	uint64_t submitted;
	uint64_t notices;     /* of submitted */
	uint64_t refused;     /* answered with no, or thrown away on arrival */
	uint64_t ended_files; /* by their own last words */
	uint64_t passed_on;   /* of ended files: pickup's */
	uint64_t stays;	      /* of ended files, microseconds modulo 2^64 */
	uint64_t outcomes[MTA_OUTCOMES]; /* of recipients; deleted: all of the
					  * mails that the operator deleted */
	uint64_t untried;		 /* of the deferred: nobody was asked */
	mta_time last_work;		 /* latest of the records seen */
};

/* All of it, added up. */
struct totals_sums {
	int64_t queue[MTA_QUEUES]; /* files now */
	/* files */
	uint64_t start; /* there at the beginning */
	uint64_t appeared;
	uint64_t gone;
	uint64_t in_system; /* now */
	/* messages */
	uint64_t submitted; /* every hand-in, notices and refused ones too */
	uint64_t notices;
	uint64_t refused;
	uint64_t accepted; /* committed by cleanup; after a requeue again */
	uint64_t ended;
	/* recipients */
	uint64_t delivered;
	uint64_t bounced;
	uint64_t deferrals; /* each time */
	uint64_t expired;
	uint64_t deleted;
	uint64_t attempts; /* somebody was asked: all but expiry (F14.4) */
};

/* spool: holds what is there at the beginning; asked for counts only. */
void totals_init(struct totals *t, mta_time begin, struct mta_spool *spool);

void totals_submitted(struct totals *t, const struct mta_trace_submitted *r);
void totals_answered(struct totals *t, const struct mta_trace_answered *r);
void totals_move(struct totals *t, const struct mta_trace_move *r);
void totals_delivery(struct totals *t, const struct mta_trace_delivery *r);
void totals_ended(struct totals *t, const struct mta_trace_ended *r);

struct totals_sums totals_sum(const struct totals *t);

/* Maildrop, incoming, active and deferred are empty. */
bool totals_is_empty(const struct totals *t);

/*
 * Conservation: each queue as the spool has it, so that start + appeared = gone
 * + in the queues; as many last words as files gone. False: `why` says what
 * differs. Cheap enough for every sample.
 */
bool totals_check(const struct totals *t, struct mta_spool *spool, char *why,
		  size_t why_size);

/*
 * Little's law, exactly: area under the number in system up to `now` = stays of
 * those that have ended + stays so far of those in `spool`, told by their own
 * envelopes. Walks the spool. now: not before any record.
 */
bool totals_check_little(const struct totals *t, struct mta_spool *spool,
			 mta_time now, char *why, size_t why_size);

/* The area under the number in system from begin to now, modulo 2^64, and the
 * mean. now: not before any record. */
uint64_t totals_area(const struct totals *t, mta_time now);
double totals_mean_in_system(const struct totals *t, mta_time now);

/* Call `visit` for each file of a queue, in the spool's order. */
struct totals_visitor {
	void (*visit)(struct totals_visitor *, struct mta_spool *,
		      enum mta_queue, struct mta_ref);
};
void totals_walk(struct mta_spool *spool, enum mta_queue queue,
		 struct totals_visitor *visitor);

#endif
