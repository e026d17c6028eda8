/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Delivery agents and their master, seen from the queue manager through the
 * whole system: agents that are asked for in turn, that are not needed after
 * all, that crash; processes and cached connections. Times are sums of what
 * each scenario says.
 */
#include <check.h>
#include <string.h>

#include "tests/world_run.h"

#define S INT64_C(1000000)

/*
 * R-AGENT-TURN (F8.1, F8.3): one mail with a recipient at each of four sites,
 * two on smtp and two on bulk, so both transports want two agents at once.
 * Sorted by domain, b1 makes the transport bulk first; smtp, made later, stands
 * in front of it. Asked for, and answered, in turn.
 */
START_TEST(transports_take_turns)
{
	static const char *const sites[] = {"s1.example", "b1.example",
					    "s2.example", "b2.example"};
	struct world_run *r = world_run_whole(
		"scenario: turns\nrun: {until: drained}\n"
		"transports: {bulk: {kind: smtp}}\n"
		"receivers: {r: {transfer: 1s}}\n"
		"domains:\n"
		"  s1.example: {receiver: r}\n"
		"  s2.example: {receiver: r}\n"
		"  b1.example: {receiver: r, transport: bulk}\n"
		"  b2.example: {receiver: r, transport: bulk}\n"
		"sources:\n"
		"  s: {arrivals: {times: [0s]}, recipients: 4, to: {cycle:\n"
		"    [s1.example, s2.example, b1.example, b2.example]}}\n");

	ck_assert_uint_eq(r->selected.count, 4);
	for (size_t i = 0; i < 4; i++)
		ck_assert_str_eq(
			world_run_text(r, r->selected.list[i].destination),
			sites[i]);
	world_run_close(r);
}
END_TEST

/*
 * R-AGENT-NEED (F8.3): of a.example four deliveries run, of which its window
 * allows three after the failure at 1.1 s: 5 - 2. That raises the need of the
 * transport for those who stand behind it. c.example stands before it,
 * b.example behind.
 *
 *    2 s  mail 6 for b could start; pending + 1 - 0 - (-1) - 1 = 1: none asked
 *   10 s  mail 7 for b: 1 - 0 - (-1) - 2 = 0: one is asked for, and takes mail
 * 6 20 s  mail 8 for c: 1 - 1 = 0, nobody else is looked at; the agent takes
 * mail 7, which is earlier, and another mail 8
 */
START_TEST(too_many_under_way_raise_the_need)
{
	struct world_run *r = world_run_whole(
		"scenario: need\nrun: {for: 90s}\n"
		"receivers:\n"
		"  r: {transfer: 100s}\n"
		"  torn:\n"
		"    transfer: 100s\n"
		"    fails: {pattern: [1, 0, 0, 0, 0], how: refused,\n"
		"      after: 100ms}\n"
		"domains:\n"
		"  a.example: {receiver: torn}\n"
		"  \"*\": {receiver: r}\n"
		"sources:\n"
		"  c: {arrivals: {times: [0s, 20s]}, to: c.example}\n"
		"  a: {arrivals: {times: [1s, 1s, 1s, 1s, 1s]}, to: "
		"a.example}\n"
		"  b: {arrivals: {times: [2s, 10s]}, to: b.example}\n");

	ck_assert_int_eq(world_run_feedback(r, "a.example", 0)->window, 3);
	ck_assert_int_eq(world_run_feedback(r, "a.example", 0)->busy, 5);
	ck_assert_str_eq(world_run_say_selected(r),
			 "0@0 1@1 2@1 3@1 4@1 5@1 6@10 7@20 8@20");
	world_run_close(r);
}
END_TEST

static struct mta_transport *
transport_of(const struct world_run *r, const char *name)
{
	return mta_table_find(&r->world.qmgr.transport_index,
			      mta_sym_find(&r->world.symbols, name));
}

