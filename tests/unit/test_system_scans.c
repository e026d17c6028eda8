/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Queue runs, turns, triggers, wake-ups, restart and flow tokens, through the
 * whole system. Nothing costs time unless a scenario says so; the expected
 * times are sums of what it says.
 */
#include <check.h>
#include <string.h>

#include "tests/world_run.h"

#define S INT64_C(1000000)

/* A destination that takes what it gets. */
#define END                                                                    \
	"spool: {order: oldest-first}\n"                                       \
	"receivers: {r: {transfer: 0}}\n"                                      \
	"domains: {a.example: {receiver: r}}\n"

/* ---- turns ------------------------------------------------------------- */

#define THREE_EACH                                                             \
	"start:\n"                                                             \
	"  - {queue: incoming, messages: 3, to: a.example}\n"                  \
	"  - {queue: deferred, messages: 3, to: a.example, age: 1h, "          \
	"due: 0s}\n"

/* R-SCAN-TURN (F4.3): one from each in turn while there is room. */
START_TEST(incoming_and_deferred_in_turn)
{
	struct world_run *r = world_run_whole(
		"scenario: turns\nrun: {until: drained}\n"
		"mta: {hash_queue_names: defer}\n" END THREE_EACH);

	ck_assert_str_eq(world_run_say_admitted(r),
			 "0:incoming@0 3:deferred@0 1:incoming@0 "
			 "4:deferred@0 2:incoming@0 5:deferred@0");
	world_run_close(r);
}
END_TEST

/* Mail of `start:` is simply there: nobody has put it on hold and released it,
 * it costs cleanup and the disk nothing, and what waits is packed. */
START_TEST(mail_that_was_there)
{
	struct world_run *r = world_run_whole(
		"scenario: there\nrun: {for: 20s}\n"
		"costs: {cleanup: 2s, disk: {fsync: 1s}}\n" END THREE_EACH
		"  - {queue: deferred, messages: 3, to: a.example, age: 1h, "
		"due: 1h}\n");

	ck_assert_uint_eq(r->move.list[0].reason, MTA_MOVE_PRESENT);
	ck_assert_str_eq(world_run_say_moves(r, 0),
			 "0:new>incoming@0 0:incoming>active@0 "
			 "0:active>gone@0");
	ck_assert_str_eq(world_run_say_moves(r, 5),
			 "5:new>deferred@0 5:deferred>active@0 "
			 "5:active>gone@0");
	ck_assert_uint_eq(world_run_in_queue(r, MTA_DEFERRED), 3);
	ck_assert_uint_eq(r->world.spool.sides.used_count, 0);
	world_run_close(r);
}
END_TEST

/* When mail of `start:` is due, by how long before it came. */
static int64_t
due_after_s(const char *mta, const char *age)
{
	char text[600];
	struct world_run *r;
	int64_t due_s;

	snprintf(text, sizeof(text),
		 "scenario: ages\nrun: {for: 1s}\nmta: {%s}\n" END
		 "start: [{queue: deferred, messages: 1000, to: a.example, "
		 "age: %s}]\n",
		 mta, age);
	r = world_run_open(text, NULL);
	due_s = (int64_t)r->move.list[0].wake_s - SIM_EPOCH_S;
	ck_assert_uint_eq(r->move.list[999].wake_s, r->move.list[0].wake_s);
	world_run_close(r);
	return due_s;
}

/*
 * R-BACKOFF-AGE (F9.9): tries at the ages 0, 300, 600, 1200, 2400, 4800, and
 * 4000 s later each: 8800, 12800 s. So mail of 10000 s waits for 2800 s more,
 * and what came at the age of a try is due. The ages that follow are sums of
 * many equal steps: 30 years of 1 s, and of 7 s, of which 135154286 are 2 s
 * more than the 946080000 s.
 */
