/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A YAML document as a tree of nodes that know their place.
 *
 * Strict: UTF-8, one document; tags, merge keys, repeated keys, keys that are
 * not scalars and aliases to what they are inside of are complaints. Plain
 * aliases are copied out, so the tree is a tree and each node has one parent.
 * Scalars stay texts: what they mean is for the reader of the key to say
 * (sim/base/value.h), never for YAML.
 *
 * Depth is bounded (TREE_DEPTH_MAX), and so is what aliases copy; recursion
 * over a tree is safe.
 */
#ifndef SIM_YAML_TREE_H
#define SIM_YAML_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "sim/base/arena.h"
#include "sim/base/complaint.h"

enum {
	TREE_DEPTH_MAX = 40,
	TREE_COPIES_MAX = 200000, /* nodes that aliases may add */
};

enum tree_kind {
	TREE_SCALAR,
	TREE_LIST,
	TREE_MAP,
};

/* The children of a map have keys; those of a list have indices only. */
struct tree_node {
	enum tree_kind kind;
	bool quoted;	  /* a scalar in quotes or as a block */
	const char *text; /* of a scalar; else "" */
	struct place at;
	const char *key; /* in a map; else NULL */
	struct place key_at;
	struct tree_node *parent; /* NULL: the root */
	struct tree_node *next;	  /* sibling */
	struct tree_node *first;  /* children */
	struct tree_node *last;
	uint32_t index; /* among the siblings, from 0 */
	uint32_t count; /* children */
};

struct tree {
	struct arena arena;	      /* nodes, texts, and what readers add */
	struct tree_node *root;	      /* NULL: the text could not be read */
	struct source_text **sources; /* owned; all texts that are in it */
	size_t source_count;
};

void tree_init(struct tree *tree);

void tree_release(struct tree *tree);

/* Register a text; it and its name are copied into the tree. */
struct source_text *tree_add_source(struct tree *tree, const char *name,
				    const char *text, size_t size);

/* The same, but the text, which is for free(), becomes the tree's. */
struct source_text *
tree_own_source(struct tree *tree, const char *name, char *text, size_t size);

/*
 * Read a text into nodes of `tree`. NULL, with a complaint, when it is not
 * YAML or empty; other complaints leave a usable tree.
 */
struct tree_node *tree_parse(struct tree *tree, struct source_text *source,
			     struct complaints *complaints);

/* The child with this key, or NULL. */
struct tree_node *tree_get(const struct tree_node *map, const char *key);

/* "receivers.flaky.replies[0].share"; of the arena; "" for a root. */
const char *tree_path(struct tree *tree, const struct tree_node *node);

/* A copy of `node` with everything below it, of no parent. */
struct tree_node *tree_copy(struct tree *tree, const struct tree_node *node);

/* Put `child` last into `parent`; `key` NULL in a list. */
void tree_append(struct tree_node *parent, struct tree_node *child,
		 const char *key, struct place key_at);

/* Put `node` where `old` is, with the key of `old`. */
void tree_replace(struct tree_node *old, struct tree_node *node);

/* Take `node` out of its parent. */
void tree_remove(struct tree_node *node);

/* A new node of no parent. */
struct tree_node *tree_new(struct tree *tree, enum tree_kind kind,
			   const char *text, struct place at);

/*
 * Apply "PATH=VALUE": set the value at a path, adding maps on the way where
 * there is nothing yet. In a path `.` goes to a key that has no dot, `[...]`
 * to any key or, in a list, to an index; the index after the last adds one.
 * A VALUE that starts with one of [ { " ' is read as YAML, any other as it is.
 * NULL, with a complaint, if the path leads nowhere.
 */
struct tree_node *
tree_set(struct tree *tree, struct tree_node *root, const char *assignment,
	 struct complaints *complaints);

/* Write as YAML in block style; reading it gives the same tree. */
void tree_write(const struct tree_node *root, FILE *out);

#endif
