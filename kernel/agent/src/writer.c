// SPDX-License-Identifier: Apache-2.0
/* Measures a small synced write, in a child: a disk that hangs is to be told of, not to hang us. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"

#define SIZE 4096
#define BETWEEN SECOND
#define FAILED UINT32_MAX

static void answered(struct watch *watch, uint32_t events);

static struct watch channel = { .fd = -1, .ready = answered };
static pid_t writer;
static uint64_t begun_at; /* 0: none under way */
static uint64_t last_begun_at;
static uint32_t last_us;
static bool measured;

static uint32_t write_once(int file)
{
	static const char block[SIZE];
	uint64_t begun = now_ns(), us;

	if (pwrite(file, block, SIZE, 0) != SIZE || fdatasync(file) < 0)
		return FAILED;
	us = (now_ns() - begun) / 1000;
	return us < FAILED ? (uint32_t)us : FAILED - 1;
}

static void serve(int socket)
{
	char path[4096], request;
	int file;

	prctl(PR_SET_NAME, "kmorph-writer");
	urgency_restore();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(path, sizeof(path), "%s/io-probe", options.state);
	file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	while (recv(socket, &request, 1, 0) == 1) {
		uint32_t us = file < 0 ? FAILED : write_once(file);

		if (send(socket, &us, sizeof(us), MSG_NOSIGNAL) != sizeof(us))
			break;
	}
	_exit(0);
}

static void start(void)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return;
	writer = fork();
	if (writer == 0) {
		sigset_t none;

		close(pair[0]);
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		serve(pair[1]);
	}
	close(pair[1]);
	if (writer < 0) {
		close(pair[0]);
		writer = 0;
		return;
	}
	channel.fd = pair[0];
	watch_add(&channel, EPOLLIN);
}

void writer_open(void)
{
	if (options.state)
		start();
}

static void answered(struct watch *watch, uint32_t events)
{
	uint32_t us;

	(void)events;
	begun_at = 0;
	if (recv(watch->fd, &us, sizeof(us), MSG_DONTWAIT) != sizeof(us)) {
		watch_close(watch);
		measured = false;
		return;
	}
	measured = us != FAILED;
	last_us = us;
}

void writer_prod(void)
{
	uint64_t now = now_ns();

	if (begun_at || !options.state || (last_begun_at && now - last_begun_at < BETWEEN))
		return;
	last_begun_at = now;
	if (channel.fd < 0 && writer == 0)
		start();
	if (channel.fd >= 0 && send(channel.fd, "w", 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1)
		begun_at = now;
}

uint64_t writer_stuck_ns(void)
{
	return begun_at ? now_ns() - begun_at : 0;
}

/* A write that takes longer than one usually does between two heartbeats is told as it stands. */
#define STUCK_AFTER (500 * MS)

void writer_figures(uint32_t *io_us, uint32_t *age_ms, uint32_t *flags)
{
	uint64_t stuck = writer_stuck_ns();
	uint64_t age = (now_ns() - last_begun_at) / MS;

	*io_us = *age_ms = *flags = 0;
	if (stuck >= STUCK_AFTER) {
		*io_us = (uint32_t)(stuck / 1000 < UINT32_MAX ? stuck / 1000 : UINT32_MAX);
		*flags = KMP_IO_STUCK;
	} else if (measured) {
		*io_us = last_us;
	} else {
		*flags = KMP_IO_UNMEASURED;
		return;
	}
	*age_ms = (uint32_t)(age < UINT32_MAX ? age : UINT32_MAX);
}

bool writer_reaped(pid_t pid)
{
	if (pid != writer)
		return false;
	writer = 0;
	return true;
}
