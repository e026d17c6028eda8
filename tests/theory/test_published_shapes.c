/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The published tables of qshape (QSHAPE_README: the introduction and examples
 * 1, 2 and 4). Of each a queue is made that should give it: as many mails of
 * each age as its rows say, and what is left of TOTAL at domains that are less
 * than the last row shown. Then our table must begin with the published lines,
 * in their order and to the blank, but for the margin at the left, which there
 * has been cut. Domains are others of the same length.
 *
 * What is published and cannot be had:
 *  - example 3 comes from an older program, with a column for the active queue;
 *  - example 4 says that of mail between 80 and 160 minutes old there are 1000,
 *    1440 of them for one domain. With 1440 the total is 5440.
 */
#include <stdlib.h>

#include "mta/shape.h"
#include "tests/harness.h"
#include "tests/page.h"
#include "tests/world_run.h"

enum {
	BUCKETS = 10,
	LINES = 9
};

struct published_row {
	const char *name;
	const char *counts; /* as printed behind the name */
};

struct published {
	const char *title;
	const char *queue;
	bool by_sender;
	struct published_row rows[LINES]; /* TOTAL first */
};

static const struct published tables[] = {
	{.title = "the intro's: senders of what is held",
	 .queue = "hold",
	 .by_sender = true,
	 .rows =
		 {
			 {"TOTAL",
			  " 486  0  0  1  0  0   2   4  20   40   419"},
			 {"aaaa.test",
			  "  14  0  0  1  0  0   0   0   1    0    12"},
			 {"bbbbbbbbbbbbbbb.test",
			  "  13  0  0  0  0  0   0   0   2    0    11"},
			 {"ccccccccc.test",
			  "  12  0  0  0  0  0   0   0   0    1    11"},
			 {"ddddddddddd.test",
			  "  12  0  0  0  0  0   0   0   2    0    10"},
			 {"eeeeee.test",
			  "  11  0  0  0  0  0   0   0   0    1    10"},
			 {"ffffff.test",
			  "   6  0  0  0  0  0   0   0   0    0     6"},
			 {"ggggggggg.test",
			  "   6  0  0  0  0  0   0   0   0    0     6"},
			 {"h.test",
			  "   5  0  0  0  0  0   1   0   0    0     4"},
		 }},
	{.title = "example 1: incoming",
	 .queue = "incoming",
	 .by_sender = false,
	 .rows =
		 {
			 {"TOTAL", "  5  0  0  0  1  0   0   0   1    1     2"},
			 {"iiiiiiii.test",
			  "  5  0  0  0  1  0   0   0   1    1     2"},
		 }},
	{.title = "example 2: recipients of what is deferred",
	 .queue = "deferred",
	 .by_sender = false,
	 .rows =
		 {
			 {"TOTAL",
			  " 2234  4  2  5  9 31  57 108 201  464  1353"},
			 {"jjjjjjjjjjjjjj.test",
			  "  207  0  0  1  1  6   6   8  25   68    92"},
			 {"kkkkkkkkkkkkkk.test",
			  "  105  0  0  0  0  0   0   0   5   44    56"},
			 {"lllllllll.test",
			  "   63  2  1  2  4  4  14  14  14    8     0"},
			 {"mmmmmmmmmmmm.test",
			  "   49  0  0  0  1  0   2   4   3   16    23"},
			 {"nnnnnn.test",
			  "   46  0  0  0  0  1   0   2   6   12    25"},
			 {"iiiiiiii.test",
			  "   44  0  0  0  0  1   0   2   8   11    22"},
			 {"oooooooooooo.test",
			  "   43  1  0  0  1  1   3   3   6   12    16"},
			 {"ppppppppppppppp.test",
			  "   41  0  0  0  0  0   1   2  11   12    15"},
		 }},
	{.title = "example 2: senders of the same",
	 .queue = "deferred",
	 .by_sender = true,
	 .rows =
		 {
			 {"TOTAL",
			  " 2193  4  4  5  8 33  56 104 205  465  1309"},
			 {"MAILER-DAEMON",
			  " 1709  4  4  5  8 33  55 101 198  452   849"},
			 {"example.com",
			  "  263  0  0  0  0  0   0   0   0    2   261"},
			 {"example.org",
			  "  209  0  0  0  0  0   1   3   6   11   188"},
			 {"example.net",
			  "    6  0  0  0  0  0   0   0   0    0     6"},
			 {"example.edu",
			  "    3  0  0  0  0  0   0   0   0    0     3"},
			 {"example.gov",
			  "    2  0  0  0  0  0   0   0   1    0     1"},
			 {"example.mil",
			  "    1  0  0  0  0  0   0   0   0    0     1"},
		 }},
	{.title = "example 4: a destination that is down",
	 .queue = "deferred",
	 .by_sender = false,
	 .rows =
		 {
			 {"TOTAL",
			  " 5000 200 200 400 800 1600 1000 200 200  200   200"},
			 {"qqqqqqqqq.test",
			  " 4000 160 160 320 640 1280 1440   0   0    0     0"},
		 }},
};

