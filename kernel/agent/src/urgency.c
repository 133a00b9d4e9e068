// SPDX-License-Identifier: Apache-2.0
/*
 * How urgently this process runs. Mostly more than a workload, so that a busy machine does not keep
 * its agent from answering for it. While it moves much, it is to be in nobody's way: its turns are
 * long, and whoever wakes up for a shorter one goes first (sched_runtime of sched_setattr(2), Linux
 * 6.12). While a workload stands still, nobody waits for anything but for this: real time, for as
 * long as a freeze may last at the most; and so the workload itself while it comes to rest, stops
 * or begins, though not for long. Processors do not sleep meanwhile: to wake up takes tens of
 * microseconds, at each of the dozen times that one process waits for another
 * (Documentation/power/pm_qos_interface.rst). What may not be set is left as it is.
 */
#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "morph.h"

#define RESET_ON_FORK 1
#define NICE (-10)
#define LONG_TURN (100 * MS)
#define REAL_TIME_PRIORITY 2u /* the workload's, when it is its turn: one less */
#define MOST_HURRY (100 * MS)

enum urgency { USUAL, BULK, FREEZE };

static enum urgency now_is;
static uint64_t until;
static int nice_before;
static bool can_raise;
static struct hurried hurried; /* a workload that is to rest or to begin */
static uint64_t hurried_until;

static bool set(pid_t pid, const struct scheduling *wanted)
{
	return syscall(SYS_sched_setattr, pid, wanted, 0) == 0;
}

static bool get(pid_t pid, struct scheduling *found)
{
	return syscall(SYS_sched_getattr, pid, found, sizeof(*found), 0) == 0;
}

static struct scheduling usual(int nice, uint64_t runtime)
{
	return (struct scheduling){
		.size = sizeof(struct scheduling),
		.policy = SCHED_OTHER,
		.nice = nice,
		.runtime = runtime,
	};
}

static struct scheduling real_time(uint32_t priority)
{
	return (struct scheduling){
		.size = sizeof(struct scheduling),
		.policy = SCHED_FIFO,
		.flags = RESET_ON_FORK,
		.priority = priority,
	};
}

static void stay_awake(bool wanted)
{
	static int awake = -1;
	int32_t latency_us = 0;

	if (!wanted && awake >= 0) {
		close(awake);
		awake = -1;
	}
	if (wanted && awake < 0)
		awake = open("/dev/cpu_dma_latency", O_WRONLY | O_CLOEXEC);
	if (wanted && awake >= 0 && write(awake, &latency_us, sizeof(latency_us)) < 0)
		stay_awake(false);
}

static void become(enum urgency wanted)
{
	struct scheduling attributes = wanted == FREEZE ? real_time(REAL_TIME_PRIORITY)
				       : wanted == BULK ? usual(nice_before, LONG_TURN)
							: usual(can_raise ? NICE : nice_before, 0);

	if (now_is == wanted)
		return;
	set(0, &attributes);
	stay_awake(wanted == FREEZE);
	now_is = wanted;
}

void urgency_open(void)
{
	struct scheduling raised = usual(NICE, 0);

	nice_before = getpriority(PRIO_PROCESS, 0);
	can_raise = set(0, &raised);
}

void urgency_restore(void)
{
	struct scheduling attributes = usual(nice_before, 0);

	set(0, &attributes);
}

void urgency_bulk(uint64_t for_ns)
{
	if (now_is == FREEZE || !can_raise)
		return;
	until = now_ns() + for_ns;
	become(BULK);
}

void urgency_freeze(uint64_t for_ns)
{
	until = now_ns() + for_ns;
	become(FREEZE);
}

void urgency_hurry(pid_t pid)
{
	struct scheduling wanted = real_time(REAL_TIME_PRIORITY - 1), before;

	hurried_until = now_ns() + MOST_HURRY;
	if (!can_raise || pid == hurried.pid || !get(pid, &before) || before.policy != SCHED_OTHER)
		return;
	hurried = (struct hurried){ .pid = pid, .before = before };
	workload_bequeath();
	set(pid, &wanted);
}

void urgency_hurry_no_more(void)
{
	if (hurried.pid == 0)
		return;
	urgency_calm(&hurried);
	hurried.pid = 0;
	workload_bequeath();
}

struct hurried urgency_hurried(void)
{
	return hurried;
}

void urgency_calm(const struct hurried *was)
{
	if (was->pid > 0)
		set(was->pid, &was->before);
}

void urgency_usual(void)
{
	urgency_hurry_no_more();
	become(USUAL);
}

uint64_t urgency_tick(void)
{
	uint64_t now = now_ns(), left = UINT64_MAX;

	if (now_is != USUAL && now >= until)
		urgency_usual();
	else if (now_is != USUAL)
		left = until - now;
	if (hurried.pid > 0 && now >= hurried_until)
		urgency_hurry_no_more();
	else if (hurried.pid > 0 && hurried_until - now < left)
		left = hurried_until - now;
	return left;
}
