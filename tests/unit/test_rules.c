/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rules of src/mta/rules.c. Expected numbers come from the checked vectors of
 * the fact sheet (F17), which were computed by an independent model and
 * compared with the sequences that Postfix publishes, or follow in a line of
 * arithmetic that stands beside them. No number was taken from our own output.
 */
#include <check.h>
#include <math.h>
#include <string.h>

#include "mta/book.h"
#include "mta/rules.h"

#define DAYS   (INT64_C(86400))
#define SENDER mta_addr_make(MTA_ADDR_NULL_FAMILIES, 7)
/* The empty sender; notices are told apart by its number. */
#define EMPTY_SENDER mta_addr_make(0, 5)

static struct mta_feedback
plain(double x, double y)
{
	return (struct mta_feedback){
		.kind = MTA_FEEDBACK_PLAIN, .numerator = x, .denominator = y};
}

static struct mta_feedback
per_window(double x)
{
	return (struct mta_feedback){.kind = MTA_FEEDBACK_PER_WINDOW,
				     .numerator = x,
				     .denominator = 1};
}

/* Limit 20, initial 5, cohort limit 1, feedback 1/1: the defaults (F13.1). */
static struct mta_window_law
default_law(void)
{
	return (struct mta_window_law){.limit = 20,
				       .initial = 5,
				       .failed_cohort_limit = 1,
				       .positive = plain(1, 1),
				       .negative = plain(1, 1)};
}

/* ---- Whole-second timers ---- */

START_TEST(timer_keeps_phase_of_last_wake)
{
	/* R-TIMER-SECONDS, F0.4: w + (stored - floor(w)). */
	ck_assert_int_eq(mta_timer_fires_at(10250000, 13), 13250000);
	ck_assert_int_eq(mta_timer_fires_at(10000000, 13), 13000000);
	/* Due in the second of the wake-up, or before: at that wake-up. */
	ck_assert_int_eq(mta_timer_fires_at(13999999, 13), 13999999);
	ck_assert_int_eq(mta_timer_fires_at(14500000, 13), 14500000);
	/* Before 1970: the second -1 begins at -1000000. */
	ck_assert_int_eq(mta_timer_fires_at(-250000, 1), 1750000);
}
END_TEST

/* ---- Feedback ---- */

START_TEST(feedback_value_follows_window)
{
	/* R-FEEDBACK-VALUE, F7.3: x, x/y, x/w, x/sqrt(w). */
	struct mta_feedback third = plain(1, 3);
	struct mta_feedback each = per_window(1);
	struct mta_feedback root = {.kind = MTA_FEEDBACK_PER_SQRT_WINDOW,
				    .numerator = 1,
				    .denominator = 1};

	ck_assert_double_eq(mta_feedback_value(&third, 7), 1.0 / 3);
	ck_assert_double_eq(mta_feedback_value(&each, 8), 0.125);
	ck_assert_double_eq(mta_feedback_value(&root, 16), 0.25);
	ck_assert_double_eq(mta_feedback_value(&each, 1), 1);
}
END_TEST

/* ---- F17.1: consecutive failures ---- */

struct down_case {
	struct mta_feedback negative;
	int32_t cohort_limit;
	int32_t from;
	int events;	   /* until dead */
	const char *steps; /* windows, X dead; NULL: only events is published */
};

static int
run_down(const struct down_case *c, char *out, size_t size)
{
	struct mta_window_law law = default_law();
	struct mta_window w = {.window = c->from};
	int events = 0;
	size_t length = 0;
	bool is_dead = false;

	law.negative = c->negative;
	law.failed_cohort_limit = c->cohort_limit;
	out[0] = '\0';
	while (!is_dead && events < 1000) {
		is_dead = mta_window_down(&w, &law);
		ck_assert_int_eq(is_dead, w.window == 0);
		events++;
		if (length < size)
			length +=
				(size_t)(is_dead ? snprintf(out + length,
							    size - length, "X")
						 : snprintf(out + length,
							    size - length,
							    "%d ",
							    (int)w.window));
	}
	return events;
}

