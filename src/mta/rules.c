/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rules of behaviour, see rules.h and docs/rules.md. No state. Kept here: the
 * order of floating-point operations (results must not depend on the compiler,
 * so the build contracts no multiply-add), 64-bit intermediate results where
 * the factors are settings, and rounding towards zero where C does it.
 *
 * Remote answers are judged in rules_reply.c, ids and numbers for operators
 * are written in rules_text.c.
 */
#include "mta/pure.h"

#include <math.h>

#include "mta/book.h"
#include "mta/panic.h"
#include "mta/rules.h"

static int32_t
min_i32(int32_t a, int32_t b)
{
	return a < b ? a : b;
}

static int32_t
max_i32(int32_t a, int32_t b)
{
	return a > b ? a : b;
}

static int64_t
min_i64(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t
max_i64(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* R-TIMER-SECONDS */
mta_time
mta_timer_fires_at(mta_time last_wake, int64_t stored_s)
{
	int64_t left_s = stored_s - mta_second(last_wake);

	return left_s > 0 ? last_wake + mta_from_seconds(left_s) : last_wake;
}

/* ---- Destination window ---- */

/* R-FEEDBACK-VALUE */
double
mta_feedback_value(const struct mta_feedback *f, int32_t window)
{
	double x = f->numerator / f->denominator;

	mta_assert(window >= 1);
	switch (f->kind) {
	case MTA_FEEDBACK_PLAIN:
		break;
	case MTA_FEEDBACK_PER_WINDOW:
		x /= (double)window;
		break;
	case MTA_FEEDBACK_PER_SQRT_WINDOW:
		x /= sqrt((double)window);
		break;
	}
	return x;
}

/* R-WINDOW-NEW */
void
mta_window_init(struct mta_window *w, const struct mta_window_law *law)
{
	mta_assert(law->initial >= 1);
	*w = (struct mta_window){.window = law->initial};
}

/* R-WINDOW-UP */
void
mta_window_up(struct mta_window *w, const struct mta_window_law *law,
	      int32_t busy)
{
	int32_t most = law->limit > 0 ? law->limit : INT32_MAX;
	double f;

	mta_assert(w->window >= 1);
	w->cohorts = 0;
	if (w->window >= most)
		return;
	if (w->window >= (int64_t)busy + law->initial)
		return;
	f = mta_feedback_value(&law->positive, w->window);
	w->good += f;
	while (w->good + f / 2 >= 1) {
		w->window++;
		w->good -= 1;
		w->bad = 0;
	}
	w->window = min_i32(w->window, most);
}

/* R-WINDOW-REVIVE */
void
mta_window_revive(struct mta_window *w, const struct mta_window_law *law,
		  int32_t busy)
{
	mta_window_init(w, law);
	if (busy > 0)
		w->window = busy;
}

/* R-WINDOW-DOWN, R-DEAD */
bool
mta_window_down(struct mta_window *w, const struct mta_window_law *law)
{
	double f;

	mta_assert(w->window >= 1);
	w->cohorts += 1.0 / (double)w->window;
	if (law->failed_cohort_limit > 0 &&
	    w->cohorts >= (double)law->failed_cohort_limit) {
		w->window = 0;
		return true;
	}
	/* The value at the window before the step, once per event. */
	f = mta_feedback_value(&law->negative, w->window);
	w->bad -= f;
	while (w->bad - f / 2 < 0) {
		w->window--;
		w->good = 0;
		w->bad += 1;
	}
	w->window = max_i32(w->window, 1);
	return false;
}

/* R-CACHE-HINTS */
struct mta_cache_hints
mta_cache_hints_next(struct mta_cache_hints hints,
		     const struct mta_cache_view *v)
{
	bool back_to_back = v->last_done_s + 1 >= v->now_s;

	if (!hints.store) {
		if (back_to_back)
			hints = (struct mta_cache_hints){.load = true,
							 .store = true};
	} else if (v->busy <= 1 && !back_to_back) {
		hints.store = false; /* what is cached may still be used */
	}
	return hints;
}

/* ---- Age of mail ---- */

/* R-BACKOFF-AGE: the minimum wins when it is above the maximum. */
int64_t
mta_backoff_delay_s(struct mta_backoff b, int64_t age_s)
{
	int64_t delay_s = age_s;

	if (delay_s > b.maximal_s)
		delay_s = b.maximal_s;
	if (delay_s < b.minimal_s)
		delay_s = b.minimal_s;
	return delay_s;
}

/* R-DUE-GRACE */
int64_t
mta_due_latest_s(mta_time now)
{
	return mta_second(now) + 1;
}

/* R-EXPIRE */
bool
mta_mail_has_expired(struct mta_lifetimes l, mta_addr sender, int64_t age_s)
{
	return age_s >= (mta_addr_is_null(sender) ? l.bounce_s : l.mail_s);
}

/* R-WARN-TIME */
int64_t
mta_warn_time_s(mta_time arrival, mta_addr sender, int32_t delay_s)
{
	if (delay_s <= 0 || mta_addr_is_null(sender))
		return 0;
	return mta_second(arrival) + delay_s;
}

/* R-WARN-DUE */
bool
mta_warning_is_due(mta_time now, int64_t warn_s)
{
	return warn_s > 0 && mta_second(now) >= warn_s - 1;
}

/* ---- Queue manager's turn ---- */

/* R-FLOW-TOKENS */
int32_t
mta_flow_change(const struct mta_flow *f)
{
	if (f->in_flow_delay_s <= 0)
		return 0;
	if (f->tokens > f->level)
		return f->level - f->tokens;
	if (f->tokens == f->level)
		return 0;
	if (f->took_incoming)
		return 1;
	return f->incoming_is_open ? 0 : f->level - f->tokens;
}

/* R-SCAN-TURN */
enum mta_queue
mta_turn_next(enum mta_queue last, struct mta_active_fill fill)
{
	if (fill.active_count >= fill.active_limit)
		return MTA_INCOMING;
	return mta_turn_other(last);
}

/* ---- Recipients in memory ---- */

/* R-READ-FIRST */
int32_t
mta_read_first_count(const struct mta_read_view *v)
{
	int64_t count = max_i64(v->recipient_limit - v->recipient_total,
				v->message_limit);

	return (int32_t)min_i64(count, MTA_READ_MAX);
}

/* R-READ-REFILL */
int32_t
mta_read_refill_count(const struct mta_read_view *v)
{
	return (int32_t)min_i64(v->message_limit - v->message_count,
				MTA_READ_MAX);
}

/* R-REFILL-DUE */
bool
mta_refill_is_due(const struct mta_refill_view *v)
{
	if (v->free_slots >= v->refill_limit)
		return true;
	return v->free_slots > 0 && v->since_read_s >= v->refill_delay_s;
}

/* R-SLOTS-SPARE */
int64_t
mta_slots_spare(struct mta_slot_account job, struct mta_slot_account message)
{
	int64_t spare =
		min_i64(job.limit - job.count, message.limit - message.count);

	return max_i64(spare, 0);
}

/* ---- Preemption ---- */

/* R-JOB-SIZE */
int64_t
mta_job_most_entries(const struct mta_job_view *j)
{
	return j->read + j->unread;
}

int64_t
mta_job_need(const struct mta_job_view *j)
{
	return mta_job_most_entries(j) - j->selected;
}

/* R-PREEMPT-OFF */
bool
mta_preemption_is_on(const struct mta_slot_law *law)
{
	return law->cost >= 2;
}

/* R-PREEMPT-ALLOWED */
bool
mta_job_may_be_preempted(const struct mta_slot_law *law,
			 const struct mta_job_view *current)
{
	if (current->avail <= 0)
		return false; /* whatever the loan */
	return mta_job_most_entries(current) >=
	       (int64_t)law->minimum * law->cost;
}

/* R-PREEMPT-CREDIT */
bool
mta_job_can_afford(const struct mta_slot_law *law,
		   const struct mta_job_view *current, int64_t need)
{
	int64_t slots = current->avail / law->cost + law->loan;
	int64_t factor = 100 - law->discount;

	return (double)slots >= (double)(need * factor) / 100.0;
}

/* R-PREEMPT-PRICE */
int64_t
mta_slot_price(const struct mta_slot_law *law, int64_t entries)
{
	return entries * law->cost;
}

/* R-PREEMPT-ADVANCE */
int64_t
mta_preempt_advance(int32_t extra_limit, int64_t pool)
{
	return (extra_limit + pool + 1) / 2;
}

/* R-CANDIDATE-ROOM */
int64_t
mta_candidate_room(const struct mta_slot_law *law,
		   const struct mta_job_view *current)
{
	mta_assert(law->cost >= 1);
	return (current->read - current->selected + current->avail) / law->cost;
}

bool
mta_candidate_fits(const struct mta_job_view *j, int64_t room)
{
	int64_t need = mta_job_need(j);

	return need > 0 && need <= room;
}

/* R-CANDIDATE-SCORE */
double
mta_candidate_score(const struct mta_job_view *j, int64_t age_s)
{
	mta_assert(mta_job_most_entries(j) > 0);
	return (double)age_s / (double)mta_job_most_entries(j);
}

bool
mta_candidate_search_ends(int64_t age_s, double best_score)
{
	return (double)age_s <= best_score;
}

/* ---- Agents ---- */

/* R-AGENT-NEED */
int64_t
mta_agent_need(int64_t need, struct mta_dest_load d)
{
	return need - min_i32(d.window - d.busy, d.todo);
}
