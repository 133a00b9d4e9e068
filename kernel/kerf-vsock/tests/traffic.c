// SPDX-License-Identifier: Apache-2.0
/*
 * Traffic for the tests and the bench of kerf-vsock, over AF_VSOCK (v CID) or TCP (t ADDRESS):
 *
 *   traffic serve v|t PORT                      serves ping and stream
 *   traffic ping v|t PEER PORT SIZE COUNT       round trips of SIZE bytes: figures in microseconds
 *   traffic stream v|t PEER PORT SIZE MS        writes of SIZE bytes for MS milliseconds; the server checks
 *                                               every byte and says how many came
 *   traffic hammer v PEER PORT                  streams for ever; prints how each connection ended
 *
 * The first 12 bytes of a connection say what it is: 'P' or 'S' and the size. A stream's bytes are a
 * function of their position, so that a lost, doubled or misplaced one is seen.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define LARGEST (1u << 20)

struct opening {
	uint32_t what;
	uint32_t size;
	uint32_t reserved;
};

static unsigned char buffer[LARGEST];
static unsigned char pattern[LARGEST + 65521];

static void die(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* The stream repeats after 65521 bytes, a prime: no power of two hides a displacement. */
static void make_pattern(void)
{
	uint32_t x = 1;

	for (size_t i = 0; i < 65521; i++) {
		x = x * 1103515245 + 12345;
		pattern[i] = x >> 16;
	}
	for (size_t i = 65521; i < sizeof(pattern); i++)
		pattern[i] = pattern[i - 65521];
}

static int open_socket(const char *family)
{
	int one = 1, fd = socket(*family == 'v' ? AF_VSOCK : AF_INET, SOCK_STREAM, 0);

	if (fd < 0)
		die("socket");
	if (*family == 't')
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

static int listen_at(const char *family, uint32_t port)
{
	int fd = open_socket(family), ret;

	if (*family == 'v') {
		struct sockaddr_vm a = { .svm_family = AF_VSOCK,
					 .svm_port = port,
					 .svm_cid = VMADDR_CID_ANY };

		ret = bind(fd, (struct sockaddr *)&a, sizeof(a));
	} else {
		struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };

		ret = bind(fd, (struct sockaddr *)&a, sizeof(a));
	}
	if (ret || listen(fd, 64))
		die("listen");
	return fd;
}

