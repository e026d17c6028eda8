/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * See bare_host.h. Every file is due, never locked, and in whatever queue it is
 * asked for.
 */
#include "tests/reference/bare_host.h"

#include "mta/panic.h"

static struct bare_host *
of_spool(struct mta_spool *spool)
{
	return mta_container_of(spool, struct bare_host, spool);
}

static struct bare_host *
of_port(struct mta_port *port)
{
	return mta_container_of(port, struct bare_host, port);
}

/* ---- spool ------------------------------------------------------------------
 */

static const struct mta_file *
bare_look(struct mta_spool *spool, struct mta_ref file)
{
	struct bare_host *s = of_spool(spool);

	if (!s->files[file.index].is_there)
		return NULL;
	s->shown = (struct mta_file){
		.envelope = {.arrival = s->loop.now,
			     .created = s->loop.now,
			     .sender = bare_address(0, 0),
			     .serial = file.index,
			     .recipient_count = s->files[file.index].count},
		.queue = MTA_ACTIVE,
	};
	return &s->shown;
}

static enum mta_err
bare_lock(struct mta_spool *spool, struct mta_ref file)
{
	return bare_look(spool, file) ? MTA_OK : MTA_ENOENT;
}

static void
bare_unlock(struct mta_spool *spool, struct mta_ref file)
{
	(void)spool;
	(void)file;
}

static enum mta_err
bare_read(struct mta_spool *spool, struct mta_ref file, uint32_t offset,
	  struct mta_record *record)
{
	const struct bare_file *f = &of_spool(spool)->files[file.index];

	*record = (struct mta_record){
		.kind = MTA_RECORD_END, .offset = offset, .next = offset + 1};
	if (offset < f->count) {
		record->kind = MTA_RECORD_RECIPIENT;
		record->address = f->recipients[offset];
	}
	return MTA_OK;
}

static enum mta_err
bare_mark_done(struct mta_spool *spool, struct mta_ref file, uint32_t offset)
{
	(void)spool;
	(void)file;
	(void)offset;
	return MTA_OK;
}

static void
bare_set_mode(struct mta_spool *spool, struct mta_ref file, uint32_t set,
	      uint32_t clear)
{
	(void)spool;
	(void)file;
	(void)set;
	(void)clear;
}

static enum mta_err
bare_admit(struct mta_spool *spool, struct mta_ref file, enum mta_queue from,
	   const struct mta_file **shown)
{
	(void)from;
	*shown = bare_look(spool, file);
	return *shown ? MTA_OK : MTA_ENOENT;
}

static const struct mta_file *
bare_move(struct mta_spool *spool, struct mta_ref file, enum mta_queue from,
	  enum mta_queue to, uint32_t wake_s)
{
	(void)from;
	(void)to;
	(void)wake_s;
	of_spool(spool)->files_gone++;
	return bare_look(spool, file);
}

static const struct mta_file *
bare_remove(struct mta_spool *spool, struct mta_ref file, enum mta_queue queue)
{
	const struct mta_file *shown = bare_look(spool, file);

	(void)queue;
	of_spool(spool)->files[file.index].is_there = false;
	of_spool(spool)->files_gone++;
	return shown;
}

static enum mta_err
bare_log_append(struct mta_spool *spool, enum mta_log log, struct mta_ref file,
		const struct mta_log_record *record)
{
	(void)log;
	(void)file;
	mta_sym_drop(&of_spool(spool)->symbols, record->status.reason);
	return MTA_OK;
}

static enum mta_err
bare_log_read(struct mta_spool *spool, enum mta_log log, struct mta_ref file,
	      uint32_t n, struct mta_log_record *record)
{
	(void)spool;
	(void)log;
	(void)file;
	(void)n;
	(void)record;
	return MTA_ENOENT;
}

static void
bare_log_remove(struct mta_spool *spool, enum mta_log log, struct mta_ref file)
{
	(void)spool;
	(void)log;
	(void)file;
}

static const struct mta_spool_ops bare_spool_ops = {
	.look = bare_look,
	.read = bare_read,
	.mark_done = bare_mark_done,
	.set_mode = bare_set_mode,
	.admit = bare_admit,
	.lock = bare_lock,
	.unlock = bare_unlock,
	.move = bare_move,
	.remove = bare_remove,
	.log_append = bare_log_append,
	.log_read = bare_log_read,
	.log_remove = bare_log_remove,
};

/* ---- port, router, book
 * -------------------------------------------------------- */

static void
bare_attach(struct mta_port *port, enum mta_service service,
	    struct mta_loop *loop, struct mta_timer *wake)
{
	(void)port;
	(void)service;
	(void)loop;
	(void)wake;
}

