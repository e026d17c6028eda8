/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Destinations through the whole system: what they are called, how mail finds
 * them, what the agents' replies do to them, rests, warnings, memory. Times are
 * sums of what each scenario says.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/world_run.h"

#define S INT64_C(1000000)

/*
 * R-RATE-DELAY, R-ENTRY-END (F7.9, F7.11): a delivery takes 1 s, then the site
 * rests 5 s, whole seconds from the second of its end: starts at 0, 6, 12. The
 * rest comes before blocked jobs are looked at, so nothing starts at 1 s. Mail
 * for another site passes.
 */
START_TEST(rest_after_each_delivery)
{
	struct world_run *r = world_run_whole(
		"scenario: rest\nrun: {until: drained}\n"
		"mta: {smtp_destination_rate_delay: 5s}\n"
		"receivers: {r: {transfer: 1s}}\n"
		"domains: {\"*\": {receiver: r}}\n"
		"sources:\n"
		"  a: {arrivals: {times: [0s, 0s, 0s]}, to: a.example}\n"
		"  b: {arrivals: {times: [2s]}, to: b.example}\n");

	ck_assert_str_eq(world_run_say_selected(r), "0@0 3@2 1@6 2@12");
	for (size_t i = 0; i < r->selected.count; i++)
		ck_assert_uint_eq(r->selected.list[i].window, 1);
	world_run_close(r);
}
END_TEST

/* R-RATE-DELAY: a failure kills it (window 1), what waits is deferred, but then
 * it is revived at once, and only rests: new mail at 3 s is tried at 6 s. */
START_TEST(rest_instead_of_death)
{
	struct world_run *r = world_run_whole(
		"scenario: rest\nrun: {for: 20s}\n"
		"mta: {smtp_destination_rate_delay: 5s}\n"
		"receivers: {r: {state: refused, after: 1s}}\n"
		"domains: {a.example: {receiver: r}}\n"
		"sources:\n"
		"  a: {arrivals: {times: [0s, 0s, 3s]}, to: a.example}\n");

	ck_assert_str_eq(world_run_say_feedback(r),
			 "a.example:dead0@1 a.example:revived1@1 "
			 "4.4.1 delivery temporarily suspended: connect to "
			 "mx.r[192.0.2.1]:25: Connection refused:alive6@1 "
			 "a.example:dead0@7 a.example:revived1@7");
	ck_assert_str_eq(world_run_say_deliveries(r),
			 "0:deferred@1 1:deferred@1 2:deferred@7");
	world_run_close(r);
}
END_TEST

/*
 * R-RATE-DELAY, R-DEAD (F7.5, F7.9): the end of a delivery revives a
 * destination that is dead, and is nothing to one that is ready, so that failed
 * cohorts add up from rest to rest: with a limit of 2 and a window of 1 the
 * second failure, at 7 s, is death, and what waits is deferred.
 */
START_TEST(rest_keeps_failed_cohorts)
{
	struct world_run *r = world_run_whole(
		"scenario: rest\nrun: {for: 20s}\n"
		"mta:\n"
		"  smtp_destination_rate_delay: 5s\n"
		"  smtp_destination_concurrency_failed_cohort_limit: 2\n"
		"receivers: {r: {state: refused, after: 1s}}\n"
		"domains: {a.example: {receiver: r}}\n"
		"sources:\n"
		"  a: {arrivals: {times: [0s, 0s, 0s]}, to: a.example}\n");

	ck_assert_str_eq(world_run_say_feedback(r),
			 "a.example:sick1@1 a.example:dead0@7 "
			 "a.example:revived1@7 "
			 "4.4.1 delivery temporarily suspended: connect to "
			 "mx.r[192.0.2.1]:25: Connection refused:alive6@7");
	ck_assert_str_eq(world_run_say_deliveries(r),
			 "0:deferred@1 1:deferred@7 2:deferred@7");
	world_run_close(r);
}
END_TEST

/*
 * R-REPLY-BLAME (F9.2, F11.2): 4xx at RCPT leaves its recipient and is good
 * news of the site; 5xx likewise; only what is wrong with the site is bad news.
 */
