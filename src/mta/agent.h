/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A delivery agent's own part of a delivery, the same for real agents and for
 * simulated ones: take the request, say what became of each recipient, give the
 * final reply. How a recipient is tried is the business of whoever drives it.
 *
 *   begin -> result, result, ... or rest -> end
 *
 * The agents error, retry and discard need nobody to drive them: mta_agent_text
 * is the whole of them (F11.9).
 */
#ifndef MTA_AGENT_H
#define MTA_AGENT_H

#include "mta/host.h"
#include "mta/panic.h"
#include "mta/params.h"
#include "mta/rules.h"

/* In the place of the offset of a recipient of which something was said. */
#define MTA_OFFSET_SAID UINT32_MAX

/* A delivery under way. Between end and begin only `host` and `params` count.
 */
struct mta_agent {
	const struct mta_host *host; /* borrowed, as the next */
	const struct mta_params *params;
	/* What the request says of the mail, and what is said of the recipient
	 * that is next; its `setup` is set by whoever drives. */
	struct mta_trace_delivery attempt;
	/* The rest of the request. */
	struct mta_ref entry;
	struct mta_recipients recipients; /* owned */
	struct mta_recipient *items;	  /* these, as the port shows them */
	uint32_t recipient_count;
	mta_sym nexthop;   /* the queue manager's; of an orphan, owned */
	uint32_t hints;	   /* enum mta_hint bits */
	uint32_t attempts; /* times the mail was moved to active */

	uint32_t left_count;	/* recipients nothing was said of yet */
	bool is_open;		/* between begin and end */
	bool is_orphan;		/* owns the names of the request */
	bool is_incomplete;	/* some recipient is left undone */
	bool session_completed; /* a whole transaction was run (F11.2) */
	struct mta_status hop;	/* blames the destination; reason owned */
};

/* What became of recipients. Symbols are borrowed. */
struct mta_agent_result {
	struct mta_status status; /* class 2 sent, 4 defer, 5 bounce */
	mta_sym relay;		  /* who answered; 0: none */
	uint16_t code;		  /* SMTP reply code, 0: none */
	uint16_t conn_use;	  /* uses of the connection, 0: none */
	uint8_t step;		  /* enum mta_smtp_step */
};

void mta_agent_init(struct mta_agent *a, const struct mta_host *host,
		    const struct mta_params *params);

/*
 * Take a request: lock the file. False: it is gone, and the final reply has
 * been given, incomplete and without complaint (F8.9); there is nothing to end.
 * The names in the request are the queue manager's, who keeps them until it has
 * the reply: see mta_agent_orphan.
 */
bool
mta_agent_begin(struct mta_agent *a, const struct mta_note_deliver *request);

/* The queue manager is about to go, without the reply: a delivery under way
 * goes on, and now owns the names in its request. Said twice: no effect. */
void mta_agent_orphan(struct mta_agent *a);

/* Nothing was said of this recipient (by number in the request) yet? */
static inline bool
mta_agent_has_left(const struct mta_agent *a, uint32_t recipient)
{
	mta_assert(recipient < a->recipient_count);
	return a->items[recipient].offset != MTA_OFFSET_SAID;
}

/* One recipient. recipient: must be left. */
void mta_agent_result(struct mta_agent *a, uint32_t recipient,
		      const struct mta_agent_result *r);

/* May a failure that concerns all be held against the destination? */
enum mta_blame {
	MTA_BLAME_NOBODY,
	MTA_BLAME_DESTINATION,
};

/*
 * All recipients that are left. R-BLAME (F11.2): with MTA_BLAME_DESTINATION the
 * status becomes the hop status, if some recipient was left undone by it, no
 * session had run through a whole transaction, and none was noted before.
 */
void mta_agent_rest(struct mta_agent *a, const struct mta_agent_result *r,
		    enum mta_blame blame);

/* Unlock, and give the final reply. Nothing may be left. */
void mta_agent_end(struct mta_agent *a);

/* The process dies at work: unlock, say nothing of what is left; the queue
 * manager hears that the stream has ended (F9.5). */
void mta_agent_crash(struct mta_agent *a);

/* ---- error, retry, discard ---------------------------------------------- */

enum mta_text_agent {
	MTA_TEXT_ERROR,	  /* bounces, 5.0.0 */
	MTA_TEXT_RETRY,	  /* defers, 4.0.0 */
	MTA_TEXT_DISCARD, /* says sent, 2.0.0 */
};

/* After begin: say the same of all recipients, with the code and the text that
 * are in the next hop. R-TEXT-AGENT (F11.9) */
void mta_agent_text(struct mta_agent *a, enum mta_text_agent kind);

/* A leading x.y.z of a text, with what stands behind it; class 0 and the whole
 * text when there is none. */
struct mta_dsn_text {
	struct mta_dsn dsn;
	const char *text; /* within the argument */
};
struct mta_dsn_text mta_dsn_split(const char *text);

#endif
