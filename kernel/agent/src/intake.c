// SPDX-License-Identifier: Apache-2.0
/* The target's side of TRANSFER_STATE: chunks are written to where the workload will find them. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "morph.h"

/* How much may be on its way to us; what has come is dealt with at once. */
#define WINDOW (4u << 20)

static void acknowledge(struct connection *connection, const struct frame *frame, uint64_t offset,
			bool data)
{
	uint8_t bytes[KMP_HEADER_LEN + sizeof(struct kmp_ack)];
	struct kmp_ack ack = { .stream_offset = offset, .window_bytes = data ? WINDOW : 0 };

	morph_head((uint8_t *)&ack.head, KMP_VERDICT_NONE);
	memcpy(bytes + KMP_HEADER_LEN, &ack, sizeof(ack));
	connection_send(connection, bytes, KMP_MORPH_TRANSFER_STATE | KMP_ANSWER,
			frame->header.sequence, sizeof(ack));
}

static bool write_zeros(struct region *region, uint64_t offset, uint64_t length)
{
	if (region->kind == KMP_KIND_MEMORY)
		return fallocate(region->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				 (off_t)offset, (off_t)length) == 0;
	memset(region->blob + offset, 0, length);
	return true;
}

static bool write_bytes(struct region *region, uint64_t offset, const uint8_t *bytes,
			uint32_t length)
{
	while (region->kind == KMP_KIND_MEMORY && length > 0) {
		ssize_t put = pwrite(region->fd, bytes, length, (off_t)offset);

		if (put <= 0)
			return false;
		bytes += put;
		offset += (uint64_t)put;
		length -= (uint32_t)put;
	}
	if (length > 0)
		memcpy(region->blob + offset, bytes, length);
	return true;
}

/* Whether there is room up to end; others than memory grow to what they hold. */
static bool reach(struct region *region, uint64_t end)
{
	uint8_t *more;

	if (region->kind == KMP_KIND_MEMORY)
		return end <= region->size;
	if (end <= region->size)
		return true;
	if (end > MAX_BLOB)
		return false;
	more = realloc(region->blob, end);
	if (!more)
		return false;
	memset(more + region->size, 0, end - region->size);
	region->blob = more;
	region->size = end;
	return true;
}

static bool lengths_agree(const struct frame *frame, const struct kmp_morph_transfer *head)
{
	const uint8_t *at = frame->payload + sizeof(*head);
	size_t left = frame->header.payload_len - sizeof(*head);
	uint64_t raw = 0;

	if (head->extent_count < 1 || head->extent_count > KMP_MAX_EXTENTS ||
	    left < head->extent_count * sizeof(struct kmp_extent) ||
	    left - head->extent_count * sizeof(struct kmp_extent) < head->data_len ||
	    head->raw_len > KMP_MAX_CHUNK_BYTES)
		return false;
	if (head->flags & KMP_CHUNK_COMPRESSED ? !morph.compressed
					       : head->data_len != head->raw_len)
		return false;
	for (uint16_t i = 0; i < head->extent_count; i++, at += sizeof(struct kmp_extent)) {
		struct kmp_extent extent;

		memcpy(&extent, at, sizeof(extent));
		if (extent.length < 1 || extent.offset > INT64_MAX - (uint64_t)extent.length ||
		    extent.flags & KMP_EXTENT_UNREADABLE)
			return false;
		if (!(extent.flags & KMP_EXTENT_ZERO))
			raw += extent.length;
	}
	return raw == head->raw_len;
}

/* The bytes of the extents; NULL when the frame does not expand to as many. */
static const uint8_t *unpacked_data(const struct kmp_morph_transfer *head, const uint8_t *data)
{
	static uint8_t bytes[KMP_MAX_CHUNK_BYTES];

	if (!(head->flags & KMP_CHUNK_COMPRESSED))
		return data;
	return compress_unpack(data, head->data_len, bytes, head->raw_len) ? bytes : NULL;
}

