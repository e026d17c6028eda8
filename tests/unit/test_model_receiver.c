/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * model/receiver, one connection at a time: states, rules, limits and luck. No
 * expected number is measured: times are sums of the constants of each test's
 * config, sequences follow from the rules by hand, shares are judged by 5.5
 * standard deviations of the binomial law (chance 4e-8).
 *
 * Many connections at once are in test_model_door.c.
 */
#include "tests/harness.h"

#include "model/law.h"
#include "model/receiver.h"

#include <math.h>
#include <string.h>

#define MS     INT64_C(1000)
#define S      INT64_C(1000000)
#define MIN    (60 * S)
#define SIGMAS 5.5

/* A receiver with one phase, and what a test asks it. */
struct bench {
	struct receiver_config config;
	struct receiver_phase phases[4];
	struct receiver receiver;
	struct receiver_client client;
	struct receiver_conn conn;
	struct receiver_answer answer;
	struct receiver_result result;
	uint16_t codes[8];
	const char *addresses[8];
	const char *sender;
	struct law connect, transfer, per_recipient;
};

static void
setup(struct bench *b)
{
	*b = (struct bench){
		.client = receiver_client_default(),
		.addresses = {"u0@a.example", "u1@a.example", "u2@a.example"},
		.sender = "app@shop.example"};
	ck_assert_ptr_null(law_constant(&b->connect, 60e3));
	ck_assert_ptr_null(law_constant(&b->transfer, 500e3));
	ck_assert_ptr_null(law_constant(&b->per_recipient, 5e3));
	for (int i = 0; i < 4; i++) {
		b->phases[i].connect = &b->connect;
		b->phases[i].transfer = &b->transfer;
		b->phases[i].per_recipient = &b->per_recipient;
	}
	b->config =
		(struct receiver_config){.phases = b->phases, .phase_count = 1};
}

static void
begin(struct bench *b)
{
	struct stream stream;
	const char *error = receiver_config_settle(&b->config);

	ck_assert_msg(!error, "%s", error);
	stream_init(&stream, harness_seed(1), 0, "receiver/a");
	receiver_init(&b->receiver, &b->config, stream);
}

static void
dial(struct bench *b, int64_t now, uint64_t message, uint32_t try)
{
	struct receiver_call call = {.now_us = now,
				     .message = message,
				     .try = try,
				     .timeouts = &b->client};

	b->answer = receiver_connect(&b->receiver, &call, &b->conn);
}

static void
talk(struct bench *b, int64_t now, uint64_t message, uint32_t try, uint32_t n)
{
	struct receiver_transaction request = {.now_us = now,
					       .message = message,
					       .try = try,
					       .recipients = n,
					       .addresses = b->addresses,
					       .sender = b->sender,
					       .timeouts = &b->client};

	b->result = receiver_transaction(&b->receiver, &b->conn, &request,
					 b->codes);
}

/* Connect at `now`, send as soon as ready, close; true if ready. */
static bool
deliver(struct bench *b, int64_t now, uint64_t message, uint32_t try,
	uint32_t n)
{
	int64_t ready;

	dial(b, now, message, try);
	if (b->answer.outcome != RECEIVER_READY)
		return false;
	ready = now + b->answer.after_us;
	talk(b, ready, message, try, n);
	receiver_close(&b->receiver, &b->conn, ready + b->result.after_us);
	return true;
}

static void
expect_failed(const struct bench *b, enum receiver_step step,
	      enum receiver_cause cause, int code, int64_t after_us)
{
	ck_assert_int_eq(b->answer.outcome, RECEIVER_FAILED);
	ck_assert_int_eq(b->answer.step, step);
	ck_assert_int_eq(b->answer.cause, cause);
	ck_assert_int_eq(b->answer.code, code);
	ck_assert_int_eq(b->answer.after_us, after_us);
}

static void
expect_refused(const struct bench *b, enum receiver_step step, int code,
	       int64_t after_us)
{
	ck_assert_int_eq(b->result.cause, RECEIVER_CAUSE_CODE);
	ck_assert_int_eq(b->result.step, step);
	ck_assert_int_eq(b->result.code, code);
	ck_assert_int_eq(b->result.after_us, after_us);
}

/* 60 ms to be ready; 500 ms and 5 ms for each of three recipients. */
START_TEST(plain_delivery)
{
	struct bench b;

	setup(&b);
	begin(&b);
	ck_assert(b.config.lets_in && b.config.hears_out);
	ck_assert_uint_eq(b.config.asks, 0);
	ck_assert_uint_eq(receiver_wants(&b.receiver), 0);
	dial(&b, 0, 0, 0);
	ck_assert_int_eq(b.answer.outcome, RECEIVER_READY);
	ck_assert_int_eq(b.answer.after_us, 60 * MS);
	ck_assert_uint_eq(receiver_open_count(&b.receiver, 0), 1);
	talk(&b, 60 * MS, 0, 0, 3);
	ck_assert_int_eq(b.result.cause, RECEIVER_CAUSE_NONE);
	ck_assert_uint_eq(b.result.accepted, 3);
	ck_assert_int_eq(b.result.after_us, 515 * MS);
	ck_assert(b.codes[0] == 250 && b.codes[2] == 250);
	receiver_close(&b.receiver, &b.conn, 575 * MS);
	ck_assert_uint_eq(receiver_open_count(&b.receiver, S), 0);
	ck_assert(receiver_next_event(&b.receiver) == RECEIVER_NEVER);
	receiver_release(&b.receiver);
}
END_TEST

/* 20000 times 30 years do not fit in 64 bits; nor does a client wait for them:
 * 600 s unless told otherwise, and one that waits for ever has LAW_MOST. */
START_TEST(sums_of_waits_end_where_draws_do)
{
	static uint16_t codes[20000];
	struct bench b;
	struct receiver_transaction request = {.recipients = 20000,
					       .timeouts = &b.client};

	setup(&b);
	ck_assert_ptr_null(law_constant(&b.per_recipient, 946080000e6));
	begin(&b);
	dial(&b, 0, 0, 0);
	b.result = receiver_transaction(&b.receiver, &b.conn, &request, codes);
	ck_assert_int_eq(b.result.cause, RECEIVER_CAUSE_TIMEOUT);
	ck_assert_int_eq(b.result.after_us, 600 * S);
	b.client.end_us = 0;
	b.result = receiver_transaction(&b.receiver, &b.conn, &request, codes);
	ck_assert_int_eq(b.result.cause, RECEIVER_CAUSE_NONE);
	ck_assert_int_eq(b.result.after_us, LAW_MOST);
	receiver_close(&b.receiver, &b.conn, S);
	receiver_release(&b.receiver);
}
END_TEST