START_TEST(window_down_f17_1)
{
	/* R-WINDOW-DOWN, R-DEAD; every number from F17.1. */
	const struct down_case cases[] = {
		{plain(1, 1), 1, 1, 1, "X"},
		{plain(1, 1), 1, 2, 2, "1 X"},
		{plain(1, 1), 1, 3, 2, "1 X"},
		{plain(1, 1), 1, 5, 3, "3 2 X"},
		{plain(1, 1), 1, 10, 7, "8 7 6 5 4 3 X"},
		{plain(1, 1), 1, 20, 13, "18 17 16 15 14 13 12 11 10 9 8 7 X"},
		{per_window(1), 1, 5, 5, "4 4 4 3 X"},
		{per_window(1), 1, 10, 10, NULL},
		{per_window(1), 1, 20, 20, NULL},
		{plain(0.25, 1), 1, 5, 5, "4 4 4 3 X"},
		{plain(1, 4), 1, 5, 5, "4 4 4 3 X"},
		{plain(0.25, 1), 1, 10, 9, "9 9 9 8 8 8 8 7 X"},
		{plain(0, 1), 1, 5, 5, "5 5 5 5 X"},
		{plain(0, 1), 1, 10, 11, NULL}, /* ten times 1/10 is < 1 */
		{plain(0, 1), 1, 20, 20, NULL},
		{plain(1, 1), 2, 5, 4, "3 2 1 X"},
		{plain(1, 1), 3, 5, 5, "3 2 1 1 X"},
		{plain(1, 1), 10, 5, 12, NULL},
		{plain(1, 1), 100, 5, 102, NULL},
	};
	char steps[2000];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int events = run_down(&cases[i], steps, sizeof(steps));

		ck_assert_msg(events == cases[i].events,
			      "case %zu: %d events: %s", i, events, steps);
		if (cases[i].steps)
			ck_assert_str_eq(steps, cases[i].steps);
	}
}
END_TEST

START_TEST(window_down_never_dies_without_cohort_limit)
{
	/* R-DEAD, F7.5: limit 0 means never; feedback alone stops at 1. */
	struct mta_window_law law = default_law();
	struct mta_window w = {.window = 5};
	int i;

	law.failed_cohort_limit = 0;
	for (i = 0; i < 100; i++)
		ck_assert(!mta_window_down(&w, &law));
	ck_assert_int_eq(w.window, 1);
}
END_TEST

START_TEST(window_f17_5_failed_cohorts)
{
	/* F17.5: cohorts 0.200, 0.533, 1.033 at windows 5, 3, 2. */
	struct mta_window_law law = default_law();
	struct mta_window w;

	mta_window_init(&w, &law);
	ck_assert_int_eq(w.window, 5);
	ck_assert(!mta_window_down(&w, &law));
	ck_assert_double_eq_tol(w.cohorts, 0.200, 0.0005);
	ck_assert_int_eq(w.window, 3);
	ck_assert(!mta_window_down(&w, &law));
	ck_assert_double_eq_tol(w.cohorts, 0.533, 0.0005);
	ck_assert_int_eq(w.window, 2);
	ck_assert(mta_window_down(&w, &law));
	ck_assert_double_eq_tol(w.cohorts, 1.033, 0.0005);
	ck_assert_int_eq(w.window, 0);
}
END_TEST

/* ---- F17.2: consecutive successes ---- */

struct up_case {
	struct mta_feedback positive;
	int at[8]; /* the events after which the window is one larger; 0 ends */
};

START_TEST(window_up_f17_2)
{
	/* R-WINDOW-UP; event numbers from F17.2, saturated: busy = window. */
	const struct up_case cases[] = {
		{plain(1, 1), {1, 2, 3, 4, 5, 6, 7, 0}},
		{plain(1, 4), {4, 8, 12, 0}},
		{plain(1, 3), {3, 6, 9, 0}},
		{plain(0.4, 1), {2, 5, 7, 10, 12, 15, 0}},
		{per_window(1), {5, 11, 18, 26, 35, 0}},
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mta_window_law law = default_law();
		struct mta_window w;
		int event = 0;
		int k;

		law.positive = cases[i].positive;
		mta_window_init(&w, &law);
		for (k = 0; cases[i].at[k] != 0; k++) {
			while (event < cases[i].at[k]) {
				ck_assert_int_eq(w.window, 5 + k);
				mta_window_up(&w, &law, w.window);
				event++;
			}
			ck_assert_int_eq(w.window, 5 + k + 1);
		}
	}
}
END_TEST

