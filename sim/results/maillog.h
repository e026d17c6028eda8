/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The mail log: a sink of the trace that writes what Postfix would log (F14),
 * so that log analysers read a run as they read a host.
 *
 * Stamps are the traditional ones of syslog, in UTC, of the moment at which the
 * line would reach the logger: a record that is older than one before it gets
 * the other's stamp. A service has one process number, however many processes
 * it has. Clients have names and addresses of the documentation ranges, one for
 * each source.
 *
 *	struct maillog *m = maillog_open(dir, &view);    before the first event
 *	if (m->error[0]) ...
 *	if (!maillog_close(m)) complain(m->error);
 *	maillog_free(m);
 */
#ifndef SIM_MAILLOG_H
#define SIM_MAILLOG_H

#include <stdio.h>

#include "mta/params.h"
#include "mta/spool.h"
#include "mta/symtab.h"
#include "mta/table.h"
#include "mta/trace.h"
#include "sim/base/folder.h"
#include "sim/results/results_view.h"

struct maillog {
	struct mta_sink sink;
	struct results_view view;
	FILE *file; /* NULL: not open, or closed */
	mta_time stamp;
	int64_t stamp_second;	   /* that stamp_text is of */
	char stamp_text[64];	   /* a line's beginning; "": none yet */
	struct mta_table requeued; /* serial + 1 -> old id, owned */
	struct mta_table kept;	   /* file -> id, owned, see the source */
	struct mta_ref refused;	   /* by cleanup, the last one */
	char error[512];	   /* "cannot write 'PATH': why", or "" */
	char path[FOLDER_PATH];
};

/* Create DIR/maillog and subscribe. Never NULL; error says what went wrong. */
struct maillog *maillog_open(const char *dir, const struct results_view *view);
/* Write what is left. False: error says why. */
bool maillog_close(struct maillog *m);
/* NULL is fine. */
void maillog_free(struct maillog *m);

#endif
