// SPDX-License-Identifier: Apache-2.0
/*
 * kmorph-kv-client: load on kmorph-kv that checks every answer. Each connection has slots of its
 * own and knows what must be in them; a lost write or a wrong value cannot pass.
 *
 *   kmorph-kv-client --connect=ADDRESS:PORT [--connections=N] [--rate=HZ] [--seconds=N]
 * [--every=SECONDS]
 *                    [--real-time]
 *
 * The rate is of each connection. Prints one line of JSON at the end, and one for each line that it
 * reads from standard input, or --every so many seconds, about the time since the last; "quit" ends
 * it. gap_us is the longest time between two answers on any connections; hand_over_us the longest
 * between the last answer of one kernel and the first of the next, 0 when all came from one;
 * wait_us the longest that one request waited. With --real-time what it measures is not its own
 * wait for a processor, as a client's on another machine would not be.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "kv.h"

#define SLOTS                                                                                      \
	8u /* of each connection, on pages of their own: for 1,024 of them 64 MiB are enough */
#define PAGE_SLOTS 512u

/* For a server to begin to listen. */
#define PATIENCE_NS 10000000000ull

struct connection {
	int fd;
	bool waiting, closed;
	uint64_t sent_at, due, number;
	struct kv_request request;
	uint64_t expected, values[SLOTS];
	uint8_t in[sizeof(struct kv_answer)];
	size_t in_length;
};

static struct {
	uint64_t answers, lost, gap, hand_over, wait, last, since, served, lives;
} sums;
static uint64_t wrong, closed;
static struct connection *connections;
static uint32_t count = 10;
static int epoll;

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static void report(void)
{
	uint64_t now = now_ns(), silence = now - sums.last;

	/* a silence that lasts is a gap too */
	if (silence > sums.gap)
		sums.gap = silence;
	for (uint32_t i = 0; i < count; i++)
		if (connections[i].waiting && now - connections[i].sent_at > sums.wait)
			sums.wait = now - connections[i].sent_at;
	printf("{\"answers\":%llu,\"wrong\":%llu,\"lost\":%llu,\"closed\":%llu,\"gap_us\":%.1f,"
	       "\"hand_over_us\":%.1f,\"wait_us\":%.1f,\"seconds\":%.3f,\"served\":%llu}\n",
	       (unsigned long long)sums.answers, (unsigned long long)wrong,
	       (unsigned long long)sums.lost, (unsigned long long)closed, (double)sums.gap / 1e3,
	       (double)sums.hand_over / 1e3, (double)sums.wait / 1e3,
	       (double)(now - sums.since) / 1e9, (unsigned long long)sums.served);
	fflush(stdout);
	sums.answers = sums.gap = sums.hand_over = sums.wait = 0;
	sums.since = now;
}

static void send_request(struct connection *c, uint32_t index, uint64_t now)
{
	uint32_t slot = (uint32_t)(c->number % SLOTS);

	c->number++;
	c->request.id = (uint64_t)index << 32 | (c->number & 0xffffffff);
	c->request.slot = (index * SLOTS + slot) * PAGE_SLOTS + index % PAGE_SLOTS;
	c->request.operation = c->number % 3 == 0 ? KV_SET : KV_ADD;
	c->request.value = c->number;
	if (c->request.operation == KV_SET) {
		c->expected = c->values[slot];
		c->values[slot] = c->request.value;
	} else {
		c->values[slot] += c->request.value;
		c->expected = c->values[slot];
	}
	c->sent_at = now;
	c->waiting = true;
	if (send(c->fd, &c->request, sizeof(c->request), MSG_NOSIGNAL) !=
	    (ssize_t)sizeof(c->request)) {
		c->closed = true;
		closed++;
	}
}

static void hear(struct connection *c)
{
	struct kv_answer answer;
	uint64_t now;
	ssize_t got = recv(c->fd, c->in + c->in_length, sizeof(c->in) - c->in_length, 0);

	if (got < 0 && errno == EAGAIN)
		return;
	if (got <= 0) {
		if (!c->closed)
			closed++;
		c->closed = true;
		epoll_ctl(epoll, EPOLL_CTL_DEL, c->fd, NULL);
		return;
	}
	c->in_length += (size_t)got;
	if (c->in_length < sizeof(c->in))
		return;
	c->in_length = 0;
	memcpy(&answer, c->in, sizeof(answer));
	now = now_ns();
	if (!c->waiting || answer.id != c->request.id || answer.value != c->expected)
		wrong++;
	c->waiting = false;
	sums.answers++;
	sums.served = answer.served;
	if (now - sums.last > sums.gap)
		sums.gap = now - sums.last;
	if (now - c->sent_at > sums.wait)
		sums.wait = now - c->sent_at;
	if (sums.lives && answer.lives != sums.lives && now - sums.last > sums.hand_over)
		sums.hand_over = now - sums.last;
	sums.lives = answer.lives;
	sums.last = now;
}

