/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The trace: the core's only instrument. Services emit records of what
 * happened; sinks subscribe by kind. Every table, picture and check is a fold
 * over these records. A kind that nobody subscribed to costs one branch.
 *
 * Symbols and handles in a record are good during the sink's call; a sink that
 * keeps one holds it.
 */
#ifndef MTA_TRACE_H
#define MTA_TRACE_H

#include "mta/types.h"

/* What became of a recipient or a mail. */
enum mta_outcome {
	MTA_SENT,
	MTA_DEFERRED_OUTCOME,
	MTA_BOUNCED,
	MTA_EXPIRED,
	MTA_HELD,
	MTA_DELETED,
	MTA_QUEUED,
	MTA_DISCARDED,
};
enum {
	MTA_OUTCOMES = MTA_DISCARDED + 1
};

/* Why a mail changed its queue (F1.8). */
enum mta_move_reason {
	MTA_MOVE_ACCEPTED,  /* cleanup committed it */
	MTA_MOVE_SUBMITTED, /* postdrop committed it */
	MTA_MOVE_HOLD,	    /* access action, or the operator */
	MTA_MOVE_ADMITTED,  /* into active */
	MTA_MOVE_LOCKED,    /* an old agent still works on it */
	MTA_MOVE_DEFERRED,  /* some recipient is left */
	MTA_MOVE_DONE,	    /* nothing left */
	MTA_MOVE_PICKED_UP, /* out of maildrop */
	MTA_MOVE_DAMAGED,   /* into corrupt */
	MTA_MOVE_RESTART,   /* out of active when the queue manager starts */
	MTA_MOVE_FLUSHED,   /* by id or site */
	MTA_MOVE_RELEASED,  /* out of hold */
	MTA_MOVE_REQUEUED,  /* into maildrop */
	MTA_MOVE_DELETED,   /* by the operator */
	MTA_MOVE_PRESENT,   /* was there before anything happened */
};
enum {
	MTA_MOVE_REASONS = MTA_MOVE_PRESENT + 1
};

enum mta_feedback_event {
	MTA_FEEDBACK_ALIVE,   /* positive */
	MTA_FEEDBACK_SICK,    /* negative, still usable */
	MTA_FEEDBACK_DEAD,    /* negative, and that was too much */
	MTA_FEEDBACK_REVIVED, /* a dead one is usable again */
};

enum mta_notice_kind {
	MTA_NOTICE_BOUNCE,	     /* to the sender */
	MTA_NOTICE_WARNING,	     /* delay, to the sender */
	MTA_NOTICE_POSTMASTER,	     /* copy of a bounce */
	MTA_NOTICE_POSTMASTER_DELAY, /* copy of a warning */
	MTA_NOTICE_DOUBLE_BOUNCE,    /* a bounce that bounced */
};

enum mta_mail_status {
	MTA_STATUS_EXPIRED,	  /* returned to sender */
	MTA_STATUS_FORCE_EXPIRED, /* likewise, by the operator */
	MTA_STATUS_BOUNCE_FAILED, /* deferred (bounce failed) */
	MTA_STATUS_WARN_FAILED,	  /* deferred (delay warning failed) */
	MTA_STATUS_SKIPPED,	  /* still being delivered */
	MTA_STATUS_DROPPED,	  /* undeliverable notice, silently dropped */
	MTA_STATUS_MARKED,	  /* to expire, by the operator */
};

enum mta_trace_kind {
#define TRACE_KIND(kind, name, help) MTA_TRACE_##kind,
#define TRACE_FIELD(type, name, help)
#define TRACE_END()
#include "mta/trace.def"
#undef TRACE_KIND
#undef TRACE_FIELD
#undef TRACE_END
	MTA_TRACE_KINDS
};

#define TRACE_KIND(kind, name, help)  struct mta_trace_##name {
#define TRACE_FIELD(type, name, help) type name;
#define TRACE_END()                                                            \
	}                                                                      \
	;
#include "mta/trace.def"
#undef TRACE_KIND
#undef TRACE_FIELD
#undef TRACE_END

/*
 * A sink: embedded in its owner, which take() finds with container_of. Records
 * of a kind reach the sinks in the order of their subscription.
 */
struct mta_sink {
	void (*take)(struct mta_sink *, enum mta_trace_kind,
		     const void *record);
};

enum {
	MTA_SINKS_MAX = 8
};

struct mta_trace {
	/* In order of subscription; NULL ends a list. */
	struct mta_sink *sinks[MTA_TRACE_KINDS][MTA_SINKS_MAX + 1];
};

void mta_trace_init(struct mta_trace *t);
/* sink: borrowed as long as the trace lives. At most MTA_SINKS_MAX a kind. */
void mta_trace_subscribe(struct mta_trace *t, enum mta_trace_kind kind,
			 struct mta_sink *sink);
static inline bool
mta_trace_wants(const struct mta_trace *t, enum mta_trace_kind kind)
{
	return t->sinks[kind][0] != NULL;
}

static inline void
mta_trace_deliver(const struct mta_trace *t, enum mta_trace_kind kind,
		  const void *record)
{
	for (struct mta_sink *const *s = t->sinks[kind]; *s; s++)
		(*s)->take(*s, kind, record);
}

/* Names as the results spell them: "sent", "connect", "accepted", "alive". */
const char *mta_outcome_name(enum mta_outcome outcome);
const char *mta_step_name(enum mta_smtp_step step);
const char *mta_move_reason_name(enum mta_move_reason reason);
const char *mta_feedback_event_name(enum mta_feedback_event event);

#endif
