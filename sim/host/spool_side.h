/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A file of the memory spool that is written out: recipients with their marks,
 * locks, logs. It knows neither queues nor time, and owns the reasons that
 * stand in its logs.
 *
 * One that is in no use is as it will be taken: without recipients, marks and
 * records in logs. The memory of a small log stays with it, for whatever file
 * is next.
 */
#ifndef SIM_SPOOL_SIDE_H
#define SIM_SPOOL_SIDE_H

#include "mta/pool.h"
#include "mta/spool.h"
#include "mta/symtab.h"
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

/* The side of a record that is written out. */
static inline struct spool_side *
spool_side_of(const struct spool_record *record)
{
	return mta_container_of(record->out.plain, struct spool_side, plain);
}

/* Free what it owns; reasons in logs are not dropped. */
void spool_side_release(struct spool_side *side);
/* As it will be taken; its logs are empty already. */
void spool_side_clear(struct spool_side *side);

/* Recipients, from 0 on. */
void spool_side_add(struct spool_side *side, mta_addr to);
static inline mta_addr
spool_side_recipient(const struct spool_side *side, uint32_t n)
{
	return side->many ? side->many[n] : side->plain.to;
}

/* A recipient is done. Marks older than `writeback` are on disk since. */
void spool_side_mark_done(struct spool_side *side, uint32_t n, mta_time now,
			  mta_span writeback);
/* Marks that are not on disk are undone; how many. */
uint32_t spool_side_lose_marks(struct spool_side *side);

static inline bool
spool_side_has_log(const struct spool_side *side, enum mta_log log)
{
	return mta_file_has_log(&side->plain.file, log);
}

/* One more record in a log; the side owns the reason. */
void spool_side_log(struct spool_side *side, enum mta_log log,
		    const struct mta_log_record *record);
void spool_side_drop_log(struct spool_side *side, enum mta_log log,
			 struct mta_symtab *symbols);
/* Do the logs say at most why the one recipient waits? */
bool spool_side_has_plain_logs(const struct spool_side *side);

#endif
