/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading who sends mail, and the mail that is there at the start. Domains
 * are read before: a target that no entry of `domains` fits is a complaint
 * here, at the place where it is written. Recipients of a trace or a recorded
 * queue are met when these are read, and not here.
 */
#include "sim/scenario/scenario_reader.h"

#include <stdlib.h>
#include <string.h>

#include "model/arrival.h"
#include "model/law.h"
#include "mta/book.h"

static const char arrival_words[] =
	"poisson even weibull daily times burst bursts";

enum {
	LABELS_MOST = 128 /* of a name that DNS can have */
};

/* Does an entry of `domains` fit this domain? */
static bool
domain_is_known(const struct reader *r, const char *domain)
{
	const struct name_index *known = &r->domains;
	if (name_index_get(known, domain, SIZE_MAX) != SIZE_MAX ||
	    name_index_get(known, "*", SIZE_MAX) != SIZE_MAX)
		return true;
	/* ".b.c" and ".c" fit "a.b.c". */
	const char *dot = strchr(domain, '.');
	for (int depth = 0; dot && depth < LABELS_MOST; depth++) {
		if (name_index_get(known, dot, SIZE_MAX) != SIZE_MAX)
			return true;
		dot = strchr(dot + 1, '.');
	}
	return false;
}

static void
check_target(struct reader *r, const struct tree_node *node, const char *domain,
	     bool is_key)
{
	if (reader_has_blanks(domain)) {
		reader_complain(r, node, "'%s' is no domain", domain);
		return;
	}
	if (domain_is_known(r, domain) || !reader_has_names(r, "domains"))
		return;
	struct name_nearest nearest = {.wanted = domain};
	for (size_t i = 0; i < r->scenario->domain_count; i++) {
		if (!reader_may_suggest(r))
			break;
		name_nearest_try(&nearest, r->scenario->domains[i].name);
	}
	const char *hint = reader_did_you_mean(r, &nearest);
	if (!*hint)
		hint = "; add one, or \"*\" for all the rest";
	if (is_key)
		reader_complain_key(r, node, "no entry of domains fits '%s'%s",
				    domain, hint);
	else
		reader_complain(r, node, "no entry of domains fits '%s'%s",
				domain, hint);
}

static void
read_weights(struct reader *r, const struct tree_node *map,
	     struct scenario_to *to)
{
	to->kind = SCENARIO_TO_WEIGHTS;
	to->list = arena_alloc(r->arena, map->count, sizeof(*to->list));
	for (const struct tree_node *n = map->first; n; n = n->next) {
		struct scenario_target *target = &to->list[to->count++];
		struct value_error why;
		target->domain = n->key;
		target->weight = 1;
		reader_want_key(r, n);
		if (*n->key)
			check_target(r, n, n->key, true);
		if (!reader_want(r, n, TREE_SCALAR))
			continue;
		if (!value_number(n->text, &target->weight, &why))
			reader_complain(r, n, "%s", why.text);
		else if (target->weight <= 0)
			reader_complain(r, n, "a weight must be above 0");
	}
	if (!map->count)
		reader_complain(r, map, "names no domain");
}

static void
read_cycle(struct reader *r, const struct tree_node *list,
	   struct scenario_to *to)
{
	to->kind = SCENARIO_TO_CYCLE;
	if (!reader_want(r, list, TREE_LIST))
		return;
	to->list = arena_alloc(r->arena, list->count, sizeof(*to->list));
	for (const struct tree_node *n = list->first; n; n = n->next) {
		const char *domain = reader_name(r, n, "a domain");
		to->list[to->count++] = (struct scenario_target){
			.domain = domain,
			.weight = 1,
		};
		if (n->kind == TREE_SCALAR && *domain)
			check_target(r, n, domain, false);
	}
	if (!list->count)
		reader_complain(r, list, "names no domain");
}

/* The k-th domain of a zipf: {n} stands for k. */
static const char *
zipf_domain(struct reader *r, const char *name, int64_t k)
{
	const char *mark = strstr(name, "{n}");
	return arena_print(r->arena, "%.*s%lld%s", (int)(mark - name), name,
			   (long long)k, mark + 3);
}

