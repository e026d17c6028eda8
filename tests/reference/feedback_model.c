/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * See feedback_model.h. The half step of F7.5 is written as the fact sheet
 * states it: the sum must have passed half a feedback beyond a whole step
 * before the window moves, upwards at the end and downwards at the start of a
 * cycle. Sums are doubles on purpose; ten times a tenth stays below one
 * (F17.1).
 */
#include "tests/reference/feedback_model.h"

#include <assert.h>
#include <stdlib.h>
#include <strings.h>

static bool
in_unit(double x)
{
	return x >= 0.0 && x <= 1.0;
}

bool
fm_value_parse(const char *text, struct fm_value *out)
{
	char *end;
	char *tail;
	double x = strtod(text, &end);

	out->number = 1.0;
	out->per_window = false;
	if (end == text)
		return false;
	while (*end == ' ')
		end++;
	if (*end == '\0' && in_unit(x)) {
		out->number = x;
		return true;
	}
	if (*end++ != '/')
		return false;
	while (*end == ' ')
		end++;
	if (strcasecmp(end, "concurrency") == 0 && in_unit(x)) {
		out->number = x;
		out->per_window = true;
		return true;
	}
	double y = strtod(end, &tail);

	if (tail == end || *tail != '\0' || y <= 0.0 || !in_unit(x / y))
		return false;
	out->number = x / y;
	return true;
}

static double
value_at(const struct fm_value *v, int window)
{
	return v->per_window ? v->number / window : v->number;
}

void
fm_init(struct fm_state *s, const struct fm_rule *r)
{
	s->window = r->initial;
	s->good = 0.0;
	s->bad = 0.0;
	s->cohorts = 0.0;
}

void
fm_alive(struct fm_state *s, const struct fm_rule *r, int busy)
{
	double f;

	s->cohorts = 0.0;
	if (s->window == 0) {
		s->window = busy > 0 ? busy : r->initial;
		s->good = 0.0;
		s->bad = 0.0;
		return;
	}
	if (r->limit != 0 && r->limit <= s->window)
		return;
	if (s->window >= busy + r->initial)
		return;
	f = value_at(&r->up, s->window);
	s->good += f;
	while (s->good + f / 2 >= 1.0) {
		s->window++;
		s->good -= 1.0;
		s->bad = 0.0;
	}
	if (r->limit > 0 && s->window > r->limit)
		s->window = r->limit;
}

void
fm_sick(struct fm_state *s, const struct fm_rule *r)
{
	double f;

	assert(s->window > 0);
	s->cohorts += 1.0 / s->window;
	if (r->cohorts_max > 0 && s->cohorts >= r->cohorts_max) {
		s->window = 0;
		return;
	}
	f = value_at(&r->down, s->window);
	s->bad -= f;
	while (s->bad - f / 2 < 0.0) {
		s->window--;
		s->good = 0.0;
		s->bad += 1.0;
	}
	if (s->window < 1)
		s->window = 1;
}
