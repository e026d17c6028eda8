/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One file into active: rename it, read as many recipients as may be in core,
 * find each one's transport and destination, and make the entries.
 *
 * Recipients are sorted before they are resolved and again afterwards, so that
 * those of one destination stand together and fill requests up to the recipient
 * limit; delivery order is therefore not submission order.
 *
 * Not here: from an address to a destination (qmgr_resolve.c); VERP, for which
 * no mail of ours asks.
 */
#include "mta/pure.h"

#include "mta/mail.h"
#include "mta/qmgr.h"

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
struct mta_reading {
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
mta_reading_release(struct mta_qmgr *q)
{
	if (!q->reading)
		return;
	free(q->reading->items);
	free(q->reading->sorting);
	free(q->reading->text);
	free(q->reading);
	q->reading = NULL;
}

static struct mta_reading *
reading_begin(struct mta_qmgr *q)
{
	if (!q->reading) {
		q->reading = mta_alloc(1, sizeof(*q->reading));
		q->reading->qmgr = q;
	}
	q->reading->count = 0;
	q->reading->text_used = 0;
	return q->reading;
}

static void
reading_add(struct mta_reading *r, const struct mta_record *record)
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
	struct mta_reading *r = reading_begin(q);
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
			reading_add(r, &record);
	}
	m->more = offset;
	return MTA_OK;
}

/* ---- sorting (F5.6) ----------------------------------------------------- */

static void
reading_fetch_texts(struct mta_reading *r)
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
reading_sort(struct mta_reading *r)
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

/* ---- making entries (F5.7) ---------------------------------------------- */

static void
qmail_assign(struct mta_qmail *m, const struct mta_reading *r)
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

/* Several recipients of one mail, in the order of the rule. */
MTA_APART static void
qmail_resolve_list(struct mta_qmgr *q, struct mta_qmail *m)
{
	struct mta_reading *r = q->reading;

	reading_fetch_texts(r);
	reading_sort(r);
	for (uint32_t i = 0; i < r->count; i++)
		r->items[i].dest = mta_qmail_resolve(q, m, &r->items[i].to);
	reading_sort(r);
}

/* What was read becomes entries. */
static void
qmail_take_read(struct mta_qmgr *q, struct mta_qmail *m)
{
	struct mta_reading *r = q->reading;

	if (r->count > 1)
		qmail_resolve_list(q, m);
	else if (r->count == 1)
		r->items[0].dest = mta_qmail_resolve(q, m, &r->items[0].to);
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
