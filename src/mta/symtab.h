/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Interned names. A symbol is a small number: names are compared as numbers and
 * printed as strings. Symbol 0 is the empty string. Symbols are counted by
 * their owners: mta_sym_intern and mta_sym_hold add an owner, mta_sym_drop
 * takes one away, and a name without owners is forgotten (its number is
 * reused). Names that live as long as the host (transports, configured domains)
 * are simply never dropped.
 */
#ifndef MTA_SYMTAB_H
#define MTA_SYMTAB_H

#include "mta/panic.h"
#include "mta/types.h"

/* Of this file, symtab.c and tests alone. */
struct mta_symbol {
	char *text;	 /* owned; NULL: forgotten */
	uint64_t hash;	 /* of the text */
	uint32_t owners; /* 0: forgotten */
	uint32_t length; /* bytes, without the terminator */
	uint32_t next;	 /* forgotten: the next such number, or 0 */
};

struct mta_symtab {
	struct mta_symbol *symbols; /* by number */
	uint32_t count;		    /* numbers ever given, 0 included */
	uint32_t capacity;
	uint32_t free_head;  /* a forgotten number, or 0 */
	uint32_t *slots;     /* hash: number, or 0 */
	uint32_t slot_count; /* a power of two */
	uint32_t live_count;
};

void mta_symtab_init(struct mta_symtab *t);
void mta_symtab_release(struct mta_symtab *t);

/* The symbol of a text, made when new; the caller becomes an owner. */
mta_sym mta_sym_intern(struct mta_symtab *t, const char *text);
mta_sym
mta_sym_intern_n(struct mta_symtab *t, const char *text, size_t length_bytes);
/* The symbol of a text if it exists, else 0; no ownership. */
mta_sym mta_sym_find(const struct mta_symtab *t, const char *text);
/* Interned lower-cased form (ASCII); the caller becomes an owner. */
mta_sym mta_sym_intern_lower(struct mta_symtab *t, const char *text);

static inline void
mta_sym_hold(struct mta_symtab *t, mta_sym s)
{
	if (s == 0)
		return;
	mta_assert(s < t->count);
	mta_assert(t->symbols[s].owners > 0);
	mta_assert(t->symbols[s].owners < UINT32_MAX);
	t->symbols[s].owners++;
}

/* Nobody owns the symbol any more: its number names nothing. */
void mta_sym_forget(struct mta_symtab *t, mta_sym s);

static inline void
mta_sym_drop(struct mta_symtab *t, mta_sym s)
{
	if (s == 0)
		return;
	mta_assert(s < t->count);
	mta_assert(t->symbols[s].owners > 0);
	if (--t->symbols[s].owners == 0)
		mta_sym_forget(t, s);
}

/* Borrowed; good while the symbol has an owner. */
const char *mta_sym_text(const struct mta_symtab *t, mta_sym s);
/* A number made of the text alone, so that it is the same in every run and on
 * every machine. Kept, not computed. */
static inline uint64_t
mta_sym_hash(const struct mta_symtab *t, mta_sym s)
{
	mta_assert(s < t->count);
	mta_assert(t->symbols[s].owners > 0);
	return t->symbols[s].hash;
}

#endif
