/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The router: a door of the host. Tells for a recipient the transport and the
 * next hop (trivial-rewrite's part), or that it cannot tell now.
 */
#ifndef MTA_ROUTER_H
#define MTA_ROUTER_H

#include "mta/types.h"

struct mta_route {
	mta_sym transport;
	mta_sym nexthop; /* as configured */
	mta_sym queue;	 /* the same in lower case: names the destination */
	bool is_local;	 /* the domain is one of our own (mydestination) */
};

enum mta_route_result {
	MTA_ROUTE_OK,
	MTA_ROUTE_TRY_LATER,  /* 4.3.0 address resolver failure (F5.4 c) */
	MTA_ROUTE_BAD_SYNTAX, /* 5.1.3 bad address syntax */
};

struct mta_router {
	/* OK fills the whole route. Symbols are borrowed: they live as long as
	 * the router. */
	enum mta_route_result (*resolve)(struct mta_router *, mta_addr,
					 struct mta_route *);
};

#endif
