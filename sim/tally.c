/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keys and what is counted at them. A table finds its keys by a 64-bit number
 * made of symbols; those are held, so that a number stays that name. The keys
 * themselves are allocated one by one and never move.
 */
#include "sim/tally.h"

#include <stdlib.h>

#include "sim/arena.h"

/* Never 0, which the table takes for a free place. */
static uint64_t
table_key(uint32_t high, uint32_t low)
{
	return ((uint64_t)high << 32 | low) + 1;
}

static struct tally_key *
find(struct tally_table *table, uint64_t key)
{
	return mta_table_find(&table->index, key);
}

static struct tally_key *
add(struct tally_table *table, uint64_t key)
{
	struct tally_key *k = memory_array(1, sizeof(*k));

	if (table->count == table->capacity) {
		table->capacity = table->capacity ? 2 * table->capacity : 16;
		table->keys = memory_resize(table->keys, table->capacity,
					    sizeof(struct tally_key *));
	}
	k->number = table->count;
	table->keys[table->count++] = k;
	mta_table_add(&table->index, key, k);
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
		free(k);
	}
	free(table->keys);
	mta_table_release(&table->index);
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
	mta_table_init(&t->destinations.index);
	mta_table_init(&t->domains.index);
	mta_table_init(&t->sources.index);
	mta_table_init(&t->pairs.index);
}

void
tally_release(struct tally *t)
{
	table_release(&t->destinations, t->symbols);
	table_release(&t->domains, t->symbols);
	table_release(&t->sources, t->symbols);
	table_release(&t->pairs, t->symbols);
	free(t->by_name);
	histogram_release(&t->all.delay);
	histogram_release(&t->all.open);
}

struct tally_key *
tally_destination(struct tally *t, mta_sym transport, mta_sym name)
{
	uint64_t key = table_key(transport, name);
	struct tally_key *k = find(&t->destinations, key);

	if (k)
		return k;
	k = add(&t->destinations, key);
	k->transport = transport;
	k->name = name;
	mta_sym_hold(t->symbols, transport);
	mta_sym_hold(t->symbols, name);
	return k;
}

struct tally_key *
tally_domain(struct tally *t, mta_sym domain)
{
	struct tally_key *k;

	if (domain >= t->by_name_room) {
		uint32_t room = domain < 64 ? 128 : 2 * domain;

		t->by_name = memory_resize(t->by_name, room,
					   sizeof(struct tally_key *));
		for (uint32_t i = t->by_name_room; i < room; i++)
			t->by_name[i] = NULL;
		t->by_name_room = room;
	}
	if (t->by_name[domain])
		return t->by_name[domain];
	k = add(&t->domains, table_key(0, domain));
	k->name = domain;
	mta_sym_hold(t->symbols, domain);
	t->by_name[domain] = k;
	return k;
}

/* A domain's mail goes to one destination, mostly: that pair is kept. */
static struct tally_key *
pair_of(struct tally *t, struct tally_key *domain, struct tally_key *dest)
{
	uint64_t key;
	struct tally_key *k = domain->last_pair;

	if (k && k->of_dest == dest)
		return k;
	key = table_key(domain->number, dest->number);
	k = find(&t->pairs, key);
	if (!k) {
		k = add(&t->pairs, key);
		k->of_domain = domain;
		k->of_dest = dest;
	}
	domain->last_pair = k;
	return k;
}

struct tally_key *
tally_source(struct tally *t, uint32_t source)
{
	uint64_t key = table_key(0, source);
	struct tally_key *k = find(&t->sources, key);

	if (!k) {
		k = add(&t->sources, key);
		k->source = source;
	}
	return k;
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

static struct tally_key *
destination_of(struct tally *t, struct tally_key *domain, mta_addr recipient)
{
	struct mta_route route = {.transport = 0, .queue = domain->name};

	if (domain->last_dest)
		return domain->last_dest;
	if (t->router &&
	    t->router->resolve(t->router, recipient, &route) != MTA_ROUTE_OK)
		route = (struct mta_route){.queue = domain->name};
	domain->last_dest = tally_destination(t, route.transport, route.queue);
	return domain->last_dest;
}

struct tally_key *
tally_destination_of(struct tally *t, mta_addr recipient)
{
	mta_sym domain = t->book->domain(t->book, recipient);

	return destination_of(t, tally_domain(t, domain), recipient);
}

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

static void
count(struct tally_key *k, const struct mta_trace_delivery *d)
{
	k->attempts += tally_is_attempt(d);
	k->outcomes[d->outcome]++;
}

static struct tally_key *
destination_told(struct tally *t, const struct mta_trace_delivery *d,
		 struct tally_key *domain)
{
	const struct tally_key *last = domain->last_dest;

	if (d->destination == 0 || tally_is_service(t, d->transport))
		return destination_of(t, domain, d->recipient);
	if (!last || last->name != d->destination ||
	    last->transport != d->transport)
		domain->last_dest =
			tally_destination(t, d->transport, d->destination);
	return domain->last_dest;
}

struct tally_place
tally_delivery(struct tally *t, const struct mta_trace_delivery *d,
	       uint32_t source)
{
	struct tally_place place = {
		.domain =
			tally_domain(t, t->book->domain(t->book, d->recipient)),
		.source = tally_source(t, source),
	};
	struct tally_key *pair;

	place.destination = destination_told(t, d, place.domain);
	pair = pair_of(t, place.domain, place.destination);
	count(pair, d);
	count(place.destination, d);
	count(place.source, d);
	if (tally_is_final((enum mta_outcome)d->outcome) &&
	    d->at >= t->stats_from) {
		histogram_add(&pair->delay, d->at - d->arrival);
		histogram_add(&place.source->delay, d->at - d->arrival);
	}
	return place;
}

struct tally_place
tally_open(struct tally *t, mta_addr recipient, uint32_t source, int64_t age,
	   enum mta_outcome outcome)
{
	struct tally_place place = {
		.domain = tally_domain(t, t->book->domain(t->book, recipient)),
		.source = tally_source(t, source),
	};
	struct tally_key *pair;

	place.destination = destination_of(t, place.domain, recipient);
	pair = pair_of(t, place.domain, place.destination);
	pair->outcomes[outcome]++;
	place.destination->outcomes[outcome]++;
	place.source->outcomes[outcome]++;
	histogram_add(&pair->open, age);
	histogram_add(&place.source->open, age);
	return place;
}

static void
add_counts(struct tally_key *to, const struct tally_key *from)
{
	to->attempts += from->attempts;
	for (uint32_t o = 0; o < MTA_OUTCOMES; o++)
		to->outcomes[o] += from->outcomes[o];
}

static void
add_delays(struct tally_key *to, const struct tally_key *from)
{
	histogram_merge(&to->delay, &from->delay);
	histogram_merge(&to->open, &from->open);
}

void
tally_close(struct tally *t)
{
	if (t->is_closed)
		return;
	t->is_closed = true;
	for (uint32_t i = 0; i < t->pairs.count; i++) {
		struct tally_key *pair = t->pairs.keys[i];

		add_counts(pair->of_domain, pair);
		add_delays(pair->of_domain, pair);
		add_delays(pair->of_dest, pair);
		/* Nobody asks for a pair's own. */
		histogram_release(&pair->delay);
		histogram_release(&pair->open);
	}
	for (uint32_t i = 0; i < t->sources.count; i++) {
		add_counts(&t->all, t->sources.keys[i]);
		add_delays(&t->all, t->sources.keys[i]);
	}
}