/* The long path, taken because of a cap out of reach and of rules that never
 * fit, one at each step, says the same; also to a client without patience. */
START_TEST(plain_and_long_path_agree)
{
	struct receiver_reply never[4];
	struct bench a, b;
	int timeouts = 0;

	setup(&a);
	setup(&b);
	ck_assert_ptr_null(law_lognormal(&a.connect, 60e3, 0.4));
	ck_assert_ptr_null(law_exponential(&a.transfer, 500e3));
	ck_assert_ptr_null(law_exponential(&a.per_recipient, 5e3));
	b.connect = a.connect;
	b.transfer = a.transfer;
	b.per_recipient = a.per_recipient;
	for (int i = 0; i < 4; i++)
		never[i] = (struct receiver_reply){
			.step = (enum receiver_step)(RECEIVER_STEP_MAIL + i),
			.code = 550,
			.share = 1,
			.match = "nobody@*"};
	b.phases[0].replies = never;
	b.phases[0].reply_count = 4;
	b.phases[0].connections.most = 1000;
	a.client.end_us = b.client.end_us = 1 * S;
	begin(&a);
	begin(&b);
	ck_assert(a.config.lets_in && !b.config.lets_in);
	ck_assert(a.config.hears_out && !b.config.hears_out);
	ck_assert_uint_eq(a.config.asks, 0);
	ck_assert(b.config.asks >> RECEIVER_STEP_MAIL & 1);
	ck_assert(b.config.asks >> RECEIVER_STEP_END & 1);
	ck_assert_uint_eq(receiver_wants(&b.receiver),
			  RECEIVER_WANTS_ADDRESSES);
	for (uint64_t m = 0; m < 500; m++) {
		int64_t now = (int64_t)m * S;

		ck_assert(deliver(&a, now, m, 0, 1 + (uint32_t)(m % 3)));
		ck_assert(deliver(&b, now, m, 0, 1 + (uint32_t)(m % 3)));
		timeouts += a.result.cause == RECEIVER_CAUSE_TIMEOUT;
		ck_assert_int_eq(a.answer.after_us, b.answer.after_us);
		ck_assert_int_eq(a.result.cause, b.result.cause);
		ck_assert_int_eq(a.result.step, b.result.step);
		ck_assert_uint_eq(a.result.accepted, b.result.accepted);
		ck_assert_int_eq(a.result.after_us, b.result.after_us);
		ck_assert_uint_eq(a.conn.errors, b.conn.errors);
		if (a.result.cause == RECEIVER_CAUSE_NONE)
			for (uint64_t i = 0; i <= m % 3; i++)
				ck_assert_uint_eq(a.codes[i], b.codes[i]);
	}
	/* exp(-2) of 500 */
	ck_assert_int_gt(timeouts, 30);
	ck_assert_int_lt(timeouts, 120);
	receiver_release(&a.receiver);
	receiver_release(&b.receiver);
}
END_TEST

/* One more rule of chance leaves the latency of every message as it was. */
START_TEST(another_rule_changes_no_other_luck)
{
	static const struct receiver_reply busy[] = {
		{.step = RECEIVER_STEP_RCPT, .code = 450, .share = 0.3}};
	struct bench a, b;

	setup(&a);
	setup(&b);
	ck_assert_ptr_null(law_exponential(&a.transfer, 500e3));
	b.transfer = a.transfer;
	b.phases[0].replies = busy;
	b.phases[0].reply_count = 1;
	begin(&a);
	begin(&b);
	for (uint64_t m = 0; m < 500; m++) {
		ck_assert(deliver(&a, 0, m, 0, 1));
		ck_assert(deliver(&b, 0, m, 0, 1));
		if (b.result.accepted == 1)
			ck_assert_int_eq(a.result.after_us, b.result.after_us);
		else
			ck_assert_int_eq(b.result.after_us, 0);
	}
	receiver_release(&a.receiver);
	receiver_release(&b.receiver);
}
END_TEST

/* M-RECEIVER-STATE: one entry of the schedule a state; the answer of each by
 * its definition. */
START_TEST(states_answer_as_they_are_named)
{
	struct bench b;
	static const struct {
		enum receiver_state state;
		enum receiver_step step;
		enum receiver_cause cause;
		int64_t after_us;
	} rows[] = {
		{RECEIVER_REFUSED, RECEIVER_STEP_CONNECT,
		 RECEIVER_CAUSE_REFUSED, 20 * MS},
		{RECEIVER_UNREACHABLE, RECEIVER_STEP_CONNECT,
		 RECEIVER_CAUSE_UNREACHABLE, 20 * MS},
		{RECEIVER_TIMEOUT, RECEIVER_STEP_CONNECT,
		 RECEIVER_CAUSE_TIMEOUT, 30 * S},
		{RECEIVER_GREETING, RECEIVER_STEP_GREETING,
		 RECEIVER_CAUSE_TIMEOUT, 300 * S},
		{RECEIVER_RESET, RECEIVER_STEP_GREETING, RECEIVER_CAUSE_LOST,
		 20 * MS},
		{RECEIVER_DNS, RECEIVER_STEP_DNS, RECEIVER_CAUSE_DNS, 20 * MS},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		setup(&b);
		b.phases[0].state = rows[i].state;
		b.phases[0].after_us = 20 * MS;
		begin(&b);
		dial(&b, S, 0, 0);
		expect_failed(&b, rows[i].step, rows[i].cause, 0,
			      rows[i].after_us);
		receiver_release(&b.receiver);
	}
	/* Without a time of its own a DNS failure lasts the resolver's 10 s,
	 * and a client without connect timeout knocks for 127 s. */
	setup(&b);
	b.client.connect_us = 0;
	b.phases[0].state = RECEIVER_DNS;
	b.phases[1].state = RECEIVER_TIMEOUT;
	b.phases[1].at_us = 10 * S;
	b.config.phase_count = 2;
	begin(&b);
	dial(&b, 0, 0, 0);
	expect_failed(&b, RECEIVER_STEP_DNS, RECEIVER_CAUSE_DNS, 0, 10 * S);
	dial(&b, 10 * S, 0, 0);
	expect_failed(&b, RECEIVER_STEP_CONNECT, RECEIVER_CAUSE_TIMEOUT, 0,
		      127 * S);
	receiver_release(&b.receiver);
}
END_TEST