/*
 * R-AGENT-UNUSED, R-AGENT-NEED (F8.5): two processes, window 3; a connection
 * takes 30 s to time out. Mails 0 and 1 occupy the processes from 0 and 10 s.
 * Mail 2 could start, so an agent is asked for at 11 s, and waits. At 30 s mail
 * 0 fails: window 3 - 2 = 1, busy 1; the process that is free says hello, but
 * nothing may start, and it is let go. At 40 s mail 1 fails: 1/3 + 1 cohorts,
 * dead; mail 2 goes to retry, a destination that begins with 3 as well.
 */
START_TEST(agent_that_is_not_needed)
{
	struct world_run *r = world_run_open(
		"scenario: unused\nrun: {for: 100s}\n"
		"mta: {initial_destination_concurrency: 3}\n"
		"transports: {smtp: {maxproc: 2}}\n"
		"receivers: {r: {state: timeout}}\n"
		"domains: {a.example: {receiver: r}}\n"
		"sources:\n"
		"  s: {arrivals: {times: [0s, 10s, 11s]}, to: a.example}\n",
		NULL);

	world_run_until(r, 20 * S);
	ck_assert_int_eq(transport_of(r, "smtp")->pending, 1);
	world_run_until(r, 35 * S);
	ck_assert_int_eq(transport_of(r, "smtp")->pending, 0);
	ck_assert_str_eq(world_run_say_selected(r), "0@0 1@10");
	world_run_finish(r);
	ck_assert_str_eq(world_run_say_feedback(r),
			 "a.example:sick1@30 a.example:dead0@40 "
			 "4.4.1 delivery temporarily suspended: connect to "
			 "mx.r[192.0.2.1]:25: Connection timed out:alive4@40");
	ck_assert_str_eq(world_run_say_deliveries(r),
			 "0:deferred@30 1:deferred@40 2:deferred@40");
	world_run_close(r);
}
END_TEST

/*
 * R-AGENT-CRASH, R-MASTER-THROTTLE (F9.5, F8.12): the agent dies at 5 s, in its
 * first request. Nothing is said of the recipient; the site is charged (window
 * 5 - 2 = 3); the mail is due 300 s later, at 305 s, so in the run of 600 s.
 * The master starts no smtp process for 60 s: mail 1, of another site, waits
 * until 65 s. The second crash, at 607 s, is of a process that had served
 * before, and throttles nothing: mail 2 starts when it comes.
 */
START_TEST(agent_that_dies)
{
	struct world_run *r = world_run_whole(
		"scenario: crash\nrun: {until: drained}\n"
		"mta: {max_idle: 1000s}\n"
		"receivers: {r: {transfer: 10s}}\n"
		"domains: {\"*\": {receiver: r}}\n"
		"sources:\n"
		"  a: {arrivals: {times: [0s]}, to: a.example}\n"
		"  b: {arrivals: {times: [10s, 608s]}, to: b.example}\n"
		"operator:\n"
		"  - {at: 5s, crash: {agent: smtp}}\n"
		"  - {at: 607s, crash: {agent: smtp}}\n");
	const struct mta_trace_feedback *f =
		world_run_feedback(r, "a.example", 0);

	ck_assert_int_eq(world_run_us(f->at), 5 * S);
	ck_assert_uint_eq(f->event, MTA_FEEDBACK_SICK);
	ck_assert_int_eq(f->window, 3);
	/* 607 s: age 607, due at 1214 s, in the run of 1500 s. */
	ck_assert_str_eq(world_run_say_selected(r),
			 "0@0 1@65 0@600 2@608 0@1500");
	ck_assert_str_eq(world_run_say_deliveries(r),
			 "1:sent@75 2:sent@618 0:sent@1510");
	ck_assert_int_eq(world_run_wake_s(world_run_move(r, 0, 2)->wake_s),
			 305);
	ck_assert_int_eq(world_run_wake_s(world_run_move(r, 0, 4)->wake_s),
			 1214);
	world_run_close(r);
}
END_TEST

/* R-AGENT-CRASH: a site with a window of 1 dies of it; the mail that waits is
 * told why. */
