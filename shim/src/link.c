// SPDX-License-Identifier: Apache-2.0
/*
 * The link between the daemon (side 0) and its kernel (side 1): the shared memory and the doorbells
 * of kerf_ring.h. We make them, give them to a QEMU by the protocol of its ivshmem server and to
 * the daemon by the request LINK, and are their keeper, as kerf_ring.h has it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kerf_ring.h"
#include "shim.h"

#define SIDES 2u
#define IVSHMEM_VERSION 0
#define IVSHMEM_MEMORY (-1)

static int memory_fd = -1;
static long long memory_bytes;
static struct kerf_side *sides; /* mapped: of the memory the two blocks alone */
static int bells[SIDES][KERF_VECTORS];
static unsigned kernel_id;
static int listener = -1, machine = -1;

bool link_is_there(void)
{
	return memory_fd >= 0;
}

int link_listener(void)
{
	return listener;
}

int link_machine(void)
{
	return machine;
}

/* Sealed: nobody who has it can take away pages that others have mapped. */
static void make_memory(long long bytes)
{
	memory_bytes = bytes;
	memory_fd = memfd_create("kmorph-link", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (memory_fd < 0 || ftruncate(memory_fd, bytes) < 0 ||
	    fcntl(memory_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		die("cannot make the link's memory of %lld bytes: %s", bytes, strerror(errno));
	sides = mmap(NULL, SIDES * KERF_SIDE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, memory_fd,
		     0);
	if (sides == MAP_FAILED)
		die("cannot map the link's memory: %s", strerror(errno));
}

void link_open(const struct options *options)
{
	if (!options->link_bytes)
		return;
	kernel_id = options->link_id;
	make_memory(options->link_bytes);
	for (unsigned side = 0; side < SIDES; side++) {
		for (unsigned vector = 0; vector < KERF_VECTORS; vector++) {
			bells[side][vector] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
			if (bells[side][vector] < 0)
				die("cannot make a doorbell: %s", strerror(errno));
		}
	}
	listener = listen_at("link.sock");
}

/* One message; false when the peer does not take it. */
static bool send_with(int fd, const void *bytes, size_t length, const int *descriptors,
		      size_t count)
{
	union {
		char space[CMSG_SPACE((1 + SIDES * KERF_VECTORS) * sizeof(int))];
		struct cmsghdr aligned;
	} control = { 0 };
	struct iovec data = { .iov_base = (void *)(uintptr_t)bytes, .iov_len = length };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };

	if (count > 0) {
		struct cmsghdr *header;

		message.msg_control = control.space;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
		header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(header), descriptors, count * sizeof(int));
	}
	return sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)length;
}

/* A number of QEMU's ivshmem protocol (docs/specs/ivshmem-spec), with a descriptor or with none. */
static bool tell_machine(int64_t number, int descriptor)
{
	uint8_t bytes[8];

	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)((uint64_t)number >> (8 * i));
	return send_with(machine, bytes, sizeof(bytes), &descriptor, descriptor < 0 ? 0 : 1);
}

static bool introduce(void)
{
	if (!tell_machine(IVSHMEM_VERSION, -1) || !tell_machine(kernel_id, -1) ||
	    !tell_machine(IVSHMEM_MEMORY, memory_fd))
		return false;
	/* the other peer's doorbells, then its own */
	for (unsigned side = 0; side < SIDES; side++)
		for (unsigned vector = 0; vector < KERF_VECTORS; vector++)
			if (!tell_machine(side == 0 ? 0 : kernel_id, bells[side][vector]))
				return false;
	return true;
}

/* One kernel, one machine: a second one that comes while the first is there gets nothing. */
void link_welcome(void)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	if (machine >= 0) {
		close(fd);
		return;
	}
	machine = fd;
	if (!introduce())
		link_machine_left();
}

void link_machine_left(void)
{
	close(machine);
	machine = -1;
	link_side_died(1);
}

void link_side_died(unsigned side)
{
	const uint64_t one = 1;

	if (!link_is_there())
		return;
	atomic_store_explicit((_Atomic kerf_u32 *)&sides[side].generation, 0, memory_order_release);
	for (unsigned vector = 0; vector < KERF_VECTORS; vector++)
		if (write(bells[1 - side][vector], &one, sizeof(one)) < 0)
			errno = 0; /* full: it rings already */
}

bool link_hand_over(int fd)
{
	int descriptors[1 + SIDES * KERF_VECTORS] = { memory_fd };
	char line[64];
	int length = snprintf(line, sizeof(line), "LINK %lld %u %u\n", memory_bytes, KERF_VECTORS,
			      kernel_id);

	memcpy(descriptors + 1, bells, sizeof(bells));
	return send_with(fd, line, (size_t)length, descriptors, 1 + SIDES * KERF_VECTORS);
}
