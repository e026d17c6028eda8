/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The naive loop: the rules of F0.4, worked out anew at every question. */
#include "tests/unit/naive_loop.h"

void
naive_loop_init(struct naive_loop *n, uint64_t *sequence, mta_time now)
{
	*n = (struct naive_loop){
		.now = now, .stepped = now, .sequence = sequence};
}

void
naive_set(struct naive_loop *n, int i, mta_time at)
{
	n->timers[i] =
		(struct naive_timer){.kind = NAIVE_EXACT,
				     .at = at > n->stepped ? at : n->stepped,
				     .sequence = (*n->sequence)++};
}

void
naive_after_s(struct naive_loop *n, int i, int seconds)
{
	n->timers[i] = (struct naive_timer){.kind = NAIVE_SECONDS,
					    .at = n->now / 1000000 + seconds,
					    .sequence = (*n->sequence)++};
}

void
naive_cancel(struct naive_loop *n, int i)
{
	n->timers[i].kind = NAIVE_OFF;
}

/* The first timer of a kind by (at, sequence), or -1. */
static int
first_of(const struct naive_loop *n, enum naive_kind kind)
{
	int best = -1;

	for (int i = 0; i < NAIVE_TIMERS; i++) {
		const struct naive_timer *t = &n->timers[i];
		const struct naive_timer *b = &n->timers[best < 0 ? 0 : best];

		if (t->kind == kind &&
		    (best < 0 || t->at < b->at ||
		     (t->at == b->at && t->sequence < b->sequence)))
			best = i;
	}
	return best;
}

/* F0.4: w + (stored - floor(w)), not before w; a sleep ends late. */
static mta_time
wake_up_for(const struct naive_loop *n, int64_t second)
{
	int64_t wait = second - n->now / 1000000;

	return wait > 0 ? n->now + wait * 1000000 + n->oversleep : n->now;
}

int
naive_next(const struct naive_loop *n, struct mta_when *when)
{
	int exact = first_of(n, NAIVE_EXACT);
	int second = first_of(n, NAIVE_SECONDS);

	*when = (struct mta_when){MTA_NEVER, UINT64_MAX};
	if (exact >= 0)
		*when = (struct mta_when){n->timers[exact].at,
					  n->timers[exact].sequence};
	if (second >= 0) {
		mta_time at = wake_up_for(n, n->timers[second].at);
		uint64_t sequence = n->timers[second].sequence;

		if (at < when->at ||
		    (at == when->at && sequence < when->sequence)) {
			*when = (struct mta_when){at, sequence};
			return second;
		}
	}
	return exact;
}

/* A second that has come goes before what is due. */
int
naive_step(struct naive_loop *n, mta_time now)
{
	int i = first_of(n, NAIVE_SECONDS);

	n->now = n->stepped = now;
	if (i < 0 || n->timers[i].at > now / 1000000) {
		i = first_of(n, NAIVE_EXACT);
		if (i < 0 || n->timers[i].at > now)
			return -1;
	}
	naive_cancel(n, i);
	return i;
}
