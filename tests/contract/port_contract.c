/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The contract of the port (src/mta/port.h), run on each implementation through
 * its operations: notes arrive later, in order, and not before they left; lists
 * belong to who holds them; tokens are counted. The port between loops is the
 * one implementation.
 */
#include "tests/harness.h"

#include <string.h>

#include "mta/loop.h"
#include "sim/host/port_loop.h"

#define MS INT64_C(1000)

enum {
	HEARD_MAX = 64
};

/* A service that takes everything in each of its turns. */
struct listener {
	struct mta_loop loop;
	struct port_view view;
	struct mta_port *port;
	enum mta_service service;
	struct mta_timer wake;
	uint32_t heard[HEARD_MAX];
	mta_time heard_at[HEARD_MAX];
	uint32_t heard_count;
	uint32_t turns;
};

struct bed {
	struct mta_agenda agenda;
	struct port_loop shared;
	struct listener a; /* queue manager */
	struct listener b; /* agents */
};

static void
listener_turn(struct mta_timer *timer)
{
	struct listener *l = mta_container_of(timer, struct listener, wake);
	struct mta_note *note;

	l->turns++;
	while ((note = l->port->ops->receive(l->port, l->service))) {
		ck_assert_int_eq(note->kind, MTA_NOTE_TRIGGER);
		ck_assert_uint_lt(l->heard_count, HEARD_MAX);
		l->heard_at[l->heard_count] = l->loop.now;
		l->heard[l->heard_count++] = note->trigger;
	}
}

static void
listener_init(struct listener *l, struct bed *b, enum mta_service service)
{
	memset(l, 0, sizeof(*l));
	mta_loop_init(&l->loop, &b->agenda, 0, MTA_LOOP_POOL);
	port_view_init(&l->view, &b->shared, &l->loop);
	l->port = &l->view.base;
	l->service = service;
	mta_timer_init(&l->wake, listener_turn);
	l->port->ops->attach(l->port, service, &l->loop, &l->wake);
}

static void
bed_init(struct bed *b)
{
	mta_agenda_init(&b->agenda);
	port_loop_init(&b->shared);
	listener_init(&b->a, b, MTA_TO_QMGR);
	listener_init(&b->b, b, MTA_TO_AGENTS);
}

static void
bed_release(struct bed *b)
{
	port_loop_release(&b->shared);
	mta_loop_release(&b->a.loop);
	mta_loop_release(&b->b.loop);
}

/* Begin a step of a sender, which may be charged time in it. */
static void
sender_at(struct listener *l, mta_time now)
{
	l->loop.now = l->loop.stepped = now;
}

static void
send(struct listener *from, enum mta_service to, uint32_t value)
{
	from->port->ops->send(
		from->port, to,
		&(struct mta_note){.kind = MTA_NOTE_TRIGGER, .trigger = value});
}

/* Step a loop until nothing is due at `until`. */
static void
run(struct listener *l, mta_time until)
{
	for (;;) {
		mta_time at = mta_loop_next(&l->loop).at;

		if (at > until)
			return;
		ck_assert(mta_loop_step(
			&l->loop, at < l->loop.stepped ? l->loop.stepped : at));
	}
}

START_TEST(notes_arrive_later_in_order)
{
	struct bed b;

	bed_init(&b);
	sender_at(&b.a, 5 * MS);
	for (uint32_t i = 0; i < 40; i++)
		send(&b.a, MTA_TO_AGENTS, i);
	/* Not during the call. */
	ck_assert_uint_eq(b.b.heard_count, 0);
	ck_assert_int_eq(mta_loop_next(&b.b.loop).at, 5 * MS);
	run(&b.b, 5 * MS);
	ck_assert_uint_eq(b.b.heard_count, 40);
	ck_assert_uint_eq(b.b.turns, 1);
	for (uint32_t i = 0; i < 40; i++)
		ck_assert_uint_eq(b.b.heard[i], i);
	/* Nothing else is due. */
	ck_assert_int_eq(mta_loop_next(&b.b.loop).at, MTA_NEVER);
	ck_assert_uint_eq(b.a.heard_count, 0);
	bed_release(&b);
}
END_TEST

/* A service that answers itself at length while it looks at a note: neither
 * what fills the mailbox nor what makes it grow touches that note. */
