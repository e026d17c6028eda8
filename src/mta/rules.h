/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The rules of the mail system as functions: numbers in, numbers out. No
 * services, no trace, no clock, no memory. Each rule has a tag (R-...) that
 * docs/rules.md lists with its statement, its source and our deviations; code
 * and tests cite the tag.
 *
 * Whole seconds are int64_t and end in _s; mta_time is microseconds. Divisions
 * are C integer divisions (towards zero) unless a rule says floating. Sums of
 * feedback are IEEE doubles, added in the order in which the rule states them:
 * ten times 1/10 is less than 1, and that is part of the rule.
 */
#ifndef MTA_RULES_H
#define MTA_RULES_H

#include "mta/panic.h"
#include "mta/types.h"

/* ---- Time ------------------------------------------------------------- */

/*
 * When a whole-second timer fires if nothing else wakes its loop.
 * R-TIMER-SECONDS (F0.4): the loop sleeps a whole number of seconds from its
 * last wake-up, so the timer keeps that wake-up's sub-second phase.
 *
 * last_wake  the last wake-up before the timer is due
 * stored_s   second of arming + delay
 */
mta_time mta_timer_fires_at(mta_time last_wake, int64_t stored_s);

/* ---- Destination window ----------------------------------------------- */

/* How much one event counts, depending on the window. R-FEEDBACK-VALUE (F7.3)
 */
enum mta_feedback_kind {
	MTA_FEEDBACK_PLAIN,	      /* x or x/y */
	MTA_FEEDBACK_PER_WINDOW,      /* x/concurrency */
	MTA_FEEDBACK_PER_SQRT_WINDOW, /* x/sqrt_concurrency, an extension */
};

struct mta_feedback {
	enum mta_feedback_kind kind;
	double numerator;   /* 0..1 unless plain */
	double denominator; /* of the plain form; 1 otherwise */
};

/* What a transport prescribes for the windows of its destinations. */
struct mta_window_law {
	int32_t limit;		     /* most parallel deliveries, 0 none */
	int32_t initial;	     /* window of a new destination, >= 1 */
	int32_t failed_cohort_limit; /* failed cohorts until dead, 0 never */
	struct mta_feedback positive;
	struct mta_feedback negative;
};

/* What is learned about one destination. window is 0 after its death and > 0
 * while it is alive; whether it is alive is the destination's state to say. */
struct mta_window {
	int32_t window; /* parallel deliveries allowed */
	double good;	/* positive feedback not yet turned into a step */
	double bad;	/* negative feedback likewise (0..1, runs down) */
	double cohorts; /* failed cohorts since the last good event */
};

/* Value of a feedback setting at a window >= 1. R-FEEDBACK-VALUE (F7.3) */
double mta_feedback_value(const struct mta_feedback *f, int32_t window);

/* A new destination. R-WINDOW-NEW (F7.2) */
void mta_window_init(struct mta_window *w, const struct mta_window_law *law);

/*
 * A delivery reported no trouble with a destination that is alive.
 * R-WINDOW-UP (F7.4): grows at the end of a cycle of positive feedback, never
 * above the limit, and only while window < busy + initial.
 * busy  running deliveries, the reported one included
 */
void mta_window_up(struct mta_window *w, const struct mta_window_law *law,
		   int32_t busy);

/*
 * A dead destination comes back: by its timer, by a flush, or by a delivery
 * that went well after all. R-WINDOW-REVIVE (F7.4): the window becomes busy, or
 * initial when nothing runs; the counters are cleared.
 */
void mta_window_revive(struct mta_window *w, const struct mta_window_law *law,
		       int32_t busy);

/*
 * A delivery blamed a destination that is alive. R-WINDOW-DOWN, R-DEAD (F7.5):
 * adds 1/window to the failed cohorts; at the cohort limit (>=) the window
 * becomes 0 and the answer is true: the destination is dead. Otherwise shrinks
 * at the start of a cycle of negative feedback, never below 1.
 */
bool mta_window_down(struct mta_window *w, const struct mta_window_law *law);

/* Connection-cache requests that go to the agent with a delivery. */
struct mta_cache_hints {
	bool load;  /* take a cached connection if there is one */
	bool store; /* leave the connection in the cache */
};

struct mta_cache_view {
	int64_t last_done_s; /* when the last delivery ended, 0 none yet */
	int64_t now_s;	     /* the loop's clock */
	int32_t busy;	     /* running deliveries, this one included */
};

/* Hints of the next delivery from those of the last. R-CACHE-HINTS (F7.10) */
struct mta_cache_hints mta_cache_hints_next(struct mta_cache_hints hints,
					    const struct mta_cache_view *v);

/* ---- Age of mail ------------------------------------------------------ */

