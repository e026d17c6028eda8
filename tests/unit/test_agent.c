/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An agent's account of a delivery (src/mta/agent.c): F8.9, F8.10, F9.1, F9.5,
 * F11.2, F11.9.
 */
#include <check.h>

#include "mta/agent.h"
#include "tests/unit/fake_host.h"

#define SENDER mta_addr_make(FAKE_SENDER_FAMILY, 1)

static struct fake_host f;
static struct mta_agent agent;
static struct mta_ref file;

static void
set_up(void)
{
	fake_init(&f);
	mta_agent_init(&agent, &f.host, &f.params);
	file = fake_add(&f, MTA_ACTIVE, SENDER, 3);
}

static void
tear_down(void)
{
	for (uint32_t n = 0; n < fake_sent_count(&f, MTA_TO_QMGR); n++)
		mta_sym_drop(&f.symbols, fake_sent(&f, MTA_TO_QMGR, n)
						 ->note.delivered.hop.reason);
	f.host.spool->ops->log_remove(f.host.spool, MTA_LOG_DEFER, file);
	f.host.spool->ops->log_remove(f.host.spool, MTA_LOG_BOUNCE, file);
	/* Nobody owns a text any more. */
	ck_assert_uint_eq(f.symbols.live_count, 0);
	fake_release(&f);
}

/* A request for all three recipients. */
static struct mta_note_deliver
request_for(mta_sym nexthop)
{
	struct mta_note submission = fake_submission(&f, SENDER, 3);

	return (struct mta_note_deliver){
		.entry = {.index = 2, .generation = 3},
		.file = file,
		.recipients = submission.submit.recipients,
		.nexthop = nexthop,
		.recipient_count = 3,
		.sender = SENDER,
		.serial = 4,
		.size_bytes = 1000,
		.arrival = FAKE_START - 7 * MTA_USEC_PER_S,
		.active_time = FAKE_START - 2 * MTA_USEC_PER_S,
		.batch = 6,
	};
}

static bool
begin(void)
{
	struct mta_note_deliver request = request_for(0);

	return mta_agent_begin(&agent, &request);
}

static struct mta_agent_result
result_of(struct mta_dsn dsn)
{
	return (struct mta_agent_result){
		.status = {.dsn = dsn,
			   .reason = mta_sym_intern(&f.symbols, "words")}};
}

static void
say(uint32_t recipient, struct mta_dsn dsn)
{
	struct mta_agent_result r = result_of(dsn);

	mta_agent_result(&agent, recipient, &r);
	mta_sym_drop(&f.symbols, r.status.reason);
}

static void
say_rest(struct mta_dsn dsn, enum mta_blame blame)
{
	struct mta_agent_result r = result_of(dsn);

	mta_agent_rest(&agent, &r, blame);
	mta_sym_drop(&f.symbols, r.status.reason);
}

/* The final reply, one and only. */
static const struct mta_note_delivered *
reply(void)
{
	const struct fake_note *note = fake_sent(&f, MTA_TO_QMGR, 0);

	ck_assert_uint_eq(fake_sent_count(&f, MTA_TO_QMGR), 1);
	ck_assert_int_eq(note->note.kind, MTA_NOTE_DELIVERED);
	ck_assert_uint_eq(note->note.delivered.entry.index, 2);
	ck_assert_uint_eq(note->note.delivered.entry.generation, 3);
	return &note->note.delivered;
}

START_TEST(all_sent)
{
	ck_assert(begin());
	ck_assert_int_eq(fake_file(&f, file)->lock_count, 1);
	say(1, MTA_DSN(2, 0, 0));
	ck_assert(!mta_agent_has_left(&agent, 1));
	ck_assert(mta_agent_has_left(&agent, 0));
	say_rest(MTA_DSN(2, 0, 0), MTA_BLAME_NOBODY);
	mta_agent_end(&agent);
	ck_assert(!reply()->incomplete);
	ck_assert(!reply()->crashed);
	ck_assert(!mta_status_is_set(reply()->hop));
	ck_assert_uint_eq(f.delivery_count, 3);
	ck_assert_uint_eq(f.deliveries[0].offset, 1);
	ck_assert_uint_eq(f.deliveries[1].offset, 0);
	ck_assert_uint_eq(f.deliveries[2].batch, 6);
	ck_assert_int_eq(f.deliveries[2].handoff, FAKE_START);
	ck_assert_int_eq(f.deliveries[2].active,
			 FAKE_START - 2 * MTA_USEC_PER_S);
	for (int i = 0; i < 3; i++)
		ck_assert(fake_file(&f, file)->done[i]);
}
END_TEST

START_TEST(one_of_each)
{
	ck_assert(begin());
	say(0, MTA_DSN(2, 0, 0));
	say(1, MTA_DSN(4, 2, 0));
	say(2, MTA_DSN(5, 1, 1));
	mta_agent_end(&agent);
	ck_assert(reply()->incomplete);
	ck_assert(!mta_status_is_set(reply()->hop));
	ck_assert(fake_file(&f, file)->done[0]);
	ck_assert(!fake_file(&f, file)->done[1]);
	ck_assert(fake_file(&f, file)->done[2]);
}
END_TEST

