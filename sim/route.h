/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The router of the simulated host: recipient -> transport, next hop, and the
 * remote end behind it. Made from `domains:`, where the most specific key wins:
 * user@domain, domain, the longest .suffix, "*".
 *
 * A domain that no key fits is one that only senders have: its mail (bounces)
 * goes where `bounces_to` says, by default to `local`, which delivers at once.
 *
 * Routes are made when a domain is first asked for and stay for the whole run.
 */
#ifndef SIM_ROUTE_H
#define SIM_ROUTE_H

#include "mta/pool.h"
#include "mta/router.h"
#include "mta/symtab.h"
#include "mta/table.h"
#include "sim/scenario.h"

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

struct router {
	struct mta_router base;
	const struct scenario *scenario; /* borrowed, as the next two */
	struct mta_book *book;
	struct mta_symtab *symbols;
	struct mta_pool routes;
	struct mta_table keys;	 /* symbol of a key of domains: -> its entry */
	struct mta_table known;	 /* domain, or address with a key -> route */
	struct mta_table users;	 /* domains of which an address has a key */
	struct route **families; /* by family of addresses, or NULL */
	uint32_t family_capacity;
};

void router_init(struct router *r, const struct scenario *scenario,
		 struct mta_book *book, struct mta_symtab *symbols);
void router_release(struct router *r);

/* The route of an address; never NULL. */
struct route *router_find(struct router *r, mta_addr address);

/* The route of a domain, or NULL when no key of `domains:` fits it. */
struct route *router_find_domain(struct router *r, const char *domain);

/* Does any key of `domains:` fit this domain? */
bool router_knows(const struct router *r, const char *domain);

#endif
