// SPDX-License-Identifier: Apache-2.0
/* Where the daemon and other agents connect to. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/vm_sockets.h>

#include "agent.h"

/* Over vsock, the host: VMADDR_CID_HOST. */
#define DAEMON_CID VMADDR_CID_HOST

static bool over_vsock;

static bool is_the_daemon(int fd)
{
	struct sockaddr_vm peer;
	socklen_t length = sizeof(peer);

	return !over_vsock || (getpeername(fd, (struct sockaddr *)&peer, &length) == 0 &&
			       peer.svm_cid == DAEMON_CID);
}

static void welcome(struct watch *watch, uint32_t events)
{
	int fd = accept4(watch->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	if (fd >= 0 && !(is_the_daemon(fd) && connection_add(fd)))
		close(fd);
}

static struct watch listener = { .ready = welcome };

static void listen_unix(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path))
		die("the path %s is too long for a socket: at most %zu bytes", path,
		    sizeof(address.sun_path) - 1);
	strcpy(address.sun_path, path);
	listener.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	unlink(path);
	umask(0177);
	if (listener.fd < 0 ||
	    bind(listener.fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(listener.fd, 64) < 0)
		die("cannot listen at %s: %s", path, strerror(errno));
	umask(022);
}

static void listen_vsock(const char *port)
{
	struct sockaddr_vm address = { .svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_ANY };
	char *end;
	unsigned long number = strtoul(port, &end, 10);

	if (end == port || *end || number >= UINT32_MAX)
		die("\"%s\" is no port; expected vsock:NUMBER", port);
	address.svm_port = (unsigned int)number;
	over_vsock = true;
	listener.fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (listener.fd < 0 ||
	    bind(listener.fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(listener.fd, 64) < 0)
		die("cannot listen at vsock port %lu: %s", number, strerror(errno));
}

void connections_listen(void)
{
	if (strncmp(options.listen, "unix:", 5) == 0)
		listen_unix(options.listen + 5);
	else if (strncmp(options.listen, "vsock:", 6) == 0)
		listen_vsock(options.listen + 6);
	else
		die("\"%s\" is no address; expected unix:PATH or vsock:PORT", options.listen);
	watch_add(&listener, EPOLLIN);
}
