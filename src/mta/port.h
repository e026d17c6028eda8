/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The port: a door of the host. Carries notes between services, keeps the lists
 * of recipients that notes speak of, and holds the flow tokens of in_flow_delay
 * (F3), which must work while the queue manager is busy.
 *
 * A note sent arrives in a later turn of the receiver, never during the call.
 * It leaves at the sender's loop->now. The receiver's wake timer is armed when
 * something has arrived; it fetches with receive().
 */
#ifndef MTA_PORT_H
#define MTA_PORT_H

#include "mta/note.h"
#include "mta/types.h"

struct mta_port {
	const struct mta_port_ops *ops;
};

struct mta_loop;
struct mta_timer;

struct mta_port_ops {
	/* `wake` is armed, on the receiver's loop, whenever notes wait. */
	void (*attach)(struct mta_port *, enum mta_service,
		       struct mta_loop *loop, struct mta_timer *wake);
	void (*send)(struct mta_port *, enum mta_service,
		     const struct mta_note *);
	/* The next note that has arrived, or NULL. The receiver's to use, and
	 * to change, until it asks for the next. */
	struct mta_note *(*receive)(struct mta_port *, enum mta_service);

	/* A list of `count` recipients for a note to carry; filled in place. */
	struct mta_ref (*list_take)(struct mta_port *, uint32_t count,
				    struct mta_recipient **items);
	struct mta_recipient *(*list_items)(struct mta_port *, struct mta_ref);
	void (*list_give)(struct mta_port *, struct mta_ref);

	/* Flow tokens: take one (false: none there), put some, count, drop. */
	bool (*token_take)(struct mta_port *);
	void (*token_put)(struct mta_port *, uint32_t count);
	void (*token_drop)(struct mta_port *, uint32_t count);
	uint32_t (*token_count)(struct mta_port *);
};

/* Room for `count` recipients that are to travel with a note. */
static inline struct mta_recipient *
mta_recipients_begin(struct mta_port *p, struct mta_recipients *r,
		     uint32_t count)
{
	struct mta_recipient *items = &r->only;

	r->list = (struct mta_ref){0};
	if (count != 1)
		r->list = p->ops->list_take(p, count, &items);
	return items;
}

/* Those that came with a note; good as long as r is, until they are freed. */
static inline struct mta_recipient *
mta_recipients_items(struct mta_port *p, struct mta_recipients *r)
{
	return mta_ref_is_set(r->list) ? p->ops->list_items(p, r->list)
				       : &r->only;
}

static inline void
mta_recipients_free(struct mta_port *p, const struct mta_recipients *r)
{
	if (mta_ref_is_set(r->list))
		p->ops->list_give(p, r->list);
}

#endif
