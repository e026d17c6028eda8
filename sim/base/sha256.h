/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * SHA-256 (FIPS 180-4) of bytes and of files: how a run's folder says which
 * files it was made from. Not for secrets.
 */
#ifndef SIM_SHA256_H
#define SIM_SHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SHA256_HEX_SIZE = 65
}; /* 64 digits and the NUL */

struct sha256 {
	uint32_t state[8];
	uint64_t length;	 /* bytes so far */
	unsigned char block[64]; /* length % 64 of them are filled */
};

void sha256_init(struct sha256 *hash);

void sha256_add(struct sha256 *hash, const void *bytes, size_t size);

/* Lower-case digits into `hex`; `hash` is spent. */
void sha256_hex(struct sha256 *hash, char hex[SHA256_HEX_SIZE]);

/* Of a file's content; false, with errno set, if it cannot be read. */
bool sha256_file(const char *path, char hex[SHA256_HEX_SIZE]);

#endif
