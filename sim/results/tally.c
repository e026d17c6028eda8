/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keys and what is counted at them. What a recipient's record says is counted
 * at the pair of its domain and destination, and at its source; the sums of
 * destinations and domains are made of pairs at the end. Before that whoever
 * follows them reads the list of what has changed. Keys are found by numbers
 * made of symbols; those are held, so that a number stays that name. Keys and
 * pairs never move.
 */
#include "sim/results/tally.h"

#include <stdlib.h>

#include "mta/panic.h"

enum {
	BLOCK = 256, /* pairs that are allocated at a time */
	AHEAD = 12   /* notes whose pair is on its way from memory */
};

_Static_assert(sizeof(struct tally_pair) == (size_t)2 * TALLY_LINE,
	       "a delivery is counted in one line of a pair, and its delay in "
	       "the other");

/* Never 0, which a table of src/mta takes for a free place. */
static uint64_t
table_key(uint32_t high, uint32_t low)
{
	return ((uint64_t)high << 32 | low) + 1;
}

static struct tally_key *
add_key(struct tally *t, struct tally_table *table)
{
	struct tally_key *k = arena_alloc(&t->memory, 1, sizeof(*k));

	if (table->count == table->capacity) {
		table->capacity = table->capacity ? 2 * table->capacity : 16;
		table->keys = memory_resize(table->keys, table->capacity,
					    sizeof(struct tally_key *));
	}
	k->number = table->count;
	table->keys[table->count++] = k;
	return k;
}

static void
table_release(struct tally_table *table, struct mta_symtab *symbols)
{
	for (uint32_t i = 0; i < table->count; i++) {
		struct tally_key *k = table->keys[i];

		mta_sym_drop(symbols, k->transport);
		mta_sym_drop(symbols, k->name);
		histogram_release(&k->delay);
		histogram_release(&k->open);
	}
	free(table->keys);
}

/* Room for place `wanted` in an array of things of a size; new ones are zero.
 */
MTA_RARE static void *
with_place(void *old, uint32_t *room, uint32_t wanted, size_t size_bytes)
{
	size_t before = *room;
	char *places;

	*room = wanted < 64 ? 128 : 2 * wanted;
	places = memory_resize(old, *room, size_bytes);
	memset(places + before * size_bytes, 0, (*room - before) * size_bytes);
	return places;
}

void
tally_init(struct tally *t, struct mta_symtab *symbols,
	   const struct mta_book *book, struct mta_router *router,
	   mta_time stats_from)
{
	*t = (struct tally){
		.symbols = symbols,
		.book = book,
		.router = router,
		.stats_from = stats_from,
	};
	mta_table_init(&t->destination_index);
	mta_table_init(&t->pair_index);
}

void
tally_release(struct tally *t)
{
	for (uint32_t i = 0; i < t->pair_count; i++)
		histogram_release(&tally_pair_at(t, i)->delay);
	for (uint32_t i = 0; i < t->pair_count; i += BLOCK)
		free(t->pairs[i / BLOCK]);
	free(t->pairs);
	table_release(&t->destinations, t->symbols);
	table_release(&t->domains, t->symbols);
	table_release(&t->sources, t->symbols);
	mta_table_release(&t->destination_index);
	mta_table_release(&t->pair_index);
	free(t->by_source);
	free(t->by_domain);
	free(t->changes.list);
	histogram_release(&t->all.delay);
	histogram_release(&t->all.open);
	arena_release(&t->memory);
}

/* ---- keys
 * ----------------------------------------------------------------------- */

struct tally_key *
tally_destination(struct tally *t, mta_sym transport, mta_sym name)
{
	uint64_t key = table_key(transport, name);
	struct tally_key *k = mta_table_find(&t->destination_index, key);

	if (k)
		return k;
	k = add_key(t, &t->destinations);
	k->transport = transport;
	k->name = name;
	mta_sym_hold(t->symbols, transport);
	mta_sym_hold(t->symbols, name);
	mta_table_add(&t->destination_index, key, k);
	return k;
}

