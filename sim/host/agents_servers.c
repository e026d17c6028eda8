/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The servers of a delivery that has more than one place to go to: found once,
 * at its beginning. In which order they are tried, and how many, is said by
 * src/mta/server.h.
 *
 * A name that no entry of `domains` knows stands here without a remote end. It
 * is one that the DNS does not have: of a fallback relay that is our own
 * mistake, and soft (F11.4).
 */
#include "mta/panic.h"
#include "sim/host/agents_parts.h"

/* What a lookup of the name of a remote end answers. */
static uint32_t
tour_look_up(const struct agent_process *p, const struct remote *remote,
	     struct receiver_server *found)
{
	if (!remote) {
		found[0] = (struct receiver_server){0};
		return 1;
	}
	return receiver_servers(&remote->receiver, p->luck, p->try,
				p->transport->smtp->randomize_addresses
					? RECEIVER_SHUFFLED
					: RECEIVER_AS_LISTED,
				found);
}

/* One more place to go to. */
static void
tour_add(struct agent_process *p, struct remote *remote)
{
	struct receiver_server found[RECEIVER_HOSTS_MOST];
	struct mta_server sorted[RECEIVER_HOSTS_MOST];
	uint32_t count = tour_look_up(p, remote, found);
	uint32_t stop = p->client.way.stop_count;
	uint32_t first = p->client.way.server_count;

	for (uint32_t i = 0; i < count; i++)
		sorted[i] = (struct mta_server){
			.preference = found[i].preference, .number = i};
	count = mta_way_add(&p->client.way, sorted, count);
	if (count == 0)
		return;
	p->tour->remotes[stop] = remote;
	for (uint32_t i = 0; i < count; i++)
		p->tour->servers[first + i] = found[sorted[i].number];
}

void
agent_make_tour(struct agent_process *p)
{
	struct agents_lookup *lookup = p->transport->agents->lookup;
	const struct mta_smtp_params *smtp = p->transport->smtp;
	const char *at = smtp->fallback_relay;
	char relay[MTA_ADDR_TEXT_MAX];

	/* Kept for the next delivery that has many places to go to. */
	if (!p->tour)
		p->tour = mta_alloc(1, sizeof(*p->tour));
	mta_way_begin(&p->client.way, smtp);
	tour_add(p, p->main);
	while (p->transport->is_smtp &&
	       mta_relay_next(&at, relay, sizeof(relay))) {
		struct remote *remote = lookup->domain(lookup, relay);

		if (!remote || remote != p->main)
			tour_add(p, remote);
	}
}
