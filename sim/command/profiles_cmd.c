/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads the heads of the files in scenarios/profiles. That their receivers are
 * sound is judged when a scenario uses them; here a file needs only its name,
 * as_of and source. All files are read before the first line is printed. Keeps
 * no state.
 */
#include "sim/command/profiles_cmd.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim/base/complaint.h"
#include "sim/base/exit_code.h"
#include "sim/base/file_load.h"
#include "sim/base/name_index.h"
#include "sim/base/shipped.h"
#include "sim/command/commands.h"
#include "sim/scenario/scenario_reader.h"

static const char usage[] =
	"usage: mtasim profiles [NAME...]\n"
	"\n"
	"Print name, date, meaning and source of the shipped profiles; of "
	"those\n"
	"that are named the whole file: latencies, limits, answers.\n";

struct profile {
	const char *name;
	const char *about;
	const char *as_of;
	const char *source;
	const char *text; /* of the file */
};

/* All that is read lies in the tree's arena. */
struct shelf {
	struct tree tree;
	struct complaints complaints;
	const char *folder;
	struct profile *list; /* owned */
	size_t count;
	size_t room;
};

/* ---- reading ------------------------------------------------------------ */

static const char *
text_of(struct shelf *s, const struct tree_node *root, const char *key)
{
	const struct tree_node *node = tree_get(root, key);

	if (node && node->kind == TREE_SCALAR && *node->text)
		return node->text;
	complaints_add(&s->complaints, root->at, key,
		       "is missing; a profile says so of itself");
	return "";
}

static void
add_profile(struct shelf *s, const char *file)
{
	struct arena *arena = &s->tree.arena;
	const char *path = arena_print(arena, "%s/%s", s->folder, file);
	size_t size = 0;
	char *text = file_load(path, &size);
	const struct tree_node *root = NULL;
	struct source_text *source;

	source = tree_own_source(&s->tree, path, text, size);
	if (text)
		root = tree_parse(&s->tree, source, &s->complaints);
	else
		complaints_add(&s->complaints, (struct place){source, 0, 0}, "",
			       "cannot read: %s", strerror(errno));
	if (!root)
		return;
	if (s->count == s->room) {
		s->room = s->room ? s->room * 2 : 64;
		s->list = memory_resize(s->list, s->room, sizeof(*s->list));
	}
	s->list[s->count++] = (struct profile){
		.name = text_of(s, root, "profile"),
		.about = text_of(s, root, "about"),
		.as_of = text_of(s, root, "as_of"),
		.source = text_of(s, root, "source"),
		.text = text,
	};
}

static int
compare(const void *a, const void *b)
{
	const struct profile *x = a;
	const struct profile *y = b;

	return strcmp(x->name, y->name);
}

/* The folder itself may be given as data, or hold scenarios/. */
static DIR *
shelf_open(struct shelf *s)
{
	static const char *const below[] = {"scenarios/profiles", "profiles"};
	const char *root;
	DIR *dir = NULL;

	for (size_t i = 0; !dir && (root = shipped_root(i / 2)); i++) {
		s->folder = arena_print(&s->tree.arena, "%s/%s", root,
					below[i % 2]);
		dir = opendir(s->folder);
	}
	return dir;
}

static bool
shelf_read(struct shelf *s)
{
	DIR *dir = shelf_open(s);
	const struct dirent *entry;

	if (!dir) {
		fprintf(stderr, "%s: cannot open: %s\n", s->folder,
			strerror(errno));
		return false;
	}
	while ((entry = readdir(dir))) {
		size_t length = strlen(entry->d_name);

		if (length > 5 && entry->d_name[0] != '.' &&
		    strcmp(entry->d_name + length - 5, ".yaml") == 0)
			add_profile(s, entry->d_name);
	}
	closedir(dir);
	if (s->count)
		qsort(s->list, s->count, sizeof(*s->list), compare);
	return true;
}

/* ---- age ---------------------------------------------------------------- */

/* A number of so many digits, or -1. */
static int
digits(const char *text, int count)
{
	int number = 0;

	for (int i = 0; i < count; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		number = number * 10 + (text[i] - '0');
	}
	return number;
}

int
profile_age_months(const char *as_of, int year, int month)
{
	int from_year = strlen(as_of) >= 4 ? digits(as_of, 4) : -1;
	int from_month = 12;

	if (from_year >= 0 && strlen(as_of) == 7 && as_of[4] == '-')
		from_month = digits(as_of + 5, 2);
	else if (strlen(as_of) != 4)
		return -1;
	if (from_year < 0 || from_month < 1 || from_month > 12)
		return -1;
	int age = (year - from_year) * 12 + month - from_month;
	return age > 0 ? age : 0;
}

