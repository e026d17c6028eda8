/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The memory spool: one store of queue files for all services, each of which
 * sees it through a view of its own (sim/host/spool_view.h).
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

#include "mta/pool.h"
#include "mta/spool.h"
#include "mta/symtab.h"
#include "sim/host/spool_dir.h"
#include "sim/host/spool_disk.h"
#include "sim/host/spool_record.h"
#include "sim/host/spool_side.h"

enum {
	SPOOL_SHORT = 64 /* a queue of so many is short: none is packed */
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

/* symbols: borrowed. now: see spool_records_init. */
void spool_mem_init(struct spool_mem *s, const struct spool_mem_config *c,
		    struct mta_symtab *symbols, mta_time now);
/* Scans need not be closed; names in logs are not dropped. */
void spool_mem_release(struct spool_mem *s);

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

/* In a queue that is long, the side of a usual mail with one recipient that
 * nobody works on becomes a packed record. */
MTA_APART void
spool_mem_try_pack(struct spool_mem *s, struct spool_record *record);

/* Forget a record whose file is gone, unless a log of it is left. */
void spool_mem_settle(struct spool_mem *s, struct spool_record *record,
		      uint32_t slot);

/* A file that is being written, with its first recipient; in no queue. */
struct spool_side *spool_mem_make(struct spool_mem *s,
				  const struct mta_envelope *e, mta_addr first);
/* From being written to a queue, which has room for it. */
bool spool_mem_has_room(const struct spool_mem *s);
void spool_mem_publish(struct spool_mem *s, enum mta_queue queue,
		       struct spool_record *record, struct spool_entry entry);

/* The record of a file that is in a queue, or NULL. */
static inline struct spool_record *
spool_mem_find(struct spool_mem *s, struct mta_ref file)
{
	struct spool_record *record = spool_record_find(&s->records, file);

	return record && record->where < MTA_QUEUES ? record : NULL;
}

/* The same, of one that is in this queue. */
static inline struct spool_record *
spool_mem_find_in(struct spool_mem *s, struct mta_ref file,
		  enum mta_queue queue)
{
	struct spool_record *record = spool_record_find(&s->records, file);

	return record && record->where == queue ? record : NULL;
}

/* What it looks like; a look writes nothing out. */
const struct mta_file *
spool_mem_show(struct spool_mem *s, const struct spool_record *record);

/* Shared locks on a file. */
static inline uint32_t
spool_record_locks(const struct spool_record *record)
{
	return record->is_written_out ? spool_side_of(record)->shared_locks : 0;
}

#endif
