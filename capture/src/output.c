// SPDX-License-Identifier: Apache-2.0
/* What is written: a file, or a stream of pieces that say where they belong, which makedumpfile -R
 * makes a file of. */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "capture.h"

static const char *name = "standard output";
static int fd = STDOUT_FILENO;
static bool streams;
static uint64_t written_to; /* of a stream: where the piece ends that reaches farthest */
static uint64_t least;	    /* how long it is to be */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static _Noreturn void failed(void)
{
	die("%s cannot be written: %s", name, strerror(errno));
}

static void all(struct iovec *parts, int count)
{
	while (count > 0) {
		ssize_t done = writev(fd, parts, count);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			failed();
		for (; count > 0 && (size_t)done >= parts->iov_len; parts++, count--)
			done -= (ssize_t)parts->iov_len;
		if (count > 0) {
			parts->iov_base = (uint8_t *)parts->iov_base + done;
			parts->iov_len -= (size_t)done;
		}
	}
}

static void piece(uint64_t position, const void *bytes, size_t length, uint64_t said_length)
{
	uint64_t head[2] = { htobe64(position), htobe64(said_length) };
	struct iovec parts[2] = { { head, sizeof(head) }, { (void *)(uintptr_t)bytes, length } };

	pthread_mutex_lock(&lock);
	all(parts, length > 0 ? 2 : 1);
	if (length > 0 && position + length > written_to)
		written_to = position + length;
	pthread_mutex_unlock(&lock);
}

void output_open(const char *path, bool stream)
{
	uint8_t head[4096] = "makedumpfile";
	uint64_t one = htobe64(1);
	struct iovec part = { head, sizeof(head) };

	streams = stream;
	if (path) {
		name = path;
		fd = open(path,
			  stream ? O_WRONLY | O_CLOEXEC
				 : O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
			  0600);
		if (fd < 0)
			failed();
		/* one that was left by an earlier capture may have been opened to others */
		if (!stream && fchmod(fd, 0600) < 0)
			failed();
	}
	if (!stream)
		return;
	/* type and version */
	memcpy(head + 16, &one, sizeof(one));
	memcpy(head + 24, &one, sizeof(one));
	all(&part, 1);
}

void output_write(uint64_t position, const void *bytes, size_t length)
{
	const uint8_t *at = bytes;

	if (streams && length > 0) {
		piece(position, bytes, length, length);
		return;
	}
	while (length > 0) {
		ssize_t done = pwrite(fd, at, length, (off_t)position);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			failed();
		at += done;
		position += (uint64_t)done;
		length -= (size_t)done;
	}
}

void output_length(uint64_t length)
{
	least = length;
	if (!streams && ftruncate(fd, (off_t)length) < 0)
		failed();
}

void output_read(uint64_t position, void *into, size_t length)
{
	uint8_t *at = into;

	while (length > 0) {
		ssize_t got = pread(fd, at, length, (off_t)position);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			die("%s cannot be read again: %s", name,
			    got < 0 ? strerror(errno) : "somebody made it shorter");
		at += got;
		position += (uint64_t)got;
		length -= (size_t)got;
	}
}

uint64_t output_size(void)
{
	struct stat status;

	if (streams)
		return 0;
	/* no failure: it is for speed, and some file systems cannot */
	sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	if (fstat(fd, &status) < 0)
		failed();
	return (uint64_t)status.st_size;
}

void output_end(void)
{
	if (streams && written_to < least)
		piece(least - 1, "", 1, 1);
	if (streams)
		piece(UINT64_MAX, NULL, 0, UINT64_MAX);
	else if (fdatasync(fd) < 0)
		failed();
}
