/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A delivery as its agent keeps account of it. Of each recipient something is
 * said exactly once; the final reply tells only whether some are left undone
 * and whether the destination is to blame. The list of recipients belongs to
 * the request: an item whose result is known has its offset replaced.
 */
#include "mta/pure.h"

#include "mta/agent.h"
#include "mta/bounce.h"

#include "mta/panic.h"

/* In the place of the offset of a recipient whose result is known. */
#define OFFSET_SAID UINT32_MAX

void
mta_agent_init(struct mta_agent *a, const struct mta_host *host,
	       const struct mta_params *params)
{
	*a = (struct mta_agent){.host = host, .params = params};
}

static void
agent_reply(const struct mta_agent *a, struct mta_note_delivered reply)
{
	struct mta_port *port = a->host->port;

	reply.entry = a->request.entry;
	reply.transport = a->request.transport;
	port->ops->send(port, MTA_TO_QMGR,
			&(struct mta_note){.kind = MTA_NOTE_DELIVERED,
					   .delivered = reply});
}

/* R-AGENT-GONE (F8.9): a file that has vanished is no fault of anybody; one
 * that cannot be locked or read ends the process. */
bool
mta_agent_begin(struct mta_agent *a, const struct mta_note_deliver *request)
{
	struct mta_spool *spool = a->host->spool;
	struct mta_port *port = a->host->port;
	enum mta_err err;

	mta_assert(!a->is_open);
	*a = (struct mta_agent){
		.host = a->host,
		.params = a->params,
		.request = *request,
		.handoff = a->host->loop->now,
		.setup = MTA_NEVER,
		.left_count = request->recipient_count,
	};
	err = spool->ops->open(spool, MTA_ACTIVE, request->file,
			       MTA_LOCK_SHARED);
	if (err == MTA_OK) {
		a->items = port->ops->list_items(port, request->recipients);
		a->is_open = true;
		/* The queue manager may be gone before the delivery ends. */
		mta_sym_hold(a->host->symbols, request->nexthop);
		mta_sym_hold(a->host->symbols, request->destination);
		return true;
	}
	port->ops->list_give(port, request->recipients);
	agent_reply(a, (struct mta_note_delivered){.crashed = err != MTA_ENOENT,
						   .incomplete = true});
	return false;
}

bool
mta_agent_has_left(const struct mta_agent *a, uint32_t recipient)
{
	mta_assert(recipient < a->request.recipient_count);
	return a->items[recipient].offset != OFFSET_SAID;
}

/* Say it, and answer whether the recipient is finished. */
static bool
agent_append(const struct mta_agent *a, const struct mta_rcpt_result *r)
{
	switch (r->status.dsn.class) {
	case 2:
		mta_rcpt_sent(a->host, r);
		return true;
	case 5:
		return mta_bounce_append(a->host, a->params, r);
	default:
		mta_defer_append(a->host, r);
		return false;
	}
}

static bool
agent_say(struct mta_agent *a, uint32_t recipient,
	  const struct mta_agent_result *r)
{
	const struct mta_note_deliver *q = &a->request;
	struct mta_recipient *to = &a->items[recipient];
	struct mta_envelope envelope = {
		.arrival = q->arrival,
		.sender = q->sender,
		.serial = q->serial,
		.size_bytes = q->size_bytes,
	};
	bool is_finished =
		agent_append(a, &(struct mta_rcpt_result){
					.file = q->file,
					.envelope = &envelope,
					.to = *to,
					.active = q->active_time,
					.handoff = a->handoff,
					.setup = a->setup,
					.transport = q->transport,
					.destination = q->destination,
					.relay = r->relay,
					.batch = q->batch,
					.code = r->code,
					.conn_use = r->conn_use,
					.step = r->step,
					.status = r->status,
				});

	to->offset = OFFSET_SAID;
	a->left_count--;
	if (!is_finished)
		a->is_incomplete = true;
	return is_finished;
}

void
mta_agent_result(struct mta_agent *a, uint32_t recipient,
		 const struct mta_agent_result *r)
{
	mta_assert(a->is_open);
	mta_assert(mta_agent_has_left(a, recipient));
	agent_say(a, recipient, r);
}

