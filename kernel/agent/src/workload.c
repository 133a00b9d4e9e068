// SPDX-License-Identifier: Apache-2.0
/* The one command that an instance is there for: started, watched, stopped. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "morph.h"

struct workload workload = { .exit_status = -1 };

static uint64_t kill_at;     /* 0: nothing is to be killed */
static bool ending;	     /* told to stop, for good */
static pid_t made_ready;     /* waits to become the workload; 0: none */
static uint64_t still_until; /* see struct legacy */

#define FREEZE_PATIENCE (100 * MS)

/* For one that was told to end when its agent died. */
#define GRACE_TAKEN_OVER (10 * SECOND)

#define HALF_STARTED_PATIENCE (5 * SECOND)

/* A process that starts before this is known of it must not outlive its agent. */
void workload_bequeath(void)
{
	supervise_bequeath(&(struct legacy){
		.workload = workload,
		.made_ready = made_ready,
		.ending = ending,
		.still_until = still_until,
		.hurried = urgency_hurried(),
	});
}

static void become(enum kmp_workload_state state)
{
	workload.state = state;
	workload.since_ns = boot_ns();
	workload_bequeath();
}

/* Until the agent has said who it is to become, it dies with the agent. */
static void await_name(int named)
{
	char byte;

	if (read(named, &byte, 1) != 1)
		_exit(126);
	prctl(PR_SET_PDEATHSIG, 0);
}

static void execute(int report, int link, int named)
{
	char number[16];
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	sigset_t none;
	int error;

	/* a group of its own, so that all of it can be signalled */
	setsid();
	urgency_restore();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(null, STDIN_FILENO);
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (options.init)
		oom_score_adjust("0");
	if (supervised())
		await_name(named);
	snprintf(number, sizeof(number), "%d", link);
	if (link >= 0 && fcntl(link, F_SETFD, 0) == 0)
		setenv(KMORPH_LINK, number, 1);
	execvp(options.workload[0], options.workload);
	error = errno;
	if (write(report, &error, sizeof(error)) < 0)
		_exit(126);
	_exit(127);
}

/* Starts it, its pid in *as; or says why it cannot be run. */
static int launch(bool successor, pid_t *as)
{
	int report[2], named[2], link = link_open(successor), error = 0;

	if (pipe2(report, O_CLOEXEC) < 0 || pipe2(named, O_CLOEXEC) < 0)
		die("cannot make a pipe: %s", strerror(errno));
	*as = fork();
	if (*as == 0) {
		close(named[1]);
		execute(report[1], link, named[0]);
	}
	close(report[1]);
	close(named[0]);
	if (link >= 0)
		close(link);
	if (*as < 0) {
		error = errno;
	} else {
		workload_bequeath();
		if (write(named[1], "", 1) < 0 ||
		    read(report[0], &error, sizeof(error)) != sizeof(error))
			error = 0;
	}
	close(named[1]);
	close(report[0]);
	if (error == 0)
		return 0;
	say("cannot run %s: %s", options.workload[0], strerror(error));
	if (*as > 0)
		waitpid(*as, NULL, 0);
	*as = 0;
	workload_bequeath();
	link_close();
	return error;
}

static void start(void)
{
	become(KMP_WORKLOAD_STARTING);
	network_take();
	workload.starts++;
	workload.exit_status = -1;
	if (launch(false, &workload.pid) != 0) {
		workload.exit_status = 127;
		become(KMP_WORKLOAD_FAILED);
		return;
	}
	become(KMP_WORKLOAD_RUNNING);
}

bool workload_make_ready(void)
{
	workload_drop_ready();
	return launch(true, &made_ready) == 0;
}

void workload_hold_again(void)
{
	ending = false;
	become(KMP_WORKLOAD_HELD);
}

bool workload_is_made_ready(void)
{
	return made_ready > 0;
}

void workload_hurry(void)
{
	if (workload.pid != 0)
		urgency_hurry(workload.pid);
}

void workload_hurry_ready(void)
{
	urgency_hurry(made_ready);
}

void workload_drop_ready(void)
{
	if (made_ready == 0)
		return;
	kill(-made_ready, SIGKILL);
	kill(made_ready, SIGKILL);
	made_ready = 0;
	workload_bequeath();
	link_close();
}

void workload_activate(void)
{
	if (made_ready == 0) {
		start();
		return;
	}
	workload.pid = made_ready;
	made_ready = 0;
	workload.starts++;
	become(KMP_WORKLOAD_RUNNING);
}

/* It is continued already. */
static void stands_no_more(void)
{
	still_until = 0;
	workload_bequeath();
}

