/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Notes: what services say to each other. A note is a value; it names things by
 * handles and symbols. The one variable-sized body, the recipients of a
 * delivery request or of a submission, travels as a handle to a list that the
 * port keeps (port.h), owned by the note's receiver, unless there is but one.
 */
#ifndef MTA_NOTE_H
#define MTA_NOTE_H

#include "mta/types.h"

/* Who gets a note. */
enum mta_service {
	MTA_TO_QMGR,
	MTA_TO_PICKUP,
	MTA_TO_CLEANUP,
	MTA_TO_BOUNCE, /* bounce, defer and trace service */
	MTA_TO_AGENTS, /* delivery agents: the note names the transport */
	MTA_TO_CLIENT, /* whoever submitted: the host's own clients */
	MTA_TO_FLUSH,
};
enum {
	MTA_SERVICES = MTA_TO_FLUSH + 1
};

enum mta_note_kind {
	MTA_NOTE_TRIGGER,      /* any -> qmgr, pickup: enum mta_trigger bits */
	MTA_NOTE_WANT_AGENT,   /* qmgr -> agents: connect (F8.4) */
	MTA_NOTE_AGENT_READY,  /* agents -> qmgr: hello */
	MTA_NOTE_AGENT_FAILED, /* agents -> qmgr: no stream, or bad hello */
	MTA_NOTE_DELIVER,      /* qmgr -> agents: the request (F8.5) */
	MTA_NOTE_DISMISS,      /* qmgr -> agents: no entry after all */
	MTA_NOTE_DELIVERED,    /* agents -> qmgr: final reply (F8.10) */
	MTA_NOTE_NOTIFY,       /* qmgr -> bounce service (F9.7) */
	MTA_NOTE_NOTIFIED,     /* and its answer */
	MTA_NOTE_SUBMIT,       /* client -> cleanup: one message */
	MTA_NOTE_SUBMITTED,    /* and the answer */
};

/* Trigger bytes, merged (F4.6). */
enum mta_trigger {
	MTA_TRIGGER_WAKEUP = 1,	  /* W, I: scan incoming */
	MTA_TRIGGER_DEFERRED = 2, /* D: scan deferred */
	MTA_TRIGGER_FLUSH = 4,	  /* F: forget dead destinations */
	MTA_TRIGGER_ALL = 8,	  /* A: ignore wake times */
};

/* What the bounce service is asked for (F9.7, F10). */
enum mta_notify {
	MTA_NOTIFY_BOUNCE, /* from the bounce log */
	MTA_NOTIFY_EXPIRE, /* flush the defer log as a bounce */
	MTA_NOTIFY_WARN,   /* delay warning from the defer log */
};

/* Connection cache hints (F7.10). */
enum mta_hint {
	MTA_HINT_LOAD = 1,
	MTA_HINT_STORE = 2,
};

/* A recipient in a request or submission. */
struct mta_recipient {
	mta_addr address;
	uint32_t offset; /* of its record in the queue file */
};

/* Recipients that travel with a note: one in the note itself, any other number
 * in a list of the port. The receiver's to free. port.h */
struct mta_recipients {
	struct mta_ref list;	   /* not set: there is only one */
	struct mta_recipient only; /* that one */
};

struct mta_note_deliver {
	struct mta_ref agent; /* who was ready */
	struct mta_ref entry; /* the queue manager's handle */
	struct mta_ref file;  /* in active */
	struct mta_recipients recipients;
	mta_sym transport;
	mta_sym nexthop;
	mta_sym destination; /* name of the destination queue */
	uint32_t recipient_count;
	mta_addr sender;
	uint32_t serial;
	uint32_t size_bytes;
	mta_time arrival;
	mta_time active_time; /* when it entered active */
	uint32_t batch;	      /* deliveries handed out before this one */
	uint32_t hints;	      /* enum mta_hint bits */
	uint32_t attempts;    /* times the mail was moved to active */
};

struct mta_note_delivered {
	struct mta_ref entry;
	mta_sym transport;
	bool crashed;	       /* EOF or garbage instead of an answer (F9.5) */
	bool incomplete;       /* some recipient is left: integer S (F8.10) */
	struct mta_status hop; /* set: the destination is blamed; the receiver
				  owns the reason */
};

struct mta_note_submit {
	struct mta_ref client; /* the client's handle, given back */
	enum mta_service reply_to;
	struct mta_recipients recipients;
	uint32_t recipient_count;
	uint32_t serial;
	uint32_t size_bytes;
	mta_addr sender;
	mta_time arrival;
	bool is_requeued; /* from maildrop by postsuper -r */
};

/* Outcome of a submission, as cleanup's status (F2.3). */
enum mta_submit_result {
	MTA_SUBMIT_ACCEPTED,
	MTA_SUBMIT_HELD,      /* accepted into hold */
	MTA_SUBMIT_DISCARDED, /* the client sees success */
	MTA_SUBMIT_REJECTED,  /* content: 550 5.7.1 */
	MTA_SUBMIT_TOO_LARGE, /* 552 5.3.4 */
	MTA_SUBMIT_NO_SPACE,  /* 451 4.3.0 */
};

/* What a client takes for success. */
static inline bool
mta_submit_is_success(enum mta_submit_result result)
{
	return result == MTA_SUBMIT_ACCEPTED || result == MTA_SUBMIT_HELD ||
	       result == MTA_SUBMIT_DISCARDED;
}

struct mta_note {
	enum mta_note_kind kind;
	union {
		uint32_t trigger; /* enum mta_trigger bits */
		struct {
			mta_sym transport;
			struct mta_ref agent;	  /* READY, DISMISS */
			struct mta_status status; /* FAILED */
		} agent;
		struct mta_note_deliver deliver;
		struct mta_note_delivered delivered;
		struct {
			struct mta_ref message; /* the queue manager's handle */
			struct mta_ref file;
			enum mta_notify what;
			bool failed; /* NOTIFIED: keep the mail */
		} notify;
		struct mta_note_submit submit;
		struct {
			struct mta_ref client;
			struct mta_ref file;
			enum mta_submit_result result;
		} submitted;
	};
};

#endif
