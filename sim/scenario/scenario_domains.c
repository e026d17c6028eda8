/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading which transport and which receiver mail for a domain meets.
 */
#include "sim/scenario/scenario_reader.h"

#include <string.h>

static bool
kind_needs_receiver(enum scenario_kind kind)
{
	return kind == SCENARIO_KIND_SMTP || kind == SCENARIO_KIND_LMTP;
}

static void
check_domain(struct reader *r, const struct tree_node *node,
	     const struct scenario_domain *domain)
{
	const char *name = domain->transport ? domain->transport : "smtp";
	size_t at = name_index_get(&r->transports, name, SIZE_MAX);
	if (at == SIZE_MAX || node->kind != TREE_MAP)
		return;
	bool needs = kind_needs_receiver(r->scenario->transports[at].kind);
	const struct tree_node *receiver = tree_get(node, "receiver");
	if (needs && !receiver)
		reader_complain_key(r, node,
				    "has no receiver, and the "
				    "transport %s needs one",
				    name);
}

/* Bad forms of keys that transport(5) has no meaning for. */
static void
check_domain_key(struct reader *r, const struct tree_node *node)
{
	const char *key = node->key;
	const char *at = strchr(key, '@');
	bool star = strchr(key, '*') != NULL;
	if (!*key || (at && (at == key || !at[1])) || !strcmp(key, ".") ||
	    reader_has_blanks(key))
		reader_complain_key(r, node, "'%s' is no key of domains", key);
	else if (star && !strncmp(key, "*.", 2))
		reader_complain_key(r, node,
				    "'%s' is no key of domains; what "
				    "is below a domain is written %s",
				    key, key + 1);
	else if (star && strcmp(key, "*") != 0)
		reader_complain_key(r, node,
				    "'%s' is no key of domains; * "
				    "stands alone, for all the rest",
				    key);
}

static void
read_domain(struct reader *r, const struct tree_node *node)
{
	struct scenario *s = r->scenario;
	size_t index = s->domain_count++;
	struct scenario_domain domain = {
		.name = node->key,
		.at = node->key_at,
	};
	check_domain_key(r, node);
	size_t before = r->complaints->count;
	reader_section(r, node, SCHEMA_DOMAIN, &domain);
	size_t after = r->complaints->count;
	reader_want_transport(r, tree_get(node, "transport"));
	const struct tree_node *receiver = tree_get(node, "receiver");
	if (receiver)
		reader_receiver_use(r, receiver, &domain.sharing,
				    &domain.receiver);
	if (after == before)
		check_domain(r, node, &domain);
	s->domains[index] = domain;
	name_index_add(&r->domains, node->key, index);
}

static void
read_bounces(struct reader *r, const struct tree_node *node)
{
	struct scenario *s = r->scenario;
	if (!node ||
	    (node->kind == TREE_SCALAR && !strcmp(node->text, "local")))
		return;
	reader_receiver_use(r, node, &s->bounces_sharing, &s->bounces_receiver);
}

void
reader_domains(struct reader *r, const struct tree_node *root)
{
	struct scenario *s = r->scenario;
	const struct tree_node *map = tree_get(root, "domains");
	if (map && reader_want(r, map, TREE_MAP)) {
		s->domains =
			arena_alloc(r->arena, map->count, sizeof(*s->domains));
		name_index_reserve(&r->domains, map->count);
		for (const struct tree_node *n = map->first; n; n = n->next)
			read_domain(r, n);
	}
	read_bounces(r, tree_get(root, "bounces_to"));
}
