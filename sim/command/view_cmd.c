/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Command lines of the views. Options are those of the tools that they stand
 * for, and --at; what is wrong is said before anything is run.
 */
#include "sim/command/commands.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "mta/listing.h"
#include "mta/shape.h"
#include "sim/base/exit_code.h"
#include "sim/base/value.h"
#include "sim/command/options.h"
#include "sim/command/replay.h"
#include "sim/command/run.h"
#include "sim/command/spool_out.h"

enum {
	OPTION_AT = 256,
	OPTION_HELP,
	OPTION_NOW,
	OPTION_SHORT,
	TOP_ROWS = 20, /* of qshape, in a terminal */
	QUEUES_MAX = 16,
	NUMBER_MAX = 1000000,
};

static const struct option long_options[] = {
	{"at", required_argument, NULL, OPTION_AT},
	{"help", no_argument, NULL, OPTION_HELP},
	{"now", no_argument, NULL, OPTION_NOW},
	{"short", no_argument, NULL, OPTION_SHORT},
	{NULL, 0, NULL, 0},
};

struct view {
	const char *command;
	const char *dir;
	int64_t at_us; /* -1: not given */
	bool wants_help;
	bool is_now; /* spool: times as if the instant were now */
	struct spool_out_options spool;
	const char *target; /* spool */
	struct mta_shape_options shape;
	int32_t top; /* qshape's rows in a terminal; 0: all */
	enum mta_listing_form form;
	bool has_form;
	enum mta_queue queues[QUEUES_MAX];
	int queue_count;
};

/* What is not above 0 changes nothing (F12.3). */
static int
read_number(const struct view *v, const char *what, const char *text,
	    int32_t most, int32_t *number)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (*end || end == text || value > most)
		return options_wrong(v->command, what, text);
	if (value > 0)
		*number = (int32_t)value;
	return 0;
}

static int
read_at(struct view *v, const char *text)
{
	struct value_error why;

	if (!value_time(text, &v->at_us, &why) || v->at_us < 0)
		return options_wrong(v->command,
				     "--at takes a time such as 30m", text);
	return 0;
}

/* -n 0 is all rows, where the others would keep what they are. */
static int
read_top(struct view *v, const char *text)
{
	v->top = 0;
	return read_number(v, "-n takes a number of rows", text, NUMBER_MAX,
			   &v->top);
}

static int
read_option(struct view *v, int id, const char *text)
{
	struct mta_shape_options *o = &v->shape;

	int32_t ignored = 0;

	switch (id) {
	case OPTION_AT:
		return read_at(v, text);
	case OPTION_HELP:
	case 'h':
		v->wants_help = true;
		return 0;
	case 's':
		o->by_sender = true;
		return 0;
	case 'l':
		o->scale.is_linear = true;
		return 0;
	case 'b':
		return read_number(v, "-b takes a number of buckets up to 200",
				   text, MTA_SHAPE_BUCKETS_MAX,
				   &o->scale.buckets);
	case 't':
		return read_number(v, "-t takes minutes", text, NUMBER_MAX,
				   &o->scale.tick_minutes);
	case 'm':
		return read_number(v, "-m takes a number of domains", text,
				   NUMBER_MAX, &o->least_below);
	case 'w':
		return read_number(v, "-w takes a width in columns", text, 1000,
				   &o->width);
	case 'n':
		return read_top(v, text);
	case 'N':
		/* There is nothing to show before the end. */
		return read_number(v, "-N takes a number of messages", text,
				   NUMBER_MAX, &ignored);
	case 'c':
		return 0; /* the configuration is the run's */
	default:
		break;
	}
	if (id == OPTION_NOW || id == OPTION_SHORT) {
		v->is_now |= id == OPTION_NOW;
		v->spool.is_short |= id == OPTION_SHORT;
		return strcmp(v->command, "spool") == 0
			       ? 0
			       : options_wrong(
					 v->command,
					 "--now and --short belong to spool",
					 NULL);
	}
	if (id == 'p' && strcmp(v->command, "qshape") == 0) {
		o->with_parents = true;
		return 0;
	}
	if (id != 'p' && id != 'j')
		return options_unknown(v->command);
	v->form = id == 'p' ? MTA_LISTING_TABLE : MTA_LISTING_JSON;
	v->has_form = true;
	return 0;
}