void
mta_agent_rest(struct mta_agent *a, const struct mta_agent_result *r,
	       enum mta_blame blame)
{
	bool left_undone = false;

	mta_assert(a->is_open);
	for (uint32_t i = 0; i < a->request.recipient_count; i++) {
		if (mta_agent_has_left(a, i) && !agent_say(a, i, r))
			left_undone = true;
	}
	if (blame == MTA_BLAME_DESTINATION && left_undone &&
	    !a->session_completed && !mta_status_is_set(a->hop)) {
		a->hop = r->status;
		mta_sym_hold(a->host->symbols, a->hop.reason);
	}
}

static void
agent_close(struct mta_agent *a)
{
	struct mta_spool *spool = a->host->spool;
	struct mta_port *port = a->host->port;

	spool->ops->close(spool, a->request.file, MTA_LOCK_SHARED);
	port->ops->list_give(port, a->request.recipients);
	mta_sym_drop(a->host->symbols, a->request.nexthop);
	mta_sym_drop(a->host->symbols, a->request.destination);
	a->items = NULL;
	a->is_open = false;
}

void
mta_agent_end(struct mta_agent *a)
{
	mta_assert(a->is_open);
	mta_assert(a->left_count == 0);
	agent_close(a);
	/* The reason of the hop status goes to whoever gets the reply. */
	agent_reply(a, (struct mta_note_delivered){
			       .incomplete = a->is_incomplete, .hop = a->hop});
	a->hop = (struct mta_status){0};
}

void
mta_agent_crash(struct mta_agent *a)
{
	mta_assert(a->is_open);
	agent_close(a);
	mta_sym_drop(a->host->symbols, a->hop.reason);
	a->hop = (struct mta_status){0};
	agent_reply(a, (struct mta_note_delivered){.crashed = true,
						   .incomplete = true});
}

/* ---- error, retry, discard ---------------------------------------------- */

/* A number of one to three digits; `*text` moves behind it. */
static bool
dsn_number(const char **text, uint16_t *out)
{
	const char *at = *text;
	uint16_t n = 0;

	while (*at >= '0' && *at <= '9' && at - *text < 3)
		n = (uint16_t)(n * 10 + (*at++ - '0'));
	if (at == *text)
		return false;
	*text = at;
	*out = n;
	return true;
}

struct mta_dsn_text
mta_dsn_split(const char *text)
{
	struct mta_dsn_text none = {.text = text};
	struct mta_dsn_text split = {.text = text + strspn(text, " \t")};
	char class = *split.text;

	if ((class != '2' && class != '4' && class != '5') ||
	    split.text[1] != '.')
		return none;
	split.dsn.class = (uint8_t)(class - '0');
	split.text += 2;
	if (!dsn_number(&split.text, &split.dsn.subject) || *split.text != '.')
		return none;
	split.text++;
	if (!dsn_number(&split.text, &split.dsn.detail) ||
	    (*split.text != '\0' && *split.text != ' ' && *split.text != '\t'))
		return none;
	split.text += strspn(split.text, " \t");
	return split;
}

static uint8_t
text_agent_class(enum mta_text_agent kind)
{
	switch (kind) {
	case MTA_TEXT_ERROR:
		return 5;
	case MTA_TEXT_RETRY:
		return 4;
	case MTA_TEXT_DISCARD:
		return 2;
	}
	mta_assert(kind == MTA_TEXT_DISCARD);
	return 0;
}

void
mta_agent_text(struct mta_agent *a, enum mta_text_agent kind)
{
	struct mta_symtab *symbols = a->host->symbols;
	struct mta_dsn_text split =
		mta_dsn_split(mta_sym_text(symbols, a->request.nexthop));
	struct mta_agent_result result = {
		.status = {.dsn = mta_dsn_fit(split.dsn,
					      text_agent_class(kind)),
			   .reason = mta_sym_intern(symbols, split.text)},
	};

	mta_agent_rest(a, &result, MTA_BLAME_NOBODY);
	mta_sym_drop(symbols, result.status.reason);
}
