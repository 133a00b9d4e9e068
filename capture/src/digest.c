// SPDX-License-Identifier: Apache-2.0
/*
 * The digest of the file. SHA-256 is one long chain, which no two threads can share: so that nobody
 * waits for it in the end, whoever has written something takes it on as far as all is written,
 * unless another thread is at it. What is read for it is in the page cache still.
 */
#include <pthread.h>

#include "capture.h"

/* what is worth a turn */
#define LEAST (1u << 19)

static struct sha256 sha;
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static bool is_open;
static uint64_t reached;

static void go_on(uint64_t to)
{
	static uint8_t buffer[1 << 17];

	while (reached < to) {
		size_t part =
			to - reached < sizeof(buffer) ? (size_t)(to - reached) : sizeof(buffer);

		output_read(reached, buffer, part);
		sha256_add(&sha, buffer, part);
		__atomic_store_n(&reached, reached + part, __ATOMIC_RELAXED);
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
