/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Parameters: defaults and bounds (F13), reading of values (F0.5, F7.3), forms
 * of transports (F8.1), corrections at start (F4.1). The defaults are typed in
 * here a second time, from the fact sheet and not from the table under test.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "mta/params.h"

static struct mta_params params;
static char err[300];

static void
setup(void)
{
	mta_params_init(&params);
	err[0] = '\0';
}

static void
teardown(void)
{
	mta_params_release(&params);
}

static void
set(const char *name, const char *value)
{
	ck_assert_msg(mta_params_set(&params, name, value, err, sizeof(err)) ==
			      MTA_PARAM_SET,
		      "%s = %s: %s", name, value, err);
}

/* The value is refused with these words, and what was set stays. */
static void
refuse(const char *name, const char *value, const char *words)
{
	char before[100] = "";
	char after[100] = "";
	const struct mta_param *row = mta_param_find(name);

	ck_assert_ptr_nonnull(row);
	if (!row->is_transport_form)
		mta_param_format(&params, row, before, sizeof(before));
	ck_assert_msg(mta_params_set(&params, name, value, err, sizeof(err)) ==
			      MTA_PARAM_BAD,
		      "%s = %s was taken", name, value);
	ck_assert_msg(strstr(err, words) != NULL, "%s = %s: '%s' lacks '%s'",
		      name, value, err, words);
	if (!row->is_transport_form)
		mta_param_format(&params, row, after, sizeof(after));
	ck_assert_str_eq(before, after);
}

/* ---- Defaults ---- */

