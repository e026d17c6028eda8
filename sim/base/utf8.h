/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Is a text UTF-8? Scenarios and results are.
 */
#ifndef SIM_UTF8_H
#define SIM_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* The bytes of the character at `text`, or 0 if it is none. */
size_t utf8_length(const unsigned char *text);

/* Is all of it characters? */
bool utf8_is_valid(const char *text);

#endif
