/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The time in the name has no zeros at its end, so that 60m is 3600.
 */
#include "sim/command/snapshot.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "mta/shape.h"
#include "sim/base/folder.h"

struct snapshot_text {
	struct mta_text base;
	FILE *file;
};

static void
put(struct mta_text *text, const char *piece)
{
	struct snapshot_text *t =
		mta_container_of(text, struct snapshot_text, base);

	fputs(piece, t->file);
}

bool
snapshot_write(const char *dir, const struct mta_host *host,
	       enum mta_queue queue, int64_t at_us)
{
	struct mta_shape_options options = mta_shape_defaults();
	struct snapshot_text text = {.base = {.put = put}};
	struct mta_shape shape;
	char path[FOLDER_PATH];
	bool is_bad;

	snprintf(path, sizeof(path), "%s/snapshot-%s-%.10g.txt", dir,
		 mta_queue_name(queue), (double)at_us / 1e6);
	text.file = fopen(path, "w");
	if (!text.file) {
		fprintf(stderr, "mtasim: cannot create '%s': %s\n", path,
			strerror(errno));
		return false;
	}
	mta_shape_init(&shape, host, &options);
	mta_shape_add_queue(&shape, queue);
	mta_shape_print(&shape, &text.base);
	mta_shape_release(&shape);
	is_bad = ferror(text.file) != 0;
	if (fclose(text.file) == 0 && !is_bad)
		return true;
	fprintf(stderr, "mtasim: cannot write '%s': %s\n", path,
		strerror(errno));
	return false;
}
