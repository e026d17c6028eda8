/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Local submission (F2.1, F2.2). postdrop makes a file in maildrop, whether or
 * not the system runs. Pickup, one process, hands these files to cleanup one at
 * a time and waits for each: passes over maildrop, until one removes nothing.
 */
#ifndef MTA_PICKUP_H
#define MTA_PICKUP_H

#include "mta/host.h"
#include "mta/params.h"

struct mta_pickup {
	struct mta_host host;  /* of its own; host.loop is its loop */
	struct mta_timer wake; /* a note waits */
	struct mta_scan dir;
	struct mta_ref file; /* with cleanup; or not set */
	bool is_running;     /* a run has begun */
	bool has_removed;    /* some file, in this pass */
	bool is_asked;	     /* another run was asked for meanwhile */
	bool is_stopped;     /* nobody hears triggers */
};

/* host: borrowed; host->loop is pickup's own. Attaches itself to the port as
 * MTA_TO_PICKUP. Woken by triggers only: master sends one each 60 s. */
void mta_pickup_init(struct mta_pickup *p, const struct mta_host *host);
void mta_pickup_release(struct mta_pickup *p);

/* The mail system stops: no further file is taken, triggers are lost. A file
 * that is with cleanup is finished. */
void mta_pickup_stop(struct mta_pickup *p);
/* It is there again, and runs at the next trigger. */
void mta_pickup_start(struct mta_pickup *p);

/* ---- postdrop ----------------------------------------------------------- */

struct mta_postdrop {
	const char *user; /* login name of whoever submits */
	mta_addr sender;
	const mta_addr *recipients; /* borrowed */
	uint32_t recipient_count;
	uint32_t size_bytes; /* message length */
	uint32_t serial;     /* of mta_host_next_serial */
};

enum mta_postdrop_result {
	MTA_POSTDROP_OK,
	MTA_POSTDROP_REFUSED, /* authorized_submit_users */
	MTA_POSTDROP_NO_RECIPIENT,
	MTA_POSTDROP_TOO_LARGE, /* message_size_limit */
	MTA_POSTDROP_NO_SPACE,
};

/*
 * Submit a message into maildrop and wake pickup. `h` is the client's. Traces
 * SUBMITTED in any case. Needs no running daemon.
 */
enum mta_postdrop_result
mta_postdrop_submit(const struct mta_host *h, const struct mta_params *p,
		    const struct mta_postdrop *r);

/*
 * Is a user in a list such as authorized_submit_users? R-SUBMIT-USERS (F2.1):
 * names apart by commas and blanks, the first that fits decides:
 * `static:anyone` and `static:all` fit all, `!name` says no.
 */
bool mta_user_is_listed(const char *list, const char *user);

#endif
