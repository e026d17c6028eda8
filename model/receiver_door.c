/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The door of a receiver: how many may be inside, who waits before it, and
 * what becomes of the rest (docs/models.md, M-RECEIVER-DOOR).
 *
 * Inside are the sessions and the connections that are being refused by a
 * process (`leaving`). Who waits is in order of coming: QUEUED ones, whose
 * connect succeeded and who get no banner until a process is free, and KNOCKING
 * ones, whose connects are dropped and who repeat them with doubled gaps. Both
 * have a deadline, when the client gives up. A phantom believes to be connected
 * and is never seen: its answer is known at once.
 */
#include "model/receiver_private.h"

#include <stdlib.h>
#include <string.h>

/* Forget connections whose refusal has been told by now. */
static void
purge_leaving(struct receiver_extra *extra, int64_t now_us)
{
	size_t kept = 0;

	for (size_t i = 0; i < extra->leaving_count; i++)
		if (extra->leaving[i] > now_us)
			extra->leaving[kept++] = extra->leaving[i];
	extra->leaving_count = kept;
}

/* Bounded by the connections of the clients at one time: each is forgotten
 * when its client has been told. */
void
receiver_leave(struct receiver *receiver, int64_t at_us)
{
	struct receiver_extra *extra;

	/* Nobody counts: then nobody needs to remember. */
	if (!receiver->config->counts)
		return;
	extra = receiver_extra(receiver);
	if (extra->leaving_count == extra->leaving_room) {
		extra->leaving_room = extra->leaving_room * 2 + 8;
		extra->leaving =
			receiver_grow(extra->leaving, extra->leaving_room,
				      sizeof(*extra->leaving));
	}
	extra->leaving[extra->leaving_count++] = at_us;
}

uint32_t
receiver_open_count(struct receiver *receiver, int64_t now_us)
{
	struct receiver_extra *extra = receiver->extra;

	if (!extra)
		return receiver->open;
	purge_leaving(extra, now_us);
	return receiver->open + (uint32_t)extra->leaving_count;
}

static int64_t
queued(const struct receiver *receiver)
{
	int64_t count = 0;

	for (size_t i = 0; receiver->extra && i < receiver->extra->waiter_count;
	     i++)
		count += receiver->extra->waiters[i].kind == WAITER_QUEUED;
	return count;
}

static void
lower(int64_t *most, int64_t by)
{
	if (by > 0 && (*most == 0 || by < *most))
		*most = by;
}

/* The cap in force: penalties make it smaller. A penalty of the cap that is
 * over is forgotten, so that nobody waits for its end. */
static struct receiver_cap
cap_at(struct receiver *receiver, int64_t now_us)
{
	struct receiver_cap cap =
		receiver_phase_at(receiver, now_us)->connections;
	struct receiver_extra *extra = receiver->extra;

	if (receiver_is_punishing(receiver, now_us))
		lower(&cap.most, receiver->config->rate.penalty_connections);
	if (extra && now_us < extra->cap_penalty_until_us)
		lower(&cap.most, cap.penalty_most);
	else if (extra)
		extra->cap_penalty_until_us = 0;
	return cap;
}

/* Who meets the cap makes it smaller; in a penalty nothing is added to it. */
static void
punish(struct receiver *receiver, const struct receiver_cap *cap,
       int64_t now_us)
{
	struct receiver_extra *extra;

	if (cap->penalty_for_us == 0)
		return;
	extra = receiver_extra(receiver);
	if (extra->cap_penalty_until_us == 0)
		extra->cap_penalty_until_us = now_us + cap->penalty_for_us;
}

static enum door
over_cap(const struct receiver_cap *cap, const struct receiver_call *call,
	 struct receiver_answer *answer)
{
	switch (cap->over) {
	case RECEIVER_OVER_CODE:
		*answer = receiver_heard_by(
			call->timeouts,
			receiver_failed(
				RECEIVER_STEP_GREETING, RECEIVER_CAUSE_CODE,
				cap->code ? cap->code : 421, cap->after_us));
		return DOOR_ANSWER;
	case RECEIVER_OVER_REFUSED:
		*answer = receiver_heard_by(
			call->timeouts, receiver_failed(RECEIVER_STEP_CONNECT,
							RECEIVER_CAUSE_REFUSED,
							0, cap->after_us));
		return DOOR_SHUT;
	case RECEIVER_OVER_DROP:
		return DOOR_SILENT;
	case RECEIVER_OVER_WAIT:
		break;
	}
	return DOOR_QUEUE;
}

