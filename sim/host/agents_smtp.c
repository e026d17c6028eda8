/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One delivery over connections, as Postfix's smtp client does it: servers in
 * order, each connected to, the message sent, until of every recipient is known
 * what becomes of it (F11.3). The model says what happens and how long it
 * takes; what that means is said by src/mta/client.h (F11.2).
 *
 * Of local, virtual and pipe with a remote end the same is made.
 *
 * Not modelled: TLS, authentication, EHLO refused but HELO taken, the time of
 * RSET on a session that is used again.
 */
#include <string.h>

#include "mta/panic.h"
#include "sim/host/agents_parts.h"

/* ---- the model's words in ours ------------------------------------------ */

static enum mta_smtp_step
step_of(enum receiver_step step)
{
	switch (step) {
	case RECEIVER_STEP_DNS:
		return MTA_STEP_DNS;
	case RECEIVER_STEP_CONNECT:
		return MTA_STEP_CONNECT;
	case RECEIVER_STEP_GREETING:
		return MTA_STEP_GREETING;
	case RECEIVER_STEP_HELO:
		return MTA_STEP_HELO;
	case RECEIVER_STEP_MAIL:
		return MTA_STEP_MAIL;
	case RECEIVER_STEP_RCPT:
		return MTA_STEP_RCPT;
	case RECEIVER_STEP_DATA:
		return MTA_STEP_DATA;
	case RECEIVER_STEP_END:
		return MTA_STEP_END;
	}
	return MTA_STEP_NONE;
}

static enum mta_failure_kind
kind_of(enum receiver_cause cause)
{
	switch (cause) {
	case RECEIVER_CAUSE_CODE:
		return MTA_FAIL_REPLY;
	case RECEIVER_CAUSE_REFUSED:
		return MTA_FAIL_REFUSED;
	case RECEIVER_CAUSE_TIMEOUT:
	case RECEIVER_CAUSE_GREETING:
		return MTA_FAIL_TIMEOUT;
	case RECEIVER_CAUSE_UNREACHABLE:
		return MTA_FAIL_UNREACHABLE;
	case RECEIVER_CAUSE_DNS:
		return MTA_FAIL_DNS_SOFT;
	case RECEIVER_CAUSE_LOST:
	case RECEIVER_CAUSE_NONE:
		break;
	}
	return MTA_FAIL_LOST;
}

/* A connection refused by a reply has been made: that was the banner. */
static struct remote_failure
failure_at_door(struct receiver_answer answer)
{
	struct remote_failure f = {.step = answer.step,
				   .cause = answer.cause,
				   .code = answer.code};

	if (f.cause == RECEIVER_CAUSE_CODE && f.step == RECEIVER_STEP_CONNECT)
		f.step = RECEIVER_STEP_GREETING;
	return f;
}

/* ---- how a failure is told ---------------------------------------------- */

/* Who answered at a step: nobody before there was a connection. */
static mta_sym
talk_relay(const struct agent_process *p, enum receiver_step step)
{
	if (!p->transport->is_smtp)
		return p->transport->name;
	return step > RECEIVER_STEP_CONNECT ? p->remote->relay : 0;
}

static struct mta_client_failure
talk_failure(const struct agent_process *p, struct remote_failure f)
{
	struct mta_status status = remote_failure_text(
		p->remote, f, p->transport->agents->host.symbols);

	return (struct mta_client_failure){
		.what = {.step = step_of(f.step),
			 .kind = kind_of(f.cause),
			 .reply_code = f.code,
			 .dsn = status.dsn},
		.reason = status.reason,
		.relay = talk_relay(p, f.step),
		.conn_use = (uint16_t)p->connection.conn.messages};
}

/* ---- sending ------------------------------------------------------------ */

