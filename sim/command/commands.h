/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the user calls, but for plot (sim/plot/plot.h). argv[0] is the command's
 * name; each answers the exit code, and tells of itself with --help. Results go
 * to stdout, which main() flushes and finds whole or not, talk to stderr.
 */
#ifndef SIM_COMMANDS_H
#define SIM_COMMANDS_H

#define MTASIM_VERSION "0.1.0"

int run_main(int argc, char **argv);
/* Many runs, judged by their expectations. */
int check_main(int argc, char **argv);
/* Two results folders: what differs. */
int diff_main(int argc, char **argv);

/*
 * The operators' own views of a run at an instant. They run the folder's
 * scenario again; the first two print from src/mta, the last writes a folder of
 * queue files.
 */
int qshape_main(int argc, char **argv);
int postqueue_main(int argc, char **argv);
int spool_main(int argc, char **argv);

/* A run event by event, each with its cause. */
int step_main(int argc, char **argv);

/*
 * Every parameter of main.cf that the simulator knows, from the table that the
 * queue code itself uses; --markdown makes docs/parameters.md. Of a name that
 * nobody knows stderr has the nearest known one, and stdout nothing.
 */
int params_main(int argc, char **argv);

/*
 * The shipped profiles of receivers, in order of their names, with what each
 * says of itself; stderr warns of those that are old.
 */
int profiles_main(int argc, char **argv);

/*
 * JSON Schema (draft-07) of a scenario or a profile, made from the table that
 * the reader itself goes by. Editors complete and check by it. It says what
 * keys there are, of what type and with what words; what only the whole
 * scenario can tell (names that must exist, sums, laws that make sense) it
 * leaves to the program.
 */
int schema_main(int argc, char **argv);

#endif
