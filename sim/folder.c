/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Plain POSIX calls. The names in a folder are read only to remove them or to
 * see that there are none, so their order does not matter.
 */
#include "sim/folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/arena.h"

enum {
	DEPTH = 5, /* SET/rK/plots/... and one to spare */
};

char *
folder_with(const char *path, const char *suffix)
{
	size_t size = strlen(path) + strlen(suffix) + 1;
	char *whole = memory_array(size, 1);

	snprintf(whole, size, "%s%s", path, suffix);
	return whole;
}

char *
folder_clean(const char *path)
{
	char *copy = memory_text(*path ? path : ".");
	size_t size = strlen(copy);

	while (size > 1 && copy[size - 1] == '/')
		copy[--size] = '\0';
	return copy;
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
	char *dir = folder_with(path, "/");
	char *file = folder_with(dir, name);
	bool is_there = access(file, F_OK) == 0;

	free(file);
	free(dir);
	return is_there;
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

bool
folder_is_free(const char *path)
{
	struct stat status;

	if (lstat(path, &status) != 0)
		return true;
	return S_ISDIR(status.st_mode) &&
	       (folder_holds(path, "run.json") ||
		folder_holds(path, "replications.json") || is_empty(path));
}

static bool
remove_below(const char *path, int depth)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	if (!dir)
		return errno == ENOENT;
	while ((entry = readdir(dir)) != NULL) {
		char inner[FOLDER_PATH];

		if (is_self_or_parent(entry->d_name))
			continue;
		snprintf(inner, sizeof(inner), "%s/%s", path, entry->d_name);
		if (!folder_is(inner))
			unlink(inner);
		else if (depth > 0)
			remove_below(inner, depth - 1);
	}
	closedir(dir);
	return rmdir(path) == 0;
}

bool
folder_remove(const char *path)
{
	return remove_below(path, DEPTH);
}

bool
folder_make(const char *path)
{
	char *copy = memory_text(path);
	bool is_made = true;

	for (char *p = copy + 1; *p && is_made; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		is_made = mkdir(copy, 0777) == 0 || errno == EEXIST;
		*p = '/';
	}
	is_made = is_made && mkdir(copy, 0777) == 0;
	free(copy);
	return is_made;
}

bool
folder_put(const char *part, const char *path, char why[FOLDER_ERROR])
{
	char *old = folder_with(path, ".old");
	bool was_there = folder_is(path);
	bool is_put = false;

	folder_remove(old);
	if (was_there && rename(path, old) != 0) {
		snprintf(why, FOLDER_ERROR, "cannot move '%s' aside: %s", path,
			 strerror(errno));
	} else if (rename(part, path) != 0) {
		snprintf(why, FOLDER_ERROR, "cannot rename '%s' to '%s': %s%s",
			 part, path, strerror(errno),
			 was_there && rename(old, path) != 0
				 ? "; the old one ends in .old now"
				 : "");
	} else {
		is_put = true;
		if (was_there)
			folder_remove(old);
	}
	free(old);
	return is_put;
}