START_TEST(site_that_dies_of_a_crash)
{
	struct world_run *r = world_run_whole(
		"scenario: crash\nrun: {for: 20s}\n"
		"mta: {initial_destination_concurrency: 1}\n"
		"receivers: {r: {transfer: 10s}}\n"
		"domains: {\"*\": {receiver: r}}\n"
		"sources: {a: {arrivals: {times: [0s, 1s]}, to: a.example}}\n"
		"operator: [{at: 5s, crash: {agent: smtp}}]\n");

	ck_assert_uint_eq(r->delivery.count, 1);
	ck_assert_str_eq(world_run_say_deliveries(r), "1:deferred@5");
	ck_assert_str_eq(world_run_text(r, r->delivery.list[0].reason),
			 "delivery temporarily suspended: unknown mail "
			 "transport error");
	ck_assert_str_eq(world_run_text(r, r->delivery.list[0].transport),
			 "retry");
	world_run_close(r);
}
END_TEST

/*
 * R-TRANSPORT-RATE (F8.4): mails to three sites, an agent that waits 5 s and
 * delivers in 2 s. The first delivery starts at 5 s; the next agent is asked
 * for when that has been reported, at 7 s, and starts at 12 s, though two sites
 * and a hundred processes are free.
 */
START_TEST(one_delivery_after_each_rate_delay)
{
	struct world_run *r = world_run_whole(
		"scenario: rate\nrun: {for: 60s}\n"
		"mta: {smtp_transport_rate_delay: 5s}\n"
		"receivers: {r: {transfer: 2s}}\n"
		"domains: {\"*\": {receiver: r}}\n"
		"sources:\n"
		"  a: {arrivals: {times: [0s]}, to: a.example}\n"
		"  b: {arrivals: {times: [1s]}, to: b.example}\n"
		"  c: {arrivals: {times: [2s]}, to: c.example}\n");

	ck_assert_str_eq(world_run_say_selected(r), "0@5 1@12 2@19");
	ck_assert_str_eq(world_run_say_deliveries(r),
			 "0:sent@7 1:sent@14 2:sent@21");
	world_run_close(r);
}
END_TEST

/* R-AGENT-CRASH (F8.4, F8.7): with a transport rate delay of 1 s mail 0 starts
 * at 1 s; its agent dies at 5 s, in its first request, so that the next process
 * starts at 65 s; mail 1 starts a second later. The dead one does not keep the
 * lock of the rate delay. */
START_TEST(crash_lets_the_rate_lock_go)
{
	struct world_run *r = world_run_whole(
		"scenario: crash\nrun: {for: 100s}\n"
		"mta: {smtp_transport_rate_delay: 1s}\n"
		"receivers: {r: {transfer: 10s}}\n"
		"domains: {\"*\": {receiver: r}}\n"
		"sources: {a: {arrivals: {times: [0s, 6s]}, to: a.example}}\n"
		"operator: [{at: 5s, crash: {agent: smtp}}]\n");

	ck_assert_str_eq(world_run_say_selected(r), "0@1 1@66");
	world_run_close(r);
}
END_TEST

/*
 * R-AGENT-UNUSED (F8.4, F8.7): with a transport rate delay of 5 s the agent for
 * mail 0 is held until 5 s. At 2 s the site dies (the test says so in the place
 * of a delivery, of which there can be none), and mail 0 goes to retry. The
 * agent is not needed; the lock of the rate delay does not outlive it: mail 1,
 * at 6 s, starts at 11 s.
 */
START_TEST(unused_agent_lets_the_rate_lock_go)
{
	struct world_run *r = world_run_open(
		"scenario: unused\nrun: {for: 20s}\n"
		"mta: {smtp_transport_rate_delay: 5s,\n"
		"  initial_destination_concurrency: 1}\n"
		"receivers: {r: {transfer: 1s}}\n"
		"domains: {\"*\": {receiver: r}}\n"
		"sources:\n"
		"  a: {arrivals: {times: [0s]}, to: a.example}\n"
		"  b: {arrivals: {times: [6s]}, to: b.example}\n",
		NULL);
	struct mta_symtab *symbols = &r->world.symbols;
	struct mta_status why = {.dsn = MTA_DSN(4, 4, 1)};
	struct mta_dest *d;

	world_run_until(r, 2 * S);
	world_run_act_now(r);
	d = mta_dest_find(transport_of(r, "smtp"),
			  mta_sym_find(symbols, "a.example"));
	why.reason = mta_sym_intern(symbols, "no answer");
	mta_dest_sick(d, why);
	mta_dest_defer_todo(d, why);
	mta_qmgr_wake(&r->world.qmgr);
	mta_sym_drop(symbols, why.reason);
	world_run_finish(r);
	ck_assert_str_eq(world_run_say_selected(r), "0@2 1@11");
	ck_assert_str_eq(world_run_say_deliveries(r), "0:deferred@2 1:sent@12");
	world_run_close(r);
}
END_TEST

