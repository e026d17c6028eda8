/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The queue manager: moves mail from incoming and deferred into active as long
 * as there is room (a leaky bucket), hands it to delivery agents in an order
 * that a preemptive scheduler decides, watches each destination, and finishes
 * what was tried.
 *
 *   qmgr.c         start, the turn (one pass), notes, flow control     F4, F3.3
 *   qmgr_scan.c    queue runs over incoming and deferred               F4.2
 *   qmgr_feed.c    one file into active; its recipients become entries F5
 *   qmgr_resolve.c from an address to a destination                    F5.4
 *   qmgr_finish.c  what becomes of a tried mail                        F9
 *   transport.c    agents wanted, ready, throttled                     F8
 *   dest.c         destinations: window, death                         F7
 *   entry.c        entries to do and busy, and their peers             F5.7
 *   job.c          the scheduler: jobs, preemption                     F6
 *   order.c        its indexes: what could start, without a walk
 *
 * A mail in core (struct mta_qmail) has one job for each transport it needs; a
 * job has one peer for each destination; a peer has entries, the requests that
 * go to agents. A destination counts the same entries as to do and busy.
 *
 *   qmail --< job --< peer --< entry >-- dest >-- transport
 */
#ifndef MTA_QMGR_H
#define MTA_QMGR_H

#include "mta/host.h"
#include "mta/list.h"
#include "mta/params.h"
#include "mta/pool.h"
#include "mta/tree.h"
#include "mta/rules.h"
#include "mta/table.h"

/* Flags of a queue run and of the mail it feeds (F4.2). */
enum mta_scan_flag {
	MTA_RUN_START = 1,
	MTA_RUN_ALL = 2,	 /* ignore wake times */
	MTA_RUN_FLUSH_ONCE = 4,	 /* forget dead destinations now */
	MTA_RUN_DEFER_ALSO = 8,	 /* override defer_transports */
	MTA_RUN_FLUSH_EACH = 16, /* this mail revives what it needs */
	MTA_RUN_FORCE_EXPIRE = 32,
};

/* A queue run. Invariant: flags belong to the open run, next to a later one. */
struct mta_run {
	struct mta_scan dir;  /* its directory, open while it is */
	enum mta_queue queue; /* incoming or deferred */
	bool is_through;      /* the open run has no name left; it ends with the
				 next look */
	uint32_t flags;	      /* of the run that is open */
	uint32_t next;	      /* of the next */
};

/* A recipient in core that is not the first of its entry, which holds that. */
struct mta_rcpt {
	struct mta_pooled pooled;
	struct mta_recipient to; /* address, and place in the file */
	struct mta_rcpt *next;	 /* in its entry, in order of assignment */
};

/* One delivery request: recipients of one mail at one destination. Most have
 * one. */
struct mta_entry {
	struct mta_pooled pooled;
	struct mta_list in_dest; /* dest's entries to do, else off */
	struct mta_entry *next;	 /* waiting behind it in its peer, or NULL */
	struct mta_peer *peer;
	struct mta_dest *dest;	 /* the peer's */
	int32_t rcpt_count;	 /* at least 1 */
	bool is_busy;		 /* with an agent */
	bool has_jumped;	 /* its job stood before another one for it */
	struct mta_recipient to; /* the first recipient, */
	struct mta_rcpt *more;	 /* the others, */
	struct mta_rcpt *last;	 /* and the last of those */
};

/* The entries of one job for one destination. */
struct mta_peer {
	struct mta_pooled pooled;
	struct mta_list in_job;	      /* job's peers, in turn */
	struct mta_tree_node in_dest; /* dest's waiting peers, while it is one;
				       * by the place of the job */
	struct mta_entry *first; /* not yet handed out, the oldest; or NULL */
	struct mta_entry *last;	 /* and the youngest, if there is a first */
	struct mta_job *job;
	struct mta_dest *dest; /* NULL: an unused first_peer */
	int32_t entry_count;   /* waiting and busy */
};

/*
 * One mail on one transport. On the transport's lists while level >= 0; the
 * slot account outlives that, for a job that comes back (F6.4).
 */
