/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * See core_host.h. Every door is written out for the operations that the queue
 * manager calls; the others are left empty, and a call of one of them would
 * stop the test at once. Files and lists are never reused: places are names.
 */
#include "tests/reference/core_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *
must(void *p)
{
	if (p == NULL)
		abort();
	return p;
}

/* ---- spool ---- */

static struct ch_spool *
spool_of(struct mta_spool *s)
{
	return mta_container_of(s, struct ch_spool, spool);
}

static struct ch_file *
file_at(struct mta_spool *s, struct mta_ref ref)
{
	struct ch_spool *spool = spool_of(s);

	if (ref.index >= spool->count || ref.generation != 1)
		abort();
	return &spool->files[ref.index];
}

static enum mta_err
spool_open(struct mta_spool *s, enum mta_queue queue, struct mta_ref ref,
	   enum mta_lock lock)
{
	struct ch_file *f = file_at(s, ref);

	(void)lock;
	return f->is_gone || f->queue != queue ? MTA_ENOENT : MTA_OK;
}

static void
spool_close(struct mta_spool *s, struct mta_ref ref, enum mta_lock lock)
{
	(void)s;
	(void)ref;
	(void)lock;
}

static enum mta_err
spool_envelope(struct mta_spool *s, struct mta_ref ref,
	       struct mta_envelope *envelope)
{
	struct ch_file *f = file_at(s, ref);

	if (f->is_gone)
		return MTA_ENOENT;
	*envelope = f->envelope;
	return MTA_OK;
}

static enum mta_err
spool_read(struct mta_spool *s, struct mta_ref ref, uint32_t offset,
	   struct mta_record *record)
{
	struct ch_file *f = file_at(s, ref);

	*record = (struct mta_record){
		.kind = MTA_RECORD_END, .offset = offset, .next = offset + 1};
	if (offset >= f->n)
		return MTA_OK;
	record->kind = f->done[offset] ? MTA_RECORD_DONE : MTA_RECORD_RECIPIENT;
	record->address = f->address[offset];
	return MTA_OK;
}

static enum mta_err
spool_mark_done(struct mta_spool *s, struct mta_ref ref, uint32_t offset)
{
	file_at(s, ref)->done[offset] = true;
	return MTA_OK;
}

static uint32_t
spool_mode(struct mta_spool *s, struct mta_ref ref)
{
	(void)s;
	(void)ref;
	return 0;
}

static void
spool_set_mode(struct mta_spool *s, struct mta_ref ref, uint32_t set,
	       uint32_t clear)
{
	(void)s;
	(void)ref;
	(void)set;
	(void)clear;
}

static enum mta_err
spool_where(struct mta_spool *s, struct mta_ref ref, enum mta_queue *queue)
{
	struct ch_file *f = file_at(s, ref);

	*queue = f->queue;
	return f->is_gone ? MTA_ENOENT : MTA_OK;
}

static enum mta_err
spool_move(struct mta_spool *s, struct mta_ref ref, enum mta_queue from,
	   enum mta_queue to, uint32_t wake_s)
{
	struct ch_file *f = file_at(s, ref);

	if (f->is_gone || f->queue != from)
		return MTA_ENOENT;
	f->queue = to;
	if (wake_s != MTA_WAKE_KEEP)
		f->wake_s = wake_s;
	return MTA_OK;
}

static enum mta_err
spool_remove(struct mta_spool *s, enum mta_queue from, struct mta_ref ref)
{
	struct ch_file *f = file_at(s, ref);

	if (f->is_gone || f->queue != from)
		return MTA_ENOENT;
	f->is_gone = true;
	return MTA_OK;
}

static void
spool_scan_open(struct mta_spool *s, enum mta_queue queue,
		struct mta_scan *scan)
{
	(void)s;
	*scan = (struct mta_scan){.queue = queue, .is_open = true};
}

