/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The limits of addresses and of sessions are for each stop. The first cuts the
 * list of a stop when it is made; the second ends a stop on the way. A server
 * that fails before its handshake is done counts as an address only.
 */
#include "mta/pure.h"

#include "mta/server.h"

#include "mta/text.h"

void
mta_way_begin(struct mta_way *w, const struct mta_smtp_params *smtp)
{
	*w = (struct mta_way){.smtp = smtp};
}

/* By preference, without disturbing equals: they may have been shuffled. */
static void
servers_sort(struct mta_server *list, uint32_t count)
{
	for (uint32_t i = 1; i < count; i++) {
		struct mta_server server = list[i];
		uint32_t k = i;

		for (; k > 0 && list[k - 1].preference > server.preference; k--)
			list[k] = list[k - 1];
		list[k] = server;
	}
}

/* What may be tried at the next stop: each that may follow has one left. */
static uint32_t
way_room(const struct mta_way *w)
{
	uint32_t room = MTA_SERVERS_MAX - w->server_count -
			(MTA_STOPS_MAX - 1 - w->stop_count);
	int32_t most = w->smtp->mx_address_limit;

	return most > 0 && (uint32_t)most < room ? (uint32_t)most : room;
}

uint32_t
mta_way_add(struct mta_way *w, struct mta_server *found, uint32_t count)
{
	uint32_t room;

	mta_assert(count > 0);
	if (w->stop_count == MTA_STOPS_MAX)
		return 0;
	servers_sort(found, count);
	room = way_room(w);
	if (count > room)
		count = room;
	w->server_count += count;
	w->ends[w->stop_count++] = w->server_count;
	return count;
}

static bool
way_has_no_session_left(const struct mta_way *w)
{
	int32_t most = w->smtp->mx_session_limit;

	return most > 0 && w->session_count >= (uint32_t)most;
}

bool
mta_way_is_at_end(const struct mta_way *w)
{
	if (w->stop + 1 < w->stop_count)
		return false;
	return w->server + 1 >= w->server_count || way_has_no_session_left(w);
}

void
mta_way_next(struct mta_way *w)
{
	uint32_t end = w->ends[w->stop];

	mta_assert(!mta_way_is_at_end(w));
	w->server = way_has_no_session_left(w) ? end : w->server + 1;
	if (w->server == end) {
		w->stop++;
		w->session_count = 0;
	}
}

/* The host of a word: "[host]:port" or "host:port". */
static const char *
relay_host(const char *word, size_t *length)
{
	const char *end;

	if (*word == '[') {
		word++;
		--*length;
		end = memchr(word, ']', *length);
	} else {
		end = memchr(word, ':', *length);
	}
	if (end)
		*length = (size_t)(end - word);
	return word;
}

bool
mta_relay_next(const char **at, char *host, size_t size_bytes)
{
	const char *word;
	size_t length;

	while ((word = mta_text_word(at, &length))) {
		word = relay_host(word, &length);
		if (length == 0 || length >= size_bytes)
			continue;
		memcpy(host, word, length);
		host[length] = '\0';
		return true;
	}
	return false;
}
