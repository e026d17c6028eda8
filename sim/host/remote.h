/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A remote end as delivery agents see it: the model of a receiver with a host
 * name and an address that appear in logged texts, the last such text, and the
 * sessions that wait to be used again.
 */
#ifndef SIM_REMOTE_H
#define SIM_REMOTE_H

#include "mta/list.h"
#include "mta/symtab.h"
#include "mta/types.h"

#include "model/receiver.h"

/* Must not move: its list of sessions points to it. What each delivery needs
 * stands first. */
struct remote {
	struct receiver receiver;
	struct mta_list cached;	   /* idle sessions, the last one first */
	mta_sym relay;		   /* owned: "mx.a.example[192.0.2.1]:25" */
	mta_sym reason;		   /* owned: the text made last, or 0 */
	uint64_t reason_key;	   /* what it was made of */
	struct mta_dsn reason_dsn; /* at the start of its reply, or class 0 */
};

/*
 * The receiver is the caller's to init, before or after. number: counts the
 * remote ends from 0; makes the address. name: of a domain or receiver; the
 * host is called mx.NAME.
 */
void remote_init(struct remote *r, uint32_t number, const char *name,
		 struct mta_symtab *symbols);
/* Its sessions must be gone (agents_release). The receiver goes with it. */
void remote_release(struct remote *r, struct mta_symtab *symbols);

/* What went wrong in a conversation, as the model says it. */
struct remote_failure {
	enum receiver_step step;
	enum receiver_cause cause;
	int code; /* with cause CODE */
};

/*
 * The words that are logged for a failure, and the enhanced code at the start
 * of a reply's text (class 0: none). Borrowed, until the next failure of this
 * end.
 */
struct mta_status remote_failure_text(struct remote *r, struct remote_failure f,
				      struct mta_symtab *symbols);

enum {
	REMOTE_ADDRESS_MAX = 16
};

/* An address for documents (RFC 5737), or of 10.0.0.0/8 when there are more
 * than these three networks hold. buffer: REMOTE_ADDRESS_MAX bytes. Returns
 * where the text ends. */
char *remote_address(uint32_t number, char *buffer);

#endif
