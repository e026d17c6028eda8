/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The simulated delivery agents (sim/host/agents*.c, remote.c). The tests play
 * the queue manager. Times are sums of the constants that each test sets; what
 * failures mean is F11.2's table, what the master does F8.9, F8.11, F8.12.
 */
#include <check.h>

#include "model/law.h"
#include "sim/host/agents.h"
#include "tests/unit/fake_host.h"

#define SENDER	  mta_addr_make(FAKE_SENDER_FAMILY, 1)
#define MS	  INT64_C(1000)
#define TEXT_SIZE 300

/* A remote end with one phase. */
struct end {
	struct receiver_config config;
	struct receiver_phase phase;
	struct receiver_phase phases[2]; /* instead, where it changes */
	struct receiver_mx mx[2];
	struct receiver_reply replies[2];
	struct law connect;
	struct law transfer;
	struct remote remote;
	bool is_made;
};

static struct fake_host f;
static struct agents agents;
static struct end ends[2];
static bool has_remote;
static struct scenario scenario;
static struct scenario_transport transports[] = {
	{.name = "smtp", .kind = SCENARIO_KIND_SMTP, .maxproc = -1},
	{.name = "local", .kind = SCENARIO_KIND_LOCAL, .maxproc = -1},
	{.name = "retry", .kind = SCENARIO_KIND_RETRY, .maxproc = -1},
	{.name = "error", .kind = SCENARIO_KIND_ERROR, .maxproc = -1},
	{.name = "narrow", .kind = SCENARIO_KIND_SMTP, .maxproc = 1},
};

/* Texts of what was said, which may have lost their owners by the end. */
static char reasons[32][TEXT_SIZE];
static char relays[32][TEXT_SIZE];
static struct mta_sink text_sink;

static void
take_text(struct mta_sink *sink, enum mta_trace_kind kind, const void *record)
{
	const struct mta_trace_delivery *d = record;

	(void)sink;
	ck_assert_int_eq(kind, MTA_TRACE_DELIVERY);
	snprintf(reasons[f.delivery_count - 1], TEXT_SIZE, "%s",
		 mta_sym_text(&f.symbols, d->reason));
	snprintf(relays[f.delivery_count - 1], TEXT_SIZE, "%s",
		 mta_sym_text(&f.symbols, d->relay));
}

static struct remote *
lookup_remote(struct agents_lookup *lookup, mta_addr recipient)
{
	(void)lookup;
	ck_assert_uint_eq(mta_addr_family(recipient), FAKE_RECIPIENT_FAMILY);
	return has_remote ? &ends[0].remote : NULL;
}

static struct remote *
lookup_other(struct agents_lookup *lookup, const struct receiver_config *config)
{
	(void)lookup;
	ck_assert_ptr_eq(config, &ends[1].config);
	return &ends[1].remote;
}

static struct agents_lookup lookup = {.remote = lookup_remote,
				      .other = lookup_other};

static void
prepare_end(struct end *e)
{
	ck_assert_ptr_null(law_constant(&e->connect, 60e3));
	ck_assert_ptr_null(law_constant(&e->transfer, 500e3));
	e->phase.connect = &e->connect;
	e->phase.transfer = &e->transfer;
	e->config =
		(struct receiver_config){.phases = &e->phase, .phase_count = 1};
}

static void
set_up(void)
{
	fake_init(&f);
	memset(ends, 0, sizeof(ends));
	prepare_end(&ends[0]);
	prepare_end(&ends[1]);
	has_remote = true;
	scenario = (struct scenario){.transports = transports,
				     .transport_count = 5};
	text_sink.take = take_text;
	mta_trace_subscribe(&f.trace, MTA_TRACE_DELIVERY, &text_sink);
}

/* After the test has changed what it wants of ends and scenario. */
static void
start(void)
{
	for (uint32_t i = 0; i < 2; i++) {
		struct stream stream;
		const char *error = receiver_config_settle(&ends[i].config);

		ck_assert_msg(!error, "%s", error);
		stream_init(&stream, 1, 0, "receiver");
		receiver_init(&ends[i].remote.receiver, &ends[i].config,
			      stream);
		remote_init(&ends[i].remote, i,
			    i == 0 ? "a.example" : "b.example", &f.symbols);
		ends[i].is_made = true;
	}
	agents_init(&agents, &f.host, &f.params, &scenario, &lookup);
}

static void
tear_down(void)
{
	agents_release(&agents);
	for (uint32_t i = 0; i < 2; i++) {
		remote_release(&ends[i].remote, &f.symbols);
	}
	for (uint32_t n = 0; n < fake_sent_count(&f, MTA_TO_QMGR); n++) {
		const struct mta_note *note =
			&fake_sent(&f, MTA_TO_QMGR, n)->note;

		if (note->kind == MTA_NOTE_DELIVERED)
			mta_sym_drop(&f.symbols, note->delivered.hop.reason);
	}
	for (uint32_t i = 0; i < f.spool.file_count; i++) {
		struct mta_ref id = {.index = i, .generation = 1};

		f.host.spool->ops->log_remove(f.host.spool, MTA_LOG_DEFER, id);
		f.host.spool->ops->log_remove(f.host.spool, MTA_LOG_BOUNCE, id);
	}
	/* Every text has been let go. */
	ck_assert_uint_eq(f.symbols.live_count, 0);
	fake_release(&f);
}

