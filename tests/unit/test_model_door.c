/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * model/receiver with many connections at once: caps, processes, the accept
 * queue and what is beyond it. Small cases by hand; then the measured tables of
 * Postfix's SCHEDULER_README for a receiver with five processes, of which only
 * the receiver's side is at work here (twenty clients that never pause).
 */
#include "tests/harness.h"

#include "model/law.h"
#include "model/receiver.h"

#include <string.h>

#define MS INT64_C(1000)
#define S  INT64_C(1000000)

struct bench {
	struct receiver_config config;
	struct receiver_phase phases[2];
	struct receiver receiver;
	struct receiver_client client;
	struct receiver_conn conns[32];
	struct receiver_answer answer;
	struct receiver_woken woken;
};

static void
setup(struct bench *b)
{
	*b = (struct bench){.client = receiver_client_default()};
	b->config =
		(struct receiver_config){.phases = b->phases, .phase_count = 1};
}

static void
begin(struct bench *b)
{
	struct stream stream;
	const char *error = receiver_config_settle(&b->config);

	ck_assert_msg(!error, "%s", error);
	stream_init(&stream, 1, 0, "receiver/a");
	receiver_init(&b->receiver, &b->config, stream);
}

static enum receiver_outcome
dial(struct bench *b, int64_t now, uint64_t ticket)
{
	struct receiver_call call = {.now_us = now,
				     .message = ticket,
				     .ticket = ticket,
				     .timeouts = &b->client};

	b->answer = receiver_connect(&b->receiver, &call, &b->conns[ticket]);
	return b->answer.outcome;
}

static void
hang_up(struct bench *b, int64_t now, uint64_t ticket)
{
	receiver_close(&b->receiver, &b->conns[ticket], now);
}

static void
expect_failed(struct receiver_answer answer, enum receiver_step step,
	      enum receiver_cause cause, int64_t after_us)
{
	ck_assert_int_eq(answer.outcome, RECEIVER_FAILED);
	ck_assert_int_eq(answer.step, step);
	ck_assert_int_eq(answer.cause, cause);
	ck_assert_int_eq(answer.after_us, after_us);
}

/* Poll: the ticket that is settled, or -1. */
static int
poll_once(struct bench *b, int64_t now)
{
	if (!receiver_poll(&b->receiver, now, &b->woken))
		return -1;
	b->conns[b->woken.ticket] = b->woken.conn;
	return (int)b->woken.ticket;
}

/* M-RECEIVER-DOOR: cap 5 with 421 after 50 ms. A connection counts until it is
 * closed, also while it is being refused. */
START_TEST(cap_of_five_with_421)
{
	struct bench b;

	setup(&b);
	b.phases[0].connections =
		(struct receiver_cap){.most = 5, .after_us = 50 * MS};
	begin(&b);
	for (uint64_t i = 0; i < 5; i++)
		ck_assert_int_eq(dial(&b, 0, i), RECEIVER_READY);
	for (uint64_t i = 5; i < 8; i++) {
		ck_assert_int_eq(dial(&b, 0, i), RECEIVER_FAILED);
		expect_failed(b.answer, RECEIVER_STEP_GREETING,
			      RECEIVER_CAUSE_CODE, 50 * MS);
		ck_assert_int_eq(b.answer.code, 421);
	}
	ck_assert_uint_eq(receiver_open_count(&b.receiver, 0), 8);
	/* One ends at 40 ms: seven are open still, another is refused. */
	hang_up(&b, 40 * MS, 0);
	ck_assert_int_eq(dial(&b, 40 * MS, 8), RECEIVER_FAILED);
	ck_assert_uint_eq(receiver_open_count(&b.receiver, 50 * MS), 5);
	ck_assert_int_eq(dial(&b, 89 * MS, 9), RECEIVER_FAILED);
	/* The last refusal is over at 139 ms. */
	ck_assert_int_eq(dial(&b, 139 * MS, 10), RECEIVER_READY);
	ck_assert_int_eq(dial(&b, 139 * MS, 11), RECEIVER_FAILED);
	receiver_release(&b.receiver);
}
END_TEST

