/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Scenarios drawn by lot; see draw.h. One function for each part of the text.
 */
#include "tests/swarm/draw.h"

#include <check.h>
#include <stdarg.h>
#include <stdio.h>

#include "tests/harness.h"

static void __attribute__((format(printf, 2, 3)))
say(struct draw_text *o, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(o->text + o->used, DRAW_TEXT_MAX - o->used, format,
			   args);
	va_end(args);
	o->used += (size_t)length;
	ck_assert_uint_lt(o->used, DRAW_TEXT_MAX);
}

/* 0 .. bound - 1 */
static int
below(struct draw_text *o, int bound)
{
	return (int)harness_draw_below(&o->state, (uint32_t)bound);
}

static int
between(struct draw_text *o, int least, int most)
{
	return least + below(o, most - least + 1);
}

/* One of some words. */
#define WORD(o, ...)                                                           \
	((const char *const[]){__VA_ARGS__}[below(                             \
		(o), (int)(sizeof((const char *const[]){__VA_ARGS__}) /        \
			   sizeof(const char *)))])

static void
draw_mta(struct draw_text *o)
{
	say(o,
	    "mta:\n"
	    "  in_flow_delay: %d\n"
	    "  default_process_limit: %d\n"
	    "  qmgr_message_active_limit: %d\n"
	    "  qmgr_message_recipient_limit: %d\n"
	    "  qmgr_message_recipient_minimum: %d\n"
	    "  default_recipient_limit: %d\n"
	    "  default_extra_recipient_limit: %d\n",
	    below(o, 3), between(o, 2, 20), between(o, 1, 30),
	    between(o, 1, 40), between(o, 1, 5), between(o, 0, 20),
	    between(o, 0, 5));
	say(o,
	    "  queue_run_delay: %ds\n"
	    "  minimal_backoff_time: %ds\n"
	    "  maximal_backoff_time: %ds\n"
	    "  maximal_queue_lifetime: %ds\n"
	    "  bounce_queue_lifetime: %ds\n"
	    "  delay_warning_time: %ds\n",
	    between(o, 30, 300), between(o, 10, 300), between(o, 60, 1500),
	    between(o, 0, 9000), between(o, 0, 9000),
	    below(o, 2) * between(o, 1, 1000));
	say(o,
	    "  initial_destination_concurrency: %d\n"
	    "  default_destination_concurrency_limit: %d\n"
	    "  default_destination_recipient_limit: %d\n"
	    "  bulk_destination_recipient_limit: 1\n"
	    "  default_destination_concurrency_failed_cohort_limit: %d\n"
	    "  default_destination_concurrency_positive_feedback: %s\n"
	    "  default_destination_concurrency_negative_feedback: %s\n",
	    between(o, 1, 6), between(o, 0, 8), between(o, 0, 4),
	    between(o, 0, 3), WORD(o, "1", "1/concurrency", "0.3"),
	    WORD(o, "1", "1/concurrency", "0.3"));
	say(o,
	    "  default_delivery_slot_cost: %d\n"
	    "  smtp_destination_rate_delay: %ds\n"
	    "  bulk_transport_rate_delay: %ds\n"
	    "  notify_classes: %s\n"
	    "  max_use: %d\n"
	    "  soft_bounce: %s\n",
	    between(o, 0, 5), below(o, 4) == 0 ? 2 : 0,
	    below(o, 4) == 0 ? 1 : 0,
	    WORD(o, "resource", "\"bounce, delay\"", "2bounce"),
	    between(o, 1, 20), WORD(o, "no", "no", "no", "yes"));
	say(o,
	    "transports:\n"
	    "  smtp: {maxproc: %d}\n"
	    "  bulk: {kind: smtp, maxproc: %d}\n"
	    "services: {cleanup: {maxproc: %d}}\n"
	    "spool: {order: %s}\n",
	    between(o, 1, 8), between(o, 1, 3), below(o, 4),
	    WORD(o, "seeded", "oldest-first", "newest-first"));
}

