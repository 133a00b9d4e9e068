// SPDX-License-Identifier: Apache-2.0
/* The target's sockets while the source still has its own: made as far as the two do not collide,
 * so that little is left to be done while nobody runs. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sockets.h"

struct made *made;
size_t made_count;
static size_t made_room;

/* Goes through the state, one structure and its queues after the other. */
static bool next(const uint8_t **at, const uint8_t *end, struct saved_socket *saved,
		 const uint8_t **queues)
{
	const uint8_t *start = *at;
	uint64_t length;

	if (!blob_take(at, end, saved, sizeof(*saved)))
		return false;
	length = (uint64_t)saved->send_length + saved->unsent_length + saved->receive_length;
	if (length > (uint64_t)(end - *at)) {
		*at = start; /* lest its end looks like the state's */
		return false;
	}
	*queues = *at;
	*at += length;
	return true;
}

static bool too_many(const uint8_t *bytes, size_t length)
{
	const uint8_t *at = bytes, *end = blob_end(bytes, length), *queues;
	struct saved_socket saved;
	size_t count = 0;

	while (count <= MAX_SOCKETS && next(&at, end, &saved, &queues))
		count++;
	return count > MAX_SOCKETS;
}

static size_t ports_of(const uint8_t *bytes, size_t length, uint16_t ports[MAX_PORTS])
{
	const uint8_t *at = bytes, *end = blob_end(bytes, length), *queues;
	struct saved_socket saved;
	size_t count = 0, i;

	while (next(&at, end, &saved, &queues)) {
		uint16_t port = ntohs(saved.local_port);

		for (i = 0; i < count && ports[i] != port; i++)
			;
		if (i < count)
			continue;
		if (count == MAX_PORTS)
			return MAX_PORTS + 1;
		ports[count++] = port;
	}
	return count;
}

/* Bound, deaf, in repair mode: all that does not need to know how far the connection has come. */
static int connection_at(const struct saved_socket *saved)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (socket_set(fd, IPPROTO_TCP, TCP_REPAIR, 1) && filter_drop(fd) &&
	    guard_bind(fd, saved) &&
	    (!saved->nodelay || socket_set(fd, IPPROTO_TCP, TCP_NODELAY, 1)) &&
	    (!saved->keepalive || socket_set(fd, SOL_SOCKET, SO_KEEPALIVE, 1)))
		return fd;
	close(fd);
	return -1;
}

/* A pair stands for what is left of it: the bytes, then the end. */
static int remains_of(const struct saved_socket *saved, const uint8_t *queues)
{
	int ends[2], size = (int)saved->receive_length + 65536;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return -1;
	socket_set(ends[1], SOL_SOCKET, SO_SNDBUFFORCE, size);
	if (saved->receive_length > 0 &&
	    send(ends[1], queues, saved->receive_length, MSG_NOSIGNAL | MSG_DONTWAIT) !=
		    (ssize_t)saved->receive_length) {
		close(ends[0]);
		ends[0] = -1;
	}
	close(ends[1]);
	return ends[0];
}

static bool is_same(const struct saved_socket *one, const struct saved_socket *other)
{
	/* what the source accepts for its workload, the sketch may have had as a connection */
	return (one->what == LISTENING) == (other->what == LISTENING) && one->what != ENDING &&
	       one->local_address == other->local_address && one->local_port == other->local_port &&
	       one->remote_address == other->remote_address &&
	       one->remote_port == other->remote_port;
}

/* The one that stands for the same socket already, or NULL. They mostly come in the same order. */
static struct made *staged(const struct saved_socket *saved, size_t around)
{
	for (size_t i = 0; i < made_count; i++) {
		struct made *one = &made[(around + i) % made_count];

		if (!one->wanted && is_same(&one->saved, saved))
			return one;
	}
	return NULL;
}

static bool grow(void)
{
	size_t room = made_room * 2 + 64;
	struct made *more;

	if (made_count < made_room)
		return true;
	more = realloc(made, room * sizeof(*more));
	if (!more)
		return false;
	made = more;
	made_room = room;
	return true;
}

static bool stage(const struct saved_socket *saved, const uint8_t *queues, size_t around)
{
	struct made *one = saved->what == ENDING ? NULL : staged(saved, around);
	int fd;

	if (!one) {
		if (!grow())
			return false;
		fd = saved->what == LISTENING ? guard_listener(saved)
		     : saved->what == ENDING  ? remains_of(saved, queues)
					      : connection_at(saved);
		if (fd < 0)
			return false;
		one = &made[made_count++];
		*one = (struct made){ .fd = fd };
		if (saved->flags & O_NONBLOCK && saved->what != LISTENING)
			fcntl(fd, F_SETFL, O_NONBLOCK);
	}
	one->saved = *saved;
	one->queues = queues;
	one->wanted = true;
	return true;
}

