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

#include "mta/types.h"

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

void mta_sym_hold(struct mta_symtab *t, mta_sym s);
void mta_sym_drop(struct mta_symtab *t, mta_sym s);

/* Borrowed; good while the symbol has an owner. */
const char *mta_sym_text(const struct mta_symtab *t, mta_sym s);

#endif
