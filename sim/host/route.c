/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Looking up domains. The hot path is one array read: addresses of a family
 * share their domain, hence their route, unless they are the senders of a trace
 * or an address of that domain has a key of its own.
 */
#include "sim/host/route.h"

#include "mta/book.h"
#include "mta/panic.h"
#include "sim/host/book.h"

enum {
	ROUTES_PER_CHUNK = 256
};

static enum mta_route_result
router_resolve(struct mta_router *base, mta_addr address, struct mta_route *out)
{
	struct router *r = mta_container_of(base, struct router, base);
	const struct router_family *family = router_family(r, address);

	*out = family ? family->to : router_find(r, address)->to;
	return MTA_ROUTE_OK;
}

static const struct scenario_domain *
key_find(const struct router *r, const char *key)
{
	mta_sym name = mta_sym_find(r->symbols, key);

	return name ? mta_table_find(&r->keys, name) : NULL;
}

static bool
is_my_name(const struct router *r, const char *domain)
{
	return strcmp(domain,
		      mta_sym_text(r->symbols, book_my_name(r->book))) == 0;
}

/* The entry for a domain: itself, then what is above it, then "*"; but of our
 * own name itself only. */
static const struct scenario_domain *
domain_entry(const struct router *r, const char *domain)
{
	const struct scenario_domain *entry = key_find(r, domain);
	const char *dot = strchr(domain, '.');

	if (is_my_name(r, domain))
		return entry;
	while (!entry && dot) {
		entry = key_find(r, dot);
		dot = strchr(dot + 1, '.');
	}
	return entry ? entry : key_find(r, "*");
}

static void
router_add_key(struct router *r, struct scenario_domain *entry)
{
	mta_sym name = mta_sym_intern(r->symbols, entry->name);
	const char *at = strchr(entry->name, '@');
	mta_sym domain;

	if (!mta_table_find(&r->keys, name))
		mta_table_add(&r->keys, name, entry);
	if (!at)
		return;
	domain = mta_sym_intern(r->symbols, at + 1);
	if (!mta_table_find(&r->users, domain))
		mta_table_add(&r->users, domain, entry);
}

void
router_init(struct router *r, const struct scenario *scenario,
	    struct mta_book *book, struct mta_symtab *symbols)
{
	*r = (struct router){.base.resolve = router_resolve,
			     .scenario = scenario,
			     .book = book,
			     .symbols = symbols};
	mta_pool_init(&r->routes, sizeof(struct route), ROUTES_PER_CHUNK);
	mta_table_init(&r->keys);
	mta_table_init(&r->known);
	mta_table_init(&r->users);
	for (size_t i = 0; i < scenario->domain_count; i++)
		router_add_key(r, &scenario->domains[i]);
}

void
router_release(struct router *r)
{
	free(r->families);
	mta_table_release(&r->keys);
	mta_table_release(&r->known);
	mta_table_release(&r->users);
	mta_pool_release(&r->routes);
}

/* `name`: what the route is known by, a domain or an address. */
static struct route *
route_make(struct router *r, mta_sym name, mta_sym domain,
	   const struct scenario_domain *entry)
{
	struct route *route = mta_pool_take(&r->routes);
	const char *nexthop = mta_sym_text(r->symbols, domain);
	const char *transport = "local";
	bool is_mine = domain == book_my_name(r->book);

	if (entry) {
		transport = entry->transport ? entry->transport : "smtp";
		nexthop = entry->nexthop ? entry->nexthop : nexthop;
		route->sharing = entry->sharing;
		route->receiver = (uint32_t)entry->receiver;
	} else if (!is_mine &&
		   r->scenario->bounces_sharing != SCENARIO_RECEIVER_NONE) {
		transport = "smtp";
		route->sharing = r->scenario->bounces_sharing;
		route->receiver = (uint32_t)r->scenario->bounces_receiver;
	}
	route->domain = domain;
	route->to.transport = mta_sym_intern(r->symbols, transport);
	route->to.nexthop = mta_sym_intern(r->symbols, nexthop);
	route->to.queue = mta_sym_intern_lower(r->symbols, nexthop);
	route->to.is_local = is_mine || strcmp(transport, "local") == 0;
	route->has_users = mta_table_find(&r->users, domain) != NULL;
	mta_table_add(&r->known, name, route);
	return route;
}

static struct route *
route_of_domain(struct router *r, mta_sym domain)
{
	struct route *route = mta_table_find(&r->known, domain);

	if (route)
		return route;
	return route_make(r, domain, domain,
			  domain_entry(r, mta_sym_text(r->symbols, domain)));
}

/* An address of a domain of which some address has a key. */
static struct route *
route_of_user(struct router *r, mta_addr address, struct route *of_domain)
{
	char text[MTA_ADDR_TEXT_MAX];
	const struct scenario_domain *entry;
	struct route *route;
	mta_sym name;

	r->book->text(r->book, address, text, sizeof(text));
	entry = key_find(r, text);
	if (!entry)
		return of_domain;
	name = mta_sym_find(r->symbols, text);
	route = mta_table_find(&r->known, name);
	return route ? route : route_make(r, name, of_domain->domain, entry);
}

/* All addresses of a family go there. */
static void
router_keep(struct router *r, uint32_t family, const struct mta_route *to)
{
	if (family >= r->family_capacity) {
		uint32_t capacity = family * 2 + 64;

		r->families = mta_realloc(r->families, capacity,
					  sizeof(*r->families));
		memset(r->families + r->family_capacity, 0,
		       (capacity - r->family_capacity) * sizeof(*r->families));
		r->family_capacity = capacity;
	}
	r->families[family].to = *to;
}

struct route *
router_find(struct router *r, mta_addr address)
{
	struct route *route =
		route_of_domain(r, r->book->domain(r->book, address));

	if (route->has_users)
		return route_of_user(r, address, route);
	if (book_shares_domain(r->book, mta_addr_family(address)))
		router_keep(r, mta_addr_family(address), &route->to);
	return route;
}

struct route *
router_find_domain(struct router *r, const char *domain)
{
	if (!domain_entry(r, domain))
		return NULL;
	return route_of_domain(r, mta_sym_intern(r->symbols, domain));
}
