/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Scenarios: what the structs say after reading, --set, writing back, places
 * of complaints, many names. That each wrong use has its exact words is for
 * tests/invalid; SHA-256 is checked against the examples of FIPS 180-4.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "model/arrival.h"
#include "model/law.h"
#include "model/receiver_config.h"
#include "sim/base/name_index.h"
#include "sim/scenario/scenario.h"
#include "sim/scenario/schema.h"
#include "sim/base/sha256.h"
#include "tests/harness.h"

static const char plain[] = "scenario: x\n"
			    "run: {for: 1h}\n"
			    "receivers:\n"
			    "  there: {transfer: 1s}\n"
			    "domains:\n"
			    "  a.example: {receiver: there}\n"
			    "sources:\n"
			    "  web: {arrivals: {even: 1/s}, to: a.example}\n";

static struct complaints complaints;

static void
setup(void)
{
	complaints_init(&complaints);
}

static void
teardown(void)
{
	complaints_release(&complaints);
}

static struct scenario *
read_with(const char *text, const char *more, const char *const *sets,
	  size_t set_count)
{
	struct scenario_options options = {
		.sets = sets,
		.set_count = set_count,
	};
	size_t size = strlen(text) + strlen(more) + 1;
	char *whole = malloc(size);
	ck_assert_ptr_nonnull(whole);
	snprintf(whole, size, "%s%s", text, more);
	struct scenario *scenario = scenario_read_memory(
		"test.yaml", whole, strlen(whole), &options, &complaints);
	free(whole);
	return scenario;
}

static struct scenario *
read_good(const char *more)
{
	struct scenario *scenario = read_with(plain, more, NULL, 0);
	if (!scenario)
		complaints_print(&complaints, stderr);
	ck_assert_ptr_nonnull(scenario);
	return scenario;
}

/* One complaint, at this place, with these words. */
static void
refuse(const char *more, int line, int column, const char *words)
{
	ck_assert_ptr_null(read_with(plain, more, NULL, 0));
	ck_assert_uint_eq(complaints.count, 1);
	ck_assert_int_eq(complaints.list[0].line, line);
	ck_assert_int_eq(complaints.list[0].column, column);
	ck_assert_msg(strstr(complaints.list[0].message, words) != NULL, "%s",
		      complaints.list[0].message);
	complaints_release(&complaints);
}

START_TEST(plain_scenario)
{
	struct scenario *s = read_good("");
	ck_assert_str_eq(s->name, "x");
	ck_assert_str_eq(s->question, "");
	ck_assert_int_eq(s->seed, 1);
	ck_assert_int_eq(s->run.end, SCENARIO_END_TIME);
	ck_assert_int_eq(s->run.for_us, INT64_C(3600000000));
	ck_assert_int_eq(s->run.sample_us, 1000000);
	ck_assert_int_eq(s->destinations.top, 200);
	ck_assert_uint_eq(s->receiver_count, 1);
	ck_assert_uint_eq(s->receivers[0].config->phase_count, 1);
	ck_assert_int_eq(s->receivers[0].config->phases[0].transfer->kind,
			 LAW_CONSTANT);
	ck_assert_double_eq(s->receivers[0].config->phases[0].transfer->a, 1e6);
	ck_assert_int_eq(s->domains[0].sharing, SCENARIO_RECEIVER_SHARED);
	ck_assert_ptr_null(s->domains[0].transport);
	ck_assert_int_eq(s->sources[0].arrivals->kind, ARRIVAL_EVEN);
	ck_assert_double_eq(s->sources[0].arrivals->rate_per_s, 1);
	ck_assert_int_eq(s->sources[0].messages, SCENARIO_NEVER);
	ck_assert_str_eq(s->sources[0].to.list[0].domain, "a.example");
	ck_assert_int_eq(s->bounces_sharing, SCENARIO_RECEIVER_NONE);
	ck_assert_str_eq(s->transports[0].name, "smtp");
	ck_assert_int_eq(s->transports[0].maxproc, -1);
	scenario_free(s);
}
END_TEST

