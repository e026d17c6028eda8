/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Memory for readers: an arena that is freed as a whole, and checked plain
 * allocation; and streams into memory. What is read from one input has one
 * lifetime, so its nodes and texts need no owner each. Running out of memory
 * ends the program with a sentence and exit code 1; no function here returns
 * NULL.
 */
#ifndef SIM_ARENA_H
#define SIM_ARENA_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct arena_chunk;

/* {0} is an empty arena. */
struct arena {
	struct arena_chunk *chunks; /* owned; newest first */
};

/* Zeroed, aligned for anything, valid until arena_release(). */
void *arena_alloc(struct arena *arena, size_t count, size_t size);

/* A copy of `size` bytes with a NUL after them. */
char *arena_copy(struct arena *arena, const char *bytes, size_t size);

char *arena_print(struct arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

void arena_release(struct arena *arena);

/* Zeroed; for free(). */
void *memory_array(size_t count, size_t size);

/* Not zeroed; alignment: a power of two that divides `size`. For free(). */
void *memory_aligned(size_t alignment, size_t count, size_t size);

/* As realloc; what is added is not zeroed. */
void *memory_resize(void *old, size_t count, size_t size);

/* A copy. For free(). */
char *memory_text(const char *text);

/* A text as long as it needs to be. For free(). */
char *
memory_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *memory_vprint(const char *format, va_list arguments)
	__attribute__((format(printf, 1, 0), nonnull(1)));

/* A stream that is written to memory, and its end: from then on *text, for
 * free(), has the *size bytes and a NUL after them. */
FILE *memory_stream(char **text, size_t *size);
void memory_stream_end(FILE *stream);

#endif
