/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The memory spool: one store for all services, and a view of it for each,
 * which is a door in the sense of mta/spool.h and charges the time that
 * operations take to that service's loop.
 *
 * Order of scans: sim/host/spool_dir.h. Size: 36 bytes for a waiting mail with
 * one recipient that was not tried yet, and 8 for its directory entry; about
 * 150 more for every mail that came when its queue was short, was in active,
 * has several recipients, or anything else that sim/host/spool_record.h has no
 * room for.
 *
 * Ids are made of the time of creation and, for the inode, the slot's number
 * plus 1.
 */
#ifndef SIM_SPOOL_MEM_H
#define SIM_SPOOL_MEM_H

#include "mta/loop.h"
#include "mta/pool.h"
#include "mta/spool.h"
#include "mta/symtab.h"
#include "sim/host/spool_dir.h"
#include "sim/host/spool_record.h"

/* What became of a recipient's record. */
enum spool_mark {
	SPOOL_MARK_DONE = 1,
	SPOOL_MARK_UNSYNCED = 2, /* a power loss may undo it (F1.14) */
};

struct spool_log {
	struct mta_log_record *records; /* owned */
	uint32_t count;
	uint32_t capacity;
};

enum {
	SPOOL_LOGS = MTA_LOG_BOUNCE + 1
};

/* By enum mta_log. */
struct spool_logs {
	struct spool_log of[SPOOL_LOGS];
};

enum {
	SPOOL_SHORT = 64 /* a queue of so many is short: none is packed */
};

/*
 * A file that is written out, with all that a packed record has no room for.
 * One that is in no use is as it will be taken: without recipients, marks and
 * records in logs.
 */
struct spool_side {
	struct mta_pooled pooled;
	uint32_t slot;	       /* these two are the pool's while it is free */
	uint32_t shared_locks; /* agents that work on it */
	struct spool_plain plain;
	mta_time dirty_since; /* first mark that may be unsynced */
	uint32_t count;	      /* of recipients */
	uint32_t capacity;    /* of `many` */
	mta_addr *many;	      /* owned; NULL: the one recipient is plain.to */
	uint8_t *marks;	      /* behind `many`, or that of the one */
	uint8_t one_mark;
	struct spool_logs *logs; /* owned; NULL: none so far */
};

/* The disk: one station with `parallel` servers, first come first served. */
struct spool_disk {
	mta_span fsync;	   /* commit, append to a log */
	mta_span rename;   /* commit, move, remove */
	uint32_t parallel; /* >= 1 */
	mta_time *free_at; /* owned; by server */
};

struct spool_mem_config {
	struct spool_dirs_config dirs;
	bool long_ids;	    /* enable_long_queue_ids */
	uint32_t files_max; /* 0: no bound; more are MTA_ENOSPACE */
	mta_span disk_fsync;
	mta_span disk_rename;
	uint32_t disk_parallel; /* 0 is 1 */
	mta_span writeback; /* marks older than this are on disk; 0 is 30 s */
};

struct spool_mem {
	struct spool_records records;
	struct spool_dirs dirs;
	struct mta_pool sides;
	struct mta_symtab *symbols; /* borrowed: reasons in logs */
	struct spool_disk disk;
	mta_span writeback;
	bool long_ids;
	uint32_t files_max;
	uint32_t new_count;	  /* files being written */
	uint32_t orphan_count;	  /* files that are gone but for a log */
	struct spool_plain shown; /* a file that is packed, to be looked at */
	struct mta_ref removed;	  /* the last one, which still has an id */
	mta_time removed_created;
};

/* Work that a service is busy with, microseconds; all 0: costs no time. */
struct spool_costs {
	mta_span commit; /* cleanup: per message */
	mta_span admit;	 /* queue manager: a file into active */
	mta_span scan;	 /* queue manager: a name looked at */
	mta_span finish; /* queue manager, pickup: a file out of active, or out
			  * of maildrop */
	/* Scans pass by files that cleanup or the disk is not done with. */
	bool passes_unwritten;
};