START_TEST(window_up_stops_at_limit)
{
	/* F17.2: 5 -> 6 7 8 ... 20, then 20. */
	struct mta_window_law law = default_law();
	struct mta_window w;
	int event;

	mta_window_init(&w, &law);
	for (event = 1; event <= 40; event++) {
		mta_window_up(&w, &law, w.window);
		ck_assert_int_eq(w.window, event < 15 ? 5 + event : 20);
	}
	/* F7.4: 0 is no limit. */
	law.limit = 0;
	mta_window_up(&w, &law, w.window);
	ck_assert_int_eq(w.window, 21);
}
END_TEST

START_TEST(window_up_needs_use)
{
	/* F17.2: busy kept at 1, initial 5: 6, 6, 6 (below busy + initial). */
	struct mta_window_law law = default_law();
	struct mta_window w;
	int event;

	mta_window_init(&w, &law);
	for (event = 0; event < 5; event++) {
		mta_window_up(&w, &law, 1);
		ck_assert_int_eq(w.window, 6);
	}
}
END_TEST

START_TEST(window_alternating_f17_2)
{
	/* F17.2: alternating bad and good from 20. */
	static const int expected[] = {18, 19, 17, 18, 16, 17, 15, 16};
	struct mta_window_law law = default_law();
	struct mta_window w = {.window = 20};
	int i;

	for (i = 0; i < 8; i++) {
		if (i % 2 == 0)
			ck_assert(!mta_window_down(&w, &law));
		else
			mta_window_up(&w, &law, w.window);
		ck_assert_int_eq(w.window, expected[i]);
	}
}
END_TEST

START_TEST(window_up_clears_cohorts_even_when_full)
{
	/* R-WINDOW-UP, F7.4: cohorts = 0 comes first, before any condition. */
	struct mta_window_law law = default_law();
	struct mta_window w = {.window = 20, .cohorts = 0.9};

	mta_window_up(&w, &law, 1);
	ck_assert_double_eq(w.cohorts, 0);
	ck_assert_int_eq(w.window, 20);
}
END_TEST

START_TEST(window_revival)
{
	/* R-WINDOW-REVIVE, F7.4 and F16.7; R-WINDOW-NEW, F7.2. */
	struct mta_window_law law = default_law();
	struct mta_window w = {
		.window = 0, .good = 0.5, .bad = 0.5, .cohorts = 1.1};

	mta_window_revive(&w, &law, 2);
	ck_assert_int_eq(w.window, 2);
	ck_assert_double_eq(w.good, 0);
	ck_assert_double_eq(w.bad, 0);
	ck_assert_double_eq(w.cohorts, 0);
	w.window = 0;
	mta_window_revive(&w, &law, 0);
	ck_assert_int_eq(w.window, 5);
}
END_TEST

/* ---- Connection cache ---- */

static int
hints_number(struct mta_cache_hints h)
{
	return (h.load ? 1 : 0) + (h.store ? 2 : 0);
}

START_TEST(cache_hints_follow_use)
{
	/* R-CACHE-HINTS, F7.10: 0 none, 1 load, 3 load and store. */
	static const struct {
		int load, store;
		int64_t last_done_s, now_s;
		int32_t busy;
		int expected;
	} cases[] = {
		{0, 0, 0, 100, 1, 0},	/* never delivered */
		{0, 0, 99, 100, 1, 3},	/* last_done + 1 >= now */
		{0, 0, 98, 100, 1, 0},	/* a second too long ago */
		{1, 1, 98, 100, 1, 1},	/* alone and late: load stays */
		{1, 1, 98, 100, 2, 3},	/* others run: both stay */
		{1, 1, 100, 100, 1, 3}, /* back to back: both stay */
		{1, 0, 98, 100, 1, 1},	/* load without store, late */
		{1, 0, 99, 100, 1, 3},
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mta_cache_hints h = {.load = cases[i].load != 0,
					    .store = cases[i].store != 0};
		struct mta_cache_view v = {
			.last_done_s = cases[i].last_done_s,
			.now_s = cases[i].now_s,
			.busy = cases[i].busy,
		};

		h = mta_cache_hints_next(h, &v);
		ck_assert_msg(hints_number(h) == cases[i].expected,
			      "case %zu: %d", i, hints_number(h));
	}
}
END_TEST

