// SPDX-License-Identifier: Apache-2.0
/*
 * The digest of the file. SHA-256 is one long chain, which no two threads can share: so that nobody
 * waits for it in the end, whoever has written something takes it on as far as all is written,
 * unless another thread is at it. What was written last is still in memory; the rest is read back,
 * from the page cache as a rule.
 */
#include <pthread.h>
#include <stdlib.h>

#include "capture.h"

/* what is worth a turn */
#define LEAST (1u << 19)
/* buffers, 32 MiB of them: copying is quicker than SHA-256, for a while */
#define MOST_KEPT 128u

static struct sha256 sha;
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static bool is_open;
static uint64_t reached;

/* What was written, or a spare buffer, of no length. */
static struct kept {
	uint64_t position;
	size_t length;
	uint8_t *bytes;
} kept[MOST_KEPT];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

uint8_t *digest_keep(uint64_t position, uint8_t *bytes, size_t length)
{
	uint8_t *spare = bytes;

	pthread_mutex_lock(&lock);
	for (unsigned i = 0; i < MOST_KEPT && length > 0; i++) {
		if (kept[i].length > 0)
			continue;
		spare = kept[i].bytes ? kept[i].bytes : buffer_new();
		kept[i] = (struct kept){ position, length, bytes };
		break;
	}
	pthread_mutex_unlock(&lock);
	return spare;
}

/* The piece that a position is in; if it is in none, up to where there is none. */
static struct kept *find(uint64_t position, uint64_t *none_to)
{
	struct kept *found = NULL;

	pthread_mutex_lock(&lock);
	for (unsigned i = 0; i < MOST_KEPT; i++) {
		struct kept *one = &kept[i];

		if (one->length == 0)
			continue;
		if (one->position <= position && position - one->position < one->length)
			found = one;
		else if (one->position > position && one->position < *none_to)
			*none_to = one->position;
	}
	pthread_mutex_unlock(&lock);
	return found;
}

static void release(struct kept *piece)
{
	pthread_mutex_lock(&lock);
	piece->length = 0;
	pthread_mutex_unlock(&lock);
}

static void add(const uint8_t *bytes, size_t length)
{
	sha256_add(&sha, bytes, length);
	__atomic_store_n(&reached, reached + length, __ATOMIC_RELAXED);
}

static void go_on(uint64_t to)
{
	static uint8_t buffer[1 << 17];

	while (reached < to) {
		uint64_t end = to;
		struct kept *piece = find(reached, &end);
		size_t part;

		if (piece) {
			uint64_t from = reached - piece->position;

			part = (size_t)(piece->length - from);
			add(piece->bytes + from,
			    to - reached < part ? (size_t)(to - reached) : part);
			if (reached - piece->position == piece->length)
				release(piece);
			continue;
		}
		part = end - reached < sizeof(buffer) ? (size_t)(end - reached) : sizeof(buffer);
		output_read(reached, buffer, part);
		add(buffer, part);
	}
}

void digest_open(void)
{
	sha256_begin(&sha);
	__atomic_store_n(&is_open, true, __ATOMIC_RELEASE);
}

void digest_follow(uint64_t to)
{
	if (!__atomic_load_n(&is_open, __ATOMIC_ACQUIRE) ||
	    to < __atomic_load_n(&reached, __ATOMIC_RELAXED) + LEAST)
		return;
	if (pthread_mutex_trylock(&turn))
		return;
	go_on(to);
	pthread_mutex_unlock(&turn);
}

void digest_end(uint64_t length, uint8_t digest[32])
{
	go_on(length);
	sha256_end(&sha, digest);
}
