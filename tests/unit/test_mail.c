/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The mover of mail (src/mta/mail.c): every pair of queues against the table of
 * F1.8 and F12.2; what the trace says of a mail's life; what happens when the
 * file was not there.
 */
#include "tests/harness.h"

#include <string.h>

#include "mta/mail.h"
#include "sim/host/spool_view.h"

/* Rows: from; columns: to; in the order of enum mta_queue. Written from F1.8
 * (moves by services) and F12.2 (postsuper): -h from anywhere but maildrop and
 * hold, -H from hold to deferred, -r from anywhere but maildrop; corrupt is not
 * among the folders that postsuper looks into. */
static const char *const legal[MTA_QUEUES] = {
	/* maildrop, incoming, active, deferred, hold, corrupt */
	[MTA_MAILDROP] = "-    -    -    -    -    -",
	[MTA_INCOMING] = "x    -    x    -    x    -",
	[MTA_ACTIVE] = "x    x    -    x    x    x",
	[MTA_DEFERRED] = "x    x    x    -    x    -",
	[MTA_HOLD] = "x    -    -    x    -    -",
	[MTA_CORRUPT] = "-    -    -    -    -    -",
};

START_TEST(every_pair_of_queues)
{
	for (unsigned from = 0; from < MTA_QUEUES; from++)
		for (unsigned to = 0; to < MTA_QUEUES; to++)
			ck_assert_msg(
				mta_mail_move_is_legal((enum mta_queue)from,
						       (enum mta_queue)to) ==
					(legal[from][to * 5] == 'x'),
				"%s to %s",
				mta_queue_name((enum mta_queue)from),
				mta_queue_name((enum mta_queue)to));
}
END_TEST

/* ---- a host with a spool and a trace ---------------------------------------
 */

enum {
	SEEN_MAX = 16
};

struct bed {
	struct mta_agenda agenda;
	struct mta_loop loop;
	struct mta_symtab symbols;
	struct spool_mem store;
	struct spool_costs costs;
	struct spool_view view;
	struct mta_trace trace;
	struct mta_host host;
	struct mta_sink sink;
	struct mta_trace_move moves[SEEN_MAX];
	uint32_t move_count;
	struct mta_trace_ended ended;
	uint32_t ended_count;
};

static void
bed_take(struct mta_sink *sink, enum mta_trace_kind kind, const void *record)
{
	struct bed *b = mta_container_of(sink, struct bed, sink);

	if (kind == MTA_TRACE_MOVE) {
		ck_assert_uint_lt(b->move_count, SEEN_MAX);
		memcpy(&b->moves[b->move_count++], record, sizeof(b->moves[0]));
	} else {
		memcpy(&b->ended, record, sizeof(b->ended));
		b->ended_count++;
	}
}

static const mta_time start = INT64_C(1700000000) * MTA_USEC_PER_S;

static void
bed_init(struct bed *b, uint32_t files_max)
{
	struct spool_mem_config config = {.dirs = {.hash_depth = 1},
					  .files_max = files_max};

	memset(b, 0, sizeof(*b));
	mta_symtab_init(&b->symbols);
	mta_agenda_init(&b->agenda);
	mta_loop_init(&b->loop, &b->agenda, start, MTA_LOOP_POOL);
	spool_mem_init(&b->store, &config, &b->symbols, start);
	spool_view_init(&b->view, &b->store, &b->loop, &b->costs);
	mta_trace_init(&b->trace);
	b->sink.take = bed_take;
	b->host = (struct mta_host){.loop = &b->loop,
				    .spool = &b->view.base,
				    .trace = &b->trace,
				    .symbols = &b->symbols};
}

static void
bed_listen(struct bed *b)
{
	mta_trace_subscribe(&b->trace, MTA_TRACE_MOVE, &b->sink);
	mta_trace_subscribe(&b->trace, MTA_TRACE_ENDED, &b->sink);
}

static void
bed_release(struct bed *b)
{
	spool_mem_release(&b->store);
	mta_loop_release(&b->loop);
	mta_symtab_release(&b->symbols);
}

static struct mta_ref
bed_create(struct bed *b)
{
	struct mta_spool *s = b->host.spool;
	struct mta_ref f =
		s->ops->create(s,
			       &(struct mta_envelope){.arrival = b->loop.now,
						      .created = b->loop.now,
						      .sender = 42,
						      .serial = 7,
						      .size_bytes = 2000},
			       1);

	s->ops->append(s, f, 2);
	return f;
}

static void
expect_move(const struct bed *b, uint32_t n, uint32_t from, uint32_t to)
{
	ck_assert_uint_gt(b->move_count, n);
	ck_assert_uint_eq(b->moves[n].from, from);
	ck_assert_uint_eq(b->moves[n].to, to);
	ck_assert_uint_eq(b->moves[n].serial, 7);
	ck_assert_uint_eq(b->moves[n].sender, 42);
	ck_assert_uint_eq(b->moves[n].recipient_count, 2);
}

