/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Purity of the core. Every source file of this folder includes this header
 * first. The core is told the time and is handed its luck; it asks the
 * operating system for nothing. A call that would ask becomes a compile error
 * here, and the build checks the objects' undefined symbols a second time.
 *
 * Allowed of libc: memory, strings, formatting into buffers, sorting, square
 * root, abort. Nothing else.
 */
#ifndef MTA_PURE_H
#define MTA_PURE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __GNUC__
#pragma GCC poison time clock_gettime gettimeofday clock sleep usleep nanosleep
#pragma GCC poison rand srand random srandom drand48 getenv system
#pragma GCC poison fopen fdopen freopen fclose fread fwrite fputs puts printf
#pragma GCC poison socket poll select epoll_wait pthread_create
#endif

#endif