static struct tally_key *
add_domain(struct tally *t, mta_sym name)
{
	struct tally_key *k = add_key(t, &t->domains);

	k->name = name;
	mta_sym_hold(t->symbols, name);
	return k;
}

struct tally_key *
tally_source(struct tally *t, uint32_t source)
{
	uint32_t place = source + 1;

	if (place >= t->by_source_room)
		t->by_source = with_place(t->by_source, &t->by_source_room,
					  place, sizeof(*t->by_source));
	if (!t->by_source[place]) {
		t->by_source[place] = add_key(t, &t->sources);
		t->by_source[place]->source = source;
	}
	return t->by_source[place];
}

void
tally_add_service(struct tally *t, mta_sym transport)
{
	if (t->service_count < TALLY_SERVICES)
		t->services[t->service_count++] = transport;
}

bool
tally_is_service(const struct tally *t, mta_sym transport)
{
	for (uint32_t i = 0; i < t->service_count; i++) {
		if (t->services[i] == transport)
			return true;
	}
	return false;
}

/* ---- pairs
 * ---------------------------------------------------------------------- */

struct tally_pair *
tally_pair_at(const struct tally *t, uint32_t number)
{
	return &t->pairs[number / BLOCK][number % BLOCK];
}

struct tally_key *
tally_destination_at(const struct tally *t, const struct tally_pair *pair)
{
	return t->destinations.keys[pair->destination];
}

struct tally_key *
tally_domain_at(const struct tally *t, const struct tally_pair *pair)
{
	mta_assert(pair->domain != TALLY_NO_DOMAIN);
	return t->domains.keys[pair->domain];
}

static struct tally_pair *
add_pair(struct tally *t, struct tally_key *domain, struct tally_key *dest)
{
	uint32_t number = t->pair_count++;
	struct tally_pair *pair;

	if (number % BLOCK == 0) {
		t->pairs = memory_resize(t->pairs, number / BLOCK + 1,
					 sizeof(struct tally_pair *));
		t->pairs[number / BLOCK] =
			memory_aligned(sizeof(*pair), BLOCK, sizeof(*pair));
	}
	pair = tally_pair_at(t, number);
	*pair = (struct tally_pair){
		.transport = dest->transport,
		.name = dest->name,
		.destination = dest->number,
		.domain = domain ? domain->number : TALLY_NO_DOMAIN,
		.number = number,
	};
	return pair;
}

/* domain: NULL, nobody knows it */
static struct tally_pair *
find_pair(struct tally *t, struct tally_key *domain, struct tally_key *dest)
{
	uint64_t key = table_key(domain ? domain->number : TALLY_NO_DOMAIN,
				 dest->number);
	struct tally_pair *pair = mta_table_find(&t->pair_index, key);

	if (!pair) {
		pair = add_pair(t, domain, dest);
		mta_table_add(&t->pair_index, key, pair);
	}
	return pair;
}

static struct tally_last *
last_of(struct tally *t, mta_sym domain)
{
	if (domain >= t->by_domain_room)
		t->by_domain = with_place(t->by_domain, &t->by_domain_room,
					  domain, sizeof(*t->by_domain));
	return &t->by_domain[domain];
}

/* From now on mail of a domain goes there. */
static void
set_last(struct tally *t, struct tally_last *last, mta_sym domain,
	 struct tally_key *dest)
{
	struct tally_key *key = last->pair ? tally_domain_at(t, last->pair)
					   : add_domain(t, domain);

	*last = (struct tally_last){
		.pair = find_pair(t, key, dest),
		.transport = dest->transport,
		.name = dest->name,
	};
}

static struct tally_key *
destination_routed(struct tally *t, mta_sym domain, mta_addr recipient)
{
	struct mta_route route = {.transport = 0, .queue = domain};

	if (t->router &&
	    t->router->resolve(t->router, recipient, &route) != MTA_ROUTE_OK)
		route = (struct mta_route){.queue = domain};
	return tally_destination(t, route.transport, route.queue);
}

