/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * SHA-256 as FIPS 180-4 section 6.2 describes it, block by block. The
 * constants are the first 32 bits of the fractional parts of the square roots
 * (first) and cube roots (round) of the first primes, section 4.2.2 and 5.3.3.
 */
#include "sim/base/sha256.h"

#include <stdio.h>
#include <string.h>

static const uint32_t first[8] = {
	0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
	0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

static const uint32_t rounds[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
	0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
	0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
	0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
	0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
	0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
	0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
	0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t
rotate(uint32_t x, int by)
{
	return (x >> by) | (x << (32 - by));
}

static void
schedule_words(const unsigned char *block, uint32_t w[64])
{
	for (size_t i = 0; i < 16; i++)
		w[i] = (uint32_t)block[4 * i] << 24 |
		       (uint32_t)block[4 * i + 1] << 16 |
		       (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
	for (size_t i = 16; i < 64; i++) {
		uint32_t a = w[i - 15];
		uint32_t b = w[i - 2];
		uint32_t s0 = rotate(a, 7) ^ rotate(a, 18) ^ (a >> 3);
		uint32_t s1 = rotate(b, 17) ^ rotate(b, 19) ^ (b >> 10);
		w[i] = w[i - 16] + s0 + w[i - 7] + s1;
	}
}

/* In variables, not in an array: they stay in registers. */
static void
add_block(uint32_t state[8], const unsigned char *block)
{
	uint32_t w[64];
	uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
	uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
	schedule_words(block, w);
	for (size_t i = 0; i < 64; i++) {
		uint32_t s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
		uint32_t choose = (e & f) ^ (~e & g);
		uint32_t t1 = h + s1 + choose + rounds[i] + w[i];
		uint32_t s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
		uint32_t most = (a & b) ^ (a & c) ^ (b & c);
		h = g;
		g = f;
		f = e;
		e = d + t1;
		d = c;
		c = b;
		b = a;
		a = t1 + s0 + most;
	}
	state[0] += a;
	state[1] += b;
	state[2] += c;
	state[3] += d;
	state[4] += e;
	state[5] += f;
	state[6] += g;
	state[7] += h;
}

void
sha256_init(struct sha256 *hash)
{
	memcpy(hash->state, first, sizeof(first));
	hash->length = 0;
}

void
sha256_add(struct sha256 *hash, const void *bytes, size_t size)
{
	const unsigned char *p = bytes;
	while (size > 0) {
		size_t used = (size_t)(hash->length % 64);
		size_t some = 64 - used < size ? 64 - used : size;
		memcpy(hash->block + used, p, some);
		hash->length += some;
		p += some;
		size -= some;
		if (used + some == 64)
			add_block(hash->state, hash->block);
	}
}

void
sha256_hex(struct sha256 *hash, char hex[SHA256_HEX_SIZE])
{
	static const unsigned char pad[64] = {0x80};
	uint64_t bits = hash->length * 8;
	size_t used = (size_t)(hash->length % 64);
	sha256_add(hash, pad, used < 56 ? 56 - used : 120 - used);
	unsigned char length[8];
	for (size_t i = 0; i < 8; i++)
		length[i] = (unsigned char)(bits >> (56 - 8 * i));
	sha256_add(hash, length, sizeof(length));
	for (size_t i = 0; i < 8; i++)
		snprintf(hex + 8 * i, 9, "%08x", (unsigned)hash->state[i]);
}

bool
sha256_file(const char *path, char hex[SHA256_HEX_SIZE])
{
	FILE *file = fopen(path, "rb");
	if (!file)
		return false;
	struct sha256 hash;
	sha256_init(&hash);
	unsigned char bytes[8192];
	size_t size;
	while ((size = fread(bytes, 1, sizeof(bytes), file)) > 0)
		sha256_add(&hash, bytes, size);
	bool ok = !ferror(file);
	fclose(file);
	sha256_hex(&hash, hex);
	return ok;
}
