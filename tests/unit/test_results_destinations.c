/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rows of destinations and transports (sim/results/results_destinations.c),
 * read from a queue manager that is put together by hand: only what has changed
 * is written, the busiest by name, the rest summed.
 */
#include "tests/harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/host/book.h"
#include "sim/results/results_destinations.h"

enum {
	DESTS = 4
};

static struct bed {
	struct mta_symtab symbols;
	struct book book;
	struct tally tally;
	struct results_destinations rows;
	struct mta_qmgr qmgr;
	struct mta_transport smtp;
	struct mta_transport retry;
	struct mta_dest dests[DESTS];
	struct mta_dest text; /* of retry */
	struct table_out out;
	char dir[64];
	char path[100];
} bed;

static void
add_transport(struct mta_transport *t, const char *name)
{
	t->name = mta_sym_intern(&bed.symbols, name);
	t->window_law.initial = 5;
	mta_list_init(&t->dests);
	mta_list_init(&t->in_qmgr);
	mta_list_append(&bed.qmgr.transports, &t->in_qmgr);
}

static void
add_dest(struct mta_transport *t, struct mta_dest *d, const char *name)
{
	d->name = mta_sym_intern(&bed.symbols, name);
	d->transport = t;
	d->window.window = 5;
	mta_list_init(&d->in_transport);
	mta_list_append(&t->dests, &d->in_transport);
}