START_TEST(a_life_in_the_trace)
{
	struct bed b;
	struct mta_ref f;
	struct mta_file shown;

	bed_init(&b, 0);
	bed_listen(&b);
	f = bed_create(&b);
	ck_assert_uint_eq(b.move_count, 0);
	b.loop.now = start + 3;
	ck_assert_int_eq(
		mta_mail_commit(&b.host, f, MTA_INCOMING, MTA_MOVE_ACCEPTED),
		MTA_OK);
	expect_move(&b, 0, MTA_QUEUES, MTA_INCOMING);
	ck_assert_uint_eq(b.moves[0].wake_s, 1700000000);
	b.loop.now = start + 5;
	ck_assert_int_eq(mta_mail_admit(&b.host, f, MTA_INCOMING, &shown),
			 MTA_OK);
	ck_assert_uint_eq(shown.envelope.serial, 7);
	expect_move(&b, 1, MTA_INCOMING, MTA_ACTIVE);
	ck_assert_int_eq(b.moves[1].at, start + 5);
	ck_assert_uint_eq(b.moves[1].reason, MTA_MOVE_ADMITTED);
	b.loop.now = start + 9;
	ck_assert_int_eq(mta_mail_remove(&b.host, f, MTA_ACTIVE, MTA_MOVE_DONE,
					 MTA_SENT),
			 MTA_OK);
	expect_move(&b, 2, MTA_ACTIVE, MTA_QUEUES);
	ck_assert_uint_eq(b.move_count, 3);
	ck_assert_uint_eq(b.ended_count, 1);
	ck_assert_int_eq(b.ended.at, start + 9);
	ck_assert_int_eq(b.ended.arrival, start);
	ck_assert_int_eq(b.ended.accepted, start + 3);
	ck_assert_int_eq(b.ended.first_active, start + 5);
	ck_assert_uint_eq(b.ended.attempts, 1);
	ck_assert_uint_eq(b.ended.size_bytes, 2000);
	ck_assert_uint_eq(b.ended.outcome, MTA_SENT);
	ck_assert(mta_ref_equal(b.ended.file, f));
	bed_release(&b);
}
END_TEST

START_TEST(a_file_that_is_not_there)
{
	struct bed b;
	struct mta_ref f;
	struct mta_file shown;
	struct mta_move move = {.from = MTA_DEFERRED,
				.to = MTA_HOLD,
				.reason = MTA_MOVE_HOLD,
				.wake_s = MTA_WAKE_KEEP};

	bed_init(&b, 0);
	f = bed_create(&b);
	ck_assert_int_eq(
		mta_mail_commit(&b.host, f, MTA_INCOMING, MTA_MOVE_ACCEPTED),
		MTA_OK);
	bed_listen(&b);
	/* Of another queue: nothing happens, nothing is said. */
	ck_assert_int_eq(mta_mail_admit(&b.host, f, MTA_DEFERRED, &shown),
			 MTA_ENOENT);
	ck_assert_int_eq(mta_mail_move(&b.host, f, move), MTA_ENOENT);
	ck_assert_int_eq(mta_mail_remove(&b.host, f, MTA_ACTIVE, MTA_MOVE_DONE,
					 MTA_SENT),
			 MTA_ENOENT);
	ck_assert_uint_eq(b.move_count, 0);
	ck_assert_uint_eq(b.ended_count, 0);
	bed_release(&b);
}
END_TEST

START_TEST(no_space)
{
	struct bed b;
	struct mta_ref f, g;

	bed_init(&b, 1);
	bed_listen(&b);
	f = bed_create(&b);
	g = bed_create(&b);
	ck_assert_int_eq(
		mta_mail_commit(&b.host, f, MTA_INCOMING, MTA_MOVE_ACCEPTED),
		MTA_OK);
	ck_assert_int_eq(
		mta_mail_commit(&b.host, g, MTA_INCOMING, MTA_MOVE_ACCEPTED),
		MTA_ENOSPACE);
	/* It was given up: gone, and not in the trace. */
	ck_assert_uint_eq(b.move_count, 1);
	ck_assert_ptr_null(b.host.spool->ops->look(b.host.spool, g));
	ck_assert_uint_eq(b.store.new_count, 0);
	bed_release(&b);
}
END_TEST

/* 2^32 - 1 s after 1970 is in the year 2106, and has a meaning of its own. */
START_TEST(wake_times_end)
{
	ck_assert_uint_eq(mta_wake_second(1767571200), 1767571200);
	ck_assert_uint_eq(mta_wake_second(INT64_C(4294967294)), 4294967294u);
	ck_assert_uint_eq(mta_wake_second(INT64_C(4294967295)), 4294967294u);
	ck_assert_uint_eq(mta_wake_second(INT64_C(4294967296)), 4294967294u);
	ck_assert_uint_ne(mta_wake_second(INT64_C(4294967295)), MTA_WAKE_KEEP);
}
END_TEST

Suite *
mail_suite(void)
{
	Suite *s = suite_create("mail");
	TCase *t = tcase_create("mail");

	tcase_add_test(t, every_pair_of_queues);
	tcase_add_test(t, a_life_in_the_trace);
	tcase_add_test(t, a_file_that_is_not_there);
	tcase_add_test(t, no_space);
	tcase_add_test(t, wake_times_end);
	suite_add_tcase(s, t);
	return s;
}