/* ---- the queue manager -------------------------------------------------- */

static mta_sym
name_of(const char *transport)
{
	return mta_sym_find(&f.symbols, transport);
}

static void
want(const char *transport)
{
	fake_send(
		&f, MTA_TO_AGENTS,
		(struct mta_note){.kind = MTA_NOTE_WANT_AGENT,
				  .agent = {.transport = name_of(transport)}});
}

/* The n-th note of a kind that the queue manager got; there must be one. */
static const struct fake_note *
got(enum mta_note_kind kind, uint32_t n)
{
	for (uint32_t i = 0; i < fake_sent_count(&f, MTA_TO_QMGR); i++) {
		const struct fake_note *note = fake_sent(&f, MTA_TO_QMGR, i);

		if (note->note.kind == kind && n-- == 0)
			return note;
	}
	ck_abort_msg("the queue manager got too few notes of kind %d",
		     (int)kind);
	abort();
}

static uint32_t
count_of(enum mta_note_kind kind)
{
	return fake_sent_kind(&f, MTA_TO_QMGR, kind);
}

struct order {
	const char *transport;
	uint32_t hello; /* to whom: the n-th that said hello */
	uint32_t recipients;
	uint32_t hints;
};

static void
deliver(struct order o)
{
	const struct fake_note *hello = got(MTA_NOTE_AGENT_READY, o.hello);
	struct mta_ref file = fake_add(&f, MTA_ACTIVE, SENDER, o.recipients);
	struct mta_note list = fake_submission(&f, SENDER, o.recipients);

	ck_assert_uint_eq(hello->note.agent.transport, name_of(o.transport));
	fake_send(
		&f, MTA_TO_AGENTS,
		(struct mta_note){.kind = MTA_NOTE_DELIVER,
				  .deliver = {
					  .agent = hello->note.agent.agent,
					  .file = file,
					  .recipients = list.submit.recipients,
					  .transport = name_of(o.transport),
					  .recipient_count = o.recipients,
					  .sender = SENDER,
					  .serial = file.index,
					  .arrival = f.loop.now,
					  .active_time = f.loop.now,
					  .hints = o.hints,
				  }});
}

/* Ask, wait for the hello, order a delivery to `recipients`; the times of the
 * tests count from here. Answers when that is, in seconds. */
static double
order(const char *transport, uint32_t recipients)
{
	uint32_t before = count_of(MTA_NOTE_AGENT_READY);
	double at = fake_seconds(f.loop.stepped);

	want(transport);
	fake_run(&f, at);
	ck_assert_uint_eq(count_of(MTA_NOTE_AGENT_READY), before + 1);
	deliver((struct order){.transport = transport,
			       .hello = before,
			       .recipients = recipients});
	return at;
}

static void
expect_reply(uint32_t n, double at, bool incomplete)
{
	const struct fake_note *note = got(MTA_NOTE_DELIVERED, n);

	ck_assert_double_eq_tol(fake_seconds(note->at), at, 1e-9);
	ck_assert_int_eq(note->note.delivered.incomplete, incomplete);
	ck_assert(!note->note.delivered.crashed);
}

static bool
is_blamed(uint32_t n)
{
	return mta_status_is_set(
		got(MTA_NOTE_DELIVERED, n)->note.delivered.hop);
}

static void
expect_dsn(uint32_t n, unsigned class, unsigned subject, unsigned detail)
{
	ck_assert_uint_lt(n, f.delivery_count);
	ck_assert_uint_eq(f.deliveries[n].dsn.class, class);
	ck_assert_uint_eq(f.deliveries[n].dsn.subject, subject);
	ck_assert_uint_eq(f.deliveries[n].dsn.detail, detail);
}

/* ---- deliveries --------------------------------------------------------- */

START_TEST(a_plain_delivery)
{
	/* Connect 60 ms, transfer 500 ms. */
	start();
	order("smtp", 1);
	fake_run(&f, 0.559);
	ck_assert_uint_eq(count_of(MTA_NOTE_DELIVERED), 0);
	ck_assert_uint_eq(agents_find(&agents, name_of("smtp"))->busy_count, 1);
	fake_run(&f, 2);
	expect_reply(0, 0.56, false);
	ck_assert(!is_blamed(0));
	ck_assert_uint_eq(f.delivery_count, 1);
	ck_assert_int_eq(f.deliveries[0].outcome, MTA_SENT);
	ck_assert_double_eq(fake_seconds(f.deliveries[0].setup), 0.06);
	ck_assert_uint_eq(f.deliveries[0].code, 250);
	ck_assert_uint_eq(f.deliveries[0].conn_use, 1);
	ck_assert_str_eq(relays[0], "mx.a.example[192.0.2.1]:25");
	ck_assert_uint_eq(ends[0].remote.receiver.open, 0);
	ck_assert(f.spool.files[0].done[0]);
}
END_TEST

START_TEST(work_of_the_agent_itself)
{
	scenario.costs.agent_delivery_us = 2 * MS;
	start();
	order("smtp", 1);
	fake_run(&f, 2);
	expect_reply(0, 0.562, false);
}
END_TEST

