/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Textbook queues through the real queue code. One destination whose window is
 * fixed (initial = limit = c, feedback 0, cohort limit 0), nothing costs time
 * but the delivery itself, in_flow_delay 0: then a mail waits for one of c
 * servers, first come first served, and the closed forms hold. Where mail is
 * lost, the window is out of reach and the receiver is the one that has c
 * processes, or a cap of c.
 *
 * Method: independent replications, each from an empty system; the first tenth
 * of its mails is left out. The mean wait of the replications has a Student-t
 * interval of 99 %; the closed form must lie in it, and half its width must be
 * at most the share of the closed form that the case states. Replications have
 * fixed numbers, so a test passes always or never. More mails at a higher scale
 * make the interval narrower. A service that is 3 % too long would be noticed:
 * it makes the wait of M/M/1 9 % longer at load 0.5 and 20 % at 0.8, that of
 * M/M/100 at 0.9 twice as long.
 *
 * Little's law is counted there too: the integral of the number of mails in the
 * system equals the sum of their times in it, exactly, in integer microseconds.
 */
#include <check.h>
#include <gsl/gsl_math.h>
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

/* Erlang's B by its recursion; a: offered load. */
static double
erlang_b(int servers, double a)
{
	double b = 1.0;

	for (int k = 1; k <= servers; k++)
		b = a * b / (k + a * b);
	return b;
}

