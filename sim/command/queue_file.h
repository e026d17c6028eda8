/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A mail as the bytes of a queue file, for tools that read spools (F1.10).
 * Records one behind the other: a type letter, the length in groups of seven
 * bits, the lowest first, of which all but the last have the high bit set, the
 * payload. Three parts: envelope, message (between M and X), and what headers
 * told, which is empty here; E ends it all.
 *
 * Simulated mail has a size and no words: the message is made up, a few header
 * lines and then rows of the alphabet, as long as the mail is. A size that is
 * too small for the headers gets what fits.
 *
 *	struct queue_file f = {0};
 *	queue_file_begin(&f, &head);
 *	queue_file_add(&f, "u1@a.example", is_done);     each recipient
 *	queue_file_end(&f, &head);
 *	... f.bytes, f.size ...      begin again, or
 *	queue_file_release(&f);
 */
#ifndef SIM_QUEUE_FILE_H
#define SIM_QUEUE_FILE_H

#include "mta/types.h"

/* The texts are borrowed. */
struct queue_file_head {
	bool is_dropped; /* as a client leaves it in maildrop: no size record */
	bool is_short;	 /* no more of the message than its header lines */
	mta_time arrival;
	int64_t created_s;
	int64_t warn_s;		/* delay warning due; 0 none, -1 sent */
	uint32_t size_bytes;	/* of the message */
	uint32_t recipients;	/* in all */
	const char *sender;	/* "" is the null sender */
	const char *message_id; /* without its brackets */
};

struct queue_file {
	char *bytes; /* owned */
	size_t size;
	size_t room;
};

/* The head, and then each recipient; texts are copied. */
void queue_file_begin(struct queue_file *f, const struct queue_file_head *h);
void queue_file_add(struct queue_file *f, const char *recipient, bool is_done);
/* The message and the end; the size record gets its numbers. */
void queue_file_end(struct queue_file *f, const struct queue_file_head *h);
void queue_file_release(struct queue_file *f);

#endif
