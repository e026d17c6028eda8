/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The operators' tools: renames, marks and triggers. They keep no state and ask
 * no daemon; the spool is what they have in common with the queue manager.
 */
#include "mta/pure.h"

#include "mta/admin.h"
#include "mta/mail.h"

static bool
admin_find(const struct mta_host *h, struct mta_ref file, enum mta_queue *where)
{
	const struct mta_file *shown = h->spool->ops->look(h->spool, file);

	if (shown)
		*where = shown->queue;
	return shown != NULL;
}

static bool
admin_move(const struct mta_host *h, struct mta_ref file, struct mta_move move)
{
	return mta_mail_move(h, file, move) == MTA_OK;
}

bool
mta_admin_hold(const struct mta_host *h, struct mta_ref file)
{
	enum mta_queue where;

	if (!admin_find(h, file, &where) ||
	    !mta_mail_move_is_legal(where, MTA_HOLD))
		return false;
	return admin_move(h, file,
			  (struct mta_move){.from = where,
					    .to = MTA_HOLD,
					    .reason = MTA_MOVE_HOLD,
					    .wake_s = MTA_WAKE_KEEP});
}

bool
mta_admin_release(const struct mta_host *h, struct mta_ref file)
{
	return admin_move(h, file,
			  (struct mta_move){.from = MTA_HOLD,
					    .to = MTA_DEFERRED,
					    .reason = MTA_MOVE_RELEASED,
					    .wake_s = MTA_WAKE_KEEP});
}

static uint32_t
second_now(const struct mta_host *h)
{
	return (uint32_t)mta_host_second(h);
}

bool
mta_admin_requeue(const struct mta_host *h, struct mta_ref file)
{
	enum mta_queue where;

	if (!admin_find(h, file, &where) ||
	    !mta_mail_move_is_legal(where, MTA_MAILDROP))
		return false;
	h->spool->ops->set_mode(h->spool, file, MTA_MODE_REQUEUED, 0);
	return admin_move(h, file,
			  (struct mta_move){.from = where,
					    .to = MTA_MAILDROP,
					    .reason = MTA_MOVE_REQUEUED,
					    .wake_s = second_now(h)});
}

bool
mta_admin_delete(const struct mta_host *h, struct mta_ref file)
{
	enum mta_queue where;

	if (!admin_find(h, file, &where) || where == MTA_CORRUPT)
		return false;
	h->spool->ops->log_remove(h->spool, MTA_LOG_DEFER, file);
	h->spool->ops->log_remove(h->spool, MTA_LOG_BOUNCE, file);
	return mta_mail_remove(h, file, where, MTA_MOVE_DELETED, MTA_DELETED) ==
	       MTA_OK;
}

bool
mta_admin_expire(const struct mta_host *h, struct mta_ref file)
{
	const struct mta_file *shown = h->spool->ops->look(h->spool, file);

	if (!shown || shown->queue == MTA_MAILDROP ||
	    shown->queue == MTA_CORRUPT || shown->mode & MTA_MODE_FORCE_EXPIRE)
		return false;
	mta_mail_trace_status(h, file, &shown->envelope, MTA_STATUS_MARKED);
	h->spool->ops->set_mode(h->spool, file, MTA_MODE_FORCE_EXPIRE, 0);
	return true;
}

static void
admin_trigger(const struct mta_host *h, enum mta_service service, uint32_t bits)
{
	h->port->ops->send(
		h->port, service,
		&(struct mta_note){.kind = MTA_NOTE_TRIGGER, .trigger = bits});
}

void
mta_admin_flush(const struct mta_host *h)
{
	admin_trigger(h, MTA_TO_QMGR,
		      MTA_TRIGGER_FLUSH | MTA_TRIGGER_ALL |
			      MTA_TRIGGER_DEFERRED | MTA_TRIGGER_WAKEUP);
	admin_trigger(h, MTA_TO_PICKUP, MTA_TRIGGER_WAKEUP);
}

bool
mta_admin_flush_site_mail(const struct mta_host *h, struct mta_ref file)
{
	return admin_move(h, file,
			  (struct mta_move){.from = MTA_DEFERRED,
					    .to = MTA_INCOMING,
					    .reason = MTA_MOVE_FLUSHED,
					    .wake_s = second_now(h)});
}

bool
mta_admin_flush_id(const struct mta_host *h, struct mta_ref file)
{
	if (!mta_admin_flush_site_mail(h, file))
		return false;
	h->spool->ops->set_mode(h->spool, file, MTA_MODE_FLUSH, 0);
	admin_trigger(h, MTA_TO_QMGR, MTA_TRIGGER_WAKEUP);
	return true;
}

void
mta_admin_flush_site_begin(const struct mta_host *h)
{
	admin_trigger(h, MTA_TO_QMGR, MTA_TRIGGER_FLUSH);
}

void
mta_admin_flush_site_end(const struct mta_host *h)
{
	admin_trigger(h, MTA_TO_QMGR, MTA_TRIGGER_WAKEUP);
}
