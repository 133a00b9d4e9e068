// SPDX-License-Identifier: Apache-2.0
/*
 * Which pages of the workload's memory have been written since they were last sent. Three ways, the
 * first that this kernel has: write protection that the kernel lifts and notes by itself
 * (PAGEMAP_SCAN with asynchronous userfaultfd, Linux 6.7), soft-dirty bits
 * (Documentation/admin-guide/mm/soft-dirty.rst), or a hash of each page.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "morph.h"

/* include/uapi/linux/fs.h of Linux 6.7; our headers may be older. */
struct scan {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages, category_inverted,
		category_mask, category_anyof_mask, return_mask;
};
struct scanned {
	uint64_t start, end, categories;
};
#define SCAN_IOCTL _IOWR('f', 16, struct scan)
#define SCAN_PROTECT (1 << 0)	  /* PM_SCAN_WP_MATCHING */
#define SCAN_CHECK_ASYNC (1 << 1) /* PM_SCAN_CHECK_WPASYNC */
#define SCAN_WRITTEN (1 << 1)	  /* PAGE_IS_WRITTEN */
#define ASYNC_FEATURES (1ull << 12 | 1ull << 13 | 1ull << 15)

#define SOFT_DIRTY (1ull << 55)

/* Ranges of a round; beyond it two that are near are made one. */
#define MAX_RANGES 65536

static enum tracker tracker; /* of this morph */

static bool add_range(struct region *region, uint64_t from, uint64_t to)
{
	struct range *last =
		region->range_count > 0 ? &region->ranges[region->range_count - 1] : NULL;

	if (from >= to)
		return true;
	if (last && (last->to == from || region->range_count == MAX_RANGES)) {
		last->to = to;
		return true;
	}
	if (region->range_count == region->range_room) {
		size_t room = region->range_room * 2 + 64;
		struct range *more = realloc(region->ranges, room * sizeof(*more));

		if (!more)
			return false;
		region->ranges = more;
		region->range_room = room;
	}
	region->ranges[region->range_count++] = (struct range){ from, to };
	return true;
}

static bool scan_written(struct region *region, bool protect, bool note)
{
	static struct scanned found[1024];
	uint64_t base = KMORPH_REGION_ADDRESS(region->id);
	struct scan scan = {
		.size = sizeof(scan),
		.flags = SCAN_CHECK_ASYNC | (protect ? SCAN_PROTECT : 0),
		.start = base,
		.end = base + region->size,
		.vec = (uintptr_t)found,
		.vec_len = sizeof(found) / sizeof(found[0]),
		.category_mask = SCAN_WRITTEN,
		.return_mask = SCAN_WRITTEN,
	};

	while (scan.start < scan.end) {
		int count = ioctl(workload_link.pagemap, SCAN_IOCTL, &scan);

		if (count < 0)
			return false;
		for (int i = 0; i < count && note; i++)
			if (!add_range(region, found[i].start - base, found[i].end - base))
				return false;
		scan.start = scan.walk_end;
	}
	return true;
}

static bool read_soft_dirty(struct region *region)
{
	static uint64_t entries[4096];
	uint64_t base = KMORPH_REGION_ADDRESS(region->id);

	for (uint64_t at = 0; at < region->size;) {
		uint64_t pages = (region->size - at) / PAGE;
		ssize_t got;

		if (pages > 4096)
			pages = 4096;
		got = pread(workload_link.pagemap, entries, pages * sizeof(entries[0]),
			    (off_t)((base + at) / PAGE * sizeof(entries[0])));
		if (got != (ssize_t)(pages * sizeof(entries[0])))
			return false;
		for (uint64_t i = 0; i < pages; i++)
			if (entries[i] & SOFT_DIRTY &&
			    !add_range(region, at + i * PAGE, at + (i + 1) * PAGE))
				return false;
		at += pages * PAGE;
	}
	return true;
}

static bool clear_soft_dirty(pid_t pid)
{
	char path[64];
	int fd;
	bool done;

	snprintf(path, sizeof(path), "/proc/%d/clear_refs", pid);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	done = write(fd, "4", 1) == 1;
	close(fd);
	return done;
}

static bool compare_hashes(struct region *region)
{
	static uint8_t bytes[64 * PAGE];

	for (uint64_t at = 0; at < region->size;) {
		uint64_t left = region->size - at;
		/* the file may have grown since it was brought */
		ssize_t got = pread(region->fd, bytes, left < sizeof(bytes) ? left : sizeof(bytes),
				    (off_t)at);

		if (got <= 0)
			return false;
		for (ssize_t i = 0; i < got; i += (ssize_t)PAGE, at += PAGE) {
			uint64_t *hash = region->hashes[at / PAGE];

			if ((hash[0] != xxh64(bytes + i, PAGE, 1) ||
			     hash[1] != xxh64(bytes + i, PAGE, 2)) &&
			    !add_range(region, at, at + PAGE))
				return false;
		}
	}
	return true;
}

