// SPDX-License-Identifier: Apache-2.0
/* SHA-256 (FIPS 180-4). */
#ifndef KMORPH_SHA256_H
#define KMORPH_SHA256_H

#include <stddef.h>
#include <stdint.h>

struct sha256 {
	uint32_t state[8];
	uint64_t length;
	uint8_t block[64];
};
void sha256_begin(struct sha256 *sha);
void sha256_add(struct sha256 *sha, const void *bytes, size_t length);
void sha256_end(struct sha256 *sha, uint8_t digest[32]);

#endif