static void take_chunk(struct connection *connection, const struct frame *frame,
		       const struct kmp_morph_transfer *head, struct region *region)
{
	const uint8_t *extents = frame->payload + sizeof(*head);
	const uint8_t *data = extents + head->extent_count * sizeof(struct kmp_extent);
	uint64_t covers = 0;

	if (!lengths_agree(frame, head) || !(data = unpacked_data(head, data))) {
		answer_error(connection, &frame->header, KMP_E_MALFORMED,
			     offsetof(struct kmp_morph_transfer, extent_count), NULL);
		return;
	}
	if (head->stream_offset > region->covered) {
		answer_error(connection, &frame->header, KMP_E_WRONG_STATE, region->covered, NULL);
		return;
	}
	if (head->stream_offset < region->covered) {
		acknowledge(connection, frame, region->covered, true);
		return;
	}
	for (uint16_t i = 0; i < head->extent_count; i++) {
		struct kmp_extent extent;
		bool zero, done;

		memcpy(&extent, extents + i * sizeof(extent), sizeof(extent));
		zero = extent.flags & KMP_EXTENT_ZERO;
		if (!reach(region, extent.offset + extent.length)) {
			answer_error(connection, &frame->header, KMP_E_NO_SPACE,
				     extent.offset + extent.length, region->name);
			return;
		}
		done = zero ? write_zeros(region, extent.offset, extent.length)
			    : write_bytes(region, extent.offset, data, extent.length);
		if (!done) {
			answer_error(connection, &frame->header, KMP_E_IO, (uint64_t)errno,
				     region->name);
			return;
		}
		digest_add(&region->digest, &extent, sizeof(extent));
		if (!zero) {
			digest_add(&region->digest, data, extent.length);
			data += extent.length;
		}
		covers += extent.length;
	}
	region->covered += covers;
	acknowledge(connection, frame, region->covered, true);
}

static bool digest_is(const struct frame *frame, const struct region *region)
{
	size_t at = 0, length = frame->header.payload_len - sizeof(struct kmp_morph_transfer);
	const uint8_t *items = frame->payload + sizeof(struct kmp_morph_transfer);
	const struct kmp_item *item;

	while ((item = kmp_next_item(items, length, &at))) {
		struct kmp_i_digest digest;
		const uint8_t *value = (const uint8_t *)(item + 1);

		if (item->type != KMP_I_DIGEST || item->len < sizeof(digest))
			continue;
		memcpy(&digest, value, sizeof(digest));
		return digest.region == region->id && digest.algorithm == morph.digest &&
		       item->len == sizeof(digest) + region->last_digest_length &&
		       memcmp(value + sizeof(digest), region->last_digest,
			      region->last_digest_length) == 0;
	}
	return false;
}

static void take_end(struct connection *connection, const struct frame *frame,
		     const struct kmp_morph_transfer *head, struct region *region)
{
	if (region->ended && region->round == head->round) {
		acknowledge(connection, frame, region->covered, false);
		return;
	}
	if (head->stream_offset != region->covered) {
		answer_error(connection, &frame->header, KMP_E_WRONG_STATE, region->covered, NULL);
		return;
	}
	region_end_round(region);
	region->round = head->round;
	if (!digest_is(frame, region)) {
		region->ended = false;
		answer_error(connection, &frame->header, KMP_E_DIGEST_MISMATCH, region->id,
			     region->name);
		return;
	}
	region->final = head->flags & KMP_CHUNK_FINAL;
	acknowledge(connection, frame, region->covered, false);
}

void intake_take(struct connection *connection, const struct frame *frame,
		 const struct kmp_morph_transfer *head)
{
	struct region *region = region_find(head->region);
	uint32_t expected;

	if (!region) {
		answer_error(connection, &frame->header, KMP_E_MALFORMED,
			     offsetof(struct kmp_morph_transfer, region), NULL);
		return;
	}
	expected = region->ended ? region->round + 1 : region->round;
	if (region->round == 0 || (region->ended && head->round == expected && !region->final)) {
		/* the first that is heard of a round begins it */
		if (region->round == 0 && head->round < 1)
			expected = UINT32_MAX;
		region_begin_round(region, morph.digest);
		region->round = expected = head->round;
		if (region->kind != KMP_KIND_MEMORY)
			region->size = 0;
	}
	if (head->round != expected && !(region->ended && head->round == region->round)) {
		answer_error(connection, &frame->header, KMP_E_WRONG_STATE, region->round, NULL);
		return;
	}
	if (morph.state != KMP_OP_VALIDATED)
		morph_become(KMP_OP_TRANSFERRING);
	if (!(head->flags & KMP_CHUNK_FINAL))
		urgency_bulk(BULK_GAP);
	if (head->step == KMP_TRANSFER_END)
		take_end(connection, frame, head, region);
	else if (region->ended)
		acknowledge(connection, frame, region->covered, true);
	else
		take_chunk(connection, frame, head, region);
}

bool intake_is_final(void)
{
	for (size_t i = 0; i < region_count; i++)
		if (!regions[i].ended || !regions[i].final)
			return false;
	return region_count > 0;
}

void intake_forget(void)
{
	compress_forget();
	regions_forget();
}
