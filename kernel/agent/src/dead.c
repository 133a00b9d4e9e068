// SPDX-License-Identifier: Apache-2.0
/*
 * The memory of another kernel that runs no more, as files of the daemon's machine hold it. Who
 * waits for a disk answers no heartbeat: what is not in the page cache is asked for and looked at
 * again (preadv2(2), RWF_NOWAIT).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "share.h"

/* Asked for in one go. */
#define AHEAD (1u << 20)

/* After so many looks in vain one page is waited for: it may be that nothing is kept where it is.
 */
#define PATIENCE 500u

#define MOST_IN_EXTENT (1ull << 30)

struct dead_file {
	uint64_t start, length, offset;
	int fd;
};

void dead_close(struct dead *dead)
{
	for (size_t i = 0; i < dead->file_count; i++)
		close(dead->files[i].fd);
	free(dead->files);
	free(dead->ranges);
	*dead = (struct dead){ 0 };
}

/* A run of whole pages that can be addressed, and is not empty. */
static bool is_run(uint64_t start, uint64_t length)
{
	return length > 0 && (start | length) % PAGE == 0 && start <= INT64_MAX &&
	       length <= INT64_MAX - start;
}

static bool take_range(struct dead *dead, const struct kmp_item *item)
{
	struct kmp_i_memory_range range;

	memcpy(&range, item + 1, sizeof(range));
	if (!is_run(range.start, range.length) || range.length > INT64_MAX - dead->bytes)
		return false;
	dead->bytes += range.length;
	dead->ranges[dead->range_count++] =
		(struct range){ range.start, range.start + range.length };
	return true;
}

/* False with errno; 0 when the item makes no sense. */
static bool take_file(struct dead *dead, const struct kmp_item *item)
{
	struct kmp_i_memory_file file;
	char path[KMP_MAX_PATH_BYTES + 1] = "";
	struct stat status;
	int fd;

	memcpy(&file, item + 1, sizeof(file));
	memcpy(path, (const uint8_t *)(item + 1) + sizeof(file), item->len - sizeof(file));
	errno = 0;
	if (!is_run(file.start, file.length) || !is_run(file.offset, file.length) || path[0] != '/')
		return false;
	/* what is no file may do something when it is opened, or keep us waiting */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return false;
	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) {
		close(fd);
		errno = EINVAL;
		return false;
	}
	dead->files[dead->file_count++] =
		(struct dead_file){ file.start, file.length, file.offset, fd };
	return true;
}

#define MOST_FILES 64u

static size_t count_items(const uint8_t *items, size_t length, uint16_t type)
{
	const struct kmp_item *item;
	size_t next = 0, count = 0;

	while ((item = kmp_next_item(items, length, &next)))
		count += item->type == type;
	return count;
}

static uint16_t take(struct dead *dead, const uint8_t *items, size_t length, uint64_t *value,
		     const char **text)
{
	const struct kmp_item *item;
	size_t at = 0, next = 0;

	while ((item = kmp_next_item(items, length, &next))) {
		*value = at;
		*text = NULL;
		errno = 0;
		if (item->type == KMP_I_MEMORY_RANGE && !take_range(dead, item))
			return KMP_E_MALFORMED;
		if (item->type == KMP_I_MEMORY_FILE && !take_file(dead, item)) {
			if (!errno)
				return KMP_E_MALFORMED;
			*value = (uint64_t)errno;
			*text = errno == EINVAL ? "the memory's file is not a regular file"
						: "the memory's file cannot be opened";
			return KMP_E_IO;
		}
		at = next;
	}
	*value = length;
	return dead->range_count > 0 ? 0 : KMP_E_MALFORMED;
}

uint16_t dead_open(struct dead *dead, const uint8_t *items, size_t length, uint64_t *value,
		   const char **text)
{
	size_t ranges = count_items(items, length, KMP_I_MEMORY_RANGE);
	size_t files = count_items(items, length, KMP_I_MEMORY_FILE);
	uint16_t code;

	*dead = (struct dead){ 0 };
	*value = 0;
	*text = "no MEMORY_FILE says where the memory is";
	if (files == 0)
		return KMP_E_NOT_SUPPORTED;
	*text = "more than 64 files of one memory";
	if (files > MOST_FILES)
		return KMP_E_NO_SPACE;
	dead->ranges = calloc(ranges + 1, sizeof(*dead->ranges));
	dead->files = calloc(files, sizeof(*dead->files));
	*text = "no memory for the list of its ranges";
	code = dead->ranges && dead->files ? take(dead, items, length, value, text)
					   : KMP_E_NO_SPACE;
	if (code)
		dead_close(dead);
	return code;
}

