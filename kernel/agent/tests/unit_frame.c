// SPDX-License-Identifier: Apache-2.0
/* The parser of frames and items, against the frames of docs/kmp.md. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

/* Where make has put the page's frames, one each file. */
#define GOLDEN "target/golden"

struct golden {
	char name[300];
	uint8_t *bytes; /* exactly as long as it says, so that the sanitizer sees what reads beyond
			 */
	size_t length;
};

static struct golden golden[64];
static size_t golden_count;

static void read_golden(void)
{
	DIR *directory = opendir(GOLDEN);
	struct dirent *entry;

	MUST(directory);
	while ((entry = readdir(directory))) {
		struct golden *one = &golden[golden_count];
		char path[600];
		long length;
		FILE *file;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(one->name, sizeof(one->name), "%s", entry->d_name);
		snprintf(path, sizeof(path), GOLDEN "/%s", entry->d_name);
		file = fopen(path, "rb");
		MUST(file && fseek(file, 0, SEEK_END) == 0 && (length = ftell(file)) > 0);
		rewind(file);
		one->length = (size_t)length;
		one->bytes = malloc(one->length);
		MUST(one->bytes && fread(one->bytes, 1, one->length, file) == one->length);
		fclose(file);
		golden_count++;
	}
	closedir(directory);
}

static void every_golden_frame_is_whole(void)
{
	/* one for each type and answer that docs/kmp.md shows */
	MUST(golden_count == 25);
	for (size_t i = 0; i < golden_count; i++) {
		struct frame frame;

		world_doing = golden[i].name;
		MUST(frame_parse(golden[i].bytes, golden[i].length, &frame) == FRAME_WHOLE);
		MUST(frame.payload == golden[i].bytes + KMP_HEADER_LEN);
		MUST(frame.header.payload_len == golden[i].length - KMP_HEADER_LEN);
		MUST(frame.header.timestamp_ns == frame.header.sequence * SECOND);
	}
}

static void sealing_makes_the_golden_bytes_again(void)
{
	for (size_t i = 0; i < golden_count; i++) {
		uint8_t *bytes = malloc(golden[i].length);
		struct kmp_header header;

		memcpy(bytes, golden[i].bytes, golden[i].length);
		memcpy(&header, bytes, sizeof(header));
		memset(bytes, 0xff, KMP_HEADER_LEN);
		frame_seal(bytes, header.msg_type, header.sequence, header.payload_len,
			   header.timestamp_ns);
		MUST(memcmp(bytes, golden[i].bytes, golden[i].length) == 0);
		free(bytes);
	}
}

static void a_part_of_a_frame_is_not_whole_yet(void)
{
	for (size_t i = 0; i < golden_count; i++)
		for (size_t length = 0; length < golden[i].length; length++) {
			/* a copy that ends where the part does */
			uint8_t *part = malloc(length ? length : 1);
			struct frame frame;

			memcpy(part, golden[i].bytes, length);
			MUST(frame_parse(part, length, &frame) == FRAME_MORE);
			free(part);
		}
}

static void one_wrong_bit_is_never_taken(void)
{
	for (size_t i = 0; i < golden_count; i++)
		for (size_t bit = 0; bit < golden[i].length * 8; bit++) {
			struct frame frame;
			enum frame_state state;

			golden[i].bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
			state = frame_parse(golden[i].bytes, golden[i].length, &frame);
			golden[i].bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
			MUST(state != FRAME_WHOLE);
			if (bit < 32)
				MUST(state == FRAME_UNTRUSTED);
			else if (bit < 48)
				MUST(state == FRAME_OTHER_VERSION);
			else if (bit >= 128)
				MUST(state == FRAME_UNTRUSTED);
		}
}

static void the_first_wrong_byte_of_the_magic_tells(void)
{
	static const uint8_t wrong[] = { 0x00, 0x50, 0x4d, 0x4c };
	struct frame frame;

	MUST(frame_parse(wrong, 3, &frame) == FRAME_MORE);
	MUST(frame_parse(wrong, 4, &frame) == FRAME_UNTRUSTED);
	MUST(frame_parse(wrong + 1, 1, &frame) == FRAME_UNTRUSTED);
}

static void length_is_bounded_by_the_header_alone(void)
{
	static const struct {
		uint16_t type;
		uint32_t most;
	} limits[] = {
		{ KMP_HEARTBEAT_REQ, KMP_MAX_SMALL_PAYLOAD_BYTES },
		{ KMP_HEARTBEAT_RSP, KMP_MAX_SMALL_PAYLOAD_BYTES },
		{ KMP_HEALTH_STATUS, KMP_MAX_SMALL_PAYLOAD_BYTES },
		{ KMP_ERROR, KMP_MAX_SMALL_PAYLOAD_BYTES },
		{ KMP_RETRY, KMP_MAX_SMALL_PAYLOAD_BYTES },
		{ KMP_MORPH_TRANSFER_STATE, KMP_MAX_PAYLOAD_BYTES },
		{ 0x7777, KMP_MAX_PAYLOAD_BYTES },
	};

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		struct kmp_header header = { .magic = KMP_MAGIC,
					     .version = KMP_VERSION,
					     .msg_type = limits[i].type,
					     .payload_len = limits[i].most };
		struct frame frame;

		MUST(frame_parse((const uint8_t *)&header, sizeof(header), &frame) == FRAME_MORE);
		header.payload_len++;
		MUST(frame_parse((const uint8_t *)&header, sizeof(header), &frame) ==
		     FRAME_TOO_LARGE);
		MUST(frame.limit == limits[i].most);
		header.payload_len = UINT32_MAX;
		MUST(frame_parse((const uint8_t *)&header, sizeof(header), &frame) ==
		     FRAME_TOO_LARGE);
	}
}

