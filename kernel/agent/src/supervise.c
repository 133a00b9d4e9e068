// SPDX-License-Identifier: Apache-2.0
/*
 * A parent that does nothing but start the agent again when it has died, so that it never dies
 * itself. What the next agent has to know of the workload stands in memory that both share; sockets
 * that it has to set free are kept by bequest.c.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"

/* Before it is started again: long enough to be noticed; doubled each time, up to the longest. */
#define FIRST_WAIT (5 * SECOND)
#define LONGEST_WAIT (60 * SECOND)

/* One that lived so long begins with the first wait again. */
#define STEADY (60 * SECOND)

struct shared {
	/* Two, written in turn: an agent may die in the middle of one. */
	struct legacy legacies[2];
	uint32_t count;
	/* Of the workload, if it ended as a child of the supervisor. */
	pid_t ended;
	int status;
};

static struct shared *shared;

bool supervised(void)
{
	return shared != NULL;
}

void supervise_bequeath(const struct legacy *legacy)
{
	if (!shared)
		return;
	shared->legacies[(shared->count + 1) % 2] = *legacy;
	__atomic_store_n(&shared->count, shared->count + 1, __ATOMIC_RELEASE);
}

const struct legacy *supervise_inherit(void)
{
	return shared && shared->count ? &shared->legacies[shared->count % 2] : NULL;
}

bool supervise_has_ended(pid_t pid, int *status)
{
	if (!shared || pid == 0 || __atomic_load_n(&shared->ended, __ATOMIC_ACQUIRE) != pid)
		return false;
	*status = shared->status;
	return true;
}

/* The status of the agent if it was among those that ended; else -1. */
static int reap(pid_t agent)
{
	int found = -1, status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		const struct legacy *legacy = supervise_inherit();

		if (pid == agent) {
			found = status;
		} else if (legacy && pid == legacy->workload.pid) {
			shared->status = status;
			__atomic_store_n(&shared->ended, pid, __ATOMIC_RELEASE);
			if (agent)
				kill(agent, SIGCHLD);
		}
	}
	return found;
}

static void end(int status)
{
	if (options.init)
		init_power_off();
	exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

/* Waits for the agent's death; whether it was told to end meanwhile. */
static bool attend(pid_t agent, const sigset_t *awaited)
{
	bool told = false;

	for (;;) {
		int number = sigwaitinfo(awaited, NULL), status;

		if (number == SIGTERM || number == SIGINT) {
			told = true;
			kill(agent, SIGTERM);
		}
		status = reap(agent);
		if (status == -1)
			continue;
		if (WIFEXITED(status) && (WEXITSTATUS(status) == 0 || !supervise_inherit()))
			end(status);
		if (WIFSIGNALED(status))
			say("the agent was killed by signal %d", WTERMSIG(status));
		else
			say("the agent ended with status %d", WEXITSTATUS(status));
		return told;
	}
}

/* What does not wait for the next agent: no workload is urgent for nobody, and one that was made
 * ready to take over another's work could begin with it at any moment. */
static void wind_up(void)
{
	const struct legacy *legacy = supervise_inherit();

	if (!legacy)
		return;
	if (legacy->hurried.pid != __atomic_load_n(&shared->ended, __ATOMIC_ACQUIRE))
		urgency_calm(&legacy->hurried);
	if (legacy->made_ready) {
		kill(-legacy->made_ready, SIGKILL);
		kill(legacy->made_ready, SIGKILL);
	}
}

/* The end of the lease under which the agent that began then has a workload stand still; 0: none
 * does. */
static uint64_t lease_end(uint64_t begun_at)
{
	const struct legacy *legacy = supervise_inherit();

	/* one before it was there for the next agent, which has died of that */
	return legacy && legacy->still_until > begun_at ? legacy->still_until : 0;
}

/* Whether it was told to end in that time, which makes it shorter unless it is a lease. */
static bool pause_until(uint64_t until, bool lease, const sigset_t *awaited)
{
	bool told = false;

	for (uint64_t now = now_ns(); now < until; now = now_ns()) {
		struct timespec left = { .tv_sec = (time_t)((until - now) / SECOND),
					 .tv_nsec = (long)((until - now) % SECOND) };
		int number = sigtimedwait(awaited, NULL, &left);

		told = told || number == SIGTERM || number == SIGINT;
		if (told && !lease)
			return true;
		reap(0);
	}
	return told;
}

static void become_agent(bool told)
{
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	prctl(PR_SET_NAME, "kmorph-agent");
	/* blocked until it is ready for it */
	if (told)
		raise(SIGTERM);
}

void supervise(void)
{
	uint64_t wait = FIRST_WAIT;
	sigset_t awaited;
	bool told = false;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED)
		die("cannot have memory to share with the agent: %s", strerror(errno));
	bequest_open();
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	sigemptyset(&awaited);
	sigaddset(&awaited, SIGCHLD);
	sigaddset(&awaited, SIGTERM);
	sigaddset(&awaited, SIGINT);
	sigprocmask(SIG_BLOCK, &awaited, NULL);
	for (;;) {
		uint64_t begun_at = now_ns(), lease;
		pid_t agent = fork();

		if (agent == 0) {
			become_agent(told);
			return;
		}
		if (agent > 0)
			told = attend(agent, &awaited) || told;
		else
			say("cannot start the agent: %s", strerror(errno));
		if (now_ns() - begun_at > STEADY)
			wait = FIRST_WAIT;
		wind_up();
		lease = lease_end(begun_at);
		told = pause_until(lease ? lease : now_ns() + wait, lease != 0, &awaited) || told;
		wait = 2 * wait < LONGEST_WAIT ? 2 * wait : LONGEST_WAIT;
	}
}