/* Whole milliseconds, so that no cost hides a mistake of a microsecond. */
static void
draw_costs(struct draw_text *o)
{
	if (below(o, 2))
		return;
	say(o,
	    "costs: {cleanup: %dms, bounce: %dms, pickup: %dms, qmgr: {admit: "
	    "%dms, scan: %dms, request: %dms, finish: %dms}, agent: {start: "
	    "%dms, delivery: %dms}, disk: {fsync: %dms}}\n",
	    below(o, 20), below(o, 20), below(o, 20), below(o, 200),
	    below(o, 5), below(o, 20), below(o, 50), below(o, 500),
	    below(o, 50), below(o, 30));
}

/* Limits that stay when the trouble has ended: none keeps mail out for long. */
static void
draw_limits(struct draw_text *o)
{
	if (below(o, 4) == 0)
		say(o,
		    "    rate: {most: %d/min, count: %s, burst: %d, penalty: "
		    "{for: %ds, connections: 1}}\n",
		    between(o, 30, 300),
		    WORD(o, "messages", "recipients", "connections"),
		    between(o, 10, 20), between(o, 10, 600));
	if (below(o, 4) == 0)
		say(o, "    tarpit: {after: %d, pause: %ds}\n", below(o, 4),
		    between(o, 1, 400));
	if (below(o, 4) == 0)
		say(o, "    errors: {after: %d, pause: %ds, most: %d}\n",
		    below(o, 2), between(o, 1, 10), between(o, 2, 4));
	if (below(o, 4) == 0)
		say(o,
		    "    greylist: {step: %s, delay: %ds, whitelist_after: "
		    "%d}\n",
		    WORD(o, "mail", "rcpt", "data", "end"), between(o, 10, 300),
		    below(o, 3));
}

/* From the end of the trouble on a receiver is up and takes what it gets. */
static void
draw_receiver(struct draw_text *o, const char *name)
{
	say(o,
	    "  %s:\n"
	    "    connect: %dms\n"
	    "    transfer: {exponential: %dms}\n"
	    "    replies:\n"
	    "      - {step: rcpt, code: 450, share: %d%%}\n"
	    "      - {step: rcpt, code: 550, share: %d%%}\n"
	    "      - {step: end, code: 451, share: %d%%}\n",
	    name, below(o, 500), between(o, 1, 5000), between(o, 1, 30),
	    between(o, 1, 15), between(o, 1, 10));
	say(o, "    fails: {share: %d%%, how: %s, after: %dms}\n", below(o, 40),
	    WORD(o, "refused", "timeout", "reset", "\"421\"", "dns"),
	    below(o, 1000));
	if (below(o, 3) == 0)
		say(o,
		    "    connections: {most: %d, over: %s, penalty: {for: "
		    "%ds, most: 1}}\n",
		    between(o, 2, 4), WORD(o, "\"421\"", "refused", "wait"),
		    between(o, 1, 600));
	if (below(o, 4) == 0)
		say(o, "    messages_per_connection: %d\n", between(o, 1, 3));
	draw_limits(o);
	say(o, "    schedule:\n");
	if (below(o, 2)) {
		int at = between(o, 10, 2000);

		say(o,
		    "      - {at: %ds, state: %s}\n"
		    "      - {at: %ds, state: up}\n",
		    at, WORD(o, "refused", "timeout", "unreachable"),
		    at + between(o, 10, 1000));
	}
	say(o,
	    "      - {at: %ds, state: up, replies: [], fails: {share: "
	    "0%%}}\n",
	    DRAW_TROUBLE_ENDS_S);
}

static void
draw_domains(struct draw_text *o)
{
	say(o, "receivers:\n");
	draw_receiver(o, "one");
	draw_receiver(o, "two");
	draw_receiver(o, "three");
	say(o, "domains:\n"
	       "  a.example: {receiver: one}\n"
	       "  b.example: {receiver: two}\n"
	       "  c.example: {receiver: three, transport: bulk}\n"
	       "  d.example: {transport: discard}\n"
	       "  .z.example: {receiver: {each: one}}\n"
	       "  s.example: {receiver: two}\n");
}

