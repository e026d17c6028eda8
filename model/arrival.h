/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Point processes: when the next message of a source arrives (docs/models.md).
 * An arrival is an iterator that gives times in microseconds from the start of
 * the scenario, never decreasing, until it is exhausted.
 *
 * Arrival n draws from cursor n of the given stream: the same luck under every
 * setting, and doubling a rate halves each gap. Configs are plain data, filled
 * by the scenario reader, judged by arrival_config_check() and shared; arrays
 * and laws in them are borrowed.
 */
#ifndef MODEL_ARRIVAL_H
#define MODEL_ARRIVAL_H

#include <stddef.h>
#include <stdint.h>

#include "model/stream.h"

struct law;

#define ARRIVAL_NEVER INT64_MAX

enum arrival_kind {
	ARRIVAL_POISSON, /* M-ARRIVAL-POISSON: rate_per_s */
	ARRIVAL_EVEN,	 /* M-ARRIVAL-EVEN: rate_per_s; the first at time 0 */
	ARRIVAL_WEIBULL, /* M-ARRIVAL-WEIBULL: gaps with mean 1 / rate_per_s,
			    and shape */
	ARRIVAL_DAILY,	/* M-ARRIVAL-DAILY: Poisson whose rate follows the hours
			 */
	ARRIVAL_TIMES,	/* M-ARRIVAL-TIMES: times */
	ARRIVAL_BURST,	/* M-ARRIVAL-BURST: at_us, burst_messages, rate_per_s */
	ARRIVAL_BURSTS, /* M-ARRIVAL-BURSTS: every, messages, rate_per_s */
};

struct arrival_config {
	enum arrival_kind kind;
	double rate_per_s;    /* in bursts: spacing within one, 0: at once */
	double shape;	      /* weibull */
	double hours[24];     /* daily: weights of the hours; rate_per_s is the
			       * mean over a day */
	double days[7];	      /* daily: factor of each day, Monday first; all 0
			       * is all 1 */
	int64_t day_us;	      /* daily: time since Monday 00:00 at scenario time
			       * 0 */
	const int64_t *times; /* ascending; may be negative */
	size_t time_count;
	int64_t at_us;		    /* burst */
	int64_t burst_messages;	    /* burst */
	const struct law *every;    /* bursts: from start to start; the first
				     * starts after one such gap */
	const struct law *messages; /* bursts: how many in one */
};

/* NULL, or what the config cannot mean: static text, naming the key first. */
const char *arrival_config_check(const struct arrival_config *config);

struct arrival {
	const struct arrival_config *config; /* borrowed */
	struct stream stream;
	int64_t until_us;    /* nothing at or after it */
	int64_t left;	     /* messages still to come */
	uint64_t count;	     /* of arrivals given */
	double clock_us;     /* exact time of the last arrival */
	int64_t burst_us;    /* start of the burst */
	int64_t burst_left;  /* messages left in the burst */
	int64_t burst_count; /* messages given in the burst */
	uint64_t bursts;     /* bursts begun */
	double scale_us;     /* poisson: mean gap; weibull: scale */
};

/*
 * Start. `until_us` and `messages` end it; ARRIVAL_NEVER for no such end.
 */
void arrival_init(struct arrival *arrival, const struct arrival_config *config,
		  struct stream stream, int64_t until_us, int64_t messages);

/* The time of the next arrival, or ARRIVAL_NEVER when there is none. */
int64_t arrival_next(struct arrival *arrival);

#endif
