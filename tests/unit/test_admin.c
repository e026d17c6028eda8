/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The operators' tools (src/mta/admin.c), file by file: where each works, what
 * it leaves behind, and whether it says that it found something to do, by which
 * postsuper counts (R-POSTSUPER, R-FLUSH-ID; F12.1, F12.2). No time passes.
 */
#include <check.h>

#include "mta/admin.h"
#include "tests/unit/fake_host.h"

#define SENDER mta_addr_make(FAKE_SENDER_FAMILY, 1)

static struct fake_host f;

static void
set_up(void)
{
	fake_init(&f);
}

static void
tear_down(void)
{
	fake_release(&f);
}

#define NOW_S ((uint32_t)mta_second(FAKE_START))

enum {
	NONE = -1
};

/* What a tool does to a file in each queue. */
struct tool {
	bool (*use)(const struct mta_host *h, struct mta_ref file);
	int to[MTA_QUEUES]; /* NONE: it does nothing */
	bool is_due;	    /* what it has moved, at once */
};

static void
judge(const struct tool *tool)
{
	for (int from = 0; from < MTA_QUEUES; from++) {
		int to = tool->to[from];
		struct mta_ref id =
			fake_add(&f, (enum mta_queue)from, SENDER, 1);
		const struct fake_file *file = fake_file(&f, id);

		ck_assert_int_eq(tool->use(&f.host, id), to != NONE);
		ck_assert_int_eq((int)file->shown.queue,
				 to == NONE ? from : to);
		if (to != NONE)
			ck_assert_uint_eq(file->wake_s,
					  tool->is_due ? NOW_S : 0);
	}
}

/* F12.2: -h not from maildrop, not from hold; -H from hold alone; of both the
 * time when it is due stays. -r not from maildrop, due now. What is corrupt
 * stays so: F1.8 has no way back. */
START_TEST(moves_f12_2)
{
	const struct tool hold = {
		.use = mta_admin_hold,
		.to = {[MTA_MAILDROP] = NONE,
		       [MTA_INCOMING] = MTA_HOLD,
		       [MTA_ACTIVE] = MTA_HOLD,
		       [MTA_DEFERRED] = MTA_HOLD,
		       [MTA_HOLD] = NONE,
		       [MTA_CORRUPT] = NONE},
	};
	const struct tool release = {
		.use = mta_admin_release,
		.to = {[MTA_MAILDROP] = NONE,
		       [MTA_INCOMING] = NONE,
		       [MTA_ACTIVE] = NONE,
		       [MTA_DEFERRED] = NONE,
		       [MTA_HOLD] = MTA_DEFERRED,
		       [MTA_CORRUPT] = NONE},
	};
	const struct tool requeue = {
		.use = mta_admin_requeue,
		.to = {[MTA_MAILDROP] = NONE,
		       [MTA_INCOMING] = MTA_MAILDROP,
		       [MTA_ACTIVE] = MTA_MAILDROP,
		       [MTA_DEFERRED] = MTA_MAILDROP,
		       [MTA_HOLD] = MTA_MAILDROP,
		       [MTA_CORRUPT] = NONE},
		.is_due = true,
	};

	judge(&hold);
	judge(&release);
	judge(&requeue);
	/* Pickup hears of none of them: requeued mail waits for its wake-up. */
	ck_assert_uint_eq(fake_sent_count(&f, MTA_TO_PICKUP), 0);
	ck_assert_uint_eq(fake_sent_count(&f, MTA_TO_QMGR), 0);
}
END_TEST

/* F12.1: only what is deferred, due now; -i sends I and leaves the mark by
 * which what the mail needs is revived; -s does so for the site as a whole. */