START_TEST(refusals_are_good_news)
{
	struct world_run *r = world_run_whole(
		"scenario: blame\nrun: {for: 10s}\n"
		"receivers:\n"
		"  soft: {replies: [{step: rcpt, code: 450}]}\n"
		"  hard: {replies: [{step: rcpt, code: 550}]}\n"
		"  data: {replies: [{step: end, code: 451}]}\n"
		"  none: {state: unreachable}\n"
		"domains:\n"
		"  a.example: {receiver: soft}\n"
		"  b.example: {receiver: hard}\n"
		"  c.example: {receiver: data}\n"
		"  d.example: {receiver: none}\n"
		"sources:\n"
		"  a: {arrivals: {times: [1s]}, to: a.example}\n"
		"  b: {arrivals: {times: [2s]}, sender: \"\", to: b.example}\n"
		"  c: {arrivals: {times: [3s]}, to: c.example}\n"
		"  d: {arrivals: {times: [4s]}, to: d.example}\n");

	ck_assert_str_eq(world_run_say_feedback(r),
			 "a.example:alive6@1 b.example:alive6@2 "
			 "c.example:alive6@3 d.example:sick3@4");
	ck_assert_str_eq(world_run_say_deliveries(r),
			 "0:deferred@1 1:bounced@2 2:deferred@3 3:deferred@4");
	world_run_close(r);
}
END_TEST

/*
 * R-CLOG-WARN (F5.8): room for 10, so more than 10 // 5 = 2 requests of one
 * site are too many: the third, at 2 s, warns. The next warning is 60 s later
 * at the earliest, when another request is made: at 70 s.
 */
START_TEST(site_that_fills_active)
{
	struct world_run *r = world_run_whole(
		"scenario: clog\nrun: {for: 80s}\n"
		"mta:\n"
		"  qmgr_message_active_limit: 10\n"
		"  qmgr_clog_warn_time: 60s\n"
		"receivers: {r: {transfer: 1h}}\n"
		"domains: {\"*\": {receiver: r}}\n"
		"sources:\n"
		"  a: {arrivals: {times: [0s, 1s, 2s, 3s, 61s, 70s]}, to: "
		"a.example}\n"
		"  b: {arrivals: {times: [0s]}, to: b.example}\n");

	ck_assert_uint_eq(r->clogged.count, 2);
	ck_assert_int_eq(world_run_us(r->clogged.list[0].at), 2 * S);
	ck_assert_uint_eq(r->clogged.list[0].used, 3);
	ck_assert_uint_eq(r->clogged.list[0].active_count, 4);
	/* 62 s would do; the request of 61 s is too early. */
	ck_assert_int_eq(world_run_us(r->clogged.list[1].at), 70 * S);
	ck_assert_uint_eq(r->clogged.list[1].used, 6);
	ck_assert_str_eq(world_run_text(r, r->clogged.list[0].destination),
			 "a.example");
	world_run_close(r);
}
END_TEST

/*
 * R-DEST-PRESSURE (F7.7): four sites die, one after the other, and have no mail
 * left. More than 2 x 1 destinations may not be in memory: the third and the
 * fourth are forgotten as they die. The first two stay until their timers.
 */
START_TEST(too_many_dead_ones)
{
	struct world_run *r = world_run_open(
		"scenario: pressure\nrun: {for: 299s}\n"
		"mta:\n"
		"  qmgr_message_active_limit: 1\n"
		"  qmgr_message_recipient_limit: 1\n"
		"  initial_destination_concurrency: 1\n"
		"receivers: {r: {state: refused}}\n"
		"domains: {\"*\": {receiver: {each: r}}}\n"
		"sources:\n"
		"  s: {arrivals: {times: [1s, 2s, 3s, 4s]},\n"
		"    to: {cycle: [a.example, b.example, c.example, "
		"d.example]}}\n",
		NULL);

	world_run_finish(r);
	ck_assert_str_eq(world_run_say_feedback(r),
			 "a.example:dead0@1 b.example:dead0@2 "
			 "c.example:dead0@3 c.example:revived1@3 "
			 "d.example:dead0@4 d.example:revived1@4");
	ck_assert_uint_eq(r->world.qmgr.dest_total, 2);
	world_run_close(r);
}
END_TEST

