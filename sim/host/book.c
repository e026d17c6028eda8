/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Texts are made when somebody asks: for logs and tables, and where the core
 * must compare texts. Everything else works on handles.
 */
#include "sim/host/book.h"

#include "mta/panic.h"
#include "mta/text.h"
#include "sim/base/arena.h"
#include "sim/base/table_out.h"

static const struct book_family *
family_of(const struct book *b, mta_addr address)
{
	uint32_t family = mta_addr_family(address);

	mta_assert(family < b->family_count);
	return &b->families[family];
}

void
book_number_into(const char *pattern, uint64_t n, char *buffer,
		 size_t size_bytes)
{
	char digits[24];
	size_t used = 0;

	mta_assert(size_bytes > 0);
	mta_assert(n <= INT64_MAX);
	*table_out_put_integer(digits, (int64_t)n) = '\0';
	while (*pattern && used + 1 < size_bytes) {
		if (strncmp(pattern, "{n}", 3) != 0) {
			buffer[used++] = *pattern++;
			continue;
		}
		for (const char *d = digits; *d && used + 1 < size_bytes; d++)
			buffer[used++] = *d;
		pattern += 3;
	}
	buffer[used] = '\0';
}

/* ---- the door --------------------------------------------------------------
 */

static mta_sym
book_domain(const struct mta_book *base, mta_addr address)
{
	const struct book *b = mta_const_container_of(base, struct book, base);
	uint32_t family = mta_addr_family(address);
	mta_sym domain;

	mta_assert(family < b->family_count);
	domain = b->domains[family];
	if (domain != BOOK_DOMAIN_OF_ROW)
		return domain;
	return b->domains[mta_addr_family(
		b->families[family].rows[mta_addr_number(address)])];
}

static void
book_text(const struct mta_book *base, mta_addr address, char *buffer,
	  size_t size_bytes)
{
	const struct book *b = mta_const_container_of(base, struct book, base);
	const struct book_family *f = family_of(b, address);
	uint64_t n = mta_addr_number(address);

	buffer[0] = '\0';
	switch (f->kind) {
	case BOOK_NULL:
		break;
	case BOOK_USERS:
		snprintf(buffer, size_bytes, "u%llu@%s", (unsigned long long)n,
			 mta_sym_text(b->symbols, book_domain(base, address)));
		break;
	case BOOK_SENDER:
		book_number_into(f->pattern, n, buffer, size_bytes);
		break;
	case BOOK_ROWS:
		book_text(base, f->rows[n], buffer, size_bytes);
		break;
	case BOOK_LITERAL:
		snprintf(buffer, size_bytes, "%s",
			 mta_sym_text(b->symbols, (mta_sym)n));
		break;
	}
}

static bool
book_is_own(const struct mta_book *base, mta_addr address,
	    const char *local_part)
{
	const struct book *b = mta_const_container_of(base, struct book, base);
	char text[MTA_ADDR_TEXT_MAX];

	if (book_domain(base, address) != b->my_name)
		return false;
	book_text(base, address, text, sizeof(text));
	return mta_text_is(text, strcspn(text, "@"), local_part);
}

/* LOCAL_PART@ this host. */
static void
text_of_own(const struct book *b, const char *local_part,
	    char text[MTA_ADDR_TEXT_MAX])
{
	snprintf(text, MTA_ADDR_TEXT_MAX, "%s@%s", local_part,
		 mta_sym_text(b->symbols, b->my_name));
}

/* A name without a domain is one of this host. */
static mta_addr
book_lookup(struct mta_book *base, const char *text)
{
	struct book *b = mta_container_of(base, struct book, base);
	char whole[MTA_ADDR_TEXT_MAX];

	if (strchr(text, '@') || !*text)
		return book_literal(b, text);
	text_of_own(b, text, whole);
	return book_literal(b, whole);
}

/* ---- families ---------------------------------------------------------------
 */

static mta_sym
domain_of_text(struct book *b, const char *address)
{
	const char *at = strrchr(address, '@');

	return mta_sym_intern_lower(b->symbols, at ? at + 1 : "");
}

static uint32_t
family_add(struct book *b, enum book_kind kind, mta_sym domain, uint32_t source)
{
	if (b->family_count == b->family_capacity) {
		b->family_capacity =
			b->family_capacity ? b->family_capacity * 2 : 64;
		b->families = mta_realloc(b->families, b->family_capacity,
					  sizeof(*b->families));
		b->domains = mta_realloc(b->domains, b->family_capacity,
					 sizeof(*b->domains));
	}
	mta_assert(b->family_count < 1U << 24);
	mta_assert(b->family_count >= MTA_ADDR_NULL_FAMILIES);
	b->families[b->family_count] =
		(struct book_family){.kind = kind, .source = source};
	b->domains[b->family_count] = domain;
	return b->family_count++;
}

static uint32_t
family_add_null(struct book *b, uint32_t source)
{
	mta_assert(b->null_count < MTA_ADDR_NULL_FAMILIES);
	b->families[b->null_count].source = source;
	return b->null_count++;
}