START_TEST(defaults_of_f13)
{
	static const struct {
		const char *name;
		const char *value;
	} cases[] = {
		/* F13.1 */
		{"queue_run_delay", "300s"},
		{"minimal_backoff_time", "300s"},
		{"maximal_backoff_time", "4000s"},
		{"maximal_queue_lifetime", "5d"},
		{"bounce_queue_lifetime", "5d"},
		{"qmgr_message_active_limit", "20000"},
		{"qmgr_message_recipient_limit", "20000"},
		{"qmgr_message_recipient_minimum", "10"},
		{"default_recipient_limit", "20000"},
		{"default_extra_recipient_limit", "1000"},
		{"default_recipient_refill_limit", "100"},
		{"default_recipient_refill_delay", "5s"},
		{"default_delivery_slot_cost", "5"},
		{"default_delivery_slot_loan", "3"},
		{"default_delivery_slot_discount", "50"},
		{"default_minimum_delivery_slots", "3"},
		{"initial_destination_concurrency", "5"},
		{"default_destination_concurrency_limit", "20"},
		{"local_destination_concurrency_limit", "2"},
		{"default_destination_recipient_limit", "50"},
		{"local_destination_recipient_limit", "1"},
		{"default_destination_concurrency_positive_feedback", "1"},
		{"default_destination_concurrency_negative_feedback", "1"},
		{"default_destination_concurrency_failed_cohort_limit", "1"},
		{"destination_concurrency_feedback_debug", "no"},
		{"default_destination_rate_delay", "0s"},
		{"default_transport_rate_delay", "0s"},
		{"transport_retry_time", "60s"},
		{"defer_transports", ""},
		{"qmgr_clog_warn_time", "300s"},
		{"address_verify_pending_request_limit", "5000"},
		{"default_filter_nexthop", ""},
		{"qmgr_daemon_timeout", "1000s"},
		{"qmgr_ipc_timeout", "60s"},
		{"confirm_delay_cleared", "no"},
		{"helpful_warnings", "yes"},
		{"delay_logging_resolution_limit", "2"},
		{"qmgr_fudge_factor", "100"},
		/* F13.2 */
		{"default_process_limit", "100"},
		{"max_use", "100"},
		{"max_idle", "100s"},
		{"service_throttle_time", "60s"},
		{"daemon_timeout", "18000s"},
		{"ipc_timeout", "3600s"},
		{"trigger_timeout", "10s"},
		{"in_flow_delay", "1s"},
		{"message_size_limit", "10240000"},
		{"queue_minfree", "0"},
		{"hash_queue_names", "deferred, defer"},
		{"hash_queue_depth", "1"},
		{"enable_long_queue_ids", "no"},
		{"authorized_submit_users", "static:anyone"},
		{"authorized_flush_users", "static:anyone"},
		{"authorized_mailq_users", "static:anyone"},
		{"fast_flush_domains", ""}, /* $relay_domains, empty here */
		{"fast_flush_refresh_time", "12h"},
		{"fast_flush_purge_time", "7d"},
		{"deliver_lock_attempts", "20"},
		{"deliver_lock_delay", "1s"},
		{"recipient_delimiter", ""},
		{"duplicate_filter_limit", "1000"},
		/* F13.3 */
		{"delay_warning_time", "0h"},
		{"notify_classes", "resource, software"},
		{"bounce_notice_recipient", "postmaster"},
		{"2bounce_notice_recipient", "postmaster"},
		{"delay_notice_recipient", "postmaster"},
		{"error_notice_recipient", "postmaster"},
		{"double_bounce_sender", "double-bounce"},
		{"bounce_size_limit", "50000"},
		{"soft_bounce", "no"},
		{"disable_verp_bounces", "no"},
		{"backwards_bounce_logfile_compatibility", "yes"},
		/* F13.4 */
		{"smtp_connect_timeout", "30s"},
		{"lmtp_connect_timeout", "0s"},
		{"smtp_helo_timeout", "300s"},
		{"lmtp_lhlo_timeout", "300s"},
		{"smtp_starttls_timeout", "300s"},
		{"smtp_xforward_timeout", "300s"},
		{"smtp_mail_timeout", "300s"},
		{"smtp_rcpt_timeout", "300s"},
		{"smtp_quit_timeout", "300s"},
		{"smtp_data_init_timeout", "120s"},
		{"smtp_data_xfer_timeout", "180s"},
		{"smtp_data_done_timeout", "600s"},
		{"lmtp_data_done_timeout", "600s"},
		{"smtp_rset_timeout", "20s"},
		{"smtp_mx_address_limit", "5"},
		{"smtp_mx_session_limit", "2"},
		{"smtp_skip_5xx_greeting", "yes"},
		{"smtp_skip_quit_response", "yes"},
		{"lmtp_skip_quit_response", "no"},
		{"smtp_randomize_addresses", "yes"},
		{"smtp_fallback_relay", ""}, /* $fallback_relay, empty */
		{"smtp_defer_if_no_mx_address_found", "no"},
		{"ignore_mx_lookup_error", "no"},
		{"smtp_connection_cache_on_demand", "yes"},
		{"smtp_connection_cache_destinations", ""},
		{"smtp_connection_cache_time_limit", "2s"},
		{"smtp_connection_reuse_time_limit", "300s"},
		{"smtp_connection_reuse_count_limit", "0"},
		{"connection_cache_ttl_limit", "2s"},
		{"smtp_per_request_deadline", "no"},
		{"smtp_min_data_rate", "500"},
		{"smtp_sasl_auth_soft_bounce", "yes"},
		{"command_time_limit", "1000s"},
	};
	char buf[100];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct mta_param *row = mta_param_find(cases[i].name);

		ck_assert_msg(row && !row->is_transport_form, "no %s",
			      cases[i].name);
		mta_param_format(&params, row, buf, sizeof(buf));
		ck_assert_msg(strcmp(buf, cases[i].value) == 0, "%s is %s",
			      cases[i].name, buf);
	}
	ck_assert_int_eq(params.in_flow_delay_s, 1);
	ck_assert_int_eq(params.maximal_queue_lifetime_s, 432000);
	ck_assert_int_eq(params.message_size_limit_bytes, 10240000);
	ck_assert_int_eq(params.smtp.connect_timeout_s, 30);
	ck_assert_int_eq(params.lmtp.connect_timeout_s, 0);
	ck_assert(params.helpful_warnings);
	ck_assert_str_eq(params.double_bounce_notice_recipient, "postmaster");
}
END_TEST

