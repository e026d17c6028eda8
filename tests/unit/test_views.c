/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The operators' tables against the samples of facts F12.1 and F12.3: a queue
 * is made that should give the sample, and the table must be the sample's,
 * character by character.
 */
#include <stdlib.h>

#include "mta/listing.h"
#include "mta/shape.h"
#include "tests/harness.h"
#include "tests/page.h"
#include "tests/world_run.h"

static struct page page;

#define START(queue, count, who, years)                                        \
	"  - {queue: " queue ", messages: " count ", sender: \"" who           \
	"\", to: {r.example: 1}, size: 1000, age: " years ", due: 1d}\n"

/* Looked at before the first event, so that nothing has moved. */
static const char head[] = "scenario: views\n"
			   "run: {for: 1s, sample: 1s}\n"
			   "domains: {\"*\": {transport: discard}}\n";

static void
shape(const char *start, const struct mta_shape_options *options)
{
	struct mta_shape s;
	char text[8192];
	struct world_run *run;

	snprintf(text, sizeof(text), "%s%s", head, start);
	run = world_run_open(text, NULL);
	mta_shape_init(&s, world_host(&run->world), options);
	mta_shape_add_queue(&s, MTA_DEFERRED);
	mta_shape_add_queue(&s, MTA_HOLD);
	page_clear(&page);
	mta_shape_print(&s, &page.base);
	mta_shape_release(&s);
	world_run_close(run);
}

/* The sample of F12.3, by sender. Ages in minutes: 1 is below 5, 7 below 10,
 * 15 below 20, 60 below 80, 400 below 640, 2000 beyond 1280. */
START_TEST(shape_of_the_sample)
{
	struct mta_shape_options options = mta_shape_defaults();

	options.by_sender = true;
	shape("start:\n" START("deferred", "12", "x@big.example", "1m") START(
		      "deferred", "30", "x@big.example",
		      "15m") START("deferred", "140", "x@Big.example", "60m")
		      START("deferred", "41", "y@slow.example",
			    "400m") START("deferred", "7", "", "7m")
			      START("deferred", "3", "z@a.example", "2000m"),
	      &options);
	ck_assert_str_eq(
		page.text,
		"                                        T  5 10 20 40  80 160 "
		"320 640 1280 1280+\n"
		"                                TOTAL 233 12  7 30  0 140   0 "
		"  0  41    0     3\n"
		"                          big.example 182 12  0 30  0 140   0 "
		"  0   0    0     0\n"
		"                         slow.example  41  0  0  0  0   0   0 "
		"  0  41    0     0\n"
		"                        MAILER-DAEMON   7  0  7  0  0   0   0 "
		"  0   0    0     0\n"
		"                            a.example   3  0  0  0  0   0   0 "
		"  0   0    0     3\n");
}
END_TEST

/* -n: TOTAL is one of the rows. */
START_TEST(shape_of_few_rows)
{
	struct mta_shape_options options = mta_shape_defaults();

	options.by_sender = true;
	options.rows_most = 2;
	shape("start:\n" START("deferred", "2", "x@big.example", "1m")
		      START("deferred", "1", "x@small.example", "1m"),
	      &options);
	ck_assert_ptr_nonnull(strstr(page.text, " TOTAL  3"));
	ck_assert_ptr_nonnull(strstr(page.text, " big.example  2"));
	ck_assert_ptr_null(strstr(page.text, " small.example"));
}
END_TEST

/* Linear buckets of 10 minutes: heads are multiples; 25 min is in 20..30. The
 * name has 80 - 4 * 3 - 4 columns: four heads of at most two characters are 3
 * wide each, "30+" is 4. */
START_TEST(shape_linear)
{
	struct mta_shape_options options = mta_shape_defaults();
	char line[128];

	options.scale = (struct mta_shape_scale){
		.tick_minutes = 10, .buckets = 4, .is_linear = true};
	shape("start:\n" START("deferred", "2", "x@big.example", "25m"),
	      &options);
	snprintf(line, sizeof(line), "%64s  T 10 20 30 30+\n", "");
	ck_assert_ptr_eq(strstr(page.text, line), page.text);
	snprintf(line, sizeof(line), "%64s  2  0  0  2   0\n", "TOTAL");
	ck_assert_ptr_nonnull(strstr(page.text, line));
	/* By recipient: r.example, whoever sent it. */
	snprintf(line, sizeof(line), "%64s  2  0  0  2   0\n", "r.example");
	ck_assert_ptr_nonnull(strstr(page.text, line));
}
END_TEST

/* Two domains below .many.example, and one below .one.example: with -m 2 only
 * the first is shown, and no bare top level. Counts are per address: 3. */
