/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Counts of the whole system from the trace alone, and the proofs that they are
 * right: what the queues hold, what has come and gone, and the time that mails
 * have spent here counted in two ways.
 *
 * Messages: submitted (every hand-in, notices too, refused ones too), accepted
 * (files that cleanup committed; one requeued by the operator is accepted
 * again), ended. Recipients: delivered, bounced, deferrals (each time),
 * expired, deleted (all recipients of mails that the operator deleted).
 *
 * Records of services that are charged for time may come out of order by as
 * much; areas are sums, so that does not matter to them.
 */
#ifndef SIM_TOTALS_H
#define SIM_TOTALS_H

#include "mta/note.h"
#include "mta/spool.h"
#include "mta/trace.h"

struct totals {
	mta_time begin;
	int64_t queue[MTA_QUEUES]; /* files now */
	/* messages */
	uint64_t start; /* files that were there at the beginning */
	uint64_t submitted;
	uint64_t notices; /* of submitted */
	uint64_t accepted;
	uint64_t appeared;    /* files, maildrop's too */
	uint64_t gone;	      /* files, by their moves */
	uint64_t ended_files; /* files, by their own last words */
	uint64_t ended;	      /* messages: files but those pickup passed on */
	uint64_t refused;     /* answered with no, or thrown away on arrival */
	/* recipients */
	uint64_t delivered;
	uint64_t bounced;
	uint64_t deferrals;
	uint64_t expired;
	uint64_t deleted;
	uint64_t attempts;
	/* Little's law, in microseconds modulo 2^64 */
	uint64_t area; /* of the number in system, up to area_to */
	mta_time area_to;
	uint64_t stays;	    /* of those that have ended */
	mta_time last_work; /* latest of the records seen */
	mta_time emptied;   /* since when nothing waits, or MTA_NEVER */
};

/* spool: holds what is there at the beginning; asked for counts only. */
void totals_init(struct totals *t, mta_time begin, struct mta_spool *spool);

void totals_submitted(struct totals *t, const struct mta_trace_submitted *r);
void totals_answered(struct totals *t, const struct mta_trace_answered *r);
void totals_move(struct totals *t, const struct mta_trace_move *r);
void totals_delivery(struct totals *t, const struct mta_trace_delivery *r);
void totals_ended(struct totals *t, const struct mta_trace_ended *r);

/* Maildrop, incoming, active and deferred are empty. */
bool totals_is_empty(const struct totals *t);

/*
 * Conservation: start + appeared = gone + in the queues; each queue as the
 * spool has it; as many last words as files gone. False: `why` says what
 * differs. Cheap enough for every sample.
 */
bool totals_check(const struct totals *t, struct mta_spool *spool, char *why,
		  size_t why_size);

/*
 * Little's law, exactly: area under the number in system up to `now` = stays of
 * those that have ended + stays so far of those in `spool`, told by their own
 * envelopes. Walks the spool. now: not before any record.
 */
bool totals_check_little(struct totals *t, struct mta_spool *spool,
			 mta_time now, char *why, size_t why_size);

/* Mean number in system from begin to area_to. */
double totals_mean_in_system(const struct totals *t);

/* Call `visit` for each file of a queue, in the spool's order. */
struct totals_visitor {
	void (*visit)(struct totals_visitor *, struct mta_spool *,
		      enum mta_queue, struct mta_ref);
};
void totals_walk(struct mta_spool *spool, enum mta_queue queue,
		 struct totals_visitor *visitor);

#endif
