/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The life of a receiver, its state over time (M-RECEIVER-STATE), and a
 * connection's beginning and end.
 *
 * A connection goes: state of the host (shut?), door (caps, processes,
 * backlog), accept (a number, `fails`, the door's refusal, rate, replies up to
 * helo), ready. Numbers count what is accepted, also what is refused by a
 * banner. `open` counts sessions only; a connection that is being told its
 * refusal is remembered until then as leaving, where a cap asks for it.
 *
 * Phases are found by walking from the last one used; outages are drawn one
 * after the other when time has reached them. Nothing here schedules anything.
 */
#include "model/receiver_private.h"

#include "model/law.h"

#include <stdio.h>
#include <stdlib.h>

#define S INT64_C(1000000)

struct receiver_client
receiver_client_default(void)
{
	return (struct receiver_client){.dns_us = 10 * S,
					.connect_us = 30 * S,
					.greeting_us = 300 * S,
					.rset_us = 20 * S,
					.mail_us = 300 * S,
					.rcpt_us = 300 * S,
					.data_us = 120 * S,
					.end_us = 600 * S,
					.syn_first_us = 1 * S};
}

void *
receiver_grow(void *old, size_t count, size_t size)
{
	void *memory = realloc(old, count * size);

	if (!memory) {
		fputs("mtasim: not enough memory for the receivers\n", stderr);
		exit(EXIT_FAILURE);
	}
	return memory;
}

struct receiver_extra *
receiver_extra(struct receiver *receiver)
{
	struct receiver_extra *extra = receiver->extra;

	if (extra)
		return extra;
	extra = receiver_grow(NULL, 1, sizeof(*extra));
	*extra = (struct receiver_extra){.bucket.at_us = -1,
					 .outage = {.from_us = -1, .to_us = 0}};
	receiver->extra = extra;
	return extra;
}

void
receiver_init(struct receiver *receiver, const struct receiver_config *config,
	      struct stream stream)
{
	if (!config->settled) {
		fputs("mtasim: a receiver was made of an unsettled config\n",
		      stderr);
		abort();
	}
	*receiver = (struct receiver){.config = config, .stream = stream};
}

void
receiver_release(struct receiver *receiver)
{
	struct receiver_extra *extra = receiver->extra;

	if (extra) {
		free(extra->waiters);
		free(extra->leaving);
		receiver_table_release(&extra->times);
		receiver_table_release(&extra->grey);
		receiver_table_release(&extra->known);
		free(extra);
	}
	*receiver = (struct receiver){0};
}

const struct receiver_phase *
receiver_phase_find(struct receiver *receiver, int64_t now_us)
{
	const struct receiver_config *config = receiver->config;
	uint32_t i = receiver->phase;

	while (i + 1 < config->phase_count &&
	       config->phases[i + 1].at_us <= now_us)
		i++;
	/* A transaction asked in advance may have gone ahead. */
	while (i > 0 && config->phases[i].at_us > now_us)
		i--;
	receiver->phase = i;
	return &config->phases[i];
}

/* The outage at a time, or the next one, looked for from one before it on. */
static struct receiver_outage
outage_from(const struct receiver *receiver, struct receiver_outage outage,
	    int64_t now_us)
{
	const struct receiver_outages *outages = &receiver->config->outages;

	while (outage.to_us <= now_us) {
		uint64_t n = outage.number++;
		struct draw up = stream_at_part(
			receiver->stream, n, receiver_part(0, 0, PURPOSE_UP));
		struct draw down = stream_at_part(
			receiver->stream, n, receiver_part(0, 0, PURPOSE_DOWN));

		int64_t up_us = law_draw(outages->every, &up, n, n);
		int64_t down_us = law_draw(outages->down, &down, n, n);

		if (up_us < LAW_GAP_LEAST)
			up_us = LAW_GAP_LEAST;
		outage.from_us = outage.to_us + up_us;
		outage.to_us = outage.from_us + (down_us > 0 ? down_us : 1);
	}
	return outage;
}

/* A transaction is asked in advance, and others follow that are earlier: the
 * outage that is remembered is one that a connection has met. */
static bool
is_in_outage(struct receiver *receiver, int64_t now_us)
{
	return outage_from(receiver, receiver_extra(receiver)->outage, now_us)
		       .from_us <= now_us;
}

