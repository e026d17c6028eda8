/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The results folder (sim/results/results.c and its parts): a small life of
 * mail, told to the trace by hand, and what stands in every table afterwards;
 * the delays of F14.4 from stamps; which places are refused; partial runs;
 * summaries.
 */
#include "tests/harness.h"

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mta/mail.h"
#include "sim/results/results.h"
#include "sim/host/spool_view.h"
#include "sim/results/summary.h"

#define S INT64_C(1000000)

static struct bed {
	struct mta_agenda agenda;
	struct complaints complaints;
	struct scenario *scenario;
	struct mta_loop loop;
	struct mta_symtab symbols;
	struct spool_mem store;
	struct spool_costs costs;
	struct spool_view view;
	struct mta_trace trace;
	struct mta_host host;
	struct mta_params params;
	struct book book;
	uint32_t web;
	uint32_t users;
	struct results results;
} bed;

static char place[64];
static char dir[80];

static void
setup(void)
{
	struct spool_mem_config config = {.dirs = {.hash_depth = 1}};

	memset(&bed, 0, sizeof(bed));
	snprintf(place, sizeof(place), "/tmp/test_results_XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(place));
	snprintf(dir, sizeof(dir), "%s/a/out", place);
	complaints_init(&bed.complaints);
	mta_symtab_init(&bed.symbols);
	mta_agenda_init(&bed.agenda);
	mta_loop_init(&bed.loop, &bed.agenda, SIM_EPOCH, MTA_LOOP_POOL);
	spool_mem_init(&bed.store, &config, &bed.symbols, SIM_EPOCH);
	spool_view_init(&bed.view, &bed.store, &bed.loop, &bed.costs);
	mta_trace_init(&bed.trace);
	mta_params_init(&bed.params);
	book_init(&bed.book, &bed.symbols, "host.example");
	bed.web = book_add_source(&bed.book, "w{n}@shop.example", 0);
	bed.users = book_add_users(&bed.book, "a.example");
	bed.host = (struct mta_host){.loop = &bed.loop,
				     .spool = &bed.view.base,
				     .trace = &bed.trace,
				     .symbols = &bed.symbols};
}

static void
teardown(void)
{
	char command[100];

	results_release(&bed.results);
	scenario_free(bed.scenario);
	spool_mem_release(&bed.store);
	book_release(&bed.book);
	mta_params_release(&bed.params);
	mta_loop_release(&bed.loop);
	mta_symtab_release(&bed.symbols);
	complaints_release(&bed.complaints);
	snprintf(command, sizeof(command), "rm -rf '%s'", place);
	ck_assert_int_eq(system(command), 0);
}

static int
begin(const char *more)
{
	char yaml[1000];
	struct scenario_options options = {.set_count = 0};

	snprintf(yaml, sizeof(yaml),
		 "scenario: x\n"
		 "seed: 7\n"
		 "run: {for: 1h}\n"
		 "receivers: {there: {transfer: 1s}}\n"
		 "domains: {a.example: {receiver: there}}\n"
		 "sources: {web: {arrivals: {even: 1/s}, to: a.example}}\n"
		 "%s",
		 more);
	bed.scenario = scenario_read_memory("x.yaml", yaml, strlen(yaml),
					    &options, &bed.complaints);
	if (!bed.scenario)
		complaints_print(&bed.complaints, stderr);
	ck_assert_ptr_nonnull(bed.scenario);
	return results_init(
		&bed.results,
		&(struct results_options){.dir = dir,
					  .version = "9.9",
					  .output = bed.scenario->output},
		&(struct results_view){
			.scenario = bed.scenario,
			.trace = &bed.trace,
			.symbols = &bed.symbols,
			.book = &bed.book,
			.spool = &bed.view.base,
			.params = &bed.params,
		});
}

/* ---- mail by hand -----------------------------------------------------------
 */

static mta_time
at(int64_t us)
{
	bed.loop.now = SIM_EPOCH + us;
	return bed.loop.now;
}

/* Message `index` of the source, with two recipients, comes in. */
static struct mta_ref
arrive(int64_t us, uint32_t index)
{
	struct mta_spool *s = bed.host.spool;
	mta_addr sender = mta_addr_make(bed.web, index);
	mta_time now = at(us);
	struct mta_ref f;

	mta_trace_deliver(&bed.trace, MTA_TRACE_SUBMITTED,
			  &(struct mta_trace_submitted){.at = now,
							.sender = sender,
							.serial = index});
	f = s->ops->create(s,
			   &(struct mta_envelope){
				   .arrival = now,
				   .created = now,
				   .sender = sender,
				   .serial = index,
				   .size_bytes = 1000,
				   .recipient_count = 2,
				   .first_active = MTA_NEVER,
			   },
			   mta_addr_make(bed.users, 1));
	s->ops->append(s, f, mta_addr_make(bed.users, 2));
	ck_assert_int_eq(
		mta_mail_commit(&bed.host, f, MTA_INCOMING, MTA_MOVE_ACCEPTED),
		MTA_OK);
	return f;
}

static void
move(int64_t us, struct mta_ref file, enum mta_queue from, enum mta_queue to,
     enum mta_move_reason reason)
{
	at(us);
	if (to == MTA_ACTIVE) {
		struct mta_file shown;

		ck_assert_int_eq(mta_mail_admit(&bed.host, file, from, &shown),
				 MTA_OK);
		return;
	}
	ck_assert_int_eq(mta_mail_move(&bed.host, file,
				       (struct mta_move){
					       .from = from,
					       .to = to,
					       .reason = reason,
					       .wake_s = MTA_WAKE_KEEP,
				       }),
			 MTA_OK);
}

static void
finish_mail(int64_t us, struct mta_ref file)
{
	at(us);
	ck_assert_int_eq(mta_mail_remove(&bed.host, file, MTA_ACTIVE,
					 MTA_MOVE_DONE, MTA_SENT),
			 MTA_OK);
}

/* Recipient `offset` of a mail that came at `arrival`; the rest of the stamps
 * are the caller's. */
static struct mta_trace_delivery
told(int64_t us, int64_t arrival, struct mta_ref file, uint32_t index,
     uint32_t offset)
{
	return (struct mta_trace_delivery){
		.at = at(us),
		.arrival = SIM_EPOCH + arrival,
		.active = MTA_NEVER,
		.handoff = MTA_NEVER,
		.setup = MTA_NEVER,
		.sender = mta_addr_make(bed.web, index),
		.recipient = mta_addr_make(bed.users, offset + 1),
		.file = file,
		.serial = index,
		.offset = offset,
		.transport = mta_sym_intern(&bed.symbols, "smtp"),
		.destination = mta_sym_intern(&bed.symbols, "a.example"),
		.reason = mta_sym_intern(&bed.symbols, "fine, all of it"),
		.dsn = MTA_DSN(2, 0, 0),
		.outcome = MTA_SENT,
	};
}

static void
deliver(const struct mta_trace_delivery *d)
{
	mta_trace_deliver(&bed.trace, MTA_TRACE_DELIVERY, d);
}

static const struct results_state going = {.sources_ended = false};
static const struct results_state ended = {.sources_ended = true};

static int
sample(int64_t us)
{
	return results_sample(&bed.results, us, &going);
}

/* ---- what stands there ------------------------------------------------------
 */

static char content[100000];

static const char *
read_table(const char *name)
{
	char path[200];
	FILE *file;
	size_t size;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "r");
	ck_assert_msg(file != NULL, "%s", path);
	size = fread(content, 1, sizeof(content) - 1, file);
	content[size] = '\0';
	fclose(file);
	return content;
}

