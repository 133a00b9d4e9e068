// SPDX-License-Identifier: Apache-2.0
/* Frames and items, as docs/kmp.md has them: no I/O, no state. */
#include <stddef.h>
#include <string.h>

#include "agent.h"

static uint32_t frame_crc(const struct kmp_header *header, const uint8_t *payload)
{
	struct kmp_header blank = *header;

	blank.crc32 = 0;
	return crc_of(crc_of(0, (const uint8_t *)&blank, sizeof(blank)), payload,
		      header->payload_len);
}

uint32_t frame_limit(uint16_t type)
{
	switch (type) {
	case KMP_HEARTBEAT_REQ:
	case KMP_HEARTBEAT_RSP:
	case KMP_HEALTH_STATUS:
	case KMP_ERROR:
	case KMP_RETRY:
		return KMP_MAX_SMALL_PAYLOAD_BYTES;
	default:
		return KMP_MAX_PAYLOAD_BYTES;
	}
}

enum frame_state frame_parse(const uint8_t *bytes, size_t length, struct frame *frame)
{
	static const uint8_t magic[] = { 0x00, 0x50, 0x4d, 0x4b };

	if (memcmp(bytes, magic, length < 4 ? length : 4) != 0)
		return FRAME_UNTRUSTED;
	if (length < KMP_HEADER_LEN)
		return FRAME_MORE;
	memcpy(&frame->header, bytes, KMP_HEADER_LEN);
	if (frame->header.version != KMP_VERSION)
		return FRAME_OTHER_VERSION;
	frame->limit = frame_limit(frame->header.msg_type);
	if (frame->header.payload_len > frame->limit)
		return FRAME_TOO_LARGE;
	if (length - KMP_HEADER_LEN < frame->header.payload_len)
		return FRAME_MORE;
	frame->payload = bytes + KMP_HEADER_LEN;
	return frame_crc(&frame->header, frame->payload) == frame->header.crc32 ? FRAME_WHOLE
										: FRAME_UNTRUSTED;
}

void frame_seal(uint8_t *bytes, uint16_t type, uint32_t sequence, uint32_t payload_length,
		uint64_t timestamp_ns)
{
	struct kmp_header header = {
		.magic = KMP_MAGIC,
		.version = KMP_VERSION,
		.msg_type = type,
		.sequence = sequence,
		.payload_len = payload_length,
		.timestamp_ns = timestamp_ns,
	};

	header.crc32 = frame_crc(&header, bytes + KMP_HEADER_LEN);
	memcpy(bytes, &header, sizeof(header));
}

/* The least and the most bytes of the items that we know; 0xffff where only the frame bounds it. */
static const struct {
	uint16_t type, least, most;
} known_items[] = {
	{ KMP_I_KERNEL_RELEASE, 0, KMP_MAX_RELEASE_BYTES },
	{ KMP_I_CAPABILITIES, 8, 0xffff },
	{ KMP_I_AGENT_VERSION, 0, KMP_MAX_AGENT_VERSION_BYTES },
	{ KMP_I_WORKLOAD, sizeof(struct kmp_i_workload), 0xffff },
	{ KMP_I_OPERATION, sizeof(struct kmp_i_operation), 0xffff },
	{ KMP_I_TEXT, 0, KMP_MAX_TEXT_BYTES },
	{ KMP_I_MACHINE, 0, KMP_MAX_RELEASE_BYTES },
	{ KMP_I_STATE_KIND, sizeof(struct kmp_i_state_kind), 0xffff },
	{ KMP_I_REGION, sizeof(struct kmp_i_region),
	  sizeof(struct kmp_i_region) + KMP_MAX_NAME_BYTES },
	{ KMP_I_INCOMPATIBLE, sizeof(struct kmp_i_incompatible),
	  sizeof(struct kmp_i_incompatible) + KMP_MAX_TEXT_BYTES },
	{ KMP_I_DIGEST, sizeof(struct kmp_i_digest) + 1,
	  sizeof(struct kmp_i_digest) + KMP_MAX_DIGEST_BYTES },
	{ KMP_I_CHECK, sizeof(struct kmp_i_check),
	  sizeof(struct kmp_i_check) + KMP_MAX_TEXT_BYTES },
	{ KMP_I_PEER, 1, KMP_MAX_PEER_BYTES },
	{ KMP_I_UNPACKED, 8, 0xffff },
	{ KMP_I_MEMORY_RANGE, sizeof(struct kmp_i_memory_range), 0xffff },
	{ KMP_I_CPU_RANGE, sizeof(struct kmp_i_cpu_range), 0xffff },
	{ KMP_I_DEVICE, sizeof(struct kmp_i_device),
	  sizeof(struct kmp_i_device) + KMP_MAX_NAME_BYTES },
	{ KMP_I_INSTANCE, sizeof(struct kmp_i_instance),
	  sizeof(struct kmp_i_instance) + KMP_MAX_NAME_BYTES },
	{ KMP_I_MEMORY_FILE, sizeof(struct kmp_i_memory_file) + 1,
	  sizeof(struct kmp_i_memory_file) + KMP_MAX_PATH_BYTES },
};

static bool length_fits(const struct kmp_item *item)
{
	for (size_t i = 0; i < sizeof(known_items) / sizeof(known_items[0]); i++)
		if (known_items[i].type == item->type)
			return item->len >= known_items[i].least &&
			       item->len <= known_items[i].most;
	return true;
}

bool items_are_well_formed(const uint8_t *items, size_t length, size_t *at)
{
	size_t offset = 0;

	for (size_t count = 0; offset < length; count++) {
		struct kmp_item item;

		*at = offset;
		if (length - offset < sizeof(item) || count == KMP_MAX_ITEMS)
			return false;
		memcpy(&item, items + offset, sizeof(item));
		offset += sizeof(item);
		if (length - offset < item.len || !length_fits(&item))
			return false;
		offset += item.len;
	}
	return true;
}

size_t item_add(uint8_t *payload, size_t length, size_t limit, uint16_t type, const void *value,
		size_t value_length)
{
	struct kmp_item item = { .type = type, .len = (uint16_t)value_length };

	if (length + sizeof(item) + value_length > limit)
		return length;
	memcpy(payload + length, &item, sizeof(item));
	memcpy(payload + length + sizeof(item), value, value_length);
	return length + sizeof(item) + value_length;
}
