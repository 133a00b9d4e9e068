// SPDX-License-Identifier: Apache-2.0
/*
 * One command over one connection, in one loop around poll(2). Nothing in it waits for anything but
 * that poll: a standard output that stands still keeps neither Ctrl-C nor a new window size from
 * the daemon.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kmorphctl.h"
#include "protocol.h"

/* A second Ctrl-C within this time leaves without waiting for the command. */
#define IMPATIENCE_MS 2000

#define STDIN_CHUNK 16384u

/* A write of this size to a pipe that poll(2) calls writable does not block: pipe(7). */
#define STDOUT_CHUNK 4096u

struct stream {
	int fd;
	int wake;

	uint8_t in[KMCT_HEADER + KMCT_MAX_PAYLOAD];
	size_t in_length;
	/* of the frame at the start of in that is being written to a standard stream */
	int target;
	size_t written;
	size_t to_write;

	uint8_t out[KMCT_HEADER + KMCT_MAX_PAYLOAD];
	size_t out_length;
	size_t out_sent;
	bool out_closed;

	uint32_t credit;
	bool stdin_ended;
	bool stdin_end_due;
	bool resize_due;
	bool cancel_due;
	bool stderr_lost;
	int64_t cancelled_at;

	bool over;
	int code;
};

static void finish(struct stream *s, int code)
{
	s->over = true;
	s->code = code;
}

static void begin_frame(struct stream *s, enum kmct_type type, size_t length)
{
	s->out[0] = (uint8_t)type;
	put_u32(s->out + 1, (uint32_t)length);
	s->out_sent = 0;
	s->out_length = KMCT_HEADER + length;
}

/* --- to the daemon --- */

/* The next frame to send, when the one before is on its way. */
static void next_frame(struct stream *s)
{
	if (s->out_closed)
		return;
	if (s->cancel_due) {
		s->cancel_due = false;
		begin_frame(s, KMCT_CANCEL, 0);
	} else if (s->resize_due) {
		s->resize_due = false;
		if (tty_size(s->out + KMCT_HEADER))
			begin_frame(s, KMCT_RESIZE, 4);
	} else if (s->stdin_end_due) {
		s->stdin_end_due = false;
		begin_frame(s, KMCT_STDIN_END, 0);
	}
}

static bool sending(const struct stream *s)
{
	return s->out_sent < s->out_length;
}

static void send_some(struct stream *s)
{
	ssize_t n = send(s->fd, s->out + s->out_sent, s->out_length - s->out_sent, MSG_NOSIGNAL);

	if (n >= 0) {
		s->out_sent += (size_t)n;
	} else if (errno != EAGAIN && errno != EINTR) {
		/* the daemon closed; what it said before is still to be read */
		s->out_closed = true;
		s->out_sent = s->out_length;
	}
}

static void read_stdin(struct stream *s)
{
	size_t size = s->credit < STDIN_CHUNK ? s->credit : STDIN_CHUNK;
	ssize_t n = read(STDIN_FILENO, s->out + KMCT_HEADER, size);

	if (n > 0) {
		s->credit -= (uint32_t)n;
		begin_frame(s, KMCT_STDIN, (size_t)n);
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		s->stdin_ended = true;
		s->stdin_end_due = true;
	}
}

/* --- from the daemon --- */

static void drop_frame(struct stream *s, size_t size)
{
	s->in_length -= size;
	memmove(s->in, s->in + size, s->in_length);
}

static void write_failed(struct stream *s)
{
	if (s->target == STDERR_FILENO) {
		/* nobody hears us; the command goes on */
		s->stderr_lost = true;
		s->written = s->to_write;
	} else if (errno == EPIPE) {
		/* as every filter ends whose reader has enough */
		signals_die(SIGPIPE);
	} else {
		complain("cannot write to standard output: %s", strerror(errno));
		finish(s, EXIT_CODE_FAILED);
	}
}

static bool writing(const struct stream *s)
{
	return s->written < s->to_write;
}

static void write_some(struct stream *s)
{
	size_t left = s->to_write - s->written;
	size_t size = left < STDOUT_CHUNK ? left : STDOUT_CHUNK;
	ssize_t n = write(s->target, s->in + KMCT_HEADER + s->written, size);

	if (n >= 0)
		s->written += (size_t)n;
	else if (errno != EAGAIN && errno != EINTR)
		write_failed(s);
	if (!writing(s))
		drop_frame(s, KMCT_HEADER + s->to_write);
}

static void malformed(struct stream *s, const char *what)
{
	complain(
		"the daemon does not speak the control protocol: %s; use the kmorphctl of its release",
		what);
	finish(s, EXIT_CODE_UNREACHABLE);
}

static void handle_output(struct stream *s, int target, size_t length)
{
	if (target == STDERR_FILENO && s->stderr_lost)
		length = 0;
	s->target = target;
	s->written = 0;
	s->to_write = length;
}

static void handle_credit(struct stream *s, uint32_t more)
{
	if (more > UINT32_MAX - s->credit)
		malformed(s, "more credit than there can be");
	else
		s->credit += more;
}