START_TEST(rows_are_sound)
{
	/* Every name once; every value in force is read back to itself. */
	size_t count = mta_param_count();
	char buf[100];
	size_t i;
	size_t k;

	for (i = 0; i < count; i++) {
		const struct mta_param *row = mta_param_at(i);

		ck_assert_ptr_nonnull(strchr(row->fact, 'F'));
		ck_assert_uint_gt(strlen(row->help), 0);
		ck_assert_int_le(row->least, row->most);
		for (k = i + 1; k < count; k++)
			ck_assert_str_ne(row->name, mta_param_at(k)->name);
		if (row->is_transport_form) {
			ck_assert_ptr_nonnull(
				mta_param_find(row->default_text + 1));
			continue;
		}
		ck_assert_ptr_eq(mta_param_find(row->name), row);
		mta_param_format(&params, row, buf, sizeof(buf));
		set(row->name, buf);
	}
	ck_assert_uint_eq(params.override_count, 0);
}
END_TEST

/* What has no effect says so, in its row and in its help; tests/lint/params
 * compares with what is read. */
START_TEST(rows_without_effect)
{
	ck_assert(mta_param_find("ipc_timeout")->is_idle);
	ck_assert(mta_param_find("smtp_quit_timeout")->is_idle);
	ck_assert(mta_param_find("lmtp_quit_timeout")->is_idle);
	ck_assert(!mta_param_find("queue_run_delay")->is_idle);
	ck_assert(!mta_param_find("smtp_rcpt_timeout")->is_idle);
	for (size_t i = 0; i < mta_param_count(); i++) {
		const struct mta_param *row = mta_param_at(i);

		ck_assert(row->is_idle ==
			  (strstr(row->help, "(no effect)") != NULL));
	}
}
END_TEST

/* ---- Times ---- */

START_TEST(times_of_f0_5)
{
	/* R-PARAM-TIME, F0.5: letters, unit of the default for a bare number,
	 * only the first letter counts. */
	static const struct {
		const char *text;
		int32_t seconds;
	} cases[] = {
		{"7", 7},	{"7s", 7},
		{"7m", 420},	{"7h", 25200},
		{"7d", 604800}, {"2w", 1209600},
		{" 7s ", 7},	{"\t7", 7},
		{"5sec", 5},	{"5seconds", 5},
		{"5min", 300},	{"1hour", 3600},
		{"+5s", 5},	{"2147483647", 2147483647},
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		set("queue_run_delay", cases[i].text);
		ck_assert_int_eq(params.queue_run_delay_s, cases[i].seconds);
	}
	set("delay_warning_time", "4"); /* default 0h */
	ck_assert_int_eq(params.delay_warning_time_s, 14400);
	set("maximal_queue_lifetime", "1"); /* default 5d */
	ck_assert_int_eq(params.maximal_queue_lifetime_s, 86400);
	set("fast_flush_refresh_time", "2"); /* default 12h */
	ck_assert_int_eq(params.fast_flush_refresh_time_s, 7200);
	/* The unit of a form is that of its default. */
	set("smtp_destination_rate_delay", "4");
	ck_assert_int_eq(params.overrides[0].value.number, 4);
}
END_TEST

START_TEST(times_that_are_none)
{
	refuse("queue_run_delay", "250ms", "Postfix would read 250 minutes");
	refuse("queue_run_delay", "5 s", "follow it at once");
	refuse("queue_run_delay", "1.5s", "must be whole");
	refuse("queue_run_delay", "5x", "s, m, h, d or w");
	refuse("queue_run_delay", "5S", "s, m, h, d or w");
	refuse("queue_run_delay", "5secsecsecsec", "Postfix would read 5 sec");
	refuse("queue_run_delay", "abc", "not a time");
	refuse("queue_run_delay", "1:30", "must be whole");
	refuse("queue_run_delay", "0450", "not a time");
	refuse("queue_run_delay", "1_0", "must be whole");
	refuse("queue_run_delay", "", "missing");
	refuse("queue_run_delay", "  ", "missing");
	refuse("queue_run_delay", "$minimal_backoff_time", "not expanded");
}
END_TEST

