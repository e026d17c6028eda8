/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Queue ids, logged delays, age buckets (src/mta/rules_text.c). Expected texts
 * are samples of the fact sheet (F1.4, F14.5, F17.6) or follow from the rule by
 * the arithmetic that stands beside them.
 */
#include <check.h>
#include <string.h>

#include "mta/rules.h"

START_TEST(queue_ids_f1_4)
{
	/* R-QUEUE-ID: the example of F1.4. */
	struct mta_queue_id_parts id = {.created = INT64_C(1700000000123456),
					.inode = 262147};
	char buf[MTA_ID_TEXT_MAX];

	mta_queue_id_short(id, buf);
	ck_assert_str_eq(buf, "1E24040003");
	ck_assert(!mta_queue_id_is_long(buf));
	mta_queue_id_long(id, buf);
	ck_assert_str_eq(buf, "4SVLCh0sf8z1xm7");
	ck_assert(mta_queue_id_is_long(buf));
}
END_TEST

START_TEST(queue_id_edges)
{
	struct mta_queue_id_parts id = {.created = 0, .inode = 0};
	char buf[MTA_ID_TEXT_MAX];

	/* Padding: five hex digits; six and four digits of base 52. */
	mta_queue_id_short(id, buf);
	ck_assert_str_eq(buf, "000000");
	mta_queue_id_long(id, buf);
	ck_assert_str_eq(buf, "0000000000z0");
	/* 999999 = F423F; inode 50 is the last digit of base 51, y; 51 is 10;
	 * second 51 is the last digit of base 52, z. */
	id.created = 999999;
	id.inode = 50;
	mta_queue_id_short(id, buf);
	ck_assert_str_eq(buf, "F423F32");
	id.created = mta_from_seconds(51);
	mta_queue_id_long(id, buf);
	ck_assert_str_eq(buf, "00000z0000zy");
	ck_assert(mta_queue_id_is_long(buf));
	id.inode = 51;
	mta_queue_id_long(id, buf);
	ck_assert_str_eq(buf, "00000z0000z10");
	/* F1.4: long when the last z is at index 10 or later. */
	ck_assert(!mta_queue_id_is_long("000000000z0"));
	ck_assert(!mta_queue_id_is_long("1E24040003"));
	/* The largest numbers fit the buffer. */
	id.inode = UINT64_MAX;
	id.created = INT64_MAX;
	mta_queue_id_long(id, buf);
	ck_assert_uint_lt(strlen(buf), sizeof(buf));
	mta_queue_id_short(id, buf);
	ck_assert_uint_lt(strlen(buf), sizeof(buf));
}
END_TEST

START_TEST(queue_hash_f1_5)
{
	/* R-QUEUE-HASH, F1.5: of a short id its own characters, of a long one
	 * the microseconds 123456 = 1E240; missing ones are _. */
	char buf[16];

	mta_queue_id_hash("1E24040003", 1, buf);
	ck_assert_str_eq(buf, "1");
	mta_queue_id_hash("1E24040003", 3, buf);
	ck_assert_str_eq(buf, "1E2");
	mta_queue_id_hash("4SVLCh0sf8z1xm7", 1, buf);
	ck_assert_str_eq(buf, "1");
	mta_queue_id_hash("4SVLCh0sf8z1xm7", 5, buf);
	ck_assert_str_eq(buf, "1E240");
	mta_queue_id_hash("4SVLCh0sf8z1xm7", 6, buf);
	ck_assert_str_eq(buf, "1E240_");
	mta_queue_id_hash("AB", 4, buf);
	ck_assert_str_eq(buf, "AB__");
	mta_queue_id_hash("AB", 0, buf);
	ck_assert_str_eq(buf, "");
	/* F1.16: the first digit is floor(microseconds / 65536). */
	mta_queue_id_hash("0000000SDHz10", 1, buf); /* 65535 in base 52 */
	ck_assert_str_eq(buf, "0");
	mta_queue_id_hash("0000000SDJz10", 1, buf); /* 65536 */
	ck_assert_str_eq(buf, "1");
	mta_queue_id_hash("00000075plz10", 1, buf); /* 999999 */
	ck_assert_str_eq(buf, "F");
}
END_TEST

