/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One run of a scenario: read it, build the world, let time pass, write the
 * results. `mtasim run` and `mtasim check` are two ways of saying what came out.
 */
#ifndef SIM_RUN_H
#define SIM_RUN_H

/* The commands; argv[0] is the command's name. They answer the exit code. */
int run_main(int argc, char **argv);
int check_main(int argc, char **argv);

#endif
