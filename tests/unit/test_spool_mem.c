/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the memory spool has beyond its contract: time that operations take, the
 * disk as a station, ids, mail that is put in place, loss of power, and its
 * size. Expected times are sums of the costs, worked out beside them.
 */
#include "tests/harness.h"

#include <stdlib.h>
#include <string.h>

#include "mta/book.h"
#include "mta/loop.h"
#include "mta/symtab.h"
#include "sim/host/spool_view.h"

#define MS INT64_C(1000)

static const mta_time start = INT64_C(1700000000) * MTA_USEC_PER_S + 123456;

struct bed {
	struct mta_agenda agenda;
	struct mta_loop loop;
	struct mta_symtab symbols;
	struct spool_mem store;
	struct spool_costs costs;
	struct spool_view view;
	struct mta_spool *spool;
	const struct mta_spool_ops *ops;
};

static void
bed_init(struct bed *b, struct spool_mem_config config)
{
	memset(b, 0, sizeof(*b));
	config.dirs.hash_depth = 1;
	mta_symtab_init(&b->symbols);
	mta_agenda_init(&b->agenda);
	mta_loop_init(&b->loop, &b->agenda, start, MTA_LOOP_POOL);
	spool_mem_init(&b->store, &config, &b->symbols, start);
	spool_view_init(&b->view, &b->store, &b->loop, &b->costs);
	b->spool = &b->view.base;
	b->ops = b->spool->ops;
}

static void
bed_release(struct bed *b)
{
	spool_mem_release(&b->store);
	mta_loop_release(&b->loop);
	mta_symtab_release(&b->symbols);
}

static struct mta_ref
bed_file(struct bed *b, uint32_t recipients)
{
	struct mta_ref f =
		b->ops->create(b->spool,
			       &(struct mta_envelope){.arrival = b->loop.now,
						      .created = b->loop.now},
			       0);

	for (uint32_t i = 1; i < recipients; i++)
		b->ops->append(b->spool, f, i);
	ck_assert_ptr_nonnull(b->ops->commit(b->spool, f, MTA_INCOMING));
	return f;
}

static void
bed_move(struct bed *b, struct mta_ref f, enum mta_queue from,
	 enum mta_queue to)
{
	const struct mta_file *shown;

	if (to == MTA_ACTIVE)
		ck_assert_int_eq(b->ops->admit(b->spool, f, from, &shown),
				 MTA_OK);
	else
		ck_assert_ptr_nonnull(
			b->ops->move(b->spool, f, from, to, MTA_WAKE_KEEP));
}

/* Time charged since the last call; the loop then stands at `start` again. */
static mta_span
charged(struct bed *b)
{
	mta_span cost = b->loop.now - start;

	b->loop.now = start;
	return cost;
}

START_TEST(work_takes_time)
{
	struct bed b;
	struct mta_ref f, g;

	bed_init(&b, (struct spool_mem_config){.files_max = 0});
	f = bed_file(&b, 1);
	bed_move(&b, f, MTA_INCOMING, MTA_ACTIVE);
	ck_assert_int_eq(charged(&b), 0);
	b.costs = (struct spool_costs){
		.commit = 4 * MS, .admit = 100, .scan = 7, .finish = 2000};
	g = bed_file(&b, 1);
	ck_assert_int_eq(charged(&b), 4 * MS);
	/* Accepted when the work was done. */
	ck_assert_int_eq(b.ops->look(b.spool, g)->envelope.committed,
			 start + 4 * MS);
	bed_move(&b, g, MTA_INCOMING, MTA_ACTIVE);
	ck_assert_int_eq(charged(&b), 100);
	bed_move(&b, g, MTA_ACTIVE, MTA_DEFERRED);
	ck_assert_int_eq(charged(&b), 2000);
	bed_move(&b, g, MTA_DEFERRED, MTA_HOLD);
	ck_assert_int_eq(charged(&b), 0);
	ck_assert_ptr_nonnull(b.ops->remove(b.spool, f, MTA_ACTIVE));
	ck_assert_int_eq(charged(&b), 2000);
	bed_release(&b);
}
END_TEST