static bool
is_old(const struct profile *p)
{
	time_t now = time(NULL);
	struct tm today;

	if (!gmtime_r(&now, &today))
		return false;
	return profile_age_months(p->as_of, today.tm_year + 1900,
				  today.tm_mon + 1) > PROFILE_OLD_MONTHS;
}

/* ---- the command -------------------------------------------------------- */

static const struct profile *
find(const struct shelf *s, const char *name)
{
	for (size_t i = 0; i < s->count; i++) {
		if (strcmp(s->list[i].name, name) == 0)
			return &s->list[i];
	}
	return NULL;
}

/* Complains of names that are not there. */
static bool
names_are_known(const struct shelf *s, int count, char **names)
{
	bool are_known = true;

	for (int i = 0; i < count; i++) {
		struct name_nearest nearest = {.wanted = names[i]};

		if (find(s, names[i]))
			continue;
		are_known = false;
		for (size_t k = 0; k < s->count; k++)
			name_nearest_try(&nearest, s->list[k].name);
		if (nearest.best)
			fprintf(stderr,
				"%s: unknown profile; did you mean %s?\n",
				names[i], nearest.best);
		else
			fprintf(stderr,
				"%s: unknown profile; `mtasim "
				"profiles` lists all\n",
				names[i]);
	}
	return are_known;
}

static bool
is_wanted(const struct profile *p, int count, char **names)
{
	for (int i = 0; i < count; i++) {
		if (strcmp(names[i], p->name) == 0)
			return true;
	}
	return count == 0;
}

static void
print_list(const struct shelf *s)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct profile *p = &s->list[i];

		printf("%-20s  %-7s  %s\n%31s%s\n", p->name, p->as_of, p->about,
		       "", p->source);
	}
}

/* A file but for what its first line tells editors. */
static void
print_file(const struct profile *p)
{
	static const char for_editors[] = "# yaml-language-server:";
	const char *text = p->text;
	const char *rest = strchr(text, '\n');

	if (rest && strncmp(text, for_editors, strlen(for_editors)) == 0)
		text = rest + 1;
	fputs(text, stdout);
}

static void
print_files(const struct shelf *s, int count, char **names)
{
	bool is_first = true;

	for (size_t i = 0; i < s->count; i++) {
		if (!is_wanted(&s->list[i], count, names))
			continue;
		if (!is_first)
			putchar('\n');
		print_file(&s->list[i]);
		is_first = false;
	}
}

static void
warn_of_age(const struct shelf *s, int count, char **names)
{
	const char *before = "warning: older than 24 months, so perhaps no "
			     "longer true:";

	for (size_t i = 0; i < s->count; i++) {
		const struct profile *p = &s->list[i];

		if (is_wanted(p, count, names) && is_old(p)) {
			fprintf(stderr, "%s %s", before, p->name);
			before = ",";
		}
	}
	if (*before == ',')
		fputc('\n', stderr);
}

static int
show(struct shelf *s, int count, char **names)
{
	if (!shelf_read(s))
		return EXIT_CODE_INTERNAL;
	if (s->complaints.count) {
		complaints_print(&s->complaints, stderr);
		return EXIT_CODE_INVALID;
	}
	if (!names_are_known(s, count, names))
		return EXIT_CODE_USAGE;
	if (count > 0)
		print_files(s, count, names);
	else
		print_list(s);
	fflush(stdout);
	warn_of_age(s, count, names);
	return EXIT_CODE_OK;
}

int
profiles_main(int argc, char **argv)
{
	struct shelf shelf = {.list = NULL};
	int code;

	if (argc > 1 && strcmp(argv[1], "--help") == 0) {
		printf("%s", usage);
		return EXIT_CODE_OK;
	}
	if (argc > 1 && argv[1][0] == '-') {
		fprintf(stderr, "%s: unknown option\n%s", argv[1], usage);
		return EXIT_CODE_USAGE;
	}
	tree_init(&shelf.tree);
	complaints_init(&shelf.complaints);
	code = show(&shelf, argc - 1, argv + 1);
	complaints_release(&shelf.complaints);
	tree_release(&shelf.tree);
	free(shelf.list);
	return code;
}
