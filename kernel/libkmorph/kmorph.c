// SPDX-License-Identifier: Apache-2.0
#include "kmorph.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "link.h"

/* Of newer kernels than the headers that we may be built with; include/uapi/linux/userfaultfd.h. */
#ifndef UFFD_FEATURE_WP_HUGETLBFS_SHMEM
#define UFFD_FEATURE_WP_HUGETLBFS_SHMEM (1 << 12)
#endif
#ifndef UFFD_FEATURE_WP_UNPOPULATED
#define UFFD_FEATURE_WP_UNPOPULATED (1 << 13)
#endif
#ifndef UFFD_FEATURE_WP_ASYNC
#define UFFD_FEATURE_WP_ASYNC (1 << 15)
#endif
#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

struct region {
	char name[64];
	size_t bytes;
	uint8_t *at;
	bool tracked;
};

struct adopted {
	uint64_t tag;
	int fd;
	bool accepted;
};

static struct {
	const struct kmorph_callbacks *callbacks;
	void *context;
	int link;     /* -1: no agent */
	int tracking; /* userfaultfd, -1: the kernel cannot */
	bool successor, begun;
	bool lost; /* there was an agent, and it is gone */
	uint8_t *blob;
	int blob_fd;
	struct region regions[KMORPH_MAX_REGIONS];
	uint32_t region_count;
	struct adopted *adopted;
	size_t adopted_count;
	struct kmorph_message *peers; /* heard, and not told yet */
	size_t peer_count;
} self = { .link = -1, .tracking = -1, .blob_fd = -1 };

/* The agent is gone. What is polled stays a descriptor, from which nothing ever comes. */
static int lose_link(void)
{
	int nothing = eventfd(0, EFD_CLOEXEC);

	if (nothing < 0 || dup3(nothing, self.link, O_CLOEXEC) < 0)
		close(self.link);
	if (nothing >= 0)
		close(nothing);
	self.link = -1;
	self.lost = true;
	errno = ECONNRESET;
	return -1;
}

static bool is_lost(int error)
{
	return error == EPIPE || error == ECONNRESET;
}

/* An agent that never was has heard it; one that is gone has not. */
static int say(uint32_t type, uint32_t id, uint64_t value, uint64_t size, const char *name, int fd)
{
	struct kmorph_message message = { .type = type, .id = id, .value = value, .size = size };
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec part = { .iov_base = &message, .iov_len = sizeof(message) };
	struct msghdr packet = { .msg_iov = &part, .msg_iovlen = 1 };
	ssize_t sent;

	if (self.link < 0) {
		errno = ECONNRESET;
		return self.lost ? -1 : 0;
	}
	if (name)
		strncpy(message.name, name, sizeof(message.name) - 1);
	if (fd >= 0) {
		memset(&control, 0, sizeof(control));
		packet.msg_control = &control;
		packet.msg_controllen = sizeof(control);
		control.head = (struct cmsghdr){ .cmsg_level = SOL_SOCKET,
						 .cmsg_type = SCM_RIGHTS,
						 .cmsg_len = CMSG_LEN(sizeof(int)) };
		memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
	}
	do
		sent = sendmsg(self.link, &packet, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent >= 0)
		return 0;
	return is_lost(errno) ? lose_link() : -1;
}

/* What matters as long as there is an agent, and no longer. */
static int tell(uint32_t type, uint32_t id, uint64_t value, uint64_t size, const char *name, int fd)
{
	return say(type, id, value, size, name, fd) < 0 && self.link >= 0 ? -1 : 0;
}

static void close_all(const int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		close(fds[i]);
}

/* One packet: 1, or 0 if there is none and none is waited for, or -1. Descriptors are the caller's.
 */
static int hear(struct kmorph_message *message, uint64_t *tags, int *fds, size_t *count, bool wait)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int) * KMORPH_BATCH)];
	} control;
	struct iovec parts[2] = {
		{ .iov_base = message, .iov_len = sizeof(*message) },
		{ .iov_base = tags, .iov_len = sizeof(uint64_t) * KMORPH_BATCH },
	};
	struct msghdr packet = {
		.msg_iov = parts,
		.msg_iovlen = 2,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t got;

	*count = 0;
	do
		got = recvmsg(self.link, &packet, MSG_CMSG_CLOEXEC | (wait ? 0 : MSG_DONTWAIT));
	while (got < 0 && errno == EINTR);
	if (got == 0 || (got < 0 && is_lost(errno)))
		return lose_link();
	if (got < 0)
		return errno == EAGAIN && !wait ? 0 : -1;
	for (struct cmsghdr *head = CMSG_FIRSTHDR(&packet); head; head = CMSG_NXTHDR(&packet, head))
		if (head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS) {
			*count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
			memcpy(fds, CMSG_DATA(head), *count * sizeof(int));
		}
	if (got < (ssize_t)sizeof(*message)) {
		close_all(fds, *count);
		errno = ECONNRESET;
		return -1;
	}
	return 1;
}