START_TEST(times_out_of_range)
{
	/* F0.5: an error with the bounds (F13), not clamped. */
	refuse("in_flow_delay", "11s", "0s to 10s");
	refuse("in_flow_delay", "1m", "0s to 10s");
	refuse("in_flow_delay", "-1s", "0s to 10s");
	set("in_flow_delay", "10s");
	set("in_flow_delay", "0");
	refuse("queue_run_delay", "0", "at least 1s");
	refuse("queue_run_delay", "2147483648", "out of range");
	refuse("queue_run_delay", "99999999999999999999999w", "out of range");
	refuse("queue_run_delay", "-99999999999999999999999w", "out of range");
	set("maximal_queue_lifetime", "100d");
	ck_assert_int_eq(params.maximal_queue_lifetime_s, 8640000);
	refuse("maximal_queue_lifetime", "101d", "0s to 8640000s");
	refuse("smtp_destination_rate_delay", "-1", "at least 0s");
	ck_assert_uint_eq(params.override_count, 0);
}
END_TEST

/* ---- Other kinds ---- */

START_TEST(whole_numbers)
{
	set("qmgr_message_active_limit", "5");
	ck_assert_int_eq(params.qmgr_message_active_limit, 5);
	set("default_destination_concurrency_limit", "0");
	refuse("qmgr_message_active_limit", "0", "at least 1");
	refuse("qmgr_message_active_limit", "99999999999999999999",
	       "at most 2147483647");
	refuse("qmgr_message_active_limit", "2147483648", "out of range");
	refuse("qmgr_message_active_limit", "10k", "not a whole number");
	refuse("qmgr_message_active_limit", "1.0", "not a whole number");
	refuse("qmgr_message_active_limit", "012", "not a whole number");
	refuse("qmgr_message_active_limit", "-", "not a whole number");
	refuse("default_delivery_slot_discount", "101", "0 to 100");
	set("default_delivery_slot_discount", "100");
	refuse("qmgr_fudge_factor", "9", "10 to 100");
	refuse("delay_logging_resolution_limit", "7", "0 to 6");
	set("message_size_limit", "9223372036854775807");
	ck_assert(params.message_size_limit_bytes == INT64_MAX);
	set("message_size_limit", "0");
	refuse("message_size_limit", "10KB", "digits alone");
	refuse("bounce_size_limit", "0", "at least 1");
}
END_TEST

START_TEST(yes_and_no)
{
	set("soft_bounce", "yes");
	ck_assert(params.soft_bounce);
	set("soft_bounce", "No");
	ck_assert(!params.soft_bounce);
	set("soft_bounce", "true");
	ck_assert(params.soft_bounce);
	set("soft_bounce", "false");
	ck_assert(!params.soft_bounce);
	refuse("soft_bounce", "1", "neither yes nor no");
	refuse("soft_bounce", "xes", "neither yes nor no");
	refuse("soft_bounce", "on", "neither yes nor no");
	refuse("soft_bounce", "yess", "neither yes nor no");
	refuse("soft_bounce", "ye", "neither yes nor no");
}
END_TEST

START_TEST(texts)
{
	set("defer_transports", "smtp, uucp");
	ck_assert_str_eq(params.defer_transports, "smtp, uucp");
	set("defer_transports", "");
	ck_assert_str_eq(params.defer_transports, "");
	refuse("defer_transports", "$x", "not expanded");
}
END_TEST

START_TEST(feedback_of_f7_3)
{
	/* R-FEEDBACK-TEXT, F7.3; values at window 4. */
	static const struct {
		const char *text;
		enum mta_feedback_kind kind;
		double at_four;
		const char *printed;
	} cases[] = {
		{"1", MTA_FEEDBACK_PLAIN, 1, "1"},
		{"0", MTA_FEEDBACK_PLAIN, 0, "0"},
		{"0.25", MTA_FEEDBACK_PLAIN, 0.25, "0.25"},
		{".5", MTA_FEEDBACK_PLAIN, 0.5, "0.5"},
		{"1/4", MTA_FEEDBACK_PLAIN, 0.25, "1/4"},
		{"3 / 4", MTA_FEEDBACK_PLAIN, 0.75, "3/4"},
		{"1/3", MTA_FEEDBACK_PLAIN, 1.0 / 3, "1/3"},
		{"20/25", MTA_FEEDBACK_PLAIN, 0.8, "20/25"},
		{"1/concurrency", MTA_FEEDBACK_PER_WINDOW, 0.25,
		 "1/concurrency"},
		{"0.5 / Concurrency", MTA_FEEDBACK_PER_WINDOW, 0.125,
		 "0.5/concurrency"},
		{"1/sqrt_concurrency", MTA_FEEDBACK_PER_SQRT_WINDOW, 0.5,
		 "1/sqrt_concurrency"},
	};
	const char *name = "default_destination_concurrency_positive_feedback";
	const struct mta_feedback *f =
		&params.default_destination_concurrency_positive_feedback;
	char buf[100];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		set(name, cases[i].text);
		ck_assert_int_eq(f->kind, cases[i].kind);
		ck_assert_double_eq(mta_feedback_value(f, 4), cases[i].at_four);
		mta_param_format(&params, mta_param_find(name), buf,
				 sizeof(buf));
		ck_assert_str_eq(buf, cases[i].printed);
	}
	refuse(name, "1.1", "0 to 1");
	refuse(name, "5/4", "0 to 1");
	refuse(name, "2/concurrency", "0 to 1");
	refuse(name, "-1", "no feedback");
	refuse(name, "1/0", "no feedback");
	refuse(name, "1/", "no feedback");
	refuse(name, "/2", "no feedback");
	refuse(name, ".", "no feedback");
	refuse(name, "1/2/3", "no feedback");
	refuse(name, "0.1.2", "no feedback");
	refuse(name, "1/cuncurrency", "warn and use 1");
	refuse(name, "0.1234567890123456", "no feedback");
}
END_TEST

