/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Building the simulated host, in the order in which things need each other,
 * and what an operator or a fault can do to the system as a whole.
 */
#include "sim/host/world.h"

#include "mta/panic.h"
#include "mta/text.h"
#include "sim/host/start.h"

/* ---- building
 * ----------------------------------------------------------------- */

void
world_edit(struct world *w, const struct scenario_settings *set)
{
	char error[256];

	for (size_t i = 0; i < set->count; i++) {
		enum mta_param_outcome outcome = mta_params_set(
			&w->main_cf, set->list[i].name, set->list[i].value,
			error, sizeof(error));

		mta_assert(outcome == MTA_PARAM_SET); /* judged by the reader */
	}
}

/* R-PARAM-FIXES: of what the queue manager corrects nobody else makes use. */
static void
world_read_main_cf(const struct world *w, struct mta_params *to)
{
	mta_params_copy(to, &w->main_cf);
	mta_params_fix(to);
}

static void
world_read_main_cf_again(const struct world *w, struct mta_params *to)
{
	mta_params_release(to);
	world_read_main_cf(w, to);
}

static enum spool_order
spool_order_of(enum scenario_order order)
{
	switch (order) {
	case SCENARIO_ORDER_SEEDED:
		return SPOOL_SEEDED;
	case SCENARIO_ORDER_NEWEST_FIRST:
		return SPOOL_NEWEST_FIRST;
	case SCENARIO_ORDER_OLDEST_FIRST:
		return SPOOL_OLDEST_FIRST;
	}
	return SPOOL_SEEDED;
}

static void
world_make_spool(struct world *w, uint64_t seed)
{
	const struct scenario_costs *costs = &w->scenario->costs;
	bool writing_takes_time = costs->cleanup_us > 0 ||
				  costs->disk_fsync_us > 0 ||
				  costs->disk_rename_us > 0;
	struct spool_mem_config c = {
		.dirs = {.order = spool_order_of(w->scenario->order),
			 .seed = seed,
			 .hash_depth = (uint32_t)w->params.hash_queue_depth},
		.long_ids = w->params.enable_long_queue_ids,
		.disk_fsync = costs->disk_fsync_us,
		.disk_rename = costs->disk_rename_us,
		.disk_parallel = (uint32_t)costs->disk_parallel,
	};

	for (int i = 0; i < MTA_QUEUES; i++)
		c.dirs.is_hashed[i] =
			mta_text_lists(w->params.hash_queue_names,
				       mta_queue_name((enum mta_queue)i));
	spool_mem_init(&w->spool, &c, &w->symbols,
		       world_time(w->scenario->run.start_at_us));
	w->spool_costs[WORLD_POOL].commit = costs->cleanup_us;
	w->spool_costs[WORLD_QMGR].admit = costs->qmgr_admit_us;
	w->spool_costs[WORLD_QMGR].scan = costs->qmgr_scan_us;
	w->spool_costs[WORLD_QMGR].finish = costs->qmgr_finish_us;
	w->spool_costs[WORLD_QMGR].passes_unwritten = writing_takes_time;
	w->spool_costs[WORLD_PICKUP].finish = costs->pickup_us;
	w->spool_costs[WORLD_PICKUP].passes_unwritten = writing_takes_time;
}

static void
world_make_place(struct world *w, enum world_loop loop, enum mta_loop_kind kind)
{
	struct world_place *p = &w->places[loop];

	mta_loop_init(&p->loop, &w->agenda,
		      world_time(w->scenario->run.start_at_us), kind);
	spool_view_init(&p->spool, &w->spool, &p->loop, &w->spool_costs[loop]);
	port_view_init(&p->port, &w->port, &p->loop);
	p->host = (struct mta_host){
		.loop = &p->loop,
		.spool = &p->spool.base,
		.port = &p->port.base,
		.router = &w->router.base,
		.book = &w->book.base,
		.trace = &w->trace,
		.symbols = &w->symbols,
		.serial = &w->serial,
	};
}