static uint16_t *
talk_codes(struct agent_process *p)
{
	uint32_t count = p->client.agent.recipient_count;

	if (count == 1)
		return &p->code;
	/* Bounded by what one request holds; kept for the next one. */
	if (count > p->codes_capacity) {
		p->codes = mta_realloc(p->codes, count, sizeof(*p->codes));
		p->refused_us = mta_realloc(p->refused_us, count,
					    sizeof(*p->refused_us));
		p->codes_capacity = count;
	}
	return p->codes;
}

/* The message's number within its source: what lists by message go by, so that
 * notices in between do not shift them. */
static uint64_t
talk_index(const struct agent_process *p)
{
	return mta_addr_number(p->client.agent.attempt.sender);
}

/* Texts of those that are left, for a model that looks at them. One block holds
 * the pointers and then the texts; NULL: none wanted. */
static const char **
talk_addresses(const struct agent_process *p)
{
	const struct mta_book *book = p->transport->agents->host.book;
	uint32_t left = p->client.agent.left_count;
	const char **list;
	char *text;

	if (!(receiver_wants(&p->remote->receiver) & RECEIVER_WANTS_ADDRESSES))
		return NULL;
	/* Freed when the model has answered. */
	list = mta_alloc(left, sizeof(*list) + MTA_ADDR_TEXT_MAX);
	text = (char *)(list + left);
	for (uint32_t i = 0, k = 0; k < left; i++) {
		if (!mta_agent_has_left(&p->client.agent, i))
			continue;
		book->text(book, p->client.agent.items[i].address, text,
			   MTA_ADDR_TEXT_MAX);
		list[k++] = text;
		text += MTA_ADDR_TEXT_MAX;
	}
	return list;
}

/* From one answer for each recipient that is left to one for each recipient. */
MTA_APART static void
talk_spread_answers(const struct agent_process *p)
{
	uint32_t k = p->client.agent.left_count;

	for (uint32_t i = p->client.agent.recipient_count; i-- > k && k > 0;)
		if (mta_agent_has_left(&p->client.agent, i)) {
			p->codes[i] = p->codes[--k];
			p->refused_us[i] = p->refused_us[k];
		}
}

/* A command has one outcome for all its recipients (F11.8), which share it as
 * one answer at the end. */
MTA_APART static void
talk_make_one(struct agent_process *p, uint16_t *codes)
{
	uint32_t count = p->client.agent.left_count;
	struct mta_command_end end = mta_command_judge(
		&(struct mta_command){.took = p->result.after_us,
				      .limit = p->transport->time_limit,
				      .codes = codes,
				      .count = count});

	p->is_killed = end.is_killed;
	if (end.is_killed)
		p->result = (struct receiver_result){
			.cause = RECEIVER_CAUSE_TIMEOUT,
			.step = RECEIVER_STEP_END};
	else if (end.code != 250)
		p->result =
			(struct receiver_result){.cause = RECEIVER_CAUSE_CODE,
						 .step = RECEIVER_STEP_END,
						 .code = end.code,
						 .last = p->result.last};
	p->result.after_us = end.after;
	p->result.accepted = count;
	for (uint32_t i = 0; i < count; i++)
		codes[i] = 250;
}

/* To a model that looks at texts. */
MTA_APART static void
talk_ask_in_words(struct agent_process *p,
		  const struct receiver_transaction *without, uint16_t *codes)
{
	const struct mta_book *book = p->transport->agents->host.book;
	const char **addresses = talk_addresses(p);
	char sender[MTA_ADDR_TEXT_MAX];
	struct receiver_transaction request = *without;

	book->text(book, p->client.agent.attempt.sender, sender,
		   sizeof(sender));
	request.addresses = addresses;
	request.sender = sender;
	p->result = receiver_transaction(&p->remote->receiver,
					 &p->connection.conn, &request, codes);
	free(addresses);
}

