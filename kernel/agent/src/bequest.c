// SPDX-License-Identifier: Apache-2.0
/*
 * Sockets of a workload that hear nothing, or are in repair mode, would be so for ever if the agent
 * that made them so died. So while they are, they are also in a pair of sockets of the supervisor's
 * that nobody reads: what is on its way there outlives the agent that has sent it (unix(7),
 * SCM_RIGHTS).
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "sockets.h"

/* In one packet; the kernel takes twice as many. */
#define BATCH 128

/* For all that a workload may have, whatever the kernel counts besides. */
#define ROOM (1 << 20)

static int ends[2] = { -1, -1 }; /* to be sent to, to be read from */
static struct bequest added[BATCH];
static int added_fds[BATCH];
static size_t added_count;

union control {
	struct cmsghdr head;
	char bytes[CMSG_SPACE(sizeof(int) * BATCH)];
};

void bequest_open(void)
{
	int room = ROOM;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		die("cannot make a pair of sockets: %s", strerror(errno));
	if (setsockopt(ends[0], SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)) < 0)
		setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
}

bool bequest_all_added(void)
{
	union control control = { .head = { .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS } };
	size_t count = added_count, size = sizeof(int) * count;
	struct iovec part = { .iov_base = added, .iov_len = sizeof(*added) * count };
	struct msghdr packet = { .msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = CMSG_SPACE(size) };

	added_count = 0;
	if (count == 0)
		return true;
	control.head.cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(&control.head), added_fds, size);
	return sendmsg(ends[0], &packet, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}

bool bequest_add(int fd, struct bequest as)
{
	if (ends[0] < 0)
		return true;
	added[added_count] = as;
	added_fds[added_count++] = fd;
	return added_count < BATCH || bequest_all_added();
}

/* Descriptors that nobody asks for are closed. */
void bequest_forget(void)
{
	char byte;

	added_count = 0;
	while (ends[1] >= 0 && recv(ends[1], &byte, sizeof(byte), MSG_DONTWAIT) > 0)
		;
}

static void set_free(int fd, const struct bequest *as)
{
	socket_set(fd, IPPROTO_TCP, TCP_REPAIR, REPAIR_OFF_QUIETLY);
	socket_set(fd, SOL_SOCKET, SO_REUSEADDR, as->reuse_address);
	if (as->listens) {
		if (as->flags >= 0)
			fcntl(fd, F_SETFL, as->flags);
		socket_set(fd, SOL_SOCKET, SO_REUSEPORT, as->reuse_port);
		socket_set(fd, IPPROTO_IP, IP_FREEBIND, as->freebind);
	}
	filter_none(fd);
}

void bequest_take(bool goes_on)
{
	union control control;
	struct bequest left[BATCH];
	struct iovec part = { .iov_base = left, .iov_len = sizeof(left) };
	ssize_t got;

	for (;;) {
		struct msghdr packet = { .msg_iov = &part,
					 .msg_iovlen = 1,
					 .msg_control = &control,
					 .msg_controllen = sizeof(control) };
		int fds[BATCH];
		size_t count;

		if (ends[1] < 0)
			return;
		got = recvmsg(ends[1], &packet, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		if (got <= 0 || !CMSG_FIRSTHDR(&packet))
			return;
		count = (control.head.cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fds, CMSG_DATA(&control.head), sizeof(int) * count);
		for (size_t i = 0; i < count; i++) {
			if (goes_on)
				set_free(fds[i], &left[i]);
			else if (socket_set(fds[i], IPPROTO_TCP, TCP_REPAIR, 1))
				socket_vanish(fds[i]);
			close(fds[i]);
		}
	}
}
