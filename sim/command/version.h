/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the program says of itself: version, help.
 */
#ifndef SIM_VERSION_H
#define SIM_VERSION_H

#include <stdio.h>

#define MTASIM_VERSION "0.1.0"

/* The help of a command, or of all for NULL. False: no such command. */
int help_print(FILE *out, const char *command);

#endif
