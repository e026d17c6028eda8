/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Scenarios drawn by lot: whole texts as a user would write them, small (some
 * dozens of mails, an hour of trouble) but with much going on. Whatever the lot
 * says, trouble ends at DRAW_TROUBLE_ENDS_S and mail can then drain. The same
 * seed gives the same text.
 */
#ifndef TESTS_SWARM_DRAW_H
#define TESTS_SWARM_DRAW_H

#include <stddef.h>
#include <stdint.h>

enum {
	DRAW_TROUBLE_ENDS_S = 3600,
	DRAW_TEXT_MAX = 32768
};

enum draw_what {
	DRAW_CALM,     /* receivers and load only: whoever tests adds faults */
	DRAW_OPERATED, /* operator, access rules and crashes as well */
};

struct draw_text {
	char text[DRAW_TEXT_MAX];
	size_t used;
	uint64_t state; /* of harness_draw */
};

void draw_scenario(struct draw_text *out, uint64_t seed, enum draw_what what);

#endif
