/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Notes: what services say to each other. A note is a value; it names things by
 * handles, addresses and symbols.
 *
 * A handle belongs to whoever gave it out; by the time it comes back it may be
 * stale, which is no error. Addresses are the book's. Of symbols each body says
 * who owns them. The one variable-sized body, the recipients of a request or of
 * a submission, is the receiver's to free (port.h); whoever drops a note that
 * nobody will hear does it in the receiver's place.
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
};
enum {
	MTA_SERVICES = MTA_TO_CLIENT + 1
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
 * in a list of the port. */
struct mta_recipients {
	struct mta_ref list;	   /* not set: there is only one */
	struct mta_recipient only; /* that one */
};

/*
 * A request. The names are the queue manager's, which keeps them until it has
 * heard the reply; when it goes without, whoever holds a request becomes an
 * owner of `nexthop` and `destination` (mta_agent_orphan) or forgets it.
 */
struct mta_note_deliver {
	struct mta_ref agent; /* who was ready */
	struct mta_ref entry; /* the queue manager's handle */
	struct mta_ref file;  /* in active */
	struct mta_recipients recipients;
	mta_sym transport;   /* lives as long as the host */
	mta_sym nexthop;     /* as configured */
	mta_sym destination; /* name of the destination queue */
	uint32_t recipient_count;
	mta_addr sender;
	uint32_t serial;      /* the host's number of this mail */
	uint32_t size_bytes;  /* message length */
	mta_time arrival;     /* first submission */
	mta_time active_time; /* when it entered active */
	uint32_t batch;	      /* deliveries handed out before this one */
	uint32_t hints;	      /* enum mta_hint bits */
	uint32_t attempts;    /* times the mail was moved to active */
};

/* The final reply. The receiver owns hop.reason. */
struct mta_note_delivered {
	struct mta_ref entry;  /* of the request */
	bool crashed;	       /* EOF or garbage instead of an answer (F9.5) */
	bool incomplete;       /* some recipient is left: integer S (F8.10) */
	struct mta_status hop; /* set: the destination is blamed */
};

/* A message for cleanup. No symbols. */
struct mta_note_submit {
	struct mta_ref client;	   /* the client's handle, given back */
	enum mta_service reply_to; /* who gets the answer */
	struct mta_recipients recipients;
	uint32_t recipient_count; /* at least 1 */
	uint32_t serial;	  /* the host's number of this mail */
	uint32_t size_bytes;	  /* message length */
	mta_addr sender;
	mta_time arrival; /* first submission */
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
		/* WANT_AGENT, AGENT_READY, AGENT_FAILED, DISMISS */
		struct {
			mta_sym transport;    /* lives as long as the host */
			struct mta_ref agent; /* READY, DISMISS */
		} agent;
		struct mta_note_deliver deliver;
		struct mta_note_delivered delivered;
		/* NOTIFY, NOTIFIED */
		struct {
			struct mta_ref message; /* the queue manager's handle */
			struct mta_ref file;
			enum mta_notify what;
			bool failed; /* NOTIFIED: keep the mail */
		} notify;
		struct mta_note_submit submit;
		struct {
			struct mta_ref client; /* as submitted */
			struct mta_ref file;   /* not set when there is none */
			enum mta_submit_result result;
		} submitted;
	};
};

#endif
