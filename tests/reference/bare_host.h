/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The smallest host in which a queue manager runs without a simulator: queue
 * files are arrays, notes to agents are kept for the test to read, nothing
 * takes time. For tests that drive the queue manager's parts by hand.
 */
#ifndef TESTS_REFERENCE_BARE_HOST_H
#define TESTS_REFERENCE_BARE_HOST_H

#include "mta/host.h"

struct bare_file {
	mta_addr *recipients; /* owned */
	uint32_t count;
	bool is_there;
};

struct bare_host {
	struct mta_host host;
	struct mta_loop loop;
	struct mta_agenda agenda;
	struct mta_symtab symbols;
	struct mta_trace trace;
	struct mta_spool spool;
	struct mta_port port;
	struct mta_router router;
	struct mta_book book;
	struct mta_file shown;
	struct bare_file *files; /* owned; by index of the queue id */
	uint32_t file_count;
	struct mta_recipient list[8192]; /* the one list of recipients */
	struct mta_note to_agents;	 /* the last note to agents */
	uint32_t note_count;		 /* of them, DELIVER */
	uint32_t dismissed_count;	 /* and DISMISS */
	uint32_t transport_count; /* domain n goes to transport n % this */
	uint32_t files_gone;	  /* removed or deferred */
};

/* Addresses: domain d, user u. */
mta_addr bare_address(uint32_t domain, uint32_t user);

void bare_init(struct bare_host *s, uint32_t transport_count);
void bare_release(struct bare_host *s);
/* A file with these recipients, in incoming. recipients: taken over. */
struct mta_ref
bare_add_file(struct bare_host *s, mta_addr *recipients, uint32_t count);

#endif
