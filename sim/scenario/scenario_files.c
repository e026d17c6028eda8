/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The files that a scenario names: profiles, traces, tables, recorded queues.
 *
 * A name is looked for beside the scenario file, then in $MTASIM_DATA, in the
 * source tree, and where the program was installed: there in scenarios/ and in
 * the folder itself.
 * A scenario that came out of a run lists the SHA-256 of its files and has
 * copies of them beside it, as files/SHA256; these come first. A file that has
 * changed since is refused, because the run would not be the same.
 *
 * A profile is a file of its own: what it is (about, as_of, source) and the
 * keys of a receiver. Its keys are put into the receiver's map, unless the
 * receiver has them itself, and keep the places of the profile's file.
 */
#include "sim/scenario/scenario_reader.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sim/base/file_load.h"
#include "sim/base/sha256.h"
#include "sim/base/shipped.h"

/* Plain files only: a device or pipe would not be the same in the next run. */
static bool
file_exists(const char *path)
{
	struct stat status;
	return !stat(path, &status) && S_ISREG(status.st_mode);
}

/* The n-th folder to look in: 0 is the scenario's own, "" the current one. NULL
 * behind the last. */
static const char *
search_folder(struct reader *r, size_t n)
{
	const char *root = n > 0 ? shipped_root((n - 1) / 2) : r->folder;
	return root && n % 2 == 1 ? arena_print(r->arena, "%s/scenarios", root)
				  : root;
}

static const char *
search(struct reader *r, const char *name)
{
	const char *folder;
	if (*name == '/')
		return file_exists(name) ? name : NULL;
	for (size_t i = 0; (folder = search_folder(r, i)); i++) {
		const char *path =
			*folder ? arena_print(r->arena, "%s/%s", folder, name)
				: name;
		if (file_exists(path))
			return path;
	}
	return NULL;
}

static void
add_file(struct reader *r, const struct tree_node *node, const char *path)
{
	struct scenario *s = r->scenario;
	if (name_index_get(&r->files, node->text, SIZE_MAX) != SIZE_MAX)
		return;
	struct scenario_file file = {.name = node->text, .path = path};
	if (!sha256_file(path, file.sha256)) {
		reader_complain(r, node, "cannot read '%s': %s", node->text,
				strerror(errno));
		return;
	}
	if (s->file_count == r->file_room) {
		struct scenario_file *old = s->files;
		r->file_room = r->file_room ? r->file_room * 2 : 8;
		s->files = arena_alloc(r->arena, r->file_room, sizeof(*old));
		if (s->file_count)
			memcpy(s->files, old, s->file_count * sizeof(*old));
	}
	name_index_put(&r->files, node->text, s->file_count);
	s->files[s->file_count++] = file;
}

/* The copy that a run has made of a file, if this scenario came out of one. */
static const char *
search_copy(struct reader *r, const char *name)
{
	const struct tree_node *digest =
		tree_get(tree_get(r->tree->root, "files"), name);
	const char *path;
	if (!digest || digest->kind != TREE_SCALAR ||
	    strlen(digest->text) != 64 || strchr(digest->text, '/'))
		return NULL;
	path = arena_print(r->arena, "%s%sfiles/%s", r->folder,
			   *r->folder ? "/" : "", digest->text);
	return file_exists(path) ? path : NULL;
}

const char *
reader_file(struct reader *r, const struct tree_node *node)
{
	const char *name = reader_name(r, node, "the name of a file");
	if (!node || node->kind != TREE_SCALAR || !*name)
		return NULL;
	const char *path = search_copy(r, name);
	if (!path)
		path = search(r, name);
	if (path) {
		add_file(r, node, path);
		return path;
	}
	name_index_put(&r->missing, name, 0);
	reader_complain(r, node,
			"cannot open '%s': no such file "
			"beside the scenario or in the data "
			"folders",
			name);
	return NULL;
}

static void
try_profiles(struct reader *r, const char *folder, struct name_nearest *nearest)
{
	struct dirent **names = NULL;
	int count = scandir(arena_print(r->arena, "%s%sprofiles", folder,
					*folder ? "/" : ""),
			    &names, NULL, alphasort);

	for (int i = 0; i < count; i++) {
		const char *name = names[i]->d_name;
		size_t size = strlen(name);

		if (size > 5 && !strcmp(name + size - 5, ".yaml"))
			name_nearest_try(nearest,
					 arena_copy(r->arena, name, size - 5));
		free(names[i]);
	}
	free(names);
}

/* "; did you mean X?" */
static const char *
near_profile(struct reader *r, const char *name)
{
	struct name_nearest nearest = {.wanted = name};
	const char *folder;

	for (size_t i = 0; (folder = search_folder(r, i)); i++)
		try_profiles(r, folder, &nearest);
	return reader_did_you_mean(r, &nearest);
}

