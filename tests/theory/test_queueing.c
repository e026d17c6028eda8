/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Textbook queues through the real queue code. One destination whose window is
 * fixed (initial = limit = c, feedback 0, cohort limit 0), nothing costs time
 * but the delivery itself, in_flow_delay 0: then a mail waits for one of c
 * servers, first come first served, and the closed forms hold.
 *
 * Method: independent replications, each from an empty system; the first tenth
 * of its mails is left out. The mean wait of the replications has a Student-t
 * interval of 99 %; the closed form must lie in it, and half its width must be
 * at most the share of the closed form that the case states. Replications have
 * fixed numbers, so a test passes always or never. More mails at a higher scale
 * make the interval narrower.
 *
 * Little's law is counted there too: the integral of the number of mails in the
 * system equals the sum of their times in it, exactly, in integer microseconds.
 */
#include <check.h>
#include <math.h>
#include <stdio.h>

#include "tests/harness.h"
#include "tests/world_run.h"

enum {
	REPLICATIONS = 20
};
/* Student's t, 19 degrees of freedom, 99.5 %: tables give 2.861. */
#define T_99 2.861

/* ---- closed forms ------------------------------------------------------ */

/* Erlang's B by its recursion, then C; a: offered load. */
static double
erlang_c(int servers, double a)
{
	double b = 1.0;

	for (int k = 1; k <= servers; k++)
		b = a * b / (k + a * b);
	return b / (1.0 - a / servers * (1.0 - b));
}

/* Mean wait in M/M/c, in mean service times. */
static double
mmc_wait(int servers, double load)
{
	return erlang_c(servers, servers * load) / (servers * (1.0 - load));
}

/* Probability that a Poisson number of mean a is at least k. */
static double
poisson_tail(double a, int k)
{
	double below = 0.0;
	double at_least = 0.0;
	double term;

	if (k > a) {
		term = exp(-a + k * log(a) - lgamma(k + 1.0));
		for (int i = k; term > 1e-18; term *= a / ++i)
			at_least += term;
		return at_least;
	}
	term = exp(-a + (k - 1) * log(a) - lgamma(k));
	for (int i = k - 1; i >= 0; term *= i / a, i--)
		below += term;
	return 1.0 - below;
}

/* Mean wait in M/D/c, in service times: Crommelin's series (1932). For c = 1 it
 * sums to load / (2 (1 - load)), as Pollaczek and Khinchine have it. */
static double
mdc_wait(int servers, double load)
{
	double wait = 0.0;
	double term = 1.0;

	for (int k = 1; k < 5000 && fabs(term) > 1e-13; k++) {
		double a = k * servers * load;

		term = poisson_tail(a, k * servers) -
		       poisson_tail(a, k * servers + 1) / load;
		wait += term;
	}
	return wait;
}

/* ---- measuring --------------------------------------------------------- */

struct queue_case {
	const char *name;
	int servers;
	double load;
	double service_s; /* mean */
	const char *law;  /* of the transfer */
	double wait_s;	  /* closed form */
	int mails;	  /* of a replication, at scale 1 */
	double width;	  /* half the interval, most, as a share of wait_s */
};

/* Sums over the deliveries of a replication, and Little's two sides. */
struct waits {
	struct mta_sink sink;
	uint32_t first; /* serials below are left out */
	int64_t count;
	int64_t sum_us;
	int64_t inside;	  /* mails in the system */
	mta_time changed; /* when that changed last */
	int64_t integral; /* mails x microseconds */
	int64_t sojourns; /* microseconds */
	int64_t arrivals;
};

static void
waits_take(struct mta_sink *sink, enum mta_trace_kind kind, const void *record)
{
	struct waits *w = mta_container_of(sink, struct waits, sink);

	if (kind == MTA_TRACE_DELIVERY) {
		const struct mta_trace_delivery *d = record;

		if (d->serial < w->first)
			return;
		w->count++;
		w->sum_us += d->handoff - d->arrival;
	} else if (kind == MTA_TRACE_MOVE) {
		const struct mta_trace_move *m = record;

		w->integral += w->inside * (m->at - w->changed);
		w->changed = m->at;
		w->arrivals += m->from == MTA_QUEUES;
		w->inside += (m->from == MTA_QUEUES) - (m->to == MTA_QUEUES);
	} else {
		const struct mta_trace_ended *e = record;

		w->sojourns += e->at - e->accepted;
	}
}

static double
replicate(const struct queue_case *c, uint32_t replication)
{
	struct waits waits = {.sink.take = waits_take};
	long mails = c->mails * (harness_scale() < 8 ? harness_scale() : 8);
	unsigned kinds = WORLD_RUN_KEEP(DELIVERY) | WORLD_RUN_KEEP(MOVE) |
			 WORLD_RUN_KEEP(ENDED);
	char text[2048];
	struct world_run *r;

	snprintf(text, sizeof(text),
		 "scenario: %s\nseed: 11\nrun: {until: drained}\n"
		 "mta:\n"
		 "  in_flow_delay: 0\n"
		 "  initial_destination_concurrency: %d\n"
		 "  default_destination_concurrency_limit: %d\n"
		 "  default_destination_concurrency_positive_feedback: 0\n"
		 "  default_destination_concurrency_negative_feedback: 0\n"
		 "  default_destination_concurrency_failed_cohort_limit: 0\n"
		 "transports: {smtp: {maxproc: 0}}\n"
		 "receivers: {r: {transfer: %s}}\n"
		 "domains: {a.example: {receiver: r}}\n"
		 "sources:\n"
		 "  s: {arrivals: {poisson: %.9g/s}, messages: %ld, "
		 "to: a.example}\n",
		 c->name, c->servers, c->servers, c->law,
		 c->servers * c->load / c->service_s, mails);
	waits.first = (uint32_t)(mails / 10);
	r = world_run_open(text, &(struct world_run_options){
					 .replication = replication,
					 .keep = WORLD_RUN_KEEP(THROTTLE),
					 .also = &waits.sink,
					 .also_kinds = kinds});
	world_run_finish(r);
	world_run_close(r);
	ck_assert_int_eq(waits.arrivals, mails);
	ck_assert_int_eq(waits.inside, 0);
	ck_assert_int_eq(waits.count, mails - mails / 10);
	/* Little: every mail is in the system from its commit to its end. */
	ck_assert_int_eq(waits.integral, waits.sojourns);
	ck_assert_int_gt(waits.integral, 0);
	return (double)waits.sum_us / (double)waits.count / 1e6;
}

