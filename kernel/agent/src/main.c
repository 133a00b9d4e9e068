// SPDX-License-Identifier: Apache-2.0
/*
 * kmorph-agent: the endpoint of the Kernel Morphing Protocol inside an instance. One process, one
 * loop around epoll; whatever could block is done by a child.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "morph.h"

/* How long its workload may take to end when the agent itself is told to. */
#define STOP_GRACE (10 * SECOND)

/* How often the agent looks for trouble of its own accord. */
#define LOOK (SECOND)

static const char usage[] =
	"usage: kmorph-agent --instance=ID --listen=ADDRESS [OPTION...] [-- COMMAND ARGUMENT...]\n"
	"\n"
	"Answers kmorphd inside an instance, and runs COMMAND there. As process 1 without arguments it\n"
	"takes kmorph.instance=, kmorph.hold= and kmorph.workload= from the kernel command line.\n"
	"Example: kmorph-agent --instance=1 --listen=unix:/run/agent.sock --state=/tmp -- sleep 60\n"
	"\n"
	"  --instance=ID          the instance's id\n"
	"  --listen=ADDRESS       unix:PATH or vsock:PORT\n"
	"  --hold                 do not start COMMAND before being told to\n"
	"  --state=DIR            where the small synced write is measured\n"
	"  --supervise            start it again when it dies; COMMAND goes on meanwhile\n"
	"  --local                this process stands for a kernel, and shares one\n"
	"  --kernel-release=TEXT  of a local agent: what its kernel image names\n"
	"  --cgroup=DIR           the control group that bounds the instance; may be repeated\n"
	"  --version\n";

#ifndef KMORPH_VERSION
#error "KMORPH_VERSION comes from the Makefile"
#endif

struct options options;

static int loop = -1;
static bool stopping;

void say(const char *format, ...)
{
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	dprintf(STDERR_FILENO, "kmorph-agent: %s\n", text);
}

void die(const char *format, ...)
{
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	say("%s", text);
	if (options.init && !supervise_inherit())
		init_power_off();
	exit(1);
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

uint64_t boot_ns(void)
{
	return clock_ns(CLOCK_BOOTTIME);
}

uint64_t now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

static void control(int operation, struct watch *watch, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = watch };

	if (epoll_ctl(loop, operation, watch->fd, &event) < 0)
		die("epoll_ctl: %s", strerror(errno));
}

void watch_add(struct watch *watch, uint32_t events)
{
	control(EPOLL_CTL_ADD, watch, events);
}

void watch_change(struct watch *watch, uint32_t events)
{
	control(EPOLL_CTL_MOD, watch, events);
}

void watch_close(struct watch *watch)
{
	/* taken out by hand: a child that has not executed its program yet may share the descriptor
	 */
	epoll_ctl(loop, EPOLL_CTL_DEL, watch->fd, NULL);
	close(watch->fd);
	watch->fd = -1;
}

static void parse(int argc, char **argv)
{
	static const struct option known[] = {
		{ "instance", required_argument, NULL, 'i' },
		{ "listen", required_argument, NULL, 'l' },
		{ "hold", no_argument, NULL, 'h' },
		{ "state", required_argument, NULL, 's' },
		{ "supervise", no_argument, NULL, 'S' },
		{ "local", no_argument, NULL, 'L' },
		{ "kernel-release", required_argument, NULL, 'k' },
		{ "cgroup", required_argument, NULL, 'g' },
		{ "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'H' },
		{ NULL, 0, NULL, 0 },
	};
	bool named = false;
	char *end;
	int option;

	while ((option = getopt_long(argc, argv, "+", known, NULL)) != -1) {
		switch (option) {
		case 'i':
			options.instance = (uint32_t)strtoul(optarg, &end, 10);
			named = end != optarg && *end == 0;
			break;
		case 'l':
			options.listen = optarg;
			break;
		case 'h':
			options.hold = true;
			break;
		case 's':
			options.state = optarg;
			break;
		case 'S':
			options.supervise = true;
			break;
		case 'L':
			options.local = true;
			break;
		case 'k':
			options.kernel_release = optarg;
			break;
		case 'g':
			if (options.cgroup_count < MAX_CGROUPS)
				options.cgroups[options.cgroup_count++] = optarg;
			break;
		case 'v':
			puts("kmorph-agent " KMORPH_VERSION);
			exit(0);
		case 'H':
			fputs(usage, stdout);
			exit(0);
		default:
			fputs(usage, stderr);
			exit(2);
		}
	}
	/* a local agent is its kernel: when it dies, that has died */
	if (!named || !options.listen || (options.local && options.supervise)) {
		fputs(usage, stderr);
		exit(2);
	}
	options.workload = argv + optind;
}

static void reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (writer_reaped(pid) || checks_reaped(pid, status))
			continue;
		if (workload_reaped(pid, status))
			trouble_tick();
	}
	if (workload_taken_over_has_ended())
		trouble_tick();
}