START_TEST(looking_takes_time)
{
	struct bed b;
	struct mta_scan scan = {.is_open = false};
	struct mta_scan_item item;
	uint32_t now_s = (uint32_t)mta_second(start);

	bed_init(&b,
		 (struct spool_mem_config){.dirs.order = SPOOL_OLDEST_FIRST});
	for (int i = 0; i < 120; i++)
		bed_file(&b, 1);
	b.costs.scan = 20;
	b.ops->scan_open(b.spool, MTA_INCOMING, &scan);
	/* One that is found is looked at too. */
	ck_assert_int_eq(b.ops->scan_next(b.spool, &scan, now_s, 5, &item),
			 MTA_SCAN_FOUND);
	ck_assert_int_eq(charged(&b), 20);
	/* None is due a second before: pieces of a millisecond, 50 names. */
	ck_assert_int_eq(
		b.ops->scan_next(b.spool, &scan, now_s - 1, UINT32_MAX, &item),
		MTA_SCAN_SKIPPED);
	ck_assert_uint_eq(item.skipped, 50);
	ck_assert_int_eq(charged(&b), 1000);
	ck_assert_int_eq(
		b.ops->scan_next(b.spool, &scan, now_s - 1, UINT32_MAX, &item),
		MTA_SCAN_SKIPPED);
	ck_assert_int_eq(
		b.ops->scan_next(b.spool, &scan, now_s - 1, UINT32_MAX, &item),
		MTA_SCAN_END);
	ck_assert_uint_eq(item.skipped, 120 - 1 - 100);
	ck_assert_int_eq(charged(&b), 1000 + 19 * 20);
	/* A look that takes longer than that is one name. */
	b.costs.scan = 5000;
	b.ops->scan_open(b.spool, MTA_INCOMING, &scan);
	ck_assert_int_eq(
		b.ops->scan_next(b.spool, &scan, now_s - 1, UINT32_MAX, &item),
		MTA_SCAN_SKIPPED);
	ck_assert_uint_eq(item.skipped, 1);
	bed_release(&b);
}
END_TEST

/* With a name that is not due behind it, or sub-directories, it is not. */
START_TEST(the_last_name_is_known_as_such)
{
	struct bed b;
	struct mta_scan scan = {.is_open = false};
	struct mta_scan_item item;
	uint32_t now_s = (uint32_t)mta_second(start);
	struct mta_ref last;

	bed_init(&b,
		 (struct spool_mem_config){.dirs = {
						   .order = SPOOL_OLDEST_FIRST,
						   .is_hashed[MTA_HOLD] = true,
					   }});
	bed_file(&b, 1);
	last = bed_file(&b, 1);
	b.ops->scan_open(b.spool, MTA_INCOMING, &scan);
	ck_assert_int_eq(b.ops->scan_next(b.spool, &scan, now_s, 1, &item),
			 MTA_SCAN_FOUND);
	ck_assert(!item.is_last);
	ck_assert_int_eq(b.ops->scan_next(b.spool, &scan, now_s, 1, &item),
			 MTA_SCAN_FOUND);
	ck_assert(item.is_last);
	ck_assert(scan.is_open);
	b.ops->scan_close(b.spool, &scan);
	bed_move(&b, last, MTA_INCOMING, MTA_HOLD);
	b.ops->scan_open(b.spool, MTA_HOLD, &scan);
	ck_assert_int_eq(b.ops->scan_next(b.spool, &scan, now_s, 1, &item),
			 MTA_SCAN_FOUND);
	ck_assert(!item.is_last);
	bed_release(&b);
}
END_TEST

