/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the parts of the receiver share: the state beyond the plain case, hash
 * tables of numbers, and who draws where.
 *
 * receiver.c        life, phases and outages, connect and close
 * receiver_door.c   caps, processes and backlog, waiting and polling
 * receiver_talk.c   a transaction, reply rules
 * receiver_limits.c token bucket, greylist, tables
 * receiver_check.c  what a config cannot mean
 */
#ifndef MODEL_RECEIVER_PRIVATE_H
#define MODEL_RECEIVER_PRIVATE_H

#include "model/receiver.h"

/* The parts of a cursor (try, host, purpose): one more rule shifts nothing. */
enum receiver_purpose {
	PURPOSE_CONNECT,
	PURPOSE_GREETING,
	PURPOSE_FAIL,
	PURPOSE_TRANSFER,
	PURPOSE_PER_RECIPIENT,
	PURPOSE_SERVERS,
	PURPOSE_UP, /* outages, by their number */
	PURPOSE_DOWN,
	PURPOSE_RULE, /* and the following: reply rules */
	PURPOSE_MOST = 64,
};

/* A hash table from 64-bit hashes to two numbers; open addressing. {0} is
 * empty. Texts are not kept: a false meeting has chance 2^-64 a pair. */
struct receiver_cell {
	uint64_t key; /* 0: free */
	int64_t first;
	int64_t last;
};

struct receiver_table {
	struct receiver_cell *cells; /* owned; a power of two of them */
	size_t size, used;
};

enum waiter_kind {
	WAITER_KNOCKING, /* its connects are dropped, it repeats them */
	WAITER_QUEUED,	 /* accepted by the system, waits for a process */
};

struct waiter {
	struct receiver_call call;
	enum waiter_kind kind;
	int64_t deadline_us; /* the client gives up */
	int64_t next_us;     /* its next knock */
	int64_t gap_us;	     /* between the last knock and the next */
};

struct receiver_outage {
	uint64_t number;	/* of the one behind it */
	int64_t from_us, to_us; /* down from, to */
};

struct receiver_extra {
	struct waiter *waiters; /* owned; in order of coming */
	size_t waiter_count, waiter_room;
	int64_t *leaving; /* owned; when connections being refused close */
	size_t leaving_count, leaving_room;
	struct {
		double level, penalty_level; /* tokens */
		int64_t at_us;		     /* of the levels */
		int64_t penalty_until_us;
	} bucket;
	int64_t cap_penalty_until_us; /* 0: none */
	int64_t polled_us;	      /* when last, with somebody waiting */
	struct receiver_outage outage;
	struct receiver_table times; /* rule and address -> tries seen */
	struct receiver_table grey;  /* key -> first seen, last passed */
	struct receiver_table known; /* client -> good ones, last counted */
};

/* 20 bits of tries, 6 of hosts, 6 of purposes. */
static inline uint32_t
receiver_part(uint32_t try, uint32_t host, enum receiver_purpose purpose)
{
	return try << 12 | (host & 63) << 6 | (uint32_t)purpose;
}

/* The state beyond the plain case, made on first use. Never NULL. */
struct receiver_extra *receiver_extra(struct receiver *receiver);

/* realloc that ends the program with a sentence when memory is gone. */
void *receiver_grow(void *old, size_t count, size_t size);

/* receiver.c */
const struct receiver_phase *
receiver_phase_find(struct receiver *receiver, int64_t now_us);

static inline const struct receiver_phase *
receiver_phase_at(struct receiver *receiver, int64_t now_us)
{
	if (receiver->config->phase_count == 1)
		return receiver->config->phases;
	return receiver_phase_find(receiver, now_us);
}

enum receiver_state
receiver_state_at(struct receiver *receiver, const struct receiver_phase *phase,
		  int64_t now_us);
/* The state of this host lets nobody in: says how. */
bool
receiver_is_shut(struct receiver *receiver, const struct receiver_call *call,
		 struct receiver_answer *answer);
