// SPDX-License-Identifier: Apache-2.0
/* Digests of state: SHA-256, and XXH64 (the xxHash specification, seed 0). */
#include <string.h>

#include "morph.h"

#define P1 0x9e3779b185ebca87ull
#define P2 0xc2b2ae3d27d4eb4full
#define P3 0x165667b19e3779f9ull
#define P4 0x85ebca77c2b2ae63ull
#define P5 0x27d4eb2f165667c5ull

static uint64_t left(uint64_t x, int by)
{
	return x << by | x >> (64 - by);
}

static uint64_t word(const uint8_t *bytes)
{
	uint64_t value;

	memcpy(&value, bytes, sizeof(value));
	return value;
}

static uint64_t xxh_round(uint64_t v, uint64_t input)
{
	return left(v + input * P2, 31) * P1;
}

static void xxh_block(uint64_t v[4], const uint8_t *block)
{
	for (int i = 0; i < 4; i++)
		v[i] = xxh_round(v[i], word(block + 8 * i));
}

static void xxh_begin(uint64_t v[4], uint64_t seed)
{
	v[0] = seed + P1 + P2;
	v[1] = seed + P2;
	v[2] = seed;
	v[3] = seed - P1;
}

static uint64_t xxh_end(const uint64_t v[4], uint64_t length, const uint8_t *rest, uint64_t seed)
{
	size_t left_over = length % 32;
	uint64_t h = seed + P5;

	if (length >= 32) {
		h = left(v[0], 1) + left(v[1], 7) + left(v[2], 12) + left(v[3], 18);
		for (int i = 0; i < 4; i++)
			h = (h ^ xxh_round(0, v[i])) * P1 + P4;
	}
	h += length;
	for (; left_over >= 8; left_over -= 8, rest += 8)
		h = left(h ^ xxh_round(0, word(rest)), 27) * P1 + P4;
	if (left_over >= 4) {
		uint32_t half;

		memcpy(&half, rest, sizeof(half));
		h = left(h ^ half * P1, 23) * P2 + P3;
		left_over -= 4;
		rest += 4;
	}
	for (; left_over > 0; left_over--, rest++)
		h = left(h ^ *rest * P5, 11) * P1;
	h = (h ^ h >> 33) * P2;
	h = (h ^ h >> 29) * P3;
	return h ^ h >> 32;
}

uint64_t xxh64(const void *bytes, size_t length, uint64_t seed)
{
	const uint8_t *at = bytes;
	uint64_t v[4];

	xxh_begin(v, seed);
	for (size_t i = 0; i < length / 32; i++, at += 32)
		xxh_block(v, at);
	return xxh_end(v, length, at, seed);
}

static void xxh_add(struct digest *digest, const uint8_t *at, size_t length)
{
	size_t filled = digest->xxh.length % 32;
	uint8_t *block = digest->xxh.block;

	digest->xxh.length += length;
	if (filled > 0) {
		size_t more = 32 - filled < length ? 32 - filled : length;

		memcpy(block + filled, at, more);
		at += more;
		length -= more;
		if (filled + more < 32)
			return;
		xxh_block(digest->xxh.v, block);
	}
	for (; length >= 32; length -= 32, at += 32)
		xxh_block(digest->xxh.v, at);
	memcpy(block, at, length);
}

void digest_begin(struct digest *digest, uint16_t algorithm)
{
	digest->algorithm = algorithm;
	if (algorithm == KMP_DIGEST_XXH64) {
		digest->xxh.length = 0;
		xxh_begin(digest->xxh.v, 0);
	} else {
		sha256_begin(&digest->sha);
	}
}

void digest_add(struct digest *digest, const void *bytes, size_t length)
{
	if (digest->algorithm == KMP_DIGEST_XXH64)
		xxh_add(digest, bytes, length);
	else
		sha256_add(&digest->sha, bytes, length);
}

size_t digest_end(struct digest *digest, uint8_t result[KMP_MAX_DIGEST_BYTES])
{
	uint64_t value;

	if (digest->algorithm == KMP_DIGEST_XXH64) {
		value = xxh_end(digest->xxh.v, digest->xxh.length, digest->xxh.block, 0);
		memcpy(result, &value, sizeof(value));
		return sizeof(value);
	}
	sha256_end(&digest->sha, result);
	return 32;
}
