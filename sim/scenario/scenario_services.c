/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading the parts of a scenario that configure the mail system itself: the
 * length of the run, parameters, transports, services, access rules, costs.
 *
 * A form such as bulk_destination_rate_delay is known only with the
 * transports, so these are read first. The standard transports are always
 * there; a scenario may change their limits but not their kind.
 */
#include "sim/scenario/scenario_reader.h"

#include <string.h>

#include "sim/scenario/scenario_parts.h"

static const struct scenario_transport standard[] = {
	{.name = "smtp", .kind = SCENARIO_KIND_SMTP, .maxproc = -1},
	{.name = "lmtp", .kind = SCENARIO_KIND_LMTP, .maxproc = -1},
	{.name = "relay", .kind = SCENARIO_KIND_SMTP, .maxproc = -1},
	{.name = "local", .kind = SCENARIO_KIND_LOCAL, .maxproc = -1},
	{.name = "virtual", .kind = SCENARIO_KIND_VIRTUAL, .maxproc = -1},
	{.name = "pipe", .kind = SCENARIO_KIND_PIPE, .maxproc = -1},
	{.name = "discard", .kind = SCENARIO_KIND_DISCARD, .maxproc = -1},
	{.name = "error", .kind = SCENARIO_KIND_ERROR, .maxproc = -1},
	{.name = "retry", .kind = SCENARIO_KIND_RETRY, .maxproc = -1},
};

enum {
	STANDARD_COUNT = sizeof(standard) / sizeof(standard[0])
};

static void
check_run(struct reader *r, const struct tree_node *run,
	  const struct parts_run *parts, bool drained)
{
	if (drained && parts->for_us >= 0)
		reader_complain_key(r, tree_get(run, "for"),
				    "'for' and 'until: drained' exclude each "
				    "other; the bound beside 'until' is "
				    "'at_most'");
	if (!drained && parts->at_most_us >= 0)
		reader_complain_key(r, tree_get(run, "at_most"),
				    "'at_most' goes with 'until: drained'; "
				    "did you mean for?");
	if (!drained && parts->for_us < 0 && !tree_get(run, "for") &&
	    !tree_get(run, "until"))
		reader_complain_key(r, run,
				    "write 'for: TIME' or 'until: "
				    "drained'");
	if (parts->for_us == 0)
		reader_complain(r, tree_get(run, "for"),
				"a run of no time shows nothing");
	if (parts->sample_us <= 0)
		reader_complain(r, tree_get(run, "sample"),
				"the step of a series must be above 0");
	if (parts->for_us > 0 && parts->warmup_us >= parts->for_us)
		reader_complain(r, tree_get(run, "warmup"),
				"the warm-up takes the whole run");
}

void
reader_run(struct reader *r, const struct tree_node *root)
{
	struct scenario_run *run = &r->scenario->run;
	struct parts_run parts = {.for_us = -1, .at_most_us = -1};
	const struct tree_node *node = tree_get(root, "run");
	size_t before = r->complaints->count;
	reader_section(r, node, SCHEMA_RUN, &parts);
	unsigned word = 0;
	bool drained = reader_key(r, node, SCHEMA_RUN, "until", &word);
	if (node && r->complaints->count == before)
		check_run(r, node, &parts, drained);
	int64_t end = drained ? parts.at_most_us : parts.for_us;
	*run = (struct scenario_run){
		.end = drained ? SCENARIO_END_DRAINED : SCENARIO_END_TIME,
		.for_us = end < 0 ? SCENARIO_NEVER : end,
		.sample_us = parts.sample_us,
		.warmup_us = parts.warmup_us,
		.start_at_us = parts.start_at_us,
	};
}

enum {
	TRANSPORTS_TRIED = 64 /* with each form, for the nearest name */
};

/* A parameter's name that is none: say which it may have been meant to be. */
static void
complain_parameter(struct reader *r, const struct tree_node *node,
		   const struct mta_param *form)
{
	struct name_nearest nearest = {.wanted = node->key};
	for (size_t i = 0; i < mta_param_count(); i++) {
		const struct mta_param *row = mta_param_at(i);
		if (!row->is_transport_form) {
			name_nearest_try(&nearest, row->name);
			continue;
		}
		for (size_t t = 0;
		     t < r->scenario->transport_count && t < TRANSPORTS_TRIED;
		     t++)
			name_nearest_try(
				&nearest,
				arena_print(r->arena, "%s%s",
					    r->scenario->transports[t].name,
					    row->name));
	}
	size_t size = strlen(node->key) - (form ? strlen(form->name) : 0);
	if (form && !nearest.best)
		reader_complain_key(r, node,
				    "unknown parameter; there is no "
				    "transport '%.*s'",
				    (int)size, node->key);
	else
		reader_complain_key(r, node, "unknown parameter%s",
				    reader_did_you_mean(r, &nearest));
}