struct mta_job {
	struct mta_pooled pooled;
	struct mta_job *next;	     /* mail's job created next, or NULL */
	struct mta_list in_order;    /* transport's jobs, scheduling order */
	struct mta_list in_special;  /* those to be visited whatever is open */
	struct mta_list in_exempt;   /* passed ones that are not blocked */
	struct mta_list in_unread;   /* those with recipients unread, by time */
	struct mta_list in_children; /* parent's children */
	struct mta_list children;    /* jobs that jumped before this one */
	struct mta_list peers;
	struct mta_peer first_peer; /* one of them, unless its dest is NULL */
	struct mta_qmail *mail;
	struct mta_transport *transport; /* NULL: an unused first_job */
	struct mta_job *parent;		 /* before which it jumped, or NULL */
	struct mta_peer *last_peer;	 /* assigned to last: likely the next */
	int32_t peer_count;
	int32_t level; /* depth of preemption; -1 not on the lists */
	int64_t avail; /* slot account, in selected entries */
	int64_t used;  /* handed out since its jump, less what was paid for */
	int64_t selected;    /* entries handed out */
	int64_t read;	     /* entries made */
	int32_t rcpt_count;  /* recipients in its entries */
	int64_t rcpt_limit;  /* recipient slots that it owns */
	int64_t place;	     /* orders jobs as `order` does */
	uint64_t link_count; /* when it was linked: ties of the same second */
	uint64_t exempt_tag; /* the transport's: passed, but not blocked */
};

/* Where a mail in core is in its end game (F9.7); the steps that wait. */
enum mta_finish_step {
	MTA_FINISH_NONE,
	MTA_FINISH_BOUNCE, /* the bounce service notifies the sender */
	MTA_FINISH_EXPIRE, /* the same from the defer log */
	MTA_FINISH_WARN,   /* delay warning */
};

/* A mail in core: it is in active, and counts there until it is freed. */
struct mta_qmail {
	struct mta_pooled pooled;
	struct mta_ref file;   /* in active, unless somebody moved it */
	struct mta_file shown; /* the file, as it was admitted */
	struct mta_job *jobs;  /* in order of creation */
	int32_t entry_count;   /* in core, waiting and busy */
	int32_t rcpt_count;    /* recipients in core */
	int64_t rcpt_limit;    /* slots of its own and of all its jobs */
	int64_t unread;	       /* recipients not read yet, an upper bound */
	uint32_t more;	       /* offset to read on at, 0: all is read */
	uint32_t flags;	       /* enum mta_scan_flag bits */
	int64_t queued_s;      /* second of admission: the scheduler's age */
	int64_t read_s;	       /* second of the last read */
	mta_time active_time;  /* when it was admitted */
	enum mta_finish_step step; /* what is waited for */
	bool is_incomplete;	   /* some recipient is left */
	bool has_bounced; /* the sender was notified of some recipient, now
			     or when it was in active before */
	bool has_expired; /* the same for its age */
	struct mta_job first_job; /* one, unless its transport is NULL */
};

enum mta_dest_state {
	MTA_DEST_READY,
	MTA_DEST_DEAD,
	MTA_DEST_SUSPENDED, /* rate delay after a delivery */
};

/* A destination queue of a transport (F7.1). Forgotten when ready and empty. */
struct mta_dest {
	struct mta_pooled pooled;
	struct mta_list in_transport; /* in order of creation */
	struct mta_list todo;	      /* entries waiting */
	struct mta_tree peers;	      /* that have entries to do, by place */
	uint32_t open_place;	      /* in the transport's heap, from 1; 0 */
	struct mta_transport *transport;
	struct mta_qmgr *qmgr;
	mta_sym name;	 /* the queue's name (F5.5) */
	mta_sym nexthop; /* what the agent is told */
	bool owns_names; /* both; else the router keeps them */
	enum mta_dest_state state;
	struct mta_window window; /* meaningful when ready; 0 when dead */
	int32_t todo_count;	  /* entries waiting */
	int32_t busy_count;	  /* entries with an agent */
	int32_t startable;	  /* its part of the transport's sums */
	struct mta_status why;	  /* while dead; reason owned */
	struct mta_timer timer;	  /* revival, or end of suspension */
	int64_t last_done_s;	  /* 0: no delivery has ended yet */
	int64_t next_warn_s;	  /* clog warning not before */
	struct mta_cache_hints hints;
	uint64_t tag; /* the transport's: a blocked job waited for it */
};

/* The candidate that was found last, and for whom (F6.8). */
struct mta_candidate_cache {
	struct mta_job *owner;	/* NULL: nothing cached */
	struct mta_job *result; /* NULL: there is none */
	int64_t time_s;		/* second of the search */
};

