/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The agenda (src/mta/loop.c): the steps of three loops, a pool and two
 * processes that are sometimes busy, are compared with a list of all timers
 * that is searched from one end to the other. The order is that of loop.h: each
 * loop's first by (time, sequence), put off to when the loop is free; of those
 * the first by (time, sequence).
 */
#include "tests/harness.h"

#include <string.h>

#include "mta/loop.h"

enum {
	LOOPS = 3,
	TIMERS = 24,
	STEPS = 20000
};

static const enum mta_loop_kind kinds[LOOPS] = {MTA_LOOP_POOL, MTA_LOOP_PROCESS,
						MTA_LOOP_PROCESS};

static const mta_span oversleep[LOOPS] = {0, 3000, 0};

struct naive_timer {
	enum {
		OFF,
		EXACT,
		SECONDS
	} kind;
	int loop;
	mta_time at; /* microseconds or whole second */
	uint64_t sequence;
};

struct naive_loop {
	mta_time now;
	mta_time stepped;
	mta_time busy_until;
};

struct bed {
	struct mta_agenda agenda;
	struct mta_loop loops[LOOPS];
	struct mta_timer timers[TIMERS];
	struct naive_loop naive_loops[LOOPS];
	struct naive_timer naive[TIMERS];
	uint64_t sequence;
	uint64_t luck;
};

static struct mta_timer *last_fired;
static mta_span charge; /* of the next timer that fires */

static void
fired(struct mta_timer *t)
{
	last_fired = t;
	mta_loop_charge(t->loop, charge);
}

static uint32_t
luck_below(struct bed *b, uint32_t n)
{
	b->luck =
		b->luck * UINT64_C(6364136223846793005) + 1442695040888963407U;
	return (uint32_t)(b->luck >> 33) % n;
}

/* ---- the list -------------------------------------------------------------
 */

static struct mta_when
naive_when(const struct bed *b, const struct naive_timer *t)
{
	mta_time now = b->naive_loops[t->loop].now;
	mta_time at = t->at;

	if (t->kind == SECONDS) { /* F0.4 */
		int64_t wait = t->at - now / 1000000;

		at = now;
		if (wait > 0) /* a sleep, which ends late */
			at += wait * 1000000 + oversleep[t->loop];
	}
	return (struct mta_when){at, t->sequence};
}

/* Timers of whole seconds among themselves stand by (second, sequence). */
static bool
naive_is_before(const struct bed *b, const struct naive_timer *t,
		const struct naive_timer *o)
{
	if (t->kind == SECONDS && o->kind == SECONDS)
		return mta_when_is_before(
			(struct mta_when){t->at, t->sequence},
			(struct mta_when){o->at, o->sequence});
	return mta_when_is_before(naive_when(b, t), naive_when(b, o));
}

/* The first of a loop, of a kind (or OFF: of any); -1: none. */
static int
naive_first(const struct bed *b, int loop, int kind)
{
	int best = -1;

	for (int i = 0; i < TIMERS; i++) {
		const struct naive_timer *t = &b->naive[i];

		if (t->kind == OFF || t->loop != loop ||
		    (kind != OFF && (int)t->kind != kind))
			continue;
		if (best < 0 || naive_is_before(b, t, &b->naive[best]))
			best = i;
	}
	return best;
}

/* The first of a loop: the first exact one, or the first second. */
static int
naive_first_of_both(const struct bed *b, int loop)
{
	int exact = naive_first(b, loop, EXACT);
	int second = naive_first(b, loop, SECONDS);

	if (exact < 0 || second < 0)
		return exact < 0 ? second : exact;
	return mta_when_is_before(naive_when(b, &b->naive[second]),
				  naive_when(b, &b->naive[exact]))
		       ? second
		       : exact;
}

/* Which timer is next, and when; -1: none. */
static int
naive_next(const struct bed *b, mta_time *at)
{
	struct mta_when best = {MTA_NEVER, UINT64_MAX};
	int first = -1;

	for (int l = 0; l < LOOPS; l++) {
		int i = naive_first_of_both(b, l);
		struct mta_when when;

		if (i < 0)
			continue;
		when = naive_when(b, &b->naive[i]);
		if (when.at < b->naive_loops[l].busy_until)
			when.at = b->naive_loops[l].busy_until;
		if (mta_when_is_before(when, best)) {
			best = when;
			first = i;
		}
	}
	*at = best.at;
	return first;
}

/* A second of the loop that has come goes before what is due. */
static int
naive_fires(const struct bed *b, int due, mta_time now)
{
	int second = naive_first(b, b->naive[due].loop, SECONDS);

	return second >= 0 && b->naive[second].at <= now / 1000000 ? second
								   : due;
}

/* ---- both -----------------------------------------------------------------
 */

static void
bed_init(struct bed *b, uint64_t luck)
{
	mta_time start = 10 * MTA_USEC_PER_S;

	memset(b, 0, sizeof(*b));
	b->luck = luck;
	mta_agenda_init(&b->agenda);
	for (int l = 0; l < LOOPS; l++) {
		mta_loop_init(&b->loops[l], &b->agenda, start, kinds[l]);
		b->loops[l].oversleep = oversleep[l];
		b->naive_loops[l] =
			(struct naive_loop){.now = start, .stepped = start};
	}
	for (int i = 0; i < TIMERS; i++)
		mta_timer_init(&b->timers[i], fired);
}

