/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Memory for readers. An arena is a list of chunks, filled in order; what is
 * larger than a chunk gets a chunk of its own. Memory here grows with the
 * size of the input that is read, and with nothing else.
 */
#include "sim/base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	CHUNK_BYTES = 1 << 16
};

struct arena_chunk {
	struct arena_chunk *next;
	size_t used; /* bytes of data[] */
	size_t room;
	max_align_t data[];
};

static void
out_of_memory(void)
{
	fputs("mtasim: out of memory\n", stderr);
	exit(EXIT_FAILURE);
}

void *
memory_array(size_t count, size_t size)
{
	void *memory = calloc(count ? count : 1, size ? size : 1);
	if (!memory)
		out_of_memory();
	return memory;
}

void *
memory_aligned(size_t alignment, size_t count, size_t size)
{
	void *memory;

	if (count > SIZE_MAX / size)
		out_of_memory();
	memory = aligned_alloc(alignment, count * size);
	if (!memory)
		out_of_memory();
	return memory;
}

void *
memory_resize(void *old, size_t count, size_t size)
{
	if (size && count > SIZE_MAX / size)
		out_of_memory();
	size_t bytes = count * size;
	void *memory = realloc(old, bytes ? bytes : 1);
	if (!memory)
		out_of_memory();
	return memory;
}

char *
memory_text(const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = memory_array(size, 1);
	memcpy(copy, text, size);
	return copy;
}

char *
memory_vprint(const char *format, va_list arguments)
{
	va_list again;
	va_copy(again, arguments);
	int length = vsnprintf(NULL, 0, format, arguments);
	size_t size = length < 0 ? 1 : (size_t)length + 1;
	char *text = memory_array(size, 1);
	vsnprintf(text, size, format, again);
	va_end(again);
	return text;
}

char *
memory_print(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	char *text = memory_vprint(format, arguments);
	va_end(arguments);
	return text;
}

FILE *
memory_stream(char **text, size_t *size)
{
	FILE *stream = open_memstream(text, size);
	if (!stream)
		out_of_memory();
	return stream;
}

void
memory_stream_end(FILE *stream)
{
	bool is_whole = !ferror(stream);
	if (fclose(stream) != 0 || !is_whole)
		out_of_memory();
}

static struct arena_chunk *
arena_add_chunk(struct arena *arena, size_t bytes)
{
	size_t room = bytes > CHUNK_BYTES ? bytes : CHUNK_BYTES;
	struct arena_chunk *chunk = memory_array(1, sizeof(*chunk) + room);
	chunk->room = room;
	chunk->next = arena->chunks;
	arena->chunks = chunk;
	return chunk;
}

/* `bytes` at a multiple of `step`, which a chunk's data are. */
static void *
arena_take(struct arena *arena, size_t bytes, size_t step)
{
	struct arena_chunk *chunk = arena->chunks;
	size_t at = chunk ? (chunk->used + step - 1) / step * step : 0;
	if (!chunk || at > chunk->room || chunk->room - at < bytes) {
		chunk = arena_add_chunk(arena, bytes);
		at = 0;
	}
	chunk->used = at + bytes;
	return (char *)chunk->data + at;
}

void *
arena_alloc(struct arena *arena, size_t count, size_t size)
{
	if (size && count > (SIZE_MAX - 64) / size)
		out_of_memory();
	return arena_take(arena, count * size, _Alignof(max_align_t));
}

char *
arena_copy(struct arena *arena, const char *bytes, size_t size)
{
	char *copy = arena_take(arena, size + 1, 1);
	if (size)
		memcpy(copy, bytes, size);
	return copy;
}

char *
arena_print(struct arena *arena, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	char *text = memory_vprint(format, arguments);
	va_end(arguments);
	char *copy = arena_copy(arena, text, strlen(text));
	free(text);
	return copy;
}

void
arena_release(struct arena *arena)
{
	struct arena_chunk *next;
	for (struct arena_chunk *c = arena->chunks; c; c = next) {
		next = c->next;
		free(c);
	}
	arena->chunks = NULL;
}