/* The file that has this address; *to is made to where that, or what is in no file, ends. */
static const struct dead_file *file_of(const struct dead *dead, uint64_t from, uint64_t *to)
{
	for (size_t i = 0; i < dead->file_count; i++) {
		const struct dead_file *file = &dead->files[i];

		if (from >= file->start && from - file->start < file->length) {
			if (*to > file->start + file->length)
				*to = file->start + file->length;
			return file;
		}
		if (file->start > from && file->start < *to)
			*to = file->start;
	}
	return NULL;
}

/* An extent without bytes; how far it reaches. */
static uint64_t add_without(struct chunk *chunk, uint64_t from, uint64_t to, uint32_t flags)
{
	if (to - from > MOST_IN_EXTENT)
		to = from + MOST_IN_EXTENT;
	chunk_add(chunk, from, to - from, flags);
	return to;
}

/* Whole pages, those that are there; 0 when they are not yet, -1 when they never will be. */
static ssize_t read_pages(struct dead *dead, int fd, uint8_t *into, size_t length, uint64_t at)
{
	bool waits = dead->tries >= PATIENCE;
	struct iovec part = { .iov_base = into, .iov_len = waits ? PAGE : length };
	ssize_t got = preadv2(fd, &part, 1, (off_t)at, waits ? 0 : RWF_NOWAIT);

	/* not every file system can tell what it has */
	if (got < 0 && (errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL))
		got = pread(fd, into, length, (off_t)at);
	if (got >= (ssize_t)PAGE) {
		dead->tries = 0;
		dead->read += (uint64_t)got / PAGE * PAGE;
		return got / (ssize_t)PAGE * (ssize_t)PAGE;
	}
	if (waits || (got < 0 && errno != EAGAIN && errno != EINTR)) {
		dead->tries = 0;
		return -1;
	}
	dead->tries++;
	posix_fadvise(fd, (off_t)at, AHEAD, POSIX_FADV_WILLNEED);
	return 0;
}

/* Some of [from, to); up to where, or from when it must be waited for or has no room. */
static uint64_t read_some(struct dead *dead, struct chunk *chunk, uint64_t from, uint64_t to)
{
	const struct dead_file *file = file_of(dead, from, &to);
	size_t room = chunk_page_room(chunk);
	struct stat status;
	uint64_t at, end;
	off_t data;
	ssize_t got;

	if (!file)
		return add_without(chunk, from, to, KMP_EXTENT_UNREADABLE);
	at = file->offset + (from - file->start);
	end = fstat(file->fd, &status) == 0 ? (uint64_t)status.st_size / PAGE * PAGE : 0;
	if (at >= end)
		return add_without(chunk, from, to, KMP_EXTENT_UNREADABLE);
	if (to - from > end - at)
		to = from + (end - at);
	data = lseek(file->fd, (off_t)at, SEEK_DATA);
	if (data < 0 && errno == ENXIO)
		data = (off_t)end;
	if (data >= 0 && (uint64_t)data / PAGE * PAGE > at) {
		/* a hole: never written */
		uint64_t hole = (uint64_t)data / PAGE * PAGE - at;

		return add_without(chunk, from, hole < to - from ? from + hole : to,
				   KMP_EXTENT_ZERO);
	}
	if (room > to - from)
		room = (size_t)(to - from);
	if (room == 0)
		return from;
	got = read_pages(dead, file->fd, chunk->data + chunk->raw_length, room, at);
	if (got < 0)
		return add_without(chunk, from, from + PAGE, KMP_EXTENT_UNREADABLE);
	chunk_add_pages(chunk, from, (size_t)got);
	return from + (uint64_t)got;
}

bool dead_fill(struct dead *dead, struct dead_place *at, struct chunk *chunk)
{
	chunk_clear(chunk);
	while (at->range < dead->range_count && chunk->raw_length < CHUNK &&
	       chunk->count < EXTENTS - 2) {
		const struct range *range = &dead->ranges[at->range];
		uint64_t from = range->from + at->done;
		uint64_t to = read_some(dead, chunk, from, range->to);

		if (to == from)
			break;
		at->done += to - from;
		if (to == range->to)
			*at = (struct dead_place){ .range = at->range + 1 };
	}
	return chunk->count > 0;
}
