/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A second, independent computation of destination concurrency feedback,
 * written from the fact sheet alone (F7.3, F7.4, F7.5). Tests feed it and the
 * rules of the queue manager with the same events and demand the same windows.
 * It knows numbers only: no queue, no timer, no message.
 *
 * A window of 0 means dead. The caller calls sick() on live destinations only,
 * as the queue manager does.
 */
#ifndef TESTS_REFERENCE_FEEDBACK_MODEL_H
#define TESTS_REFERENCE_FEEDBACK_MODEL_H

#include <stdbool.h>

struct fm_value {	 /* one feedback setting (F7.3) */
	double number;	 /* the value, or the numerator over the window */
	bool per_window; /* divide by the window at hand */
};

struct fm_rule {
	struct fm_value up;   /* positive feedback */
	struct fm_value down; /* negative feedback */
	int cohorts_max;      /* failed pseudo-cohorts until dead; 0 never */
	int limit;	      /* ceiling of the window; 0 none */
	int initial;	      /* window of a fresh destination */
};

struct fm_state {
	int window;	/* 0 dead */
	double good;	/* progress towards a larger window */
	double bad;	/* room before a smaller window */
	double cohorts; /* failed pseudo-cohorts */
};

/* Read "x", "x/y", "x/concurrency"; false when malformed or outside 0..1 (then
 * the value is plain 1). */
bool fm_value_parse(const char *text, struct fm_value *out);

void fm_init(struct fm_state *s, const struct fm_rule *r);

/* One good report; `busy` counts the deliveries in progress, the reported one
 * included (F7.4). */
void fm_alive(struct fm_state *s, const struct fm_rule *r, int busy);

/* One bad report; the window must be above 0 (F7.5). */
void fm_sick(struct fm_state *s, const struct fm_rule *r);

#endif
