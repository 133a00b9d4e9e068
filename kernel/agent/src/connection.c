// SPDX-License-Identifier: Apache-2.0
/* Connections: bytes in, whole frames out, and no peer that can hold up another. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent.h"

#define MAX_CONNECTIONS 8

/* Room for any message; while only small ones have come, the smaller size is kept. */
#define SMALL_BUFFER 4096u
#define LARGE_BUFFER (KMP_HEADER_LEN + KMP_MAX_PAYLOAD_BYTES)

/* What a peer may leave unread: answers, and the chunks of a flow before them. */
#define MAX_UNSENT 65536u
#define MAX_BULK (3u << 20)

/* Chunks that wait for others to go out with. */
#define MAX_CORKED (512u << 10)

/* So that a round's last part goes out in one go. */
#define PEER_BUFFER (4 << 20)

#define DEADLINE (KMP_FRAME_DEADLINE_MS * MS)

/* How long a connection that is to be closed after its last answer may take to send it. */
#define LINGER (SECOND)

struct connection {
	struct watch watch;
	uint64_t number;
	uint8_t *in;
	size_t in_size, in_length;
	uint8_t *out;
	size_t out_size, out_start, out_length;
	size_t bulk;	       /* of out_length, what is chunks */
	uint64_t frame_since;  /* when the first byte of a frame came that is not whole; 0: none */
	uint64_t unsent_since; /* when the peer stopped reading; 0: it reads */
	uint64_t close_at;     /* 0: stays */
	bool ours;	       /* we have opened it */
	bool corked;	       /* what is sent waits for the end of what is being done */
};

static struct connection *connections[MAX_CONNECTIONS];
static uint64_t numbers;

static void drop(struct connection *connection)
{
	uint64_t number = connection->number;

	for (size_t i = 0; i < MAX_CONNECTIONS; i++)
		if (connections[i] == connection)
			connections[i] = NULL;
	watch_close(&connection->watch);
	free(connection->in);
	free(connection->out);
	free(connection);
	flow_lost(number);
}