/* An age within each bucket, in minutes: below 5, 10, 20 and so on. */
static const int ages[BUCKETS] = {2, 7, 15, 30, 60, 120, 240, 480, 960, 2000};

struct row {
	long total;
	long count[BUCKETS];
};

static struct row
row_read(const struct published_row *published)
{
	const char *at = published->counts;
	struct row r;
	int used = 0;
	long sum = 0;

	ck_assert_int_eq(sscanf(at, "%ld%n", &r.total, &used), 1);
	for (int b = 0; b < BUCKETS; b++) {
		at += used;
		ck_assert_int_eq(sscanf(at, "%ld%n", &r.count[b], &used), 1);
		sum += r.count[b];
	}
	ck_assert_msg(sum == r.total, "%s", published->counts);
	return r;
}

static void
say_mail(FILE *out, const struct published *p, const char *name, int bucket,
	 long count)
{
	bool by_nobody = strcmp(name, "MAILER-DAEMON") == 0;

	if (count == 0)
		return;
	fprintf(out, "  - {queue: %s, messages: %ld, age: %dm, ", p->queue,
		count, ages[bucket]);
	if (!p->by_sender)
		fprintf(out, "to: %s}\n", name);
	else if (by_nobody)
		fprintf(out, "sender: \"\", to: other.test}\n");
	else
		fprintf(out, "sender: \"x@%s\", to: other.test}\n", name);
}

/* What is left of a bucket, a few for each of many domains. */
static void
say_rest(FILE *out, const struct published *p, int bucket, long left, long few)
{
	char name[64];

	for (int n = 0; left > 0; n++, left -= few) {
		snprintf(name, sizeof(name), "rest%d.b%d.test", n, bucket);
		say_mail(out, p, name, bucket, left < few ? left : few);
	}
}

static void
say_start(FILE *out, const struct published *p)
{
	struct row total = row_read(&p->rows[0]);
	long few = 1;

	fprintf(out, "start:\n");
	for (int i = 1; i < LINES && p->rows[i].name; i++) {
		struct row r = row_read(&p->rows[i]);

		for (int b = 0; b < BUCKETS; b++) {
			say_mail(out, p, p->rows[i].name, b, r.count[b]);
			total.count[b] -= r.count[b];
		}
		few = r.total - 1;
	}
	for (int b = 0; b < BUCKETS; b++)
		say_rest(out, p, b, total.count[b], few);
}

/* The scenario of a table; freed by the caller. */
static char *
scenario_of(const struct published *p)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(out);
	fprintf(out, "scenario: shapes\nrun: {for: 10s}\n"
		     "receivers: {silent: {state: timeout}}\n"
		     "domains: {\"*\": {receiver: silent}}\n");
	say_start(out, p);
	fclose(out);
	return text;
}

/* ---- what is printed ----------------------------------------------------- */

static struct page page;