static void
judge(const struct queue_case *c)
{
	double mean = 0.0;
	double square = 0.0;
	double half;

	for (uint32_t i = 0; i < REPLICATIONS; i++) {
		double x = replicate(c, i);

		mean += x / REPLICATIONS;
		square += x * x / REPLICATIONS;
	}
	half = T_99 * sqrt((square - mean * mean) / (REPLICATIONS - 1));
	printf("theory: %-18s wait %.6f s, measured %.6f +- %.6f (%.1f %%)\n",
	       c->name, c->wait_s, mean, half, 100 * half / c->wait_s);
	fflush(stdout);
	ck_assert_double_le(fabs(mean - c->wait_s), half);
	ck_assert_double_le(half, c->width * c->wait_s);
}

/* ---- cases ------------------------------------------------------------- */

/* Published: c = 100, a = 90 has C = 0.216940480906 (performance tables), c = 1
 * has C = load, and M/D/1 at load 0.8 waits 2 service times. */
START_TEST(closed_forms)
{
	ck_assert_double_eq_tol(erlang_c(100, 90.0), 0.216940480906, 1e-11);
	ck_assert_double_eq_tol(erlang_c(1, 0.8), 0.8, 1e-12);
	ck_assert_double_eq_tol(mdc_wait(1, 0.8), 2.0, 1e-9);
	ck_assert_double_eq_tol(mdc_wait(1, 0.5), 0.5, 1e-9);
}
END_TEST

/* M/M/1: load / (1 - load) service times. */
START_TEST(mm1)
{
	judge(&(struct queue_case){.name = "mm1-50",
				   .servers = 1,
				   .load = 0.5,
				   .service_s = 0.01,
				   .law = "{exponential: 10ms}",
				   .wait_s = 0.01,
				   .mails = 20000,
				   .width = 0.03});
	judge(&(struct queue_case){.name = "mm1-80",
				   .servers = 1,
				   .load = 0.8,
				   .service_s = 0.01,
				   .law = "{exponential: 10ms}",
				   .wait_s = 0.04,
				   .mails = 25000,
				   .width = 0.05});
}
END_TEST

START_TEST(mmc)
{
	static const int servers[] = {4, 20, 100};
	static const double load[] = {0.8, 0.9, 0.9};
	static const double width[] = {0.06, 0.13, 0.25};

	for (int i = 0; i < 3; i++) {
		char name[16];

		snprintf(name, sizeof(name), "mm%d-%.0f", servers[i],
			 100 * load[i]);
		judge(&(struct queue_case){
			.name = name,
			.servers = servers[i],
			.load = load[i],
			.service_s = 1.0,
			.law = "{exponential: 1s}",
			.wait_s = mmc_wait(servers[i], load[i]),
			.mails = 40000,
			.width = width[i]});
	}
}
END_TEST

START_TEST(mdc)
{
	judge(&(struct queue_case){.name = "md4-80",
				   .servers = 4,
				   .load = 0.8,
				   .service_s = 1.0,
				   .law = "1s",
				   .wait_s = mdc_wait(4, 0.8),
				   .mails = 25000,
				   .width = 0.05});
	judge(&(struct queue_case){.name = "md20-90",
				   .servers = 20,
				   .load = 0.9,
				   .service_s = 1.0,
				   .law = "1s",
				   .wait_s = mdc_wait(20, 0.9),
				   .mails = 25000,
				   .width = 0.1});
}
END_TEST

/*
 * M/G/1 (Pollaczek, Khinchine): rate E[S^2] / (2 (1 - load)). Lognormal with
 * median m and sigma s: E[S] = m exp(s^2/2), E[S^2] = m^2 exp(2 s^2). At s = 1,
 * m = 10 ms: E[S] = 16.4872127 ms.
 */
START_TEST(mg1)
{
	double service_s = 0.01 * exp(0.5);
	double rate = 0.7 / service_s;

	judge(&(struct queue_case){
		.name = "mg1-70",
		.servers = 1,
		.load = 0.7,
		.service_s = service_s,
		.law = "{lognormal: {median: 10ms, sigma: 1}}",
		.wait_s = rate * 1e-4 * exp(2.0) / (2 * 0.3),
		.mails = 30000,
		.width = 0.05});
}
END_TEST

Suite *
queueing_suite(void)
{
	Suite *s = suite_create("queueing");
	TCase *tc = tcase_create("textbook queues");

	tcase_add_test(tc, closed_forms);
	tcase_add_test(tc, mm1);
	tcase_add_test(tc, mmc);
	tcase_add_test(tc, mdc);
	tcase_add_test(tc, mg1);
	suite_add_tcase(s, tc);
	return s;
}