/* The lines after the header. */
static const char *
rows_of(const char *name)
{
	return strchr(read_table(name), '\n') + 1;
}

/*
 * Mail 0 comes at 1 s, is admitted at once, its first recipient is served at
 * 3 s; the second is put off at 4 s and the mail waits until 10 s; then it is
 * served at 12 s and the mail is done. Mail 1 comes at 2 s and stays.
 */
static void
live(void)
{
	struct mta_ref a;
	struct mta_ref b;
	struct mta_trace_delivery d;

	ck_assert_int_eq(sample(0), 0);
	a = arrive(1 * S, 0);
	move(1 * S, a, MTA_INCOMING, MTA_ACTIVE, MTA_MOVE_ADMITTED);
	b = arrive(2 * S, 1);
	(void)b;
	d = told(3 * S, 1 * S, a, 0, 0);
	d.active = SIM_EPOCH + 1 * S;
	d.handoff = SIM_EPOCH + 1500000;
	d.setup = SIM_EPOCH + 1750000;
	d.code = 250;
	d.conn_use = 1;
	d.step = MTA_STEP_END;
	d.relay = mta_sym_intern(&bed.symbols, "mx.a.example");
	deliver(&d);
	ck_assert_int_eq(bed.host.spool->ops->mark_done(bed.host.spool, a, 0),
			 MTA_OK);
	d = told(4 * S, 1 * S, a, 0, 1);
	d.active = SIM_EPOCH + 1 * S;
	d.outcome = MTA_DEFERRED_OUTCOME;
	d.dsn = MTA_DSN(4, 4, 1);
	deliver(&d);
	move(4 * S, a, MTA_ACTIVE, MTA_DEFERRED, MTA_MOVE_DEFERRED);
	ck_assert_int_eq(sample(5 * S), 0);
	move(10 * S, a, MTA_DEFERRED, MTA_ACTIVE, MTA_MOVE_ADMITTED);
	ck_assert_int_eq(sample(10 * S), 0);
	d = told(12 * S, 1 * S, a, 0, 1);
	d.active = SIM_EPOCH + 10 * S;
	d.handoff = SIM_EPOCH + 11 * S;
	d.batch = 1;
	deliver(&d);
	finish_mail(12 * S, a);
	mta_trace_deliver(&bed.trace, MTA_TRACE_FEEDBACK,
			  &(struct mta_trace_feedback){
				  .at = SIM_EPOCH + 12 * S,
				  .transport = d.transport,
				  .destination = d.destination,
				  .event = MTA_FEEDBACK_ALIVE,
				  .limit = 20,
				  .window = 6,
				  .success = 0.2,
			  });
	ck_assert_int_eq(results_finish(&bed.results, 15 * S, &going), 0);
}

