/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Folders of results as wholes: is a place free for one, make it, put it in its
 * place, take it away. A folder is written beside its place under a hidden name
 * that nobody else has, and renamed when it is whole; an older one of ours is
 * put aside likewise for the moment of the renaming. So whoever looks finds the
 * old results or the new, whole, and of two that write to one place the last
 * one stands.
 *
 * Ours is a folder that holds a run.json (one run) or replications.json
 * (several runs of a scenario, one folder each) that we have written. Nothing
 * else is ever replaced. Removing follows no links and goes a few folders down
 * only: that deep we write.
 */
#ifndef SIM_FOLDER_H
#define SIM_FOLDER_H

#include <stdbool.h>

enum {
	FOLDER_ERROR = 512, /* bytes of a text that says what went wrong */
	FOLDER_PATH = 4096,
};

/* A copy without slashes at its end; "" becomes ".". For free(). */
char *folder_clean(const char *path);

/* Is one the other, or within it, by whatever names and links? Neither need be
 * there. */
bool folder_meets(const char *one, const char *other);

bool folder_is(const char *path);

/* Does it hold a file of this name? */
bool folder_holds(const char *path, const char *name);

/* The path of a file in it, or of NAME.gz if only that is there. For free().
 * NULL: neither is. */
char *folder_find(const char *path, const char *name);

/* Nothing is there, or an empty folder, or results of ours. */
bool folder_is_free(const char *path);

/* With all that is in it. True also when it is not there; false: see errno. */
bool folder_remove(const char *path);

/* Make it anew, and the folders that it stands in. False: see errno. */
bool folder_make(const char *path);

/* Make a hidden folder of a name of its own beside `path`, and the folders that
 * both stand in: .NAME.XXXXXX. For free(). NULL: see errno. */
char *folder_beside(const char *path);

/* Rename `part` to `path`, in place of what is there, if that is free. False
 * when that, or removing what was there, cannot be done: why tells it. */
bool folder_put(const char *part, const char *path, char why[FOLDER_ERROR]);

#endif