struct mta_backoff {
	int32_t minimal_s; /* minimal_backoff_time */
	int32_t maximal_s; /* maximal_backoff_time */
};

/*
 * How long a mail waits after an attempt that left something undone.
 * R-BACKOFF-AGE (F9.9): its age since creation, capped by the maximum, then
 * raised to the minimum. age_s: 0 when the time of creation is not known.
 */
int64_t mta_backoff_delay_s(struct mta_backoff b, int64_t age_s);

/* The latest wake time of a file that a scan may take now, whole seconds.
 * R-DUE-GRACE (F4.7 step 2): a second early. */
int64_t mta_due_latest_s(mta_time now);

struct mta_lifetimes {
	int32_t mail_s;	  /* maximal_queue_lifetime */
	int32_t bounce_s; /* bounce_queue_lifetime, after R-PARAM-FIXES */
};

/*
 * Is a mail too old to be kept after a failed attempt? R-EXPIRE (F9.7 step 5):
 * age since creation >= the lifetime, chosen by empty sender alone.
 */
bool
mta_mail_has_expired(struct mta_lifetimes l, mta_addr sender, int64_t age_s);

/*
 * When the sender of new mail is to be warned, or 0: never. R-WARN-TIME
 * (F10.4): whole second of arrival + delay_warning_time; not for delay 0, not
 * for the empty sender.
 */
int64_t mta_warn_time_s(mta_time arrival, mta_addr sender, int32_t delay_s);

/* Is a warning due at the end of a failed attempt? warn_s: 0 or less when there
 * is none to send. R-WARN-DUE (F9.7 step 5): a second early. */
bool mta_warning_is_due(mta_time now, int64_t warn_s);

/* ---- Queue manager's turn --------------------------------------------- */

struct mta_flow {
	int32_t tokens; /* in the pipe */
	int32_t level;	/* default_process_limit */
	int32_t in_flow_delay_s;
	bool took_incoming;    /* this pass admitted, last from incoming */
	bool incoming_is_open; /* an incoming scan is open */
};

/* Tokens to put into the pipe at the end of a pass; negative: to drop from it.
 * R-FLOW-TOKENS (F3.3) */
int32_t mta_flow_change(const struct mta_flow *f);

struct mta_active_fill {
	int32_t active_count; /* mails in active */
	int32_t active_limit; /* qmgr_message_active_limit */
};

/* The other of incoming and deferred. */
static inline enum mta_queue
mta_turn_other(enum mta_queue queue)
{
	mta_assert(queue == MTA_INCOMING || queue == MTA_DEFERRED);
	return queue == MTA_INCOMING ? MTA_DEFERRED : MTA_INCOMING;
}

/*
 * Which queue the next pass looks at first. R-SCAN-TURN (F4.3): the one that
 * was not looked at last; incoming when active is full.
 * last  the queue that this pass looked at last (deferred if it looked at none)
 */
enum mta_queue mta_turn_next(enum mta_queue last, struct mta_active_fill fill);

/* ---- Recipients in memory --------------------------------------------- */

enum {
	MTA_READ_MAX = 5000
}; /* recipients in one read, whatever the limits */

struct mta_read_view {
	int32_t recipient_limit; /* qmgr_message_recipient_limit */
	int32_t recipient_total; /* recipients in core, all mail */
	int64_t message_limit;	 /* slots that this mail owns */
	int32_t message_count;	 /* of them in use */
};

/* Live recipients to read at admission. R-READ-FIRST (F5.2) */
int32_t mta_read_first_count(const struct mta_read_view *v);
/* Live recipients to read later. R-READ-REFILL (F5.2) */
int32_t mta_read_refill_count(const struct mta_read_view *v);

struct mta_refill_view {
	int32_t refill_limit;	/* X_recipient_refill_limit */
	int32_t refill_delay_s; /* X_recipient_refill_delay */
	int64_t free_slots;	/* message limit - message count */
	int64_t since_read_s;	/* seconds since the last read */
};

/* Is it worth reading more of a mail whose file has more? R-REFILL-DUE (F6.6)
 */
bool mta_refill_is_due(const struct mta_refill_view *v);

struct mta_slot_account {
	int64_t limit; /* recipient slots owned */
	int32_t count; /* in use */
};

/* Recipient slots that a job can give away; never negative.
 * R-SLOTS-SPARE (F6.9) */
int64_t
mta_slots_spare(struct mta_slot_account job, struct mta_slot_account message);

/* ---- Preemption ------------------------------------------------------- */

struct mta_slot_law {
	int32_t cost;	  /* X_delivery_slot_cost; 0 and 1: no preemption */
	int32_t loan;	  /* X_delivery_slot_loan */
	int32_t discount; /* X_delivery_slot_discount, percent */
	int32_t minimum;  /* X_minimum_delivery_slots */
};

