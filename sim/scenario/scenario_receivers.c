/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading receivers, the remote ends. A receiver becomes a
 * struct receiver_config: its own keys are the first phase, each entry of its
 * schedule one more, made from the phase before. Receivers that are written
 * where they are used (in a domain, under `each`) are receivers like the
 * others, named by their place. Names are resolved when all are known, so
 * their order in the file does not matter.
 */
#include "sim/scenario/scenario_reader.h"

#include <string.h>

#include "model/receiver_config.h"
#include "sim/scenario/scenario_parts.h"

static void
read_reply(struct reader *r, const struct tree_node *node,
	   struct receiver_reply *reply)
{
	struct parts_reply parts = {
		.step = RECEIVER_STEP_RCPT,
		.code = 450,
		.after_us = -1,
	};
	size_t before = r->complaints->count;
	reader_section(r, node, SCHEMA_REPLY, &parts);
	*reply = (struct receiver_reply){
		.step = parts.step,
		.code = (int)parts.code,
		.share = parts.share,
		.match = parts.match,
		.times = parts.times,
		.after_us = parts.after_us,
	};
	if (r->complaints->count == before)
		reader_judge(r, node, receiver_reply_check(reply));
}

static void
read_replies(struct reader *r, const struct tree_node *node,
	     struct receiver_phase *phase)
{
	if (!reader_want(r, node, TREE_LIST))
		return;
	struct receiver_reply *replies =
		arena_alloc(r->arena, node->count, sizeof(*replies));
	for (const struct tree_node *n = node->first; n; n = n->next)
		read_reply(r, n, &replies[n->index]);
	phase->replies = replies;
	phase->reply_count = node->count;
}

static void
read_pattern(struct reader *r, const struct tree_node *node,
	     struct receiver_fails *fails)
{
	if (!reader_want(r, node, TREE_LIST))
		return;
	uint8_t *pattern = arena_alloc(r->arena, node->count, 1);
	for (const struct tree_node *n = node->first; n; n = n->next) {
		int index = reader_word(r, n, "0 1");
		pattern[n->index] = index > 0;
	}
	if (!node->count)
		reader_complain(r, node, "an empty pattern says nothing");
	fails->pattern = pattern;
	fails->pattern_count = node->count;
}

static enum receiver_cause
cause_of(enum parts_how how)
{
	switch (how) {
	case PARTS_HOW_REFUSED:
		return RECEIVER_CAUSE_REFUSED;
	case PARTS_HOW_TIMEOUT:
		return RECEIVER_CAUSE_TIMEOUT;
	case PARTS_HOW_UNREACHABLE:
		return RECEIVER_CAUSE_UNREACHABLE;
	case PARTS_HOW_DNS:
		return RECEIVER_CAUSE_DNS;
	case PARTS_HOW_GREETING:
		return RECEIVER_CAUSE_GREETING;
	case PARTS_HOW_RESET:
		return RECEIVER_CAUSE_LOST;
	case PARTS_HOW_421:
		return RECEIVER_CAUSE_CODE;
	}
	return RECEIVER_CAUSE_REFUSED;
}

static void
read_fails(struct reader *r, const struct tree_node *node,
	   struct receiver_fails *fails)
{
	if (!node)
		return;
	struct parts_fails parts = {.share = 0};
	size_t before = r->complaints->count;
	*fails = (struct receiver_fails){.share = 0};
	reader_section(r, node, SCHEMA_FAILS, &parts);
	read_pattern(r, tree_get(node, "pattern"), fails);
	fails->share = parts.share;
	fails->how = cause_of(parts.how);
	fails->code = parts.how == PARTS_HOW_421 ? 421 : 0;
	fails->after_us = parts.after_us;
	bool share = tree_get(node, "share") != NULL;
	bool pattern = tree_get(node, "pattern") != NULL;
	if (node->kind == TREE_MAP && share == pattern)
		reader_complain(r, node,
				"either 'share' or 'pattern' is "
				"wanted");
	else if (r->complaints->count == before)
		reader_judge(r, node, receiver_fails_check(fails));
}