/* ---- Age of mail ---- */

START_TEST(backoff_is_age_between_bounds)
{
	/* R-BACKOFF-AGE, F9.9; defaults 300 s and 4000 s. */
	struct mta_backoff b = {.minimal_s = 300, .maximal_s = 4000};

	ck_assert_int_eq(mta_backoff_delay_s(b, 0), 300);
	ck_assert_int_eq(mta_backoff_delay_s(b, -5), 300);
	ck_assert_int_eq(mta_backoff_delay_s(b, 300), 300);
	ck_assert_int_eq(mta_backoff_delay_s(b, 301), 301);
	ck_assert_int_eq(mta_backoff_delay_s(b, 3999), 3999);
	ck_assert_int_eq(mta_backoff_delay_s(b, 4000), 4000);
	ck_assert_int_eq(mta_backoff_delay_s(b, 100000), 4000);
	/* F16.18: capped first, then raised: the minimum wins. */
	b.minimal_s = 5000;
	ck_assert_int_eq(mta_backoff_delay_s(b, 4500), 5000);
	ck_assert_int_eq(mta_backoff_delay_s(b, 6000), 5000);
}
END_TEST

static bool
file_is_due(mta_time now, int64_t wake_s)
{
	return wake_s <= mta_due_latest_s(now);
}

START_TEST(file_is_due_a_second_early)
{
	/* R-DUE-GRACE, F4.7 step 2: mtime <= now + 1 in whole seconds. */
	ck_assert(file_is_due(mta_from_seconds(99), 100));
	ck_assert(file_is_due(mta_from_seconds(100), 100));
	ck_assert(!file_is_due(mta_from_seconds(99) - 1, 100));
	ck_assert(file_is_due(99999999, 100));
}
END_TEST

START_TEST(mail_expires_by_sender)
{
	/* R-EXPIRE, F9.7 step 5. Sender 0 is the empty one. */
	struct mta_lifetimes l = {.mail_s = 432000, .bounce_s = 86400};

	ck_assert(!mta_mail_has_expired(l, SENDER, 431999));
	ck_assert(mta_mail_has_expired(l, SENDER, 432000));
	ck_assert(!mta_mail_has_expired(l, 0, 86399));
	ck_assert(mta_mail_has_expired(l, 0, 86400));
	ck_assert(!mta_mail_has_expired(l, EMPTY_SENDER, 86399));
	ck_assert(mta_mail_has_expired(l, EMPTY_SENDER, 86400));
	/* F9.8: a lifetime of 0 means one attempt. */
	l.mail_s = 0;
	ck_assert(mta_mail_has_expired(l, SENDER, 0));
}
END_TEST

START_TEST(delay_warning_once_and_early)
{
	/* R-WARN-TIME, F10.4: floor(arrival) + delay. */
	ck_assert_int_eq(mta_warn_time_s(1000999999, SENDER, 3600), 4600);
	ck_assert_int_eq(mta_warn_time_s(1000999999, SENDER, 1), 1001);
	ck_assert_int_eq(mta_warn_time_s(1000999999, SENDER, 0), 0);
	ck_assert_int_eq(mta_warn_time_s(1000999999, 0, 3600), 0);
	ck_assert_int_eq(mta_warn_time_s(1000999999, EMPTY_SENDER, 3600), 0);
	/* R-WARN-DUE, F9.7 step 5: now >= warn_time - 1. */
	ck_assert(!mta_warning_is_due(mta_from_seconds(4598), 4600));
	ck_assert(mta_warning_is_due(mta_from_seconds(4599), 4600));
	ck_assert(!mta_warning_is_due(mta_from_seconds(4599), 0));
	ck_assert(!mta_warning_is_due(mta_from_seconds(4599), -1));
}
END_TEST