/* Oldest first. */
static enum mta_scan_result
spool_scan_next(struct mta_spool *s, struct mta_scan *scan, uint32_t due_s,
		uint32_t skips_max, struct mta_scan_item *item)
{
	(void)skips_max;
	*item = (struct mta_scan_item){.skipped = 0};
	while (scan->cursor < spool_of(s)->count) {
		uint32_t place = scan->cursor++;
		struct ch_file *f = &spool_of(s)->files[place];

		if (f->is_gone || f->queue != scan->queue || f->wake_s > due_s)
			continue;
		item->id = (struct mta_ref){place, 1};
		return MTA_SCAN_FOUND;
	}
	scan->is_open = false;
	return MTA_SCAN_END;
}

static void
spool_scan_close(struct mta_spool *s, struct mta_scan *scan)
{
	(void)s;
	scan->is_open = false;
}

static enum mta_err
spool_log_read(struct mta_spool *s, enum mta_log log, struct mta_ref ref,
	       uint32_t n, struct mta_log_record *record)
{
	(void)s;
	(void)log;
	(void)ref;
	(void)n;
	(void)record;
	return MTA_ENOENT;
}

static void
spool_log_remove(struct mta_spool *s, enum mta_log log, struct mta_ref ref)
{
	(void)s;
	(void)log;
	(void)ref;
}

static const struct mta_spool_ops spool_ops = {
	.open = spool_open,
	.close = spool_close,
	.envelope = spool_envelope,
	.read = spool_read,
	.mark_done = spool_mark_done,
	.mode = spool_mode,
	.set_mode = spool_set_mode,
	.where = spool_where,
	.move = spool_move,
	.remove = spool_remove,
	.scan_open = spool_scan_open,
	.scan_next = spool_scan_next,
	.scan_close = spool_scan_close,
	.log_read = spool_log_read,
	.log_remove = spool_log_remove,
};

/* ---- port ---- */

static struct ch_port *
port_of(struct mta_port *p)
{
	return mta_container_of(p, struct ch_port, port);
}

static void
port_attach(struct mta_port *p, enum mta_service service, struct mta_loop *loop,
	    struct mta_timer *wake)
{
	if (service != MTA_TO_QMGR)
		return;
	port_of(p)->loop = loop;
	port_of(p)->wake = wake;
}

static uint32_t
transport_place(struct ch_port *p, mta_sym name)
{
	struct ch *h = mta_container_of(p, struct ch, port);

	for (uint32_t i = 0; i < CH_TRANSPORTS; i++)
		if (h->router.names[i] == name)
			return i;
	abort();
}

static void
port_send(struct mta_port *p, enum mta_service to, const struct mta_note *note)
{
	struct ch_port *port = port_of(p);

	if (to == MTA_TO_QMGR) {
		if (port->inbox_count == CH_NOTES)
			abort();
		port->inbox[port->inbox_count++] = *note;
		if (!mta_timer_is_armed(port->wake))
			mta_timer_set(port->loop, port->wake, port->loop->now);
	} else if (note->kind == MTA_NOTE_WANT_AGENT) {
		port->wanted[transport_place(port, note->agent.transport)]++;
	} else if (note->kind == MTA_NOTE_DELIVER) {
		port->request = note->deliver;
		port->has_request = true;
	} else if (note->kind == MTA_NOTE_DISMISS) {
		port->dismissed++;
	}
}

static bool
port_receive(struct mta_port *p, enum mta_service service,
	     struct mta_note *note)
{
	struct ch_port *port = port_of(p);

	if (service != MTA_TO_QMGR || port->inbox_count == 0)
		return false;
	*note = port->inbox[0];
	port->inbox_count--;
	memmove(port->inbox, port->inbox + 1,
		port->inbox_count * sizeof(port->inbox[0]));
	return true;
}

