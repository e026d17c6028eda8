/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From an address to a destination (F5.4, F5.5): the router's route, and what
 * stands against it. A recipient whose destination is dead, or whose transport
 * is avoided, goes to the retry transport at once, where its mail is deferred
 * without an attempt.
 *
 * Not here: address probes, content filters and redirection; the host's router
 * decides the route, and no mail of ours asks for the others.
 */
#include "mta/pure.h"

#include "mta/qmgr.h"
#include "mta/text.h"

#include "mta/panic.h"

/* A destination of retry: the text is its next hop, its name the text in lower
 * case, unlike that of a dead destination's (F5.5). NULL: retry is avoided. */
static struct mta_dest *
dest_for_text(struct mta_qmgr *q, const char *text)
{
	struct mta_transport *t = mta_transport_get(q, q->retry_name);
	mta_sym nexthop;
	mta_sym name;
	struct mta_dest *d;

	if (t->is_throttled)
		return NULL;
	nexthop = mta_sym_intern(q->host.symbols, text);
	name = mta_sym_intern_lower(q->host.symbols, text);
	d = mta_dest_find(t, name);
	if (!d)
		d = mta_dest_create(t, name, nexthop);
	mta_sym_drop(q->host.symbols, name);
	mta_sym_drop(q->host.symbols, nexthop);
	return d;
}

/* A destination of retry for a status; when even retry is avoided the recipient
 * is deferred on the spot and NULL comes back. */
static struct mta_dest *
dest_for_status(struct mta_qmgr *q, struct mta_qmail *m,
		const struct mta_recipient *to, struct mta_dest *d,
		struct mta_status status)
{
	if (!d)
		mta_qmail_defer_rcpt(q, m, to, status);
	return d;
}

static struct mta_dest *
dest_avoiding_transport(struct mta_qmgr *q, struct mta_qmail *m,
			const struct mta_recipient *to,
			const struct mta_transport *t)
{
	char text[MTA_STATUS_TEXT];

	mta_dest_status_text(q, t->why, text);
	return dest_for_status(q, m, to, dest_for_text(q, text), t->why);
}

/* R-QUEUE-NAME: the recipient without extension, at the next hop. */
static mta_sym
name_of_mailbox(const struct mta_qmgr *q, mta_addr address, mta_sym nexthop)
{
	char text[MTA_ADDR_TEXT_MAX];
	char name[2 * MTA_ADDR_TEXT_MAX];
	char *end;
	size_t cut;

	q->host.book->text(q->host.book, address, text, sizeof(text));
	end = strrchr(text, '@');
	if (end)
		*end = '\0';
	cut = strcspn(text, q->params->recipient_delimiter);
	if (cut > 0)
		text[cut] = '\0';
	snprintf(name, sizeof(name), "%s@%s", text,
		 mta_sym_text(q->host.symbols, nexthop));
	return mta_sym_intern_lower(q->host.symbols, name);
}

/* What stands behind error or retry may be a text that nobody else keeps. */
static struct mta_dest *
dest_create_for(struct mta_transport *t, const struct mta_route *route)
{
	if (t->is_service)
		return mta_dest_create(t, route->queue, route->nexthop);
	return mta_dest_create_routed(t, route->queue, route->nexthop);
}

static struct mta_dest *
dest_for_route(struct mta_qmgr *q, struct mta_transport *t, mta_addr address,
	       const struct mta_route *route)
{
	struct mta_dest *d;
	mta_sym name = route->queue;

	if (t->params.destination_recipient_limit != 1 || t->is_service) {
		d = mta_dest_find(t, name);
		return d ? d : dest_create_for(t, route);
	}
	name = name_of_mailbox(q, address, route->nexthop);
	d = mta_dest_find(t, name);
	if (!d)
		d = mta_dest_create(t, name, route->nexthop);
	mta_sym_drop(q->host.symbols, name);
	return d;
}

/* Steps i to n of F5.4: a transport that is avoided and a destination that is
 * dead lead to retry, whichever they are. */