static void handle_small(struct stream *s, uint8_t type, const uint8_t *payload, size_t length)
{
	if (type == KMCT_MODE && length == 1 && payload[0] <= 1) {
		if (payload[0])
			tty_raw();
		else
			tty_line();
	} else if (type == KMCT_CREDIT && length == 4) {
		handle_credit(s, get_u32(payload));
	} else if (type == KMCT_EXIT && length == 1) {
		finish(s, payload[0]);
	} else if (type == KMCT_AGAIN && length == 0) {
		finish(s, STREAM_AGAIN);
	} else if (type == KMCT_ERROR && length >= 1) {
		complain("%.*s", (int)(length - 1), (const char *)payload + 1);
		finish(s, payload[0]);
	} else {
		malformed(s, "an unknown frame");
	}
}

/* Deals with the frames that are whole, until one is to be written out. */
static void handle_frames(struct stream *s)
{
	while (!s->over && !writing(s) && s->in_length >= KMCT_HEADER) {
		size_t length = get_u32(s->in + 1);

		if (length > KMCT_MAX_PAYLOAD) {
			malformed(s, "a frame that is too long");
			return;
		}
		if (s->in_length < KMCT_HEADER + length)
			return;
		if (s->in[0] == KMCT_STDOUT || s->in[0] == KMCT_STDERR) {
			handle_output(s, s->in[0] == KMCT_STDOUT ? STDOUT_FILENO : STDERR_FILENO,
				      length);
			if (writing(s))
				return;
		} else {
			handle_small(s, s->in[0], s->in + KMCT_HEADER, length);
		}
		drop_frame(s, KMCT_HEADER + length);
	}
}

static void receive(struct stream *s)
{
	ssize_t n = read(s->fd, s->in + s->in_length, sizeof(s->in) - s->in_length);

	if (n > 0)
		s->in_length += (size_t)n;
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		finish(s, STREAM_LOST);
}

/* --- the loop --- */

static void cancel(struct stream *s, int number)
{
	int64_t now = now_ms();

	if (s->cancelled_at && now - s->cancelled_at < IMPATIENCE_MS) {
		complain(
			"left at once; the daemon was asked to cancel the command and may still be at it");
		signals_die(number);
	}
	s->cancelled_at = now;
	s->cancel_due = true;
}

static void handle_signals(struct stream *s)
{
	int number;

	while ((number = signals_next()) != 0) {
		switch (number) {
		case SIGINT:
		case SIGTERM:
			cancel(s, number);
			break;
		case SIGWINCH:
			s->resize_due = true;
			break;
		case SIGTSTP:
			signals_stop();
			break;
		case SIGCONT:
			tty_resume();
			s->resize_due = true;
			break;
		default:
			signals_die(number);
		}
	}
}

static void turn(struct stream *s)
{
	enum { WAKE, SOCKET, INPUT, OUTPUT, COUNT };
	struct pollfd p[COUNT] = {
		[WAKE] = { .fd = s->wake, .events = POLLIN },
		[SOCKET] = { .fd = -1 },
		[INPUT] = { .fd = -1 },
		[OUTPUT] = { .fd = -1 },
	};

	if (!sending(s))
		next_frame(s);
	/* a descriptor without a wish is left out: its errors would wake us for ever */
	if (writing(s))
		p[OUTPUT] = (struct pollfd){ .fd = s->target, .events = POLLOUT };
	else
		p[SOCKET] = (struct pollfd){ .fd = s->fd, .events = POLLIN };
	if (sending(s)) {
		p[SOCKET].fd = s->fd;
		p[SOCKET].events |= POLLOUT;
	} else if (s->credit > 0 && !s->stdin_ended && !s->out_closed) {
		p[INPUT] = (struct pollfd){ .fd = STDIN_FILENO, .events = POLLIN };
	}
	int ready = poll(p, COUNT, -1);

	handle_signals(s);
	if (ready < 0)
		return; /* interrupted: what poll left in revents means nothing */
	if (p[SOCKET].revents & (POLLOUT | POLLERR | POLLHUP) && sending(s))
		send_some(s);
	if (p[OUTPUT].revents && writing(s))
		write_some(s);
	else if (p[SOCKET].revents & (POLLIN | POLLERR | POLLHUP) && !writing(s))
		receive(s);
	if (p[INPUT].revents && !sending(s))
		read_stdin(s);
	if (!s->over)
		handle_frames(s);
}

int stream_run(int fd, int word_count, char **words)
{
	struct stream *s = calloc(1, sizeof(*s));
	int code = EXIT_CODE_USAGE;
	size_t length;

	if (!s) {
		complain("out of memory");
		return EXIT_CODE_FAILED;
	}
	s->fd = fd;
	s->wake = signals_init();
	length = start_build(s->out + KMCT_HEADER, word_count, words);
	if (length > 0) {
		begin_frame(s, KMCT_START, length);
		while (!s->over)
			turn(s);
		code = s->code;
	}
	tty_restore();
	close(fd);
	free(s);
	return code;
}
