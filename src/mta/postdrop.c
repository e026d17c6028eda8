/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * postdrop: puts what a local user submits into maildrop. It needs no daemon,
 * so mail is taken while the system is down, and waits for pickup.
 */
#include "mta/pure.h"

#include "mta/mail.h"
#include "mta/pickup.h"
#include "mta/text.h"

static bool
entry_is(const char *entry, size_t length, const char *text)
{
	return strlen(text) == length && memcmp(entry, text, length) == 0;
}

/* Does an entry of the list, without its "!", speak of this user? */
static bool
entry_fits(const char *entry, size_t length, const char *user)
{
	return entry_is(entry, length, "static:anyone") ||
	       entry_is(entry, length, "static:all") ||
	       entry_is(entry, length, user);
}

bool
mta_user_is_listed(const char *list, const char *user)
{
	size_t length;

	for (const char *word; (word = mta_text_word(&list, &length));) {
		bool is_negated = *word == '!';

		if (entry_fits(word + is_negated, length - is_negated, user))
			return !is_negated;
	}
	return false;
}

static enum mta_err
postdrop_store(const struct mta_host *h, const struct mta_postdrop *r)
{
	const struct mta_spool_ops *ops = h->spool->ops;
	struct mta_ref file = ops->create(
		h->spool,
		&(struct mta_envelope){.arrival = h->loop->now,
				       .created = h->loop->now,
				       .sender = r->sender,
				       .serial = r->serial,
				       .size_bytes = r->size_bytes,
				       .recipient_count = r->recipient_count,
				       .first_active = MTA_NEVER,
				       .committed = h->loop->now},
		r->recipients[0]);

	for (uint32_t i = 1; i < r->recipient_count; i++)
		ops->append(h->spool, file, r->recipients[i]);
	return mta_mail_commit(h, file, MTA_MAILDROP, MTA_MOVE_SUBMITTED);
}

static enum mta_postdrop_result
judge(const struct mta_params *p, const struct mta_postdrop *r)
{
	if (!mta_user_is_listed(p->authorized_submit_users, r->user))
		return MTA_POSTDROP_REFUSED;
	if (r->recipient_count == 0)
		return MTA_POSTDROP_NO_RECIPIENT;
	if (p->message_size_limit_bytes > 0 &&
	    (int64_t)r->size_bytes > p->message_size_limit_bytes)
		return MTA_POSTDROP_TOO_LARGE;
	return MTA_POSTDROP_OK;
}

enum mta_postdrop_result
mta_postdrop_submit(const struct mta_host *h, const struct mta_params *p,
		    const struct mta_postdrop *r)
{
	enum mta_postdrop_result result = judge(p, r);

	mta_mail_trace_submitted(
		h, &(struct mta_trace_submitted){
			   .sender = r->sender,
			   .serial = r->serial,
			   .size_bytes = r->size_bytes,
			   .recipient_count = r->recipient_count,
			   .is_refused = result != MTA_POSTDROP_OK});
	if (result != MTA_POSTDROP_OK)
		return result;
	if (postdrop_store(h, r) != MTA_OK)
		return MTA_POSTDROP_NO_SPACE;
	h->port->ops->send(h->port, MTA_TO_PICKUP,
			   &(struct mta_note){.kind = MTA_NOTE_TRIGGER,
					      .trigger = MTA_TRIGGER_WAKEUP});
	return MTA_POSTDROP_OK;
}
