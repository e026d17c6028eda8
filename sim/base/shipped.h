/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What comes with the program: scenarios and their profiles, scripts of plots.
 */
#ifndef SIM_SHIPPED_H
#define SIM_SHIPPED_H

#include <stddef.h>

/* The n-th folder to look in, from 0: $MTASIM_DATA, the source tree, where the
 * program was installed. NULL behind the last. */
const char *shipped_root(size_t n);

#endif
