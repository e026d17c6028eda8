/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The life of a mail, in one place:
 *
 *   submit -> MAILDROP -> INCOMING -> ACTIVE -> agent -> done     (removed)
 *              pickup     cleanup     qmgr   |       -> DEFERRED  (back to
 *                                            |          ACTIVE when due)
 *                                            |       -> bounce    (a new mail,
 *                                            |          enters at INCOMING)
 *                                            `-> CORRUPT
 *   HOLD: in and out by an access action or the operator only
 *
 * Nothing else changes the queue of a mail than the functions below. They check
 * the step and its reason against the table of legal ones, do the spool's
 * operation and write one trace record, so that conservation can be checked at
 * every instant.
 */
#ifndef MTA_MAIL_H
#define MTA_MAIL_H

#include "mta/host.h"

/* May a mail go from one queue to another at all? (F1.8) */
bool mta_mail_move_is_legal(enum mta_queue from, enum mta_queue to);

/*
 * Make a new file real in `queue` (maildrop, incoming or hold). MTA_ENOSPACE:
 * it is not, and has been abandoned.
 */
enum mta_err mta_mail_commit(const struct mta_host *h, struct mta_ref file,
			     enum mta_queue queue,
			     enum mta_move_reason reason) MTA_MUST_CHECK;

/* Tell the trace of a mail that is there before anything happens: the host has
 * put its file in place, due at wake_s. */
void mta_mail_present(const struct mta_host *h, struct mta_ref file,
		      uint32_t wake_s);

/*
 * Take a file into active (spool.h, admit). MTA_ENOENT: it was not in `from`
 * (somebody else moved it), nothing has happened. With any other answer it is
 * in active, and *shown is what the spool showed of it.
 */
enum mta_err
mta_mail_admit(const struct mta_host *h, struct mta_ref file,
	       enum mta_queue from, struct mta_file *shown) MTA_MUST_CHECK;

/*
 * Move a file, not into active. wake_s: when it is due, or MTA_WAKE_KEEP.
 * MTA_ENOENT as above.
 */
struct mta_move {
	enum mta_queue from;
	enum mta_queue to;
	enum mta_move_reason reason;
	uint32_t wake_s;
};
enum mta_err mta_mail_move(const struct mta_host *h, struct mta_ref file,
			   struct mta_move move) MTA_MUST_CHECK;

/*
 * Remove a file; outcome is what the mail's end is counted as. Its logs are not
 * touched. MTA_ENOENT as above.
 */
enum mta_err mta_mail_remove(const struct mta_host *h, struct mta_ref file,
			     enum mta_queue from, enum mta_move_reason reason,
			     enum mta_outcome outcome) MTA_MUST_CHECK;

/* Tell the trace that a mail is handed in now; `at` is filled in here. */
void mta_mail_trace_submitted(const struct mta_host *h,
			      struct mta_trace_submitted *r);

/* Tell the trace something of a mail, without a move. */
void
mta_mail_trace_status(const struct mta_host *h, struct mta_ref file,
		      const struct mta_envelope *e, enum mta_mail_status what);

#endif