static void flush(struct connection *connection)
{
	uint64_t before = connection->out_length;
	ssize_t sent;

	if (connection->out_length == 0)
		return;
	sent = send(connection->watch.fd, connection->out + connection->out_start,
		    connection->out_length, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (sent > 0) {
		connection->out_length -= (size_t)sent;
		connection->out_start =
			connection->out_length ? connection->out_start + (size_t)sent : 0;
		if (connection->bulk > connection->out_length)
			connection->bulk = connection->out_length;
		connection->unsent_since = 0;
	}
	if (sent < 0 && errno != EAGAIN && errno != EINTR) {
		/* reading will say that it is gone; nothing more is sent */
		connection->out_length = 0;
		connection->close_at = connection->close_at ? connection->close_at : now_ns();
		return;
	}
	if (connection->out_length && !connection->unsent_since)
		connection->unsent_since = now_ns();
	if ((before > 0) != (connection->out_length > 0) || connection->out_length)
		watch_change(&connection->watch,
			     connection->out_length ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

/* Room for length bytes behind what waits already. */
static bool make_out_room(struct connection *connection, size_t length)
{
	size_t wanted = connection->out_length + length;
	uint8_t *moved;

	if (connection->out_start + wanted <= connection->out_size)
		return true;
	if (connection->out_start > 0) {
		memmove(connection->out, connection->out + connection->out_start,
			connection->out_length);
		connection->out_start = 0;
	}
	if (wanted <= connection->out_size)
		return true;
	wanted = wanted < MAX_UNSENT ? MAX_UNSENT : MAX_UNSENT + MAX_BULK;
	moved = realloc(connection->out, wanted);
	if (!moved)
		return false;
	connection->out = moved;
	connection->out_size = wanted;
	return true;
}

static void append(struct connection *connection, uint8_t *bytes, uint16_t type, uint32_t sequence,
		   size_t payload_length)
{
	size_t length = KMP_HEADER_LEN + payload_length;

	frame_seal(bytes, type, sequence, (uint32_t)payload_length, boot_ns());
	memcpy(connection->out + connection->out_start + connection->out_length, bytes, length);
	connection->out_length += length;
}

void connection_send(struct connection *connection, uint8_t *bytes, uint16_t type,
		     uint32_t sequence, size_t payload_length)
{
	size_t length = KMP_HEADER_LEN + payload_length;

	if (connection->close_at)
		return;
	if (connection->out_length - connection->bulk + length > MAX_UNSENT ||
	    !make_out_room(connection, length)) {
		connection->close_at = now_ns();
		return;
	}
	append(connection, bytes, type, sequence, payload_length);
	if (!connection->corked)
		flush(connection);
}

bool connection_send_bulk(struct connection *connection, uint8_t *bytes, uint16_t type,
			  uint32_t sequence, size_t payload_length)
{
	size_t length = KMP_HEADER_LEN + payload_length;

	if (connection->close_at || connection->bulk + length > MAX_BULK ||
	    connection->out_length + length > MAX_UNSENT + MAX_BULK ||
	    !make_out_room(connection, length))
		return false;
	append(connection, bytes, type, sequence, payload_length);
	connection->bulk += length;
	if (!connection->corked || connection->bulk >= MAX_CORKED)
		flush(connection);
	return true;
}

void connections_broadcast(uint8_t *bytes, uint16_t type, size_t payload_length)
{
	static uint32_t sequence;

	sequence++;
	for (size_t i = 0; i < MAX_CONNECTIONS; i++)
		if (connections[i] && !connections[i]->ours)
			connection_send(connections[i], bytes, type, sequence, payload_length);
}

struct connection *connection_find(uint64_t number)
{
	for (size_t i = 0; i < MAX_CONNECTIONS; i++)
		if (connections[i] && connections[i]->number == number)
			return connections[i];
	return NULL;
}

uint64_t connection_number(const struct connection *connection)
{
	return connection->number;
}

void connection_cork(struct connection *connection)
{
	connection->corked = true;
}

void connection_uncork(struct connection *connection)
{
	connection->corked = false;
	flush(connection);
}

static void close_after_answer(struct connection *connection)
{
	connection->close_at = connection->out_length ? now_ns() + LINGER : now_ns();
}

/* Deals with all whole frames; the bytes of the rest are moved to the front. */
static void take_frames(struct connection *connection)
{
	size_t used = 0;

	/* the answers to what came in one go leave in one go */
	connection_cork(connection);
	while (!connection->close_at && used < connection->in_length) {
		struct frame frame;
		enum frame_state state =
			frame_parse(connection->in + used, connection->in_length - used, &frame);

		if (state == FRAME_MORE)
			break;
		if (state == FRAME_WHOLE) {
			answer(connection, &frame);
			used += KMP_HEADER_LEN + frame.header.payload_len;
			continue;
		}
		if (state == FRAME_OTHER_VERSION)
			answer_error(connection, &frame.header, KMP_E_UNSUPPORTED_VERSION,
				     frame.header.version, NULL);
		else if (state == FRAME_TOO_LARGE)
			answer_error(connection, &frame.header, KMP_E_TOO_LARGE, frame.limit, NULL);
		close_after_answer(connection);
	}
	connection_uncork(connection);
	if (used > 0)
		connection->frame_since = 0;
	connection->in_length -= used;
	memmove(connection->in, connection->in + used, connection->in_length);
	if (connection->in_length && !connection->frame_since)
		connection->frame_since = now_ns();
}

/* Grows for a frame that is larger than the buffer, and stays so: where one such came, others do.
 */
static bool make_room(struct connection *connection)
{
	uint8_t *moved;

	if (connection->in_length < connection->in_size || connection->in_size == LARGE_BUFFER)
		return true;
	moved = realloc(connection->in, LARGE_BUFFER);
	if (!moved)
		return false;
	connection->in = moved;
	connection->in_size = LARGE_BUFFER;
	return true;
}

static void ready(struct watch *watch, uint32_t events)
{
	struct connection *connection = (struct connection *)watch;
	ssize_t got;

	if (events & EPOLLOUT)
		flush(connection);
	if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		return;
	if (!make_room(connection)) {
		drop(connection);
		return;
	}
	got = recv(watch->fd, connection->in + connection->in_length,
		   connection->in_size - connection->in_length, MSG_DONTWAIT);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		drop(connection);
		return;
	}
	if (connection->close_at)
		return; /* nothing more is read from it */
	connection->in_length += (size_t)got;
	take_frames(connection);
}

struct connection *connection_add(int fd)
{
	struct connection *connection;
	size_t i = 0;

	while (i < MAX_CONNECTIONS && connections[i])
		i++;
	if (i == MAX_CONNECTIONS)
		return NULL;
	connection = calloc(1, sizeof(*connection));
	if (!connection)
		return NULL;
	connection->in = malloc(SMALL_BUFFER);
	if (!connection->in) {
		free(connection);
		return NULL;
	}
	connection->in_size = SMALL_BUFFER;
	connection->watch = (struct watch){ .fd = fd, .ready = ready };
	connection->number = ++numbers;
	connections[i] = connection;
	watch_add(&connection->watch, EPOLLIN);
	return connection;
}

struct connection *connection_open(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), size = PEER_BUFFER;
	struct connection *connection = NULL;

	if (fd < 0 || strlen(path) >= sizeof(address.sun_path))
		goto out;
	strcpy(address.sun_path, path);
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		goto out;
	connection = connection_add(fd);
	if (connection)
		connection->ours = true;
out:
	if (!connection && fd >= 0)
		close(fd);
	return connection;
}

/* Not at once: what is being done may be done for it. */
void connection_close(struct connection *connection)
{
	connection->out_length = connection->bulk = 0;
	connection->close_at = now_ns();
}

/* 0 for one that has no deadline. */
static uint64_t due_at(const struct connection *connection)
{
	uint64_t due = connection->close_at;

	if (connection->frame_since && (!due || connection->frame_since + DEADLINE < due))
		due = connection->frame_since + DEADLINE;
	if (connection->unsent_since && (!due || connection->unsent_since + DEADLINE < due))
		due = connection->unsent_since + DEADLINE;
	if (connection->close_at && connection->out_length == 0)
		due = connection->close_at < due ? connection->close_at : due;
	return due;
}

uint64_t connections_tick(void)
{
	uint64_t now = now_ns(), left = UINT64_MAX;

	for (size_t i = 0; i < MAX_CONNECTIONS; i++) {
		uint64_t due = connections[i] ? due_at(connections[i]) : 0;

		if (!due)
			continue;
		if (due <= now || (connections[i]->close_at && connections[i]->out_length == 0))
			drop(connections[i]);
		else if (due - now < left)
			left = due - now;
	}
	return left;
}