enum receiver_state
receiver_state_at(struct receiver *receiver, const struct receiver_phase *phase,
		  int64_t now_us)
{
	const struct receiver_outages *outages = &receiver->config->outages;

	if (phase->state == RECEIVER_UP && outages->every &&
	    is_in_outage(receiver, now_us))
		return outages->state;
	return phase->state;
}

static bool
is_dead_host(const struct receiver_config *config, uint32_t host)
{
	int64_t n = host;

	for (size_t i = 0; i < config->mx_count; i++) {
		const struct receiver_mx *mx = &config->mx[i];

		if (mx->other)
			continue;
		if (n < mx->hosts)
			return n < mx->dead;
		n -= mx->hosts;
	}
	return false;
}

struct receiver_answer
receiver_failed(enum receiver_step step, enum receiver_cause cause, int code,
		int64_t after_us)
{
	return (struct receiver_answer){.outcome = RECEIVER_FAILED,
					.step = step,
					.cause = cause,
					.code = code,
					.after_us = after_us};
}

static int64_t
or_never(int64_t us)
{
	return us > 0 ? us : RECEIVER_NEVER;
}

int64_t
receiver_patience(const struct receiver_client *client, enum receiver_step step)
{
	switch (step) {
	case RECEIVER_STEP_DNS:
		break;
	case RECEIVER_STEP_CONNECT:
		/* The system's: six repeats, each gap double the last, and one
		 * more gap: 127 times the first. */
		return client->connect_us > 0 ? client->connect_us
					      : 127 * client->syn_first_us;
	case RECEIVER_STEP_GREETING:
	case RECEIVER_STEP_HELO:
		return client->greeting_us;
	case RECEIVER_STEP_MAIL:
		return or_never(client->mail_us);
	case RECEIVER_STEP_RCPT:
		return or_never(client->rcpt_us);
	case RECEIVER_STEP_DATA:
		return or_never(client->data_us);
	case RECEIVER_STEP_END:
		return or_never(client->end_us);
	}
	return RECEIVER_NEVER;
}

struct receiver_answer
receiver_heard_by(const struct receiver_client *client,
		  struct receiver_answer answer)
{
	int64_t most = receiver_patience(client, answer.step);

	if (answer.after_us < most)
		return answer;
	return receiver_failed(answer.step, RECEIVER_CAUSE_TIMEOUT, 0, most);
}

/* A failure as it looks from the client's side, if it waits so long. */
static struct receiver_answer
failure_by(enum receiver_cause how, int code, int64_t after_us,
	   const struct receiver_client *client)
{
	switch (how) {
	case RECEIVER_CAUSE_CODE:
		return receiver_failed(RECEIVER_STEP_GREETING, how,
				       code ? code : 421, after_us);
	case RECEIVER_CAUSE_NONE:
	case RECEIVER_CAUSE_REFUSED:
		return receiver_failed(RECEIVER_STEP_CONNECT,
				       RECEIVER_CAUSE_REFUSED, 0, after_us);
	case RECEIVER_CAUSE_UNREACHABLE:
		return receiver_failed(RECEIVER_STEP_CONNECT, how, 0, after_us);
	case RECEIVER_CAUSE_TIMEOUT:
		return receiver_failed(
			RECEIVER_STEP_CONNECT, how, 0,
			receiver_patience(client, RECEIVER_STEP_CONNECT));
	case RECEIVER_CAUSE_DNS:
		return receiver_failed(RECEIVER_STEP_DNS, how, 0,
				       after_us > 0 ? after_us
						    : client->dns_us);
	case RECEIVER_CAUSE_LOST:
		return receiver_failed(RECEIVER_STEP_GREETING, how, 0,
				       after_us);
	case RECEIVER_CAUSE_GREETING:
		break;
	}
	return receiver_failed(RECEIVER_STEP_GREETING, RECEIVER_CAUSE_TIMEOUT,
			       0, client->greeting_us);
}

static struct receiver_answer
fail_by(enum receiver_cause how, int code, int64_t after_us,
	const struct receiver_client *client)
{
	return receiver_heard_by(client,
				 failure_by(how, code, after_us, client));
}