struct mta_job_view {
	int64_t read;	  /* entries made */
	int64_t selected; /* entries handed out */
	int64_t unread;	  /* recipients not read yet, an upper bound */
	int64_t avail;	  /* slot account, in selected entries */
};

/* Entries that the job may have in all. R-JOB-SIZE (F6.1) */
int64_t mta_job_most_entries(const struct mta_job_view *j);
/* Entries that the job may still hand out. R-JOB-SIZE (F6.7, F6.8) */
int64_t mta_job_need(const struct mta_job_view *j);

/* Does the law preempt at all? R-PREEMPT-OFF (F6.5) */
bool mta_preemption_is_on(const struct mta_slot_law *law);

/* Is the current job one that another may jump before a look at who that is?
 * R-PREEMPT-ALLOWED (F6.7): it has credit, and is not too small. */
bool mta_job_may_be_preempted(const struct mta_slot_law *law,
			      const struct mta_job_view *current);

/* Is its credit, with the loan, enough for a jump of `need` entries?
 * R-PREEMPT-CREDIT (F6.7): floating comparison with the discounted need. */
bool mta_job_can_afford(const struct mta_slot_law *law,
			const struct mta_job_view *current, int64_t need);

/* What `entries` cost in slots: charged at the jump for the need, settled at
 * the return for what is left. R-PREEMPT-PRICE (F6.7, F6.11) */
int64_t mta_slot_price(const struct mta_slot_law *law, int64_t entries);

/* Recipient slots advanced to a job that jumps with recipients unread.
 * pool in -extra..0. R-PREEMPT-ADVANCE (F6.7) */
int64_t mta_preempt_advance(int32_t extra_limit, int64_t pool);

/* Most entries that a job which jumps before the current one may need; may be
 * negative. cost >= 1. R-CANDIDATE-ROOM (F6.8) */
int64_t mta_candidate_room(const struct mta_slot_law *law,
			   const struct mta_job_view *current);

/* Does a candidate fit the room: something to do, and not too much?
 * R-CANDIDATE-ROOM (F6.8) */
bool mta_candidate_fits(const struct mta_job_view *j, int64_t room);

/* Age of a waiting job, a floating number per entry. age_s counts from 1 in
 * the second of admission. R-CANDIDATE-SCORE (F6.8) */
double mta_candidate_score(const struct mta_job_view *j, int64_t age_s);

/* Can no later unstacked job beat the best score? R-CANDIDATE-SCORE (F6.8) */
bool mta_candidate_search_ends(int64_t age_s, double best_score);

/* ---- Agents ----------------------------------------------------------- */

enum {
	MTA_PENDING_MAX = 2
}; /* unanswered requests for an agent (F8.2) */

struct mta_dest_load {
	int32_t window; /* parallel deliveries allowed */
	int32_t busy;	/* deliveries running */
	int32_t todo;	/* waiting entries */
};

/*
 * What is left of a transport's need for entries that could start, after one
 * more living destination; <= 0: another agent is worth asking for. Starts at
 * pending + 1. R-AGENT-NEED (F8.3): a window below busy raises the need.
 */
int64_t mta_agent_need(int64_t need, struct mta_dest_load d);

/* ---- Remote answers --------------------------------------------------- */

enum mta_failure_kind {
	MTA_FAIL_REPLY, /* the server answered with 4xx or 5xx */
	MTA_FAIL_LOST,	/* connection lost */
	MTA_FAIL_TIMEOUT,
	MTA_FAIL_REFUSED, /* connect only, as the next */
	MTA_FAIL_UNREACHABLE,
	MTA_FAIL_DNS_SOFT,    /* lookup failed for now, 4.4.3 */
	MTA_FAIL_DNS_NONE,    /* no such name, or malformed, 5.4.4 */
	MTA_FAIL_NULL_MX,     /* the domain takes no mail, 5.1.0 */
	MTA_FAIL_LOOP,	      /* mail loops back to us, best MX, 5.4.6 */
	MTA_FAIL_LOOP_BACKUP, /* the same at a lesser MX, 4.4.6 */
	MTA_FAIL_NO_TLS,      /* TLS required, not offered, 4.7.4 */
	MTA_FAIL_TLS_BAD,     /* TLS required, not to be trusted, 4.7.5 */
	MTA_FAIL_TLS_MAY,     /* handshake failed, TLS not required, 4.7.5 */
	MTA_FAIL_AUTH,	      /* SASL failed, 4.7.0 */
	MTA_FAIL_TOO_BIG,     /* larger than the server's SIZE, 5.3.4 */
	MTA_FAIL_NO_UTF8,     /* SMTPUTF8 needed, not offered, 5.6.7 */
	MTA_FAIL_LOCAL_DATA,  /* our own file could not be read, 4.3.0 */
	MTA_FAIL_TIME_LIMIT,  /* a command of pipe ran too long, 5.3.0 */
};