START_TEST(refused_connections_are_blamed)
{
	ends[0].phase.state = RECEIVER_REFUSED;
	ends[0].phase.after_us = 100 * MS;
	start();
	order("smtp", 2);
	fake_run(&f, 2);
	expect_reply(0, 0.1, true);
	ck_assert(is_blamed(0));
	expect_dsn(1, 4, 4, 1);
	ck_assert_str_eq(
		reasons[1],
		"connect to mx.a.example[192.0.2.1]:25: Connection refused");
	ck_assert_uint_eq(f.deliveries[1].relay, 0);
	ck_assert_uint_eq(f.deliveries[1].step, MTA_STEP_CONNECT);
	/* F14.4: a failure in set-up puts all time into set-up. */
	ck_assert_int_eq(f.deliveries[1].setup, f.deliveries[1].at);
	ck_assert_uint_eq(f.spool.files[0].log_count[MTA_LOG_DEFER], 2);
}
END_TEST

START_TEST(timeouts_are_the_parameters)
{
	ends[0].phase.state = RECEIVER_TIMEOUT;
	fake_set(&f, "smtp_connect_timeout", "5s");
	start();
	order("smtp", 1);
	fake_run(&f, 40);
	expect_reply(0, 5, true);
	ck_assert_str_eq(
		reasons[0],
		"connect to mx.a.example[192.0.2.1]:25: Connection timed out");
}
END_TEST

/*
 * R-STEP-TIMEOUT (F11.5): a reply that takes 25 s is not heard by who waits for
 * 20 s, and the destination is blamed (F11.2). The time of MAIL and what
 * follows comes on top of the 60 ms until it can be sent.
 */
START_TEST(each_step_has_its_own_timeout)
{
	static const struct {
		const char *parameter;
		enum receiver_step step;
		uint8_t told; /* enum mta_smtp_step */
		double at;
	} rows[] = {
		{"smtp_helo_timeout", RECEIVER_STEP_GREETING, MTA_STEP_GREETING,
		 20},
		{"smtp_helo_timeout", RECEIVER_STEP_HELO, MTA_STEP_HELO, 20},
		{"smtp_mail_timeout", RECEIVER_STEP_MAIL, MTA_STEP_MAIL, 20.06},
		{"smtp_rcpt_timeout", RECEIVER_STEP_RCPT, MTA_STEP_RCPT, 20.06},
		{"smtp_data_init_timeout", RECEIVER_STEP_DATA, MTA_STEP_DATA,
		 20.06},
		{"smtp_data_done_timeout", RECEIVER_STEP_END, MTA_STEP_END,
		 20.06},
	};

	ends[0].replies[0] = (struct receiver_reply){.step = rows[_i].step,
						     .code = 450,
						     .share = 1,
						     .after_us = 25000 * MS};
	ends[0].phase.replies = ends[0].replies;
	ends[0].phase.reply_count = 1;
	fake_set(&f, rows[_i].parameter, "20s");
	start();
	order("smtp", 1);
	fake_run(&f, 60);
	expect_reply(0, rows[_i].at, true);
	ck_assert(is_blamed(0));
	expect_dsn(0, 4, 4, 2);
	ck_assert_uint_eq(f.deliveries[0].step, rows[_i].told);
}
END_TEST

START_TEST(greeting_421_is_blamed)
{
	ends[0].replies[0] =
		(struct receiver_reply){.step = RECEIVER_STEP_CONNECT,
					.code = 421,
					.share = 1,
					.after_us = 50 * MS};
	ends[0].phase.replies = ends[0].replies;
	ends[0].phase.reply_count = 1;
	start();
	order("smtp", 1);
	fake_run(&f, 2);
	expect_reply(0, 0.05, true);
	ck_assert(is_blamed(0));
	ck_assert_uint_eq(f.deliveries[0].code, 421);
	ck_assert_str_eq(relays[0], "mx.a.example[192.0.2.1]:25");
	ck_assert_str_eq(reasons[0],
			 "host mx.a.example[192.0.2.1] refused to talk to me: "
			 "421 4.7.0 try again later");
}
END_TEST

static void
refuse_first_at_rcpt(int code)
{
	ends[0].replies[0] = (struct receiver_reply){.step = RECEIVER_STEP_RCPT,
						     .code = code,
						     .share = 1,
						     .match = "u0@*",
						     .after_us = -1};
	ends[0].phase.replies = ends[0].replies;
	ends[0].phase.reply_count = 1;
}

START_TEST(one_recipient_of_three_is_refused_for_now)
{
	refuse_first_at_rcpt(450);
	start();
	order("smtp", 3);
	fake_run(&f, 2);
	expect_reply(0, 0.56, true);
	/* F11.2: a recipient's 4xx is nobody's fault. */
	ck_assert(!is_blamed(0));
	/* F14.4: the line is written at RCPT time, right after set-up. */
	ck_assert_uint_eq(f.delivery_count, 3);
	ck_assert_uint_eq(f.deliveries[0].offset, 0);
	ck_assert_int_eq(f.deliveries[0].outcome, MTA_DEFERRED_OUTCOME);
	ck_assert_double_eq(fake_seconds(f.deliveries[0].at), 0.06);
	ck_assert_uint_eq(f.deliveries[0].code, 450);
	ck_assert_str_eq(reasons[0],
			 "host mx.a.example[192.0.2.1] said: 450 4.2.0 mailbox "
			 "unavailable (in reply to RCPT TO command)");
	ck_assert_int_eq(f.deliveries[1].outcome, MTA_SENT);
	ck_assert_int_eq(f.deliveries[2].outcome, MTA_SENT);
	ck_assert_double_eq(fake_seconds(f.deliveries[2].at), 0.56);
}
END_TEST

