/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The spool: a door of the host. Queue files as decoded records, in directories
 * named by enum mta_queue, with the logs that belong to them. Implementations:
 * memory; later a disk.
 *
 * A file is named by its queue id (struct mta_ref: place and generation). Its
 * wake time, in whole seconds, is what Postfix keeps as the modification time:
 * not before then is it due (F4.7). Its recipients stand at offsets.
 *
 * Laws: commit is the promise to the sender, durable first, then visible. A
 * file moves between directories by one rename. No operation calls back. An
 * operation that takes time moves the caller's loop->now forward.
 *
 * Operations that change where a file is show it as it is then. What is shown
 * (const struct mta_file *) is borrowed, and good until the spool is asked
 * anything else, by whomever.
 *
 * Order of a scan (F1.16): a stated property of the implementation. A scan sees
 * the names that were there when it was opened (a hashed directory: when its
 * sub-directory was reached); names that have gone are not returned.
 */
#ifndef MTA_SPOOL_H
#define MTA_SPOOL_H

#include "mta/types.h"

/* What a queue file says of its mail, all recipients apart (F1.10, F1.11). */
struct mta_envelope {
	mta_time arrival; /* first submission; delays, qshape */
	mta_time created; /* this file; expiry and back-off */
	mta_addr sender;
	int64_t warn_s;		  /* delay warning due; 0 none, -1 sent */
	uint32_t serial;	  /* the host's number of this mail */
	uint32_t size_bytes;	  /* message length */
	uint32_t recipient_count; /* total, never reduced */
	uint32_t attempts;	  /* times it was moved to active */
	mta_time first_active;	  /* first such move, or MTA_NEVER */
	mta_time committed;	  /* when this file was accepted */
};

enum mta_record_kind {
	MTA_RECORD_RECIPIENT, /* live: R */
	MTA_RECORD_DONE,      /* finished: D */
	MTA_RECORD_END,
};

struct mta_record {
	enum mta_record_kind kind;
	mta_addr address; /* of RECIPIENT and DONE */
	uint32_t offset;  /* of this record */
	uint32_t next;	  /* of the record behind it */
};

/* Mode bits of a file beyond complete/incomplete (F1.2). */
enum mta_file_mode {
	MTA_MODE_FLUSH = 1,	   /* group read: revive what it needs */
	MTA_MODE_FORCE_EXPIRE = 2, /* group execute */
	MTA_MODE_DAMAGED = 4,	   /* owner read only */
	MTA_MODE_REQUEUED = 8,	   /* by postsuper -r: keeps its arrival */
	MTA_MODE_BOUNCED = 16,	   /* a bounce was sent for some recipient */
	MTA_MODE_EXPIRED = 32,	   /* it was returned for its age */
};
enum {
	MTA_MODES = 6 /* bits */
};

/* The logs beside a queue file (F1.13). */
enum mta_log {
	MTA_LOG_DEFER,
	MTA_LOG_BOUNCE,
};

struct mta_log_record {
	uint32_t offset; /* of the recipient in the queue file */
	mta_addr address;
	struct mta_status status; /* the log owns the reason */
};

/* A file as it is shown. Of one that was just removed: as it was last. */
struct mta_file {
	struct mta_envelope envelope;
	enum mta_queue queue; /* where it is */
	uint32_t mode;	      /* enum mta_file_mode bits */
	uint32_t logs;	      /* bit n: enum mta_log n has records */
};

static inline bool
mta_file_has_log(const struct mta_file *f, enum mta_log log)
{
	return f->logs & 1U << log;
}

/* Is the file that `look` has shown, if any, in `queue`, and can it be read? */
static inline bool
mta_file_is_readable(const struct mta_file *shown, enum mta_queue queue)
{
	return shown && shown->queue == queue &&
	       !(shown->mode & MTA_MODE_DAMAGED);
}

#define MTA_WAKE_KEEP UINT32_MAX /* move: leave the wake time as it is */

/* The wake time for a second since 1970, which it holds up to the year 2106:
 * what would come later comes then. */
static inline uint32_t
mta_wake_second(int64_t second)
{
	return second < MTA_WAKE_KEEP ? (uint32_t)second : MTA_WAKE_KEEP - 1;
}

/* An open directory: kept by the caller, of whose reading the spool keeps the
 * place until it is closed, by the caller or by its end. */
struct mta_scan {
	enum mta_queue queue; /* the directory */
	bool is_open;	      /* until closed, or at its end */
	uint32_t cursor;      /* the spool's number of it */
};

enum mta_scan_result {
	MTA_SCAN_FOUND,	  /* a file that is due */
	MTA_SCAN_SKIPPED, /* names that are not due, and no due one yet */
	MTA_SCAN_END,	  /* no more names; the scan is closed */
};

