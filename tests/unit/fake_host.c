/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The small host. A file's id is its place in the array with generation 1, its
 * recipient n has the offset n. Notes arrive in order of sending at the time of
 * the sender's loop; the wake timer of a service is armed while notes wait.
 */
#include "tests/unit/fake_host.h"

#include <check.h>

/* ---- spool -------------------------------------------------------------- */

static struct fake_spool *
spool_of(struct mta_spool *s)
{
	return mta_container_of(s, struct fake_spool, base);
}

static struct fake_file *
file_at(struct mta_spool *s, struct mta_ref id)
{
	struct fake_file *file = &spool_of(s)->files[id.index];

	ck_assert_uint_lt(id.index, FAKE_FILES);
	return file->exists && id.generation == 1 ? file : NULL;
}

static struct mta_ref
spool_create(struct mta_spool *s, const struct mta_envelope *e, mta_addr first)
{
	struct fake_spool *spool = spool_of(s);
	struct mta_ref id = {.index = spool->file_count++, .generation = 1};

	ck_assert_uint_lt(id.index, FAKE_FILES);
	spool->files[id.index] = (struct fake_file){.exists = true,
						    .shown.envelope = *e,
						    .recipients = {first},
						    .count = 1};
	return id;
}

static void
spool_append(struct mta_spool *s, struct mta_ref id, mta_addr recipient)
{
	struct fake_file *file = file_at(s, id);

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_lt(file->count, FAKE_RECIPIENTS);
	file->recipients[file->count++] = recipient;
}

static const struct mta_file *
spool_commit(struct mta_spool *s, struct mta_ref id, enum mta_queue queue)
{
	struct fake_file *file = file_at(s, id);

	if (spool_of(s)->is_full)
		return NULL;
	mta_loop_charge(spool_of(s)->loop, spool_of(s)->fsync);
	file->shown.queue = queue;
	file->is_complete = true;
	return &file->shown;
}

static void
spool_abandon(struct mta_spool *s, struct mta_ref id)
{
	struct fake_file *file = file_at(s, id);

	ck_assert_ptr_nonnull(file);
	ck_assert(!file->is_complete);
	file->exists = false;
}

static enum mta_err
spool_lock(struct mta_spool *s, struct mta_ref id)
{
	struct fake_file *file = file_at(s, id);

	if (!file || file->shown.queue != MTA_ACTIVE)
		return MTA_ENOENT;
	if (file->shown.mode & MTA_MODE_DAMAGED)
		return MTA_ECORRUPT;
	file->lock_count++;
	return MTA_OK;
}

static void
spool_unlock(struct mta_spool *s, struct mta_ref id)
{
	spool_of(s)->files[id.index].lock_count--;
}

static const struct mta_file *
spool_look(struct mta_spool *s, struct mta_ref id)
{
	struct fake_file *file = file_at(s, id);

	return file ? &file->shown : NULL;
}

static enum mta_err
spool_read(struct mta_spool *s, struct mta_ref id, uint32_t offset,
	   struct mta_record *record)
{
	struct fake_file *file = file_at(s, id);

	if (!file)
		return MTA_ENOENT;
	*record = (struct mta_record){
		.kind = MTA_RECORD_END, .offset = offset, .next = offset + 1};
	if (offset >= file->count)
		return MTA_OK;
	record->kind =
		file->done[offset] ? MTA_RECORD_DONE : MTA_RECORD_RECIPIENT;
	record->address = file->recipients[offset];
	return MTA_OK;
}

static enum mta_err
spool_mark_done(struct mta_spool *s, struct mta_ref id, uint32_t offset)
{
	struct fake_file *file = file_at(s, id);

	if (!file)
		return MTA_ENOENT;
	ck_assert_uint_lt(offset, file->count);
	ck_assert(!file->done[offset]);
	file->done[offset] = true;
	return MTA_OK;
}

static const struct mta_file *
spool_remove(struct mta_spool *s, struct mta_ref id, enum mta_queue queue)
{
	struct fake_file *file = file_at(s, id);

	if (!file || file->shown.queue != queue)
		return NULL;
	file->exists = false;
	return &file->shown;
}

static const struct mta_file *
spool_move(struct mta_spool *s, struct mta_ref id, enum mta_queue from,
	   enum mta_queue to, uint32_t wake_s)
{
	struct fake_file *file = file_at(s, id);

	if (!file || file->shown.queue != from)
		return NULL;
	file->shown.queue = to;
	if (wake_s != MTA_WAKE_KEEP)
		file->wake_s = wake_s;
	return &file->shown;
}

