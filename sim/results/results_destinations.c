/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A look goes over what the queue manager has, over what it had last time and
 * no longer has, and over what the trace touched; never over all destinations
 * that ever were. The sum of those without a name is kept up by differences.
 */
#include "sim/results/results_destinations.h"

#include <math.h>
#include <stdlib.h>

#include "sim/base/arena.h"

void
results_destinations_init(struct results_destinations *d, struct tally *tally,
			  int64_t top)
{
	*d = (struct results_destinations){
		.tally = tally,
		.top = top < UINT32_MAX / 8 ? (uint32_t)top : UINT32_MAX / 8,
	};
}

void
results_destinations_release(struct results_destinations *d)
{
	free(d->entries);
	free(d->live);
	free(d->named);
	free(d->transports);
}

static void
push(uint32_t **list, uint32_t *count, uint32_t *room, uint32_t number)
{
	if (*count == *room) {
		*room = *room ? 2 * *room : 64;
		*list = memory_resize(*list, *room, sizeof(**list));
	}
	(*list)[(*count)++] = number;
}

static struct dest_entry *
entry_of(struct results_destinations *d, uint32_t number)
{
	if (number >= d->entry_room) {
		uint32_t room = number < 64 ? 128 : 2 * number;

		d->entries =
			memory_resize(d->entries, room, sizeof(*d->entries));
		for (uint32_t i = d->entry_room; i < room; i++)
			d->entries[i] = (struct dest_entry){.live_look = 0};
		d->entry_room = room;
	}
	return &d->entries[number];
}

static struct dest_row
row_of(const struct dest_entry *e)
{
	return (struct dest_row){
		.column = {[DESTINATION_WINDOW] = e->window,
			   [DESTINATION_BUSY] = e->busy,
			   [DESTINATION_TO_DO] = e->todo,
			   [DESTINATION_DEFERRED] = e->deferred,
			   [DESTINATION_DELIVERED] = (int64_t)e->delivered,
			   [DESTINATION_FAILED] = (int64_t)e->failed},
		.state = e->state,
	};
}

static void
add_entry(struct dest_row *sum, const struct dest_entry *e, int64_t sign)
{
	struct dest_row row = row_of(e);

	for (int i = 0; i < DESTINATION_COLUMNS; i++)
		sum->column[i] += sign * row.column[i];
}

static bool
rows_equal(const struct dest_row *a, const struct dest_row *b)
{
	return memcmp(a->column, b->column, sizeof(a->column)) == 0 &&
	       a->state == b->state;
}

static uint64_t
attempts_of(const struct results_destinations *d, uint32_t number)
{
	return d->entries[number].delivered + d->entries[number].failed;
}

/* The named one with the fewest attempts; of equals the one named first. */
static uint32_t
least_named(const struct results_destinations *d)
{
	uint32_t least = 0;

	for (uint32_t i = 1; i < d->named_count; i++) {
		if (attempts_of(d, d->named[i].number) <
		    attempts_of(d, d->named[least].number))
			least = i;
	}
	return least;
}

static void
set_named(struct results_destinations *d, uint32_t number, uint32_t place)
{
	struct dest_entry *e = &d->entries[number];

	d->named[place] = (struct dest_named){.number = number};
	e->is_named = true;
	add_entry(&d->other, e, -1);
}

/* Should this one, which is not named, be? */
static void
consider(struct results_destinations *d, uint32_t number)
{
	uint32_t place;
	struct dest_entry *old;

	if (d->named_count < d->top) {
		d->named = memory_resize(d->named, d->named_count + 1,
					 sizeof(*d->named));
		set_named(d, number, d->named_count++);
		return;
	}
	if (d->top == 0)
		return;
	/* Attempts only grow: the least of some time ago is a lower bound. */
	if (attempts_of(d, number) / 2 <= d->least_attempts)
		return;
	place = least_named(d);
	d->least_attempts = attempts_of(d, d->named[place].number);
	if (attempts_of(d, number) / 2 <= d->least_attempts)
		return;
	old = &d->entries[d->named[place].number];
	old->is_named = false;
	add_entry(&d->other, old, 1);
	set_named(d, number, place);
}

/* What the trace has told of it since the last look. */
static void
take_change(struct results_destinations *d, const struct tally_change *c)
{
	const struct tally_pair *pair = tally_pair_at(d->tally, c->pair);
	struct dest_entry *e = entry_of(d, pair->destination);
	const struct dest_entry more = {
		.deferred = pair->in_deferred - c->in_deferred,
		.delivered = tally_delivered(pair) - c->delivered,
		.failed = tally_failed(pair) - c->failed,
	};

	e->transport = pair->transport;
	e->deferred += more.deferred;
	e->delivered += more.delivered;
	e->failed += more.failed;
	if (!e->is_named)
		add_entry(&d->other, &more, 1);
}

