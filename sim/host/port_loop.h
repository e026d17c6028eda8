/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The port of the simulated host: notes between services on loops of one
 * program. A note leaves at the sender's loop->now; if that lies ahead (the
 * sender is still busy then) it is kept until that time comes, else the
 * receiver is woken at once, behind what is already due. Notes of one view to
 * one service arrive in the order in which they leave; those that leave at the
 * same time, in the order in which they were sent.
 *
 * One shared part, and a view for each loop, which is the door.
 */
#ifndef SIM_PORT_LOOP_H
#define SIM_PORT_LOOP_H

#include "mta/loop.h"
#include "mta/pool.h"
#include "mta/port.h"

enum {
	PORT_RINGS = 28
};

/*
 * Notes that have arrived, oldest first, in a ring. The receiver uses a note
 * where it lies until it asks for the next, and be there none: the place before
 * `first` is never written. When nobody waits the ring begins again. For the
 * same reason a ring that has become too small stays until the end; the last is
 * larger than all others together.
 */
struct port_mailbox {
	struct mta_loop *loop;	/* of the receiver; NULL: nobody listens */
	struct mta_timer *wake; /* the receiver's */
	struct mta_note *first; /* to be received next, unless at `end` */
	struct mta_note *end;	/* where the next to arrive is put */
	struct mta_note *ring;	/* the last of rings; NULL until attached */
	struct mta_note *limit; /* behind its last place */
	uint32_t ring_count;
	struct mta_note *rings[PORT_RINGS]; /* owned */
};

enum {
	PORT_LIST_CLASSES = 31
}; /* lists of 1, 2, 4, ... recipients */

struct port_loop {
	struct port_mailbox boxes[MTA_SERVICES];
	struct mta_pool under_way;	     /* notes that leave later */
	struct mta_pool lists;		     /* heads of lists of recipients */
	void *free_items[PORT_LIST_CLASSES]; /* of struct port_free */
	uint32_t tokens;
};

/* Work of whoever uses a view, microseconds; 0: costs no time. */
struct port_costs {
	mta_span request; /* a delivery handed to an agent */
	mta_span notice;  /* a notice asked for, before it is made */
};

struct port_view {
	struct mta_port base;
	struct port_loop *shared;
	struct port_mailbox *boxes[MTA_SERVICES]; /* of the shared part */
	struct mta_loop *loop; /* of whoever uses this view */
	struct port_costs costs;
	uint32_t kept[MTA_SERVICES]; /* notes of ours that leave later */
};

void port_loop_init(struct port_loop *p);
void port_loop_release(struct port_loop *p);

/* Everything that is on its way to a service is there now: whoever listened has
 * gone, and the notes with it. But a trigger is for whoever listens when it
 * comes. */
void port_loop_arrive_now(struct port_loop *p, enum mta_service service);

/* shared, loop: borrowed. The view lives as long as the shared part. */
void port_view_init(struct port_view *v, struct port_loop *shared,
		    struct mta_loop *loop);

#endif
