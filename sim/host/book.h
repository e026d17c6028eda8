/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The address book of the simulated host: what handles of addresses stand for.
 * Families of addresses are kept, not addresses, so a source of a hundred
 * million senders costs as much as one.
 *
 *   users     "u{n}@domain": mailboxes of a domain, number = n
 *   sender    a source's pattern, "app{n}@shop.example": number = index
 *   rows      senders of a trace: number = row, text kept for each row
 *   literal   addresses as written, of one domain: number = local part's symbol
 *   null      the null sender: family 0 of notices, others of sources
 *
 * A sender's handle therefore tells the source and the index of its message.
 */
#ifndef SIM_BOOK_H
#define SIM_BOOK_H

#include "mta/book.h"
#include "mta/symtab.h"
#include "mta/table.h"

#define BOOK_NO_SOURCE	   UINT32_MAX /* notices: source "bounce" */
#define BOOK_DOMAIN_OF_ROW UINT32_MAX /* each address has its own */

enum book_kind {
	BOOK_NULL,
	BOOK_USERS,
	BOOK_SENDER,
	BOOK_ROWS,
	BOOK_LITERAL,
};

struct book_family {
	enum book_kind kind;
	uint32_t source; /* of senders; else BOOK_NO_SOURCE */
	char *pattern;	 /* owned: sender's text, may hold {n}; or NULL */
	mta_addr *rows;	 /* owned: literal senders by row; or NULL */
	size_t row_count;
	uint32_t null_family; /* of rows with the null sender; 0: none yet */
};

struct book {
	struct mta_book base;
	struct mta_symtab *symbols;   /* borrowed */
	struct book_family *families; /* by number */
	mta_sym *domains; /* by family: owned, lower case; apart, since every
			   * message asks for it and for nothing else */
	uint32_t family_count;
	uint32_t family_capacity;
	struct mta_table users; /* domain -> family + 1 as pointer's number */
	struct mta_table literals; /* likewise */
	uint32_t null_count;	   /* families of the null sender in use */
	uint64_t notice_count;	   /* notices numbered so far */
	mta_sym my_name;	   /* the host's own */
	uint32_t own_family;	   /* of what it sends by that; 0: none yet */
};

/* symbols: borrowed. my_name: the host's own. */
void book_init(struct book *b, struct mta_symtab *symbols, const char *my_name);
void book_release(struct book *b);

/* The mailboxes of a domain; the same family each time it is asked for. */
uint32_t book_add_users(struct book *b, const char *domain);
/* The senders of a source. pattern: "" is the null sender. */
uint32_t book_add_source(struct book *b, const char *pattern, uint32_t source);
/* The senders of a trace; rows are added in order. The handle of a row's sender
 * is of another family when that is the null sender. */
uint32_t book_add_rows(struct book *b, uint32_t source);
mta_addr book_add_row(struct book *b, uint32_t family, const char *sender);
/* The host's own name; owned by the book. */
mta_sym book_my_name(const struct mta_book *base);
/* Do all addresses of a family live at one domain? Rows do not. */
bool book_shares_domain(const struct mta_book *base, uint32_t family);
/* The handle of an address as written; domain compared without case. */
mta_addr book_literal(struct book *b, const char *address);

/* Who sent it: the source's number, or BOOK_NO_SOURCE for a notice; and the
 * index of the message in it. */
struct book_origin {
	uint32_t source;
	uint64_t index;
};
struct book_origin book_origin_of(const struct book *b, mta_addr sender);

/* A pattern with every {n} replaced by a number, cut to size. */
void book_number_into(const char *pattern, uint64_t n, char *buffer,
		      size_t size_bytes);

#endif
