/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The ordered tree (src/mta/tree.c) beside a plain array that is kept in order
 * by shifting: the same first, the same order, links that fit, in generated
 * sequences of each kind of use.
 */
#include "tests/harness.h"

#include "mta/tree.h"

enum {
	NODES = 300,
	STEPS = 20000,
	LOOK_EACH = 97
};

struct naive {
	struct mta_tree_node *at[NODES];
	int count;
};

static void
naive_add(struct naive *a, struct mta_tree_node *n)
{
	int i = a->count++;

	for (; i > 0 && a->at[i - 1]->key > n->key; i--)
		a->at[i] = a->at[i - 1];
	a->at[i] = n;
}

static void
naive_remove(struct naive *a, int i)
{
	a->count--;
	for (; i < a->count; i++)
		a->at[i] = a->at[i + 1];
}

static void
check_same(const struct mta_tree *t, const struct naive *a)
{
	const struct mta_tree_node *n = t->first;

	for (int i = 0; i < a->count; i++) {
		ck_assert_ptr_eq(n, a->at[i]);
		ck_assert(!n->left || n->left->up == n);
		ck_assert(!n->right || n->right->up == n);
		n = mta_tree_next(n);
	}
	ck_assert_ptr_null(n);
	ck_assert(a->count > 0 || t->root == NULL);
}

static uint32_t
dice(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + 1;
	return (uint32_t)(*state >> 33);
}

/* How keys come, and which node goes. */
struct use {
	int64_t (*key)(uint64_t *luck, int step);
	int (*goes)(uint64_t *luck, int count);
};

static int64_t
key_in_order(uint64_t *luck, int step)
{
	(void)luck;
	return step;
}

static int64_t
key_backwards(uint64_t *luck, int step)
{
	(void)luck;
	return -step;
}

static int64_t
key_anywhere(uint64_t *luck, int step)
{
	(void)step;
	return (int64_t)dice(luck) - (1 << 30);
}

static int64_t
key_one_of_few(uint64_t *luck, int step)
{
	(void)step;
	return dice(luck) % 4;
}

static int
first_goes(uint64_t *luck, int count)
{
	(void)luck;
	(void)count;
	return 0;
}

static int
any_goes(uint64_t *luck, int count)
{
	return (int)(dice(luck) % (uint32_t)count);
}

static void
run_use(const struct use *u)
{
	static struct mta_tree_node nodes[NODES];
	struct mta_tree_node *spare[NODES];
	struct naive a = {.count = 0};
	struct mta_tree t = {0};
	uint64_t luck = 7;
	int spares = NODES;

	for (int i = 0; i < NODES; i++)
		spare[i] = &nodes[i];
	for (int step = 0; step < STEPS; step++) {
		/* It fills for a while, then it empties. */
		bool fills = step / NODES % 2 == 0;
		bool adds = a.count == 0 ||
			    (spares > 0 && dice(&luck) % 4 < (fills ? 3U : 1U));

		if (adds) {
			struct mta_tree_node *n = spare[--spares];

			n->key = u->key(&luck, step);
			mta_tree_add(&t, n);
			naive_add(&a, n);
		} else {
			int i = u->goes(&luck, a.count);

			spare[spares++] = a.at[i];
			mta_tree_remove(&t, a.at[i]);
			naive_remove(&a, i);
		}
		ck_assert_ptr_eq(t.first, a.count > 0 ? a.at[0] : NULL);
		if (step % LOOK_EACH == 0)
			check_same(&t, &a);
	}
	check_same(&t, &a);
}

static const struct use uses[] = {
	{key_in_order, first_goes},  {key_in_order, any_goes},
	{key_backwards, first_goes}, {key_backwards, any_goes},
	{key_anywhere, first_goes},  {key_anywhere, any_goes},
	{key_one_of_few, any_goes},
};

START_TEST(the_order_is_that_of_an_array)
{
	run_use(&uses[_i]);
}
END_TEST

enum {
	FEW = 5,
	LENGTH = 7
};

/* Every short sequence of adding and removing, two keys alike. */
START_TEST(all_short_sequences)
{
	static const int64_t keys[FEW] = {0, 1, 2, 2, 3};
	long sequences = 1;

	for (int i = 0; i < LENGTH; i++)
		sequences *= FEW;
	for (long s = 0; s < sequences; s++) {
		struct mta_tree_node nodes[FEW];
		struct naive a = {.count = 0};
		struct mta_tree t = {0};
		long rest = s;

		for (int i = 0; i < LENGTH; i++, rest /= FEW) {
			struct mta_tree_node *n = &nodes[rest % FEW];
			int place = 0;

			while (place < a.count && a.at[place] != n)
				place++;
			if (place < a.count) {
				mta_tree_remove(&t, n);
				naive_remove(&a, place);
			} else {
				n->key = keys[rest % FEW];
				mta_tree_add(&t, n);
				naive_add(&a, n);
			}
			check_same(&t, &a);
		}
	}
}
END_TEST

/* The owner may change all keys when their order stays (mta/tree.h). */
START_TEST(keys_may_be_written_anew)
{
	struct mta_tree_node nodes[9];
	struct mta_tree t = {0};
	struct mta_tree_node *n;
	int64_t key = 0;

	for (int i = 0; i < 8; i++) {
		nodes[i].key = (i * 5) % 8;
		mta_tree_add(&t, &nodes[i]);
	}
	for (n = t.first; n; n = mta_tree_next(n))
		n->key = 1000 * key++;
	nodes[8].key = 3500;
	mta_tree_add(&t, &nodes[8]);
	n = t.first;
	for (int i = 0; i < 4; i++)
		n = mta_tree_next(n);
	ck_assert_ptr_eq(n, &nodes[8]);
}
END_TEST

Suite *
tree_suite(void)
{
	Suite *s = suite_create("tree");
	TCase *t = tcase_create("tree");

	tcase_add_loop_test(t, the_order_is_that_of_an_array, 0,
			    (int)(sizeof(uses) / sizeof(uses[0])));
	tcase_add_test(t, all_short_sequences);
	tcase_add_test(t, keys_may_be_written_anew);
	suite_add_tcase(s, t);
	return s;
}