/* The destination of the notice that a refused mail of this sender makes. */
static void
judge_name(const char *delimiter, const char *sender, const char *expected)
{
	char text[1024];
	struct world_run *r;

	snprintf(text, sizeof(text),
		 "scenario: name\nrun: {until: drained}\n"
		 "mta: {recipient_delimiter: \"%s\"}\n"
		 "receivers: {r: {replies: [{step: rcpt, code: 550}]}}\n"
		 "domains: {a.example: {receiver: r}}\n"
		 "sources:\n"
		 "  s: {arrivals: {times: [0s]}, sender: %s, to: a.example}\n",
		 delimiter, sender);
	r = world_run_whole(text);
	ck_assert_uint_eq(r->delivery.count, 2);
	ck_assert_str_eq(world_run_text(r, r->delivery.list[0].destination),
			 "a.example");
	ck_assert_str_eq(world_run_text(r, r->delivery.list[1].transport),
			 "local");
	ck_assert_str_eq(world_run_text(r, r->delivery.list[1].destination),
			 expected);
	world_run_close(r);
}

/* R-QUEUE-NAME (F5.5): local has a recipient limit of 1, so its destinations
 * are mailboxes: lower case, without extension. */
START_TEST(names_of_mailboxes)
{
	judge_name("+", "\"List+x{n}@Shop.example\"", "list@shop.example");
	judge_name("", "\"List+x{n}@Shop.example\"", "list+x0@shop.example");
	/* What begins with the delimiter has no extension. */
	judge_name("+", "\"+x@shop.example\"", "+x@shop.example");
}
END_TEST

/* R-QUEUE-NAME: a next hop in lower case; error and retry are exempt from the
 * naming by mailbox even with a limit of 1. */
START_TEST(names_of_next_hops)
{
	struct world_run *r = world_run_whole(
		"scenario: nexthop\nrun: {for: 1s}\n"
		"mta: {retry_destination_recipient_limit: 1}\n"
		"receivers: {r: {transfer: 0}}\n"
		"domains:\n"
		"  a.example: {receiver: r, nexthop: \"Relay.Example\"}\n"
		"  b.example: {transport: retry, nexthop: \"4.2.1 Moved\"}\n"
		"sources:\n"
		"  a: {arrivals: {times: [0s]}, to: a.example}\n"
		"  b: {arrivals: {times: [0s]}, to: b.example}\n");

	ck_assert_str_eq(world_run_text(r, r->delivery.list[0].destination),
			 "relay.example");
	ck_assert_str_eq(world_run_text(r, r->delivery.list[1].destination),
			 "4.2.1 moved");
	ck_assert_str_eq(world_run_text(r, r->delivery.list[1].reason),
			 "Moved");
	world_run_close(r);
}
END_TEST

static void
judge_text_row(const struct world_run *r, size_t n, const char *transport,
	       struct mta_dsn dsn, const char *reason)
{
	const struct mta_trace_delivery *d = &r->delivery.list[n];

	ck_assert_uint_lt(n, r->delivery.count);
	ck_assert_str_eq(world_run_text(r, d->transport), transport);
	ck_assert_str_eq(world_run_text(r, d->reason), reason);
	ck_assert_uint_eq(d->dsn.class, dsn.class);
	ck_assert_uint_eq(d->dsn.subject, dsn.subject);
	ck_assert_uint_eq(d->dsn.detail, dsn.detail);
	ck_assert_uint_eq(d->relay, 0);
}

/* R-RESOLVE (F5.4 g): mail of a transport in defer_transports is deferred by
 * retry; a flush overrides that. R-TEXT-AGENT */
START_TEST(deferred_transport)
{
	struct world_run *r = world_run_whole(
		"scenario: deferred\nrun: {until: drained}\n"
		"mta: {defer_transports: \"bulk, other\"}\n"
		"transports: {bulk: {kind: smtp}}\n"
		"receivers: {r: {transfer: 1s}}\n"
		"domains: {a.example: {receiver: r, transport: bulk}}\n"
		"sources: {a: {arrivals: {times: [0s]}, to: a.example}}\n"
		"operator: [{at: 700s, postqueue: flush}]\n");

	/* Runs at 0, 300 and 600 s find it due each time (F17.3, p = 0). */
	ck_assert_str_eq(world_run_say_deliveries(r),
			 "0:deferred@0 0:deferred@300 0:deferred@600 "
			 "0:sent@701");
	judge_text_row(r, 0, "retry", MTA_DSN(4, 3, 2), "deferred transport");
	world_run_close(r);
}
END_TEST

