/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The books of a run (sim/results/totals.c): a few mails by hand, with areas
 * computed on paper; records that come late; and that each proof fails when it
 * should.
 */
#include "tests/harness.h"

#include <string.h>

#include "mta/mail.h"
#include "sim/host/spool_view.h"
#include "sim/results/totals.h"

static const mta_time start = INT64_C(1700000000) * MTA_USEC_PER_S;

static struct bed {
	struct mta_agenda agenda;
	struct mta_loop loop;
	struct mta_symtab symbols;
	struct spool_mem store;
	struct spool_costs costs;
	struct spool_view view;
	struct mta_trace trace;
	struct mta_host host;
	struct mta_sink sink;
	struct totals totals;
} bed;

static void
take(struct mta_sink *sink, enum mta_trace_kind kind, const void *record)
{
	struct bed *b = mta_container_of(sink, struct bed, sink);

	if (kind == MTA_TRACE_MOVE)
		totals_move(&b->totals, record);
	else
		totals_ended(&b->totals, record);
}

static void
setup(void)
{
	struct spool_mem_config config = {.dirs = {.hash_depth = 1}};

	memset(&bed, 0, sizeof(bed));
	mta_symtab_init(&bed.symbols);
	mta_agenda_init(&bed.agenda);
	mta_loop_init(&bed.loop, &bed.agenda, start, MTA_LOOP_POOL);
	spool_mem_init(&bed.store, &config, &bed.symbols, start);
	spool_view_init(&bed.view, &bed.store, &bed.loop, &bed.costs);
	mta_trace_init(&bed.trace);
	bed.sink.take = take;
	mta_trace_subscribe(&bed.trace, MTA_TRACE_MOVE, &bed.sink);
	mta_trace_subscribe(&bed.trace, MTA_TRACE_ENDED, &bed.sink);
	bed.host = (struct mta_host){.loop = &bed.loop,
				     .spool = &bed.view.base,
				     .trace = &bed.trace,
				     .symbols = &bed.symbols};
	totals_init(&bed.totals, start, &bed.view.base);
}

static void
teardown(void)
{
	spool_mem_release(&bed.store);
	mta_loop_release(&bed.loop);
	mta_symtab_release(&bed.symbols);
}

static struct mta_ref
arrive(int64_t at_us, enum mta_queue queue)
{
	struct mta_spool *s = bed.host.spool;
	struct mta_ref f;

	bed.loop.now = start + at_us;
	f = s->ops->create(s,
			   &(struct mta_envelope){
				   .arrival = bed.loop.now,
				   .created = bed.loop.now,
				   .recipient_count = 1,
				   .first_active = MTA_NEVER,
			   },
			   1);
	ck_assert_int_eq(mta_mail_commit(&bed.host, f, queue,
					 queue == MTA_MAILDROP
						 ? MTA_MOVE_SUBMITTED
						 : MTA_MOVE_ACCEPTED),
			 MTA_OK);
	return f;
}

static void
move(int64_t at_us, struct mta_ref file, enum mta_queue from, enum mta_queue to)
{
	bed.loop.now = start + at_us;
	if (to == MTA_ACTIVE) {
		struct mta_file shown;

		ck_assert_int_eq(mta_mail_admit(&bed.host, file, from, &shown),
				 MTA_OK);
		return;
	}
	ck_assert_int_eq(mta_mail_move(&bed.host, file,
				       (struct mta_move){
					       .from = from,
					       .to = to,
					       .reason = MTA_MOVE_ADMITTED,
					       .wake_s = MTA_WAKE_KEEP,
				       }),
			 MTA_OK);
}

static void
leave(int64_t at_us, struct mta_ref file, enum mta_queue from)
{
	bed.loop.now = start + at_us;
	ck_assert_int_eq(
		mta_mail_remove(&bed.host, file, from, MTA_MOVE_DONE, MTA_SENT),
		MTA_OK);
}

static char why[300];

static bool
balanced(void)
{
	return totals_check(&bed.totals, bed.host.spool, why, sizeof(why));
}

static bool
little(int64_t now_us)
{
	return totals_check_little(&bed.totals, bed.host.spool, start + now_us,
				   why, sizeof(why));
}

/*
 * In the system: one mail from 10 to 100, one from 20 to 50, one from 30 on. At
 * 200 the area is 90 + 30 + 170 = 290 and the mean 290 / 200.
 */
START_TEST(three_mails)
{
	struct mta_ref a = arrive(10, MTA_INCOMING);
	struct mta_ref b = arrive(20, MTA_INCOMING);
	struct totals_sums s;

	arrive(30, MTA_HOLD);
	move(40, a, MTA_INCOMING, MTA_ACTIVE);
	s = totals_sum(&bed.totals);
	ck_assert_int_eq(s.queue[MTA_INCOMING], 1);
	ck_assert_int_eq(s.queue[MTA_ACTIVE], 1);
	ck_assert_int_eq(s.queue[MTA_HOLD], 1);
	ck_assert(!totals_is_empty(&bed.totals));
	ck_assert_msg(balanced(), "%s", why);
	move(45, b, MTA_INCOMING, MTA_ACTIVE);
	leave(50, b, MTA_ACTIVE);
	leave(100, a, MTA_ACTIVE);
	/* What is held does not count as waiting. */
	ck_assert(totals_is_empty(&bed.totals));
	ck_assert_int_eq(bed.totals.last_work, start + 100);
	s = totals_sum(&bed.totals);
	ck_assert_uint_eq(s.accepted, 3);
	ck_assert_uint_eq(s.ended, 2);
	ck_assert_uint_eq(s.in_system, 1);
	ck_assert_msg(balanced(), "%s", why);
	ck_assert_msg(little(200), "%s", why);
	ck_assert_uint_eq(totals_area(&bed.totals, start + 200), 290);
	ck_assert_uint_eq(bed.totals.stays, 30 + 90);
	ck_assert_double_eq_tol(totals_mean_in_system(&bed.totals, start + 200),
				1.45, 1e-12);
}
END_TEST