/* A transport: delivery agents of one kind, and who waits for them (F8.1). */
struct mta_transport {
	struct mta_list in_qmgr; /* order of the round robin */
	struct mta_qmgr *qmgr;
	mta_sym name;			    /* owned */
	struct mta_transport_params params; /* as in force at its making */
	struct mta_window_law window_law;   /* of these, as the next */
	struct mta_slot_law slot_law;
	struct mta_list dests; /* in order of creation */
	bool defers_by_rule;   /* named in defer_transports */
	bool is_service;       /* error or retry: text for a next hop */
	/* agents */
	int32_t pending;       /* asked for and not yet heard of, at most 2 */
	bool is_throttled;     /* no agent could be had */
	bool is_rate_locked;   /* one delivery at a time */
	struct mta_status why; /* while throttled; reason owned */
	struct mta_timer retry_timer; /* end of the throttle */
	struct mta_timer rate_timer;  /* holds waiting_agent back */
	struct mta_ref waiting_agent; /* ready, but held back */
	/* entries that could start now, over ready destinations: the positive
	 * terms of F8.3 and the negative ones, apart */
	int64_t startable_sum;
	int64_t deficit_sum;
	/* scheduler */
	struct mta_list order;	     /* jobs as they are scheduled */
	struct mta_job *current;     /* where a selection begins, or NULL */
	struct mta_list unread;	     /* jobs with recipients unread, by time */
	struct mta_job *next_unread; /* first in the line for slots */
	int64_t slots; /* recipient slots nobody uses; may be negative */
	struct mta_candidate_cache cache;
	/* blockers and what could start: order.c */
	uint64_t tag; /* changes whenever all blocked jobs are set free */
	uint64_t link_count;	      /* jobs ever linked */
	struct mta_job *frontier;     /* first job not passed; NULL: all are */
	struct mta_list exempt;	      /* passed and not blocked */
	struct mta_list special;      /* unread or without entries, by place */
	struct mta_job *special_next; /* first of them not passed */
	struct mta_dest **open;	      /* heap: dests where an entry can start */
	uint32_t open_count;
	uint32_t open_capacity;
};

struct mta_qmgr {
	struct mta_host host;		 /* of its own; host.loop is its loop */
	const struct mta_params *params; /* borrowed */
	struct mta_timer turn;		 /* notes wait, or a pass is due */
	struct mta_timer run_timer;	 /* queue_run_delay */
	struct mta_run incoming;	 /* the two queue runs */
	struct mta_run deferred;
	enum mta_queue first;		  /* looked at first in the next pass */
	bool is_running;		  /* between start and stop */
	uint32_t active_count;		  /* mails in core */
	int32_t rcpt_total;		  /* recipients in core */
	uint32_t dest_total;		  /* destinations in core */
	uint32_t batch_count;		  /* deliveries handed out */
	int64_t startable_sum;		  /* over the transports */
	struct mta_list transports;	  /* order of the round robin */
	struct mta_table transport_index; /* by name */
	struct mta_transport *asked_for;  /* last by name: likely the next */
	struct mta_table dest_index;	  /* by transport and name */
	struct mta_table peer_index;	  /* by job and dest; large jobs */
	struct mta_pool mails;		  /* struct mta_qmail */
	struct mta_pool jobs;	     /* those that are not a mail's first */
	struct mta_pool peers;	     /* those that are not a job's first */
	struct mta_pool entries;     /* struct mta_entry */
	struct mta_pool rcpts;	     /* those that are not an entry's first */
	struct mta_pool dests;	     /* struct mta_dest */
	struct mta_reading *reading; /* scratch of qmgr_feed.c */
	mta_sym retry_name;	     /* owned, as the next */
	mta_sym error_name;
};

/* ---- qmgr.c ------------------------------------------------------------ */

/*
 * A queue manager that has not started. host, params: borrowed for as long as
 * it lives; host.loop is its own loop. Attaches itself to the port.
 */
void mta_qmgr_init(struct mta_qmgr *q, const struct mta_host *host,
		   const struct mta_params *params);
/* Stop, and give back all memory. */
void mta_qmgr_release(struct mta_qmgr *q);
/*
 * Start as F1.15: whatever lies in active goes back to incoming, an incoming
 * and a deferred run begin, and the queue run timer is armed. params have the
 * values by now that are to be in force.
 */
void mta_qmgr_start(struct mta_qmgr *q);
/* End at once, as by a crash: all that was known is forgotten, handles of it
 * find nothing any more, what was in active stays there for the next start. */
void mta_qmgr_stop(struct mta_qmgr *q);
/* A pass is due: something happened outside of a note. */
void mta_qmgr_wake(struct mta_qmgr *q);