/* ---- Names ---- */

START_TEST(unknown_names)
{
	static const char *const names[] = {"in_flow_dely",
					    "",
					    "_time_limit",
					    "a b_time_limit",
					    "smtp_",
					    "destination_rate_delay",
					    "smtp_helo_timeou",
					    "lmtp_helo_timeout"};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		ck_assert_msg(mta_params_set(&params, names[i], "1", err,
					     sizeof(err)) == MTA_PARAM_UNKNOWN,
			      "%s was taken", names[i]);
		ck_assert_str_eq(err, "unknown parameter");
	}
}
END_TEST

START_TEST(twins_are_apart)
{
	set("smtp_connect_timeout", "5s");
	set("lmtp_connect_timeout", "6s");
	set("lmtp_lhlo_timeout", "7s");
	ck_assert_int_eq(params.smtp.connect_timeout_s, 5);
	ck_assert_int_eq(params.lmtp.connect_timeout_s, 6);
	ck_assert_int_eq(params.smtp.helo_timeout_s, 300);
	ck_assert_int_eq(params.lmtp.helo_timeout_s, 7);
	/* These are parameters of their own, not forms of transports. */
	set("smtp_connection_cache_time_limit", "9s");
	set("smtp_connection_reuse_time_limit", "10s");
	ck_assert_uint_eq(params.override_count, 0);
}
END_TEST

/* ---- Transports ---- */

START_TEST(transport_defaults)
{
	/* R-TRANSPORT-PARAMS, F8.1, F11.7. */
	struct mta_transport_params t;

	mta_transport_params(&params, "smtp", &t);
	ck_assert_int_eq(t.recipient_limit, 20000);
	ck_assert_int_eq(t.extra_recipient_limit, 1000);
	ck_assert_int_eq(t.recipient_refill_limit, 100);
	ck_assert_int_eq(t.recipient_refill_delay_s, 5);
	ck_assert_int_eq(t.delivery_slot_cost, 5);
	ck_assert_int_eq(t.delivery_slot_loan, 3);
	ck_assert_int_eq(t.delivery_slot_discount, 50);
	ck_assert_int_eq(t.minimum_delivery_slots, 3);
	ck_assert_int_eq(t.initial_destination_concurrency, 5);
	ck_assert_int_eq(t.destination_concurrency_limit, 20);
	ck_assert_int_eq(t.destination_recipient_limit, 50);
	ck_assert_int_eq(t.destination_concurrency_failed_cohort_limit, 1);
	ck_assert_int_eq(t.destination_rate_delay_s, 0);
	ck_assert_int_eq(t.transport_rate_delay_s, 0);
	ck_assert_int_eq(t.time_limit_s, 1000);
	mta_transport_params(&params, "local", &t);
	ck_assert_int_eq(t.destination_concurrency_limit, 2);
	ck_assert_int_eq(t.destination_recipient_limit, 1);
	ck_assert_int_eq(t.initial_destination_concurrency, 2);
	/* A clone of local under another name gets 20 and 50. */
	mta_transport_params(&params, "local2", &t);
	ck_assert_int_eq(t.destination_concurrency_limit, 20);
	ck_assert_int_eq(t.destination_recipient_limit, 50);
}
END_TEST

