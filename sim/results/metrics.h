/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A run as what Prometheus would have scraped: metrics.om, OpenMetrics text
 * with time stamps, which `promtool tsdb create-blocks-from openmetrics` takes
 * in. Names, labels and buckets are those of the Postfix exporters that read
 * the mail log and the queues (postfix_exporter), and counts are those of our
 * own mail log: a program named smtp is every transport of that kind but relay.
 *
 * Numbers are kept at each sample and written at the end, since the format
 * wants one series after the other. Distributions, a walk over the queues among
 * them, are kept at the first sample of each minute and at the last one.
 *
 * Counters have no TYPE line: OpenMetrics wants it without _total, and the
 * older text that `promtool check metrics` reads wants it with it.
 *
 *	struct metrics *m = metrics_open(&view);         before the first event
 *	metrics_sample(m, now_us);                       at each sample
 *	if (!metrics_write(m, dir, error)) complain(error);
 *	metrics_free(m);
 */
#ifndef SIM_METRICS_H
#define SIM_METRICS_H

#include "sim/results/results_view.h"

enum {
	METRICS_ERROR = 512
};

struct metrics;

struct metrics *metrics_open(const struct results_view *view);
void metrics_sample(struct metrics *m, int64_t now_us);
/* The last sample too gets its distributions. False: error says why. */
bool
metrics_write(struct metrics *m, const char *dir, char error[METRICS_ERROR]);
/* NULL is fine. */
void metrics_free(struct metrics *m);

#endif