START_TEST(an_unknown_recipient_bounces)
{
	refuse_first_at_rcpt(550);
	start();
	order("smtp", 1);
	fake_run(&f, 2);
	/* Nobody is left to send to: the transfer does not take place. */
	expect_reply(0, 0.06, false);
	expect_dsn(0, 5, 1, 1);
	ck_assert_int_eq(f.deliveries[0].outcome, MTA_BOUNCED);
	ck_assert_uint_eq(f.spool.files[0].log_count[MTA_LOG_BOUNCE], 1);
	ck_assert(f.spool.files[0].done[0]);
}
END_TEST

START_TEST(end_of_data_4xx_blames_nobody)
{
	ends[0].replies[0] = (struct receiver_reply){.step = RECEIVER_STEP_END,
						     .code = 451,
						     .share = 1,
						     .after_us = -1};
	ends[0].phase.replies = ends[0].replies;
	ends[0].phase.reply_count = 1;
	start();
	order("smtp", 2);
	fake_run(&f, 2);
	expect_reply(0, 0.56, true);
	ck_assert(!is_blamed(0));
	ck_assert_uint_eq(f.deliveries[1].step, MTA_STEP_END);
}
END_TEST

START_TEST(nobody_knows_the_host)
{
	has_remote = false;
	start();
	order("smtp", 1);
	fake_run(&f, 2);
	expect_reply(0, 0, true);
	ck_assert(is_blamed(0));
	expect_dsn(0, 4, 4, 3);
}
END_TEST

START_TEST(local_without_remote_end_delivers_at_once)
{
	has_remote = false;
	start();
	order("local", 2);
	fake_run(&f, 2);
	expect_reply(0, 0, false);
	ck_assert_str_eq(relays[1], "local");
	ck_assert_int_eq(f.deliveries[1].setup, MTA_NEVER);
}
END_TEST

START_TEST(local_never_blames_f11_1)
{
	ends[0].phase.state = RECEIVER_REFUSED;
	start();
	order("local", 1);
	fake_run(&f, 2);
	expect_reply(0, 0, true);
	ck_assert(!is_blamed(0));
}
END_TEST

START_TEST(retry_and_error_say_their_text)
{
	start();
	order("retry", 1);
	order("error", 1);
	fake_run(&f, 2);
	expect_reply(0, 0, true);
	expect_reply(1, 0, false);
	ck_assert_int_eq(f.deliveries[0].outcome, MTA_DEFERRED_OUTCOME);
	ck_assert_int_eq(f.deliveries[1].outcome, MTA_BOUNCED);
	ck_assert(!is_blamed(0));
}
END_TEST

START_TEST(log_that_takes_time_holds_the_process)
{
	f.spool.fsync = 30 * MS;
	start();
	order("retry", 2);
	fake_run(&f, 0.059);
	ck_assert_int_eq(
		agents_find(&agents, name_of("retry"))->service.idle_count, 0);
	fake_run(&f, 1);
	/* Two records of 30 ms; then it answers, and is idle. */
	expect_reply(0, 0.06, true);
	ck_assert_double_eq(fake_seconds(f.deliveries[0].at), 0.03);
	ck_assert_int_eq(
		agents_find(&agents, name_of("retry"))->service.idle_count, 1);
}
END_TEST

/* ---- several servers (F11.3) -------------------------------------------- */

START_TEST(a_dead_server_costs_its_timeout)
{
	/* Preferred is a host that never answers: connect timeout 30 s. */
	ends[0].mx[0] =
		(struct receiver_mx){.preference = 10, .hosts = 1, .dead = 1};
	ends[0].mx[1] = (struct receiver_mx){
		.preference = 20, .other = &ends[1].config, .hosts = 1};
	ends[0].config.mx = ends[0].mx;
	ends[0].config.mx_count = 2;
	start();
	order("smtp", 1);
	fake_run(&f, 100);
	expect_reply(0, 30.56, false);
	ck_assert_str_eq(relays[0], "mx.b.example[192.0.2.2]:25");
	/* F14.4: the failed server counts as set-up. */
	ck_assert_double_eq(fake_seconds(f.deliveries[0].setup), 30.06);
	ck_assert_uint_eq(f.delivery_count, 1);
}
END_TEST

START_TEST(address_limit_makes_the_first_server_the_last)
{
	ends[0].mx[0] =
		(struct receiver_mx){.preference = 10, .hosts = 1, .dead = 1};
	ends[0].mx[1] = (struct receiver_mx){
		.preference = 20, .other = &ends[1].config, .hosts = 1};
	ends[0].config.mx = ends[0].mx;
	ends[0].config.mx_count = 2;
	fake_set(&f, "smtp_mx_address_limit", "1");
	start();
	order("smtp", 1);
	fake_run(&f, 100);
	expect_reply(0, 30, true);
	ck_assert(is_blamed(0));
}
END_TEST