static void
read_zipf(struct reader *r, const struct tree_node *node,
	  struct scenario_to *to)
{
	to->kind = SCENARIO_TO_ZIPF;
	to->zipf_domains = 1;
	size_t before = r->complaints->count;
	reader_section(r, node, SCHEMA_ZIPF, to);
	if (r->complaints->count > before)
		return;
	const struct tree_node *name = tree_get(node, "name");
	if (to->zipf_exponent < 0 || to->zipf_exponent > 20)
		reader_complain(r, tree_get(node, "exponent"),
				"an exponent from 0 to 20 is wanted");
	if (!strstr(to->zipf_name, "{n}")) {
		reader_complain(r, name,
				"must hold {n}, as in "
				"d{n}.example");
		return;
	}
	const char *first = zipf_domain(r, to->zipf_name, 1);
	const char *last = zipf_domain(r, to->zipf_name, to->zipf_domains);
	const struct tree_node *at = name ? name : node;
	if (!domain_is_known(r, first))
		check_target(r, at, first, false);
	else
		check_target(r, at, last, false);
}

/* The `to` of a source; `node` NULL complains at `owner`. */
static void
read_to(struct reader *r, const struct tree_node *owner,
	const struct tree_node *node, struct scenario_to *to)
{
	if (!node) {
		reader_complain_key(r, owner,
				    "the key 'to' is missing: where "
				    "to");
		return;
	}
	const struct tree_node *zipf = tree_get(node, "zipf");
	const struct tree_node *cycle = tree_get(node, "cycle");
	if (node->kind == TREE_SCALAR) {
		const char *domain = reader_name(r, node, "a domain");
		to->list = arena_alloc(r->arena, 1, sizeof(*to->list));
		to->list[0] = (struct scenario_target){domain, 1};
		to->count = 1;
		if (*domain)
			check_target(r, node, domain, false);
	} else if (node->count == 1 && zipf) {
		read_zipf(r, zipf, to);
	} else if (node->count == 1 && cycle) {
		read_cycle(r, cycle, to);
	} else if (reader_want(r, node, TREE_MAP)) {
		read_weights(r, node, to);
	}
}

static void
read_numbers(struct reader *r, const struct tree_node *list, size_t count,
	     double *numbers)
{
	if (!reader_want(r, list, TREE_LIST))
		return;
	double sum = 0;
	if (list->count != count) {
		reader_complain(r, list,
				"%zu numbers are wanted here, not "
				"%u",
				count, list->count);
		return;
	}
	for (const struct tree_node *n = list->first; n; n = n->next) {
		struct value_error why;
		double *number = &numbers[n->index];
		if (!reader_want(r, n, TREE_SCALAR))
			continue;
		if (!value_number(n->text, number, &why))
			reader_complain(r, n, "%s", why.text);
		else if (*number < 0)
			reader_complain(r, n, "a weight cannot be below 0");
		sum += *number;
	}
	if (sum <= 0)
		reader_complain(r, list, "all weights are 0");
}

static void
read_times(struct reader *r, const struct tree_node *list,
	   struct arrival_config *arrivals)
{
	if (!reader_want(r, list, TREE_LIST))
		return;
	int64_t *times = arena_alloc(r->arena, list->count, sizeof(*times));
	for (const struct tree_node *n = list->first; n; n = n->next) {
		struct value_error why;
		size_t i = n->index;
		if (!reader_want(r, n, TREE_SCALAR))
			continue;
		if (!value_signed_time(n->text, &times[i], &why))
			reader_complain(r, n, "%s", why.text);
		else if (i && times[i] < times[i - 1])
			reader_complain(r, n,
					"is before the time that stands "
					"before it");
	}
	if (!list->count)
		reader_complain(r, list, "names no time");
	arrivals->times = times;
	arrivals->time_count = list->count;
}

static void
read_arrival_kind(struct reader *r, const struct tree_node *map,
		  const struct tree_node *key, struct arrival_config *a)
{
	a->kind = (enum arrival_kind)value_word(arrival_words, key->key);
	switch (a->kind) {
	case ARRIVAL_POISSON:
	case ARRIVAL_EVEN:
		reader_key(r, map, SCHEMA_ARRIVALS, key->key, &a->rate_per_s);
		return;
	case ARRIVAL_WEIBULL:
		reader_section(r, key, SCHEMA_WEIBULL, a);
		return;
	case ARRIVAL_DAILY:
		reader_section(r, key, SCHEMA_DAILY, a);
		read_numbers(r, tree_get(key, "hours"), 24, a->hours);
		read_numbers(r, tree_get(key, "days"), 7, a->days);
		return;
	case ARRIVAL_TIMES:
		read_times(r, key, a);
		return;
	case ARRIVAL_BURST:
		reader_section(r, key, SCHEMA_BURST, a);
		return;
	case ARRIVAL_BURSTS:
		reader_section(r, key, SCHEMA_BURSTS, a);
		return;
	}
}