START_TEST(the_disk_is_a_station)
{
	struct bed b;
	struct spool_view other;
	struct mta_loop loop;
	struct mta_log_record r = {.offset = 0};
	const struct mta_file *shown;
	struct mta_ref f;

	bed_init(&b, (struct spool_mem_config){.disk_fsync = 4 * MS,
					       .disk_rename = 1 * MS,
					       .disk_parallel = 2});
	mta_loop_init(&loop, &b.agenda, start, MTA_LOOP_POOL);
	spool_view_init(&other, &b.store, &loop, &b.costs);
	/* fsync, then rename, on whichever of two servers is free. */
	f = bed_file(&b, 1);
	ck_assert_int_eq(charged(&b), 5 * MS);
	/* Another process at the same time: servers are free at 4 and 5 ms, so
	 * its fsync ends at 8. */
	ck_assert_int_eq(
		other.base.ops->log_append(&other.base, MTA_LOG_DEFER, f, &r),
		MTA_OK);
	ck_assert_int_eq(loop.now - start, 8 * MS);
	/* And a third: free at 5 and 8, a rename ends at 6. */
	loop.now = start;
	ck_assert_int_eq(
		other.base.ops->admit(&other.base, f, MTA_INCOMING, &shown),
		MTA_OK);
	ck_assert_int_eq(loop.now - start, 6 * MS);
	/* A disk that is idle again does not remember. */
	loop.now = start + 100 * MS;
	ck_assert_ptr_nonnull(
		other.base.ops->remove(&other.base, f, MTA_ACTIVE));
	ck_assert_int_eq(loop.now - start, 101 * MS);
	mta_loop_release(&loop);
	bed_release(&b);
}
END_TEST

static void
expect_id(bool long_ids, const char *expected)
{
	struct bed b;
	struct mta_ref f, g;
	char text[MTA_ID_TEXT_MAX];

	bed_init(&b, (struct spool_mem_config){.long_ids = long_ids});
	f = bed_file(&b, 1);
	g = bed_file(&b, 1);
	b.ops->id_text(b.spool, f, text, sizeof(text));
	ck_assert_str_eq(text, expected);
	/* It does not change while the file lives. */
	b.loop.now += 700 * MS;
	bed_move(&b, f, MTA_INCOMING, MTA_ACTIVE);
	b.ops->id_text(b.spool, f, text, sizeof(text));
	ck_assert_str_eq(text, expected);
	ck_assert_ptr_nonnull(b.ops->remove(b.spool, f, MTA_ACTIVE));
	/* The file removed last can still be named, by who hears of it. */
	b.ops->id_text(b.spool, f, text, sizeof(text));
	ck_assert_str_eq(text, expected);
	ck_assert_ptr_nonnull(b.ops->remove(b.spool, g, MTA_INCOMING));
	b.ops->id_text(b.spool, f, text, sizeof(text));
	ck_assert_str_eq(text, "");
	bed_release(&b);
}

START_TEST(ids)
{
	/* The example of F1.4 for the time, 1700000000.123456; the first slot
	 * is inode 1. */
	expect_id(false, "1E2401");
	expect_id(true, "4SVLCh0sf8z1");
}
END_TEST

START_TEST(mail_put_in_place)
{
	struct bed b;
	mta_addr to[3] = {9, 8, 7};
	struct spool_seed seed = {
		.queue = MTA_DEFERRED,
		.wake_s = 1700000500,
		.recipients = to,
		.envelope = {.arrival = start - 3000 * MS,
			     .created = start - 3000 * MS,
			     .committed = start - 2999 * MS,
			     .recipient_count = 3,
			     .attempts = 2,
			     .first_active = start - 2990 * MS}};
	struct mta_record r;
	struct mta_ref f;

	bed_init(&b, (struct spool_mem_config){.files_max = 0});
	f = spool_mem_put(&b.store, &seed);
	ck_assert_uint_eq(spool_mem_wake(&b.store, f), 1700000500);
	ck_assert_uint_eq(b.ops->count(b.spool, MTA_DEFERRED), 1);
	ck_assert_mem_eq(&b.ops->look(b.spool, f)->envelope, &seed.envelope,
			 sizeof(seed.envelope));
	ck_assert_int_eq(b.ops->read(b.spool, f, 2, &r), MTA_OK);
	ck_assert_uint_eq(r.address, 7);
	bed_release(&b);
}
END_TEST

/* ---- loss of power (F1.14) --------------------------------------------------
 */