static struct mta_dest *
resolve_usable(struct mta_qmgr *q, struct mta_qmail *m,
	       const struct mta_recipient *to, struct mta_transport *t,
	       const struct mta_route *route)
{
	bool revives = (m->flags & MTA_RUN_FLUSH_EACH) != 0;
	struct mta_dest *d;

	if (t->is_throttled && revives)
		mta_transport_unthrottle(t);
	if (t->is_throttled)
		d = dest_avoiding_transport(q, m, to, t);
	else
		d = dest_for_route(q, t, to->address, route);
	if (d && d->state == MTA_DEST_DEAD && revives)
		mta_dest_alive(d);
	if (!d || d->state != MTA_DEST_DEAD)
		return d;
	return dest_for_status(q, m, to, mta_dest_for_retry(q, d->why), d->why);
}

/* What stands against a delivery: error or retry says the text. */
struct objection {
	mta_sym service;
	const char *text; /* NULL: nothing does */
};

/* Steps i to n for error or retry: the text is the next hop. */
static struct mta_dest *
resolve_text(struct mta_qmgr *q, struct mta_qmail *m,
	     const struct mta_recipient *to, struct objection o)
{
	struct mta_symtab *symbols = q->host.symbols;
	struct mta_route route = {
		.nexthop = mta_sym_intern(symbols, o.text),
		.queue = mta_sym_intern_lower(symbols, o.text),
	};
	struct mta_dest *d = resolve_usable(
		q, m, to, mta_transport_get(q, o.service), &route);

	mta_sym_drop(symbols, route.nexthop);
	mta_sym_drop(symbols, route.queue);
	return d;
}

/* R-DOUBLE-BOUNCE-END: an address at a domain of ours that double bounces are
 * sent from. Whatever goes there has nobody left to complain to. */
static bool
ends_double_bounces(const struct mta_qmgr *q, mta_addr address)
{
	char text[MTA_ADDR_TEXT_MAX];

	q->host.book->text(q->host.book, address, text, sizeof(text));
	return mta_text_is(text, strcspn(text, "@"),
			   q->params->double_bounce_sender);
}

/* Steps c and d: the route of an address. */
static struct objection
resolve_route(const struct mta_qmgr *q, mta_addr address,
	      struct mta_route *route)
{
	if (mta_addr_is_null(address))
		return (struct objection){
			.service = q->error_name,
			.text = "5.1.3 null recipient address"};
	switch (q->host.router->resolve(q->host.router, address, route)) {
	case MTA_ROUTE_OK:
		break;
	case MTA_ROUTE_TRY_LATER:
		return (struct objection){
			.service = q->retry_name,
			.text = "4.3.0 address resolver failure"};
	case MTA_ROUTE_BAD_SYNTAX:
		return (struct objection){.service = q->error_name,
					  .text = "5.1.3 bad address syntax"};
	}
	return (struct objection){.text = NULL};
}

/* R-RESOLVE: of several objections the last one stands. */
struct mta_dest *
mta_qmail_resolve(struct mta_qmgr *q, struct mta_qmail *m,
		  const struct mta_recipient *to)
{
	struct mta_route route = {0};
	struct objection o = resolve_route(q, to->address, &route);
	struct mta_transport *t;

	if (m->flags & MTA_RUN_FORCE_EXPIRE)
		o = (struct objection){
			.service = q->retry_name,
			.text = "4.7.0 message is administratively expired"};
	if (route.is_local && ends_double_bounces(q, to->address)) {
		mta_qmail_discard_rcpt(q, m, to);
		return NULL;
	}
	t = mta_transport_get(q, o.text ? o.service : route.transport);
	if (t->defers_by_rule && !(m->flags & MTA_RUN_DEFER_ALSO))
		o = (struct objection){.service = q->retry_name,
				       .text = "4.3.2 deferred transport"};
	return o.text ? resolve_text(q, m, to, o)
		      : resolve_usable(q, m, to, t, &route);
}
