// SPDX-License-Identifier: Apache-2.0
/* The packings of kdump pages. Dumps are written once, in a hurry, and seldom read: each packs as
 * quickly as it can. */
#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "capture.h"

struct packer {
	enum compression compression;
	struct libdeflate_compressor *zlib;
	ZSTD_CCtx *zstd;
};

bool compression_of(const char *name, enum compression *found)
{
	static const struct {
		const char *name;
		enum compression compression;
	} known[] = { { "none", NONE }, { "zlib", ZLIB }, { "lzo", LZO }, { "zstd", ZSTD } };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(name, known[i].name) == 0) {
			*found = known[i].compression;
			return true;
		}
	}
	return false;
}

struct packer *packer_new(enum compression compression)
{
	struct packer *packer = calloc(1, sizeof(*packer));

	if (!packer)
		die("out of memory");
	packer->compression = compression;
	if (compression == ZLIB)
		packer->zlib = libdeflate_alloc_compressor(1);
	if (compression == ZSTD)
		packer->zstd = ZSTD_createCCtx();
	if ((compression == ZLIB && !packer->zlib) || (compression == ZSTD && !packer->zstd))
		die("out of memory");
	return packer;
}

void packer_free(struct packer *packer)
{
	libdeflate_free_compressor(packer->zlib);
	ZSTD_freeCCtx(packer->zstd);
	free(packer);
}

static size_t pack(struct packer *packer, const uint8_t page[PAGE], uint8_t into[PAGE])
{
	size_t length;

	if (packer->compression == ZLIB)
		return libdeflate_zlib_compress(packer->zlib, page, PAGE, into, PAGE - 1);
	length = ZSTD_compressCCtx(packer->zstd, into, PAGE - 1, page, PAGE, 1);
	return ZSTD_isError(length) ? 0 : length;
}

void packer_pack(struct packer *packer, unsigned count, const uint8_t *const *pages,
		 uint8_t *const *into, size_t *lengths)
{
	if (packer->compression == LZO)
		lzo_pack(count, pages, into, lengths);
	for (unsigned i = 0; i < count && packer->compression != LZO; i++)
		lengths[i] = packer->compression == NONE ? 0 : pack(packer, pages[i], into[i]);
}
