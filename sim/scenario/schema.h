/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The table of all keys of a scenario, made from schema.def: what a reader
 * accepts, what the reference in docs/scenario.md says, and what an editor
 * completes come from these rows and cannot differ. Sections are the maps of
 * the language; the rows of a section are in the order of the reference.
 */
#ifndef SIM_SCHEMA_H
#define SIM_SCHEMA_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum schema_section {
	SCHEMA_NONE,
#define SECTION(id, title, help) SCHEMA_##id,
#include "sim/scenario/schema.def"
	SCHEMA_SECTIONS,
};

enum schema_type {
	SCHEMA_TYPE_TIME,
	SCHEMA_TYPE_SIGNED_TIME,
	SCHEMA_TYPE_RATE,
	SCHEMA_TYPE_SIZE,
	SCHEMA_TYPE_SHARE,
	SCHEMA_TYPE_INTEGER,
	SCHEMA_TYPE_NUMBER,
	SCHEMA_TYPE_BOOLEAN,
	SCHEMA_TYPE_TEXT,
	SCHEMA_TYPE_NAME,    /* a text that is not empty */
	SCHEMA_TYPE_WORD,    /* one of `words`; read as least + index */
	SCHEMA_TYPE_LAW,     /* of `words`: time, size, count, number */
	SCHEMA_TYPE_MAP,     /* with the keys of section `child` */
	SCHEMA_TYPE_LIST,    /* of such maps */
	SCHEMA_TYPE_NAMED,   /* a map from names to such maps */
	SCHEMA_TYPE_SPECIAL, /* `words` says what in prose */
};

struct schema_key {
	enum schema_section section;
	const char *name;
	enum schema_type type;
	const char *default_text; /* NULL: required; "": none */
	size_t offset;		  /* in the section's struct */
	int64_t least;		  /* of an integer; value of the first word */
	int64_t most; /* of a time: 0 if it has no bound of its own */
	const char *words;
	enum schema_section child;
	const char *help; /* one sentence */
};

/* Offset of a key that the section's own code reads. */
#define SCHEMA_NO_FIELD SIZE_MAX

/* All rows. Those of one section are neighbours. */
const struct schema_key *schema_keys(size_t *count);

/* The rows of a section. */
const struct schema_key *
schema_section_keys(enum schema_section section, size_t *count);

const struct schema_key *
schema_find(enum schema_section section, const char *name);

/* "run", "receivers.NAME": as headings show it. */
const char *schema_section_title(enum schema_section section);

const char *schema_section_help(enum schema_section section);

/* The reference of all keys as Markdown tables. */
void schema_print_reference(FILE *out);

#endif
