/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * getopt_long does the reading; this gives the words for what it dislikes.
 */
#include "sim/base/arena.h"
#include "sim/base/exit_code.h"
#include "sim/command/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mta/panic.h"
#include "sim/base/value.h"
#include "sim/scenario/scenario.h"

enum option_id {
	OPTION_SET = 256,
	OPTION_SEED,
	OPTION_FOR,
	OPTION_OUT,
	OPTION_OUTPUT,
	OPTION_QUIET,
	OPTION_PROGRESS,
	OPTION_REPLICATIONS,
	OPTION_JOBS,
	OPTION_JUNIT,
	OPTION_TAP,
	OPTION_JSON,
	OPTION_GOLDEN,
	OPTION_UPDATE,
	OPTION_HELP,
};

static const struct option long_options[] = {
	{"set", required_argument, NULL, OPTION_SET},
	{"seed", required_argument, NULL, OPTION_SEED},
	{"for", required_argument, NULL, OPTION_FOR},
	{"out", required_argument, NULL, OPTION_OUT},
	{"output", required_argument, NULL, OPTION_OUTPUT},
	{"quiet", no_argument, NULL, OPTION_QUIET},
	{"progress", required_argument, NULL, OPTION_PROGRESS},
	{"replications", required_argument, NULL, OPTION_REPLICATIONS},
	{"jobs", required_argument, NULL, OPTION_JOBS},
	{"junit", required_argument, NULL, OPTION_JUNIT},
	{"tap", no_argument, NULL, OPTION_TAP},
	{"json", no_argument, NULL, OPTION_JSON},
	{"golden", required_argument, NULL, OPTION_GOLDEN},
	{"update", no_argument, NULL, OPTION_UPDATE},
	{"help", no_argument, NULL, OPTION_HELP},
	{NULL, 0, NULL, 0},
};

const char options_help[] =
	"\n"
	"  --set PATH=VALUE   change a value of the scenario, checked like the "
	"file:\n"
	"                     --set mta.in_flow_delay=5s\n"
	"                     --set 'domains[gmail.com].transport=bulk'\n"
	"  --seed N           another seed\n"
	"  --for TIME         end after this time (2h), or at most then\n"
	"  --out DIR          results folder; default runs/NAME\n"
	"  --output LIST      more files: messages,attempts,moves,feedback,"
	"maillog,\n"
	"                     metrics,plots\n"
	"  --replications N   N runs with luck of their own, in DIR/r0, r1, "
	"...;\n"
	"                     expectations hold in all of them, or `in X% of "
	"runs`\n"
	"  --jobs N           so many runs at a time; the output is the same\n"
	"  --quiet            no summary; of check only what does not hold\n"
	"  --progress=auto|never\n"
	"                     a progress line on a terminal, or none\n"
	"  --help             this text\n"
	"\n"
	"A results folder has scenario.yaml and files/ (copies of the files "
	"that "
	"it names),\n"
	"so that it can be run again anywhere; run.json, summary.json, "
	"series.csv,\n"
	"destinations.csv, transports.csv; and what --output asks for: the "
	"other "
	"tables,\n"
	"maillog, metrics.om, plots/.\n"
	"\n"
	"Exit codes: 0 done; 1 internal or I/O error; 2 wrong usage; 3 invalid "
	"scenario;\n"
	"99 an expectation does not hold (check); 129, 130, 143 interrupted by "
	"SIGHUP,\n"
	"SIGINT, SIGTERM, results so far kept.\n";

static void
options_add_set(struct options *o, const char *set)
{
	o->sets = mta_realloc(o->sets, o->set_count + 1, sizeof(*o->sets));
	o->sets[o->set_count++] = set;
}

/* A set that another option stands for. */
static void
options_make_set(struct options *o, const char *path, const char *value)
{
	char *set = memory_print("%s=%s", path, value);

	o->made = mta_realloc(o->made, o->made_count + 1, sizeof(*o->made));
	o->made[o->made_count++] = set;
	options_add_set(o, set);
}

int
options_wrong(const char *command, const char *what, const char *value)
{
	fprintf(stderr, "mtasim %s: %s%s%s; see 'mtasim %s --help'\n", command,
		what, value ? ": " : "", value ? value : "", command);
	return EXIT_CODE_USAGE;
}

int
options_unknown(const char *command)
{
	fprintf(stderr, "see 'mtasim %s --help'\n", command);
	return EXIT_CODE_USAGE;
}

int
options_take_set(struct options *o, const char *command, const char *value)
{
	if (!strchr(value, '='))
		return options_wrong(command, "--set takes PATH=VALUE", value);
	options_add_set(o, value);
	return 0;
}

int
options_take_seed(struct options *o, const char *command, const char *value)
{
	struct value_error why;
	int64_t seed;

	if (!value_integer(value, 0, INT64_MAX, &seed, &why))
		return options_wrong(
			command, "--seed takes a whole number from 0", value);
	options_make_set(o, "seed", value);
	return 0;
}

int
options_take_length(struct options *o, const char *command, const char *value)
{
	struct value_error why;
	int64_t for_us;

	if (!value_time(value, &for_us, &why) || for_us <= 0)
		return options_wrong(command, "--for takes a time such as 2h",
				     value);
	o->length = value;
	return 0;
}