START_TEST(due_by_age)
{
	ck_assert_int_eq(due_after_s("", "0s"), 0);
	ck_assert_int_eq(due_after_s("", "299s"), 1);
	ck_assert_int_eq(due_after_s("", "10000s"), 2800);
	ck_assert_int_eq(due_after_s("", "12800s"), 0);
	ck_assert_int_eq(due_after_s("", "12801s"), 3999);
	ck_assert_int_eq(due_after_s("minimal_backoff_time: 1s, "
				     "maximal_backoff_time: 1s",
				     "10950d"),
			 0);
	ck_assert_int_eq(due_after_s("minimal_backoff_time: 7s, "
				     "maximal_backoff_time: 7s",
				     "10950d"),
			 2);
	/* The minimum wins when it is greater. */
	ck_assert_int_eq(due_after_s("minimal_backoff_time: 7s, "
				     "maximal_backoff_time: 1s",
				     "15s"),
			 6);
}
END_TEST

/* The same with room for one, and 10 s a delivery: every place that comes free
 * goes to new mail first (F4.3, F16.10). */
START_TEST(full_active_prefers_incoming)
{
	struct world_run *r = world_run_whole(
		"scenario: full\nrun: {until: drained}\n"
		"mta: {hash_queue_names: defer, qmgr_message_active_limit: 1}\n"
		"spool: {order: oldest-first}\n"
		"receivers: {r: {transfer: 10s}}\n"
		"domains: {a.example: {receiver: r}}\n" THREE_EACH);

	ck_assert_str_eq(world_run_say_admitted(r),
			 "0:incoming@0 1:incoming@10 2:incoming@20 "
			 "3:deferred@30 4:deferred@40 5:deferred@50");
	world_run_close(r);
}
END_TEST

/*
 * R-SCAN-NAMES (F4.3, F4.7): deferred lists two names that are not due, then
 * two that are. Passes: incoming 0; deferred is looked at first, its name is
 * not due, so incoming 1; again, so incoming 2; then deferred has due ones.
 * Were the names passed for nothing, deferred would come in second place.
 */
START_TEST(names_not_due_cost_a_look)
{
	struct world_run *r = world_run_whole(
		"scenario: names\nrun: {for: 1s}\n"
		"mta: {hash_queue_names: defer}\n" END "start:\n"
		"  - {queue: deferred, messages: 2, to: a.example, age: 1h, "
		"due: 1h}\n"
		"  - {queue: deferred, messages: 2, to: a.example, age: 1h, "
		"due: 0s}\n"
		"  - {queue: incoming, messages: 3, to: a.example}\n");

	ck_assert_str_eq(world_run_say_admitted(r),
			 "4:incoming@0 5:incoming@0 6:incoming@0 "
			 "2:deferred@0 3:deferred@0");
	world_run_close(r);
}
END_TEST

/* ---- runs -------------------------------------------------------------- */

static void
judge_scans(const struct world_run *r, enum mta_queue queue, int64_t from_s,
	    const char *expected)
{
	char text[1024] = "";
	size_t used = 0;

	for (size_t i = 0; i < r->scan.count; i++) {
		const struct mta_trace_scan *s = &r->scan.list[i];

		if (s->queue != queue || world_run_us(s->at) < from_s * S)
			continue;
		used += (size_t)snprintf(text + used, sizeof(text) - used,
					 "%s%s@%g", used ? " " : "",
					 s->is_open ? "open" : "end",
					 (double)world_run_us(s->at) / 1e6);
	}
	ck_assert_str_eq(text, expected);
}

/*
 * R-SCAN-REQUEST, R-SCAN-RESTART (F4.2): room for one, 10 s each. The run that
 * took mail 0 stays open while active is full; what comes meanwhile waits for
 * the next run, which begins in the look that ends this one, at 11 s. That run
 * has seen mail 1 and mail 2; nothing asked for another.
 */