static void
bare_send(struct mta_port *port, enum mta_service service,
	  const struct mta_note *note)
{
	struct bare_host *s = of_port(port);

	if (service != MTA_TO_AGENTS)
		return;
	s->to_agents = *note;
	s->note_count += note->kind == MTA_NOTE_DELIVER;
	s->dismissed_count += note->kind == MTA_NOTE_DISMISS;
}

static struct mta_note *
bare_receive(struct mta_port *port, enum mta_service service)
{
	(void)port;
	(void)service;
	return NULL;
}

static struct mta_ref
bare_list_take(struct mta_port *port, uint32_t count,
	       struct mta_recipient **items)
{
	struct bare_host *s = of_port(port);

	mta_assert(count <= sizeof(s->list) / sizeof(s->list[0]));
	*items = s->list;
	return (struct mta_ref){.generation = 1};
}

static uint32_t
bare_token_count(struct mta_port *port)
{
	(void)port;
	return 100;
}

static const struct mta_port_ops bare_port_ops = {
	.attach = bare_attach,
	.send = bare_send,
	.receive = bare_receive,
	.list_take = bare_list_take,
	.token_count = bare_token_count,
};

static mta_sym
domain_symbol(const struct bare_host *s, mta_addr address)
{
	char name[32];

	snprintf(name, sizeof(name), "d%02u.example",
		 mta_addr_family(address) - MTA_ADDR_NULL_FAMILIES);
	return mta_sym_find(&s->symbols, name);
}

static enum mta_route_result
bare_resolve(struct mta_router *router, mta_addr address,
	     struct mta_route *route)
{
	struct bare_host *s =
		mta_container_of(router, struct bare_host, router);
	uint32_t domain = mta_addr_family(address) - MTA_ADDR_NULL_FAMILIES;
	char name[32];

	snprintf(name, sizeof(name), "t%u", domain % s->transport_count);
	*route = (struct mta_route){
		.transport = mta_sym_find(&s->symbols, name),
		.nexthop = domain_symbol(s, address),
	};
	route->queue = route->nexthop;
	return MTA_ROUTE_OK;
}

static mta_sym
bare_domain(const struct mta_book *book, mta_addr address)
{
	return domain_symbol(
		mta_container_of((struct mta_book *)(uintptr_t)book,
				 struct bare_host, book),
		address);
}

static void
bare_text(const struct mta_book *book, mta_addr address, char *buffer,
	  size_t size_bytes)
{
	(void)book;
	snprintf(buffer, size_bytes, "u%05u@d%02u.example",
		 (unsigned)mta_addr_number(address),
		 mta_addr_family(address) - MTA_ADDR_NULL_FAMILIES);
}

/* ---- making it
 * --------------------------------------------------------------------- */

mta_addr
bare_address(uint32_t domain, uint32_t user)
{
	return mta_addr_make(MTA_ADDR_NULL_FAMILIES + domain, user);
}

void
bare_init(struct bare_host *s, uint32_t transport_count)
{
	char name[32];

	*s = (struct bare_host){.transport_count = transport_count};
	mta_agenda_init(&s->agenda);
	mta_loop_init(&s->loop, &s->agenda, 1000 * MTA_USEC_PER_S,
		      MTA_LOOP_POOL);
	mta_symtab_init(&s->symbols);
	mta_trace_init(&s->trace);
	s->spool.ops = &bare_spool_ops;
	s->port.ops = &bare_port_ops;
	s->router.resolve = bare_resolve;
	s->book.domain = bare_domain;
	s->book.text = bare_text;
	for (unsigned i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "d%02u.example", i);
		mta_sym_intern(&s->symbols, name);
		snprintf(name, sizeof(name), "t%u", i);
		mta_sym_intern(&s->symbols, name);
	}
	s->host = (struct mta_host){.loop = &s->loop,
				    .spool = &s->spool,
				    .port = &s->port,
				    .router = &s->router,
				    .book = &s->book,
				    .trace = &s->trace,
				    .symbols = &s->symbols};
}

void
bare_release(struct bare_host *s)
{
	for (uint32_t i = 0; i < s->file_count; i++)
		free(s->files[i].recipients);
	free(s->files);
	mta_symtab_release(&s->symbols);
	mta_loop_release(&s->loop);
}

struct mta_ref
bare_add_file(struct bare_host *s, mta_addr *recipients, uint32_t count)
{
	s->files = mta_realloc(s->files, s->file_count + 1, sizeof(*s->files));
	s->files[s->file_count] = (struct bare_file){
		.recipients = recipients, .count = count, .is_there = true};
	return (struct mta_ref){.index = s->file_count++, .generation = 1};
}