START_TEST(shape_of_parents)
{
	struct mta_shape_options options = mta_shape_defaults();

	options.by_sender = true;
	options.with_parents = true;
	options.least_below = 2;
	shape("start:\n" START("deferred", "2", "x@a.many.example", "1m")
		      START("deferred", "1", "x@b.many.example", "1m")
			      START("deferred", "9", "x@a.one.example", "1m"),
	      &options);
	ck_assert_ptr_nonnull(strstr(page.text, " .many.example  3  3"));
	ck_assert_ptr_null(strstr(page.text, " .one.example"));
	ck_assert_ptr_null(strstr(page.text, " .example"));
}
END_TEST

/* All columns are 3 wide but 160, 320, 640 (4), 1280 (5) and 1280+ (6), which
 * leaves 80 - 6 * 3 - 3 * 4 - 5 - 6 = 39 for the name: a plus and the last 38
 * characters of 50. */
START_TEST(shape_of_a_long_name)
{
	static const char name[] =
		"abcdefghij0123456789abcdefghij0123456789ab.example";
	struct mta_shape_options options = mta_shape_defaults();
	char line[64];

	options.by_sender = true;
	shape("start:\n" START("deferred", "1",
			       "x@abcdefghij0123456789abcdefghij0123456789ab."
			       "example",
			       "1m"),
	      &options);
	snprintf(line, sizeof(line), "\n+%s  1  1  0", name + 50 - 38);
	ck_assert_ptr_nonnull(strstr(page.text, line));
}
END_TEST

static void
listing(const char *text, int64_t at_us, enum mta_listing_form form)
{
	struct world_run *run = world_run_open(text, NULL);

	world_run_until(run, at_us);
	page_clear(&page);
	mta_listing_print(world_host(&run->world), form,
			  run->world.params.enable_long_queue_ids, &page.base);
	world_run_close(run);
}

static const char waiting[] = "scenario: views\n"
			      "run: {for: 1m, sample: 1s}\n"
			      "receivers:\n"
			      "  slow: {connect: 1h, transfer: 1s}\n"
			      "  bad:\n"
			      "    connect: 10ms\n"
			      "    transfer: 20ms\n"
			      "    replies:\n"
			      "      - {step: rcpt, code: 450}\n"
			      "domains:\n"
			      "  slow.example: {receiver: slow}\n"
			      "  bad.example: {receiver: bad}\n"
			      "sources:\n"
			      "  web:\n"
			      "    arrivals: {times: [2s]}\n"
			      "    sender: alice@client.example\n"
			      "    to: {slow.example: 1}\n"
			      "    recipients: 1\n"
			      "    users: 1\n"
			      "    size: 1874\n"
			      "  list:\n"
			      "    arrivals: {times: [1s]}\n"
			      "    sender: \"\"\n"
			      "    to: {bad.example: 1}\n"
			      "    recipients: 2\n"
			      "    users: 2\n"
			      "    size: 51200\n";

/* F12.1: columns of 11, 7, 20 and the rest; active has a star and comes before
 * deferred; a reason ends at column 78, or starts at the first when it is
 * longer than 76, and is said once for those who share it; 53074 bytes are 51
 * whole kilobytes. Scenario time 0 is Monday 2026-01-05 00:00 UTC. */
START_TEST(listing_as_a_table)
{
	listing(waiting, 3000000, MTA_LISTING_TABLE);
	ck_assert_str_eq(
		page.text,
		"-Queue ID-  --Size-- ----Arrival Time---- "
		"-Sender/Recipient-------\n"
		"000002*        1874 Mon Jan  5 00:00:02  "
		"alice@client.example\n"
		"                                         "
		"u0@slow.example\n"
		"\n"
		"000001        51200 Mon Jan  5 00:00:01  MAILER-DAEMON\n"
		"(host mx.bad[192.0.2.1] said: 450 4.2.0 mailbox unavailable "
		"(in reply to RCPT TO command))\n"
		"                                         u0@bad.example\n"
		"                                         u1@bad.example\n"
		"\n"
		"-- 51 Kbytes in 2 Requests.\n");
}
END_TEST

/* F12.1: with long ids the columns are 17, 8, 19 and the rest, and the time has
 * 19 characters. What is held has a bang, and what is marked to expire a hash
 * behind it. Ids by F1.4: 1767571200 s is 4dkvYr in base 52, no microseconds;
 * the inode of the first file is 1. */