START_TEST(open_run_is_not_cut_short)
{
	struct world_run *r = world_run_open(
		"scenario: runs\nrun: {for: 50s}\n"
		"mta: {qmgr_message_active_limit: 1}\n"
		"spool: {order: oldest-first}\n"
		"receivers: {r: {transfer: 10s}}\n"
		"domains: {a.example: {receiver: r}}\n"
		"sources:\n"
		"  s: {arrivals: {times: [1s, 2s, 3s]}, to: a.example}\n",
		&(struct world_run_options){.keep = WORLD_RUN_KEEP(SCAN) |
						    WORLD_RUN_KEEP(ADMITTED)});

	world_run_finish(r);
	ck_assert_str_eq(world_run_say_admitted(r),
			 "0:incoming@1 1:incoming@11 2:incoming@21");
	judge_scans(r, MTA_INCOMING, 1, "open@1 end@11 open@11 end@31");
	world_run_close(r);
}
END_TEST

static void
send_trigger(struct world_run *r, uint32_t bits)
{
	struct mta_port *port = world_host(&r->world)->port;

	port->ops->send(
		port, MTA_TO_QMGR,
		&(struct mta_note){.kind = MTA_NOTE_TRIGGER, .trigger = bits});
}

/*
 * R-TRIGGER, R-SCAN-REQUEST (F4.2, F4.6): ALL alone starts nothing; it waits
 * for the next run of deferred, which the timer begins at 300 s. With D in the
 * same bytes the run begins now.
 */
START_TEST(modifiers_wait_for_a_run)
{
	static const char text[] =
		"scenario: modifiers\nrun: {for: 400s}\n" END "start:\n"
		"  - {queue: deferred, messages: 1, to: a.example, age: 1h, "
		"due: 2h}\n";
	struct world_run *r = world_run_open(text, NULL);

	world_run_until(r, 10 * S);
	send_trigger(r, MTA_TRIGGER_ALL);
	world_run_finish(r);
	ck_assert_str_eq(world_run_say_admitted(r), "0:deferred@300");
	world_run_close(r);

	r = world_run_open(text, NULL);
	world_run_until(r, 10 * S);
	send_trigger(r, MTA_TRIGGER_ALL | MTA_TRIGGER_DEFERRED);
	world_run_finish(r);
	ck_assert_str_eq(world_run_say_admitted(r), "0:deferred@10");
	world_run_close(r);

	/* Two notes of one moment: merged, in whatever order they came. */
	r = world_run_open(text, NULL);
	world_run_until(r, 10 * S);
	send_trigger(r, MTA_TRIGGER_DEFERRED);
	send_trigger(r, MTA_TRIGGER_ALL);
	world_run_finish(r);
	ck_assert_str_eq(world_run_say_admitted(r), "0:deferred@10");
	world_run_close(r);
}
END_TEST

/*
 * R-FLUSH (F12.1, F4.6): the site has died at 30 s (window 1); its mail would
 * be due at 330 s and tried at 600 s. The flush at 100 s revives the site and
 * ignores wake times. The mail that the operator had put back into maildrop at
 * 70 s would wait for pickup's wake-up at 120 s. (Cleanup wakes the queue
 * manager before it answers pickup.)
 */
START_TEST(flush_revives_and_hurries)
{
	struct world_run *r = world_run_open(
		"scenario: flush\nrun: {until: drained}\n"
		"mta: {initial_destination_concurrency: 1}\n"
		"receivers:\n"
		"  slow: {state: timeout, schedule: [{at: 60s, state: up}]}\n"
		"domains:\n"
		"  a.example: {receiver: slow}\n"
		"  b.example: {receiver: slow}\n"
		"sources: {s: {arrivals: {times: [0s]}, to: a.example}}\n"
		"start: [{queue: hold, messages: 1, to: b.example}]\n"
		"operator:\n"
		"  - {at: 70s, postsuper: requeue, where: {queue: hold}}\n"
		"  - {at: 100s, postqueue: flush}\n",
		NULL);

	world_run_finish(r);
	ck_assert_str_eq(world_run_say_feedback(r),
			 "a.example:dead0@30 a.example:revived1@100 "
			 "a.example:alive2@100 b.example:alive2@100");
	ck_assert_str_eq(world_run_say_deliveries(r),
			 "1:deferred@30 1:sent@100 0:sent@100");
	ck_assert_str_eq(world_run_say_moves(r, 0),
			 "0:new>hold@0 0:hold>maildrop@70 "
			 "0:new>incoming@100 0:incoming>active@100 "
			 "0:maildrop>gone@100 0:active>gone@100");
	world_run_close(r);
}
END_TEST

