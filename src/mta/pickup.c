/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pickup: a run is passes over maildrop until one removes nothing. A file is
 * removed when cleanup has answered anything but "try again", for a mail that
 * was refused has been bounced by then (F2.4). One file is with cleanup at a
 * time, so mail from maildrop pays in_flow_delay one after the other.
 *
 * Triggers that come during a run are heard after it.
 */
#include "mta/pure.h"

#include "mta/mail.h"
#include "mta/pickup.h"

#include "mta/panic.h"

/* The recipients that are not finished, ready to travel. */
struct pickup_list {
	struct mta_recipients recipients;
	uint32_t count;
};

static enum mta_err
pickup_read(const struct mta_pickup *p, struct mta_ref file,
	    const struct mta_envelope *e, struct pickup_list *out)
{
	const struct mta_host *h = &p->host;
	struct mta_recipient *items;
	struct mta_record record = {.kind = MTA_RECORD_DONE};
	enum mta_err err = MTA_OK;

	out->count = 0;
	items = mta_recipients_begin(h->port, &out->recipients,
				     e->recipient_count);
	while (err == MTA_OK && record.kind != MTA_RECORD_END) {
		err = h->spool->ops->read(h->spool, file, record.next, &record);
		if (err != MTA_OK || record.kind != MTA_RECORD_RECIPIENT)
			continue;
		mta_assert(out->count < e->recipient_count);
		items[out->count++] = (struct mta_recipient){
			.address = record.address, .offset = record.offset};
	}
	if (err != MTA_OK || out->count == 0)
		mta_recipients_free(h->port, &out->recipients);
	return err;
}

static void
pickup_remove(struct mta_pickup *p, struct mta_ref file,
	      enum mta_outcome outcome)
{
	const struct mta_host *h = &p->host;

	/* A requeued mail brought its logs along; its new file has none. */
	h->spool->ops->log_remove(h->spool, MTA_LOG_DEFER, file);
	h->spool->ops->log_remove(h->spool, MTA_LOG_BOUNCE, file);
	if (mta_mail_remove(h, file, MTA_MAILDROP, MTA_MOVE_PICKED_UP,
			    outcome) == MTA_OK)
		p->has_removed = true;
}

static void
pickup_submit(struct mta_pickup *p, struct mta_ref file,
	      const struct mta_file *f, const struct pickup_list *list)
{
	const struct mta_envelope *e = &f->envelope;
	const struct mta_host *h = &p->host;

	p->file = file;
	h->port->ops->send(
		h->port, MTA_TO_CLEANUP,
		&(struct mta_note){
			.kind = MTA_NOTE_SUBMIT,
			.submit =
				{
					.client = file,
					.reply_to = MTA_TO_PICKUP,
					.recipients = list->recipients,
					.recipient_count = list->count,
					.serial = e->serial,
					.size_bytes = e->size_bytes,
					.sender = e->sender,
					.arrival = e->arrival,
					.is_requeued = (f->mode &
							MTA_MODE_REQUEUED) != 0,
				},
		});
}

/* Hand a file in, if it can be read. */
static void
pickup_take(struct mta_pickup *p, struct mta_ref file)
{
	struct mta_spool *spool = p->host.spool;
	const struct mta_file *shown = spool->ops->look(spool, file);
	struct pickup_list list = {0};
	struct mta_file f;

	if (!mta_file_is_readable(shown, MTA_MAILDROP))
		return;
	f = *shown;
	if (pickup_read(p, file, &f.envelope, &list) != MTA_OK)
		return;
	if (list.count == 0)
		pickup_remove(p, file, MTA_SENT);
	else
		pickup_submit(p, file, &f, &list);
}

/* R-PICKUP: go on with the run until cleanup is to be waited for, or the run
 * ends. */
static void
pickup_run(struct mta_pickup *p)
{
	const struct mta_spool_ops *ops = p->host.spool->ops;
	struct mta_ref id;

	while (p->is_running && !mta_ref_is_set(p->file)) {
		if (!p->dir.is_open) {
			p->has_removed = false;
			ops->scan_open(p->host.spool, MTA_MAILDROP, &p->dir);
		}
		if (mta_spool_next(p->host.spool, &p->dir, &id))
			pickup_take(p, id);
		else
			p->is_running = p->has_removed;
	}
}

static void
pickup_answered(struct mta_pickup *p, const struct mta_note *note)
{
	if (!mta_ref_is_set(p->file) ||
	    !mta_ref_equal(note->submitted.client, p->file))
		return; /* asked for before a restart */
	switch (note->submitted.result) {
	case MTA_SUBMIT_ACCEPTED:
	case MTA_SUBMIT_HELD:
		pickup_remove(p, p->file, MTA_QUEUED);
		break;
	case MTA_SUBMIT_DISCARDED:
		pickup_remove(p, p->file, MTA_DISCARDED);
		break;
	case MTA_SUBMIT_REJECTED:
	case MTA_SUBMIT_TOO_LARGE:
		pickup_remove(p, p->file, MTA_BOUNCED);
		break;
	case MTA_SUBMIT_NO_SPACE:
		break;
	}
	p->file = (struct mta_ref){0};
}

static void
pickup_wake_fired(struct mta_timer *timer)
{
	struct mta_pickup *p = mta_container_of(timer, struct mta_pickup, wake);
	struct mta_port *port = p->host.port;
	struct mta_note *note;

	while ((note = port->ops->receive(port, MTA_TO_PICKUP))) {
		if (note->kind == MTA_NOTE_TRIGGER) {
			p->is_asked = !p->is_stopped;
			continue;
		}
		mta_assert(note->kind == MTA_NOTE_SUBMITTED);
		pickup_answered(p, note);
	}
	pickup_run(p);
	while (!p->is_running && p->is_asked) {
		p->is_asked = false;
		p->is_running = true;
		pickup_run(p);
	}
}

void
mta_pickup_init(struct mta_pickup *p, const struct mta_host *host)
{
	*p = (struct mta_pickup){.host = *host};
	mta_timer_init(&p->wake, pickup_wake_fired);
	host->port->ops->attach(host->port, MTA_TO_PICKUP, host->loop,
				&p->wake);
}

void
mta_pickup_release(struct mta_pickup *p)
{
	if (p->dir.is_open)
		p->host.spool->ops->scan_close(p->host.spool, &p->dir);
	mta_timer_cancel(p->host.loop, &p->wake);
}

void
mta_pickup_stop(struct mta_pickup *p)
{
	if (p->dir.is_open)
		p->host.spool->ops->scan_close(p->host.spool, &p->dir);
	p->is_running = false;
	p->is_asked = false;
	p->is_stopped = true;
}

void
mta_pickup_start(struct mta_pickup *p)
{
	p->is_stopped = false;
}
