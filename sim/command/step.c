/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The sink prints while the run goes on; in a terminal it waits for a key
 * there and then, so nothing of the run has to be kept. Going back ends the run
 * and makes it again, silent until the event before.
 */

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <termios.h>
#include <unistd.h>

#include "mta/panic.h"
#include "sim/base/exit_code.h"
#include "sim/base/value.h"
#include "sim/command/commands.h"
#include "sim/command/options.h"
#include "sim/command/run.h"
#include "sim/command/step_text.h"

enum {
	OPTION_FROM = 256,
	OPTION_TO,
	OPTION_MAIL,
	OPTION_SET,
	OPTION_SEED,
	OPTION_FOR,
	OPTION_HELP,
	KEY_CTRL_C = 3,
	KEY_CTRL_D = 4,
};

static const struct option long_options[] = {
	{"from", required_argument, NULL, OPTION_FROM},
	{"to", required_argument, NULL, OPTION_TO},
	{"mail", required_argument, NULL, OPTION_MAIL},
	{"set", required_argument, NULL, OPTION_SET},
	{"seed", required_argument, NULL, OPTION_SEED},
	{"for", required_argument, NULL, OPTION_FOR},
	{"help", no_argument, NULL, OPTION_HELP},
	{NULL, 0, NULL, 0},
};

enum step_wish {
	STEP_ON,    /* go on */
	STEP_AGAIN, /* make the run again, up to `first` */
	STEP_QUIT,
	STEP_INTERRUPT, /* quit, and say so with the exit code */
};

struct stepper {
	struct mta_sink sink;
	struct world world;
	const struct scenario *scenario;
	int64_t from_us;
	int64_t to_us;	/* -1: the end of the run */
	int64_t mail;	/* -1: all */
	bool asks;	/* in a terminal */
	uint64_t seen;	/* events that fit, in this run */
	uint64_t first; /* silent before this one, from 1 */
	int kind;	/* only of this kind, or -1 */
	enum step_wish wish;
};

/* ---- keys -----------------------------------------------------------------
 */

/* Wait for something to read. A signal that comes before the waiting begins is
 * not missed: it is held back until then. False: a signal was caught. */