START_TEST(bounces_leave_nothing)
{
	ck_assert(begin());
	say_rest(MTA_DSN(5, 4, 4), MTA_BLAME_DESTINATION);
	mta_agent_end(&agent);
	/* F11.2: blame wants at least one append that left something undone. */
	ck_assert(!reply()->incomplete);
	ck_assert(!mta_status_is_set(reply()->hop));
}
END_TEST

START_TEST(blame_f11_2)
{
	ck_assert(begin());
	say_rest(MTA_DSN(4, 4, 1), MTA_BLAME_DESTINATION);
	mta_agent_end(&agent);
	ck_assert(reply()->incomplete);
	ck_assert_uint_eq(reply()->hop.dsn.class, 4);
	ck_assert_uint_eq(reply()->hop.dsn.subject, 4);
	ck_assert_uint_eq(reply()->hop.dsn.detail, 1);
	ck_assert_str_eq(mta_sym_text(&f.symbols, reply()->hop.reason),
			 "words");
}
END_TEST

START_TEST(no_blame_after_a_whole_transaction_f11_2)
{
	ck_assert(begin());
	agent.session_completed = true;
	say_rest(MTA_DSN(4, 4, 2), MTA_BLAME_DESTINATION);
	mta_agent_end(&agent);
	ck_assert(reply()->incomplete);
	ck_assert(!mta_status_is_set(reply()->hop));
}
END_TEST

START_TEST(soft_bounce_blames_and_leaves)
{
	fake_set(&f, "soft_bounce", "yes");
	ck_assert(begin());
	say_rest(MTA_DSN(5, 4, 4), MTA_BLAME_DESTINATION);
	mta_agent_end(&agent);
	ck_assert(reply()->incomplete);
	ck_assert(mta_status_is_set(reply()->hop));
}
END_TEST

START_TEST(vanished_file_f8_9)
{
	/* R-AGENT-GONE */
	fake_file(&f, file)->shown.queue = MTA_HOLD;
	ck_assert(!begin());
	ck_assert(reply()->incomplete);
	ck_assert(!reply()->crashed);
	ck_assert(!mta_status_is_set(reply()->hop));
	ck_assert_uint_eq(f.delivery_count, 0);
}
END_TEST

START_TEST(unreadable_file_f8_9)
{
	fake_file(&f, file)->shown.mode = MTA_MODE_DAMAGED;
	ck_assert(!begin());
	ck_assert(reply()->crashed);
}
END_TEST

START_TEST(crash_f9_5)
{
	ck_assert(begin());
	say(0, MTA_DSN(2, 0, 0));
	mta_agent_crash(&agent);
	ck_assert(reply()->crashed);
	/* Of the others nothing is said. */
	ck_assert_uint_eq(f.delivery_count, 1);
	ck_assert_uint_eq(fake_file(&f, file)->log_count[MTA_LOG_DEFER], 0);
	ck_assert_int_eq(fake_file(&f, file)->lock_count, 0);
}
END_TEST

/* The names in a request are the queue manager's; when it goes, with all it
 * owns, the delivery still knows where it went. */
START_TEST(names_outlive_the_queue_manager)
{
	mta_sym nexthop = mta_sym_intern(&f.symbols, "b.example");
	mta_sym destination = mta_sym_intern(&f.symbols, "c.example");
	struct mta_note_deliver request = request_for(nexthop);

	request.destination = destination;
	ck_assert(mta_agent_begin(&agent, &request));
	mta_agent_orphan(&agent);
	mta_agent_orphan(&agent);
	mta_sym_drop(&f.symbols, nexthop);
	mta_sym_drop(&f.symbols, destination);
	ck_assert_str_eq(mta_sym_text(&f.symbols, nexthop), "b.example");
	ck_assert_str_eq(mta_sym_text(&f.symbols, destination), "c.example");
	say_rest(MTA_DSN(2, 0, 0), MTA_BLAME_NOBODY);
	ck_assert_uint_eq(f.deliveries[0].destination, destination);
	mta_agent_end(&agent);
	mta_agent_orphan(&agent);
	ck_assert_uint_eq(mta_sym_find(&f.symbols, "b.example"), 0);
	ck_assert_uint_eq(mta_sym_find(&f.symbols, "c.example"), 0);
}
END_TEST

START_TEST(deleted_while_being_delivered_f9_10)
{
	ck_assert(begin());
	fake_file(&f, file)->exists = false;
	say_rest(MTA_DSN(2, 0, 0), MTA_BLAME_NOBODY);
	mta_agent_end(&agent);
	ck_assert(!reply()->incomplete);
	ck_assert_uint_eq(f.delivery_count, 3);
}
END_TEST

/* ---- error, retry, discard ---------------------------------------------- */

struct text_case {
	enum mta_text_agent kind;
	const char *nexthop;
	enum mta_outcome outcome;
	struct mta_dsn dsn;
	const char *reason;
};

/* R-TEXT-AGENT, F11.9; a class that does not fit the call becomes x.0.0 (F9.1).
 */