struct dice {
	struct spool_luck luck;
	bool answer;
	uint32_t asked;
};

static bool
dice_say(struct spool_luck *luck, struct mta_ref file)
{
	struct dice *d = mta_container_of(luck, struct dice, luck);

	ck_assert(mta_ref_is_set(file));
	d->asked++;
	return d->answer;
}

static uint32_t
done_count(const struct bed *b, struct mta_ref f, uint32_t recipients)
{
	uint32_t done = 0;

	for (uint32_t i = 0; i < recipients; i++) {
		struct mta_record r;

		ck_assert_int_eq(b->ops->read(b->spool, f, i, &r), MTA_OK);
		done += r.kind == MTA_RECORD_DONE;
	}
	return done;
}

START_TEST(power_is_lost)
{
	struct bed b;
	struct dice dice = {.luck.is_lost = dice_say, .answer = true};
	struct mta_ref f, g, h;

	bed_init(&b, (struct spool_mem_config){.writeback = 30000 * MS});
	f = bed_file(&b, 4);
	g = bed_file(&b, 1);
	bed_move(&b, f, MTA_INCOMING, MTA_ACTIVE);
	ck_assert_int_eq(b.ops->lock(b.spool, f), MTA_OK);
	/* Written back by 31 s: kept. The next two: not yet. */
	ck_assert_int_eq(b.ops->mark_done(b.spool, f, 0), MTA_OK);
	b.loop.now += 31000 * MS;
	ck_assert_int_eq(b.ops->mark_done(b.spool, f, 1), MTA_OK);
	ck_assert_int_eq(b.ops->mark_done(b.spool, f, 3), MTA_OK);
	/* One being written is no mail yet. */
	h = b.ops->create(b.spool, &(struct mta_envelope){.arrival = start}, 0);
	ck_assert_uint_eq(done_count(&b, f, 4), 3);
	ck_assert_uint_eq(
		spool_mem_lose_power(&b.store, b.loop.now, &dice.luck), 2);
	/* One file had something to lose. */
	ck_assert_uint_eq(dice.asked, 1);
	ck_assert_uint_eq(done_count(&b, f, 4), 1);
	/* No agent holds it any more (F1.14). */
	bed_move(&b, f, MTA_ACTIVE, MTA_INCOMING);
	bed_move(&b, f, MTA_INCOMING, MTA_ACTIVE);
	/* Accepted mail is still there, where it was. */
	ck_assert_uint_eq(b.ops->count(b.spool, MTA_ACTIVE), 1);
	ck_assert_uint_eq(b.ops->count(b.spool, MTA_INCOMING), 1);
	ck_assert_uint_eq(done_count(&b, g, 1), 0);
	ck_assert_ptr_null(b.ops->look(b.spool, h));
	bed_release(&b);
}
END_TEST

START_TEST(power_is_lost_with_luck)
{
	struct bed b;
	struct dice dice = {.luck.is_lost = dice_say, .answer = false};
	struct mta_ref f;

	bed_init(&b, (struct spool_mem_config){.files_max = 0});
	f = bed_file(&b, 2);
	ck_assert_int_eq(b.ops->mark_done(b.spool, f, 0), MTA_OK);
	ck_assert_uint_eq(
		spool_mem_lose_power(&b.store, b.loop.now, &dice.luck), 0);
	ck_assert_uint_eq(done_count(&b, f, 2), 1);
	/* Spared once is on disk: a second loss has nothing to take. */
	dice.answer = true;
	ck_assert_uint_eq(
		spool_mem_lose_power(&b.store, b.loop.now, &dice.luck), 0);
	bed_release(&b);
}
END_TEST

/* ---- size -------------------------------------------------------------------
 */

START_TEST(waiting_mail_is_small)
{
	struct bed b;

	bed_init(&b, (struct spool_mem_config){.files_max = 0});
	for (int i = 0; i < 1000; i++) {
		b.loop.now += 977;
		bed_file(&b, 1);
	}
	/* No side but for those that came when the queue was short: nothing but
	 * the 36 bytes and the entry. */
	ck_assert_uint_eq(b.store.sides.used_count, SPOOL_SHORT);
	ck_assert_uint_eq(b.store.records.used_count, 1000);
	ck_assert_uint_eq(sizeof(struct spool_record), 36);
	ck_assert_uint_eq(sizeof(struct spool_entry), 8);
	bed_release(&b);
}
END_TEST

