// SPDX-License-Identifier: Apache-2.0
/* Starts the kernel's process: isolated as far as the system allows, held until it is on record. */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shim.h"

/* In the order in which they are tried. */
static const unsigned levels[] = {
	ISOLATE_PID | ISOLATE_MOUNT | ISOLATE_NET,
	ISOLATE_PID | ISOLATE_MOUNT,
	0,
};

/* The child reports "ready" before it waits to be let go, and errors at any time. */
#define READY 'r'

static int go = -1;	/* write end: a byte lets the child run */
static int report = -1; /* read end: what the child has to say */

struct child {
	const struct options *options;
	unsigned isolate;
	int go, report, console;
	int network; /* the namespace to be in; -1: its own */
};

static void fail(const struct child *child, const char *what)
{
	dprintf(child->report, "%s: %s", what, strerror(errno));
	_exit(127);
}

static void loopback_up(const struct child *child)
{
	struct ifreq request = { .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	strcpy(request.ifr_name, "lo");
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		fail(child, "cannot bring up the loopback interface");
	close(fd);
}

static void isolate(const struct child *child)
{
	if (child->isolate & ISOLATE_MOUNT &&
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		fail(child, "cannot make mounts private");
	if (child->isolate & ISOLATE_PID &&
	    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		fail(child, "cannot mount /proc");
	if (child->network >= 0) {
		if (setns(child->network, CLONE_NEWNET) < 0)
			fail(child, "cannot join the network namespace of --network-of");
	} else if (child->isolate & ISOLATE_NET) {
		loopback_up(child);
	}
}

/* Moves behind the digits that there must be. */
static bool cpu_number(const char **at, unsigned long *number)
{
	char *end;

	*number = 0;
	if (**at < '0' || **at > '9')
		return false;
	*number = strtoul(*at, &end, 10);
	*at = end;
	return true;
}

static void keep_to_cpus(const struct child *child)
{
	const char *at = child->options->cpus;
	cpu_set_t set;

	if (!at)
		return;
	CPU_ZERO(&set);
	while (*at) {
		unsigned long first, last;
		bool numbers = cpu_number(&at, &first);

		last = first;
		if (numbers && *at == '-') {
			at++;
			numbers = cpu_number(&at, &last);
		}
		if (!numbers || (*at && *at != ',') || last < first || last >= CPU_SETSIZE) {
			errno = EINVAL;
			fail(child, "--cpus is no list like 0-3,6");
		}
		for (unsigned long cpu = first; cpu <= last; cpu++)
			CPU_SET(cpu, &set);
		if (*at)
			at++;
	}
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		fail(child, "none of the processors of --cpus is there");
}

static void run(const struct child *child)
{
	int null = open("/dev/null", O_RDONLY);
	sigset_t none;
	char byte;

	/* a kernel whose shim is dead could not be watched: it goes with it */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (dup2(null, 0) < 0 || dup2(child->console, 1) < 0 || dup2(child->console, 2) < 0)
		fail(child, "cannot set up standard streams");
	dprintf(child->report, "%c", READY);
	if (read(child->go, &byte, 1) != 1)
		_exit(127);
	/* only now are the maps of a user namespace written, and our groups joined */
	isolate(child);
	keep_to_cpus(child);
	setsid();
	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execvp(child->options->program[0], child->options->program);
	fail(child, child->options->program[0]);
}

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		die("cannot write %s: %s", path, strerror(errno));
	close(fd);
}

/* In the new user namespace, whoever we are stays who we are. */
static void map_user(pid_t pid)
{
	char path[64], map[64];

	snprintf(path, sizeof(path), "/proc/%d/setgroups", pid);
	put(path, "deny");
	snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
	snprintf(map, sizeof(map), "%u %u 1", geteuid(), geteuid());
	put(path, map);
	snprintf(path, sizeof(path), "/proc/%d/gid_map", pid);
	snprintf(map, sizeof(map), "%u %u 1", getegid(), getegid());
	put(path, map);
}

/* What the child says: READY, an error, or the end of file that executing its program makes. */
static size_t listen_to_child(char *text, size_t size)
{
	size_t length = 0;
	ssize_t got;

	while (length < size - 1 && (got = read(report, text + length, size - 1 - length)) > 0) {
		length += (size_t)got;
		if (text[0] == READY && length == 1)
			break;
	}
	text[length] = 0;
	return length;
}

static unsigned long clone_flags(unsigned isolated)
{
	unsigned long flags = SIGCHLD;

	if (isolated & ISOLATE_PID)
		flags |= CLONE_NEWPID;
	if (isolated & ISOLATE_MOUNT)
		flags |= CLONE_NEWNS;
	if (isolated & ISOLATE_NET)
		flags |= CLONE_NEWNET;
	if (isolated && geteuid() != 0)
		flags |= CLONE_NEWUSER;
	return flags;
}

/* Opened here: the child may not see the process any more. */
static int network_of(const struct options *options)
{
	char path[64];
	int fd;

	if (!options->network_of)
		return -1;
	snprintf(path, sizeof(path), "/proc/%.16s/ns/net", options->network_of);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die("cannot open %s: %s", path, strerror(errno));
	return fd;
}

/* False when the system does not allow this much isolation. */
static bool start_isolated(struct kernel *kernel, const struct options *options, unsigned level)
{
	struct child child = { .options = options, .isolate = level, .network = -1 };
	int go_pipe[2], report_pipe[2], console_pipe[2];
	char text[8];
	long pid;

	if (pipe2(go_pipe, O_CLOEXEC) < 0 || pipe2(report_pipe, O_CLOEXEC) < 0 ||
	    pipe2(console_pipe, O_CLOEXEC) < 0)
		die("cannot make a pipe: %s", strerror(errno));
	child.network = network_of(options);
	child.go = go_pipe[0];
	child.report = report_pipe[1];
	child.console = console_pipe[1];
	/* like fork(2), with namespaces */
	pid = syscall(SYS_clone, clone_flags(level), NULL, NULL, NULL, NULL);
	if (pid == 0) {
		close(go_pipe[1]);
		run(&child);
	}
	close(go_pipe[0]);
	close(report_pipe[1]);
	close(console_pipe[1]);
	if (child.network >= 0)
		close(child.network);
	if (pid < 0) {
		int error = errno;

		close(go_pipe[1]);
		close(report_pipe[0]);
		close(console_pipe[0]);
		if (level == 0)
			die("cannot fork: %s", strerror(error));
		return false;
	}
	go = go_pipe[1];
	report = report_pipe[0];
	*kernel =
		(struct kernel){ .pid = (pid_t)pid, .console = console_pipe[0], .isolated = level };
	clock_gettime(CLOCK_REALTIME, &kernel->since);
	if (listen_to_child(text, sizeof(text)) != 1 || text[0] != READY)
		die("its process ended at once");
	return true;
}

static bool program_is_allowed_to_isolate(unsigned level);

void kernel_start(struct kernel *kernel, const struct options *options)
{
	for (size_t i = options->isolate ? 0 : sizeof(levels) / sizeof(levels[0]) - 1;; i++) {
		if (levels[i] && !program_is_allowed_to_isolate(levels[i]))
			continue;
		if (!start_isolated(kernel, options, levels[i]))
			continue;
		if (levels[i] && geteuid() != 0)
			map_user(kernel->pid);
		break;
	}
	for (size_t i = 0; i < options->cgroup_count; i++) {
		char path[4096], pid[16];

		snprintf(path, sizeof(path), "%s/cgroup.procs", options->cgroups[i]);
		snprintf(pid, sizeof(pid), "%d", kernel->pid);
		put(path, pid);
	}
}

/*
 * Having the namespaces does not mean that mounting in them is allowed: a child tries, and only
 * then is the kernel started so.
 */
static bool program_is_allowed_to_isolate(unsigned level)
{
	static char *true_program[] = { "true", NULL };
	const struct options nothing = { .program = true_program };
	struct child child = { .options = &nothing, .isolate = level, .network = -1 };
	int report_pipe[2], go_pipe[2], status;
	char byte;
	long pid;

	if (pipe2(report_pipe, O_CLOEXEC) < 0 || pipe2(go_pipe, O_CLOEXEC) < 0)
		die("cannot make a pipe: %s", strerror(errno));
	child.report = report_pipe[1];
	pid = syscall(SYS_clone, clone_flags(level), NULL, NULL, NULL, NULL);
	if (pid == 0) {
		close(go_pipe[1]);
		if (read(go_pipe[0], &byte, 1) != 1)
			_exit(127);
		isolate(&child);
		_exit(0);
	}
	close(report_pipe[0]);
	close(report_pipe[1]);
	close(go_pipe[0]);
	if (pid > 0) {
		if (geteuid() != 0)
			map_user((pid_t)pid);
		if (write(go_pipe[1], "g", 1) != 1)
			errno = 0;
	}
	close(go_pipe[1]);
	return pid > 0 && waitpid((pid_t)pid, &status, 0) == pid && status == 0;
}

void kernel_release(struct kernel *kernel)
{
	char text[512];

	if (write(go, "g", 1) != 1 || listen_to_child(text, sizeof(text)) > 0) {
		waitpid(kernel->pid, NULL, 0);
		die("cannot start %s", text);
	}
	close(go);
	close(report);
}