static enum door
overflow(const struct receiver_servers *servers,
	 const struct receiver_call *call, struct receiver_answer *answer)
{
	switch (servers->overflow) {
	case RECEIVER_OVERFLOW_DROP:
		return DOOR_SILENT;
	case RECEIVER_OVERFLOW_PHANTOM:
		*answer = receiver_failed(RECEIVER_STEP_GREETING,
					  RECEIVER_CAUSE_TIMEOUT, 0,
					  call->timeouts->greeting_us);
		return DOOR_SHUT;
	case RECEIVER_OVERFLOW_CODE:
		*answer = receiver_failed(RECEIVER_STEP_GREETING,
					  RECEIVER_CAUSE_CODE, 421, 0);
		return DOOR_SHUT;
	case RECEIVER_OVERFLOW_RESET:
		break;
	}
	*answer = receiver_failed(RECEIVER_STEP_CONNECT, RECEIVER_CAUSE_REFUSED,
				  0, 0);
	return DOOR_SHUT;
}

enum door
receiver_door(struct receiver *receiver, const struct receiver_call *call,
	      struct receiver_answer *answer)
{
	const struct receiver_servers *servers = &receiver->config->servers;
	struct receiver_cap cap;
	int64_t open;

	if (!receiver->config->counts)
		return DOOR_OPEN;
	cap = cap_at(receiver, call->now_us);
	open = receiver_open_count(receiver, call->now_us);
	if (cap.most > 0 && open >= cap.most) {
		punish(receiver, &cap, call->now_us);
		return over_cap(&cap, call, answer);
	}
	if (servers->processes > 0 && open >= servers->processes)
		return queued(receiver) < servers->backlog
			       ? DOOR_QUEUE
			       : overflow(servers, call, answer);
	return DOOR_OPEN;
}

/* Start the clock of a queued connection's client. */
static void
queue_up(struct waiter *waiter, int64_t now_us)
{
	waiter->kind = WAITER_QUEUED;
	waiter->deadline_us = now_us + waiter->call.timeouts->greeting_us;
	waiter->next_us = RECEIVER_NEVER;
}

/* Bounded by the connections of the clients at one time. */
void
receiver_wait(struct receiver *receiver, const struct receiver_call *call,
	      enum waiter_kind kind)
{
	struct receiver_extra *extra = receiver_extra(receiver);
	const struct receiver_client *client = call->timeouts;
	struct waiter *waiter;

	if (extra->waiter_count == extra->waiter_room) {
		extra->waiter_room = extra->waiter_room * 2 + 8;
		extra->waiters =
			receiver_grow(extra->waiters, extra->waiter_room,
				      sizeof(*extra->waiters));
	}
	waiter = &extra->waiters[extra->waiter_count++];
	*waiter = (struct waiter){.call = *call, .kind = kind};
	if (kind == WAITER_QUEUED) {
		queue_up(waiter, call->now_us);
		return;
	}
	waiter->gap_us = client->syn_first_us;
	waiter->next_us = call->now_us + waiter->gap_us;
	waiter->deadline_us =
		call->now_us + receiver_patience(client, RECEIVER_STEP_CONNECT);
}

static void
remove_waiter(struct receiver_extra *extra, size_t i)
{
	memmove(&extra->waiters[i], &extra->waiters[i + 1],
		(extra->waiter_count - i - 1) * sizeof(*extra->waiters));
	extra->waiter_count--;
}

bool
receiver_cancel(struct receiver *receiver, uint64_t ticket)
{
	struct receiver_extra *extra = receiver->extra;

	for (size_t i = 0; extra && i < extra->waiter_count; i++) {
		if (extra->waiters[i].call.ticket == ticket) {
			remove_waiter(extra, i);
			return true;
		}
	}
	return false;
}

static int64_t
earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Something other than a close may make room: a refusal told, a new phase. */
static int64_t
next_room(const struct receiver *receiver)
{
	const struct receiver_config *config = receiver->config;
	const struct receiver_extra *extra = receiver->extra;
	int64_t next = RECEIVER_NEVER;

	for (size_t i = 0; i < extra->leaving_count; i++)
		next = earlier(next, extra->leaving[i]);
	if (receiver->phase + 1 < config->phase_count)
		next = earlier(next, config->phases[receiver->phase + 1].at_us);
	if (extra->cap_penalty_until_us > 0)
		next = earlier(next, extra->cap_penalty_until_us);
	if (config->rate.penalty_connections > 0 &&
	    extra->bucket.penalty_until_us > extra->polled_us)
		next = earlier(next, extra->bucket.penalty_until_us);
	return next;
}

