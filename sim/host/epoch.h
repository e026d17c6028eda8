/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Scenario time 0 on the clock of the mail system: Monday 2026-01-05 00:00 UTC,
 * a whole second, so that whole seconds of both agree.
 */
#ifndef SIM_EPOCH_H
#define SIM_EPOCH_H

#include "mta/types.h"

#define SIM_EPOCH_S INT64_C(1767571200)
#define SIM_EPOCH   (SIM_EPOCH_S * MTA_USEC_PER_S)

#endif