/*
 * R-AGENT-GONE (F8.9, F9.10): one process, busy until 10 s; the operator
 * deletes mail 1, which waits, at 5 s. The agent finds no file: nothing is said
 * of the recipient, the site is not blamed, and the mail is forgotten.
 */
START_TEST(file_that_has_gone)
{
	struct world_run *r = world_run_whole(
		"scenario: gone\nrun: {for: 20s}\n"
		"transports: {smtp: {maxproc: 1}}\n"
		"receivers: {r: {transfer: 10s}}\n"
		"domains: {\"*\": {receiver: r}}\n"
		"sources:\n"
		"  a: {arrivals: {times: [0s]}, to: a.example}\n"
		"  b: {arrivals: {times: [1s]}, to: b.example}\n"
		"operator:\n"
		"  - {at: 5s, postsuper: delete, where: {domain: "
		"b.example}}\n");

	ck_assert_str_eq(world_run_say_selected(r), "0@0 1@10");
	ck_assert_str_eq(world_run_say_deliveries(r), "0:sent@10");
	ck_assert_str_eq(world_run_say_feedback(r),
			 "a.example:alive6@10 b.example:alive6@10");
	ck_assert_uint_eq(world_run_ended(r, 1)->outcome, MTA_DELETED);
	ck_assert_uint_eq(r->world.qmgr.active_count, 0);
	world_run_close(r);
}
END_TEST

/*
 * R-AGENT-RETIRE, R-MASTER-LISTEN (F8.9, F8.11): a process takes 1 s to start,
 * serves two requests and ends: mails at 1 1 2 2 3 s. The last process is idle
 * from 3 s on; at 103 s it ends (max_idle), so mail 5, at 100 s, finds it and
 * mail 6, much later, does not; and mail 5 was its second request.
 */
START_TEST(processes_come_and_go)
{
	struct world_run *r = world_run_whole(
		"scenario: processes\nrun: {until: drained}\n"
		"mta: {max_use: 2}\n"
		"spool: {order: oldest-first}\n"
		"transports: {smtp: {maxproc: 1}}\n"
		"costs: {agent: {start: 1s}}\n"
		"receivers: {r: {transfer: 0}}\n"
		"domains: {\"*\": {receiver: r}}\n"
		"sources:\n"
		"  s: {arrivals: {times: [0s, 0s, 0s, 0s, 0s, 100s, 200s, "
		"299s,\n"
		"    500s]}, to: a.example}\n");

	/* Mail 6 starts a process, which serves mail 7 as well. */
	ck_assert_str_eq(world_run_say_selected(r),
			 "0@1 1@1 2@2 3@2 4@3 5@100 6@201 7@299 8@501");
	world_run_close(r);
}
END_TEST

/*
 * R-CONNECTION-LIFE (F11.6): connecting takes 1 s, and so does a mail. The
 * site's connections are always cached, for 2 s of idleness. Mail 0: 0 to 2 s;
 * mail 1 at 3 s finds the connection: 3 to 4 s; mail 2 at 6.5 s does not.
 */
