// SPDX-License-Identifier: Apache-2.0
/* The console log: console.log and, once that has half of what is allowed, console.log.1 before it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shim.h"

static int log_fd = -1;
static long long log_size, log_limit;
static long long lost;

static bool reopen(int flags)
{
	struct stat file;

	log_fd = open("console.log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | flags, 0600);
	log_size = log_fd >= 0 && fstat(log_fd, &file) == 0 ? file.st_size : 0;
	return log_fd >= 0;
}

void console_open(long long limit)
{
	log_limit = limit;
	if (!reopen(0))
		die("cannot open console.log: %s", strerror(errno));
}

static void rotate(void)
{
	if (log_size < log_limit / 2)
		return;
	close(log_fd);
	if (rename("console.log", "console.log.1") < 0)
		errno = 0; /* begun anew below: the bound holds either way */
	reopen(O_TRUNC);
}

static void append(const char *bytes, size_t length)
{
	ssize_t written;

	if (log_fd < 0 && !reopen(0)) {
		lost += (long long)length;
		return;
	}
	written = write(log_fd, bytes, length);
	if (written > 0)
		log_size += written;
	lost += (long long)length - (written > 0 ? written : 0);
}

bool console_drain(int fd)
{
	char bytes[16384];
	ssize_t got = read(fd, bytes, sizeof(bytes));

	if (got < 0)
		return errno == EINTR || errno == EAGAIN;
	if (got == 0)
		return false;
	rotate();
	if (lost > 0) {
		char note[80];
		long long before = lost;
		int length = snprintf(note, sizeof(note),
				      "\n[%lld bytes lost: the disk was full]\n", lost);

		lost = 0;
		append(note, (size_t)length);
		if (lost > 0)
			lost = before; /* still full */
	}
	append(bytes, (size_t)got);
	return true;
}
