/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Timers: of each loop two wheels, one in microseconds and one in whole
 * seconds; of all loops together a list of what is to be done at once. The
 * state is in the agenda, the loops and the timers.
 *
 * Invariant: the at-once list is in the order of (at, sequence), since what
 * would break that goes to a wheel.
 *
 * Most timers of a simulation are "at once": they cost two pointers, never see
 * a wheel, and as long as the wheels are quiet the first of the list is next.
 */
#include "mta/pure.h"

#include "mta/loop.h"

#include "mta/rules.h"

/* ---- what is next in the wheels -------------------------------------------
 *
 * `first` of the exact timers, which fires at `next`, is kept while timers are
 * set, and found anew when it has gone. When a timer of whole seconds fires
 * depends on `now`; it is asked only where one may be the first of all.
 */

static struct mta_when
timer_when(const struct mta_timer *t)
{
	return (struct mta_when){.at = t->at, .sequence = t->sequence};
}

/* A timer is set that fires at `at` or later. */
static inline void
quiet_ends(struct mta_loop *l, mta_time at)
{
	struct mta_agenda *a = l->agenda;

	if (at < a->quiet_until)
		a->quiet_until = at;
	if (at < a->others_until && l != a->leader)
		a->others_until = at;
}

/* An exact timer is set. */
static inline void
first_may_be(struct mta_loop *l, struct mta_timer *t)
{
	quiet_ends(l, t->at);
	if (!mta_when_is_before(timer_when(t), l->next))
		return;
	l->next = timer_when(t);
	l->first = t;
}

/* From here on first and next are so. */
static inline void
loop_know_first(struct mta_loop *l)
{
	if (l->is_first_known)
		return;
	l->first = mta_wheel_first(&l->exact, &l->next);
	l->is_first_known = true;
}

/* The first of the whole seconds. */
MTA_APART static struct mta_timer *
seconds_first(struct mta_loop *l)
{
	struct mta_when second;
	struct mta_timer *t = mta_wheel_first(&l->seconds, &second);

	l->second_begins = t ? mta_from_seconds(second.at) : MTA_NEVER;
	return t;
}

/* When it fires: no earlier than when its second begins. */
static struct mta_when
second_when(const struct mta_loop *l, const struct mta_timer *t)
{
	struct mta_when when = {.at = mta_timer_fires_at(l->now, t->at),
				.sequence = t->sequence};

	if (when.at > l->now)
		when.at += l->oversleep;
	return when;
}

/* When the first of the loop's wheels fires, at the earliest. */
static inline mta_time
loop_quiet_until(struct mta_loop *l)
{
	loop_know_first(l);
	return l->next.at < l->second_begins ? l->next.at : l->second_begins;
}

/* The next timers are likely to be this loop's: see when the others need to be
 * asked. */
static void
agenda_follow(struct mta_agenda *a, struct mta_loop *leader)
{
	a->leader = leader;
	a->others_until = MTA_NEVER;
	for (uint32_t i = 0; i < a->loop_count; i++) {
		mta_time until = loop_quiet_until(a->loops[i]);

		if (a->loops[i] != leader && until < a->others_until)
			a->others_until = until;
	}
}

/* ---- setting timers ----------------------------------------------------- */

void
mta_agenda_init(struct mta_agenda *a)
{
	*a = (struct mta_agenda){.quiet_until = MTA_NEVER};
	mta_list_init(&a->at_once);
}

void
mta_loop_init(struct mta_loop *l, struct mta_agenda *agenda, mta_time now,
	      enum mta_loop_kind kind)
{
	mta_assert(agenda->loop_count < MTA_LOOPS_MAX);
	agenda->loops[agenda->loop_count++] = l;
	*l = (struct mta_loop){.now = now,
			       .stepped = now,
			       .busy_until = INT64_MIN,
			       .agenda = agenda,
			       .second_begins = MTA_NEVER,
			       .kind = kind};
}

void
mta_loop_release(struct mta_loop *l)
{
	struct mta_agenda *a = l->agenda;
	uint32_t i = 0;

	while (a->loops[i] != l)
		i++;
	a->loops[i] = a->loops[--a->loop_count];
	a->leader = NULL;
	mta_wheel_release(&l->exact);
	mta_wheel_release(&l->seconds);
}

void
mta_timer_init(struct mta_timer *t, void (*fire)(struct mta_timer *))
{
	*t = (struct mta_timer){.fire = fire, .state = MTA_TIMER_IDLE};
	mta_list_init(&t->link);
}

