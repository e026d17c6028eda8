/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading a scenario from end to end: text, tree, --set, profiles, sections.
 *
 * Order matters twice. Settings that name a profile, or bring whole maps, come
 * before profiles are put in, all others after, so that they can reach what a
 * profile says. And sections are read after those they name: transports
 * before parameters, receivers before domains, domains before sources, all
 * before expectations.
 */
#include "sim/scenario/scenario.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/file_load.h"
#include "sim/scenario/scenario_reader.h"

enum {
	SUGGESTIONS = 20000
}; /* comparisons, for the whole scenario */

/* Does a setting bring a map or name a profile? */
static bool
set_comes_first(const char *assignment)
{
	const char *equals = strchr(assignment, '=');
	if (!equals)
		return true;
	if (strchr("[{", equals[1]) && equals[1])
		return true;
	static const char profile[] = ".profile";
	size_t size = sizeof(profile) - 1;
	return (size_t)(equals - assignment) > size &&
	       !memcmp(equals - size, profile, size);
}

static void
apply_sets(struct reader *r, struct tree_node *root, bool first)
{
	const struct scenario_options *options = r->options;
	for (size_t i = 0; options && i < options->set_count; i++) {
		const char *set = options->sets[i];
		if (set_comes_first(set) == first)
			tree_set(r->tree, root, set, r->complaints);
	}
}

/* --for bounds a run however its scenario ends it. */
static void
apply_length(struct reader *r, struct tree_node *root)
{
	const char *length = r->options ? r->options->length : NULL;
	const char *key =
		tree_get(tree_get(root, "run"), "until") ? "at_most" : "for";
	if (length)
		tree_set(r->tree, root,
			 arena_print(r->arena, "run.%s=%s", key, length),
			 r->complaints);
}

static bool
has_word(const struct tree_node *list, const char *word)
{
	for (const struct tree_node *n = list ? list->first : NULL; n;
	     n = n->next)
		if (n->kind == TREE_SCALAR && strcmp(n->text, word) == 0)
			return true;
	return false;
}

/* --output adds to what the file asks for, so that the scenario that results
 * are kept with asks for the same. */
static void
apply_output(struct reader *r, struct tree_node *root)
{
	unsigned wanted = r->options ? r->options->output : 0;
	struct tree_node *node = tree_get(root, "output");
	char words[] = SCENARIO_OUTPUT_WORDS;
	unsigned bit = 1;

	if (wanted && !node) {
		node = tree_new(r->tree, TREE_LIST, "", root->at);
		tree_append(root, node, "output", root->at);
	}
	if (!wanted || node->kind != TREE_LIST)
		return;
	for (char *rest, *word = strtok_r(words, " ", &rest); word;
	     word = strtok_r(NULL, " ", &rest), bit <<= 1)
		if (wanted & bit && !has_word(node, word))
			tree_append(node,
				    tree_new(r->tree, TREE_SCALAR,
					     arena_print(r->arena, "%s", word),
					     root->at),
				    NULL, root->at);
}

static void
check_name(struct reader *r, const struct tree_node *root)
{
	const struct tree_node *node = tree_get(root, "scenario");
	const char *name = r->scenario->name;
	if (!node || node->kind != TREE_SCALAR || !*name)
		return;
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_-.";
	if (name[strspn(name, letters)] || *name == '.' || *name == '-')
		reader_complain(r, node,
				"a name has letters, digits, - _ and "
				". only, for it names a folder");
}

static void
read_sections(struct reader *r, struct tree_node *root)
{
	struct scenario *s = r->scenario;
	s->name = "";
	s->question = "";
	s->prediction = "";
	reader_section(r, root, SCHEMA_ROOT, s);
	check_name(r, root);
	reader_run(r, root);
	reader_services(r, root);
	reader_receivers(r, root);
	reader_domains(r, root);
	reader_receivers_end(r, root);
	reader_sources(r, root);
	reader_start(r, root);
	reader_operator(r, root);
	reader_expect(r, root);
	reader_files(r, root);
}

static void
read_root(struct reader *r, struct tree_node *root)
{
	if (root->kind != TREE_MAP) {
		reader_complain(r, root,
				"a scenario is a map of keys, as in "
				"'scenario: NAME'");
		return;
	}
	apply_sets(r, root, true);
	reader_expand_profiles(r, root);
	apply_sets(r, root, false);
	apply_length(r, root);
	apply_output(r, root);
	read_sections(r, root);
}

static void
reader_release(struct reader *r)
{
	name_index_release(&r->transports);
	name_index_release(&r->receivers);
	name_index_release(&r->sources);
	name_index_release(&r->domains);
	name_index_release(&r->files);
	name_index_release(&r->missing);
	mta_params_release(&r->main_cf);
}

static const char *
folder_of(struct arena *arena, const char *path)
{
	const char *slash = strrchr(path, '/');
	if (!slash)
		return "";
	if (slash == path)
		return "/";
	return arena_copy(arena, path, (size_t)(slash - path));
}

/* The tree becomes the scenario's, or is freed. */
static struct scenario *
read_tree(struct tree *tree, struct source_text *source,
	  const struct scenario_options *options, struct complaints *complaints)
{
	struct scenario *scenario =
		arena_alloc(&tree->arena, 1, sizeof(*scenario));
	scenario->tree = tree;
	struct reader r = {
		.scenario = scenario,
		.tree = tree,
		.arena = &tree->arena,
		.complaints = complaints,
		.options = options,
		.folder = folder_of(&tree->arena, source->name),
		.suggestions = SUGGESTIONS,
	};
	size_t before = complaints->count;
	mta_params_init(&r.main_cf);
	tree->root = tree_parse(tree, source, complaints);
	if (tree->root)
		read_root(&r, tree->root);
	reader_release(&r);
	if (complaints->count == before)
		return scenario;
	scenario_free(scenario);
	return NULL;
}

static struct tree *
make_tree(void)
{
	struct tree *tree = memory_array(1, sizeof(*tree));
	tree_init(tree);
	return tree;
}

struct scenario *
scenario_read_memory(const char *name, const char *text, size_t size,
		     const struct scenario_options *options,
		     struct complaints *complaints)
{
	struct tree *tree = make_tree();
	return read_tree(tree, tree_add_source(tree, name, text, size), options,
			 complaints);
}

struct scenario *
scenario_read_file(const char *path, const struct scenario_options *options,
		   struct complaints *complaints)
{
	size_t size = 0;
	char *text = file_load(path, &size);
	if (!text) {
		struct source_text source = {.name = path};
		complaints_add(complaints, (struct place){.source = &source},
			       "", "cannot open: %s", strerror(errno));
		return NULL;
	}
	struct tree *tree = make_tree();
	return read_tree(tree, tree_own_source(tree, path, text, size), options,
			 complaints);
}

void
scenario_free(struct scenario *scenario)
{
	if (!scenario)
		return;
	/* The scenario lies in the tree's arena. */
	struct tree *tree = scenario->tree;
	tree_release(tree);
	free(tree);
}

void
scenario_put_replication(const struct scenario *scenario, int64_t replication)
{
	struct tree *tree = scenario->tree;
	struct tree_node *old = tree_get(tree->root, "replication");
	struct tree_node *node = tree_new(
		tree, TREE_SCALAR,
		arena_print(&tree->arena, "%lld", (long long)replication),
		tree->root->at);

	if (old)
		tree_replace(old, node);
	else
		tree_append(tree->root, node, "replication", tree->root->at);
}

void
scenario_write(const struct scenario *scenario, FILE *out)
{
	tree_write(scenario->tree->root, out);
}
