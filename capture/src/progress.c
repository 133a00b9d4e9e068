// SPDX-License-Identifier: Apache-2.0
/*
 * A thread that tells the daemon how far it is, ends all when the daemon has gone, and watches what
 * others suffer: while they wait for memory (Documentation/accounting/psi.rst of the kernel), the
 * capture, which fills the page cache, goes slower.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "capture.h"

#define TELL_MS 50
#define LONGEST_PAUSE_US 8000u

static uint64_t done;
static unsigned pause_us;
static pthread_t thread;
static int wake[2];

void progress_add(uint64_t bytes)
{
	__atomic_fetch_add(&done, bytes, __ATOMIC_RELAXED);
}

void progress_pause(void)
{
	unsigned us = __atomic_load_n(&pause_us, __ATOMIC_RELAXED);

	if (us > 0)
		nanosleep(&(struct timespec){ .tv_nsec = us * 1000 }, NULL);
}

static void tell(void)
{
	dprintf(STDERR_FILENO, "done %llu\n",
		(unsigned long long)__atomic_load_n(&done, __ATOMIC_RELAXED));
}

/* For how many microseconds, since it started, some process waited for memory; 0 where that is not
 * known. */
static unsigned long long waited(void)
{
	FILE *file = fopen("/proc/pressure/memory", "re");
	unsigned long long total = 0;

	if (file && fscanf(file, "some %*s %*s %*s total=%llu", &total) != 1)
		total = 0;
	if (file)
		fclose(file);
	return total;
}

/* More than a twentieth of the time waited: twice as slow; less: half. */
static void adapt(unsigned long long more)
{
	unsigned us = pause_us;

	us = more > TELL_MS * 1000 / 20 ? us * 2 + 500 : us / 2;
	__atomic_store_n(&pause_us, us < LONGEST_PAUSE_US ? us : LONGEST_PAUSE_US,
			 __ATOMIC_RELAXED);
}

static void *watch(void *unused)
{
	unsigned long long before = waited();
	struct pollfd ends[] = { { .fd = wake[0], .events = POLLIN }, { .fd = STDIN_FILENO } };

	(void)unused;
	while (true) {
		unsigned long long now;

		if (poll(ends, 2, TELL_MS) < 0 && errno != EINTR)
			die("poll: %s", strerror(errno));
		if (ends[0].revents)
			return NULL;
		if (ends[1].revents)
			die("the daemon has gone");
		tell();
		now = waited();
		adapt(now - before);
		before = now;
	}
}

void progress_start(void)
{
	if (pipe(wake) < 0 || pthread_create(&thread, NULL, watch, NULL))
		die("a thread cannot be made");
}

void progress_end(void)
{
	close(wake[1]);
	pthread_join(thread, NULL);
	close(wake[0]);
	tell();
}