START_TEST(connection_is_used_again)
{
	static const uint16_t uses[] = {1, 2, 1};
	struct world_run *r = world_run_whole(
		"scenario: cache\nrun: {until: drained}\n"
		"mta: {smtp_connection_cache_destinations: a.example}\n"
		"receivers: {r: {connect: 1s, transfer: 1s}}\n"
		"domains: {\"*\": {receiver: r}}\n"
		"sources: {s: {arrivals: {times: [0s, 3s, 6.5s]}, to: "
		"a.example}}\n");

	ck_assert_str_eq(world_run_say_deliveries(r),
			 "0:sent@2 1:sent@4 2:sent@8.5");
	for (size_t i = 0; i < 3; i++)
		ck_assert_uint_eq(r->delivery.list[i].conn_use, uses[i]);
	world_run_close(r);
}
END_TEST

/* F11.6: it is the next hop that is named, though with a recipient limit of 1
 * the destination is u0@a.example (R-QUEUE-NAME). */
START_TEST(connection_of_one_recipient_is_used_again)
{
	struct world_run *r = world_run_whole(
		"scenario: cache\nrun: {until: drained}\n"
		"mta: {smtp_connection_cache_destinations: a.example,\n"
		"      smtp_destination_recipient_limit: 1}\n"
		"receivers: {r: {connect: 1s, transfer: 1s}}\n"
		"domains: {\"*\": {receiver: r}}\n"
		"sources: {s: {arrivals: {times: [0s, 3s]}, to: "
		"a.example, users: 1}}\n");

	ck_assert_str_eq(world_run_say_deliveries(r), "0:sent@2 1:sent@4");
	world_run_close(r);
}
END_TEST

/*
 * R-CONNECTION-LIFE, R-CACHE-HINTS (F7.10): on demand. One process; mail 1
 * begins as mail 0 ends, so its connection is kept, and mails 2 to 4 use it, at
 * a second each instead of two. A connection that is 3 s old is not kept: with
 * that limit the one of mail 1 (made at 3 s) is used by mail 2 and mail 3, and
 * mail 4 needs another.
 */
START_TEST(connection_on_demand)
{
	static const char text[] =
		"scenario: demand\nrun: {until: drained}\n"
		"mta: {smtp_connection_reuse_time_limit: %ds}\n"
		"transports: {smtp: {maxproc: 1}}\n"
		"spool: {order: oldest-first}\n"
		"receivers: {r: {connect: 1s, transfer: 1s}}\n"
		"domains: {\"*\": {receiver: r}}\n"
		"sources: {s: {arrivals: {burst: {at: 0s, messages: 5}}, to: "
		"a.example}}\n";
	char buffer[1024];
	struct world_run *r;

	snprintf(buffer, sizeof(buffer), text, 300);
	r = world_run_whole(buffer);
	ck_assert_str_eq(world_run_say_deliveries(r),
			 "0:sent@2 1:sent@4 2:sent@5 3:sent@6 4:sent@7");
	world_run_close(r);
	snprintf(buffer, sizeof(buffer), text, 3);
	r = world_run_whole(buffer);
	ck_assert_str_eq(world_run_say_deliveries(r),
			 "0:sent@2 1:sent@4 2:sent@5 3:sent@6 4:sent@8");
	world_run_close(r);
}
END_TEST

/* F14.4: a refusal at RCPT is of the time at which it is known. Of mail 0, u0
 * is refused after 3 s, u1 2 s later, u2 is accepted and the transfer takes
 * 10 s more. Of mail 1 everybody is refused. */
START_TEST(refusals_beside_each_other)
{
	struct world_run *r = world_run_whole(
		"scenario: rcpt\nrun: {for: 100s}\n"
		"receivers:\n"
		"  r:\n"
		"    transfer: 10s\n"
		"    replies:\n"
		"      - {step: rcpt, code: 450, match: \"u0@*\", after: 3s}\n"
		"      - {step: rcpt, code: 550, match: \"u1@*\", after: 2s}\n"
		"domains: {\"*\": {receiver: r}}\n"
		"sources:\n"
		"  s: {arrivals: {times: [0s]}, sender: \"\", users: 3,\n"
		"      recipients: 3, to: a.example}\n"
		"  t: {arrivals: {times: [30s]}, sender: \"\", users: 2,\n"
		"      recipients: 2, to: a.example}\n");

	ck_assert_str_eq(world_run_say_deliveries(r),
			 "0:deferred@3 0:bounced@5 0:sent@15 "
			 "1:deferred@33 1:bounced@35");
	world_run_close(r);
}
END_TEST

