// SPDX-License-Identifier: Apache-2.0
/*
 * LZO1X, written from the description of its stream (the kernel's Documentation/staging/lzo.rst). A
 * page is shorter than the least distance that needs the instruction for far matches, so that one
 * is only used to end the stream.
 */
#include <string.h>

#include "capture.h"

#define HASH_BITS 11
#define NEAR 2048u /* the farthest that the two-byte instruction reaches */
#define END_BYTES 3u

struct out {
	uint8_t *start, *at, *end;
};

static uint32_t word(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static uint64_t word64(const uint8_t *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

/* what is left of a length that did not fit its instruction: 255 for each byte of zero, and a last
 * one that is not */
static void rest(struct out *out, size_t length)
{
	for (; length > 255; length -= 255)
		*out->at++ = 0;
	*out->at++ = (uint8_t)length;
}

/* false when there is no room */
static bool literals(struct out *out, const uint8_t *from, size_t count)
{
	if ((size_t)(out->end - out->at) < count + count / 255 + 4)
		return false;
	if (out->at == out->start && count <= 238) {
		/* the stream's first byte tells them by itself */
		*out->at++ = (uint8_t)(17 + count);
	} else if (count <= 3) {
		/* in the low bits of the last match's first byte but one, which is where its
		 * distance begins */
		out->at[-2] = (uint8_t)(out->at[-2] | count);
	} else if (count <= 18) {
		*out->at++ = (uint8_t)(count - 3);
	} else {
		*out->at++ = 0;
		rest(out, count - 18);
	}
	memcpy(out->at, from, count);
	out->at += count;
	return true;
}

static bool match(struct out *out, size_t distance, size_t length)
{
	if ((size_t)(out->end - out->at) < length / 255 + 8)
		return false;
	distance--;
	if (length <= 8 && distance < NEAR) {
		*out->at++ = (uint8_t)((length - 1) << 5 | (distance & 7) << 2);
		*out->at++ = (uint8_t)(distance >> 3);
		return true;
	}
	if (length <= 33) {
		*out->at++ = (uint8_t)(32 | (length - 2));
	} else {
		*out->at++ = 32;
		rest(out, length - 33);
	}
	*out->at++ = (uint8_t)(distance << 2);
	*out->at++ = (uint8_t)(distance >> 6);
	return true;
}

/* how long two places of the page are the same, the first four bytes of which are */
static size_t common(const uint8_t *page, size_t one, size_t other)
{
	size_t length = 4;

	while (one + length + 8 <= PAGE) {
		uint64_t difference = word64(page + one + length) ^ word64(page + other + length);

		if (difference)
			return length + (size_t)__builtin_ctzll(difference) / 8;
		length += 8;
	}
	while (one + length < PAGE && page[one + length] == page[other + length])
		length++;
	return length;
}

size_t lzo_pack(const uint8_t page[PAGE], uint8_t into[PAGE])
{
	uint16_t seen[1 << HASH_BITS] = { 0 };
	struct out out = { into, into, into + PAGE - END_BYTES };
	size_t at = 1, from = 0;

	while (at + 4 <= PAGE) {
		uint32_t here = word(page + at);
		uint16_t *slot = &seen[here * 2654435761u >> (32 - HASH_BITS)];
		size_t before = *slot, length;

		*slot = (uint16_t)at;
		if (word(page + before) != here) {
			/* the longer nothing was found, the larger the steps */
			at += 1 + ((at - from) >> 5);
			continue;
		}
		length = common(page, at, before);
		if (at > from && !literals(&out, page + from, at - from))
			return 0;
		if (!match(&out, at - before, length))
			return 0;
		at += length;
		from = at;
	}
	if (from < PAGE && !literals(&out, page + from, PAGE - from))
		return 0;
	*out.at++ = 17;
	*out.at++ = 0;
	*out.at++ = 0;
	return (size_t)(out.at - out.start);
}
