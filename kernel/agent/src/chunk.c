// SPDX-License-Identifier: Apache-2.0
/* What of a region is sent in one message: as much of its ranges as there is room for. */
#include <string.h>
#include <unistd.h>

#include "morph.h"

void chunk_add(struct chunk *chunk, uint64_t offset, uint64_t length, uint32_t flags)
{
	struct kmp_extent *before = chunk->count > 0 ? &chunk->extents[chunk->count - 1] : NULL;

	chunk->covers += length;
	if (!flags)
		chunk->raw_length += (uint32_t)length;
	if (before && before->flags == flags && before->offset + before->length == offset &&
	    before->length + length <= 1u << 30) {
		before->length += (uint32_t)length;
		return;
	}
	chunk->extents[chunk->count++] =
		(struct kmp_extent){ .offset = offset, .length = (uint32_t)length, .flags = flags };
}

void chunk_add_pages(struct chunk *chunk, uint64_t offset, size_t length)
{
	for (size_t i = 0; i < length; i += PAGE) {
		uint8_t *page = chunk->data + chunk->raw_length;

		if (is_zero(page, PAGE)) {
			chunk_add(chunk, offset + i, PAGE, KMP_EXTENT_ZERO);
			memmove(page, page + PAGE, length - i - PAGE);
		} else {
			chunk_add(chunk, offset + i, PAGE, 0);
		}
	}
}

void chunk_clear(struct chunk *chunk)
{
	chunk->count = chunk->raw_length = 0;
	chunk->covers = 0;
}

size_t chunk_page_room(const struct chunk *chunk)
{
	size_t room = (CHUNK - chunk->raw_length) / PAGE, extents = (EXTENTS - chunk->count) / 2;

	return (room < extents ? room : extents) * PAGE;
}

/* Some of [from, to); returns up to where, or from when the chunk is full. */
static uint64_t read_memory(struct chunk *chunk, struct region *region, uint64_t from, uint64_t to)
{
	off_t data = lseek(region->fd, (off_t)from, SEEK_DATA);
	uint64_t at = data < 0 ? to : (uint64_t)data / PAGE * PAGE;
	size_t room = chunk_page_room(chunk), wanted;
	ssize_t got;

	if (at > from) {
		/* a hole: never written */
		at = at < to ? at : to;
		at = at - from > 1u << 30 ? from + (1u << 30) : at;
		chunk_add(chunk, from, at - from, KMP_EXTENT_ZERO);
		return at;
	}
	wanted = to - from < room ? to - from : room;
	wanted = wanted / PAGE * PAGE;
	if (wanted == 0)
		return from;
	got = pread(region->fd, chunk->data + chunk->raw_length, wanted, (off_t)from);
	if (got < (ssize_t)PAGE)
		return from;
	memory_sent(region, from, chunk->data + chunk->raw_length, (size_t)got);
	chunk_add_pages(chunk, from, (size_t)got);
	return from + (uint64_t)got;
}

static uint64_t read_blob(struct chunk *chunk, struct region *region, uint64_t from, uint64_t to)
{
	uint64_t length =
		to - from < CHUNK - chunk->raw_length ? to - from : CHUNK - chunk->raw_length;

	if (length == 0)
		return from;
	memcpy(chunk->data + chunk->raw_length, region->blob + from, length);
	chunk_add(chunk, from, length, 0);
	return from + length;
}

bool chunk_fill(struct chunk *chunk, struct region *region)
{
	chunk_clear(chunk);
	while (region->range_at < region->range_count && chunk->raw_length < CHUNK &&
	       chunk->count < EXTENTS - 2) {
		struct range *range = &region->ranges[region->range_at];
		uint64_t at = region->kind == KMP_KIND_MEMORY
				      ? read_memory(chunk, region, range->from, range->to)
				      : read_blob(chunk, region, range->from, range->to);

		if (at == range->from)
			break;
		range->from = at;
		if (at == range->to)
			region->range_at++;
	}
	return chunk->count > 0;
}

void chunk_digest(const struct chunk *chunk, struct digest *digest)
{
	const uint8_t *data = chunk->data;

	for (uint32_t i = 0; i < chunk->count; i++) {
		digest_add(digest, &chunk->extents[i], sizeof(chunk->extents[i]));
		if (chunk->extents[i].flags)
			continue;
		digest_add(digest, data, chunk->extents[i].length);
		data += chunk->extents[i].length;
	}
}