/* A process takes the connection: number, failures, banner. */
struct receiver_answer
receiver_accept(struct receiver *receiver, const struct receiver_call *call,
		struct receiver_conn *conn,
		const struct receiver_answer *refusal);
struct receiver_answer
receiver_failed(enum receiver_step step, enum receiver_cause cause, int code,
		int64_t after_us);
/* How long this client waits at a step; RECEIVER_NEVER: as long as it takes. */
int64_t receiver_patience(const struct receiver_client *client,
			  enum receiver_step step);
/* A failure as this client meets it: as a timeout of the step, if it waits no
 * longer than that. */
struct receiver_answer receiver_heard_by(const struct receiver_client *client,
					 struct receiver_answer answer);

/* receiver_door.c: may this connection come in? */
enum door {
	DOOR_OPEN,
	DOOR_ANSWER, /* accepted, but told the answer */
	DOOR_SHUT,   /* not accepted: the answer */
	DOOR_SILENT, /* dropped: knocks again */
	DOOR_QUEUE,  /* waits for a process */
};
enum door
receiver_door(struct receiver *receiver, const struct receiver_call *call,
	      struct receiver_answer *answer);
void receiver_leave(struct receiver *receiver, int64_t at_us);
void receiver_wait(struct receiver *receiver, const struct receiver_call *call,
		   enum waiter_kind kind);

/* receiver_talk.c: the code of the first rule of a step that fits, or 0. */
struct reply_question {
	enum receiver_step step;
	uint64_t message;
	uint32_t try, host, recipient;
	const char *address; /* NULL: not known */
};
int
receiver_reply_code(struct receiver *receiver,
		    const struct receiver_phase *phase,
		    const struct reply_question *question, int64_t *after_us);

/*
 * M-RECEIVER-PAUSE: answers that a server holds back on purpose, from clients
 * that name many recipients or make many errors. A pause is silence before the
 * answer; together they may be longer than the client waits, which is for who
 * asks to find. The only state is the count of errors in the connection:
 * where that is 0, only a recipient can have to wait.
 */

/* How much later than usual a session with so many errors gets an answer. */
static inline int64_t
receiver_answer_pause(const struct receiver_config *config,
		      const struct receiver_conn *conn)
{
	const struct receiver_errors *errors = &config->errors;

	return conn->errors > errors->after ? errors->pause_us : 0;
}

/* The same for recipient i, from 0, of a message. */
static inline int64_t
receiver_recipient_pause(const struct receiver_config *config,
			 const struct receiver_conn *conn, uint32_t i)
{
	const struct receiver_tarpit *tarpit = &config->tarpit;

	return receiver_answer_pause(config, conn) +
	       (i >= tarpit->after ? tarpit->pause_us : 0);
}

/* Do its errors end this session? */
static inline bool
receiver_is_fed_up(const struct receiver_config *config,
		   const struct receiver_conn *conn)
{
	int64_t most = config->errors.most;

	return most > 0 && conn->errors >= most;
}

/* receiver_limits.c */
/* The cell of a key, added as {key, 0, -1} if new. */
struct receiver_cell *
receiver_table_at(struct receiver_table *table, uint64_t key);
void receiver_table_release(struct receiver_table *table);
uint64_t receiver_hash_text(uint64_t hash, const char *text);
/* Take n tokens, or none if there are not so many. */
bool receiver_take(struct receiver *receiver, int64_t now_us, uint32_t n);
/* Is the penalty of the rate in force? */
bool receiver_is_punishing(struct receiver *receiver, int64_t now_us);
/* Would receiver_take(1) fail? Takes nothing. */
bool receiver_is_empty(struct receiver *receiver, int64_t now_us);
bool receiver_is_grey(struct receiver *receiver, uint32_t client,
		      const char *sender, const char *address, int64_t now_us);
/* Are good deliveries of a client counted at all? */
static inline bool
receiver_counts_good(const struct receiver_config *config)
{
	return config->greylist.delay_us > 0 &&
	       config->greylist.whitelist_after > 0;
}
void
receiver_count_good(struct receiver *receiver, uint32_t client, int64_t now_us);

#endif
