// SPDX-License-Identifier: Apache-2.0
/*
 * What libFuzzer calls with bytes of its choice. First as a stream that the parser is given piece
 * by piece: what it says of a part it must not take back. Then as frames to an agent, each with a
 * checksum made to fit, so that the fuzzer need not guess it: world.c holds every answer against
 * docs/kmp.md, and the sanitizers everything else.
 *
 * The first byte is the agent's role: odd for one that holds a workload. Then frames: msg_type and
 * payload_len are taken from their headers, time passes by as many milliseconds as the lower half
 * of reserved says. With sequence 0 it answers what the agent sent last. A type from LINK_TYPE on
 * is a message of the workload's instead.
 *
 * Nothing outside this process is touched: no file is opened but /proc, no socket of the internet.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "world.h"

#define LINK_TYPE 0xff00

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* The linker puts these in the place of the C library's. */
int __real_open(const char *path, int flags, ...);
int __real_socket(int domain, int type, int protocol);
int __real_setsockopt(int fd, int level, int name, const void *value, socklen_t length);
int __wrap_open(const char *path, int flags, ...);
int __wrap_socket(int domain, int type, int protocol);
int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t length);
int __wrap_bind(int fd, const struct sockaddr *address, socklen_t length);
int __wrap_listen(int fd, int backlog);
int __wrap_connect(int fd, const struct sockaddr *address, socklen_t length);

int __wrap_open(const char *path, int flags, ...)
{
	if (strncmp(path, "/proc/", 6) == 0 && strstr(path, "..") == NULL &&
	    !(flags & (O_CREAT | O_TRUNC)))
		return __real_open(path, flags);
	errno = ENOENT;
	return -1;
}

/* One that goes nowhere stands for those of the internet and of packets. */
int __wrap_socket(int domain, int type, int protocol)
{
	(void)domain;
	(void)protocol;
	return __real_socket(AF_UNIX, SOCK_DGRAM | (type & SOCK_CLOEXEC), 0);
}

int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t length)
{
	return name == SO_SNDBUF ? __real_setsockopt(fd, level, name, value, length) : 0;
}

int __wrap_bind(int fd, const struct sockaddr *address, socklen_t length)
{
	(void)fd;
	(void)address;
	(void)length;
	return 0;
}

int __wrap_listen(int fd, int backlog)
{
	(void)fd;
	(void)backlog;
	return 0;
}

int __wrap_connect(int fd, const struct sockaddr *address, socklen_t length)
{
	(void)fd;
	(void)address;
	(void)length;
	return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	setenv("KMORPH_TRACKER", "hash", 1);
	figures_open();
	return 0;
}

/* A copy of just the bytes that have come, so that reading beyond them is seen. */
static enum frame_state parse_part(const uint8_t *bytes, size_t length, struct frame *frame)
{
	uint8_t *part = malloc(length ? length : 1);
	enum frame_state state;

	MUST(part);
	memcpy(part, bytes, length);
	state = frame_parse(part, length, frame);
	free(part);
	return state;
}

static void stream(const uint8_t *bytes, size_t length)
{
	while (length > 0) {
		enum frame_state state = FRAME_MORE;
		struct frame frame;
		size_t seen = 0;

		while (seen < length && state == FRAME_MORE)
			state = parse_part(bytes, ++seen, &frame);
		MUST(parse_part(bytes, length, &frame) == state);
		if (state != FRAME_WHOLE)
			return;
		MUST(seen == KMP_HEADER_LEN + frame.header.payload_len);
		bytes += seen;
		length -= seen;
	}
}

/* Both ways to go through items agree: what is well-formed is read to its end. */
static void go_through(const uint8_t *items, size_t length)
{
	size_t at = 0, fault = 0, count = 0;
	bool whole = items_are_well_formed(items, length, &fault);

	while (kmp_next_item(items, length, &at))
		count++;
	if (whole)
		MUST(at == length && count <= KMP_MAX_ITEMS);
	else
		MUST(fault <= at && fault < length);
}

/* An operation that is over is never begun again: each run has others, the same ones as each other.
 */
static void make_fresh(uint8_t *payload, size_t length, uint64_t run)
{
	if (length < 16)
		return;
	for (int i = 0; i < 8; i++)
		payload[8 + i] ^= (uint8_t)(run >> 8 * i);
}

static void workload_says(const uint8_t *payload, size_t length)
{
	struct kmorph_message message = { 0 };
	int fd = -1;

	memcpy(&message, payload, length < sizeof(message) ? length : sizeof(message));
	/* the descriptor's size is the fuzzer's word too, within reason */
	if (message.id & 1)
		fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
	/* said to signal it, and to read its memory */
	if (message.type == LINK_HELLO)
		message.id = (uint32_t)getpid();
	world_workload_says(&message, fd);
	if (fd >= 0)
		close(fd);
}

static void frames(const uint8_t *bytes, size_t length, uint64_t run)
{
	static uint8_t payload[KMP_MAX_PAYLOAD_BYTES];
	struct kmorph_message said;

	while (length >= KMP_HEADER_LEN) {
		struct kmp_header header;
		size_t size;

		memcpy(&header, bytes, sizeof(header));
		size = header.payload_len;
		if (size > length - KMP_HEADER_LEN)
			size = length - KMP_HEADER_LEN;
		if (size > frame_limit(header.msg_type))
			size = frame_limit(header.msg_type);
		memcpy(payload, bytes + KMP_HEADER_LEN, size);
		world_time_ns += (header.reserved & 0xffff) * MS;
		morph_tick();
		share_tick();
		go_through(payload, size);
		make_fresh(payload, size, run);
		if (header.msg_type >= LINK_TYPE)
			workload_says(payload, size);
		else if (header.sequence == 0)
			/* to what was sent last, which the fuzzer cannot know */
			world_answer(header.msg_type, sent.header.sequence, payload, size);
		else
			world_hear(header.msg_type, payload, size);
		while (world_workload_hears(&said))
			;
		bytes += KMP_HEADER_LEN + size;
		length -= KMP_HEADER_LEN + size;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static uint64_t run;

	if (length == 0)
		return 0;
	run++;
	world_reset(bytes[0] & 1 ? KMP_WORKLOAD_HELD : KMP_WORKLOAD_RUNNING);
	stream(bytes + 1, length - 1);
	frames(bytes + 1, length - 1, run);
	return 0;
}