static struct mta_timer *
at_once_timer(struct mta_list *link)
{
	return mta_container_of(link, struct mta_timer, link);
}

/* Nothing in the list is later. */
static inline bool
at_once_takes(struct mta_agenda *a, mta_time at)
{
	return mta_list_is_empty(&a->at_once) ||
	       at_once_timer(a->at_once.prev)->at <= at;
}

/* It is to fire at `at`, or now. */
static inline void
timer_begin(struct mta_loop *l, struct mta_timer *t, mta_time at)
{
	t->loop = l;
	t->sequence = l->agenda->sequence++;
	t->at = at > l->stepped ? at : l->stepped;
}

MTA_APART static void
timer_wait(struct mta_loop *l, struct mta_timer *t)
{
	t->state = MTA_TIMER_EXACT;
	t->slot = mta_wheel_add(&l->exact, timer_when(t), t);
	first_may_be(l, t);
}

/* Armed for another time, it is to be woken as one that is not. */
MTA_APART static void
timer_wake_armed(struct mta_loop *l, struct mta_timer *t, mta_time now)
{
	mta_timer_cancel(l, t);
	mta_timer_wake(l, t, now);
}

void
mta_timer_wake(struct mta_loop *l, struct mta_timer *t, mta_time now)
{
	if (mta_timer_is_armed(t)) {
		timer_wake_armed(l, t, now);
		return;
	}
	timer_begin(l, t, now);
	if (at_once_takes(l->agenda, t->at)) {
		t->state = MTA_TIMER_AT_ONCE;
		mta_list_append(&l->agenda->at_once, &t->link);
	} else {
		timer_wait(l, t);
	}
}

void
mta_timer_set(struct mta_loop *l, struct mta_timer *t, mta_time at)
{
	if (at <= l->stepped) {
		mta_timer_wake(l, t, at);
	} else {
		if (mta_timer_is_armed(t))
			mta_timer_cancel(l, t);
		timer_begin(l, t, at);
		timer_wait(l, t);
	}
}

/* R-TIMER-SECONDS */
void
mta_timer_after_s(struct mta_loop *l, struct mta_timer *t, int32_t seconds)
{
	mta_timer_cancel(l, t);
	t->loop = l;
	t->sequence = l->agenda->sequence++;
	t->at = mta_second(l->now) + seconds;
	t->state = MTA_TIMER_SECONDS;
	t->slot = mta_wheel_add(&l->seconds, timer_when(t), t);
	if (mta_from_seconds(t->at) < l->second_begins)
		l->second_begins = mta_from_seconds(t->at);
	quiet_ends(l, l->second_begins);
}

void
mta_timer_leave_wheel(struct mta_timer *t)
{
	struct mta_loop *l = t->loop;
	struct mta_wheel *w =
		t->state == MTA_TIMER_EXACT ? &l->exact : &l->seconds;

	mta_assert(w->timers[t->slot] == t);
	mta_wheel_give_up(w, t->slot);
	if (l->first == t)
		l->is_first_known = false;
}

void
mta_timer_cancel(struct mta_loop *l, struct mta_timer *t)
{
	if (t->state == MTA_TIMER_IDLE)
		return;
	mta_assert(t->loop == l);
	mta_timer_leave(t);
}

/* ---- steps -------------------------------------------------------------- */

static void
earlier_of(struct mta_timer **first, struct mta_when *when,
	   struct mta_timer *other, struct mta_when its)
{
	if (!mta_when_is_before(its, *when))
		return;
	*first = other;
	*when = its;
}

/* Of the loop's timers the first, in the list only before `end`; `when` it
 * fires. NULL: there is none. */
static struct mta_timer *
loop_first(struct mta_loop *l, const struct mta_list *end,
	   struct mta_when *when)
{
	struct mta_list *i = l->agenda->at_once.next;
	struct mta_timer *first;
	struct mta_timer *second;

	loop_know_first(l);
	first = l->first;
	*when = l->next;
	while (i != end && at_once_timer(i)->loop != l)
		i = i->next;
	if (i != end)
		earlier_of(&first, when, at_once_timer(i),
			   timer_when(at_once_timer(i)));
	second = l->second_begins <= when->at ? seconds_first(l) : NULL;
	if (second)
		earlier_of(&first, when, second, second_when(l, second));
	return first;
}

