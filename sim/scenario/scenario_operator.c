/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading what the operator does. An entry names exactly one action; the
 * actions come out in order of time, those of one instant as written.
 */
#include "sim/scenario/scenario_reader.h"

#include <stdlib.h>
#include <string.h>

static const char action_words[] =
	"set postfix postsuper postqueue crash snapshot";

static void
read_where(struct reader *r, const struct tree_node *node,
	   struct scenario_where *where)
{
	if (node->kind == TREE_SCALAR) {
		where->all = !strcmp(node->text, "ALL");
		if (!where->all)
			reader_complain(r, node,
					"write ALL, or a map as in "
					"{domain: dead.example}");
		return;
	}
	reader_section(r, node, SCHEMA_WHERE, where);
	reader_key(r, node, SCHEMA_WHERE, "queue", &where->queue);
	if (node->kind == TREE_MAP && !node->count)
		reader_complain(r, node,
				"names nothing; to mean all mail "
				"write ALL");
}

static void
read_postsuper(struct reader *r, const struct tree_node *entry,
	       struct scenario_action *action)
{
	unsigned index = 0;
	if (reader_key(r, entry, SCHEMA_ACTION, "postsuper", &index))
		action->what = (enum scenario_do)(SCENARIO_DO_HOLD + index);
	const struct tree_node *where = tree_get(entry, "where");
	if (where)
		read_where(r, where, &action->where);
	else
		reader_complain_key(r, tree_get(entry, "postsuper"),
				    "to which mail? add 'where: ALL' or "
				    "'where: {domain: ...}'");
}

/* The one key of a map, which must be one of some words; `word` could have
 * stood alone instead. */
static const struct tree_node *
only_key(struct reader *r, const struct tree_node *node, const char *word,
	 const char *words, const char *example)
{
	bool is_one = node->kind == TREE_MAP && node->count == 1;
	if (is_one && value_word(words, node->first->key) >= 0)
		return node->first;
	reader_complain(r, node, "%s is wanted here%s", example,
			is_one ? reader_near_word(r, words, node->first->key)
			       : reader_near_word(r, word, node->text));
	return NULL;
}

static void
read_postqueue(struct reader *r, const struct tree_node *node,
	       struct scenario_action *action)
{
	action->what = SCENARIO_DO_FLUSH;
	if (node->kind == TREE_SCALAR && !strcmp(node->text, "flush"))
		return;
	const struct tree_node *key =
		only_key(r, node, "flush", "site id",
			 "flush, {site: DOMAIN} or {id: ID}");
	if (!key)
		return;
	if (!strcmp(key->key, "site")) {
		action->what = SCENARIO_DO_FLUSH_SITE;
		action->where.domain = reader_name(r, key, "a domain");
	} else {
		action->what = SCENARIO_DO_FLUSH_ID;
		action->where.id = reader_name(r, key, "a queue id");
	}
}

static void
read_crash(struct reader *r, const struct tree_node *node,
	   struct scenario_action *action)
{
	action->what = SCENARIO_DO_CRASH_QMGR;
	if (node->kind == TREE_SCALAR && !strcmp(node->text, "qmgr"))
		return;
	const struct tree_node *key = only_key(r, node, "qmgr", "agent",
					       "qmgr or {agent: TRANSPORT}");
	if (!key)
		return;
	action->what = SCENARIO_DO_CRASH_AGENT;
	action->transport = reader_name(r, key, "a transport");
	reader_want_transport(r, key);
}

/* postfix: reload, stop or start; the latter two also of one service. */
static void
read_postfix(struct reader *r, const struct tree_node *entry,
	     struct scenario_action *action)
{
	const struct tree_node *service = tree_get(entry, "service");
	unsigned index = 0;
	if (!reader_key(r, entry, SCHEMA_ACTION, "postfix", &index))
		return;
	action->what = (enum scenario_do)(SCENARIO_DO_RELOAD + index);
	if (!service)
		return;
	if (action->what == SCENARIO_DO_RELOAD)
		reader_complain_key(r, service, "goes with stop or start only");
	else if (reader_key(r, entry, SCHEMA_ACTION, "service", &index))
		action->service = "qmgr";
}

