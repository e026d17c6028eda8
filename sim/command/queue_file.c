/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The size record comes first and knows what comes behind it: it is written
 * with zeros, in fields of fixed width, and again when all else is there.
 */
#include "sim/command/queue_file.h"

#include "sim/base/arena.h"

enum {
	SIZE_FIELDS = 6,
	SIZE_WIDTH = 15, /* of each field; a blank between two */
	SIZE_TEXT = SIZE_FIELDS * SIZE_WIDTH + SIZE_FIELDS - 1,
	SIZE_AT = 2, /* of its payload: behind a letter and one length byte */
	LINE_TEXT = 70,
	ROOM_FIRST = 4096,
	SHORT_TEXT = 64,
	LINE_ROOM = 1024,
};

_Static_assert(SIZE_TEXT < 128, "one byte holds the length");

static void
put_bytes(struct queue_file *f, const char *bytes, size_t count)
{
	if (f->size + count > f->room) {
		f->room = f->room ? f->room : ROOM_FIRST;
		while (f->size + count > f->room)
			f->room *= 2;
		f->bytes = memory_resize(f->bytes, f->room, 1);
	}
	memcpy(f->bytes + f->size, bytes, count);
	f->size += count;
}

static void
put_record(struct queue_file *f, char type, const char *payload, size_t length)
{
	char head[2 + sizeof(length) * 8 / 7];
	size_t n = 0;
	size_t left = length;

	head[n++] = type;
	do {
		head[n++] = (char)((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
		left >>= 7;
	} while (left > 0);
	put_bytes(f, head, n);
	put_bytes(f, payload, length);
}

static void
put_text(struct queue_file *f, char type, const char *text)
{
	put_record(f, type, text, strlen(text));
}

static void
put_size(char *buffer, const int64_t numbers[SIZE_FIELDS])
{
	char text[SIZE_FIELDS * 24];
	size_t n = 0;

	for (int i = 0; i < SIZE_FIELDS; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%*lld",
				      i ? " " : "", SIZE_WIDTH,
				      (long long)numbers[i]);
	memcpy(buffer, text, SIZE_TEXT);
}

void
queue_file_begin(struct queue_file *f, const struct queue_file_head *h)
{
	char text[SHORT_TEXT];
	char size[SIZE_TEXT];
	int64_t second = mta_second(h->arrival);

	f->size = 0;
	put_size(size, (const int64_t[SIZE_FIELDS]){0});
	if (!h->is_dropped)
		put_record(f, 'C', size, SIZE_TEXT);
	snprintf(text, sizeof(text), "%lld %lld", (long long)second,
		 (long long)(h->arrival - mta_from_seconds(second)));
	put_text(f, 'T', text);
	snprintf(text, sizeof(text), "create_time=%lld",
		 (long long)h->created_s);
	if (!h->is_dropped)
		put_text(f, 'A', text);
	put_text(f, 'A', "rewrite_context=local");
	put_text(f, 'S', h->sender);
	snprintf(text, sizeof(text), "%*lld", SIZE_WIDTH, (long long)h->warn_s);
	if (h->warn_s != 0)
		put_text(f, 'W', text);
}

void
queue_file_add(struct queue_file *f, const char *recipient, bool is_done)
{
	put_text(f, is_done ? 'D' : 'R', recipient);
}

/* A line of the message, cut to what is left of its size. The line's end counts
 * as one byte and is not written. */
static void
put_line(struct queue_file *f, const char *text, uint32_t *left)
{
	size_t length = strlen(text);

	if (*left == 0)
		return;
	if (length > *left - 1)
		length = *left - 1;
	put_record(f, 'N', text, length);
	*left -= (uint32_t)length + 1;
}

static void
put_message(struct queue_file *f, const struct queue_file_head *h)
{
	uint32_t left = h->size_bytes;
	char line[LINE_ROOM];

	snprintf(line, sizeof(line), "Message-Id: <%s>", h->message_id);
	put_line(f, line, &left);
	snprintf(line, sizeof(line), "From: %.512s",
		 *h->sender ? h->sender : "MAILER-DAEMON");
	put_line(f, line, &left);
	put_line(f, "Subject: simulated mail", &left);
	put_line(f, "", &left);
	for (int i = 0; i < LINE_TEXT; i++)
		line[i] = (char)('a' + i % 26);
	line[LINE_TEXT] = '\0';
	while (left > 0 && !h->is_short)
		put_line(f, line, &left);
}

void
queue_file_end(struct queue_file *f, const struct queue_file_head *h)
{
	size_t begin;
	size_t end;

	put_text(f, 'M', "");
	begin = f->size;
	put_message(f, h);
	end = f->size;
	put_text(f, 'X', "");
	put_text(f, 'E', "");
	if (!h->is_dropped)
		put_size(f->bytes + SIZE_AT, (const int64_t[SIZE_FIELDS]){
						     (int64_t)(end - begin),
						     (int64_t)begin,
						     h->recipients,
						     0,
						     h->size_bytes,
						     0,
					     });
}

void
queue_file_release(struct queue_file *f)
{
	free(f->bytes);
	*f = (struct queue_file){0};
}
