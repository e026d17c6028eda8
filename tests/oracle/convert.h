/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From a recorded scenario to a scenario of ours: DIR/scenario.yaml and its
 * trace DIR/arrivals.csv. What the recording harness itself cost (its
 * injector's lateness, the start of processes, the answers of its destinations)
 * goes into the scenario as costs, so that the simulated times can be compared
 * with the recorded ones; the values are medians over the recordings and the
 * same for every scenario.
 */
#ifndef TESTS_ORACLE_CONVERT_H
#define TESTS_ORACLE_CONVERT_H

#include "tests/oracle/recorded.h"

/* Microseconds from a request to an agent until the receiver accepts its
 * connection: in our results part of the connection's time. */
enum {
	CONVERT_BEFORE_ACCEPT = 450
};

/* start_s: when the daemons came up. False: error says what could not be
 * written. DIR must exist. */
bool convert_scenario(const struct rec_scenario *sc, const char *dir,
		      double start_s, char *error, size_t error_size);

#endif
