/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a remote end is like: the plain data behind `receivers:` of a scenario.
 * The scenario reader fills these structs, receiver_config_settle() judges and
 * closes them, and any number of receivers (receiver.h) share one config.
 *
 * Times are int64_t microseconds; points in time count from the start of the
 * scenario. Laws are of law.h and give microseconds; a law that is NULL is 0.
 * Everything that is pointed to is borrowed and outlives the receivers. {0} of
 * each struct means "no such thing", except where a field says otherwise.
 *
 * The model knows connections, steps, reply codes and texts to compare; that
 * the steps are those of SMTP is all it knows of mail.
 */
#ifndef MODEL_RECEIVER_CONFIG_H
#define MODEL_RECEIVER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct law;

/* The step at which something was decided, in the order of a dialogue. */
enum receiver_step {
	RECEIVER_STEP_DNS,
	RECEIVER_STEP_CONNECT,
	RECEIVER_STEP_GREETING,
	RECEIVER_STEP_HELO,
	RECEIVER_STEP_MAIL,
	RECEIVER_STEP_RCPT,
	RECEIVER_STEP_DATA,
	RECEIVER_STEP_END, /* the answer at end of data */
};

/* schedule: state, and outages: state */
enum receiver_state {
	RECEIVER_UP,
	RECEIVER_REFUSED,     /* connections are refused */
	RECEIVER_TIMEOUT,     /* nothing answers: the client's timeouts run out,
			       * also in sessions that are open */
	RECEIVER_UNREACHABLE, /* no route */
	RECEIVER_DNS,	   /* the name does not resolve, for the time being */
	RECEIVER_GREETING, /* connects, but the banner never comes */
	RECEIVER_RESET,	   /* connects, then the connection is lost; open
			    * sessions lose theirs at their next command */
};

/* fails: how, and what the answers of receiver.h call the cause */
enum receiver_cause {
	RECEIVER_CAUSE_NONE,
	RECEIVER_CAUSE_CODE, /* a reply code: fails.code, 421 by default */
	RECEIVER_CAUSE_REFUSED,
	RECEIVER_CAUSE_TIMEOUT,
	RECEIVER_CAUSE_UNREACHABLE,
	RECEIVER_CAUSE_DNS,
	RECEIVER_CAUSE_LOST,	 /* reset, or closed in the middle */
	RECEIVER_CAUSE_GREETING, /* in fails.how: the banner never comes; in an
				  * answer this is TIMEOUT at step GREETING */
};

/*
 * One of replies: the first rule that fits decides. At connect, greeting, helo,
 * mail, data and end it is the answer to all; at rcpt to one recipient. A rule
 * with match or times at another step than rcpt looks at the first recipient.
 */
struct receiver_reply {
	enum receiver_step step; /* not DNS; connect is as greeting */
	int code;		 /* 400..599 */
	double share;		 /* 0 < share <= 1; 1: always */
	const char *match; /* glob (* and ?) over the address; NULL: any */
	int64_t times;	   /* per address the first so many; 0: always */
	int64_t after_us;  /* until the reply; -1: what such a step takes
			    * anyway (connect law, or 0) */
};

/* fails: connections that fail. Either share or pattern. */
struct receiver_fails {
	double share;		/* 0: none */
	const uint8_t *pattern; /* non-zero fails; by connection in order of
				 * accept, cyclic; NULL: share decides */
	size_t pattern_count;
	enum receiver_cause how; /* NONE is refused */
	int code;		 /* with how CODE; 0 is 421 */
	int64_t after_us;	 /* until it is known; TIMEOUT and GREETING
				  * take the client's timeout */
};

/* connections: a cap on what is open at a time */
enum receiver_over {
	RECEIVER_OVER_CODE, /* a reply code instead of the banner */
	RECEIVER_OVER_REFUSED,
	RECEIVER_OVER_DROP, /* no answer: the client tries and gives up */
	RECEIVER_OVER_WAIT, /* accepted, the banner comes when one closes */
};

struct receiver_cap {
	int64_t most; /* 0: no cap */
	enum receiver_over over;
	int code;		/* 0 is 421 */
	int64_t after_us;	/* until the refusal is known */
	int64_t penalty_for_us; /* who meets the cap makes it smaller for so
				 * long; 0: no penalty */
	int64_t penalty_most;	/* the cap meanwhile, >= 1 */
};

/* rate: a token bucket, and what happens to who meets it empty */
enum receiver_count {
	RECEIVER_COUNT_MESSAGES,
	RECEIVER_COUNT_RECIPIENTS,
	RECEIVER_COUNT_CONNECTIONS,
};

struct receiver_quota {
	double per_s; /* tokens a second; 0: no quota */
	double burst; /* tokens when full, >= 1; 0: a minute of per_s, at
		       * least 1 */
};

struct receiver_rate {
	struct receiver_quota most;
	enum receiver_count count;
	enum receiver_step over_step; /* CONNECT..END; with connections CONNECT,
				       * GREETING or HELO */
	int over_code;		      /* 400..599 */
	int64_t after_us;	      /* until the reply, with connections */
	int64_t penalty_for_us;	      /* 0: no penalty */
	struct receiver_quota penalty; /* in force meanwhile; unless 0 */
	int64_t penalty_connections;   /* cap meanwhile; 0: no other one */
};

