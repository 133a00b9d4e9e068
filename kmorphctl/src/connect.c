// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "kmorphctl.h"
#include "protocol.h"

/* How long a daemon that is there may take to greet. */
#define GREETING_MS 10000

/* While a daemon hands its socket from one version of itself to the next, a connection may fall
 * into the gap: nothing was asked yet, so asking again is safe.
 */
#define GAP_MS 100
#define GAP_STEP_MS 5

enum attempt { ATTEMPT_DONE, ATTEMPT_AGAIN, ATTEMPT_FAILED };

static void pause_ms(long ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

static enum reach complain_connect(const char *path, int error)
{
	if (error == EACCES || error == EPERM)
		complain(
			"no permission to use the control socket %s: it is for root, the user of the daemon and the "
			"group of the socket",
			path);
	else if (error == EAGAIN)
		complain("the daemon does not accept connections on %s: it is stuck or overloaded",
			 path);
	else
		complain("cannot connect to the control socket %s: %s", path, strerror(error));
	return UNREACHABLE;
}

/* Reads exactly the greeting, not a byte more. Returns the bytes got, -1 on a time-out. */
static ssize_t read_greeting(int fd, uint8_t *buffer, size_t size, int64_t deadline)
{
	size_t got = 0;

	while (got < size) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t left = deadline - now_ms();

		if (left <= 0)
			return -1;
		if (poll(&p, 1, (int)left) <= 0)
			continue;
		ssize_t n = read(fd, buffer + got, size - got);

		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

static enum attempt greet(int fd, const char *path, struct hello *hello, int64_t deadline)
{
	uint8_t b[KMCT_HEADER + KMCT_HELLO_SIZE];
	ssize_t n = read_greeting(fd, b, sizeof(b), deadline);

	if (n == 0)
		return ATTEMPT_AGAIN;
	if (n < 0) {
		complain("the daemon does not answer on %s: no greeting within %d s", path,
			 GREETING_MS / 1000);
		return ATTEMPT_FAILED;
	}
	if (n != sizeof(b) || b[0] != KMCT_HELLO || get_u32(b + 1) != KMCT_HELLO_SIZE ||
	    get_u32(b + KMCT_HEADER) != KMCT_MAGIC) {
		complain("what answers on %s is not a kmorph daemon", path);
		return ATTEMPT_FAILED;
	}
	hello->lowest = get_u16(b + KMCT_HEADER + 4);
	hello->highest = get_u16(b + KMCT_HEADER + 6);
	hello->pid = get_u32(b + KMCT_HEADER + 8);
	if (hello->lowest > KMCT_VERSION || hello->highest < KMCT_VERSION) {
		complain(
			"incompatible version: this client speaks control protocol %u, the daemon on %s speaks %u to %u; "
			"use the kmorphctl of the daemon's release",
			KMCT_VERSION, path, hello->lowest, hello->highest);
		return ATTEMPT_FAILED;
	}
	return ATTEMPT_DONE;
}

static enum reach no_daemon(const char *path, int error, char *why, size_t size)
{
	struct stat file;

	if (error == ECONNREFUSED && stat(path, &file) == 0 && !S_ISSOCK(file.st_mode)) {
		complain("%s is not a socket", path);
		return UNREACHABLE;
	}
	if (error == ENOENT || error == ENOTDIR)
		snprintf(why, size, "no socket at %s", path);
	else if (error == ECONNREFUSED)
		snprintf(why, size, "%s is the stale socket of a daemon that is gone", path);
	else
		snprintf(why, size, "the daemon on %s is closing its socket", path);
	return NO_DAEMON;
}

enum reach daemon_connect(const char *path, int *fd, struct hello *hello, char *why, size_t size)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int64_t start = now_ms();

	if (strlen(path) >= sizeof(address.sun_path)) {
		complain("the socket path %s is too long: at most %zu bytes", path,
			 sizeof(address.sun_path) - 1);
		return UNREACHABLE;
	}
	strcpy(address.sun_path, path);
	for (;;) {
		int error = 0;

		*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (*fd < 0) {
			complain("cannot make a socket: %s", strerror(errno));
			return UNREACHABLE;
		}
		if (connect(*fd, (struct sockaddr *)&address, sizeof(address)) == 0) {
			enum attempt attempt = greet(*fd, path, hello, start + GREETING_MS);

			if (attempt == ATTEMPT_DONE)
				return REACHED;
			if (attempt == ATTEMPT_FAILED) {
				close(*fd);
				return UNREACHABLE;
			}
		} else {
			error = errno;
		}
		close(*fd);
		/* EAGAIN is a full backlog: unix(7) */
		int64_t patience = error == EAGAIN ? GREETING_MS : GAP_MS;
		bool transient =
			error == 0 || error == ECONNREFUSED || error == EAGAIN || error == EINTR;

		if (!transient && error != ENOENT && error != ENOTDIR)
			return complain_connect(path, error);
		if (!transient || now_ms() - start >= patience)
			return error == EAGAIN ? complain_connect(path, error)
					       : no_daemon(path, error, why, size);
		pause_ms(GAP_STEP_MS);
	}
}