/* A penalty that is over at once is a mistake. */
static bool
penalty_lasts(struct reader *r, const struct tree_node *penalty, int64_t for_us)
{
	if (!penalty || for_us != 0)
		return true;
	reader_complain(r, tree_get(penalty, "for"),
			"a penalty for no time is none");
	return false;
}

static void
read_connections(struct reader *r, const struct tree_node *node,
		 struct receiver_cap *cap)
{
	static const enum receiver_over overs[] = {
		RECEIVER_OVER_CODE,
		RECEIVER_OVER_REFUSED,
		RECEIVER_OVER_DROP,
		RECEIVER_OVER_WAIT,
	};
	if (!node)
		return;
	struct parts_connections parts = {.most = 0};
	struct parts_cap_penalty penalty = {.for_us = 0};
	size_t before = r->complaints->count;
	reader_section(r, node, SCHEMA_CONNECTIONS, &parts);
	reader_section(r, tree_get(node, "penalty"), SCHEMA_CAP_PENALTY,
		       &penalty);
	*cap = (struct receiver_cap){
		.most = parts.most,
		.over = overs[parts.over],
		.after_us = parts.after_us,
		.penalty_for_us = penalty.for_us,
		.penalty_most = penalty.most,
	};
	if (r->complaints->count == before &&
	    penalty_lasts(r, tree_get(node, "penalty"), penalty.for_us))
		reader_judge(r, node, receiver_cap_check(cap));
}

/* The keys that a receiver and an entry of its schedule have in common. */
static void
read_phase(struct reader *r, const struct tree_node *node,
	   enum schema_section section, struct receiver_phase *phase)
{
	reader_section(r, node, section, phase);
	read_replies(r, tree_get(node, "replies"), phase);
	read_fails(r, tree_get(node, "fails"), &phase->fails);
	read_connections(r, tree_get(node, "connections"), &phase->connections);
}

static void
read_phases(struct reader *r, const struct tree_node *node,
	    struct receiver_config *config)
{
	const struct tree_node *schedule = tree_get(node, "schedule");
	if (schedule && !reader_want(r, schedule, TREE_LIST))
		schedule = NULL;
	size_t more = schedule ? schedule->count : 0;
	struct receiver_phase *phases =
		arena_alloc(r->arena, more + 1, sizeof(*phases));
	read_phase(r, node, SCHEMA_RECEIVER, &phases[0]);
	size_t count = 1;
	for (const struct tree_node *n = schedule ? schedule->first : NULL; n;
	     n = n->next) {
		struct receiver_phase next = phases[count - 1];
		next.at_us = -1;
		read_phase(r, n, SCHEMA_SCHEDULE, &next);
		if (next.at_us < 0)
			continue;
		if (next.at_us <= phases[count - 1].at_us && n->index)
			reader_complain(r, tree_get(n, "at"),
					"the times of a schedule ascend; this "
					"is not after the entry before");
		/* An entry at 0 stands instead of the receiver's own keys. */
		if (next.at_us == 0)
			count = 0;
		phases[count++] = next;
	}
	config->phases = phases;
	config->phase_count = count;
}

static enum receiver_step
step_of_count(enum receiver_count count)
{
	switch (count) {
	case RECEIVER_COUNT_MESSAGES:
		return RECEIVER_STEP_MAIL;
	case RECEIVER_COUNT_RECIPIENTS:
		return RECEIVER_STEP_RCPT;
	case RECEIVER_COUNT_CONNECTIONS:
		return RECEIVER_STEP_CONNECT;
	}
	return RECEIVER_STEP_MAIL;
}

/* A penalty that changes nothing is a mistake. */
static void
check_penalty(struct reader *r, const struct tree_node *node)
{
	if (node && node->kind == TREE_MAP && !tree_get(node, "most") &&
	    !tree_get(node, "connections"))
		reader_complain(r, node,
				"a penalty is a lower rate or a smaller cap: "
				"write 'most' or 'connections'");
	if (tree_get(node, "burst") && !tree_get(node, "most"))
		reader_complain(r, tree_get(node, "burst"),
				"'burst' goes with 'most'");
}