START_TEST(schedule_entries_keep_what_they_do_not_name)
{
	struct scenario *s = read_with(
		"scenario: x\nrun: {for: 1h}\nreceivers:\n  there:\n"
		"    transfer: 300ms\n    connect: 10ms\n    schedule:\n"
		"      - {at: 10m, state: timeout}\n"
		"      - {at: 40m, state: up, transfer: 2s}\n"
		"domains: {a.example: {receiver: there}}\n"
		"start: [{queue: hold, messages: 3, to: a.example}]\n",
		"", NULL, 0);
	ck_assert_ptr_nonnull(s);
	const struct receiver_config *config = s->receivers[0].config;
	ck_assert_uint_eq(config->phase_count, 3);
	ck_assert_int_eq(config->phases[0].state, RECEIVER_UP);
	ck_assert_int_eq(config->phases[1].state, RECEIVER_TIMEOUT);
	ck_assert_double_eq(config->phases[1].transfer->a, 300000);
	ck_assert_int_eq(config->phases[2].state, RECEIVER_UP);
	ck_assert_double_eq(config->phases[2].transfer->a, 2000000);
	ck_assert_double_eq(config->phases[2].connect->a, 10000);
	ck_assert_int_eq(config->phases[2].at_us, INT64_C(2400000000));
	ck_assert_int_eq(s->start[0].queue, MTA_HOLD);
	scenario_free(s);
}
END_TEST

START_TEST(operator_in_order_of_time)
{
	struct scenario *s = read_good(
		"operator:\n"
		"  - {at: 5m, postqueue: {site: a.example}}\n"
		"  - {at: 1m, set: {in_flow_delay: 5s}}\n"
		"  - {at: 1m, postfix: reload}\n"
		"  - {at: 2m, postsuper: expire, where: {queue: hold}}\n"
		"  - {at: 3m, crash: {agent: local}}\n"
		"  - {at: 4m, snapshot: deferred}\n");
	ck_assert_uint_eq(s->action_count, 6);
	ck_assert_int_eq(s->actions[0].what, SCENARIO_DO_SET);
	ck_assert_str_eq(s->actions[0].set.list[0].name, "in_flow_delay");
	ck_assert_str_eq(s->actions[0].set.list[0].value, "5s");
	ck_assert_int_eq(s->actions[1].what, SCENARIO_DO_RELOAD);
	ck_assert_int_eq(s->actions[2].what, SCENARIO_DO_EXPIRE);
	ck_assert_int_eq(s->actions[2].where.queue, MTA_HOLD);
	ck_assert_int_eq(s->actions[3].what, SCENARIO_DO_CRASH_AGENT);
	ck_assert_str_eq(s->actions[3].transport, "local");
	ck_assert_int_eq(s->actions[4].what, SCENARIO_DO_SNAPSHOT);
	ck_assert_int_eq(s->actions[4].where.queue, MTA_DEFERRED);
	ck_assert_int_eq(s->actions[5].what, SCENARIO_DO_FLUSH_SITE);
	ck_assert_str_eq(s->actions[5].where.domain, "a.example");
	scenario_free(s);
}
END_TEST

START_TEST(expectations)
{
	struct scenario *s =
		read_good("expect:\n"
			  "  - \"p99.9(delay, destination=a.example, "
			  "source=web) < 60s\"\n"
			  "  - \"rate(accepted, 1m..10m) within 5% of 300/s\"\n"
			  "  - \"value(deferred, at=30m) > 1000\"\n"
			  "  - drained <= 4h\n"
			  "  - share(deferred) <= 2% in 95% of runs\n");
	const struct scenario_expect *e = s->expect;
	ck_assert_uint_eq(s->expect_count, 5);
	ck_assert_int_eq(e[0].function, SCENARIO_PERCENTILE);
	ck_assert_double_eq(e[0].percent, 99.9);
	ck_assert_int_eq(e[0].metric, SCENARIO_METRIC_DELAY);
	ck_assert_str_eq(e[0].destination, "a.example");
	ck_assert_str_eq(e[0].source, "web");
	ck_assert_double_eq(e[0].value, 60);
	ck_assert_int_eq(e[1].function, SCENARIO_RATE);
	ck_assert_int_eq(e[1].comparison, SCENARIO_WITHIN);
	ck_assert_double_eq(e[1].within, 0.05);
	ck_assert_double_eq(e[1].value, 300);
	ck_assert_int_eq(e[1].from_us, 60000000);
	ck_assert_int_eq(e[1].to_us, 600000000);
	ck_assert_int_eq(e[2].at_us, INT64_C(1800000000));
	ck_assert_int_eq(e[2].metric, SCENARIO_METRIC_COLUMN);
	ck_assert_int_eq(e[3].function, SCENARIO_DRAINED);
	ck_assert_int_eq(e[3].comparison, SCENARIO_LESS_EQUAL);
	ck_assert_double_eq(e[3].value, 14400);
	ck_assert_int_eq(e[4].metric, SCENARIO_METRIC_OUTCOME);
	ck_assert_double_eq(e[4].value, 0.02);
	ck_assert_double_eq(e[4].runs_share, 0.95);
	scenario_free(s);
}
END_TEST

