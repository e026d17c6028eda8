/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How a pool of processes hears its notes (src/mta/turn.h): as many in a step
 * as take no time; who takes some is the last of its step, and the next is not
 * late for it.
 */
#include "tests/harness.h"

#include "mta/turn.h"

#include "tests/unit/fake_host.h"

enum {
	NOTES = 4
};

struct service {
	struct fake_host host;
	struct mta_timer wake;
	mta_span takes_s[NOTES]; /* the work of each note */
	mta_time heard_at[NOTES];
	int step_of[NOTES]; /* in which it was heard */
	int count;
	int steps;
};

static void
service_fired(struct mta_timer *wake)
{
	struct service *s = mta_container_of(wake, struct service, wake);
	struct mta_loop *loop = &s->host.loop;

	s->steps++;
	while (mta_turn_receive(&s->host.host, MTA_TO_BOUNCE, wake)) {
		ck_assert_int_lt(s->count, NOTES);
		s->heard_at[s->count] = loop->now;
		s->step_of[s->count] = s->steps;
		mta_loop_charge(loop, mta_from_seconds(s->takes_s[s->count++]));
	}
}

/* Notes 0 and 1 take no time and share a step with 2, which takes 5 s; 3 is
 * heard in a step of its own, at the same time. */
START_TEST(nobody_is_late_for_another)
{
	static const int step_of[NOTES] = {1, 1, 1, 2};
	static struct service s;
	struct mta_port *port;

	s = (struct service){.takes_s = {0, 0, 5, 1}};
	fake_init(&s.host);
	port = s.host.host.port;
	mta_timer_init(&s.wake, service_fired);
	port->ops->attach(port, MTA_TO_BOUNCE, &s.host.loop, &s.wake);
	for (int i = 0; i < NOTES; i++)
		fake_send(&s.host, MTA_TO_BOUNCE,
			  (struct mta_note){.kind = MTA_NOTE_NOTIFY});
	fake_run(&s.host, 10);
	ck_assert_int_eq(s.count, NOTES);
	for (int i = 0; i < NOTES; i++) {
		ck_assert_int_eq(s.heard_at[i], FAKE_START);
		ck_assert_int_eq(s.step_of[i], step_of[i]);
	}
	mta_timer_cancel(&s.host.loop, &s.wake);
	fake_release(&s.host);
}
END_TEST

Suite *
turn_suite(void)
{
	Suite *s = suite_create("turn");
	TCase *t = tcase_create("turn");

	tcase_add_test(t, nobody_is_late_for_another);
	suite_add_tcase(s, t);
	return s;
}
