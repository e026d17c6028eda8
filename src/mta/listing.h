/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What waits, mail by mail: the listings of postqueue -p and -j (F12.1), from
 * the doors alone. Queues come in the order maildrop, active, incoming,
 * deferred, hold, and inside a queue as its directory lists them. Recipients
 * with a reason come first, from the defer log of the latest attempt, then from
 * the bounce log, whose recipients are finished but not yet reported (F0.2 e);
 * then the live ones that are not among them. Times are UTC.
 */
#ifndef MTA_LISTING_H
#define MTA_LISTING_H

#include "mta/host.h"
#include "mta/text.h"

enum mta_listing_form {
	MTA_LISTING_TABLE, /* -p */
	MTA_LISTING_JSON,  /* -j: one object a line; nothing when empty */
};

/* long_ids: the columns of enable_long_queue_ids. */
void mta_listing_print(const struct mta_host *h, enum mta_listing_form form,
		       bool long_ids, struct mta_text *text);

#endif