START_TEST(sets_reach_everything)
{
	static const char *const sets[] = {
		"mta.in_flow_delay=5s",
		"domains[a.example].transport=lmtp",
		"receivers.there.replies[0]={step: rcpt, code: 450}",
		"receivers.there.replies[0].share=5%",
		"transports.bulk={kind: smtp, maxproc: 3}",
		"access[0].sender=*@x.example",
		"access[0].action=hold",
	};
	struct scenario *s =
		read_with(plain, "", sets, sizeof(sets) / sizeof(sets[0]));
	if (!s)
		complaints_print(&complaints, stderr);
	ck_assert_ptr_nonnull(s);
	ck_assert_str_eq(s->mta.list[0].value, "5s");
	ck_assert_str_eq(s->domains[0].transport, "lmtp");
	const struct receiver_phase *phase = s->receivers[0].config->phases;
	ck_assert_uint_eq(phase->reply_count, 1);
	ck_assert_double_eq(phase->replies[0].share, 0.05);
	ck_assert_int_eq(phase->replies[0].code, 450);
	ck_assert_int_eq(s->transports[s->transport_count - 1].maxproc, 3);
	ck_assert_str_eq(s->access[0].sender, "*@x.example");
	scenario_free(s);
}
END_TEST

START_TEST(sets_complain_as_the_command_line)
{
	static const char *const sets[] = {
		"mta.in_flow_dely=5s",
		"receivers.there.replies[3].share=5%",
		"seed",
		"a..b=1",
	};
	ck_assert_ptr_null(
		read_with(plain, "", sets, sizeof(sets) / sizeof(sets[0])));
	ck_assert_uint_gt(complaints.count, 3);
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	complaints_print(&complaints, out);
	fclose(out);
	ck_assert_ptr_nonnull(strstr(
		text, "--set mta.in_flow_dely=5s: mta.in_flow_dely: unknown "
		      "parameter; did you mean in_flow_delay?\n"));
	ck_assert_ptr_nonnull(strstr(text, "--set seed: write PATH=VALUE"));
	free(text);
}
END_TEST