void memory_sent(struct region *region, uint64_t offset, const uint8_t *bytes, size_t length)
{
	if (!region->hashes)
		return;
	for (size_t i = 0; i < length; i += PAGE, offset += PAGE) {
		region->hashes[offset / PAGE][0] = xxh64(bytes + i, PAGE, 1);
		region->hashes[offset / PAGE][1] = xxh64(bytes + i, PAGE, 2);
	}
}

/* The userfaultfd is the workload's; whether its memory can be scanned so is seen by trying. */
static bool can_scan(void)
{
	for (size_t i = 0; i < region_count; i++)
		if (regions[i].kind == KMP_KIND_MEMORY)
			return workload_link.tracks && workload_link.pagemap >= 0 &&
			       scan_written(&regions[i], false, false);
	return false;
}

static bool kernel_scans(void)
{
	struct uffdio_api api = { .api = UFFD_API, .features = ASYNC_FEATURES };
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | 1);
	bool can = fd >= 0 && ioctl(fd, UFFDIO_API, &api) == 0;

	if (fd >= 0)
		close(fd);
	return can;
}

/* Tried on a page of our own: a kernel built without it shows no bit. */
static bool kernel_marks(void)
{
	uint8_t *page =
		mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t before = SOFT_DIRTY, after = 0;
	off_t at = (off_t)((uintptr_t)page / PAGE * sizeof(before));

	if (page != MAP_FAILED && pagemap >= 0) {
		page[0] = 1;
		if (clear_soft_dirty(getpid()) &&
		    pread(pagemap, &before, sizeof(before), at) == sizeof(before)) {
			page[0] = 2;
			if (pread(pagemap, &after, sizeof(after), at) != sizeof(after))
				after = 0;
		}
	}
	if (pagemap >= 0)
		close(pagemap);
	if (page != MAP_FAILED)
		munmap(page, PAGE);
	return !(before & SOFT_DIRTY) && after & SOFT_DIRTY;
}

uint64_t memory_capabilities(void)
{
	static uint64_t known;

	if (!known)
		known = KMP_CAP_TRACK_HASH | (kernel_scans() ? KMP_CAP_TRACK_UFFD_WP : 0) |
			(kernel_marks() ? KMP_CAP_TRACK_SOFT_DIRTY : 0);
	return known;
}

enum tracker memory_tracker(void)
{
	return tracker;
}

static bool choose(void)
{
	const char *wish = getenv("KMORPH_TRACKER"); /* for tests on kernels that have better */

	if ((!wish || strcmp(wish, "uffd") == 0) && can_scan())
		tracker = TRACK_UFFD;
	else if ((!wish || strcmp(wish, "soft-dirty") == 0) && workload_link.pagemap >= 0 &&
		 memory_capabilities() & KMP_CAP_TRACK_SOFT_DIRTY)
		tracker = TRACK_SOFT_DIRTY;
	else
		tracker = TRACK_HASH;
	for (size_t i = 0; i < region_count && tracker == TRACK_HASH; i++) {
		struct region *region = &regions[i];

		if (region->kind != KMP_KIND_MEMORY || region->hashes)
			continue;
		region->hashes = calloc(region->size / PAGE, sizeof(region->hashes[0]));
		if (!region->hashes)
			return false;
	}
	return true;
}

/* The whole of a region; for the first round. */
static bool everything(struct region *region)
{
	return add_range(region, 0, region->size);
}

static bool note(struct region *region, bool final)
{
	switch (tracker) {
	case TRACK_UFFD:
		return scan_written(region, !final, true);
	case TRACK_SOFT_DIRTY:
		return read_soft_dirty(region);
	default:
		return compare_hashes(region);
	}
}

/* Soft-dirty bits cannot be read and cleared in one: the workload stands still in between. */
static bool pause_for_bits(void)
{
	siginfo_t info = { 0 };

	return kill(workload_link.pid, SIGSTOP) == 0 &&
	       waitid(P_PID, (id_t)workload_link.pid, &info, WSTOPPED | WEXITED | WNOWAIT) == 0;
}

bool memory_scan(uint32_t round, bool final)
{
	bool paused, done = true;

	if (round == 1 && !choose())
		return false;
	paused = tracker == TRACK_SOFT_DIRTY && !final;
	if (paused && !pause_for_bits())
		return false;
	for (size_t i = 0; i < region_count && done; i++) {
		struct region *region = &regions[i];

		if (region->kind != KMP_KIND_MEMORY)
			continue;
		region->range_count = 0;
		if (round > 1)
			done = note(region, final);
		else
			done = (tracker != TRACK_UFFD || scan_written(region, !final, false)) &&
			       everything(region);
	}
	if (paused) {
		done = clear_soft_dirty(workload_link.pid) && done;
		kill(workload_link.pid, SIGCONT);
	}
	return done;
}

void memory_forget(void)
{
	for (size_t i = 0; i < region_count; i++) {
		free(regions[i].hashes);
		regions[i].hashes = NULL;
		free(regions[i].ranges);
		regions[i].ranges = NULL;
		regions[i].range_count = regions[i].range_room = 0;
	}
	tracker = TRACK_NONE;
}

bool is_zero(const uint8_t *bytes, size_t length)
{
	return bytes[0] == 0 && memcmp(bytes, bytes + 1, length - 1) == 0;
}
