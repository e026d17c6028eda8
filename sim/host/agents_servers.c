/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where a delivery goes: the site, then each fallback relay, each with its
 * servers in the order in which they are tried (F11.3). A list is made once,
 * at the beginning of a delivery, where there is more than one place.
 *
 * A name that no entry of `domains` knows stands here without a remote end. It
 * is one that the DNS does not have: of a fallback relay that is our own
 * mistake, and soft (F11.4).
 */
#include <string.h>

#include "mta/panic.h"
#include "mta/text.h"
#include "sim/host/agents_parts.h"

/* One more place to go to, and its servers: at most mx_address_limit, and as
 * many as leave one to each stop that may follow. */
static void
list_add_stop(struct agent_process *p, struct remote *remote)
{
	int32_t most = p->transport->smtp->mx_address_limit;
	struct receiver_server *list = p->tour->servers + p->server_count;
	size_t room;

	if (p->stop_count == AGENT_STOPS_MAX)
		return;
	room = AGENT_SERVERS_MAX - p->server_count -
	       (AGENT_STOPS_MAX - 1 - p->stop_count);
	if (most > 0 && (size_t)most < room)
		room = (size_t)most;
	list[0] = (struct receiver_server){0};
	if (remote && remote->receiver.config->mx_count > 0)
		room = receiver_servers(&remote->receiver,
					p->agent.attempt.serial, p->try,
					p->transport->smtp->randomize_addresses
						? RECEIVER_SHUFFLED
						: RECEIVER_AS_LISTED,
					list, room);
	else
		room = 1;
	p->server_count += (uint32_t)room;
	p->tour->stops[p->stop_count++] =
		(struct agent_stop){.remote = remote, .end = p->server_count};
}

/* One name of smtp_fallback_relay; brackets mean the same without DNS, and a
 * port is not looked at. */
static void
list_add_relay(struct agent_process *p, const char *name, size_t length)
{
	struct agents_lookup *lookup = p->transport->agents->lookup;
	char host[MTA_ADDR_TEXT_MAX];
	struct remote *remote;

	if (*name == '[') {
		name++;
		length--;
	}
	if (length >= sizeof(host))
		return;
	memcpy(host, name, length);
	host[length] = '\0';
	host[strcspn(host, "]:")] = '\0';
	if (host[0] == '\0')
		return;
	remote = lookup->domain(lookup, host);
	if (!remote || remote != p->main)
		list_add_stop(p, remote);
}

void
agent_make_tour(struct agent_process *p)
{
	const char *at = p->transport->smtp->fallback_relay;
	const char *name;
	size_t length;

	/* Kept for the next delivery that has many places to go to. */
	if (!p->tour)
		p->tour = mta_alloc(1, sizeof(*p->tour));
	p->server_count = p->stop_count = 0;
	list_add_stop(p, p->main);
	while (p->transport->is_smtp && (name = mta_text_word(&at, &length)))
		list_add_relay(p, name, length);
	mta_assert(p->server_count > 0);
}
