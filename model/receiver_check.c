/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a receiver's config cannot mean, the order in which its hosts are
 * found (M-RECEIVER-SERVERS), and the names of things. Nothing here has state.
 */
#include "model/receiver_private.h"

#include "model/law.h"

static bool
is_code(int code)
{
	return code >= 400 && code <= 599;
}

const char *
receiver_reply_check(const struct receiver_reply *reply)
{
	if (reply->step == RECEIVER_STEP_DNS)
		return "step: dns has no reply code; use a state";
	if (!is_code(reply->code))
		return "code: must lie in 400..599";
	if (!(reply->share > 0 && reply->share <= 1))
		return "share: must be more than 0 and at most 1";
	if (reply->times < 0)
		return "times: cannot be negative";
	if (reply->after_us < -1)
		return "after: cannot be negative";
	if (reply->step < RECEIVER_STEP_MAIL && (reply->match || reply->times))
		return "match and times need a recipient; before mail there is "
		       "none";
	return NULL;
}

const char *
receiver_fails_check(const struct receiver_fails *fails)
{
	if (!(fails->share >= 0 && fails->share <= 1))
		return "share: must lie in 0..1";
	if (fails->pattern && fails->share > 0)
		return "pattern: cannot stand beside share";
	if (fails->pattern && fails->pattern_count == 0)
		return "pattern: is empty";
	if (fails->code != 0 && !is_code(fails->code))
		return "how: a code must lie in 400..599";
	if (fails->after_us < 0)
		return "after: cannot be negative";
	return NULL;
}

const char *
receiver_cap_check(const struct receiver_cap *cap)
{
	if (cap->most < 0)
		return "most: cannot be negative";
	if (cap->code != 0 && !is_code(cap->code))
		return "over: a code must lie in 400..599";
	if (cap->after_us < 0)
		return "after: cannot be negative";
	if (cap->penalty_for_us < 0)
		return "penalty: for cannot be negative";
	if (cap->penalty_for_us > 0 &&
	    (cap->penalty_most < 1 || cap->penalty_most >= cap->most))
		return "penalty: most must lie between 1 and the cap itself";
	return NULL;
}

static const char *
check_quota(const struct receiver_quota *quota)
{
	if (!(quota->per_s > 0 && quota->per_s <= 1e9))
		return "most: must be more than 0 and at most 1e9 per second";
	if (!(quota->burst == 0 || (quota->burst >= 1 && quota->burst <= 1e9)))
		return "burst: must lie in 1..1e9";
	return NULL;
}

const char *
receiver_rate_check(const struct receiver_rate *rate)
{
	const char *error = check_quota(&rate->most);

	if (error)
		return error;
	if (!is_code(rate->over_code))
		return "over: code must lie in 400..599";
	if (rate->over_step == RECEIVER_STEP_DNS)
		return "over: step dns has no reply code";
	if (rate->count == RECEIVER_COUNT_CONNECTIONS &&
	    rate->over_step > RECEIVER_STEP_HELO)
		return "over: what counts connections answers at connect, "
		       "greeting or helo";
	if (rate->after_us < 0)
		return "after: cannot be negative";
	if (rate->penalty_for_us < 0)
		return "penalty: for cannot be negative";
	if (rate->penalty_connections < 0)
		return "penalty: connections cannot be negative";
	if (rate->penalty_for_us > 0) {
		/* Within a penalty nothing at all may be allowed. */
		if (rate->penalty.per_s == 0)
			return NULL;
		error = check_quota(&rate->penalty);
	}
	return error;
}

const char *
receiver_tarpit_check(const struct receiver_tarpit *tarpit)
{
	if (tarpit->after < 0)
		return "after: cannot be negative";
	if (tarpit->pause_us < 0)
		return "pause: cannot be negative";
	return NULL;
}

const char *
receiver_errors_check(const struct receiver_errors *errors)
{
	if (errors->after < 0 || errors->most < 0)
		return "after and most: cannot be negative";
	if (errors->pause_us < 0)
		return "pause: cannot be negative";
	if (errors->most > 0 && errors->most <= errors->after &&
	    errors->pause_us > 0)
		return "after: must be less than most, or no answer is late";
	return NULL;
}

