/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The few types that everything in this folder shares: time, names, addresses,
 * handles, the queues, status codes.
 *
 * Time is a count of microseconds since 1970 and is always an argument or a
 * field of its loop. Whole seconds, as Postfix keeps them in file
 * times and timers, are mta_second() of a time.
 */
#ifndef MTA_TYPES_H
#define MTA_TYPES_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int64_t mta_time; /* microseconds since 1970-01-01 00:00 UTC */
typedef int64_t mta_span; /* microseconds, a difference of two times */

#define MTA_NEVER      INT64_MAX
#define MTA_USEC_PER_S 1000000

/* An interned name (transport, nexthop, domain, reason); 0 is "". symtab.h */
typedef uint32_t mta_sym;

/*
 * A mail address, as a handle that the host's address book gave out; 0 is the
 * null sender <>. The core compares handles, asks the book for a domain, and
 * for text only where text decides (sorting, recipient limit 1). book.h
 */
typedef uint64_t mta_addr;

/*
 * A handle: what one side of a door gave out and the other side only hands
 * back. Queue files, agents, entries, lists of recipients are named so; a queue
 * file's handle stands for its queue id.
 */
struct mta_ref {
	uint32_t index;	     /* place in its pool */
	uint32_t generation; /* a reused place has another; 0 is no reference */
};

/* A queue file's id as operators see it, terminator included, has room in so
 * many bytes: long ones have at most 25 characters (F1.4). */
#define MTA_ID_TEXT_MAX 32

/* The queues, in the order in which a mail usually meets them (F1.1). */
enum mta_queue {
	MTA_MAILDROP,
	MTA_INCOMING,
	MTA_ACTIVE,
	MTA_DEFERRED,
	MTA_HOLD,
	MTA_CORRUPT,
};
enum {
	MTA_QUEUES = MTA_CORRUPT + 1
};

/* Operating errors: the world's doing, returned and handled by the caller. */
enum mta_err {
	MTA_OK,
	MTA_ENOENT,   /* no such queue file, or no longer in that queue */
	MTA_ELOCKED,  /* another process has the lock */
	MTA_ECORRUPT, /* the file cannot be read as a queue file */
	MTA_ENOSPACE, /* the spool takes no more */
};

#define MTA_MUST_CHECK __attribute__((warn_unused_result))

/* Hardly ever called: its code, and the way to it, stands out of the way of
 * what is run for every mail. */
#define MTA_RARE __attribute__((cold, noinline))

/* Not needed by most mails, which then save no registers for it. */
#define MTA_APART __attribute__((noinline))

/* Enhanced status code, RFC 3463: class 2 done, 4 try later, 5 never. */
struct mta_dsn {
	uint8_t class; /* 2, 4, 5; 0: none */
	uint16_t subject;
	uint16_t detail;
};

#define MTA_DSN(c, s, d)                                                       \
	(struct mta_dsn)                                                       \
	{                                                                      \
		.class = (c), .subject = (s), .detail = (d)                    \
	}

/* What became of something, and the words for it. class 0: nothing to say. */
struct mta_status {
	struct mta_dsn dsn; /* class 0: not set */
	mta_sym reason;	    /* text after the code, as logged in (...) */
};

/* The step of a delivery at which something was decided (F11.2). */
enum mta_smtp_step {
	MTA_STEP_NONE,
	MTA_STEP_DNS, /* finding the servers */
	MTA_STEP_CONNECT,
	MTA_STEP_GREETING,
	MTA_STEP_EHLO,
	MTA_STEP_HELO,	   /* HELO after EHLO was refused, and LHLO */
	MTA_STEP_STARTTLS, /* when TLS is required */
	MTA_STEP_AUTH,
	MTA_STEP_MAIL,
	MTA_STEP_RCPT,
	MTA_STEP_DATA,
	MTA_STEP_END, /* the answer at end of data */
};
enum {
	MTA_STEPS = MTA_STEP_END + 1
};

static inline bool
mta_status_is_set(struct mta_status s)
{
	return s.dsn.class != 0;
}

/* The whole second in which t lies (rounds towards the past). */
static inline int64_t
mta_second(mta_time t)
{
	/* Unsigned, for that is a multiplication and a shift. */
	if (t < 0)
		return -1 - (int64_t)((uint64_t)(-1 - t) / MTA_USEC_PER_S);
	return (int64_t)((uint64_t)t / MTA_USEC_PER_S);
}

static inline mta_time
mta_from_seconds(int64_t seconds)
{
	return seconds * MTA_USEC_PER_S;
}

static inline bool
mta_ref_is_set(struct mta_ref r)
{
	return r.generation != 0;
}

static inline bool
mta_ref_equal(struct mta_ref a, struct mta_ref b)
{
	return a.index == b.index && a.generation == b.generation;
}

/* The owner of an embedded member. */
#define mta_container_of(ptr, type, member)                                    \
	((type *)(void *)((char *)(ptr)-offsetof(type, member)))
/* The same of one that is only looked at. */
#define mta_const_container_of(ptr, type, member)                              \
	((const type *)(const void *)((const char *)(ptr)-offsetof(type,       \
								   member)))

/* Name of a queue as operators spell it: "incoming". Never fails. */
const char *mta_queue_name(enum mta_queue queue);

#endif
