// SPDX-License-Identifier: Apache-2.0
/*
 * kmorphctl: sends its words to the daemon and copies streams. It knows no commands but the few
 * that make sense only without a daemon; parsing, help and completion are the daemon's.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kmorphctl.h"

#ifndef KMORPH_VERSION
#error "KMORPH_VERSION comes from the Makefile"
#endif

/* Versions of a daemon that follow each other while one thing is asked: more is a fault. */
#define MOST_HAND_OVERS 10

static const char usage[] =
	"usage: kmorphctl [--socket=PATH] COMMAND...\n"
	"       kmorphctl [--socket=PATH] shell\n"
	"       kmorphctl daemon start [OPTION...]\n"
	"       kmorphctl --version\n"
	"\n"
	"Sends COMMAND to kmorphd and prints what it answers. The commands are the daemon's:\n"
	"when it runs, `kmorphctl --help` lists them. Example: kmorphctl daemon status\n"
	"\n"
	"  --socket=PATH   the daemon's control socket; else $KMORPH_SOCKET, else\n"
	"                  ../run/control.sock beside the directory of this program, or\n"
	"                  /run/kmorph/control.sock when it is installed in /usr/bin\n"
	"\n"
	"Exit codes: 0 done, 1 failed, 2 usage, 3 not running, 4 no such instance, 5 denied,\n"
	"6 timed out, 7 rolled back, 8 daemon unreachable.\n";

void complain(const char *format, ...)
{
	char text[PATH_MAX + 512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	/* the terminal may be raw still */
	tty_restore();
	dprintf(STDERR_FILENO, "kmorphctl: %s\n", text);
}

int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Standard streams that are closed would give their numbers to the socket. */
static void fill_standard_streams(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

static int print(const char *text)
{
	size_t length = strlen(text);

	if (write(STDOUT_FILENO, text, length) != (ssize_t)length) {
		complain("cannot write to standard output: %s", strerror(errno));
		return EXIT_CODE_FAILED;
	}
	return EXIT_CODE_DONE;
}

static bool calls(int word_count, char **words, const char *first, const char *second)
{
	return word_count >= 2 && strcmp(words[0], first) == 0 && strcmp(words[1], second) == 0;
}

static int start_daemon(const struct place *place, char **words)
{
	/* words[0] is "daemon", whose place the program's own name takes */
	words[0] = (char *)place->daemon;
	execv(place->daemon, words);
	complain("cannot start %s: %s", place->daemon, strerror(errno));
	return EXIT_CODE_FAILED;
}

static bool asks_help(int word_count, char **words)
{
	for (int i = 0; i < word_count; i++) {
		if (strcmp(words[i], "--help") == 0 || strcmp(words[i], "-h") == 0)
			return true;
	}
	return word_count == 0 || strcmp(words[0], "help") == 0;
}

/* What can be said of a daemon that is not there. */
static int without_daemon(int word_count, char **words, const char *why)
{
	if (word_count > 0 && asks_help(word_count, words))
		return print(usage);
	if (calls(word_count, words, "daemon", "status")) {
		complain("kmorphd is not running: %s", why);
		return EXIT_CODE_NOT_RUNNING;
	}
	if (calls(word_count, words, "daemon", "stop")) {
		complain("kmorphd is not running: %s", why);
		return EXIT_CODE_DONE;
	}
	complain("the daemon is unreachable: %s; start it with kmorphctl daemon start", why);
	return EXIT_CODE_UNREACHABLE;
}

/* Returns the exit code, or STREAM_AGAIN. */
static int with_daemon(int fd, int word_count, char **words)
{
	bool stop = stop_asked(word_count, words);
	/* taken before anything is asked: the process is alive, so the number is its own */
	int pidfd = stop ? stop_watch(fd) : -1;

	if (stop && pidfd < 0)
		return EXIT_CODE_FAILED;
	int code = stream_run(fd, word_count, words);

	/* a daemon that ends may take the connection with it */
	if (stop && (code == EXIT_CODE_DONE || code == STREAM_LOST))
		return stop_await(pidfd, word_count, words);
	if (stop)
		close(pidfd);
	if (code == STREAM_LOST) {
		complain(
			"the daemon closed the connection before the command ended; how far it came is not known");
		return EXIT_CODE_UNREACHABLE;
	}
	return code;
}

/* Connects and asks; again when the daemon handed its socket over meanwhile. */
static int ask(const struct place *place, int word_count, char **words)
{
	struct hello hello;
	char why[PATH_MAX + 64];
	int fd;

	for (int asked = 0; asked < MOST_HAND_OVERS; asked++) {
		enum reach reach = daemon_connect(place->socket, &fd, &hello, why, sizeof(why));

		if (reach == NO_DAEMON)
			return without_daemon(word_count, words, why);
		if (reach == UNREACHABLE)
			return EXIT_CODE_UNREACHABLE;
		int code = with_daemon(fd, word_count, words);

		if (code != STREAM_AGAIN)
			return code;
	}
	complain("the daemon handed its socket over %d times and ran nothing; see its log",
		 MOST_HAND_OVERS);
	return EXIT_CODE_UNREACHABLE;
}

int main(int argc, char **argv)
{
	static const char socket_option[] = "--socket=";
	const char *socket_path = NULL;
	struct place place;

	fill_standard_streams();
	tty_init();
	argv++;
	argc--;
	while (argc > 0 && strncmp(argv[0], socket_option, strlen(socket_option)) == 0) {
		socket_path = argv[0] + strlen(socket_option);
		argv++;
		argc--;
	}
	if (argc > 0 && strcmp(argv[0], "--version") == 0)
		return print("kmorphctl " KMORPH_VERSION "\n");
	if (!place_find(&place, socket_path))
		return EXIT_CODE_UNREACHABLE;
	if (calls(argc, argv, "daemon", "start"))
		return start_daemon(&place, argv);
	return ask(&place, argc, argv);
}
