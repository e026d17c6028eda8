/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Packing and unpacking of queue files, and the slots that they stand in. Slots
 * come in chunks that never move; freed ones are used again, last in, first
 * out.
 *
 * Invariant: unpack(pack(x)) is x. What has no room is refused, never cut.
 */
#include "sim/host/spool_record.h"

#include <stdlib.h>
#include <string.h>

#include "mta/book.h"
#include "mta/panic.h"

enum {
	NUMBER_BITS = 28,
	SIZE_LOW_BITS = 12,
	SIZE_BITS = 24,
	DELAY_BITS = 20,
	ARRIVAL_BITS = 44,
	BASE_DAYS = 40,
	PASTS_PER_CHUNK = 1 << 12,
};

#define LOW_BITS(n)    ((UINT64_C(1) << (n)) - 1)
#define GENERATION_MAX ((UINT32_C(1) << 20) - 1)

void
spool_records_init(struct spool_records *r, mta_time now)
{
	*r = (struct spool_records){.base = now - BASE_DAYS * INT64_C(86400) *
							  MTA_USEC_PER_S};
	mta_pool_init(&r->pasts, sizeof(struct spool_past), PASTS_PER_CHUNK);
}

void
spool_records_release(struct spool_records *r)
{
	for (uint32_t i = 0; i < r->chunk_count; i++)
		free(r->chunks[i]);
	free(r->chunks);
	mta_pool_release(&r->pasts);
	*r = (struct spool_records){.base = r->base};
}

MTA_APART static uint32_t
slot_fresh(struct spool_records *r)
{
	mta_assert(r->fresh < UINT32_MAX - 1);
	if (r->fresh / SPOOL_SLOTS_PER_CHUNK == r->chunk_count) {
		if (r->chunk_count == r->chunk_capacity) {
			r->chunk_capacity = r->chunk_capacity * 2 + 8;
			r->chunks = mta_realloc(r->chunks, r->chunk_capacity,
						sizeof(*r->chunks));
		}
		r->chunks[r->chunk_count++] = mta_alloc(
			SPOOL_SLOTS_PER_CHUNK, sizeof(struct spool_record));
	}
	spool_record_at(r, r->fresh)->generation = 1;
	return r->fresh++;
}

uint32_t
spool_records_take(struct spool_records *r)
{
	uint32_t slot;
	struct spool_record *record;

	r->used_count++;
	if (r->free_head == 0)
		return slot_fresh(r);
	slot = r->free_head - 1;
	record = spool_record_at(r, slot);
	r->free_head = record->place;
	return slot;
}

void
spool_records_give(struct spool_records *r, uint32_t slot)
{
	struct spool_record *record = spool_record_at(r, slot);
	uint32_t old = record->generation;

	record->generation =
		old == GENERATION_MAX ? 1 : (old + 1) & GENERATION_MAX;
	record->where = 0;
	record->mode = 0;
	record->is_written_out = 0;
	record->created_late = 0;
	mta_assert(!record->has_past);
	record->place = r->free_head;
	r->free_head = slot + 1;
	r->used_count--;
}

/* Does a mail say no more than a record can hold? */
static bool
is_packable(const struct spool_records *r, const struct spool_plain *p)
{
	const struct mta_envelope *e = &p->file.envelope;

	return e->recipient_count == 1 && e->size_bytes >> SIZE_BITS == 0 &&
	       e->arrival >= r->base &&
	       (uint64_t)(e->arrival - r->base) >> ARRIVAL_BITS == 0 &&
	       e->committed >= e->arrival &&
	       (uint64_t)(e->committed - e->arrival) >> DELAY_BITS == 0 &&
	       (e->created == e->arrival || e->created == e->committed) &&
	       mta_addr_number(e->sender) >> NUMBER_BITS == 0 &&
	       mta_addr_number(p->to) >> NUMBER_BITS == 0;
}