static void
setup(void)
{
	static const char *const names[DESTS] = {"a", "b", "c", "d"};

	memset(&bed, 0, sizeof(bed));
	mta_symtab_init(&bed.symbols);
	book_init(&bed.book, &bed.symbols, "host.example");
	tally_init(&bed.tally, &bed.symbols, &bed.book.base, NULL, 0);
	mta_list_init(&bed.qmgr.transports);
	add_transport(&bed.smtp, "smtp");
	add_transport(&bed.retry, "retry");
	tally_add_service(&bed.tally, bed.retry.name);
	for (int i = 0; i < DESTS; i++)
		add_dest(&bed.smtp, &bed.dests[i], names[i]);
	add_dest(&bed.retry, &bed.text, "4.4.1 refused");
	snprintf(bed.dir, sizeof(bed.dir), "/tmp/test_rows_XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(bed.dir));
	snprintf(bed.path, sizeof(bed.path), "%s/x.csv", bed.dir);
	ck_assert(table_out_open(&bed.out, bed.dir, "x.csv", "x"));
}

static void
teardown(void)
{
	results_destinations_release(&bed.rows);
	tally_release(&bed.tally);
	book_release(&bed.book);
	table_out_drop(&bed.out);
	unlink(bed.path);
	rmdir(bed.dir);
	mta_symtab_release(&bed.symbols);
}

static void
look(int64_t at_s)
{
	results_destinations_look(&bed.rows, &bed.qmgr, NULL);
	results_destinations_write(&bed.rows, &bed.out, at_s * 1000000,
				   &bed.symbols);
}

static void
attempts(int i, int count, enum mta_outcome outcome)
{
	const char *name = mta_sym_text(&bed.symbols, bed.dests[i].name);
	struct mta_trace_delivery d = {
		.recipient = mta_addr_make(book_add_users(&bed.book, name), 1),
		.transport = bed.smtp.name,
		.destination = bed.dests[i].name,
		.outcome = (uint8_t)outcome,
	};

	while (count-- > 0)
		tally_delivery(&bed.tally, &d, 0);
}

static void
expect_rows(const char *wanted)
{
	static char content[10000];
	FILE *file;
	size_t size;

	ck_assert(table_out_close(&bed.out));
	file = fopen(bed.path, "r");
	ck_assert_ptr_nonnull(file);
	size = fread(content, 1, sizeof(content) - 1, file);
	content[size] = '\0';
	fclose(file);
	ck_assert_str_eq(content + 2, wanted);
}

/* transport,destination,state,window,busy,todo,deferred,delivered,failed */
START_TEST(only_what_has_changed)
{
	results_destinations_init(&bed.rows, &bed.tally, 10);
	bed.dests[1].busy_count = 2;
	look(0);
	look(1);
	attempts(2, 3, MTA_SENT);
	attempts(2, 1, MTA_DEFERRED_OUTCOME);
	bed.dests[3].state = MTA_DEST_DEAD;
	bed.dests[3].window.window = 0;
	look(2);
	/* The queue manager forgets b: it would begin with a window of 5. */
	bed.dests[1].window.window = 9;
	look(3);
	mta_list_remove(&bed.dests[1].in_transport);
	look(4);
	look(5);
	expect_rows("0.000000,smtp,a,ready,5,0,0,0,0,0\n"
		    "0.000000,smtp,b,ready,5,2,0,0,0,0\n"
		    "0.000000,smtp,c,ready,5,0,0,0,0,0\n"
		    "0.000000,smtp,d,ready,5,0,0,0,0,0\n"
		    "2.000000,smtp,c,ready,5,0,0,0,3,1\n"
		    "2.000000,smtp,d,dead,0,0,0,0,0,0\n"
		    "3.000000,smtp,b,ready,9,2,0,0,0,0\n"
		    "4.000000,smtp,b,ready,5,0,0,0,0,0\n");
}
END_TEST

/*
 * Two names. a and b come first; c and d are summed: windows 5 + 5. When c has
 * 10 attempts it is more than twice as busy as a with 2, the least of the
 * named: it takes a's place, and a is in the sum from then on.
 */
START_TEST(the_busiest_by_name)
{
	results_destinations_init(&bed.rows, &bed.tally, 2);
	attempts(0, 2, MTA_SENT);
	attempts(1, 3, MTA_SENT);
	bed.dests[3].todo_count = 7;
	look(0);
	attempts(2, 4, MTA_SENT);
	look(1);
	attempts(2, 6, MTA_SENT);
	look(2);
	look(3);
	expect_rows("0.000000,smtp,a,ready,5,0,0,0,2,0\n"
		    "0.000000,smtp,b,ready,5,0,0,0,3,0\n"
		    "0.000000,,(other),ready,10,0,7,0,0,0\n"
		    "1.000000,,(other),ready,10,0,7,0,4,0\n"
		    "2.000000,smtp,c,ready,5,0,0,0,10,0\n"
		    "2.000000,,(other),ready,10,0,7,0,2,0\n");
}
END_TEST

START_TEST(transports)
{
	results_destinations_init(&bed.rows, &bed.tally, 10);
	bed.dests[0].todo_count = 3;
	bed.dests[1].todo_count = 4;
	bed.dests[1].busy_count = 2;
	bed.smtp.pending = 1;
	bed.retry.is_throttled = true;
	results_destinations_look(&bed.rows, &bed.qmgr, NULL);
	results_transports_write(&bed.rows, &bed.out, 0, NULL, &bed.symbols);
	expect_rows("0.000000,smtp,0,2,1,7,ready\n"
		    "0.000000,retry,0,0,0,0,throttled\n");
	ck_assert_int_eq(results_busy(&bed.rows, NULL), 2);
}
END_TEST

/* A destination of that name on two transports: the sum, or one of them. */
START_TEST(columns)
{
	struct mta_symtab *s = &bed.symbols;
	struct results_destinations *r = &bed.rows;
	struct mta_transport lmtp = {.pending = 0};
	struct mta_dest other = {.todo_count = 11};

	results_destinations_init(r, &bed.tally, 1);
	add_transport(&lmtp, "lmtp");
	add_dest(&lmtp, &other, "b");
	bed.dests[1].todo_count = 4;
	results_destinations_look(r, &bed.qmgr, NULL);
	ck_assert_double_eq_tol(
		results_destinations_column(r, "todo", NULL, "b", s), 15, 1e-9);
	ck_assert_double_eq_tol(
		results_destinations_column(r, "todo", "smtp", "b", s), 4,
		1e-9);
	ck_assert_double_eq_tol(
		results_destinations_column(r, "window", "lmtp", "b", s), 5,
		1e-9);
	ck_assert(isnan(
		results_destinations_column(r, "todo", NULL, "nobody", s)));
	ck_assert_double_eq_tol(
		results_transports_column(r, "todo", "lmtp", NULL, s), 11,
		1e-9);
}
END_TEST

/* What no record has named is nothing, and not what has no name. */
START_TEST(unknown_names)
{
	struct mta_symtab *s = &bed.symbols;
	struct results_destinations *r = &bed.rows;
	mta_addr stranger =
		mta_addr_make(book_add_users(&bed.book, "c.example"), 1);

	results_destinations_init(r, &bed.tally, 1);
	tally_deferred(&bed.tally, tally_pair_of_none(&bed.tally), 1);
	tally_deferred(&bed.tally, tally_pair_of(&bed.tally, stranger), 1);
	results_destinations_look(r, &bed.qmgr, NULL);
	ck_assert_double_eq_tol(results_destinations_column(r, "deferred", NULL,
							    "c.example", s),
				1, 1e-9);
	ck_assert(isnan(
		results_destinations_column(r, "deferred", NULL, "nobody", s)));
	ck_assert(isnan(results_destinations_column(r, "deferred", "nobody",
						    "c.example", s)));
}
END_TEST

Suite *
results_destinations_suite(void)
{
	Suite *suite = suite_create("results_destinations");
	TCase *c = tcase_create("all");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, only_what_has_changed);
	tcase_add_test(c, the_busiest_by_name);
	tcase_add_test(c, transports);
	tcase_add_test(c, columns);
	tcase_add_test(c, unknown_names);
	suite_add_tcase(suite, c);
	return suite;
}