static void
spool_set_mode(struct mta_spool *s, struct mta_ref id, uint32_t set,
	       uint32_t clear)
{
	struct fake_file *file = file_at(s, id);

	ck_assert_ptr_nonnull(file);
	file->shown.mode = (file->shown.mode | set) & ~clear;
}

static void
spool_scan_open(struct mta_spool *s, enum mta_queue queue,
		struct mta_scan *scan)
{
	ck_assert(!scan->is_open);
	*scan = (struct mta_scan){.queue = queue, .is_open = true};
	spool_of(s)->scan_end = spool_of(s)->file_count;
}

static enum mta_scan_result
spool_scan_next(struct mta_spool *s, struct mta_scan *scan, uint32_t due_s,
		uint32_t skips_max, struct mta_scan_item *item)
{
	(void)due_s;
	(void)skips_max;
	*item = (struct mta_scan_item){.skipped = 0};
	while (scan->cursor < spool_of(s)->scan_end) {
		uint32_t i = scan->cursor++;
		struct fake_file *file = &spool_of(s)->files[i];

		if (!file->exists || !file->is_complete ||
		    file->shown.queue != scan->queue)
			continue;
		item->id = (struct mta_ref){.index = i, .generation = 1};
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
spool_log_append(struct mta_spool *s, enum mta_log log, struct mta_ref id,
		 const struct mta_log_record *record)
{
	struct fake_spool *spool = spool_of(s);
	struct fake_file *file = &spool->files[id.index];

	if (spool->no_logs && log == MTA_LOG_BOUNCE) {
		mta_sym_drop(spool->symbols, record->status.reason);
		return MTA_ENOSPACE;
	}
	mta_loop_charge(spool->loop, spool->fsync);
	ck_assert_uint_lt(file->log_count[log], FAKE_LOG);
	file->logs[log][file->log_count[log]++] = *record;
	return MTA_OK;
}

static enum mta_err
spool_log_read(struct mta_spool *s, enum mta_log log, struct mta_ref id,
	       uint32_t n, struct mta_log_record *record)
{
	struct fake_file *file = &spool_of(s)->files[id.index];

	if (n >= file->log_count[log])
		return MTA_ENOENT;
	*record = file->logs[log][n];
	return MTA_OK;
}

static void
spool_log_remove(struct mta_spool *s, enum mta_log log, struct mta_ref id)
{
	struct fake_spool *spool = spool_of(s);
	struct fake_file *file = &spool->files[id.index];

	for (uint32_t i = 0; i < file->log_count[log]; i++)
		mta_sym_drop(spool->symbols, file->logs[log][i].status.reason);
	file->log_count[log] = 0;
}

static const struct mta_spool_ops spool_ops = {
	.create = spool_create,
	.append = spool_append,
	.commit = spool_commit,
	.abandon = spool_abandon,
	.look = spool_look,
	.read = spool_read,
	.mark_done = spool_mark_done,
	.lock = spool_lock,
	.unlock = spool_unlock,
	.remove = spool_remove,
	.move = spool_move,
	.set_mode = spool_set_mode,
	.scan_open = spool_scan_open,
	.scan_next = spool_scan_next,
	.scan_close = spool_scan_close,
	.log_append = spool_log_append,
	.log_read = spool_log_read,
	.log_remove = spool_log_remove,
};

/* ---- port --------------------------------------------------------------- */

static struct fake_port *
port_of(struct mta_port *p)
{
	return mta_container_of(p, struct fake_port, base);
}

static void
port_attach(struct mta_port *p, enum mta_service service, struct mta_loop *loop,
	    struct mta_timer *wake)
{
	ck_assert_ptr_eq(loop, port_of(p)->loop);
	port_of(p)->boxes[service].wake = wake;
}

static void
box_arm(struct fake_port *p, struct fake_box *box)
{
	mta_time at = box->notes[box->first].at;

	if (box->wake && box->first < box->count &&
	    (!mta_timer_is_armed(box->wake) || box->wake->at > at))
		mta_timer_set(p->loop, box->wake, at);
}

static void
port_send(struct mta_port *p, enum mta_service service,
	  const struct mta_note *note)
{
	struct fake_port *port = port_of(p);
	struct fake_box *box = &port->boxes[service];

	ck_assert_uint_lt(box->count, FAKE_NOTES);
	box->notes[box->count++] =
		(struct fake_note){.note = *note, .at = port->loop->now};
	box_arm(port, box);
}

static struct mta_note *
port_receive(struct mta_port *p, enum mta_service service)
{
	struct fake_port *port = port_of(p);
	struct fake_box *box = &port->boxes[service];
	struct mta_note *note = NULL;

	if (box->first < box->count &&
	    box->notes[box->first].at <= port->loop->stepped)
		note = &box->notes[box->first++].note;
	box_arm(port, box);
	return note;
}

static struct mta_ref
port_list_take(struct mta_port *p, uint32_t count, struct mta_recipient **items)
{
	struct fake_port *port = port_of(p);
	uint32_t i = 0;

	ck_assert_uint_le(count, FAKE_RECIPIENTS);
	while (port->list_in_use[i])
		i++;
	ck_assert_uint_lt(i, FAKE_LISTS);
	port->list_in_use[i] = true;
	port->lists_out++;
	*items = port->lists[i];
	return (struct mta_ref){.index = i, .generation = 1};
}

static struct mta_recipient *
port_list_items(struct mta_port *p, struct mta_ref list)
{
	ck_assert(port_of(p)->list_in_use[list.index]);
	return port_of(p)->lists[list.index];
}

static void
port_list_give(struct mta_port *p, struct mta_ref list)
{
	ck_assert(port_of(p)->list_in_use[list.index]);
	port_of(p)->list_in_use[list.index] = false;
	port_of(p)->lists_out--;
}

static bool
port_token_take(struct mta_port *p)
{
	if (port_of(p)->tokens == 0)
		return false;
	port_of(p)->tokens--;
	return true;
}

static void
port_token_put(struct mta_port *p, uint32_t count)
{
	port_of(p)->tokens += count;
}

static const struct mta_port_ops port_ops = {
	.attach = port_attach,
	.send = port_send,
	.receive = port_receive,
	.list_take = port_list_take,
	.list_items = port_list_items,
	.list_give = port_list_give,
	.token_take = port_token_take,
	.token_put = port_token_put,
};

/* ---- book --------------------------------------------------------------- */

static void
book_text(const struct mta_book *b, mta_addr a, char *buffer, size_t size_bytes)
{
	(void)b;
	snprintf(buffer, size_bytes, "u%u@d%u.test",
		 (unsigned)mta_addr_number(a), (unsigned)mta_addr_family(a));
}

static mta_addr
book_notice_sender(struct mta_book *b, const char *local_part)
{
	(void)b;
	return mta_addr_make(local_part ? FAKE_DOUBLE_FAMILY : 0, 7);
}

static bool
book_is_own(const struct mta_book *b, mta_addr a, const char *local_part)
{
	(void)b;
	(void)local_part;
	return mta_addr_family(a) == FAKE_DOUBLE_FAMILY;
}

static mta_addr
book_lookup(struct mta_book *b, const char *text)
{
	(void)b;
	return mta_addr_make(FAKE_POSTMASTER_FAMILY, strlen(text));
}

/* ---- trace -------------------------------------------------------------- */

static void
sink_take(struct mta_sink *sink, enum mta_trace_kind kind, const void *record)
{
	struct fake_host *f = mta_container_of(sink, struct fake_host, sink);

	if (kind == MTA_TRACE_DELIVERY)
		f->deliveries[f->delivery_count++] =
			*(const struct mta_trace_delivery *)record;
	else if (kind == MTA_TRACE_NOTICE)
		f->notices[f->notice_count++] =
			*(const struct mta_trace_notice *)record;
	else if (kind == MTA_TRACE_STATUS)
		f->statuses[f->status_count++] =
			*(const struct mta_trace_status *)record;
	else if (kind == MTA_TRACE_ANSWERED)
		f->answers[f->answer_count++] =
			*(const struct mta_trace_answered *)record;
}

/* ---- the whole ---------------------------------------------------------- */

void
fake_init(struct fake_host *f)
{
	static const enum mta_trace_kind kinds[] = {
		MTA_TRACE_DELIVERY, MTA_TRACE_NOTICE, MTA_TRACE_STATUS,
		MTA_TRACE_ANSWERED};

	memset(f, 0, sizeof(*f));
	mta_agenda_init(&f->agenda);
	mta_loop_init(&f->loop, &f->agenda, FAKE_START, MTA_LOOP_POOL);
	mta_symtab_init(&f->symbols);
	mta_params_init(&f->params);
	mta_trace_init(&f->trace);
	f->sink.take = sink_take;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		mta_trace_subscribe(&f->trace, kinds[i], &f->sink);
	f->spool.base.ops = &spool_ops;
	f->spool.loop = &f->loop;
	f->spool.symbols = &f->symbols;
	f->port.base.ops = &port_ops;
	f->port.loop = &f->loop;
	f->book = (struct mta_book){.text = book_text,
				    .notice_sender = book_notice_sender,
				    .is_own = book_is_own,
				    .lookup = book_lookup};
	f->host = (struct mta_host){.loop = &f->loop,
				    .spool = &f->spool.base,
				    .port = &f->port.base,
				    .book = &f->book,
				    .trace = &f->trace,
				    .symbols = &f->symbols,
				    .serial = &f->serial};
}

void
fake_release(struct fake_host *f)
{
	ck_assert_uint_eq(f->port.lists_out, 0);
	for (uint32_t i = 0; i < f->spool.file_count; i++)
		ck_assert_int_eq(f->spool.files[i].lock_count, 0);
	mta_params_release(&f->params);
	mta_symtab_release(&f->symbols);
	mta_loop_release(&f->loop);
}

void
fake_set(struct fake_host *f, const char *name, const char *value)
{
	char err[200];

	ck_assert_int_eq(
		mta_params_set(&f->params, name, value, err, sizeof(err)),
		MTA_PARAM_SET);
}

void
fake_run(struct fake_host *f, double seconds)
{
	mta_time until = FAKE_START + (mta_time)(seconds * 1e6 + 0.5);
	mta_time at;

	while ((at = mta_loop_next(&f->loop).at) <= until)
		ck_assert(mta_loop_step(
			&f->loop, at > f->loop.stepped ? at : f->loop.stepped));
	mta_loop_step(&f->loop, until);
}

double
fake_seconds(mta_time t)
{
	return (double)(t - FAKE_START) / 1e6;
}

struct fake_file *
fake_file(struct fake_host *f, struct mta_ref id)
{
	return file_at(&f->spool.base, id);
}

struct mta_ref
fake_add(struct fake_host *f, enum mta_queue queue, mta_addr sender,
	 uint32_t recipients)
{
	struct mta_ref id = spool_create(
		&f->spool.base,
		&(struct mta_envelope){.arrival = f->loop.now,
				       .created = f->loop.now,
				       .sender = sender,
				       .serial = f->serial++,
				       .size_bytes = 1000,
				       .recipient_count = recipients,
				       .first_active = MTA_NEVER},
		mta_addr_make(FAKE_RECIPIENT_FAMILY, 0));

	for (uint32_t i = 1; i < recipients; i++)
		spool_append(&f->spool.base, id,
			     mta_addr_make(FAKE_RECIPIENT_FAMILY, i));
	fake_file(f, id)->shown.queue = queue;
	fake_file(f, id)->is_complete = true;
	return id;
}

uint32_t
fake_count(struct fake_host *f, enum mta_queue queue)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < f->spool.file_count; i++)
		n += f->spool.files[i].exists &&
		     f->spool.files[i].is_complete &&
		     f->spool.files[i].shown.queue == queue;
	return n;
}

