/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The naive scheduler against the published and hand-derived sequences of
 * F17.4, and the feedback model against the window tables of F17.1 and F17.2.
 * Every expected text below is copied from the fact sheet, where it was
 * computed by another model and checked against the sequences printed in
 * SCHEDULER_README. Exit 0 when all agree, 1 otherwise; one line for each
 * difference.
 */
#include "tests/reference/feedback_model.h"
#include "tests/reference/naive_sched.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures;

static void
expect_text(const char *what, const char *got, const char *want)
{
	if (strcmp(got, want) == 0)
		return;
	failures++;
	printf("FAIL %s\n  got  %s\n  want %s\n", what, got, want);
}

static struct ns_queue *
to_only_queue(void *ctx, struct ns_msg *m, struct ns_rcpt *r)
{
	struct ns_queue **only = ctx;

	(void)m;
	(void)r;
	return *only;
}

struct job_case {
	const char *name;
	int cost, loan, discount, min_slots;
	const char *jobs; /* "A100 b1": a letter and its entries */
	const char *want; /* runs: letter, count when above one */
};

static const struct job_case job_cases[] = {
	{"cost 2", 2, 0, 0, 3, "1:10 2:2 3:2", "1x4 2x2 1x4 3x2 1x2"},
	{"cost 2 discount 50", 2, 0, 50, 3, "1:10 2:2 3:2",
	 "1x2 2x2 1x4 3x2 1x4"},
	{"defaults, six small", 5, 3, 50, 3, "A:100 b:1 c:1 d:1 e:1 f:1 g:1",
	 "Ax1 bx1 Ax5 cx1 Ax5 dx1 Ax5 ex1 Ax5 fx1 Ax5 gx1 Ax74"},
	{"below minimum", 5, 3, 50, 3, "A:14 b:1 c:1", "Ax14 bx1 cx1"},
	{"at minimum", 5, 3, 50, 3, "A:15 b:1 c:1 d:1 e:1",
	 "Ax1 bx1 Ax5 cx1 Ax5 dx1 Ax4 ex1"},
	{"6 and 7", 5, 3, 50, 3, "A:100 B:6 C:7", "Ax1 Bx6 Ax34 Cx7 Ax65"},
	{"10", 5, 3, 50, 3, "A:100 B:10", "Ax10 Bx10 Ax90"},
	{"cost 5 alone", 5, 0, 0, 3, "A:100 b:1 c:1 d:1 e:1",
	 "Ax5 bx1 Ax5 cx1 Ax5 dx1 Ax5 ex1 Ax80"},
	{"cost 0", 0, 3, 50, 3, "A:20 b:1", "Ax20 bx1"},
	{"cost 1", 1, 3, 50, 3, "A:20 b:1", "Ax20 bx1"},
};

static void
admit_jobs(struct ns_sched *s, const char *jobs)
{
	static const char address[] = "u@a.test";
	static char letters[128];
	char name;
	int n;
	int used;

	for (; sscanf(jobs, " %c:%d%n", &name, &n, &used) == 2; jobs += used) {
		struct ns_rcpt *r = calloc((size_t)n, sizeof(*r));

		if (r == NULL)
			abort();
		for (int k = 0; k < n; k++)
			r[k].address = address;
		letters[(int)name] = name;
		ns_admit(s, r, n, 0, &letters[(int)name]);
	}
}

static size_t
print_run(char *out, size_t room, char name, int count)
{
	int n = count == 0 ? 0 : snprintf(out, room, " %cx%d", name, count);

	return (size_t)n;
}

static void
check_jobs(const struct job_case *c)
{
	struct ns_params p = {.slot_cost = c->cost,
			      .slot_loan = c->loan,
			      .slot_discount = c->discount,
			      .min_slots = c->min_slots,
			      .recipient_limit = 20000,
			      .extra_limit = 1000,
			      .refill_limit = 100,
			      .refill_delay_s = 5,
			      .batch_limit = 1,
			      .initial = 100000};
	struct ns_queue *only = NULL;
	struct ns_sched *s = ns_new(20000, 10, to_only_queue, &only);
	struct ns_transport *t = ns_transport_add(s, "smtp", &p);
	struct ns_entry *e;
	char got[1000] = "";
	size_t len = 0;
	char last = 0;
	int run = 0;

	only = ns_queue_add(t, "a.test");
	admit_jobs(s, c->jobs);
	while ((e = ns_select(t, 0)) != NULL) {
		struct ns_msg *m = e->msg;
		char name = *(char *)m->user;

		if (name != last) {
			len += print_run(got + len, sizeof(got) - len, last,
					 run);
			run = 0;
		}
		last = name;
		run++;
		if (ns_finish(e, 0))
			ns_forget(m);
	}
	print_run(got + len, sizeof(got) - len, last, run);
	expect_text(c->name, got + (got[0] == ' '), c->want);
	ns_free(s);
}

/* ---- windows ---- */

struct window_case {
	const char *name;
	const char *down;
	int cohorts_max;
	int from;
	int events; /* until dead */
	const char
		*want; /* windows after each event, X dead; "" only the count */
};

