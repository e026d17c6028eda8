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
	k->last_dest = TALLY_NONE;
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
}

void
tally_release(struct tally *t)
{
	table_release(&t->destinations, t->symbols);
	table_release(&t->domains, t->symbols);
	table_release(&t->sources, t->symbols);
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
	uint64_t key = table_key(0, domain);
	struct tally_key *k = find(&t->domains, key);

	if (k)
		return k;
	k = add(&t->domains, key);
	k->name = domain;
	mta_sym_hold(t->symbols, domain);
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
	struct tally_key *d;

	if (domain->last_dest != TALLY_NONE)
		return t->destinations.keys[domain->last_dest];
	if (t->router &&
	    t->router->resolve(t->router, recipient, &route) != MTA_ROUTE_OK)
		route = (struct mta_route){.queue = domain->name};
	d = tally_destination(t, route.transport, route.queue);
	domain->last_dest = d->number;
	return d;
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
count(struct tally_key *k, const struct mta_trace_delivery *d, bool has_delay)
{
	k->attempts += tally_is_attempt(d);
	k->outcomes[d->outcome]++;
	if (has_delay)
		histogram_add(&k->delay, d->at - d->arrival);
}

struct tally_place
tally_delivery(struct tally *t, const struct mta_trace_delivery *d,
	       uint32_t source)
{
	mta_sym domain = t->book->domain(t->book, d->recipient);
	bool has_delay = tally_is_final((enum mta_outcome)d->outcome) &&
			 d->at >= t->stats_from;
	struct tally_place place = {
		.domain = tally_domain(t, domain),
		.source = tally_source(t, source),
	};

	if (d->destination != 0 && !tally_is_service(t, d->transport)) {
		place.destination =
			tally_destination(t, d->transport, d->destination);
		place.domain->last_dest = place.destination->number;
	} else {
		place.destination =
			destination_of(t, place.domain, d->recipient);
	}
	count(place.destination, d, has_delay);
	count(place.domain, d, has_delay);
	count(place.source, d, has_delay);
	count(&t->all, d, has_delay);
	return place;
}

struct tally_place
tally_open(struct tally *t, mta_addr recipient, uint32_t source, int64_t age)
{
	struct tally_place place = {
		.domain = tally_domain(t, t->book->domain(t->book, recipient)),
		.source = tally_source(t, source),
	};

	place.destination = destination_of(t, place.domain, recipient);
	histogram_add(&place.destination->open, age);
	histogram_add(&place.domain->open, age);
	histogram_add(&place.source->open, age);
	histogram_add(&t->all.open, age);
	return place;
}