/* tarpit: recipients that come too many in a message are answered late */
struct receiver_tarpit {
	int64_t after;	  /* so many of a message are answered at once */
	int64_t pause_us; /* each later one; 0: no tarpit */
};

/* errors: refusals of a session, counted from its last good delivery */
struct receiver_errors {
	int64_t after;	  /* beyond so many each answer takes a pause more */
	int64_t pause_us; /* 0: none */
	int64_t most;	  /* so many end the session with 421; 0: never */
};

/* greylist: */
enum receiver_key {
	RECEIVER_KEY_CLIENT = 1 << 0,
	RECEIVER_KEY_SENDER = 1 << 1,
	RECEIVER_KEY_RECIPIENT = 1 << 2,
};

struct receiver_greylist {
	int64_t delay_us;	 /* a retry sooner is refused; 0: no greylist */
	int64_t window_us;	 /* a first retry later counts as a first try;
				  * 0: no end */
	int64_t keep_us;	 /* a key that passed is known so long after its
				  * last use; 0: for ever */
	int64_t whitelist_after; /* good deliveries of a client; 0: never */
	int64_t whitelist_gap_us; /* at most one counted in so long */
	enum receiver_step step;  /* MAIL, RCPT, DATA or END; but RCPT, refuses
				   * the message when one recipient is grey */
	int code;		  /* 400..499; 0 is 450 */
	unsigned key;		  /* enum receiver_key; 0: all three */
};

/* servers: processes, the accept queue before them, what is beyond */
enum receiver_overflow {
	RECEIVER_OVERFLOW_DROP,	   /* SYN dropped; the client sends it again */
	RECEIVER_OVERFLOW_PHANTOM, /* client believes to be connected */
	RECEIVER_OVERFLOW_CODE,	   /* 421 */
	RECEIVER_OVERFLOW_RESET,   /* refused by a reset */
};

struct receiver_servers {
	int64_t processes; /* 0: no limit */
	int64_t backlog;   /* connections that wait for a process */
	enum receiver_overflow overflow;
};

enum {
	RECEIVER_HOSTS_MOST = 64 /* of all lines together */
};

/* mx: one line of hosts */
struct receiver_mx {
	int64_t preference; /* small first; equal ones in random order */
	int64_t hosts;	    /* >= 1 */
	int64_t dead;	    /* so many of them never answer, 0..hosts */
	const struct receiver_config *other; /* NULL: hosts of this receiver */
};

/* What schedule: may change. An entry holds from at_us to the next one's. */
struct receiver_phase {
	int64_t at_us; /* ascending; the first also before */
	enum receiver_state state;
	int64_t after_us; /* until refused, unreachable, reset is known */
	const struct law *connect;	  /* until ready to send */
	const struct law *greeting_delay; /* added to connect: the banner */
	const struct law *transfer;	  /* MAIL to the answer at the end, if
					   * a recipient was accepted */
	const struct law *per_recipient;  /* added for each accepted one */
	const struct receiver_reply *replies;
	size_t reply_count;
	struct receiver_fails fails;
	struct receiver_cap connections;
};

/* outages: up for `every`, down for `down`, and so on, from time 0 */
struct receiver_outages {
	const struct law *every; /* NULL: none */
	const struct law *down;
	enum receiver_state state; /* not UP */
};

struct receiver_config {
	const struct receiver_phase *phases; /* at least one */
	size_t phase_count;
	int64_t messages_per_connection; /* 0: no limit */
	struct receiver_rate rate;
	struct receiver_tarpit tarpit;
	struct receiver_errors errors;
	struct receiver_greylist greylist;
	struct receiver_servers servers;
	const struct receiver_mx *mx; /* none: one host, alive */
	size_t mx_count;
	struct receiver_outages outages;
	/* Set by receiver_config_settle(). */
	unsigned wants; /* enum receiver_wants of receiver.h */
	bool settled;
	bool counts;  /* some cap or servers */
	bool steady;  /* up for ever, in one phase */
	bool lets_in; /* always and everybody: only the connect law is asked */
	bool hears_out; /* always and everybody: only the transfer laws are
			 * asked */
	unsigned asks;	/* bits (1 << step): where a refusal or a pause is
			 * possible at all; read from MAIL on */
};

/*
 * Judge a config and close it; no receiver may be made before. Returns NULL or
 * what it cannot mean (static text, "rate: ..."), naming the key first.
 * Parts can be judged alone, where their place in the file is known.
 */
const char *receiver_config_settle(struct receiver_config *config);

const char *receiver_reply_check(const struct receiver_reply *reply);
const char *receiver_fails_check(const struct receiver_fails *fails);
const char *receiver_cap_check(const struct receiver_cap *cap);
const char *receiver_rate_check(const struct receiver_rate *rate);
const char *receiver_tarpit_check(const struct receiver_tarpit *tarpit);
const char *receiver_errors_check(const struct receiver_errors *errors);
const char *receiver_greylist_check(const struct receiver_greylist *greylist);
const char *receiver_servers_check(const struct receiver_servers *servers);
const char *receiver_mx_check(const struct receiver_mx *mx);
const char *receiver_outages_check(const struct receiver_outages *outages);

#endif
