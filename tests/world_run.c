/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whole runs for tests; see world_run.h. The loop is that of `mtasim run`
 * without samples, files and signals. Symbols in kept rows get an owner, which
 * goes with the symbol table.
 */
#include "tests/world_run.h"

#include <check.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "model/law.h"
#include "tests/harness.h"

/* ---- rows -------------------------------------------------------------- */

static void *
rows_grow(void *list, size_t *capacity, size_t size)
{
	*capacity = *capacity ? *capacity * 2 : 64;
	list = realloc(list, *capacity * size);
	if (!list)
		ck_abort_msg("no memory for rows of the trace");
	return list;
}

#define TRACE_KIND(kind, name, help)                                           \
	static void keep_##name(struct world_run *r, const void *record)       \
	{                                                                      \
		struct world_rows_##name *rows = &r->name;                     \
                                                                               \
		if (rows->count == rows->capacity)                             \
			rows->list = rows_grow(rows->list, &rows->capacity,    \
					       sizeof(rows->list[0]));         \
		memcpy(&rows->list[rows->count++], record,                     \
		       sizeof(rows->list[0]));                                 \
	}
#define TRACE_FIELD(type, name, help)
#define TRACE_END()
#include "mta/trace.def"
#undef TRACE_KIND
#undef TRACE_FIELD
#undef TRACE_END

static void (*const keepers[])(struct world_run *, const void *) = {
#define TRACE_KIND(kind, name, help) [MTA_TRACE_##kind] = keep_##name,
#define TRACE_FIELD(type, name, help)
#define TRACE_END()
#include "mta/trace.def"
#undef TRACE_KIND
#undef TRACE_FIELD
#undef TRACE_END
};

static void
hold_symbols(struct world_run *r, enum mta_trace_kind kind, const void *record)
{
	struct mta_symtab *t = &r->world.symbols;

	if (kind == MTA_TRACE_DELIVERY) {
		const struct mta_trace_delivery *d = record;

		mta_sym_hold(t, d->destination);
		mta_sym_hold(t, d->reason);
		mta_sym_hold(t, d->relay);
	} else if (kind == MTA_TRACE_FEEDBACK) {
		const struct mta_trace_feedback *f = record;

		mta_sym_hold(t, f->destination);
	} else if (kind == MTA_TRACE_SELECTED) {
		const struct mta_trace_selected *s = record;

		mta_sym_hold(t, s->destination);
	} else if (kind == MTA_TRACE_THROTTLE) {
		const struct mta_trace_throttle *s = record;

		mta_sym_hold(t, s->reason);
	} else if (kind == MTA_TRACE_CLOGGED) {
		const struct mta_trace_clogged *s = record;

		mta_sym_hold(t, s->destination);
	}
}

static void
take_record(struct mta_sink *sink, enum mta_trace_kind kind, const void *record)
{
	struct world_run *r = mta_container_of(sink, struct world_run, sink);

	hold_symbols(r, kind, record);
	keepers[kind](r, record);
}

/* ---- building ---------------------------------------------------------- */

static struct scenario *
read_scenario(const char *text)
{
	struct complaints complaints = {0};
	struct scenario *scenario = scenario_read_memory(
		"test", text, strlen(text), NULL, &complaints);

	if (!scenario) {
		complaints_print(&complaints, stderr);
		ck_abort_msg("the test's scenario is wrong:\n%s", text);
	}
	complaints_release(&complaints);
	return scenario;
}

static void
subscribe(struct world_run *r, const struct world_run_options *o)
{
	unsigned keep = o->keep ? o->keep : WORLD_RUN_KEEP_ALL;

	r->sink.take = take_record;
	for (int kind = 0; kind < MTA_TRACE_KINDS; kind++) {
		if (keep & 1u << kind)
			mta_trace_subscribe(&r->world.trace,
					    (enum mta_trace_kind)kind,
					    &r->sink);
		if (o->also && o->also_kinds & 1u << kind)
			mta_trace_subscribe(&r->world.trace,
					    (enum mta_trace_kind)kind, o->also);
	}
}

