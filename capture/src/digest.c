// SPDX-License-Identifier: Apache-2.0
/* The digest of what was written, which is in the page cache still. */
#include "capture.h"

void digest_file(struct sha256 *sha, uint64_t from, uint64_t to)
{
	static uint8_t buffer[1 << 17];

	while (from < to) {
		size_t part = to - from < sizeof(buffer) ? (size_t)(to - from) : sizeof(buffer);

		output_read(from, buffer, part);
		sha256_add(sha, buffer, part);
		from += part;
	}
}
