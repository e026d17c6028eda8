/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Packing and unpacking of queue files, and the slots that they stand in. Slots
 * come in chunks that never move; freed ones are used again, last in, first
 * out.
 *
 * Invariant: unpack(pack(x)) is x. What has no room is refused, never cut.
 */
#include "sim/spool_record.h"

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
};

#define LOW_BITS(n)    ((UINT64_C(1) << (n)) - 1)
#define GENERATION_MAX ((UINT32_C(1) << 20) - 1)

void
spool_records_init(struct spool_records *r, mta_time now)
{
	*r = (struct spool_records){.base = now - BASE_DAYS * INT64_C(86400) *
							  MTA_USEC_PER_S};
}

void
spool_records_release(struct spool_records *r)
{
	for (uint32_t i = 0; i < r->chunk_count; i++)
		free(r->chunks[i]);
	free(r->chunks);
	*r = (struct spool_records){.base = r->base};
}

static uint32_t
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
	r->free_head = (uint32_t)record->place;
	record->place = 0;
	return slot;
}

void
spool_records_give(struct spool_records *r, uint32_t slot)
{
	struct spool_record *record = spool_record_at(r, slot);
	uint32_t old = record->generation;

	memset(record, 0, sizeof(*record));
	record->generation =
		old == GENERATION_MAX ? 1 : (old + 1) & GENERATION_MAX;
	record->place = r->free_head;
	r->free_head = slot + 1;
	r->used_count--;
}

struct spool_record *
spool_record_find(const struct spool_records *r, struct mta_ref ref)
{
	struct spool_record *record;

	if (ref.generation == 0 || ref.index >= r->fresh)
		return NULL;
	record = spool_record_at(r, ref.index);
	return record->generation == ref.generation ? record : NULL;
}

struct mta_ref
spool_record_ref(const struct spool_records *r, uint32_t slot)
{
	return (struct mta_ref){.index = slot,
				.generation =
					spool_record_at(r, slot)->generation};
}

/* Does a mail say no more than a record can hold? */
static bool
is_packable(const struct spool_records *r, const struct spool_plain *p)
{
	const struct mta_envelope *e = &p->envelope;

	return e->recipient_count == 1 && e->attempts == 0 && e->warn_s == 0 &&
	       e->size_bytes >> SIZE_BITS == 0 && e->arrival >= r->base &&
	       (uint64_t)(e->arrival - r->base) >> ARRIVAL_BITS == 0 &&
	       e->committed >= e->arrival &&
	       (uint64_t)(e->committed - e->arrival) >> DELAY_BITS == 0 &&
	       (p->created == e->arrival || p->created == e->committed) &&
	       mta_addr_number(e->sender) >> NUMBER_BITS == 0 &&
	       mta_addr_number(p->to) >> NUMBER_BITS == 0;
}

bool
spool_record_pack(const struct spool_records *r, struct spool_record *to,
		  const struct spool_plain *from)
{
	const struct mta_envelope *e = &from->envelope;

	mta_assert(!to->has_side);
	if (!is_packable(r, from))
		return false;
	to->arrival_us =
		(uint64_t)(e->arrival - r->base) & LOW_BITS(ARRIVAL_BITS);
	to->accept_delay_us =
		(uint64_t)(e->committed - e->arrival) & LOW_BITS(DELAY_BITS);
	to->created_late = from->created != e->arrival;
	to->sender_number = e->sender & LOW_BITS(NUMBER_BITS);
	to->sender_family = mta_addr_family(e->sender) & LOW_BITS(24);
	to->to_number = from->to & LOW_BITS(NUMBER_BITS);
	to->to_family = mta_addr_family(from->to) & LOW_BITS(24);
	to->size_low = e->size_bytes & LOW_BITS(SIZE_LOW_BITS);
	to->size_high = e->size_bytes >> SIZE_LOW_BITS &
			LOW_BITS(SIZE_BITS - SIZE_LOW_BITS);
	to->serial = e->serial;
	return true;
}

void
spool_record_unpack(const struct spool_records *r,
		    const struct spool_record *from, struct spool_plain *to)
{
	mta_time arrival = r->base + (mta_time)from->arrival_us;
	mta_time committed = arrival + (mta_time)from->accept_delay_us;
	mta_time created = from->created_late ? committed : arrival;

	mta_assert(!from->has_side);
	*to = (struct spool_plain){
		.created = created,
		.to = mta_addr_make((uint32_t)from->to_family, from->to_number),
		.envelope =
			{
				.arrival = arrival,
				.created_s = mta_second(created),
				.sender = mta_addr_make(
					(uint32_t)from->sender_family,
					from->sender_number),
				.serial = (uint32_t)from->serial,
				.size_bytes =
					(uint32_t)(from->size_low |
						   from->size_high
							   << SIZE_LOW_BITS),
				.recipient_count = 1,
				.first_active = MTA_NEVER,
				.committed = committed,
			},
	};
}

uint32_t
spool_record_side(const struct spool_record *r)
{
	mta_assert(r->has_side);
	return (uint32_t)r->to_number;
}

void
spool_record_set_side(struct spool_record *r, uint32_t side)
{
	mta_assert(side >> NUMBER_BITS == 0);
	r->has_side = 1;
	r->to_number = side & LOW_BITS(NUMBER_BITS);
}