START_TEST(refused_for_now_goes_to_the_next_server)
{
	/* u0 is told 450 by the first host and taken by the second; the others
	 * are done after the first. */
	refuse_first_at_rcpt(450);
	ends[0].mx[0] = (struct receiver_mx){.preference = 10, .hosts = 1};
	ends[0].mx[1] = (struct receiver_mx){
		.preference = 20, .other = &ends[1].config, .hosts = 1};
	ends[0].config.mx = ends[0].mx;
	ends[0].config.mx_count = 2;
	start();
	order("smtp", 3);
	fake_run(&f, 100);
	expect_reply(0, 1.12, false);
	ck_assert_uint_eq(f.delivery_count, 3);
	ck_assert_uint_eq(f.deliveries[2].offset, 0);
	ck_assert_int_eq(f.deliveries[2].outcome, MTA_SENT);
	ck_assert_str_eq(relays[0], "mx.a.example[192.0.2.1]:25");
	ck_assert_str_eq(relays[2], "mx.b.example[192.0.2.2]:25");
}
END_TEST

START_TEST(session_limit_makes_the_first_session_the_last)
{
	refuse_first_at_rcpt(450);
	ends[0].mx[0] = (struct receiver_mx){.preference = 10, .hosts = 2};
	ends[0].config.mx = ends[0].mx;
	ends[0].config.mx_count = 1;
	fake_set(&f, "smtp_mx_session_limit", "1");
	start();
	order("smtp", 1);
	fake_run(&f, 100);
	expect_reply(0, 0.06, true);
	ck_assert_uint_eq(ends[0].remote.receiver.accepted, 1);
}
END_TEST

/*
 * F11.3: only a session past the handshake counts. With a limit of one the
 * first host, which does not answer for 1 s, is not the last.
 */
START_TEST(a_server_without_a_session_is_not_the_last)
{
	ends[0].mx[0] =
		(struct receiver_mx){.preference = 10, .hosts = 1, .dead = 1};
	ends[0].mx[1] = (struct receiver_mx){
		.preference = 20, .other = &ends[1].config, .hosts = 1};
	ends[0].config.mx = ends[0].mx;
	ends[0].config.mx_count = 2;
	fake_set(&f, "smtp_mx_session_limit", "1");
	fake_set(&f, "smtp_connect_timeout", "1s");
	start();
	order("smtp", 1);
	fake_run(&f, 100);
	expect_reply(0, 1.56, false);
	ck_assert(!is_blamed(0));
	ck_assert_str_eq(relays[0], "mx.b.example[192.0.2.2]:25");
}
END_TEST

/* ---- waiting at the door ------------------------------------------------ */

START_TEST(a_full_server_lets_wait)
{
	ends[0].phase.connections =
		(struct receiver_cap){.most = 1, .over = RECEIVER_OVER_WAIT};
	start();
	order("smtp", 1);
	order("smtp", 1);
	order("smtp", 1);
	fake_run(&f, 10);
	/* One after the other; the banner comes when another session ends,
	 * the connection itself was made long before. */
	ck_assert_uint_eq(count_of(MTA_NOTE_DELIVERED), 3);
	ck_assert_double_eq(fake_seconds(got(MTA_NOTE_DELIVERED, 0)->at), 0.56);
	ck_assert_double_ge(fake_seconds(got(MTA_NOTE_DELIVERED, 1)->at), 1.06);
	ck_assert_double_le(fake_seconds(got(MTA_NOTE_DELIVERED, 1)->at), 1.12);
	ck_assert_double_le(fake_seconds(got(MTA_NOTE_DELIVERED, 2)->at), 1.68);
	ck_assert_uint_eq(ends[0].remote.receiver.open, 0);
}
END_TEST

START_TEST(who_waits_too_long_gives_up)
{
	ends[0].phase.connections =
		(struct receiver_cap){.most = 1, .over = RECEIVER_OVER_WAIT};
	ck_assert_ptr_null(law_constant(&ends[0].transfer, 500e6));
	fake_set(&f, "smtp_helo_timeout", "20s");
	start();
	order("smtp", 1);
	order("smtp", 1);
	fake_run(&f, 100);
	ck_assert_uint_eq(count_of(MTA_NOTE_DELIVERED), 1);
	ck_assert_double_ge(fake_seconds(got(MTA_NOTE_DELIVERED, 0)->at), 20);
	ck_assert_double_le(fake_seconds(got(MTA_NOTE_DELIVERED, 0)->at),
			    20.06);
	ck_assert(is_blamed(0));
	ck_assert_uint_eq(f.deliveries[0].step, MTA_STEP_GREETING);
	fake_run(&f, 501);
}
END_TEST

/* ---- cached sessions (F11.6) -------------------------------------------- */

static void
order_with_hints(uint32_t hints)
{
	uint32_t hello = count_of(MTA_NOTE_AGENT_READY);

	want("smtp");
	fake_run(&f, fake_seconds(f.loop.stepped));
	deliver((struct order){.transport = "smtp",
			       .hello = hello,
			       .recipients = 1,
			       .hints = hints});
}

START_TEST(a_session_is_used_again)
{
	start();
	order_with_hints(MTA_HINT_LOAD | MTA_HINT_STORE);
	fake_run(&f, 1);
	ck_assert_uint_eq(ends[0].remote.receiver.open, 1);
	order_with_hints(MTA_HINT_LOAD);
	fake_run(&f, 3);
	/* Without connecting: at 1 s, 500 ms. */
	expect_reply(1, 1.5, false);
	ck_assert_uint_eq(f.deliveries[0].conn_use, 1);
	ck_assert_uint_eq(f.deliveries[1].conn_use, 2);
	ck_assert_int_eq(f.deliveries[1].setup, f.deliveries[1].handoff);
	ck_assert_uint_eq(ends[0].remote.receiver.accepted, 1);
	/* It was not to be stored again. */
	ck_assert_uint_eq(ends[0].remote.receiver.open, 0);
}
END_TEST

