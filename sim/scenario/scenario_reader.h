/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the readers of the sections share: the scenario in work, the names
 * known so far, and the reading of a map by the rows of its section. Private
 * to sim/scenario*.c.
 *
 * A reader never stops at the first complaint. A value that could not be read
 * leaves its field at the default, so that later checks have something sane
 * to look at; whether anything is wrong is asked once, at the end.
 */
#ifndef SIM_SCENARIO_READER_H
#define SIM_SCENARIO_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef MTA_ALLOW_IMPURE /* this is no file of the core */
#define MTA_ALLOW_IMPURE 1
#endif
#include "mta/params.h"
#include "sim/base/complaint.h"
#include "sim/base/name_index.h"
#include "sim/base/value.h"
#include "sim/base/yaml_tree.h"
#include "sim/scenario/scenario.h"
#include "sim/scenario/schema.h"

struct receiver_mx;

/* A host that is another receiver, to be linked when all are known. */
struct mx_link {
	struct receiver_mx *mx;
	const struct tree_node *name;
	struct mx_link *next;
};

/* A profile that was read: `receiver` is NULL if it could not be. */
struct profile_read {
	const char *name;
	const struct tree_node *receiver;
	struct profile_read *next;
};

struct reader {
	struct scenario *scenario;
	struct tree *tree; /* of the scenario, as the next */
	struct arena *arena;
	struct complaints *complaints;
	const struct scenario_options *options;
	const char *folder;	      /* of the scenario file; "" for none */
	struct name_index transports; /* name -> index, as the next */
	struct name_index receivers;
	struct name_index sources;
	uint32_t null_senders; /* sources and starts with the empty sender */
	struct name_index domains;
	struct name_index files;   /* name -> index of scenario->files */
	struct name_index missing; /* files that were not found */
	size_t receiver_room;
	size_t file_room;
	struct profile_read *profiles;
	struct mx_link *links;
	size_t suggestions; /* still to be searched for; bounds the work */
	struct mta_params main_cf; /* as edited so far, in the file's order */
};

/* Complain about a value, at its place, with its path. */
void
reader_complain(struct reader *r, const struct tree_node *node,
		const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Complain about a key: at the key's place. */
void reader_complain_key(struct reader *r, const struct tree_node *node,
			 const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* "; did you mean X?" when a name is near, else "". */
const char *
reader_did_you_mean(struct reader *r, const struct name_nearest *nearest);

/* May a search for the nearest name be made? It is not free. */
bool reader_may_suggest(struct reader *r);

/* What may be wrong, at the key: printed beside a scenario that is read. */
void
reader_warn_key(struct reader *r, const struct tree_node *node,
		const char *format, ...) __attribute__((format(printf, 3, 4)));

/*
 * Give a model's complaint ("KEY: what" or "what"; NULL: none) a place: the
 * key's, if the map has it, else the map's.
 */
void
reader_judge(struct reader *r, const struct tree_node *map, const char *error);

/* True if `node` is of this kind; complains otherwise. NULL is not. */
bool reader_want(struct reader *r, const struct tree_node *node,
		 enum tree_kind kind);

/*
 * Read a map by the rows of its section into the struct that they describe
 * (NULL: only check the keys). Fields get their defaults first. Complains of
 * unknown keys, missing keys and bad values; what the rows call BY_CODE is
 * left to the caller. `node` may be NULL: defaults only.
 */
void reader_section(struct reader *r, const struct tree_node *node,
		    enum schema_section section, void *to);

/* Read a key that is BY_CODE: true if it is there and could be read. */
bool reader_key(struct reader *r, const struct tree_node *map,
		enum schema_section section, const char *name, void *to);

/* Was this node, or a map on the way to it, made by --set? */
bool reader_is_set(const struct tree_node *node);

/* Can names of this section of the root be known? Not if it could not be read:
 * that has been said, and who misses one of its names says nothing new. */
bool reader_has_names(const struct reader *r, const char *section);

/* The text of a scalar; complains of an empty one, of which `wanted` says what
 * stands there, and answers "" if it is no scalar. */
const char *
reader_name(struct reader *r, const struct tree_node *node, const char *wanted);

/* Complain of a key, which names something, when it is empty. */
void reader_want_key(struct reader *r, const struct tree_node *node);

/* Blanks, line breaks or control characters, which no domain has. */
bool reader_has_blanks(const char *text);

/* "; did you mean X?" when a word of "a b c" is near, else "". */
const char *
reader_near_word(struct reader *r, const char *words, const char *text);

/* A word of a list, with complaint and suggestion; -1 if it is none. */
int
reader_word(struct reader *r, const struct tree_node *node, const char *words);

/* A law; unit is "time", "size", "count" or "number". NULL on complaint. */
struct law *
reader_law(struct reader *r, const struct tree_node *node, const char *unit);

/* The law that a default says: a plain value. */
struct law *
reader_law_default(struct reader *r, const char *text, const char *unit);

/* Find a file that the scenario names; its path, or NULL with complaint. */
const char *reader_file(struct reader *r, const struct tree_node *node);

/* Parameters as in main.cf; warns of what the queue manager will correct. */
void reader_settings(struct reader *r, const struct tree_node *map,
		     struct scenario_settings *to);

/* An index into scenario->receivers for a name, a map, or {each: one}. */
void reader_receiver_use(struct reader *r, const struct tree_node *node,
			 enum scenario_sharing *sharing, size_t *receiver);

/* "; did you mean X?" when a transport's name is near, else "". */
const char *reader_near_transport(struct reader *r, const char *name);

/* A transport's name is known; complains if it is not. */
void reader_want_transport(struct reader *r, const struct tree_node *node);

/* The sections. Each reads its part of the root map. */
void reader_run(struct reader *r, const struct tree_node *root);
void reader_services(struct reader *r, const struct tree_node *root);
void reader_receivers(struct reader *r, const struct tree_node *root);
void reader_domains(struct reader *r, const struct tree_node *root);
/* Whoever uses a receiver is known: link those that name each other, complain
 * of those that nobody uses. */
void reader_receivers_end(struct reader *r, const struct tree_node *root);
void reader_sources(struct reader *r, const struct tree_node *root);
void reader_start(struct reader *r, const struct tree_node *root);
void reader_operator(struct reader *r, const struct tree_node *root);
void reader_expect(struct reader *r, const struct tree_node *root);

/* Put the keys of profiles into the receivers that name one. */
void reader_expand_profiles(struct reader *r, struct tree_node *root);

/* Check the SHA-256 of `files:` and set those of the scenario's files. */
void reader_files(struct reader *r, struct tree_node *root);

#endif