static void
read_rate(struct reader *r, const struct tree_node *node,
	  struct receiver_rate *rate)
{
	if (!node)
		return;
	struct parts_rate parts = {.burst = 0};
	struct parts_rate_over over = {.step = RECEIVER_STEP_DNS};
	struct parts_penalty penalty = {.for_us = 0};
	size_t before = r->complaints->count;
	reader_section(r, node, SCHEMA_RATE, &parts);
	reader_section(r, tree_get(node, "over"), SCHEMA_RATE_OVER, &over);
	reader_section(r, tree_get(node, "penalty"), SCHEMA_PENALTY, &penalty);
	if (over.step == RECEIVER_STEP_DNS)
		over.step = step_of_count(parts.count);
	if (!over.code)
		over.code =
			parts.count == RECEIVER_COUNT_CONNECTIONS ? 421 : 451;
	*rate = (struct receiver_rate){
		.most = {parts.most_per_s, (double)parts.burst},
		.count = parts.count,
		.over_step = over.step,
		.over_code = (int)over.code,
		.after_us = over.after_us,
		.penalty_for_us = penalty.for_us,
		.penalty = {penalty.most_per_s, (double)penalty.burst},
		.penalty_connections = penalty.connections,
	};
	check_penalty(r, tree_get(node, "penalty"));
	if (r->complaints->count > before)
		return;
	if (parts.most_per_s <= 0)
		reader_complain(r, tree_get(node, "most"),
				"a rate of 0 lets nothing through");
	else if (penalty_lasts(r, tree_get(node, "penalty"), penalty.for_us))
		reader_judge(r, node, receiver_rate_check(rate));
}

static void
read_tarpit(struct reader *r, const struct tree_node *node,
	    struct receiver_tarpit *tarpit)
{
	if (!node)
		return;
	size_t before = r->complaints->count;
	reader_section(r, node, SCHEMA_TARPIT, tarpit);
	if (r->complaints->count == before && tarpit->pause_us == 0)
		reader_complain(r, tree_get(node, "pause"),
				"a pause of 0 is no tarpit");
}

static void
read_errors(struct reader *r, const struct tree_node *node,
	    struct receiver_errors *errors)
{
	if (!node)
		return;
	size_t before = r->complaints->count;
	reader_section(r, node, SCHEMA_ERRORS, errors);
	if (r->complaints->count == before)
		reader_judge(r, node, receiver_errors_check(errors));
}

static unsigned
read_greylist_key(struct reader *r, const struct tree_node *node)
{
	unsigned key = 0;
	if (!reader_want(r, node, TREE_LIST))
		return 0;
	for (const struct tree_node *n = node->first; n; n = n->next) {
		int index = reader_word(r, n, "client sender recipient");
		if (index >= 0)
			key |= 1u << index;
	}
	if (!node->count)
		reader_complain(r, node,
				"at least one of client, sender, "
				"recipient is wanted");
	return key;
}

static void
read_greylist(struct reader *r, const struct tree_node *node,
	      struct receiver_greylist *greylist)
{
	if (!node)
		return;
	struct parts_greylist parts = {.code = 450};
	size_t before = r->complaints->count;
	reader_section(r, node, SCHEMA_GREYLIST, &parts);
	*greylist = (struct receiver_greylist){
		.delay_us = parts.delay_us,
		.window_us = parts.window_us,
		.keep_us = parts.keep_us,
		.whitelist_after = parts.whitelist_after,
		.whitelist_gap_us = parts.whitelist_gap_us,
		.step = parts.step,
		.code = (int)parts.code,
		.key = read_greylist_key(r, tree_get(node, "key")),
	};
	if (r->complaints->count > before)
		return;
	if (!parts.delay_us)
		reader_complain(r, tree_get(node, "delay"),
				"a delay of 0 refuses nothing");
	else
		reader_judge(r, node, receiver_greylist_check(greylist));
}

static void
read_servers(struct reader *r, const struct tree_node *node,
	     struct receiver_servers *servers)
{
	if (!node)
		return;
	size_t before = r->complaints->count;
	reader_section(r, node, SCHEMA_SERVERS, servers);
	if (r->complaints->count == before)
		reader_judge(r, node, receiver_servers_check(servers));
}

static void
read_outages(struct reader *r, const struct tree_node *node,
	     struct receiver_outages *outages)
{
	if (!node)
		return;
	size_t before = r->complaints->count;
	reader_section(r, node, SCHEMA_OUTAGES, outages);
	if (r->complaints->count == before)
		reader_judge(r, node, receiver_outages_check(outages));
}