static void
world_make_places(struct world *w)
{
	mta_agenda_init(&w->agenda);
	world_make_place(w, WORLD_POOL, MTA_LOOP_POOL);
	world_make_place(w, WORLD_QMGR, MTA_LOOP_PROCESS);
	w->places[WORLD_QMGR].loop.oversleep = w->scenario->costs.qmgr_wake_us;
	w->places[WORLD_QMGR].port.costs.request =
		w->scenario->costs.qmgr_request_us;
	w->places[WORLD_POOL].port.costs.notice = w->scenario->costs.bounce_us;
	world_make_place(w, WORLD_PICKUP, MTA_LOOP_PROCESS);
}

static int64_t
service_limit(const struct world *w, const char *name, int64_t otherwise)
{
	const struct scenario *s = w->scenario;

	for (size_t i = 0; i < s->service_count; i++)
		if (strcmp(s->services[i].name, name) == 0)
			return s->services[i].maxproc;
	return otherwise;
}

static void
world_make_services(struct world *w, const struct world_options *options)
{
	const struct mta_host *pool = &w->places[WORLD_POOL].host;
	struct mta_access *access =
		w->scenario->access_count ? &w->access.base : NULL;

	access_init(&w->access, w->scenario, &w->book.base, options->seed,
		    options->replication);
	mta_cleanup_init(&w->cleanup, pool, &w->params, access);
	w->cleanup.process_limit = (uint32_t)service_limit(w, "cleanup", 0);
	mta_bounce_init(&w->bounce, pool, &w->params);
	mta_pickup_init(&w->pickup, &w->places[WORLD_PICKUP].host);
	mta_qmgr_init(&w->qmgr, &w->places[WORLD_QMGR].host, &w->qmgr_params);
	agents_init(&w->agents, pool, &w->params, w->scenario,
		    &w->remotes.base);
}

bool
world_init(struct world *w, const struct scenario *scenario,
	   struct world_options *options)
{
	struct injector_options injection = {
		.seed = options->seed,
		.replication = options->replication,
		.reading.is_interrupted = options->is_interrupted,
	};
	bool is_read;

	*w = (struct world){.scenario = scenario};
	mta_params_init(&w->main_cf);
	world_edit(w, &scenario->mta);
	world_read_main_cf(w, &w->params);
	world_read_main_cf(w, &w->qmgr_params);
	mta_symtab_init(&w->symbols);
	mta_trace_init(&w->trace);
	book_init(&w->book, &w->symbols, "mta.example");
	router_init(&w->router, scenario, &w->book.base, &w->symbols);
	remotes_init(&w->remotes, &w->router, scenario, &w->symbols,
		     options->seed, options->replication);
	world_make_spool(w, options->seed);
	port_loop_init(&w->port);
	world_make_places(w);
	world_make_services(w, options);
	is_read = injector_init(&w->injector, world_host(w), &w->params,
				&w->book, scenario, &injection);
	if (!is_read)
		memcpy(options->error, injection.reading.error,
		       sizeof(options->error));
	operator_init(&w->operator, w);
	return is_read;
}

void
world_release(struct world *w)
{
	operator_release(&w->operator);
	injector_release(&w->injector);
	mta_wakeup_stop(&w->qmgr_wakeup);
	mta_wakeup_stop(&w->pickup_wakeup);
	agents_release(&w->agents);
	mta_qmgr_release(&w->qmgr);
	mta_pickup_release(&w->pickup);
	mta_bounce_release(&w->bounce);
	mta_cleanup_release(&w->cleanup);
	port_loop_release(&w->port);
	spool_mem_release(&w->spool);
	remotes_release(&w->remotes);
	router_release(&w->router);
	book_release(&w->book);
	mta_symtab_release(&w->symbols);
	for (int i = 0; i < WORLD_LOOPS; i++)
		mta_loop_release(&w->places[i].loop);
	mta_params_release(&w->main_cf);
	mta_params_release(&w->params);
	mta_params_release(&w->qmgr_params);
}

/* ---- running
 * -------------------------------------------------------------------- */

