// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kmorphctl.h"

/* A handler only writes the number of its signal here; the loop reads it in its own time. */
static int wake[2];

static void note(int signal)
{
	int saved = errno;
	unsigned char number = (unsigned char)signal;

	/* a full pipe holds thousands of signals that are not read yet: one more says nothing new
	 */
	(void)!write(wake[1], &number, 1);
	errno = saved;
}

static void unblock(int signal)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signal);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static void catch_signal(int signal)
{
	struct sigaction action = { .sa_handler = note }, before;

	sigemptyset(&action.sa_mask);
	/* without SA_RESTART: a write to a terminal that stands still must not keep Ctrl-C from us
	 */
	sigaction(signal, NULL, &before);
	if (before.sa_handler != SIG_IGN || signal == SIGWINCH || signal == SIGCONT)
		sigaction(signal, &action, NULL);
	/* some parents (a JVM is one) leave signals blocked in their children */
	unblock(signal);
}

int signals_init(void)
{
	static const int caught[] = {
		SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH
	};

	if (wake[0] != wake[1])
		return wake[0];
	if (pipe2(wake, O_CLOEXEC | O_NONBLOCK) < 0) {
		complain("cannot make a pipe: %s", strerror(errno));
		exit(EXIT_CODE_FAILED);
	}
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < sizeof(caught) / sizeof(caught[0]); i++)
		catch_signal(caught[i]);
	return wake[0];
}

int signals_next(void)
{
	unsigned char number;

	return read(wake[0], &number, 1) == 1 ? number : 0;
}

_Noreturn void signals_die(int number)
{
	tty_restore();
	signal(number, SIG_DFL);
	unblock(number);
	raise(number);
	_exit(128 + number);
}

void signals_stop(void)
{
	tty_restore();
	raise(SIGSTOP);
	/* goes on here after SIGCONT, which is also in the pipe and is dealt with there */
}