static void
bed_release(struct bed *b)
{
	for (int l = 0; l < LOOPS; l++)
		mta_loop_release(&b->loops[l]);
}

/* During a step of loop `from`: set or cancel some timer of some loop. */
static void
bed_act(struct bed *b, int from)
{
	int i = (int)luck_below(b, TIMERS);
	int l = i % LOOPS;
	struct mta_loop *loop = &b->loops[l];
	struct naive_timer *n = &b->naive[i];
	mta_time now = b->naive_loops[from].now;
	mta_time at = now;

	switch (luck_below(b, 6)) {
	case 0:
	case 1: /* in the future, or what has come */
		at += luck_below(b, 2) * luck_below(b, 3000000);
		mta_timer_set(loop, &b->timers[i], at);
		break;
	case 2:
	case 3:
		/* A note that leaves now: the sender's step is not over. */
		at = b->naive_loops[from].stepped;
		mta_timer_wake(loop, &b->timers[i], at);
		break;
	case 4:
		*n = (struct naive_timer){SECONDS, l,
					  b->naive_loops[l].now / 1000000 +
						  luck_below(b, 3),
					  b->sequence++};
		mta_timer_after_s(
			loop, &b->timers[i],
			(int32_t)(n->at - b->naive_loops[l].now / 1000000));
		return;
	default:
		mta_timer_cancel(loop, &b->timers[i]);
		n->kind = OFF;
		return;
	}
	if (at < b->naive_loops[l].stepped)
		at = b->naive_loops[l].stepped;
	*n = (struct naive_timer){EXACT, l, at, b->sequence++};
}

/* One step of both; the loop that took it, or -1. */
static int
bed_step(struct bed *b)
{
	struct mta_due due = mta_agenda_next(&b->agenda);
	struct naive_loop *n;
	mta_time at;
	int i = naive_next(b, &at);
	int l;

	ck_assert_int_eq(due.at, at);
	if (i < 0)
		return -1;
	ck_assert_ptr_eq(due.timer, &b->timers[i]);
	l = b->naive[i].loop;
	n = &b->naive_loops[l];
	i = naive_fires(b, i, at);
	charge = luck_below(b, 4) == 0 ? luck_below(b, 700000) : 0;
	mta_agenda_step(due);
	ck_assert_ptr_eq(last_fired, &b->timers[i]);
	b->naive[i].kind = OFF;
	n->stepped = at;
	n->now = at + charge;
	if (kinds[l] == MTA_LOOP_PROCESS)
		n->busy_until = n->now;
	return l;
}

START_TEST(steps_of_three_loops)
{
	struct bed b;
	int taken = 0;

	bed_init(&b, (uint64_t)_i + 1);
	for (int s = 0; s < STEPS; s++) {
		int l = bed_step(&b);
		int acts = (int)luck_below(&b, 4);

		taken += l >= 0;
		while (acts-- > 0)
			bed_act(&b, l < 0 ? 0 : l);
	}
	ck_assert_int_gt(taken, STEPS / 2);
	ck_assert_uint_eq(b.agenda.steps, (uint64_t)taken);
	bed_release(&b);
}
END_TEST

/* A busy process is passed over; what waited for it keeps its place. */
START_TEST(a_busy_process_waits)
{
	struct bed b;
	mta_time start;

	bed_init(&b, 1);
	start = b.loops[0].now;
	mta_timer_set(&b.loops[1], &b.timers[1], start);
	charge = 500;
	mta_agenda_step(mta_agenda_next(&b.agenda));
	charge = 0;
	mta_timer_wake(&b.loops[1], &b.timers[4], start + 100);
	mta_timer_wake(&b.loops[0], &b.timers[0], start + 200);
	ck_assert_ptr_eq(mta_agenda_next(&b.agenda).timer, &b.timers[0]);
	ck_assert_int_eq(mta_agenda_next(&b.agenda).at, start + 200);
	mta_agenda_step(mta_agenda_next(&b.agenda));
	mta_timer_set(&b.loops[0], &b.timers[3], start + 500);
	/* Both at 500: the process' was set first. */
	ck_assert_ptr_eq(mta_agenda_next(&b.agenda).timer, &b.timers[4]);
	ck_assert_int_eq(mta_agenda_next(&b.agenda).at, start + 500);
	mta_agenda_step(mta_agenda_next(&b.agenda));
	ck_assert_ptr_eq(mta_agenda_next(&b.agenda).timer, &b.timers[3]);
	bed_release(&b);
}
END_TEST

Suite *
agenda_suite(void)
{
	Suite *s = suite_create("agenda");
	TCase *t = tcase_create("agenda");

	tcase_add_loop_test(t, steps_of_three_loops, 0, 8);
	tcase_add_test(t, a_busy_process_waits);
	suite_add_tcase(s, t);
	return s;
}