struct world_run *
world_run_open(const char *text, const struct world_run_options *options)
{
	const struct world_run_options none = {0};
	const struct world_run_options *o = options ? options : &none;
	struct world_run *r = calloc(1, sizeof(*r));
	struct world_options wo = {.replication = o->replication};

	if (!r)
		ck_abort_msg("no memory for a world");
	model_init();
	r->scenario = read_scenario(text);
	r->seed = o->seed ? o->seed : (uint64_t)r->scenario->seed;
	r->watch = o->watch;
	wo.seed = r->seed;
	if (!world_init(&r->world, r->scenario, &wo))
		ck_abort_msg("no world: %s", wo.error);
	subscribe(r, o);
	if (!world_start(&r->world, &wo))
		ck_abort_msg("no start: %s", wo.error);
	r->now = world_time(r->scenario->run.start_at_us);
	return r;
}

/* ---- running ----------------------------------------------------------- */

/* One step if it is not later than `end`; false: nothing is. */
static bool
run_step(struct world_run *r, mta_time end)
{
	struct mta_due due = mta_agenda_next(&r->world.agenda);

	if (due.at > end)
		return false;
	mta_agenda_step(due);
	if (due.at > r->now)
		r->now = due.at;
	if (r->watch)
		r->watch->look(r->watch, r);
	return true;
}

void
world_run_act_now(struct world_run *r)
{
	struct mta_loop *pool = &r->world.places[WORLD_POOL].loop;

	pool->now = r->now;
	pool->stepped = r->now;
}

void
world_run_until(struct world_run *r, int64_t us)
{
	while (run_step(r, world_time(us)))
		;
	r->now = world_time(us);
	world_run_act_now(r);
}

static bool
run_is_drained(const struct world_run *r)
{
	return r->scenario->run.end == SCENARIO_END_DRAINED &&
	       r->world.qmgr.active_count == 0 && world_is_drained(&r->world);
}

void
world_run_finish(struct world_run *r)
{
	int64_t for_us = r->scenario->run.for_us;
	mta_time end =
		for_us == SCENARIO_NEVER ? MTA_NEVER - 1 : world_time(for_us);

	while (!run_is_drained(r) && run_step(r, end))
		;
}

struct world_run *
world_run_whole(const char *text)
{
	struct world_run *r = world_run_open(text, NULL);

	world_run_finish(r);
	return r;
}

void
world_run_close(struct world_run *r)
{
	world_release(&r->world);
	scenario_free(r->scenario);
#define TRACE_KIND(kind, name, help) free(r->name.list);
#define TRACE_FIELD(type, name, help)
#define TRACE_END()
#include "mta/trace.def"
#undef TRACE_KIND
#undef TRACE_FIELD
#undef TRACE_END
	free(r);
}

/* ---- looking ----------------------------------------------------------- */

const char *
world_run_text(const struct world_run *r, mta_sym symbol)
{
	return mta_sym_text(&r->world.symbols, symbol);
}

const char *
world_run_address(const struct world_run *r, mta_addr address)
{
	static char texts[4][MTA_ADDR_TEXT_MAX];
	static unsigned next;
	char *text = texts[next++ % 4];

	r->world.book.base.text(&r->world.book.base, address, text,
				MTA_ADDR_TEXT_MAX);
	return text;
}

const struct mta_trace_delivery *
world_run_delivery(const struct world_run *r, uint32_t serial, size_t n)
{
	for (size_t i = 0; i < r->delivery.count; i++)
		if (r->delivery.list[i].serial == serial && n-- == 0)
			return &r->delivery.list[i];
	return NULL;
}

const struct mta_trace_move *
world_run_move(const struct world_run *r, uint32_t serial, size_t n)
{
	for (size_t i = 0; i < r->move.count; i++)
		if (r->move.list[i].serial == serial && n-- == 0)
			return &r->move.list[i];
	return NULL;
}

const struct mta_trace_ended *
world_run_ended(const struct world_run *r, uint32_t serial)
{
	for (size_t i = 0; i < r->ended.count; i++)
		if (r->ended.list[i].serial == serial)
			return &r->ended.list[i];
	return NULL;
}

