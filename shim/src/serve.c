// SPDX-License-Identifier: Apache-2.0
/* The socket: a line asks, a line answers; docs/shim.md. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shim.h"

#define MAX_CLIENTS 8
#define MAX_LINE 64
/* What is polled before the clients: listener, children, console, the link's two sockets. */
#define FIXED 5

struct client {
	int fd; /* -1: free */
	size_t length;
	char line[MAX_LINE];
	bool wants_fence;
	bool holds_link; /* it is side 0 of the link, as long as it is connected */
};

static struct client clients[MAX_CLIENTS];

int listen_at(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	strncpy(address.sun_path, name, sizeof(address.sun_path) - 1);
	umask(0177);
	unlink(address.sun_path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, 16) < 0)
		die("cannot listen at %s: %s", name, strerror(errno));
	umask(022);
	return fd;
}

static void drop(struct client *client)
{
	close(client->fd);
	client->fd = -1;
	if (client->holds_link)
		link_side_died(0);
	client->holds_link = false;
}

/* A line is small; a client whose buffer has no room for it does not read, and goes. */
static void answer(struct client *client, const char *text)
{
	if (client->fd >= 0 && send(client->fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT) !=
				       (ssize_t)strlen(text))
		drop(client);
}

static void describe(const struct kernel *kernel, char *text, size_t size)
{
	if (kernel->exited) {
		bool killed = WIFSIGNALED(kernel->status);

		snprintf(text, size, "EXITED %s %d %lld.%09ld\n", killed ? "killed" : "exited",
			 killed ? WTERMSIG(kernel->status) : WEXITSTATUS(kernel->status),
			 (long long)kernel->ended.tv_sec, kernel->ended.tv_nsec);
		return;
	}
	snprintf(text, size, "RUNNING %d %lld.%09ld isolated=%s%s%s\n", kernel->pid,
		 (long long)kernel->since.tv_sec, kernel->since.tv_nsec,
		 kernel->isolated & ISOLATE_PID ? "pid," : "",
		 kernel->isolated & ISOLATE_MOUNT ? "mount," : "",
		 kernel->isolated & ISOLATE_NET ? "net," : "");
}

static void answer_status(struct client *client, const struct kernel *kernel)
{
	char text[160];

	describe(kernel, text, sizeof(text));
	answer(client, text);
}

static void quit(struct client *client)
{
	if (!fence_is_complete()) {
		answer(client,
		       "ERROR its kernel, or what that has started, still runs; FENCE first\n");
		return;
	}
	unlink("shim.sock");
	unlink("link.sock");
	answer(client, "BYE\n");
	exit(0);
}

/* Two owners never: whoever has the link must leave before another gets it. */
static void give_link(struct client *client)
{
	if (!link_is_there()) {
		answer(client, "ERROR it was started without a link\n");
		return;
	}
	for (size_t i = 0; i < MAX_CLIENTS; i++) {
		if (clients[i].fd >= 0 && clients[i].holds_link) {
			answer(client, "ERROR another connection has the link; it comes free when "
				       "that is closed\n");
			return;
		}
	}
	client->holds_link = true;
	if (!link_hand_over(client->fd))
		drop(client);
}

static void obey(struct client *client, const struct kernel *kernel)
{
	int number;
	char rest;

	if (strcmp(client->line, "STATUS") == 0) {
		answer_status(client, kernel);
	} else if (strcmp(client->line, "FENCE") == 0) {
		client->wants_fence = true;
	} else if (strcmp(client->line, "LINK") == 0) {
		give_link(client);
	} else if (sscanf(client->line, "SIGNAL %d%c", &number, &rest) == 1) {
		if (kernel->exited || kill(kernel->pid, number) < 0)
			answer(client,
			       "ERROR its kernel cannot be signalled: it has ended, or there is no "
			       "such signal\n");
		else
			answer(client, "SIGNALLED\n");
	} else if (strcmp(client->line, "QUIT") == 0) {
		quit(client);
	} else {
		answer(client,
		       "ERROR unknown request; expected STATUS, FENCE, SIGNAL NUMBER, LINK or "
		       "QUIT\n");
	}
}