const char *
receiver_greylist_check(const struct receiver_greylist *greylist)
{
	if (greylist->delay_us <= 0)
		return "delay: must be more than 0";
	if (greylist->window_us < 0 ||
	    (greylist->window_us > 0 &&
	     greylist->window_us <= greylist->delay_us))
		return "window: must be longer than delay";
	if (greylist->step < RECEIVER_STEP_MAIL)
		return "step: must be mail, rcpt, data or end";
	if (greylist->code != 0 &&
	    (greylist->code < 400 || greylist->code > 499))
		return "code: must lie in 400..499";
	if (greylist->keep_us < 0)
		return "keep: cannot be negative";
	if (greylist->whitelist_after < 0 || greylist->whitelist_gap_us < 0)
		return "whitelist_after: cannot be negative";
	return NULL;
}

const char *
receiver_servers_check(const struct receiver_servers *servers)
{
	if (servers->processes < 1)
		return "processes: must be at least 1";
	if (servers->backlog < 0)
		return "backlog: cannot be negative";
	return NULL;
}

const char *
receiver_mx_check(const struct receiver_mx *mx)
{
	if (mx->hosts < 1 || mx->hosts > RECEIVER_HOSTS_MOST)
		return "hosts: must lie in 1..64";
	if (mx->dead < 0 || mx->dead > mx->hosts)
		return "dead: must lie in 0..hosts";
	if (mx->other && mx->dead > 0)
		return "dead: belongs to hosts of this receiver; give the "
		       "other one a state";
	return NULL;
}

const char *
receiver_outages_check(const struct receiver_outages *outages)
{
	if (!outages->every || !outages->down)
		return "needs both every and for";
	if (law_most(outages->every) < LAW_GAP_LEAST)
		return "every: must be 1ms or more";
	if (outages->state == RECEIVER_UP)
		return "state: up is no outage";
	return NULL;
}

static const char *
check_phase(const struct receiver_phase *phase)
{
	const char *error = receiver_fails_check(&phase->fails);

	for (size_t i = 0; !error && i < phase->reply_count; i++)
		error = receiver_reply_check(&phase->replies[i]);
	if (!error && phase->after_us < 0)
		error = "after: cannot be negative";
	return error ? error : receiver_cap_check(&phase->connections);
}

static const char *
check_mx_list(const struct receiver_config *config)
{
	const char *error = NULL;
	int64_t hosts = 0;

	for (size_t i = 0; !error && i < config->mx_count; i++) {
		error = receiver_mx_check(&config->mx[i]);
		hosts += config->mx[i].hosts;
	}
	if (!error && hosts > RECEIVER_HOSTS_MOST)
		error = "mx: more than 64 hosts";
	return error;
}

static const char *
check_config(const struct receiver_config *config)
{
	const char *error = NULL;

	if (config->phase_count == 0)
		return "needs at least one phase";
	for (size_t i = 0; !error && i < config->phase_count; i++) {
		error = check_phase(&config->phases[i]);
		if (!error && i > 0 &&
		    config->phases[i].at_us <= config->phases[i - 1].at_us)
			error = "schedule: at must ascend";
	}
	if (!error && config->messages_per_connection < 0)
		error = "messages_per_connection: cannot be negative";
	if (!error && config->rate.most.per_s != 0)
		error = receiver_rate_check(&config->rate);
	if (!error)
		error = receiver_tarpit_check(&config->tarpit);
	if (!error)
		error = receiver_errors_check(&config->errors);
	if (!error && config->greylist.delay_us != 0)
		error = receiver_greylist_check(&config->greylist);
	if (!error && config->servers.processes != 0)
		error = receiver_servers_check(&config->servers);
	if (!error && config->outages.every)
		error = receiver_outages_check(&config->outages);
	return error ? error : check_mx_list(config);
}

static unsigned
wants_of(const struct receiver_config *config)
{
	const struct receiver_greylist *greylist = &config->greylist;
	unsigned wants = 0;

	for (size_t i = 0; i < config->phase_count; i++)
		for (size_t k = 0; k < config->phases[i].reply_count; k++)
			if (config->phases[i].replies[k].match ||
			    config->phases[i].replies[k].times > 0)
				wants |= RECEIVER_WANTS_ADDRESSES;
	if (greylist->delay_us > 0) {
		if (!greylist->key || greylist->key & RECEIVER_KEY_RECIPIENT)
			wants |= RECEIVER_WANTS_ADDRESSES;
		if (!greylist->key || greylist->key & RECEIVER_KEY_SENDER)
			wants |= RECEIVER_WANTS_SENDER;
	}
	return wants;
}

