/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * M-RECEIVER-TALK, a transaction: MAIL, a RCPT for each recipient, DATA, the
 * message, its answer. What refuses is asked in this order at each step: rate,
 * greylist at mail, data and end, then reply rules; at rcpt: rate, rules,
 * greylist. Before each answer may come a pause, and too many errors end the
 * session instead. An answer that comes later than the client waits at its step
 * is never heard: the talk ends as a timeout.
 *
 * Time: what the refusing rules say, and if a recipient was accepted the
 * transfer law once and the per-recipient law for each accepted one (constant:
 * times their number). The whole is computed when MAIL is sent.
 *
 * Glob: * any text, ? any character, ASCII letters without regard to case.
 */
#include "model/receiver_private.h"

#include "model/law.h"

#include <ctype.h>
#include <string.h>

/* More rules than this share purposes, but not numbers: see rule_draw(). */
enum {
	RULES = PURPOSE_MOST - PURPOSE_RULE
};

static bool
glob_fits(const char *glob, const char *text)
{
	const char *star = NULL, *retry = NULL;

	while (*text) {
		if (*glob == '*') {
			star = glob++;
			retry = text;
		} else if (*glob == '?' ||
			   tolower((unsigned char)*glob) ==
				   tolower((unsigned char)*text)) {
			glob++;
			text++;
		} else if (star) {
			/* The last star takes one more character. */
			glob = star + 1;
			text = ++retry;
		} else {
			return false;
		}
	}
	while (*glob == '*')
		glob++;
	return *glob == '\0';
}

static struct draw
rule_draw(const struct receiver *receiver,
	  const struct reply_question *question, uint32_t rule)
{
	struct draw draw =
		stream_at_part(receiver->stream, question->message,
			       receiver_part(question->try, question->host,
					     PURPOSE_RULE + rule % RULES));

	/* A block for each recipient; 2^26 recipients, 64 rounds of rules. */
	draw_seek(&draw, question->recipient | rule / RULES << 26);
	return draw;
}

/* The tries of this address that the rule has seen, this one not counted. */
static int64_t
count_try(struct receiver *receiver, const struct receiver_reply *reply,
	  const char *address)
{
	uint64_t key = stream_mix((uint64_t)reply->step, (uint64_t)reply->code);

	/* By content: an equal rule in the next phase goes on counting. */
	key = stream_mix(key, (uint64_t)reply->times);
	key = receiver_hash_text(key, reply->match ? reply->match : "");
	key = receiver_hash_text(key, address);
	return receiver_table_at(&receiver_extra(receiver)->times, key)
		->first++;
}

static bool
rule_fits(struct receiver *receiver, const struct receiver_reply *reply,
	  uint32_t rule, const struct reply_question *question)
{
	const char *address = question->address ? question->address : "";
	struct draw draw;

	if (reply->match && !glob_fits(reply->match, address))
		return false;
	if (reply->share < 1) {
		draw = rule_draw(receiver, question, rule);
		if (!draw_chance(&draw, reply->share))
			return false;
	}
	return reply->times == 0 ||
	       count_try(receiver, reply, address) < reply->times;
}

int
receiver_reply_code(struct receiver *receiver,
		    const struct receiver_phase *phase,
		    const struct reply_question *question, int64_t *after_us)
{
	for (size_t i = 0; i < phase->reply_count; i++) {
		const struct receiver_reply *reply = &phase->replies[i];

		if (reply->step != question->step ||
		    !rule_fits(receiver, reply, (uint32_t)i, question))
			continue;
		*after_us = reply->after_us;
		return reply->code;
	}
	return 0;
}

/* A transaction on its way. */
struct talk {
	struct receiver *receiver;
	const struct receiver_phase *phase;
	struct receiver_conn *conn;
	const struct receiver_transaction *request;
	uint16_t *codes;
	bool over_rate;
	struct receiver_result result;
};

/* Can anything happen at this step but that all goes well, at once? */
static bool
may_stop_at(const struct talk *talk, enum receiver_step step)
{
	return talk->receiver->config->asks >> step & 1;
}