static void take(struct client *client, const struct kernel *kernel)
{
	ssize_t got = recv(client->fd, client->line + client->length, MAX_LINE - client->length,
			   MSG_DONTWAIT);
	char *end;

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		drop(client);
		return;
	}
	client->length += (size_t)got;
	while (client->fd >= 0 && (end = memchr(client->line, '\n', client->length))) {
		size_t used = (size_t)(end - client->line) + 1;

		*end = 0;
		obey(client, kernel);
		client->length -= used;
		memmove(client->line, end + 1, client->length);
	}
	if (client->fd >= 0 && client->length == MAX_LINE) {
		answer(client, "ERROR the line is too long\n");
		if (client->fd >= 0)
			drop(client);
	}
}

static void welcome(int listener, const struct kernel *kernel)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	for (size_t i = 0; i < MAX_CLIENTS; i++) {
		if (clients[i].fd < 0) {
			clients[i] = (struct client){ .fd = fd };
			answer_status(&clients[i], kernel);
			return;
		}
	}
	close(fd);
}

/* True when the kernel itself was among those that ended. */
static bool reap(struct kernel *kernel)
{
	bool its_own = false;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0) {
		if (pid == kernel->pid && !kernel->exited) {
			kernel->exited = true;
			kernel->status = status;
			clock_gettime(CLOCK_REALTIME, &kernel->ended);
			link_side_died(1);
			its_own = true;
		}
	}
	return its_own;
}

static void tell_exit(const struct kernel *kernel)
{
	for (size_t i = 0; i < MAX_CLIENTS; i++)
		if (clients[i].fd >= 0)
			answer_status(&clients[i], kernel);
}

static bool fence_wanted(void)
{
	for (size_t i = 0; i < MAX_CLIENTS; i++)
		if (clients[i].fd >= 0 && clients[i].wants_fence)
			return true;
	return false;
}

static void fence(const struct kernel *kernel)
{
	if (!fence_is_complete()) {
		fence_kill(kernel);
		return;
	}
	for (size_t i = 0; i < MAX_CLIENTS; i++) {
		if (clients[i].wants_fence) {
			clients[i].wants_fence = false;
			answer(&clients[i], "FENCED\n");
		}
	}
}

void serve(int listener, struct kernel *kernel)
{
	struct pollfd polled[FIXED + MAX_CLIENTS];
	bool recorded = true;
	sigset_t children;
	int child_fd;

	sigemptyset(&children);
	sigaddset(&children, SIGCHLD);
	sigprocmask(SIG_BLOCK, &children, NULL);
	child_fd = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
	for (size_t i = 0; i < MAX_CLIENTS; i++)
		clients[i].fd = -1;
	for (;;) {
		struct signalfd_siginfo ignored;

		if (reap(kernel)) {
			recorded = false;
			tell_exit(kernel);
		}
		if (kernel->exited && !recorded)
			recorded = record_exit(kernel);
		if (fence_wanted())
			fence(kernel);
		polled[0] = (struct pollfd){ .fd = listener, .events = POLLIN };
		polled[1] = (struct pollfd){ .fd = child_fd, .events = POLLIN };
		polled[2] = (struct pollfd){ .fd = kernel->console, .events = POLLIN };
		polled[3] = (struct pollfd){ .fd = link_listener(), .events = POLLIN };
		polled[4] = (struct pollfd){ .fd = link_machine(), .events = POLLIN };
		for (size_t i = 0; i < MAX_CLIENTS; i++)
			polled[FIXED + i] =
				(struct pollfd){ .fd = clients[i].fd, .events = POLLIN };
		/* what is to be tried again: the fence soon, the record when the disk may have room
		 */
		if (poll(polled, FIXED + MAX_CLIENTS,
			 fence_wanted() ? 5
			 : recorded	? -1
					: 1000) < 0)
			continue;
		if (polled[0].revents)
			welcome(listener, kernel);
		if (polled[1].revents)
			while (read(child_fd, &ignored, sizeof(ignored)) > 0)
				;
		if (polled[2].revents && !console_drain(kernel->console)) {
			close(kernel->console);
			kernel->console = -1;
		}
		/* a machine says nothing to its server, so what it has to say is that it left */
		if (polled[4].revents)
			link_machine_left();
		if (polled[3].revents)
			link_welcome();
		for (size_t i = 0; i < MAX_CLIENTS; i++)
			if (polled[FIXED + i].revents && clients[i].fd == polled[FIXED + i].fd)
				take(&clients[i], kernel);
	}
}
