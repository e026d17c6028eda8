/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Crashes at random moments (F1.14, F1.15, F9.5): the queue manager dies and
 * another starts; an agent dies at work; or power is lost, so that both die and
 * marks of finished recipients that were not on the disk yet may be gone. The
 * rest is calm: no operator, no access rules.
 *
 * No accepted mail is lost: each ends, and each of its recipients was sent,
 * bounced or expired. (But nothing is logged of the recipients of an agent that
 * dies, F9.5; when their mail expires in that very attempt, it goes, as it does
 * in F9.7, without a word of them. Those are counted.) One is finished twice
 * only when its mark was lost, and as often as that; those are counted.
 * Everything else that the ledger asserts holds as well.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/host/agents_parts.h"
#include "tests/harness.h"
#include "tests/swarm/ledger.h"

enum {
	SEEDS = 50,
	CRASHES = 12,
	SEED_STEP = 7919
};

struct crashes {
	struct ledger ledger;
	struct spool_luck luck;
	uint64_t draw;
	uint64_t next; /* step of the next crash */
	int left;
	uint64_t qmgr;
	uint64_t agent;
	uint64_t power;
	uint64_t marks; /* lost */
};

static bool
mark_is_lost(struct spool_luck *luck, struct mta_ref file)
{
	struct crashes *c = mta_container_of(luck, struct crashes, luck);
	struct mta_spool *spool = c->ledger.spool;
	const struct mta_file *shown;

	if (harness_draw_below(&c->draw, 2) == 0)
		return false;
	shown = spool->ops->look(spool, file);
	if (!shown)
		return false;
	c->ledger.mails[shown->envelope.serial].marks_lost++;
	return true;
}

/* The one of a transport that is longest at work; false: none is. */
static bool
agent_dies(struct crashes *c, struct agents *a, size_t i)
{
	struct agent_process *p = agents_longest_at_work(a, &a->transports[i]);

	if (!p)
		return false;
	c->ledger.mails[p->client.agent.attempt.serial].agent_died = true;
	return agents_crash(a, a->transports[i].name);
}

static void
all_agents_die(struct crashes *c, struct agents *a)
{
	for (size_t i = 0; i < a->transport_count; i++)
		while (agent_dies(c, a, i))
			;
}

/* Of some transport whose agents are at work; false: none is. */
static bool
one_agent_dies(struct crashes *c, struct agents *a)
{
	uint32_t count = (uint32_t)a->transport_count;
	uint32_t first = harness_draw_below(&c->draw, count);

	for (uint32_t i = 0; i < count; i++)
		if (agent_dies(c, a, (first + i) % count))
			return true;
	return false;
}

static void
crash_one(struct crashes *c, struct world_run *r)
{
	struct agents *a = &r->world.agents;
	uint32_t lot = harness_draw_below(&c->draw, 10);

	if (lot < 4) {
		world_qmgr_crash(&r->world);
		c->qmgr++;
	} else if (lot < 7) {
		c->agent += one_agent_dies(c, a);
	} else {
		all_agents_die(c, a);
		c->marks +=
			spool_mem_lose_power(&r->world.spool, r->now, &c->luck);
		world_qmgr_crash(&r->world);
		c->power++;
	}
}

static void
crash_sometimes(struct ledger *l, struct world_run *r)
{
	struct crashes *c = mta_container_of(l, struct crashes, ledger);

	if (l->steps < c->next || c->left == 0)
		return;
	c->left--;
	c->next = l->steps + 1 + harness_draw_below(&c->draw, 200);
	world_run_act_now(r);
	crash_one(c, r);
}

static void
run_seed(struct crashes *c, uint64_t seed)
{
	struct world_run *r;

	c->ledger = (struct ledger){.disturb = crash_sometimes};
	c->luck.is_lost = mark_is_lost;
	c->draw = seed;
	c->next = harness_draw_below(&c->draw, 300);
	c->left = CRASHES;
	r = ledger_open(&c->ledger, seed, DRAW_CALM);
	c->ledger.spool = world_host(&r->world)->spool;
	ledger_finish(&c->ledger, r);
	world_run_close(r);
}

START_TEST(nothing_is_lost)
{
	struct crashes *c = calloc(1, sizeof(*c));
	uint64_t first = harness_seed(3);
	uint64_t twice = 0;
	uint64_t forgotten = 0;

	ck_assert_ptr_nonnull(c);
	for (long i = 0; i < SEEDS * harness_scale(); i++) {
		run_seed(c, first + (uint64_t)i * SEED_STEP);
		twice += c->ledger.twice;
		forgotten += c->ledger.forgotten;
	}
	printf("crash: %ld runs; died: queue manager %llu, agents %llu, all "
	       "%llu; marks lost %llu, recipients finished again %llu, "
	       "forgotten %llu\n",
	       SEEDS * harness_scale(), (unsigned long long)c->qmgr,
	       (unsigned long long)c->agent, (unsigned long long)c->power,
	       (unsigned long long)c->marks, (unsigned long long)twice,
	       (unsigned long long)forgotten);
	fflush(stdout);
	ck_assert_uint_gt(c->qmgr, SEEDS);
	ck_assert_uint_gt(c->agent, SEEDS);
	ck_assert_uint_gt(c->power, SEEDS);
	/* It does happen, and no more often than marks are lost. */
	ck_assert_uint_gt(twice, 0);
	ck_assert_uint_le(twice, c->marks);
	free(c);
}
END_TEST

Suite *
crash_suite(void)
{
	Suite *s = suite_create("crash");
	TCase *tc = tcase_create("crashes at random moments");

	tcase_add_test(tc, nothing_is_lost);
	suite_add_tcase(s, tc);
	return s;
}