/* An item of len zeros behind those that there are. */
static size_t put_item(uint8_t *items, size_t at, uint16_t type, uint16_t len)
{
	struct kmp_item item = { .type = type, .len = len };

	memcpy(items + at, &item, sizeof(item));
	memset(items + at + sizeof(item), 0, len);
	return at + sizeof(item) + len;
}

static void items_end_where_the_payload_does(void)
{
	uint8_t items[64];
	size_t length = put_item(items, 0, KMP_I_TEXT, 5), at;

	length = put_item(items, length, 0x7001, 0);
	MUST(items_are_well_formed(items, length, &at));
	MUST(items_are_well_formed(items, 0, &at));
	for (size_t cut = 1; cut < length; cut++)
		if (cut != 9)
			MUST(!items_are_well_formed(items, cut, &at) && at == (cut < 9 ? 0 : 9));
}

static void items_that_are_known_have_their_lengths(void)
{
	static const struct {
		uint16_t type, least, most;
	} lengths[] = {
		{ KMP_I_KERNEL_RELEASE, 0, 64 }, { KMP_I_CAPABILITIES, 8, 0 },
		{ KMP_I_AGENT_VERSION, 0, 16 },	 { KMP_I_WORKLOAD, 24, 0 },
		{ KMP_I_OPERATION, 24, 0 },	 { KMP_I_TEXT, 0, 1024 },
		{ KMP_I_MACHINE, 0, 64 },	 { KMP_I_STATE_KIND, 24, 0 },
		{ KMP_I_REGION, 16, 16 + 63 },	 { KMP_I_INCOMPATIBLE, 4, 4 + 1024 },
		{ KMP_I_DIGEST, 13, 12 + 32 },	 { KMP_I_CHECK, 8, 8 + 1024 },
		{ KMP_I_MEMORY_RANGE, 24, 0 },	 { KMP_I_CPU_RANGE, 12, 0 },
		{ KMP_I_DEVICE, 4, 4 + 63 },	 { KMP_I_INSTANCE, 12, 12 + 63 },
	};
	static uint8_t items[70000];
	size_t at;

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		uint16_t type = lengths[i].type, least = lengths[i].least, most = lengths[i].most;

		MUST(items_are_well_formed(items, put_item(items, 0, type, least), &at));
		if (least > 0)
			MUST(!items_are_well_formed(
				items, put_item(items, 0, type, (uint16_t)(least - 1)), &at));
		MUST(items_are_well_formed(items, put_item(items, 0, type, most ? most : 0xffff),
					   &at));
		if (most > 0)
			MUST(!items_are_well_formed(
				items, put_item(items, 0, type, (uint16_t)(most + 1)), &at));
	}
}

static void items_are_counted(void)
{
	static uint8_t items[(KMP_MAX_ITEMS + 1) * sizeof(struct kmp_item)];
	size_t length = 0, at;

	for (int i = 0; i < KMP_MAX_ITEMS; i++)
		length = put_item(items, length, 0x7001, 0);
	MUST(items_are_well_formed(items, length, &at));
	MUST(!items_are_well_formed(items, put_item(items, length, 0x7001, 0), &at));
	MUST(at == length);
}

static void an_item_that_does_not_fit_is_left_out(void)
{
	uint8_t payload[20];

	MUST(item_add(payload, 8, sizeof(payload), KMP_I_TEXT, "12345678", 8) == 20);
	MUST(memcmp(payload + 8, "\6\0\10\00012345678", 12) == 0);
	MUST(item_add(payload, 9, sizeof(payload), KMP_I_TEXT, "12345678", 8) == 9);
}

void unit_frame(void)
{
	read_golden();
	RUN(every_golden_frame_is_whole);
	RUN(sealing_makes_the_golden_bytes_again);
	RUN(a_part_of_a_frame_is_not_whole_yet);
	RUN(one_wrong_bit_is_never_taken);
	RUN(the_first_wrong_byte_of_the_magic_tells);
	RUN(length_is_bounded_by_the_header_alone);
	RUN(items_end_where_the_payload_does);
	RUN(items_that_are_known_have_their_lengths);
	RUN(items_are_counted);
	RUN(an_item_that_does_not_fit_is_left_out);
	for (size_t i = 0; i < golden_count; i++)
		free(golden[i].bytes);
}
