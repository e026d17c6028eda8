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

const char *
mta_text_word(const char **at, size_t *length)
{
	static const char between[] = ", \t\r\n";
	const char *word = *at + strspn(*at, between);

	*length = strcspn(word, between);
	*at = word + *length;
	return *length > 0 ? word : NULL;
}

bool
mta_text_lists(const char *list, const char *name)
{
	size_t length;

	for (const char *word; (word = mta_text_word(&list, &length));) {
		if (mta_text_is(word, length, name))
			return true;
	}
	return false;
}