uint32_t
book_add_source(struct book *b, const char *pattern, uint32_t source)
{
	uint32_t family;

	if (!*pattern)
		return family_add_null(b, source);
	family = family_add(b, BOOK_SENDER, domain_of_text(b, pattern), source);
	b->families[family].pattern = memory_text(pattern);
	return family;
}

/* The family of what this host sends to postmasters; another one when the local
 * part has changed. */
static uint32_t
family_of_own(struct book *b, const char *local_part)
{
	char sender[MTA_ADDR_TEXT_MAX];

	text_of_own(b, local_part, sender);
	if (b->own_family == 0 ||
	    strcmp(b->families[b->own_family].pattern, sender) != 0)
		b->own_family = book_add_source(b, sender, BOOK_NO_SOURCE);
	return b->own_family;
}

static mta_addr
book_notice_sender(struct mta_book *base, const char *local_part)
{
	struct book *b = mta_container_of(base, struct book, base);

	return mta_addr_make(local_part ? family_of_own(b, local_part) : 0,
			     b->notice_count++);
}

void
book_init(struct book *b, struct mta_symtab *symbols, const char *my_name)
{
	*b = (struct book){
		.base = {.domain = book_domain,
			 .text = book_text,
			 .notice_sender = book_notice_sender,
			 .is_own = book_is_own,
			 .lookup = book_lookup},
		.symbols = symbols,
		.my_name = mta_sym_intern_lower(symbols, my_name),
	};
	mta_table_init(&b->users);
	mta_table_init(&b->literals);
	b->family_capacity = 2 * MTA_ADDR_NULL_FAMILIES;
	b->families = mta_alloc(b->family_capacity, sizeof(*b->families));
	b->domains = mta_alloc(b->family_capacity, sizeof(*b->domains));
	b->family_count = MTA_ADDR_NULL_FAMILIES;
	b->families[0].source = BOOK_NO_SOURCE;
	b->null_count = 1;
}

void
book_release(struct book *b)
{
	for (uint32_t i = 0; i < b->family_count; i++) {
		if (b->domains[i] != BOOK_DOMAIN_OF_ROW)
			mta_sym_drop(b->symbols, b->domains[i]);
		free(b->families[i].pattern);
		free(b->families[i].rows);
	}
	free(b->families);
	free(b->domains);
	mta_sym_drop(b->symbols, b->my_name);
	mta_table_release(&b->users);
	mta_table_release(&b->literals);
}

/* A family of a domain, made when new. Tables hold pointers; a family's number
 * is stored as one. */
static uint32_t
family_of_domain(struct book *b, struct mta_table *table, enum book_kind kind,
		 mta_sym domain)
{
	uint64_t key = (uint64_t)domain + 1;
	uintptr_t number = (uintptr_t)mta_table_find(table, key);

	if (number == 0) {
		number = family_add(b, kind, domain, BOOK_NO_SOURCE);
		mta_sym_hold(b->symbols, domain);
		mta_table_add(table, key, (void *)number);
	}
	return (uint32_t)number;
}

uint32_t
book_add_users(struct book *b, const char *domain)
{
	mta_sym name = mta_sym_intern_lower(b->symbols, domain);
	uint32_t family = family_of_domain(b, &b->users, BOOK_USERS, name);

	mta_sym_drop(b->symbols, name);
	return family;
}

uint32_t
book_add_rows(struct book *b, uint32_t source)
{
	return family_add(b, BOOK_ROWS, BOOK_DOMAIN_OF_ROW, source);
}

mta_sym
book_my_name(const struct mta_book *base)
{
	const struct book *b = mta_const_container_of(base, struct book, base);

	return b->my_name;
}

bool
book_shares_domain(const struct mta_book *base, uint32_t family)
{
	const struct book *b = mta_const_container_of(base, struct book, base);

	return b->domains[family] != BOOK_DOMAIN_OF_ROW;
}

mta_addr
book_add_row(struct book *b, uint32_t family, const char *sender)
{
	mta_addr address = *sender ? book_literal(b, sender) : 0;
	/* Only now: a literal may have moved the families. */
	struct book_family *f = &b->families[family];
	size_t n = f->row_count++;

	if ((n & (n - 1)) == 0)
		f->rows = mta_realloc(f->rows, n ? n * 2 : 1, sizeof(*f->rows));
	f->rows[n] = address;
	if (*sender)
		return mta_addr_make(family, n);
	if (f->null_family == 0)
		f->null_family = family_add_null(b, f->source);
	return mta_addr_make(f->null_family, n);
}

mta_addr
book_literal(struct book *b, const char *address)
{
	mta_sym domain = domain_of_text(b, address);
	/* Stays for the whole run: handles are not counted. */
	mta_sym text = mta_sym_intern(b->symbols, address);
	uint32_t family =
		family_of_domain(b, &b->literals, BOOK_LITERAL, domain);

	mta_sym_drop(b->symbols, domain);
	return mta_addr_make(family, text);
}

struct book_origin
book_origin_of(const struct book *b, mta_addr sender)
{
	return (struct book_origin){.source = family_of(b, sender)->source,
				    .index = mta_addr_number(sender)};
}
