/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Its size is not asked for beforehand: a pipe has none.
 */
#include "sim/base/file_load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/base/arena.h"

char *
file_load(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	if (!file)
		return NULL;
	size_t room = 1 << 16;
	size_t used = 0;
	char *bytes = memory_array(room, 1);
	size_t some;
	while ((some = fread(bytes + used, 1, room - used, file)) > 0) {
		used += some;
		if (used == room) {
			room *= 2;
			bytes = memory_resize(bytes, room, 1);
		}
	}
	bool ok = !ferror(file);
	int reason = errno;
	fclose(file);
	bytes[used] = '\0'; /* there is always room for one more */
	*size = used;
	if (ok)
		return bytes;
	free(bytes);
	errno = reason;
	return NULL;
}
