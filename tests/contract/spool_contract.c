/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The contract of the spool (src/mta/spool.h), run on each implementation
 * through its operations alone: the memory spool in its three orders, with and
 * without hashed queues. Generated sequences are compared with a model that
 * keeps every file in an array and every listing as a list of names.
 *
 * How a listing is ordered is asked of the implementation with a scan that
 * takes everything; what a scan must then do with it is the model's to say.
 */
#include "tests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mta/loop.h"
#include "mta/symtab.h"
#include "sim/host/spool_view.h"

enum {
	FILES_MAX = 3000,
	TIMES_PAST = 60
};

/* ---- the implementations ----------------------------------------------------
 */

struct variant {
	const char *name;
	enum spool_order order;
	bool is_hashed;
};

static const struct variant variants[] = {
	{"seeded", SPOOL_SEEDED, false},
	{"newest first", SPOOL_NEWEST_FIRST, false},
	{"oldest first", SPOOL_OLDEST_FIRST, false},
	{"seeded, hashed", SPOOL_SEEDED, true},
	{"newest first, hashed", SPOOL_NEWEST_FIRST, true},
	{"oldest first, hashed", SPOOL_OLDEST_FIRST, true},
};
enum {
	VARIANTS = sizeof(variants) / sizeof(variants[0])
};

static const struct spool_costs no_costs;
static const mta_time start = INT64_C(1700000000) * MTA_USEC_PER_S;

struct bed {
	const struct variant *variant;
	struct mta_symtab symbols;
	struct mta_loop loop;
	struct mta_agenda agenda;
	struct spool_mem store;
	struct spool_view view;
	struct mta_spool *spool; /* what is tested */
	const struct mta_spool_ops *ops;
};

