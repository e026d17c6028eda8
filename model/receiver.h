/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A remote end with state: it accepts connections or not, answers step by step,
 * has limits and luck of its own (docs/models.md).
 *
 * No callbacks: a question is asked with the time, and the answer says what
 * happens and after how long, so that the caller needs one event for a connect
 * and one for a transaction. Only a connection that has to wait for others is
 * answered later: the caller keeps a timer at receiver_next_event() and calls
 * receiver_poll() then, and after each receiver_close().
 *
 * Times are microseconds from the start of the scenario. Questions come in
 * order of time, except that a transaction may be asked in advance, for the
 * moment its connection will be ready. Luck is keyed by (message, try): `try`
 * tells the deliveries of one message apart, best as their count so far, so
 * that the first try of a message meets the same luck under every setting that
 * leaves it its number.
 *
 * Memory: 40 bytes each; limits, lists and tables are allocated when a receiver
 * first needs them, and grow with what waits and with distinct addresses.
 */
#ifndef MODEL_RECEIVER_H
#define MODEL_RECEIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/receiver_config.h"
#include "model/stream.h"

#define RECEIVER_NEVER INT64_MAX

struct receiver_extra;

struct receiver {
	const struct receiver_config *config; /* borrowed, settled */
	struct stream stream;
	uint32_t open;		      /* connections in sessions now */
	uint32_t accepted;	      /* connections ever accepted */
	uint32_t deliveries;	      /* transfers timed so far */
	uint32_t phase;		      /* of the last question */
	struct receiver_extra *extra; /* owned, or NULL */
};

/* How long the client waits at each step. 0 at connect: as the system does;
 * from MAIL on: as long as it takes, but a session in which nothing is heard
 * any more is given up as a connect. */
struct receiver_client {
	int64_t dns_us;
	int64_t connect_us;
	int64_t greeting_us; /* the banner, and the answer to HELO */
	int64_t rset_us;     /* is a session that is used again still there? */
	int64_t mail_us;
	int64_t rcpt_us;
	int64_t data_us;      /* the answer to DATA */
	int64_t end_us;	      /* from there to the last answer */
	int64_t syn_first_us; /* first repeat of an unanswered connect; each
			       * next gap is double */
};

/* Postfix's smtp client on Linux: 10 s of DNS tries, connect 30, greeting, mail
 * and recipients 300, DATA 120, end of data 600, RSET 20 s; first repeat after
 * 1 s. */
struct receiver_client receiver_client_default(void);

struct receiver_call {
	int64_t now_us;
	uint64_t message; /* keys the luck */
	uint64_t index;	  /* in its source: chooses from lists by message */
	uint32_t try;
	uint32_t client; /* which client host; for caps of a greylist */
	uint32_t host;	 /* of receiver_servers(), else 0 */
	uint64_t ticket; /* the caller's, given back by receiver_poll() */
	const struct receiver_client *timeouts; /* borrowed while it waits */
};

enum receiver_outcome {
	RECEIVER_READY,	  /* after_us from now, MAIL can be sent; to be
			   * closed by receiver_close() */
	RECEIVER_FAILED,  /* known after_us from now; nothing to close */
	RECEIVER_WAITING, /* receiver_poll() will tell */
};

struct receiver_answer {
	enum receiver_outcome outcome;
	enum receiver_step step;   /* the rest: of FAILED */
	enum receiver_cause cause; /* CODE, REFUSED, TIMEOUT, UNREACHABLE, DNS
				    * or LOST */
	int code;		   /* with cause CODE */
	int64_t after_us;
};

/* A connection, kept by the caller. */
struct receiver_conn {
	uint32_t client;
	uint32_t host;
	uint32_t messages; /* transactions begun */
	uint32_t errors;   /* refusals since the last good delivery */
};