/* MAIL is sent at a time that has come, or will. */
static void
talk_ask(struct agent_process *p, mta_time at)
{
	struct receiver *receiver = &p->remote->receiver;
	uint16_t *codes = talk_codes(p);
	struct receiver_transaction request = {
		.now_us = agents_model_time(at),
		.message = p->luck,
		.index = talk_index(p),
		.try = p->try,
		.recipients = p->client.agent.left_count,
		.refused_us = codes == &p->code ? NULL : p->refused_us,
		.timeouts = &p->transport->patience};

	if (receiver_wants(receiver))
		talk_ask_in_words(p, &request, codes);
	else
		p->result = receiver_transaction(receiver, &p->connection.conn,
						 &request, codes);
	if (p->transport->kind == SCENARIO_KIND_PIPE)
		talk_make_one(p, codes);
	if (p->client.agent.left_count < p->client.agent.recipient_count)
		talk_spread_answers(p);
}

/* The code that refused a recipient at RCPT, or 250. */
static uint16_t
talk_code(struct agent_process *p, uint32_t recipient)
{
	return talk_codes(p)[recipient];
}

/* Is somebody who is left refused, and when will that be known? A single
 * recipient's refusal is the last answer. */
static bool
talk_is_refused(struct agent_process *p, uint32_t i, mta_time *at)
{
	if (!mta_agent_has_left(&p->client.agent, i) || talk_code(p, i) == 250)
		return false;
	*at = p->mail_at + (p->client.agent.recipient_count > 1
				    ? p->refused_us[i]
				    : p->result.after_us);
	return true;
}

/* The first refusal not before a time, or MTA_NEVER; they come in order. */
static mta_time
talk_next_refusal(struct agent_process *p, mta_time from)
{
	mta_time at;

	if (p->client.agent.left_count == p->result.accepted)
		return MTA_NEVER;
	for (uint32_t i = 0; i < p->client.agent.recipient_count; i++)
		if (talk_is_refused(p, i, &at) && at >= from)
			return at;
	return MTA_NEVER;
}

/* A refusal is known, and logged, before the rest is (F14.4). */
static void
talk_await_answer(struct agent_process *p, mta_time from)
{
	struct mta_loop *loop = agent_loop(p);
	mta_time next = p->mail_at + p->result.after_us;
	mta_time refusal = talk_next_refusal(p, from);

	p->step = AGENT_SENDING;
	if (refusal < next) {
		p->step = AGENT_REFUSING;
		next = refusal;
	}
	/* To log a refusal may have taken longer. */
	mta_timer_set(loop, &p->timer, next > loop->now ? next : loop->now);
}

static void
talk_send(struct agent_process *p, mta_time at)
{
	talk_ask(p, at);
	mta_client_mail(&p->client, at);
	p->mail_at = at;
	talk_await_answer(p, at);
}

/* ---- connecting --------------------------------------------------------- */

void
agent_connected(struct agent_process *p, struct receiver_answer answer)
{
	struct mta_loop *loop = agent_loop(p);
	mta_time at = loop->now + answer.after_us;

	switch (answer.outcome) {
	case RECEIVER_READY:
		p->connection.remote = p->remote;
		p->connection.opened = at;
		talk_send(p, at);
		break;
	case RECEIVER_FAILED:
		p->connection.conn.messages = 0;
		p->failure = failure_at_door(answer);
		p->step = AGENT_CONNECTING;
		mta_timer_set(loop, &p->timer, at);
		break;
	case RECEIVER_WAITING:
		mta_assert(answer.outcome != RECEIVER_WAITING);
		break;
	}
}

/* Every agent that waits looks when something may have happened: so nobody
 * needs a timer of the remote end. */
static void
talk_wait(struct agent_process *p)
{
	struct mta_loop *loop = agent_loop(p);
	int64_t next = receiver_next_event(&p->remote->receiver);

	p->step = AGENT_WAITING;
	mta_timer_cancel(loop, &p->timer);
	if (next == RECEIVER_NEVER)
		return;
	next += SIM_EPOCH;
	mta_timer_set(loop, &p->timer, next > loop->now ? next : loop->now);
}