/* R-STEP-TIMEOUT: the server is silent from 1 s on. RSET shows it after 5 s;
 * the new connection is given up 30 s later. */
START_TEST(a_session_that_died_is_found_by_rset)
{
	ends[0].phases[0] = ends[0].phases[1] = ends[0].phase;
	ends[0].phases[1].at_us = 1000 * MS;
	ends[0].phases[1].state = RECEIVER_TIMEOUT;
	ends[0].config.phases = ends[0].phases;
	ends[0].config.phase_count = 2;
	fake_set(&f, "smtp_rset_timeout", "5s");
	start();
	order_with_hints(MTA_HINT_LOAD | MTA_HINT_STORE);
	fake_run(&f, 1);
	order_with_hints(MTA_HINT_LOAD);
	fake_run(&f, 60);
	expect_reply(1, 36, true);
	ck_assert_str_eq(
		reasons[1],
		"connect to mx.a.example[192.0.2.1]:25: Connection timed out");
}
END_TEST

/* One that answers RSET, but MAIL only after 25 s, is no dead session: that is
 * a failure of the site, and no second connection is made. */
START_TEST(a_session_that_is_slow_at_mail_has_failed)
{
	ends[0].phases[0] = ends[0].phases[1] = ends[0].phase;
	ends[0].replies[0] = (struct receiver_reply){.step = RECEIVER_STEP_MAIL,
						     .code = 450,
						     .share = 1,
						     .after_us = 25000 * MS};
	ends[0].phases[1].at_us = 1000 * MS;
	ends[0].phases[1].replies = ends[0].replies;
	ends[0].phases[1].reply_count = 1;
	ends[0].config.phases = ends[0].phases;
	ends[0].config.phase_count = 2;
	fake_set(&f, "smtp_mail_timeout", "20s");
	start();
	order_with_hints(MTA_HINT_LOAD | MTA_HINT_STORE);
	fake_run(&f, 1);
	order_with_hints(MTA_HINT_LOAD);
	fake_run(&f, 60);
	expect_reply(1, 21, true);
	ck_assert(is_blamed(1));
	ck_assert_uint_eq(ends[0].remote.receiver.accepted, 1);
}
END_TEST

START_TEST(a_session_lives_two_seconds)
{
	start();
	order_with_hints(MTA_HINT_STORE);
	fake_run(&f, 2.55); /* stored at 0.56 */
	ck_assert_uint_eq(ends[0].remote.receiver.open, 1);
	fake_run(&f, 2.56);
	ck_assert_uint_eq(ends[0].remote.receiver.open, 0);
}
END_TEST

START_TEST(a_server_that_takes_one_message_keeps_no_session)
{
	ends[0].config.messages_per_connection = 1;
	start();
	order_with_hints(MTA_HINT_STORE);
	fake_run(&f, 1);
	expect_reply(0, 0.56, false);
	ck_assert_uint_eq(ends[0].remote.receiver.open, 0);
}
END_TEST

/* ---- processes (F8.9, F8.11) -------------------------------------------- */

START_TEST(an_idle_process_serves_again)
{
	start();
	order("smtp", 1);
	fake_run(&f, 1);
	order("smtp", 1);
	fake_run(&f, 2);
	ck_assert_uint_eq(got(MTA_NOTE_AGENT_READY, 0)->note.agent.agent.index,
			  got(MTA_NOTE_AGENT_READY, 1)->note.agent.agent.index);
	ck_assert_int_eq(
		agents_find(&agents, name_of("smtp"))->service.total_count, 1);
}
END_TEST

START_TEST(at_the_limit_connections_wait_f8_11)
{
	start();
	order("narrow", 1);
	want("narrow");
	fake_run(&f, 0.5);
	ck_assert_uint_eq(count_of(MTA_NOTE_AGENT_READY), 1);
	fake_run(&f, 2);
	ck_assert_uint_eq(count_of(MTA_NOTE_AGENT_READY), 2);
	ck_assert_double_eq(fake_seconds(got(MTA_NOTE_AGENT_READY, 1)->at),
			    0.56);
}
END_TEST

START_TEST(processes_start_one_after_the_other_f8_11)
{
	/* 5 ms each: the second is not started before the first has taken its
	 * connection. */
	scenario.costs.agent_start_us = 5 * MS;
	start();
	want("smtp");
	want("smtp");
	fake_run(&f, 1);
	ck_assert_uint_eq(count_of(MTA_NOTE_AGENT_READY), 2);
	ck_assert_double_eq(fake_seconds(got(MTA_NOTE_AGENT_READY, 0)->at),
			    0.005);
	ck_assert_double_eq(fake_seconds(got(MTA_NOTE_AGENT_READY, 1)->at),
			    0.01);
}
END_TEST

START_TEST(max_use_f8_9)
{
	fake_set(&f, "max_use", "2");
	start();
	for (uint32_t i = 0; i < 3; i++) {
		order("retry", 1);
		fake_run(&f, i + 1.0);
	}
	/* The third is another process: 1 and 2 have used up the first. */
	ck_assert(
		mta_ref_equal(got(MTA_NOTE_AGENT_READY, 0)->note.agent.agent,
			      got(MTA_NOTE_AGENT_READY, 1)->note.agent.agent));
	ck_assert(
		!mta_ref_equal(got(MTA_NOTE_AGENT_READY, 0)->note.agent.agent,
			       got(MTA_NOTE_AGENT_READY, 2)->note.agent.agent));
}
END_TEST