static void
print_shape(struct world_run *run, bool by_sender, enum mta_queue queue)
{
	struct mta_shape_options options = mta_shape_defaults();
	struct mta_shape s;

	options.by_sender = by_sender;
	mta_shape_init(&s, world_host(&run->world), &options);
	mta_shape_add_queue(&s, queue);
	page_clear(&page);
	mta_shape_print(&s, &page.base);
	mta_shape_release(&s);
}

/* Line n of the page, from 0, without its margin. */
static const char *
line_of_page(int n)
{
	static char line[256];
	const char *at = page.text;

	for (; n > 0; n--) {
		at = strchr(at, '\n');
		ck_assert_ptr_nonnull(at);
		at++;
	}
	at += strspn(at, " ");
	snprintf(line, sizeof(line), "%.*s", (int)strcspn(at, "\n"), at);
	return line;
}

static enum mta_queue
queue_of(const struct published *p)
{
	if (strcmp(p->queue, "hold") == 0)
		return MTA_HOLD;
	return strcmp(p->queue, "incoming") == 0 ? MTA_INCOMING : MTA_DEFERRED;
}

/* The head, and our lines for the rows; `from`: the first that is judged. */
static void
judge(const struct published *p, const char *head, int from)
{
	char line[256];

	ck_assert_str_eq(line_of_page(0), head);
	for (int i = from; i < LINES && p->rows[i].name; i++) {
		snprintf(line, sizeof(line), "%s%s", p->rows[i].name,
			 p->rows[i].counts);
		ck_assert_msg(strcmp(line_of_page(i + 1), line) == 0,
			      "%s\npublished: %s\nours:      %s", p->title,
			      line, line_of_page(i + 1));
	}
}

static struct world_run *
open_table(const struct published *p)
{
	char *text = scenario_of(p);
	struct world_run *run = world_run_open(text, NULL);

	free(text);
	return run;
}

static const char usual_head[] = "T  5 10 20 40 80 160 320 640 1280 1280+";

/* Looked at before the first event, so that nothing has moved. */
START_TEST(tables_of_the_introduction_and_of_example_2)
{
	static const int which[] = {0, 2, 3};

	for (size_t i = 0; i < sizeof(which) / sizeof(which[0]); i++) {
		const struct published *p = &tables[which[i]];
		struct world_run *run = open_table(p);

		print_shape(run, p->by_sender, queue_of(p));
		judge(p, usual_head, 0);
		world_run_close(run);
	}
}
END_TEST

/* Example 1: first all of it is in incoming; a second later it is in active,
 * where a site that says nothing keeps it, and incoming has none. */
START_TEST(table_of_example_1)
{
	const struct published *p = &tables[1];
	struct world_run *run = open_table(p);

	print_shape(run, false, MTA_INCOMING);
	judge(p, usual_head, 0);
	world_run_until(run, INT64_C(1000000));
	print_shape(run, false, MTA_ACTIVE);
	judge(p, usual_head, 0);
	print_shape(run, false, MTA_INCOMING);
	ck_assert_str_eq(line_of_page(1),
			 "TOTAL  0  0  0  0  0  0   0   0   0    0     0");
	world_run_close(run);
}
END_TEST

/* Example 4: the row is as published. Its 1440 do not fit into the published
 * TOTAL of that column, 1000, so ours is 440 more, there and in the sum. */
START_TEST(table_of_example_4)
{
	const struct published *p = &tables[4];
	struct world_run *run = open_table(p);

	print_shape(run, false, MTA_DEFERRED);
	judge(p, "T   5  10  20  40   80  160 320 640 1280 1280+", 1);
	ck_assert_str_eq(
		line_of_page(1),
		"TOTAL 5440 200 200 400 800 1600 1440 200 200  200   200");
	world_run_close(run);
}
END_TEST

Suite *
published_shapes_suite(void)
{
	Suite *suite = suite_create("published shapes");
	TCase *tcase = tcase_create("tables");

	tcase_add_test(tcase, tables_of_the_introduction_and_of_example_2);
	tcase_add_test(tcase, table_of_example_1);
	tcase_add_test(tcase, table_of_example_4);
	suite_add_tcase(suite, tcase);
	return suite;
}