/* A freed list's place is taken again; a list is a place and generation 1. */
static struct mta_ref
port_list_take(struct mta_port *p, uint32_t count, struct mta_recipient **items)
{
	struct ch_port *port = port_of(p);
	uint32_t place = 0;

	while (place < port->list_count && port->lists[place].items != NULL)
		place++;
	if (place == sizeof(port->lists) / sizeof(port->lists[0]))
		abort();
	if (place == port->list_count)
		port->list_count++;
	port->lists[place].items = must(calloc(count + 1, sizeof(**items)));
	port->lists[place].count = count;
	*items = port->lists[place].items;
	return (struct mta_ref){place, 1};
}

static struct mta_recipient *
port_list_items(struct mta_port *p, struct mta_ref list)
{
	return port_of(p)->lists[list.index].items;
}

static void
port_list_give(struct mta_port *p, struct mta_ref list)
{
	free(port_of(p)->lists[list.index].items);
	port_of(p)->lists[list.index].items = NULL;
}

static bool
port_token_take(struct mta_port *p)
{
	(void)p;
	return true;
}

static void
port_token_change(struct mta_port *p, uint32_t count)
{
	(void)p;
	(void)count;
}

static uint32_t
port_token_count(struct mta_port *p)
{
	(void)p;
	return 0;
}

static const struct mta_port_ops port_ops = {
	.attach = port_attach,
	.send = port_send,
	.receive = port_receive,
	.list_take = port_list_take,
	.list_items = port_list_items,
	.list_give = port_list_give,
	.token_take = port_token_take,
	.token_put = port_token_change,
	.token_drop = port_token_change,
	.token_count = port_token_count,
};

/* ---- router and book ---- */

static uint32_t
domain_place(const struct ch_router *router, mta_addr a)
{
	uint32_t family = mta_addr_family(a);

	if (family < MTA_ADDR_NULL_FAMILIES ||
	    family >= MTA_ADDR_NULL_FAMILIES + router->domain_count)
		abort();
	return family - MTA_ADDR_NULL_FAMILIES;
}

static enum mta_route_result
router_resolve(struct mta_router *r, mta_addr a, struct mta_route *route)
{
	struct ch_router *router =
		mta_container_of(r, struct ch_router, router);
	uint32_t d = domain_place(router, a);

	*route = (struct mta_route){.transport = router->transport[d],
				    .nexthop = router->domain[d],
				    .queue = router->domain[d]};
	return MTA_ROUTE_OK;
}

static mta_sym
book_domain(const struct mta_book *b, mta_addr a)
{
	const struct ch_router *router =
		(const struct ch_router
			 *)(const void *)((const char *)b -
					  offsetof(struct ch_router, book));

	return mta_addr_is_null(a) ? 0
				   : router->domain[domain_place(router, a)];
}

static void
book_text(const struct mta_book *b, mta_addr a, char *buffer, size_t size)
{
	const struct ch_router *router =
		(const struct ch_router
			 *)(const void *)((const char *)b -
					  offsetof(struct ch_router, book));

	if (mta_addr_is_null(a))
		buffer[0] = '\0';
	else
		snprintf(buffer, size, "r%06u@%s", (unsigned)mta_addr_number(a),
			 mta_sym_text(router->symbols, book_domain(b, a)));
}

/* ---- the whole ---- */

mta_addr
ch_address(uint32_t domain, uint64_t number)
{
	return mta_addr_make(MTA_ADDR_NULL_FAMILIES + domain, number);
}

void
ch_init(struct ch *h, mta_time now)
{
	memset(h, 0, sizeof(*h));
	mta_symtab_init(&h->symbols);
	mta_trace_init(&h->trace);
	mta_loop_init(&h->loop, &h->sequence, now);
	mta_params_init(&h->params);
	h->spool.spool.ops = &spool_ops;
	h->port.port.ops = &port_ops;
	h->router.router.resolve = router_resolve;
	h->router.book.domain = book_domain;
	h->router.book.text = book_text;
	h->router.symbols = &h->symbols;
	h->host = (struct mta_host){.loop = &h->loop,
				    .spool = &h->spool.spool,
				    .port = &h->port.port,
				    .router = &h->router.router,
				    .book = &h->router.book,
				    .trace = &h->trace,
				    .symbols = &h->symbols,
				    .serial = &h->serial};
}

