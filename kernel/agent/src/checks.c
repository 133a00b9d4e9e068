// SPDX-License-Identifier: Apache-2.0
/* Programs that a workload ships to be asked whether it can run here: its successor names them,
 * each rehearsal runs them, and one that does not end with 0 forbids the commit. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "morph.h"

static struct check {
	char path[64];
	pid_t pid; /* 0: does not run */
	int status;
	bool ended;
} checks[MAX_CHECKS];
static size_t check_count;

void checks_add(const char *path)
{
	if (check_count == MAX_CHECKS) {
		say("more than %d checks: %s is left out", MAX_CHECKS, path);
		return;
	}
	checks[check_count] = (struct check){ .ended = true };
	snprintf(checks[check_count++].path, sizeof(checks[0].path), "%s", path);
}

static void stop(void)
{
	for (size_t i = 0; i < check_count; i++)
		if (checks[i].pid > 0)
			kill(checks[i].pid, SIGKILL);
}

void checks_forget(void)
{
	stop();
	check_count = 0;
}

static void execute(const char *path)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	sigset_t none;

	urgency_restore();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(null, STDIN_FILENO);
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execl(path, path, (char *)NULL);
	say("cannot run %s: %s", path, strerror(errno));
	_exit(127);
}

void checks_run(void)
{
	stop();
	for (size_t i = 0; i < check_count; i++) {
		checks[i].ended = false;
		checks[i].pid = fork();
		if (checks[i].pid == 0)
			execute(checks[i].path);
		if (checks[i].pid < 0) {
			checks[i].status = -1;
			checks[i].ended = true;
		}
	}
}

bool checks_reaped(pid_t pid, int status)
{
	for (size_t i = 0; i < check_count; i++) {
		if (checks[i].pid != pid)
			continue;
		checks[i].pid = 0;
		checks[i].status = status;
		checks[i].ended = true;
		validate_look();
		return true;
	}
	return false;
}

bool checks_are_over(void)
{
	for (size_t i = 0; i < check_count; i++)
		if (!checks[i].ended)
			return false;
	return true;
}

bool checks_found(size_t number, bool *passed, char *text, size_t most)
{
	const struct check *check = &checks[number];

	if (number >= check_count)
		return false;
	*passed = check->ended && check->status == 0;
	if (!check->ended)
		snprintf(text, most, "%s has not ended in time", check->path);
	else if (WIFSIGNALED(check->status))
		snprintf(text, most, "%s ended by signal %d", check->path, WTERMSIG(check->status));
	else
		snprintf(text, most, "%s ended with %d", check->path, WEXITSTATUS(check->status));
	return true;
}