/* R-RESOLVE (F5.4 e): forced to expire before anybody tried it: retry says why
 * once, and then it goes back (F5.10). */
START_TEST(forced_expiry_without_an_attempt)
{
	struct world_run *r = world_run_whole(
		"scenario: forced\nrun: {until: drained}\n"
		"receivers: {r: {transfer: 1s}}\n"
		"domains: {a.example: {receiver: r}}\n"
		"start: [{queue: hold, messages: 1, to: a.example}]\n"
		"sources: {a: {arrivals: {times: [400s]}, to: a.example}}\n"
		"operator: [{at: 10s, postsuper: expire, where: ALL}, "
		"{at: 10s, postsuper: release, where: ALL}]\n");

	/* Released into deferred, where the run of 300 s finds it. */
	judge_text_row(r, 0, "retry", MTA_DSN(4, 7, 0),
		       "message is administratively expired");
	ck_assert_str_eq(world_run_say_deliveries(r),
			 "0:deferred@300 0:expired@300 1:sent@300 "
			 "2:sent@401");
	ck_assert_uint_eq(world_run_ended(r, 0)->outcome, MTA_EXPIRED);
	ck_assert_uint_eq(r->status.list[0].what, MTA_STATUS_MARKED);
	ck_assert_uint_eq(r->status.list[1].what, MTA_STATUS_FORCE_EXPIRED);
	world_run_close(r);
}
END_TEST

/* The same of a recorded queue whose mail was forced to expire (F12.1). */
START_TEST(forced_expiry_of_a_recorded_queue)
{
	static const char line[] =
		"{\"queue_name\": \"hold\", \"queue_id\": \"0C4F240137\", "
		"\"arrival_time\": 1770710504, \"message_size\": 700, "
		"\"forced_expire\": true, \"sender\": \"x@a.example\", "
		"\"recipients\": [{\"address\": \"y@a.example\"}]}\n";
	char path[] = "/tmp/mtasim-postqueue-XXXXXX";
	char text[512];
	struct world_run *r;
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, line, strlen(line)), (ssize_t)strlen(line));
	close(fd);
	snprintf(text, sizeof(text),
		 "scenario: forced\nrun: {for: 400s}\n"
		 "receivers: {r: {transfer: 1s}}\n"
		 "domains: {a.example: {receiver: r}}\n"
		 "start: [{postqueue: %s}]\n"
		 "operator: [{at: 10s, postsuper: release, where: ALL}]\n",
		 path);
	r = world_run_whole(text);
	unlink(path);
	ck_assert_str_eq(world_run_say_deliveries(r),
			 "0:deferred@300 0:expired@300 1:sent@301");
	ck_assert_uint_eq(r->status.list[0].what, MTA_STATUS_FORCE_EXPIRED);
	world_run_close(r);
}
END_TEST

/* R-RESOLVE (F5.4 g): retry may itself be named in defer_transports. Then its
 * mail says so, and not why it went there. */
START_TEST(deferred_retry)
{
	struct world_run *r = world_run_whole(
		"scenario: forced\nrun: {until: drained}\n"
		"mta: {defer_transports: retry}\n"
		"receivers: {r: {transfer: 1s}}\n"
		"domains: {a.example: {receiver: r}}\n"
		"start: [{queue: hold, messages: 1, to: a.example}]\n"
		"sources: {a: {arrivals: {times: [400s]}, to: a.example}}\n"
		"operator: [{at: 10s, postsuper: expire, where: ALL}, "
		"{at: 10s, postsuper: release, where: ALL}]\n");

	judge_text_row(r, 0, "retry", MTA_DSN(4, 3, 2), "deferred transport");
	ck_assert_str_eq(world_run_say_deliveries(r),
			 "0:deferred@300 0:expired@300 1:sent@300 "
			 "2:sent@401");
	world_run_close(r);
}
END_TEST