/* ---- qmgr_scan.c -------------------------------------------------------- */

/* A run that is not open and not asked for. */
void mta_run_init(struct mta_run *r, enum mta_queue queue);
/* Ask for a queue run, or change the one that is open (F4.2). */
void mta_run_request(struct mta_qmgr *q, struct mta_run *r, uint32_t flags);
static inline bool
mta_run_is_open(const struct mta_run *r)
{
	return r->dir.is_open;
}
/* End the open run. */
void mta_run_end(struct mta_qmgr *q, struct mta_run *r);
/* Is it open, or asked for? Else mta_run_next finds nothing. */
static inline bool
mta_run_has_work(const struct mta_run *r)
{
	return r->dir.is_open || (r->next & MTA_RUN_START);
}
/* The next file of the run (R-SCAN-RESTART, F4.2). skips_max: see spool.h.
 * MTA_SCAN_END: none, and none asked for. */
enum mta_scan_result
mta_run_next(struct mta_qmgr *q, struct mta_run *r, uint32_t skips_max,
	     struct mta_scan_item *item);

/* ---- qmgr.c ------------------------------------------------------------- */

/* The pass has come to its end at `last`: who is first in the next one.
 * R-SCAN-TURN (F4.3) */
void mta_qmgr_pass_turn(struct mta_qmgr *q, enum mta_queue last);

/* ---- qmgr_feed.c -------------------------------------------------------- */

/* Take a file that is due into active (F4.7). Answers whether it was fed. */
bool mta_qmgr_feed(struct mta_qmgr *q, struct mta_run *r, struct mta_ref file);
/* Read more recipients of a mail in core (F5.2). Fails when the file cannot be
 * read, or has gone from active. */
enum mta_err mta_qmail_refill(struct mta_qmgr *q, struct mta_qmail *m);
/* Give back the scratch memory of reads. */
void mta_reading_release(struct mta_qmgr *q);

/* ---- qmgr_resolve.c ----------------------------------------------------- */

/* The destination of a recipient (R-RESOLVE, F5.4), made when new; NULL: it
 * needs no entry, for it is deferred or discarded already. to: borrowed. */
struct mta_dest *mta_qmail_resolve(struct mta_qmgr *q, struct mta_qmail *m,
				   const struct mta_recipient *to);

/* ---- qmgr_finish.c ------------------------------------------------------ */

/* All entries of a mail are finished: notify, expire, defer, remove (F9.7). */
void mta_qmail_done(struct mta_qmgr *q, struct mta_qmail *m);
/* The bounce service has answered. */
void mta_qmail_notified(struct mta_qmgr *q, struct mta_qmail *m, bool failed);
/* An agent's final reply (F9.2). */
void mta_entry_reply(struct mta_qmgr *q, struct mta_entry *e,
		     const struct mta_note_delivered *reply);
/* Log one recipient as deferred without an agent (F9.1). status: borrowed. */
void
mta_qmail_defer_rcpt(struct mta_qmgr *q, struct mta_qmail *m,
		     const struct mta_recipient *to, struct mta_status status);
/* Count one as sent without an agent: it would get a double bounce (F5.4 f). */
void mta_qmail_discard_rcpt(struct mta_qmgr *q, struct mta_qmail *m,
			    const struct mta_recipient *to);

/* ---- transport.c -------------------------------------------------------- */

/* A new one, before all others in the round robin. name: gains an owner. */
struct mta_transport *mta_transport_create(struct mta_qmgr *q, mta_sym name);
/* The transport of a name, made when new (F8.1). */
static inline struct mta_transport *
mta_transport_get(struct mta_qmgr *q, mta_sym name)
{
	struct mta_transport *t = q->asked_for;

	if (t && t->name == name)
		return t;
	t = mta_table_find(&q->transport_index, name);
	q->asked_for = t ? t : mta_transport_create(q, name);
	return q->asked_for;
}
/* It has no destination any more. */
void mta_transport_free(struct mta_transport *t);
/* Ask for agents as long as entries could start (F8.3). */
void mta_transports_drain(struct mta_qmgr *q);
/* An agent said hello, or there is none (F8.5). */
void mta_transport_agent_ready(struct mta_transport *t, struct mta_ref agent);
void
mta_transport_agent_failed(struct mta_transport *t, struct mta_status status);
/* Avoid it for transport_retry_time, defer what waits (R-TRANSPORT-THROTTLE,
 * F8.6, F9.4). status: its reason stays the caller's. */