/* Attempts of a mail that always fails at once, with deferred scans at
 * phase + 300 k; the attempt at which it expires is the last. */
static int
run_ladder(int64_t phase_s, int64_t *attempts, int room)
{
	struct mta_backoff b = {.minimal_s = 300, .maximal_s = 4000};
	struct mta_lifetimes l = {.mail_s = 432000, .bounce_s = 432000};
	int64_t now_s = 0;
	int count = 0;

	for (;;) {
		int64_t wake_s;
		int64_t scan_s;

		ck_assert_int_lt(count, room);
		attempts[count++] = now_s;
		if (mta_mail_has_expired(l, 1, now_s))
			return count;
		wake_s = now_s + mta_backoff_delay_s(b, now_s);
		scan_s = phase_s;
		while (scan_s <= now_s ||
		       !file_is_due(mta_from_seconds(scan_s), wake_s))
			scan_s += 300;
		now_s = scan_s;
	}
}

START_TEST(ladder_f17_3)
{
	/* R-BACKOFF-AGE with R-DUE-GRACE and R-EXPIRE; numbers from F17.3. */
	static const struct {
		int64_t phase_s;
		int attempts;
		int64_t last_s;
		int64_t first_s[10]; /* 0 ends, but for the first */
	} cases[] = {
		{0,
		 108,
		 433200,
		 {0, 300, 600, 1200, 2400, 4800, 9000, 13200, 17400, 21600}},
		{150,
		 107,
		 433050,
		 {0, 450, 1050, 2250, 4650, 8850, 13050, 17250}},
		{299,
		 108,
		 433199,
		 {0, 299, 599, 1199, 2399, 4799, 8999, 13199}},
	};
	size_t i;

	for (i = 0; i < 3; i++) {
		int64_t attempts[200];
		int count = run_ladder(cases[i].phase_s, attempts, 200);
		int k;

		ck_assert_int_eq(count, cases[i].attempts);
		ck_assert_int_eq(attempts[count - 1], cases[i].last_s);
		for (k = 0; k < 10; k++) {
			if (k > 0 && cases[i].first_s[k] == 0)
				break;
			ck_assert_int_eq(attempts[k], cases[i].first_s[k]);
		}
	}
}
END_TEST

/* ---- Queue manager's turn ---- */

START_TEST(flow_tokens_table)
{
	/* R-FLOW-TOKENS, F3.3, each branch and its edge. */
	static const struct {
		int32_t tokens, level, delay_s;
		int took_incoming, incoming_is_open;
		int32_t expected;
	} cases[] = {
		{0, 100, 0, 1, 1, 0},	/* switched off */
		{0, 100, 1, 1, 1, 1},	/* one for one admitted */
		{99, 100, 1, 1, 0, 1},	/* that branch goes first */
		{40, 100, 1, 0, 0, 60}, /* idle: topped up */
		{40, 100, 1, 0, 1, 0},	/* F3.5 iii: active full */
		{100, 100, 1, 1, 0, 0},	 {100, 100, 1, 0, 0, 0},
		{103, 100, 1, 0, 1, -3}, /* a smaller limit after reload */
		{103, 100, 1, 1, 1, -3}, {103, 100, 0, 1, 1, 0},
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mta_flow f = {
			.tokens = cases[i].tokens,
			.level = cases[i].level,
			.in_flow_delay_s = cases[i].delay_s,
			.took_incoming = cases[i].took_incoming != 0,
			.incoming_is_open = cases[i].incoming_is_open != 0,
		};

		ck_assert_msg(mta_flow_change(&f) == cases[i].expected,
			      "case %zu", i);
	}
}
END_TEST

START_TEST(scan_turn_alternates_or_resets)
{
	/* R-SCAN-TURN, F4.3. */
	struct mta_active_fill room = {.active_count = 9, .active_limit = 10};
	struct mta_active_fill full = {.active_count = 10, .active_limit = 10};

	ck_assert_int_eq(mta_turn_other(MTA_INCOMING), MTA_DEFERRED);
	ck_assert_int_eq(mta_turn_other(MTA_DEFERRED), MTA_INCOMING);
	ck_assert_int_eq(mta_turn_next(MTA_INCOMING, room), MTA_DEFERRED);
	ck_assert_int_eq(mta_turn_next(MTA_DEFERRED, room), MTA_INCOMING);
	ck_assert_int_eq(mta_turn_next(MTA_INCOMING, full), MTA_INCOMING);
	ck_assert_int_eq(mta_turn_next(MTA_DEFERRED, full), MTA_INCOMING);
}
END_TEST

