/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the program says of itself: version, where its data are, help.
 */
#ifndef SIM_VERSION_H
#define SIM_VERSION_H

#include <stdio.h>

#define MTASIM_VERSION "0.1.0"

/* The folder that holds profiles/, scenarios and plots: $MTASIM_DATA, else the
 * source tree that this was built in, else where it is installed. */
const char *data_dir(void);

/* The help of a command, or of all for NULL. False: no such command. */
int help_print(FILE *out, const char *command);

#endif
