// SPDX-License-Identifier: Apache-2.0
/*
 * kmorph-kv: the reference workload. A key-value and counter server over TCP whose whole state, its
 * table and what it knows of each connection, is in two regions of libkmorph; so it moves to
 * another kernel between two requests, with its connections.
 *
 *   kmorph-kv --listen=ADDRESS:PORT [--state=MIB] [--dirty=PAGES_PER_SECOND] [--log=FILE]
 *             [--check=PROGRAM] [--stumble=FILE]
 *
 * The first successor that finds FILE takes it away and cannot restore its state; where FILE is a
 * named pipe, not before somebody writes to it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "kmorph.h"
#include "kv.h"

#define MAX_CONNECTIONS 4096
#define TAG_LISTENER 1ull
#define TAG_LOG 2ull
#define TAG_TIMER 3ull
#define TAG_CONNECTION 16ull /* and its index */
#define BUFFER 4096u
/* Background writes; they go to the upper half of the table, which clients do not use. */
#define TICK_HZ 100u

struct client {
	uint32_t used;
	uint32_t in_length, out_length;
	uint8_t in[sizeof(struct kv_request)];
	uint8_t out[BUFFER];
};

struct head {
	uint64_t served;
	uint64_t lives; /* kernels that it has run on */
	uint64_t cursor;
	struct client clients[MAX_CONNECTIONS];
};

static struct head *head;
static uint64_t *table;
static uint64_t slots;
static int epoll = -1, listener = -1, log_file = -1;
static int fds[MAX_CONNECTIONS];
static uint64_t dirty_per_tick;
static const char *stumble;