START_TEST(series_and_destinations)
{
	ck_assert_int_eq(begin(""), 0);
	live();
	ck_assert_str_eq(
		read_table("series.csv"),
		"time_s,maildrop,incoming,active,deferred,hold,corrupt,busy,"
		"tokens,submitted,accepted,delivered,bounced,deferrals,"
		"expired,deleted\n"
		"0.000000,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0\n"
		"5.000000,0,1,0,1,0,0,0,0,2,2,1,0,1,0,0\n"
		"10.000000,0,1,1,0,0,0,0,0,2,2,1,0,1,0,0\n"
		"15.000000,0,1,0,0,0,0,0,0,2,2,2,0,1,0,0\n");
	ck_assert_str_eq(read_table("destinations.csv"),
			 "time_s,transport,destination,state,window,busy,todo,"
			 "deferred,delivered,failed\n"
			 "5.000000,smtp,a.example,ready,0,0,0,1,1,1\n"
			 "10.000000,smtp,a.example,ready,0,0,0,0,1,1\n"
			 "15.000000,smtp,a.example,ready,0,0,0,0,2,1\n");
	ck_assert_str_eq(read_table("transports.csv"),
			 "time_s,transport,processes,busy,pending,todo,"
			 "state\n");
}
END_TEST

/* F14.4: with all stamps 0, 0.5, 0.25, 1.25 s; without hand-off all of it is
 * b; without set-up c is 0 and d the rest, and a counts the earlier attempt. */