START_TEST(cap_refused_and_changed_by_schedule)
{
	struct bench b;

	setup(&b);
	b.phases[0].connections = (struct receiver_cap){
		.most = 1, .over = RECEIVER_OVER_REFUSED, .after_us = MS};
	b.phases[1] = b.phases[0];
	b.phases[1].at_us = 10 * S;
	b.phases[1].connections.most = 2;
	b.config.phase_count = 2;
	begin(&b);
	ck_assert_int_eq(dial(&b, 0, 0), RECEIVER_READY);
	ck_assert_int_eq(dial(&b, 9 * S, 1), RECEIVER_FAILED);
	expect_failed(b.answer, RECEIVER_STEP_CONNECT, RECEIVER_CAUSE_REFUSED,
		      MS);
	ck_assert_int_eq(dial(&b, 10 * S, 1), RECEIVER_READY);
	ck_assert_int_eq(dial(&b, 10 * S, 2), RECEIVER_FAILED);
	receiver_release(&b.receiver);
}
END_TEST

/* Over the cap the banner waits: first come, first served. */
START_TEST(cap_wait_is_a_queue)
{
	struct bench b;

	setup(&b);
	b.phases[0].connections =
		(struct receiver_cap){.most = 2, .over = RECEIVER_OVER_WAIT};
	begin(&b);
	for (uint64_t i = 0; i < 2; i++)
		ck_assert_int_eq(dial(&b, 0, i), RECEIVER_READY);
	for (uint64_t i = 2; i < 5; i++)
		ck_assert_int_eq(dial(&b, (int64_t)i * S, i), RECEIVER_WAITING);
	/* Number 2 gives up first, 300 s after it came. */
	ck_assert_int_eq(receiver_next_event(&b.receiver), 302 * S);
	ck_assert_int_eq(poll_once(&b, 10 * S), -1);
	hang_up(&b, 10 * S, 0);
	ck_assert_int_eq(poll_once(&b, 10 * S), 2);
	ck_assert_int_eq(b.woken.answer.outcome, RECEIVER_READY);
	ck_assert_int_eq(poll_once(&b, 10 * S), -1);
	/* A client that dies is forgotten. */
	ck_assert(receiver_cancel(&b.receiver, 3));
	ck_assert(!receiver_cancel(&b.receiver, 3));
	ck_assert_int_eq(receiver_next_event(&b.receiver), 304 * S);
	ck_assert_int_eq(poll_once(&b, 304 * S - 1), -1);
	ck_assert_int_eq(poll_once(&b, 304 * S), 4);
	expect_failed(b.woken.answer, RECEIVER_STEP_GREETING,
		      RECEIVER_CAUSE_TIMEOUT, 0);
	ck_assert(receiver_next_event(&b.receiver) == RECEIVER_NEVER);
	receiver_release(&b.receiver);
}
END_TEST

/* Dropped connects are repeated after 1, 3, 7 and 15 s; the client gives up at
 * 30 s. Room at 5 s is found at 7 s, unless somebody new took it. */
START_TEST(dropped_connects_are_repeated)
{
	struct bench b;

	setup(&b);
	b.phases[0].connections =
		(struct receiver_cap){.most = 1, .over = RECEIVER_OVER_DROP};
	begin(&b);
	ck_assert_int_eq(dial(&b, 0, 0), RECEIVER_READY);
	ck_assert_int_eq(dial(&b, 0, 1), RECEIVER_WAITING);
	for (int at = 1; at <= 3; at += 2) {
		ck_assert_int_eq(receiver_next_event(&b.receiver), at * S);
		ck_assert_int_eq(poll_once(&b, at * S), -1);
	}
	hang_up(&b, 5 * S, 0);
	ck_assert_int_eq(poll_once(&b, 5 * S), -1);
	ck_assert_int_eq(receiver_next_event(&b.receiver), 7 * S);
	ck_assert_int_eq(poll_once(&b, 7 * S), 1);
	ck_assert_int_eq(b.woken.answer.outcome, RECEIVER_READY);
	hang_up(&b, 8 * S, 1);
	ck_assert_int_eq(dial(&b, 10 * S, 2), RECEIVER_READY);
	ck_assert_int_eq(dial(&b, 10 * S, 3), RECEIVER_WAITING);
	ck_assert_int_eq(poll_once(&b, 39 * S), -1);
	ck_assert_int_eq(receiver_next_event(&b.receiver), 40 * S);
	ck_assert_int_eq(poll_once(&b, 40 * S), 3);
	expect_failed(b.woken.answer, RECEIVER_STEP_CONNECT,
		      RECEIVER_CAUSE_TIMEOUT, 0);
	receiver_release(&b.receiver);
}
END_TEST