static int try_connect(const char *family, const char *peer, uint32_t port)
{
	int fd = open_socket(family), ret;

	if (*family == 'v') {
		struct sockaddr_vm a = { .svm_family = AF_VSOCK,
					 .svm_port = port,
					 .svm_cid = strtoul(peer, NULL, 10) };

		ret = connect(fd, (struct sockaddr *)&a, sizeof(a));
	} else {
		struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };

		inet_pton(AF_INET, peer, &a.sin_addr);
		ret = connect(fd, (struct sockaddr *)&a, sizeof(a));
	}
	if (ret) {
		int saved = errno;

		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

static int connect_to(const char *family, const char *peer, uint32_t port)
{
	int fd = try_connect(family, peer, port);

	if (fd < 0)
		die("connect");
	return fd;
}

static int write_all(int fd, const void *data, size_t n)
{
	const char *p = data;

	while (n) {
		ssize_t w = write(fd, p, n);

		if (w < 0)
			return -1;
		p += w;
		n -= w;
	}
	return 0;
}

/* 1: all read, 0: end of the stream, -1: error */
static int read_all(int fd, void *data, size_t n)
{
	char *p = data;

	while (n) {
		ssize_t r = read(fd, p, n);

		if (r <= 0)
			return r;
		p += r;
		n -= r;
	}
	return 1;
}

static void serve_stream(int fd)
{
	uint64_t at = 0;
	ssize_t r;

	while ((r = read(fd, buffer, sizeof(buffer))) > 0) {
		if (memcmp(buffer, pattern + at % 65521, r)) {
			printf("WRONG BYTES after %llu\n", (unsigned long long)at);
			fflush(stdout);
			at = ~0ULL - r;
		}
		at += r;
	}
	if (!r)
		write_all(fd, &at, sizeof(at));
}

static void serve_one(int fd)
{
	struct opening opening;

	if (read_all(fd, &opening, sizeof(opening)) != 1 || opening.size > LARGEST)
		return;
	if (opening.what == 'S')
		serve_stream(fd);
	else
		while (read_all(fd, buffer, opening.size) == 1)
			if (write_all(fd, buffer, opening.size))
				return;
}

static int serve(const char *family, uint32_t port)
{
	int listener = listen_at(family, port);

	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0)
			continue;
		if (!fork()) {
			close(listener);
			serve_one(fd);
			_exit(0);
		}
		close(fd);
	}
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int ping(int fd, uint32_t size, int count)
{
	struct opening opening = { .what = 'P', .size = size };
	int64_t *times = calloc(count, sizeof(*times)), sum = 0;

	if (!times || write_all(fd, &opening, sizeof(opening)))
		die("ping");
	memcpy(buffer, pattern, size);
	for (int i = 0; i < count; i++) {
		int64_t start = now_ns();

		if (write_all(fd, buffer, size) || read_all(fd, buffer, size) != 1)
			die("ping");
		times[i] = now_ns() - start;
		sum += times[i];
		if (memcmp(buffer, pattern, size)) {
			puts("WRONG BYTES");
			return 1;
		}
	}
	qsort(times, count, sizeof(*times), compare);
	printf("ping %u p50_us %lld p99_us %lld mean_us %lld\n", size, (long long)times[count / 2] / 1000,
	       (long long)times[count * 99 / 100] / 1000, (long long)sum / count / 1000);
	return 0;
}

static int stream(int fd, uint32_t size, int64_t ms)
{
	struct opening opening = { .what = 'S', .size = size };
	int64_t start = now_ns(), took;
	uint64_t at = 0, came = 0;

	if (write_all(fd, &opening, sizeof(opening)))
		die("stream");
	do {
		if (write_all(fd, pattern + at % 65521, size))
			die("stream");
		at += size;
	} while (now_ns() - start < ms * 1000000);
	shutdown(fd, SHUT_WR);
	if (read_all(fd, &came, sizeof(came)) != 1)
		die("stream end");
	took = now_ns() - start;
	printf("stream %u bytes %llu kib_s %lld %s\n", size, (unsigned long long)at,
	       (long long)(at / 1024 * 1000 / (took / 1000000)), came == at ? "whole" : "LOST BYTES");
	return came != at;
}

static void hammer(const char *family, const char *peer, uint32_t port)
{
	struct opening opening = { .what = 'S', .size = 4096 };
	const char *end;
	uint64_t at;
	int fd;

	for (;;) {
		fd = try_connect(family, peer, port);
		if (fd < 0) {
			usleep(20000);
			continue;
		}
		end = NULL;
		if (write_all(fd, &opening, sizeof(opening)))
			end = strerror(errno);
		for (at = 0; !end; at += 40000)
			if (write_all(fd, pattern + at % 65521, 40000))
				end = strerror(errno);
		printf("ended after %llu: %s\n", (unsigned long long)at, end);
		fflush(stdout);
		close(fd);
	}
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	make_pattern();
	if (argc == 4 && !strcmp(argv[1], "serve"))
		return serve(argv[2], atoi(argv[3]));
	if (argc == 5 && !strcmp(argv[1], "hammer"))
		hammer(argv[2], argv[3], atoi(argv[4]));
	if (argc == 7 && atoi(argv[5]) > 0 && atoi(argv[5]) <= (int)LARGEST) {
		int fd = connect_to(argv[2], argv[3], atoi(argv[4]));

		if (!strcmp(argv[1], "ping"))
			return ping(fd, atoi(argv[5]), atoi(argv[6]));
		if (!strcmp(argv[1], "stream"))
			return stream(fd, atoi(argv[5]), atoi(argv[6]));
	}
	puts("usage: see traffic.c");
	return 2;
}