START_TEST(rows_of_mail)
{
	ck_assert_int_eq(
		begin("output: [messages, attempts, moves, feedback]\n"), 0);
	live();
	ck_assert_str_eq(
		rows_of("attempts.csv"),
		"3.000000,0,web,0,0,u1@a.example,a.example,smtp,a.example,"
		"mx.a.example,sent,2.0.0,250,end,2.000000,0.000000,0.500000,"
		"0.250000,1.250000,0,1,\"fine, all of it\"\n"
		"4.000000,0,web,0,1,u2@a.example,a.example,smtp,a.example,,"
		"deferred,4.4.1,,,3.000000,0.000000,3.000000,0.000000,"
		"0.000000,,,\"fine, all of it\"\n"
		"12.000000,0,web,0,1,u2@a.example,a.example,smtp,a.example,,"
		"sent,2.0.0,,,11.000000,9.000000,1.000000,0.000000,1.000000,"
		"1,,\"fine, all of it\"\n");
	/* F1.4: five hex digits of the microseconds, 1000000 - 1 s = 0, and the
	 * file's number, from 1. */
	ck_assert_str_eq(
		rows_of("messages.csv"),
		"0,web,0,000001,w0@shop.example,1.000000,1.000000,1.000000,"
		"12.000000,1000,2,2,sent\n"
		"1,web,1,000002,w1@shop.example,2.000000,2.000000,,,1000,2,0,"
		"queued\n");
	ck_assert_str_eq(rows_of("moves.csv"),
			 "1.000000,0,web,0,,incoming,accepted\n"
			 "1.000000,0,web,0,incoming,active,admitted\n"
			 "2.000000,1,web,1,,incoming,accepted\n"
			 "4.000000,0,web,0,active,deferred,deferred\n"
			 "10.000000,0,web,0,deferred,active,admitted\n"
			 "12.000000,0,web,0,active,,done\n");
	ck_assert_str_eq(rows_of("feedback.csv"),
			 "12.000000,alive,smtp,a.example,20,6,0,0.2,0,0\n");
}
END_TEST

static json_t *
load(const char *name)
{
	json_error_t error;
	json_t *tree =
		json_loads(read_table(name), JSON_REJECT_DUPLICATES, &error);

	ck_assert_msg(tree != NULL, "%s:%d: %s", name, error.line, error.text);
	return tree;
}

static double
number_at(json_t *tree, const char *a, const char *b, const char *c)
{
	json_t *v = json_object_get(tree, a);

	if (b)
		v = json_object_get(v, b);
	if (c)
		v = json_object_get(v, c);
	ck_assert_msg(json_is_number(v), "%s/%s", a, b ? b : "");
	return json_number_value(v);
}