/* Whether a name that ends like a form starts with a transport's name. */
static bool
form_is_known(struct reader *r, const char *name, const char *form)
{
	size_t size = strlen(name) - strlen(form);
	const char *transport = arena_copy(r->arena, name, size);
	return name_index_get(&r->transports, transport, SIZE_MAX) != SIZE_MAX;
}

/* What has no effect is warned of where it becomes another value. */
static bool
set_parameter(struct reader *r, const struct tree_node *node,
	      const struct mta_param *row)
{
	char err[300], before[100], after[100];
	if (row->is_idle)
		mta_param_format(&r->main_cf, row, before, sizeof(before));
	if (mta_params_set(&r->main_cf, node->key, node->text, err,
			   sizeof(err)) != MTA_PARAM_SET) {
		reader_complain(r, node, "%s", err);
		return false;
	}
	if (!row->is_idle)
		return true;
	mta_param_format(&r->main_cf, row, after, sizeof(after));
	if (strcmp(before, after) != 0)
		reader_warn_key(r, node, "this parameter has no effect here");
	return true;
}

static void
read_setting(struct reader *r, const struct tree_node *node,
	     struct scenario_settings *to)
{
	const struct mta_param *row = mta_param_find(node->key);
	if (!row || (row->is_transport_form &&
		     !form_is_known(r, node->key, row->name))) {
		if (reader_may_suggest(r))
			complain_parameter(r, node, row);
		else
			reader_complain_key(r, node, "unknown parameter");
		return;
	}
	if (!reader_want(r, node, TREE_SCALAR))
		return;
	struct value_error why;
	bool number = row->kind == MTA_PARAM_TIME ||
		      row->kind == MTA_PARAM_INT ||
		      row->kind == MTA_PARAM_BYTES;
	if (number &&
	    !value_main_cf(node->text, row->kind == MTA_PARAM_TIME, &why)) {
		reader_complain(r, node, "%s", why.text);
		return;
	}
	if (!set_parameter(r, node, row))
		return;
	to->list[to->count++] = (struct scenario_setting){
		.name = node->key,
		.value = node->text,
		.at = node->at,
	};
}

static void
warn_of_fix(struct reader *r, const struct tree_node *map, const char *name,
	    const char *how, const char *other)
{
	const struct tree_node *node = tree_get(map, name);
	if (!node)
		node = tree_get(map, other);
	if (node)
		reader_warn_key(r, node,
				"%s is %s than %s; the queue manager takes it "
				"to be the same",
				name, how, other);
}

/* R-PARAM-FIXES: said where it is asked for. */
static void
warn_of_fixes(struct reader *r, const struct tree_node *map)
{
	struct mta_params as_read;
	mta_params_copy(&as_read, &r->main_cf);
	unsigned fixes = mta_params_fix(&as_read);
	mta_params_release(&as_read);
	if (fixes & MTA_FIX_RECIPIENT_LIMIT)
		warn_of_fix(r, map, "qmgr_message_recipient_limit", "smaller",
			    "qmgr_message_active_limit");
	if (fixes & MTA_FIX_BOUNCE_LIFETIME)
		warn_of_fix(r, map, "bounce_queue_lifetime", "larger",
			    "maximal_queue_lifetime");
}

void
reader_settings(struct reader *r, const struct tree_node *map,
		struct scenario_settings *to)
{
	if (!reader_want(r, map, TREE_MAP))
		return;
	to->list = arena_alloc(r->arena, map->count, sizeof(*to->list));
	for (const struct tree_node *n = map->first; n; n = n->next)
		read_setting(r, n, to);
	warn_of_fixes(r, map);
}

static bool
name_is_transport(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_-.";
	return *name && !name[strspn(name, letters)];
}

static void
read_transport(struct reader *r, const struct tree_node *node)
{
	struct scenario *s = r->scenario;
	size_t at = name_index_get(&r->transports, node->key, SIZE_MAX);
	bool exists = at != SIZE_MAX && at < STANDARD_COUNT;
	struct scenario_transport read = {.maxproc = -1};
	reader_want_key(r, node);
	if (exists)
		read = s->transports[at];
	enum scenario_kind kind = read.kind;
	reader_section(r, node, SCHEMA_TRANSPORT, &read);
	if (node->kind != TREE_MAP)
		return;
	if (exists && read.kind != kind)
		reader_complain(r, tree_get(node, "kind"),
				"%s is a standard transport and keeps its "
				"kind; give the new one a name of its own",
				node->key);
	if (!exists && !tree_get(node, "kind"))
		reader_complain_key(r, node,
				    "a new transport needs its 'kind': smtp, "
				    "lmtp, local, virtual, pipe, discard, "
				    "error or retry");
	if (!name_is_transport(node->key))
		reader_complain_key(r, node,
				    "the name of a transport has "
				    "letters, digits, _ - and . "
				    "only");
	read.name = node->key;
	read.at = node->key_at;
	if (!exists) {
		at = s->transport_count++;
		name_index_put(&r->transports, node->key, at);
	}
	s->transports[at] = read;
}