struct tally_pair *
tally_pair_of(struct tally *t, mta_addr recipient)
{
	mta_sym domain = t->book->domain(t->book, recipient);
	struct tally_last *last = last_of(t, domain);

	if (!last->pair)
		set_last(t, last, domain,
			 destination_routed(t, domain, recipient));
	return last->pair;
}

struct tally_pair *
tally_pair_of_none(struct tally *t)
{
	return find_pair(t, NULL, tally_destination(t, 0, 0));
}

/* Another destination than the last one of its domain, or none. */
MTA_APART static struct tally_pair *
pair_anew(struct tally *t, const struct mta_trace_delivery *d, mta_sym domain,
	  struct tally_last *last)
{
	if (d->destination == 0 || tally_is_service(t, d->transport))
		return tally_pair_of(t, d->recipient);
	set_last(t, last, domain,
		 tally_destination(t, d->transport, d->destination));
	return last->pair;
}

/* A domain's mail goes to one destination, mostly: the last one. */
static struct tally_pair *
pair_told(struct tally *t, const struct mta_trace_delivery *d)
{
	mta_sym domain = t->book->domain(t->book, d->recipient);
	struct tally_last *last = last_of(t, domain);

	if (last->name == d->destination && last->transport == d->transport &&
	    last->pair)
		return last->pair;
	return pair_anew(t, d, domain, last);
}

/* ---- counting
 * ------------------------------------------------------------------- */

bool
tally_is_final(enum mta_outcome outcome)
{
	switch (outcome) {
	case MTA_SENT:
	case MTA_BOUNCED:
	case MTA_EXPIRED:
	case MTA_DISCARDED:
	case MTA_DELETED:
		return true;
	case MTA_DEFERRED_OUTCOME:
	case MTA_HELD:
	case MTA_QUEUED:
		return false;
	}
	return false;
}

bool
tally_is_attempt(const struct mta_trace_delivery *d)
{
	return d->outcome != MTA_EXPIRED;
}

uint64_t
tally_attempts(const struct tally_key *key)
{
	return key->outcomes[MTA_SENT] + key->outcomes[MTA_DISCARDED] +
	       key->outcomes[MTA_DEFERRED_OUTCOME] + key->outcomes[MTA_BOUNCED];
}

_Static_assert((int)TALLY_SENT == MTA_SENT &&
		       (int)TALLY_DEFERRED == MTA_DEFERRED_OUTCOME &&
		       (int)TALLY_BOUNCED == MTA_BOUNCED &&
		       (int)TALLY_EXPIRED == MTA_EXPIRED,
	       "all but the last have the same numbers");

static enum mta_outcome
outcome_of(enum tally_outcome outcome)
{
	return outcome == TALLY_DISCARDED ? MTA_DISCARDED
					  : (enum mta_outcome)outcome;
}

/* The other way round. */
static enum tally_outcome
place_of(uint32_t outcome)
{
	mta_assert(outcome <= MTA_EXPIRED || outcome == MTA_DISCARDED);
	return outcome == MTA_DISCARDED ? TALLY_DISCARDED
					: (enum tally_outcome)outcome;
}

/* The pair is about to change: what it was before, once, for those who follow.
 */
static void
note_change(struct tally_changes *c, struct tally_pair *pair)
{
	if (pair->has_changed)
		return;
	if (c->count == c->room) {
		c->room = c->room ? 2 * c->room : 64;
		c->list = memory_resize(c->list, c->room, sizeof(*c->list));
	}
	c->list[c->count++] = (struct tally_change){
		.pair = pair->number,
		.in_deferred = pair->in_deferred,
		.delivered = tally_delivered(pair),
		.failed = tally_failed(pair),
	};
	pair->has_changed = true;
}

static void
enter_note(struct tally *t, const struct tally_note *n)
{
	note_change(&t->changes, n->pair);
	n->pair->in_deferred += n->in_deferred;
	if (n->outcome < TALLY_OUTCOMES)
		n->pair->outcomes[n->outcome]++;
	if (!n->source)
		return;
	histogram_add(&n->pair->delay, n->us);
	histogram_add(&n->source->delay, n->us);
}

