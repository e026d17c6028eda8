/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The scheduler's indexes. The rules (F6) speak of walks over all jobs of a
 * transport; the same decisions are found here without walking:
 *
 *   place     every job in `order` has a number that orders it
 *   frontier  since the last time that all blocked jobs were set free, the walk
 *             of the rules has passed every job before the frontier. A job it
 *             has passed is blocked, unless it is exempt (it was set free, or
 *             came to that place later)
 *   peers     a destination's peers with entries to do, by place of their job
 *   open      a heap of the destinations in which an entry can start (those
 *             with startable > 0), by the place of their first peer
 *   special   jobs that a walk must visit whatever is open: those with
 *             recipients unread, and those without entries
 *
 * So the next job that the walk would stop at is the first of: the exempt ones,
 * the first special one not passed, the top of the heap. All that lies between
 * has entries, has no destination open, and is fully read: the walk would find
 * it blocked and go on.
 */
#ifndef MTA_ORDER_H
#define MTA_ORDER_H

#include "mta/qmgr.h"

/* No jobs yet. */
void mta_order_init(struct mta_transport *t);
/* Give back what the indexes hold. */
void mta_order_release(struct mta_transport *t);

/* The first job in the order, and the one behind another; or NULL. */
struct mta_job *mta_order_head(const struct mta_transport *t);
struct mta_job *mta_order_successor(const struct mta_job *j);

/* Put a job before another (NULL: at the end). It is not blocked there. */
void mta_order_insert(struct mta_job *j, struct mta_job *before);
/* Take it away; current, frontier and the indexes step over it. */
void mta_order_remove(struct mta_job *j);
/* From where it is to before another that stands earlier (preemption). */
void mta_order_advance(struct mta_job *j, struct mta_job *before);

/* Has the walk passed the job? */
static inline bool
mta_job_is_passed(const struct mta_job *j)
{
	const struct mta_job *frontier = j->transport->frontier;

	return !frontier || j->place < frontier->place;
}

/* Is it not blocked though the walk has passed its place? */
static inline bool
mta_job_is_exempt(const struct mta_job *j)
{
	return j->exempt_tag == j->transport->tag;
}

/* Is it known that the job cannot start anything now? (F6.1) */
static inline bool
mta_job_is_blocked(const struct mta_job *j)
{
	return j->level >= 0 && mta_job_is_passed(j) && !mta_job_is_exempt(j);
}
/* The walk has visited the job and it can start nothing. */
void mta_order_block(struct mta_job *j);
/* A blocked job may start something after all (F6.3). */
void mta_order_free_one(struct mta_job *j);
/* No job is blocked any more (F6.10). */
void mta_order_free_all(struct mta_transport *t);
/* Does a blocked job wait for this destination, of those with entries to do? */
bool mta_order_peers_wait(const struct mta_dest *d);
/* Does a blocked job wait for this destination? */
static inline bool
mta_order_is_awaited(const struct mta_dest *d)
{
	return d->tag == d->transport->tag ||
	       (d->peers.first && mta_order_peers_wait(d));
}

/* The first job that is not blocked and may start something or must be looked
 * at; all before it are passed. NULL: none, all are passed. */
struct mta_job *mta_order_next_stop(struct mta_transport *t);
/* The next job behind j that is not blocked, startable or not. */
struct mta_job *mta_order_next_free(const struct mta_job *j);

/* The peer has got its first entry to do, or lost its last. */
void mta_order_peer_waits(struct mta_peer *p);
void mta_order_peer_rests(struct mta_peer *p);
/* An entry can start there from now on; or none can any more. */
void mta_order_dest_opens(struct mta_dest *d);
void mta_order_dest_closes(struct mta_dest *d);

/* Entries that could start now; negative: that are too many. */
static inline int32_t
mta_dest_startable(const struct mta_dest *d)
{
	int32_t room = d->window.window - d->busy_count;

	if (d->state != MTA_DEST_READY)
		return 0;
	return room < d->todo_count ? room : d->todo_count;
}
/* Its counts or its state have changed: keep heap and sums right. */
static inline void
mta_dest_account(struct mta_dest *d)
{
	int32_t startable = mta_dest_startable(d);

	if (startable != d->startable)
		mta_dest_set_startable(d, startable);
}

/* Must a walk visit the job whatever is open? */
static inline bool
mta_order_is_special(const struct mta_job *j)
{
	return j->mail->more != 0 || j->selected == j->read;
}
/* Put the job among the special and the unread ones, or take it out. */
void mta_order_index(struct mta_job *j);
/* What the mail has unread, or the job to do, has changed: keep the indexes. */
static inline void
mta_job_reclassify(struct mta_job *j)
{
	if (mta_order_is_special(j) || !mta_list_is_empty(&j->in_special) ||
	    !mta_list_is_empty(&j->in_unread))
		mta_order_index(j);
}

/* R-SLOTS-NEXT: the next job by time of admission that has recipients unread.
 */
struct mta_job *mta_order_next_unread(const struct mta_job *j);
/* Was job a admitted later than b? (ties: linked later) */
bool mta_job_is_later(const struct mta_job *a, const struct mta_job *b);

#endif