static void
note_is_held(struct bed *b, uint32_t before, uint32_t during)
{
	struct mta_port *port = b->b.port;
	struct mta_note *note;

	for (uint32_t i = 0; i < before; i++) {
		send(&b->a, MTA_TO_AGENTS, 7);
		ck_assert_ptr_nonnull(port->ops->receive(port, MTA_TO_AGENTS));
	}
	send(&b->a, MTA_TO_AGENTS, 77);
	note = port->ops->receive(port, MTA_TO_AGENTS);
	ck_assert_ptr_nonnull(note);
	for (uint32_t i = 0; i < during; i++)
		send(&b->a, MTA_TO_AGENTS, 100 + i);
	ck_assert_int_eq(note->kind, MTA_NOTE_TRIGGER);
	ck_assert_uint_eq(note->trigger, 77);
	for (uint32_t i = 0; i < during; i++) {
		note = port->ops->receive(port, MTA_TO_AGENTS);
		ck_assert_ptr_nonnull(note);
		ck_assert_uint_eq(note->trigger, 100 + i);
	}
	ck_assert_ptr_null(port->ops->receive(port, MTA_TO_AGENTS));
}

START_TEST(a_note_stays_until_the_next_is_asked_for)
{
	for (uint32_t before = 0; before < 40; before++)
		for (uint32_t during = 0; during < 70; during++) {
			struct bed b;

			bed_init(&b);
			note_is_held(&b, before, during);
			/* And again, where nobody waits any more. */
			note_is_held(&b, before / 2, during);
			note_is_held(&b, before, during + 1);
			bed_release(&b);
		}
}
END_TEST

START_TEST(a_note_to_oneself)
{
	struct bed b;

	bed_init(&b);
	sender_at(&b.a, 5 * MS);
	send(&b.a, MTA_TO_QMGR, 1);
	ck_assert_uint_eq(b.a.heard_count, 0);
	run(&b.a, 5 * MS);
	ck_assert_uint_eq(b.a.heard_count, 1);
	bed_release(&b);
}
END_TEST

START_TEST(notes_leave_when_the_sender_is_done)
{
	struct bed b;

	bed_init(&b);
	/* A step at 5 ms that takes 3 ms and then sends. */
	sender_at(&b.a, 5 * MS);
	send(&b.a, MTA_TO_AGENTS, 1);
	mta_loop_charge(&b.a.loop, 3 * MS);
	send(&b.a, MTA_TO_AGENTS, 2);
	run(&b.b, 7 * MS);
	ck_assert_uint_eq(b.b.heard_count, 1);
	run(&b.b, 8 * MS);
	ck_assert_uint_eq(b.b.heard_count, 2);
	ck_assert_int_eq(b.b.heard_at[0], 5 * MS);
	ck_assert_int_eq(b.b.heard_at[1], 8 * MS);
	bed_release(&b);
}
END_TEST

/* A receiver that has set its turn for later takes it when a note comes. */
START_TEST(a_note_brings_a_turn_forward)
{
	struct bed b;

	bed_init(&b);
	mta_timer_set(&b.b.loop, &b.b.wake, 50 * MS);
	sender_at(&b.a, 5 * MS);
	send(&b.a, MTA_TO_AGENTS, 1);
	ck_assert_int_eq(mta_loop_next(&b.b.loop).at, 5 * MS);
	run(&b.b, 5 * MS);
	ck_assert_uint_eq(b.b.heard_count, 1);
	ck_assert_int_eq(mta_loop_next(&b.b.loop).at, MTA_NEVER);
	bed_release(&b);
}
END_TEST

START_TEST(no_overtaking)
{
	struct bed b;

	bed_init(&b);
	/* Note 1 leaves at 8 ms; the sender's next step is at 8 ms as well and
	 * comes before the receiver has seen anything. */
	sender_at(&b.a, 5 * MS);
	mta_loop_charge(&b.a.loop, 3 * MS);
	send(&b.a, MTA_TO_AGENTS, 1);
	sender_at(&b.a, 8 * MS);
	send(&b.a, MTA_TO_AGENTS, 2);
	mta_loop_charge(&b.a.loop, 0);
	send(&b.a, MTA_TO_AGENTS, 3);
	run(&b.b, 20 * MS);
	ck_assert_uint_eq(b.b.heard_count, 3);
	for (uint32_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(b.b.heard[i], i + 1);
		ck_assert_int_eq(b.b.heard_at[i], 8 * MS);
	}
	/* Afterwards notes go at once again. */
	sender_at(&b.a, 9 * MS);
	send(&b.a, MTA_TO_AGENTS, 4);
	ck_assert_uint_eq(b.a.view.kept[MTA_TO_AGENTS], 0);
	bed_release(&b);
}
END_TEST

/* Two processes of a pool: the second is done before the first, which is busy
 * with its note, and does not wait for it. */
