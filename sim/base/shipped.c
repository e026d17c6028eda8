/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An installed program knows no source tree, and $MTASIM_DATA need not be set:
 * what is empty is passed over.
 */
#include "sim/base/shipped.h"

#include <stdlib.h>

const char *
shipped_root(size_t n)
{
	const char *const roots[] = {
		getenv("MTASIM_DATA"),
		MTASIM_SRCDIR,
		MTASIM_DATADIR,
	};

	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++)
		if (roots[i] && *roots[i] && n-- == 0)
			return roots[i];
	return NULL;
}
