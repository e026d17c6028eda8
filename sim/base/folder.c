/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Plain POSIX calls. The names in a folder are read only to remove them or to
 * see that there are none, so their order does not matter.
 */
#define _XOPEN_SOURCE 700 /* realpath */
#include "sim/base/folder.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/base/arena.h"

enum {
	DEPTH = 5, /* SET/rK/plots/... and one to spare */
};

char *
folder_clean(const char *path)
{
	char *copy = memory_text(*path ? path : ".");
	size_t size = strlen(copy);

	while (size > 1 && copy[size - 1] == '/')
		copy[--size] = '\0';
	return copy;
}

/* What exists of the path, without links, and the rest as it is. */
static char *
real_path(const char *path)
{
	char *real = realpath(path, NULL);
	char *above;
	char *slash;
	char *whole;

	if (real || strcmp(path, ".") == 0)
		return real ? real : memory_text(path);
	above = folder_clean(path);
	slash = strrchr(above, '/');
	whole = memory_print("/%s", slash ? slash + 1 : above);
	if (slash)
		slash[slash == above] = '\0'; /* "/x" is in "/" */
	real = real_path(slash ? above : ".");
	free(above);
	above = memory_print("%s%s", real, whole + (strcmp(real, "/") == 0));
	free(real);
	free(whole);
	return above;
}

static bool
is_within(const char *inner, const char *outer)
{
	size_t size = strlen(outer);

	return strncmp(inner, outer, size) == 0 &&
	       (inner[size] == '\0' || inner[size] == '/' ||
		outer[size - 1] == '/');
}

bool
folder_meets(const char *one, const char *other)
{
	char *a = real_path(one);
	char *b = real_path(other);
	bool meets = is_within(a, b) || is_within(b, a);

	free(a);
	free(b);
	return meets;
}

bool
folder_is(const char *path)
{
	struct stat status;

	return lstat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

bool
folder_holds(const char *path, const char *name)
{
	char *file = memory_print("%s/%s", path, name);
	bool is_there = access(file, F_OK) == 0;

	free(file);
	return is_there;
}

char *
folder_find(const char *path, const char *name)
{
	static const char *const forms[] = {"", ".gz"};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		char *file = memory_print("%s/%s%s", path, name, forms[i]);

		if (access(file, F_OK) == 0)
			return file;
		free(file);
	}
	return NULL;
}

static bool
is_self_or_parent(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static bool
is_empty(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	bool seen = false;

	if (!dir)
		return false;
	while ((entry = readdir(dir)) != NULL)
		seen = seen || !is_self_or_parent(entry->d_name);
	closedir(dir);
	return !seen;
}

/* A file of this name may be anybody's: ours says so in its first members. */
static bool
holds_ours(const char *path, const char *name)
{
	char *file = memory_print("%s/%s", path, name);
	json_t *root = json_load_file(file, 0, NULL);
	bool is_ours = json_is_integer(json_object_get(root, "format")) &&
		       json_is_string(json_object_get(root, "scenario"));

	json_decref(root);
	free(file);
	return is_ours;
}

static bool
is_free_folder(const char *path, const struct stat *status)
{
	return S_ISDIR(status->st_mode) &&
	       (is_empty(path) || holds_ours(path, "run.json") ||
		holds_ours(path, "replications.json"));
}

/* While we look somebody may put another one there. */
bool
folder_is_free(const char *path)
{
	struct stat before;
	struct stat after;

	for (;;) {
		if (lstat(path, &before) != 0)
			return true;
		if (is_free_folder(path, &before))
			return true;
		if (lstat(path, &after) == 0 && after.st_ino == before.st_ino)
			return false;
	}
}

static bool
remove_below(const char *path, int depth)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	bool is_gone = true;

	if (!dir)
		return errno == ENOENT;
	while (is_gone && (entry = readdir(dir)) != NULL) {
		char inner[FOLDER_PATH];

		if (is_self_or_parent(entry->d_name))
			continue;
		snprintf(inner, sizeof(inner), "%s/%s", path, entry->d_name);
		if (!folder_is(inner))
			is_gone = unlink(inner) == 0;
		else if (depth > 0)
			is_gone = remove_below(inner, depth - 1);
	}
	closedir(dir);
	return is_gone && rmdir(path) == 0;
}

bool
folder_remove(const char *path)
{
	return remove_below(path, DEPTH);
}

/* The folders that `path` stands in. */
static bool
make_above(char *path)
{
	bool is_made = true;

	for (char *p = path + 1; *p && is_made; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		is_made = mkdir(path, 0777) == 0 || errno == EEXIST;
		*p = '/';
	}
	return is_made;
}

bool
folder_make(const char *path)
{
	char *copy = memory_text(path);
	bool is_made = make_above(copy) && mkdir(copy, 0777) == 0;

	free(copy);
	return is_made;
}

/* mkdtemp makes folders for their owner only: as mkdir would have made it. */
static bool
open_to_others(const char *path)
{
	struct stat status;
	mode_t mask = umask(0);

	umask(mask);
	return stat(path, &status) == 0 &&
	       chmod(path, (status.st_mode & S_ISGID) | (0777 & ~mask)) == 0;
}

char *
folder_beside(const char *path)
{
	const char *slash = strrchr(path, '/');
	int above = slash ? (int)(slash + 1 - path) : 0;
	char *beside =
		memory_print("%.*s.%s.XXXXXX", above, path, path + above);

	if (make_above(beside) && mkdtemp(beside) && open_to_others(beside))
		return beside;
	free(beside);
	return NULL;
}

/* Why renaming to `path` failed: something is there. */
static bool
is_taken(int reason)
{
	return reason == ENOTEMPTY || reason == EEXIST;
}

/*
 * Put what is at `path` aside for the moment of the renaming. False with a
 * reason, or without one when somebody else was quicker: then theirs is what is
 * to be replaced.
 */
static bool
replace(const char *part, const char *path, char why[FOLDER_ERROR])
{
	char *old = folder_beside(path);
	bool is_put = false;

	if (!old || (rename(path, old) != 0 && errno != ENOENT)) {
		snprintf(why, FOLDER_ERROR, "cannot move '%s' aside: %s", path,
			 strerror(errno));
		if (old)
			rmdir(old);
	} else if (rename(part, path) == 0) {
		is_put = true;
	} else if (!is_taken(errno)) {
		snprintf(why, FOLDER_ERROR, "cannot rename '%s' to '%s': %s",
			 part, path, strerror(errno));
		rename(old, path);
	}
	if (old && !why[0] && !folder_remove(old))
		snprintf(why, FOLDER_ERROR,
			 "cannot remove '%s', which '%s' was before: %s", old,
			 path, strerror(errno));
	free(old);
	return is_put && !why[0];
}

bool
folder_put(const char *part, const char *path, char why[FOLDER_ERROR])
{
	why[0] = '\0';
	while (!why[0]) {
		if (rename(part, path) == 0)
			return true;
		if (!is_taken(errno))
			snprintf(why, FOLDER_ERROR,
				 "cannot rename '%s' to '%s': %s", part, path,
				 strerror(errno));
		else if (!folder_is_free(path))
			snprintf(why, FOLDER_ERROR,
				 "'%s' is there now and does not hold results "
				 "of ours",
				 path);
		else if (replace(part, path, why))
			return true;
	}
	return false;
}