/* ---- Recipients in memory ---- */

START_TEST(recipients_to_read)
{
	/* R-READ-FIRST, R-READ-REFILL, F5.2. */
	struct mta_read_view v = {.recipient_limit = 20000,
				  .recipient_total = 0,
				  .message_limit = 10,
				  .message_count = 0};

	ck_assert_int_eq(mta_read_first_count(&v), 5000); /* always at most */
	v.recipient_total = 19900;
	ck_assert_int_eq(mta_read_first_count(&v), 100);
	v.recipient_total = 19995;
	ck_assert_int_eq(mta_read_first_count(&v), 10); /* its own slots */
	v.recipient_total = 30000;
	ck_assert_int_eq(mta_read_first_count(&v), 10);
	v.message_limit = 130;
	v.message_count = 30;
	ck_assert_int_eq(mta_read_refill_count(&v), 100);
	v.message_limit = 9000;
	ck_assert_int_eq(mta_read_refill_count(&v), 5000);
}
END_TEST

START_TEST(refill_by_room_or_time)
{
	/* R-REFILL-DUE, F6.6, defaults 100 slots and 5 s. */
	struct mta_refill_view v = {.refill_limit = 100,
				    .refill_delay_s = 5,
				    .free_slots = 100,
				    .since_read_s = 0};

	ck_assert(mta_refill_is_due(&v));
	v.free_slots = 99;
	ck_assert(!mta_refill_is_due(&v));
	v.since_read_s = 4;
	ck_assert(!mta_refill_is_due(&v));
	v.since_read_s = 5;
	ck_assert(mta_refill_is_due(&v));
	v.free_slots = 0;
	ck_assert(!mta_refill_is_due(&v));
}
END_TEST

START_TEST(spare_recipient_slots)
{
	/* R-SLOTS-SPARE, F6.9: what both accounts can spare. */
	struct mta_slot_account job = {.limit = 50, .count = 20};
	struct mta_slot_account mail = {.limit = 60, .count = 40};

	ck_assert_int_eq(mta_slots_spare(job, mail), 20);
	mail.limit = 100;
	ck_assert_int_eq(mta_slots_spare(job, mail), 30);
	job.limit = 15;
	ck_assert_int_eq(mta_slots_spare(job, mail), 0);
}
END_TEST

/* ---- Preemption ---- */

/* Cost 5, loan 3, discount 50, minimum 3 (F13.1). */
static struct mta_slot_law
default_slots(void)
{
	return (struct mta_slot_law){
		.cost = 5, .loan = 3, .discount = 50, .minimum = 3};
}

/* A job all of whose entries are made, `selected` of them handed out. */
static struct mta_job_view
job_of(int64_t entries, int64_t selected, int64_t avail)
{
	return (struct mta_job_view){
		.read = entries, .selected = selected, .avail = avail};
}

START_TEST(preemption_is_off_below_cost_two)
{
	/* R-PREEMPT-OFF, F6.5: cost 0 or 1. */
	struct mta_slot_law law = default_slots();
	int32_t cost;

	for (cost = 0; cost <= 3; cost++) {
		law.cost = cost;
		ck_assert_int_eq(mta_preemption_is_on(&law), cost >= 2);
	}
}
END_TEST

START_TEST(preemption_needs_credit_and_size)
{
	/* R-PREEMPT-ALLOWED, F6.7; F17.4: 14 entries are below 3 x 5, 15 not.
	 * F16.23: no credit, no jump, though the loan would do. */
	struct mta_slot_law law = default_slots();
	struct mta_job_view j = job_of(14, 1, 1);

	ck_assert(!mta_job_may_be_preempted(&law, &j));
	j = job_of(15, 1, 1);
	ck_assert(mta_job_may_be_preempted(&law, &j));
	j.avail = 0;
	ck_assert(!mta_job_may_be_preempted(&law, &j));
	j.avail = -4;
	ck_assert(!mta_job_may_be_preempted(&law, &j));
	/* Unread recipients count (F6.1: max_e). */
	j = job_of(10, 1, 1);
	j.unread = 5;
	ck_assert(mta_job_may_be_preempted(&law, &j));
}
END_TEST

