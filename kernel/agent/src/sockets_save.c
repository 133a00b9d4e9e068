// SPDX-License-Identifier: Apache-2.0
/* The source's sockets: held, read, given up; or the workload's again. */
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "sockets.h"

/* include/net/tcp_states.h: the C library has them in a header that cannot be together with the
 * kernel's. */
#define STATE_ESTABLISHED 1
#define STATE_LISTEN 10

int socket_get(int fd, int level, int name)
{
	int value = 0;
	socklen_t length = sizeof(value);

	return getsockopt(fd, level, name, &value, &length) < 0 ? 0 : value;
}

bool socket_set(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) == 0;
}

bool socket_refuse(char *text, size_t most, const char *what)
{
	snprintf(text, most, "%s: %s", what, strerror(errno));
	return false;
}

bool sockets_capable(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int packets = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool can = fd >= 0 && packets >= 0 && socket_set(fd, IPPROTO_TCP, TCP_REPAIR, 1);

	if (fd >= 0)
		close(fd);
	if (packets >= 0)
		close(packets);
	return can;
}

static bool describe(struct carried *carried, struct saved_socket *saved)
{
	struct sockaddr_in local, remote;
	socklen_t length = sizeof(local), info_length = sizeof(struct tcp_info);
	struct tcp_info info = { 0 };

	*saved = (struct saved_socket){ .tag = carried->tag };
	if (getsockopt(carried->fd, IPPROTO_TCP, TCP_INFO, &info, &info_length) < 0 ||
	    getsockname(carried->fd, (struct sockaddr *)&local, &length) < 0)
		return false;
	saved->flags = (uint32_t)fcntl(carried->fd, F_GETFL) & O_NONBLOCK;
	saved->local_address = local.sin_addr.s_addr;
	saved->local_port = local.sin_port;
	carried->local_address = local.sin_addr.s_addr;
	carried->local_port = local.sin_port;
	saved->nodelay = socket_get(carried->fd, IPPROTO_TCP, TCP_NODELAY) != 0;
	saved->keepalive = socket_get(carried->fd, SOL_SOCKET, SO_KEEPALIVE) != 0;
	saved->reuse_address = carried->reuse_address;
	saved->reuse_port = carried->reuse_port;
	if (info.tcpi_state == STATE_LISTEN) {
		saved->what = LISTENING;
		saved->backlog = info.tcpi_sacked; /* of a listener: its limit; net/ipv4/tcp.c */
		return true;
	}
	length = sizeof(remote);
	saved->what = ENDING;
	if (getpeername(carried->fd, (struct sockaddr *)&remote, &length) < 0)
		return true;
	saved->remote_address = remote.sin_addr.s_addr;
	saved->remote_port = remote.sin_port;
	if (info.tcpi_state != STATE_ESTABLISHED)
		return true;
	saved->what = CONNECTED;
	saved->options = info.tcpi_options;
	saved->send_scale = info.tcpi_snd_wscale;
	saved->receive_scale = info.tcpi_rcv_wscale;
	return true;
}

static bool is_listening(int fd)
{
	return socket_get(fd, SOL_SOCKET, SO_ACCEPTCONN) != 0;
}

/* The target will listen at a listener's port before we have let go of it. */
static void share_listener(struct carried *carried)
{
	carried->listening = is_listening(carried->fd);
	if (carried->shared || !carried->listening)
		return;
	carried->reuse_port = socket_get(carried->fd, SOL_SOCKET, SO_REUSEPORT) != 0;
	carried->shared = options.local && socket_set(carried->fd, SOL_SOCKET, SO_REUSEPORT, 1);
}

bool sockets_sketch(struct blob *blob, char *text, size_t most)
{
	for (size_t i = 0; i < workload_link.carried_count; i++) {
		struct saved_socket saved;

		if (!workload_link.carried[i].socket)
			continue;
		share_listener(&workload_link.carried[i]);
		if (!describe(&workload_link.carried[i], &saved))
			return socket_refuse(text, most, "a socket cannot be read");
		blob_add(blob, &saved, sizeof(saved));
	}
	return !blob->failed;
}

void sockets_share_address(const struct carried *carried)
{
	socket_set(carried->fd, SOL_SOCKET, SO_REUSEADDR, options.local || carried->reuse_address);
}

