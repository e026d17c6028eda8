/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The host: what the core may ask of the world. Each service gets a host of its
 * own, in which `loop` and `spool` are its own (the spool is a view that
 * charges the time it takes to that loop) and the rest is shared. Cleanup alone
 * asks one door more, for what access rules say of a message (struct
 * mta_access).
 *
 * Laws of the doors: (1) a door never calls back during a call; answers come in
 * a later turn. (2) Across a door go values and handles; what is shown by a
 * pointer is good until the next call. A stale handle is noticed. (3) Every
 * door has a contract test. (4) The core has no dice: all chance is in the
 * world.
 */
#ifndef MTA_HOST_H
#define MTA_HOST_H

#include "mta/book.h"
#include "mta/loop.h"
#include "mta/port.h"
#include "mta/router.h"
#include "mta/spool.h"
#include "mta/symtab.h"
#include "mta/trace.h"

struct mta_host {
	struct mta_loop *loop;	    /* time: now, and timers */
	struct mta_spool *spool;    /* queue files and their logs */
	struct mta_port *port;	    /* notes between services, flow tokens */
	struct mta_router *router;  /* recipient -> transport, nexthop */
	struct mta_book *book;	    /* address handle -> domain, text */
	struct mta_trace *trace;    /* what happened */
	struct mta_symtab *symbols; /* names */
	uint32_t *serial;	    /* mails brought in so far, by anyone */
};

/* The number of a mail that is being brought in: counts from 0. */
static inline uint32_t
mta_host_next_serial(const struct mta_host *h)
{
	return (*h->serial)++;
}

/* The current time in whole seconds. */
static inline int64_t
mta_host_second(const struct mta_host *h)
{
	return mta_second(h->loop->now);
}

#endif
