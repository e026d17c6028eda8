/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A run that was made already, run again up to an instant: the world of a
 * results folder (DIR/scenario.yaml, and its end from DIR/run.json), without
 * writing anything. The same order and luck, so the same world.
 *
 *	if ((code = replay_open(&r, dir)) == 0) replay_until(&r, at_us);
 *	replay_close(&r);
 */
#ifndef SIM_REPLAY_H
#define SIM_REPLAY_H

#include "sim/host/world.h"

struct replay {
	struct scenario *scenario;
	struct world world;
	bool has_world;
	int64_t end_us; /* of the run */
};

/* 0, or an exit code with what is wrong on stderr. Close it all the same. */
int replay_open(struct replay *r, const char *dir);
/* Let everything up to and including this scenario time happen. */
void replay_until(struct replay *r, int64_t at_us);
void replay_close(struct replay *r);

#endif
