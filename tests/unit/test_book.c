/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The address book (sim/host/book.c): texts, domains and origins of each family
 * of addresses; the same text is the same handle; families cost no memory per
 * address.
 */
#include "tests/harness.h"

#include <stdio.h>
#include <string.h>

#include "sim/host/book.h"

struct bed {
	struct mta_symtab symbols;
	struct book book;
};

static void
bed_init(struct bed *b)
{
	mta_symtab_init(&b->symbols);
	book_init(&b->book, &b->symbols, "mta.example");
}

static void
bed_release(struct bed *b)
{
	book_release(&b->book);
	mta_symtab_release(&b->symbols);
}

static void
expect_text(const struct bed *b, mta_addr a, const char *text,
	    const char *domain)
{
	char buffer[MTA_ADDR_TEXT_MAX];
	mta_sym d = b->book.base.domain(&b->book.base, a);

	b->book.base.text(&b->book.base, a, buffer, sizeof(buffer));
	ck_assert_str_eq(buffer, text);
	ck_assert_str_eq(mta_sym_text(&b->symbols, d), domain);
}

static void
expect_origin(const struct bed *b, mta_addr a, uint32_t source, uint64_t index)
{
	struct book_origin o = book_origin_of(&b->book, a);

	ck_assert_uint_eq(o.source, source);
	ck_assert_uint_eq(o.index, index);
}

START_TEST(mailboxes)
{
	struct bed b;
	uint32_t users;

	bed_init(&b);
	users = book_add_users(&b.book, "Gmail.COM");
	ck_assert_uint_eq(book_add_users(&b.book, "gmail.com"), users);
	ck_assert_uint_ne(book_add_users(&b.book, "mail.example"), users);
	expect_text(&b, mta_addr_make(users, 17), "u17@gmail.com", "gmail.com");
	bed_release(&b);
}
END_TEST

START_TEST(senders_of_sources)
{
	struct bed b;
	uint32_t web, plain;

	bed_init(&b);
	web = book_add_source(&b.book, "app{n}-{n}@shop.Example", 3);
	plain = book_add_source(&b.book, "me@a.example", 4);
	/* {n} wherever it stands; the domain in lower case, the text as is. */
	expect_text(&b, mta_addr_make(web, 1099511627775),
		    "app1099511627775-1099511627775@shop.Example",
		    "shop.example");
	expect_text(&b, mta_addr_make(plain, 5), "me@a.example", "a.example");
	expect_origin(&b, mta_addr_make(web, 123), 3, 123);
	expect_origin(&b, mta_addr_make(plain, 0), 4, 0);
	bed_release(&b);
}
END_TEST

START_TEST(rows_of_a_trace)
{
	struct bed b;
	uint32_t rows;
	mta_addr a[5];

	bed_init(&b);
	rows = book_add_rows(&b.book, 2);
	a[0] = book_add_row(&b.book, rows, "x@A.example");
	a[1] = book_add_row(&b.book, rows, "");
	a[2] = book_add_row(&b.book, rows, "y@b.example");
	a[3] = book_add_row(&b.book, rows, "x@A.example");
	a[4] = book_add_row(&b.book, rows, "");
	expect_text(&b, a[0], "x@A.example", "a.example");
	expect_text(&b, a[2], "y@b.example", "b.example");
	expect_text(&b, a[3], "x@A.example", "a.example");
	expect_text(&b, a[4], "", "");
	/* The null sender is null to the core, and tells its row all the same.
	 */
	ck_assert(mta_addr_is_null(a[1]));
	ck_assert(!mta_addr_is_null(a[0]));
	for (uint64_t i = 0; i < 5; i++)
		expect_origin(&b, a[i], 2, i);
	bed_release(&b);
}
END_TEST

START_TEST(literals)
{
	struct bed b;
	mta_addr a;

	bed_init(&b);
	a = b.book.base.lookup(&b.book.base, "Postmaster@Mail.Example");
	expect_text(&b, a, "Postmaster@Mail.Example", "mail.example");
	ck_assert_uint_eq(book_literal(&b.book, "Postmaster@Mail.Example"), a);
	ck_assert_uint_ne(book_literal(&b.book, "other@mail.example"), a);
	/* The last @ divides; without one there is no domain. */
	expect_text(&b, book_literal(&b.book, "\"a@b\"@c.example"),
		    "\"a@b\"@c.example", "c.example");
	expect_text(&b, book_literal(&b.book, "postmaster"), "postmaster", "");
	bed_release(&b);
}
END_TEST

