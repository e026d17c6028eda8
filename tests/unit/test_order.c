/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Places of jobs (src/mta/order.c): numbers that order them as the list does,
 * wherever a job is put and however often. What the numbers are used for is
 * judged beside a scheduler that walks (tests/reference).
 */
#include <check.h>

#include "mta/order.h"

enum {
	/* A gap is halved by each job that is put there: of 2^24, it is used up
	 * by the 25th. */
	JOBS = 100
};

static struct mta_transport transport;
static struct mta_qmail mail;
static struct mta_job jobs[JOBS + 2];

static void
set_up(void)
{
	transport = (struct mta_transport){0};
	mta_order_init(&transport);
	for (int i = 0; i < JOBS + 2; i++) {
		struct mta_job *j = &jobs[i];

		*j = (struct mta_job){.transport = &transport, .mail = &mail};
		mta_list_init(&j->in_special);
		mta_list_init(&j->in_unread);
		mta_list_init(&j->peers);
		mta_list_init(&j->children);
	}
	mta_order_insert(&jobs[JOBS], NULL);
	mta_order_insert(&jobs[JOBS + 1], NULL);
}

/* Numbers ascend along the list; the first of the jobs before or behind the
 * next, as step says, from the first one to the last. */
static void
judge(int first, int step, int last)
{
	const struct mta_job *j = mta_order_head(&transport);
	int count = 0;

	for (const struct mta_job *next; j; j = next, count++) {
		next = mta_order_successor(j);
		if (next)
			ck_assert_int_lt(j->place, next->place);
	}
	ck_assert_int_eq(count, JOBS + 2);
	for (int i = first; i != last; i += step)
		ck_assert_int_lt(jobs[i].place, jobs[i + step].place);
}

/* As those that jump one current job: each stands behind the one before. */
START_TEST(before_the_same_job)
{
	for (int i = 0; i < JOBS; i++)
		mta_order_insert(&jobs[i], &jobs[JOBS + 1]);
	judge(0, 1, JOBS - 1);
	ck_assert_ptr_eq(mta_order_head(&transport), &jobs[JOBS]);
	ck_assert_ptr_eq(mta_order_successor(&jobs[JOBS - 1]), &jobs[JOBS + 1]);
}
END_TEST

/* As those that jump each other. */
START_TEST(before_the_one_before)
{
	for (int i = 0; i < JOBS; i++)
		mta_order_insert(&jobs[i], i ? &jobs[i - 1] : &jobs[JOBS + 1]);
	judge(JOBS - 1, -1, 0);
	ck_assert_ptr_eq(mta_order_successor(&jobs[JOBS]), &jobs[JOBS - 1]);
	ck_assert_ptr_eq(mta_order_successor(&jobs[0]), &jobs[JOBS + 1]);
}
END_TEST

/* Before all others, and behind them. */
START_TEST(at_the_ends)
{
	for (int i = 0; i < JOBS / 2; i++)
		mta_order_insert(&jobs[i], mta_order_head(&transport));
	for (int i = JOBS / 2; i < JOBS; i++)
		mta_order_insert(&jobs[i], NULL);
	judge(JOBS / 2 - 1, -1, 0);
	judge(JOBS / 2, 1, JOBS - 1);
	ck_assert_ptr_eq(mta_order_successor(&jobs[0]), &jobs[JOBS]);
}
END_TEST

Suite *
order_suite(void)
{
	Suite *s = suite_create("order");
	TCase *tc = tcase_create("places");

	tcase_add_checked_fixture(tc, set_up, NULL);
	tcase_add_test(tc, before_the_same_job);
	tcase_add_test(tc, before_the_one_before);
	tcase_add_test(tc, at_the_ends);
	suite_add_tcase(s, tc);
	return s;
}
