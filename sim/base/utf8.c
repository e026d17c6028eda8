/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Characters by the table of RFC 3629: no longer form than needed, no half of a
 * surrogate pair, nothing above U+10FFFF.
 */
#include "sim/base/utf8.h"

#include <stdint.h>

size_t
utf8_length(const unsigned char *text)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned char c = text[0];
	size_t length = c < 0x80   ? 1
			: c < 0xc2 ? 0
			: c < 0xe0 ? 2
			: c < 0xf0 ? 3
			: c < 0xf5 ? 4
				   : 0;
	if (length < 2)
		return length;
	uint32_t code = c & (0xffU >> (length + 1));
	for (size_t i = 1; i < length; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (text[i] & 0x3fU);
	}
	if (code < least[length] || code > 0x10ffff ||
	    (code >= 0xd800 && code < 0xe000))
		return 0;
	return length;
}

bool
utf8_is_valid(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t length;

	for (; *p; p += length) {
		length = utf8_length(p);
		if (length == 0)
			return false;
	}
	return true;
}
