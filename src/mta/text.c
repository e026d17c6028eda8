/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Formatting a piece before it is handed on, so that owners need not, and
 * comparing words as mail systems do.
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

bool
mta_text_is(const char *text, size_t length, const char *name)
{
	if (strlen(name) != length)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (mta_text_lower(text[i]) != mta_text_lower(name[i]))
			return false;
	}
	return true;
}