/* R-PIPE (F11.8): one outcome for all, known when the command ends, after 3 s;
 * 4xx defers, 5xx bounces. A mailbox of virtual is refused by itself. */
START_TEST(one_outcome_of_a_command)
{
	struct world_run *r = world_run_whole(
		"scenario: pipe\nrun: {for: 100s}\n"
		"receivers:\n"
		"  soft: {transfer: 3s, replies: [{step: rcpt, code: 450, "
		"match: \"u1@*\"}]}\n"
		"  hard: {transfer: 3s, replies: [{step: rcpt, code: 550, "
		"match: \"u1@*\"}]}\n"
		"domains:\n"
		"  s.example: {receiver: soft, transport: pipe}\n"
		"  h.example: {receiver: hard, transport: pipe}\n"
		"  v.example: {receiver: hard, transport: virtual}\n"
		"sources:\n"
		"  s: {arrivals: {times: [0s]}, sender: \"\", users: 2,\n"
		"      recipients: 2, to: s.example}\n"
		"  h: {arrivals: {times: [10s]}, sender: \"\", users: 2,\n"
		"      recipients: 2, to: h.example}\n"
		"  v: {arrivals: {times: [20s]}, sender: \"\", users: 2,\n"
		"      recipients: 2, to: v.example}\n");

	ck_assert_str_eq(world_run_say_deliveries(r),
			 "0:deferred@3 0:deferred@3 1:bounced@13 "
			 "1:bounced@13 2:bounced@20 2:sent@23");
	world_run_close(r);
}
END_TEST

/* R-PIPE: a command of 2000 s is killed after 1000 s, or as its transport says,
 * and bounces. To a mailbox it may take as long as it takes: 2000 s, where smtp
 * would give up after 600 s. */
START_TEST(command_that_takes_too_long)
{
	struct world_run *r = world_run_whole(
		"scenario: limit\nrun: {for: 2100s}\n"
		"mta: {short_time_limit: 10s}\n"
		"transports: {short: {kind: pipe}}\n"
		"receivers: {r: {transfer: 2000s}}\n"
		"domains:\n"
		"  p.example: {receiver: {each: r}, transport: pipe}\n"
		"  s.example: {receiver: {each: r}, transport: short}\n"
		"  l.example: {receiver: {each: r}, transport: local}\n"
		"sources:\n"
		"  p: {arrivals: {times: [0s]}, sender: \"\", to: p.example}\n"
		"  s: {arrivals: {times: [1s]}, sender: \"\", to: s.example}\n"
		"  l: {arrivals: {times: [2s]}, sender: \"\", to: "
		"l.example}\n");

	ck_assert_str_eq(world_run_say_deliveries(r),
			 "1:bounced@11 0:bounced@1000 2:sent@2002");
	ck_assert_uint_eq(r->delivery.list[0].dsn.class, 5);
	ck_assert_uint_eq(r->delivery.list[0].dsn.subject, 3);
	ck_assert_uint_eq(r->delivery.list[0].dsn.detail, 0);
	world_run_close(r);
}
END_TEST

/* R-PIPE: the time limit comes first in F11.8. A command that is killed has no
 * say about u1 any more: both bounce after 10 s. */
START_TEST(command_that_is_killed_refuses_nobody)
{
	struct world_run *r = world_run_whole(
		"scenario: limit\nrun: {for: 100s}\n"
		"mta: {pipe_time_limit: 10s}\n"
		"receivers:\n"
		"  r: {transfer: 20s, replies: [{step: rcpt, code: 450, "
		"match: \"u1@*\"}]}\n"
		"domains: {p.example: {receiver: r, transport: pipe}}\n"
		"sources:\n"
		"  p: {arrivals: {times: [0s]}, sender: \"\", users: 2,\n"
		"      recipients: 2, to: p.example}\n");

	ck_assert_str_eq(world_run_say_deliveries(r),
			 "0:bounced@10 0:bounced@10");
	ck_assert_uint_eq(r->delivery.list[0].dsn.subject, 3);
	ck_assert_uint_eq(r->delivery.list[1].dsn.subject, 3);
	world_run_close(r);
}
END_TEST