START_TEST(flush_f12_1)
{
	struct tool tool = {
		.use = mta_admin_flush_site_mail,
		.to = {NONE, NONE, NONE, NONE, NONE, NONE},
		.is_due = true,
	};

	tool.to[MTA_DEFERRED] = MTA_INCOMING;
	judge(&tool);
	ck_assert_uint_eq(fake_sent_count(&f, MTA_TO_QMGR), 0);
	ck_assert_uint_eq(f.spool.files[MTA_DEFERRED].shown.mode, 0);
	tool.use = mta_admin_flush_id;
	judge(&tool);
	ck_assert_uint_eq(fake_sent_count(&f, MTA_TO_QMGR), 1);
	ck_assert_uint_eq(fake_sent(&f, MTA_TO_QMGR, 0)->note.trigger,
			  MTA_TRIGGER_WAKEUP);
	ck_assert_uint_eq(f.spool.files[MTA_QUEUES + MTA_DEFERRED].shown.mode,
			  MTA_MODE_FLUSH);
	mta_admin_flush_site_begin(&f.host);
	mta_admin_flush_site_end(&f.host);
	ck_assert_uint_eq(fake_sent(&f, MTA_TO_QMGR, 1)->note.trigger,
			  MTA_TRIGGER_FLUSH);
	ck_assert_uint_eq(fake_sent(&f, MTA_TO_QMGR, 2)->note.trigger,
			  MTA_TRIGGER_WAKEUP);
}
END_TEST

/* F12.2: -d takes the logs and the file from wherever it is but corrupt, which
 * is not among its directories. */
START_TEST(delete_f12_2)
{
	for (uint32_t queue = 0; queue < MTA_QUEUES; queue++) {
		bool is_taken = queue != MTA_CORRUPT;
		struct mta_ref id =
			fake_add(&f, (enum mta_queue)queue, SENDER, 1);
		struct fake_file *file = fake_file(&f, id);

		file->log_count[MTA_LOG_DEFER] = 1;
		file->log_count[MTA_LOG_BOUNCE] = 1;
		ck_assert_int_eq(mta_admin_delete(&f.host, id), is_taken);
		ck_assert_int_eq(file->exists, !is_taken);
		ck_assert_uint_eq(file->log_count[MTA_LOG_DEFER], !is_taken);
		ck_assert_uint_eq(file->log_count[MTA_LOG_BOUNCE], !is_taken);
		/* And once only. */
		ck_assert(!mta_admin_delete(&f.host, id));
	}
}
END_TEST

/* F12.2: -e marks, but not in maildrop; what was marked before is not counted;
 * nothing moves. */
START_TEST(expire_f12_2)
{
	for (uint32_t queue = 0; queue < MTA_QUEUES; queue++) {
		bool is_marked = queue != MTA_MAILDROP && queue != MTA_CORRUPT;
		struct mta_ref id =
			fake_add(&f, (enum mta_queue)queue, SENDER, 1);
		const struct mta_file *shown = &fake_file(&f, id)->shown;

		ck_assert_int_eq(mta_admin_expire(&f.host, id), is_marked);
		ck_assert_uint_eq(shown->mode,
				  is_marked ? MTA_MODE_FORCE_EXPIRE : 0);
		ck_assert(!mta_admin_expire(&f.host, id));
		ck_assert_uint_eq(shown->queue, queue);
	}
}
END_TEST

/* An id that nobody has: nothing is found, by any of them. */
START_TEST(nobody_has_it)
{
	struct mta_ref id = fake_add(&f, MTA_DEFERRED, SENDER, 1);

	ck_assert(mta_admin_delete(&f.host, id));
	ck_assert(!mta_admin_hold(&f.host, id));
	ck_assert(!mta_admin_release(&f.host, id));
	ck_assert(!mta_admin_requeue(&f.host, id));
	ck_assert(!mta_admin_expire(&f.host, id));
	ck_assert(!mta_admin_flush_id(&f.host, id));
	ck_assert_uint_eq(fake_sent_count(&f, MTA_TO_QMGR), 0);
}
END_TEST

Suite *
admin_suite(void)
{
	Suite *s = suite_create("admin");
	TCase *tc = tcase_create("admin");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, moves_f12_2);
	tcase_add_test(tc, flush_f12_1);
	tcase_add_test(tc, delete_f12_2);
	tcase_add_test(tc, expire_f12_2);
	tcase_add_test(tc, nobody_has_it);
	suite_add_tcase(s, tc);
	return s;
}