/* Looked up when the connection is accepted and again at MAIL. */
START_TEST(phases_are_looked_up_twice)
{
	struct bench b;
	struct law slow;

	setup(&b);
	ck_assert_ptr_null(law_constant(&slow, 2e6));
	b.phases[1].at_us = 10 * S;
	b.phases[1].transfer = &slow;
	b.phases[2].at_us = 20 * S;
	b.phases[2].state = RECEIVER_REFUSED;
	b.phases[3].at_us = 30 * S;
	b.phases[3].state = RECEIVER_TIMEOUT;
	b.config.phase_count = 4;
	begin(&b);
	dial(&b, 9 * S, 0, 0);
	talk(&b, 10 * S - 1, 0, 0, 1);
	ck_assert_int_eq(b.result.after_us, 505 * MS);
	talk(&b, 10 * S, 1, 0, 1);
	ck_assert_int_eq(b.result.after_us, 2005 * MS);
	/* Refusing new connections does not touch this one. */
	talk(&b, 20 * S, 2, 0, 1);
	ck_assert_uint_eq(b.result.accepted, 1);
	/* Silence does: the answer to RSET is waited for 20 s, or that to MAIL,
	 * if it is the first message, 300 s. */
	talk(&b, 30 * S, 3, 0, 1);
	ck_assert_int_eq(b.result.cause, RECEIVER_CAUSE_TIMEOUT);
	ck_assert_int_eq(b.result.step, RECEIVER_STEP_MAIL);
	ck_assert_int_eq(b.result.after_us, 20 * S);
	ck_assert(b.result.dead);
	receiver_close(&b.receiver, &b.conn, 50 * S);
	dial(&b, 9 * S, 4, 0);
	talk(&b, 30 * S, 4, 0, 1);
	ck_assert_int_eq(b.result.cause, RECEIVER_CAUSE_TIMEOUT);
	ck_assert_int_eq(b.result.after_us, 300 * S);
	/* Who waits as long as it takes gives up as a connect, after 30 s. */
	b.conn.messages = 0;
	b.client.mail_us = 0;
	talk(&b, 30 * S, 4, 0, 1);
	ck_assert_int_eq(b.result.after_us, 30 * S);
	receiver_close(&b.receiver, &b.conn, 330 * S);
	receiver_release(&b.receiver);
}
END_TEST

/* M-RECEIVER-TALK */
START_TEST(replies_at_each_step)
{
	struct bench b;
	static const struct receiver_reply rows[] = {
		{RECEIVER_STEP_CONNECT, 421, 1, NULL, 0, 50 * MS},
		{RECEIVER_STEP_GREETING, 554, 1, NULL, 0, 50 * MS},
		{RECEIVER_STEP_HELO, 450, 1, NULL, 0, 50 * MS},
		{RECEIVER_STEP_MAIL, 451, 1, NULL, 0, 50 * MS},
		{RECEIVER_STEP_DATA, 451, 1, NULL, 0, 50 * MS},
		{RECEIVER_STEP_END, 552, 1, NULL, 0, 50 * MS},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		setup(&b);
		b.phases[0].replies = &rows[i];
		b.phases[0].reply_count = 1;
		begin(&b);
		dial(&b, 0, 0, 0);
		if (rows[i].step <= RECEIVER_STEP_HELO) {
			/* What is told in the banner fails at the banner. */
			expect_failed(&b,
				      i == 2 ? RECEIVER_STEP_HELO
					     : RECEIVER_STEP_GREETING,
				      RECEIVER_CAUSE_CODE, rows[i].code,
				      50 * MS);
		} else {
			talk(&b, 60 * MS, 0, 0, 2);
			expect_refused(&b, rows[i].step, rows[i].code, 50 * MS);
			receiver_close(&b.receiver, &b.conn, S);
		}
		receiver_release(&b.receiver);
	}
	/* Without a time of its own: connect law, nothing, transfer. */
	setup(&b);
	b.phases[0].replies = &(struct receiver_reply){
		RECEIVER_STEP_END, 452, 1, NULL, 0, -1};
	b.phases[0].reply_count = 1;
	begin(&b);
	ck_assert(deliver(&b, 0, 0, 0, 1));
	expect_refused(&b, RECEIVER_STEP_END, 452, 505 * MS);
	receiver_release(&b.receiver);
}
END_TEST

/* Globs, and the first try or two of each address: as the marks .t2 and .p of
 * a test receiver's addresses. */
START_TEST(recipients_are_refused_by_match_and_times)
{
	static const struct receiver_reply rules[] = {
		{RECEIVER_STEP_RCPT, 550, 1, "*.p@*", 0, -1},
		{RECEIVER_STEP_RCPT, 450, 1, "*.t2@A.example", 2, -1},
	};
	static const int first[4] = {250, 550, 450, 250};
	static const int third[4] = {250, 550, 250, 250};
	struct bench b;

	setup(&b);
	b.phases[0].replies = rules;
	b.phases[0].reply_count = 2;
	b.addresses[0] = "r0@a.example";
	b.addresses[1] = "r1.p@a.example";
	b.addresses[2] = "r2.t2@a.example";
	b.addresses[3] = "r2.t2@b.example";
	begin(&b);
	for (uint32_t try = 0; try < 4; try++) {
		ck_assert(deliver(&b, try * S, 0, try, 4));
		for (int i = 0; i < 4; i++)
			ck_assert_int_eq(b.codes[i],
					 try < 2 ? first[i] : third[i]);
		/* 500 ms and 5 for each accepted one. */
		ck_assert_int_eq(b.result.after_us,
				 try < 2 ? 510 * MS : 515 * MS);
	}
	/* Another address of the same form has its own two. */
	b.addresses[2] = "r9.t2@a.example";
	ck_assert(deliver(&b, 9 * S, 0, 4, 4));
	ck_assert_int_eq(b.codes[2], 450);
	/* Nobody accepted: no transfer. */
	b.addresses[0] = b.addresses[1];
	ck_assert(deliver(&b, 10 * S, 0, 5, 2));
	ck_assert_uint_eq(b.result.accepted, 0);
	ck_assert_int_eq(b.result.after_us, 0);
	receiver_release(&b.receiver);
}
END_TEST

