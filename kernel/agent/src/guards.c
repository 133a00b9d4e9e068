// SPDX-License-Identifier: Apache-2.0
/* Deaf listeners at ports whose connections have no owner: what comes there is dropped, and not
 * answered with a reset. */
#include <fcntl.h>
#include <unistd.h>

#include "sockets.h"

static int guards[MAX_PORTS];
static size_t guard_count;

bool guard_bind(int fd, const struct saved_socket *saved)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = saved->local_address,
				  .sin_port = saved->local_port };

	/* the address may not be ours yet */
	return socket_set(fd, IPPROTO_IP, IP_FREEBIND, 1) &&
	       bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0;
}

/* Bound and deaf, and does not listen yet: it would be given connections that the source's should
 * have. */
int guard_listener(const struct saved_socket *saved)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (socket_set(fd, SOL_SOCKET, SO_REUSEADDR, 1) &&
	    socket_set(fd, SOL_SOCKET, SO_REUSEPORT, 1) && filter_drop(fd) && guard_bind(fd, saved))
		return fd;
	close(fd);
	return -1;
}

static bool is_guarded(const struct saved_socket *saved)
{
	for (size_t i = 0; i < guard_count; i++) {
		struct sockaddr_in at;
		socklen_t length = sizeof(at);

		if (getsockname(guards[i], (struct sockaddr *)&at, &length) == 0 &&
		    at.sin_port == saved->local_port &&
		    (at.sin_addr.s_addr == INADDR_ANY ||
		     at.sin_addr.s_addr == saved->local_address))
			return true;
	}
	return false;
}

bool guard_port(const struct saved_socket *saved)
{
	int fd;

	if (is_guarded(saved))
		return true;
	if (guard_count == MAX_PORTS)
		return false;
	fd = guard_listener(saved);
	if (fd < 0)
		return false;
	guards[guard_count++] = fd;
	return listen(fd, 1) == 0;
}

void guard_with(int listener)
{
	int fd = guard_count < MAX_PORTS ? fcntl(listener, F_DUPFD_CLOEXEC, 0) : -1;

	if (fd >= 0)
		guards[guard_count++] = fd;
}

void guards_close(void)
{
	for (size_t i = 0; i < guard_count; i++)
		close(guards[i]);
	guard_count = 0;
}
