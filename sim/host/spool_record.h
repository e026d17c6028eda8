/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The memory spool's queue files: a record of 36 bytes for each. A mail with
 * one recipient that was not tried yet fits into it, packed; of one that was,
 * and has at most the reason why it waits in a log, a past of 48 bytes tells
 * the rest. What does not fit (several recipients, marks, other logs, an odd
 * size or time) is written out, somewhere else, and the record says where.
 *
 * A slot is a place for a record. Its generation, 20 bits, changes with every
 * use, so that a handle fits one file only (until the same slot was used a
 * million times).
 */
#ifndef SIM_SPOOL_RECORD_H
#define SIM_SPOOL_RECORD_H

#include "mta/pool.h"
#include "mta/spool.h"
#include "mta/types.h"

/* Where a file is: an enum mta_queue, or one of these. */
enum spool_place {
	SPOOL_OUTSIDE = MTA_QUEUES, /* being written: invisible */
	SPOOL_GONE,		    /* removed, but a log of it is left */
};

/* What a packed record says, written out; where the file is and its mode are
 * the record's to say. */
struct spool_plain {
	struct mta_file file;
	mta_addr to; /* the first recipient */
};

struct spool_packed {
	uint64_t arrival_us : 44;      /* since spool_records.base */
	uint64_t accept_delay_us : 20; /* from arrival to commit */
	uint64_t sender_number : 28;
	uint64_t sender_family : 24;
	uint64_t size_low : 12;
	uint64_t to_number : 28;
	uint64_t to_family : 24;
	uint64_t size_high : 12;
} __attribute__((packed, aligned(4)));

/* What has become of a packed mail so far. */
struct spool_past {
	struct mta_pooled pooled;
	uint32_t serial;
	uint32_t attempts;
	mta_time first_active;
	int64_t warn_s;
	struct mta_status deferred; /* its record in the defer log, which owns
				     * the reason; class 0: it has none */
};

struct spool_lane;

/* Where the rest of a file is; both are borrowed. */
struct spool_written {
	struct spool_plain *plain;
	struct spool_lane *lane; /* of the directory; NULL: to be found */
} __attribute__((packed, aligned(4)));

struct spool_record {
	union {
		struct spool_packed packed;
		struct spool_written out; /* if is_written_out */
	};
	uint32_t place;	 /* in its lane; free: next free slot + 1 */
	uint32_t serial; /* if packed; has_past: the place of its past */
	uint32_t generation : 20;
	uint32_t where : 3;	   /* enum mta_queue or spool_place */
	uint32_t mode : MTA_MODES; /* enum mta_file_mode bits */
	uint32_t is_written_out : 1;
	uint32_t created_late : 1; /* created when committed, not at arrival */
	uint32_t has_past : 1;	   /* if packed */
} __attribute__((packed, aligned(4)));

_Static_assert(sizeof(struct spool_record) == 36, "packed as stated");

enum {
	SPOOL_SLOTS_PER_CHUNK = 1 << 14
};

struct spool_records {
	struct spool_record **chunks;
	uint32_t chunk_count;
	uint32_t chunk_capacity;
	uint32_t fresh;	    /* slots ever used */
	uint32_t free_head; /* slot + 1, or 0 */
	uint32_t used_count;
	mta_time base; /* earliest arrival that can be packed */
	struct mta_pool pasts;
};

/* now: times from 40 days before it to 160 days after it can be packed. */
void spool_records_init(struct spool_records *r, mta_time now);
void spool_records_release(struct spool_records *r);

/* A slot with a fresh generation: in MTA_MAILDROP, without mode bits, packed;
 * what is packed in it means nothing. */
uint32_t spool_records_take(struct spool_records *r);
void spool_records_give(struct spool_records *r, uint32_t slot);

static inline struct spool_record *
spool_record_at(const struct spool_records *r, uint32_t slot)
{
	return &r->chunks[slot / SPOOL_SLOTS_PER_CHUNK]
			 [slot % SPOOL_SLOTS_PER_CHUNK];
}

/* The record of a handle, or NULL when it is stale. */
static inline struct spool_record *
spool_record_find(const struct spool_records *r, struct mta_ref ref)
{
	struct spool_record *record;

	/* No generation is 0. */
	if (ref.index >= r->fresh)
		return NULL;
	record = spool_record_at(r, ref.index);
	return record->generation == ref.generation ? record : NULL;
}

static inline struct mta_ref
spool_record_ref(const struct spool_records *r, uint32_t slot)
{
	return (struct mta_ref){.index = slot,
				.generation =
					spool_record_at(r, slot)->generation};
}

/*
 * Pack a mail that is written out. deferred: the one record of its defer log,
 * about its one recipient, whose reason is taken over; NULL: it has no log.
 * False, and nothing has changed: it does not fit.
 */
bool spool_record_pack(struct spool_records *r, struct spool_record *record,
		       const struct mta_status *deferred);
/* Write out what is packed, without making a note of it in the record. */
void
spool_record_unpack(const struct spool_records *r,
		    const struct spool_record *from, struct spool_plain *to);

/* What has become of a record that is packed; NULL: it was never tried. */
static inline struct spool_past *
spool_record_past(const struct spool_records *r,
		  const struct spool_record *record)
{
	return record->has_past ? mta_pool_at(&r->pasts, record->serial) : NULL;
}
/* Forget it; its reason is the caller's. */
void
spool_record_drop_past(struct spool_records *r, struct spool_record *record);

/* From now on the record is written out there. */
static inline void
spool_record_write_out(struct spool_record *r, struct spool_plain *plain)
{
	r->out.plain = plain;
	r->out.lane = NULL;
	r->is_written_out = 1;
}

/* One field of a packed record. */
mta_addr spool_record_to(const struct spool_record *r);
/* When the file was created, of any record. */
mta_time spool_record_created(const struct spool_records *r,
			      const struct spool_record *record);

#endif