/* One process, one place in the queue, the third by each overflow. */
START_TEST(servers_and_overflow)
{
	static const struct {
		enum receiver_overflow overflow;
		enum receiver_step step;
		enum receiver_cause cause;
		int64_t after_us;
	} rows[] = {
		{RECEIVER_OVERFLOW_PHANTOM, RECEIVER_STEP_GREETING,
		 RECEIVER_CAUSE_TIMEOUT, 300 * S},
		{RECEIVER_OVERFLOW_CODE, RECEIVER_STEP_GREETING,
		 RECEIVER_CAUSE_CODE, 0},
		{RECEIVER_OVERFLOW_RESET, RECEIVER_STEP_CONNECT,
		 RECEIVER_CAUSE_REFUSED, 0},
	};
	struct bench b;

	for (size_t i = 0; i < 3; i++) {
		setup(&b);
		b.config.servers =
			(struct receiver_servers){.processes = 1,
						  .backlog = 1,
						  .overflow = rows[i].overflow};
		begin(&b);
		ck_assert_int_eq(dial(&b, 0, 0), RECEIVER_READY);
		ck_assert_int_eq(dial(&b, 0, 1), RECEIVER_WAITING);
		ck_assert_int_eq(dial(&b, 0, 2), RECEIVER_FAILED);
		expect_failed(b.answer, rows[i].step, rows[i].cause,
			      rows[i].after_us);
		hang_up(&b, S, 0);
		ck_assert_int_eq(poll_once(&b, S), 1);
		hang_up(&b, 2 * S, 1);
		receiver_release(&b.receiver);
	}
}
END_TEST

/* Dropped, then a place in the queue becomes free, then a process. */
START_TEST(knocking_leads_to_the_queue)
{
	struct bench b;

	setup(&b);
	b.config.servers =
		(struct receiver_servers){.processes = 1, .backlog = 1};
	begin(&b);
	ck_assert_int_eq(dial(&b, 0, 0), RECEIVER_READY);
	ck_assert_int_eq(dial(&b, 0, 1), RECEIVER_WAITING);
	ck_assert_int_eq(dial(&b, 0, 2), RECEIVER_WAITING);
	hang_up(&b, 2 * S, 0);
	ck_assert_int_eq(poll_once(&b, 2 * S), 1);
	ck_assert_int_eq(poll_once(&b, 3 * S), -1); /* 2 is queued now */
	ck_assert_int_eq(dial(&b, 3 * S, 3), RECEIVER_WAITING);
	/* 3 was dropped: a knock at 4 s; 2 waits until 303 s. */
	ck_assert_int_eq(receiver_next_event(&b.receiver), 4 * S);
	hang_up(&b, 3 * S + 1, 1);
	ck_assert_int_eq(poll_once(&b, 3 * S + 1), 2);
	receiver_release(&b.receiver);
}
END_TEST

/* While the receiver answers nothing, nobody who knocks is let in; when it
 * refuses, he hears it at his next knock. */
START_TEST(knocking_at_a_changed_state)
{
	struct bench b;

	setup(&b);
	b.phases[0].connections =
		(struct receiver_cap){.most = 1, .over = RECEIVER_OVER_DROP};
	b.phases[1] = b.phases[0];
	b.phases[1].at_us = 2 * S;
	b.phases[1].state = RECEIVER_REFUSED;
	b.config.phase_count = 2;
	begin(&b);
	ck_assert_int_eq(dial(&b, 0, 0), RECEIVER_READY);
	ck_assert_int_eq(dial(&b, 0, 1), RECEIVER_WAITING);
	ck_assert_int_eq(poll_once(&b, 1 * S), -1);
	ck_assert_int_eq(poll_once(&b, 3 * S), 1);
	expect_failed(b.woken.answer, RECEIVER_STEP_CONNECT,
		      RECEIVER_CAUSE_REFUSED, 0);
	receiver_release(&b.receiver);
}
END_TEST

/*
 * Twenty clients that always have another delivery of 2 s for a receiver of
 * five processes; who fails starts anew.
 */