static void
fail(struct talk *talk, enum receiver_step step, enum receiver_cause cause,
     int code, int64_t after_us)
{
	talk->result.cause = cause;
	talk->result.step = step;
	talk->result.code = code;
	talk->result.after_us += after_us > 0 ? after_us : 0;
}

static const char *
address_of(const struct talk *talk, uint32_t i)
{
	return talk->request->addresses ? talk->request->addresses[i] : NULL;
}

static bool
is_grey_at(const struct talk *talk, enum receiver_step step)
{
	const struct receiver_greylist *greylist =
		&talk->receiver->config->greylist;

	return greylist->delay_us > 0 && greylist->step == step;
}

static int
grey_code(const struct talk *talk)
{
	int code = talk->receiver->config->greylist.code;

	return code ? code : 450;
}

static bool
is_grey(struct talk *talk, uint32_t i)
{
	return receiver_is_grey(talk->receiver, talk->conn->client,
				talk->request->sender, address_of(talk, i),
				talk->request->now_us);
}

/* Recipients that were not refused: is any of them grey? All are noted. */
static bool
any_grey(struct talk *talk)
{
	bool any = false;

	for (uint32_t i = 0; i < talk->request->recipients; i++)
		if (talk->codes[i] == 250)
			any |= is_grey(talk, i);
	return any;
}

static struct reply_question
question_at(const struct talk *talk, enum receiver_step step, uint32_t i)
{
	return (struct reply_question){.step = step,
				       .message = talk->request->message,
				       .try = talk->request->try,
				       .host = talk->conn->host,
				       .recipient = i,
				       .address = address_of(talk, i)};
}

/* The sum of two waits; where draws end, sums do: no run is so long. */
static inline int64_t
later(int64_t us, int64_t more_us)
{
	return us > LAW_MOST - more_us ? LAW_MOST : us + more_us;
}

/* The time until the answer of a step: false if that ended the talk, for the
 * client lost its patience. */
static inline bool
outlast(struct talk *talk, enum receiver_step step, int64_t us)
{
	int64_t most = receiver_patience(talk->request->timeouts, step);

	if (us >= most) {
		fail(talk, step, RECEIVER_CAUSE_TIMEOUT, 0, most);
		return false;
	}
	talk->result.after_us = later(talk->result.after_us, us);
	return true;
}

/* Is the talk over by the errors made so far? Then the next command meets 421,
 * as does all that is left. */
static bool
is_over(struct talk *talk, enum receiver_step step)
{
	if (!receiver_is_fed_up(talk->receiver->config, talk->conn))
		return false;
	fail(talk, step, RECEIVER_CAUSE_CODE, 421, 0);
	return true;
}

/* With what code is the whole message refused at a step? 0: it is not. */
static int
step_code(struct talk *talk, enum receiver_step step, int64_t *after_us)
{
	struct reply_question question;

	if (talk->over_rate && talk->receiver->config->rate.over_step == step)
		return talk->receiver->config->rate.over_code;
	if (is_grey_at(talk, step) && any_grey(talk))
		return grey_code(talk);
	question = question_at(talk, step, 0);
	return receiver_reply_code(talk->receiver, talk->phase, &question,
				   after_us);
}

static bool
ask_step(struct talk *talk, enum receiver_step step, int64_t natural_us)
{
	int64_t after_us = -1, pause_us;
	int code;

	if (is_over(talk, step))
		return false;
	pause_us = receiver_answer_pause(talk->receiver->config, talk->conn);
	code = step_code(talk, step, &after_us);
	if (!outlast(talk, step,
		     pause_us + (after_us >= 0 ? after_us : natural_us)))
		return false;
	if (!code)
		return true;
	talk->conn->errors++;
	fail(talk, step, RECEIVER_CAUSE_CODE, code, 0);
	return false;
}

/* A step that speaks for the whole message: false if it was refused. `natural`
 * is the time of an answer that has none of its own. */
static inline bool
pass_step(struct talk *talk, enum receiver_step step, int64_t natural_us)
{
	return may_stop_at(talk, step) ? ask_step(talk, step, natural_us)
				       : outlast(talk, step, natural_us);
}

/* Is this recipient refused, with what code? *after_us is the time of a reply
 * that has one of its own. */
