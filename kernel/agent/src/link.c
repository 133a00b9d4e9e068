// SPDX-License-Identifier: Apache-2.0
/* The agent's end of what libkmorph says; kernel/libkmorph/link.h has the messages. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "morph.h"

/* So that a batch of descriptors never waits for the workload to read. */
#define SEND_BUFFER (4 << 20)

/* How long a workload may leave unread what must go out now. */
#define SEND_PATIENCE_MS 200

static void ready(struct watch *watch, uint32_t events);

struct link workload_link = { .watch = { .fd = -1, .ready = ready }, .pagemap = -1 };

int link_open(bool successor)
{
	int ends[2], size = SEND_BUFFER;

	link_close();
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -1;
	if (setsockopt(ends[0], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	workload_link.successor = successor;
	workload_link.watch.fd = ends[0];
	watch_add(&workload_link.watch, EPOLLIN);
	return ends[1];
}

void link_close(void)
{
	struct link *link = &workload_link;

	checks_forget();
	if (link->watch.fd >= 0)
		watch_close(&link->watch);
	if (link->pagemap >= 0)
		close(link->pagemap);
	for (size_t i = 0; i < link->carried_count; i++)
		close(link->carried[i].fd);
	free(link->carried);
	bequest_forget();
	if (link->blob)
		munmap(link->blob, KMORPH_BLOB_BYTES);
	*link = (struct link){ .watch = { .fd = -1, .ready = ready }, .pagemap = -1 };
}

static bool send_all(const struct kmorph_message *message, const uint64_t *tags, const int *fds,
		     size_t count)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int) * KMORPH_BATCH)];
	} control;
	struct iovec parts[2] = {
		{ .iov_base = (void *)(uintptr_t)message, .iov_len = sizeof(*message) },
		{ .iov_base = (void *)(uintptr_t)tags,
		  .iov_len = tags ? sizeof(*tags) * count : 0 },
	};
	struct msghdr packet = { .msg_iov = parts, .msg_iovlen = 2 };

	if (workload_link.watch.fd < 0)
		return false;
	if (count > 0) {
		memset(&control, 0, sizeof(control));
		packet.msg_control = &control;
		packet.msg_controllen = CMSG_SPACE(sizeof(int) * count);
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(sizeof(int) * count);
		memcpy(CMSG_DATA(&control.head), fds, sizeof(int) * count);
	}
	for (;;) {
		struct pollfd room = { .fd = workload_link.watch.fd, .events = POLLOUT };

		if (sendmsg(workload_link.watch.fd, &packet, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
			return true;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN || poll(&room, 1, SEND_PATIENCE_MS) <= 0)
			return false;
	}
}

bool link_say(uint32_t type, uint64_t size)
{
	struct kmorph_message message = { .type = type, .size = size };

	return send_all(&message, NULL, NULL, 0);
}

bool link_offer(const struct kmorph_message *message)
{
	return workload_link.watch.fd >= 0 &&
	       send(workload_link.watch.fd, message, sizeof(*message),
		    MSG_NOSIGNAL | MSG_DONTWAIT) == sizeof(*message);
}

bool link_adopt(uint32_t type, const uint64_t *tags, const int *fds, size_t count)
{
	struct kmorph_message message = { .type = type };

	for (size_t at = 0; at < count; at += message.size) {
		message.size = count - at < KMORPH_BATCH ? count - at : KMORPH_BATCH;
		if (!send_all(&message, tags + at, fds + at, message.size))
			return false;
	}
	return true;
}

/* Nothing that we map may become shorter than it was, whatever its workload does. */
static bool is_blob(int fd)
{
	struct stat there;
	int seals = fcntl(fd, F_GET_SEALS);

	return seals >= 0 && (seals & F_SEAL_SHRINK) && fstat(fd, &there) == 0 &&
	       there.st_size >= KMORPH_BLOB_BYTES;
}

static void take_hello(const struct kmorph_message *message, int fd)
{
	struct link *link = &workload_link;
	struct kmorph_message welcome = { .type = LINK_WELCOME,
					  .value = link->successor ? KMORPH_SUCCESSOR
								   : KMORPH_FRESH };
	char path[64];

	if (message->value != KMORPH_LINK_VERSION || fd < 0 || link->blob) {
		say("the workload's libkmorph speaks version %llu, this agent %d",
		    (unsigned long long)message->value, KMORPH_LINK_VERSION);
		link_close();
		return;
	}
	if (!is_blob(fd)) {
		say("the workload's blob is no memfd of %d bytes that is sealed against shrinking",
		    KMORPH_BLOB_BYTES);
		link_close();
		return;
	}
	link->blob = mmap(NULL, KMORPH_BLOB_BYTES, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_POPULATE, fd, 0);
	if (link->blob == MAP_FAILED) {
		link->blob = NULL;
		link_close();
		return;
	}
	link->pid = (pid_t)message->id;
	link->tracks = message->size != 0;
	snprintf(path, sizeof(path), "/proc/%d/pagemap", link->pid);
	link->pagemap = open(path, O_RDONLY | O_CLOEXEC);
	send_all(&welcome, NULL, NULL, 0);
}