/* Makes what is not made yet, forgets what is not there any more; the order becomes that of the
 * state. */
static bool stage_all(const uint8_t *bytes, size_t length, char *text, size_t most)
{
	const uint8_t *at = bytes, *end = blob_end(bytes, length), *queues;
	struct saved_socket saved;
	size_t count = 0, kept = 0;

	if (too_many(bytes, length)) {
		snprintf(text, most, "more than %d sockets", MAX_SOCKETS);
		return false;
	}
	for (size_t i = 0; i < made_count; i++)
		made[i].wanted = false;
	while (next(&at, end, &saved, &queues)) {
		if (!stage(&saved, queues, count)) {
			char name[INET_ADDRSTRLEN];

			inet_ntop(AF_INET, &saved.local_address, name, sizeof(name));
			return socket_refuse(text, most, name);
		}
		count++;
	}
	for (size_t i = 0; i < made_count; i++) {
		if (made[i].wanted)
			made[kept++] = made[i];
		else
			close(made[i].fd);
	}
	made_count = kept;
	if (at == end)
		return true;
	snprintf(text, most, "the sockets' state is malformed");
	return false;
}

bool sockets_rehearse(const uint8_t *bytes, size_t length, char *text, size_t most)
{
	uint16_t ports[MAX_PORTS];
	size_t count = ports_of(bytes, length, ports);

	if (count > MAX_PORTS) {
		snprintf(text, most, "more than %d local ports", MAX_PORTS);
		return false;
	}
	if (count > 0 && !sockets_capable()) {
		snprintf(text, most,
			 "neither TCP_REPAIR nor packet sockets without CAP_NET_ADMIN "
			 "and CAP_NET_RAW");
		return false;
	}
	if (!stage_all(bytes, length, text, most))
		return false;
	if (count > 0 && !capture_open(ports, count))
		return socket_refuse(text, most, "packets cannot be kept");
	snprintf(text, most, "%zu at %zu ports", made_count, count);
	return true;
}

/* How far it has come. */
static bool set_sequence(const struct made *one)
{
	const struct saved_socket *saved = &one->saved;
	uint32_t receive = saved->receive_seq - saved->receive_length;
	uint32_t sending = saved->send_seq - saved->send_length - saved->unsent_length;

	return socket_set(one->fd, IPPROTO_TCP, TCP_REPAIR_QUEUE, TCP_SEND_QUEUE) &&
	       socket_set(one->fd, IPPROTO_TCP, TCP_QUEUE_SEQ, (int)sending) &&
	       socket_set(one->fd, IPPROTO_TCP, TCP_REPAIR_QUEUE, TCP_RECV_QUEUE) &&
	       socket_set(one->fd, IPPROTO_TCP, TCP_QUEUE_SEQ, (int)receive);
}

static bool listens_at(const struct saved_socket *saved)
{
	for (size_t i = 0; i < made_count; i++)
		if (made[i].saved.what == LISTENING &&
		    made[i].saved.local_port == saved->local_port &&
		    (made[i].saved.local_address == INADDR_ANY ||
		     made[i].saved.local_address == saved->local_address))
			return true;
	return false;
}

bool sockets_prepare(const uint8_t *bytes, size_t length, char *text, size_t most)
{
	if (!stage_all(bytes, length, text, most))
		return false;
	for (size_t i = 0; i < made_count; i++) {
		const struct saved_socket *saved = &made[i].saved;

		if (saved->what == LISTENING && listen(made[i].fd, (int)saved->backlog) < 0)
			return socket_refuse(text, most, "a port cannot be listened at");
	}
	for (size_t i = 0; i < made_count; i++) {
		const struct saved_socket *saved = &made[i].saved;

		if (saved->what == LISTENING || saved->what == ENDING)
			continue;
		if (!listens_at(saved) && !guard_port(saved))
			return socket_refuse(text, most, "a port cannot be guarded");
		if (!set_sequence(&made[i]))
			return socket_refuse(text, most, "a connection cannot be made");
	}
	return true;
}

void sockets_forget(void)
{
	for (size_t i = 0; i < made_count; i++)
		if (made[i].fd >= 0)
			close(made[i].fd);
	bequest_forget();
	guards_close();
	free(made);
	made = NULL;
	made_count = made_room = 0;
	capture_close();
}