static int
recipient_code(struct talk *talk, uint32_t i, int64_t *after_us)
{
	const struct receiver_rate *rate = &talk->receiver->config->rate;
	struct reply_question question =
		question_at(talk, RECEIVER_STEP_RCPT, i);
	int code;

	if (rate->most.per_s > 0 && rate->over_step == RECEIVER_STEP_RCPT) {
		if (rate->count == RECEIVER_COUNT_RECIPIENTS
			    ? !receiver_take(talk->receiver,
					     talk->request->now_us, 1)
			    : talk->over_rate)
			return rate->over_code;
	}
	code = receiver_reply_code(talk->receiver, talk->phase, &question,
				   after_us);
	if (!code && is_grey_at(talk, RECEIVER_STEP_RCPT) && is_grey(talk, i))
		code = grey_code(talk);
	return code;
}

/* One RCPT: false if the talk ends with it, for this one and those to come. */
static bool
ask_recipient(struct talk *talk, uint32_t i)
{
	const struct receiver_config *config = talk->receiver->config;
	int64_t after_us = 0, pause_us;
	int code;

	if (is_over(talk, RECEIVER_STEP_RCPT))
		return false;
	pause_us = receiver_recipient_pause(config, talk->conn, i);
	code = recipient_code(talk, i, &after_us);
	if (!outlast(talk, RECEIVER_STEP_RCPT,
		     pause_us + (after_us > 0 ? after_us : 0)))
		return false;
	talk->codes[i] = (uint16_t)(code ? code : 250);
	if (code && talk->request->refused_us)
		talk->request->refused_us[i] = talk->result.after_us;
	talk->conn->errors += code != 0;
	return true;
}

/* True if all were asked. */
static bool
ask_recipients(struct talk *talk)
{
	bool goes_on = true;

	if (!may_stop_at(talk, RECEIVER_STEP_RCPT)) {
		talk->result.accepted = talk->request->recipients;
		return true;
	}
	for (uint32_t i = 0; i < talk->request->recipients; i++) {
		goes_on = goes_on && ask_recipient(talk, i);
		talk->result.accepted += talk->codes[i] == 250;
	}
	return goes_on;
}

/* Tokens for the message, or for its recipients where not taken one by one. */
static void
take_tokens(struct talk *talk)
{
	const struct receiver_rate *rate = &talk->receiver->config->rate;
	uint32_t tokens = 1;

	if (rate->most.per_s <= 0 || rate->count == RECEIVER_COUNT_CONNECTIONS)
		return;
	if (rate->count == RECEIVER_COUNT_RECIPIENTS) {
		if (rate->over_step == RECEIVER_STEP_RCPT)
			return;
		tokens = talk->request->recipients;
	}
	talk->over_rate =
		!receiver_take(talk->receiver, talk->request->now_us, tokens);
}

/* What each accepted recipient adds to the time of a transfer. */
static int64_t
add_recipients(int64_t us, const struct receiver *receiver,
	       const struct receiver_phase *phase,
	       const struct receiver_transaction *request, uint32_t host,
	       uint32_t accepted)
{
	uint32_t delivery = receiver->deliveries - 1;
	struct draw draw = stream_at_part(
		receiver->stream, request->message,
		receiver_part(request->try, host, PURPOSE_PER_RECIPIENT));

	if (phase->per_recipient->kind == LAW_CONSTANT) {
		int64_t each = phase->per_recipient->constant;

		return accepted > 0 && each > LAW_MOST / accepted
			       ? LAW_MOST
			       : later(us, accepted * each);
	}
	for (uint32_t i = 0; i < accepted && us < LAW_MOST; i++)
		us = later(us, law_draw(phase->per_recipient, &draw,
					request->index, delivery));
	return us;
}

static inline int64_t
transfer_us(struct receiver *receiver, const struct receiver_phase *phase,
	    const struct receiver_transaction *request, uint32_t host,
	    uint32_t accepted)
{
	int64_t us =
		law_draw_at(phase->transfer, receiver->stream, request->message,
			    receiver_part(request->try, host, PURPOSE_TRANSFER),
			    request->index, receiver->deliveries++);

	if (!phase->per_recipient)
		return us;
	return add_recipients(us, receiver, phase, request, host, accepted);
}

