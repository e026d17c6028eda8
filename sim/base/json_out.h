/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writing JSON whose bytes depend on nothing but the values: members come in
 * the order of the calls, integers are exact, doubles have at most nine
 * significant digits with a point whatever the locale says, what is no number
 * becomes null, and bytes that are not UTF-8 become U+FFFD.
 *
 *	struct json_out json;
 *	json_out_init(&json, file);
 *	json_out_open(&json, NULL, JSON_OUT_OBJECT);
 *	json_out_text(&json, "scenario", name);
 *	json_out_close(&json);
 *	if (!json_out_finish(&json)) ...
 *
 * In an object every value has a key, in an array and at the top none (NULL);
 * that, and as many closes as opens, is asserted.
 */
#ifndef SIM_JSON_OUT_H
#define SIM_JSON_OUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum {
	JSON_OUT_DEPTH = 16
};

enum json_out_kind {
	JSON_OUT_OBJECT,
	JSON_OUT_ARRAY,
	JSON_OUT_ROW,  /* an object written on one line, with all in it */
	JSON_OUT_LIST, /* the same for an array */
};

struct json_out {
	FILE *file; /* borrowed */
	int depth;  /* containers that are open */
	enum json_out_kind kind[JSON_OUT_DEPTH];
	bool filled[JSON_OUT_DEPTH]; /* has a member already */
};

/* Write to a stream that stays the caller's. */
void json_out_init(struct json_out *json, FILE *file);

/* Everything closed? End the text with a line end; false on a write error. */
bool json_out_finish(struct json_out *json);

void
json_out_open(struct json_out *json, const char *key, enum json_out_kind kind);
void json_out_close(struct json_out *json);

/* `text` NULL is written as null. */
void json_out_text(struct json_out *json, const char *key, const char *text);
void json_out_integer(struct json_out *json, const char *key, int64_t number);
void json_out_double(struct json_out *json, const char *key, double number);
void json_out_boolean(struct json_out *json, const char *key, bool truth);
void json_out_null(struct json_out *json, const char *key);

/* Microseconds as seconds with up to six decimals, exact. */
void json_out_seconds(struct json_out *json, const char *key, int64_t us);

#endif