struct receiver_transaction {
	int64_t now_us; /* MAIL is sent */
	uint64_t message;
	uint64_t index; /* as in receiver_call */
	uint32_t try;
	uint32_t recipients;	      /* how many, >= 1 */
	const char *const *addresses; /* of the recipients; may be NULL unless
				       * RECEIVER_WANTS_ADDRESSES */
	const char *sender;	      /* the same, RECEIVER_WANTS_SENDER */
	int64_t *refused_us; /* of each recipient that is refused: MAIL to that
			      * answer; NULL: not wanted */
	const struct receiver_client *timeouts;
};

struct receiver_result {
	enum receiver_cause cause; /* NONE: the codes tell; CODE, TIMEOUT or
				    * LOST: the transaction failed as a whole
				    * at `step`, for those not refused yet */
	enum receiver_step step;
	int code;	   /* with cause CODE */
	uint32_t accepted; /* recipients whose code is 250 */
	bool last;	   /* the server ends the connection after this one */
	bool dead;	   /* the session was gone before anything was said */
	int64_t after_us;  /* MAIL to the last answer */
};

/* One address to connect to. */
struct receiver_server {
	const struct receiver_config *other; /* a host of that receiver; NULL:
					      * of the one asked */
	uint32_t host;			     /* for receiver_call */
	int64_t preference;
};

enum receiver_wants {
	RECEIVER_WANTS_ADDRESSES = 1 << 0,
	RECEIVER_WANTS_SENDER = 1 << 1,
};

/* `stream` names this receiver: stream_child(s, domain) for copies. */
void receiver_init(struct receiver *receiver,
		   const struct receiver_config *config, struct stream stream);
void receiver_release(struct receiver *receiver);

/* Which texts the transactions of this receiver need: enum receiver_wants. */
static inline unsigned
receiver_wants(const struct receiver *receiver)
{
	return receiver->config->wants;
}

/* In which order a lookup answers. */
enum receiver_order {
	RECEIVER_SHUFFLED,
	RECEIVER_AS_LISTED, /* as in the config */
};

/*
 * The addresses that a client finds for this delivery, whatever their
 * preferences. list: RECEIVER_HOSTS_MOST. Returns how many, at least one. The
 * time that each takes is asked of receiver_connect(), one after the other.
 */
uint32_t receiver_servers(const struct receiver *receiver, uint64_t message,
			  uint32_t try, enum receiver_order order,
			  struct receiver_server *list);

/* Ask for a connection. `conn` is filled unless FAILED. */
struct receiver_answer
receiver_connect(struct receiver *receiver, const struct receiver_call *call,
		 struct receiver_conn *conn);

/*
 * Send a message over a ready connection. `codes`, one for each recipient, get
 * 250 or the reply that refused it; after a failure as a whole those that had
 * been accepted keep 250 and share the failure.
 */
struct receiver_result
receiver_transaction(struct receiver *receiver, struct receiver_conn *conn,
		     const struct receiver_transaction *request,
		     uint16_t *codes);

/* End a session; poll afterwards if receiver_next_event() is not NEVER. */
void receiver_close(struct receiver *receiver, struct receiver_conn *conn,
		    int64_t now_us);

/* What became of a connection that waited; after_us counts from the poll. */
struct receiver_woken {
	uint64_t ticket;
	struct receiver_answer answer; /* READY or FAILED */
	struct receiver_conn conn;
};

/* When to poll next, RECEIVER_NEVER if nobody waits. A time in the past means
 * at once. */
int64_t receiver_next_event(const struct receiver *receiver);

/* Settle one waiting connection that can be settled now; false if none. */
bool receiver_poll(struct receiver *receiver, int64_t now_us,
		   struct receiver_woken *woken);

/* The client gives up (it died): forget its ticket. False if not waiting. */
bool receiver_cancel(struct receiver *receiver, uint64_t ticket);

/* Sessions, and connections that are being refused, open at this time. */
uint32_t receiver_open_count(struct receiver *receiver, int64_t now_us);

#endif
