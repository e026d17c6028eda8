/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The memory spool's queue files, packed: 36 bytes say all of a mail with one
 * recipient that was not tried yet. What does not fit (several recipients, an
 * attempt, a log, an odd size or time) is written out in a spool_side
 * (sim/spool_mem.h), whose number then stands in the record.
 *
 * A slot is a place for a record. Its generation, 20 bits, changes with every
 * use, so that a handle fits one file only (until the same slot was used a
 * million times).
 */
#ifndef SIM_SPOOL_RECORD_H
#define SIM_SPOOL_RECORD_H

#include "mta/spool.h"
#include "mta/types.h"

/* Where a file is: an enum mta_queue, or one of these. */
enum spool_place {
	SPOOL_OUTSIDE = MTA_QUEUES, /* being written: invisible */
	SPOOL_GONE,		    /* removed, but a log of it is left */
};

struct spool_record {
	uint64_t arrival_us : 44;      /* since spool_records.base */
	uint64_t accept_delay_us : 20; /* from arrival to commit */
	uint64_t sender_number : 28;
	uint64_t sender_family : 24;
	uint64_t size_low : 12;
	uint64_t to_number : 28; /* or the number of the spool_side */
	uint64_t to_family : 24;
	uint64_t size_high : 12;
	uint64_t place : 32; /* in its lane; free: next free slot + 1 */
	uint64_t serial : 32;
	uint32_t generation : 20;
	uint32_t where : 3; /* enum mta_queue or spool_place */
	uint32_t mode : 5;  /* enum mta_file_mode bits */
	uint32_t has_side : 1;
	uint32_t created_late : 1; /* created when committed, not at arrival */
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
};

/* What a record can say, written out. */
struct spool_plain {
	struct mta_envelope envelope;
	mta_time created; /* microseconds; envelope.created_s is its second */
	mta_addr to;	  /* the recipient */
};

/* now: times from 40 days before it to 160 days after it can be packed. */
void spool_records_init(struct spool_records *r, mta_time now);
void spool_records_release(struct spool_records *r);

/* A slot with a fresh generation, otherwise zeroed. */
uint32_t spool_records_take(struct spool_records *r);
void spool_records_give(struct spool_records *r, uint32_t slot);

static inline struct spool_record *
spool_record_at(const struct spool_records *r, uint32_t slot)
{
	return &r->chunks[slot / SPOOL_SLOTS_PER_CHUNK]
			 [slot % SPOOL_SLOTS_PER_CHUNK];
}

/* The record of a handle, or NULL when it is stale. */
struct spool_record *
spool_record_find(const struct spool_records *r, struct mta_ref ref);

struct mta_ref spool_record_ref(const struct spool_records *r, uint32_t slot);

/*
 * Write a mail into its record, which must not have a side. False, and nothing
 * is written: it does not fit.
 */
bool spool_record_pack(const struct spool_records *r, struct spool_record *to,
		       const struct spool_plain *from);
void
spool_record_unpack(const struct spool_records *r,
		    const struct spool_record *from, struct spool_plain *to);

/* The number of the side, of a record that has one. */
uint32_t spool_record_side(const struct spool_record *r);
void spool_record_set_side(struct spool_record *r, uint32_t side);

#endif
