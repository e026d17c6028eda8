/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What postsuper and postqueue do, one queue id at a time (F12.1, F12.2). Which
 * ids, and what is reported of them, is the caller's business.
 *
 * Every function answers whether it found something to do. The host's trace
 * hears of each move; a running queue manager notices by itself that a file has
 * gone (F9.10).
 */
#ifndef MTA_ADMIN_H
#define MTA_ADMIN_H

#include "mta/host.h"

/* postsuper -h: from any queue but maildrop, hold and corrupt. R-POSTSUPER */
bool mta_admin_hold(const struct mta_host *h, struct mta_ref file);
/* postsuper -H: from hold to deferred; the wake time stays as it is. */
bool mta_admin_release(const struct mta_host *h, struct mta_ref file);
/* postsuper -r: into maildrop, due now, logs kept; pickup makes a new file of
 * it, with the old time of arrival. */
bool mta_admin_requeue(const struct mta_host *h, struct mta_ref file);
/* postsuper -d: its logs, then the file. */
bool mta_admin_delete(const struct mta_host *h, struct mta_ref file);
/* postsuper -e: expire at the next try; what is on hold stays there. Not in
 * maildrop; false for a file that was marked before. With -H: postsuper -f. */
bool mta_admin_expire(const struct mta_host *h, struct mta_ref file);

/* postqueue -f: all that is deferred, at once, dead destinations forgotten; and
 * pickup. R-FLUSH (F4.6) */
void mta_admin_flush(const struct mta_host *h);
/* postqueue -i: one deferred mail, reviving what it needs. R-FLUSH-ID (F5.9) */
bool mta_admin_flush_id(const struct mta_host *h, struct mta_ref file);
/* postqueue -s, for each mail of the site: as it is, but due now.
 * R-FLUSH-SITE */
bool mta_admin_flush_site_mail(const struct mta_host *h, struct mta_ref file);
/* Before the mails of a site are moved: dead destinations are forgotten; and
 * afterwards: incoming is looked at. */
void mta_admin_flush_site_begin(const struct mta_host *h);
void mta_admin_flush_site_end(const struct mta_host *h);

#endif
