/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The hash: each field is mixed into the state by a multiplication whose odd
 * factor spreads it upward and a shift that brings the high half down; the
 * order of fields therefore matters. Names go in by the hashes of their texts
 * that the table of symbols keeps.
 */
#include "sim/results/fingerprint.h"

/* Which kind a record is, part of the hash. */
enum {
	KIND_MOVE = 1,
	KIND_DELIVERY = 2,
	KIND_FEEDBACK = 3,
};

static inline uint64_t
mix(uint64_t state, uint64_t value)
{
	state = (state ^ value) * UINT64_C(0x9e3779b97f4a7c15);
	return state ^ state >> 32;
}

static inline uint64_t
name_of(const struct fingerprint *f, mta_sym symbol)
{
	return mta_sym_hash(f->symbols, symbol);
}

static inline uint64_t
since(const struct fingerprint *f, mta_time at)
{
	return (uint64_t)(at - f->epoch);
}

/* Of a time that may be MTA_NEVER. */
static inline uint64_t
since_if(const struct fingerprint *f, mta_time at)
{
	return at == MTA_NEVER ? UINT64_MAX : since(f, at);
}

/* Two fields as one; apart from the state, so that the processor can do several
 * at a time. */
static inline uint64_t
join(uint64_t a, uint64_t b)
{
	uint64_t x = a * UINT64_C(0xd6e8feb86659fd93) ^
		     (b + 1) * UINT64_C(0xa0761d6478bd642f);

	return x ^ x >> 29;
}

static inline uint64_t
pair(uint32_t high, uint32_t low)
{
	return (uint64_t)high << 32 | low;
}

void
fingerprint_init(struct fingerprint *f, const struct mta_symtab *symbols,
		 mta_time epoch)
{
	*f = (struct fingerprint){
		.state = UINT64_C(0x6d746173696d0001),
		.epoch = epoch,
		.symbols = symbols,
	};
}

void
fingerprint_move(struct fingerprint *f, const struct mta_trace_move *m)
{
	uint64_t h = mix(f->state, pair(KIND_MOVE, m->serial));

	h = mix(h, since(f, m->at));
	h = mix(h, pair(m->from << 16 | m->to, m->reason));
	h = mix(h, (uint64_t)m->wake_s);
	h = mix(h, m->recipient_count);
	f->state = h;
	f->records++;
}

void
fingerprint_delivery(struct fingerprint *f, const struct mta_trace_delivery *d)
{
	uint64_t h = mix(f->state, pair(KIND_DELIVERY, d->serial));

	h = mix(h, join(since(f, d->at), since(f, d->arrival)));
	h = mix(h, join(since_if(f, d->active), since_if(f, d->handoff)));
	h = mix(h, join(since_if(f, d->setup), pair(d->offset, d->batch)));
	h = mix(h, join(name_of(f, d->transport), name_of(f, d->destination)));
	h = mix(h, join(name_of(f, d->relay), name_of(f, d->reason)));
	h = mix(h, join((uint64_t)d->dsn.class << 32 |
				(uint64_t)d->dsn.subject << 16 | d->dsn.detail,
			d->size_bytes));
	h = mix(h, pair((uint32_t)d->code << 16 | d->conn_use,
			(uint32_t)d->outcome << 8 | d->step));
	f->state = h;
	f->records++;
}

void
fingerprint_feedback(struct fingerprint *f, const struct mta_trace_feedback *e)
{
	uint64_t h = mix(f->state, pair(KIND_FEEDBACK, e->event));

	h = mix(h, since(f, e->at));
	h = mix(h, name_of(f, e->transport));
	h = mix(h, name_of(f, e->destination));
	h = mix(h, pair((uint32_t)e->limit, (uint32_t)e->window));
	h = mix(h, (uint64_t)(int64_t)e->busy);
	f->state = h;
	f->records++;
}

void
fingerprint_text(const struct fingerprint *f, char text[FINGERPRINT_TEXT])
{
	uint64_t h = mix(mix(f->state, f->records), f->records);

	for (int i = 0; i < 16; i++)
		text[i] = "0123456789abcdef"[h >> (60 - 4 * i) & 15];
	text[16] = '\0';
}
