/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Queue files as bytes, read back by the few lines that F1.10 takes: a type, a
 * length in groups of seven bits, a payload. Expected numbers are counted by
 * hand from that. That Postfix's own tools read such files is seen by
 * tests/forms/spool.sh.
 */
#include <stdlib.h>

#include "sim/command/queue_file.h"
#include "tests/harness.h"

static struct queue_file file;

static void
tear_down(void)
{
	queue_file_release(&file);
}

struct record {
	char type;
	size_t length;
	const char *payload;
	size_t next;
};

static struct record
record_at(size_t at)
{
	struct record r = {0};
	unsigned shift = 0;
	unsigned char byte;

	ck_assert_uint_lt(at + 1, file.size);
	r.type = file.bytes[at++];
	do {
		ck_assert_uint_lt(at, file.size);
		byte = (unsigned char)file.bytes[at++];
		r.length |= (size_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80);
	r.payload = file.bytes + at;
	r.next = at + r.length;
	ck_assert_uint_le(r.next, file.size);
	return r;
}

/* The types of all records, and the bytes of the message that N records say,
 * each with its line's end. */
static void
walk(char *types, size_t room, size_t *message)
{
	size_t at = 0;
	size_t n = 0;

	*message = 0;
	while (at < file.size) {
		struct record r = record_at(at);

		ck_assert_uint_lt(n + 1, room);
		if (r.type != 'N' || n == 0 || types[n - 1] != 'N')
			types[n++] = r.type; /* many lines are one N */
		if (r.type == 'N')
			*message += r.length + 1;
		at = r.next;
	}
	types[n] = '\0';
}

static struct queue_file_head
head_of(uint32_t size_bytes)
{
	return (struct queue_file_head){
		.arrival = mta_from_seconds(1000) + 7,
		.created_s = 1001,
		.size_bytes = size_bytes,
		.recipients = 2,
		.sender = "a@a.example",
		.message_id = "m1@mta.example",
	};
}

static void
build(const struct queue_file_head *head)
{
	queue_file_begin(&file, head);
	queue_file_add(&file, "u@b.example", false);
	queue_file_add(&file, "v@b.example", true);
	queue_file_end(&file, head);
}

START_TEST(the_order_of_records)
{
	struct queue_file_head head = head_of(1000);
	char types[64];
	size_t message;

	build(&head);
	walk(types, sizeof(types), &message);
	/* size, times, origin, sender, recipients, message, headers, end */
	ck_assert_str_eq(types, "CTAASRDMNXE");
	ck_assert_uint_eq(message, 1000);
	head.warn_s = -1;
	build(&head);
	walk(types, sizeof(types), &message);
	ck_assert_str_eq(types, "CTAASWRDMNXE");
	head.is_dropped = true;
	head.warn_s = 0;
	build(&head);
	walk(types, sizeof(types), &message);
	ck_assert_str_eq(types, "TASRDMNXE");
}
END_TEST

START_TEST(the_size_record)
{
	const struct queue_file_head head = head_of(5000);
	long long n[6];
	char text[128];
	struct record r;
	size_t at;

	build(&head);
	r = record_at(0);
	/* Six fields of 15 columns, five blanks. */
	ck_assert_uint_eq(r.length, 95);
	memcpy(text, r.payload, r.length);
	text[r.length] = '\0';
	ck_assert_int_eq(sscanf(text, "%lld %lld %lld %lld %lld %lld", &n[0],
				&n[1], &n[2], &n[3], &n[4], &n[5]),
			 6);
	ck_assert_int_eq(n[2], 2);
	ck_assert_int_eq(n[4], 5000);
	/* The content lies behind M, and X is what follows it. */
	for (at = 0; record_at(at).type != 'M'; at = record_at(at).next)
		;
	ck_assert_uint_eq((size_t)n[1], record_at(at).next);
	ck_assert_int_eq(record_at((size_t)(n[1] + n[0])).type, 'X');
	r = record_at(record_at(0).next);
	ck_assert_int_eq(r.type, 'T');
	ck_assert_int_eq(strncmp(r.payload, "1000 7", r.length), 0);
}
END_TEST

/* A message is as long as it says, however short that is. */
START_TEST(every_size)
{
	char types[64];
	size_t message;

	for (uint32_t size = 0; size < 400; size++) {
		const struct queue_file_head head = head_of(size);

		build(&head);
		walk(types, sizeof(types), &message);
		ck_assert_uint_eq(message, size);
		ck_assert_str_eq(types, size ? "CTAASRDMNXE" : "CTAASRDMXE");
	}
}
END_TEST

/* 127 is the last length of one byte, 16383 that of two. */
START_TEST(lengths)
{
	static const size_t sizes[] = {0, 1, 127, 128, 16383, 16384};
	static const size_t bytes[] = {1, 1, 1, 2, 2, 3};
	const struct queue_file_head head = head_of(0);
	char *text = calloc(1, 16385);

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t before;

		memset(text, 'x', sizes[i]);
		text[sizes[i]] = '\0';
		queue_file_begin(&file, &head);
		before = file.size;
		queue_file_add(&file, text, false);
		ck_assert_uint_eq(file.size - before, 1 + bytes[i] + sizes[i]);
		ck_assert_uint_eq(record_at(before).length, sizes[i]);
	}
	free(text);
}
END_TEST

Suite *
queue_file_suite(void)
{
	Suite *s = suite_create("queue_file");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, NULL, tear_down);
	tcase_add_test(t, the_order_of_records);
	tcase_add_test(t, the_size_record);
	tcase_add_test(t, every_size);
	tcase_add_test(t, lengths);
	suite_add_tcase(s, t);
	return s;
}
