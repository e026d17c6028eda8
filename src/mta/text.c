/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Formatting a piece before it is handed on, so that owners need not.
 */
#include "mta/pure.h"

#include "mta/text.h"

void
mta_text_print(struct mta_text *t, const char *format, ...)
{
	char piece[MTA_TEXT_PIECE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(piece, sizeof(piece), format, arguments);
	va_end(arguments);
	t->put(t, piece);
}
