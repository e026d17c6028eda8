/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is said of recipients that were tried, and the notices that follow.
 *
 * The first part are functions that whoever tried calls (agents, the queue
 * manager, cleanup): one log record where there is one, one trace record, the
 * recipient marked done when it is finished (F9.1). The second part is the
 * bounce service, which turns logs into notices: new mails through cleanup, as
 * any other (F10). It is a pool of processes without a limit; a process waits
 * while cleanup works on its notice, and holds up nobody else.
 *
 * Not done: NOTIFY and RET of DSN, trace reports, VERP, delivery status
 * filters, the fast flush service.
 */
#ifndef MTA_BOUNCE_H
#define MTA_BOUNCE_H

#include "mta/host.h"
#include "mta/params.h"
#include "mta/pool.h"

/*
 * What became of one recipient in one attempt is told as the record that the
 * trace gets of it. Whoever tried fills all but `at` and `outcome`; those, and
 * the status where it does not fit, are set here. All symbols are borrowed.
 *
 * A status whose class does not fit the call becomes class.0.0 (R-DSN-FIT). The
 * end of the attempt is the host's loop->now, after the log is written.
 */

/* The record of a recipient that no agent got. The caller fills `active` if
 * there was such a time. */
struct mta_trace_delivery
mta_delivery_without_agent(struct mta_ref file, const struct mta_envelope *e,
			   struct mta_recipient to, struct mta_status status);

/* Delivered: traced, marked done. */
void mta_rcpt_sent(const struct mta_host *h, struct mta_trace_delivery *d);

/*
 * Undeliverable: logged for the bounce service, traced, marked done, true. With
 * soft_bounce, or when the log takes nothing: deferred instead, false: the
 * recipient is left.
 */
bool mta_bounce_append(const struct mta_host *h, const struct mta_params *p,
		       struct mta_trace_delivery *d);

/* Try again later: logged, traced. The recipient is left. */
void mta_defer_append(const struct mta_host *h, struct mta_trace_delivery *d);

/* Refused before it was accepted, and not by a client who hears it: traced as
 * bounced, no log (F2.4). */
void mta_rcpt_refused(const struct mta_host *h, struct mta_trace_delivery *d);

/* ---- notices ------------------------------------------------------------ */

/* A notice to be handed to cleanup. */
struct mta_notice {
	enum mta_notice_kind kind;
	const struct mta_envelope *about; /* of the mail it speaks of */
	uint32_t reported_count;	  /* recipients that it reports */
	enum mta_service reply_to;	  /* who hears of it, and as what */
	struct mta_ref client;
};

/*
 * Length of a notice, in bytes. R-NOTICE-SIZE (F10.1): a text, a report for
 * each recipient, and of the original all of it, or its head when it is larger
 * than bounce_size_limit; warnings and copies for the postmaster hold the head.
 */
uint32_t
mta_notice_size_bytes(const struct mta_notice *n, const struct mta_params *p);

/* What the postmaster is told about. */
struct mta_notice_classes {
	bool bounce;	    /* single bounces */
	bool double_bounce; /* 2bounce */
	bool delay;
};

/* R-NOTIFY-CLASSES (F10.7): names apart by commas and blanks, any case. */
struct mta_notice_classes mta_notice_classes_of(const char *notify_classes);

/* Is it double_bounce_sender at the host's own name? */
bool mta_sender_is_double_bounce(const struct mta_host *h,
				 const struct mta_params *p, mta_addr sender);

/*
 * R-DOUBLE-BOUNCE (F10.2, F10.3): what a failed mail of this sender makes: a
 * bounce; of a mail from <> a double bounce if the classes ask for it. False:
 * nothing, the failure is dropped.
 */
bool mta_notice_of_failure(const struct mta_host *h, const struct mta_params *p,
			   mta_addr sender, enum mta_notice_kind *kind);

/* Hand a notice to cleanup. Answers its serial. */
uint32_t mta_notice_send(const struct mta_host *h, const struct mta_params *p,
			 const struct mta_notice *n);

/* Tell the trace that cleanup has taken a notice. Sets `at`. */
void mta_notice_trace_queued(const struct mta_host *h,
			     struct mta_trace_notice *record);

/* ---- the service -------------------------------------------------------- */

struct mta_bounce {
	struct mta_host host;		 /* of the pool of processes */
	const struct mta_params *params; /* borrowed */
	struct mta_timer wake;		 /* a note waits */
	struct mta_pool tasks;		 /* requests under way */
};

/* host, params: borrowed; host->loop is that of the pool of processes. Attaches
 * itself to the port as MTA_TO_BOUNCE. */
void mta_bounce_init(struct mta_bounce *b, const struct mta_host *host,
		     const struct mta_params *params);
/* Requests under way are forgotten; their queue manager is gone as well. */
void mta_bounce_release(struct mta_bounce *b);

#endif