static void stop(void)
{
	if (stopping)
		return;
	stopping = true;
	workload_stop(STOP_GRACE);
}

static void signalled(struct watch *watch, uint32_t events)
{
	struct signalfd_siginfo info;

	(void)events;
	while (read(watch->fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
			stop();
	}
	reap();
}

static struct watch signals = { .ready = signalled };

static void catch_signals(void)
{
	sigset_t caught;

	sigemptyset(&caught);
	sigaddset(&caught, SIGCHLD);
	sigaddset(&caught, SIGTERM);
	if (options.init)
		sigaddset(&caught, SIGINT); /* Ctrl-Alt-Del */
	sigprocmask(SIG_BLOCK, &caught, NULL);
	signal(SIGPIPE, SIG_IGN);
	signals.fd = signalfd(-1, &caught, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signals.fd < 0)
		die("signalfd: %s", strerror(errno));
	watch_add(&signals, EPOLLIN);
}

enum kmp_agent_state agent_state(void)
{
	if (stopping)
		return KMP_AGENT_STOPPING;
	if (morph_busy())
		return KMP_AGENT_MORPHING;
	return trouble ? KMP_AGENT_DEGRADED : KMP_AGENT_READY;
}

/* How long epoll may wait: until the first of what is due. */
static int patience_ms(uint64_t look_at)
{
	uint64_t now = now_ns();
	uint64_t left = look_at > now ? look_at - now : 0;
	uint64_t other = workload_tick();

	if (other < left)
		left = other;
	other = connections_tick();
	if (other < left)
		left = other;
	other = morph_tick();
	if (other < left)
		left = other;
	other = share_tick();
	if (other < left)
		left = other;
	other = urgency_tick();
	if (other < left)
		left = other;
	return (int)((left + MS - 1) / MS);
}

static void run(void)
{
	struct epoll_event events[32];
	uint64_t look_at = now_ns() + LOOK;

	while (!stopping || !workload_is_over()) {
		int count = epoll_wait(loop, events, 32, patience_ms(look_at));

		for (int i = 0; i < count; i++) {
			struct watch *watch = events[i].data.ptr;

			/* closed by what was done for an earlier event of this round */
			if (watch->fd >= 0)
				watch->ready(watch, events[i].events);
		}
		if (now_ns() >= look_at) {
			look_at = now_ns() + LOOK;
			trouble_tick();
			survivor_tick();
		}
	}
}

int main(int argc, char **argv)
{
	static char *no_workload[] = { NULL };
	struct rlimit files;

	options.workload = no_workload;
	if (argc == 1 && getpid() == 1)
		init_setup();
	else
		parse(argc, argv);
	if (options.supervise)
		supervise();
	workload_inherit();
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	urgency_open();
	/* the descriptors that a workload gives to be carried */
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur =
			files.rlim_max < 2 * MAX_CARRIED ? files.rlim_max : 2 * MAX_CARRIED;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	loop = epoll_create1(EPOLL_CLOEXEC);
	if (loop < 0)
		die("epoll_create1: %s", strerror(errno));
	catch_signals();
	figures_open();
	writer_open();
	connections_listen();
	workload_open();
	run();
	if (options.init)
		init_power_off();
	return 0;
}