struct mta_failure {
	enum mta_smtp_step step;    /* at which it happened */
	enum mta_failure_kind kind; /* what happened */
	int32_t reply_code;	    /* 421, 550, ...; of a reply only */
	struct mta_dsn dsn;	    /* of the reply; class 0: it had none */
};

/* What the request has seen, and how the agent is configured. */
struct mta_request_view {
	bool is_last_server;	/* no other server left to try */
	bool session_completed; /* one ran through a whole transaction */
	bool hop_is_blamed;	/* a status for the destination is noted */
	bool is_relay;		/* the next hop is a relayhost or fallback */
	bool soft_bounce;
	bool skip_5xx_greeting; /* smtp_skip_5xx_greeting */
};

enum mta_effect {
	MTA_EFFECT_TRY_HELO,	/* go on on the same connection */
	MTA_EFFECT_NEXT_SERVER, /* recipients stay for the next server */
	MTA_EFFECT_DEFER,
	MTA_EFFECT_BOUNCE, /* log as bounced, or as soft bounce */
};

struct mta_verdict {
	enum mta_effect effect;	 /* what becomes of the recipients */
	bool blames_destination; /* becomes the request's hop status */
	bool keeps_connection;	 /* the connection may be cached or go on */
	struct mta_dsn dsn;	 /* class fits the effect */
};

/*
 * What a failure means to the recipients and to the destination. R-BLAME
 * (F11.2). With soft_bounce effect and class stay those of a bounce, which is
 * softened where it is logged, but leaves something undone.
 */
struct mta_verdict mta_failure_judge(const struct mta_failure *f,
				     const struct mta_request_view *v);

/* What a command of pipe did with a message. */
struct mta_command {
	mta_span took;	       /* as long as it would run */
	mta_span limit;	       /* NAME_time_limit */
	const uint16_t *codes; /* of each recipient: 250, or what refuses it */
	uint32_t count;	       /* recipients */
};

/* The same for all its recipients. */
struct mta_command_end {
	bool is_killed; /* MTA_FAIL_TIME_LIMIT; it has no say any more */
	uint16_t code;	/* else 250, or what refuses them */
	mta_span after; /* this is known */
};

/* The one outcome of a request. R-PIPE (F11.8): the time limit comes first,
 * then the first refusal. */
struct mta_command_end mta_command_judge(const struct mta_command *c);

/* A code whose class fits the call, else class.0.0. R-DSN-FIT (F9.1) */
struct mta_dsn mta_dsn_fit(struct mta_dsn dsn, uint8_t class);
/* 5.x.y as 4.x.y. R-SOFT-BOUNCE (F9.1) */
struct mta_dsn mta_dsn_soften(struct mta_dsn dsn);

/* ---- Names and numbers that operators see ----------------------------- */

struct mta_queue_id_parts {
	mta_time created; /* when the file was made */
	uint64_t inode;	  /* number of the file */
};

/* Queue ids. buf: MTA_ID_TEXT_MAX bytes. R-QUEUE-ID (F1.4) */
void mta_queue_id_short(struct mta_queue_id_parts id, char *buf);
void mta_queue_id_long(struct mta_queue_id_parts id, char *buf);
/* Is the name a long one: its last z at index 10 or later? R-QUEUE-ID (F1.4) */
bool mta_queue_id_is_long(const char *id);

/* The first `depth` hash characters of an id, a string. buf: depth + 1 bytes.
 * R-QUEUE-HASH (F1.5) */
void mta_queue_id_hash(const char *id, int32_t depth, char *buf);

/*
 * A delay as in delays=a/b/c/d. R-DELAY-FORMAT (F14.5): two significant digits
 * below 100 s, at most `decimals` digits after the point, whole seconds above,
 * rounded half up, no trailing zeros; negative is 0. buf: MTA_DELAY_SIZE bytes.
 */
enum {
	MTA_DELAY_SIZE = 32
};
void mta_delay_format(mta_span delay, int32_t decimals, char *buf);

struct mta_shape_scale {
	int32_t tick_minutes; /* upper end of the first bucket, > 0 */
	int32_t buckets;      /* how many, > 0 */
	bool is_linear;	      /* else each bucket is twice the one before */
};

/* Bucket of an age, 1..buckets. R-SHAPE-BUCKET (F12.3) */
int32_t mta_shape_bucket(const struct mta_shape_scale *scale, int64_t age_s);

#endif