/*
 * R-PIPE: the limit is on all that the command does, refusing included: 550
 * after 30 s is never said. Two recipients at 12 s each are too much as well. A
 * mailbox that is refused after 1000 s is refused then.
 */
START_TEST(command_that_refuses_too_late)
{
	struct world_run *r = world_run_whole(
		"scenario: limit\nrun: {for: 1100s}\n"
		"mta: {pipe_time_limit: 20s}\n"
		"receivers:\n"
		"  late: {replies: [{step: mail, code: 550, after: 30s}]}\n"
		"  each: {replies: [{step: rcpt, code: 550, after: 12s}]}\n"
		"  box: {replies: [{step: rcpt, code: 550, after: 1000s}]}\n"
		"domains:\n"
		"  a.example: {receiver: late, transport: pipe}\n"
		"  b.example: {receiver: each, transport: pipe}\n"
		"  c.example: {receiver: box, transport: virtual}\n"
		"sources:\n"
		"  a: {arrivals: {times: [0s]}, sender: \"\", to: a.example}\n"
		"  b: {arrivals: {times: [1s]}, sender: \"\", users: 2,\n"
		"      recipients: 2, to: b.example}\n"
		"  c: {arrivals: {times: [2s]}, sender: \"\", to: "
		"c.example}\n");

	ck_assert_str_eq(world_run_say_deliveries(r),
			 "0:bounced@20 1:bounced@21 1:bounced@21 "
			 "2:bounced@1002");
	for (size_t i = 0; i < 3; i++)
		ck_assert_str_eq(world_run_text(r, r->delivery.list[i].reason),
				 "command time limit exceeded");
	world_run_close(r);
}
END_TEST

/*
 * R-STEP-TIMEOUT, R-BLAME (F11.2, F11.5): MAIL is answered after 25 s, but
 * waited for 20 s. Window 5, 3, 2 (F7.5); the third failure makes 1/5 + 1/3 +
 * 1/2 of a cohort, and the site is dead.
 */
START_TEST(site_that_dies_of_slow_answers)
{
	struct world_run *r = world_run_whole(
		"scenario: slow\nrun: {for: 100s}\n"
		"mta: {smtp_mail_timeout: 20s}\n"
		"receivers: {r: {replies: [{step: mail, code: 450, after: "
		"25s}]}}\n"
		"domains: {a.example: {receiver: r}}\n"
		"sources:\n"
		"  s: {arrivals: {times: [0s, 1s, 2s]}, to: a.example}\n");

	ck_assert_str_eq(world_run_say_feedback(r),
			 "a.example:sick3@20 a.example:sick2@21 "
			 "a.example:dead0@22");
	ck_assert_str_eq(world_run_say_deliveries(r),
			 "0:deferred@20 1:deferred@21 2:deferred@22");
	world_run_close(r);
}
END_TEST

/* Each attempt meets luck of its own: of 32 mails that are refused with a
 * chance of a half, each minute, some come through at once and some do not;
 * that one does not in 30 attempts has a chance of 32 / 2^30. */
START_TEST(luck_of_each_attempt)
{
	struct world_run *r = world_run_whole(
		"scenario: luck\nrun: {for: 30m}\n"
		"mta:\n"
		"  minimal_backoff_time: 60s\n"
		"  maximal_backoff_time: 60s\n"
		"  queue_run_delay: 60s\n"
		"receivers:\n"
		"  r: {replies: [{step: rcpt, code: 450, share: 50%}]}\n"
		"domains: {a.example: {receiver: r}}\n"
		"sources: {s: {arrivals: {even: 1/s}, messages: 32, to: "
		"a.example}}\n");

	ck_assert_uint_eq(world_run_count_outcome(r, MTA_SENT), 32);
	ck_assert_uint_gt(r->delivery.count, 32 + 16);
	world_run_close(r);
}
END_TEST