static void fail(const char *what)
{
	fprintf(stderr, "kmorph-kv: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void watch(int operation, int fd, uint32_t events, uint64_t data)
{
	struct epoll_event event = { .events = events, .data.u64 = data };

	if (epoll_ctl(epoll, operation, fd, &event) < 0)
		fail("epoll_ctl");
}

static void drop(uint32_t index)
{
	kmorph_forget(TAG_CONNECTION + index);
	close(fds[index]);
	fds[index] = -1;
	head->clients[index].used = 0;
}

static void welcome(int fd)
{
	uint32_t index = 0;
	int on = 1;

	if (fd < 0)
		return;
	while (index < MAX_CONNECTIONS && head->clients[index].used)
		index++;
	if (index == MAX_CONNECTIONS || kmorph_socket(fd, TAG_CONNECTION + index) < 0) {
		close(fd);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	memset(&head->clients[index], 0, offsetof(struct client, in));
	head->clients[index].used = 1;
	fds[index] = fd;
	watch(EPOLL_CTL_ADD, fd, EPOLLIN, TAG_CONNECTION + index);
}

static void serve(struct client *client)
{
	struct kv_request request;
	struct kv_answer answer;
	uint64_t *slot;

	memcpy(&request, client->in, sizeof(request));
	client->in_length = 0;
	slot = &table[request.slot % (slots / 2)];
	answer.id = request.id;
	answer.value = *slot;
	if (request.operation == KV_SET)
		*slot = request.value;
	else if (request.operation == KV_ADD)
		answer.value = *slot += request.value;
	answer.served = ++head->served;
	answer.lives = head->lives;
	memcpy(client->out + client->out_length, &answer, sizeof(answer));
	client->out_length += (uint32_t)sizeof(answer);
}

/* Returns false when the connection is over. */
static bool flush(uint32_t index)
{
	struct client *client = &head->clients[index];
	ssize_t sent;

	if (client->out_length == 0)
		return true;
	sent = send(fds[index], client->out, client->out_length, MSG_NOSIGNAL);
	if (sent < 0)
		return errno == EAGAIN;
	client->out_length -= (uint32_t)sent;
	memmove(client->out, client->out + sent, client->out_length);
	return true;
}

static void converse(uint32_t index)
{
	struct client *client = &head->clients[index];

	for (;;) {
		ssize_t got;

		if (!flush(index)) {
			drop(index);
			return;
		}
		if (client->out_length + sizeof(struct kv_answer) > BUFFER) {
			watch(EPOLL_CTL_MOD, fds[index], EPOLLOUT, TAG_CONNECTION + index);
			return;
		}
		got = recv(fds[index], client->in + client->in_length,
			   sizeof(client->in) - client->in_length, 0);
		if (got < 0 && errno == EAGAIN) {
			watch(EPOLL_CTL_MOD, fds[index],
			      client->out_length ? EPOLLIN | EPOLLOUT : EPOLLIN,
			      TAG_CONNECTION + index);
			return;
		}
		if (got <= 0) {
			drop(index);
			return;
		}
		client->in_length += (uint32_t)got;
		if (client->in_length == sizeof(client->in))
			serve(client);
	}
}

/* Writes to pages one after the other, so that there is something to be moved again. */
static void make_dirty(int timer)
{
	uint64_t due, page = 4096 / sizeof(*table), half = slots / 2;

	if (read(timer, &due, sizeof(due)) != sizeof(due))
		return;
	for (uint64_t i = 0; i < dirty_per_tick; i++) {
		table[half + head->cursor] ^= head->cursor + 1;
		head->cursor = (head->cursor + page) % half;
	}
}

static void adopt(void *context, uint64_t tag, int fd)
{
	(void)context;
	if (tag == TAG_LISTENER) {
		listener = fd;
	} else if (tag == TAG_LOG) {
		log_file = fd;
		return;
	} else {
		fds[tag - TAG_CONNECTION] = fd;
	}
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	watch(EPOLL_CTL_ADD, fd, EPOLLIN, tag);
}

static void accepted(void *context, uint64_t tag, int fd)
{
	(void)context;
	(void)tag;
	fcntl(fd, F_SETFL, O_NONBLOCK);
	welcome(fd);
}

static ptrdiff_t save(void *context, void *bytes, size_t most)
{
	(void)context;
	(void)most;
	memcpy(bytes, &dirty_per_tick, sizeof(dirty_per_tick));
	return sizeof(dirty_per_tick);
}

static bool stumbles(void)
{
	char taken[4096];

	if (!stumble || snprintf(taken, sizeof(taken), "%s.taken", stumble) >= (int)sizeof(taken) ||
	    rename(stumble, taken) < 0)
		return false;
	close(open(taken, O_RDONLY | O_CLOEXEC));
	return true;
}

static int restore(void *context, const void *bytes, size_t length)
{
	(void)context;
	if (length != sizeof(dirty_per_tick) || stumbles())
		return -1;
	memcpy(&dirty_per_tick, bytes, length);
	return 0;
}

static int health(void *context, char *text, size_t most)
{
	(void)context;
	snprintf(text, most, "%llu slots", (unsigned long long)slots);
	return slots > 0 ? 0 : -1;
}

static void peer(void *context, const struct kmorph_peer *other)
{
	(void)context;
	if (log_file < 0)
		return;
	if (other->event == KMORPH_PEER_FAILED)
		dprintf(log_file, "instance %u %s has failed\n", other->instance, other->name);
	else if (other->event == KMORPH_PEER_GONE)
		dprintf(log_file, "instance %u %s is gone\n", other->instance, other->name);
	else if (other->successor == KMORPH_NOBODY)
		dprintf(log_file, "instance %u has no successor\n", other->instance);
	else
		dprintf(log_file, "instance %u is succeeded by %u %s\n", other->instance,
			other->successor, other->name);
}

static const struct kmorph_callbacks callbacks = {
	.save = save,
	.restore = restore,
	.adopt = adopt,
	.accepted = accepted,
	.health = health,
	.peer = peer,
};

static void listen_at(const char *where)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	char host[64];
	const char *colon = strrchr(where, ':');
	int on = 1;

	if (!colon || (size_t)(colon - where) >= sizeof(host)) {
		fprintf(stderr, "kmorph-kv: \"%s\" is no ADDRESS:PORT\n", where);
		exit(2);
	}
	memcpy(host, where, (size_t)(colon - where));
	host[colon - where] = 0;
	address.sin_port = htons((uint16_t)atoi(colon + 1));
	if (inet_pton(AF_INET, host, &address.sin_addr) != 1) {
		fprintf(stderr, "kmorph-kv: \"%s\" is no IPv4 address\n", host);
		exit(2);
	}
	listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(listener, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(listener, 1024) < 0)
		fail(where);
	if (kmorph_socket(listener, TAG_LISTENER) < 0)
		fail("kmorph_socket");
	watch(EPOLL_CTL_ADD, listener, EPOLLIN, TAG_LISTENER);
}

static void open_log(const char *path)
{
	if (!path)
		return;
	log_file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (log_file < 0 || kmorph_file(log_file, TAG_LOG) < 0)
		fail(path);
}

static void run(int timer)
{
	struct epoll_event events[64];

	for (;;) {
		int count = epoll_wait(epoll, events, 64, -1);

		for (int i = 0; i < count; i++) {
			uint64_t data = events[i].data.u64;

			if (data == TAG_LISTENER)
				welcome(accept4(listener, NULL, NULL,
						SOCK_NONBLOCK | SOCK_CLOEXEC));
			else if (data == TAG_TIMER)
				make_dirty(timer);
			else if (data >= TAG_CONNECTION && fds[data - TAG_CONNECTION] >= 0)
				converse((uint32_t)(data - TAG_CONNECTION));
		}
		/* between two rounds of requests nothing is half done */
		if (kmorph_dispatch() < 0)
			exit(1);
	}
}

int main(int argc, char **argv)
{
	uint64_t mib = 64, dirty = 0;
	const char *where = NULL, *log_path = NULL, *check = NULL;
	struct rlimit files = { MAX_CONNECTIONS + 64, MAX_CONNECTIONS + 64 };
	struct itimerspec period = { .it_interval.tv_nsec = 1000000000 / TICK_HZ,
				     .it_value.tv_nsec = 1000000000 / TICK_HZ };
	int start, timer;

	for (int i = 1; i < argc; i++) {
		if (strncmp(argv[i], "--listen=", 9) == 0)
			where = argv[i] + 9;
		else if (strncmp(argv[i], "--state=", 8) == 0)
			mib = strtoull(argv[i] + 8, NULL, 10);
		else if (strncmp(argv[i], "--dirty=", 8) == 0)
			dirty = strtoull(argv[i] + 8, NULL, 10);
		else if (strncmp(argv[i], "--log=", 6) == 0)
			log_path = argv[i] + 6;
		else if (strncmp(argv[i], "--check=", 8) == 0)
			check = argv[i] + 8;
		else if (strncmp(argv[i], "--stumble=", 10) == 0)
			stumble = argv[i] + 10;
		else
			where = NULL, mib = 0;
	}
	if (!where || mib == 0) {
		fputs("usage: kmorph-kv --listen=ADDRESS:PORT [--state=MIB]"
		      " [--dirty=PAGES_PER_SECOND] [--log=FILE] [--check=PROGRAM]"
		      " [--stumble=FILE]\n",
		      stderr);
		return 2;
	}
	setrlimit(RLIMIT_NOFILE, &files);
	memset(fds, -1, sizeof(fds));
	epoll = epoll_create1(EPOLL_CLOEXEC);
	start = kmorph_open(&callbacks, NULL);
	if (epoll < 0 || start < 0)
		fail("cannot start");
	slots = (mib << 20) / sizeof(*table);
	head = kmorph_region("connections", sizeof(*head));
	table = kmorph_region("table", mib << 20);
	if (!head || !table)
		fail("no memory");
	if (start == KMORPH_FRESH) {
		dirty_per_tick = dirty / TICK_HZ;
		/* contents, so that there is a state to be moved */
		for (uint64_t i = slots / 2; i < slots; i++)
			table[i] = i * 0x9e3779b97f4a7c15ull;
		listen_at(where);
		open_log(log_path);
	}
	if (check && kmorph_check(check) < 0)
		fail(check);
	if (kmorph_begin() < 0)
		fail("cannot begin");
	head->lives++;
	if (log_file >= 0)
		dprintf(log_file, "life %llu, %llu served\n", (unsigned long long)head->lives,
			(unsigned long long)head->served);
	timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	timerfd_settime(timer, 0, &period, NULL);
	watch(EPOLL_CTL_ADD, timer, EPOLLIN, TAG_TIMER);
	if (kmorph_fd() >= 0)
		watch(EPOLL_CTL_ADD, kmorph_fd(), EPOLLIN, 0);
	run(timer);
}
