// SPDX-License-Identifier: Apache-2.0
/*
 * LZO1X, written from the description of its stream (the kernel's Documentation/staging/lzo.rst). A
 * page is shorter than the least distance that needs the instruction for far matches, so that one
 * is only used to end the stream.
 *
 * No processor can foretell where the next match begins, how many literals come before it, or which
 * instruction it takes. So four places are looked at at once, few literals and short matches are
 * written without a branch, over what comes later, and two pages are packed in turn: each step
 * waits for what the one before has found.
 */
#include <string.h>

#include "capture.h"

#define HASH_BITS 11
#define NEAR 2048u /* the farthest that the two-byte instruction reaches */
#define END_BYTES 3u
#define PLACES 4u /* looked at at once */
#define FEW 16u	  /* literals that are copied without counting them */
/* from a place on, by a step: its fourth place, and the 20 bytes of a match from there */
#define LOOKED_AT 24u

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

/* a page that is being packed */
struct coder {
	const uint8_t *page;
	uint8_t *start, *out, *end; /* of what it is packed to; the end mark finds room behind */
	size_t at, from;	    /* what is looked at; the first byte that is not packed */
	uint16_t seen[1 << HASH_BITS];
};

enum state { GOES_ON, AT_END, TOO_LONG };

/* what is left of a length that did not fit its instruction: 255 for each byte of zero, and a last
 * one that is not */
static void rest(struct coder *coder, size_t length)
{
	for (; length > 255; length -= 255)
		*coder->out++ = 0;
	*coder->out++ = (uint8_t)length;
}

/* false when there is no room */
static bool literals(struct coder *coder, size_t count)
{
	if ((size_t)(coder->end - coder->out) < count + count / 255 + 4)
		return false;
	if (coder->out == coder->start && count <= 238) {
		/* the stream's first byte tells them by itself */
		*coder->out++ = (uint8_t)(17 + count);
	} else if (count <= 3) {
		/* in the low bits of the last match's first byte but one, which is where its
		 * distance begins */
		coder->out[-2] = (uint8_t)(coder->out[-2] | count);
	} else if (count <= 18) {
		*coder->out++ = (uint8_t)(count - 3);
	} else {
		*coder->out++ = 0;
		rest(coder, count - 18);
	}
	memcpy(coder->out, coder->page + coder->from, count);
	coder->out += count;
	return true;
}

/* the same behind a match, of at most FEW; there is room */
static inline uint8_t *few_literals(uint8_t *out, const uint8_t *from, size_t count)
{
	bool fit = count <= 3;

	out[-2] = (uint8_t)(out[-2] | (fit ? count : 0));
	*out = (uint8_t)(count - 3);
	out += !fit;
	memcpy(out, from, FEW);
	return out + count;
}

/* of at most 33 bytes; there is room */
static inline uint8_t *match(uint8_t *out, size_t distance, size_t length)
{
	bool near = length <= 8 && distance < NEAR;
	size_t two = (length - 1) << 5 | (distance & 7) << 2 | distance >> 3 << 8;
	size_t three = 32 | (length - 2) | distance << 10;
	uint32_t bytes = (uint32_t)(near ? two : three);

	memcpy(out, &bytes, sizeof(bytes));
	return out + (near ? 2 : 3);
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

/* a match of any length behind any number of literals */
static __attribute__((noinline)) enum state pair(struct coder *coder, size_t at, size_t before)
{
	size_t length = common(coder->page, at, before), distance = at - before - 1;

	if (at > coder->from && !literals(coder, at - coder->from))
		return TOO_LONG;
	if ((size_t)(coder->end - coder->out) < length / 255 + 8)
		return TOO_LONG;
	if (length <= 33) {
		coder->out = match(coder->out, distance, length);
	} else {
		*coder->out++ = 32;
		rest(coder, length - 33);
		*coder->out++ = (uint8_t)(distance << 2);
		*coder->out++ = (uint8_t)(distance >> 6);
	}
	coder->at = coder->from = at + length;
	return GOES_ON;
}

static inline __attribute__((always_inline)) enum state step(struct coder *coder)
{
	const uint8_t *page = coder->page;
	size_t at = coder->at, from = coder->from, before;
	uint16_t *slots[PLACES];
	uint64_t here, there = 0, difference, further;
	size_t length;
	unsigned found = 0;

	if (at + LOOKED_AT > PAGE)
		return AT_END;
	here = word64(page + at);
#pragma GCC unroll 4
	for (unsigned i = 0; i < PLACES; i++) {
		uint32_t one = (uint32_t)(here >> 8 * i);

		slots[i] = &coder->seen[one * 2654435761u >> (32 - HASH_BITS)];
		there |= (uint64_t)*slots[i] << 16 * i;
		found |= (unsigned)(word(page + *slots[i]) == one) << i;
	}
	/* of places that look alike, the first is remembered */
#pragma GCC unroll 4
	for (unsigned i = PLACES; i-- > 0;)
		*slots[i] = (uint16_t)(at + i);
	if (!found) {
		/* the longer nothing was found, the larger the steps */
		coder->at = at + PLACES + ((at - from) >> 3);
		return GOES_ON;
	}
	found = (unsigned)__builtin_ctz(found);
	at += found;
	before = there >> 16 * found & 0xffff;
	/* of a match up to 19 bytes */
	difference = word64(page + at + 4) ^ word64(page + before + 4);
	further = word64(page + at + 12) ^ word64(page + before + 12);
	length = difference ? 4 : 12;
	difference = difference ? difference : further;
	if (!difference || from == 0 || at - from > FEW || coder->end - coder->out < (long)FEW + 8)
		return pair(coder, at, before);
	coder->out = few_literals(coder->out, page + from, at - from);
	length += (unsigned)__builtin_ctzll(difference) / 8;
	coder->out = match(coder->out, at - before - 1, length);
	coder->at = coder->from = at + length;
	return GOES_ON;
}

static size_t finish(struct coder *coder, enum state state)
{
	if (state == TOO_LONG || (coder->from < PAGE && !literals(coder, PAGE - coder->from)))
		return 0;
	*coder->out++ = 17;
	*coder->out++ = 0;
	*coder->out++ = 0;
	return (size_t)(coder->out - coder->start);
}

static void begin(struct coder *coder, const uint8_t page[PAGE], uint8_t into[PAGE])
{
	coder->page = page;
	coder->start = coder->out = into;
	coder->end = into + PAGE - END_BYTES;
	coder->at = 1;
	coder->from = 0;
	memset(coder->seen, 0, sizeof(coder->seen));
}

/* While one page waits for what it looks up, the other goes on. */
static void two(struct coder coders[2], size_t lengths[2])
{
	enum state states[2];

	do {
		states[0] = step(&coders[0]);
		states[1] = step(&coders[1]);
	} while (states[0] == GOES_ON && states[1] == GOES_ON);
	for (unsigned i = 0; i < 2; i++) {
		while (states[i] == GOES_ON)
			states[i] = step(&coders[i]);
		lengths[i] = finish(&coders[i], states[i]);
	}
}

void lzo_pack(unsigned count, const uint8_t *const *pages, uint8_t *const *into, size_t *lengths)
{
	struct coder coders[TOGETHER];
	enum state state = GOES_ON;

	_Static_assert(TOGETHER == 2, "two");
	for (unsigned i = 0; i < count; i++)
		begin(&coders[i], pages[i], into[i]);
	if (count == TOGETHER) {
		two(coders, lengths);
		return;
	}
	while (state == GOES_ON)
		state = step(&coders[0]);
	lengths[0] = finish(&coders[0], state);
}