/* Of n tries share p: n p within 5.5 sqrt(n p (1 - p)). */
START_TEST(shares_are_binomial)
{
	enum {
		TRIES = 20000
	};
	static const struct receiver_reply rules[] = {
		{RECEIVER_STEP_CONNECT, 421, 0.01, NULL, 0, 0},
		{RECEIVER_STEP_RCPT, 450, 0.02, NULL, 0, -1},
	};
	struct bench b;
	double banner = 0, refused = 0, down = 0;

	setup(&b);
	b.phases[0].replies = rules;
	b.phases[0].reply_count = 2;
	b.phases[0].fails.share = 0.3;
	b.phases[0].fails.after_us = 100 * MS;
	begin(&b);
	for (uint64_t m = 0; m < TRIES; m++) {
		if (deliver(&b, 0, m, 0, 1))
			refused += b.codes[0] == 450;
		else if (b.answer.cause == RECEIVER_CAUSE_REFUSED)
			down++;
		else
			banner++;
	}
	ck_assert_double_eq_tol(down, TRIES * 0.3, SIGMAS * sqrt(TRIES * 0.21));
	ck_assert_double_eq_tol(banner, TRIES * 0.7 * 0.01,
				SIGMAS * sqrt(TRIES * 0.007));
	ck_assert_double_eq_tol(refused, TRIES * 0.7 * 0.99 * 0.02,
				SIGMAS * sqrt(TRIES * 0.014));
	receiver_release(&b.receiver);
}
END_TEST

START_TEST(pattern_goes_by_connection)
{
	static const uint8_t pattern[] = {1, 0, 0, 1};
	struct bench b;

	setup(&b);
	b.phases[0].fails = (struct receiver_fails){.pattern = pattern,
						    .pattern_count = 4,
						    .how = RECEIVER_CAUSE_CODE,
						    .after_us = 100 * MS};
	begin(&b);
	for (uint32_t n = 0; n < 10; n++) {
		bool ready = deliver(&b, n * S, 77, 0, 1);

		ck_assert(ready == !pattern[n % 4]);
		if (!ready)
			expect_failed(&b, RECEIVER_STEP_GREETING,
				      RECEIVER_CAUSE_CODE, 421, 100 * MS);
	}
	receiver_release(&b.receiver);
}
END_TEST

START_TEST(so_many_messages_a_connection)
{
	struct bench b;

	setup(&b);
	b.config.messages_per_connection = 2;
	begin(&b);
	dial(&b, 0, 0, 0);
	talk(&b, S, 0, 0, 1);
	ck_assert(b.result.accepted == 1 && !b.result.last);
	talk(&b, 2 * S, 1, 0, 1);
	ck_assert(b.result.accepted == 1 && b.result.last);
	talk(&b, 3 * S, 2, 0, 1);
	expect_refused(&b, RECEIVER_STEP_MAIL, 421, 0);
	receiver_close(&b.receiver, &b.conn, 4 * S);
	receiver_release(&b.receiver);
}
END_TEST

/* M-RECEIVER-RATE: 60 a minute, two at once; over it 451 and one a minute for
 * ten minutes. */
START_TEST(rate_and_penalty_by_hand)
{
	static const struct {
		int64_t at_us;
		bool passes;
	} rows[] = {
		{0, true},			   /* two tokens at the start */
		{0, true},	    {1 * S, true}, /* one a second */
		{1 * S + 1, false}, /* penalty until 601 s; its bucket empty */
		{30 * S, false},    /* half a token */
		{62 * S, true},	    {63 * S, false},
		{122 * S, true}, /* 60.999999 s after the start: a second one */
		{600 * S, true},    {600 * S, false}, /* burst 1 */
		{602 * S, true}, /* over: the first bucket is full */
		{602 * S, true},    {602 * S, false}, /* and a penalty again */
	};
	struct bench b;

	setup(&b);
	b.config.rate = (struct receiver_rate){
		.most = {.per_s = 1, .burst = 2},
		.over_step = RECEIVER_STEP_MAIL,
		.over_code = 451,
		.penalty_for_us = 10 * MIN,
		.penalty = {.per_s = 1 / 60.0, .burst = 1},
	};
	begin(&b);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		dial(&b, rows[i].at_us, i, 0);
		talk(&b, rows[i].at_us, i, 0, 1);
		ck_assert_msg((b.result.cause == RECEIVER_CAUSE_NONE) ==
				      rows[i].passes,
			      "row %zu", i);
		if (!rows[i].passes)
			expect_refused(&b, RECEIVER_STEP_MAIL, 451, 0);
		receiver_close(&b.receiver, &b.conn, rows[i].at_us);
	}
	receiver_release(&b.receiver);
}
END_TEST

START_TEST(rate_of_recipients_and_connections)
{
	struct bench b;

	/* Four recipients at once: of three and three the sixth is over, and so
	 * is the fifth. */
	setup(&b);
	b.config.rate =
		(struct receiver_rate){.most = {.per_s = 1, .burst = 4},
				       .count = RECEIVER_COUNT_RECIPIENTS,
				       .over_step = RECEIVER_STEP_RCPT,
				       .over_code = 452};
	begin(&b);
	ck_assert(deliver(&b, 0, 0, 0, 3));
	ck_assert_uint_eq(b.result.accepted, 3);
	dial(&b, 0, 1, 0);
	talk(&b, 0, 1, 0, 3);
	ck_assert_uint_eq(b.result.accepted, 1);
	ck_assert(b.codes[0] == 250 && b.codes[1] == 452 && b.codes[2] == 452);
	receiver_release(&b.receiver);
	/* Connections: the third within a second hears 421. */
	setup(&b);
	b.config.rate =
		(struct receiver_rate){.most = {.per_s = 1, .burst = 2},
				       .count = RECEIVER_COUNT_CONNECTIONS,
				       .over_step = RECEIVER_STEP_CONNECT,
				       .over_code = 421,
				       .after_us = 50 * MS};
	begin(&b);
	ck_assert(deliver(&b, 0, 0, 0, 1));
	ck_assert(deliver(&b, 0, 1, 0, 1));
	dial(&b, 999 * MS, 2, 0);
	expect_failed(&b, RECEIVER_STEP_GREETING, RECEIVER_CAUSE_CODE, 421,
		      50 * MS);
	ck_assert(deliver(&b, S, 3, 0, 1));
	receiver_release(&b.receiver);
}
END_TEST