static const struct tree_node *
load_profile(struct reader *r, const struct tree_node *name)
{
	const char *file =
		arena_print(r->arena, "profiles/%s.yaml", name->text);
	const char *path = strchr(name->text, '/') ? NULL : search(r, file);
	size_t size = 0;
	char *text = path ? file_load(path, &size) : NULL;
	if (!text) {
		reader_complain(r, name,
				"there is no profile '%s': no file "
				"%s beside the scenario or in the "
				"data folders%s",
				name->text, file, near_profile(r, name->text));
		return NULL;
	}
	struct source_text *source = tree_own_source(r->tree, path, text, size);
	const struct tree_node *root =
		tree_parse(r->tree, source, r->complaints);
	if (!root)
		return NULL;
	reader_section(r, root, SCHEMA_PROFILE, NULL);
	return tree_get(root, "receiver");
}

/* The keys of a profile, read at its first use; there are few of them. */
static const struct tree_node *
find_profile(struct reader *r, const struct tree_node *name)
{
	struct profile_read *seen = r->profiles;
	while (seen && strcmp(seen->name, name->text) != 0)
		seen = seen->next;
	if (seen)
		return seen->receiver;
	seen = arena_alloc(r->arena, 1, sizeof(*seen));
	*seen = (struct profile_read){
		.name = name->text,
		.receiver = load_profile(r, name),
		.next = r->profiles,
	};
	r->profiles = seen;
	return seen->receiver;
}

static void
expand_profile(struct reader *r, struct tree_node *receiver)
{
	struct tree_node *name = tree_get(receiver, "profile");
	if (!name || !*reader_name(r, name, "the name of a profile"))
		return;
	const struct tree_node *profile = find_profile(r, name);
	if (!profile || !reader_want(r, profile, TREE_MAP))
		return;
	if (tree_get(profile, "profile"))
		reader_complain_key(r, tree_get(profile, "profile"),
				    "a profile cannot be made from another");
	for (const struct tree_node *n = profile->first; n; n = n->next) {
		if (!tree_get(receiver, n->key))
			tree_append(receiver, tree_copy(r->tree, n), n->key,
				    n->key_at);
	}
	/* What the profile says is written out now; the name stays as a
	 * remark that the reader no longer follows. */
	name->key = "from_profile";
}

/* A receiver's map, or that behind {each: ...}. */
static void
expand_use(struct reader *r, struct tree_node *use)
{
	struct tree_node *each = tree_get(use, "each");
	expand_profile(r, each ? each : use);
}

void
reader_expand_profiles(struct reader *r, struct tree_node *root)
{
	struct tree_node *map = tree_get(root, "receivers");
	if (map && map->kind == TREE_MAP) {
		for (struct tree_node *n = map->first; n; n = n->next)
			expand_profile(r, n);
	}
	map = tree_get(root, "domains");
	if (map && map->kind == TREE_MAP) {
		for (struct tree_node *n = map->first; n; n = n->next)
			expand_use(r, tree_get(n, "receiver"));
	}
	expand_use(r, tree_get(root, "bounces_to"));
}

static void
check_digest(struct reader *r, const struct tree_node *node)
{
	if (!reader_want(r, node, TREE_SCALAR))
		return;
	size_t at = name_index_get(&r->files, node->key, SIZE_MAX);
	if (name_index_get(&r->missing, node->key, SIZE_MAX) != SIZE_MAX)
		return; /* that has been said */
	if (at == SIZE_MAX)
		reader_complain_key(r, node,
				    "the scenario names no such "
				    "file");
	else if (strcmp(r->scenario->files[at].sha256, node->text) != 0)
		reader_complain(r, node,
				"the file %s has changed since this "
				"was written: its SHA-256 is now %s",
				node->key, r->scenario->files[at].sha256);
}

void
reader_files(struct reader *r, struct tree_node *root)
{
	struct tree_node *map = tree_get(root, "files");
	if (map && reader_want(r, map, TREE_MAP)) {
		for (const struct tree_node *n = map->first; n; n = n->next)
			check_digest(r, n);
	}
	if (map)
		tree_remove(map);
	if (!r->scenario->file_count)
		return;
	struct place at = root->at;
	struct tree_node *files = tree_new(r->tree, TREE_MAP, "", at);
	for (size_t i = 0; i < r->scenario->file_count; i++) {
		const struct scenario_file *file = &r->scenario->files[i];
		tree_append(files,
			    tree_new(r->tree, TREE_SCALAR,
				     arena_copy(r->arena, file->sha256, 64),
				     at),
			    file->name, at);
	}
	tree_append(root, files, "files", at);
}