/* Two sites, both dead at 30 s (window 1) and up again at 60 s. Their mail is
 * due at 330 s, so tried at 600 s; the sites' dead time ends at 330 s. At 100 s
 * one of the two is flushed: mail 0, for a.example. */
static struct world_run *
run_flush(const char *what)
{
	char text[1024];

	snprintf(text, sizeof(text),
		 "scenario: flush\nrun: {until: drained}\n"
		 "mta: {initial_destination_concurrency: 1}\n"
		 "receivers:\n"
		 "  slow: {state: timeout, schedule: [{at: 60s, state: up}]}\n"
		 "domains: {\"*\": {receiver: {each: slow}}}\n"
		 "sources: {s: {arrivals: {times: [0s, 0s]}, to: {cycle: "
		 "[a.example, b.example]}}}\n"
		 "operator: [{at: 100s, postqueue: %s}]\n",
		 what);
	return world_run_whole(text);
}

/* R-FLUSH-SITE (F12.1): F comes first, and forgets all dead sites; then what is
 * there for the site is due now. The other's mail waits as before. */
START_TEST(flush_of_a_site)
{
	struct world_run *r = run_flush("{site: a.example}");

	ck_assert_str_eq(world_run_say_deliveries(r),
			 "0:deferred@30 1:deferred@30 0:sent@100 1:sent@600");
	ck_assert_str_eq(world_run_say_moves(r, 0),
			 "0:new>incoming@0 0:incoming>active@0 "
			 "0:active>deferred@30 0:deferred>incoming@100 "
			 "0:incoming>active@100 0:active>gone@100");
	ck_assert_str_eq(world_run_say_feedback(r),
			 "a.example:dead0@30 b.example:dead0@30 "
			 "a.example:revived1@100 b.example:revived1@100 "
			 "a.example:alive2@100 b.example:alive2@600");
	world_run_close(r);
}
END_TEST

/* R-FLUSH-ID (F12.1, F5.9): only the site that this mail needs is revived, when
 * it is taken in; the other one by its own timer. */
START_TEST(flush_of_a_mail)
{
	struct world_run *r = run_flush("{id: \"000001\"}");

	ck_assert_str_eq(world_run_say_deliveries(r),
			 "0:deferred@30 1:deferred@30 0:sent@100 1:sent@600");
	ck_assert_str_eq(world_run_say_feedback(r),
			 "a.example:dead0@30 b.example:dead0@30 "
			 "a.example:revived1@100 a.example:alive2@100 "
			 "b.example:revived1@330 b.example:alive2@600");
	world_run_close(r);
}
END_TEST

/* R-WAKEUP (F8.13): without a flush it is picked up at 120 s. */
START_TEST(master_wakes_pickup)
{
	struct world_run *r = world_run_whole(
		"scenario: wakeup\nrun: {until: drained}\n" END
		"start: [{queue: hold, messages: 1, to: a.example}]\n"
		"sources: {s: {arrivals: {times: [130s]}, to: a.example}}\n"
		"operator:\n"
		"  - {at: 70s, postsuper: requeue, where: {queue: hold}}\n");

	ck_assert_str_eq(world_run_say_moves(r, 0),
			 "0:new>hold@0 0:hold>maildrop@70 "
			 "0:new>incoming@120 0:incoming>active@120 "
			 "0:maildrop>gone@120 0:active>gone@120");
	world_run_close(r);
}
END_TEST

