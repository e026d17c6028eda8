/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The heap is made to grow once, by far more than it needs, and that range is
 * marked; what is never touched costs no memory. Beyond it malloc goes on with
 * pages of the usual size. Linux and the GNU C library only: elsewhere, and in
 * a program whose malloc is another (sanitizers), nothing is done.
 */
#ifdef __linux__
#define _DEFAULT_SOURCE
#endif
#include "sim/base/large_pages.h"

#include <stdlib.h>

#if defined(__linux__) && defined(__GLIBC__)
#include <limits.h>
#include <malloc.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
	HEAP_BYTES = 1 << 30,
	LARGE_PAGE_BYTES = 2 << 20,
	/* Greater arrays have a place of their own, and can move cheaply. */
	ARRAY_BYTES = 8 << 20,
};

void
large_pages_prefer(void)
{
	char *begin = sbrk(0);
	char *end;
	void *volatile room; /* or the compiler knows that it is no use */

	mallopt(M_TOP_PAD, HEAP_BYTES);
	mallopt(M_TRIM_THRESHOLD, INT_MAX); /* it is kept */
	mallopt(M_MMAP_THRESHOLD, ARRAY_BYTES);
	room = malloc(LARGE_PAGE_BYTES); /* more than there is by now */
	free(room);
	mallopt(M_TOP_PAD, LARGE_PAGE_BYTES);
	end = sbrk(0);
	if (end == begin)
		return;
	begin += LARGE_PAGE_BYTES - (uintptr_t)begin % LARGE_PAGE_BYTES;
	if (begin < end)
		madvise(begin, (size_t)(end - begin), MADV_HUGEPAGE);
}
#else
void
large_pages_prefer(void)
{
}
#endif
