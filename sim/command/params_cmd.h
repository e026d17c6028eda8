/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `mtasim params`: every parameter of the mail system, from the table that the
 * queue code itself uses. Also makes docs/parameters.md.
 */
#ifndef SIM_PARAMS_CMD_H
#define SIM_PARAMS_CMD_H

/*
 * mtasim params [--markdown] [NAME...]: a table of the parameters, or of the
 * named ones (smtp_destination_rate_delay is found as the form of every
 * transport), on stdout. argv[0] is "params". Answers the exit code: 2 for an
 * unknown name, with the nearest known one on stderr, and then nothing on
 * stdout; 1 if stdout cannot be written.
 */
int params_main(int argc, char **argv);

#endif