bool
ch_set(struct ch *h, const char *name, const char *value)
{
	char error[200];

	return mta_params_set(&h->params, name, value, error, sizeof(error)) ==
	       MTA_PARAM_SET;
}

void
ch_domain(struct ch *h, const char *domain, uint32_t transport,
	  const char *name)
{
	struct ch_router *r = &h->router;

	r->domain[r->domain_count] = mta_sym_intern(&h->symbols, domain);
	r->transport[r->domain_count] = mta_sym_intern(&h->symbols, name);
	r->names[transport] = r->transport[r->domain_count];
	r->domain_count++;
}

void
ch_start(struct ch *h)
{
	mta_qmgr_init(&h->qmgr, &h->host, &h->params);
	mta_qmgr_start(&h->qmgr);
}

void
ch_release(struct ch *h)
{
	mta_qmgr_release(&h->qmgr);
	for (uint32_t i = 0; i < h->port.list_count; i++)
		free(h->port.lists[i].items);
	mta_params_release(&h->params);
	mta_loop_release(&h->loop);
	mta_symtab_release(&h->symbols);
	free(h->spool.files);
}

void
ch_run(struct ch *h, mta_time now)
{
	while (mta_loop_next(&h->loop).at <= now &&
	       mta_loop_step(&h->loop, now))
		;
	if (h->loop.now < now)
		h->loop.now =
			now; /* nothing was due: time goes by all the same */
}

static void
tell(struct ch *h, const struct mta_note *note)
{
	port_send(&h->port.port, MTA_TO_QMGR, note);
	ch_run(h, h->loop.now);
}

uint32_t
ch_submit(struct ch *h, const mta_addr *to, uint32_t n)
{
	struct ch_spool *s = &h->spool;
	struct ch_file *f;

	if (s->count == s->capacity) {
		s->capacity = 2 * s->capacity + 8;
		s->files = must(
			realloc(s->files, s->capacity * sizeof(*s->files)));
	}
	f = &s->files[s->count];
	*f = (struct ch_file){.queue = MTA_INCOMING, .n = n};
	f->envelope = (struct mta_envelope){
		.arrival = h->loop.now,
		.created_s = mta_second(h->loop.now),
		.sender = ch_address(0, 0),
		.serial = s->count,
		.size_bytes = 1000,
		.recipient_count = n,
		.first_active = MTA_NEVER,
		.committed = h->loop.now,
	};
	memcpy(f->address, to, n * sizeof(*to));
	s->count++;
	h->serial++;
	tell(h, &(struct mta_note){.kind = MTA_NOTE_TRIGGER,
				   .trigger = MTA_TRIGGER_WAKEUP});
	return s->count - 1;
}

bool
ch_ready(struct ch *h, uint32_t transport)
{
	struct mta_note note = {.kind = MTA_NOTE_AGENT_READY};

	if (h->port.wanted[transport] <= 0)
		abort();
	h->port.wanted[transport]--;
	h->port.has_request = false;
	note.agent.transport = h->router.names[transport];
	note.agent.agent = (struct mta_ref){1, 1};
	tell(h, &note);
	return h->port.has_request;
}

void
ch_report(struct ch *h, const struct mta_note_deliver *request)
{
	struct mta_note note = {.kind = MTA_NOTE_DELIVERED};
	const struct mta_recipient *v = ch_recipients(h, request);

	for (uint32_t i = 0; i < request->recipient_count; i++)
		spool_mark_done(&h->spool.spool, request->file, v[i].offset);
	port_list_give(&h->port.port, request->recipients);
	note.delivered.entry = request->entry;
	note.delivered.transport = request->transport;
	tell(h, &note);
}

const struct mta_recipient *
ch_recipients(struct ch *h, const struct mta_note_deliver *r)
{
	return port_list_items(&h->port.port, r->recipients);
}
