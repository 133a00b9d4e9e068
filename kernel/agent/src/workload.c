// SPDX-License-Identifier: Apache-2.0
/* The one command that an instance is there for: started, watched, stopped. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"

struct workload workload = { .exit_status = -1 };

static uint64_t kill_at; /* 0: nothing is to be killed */
static bool ending;	 /* told to stop, for good */

static void become(enum kmp_workload_state state)
{
	workload.state = state;
	workload.since_ns = boot_ns();
}

static void execute(int report)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	sigset_t none;
	int error;

	/* a group of its own, so that all of it can be signalled */
	setsid();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(null, STDIN_FILENO);
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execvp(options.workload[0], options.workload);
	error = errno;
	if (write(report, &error, sizeof(error)) < 0)
		_exit(126);
	_exit(127);
}

static void start(void)
{
	int report[2], error = 0;

	become(KMP_WORKLOAD_STARTING);
	workload.starts++;
	if (pipe2(report, O_CLOEXEC) < 0)
		die("cannot make a pipe: %s", strerror(errno));
	workload.pid = fork();
	if (workload.pid == 0)
		execute(report[1]);
	close(report[1]);
	if (workload.pid < 0) {
		error = errno;
		workload.pid = 0;
	} else if (read(report[0], &error, sizeof(error)) != sizeof(error)) {
		error = 0;
	}
	close(report[0]);
	if (error) {
		say("cannot run %s: %s", options.workload[0], strerror(error));
		if (workload.pid)
			waitpid(workload.pid, NULL, 0);
		workload.pid = 0;
		workload.exit_status = 127;
		become(KMP_WORKLOAD_FAILED);
		return;
	}
	become(KMP_WORKLOAD_RUNNING);
}

void workload_open(void)
{
	if (!options.workload[0])
		return;
	if (options.hold)
		become(KMP_WORKLOAD_HELD);
	else
		start();
}

bool workload_is_over(void)
{
	return workload.pid == 0;
}

void workload_stop(uint64_t grace_ns)
{
	if (ending)
		return;
	ending = true;
	if (workload.pid == 0) {
		if (workload.state == KMP_WORKLOAD_HELD)
			become(KMP_WORKLOAD_STOPPED);
		return;
	}
	kill(-workload.pid, SIGTERM);
	kill_at = now_ns() + grace_ns;
}

bool workload_reaped(pid_t pid, int status)
{
	if (pid == 0 || pid != workload.pid)
		return false;
	/* what it has started in its group goes with it */
	kill(-workload.pid, SIGKILL);
	workload.pid = 0;
	kill_at = 0;
	workload.exit_status = WIFSIGNALED(status) ? 256 + WTERMSIG(status) : WEXITSTATUS(status);
	if (ending)
		become(KMP_WORKLOAD_STOPPED);
	else
		become(workload.exit_status == 0 ? KMP_WORKLOAD_EXITED : KMP_WORKLOAD_FAILED);
	answer_retired();
	return true;
}

uint64_t workload_tick(void)
{
	uint64_t now = now_ns();

	if (!kill_at)
		return UINT64_MAX;
	if (now >= kill_at) {
		kill(-workload.pid, SIGKILL);
		/* again, should it have started others meanwhile */
		kill_at = now + 100 * MS;
	}
	return kill_at - now;
}