START_TEST(listing_of_long_ids)
{
	listing("scenario: views\n"
		"run: {for: 1m, sample: 1s}\n"
		"mta: {enable_long_queue_ids: yes}\n"
		"domains: {a.example: {transport: discard}}\n"
		"start:\n"
		"  - {queue: hold, messages: 1, sender: l@corp.example,\n"
		"     to: a.example, size: 990, users: 1}\n"
		"operator: [{at: 1s, postsuper: expire, where: {queue: "
		"hold}}]\n",
		2000000, MTA_LISTING_TABLE);
	ck_assert_str_eq(page.text,
			 "----Queue ID----- --Size-- ---Arrival Time---- "
			 "--Sender/Recipient------\n"
			 "4dkvYr0000z1!#         990 Mon Jan  5 00:00:00 "
			 "l@corp.example\n"
			 "                                               "
			 "u0@a.example\n"
			 "\n"
			 "-- 0 Kbytes in 1 Request.\n");
}
END_TEST

/* 1767571200 is 2026-01-05 00:00 UTC. */
START_TEST(listing_as_json)
{
	listing(waiting, 3000000, MTA_LISTING_JSON);
	ck_assert_ptr_eq(
		strstr(page.text,
		       "{\"queue_name\": \"active\", \"queue_id\": "
		       "\"000002\", \"arrival_time\": 1767571202, "
		       "\"message_size\": 1874, \"forced_expire\": false, "
		       "\"sender\": \"alice@client.example\", "
		       "\"recipients\": [{\"orig_address\": "
		       "\"u0@slow.example\", \"address\": "
		       "\"u0@slow.example\"}]}\n"
		       "{\"queue_name\": \"deferred\", "),
		page.text);
	ck_assert_ptr_nonnull(strstr(page.text, "\"delay_reason\": \"host "));
}
END_TEST

/* Of three recipients u1 bounced, and u2 still waits for the one process while
 * u0 ends: what bounced is listed behind what was deferred, F0.2 d and e. */
static const char half_done[] = "scenario: views\n"
				"run: {for: 1m, sample: 1s}\n"
				"mta: {smtp_destination_recipient_limit: 2}\n"
				"transports: {smtp: {maxproc: 1}}\n"
				"receivers:\n"
				"  bad:\n"
				"    connect: 1s\n"
				"    transfer: 20ms\n"
				"    replies:\n"
				"      - {step: rcpt, code: 550, match: u1@*}\n"
				"      - {step: rcpt, code: 450, match: u0@*}\n"
				"domains:\n"
				"  bad.example: {receiver: bad}\n"
				"sources:\n"
				"  list:\n"
				"    arrivals: {times: [1s]}\n"
				"    sender: a@client.example\n"
				"    to: {bad.example: 1}\n"
				"    recipients: 3\n"
				"    users: 3\n"
				"    size: 1000\n";

START_TEST(listing_of_what_bounced)
{
	static const char deferred[] =
		"\"recipients\": [{\"orig_address\": \"u0@bad.example\", "
		"\"address\": \"u0@bad.example\", \"delay_reason\": \"host ";
	static const char bounced[] =
		"\"}, {\"orig_address\": \"u1@bad.example\", \"address\": "
		"\"u1@bad.example\", \"bounce_reason\": \"host ";
	static const char waits[] =
		"\"}, {\"orig_address\": \"u2@bad.example\", \"address\": "
		"\"u2@bad.example\"}]}\n";
	const char *at;

	listing(half_done, 2500000, MTA_LISTING_JSON);
	at = strstr(page.text, deferred);
	ck_assert_ptr_nonnull(at);
	at = strstr(at, bounced);
	ck_assert_ptr_nonnull(at);
	ck_assert_ptr_nonnull(strstr(at, waits));
	listing(half_done, 2500000, MTA_LISTING_TABLE);
	at = strstr(page.text, "550 5.1.1");
	ck_assert_ptr_nonnull(at);
	at = strstr(at, "\n                                         "
			"u1@bad.example\n");
	ck_assert_ptr_nonnull(at);
	ck_assert_ptr_nonnull(strstr(at, "(reason unavailable)\n"));
}
END_TEST

START_TEST(listing_of_nothing)
{
	listing(waiting, 500000, MTA_LISTING_TABLE);
	ck_assert_str_eq(page.text, "Mail queue is empty\n");
	listing(waiting, 500000, MTA_LISTING_JSON);
	ck_assert_str_eq(page.text, "");
}
END_TEST

Suite *
views_suite(void)
{
	Suite *s = suite_create("views");
	TCase *t = tcase_create("tables");

	tcase_add_test(t, shape_of_the_sample);
	tcase_add_test(t, shape_of_few_rows);
	tcase_add_test(t, shape_linear);
	tcase_add_test(t, shape_of_parents);
	tcase_add_test(t, shape_of_a_long_name);
	tcase_add_test(t, listing_as_a_table);
	tcase_add_test(t, listing_of_long_ids);
	tcase_add_test(t, listing_as_json);
	tcase_add_test(t, listing_of_what_bounced);
	tcase_add_test(t, listing_of_nothing);
	suite_add_tcase(s, t);
	return s;
}
