/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A naive model of one mail system and its remote ends, written from the facts
 * alone (F2 to F9, whole-second timers of F0.4, scan order of F1.16), to answer
 * one question: do the facts, read literally, reproduce the recordings? It
 * shares no code with the simulator, searches lists from end to end and knows
 * only what the recorded scenarios use. Where it and src/mta differ, one of
 * them misreads a fact.
 *
 * One struct world; events in an unordered array, the earliest (time, order of
 * setting) is searched for each time. Times are microseconds from t0. Costs are
 * the recording harness's, measured from the recordings.
 */
#ifndef TESTS_REFERENCE_NAIVE_WORLD_H
#define TESTS_REFERENCE_NAIVE_WORLD_H

#include "tests/oracle/recorded.h"
#include "tests/reference/feedback_model.h"
#include "tests/reference/naive_sched.h"

#include <stdio.h>

enum nw_dir {
	NW_NOWHERE,
	NW_INCOMING,
	NW_ACTIVE,
	NW_DEFERRED,
	NW_HOLD,
	NW_REMOVED
};

struct nw_mail {    /* one message, for all its life */
	int number; /* order of submission */
	bool bounce;
	int index; /* row of the trace; of a bounce: the message it tells of */
	char sender[100];
	int n;
	char (*address)[60];
	bool *done;
	int *tries;	  /* attempts that reached RCPT, by recipient */
	int64_t arrival;  /* client's MAIL */
	int64_t created;  /* queue file made */
	int64_t accepted; /* committed */
	int64_t active_at;
	int64_t first_active;
	int64_t wake_s; /* mtime, whole seconds */
	int bucket;	/* deferred sub-directory */
	enum nw_dir dir;
	int64_t entered; /* sequence of the directory entry */
	bool left;	 /* this attempt left something undone */
	int bounced;	 /* recipients in the bounce log */
	bool *in_bounce_log;
	int attempts;
	int64_t ended;
	const char *outcome;
	struct ns_msg *m; /* in memory of the queue manager */
};

enum nw_kind {
	NW_INJECT,
	NW_FILE,
	NW_COMMIT,
	NW_CLIENT_FREE,
	NW_NOTE,
	NW_WAKE,
	NW_AGENT,
	NW_ACCEPT,
	NW_GREETED,
	NW_REPLIED,
	NW_CLOSED,
	NW_REPORT,
	NW_ACTION,
	NW_SAMPLE,
	NW_QMGR_START,
	NW_BOUNCE_MADE
};
enum nw_note {
	NW_TRIGGER,
	NW_READY,
	NW_DELIVERED,
	NW_NOTIFIED,
	NW_FLUSH
};

struct nw_delivery { /* one agent at work */
	struct ns_transport *t;
	struct ns_entry *e;
	struct nw_mail *mail;
	struct nw_end *end; /* remote end; NULL for retry */
	int64_t handed;
	int64_t mail_at;
	int batch;
	int window_queue_busy;
	bool left;
	bool blame;
	const char *why; /* of the blame */
	int n;
	struct ns_rcpt **rcpts; /* copies of the entry's recipients */
	int accepted;
	bool *ok; /* by recipient: accepted at RCPT */
};

struct nw_event {
	int64_t at;
	int64_t seq;
	enum nw_kind kind;
	enum nw_note note;
	int number;
	struct nw_mail *mail;
	struct nw_delivery *d;
	struct ns_transport *t;
};

struct nw_timer {
	int64_t stored_s;
	int kind; /* 0 deferred scan, 1 revive, 2 resume */
	struct ns_queue *q;
};

struct nw_end { /* a remote end */
	const struct rec_dest *rec;
	int connections; /* so far */
	int open;
};

struct nw_transport { /* beside the scheduler's transport */
	bool retry;
	int maxproc;
	int processes;
	int idle;
	int backlog;
	int pending;
	struct fm_rule rule;
	int rate_delay_s;
};

struct nw_queue { /* beside the scheduler's queue */
	struct fm_state fb;
	struct nw_end *end; /* NULL: of retry */
	const char *domain;
	const char *why; /* while dead */
};

