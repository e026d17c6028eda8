/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is done to a tree after it was read: finding, naming by path, copying,
 * and the settings of --set. Kept apart from the reading so that nothing here
 * needs libyaml. Paths are the same in both directions: what tree_path()
 * prints, tree_set() takes.
 */
#include "sim/base/yaml_tree.h"

#include <stdlib.h>
#include <string.h>

#include "sim/base/utf8.h"

struct tree_node *
tree_get(const struct tree_node *map, const char *key)
{
	if (!map || map->kind != TREE_MAP)
		return NULL;
	for (struct tree_node *n = map->first; n; n = n->next) {
		if (!strcmp(n->key, key))
			return n;
	}
	return NULL;
}

static bool
key_is_word(const char *key)
{
	if (!*key)
		return false;
	for (; *key; key++) {
		bool letter = (*key >= 'a' && *key <= 'z') ||
			      (*key >= 'A' && *key <= 'Z');
		bool digit = *key >= '0' && *key <= '9';
		if (!letter && !digit && *key != '_' && *key != '-')
			return false;
	}
	return true;
}

const char *
tree_path(struct tree *tree, const struct tree_node *node)
{
	if (!node || !node->parent)
		return "";
	const char *before = tree_path(tree, node->parent);
	if (!node->key)
		return arena_print(&tree->arena, "%s[%u]", before, node->index);
	if (!key_is_word(node->key))
		return arena_print(&tree->arena, "%s[%s]", before, node->key);
	return arena_print(&tree->arena, "%s%s%s", before, *before ? "." : "",
			   node->key);
}

struct tree_node *
tree_copy(struct tree *tree, const struct tree_node *node)
{
	struct tree_node *copy =
		tree_new(tree, node->kind, node->text, node->at);
	copy->quoted = node->quoted;
	for (const struct tree_node *n = node->first; n; n = n->next)
		tree_append(copy, tree_copy(tree, n), n->key, n->key_at);
	return copy;
}

static struct tree_node *
sibling_before(const struct tree_node *node)
{
	struct tree_node *n = node->parent->first;
	while (n->next != node)
		n = n->next;
	return n;
}

void
tree_replace(struct tree_node *old, struct tree_node *node)
{
	struct tree_node *parent = old->parent;
	node->parent = parent;
	node->key = old->key;
	node->key_at = old->key_at;
	node->index = old->index;
	node->next = old->next;
	if (parent->first == old)
		parent->first = node;
	else
		sibling_before(old)->next = node;
	if (parent->last == old)
		parent->last = node;
}

void
tree_remove(struct tree_node *node)
{
	struct tree_node *parent = node->parent;
	struct tree_node *before = NULL;
	if (parent->first == node)
		parent->first = node->next;
	else
		(before = sibling_before(node))->next = node->next;
	if (parent->last == node)
		parent->last = before;
	for (struct tree_node *n = node->next; n; n = n->next)
		n->index--;
	parent->count--;
	node->parent = NULL;
	node->next = NULL;
}

/* One step of a path. */
struct step {
	const char *key; /* borrowed, not terminated */
	size_t size;
	bool bracket; /* written as [key] */
};

/* Take the first step off *path; false if it is malformed. */
static bool
path_step(const char **path, bool first, struct step *step)
{
	const char *p = *path;
	if (*p == '[') {
		const char *end = strchr(p, ']');
		if (!end || end == p + 1)
			return false;
		*step = (struct step){p + 1, (size_t)(end - p - 1), true};
		*path = end + 1;
		return true;
	}
	if (!first && *p++ != '.')
		return false;
	size_t size = strcspn(p, ".[");
	*step = (struct step){p, size, false};
	*path = p + size;
	return size > 0;
}

static bool
step_index(const struct step *step, size_t *index)
{
	*index = 0;
	for (size_t i = 0; i < step->size; i++) {
		if (step->key[i] < '0' || step->key[i] > '9' ||
		    *index > 100000000)
			return false;
		*index = *index * 10 + (size_t)(step->key[i] - '0');
	}
	return step->size > 0;
}

