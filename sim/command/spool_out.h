/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The queues of a world as they are now, as a folder that the tools of a real
 * spool read: maildrop, incoming, active, deferred, hold, corrupt with a queue
 * file for each mail (sim/command/queue_file.h), named by its id and hashed as
 * hash_queue_names and hash_queue_depth say (F1.5); defer and bounce with the
 * logs of the latest attempt (F1.13). Modes are those of F1.2. A file's time is
 * when its mail is due next (F4.7).
 *
 * What is still being written is invisible to the queues and is left out. The
 * tree is made beside its place (TARGET.part) and renamed when it is whole.
 */
#ifndef SIM_SPOOL_OUT_H
#define SIM_SPOOL_OUT_H

#include "sim/host/world.h"

enum {
	SPOOL_OUT_ERROR = 700
};

/*
 * May a tree be put there? Nothing, or an empty folder, may be in its place,
 * and TARGET.part can be made, and is. 0, or the exit code: wrong usage for a
 * place that is taken, as for --out, or an I/O error; error says why.
 */
int spool_out_begin(const char *target, char error[SPOOL_OUT_ERROR]);

/* What to write: messages whole, or no more than their header lines (their
 * lengths are in the size records all the same). shift_s is added to all
 * times. */
struct spool_out_options {
	int64_t shift_s;
	bool is_short;
};

/* Write TARGET.part and put it in its place. False: error says why, and nothing
 * is left. */
bool spool_out_write(const char *target, struct world *world,
		     const struct spool_out_options *options,
		     char error[SPOOL_OUT_ERROR]);

#endif