START_TEST(notices)
{
	struct bed b;
	mta_addr first, second, doubled;

	bed_init(&b);
	first = b.book.base.notice_sender(&b.book.base, NULL);
	second = b.book.base.notice_sender(&b.book.base, NULL);
	doubled = b.book.base.notice_sender(&b.book.base, "dbl");
	ck_assert(mta_addr_is_null(first));
	ck_assert(mta_addr_is_null(second));
	ck_assert(!mta_addr_is_null(doubled));
	expect_text(&b, first, "", "");
	expect_text(&b, doubled, "dbl@mta.example", "mta.example");
	/* The old one stays as it is when the name changes. */
	expect_text(&b, b.book.base.notice_sender(&b.book.base, "other"),
		    "other@mta.example", "mta.example");
	expect_text(&b, doubled, "dbl@mta.example", "mta.example");
	/* All of one source, counted together. */
	expect_origin(&b, first, BOOK_NO_SOURCE, 0);
	expect_origin(&b, second, BOOK_NO_SOURCE, 1);
	expect_origin(&b, doubled, BOOK_NO_SOURCE, 2);
	bed_release(&b);
}
END_TEST

static void
expect_own(struct bed *b, mta_addr a, bool expected)
{
	ck_assert(b->book.base.is_own(&b->book.base, a, "dbl") == expected);
}

/* Whoever made the address, and in whatever case; both parts count. */
START_TEST(addresses_of_our_own)
{
	struct bed b;
	uint32_t rows;

	bed_init(&b);
	rows = book_add_rows(&b.book, 1);
	expect_own(&b, b.book.base.notice_sender(&b.book.base, "dbl"), true);
	expect_own(&b, b.book.base.notice_sender(&b.book.base, NULL), false);
	expect_own(&b, book_literal(&b.book, "Dbl@MTA.example"), true);
	expect_own(&b, book_add_row(&b.book, rows, "dbl@mta.example"), true);
	expect_own(&b,
		   mta_addr_make(book_add_source(&b.book, "dbl@mta.example", 0),
				 3),
		   true);
	expect_own(&b, book_literal(&b.book, "dbl@a.example"), false);
	expect_own(&b, book_literal(&b.book, "dbl2@mta.example"), false);
	bed_release(&b);
}
END_TEST

START_TEST(long_texts_are_cut)
{
	struct bed b;
	uint32_t web;
	char buffer[8];

	bed_init(&b);
	web = book_add_source(&b.book, "app{n}@shop.example", 0);
	memset(buffer, 'x', sizeof(buffer));
	b.book.base.text(&b.book.base, mta_addr_make(web, 12345), buffer,
			 sizeof(buffer));
	ck_assert_str_eq(buffer, "app1234");
	book_number_into("{n}", 7, buffer, 1);
	ck_assert_str_eq(buffer, "");
	bed_release(&b);
}
END_TEST

START_TEST(many_domains)
{
	/* Families are found again, however many there are. */
	enum {
		DOMAINS = 20000
	};
	static uint32_t families[DOMAINS];
	struct bed b;

	bed_init(&b);
	for (uint32_t i = 0; i < DOMAINS; i++) {
		char name[32];

		snprintf(name, sizeof(name), "d%u.example", i);
		families[i] = book_add_users(&b.book, name);
	}
	for (uint32_t i = 0; i < DOMAINS; i += 997) {
		char name[32], text[48];

		snprintf(name, sizeof(name), "d%u.example", i);
		snprintf(text, sizeof(text), "u0@%s", name);
		ck_assert_uint_eq(book_add_users(&b.book, name), families[i]);
		expect_text(&b, mta_addr_make(families[i], 0), text, name);
	}
	bed_release(&b);
}
END_TEST

Suite *
book_suite(void)
{
	Suite *s = suite_create("book");
	TCase *t = tcase_create("book");

	tcase_add_test(t, mailboxes);
	tcase_add_test(t, senders_of_sources);
	tcase_add_test(t, rows_of_a_trace);
	tcase_add_test(t, literals);
	tcase_add_test(t, notices);
	tcase_add_test(t, addresses_of_our_own);
	tcase_add_test(t, long_texts_are_cut);
	tcase_add_test(t, many_domains);
	suite_add_tcase(s, t);
	return s;
}
