// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "morph.h"

uint8_t *blob_grow(struct blob *blob, size_t length)
{
	size_t wanted = blob->length + length;

	if (blob->failed || wanted > MAX_BLOB) {
		blob->failed = true;
		return NULL;
	}
	if (wanted > blob->room) {
		size_t room = wanted * 2 + 4096;
		uint8_t *more = realloc(blob->bytes, room);

		if (!more) {
			blob->failed = true;
			return NULL;
		}
		blob->bytes = more;
		blob->room = room;
	}
	blob->length = wanted;
	return blob->bytes + wanted - length;
}

void blob_add(struct blob *blob, const void *bytes, size_t length)
{
	uint8_t *at = blob_grow(blob, length);

	if (at)
		memcpy(at, bytes, length);
}

const uint8_t *blob_end(const uint8_t *bytes, size_t length)
{
	return length > 0 ? bytes + length : bytes;
}

bool blob_take(const uint8_t **at, const uint8_t *end, void *bytes, size_t length)
{
	if ((size_t)(end - *at) < length)
		return false;
	memcpy(bytes, *at, length);
	*at += length;
	return true;
}
