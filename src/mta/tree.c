/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The splay tree of Sleator and Tarjan (Self-adjusting binary search trees,
 * 1985), bottom up. A node without two children is taken out where it is, which
 * makes the tree no worse; so the first, which has no left one, goes at once.
 */
#include "mta/pure.h"

#include "mta/tree.h"

#include "mta/panic.h"

/* Where the tree refers to n: its parent's link, or the root. */
static struct mta_tree_node **
link_of(struct mta_tree *t, const struct mta_tree_node *n)
{
	if (!n->up)
		return &t->root;
	return n->up->left == n ? &n->up->left : &n->up->right;
}

/* n, which has a parent, and its parent change places. */
static void
rotate(struct mta_tree *t, struct mta_tree_node *n)
{
	struct mta_tree_node *p = n->up;
	struct mta_tree_node *between;

	*link_of(t, p) = n;
	n->up = p->up;
	p->up = n;
	if (p->left == n) {
		between = n->right;
		p->left = between;
		n->right = p;
	} else {
		between = n->left;
		p->right = between;
		n->left = p;
	}
	if (between)
		between->up = p;
}

/* n becomes the root. */
static void
splay(struct mta_tree *t, struct mta_tree_node *n)
{
	while (n->up) {
		struct mta_tree_node *p = n->up;

		if (p->up) {
			bool is_straight = (p->up->left == p) == (p->left == n);

			rotate(t, is_straight ? p : n);
		}
		rotate(t, n);
	}
}

void
mta_tree_add(struct mta_tree *t, struct mta_tree_node *n)
{
	struct mta_tree_node **link = &t->root;

	n->up = NULL;
	n->left = NULL;
	n->right = NULL;
	while (*link) {
		n->up = *link;
		link = n->key < n->up->key ? &n->up->left : &n->up->right;
	}
	*link = n;
	if (!t->first || n->key < t->first->key)
		t->first = n;
	splay(t, n);
}

static struct mta_tree_node *
leftmost(struct mta_tree_node *n)
{
	while (n->left)
		n = n->left;
	return n;
}

struct mta_tree_node *
mta_tree_next(const struct mta_tree_node *n)
{
	if (n->right)
		return leftmost(n->right);
	while (n->up && n->up->right == n)
		n = n->up;
	return n->up;
}

/* n, which has two children, goes; the least of the right ones takes its
 * place. */
static void
remove_inner(struct mta_tree *t, struct mta_tree_node *n)
{
	struct mta_tree_node *left;

	splay(t, n);
	left = n->left;
	t->root = n->right;
	t->root->up = NULL;
	splay(t, leftmost(t->root));
	t->root->left = left;
	left->up = t->root;
}

void
mta_tree_remove(struct mta_tree *t, struct mta_tree_node *n)
{
	struct mta_tree_node *child = n->left ? n->left : n->right;

	mta_assert(*link_of(t, n) == n);
	if (t->first == n)
		t->first = mta_tree_next(n);
	if (n->left && n->right) {
		remove_inner(t, n);
		return;
	}
	*link_of(t, n) = child;
	if (child)
		child->up = n->up;
}
