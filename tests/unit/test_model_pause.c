/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * model/receiver: answers held back on purpose (M-RECEIVER-PAUSE) and caps that
 * a penalty makes smaller (M-RECEIVER-DOOR, M-RECEIVER-RATE). Expected times
 * and codes are counted by hand from each test's numbers, which stand beside
 * them.
 */
#include "tests/harness.h"

#include "model/law.h"
#include "model/receiver.h"

#define MS    INT64_C(1000)
#define S     INT64_C(1000000)
#define MIN   (60 * S)
#define CROWD 64

struct bench {
	struct receiver_config config;
	struct receiver_phase phase;
	struct receiver_reply reply;
	struct receiver receiver;
	struct receiver_client client;
	struct receiver_conn conns[8];
	struct receiver_answer answer;
	struct receiver_result result;
	uint16_t codes[CROWD];
	const char *addresses[CROWD];
	struct law transfer;
};

/* Two seconds to send; bad@... is refused at RCPT. */
static void
setup(struct bench *b)
{
	*b = (struct bench){.client = receiver_client_default()};
	ck_assert_ptr_null(law_constant(&b->transfer, 2e6));
	b->phase.transfer = &b->transfer;
	b->reply = (struct receiver_reply){.step = RECEIVER_STEP_RCPT,
					   .code = 550,
					   .share = 1,
					   .match = "bad@*",
					   .after_us = -1};
	b->phase.replies = &b->reply;
	b->phase.reply_count = 1;
	for (size_t i = 0; i < CROWD; i++)
		b->addresses[i] = "good@a.example";
	b->config =
		(struct receiver_config){.phases = &b->phase, .phase_count = 1};
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
dial(struct bench *b, int64_t now, uint64_t i)
{
	struct receiver_call call = {.now_us = now,
				     .message = i,
				     .ticket = i,
				     .timeouts = &b->client};

	b->answer = receiver_connect(&b->receiver, &call, &b->conns[i]);
	return b->answer.outcome;
}

static void
hang_up(struct bench *b, int64_t now, uint64_t i)
{
	receiver_close(&b->receiver, &b->conns[i], now);
}

/* A message to n recipients over connection 0, the first `bad` of them bad. */
static void
talk(struct bench *b, uint32_t n, uint32_t bad)
{
	struct receiver_transaction request = {.recipients = n,
					       .addresses = b->addresses,
					       .timeouts = &b->client};

	for (uint32_t i = 0; i < n; i++)
		b->addresses[i] = i < bad ? "bad@a.example" : "good@a.example";
	b->result = receiver_transaction(&b->receiver, &b->conns[0], &request,
					 b->codes);
}

/* After the 50th: of 60 recipients ten wait 5 s each, and 2 s to send. The next
 * message begins anew: 50 wait for nothing. */
START_TEST(pause_after_the_fiftieth_recipient)
{
	struct bench b;

	setup(&b);
	b.config.tarpit =
		(struct receiver_tarpit){.after = 50, .pause_us = 5 * S};
	begin(&b);
	ck_assert_int_eq(dial(&b, 0, 0), RECEIVER_READY);
	talk(&b, 60, 0);
	ck_assert_int_eq(b.result.cause, RECEIVER_CAUSE_NONE);
	ck_assert_uint_eq(b.result.accepted, 60);
	ck_assert_int_eq(b.result.after_us, 52 * S);
	talk(&b, 50, 0);
	ck_assert_int_eq(b.result.after_us, 2 * S);
	talk(&b, 51, 0);
	ck_assert_int_eq(b.result.after_us, 7 * S);
	receiver_release(&b.receiver);
}
END_TEST

/* 300 s at RCPT are what a client waits: the pause is never heard out. Nor are
 * 200 s of pause before a refusal that takes 200 s itself. */
START_TEST(pause_longer_than_the_client_waits)
{
	struct bench b;

	setup(&b);
	b.config.tarpit =
		(struct receiver_tarpit){.after = 1, .pause_us = 400 * S};
	begin(&b);
	ck_assert_int_eq(dial(&b, 0, 0), RECEIVER_READY);
	talk(&b, 3, 0);
	ck_assert_int_eq(b.result.cause, RECEIVER_CAUSE_TIMEOUT);
	ck_assert_int_eq(b.result.step, RECEIVER_STEP_RCPT);
	ck_assert_int_eq(b.result.after_us, 300 * S);
	receiver_release(&b.receiver);
	setup(&b);
	b.config.tarpit =
		(struct receiver_tarpit){.after = 0, .pause_us = 200 * S};
	b.reply.after_us = 200 * S;
	begin(&b);
	ck_assert_int_eq(dial(&b, 0, 0), RECEIVER_READY);
	talk(&b, 1, 1);
	ck_assert_int_eq(b.result.cause, RECEIVER_CAUSE_TIMEOUT);
	ck_assert_int_eq(b.result.step, RECEIVER_STEP_RCPT);
	ck_assert_int_eq(b.result.after_us, 300 * S);
	receiver_release(&b.receiver);
}
END_TEST

/* One that waits for ever hears out two pauses of 30 years, and no longer than
 * any draw is: LAW_MOST, a little more than 30 years. */
START_TEST(pauses_end_where_draws_do)
{
	struct bench b;

	setup(&b);
	b.client.rcpt_us = 0;
	b.config.tarpit =
		(struct receiver_tarpit){.after = 0, .pause_us = 946080000 * S};
	begin(&b);
	ck_assert_int_eq(dial(&b, 0, 0), RECEIVER_READY);
	talk(&b, 2, 2);
	ck_assert_int_eq(b.result.cause, RECEIVER_CAUSE_NONE);
	ck_assert_uint_eq(b.result.accepted, 0);
	ck_assert_int_eq(b.result.after_us, LAW_MOST);
	receiver_release(&b.receiver);
}
END_TEST

static void
set_errors(struct bench *b)
{
	setup(b);
	b->config.errors = (struct receiver_errors){
		.after = 10, .pause_us = 1 * S, .most = 20};
	begin(b);
	ck_assert_int_eq(dial(b, 0, 0), RECEIVER_READY);
}

/*
 * Refusals 1 to 11 are told at once: before the 11th there were ten, which is
 * not more than ten. So 12 to 20 wait a second each, nine in all. Then there
 * are 20, and what is left of 30 recipients meets 421.
 */
START_TEST(sleep_on_errors_and_hang_up)
{
	struct bench b;

	set_errors(&b);
	talk(&b, 30, 30);
	ck_assert_int_eq(b.result.cause, RECEIVER_CAUSE_CODE);
	ck_assert_int_eq(b.result.step, RECEIVER_STEP_RCPT);
	ck_assert_int_eq(b.result.code, 421);
	ck_assert_int_eq(b.result.after_us, 9 * S);
	ck_assert(b.result.last);
	for (int i = 0; i < 30; i++)
		ck_assert_uint_eq(b.codes[i], i < 20 ? 550 : 250);
	receiver_release(&b.receiver);
}
END_TEST

/* 12 refused, one of them late; the answers to the 13th, to DATA and at the end
 * are late too: 1 + 3 + 2 s to send. That was a good delivery, so the next 11
 * errors cost nothing again. */
START_TEST(a_good_delivery_forgives)
{
	struct bench b;

	set_errors(&b);
	talk(&b, 13, 12);
	ck_assert_int_eq(b.result.cause, RECEIVER_CAUSE_NONE);
	ck_assert_int_eq(b.result.after_us, 6 * S);
	ck_assert(!b.result.last);
	talk(&b, 11, 11);
	ck_assert_int_eq(b.result.after_us, 0);
	/* Without one they go on from eleven: MAIL is answered late and so are
	 * nine recipients; then there are 20, and the tenth meets 421. */
	talk(&b, 11, 11);
	ck_assert_int_eq(b.result.code, 421);
	ck_assert_int_eq(b.result.after_us, 10 * S);
	receiver_release(&b.receiver);
}
END_TEST

/* The twentieth error is the last of the message: the session ends all the
 * same, before another one. */
START_TEST(errors_end_a_session_between_messages)
{
	struct bench b;

	set_errors(&b);
	talk(&b, 20, 20);
	ck_assert_int_eq(b.result.cause, RECEIVER_CAUSE_NONE);
	ck_assert_int_eq(b.result.after_us, 9 * S);
	ck_assert(b.result.last);
	receiver_release(&b.receiver);
}
END_TEST

/* Four at a time; the fifth makes that one for half an hour, which a sixth does
 * not make longer. Who is inside stays. */
START_TEST(too_many_connections_bring_a_smaller_cap)
{
	struct bench b;

	setup(&b);
	b.phase.connections = (struct receiver_cap){
		.most = 4, .penalty_for_us = 30 * MIN, .penalty_most = 1};
	begin(&b);
	for (uint64_t i = 0; i < 4; i++)
		ck_assert_int_eq(dial(&b, 0, i), RECEIVER_READY);
	ck_assert_int_eq(dial(&b, 1 * S, 4), RECEIVER_FAILED);
	ck_assert_int_eq(b.answer.code, 421);
	for (uint64_t i = 1; i < 4; i++)
		hang_up(&b, 2 * S, i);
	ck_assert_int_eq(dial(&b, 20 * MIN, 1), RECEIVER_FAILED);
	hang_up(&b, 20 * MIN, 0);
	ck_assert_int_eq(dial(&b, 20 * MIN, 0), RECEIVER_READY);
	ck_assert_int_eq(dial(&b, 30 * MIN + 1 * S - 1, 1), RECEIVER_FAILED);
	for (uint64_t i = 1; i < 4; i++)
		ck_assert_int_eq(dial(&b, 30 * MIN + 1 * S, i), RECEIVER_READY);
	receiver_release(&b.receiver);
}
END_TEST

/* Who waits for a banner gets it when the penalty ends, at 60 s. */
START_TEST(who_waits_is_let_in_after_the_penalty)
{
	struct bench b;
	struct receiver_woken woken;

	setup(&b);
	b.phase.connections = (struct receiver_cap){.most = 2,
						    .over = RECEIVER_OVER_WAIT,
						    .penalty_for_us = 1 * MIN,
						    .penalty_most = 1};
	begin(&b);
	ck_assert_int_eq(dial(&b, 0, 0), RECEIVER_READY);
	ck_assert_int_eq(dial(&b, 0, 1), RECEIVER_READY);
	ck_assert_int_eq(dial(&b, 0, 2), RECEIVER_WAITING);
	hang_up(&b, 10 * S, 1);
	ck_assert(!receiver_poll(&b.receiver, 10 * S, &woken));
	ck_assert_int_eq(receiver_next_event(&b.receiver), 60 * S);
	ck_assert(receiver_poll(&b.receiver, 60 * S, &woken));
	ck_assert_uint_eq(woken.ticket, 2);
	ck_assert_int_eq(woken.answer.outcome, RECEIVER_READY);
	ck_assert_int_eq(receiver_next_event(&b.receiver), RECEIVER_NEVER);
	receiver_release(&b.receiver);
}
END_TEST

/* One message a second and two at once; the third at once is too many, and then
 * there is one connection at a time for ten minutes, at the same rate. */
START_TEST(too_many_messages_bring_a_cap)
{
	struct bench b;

	setup(&b);
	b.config.rate = (struct receiver_rate){.most = {.per_s = 1, .burst = 2},
					       .over_step = RECEIVER_STEP_MAIL,
					       .over_code = 451,
					       .penalty_for_us = 10 * MIN,
					       .penalty_connections = 1};
	begin(&b);
	for (uint64_t i = 0; i < 2; i++)
		ck_assert_int_eq(dial(&b, 0, i), RECEIVER_READY);
	for (int i = 0; i < 3; i++) {
		talk(&b, 1, 0);
		ck_assert_int_eq(b.result.code, i < 2 ? 0 : 451);
	}
	ck_assert_int_eq(dial(&b, 1 * S, 2), RECEIVER_FAILED);
	ck_assert_int_eq(b.answer.code, 421);
	hang_up(&b, 1 * S, 1);
	hang_up(&b, 1 * S, 0);
	ck_assert_int_eq(dial(&b, 1 * S, 0), RECEIVER_READY);
	ck_assert_int_eq(dial(&b, 10 * MIN - 1, 1), RECEIVER_FAILED);
	ck_assert_int_eq(dial(&b, 10 * MIN, 1), RECEIVER_READY);
	receiver_release(&b.receiver);
}
END_TEST

START_TEST(what_no_pause_can_be)
{
	const struct receiver_errors errors = {
		.after = 20, .pause_us = 1 * S, .most = 20};
	const struct receiver_tarpit tarpit = {.after = 1, .pause_us = -1};
	const struct receiver_cap cap = {
		.most = 4, .penalty_for_us = 1, .penalty_most = 4};

	ck_assert_ptr_nonnull(receiver_errors_check(&errors));
	ck_assert_ptr_nonnull(receiver_tarpit_check(&tarpit));
	ck_assert_ptr_nonnull(receiver_cap_check(&cap));
}
END_TEST

Suite *
model_pause_suite(void)
{
	Suite *suite = suite_create("model/pause");
	TCase *tcase = tcase_create("pause");

	tcase_add_test(tcase, pause_after_the_fiftieth_recipient);
	tcase_add_test(tcase, pause_longer_than_the_client_waits);
	tcase_add_test(tcase, pauses_end_where_draws_do);
	tcase_add_test(tcase, sleep_on_errors_and_hang_up);
	tcase_add_test(tcase, a_good_delivery_forgives);
	tcase_add_test(tcase, errors_end_a_session_between_messages);
	tcase_add_test(tcase, too_many_connections_bring_a_smaller_cap);
	tcase_add_test(tcase, who_waits_is_let_in_after_the_penalty);
	tcase_add_test(tcase, too_many_messages_bring_a_cap);
	tcase_add_test(tcase, what_no_pause_can_be);
	suite_add_tcase(suite, tcase);
	return suite;
}