struct spool_view {
	struct mta_spool base; /* the door */
	struct spool_mem *store;
	struct mta_loop *loop;
	const struct spool_costs *costs;
};

/* symbols: borrowed. now: see spool_records_init. */
void spool_mem_init(struct spool_mem *s, const struct spool_mem_config *c,
		    struct mta_symtab *symbols, mta_time now);
/* Scans need not be closed; names in logs are not dropped. */
void spool_mem_release(struct spool_mem *s);

/* All borrowed; costs may change while the view is in use. */
void spool_view_init(struct spool_view *v, struct spool_mem *s,
		     struct mta_loop *loop, const struct spool_costs *costs);

/* ---- for the host, outside the door -----------------------------------------
 */

/* A file as it stands at some moment, for mail that is already there. */
struct spool_seed {
	enum mta_queue queue;
	uint32_t wake_s;
	struct mta_envelope envelope;
	const mta_addr *recipients; /* envelope.recipient_count of them */
};

/* Takes no time, and is packed if it can be, however short its queue. */
struct mta_ref spool_mem_put(struct spool_mem *s, const struct spool_seed *f);

/* When a committed file is due, whole seconds; 0 when it is gone. */
uint32_t spool_mem_wake(struct spool_mem *s, struct mta_ref file);

/*
 * Power is lost at `now` (F1.14). Files that were being written are gone and
 * locks are forgotten. Marks of finished recipients that are younger than
 * `writeback` may be lost: is_lost decides, file by file, in a fixed order,
 * with the caller's luck; then all of them are R again in that file. Renames,
 * removals and logs are taken as durable. Returns how many marks were lost.
 */
struct spool_luck {
	bool (*is_lost)(struct spool_luck *, struct mta_ref file);
};
uint32_t spool_mem_lose_power(struct spool_mem *s, mta_time now,
			      struct spool_luck *luck);

/* ---- between the parts of the spool -----------------------------------------
 */

/* The side of a record that is written out. */
static inline struct spool_side *
spool_side_of(const struct spool_record *record)
{
	return mta_container_of(record->out.plain, struct spool_side, plain);
}

/* Write a packed record out; its new side. */
MTA_APART struct spool_side *
spool_mem_write_out(struct spool_mem *s, struct spool_record *record,
		    uint32_t slot);

/* The side of a record, made if it has none. */
static inline struct spool_side *
spool_mem_side(struct spool_mem *s, struct spool_record *record, uint32_t slot)
{
	return record->is_written_out ? spool_side_of(record)
				      : spool_mem_write_out(s, record, slot);
}

static inline bool
spool_side_has_log(const struct spool_side *side, enum mta_log log)
{
	return mta_file_has_log(&side->plain.file, log);
}

/* Forget a record whose file is gone, unless a log of it is left. */
void spool_mem_settle(struct spool_mem *s, struct spool_record *record,
		      uint32_t slot);

/* Time on the disk, queueing included, is charged to the loop. */
MTA_APART void
spool_disk_wait(struct spool_disk *d, struct mta_loop *loop, mta_span service);
static inline void
spool_disk_use(struct spool_disk *d, struct mta_loop *loop, mta_span service)
{
	if (service > 0)
		spool_disk_wait(d, loop, service);
}

/* One more record in a log of the side, which owns the reason. */
void spool_side_log(struct spool_side *side, enum mta_log log,
		    const struct mta_log_record *record);

/* Recipients of a file that is written out, from 0 on. */
void spool_side_add(struct spool_side *side, mta_addr to);
static inline mta_addr
spool_side_recipient(const struct spool_side *side, uint32_t n)
{
	return side->many ? side->many[n] : side->plain.to;
}

/* Operations of mta/spool.h on logs (sim/host/spool_log.c). */
enum mta_err spool_log_append(struct mta_spool *, enum mta_log, struct mta_ref,
			      const struct mta_log_record *);
enum mta_err spool_log_read(struct mta_spool *, enum mta_log, struct mta_ref,
			    uint32_t n, struct mta_log_record *);
void spool_log_remove(struct mta_spool *, enum mta_log, struct mta_ref);

#endif
