/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `mtasim schema`: JSON Schema (draft-07) of a scenario, or of a profile, made
 * from the table that the reader itself goes by. Editors complete and check by
 * it. It says what keys there are, of what type and with what words; what only
 * the whole scenario can tell (names that must exist, sums, laws that make
 * sense) it leaves to the program.
 */
#ifndef SIM_SCHEMA_CMD_H
#define SIM_SCHEMA_CMD_H

/* mtasim schema [--profile]: on stdout. argv[0] is "schema". Answers the exit
 * code: 2 for wrong usage, 1 if stdout cannot be written. */
int schema_main(int argc, char **argv);

#endif