/* Writes are noted by the kernel itself (asynchronous write protection, Linux 6.7), or not at all:
 * to be told of each would need a thread, and cost the workload a switch to it. */
static void open_tracking(void)
{
	struct uffdio_api api = {
		.api = UFFD_API,
		.features = UFFD_FEATURE_WP_HUGETLBFS_SHMEM | UFFD_FEATURE_WP_UNPOPULATED |
			    UFFD_FEATURE_WP_ASYNC,
	};

	self.tracking = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY);
	if (self.tracking >= 0 && ioctl(self.tracking, UFFDIO_API, &api) < 0) {
		close(self.tracking);
		self.tracking = -1;
	}
}

static void track(struct region *region)
{
	struct uffdio_register range = {
		.range = { .start = (uintptr_t)region->at, .len = region->bytes },
		.mode = UFFDIO_REGISTER_MODE_WP,
	};

	if (self.tracking >= 0 && !region->tracked)
		region->tracked = ioctl(self.tracking, UFFDIO_REGISTER, &range) == 0;
}

/* It stays as long as it is: the agent refuses a blob that could shrink under it. */
static int new_memory(const char *name, size_t bytes)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd >= 0 &&
	    (ftruncate(fd, (off_t)bytes) < 0 || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK) < 0)) {
		close(fd);
		return -1;
	}
	return fd;
}

int kmorph_open(const struct kmorph_callbacks *callbacks, void *context)
{
	const char *number = getenv(KMORPH_LINK);
	uint64_t tags[KMORPH_BATCH];
	struct kmorph_message message;
	int fds[KMORPH_BATCH];
	size_t count;

	self.callbacks = callbacks;
	self.context = context;
	if (!number)
		return KMORPH_FRESH;
	self.link = atoi(number);
	if (fcntl(self.link, F_SETFD, FD_CLOEXEC) < 0)
		return -1;
	unsetenv(KMORPH_LINK);
	open_tracking();
	self.blob_fd = new_memory("kmorph-blob", KMORPH_BLOB_BYTES);
	if (self.blob_fd < 0)
		return -1;
	self.blob = mmap(NULL, KMORPH_BLOB_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
			 self.blob_fd, 0);
	if (self.blob == MAP_FAILED ||
	    say(LINK_HELLO, (uint32_t)getpid(), KMORPH_LINK_VERSION, self.tracking >= 0, NULL,
		self.blob_fd) < 0 ||
	    hear(&message, tags, fds, &count, true) < 0)
		return -1;
	close_all(fds, count);
	if (message.type != LINK_WELCOME) {
		errno = EPROTO;
		return -1;
	}
	self.successor = message.value == KMORPH_SUCCESSOR;
	if (callbacks && callbacks->peer && tell(LINK_FOLLOW, 0, 0, 0, NULL, -1) < 0)
		return -1;
	return (int)message.value;
}

/* Of another instance: the workload is told when it next dispatches, not while it rests or waits.
 */
static void keep_peer(const struct kmorph_message *message)
{
	struct kmorph_message *more =
		realloc(self.peers, (self.peer_count + 1) * sizeof(*self.peers));

	if (!more)
		return;
	self.peers = more;
	more[self.peer_count] = *message;
	more[self.peer_count++].name[sizeof(message->name) - 1] = 0;
}

static void tell_peers(void)
{
	for (size_t i = 0; i < self.peer_count; i++) {
		const struct kmorph_message *one = &self.peers[i];
		struct kmorph_peer peer = { .event = (enum kmorph_peer_event)one->value,
					    .instance = one->id,
					    .successor = (uint32_t)one->size,
					    .name = one->name };

		self.callbacks->peer(self.context, &peer);
	}
	free(self.peers);
	self.peers = NULL;
	self.peer_count = 0;
}