static struct arrival_config *
read_arrivals(struct reader *r, const struct tree_node *node)
{
	struct arrival_config *a = arena_alloc(r->arena, 1, sizeof(*a));
	size_t before = r->complaints->count;
	if (!reader_want(r, node, TREE_MAP))
		return a;
	reader_section(r, node, SCHEMA_ARRIVALS, NULL);
	if (node->count != 1) {
		reader_complain(r, node,
				"one kind of arrivals is wanted, as "
				"in {poisson: 20/s}");
		return a;
	}
	if (r->complaints->count > before)
		return a;
	read_arrival_kind(r, node, node->first, a);
	if (r->complaints->count > before)
		return a;
	reader_judge(r, node->first, arrival_config_check(a));
	return a;
}

static bool
arrivals_end(const struct arrival_config *a)
{
	return a->kind == ARRIVAL_TIMES || a->kind == ARRIVAL_BURST;
}

static void
read_via(struct reader *r, const struct tree_node *node,
	 struct scenario_source *source)
{
	source->via = SCENARIO_VIA_SMTP;
	if (!node)
		return;
	const struct tree_node *user = tree_get(node, "sendmail");
	if (node->kind == TREE_SCALAR && !strcmp(node->text, "smtp"))
		return;
	source->via = SCENARIO_VIA_SENDMAIL;
	source->via_user = "user";
	if (user && node->count == 1)
		source->via_user = reader_name(r, user, "a user");
	else if (node->kind != TREE_SCALAR || strcmp(node->text, "sendmail"))
		reader_complain(
			r, node,
			"smtp, sendmail or {sendmail: USER} "
			"is wanted here%s",
			reader_near_word(r, "smtp sendmail", node->text));
}

/* What a trace says itself cannot be said beside it. */
static void
check_trace(struct reader *r, const struct tree_node *node)
{
	static const char *const keys[] = {
		"to", "sender", "users", "recipients", "size",
	};
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const struct tree_node *n = tree_get(node, keys[i]);
		if (n)
			reader_complain_key(r, n,
					    "the trace says this for "
					    "each message; leave it out");
	}
}

/* Is a law meant to go beyond a bound? Its tail may. */
static bool
is_beyond(const struct law *law, int64_t most)
{
	return law_least(law) > most ||
	       (law_most(law) > most && law_most(law) < LAW_MOST);
}

static void
check_recipients(struct reader *r, const struct tree_node *node,
		 const struct law *law)
{
	if (node && law && law_most(law) < 1)
		reader_complain(r, node,
				"a message has at least one "
				"recipient");
	if (node && law && is_beyond(law, SCENARIO_RECIPIENTS_MOST))
		reader_complain(r, node, "a message has at most %d recipients",
				SCENARIO_RECIPIENTS_MOST);
}

static void
check_size(struct reader *r, const struct tree_node *node,
	   const struct law *law)
{
	if (node && law && is_beyond(law, UINT32_MAX))
		reader_complain(r, node, "a message is smaller than 4GiB");
}

static void
check_sender(struct reader *r, const struct tree_node *node, const char *sender)
{
	if (node && sender && strpbrk(sender, "\r\n"))
		reader_complain(r, node, "an address is one line");
	else if (node && sender && *sender && !strchr(sender, '@'))
		reader_complain(r, node,
				"'%s' is no address; write "
				"USER@DOMAIN, or \"\" for the empty "
				"sender",
				sender);
	if (node && sender && !*sender &&
	    ++r->null_senders == MTA_ADDR_NULL_FAMILIES)
		reader_complain(r, node,
				"at most %d sources may have the empty sender",
				MTA_ADDR_NULL_FAMILIES - 1);
}

static void
check_end(struct reader *r, const struct tree_node *node,
	  const struct scenario_source *source)
{
	if (r->scenario->run.end != SCENARIO_END_DRAINED || !source->arrivals ||
	    arrivals_end(source->arrivals))
		return;
	if (source->until_us == SCENARIO_NEVER &&
	    source->messages == SCENARIO_NEVER)
		reader_complain_key(r, node,
				    "never ends, so that a run "
				    "'until: drained' would not; add "
				    "'until' or 'messages'");
}

