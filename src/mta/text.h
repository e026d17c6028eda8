/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Words in any case, and a place for text that operators read: pieces of it,
 * line ends included, go to whoever prints them. Embedded in its owner, which
 * put() finds with mta_container_of. The text is borrowed for the call.
 */
#ifndef MTA_TEXT_H
#define MTA_TEXT_H

#include "mta/types.h"

struct mta_text {
	void (*put)(struct mta_text *, const char *text);
};

/* As snprintf, cut to MTA_TEXT_PIECE bytes. */
enum {
	MTA_TEXT_PIECE = 2048
};
void mta_text_print(struct mta_text *t, const char *format, ...)
	__attribute__((format(__printf__, 2, 3)));

/* A letter of ASCII in lower case, anything else as it is. */
static inline char
mta_text_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Are the first `length` bytes of `text` the word `name`, ASCII case aside? */
bool mta_text_is(const char *text, size_t length, const char *name);

/*
 * The next word of a list as main.cf writes it, commas and white space between:
 * from *at on, which moves behind the word. length: its bytes. NULL: no more.
 */
const char *mta_text_word(const char **at, size_t *length);

/* Is a word of such a list the word `name`, ASCII case aside? */
bool mta_text_lists(const char *list, const char *name);

#endif
