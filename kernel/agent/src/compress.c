// SPDX-License-Identifier: Apache-2.0
/* Chunks as zstd frames: docs/kmp.md, Chunks. A peer may send anything as one; what it expands to
 * is bounded by what the chunk says before a byte of it is written. */
#include <stdlib.h>
#include <zstd.h>

#include "morph.h"

/* State is packed while it is waited for: the level that is quickest of those with a good ratio. */
#define LEVEL 1

static ZSTD_CCtx *packing;
static ZSTD_DCtx *unpacking;

size_t compress_pack(const uint8_t *bytes, size_t length, uint8_t *packed, size_t room)
{
	size_t size;

	if (!packing)
		packing = ZSTD_createCCtx();
	if (!packing || length == 0)
		return 0;
	size = ZSTD_compressCCtx(packing, packed, room, bytes, length, LEVEL);
	return ZSTD_isError(size) || size >= length ? 0 : size;
}

bool compress_unpack(const uint8_t *packed, size_t size, uint8_t *bytes, size_t length)
{
	if (!unpacking)
		unpacking = ZSTD_createDCtx();
	/* one frame and nothing behind it, which needs no dictionary */
	return unpacking && ZSTD_findFrameCompressedSize(packed, size) == size &&
	       ZSTD_getDictID_fromFrame(packed, size) == 0 &&
	       ZSTD_decompressDCtx(unpacking, bytes, length, packed, size) == length;
}

void compress_forget(void)
{
	ZSTD_freeCCtx(packing);
	ZSTD_freeDCtx(unpacking);
	packing = NULL;
	unpacking = NULL;
}