static void
read_source(struct reader *r, const struct tree_node *node,
	    struct scenario_source *source)
{
	*source = (struct scenario_source){
		.name = node->key,
		.until_us = SCENARIO_NEVER,
		.messages = SCENARIO_NEVER,
		.connections = SCENARIO_NEVER,
		.at = node->key_at,
	};
	reader_section(r, node, SCHEMA_SOURCE, source);
	if (node->kind != TREE_MAP)
		return;
	const struct tree_node *arrivals = tree_get(node, "arrivals");
	const struct tree_node *trace = tree_get(node, "trace");
	if (!arrivals == !trace)
		reader_complain_key(r, node,
				    "either 'arrivals' or 'trace' is "
				    "wanted");
	if (trace) {
		source->trace = reader_file(r, trace);
		check_trace(r, node);
	} else {
		read_to(r, node, tree_get(node, "to"), &source->to);
	}
	if (arrivals)
		source->arrivals = read_arrivals(r, arrivals);
	read_via(r, tree_get(node, "via"), source);
	if (source->via == SCENARIO_VIA_SENDMAIL &&
	    tree_get(node, "connections"))
		reader_complain_key(r, tree_get(node, "connections"),
				    "sendmail opens no connections");
	check_recipients(r, tree_get(node, "recipients"), source->recipients);
	check_size(r, tree_get(node, "size"), source->size);
	check_sender(r, tree_get(node, "sender"), source->sender);
	check_end(r, node, source);
}

void
reader_sources(struct reader *r, const struct tree_node *root)
{
	struct scenario *s = r->scenario;
	const struct tree_node *map = tree_get(root, "sources");
	if (!map && !tree_get(root, "start"))
		reader_complain(r, root,
				"there is no mail: neither 'sources' "
				"nor 'start'");
	if (!map || !reader_want(r, map, TREE_MAP))
		return;
	s->sources = arena_alloc(r->arena, map->count, sizeof(*s->sources));
	for (const struct tree_node *n = map->first; n; n = n->next) {
		if (!strcmp(n->key, "bounce"))
			reader_complain_key(r, n,
					    "this name is that of "
					    "bounces; take another");
		if (!strcmp(n->key, "start"))
			reader_complain_key(r, n,
					    "this name is that of mail "
					    "in 'start'; take another");
		reader_want_key(r, n);
		name_index_add(&r->sources, n->key, s->source_count);
		read_source(r, n, &s->sources[s->source_count++]);
	}
}

static void
read_generated(struct reader *r, const struct tree_node *node,
	       struct scenario_start *start)
{
	static const enum mta_queue queues[] = {
		MTA_MAILDROP,
		MTA_INCOMING,
		MTA_DEFERRED,
		MTA_HOLD,
	};
	unsigned index = 2;
	if (!tree_get(node, "queue"))
		reader_complain_key(r, node,
				    "the key 'queue' is missing: "
				    "where it lies");
	if (!tree_get(node, "messages"))
		reader_complain_key(r, node,
				    "the key 'messages' is missing: "
				    "how many");
	reader_key(r, node, SCHEMA_START, "queue", &index);
	start->queue = queues[index];
	read_to(r, node, tree_get(node, "to"), &start->to);
	check_recipients(r, tree_get(node, "recipients"), start->recipients);
	check_size(r, tree_get(node, "size"), start->size);
	check_sender(r, tree_get(node, "sender"), start->sender);
	const struct tree_node *due = tree_get(node, "due");
	if (due && start->queue != MTA_DEFERRED)
		reader_complain_key(r, due,
				    "only deferred mail is due at a "
				    "time");
}

static void
read_start(struct reader *r, const struct tree_node *node,
	   struct scenario_start *start)
{
	start->at = node->at;
	start->queue = MTA_DEFERRED;
	reader_section(r, node, SCHEMA_START, start);
	if (node->kind != TREE_MAP)
		return;
	const struct tree_node *postqueue = tree_get(node, "postqueue");
	if (!postqueue) {
		read_generated(r, node, start);
		return;
	}
	start->postqueue = reader_file(r, postqueue);
	if (node->count > 1)
		reader_complain(r, node,
				"beside 'postqueue' nothing else is "
				"given: the file says it all");
}

void
reader_start(struct reader *r, const struct tree_node *root)
{
	struct scenario *s = r->scenario;
	const struct tree_node *list = tree_get(root, "start");
	if (!list || !reader_want(r, list, TREE_LIST))
		return;
	s->start = arena_alloc(r->arena, list->count, sizeof(*s->start));
	for (const struct tree_node *n = list->first; n; n = n->next)
		read_start(r, n, &s->start[s->start_count++]);
}
