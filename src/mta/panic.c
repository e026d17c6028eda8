/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The end of the road for bugs, and the memory calls that treat exhaustion as
 * one: the core's memory is bounded by its parameters, so running out means the
 * host was set up too small, and no caller could do better than stop.
 */
#include "mta/pure.h"

#include "mta/panic.h"

static void (*panic_reporter)(const char *, int, const char *);

void
mta_panic_set_reporter(void (*reporter)(const char *, int, const char *))
{
	panic_reporter = reporter;
}

void
mta_panic(const char *file, int line, const char *fact)
{
	void (*reporter)(const char *, int, const char *) = panic_reporter;

	/* A reporter that panics itself must not come back here. */
	panic_reporter = NULL;
	if (reporter)
		reporter(file, line, fact);
	abort();
}

void *
mta_alloc(size_t count, size_t size_bytes)
{
	void *p = calloc(count, size_bytes);

	if (!p)
		mta_panic(__FILE__, __LINE__, NULL);
	return p;
}

void *
mta_realloc(void *old, size_t count, size_t size_bytes)
{
	void *p;

	mta_assert(size_bytes == 0 || count <= SIZE_MAX / size_bytes);
	p = realloc(old, count * size_bytes);
	if (!p)
		mta_panic(__FILE__, __LINE__, NULL);
	return p;
}