int64_t
receiver_next_event(const struct receiver *receiver)
{
	const struct receiver_extra *extra = receiver->extra;
	int64_t next = RECEIVER_NEVER;
	bool any_queued = false;

	if (!extra || extra->waiter_count == 0)
		return RECEIVER_NEVER;
	for (size_t i = 0; i < extra->waiter_count; i++) {
		const struct waiter *waiter = &extra->waiters[i];

		next = earlier(next, waiter->deadline_us);
		next = earlier(next, waiter->next_us);
		any_queued |= waiter->kind == WAITER_QUEUED;
	}
	return any_queued ? earlier(next, next_room(receiver)) : next;
}

/* The first in the queue, if a process is free for it. */
static struct waiter *
first_served(struct receiver *receiver, int64_t now_us)
{
	const struct receiver_servers *servers = &receiver->config->servers;
	struct receiver_cap cap = cap_at(receiver, now_us);
	int64_t open = receiver_open_count(receiver, now_us);
	struct receiver_extra *extra = receiver->extra;

	if ((cap.most > 0 && open >= cap.most) ||
	    (servers->processes > 0 && open >= servers->processes))
		return NULL;
	for (size_t i = 0; i < extra->waiter_count; i++)
		if (extra->waiters[i].kind == WAITER_QUEUED)
			return &extra->waiters[i];
	return NULL;
}

/* Who is due first by now, knock or deadline; NULL if nobody is. */
static struct waiter *
first_due(struct receiver_extra *extra, int64_t now_us)
{
	struct waiter *best = NULL;
	int64_t best_us = now_us;

	for (size_t i = 0; i < extra->waiter_count; i++) {
		struct waiter *waiter = &extra->waiters[i];
		int64_t due = earlier(waiter->deadline_us, waiter->next_us);

		if (due < best_us || (due == best_us && !best)) {
			best = waiter;
			best_us = due;
		}
	}
	return best;
}

static void
wake(struct receiver *receiver, struct waiter *waiter,
     const struct receiver_answer *refusal, struct receiver_woken *woken)
{
	struct receiver_call call = waiter->call;

	remove_waiter(receiver->extra,
		      (size_t)(waiter - receiver->extra->waiters));
	woken->ticket = call.ticket;
	woken->answer = receiver_accept(receiver, &call, &woken->conn, refusal);
}

static void
give_up(struct receiver *receiver, struct waiter *waiter,
	struct receiver_answer answer, struct receiver_woken *woken)
{
	woken->ticket = waiter->call.ticket;
	woken->answer = answer;
	woken->conn = (struct receiver_conn){0};
	remove_waiter(receiver->extra,
		      (size_t)(waiter - receiver->extra->waiters));
}

/* A knock: true if it settled the waiter. */
static bool
knock(struct receiver *receiver, struct waiter *waiter, int64_t now_us,
      struct receiver_woken *woken)
{
	struct receiver_answer answer;

	waiter->call.now_us = now_us;
	if (receiver_is_shut(receiver, &waiter->call, &answer)) {
		/* Silence goes on until its deadline. */
		if (answer.cause != RECEIVER_CAUSE_TIMEOUT ||
		    answer.step != RECEIVER_STEP_CONNECT) {
			give_up(receiver, waiter, answer, woken);
			return true;
		}
	} else {
		switch (receiver_door(receiver, &waiter->call, &answer)) {
		case DOOR_OPEN:
			wake(receiver, waiter, NULL, woken);
			return true;
		case DOOR_ANSWER:
			wake(receiver, waiter, &answer, woken);
			return true;
		case DOOR_SHUT:
			give_up(receiver, waiter, answer, woken);
			return true;
		case DOOR_QUEUE:
			queue_up(waiter, now_us);
			return false;
		case DOOR_SILENT:
			break;
		}
	}
	waiter->gap_us *= 2;
	waiter->next_us += waiter->gap_us;
	return false;
}

bool
receiver_poll(struct receiver *receiver, int64_t now_us,
	      struct receiver_woken *woken)
{
	struct receiver_extra *extra = receiver->extra;
	struct waiter *waiter;

	if (!extra || extra->waiter_count == 0)
		return false;
	extra->polled_us = now_us;
	waiter = first_served(receiver, now_us);
	if (waiter) {
		waiter->call.now_us = now_us;
		wake(receiver, waiter, NULL, woken);
		return true;
	}
	while ((waiter = first_due(extra, now_us)) != NULL) {
		if (waiter->deadline_us <= now_us) {
			enum receiver_step step =
				waiter->kind == WAITER_QUEUED
					? RECEIVER_STEP_GREETING
					: RECEIVER_STEP_CONNECT;

			give_up(receiver, waiter,
				receiver_failed(step, RECEIVER_CAUSE_TIMEOUT, 0,
						0),
				woken);
			return true;
		}
		if (knock(receiver, waiter, now_us, woken))
			return true;
	}
	return false;
}