START_TEST(json_files)
{
	json_t *run;
	json_t *summary;
	json_t *dest;

	ck_assert_int_eq(begin("operator: [{at: 3s, postqueue: flush}, "
			       "{at: 20s, postfix: reload}]\n"
			       "expect: [\"final(deferred) == 0\", "
			       "\"max(deferred) == 1\"]\n"),
			 0);
	live();
	run = load("run.json");
	ck_assert_str_eq(json_string_value(json_object_get(run, "scenario")),
			 "x");
	ck_assert_str_eq(json_string_value(json_object_get(run, "version")),
			 "9.9");
	ck_assert(json_is_false(json_object_get(run, "partial")));
	ck_assert_double_eq_tol(number_at(run, "seed", NULL, NULL), 7, 1e-9);
	ck_assert_double_eq_tol(
		number_at(run, "totals", "messages", "accepted"), 2, 1e-9);
	ck_assert_double_eq_tol(
		number_at(run, "totals", "recipients", "unfinished"), 2, 1e-9);
	/* (11 + 13) s of mail in 15 s */
	ck_assert_double_eq_tol(
		number_at(run, "totals", "mean_in_system", NULL), 1.6, 1e-9);
	ck_assert_str_eq(
		json_string_value(json_object_get(
			json_object_get(run, "parameters"), "in_flow_delay")),
		"1s");
	/* What was to come after the end did not happen. */
	ck_assert_uint_eq(json_array_size(json_object_get(run, "operator")), 1);
	json_decref(run);
	summary = load("summary.json");
	dest = json_object_get(json_object_get(summary, "destinations"),
			       "smtp:a.example");
	ck_assert_double_eq_tol(number_at(dest, "delay_s", "count", NULL), 2,
				1e-9);
	/* 2, 11, and two of 13 s so far: p50 is 11, p90 is a bound */
	ck_assert_double_eq_tol(number_at(dest, "delay_s", "p50", NULL), 11,
				1e-9);
	ck_assert_double_eq_tol(number_at(dest, "delay_s", "p90", NULL), 13,
				1e-9);
	ck_assert_str_eq(
		json_string_value(json_object_get(
			json_object_get(dest, "delay_s"), "lower_bounds_from")),
		"p90");
	ck_assert_double_eq_tol(number_at(dest, "attempts", NULL, NULL), 3,
				1e-9);
	ck_assert_uint_eq(
		json_array_size(json_object_get(summary, "expectations")), 2);
	json_decref(summary);
	ck_assert_ptr_nonnull(strstr(read_table("scenario.yaml"), "x"));
}
END_TEST

/* What the summary says, until something else is read. */
static const char *
summary_text(void)
{
	const struct summary_style style = {.utf8 = false};
	FILE *out = fmemopen(content, sizeof(content), "w");

	ck_assert_ptr_nonnull(out);
	summary_print(&bed.results, out, &style);
	fclose(out);
	return content;
}

static bool
summary_says(const char *text)
{
	return strstr(summary_text(), text) != NULL;
}

START_TEST(an_expectation_that_fails)
{
	ck_assert_int_eq(begin("expect: [\"max(deferred) == 1\"]\n"), 0);
	ck_assert_int_eq(sample(0), 0);
	ck_assert_int_eq(results_finish(&bed.results, 5 * S, &ended), 99);
	ck_assert(summary_says("  FAIL max(deferred) == 1: 0, 1 too far\n"));
	ck_assert(!summary_says("\x1b"));
}
END_TEST

/* One attempt is an agent's of smtp; for another no agent was wanted; a third
 * went to the service that only defers. */
START_TEST(the_untried)
{
	struct mta_ref a;
	struct mta_trace_delivery d;
	json_t *run;

	ck_assert_int_eq(begin(""), 0);
	a = arrive(1 * S, 0);
	d = told(2 * S, 1 * S, a, 0, 0);
	d.outcome = MTA_DEFERRED_OUTCOME;
	d.handoff = SIM_EPOCH + 1 * S;
	deliver(&d);
	d.handoff = MTA_NEVER;
	deliver(&d);
	d.handoff = SIM_EPOCH + 1 * S;
	d.transport = mta_sym_intern(&bed.symbols, "retry");
	deliver(&d);
	ck_assert_int_eq(results_finish(&bed.results, 5 * S, &going), 0);
	ck_assert(summary_says("3, 3 put off, 2 of them untried\n"));
	ck_assert(!summary_says("waiting at the client"));
	run = load("run.json");
	ck_assert_double_eq_tol(number_at(run, "totals", "untried", NULL), 2,
				1e-9);
	json_decref(run);
}
END_TEST