START_TEST(transport_overrides)
{
	struct mta_transport_params t;
	char buf[50];

	set("default_destination_concurrency_limit", "7");
	set("bulk_destination_concurrency_limit", "3");
	set("bulk_destination_concurrency_limit", "4");
	set("bulk_destination_concurrency_negative_feedback", "1/concurrency");
	set("local_destination_concurrency_limit", "9");
	set("bulk_time_limit", "1h");
	set("bulk_destination_recipient_limit", "8"); /* not of bulk_dest... */
	ck_assert_uint_eq(params.override_count, 4);
	ck_assert_str_eq(params.overrides[0].name,
			 "bulk_destination_concurrency_limit");
	ck_assert_uint_eq(params.overrides[0].transport_length_bytes, 4);
	mta_param_override_format(&params.overrides[2], buf, sizeof(buf));
	ck_assert_str_eq(buf, "3600s");
	mta_transport_params(&params, "bulk", &t);
	ck_assert_int_eq(t.destination_concurrency_limit, 4);
	ck_assert_int_eq(t.initial_destination_concurrency, 4);
	ck_assert_int_eq(t.destination_concurrency_negative_feedback.kind,
			 MTA_FEEDBACK_PER_WINDOW);
	ck_assert_int_eq(t.destination_concurrency_positive_feedback.kind,
			 MTA_FEEDBACK_PLAIN);
	ck_assert_int_eq(t.time_limit_s, 3600);
	ck_assert_int_eq(t.destination_recipient_limit, 8);
	ck_assert_int_eq(t.recipient_limit, 20000);
	mta_transport_params(&params, "smtp", &t);
	ck_assert_int_eq(t.destination_concurrency_limit, 7);
	ck_assert_int_eq(t.initial_destination_concurrency, 5);
	/* Every character that a service's name may have. */
	set("AZaz09._-x_destination_concurrency_limit", "6");
	mta_transport_params(&params, "AZaz09._-x", &t);
	ck_assert_int_eq(t.destination_concurrency_limit, 6);
	mta_transport_params(&params, "bul", &t); /* no prefix of a name */
	ck_assert_int_eq(t.destination_concurrency_limit, 7);
	mta_transport_params(&params, "local", &t);
	ck_assert_int_eq(t.destination_concurrency_limit, 9);
	ck_assert_int_eq(t.initial_destination_concurrency, 5);
}
END_TEST

START_TEST(transport_rate_delay_and_no_limit)
{
	/* F8.1: a rate delay forces limit 1 before I = min(initial, limit);
	 * limit 0 does not lower the initial window. */
	struct mta_transport_params t;
	struct mta_window_law law;
	struct mta_slot_law slots;

	set("slow_destination_rate_delay", "1s");
	mta_transport_params(&params, "slow", &t);
	ck_assert_int_eq(t.destination_concurrency_limit, 1);
	ck_assert_int_eq(t.initial_destination_concurrency, 1);
	set("fast_destination_concurrency_limit", "0");
	mta_transport_params(&params, "fast", &t);
	law = mta_transport_window_law(&t);
	ck_assert_int_eq(law.limit, 0);
	ck_assert_int_eq(law.initial, 5);
	ck_assert_int_eq(law.failed_cohort_limit, 1);
	ck_assert_double_eq(mta_feedback_value(&law.positive, 1), 1);
	ck_assert_double_eq(mta_feedback_value(&law.negative, 1), 1);
	slots = mta_transport_slot_law(&t);
	ck_assert_int_eq(slots.cost, 5);
	ck_assert_int_eq(slots.loan, 3);
	ck_assert_int_eq(slots.discount, 50);
	ck_assert_int_eq(slots.minimum, 3);
}
END_TEST

/* ---- Start-up, copies, words ---- */