static void connect_all(const char *where)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	const char *colon = strrchr(where, ':');
	uint64_t until = now_ns() + PATIENCE_NS;
	char host[64] = "";
	int on = 1;

	if (!colon || (size_t)(colon - where) >= sizeof(host)) {
		fprintf(stderr, "kmorph-kv-client: \"%s\" is no ADDRESS:PORT\n", where);
		exit(2);
	}
	memcpy(host, where, (size_t)(colon - where));
	address.sin_port = htons((uint16_t)atoi(colon + 1));
	if (inet_pton(AF_INET, host, &address.sin_addr) != 1)
		exit(2);
	for (uint32_t i = 0; i < count; i++) {
		struct epoll_event event = { .events = EPOLLIN, .data.u32 = i };
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		/* a server that is filling its table does not listen yet */
		while (i == 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 &&
		       errno == ECONNREFUSED && now_ns() < until) {
			struct timespec pause = { .tv_nsec = 10000000 };

			nanosleep(&pause, NULL);
		}
		if (fd < 0 || (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 &&
			       errno != EISCONN)) {
			fprintf(stderr, "kmorph-kv-client: %s: %s\n", where, strerror(errno));
			exit(1);
		}
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		fcntl(fd, F_SETFL, O_NONBLOCK);
		connections[i].fd = fd;
		epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
	}
}

/* Returns false when it is to end. */
static bool hear_master(void)
{
	char line[64];
	ssize_t got = read(STDIN_FILENO, line, sizeof(line) - 1);

	if (got <= 0)
		return false;
	line[got] = 0;
	if (strstr(line, "quit"))
		return false;
	report();
	return true;
}

static void be_real_time(void)
{
	struct sched_param priority = { .sched_priority = 10 };

	if (sched_setscheduler(0, SCHED_FIFO, &priority) < 0) {
		fprintf(stderr, "kmorph-kv-client: --real-time: %s\n", strerror(errno));
		exit(1);
	}
}

int main(int argc, char **argv)
{
	const char *where = NULL;
	double rate = 1000, seconds = 0;
	struct rlimit files = { 8192, 8192 };
	struct epoll_event master = { .events = EPOLLIN, .data.u32 = UINT32_MAX };
	uint64_t period, end, start, every = 0;
	bool going = true;

	for (int i = 1; i < argc; i++) {
		if (strncmp(argv[i], "--connect=", 10) == 0)
			where = argv[i] + 10;
		else if (strncmp(argv[i], "--connections=", 14) == 0)
			count = (uint32_t)strtoul(argv[i] + 14, NULL, 10);
		else if (strncmp(argv[i], "--rate=", 7) == 0)
			rate = strtod(argv[i] + 7, NULL);
		else if (strncmp(argv[i], "--seconds=", 10) == 0)
			seconds = strtod(argv[i] + 10, NULL);
		else if (strncmp(argv[i], "--every=", 8) == 0)
			every = (uint64_t)(strtod(argv[i] + 8, NULL) * 1e9);
		else if (strcmp(argv[i], "--real-time") == 0)
			be_real_time();
		else
			count = 0;
	}
	if (!where || count == 0 || count > 4000 || rate <= 0) {
		fputs("usage: kmorph-kv-client --connect=ADDRESS:PORT [--connections=N]"
		      " [--rate=HZ] [--seconds=N] [--every=SECONDS] [--real-time]\n",
		      stderr);
		return 2;
	}
	setrlimit(RLIMIT_NOFILE, &files);
	connections = calloc(count, sizeof(*connections));
	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!connections || epoll < 0)
		return 1;
	connect_all(where);
	if (seconds <= 0)
		epoll_ctl(epoll, EPOLL_CTL_ADD, STDIN_FILENO, &master);
	period = (uint64_t)(1e9 / rate);
	start = now_ns();
	end = seconds > 0 ? start + (uint64_t)(seconds * 1e9) : UINT64_MAX;
	sums.last = sums.since = start;
	/* spread over the period, so that answers come evenly */
	for (uint32_t i = 0; i < count; i++)
		connections[i].due = start + period * i / count;
	while (going && now_ns() < end) {
		struct epoll_event events[256];
		uint64_t now = now_ns(), next = now + 100000000;
		struct timespec patience;
		int got;

		for (uint32_t i = 0; i < count; i++) {
			struct connection *c = &connections[i];

			if (c->closed || c->waiting)
				continue;
			if (c->due <= now) {
				send_request(c, i, now);
				c->due += period;
				if (c->due < now)
					c->due = now + period;
			} else if (c->due < next) {
				next = c->due;
			}
		}
		now = now_ns();
		if (every > 0 && now - sums.since >= every)
			report();
		patience = (struct timespec){ .tv_nsec = next > now ? (long)(next - now) : 0 };
		got = epoll_pwait2(epoll, events, 256, &patience, NULL);
		for (int i = 0; i < got; i++) {
			if (events[i].data.u32 == UINT32_MAX)
				going = hear_master() && going;
			else
				hear(&connections[events[i].data.u32]);
		}
	}
	/* every request must have its answer: those on their way get a second */
	end = now_ns() + 1000000000ull;
	for (uint32_t i = 0; i < count; i++) {
		while (connections[i].waiting && !connections[i].closed && now_ns() < end)
			hear(&connections[i]);
		sums.lost += connections[i].waiting;
	}
	report();
	return wrong || closed || sums.lost ? 1 : 0;
}