/* So many in deferred that it is no short queue any more. */
static void
bed_fill_deferred(struct bed *b)
{
	for (int i = 0; i <= SPOOL_SHORT; i++) {
		b->loop.now += 977;
		bed_move(b, bed_file(b, 1), MTA_INCOMING, MTA_DEFERRED);
	}
}

static void
bed_log(struct bed *b, enum mta_log log, struct mta_ref f, mta_addr address)
{
	struct mta_log_record r = {
		.address = address,
		.status = {.dsn = {4, 4, 1},
			   .reason = mta_sym_intern(&b->symbols, "down")}};

	ck_assert_int_eq(b->ops->log_append(b->spool, log, f, &r), MTA_OK);
}

/* Tried once, and deferred with what the envelope was in active. */
static struct mta_ref
bed_defer(struct bed *b, struct mta_envelope *as_tried)
{
	mta_addr to = mta_addr_make(70000, 9);
	struct mta_ref f = b->ops->create(
		b->spool,
		&(struct mta_envelope){.arrival = b->loop.now,
				       .created = b->loop.now,
				       .serial = 77,
				       .size_bytes = 5000,
				       .sender = mta_addr_make(70001, 8),
				       .warn_s = 1700014400},
		to);

	ck_assert_ptr_nonnull(b->ops->commit(b->spool, f, MTA_INCOMING));
	b->loop.now += 10 * MS;
	bed_move(b, f, MTA_INCOMING, MTA_ACTIVE);
	bed_log(b, MTA_LOG_DEFER, f, to);
	*as_tried = b->ops->look(b->spool, f)->envelope;
	bed_move(b, f, MTA_ACTIVE, MTA_DEFERRED);
	return f;
}

/* All that the operations say of it is as it was, though it is packed. */
START_TEST(tried_mail_is_small)
{
	struct bed b;
	struct mta_envelope tried;
	const struct mta_file *shown;
	struct mta_log_record logged;
	struct mta_record r;
	struct mta_ref f;
	uint32_t sides;

	bed_init(&b, (struct spool_mem_config){.files_max = 0});
	bed_fill_deferred(&b);
	sides = b.store.sides.used_count;
	f = bed_defer(&b, &tried);
	ck_assert_uint_eq(b.store.sides.used_count, sides);
	ck_assert_uint_eq(sizeof(struct spool_past), 48);
	shown = b.ops->look(b.spool, f);
	ck_assert_mem_eq(&shown->envelope, &tried, sizeof(tried));
	ck_assert_uint_eq(tried.attempts, 1);
	ck_assert_uint_eq(shown->logs, 1U << MTA_LOG_DEFER);
	ck_assert_int_eq(b.ops->read(b.spool, f, 0, &r), MTA_OK);
	ck_assert_int_eq(r.kind, MTA_RECORD_RECIPIENT);
	ck_assert_uint_eq(r.address, mta_addr_make(70000, 9));
	ck_assert_int_eq(b.ops->log_read(b.spool, MTA_LOG_DEFER, f, 0, &logged),
			 MTA_OK);
	ck_assert_uint_eq(logged.offset, 0);
	ck_assert_uint_eq(logged.address, r.address);
	ck_assert_uint_eq(logged.status.dsn.subject, 4);
	ck_assert_str_eq(mta_sym_text(&b.symbols, logged.status.reason),
			 "down");
	ck_assert_int_eq(b.ops->log_read(b.spool, MTA_LOG_DEFER, f, 1, &logged),
			 MTA_ENOENT);
	ck_assert_int_eq(
		b.ops->log_read(b.spool, MTA_LOG_BOUNCE, f, 0, &logged),
		MTA_ENOENT);
	/* Looking at it has written nothing out. */
	ck_assert_uint_eq(b.store.sides.used_count, sides);
	ck_assert_int_eq(b.ops->admit(b.spool, f, MTA_DEFERRED, &shown),
			 MTA_OK);
	ck_assert_uint_eq(shown->envelope.attempts, 2);
	ck_assert_int_eq(shown->envelope.first_active, tried.first_active);
	ck_assert_int_eq(b.ops->log_read(b.spool, MTA_LOG_DEFER, f, 0, &logged),
			 MTA_OK);
	bed_release(&b);
}
END_TEST