START_TEST(a_busy_process_holds_up_nobody)
{
	struct bed b;

	bed_init(&b);
	sender_at(&b.a, 5 * MS);
	mta_loop_charge(&b.a.loop, 3 * MS);
	send(&b.a, MTA_TO_AGENTS, 1);
	sender_at(&b.a, 6 * MS);
	send(&b.a, MTA_TO_AGENTS, 2);
	run(&b.b, 20 * MS);
	ck_assert_uint_eq(b.b.heard_count, 2);
	ck_assert_uint_eq(b.b.heard[0], 2);
	ck_assert_int_eq(b.b.heard_at[0], 6 * MS);
	ck_assert_uint_eq(b.b.heard[1], 1);
	ck_assert_int_eq(b.b.heard_at[1], 8 * MS);
	bed_release(&b);
}
END_TEST

START_TEST(generated_steps)
{
	/* Senders of random steps and charges; each note carries its number.
	 * Per sender the order is kept, and no note is early. */
	uint64_t seed = harness_seed(11);

	for (long round = 0; round < 300 * harness_scale(); round++) {
		uint64_t state = seed + (uint64_t)round;
		mta_time left_at[HEARD_MAX];
		struct bed b;
		mta_time now = 0;
		uint32_t sent = 0;

		bed_init(&b);
		while (sent < HEARD_MAX - 4) {
			/* As in a run: what is due before comes before. */
			run(&b.b, now - 1);
			if (harness_draw_below(&state, 2))
				run(&b.b, now);
			sender_at(&b.a, now);
			for (uint32_t k = harness_draw_below(&state, 4); k > 0;
			     k--) {
				if (harness_draw_below(&state, 3) == 0)
					mta_loop_charge(&b.a.loop, MS);
				left_at[sent] = b.a.loop.now;
				send(&b.a, MTA_TO_AGENTS, sent++);
			}
			now = b.a.loop.now + harness_draw_below(&state, 2) * MS;
		}
		run(&b.b, now + 100 * MS);
		ck_assert_uint_eq(b.b.heard_count, sent);
		for (uint32_t i = 0; i < sent; i++) {
			ck_assert_uint_eq(b.b.heard[i], i);
			ck_assert_int_ge(b.b.heard_at[i], left_at[i]);
		}
		bed_release(&b);
	}
}
END_TEST

START_TEST(lists)
{
	struct bed b;
	struct mta_port *port;
	static const uint32_t counts[] = {1,  2,  3,  4,    5,	  31,
					  32, 33, 50, 1000, 5000, 50000};
	enum {
		LISTS = sizeof(counts) / sizeof(counts[0])
	};
	struct mta_ref refs[LISTS];

	bed_init(&b);
	port = b.a.port;
	for (int round = 0; round < 3; round++) {
		for (uint32_t i = 0; i < LISTS; i++) {
			struct mta_recipient *items;

			refs[i] = port->ops->list_take(port, counts[i], &items);
			ck_assert(mta_ref_is_set(refs[i]));
			for (uint32_t k = 0; k < counts[i]; k++)
				items[k] = (struct mta_recipient){.address = i,
								  .offset = k};
		}
		/* Another's view finds them, untouched by their neighbours. */
		port = b.b.port;
		for (uint32_t i = 0; i < LISTS; i++) {
			const struct mta_recipient *items =
				port->ops->list_items(port, refs[i]);

			for (uint32_t k = 0; k < counts[i]; k++) {
				ck_assert_uint_eq(items[k].address, i);
				ck_assert_uint_eq(items[k].offset, k);
			}
			port->ops->list_give(port, refs[i]);
		}
	}
	bed_release(&b);
}
END_TEST

START_TEST(tokens)
{
	struct bed b;
	struct mta_port *port;

	bed_init(&b);
	port = b.a.port;
	/* F3.1: empty at first. */
	ck_assert_uint_eq(port->ops->token_count(port), 0);
	ck_assert(!port->ops->token_take(port));
	port->ops->token_put(port, 3);
	ck_assert(b.b.port->ops->token_take(b.b.port));
	ck_assert_uint_eq(port->ops->token_count(port), 2);
	port->ops->token_drop(port, 1);
	ck_assert_uint_eq(port->ops->token_count(port), 1);
	port->ops->token_drop(port, 9);
	ck_assert_uint_eq(port->ops->token_count(port), 0);
	bed_release(&b);
}
END_TEST

Suite *
port_contract_suite(void)
{
	Suite *s = suite_create("port contract");
	TCase *t = tcase_create("port contract");

	tcase_add_test(t, notes_arrive_later_in_order);
	tcase_add_test(t, a_note_stays_until_the_next_is_asked_for);
	tcase_add_test(t, a_note_to_oneself);
	tcase_add_test(t, notes_leave_when_the_sender_is_done);
	tcase_add_test(t, a_note_brings_a_turn_forward);
	tcase_add_test(t, no_overtaking);
	tcase_add_test(t, a_busy_process_holds_up_nobody);
	tcase_add_test(t, generated_steps);
	tcase_add_test(t, lists);
	tcase_add_test(t, tokens);
	suite_add_tcase(s, t);
	return s;
}
