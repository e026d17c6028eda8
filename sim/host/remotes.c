/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From a recipient to the remote end of its route.
 */
#include "sim/host/remotes.h"

#include "mta/panic.h"

enum {
	ENDS_PER_CHUNK = 64
};

struct remote_end {
	struct mta_pooled pooled;
	struct remote remote;
};

static struct remote *
remote_make(struct remotes *r, uint32_t receiver, const char *name)
{
	struct remote_end *end = mta_pool_take(&r->ends);

	receiver_init(&end->remote.receiver,
		      r->scenario->receivers[receiver].config,
		      stream_child(r->luck, name));
	remote_init(&end->remote, end->pooled.index, name, r->symbols);
	return &end->remote;
}

/* The one of a receiver that is shared, by its number in the scenario. */
static struct remote *
remote_shared(struct remotes *r, uint32_t receiver)
{
	struct remote **shared = &r->shared[receiver];

	if (!*shared)
		*shared = remote_make(r, receiver,
				      r->scenario->receivers[receiver].name);
	return *shared;
}

static struct remote *
remote_of_route(struct remotes *r, struct route *route)
{
	switch (route->sharing) {
	case SCENARIO_RECEIVER_NONE:
		return NULL;
	case SCENARIO_RECEIVER_EACH:
		return remote_make(r, route->receiver,
				   mta_sym_text(r->symbols, route->domain));
	case SCENARIO_RECEIVER_SHARED:
		return remote_shared(r, route->receiver);
	}
	return NULL;
}

static struct remote *
remotes_lookup(struct agents_lookup *base, mta_addr recipient)
{
	struct remotes *r = mta_container_of(base, struct remotes, base);
	struct router_family *family = router_family(r->router, recipient);
	struct route *route;

	if (family && family->remote)
		return family->remote;
	route = router_find(r->router, recipient);
	if (!route->remote)
		route->remote = remote_of_route(r, route);
	if (family)
		family->remote = route->remote;
	return route->remote;
}

/* A host that belongs to another receiver, which is always a shared one. */
static struct remote *
remotes_other(struct agents_lookup *base, const struct receiver_config *config)
{
	struct remotes *r = mta_container_of(base, struct remotes, base);
	uint32_t i = 0;

	while (r->scenario->receivers[i].config != config)
		i++;
	return remote_shared(r, i);
}

static struct remote *
remotes_domain(struct agents_lookup *base, const char *name)
{
	struct remotes *r = mta_container_of(base, struct remotes, base);
	struct route *route = router_find_domain(r->router, name);

	if (route && !route->remote)
		route->remote = remote_of_route(r, route);
	return route ? route->remote : NULL;
}

void
remotes_init(struct remotes *r, struct router *router,
	     const struct scenario *scenario, struct mta_symtab *symbols,
	     uint64_t seed, uint32_t replication)
{
	*r = (struct remotes){.base = {.remote = remotes_lookup,
				       .other = remotes_other,
				       .domain = remotes_domain},
			      .router = router,
			      .scenario = scenario,
			      .symbols = symbols};
	stream_init(&r->luck, seed, replication, "receivers");
	mta_pool_init(&r->ends, sizeof(struct remote_end), ENDS_PER_CHUNK);
	r->shared = mta_alloc(scenario->receiver_count + 1, sizeof(*r->shared));
}

void
remotes_release(struct remotes *r)
{
	for (uint32_t i = 0; i < r->ends.fresh; i++) {
		struct remote_end *end = mta_pool_at(&r->ends, i);

		remote_release(&end->remote, r->symbols);
	}
	mta_pool_release(&r->ends);
	free(r->shared);
}