static void
read_transports(struct reader *r, const struct tree_node *node)
{
	struct scenario *s = r->scenario;
	size_t more = node && node->kind == TREE_MAP ? node->count : 0;
	s->transports = arena_alloc(r->arena, STANDARD_COUNT + more,
				    sizeof(*s->transports));
	memcpy(s->transports, standard, sizeof(standard));
	s->transport_count = STANDARD_COUNT;
	for (size_t i = 0; i < STANDARD_COUNT; i++)
		name_index_put(&r->transports, standard[i].name, i);
	if (!reader_want(r, node, TREE_MAP))
		return;
	for (const struct tree_node *n = node->first; n; n = n->next)
		read_transport(r, n);
}

const char *
reader_near_transport(struct reader *r, const char *name)
{
	struct name_nearest nearest = {.wanted = name};
	for (size_t i = 0; i < r->scenario->transport_count; i++) {
		if (!reader_may_suggest(r))
			break;
		name_nearest_try(&nearest, r->scenario->transports[i].name);
	}
	return reader_did_you_mean(r, &nearest);
}

void
reader_want_transport(struct reader *r, const struct tree_node *node)
{
	if (!node || node->kind != TREE_SCALAR || !*node->text ||
	    !reader_has_names(r, "transports"))
		return;
	if (name_index_get(&r->transports, node->text, SIZE_MAX) != SIZE_MAX)
		return;
	reader_complain(r, node, "there is no transport '%s'%s", node->text,
			reader_near_transport(r, node->text));
}

static void
read_services(struct reader *r, const struct tree_node *node)
{
	static const char words[] = "smtpd cleanup";
	struct scenario *s = r->scenario;
	if (!reader_want(r, node, TREE_MAP))
		return;
	s->services = arena_alloc(r->arena, node->count, sizeof(*s->services));
	for (const struct tree_node *n = node->first; n; n = n->next) {
		struct scenario_service *service =
			&s->services[s->service_count++];
		service->name = n->key;
		service->at = n->key_at;
		service->maxproc = -1;
		reader_section(r, n, SCHEMA_SERVICE, service);
		if (value_word(words, n->key) < 0)
			reader_complain_key(r, n,
					    "no service that can be "
					    "limited; these are smtpd "
					    "and cleanup%s",
					    reader_near_word(r, words, n->key));
	}
}

static void
read_access(struct reader *r, const struct tree_node *node)
{
	struct scenario *s = r->scenario;
	if (!reader_want(r, node, TREE_LIST))
		return;
	s->access = arena_alloc(r->arena, node->count, sizeof(*s->access));
	for (const struct tree_node *n = node->first; n; n = n->next) {
		struct scenario_access *rule = &s->access[s->access_count++];
		rule->at = n->at;
		reader_section(r, n, SCHEMA_ACCESS, rule);
	}
}

static void
read_costs(struct reader *r, const struct tree_node *node)
{
	struct scenario_costs *costs = &r->scenario->costs;
	reader_section(r, node, SCHEMA_COSTS, costs);
	reader_section(r, tree_get(node, "qmgr"), SCHEMA_COSTS_QMGR, costs);
	reader_section(r, tree_get(node, "agent"), SCHEMA_COSTS_AGENT, costs);
	reader_section(r, tree_get(node, "disk"), SCHEMA_COSTS_DISK, costs);
}

static void
read_output(struct reader *r, const struct tree_node *node)
{
	static const char words[] = SCENARIO_OUTPUT_WORDS;
	if (!reader_want(r, node, TREE_LIST))
		return;
	for (const struct tree_node *n = node->first; n; n = n->next) {
		int index = reader_word(r, n, words);
		if (index >= 0)
			r->scenario->output |= 1u << index;
	}
}

void
reader_services(struct reader *r, const struct tree_node *root)
{
	struct scenario *s = r->scenario;
	read_output(r, tree_get(root, "output"));
	reader_section(r, tree_get(root, "destinations"), SCHEMA_DESTINATIONS,
		       &s->destinations);
	read_transports(r, tree_get(root, "transports"));
	reader_settings(r, tree_get(root, "mta"), &s->mta);
	read_services(r, tree_get(root, "services"));
	read_access(r, tree_get(root, "access"));
	read_costs(r, tree_get(root, "costs"));
	reader_section(r, tree_get(root, "spool"), SCHEMA_SPOOL, s);
}