static bool
wait_for_input(void)
{
	sigset_t held;
	sigset_t old;
	fd_set set;
	int ready = -1;

	sigemptyset(&held);
	sigaddset(&held, SIGINT);
	sigaddset(&held, SIGTERM);
	sigaddset(&held, SIGHUP);
	sigprocmask(SIG_BLOCK, &held, &old);
	while (ready < 0 && run_signal() == 0) {
		FD_ZERO(&set);
		FD_SET(STDIN_FILENO, &set);
		ready = pselect(STDIN_FILENO + 1, &set, NULL, NULL, NULL, &old);
		if (ready < 0 && errno != EINTR)
			break;
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
	return ready > 0;
}

/* The answer to a question: one key, without the end of a line. Keys are taken
 * as they are before the question is seen. -1: there are no more, or a signal
 * was caught. */
static int
read_key(const char *question)
{
	struct termios old;
	struct termios raw;
	unsigned char key = 0;
	ssize_t got = -1;

	if (tcgetattr(STDIN_FILENO, &old) != 0)
		return -1;
	raw = old;
	/* An interruption would leave the terminal so: it is a key. */
	raw.c_lflag &= (tcflag_t) ~(ICANON | ECHO | ISIG);
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	fputs(question, stdout);
	fflush(stdout);
	if (wait_for_input())
		got = read(STDIN_FILENO, &key, 1);
	tcsetattr(STDIN_FILENO, TCSANOW, &old);
	return got == 1 ? key : -1;
}

static void
ask(struct stepper *s, enum mta_trace_kind kind)
{
	for (;;) {
		int key = read_key("[n]ext, next of this [k]ind, [b]ack, "
				   "[q]uit ");

		printf("\r%*s\r", 48, "");
		s->kind = -1;
		switch (key) {
		case 'n':
		case ' ':
		case '\n':
		case '\r':
			return;
		case 'k':
			s->kind = (int)kind;
			return;
		case 'b':
			s->first = s->seen > 1 ? s->seen - 1 : 1;
			s->wish = STEP_AGAIN;
			return;
		case KEY_CTRL_C:
			s->wish = STEP_INTERRUPT;
			return;
		case 'q':
		case KEY_CTRL_D:
		case -1:
			s->wish = STEP_QUIT;
			return;
		default:
			break;
		}
	}
}

/* ---- the run --------------------------------------------------------------
 */

static bool
is_wanted(const struct stepper *s, enum mta_trace_kind kind, const void *record)
{
	int64_t at = step_time(record) - SIM_EPOCH;

	return s->wish == STEP_ON && at >= s->from_us &&
	       (s->to_us < 0 || at <= s->to_us) &&
	       (s->mail < 0 || step_mail(kind, record) == s->mail);
}

static void
take(struct mta_sink *sink, enum mta_trace_kind kind, const void *record)
{
	struct stepper *s = mta_container_of(sink, struct stepper, sink);

	if (!is_wanted(s, kind, record))
		return;
	s->seen++;
	if (s->seen < s->first || (s->kind >= 0 && s->kind != (int)kind))
		return;
	step_print(stdout, &s->world, kind, record);
	if (s->asks)
		ask(s, kind);
}

static void
stepper_subscribe(struct stepper *s)
{
	s->sink.take = take;
	for (int k = 0; k < MTA_TRACE_KINDS; k++)
		if (k != MTA_TRACE_TURN)
			mta_trace_subscribe(&s->world.trace,
					    (enum mta_trace_kind)k, &s->sink);
}

static void
stepper_pass(struct stepper *s)
{
	int64_t end_us = s->scenario->run.for_us;
	bool until_drained = s->scenario->run.end == SCENARIO_END_DRAINED;

	if (s->to_us >= 0 && s->to_us < end_us)
		end_us = s->to_us;
	while (s->wish == STEP_ON && !ferror(stdout) && run_signal() == 0) {
		struct mta_due due = mta_agenda_next(&s->world.agenda);

		if (due.at == MTA_NEVER || due.at - SIM_EPOCH > end_us ||
		    (until_drained && s->world.qmgr.active_count == 0 &&
		     world_is_drained(&s->world)))
			return;
		mta_agenda_step(due);
	}
}

/* The run once, or until somebody wishes otherwise. */
static int
stepper_run(struct stepper *s)
{
	struct world_options options = {
		.seed = (uint64_t)s->scenario->seed,
		.replication = (uint32_t)s->scenario->replication,
		.is_interrupted = run_is_interrupted,
	};
	int code = EXIT_CODE_INVALID;

	s->seen = 0;
	s->wish = STEP_ON;
	if (world_init(&s->world, s->scenario, &options)) {
		stepper_subscribe(s);
		if (world_start(&s->world, &options)) {
			stepper_pass(s);
			code = EXIT_CODE_OK;
		}
	}
	if (code != EXIT_CODE_OK)
		fprintf(stderr, "%s\n", options.error);
	world_release(&s->world);
	return code;
}

static int
stepper_go(struct stepper *s)
{
	int code;

	s->asks = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	if (s->asks)
		run_catch_signals(true);
	s->first = 1;
	s->kind = -1;
	do
		code = stepper_run(s);
	while (code == EXIT_CODE_OK && s->wish == STEP_AGAIN);
	if (code == EXIT_CODE_OK && run_signal() != 0)
		return EXIT_CODE_SIGNAL + run_signal();
	if (code == EXIT_CODE_OK && s->wish == STEP_INTERRUPT)
		return EXIT_CODE_SIGNAL + SIGINT;
	if (code == EXIT_CODE_OK && s->wish == STEP_ON && s->seen == 0)
		fprintf(stderr, "mtasim step: no event fits --from, --to and "
				"--mail\n");
	return code;
}

/* ---- the command line -----------------------------------------------------
 */

static int
read_time(const char *what, const char *text, int64_t *us)
{
	struct value_error why;

	if (!value_time(text, us, &why) || *us < 0)
		return options_wrong("step", what, text);
	return 0;
}

static int
read_mail(const char *text, int64_t *mail)
{
	char *end;

	*mail = strtoll(text, &end, 10);
	if (*end || end == text || *mail < 0)
		return options_wrong(
			"step", "--mail takes the number of a mail, from 0",
			text);
	return 0;
}

static int
read_option(struct stepper *s, struct options *o, int id, const char *text)
{
	switch (id) {
	case OPTION_FROM:
		return read_time("--from takes a time such as 10m", text,
				 &s->from_us);
	case OPTION_TO:
		return read_time("--to takes a time such as 11m", text,
				 &s->to_us);
	case OPTION_MAIL:
		return read_mail(text, &s->mail);
	case OPTION_SET:
		return options_take_set(o, "step", text);
	case OPTION_SEED:
		return options_take_seed(o, "step", text);
	case OPTION_FOR:
		return options_take_length(o, "step", text);
	case OPTION_HELP:
		o->wants_help = true;
		return 0;
	default:
		return options_unknown("step");
	}
}

static int
step_read(struct stepper *s, struct options *o, int argc, char **argv)
{
	int id;

	optind = 1;
	while ((id = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		int code = read_option(s, o, id, optarg);

		if (code != 0 || o->wants_help)
			return code;
	}
	if (optind == argc)
		return options_wrong("step", "which scenario?", NULL);
	if (optind + 1 < argc)
		return options_wrong("step", "one scenario at a time",
				     argv[optind + 1]);
	if (s->to_us >= 0 && s->to_us < s->from_us)
		return options_wrong("step", "--to is before --from", NULL);
	return 0;
}

static int
step_scenario(struct stepper *s, const struct options *o, const char *path)
{
	struct scenario *scenario = run_read_scenario(o, path, stderr);
	int code;

	if (!scenario)
		return EXIT_CODE_INVALID;
	s->scenario = scenario;
	code = stepper_go(s);
	scenario_free(scenario);
	return code;
}

static const char step_help[] =
	"mtasim step SCENARIO [--from TIME] [--to TIME] [--mail N]\n"
	"            [--set PATH=VALUE] [--seed N] [--for TIME]\n"
	"\n"
	"Print each event: when, who, what, the mail by its number and "
	"queue id, the\n"
	"queues, the flow tokens, which queue is looked at next, the "
	"destination's\n"
	"window, deliveries and feedback; below it a sentence that says "
	"why. In a\n"
	"terminal one at a time: next, next of the same kind, back, quit.\n"
	"--mail N: only of mail number N, from 0. --set, --seed and "
	"--for are those of\n"
	"run.\n";

int
step_main(int argc, char **argv)
{
	struct options o = {0};
	struct stepper s = {.to_us = -1, .mail = -1};
	int code = step_read(&s, &o, argc, argv);

	if (code == 0 && o.wants_help) {
		fputs(step_help, stdout);
	} else if (code == 0) {
		run_prepare();
		code = step_scenario(&s, &o, argv[optind]);
	}
	options_release(&o);
	return code;
}