/* What a record has no room for itself, if there is any of it. */
static void
pack_past(struct spool_records *r, struct spool_record *record,
	  const struct mta_envelope *e, const struct mta_status *deferred)
{
	struct spool_past *past;

	record->serial = e->serial;
	if (e->attempts == 0 && e->warn_s == 0 && !deferred)
		return;
	past = mta_pool_take_raw(&r->pasts);
	past->serial = e->serial;
	past->attempts = e->attempts;
	past->first_active = e->first_active;
	past->warn_s = e->warn_s;
	past->deferred =
		deferred ? *deferred : (struct mta_status){.reason = 0};
	record->serial = past->pooled.index;
	record->has_past = 1;
}

bool
spool_record_pack(struct spool_records *r, struct spool_record *record,
		  const struct mta_status *deferred)
{
	const struct spool_plain *from = record->out.plain;
	const struct mta_envelope *e = &from->file.envelope;

	mta_assert(record->is_written_out);
	if (!is_packable(r, from))
		return false;
	pack_past(r, record, e, deferred);
	record->created_late = e->created != e->arrival;
	record->is_written_out = 0;
	record->packed = (struct spool_packed){
		.arrival_us = (uint64_t)(e->arrival - r->base) &
			      LOW_BITS(ARRIVAL_BITS),
		.accept_delay_us = (uint64_t)(e->committed - e->arrival) &
				   LOW_BITS(DELAY_BITS),
		.sender_number = e->sender & LOW_BITS(NUMBER_BITS),
		.sender_family = mta_addr_family(e->sender) & LOW_BITS(24),
		.to_number = from->to & LOW_BITS(NUMBER_BITS),
		.to_family = mta_addr_family(from->to) & LOW_BITS(24),
		.size_low = e->size_bytes & LOW_BITS(SIZE_LOW_BITS),
		.size_high = e->size_bytes >> SIZE_LOW_BITS &
			     LOW_BITS(SIZE_BITS - SIZE_LOW_BITS),
	};
	return true;
}

static mta_time
packed_arrival(const struct spool_records *r, const struct spool_packed *p)
{
	return r->base + (mta_time)p->arrival_us;
}

mta_addr
spool_record_to(const struct spool_record *r)
{
	mta_assert(!r->is_written_out);
	return mta_addr_make((uint32_t)r->packed.to_family,
			     r->packed.to_number);
}

mta_time
spool_record_created(const struct spool_records *r,
		     const struct spool_record *record)
{
	if (record->is_written_out)
		return record->out.plain->file.envelope.created;
	return packed_arrival(r, &record->packed) +
	       (record->created_late ? (mta_time)record->packed.accept_delay_us
				     : 0);
}

void
spool_record_unpack(const struct spool_records *r,
		    const struct spool_record *from, struct spool_plain *to)
{
	const struct spool_packed *p = &from->packed;
	const struct spool_past *past = spool_record_past(r, from);
	mta_time arrival = packed_arrival(r, p);

	mta_assert(!from->is_written_out);
	to->to = spool_record_to(from);
	to->file.logs = 0;
	to->file.envelope = (struct mta_envelope){
		.arrival = arrival,
		.created = spool_record_created(r, from),
		.sender = mta_addr_make((uint32_t)p->sender_family,
					p->sender_number),
		.serial = from->serial,
		.size_bytes =
			(uint32_t)(p->size_low | p->size_high << SIZE_LOW_BITS),
		.recipient_count = 1,
		.first_active = MTA_NEVER,
		.committed = arrival + (mta_time)p->accept_delay_us,
	};
	if (!past)
		return;
	to->file.envelope.serial = past->serial;
	to->file.envelope.attempts = past->attempts;
	to->file.envelope.first_active = past->first_active;
	to->file.envelope.warn_s = past->warn_s;
	if (past->deferred.dsn.class != 0)
		to->file.logs = 1U << MTA_LOG_DEFER;
}

void
spool_record_drop_past(struct spool_records *r, struct spool_record *record)
{
	mta_assert(record->has_past);
	mta_pool_give(&r->pasts, spool_record_past(r, record));
	record->has_past = 0;
}
