/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The command line of the commands that run scenarios. Wrong usage is said on
 * stderr with what would be right; nothing is done then.
 */
#ifndef SIM_OPTIONS_H
#define SIM_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/base/exit_code.h"
#include "sim/command/progress.h"

enum options_command {
	OPTIONS_RUN,
	OPTIONS_CHECK,
};

enum {
	OPTIONS_COUNT_MOST = 1000000, /* of --replications and --jobs */
};

struct options {
	const char **scenarios; /* owned list of borrowed arguments */
	size_t scenario_count;
	const char **sets; /* owned list, in order, as given or made */
	size_t set_count;
	char **made; /* owned texts among the sets */
	size_t made_count;
	const char *out;    /* --out, or NULL */
	unsigned output;    /* --output: enum scenario_output, or-ed */
	const char *length; /* --for, a time above 0, or NULL */
	bool is_quiet;
	enum progress_mode progress;
	uint32_t replications; /* from 1 */
	uint32_t jobs;	       /* from 1 */
	/* of check only */
	const char *junit;  /* file, or NULL */
	const char *golden; /* folder, or NULL */
	bool is_tap;
	bool is_json;
	bool is_update;
	bool wants_help;
};

/* The help of --set, --seed and so on, behind that of run or check. */
extern const char options_help[];

/* Wrong usage: what is wrong, with which value (or NULL), on stderr. Returns
 * EXIT_CODE_USAGE. */
int options_wrong(const char *command, const char *what, const char *value);
/* The same where getopt_long has said what it dislikes. */
int options_unknown(const char *command);

/* argv[0] is the command's name. 0, or EXIT_CODE_USAGE with words on stderr. */
int options_read(struct options *o, enum options_command command, int argc,
		 char **argv);
void options_release(struct options *o);

/*
 * What changes the scenario, for commands with options of their own: --set,
 * --seed and --for with their value, which is borrowed, but for the seed.
 * Answers as above.
 */
int options_take_set(struct options *o, const char *command, const char *value);
int
options_take_seed(struct options *o, const char *command, const char *value);
int
options_take_length(struct options *o, const char *command, const char *value);

#endif
