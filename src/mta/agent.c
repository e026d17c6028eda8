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

void
mta_agent_init(struct mta_agent *a, const struct mta_host *host,
	       const struct mta_params *params)
{
	*a = (struct mta_agent){.host = host, .params = params};
}

static void
agent_reply(const struct mta_agent *a, struct mta_note *note)
{
	struct mta_port *port = a->host->port;

	note->kind = MTA_NOTE_DELIVERED;
	note->delivered.entry = a->entry;
	port->ops->send(port, MTA_TO_QMGR, note);
}

/* What is the same of all recipients. */
static void
agent_begin_attempt(struct mta_agent *a, const struct mta_note_deliver *q)
{
	struct mta_trace_delivery *d = &a->attempt;

	d->arrival = q->arrival;
	d->active = q->active_time;
	d->handoff = a->host->loop->now;
	d->setup = MTA_NEVER;
	d->sender = q->sender;
	d->file = q->file;
	d->serial = q->serial;
	d->transport = q->transport;
	d->destination = q->destination;
	d->batch = q->batch;
	d->size_bytes = q->size_bytes;
}

static void
agent_keep_request(struct mta_agent *a, const struct mta_note_deliver *q)
{
	agent_begin_attempt(a, q);
	a->entry = q->entry;
	a->recipients = q->recipients;
	a->recipient_count = q->recipient_count;
	a->nexthop = q->nexthop;
	a->hints = q->hints;
	a->attempts = q->attempts;
}

/* R-AGENT-GONE (F8.9): a file that has vanished is no fault of anybody; one
 * that cannot be locked or read ends the process. */
bool
mta_agent_begin(struct mta_agent *a, const struct mta_note_deliver *request)
{
	struct mta_spool *spool = a->host->spool;
	struct mta_port *port = a->host->port;
	struct mta_note note;
	enum mta_err err;

	mta_assert(!a->is_open);
	mta_assert(!mta_status_is_set(a->hop));
	agent_keep_request(a, request);
	a->left_count = request->recipient_count;
	a->is_incomplete = false;
	a->session_completed = false;
	err = spool->ops->lock(spool, request->file);
	if (err == MTA_OK) {
		a->items = mta_recipients_items(port, &a->recipients);
		a->is_open = true;
		return true;
	}
	mta_recipients_free(port, &request->recipients);
	note.delivered = (struct mta_note_delivered){
		.crashed = err != MTA_ENOENT, .incomplete = true};
	agent_reply(a, &note);
	return false;
}

void
mta_agent_orphan(struct mta_agent *a)
{
	if (!a->is_open || a->is_orphan)
		return;
	a->is_orphan = true;
	mta_sym_hold(a->host->symbols, a->nexthop);
	mta_sym_hold(a->host->symbols, a->attempt.destination);
}

/* Say it, and answer whether the recipient is finished. */
static bool
agent_append(struct mta_agent *a)
{
	switch (a->attempt.dsn.class) {
	case 2:
		mta_rcpt_sent(a->host, &a->attempt);
		return true;
	case 5:
		return mta_bounce_append(a->host, a->params, &a->attempt);
	default:
		mta_defer_append(a->host, &a->attempt);
		return false;
	}
}

static bool
agent_say(struct mta_agent *a, uint32_t recipient,
	  const struct mta_agent_result *r)
{
	struct mta_trace_delivery *d = &a->attempt;
	struct mta_recipient *to = &a->items[recipient];
	bool is_finished;

	d->recipient = to->address;
	d->offset = to->offset;
	d->relay = r->relay;
	d->reason = r->status.reason;
	d->dsn = r->status.dsn;
	d->code = r->code;
	d->conn_use = r->conn_use;
	d->step = r->step;
	is_finished = agent_append(a);
	to->offset = MTA_OFFSET_SAID;
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
	for (uint32_t i = 0; i < a->recipient_count; i++) {
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

	spool->ops->unlock(spool, a->attempt.file);
	mta_recipients_free(port, &a->recipients);
	if (a->is_orphan) {
		mta_sym_drop(a->host->symbols, a->nexthop);
		mta_sym_drop(a->host->symbols, a->attempt.destination);
	}
	a->items = NULL;
	a->is_open = false;
	a->is_orphan = false;
}

void
mta_agent_end(struct mta_agent *a)
{
	struct mta_note note;

	mta_assert(a->is_open);
	mta_assert(a->left_count == 0);
	agent_close(a);
	/* The reason of the hop status goes to whoever gets the reply. */
	note.delivered = (struct mta_note_delivered){
		.incomplete = a->is_incomplete, .hop = a->hop};
	agent_reply(a, &note);
	a->hop = (struct mta_status){0};
}

void
mta_agent_crash(struct mta_agent *a)
{
	struct mta_note note;

	mta_assert(a->is_open);
	agent_close(a);
	mta_sym_drop(a->host->symbols, a->hop.reason);
	a->hop = (struct mta_status){0};
	note.delivered = (struct mta_note_delivered){.crashed = true,
						     .incomplete = true};
	agent_reply(a, &note);
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
		mta_dsn_split(mta_sym_text(symbols, a->nexthop));
	struct mta_agent_result result = {
		.status = {.dsn = mta_dsn_fit(split.dsn,
					      text_agent_class(kind)),
			   .reason = mta_sym_intern(symbols, split.text)},
	};

	mta_agent_rest(a, &result, MTA_BLAME_NOBODY);
	mta_sym_drop(symbols, result.status.reason);
}