/* The answer to what was just said; news of other instances may come before it. */
static int hear_answer(struct kmorph_message *message, uint64_t *tags, int *fds, size_t *count)
{
	int got;

	while ((got = hear(message, tags, fds, count, true)) > 0 && message->type == LINK_PEER)
		keep_peer(message);
	return got;
}

/* Asks the agent for what the predecessor had under this name. */
static int inherited(uint32_t id, const char *name, size_t bytes)
{
	uint64_t tags[KMORPH_BATCH];
	struct kmorph_message message;
	int fds[KMORPH_BATCH];
	size_t count;

	if (say(LINK_REGION, id, 0, bytes, name, -1) < 0 ||
	    hear_answer(&message, tags, fds, &count) < 0)
		return -1;
	if (message.type == LINK_REGION && message.size == bytes && count == 1)
		return fds[0];
	close_all(fds, count);
	errno = ESTALE; /* the predecessor had another size, or none of this name */
	return -1;
}

void *kmorph_region(const char *name, size_t bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct region *region = &self.regions[self.region_count];
	uint32_t id = self.region_count;
	int fd, error;

	bytes = (bytes + page - 1) / page * page;
	if (self.begun || bytes == 0 || bytes > KMORPH_MAX_REGION_BYTES ||
	    strlen(name) >= sizeof(region->name)) {
		errno = EINVAL;
		return NULL;
	}
	if (id == KMORPH_MAX_REGIONS) {
		errno = ENOSPC;
		return NULL;
	}
	fd = self.successor ? inherited(id, name, bytes) : new_memory(name, bytes);
	if (fd < 0)
		return NULL;
	strcpy(region->name, name);
	region->bytes = bytes;
	region->at = mmap((void *)(uintptr_t)KMORPH_REGION_ADDRESS(id), bytes,
			  PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0);
	if (region->at == MAP_FAILED ||
	    (!self.successor && tell(LINK_REGION, id, 0, bytes, name, fd) < 0)) {
		error = errno;
		close(fd);
		errno = error;
		return NULL;
	}
	close(fd);
	if (!self.successor)
		track(region);
	self.region_count++;
	return region->at;
}

int kmorph_socket(int fd, uint64_t tag)
{
	struct sockaddr_in address;
	socklen_t length = sizeof(address);
	int type;

	if (getsockname(fd, (struct sockaddr *)&address, &length) < 0)
		return -1;
	if (address.sin_family != AF_INET) {
		errno = EAFNOSUPPORT;
		return -1;
	}
	length = sizeof(type);
	if (getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &type, &length) < 0)
		return -1;
	if (type != IPPROTO_TCP) {
		errno = EPROTONOSUPPORT;
		return -1;
	}
	return tell(LINK_SOCKET, 0, tag, 0, NULL, fd);
}

int kmorph_file(int fd, uint64_t tag)
{
	return tell(LINK_FILE, 0, tag, 0, NULL, fd);
}

int kmorph_check(const char *path)
{
	if (path[0] != '/' || strlen(path) >= sizeof(((struct kmorph_message *)0)->name)) {
		errno = EINVAL;
		return -1;
	}
	return tell(LINK_CHECK, 0, 0, 0, path, -1);
}

int kmorph_forget(uint64_t tag)
{
	return tell(LINK_FORGET, 0, tag, 0, NULL, -1);
}

static int tell_health(void)
{
	char text[64] = "";
	int well = self.callbacks && self.callbacks->health
			   ? self.callbacks->health(self.context, text, sizeof(text))
			   : 0;

	return say(LINK_HEALTHY, 0, well != 0, 0, text, -1);
}

/* Maps every page now, and has writes noted from now on, so that the first requests in the new
 * kernel do not wait for it. */
static int prefault(void)
{
	for (uint32_t i = 0; i < self.region_count; i++) {
		track(&self.regions[i]);
		madvise(self.regions[i].at, self.regions[i].bytes, MADV_POPULATE_WRITE);
	}
	return say(LINK_PREFAULTED, 0, 0, 0, NULL, -1);
}

static int keep(const uint64_t *tags, const int *fds, size_t count, bool accepted)
{
	struct adopted *more =
		realloc(self.adopted, (self.adopted_count + count) * sizeof(*self.adopted));

	if (!more)
		return -1;
	self.adopted = more;
	for (size_t i = 0; i < count; i++)
		more[self.adopted_count++] =
			(struct adopted){ .tag = tags[i], .fd = fds[i], .accepted = accepted };
	return 0;
}