/* One mail to 5000 mailboxes, each delivered alone, in times of an exponential
 * law of mean 1 s: that two given ones are equal to the microsecond has a
 * chance of 5e-7, for 5000 - lag pairs 2e-3. Lags are the powers of two at
 * which numbers that are cut off come again. M-STREAM */
START_TEST(a_long_list_meets_no_luck_twice)
{
	enum {
		RECIPIENTS = 5000
	};
	static int64_t us[RECIPIENTS];
	struct world_run *r = world_run_whole(
		"scenario: list\nrun: {until: drained}\n"
		"mta: {smtp_destination_recipient_limit: 1, in_flow_delay: 0}\n"
		"receivers: {r: {transfer: {exponential: 1s}}}\n"
		"domains: {a.example: {receiver: r}}\n"
		"sources: {s: {arrivals: {times: [0s]}, to: a.example, users: "
		"5000, recipients: 5000}}\n");

	ck_assert_uint_eq(r->delivery.count, RECIPIENTS);
	for (size_t i = 0; i < RECIPIENTS; i++) {
		const struct mta_trace_delivery *d = &r->delivery.list[i];

		ck_assert_uint_lt(d->offset, RECIPIENTS);
		us[d->offset] = d->at - d->handoff;
	}
	for (size_t lag = 1; lag < RECIPIENTS; lag *= 2) {
		size_t equal = 0;

		for (size_t i = 0; i + lag < RECIPIENTS; i++)
			equal += us[i] == us[i + lag];
		ck_assert_msg(equal < 2, "%zu of lag %zu are equal", equal,
			      lag);
	}
	world_run_close(r);
}
END_TEST

/* F11.3: of two hosts of equal preference the first is dead, which costs 30 s
 * each time when the order is not random; shuffled, once in sixteen. */
START_TEST(hosts_are_tried_as_listed)
{
	struct world_run *r = world_run_whole(
		"scenario: listed\nrun: {until: drained}\n"
		"mta: {smtp_randomize_addresses: no}\n"
		"receivers: {r: {transfer: 1s, mx: [{hosts: 2, dead: 1}]}}\n"
		"domains: {a.example: {receiver: r}}\n"
		"sources: {s: {arrivals: {times: [0s, 100s, 200s, 300s]}, to: "
		"a.example}}\n");

	ck_assert_str_eq(world_run_say_deliveries(r),
			 "0:sent@31 1:sent@131 2:sent@231 3:sent@331");
	world_run_close(r);
}
END_TEST

Suite *
system_agents_suite(void)
{
	Suite *s = suite_create("system_agents");
	TCase *tc = tcase_create("whole system");

	tcase_add_test(tc, transports_take_turns);
	tcase_add_test(tc, too_many_under_way_raise_the_need);
	tcase_add_test(tc, agent_that_is_not_needed);
	tcase_add_test(tc, agent_that_dies);
	tcase_add_test(tc, site_that_dies_of_a_crash);
	tcase_add_test(tc, one_delivery_after_each_rate_delay);
	tcase_add_test(tc, crash_lets_the_rate_lock_go);
	tcase_add_test(tc, unused_agent_lets_the_rate_lock_go);
	tcase_add_test(tc, file_that_has_gone);
	tcase_add_test(tc, processes_come_and_go);
	tcase_add_test(tc, connection_is_used_again);
	tcase_add_test(tc, connection_of_one_recipient_is_used_again);
	tcase_add_test(tc, connection_on_demand);
	tcase_add_test(tc, refusals_beside_each_other);
	tcase_add_test(tc, one_outcome_of_a_command);
	tcase_add_test(tc, command_that_takes_too_long);
	tcase_add_test(tc, command_that_is_killed_refuses_nobody);
	tcase_add_test(tc, command_that_refuses_too_late);
	tcase_add_test(tc, site_that_dies_of_slow_answers);
	tcase_add_test(tc, luck_of_each_attempt);
	tcase_add_test(tc, a_long_list_meets_no_luck_twice);
	tcase_add_test(tc, hosts_are_tried_as_listed);
	suite_add_tcase(s, tc);
	return s;
}