START_TEST(delay_format_f14_5)
{
	/* R-DELAY-FORMAT. Microseconds; the samples at limit 2 are F14.5's. */
	static const struct {
		int64_t usec;
		int32_t decimals;
		const char *expected;
	} cases[] = {
		{4000, 2, "0"},
		{5000, 2, "0.01"},
		{123000, 2, "0.12"},
		{128000, 2, "0.13"},
		{996000, 2, "1"},
		{1040000, 2, "1"},
		{1050000, 2, "1.1"},
		{1230000, 2, "1.2"},
		{9940000, 2, "9.9"},
		{9960000, 2, "10"},
		{10500000, 2, "11"},
		{123400000, 2, "123"},
		/* Edges of the stated rule. */
		{0, 2, "0"},
		{-1, 2, "0"},
		{-5000000, 2, "0"},
		{1009000, 2, "1"},
		{100000, 2, "0.1"},
		{10000000, 2, "10"},
		{99499999, 2, "99"},
		{99500000, 2, "100"},
		{123500000, 2, "124"},
		{INT64_C(432000000000), 2, "432000"},
		/* Two digits, but no more decimals than the limit. */
		{123000, 0, "0"},
		{500000, 0, "1"},
		{1230000, 0, "1"},
		{123000, 1, "0.1"},
		{150000, 1, "0.2"},
		{12345, 6, "0.012"},
		{1234, 6, "0.0012"},
		{12, 6, "0.000012"},
		{1, 6, "0.000001"},
		{12345, 3, "0.012"},
		{12500, 3, "0.013"},
	};
	char buf[MTA_DELAY_SIZE];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		mta_delay_format(cases[i].usec, cases[i].decimals, buf);
		ck_assert_msg(strcmp(buf, cases[i].expected) == 0,
			      "case %zu: %s, not %s", i, buf,
			      cases[i].expected);
	}
}
END_TEST

START_TEST(shape_buckets_f17_6)
{
	/* R-SHAPE-BUCKET: t = 5, b = 10; edges of F17.6, each bucket twice as
	 * long as the one before. */
	struct mta_shape_scale scale = {.tick_minutes = 5, .buckets = 10};
	int64_t edge_s = 300;
	int32_t bucket;

	ck_assert_int_eq(mta_shape_bucket(&scale, -5), 1);
	ck_assert_int_eq(mta_shape_bucket(&scale, 0), 1);
	for (bucket = 1; bucket < 10; bucket++) {
		ck_assert_int_eq(mta_shape_bucket(&scale, edge_s - 1), bucket);
		ck_assert_int_eq(mta_shape_bucket(&scale, edge_s), bucket + 1);
		edge_s *= 2;
	}
	ck_assert_int_eq(edge_s / 2, 76800); /* F17.6: from here on 10 */
	ck_assert_int_eq(mta_shape_bucket(&scale, INT64_MAX), 10);
	scale.buckets = 1000;
	ck_assert_int_le(mta_shape_bucket(&scale, INT64_MAX), 1000);
}
END_TEST

START_TEST(shape_buckets_linear)
{
	/* F12.3: floor(m + 1), capped. */
	struct mta_shape_scale scale = {
		.tick_minutes = 5, .buckets = 10, .is_linear = true};

	ck_assert_int_eq(mta_shape_bucket(&scale, -1), 1);
	ck_assert_int_eq(mta_shape_bucket(&scale, 299), 1);
	ck_assert_int_eq(mta_shape_bucket(&scale, 300), 2);
	ck_assert_int_eq(mta_shape_bucket(&scale, 899), 3);
	ck_assert_int_eq(mta_shape_bucket(&scale, 2699), 9);
	ck_assert_int_eq(mta_shape_bucket(&scale, 2700), 10);
	ck_assert_int_eq(mta_shape_bucket(&scale, 1000000), 10);
}
END_TEST

Suite *
rules_text_suite(void)
{
	Suite *s = suite_create("rules_text");
	TCase *t = tcase_create("text");

	tcase_add_test(t, queue_ids_f1_4);
	tcase_add_test(t, queue_id_edges);
	tcase_add_test(t, queue_hash_f1_5);
	tcase_add_test(t, delay_format_f14_5);
	tcase_add_test(t, shape_buckets_f17_6);
	tcase_add_test(t, shape_buckets_linear);
	suite_add_tcase(s, t);
	return s;
}