/* One mistake is one complaint: what follows from it is not said as well. */
START_TEST(one_mistake_one_complaint)
{
	static const struct {
		const char *set, *words;
	} rows[] = {
		{"a..b=1", "not a path"},
		{"receivers.there.replies=[{step", "YAML syntax"},
		{"receivers=3", "a map of keys"},
		{"transports=3", "a map of keys"},
		{"domains=3", "a map of keys"},
		{"domains={a.example: {reciever: there}}", "did you mean rec"},
		{"domains.a.example.transport=lmtp", "stands in brackets"},
		{"run={fr: 1h}", "did you mean for?"},
		{"sources.web.to={zipf: 3}", "a map of keys"},
		{"receivers.there.greylist={dely: 5m}", "did you mean delay?"},
		{"receivers.their.transfer=2s", "did you mean there?"},
		{"receivers.their={transfer: 2s}", "nothing leads to"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ck_assert_ptr_null(read_with(plain, "", &rows[i].set, 1));
		ck_assert_msg(complaints.count == 1, "%s: %zu", rows[i].set,
			      complaints.count);
		ck_assert_msg(strstr(complaints.list[0].message,
				     rows[i].words) != NULL,
			      "%s: %s", rows[i].set,
			      complaints.list[0].message);
		complaints_release(&complaints);
	}
}
END_TEST

/* In a file a receiver may wait for a --set that leads to it: a warning, unless
 * that --set is given. */
/* Each is a family of addresses, of which 255 are left for them (book.h). */
START_TEST(sources_with_the_empty_sender_are_counted)
{
	static char many[256 * 80];
	size_t n = 0;

	for (int i = 0; i < 255; i++)
		n += (size_t)snprintf(many + n, sizeof(many) - n,
				      "  s%d: {arrivals: {even: 1/s}, "
				      "to: a.example, sender: \"\"}\n",
				      i);
	scenario_free(read_good(many));
	snprintf(many + n, sizeof(many) - n,
		 "  s: {arrivals: {even: 1/s}, to: a.example, sender: \"\"}\n");
	refuse(many, 264, 53, "at most 255 sources may have the empty sender");
}
END_TEST

START_TEST(unused_receivers_are_warned_of)
{
	static const char text[] = "scenario: x\nrun: {for: 1h}\n"
				   "receivers: {there: {}, thre: {}}\n"
				   "domains: {a.example: {receiver: there}}\n"
				   "start: [{queue: hold, messages: 3, to: "
				   "a.example}]\n";
	static const char *const sets[] = {"domains[b.example].receiver=thre"};
	struct complaints warnings;
	struct scenario_options options = {.sets = sets, .warnings = &warnings};
	for (size_t count = 0; count < 2; count++) {
		complaints_init(&warnings);
		options.set_count = count;
		struct scenario *s = scenario_read_memory(
			"test.yaml", text, strlen(text), &options, &complaints);
		ck_assert_ptr_nonnull(s);
		ck_assert_uint_eq(warnings.count, 1 - count);
		if (!count) {
			ck_assert_int_eq(warnings.list[0].line, 3);
			ck_assert_int_eq(warnings.list[0].column, 24);
			ck_assert_str_eq(warnings.list[0].message,
					 "warning: nothing leads to this "
					 "receiver; did you mean there?");
		}
		scenario_free(s);
		complaints_release(&warnings);
	}
}
END_TEST

/* R-PARAM-FIXES (F4.1): of both it is said where they are asked for, be it by
 * the other parameter, and by an operator; nothing of what is in order. */
START_TEST(what_the_queue_manager_corrects_is_warned_of)
{
	static const char text[] = "scenario: x\nrun: {for: 1h}\n"
				   "mta:\n"
				   "  bounce_queue_lifetime: 1d\n"
				   "  qmgr_message_active_limit: 20001\n"
				   "domains: {a.example: {transport: local}}\n"
				   "start: [{queue: hold, messages: 3, to: "
				   "a.example}]\n"
				   "operator:\n"
				   "  - {at: 1s, set: {queue_run_delay: 60s}}\n"
				   "  - {at: 2s, set: {\n"
				   "      maximal_queue_lifetime: 23h}}\n";
	struct complaints warnings;
	struct scenario_options options = {.warnings = &warnings};
	struct scenario *s;

	complaints_init(&warnings);
	s = scenario_read_memory("test.yaml", text, strlen(text), &options,
				 &complaints);
	ck_assert_ptr_nonnull(s);
	ck_assert_uint_eq(warnings.count, 2);
	ck_assert_int_eq(warnings.list[0].line, 5);
	ck_assert_str_eq(warnings.list[0].message,
			 "warning: qmgr_message_recipient_limit is smaller "
			 "than qmgr_message_active_limit; the queue manager "
			 "takes it to be the same");
	ck_assert_int_eq(warnings.list[1].line, 11);
	ck_assert_str_eq(warnings.list[1].message,
			 "warning: bounce_queue_lifetime is larger than "
			 "maximal_queue_lifetime; the queue manager takes it "
			 "to be the same");
	scenario_free(s);
	complaints_release(&warnings);
}
END_TEST

/* A parameter without effect is warned of where it is given another value than
 * its default; in what an operator sets as well. */
START_TEST(idle_parameters_are_warned_of)
{
	static const char text[] =
		"scenario: x\nrun: {for: 1h}\n"
		"mta: {ipc_timeout: 1h, daemon_timeout: 2h, queue_run_delay: "
		"60s}\n"
		"receivers: {there: {}}\n"
		"domains: {a.example: {receiver: there}}\n"
		"operator: [{at: 1s, set: {lmtp_skip_quit_response: yes}}]\n"
		"start: [{queue: hold, messages: 3, to: a.example}]\n";
	static const int lines[] = {3, 6};
	struct complaints warnings;
	struct scenario_options options = {.warnings = &warnings};

	complaints_init(&warnings);
	struct scenario *s = scenario_read_memory(
		"test.yaml", text, strlen(text), &options, &complaints);
	ck_assert_ptr_nonnull(s);
	ck_assert_uint_eq(warnings.count, 2);
	for (size_t i = 0; i < 2; i++) {
		ck_assert_int_eq(warnings.list[i].line, lines[i]);
		ck_assert_str_eq(warnings.list[i].message,
				 "warning: this parameter has no effect here");
	}
	ck_assert_str_eq(warnings.list[0].path, "mta.daemon_timeout");
	scenario_free(s);
	complaints_release(&warnings);
}
END_TEST

static char *
written(const struct scenario *scenario)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	ck_assert_ptr_nonnull(out);
	scenario_write(scenario, out);
	fclose(out);
	return text;
}

