// SPDX-License-Identifier: Apache-2.0
/*
 * fill MEBIBYTES: the workload of a guest whose memory is to be captured. Fills so much of it with what packs like a program's data: half
 * text, a quarter numbers, a quarter noise; frees a sixth again, and has the kernel panic.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define BLOCK (1u << 20)

static uint64_t seed = 88172645463325252ull;

static uint64_t next(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static void fill(char *block, unsigned number)
{
	uint64_t *words = (uint64_t *)block;

	for (unsigned i = 0; i < BLOCK / 8; i++) {
		switch (number % 4) {
		case 0:
			words[i] = next();
			break;
		case 1:
			words[i] = next() & 0xffff;
			break;
		default:
			snprintf(block + 8 * i, 8, "%07u", (unsigned)(next() % 5000));
		}
	}
}

int main(int argc, char **argv)
{
	unsigned blocks = argc == 2 ? (unsigned)atoi(argv[1]) : 0;
	int trigger = open("/proc/sysrq-trigger", O_WRONLY);

	for (unsigned i = 0; i < blocks; i++) {
		char *block = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (block == MAP_FAILED)
			return 1;
		fill(block, i);
		if (i % 6 == 5)
			munmap(block, BLOCK);
	}
	return write(trigger, "c", 1) != 1;
}