/* M-RECEIVER-GREYLIST: the preset of postgrey: 300 s, two days, whitelisted
 * after five good ones of which one an hour counts. */
static void
make_grey(struct bench *b)
{
	setup(b);
	b->config.greylist =
		(struct receiver_greylist){.delay_us = 300 * S,
					   .window_us = 48 * 60 * MIN,
					   .whitelist_after = 5,
					   .whitelist_gap_us = 60 * MIN,
					   .step = RECEIVER_STEP_RCPT};
	begin(b);
	ck_assert_uint_eq(receiver_wants(&b->receiver),
			  RECEIVER_WANTS_ADDRESSES | RECEIVER_WANTS_SENDER);
}

static int
grey_try(struct bench *b, int64_t now, const char *sender, const char *address)
{
	b->sender = sender;
	b->addresses[0] = address;
	dial(b, now, 0, 0);
	talk(b, now, 0, 0, 1);
	receiver_close(&b->receiver, &b->conn, now);
	return b->codes[0];
}

START_TEST(greylist_by_hand)
{
	struct bench b;

	make_grey(&b);
	ck_assert_int_eq(grey_try(&b, -S, "s@x.test", "a@a.example"), 450);
	ck_assert_int_eq(grey_try(&b, 298 * S, "s@x.test", "a@a.example"), 450);
	/* The delay counts from the first try, not from the last. */
	ck_assert_int_eq(grey_try(&b, 299 * S, "s@x.test", "a@a.example"), 250);
	ck_assert_int_eq(grey_try(&b, 300 * S, "s@x.test", "a@a.example"), 250);
	/* Another sender, another recipient: each a triplet of its own. */
	ck_assert_int_eq(grey_try(&b, 300 * S, "t@x.test", "a@a.example"), 450);
	ck_assert_int_eq(grey_try(&b, 300 * S, "s@x.test", "b@a.example"), 450);
	/* A retry after the window is a first try. */
	ck_assert_int_eq(grey_try(&b, 49 * 60 * MIN, "s@x.test", "b@a.example"),
			 450);
	ck_assert_int_eq(grey_try(&b, 49 * 60 * MIN + 301 * S, "s@x.test",
				  "b@a.example"),
			 250);
	receiver_release(&b.receiver);
}
END_TEST

START_TEST(greylist_learns_a_client)
{
	struct bench b;

	make_grey(&b);
	ck_assert_int_eq(grey_try(&b, 0, "s@x.test", "a@a.example"), 450);
	/* Good ones at 10, 20, ... minutes: those an hour apart count, at 10,
	 * 70, 130, 190 and 250 minutes. */
	for (int i = 1; i <= 24; i++) {
		ck_assert_int_eq(
			grey_try(&b, i * 10 * MIN, "s@x.test", "a@a.example"),
			250);
		ck_assert_int_eq(
			grey_try(&b, i * 10 * MIN, "new@x.test",
				 i % 2 ? "c@a.example" : "d@a.example"),
			i <= 2 ? 450 : 250);
	}
	/* That used no new triplet; one at 245 minutes is still grey. */
	ck_assert_int_eq(grey_try(&b, 245 * MIN, "s@x.test", "e@a.example"),
			 450);
	ck_assert_int_eq(grey_try(&b, 250 * MIN, "s@x.test", "a@a.example"),
			 250);
	ck_assert_int_eq(grey_try(&b, 251 * MIN, "s@x.test", "f@a.example"),
			 250);
	receiver_release(&b.receiver);
}
END_TEST

/* Is this host before the others of the receiver's own? Each of the four must
 * be there once. */
static bool
is_first_of_its_own(const struct receiver_server *list, uint32_t count,
		    uint32_t host)
{
	uint32_t seen = 0;
	uint32_t first = UINT32_MAX;

	for (uint32_t i = 0; i < count; i++) {
		seen |= 1U << (list[i].other ? 3 : list[i].host);
		if (!list[i].other && first == UINT32_MAX)
			first = list[i].host;
	}
	ck_assert_uint_eq(seen, 15);
	return first == host;
}

/* M-RECEIVER-SERVERS: three hosts at 10 of which one is dead, one of another
 * receiver at 20. The client sorts them. */
START_TEST(mx_hosts_are_found)
{
	static const struct receiver_config backup = {.phase_count = 0};
	const struct receiver_mx mx[] = {
		{.preference = 20, .hosts = 1, .other = &backup},
		{.preference = 10, .hosts = 3, .dead = 1},
	};
	struct receiver_server list[RECEIVER_HOSTS_MOST];
	struct bench b;
	double dead_first = 0;

	setup(&b);
	b.config.mx = mx;
	b.config.mx_count = 2;
	begin(&b);
	for (uint64_t m = 0; m < 3000; m++) {
		ck_assert_uint_eq(receiver_servers(&b.receiver, m, 0,
						   RECEIVER_SHUFFLED, list),
				  4);
		dead_first += is_first_of_its_own(list, 4, 0);
	}
	/* Each order alike: host 0 is first in a third. */
	ck_assert_double_eq_tol(dead_first, 1000, SIGMAS * sqrt(3000 * 2 / 9.));
	for (uint32_t host = 0; host < 3; host++) {
		struct receiver_call call = {.host = host,
					     .timeouts = &b.client};

		b.answer = receiver_connect(&b.receiver, &call, &b.conn);
		if (host == 0)
			expect_failed(&b, RECEIVER_STEP_CONNECT,
				      RECEIVER_CAUSE_TIMEOUT, 0, 30 * S);
		else
			ck_assert_int_eq(b.answer.outcome, RECEIVER_READY);
	}
	for (uint64_t m = 0; m < 20; m++) {
		ck_assert_uint_eq(receiver_servers(&b.receiver, m, 0,
						   RECEIVER_AS_LISTED, list),
				  4);
		ck_assert_ptr_eq(list[0].other, &backup);
		ck_assert_int_eq(list[0].preference, 20);
		for (uint32_t host = 0; host < 3; host++) {
			ck_assert_ptr_null(list[1 + host].other);
			ck_assert_uint_eq(list[1 + host].host, host);
			ck_assert_int_eq(list[1 + host].preference, 10);
		}
	}
	receiver_release(&b.receiver);
}
END_TEST