/* A fresh workload brings its memory; a successor is given what has been received for it. */
static void take_region(const struct kmorph_message *message, int fd)
{
	struct kmorph_message reply = *message;
	struct region *region;
	struct stat there;

	if (!workload_link.successor) {
		if (fd < 0 || fstat(fd, &there) < 0 || (uint64_t)there.st_size != message->size ||
		    message->id >= KMORPH_MAX_REGIONS || region_find(message->id))
			return;
		region_add(message->id, KMP_KIND_MEMORY, message->name, message->size, dup(fd));
		return;
	}
	region = region_find(message->id);
	if (region && region->kind == KMP_KIND_MEMORY && region->size == message->size &&
	    strcmp(region->name, message->name) == 0) {
		send_all(&reply, NULL, &region->fd, 1);
		return;
	}
	reply.size = 0;
	send_all(&reply, NULL, NULL, 0);
}

struct carried *link_carry(uint64_t tag, int fd, bool socket)
{
	struct link *link = &workload_link;
	struct carried *carried;

	if (fd < 0 || link->carried_count == MAX_CARRIED)
		return NULL;
	if (link->carried_count == link->carried_room) {
		size_t room = link->carried_room * 2 + 64;
		struct carried *more = realloc(link->carried, room * sizeof(*more));

		if (!more)
			return NULL;
		link->carried = more;
		link->carried_room = room;
	}
	fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return NULL;
	carried = &link->carried[link->carried_count++];
	*carried = (struct carried){ .tag = tag, .fd = fd, .socket = socket };
	return carried;
}

/* The workload gives it. */
static void carry(uint64_t tag, int fd, bool socket)
{
	struct carried *carried = link_carry(tag, fd, socket);

	if (carried && socket)
		sockets_share_port(carried);
}

static void forget(uint64_t tag)
{
	struct link *link = &workload_link;

	for (size_t i = 0; i < link->carried_count; i++)
		if (link->carried[i].tag == tag) {
			close(link->carried[i].fd);
			link->carried[i] = link->carried[--link->carried_count];
			return;
		}
}

static void hear(const struct kmorph_message *message, int fd)
{
	switch (message->type) {
	case LINK_HELLO:
		take_hello(message, fd);
		break;
	case LINK_REGION:
		take_region(message, fd);
		break;
	case LINK_SOCKET:
	case LINK_FILE:
		carry(message->value, fd, message->type == LINK_SOCKET);
		break;
	case LINK_FORGET:
		forget(message->value);
		break;
	case LINK_CHECK:
		checks_add(message->name);
		break;
	case LINK_FOLLOW:
		workload_link.follows = true;
		break;
	case LINK_READY:
		workload_link.ready = workload_link.blob != NULL;
		if (!workload_link.successor) {
			region_add(REGION_FILES, KMP_KIND_FILES, "files", 0, -1);
			region_add(REGION_SOCKETS, KMP_KIND_SOCKETS, "sockets", 0, -1);
			region_add(REGION_OPAQUE, KMP_KIND_OPAQUE, "own", 0, -1);
		}
		break;
	default:
		break;
	}
	morph_heard(message);
}

void link_hear(void)
{
	ready(&workload_link.watch, EPOLLIN);
}

static void ready(struct watch *watch, uint32_t events)
{
	(void)events;
	while (watch->fd >= 0) {
		union {
			struct cmsghdr head;
			char bytes[CMSG_SPACE(sizeof(int))];
		} control;
		struct kmorph_message message;
		struct iovec part = { .iov_base = &message, .iov_len = sizeof(message) };
		struct msghdr packet = {
			.msg_iov = &part,
			.msg_iovlen = 1,
			.msg_control = &control,
			.msg_controllen = sizeof(control),
		};
		ssize_t got = recvmsg(watch->fd, &packet, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		struct cmsghdr *head = got > 0 ? CMSG_FIRSTHDR(&packet) : NULL;
		int fd = -1;

		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (got < (ssize_t)sizeof(message)) {
			/* what it gave stays: the workload may only have closed this */
			watch_close(watch);
			workload_link.ready = false;
			morph_link_lost();
			return;
		}
		if (head && head->cmsg_type == SCM_RIGHTS &&
		    head->cmsg_len == CMSG_LEN(sizeof(int)))
			memcpy(&fd, CMSG_DATA(head), sizeof(fd));
		message.name[sizeof(message.name) - 1] = 0;
		hear(&message, fd);
		if (fd >= 0)
			close(fd);
	}
}