/* The log outlives its file until it is removed, and then owns nothing. */
START_TEST(a_log_of_packed_mail_can_be_removed)
{
	struct bed b;
	struct mta_envelope tried;
	struct mta_log_record logged;
	struct mta_ref f, g;

	bed_init(&b, (struct spool_mem_config){.files_max = 0});
	bed_fill_deferred(&b);
	f = bed_defer(&b, &tried);
	g = bed_defer(&b, &tried);
	ck_assert_ptr_nonnull(b.ops->remove(b.spool, f, MTA_DEFERRED));
	ck_assert_ptr_null(b.ops->look(b.spool, f));
	ck_assert_int_eq(b.ops->log_read(b.spool, MTA_LOG_DEFER, f, 0, &logged),
			 MTA_OK);
	b.ops->log_remove(b.spool, MTA_LOG_DEFER, f);
	ck_assert_int_eq(b.ops->log_read(b.spool, MTA_LOG_DEFER, f, 0, &logged),
			 MTA_ENOENT);
	b.ops->log_remove(b.spool, MTA_LOG_DEFER, g);
	ck_assert_uint_eq(b.ops->look(b.spool, g)->logs, 0);
	ck_assert_uint_eq(b.ops->look(b.spool, g)->envelope.attempts, 1);
	/* Nobody holds the reason any more. */
	ck_assert_uint_eq(mta_sym_find(&b.symbols, "down"), 0);
	bed_release(&b);
}
END_TEST

/* What a past cannot tell stays written out. */
START_TEST(odd_tried_mail_is_not_packed)
{
	struct bed b;
	struct mta_log_record logged;
	struct mta_ref f, g;

	bed_init(&b, (struct spool_mem_config){.files_max = 0});
	bed_fill_deferred(&b);
	f = bed_file(&b, 1);
	bed_log(&b, MTA_LOG_BOUNCE, f, 0);
	bed_move(&b, f, MTA_INCOMING, MTA_DEFERRED);
	ck_assert_uint_eq(b.ops->look(b.spool, f)->logs, 1U << MTA_LOG_BOUNCE);
	ck_assert_int_eq(
		b.ops->log_read(b.spool, MTA_LOG_BOUNCE, f, 0, &logged),
		MTA_OK);
	g = bed_file(&b, 1);
	bed_log(&b, MTA_LOG_DEFER, g, 0);
	bed_log(&b, MTA_LOG_DEFER, g, 0);
	bed_move(&b, g, MTA_INCOMING, MTA_DEFERRED);
	ck_assert_int_eq(b.ops->log_read(b.spool, MTA_LOG_DEFER, g, 1, &logged),
			 MTA_OK);
	bed_release(&b);
}
END_TEST

Suite *
spool_mem_suite(void)
{
	Suite *s = suite_create("spool_mem");
	TCase *t = tcase_create("spool_mem");

	tcase_add_test(t, work_takes_time);
	tcase_add_test(t, looking_takes_time);
	tcase_add_test(t, the_last_name_is_known_as_such);
	tcase_add_test(t, the_disk_is_a_station);
	tcase_add_test(t, ids);
	tcase_add_test(t, mail_put_in_place);
	tcase_add_test(t, power_is_lost);
	tcase_add_test(t, power_is_lost_with_luck);
	tcase_add_test(t, waiting_mail_is_small);
	tcase_add_test(t, tried_mail_is_small);
	tcase_add_test(t, a_log_of_packed_mail_can_be_removed);
	tcase_add_test(t, odd_tried_mail_is_not_packed);
	suite_add_tcase(s, t);
	return s;
}