/* Remember that a host is another receiver, for resolve_links(). */
static void
add_link(struct reader *r, struct receiver_mx *mx, const struct tree_node *name)
{
	struct mx_link *link = arena_alloc(r->arena, 1, sizeof(*link));
	*link = (struct mx_link){.mx = mx, .name = name, .next = r->links};
	r->links = link;
}

static void
read_mx(struct reader *r, const struct tree_node *node,
	struct receiver_config *config)
{
	if (!reader_want(r, node, TREE_LIST))
		return;
	struct receiver_mx *mx =
		arena_alloc(r->arena, node->count, sizeof(*mx));
	for (const struct tree_node *n = node->first; n; n = n->next) {
		struct parts_mx parts = {.hosts = 1};
		size_t before = r->complaints->count;
		reader_section(r, n, SCHEMA_MX, &parts);
		mx[n->index] = (struct receiver_mx){
			.preference = parts.preference,
			.hosts = parts.hosts,
			.dead = parts.dead,
		};
		if (parts.receiver)
			add_link(r, &mx[n->index], tree_get(n, "receiver"));
		if (r->complaints->count == before)
			reader_judge(r, n, receiver_mx_check(&mx[n->index]));
	}
	if (!node->count)
		reader_complain(r, node,
				"a receiver without hosts takes no "
				"mail; leave the key out for one "
				"host");
	config->mx = mx;
	config->mx_count = node->count;
}

static struct scenario_receiver *
add_receiver(struct reader *r)
{
	struct scenario *s = r->scenario;
	if (s->receiver_count == r->receiver_room) {
		struct scenario_receiver *old = s->receivers;
		r->receiver_room = r->receiver_room ? r->receiver_room * 2 : 16;
		s->receivers =
			arena_alloc(r->arena, r->receiver_room, sizeof(*old));
		if (s->receiver_count)
			memcpy(s->receivers, old,
			       s->receiver_count * sizeof(*old));
	}
	return &s->receivers[s->receiver_count++];
}

static size_t
read_receiver(struct reader *r, const struct tree_node *node, const char *name)
{
	struct scenario_receiver *receiver = add_receiver(r);
	size_t index = (size_t)(receiver - r->scenario->receivers);
	struct receiver_config *config =
		arena_alloc(r->arena, 1, sizeof(*config));
	const struct tree_node *profile = tree_get(node, "from_profile");
	*receiver = (struct scenario_receiver){
		.name = name,
		.profile = profile ? reader_name(r, profile,
						 "the name of a profile")
				   : NULL,
		.config = config,
		.at = node->key ? node->key_at : node->at,
	};
	if (!reader_want(r, node, TREE_MAP)) {
		static const struct receiver_phase none = {.at_us = 0};
		config->phases = &none;
		config->phase_count = 1;
		return index;
	}
	read_phases(r, node, config);
	reader_key(r, node, SCHEMA_RECEIVER, "messages_per_connection",
		   &config->messages_per_connection);
	read_rate(r, tree_get(node, "rate"), &config->rate);
	read_tarpit(r, tree_get(node, "tarpit"), &config->tarpit);
	read_errors(r, tree_get(node, "errors"), &config->errors);
	read_greylist(r, tree_get(node, "greylist"), &config->greylist);
	read_servers(r, tree_get(node, "servers"), &config->servers);
	read_outages(r, tree_get(node, "outages"), &config->outages);
	read_mx(r, tree_get(node, "mx"), config);
	return index;
}

static void
complain_receiver(struct reader *r, const struct tree_node *node)
{
	if (!reader_has_names(r, "receivers"))
		return;
	struct name_nearest nearest = {.wanted = node->text};
	for (size_t i = 0; i < r->scenario->receiver_count; i++) {
		if (!reader_may_suggest(r))
			break;
		name_nearest_try(&nearest, r->scenario->receivers[i].name);
	}
	if (node->key && !strcmp(node->key, "bounces_to"))
		name_nearest_try(&nearest, "local");
	reader_complain(r, node, "there is no receiver '%s'%s", node->text,
			reader_did_you_mean(r, &nearest));
}