static struct tree_node *
list_child(const struct tree_node *list, size_t index)
{
	struct tree_node *n = list->first;
	while (n && n->index < index)
		n = n->next;
	return n;
}

/* A --set in work. */
struct setting {
	struct tree *tree;
	struct complaints *complaints;
	struct place at;
	const char *path;	/* whole, for complaints */
	struct tree_node *made; /* the first node made on the way, or NULL */
};

/* The child that a step leads to, made if it is not there yet. */
static struct tree_node *
setting_step(struct setting *s, struct tree_node *node, const struct step *step,
	     const char *rest)
{
	struct tree_node *child;
	char *key = arena_copy(&s->tree->arena, step->key, step->size);
	if (node->kind == TREE_LIST) {
		size_t index = 0;
		if (!step_index(step, &index) || index > node->count) {
			complaints_add(s->complaints, s->at, s->path,
				       "'%s' is not an index of a list with "
				       "%u entries",
				       key, node->count);
			return NULL;
		}
		child = list_child(node, index);
		key = NULL;
	} else {
		child = tree_get(node, key);
	}
	if (child)
		return child;
	/* What is made here is a list if its first entry comes next. */
	enum tree_kind kind = strncmp(rest, "[0]", 3) ? TREE_MAP : TREE_LIST;
	child = tree_new(s->tree, kind, "", s->at);
	tree_append(node, child, key, s->at);
	if (!s->made)
		s->made = child;
	return child;
}

/* The value as nodes of no parent, all placed at the command line. */
static struct tree_node *
setting_value(struct setting *s, const char *text)
{
	if (*text && strchr("[{\"'", *text)) {
		struct source_text source = {
			.name = s->at.source->name,
			.text = text,
			.size = strlen(text),
		};
		size_t before = s->complaints->count;
		struct tree_node *value =
			tree_parse(s->tree, &source, s->complaints);
		source_text_release(&source);
		if (!value || s->complaints->count > before)
			return NULL;
		return value;
	}
	size_t size = strlen(text);
	struct tree_node *value =
		tree_new(s->tree, TREE_SCALAR,
			 arena_copy(&s->tree->arena, text, size), s->at);
	return value;
}

static void
place_all(struct tree_node *node, struct place at)
{
	node->at = at;
	node->key_at = at;
	for (struct tree_node *n = node->first; n; n = n->next)
		place_all(n, at);
}

static struct tree_node *
setting_walk(struct setting *s, struct tree_node *root, const char *text)
{
	struct tree_node *node = root;
	const char *rest = s->path;
	for (int depth = 0; *rest; depth++) {
		struct step step;
		if (!path_step(&rest, node == root, &step) ||
		    depth == TREE_DEPTH_MAX / 2) {
			complaints_add(s->complaints, s->at, s->path,
				       "not a path; write keys with dots and "
				       "brackets, as in "
				       "receivers.flaky.replies[0].share");
			return NULL;
		}
		if (node->kind == TREE_SCALAR) {
			struct tree_node *map =
				tree_new(s->tree, TREE_MAP, "", s->at);
			tree_replace(node, map);
			node = map;
		}
		node = setting_step(s, node, &step, rest);
		if (!node)
			return NULL;
	}
	struct tree_node *value = setting_value(s, text);
	if (!value)
		return NULL;
	place_all(value, s->at);
	tree_replace(node, value);
	return value;
}

/* A setting that fails leaves nothing behind that could be complained of. */
static struct tree_node *
setting_apply(struct setting *s, struct tree_node *root, const char *text)
{
	struct tree_node *value = setting_walk(s, root, text);
	if (!value && s->made)
		tree_remove(s->made);
	return value;
}