const struct mta_trace_feedback *
world_run_feedback(const struct world_run *r, const char *destination, size_t n)
{
	for (size_t i = 0; i < r->feedback.count; i++) {
		const struct mta_trace_feedback *f = &r->feedback.list[i];

		if (strcmp(world_run_text(r, f->destination), destination) ==
			    0 &&
		    n-- == 0)
			return f;
	}
	return NULL;
}

size_t
world_run_count_outcome(const struct world_run *r, enum mta_outcome outcome)
{
	size_t count = 0;

	for (size_t i = 0; i < r->delivery.count; i++)
		count += r->delivery.list[i].outcome == outcome;
	return count;
}

size_t
world_run_count_moves(const struct world_run *r, uint32_t from, uint32_t to)
{
	size_t count = 0;

	for (size_t i = 0; i < r->move.count; i++)
		count += r->move.list[i].from == from &&
			 r->move.list[i].to == to;
	return count;
}

/* ---- rows as words ----------------------------------------------------- */

struct words {
	char text[65536];
	size_t used;
};

static struct words *
words_begin(void)
{
	static struct words words[4];
	static unsigned next;
	struct words *w = &words[next++ % 4];

	w->used = 0;
	w->text[0] = '\0';
	return w;
}

static void __attribute__((format(printf, 3, 4)))
words_add(struct words *w, mta_time at, const char *format, ...)
{
	va_list args;
	int length;

	if (w->used > 0)
		w->text[w->used++] = ' ';
	va_start(args, format);
	length = vsnprintf(w->text + w->used, sizeof(w->text) - w->used, format,
			   args);
	va_end(args);
	w->used += (size_t)length;
	ck_assert_uint_lt(w->used + 64, sizeof(w->text));
	length = snprintf(w->text + w->used, sizeof(w->text) - w->used, "@%.9g",
			  (double)world_run_us(at) / 1e6);
	w->used += (size_t)length;
}

const char *
world_run_say_selected(const struct world_run *r)
{
	struct words *w = words_begin();

	for (size_t i = 0; i < r->selected.count; i++)
		words_add(w, r->selected.list[i].at, "%u",
			  r->selected.list[i].serial);
	return w->text;
}

const char *
world_run_say_deliveries(const struct world_run *r)
{
	struct words *w = words_begin();

	for (size_t i = 0; i < r->delivery.count; i++) {
		const struct mta_trace_delivery *d = &r->delivery.list[i];

		words_add(w, d->at, "%u:%s", d->serial,
			  mta_outcome_name((enum mta_outcome)d->outcome));
	}
	return w->text;
}

static const char *
move_end(uint32_t queue, const char *otherwise)
{
	return queue == MTA_QUEUES ? otherwise
				   : mta_queue_name((enum mta_queue)queue);
}

const char *
world_run_say_moves(const struct world_run *r, uint32_t serial)
{
	struct words *w = words_begin();

	for (size_t i = 0; i < r->move.count; i++) {
		const struct mta_trace_move *m = &r->move.list[i];

		if (m->serial == serial)
			words_add(w, m->at, "%u:%s>%s", serial,
				  move_end(m->from, "new"),
				  move_end(m->to, "gone"));
	}
	return w->text;
}

const char *
world_run_say_admitted(const struct world_run *r)
{
	struct words *w = words_begin();

	for (size_t i = 0; i < r->admitted.count; i++) {
		const struct mta_trace_admitted *a = &r->admitted.list[i];

		words_add(w, a->at, "%u:%s", a->serial,
			  mta_queue_name((enum mta_queue)a->from));
	}
	return w->text;
}

const char *
world_run_say_feedback(const struct world_run *r)
{
	struct words *w = words_begin();

	for (size_t i = 0; i < r->feedback.count; i++) {
		const struct mta_trace_feedback *f = &r->feedback.list[i];

		words_add(w, f->at, "%s:%s%d",
			  world_run_text(r, f->destination),
			  mta_feedback_event_name(
				  (enum mta_feedback_event)f->event),
			  f->window);
	}
	return w->text;
}

uint32_t
world_run_in_queue(const struct world_run *r, enum mta_queue queue)
{
	struct mta_spool *spool = world_host(&r->world)->spool;

	return spool->ops->count(spool, queue);
}