void sockets_share_port(struct carried *carried)
{
	carried->reuse_address = socket_get(carried->fd, SOL_SOCKET, SO_REUSEADDR) == 1;
	sockets_share_address(carried);
}

static bool bequeath(const struct carried *carried)
{
	struct bequest as = { .listens = carried->listening,
			      .reuse_address = carried->reuse_address };

	if (as.listens) {
		as.flags = fcntl(carried->fd, F_GETFL);
		as.reuse_port = carried->reuse_port;
		as.freebind = socket_get(carried->fd, IPPROTO_IP, IP_FREEBIND) != 0;
	}
	return bequest_add(carried->fd, as);
}

void sockets_hold(void)
{
	bool kept = true;

	for (size_t i = 0; i < workload_link.carried_count; i++) {
		struct carried *carried = &workload_link.carried[i];

		if (!carried->socket)
			continue;
		share_listener(carried);
		kept = kept && bequeath(carried);
	}
	kept = kept && bequest_all_added();
	for (size_t i = 0; i < workload_link.carried_count; i++) {
		struct carried *carried = &workload_link.carried[i];

		if (carried->socket)
			carried->held = kept && filter_drop(carried->fd);
	}
}

void sockets_resume(void)
{
	for (size_t i = 0; i < workload_link.carried_count; i++) {
		struct carried *carried = &workload_link.carried[i];

		if (carried->repaired) {
			socket_set(carried->fd, IPPROTO_TCP, TCP_REPAIR, REPAIR_OFF_QUIETLY);
			/* repair mode has its own, and takes it along */
			sockets_share_address(carried);
		}
		if (carried->shared)
			socket_set(carried->fd, SOL_SOCKET, SO_REUSEPORT, carried->reuse_port);
		if (carried->held)
			filter_none(carried->fd);
		carried->repaired = carried->held = carried->shared = false;
	}
	bequest_forget();
}

void sockets_return_accepted(void)
{
	size_t count = 0;

	for (size_t i = 0; i < workload_link.carried_count; i++) {
		struct carried *carried = &workload_link.carried[i];

		if (!carried->pending) {
			workload_link.carried[count++] = *carried;
			continue;
		}
		link_adopt(LINK_ACCEPTED, &carried->tag, &carried->fd, 1);
		close(carried->fd);
	}
	workload_link.carried_count = count;
}

/* length bytes from the start of a queue; zero of them is no error. */
static bool peek(struct blob *blob, int fd, uint32_t length)
{
	uint8_t *at = blob_grow(blob, length);

	return length == 0 ||
	       (at && recv(fd, at, length, MSG_PEEK | MSG_DONTWAIT) == (ssize_t)length);
}

static bool save_connection(struct blob *blob, struct carried *carried, struct saved_socket *saved)
{
	int fd = carried->fd, queued = 0, unsent = 0, received = 0;
	socklen_t length = sizeof(saved->window);
	size_t at = blob->length;

	if (!socket_set(fd, IPPROTO_TCP, TCP_REPAIR, 1))
		return false;
	carried->repaired = true;
	saved->mss = (uint32_t)socket_get(fd, IPPROTO_TCP, TCP_MAXSEG);
	saved->timestamp = (uint32_t)socket_get(fd, IPPROTO_TCP, TCP_TIMESTAMP);
	if (getsockopt(fd, IPPROTO_TCP, TCP_REPAIR_WINDOW, &saved->window, &length) < 0 ||
	    ioctl(fd, SIOCOUTQ, &queued) < 0 || ioctl(fd, SIOCOUTQNSD, &unsent) < 0 ||
	    ioctl(fd, SIOCINQ, &received) < 0)
		return false;
	saved->send_length = (uint32_t)(queued - unsent);
	saved->unsent_length = (uint32_t)unsent;
	saved->receive_length = (uint32_t)received;
	blob_add(blob, saved, sizeof(*saved));
	if (!socket_set(fd, IPPROTO_TCP, TCP_REPAIR_QUEUE, TCP_SEND_QUEUE))
		return false;
	saved->send_seq = (uint32_t)socket_get(fd, IPPROTO_TCP, TCP_QUEUE_SEQ);
	if (!peek(blob, fd, (uint32_t)queued) ||
	    !socket_set(fd, IPPROTO_TCP, TCP_REPAIR_QUEUE, TCP_RECV_QUEUE))
		return false;
	saved->receive_seq = (uint32_t)socket_get(fd, IPPROTO_TCP, TCP_QUEUE_SEQ);
	if (!peek(blob, fd, (uint32_t)received) || blob->failed)
		return false;
	memcpy(blob->bytes + at, saved, sizeof(*saved));
	return true;
}

