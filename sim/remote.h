/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A remote end as delivery agents see it: the model of a receiver with a host
 * name and an address that appear in logged texts, the last such text, and the
 * sessions that wait to be used again.
 *
 * Whoever makes the receiver keeps one of these beside it.
 */
#ifndef SIM_REMOTE_H
#define SIM_REMOTE_H

#include "mta/list.h"
#include "mta/symtab.h"

struct receiver;

struct remote {
	struct receiver *receiver; /* borrowed */
	mta_sym host;		   /* owned: "mx.a.example[192.0.2.1]" */
	mta_sym relay;		   /* owned: the same with ":25" */
	mta_sym reason;		   /* owned: the text made last, or 0 */
	uint64_t reason_key;	   /* what it was made of */
	struct mta_list waiting;   /* agents whose connection waits there */
	struct mta_list cached;	   /* idle sessions, longest idle first */
};

/*
 * number: counts the remote ends from 0; makes the address. name: of a domain or
 * receiver; the host is called mx.NAME.
 */
void remote_init(struct remote *r, struct receiver *receiver, uint32_t number,
		 const char *name, struct mta_symtab *symbols);
void remote_release(struct remote *r, struct mta_symtab *symbols);

/* An address for documents (RFC 5737), or of 10.0.0.0/8 when there are more than
 * these three networks hold. buffer: REMOTE_ADDRESS_MAX bytes. */
enum { REMOTE_ADDRESS_MAX = 16 };
void remote_address(uint32_t number, char *buffer);

#endif