START_TEST(what_is_written_reads_the_same)
{
	static const char *const sets[] = {"access[0].sender=*: #\"@{"};
	struct scenario *s =
		read_with(plain,
			  "access: [{action: hold}]\n"
			  "question: \"a: b # c\\n\\t\\u2028 \\\\ \"\n"
			  "prediction: caf\xC3\xA9\n"
			  "operator: []\nmta: {}\n",
			  sets, 1);
	ck_assert_ptr_nonnull(s);
	char *first = written(s);
	struct scenario *again = scenario_read_memory(
		"again.yaml", first, strlen(first), NULL, &complaints);
	ck_assert_ptr_nonnull(again);
	ck_assert_str_eq(again->question, s->question);
	ck_assert_str_eq(again->prediction, "caf\xC3\xA9");
	ck_assert_str_eq(again->access[0].sender, "*: #\"@{");
	char *second = written(again);
	ck_assert_str_eq(first, second);
	free(first);
	free(second);
	scenario_free(s);
	scenario_free(again);
}
END_TEST

START_TEST(places)
{
	refuse("seed: x\n", 9, 7, "not a whole number");
	refuse("sed: 1\n", 9, 1, "did you mean seed?");
	/* Columns count characters, not bytes. */
	refuse("costs: {\"\xC3\xA4\": 1s}\n", 9, 9, "unknown key");
	refuse("prediction: \xC3\xA4\xC3\xB6\nspool: {order: \"\xC3\xA4\"}\n",
	       10, 16, "not one of");
	refuse("expect: [\"max(active) < x\"]\n", 9, 25, "not a number");
}
END_TEST

START_TEST(aliases)
{
	struct scenario *s =
		read_good("access:\n"
			  "  - &rule {sender: \"a@*\", action: hold}\n"
			  "  - *rule\n");
	ck_assert_uint_eq(s->access_count, 2);
	ck_assert_str_eq(s->access[1].sender, "a@*");
	scenario_free(s);
	/* Each line stands for 9 times the last and a node more: 10, 91, 820,
	 * 7381, 66430. The aliases up to line 13 copy 74700 nodes; in line 14
	 * the second alias goes beyond 200000. */
	refuse("question: &a [x,x,x,x,x,x,x,x,x]\n"
	       "prediction: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
	       "output: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
	       "mta: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
	       "costs: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\n"
	       "spool: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n",
	       14, 15, "stand for too much");
}
END_TEST

/* Resolving by anything that walks a list would take minutes here. */
START_TEST(many_domains)
{
	enum {
		MANY = 100000
	};
	size_t room = (size_t)MANY * 64 + 1000;
	char *text = malloc(room);
	ck_assert_ptr_nonnull(text);
	size_t used = (size_t)snprintf(text, room,
				       "scenario: x\nrun: {for: 1h}\n"
				       "receivers: {there: {}}\ndomains:\n");
	for (int i = 0; i < MANY; i++)
		used += (size_t)snprintf(text + used, room - used,
					 "  d%d.example: {receiver: there}\n",
					 i);
	snprintf(text + used, room - used,
		 "sources: {w: {arrivals: {even: 1/s}, to: {zipf: "
		 "{domains: %d, name: \"d{n}.example\"}}}}\n",
		 MANY - 1);
	struct scenario *s = read_with(text, "", NULL, 0);
	ck_assert_ptr_nonnull(s);
	ck_assert_uint_eq(s->domain_count, MANY);
	ck_assert_str_eq(s->domains[MANY - 1].name, "d99999.example");
	scenario_free(s);
	free(text);
}
END_TEST

