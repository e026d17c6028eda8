/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One file into active: rename it, read as many recipients as may be in core,
 * find each one's transport and destination, and make the entries.
 *
 * Recipients are sorted before they are resolved and again afterwards, so that
 * those of one destination stand together and fill requests up to the recipient
 * limit; delivery order is therefore not submission order. A recipient whose
 * destination is dead, or whose transport is avoided, goes to the retry
 * transport at once, where its mail is deferred without an attempt.
 *
 * Not here: address probes, content filters, redirection and VERP; the host's
 * router decides the route, and no mail of ours asks for the others.
 */
#include "mta/pure.h"

#include "mta/mail.h"
#include "mta/qmgr.h"
#include "mta/text.h"

#include "mta/panic.h"

/* A recipient on its way to an entry. */
struct resolving {
	struct mta_recipient to;
	struct mta_dest *dest; /* NULL: finished without an entry */
	mta_sym domain;
	uint32_t text_at; /* offset of the address in the text */
};

/* An item with what qsort's comparison needs to see. */
struct sort_item {
	struct resolving item;
	const struct mta_symtab *symbols;
	const char *text;
};

/* Scratch for one read; kept between reads. */
struct mta_resolver {
	struct mta_qmgr *qmgr;
	struct resolving *items;
	struct sort_item *sorting; /* the same, when sorting */
	uint32_t count;
	uint32_t capacity; /* of both */
	char *text;	   /* addresses, one behind the other, when sorting */
	size_t text_used;
	size_t text_capacity;
};

void
mta_resolver_release(struct mta_qmgr *q)
{
	if (!q->resolver)
		return;
	free(q->resolver->items);
	free(q->resolver->sorting);
	free(q->resolver->text);
	free(q->resolver);
	q->resolver = NULL;
}

static struct mta_resolver *
resolver_begin(struct mta_qmgr *q)
{
	if (!q->resolver) {
		q->resolver = mta_alloc(1, sizeof(*q->resolver));
		q->resolver->qmgr = q;
	}
	q->resolver->count = 0;
	q->resolver->text_used = 0;
	return q->resolver;
}

static void
resolver_add(struct mta_resolver *r, const struct mta_record *record)
{
	struct resolving *item;

	if (r->count == r->capacity) {
		r->capacity = r->capacity ? r->capacity * 2 : 64;
		r->items =
			mta_realloc(r->items, r->capacity, sizeof(*r->items));
		r->sorting = mta_realloc(r->sorting, r->capacity,
					 sizeof(*r->sorting));
	}
	item = &r->items[r->count++];
	item->to.address = record->address;
	item->to.offset = record->offset;
	item->dest = NULL;
}

/* ---- reading (F5.2) ----------------------------------------------------- */

static enum mta_err
qmail_read_end(struct mta_qmail *m)
{
	m->more = 0;
	m->unread = 0;
	return MTA_OK;
}

/* R-READ-COUNT: at most `limit` live recipients, from where the last read
 * stopped. */
static enum mta_err
qmail_read(struct mta_qmgr *q, struct mta_qmail *m, int32_t limit)
{
	struct mta_resolver *r = resolver_begin(q);
	const struct mta_spool_ops *ops = q->host.spool->ops;
	uint32_t offset = m->more;

	m->read_s = mta_host_second(&q->host);
	while ((int32_t)r->count < limit) {
		struct mta_record record;
		enum mta_err err;

		/* With none unread the end comes next, without a look. */
		if (m->unread == 0)
			return qmail_read_end(m);
		err = ops->read(q->host.spool, m->file, offset, &record);
		if (err != MTA_OK)
			return err;
		if (record.kind == MTA_RECORD_END)
			return qmail_read_end(m);
		m->unread--;
		offset = record.next;
		if (record.kind == MTA_RECORD_RECIPIENT)
			resolver_add(r, &record);
	}
	m->more = offset;
	return MTA_OK;
}

/* ---- sorting (F5.6) ----------------------------------------------------- */

static void
resolver_fetch_texts(struct mta_resolver *r)
{
	struct mta_book *book = r->qmgr->host.book;

	for (uint32_t i = 0; i < r->count; i++) {
		if (r->text_capacity - r->text_used < MTA_ADDR_TEXT_MAX) {
			r->text_capacity = r->text_capacity * 2 +
					   64 * (size_t)MTA_ADDR_TEXT_MAX;
			r->text = mta_realloc(r->text, r->text_capacity, 1);
		}
		r->items[i].domain = book->domain(book, r->items[i].to.address);
		r->items[i].text_at = (uint32_t)r->text_used;
		book->text(book, r->items[i].to.address, r->text + r->text_used,
			   MTA_ADDR_TEXT_MAX);
		r->text_used += strlen(r->text + r->text_used) + 1;
	}
}

static int
compare_symbols(const struct mta_symtab *symbols, mta_sym a, mta_sym b)
{
	if (a == b)
		return 0;
	return strcmp(mta_sym_text(symbols, a), mta_sym_text(symbols, b));
}