static void
draw_sources(struct draw_text *o)
{
	int count = between(o, 1, 3);

	say(o, "sources:\n");
	for (int i = 0; i < count; i++) {
		say(o,
		    "  s%d:\n"
		    "    arrivals: {burst: {at: %ds, messages: %d, rate: "
		    "%d/min}}\n"
		    "    sender: %s\n"
		    "    users: %d\n"
		    "    recipients: {uniform: [1, %d]}\n",
		    i, below(o, 600), between(o, 1, 25), between(o, 1, 600),
		    WORD(o, "\"x{n}@s.example\"", "\"y@t.example\"", "\"\""),
		    between(o, 1, 30), between(o, 1, 8));
		say(o, "    to: %s\n",
		    WORD(o, "a.example", "{a.example: 3, b.example: 1}",
			 "{cycle: [a.example, b.example, c.example]}",
			 "{b.example: 1, c.example: 1, d.example: 1}",
			 "{zipf: {domains: 20, name: \"d{n}.z.example\"}}"));
		if (below(o, 4) == 0)
			say(o, "    via: {sendmail: alice}\n");
	}
	if (below(o, 2))
		say(o,
		    "start:\n"
		    "  - {queue: deferred, messages: %d, to: {a.example: 1, "
		    "c.example: 1}, age: {uniform: [0s, 1h]}, recipients: %d, "
		    "users: 9}\n"
		    "  - {queue: incoming, messages: %d, to: b.example}\n",
		    between(o, 1, 10), between(o, 1, 3), between(o, 1, 10));
}

static void
draw_action(struct draw_text *o, int at)
{
	switch (below(o, 10)) {
	case 0:
		say(o, "  - {at: %ds, crash: qmgr}\n", at);
		break;
	case 1:
		say(o, "  - {at: %ds, crash: {agent: %s}}\n", at,
		    WORD(o, "smtp", "bulk"));
		break;
	case 2:
		say(o, "  - {at: %ds, postfix: reload}\n", at);
		break;
	case 3:
		say(o,
		    "  - {at: %ds, postfix: stop}\n"
		    "  - {at: %ds, postfix: start}\n",
		    at, at + 17);
		break;
	case 4:
		say(o,
		    "  - {at: %ds, postsuper: hold, where: {domain: %s}}\n"
		    "  - {at: %ds, postsuper: release, where: ALL}\n",
		    at, WORD(o, "a.example", "b.example"), at + 19);
		break;
	case 5:
		say(o,
		    "  - {at: %ds, postsuper: requeue, where: {queue: %s}}\n",
		    at, WORD(o, "active", "deferred", "incoming"));
		break;
	case 6:
		say(o,
		    "  - {at: %ds, postsuper: delete, where: {domain: "
		    "\"d*.z.example\"}}\n",
		    at);
		break;
	case 7:
		say(o,
		    "  - {at: %ds, postsuper: expire, where: {domain: "
		    "a.example}}\n",
		    at);
		break;
	case 8:
		say(o, "  - {at: %ds, postqueue: flush}\n", at);
		break;
	default:
		say(o, "  - {at: %ds, postqueue: {site: b.example}}\n", at);
		break;
	}
}

/* Actions stand in order of time and end with a restart and a release. */
static void
draw_operator(struct draw_text *o)
{
	int at = below(o, 100);

	say(o,
	    "access:\n"
	    "  - {sender: \"x*@*\", share: %d%%, action: %s}\n"
	    "operator:\n",
	    between(o, 1, 20), WORD(o, "hold", "discard", "reject"));
	while (at < DRAW_TROUBLE_ENDS_S) {
		draw_action(o, at);
		at += between(o, 20, 900);
	}
	say(o, "  - {at: %ds, postsuper: release, where: ALL}\n",
	    DRAW_TROUBLE_ENDS_S + 100);
}

void
draw_scenario(struct draw_text *out, uint64_t seed, enum draw_what what)
{
	out->used = 0;
	out->state = seed;
	say(out,
	    "scenario: swarm\nseed: %llu\n"
	    "run: {until: drained, at_most: 12h}\n",
	    (unsigned long long)(seed & 0x7fffffff));
	draw_mta(out);
	draw_costs(out);
	draw_domains(out);
	draw_sources(out);
	if (what == DRAW_OPERATED)
		draw_operator(out);
}