/* Up 6 min, down 4 min, and so on: down in [6, 10), [16, 20), ... */
START_TEST(outages_alternate)
{
	struct law every, down;
	struct bench b;

	setup(&b);
	ck_assert_ptr_null(law_constant(&every, 6 * 60e6));
	ck_assert_ptr_null(law_constant(&down, 4 * 60e6));
	b.config.outages = (struct receiver_outages){
		.every = &every, .down = &down, .state = RECEIVER_UNREACHABLE};
	begin(&b);
	for (int minute = 0; minute < 60; minute++) {
		bool up = deliver(&b, minute * MIN, 0, 0, 1);

		ck_assert(up == (minute % 10 < 6));
		if (!up)
			ck_assert_int_eq(b.answer.cause,
					 RECEIVER_CAUSE_UNREACHABLE);
	}
	receiver_release(&b.receiver);
}
END_TEST

/* Up for 5 ms, then for nothing, which counts as 1 ms; down for nothing, which
 * counts as 1 us: down at 5, 6.001, 7.002 ms. */
START_TEST(outages_are_not_without_end)
{
	static const double ups[] = {5000, 0};
	struct law every, down;
	struct bench b;

	setup(&b);
	ck_assert_ptr_null(
		law_values(&every, ups, 2, LAW_BY_DELIVERY, LAW_THEN_LAST));
	ck_assert_ptr_null(law_constant(&down, 0));
	b.config.outages = (struct receiver_outages){
		.every = &every, .down = &down, .state = RECEIVER_REFUSED};
	begin(&b);
	for (int64_t us = 0; us < 7500; us++)
		ck_assert(deliver(&b, us, 0, 0, 1) ==
			  (us != 5000 && us != 6001 && us != 7002));
	receiver_release(&b.receiver);
}
END_TEST

/* Up 6 s, down 4 s. A connection takes 9 s, so that MAIL is asked about beyond
 * the outage of [6, 10): those who connect meanwhile meet it still. */
START_TEST(an_outage_is_met_after_a_look_ahead)
{
	struct law every, down;
	struct bench b;

	setup(&b);
	ck_assert_ptr_null(law_constant(&every, 6e6));
	ck_assert_ptr_null(law_constant(&down, 4e6));
	ck_assert_ptr_null(law_constant(&b.connect, 9e6));
	b.config.outages = (struct receiver_outages){
		.every = &every, .down = &down, .state = RECEIVER_REFUSED};
	begin(&b);
	for (int s = 0; s < 40; s++) {
		dial(&b, s * S, 0, 0);
		ck_assert((b.answer.outcome == RECEIVER_READY) == (s % 10 < 6));
		if (b.answer.outcome == RECEIVER_READY)
			talk(&b, (s + 9) * S, 0, 0, 1);
	}
	receiver_release(&b.receiver);
}
END_TEST

/* Alternating renewal: the share of time down tends to 2 / (8 + 2). Sampled
 * once in 50 minutes (near independent) at 4000 moments; both exponential, the
 * chain forgets with rate 1/8 + 1/2, e^-31 between two samples. */
START_TEST(outages_take_their_share)
{
	enum {
		SAMPLES = 4000
	};
	struct law every, down;
	struct bench b;
	double failed = 0;

	setup(&b);
	ck_assert_ptr_null(law_exponential(&every, 8 * 60e6));
	ck_assert_ptr_null(law_exponential(&down, 2 * 60e6));
	b.config.outages = (struct receiver_outages){
		.every = &every, .down = &down, .state = RECEIVER_REFUSED};
	begin(&b);
	for (int i = 1; i <= SAMPLES; i++)
		failed += !deliver(&b, i * 50 * MIN, 0, 0, 1);
	ck_assert_double_eq_tol(failed, SAMPLES * 0.2,
				SIGMAS * sqrt(SAMPLES * 0.16));
	receiver_release(&b.receiver);
}
END_TEST

/* The list of `values` by delivery counts transfers, not connections. */
START_TEST(values_follow_deliveries)
{
	static const double list[] = {1e5, 2e5, 3e5};
	static const struct receiver_reply bad[] = {
		{RECEIVER_STEP_RCPT, 550, 1, "*.p@*", 0, -1}};
	static const int64_t expected[] = {105, 0, 205, 305, 105};
	struct bench b;

	setup(&b);
	ck_assert_ptr_null(law_values(&b.transfer, list, 3, LAW_BY_DELIVERY,
				      LAW_THEN_CYCLE));
	b.phases[0].replies = bad;
	b.phases[0].reply_count = 1;
	begin(&b);
	for (int i = 0; i < 5; i++) {
		b.addresses[0] = i == 1 ? "x.p@a.example" : "x@a.example";
		ck_assert(deliver(&b, i * S, 0, 0, 1));
		ck_assert_int_eq(b.result.after_us, expected[i] * MS);
	}
	receiver_release(&b.receiver);
}
END_TEST

/* A banner later than the client waits, an answer later than it waits. */
START_TEST(clients_lose_patience)
{
	struct law banner;
	struct bench b;

	setup(&b);
	ck_assert_ptr_null(law_constant(&banner, 400e6));
	b.phases[0].greeting_delay = &banner;
	begin(&b);
	dial(&b, 0, 0, 0);
	expect_failed(&b, RECEIVER_STEP_GREETING, RECEIVER_CAUSE_TIMEOUT, 0,
		      300 * S + 60 * MS);
	receiver_release(&b.receiver);
	setup(&b);
	ck_assert_ptr_null(law_constant(&b.transfer, 700e6));
	begin(&b);
	ck_assert(deliver(&b, 0, 0, 0, 1));
	ck_assert_int_eq(b.result.cause, RECEIVER_CAUSE_TIMEOUT);
	ck_assert_int_eq(b.result.step, RECEIVER_STEP_END);
	ck_assert_int_eq(b.result.after_us, 600 * S);
	receiver_release(&b.receiver);
}
END_TEST

