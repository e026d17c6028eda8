/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The job scheduler of facts F6, written as literally as can be, on plain
 * growing arrays and linear searches. It is the second opinion for src/mta's
 * scheduler: slow, small, and with nothing to hide a mistake in. It decides
 * only which entry goes next and how many recipients are in memory; it knows no
 * clock (time is an argument), no feedback (windows are set by the caller) and
 * no delivery.
 *
 * Use: transports and queues are made first; ns_admit() takes a message with
 * all its recipients and reads as many as F5.2 allows; ns_select() is called
 * when an agent is ready; ns_finish() when its delivery has ended. Recipients
 * come to a queue by the resolver, called again for each read, since a queue
 * may be dead by then.
 *
 * All objects belong to the scheduler and live until ns_free(), except messages
 * (freed by ns_forget()) and queues (ns_queue_drop()). The argument now is
 * microseconds; the rules see whole seconds of it.
 */
#ifndef TESTS_REFERENCE_NAIVE_SCHED_H
#define TESTS_REFERENCE_NAIVE_SCHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ns_sched;
struct ns_msg;
struct ns_job;
struct ns_peer;
struct ns_queue;

struct ns_list { /* a growing array of pointers, order kept */
	void **at;
	size_t n;
	size_t room;
};

struct ns_params { /* one transport's parameters (F13.1) */
	int slot_cost;
	int slot_loan;
	int slot_discount; /* percent */
	int min_slots;
	int recipient_limit; /* the pool */
	int extra_limit;     /* overdraft of the pool */
	int refill_limit;
	int64_t refill_delay_s;
	int batch_limit; /* recipients in one delivery; 0 none */
	int initial;	 /* window of a fresh queue */
};

struct ns_rcpt {
	const char *address; /* borrowed */
	int k;		     /* position within the message */
	bool done;	     /* finished: skipped by reads */
};

struct ns_entry { /* one delivery */
	struct ns_msg *msg;
	struct ns_job *job;
	struct ns_peer *peer;
	struct ns_queue *queue;
	struct ns_list rcpts; /* struct ns_rcpt */
	bool busy;
	void *user; /* the caller's */
};

struct ns_queue {
	struct ns_transport *transport;
	char *name;
	int window; /* 0 dead, -1 suspended */
	int busy;
	struct ns_list todo; /* struct ns_entry, waiting */
	int tag;	     /* blocker mark */
	void *user;	     /* the caller's */
};

struct ns_transport {
	char *name;
	struct ns_params p;
	struct ns_list jobs;	/* scheduling order */
	struct ns_list by_time; /* admission order */
	struct ns_list queues;	/* creation order */
	struct ns_job *cur;
	struct ns_job *next_unread;
	int pool;
	struct ns_job *cache_owner;
	struct ns_job *cache_result;
	int64_t cache_time;
	int tag;
	void *user; /* the caller's */
};

struct ns_msg {
	struct ns_sched *sched;
	struct ns_rcpt *rcpts; /* in file order */
	int n;
	int next;  /* first not yet read */
	bool more; /* the read stopped before the end was seen */
	int unread;
	int rcpt_count;
	int rcpt_limit;
	int refs;	  /* entries in memory */
	int64_t queued_s; /* admission, whole seconds: order and age */
	int64_t refill_s; /* last read, whole seconds */
	struct ns_list jobs;
	void *user; /* the caller's */
};

/* Where a recipient goes now; NULL: it was dealt with and is skipped. */
typedef struct ns_queue *(*ns_resolve_fn)(void *ctx, struct ns_msg *m,
					  struct ns_rcpt *r);

/* recipient_limit, recipient_minimum: qmgr_message_recipient_limit and
 * _minimum. */
struct ns_sched *ns_new(int recipient_limit, int recipient_minimum,
			ns_resolve_fn resolve, void *ctx);

void ns_free(struct ns_sched *s);

struct ns_transport *ns_transport_add(struct ns_sched *s, const char *name,
				      const struct ns_params *p);

struct ns_queue *ns_queue_find(struct ns_transport *t, const char *name);

/* A fresh queue with the transport's initial window, last in the transport's
 * list. */
struct ns_queue *ns_queue_add(struct ns_transport *t, const char *name);

/* The queue must have neither busy nor waiting entries. */
void ns_queue_drop(struct ns_queue *q);

/* Take a message in and read its first recipients; rcpts is taken over. A
 * result with refs 0 has no entries. */
struct ns_msg *ns_admit(struct ns_sched *s, struct ns_rcpt *rcpts, int n,
			int64_t now, void *user);

/* Read the rest (F9.7 step 3); true when that produced entries. */
bool ns_refill(struct ns_msg *m, int64_t now);

/* The entry for an agent of t that is ready; NULL when there is none. Its
 * queue's busy count is raised. */
struct ns_entry *ns_select(struct ns_transport *t, int64_t now);

/* An entry, busy or waiting, has ended. Frees it; true when it was the
 * message's last in memory. */
bool ns_finish(struct ns_entry *e, int64_t now);

/* The same in two halves, for what must happen between (F7.11: rate delay
 * before the blockers are looked at). */
void ns_finish_count(struct ns_entry *e, int64_t now);

bool ns_finish_drop(struct ns_entry *e, int64_t now);

/* A queue may have become usable (F6.10). */
void ns_unblock(struct ns_queue *q);

/* Move a waiting entry to another queue as a new entry, finishing the old one
 * (F9.3). */
void ns_move_entry(struct ns_entry *e, struct ns_queue *to, int64_t now);

/* The message leaves memory; it must have no entries. */
void ns_forget(struct ns_msg *m);

/* The message of a job. */
struct ns_msg *ns_job_mail(const struct ns_job *j);

/* Recipients in entries in memory, over all messages. */
int ns_rcpt_total(const struct ns_sched *s);

#endif
