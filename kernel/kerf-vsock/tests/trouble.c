// SPDX-License-Identifier: Apache-2.0
/*
 * A workload that brings its own kernel into trouble: trouble WHAT SECONDS. After SECONDS it does WHAT:
 *   load   computes, for as long again and more
 *   panic  uses memory of each kind, and has the kernel panic, as a person would: c into /proc/sysrq-trigger
 *   hang   loads /hang.ko, which has the processor spin with interrupts off
 *   oops   loads /hang.ko so that it reads where nothing is
 *   kill   kills the agent, whose child it is; the kernel goes on
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void fill(int flags, size_t length)
{
	char *at = mmap(NULL, length, PROT_READ | PROT_WRITE, flags, -1, 0);

	if (at != MAP_FAILED)
		memset(at, 0x5a, length);
}

/* Private, transparently huge, shared, locked, and huge pages; one more huge page is free. Where there are none, then without. */
static void use_memory(void)
{
	int fd = open("/proc/sys/vm/nr_hugepages", O_WRONLY);

	if (fd >= 0 && write(fd, "2", 1) == 1)
		fill(MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, 2 << 20);
	fill(MAP_PRIVATE | MAP_ANONYMOUS, 6 << 20);
	fill(MAP_SHARED | MAP_ANONYMOUS, 2 << 20);
	fill(MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, 1 << 20);
}

int main(int argc, char **argv)
{
	unsigned seconds = argc == 3 ? (unsigned)atoi(argv[2]) : 0;
	int fd;

	if (argc != 3)
		return 2;
	sleep(seconds);
	if (strcmp(argv[1], "load") == 0) {
		for (volatile unsigned long turns = 0;; turns++)
			;
	} else if (strcmp(argv[1], "panic") == 0) {
		use_memory();
		fd = open("/proc/sysrq-trigger", O_WRONLY);
		return fd < 0 || write(fd, "c", 1) < 0;
	} else if (strcmp(argv[1], "hang") == 0) {
		fd = open("/hang.ko", O_RDONLY);
		return fd < 0 || syscall(SYS_finit_module, fd, "", 0) < 0;
	} else if (strcmp(argv[1], "oops") == 0) {
		use_memory();
		fd = open("/hang.ko", O_RDONLY);
		return fd < 0 || syscall(SYS_finit_module, fd, "oops=1", 0) < 0;
	} else if (strcmp(argv[1], "kill") == 0) {
		kill(getppid(), SIGKILL);
	}
	for (;;)
		pause();
}
