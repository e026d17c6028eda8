/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A mini model of a mail queue in plain C: the least work that gives the answer
 * of the simplest scenarios, and so the limit of speed for them. It knows one
 * recipient a message, one transport, no scheduler, no spool, no results.
 *
 * Poisson arrivals, Zipf destinations (alias table), incoming to active
 * (20,000) to a queue for each destination, ready destinations in turn,
 * windows 5..20 with feedback 1/window up and down, P processes, latency 0.02 s
 * plus an exponential of mean 0.98 s, a share of tries fails and comes back
 * after 300 s, 600 s, ... at most 4000 s, from lists by second.
 */
#ifndef TESTS_BENCH_MINI_H
#define TESTS_BENCH_MINI_H

#include <stdint.h>

struct mini_case {
	uint32_t destinations;
	uint32_t processes;
	double rate;	  /* arrivals a second; 0: none */
	double seconds;	  /* how long mail arrives; then the queue drains */
	uint32_t backlog; /* messages in incoming at the start */
	double failing;	  /* share of tries */
};

/* Runs it to the end; how many tries it took. */
uint64_t mini_run(const struct mini_case *c);

#endif