START_TEST(fixes_of_f4_1)
{
	/* R-PARAM-FIXES, F4.1. */
	ck_assert_uint_eq(mta_params_fix(&params), 0);
	set("qmgr_message_recipient_limit", "100");
	ck_assert_uint_eq(mta_params_fix(&params), MTA_FIX_RECIPIENT_LIMIT);
	set("bounce_queue_lifetime", "6d");
	ck_assert_uint_eq(mta_params_fix(&params), MTA_FIX_BOUNCE_LIFETIME);
	ck_assert_int_eq(params.qmgr_message_recipient_limit, 20000);
	ck_assert_int_eq(params.bounce_queue_lifetime_s, 432000);
	ck_assert_uint_eq(mta_params_fix(&params), 0);
}
END_TEST

START_TEST(copies_own_what_they_hold)
{
	struct mta_params copy;
	struct mta_transport_params t;

	set("defer_transports", "smtp");
	set("bulk_destination_concurrency_limit", "3");
	mta_params_copy(&copy, &params);
	set("defer_transports", "other");
	set("bulk_destination_concurrency_limit", "4");
	set("bulk_time_limit", "1s");
	ck_assert_str_eq(copy.defer_transports, "smtp");
	ck_assert_uint_eq(copy.override_count, 1);
	ck_assert_int_eq(mta_params_set(&copy, "bulk_time_limit", "2s", err,
					sizeof(err)),
			 MTA_PARAM_SET);
	mta_transport_params(&copy, "bulk", &t);
	ck_assert_int_eq(t.destination_concurrency_limit, 3);
	ck_assert_int_eq(t.time_limit_s, 2);
	mta_transport_params(&params, "bulk", &t);
	ck_assert_int_eq(t.destination_concurrency_limit, 4);
	ck_assert_int_eq(t.time_limit_s, 1);
	mta_params_release(&copy);
	mta_params_copy(&copy, &params);
	mta_params_release(&copy);
}
END_TEST

START_TEST(bounds_and_units_in_words)
{
	static const struct {
		const char *name;
		const char *bounds;
		const char *unit;
	} cases[] = {
		{"in_flow_delay", "0s to 10s", "s"},
		{"queue_run_delay", "at least 1s", "s"},
		{"delay_warning_time", "at least 0s", "h"},
		{"maximal_queue_lifetime", "0s to 8640000s", "d"},
		{"max_use", "at least 1", ""},
		{"message_size_limit", "at least 0", "bytes"},
		{"soft_bounce", "yes or no", ""},
		{"notify_classes", "", ""},
		{"x_destination_concurrency_positive_feedback", "0 to 1", ""},
		{"x_destination_rate_delay", "at least 0s", "s"},
	};
	char buf[100];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct mta_param *row = mta_param_find(cases[i].name);

		ck_assert_ptr_nonnull(row);
		mta_param_bounds_format(row, buf, sizeof(buf));
		ck_assert_str_eq(buf, cases[i].bounds);
		ck_assert_str_eq(mta_param_unit(row), cases[i].unit);
	}
	/* A time that is not a whole number of its unit is told in seconds. */
	set("maximal_queue_lifetime", "36h");
	mta_param_format(&params, mta_param_find("maximal_queue_lifetime"), buf,
			 sizeof(buf));
	ck_assert_str_eq(buf, "129600s");
}
END_TEST

Suite *
params_suite(void)
{
	Suite *s = suite_create("params");
	TCase *t = tcase_create("params");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, defaults_of_f13);
	tcase_add_test(t, rows_are_sound);
	tcase_add_test(t, rows_without_effect);
	tcase_add_test(t, times_of_f0_5);
	tcase_add_test(t, times_that_are_none);
	tcase_add_test(t, times_out_of_range);
	tcase_add_test(t, whole_numbers);
	tcase_add_test(t, yes_and_no);
	tcase_add_test(t, texts);
	tcase_add_test(t, feedback_of_f7_3);
	tcase_add_test(t, unknown_names);
	tcase_add_test(t, twins_are_apart);
	tcase_add_test(t, transport_defaults);
	tcase_add_test(t, transport_overrides);
	tcase_add_test(t, transport_rate_delay_and_no_limit);
	tcase_add_test(t, fixes_of_f4_1);
	tcase_add_test(t, copies_own_what_they_hold);
	tcase_add_test(t, bounds_and_units_in_words);
	suite_add_tcase(s, t);
	return s;
}