/* A receiver by name or by its keys. */
static bool
use_one(struct reader *r, const struct tree_node *node, size_t *receiver)
{
	if (node->kind == TREE_MAP) {
		*receiver = read_receiver(r, node, tree_path(r->tree, node));
		return true;
	}
	const char *name = reader_name(r, node, "the name of a receiver");
	if (node->kind != TREE_SCALAR || !*name)
		return false;
	*receiver = name_index_get(&r->receivers, name, SIZE_MAX);
	if (*receiver != SIZE_MAX) {
		r->scenario->receivers[*receiver].is_used = true;
		return true;
	}
	*receiver = 0;
	complain_receiver(r, node);
	return false;
}

void
reader_receiver_use(struct reader *r, const struct tree_node *node,
		    enum scenario_sharing *sharing, size_t *receiver)
{
	const struct tree_node *each = tree_get(node, "each");
	*sharing = SCENARIO_RECEIVER_NONE;
	if (each && node->count > 1)
		reader_complain(r, node,
				"'each' stands alone, as in "
				"{each: flaky}");
	if (use_one(r, each ? each : node, receiver))
		*sharing = each ? SCENARIO_RECEIVER_EACH
				: SCENARIO_RECEIVER_SHARED;
}

/* Link the hosts that are other receivers. */
static void
resolve_links(struct reader *r)
{
	for (struct mx_link *link = r->links; link; link = link->next) {
		const char *name = link->name->text;
		size_t at = name_index_get(&r->receivers, name, SIZE_MAX);
		if (at == SIZE_MAX) {
			complain_receiver(r, link->name);
			continue;
		}
		const struct receiver_config *other =
			r->scenario->receivers[at].config;
		r->scenario->receivers[at].is_used = true;
		if (other->mx_count)
			reader_complain(r, link->name,
					"'%s' has an mx of its own; one level "
					"is all there is",
					name);
		else
			link->mx->other = other;
	}
}

/* A receiver that nothing leads to. In a file it may wait for a --set that
 * does; one that --set itself has made is a misspelt name. */
static void
complain_unused(struct reader *r, const struct tree_node *node)
{
	static const char what[] = "nothing leads to this receiver";
	struct scenario *s = r->scenario;
	struct name_nearest nearest = {.wanted = node->key};
	for (size_t i = 0; i < s->receiver_count; i++) {
		if (s->receivers[i].is_used && reader_may_suggest(r))
			name_nearest_try(&nearest, s->receivers[i].name);
	}
	const char *hint = reader_did_you_mean(r, &nearest);
	if (reader_is_set(node))
		reader_complain_key(r, node, "%s%s", what, hint);
	else
		reader_warn_key(r, node, "%s%s", what, hint);
}

/* Only when all else is right: a name that was missed elsewhere is the same
 * mistake. */
static void
check_used(struct reader *r, const struct tree_node *map)
{
	if (!map || map->kind != TREE_MAP || r->complaints->count)
		return;
	for (const struct tree_node *n = map->first; n; n = n->next) {
		size_t at = name_index_get(&r->receivers, n->key, 0);
		if (!r->scenario->receivers[at].is_used)
			complain_unused(r, n);
	}
}

/* The last word of the model on each receiver, when nothing else is wrong. */
static void
settle_all(struct reader *r)
{
	struct scenario *s = r->scenario;
	if (r->complaints->count)
		return;
	for (size_t i = 0; i < s->receiver_count; i++) {
		struct scenario_receiver *receiver = &s->receivers[i];
		const char *error = receiver_config_settle(receiver->config);
		if (error)
			complaints_add(r->complaints, receiver->at,
				       receiver->name, "%s", error);
	}
}

void
reader_receivers(struct reader *r, const struct tree_node *root)
{
	const struct tree_node *map = tree_get(root, "receivers");
	if (!reader_want(r, map, TREE_MAP))
		return;
	for (const struct tree_node *n = map->first; n; n = n->next) {
		reader_want_key(r, n);
		name_index_add(&r->receivers, n->key,
			       read_receiver(r, n, n->key));
	}
}

void
reader_receivers_end(struct reader *r, const struct tree_node *root)
{
	resolve_links(r);
	check_used(r, tree_get(root, "receivers"));
	settle_all(r);
}