START_TEST(what_never_got_in)
{
	const struct results_state crowded = {.waiting = 7};
	json_t *run;

	ck_assert_int_eq(begin(""), 0);
	ck_assert_int_eq(results_finish(&bed.results, 5 * S, &crowded), 0);
	ck_assert(
		summary_says(" 7 not yet submitted: waiting at the client\n"));
	run = load("run.json");
	ck_assert_double_eq_tol(
		number_at(run, "totals", "waiting_at_client", NULL), 7, 1e-9);
	json_decref(run);
}
END_TEST

static void
deliver_many(int count, int64_t delay_us)
{
	const struct mta_ref gone = {.index = 0};
	struct mta_trace_delivery d =
		told(30 * S, 30 * S - delay_us, gone, 0, 0);

	for (int i = 0; i < count; i++)
		deliver(&d);
}

/*
 * 379 recipients took 1 s and 19 took 20 s; two have waited for half a second.
 * Of 400, p95 is the 380th: 1 s (within 1 %), or 20 s once those two have
 * waited longer. p99 is the 396th, 20 s in either case; but from the first
 * bound on all are given as bounds.
 */
START_TEST(bounds_follow_a_bound)
{
	ck_assert_int_eq(begin(""), 0);
	deliver_many(379, 1 * S);
	deliver_many(19, 20 * S);
	arrive(30 * S, 0);
	ck_assert_int_eq(results_finish(&bed.results, 30 * S + S / 2, &going),
			 0);
	ck_assert(summary_says(" 398      1.004      1.004    >=1.004    "
			       ">=20.00\n"));
	ck_assert(!summary_says("by source"));
	ck_assert_ptr_nonnull(strstr(read_table("summary.json"),
				     "\"lower_bounds_from\": \"p95\""));
}
END_TEST

/* Cleanup was charged until 5 ms beyond the end: what it took in then is left
 * over all the same, in a window that ends with the run too. */
START_TEST(left_over_though_work_goes_on)
{
	ck_assert_int_eq(begin("expect: [\"p99(delay, 1s..30s) < 9s\"]\n"), 0);
	deliver_many(1, 1 * S);
	arrive(30 * S + S / 200, 0);
	ck_assert_int_eq(results_finish(&bed.results, 30 * S, &going), 99);
	ck_assert(summary_says("not decided: unfinished mail"));
}
END_TEST

/* Of a mail in active one recipient was handed to an agent after half a second;
 * of the other nobody knows whether one has it: it may still wait. */
START_TEST(waits_in_active)
{
	struct mta_trace_delivery d;
	struct mta_ref a;

	ck_assert_int_eq(begin("expect: [max(wait) < 9s]\n"), 0);
	a = arrive(1 * S, 0);
	move(1 * S, a, MTA_INCOMING, MTA_ACTIVE, MTA_MOVE_ADMITTED);
	d = told(3 * S, 1 * S, a, 0, 0);
	d.active = SIM_EPOCH + 1 * S;
	d.handoff = SIM_EPOCH + 3 * S / 2;
	deliver(&d);
	ck_assert_int_eq(bed.host.spool->ops->mark_done(bed.host.spool, a, 0),
			 MTA_OK);
	ck_assert_int_eq(results_finish(&bed.results, 20 * S, &going), 99);
	ck_assert(summary_says("max(wait) < 9s: >= 0.5 s, not decided"));
}
END_TEST

/* By source where there are two: here, that of the scenario and a notice. */
START_TEST(delays_by_source)
{
	struct mta_trace_delivery d;

	ck_assert_int_eq(begin(""), 0);
	deliver_many(3, 1 * S);
	d = told(30 * S, 28 * S, (struct mta_ref){.index = 0}, 0, 0);
	d.sender = mta_addr_make(0, 0);
	deliver(&d);
	ck_assert_int_eq(results_finish(&bed.results, 31 * S, &ended), 0);
	ck_assert(summary_says("\n  by source  "));
	ck_assert(summary_says("\n  web                                      3 "
			       "     1.000 "));
	ck_assert(summary_says("\n  bounce                                   1 "
			       "     2.000 "));
}
END_TEST