struct mta_scan_item {
	struct mta_ref id; /* FOUND */
	uint32_t skipped;  /* not-due names passed by this call */
	bool is_last;	   /* FOUND, SKIPPED: the next call, whatever is added
			    * meanwhile, finds END, passes no name and takes no
			    * time. false: not known */
};

struct mta_spool {
	const struct mta_spool_ops *ops;
};

struct mta_spool_ops {
	/* A new file with this envelope and recipient, incomplete and
	 * invisible; and more recipients of it. */
	struct mta_ref (*create)(struct mta_spool *,
				 const struct mta_envelope *, mta_addr first);
	void (*append)(struct mta_spool *, struct mta_ref, mta_addr recipient);
	/* Complete, durable, visible in `queue`, due at once. NULL: the spool
	 * takes no more, and nothing has happened. */
	const struct mta_file *(*commit)(struct mta_spool *, struct mta_ref,
					 enum mta_queue queue);
	void (*abandon)(struct mta_spool *, struct mta_ref);

	/* NULL: it is gone, or not yet committed. */
	const struct mta_file *(*look)(struct mta_spool *, struct mta_ref);
	/* The record at an offset; the first stands at 0. */
	enum mta_err (*read)(struct mta_spool *, struct mta_ref,
			     uint32_t offset, struct mta_record *);
	/* Mark a recipient done (R to D). Not synced (F1.14). Sets the wake
	 * time to now, as does mark_warned (F1.9). */
	enum mta_err (*mark_done)(struct mta_spool *, struct mta_ref,
				  uint32_t offset);
	enum mta_err (*mark_warned)(struct mta_spool *, struct mta_ref);
	/* Set and clear mode bits; quiet when the file is gone. */
	void (*set_mode)(struct mta_spool *, struct mta_ref, uint32_t set,
			 uint32_t clear);

	/*
	 * Rename into active, where nobody else may work on it. MTA_ENOENT: it
	 * was not in `from`, and nothing has happened. It is in active, and
	 * shown, but MTA_ECORRUPT: it cannot be read; MTA_ELOCKED: an agent
	 * still works on it.
	 */
	enum mta_err (*admit)(struct mta_spool *, struct mta_ref,
			      enum mta_queue from, const struct mta_file **);
	/* An agent begins and ends its work on a file, which it shares with
	 * others: MTA_ENOENT when it is not in active, MTA_ECORRUPT. It may be
	 * moved meanwhile, or removed, which ends the lock. */
	enum mta_err (*lock)(struct mta_spool *, struct mta_ref);
	void (*unlock)(struct mta_spool *, struct mta_ref);
	/* Rename, and set the wake time unless MTA_WAKE_KEEP. NULL: it was not
	 * in `from`, here as below, and nothing has happened. */
	const struct mta_file *(*move)(struct mta_spool *, struct mta_ref,
				       enum mta_queue from, enum mta_queue to,
				       uint32_t wake_s);
	const struct mta_file *(*remove)(struct mta_spool *, struct mta_ref,
					 enum mta_queue from);

	/* Begin a scan of a directory; `scan` must not be open. */
	void (*scan_open)(struct mta_spool *, enum mta_queue,
			  struct mta_scan *);
	/*
	 * The next file with wake <= due_s (UINT32_MAX: any), passing at most
	 * `skips_max` (> 0) names that are not: SKIPPED when so many were
	 * passed and none was due, or earlier when passing them took time. END
	 * may have passed some as well.
	 */
	enum mta_scan_result (*scan_next)(struct mta_spool *, struct mta_scan *,
					  uint32_t due_s, uint32_t skips_max,
					  struct mta_scan_item *);
	void (*scan_close)(struct mta_spool *, struct mta_scan *);
	/* Files in a directory now. */
	uint32_t (*count)(struct mta_spool *, enum mta_queue);

	/* Append to a log, synced. The log takes over the caller's ownership of
	 * record->status.reason. */
	enum mta_err (*log_append)(struct mta_spool *, enum mta_log,
				   struct mta_ref,
				   const struct mta_log_record *);
	/* Record number n of a log; MTA_ENOENT behind the last. Borrowed. */
	enum mta_err (*log_read)(struct mta_spool *, enum mta_log,
				 struct mta_ref, uint32_t n,
				 struct mta_log_record *);
	/* Forget a log; quiet when there is none. A log outlives its file until
	 * this is called. */
	void (*log_remove)(struct mta_spool *, enum mta_log, struct mta_ref);
	/* The id as operators see it (F1.4), into a buffer; also of the file
	 * that was removed or abandoned last, so that its last words can name
	 * it; "" when it is not known. */
	void (*id_text)(struct mta_spool *, struct mta_ref, char *buffer,
			size_t size_bytes);
};

/* The next file of an open scan, due or not. False: there is none, and the scan
 * is closed. */
bool
mta_spool_next(struct mta_spool *s, struct mta_scan *scan, struct mta_ref *id);

#endif