static const struct text_case text_cases[] = {
	{.kind = MTA_TEXT_ERROR,
	 .nexthop = "5.1.1 user unknown",
	 .outcome = MTA_BOUNCED,
	 .dsn = {.class = 5, .subject = 1, .detail = 1},
	 .reason = "user unknown"},
	{.kind = MTA_TEXT_ERROR,
	 .nexthop = "mailbox disabled",
	 .outcome = MTA_BOUNCED,
	 .dsn = {.class = 5},
	 .reason = "mailbox disabled"},
	{.kind = MTA_TEXT_RETRY,
	 .nexthop = "4.4.1 delivery temporarily suspended: connect refused",
	 .outcome = MTA_DEFERRED_OUTCOME,
	 .dsn = {.class = 4, .subject = 4, .detail = 1},
	 .reason = "delivery temporarily suspended: connect refused"},
	{.kind = MTA_TEXT_RETRY,
	 .nexthop = "5.1.1 no",
	 .outcome = MTA_DEFERRED_OUTCOME,
	 .dsn = {.class = 4},
	 .reason = "no"},
	{.kind = MTA_TEXT_DISCARD,
	 .nexthop = "silently",
	 .outcome = MTA_SENT,
	 .dsn = {.class = 2},
	 .reason = "silently"},
};

START_TEST(text_agents_f11_9)
{
	const struct text_case *c = &text_cases[_i];
	mta_sym nexthop = mta_sym_intern(&f.symbols, c->nexthop);
	struct mta_note_deliver request = request_for(nexthop);
	/* The text goes with its last owner, the log: look while it lives. */
	mta_sym reason = mta_sym_intern(&f.symbols, c->reason);

	ck_assert(mta_agent_begin(&agent, &request));
	mta_agent_text(&agent, c->kind);
	mta_agent_end(&agent);
	ck_assert_uint_eq(f.delivery_count, 3);
	ck_assert_int_eq(f.deliveries[2].outcome, c->outcome);
	ck_assert_uint_eq(f.deliveries[2].dsn.class, c->dsn.class);
	ck_assert_uint_eq(f.deliveries[2].dsn.subject, c->dsn.subject);
	ck_assert_uint_eq(f.deliveries[2].dsn.detail, c->dsn.detail);
	ck_assert_uint_eq(f.deliveries[2].reason, reason);
	ck_assert_uint_eq(f.deliveries[2].relay, 0);
	ck_assert_int_eq(f.deliveries[2].setup, MTA_NEVER);
	/* F11.1: they never blame. */
	ck_assert(!mta_status_is_set(reply()->hop));
	ck_assert_int_eq(reply()->incomplete, c->kind == MTA_TEXT_RETRY);
	mta_sym_drop(&f.symbols, nexthop);
	mta_sym_drop(&f.symbols, reason);
}
END_TEST

static void
expect_split(const char *text, struct mta_dsn dsn, const char *rest)
{
	struct mta_dsn_text t = mta_dsn_split(text);

	ck_assert_uint_eq(t.dsn.class, dsn.class);
	ck_assert_uint_eq(t.dsn.subject, dsn.subject);
	ck_assert_uint_eq(t.dsn.detail, dsn.detail);
	ck_assert_str_eq(t.text, rest);
}

START_TEST(codes_are_split_from_texts)
{
	struct mta_dsn none = {.class = 0};

	expect_split("4.7.1 wait", MTA_DSN(4, 7, 1), "wait");
	expect_split("  5.123.456", MTA_DSN(5, 123, 456), "");
	expect_split("2.0.0\tOk", MTA_DSN(2, 0, 0), "Ok");
	expect_split("4.7 wait", none, "4.7 wait");
	expect_split("3.0.0 x", none, "3.0.0 x");
	expect_split("4.1234.0 x", none, "4.1234.0 x");
	expect_split("4..1 x", none, "4..1 x");
	expect_split("4.7. x", none, "4.7. x");
	expect_split("4.7.1wait", none, "4.7.1wait");
	expect_split("4.7.1.2 x", none, "4.7.1.2 x");
	expect_split("", none, "");
}
END_TEST

Suite *
agent_suite(void)
{
	Suite *s = suite_create("agent");
	TCase *c = tcase_create("agent");

	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_add_test(c, all_sent);
	tcase_add_test(c, one_of_each);
	tcase_add_test(c, bounces_leave_nothing);
	tcase_add_test(c, blame_f11_2);
	tcase_add_test(c, no_blame_after_a_whole_transaction_f11_2);
	tcase_add_test(c, soft_bounce_blames_and_leaves);
	tcase_add_test(c, vanished_file_f8_9);
	tcase_add_test(c, unreadable_file_f8_9);
	tcase_add_test(c, crash_f9_5);
	tcase_add_test(c, names_outlive_the_queue_manager);
	tcase_add_test(c, deleted_while_being_delivered_f9_10);
	tcase_add_loop_test(c, text_agents_f11_9, 0,
			    sizeof(text_cases) / sizeof(text_cases[0]));
	tcase_add_test(c, codes_are_split_from_texts);
	suite_add_tcase(s, c);
	return s;
}
