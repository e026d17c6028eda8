/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Access rules of the simulated site: what happens to a message on arrival. The
 * first rule whose globs fit decides, by luck where it has a share.
 */
#ifndef SIM_ACCESS_H
#define SIM_ACCESS_H

#include "model/stream.h"
#include "mta/cleanup.h"
#include "sim/scenario/scenario.h"

struct access {
	struct mta_access base;
	const struct scenario *scenario; /* borrowed, as the next */
	struct mta_book *book;
	struct stream luck;
};

/* All borrowed. seed, replication: of the run's luck. */
void access_init(struct access *a, const struct scenario *scenario,
		 struct mta_book *book, uint64_t seed, uint32_t replication);

/* Does a text fit a pattern of * and ?, without regard to case? */
bool glob_fits(const char *pattern, const char *text);

#endif
