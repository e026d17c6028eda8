/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Exit codes of all commands, and of the functions that do a command's work: 0,
 * or what went wrong, which has been said on stderr.
 */
#ifndef SIM_EXIT_CODE_H
#define SIM_EXIT_CODE_H

enum exit_code {
	EXIT_CODE_OK = 0,
	EXIT_CODE_INTERNAL = 1, /* or an I/O error */
	EXIT_CODE_USAGE = 2,
	EXIT_CODE_INVALID = 3,	    /* the scenario, or another input */
	EXIT_CODE_EXPECTATION = 99, /* one does not hold; two runs differ */
	EXIT_CODE_SIGNAL = 128,	    /* and the number of SIGHUP, ... */
};

#endif
