/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mtasim: which command, and that its standard streams are sound.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sim/command/check.h"
#include "sim/command/diff.h"
#include "sim/base/large_pages.h"
#include "sim/command/options.h"
#include "sim/command/params_cmd.h"
#include "sim/plot/plot.h"
#include "sim/command/profiles_cmd.h"
#include "sim/command/run.h"
#include "sim/command/schema_cmd.h"
#include "sim/command/step.h"
#include "sim/command/version.h"
#include "sim/command/view_cmd.h"

static const struct {
	const char *name;
	int (*main)(int argc, char **argv);
} commands[] = {
	{"run", run_main},	 {"check", check_main},
	{"diff", diff_main},	 {"plot", plot_main},
	{"qshape", qshape_main}, {"postqueue", postqueue_main},
	{"spool", spool_main},	 {"step", step_main},
	{"params", params_main}, {"profiles", profiles_main},
	{"schema", schema_main},
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

static int
command_run(int argc, char **argv)
{
	if (argc < 2) {
		help_print(stderr, NULL);
		return EXIT_CODE_USAGE;
	}
	if (strcmp(argv[1], "--version") == 0) {
		printf("mtasim %s\n", MTASIM_VERSION);
		return EXIT_CODE_OK;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0)
		return help_print(stdout, argc > 2 ? argv[2] : NULL) == 0
			       ? EXIT_CODE_OK
			       : EXIT_CODE_USAGE;
	for (int i = 0; i < COMMANDS; i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].main(argc - 1, argv + 1);
	fprintf(stderr, "mtasim: no command '%s'; see 'mtasim --help'\n",
		argv[1]);
	return EXIT_CODE_USAGE;
}

int
main(int argc, char **argv)
{
	int code;

	fill_closed_streams();
	large_pages_prefer();
	code = command_run(argc, argv);
	/* What a full disk did not take must not pass for success. A reader
	 * that has gone, as in `| head`, wants no more: that is no error. */
	if (fflush(stdout) != 0 && errno != EPIPE &&
	    (code == EXIT_CODE_OK || code == EXIT_CODE_EXPECTATION)) {
		fprintf(stderr, "mtasim: cannot write to standard output: %s\n",
			strerror(errno));
		code = EXIT_CODE_INTERNAL;
	}
	return code;
}