static void
talk_connect(struct agent_process *p)
{
	const struct receiver_server *server = agent_server(p);
	struct mta_ref self = mta_pool_ref(p);
	struct receiver_answer answer;

	p->is_reused = false;
	answer = receiver_connect(
		&p->remote->receiver,
		&(struct receiver_call){
			.now_us = agents_model_time(agent_loop(p)->now),
			.message = p->luck,
			.index = talk_index(p),
			.try = p->try,
			.host = server ? server->host : 0,
			.ticket = (uint64_t)self.index << 32 | self.generation,
			.timeouts = &p->transport->patience},
		&p->connection.conn);
	if (answer.outcome == RECEIVER_WAITING)
		talk_wait(p);
	else
		agent_connected(p, answer);
}

static void talk_next(struct agent_process *p);

/* A name without a remote end. The site's is one that the DNS does not tell
 * for now; a fallback relay's is one that it does not have. */
static void
talk_nowhere(struct agent_process *p)
{
	struct mta_client_failure f = {
		.what = {.step = MTA_STEP_DNS,
			 .kind = p->client.way.stop ? MTA_FAIL_DNS_NONE
						    : MTA_FAIL_DNS_SOFT},
		.reason = p->transport->agents->no_host_reason};

	mta_client_fail(&p->client, &f);
	talk_next(p);
}

static void
talk_try_server(struct agent_process *p)
{
	struct agents_lookup *lookup = p->transport->agents->lookup;
	const struct receiver_server *server = agent_server(p);

	mta_client_try(&p->client);
	p->remote = agent_stop(p);
	if (server && server->other)
		p->remote = lookup->other(lookup, server->other);
	if (!p->remote) {
		talk_nowhere(p);
		return;
	}
	if (agent_cache_take(p, p->remote)) {
		p->is_reused = true;
		talk_send(p, agent_loop(p)->now);
		return;
	}
	talk_connect(p);
}

/* Of those who are left the next server may take some. */
static void
talk_next(struct agent_process *p)
{
	if (p->client.agent.left_count == 0) {
		agent_finish(p);
		return;
	}
	mta_way_next(&p->client.way);
	talk_try_server(p);
}

/* ---- beginning ---------------------------------------------------------- */

/* Which delivery of the message this is, for the luck of the model: the first
 * try of a recipient is the same under all settings. */
static uint32_t
talk_try_number(const struct agent_process *p)
{
	return (p->client.agent.attempts & 0xff) << 12 |
	       (p->client.agent.items[0].offset & 0xfff);
}

/* The message, and above it what its try number has no room for: no two
 * deliveries of a long list meet the same luck. */
static uint64_t
talk_luck(const struct agent_process *p)
{
	return (uint64_t)(p->client.agent.attempts >> 8) << 52 |
	       (uint64_t)(p->client.agent.items[0].offset >> 12) << 32 |
	       p->client.agent.attempt.serial;
}

void
agent_talk(struct agent_process *p)
{
	p->connection.remote = NULL;
	p->luck = talk_luck(p);
	p->try = talk_try_number(p);
	p->is_direct = agent_way_is_direct(p);
	if (p->is_direct)
		mta_way_straight(&p->client.way, p->transport->smtp);
	else
		agent_make_tour(p);
	talk_try_server(p);
}

/* ---- results ------------------------------------------------------------ */

static bool
talk_say_each_refused(struct agent_process *p)
{
	bool is_good = true;
	mta_time now = agent_loop(p)->now;

	for (uint32_t i = 0; i < p->client.agent.recipient_count; i++) {
		struct mta_client_failure f;
		mta_time at;

		if (!talk_is_refused(p, i, &at) || at > now)
			continue;
		f = talk_failure(
			p, (struct remote_failure){.step = RECEIVER_STEP_RCPT,
						   .cause = RECEIVER_CAUSE_CODE,
						   .code = talk_code(p, i)});
		is_good = mta_client_refuse(&p->client, i, &f) && is_good;
	}
	return is_good;
}

