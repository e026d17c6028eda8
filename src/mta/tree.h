/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An ordered tree of nodes that are embedded in their owners, found again with
 * mta_container_of. It is a splay tree: what was added last stands at the top,
 * so that keys which come in order, and keys near the one before, cost a few
 * steps, and any other the logarithm of their number, on average over any
 * sequence. The first is known. No allocation.
 */
#ifndef MTA_TREE_H
#define MTA_TREE_H

#include "mta/types.h"

struct mta_tree_node {
	struct mta_tree_node *up;
	struct mta_tree_node *left;
	struct mta_tree_node *right;
	int64_t key; /* the owner's, who may change all as long as their order
		      * stays */
};

/* All zero: empty. */
struct mta_tree {
	struct mta_tree_node *root;
	struct mta_tree_node *first; /* least key; NULL: empty */
};

/* n->key is set, n is in no tree; behind those with an equal key. */
void mta_tree_add(struct mta_tree *t, struct mta_tree_node *n);
/* n is in this tree. */
void mta_tree_remove(struct mta_tree *t, struct mta_tree_node *n);
/* The one behind n, or NULL. */
struct mta_tree_node *mta_tree_next(const struct mta_tree_node *n);

#endif
