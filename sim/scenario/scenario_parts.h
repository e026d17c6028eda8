/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sections of a scenario as they are written, where that differs from the
 * structs of scenario.h and of model/ that they become: what schema.def's rows
 * fill before the sections' readers convert it. Used by the reader only.
 * Fields that nobody wrote keep their defaults; a law that nobody wrote is
 * NULL.
 */
#ifndef SIM_SCENARIO_PARTS_H
#define SIM_SCENARIO_PARTS_H

#include <stdint.h>

#include "model/receiver_config.h"

struct parts_run {
	int64_t for_us; /* -1: not given, as the next */
	int64_t at_most_us;
	int64_t sample_us;
	int64_t warmup_us;
	int64_t start_at_us;
};

struct parts_reply {
	enum receiver_step step;
	int64_t code;
	double share;
	const char *match; /* NULL: any recipient */
	int64_t times;	   /* 0: always */
	int64_t after_us;  /* -1: what the step takes */
};

enum parts_how {
	PARTS_HOW_REFUSED,
	PARTS_HOW_TIMEOUT,
	PARTS_HOW_UNREACHABLE,
	PARTS_HOW_DNS,
	PARTS_HOW_GREETING,
	PARTS_HOW_RESET,
	PARTS_HOW_421,
};

struct parts_fails {
	double share;
	enum parts_how how;
	int64_t after_us;
};

struct parts_connections {
	int64_t most;
	unsigned over; /* index of 421 refused drop wait */
	int64_t after_us;
};

struct parts_cap_penalty {
	int64_t for_us;
	int64_t most;
};

struct parts_rate {
	double most_per_s;
	enum receiver_count count;
	int64_t burst; /* 0: what comes in a minute */
};

struct parts_rate_over {
	enum receiver_step step; /* DNS: by what is counted */
	int64_t code;
	int64_t after_us;
};

struct parts_penalty {
	int64_t for_us;
	double most_per_s;
	int64_t burst;
	int64_t connections; /* 0: no other cap */
};

struct parts_greylist {
	enum receiver_step step;
	int64_t code;
	int64_t delay_us;
	int64_t window_us;
	int64_t keep_us;
	int64_t whitelist_after; /* 0: never */
	int64_t whitelist_gap_us;
};

struct parts_mx {
	int64_t preference;
	int64_t hosts;
	int64_t dead;
	const char *receiver; /* NULL: this one */
};

#endif
