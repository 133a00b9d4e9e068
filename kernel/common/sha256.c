// SPDX-License-Identifier: Apache-2.0
/* SHA-256 (FIPS 180-4), with the processor's own instructions for it where it has them and
 * SHA256_PLAIN is not defined. */
#include <stdbool.h>
#include <string.h>

#include "sha256.h"

#if defined(__x86_64__) && !defined(SHA256_PLAIN)
#include <cpuid.h>
#include <immintrin.h>
#endif

static const uint32_t k[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
	0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
	0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
	0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
	0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
	0xc67178f2,
};

static uint32_t right(uint32_t x, int by)
{
	return x >> by | x << (32 - by);
}

/* a round; the next one has the same variables, each a place further */
#define ROUND(a, b, c, d, e, f, g, h, i)                                                           \
	do {                                                                                       \
		uint32_t t = (h) + (right(e, 6) ^ right(e, 11) ^ right(e, 25)) +                   \
			     ((g) ^ ((e) & ((f) ^ (g)))) + k[from + (i)] + w[i];                   \
                                                                                                   \
		(d) += t;                                                                          \
		(h) = t + (right(a, 2) ^ right(a, 13) ^ right(a, 22)) +                            \
		      (((a) & (b)) | ((c) & ((a) | (b))));                                         \
	} while (0)

static void plain_block(uint32_t h[8], const uint8_t *block)
{
	uint32_t w[16], s[8];

	for (int i = 0; i < 16; i++)
		w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
		       (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
	memcpy(s, h, sizeof(s));
	for (int from = 0; from < 64; from += 16) {
		for (int i = 0; i < 16 && from > 0; i++) {
			uint32_t early = w[(i + 1) % 16], late = w[(i + 14) % 16];

			w[i] += w[(i + 9) % 16] +
				(right(early, 7) ^ right(early, 18) ^ early >> 3) +
				(right(late, 17) ^ right(late, 19) ^ late >> 10);
		}
#pragma GCC unroll 2
		for (int i = 0; i < 16; i += 8) {
			ROUND(s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], i);
			ROUND(s[7], s[0], s[1], s[2], s[3], s[4], s[5], s[6], i + 1);
			ROUND(s[6], s[7], s[0], s[1], s[2], s[3], s[4], s[5], i + 2);
			ROUND(s[5], s[6], s[7], s[0], s[1], s[2], s[3], s[4], i + 3);
			ROUND(s[4], s[5], s[6], s[7], s[0], s[1], s[2], s[3], i + 4);
			ROUND(s[3], s[4], s[5], s[6], s[7], s[0], s[1], s[2], i + 5);
			ROUND(s[2], s[3], s[4], s[5], s[6], s[7], s[0], s[1], i + 6);
			ROUND(s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[0], i + 7);
		}
	}
	for (int i = 0; i < 8; i++)
		h[i] += s[i];
}

static void plain_blocks(uint32_t h[8], const uint8_t *at, size_t count)
{
	for (; count > 0; count--, at += 64)
		plain_block(h, at);
}

#if defined(__x86_64__) && !defined(SHA256_PLAIN)
/* Intel SHA Extensions: the state is kept as {a, b, e, f} and {c, d, g, h}, four rounds go at once
 */
__attribute__((target("sha,sse4.1"))) static void quick_blocks(uint32_t h[8], const uint8_t *at,
							       size_t count)
{
	const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0bll, 0x0405060700010203ll);
	__m128i abef = _mm_setr_epi32((int)h[5], (int)h[4], (int)h[1], (int)h[0]);
	__m128i cdgh = _mm_setr_epi32((int)h[7], (int)h[6], (int)h[3], (int)h[2]);
	uint32_t out[8];

	for (; count > 0; count--, at += 64) {
		__m128i first = abef, second = cdgh, w[4];

		for (int i = 0; i < 4; i++)
			w[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)at + i), swap);
#pragma GCC unroll 16
		for (int i = 0; i < 16; i++) {
			__m128i sum = _mm_add_epi32(w[i % 4],
						    _mm_loadu_si128((const __m128i *)(k + 4 * i)));

			cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
			abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0e));
			if (i < 12) {
				__m128i next = _mm_sha256msg1_epu32(w[i % 4], w[(i + 1) % 4]);

				next = _mm_add_epi32(
					next, _mm_alignr_epi8(w[(i + 3) % 4], w[(i + 2) % 4], 4));
				w[i % 4] = _mm_sha256msg2_epu32(next, w[(i + 3) % 4]);
			}
		}
		abef = _mm_add_epi32(abef, first);
		cdgh = _mm_add_epi32(cdgh, second);
	}
	_mm_storeu_si128((__m128i *)out, abef);
	_mm_storeu_si128((__m128i *)(out + 4), cdgh);
	h[0] = out[3];
	h[1] = out[2];
	h[4] = out[1];
	h[5] = out[0];
	h[2] = out[7];
	h[3] = out[6];
	h[6] = out[5];
	h[7] = out[4];
}

static bool is_quick(void)
{
	unsigned a, b, c, d;

	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & 1u << 29) &&
	       __builtin_cpu_supports("sse4.1");
}
#endif

static void blocks(uint32_t h[8], const uint8_t *at, size_t count)
{
#if defined(__x86_64__) && !defined(SHA256_PLAIN)
	static int quick = -1;

	if (__atomic_load_n(&quick, __ATOMIC_RELAXED) < 0)
		__atomic_store_n(&quick, is_quick(), __ATOMIC_RELAXED);
	if (__atomic_load_n(&quick, __ATOMIC_RELAXED)) {
		quick_blocks(h, at, count);
		return;
	}
#endif
	plain_blocks(h, at, count);
}

void sha256_begin(struct sha256 *sha)
{
	static const uint32_t start[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
					   0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };

	memcpy(sha->state, start, sizeof(start));
	sha->length = 0;
}

void sha256_add(struct sha256 *sha, const void *bytes, size_t length)
{
	size_t filled = sha->length % 64;
	const uint8_t *at = bytes;

	sha->length += length;
	if (filled > 0) {
		size_t more = 64 - filled < length ? 64 - filled : length;

		memcpy(sha->block + filled, at, more);
		at += more;
		length -= more;
		if (filled + more < 64)
			return;
		blocks(sha->state, sha->block, 1);
	}
	blocks(sha->state, at, length / 64);
	memcpy(sha->block, at + length / 64 * 64, length % 64);
}

void sha256_end(struct sha256 *sha, uint8_t digest[32])
{
	uint64_t bits = sha->length * 8;
	uint8_t padding[72] = { 0x80 };
	size_t filled = sha->length % 64;

	filled = filled < 56 ? 56 - filled : 120 - filled;
	for (size_t i = 0; i < 8; i++)
		padding[filled + i] = (uint8_t)(bits >> (56 - 8 * i));
	sha256_add(sha, padding, filled + 8);
	for (size_t i = 0; i < 32; i++)
		digest[i] = (uint8_t)(sha->state[i / 4] >> (24 - 8 * (i % 4)));
}
