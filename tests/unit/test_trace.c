/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The trace (src/mta/trace.c): who hears of what, in which order, and the words
 * for the numbers in its records.
 */
#include "tests/harness.h"

#include <string.h>

#include "mta/trace.h"

struct listener {
	struct mta_sink sink;
	char letter;
};

static char heard[16]; /* letters, in the order in which they heard */
static enum mta_trace_kind heard_kind;
static const void *heard_record;

static void
listen(struct mta_sink *sink, enum mta_trace_kind kind, const void *record)
{
	heard[strlen(heard)] =
		mta_container_of(sink, struct listener, sink)->letter;
	heard_kind = kind;
	heard_record = record;
}

START_TEST(in_the_order_of_subscription)
{
	struct listener a = {{listen}, 'a'}, b = {{listen}, 'b'};
	struct mta_trace_scan scan = {.queue = MTA_DEFERRED};
	struct mta_trace t;

	mta_trace_init(&t);
	memset(heard, 0, sizeof(heard));
	for (int kind = 0; kind < MTA_TRACE_KINDS; kind++)
		ck_assert(!mta_trace_wants(&t, (enum mta_trace_kind)kind));
	mta_trace_subscribe(&t, MTA_TRACE_SCAN, &b.sink);
	mta_trace_subscribe(&t, MTA_TRACE_SCAN, &a.sink);
	mta_trace_subscribe(&t, MTA_TRACE_TURN, &a.sink);
	for (int kind = 0; kind < MTA_TRACE_KINDS; kind++)
		ck_assert(mta_trace_wants(&t, (enum mta_trace_kind)kind) ==
			  (kind == MTA_TRACE_SCAN || kind == MTA_TRACE_TURN));
	mta_trace_deliver(&t, MTA_TRACE_SCAN, &scan);
	ck_assert_str_eq(heard, "ba");
	ck_assert_int_eq(heard_kind, MTA_TRACE_SCAN);
	ck_assert_ptr_eq(heard_record, &scan);
	mta_trace_deliver(&t, MTA_TRACE_TURN, &(struct mta_trace_turn){0});
	ck_assert_str_eq(heard, "baa");
	mta_trace_deliver(&t, MTA_TRACE_MOVE, &(struct mta_trace_move){0});
	ck_assert_str_eq(heard, "baa");
}
END_TEST

START_TEST(as_many_as_there_is_room_for)
{
	struct listener all[MTA_SINKS_MAX];
	struct mta_trace t;

	mta_trace_init(&t);
	memset(heard, 0, sizeof(heard));
	for (int i = 0; i < MTA_SINKS_MAX; i++) {
		all[i] = (struct listener){{listen}, (char)('1' + i)};
		mta_trace_subscribe(&t, MTA_TRACE_ENDED, &all[i].sink);
	}
	mta_trace_deliver(&t, MTA_TRACE_ENDED, &(struct mta_trace_ended){0});
	ck_assert_str_eq(heard, "12345678");
}
END_TEST

/* The words of the contract for the columns outcome and event. */
START_TEST(words_of_the_contract)
{
	static const char *const outcomes[] = {
		[MTA_SENT] = "sent",	   [MTA_DEFERRED_OUTCOME] = "deferred",
		[MTA_BOUNCED] = "bounced", [MTA_EXPIRED] = "expired",
		[MTA_HELD] = "held",	   [MTA_DELETED] = "deleted",
		[MTA_QUEUED] = "queued",
	};
	static const char *const events[] = {
		[MTA_FEEDBACK_ALIVE] = "alive",
		[MTA_FEEDBACK_SICK] = "sick",
		[MTA_FEEDBACK_DEAD] = "dead",
		[MTA_FEEDBACK_REVIVED] = "revived",
	};

	for (int i = MTA_SENT; i <= MTA_QUEUED; i++)
		ck_assert_str_eq(mta_outcome_name((enum mta_outcome)i),
				 outcomes[i]);
	for (int i = MTA_FEEDBACK_ALIVE; i <= MTA_FEEDBACK_REVIVED; i++)
		ck_assert_str_eq(
			mta_feedback_event_name((enum mta_feedback_event)i),
			events[i]);
}
END_TEST

static const char *
step_name(int i)
{
	return mta_step_name((enum mta_smtp_step)i);
}

static const char *
move_reason_name(int i)
{
	return mta_move_reason_name((enum mta_move_reason)i);
}

static const char *
outcome_name(int i)
{
	return mta_outcome_name((enum mta_outcome)i);
}

static const char *
queue_name(int i)
{
	return mta_queue_name((enum mta_queue)i);
}

static void
check_apart(const char *(*name)(int), int first, int count)
{
	for (int i = first; i < count; i++) {
		ck_assert_str_ne(name(i), "");
		for (int k = first; k < i; k++)
			ck_assert_str_ne(name(i), name(k));
	}
}

START_TEST(no_word_means_two_things)
{
	check_apart(step_name, MTA_STEP_DNS, MTA_STEPS);
	check_apart(move_reason_name, 0, MTA_MOVE_REASONS);
	check_apart(outcome_name, 0, MTA_OUTCOMES);
	check_apart(queue_name, 0, MTA_QUEUES);
}
END_TEST

Suite *
trace_suite(void)
{
	Suite *s = suite_create("trace");
	TCase *t = tcase_create("trace");

	tcase_add_test(t, in_the_order_of_subscription);
	tcase_add_test(t, as_many_as_there_is_room_for);
	tcase_add_test(t, words_of_the_contract);
	tcase_add_test(t, no_word_means_two_things);
	suite_add_tcase(s, t);
	return s;
}
