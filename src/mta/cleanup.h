/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Cleanup: takes one message per connection into incoming or hold (F2.3). First
 * of all a flow token; without one the process sleeps in_flow_delay and then
 * serves all the same (F3.2). Then the file, the recipients, the commit, a
 * trigger to the queue manager, the answer. What the access rules and the size
 * limit say is asked before, for smtpd would refuse it without cleanup (F2.6).
 *
 * A pool of processes on one loop. A message that neither sleeps nor takes time
 * is served within the turn in which its note arrived.
 */
#ifndef MTA_CLEANUP_H
#define MTA_CLEANUP_H

#include "mta/host.h"
#include "mta/list.h"
#include "mta/params.h"
#include "mta/pool.h"

enum mta_access_action {
	MTA_ACCESS_NONE,
	MTA_ACCESS_HOLD,
	MTA_ACCESS_DISCARD,
	MTA_ACCESS_REJECT,
};

/*
 * What the site's rules say of a message on arrival; a door of the host, for a
 * rule may need luck. Asked once for each message, but not for notices nor for
 * mail that was requeued.
 */
struct mta_access {
	enum mta_access_action (*decide)(struct mta_access *,
					 const struct mta_note_submit *,
					 const struct mta_recipient *items);
};

struct mta_cleanup {
	struct mta_host host;		 /* of the pool of processes */
	const struct mta_params *params; /* borrowed */
	struct mta_access *access;	 /* NULL: no rules */
	struct mta_timer wake;		 /* a note waits */
	struct mta_pool processes; /* those at work or asleep, and the queue */
	struct mta_pool refusals;  /* whose notices are under way */
	struct mta_list backlog;   /* connections nobody has accepted yet */
	uint32_t process_limit;	   /* maxproc; 0: none. Set after init */
	uint32_t busy_count;	   /* at work or asleep */
	uint32_t asleep_count;	   /* of them asleep */
};

/*
 * host, params, access: borrowed; host->loop is that of the pool of processes.
 * Attaches itself to the port as MTA_TO_CLEANUP.
 */
void
mta_cleanup_init(struct mta_cleanup *c, const struct mta_host *host,
		 const struct mta_params *params, struct mta_access *access);
/* Messages that wait or sleep are lost: nobody was told that they are safe. */
void mta_cleanup_release(struct mta_cleanup *c);

#endif
