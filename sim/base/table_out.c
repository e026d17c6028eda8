/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tables on their way to disk. A field is put into the buffer where it will be
 * written; the buffer always has room for the longest number, so only texts ask
 * for more. After an error the buffer is emptied instead of written: callers
 * need no test at each field.
 */
#include "sim/base/table_out.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/base/arena.h"

enum {
	BUFFER_BYTES = 1 << 16,
	FIELD_BYTES = 32, /* comma, sign, 20 digits, point, decimals */
};

static const char digit_pairs[] = "00010203040506070809"
				  "10111213141516171819"
				  "20212223242526272829"
				  "30313233343536373839"
				  "40414243444546474849"
				  "50515253545556575859"
				  "60616263646566676869"
				  "70717273747576777879"
				  "80818283848586878889"
				  "90919293949596979899";

static void
fail(struct table_out *t, const char *what)
{
	if (!t->error[0])
		snprintf(t->error, sizeof(t->error), "cannot %s '%s': %s", what,
			 t->path, strerror(errno));
}

static void
flush(struct table_out *t)
{
	size_t done = 0;

	while (done < t->used && !t->error[0]) {
		ssize_t n = write(t->fd, t->buffer + done, t->used - done);

		if (n >= 0)
			done += (size_t)n;
		else if (errno != EINTR)
			fail(t, "write");
	}
	t->used = 0;
}

/* Room for `size` bytes, at most BUFFER_BYTES. */
static char *
room_for(struct table_out *t, size_t size)
{
	if (t->used + size > BUFFER_BYTES)
		flush(t);
	return t->buffer + t->used;
}

static char *
begin_field(struct table_out *t)
{
	char *at = room_for(t, FIELD_BYTES);

	if (t->has_fields)
		*at++ = ',';
	t->has_fields = true;
	return at;
}

static void
end_field(struct table_out *t, const char *end)
{
	t->used = (size_t)(end - t->buffer);
}

static void
put_bytes(struct table_out *t, const char *bytes, size_t size)
{
	while (size > 0) {
		size_t part = size < BUFFER_BYTES ? size : BUFFER_BYTES;

		memcpy(room_for(t, part), bytes, part);
		t->used += part;
		bytes += part;
		size -= part;
	}
}

bool
table_out_open(struct table_out *t, const char *dir, const char *name,
	       const char *header)
{
	*t = (struct table_out){
		.fd = -1,
		.path = memory_print("%s/%s", dir, name),
		.part = memory_print("%s/%s.part", dir, name),
		.buffer = memory_array(BUFFER_BYTES, 1),
	};
	t->fd = open(t->part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (t->fd < 0)
		fail(t, "create");
	put_bytes(t, header, strlen(header));
	put_bytes(t, "\n", 1);
	return !t->error[0];
}

/* Exactly `count` digits, an even number, zeros in front. */
static char *
put_padded(char *at, uint64_t number, int count)
{
	for (int i = count - 2; i >= 0; i -= 2) {
		memcpy(at + i, &digit_pairs[number % 100 * 2], 2);
		number /= 100;
	}
	return at + count;
}

static char *
put_unsigned(char *at, uint64_t number)
{
	char digits[20];
	char *first = digits + sizeof(digits);
	size_t size;

	while (number >= 100) {
		first -= 2;
		memcpy(first, &digit_pairs[number % 100 * 2], 2);
		number /= 100;
	}
	if (number >= 10) {
		first -= 2;
		memcpy(first, &digit_pairs[number * 2], 2);
	} else {
		*--first = (char)('0' + number);
	}
	size = (size_t)(digits + sizeof(digits) - first);
	memcpy(at, first, size);
	return at + size;
}

/* Put the sign; answer the magnitude, right for INT64_MIN too. */
static uint64_t
put_sign(char **at, int64_t number)
{
	if (number >= 0)
		return (uint64_t)number;
	*(*at)++ = '-';
	return 0 - (uint64_t)number;
}

char *
table_out_put_integer(char *at, int64_t number)
{
	uint64_t magnitude = put_sign(&at, number);

	return put_unsigned(at, magnitude);
}

void
table_out_integer(struct table_out *t, int64_t number)
{
	if (t->buffer)
		end_field(t, table_out_put_integer(begin_field(t), number));
}

void
table_out_seconds(struct table_out *t, int64_t us)
{
	char *at;
	uint64_t magnitude;

	if (!t->buffer)
		return;
	at = begin_field(t);
	magnitude = put_sign(&at, us);
	at = put_unsigned(at, magnitude / 1000000);
	*at++ = '.';
	end_field(t, put_padded(at, magnitude % 1000000, 6));
}

void
table_out_decimal(struct table_out *t, double number)
{
	const double scale = 1e9;
	uint64_t magnitude;
	char *at;

	if (!t->buffer)
		return;
	if (!(fabs(number) <= 9e9)) {
		table_out_empty(t);
		return;
	}
	at = begin_field(t);
	magnitude = put_sign(&at, llround(number * scale));
	at = put_unsigned(at, magnitude / 1000000000);
	if (magnitude % 1000000000 != 0) {
		*at++ = '.';
		/* ten digits, of which the last is nothing */
		at = put_padded(at, magnitude % 1000000000 * 10, 10);
		while (at[-1] == '0')
			at--;
	}
	end_field(t, at);
}

static bool
needs_quotes(const char *text)
{
	return text[strcspn(text, ",\"\n\r")] != '\0';
}

void
table_out_text(struct table_out *t, const char *text)
{
	if (!t->buffer)
		return;
	end_field(t, begin_field(t));
	if (!needs_quotes(text)) {
		put_bytes(t, text, strlen(text));
		return;
	}
	put_bytes(t, "\"", 1);
	while (*text) {
		size_t plain = strcspn(text, "\"");

		put_bytes(t, text, plain);
		text += plain;
		if (*text == '"') {
			put_bytes(t, "\"\"", 2);
			text++;
		}
	}
	put_bytes(t, "\"", 1);
}

void
table_out_empty(struct table_out *t)
{
	if (t->buffer)
		end_field(t, begin_field(t));
}

void
table_out_end_row(struct table_out *t)
{
	if (!t->buffer)
		return;
	put_bytes(t, "\n", 1);
	t->has_fields = false;
	t->rows++;
}

static void
release(struct table_out *t)
{
	free(t->path);
	free(t->part);
	free(t->buffer);
	t->path = t->part = t->buffer = NULL;
	t->fd = -1;
}

bool
table_out_close(struct table_out *t)
{
	if (!t->buffer)
		return !t->error[0];
	flush(t);
	if (t->fd >= 0 && close(t->fd) != 0)
		fail(t, "write");
	if (!t->error[0] && rename(t->part, t->path) != 0)
		fail(t, "rename to");
	if (t->error[0])
		unlink(t->part);
	release(t);
	return !t->error[0];
}

void
table_out_drop(struct table_out *t)
{
	if (!t->buffer)
		return;
	if (t->fd >= 0) {
		close(t->fd);
		unlink(t->part);
	}
	release(t);
}
