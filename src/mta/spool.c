/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What callers of the spool would else write again: a walk over a directory.
 */
#include "mta/pure.h"

#include "mta/spool.h"

bool
mta_spool_next(struct mta_spool *s, struct mta_scan *scan, struct mta_ref *id)
{
	struct mta_scan_item item;
	enum mta_scan_result result;

	do {
		result = s->ops->scan_next(s, scan, UINT32_MAX, UINT32_MAX,
					   &item);
	} while (result == MTA_SCAN_SKIPPED);
	*id = item.id;
	return result == MTA_SCAN_FOUND;
}