static enum receiver_cause
cause_of(enum receiver_state state)
{
	switch (state) {
	case RECEIVER_UP:
		return RECEIVER_CAUSE_NONE;
	case RECEIVER_REFUSED:
		return RECEIVER_CAUSE_REFUSED;
	case RECEIVER_TIMEOUT:
		return RECEIVER_CAUSE_TIMEOUT;
	case RECEIVER_UNREACHABLE:
		return RECEIVER_CAUSE_UNREACHABLE;
	case RECEIVER_DNS:
		return RECEIVER_CAUSE_DNS;
	case RECEIVER_GREETING:
		return RECEIVER_CAUSE_GREETING;
	case RECEIVER_RESET:
		return RECEIVER_CAUSE_LOST;
	}
	return RECEIVER_CAUSE_NONE;
}

bool
receiver_is_shut(struct receiver *receiver, const struct receiver_call *call,
		 struct receiver_answer *answer)
{
	const struct receiver_phase *phase =
		receiver_phase_at(receiver, call->now_us);
	enum receiver_state state =
		receiver_state_at(receiver, phase, call->now_us);

	if (receiver->config->outages.every) {
		struct receiver_extra *extra = receiver_extra(receiver);

		extra->outage =
			outage_from(receiver, extra->outage, call->now_us);
	}
	if (is_dead_host(receiver->config, call->host))
		state = RECEIVER_TIMEOUT;
	if (state == RECEIVER_UP)
		return false;
	*answer = fail_by(cause_of(state), 0, phase->after_us, call->timeouts);
	return true;
}

/* Does this connection fail by `fails`? */
static bool
fails_now(struct receiver *receiver, const struct receiver_phase *phase,
	  const struct receiver_call *call, uint32_t number)
{
	const struct receiver_fails *fails = &phase->fails;
	struct draw draw;

	if (fails->pattern)
		return fails->pattern[number % fails->pattern_count] != 0;
	if (fails->share <= 0)
		return false;
	draw = stream_at_part(
		receiver->stream, call->message,
		receiver_part(call->try, call->host, PURPOSE_FAIL));
	return draw_chance(&draw, fails->share);
}

/* Connection `number` is made, or the client gives it up. */
static inline struct receiver_answer
knock(const struct receiver *receiver, const struct receiver_phase *phase,
      const struct receiver_call *call, uint32_t number)
{
	int64_t most = receiver_patience(call->timeouts, RECEIVER_STEP_CONNECT);
	int64_t us = law_draw_at(
		phase->connect, receiver->stream, call->message,
		receiver_part(call->try, call->host, PURPOSE_CONNECT),
		call->index, number);

	if (us >= most)
		return receiver_failed(RECEIVER_STEP_CONNECT,
				       RECEIVER_CAUSE_TIMEOUT, 0, most);
	return (struct receiver_answer){.outcome = RECEIVER_READY,
					.after_us = us};
}

static int64_t
banner_after(const struct receiver *receiver,
	     const struct receiver_phase *phase,
	     const struct receiver_call *call, uint32_t number)
{
	return law_draw_at(
		phase->greeting_delay, receiver->stream, call->message,
		receiver_part(call->try, call->host, PURPOSE_GREETING),
		call->index, number);
}

/* A limit on connections, or on what they bring, that is told at the start. */
static int
rate_code(struct receiver *receiver, int64_t now_us)
{
	const struct receiver_rate *rate = &receiver->config->rate;

	if (rate->most.per_s <= 0 || rate->over_step > RECEIVER_STEP_HELO)
		return 0;
	if (rate->count == RECEIVER_COUNT_CONNECTIONS)
		return receiver_take(receiver, now_us, 1) ? 0 : rate->over_code;
	return receiver_is_empty(receiver, now_us) ? rate->over_code : 0;
}

/* What is refused by a banner is refused at the banner. */
static enum receiver_step
told_at(enum receiver_step step)
{
	return step == RECEIVER_STEP_HELO ? step : RECEIVER_STEP_GREETING;
}

/* Reply rules from the connect to HELO: FAILED, or as it was. */
static struct receiver_answer
refuse_by_rule(struct receiver *receiver, const struct receiver_phase *phase,
	       const struct receiver_call *call, struct receiver_answer ready)
{
	struct reply_question question = {
		.message = call->message, .try = call->try, .host = call->host};

	for (int step = RECEIVER_STEP_CONNECT; step <= RECEIVER_STEP_HELO;
	     step++) {
		int64_t after_us = -1;
		int code;

		question.step = (enum receiver_step)step;
		code = receiver_reply_code(receiver, phase, &question,
					   &after_us);
		if (!code)
			continue;
		if (after_us < 0)
			return receiver_failed(told_at(question.step),
					       RECEIVER_CAUSE_CODE, code,
					       ready.after_us);
		return receiver_heard_by(call->timeouts,
					 receiver_failed(told_at(question.step),
							 RECEIVER_CAUSE_CODE,
							 code, after_us));
	}
	return ready;
}