/* A mail in deferred that the operator deletes leaves the destination's row at
 * which it was counted; it was never tried, so no transport is known. */
START_TEST(deleted_from_deferred)
{
	struct mta_ref a;

	ck_assert_int_eq(begin(""), 0);
	a = arrive(1 * S, 0);
	move(1 * S, a, MTA_INCOMING, MTA_ACTIVE, MTA_MOVE_ADMITTED);
	move(2 * S, a, MTA_ACTIVE, MTA_DEFERRED, MTA_MOVE_DEFERRED);
	ck_assert_int_eq(sample(5 * S), 0);
	at(6 * S);
	ck_assert_int_eq(mta_mail_remove(&bed.host, a, MTA_DEFERRED,
					 MTA_MOVE_DELETED, MTA_DELETED),
			 MTA_OK);
	ck_assert_int_eq(results_finish(&bed.results, 10 * S, &ended), 0);
	ck_assert_str_eq(rows_of("destinations.csv"),
			 "5.000000,,a.example,ready,0,0,0,1,0,0\n"
			 "10.000000,,a.example,ready,0,0,0,0,0,0\n");
	ck_assert_ptr_nonnull(
		strstr(rows_of("series.csv"),
		       "10.000000,0,0,0,0,0,0,0,0,1,1,0,0,0,0,2"));
	ck_assert_int_eq(bed.results.drained_us, 6 * S);
}
END_TEST

/* Rows each 3 s, and at the end, whether a sample lies there or not. */
static void
deferred_just_before_the_end(bool has_sample)
{
	struct mta_ref a;

	ck_assert_int_eq(begin("destinations: {every: 3s}\n"), 0);
	ck_assert_int_eq(sample(0), 0);
	a = arrive(1 * S, 0);
	move(1 * S, a, MTA_INCOMING, MTA_ACTIVE, MTA_MOVE_ADMITTED);
	for (int64_t t = 1; t <= 9; t++)
		ck_assert_int_eq(sample(t * S), 0);
	move(9 * S + S / 2, a, MTA_ACTIVE, MTA_DEFERRED, MTA_MOVE_DEFERRED);
	if (has_sample)
		ck_assert_int_eq(sample(10 * S), 0);
	ck_assert_int_eq(results_finish(&bed.results, 10 * S, &ended), 0);
	ck_assert_str_eq(rows_of("destinations.csv"),
			 "10.000000,,a.example,ready,0,0,0,1,0,0\n");
}

START_TEST(destinations_at_the_end)
{
	deferred_just_before_the_end(_i == 1);
}
END_TEST

/* Interrupted: what there is is written, and marked. */
START_TEST(partial)
{
	struct results_state state = {.partial = true};
	json_t *run;

	ck_assert_int_eq(begin(""), 0);
	arrive(1 * S, 0);
	ck_assert_int_eq(results_finish(&bed.results, 2 * S, &state), 0);
	run = load("run.json");
	ck_assert(json_is_true(json_object_get(run, "partial")));
	json_decref(run);
	ck_assert_ptr_nonnull(strstr(rows_of("series.csv"), "2.000000,0,1"));
}
END_TEST

/* ---- places -----------------------------------------------------------------
 */

static void
touch(const char *name)
{
	char path[200];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fclose(file);
}

/* A file by which a folder is known as ours. */
static void
mark(const char *name)
{
	char path[200];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fputs("{\"format\": 1, \"scenario\": \"x\"}\n", file);
	fclose(file);
}

/* How many names does the folder have in which results are put? */
static int
names_beside(void)
{
	char above[80];
	DIR *folder;
	int count = -2; /* itself and its parent */

	snprintf(above, sizeof(above), "%s/a", place);
	folder = opendir(above);
	ck_assert_ptr_nonnull(folder);
	while (readdir(folder))
		count++;
	closedir(folder);
	return count;
}