START_TEST(preemption_credit_f17_4)
{
	/* R-PREEMPT-CREDIT, R-PREEMPT-PRICE, F6.7; the moments are those of
	 * F17.4. */
	struct mta_slot_law law = default_slots();
	struct mta_job_view a;

	/* A:100, B:10 gives A10 B10: need 10 x 50 % = 5 slots, 3 lent. */
	a = job_of(100, 9, 9);
	ck_assert(!mta_job_can_afford(&law, &a, 10));
	a = job_of(100, 10, 10);
	ck_assert(mta_job_can_afford(&law, &a, 10));
	/* A:100, B:6, C:7 gives A B6 A34 C7: 3 slots at once; then the credit
	 * is 1 - 6 x 5 = -29 and 3.5 slots want 4, one of them earned. */
	a = job_of(100, 1, 1);
	ck_assert(mta_job_can_afford(&law, &a, 6));
	ck_assert_int_eq(mta_slot_price(&law, 6), 30);
	a = job_of(100, 34, -29 + 33);
	ck_assert(!mta_job_can_afford(&law, &a, 7));
	a = job_of(100, 35, -29 + 34);
	ck_assert(mta_job_can_afford(&law, &a, 7));
	/* Without loan and discount: five entries for one slot. */
	law.loan = 0;
	law.discount = 0;
	a = job_of(100, 4, 4);
	ck_assert(!mta_job_can_afford(&law, &a, 1));
	a = job_of(100, 5, 5);
	ck_assert(mta_job_can_afford(&law, &a, 1));
	/* The comparison is floating: 1 slot < 3 x 37 / 100 = 1.11. */
	law.discount = 63;
	ck_assert(!mta_job_can_afford(&law, &a, 3));
	law.discount = 100;
	ck_assert(mta_job_can_afford(&law, &a, 1000000));
}
END_TEST

START_TEST(preemption_advance_of_recipients)
{
	/* R-PREEMPT-ADVANCE, F6.7: (extra + pool + 1) // 2, pool from 0 down
	 * to -extra. */
	ck_assert_int_eq(mta_preempt_advance(1000, 0), 500);
	ck_assert_int_eq(mta_preempt_advance(1000, -500), 250);
	ck_assert_int_eq(mta_preempt_advance(1000, -999), 1);
	ck_assert_int_eq(mta_preempt_advance(1000, -1000), 0);
	ck_assert_int_eq(mta_preempt_advance(0, 0), 0);
}
END_TEST

START_TEST(job_size_is_upper_bound)
{
	/* R-JOB-SIZE, F6.1. */
	struct mta_job_view j = {.read = 7, .selected = 3, .unread = 20};

	ck_assert_int_eq(mta_job_most_entries(&j), 27);
	ck_assert_int_eq(mta_job_need(&j), 24);
}
END_TEST

START_TEST(candidate_room_and_fit)
{
	/* R-CANDIDATE-ROOM, F6.8: (min_e - selected + avail) // cost. */
	struct mta_slot_law law = default_slots();
	struct mta_job_view c = job_of(100, 1, 1);
	struct mta_job_view j = job_of(20, 0, 0);

	ck_assert_int_eq(mta_candidate_room(&law, &c), 20);
	ck_assert(mta_candidate_fits(&j, 20));
	ck_assert(!mta_candidate_fits(&j, 19));
	j.selected = 1;
	ck_assert(mta_candidate_fits(&j, 19));
	j.selected = 20;
	ck_assert(!mta_candidate_fits(&j, 19)); /* nothing left to do */
	/* Towards zero: (100 - 98 - 6) / 5 is 0, not -1. */
	c = job_of(100, 98, -6);
	ck_assert_int_eq(mta_candidate_room(&law, &c), 0);
	/* Only what is read counts for the current job. */
	c = job_of(100, 1, 1);
	c.unread = 1000;
	ck_assert_int_eq(mta_candidate_room(&law, &c), 20);
}
END_TEST