START_TEST(max_idle_f8_9)
{
	start();
	order("retry", 1);
	fake_run(&f, 99.9);
	ck_assert_int_eq(
		agents_find(&agents, name_of("retry"))->service.total_count, 1);
	fake_run(&f, 100);
	ck_assert_int_eq(
		agents_find(&agents, name_of("retry"))->service.total_count, 0);
}
END_TEST

START_TEST(dismissed_agents_are_idle_f8_9)
{
	fake_set(&f, "max_use", "1");
	start();
	want("smtp");
	fake_run(&f, 1);
	fake_send(&f, MTA_TO_AGENTS,
		  (struct mta_note){
			  .kind = MTA_NOTE_DISMISS,
			  .agent = got(MTA_NOTE_AGENT_READY, 0)->note.agent});
	fake_run(&f, 2);
	/* It counts as a use: with max_use 1 the process is gone. */
	ck_assert_int_eq(
		agents_find(&agents, name_of("smtp"))->service.total_count, 0);
}
END_TEST

START_TEST(a_crash_f9_5)
{
	start();
	order("smtp", 2);
	fake_run(&f, 0.3);
	ck_assert(agents_crash(&agents, name_of("smtp")));
	ck_assert(got(MTA_NOTE_DELIVERED, 0)->note.delivered.crashed);
	ck_assert_uint_eq(f.delivery_count, 0);
	ck_assert_uint_eq(ends[0].remote.receiver.open, 0);
	ck_assert(!agents_crash(&agents, name_of("smtp")));
	/* F8.12: it had ended no request: nobody is started for 60 s. */
	want("smtp");
	fake_run(&f, 59);
	ck_assert_uint_eq(count_of(MTA_NOTE_AGENT_READY), 1);
	fake_run(&f, 62);
	ck_assert_uint_eq(count_of(MTA_NOTE_AGENT_READY), 2);
}
END_TEST

START_TEST(a_crash_while_waiting_at_the_door)
{
	ends[0].phase.connections =
		(struct receiver_cap){.most = 1, .over = RECEIVER_OVER_WAIT};
	start();
	order("smtp", 1);
	order("smtp", 1);
	order("smtp", 1);
	fake_run(&f, 0.3);
	ck_assert(agents_crash(&agents, name_of("smtp")));
	ck_assert(agents_crash(&agents, name_of("smtp")));
	fake_run(&f, 10);
	/* The first was inside, the second waited; the third gets in. */
	ck_assert_uint_eq(f.delivery_count, 1);
	ck_assert_uint_eq(f.deliveries[0].serial, 2);
	ck_assert_uint_eq(ends[0].remote.receiver.open, 0);
}
END_TEST

START_TEST(a_request_for_a_dead_agent)
{
	start();
	want("smtp");
	fake_run(&f, 0);
	deliver((struct order){
		.transport = "smtp", .hello = 0, .recipients = 1});
	fake_run(&f, 0.1);
	deliver((struct order){
		.transport = "smtp", .hello = 0, .recipients = 1});
	fake_run(&f, 0.2);
	/* It is busy with another: as a stream that has ended. */
	ck_assert_uint_eq(count_of(MTA_NOTE_DELIVERED), 1);
	ck_assert(got(MTA_NOTE_DELIVERED, 0)->note.delivered.crashed);
	fake_run(&f, 1);
	expect_reply(1, 0.56, false);
}
END_TEST

START_TEST(reload_f8_11)
{
	const struct agents_transport *t;

	start();
	t = agents_find(&agents, name_of("smtp"));
	order("smtp", 1);
	order("retry", 1);
	fake_run(&f, 0.1);
	want("narrow");
	fake_run(&f, 0.2);
	agents_reload(&agents);
	/* Nobody counts any more; the delivery goes on to its end. */
	ck_assert_int_eq(t->service.total_count, 0);
	ck_assert_uint_eq(t->busy_count, 1);
	fake_run(&f, 1);
	expect_reply(1, 0.56, false);
	ck_assert_uint_eq(t->busy_count, 0);
	ck_assert_int_eq(t->service.total_count, 0);
	ck_assert_uint_eq(agents.processes.used_count, 0);
}
END_TEST

START_TEST(the_queue_manager_dies)
{
	start();
	order("narrow", 1);
	want("narrow");
	want("smtp");
	fake_run(&f, 0.2);
	agents_hang_up(&agents);
	fake_run(&f, 1);
	/* The delivery ended; nobody answers the connection that waited; the
	 * agent that had said hello is idle. */
	ck_assert_uint_eq(count_of(MTA_NOTE_DELIVERED), 1);
	ck_assert_uint_eq(count_of(MTA_NOTE_AGENT_READY), 2);
	ck_assert_int_eq(
		agents_find(&agents, name_of("smtp"))->service.idle_count, 1);
}
END_TEST

/* ---- names -------------------------------------------------------------- */

