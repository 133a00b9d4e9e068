// SPDX-License-Identifier: Apache-2.0
/*
 * farm DIRECTORY COUNT: so many agents in one process, each behind a Unix socket DIRECTORY/ID.sock, ID from 1. They answer
 * heartbeats with frames as docs/kmp.md has them, with figures that are made up, and nothing else.
 *
 * Lines on standard input make trouble; each is answered by one on standard output:
 *   stall ID MS   is silent until MS milliseconds after its last answer, then answers all that waits
 *   hang ID       never answers again; its socket takes connections as before
 *   kill ID       closes what it has, as the end of a process does
 * The answer repeats the line, followed by the wall clock in nanoseconds at which it was done. When a stall is over, "stalled ID
 * MICROSECONDS NANOSECONDS" tells how long the silence truly was, which on a busy machine is longer, and the wall clock of its end;
 * "late 0 MICROSECONDS NANOSECONDS" tells that the farm as a whole got no processor for so long.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"

#define MAX_WAITING 64
#define MAX_PEERS 4
#define NEVER UINT64_MAX
#define TURN_MS 20 /* it looks around so often */
#define LATE_MS 10
#define RESPONSE (KMP_HEADER_LEN + sizeof(struct kmp_heartbeat_rsp))

/* One connection to an agent; fd is -1 where there is none. */
struct peer {
	int fd;
	size_t have;
	uint8_t in[1024];
};

/* One agent. A probe of its daemon connects beside the connection that heartbeats come over. */
struct agent {
	uint32_t id;
	int listener;
	struct peer peers[MAX_PEERS];
	uint64_t last_answer_ns, silent_until_ns;
	size_t waiting;
	struct {
		struct peer *peer;
		uint32_t sequence;
	} requests[MAX_WAITING];
};

static struct agent *agents;
static size_t agent_count;
static const char *directory;
static int loop;

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