static void
make_place(void)
{
	char above[80];

	snprintf(above, sizeof(above), "%s/a", place);
	ck_assert_int_eq(mkdir(above, 0700), 0);
	ck_assert_int_eq(mkdir(dir, 0700), 0);
}

START_TEST(places)
{
	ck_assert_int_eq(results_check_place(dir), 0); /* not there */
	make_place();
	ck_assert_int_eq(results_check_place(dir), 0); /* empty */
	touch("letters.txt");
	ck_assert_int_eq(results_check_place(dir), 2); /* somebody's */
	touch("run.json");
	ck_assert_int_eq(results_check_place(dir), 2); /* somebody's still */
	mark("run.json");
	ck_assert_int_eq(results_check_place(dir), 0); /* ours */
	strcat(dir, "/letters.txt");
	ck_assert_int_eq(results_check_place(dir), 2); /* a file */
}
END_TEST

/* The old results go as a whole, with what `plot` put there. */
START_TEST(old_results_are_replaced)
{
	char path[200];

	make_place();
	mark("run.json");
	touch("attempts.csv");
	snprintf(path, sizeof(path), "%s/plots", dir);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	touch("plots/queues.png");
	ck_assert_int_eq(begin(""), 0);
	/* Until the end the old ones stand. */
	snprintf(path, sizeof(path), "%s/attempts.csv", dir);
	ck_assert_int_eq(access(path, F_OK), 0);
	ck_assert_int_eq(results_finish(&bed.results, 1 * S, &ended), 0);
	ck_assert_int_ne(access(path, F_OK), 0);
	snprintf(path, sizeof(path), "%s/series.csv", dir);
	ck_assert_int_eq(access(path, F_OK), 0);
	ck_assert_int_eq(names_beside(), 1);
}
END_TEST

/* A run that was given up leaves the old results as they were. */
START_TEST(given_up)
{
	char path[200];

	make_place();
	mark("run.json");
	ck_assert_int_eq(begin(""), 0);
	ck_assert_int_eq(sample(0), 0);
	results_release(&bed.results);
	memset(&bed.results, 0, sizeof(bed.results));
	ck_assert_int_eq(names_beside(), 1);
	snprintf(path, sizeof(path), "%s/run.json", dir);
	ck_assert_int_eq(access(path, F_OK), 0);
}
END_TEST

/* Books that do not balance end the run. */
START_TEST(an_internal_error_is_told)
{
	ck_assert_int_eq(begin(""), 0);
	ck_assert_int_eq(sample(0), 0);
	bed.results.totals.start[MTA_ACTIVE]++;
	ck_assert_int_eq(sample(1 * S), 1);
	ck_assert_ptr_nonnull(strstr(bed.results.error, "internal error"));
	ck_assert_ptr_nonnull(strstr(bed.results.error, "active"));
}
END_TEST

Suite *
results_suite(void)
{
	Suite *suite = suite_create("results");
	TCase *c = tcase_create("all");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, series_and_destinations);
	tcase_add_test(c, rows_of_mail);
	tcase_add_test(c, json_files);
	tcase_add_test(c, an_expectation_that_fails);
	tcase_add_test(c, the_untried);
	tcase_add_test(c, what_never_got_in);
	tcase_add_test(c, bounds_follow_a_bound);
	tcase_add_test(c, left_over_though_work_goes_on);
	tcase_add_test(c, waits_in_active);
	tcase_add_test(c, delays_by_source);
	tcase_add_test(c, deleted_from_deferred);
	tcase_add_loop_test(c, destinations_at_the_end, 0, 2);
	tcase_add_test(c, partial);
	tcase_add_test(c, places);
	tcase_add_test(c, old_results_are_replaced);
	tcase_add_test(c, given_up);
	tcase_add_test(c, an_internal_error_is_told);
	suite_add_tcase(suite, c);
	return suite;
}
