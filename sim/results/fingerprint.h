/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One number for a whole run: a 64-bit hash of the records of moves, deliveries
 * and feedback, in order. Two runs with the same number did the same, as far as
 * these records tell. Integer fields only, each by its value, so that neither
 * padding nor byte order nor the C library has a say; names by their text;
 * times relative to the scenario's start. Not made to resist malice.
 */
#ifndef SIM_FINGERPRINT_H
#define SIM_FINGERPRINT_H

#include "mta/symtab.h"
#include "mta/trace.h"

struct fingerprint {
	uint64_t state;
	uint64_t records;
	mta_time epoch;
	const struct mta_symtab *symbols; /* borrowed */
};

/* epoch: the trace's time at scenario time 0. */
void fingerprint_init(struct fingerprint *f, const struct mta_symtab *symbols,
		      mta_time epoch);
void fingerprint_move(struct fingerprint *f, const struct mta_trace_move *m);
void
fingerprint_delivery(struct fingerprint *f, const struct mta_trace_delivery *d);
void
fingerprint_feedback(struct fingerprint *f, const struct mta_trace_feedback *e);

enum {
	FINGERPRINT_TEXT = 17
};
/* Sixteen lower-case hex digits. */
void fingerprint_text(const struct fingerprint *f, char text[FINGERPRINT_TEXT]);

#endif
