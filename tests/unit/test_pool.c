/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pools (src/mta/pool.c): every sequence of takes and gives of a small length,
 * compared with a plain list of what is in use; handles go stale; objects keep
 * their places while the pool grows.
 */
#include "tests/harness.h"

#include <stdbool.h>
#include <string.h>

#include "mta/pool.h"

struct thing {
	struct mta_pooled pooled;
	uint32_t value;
	char rest[20];
};

/* Give back what was taken, oldest first (0) or newest first (1). */
enum {
	TAKE,
	GIVE_OLDEST,
	GIVE_NEWEST,
	MOVES,
	LENGTH = 9
};

struct model {
	struct mta_pool pool;
	struct thing *used[LENGTH];
	uint32_t value[LENGTH];
	int used_count;
	struct mta_ref stale[LENGTH];
	int stale_count;
	uint32_t next_value;
};

static void
model_take(struct model *m)
{
	struct thing *t = mta_pool_take(&m->pool);

	/* Zeroed, whatever was in it before. */
	ck_assert_uint_eq(t->value, 0);
	ck_assert_int_eq(t->rest[19], 0);
	t->value = ++m->next_value;
	memset(t->rest, 'x', sizeof(t->rest));
	m->value[m->used_count] = t->value;
	m->used[m->used_count++] = t;
}

static void
model_give(struct model *m, int i)
{
	m->stale[m->stale_count++] = mta_pool_ref(m->used[i]);
	mta_pool_give(&m->pool, m->used[i]);
	for (m->used_count--; i < m->used_count; i++) {
		m->used[i] = m->used[i + 1];
		m->value[i] = m->value[i + 1];
	}
}

static void
model_compare(const struct model *m)
{
	ck_assert_uint_eq(m->pool.used_count, (uint32_t)m->used_count);
	for (int i = 0; i < m->used_count; i++) {
		ck_assert_uint_eq(m->used[i]->value, m->value[i]);
		ck_assert_ptr_eq(
			mta_pool_find(&m->pool, mta_pool_ref(m->used[i])),
			m->used[i]);
	}
	for (int i = 0; i < m->stale_count; i++)
		ck_assert_ptr_null(mta_pool_find(&m->pool, m->stale[i]));
}

START_TEST(all_short_sequences)
{
	long sequences = 1;

	for (int i = 0; i < LENGTH; i++)
		sequences *= MOVES;
	for (long s = 0; s < sequences; s++) {
		struct model m = {.used_count = 0};
		long rest = s;

		/* Two to a chunk, so that it grows often. */
		mta_pool_init(&m.pool, sizeof(struct thing), 2);
		for (int i = 0; i < LENGTH; i++, rest /= MOVES) {
			if (rest % MOVES == TAKE)
				model_take(&m);
			else if (m.used_count > 0)
				model_give(&m, rest % MOVES == GIVE_OLDEST
						       ? 0
						       : m.used_count - 1);
			model_compare(&m);
		}
		mta_pool_release(&m.pool);
	}
}
END_TEST

START_TEST(handles_never_given)
{
	struct mta_pool pool;
	struct thing *t;

	mta_pool_init(&pool, sizeof(struct thing), 4);
	ck_assert_ptr_null(
		mta_pool_find(&pool, (struct mta_ref){.generation = 1}));
	t = mta_pool_take(&pool);
	ck_assert(mta_ref_is_set(mta_pool_ref(t)));
	ck_assert_ptr_null(mta_pool_find(&pool, (struct mta_ref){.index = 0}));
	ck_assert_ptr_null(mta_pool_find(
		&pool, (struct mta_ref){.index = 9, .generation = 1}));
	mta_pool_give(&pool, t);
	/* The even generation of a free object is nobody's handle. */
	ck_assert_ptr_null(mta_pool_find(
		&pool, (struct mta_ref){.index = 0, .generation = 2}));
	mta_pool_release(&pool);
}
END_TEST

START_TEST(last_in_first_out)
{
	struct mta_pool pool;
	struct thing *a, *b;

	mta_pool_init(&pool, sizeof(struct thing), 4);
	a = mta_pool_take(&pool);
	b = mta_pool_take(&pool);
	mta_pool_give(&pool, a);
	mta_pool_give(&pool, b);
	ck_assert_ptr_eq(mta_pool_take(&pool), b);
	ck_assert_ptr_eq(mta_pool_take(&pool), a);
	mta_pool_release(&pool);
}
END_TEST

Suite *
pool_suite(void)
{
	Suite *s = suite_create("pool");
	TCase *t = tcase_create("pool");

	tcase_add_test(t, all_short_sequences);
	tcase_add_test(t, handles_never_given);
	tcase_add_test(t, last_in_first_out);
	suite_add_tcase(s, t);
	return s;
}