/* A connect that takes the client's 30 s, or the system's 127, is given up
 * then; on the short path and, with a rule that never fits, on the long one. */
START_TEST(connects_that_take_too_long)
{
	static const struct receiver_reply never = {
		RECEIVER_STEP_GREETING, 421, 1e-12, NULL, 0, -1};
	struct bench b;

	for (int i = 0; i < 4; i++) {
		int64_t most = (i < 2 ? 30 : 127) * S;

		setup(&b);
		b.client.connect_us = i < 2 ? 30 * S : 0;
		b.phases[0].replies = &never;
		b.phases[0].reply_count = (size_t)(i % 2);
		ck_assert_ptr_null(law_constant(&b.connect, (double)most));
		begin(&b);
		dial(&b, 0, 0, 0);
		expect_failed(&b, RECEIVER_STEP_CONNECT, RECEIVER_CAUSE_TIMEOUT,
			      0, most);
		ck_assert_uint_eq(receiver_open_count(&b.receiver, 0), 0);
		ck_assert_ptr_null(law_constant(&b.connect, (double)most - 1));
		ck_assert(deliver(&b, S, 0, 0, 1));
		receiver_release(&b.receiver);
	}
}
END_TEST

/* F11.5: 300 s for the banner, HELO, MAIL and RCPT, 120 for DATA, 600 for the
 * end. A reply a microsecond sooner is heard, one at that time is not. */
START_TEST(replies_that_come_too_late)
{
	static const struct {
		enum receiver_step step, told;
		int64_t most;
	} rows[] = {
		{RECEIVER_STEP_CONNECT, RECEIVER_STEP_GREETING, 300 * S},
		{RECEIVER_STEP_GREETING, RECEIVER_STEP_GREETING, 300 * S},
		{RECEIVER_STEP_HELO, RECEIVER_STEP_HELO, 300 * S},
		{RECEIVER_STEP_MAIL, RECEIVER_STEP_MAIL, 300 * S},
		{RECEIVER_STEP_RCPT, RECEIVER_STEP_RCPT, 300 * S},
		{RECEIVER_STEP_DATA, RECEIVER_STEP_DATA, 120 * S},
		{RECEIVER_STEP_END, RECEIVER_STEP_END, 600 * S},
	};
	struct bench b;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct receiver_reply reply = {rows[i].step, 550, 1,
					       NULL,	     0,	  rows[i].most};

		setup(&b);
		b.phases[0].replies = &reply;
		b.phases[0].reply_count = 1;
		begin(&b);
		if (!deliver(&b, 0, 0, 0, 2)) {
			expect_failed(&b, rows[i].told, RECEIVER_CAUSE_TIMEOUT,
				      0, rows[i].most);
			reply.after_us--;
			dial(&b, S, 0, 1);
			expect_failed(&b, rows[i].told, RECEIVER_CAUSE_CODE,
				      550, rows[i].most - 1);
		} else {
			ck_assert_int_eq(b.result.cause,
					 RECEIVER_CAUSE_TIMEOUT);
			ck_assert_int_eq(b.result.step, rows[i].told);
			ck_assert_int_eq(b.result.after_us, rows[i].most);
			ck_assert(!b.result.dead);
			ck_assert(b.codes[0] == 250 && b.codes[1] == 250);
			reply.after_us--;
			ck_assert(deliver(&b, S, 0, 1, 1));
			ck_assert_int_eq(b.result.after_us, rows[i].most - 1);
			ck_assert(b.result.code == 550 || b.codes[0] == 550);
		}
		receiver_release(&b.receiver);
	}
}
END_TEST

/* Each answer has its own time: u0 is refused after 200 s, and the silence to
 * u1 is over 300 s later; u2, which was not asked, shares it. Who has no limit
 * from MAIL on hears all three. */
START_TEST(each_recipient_is_waited_for)
{
	static const struct receiver_reply rules[] = {
		{RECEIVER_STEP_RCPT, 550, 1, "u0@*", 0, 200 * S},
		{RECEIVER_STEP_RCPT, 450, 1, "u1@*", 0, 400 * S},
		{RECEIVER_STEP_RCPT, 550, 1, "u2@*", 0, 600 * S},
	};
	struct bench b;

	setup(&b);
	b.phases[0].replies = rules;
	b.phases[0].reply_count = 3;
	begin(&b);
	ck_assert(deliver(&b, 0, 0, 0, 3));
	ck_assert_int_eq(b.result.cause, RECEIVER_CAUSE_TIMEOUT);
	ck_assert_int_eq(b.result.step, RECEIVER_STEP_RCPT);
	ck_assert_int_eq(b.result.after_us, 500 * S);
	ck_assert_uint_eq(b.result.accepted, 2);
	ck_assert(b.codes[0] == 550 && b.codes[1] == 250 && b.codes[2] == 250);
	b.client.rcpt_us = 0;
	ck_assert(deliver(&b, S, 0, 1, 3));
	ck_assert_int_eq(b.result.cause, RECEIVER_CAUSE_NONE);
	ck_assert_int_eq(b.result.after_us, 1200 * S);
	ck_assert(b.codes[0] == 550 && b.codes[1] == 450 && b.codes[2] == 550);
	receiver_release(&b.receiver);
}
END_TEST

/* Failures that show after 400 s, where a connect is given up after 30 s and a
 * banner after 300 s; the resolver takes what it takes. */
START_TEST(failures_that_show_too_late)
{
	static const struct {
		enum receiver_cause how, cause;
		enum receiver_step step;
		int64_t after_us;
	} rows[] = {
		{RECEIVER_CAUSE_REFUSED, RECEIVER_CAUSE_TIMEOUT,
		 RECEIVER_STEP_CONNECT, 30 * S},
		{RECEIVER_CAUSE_UNREACHABLE, RECEIVER_CAUSE_TIMEOUT,
		 RECEIVER_STEP_CONNECT, 30 * S},
		{RECEIVER_CAUSE_LOST, RECEIVER_CAUSE_TIMEOUT,
		 RECEIVER_STEP_GREETING, 300 * S},
		{RECEIVER_CAUSE_CODE, RECEIVER_CAUSE_TIMEOUT,
		 RECEIVER_STEP_GREETING, 300 * S},
		{RECEIVER_CAUSE_DNS, RECEIVER_CAUSE_DNS, RECEIVER_STEP_DNS,
		 400 * S},
	};
	static const uint8_t pattern[] = {1};
	struct bench b;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		setup(&b);
		b.phases[0].fails =
			(struct receiver_fails){.pattern = pattern,
						.pattern_count = 1,
						.how = rows[i].how,
						.after_us = 400 * S};
		begin(&b);
		dial(&b, 0, 0, 0);
		expect_failed(&b, rows[i].step, rows[i].cause, 0,
			      rows[i].after_us);
		receiver_release(&b.receiver);
	}
}
END_TEST