/* The spool is made with these. */
static void
refuse_settings_of_the_spool(struct reader *r, const struct tree_node *map)
{
	static const char words[] =
		"enable_long_queue_ids hash_queue_names hash_queue_depth";
	if (map->kind != TREE_MAP)
		return;
	for (const struct tree_node *n = map->first; n; n = n->next)
		if (value_word(words, n->key) >= 0)
			reader_complain_key(r, n,
					    "stays as it is at the beginning "
					    "of a run");
}

static void
read_what(struct reader *r, const struct tree_node *entry,
	  const struct tree_node *key, struct scenario_action *action)
{
	if (!strcmp(key->key, "set")) {
		action->what = SCENARIO_DO_SET;
		reader_settings(r, key, &action->set);
		refuse_settings_of_the_spool(r, key);
	} else if (!strcmp(key->key, "postfix")) {
		read_postfix(r, entry, action);
	} else if (!strcmp(key->key, "postsuper")) {
		read_postsuper(r, entry, action);
	} else if (!strcmp(key->key, "postqueue")) {
		read_postqueue(r, key, action);
	} else if (!strcmp(key->key, "crash")) {
		read_crash(r, key, action);
	} else {
		action->what = SCENARIO_DO_SNAPSHOT;
		reader_key(r, entry, SCHEMA_ACTION, "snapshot",
			   &action->where.queue);
	}
}

static void
read_action(struct reader *r, const struct tree_node *entry,
	    struct scenario_action *action)
{
	action->at = entry->at;
	action->where.queue = MTA_QUEUES;
	reader_section(r, entry, SCHEMA_ACTION, action);
	if (entry->kind != TREE_MAP)
		return;
	const struct tree_node *what = NULL;
	for (const struct tree_node *n = entry->first; n; n = n->next) {
		if (value_word(action_words, n->key) < 0)
			continue;
		if (what)
			reader_complain_key(r, n,
					    "one entry does one thing; "
					    "'%s' is given already",
					    what->key);
		else
			what = n;
	}
	if (!what)
		reader_complain(r, entry,
				"says when and not what: one of set, postfix, "
				"postsuper, postqueue, crash, snapshot");
	else
		read_what(r, entry, what, action);
	const struct tree_node *where = tree_get(entry, "where");
	if (where && what && strcmp(what->key, "postsuper") != 0)
		reader_complain_key(r, where, "goes with postsuper only");
	const struct tree_node *service = tree_get(entry, "service");
	if (service && what && strcmp(what->key, "postfix") != 0)
		reader_complain_key(r, service, "goes with postfix only");
}

struct ranked {
	struct scenario_action action;
	size_t rank; /* in the file */
};

static int
compare_ranked(const void *a, const void *b)
{
	const struct ranked *x = a;
	const struct ranked *y = b;
	if (x->action.at_us != y->action.at_us)
		return x->action.at_us < y->action.at_us ? -1 : 1;
	return (x->rank > y->rank) - (x->rank < y->rank);
}

static void
sort_actions(struct scenario *s)
{
	struct ranked *list = memory_array(s->action_count, sizeof(*list));
	for (size_t i = 0; i < s->action_count; i++)
		list[i] = (struct ranked){s->actions[i], i};
	qsort(list, s->action_count, sizeof(*list), compare_ranked);
	for (size_t i = 0; i < s->action_count; i++)
		s->actions[i] = list[i].action;
	free(list);
}

void
reader_operator(struct reader *r, const struct tree_node *root)
{
	struct scenario *s = r->scenario;
	const struct tree_node *node = tree_get(root, "operator");
	if (!reader_want(r, node, TREE_LIST))
		return;
	s->actions = arena_alloc(r->arena, node->count, sizeof(*s->actions));
	for (const struct tree_node *n = node->first; n; n = n->next)
		read_action(r, n, &s->actions[s->action_count++]);
	sort_actions(s);
}
