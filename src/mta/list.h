/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Circular doubly linked lists with a sentinel. A node that is on no list
 * points to itself; removal asserts that it was on one. The node is embedded in
 * its owner, found again with mta_container_of. No allocation, no macros with
 * hidden arguments.
 */
#ifndef MTA_LIST_H
#define MTA_LIST_H

#include "mta/panic.h"
#include "mta/types.h"

struct mta_list {
	struct mta_list *prev;
	struct mta_list *next;
};

static inline void
mta_list_init(struct mta_list *l)
{
	l->prev = l;
	l->next = l;
}

static inline bool
mta_list_is_empty(const struct mta_list *l)
{
	return l->next == l;
}

/* Put node n just before place p (p may be the sentinel: the tail). */
static inline void
mta_list_insert_before(struct mta_list *p, struct mta_list *n)
{
	n->prev = p->prev;
	n->next = p;
	p->prev->next = n;
	p->prev = n;
}

static inline void
mta_list_append(struct mta_list *l, struct mta_list *n)
{
	mta_list_insert_before(l, n);
}

static inline void
mta_list_prepend(struct mta_list *l, struct mta_list *n)
{
	mta_list_insert_before(l->next, n);
}

static inline void
mta_list_remove(struct mta_list *n)
{
	mta_assert(n->next != n);
	n->prev->next = n->next;
	n->next->prev = n->prev;
	mta_list_init(n);
}

/*
 * Ring-rotate list l at node n (F0.3): n becomes the last, what stood behind it
 * comes first. A B C D rotated at C gives D A B C.
 */
static inline void
mta_list_rotate(struct mta_list *l, struct mta_list *n)
{
	if (n->next == l)
		return;
	/* Move the sentinel from where it is to just behind n. */
	l->prev->next = l->next;
	l->next->prev = l->prev;
	l->prev = n;
	l->next = n->next;
	n->next->prev = l;
	n->next = l;
}

#endif