START_TEST(addresses_are_for_documents)
{
	/* RFC 5737: three networks of 254 hosts; then 10.0.0.0/8. */
	char a[REMOTE_ADDRESS_MAX];

	remote_address(0, a);
	ck_assert_str_eq(a, "192.0.2.1");
	remote_address(253, a);
	ck_assert_str_eq(a, "192.0.2.254");
	remote_address(254, a);
	ck_assert_str_eq(a, "198.51.100.1");
	remote_address(761, a);
	ck_assert_str_eq(a, "203.0.113.254");
	remote_address(762, a);
	ck_assert_str_eq(a, "10.0.0.1");
	remote_address(762 + 255, a);
	ck_assert_str_eq(a, "10.0.1.0");
}
END_TEST

START_TEST(texts_of_failures)
{
	struct remote_failure lost = {.step = RECEIVER_STEP_RCPT,
				      .cause = RECEIVER_CAUSE_LOST};
	struct remote_failure late = {.step = RECEIVER_STEP_END,
				      .cause = RECEIVER_CAUSE_TIMEOUT};
	struct remote_failure unknown = {.step = RECEIVER_STEP_DNS,
					 .cause = RECEIVER_CAUSE_DNS};
	struct mta_status s;
	mta_sym first;

	start();
	s = remote_failure_text(&ends[0].remote, lost, &f.symbols);
	first = s.reason;
	ck_assert_str_eq(mta_sym_text(&f.symbols, s.reason),
			 "lost connection with mx.a.example[192.0.2.1] while "
			 "sending RCPT TO");
	ck_assert(!mta_status_is_set(s));
	s = remote_failure_text(&ends[0].remote, lost, &f.symbols);
	ck_assert_uint_eq(s.reason, first);
	s = remote_failure_text(&ends[0].remote, late, &f.symbols);
	ck_assert_str_eq(mta_sym_text(&f.symbols, s.reason),
			 "conversation with mx.a.example[192.0.2.1] timed out "
			 "while sending end of data -- message may be sent "
			 "more than once");
	s = remote_failure_text(&ends[0].remote, unknown, &f.symbols);
	ck_assert_str_eq(mta_sym_text(&f.symbols, s.reason),
			 "Host or domain name not found. Name service error "
			 "for name=a.example type=MX: Host not found, try "
			 "again");
}
END_TEST

static void
add_delivery_tests(TCase *c)
{
	tcase_add_test(c, a_plain_delivery);
	tcase_add_test(c, work_of_the_agent_itself);
	tcase_add_test(c, refused_connections_are_blamed);
	tcase_add_test(c, timeouts_are_the_parameters);
	tcase_add_loop_test(c, each_step_has_its_own_timeout, 0, 6);
	tcase_add_test(c, greeting_421_is_blamed);
	tcase_add_test(c, one_recipient_of_three_is_refused_for_now);
	tcase_add_test(c, an_unknown_recipient_bounces);
	tcase_add_test(c, end_of_data_4xx_blames_nobody);
	tcase_add_test(c, nobody_knows_the_host);
	tcase_add_test(c, local_without_remote_end_delivers_at_once);
	tcase_add_test(c, local_never_blames_f11_1);
	tcase_add_test(c, retry_and_error_say_their_text);
	tcase_add_test(c, log_that_takes_time_holds_the_process);
	tcase_add_test(c, a_dead_server_costs_its_timeout);
	tcase_add_test(c, address_limit_makes_the_first_server_the_last);
	tcase_add_test(c, refused_for_now_goes_to_the_next_server);
	tcase_add_test(c, session_limit_makes_the_first_session_the_last);
	tcase_add_test(c, a_server_without_a_session_is_not_the_last);
	tcase_add_test(c, a_full_server_lets_wait);
	tcase_add_test(c, who_waits_too_long_gives_up);
	tcase_add_test(c, a_session_is_used_again);
	tcase_add_test(c, a_session_that_died_is_found_by_rset);
	tcase_add_test(c, a_session_that_is_slow_at_mail_has_failed);
	tcase_add_test(c, a_session_lives_two_seconds);
	tcase_add_test(c, a_server_that_takes_one_message_keeps_no_session);
}

static void
add_process_tests(TCase *c)
{
	tcase_add_test(c, an_idle_process_serves_again);
	tcase_add_test(c, at_the_limit_connections_wait_f8_11);
	tcase_add_test(c, processes_start_one_after_the_other_f8_11);
	tcase_add_test(c, max_use_f8_9);
	tcase_add_test(c, max_idle_f8_9);
	tcase_add_test(c, dismissed_agents_are_idle_f8_9);
	tcase_add_test(c, a_crash_f9_5);
	tcase_add_test(c, a_crash_while_waiting_at_the_door);
	tcase_add_test(c, a_request_for_a_dead_agent);
	tcase_add_test(c, reload_f8_11);
	tcase_add_test(c, the_queue_manager_dies);
	tcase_add_test(c, texts_of_failures);
}

Suite *
agents_suite(void)
{
	Suite *s = suite_create("agents");
	TCase *d = tcase_create("deliveries");
	TCase *p = tcase_create("processes");
	TCase *n = tcase_create("names");

	tcase_add_checked_fixture(d, set_up, tear_down);
	add_delivery_tests(d);
	suite_add_tcase(s, d);
	tcase_add_checked_fixture(p, set_up, tear_down);
	add_process_tests(p);
	suite_add_tcase(s, p);
	tcase_add_test(n, addresses_are_for_documents);
	suite_add_tcase(s, n);
	return s;
}