static int
compare_bound(const struct sort_item *a, const struct sort_item *b)
{
	const struct mta_dest *da = a->item.dest;
	const struct mta_dest *db = b->item.dest;
	int order;

	if (!da || !db)
		return (da == NULL) - (db == NULL);
	if (da == db)
		return 0;
	order = compare_symbols(a->symbols, da->transport->name,
				db->transport->name);
	if (order != 0)
		return order;
	return compare_symbols(a->symbols, da->name, db->name);
}

/* R-RCPT-ORDER: destination if bound, domain, address, place in the file. */
static int
compare_recipients(const void *va, const void *vb)
{
	const struct sort_item *a = va;
	const struct sort_item *b = vb;
	int order = compare_bound(a, b);

	if (order != 0)
		return order;
	if (a->item.domain != b->item.domain) {
		if (a->item.domain == 0 || b->item.domain == 0)
			return a->item.domain == 0 ? 1 : -1;
		return compare_symbols(a->symbols, a->item.domain,
				       b->item.domain);
	}
	order = strcmp(a->text, b->text);
	if (order != 0)
		return order;
	return (a->item.to.offset > b->item.to.offset) -
	       (a->item.to.offset < b->item.to.offset);
}

static void
resolver_sort(struct mta_resolver *r)
{
	struct sort_item *items = r->sorting;

	for (uint32_t i = 0; i < r->count; i++)
		items[i] = (struct sort_item){
			.item = r->items[i],
			.symbols = r->qmgr->host.symbols,
			.text = r->text + r->items[i].text_at,
		};
	qsort(items, r->count, sizeof(*items), compare_recipients);
	for (uint32_t i = 0; i < r->count; i++)
		r->items[i] = items[i].item;
}

/* ---- resolving (F5.4, F5.5) --------------------------------------------- */

/* A destination of retry or error: the text is its next hop, its name the text
 * in lower case. NULL: the transport is avoided. */