/* How it stands with the queue manager. */
struct standing {
	int32_t window;
	int32_t busy;
	int32_t todo;
	enum mta_dest_state state;
};

static void
set_standing(struct results_destinations *d, uint32_t number, struct standing s)
{
	struct dest_entry *e = &d->entries[number];

	if (!e->is_named)
		add_entry(&d->other, e, -1);
	e->window = s.window;
	e->busy = s.busy;
	e->todo = s.todo;
	e->state = s.state;
	e->is_known = true;
	if (e->is_named)
		return;
	add_entry(&d->other, e, 1);
	consider(d, number);
}

static struct transport_sum *
sum_of(struct results_destinations *d, mta_sym name)
{
	for (uint32_t i = 0; i < d->transport_count; i++) {
		if (d->transports[i].name == name)
			return &d->transports[i];
	}
	d->transports = memory_resize(d->transports, d->transport_count + 1,
				      sizeof(*d->transports));
	d->transports[d->transport_count] =
		(struct transport_sum){.name = name};
	return &d->transports[d->transport_count++];
}

static void
look_at_dest(struct results_destinations *d, const struct mta_dest *dest)
{
	mta_sym transport = dest->transport->name;
	uint32_t number =
		tally_destination(d->tally, transport, dest->name)->number;
	struct dest_entry *e = entry_of(d, number);

	e->transport = transport;
	e->live_look = d->look;
	push(&d->live, &d->live_count, &d->live_room, number);
	set_standing(d, number,
		     (struct standing){
			     .window = dest->window.window,
			     .busy = dest->busy_count,
			     .todo = dest->todo_count,
			     .state = dest->state,
		     });
}

static void
look_at_transport(struct results_destinations *d, const struct mta_transport *t)
{
	bool is_service = tally_is_service(d->tally, t->name);
	struct transport_sum *sum = sum_of(d, t->name);

	sum->pending = t->pending;
	sum->is_throttled = t->is_throttled;
	sum->initial_window = t->window_law.initial;
	for (const struct mta_list *l = t->dests.next; l != &t->dests;
	     l = l->next) {
		const struct mta_dest *dest = mta_const_container_of(
			l, struct mta_dest, in_transport);

		sum->todo += dest->todo_count;
		sum->busy += dest->busy_count;
		if (!is_service)
			look_at_dest(d, dest);
	}
}

static void
look_at_qmgr(struct results_destinations *d, const struct mta_qmgr *qmgr)
{
	const struct mta_list *head = &qmgr->transports;

	for (const struct mta_list *l = head->next; l != head; l = l->next)
		look_at_transport(d, mta_const_container_of(
					     l, struct mta_transport, in_qmgr));
}

/* It is not with the queue manager: ready and empty, its window forgotten, so
 * that it would begin anew. */
static void
look_without(struct results_destinations *d, uint32_t number)
{
	struct standing s = {.state = MTA_DEST_READY};

	if (d->entries[number].live_look == d->look)
		return;
	for (uint32_t i = 0; i < d->transport_count; i++) {
		if (d->transports[i].name == d->entries[number].transport)
			s.window = d->transports[i].initial_window;
	}
	set_standing(d, number, s);
}

/* What transports have at this look is not known yet. */
static void
clear_sums(struct results_destinations *d)
{
	for (uint32_t i = 0; i < d->transport_count; i++) {
		struct transport_sum *s = &d->transports[i];

		*s = (struct transport_sum){
			.name = s->name,
			.initial_window = s->initial_window,
		};
	}
}

void
results_destinations_look(struct results_destinations *d,
			  const struct mta_qmgr *qmgr,
			  const struct agents *agents)
{
	const struct tally_changes *changes = tally_changes(d->tally);
	uint32_t *before = d->live;
	uint32_t before_count = d->live_count;

	d->look++;
	d->live = NULL;
	d->live_count = d->live_room = 0;
	clear_sums(d);
	for (uint32_t i = 0; i < changes->count; i++)
		take_change(d, &changes->list[i]);
	if (qmgr)
		look_at_qmgr(d, qmgr);
	for (size_t i = 0; agents && i < agents->transport_count; i++) {
		if (agents->transports[i].service.total_count > 0)
			sum_of(d, agents->transports[i].name);
	}
	for (uint32_t i = 0; i < before_count; i++)
		look_without(d, before[i]);
	for (uint32_t i = 0; i < changes->count; i++)
		look_without(d, tally_pair_at(d->tally, changes->list[i].pair)
					->destination);
	tally_clear_changes(d->tally);
	free(before);
}