bool workload_stop_running(uint64_t until)
{
	if (workload.pid == 0)
		return false;
	workload_hurry();
	still_until = until;
	workload_bequeath();
	if (kill(-workload.pid, SIGSTOP) == 0)
		return true;
	stands_no_more();
	return false;
}

/* It is stopped when its state says so; the signal alone is a promise. */
bool workload_freeze(void)
{
	uint64_t until = now_ns() + FREEZE_PATIENCE;
	struct timespec moment = { .tv_nsec = 5000 };
	siginfo_t info;

	do {
		info.si_pid = 0;
		if (waitid(P_PID, (id_t)workload.pid, &info, WSTOPPED | WNOHANG) < 0)
			break;
		if (info.si_pid == workload.pid) {
			become(KMP_WORKLOAD_FROZEN);
			return true;
		}
		nanosleep(&moment, NULL); /* it needs a processor for it, maybe ours */
	} while (now_ns() < until);
	kill(-workload.pid, SIGCONT);
	stands_no_more();
	return false;
}

void workload_thaw(void)
{
	if (workload.state != KMP_WORKLOAD_FROZEN)
		return;
	urgency_hurry_no_more();
	kill(-workload.pid, SIGCONT);
	still_until = 0;
	become(KMP_WORKLOAD_RUNNING);
}

/* From here on the kernel lets none of its threads return to user space. */
void workload_end_now(void)
{
	ending = true;
	kill_at = 0;
	urgency_hurry_no_more();
	if (workload.pid)
		kill(-workload.pid, SIGKILL);
	still_until = 0;
	become(KMP_WORKLOAD_STOPPED);
}

/* It may have come so far as to run. */
static void end_half_started(void)
{
	uint64_t until = now_ns() + HALF_STARTED_PATIENCE;
	struct timespec moment = { .tv_nsec = (long)MS };
	int status;

	if (workload.pid == 0)
		return;
	kill(-workload.pid, SIGKILL);
	kill(workload.pid, SIGKILL);
	while (!supervise_has_ended(workload.pid, &status)) {
		if (now_ns() > until)
			die("the workload that was half started does not end");
		nanosleep(&moment, NULL);
	}
}

/* One that stood still was not released, for then it had been killed. What was made ready to be it,
 * and may have had its address, has been killed: nobody could make it so any more. */
void workload_inherit(void)
{
	const struct legacy *legacy = supervise_inherit();
	int status;
	bool goes_on;

	if (!legacy)
		return;
	workload = legacy->workload;
	ending = legacy->ending;
	goes_on = workload.pid != 0 && workload.state != KMP_WORKLOAD_STOPPED &&
		  !supervise_has_ended(workload.pid, &status);
	bequest_take(goes_on);
	if (goes_on && legacy->still_until)
		kill(-workload.pid, SIGCONT);
	if (legacy->made_ready)
		network_give_up();
	if (workload.state == KMP_WORKLOAD_FROZEN)
		become(KMP_WORKLOAD_RUNNING);
	else
		workload_bequeath();
	say("the agent before this one died; its workload %s",
	    workload.pid ? "goes on" : "does not run");
}

static void take_over(void)
{
	if (workload.state == KMP_WORKLOAD_STARTING) {
		end_half_started();
		workload.starts--;
		start();
	} else if (workload.state == KMP_WORKLOAD_STOPPED) {
		workload_end_now();
	} else if (ending) {
		ending = false;
		workload_stop(GRACE_TAKEN_OVER);
	}
	workload_taken_over_has_ended();
}

void workload_open(void)
{
	if (supervise_inherit()) {
		take_over();
		return;
	}
	workload_bequeath();
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
	workload_bequeath();
	kill(-workload.pid, SIGTERM);
	kill_at = now_ns() + grace_ns;
}

bool workload_reaped(pid_t pid, int status)
{
	if (pid == made_ready && pid != 0) {
		made_ready = 0;
		workload_bequeath();
		morph_workload_ended();
		return true;
	}
	if (pid == 0 || pid != workload.pid)
		return false;
	/* what it has started in its group goes with it */
	kill(-workload.pid, SIGKILL);
	urgency_hurry_no_more();
	workload.pid = 0;
	kill_at = still_until = 0;
	workload.exit_status = WIFSIGNALED(status) ? 256 + WTERMSIG(status) : WEXITSTATUS(status);
	if (ending) {
		network_give_up();
		become(KMP_WORKLOAD_STOPPED);
	} else {
		become(workload.exit_status == 0 ? KMP_WORKLOAD_EXITED : KMP_WORKLOAD_FAILED);
	}
	morph_workload_ended();
	answer_retired();
	return true;
}

bool workload_taken_over_has_ended(void)
{
	int status;

	return supervise_has_ended(workload.pid, &status) && workload_reaped(workload.pid, status);
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
