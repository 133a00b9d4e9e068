// SPDX-License-Identifier: Apache-2.0
/*
 * The kernel's physical memory. It is read, not mapped: a hole of a sparse file stays one, a file
 * that gets shorter is an error and not a signal, and what a running kernel changes while it is
 * packed was copied before.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture.h"

struct range {
	uint64_t physical, length, offset;
	const char *path;
	int fd;
};

static struct range *ranges;
static size_t range_count;

void memory_add(uint64_t physical, uint64_t length, uint64_t offset, const char *path)
{
	struct range *range;

	if (length == 0 || physical + length < physical || offset + length < offset ||
	    offset + length > INT64_MAX)
		die("a range of memory has impossible bounds");
	ranges = realloc(ranges, (range_count + 1) * sizeof(*ranges));
	if (!ranges)
		die("out of memory");
	range = &ranges[range_count++];
	*range = (struct range){ .physical = physical, .length = length, .offset = offset };
	range->path = strdup(path);
	range->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (!range->path)
		die("out of memory");
	if (range->fd < 0)
		die("%s cannot be read: %s", path, strerror(errno));
}

/* Whether [from, to) of a range's file is a hole. A file that cannot tell has none. */
static bool is_hole(const struct range *range, uint64_t from, uint64_t to)
{
	off_t data;

	data = lseek(range->fd, (off_t)from, SEEK_DATA);
	if (data < 0)
		return errno == ENXIO && lseek(range->fd, 0, SEEK_END) >= (off_t)to;
	return data >= (off_t)to;
}

static void fill(const struct range *range, uint64_t within, uint8_t *into, size_t length)
{
	uint64_t position = range->offset + within;

	while (length > 0) {
		ssize_t got = pread(range->fd, into, length, (off_t)position);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			die("%s cannot be read at %llu: %s", range->path,
			    (unsigned long long)position, strerror(errno));
		if (got == 0)
			die("%s ends at %llu bytes; memory at 0x%llx should be at %llu",
			    range->path, (unsigned long long)lseek(range->fd, 0, SEEK_END),
			    (unsigned long long)(range->physical + position - range->offset),
			    (unsigned long long)position);
		into += got;
		position += (uint64_t)got;
		length -= (size_t)got;
	}
}

bool memory_read(uint64_t physical, void *into, size_t length)
{
	uint8_t *at = into;
	bool data = false;

	while (length > 0) {
		const struct range *range = NULL;
		uint64_t within;
		size_t part;

		for (size_t i = 0; i < range_count && !range; i++) {
			if (physical >= ranges[i].physical &&
			    physical - ranges[i].physical < ranges[i].length)
				range = &ranges[i];
		}
		if (!range)
			die("no memory at 0x%llx", (unsigned long long)physical);
		within = physical - range->physical;
		part = length < range->length - within ? length : (size_t)(range->length - within);
		if (is_hole(range, range->offset + within, range->offset + within + part)) {
			memset(at, 0, part);
		} else {
			fill(range, within, at, part);
			data = true;
		}
		at += part;
		physical += part;
		length -= part;
	}
	return data;
}

bool page_is_zero(const uint8_t page[PAGE])
{
	uint64_t head;

	memcpy(&head, page, sizeof(head));
	return head == 0 && memcmp(page, page + 8, PAGE - 8) == 0;
}