/*
 * R-RESTART, R-LOCKED, R-WAKEUP (F1.15, F5.1, F4.5): the queue manager dies at
 * 100 s while an agent delivers until 200 s. Its successor finds the mail in
 * active, makes it eligible, cannot lock it, and puts it aside until 160 s; but
 * nothing looks at incoming before master's wake-up at 300 s. By then the
 * recipient is marked: the mail is taken in, has nobody left, and is gone.
 * Delivered once.
 */
START_TEST(restart_leaves_running_deliveries)
{
	struct world_run *r = world_run_whole(
		"scenario: restart\nrun: {until: drained}\n"
		"receivers: {r: {transfer: 200s}}\n"
		"domains: {a.example: {receiver: r}}\n"
		"sources: {s: {arrivals: {times: [0s]}, to: a.example}}\n"
		"operator: [{at: 100s, crash: qmgr}]\n");

	ck_assert_str_eq(world_run_say_moves(r, 0),
			 "0:new>incoming@0 0:incoming>active@0 "
			 "0:active>incoming@100 0:incoming>active@100 "
			 "0:active>incoming@100 0:incoming>active@300 "
			 "0:active>gone@300");
	ck_assert_str_eq(world_run_say_deliveries(r), "0:sent@200");
	ck_assert_uint_eq(r->status.count, 1);
	ck_assert_uint_eq(r->status.list[0].what, MTA_STATUS_SKIPPED);
	ck_assert_int_eq(world_run_wake_s(world_run_move(r, 0, 4)->wake_s),
			 160);
	world_run_close(r);
}
END_TEST

/* Four such mails: what is said of each names that one (F14.8). */
START_TEST(skipped_mail_is_named)
{
	struct world_run *r = world_run_whole(
		"scenario: restart\nrun: {for: 60s}\n"
		"receivers: {r: {transfer: 200s}}\n"
		"domains: {a.example: {receiver: r}}\n"
		"sources: {s: {arrivals: {times: [0s, 1s, 2s, 3s]},\n"
		"  to: a.example, sender: \"u{n}@s.example\"}}\n"
		"operator: [{at: 30s, crash: qmgr}]\n");
	unsigned seen = 0;

	ck_assert_uint_eq(r->status.count, 4);
	for (size_t i = 0; i < r->status.count; i++) {
		const struct mta_trace_status *s = &r->status.list[i];
		char sender[32];

		ck_assert_uint_eq(s->what, MTA_STATUS_SKIPPED);
		ck_assert_uint_lt(s->serial, 4);
		seen |= 1u << s->serial;
		snprintf(sender, sizeof(sender), "u%u@s.example", s->serial);
		ck_assert_str_eq(world_run_address(r, s->sender), sender);
	}
	ck_assert_uint_eq(seen, 0xf);
	world_run_close(r);
}
END_TEST

/* R-RESTART (F1.15): back-off stamps stay, and the timer of the deferred run
 * counts from the start. The mail is due at 300 s; the runs after the crash are
 * at 50 s and at 350 s. */
START_TEST(restart_keeps_wake_times)
{
	struct world_run *r = world_run_whole(
		"scenario: stamps\nrun: {until: drained}\n"
		"receivers:\n"
		"  r: {replies: [{step: rcpt, code: 450, times: 1, "
		"match: \"*\"}]}\n"
		"domains: {a.example: {receiver: r}}\n"
		"sources: {s: {arrivals: {times: [0s]}, to: a.example}}\n"
		"operator: [{at: 50s, crash: qmgr}]\n");

	ck_assert_str_eq(world_run_say_deliveries(r),
			 "0:deferred@0 0:sent@350");
	world_run_close(r);
}
END_TEST

/* ---- flow tokens ------------------------------------------------------- */