static const char *
state_name(enum mta_dest_state state)
{
	switch (state) {
	case MTA_DEST_READY:
		return "ready";
	case MTA_DEST_DEAD:
		return "dead";
	case MTA_DEST_SUSPENDED:
		return "suspended";
	}
	return "";
}

static void
write_row(struct table_out *out, int64_t now_us, const char *transport,
	  const char *name, const struct dest_row *row)
{
	table_out_seconds(out, now_us);
	table_out_text(out, transport);
	table_out_text(out, name);
	table_out_text(out, state_name(row->state));
	for (int i = 0; i < DESTINATION_COLUMNS; i++)
		table_out_integer(out, row->column[i]);
	table_out_end_row(out);
}

void
results_destinations_write(struct results_destinations *d,
			   struct table_out *out, int64_t now_us,
			   const struct mta_symtab *symbols)
{
	for (uint32_t i = 0; i < d->named_count; i++) {
		struct dest_named *named = &d->named[i];
		struct dest_row row = row_of(&d->entries[named->number]);
		const struct tally_key *k =
			d->tally->destinations.keys[named->number];

		if (named->has_row && rows_equal(&row, &named->written))
			continue;
		write_row(out, now_us, mta_sym_text(symbols, k->transport),
			  mta_sym_text(symbols, k->name), &row);
		named->written = row;
		named->has_row = true;
	}
	if (d->tally->destinations.count <= d->named_count ||
	    (d->has_other_row && rows_equal(&d->other, &d->other_written)))
		return;
	write_row(out, now_us, "", "(other)", &d->other);
	d->other_written = d->other;
	d->has_other_row = true;
}

static void
transport_look(const struct transport_sum *s, const struct agents *agents,
	       int64_t row[TRANSPORT_COLUMNS])
{
	const struct agents_transport *t =
		agents ? agents_find(agents, s->name) : NULL;

	row[TRANSPORT_PROCESSES] = t ? t->service.total_count : 0;
	row[TRANSPORT_BUSY] = t ? t->busy_count : agents ? 0 : s->busy;
	row[TRANSPORT_PENDING] = s->pending;
	row[TRANSPORT_TO_DO] = s->todo;
}

void
results_transports_write(const struct results_destinations *d,
			 struct table_out *out, int64_t now_us,
			 const struct agents *agents,
			 const struct mta_symtab *symbols)
{
	for (uint32_t i = 0; i < d->transport_count; i++) {
		const struct transport_sum *s = &d->transports[i];
		int64_t row[TRANSPORT_COLUMNS];

		transport_look(s, agents, row);
		table_out_seconds(out, now_us);
		table_out_text(out, mta_sym_text(symbols, s->name));
		for (int c = 0; c < TRANSPORT_COLUMNS; c++)
			table_out_integer(out, row[c]);
		table_out_text(out, s->is_throttled ? "throttled" : "ready");
		table_out_end_row(out);
	}
}

double
results_destinations_column(const struct results_destinations *d,
			    const char *column, const char *transport,
			    const char *destination,
			    const struct mta_symtab *symbols)
{
	mta_sym wanted = mta_sym_find(symbols, destination);
	mta_sym via = transport ? mta_sym_find(symbols, transport) : 0;
	const struct tally_table *table = &d->tally->destinations;
	int place = column_place(destination_words, column);
	double sum = (double)NAN;

	/* A name that nobody has used yet is no symbol; 0 is "no name". */
	if (wanted == 0 || (transport && via == 0))
		return sum;
	for (uint32_t i = 0; i < table->count && i < d->entry_room; i++) {
		const struct tally_key *k = table->keys[i];
		struct dest_row row = row_of(&d->entries[i]);
		double value;

		if (!d->entries[i].is_known || k->name != wanted ||
		    (transport && k->transport != via))
			continue;
		value = (double)row.column[place];
		sum = isnan(sum) ? value : sum + value;
	}
	return sum;
}

double
results_transports_column(const struct results_destinations *d,
			  const char *column, const char *transport,
			  const struct agents *agents,
			  const struct mta_symtab *symbols)
{
	mta_sym name = mta_sym_find(symbols, transport);
	int place = column_place(transport_words, column);
	int64_t row[TRANSPORT_COLUMNS];

	for (uint32_t i = 0; i < d->transport_count; i++) {
		if (d->transports[i].name != name)
			continue;
		transport_look(&d->transports[i], agents, row);
		return (double)row[place];
	}
	/* Nothing has gone that way yet. */
	return 0;
}

int64_t
results_busy(const struct results_destinations *d, const struct agents *agents)
{
	int64_t busy = 0;

	for (size_t i = 0; agents && i < agents->transport_count; i++)
		busy += agents->transports[i].busy_count;
	for (uint32_t i = 0; !agents && i < d->transport_count; i++)
		busy += d->transports[i].busy;
	return busy;
}