START_TEST(candidate_score_floats)
{
	/* R-CANDIDATE-SCORE, F6.8: age / tot; the search ends at an unstacked
	 * job whose age is no more than the best score. */
	struct mta_job_view j = job_of(3, 1, 0);

	ck_assert_double_eq(mta_candidate_score(&j, 1), 1.0 / 3);
	j.unread = 1;
	ck_assert_double_eq(mta_candidate_score(&j, 10), 2.5);
	ck_assert(mta_candidate_search_ends(2, 2.5));
	ck_assert(!mta_candidate_search_ends(3, 2.5));
	ck_assert(mta_candidate_search_ends(1, 1.0));
}
END_TEST

/* ---- Agents ---- */

START_TEST(agents_wanted)
{
	/* R-AGENT-NEED, F8.3: need = pending + 1, minus what could start. */
	struct mta_dest_load d = {.window = 5, .busy = 3, .todo = 10};

	ck_assert_int_eq(mta_agent_need(1, d), -1);
	d.todo = 1;
	ck_assert_int_eq(mta_agent_need(2, d), 1);
	d.todo = 0;
	ck_assert_int_eq(mta_agent_need(2, d), 2);
	/* After a cut the window is below busy, and the need rises. */
	d = (struct mta_dest_load){.window = 2, .busy = 5, .todo = 10};
	ck_assert_int_eq(mta_agent_need(1, d), 4);
}
END_TEST

static void
add_window_tests(Suite *s)
{
	TCase *t = tcase_create("window");

	tcase_add_test(t, feedback_value_follows_window);
	tcase_add_test(t, window_down_f17_1);
	tcase_add_test(t, window_down_never_dies_without_cohort_limit);
	tcase_add_test(t, window_f17_5_failed_cohorts);
	tcase_add_test(t, window_up_f17_2);
	tcase_add_test(t, window_up_stops_at_limit);
	tcase_add_test(t, window_up_needs_use);
	tcase_add_test(t, window_alternating_f17_2);
	tcase_add_test(t, window_up_clears_cohorts_even_when_full);
	tcase_add_test(t, window_revival);
	tcase_add_test(t, cache_hints_follow_use);
	suite_add_tcase(s, t);
}

static void
add_age_tests(Suite *s)
{
	TCase *t = tcase_create("age");

	tcase_add_test(t, timer_keeps_phase_of_last_wake);
	tcase_add_test(t, backoff_is_age_between_bounds);
	tcase_add_test(t, file_is_due_a_second_early);
	tcase_add_test(t, mail_expires_by_sender);
	tcase_add_test(t, delay_warning_once_and_early);
	tcase_add_test(t, ladder_f17_3);
	suite_add_tcase(s, t);
}

static void
add_turn_tests(Suite *s)
{
	TCase *t = tcase_create("turn");

	tcase_add_test(t, flow_tokens_table);
	tcase_add_test(t, scan_turn_alternates_or_resets);
	tcase_add_test(t, recipients_to_read);
	tcase_add_test(t, refill_by_room_or_time);
	tcase_add_test(t, spare_recipient_slots);
	tcase_add_test(t, agents_wanted);
	suite_add_tcase(s, t);
}

static void
add_preemption_tests(Suite *s)
{
	TCase *t = tcase_create("preemption");

	tcase_add_test(t, preemption_is_off_below_cost_two);
	tcase_add_test(t, preemption_needs_credit_and_size);
	tcase_add_test(t, preemption_credit_f17_4);
	tcase_add_test(t, preemption_advance_of_recipients);
	tcase_add_test(t, job_size_is_upper_bound);
	tcase_add_test(t, candidate_room_and_fit);
	tcase_add_test(t, candidate_score_floats);
	suite_add_tcase(s, t);
}

Suite *
rules_suite(void)
{
	Suite *s = suite_create("rules");

	add_window_tests(s);
	add_age_tests(s);
	add_turn_tests(s);
	add_preemption_tests(s);
	return s;
}
