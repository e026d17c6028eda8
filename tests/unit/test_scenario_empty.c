/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Nothing in the place of a value: every value of tests/unit/every-key.yaml in
 * turn becomes "". It must be complained of there, but where an empty text has
 * a meaning. And the file must have every key of the schema.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "sim/scenario/scenario.h"
#include "sim/scenario/schema.h"
#include "sim/base/yaml_tree.h"
#include "tests/harness.h"

static const char name_of_all[] = "tests/unit/every-key.yaml";

/* An empty sender is that of bounces; prose may be empty. */
static const char *const may_be_empty[] = {
	"question",	      "prediction",	 "access[0].sender",
	"sources.web.sender", "start[0].sender", "operator[2].where.sender",
};

static bool
is_listed(const char *path)
{
	for (size_t i = 0; i < sizeof(may_be_empty) / sizeof(may_be_empty[0]);
	     i++) {
		if (strcmp(may_be_empty[i], path) == 0)
			return true;
	}
	return false;
}

static struct scenario *
read_all(const char *set, struct complaints *complaints)
{
	return scenario_read_file(
		harness_source_path(name_of_all),
		&(struct scenario_options){.sets = &set,
					   .set_count = set != NULL},
		complaints);
}

static void
put_nothing_at(const char *path)
{
	struct complaints complaints = {0};
	struct scenario *s;
	char set[200];

	snprintf(set, sizeof(set), "%s=\"\"", path);
	s = read_all(set, &complaints);
	if (is_listed(path)) {
		ck_assert_msg(s != NULL, "refused: %s", set);
	} else {
		ck_assert_msg(s == NULL, "taken: %s", set);
		ck_assert_msg(strcmp(complaints.list[0].path, path) == 0,
			      "%s is complained of at %s: %s", set,
			      complaints.list[0].path,
			      complaints.list[0].message);
	}
	if (s)
		scenario_free(s);
	complaints_release(&complaints);
}

static size_t
put_nothing_below(struct tree *tree, const struct tree_node *node)
{
	size_t count = 0;

	if (node->kind == TREE_SCALAR) {
		put_nothing_at(tree_path(tree, node));
		return 1;
	}
	for (const struct tree_node *n = node->first; n; n = n->next)
		count += put_nothing_below(tree, n);
	return count;
}

static void
parse_all(struct tree *tree, struct complaints *complaints)
{
	static char text[20000];
	FILE *in = fopen(harness_source_path(name_of_all), "rb");
	size_t size;

	ck_assert_ptr_nonnull(in);
	size = fread(text, 1, sizeof(text), in);
	fclose(in);
	ck_assert_uint_lt(size, sizeof(text));
	tree_init(tree);
	tree->root = tree_parse(tree, tree_add_source(tree, "all", text, size),
				complaints);
	ck_assert_ptr_nonnull(tree->root);
}

START_TEST(nothing_is_no_value)
{
	struct complaints complaints = {0};
	struct scenario *s = read_all(NULL, &complaints);
	struct tree tree;

	complaints_print(&complaints, stderr);
	ck_assert_ptr_nonnull(s);
	scenario_free(s);
	parse_all(&tree, &complaints);
	ck_assert_uint_gt(put_nothing_below(&tree, tree.root), 200);
	tree_release(&tree);
	complaints_release(&complaints);
}
END_TEST

/* Is there a key of this name, below one of that name if `above` is given? */
static bool
has_key(const struct tree_node *node, const char *above, const char *name)
{
	for (const struct tree_node *n = node->first; n; n = n->next) {
		if (n->key && strcmp(n->key, name) == 0 &&
		    (!*above || (node->key && strcmp(node->key, above) == 0)))
			return true;
		if (has_key(n, above, name))
			return true;
	}
	return false;
}

/* The last name of a section's title, when a map of that name has its keys:
 * "penalty" of "receivers.NAME.rate.penalty". */
static const char *
name_of_map(const char *title)
{
	const char *dot = strrchr(title, '.');

	return dot && strcmp(dot, ".NAME") != 0 &&
			       strcmp(dot, ".replies") != 0 &&
			       strcmp(dot, ".schedule") != 0 &&
			       strcmp(dot, ".mx") != 0
		       ? dot + 1
		       : "";
}

START_TEST(every_key_is_tried)
{
	struct complaints complaints = {0};
	struct tree tree;
	size_t count;
	const struct schema_key *keys = schema_keys(&count);

	parse_all(&tree, &complaints);
	for (size_t i = 0; i < count; i++) {
		const char *title = schema_section_title(keys[i].section);

		/* A profile is a file of its own; a run has one end; results
		 * bring their files. */
		if (keys[i].section == SCHEMA_PROFILE ||
		    (keys[i].section == SCHEMA_RUN &&
		     strcmp(keys[i].name, "for") == 0) ||
		    strcmp(keys[i].name, "files") == 0)
			continue;
		ck_assert_msg(
			has_key(tree.root, name_of_map(title), keys[i].name),
			"every-key.yaml has no %s.%s", title, keys[i].name);
	}
	tree_release(&tree);
	complaints_release(&complaints);
}
END_TEST

/* Names that are keys are no better. */
START_TEST(nothing_is_no_name)
{
	static const char *const more[] = {
		"transports: {'': {kind: smtp}}",
		"services: {'': {maxproc: 1}}",
		"receivers: {'': {connect: 0s}}",
		"domains: {'': {receiver: there}}",
		"sources: {'': {arrivals: {even: 1/s}, to: a.example}}",
		"sources: {web: {arrivals: {even: 1/s}, to: {'': 1}}}",
		"mta: {'': 1}",
		"files: {'': x}",
	};
	char text[400];

	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
		struct complaints complaints = {0};
		bool has_sources = strncmp(more[i], "sources", 7) == 0;
		bool has_domains = strncmp(more[i], "domains", 7) == 0;

		snprintf(text, sizeof(text),
			 "scenario: x\nrun: {for: 1s}\n%s\n%s%s", more[i],
			 has_domains ? ""
				     : "domains: {'*': {receiver: "
				       "{transfer: 1s}}}\n",
			 has_sources ? ""
				     : "start: [{queue: hold, messages: "
				       "1, to: a.example}]\n");
		ck_assert_ptr_null(scenario_read_memory(
			"test.yaml", text, strlen(text), NULL, &complaints));
		ck_assert_int_eq(complaints.list[0].line, 3);
		complaints_release(&complaints);
	}
}
END_TEST

Suite *
scenario_empty_suite(void)
{
	Suite *suite = suite_create("scenario_empty");
	TCase *tc = tcase_create("scenario_empty");

	tcase_add_test(tc, nothing_is_no_value);
	tcase_add_test(tc, every_key_is_tried);
	tcase_add_test(tc, nothing_is_no_name);
	suite_add_tcase(suite, tc);
	return suite;
}