static void fail(const char *what)
{
	fprintf(stderr, "farm: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* slot 0 is the listener, the others are peers */
static void watch_fd(int fd, struct agent *agent, uint64_t slot)
{
	struct epoll_event event = { .events = EPOLLIN,
				     .data.u64 = (uint64_t)(agent - agents) | slot << 32 };

	if (epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event) < 0)
		fail("epoll_ctl");
}

static void address_of(const struct agent *agent, struct sockaddr_un *address)
{
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	if ((size_t)snprintf(address->sun_path, sizeof(address->sun_path), "%s/%u.sock", directory,
			     agent->id) >= sizeof(address->sun_path)) {
		errno = ENAMETOOLONG;
		fail(directory);
	}
}

static void open_agent(struct agent *agent, uint32_t id)
{
	struct sockaddr_un address;

	agent->id = id;
	for (size_t i = 0; i < MAX_PEERS; i++)
		agent->peers[i].fd = -1;
	address_of(agent, &address);
	agent->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (agent->listener < 0 ||
	    bind(agent->listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(agent->listener, 64) < 0)
		fail(address.sun_path);
	watch_fd(agent->listener, agent, 0);
}

static void hang_up(struct peer *peer)
{
	if (peer->fd >= 0)
		close(peer->fd);
	peer->fd = -1;
	peer->have = 0;
}

static void send_answer(struct agent *agent, struct peer *peer, uint32_t sequence)
{
	uint64_t now = clock_ns(CLOCK_BOOTTIME);
	uint8_t frame[RESPONSE];
	struct kmp_heartbeat_rsp rsp = {
		.instance_id = agent->id,
		.agent_state = KMP_AGENT_READY,
		.cpu_count = 1,
		.boot_id = agent->id,
		.uptime_ms = now / MS,
		.memory_total_bytes = 1u << 30,
		.memory_available_bytes = 1u << 29,
		.cpu_use = (uint32_t)(now / MS % 10000),
		.load1 = 50,
		.io_us = 100,
	};

	memcpy(frame + KMP_HEADER_LEN, &rsp, sizeof(rsp));
	frame_seal(frame, KMP_HEARTBEAT_RSP, sequence, sizeof(rsp), now);
	if (write(peer->fd, frame, sizeof(frame)) != (ssize_t)sizeof(frame))
		hang_up(peer);
	agent->last_answer_ns = clock_ns(CLOCK_MONOTONIC);
}

static void answer_waiting(struct agent *agent)
{
	size_t waiting = agent->waiting;
	uint64_t began = agent->last_answer_ns;

	if (!waiting) {
		/* nobody was made to wait yet: the silence lasts until the next heartbeat is answered */
		agent->silent_until_ns = clock_ns(CLOCK_MONOTONIC) + MS;
		return;
	}
	agent->silent_until_ns = 0;
	agent->waiting = 0;
	for (size_t i = 0; i < waiting; i++)
		if (agent->requests[i].peer->fd >= 0)
			send_answer(agent, agent->requests[i].peer, agent->requests[i].sequence);
	printf("stalled %u %llu %llu\n", agent->id, (unsigned long long)(clock_ns(CLOCK_MONOTONIC) - began) / 1000,
	       (unsigned long long)clock_ns(CLOCK_REALTIME));
	fflush(stdout);
}

static void take_frames(struct agent *agent, struct peer *peer)
{
	struct frame frame;
	size_t at = 0;

	while (peer->fd >= 0) {
		enum frame_state state = frame_parse(peer->in + at, peer->have - at, &frame);

		if (state == FRAME_MORE)
			break;
		if (state != FRAME_WHOLE) {
			fprintf(stderr, "farm: agent %u was sent a bad frame (%d)\n", agent->id, state);
			hang_up(peer);
			return;
		}
		at += KMP_HEADER_LEN + frame.header.payload_len;
		if (frame.header.msg_type != KMP_HEARTBEAT_REQ)
			continue;
		if (!agent->silent_until_ns) {
			send_answer(agent, peer, frame.header.sequence);
		} else if (agent->waiting < MAX_WAITING) {
			agent->requests[agent->waiting].peer = peer;
			agent->requests[agent->waiting++].sequence = frame.header.sequence;
		}
	}
	if (peer->fd < 0)
		return;
	peer->have -= at;
	memmove(peer->in, peer->in + at, peer->have);
}

static void peer_ready(struct agent *agent, struct peer *peer)
{
	ssize_t n = read(peer->fd, peer->in + peer->have, sizeof(peer->in) - peer->have);

	if (n <= 0) {
		if (n == 0 || errno != EAGAIN)
			hang_up(peer);
		return;
	}
	peer->have += (size_t)n;
	take_frames(agent, peer);
}

static void listener_ready(struct agent *agent)
{
	int fd;

	if (agent->silent_until_ns == NEVER) {
		/* as a stopped process: the kernel takes connections for it until its queue is full */
		epoll_ctl(loop, EPOLL_CTL_DEL, agent->listener, NULL);
		return;
	}
	fd = accept4(agent->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	for (size_t i = 0; fd >= 0 && i < MAX_PEERS; i++) {
		if (agent->peers[i].fd < 0) {
			agent->peers[i].fd = fd;
			watch_fd(fd, agent, i + 1);
			return;
		}
	}
	if (fd >= 0)
		close(fd);
}

static void kill_agent(struct agent *agent)
{
	struct sockaddr_un address;

	address_of(agent, &address);
	unlink(address.sun_path);
	close(agent->listener);
	agent->listener = -1;
	for (size_t i = 0; i < MAX_PEERS; i++)
		hang_up(&agent->peers[i]);
}

static void command(char *line)
{
	char word[16];
	unsigned id, ms = 0;

	line[strcspn(line, "\n")] = 0;
	if (sscanf(line, "%15s %u %u", word, &id, &ms) < 2 || id < 1 || id > agent_count) {
		fprintf(stderr, "farm: \"%s\" is no command\n", line);
		exit(2);
	}
	struct agent *agent = &agents[id - 1];

	if (!strcmp(word, "stall"))
		agent->silent_until_ns = agent->last_answer_ns + ms * MS;
	else if (!strcmp(word, "hang"))
		agent->silent_until_ns = NEVER;
	else
		kill_agent(agent);
	printf("%s %llu\n", line, (unsigned long long)clock_ns(CLOCK_REALTIME));
	fflush(stdout);
}

/* False at the end of input. */
static bool commands_ready(void)
{
	static char text[65536];
	static size_t have;
	ssize_t n = read(0, text + have, sizeof(text) - have - 1);

	if (n <= 0)
		return false;
	have += (size_t)n;
	text[have] = 0;
	for (char *end; (end = strchr(text, '\n'));) {
		size_t length = (size_t)(end - text) + 1;

		command(text);
		have -= length;
		memmove(text, text + length, have + 1);
	}
	return true;
}

/* Notices that this process did not run though it wanted to. */
static void notice_lateness(void)
{
	static uint64_t before;
	uint64_t now = clock_ns(CLOCK_MONOTONIC);

	if (before && now - before > (TURN_MS + LATE_MS) * MS) {
		printf("late 0 %llu %llu\n", (unsigned long long)(now - before) / 1000 - TURN_MS * 1000,
		       (unsigned long long)clock_ns(CLOCK_REALTIME));
		fflush(stdout);
	}
	before = now;
}

/* Wakes those whose silence is over. How long until the next one is, in milliseconds, or until a turn is over. */
static int end_silences(void)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC), next = NEVER;

	for (size_t i = 0; i < agent_count; i++) {
		uint64_t until = agents[i].silent_until_ns;

		if (until && until <= now)
			answer_waiting(&agents[i]);
		else if (until && until < next)
			next = until;
	}
	return next - now > TURN_MS * MS ? TURN_MS : (int)((next - now) / MS) + 1;
}

int main(int argc, char **argv)
{
	struct epoll_event events[256], input = { .events = EPOLLIN, .data.u64 = UINT64_MAX };
	struct rlimit files;

	if (argc != 3)
		return fprintf(stderr, "usage: farm DIRECTORY COUNT\n"), 2;
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	directory = argv[1];
	agent_count = strtoul(argv[2], NULL, 10);
	agents = calloc(agent_count, sizeof(*agents));
	loop = epoll_create1(EPOLL_CLOEXEC);
	if (!agents || loop < 0 || epoll_ctl(loop, EPOLL_CTL_ADD, 0, &input) < 0)
		fail("start");
	for (size_t i = 0; i < agent_count; i++)
		open_agent(&agents[i], (uint32_t)i + 1);
	printf("ready\n");
	fflush(stdout);
	for (;;) {
		int count = epoll_wait(loop, events, 256, end_silences());

		notice_lateness();

		for (int i = 0; i < count; i++) {
			uint64_t which = events[i].data.u64;

			if (which == UINT64_MAX) {
				if (!commands_ready())
					return 0;
				continue;
			}
			struct agent *agent = &agents[(uint32_t)which];
			size_t slot = which >> 32;

			if (slot && agent->peers[slot - 1].fd >= 0)
				peer_ready(agent, &agent->peers[slot - 1]);
			else if (!slot && agent->listener >= 0)
				listener_ready(agent);
		}
	}
}