static int
read_queue(struct view *v, const char *name)
{
	for (int q = 0; q < MTA_QUEUES; q++) {
		if (strcmp(name, mta_queue_name((enum mta_queue)q)) != 0)
			continue;
		if (v->queue_count == QUEUES_MAX)
			return options_wrong(v->command, "too many queues",
					     name);
		v->queues[v->queue_count++] = (enum mta_queue)q;
		return 0;
	}
	return options_wrong(
		v->command,
		"no such queue (maildrop, incoming, active, deferred, "
		"hold, corrupt)",
		name);
}

static int
view_read(struct view *v, int argc, char **argv, const char *options)
{
	int id;
	int code;

	*v = (struct view){
		.command = argv[0],
		.at_us = -1,
		.shape = mta_shape_defaults(),
		.top = TOP_ROWS,
	};
	optind = 1;
	while ((id = getopt_long(argc, argv, options, long_options, NULL)) !=
	       -1) {
		code = read_option(v, id, optarg);
		if (code != 0 || v->wants_help)
			return code;
	}
	if (optind == argc)
		return options_wrong(v->command, "which results folder?", NULL);
	v->dir = argv[optind++];
	if (strcmp(v->command, "spool") == 0 && optind < argc)
		v->target = argv[optind++];
	if (strcmp(v->command, "spool") == 0 && optind < argc)
		return options_wrong(v->command,
				     "it writes all queues; name none",
				     argv[optind]);
	for (code = 0; optind < argc && code == 0; optind++)
		code = read_queue(v, argv[optind]);
	if (code == 0 && v->at_us < 0)
		return options_wrong(v->command, "at which time? add --at TIME",
				     NULL);
	return code;
}

/* Text to stdout. */
static void
print(struct mta_text *text, const char *piece)
{
	(void)text;
	fputs(piece, stdout);
}

static void
print_shape(struct view *v, struct replay *r, struct mta_text *text)
{
	struct mta_shape shape;

	if (v->queue_count == 0) {
		v->queues[v->queue_count++] = MTA_INCOMING;
		v->queues[v->queue_count++] = MTA_ACTIVE;
	}
	v->shape.rows_most = isatty(STDOUT_FILENO) ? v->top : 0;
	mta_shape_init(&shape, world_host(&r->world), &v->shape);
	for (int i = 0; i < v->queue_count; i++)
		mta_shape_add_queue(&shape, v->queues[i]);
	mta_shape_print(&shape, text);
	mta_shape_release(&shape);
}

static void
print_listing(struct view *v, struct replay *r, struct mta_text *text)
{
	mta_listing_print(world_host(&r->world), v->form,
			  r->world.params.enable_long_queue_ids, text);
}

/* The run, ready to be made again up to the instant. */
static int
view_open(const struct view *v, struct replay *r)
{
	int code;

	run_prepare();
	code = replay_open(r, v->dir);
	if (code == 0 && v->at_us > r->end_us) {
		fprintf(stderr,
			"mtasim %s: the run in '%s' ends at %.6f s, before "
			"--at\n",
			v->command, v->dir, (double)r->end_us / 1e6);
		code = EXIT_CODE_INVALID;
	}
	return code;
}

static int
view_show(struct view *v,
	  void (*show)(struct view *, struct replay *, struct mta_text *))
{
	struct mta_text text = {.put = print};
	struct replay r;
	int code = view_open(v, &r);

	if (code == 0) {
		replay_until(&r, v->at_us);
		show(v, &r, &text);
	}
	replay_close(&r);
	return code;
}

