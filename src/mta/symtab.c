/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Interned names: an array of symbols by number, and an open-addressing hash of
 * numbers for finding a text. Each text is an allocation of its own, freed with
 * its last owner, so that names which come and go do not add up. The hash is
 * for finding only: nothing is ever ordered by it.
 */
#include "mta/pure.h"

#include "mta/symtab.h"

#include "mta/panic.h"
#include "mta/text.h"

enum {
	SYMTAB_FIRST_SLOTS = 64,
	SYMTAB_FIRST_SYMBOLS = 32,
	LOWER_MAX = 1024
};

/* FNV-1a with a final mix, so that the low bits are good for a slot. */
static uint64_t
text_hash(const char *text, size_t length)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < length; i++)
		h = (h ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
	h *= UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 32;
}

void
mta_symtab_init(struct mta_symtab *t)
{
	*t = (struct mta_symtab){.capacity = SYMTAB_FIRST_SYMBOLS,
				 .slot_count = SYMTAB_FIRST_SLOTS};
	t->symbols = mta_alloc(t->capacity, sizeof(*t->symbols));
	t->slots = mta_alloc(t->slot_count, sizeof(*t->slots));
	t->count = 1; /* symbol 0 is "", stands in no slot and always is */
	t->symbols[0] =
		(struct mta_symbol){.hash = text_hash("", 0), .owners = 1};
}

void
mta_symtab_release(struct mta_symtab *t)
{
	for (uint32_t i = 1; i < t->count; i++)
		free(t->symbols[i].text);
	free(t->symbols);
	free(t->slots);
	*t = (struct mta_symtab){.count = 0};
}

/* The slot of a text, or the free one where it would go. */
static uint32_t
slot_of(const struct mta_symtab *t, const char *text, size_t length,
	uint64_t hash)
{
	uint32_t i = (uint32_t)hash & (t->slot_count - 1);

	while (t->slots[i] != 0) {
		const struct mta_symbol *s = &t->symbols[t->slots[i]];

		if (s->hash == hash && s->length == length &&
		    memcmp(s->text, text, length) == 0)
			break;
		i = (i + 1) & (t->slot_count - 1);
	}
	return i;
}

static void
slots_grow(struct mta_symtab *t)
{
	free(t->slots);
	t->slot_count *= 2;
	t->slots = mta_alloc(t->slot_count, sizeof(*t->slots));
	for (uint32_t n = 1; n < t->count; n++) {
		uint32_t i = (uint32_t)t->symbols[n].hash & (t->slot_count - 1);

		if (t->symbols[n].owners == 0)
			continue;
		while (t->slots[i] != 0)
			i = (i + 1) & (t->slot_count - 1);
		t->slots[i] = n;
	}
}

/* A number that names nothing: a forgotten one or a new one. */
static uint32_t
number_take(struct mta_symtab *t)
{
	uint32_t n = t->free_head;

	if (n != 0) {
		t->free_head = t->symbols[n].next;
		return n;
	}
	if (t->count == t->capacity) {
		t->capacity *= 2;
		t->symbols = mta_realloc(t->symbols, t->capacity,
					 sizeof(*t->symbols));
	}
	mta_assert(t->count < UINT32_MAX);
	return t->count++;
}

static mta_sym
symbol_add(struct mta_symtab *t, const char *text, size_t length, uint64_t hash)
{
	uint32_t n = number_take(t);
	struct mta_symbol *s = &t->symbols[n];

	mta_assert(length < UINT32_MAX);
	*s = (struct mta_symbol){
		.hash = hash, .owners = 1, .length = (uint32_t)length};
	s->text = mta_alloc(length + 1, 1);
	memcpy(s->text, text, length);
	t->live_count++;
	return n;
}

mta_sym
mta_sym_intern_n(struct mta_symtab *t, const char *text, size_t length_bytes)
{
	uint64_t hash;
	uint32_t slot;

	if (length_bytes == 0)
		return 0;
	if ((t->live_count + 1) * UINT64_C(2) > t->slot_count)
		slots_grow(t);
	hash = text_hash(text, length_bytes);
	slot = slot_of(t, text, length_bytes, hash);
	if (t->slots[slot] != 0)
		mta_sym_hold(t, t->slots[slot]);
	else
		t->slots[slot] = symbol_add(t, text, length_bytes, hash);
	return t->slots[slot];
}

mta_sym
mta_sym_intern(struct mta_symtab *t, const char *text)
{
	return mta_sym_intern_n(t, text, strlen(text));
}

mta_sym
mta_sym_find(const struct mta_symtab *t, const char *text)
{
	size_t length = strlen(text);

	if (length == 0)
		return 0;
	return t->slots[slot_of(t, text, length, text_hash(text, length))];
}

mta_sym
mta_sym_intern_lower(struct mta_symtab *t, const char *text)
{
	size_t length = strlen(text);
	char near[LOWER_MAX];
	char *lower = length < sizeof(near) ? near : mta_alloc(length + 1, 1);
	mta_sym s;

	if (length == 0)
		return 0;
	for (size_t i = 0; i < length; i++)
		lower[i] = mta_text_lower(text[i]);
	s = mta_sym_intern_n(t, lower, length);
	if (lower != near)
		free(lower);
	return s;
}

/*
 * Empty a slot and close the gap behind it: what a probe would have found past
 * the slot moves up, so that no mark of deletion is needed.
 */
static void
slot_clear(struct mta_symtab *t, uint32_t hole)
{
	uint32_t mask = t->slot_count - 1;
	uint32_t i = hole;

	for (;;) {
		uint32_t home;

		t->slots[hole] = 0;
		do {
			i = (i + 1) & mask;
			if (t->slots[i] == 0)
				return;
			home = (uint32_t)t->symbols[t->slots[i]].hash & mask;
			/* It stays if its home lies behind the hole. */
		} while (((i - home) & mask) < ((i - hole) & mask));
		t->slots[hole] = t->slots[i];
		hole = i;
	}
}

void
mta_sym_forget(struct mta_symtab *t, mta_sym s)
{
	struct mta_symbol *symbol = &t->symbols[s];

	slot_clear(t, slot_of(t, symbol->text, symbol->length, symbol->hash));
	free(symbol->text);
	*symbol = (struct mta_symbol){.next = t->free_head};
	t->free_head = s;
	t->live_count--;
}

const char *
mta_sym_text(const struct mta_symtab *t, mta_sym s)
{
	if (s == 0)
		return "";
	mta_assert(s < t->count);
	mta_assert(t->symbols[s].owners > 0);
	return t->symbols[s].text;
}
