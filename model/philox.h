/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The block function of Philox4x32-10 (docs/models.md, M-STREAM): a counter of
 * 128 bits under a key of 64 becomes 128 random bits.
 *
 * It is Random123's where nothing better is known. Where SSE2 is, the two
 * products of a round are one instruction; the test of streams compares both,
 * and with the published answers. Stateless.
 */
#ifndef MODEL_PHILOX_H
#define MODEL_PHILOX_H

#include <stdint.h>

#ifdef __SSE2__
#include <emmintrin.h>
#else
#include <Random123/philox.h>
#endif

/* Four words of 32 bits, the lower ones of `low` first. */
struct philox_block {
	uint64_t low, high;
};

#ifdef __SSE2__

/*
 * One round. With the words c0 .. c3, the factors m0, m1 and the key k0, k1:
 *
 *	c0' = high(c2 m1) ^ c1 ^ k0	c1' = low(c2 m1)
 *	c2' = high(c0 m0) ^ c3 ^ k1	c3' = low(c0 m0)
 *
 * The products of the even words stand as low, high, low, high: reversed they
 * are in place. The key has zeros between its words.
 */
static inline __m128i
philox_round(__m128i c, __m128i key)
{
	const __m128i factors =
		_mm_set_epi32(0, (int)0xcd9e8d57, 0, (int)0xd2511f53);
	__m128i products = _mm_mul_epu32(c, factors);
	__m128i odd = _mm_srli_epi64(c, 32);

	return _mm_xor_si128(
		_mm_shuffle_epi32(products, _MM_SHUFFLE(0, 1, 2, 3)),
		_mm_xor_si128(odd, key));
}

static inline struct philox_block
philox(struct philox_block counter, uint64_t key)
{
	const __m128i bump =
		_mm_set_epi32(0, (int)0xbb67ae85, 0, (int)0x9e3779b9);
	__m128i c = _mm_set_epi64x((int64_t)counter.high, (int64_t)counter.low);
	__m128i k = _mm_set_epi64x((int64_t)(key >> 32),
				   (int64_t)(key & UINT32_MAX));
	struct philox_block out;

#pragma GCC unroll 10
	for (int i = 0; i < 10; i++) {
		c = philox_round(c, k);
		k = _mm_add_epi32(k, bump);
	}
	_mm_storeu_si128((__m128i *)&out, c);
	return out;
}

#else

static inline struct philox_block
philox(struct philox_block counter, uint64_t key)
{
	philox4x32_ctr_t c = {
		{(uint32_t)counter.low, (uint32_t)(counter.low >> 32),
		 (uint32_t)counter.high, (uint32_t)(counter.high >> 32)}};
	philox4x32_key_t k = {{(uint32_t)key, (uint32_t)(key >> 32)}};

	c = philox4x32(c, k);
	return (struct philox_block){.low = (uint64_t)c.v[1] << 32 | c.v[0],
				     .high = (uint64_t)c.v[3] << 32 | c.v[2]};
}

#endif

#endif