static const char qshape_help[] =
	"mtasim qshape [-s] [-l] [-p] [-b N] [-t MINUTES] [-m N] [-w N] "
	"[-n N] DIR --at TIME\n"
	"              [QUEUE...]\n"
	"\n"
	"Run the scenario of a results folder again up to TIME and print the "
	"table of\n"
	"qshape for the queues (default: incoming active).\n"
	"\n"
	"  -s        messages by the sender's domain, not recipients\n"
	"  -b N      buckets of age (10)\n"
	"  -t N      minutes of the first one (5); each is twice the one "
	"before,\n"
	"  -l        or all have the same length\n"
	"  -p        parent domains too, with -m N (5) or more domains below "
	"them\n"
	"  -w N      columns of the table (80)\n"
	"  -n N      in a terminal: rows (20; 0: all)\n"
	"\n"
	"As with Postfix's, other numbers change nothing unless they are "
	"above "
	"0. -N N and\n"
	"-c DIR are taken and change nothing: the table comes at once, and "
	"settings are\n"
	"those of the run.\n";

int
qshape_main(int argc, char **argv)
{
	struct view v;
	int code = view_read(&v, argc, argv, "slpb:t:m:w:n:N:c:h");

	if (code != 0)
		return code;
	if (!v.wants_help)
		return view_show(&v, print_shape);
	fputs(qshape_help, stdout);
	return EXIT_CODE_OK;
}

static const char postqueue_help[] =
	"mtasim postqueue -p|-j DIR --at TIME\n"
	"\n"
	"Run the scenario of a results folder again up to TIME and list its "
	"queues:\n"
	"-p as a table, -j as one JSON object a line. Times are UTC.\n";

int
postqueue_main(int argc, char **argv)
{
	struct view v;
	int code = view_read(&v, argc, argv, "pj");

	if (code != 0)
		return code;
	if (v.wants_help) {
		fputs(postqueue_help, stdout);
		return EXIT_CODE_OK;
	}
	if (!v.has_form)
		return options_wrong(v.command, "-p or -j", NULL);
	if (v.queue_count > 0)
		return options_wrong(v.command,
				     "it lists all queues; name none", NULL);
	return view_show(&v, print_listing);
}

/* ---- spool ------------------------------------------------------------------
 */

static int
spool_write(struct view *v)
{
	char error[SPOOL_OUT_ERROR] = "";
	struct replay r;
	int code = view_open(v, &r);

	if (code == 0)
		code = spool_out_begin(v->target, error);
	if (code == 0) {
		replay_until(&r, v->at_us);
		if (v->is_now)
			v->spool.shift_s = (int64_t)time(NULL) -
					   mta_second(world_time(v->at_us));
		if (!spool_out_write(v->target, &r.world, &v->spool, error))
			code = EXIT_CODE_INTERNAL;
	}
	if (error[0])
		fprintf(stderr, "mtasim spool: %s\n", error);
	replay_close(&r);
	return code;
}

static const char spool_help[] =
	"mtasim spool [--now] [--short] DIR --at TIME TARGET\n"
	"\n"
	"Run the scenario of a results folder again up to TIME and write its "
	"queues to the\n"
	"folder TARGET, which must be new or empty: queue files that qshape "
	"and postcat of\n"
	"Postfix read, and the logs of the latest attempts. The time of a "
	"file is when it\n"
	"is due next. qshape takes absolute paths of queues: "
	"qshape /TARGET/deferred\n"
	"\n"
	"  --now     add to all times what makes TIME the present, so that "
	"tools that look\n"
	"            at the clock see the ages of that instant\n"
	"  --short   messages without their bodies: small files, for long "
	"queues\n";

int
spool_main(int argc, char **argv)
{
	struct view v;
	int code = view_read(&v, argc, argv, "");

	if (code != 0)
		return code;
	if (v.wants_help) {
		fputs(spool_help, stdout);
		return EXIT_CODE_OK;
	}
	if (!v.target || !*v.target)
		return options_wrong(v.command, "into which folder?", NULL);
	return spool_write(&v);
}