static int
read_output(struct options *o, const char *command, const char *list)
{
	for (const char *at = list; *at;) {
		size_t n = strcspn(at, ",");
		char word[24]; /* longer than any of them */
		int index;

		snprintf(word, sizeof(word), "%.*s", (int)n, at);
		index = value_word(SCENARIO_OUTPUT_WORDS, word);
		if (index < 0)
			return options_wrong(
				command,
				"--output takes a list of messages, "
				"attempts, moves, feedback, maillog, "
				"plots, metrics",
				list);
		o->output |= 1U << index;
		at += n;
		at += *at == ',';
	}
	return 0;
}

static int
read_progress(struct options *o, const char *command, const char *mode)
{
	if (strcmp(mode, "auto") == 0)
		o->progress = PROGRESS_AUTO;
	else if (strcmp(mode, "never") == 0)
		o->progress = PROGRESS_NEVER;
	else
		return options_wrong(command, "--progress is auto or never",
				     mode);
	return 0;
}

/* A whole number from 1. */
static int
read_count(uint32_t *count, const char *command, const char *what,
	   const char *value)
{
	char *end;
	unsigned long number;

	errno = 0;
	number = strtoul(value, &end, 10);
	if (*value < '0' || *value > '9' || *end || errno || number < 1 ||
	    number > OPTIONS_COUNT_MOST)
		return options_wrong(command, what, value);
	*count = (uint32_t)number;
	return 0;
}

/* What bears on several runs and how they are told. */
static int
read_check_option(struct options *o, const char *command, int id,
		  const char *value)
{
	switch (id) {
	case OPTION_REPLICATIONS:
		return read_count(&o->replications, command,
				  "--replications takes a number from 1",
				  value);
	case OPTION_JOBS:
		return read_count(&o->jobs, command,
				  "--jobs takes a number from 1", value);
	case OPTION_JUNIT:
		o->junit = value;
		return 0;
	case OPTION_TAP:
		o->is_tap = true;
		return 0;
	case OPTION_JSON:
		o->is_json = true;
		return 0;
	case OPTION_GOLDEN:
		o->golden = value;
		return 0;
	case OPTION_UPDATE:
		o->is_update = true;
		return 0;
	default:
		return options_unknown(command);
	}
}

static int
check_options(const struct options *o, enum options_command command,
	      const char *name)
{
	bool is_check_only = o->junit || o->is_tap || o->is_json || o->golden ||
			     o->is_update;

	if (command == OPTIONS_RUN && is_check_only)
		return options_wrong(
			name,
			"--junit, --tap, --json, --golden and --update "
			"belong to check",
			NULL);
	if (o->is_tap && o->is_json)
		return options_wrong(name, "--tap or --json, not both", NULL);
	if (o->is_update && !o->golden)
		return options_wrong(name, "--update goes with --golden DIR",
				     NULL);
	if (o->golden && o->replications > 1)
		return options_wrong(
			name,
			"--golden compares one run of each scenario, "
			"without --replications",
			NULL);
	return 0;
}

static int
read_option(struct options *o, const char *command, int id, const char *value)
{
	switch (id) {
	case OPTION_SET:
		return options_take_set(o, command, value);
	case OPTION_SEED:
		return options_take_seed(o, command, value);
	case OPTION_FOR:
		return options_take_length(o, command, value);
	case OPTION_OUT:
		if (!*value)
			return options_wrong(command, "--out takes a folder",
					     NULL);
		o->out = value;
		return 0;
	case OPTION_OUTPUT:
		return read_output(o, command, value);
	case OPTION_QUIET:
		o->is_quiet = true;
		return 0;
	case OPTION_PROGRESS:
		return read_progress(o, command, value);
	case OPTION_HELP:
		o->wants_help = true;
		return 0;
	default:
		return read_check_option(o, command, id, value);
	}
}

int
options_read(struct options *o, enum options_command command, int argc,
	     char **argv)
{
	const char *name = argv[0];
	int id;

	*o = (struct options){.replications = 1, .jobs = 1};
	optind = 1;
	while ((id = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		int code = read_option(o, name, id, optarg);

		if (code != 0)
			return code;
		if (o->wants_help)
			return 0;
	}
	o->scenario_count = (size_t)(argc - optind);
	if (o->scenario_count == 0)
		return options_wrong(name, "which scenario?", NULL);
	if (command == OPTIONS_RUN && o->scenario_count > 1)
		return options_wrong(name,
				     "one scenario at a time; several: check",
				     argv[optind + 1]);
	if (check_options(o, command, name) != 0)
		return EXIT_CODE_USAGE;
	o->scenarios = mta_alloc(o->scenario_count, sizeof(*o->scenarios));
	for (size_t i = 0; i < o->scenario_count; i++)
		o->scenarios[i] = argv[optind + (int)i];
	return 0;
}

void
options_release(struct options *o)
{
	for (size_t i = 0; i < o->made_count; i++)
		free(o->made[i]);
	free(o->made);
	free(o->sets);
	free(o->scenarios);
}
