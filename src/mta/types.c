/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The names of the queues, as directories and operators spell them. Everything
 * else of types.h is in the header.
 */
#include "mta/pure.h"

#include "mta/types.h"

const char *
mta_queue_name(enum mta_queue queue)
{
	switch (queue) {
	case MTA_MAILDROP:
		return "maildrop";
	case MTA_INCOMING:
		return "incoming";
	case MTA_ACTIVE:
		return "active";
	case MTA_DEFERRED:
		return "deferred";
	case MTA_HOLD:
		return "hold";
	case MTA_CORRUPT:
		return "corrupt";
	}
	return "";
}
