/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Mail that is there at the beginning of a run: `start:` of the scenario.
 */
#ifndef SIM_START_H
#define SIM_START_H

#include <stdbool.h>

struct world;
struct world_options;

/* False: a file cannot be used, options->error says why. */
bool start_mail(struct world *w, struct world_options *options);

#endif