START_TEST(nearest_names)
{
	struct name_nearest n = {.wanted = "in_flow_dely"};
	name_nearest_try(&n, "queue_run_delay");
	ck_assert_ptr_null(n.best);
	name_nearest_try(&n, "in_flow_delay");
	ck_assert_str_eq(n.best, "in_flow_delay");
	ck_assert_uint_eq(n.distance, 1);
	/* Two neighbours in wrong order are one slip. */
	n = (struct name_nearest){.wanted = "rctp"};
	name_nearest_try(&n, "rcpt");
	ck_assert_uint_eq(n.distance, 1);
	n = (struct name_nearest){.wanted = "x"};
	name_nearest_try(&n, "y");
	ck_assert_ptr_null(n.best);
}
END_TEST

/* FIPS 180-4's examples: "abc", the empty text, and two blocks. */
START_TEST(sha256_examples)
{
	static const struct {
		const char *text;
		const char *hex;
	} table[] = {
		{"abc", "ba7816bf8f01cfea414140de5dae2223"
			"b00361a396177a9cb410ff61f20015ad"},
		{"", "e3b0c44298fc1c149afbf4c8996fb924"
		     "27ae41e4649b934ca495991b7852b855"},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		 "248d6a61d20638b8e5c026930c3e6039"
		 "a33ce45964ff2167f6ecedd419db06c1"},
	};
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct sha256 hash;
		char hex[SHA256_HEX_SIZE];
		sha256_init(&hash);
		sha256_add(&hash, table[i].text, strlen(table[i].text));
		sha256_hex(&hash, hex);
		ck_assert_str_eq(hex, table[i].hex);
	}
}
END_TEST

/* Every section has rows, every row words for people, no name twice. */
START_TEST(schema_is_whole)
{
	size_t count;
	const struct schema_key *keys = schema_keys(&count);
	ck_assert_uint_gt(count, 100);
	for (size_t i = 0; i < count; i++) {
		ck_assert_ptr_eq(schema_find(keys[i].section, keys[i].name),
				 &keys[i]);
	}
	for (int section = SCHEMA_NONE + 1; section < SCHEMA_SECTIONS;
	     section++) {
		schema_section_keys((enum schema_section)section, &count);
		ck_assert_uint_gt(count, 0);
	}
}
END_TEST

static void
write_file(const char *path, const char *text)
{
	FILE *out = fopen(path, "wb");
	ck_assert_ptr_nonnull(out);
	ck_assert_int_ge(fputs(text, out), 0);
	ck_assert_int_eq(fclose(out), 0);
}

/* Keys beside `profile` override; --set reaches what the profile brought; what
 * is written no longer needs the profile. */
START_TEST(profiles_are_put_in)
{
	static const char *const sets[] = {
		"receivers.there.replies[0].share=5%",
	};
	char folder[] = "/tmp/mtasim-profile-XXXXXX";
	char path[100];
	char file[120];
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/profiles", folder);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	snprintf(file, sizeof(file), "%s/near.yaml", path);
	write_file(file, "profile: near\nas_of: 2013\nsource: logs\n"
			 "receiver:\n  connect: 60ms\n  transfer: 1s\n"
			 "  replies: [{step: rcpt, code: 450, share: 2%}]\n");
	struct scenario_options options = {
		.sets = sets,
		.set_count = 1,
	};
	static const char text[] =
		"scenario: x\nrun: {for: 1h}\nreceivers:\n"
		"  there: {profile: near, transfer: 2s}\n"
		"domains:\n  a.example: {receiver: there}\n"
		"  \"*\": {receiver: {each: {profile: near}}}\n"
		"start: [{queue: hold, messages: 3, to: a.example}]\n";
	ck_assert_int_eq(setenv("MTASIM_DATA", folder, 1), 0);
	struct scenario *s = scenario_read_memory(
		"test.yaml", text, strlen(text), &options, &complaints);
	ck_assert_int_eq(unsetenv("MTASIM_DATA"), 0);
	ck_assert_int_eq(remove(file), 0);
	ck_assert_int_eq(remove(path), 0);
	ck_assert_int_eq(remove(folder), 0);
	ck_assert_ptr_nonnull(s);
	ck_assert_uint_eq(s->receiver_count, 2);
	ck_assert_str_eq(s->receivers[0].profile, "near");
	const struct receiver_phase *there = s->receivers[0].config->phases;
	const struct receiver_phase *rest = s->receivers[1].config->phases;
	ck_assert_double_eq(there->connect->a, 60000);
	ck_assert_double_eq(there->transfer->a, 2000000);
	ck_assert_double_eq(there->replies[0].share, 0.05);
	ck_assert_double_eq(rest->transfer->a, 1000000);
	ck_assert_double_eq(rest->replies[0].share, 0.02);
	char *first = written(s);
	struct scenario *again = scenario_read_memory(
		"again.yaml", first, strlen(first), NULL, &complaints);
	ck_assert_ptr_nonnull(again);
	ck_assert_str_eq(again->receivers[0].profile, "near");
	free(first);
	scenario_free(again);
	scenario_free(s);
}
END_TEST