/* DATA and the message, for the accepted recipients. */
static void
send_message(struct talk *talk)
{
	int64_t us;

	if (!pass_step(talk, RECEIVER_STEP_DATA, 0))
		return;
	us = transfer_us(talk->receiver, talk->phase, talk->request,
			 talk->conn->host, talk->result.accepted);
	if (!pass_step(talk, RECEIVER_STEP_END, us))
		return;
	talk->conn->errors = 0;
	if (receiver_counts_good(talk->receiver->config))
		receiver_count_good(talk->receiver, talk->conn->client,
				    talk->request->now_us);
}

/* A session in which nothing is heard any more: one that is used again is asked
 * with RSET first. */
static int64_t
silence_us(const struct talk *talk)
{
	const struct receiver_client *client = talk->request->timeouts;
	int64_t us =
		talk->conn->messages > 1 ? client->rset_us : client->mail_us;

	return us > 0 ? us : receiver_patience(client, RECEIVER_STEP_CONNECT);
}

/* The session may be broken, or used up, before anything is said. */
static bool
is_broken(struct talk *talk)
{
	const struct receiver_config *config = talk->receiver->config;
	enum receiver_state state =
		config->steady ? RECEIVER_UP
			       : receiver_state_at(talk->receiver, talk->phase,
						   talk->request->now_us);

	if (state == RECEIVER_TIMEOUT) {
		fail(talk, RECEIVER_STEP_MAIL, RECEIVER_CAUSE_TIMEOUT, 0,
		     silence_us(talk));
		talk->result.dead = true;
		return true;
	}
	if (state == RECEIVER_RESET) {
		fail(talk, RECEIVER_STEP_MAIL, RECEIVER_CAUSE_LOST, 0,
		     talk->phase->after_us);
		talk->result.dead = true;
		return true;
	}
	if (config->messages_per_connection > 0 &&
	    talk->conn->messages > config->messages_per_connection) {
		fail(talk, RECEIVER_STEP_MAIL, RECEIVER_CAUSE_CODE, 421, 0);
		return true;
	}
	return false;
}

/* Nothing but time stands between this client and the last answer. */
static struct receiver_result
hear_out(struct receiver *receiver, const struct receiver_conn *conn,
	 const struct receiver_transaction *request)
{
	int64_t most = receiver_patience(request->timeouts, RECEIVER_STEP_END);
	uint32_t accepted = request->recipients;
	int64_t us = transfer_us(receiver, receiver->config->phases, request,
				 conn->host, accepted);

	if (us >= most)
		return (struct receiver_result){.cause = RECEIVER_CAUSE_TIMEOUT,
						.step = RECEIVER_STEP_END,
						.accepted = accepted,
						.after_us = most};
	return (struct receiver_result){.accepted = accepted, .after_us = us};
}

static struct receiver_result
talk_in_steps(struct receiver *receiver, struct receiver_conn *conn,
	      const struct receiver_transaction *request, uint16_t *codes)
{
	const struct receiver_config *config = receiver->config;
	struct talk talk = {
		.receiver = receiver,
		.phase = receiver_phase_at(receiver, request->now_us),
		.conn = conn,
		.request = request,
		.codes = codes};

	talk.result.last = config->messages_per_connection > 0 &&
			   conn->messages >= config->messages_per_connection;
	if (is_broken(&talk)) {
		talk.result.last = true;
		return talk.result;
	}
	take_tokens(&talk);
	if (pass_step(&talk, RECEIVER_STEP_MAIL, 0) && ask_recipients(&talk) &&
	    talk.result.accepted > 0)
		send_message(&talk);
	if (conn->errors > 0)
		talk.result.last |= receiver_is_fed_up(config, conn);
	return talk.result;
}

struct receiver_result
receiver_transaction(struct receiver *receiver, struct receiver_conn *conn,
		     const struct receiver_transaction *request,
		     uint16_t *codes)
{
	conn->messages++;
	for (uint32_t i = 0; i < request->recipients; i++)
		codes[i] = 250;
	if (receiver->config->hears_out)
		return hear_out(receiver, conn, request);
	return talk_in_steps(receiver, conn, request, codes);
}
