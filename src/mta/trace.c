/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who gets which records, and the words for their numbers.
 */
#include "mta/pure.h"

#include "mta/trace.h"

#include "mta/panic.h"

void
mta_trace_init(struct mta_trace *t)
{
	memset(t, 0, sizeof(*t));
}

void
mta_trace_subscribe(struct mta_trace *t, enum mta_trace_kind kind,
		    struct mta_sink *sink)
{
	uint32_t place = 0;

	mta_assert(kind < MTA_TRACE_KINDS);
	while (t->sinks[kind][place])
		place++;
	mta_assert(place < MTA_SINKS_MAX);
	t->sinks[kind][place] = sink;
}

const char *
mta_outcome_name(enum mta_outcome outcome)
{
	switch (outcome) {
	case MTA_SENT:
		return "sent";
	case MTA_DEFERRED_OUTCOME:
		return "deferred";
	case MTA_BOUNCED:
		return "bounced";
	case MTA_EXPIRED:
		return "expired";
	case MTA_HELD:
		return "held";
	case MTA_DELETED:
		return "deleted";
	case MTA_QUEUED:
		return "queued";
	case MTA_DISCARDED:
		return "discarded";
	}
	return "";
}

const char *
mta_step_name(enum mta_smtp_step step)
{
	switch (step) {
	case MTA_STEP_NONE:
		return "";
	case MTA_STEP_DNS:
		return "dns";
	case MTA_STEP_CONNECT:
		return "connect";
	case MTA_STEP_GREETING:
		return "greeting";
	case MTA_STEP_EHLO:
		return "ehlo";
	case MTA_STEP_HELO:
		return "helo";
	case MTA_STEP_STARTTLS:
		return "starttls";
	case MTA_STEP_AUTH:
		return "auth";
	case MTA_STEP_MAIL:
		return "mail";
	case MTA_STEP_RCPT:
		return "rcpt";
	case MTA_STEP_DATA:
		return "data";
	case MTA_STEP_END:
		return "end";
	}
	return "";
}

const char *
mta_move_reason_name(enum mta_move_reason reason)
{
	switch (reason) {
	case MTA_MOVE_ACCEPTED:
		return "accepted";
	case MTA_MOVE_SUBMITTED:
		return "submitted";
	case MTA_MOVE_HOLD:
		return "hold";
	case MTA_MOVE_ADMITTED:
		return "admitted";
	case MTA_MOVE_LOCKED:
		return "locked";
	case MTA_MOVE_DEFERRED:
		return "deferred";
	case MTA_MOVE_DONE:
		return "done";
	case MTA_MOVE_PICKED_UP:
		return "picked-up";
	case MTA_MOVE_DAMAGED:
		return "damaged";
	case MTA_MOVE_RESTART:
		return "restart";
	case MTA_MOVE_FLUSHED:
		return "flushed";
	case MTA_MOVE_RELEASED:
		return "released";
	case MTA_MOVE_REQUEUED:
		return "requeued";
	case MTA_MOVE_DELETED:
		return "deleted";
	case MTA_MOVE_PRESENT:
		return "present";
	}
	return "";
}

const char *
mta_feedback_event_name(enum mta_feedback_event event)
{
	switch (event) {
	case MTA_FEEDBACK_ALIVE:
		return "alive";
	case MTA_FEEDBACK_SICK:
		return "sick";
	case MTA_FEEDBACK_DEAD:
		return "dead";
	case MTA_FEEDBACK_REVIVED:
		return "revived";
	}
	return "";
}