/* Those that were refused by a reply of their own, as far as it has come.
 * Answers whether the session is still good. */
static inline bool
talk_say_refused(struct agent_process *p)
{
	return p->client.agent.left_count == p->result.accepted ||
	       talk_say_each_refused(p);
}

static struct mta_client_accepted
talk_accepted(struct agent_process *p)
{
	return (struct mta_client_accepted){.codes = talk_codes(p),
					    .count = p->result.accepted};
}

static void
talk_say_sent(struct agent_process *p)
{
	const struct agents *a = p->transport->agents;
	bool is_smtp = p->transport->is_smtp;
	struct mta_agent_result sent = {
		.status = {.dsn = MTA_DSN(2, 0, 0),
			   .reason = is_smtp ? a->accepted_reason
					     : a->mailbox_reason},
		.relay = talk_relay(p, RECEIVER_STEP_END),
		.code = is_smtp ? 250 : 0,
		.conn_use = (uint16_t)p->connection.conn.messages,
		.step = MTA_STEP_END,
	};

	mta_client_sent(&p->client, talk_accepted(p), &sent);
}

/* The transaction failed as a whole, or a command was killed. */
static bool
talk_say_failed(struct agent_process *p)
{
	struct mta_client_failure f;

	if (p->is_killed)
		f = (struct mta_client_failure){
			.what = {.step = MTA_STEP_END,
				 .kind = MTA_FAIL_TIME_LIMIT},
			.reason = p->transport->agents->time_limit_reason,
			.relay = p->transport->name};
	else
		f = talk_failure(
			p, (struct remote_failure){.step = p->result.step,
						   .cause = p->result.cause,
						   .code = p->result.code});
	return mta_client_fail_mail(&p->client, talk_accepted(p), &f);
}

/* The connection had died in the cache: that is found out by RSET, before MAIL,
 * and another one is made. */
static bool
talk_was_stale(const struct agent_process *p)
{
	return p->is_reused && p->result.dead;
}

static void
talk_is_answered(struct agent_process *p)
{
	struct agents *a = p->transport->agents;
	bool is_good;

	if (talk_was_stale(p)) {
		agents_close(a, &p->connection);
		mta_client_session_was_dead(&p->client);
		talk_connect(p);
		return;
	}
	is_good = talk_say_refused(p);
	if (p->result.cause == RECEIVER_CAUSE_NONE)
		talk_say_sent(p);
	else
		is_good = talk_say_failed(p) && is_good;
	if (!is_good || p->result.last || !agent_cache_keep(p))
		agents_close(a, &p->connection);
	talk_next(p);
}

static void
talk_has_failed(struct agent_process *p)
{
	struct mta_client_failure f = talk_failure(p, p->failure);

	mta_client_fail(&p->client, &f);
	talk_next(p);
}

void
agent_talk_goes_on(struct agent_process *p)
{
	struct mta_loop *loop = agent_loop(p);

	if (p->step == AGENT_CONNECTING) {
		talk_has_failed(p);
	} else if (p->step == AGENT_WAITING) {
		agents_poll(p->transport->agents, p->remote);
		if (p->step == AGENT_WAITING)
			talk_wait(p);
	} else if (p->step == AGENT_REFUSING) {
		if (!talk_say_refused(p))
			p->result.last = true;
		talk_await_answer(p, loop->stepped + 1);
	} else {
		mta_assert(p->step == AGENT_SENDING);
		talk_is_answered(p);
	}
}

void
agent_talk_breaks(struct agent_process *p)
{
	struct agents *a = p->transport->agents;
	struct mta_ref self = mta_pool_ref(p);

	mta_timer_cancel(a->host.loop, &p->timer);
	if (p->step == AGENT_WAITING)
		receiver_cancel(&p->remote->receiver,
				(uint64_t)self.index << 32 | self.generation);
	if (p->connection.remote)
		agents_close(a, &p->connection);
}
