/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What must hold in every run, kept as an account over the trace:
 *
 *   - every accepted mail ends once, or lies in hold or corrupt
 *   - every recipient of a mail that ended by itself was sent, bounced or
 *     expired; but for those of an agent that died: nothing is logged of them
 *     (F9.5), so a mail that expires then goes without a word of them (F9.7)
 *   - none is finished twice, but for what F1.14 allows: its mark was lost; and
 *     F9.10: held out of active and released while requests for it were still
 *     waiting there, a mail is admitted a second time and both are served
 *   - mails made = mails gone + mails in the queues, at every step
 *   - active, processes and windows keep to their limits, at every step
 *
 * What does not hold ends the test, with the seed and the scenario's text.
 */
#ifndef TESTS_SWARM_LEDGER_H
#define TESTS_SWARM_LEDGER_H

#include "tests/swarm/draw.h"
#include "tests/world_run.h"

enum {
	LEDGER_MAILS = 1024,
	LEDGER_RECIPIENTS = 16
};

struct ledger_mail {
	bool is_accepted;
	bool was_requeued; /* recipients have other places in the new file */
	bool was_deleted;
	bool has_expired;
	bool agent_died; /* at work on it */
	uint8_t ends;
	uint8_t marks_lost; /* how often */
	uint8_t copies;	    /* how often held out of active */
	uint8_t recipients;
	uint8_t finished[LEDGER_RECIPIENTS]; /* by place in the file */
};

struct ledger {
	struct mta_sink sink;
	struct world_watch watch;
	/* What the test does between steps; or NULL. */
	void (*disturb)(struct ledger *, struct world_run *);
	struct draw_text drawn;
	uint64_t seed;
	uint64_t steps;
	struct ledger_mail mails[LEDGER_MAILS];
	uint32_t mail_count;
	int64_t made;
	int64_t gone;
	uint64_t twice;		 /* recipients finished again, as allowed */
	uint64_t forgotten;	 /* recipients of agents that died */
	uint64_t hash;		 /* of what was delivered */
	struct mta_spool *spool; /* borrowed: for whoever disturbs */
	bool is_operated;
};

/* Draw the scenario of this seed and open it. The ledger must stay where it is
 * until the run is closed. */
struct world_run *
ledger_open(struct ledger *l, uint64_t seed, enum draw_what what);
/* Run to the end and settle the account. */
void ledger_finish(struct ledger *l, struct world_run *r);

/* Ends the test. */
void ledger_fail(const struct ledger *l, const char *fact, int64_t number);

#define ledger_must(l, fact, number)                                           \
	((fact) ? (void)0 : ledger_fail((l), #fact, (int64_t)(number)))

#endif