static int take_over(size_t blob_length)
{
	const struct kmorph_callbacks *callbacks = self.callbacks;

	if (callbacks && callbacks->restore && blob_length > 0 &&
	    callbacks->restore(self.context, self.blob, blob_length) < 0) {
		say(LINK_BEGUN, 0, 1, 0, NULL, -1);
		errno = ECANCELED;
		return -1;
	}
	for (size_t i = 0; i < self.adopted_count; i++) {
		const struct adopted *one = &self.adopted[i];
		void (*take)(void *, uint64_t, int) = !callbacks      ? NULL
						      : one->accepted ? callbacks->accepted
								      : callbacks->adopt;

		if (take)
			take(self.context, one->tag, one->fd);
		else
			close(one->fd);
	}
	free(self.adopted);
	self.adopted = NULL;
	self.adopted_count = 0;
	return say(LINK_BEGUN, 0, 0, 0, NULL, -1);
}

static int wait_for_turn(void)
{
	uint64_t tags[KMORPH_BATCH];
	struct kmorph_message message;
	int fds[KMORPH_BATCH];
	size_t count;

	for (;;) {
		if (hear(&message, tags, fds, &count, true) < 0)
			return -1;
		switch (message.type) {
		case LINK_PREFAULT:
			if (prefault() < 0)
				return -1;
			break;
		case LINK_HEALTH:
			if (tell_health() < 0)
				return -1;
			break;
		case LINK_ADOPT:
		case LINK_ACCEPTED:
			if (keep(tags, fds, count, message.type == LINK_ACCEPTED) < 0)
				return -1;
			break;
		case LINK_GO:
			if (take_over(message.size) < 0)
				return -1;
			for (uint32_t i = 0; i < self.region_count; i++)
				track(&self.regions[i]);
			return 0;
		case LINK_PEER:
			keep_peer(&message);
			break;
		default:
			close_all(fds, count);
		}
	}
}

int kmorph_begin(void)
{
	if (self.begun) {
		errno = EALREADY;
		return -1;
	}
	self.begun = true;
	if (!self.successor)
		return tell(LINK_READY, 0, 0, 0, NULL, -1);
	return say(LINK_READY, 0, 0, 0, NULL, -1) < 0 ? -1 : wait_for_turn();
}

int kmorph_fd(void)
{
	return self.link;
}

/* Says that it rests, then hears nothing but that it may go on, or that the agent is gone. */
static int rest(void)
{
	const struct kmorph_callbacks *callbacks = self.callbacks;
	ptrdiff_t length = 0;
	uint64_t tags[KMORPH_BATCH];
	struct kmorph_message message;
	int fds[KMORPH_BATCH];
	size_t count;

	if (callbacks && callbacks->save)
		length = callbacks->save(self.context, self.blob, KMORPH_BLOB_BYTES);
	if (length < 0 || length > (ptrdiff_t)KMORPH_BLOB_BYTES)
		return say(LINK_QUIESCED, 0, 1, 0, NULL, -1);
	if (say(LINK_QUIESCED, 0, 0, (uint64_t)length, NULL, -1) < 0)
		return -1;
	do {
		if (hear_answer(&message, tags, fds, &count) < 0)
			return -1;
		for (size_t i = 0; i < count; i++) {
			/* came while the workload rested */
			if (message.type == LINK_ACCEPTED && callbacks && callbacks->accepted)
				callbacks->accepted(self.context, tags[i], fds[i]);
			else
				close(fds[i]);
		}
	} while (message.type != LINK_RESUME);
	return 0;
}

int kmorph_dispatch(void)
{
	uint64_t tags[KMORPH_BATCH];
	struct kmorph_message message;
	int fds[KMORPH_BATCH], got;
	size_t count;

	if (self.link < 0)
		return 0;
	while ((got = hear(&message, tags, fds, &count, false)) > 0) {
		close_all(fds, count);
		if (message.type == LINK_QUIESCE)
			got = rest();
		if (message.type == LINK_HEALTH)
			got = tell_health();
		if (message.type == LINK_PEER)
			keep_peer(&message);
		if (got < 0)
			break;
	}
	tell_peers();
	return self.link < 0 ? 0 : got;
}
