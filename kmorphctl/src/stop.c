// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kmorphctl.h"

#define DEFAULT_TIMEOUT_MS (60 * 1000)
#define LONGEST_TIMEOUT_S (24 * 60 * 60)

static bool is_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

bool stop_asked(int word_count, char **words)
{
	if (word_count < 2 || strcmp(words[0], "daemon") != 0 || strcmp(words[1], "stop") != 0)
		return false;
	for (int i = 2; i < word_count; i++) {
		if (is_help(words[i]))
			return false;
	}
	return true;
}

int stop_watch(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || peer.pid <= 0) {
		complain(
			"cannot tell which process the daemon is (is it in another pid namespace?)");
		return -1;
	}
	int pidfd = (int)syscall(SYS_pidfd_open, peer.pid, 0);

	if (pidfd < 0)
		complain("cannot watch process %d: %s", (int)peer.pid, strerror(errno));
	return pidfd;
}

/* The time of --timeout=10m, --timeout 30, in milliseconds. What is wrong with it the daemon has
 * said already. */
static int64_t timeout_ms(int word_count, char **words)
{
	static const char option[] = "--timeout";
	const char *text = NULL;
	char *end;

	for (int i = 2; i < word_count; i++) {
		if (strncmp(words[i], "--timeout=", sizeof(option)) == 0)
			text = words[i] + sizeof(option);
		else if (strcmp(words[i], option) == 0 && i + 1 < word_count)
			text = words[i + 1];
	}
	if (!text)
		return DEFAULT_TIMEOUT_MS;
	errno = 0;
	unsigned long n = strtoul(text, &end, 10);
	unsigned long unit_ms = strcmp(end, "ms") == 0 ? 1
				: *end == 'm'	       ? 60 * 1000
				: *end == 'h'	       ? 3600 * 1000
						       : 1000;

	if (errno || end == text || n > LONGEST_TIMEOUT_S * 1000ul / unit_ms)
		return LONGEST_TIMEOUT_S * INT64_C(1000);
	return (int64_t)(n * unit_ms);
}

int stop_await(int pidfd, int word_count, char **words)
{
	int64_t wait = timeout_ms(word_count, words);
	int64_t deadline = now_ms() + wait;

	for (;;) {
		struct pollfd p = { .fd = pidfd, .events = POLLIN };
		int64_t left = deadline - now_ms();
		int number;

		if (poll(&p, 1, left < 0 ? 0 : (int)left) > 0)
			return EXIT_CODE_DONE;
		while ((number = signals_next()) != 0) {
			if (number == SIGTSTP)
				signals_stop();
			else if (number != SIGWINCH && number != SIGCONT)
				signals_die(number);
		}
		if (left <= 0) {
			complain(
				"the daemon was told to stop and still runs after %lld s; it goes on stopping",
				(long long)(wait / 1000));
			return EXIT_CODE_TIMED_OUT;
		}
	}
}