struct nw_scan {
	bool open;
	unsigned flags, next;	/* 1 START, 2 ALL */
	struct nw_mail **names; /* what is left of the listing */
	int n, at;
	int subdirs; /* sub-directories still to list */
};

struct world {
	const struct rec_scenario *sc;
	FILE *attempts, *feedback, *series, *messages, *moves;
	int64_t now;
	int64_t seq;
	struct nw_event *events;
	int events_n, events_room;
	struct nw_mail **mails;
	int mails_n;
	struct nw_end *ends;
	/* injector */
	int next_arrival;
	int clients_free;
	bool first_injected;
	bool first_bounce;
	/* spool */
	int subdir_order[16]; /* in order of creation */
	int subdirs_n;
	/* queue manager */
	bool qmgr_up;
	int64_t qmgr_busy; /* until then */
	int64_t wake_seq;  /* the wake event that counts */
	struct nw_event *inbox;
	int inbox_n, inbox_room;
	struct nw_timer *timers;
	int timers_n, timers_room;
	struct nw_scan scan[2]; /* incoming, deferred */
	int first;		/* whose turn */
	int active_count;
	int tokens;
	struct ns_sched *sched;
	struct ns_list transports; /* in choosing order */
	struct ns_transport *retry;
	int batches;
	/* parameters */
	int active_limit;
	int64_t run_delay_s, min_backoff_s, max_backoff_s, lifetime_s,
		bounce_lifetime_s, in_flow_s;
	int process_limit;
};

/* Costs of the recording harness in microseconds, medians over the public
 * recordings. */
enum {
	COST_LATE = 800,	 /* the injector's own lateness */
	COST_FIRST_MAIL = 15000, /* the first message waits for smtpd and
				    cleanup to start */
	COST_SUBMIT = 900,	 /* MAIL to the queue file */
	COST_WRITE = 900,	 /* queue file to commit */
	COST_RCPT_IN = 210,	 /* each further recipient submitted */
	COST_ADMIT = 200,	 /* one admission, in the queue manager */
	COST_RESOLVE = 90,	 /* each further recipient of it */
	COST_PASS = 30,		 /* any other pass of it */
	COST_TIMER = 1200,	 /* a sleep ends later than asked for (F0.4) */
	COST_AGENT_IDLE = 250,	 /* asking an idle agent to its hello */
	COST_AGENT_SPAWN = 8000, /* the same with a new process */
	COST_CONNECT = 250,	 /* request to accept */
	COST_MAIL = 300,	 /* greeting to MAIL */
	COST_DATA = 300,	 /* MAIL to end of data */
	COST_RCPT_OUT = 100,	 /* each further recipient of it */
	COST_ANSWER = 600, /* the destination's own lateness in answering end of
			      data */
	COST_REPLY = 600,  /* answer to log line and report */
	COST_REFUSED = 150, /* request to refusal */
	COST_RETRY = 250,   /* request to report, retry agent */
	COST_BOUNCE = 2500  /* request to the bounce's commit */
};

void nw_event_add(struct world *w, int64_t delay, struct nw_event ev);

int64_t nw_seconds(int64_t us);

/* naive_spool.c */
void
nw_enter(struct world *w, struct nw_mail *m, enum nw_dir dir, const char *why);

struct nw_mail *nw_mail_new(struct world *w, int recipients);

int
nw_list(struct world *w, enum nw_dir dir, int bucket, struct nw_mail ***out);

/* naive_remote.c */
void nw_agent_ask(struct world *w, struct ns_transport *t);

void nw_agent_free(struct world *w, struct ns_transport *t);

void nw_deliver(struct world *w, struct nw_delivery *d);

void nw_remote_event(struct world *w, struct nw_event *ev);

/* naive_turn.c */
void nw_qmgr_init(struct world *w);

void nw_qmgr_start(struct world *w);

void nw_qmgr_note(struct world *w, const struct nw_event *ev);

void nw_qmgr_wake(struct world *w, const struct nw_event *ev);

#endif
