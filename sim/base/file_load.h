/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A whole file in memory.
 */
#ifndef SIM_FILE_LOAD_H
#define SIM_FILE_LOAD_H

#include <stddef.h>

/* Its bytes, with a zero behind them that `size` does not count. For free().
 * NULL: see errno. */
char *file_load(const char *path, size_t *size);

#endif
