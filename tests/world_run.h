/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whole runs for tests: a scenario's text becomes a world, runs through the
 * real services, and what the trace said is kept as rows to look at afterwards.
 * No results folder, no terminal; the same agenda, so the same order of events
 * as `mtasim run`.
 *
 * A run that cannot be built ends the test with the complaints of the reader.
 * Times in the rows are those of the mail system; world_run_us() makes scenario
 * time of them.
 */
#ifndef TESTS_WORLD_RUN_H
#define TESTS_WORLD_RUN_H

#include "sim/host/world.h"

/* Rows of every kind of record, in the order in which they came. */
#define TRACE_KIND(kind, name, help)                                           \
	struct world_rows_##name {                                             \
		struct mta_trace_##name *list;                                 \
		size_t count;                                                  \
		size_t capacity;                                               \
	};
#define TRACE_FIELD(type, name, help)
#define TRACE_END()
#include "mta/trace.def"
#undef TRACE_KIND
#undef TRACE_FIELD
#undef TRACE_END

struct world_run;

/* Called after every step. Embedded in its owner. */
struct world_watch {
	void (*look)(struct world_watch *, struct world_run *);
};

struct world_run {
	struct scenario *scenario;
	struct world world;
	struct mta_sink sink;
	struct world_watch *watch; /* borrowed; or NULL */
	uint64_t seed;
	mta_time now; /* up to here everything has happened */
#define TRACE_KIND(kind, name, help) struct world_rows_##name name;
#define TRACE_FIELD(type, name, help)
#define TRACE_END()
#include "mta/trace.def"
#undef TRACE_KIND
#undef TRACE_FIELD
#undef TRACE_END
};

#define WORLD_RUN_KEEP(kind) (1u << MTA_TRACE_##kind)
#define WORLD_RUN_KEEP_ALL   (~(WORLD_RUN_KEEP(TURN) | WORLD_RUN_KEEP(SCAN)))

struct world_run_options {
	uint64_t seed; /* 0: that of the scenario */
	uint32_t replication;
	unsigned keep;	       /* kinds; 0: WORLD_RUN_KEEP_ALL */
	struct mta_sink *also; /* another sink for the kinds of also_kinds */
	unsigned also_kinds;
	struct world_watch *watch;
};

/* Build and start. options: borrowed for the call, NULL for none; what it names
 * is borrowed as long as the run lives. */
struct world_run *
world_run_open(const char *text, const struct world_run_options *options);
/* Let everything up to and including this scenario time happen. */
void world_run_until(struct world_run *r, int64_t us);
/* Whoever acts from outside, between two steps, does so at r->now.
 * world_run_until leaves it so. */
void world_run_act_now(struct world_run *r);
/* To the end that the scenario asks for. */
void world_run_finish(struct world_run *r);
void world_run_close(struct world_run *r);

/* Open and finish. */
struct world_run *world_run_whole(const char *text);

static inline int64_t
world_run_us(mta_time at)
{
	return at - SIM_EPOCH;
}

/* The whole second of a scenario time at which a file is due. */
static inline int64_t
world_run_wake_s(uint32_t wake_s)
{
	return (int64_t)wake_s - SIM_EPOCH_S;
}

/* Text of a symbol in a row; good as long as the run lives. */
const char *world_run_text(const struct world_run *r, mta_sym symbol);
/* Text of an address; good until the fourth call after. */
const char *world_run_address(const struct world_run *r, mta_addr address);

/* Row number n (from 0) of a mail, or NULL. */
const struct mta_trace_delivery *
world_run_delivery(const struct world_run *r, uint32_t serial, size_t n);
const struct mta_trace_move *
world_run_move(const struct world_run *r, uint32_t serial, size_t n);
const struct mta_trace_ended *
world_run_ended(const struct world_run *r, uint32_t serial);
/* Feedback of one destination, row number n. */
const struct mta_trace_feedback *
world_run_feedback(const struct world_run *r, const char *destination,
		   size_t n);

/* How many rows: of this outcome; of moves between these queues. */
size_t
world_run_count_outcome(const struct world_run *r, enum mta_outcome outcome);
size_t
world_run_count_moves(const struct world_run *r, uint32_t from, uint32_t to);
/*
 * Rows as words, separated by blanks, with the scenario time in seconds behind
 * the @: short enough to be compared as a whole. Good until the fourth call
 * after.
 *
 *   selected    0@0 1@0.5            mail
 *   deliveries  0:sent@1             mail, outcome of a recipient
 *   moves       0:incoming>active@0  mail, queues; "new" and "gone"
 *   admitted    0:deferred@0         mail, where it came from
 *   feedback    a.example:alive6@1   destination, event, window after it
 */
const char *world_run_say_selected(const struct world_run *r);
const char *world_run_say_deliveries(const struct world_run *r);
const char *world_run_say_moves(const struct world_run *r, uint32_t serial);
const char *world_run_say_admitted(const struct world_run *r);
const char *world_run_say_feedback(const struct world_run *r);

/* Mails in a queue now. */
uint32_t world_run_in_queue(const struct world_run *r, enum mta_queue queue);

#endif