enum {
	CLIENTS = 20
};

struct crowd {
	struct bench b;
	bool in_session[CLIENTS];
	int64_t next[CLIENTS]; /* end of session, or next connect */
	long done, failed;
};

static void
take_answer(struct crowd *crowd, size_t i, int64_t now,
	    struct receiver_answer answer)
{
	crowd->in_session[i] = answer.outcome == RECEIVER_READY;
	crowd->failed += answer.outcome == RECEIVER_FAILED;
	crowd->next[i] = now + answer.after_us;
	if (crowd->in_session[i])
		crowd->next[i] += 2 * S;
	if (answer.outcome == RECEIVER_WAITING)
		crowd->next[i] = RECEIVER_NEVER;
}

static void
turn(struct crowd *crowd)
{
	struct bench *b = &crowd->b;
	int64_t now = receiver_next_event(&b->receiver);
	size_t who = CLIENTS;

	for (size_t i = 0; i < CLIENTS; i++) {
		if (crowd->next[i] < now) {
			now = crowd->next[i];
			who = i;
		}
	}
	if (who < CLIENTS && crowd->in_session[who]) {
		hang_up(b, now, who);
		crowd->done++;
		crowd->in_session[who] = false;
	} else if (who < CLIENTS) {
		(void)dial(b, now, who);
		take_answer(crowd, who, now, b->answer);
	}
	for (int i; (i = poll_once(b, now)) >= 0;)
		take_answer(crowd, (size_t)i, now, b->woken.answer);
}

static double
failed_share(enum receiver_overflow overflow, int64_t backlog, long deliveries)
{
	static struct crowd crowd;

	crowd = (struct crowd){0};
	setup(&crowd.b);
	/* BSD's gaps: 3, 6, 12 s. */
	crowd.b.client.syn_first_us = 3 * S;
	crowd.b.config.servers = (struct receiver_servers){
		.processes = 5, .backlog = backlog, .overflow = overflow};
	begin(&crowd.b);
	for (size_t i = 0; i < CLIENTS; i++)
		crowd.next[i] = (int64_t)i * 100 * MS;
	while (crowd.done + crowd.failed < deliveries)
		turn(&crowd);
	receiver_release(&crowd.b.receiver);
	return (double)crowd.failed / (double)deliveries;
}

/*
 * Published (table 1): 9.9 to 10.8 % of deliveries deferred where connects are
 * dropped and given up after 30 s, the queue's length unknown (5 to 7 fits);
 * (table 2): 1.16 to 1.39 % where the client believes to be connected and waits
 * 300 s. By hand: five processes end 2.5 deliveries a second; 20 - 5 - 6
 * clients are outside and fail every 30 s, 0.3 a second, 10.7 % if no repeated
 * connect ever finds room; every 300 s, 0.03 a second, 1.19 %.
 */
START_TEST(overflowing_receiver_as_published)
{
	double dropped = failed_share(RECEIVER_OVERFLOW_DROP, 6, 10000);
	double phantom = failed_share(RECEIVER_OVERFLOW_PHANTOM, 6, 20000);
	double at_5 = failed_share(RECEIVER_OVERFLOW_PHANTOM, 5, 20000);

	ck_assert_msg(dropped >= 0.099 && dropped <= 0.108, "dropped %g",
		      dropped);
	ck_assert_msg(phantom >= 0.0116 && phantom <= 0.0139, "phantom %g",
		      phantom);
	ck_assert_msg(at_5 >= 0.0116 && at_5 <= 0.0139, "phantom, 5: %g", at_5);
}
END_TEST

Suite *
model_door_suite(void)
{
	Suite *suite = suite_create("model/door");
	TCase *tcase = tcase_create("door");

	tcase_add_test(tcase, cap_of_five_with_421);
	tcase_add_test(tcase, cap_refused_and_changed_by_schedule);
	tcase_add_test(tcase, cap_wait_is_a_queue);
	tcase_add_test(tcase, dropped_connects_are_repeated);
	tcase_add_test(tcase, servers_and_overflow);
	tcase_add_test(tcase, knocking_leads_to_the_queue);
	tcase_add_test(tcase, knocking_at_a_changed_state);
	tcase_add_test(tcase, overflowing_receiver_as_published);
	suite_add_tcase(suite, tcase);
	return suite;
}
