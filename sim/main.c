/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mtasim: which command, and that its standard streams are sound.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sim/base/exit_code.h"
#include "sim/base/large_pages.h"
#include "sim/command/commands.h"
#include "sim/plot/plot.h"

/* A command that does not work yet is not named here. */
static const struct command {
	const char *name;
	const char *line; /* what it does */
	int (*main)(int argc, char **argv);
} commands[] = {
	{"run", "simulate; write results; print a summary and the verdicts",
	 run_main},
	{"check", "the same for CI: exit 99 when an expectation does not hold",
	 check_main},
	{"diff", "two results folders: what differs, and the first event",
	 diff_main},
	{"plot", "draw pictures from a results folder", plot_main},
	{"qshape", "which domain's mail is how old, at an instant of a run",
	 qshape_main},
	{"postqueue", "what waits at an instant of a run, mail by mail",
	 postqueue_main},
	{"spool",
	 "the queues at an instant of a run, as folders of queue files",
	 spool_main},
	{"step", "a run event by event, each with its cause", step_main},
	{"params", "every parameter of main.cf that the simulator knows",
	 params_main},
	{"profiles", "the shipped profiles of receivers", profiles_main},
	{"schema", "JSON Schema of a scenario, for editors", schema_main},
};
enum {
	COMMANDS = sizeof(commands) / sizeof(commands[0])
};

/*
 * A stream that the caller has closed would lend its number to the first file
 * that is opened, and talk would end up among the results.
 */
static void
fill_closed_streams(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

static void
help(FILE *out)
{
	fputs("mtasim: a discrete-event simulator of mail-queue behaviour\n"
	      "\n"
	      "usage: mtasim COMMAND [OPTION]... [ARGUMENT]...\n"
	      "\n",
	      out);
	for (int i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-9s %s\n", commands[i].name, commands[i].line);
	fputs("\n"
	      "  mtasim COMMAND --help tells more; mtasim --version\n"
	      "\n"
	      "Try: mtasim run scenarios/leaky-bucket.yaml\n",
	      out);
}

/* argv[0]: the command's name. */
static int
command_run(int argc, char **argv)
{
	for (int i = 0; i < COMMANDS; i++)
		if (strcmp(argv[0], commands[i].name) == 0)
			return commands[i].main(argc, argv);
	fprintf(stderr, "mtasim: no command '%s'; see 'mtasim --help'\n",
		argv[0]);
	return EXIT_CODE_USAGE;
}

/* What the words of the command line ask for. */
static int
obey(int argc, char **argv)
{
	char help_option[] = "--help";

	if (argc <= 0) {
		help(stderr);
		return EXIT_CODE_USAGE;
	}
	if (strcmp(argv[0], "--version") == 0) {
		printf("mtasim %s\n", MTASIM_VERSION);
		return EXIT_CODE_OK;
	}
	if (strcmp(argv[0], "--help") != 0 && strcmp(argv[0], "-h") != 0 &&
	    strcmp(argv[0], "help") != 0)
		return command_run(argc, argv);
	if (argc > 1)
		return command_run(2, (char *[]){argv[1], help_option, NULL});
	help(stdout);
	return EXIT_CODE_OK;
}

/* What a full disk did not take must not pass for success. A reader that has
 * gone, as in `| head`, wants no more: that is no error. */
static int
flush_output(int code)
{
	int reason = fflush(stdout) != 0 ? errno : ferror(stdout) ? EIO : 0;

	if (reason == 0 || reason == EPIPE ||
	    (code != EXIT_CODE_OK && code != EXIT_CODE_EXPECTATION))
		return code;
	fprintf(stderr, "mtasim: cannot write to standard output: %s\n",
		strerror(reason));
	return EXIT_CODE_INTERNAL;
}

int
main(int argc, char **argv)
{
	fill_closed_streams();
	large_pages_prefer();
	return flush_output(obey(argc - 1, argv + 1));
}