/* What a process says before MAIL: READY or FAILED. */
static struct receiver_answer
greet(struct receiver *receiver, const struct receiver_phase *phase,
      const struct receiver_call *call, uint32_t number)
{
	const struct receiver_rate *rate = &receiver->config->rate;
	struct receiver_answer answer = knock(receiver, phase, call, number);
	int64_t most = call->timeouts->greeting_us;
	int64_t banner_us;
	int code;

	if (answer.outcome != RECEIVER_READY)
		return answer;
	code = rate_code(receiver, call->now_us);
	if (code)
		return receiver_heard_by(
			call->timeouts,
			receiver_failed(told_at(rate->over_step),
					RECEIVER_CAUSE_CODE, code,
					rate->after_us));
	banner_us = banner_after(receiver, phase, call, number);
	if (banner_us >= most)
		return receiver_failed(RECEIVER_STEP_GREETING,
				       RECEIVER_CAUSE_TIMEOUT, 0,
				       answer.after_us + most);
	answer.after_us += banner_us;
	return refuse_by_rule(receiver, phase, call, answer);
}

struct receiver_answer
receiver_accept(struct receiver *receiver, const struct receiver_call *call,
		struct receiver_conn *conn,
		const struct receiver_answer *refusal)
{
	const struct receiver_phase *phase =
		receiver_phase_at(receiver, call->now_us);
	uint32_t number = receiver->accepted++;
	struct receiver_answer answer;

	*conn = (struct receiver_conn){.client = call->client,
				       .host = call->host};
	if (fails_now(receiver, phase, call, number))
		answer = fail_by(phase->fails.how, phase->fails.code,
				 phase->fails.after_us, call->timeouts);
	else if (refusal)
		answer = *refusal;
	else
		answer = greet(receiver, phase, call, number);
	if (answer.outcome == RECEIVER_READY)
		receiver->open++;
	else if (answer.step >= RECEIVER_STEP_GREETING)
		receiver_leave(receiver, call->now_us + answer.after_us);
	return answer;
}

/* Nothing but time stands between this client and MAIL. */
static struct receiver_answer
let_in(struct receiver *receiver, const struct receiver_call *call,
       struct receiver_conn *conn)
{
	uint32_t number = receiver->accepted++;
	struct receiver_answer answer =
		knock(receiver, receiver->config->phases, call, number);

	*conn = (struct receiver_conn){.client = call->client,
				       .host = call->host};
	receiver->open += answer.outcome == RECEIVER_READY;
	return answer;
}

struct receiver_answer
receiver_connect(struct receiver *receiver, const struct receiver_call *call,
		 struct receiver_conn *conn)
{
	struct receiver_answer answer = {.outcome = RECEIVER_WAITING};

	if (receiver->config->lets_in)
		return let_in(receiver, call, conn);
	if (receiver_is_shut(receiver, call, &answer)) {
		/* A hung or broken session is open until the client sees it. */
		if (answer.step >= RECEIVER_STEP_GREETING)
			receiver_leave(receiver,
				       call->now_us + answer.after_us);
		return answer;
	}
	switch (receiver_door(receiver, call, &answer)) {
	case DOOR_OPEN:
		return receiver_accept(receiver, call, conn, NULL);
	case DOOR_ANSWER:
		return receiver_accept(receiver, call, conn, &answer);
	case DOOR_SHUT:
		return answer;
	case DOOR_SILENT:
		receiver_wait(receiver, call, WAITER_KNOCKING);
		break;
	case DOOR_QUEUE:
		receiver_wait(receiver, call, WAITER_QUEUED);
		break;
	}
	*conn = (struct receiver_conn){.client = call->client,
				       .host = call->host};
	return (struct receiver_answer){.outcome = RECEIVER_WAITING};
}

void
receiver_close(struct receiver *receiver, struct receiver_conn *conn,
	       int64_t now_us)
{
	(void)now_us;
	if (receiver->open == 0) {
		fputs("mtasim: a connection was closed twice\n", stderr);
		abort();
	}
	receiver->open--;
	*conn = (struct receiver_conn){0};
}