static void
world_boot_fired(struct mta_timer *timer)
{
	world_system_start(mta_container_of(timer, struct world, boot));
}

bool
world_start(struct world *w, struct world_options *options)
{
	if (!start_mail(w, options))
		return false;
	mta_timer_init(&w->boot, world_boot_fired);
	mta_timer_set(world_host(w)->loop, &w->boot,
		      world_time(w->scenario->run.start_at_us));
	return true;
}

bool
world_is_drained(const struct world *w)
{
	static const enum mta_queue queues[] = {MTA_MAILDROP, MTA_INCOMING,
						MTA_ACTIVE, MTA_DEFERRED};
	struct mta_spool *spool = world_host(w)->spool;

	if (!injector_has_ended(&w->injector) || w->cleanup.busy_count > 0)
		return false;
	for (size_t i = 0; i < sizeof(queues) / sizeof(queues[0]); i++)
		if (spool->ops->count(spool, queues[i]) > 0)
			return false;
	return true;
}

/* ---- the system as a whole
 * -------------------------------------------------------- */

/* The daemons apart from the queue manager. */
static void
world_daemons_begin(struct world *w)
{
	world_read_main_cf_again(w, &w->params);
	agents_reload(&w->agents);
	injector_reload(&w->injector, service_limit(w, "smtpd", -1));
}

/* The process begins at this time of the pool. */
static void
world_qmgr_begin(struct world *w)
{
	struct mta_loop *l = &w->places[WORLD_QMGR].loop;

	mta_loop_begin(l, world_host(w)->loop->now);
	world_read_main_cf_again(w, &w->qmgr_params);
	mta_qmgr_start(&w->qmgr);
	mta_loop_begun(l);
}

static void
world_qmgr_end(struct world *w)
{
	/* What is on its way to it is lost with it, and what it would have
	 * asked of agents. */
	port_loop_arrive_now(&w->port, MTA_TO_QMGR);
	port_loop_arrive_now(&w->port, MTA_TO_AGENTS);
	agents_hang_up(&w->agents);
	mta_qmgr_stop(&w->qmgr);
}

void
world_qmgr_start(struct world *w)
{
	if (w->qmgr.is_running)
		return;
	world_qmgr_begin(w);
	mta_wakeup_start(&w->qmgr_wakeup, world_host(w), MTA_TO_QMGR,
			 MTA_WAKEUP_QMGR_S);
}

void
world_qmgr_stop(struct world *w)
{
	if (!w->qmgr.is_running)
		return;
	mta_wakeup_stop(&w->qmgr_wakeup);
	world_qmgr_end(w);
}

/* Master's own timer of wake-ups goes on (F8.13). */
void
world_qmgr_crash(struct world *w)
{
	if (!w->qmgr.is_running)
		return;
	world_qmgr_end(w);
	world_qmgr_begin(w);
}

/* R-FLOW-TOKEN (F3.1): the pipe is master's, and new with it. */
static void
world_drop_tokens(struct world *w)
{
	struct mta_port *port = world_host(w)->port;

	port->ops->token_drop(port, port->ops->token_count(port));
}

void
world_system_start(struct world *w)
{
	if (w->is_up)
		return;
	w->is_up = true;
	world_drop_tokens(w);
	world_daemons_begin(w);
	mta_pickup_start(&w->pickup);
	mta_wakeup_start(&w->pickup_wakeup, world_host(w), MTA_TO_PICKUP,
			 MTA_WAKEUP_PICKUP_S);
	world_qmgr_start(w);
	injector_set_up(&w->injector, true);
}

void
world_system_stop(struct world *w)
{
	if (!w->is_up)
		return;
	w->is_up = false;
	injector_set_up(&w->injector, false);
	mta_wakeup_stop(&w->pickup_wakeup);
	mta_pickup_stop(&w->pickup);
	world_qmgr_stop(w);
	agents_reload(&w->agents);
}

void
world_system_reload(struct world *w)
{
	if (!w->is_up)
		return;
	world_qmgr_stop(w);
	world_daemons_begin(w);
	world_qmgr_start(w);
}