struct tree_node *
tree_set(struct tree *tree, struct tree_node *root, const char *assignment,
	 struct complaints *complaints)
{
	char *name = arena_print(&tree->arena, "--set %s", assignment);
	struct setting s = {
		.tree = tree,
		.complaints = complaints,
		.at = {.source = tree_add_source(tree, name, NULL, 0)},
	};
	if (!utf8_is_valid(assignment)) {
		complaints_add(complaints, s.at, "", "not UTF-8 text");
		return NULL;
	}
	/* A key in brackets may hold an equals sign; the rest may not. */
	const char *equals = assignment;
	bool inside = false;
	for (; *equals && (inside || *equals != '='); equals++) {
		if (*equals == '[')
			inside = true;
		else if (*equals == ']')
			inside = false;
	}
	if (*equals != '=' || equals == assignment) {
		complaints_add(complaints, s.at, "",
			       "write PATH=VALUE, as in "
			       "mta.in_flow_delay=5s");
		return NULL;
	}
	s.path = arena_copy(&tree->arena, assignment,
			    (size_t)(equals - assignment));
	if (root->kind != TREE_MAP)
		return NULL;
	return setting_apply(&s, root, equals + 1);
}

/* What may stand anywhere in a plain scalar, two marks aside. */
static bool
is_plain(unsigned char c)
{
	switch (c) {
	case ',':
	case '[':
	case ']':
	case '{':
	case '}':
		return false;
	default:
		return c >= 0x20 && c < 0x7F;
	}
}

static bool
text_is_safe(const char *text)
{
	static const char first[] = "-?:,[]{}#&*!|>'\"%@` ";
	const char *p = text;
	if (!*text || strchr(first, *text))
		return false;
	for (; *p; p++) {
		if (!is_plain((unsigned char)*p))
			return false;
		if (*p == ':' && (p[1] == ' ' || !p[1]))
			return false;
		if (*p == '#' && p[-1] == ' ')
			return false;
	}
	return p[-1] != ' ';
}

/* What a character after ASCII must be written as, or NULL: as it is. */
static const char *
escape_of(const char *p)
{
	static const struct {
		const char *bytes;
		const char *escape;
	} table[] = {
		{"\xE2\x80\xA8", "\\L"},     {"\xE2\x80\xA9", "\\P"},
		{"\xEF\xBB\xBF", "\\uFEFF"}, {"\xEF\xBF\xBE", "\\uFFFE"},
		{"\xEF\xBF\xBF", "\\uFFFF"},
	};
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (!strncmp(p, table[i].bytes, 3))
			return table[i].escape;
	}
	return NULL;
}

/* Write one character in double quotes; returns its size in bytes. */
static size_t
char_write(const char *p, FILE *out)
{
	unsigned char c = (unsigned char)*p;
	if (c == '"' || c == '\\') {
		fprintf(out, "\\%c", c);
	} else if (c < 0x20 || c == 0x7F) {
		fprintf(out, "\\x%02X", c);
	} else if (c == 0xC2 && (unsigned char)p[1] < 0xA0) {
		fprintf(out, "\\x%02X", (unsigned char)p[1]);
		return 2;
	} else if (escape_of(p)) {
		fputs(escape_of(p), out);
		return 3;
	} else {
		fputc(c, out);
	}
	return 1;
}

static void
text_write(const char *text, FILE *out)
{
	if (text_is_safe(text)) {
		fputs(text, out);
		return;
	}
	fputc('"', out);
	while (*text)
		text += char_write(text, out);
	fputc('"', out);
}

static void
node_write(const struct tree_node *node, int depth, FILE *out)
{
	if (node->kind == TREE_SCALAR) {
		if (*node->text || node->quoted) {
			fputc(' ', out);
			text_write(node->text, out);
		}
		fputc('\n', out);
		return;
	}
	if (!node->first) {
		fputs(node->kind == TREE_MAP ? " {}\n" : " []\n", out);
		return;
	}
	if (node->parent)
		fputc('\n', out);
	for (const struct tree_node *n = node->first; n; n = n->next) {
		for (int i = 0; i < depth; i++)
			fputs("  ", out);
		if (n->key) {
			text_write(n->key, out);
			fputc(':', out);
		} else {
			fputc('-', out);
		}
		node_write(n, depth + 1, out);
	}
}

void
tree_write(const struct tree_node *root, FILE *out)
{
	node_write(root, 0, out);
}