/* The steps at which some phase has a reply rule. */
static unsigned
steps_of_replies(const struct receiver_config *config)
{
	unsigned steps = 0;

	for (size_t i = 0; i < config->phase_count; i++)
		for (size_t k = 0; k < config->phases[i].reply_count; k++)
			steps |= 1U << config->phases[i].replies[k].step;
	return steps;
}

static bool
lets_everybody_in(const struct receiver_config *config)
{
	const struct receiver_phase *phase = config->phases;
	const unsigned before_mail = (1U << RECEIVER_STEP_MAIL) - 1;

	return config->steady && !config->counts && config->mx_count == 0 &&
	       !phase->fails.pattern && phase->fails.share <= 0 &&
	       !phase->greeting_delay &&
	       !(steps_of_replies(config) & before_mail) &&
	       (config->rate.most.per_s <= 0 ||
		config->rate.over_step >= RECEIVER_STEP_MAIL);
}

static unsigned
asks_of(const struct receiver_config *config)
{
	unsigned asks = steps_of_replies(config);

	if (config->rate.most.per_s > 0)
		asks |= 1U << config->rate.over_step;
	if (config->greylist.delay_us > 0)
		asks |= 1U << config->greylist.step;
	if (config->tarpit.pause_us > 0)
		asks |= 1U << RECEIVER_STEP_RCPT;
	if (config->errors.pause_us > 0 || config->errors.most > 0)
		asks |= 1U << RECEIVER_STEP_MAIL | 1U << RECEIVER_STEP_RCPT |
			1U << RECEIVER_STEP_DATA | 1U << RECEIVER_STEP_END;
	return asks;
}

const char *
receiver_config_settle(struct receiver_config *config)
{
	const char *error = check_config(config);

	if (error)
		return error;
	config->wants = wants_of(config);
	config->counts = config->servers.processes > 0 ||
			 config->rate.penalty_connections > 0;
	for (size_t i = 0; i < config->phase_count; i++)
		config->counts |= config->phases[i].connections.most > 0;
	config->steady = config->phase_count == 1 &&
			 config->phases->state == RECEIVER_UP &&
			 !config->outages.every;
	config->lets_in = lets_everybody_in(config);
	config->asks = asks_of(config);
	config->hears_out = config->steady && !config->asks &&
			    config->messages_per_connection == 0;
	config->settled = true;
	return NULL;
}

/* All hosts in the order of the config. */
static uint32_t
list_hosts(const struct receiver_config *config, struct receiver_server *hosts)
{
	uint32_t count = 0;
	uint32_t own = 0;

	for (size_t i = 0; i < config->mx_count; i++) {
		const struct receiver_mx *mx = &config->mx[i];

		for (int64_t k = 0; k < mx->hosts; k++)
			hosts[count++] = (struct receiver_server){
				.other = mx->other,
				.host = mx->other ? (uint32_t)k : own++,
				.preference = mx->preference};
	}
	return count;
}

static void
shuffle_hosts(struct receiver_server *hosts, uint32_t count, struct draw *draw)
{
	for (uint32_t i = count - 1; i > 0; i--) {
		uint32_t k = (uint32_t)draw_below(draw, i + 1);
		struct receiver_server host = hosts[i];

		hosts[i] = hosts[k];
		hosts[k] = host;
	}
}

uint32_t
receiver_servers(const struct receiver *receiver, uint64_t message,
		 uint32_t try, enum receiver_order order,
		 struct receiver_server *list)
{
	const struct receiver_config *config = receiver->config;
	uint32_t count = list_hosts(config, list);
	struct draw draw;

	if (count == 0) {
		list[0] = (struct receiver_server){0};
		return 1;
	}
	if (order == RECEIVER_SHUFFLED) {
		draw = stream_at_part(receiver->stream, message,
				      receiver_part(try, 0, PURPOSE_SERVERS));
		shuffle_hosts(list, count, &draw);
	}
	return count;
}
