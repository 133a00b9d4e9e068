// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "kmorphctl.h"
#include "protocol.h"

static struct termios original;
static struct termios raw;
static bool is_terminal;
static volatile sig_atomic_t applied; /* the terminal is raw now */
static bool wanted;		      /* the daemon wants it raw */

static void apply(const struct termios *mode)
{
	/* not TCSADRAIN: a terminal that stands still (Ctrl-S) must not keep us from leaving */
	while (tcsetattr(STDIN_FILENO, TCSANOW, mode) < 0 && errno == EINTR)
		;
}

void tty_init(void)
{
	is_terminal = tcgetattr(STDIN_FILENO, &original) == 0;
	if (!is_terminal)
		return;
	/* Keys arrive one by one and unchanged. Output stays as it was, so that a newline still
	 * returns the carriage. */
	raw = original;
	raw.c_iflag &=
		~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
	raw.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	atexit(tty_restore);
}

void tty_raw(void)
{
	wanted = true;
	/* setting it from the background would stop us (SIGTTOU), or disturb who is in front */
	if (is_terminal && tcgetpgrp(STDIN_FILENO) == getpgrp()) {
		applied = 1;
		apply(&raw);
	}
}

void tty_line(void)
{
	wanted = false;
	tty_restore();
}

void tty_restore(void)
{
	if (applied) {
		int saved = errno;

		apply(&original);
		applied = 0;
		errno = saved;
	}
}

void tty_resume(void)
{
	if (wanted)
		tty_raw();
}

bool tty_size(uint8_t *to)
{
	static const int candidates[] = { STDOUT_FILENO, STDERR_FILENO, STDIN_FILENO };
	struct winsize size;

	for (size_t i = 0; i < sizeof(candidates) / sizeof(candidates[0]); i++) {
		if (ioctl(candidates[i], TIOCGWINSZ, &size) == 0) {
			put_u16(to, size.ws_row);
			put_u16(to + 2, size.ws_col);
			return true;
		}
	}
	return false;
}