static void
bed_init(struct bed *b, const struct variant *variant)
{
	struct spool_mem_config config = {
		.dirs = {.order = variant->order, .seed = 5, .hash_depth = 1}};

	config.dirs.is_hashed[MTA_DEFERRED] = variant->is_hashed;
	b->variant = variant;
	mta_agenda_init(&b->agenda);
	mta_symtab_init(&b->symbols);
	mta_loop_init(&b->loop, &b->agenda, start, MTA_LOOP_POOL);
	spool_mem_init(&b->store, &config, &b->symbols, start);
	spool_view_init(&b->view, &b->store, &b->loop, &no_costs);
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

static struct mta_envelope
envelope_now(const struct bed *b, uint32_t serial)
{
	return (struct mta_envelope){.arrival = b->loop.now,
				     .created = b->loop.now,
				     .sender = 77,
				     .serial = serial,
				     .size_bytes = 1000 + serial};
}

/* A committed file with `count` recipients 100, 101, ... */
static struct mta_ref
bed_file(struct bed *b, enum mta_queue queue, uint32_t count, uint32_t serial)
{
	struct mta_envelope e = envelope_now(b, serial);
	struct mta_ref f = b->ops->create(b->spool, &e, 100);
	const struct mta_file *shown;

	for (uint32_t i = 1; i < count; i++)
		b->ops->append(b->spool, f, 100 + i);
	shown = b->ops->commit(b->spool, f, queue);
	ck_assert_ptr_nonnull(shown);
	ck_assert_int_eq(shown->queue, queue);
	ck_assert_uint_eq(shown->envelope.serial, serial);
	return f;
}

static void
bed_move(struct bed *b, struct mta_ref f, enum mta_queue from,
	 enum mta_queue to, uint32_t wake_s)
{
	const struct mta_file *shown;

	if (to == MTA_ACTIVE) {
		ck_assert_int_eq(b->ops->admit(b->spool, f, from, &shown),
				 MTA_OK);
		ck_assert_uint_eq(wake_s, MTA_WAKE_KEEP);
	} else {
		shown = b->ops->move(b->spool, f, from, to, wake_s);
	}
	ck_assert_ptr_nonnull(shown);
	ck_assert_int_eq(shown->queue, to);
}

/* ---- the model ------------------------------------------------------------
 */

struct model_file {
	struct mta_ref id;
	uint32_t queue; /* enum mta_queue; MTA_QUEUES: gone */
	uint32_t wake_s;
	uint32_t entry; /* number of the rename into the queue */
};

struct listing {
	struct mta_scan scan;
	bool is_open;
	bool is_through; /* it was told that no name is left */
	enum mta_queue queue;
	uint32_t files[FILES_MAX]; /* index of the file, in order */
	uint32_t entries[FILES_MAX];
	uint32_t count;
	uint32_t next;
};

enum {
	LISTINGS = 2
};

struct model {
	struct bed bed;
	struct model_file files[FILES_MAX];
	uint32_t file_count;
	uint32_t entry;
	struct listing listings[LISTINGS];
};

static uint32_t
model_find(const struct model *m, struct mta_ref id)
{
	for (uint32_t i = 0; i < m->file_count; i++)
		if (m->files[i].queue != MTA_QUEUES &&
		    mta_ref_equal(m->files[i].id, id))
			return i;
	ck_abort_msg("the scan names a file that is not there");
	return 0;
}

static void
model_add(struct model *m, enum mta_queue queue, uint64_t *state)
{
	struct model_file *f = &m->files[m->file_count];

	if (m->file_count == FILES_MAX)
		return;
	m->bed.loop.now += harness_draw_below(state, 300000);
	f->id = bed_file(&m->bed, queue, 1 + harness_draw_below(state, 2),
			 m->file_count);
	f->queue = queue;
	f->wake_s = (uint32_t)mta_second(m->bed.loop.now);
	f->entry = m->entry++;
	m->file_count++;
}

static void
model_move(struct model *m, struct model_file *f, enum mta_queue to,
	   uint32_t wake_s)
{
	if (to == MTA_ACTIVE)
		wake_s = MTA_WAKE_KEEP;
	bed_move(&m->bed, f->id, (enum mta_queue)f->queue, to, wake_s);
	f->queue = to;
	f->entry = m->entry++;
	if (wake_s != MTA_WAKE_KEEP)
		f->wake_s = wake_s;
}

/* What the order promises of two neighbours in a listing. */
static void
check_order(const struct model *m, const struct listing *l)
{
	enum spool_order order = m->bed.variant->order;

	for (uint32_t i = 1; i < l->count; i++) {
		if (order == SPOOL_OLDEST_FIRST)
			ck_assert_uint_lt(l->entries[i - 1], l->entries[i]);
		if (order == SPOOL_NEWEST_FIRST)
			ck_assert_uint_gt(l->entries[i - 1], l->entries[i]);
	}
}

/* Open a scan; learn the listing from a second one that takes everything. */
static void
model_open(struct model *m, struct listing *l, enum mta_queue queue)
{
	const struct mta_spool_ops *ops = m->bed.ops;
	struct mta_scan all = {.is_open = false};
	struct mta_scan_item item;

	memset(&l->scan, 0, sizeof(l->scan));
	ops->scan_open(m->bed.spool, queue, &l->scan);
	ops->scan_open(m->bed.spool, queue, &all);
	l->is_open = true;
	l->is_through = false;
	l->queue = queue;
	l->next = l->count = 0;
	while (ops->scan_next(m->bed.spool, &all, UINT32_MAX, UINT32_MAX,
			      &item) == MTA_SCAN_FOUND) {
		uint32_t i = model_find(m, item.id);

		ck_assert_uint_eq(item.skipped, 0);
		ck_assert_int_eq(m->files[i].queue, queue);
		l->files[l->count] = i;
		l->entries[l->count++] = m->files[i].entry;
	}
	ck_assert(!all.is_open);
	/* No name twice, because entries differ; none left out. */
	ck_assert_uint_eq(l->count, ops->count(m->bed.spool, queue));
	if (!m->bed.variant->is_hashed)
		check_order(m, l);
}

/* The next name that is still the same entry; false: none. */
static bool
listing_next(const struct model *m, struct listing *l, uint32_t *file)
{
	while (l->next < l->count) {
		uint32_t i = l->files[l->next];
		uint32_t entry = l->entries[l->next++];

		if (m->files[i].queue == l->queue &&
		    m->files[i].entry == entry) {
			*file = i;
			return true;
		}
	}
	return false;
}

static void
model_scan(struct model *m, struct listing *l, uint32_t due_s,
	   uint32_t skips_max)
{
	struct mta_scan_item item;
	enum mta_scan_result result = m->bed.ops->scan_next(
		m->bed.spool, &l->scan, due_s, skips_max, &item);
	enum mta_scan_result expected = MTA_SCAN_END;
	uint32_t skipped = 0;
	uint32_t file = 0;

	while (skipped < skips_max && listing_next(m, l, &file)) {
		if (m->files[file].wake_s <= due_s) {
			expected = MTA_SCAN_FOUND;
			break;
		}
		skipped++;
	}
	if (expected != MTA_SCAN_FOUND && skipped == skips_max)
		expected = MTA_SCAN_SKIPPED;
	ck_assert_int_eq(result, expected);
	ck_assert_uint_eq(item.skipped, skipped);
	if (l->is_through)
		ck_assert(result == MTA_SCAN_END && skipped == 0);
	l->is_through = item.is_last;
	if (result == MTA_SCAN_FOUND)
		ck_assert(mta_ref_equal(item.id, m->files[file].id));
	ck_assert_int_eq(l->scan.is_open, result != MTA_SCAN_END);
	l->is_open = l->scan.is_open;
}

static void
model_count(const struct model *m)
{
	uint32_t counts[MTA_QUEUES + 1] = {0};

	for (uint32_t i = 0; i < m->file_count; i++)
		counts[m->files[i].queue]++;
	for (uint32_t q = 0; q < MTA_QUEUES; q++)
		ck_assert_uint_eq(
			m->bed.ops->count(m->bed.spool, (enum mta_queue)q),
			counts[q]);
}

static uint32_t
draw_wake(const struct model *m, uint64_t *state)
{
	if (harness_draw_below(state, 4) == 0)
		return MTA_WAKE_KEEP;
	return (uint32_t)mta_second(m->bed.loop.now) +
	       harness_draw_below(state, 2 * TIMES_PAST) - TIMES_PAST;
}

static void
model_operate_file(struct model *m, uint64_t *state)
{
	struct model_file *f =
		&m->files[harness_draw_below(state, m->file_count)];
	static const enum mta_queue next[MTA_QUEUES] = {
		[MTA_INCOMING] = MTA_ACTIVE,
		[MTA_ACTIVE] = MTA_DEFERRED,
		[MTA_DEFERRED] = MTA_ACTIVE};
	struct mta_record r;

	if (f->queue == MTA_QUEUES) {
		/* Stale: noticed by everything. */
		ck_assert_ptr_null(
			m->bed.ops->remove(m->bed.spool, f->id, MTA_ACTIVE));
		ck_assert_int_eq(m->bed.ops->read(m->bed.spool, f->id, 0, &r),
				 MTA_ENOENT);
		return;
	}
	switch (harness_draw_below(state, 8)) {
	case 0:
		if (m->file_count < FILES_MAX * 2 / 3)
			break;
		ck_assert_ptr_nonnull(
			m->bed.ops->remove(m->bed.spool, f->id, f->queue));
		f->queue = MTA_QUEUES;
		break;
	case 1:
		ck_assert_int_eq(m->bed.ops->mark_done(m->bed.spool, f->id, 0),
				 MTA_OK);
		f->wake_s = (uint32_t)mta_second(m->bed.loop.now);
		break;
	default:
		model_move(m, f, next[f->queue], draw_wake(m, state));
		break;
	}
}

static void
model_operate_scan(struct model *m, uint64_t *state)
{
	struct listing *l = &m->listings[harness_draw_below(state, LISTINGS)];
	static const uint32_t skips[] = {1, 1, 7, 200, UINT32_MAX};
	static const enum mta_queue queues[] = {MTA_INCOMING, MTA_ACTIVE,
						MTA_DEFERRED};
	uint32_t now_s = (uint32_t)mta_second(m->bed.loop.now);
	uint32_t due_s = harness_draw_below(state, 10)
				 ? now_s - TIMES_PAST / 2 +
					   harness_draw_below(state, TIMES_PAST)
				 : UINT32_MAX;

	if (!l->is_open) {
		model_open(m, l, queues[harness_draw_below(state, 3)]);
	} else if (harness_draw_below(state, 100) == 0) {
		m->bed.ops->scan_close(m->bed.spool, &l->scan);
		l->is_open = false;
	} else {
		model_scan(m, l, due_s, skips[harness_draw_below(state, 5)]);
	}
}

static void
model_run(struct model *m, uint64_t seed, long operations)
{
	uint64_t state = seed;

	for (long k = 0; k < operations; k++) {
		uint32_t what = harness_draw_below(&state, 20);

		if (what == 0 || m->file_count < 20)
			model_add(m, MTA_INCOMING, &state);
		else if (what < 14)
			model_operate_file(m, &state);
		else
			model_operate_scan(m, &state);
		if (k % 1000 == 0)
			model_count(m);
	}
}

START_TEST(generated_sequences)
{
	const struct variant *variant = &variants[_i];
	long rounds = 2 * harness_scale();
	/* Enough that each of 16 lanes closes its holes, too. */
	long operations = variant->order == SPOOL_SEEDED ? 200000 : 40000;

	for (long round = 0; round < rounds; round++) {
		struct model *m = calloc(1, sizeof(*m));

		bed_init(&m->bed, variant);
		/* A hashed queue lists a lane when it is reached; its model
		 * is below. Here it is scanned while nothing changes. */
		if (variant->is_hashed) {
			uint64_t state = harness_seed(3) + (uint64_t)round;

			for (int i = 0; i < 500; i++)
				model_add(m, MTA_INCOMING, &state);
			for (int i = 0; i < 3000; i++)
				model_operate_file(m, &state);
			model_open(m, &m->listings[0], MTA_DEFERRED);
			while (m->listings[0].is_open)
				model_scan(
					m, &m->listings[0],
					(uint32_t)mta_second(m->bed.loop.now),
					5);
		} else {
			model_run(m, harness_seed(1) + (uint64_t)round,
				  operations);
		}
		bed_release(&m->bed);
		free(m);
	}
}
END_TEST

/* ---- many files, so that chunks fill and are passed over
 * --------------------- */

START_TEST(wide_directories)
{
	struct bed b;
	struct mta_scan scan = {.is_open = false};
	struct mta_scan_item item;
	uint32_t now_s, found = 0, skipped = 0;
	enum mta_scan_result result;
	enum {
		WIDE = 30000,
		DUE_EACH = 977
	};

	bed_init(&b, &variants[_i]);
	now_s = (uint32_t)mta_second(b.loop.now);
	for (uint32_t i = 0; i < WIDE; i++) {
		struct mta_ref f = bed_file(&b, MTA_INCOMING, 1, i);

		b.loop.now += 7919;
		bed_move(&b, f, MTA_INCOMING, MTA_ACTIVE, MTA_WAKE_KEEP);
		bed_move(&b, f, MTA_ACTIVE, MTA_DEFERRED,
			 i % DUE_EACH == 0 ? now_s : now_s + 1000 + i);
	}
	b.ops->scan_open(b.spool, MTA_DEFERRED, &scan);
	while ((result = b.ops->scan_next(b.spool, &scan, now_s, UINT32_MAX,
					  &item)) != MTA_SCAN_END) {
		ck_assert_int_eq(result, MTA_SCAN_FOUND);
		bed_move(&b, item.id, MTA_DEFERRED, MTA_ACTIVE, MTA_WAKE_KEEP);
		/* Back with a new entry: not seen again (no lane of a seeded or
		 * hashed queue is listed twice). */
		found++;
		skipped += item.skipped;
	}
	skipped += item.skipped;
	/* i = 0, 977, ..., 29310: 31 of them. */
	ck_assert_uint_eq(found, 31);
	ck_assert_uint_eq(skipped, WIDE - 31);
	bed_release(&b);
}
END_TEST

/* ---- hashed queues ----------------------------------------------------------
 */

static struct mta_ref
deferred_at(struct bed *b, mta_time us)
{
	struct mta_ref f;

	b->loop.now = start + us;
	f = bed_file(b, MTA_INCOMING, 1, 0);
	bed_move(b, f, MTA_INCOMING, MTA_ACTIVE, MTA_WAKE_KEEP);
	bed_move(b, f, MTA_ACTIVE, MTA_DEFERRED, 0);
	return f;
}

static void
expect_next(struct bed *b, struct mta_scan *scan, struct mta_ref expected)
{
	struct mta_scan_item item;

	ck_assert_int_eq(
		b->ops->scan_next(b->spool, scan, UINT32_MAX, 1, &item),
		MTA_SCAN_FOUND);
	ck_assert(mta_ref_equal(item.id, expected));
}

static void
expect_end(struct bed *b, struct mta_scan *scan)
{
	struct mta_scan_item item;

	ck_assert_int_eq(
		b->ops->scan_next(b->spool, scan, UINT32_MAX, 1, &item),
		MTA_SCAN_END);
}

START_TEST(subdirectories)
{
	/* The hash character is floor(us / 65536): 10 us is in 0, 70000 in 1,
	 * 200000 in 3 (F1.5, F1.16). */
	struct bed b;
	struct mta_scan scan = {.is_open = false};
	struct mta_ref a0, b1, c3, d0, e1, late1, late3;
	bool newest = _i == 0;

	bed_init(&b, &variants[newest ? 4 : 5]);
	c3 = deferred_at(&b, 200000);
	a0 = deferred_at(&b, MTA_USEC_PER_S + 10);
	b1 = deferred_at(&b, MTA_USEC_PER_S + 70000);
	d0 = deferred_at(&b, 2 * MTA_USEC_PER_S + 20);
	e1 = deferred_at(&b, 2 * MTA_USEC_PER_S + 70001);
	b.ops->scan_open(b.spool, MTA_DEFERRED, &scan);
	/* Before any is reached: both are seen. */
	late3 = deferred_at(&b, 3 * MTA_USEC_PER_S + 200001);
	late1 = deferred_at(&b, 3 * MTA_USEC_PER_S + 70002);
	if (newest) {
		/* Made in the order 3, 0, 1: visited 1, 0, 3. */
		expect_next(&b, &scan, late1);
		/* Reached already: not seen. */
		deferred_at(&b, 4 * MTA_USEC_PER_S + 70003);
		/* A new sub-directory is newer than all: not seen. */
		deferred_at(&b, 4 * MTA_USEC_PER_S + 900000);
		expect_next(&b, &scan, e1);
		expect_next(&b, &scan, b1);
		expect_next(&b, &scan, d0);
		expect_next(&b, &scan, a0);
		expect_next(&b, &scan, late3);
		expect_next(&b, &scan, c3);
	} else {
		expect_next(&b, &scan, c3);
		deferred_at(&b, 4 * MTA_USEC_PER_S + 200003);
		deferred_at(&b, 4 * MTA_USEC_PER_S + 900000);
		expect_next(&b, &scan, late3);
		expect_next(&b, &scan, a0);
		expect_next(&b, &scan, d0);
		expect_next(&b, &scan, b1);
		expect_next(&b, &scan, e1);
		expect_next(&b, &scan, late1);
	}
	expect_end(&b, &scan);
	bed_release(&b);
}
END_TEST

START_TEST(subdirectories_stay)
{
	/* Emptied and filled again, a sub-directory keeps its age. */
	struct bed b;
	struct mta_scan scan = {.is_open = false};
	struct mta_ref a0, b1, c0;

	bed_init(&b, &variants[4]);
	a0 = deferred_at(&b, 10);
	b1 = deferred_at(&b, 70000);
	bed_move(&b, a0, MTA_DEFERRED, MTA_ACTIVE, MTA_WAKE_KEEP);
	c0 = deferred_at(&b, MTA_USEC_PER_S + 11);
	b.ops->scan_open(b.spool, MTA_DEFERRED, &scan);
	expect_next(&b, &scan, b1);
	expect_next(&b, &scan, c0);
	expect_end(&b, &scan);
	bed_release(&b);
}
END_TEST

/* ---- single files -----------------------------------------------------------
 */

START_TEST(making_a_file)
{
	struct bed b;
	struct mta_envelope e;
	const struct mta_file *shown;
	struct mta_ref f;
	struct mta_scan scan = {.is_open = false};

	bed_init(&b, &variants[_i]);
	e = envelope_now(&b, 9);
	f = b.ops->create(b.spool, &e, 5);
	/* Invisible until it is committed. */
	ck_assert_ptr_null(b.ops->look(b.spool, f));
	ck_assert_ptr_null(b.ops->remove(b.spool, f, MTA_INCOMING));
	ck_assert_int_eq(b.ops->admit(b.spool, f, MTA_INCOMING, &shown),
			 MTA_ENOENT);
	b.ops->scan_open(b.spool, MTA_INCOMING, &scan);
	expect_end(&b, &scan);
	b.loop.now += 1500000;
	ck_assert_ptr_nonnull(b.ops->commit(b.spool, f, MTA_HOLD));
	shown = b.ops->look(b.spool, f);
	ck_assert_ptr_nonnull(shown);
	ck_assert_int_eq(shown->queue, MTA_HOLD);
	ck_assert_uint_eq(shown->mode, 0);
	ck_assert_uint_eq(shown->logs, 0);
	e = shown->envelope;
	ck_assert_int_eq(e.arrival, start);
	ck_assert_int_eq(e.created, start);
	ck_assert_int_eq(e.committed, start + 1500000);
	ck_assert_int_eq(e.first_active, MTA_NEVER);
	ck_assert_uint_eq(e.recipient_count, 1);
	ck_assert_uint_eq(e.serial, 9);
	ck_assert_uint_eq(e.size_bytes, 1009);
	ck_assert_uint_eq(e.sender, 77);
	/* One that is given up was never there. */
	f = b.ops->create(b.spool, &e, 5);
	b.ops->abandon(b.spool, f);
	ck_assert_ptr_null(b.ops->look(b.spool, f));
	ck_assert_uint_eq(b.ops->count(b.spool, MTA_INCOMING), 0);
	bed_release(&b);
}
END_TEST

/* Does the file say what it was made with, its one recipient included? */
static void
expect_file(struct bed *b, struct mta_ref f, const struct mta_envelope *e,
	    mta_addr recipient)
{
	const struct mta_file *shown = b->ops->look(b->spool, f);
	struct mta_envelope got;
	struct mta_record r;

	ck_assert_ptr_nonnull(shown);
	got = shown->envelope;
	ck_assert_int_eq(got.arrival, e->arrival);
	ck_assert_int_eq(got.created, e->created);
	ck_assert_int_eq(got.committed, b->loop.now);
	ck_assert_uint_eq(got.sender, e->sender);
	ck_assert_uint_eq(got.size_bytes, e->size_bytes);
	ck_assert_uint_eq(got.serial, e->serial);
	ck_assert_int_eq(got.warn_s, e->warn_s);
	ck_assert_uint_eq(got.recipient_count, 1);
	ck_assert_int_eq(b->ops->read(b->spool, f, 0, &r), MTA_OK);
	ck_assert_uint_eq(r.address, recipient);
}

START_TEST(envelopes_survive)
{
	/* Values at and beyond what an implementation might store short. */
	static const mta_time ages[] = {
		0, 1, 999999, 86400000000, 8640000000000, 31536000000000};
	static const uint32_t sizes[] = {0,	   4095,      4096,
					 0xffffff, 0x1000000, UINT32_MAX};
	static const mta_addr addresses[] = {0,
					     1,
					     0xfffffff,
					     0x10000000,
					     0xffffffffffffffff,
					     0x0000010000000000,
					     0xffffff0000000001};
	enum {
		FILES = 6 * 6 * 7 * 3
	};
	static struct mta_envelope envelopes[FILES];
	struct mta_ref files[FILES];
	struct bed b;

	bed_init(&b, &variants[_i]);
	for (uint32_t k = 0; k < FILES; k++) {
		struct mta_envelope *e = &envelopes[k];

		*e = envelope_now(&b, UINT32_MAX - k);
		e->arrival -= ages[k % 6];
		e->size_bytes = sizes[k / 6 % 6];
		e->sender = addresses[k / 36 % 7];
		if (k / 252 == 1)
			e->warn_s = 12345;
		if (k / 252 == 2)
			e->created = e->arrival + 3 * MTA_USEC_PER_S;
		files[k] = b.ops->create(b.spool, e, ~e->sender);
		ck_assert_ptr_nonnull(
			b.ops->commit(b.spool, files[k], MTA_INCOMING));
		expect_file(&b, files[k], e, ~e->sender);
	}
	/* An implementation may store them otherwise when they wait. */
	for (uint32_t k = 0; k < FILES; k++)
		expect_file(&b, files[k], &envelopes[k], ~envelopes[k].sender);
	bed_release(&b);
}
END_TEST

START_TEST(recipients_and_marks)
{
	struct bed b;
	struct mta_ref f;
	struct mta_record r;
	uint32_t offset = 0, offsets[1000];

	bed_init(&b, &variants[_i]);
	f = bed_file(&b, MTA_INCOMING, 1000, 0);
	for (uint32_t i = 0; i < 1000; i++) {
		ck_assert_int_eq(b.ops->read(b.spool, f, offset, &r), MTA_OK);
		ck_assert_int_eq(r.kind, MTA_RECORD_RECIPIENT);
		ck_assert_uint_eq(r.address, 100 + i);
		ck_assert_uint_eq(r.offset, offset);
		offsets[i] = offset;
		offset = r.next;
	}
	ck_assert_int_eq(b.ops->read(b.spool, f, offset, &r), MTA_OK);
	ck_assert_int_eq(r.kind, MTA_RECORD_END);
	for (uint32_t i = 0; i < 1000; i += 3)
		ck_assert_int_eq(b.ops->mark_done(b.spool, f, offsets[i]),
				 MTA_OK);
	for (uint32_t i = 0; i < 1000; i++) {
		ck_assert_int_eq(b.ops->read(b.spool, f, offsets[i], &r),
				 MTA_OK);
		ck_assert_int_eq(r.kind, i % 3 == 0 ? MTA_RECORD_DONE
						    : MTA_RECORD_RECIPIENT);
		ck_assert_uint_eq(r.address, 100 + i);
	}
	bed_release(&b);
}
END_TEST

START_TEST(moves_and_attempts)
{
	struct bed b;
	struct mta_ref f;
	const struct mta_file *shown;

	bed_init(&b, &variants[_i]);
	f = bed_file(&b, MTA_INCOMING, 1, 0);
	/* From where it is not: nothing happens. */
	ck_assert_int_eq(b.ops->admit(b.spool, f, MTA_DEFERRED, &shown),
			 MTA_ENOENT);
	ck_assert_ptr_null(b.ops->move(b.spool, f, MTA_DEFERRED, MTA_HOLD, 0));
	b.loop.now = start + 10;
	bed_move(&b, f, MTA_INCOMING, MTA_ACTIVE, MTA_WAKE_KEEP);
	b.loop.now = start + 20;
	bed_move(&b, f, MTA_ACTIVE, MTA_DEFERRED, 0);
	bed_move(&b, f, MTA_DEFERRED, MTA_ACTIVE, MTA_WAKE_KEEP);
	shown = b.ops->look(b.spool, f);
	ck_assert_uint_eq(shown->envelope.attempts, 2);
	ck_assert_int_eq(shown->envelope.first_active, start + 10);
	ck_assert_ptr_null(b.ops->remove(b.spool, f, MTA_DEFERRED));
	/* It is shown for the last time. */
	shown = b.ops->remove(b.spool, f, MTA_ACTIVE);
	ck_assert_ptr_nonnull(shown);
	ck_assert_int_eq(shown->queue, MTA_ACTIVE);
	ck_assert_uint_eq(shown->envelope.attempts, 2);
	ck_assert_ptr_null(b.ops->remove(b.spool, f, MTA_ACTIVE));
	ck_assert_ptr_null(b.ops->look(b.spool, f));
	bed_release(&b);
}
END_TEST

START_TEST(locks)
{
	struct bed b;
	struct mta_ref f;
	const struct mta_file *shown;
	const struct mta_spool_ops *o;
	struct mta_spool *s;

	bed_init(&b, &variants[_i]);
	o = b.ops;
	s = b.spool;
	f = bed_file(&b, MTA_INCOMING, 2, 0);
	/* Agents work on what is in active. */
	ck_assert_int_eq(o->lock(s, f), MTA_ENOENT);
	bed_move(&b, f, MTA_INCOMING, MTA_ACTIVE, MTA_WAKE_KEEP);
	/* Two agents at a time; the queue manager must wait for both, in
	 * whatever queue the file is meanwhile (F1.14, F9.10). */
	ck_assert_int_eq(o->lock(s, f), MTA_OK);
	ck_assert_int_eq(o->lock(s, f), MTA_OK);
	bed_move(&b, f, MTA_ACTIVE, MTA_INCOMING, 0);
	ck_assert_int_eq(o->lock(s, f), MTA_ENOENT);
	ck_assert_int_eq(o->admit(s, f, MTA_INCOMING, &shown), MTA_ELOCKED);
	ck_assert_int_eq(shown->queue, MTA_ACTIVE);
	bed_move(&b, f, MTA_ACTIVE, MTA_INCOMING, 0);
	o->unlock(s, f);
	ck_assert_int_eq(o->admit(s, f, MTA_INCOMING, &shown), MTA_ELOCKED);
	bed_move(&b, f, MTA_ACTIVE, MTA_INCOMING, 0);
	ck_assert_int_eq(o->look(s, f)->queue, MTA_INCOMING);
	o->unlock(s, f);
	ck_assert_int_eq(o->admit(s, f, MTA_INCOMING, &shown), MTA_OK);
	/* Ending work on a file that is gone is no error. */
	ck_assert_int_eq(o->lock(s, f), MTA_OK);
	ck_assert_ptr_nonnull(o->remove(s, f, MTA_ACTIVE));
	o->unlock(s, f);
	ck_assert_int_eq(o->lock(s, f), MTA_ENOENT);
	bed_release(&b);
}
END_TEST

START_TEST(mode_bits)
{
	struct bed b;
	struct mta_ref f;
	const struct mta_file *shown;

	bed_init(&b, &variants[_i]);
	f = bed_file(&b, MTA_INCOMING, 1, 0);
	b.ops->set_mode(b.spool, f, MTA_MODE_FLUSH | MTA_MODE_BOUNCED, 0);
	bed_move(&b, f, MTA_INCOMING, MTA_ACTIVE, MTA_WAKE_KEEP);
	b.ops->set_mode(b.spool, f, MTA_MODE_FORCE_EXPIRE, MTA_MODE_FLUSH);
	ck_assert_uint_eq(b.ops->look(b.spool, f)->mode,
			  MTA_MODE_FORCE_EXPIRE | MTA_MODE_BOUNCED);
	ck_assert_int_eq(b.ops->lock(b.spool, f), MTA_OK);
	b.ops->unlock(b.spool, f);
	b.ops->set_mode(b.spool, f, MTA_MODE_DAMAGED, 0);
	ck_assert_int_eq(b.ops->lock(b.spool, f), MTA_ECORRUPT);
	bed_move(&b, f, MTA_ACTIVE, MTA_DEFERRED, 0);
	ck_assert_int_eq(b.ops->admit(b.spool, f, MTA_DEFERRED, &shown),
			 MTA_ECORRUPT);
	ck_assert_int_eq(shown->queue, MTA_ACTIVE);
	ck_assert_ptr_nonnull(b.ops->remove(b.spool, f, MTA_ACTIVE));
	b.ops->set_mode(b.spool, f, MTA_MODE_FLUSH, 0);
	bed_release(&b);
}
END_TEST

static void
log_add(struct bed *b, enum mta_log log, struct mta_ref f, uint32_t n)
{
	char text[32];
	struct mta_log_record r = {
		.offset = n, .address = n, .status.dsn = MTA_DSN(4, 4, 1)};

	snprintf(text, sizeof(text), "reason %u", n);
	r.status.reason = mta_sym_intern(&b->symbols, text);
	ck_assert_int_eq(b->ops->log_append(b->spool, log, f, &r), MTA_OK);
}

START_TEST(logs)
{
	struct bed b;
	struct mta_ref f;
	struct mta_log_record r;

	bed_init(&b, &variants[_i]);
	f = bed_file(&b, MTA_INCOMING, 1, 0);
	ck_assert_int_eq(b.ops->log_read(b.spool, MTA_LOG_DEFER, f, 0, &r),
			 MTA_ENOENT);
	for (uint32_t n = 0; n < 20; n++)
		log_add(&b, MTA_LOG_DEFER, f, n);
	ck_assert_uint_eq(b.ops->look(b.spool, f)->logs, 1U << MTA_LOG_DEFER);
	log_add(&b, MTA_LOG_BOUNCE, f, 100);
	ck_assert_uint_eq(b.symbols.live_count, 21);
	for (uint32_t n = 0; n < 20; n++) {
		ck_assert_int_eq(
			b.ops->log_read(b.spool, MTA_LOG_DEFER, f, n, &r),
			MTA_OK);
		ck_assert_uint_eq(r.offset, n);
	}
	ck_assert_str_eq(mta_sym_text(&b.symbols, r.status.reason),
			 "reason 19");
	ck_assert_int_eq(b.ops->log_read(b.spool, MTA_LOG_DEFER, f, 20, &r),
			 MTA_ENOENT);
	b.ops->log_remove(b.spool, MTA_LOG_DEFER, f);
	b.ops->log_remove(b.spool, MTA_LOG_DEFER, f);
	ck_assert_uint_eq(b.ops->look(b.spool, f)->logs, 1U << MTA_LOG_BOUNCE);
	/* The owners went with it. */
	ck_assert_uint_eq(b.symbols.live_count, 1);
	/* A log outlives its file; afterwards nothing is left. */
	ck_assert_ptr_nonnull(b.ops->remove(b.spool, f, MTA_INCOMING));
	ck_assert_ptr_null(b.ops->look(b.spool, f));
	ck_assert_int_eq(b.ops->log_read(b.spool, MTA_LOG_BOUNCE, f, 0, &r),
			 MTA_OK);
	b.ops->log_remove(b.spool, MTA_LOG_BOUNCE, f);
	ck_assert_int_eq(b.ops->log_read(b.spool, MTA_LOG_BOUNCE, f, 0, &r),
			 MTA_ENOENT);
	ck_assert_uint_eq(b.symbols.live_count, 0);
	bed_release(&b);
}
END_TEST

START_TEST(marks_touch_the_file)
{
	/* F1.9: a mark overrides a wake time in the future. */
	struct bed b;
	struct mta_ref f;
	struct mta_scan scan = {.is_open = false};
	struct mta_scan_item item;
	uint32_t now_s;

	bed_init(&b, &variants[_i]);
	now_s = (uint32_t)mta_second(start);
	f = bed_file(&b, MTA_INCOMING, 2, 0);
	bed_move(&b, f, MTA_INCOMING, MTA_ACTIVE, MTA_WAKE_KEEP);
	bed_move(&b, f, MTA_ACTIVE, MTA_INCOMING, now_s + 60);
	b.ops->scan_open(b.spool, MTA_INCOMING, &scan);
	ck_assert_int_eq(b.ops->scan_next(b.spool, &scan, now_s + 1, 1, &item),
			 MTA_SCAN_SKIPPED);
	ck_assert_int_eq(b.ops->scan_next(b.spool, &scan, now_s + 1, 1, &item),
			 MTA_SCAN_END);
	ck_assert_int_eq(b.ops->mark_done(b.spool, f, 0), MTA_OK);
	b.ops->scan_open(b.spool, MTA_INCOMING, &scan);
	ck_assert_int_eq(b.ops->scan_next(b.spool, &scan, now_s + 1, 1, &item),
			 MTA_SCAN_FOUND);
	b.ops->scan_close(b.spool, &scan);
	bed_release(&b);
}
END_TEST

/* The first lane of deferred that has files, or 16. */
static uint32_t
first_lane(const struct bed *b)
{
	uint32_t i = 0;

	while (i < SPOOL_SEEDED_LANES &&
	       b->store.dirs.dirs[MTA_DEFERRED].lanes[i]->all.live == 0)
		i++;
	return i;
}

/* Of a hashed queue a lane is listed as it is when it is reached, though it was
 * empty when the scan was opened. */
START_TEST(seeded_lanes_fill_up)
{
	struct bed b;
	struct mta_scan scan = {.is_open = false};
	struct mta_scan_item item;
	struct mta_ref f;
	uint32_t lane, expected = 0, found = 0;
	mta_time at = 1;

	bed_init(&b, &variants[3]);
	/* One file, in front of most lanes. */
	for (f = deferred_at(&b, at); first_lane(&b) > 7;
	     f = deferred_at(&b, ++at))
		bed_move(&b, f, MTA_DEFERRED, MTA_ACTIVE, MTA_WAKE_KEEP);
	lane = first_lane(&b);
	b.ops->scan_open(b.spool, MTA_DEFERRED, &scan);
	expect_next(&b, &scan, f);
	for (int i = 0; i < 100; i++)
		deferred_at(&b, ++at);
	while (++lane < SPOOL_SEEDED_LANES)
		expected +=
			b.store.dirs.dirs[MTA_DEFERRED].lanes[lane]->all.live;
	ck_assert_uint_gt(expected, 0);
	while (b.ops->scan_next(b.spool, &scan, UINT32_MAX, 1, &item) ==
	       MTA_SCAN_FOUND)
		found++;
	ck_assert_uint_eq(found, expected);
	bed_release(&b);
}
END_TEST

Suite *
spool_contract_suite(void)
{
	Suite *s = suite_create("spool contract");
	TCase *t = tcase_create("spool contract");

	tcase_add_loop_test(t, generated_sequences, 0, VARIANTS);
	tcase_add_loop_test(t, wide_directories, 0, VARIANTS);
	tcase_add_loop_test(t, subdirectories, 0, 2);
	tcase_add_test(t, subdirectories_stay);
	tcase_add_test(t, seeded_lanes_fill_up);
	tcase_add_loop_test(t, making_a_file, 0, VARIANTS);
	tcase_add_loop_test(t, envelopes_survive, 0, VARIANTS);
	tcase_add_loop_test(t, recipients_and_marks, 0, VARIANTS);
	tcase_add_loop_test(t, moves_and_attempts, 0, VARIANTS);
	tcase_add_loop_test(t, locks, 0, VARIANTS);
	tcase_add_loop_test(t, mode_bits, 0, VARIANTS);
	tcase_add_loop_test(t, logs, 0, VARIANTS);
	tcase_add_loop_test(t, marks_touch_the_file, 0, VARIANTS);
	suite_add_tcase(s, t);
	return s;
}
