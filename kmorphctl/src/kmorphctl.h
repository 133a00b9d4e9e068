/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KMORPHCTL_H
#define KMORPHCTL_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* the exit codes of the command line that the client itself can come to */
enum exit_code {
	EXIT_CODE_DONE = 0,
	EXIT_CODE_FAILED = 1,
	EXIT_CODE_USAGE = 2,
	EXIT_CODE_NOT_RUNNING = 3,
	EXIT_CODE_TIMED_OUT = 6,
	EXIT_CODE_UNREACHABLE = 8,
};

/* says "kmorphctl: ..." on standard error */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* milliseconds of the monotonic clock */
int64_t now_ms(void);

/* --- place.c: where things are --- */

struct place {
	char socket[PATH_MAX];
	char daemon[PATH_MAX]; /* the launcher, kmorphd */
};

/* Finds the socket (option, environment, own location in this order) and the launcher; complains
 * and returns false when it cannot.
 */
bool place_find(struct place *place, const char *socket_option);

/* --- connect.c --- */

enum reach {
	REACHED,
	NO_DAEMON,   /* nothing listens: there is no socket, or nobody behind it */
	UNREACHABLE, /* complained already */
};

struct hello {
	uint16_t lowest;
	uint16_t highest;
	uint32_t pid;
};

/* Connects and takes the greeting; *fd is non-blocking then. why (of size) says what is wrong for
 * NO_DAEMON. */
enum reach daemon_connect(const char *path, int *fd, struct hello *hello, char *why, size_t size);

/* --- tty.c: the terminal, always put back as it was --- */

void tty_init(void);
void tty_raw(void);
void tty_line(void);

/* Puts the terminal back; safe in a signal handler. */
void tty_restore(void);

/* After SIGCONT: raw again when it was before. */
void tty_resume(void);

/* The window's size as the protocol has it, 4 bytes; false when there is none. */
bool tty_size(uint8_t *to);

/* --- signals.c --- */

/* Catches the signals, once; returns the descriptor that becomes readable when one came. */
int signals_init(void);

/* The next signal that came, or 0. */
int signals_next(void);

/* Ends this process by the signal, as if it had never been caught. */
_Noreturn void signals_die(int signal);

/* Stops this process until SIGCONT. */
void signals_stop(void);

/* --- start.c --- */

/* Writes the payload of START, for which there is room, and returns its length; complains and
 * returns 0 when it cannot be. */
size_t start_build(uint8_t *bytes, int word_count, char **words);

/* --- stream.c --- */

/* The connection ended before the command did. */
#define STREAM_LOST (-1)

/* Nothing was run: whoever has the socket now is to be asked. */
#define STREAM_AGAIN (-2)

/* Sends the words and streams until the command ends; returns its exit code, STREAM_LOST or
 * STREAM_AGAIN. */
int stream_run(int fd, int word_count, char **words);

/* --- stop.c --- */

/* Whether the words ask the daemon to stop, so that its end is to be waited for. */
bool stop_asked(int word_count, char **words);

/* A descriptor of the process at the other end of the connection, or -1 (complained). */
int stop_watch(int fd);

/* Waits for the process to end; returns the exit code. */
int stop_await(int pidfd, int word_count, char **words);

#endif