const struct fake_note *
fake_sent(struct fake_host *f, enum mta_service service, uint32_t n)
{
	const struct fake_box *box = &f->port.boxes[service];

	return n < box->count ? &box->notes[n] : NULL;
}

uint32_t
fake_sent_count(struct fake_host *f, enum mta_service service)
{
	return f->port.boxes[service].count;
}

uint32_t
fake_sent_kind(struct fake_host *f, enum mta_service service,
	       enum mta_note_kind kind)
{
	const struct fake_box *box = &f->port.boxes[service];
	uint32_t n = 0;

	for (uint32_t i = 0; i < box->count; i++)
		n += box->notes[i].note.kind == kind;
	return n;
}

struct mta_note
fake_submission(struct fake_host *f, mta_addr sender, uint32_t recipients)
{
	struct mta_recipient *items;
	struct mta_note note = {
		.kind = MTA_NOTE_SUBMIT,
		.submit = {.client = {.index = 5, .generation = 1},
			   .reply_to = MTA_TO_CLIENT,
			   .recipient_count = recipients,
			   .serial = f->serial++,
			   .size_bytes = 1000,
			   .sender = sender,
			   .arrival = f->loop.now},
	};

	items = mta_recipients_begin(&f->port.base, &note.submit.recipients,
				     recipients);
	for (uint32_t i = 0; i < recipients; i++)
		items[i] = (struct mta_recipient){
			.address = mta_addr_make(FAKE_RECIPIENT_FAMILY, i),
			.offset = i};
	return note;
}

void
fake_send(struct fake_host *f, enum mta_service service, struct mta_note note)
{
	port_send(&f->port.base, service, &note);
}
