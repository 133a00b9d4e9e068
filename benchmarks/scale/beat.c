// SPDX-License-Identifier: Apache-2.0
/*
 * beat DIRECTORY COUNT INTERVAL_MS DEADLINE_MS: the peer of the scale benchmark. What the daemon's monitor does at the least, as a
 * plain epoll loop: a connection to each agent of a farm, a heartbeat over each in every interval, answers checked (checksum, sequence,
 * instance), round trips kept, silences judged against the deadline. Ends at the end of its input and prints what it did.
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

/* As the daemon's: what is due within so much is done at once. */
#define GRAIN_MS 2

struct peer {
	int fd;
	uint32_t sequence;
	bool overdue;
	uint64_t due_ns, sent_ns, heard_ns, round_trip_ns;
	size_t have;
	uint8_t in[1024];
};

static struct peer *peers;
static size_t peer_count;
static uint64_t sent, heard, overdue;

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

static void fail(const char *what)
{
	fprintf(stderr, "beat: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void open_peer(struct peer *peer, const char *directory, size_t number)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/%zu.sock", directory, number);
	peer->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (peer->fd < 0 || connect(peer->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		fail(address.sun_path);
}

static void beat(struct peer *peer, uint64_t now)
{
	uint8_t frame[KMP_HEADER_LEN + sizeof(struct kmp_heartbeat_req)] = { 0 };

	frame_seal(frame, KMP_HEARTBEAT_REQ, ++peer->sequence, sizeof(struct kmp_heartbeat_req),
		   clock_ns(CLOCK_BOOTTIME));
	peer->sent_ns = now;
	if (write(peer->fd, frame, sizeof(frame)) != (ssize_t)sizeof(frame))
		fail("write");
	sent++;
}

static void take(struct peer *peer, const struct frame *frame)
{
	struct kmp_heartbeat_rsp rsp;
	uint64_t now = clock_ns(CLOCK_MONOTONIC);

	if (frame->header.msg_type != KMP_HEARTBEAT_RSP ||
	    frame->header.payload_len < sizeof(rsp))
		return;
	memcpy(&rsp, frame->payload, sizeof(rsp));
	if (rsp.instance_id != (uint32_t)(peer - peers) + 1) {
		fprintf(stderr, "beat: agent %td says that it is %u\n", peer - peers + 1, rsp.instance_id);
		exit(1);
	}
	if (frame->header.sequence == peer->sequence)
		peer->round_trip_ns = now - peer->sent_ns;
	peer->heard_ns = now;
	peer->overdue = false;
	heard++;
}

static void ready(struct peer *peer)
{
	struct frame frame;
	size_t at = 0;
	ssize_t n = read(peer->fd, peer->in + peer->have, sizeof(peer->in) - peer->have);

	if (n <= 0)
		fail("read");
	peer->have += (size_t)n;
	for (;;) {
		enum frame_state state = frame_parse(peer->in + at, peer->have - at, &frame);

		if (state == FRAME_MORE)
			break;
		if (state != FRAME_WHOLE)
			fail("a bad frame");
		at += KMP_HEADER_LEN + frame.header.payload_len;
		take(peer, &frame);
	}
	peer->have -= at;
	memmove(peer->in, peer->in + at, peer->have);
}

/* Their intervals are alike, so they are due in turn. */
static int tick(uint64_t interval_ns, uint64_t deadline_ns)
{
	static size_t next;
	uint64_t now = clock_ns(CLOCK_MONOTONIC);

	while (peers[next].due_ns <= now) {
		struct peer *peer = &peers[next];

		if (!peer->overdue && now - peer->heard_ns > deadline_ns) {
			peer->overdue = true;
			overdue++;
		}
		beat(peer, now);
		peer->due_ns += interval_ns;
		next = (next + 1) % peer_count;
	}
	uint64_t wait = (peers[next].due_ns - now) / MS;

	return wait < GRAIN_MS ? GRAIN_MS : (int)wait;
}

int main(int argc, char **argv)
{
	struct epoll_event events[256], input = { .events = EPOLLIN, .data.ptr = NULL };
	struct rlimit files;
	int loop = epoll_create1(EPOLL_CLOEXEC);

	if (argc != 5)
		return fprintf(stderr, "usage: beat DIRECTORY COUNT INTERVAL_MS DEADLINE_MS\n"), 2;
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	peer_count = strtoul(argv[2], NULL, 10);
	uint64_t interval_ns = strtoul(argv[3], NULL, 10) * MS;
	uint64_t deadline_ns = strtoul(argv[4], NULL, 10) * MS;
	uint64_t begun = clock_ns(CLOCK_MONOTONIC);

	peers = calloc(peer_count, sizeof(*peers));
	if (!peers || loop < 0 || epoll_ctl(loop, EPOLL_CTL_ADD, 0, &input) < 0)
		fail("start");
	for (size_t i = 0; i < peer_count; i++) {
		struct epoll_event event = { .events = EPOLLIN, .data.ptr = &peers[i] };

		open_peer(&peers[i], argv[1], i + 1);
		peers[i].heard_ns = begun;
		peers[i].due_ns = begun + interval_ns * i / peer_count;
		if (epoll_ctl(loop, EPOLL_CTL_ADD, peers[i].fd, &event) < 0)
			fail("epoll_ctl");
	}
	for (;;) {
		int count = epoll_wait(loop, events, 256, tick(interval_ns, deadline_ns));

		for (int i = 0; i < count; i++) {
			if (!events[i].data.ptr)
				return printf("%llu %llu %llu\n", (unsigned long long)sent,
					      (unsigned long long)heard,
					      (unsigned long long)overdue) < 0;
			ready(events[i].data.ptr);
		}
	}
}
