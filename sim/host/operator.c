/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Actions in the order of their times. A where-clause is turned into queue ids
 * by looking through the directories in the order in which postsuper does, and
 * each id is acted upon as it is met.
 */
#include "sim/host/operator.h"

#include "mta/admin.h"
#include "mta/panic.h"
#include "sim/host/world.h"

static void operator_fired(struct mta_timer *timer);

/* ---- which mails ------------------------------------------------------------
 */

static bool
recipients_fit(const struct world *w, struct mta_ref file, const char *glob)
{
	const struct mta_host *h = world_host(w);
	struct mta_record record = {.next = 0};

	while (h->spool->ops->read(h->spool, file, record.next, &record) ==
		       MTA_OK &&
	       record.kind != MTA_RECORD_END)
		if (record.kind == MTA_RECORD_RECIPIENT &&
		    glob_fits(glob,
			      mta_sym_text(h->symbols,
					   h->book->domain(h->book,
							   record.address))))
			return true;
	return false;
}

static bool
sender_fits(const struct world *w, struct mta_ref file, const char *glob)
{
	const struct mta_host *h = world_host(w);
	const struct mta_file *shown = h->spool->ops->look(h->spool, file);
	char text[MTA_ADDR_TEXT_MAX];

	if (!shown)
		return false;
	h->book->text(h->book, shown->envelope.sender, text, sizeof(text));
	return glob_fits(glob, text);
}

static bool
mail_fits(const struct world *w, const struct scenario_where *where,
	  struct mta_ref file)
{
	char id[MTA_ID_TEXT_MAX];

	if (where->all)
		return true;
	if (where->id) {
		world_host(w)->spool->ops->id_text(world_host(w)->spool, file,
						   id, sizeof(id));
		if (strcmp(where->id, id) != 0)
			return false;
	}
	if (where->domain && !recipients_fit(w, file, where->domain))
		return false;
	return !where->sender || sender_fits(w, file, where->sender);
}

/* Do it to every mail of a directory that fits. */
static void
each_mail(struct world *w, enum mta_queue queue,
	  const struct scenario_where *where,
	  bool (*act)(const struct mta_host *, struct mta_ref))
{
	const struct mta_host *h = world_host(w);
	struct mta_scan dir = {0};
	struct mta_ref id;

	h->spool->ops->scan_open(h->spool, queue, &dir);
	while (mta_spool_next(h->spool, &dir, &id))
		if (mail_fits(w, where, id))
			act(h, id);
}

static void
postsuper(struct world *w, const struct scenario_where *where,
	  bool (*act)(const struct mta_host *, struct mta_ref))
{
	/* In the order of postsuper, which knows no corrupt mail (F12.2). */
	for (uint32_t q = MTA_MAILDROP; q <= MTA_HOLD; q++)
		if (where->queue == MTA_QUEUES || where->queue == q)
			each_mail(w, (enum mta_queue)q, where, act);
}

static void
flush_site(struct world *w, const struct scenario_where *where)
{
	mta_admin_flush_site_begin(world_host(w));
	each_mail(w, MTA_DEFERRED, where, mta_admin_flush_site_mail);
	mta_admin_flush_site_end(world_host(w));
}

/* ---- what is done
 * -------------------------------------------------------------- */

static void
crash_agent(struct world *w, const char *transport)
{
	/* That no agent is at work is no error: then none dies. */
	agents_crash(&w->agents, mta_sym_find(&w->symbols, transport));
}

static void
act(struct operator* o, const struct scenario_action *a)
{
	struct world *w = o->world;

	switch (a->what) {
	case SCENARIO_DO_SET:
		world_edit(w, &a->set);
		break;
	case SCENARIO_DO_RELOAD:
		world_system_reload(w);
		break;
	case SCENARIO_DO_STOP:
		if (a->service)
			world_qmgr_stop(w);
		else
			world_system_stop(w);
		break;
	case SCENARIO_DO_START:
		if (a->service)
			world_qmgr_start(w);
		else
			world_system_start(w);
		break;
	case SCENARIO_DO_HOLD:
		postsuper(w, &a->where, mta_admin_hold);
		break;
	case SCENARIO_DO_RELEASE:
		postsuper(w, &a->where, mta_admin_release);
		break;
	case SCENARIO_DO_REQUEUE:
		postsuper(w, &a->where, mta_admin_requeue);
		break;
	case SCENARIO_DO_DELETE:
		postsuper(w, &a->where, mta_admin_delete);
		break;
	case SCENARIO_DO_EXPIRE:
		postsuper(w, &a->where, mta_admin_expire);
		break;
	case SCENARIO_DO_FLUSH:
		mta_admin_flush(world_host(w));
		break;
	case SCENARIO_DO_FLUSH_SITE:
		flush_site(w, &a->where);
		break;
	case SCENARIO_DO_FLUSH_ID:
		each_mail(w, MTA_DEFERRED, &a->where, mta_admin_flush_id);
		break;
	case SCENARIO_DO_CRASH_QMGR:
		world_qmgr_crash(w);
		break;
	case SCENARIO_DO_CRASH_AGENT:
		crash_agent(w, a->transport);
		break;
	case SCENARIO_DO_SNAPSHOT:
		if (o->snapshot)
			o->snapshot(o, (enum mta_queue)a->where.queue);
		break;
	}
}

static void operator_set_next(struct operator* o)
{
	const struct scenario *scenario = o->world->scenario;

	if (o->next < scenario->action_count)
		mta_timer_set(world_host(o->world)->loop, &o->timer,
			      world_time(scenario->actions[o->next].at_us));
}

static void
operator_fired(struct mta_timer *timer)
{
	struct operator* o = mta_container_of(timer, struct operator, timer);

	act(o, &o->world->scenario->actions[o->next++]);
	operator_set_next(o);
}

void
operator_init(struct operator* o, struct world *w)
{
	*o = (struct operator){.world = w};
	mta_timer_init(&o->timer, operator_fired);
	operator_set_next(o);
}

void operator_release(struct operator* o)
{
	mta_timer_cancel(world_host(o->world)->loop, &o->timer);
}