/* Three tokens, and active is full from the first mail on: the run stays open,
 * so none is put (F3.5 iii). Answers: who slept, and when it got in. */
static struct world_run *
run_tokens(const char *access, const char *middle)
{
	char text[2048];

	snprintf(text, sizeof(text),
		 "scenario: tokens\nrun: {for: 20s}\n"
		 "mta:\n"
		 "  default_process_limit: 3\n"
		 "  qmgr_message_active_limit: 1\n"
		 "receivers: {r: {transfer: 1h}}\n"
		 "domains: {a.example: {receiver: r}}\n"
		 "access: [%s]\n"
		 "sources:\n"
		 "  s: {arrivals: {times: [1s, 2s, 3s, 4s]}, to: a.example}\n"
		 "  m: {arrivals: {times: [5s]}, sender: %s, to: a.example}\n"
		 "  t: {arrivals: {times: [7s, 9s]}, to: a.example}\n",
		 access, middle);
	return world_run_whole(text);
}

static void
judge_slept(const struct world_run *r, const char *expected)
{
	char text[256] = "";
	size_t used = 0;

	for (size_t i = 0; i < r->answered.count; i++)
		used += (size_t)snprintf(
			text + used, sizeof(text) - used, "%s%u%s@%g",
			used ? " " : "", r->answered.list[i].serial,
			r->answered.list[i].slept ? ":slept" : "",
			(double)world_run_us(r->answered.list[i].at) / 1e6);
	ck_assert_str_eq(text, expected);
}

/*
 * R-FLOW-TOKEN, R-FLOW-HOLD (F3.2, F3.4). Tokens: 3 at the start; mail 0 takes
 * one and its admission puts one; mails 1, 2, 3 take them. Mail 4 finds none,
 * sleeps a second, and owes nothing. If it is held, it gives one (which it
 * never had), and mail 5 takes it; if it is discarded, or plain, it does not.
 */
START_TEST(held_mail_gives_its_token_back)
{
	struct world_run *r =
		run_tokens("{sender: \"m*@*\", action: hold}", "m@s.example");

	judge_slept(r, "0@1 1@2 2@3 3@4 4:slept@6 5@7 6:slept@10");
	ck_assert_uint_eq(world_run_in_queue(r, MTA_HOLD), 1);
	world_run_close(r);
	r = run_tokens("{sender: \"m*@*\", action: discard}", "m@s.example");
	judge_slept(r, "0@1 1@2 2@3 3@4 4:slept@6 5:slept@8 6:slept@10");
	world_run_close(r);
	r = run_tokens("{sender: \"m*@*\", action: hold}", "n@s.example");
	judge_slept(r, "0@1 1@2 2@3 3@4 4:slept@6 5:slept@8 6:slept@10");
	world_run_close(r);
}
END_TEST

Suite *
system_scans_suite(void)
{
	Suite *s = suite_create("system_scans");
	TCase *tc = tcase_create("whole system");

	tcase_add_test(tc, incoming_and_deferred_in_turn);
	tcase_add_test(tc, mail_that_was_there);
	tcase_add_test(tc, due_by_age);
	tcase_add_test(tc, full_active_prefers_incoming);
	tcase_add_test(tc, names_not_due_cost_a_look);
	tcase_add_test(tc, open_run_is_not_cut_short);
	tcase_add_test(tc, modifiers_wait_for_a_run);
	tcase_add_test(tc, flush_revives_and_hurries);
	tcase_add_test(tc, flush_of_a_site);
	tcase_add_test(tc, flush_of_a_mail);
	tcase_add_test(tc, master_wakes_pickup);
	tcase_add_test(tc, restart_leaves_running_deliveries);
	tcase_add_test(tc, skipped_mail_is_named);
	tcase_add_test(tc, restart_keeps_wake_times);
	tcase_add_test(tc, held_mail_gives_its_token_back);
	suite_add_tcase(s, tc);
	return s;
}