void mta_transport_throttle(struct mta_transport *t, struct mta_status status);
/* It is avoided no longer, if it was; its rate lock is let go (F8.6). */
void mta_transport_unthrottle(struct mta_transport *t);
/* Flush: unthrottle all, revive all (F8.8). */
void mta_transports_enable_all(struct mta_qmgr *q);

/* ---- dest.c ------------------------------------------------------------- */

/* The key of a destination in the index. */
static inline uint64_t
mta_dest_key(const struct mta_transport *t, mta_sym name)
{
	/* A transport's name is never the empty symbol. */
	return (uint64_t)t->name << 32 | name;
}
/* The destination of a name, or NULL. name: lower-cased where it must be. */
static inline struct mta_dest *
mta_dest_find(const struct mta_transport *t, mta_sym name)
{
	return mta_table_find(&t->qmgr->dest_index, mta_dest_key(t, name));
}
/* A new one; both symbols gain an owner. */
struct mta_dest *
mta_dest_create(struct mta_transport *t, mta_sym name, mta_sym nexthop);
/* A new one whose names are the router's, which keeps them. */
struct mta_dest *
mta_dest_create_routed(struct mta_transport *t, mta_sym name, mta_sym nexthop);
/* It has no entry, waiting or busy. */
void mta_dest_free(struct mta_dest *d);
/* Free it if it has no entry and is ready, or dead and one too many
 * (R-DEST-FORGET, R-DEST-PRESSURE; F7.7, F7.8). d may be gone afterwards. */
void mta_dest_forget_if_idle(struct mta_dest *d);
/* Positive feedback, or revival of one that is dead (F7.4). */
void mta_dest_alive(struct mta_dest *d);
/* Negative feedback (F7.5), which may kill it; d is ready. status: borrowed. */
void mta_dest_sick(struct mta_dest *d, struct mta_status status);
/* A status as the next hop of a destination of retry: "x.y.z reason", cut to
 * MTA_STATUS_TEXT bytes. text: room for so many. */
enum {
	MTA_STATUS_TEXT = 1024
};
void mta_dest_status_text(const struct mta_qmgr *q, struct mta_status status,
			  char *text);
/* The destination of retry that bears a status, made when new; NULL: retry, or
 * that destination, cannot be used (F9.3). */
struct mta_dest *
mta_dest_for_retry(struct mta_qmgr *q, struct mta_status status);
/* Parallel deliveries it allows now: 0 when dead or suspended. */
static inline int32_t
mta_dest_window(const struct mta_dest *d)
{
	return d->state == MTA_DEST_READY ? d->window.window : 0;
}
/* How many entries could start has changed: keep sums and heap right. */
void mta_dest_set_startable(struct mta_dest *d, int32_t startable);
/* A delivery has ended: it may have to rest (F7.9). */
void mta_dest_rest(struct mta_dest *d);

/* ---- entry.c ------------------------------------------------------------ */

/* A recipient more for a destination, in an entry that waits or a new one
 * (F5.7). to: copied */
void mta_job_assign(struct mta_job *j, struct mta_dest *d,
		    const struct mta_recipient *to);
/* Hand it out: from to do to busy. The job is not indexed anew. */
void mta_entry_start(struct mta_entry *e);
/* Finish it (F7.11): counts, slots, rate delay, blockers, destination, mail.
 * e is freed; its mail may be. */
void mta_entry_finish(struct mta_entry *e);
/* All that waits goes to the retry transport (R-DEFER-WAITING, F9.3). status:
 * borrowed. d may be gone afterwards. */
void mta_dest_defer_todo(struct mta_dest *d, struct mta_status status);

/* ---- job.c -------------------------------------------------------------- */

/* The mail's job on a transport, which is to get an entry next (F6.3). */
struct mta_job *mta_job_obtain(struct mta_qmail *m, struct mta_transport *t);
/* The next entry for an agent that is ready, started; or NULL (F6.5). */
struct mta_entry *mta_job_select(struct mta_transport *t);
/* Recipients of its mail were read: the job may be looked at again (F5.7), and
 * when all were read it returns the slots that it may spare (F6.9). */
void mta_job_was_read(struct mta_job *j);
/* An entry of the job has ended: spare slots of it and of the mail's other
 * jobs (F6.9). */
void mta_job_entry_ended(struct mta_job *j);
/* A destination that blocked jobs wait for may have become usable: they are
 * looked at again (F6.10). */
void mta_dest_unblock(struct mta_dest *d);
/* Free the first job of a mail that ends. */
void mta_job_free(struct mta_job *j);

#endif
