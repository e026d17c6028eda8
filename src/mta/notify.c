/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Notices: who gets them, from whom, and how long they are. What stands in them
 * nobody reads here, but their length takes time on the way and space in the
 * queue.
 *
 * A notice about mail of a real sender comes from <>, so that it cannot bounce
 * for ever; what goes to the postmaster comes from double_bounce_sender, whose
 * mail is dropped when it fails (F10).
 */
#include "mta/pure.h"

#include "mta/bounce.h"
#include "mta/mail.h"
#include "mta/text.h"

/*
 * M-NOTICE-SIZE: the words around it, the report of one recipient, the head of
 * a mail. Round figures for what such notices usually have.
 */
enum {
	NOTICE_TEXT_BYTES = 1500,
	NOTICE_REPORT_BYTES = 500,
	NOTICE_HEAD_BYTES = 1500,
};

static bool
notice_has_body(const struct mta_notice *n, const struct mta_params *p)
{
	switch (n->kind) {
	case MTA_NOTICE_BOUNCE:
	case MTA_NOTICE_DOUBLE_BOUNCE:
		return (int64_t)n->about->size_bytes <=
		       p->bounce_size_limit_bytes;
	case MTA_NOTICE_WARNING:
	case MTA_NOTICE_POSTMASTER:
	case MTA_NOTICE_POSTMASTER_DELAY:
		break;
	}
	return false;
}

uint32_t
mta_notice_size_bytes(const struct mta_notice *n, const struct mta_params *p)
{
	uint64_t size = NOTICE_TEXT_BYTES;

	size += (uint64_t)NOTICE_REPORT_BYTES * n->reported_count;
	if (notice_has_body(n, p) || n->about->size_bytes < NOTICE_HEAD_BYTES)
		size += n->about->size_bytes;
	else
		size += NOTICE_HEAD_BYTES;
	return size > UINT32_MAX ? UINT32_MAX : (uint32_t)size;
}

struct mta_notice_classes
mta_notice_classes_of(const char *notify_classes)
{
	return (struct mta_notice_classes){
		.bounce = mta_text_lists(notify_classes, "bounce"),
		.double_bounce = mta_text_lists(notify_classes, "2bounce"),
		.delay = mta_text_lists(notify_classes, "delay"),
	};
}

bool
mta_sender_is_double_bounce(const struct mta_host *h,
			    const struct mta_params *p, mta_addr sender)
{
	return h->book->is_own(h->book, sender, p->double_bounce_sender);
}

bool
mta_notice_of_failure(const struct mta_host *h, const struct mta_params *p,
		      mta_addr sender, enum mta_notice_kind *kind)
{
	struct mta_notice_classes classes =
		mta_notice_classes_of(p->notify_classes);

	if (mta_sender_is_double_bounce(h, p, sender))
		return false;
	if (!mta_addr_is_null(sender)) {
		*kind = MTA_NOTICE_BOUNCE;
		return true;
	}
	*kind = MTA_NOTICE_DOUBLE_BOUNCE;
	return classes.bounce || classes.double_bounce;
}

/* From whom, to whom. */
struct notice_route {
	mta_addr from;
	mta_addr to;
};

static struct notice_route
notice_to_postmaster(struct mta_book *book, const struct mta_params *p,
		     const char *who)
{
	return (struct notice_route){
		.from = book->notice_sender(book, p->double_bounce_sender),
		.to = book->lookup(book, who),
	};
}

static struct notice_route
notice_route(const struct mta_host *h, const struct mta_params *p,
	     const struct mta_notice *n)
{
	switch (n->kind) {
	case MTA_NOTICE_BOUNCE:
	case MTA_NOTICE_WARNING:
		break;
	case MTA_NOTICE_POSTMASTER:
		return notice_to_postmaster(h->book, p,
					    p->bounce_notice_recipient);
	case MTA_NOTICE_POSTMASTER_DELAY:
		return notice_to_postmaster(h->book, p,
					    p->delay_notice_recipient);
	case MTA_NOTICE_DOUBLE_BOUNCE:
		return notice_to_postmaster(h->book, p,
					    p->double_bounce_notice_recipient);
	}
	return (struct notice_route){
		.from = h->book->notice_sender(h->book, NULL),
		.to = n->about->sender,
	};
}

uint32_t
mta_notice_send(const struct mta_host *h, const struct mta_params *p,
		const struct mta_notice *n)
{
	struct notice_route route = notice_route(h, p, n);
	struct mta_note note = {
		.kind = MTA_NOTE_SUBMIT,
		.submit =
			{
				.client = n->client,
				.reply_to = n->reply_to,
				.recipients = {.only = {.address = route.to}},
				.recipient_count = 1,
				.serial = mta_host_next_serial(h),
				.size_bytes = mta_notice_size_bytes(n, p),
				.sender = route.from,
				.arrival = h->loop->now,
			},
	};

	mta_mail_trace_submitted(
		h, &(struct mta_trace_submitted){
			   .sender = note.submit.sender,
			   .serial = note.submit.serial,
			   .size_bytes = note.submit.size_bytes,
			   .recipient_count = note.submit.recipient_count,
			   .is_notice = 1});
	h->port->ops->send(h->port, MTA_TO_CLEANUP, &note);
	return note.submit.serial;
}

void
mta_notice_trace_queued(const struct mta_host *h,
			struct mta_trace_notice *record)
{
	record->at = h->loop->now;
	if (mta_trace_wants(h->trace, MTA_TRACE_NOTICE))
		mta_trace_deliver(h->trace, MTA_TRACE_NOTICE, record);
}
