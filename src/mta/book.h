/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The address book: a door of the host. Addresses travel through the core as
 * handles; the book knows their domain and their text. A handle's upper 24 bits
 * are its family (a set of addresses that share a domain and a form, given out
 * by the host), the lower 40 bits a number within it. The families below 256
 * are the null sender <>: of notices (0), and of whatever else sends with it;
 * the number tells mails apart and is not part of the address.
 */
#ifndef MTA_BOOK_H
#define MTA_BOOK_H

#include "mta/types.h"

#define MTA_ADDR_TEXT_MAX      512 /* bytes, terminator included */
#define MTA_ADDR_NULL_FAMILIES 256 /* below: the null sender */

struct mta_book {
	/* Domain in lower case, without an owner added; 0 for none. */
	mta_sym (*domain)(const struct mta_book *, mta_addr);
	/* Whole address text, "" for the null sender; cut to size. */
	void (*text)(const struct mta_book *, mta_addr, char *buffer,
		     size_t size_bytes);
	/* A sender for the next notice (F10): this local part at the host's own
	 * name; NULL: null. */
	mta_addr (*notice_sender)(struct mta_book *, const char *local_part);
	/* Is an address this local part, in any case, at the host's own name?
	 */
	bool (*is_own)(const struct mta_book *, mta_addr,
		       const char *local_part);
	/* The handle of an address given as text (postmaster and the like). */
	mta_addr (*lookup)(struct mta_book *, const char *text);
};

static inline bool
mta_addr_is_null(mta_addr a)
{
	return a >> 48 == 0;
}

static inline mta_addr
mta_addr_make(uint32_t family, uint64_t number)
{
	return (mta_addr)family << 40 | (number & 0xffffffffffULL);
}

static inline uint32_t
mta_addr_family(mta_addr a)
{
	return (uint32_t)(a >> 40);
}

static inline uint64_t
mta_addr_number(mta_addr a)
{
	return a & 0xffffffffffULL;
}

#endif