/* A record that comes 25 us late takes back what was counted too much: one
 * mail from 10 to 60, one from 35 on; at 100 it is 50 + 65. */
START_TEST(a_late_record)
{
	struct mta_ref a = arrive(10, MTA_INCOMING);

	move(11, a, MTA_INCOMING, MTA_ACTIVE);
	leave(60, a, MTA_ACTIVE);
	arrive(35, MTA_INCOMING);
	ck_assert_msg(little(100), "%s", why);
	ck_assert_uint_eq(totals_area(&bed.totals, start + 100), 115);
}
END_TEST

/* Pickup takes a file out of maildrop and another one comes in: two files, one
 * accepted message, and none has ended. */
START_TEST(through_maildrop)
{
	struct mta_ref a = arrive(0, MTA_MAILDROP);
	struct totals_sums s;

	arrive(5, MTA_INCOMING);
	bed.loop.now = start + 5;
	ck_assert_int_eq(mta_mail_remove(&bed.host, a, MTA_MAILDROP,
					 MTA_MOVE_PICKED_UP, MTA_QUEUED),
			 MTA_OK);
	s = totals_sum(&bed.totals);
	ck_assert_uint_eq(s.appeared, 2);
	ck_assert_uint_eq(s.accepted, 1);
	ck_assert_uint_eq(s.ended, 0);
	ck_assert_msg(balanced(), "%s", why);
	ck_assert_msg(little(10), "%s", why);
}
END_TEST

/* What was there before counts from the beginning: 100 us of one, though it
 * was accepted long ago. */
START_TEST(mail_that_was_there)
{
	struct totals *t = &bed.totals;
	struct mta_ref a;

	bed.loop.now = start - 500000000;
	a = arrive(-500000000, MTA_INCOMING);
	totals_init(t, start, bed.host.spool);
	ck_assert_uint_eq(totals_sum(t).start, 1);
	ck_assert_msg(balanced(), "%s", why);
	move(50, a, MTA_INCOMING, MTA_ACTIVE);
	leave(100, a, MTA_ACTIVE);
	ck_assert_msg(little(1000), "%s", why);
	ck_assert_uint_eq(totals_area(t, start + 1000), 100);
}
END_TEST

START_TEST(recipients)
{
	struct totals *t = &bed.totals;
	static const enum mta_outcome outcomes[] = {MTA_SENT, MTA_SENT,
						    MTA_DEFERRED_OUTCOME,
						    MTA_BOUNCED, MTA_EXPIRED};
	struct totals_sums s;

	for (size_t i = 0; i < 5; i++)
		totals_delivery(t, &(struct mta_trace_delivery){
					   .at = start,
					   .outcome = (uint8_t)outcomes[i]});
	totals_move(t, &(struct mta_trace_move){.at = start,
						.from = MTA_QUEUES,
						.to = MTA_HOLD});
	totals_move(t, &(struct mta_trace_move){.at = start,
						.from = MTA_HOLD,
						.to = MTA_QUEUES,
						.reason = MTA_MOVE_DELETED,
						.recipient_count = 7});
	s = totals_sum(t);
	ck_assert_uint_eq(s.delivered, 2);
	ck_assert_uint_eq(s.deferrals, 1);
	ck_assert_uint_eq(s.bounced, 1);
	ck_assert_uint_eq(s.expired, 1);
	ck_assert_uint_eq(s.deleted, 7);
	ck_assert_uint_eq(s.attempts, 4); /* expiry asks nobody */
}
END_TEST

/* Each proof must be able to fail, and say what differs. */
START_TEST(books_that_do_not_balance)
{
	struct mta_ref a = arrive(10, MTA_INCOMING);
	uint64_t *came = &bed.totals.moves[MTA_QUEUES][MTA_INCOMING].count;

	ck_assert(balanced());
	(*came)++;
	ck_assert(!balanced());
	ck_assert_str_eq(why, "by their moves 2 mails are in incoming, but "
			      "the spool has 1");
	(*came)--;
	ck_assert(balanced());
	bed.totals.start[MTA_DEFERRED]++;
	ck_assert(!balanced());
	bed.totals.start[MTA_DEFERRED]--;
	bed.totals.ended_files++;
	ck_assert(!balanced());
	bed.totals.ended_files--;
	move(20, a, MTA_INCOMING, MTA_ACTIVE);
	leave(30, a, MTA_ACTIVE);
	bed.totals.stays++;
	ck_assert(!little(40));
	ck_assert_str_eq(why, "the area under the number of mails is 20 us, "
			      "but their stays are 21 us (Little's law)");
	bed.totals.stays--;
	ck_assert(little(40));
}
END_TEST

Suite *
totals_suite(void)
{
	Suite *suite = suite_create("totals");
	TCase *c = tcase_create("all");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, three_mails);
	tcase_add_test(c, a_late_record);
	tcase_add_test(c, through_maildrop);
	tcase_add_test(c, mail_that_was_there);
	tcase_add_test(c, recipients);
	tcase_add_test(c, books_that_do_not_balance);
	suite_add_tcase(suite, c);
	return suite;
}