static const struct window_case window_cases[] = {
	{"neg 1 from 1", "1", 1, 1, 1, "X"},
	{"neg 1 from 2", "1", 1, 2, 2, "1 X"},
	{"neg 1 from 3", "1", 1, 3, 2, "1 X"},
	{"neg 1 from 5", "1", 1, 5, 3, "3 2 X"},
	{"neg 1 from 10", "1", 1, 10, 7, "8 7 6 5 4 3 X"},
	{"neg 1 from 20", "1", 1, 20, 13, "18 17 16 15 14 13 12 11 10 9 8 7 X"},
	{"neg 1/c from 5", "1/concurrency", 1, 5, 5, "4 4 4 3 X"},
	{"neg 1/c from 10", "1/concurrency", 1, 10, 10, ""},
	{"neg 1/c from 20", "1/concurrency", 1, 20, 20, ""},
	{"neg 0.25 from 5", "0.25", 1, 5, 5, "4 4 4 3 X"},
	{"neg 0.25 from 10", "0.25", 1, 10, 9, "9 9 9 8 8 8 8 7 X"},
	{"neg 0 from 5", "0", 1, 5, 5, "5 5 5 5 X"},
	{"neg 0 from 10", "0", 1, 10, 11, ""},
	{"neg 0 from 20", "0", 1, 20, 20, ""},
	{"cohorts 2 from 5", "1", 2, 5, 4, "3 2 1 X"},
	{"cohorts 3 from 5", "1", 3, 5, 5, "3 2 1 1 X"},
	{"cohorts 10 from 5", "1", 10, 5, 12, ""},
	{"cohorts 100 from 5", "1", 100, 5, 102, ""},
};

static void
check_window(const struct window_case *c)
{
	struct fm_rule r = {
		.cohorts_max = c->cohorts_max, .limit = 20, .initial = c->from};
	struct fm_state s;
	char got[600] = "";
	char count[64];
	char wanted[64];
	size_t len = 0;
	int n = 0;

	if (!fm_value_parse("1", &r.up) || !fm_value_parse(c->down, &r.down))
		abort();
	fm_init(&s, &r);
	while (s.window > 0 && n < 200) {
		fm_sick(&s, &r);
		n++;
		if (s.window > 0)
			len += (size_t)snprintf(got + len, sizeof(got) - len,
						"%d ", s.window);
	}
	snprintf(got + len, sizeof(got) - len, "X");
	if (c->want[0] != '\0')
		expect_text(c->name, got, c->want);
	snprintf(count, sizeof(count), "%d events", n);
	snprintf(wanted, sizeof(wanted), "%d events", c->events);
	expect_text(c->name, count, wanted);
}

/* Growth with all deliveries busy: the numbers of the events that raise the
 * window. */
static void
check_growth(const char *up, const char *want)
{
	struct fm_rule r = {.cohorts_max = 1, .limit = 20, .initial = 5};
	struct fm_state s;
	char got[300] = "";
	size_t len = 0;
	int steps = 0;

	if (!fm_value_parse(up, &r.up) || !fm_value_parse("1", &r.down))
		abort();
	fm_init(&s, &r);
	for (int n = 1; steps < 5; n++) {
		int before = s.window;

		fm_alive(&s, &r, s.window);
		if (s.window == before)
			continue;
		steps++;
		len += (size_t)snprintf(got + len, sizeof(got) - len, " %d", n);
	}
	expect_text(up, got + 1, want);
}

static void
check_alternation(void)
{
	struct fm_rule r = {.cohorts_max = 1, .limit = 20, .initial = 5};
	struct fm_state s;
	char got[300] = "";
	size_t len = 0;

	if (!fm_value_parse("1", &r.up) || !fm_value_parse("1", &r.down))
		abort();
	fm_init(&s, &r);
	s.window = 20;
	for (int i = 0; i < 8; i++) {
		if (i % 2 == 0)
			fm_sick(&s, &r);
		else
			fm_alive(&s, &r, s.window);
		len += (size_t)snprintf(got + len, sizeof(got) - len, " %d",
					s.window);
	}
	expect_text("alternating from 20", got + 1, "18 19 17 18 16 17 15 16");
}

int
main(void)
{
	for (size_t i = 0; i < sizeof(job_cases) / sizeof(job_cases[0]); i++)
		check_jobs(&job_cases[i]);
	for (size_t i = 0; i < sizeof(window_cases) / sizeof(window_cases[0]);
	     i++)
		check_window(&window_cases[i]);
	check_growth("1", "1 2 3 4 5");
	check_growth("1/4", "4 8 12 16 20");
	check_growth("1/3", "3 6 9 12 15");
	check_growth("0.4", "2 5 7 10 12");
	check_growth("1/concurrency", "5 11 18 26 35");
	check_alternation();
	printf("naive scheduler and feedback model: %s\n",
	       failures == 0 ? "ok" : "FAILED");
	return failures == 0 ? 0 : 1;
}
