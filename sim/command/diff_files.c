/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files as they stand, line by line: the scenario, which may be why runs
 * differ, and what no other part of diff reads: destinations, transports,
 * messages, the mail log, snapshots. The first line that is not the same is
 * told.
 */
#include "sim/command/diff.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sim/base/arena.h"
#include "sim/base/exit_code.h"
#include "sim/base/folder.h"

enum {
	SHOWN = 120, /* bytes of a line */
};

/* Two files, at the same line. */
struct pair {
	FILE *files[2];
	char *lines[2];
	size_t rooms[2];
	long number;
};

static bool
pair_open(struct diff *d, const char *name, struct pair *p)
{
	*p = (struct pair){.number = 0};
	for (int i = 0; i < 2; i++) {
		char path[FOLDER_PATH];

		snprintf(path, sizeof(path), "%s/%s", d->dirs[i], name);
		p->files[i] = fopen(path, "r");
		if (!p->files[i])
			diff_fail(d, "cannot read '%s': %s", path,
				  strerror(errno));
	}
	return p->files[0] && p->files[1];
}

static void
pair_close(struct pair *p)
{
	for (int i = 0; i < 2; i++) {
		if (p->files[i])
			fclose(p->files[i]);
		free(p->lines[i]);
	}
}

/* The next line of one, without its end; "" behind the last. */
static bool
next_line(struct pair *p, int side)
{
	ssize_t size =
		getline(&p->lines[side], &p->rooms[side], p->files[side]);

	if (size < 0) {
		p->lines[side] = memory_resize(p->lines[side], 1, 1);
		p->rooms[side] = 1;
		size = 0;
	} else if (size > 0 && p->lines[side][size - 1] == '\n') {
		p->lines[side][size - 1] = '\0';
		return true;
	}
	p->lines[side][size] = '\0';
	return size > 0;
}

/* Go on to the first line that differs; false: there is none. */
static bool
find_difference(struct pair *p)
{
	for (;;) {
		bool is_there[2];

		for (int i = 0; i < 2; i++)
			is_there[i] = next_line(p, i);
		p->number++;
		if (!is_there[0] && !is_there[1])
			return false;
		if (is_there[0] != is_there[1] ||
		    strcmp(p->lines[0], p->lines[1]) != 0)
			return true;
	}
}

/* Tell the first line that differs; is there one? */
static bool
file_differs(struct diff *d, const char *what, const char *name)
{
	struct pair p;
	bool differs = pair_open(d, name, &p) && find_difference(&p);

	if (differs) {
		fprintf(d->out, "%s%s line %ld:\n", what, name, p.number);
		for (int i = 0; i < 2; i++)
			fprintf(d->out, "  %-8s  %.*s\n", d->names[i], SHOWN,
				p.lines[i]);
	}
	pair_close(&p);
	return differs;
}

void
diff_scenario(struct diff *d)
{
	if (folder_holds(d->dirs[0], "scenario.yaml") &&
	    folder_holds(d->dirs[1], "scenario.yaml"))
		file_differs(d, "note: ", "scenario.yaml");
}

/* What others compare, or what follows from it. */
static bool
is_of_others(const char *name)
{
	static const char *const names[] = {
		"run.json",	   "summary.json",    "scenario.yaml",
		"series.csv",	   "moves.csv",	      "attempts.csv",
		"feedback.csv",	   "series.csv.gz",   "moves.csv.gz",
		"attempts.csv.gz", "feedback.csv.gz",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i], name) == 0)
			return true;
	}
	return false;
}

static bool
is_file(const char *dir, const char *name)
{
	char path[FOLDER_PATH];
	struct stat status;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

static void
compare_files(struct diff *d, struct dirent *const *names, int count, int side)
{
	for (int i = 0; i < count; i++) {
		const char *name = names[i]->d_name;

		if (name[0] == '.' || is_of_others(name) ||
		    !is_file(d->dirs[side], name))
			continue;
		if (!is_file(d->dirs[!side], name))
			fprintf(d->out, "note: only '%s' has %s\n",
				d->dirs[side], name);
		else if (side == 0)
			d->differs |= file_differs(d, "", name);
	}
}

int
diff_files(struct diff *d)
{
	for (int side = 0; side < 2 && !d->error[0]; side++) {
		struct dirent **names = NULL;
		int count = scandir(d->dirs[side], &names, NULL, alphasort);

		compare_files(d, names, count, side);
		for (int i = 0; i < count; i++)
			free(names[i]);
		free(names);
	}
	return d->error[0] ? EXIT_CODE_INVALID : 0;
}