struct mta_when
mta_loop_next(struct mta_loop *l)
{
	struct mta_when when;

	loop_first(l, &l->agenda->at_once, &when);
	return when;
}

struct mta_timer *
mta_loop_second_due(struct mta_loop *l, struct mta_timer *otherwise)
{
	struct mta_timer *t = seconds_first(l);

	return l->second_begins > l->now ? otherwise : t;
}

void
mta_loop_begin(struct mta_loop *l, mta_time now)
{
	mta_assert(l->kind == MTA_LOOP_PROCESS);
	mta_loop_begin_step(l, now);
}

void
mta_loop_begun(struct mta_loop *l)
{
	l->busy_until = l->now;
}

bool
mta_loop_step(struct mta_loop *l, mta_time now)
{
	struct mta_timer *t = NULL;
	struct mta_when when;

	mta_loop_begin_step(l, now);
	if (l->second_begins <= now)
		t = mta_loop_second_due(l, NULL);
	if (!t) {
		t = loop_first(l, &l->agenda->at_once, &when);
		if (when.at > now)
			return false;
	}
	mta_loop_fire(l, t);
	return true;
}

/* ---- steps of all loops ------------------------------------------------- */

/* The place in the list behind the first whose loop is free before it fires:
 * what stands there comes later than that one, whoever is busy. (At the very
 * time at which a loop becomes free, what it has put off may be of a later
 * setting.) */
static const struct mta_list *
at_once_end(const struct mta_agenda *a)
{
	struct mta_list *i;

	for (i = a->at_once.next; i != &a->at_once; i = i->next)
		if (at_once_timer(i)->at > at_once_timer(i)->loop->busy_until)
			return i->next;
	return i;
}

/* What wants to happen while its loop is busy waits until it is free. */
static inline struct mta_when
when_free(const struct mta_loop *l, struct mta_when when)
{
	if (when.at < l->busy_until)
		when.at = l->busy_until;
	return when;
}

/* Whatever is set, and wherever. */
MTA_RARE static struct mta_due
agenda_search(struct mta_agenda *a)
{
	const struct mta_list *end = at_once_end(a);
	struct mta_when best = {MTA_NEVER, UINT64_MAX};
	struct mta_due due = {.at = MTA_NEVER};

	for (uint32_t i = 0; i < a->loop_count; i++) {
		struct mta_loop *l = a->loops[i];
		struct mta_when when;
		struct mta_timer *t = loop_first(l, end, &when);

		earlier_of(&due.timer, &best, t, when_free(l, when));
	}
	due.at = best.at;
	return due;
}

/* Of all wheels the first, if no whole second comes near it: then, as when
 * there is none, MTA_NEVER. */
static struct mta_due
agenda_search_wheels(struct mta_agenda *a)
{
	struct mta_when best = {MTA_NEVER, UINT64_MAX};
	struct mta_timer *first = NULL;
	mta_time second = MTA_NEVER;
	mta_time quiet = MTA_NEVER;

	for (uint32_t i = 0; i < a->loop_count; i++) {
		struct mta_loop *l = a->loops[i];
		mta_time until = loop_quiet_until(l);

		quiet = until < quiet ? until : quiet;
		second = l->second_begins < second ? l->second_begins : second;
		earlier_of(&first, &best, l->first, when_free(l, l->next));
	}
	a->quiet_until = quiet;
	if (first)
		agenda_follow(a, first->loop);
	return (struct mta_due){.at = best.at < second ? best.at : MTA_NEVER,
				.timer = first};
}

/* The same, where only the loop that was first last time is asked. */
static inline struct mta_due
agenda_ask_leader(struct mta_agenda *a)
{
	struct mta_loop *l = a->leader;
	mta_time quiet = loop_quiet_until(l);
	mta_time at = when_free(l, l->next).at;

	a->quiet_until = quiet;
	if (at >= a->others_until || at >= l->second_begins)
		return agenda_search_wheels(a);
	return (struct mta_due){.at = at, .timer = l->first};
}

struct mta_due
mta_agenda_look(struct mta_agenda *a)
{
	struct mta_due due =
		a->leader ? agenda_ask_leader(a) : agenda_search_wheels(a);

	if (mta_list_is_empty(&a->at_once) && due.at != MTA_NEVER)
		return due;
	if (mta_agenda_at_once(a, &due))
		return due;
	return agenda_search(a);
}