/* A refused mail of this sender makes a notice: does an agent deliver it? */
static void
judge_end(const char *sender, bool expected)
{
	char text[1024];
	struct world_run *r;

	snprintf(text, sizeof(text),
		 "scenario: end\nrun: {until: drained}\n"
		 "receivers:\n"
		 "  no: {replies: [{step: rcpt, code: 550}]}\n"
		 "  yes: {transfer: 1s}\n"
		 "domains: {a.example: {receiver: no}, "
		 "b.example: {receiver: yes}}\n"
		 "sources:\n"
		 "  s: {arrivals: {times: [0s]}, sender: %s, to: a.example}\n",
		 sender);
	r = world_run_whole(text);
	ck_assert_uint_eq(r->delivery.count, 2);
	ck_assert_uint_eq(r->delivery.list[1].dsn.class, 2);
	ck_assert_int_eq(r->delivery.list[1].handoff != MTA_NEVER, expected);
	ck_assert_int_eq(r->delivery.list[1].transport != 0, expected);
	ck_assert_uint_eq(world_run_ended(r, 1)->outcome, MTA_SENT);
	world_run_close(r);
}

/*
 * R-DOUBLE-BOUNCE-END (F5.4 f): the address that double bounces come from, in
 * any case and at a domain of ours (one of which the scenario says nothing),
 * takes everything without an agent; not so elsewhere, not so its neighbours.
 */
START_TEST(end_of_double_bounces)
{
	judge_end("Double-Bounce@ours.example", false);
	judge_end("double-bounce@b.example", true);
	judge_end("double@ours.example", true);
	judge_end("double-bounce2@ours.example", true);
}
END_TEST

/*
 * R-RESOLVE, R-TRANSPORT-THROTTLE, R-DEFER-WAITING (F5.4 k, F8.5, F8.6, F9.4):
 * a transport whose agent could not be had is avoided for 60 s. Agents here
 * never fail so; the test says it in their place, to a queue manager whose two
 * requests for an agent nobody answers, because the master has throttled the
 * service after a crash at the first request. That the other agent cannot be
 * had either, 14 s later, makes it no longer (F8.6).
 */
START_TEST(avoided_transport)
{
	struct world_run *r = world_run_open(
		"scenario: avoided\nrun: {for: 70s}\n"
		"receivers: {r: {transfer: 10s}}\n"
		"domains: {\"*\": {receiver: r}}\n"
		"sources:\n"
		"  a: {arrivals: {times: [0s]}, to: a.example}\n"
		"  b: {arrivals: {times: [5s, 8s]}, to: b.example}\n"
		"operator: [{at: 1s, crash: {agent: smtp}}]\n",
		NULL);
	struct mta_port *port = world_host(&r->world)->port;
	mta_sym smtp = mta_sym_find(&r->world.symbols, "smtp");

	world_run_until(r, 6 * S);
	ck_assert_str_eq(world_run_say_selected(r), "0@0");
	for (size_t i = 0; i < r->world.agents.transport_count; i++)
		r->world.agents.transports[i].backlog = 0;
	port->ops->send(port, MTA_TO_QMGR,
			&(struct mta_note){.kind = MTA_NOTE_AGENT_FAILED,
					   .agent = {.transport = smtp}});
	world_run_until(r, 20 * S);
	port->ops->send(port, MTA_TO_QMGR,
			&(struct mta_note){.kind = MTA_NOTE_AGENT_FAILED,
					   .agent = {.transport = smtp}});
	world_run_finish(r);
	/* Mail 1 waited and is deferred now; mail 2 comes while avoided. */
	ck_assert_str_eq(world_run_say_deliveries(r),
			 "1:deferred@6 2:deferred@8");
	judge_text_row(r, 0, "retry", MTA_DSN(4, 3, 0),
		       "mail transport unavailable");
	judge_text_row(r, 1, "retry", MTA_DSN(4, 3, 0),
		       "mail transport unavailable");
	ck_assert_uint_eq(r->throttle.count, 2);
	ck_assert_int_eq(world_run_us(r->throttle.list[0].at), 6 * S);
	ck_assert_int_eq(world_run_us(r->throttle.list[1].at), 66 * S);
	ck_assert_uint_eq(r->throttle.list[1].reason, 0);
	world_run_close(r);
}
END_TEST

