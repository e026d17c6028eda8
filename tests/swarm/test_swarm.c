/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Many drawn scenarios: receivers with faults, several transports, sources, an
 * operator who meddles, crashes. Only what must always hold is asserted
 * (ledger.h): conservation, bounds, and that the queue drains once the trouble
 * has ended. 100 seeds; each tenth runs twice and must tell the same.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/harness.h"
#include "tests/swarm/ledger.h"

enum {
	SEEDS = 100,
	SEED_STEP = 1000003
};

static uint64_t
run_seed(uint64_t seed, struct ledger *l)
{
	struct world_run *r;

	*l = (struct ledger){0};
	r = ledger_open(l, seed, DRAW_OPERATED);
	ledger_finish(l, r);
	world_run_close(r);
	return l->hash;
}

START_TEST(drawn_scenarios)
{
	struct ledger *l = calloc(1, sizeof(*l));
	uint64_t first = harness_seed(7);
	uint64_t steps = 0;
	uint64_t mails = 0;

	ck_assert_ptr_nonnull(l);
	for (long i = 0; i < SEEDS * harness_scale(); i++) {
		uint64_t seed = first + (uint64_t)i * SEED_STEP;
		uint64_t hash = run_seed(seed, l);

		steps += l->steps;
		mails += l->mail_count;
		if (i % 10 == 0)
			ledger_must(l, run_seed(seed, l) == hash, 0);
	}
	printf("swarm: %ld scenarios, %llu mails, %llu steps\n",
	       SEEDS * harness_scale(), (unsigned long long)mails,
	       (unsigned long long)steps);
	fflush(stdout);
	/* There was something to look at. */
	ck_assert_uint_gt(mails, 20 * SEEDS);
	free(l);
}
END_TEST

Suite *
swarm_suite(void)
{
	Suite *s = suite_create("swarm");
	TCase *tc = tcase_create("drawn scenarios");

	tcase_add_test(tc, drawn_scenarios);
	suite_add_tcase(s, tc);
	return s;
}