static char *
load_reference(void)
{
	FILE *in = fopen(harness_source_path("docs/scenario.md"), "rb");
	ck_assert_ptr_nonnull(in);
	enum {
		ROOM = 1 << 20
	};
	char *text = calloc(ROOM, 1);
	ck_assert_ptr_nonnull(text);
	ck_assert_uint_lt(fread(text, 1, ROOM - 1, in), ROOM - 1);
	fclose(in);
	return text;
}

/* The tables of docs/scenario.md are those that schema.def makes. */
START_TEST(reference_is_up_to_date)
{
	char *text = load_reference();
	char *made = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&made, &size);
	schema_print_reference(out);
	fclose(out);
	const char *tables = strstr(text, "## All keys\n\n");
	ck_assert_ptr_nonnull(tables);
	/* All of it is too long to print: show the first line that differs. */
	tables += strlen("## All keys\n\n");
	size_t at = 0;
	size_t line = 0;
	for (; made[at] && made[at] == tables[at]; at++) {
		if (made[at] == '\n')
			line = at + 1;
	}
	ck_assert_msg(made[at] == tables[at],
		      "docs/scenario.md, tables of all keys: this line of "
		      "sim/scenario/schema.def is missing or differs:\n%.*s",
		      (int)strcspn(made + line, "\n"), made + line);
	free(made);
	free(text);
}
END_TEST

/* Its yaml blocks, put together, are a scenario. */
START_TEST(reference_example_is_a_scenario)
{
	char *text = load_reference();
	char *whole = calloc(strlen(text) + 1, 1);
	ck_assert_ptr_nonnull(whole);
	char *at = text;
	while ((at = strstr(at, "```yaml\n")) != NULL) {
		at += strlen("```yaml\n");
		char *end = strstr(at, "```");
		ck_assert_ptr_nonnull(end);
		strncat(whole, at, (size_t)(end - at));
		at = end + 3;
	}
	struct scenario *s = read_with(whole, "", NULL, 0);
	if (!s)
		complaints_print(&complaints, stderr);
	ck_assert_ptr_nonnull(s);
	ck_assert_uint_eq(s->source_count, 7);
	ck_assert_uint_eq(s->expect_count, 8);
	scenario_free(s);
	free(whole);
	free(text);
}
END_TEST

Suite *
scenario_suite(void)
{
	Suite *suite = suite_create("scenario");
	TCase *tc = tcase_create("scenario");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, plain_scenario);
	tcase_add_test(tc, schedule_entries_keep_what_they_do_not_name);
	tcase_add_test(tc, operator_in_order_of_time);
	tcase_add_test(tc, expectations);
	tcase_add_test(tc, sets_reach_everything);
	tcase_add_test(tc, sets_complain_as_the_command_line);
	tcase_add_test(tc, one_mistake_one_complaint);
	tcase_add_test(tc, sources_with_the_empty_sender_are_counted);
	tcase_add_test(tc, unused_receivers_are_warned_of);
	tcase_add_test(tc, what_the_queue_manager_corrects_is_warned_of);
	tcase_add_test(tc, idle_parameters_are_warned_of);
	tcase_add_test(tc, what_is_written_reads_the_same);
	tcase_add_test(tc, places);
	tcase_add_test(tc, aliases);
	tcase_add_test(tc, many_domains);
	tcase_add_test(tc, nearest_names);
	tcase_add_test(tc, sha256_examples);
	tcase_add_test(tc, schema_is_whole);
	tcase_add_test(tc, profiles_are_put_in);
	tcase_add_test(tc, reference_is_up_to_date);
	tcase_add_test(tc, reference_example_is_a_scenario);
	suite_add_tcase(suite, tc);
	return suite;
}