static double
erlang_c(int servers, double a)
{
	double b = erlang_b(servers, a);

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

/* Mean wait in GI/M/1, in service times: s / (1 - s), s the root below 1 of s =
 * A((1 - s) / service), A the transform of the gap. Here of even gaps, of 1 /
 * load service times each. */
static double
dm1_wait(double load)
{
	double s = 0.5;

	for (int i = 0; i < 1000; i++)
		s = exp((s - 1.0) / load);
	return s / (1.0 - s);
}

/* And of Weibull gaps of shape 1/2: scale E^2, whose mean is twice the scale.
 * With z = (1 - s) / (2 load) the transform is the integral of exp(-x - z x^2)
 * from 0 on. */
static double
weibull_m1_wait(double load)
{
	double s = 0.5;

	for (int i = 0; i < 1000; i++) {
		double z = (1.0 - s) / (2.0 * load);

		s = sqrt(M_PI / (4.0 * z)) * exp(1.0 / (4.0 * z)) *
		    erfc(1.0 / (2.0 * sqrt(z)));
	}
	return s / (1.0 - s);
}

/* M/M/c/K, room for `room` in all: the share that is lost, and the mean wait of
 * the others, in service times. a: offered load. */
struct finite {
	double lost;
	double wait;
};
static struct finite
mmck(int servers, int room, double a)
{
	double weight = 1.0;
	double sum = 1.0;
	double waiting = 0.0;

	for (int n = 1; n <= room; n++) {
		weight *= a / (n < servers ? n : servers);
		sum += weight;
		if (n > servers)
			waiting += weight * (n - servers);
	}
	return (struct finite){.lost = weight / sum,
			       .wait = waiting / (a * (sum - weight))};
}

/* ---- measuring --------------------------------------------------------- */

struct queue_case {
	const char *name;
	int servers;
	double load;
	double service_s;     /* mean */
	const char *law;      /* of the transfer */
	const char *arrivals; /* NULL: poisson, as the load asks */
	double wait_s;	      /* closed form */
	int mails;	      /* of a replication, at scale 1 */
	double width; /* half the interval, most, as a share of wait_s */
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
	char poisson[64];
	char text[2048];
	struct world_run *r;

	snprintf(poisson, sizeof(poisson), "poisson: %.9g/s",
		 c->servers * c->load / c->service_s);

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
		 "  s: {arrivals: {%s}, messages: %ld, "
		 "to: a.example}\n",
		 c->name, c->servers, c->servers, c->law,
		 c->arrivals ? c->arrivals : poisson, mails);
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

/* The closed form must lie in the interval of the replications, and that must
 * be narrow: half of it at most this share of the closed form. */
static void
judge_mean(const char *name, const double *x, double theory, double width)
{
	double mean = 0.0;
	double square = 0.0;
	double half;

	for (int i = 0; i < REPLICATIONS; i++) {
		mean += x[i] / REPLICATIONS;
		square += x[i] * x[i] / REPLICATIONS;
	}
	half = T_99 * sqrt((square - mean * mean) / (REPLICATIONS - 1));
	printf("theory: %-18s %.6f, measured %.6f +- %.6f (%.1f %%)\n", name,
	       theory, mean, half, 100 * half / theory);
	fflush(stdout);
	ck_assert_double_le(fabs(mean - theory), half);
	ck_assert_double_le(half, width * theory);
}

static void
judge(const struct queue_case *c)
{
	double wait_s[REPLICATIONS];

	for (uint32_t i = 0; i < REPLICATIONS; i++)
		wait_s[i] = replicate(c, i);
	judge_mean(c->name, wait_s, c->wait_s, c->width);
}

/* ---- loss -------------------------------------------------------------- */

/* A receiver that takes so many at a time and turns the rest away, at an
 * offered load a of deliveries of 10 ms. */
struct loss_case {
	const char *name;
	const char *receiver; /* but its transfer */
	const char *law;      /* of the transfer; mean 10 ms */
	double load;
	struct finite theory; /* wait 0: not looked at */
	int mails;	      /* of a replication, at scale 1 */
	double width[2];      /* as above; of share and wait */
};

/* Sums over first tries. */
struct losses {
	struct mta_sink sink;
	uint32_t first; /* serials below are left out */
	int64_t lost;
	int64_t taken;
	int64_t sum_us; /* until the connection was ready */
};

static void
losses_take(struct mta_sink *sink, enum mta_trace_kind kind, const void *record)
{
	struct losses *l = mta_container_of(sink, struct losses, sink);
	const struct mta_trace_delivery *d = record;

	ck_assert(kind == MTA_TRACE_DELIVERY);
	if (d->serial < l->first || d->outcome == MTA_EXPIRED)
		return;
	ck_assert_int_eq(d->handoff, d->arrival);
	if (d->outcome == MTA_SENT) {
		l->taken++;
		l->sum_us += d->setup - d->handoff;
	} else {
		l->lost++;
	}
}

/* Tried once, as maximal_queue_lifetime 0 means, and without a notice. */
static void
replicate_loss(const struct loss_case *c, uint32_t replication, double *lost,
	       double *wait_s)
{
	struct losses losses = {.sink.take = losses_take};
	long mails = c->mails * (harness_scale() < 8 ? harness_scale() : 8);
	char text[2048];
	struct world_run *r;

	snprintf(text, sizeof(text),
		 "scenario: %s\nseed: 12\nrun: {until: drained}\n"
		 "mta:\n"
		 "  in_flow_delay: 0\n"
		 "  initial_destination_concurrency: 10000\n"
		 "  default_destination_concurrency_limit: 10000\n"
		 "  default_destination_concurrency_positive_feedback: 0\n"
		 "  default_destination_concurrency_negative_feedback: 0\n"
		 "  default_destination_concurrency_failed_cohort_limit: 0\n"
		 "  smtp_connection_cache_on_demand: no\n"
		 "  maximal_queue_lifetime: 0\n"
		 "  bounce_queue_lifetime: 0\n"
		 "transports: {smtp: {maxproc: 0}}\n"
		 "receivers: {r: {transfer: %s, %s}}\n"
		 "domains: {a.example: {receiver: r}}\n"
		 "sources:\n"
		 "  s: {arrivals: {poisson: %.9g/s}, messages: %ld, "
		 "sender: \"\", to: a.example}\n",
		 c->name, c->law, c->receiver, c->load / 0.01, mails);
	losses.first = (uint32_t)(mails / 10);
	r = world_run_open(text,
			   &(struct world_run_options){
				   .replication = replication,
				   .keep = WORLD_RUN_KEEP(THROTTLE),
				   .also = &losses.sink,
				   .also_kinds = WORLD_RUN_KEEP(DELIVERY)});
	world_run_finish(r);
	world_run_close(r);
	ck_assert_int_eq(losses.lost + losses.taken, mails - mails / 10);
	*lost = (double)losses.lost / (double)(losses.lost + losses.taken);
	*wait_s = (double)losses.sum_us / (double)losses.taken / 1e6;
}

static void
judge_loss(const struct loss_case *c)
{
	double lost[REPLICATIONS];
	double wait_s[REPLICATIONS];
	char name[32];

	for (uint32_t i = 0; i < REPLICATIONS; i++)
		replicate_loss(c, i, &lost[i], &wait_s[i]);
	snprintf(name, sizeof(name), "%s lost", c->name);
	judge_mean(name, lost, c->theory.lost, c->width[0]);
	snprintf(name, sizeof(name), "%s wait", c->name);
	if (c->theory.wait > 0.0)
		judge_mean(name, wait_s, 0.01 * c->theory.wait, c->width[1]);
}

/* ---- cases ------------------------------------------------------------- */

/* Published: c = 100, a = 90 has C = 0.216940480906 and B = 0.026957380464
 * (performance tables), c = 1 has C = load, and M/D/1 at load 0.8 waits 2
 * service times. D/M/1 at 0.8 has the root 0.62863, by hand from s = exp(-(1 -
 * s) / 0.8). Without room M/M/c/K is Erlang's B, with all room in the world
 * M/M/c. */
START_TEST(closed_forms)
{
	ck_assert_double_eq_tol(erlang_c(100, 90.0), 0.216940480906, 1e-11);
	ck_assert_double_eq_tol(erlang_c(1, 0.8), 0.8, 1e-12);
	ck_assert_double_eq_tol(mdc_wait(1, 0.8), 2.0, 1e-9);
	ck_assert_double_eq_tol(mdc_wait(1, 0.5), 0.5, 1e-9);
	ck_assert_double_eq_tol(erlang_b(100, 90.0), 0.026957380464, 1e-11);
	ck_assert_double_eq_tol(dm1_wait(0.8), 0.62863 / 0.37137, 1e-4);
	ck_assert_double_eq_tol(mmck(100, 100, 90.0).lost, 0.026957380464,
				1e-11);
	ck_assert_double_eq_tol(mmck(4, 2000, 3.2).wait, mmc_wait(4, 0.8),
				1e-9);
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

/* GI/M/1: the root of the gap's transform. Even gaps, and Weibull gaps of shape
 * 1/2, whose squared coefficient of variation is 5. M-ARRIVAL-EVEN,
 * M-ARRIVAL-WEIBULL */
START_TEST(gim1)
{
	judge(&(struct queue_case){.name = "dm1-80",
				   .servers = 1,
				   .load = 0.8,
				   .service_s = 0.01,
				   .law = "{exponential: 10ms}",
				   .arrivals = "even: 80/s",
				   .wait_s = 0.01 * dm1_wait(0.8),
				   .mails = 20000,
				   .width = 0.05});
	judge(&(struct queue_case){.name = "weibull-m1-60",
				   .servers = 1,
				   .load = 0.6,
				   .service_s = 0.01,
				   .law = "{exponential: 10ms}",
				   .arrivals =
					   "weibull: {rate: 60/s, shape: 0.5}",
				   .wait_s = 0.01 * weibull_m1_wait(0.6),
				   .mails = 20000,
				   .width = 0.06});
}
END_TEST

/*
 * M^X/M/1: bursts of X mails at once, X even from 1 to 5: E[X] = 3, E[X^2]
 * = 11. In the system are load (E[X^2] + E[X]) / (2 E[X] (1 - load)), so a mail
 * is there for 7/3 / (1 - load) service times. At load 0.7 bursts come every 3
 * 10 ms / 0.7 = 42857 us. M-ARRIVAL-BURSTS
 */
START_TEST(batches)
{
	judge(&(struct queue_case){
		.name = "mx-m1-70",
		.servers = 1,
		.load = 0.7,
		.service_s = 0.01,
		.law = "{exponential: 10ms}",
		.arrivals = "bursts: {every: {exponential: 42857us}, "
			    "messages: {uniform: [1, 5]}}",
		.wait_s = 0.01 * (7.0 / 3 / 0.3 - 1.0),
		.mails = 30000,
		.width = 0.05});
}
END_TEST

/* Erlang's loss: a cap of c and nothing else. It does not know the law of the
 * deliveries, only its mean. M-RECEIVER-DOOR */
START_TEST(loss)
{
	judge_loss(&(struct loss_case){
		.name = "mm5-5",
		.receiver = "connections: {most: 5, over: refused}",
		.law = "{exponential: 10ms}",
		.load = 4.0,
		.theory = {.lost = erlang_b(5, 4.0)},
		.mails = 20000,
		.width = {0.02}});
	judge_loss(&(struct loss_case){
		.name = "mg5-5",
		.receiver = "connections: {most: 5, over: refused}",
		.law = "{gamma: {mean: 10ms, shape: 0.25}}",
		.load = 4.0,
		.theory = {.lost = erlang_b(5, 4.0)},
		.mails = 20000,
		.width = {0.03}});
	judge_loss(&(struct loss_case){
		.name = "mm100-100",
		.receiver = "connections: {most: 100, over: refused}",
		.law = "{exponential: 10ms}",
		.load = 90.0,
		.theory = {.lost = erlang_b(100, 90.0)},
		.mails = 20000,
		.width = {0.13}});
}
END_TEST

/* M/M/c/K: c processes and an accept queue of K - c. M-RECEIVER-DOOR */
START_TEST(finite_room)
{
	judge_loss(&(struct loss_case){
		.name = "mm1-4",
		.receiver = "servers: {processes: 1, backlog: 3, overflow: "
			    "reset}",
		.law = "{exponential: 10ms}",
		.load = 0.8,
		.theory = mmck(1, 4, 0.8),
		.mails = 10000,
		.width = {0.05, 0.03}});
	judge_loss(&(struct loss_case){
		.name = "mm5-11",
		.receiver = "servers: {processes: 5, backlog: 6, overflow: "
			    "reset}",
		.law = "{exponential: 10ms}",
		.load = 5.0,
		.theory = mmck(5, 11, 5.0),
		.mails = 10000,
		.width = {0.06, 0.06}});
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
	tcase_add_test(tc, gim1);
	tcase_add_test(tc, batches);
	tcase_add_test(tc, loss);
	tcase_add_test(tc, finite_room);
	suite_add_tcase(s, tc);
	return s;
}
