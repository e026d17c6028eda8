/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lists (src/mta/list.h) beside an array: every short sequence of what can be
 * done to four nodes, seen from both ends.
 */
#include "tests/harness.h"

#include "mta/list.h"

enum {
	NODES = 4,
	ACTIONS = 3, /* of a node that is off: append, prepend, put before the
		      * next one; of one that is on: remove, rotate twice */
	LENGTH = 5
};

struct both {
	struct mta_list list;
	struct mta_list nodes[NODES];
	int order[NODES];
	int count;
};

static void
both_init(struct both *b)
{
	mta_list_init(&b->list);
	for (int i = 0; i < NODES; i++)
		mta_list_init(&b->nodes[i]);
	b->count = 0;
}

/* The place of a node in the array, or -1. */
static int
place_of(const struct both *b, int node)
{
	for (int i = 0; i < b->count; i++)
		if (b->order[i] == node)
			return i;
	return -1;
}

static void
array_insert(struct both *b, int place, int node)
{
	for (int i = b->count++; i > place; i--)
		b->order[i] = b->order[i - 1];
	b->order[place] = node;
}

static void
array_remove(struct both *b, int place)
{
	b->count--;
	for (int i = place; i < b->count; i++)
		b->order[i] = b->order[i + 1];
}

/* The first ones, the one at place included, go behind the others. */
static void
array_rotate(struct both *b, int place)
{
	for (int i = 0; i <= place; i++) {
		int node = b->order[0];

		array_remove(b, 0);
		array_insert(b, b->count, node);
	}
}

static void
put(struct both *b, int node, int action)
{
	struct mta_list *n = &b->nodes[node];
	int next = (node + 1) % NODES;
	int place = place_of(b, next);

	if (action == 0) {
		mta_list_append(&b->list, n);
		array_insert(b, b->count, node);
	} else if (action == 1 || place < 0) {
		mta_list_prepend(&b->list, n);
		array_insert(b, 0, node);
	} else {
		mta_list_insert_before(&b->nodes[next], n);
		array_insert(b, place, node);
	}
}

static void
act(struct both *b, int node, int action)
{
	int place = place_of(b, node);

	if (place < 0) {
		put(b, node, action);
	} else if (action == 0) {
		mta_list_remove(&b->nodes[node]);
		array_remove(b, place);
	} else {
		mta_list_rotate(&b->list, &b->nodes[node]);
		array_rotate(b, place);
	}
}

static void
check_same(const struct both *b)
{
	const struct mta_list *l = &b->list;

	ck_assert(mta_list_is_empty(&b->list) == (b->count == 0));
	for (int i = 0; i < b->count; i++) {
		ck_assert_ptr_eq(l->next, &b->nodes[b->order[i]]);
		ck_assert_ptr_eq(l->next->prev, l);
		l = l->next;
	}
	ck_assert_ptr_eq(l->next, &b->list);
	ck_assert_ptr_eq(b->list.prev, l);
	for (int i = 0; i < NODES; i++)
		if (place_of(b, i) < 0)
			ck_assert(mta_list_is_empty(&b->nodes[i]));
}

START_TEST(all_short_sequences)
{
	const int moves = NODES * ACTIONS;
	long sequences = 1;

	for (int i = 0; i < LENGTH; i++)
		sequences *= moves;
	for (long s = 0; s < sequences; s++) {
		struct both b;
		long rest = s;

		both_init(&b);
		for (int i = 0; i < LENGTH; i++, rest /= moves) {
			int move = (int)(rest % moves);

			act(&b, move / ACTIONS, move % ACTIONS);
			check_same(&b);
		}
	}
}
END_TEST

/* F0.3: A B C D rotated at C gives D A B C. */
START_TEST(rotation_of_the_facts)
{
	static const int expected[NODES] = {3, 0, 1, 2};
	struct both b;

	both_init(&b);
	for (int i = 0; i < NODES; i++)
		mta_list_append(&b.list, &b.nodes[i]);
	mta_list_rotate(&b.list, &b.nodes[2]);
	b.count = NODES;
	for (int i = 0; i < NODES; i++)
		b.order[i] = expected[i];
	check_same(&b);
}
END_TEST

Suite *
list_suite(void)
{
	Suite *s = suite_create("list");
	TCase *t = tcase_create("list");

	tcase_add_test(t, all_short_sequences);
	tcase_add_test(t, rotation_of_the_facts);
	suite_add_tcase(s, t);
	return s;
}
