/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The hold model: the first of N timers fires and is set again, an exponential
 * time later. src/mta/loop, called as a run calls it, beside the plain
 * heap that can nothing else. Both see the same times, drawn beforehand, so
 * that what is compared is the event list alone.
 */
#include <math.h>
#include <stdio.h>

#include "mta/loop.h"
#include "tests/bench/bench.h"
#include "tests/bench/plain_heap.h"

enum {
	SPANS = 1 << 16,
	HOLDS = 4000000
};

struct hold {
	uint32_t timers;
	uint32_t next_span;
	uint32_t *spans; /* microseconds */
};

static uint32_t
span_next(struct hold *h)
{
	return h->spans[h->next_span++ & (SPANS - 1)];
}

static void
hold_init(struct hold *h, uint32_t timers)
{
	struct bench_random r;

	bench_random_init(&r, 1);
	*h = (struct hold){.timers = timers,
			   .spans = mta_alloc(SPANS, sizeof(*h->spans))};
	for (int i = 0; i < SPANS; i++)
		h->spans[i] = 1 + (uint32_t)(-log(bench_random_unit(&r)) * 1e6);
}

/* ---- ours
 * -------------------------------------------------------------------- */

/* One cache line, so that what is measured is the event list. */
struct holder {
	struct mta_timer timer;
	struct hold *hold;
};
_Static_assert(sizeof(struct holder) == 64, "one cache line");

static void
fired(struct mta_timer *t)
{
	struct holder *h = mta_container_of(t, struct holder, timer);

	mta_timer_set(t->loop, t, t->loop->now + span_next(h->hold));
}

static int
run_ours(void *argument)
{
	struct hold *h = argument;
	struct mta_agenda agenda;
	struct mta_loop loop;
	struct holder *holders =
		aligned_alloc(sizeof(*holders), h->timers * sizeof(*holders));

	if (!holders)
		return 1;
	mta_agenda_init(&agenda);
	mta_loop_init(&loop, &agenda, 0, MTA_LOOP_POOL);
	for (uint32_t i = 0; i < h->timers; i++) {
		holders[i] = (struct holder){.hold = h};
		mta_timer_init(&holders[i].timer, fired);
		mta_timer_set(&loop, &holders[i].timer, span_next(h));
	}
	for (uint32_t i = 0; i < HOLDS; i++)
		mta_agenda_step(mta_agenda_next(&agenda));
	return 0;
}

/* ---- the limit
 * ----------------------------------------------------------------- */

static int
run_plain(void *argument)
{
	struct hold *h = argument;
	struct plain_heap heap;

	plain_heap_init(&heap, h->timers);
	for (uint32_t i = 0; i < h->timers; i++)
		plain_heap_add(&heap, span_next(h), i);
	for (uint32_t i = 0; i < HOLDS; i++)
		plain_heap_replace(&heap, plain_heap_time(&heap) + span_next(h),
				   plain_heap_number(&heap));
	return heap.count != h->timers;
}

/* ---- both
 * ------------------------------------------------------------------------ */

static void
compare(uint32_t timers)
{
	struct hold h;
	struct bench_work works[2] = {{run_plain, &h}, {run_ours, &h}};
	struct bench_result r[2];

	hold_init(&h, timers);
	bench_in_turn(works, 2, r);
	printf("%9u %10.1f %10.1f %8.2f\n", timers, r[1].seconds / HOLDS * 1e9,
	       r[0].seconds / HOLDS * 1e9, 1 / r[1].ratio);
	fflush(stdout);
	free(h.spans);
}

int
main(void)
{
	printf("   timers    ours ns   plain ns    ratio\n");
	compare(1000);
	compare(100000);
	compare(1000000);
	return 0;
}