/* What was told goes into counts and sketches, in the order of telling. */
MTA_APART static void
enter_notes(struct tally *t)
{
	for (uint32_t i = 0; i < t->note_count; i++) {
		if (i + AHEAD < t->note_count) {
			struct tally_pair *next = t->notes[i + AHEAD].pair;

			__builtin_prefetch(next, 1);
			__builtin_prefetch(&next->delay, 1);
		}
		enter_note(t, &t->notes[i]);
	}
	t->note_count = 0;
}

static struct tally_note *
add_note(struct tally *t)
{
	mta_assert(!t->is_closed);
	if (t->note_count == TALLY_NOTES)
		enter_notes(t);
	return &t->notes[t->note_count++];
}

struct tally_place
tally_delivery(struct tally *t, const struct mta_trace_delivery *d,
	       uint32_t source)
{
	struct tally_place place = {
		.pair = pair_told(t, d),
		.source = tally_source(t, source),
	};
	bool has_delay = tally_is_final((enum mta_outcome)d->outcome) &&
			 d->at >= t->stats_from;

	place.source->outcomes[d->outcome]++;
	*add_note(t) = (struct tally_note){
		.pair = place.pair,
		.source = has_delay ? place.source : NULL,
		.us = d->at - d->arrival,
		.outcome = place_of(d->outcome),
	};
	return place;
}

void
tally_deferred(struct tally *t, struct tally_pair *pair, int32_t change)
{
	*add_note(t) = (struct tally_note){
		.pair = pair,
		.outcome = TALLY_OUTCOMES,
		.in_deferred = change,
	};
}

const struct tally_changes *
tally_changes(struct tally *t)
{
	enter_notes(t);
	return &t->changes;
}

void
tally_clear_changes(struct tally *t)
{
	for (uint32_t i = 0; i < t->changes.count; i++)
		tally_pair_at(t, t->changes.list[i].pair)->has_changed = false;
	t->changes.count = 0;
}

static void
count_open(struct tally_key *key, enum mta_outcome outcome, int64_t age)
{
	key->outcomes[outcome]++;
	histogram_add(&key->open, age);
}

struct tally_place
tally_open(struct tally *t, mta_addr recipient, uint32_t source, int64_t age,
	   enum mta_outcome outcome)
{
	struct tally_place place = {
		.pair = tally_pair_of(t, recipient),
		.source = tally_source(t, source),
	};

	mta_assert(!t->is_closed);
	count_open(tally_destination_at(t, place.pair), outcome, age);
	count_open(tally_domain_at(t, place.pair), outcome, age);
	count_open(place.source, outcome, age);
	return place;
}

static void
add_counts(struct tally_key *key, const struct tally_pair *pair)
{
	for (uint32_t o = 0; o < TALLY_OUTCOMES; o++)
		key->outcomes[outcome_of((enum tally_outcome)o)] +=
			pair->outcomes[o];
}

static void
add_pair_up(struct tally *t, struct tally_pair *pair)
{
	struct tally_key *dest = tally_destination_at(t, pair);

	add_counts(dest, pair);
	if (pair->domain != TALLY_NO_DOMAIN) {
		struct tally_key *domain = tally_domain_at(t, pair);

		add_counts(domain, pair);
		histogram_merge(&domain->delay, &pair->delay);
	}
	histogram_take(&dest->delay, &pair->delay);
}

static void
add_source(struct tally_key *all, const struct tally_key *source)
{
	for (uint32_t o = 0; o < MTA_OUTCOMES; o++)
		all->outcomes[o] += source->outcomes[o];
	histogram_merge(&all->delay, &source->delay);
	histogram_merge(&all->open, &source->open);
}

void
tally_close(struct tally *t)
{
	if (t->is_closed)
		return;
	t->is_closed = true;
	enter_notes(t);
	for (uint32_t i = 0; i < t->pair_count; i++)
		add_pair_up(t, tally_pair_at(t, i));
	for (uint32_t i = 0; i < t->sources.count; i++)
		add_source(&t->all, t->sources.keys[i]);
}