/* A limit that is told after 400 s: of connections at a time, and of their
 * rate. */
START_TEST(limits_that_are_told_too_late)
{
	static const struct {
		enum receiver_over over;
		enum receiver_step step;
		int64_t after_us;
	} rows[] = {
		{RECEIVER_OVER_CODE, RECEIVER_STEP_GREETING, 300 * S},
		{RECEIVER_OVER_REFUSED, RECEIVER_STEP_CONNECT, 30 * S},
	};
	struct bench b;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		setup(&b);
		b.phases[0].connections = (struct receiver_cap){
			.most = 1, .over = rows[i].over, .after_us = 400 * S};
		begin(&b);
		dial(&b, 0, 0, 0);
		dial(&b, 0, 1, 0);
		expect_failed(&b, rows[i].step, RECEIVER_CAUSE_TIMEOUT, 0,
			      rows[i].after_us);
		receiver_release(&b.receiver);
	}
	setup(&b);
	b.config.rate =
		(struct receiver_rate){.most = {.per_s = 0.001, .burst = 1},
				       .count = RECEIVER_COUNT_CONNECTIONS,
				       .over_step = RECEIVER_STEP_HELO,
				       .over_code = 421,
				       .after_us = 400 * S};
	begin(&b);
	ck_assert(deliver(&b, 0, 0, 0, 1));
	dial(&b, S, 1, 0);
	expect_failed(&b, RECEIVER_STEP_HELO, RECEIVER_CAUSE_TIMEOUT, 0,
		      300 * S);
	receiver_release(&b.receiver);
}
END_TEST

static void
refused(const char *error, const char *word)
{
	ck_assert_ptr_nonnull(error);
	ck_assert_msg(strstr(error, word), "'%s' lacks '%s'", error, word);
}

START_TEST(what_no_receiver_can_be)
{
	struct bench b;
	struct receiver_reply reply = {RECEIVER_STEP_RCPT, 250, 1, NULL, 0, 0};

	refused(receiver_reply_check(&reply), "code: ");
	reply.code = 450;
	reply.share = 1.5;
	refused(receiver_reply_check(&reply), "share: ");
	reply = (struct receiver_reply){
		RECEIVER_STEP_CONNECT, 421, 1, "*", 0, 0};
	refused(receiver_reply_check(&reply), "match");
	refused(receiver_fails_check(&(struct receiver_fails){.share = -1}),
		"share: ");
	refused(receiver_cap_check(&(struct receiver_cap){.most = -1}),
		"most: ");
	refused(receiver_rate_check(&(struct receiver_rate){0}), "most: ");
	refused(receiver_rate_check(&(struct receiver_rate){
			.most = {.per_s = 1},
			.over_code = 421,
			.count = RECEIVER_COUNT_CONNECTIONS,
			.over_step = RECEIVER_STEP_MAIL}),
		"counts connections");
	refused(receiver_greylist_check(&(struct receiver_greylist){
			.delay_us = 10,
			.window_us = 5,
			.step = RECEIVER_STEP_RCPT}),
		"window: ");
	refused(receiver_servers_check(&(struct receiver_servers){0}),
		"processes: ");
	refused(receiver_mx_check(&(struct receiver_mx){.hosts = 1, .dead = 2}),
		"dead: ");
	refused(receiver_outages_check(&(struct receiver_outages){0}), "for");
	setup(&b);
	b.config.phase_count = 0;
	refused(receiver_config_settle(&b.config), "phase");
	b.config.phase_count = 2;
	refused(receiver_config_settle(&b.config), "ascend");
}
END_TEST

Suite *
model_receiver_suite(void)
{
	Suite *suite = suite_create("model/receiver");
	TCase *tcase = tcase_create("receiver");

	tcase_add_test(tcase, plain_delivery);
	tcase_add_test(tcase, plain_and_long_path_agree);
	tcase_add_test(tcase, sums_of_waits_end_where_draws_do);
	tcase_add_test(tcase, another_rule_changes_no_other_luck);
	tcase_add_test(tcase, states_answer_as_they_are_named);
	tcase_add_test(tcase, phases_are_looked_up_twice);
	tcase_add_test(tcase, replies_at_each_step);
	tcase_add_test(tcase, recipients_are_refused_by_match_and_times);
	tcase_add_test(tcase, shares_are_binomial);
	tcase_add_test(tcase, pattern_goes_by_connection);
	tcase_add_test(tcase, so_many_messages_a_connection);
	tcase_add_test(tcase, rate_and_penalty_by_hand);
	tcase_add_test(tcase, rate_of_recipients_and_connections);
	tcase_add_test(tcase, greylist_by_hand);
	tcase_add_test(tcase, greylist_learns_a_client);
	tcase_add_test(tcase, mx_hosts_are_found);
	tcase_add_test(tcase, outages_alternate);
	tcase_add_test(tcase, outages_are_not_without_end);
	tcase_add_test(tcase, an_outage_is_met_after_a_look_ahead);
	tcase_add_test(tcase, outages_take_their_share);
	tcase_add_test(tcase, values_follow_deliveries);
	tcase_add_test(tcase, clients_lose_patience);
	tcase_add_test(tcase, connects_that_take_too_long);
	tcase_add_test(tcase, replies_that_come_too_late);
	tcase_add_test(tcase, each_recipient_is_waited_for);
	tcase_add_test(tcase, failures_that_show_too_late);
	tcase_add_test(tcase, limits_that_are_told_too_late);
	tcase_add_test(tcase, what_no_receiver_can_be);
	suite_add_tcase(suite, tcase);
	return suite;
}
