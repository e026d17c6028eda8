/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The files that the scenario names (traces, tables of laws, recorded queues)
 * go into the results folder as files/SHA256, so that the folder can be run
 * again wherever it is taken. The digest as a name needs no rule for names
 * that have slashes or are taken already. The reader of scenarios looks there
 * first (scenario_files.c).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/arena.h"
#include "sim/base/folder.h"
#include "sim/results/results_parts.h"

static bool
copy_stream(FILE *from, FILE *to)
{
	char bytes[1 << 14];
	size_t size;

	while ((size = fread(bytes, 1, sizeof(bytes), from)) > 0)
		if (fwrite(bytes, 1, size, to) != size)
			return false;
	return !ferror(from);
}

static bool
copy_file(const char *from_path, const char *to_path)
{
	FILE *from = fopen(from_path, "rb");
	FILE *to = from ? fopen(to_path, "wb") : NULL;
	bool is_good = to && copy_stream(from, to);
	int reason = errno;

	if (from)
		fclose(from);
	if (to && fclose(to) != 0 && is_good) {
		is_good = false;
		reason = errno;
	}
	errno = reason;
	return is_good;
}

int
results_write_files(struct results *r)
{
	const struct scenario *s = r->view.scenario;
	char *dir = memory_print("%s/files", r->part);
	int code = 0;

	if (s->file_count > 0 && !folder_is(dir) && !folder_make(dir))
		code = results_fail(r, "cannot create the folder '%s': %s", dir,
				    strerror(errno));
	for (size_t i = 0; i < s->file_count && code == 0; i++) {
		char *path = memory_print("%s/%s", dir, s->files[i].sha256);

		if (!copy_file(s->files[i].path, path))
			code = results_fail(r, "cannot copy '%s' to '%s': %s",
					    s->files[i].path, path,
					    strerror(errno));
		free(path);
	}
	free(dir);
	return code;
}
