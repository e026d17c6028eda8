/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The hash: each field is mixed into the state by a multiplication whose odd
 * factor spreads it upward and a shift that brings the high half down; the
 * order of fields therefore matters. Texts are hashed byte by byte once and
 * kept by the symbol's number; a number that was given out again for another
 * text is noticed by comparing the text.
 */
#include "sim/fingerprint.h"

#include <stdlib.h>

#include "sim/arena.h"

/* Which kind a record is, part of the hash. */
enum {
	KIND_MOVE = 1,
	KIND_DELIVERY = 2,
	KIND_FEEDBACK = 3,
};

/* A name that has been hashed: its text, cut, tells if it still is that. */
struct fingerprint_name {
	uint64_t hash;
	char *text;   /* owned; NULL: nothing here */
	bool is_held; /* the number stays that name */
};

static inline uint64_t
mix(uint64_t state, uint64_t value)
{
	state = (state ^ value) * UINT64_C(0x9e3779b97f4a7c15);
	return state ^ state >> 32;
}

static uint64_t
hash_text(const char *text)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	return mix(h, 0);
}

static uint64_t
name_of(struct fingerprint *f, mta_sym symbol)
{
	const char *text = mta_sym_text(f->symbols, symbol);
	struct fingerprint_name *name;

	if (symbol >= f->name_room) {
		uint32_t room = symbol < 64 ? 128 : symbol * 2;

		f->names = memory_resize(f->names, room, sizeof(*f->names));
		for (uint32_t i = f->name_room; i < room; i++)
			f->names[i] = (struct fingerprint_name){.hash = 0};
		f->name_room = room;
	}
	name = &f->names[symbol];
	if (!name->text || strcmp(name->text, text) != 0) {
		free(name->text);
		name->text = memory_text(text);
		name->hash = hash_text(text);
	}
	return name->hash;
}

/* Names of which there are few for each host: they are held, and need no
 * second look. */
static uint64_t
lasting_name_of(struct fingerprint *f, mta_sym symbol)
{
	uint64_t hash;

	if (symbol < f->name_room && f->names[symbol].is_held)
		return f->names[symbol].hash;
	hash = name_of(f, symbol);
	mta_sym_hold(f->symbols, symbol);
	f->names[symbol].is_held = true;
	return hash;
}

static uint64_t
since(const struct fingerprint *f, mta_time at)
{
	return at == MTA_NEVER ? UINT64_MAX : (uint64_t)(at - f->epoch);
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
fingerprint_init(struct fingerprint *f, struct mta_symtab *symbols,
		 mta_time epoch)
{
	*f = (struct fingerprint){
		.state = UINT64_C(0x6d746173696d0001),
		.epoch = epoch,
		.symbols = symbols,
	};
}

void
fingerprint_release(struct fingerprint *f)
{
	for (uint32_t i = 0; i < f->name_room; i++) {
		if (f->names[i].is_held)
			mta_sym_drop(f->symbols, i);
		free(f->names[i].text);
	}
	free(f->names);
	f->names = NULL;
	f->name_room = 0;
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
	h = mix(h, join(since(f, d->active), since(f, d->handoff)));
	h = mix(h, join(since(f, d->setup), pair(d->offset, d->batch)));
	h = mix(h, join(lasting_name_of(f, d->transport),
			lasting_name_of(f, d->destination)));
	h = mix(h, join(lasting_name_of(f, d->relay), name_of(f, d->reason)));
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
	h = mix(h, lasting_name_of(f, e->transport));
	h = mix(h, lasting_name_of(f, e->destination));
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