/* Read to its end and no more; the bytes that are there come along. */
static bool save_ending(struct blob *blob, struct carried *carried, struct saved_socket *saved)
{
	int received = 0;

	if (ioctl(carried->fd, SIOCINQ, &received) < 0)
		received = 0;
	saved->receive_length = (uint32_t)received;
	blob_add(blob, saved, sizeof(*saved));
	return peek(blob, carried->fd, saved->receive_length);
}

/* Connections that the workload has not accepted yet are accepted for it. */
static void accept_pending(void)
{
	size_t count = workload_link.carried_count;

	for (size_t i = 0; i < count && workload_link.carried_count < MAX_CARRIED; i++) {
		struct carried *listener = &workload_link.carried[i];

		if (!listener->socket || !listener->listening)
			continue;
		for (;;) {
			int fd, flags = fcntl(listener->fd, F_GETFL);
			struct carried *more;

			fcntl(listener->fd, F_SETFL, flags | O_NONBLOCK);
			fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);
			fcntl(listener->fd, F_SETFL, flags);
			if (fd < 0)
				break;
			more = realloc(workload_link.carried,
				       (workload_link.carried_count + 1) * sizeof(*more));
			if (!more) {
				close(fd);
				break;
			}
			workload_link.carried = more;
			workload_link.carried_room = workload_link.carried_count + 1;
			listener = &more[i];
			more[workload_link.carried_count++] = (struct carried){
				.tag = listener->tag,
				.fd = fd,
				.socket = true,
				.held = filter_drop(fd),
				.pending = true,
			};
		}
	}
}

bool sockets_save(struct blob *blob, char *text, size_t most)
{
	accept_pending();
	for (size_t i = 0; i < workload_link.carried_count; i++) {
		struct carried *carried = &workload_link.carried[i];
		struct saved_socket saved;
		bool done;

		if (!carried->socket)
			continue;
		if (!carried->held || !describe(carried, &saved))
			return socket_refuse(text, most, "a socket cannot be held");
		if (saved.what == CONNECTED) {
			if (carried->pending)
				saved.what = ACCEPTED;
			done = save_connection(blob, carried, &saved);
			carried->receive_seq = saved.receive_seq;
		} else if (saved.what == ENDING) {
			done = save_ending(blob, carried, &saved);
		} else {
			blob_add(blob, &saved, sizeof(saved));
			done = !blob->failed;
		}
		if (!done)
			return socket_refuse(text, most, "a connection cannot be read");
	}
	return true;
}

bool sockets_are_as_saved(void)
{
	for (size_t i = 0; i < workload_link.carried_count; i++) {
		const struct carried *carried = &workload_link.carried[i];

		/* the queue that is asked for is still the receiving one */
		if (carried->repaired &&
		    (uint32_t)socket_get(carried->fd, IPPROTO_TCP, TCP_QUEUE_SEQ) !=
			    carried->receive_seq)
			return false;
	}
	return true;
}

void socket_vanish(int fd)
{
	struct sockaddr nowhere = { .sa_family = AF_UNSPEC };

	connect(fd, &nowhere, sizeof(nowhere));
}

/* What is not gone at once is in nobody's way, should they come back. */
static void share_what_stays(const struct carried *carried)
{
	if (!carried->socket || carried->repaired)
		return;
	socket_set(carried->fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (!carried->listening)
		return;
	socket_set(carried->fd, SOL_SOCKET, SO_REUSEPORT, 1);
	guard_with(carried->fd);
}

void sockets_give_up(void)
{
	for (size_t i = 0; i < workload_link.carried_count; i++)
		share_what_stays(&workload_link.carried[i]);
	for (size_t i = 0; i < workload_link.carried_count; i++) {
		struct carried *carried = &workload_link.carried[i];
		struct saved_socket saved = { .local_address = carried->local_address,
					      .local_port = carried->local_port };

		if (!carried->repaired)
			continue;
		guard_port(&saved);
		socket_vanish(carried->fd);
		carried->repaired = carried->held = false;
	}
	bequest_forget();
}
