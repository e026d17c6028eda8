/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bugs end the program here. mta_assert is on in release builds too: one fact
 * each, cheap enough for the hot path. What is printed, and the command that
 * replays the run up to this point, is the host's business: it installs a
 * reporter; without one the text is lost and the process aborts all the same.
 */
#ifndef MTA_PANIC_H
#define MTA_PANIC_H

#include <stddef.h>

#define mta_assert(fact)                                                       \
	((fact) ? (void)0 : mta_panic(__FILE__, __LINE__, #fact))

/* Report a broken fact and abort. Does not return. */
__attribute__((cold)) _Noreturn void
mta_panic(const char *file, int line, const char *fact);

/*
 * Install what prints the report; it may end the process in its own way. fact
 * NULL: no bug, memory has run out, wherever that was noticed. The one piece of
 * process-wide state of the core: a panic has no object to ask.
 */
void mta_panic_set_reporter(void (*reporter)(const char *file, int line,
					     const char *fact));

/*
 * calloc that panics when memory is gone; for pools and tables that grow.
 */
__attribute__((cold)) void *mta_alloc(size_t count, size_t size_bytes);
/* realloc likewise; count elements of size_bytes, contents kept. */
__attribute__((cold)) void *
mta_realloc(void *old, size_t count, size_t size_bytes);

#endif