static struct mta_dest *
dest_for_text(struct mta_qmgr *q, mta_sym transport, const char *text)
{
	struct mta_transport *t = mta_transport_get(q, transport);
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
	char text[1024];

	snprintf(text, sizeof(text), "%u.%u.%u %s", t->why.dsn.class,
		 t->why.dsn.subject, t->why.dsn.detail,
		 mta_sym_text(q->host.symbols, t->why.reason));
	return dest_for_status(q, m, to, dest_for_text(q, q->retry_name, text),
			       t->why);
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

/* R-RESOLVE: from an address to a destination; NULL: no entry is needed, for
 * the recipient is deferred or discarded already. Of several objections the
 * last one stands. */
static struct mta_dest *
resolve_one(struct mta_qmgr *q, struct mta_qmail *m,
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

/* ---- making entries (F5.7) ---------------------------------------------- */

static void
qmail_assign(struct mta_qmail *m, const struct mta_resolver *r)
{
	for (uint32_t i = 0; i < r->count; i++) {
		struct mta_dest *d = r->items[i].dest;

		if (d)
			mta_job_assign(mta_job_obtain(m, d->transport), d,
				       &r->items[i].to);
	}
	for (struct mta_job *j = m->jobs; j; j = j->next)
		mta_job_was_read(j);
}

/* What was read becomes entries. */
static void
qmail_take_read(struct mta_qmgr *q, struct mta_qmail *m)
{
	struct mta_resolver *r = q->resolver;

	bool is_list = r->count > 1;

	if (is_list) {
		resolver_fetch_texts(r);
		resolver_sort(r);
	}
	for (uint32_t i = 0; i < r->count; i++)
		r->items[i].dest = resolve_one(q, m, &r->items[i].to);
	if (is_list)
		resolver_sort(r);
	qmail_assign(m, r);
}

enum mta_err
mta_qmail_refill(struct mta_qmgr *q, struct mta_qmail *m)
{
	struct mta_spool *spool = q->host.spool;
	enum mta_err err;

	if (!mta_file_is_readable(spool->ops->look(spool, m->file), MTA_ACTIVE))
		return MTA_ECORRUPT;
	err = qmail_read(
		q, m,
		mta_read_refill_count(&(struct mta_read_view){
			.recipient_limit =
				q->params->qmgr_message_recipient_limit,
			.recipient_total = q->rcpt_total,
			.message_limit = m->rcpt_limit,
			.message_count = m->rcpt_count,
		}));
	if (err == MTA_OK)
		qmail_take_read(q, m);
	return err;
}

/* ---- admission (F4.7, F5.1) --------------------------------------------- */

/* What the run and the file's mode say of the mail. */
static uint32_t
flags_of(uint32_t run_flags, uint32_t mode)
{
	uint32_t flags = run_flags;

	if (mode & MTA_MODE_FLUSH)
		flags |= MTA_RUN_FLUSH_EACH | MTA_RUN_DEFER_ALSO;
	if (mode & MTA_MODE_FORCE_EXPIRE)
		flags |= MTA_RUN_FORCE_EXPIRE;
	return flags;
}

/* The file of a mail was admitted, and m->shown says what it is. */
static void
qmail_init(struct mta_qmgr *q, struct mta_qmail *m, struct mta_ref file,
	   uint32_t run_flags)
{
	const struct mta_file *f = &m->shown;

	m->jobs = NULL;
	m->first_job.transport = NULL;
	m->file = file;
	m->flags = flags_of(run_flags, f->mode);
	m->entry_count = 0;
	m->rcpt_count = 0;
	m->unread = f->envelope.recipient_count;
	m->more = 0;
	m->step = MTA_FINISH_NONE;
	m->is_incomplete = false;
	m->has_bounced = (f->mode & MTA_MODE_BOUNCED) != 0;
	m->has_expired = (f->mode & MTA_MODE_EXPIRED) != 0;
	m->queued_s = mta_host_second(&q->host);
	m->active_time = q->host.loop->now;
	m->rcpt_limit = q->params->qmgr_message_recipient_minimum;
	q->active_count++;
}

static void
qmail_trace_admitted(const struct mta_qmgr *q, const struct mta_qmail *m,
		     enum mta_queue from)
{
	const struct mta_host *h = &q->host;

	if (!mta_trace_wants(h->trace, MTA_TRACE_ADMITTED))
		return;
	mta_trace_deliver(
		h->trace, MTA_TRACE_ADMITTED,
		&(struct mta_trace_admitted){
			.at = h->loop->now,
			.sender = m->shown.envelope.sender,
			.file = m->file,
			.serial = m->shown.envelope.serial,
			.size_bytes = m->shown.envelope.size_bytes,
			.recipient_count = m->shown.envelope.recipient_count,
			.from = from,
		});
}

/* Read the file that was admitted, and make its entries. */
static enum mta_err
qmail_load(struct mta_qmgr *q, struct mta_qmail *m, enum mta_queue from)
{
	const struct mta_spool_ops *ops = q->host.spool->ops;
	bool has_defer_log = mta_file_has_log(&m->shown, MTA_LOG_DEFER);
	enum mta_err err;

	err = qmail_read(
		q, m,
		mta_read_first_count(&(struct mta_read_view){
			.recipient_limit =
				q->params->qmgr_message_recipient_limit,
			.recipient_total = q->rcpt_total,
			.message_limit = m->rcpt_limit,
			.message_count = m->rcpt_count,
		}));
	if (err != MTA_OK)
		return err;
	/* The pass looks no further: whoever is told knows the next turn. */
	mta_qmgr_pass_turn(q, from);
	qmail_trace_admitted(q, m, from);
	if (m->flags & MTA_RUN_FLUSH_EACH)
		ops->set_mode(q->host.spool, m->file, 0, MTA_MODE_FLUSH);
	/* R-EXPIRE-FORCED: no entries of these; what is unread comes when the
	 * mail is done. */
	if ((m->flags & MTA_RUN_FORCE_EXPIRE) && has_defer_log) {
		m->is_incomplete = true;
		return MTA_OK;
	}
	if (has_defer_log)
		ops->log_remove(q->host.spool, MTA_LOG_DEFER, m->file);
	qmail_take_read(q, m);
	return MTA_OK;
}

static void
qmail_discard(struct mta_qmgr *q, struct mta_qmail *m)
{
	mta_assert(m->jobs == NULL);
	q->active_count--;
	mta_pool_give(&q->mails, m);
}

enum {
	LOCKED_WAIT_S = 60
}; /* a file that an old agent works on */

/* What is in active but cannot be taken goes elsewhere (R-LOCKED; F4.7 step 5);
 * whether the rename finds it still there does not matter. */
static void
file_put_aside(struct mta_qmgr *q, struct mta_ref file,
	       const struct mta_envelope *e, enum mta_err why)
{
	struct mta_move move = {.from = MTA_ACTIVE,
				.to = MTA_CORRUPT,
				.reason = MTA_MOVE_DAMAGED,
				.wake_s = MTA_WAKE_KEEP};
	enum mta_err err;

	if (why == MTA_ELOCKED) {
		mta_mail_trace_status(&q->host, file, e, MTA_STATUS_SKIPPED);
		move.to = MTA_INCOMING;
		move.reason = MTA_MOVE_LOCKED;
		move.wake_s =
			(uint32_t)(mta_host_second(&q->host) + LOCKED_WAIT_S);
	}
	err = mta_mail_move(&q->host, file, move);
	(void)err;
}

bool
mta_qmgr_feed(struct mta_qmgr *q, struct mta_run *r, struct mta_ref file)
{
	struct mta_qmail *m = mta_pool_take_raw(&q->mails);
	enum mta_err err = mta_mail_admit(&q->host, file, r->queue, &m->shown);

	if (err != MTA_OK) {
		if (err != MTA_ENOENT)
			file_put_aside(q, file, &m->shown.envelope, err);
		mta_pool_give(&q->mails, m);
		return false;
	}
	qmail_init(q, m, file, r->flags);
	err = qmail_load(q, m, r->queue);
	if (err != MTA_OK) {
		file_put_aside(q, file, &m->shown.envelope, err);
		qmail_discard(q, m);
		return false;
	}
	if (m->entry_count == 0)
		mta_qmail_done(q, m);
	return true;
}