/* Mails of a transport in defer_transports come at 5, 8 and 70 s. */
static struct world_run *
deferring_bulk(const char *more)
{
	char text[1024];

	snprintf(text, sizeof(text),
		 "scenario: deferring\nrun: {for: 90s}\n"
		 "mta: {defer_transports: bulk%s}\n"
		 "transports: {bulk: {kind: smtp}}\n"
		 "receivers: {r: {transfer: 1s}}\n"
		 "domains: {a.example: {receiver: r, transport: bulk}}\n"
		 "sources: {a: {arrivals: {times: [5s, 8s, 70s]}, to: "
		 "a.example}}\n",
		 more);
	return world_run_open(text, NULL);
}

/*
 * R-RESOLVE (F5.4 g, k): mail of a deferred transport goes to retry, and when
 * retry is avoided as well it is deferred on the spot, with the reason for
 * which retry is avoided. It is not lost. Retry is avoided for 60 s from 6 s
 * on.
 */
START_TEST(deferred_transport_without_retry)
{
	struct world_run *r = deferring_bulk("");
	struct mta_port *port = world_host(&r->world)->port;
	mta_sym retry = mta_sym_find(&r->world.symbols, "retry");

	world_run_until(r, 6 * S);
	port->ops->send(port, MTA_TO_QMGR,
			&(struct mta_note){.kind = MTA_NOTE_AGENT_FAILED,
					   .agent = {.transport = retry}});
	world_run_finish(r);
	ck_assert_str_eq(world_run_say_deliveries(r),
			 "0:deferred@5 1:deferred@8 2:deferred@70");
	judge_text_row(r, 0, "retry", MTA_DSN(4, 3, 2), "deferred transport");
	ck_assert_uint_eq(r->delivery.list[1].transport, 0);
	ck_assert_str_eq(world_run_text(r, r->delivery.list[1].reason),
			 "mail transport unavailable");
	judge_text_row(r, 2, "retry", MTA_DSN(4, 3, 2), "deferred transport");
	ck_assert_uint_eq(world_run_in_queue(r, MTA_DEFERRED), 3);
	world_run_close(r);
}
END_TEST

/*
 * R-RESOLVE (F5.4 n): a destination of retry can be dead too, by an agent that
 * crashed (F9.5). Mail for it does not wait: it goes to the destination of
 * retry that bears the reason of the death. The test says the crash in the
 * agent's place, at 6 s, with a window of 1; the death lasts 300 s.
 */
START_TEST(dead_destination_of_retry)
{
	struct world_run *r =
		deferring_bulk(", retry_initial_destination_concurrency: 1");
	struct mta_symtab *symbols = &r->world.symbols;
	struct mta_status why = {.dsn = MTA_DSN(4, 3, 0)};
	struct mta_transport *retry;
	mta_sym name;

	world_run_until(r, 6 * S);
	retry = mta_transport_get(&r->world.qmgr,
				  mta_sym_find(symbols, "retry"));
	name = mta_sym_intern(symbols, "4.3.2 deferred transport");
	why.reason = mta_sym_intern(
		symbols, "delivery temporarily suspended: unknown mail "
			 "transport error");
	mta_dest_sick(mta_dest_create(retry, name, name), why);
	mta_sym_drop(symbols, name);
	mta_sym_drop(symbols, why.reason);
	world_run_finish(r);
	ck_assert_str_eq(world_run_say_deliveries(r),
			 "0:deferred@5 1:deferred@8 2:deferred@70");
	judge_text_row(r, 1, "retry", MTA_DSN(4, 3, 0),
		       "delivery temporarily suspended: unknown mail "
		       "transport error");
	world_run_close(r);
}
END_TEST

/* R-TEXT-AGENT (F11.9): code and text of the next hop; what has no code gets
 * 5.0.0, 4.0.0, 2.0.0. */
