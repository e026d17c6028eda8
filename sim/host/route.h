/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The router of the simulated host: recipient -> transport, next hop, and the
 * remote end behind it. Made from `domains:`, where the most specific key wins:
 * user@domain, domain, the longest .suffix, "*".
 *
 * A domain that no key fits is one that only senders have: its mail (bounces)
 * goes where `bounces_to` says, by default to `local`, which delivers at once.
 * The host's own name is local unless it has a key of its own.
 *
 * Routes are made when a domain is first asked for and stay for the whole run.
 */
#ifndef SIM_ROUTE_H
#define SIM_ROUTE_H

#include "mta/book.h"
#include "mta/pool.h"
#include "mta/router.h"
#include "mta/symtab.h"
#include "mta/table.h"
#include "sim/scenario/scenario.h"

struct remote;

/* Where mail of one domain (or of one address with a key of its own) goes. */
struct route {
	struct mta_pooled pooled;
	struct mta_route to;
	mta_sym domain;
	enum scenario_sharing sharing;
	uint32_t receiver;     /* index in the scenario, unless NONE */
	bool has_users;	       /* some address of the domain has its own key */
	struct remote *remote; /* made when first wanted; remotes.c */
};

/* What is asked of a family of addresses for each message: dense, because the
 * next message asks of another family. */
struct router_family {
	struct mta_route to;   /* no transport: its addresses are to be found */
	struct remote *remote; /* of the route, once made */
};

struct router {
	struct mta_router base;
	const struct scenario *scenario; /* borrowed, as the next two */
	struct mta_book *book;
	struct mta_symtab *symbols;
	struct mta_pool routes;
	struct mta_table keys;	/* symbol of a key of domains: -> its entry */
	struct mta_table known; /* domain, or address with a key -> route */
	struct mta_table users; /* domains of which an address has a key */
	struct router_family *families; /* by number */
	uint32_t family_capacity;
};

/* All borrowed. */
void router_init(struct router *r, const struct scenario *scenario,
		 struct mta_book *book, struct mta_symtab *symbols);
void router_release(struct router *r);

/* The route of an address; never NULL. */
struct route *router_find(struct router *r, mta_addr address);

/* What is known of all addresses of this one's family, which have one route; or
 * NULL: router_find knows. */
static inline struct router_family *
router_family(const struct router *r, mta_addr address)
{
	uint32_t number = mta_addr_family(address);

	if (number >= r->family_capacity || !r->families[number].to.transport)
		return NULL;
	return &r->families[number];
}

/* The route of a domain, or NULL when no key of `domains:` fits it. */
struct route *router_find_domain(struct router *r, const char *domain);

#endif
