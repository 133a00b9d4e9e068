// SPDX-License-Identifier: Apache-2.0
/*
 * CRC-32 of IEEE 802.3. State is checked with it while a workload stands still, so the processor's
 * carry-less multiplication is used where there is one: V. Gopal et al., "Fast CRC Computation for
 * Generic Polynomials Using PCLMULQDQ Instruction", Intel 2009; the constants are those of its
 * table for the bit-reflected polynomial.
 */
#include <string.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

#include "agent.h"

/* Eight bytes at a time, by as many tables. */
static uint32_t by_tables(uint32_t crc, const uint8_t *bytes, size_t length)
{
	static uint32_t table[8][256];

	if (!table[0][1]) {
		for (uint32_t i = 0; i < 256; i++) {
			uint32_t entry = i;

			for (int bit = 0; bit < 8; bit++)
				entry = entry >> 1 ^ (entry & 1 ? 0xedb88320u : 0);
			table[0][i] = entry;
		}
		for (int t = 1; t < 8; t++)
			for (uint32_t i = 0; i < 256; i++)
				table[t][i] =
					table[t - 1][i] >> 8 ^ table[0][table[t - 1][i] & 0xff];
	}
	for (; length >= 8; length -= 8, bytes += 8) {
		uint64_t eight;

		memcpy(&eight, bytes, sizeof(eight));
		eight ^= crc;
		crc = 0;
		for (int t = 0; t < 8; t++)
			crc ^= table[7 - t][eight >> (8 * t) & 0xff];
	}
	while (length--)
		crc = crc >> 8 ^ table[0][(crc ^ *bytes++) & 0xff];
	return crc;
}

#ifdef __x86_64__
#define FOLDED 64u /* bytes in one step */

#define CARRYLESS __attribute__((target("pclmul,sse4.1")))

CARRYLESS static __m128i fold(__m128i value, __m128i by, __m128i next)
{
	__m128i low = _mm_clmulepi64_si128(value, by, 0x00);
	__m128i high = _mm_clmulepi64_si128(value, by, 0x11);

	return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

CARRYLESS static __m128i load(const uint8_t *bytes)
{
	return _mm_loadu_si128((const __m128i *)(const void *)bytes);
}

/* length is a multiple of 16, and at least FOLDED. */
CARRYLESS static uint32_t by_folding(uint32_t crc, const uint8_t *bytes, size_t length)
{
	const __m128i by_four = _mm_set_epi64x(0x01c6e41596, 0x0154442bd4);
	const __m128i by_one = _mm_set_epi64x(0x00ccaa009e, 0x01751997d0);
	const __m128i to_64 = _mm_set_epi64x(0, 0x0163cd6124);
	const __m128i barrett = _mm_set_epi64x(0x01f7011641, 0x01db710641);
	const __m128i low_32 = _mm_setr_epi32(-1, 0, -1, 0);
	__m128i lane[4], value, part;

	for (int i = 0; i < 4; i++)
		lane[i] = load(bytes + 16 * i);
	lane[0] = _mm_xor_si128(lane[0], _mm_cvtsi32_si128((int)crc));
	for (bytes += FOLDED, length -= FOLDED; length >= FOLDED; bytes += FOLDED, length -= FOLDED)
		for (int i = 0; i < 4; i++)
			lane[i] = fold(lane[i], by_four, load(bytes + 16 * i));
	value = lane[0];
	for (int i = 1; i < 4; i++)
		value = fold(value, by_one, lane[i]);
	for (; length >= 16; bytes += 16, length -= 16)
		value = fold(value, by_one, load(bytes));
	/* 128 bits to 64, and those to 32 */
	part = _mm_clmulepi64_si128(value, by_one, 0x10);
	value = _mm_xor_si128(_mm_srli_si128(value, 8), part);
	part = _mm_srli_si128(value, 4);
	value = _mm_clmulepi64_si128(_mm_and_si128(value, low_32), to_64, 0x00);
	value = _mm_xor_si128(value, part);
	part = _mm_clmulepi64_si128(_mm_and_si128(value, low_32), barrett, 0x10);
	part = _mm_clmulepi64_si128(_mm_and_si128(part, low_32), barrett, 0x00);
	return (uint32_t)_mm_extract_epi32(_mm_xor_si128(part, value), 1);
}
#endif

uint32_t crc_of(uint32_t crc, const uint8_t *bytes, size_t length)
{
	crc = ~crc;
#ifdef __x86_64__
	if (length >= FOLDED && __builtin_cpu_supports("pclmul") &&
	    __builtin_cpu_supports("sse4.1")) {
		size_t folded = length / 16 * 16;

		crc = by_folding(crc, bytes, folded);
		bytes += folded;
		length -= folded;
	}
#endif
	return ~by_tables(crc, bytes, length);
}