START_TEST(agents_of_texts)
{
	struct world_run *r = world_run_whole(
		"scenario: texts\nrun: {for: 10s}\n"
		"domains:\n"
		"  a.example: {transport: error, nexthop: \"5.2.1 closed\"}\n"
		"  b.example: {transport: error, nexthop: no such site}\n"
		"  c.example: {transport: retry, nexthop: later}\n"
		"  d.example: {transport: discard, nexthop: silently}\n"
		"sources:\n"
		"  s: {arrivals: {times: [1s, 2s, 3s, 4s]}, sender: \"\",\n"
		"    to: {cycle: [a.example, b.example, c.example, "
		"d.example]}}\n");

	ck_assert_str_eq(world_run_say_deliveries(r),
			 "0:bounced@1 1:bounced@2 2:deferred@3 3:sent@4");
	judge_text_row(r, 0, "error", MTA_DSN(5, 2, 1), "closed");
	judge_text_row(r, 1, "error", MTA_DSN(5, 0, 0), "no such site");
	judge_text_row(r, 2, "retry", MTA_DSN(4, 0, 0), "later");
	judge_text_row(r, 3, "discard", MTA_DSN(2, 0, 0), "silently");
	world_run_close(r);
}
END_TEST

/*
 * Reasons are names with owners (symtab.h): replies, dead destinations, those
 * of retry, logs. When all mail has gone nobody has them but the remote end,
 * which keeps what it has said once. The site dies twice, of a refused
 * connection and of an agent that crashed, and mail is told so by retry; rows
 * of the trace would be owners too, so none are kept.
 */
START_TEST(reasons_are_given_back)
{
	static const char refused[] =
		"connect to mx.r[192.0.2.1]:25: Connection refused";
	static const char *const gone[] = {
		"delivery temporarily suspended: connect to "
		"mx.r[192.0.2.1]:25: Connection refused",
		"4.4.1 delivery temporarily suspended: connect to "
		"mx.r[192.0.2.1]:25: Connection refused",
		"unknown mail transport error",
		"delivery temporarily suspended: unknown mail transport error",
		"4.3.0 delivery temporarily suspended: unknown mail transport "
		"error",
	};
	struct world_run *r = world_run_open(
		"scenario: reasons\nrun: {until: drained}\n"
		"mta: {initial_destination_concurrency: 1}\n"
		"receivers:\n"
		"  r: {transfer: 10s, fails: {pattern: [1, 0, 0, 0], "
		"after: 1s}}\n"
		"domains: {a.example: {receiver: r}}\n"
		"sources: {a: {arrivals: {times: [0s, 0s, 3s, 400s, 401s]},\n"
		"  to: a.example}}\n"
		"operator: [{at: 405s, crash: {agent: smtp}}]\n",
		&(struct world_run_options){.keep = WORLD_RUN_KEEP(ENDED)});
	const struct mta_symtab *symbols = &r->world.symbols;
	mta_sym name;

	world_run_until(r, 2 * S);
	ck_assert_uint_ne(mta_sym_find(symbols, gone[0]), 0);
	world_run_until(r, 406 * S);
	ck_assert_uint_ne(mta_sym_find(symbols, gone[3]), 0);
	world_run_finish(r);
	ck_assert_uint_eq(r->ended.count, 5);
	for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++)
		ck_assert_msg(mta_sym_find(symbols, gone[i]) == 0,
			      "somebody has '%s'", gone[i]);
	name = mta_sym_find(symbols, refused);
	ck_assert_uint_eq(symbols->symbols[name].owners, 1);
	world_run_close(r);
}
END_TEST

Suite *
system_destinations_suite(void)
{
	Suite *s = suite_create("system_destinations");
	TCase *tc = tcase_create("whole system");

	tcase_add_test(tc, rest_after_each_delivery);
	tcase_add_test(tc, rest_instead_of_death);
	tcase_add_test(tc, rest_keeps_failed_cohorts);
	tcase_add_test(tc, refusals_are_good_news);
	tcase_add_test(tc, site_that_fills_active);
	tcase_add_test(tc, too_many_dead_ones);
	tcase_add_test(tc, names_of_mailboxes);
	tcase_add_test(tc, names_of_next_hops);
	tcase_add_test(tc, deferred_transport);
	tcase_add_test(tc, forced_expiry_without_an_attempt);
	tcase_add_test(tc, forced_expiry_of_a_recorded_queue);
	tcase_add_test(tc, deferred_retry);
	tcase_add_test(tc, end_of_double_bounces);
	tcase_add_test(tc, avoided_transport);
	tcase_add_test(tc, deferred_transport_without_retry);
	tcase_add_test(tc, dead_destination_of_retry);
	tcase_add_test(tc, agents_of_texts);
	tcase_add_test(tc, reasons_are_given_back);
	suite_add_tcase(s, tc);
	return s;
}
