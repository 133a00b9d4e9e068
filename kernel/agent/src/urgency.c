// SPDX-License-Identifier: Apache-2.0
/*
 * How urgently this process runs. Mostly more than a workload, so that a busy machine does not keep
 * its agent from answering for it. While it moves much, it is to be in nobody's way: its turns are
 * long, and whoever wakes up for a shorter one goes first (sched_runtime of sched_setattr(2), Linux
 * 6.12). While a workload stands still, nobody waits for anything but for this: real time, for as
 * long as a freeze may last at the most. What may not be set is left as it is.
 */
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "morph.h"

/* include/uapi/linux/sched/types.h; the C library has no name for it yet. */
struct attributes {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t util_min, util_max;
};

#define RESET_ON_FORK 1
#define NICE (-10)
#define LONG_TURN (100 * MS)
#define REAL_TIME_PRIORITY 2u /* the workload's, when it is its turn: one less */

enum urgency { USUAL, BULK, FREEZE };

static enum urgency now_is;
static uint64_t until;
static int nice_before;
static bool can_raise;
static pid_t hurried; /* a workload that is to begin */

static bool set(pid_t pid, const struct attributes *wanted)
{
	return syscall(SYS_sched_setattr, pid, wanted, 0) == 0;
}

static struct attributes usual(int nice, uint64_t runtime)
{
	return (struct attributes){
		.size = sizeof(struct attributes),
		.policy = SCHED_OTHER,
		.nice = nice,
		.runtime = runtime,
	};
}

static struct attributes real_time(uint32_t priority)
{
	return (struct attributes){
		.size = sizeof(struct attributes),
		.policy = SCHED_FIFO,
		.flags = RESET_ON_FORK,
		.priority = priority,
	};
}

static void become(enum urgency wanted)
{
	struct attributes attributes = wanted == FREEZE ? real_time(REAL_TIME_PRIORITY)
				       : wanted == BULK ? usual(nice_before, LONG_TURN)
							: usual(can_raise ? NICE : nice_before, 0);

	if (now_is == wanted)
		return;
	set(0, &attributes);
	now_is = wanted;
}

void urgency_open(void)
{
	struct attributes raised = usual(NICE, 0);

	nice_before = getpriority(PRIO_PROCESS, 0);
	can_raise = set(0, &raised);
}

void urgency_restore(void)
{
	struct attributes attributes = usual(nice_before, 0);

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
	struct attributes attributes = real_time(REAL_TIME_PRIORITY - 1);

	if (can_raise && set(pid, &attributes))
		hurried = pid;
}

void urgency_hurry_no_more(void)
{
	struct attributes attributes = usual(nice_before, 0);

	if (hurried > 0)
		set(hurried, &attributes);
	hurried = 0;
}

void urgency_usual(void)
{
	urgency_hurry_no_more();
	become(USUAL);
}

uint64_t urgency_tick(void)
{
	uint64_t now = now_ns();

	if (now_is == USUAL)
		return UINT64_MAX;
	if (now < until)
		return until - now;
	urgency_usual();
	return UINT64_MAX;
}
