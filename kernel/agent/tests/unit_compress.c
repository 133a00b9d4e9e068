// SPDX-License-Identifier: Apache-2.0
/* Chunks as zstd frames, and what hostile peers send as such. */
#include <stdlib.h>
#include <string.h>

#include "unit.h"

#define LENGTH 65536u

static uint8_t bytes[LENGTH], packed[LENGTH];

/* The same numbers in every run; few: they pack well. */
static void fill(uint8_t few)
{
	uint32_t state = 1;

	for (size_t i = 0; i < LENGTH; i++) {
		state = state * 1664525u + 1013904223u;
		bytes[i] = (uint8_t)((state >> 24) % few);
	}
}

static size_t pack(uint8_t few)
{
	fill(few);
	return compress_pack(bytes, LENGTH, packed, sizeof(packed));
}

/* Into memory that ends where it may. */
static bool unpacks(const uint8_t *frame, size_t size, size_t length)
{
	uint8_t *room = malloc(length), *copy = malloc(size + 1);
	bool done;

	memcpy(copy, frame, size);
	done = compress_unpack(copy, size, room, length);
	if (done && length <= LENGTH)
		MUST(memcmp(room, bytes, length) == 0);
	free(room);
	free(copy);
	return done;
}

static void what_is_packed_comes_out_as_it_was(void)
{
	size_t size = pack(4);

	MUST(size > 0 && size < LENGTH / 2);
	MUST(unpacks(packed, size, LENGTH));
}

static void what_gets_no_smaller_is_not_packed(void)
{
	MUST(pack(255) == 0);
	MUST(compress_pack(bytes, 0, packed, sizeof(packed)) == 0);
	fill(2);
	MUST(compress_pack(bytes, LENGTH, packed, 16) == 0);
}

/* However much it would make of itself, what was said is what there is room for. */
static void a_frame_of_another_length_is_refused(void)
{
	size_t size;

	memset(bytes, 7, sizeof(bytes));
	size = compress_pack(bytes, LENGTH, packed, sizeof(packed));
	MUST(size > 0 && size < 64);
	MUST(!unpacks(packed, size, 1));
	MUST(!unpacks(packed, size, LENGTH - 1));
	MUST(!unpacks(packed, size, LENGTH + 1));
	MUST(unpacks(packed, size, LENGTH));
}

static void one_that_is_cut_off_is_refused(void)
{
	size_t size = pack(3);

	for (size_t cut = 0; cut < size; cut += cut < 64 ? 1 : 97)
		MUST(!unpacks(packed, cut, LENGTH));
	MUST(!unpacks(packed, size - 1, LENGTH));
}

static void nothing_may_stand_behind_it(void)
{
	size_t size;

	memset(bytes, 7, sizeof(bytes));
	size = compress_pack(bytes, LENGTH / 2, packed, sizeof(packed));
	memcpy(packed + size, packed, size);
	MUST(unpacks(packed, size, LENGTH / 2));
	MUST(!unpacks(packed, 2 * size, LENGTH));
	MUST(!unpacks(packed, size + 1, LENGTH / 2));
}

/* What is not zstd at all, a frame to be skipped, one that wants a dictionary. */
static void other_frames_are_refused(void)
{
	static const uint8_t skipped[] = { 0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 7 };
	static const uint8_t wants_dictionary[] = {
		0x28, 0xb5, 0x2f, 0xfd, 0x21, 5, 1, 1, 0, 0, 7
	};

	MUST(!unpacks(skipped, sizeof(skipped), 1));
	MUST(!unpacks(wants_dictionary, sizeof(wants_dictionary), 1));
	fill(255);
	MUST(!unpacks(bytes, LENGTH, LENGTH));
}

/* A frame that was altered on its way expands to something else of the same length, or is refused.
 */
static void one_that_was_altered_harms_nobody(void)
{
	size_t size = pack(3);
	uint8_t *room = malloc(LENGTH);

	for (size_t at = 0; at < size; at += 7) {
		packed[at] ^= (uint8_t)(1u << at % 8);
		compress_unpack(packed, size, room, LENGTH);
		packed[at] ^= (uint8_t)(1u << at % 8);
	}
	free(room);
	MUST(unpacks(packed, size, LENGTH));
}

void unit_compress(void)
{
	RUN(what_is_packed_comes_out_as_it_was);
	RUN(what_gets_no_smaller_is_not_packed);
	RUN(a_frame_of_another_length_is_refused);
	RUN(one_that_is_cut_off_is_refused);
	RUN(nothing_may_stand_behind_it);
	RUN(other_frames_are_refused);
	RUN(one_that_was_altered_harms_nobody);
	compress_forget();
}
