// SPDX-License-Identifier: Apache-2.0
/*
 * Open files of a workload, version 1 of their state: for each one a structure, its path, and its
 * content if it has no path any more. They are opened again by path, and taken only if they are the
 * same file: inode, size and kind.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "morph.h"

/* What of a file's flags moves. */
#define CARRIED_FLAGS (O_ACCMODE | O_APPEND | O_NONBLOCK)

struct saved_file {
	uint64_t tag, inode, size;
	int64_t offset;
	uint32_t flags, deleted;
	uint64_t path_length, content_length;
};

static bool refuse(char *text, size_t most, const char *path, const char *why)
{
	snprintf(text, most, "%.120s: %s", path, why);
	return false;
}

static bool save_one(struct blob *blob, const struct carried *carried, char *text, size_t most)
{
	static const char gone[] = " (deleted)";
	char link[64], path[4096];
	struct saved_file file = { .tag = carried->tag };
	struct stat there;
	ssize_t length;
	uint8_t *content;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", carried->fd);
	length = readlink(link, path, sizeof(path) - 1);
	if (length < 0 || fstat(carried->fd, &there) < 0)
		return refuse(text, most, "a file", strerror(errno));
	path[length] = 0;
	if (!S_ISREG(there.st_mode))
		return refuse(text, most, path, "is no regular file, and cannot move");
	file.inode = there.st_ino;
	file.size = (uint64_t)there.st_size;
	file.flags = (uint32_t)fcntl(carried->fd, F_GETFL) & CARRIED_FLAGS;
	file.offset = lseek(carried->fd, 0, SEEK_CUR);
	if (there.st_nlink == 0) {
		file.deleted = 1;
		file.content_length = file.size;
		if ((size_t)length > strlen(gone))
			length -= (ssize_t)strlen(gone);
		path[length] = 0;
	}
	file.path_length = (uint64_t)length;
	blob_add(blob, &file, sizeof(file));
	blob_add(blob, path, file.path_length);
	content = blob_grow(blob, file.content_length);
	if (blob->failed)
		return refuse(text, most, path, "is deleted and too large to be carried");
	if (file.content_length > 0) {
		/* through the link: ours may be open for writing only */
		int reading = open(link, O_RDONLY | O_CLOEXEC);
		bool whole = reading >= 0 && pread(reading, content, file.content_length, 0) ==
						     (ssize_t)file.content_length;

		if (reading >= 0)
			close(reading);
		if (!whole)
			return refuse(text, most, path, "is deleted and cannot be read");
	}
	return true;
}

bool files_save(struct blob *blob, char *text, size_t most)
{
	for (size_t i = 0; i < workload_link.carried_count; i++)
		if (!workload_link.carried[i].socket &&
		    !save_one(blob, &workload_link.carried[i], text, most))
			return false;
	return true;
}

static int content_file(const struct saved_file *file, const uint8_t *content)
{
	int fd = memfd_create("kmorph-deleted-file", MFD_CLOEXEC);

	if (fd >= 0 &&
	    pwrite(fd, content, file->content_length, 0) != (ssize_t)file->content_length) {
		close(fd);
		return -1;
	}
	return fd;
}

static int open_one(const struct saved_file *file, const char *path, const uint8_t *content,
		    char *text, size_t most)
{
	struct stat there;
	int fd;

	if (file->deleted) {
		fd = content_file(file, content);
		if (fd < 0)
			refuse(text, most, path, "its content cannot be kept");
	} else {
		fd = open(path, ((int)file->flags & CARRIED_FLAGS) | O_CLOEXEC | O_NOFOLLOW);
		if (fd < 0) {
			refuse(text, most, path, strerror(errno));
			return -1;
		}
		if (fstat(fd, &there) < 0 || !S_ISREG(there.st_mode) ||
		    there.st_ino != file->inode) {
			refuse(text, most, path, "is another file here");
			close(fd);
			return -1;
		}
	}
	if (fd >= 0 && lseek(fd, file->offset, SEEK_SET) < 0) {
		refuse(text, most, path, strerror(errno));
		close(fd);
		return -1;
	}
	return fd;
}

bool files_restore(const uint8_t *bytes, size_t length, bool adopt, char *text, size_t most)
{
	const uint8_t *at = bytes, *end = blob_end(bytes, length);
	struct saved_file file;
	unsigned int count = 0;

	while (blob_take(&at, end, &file, sizeof(file))) {
		char path[4096];
		int fd;
		bool given = true;

		if (file.path_length >= sizeof(path) ||
		    !blob_take(&at, end, path, file.path_length) ||
		    (uint64_t)(end - at) < file.content_length)
			return refuse(text, most, "files", "their state is malformed");
		path[file.path_length] = 0;
		fd = open_one(&file, path, at, text, most);
		at += file.content_length;
		if (fd < 0)
			return false;
		if (adopt) {
			given = link_adopt(LINK_ADOPT, &file.tag, &fd, 1);
			link_carry(file.tag, fd, false);
		}
		close(fd);
		if (!given)
			return refuse(text, most, path, "cannot be given to the workload");
		count++;
	}
	snprintf(text, most, "%u opened", count);
	return at == end;
}
