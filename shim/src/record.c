// SPDX-License-Identifier: Apache-2.0
/* The files pid and exit: whole or not there, and on disk when the call returns. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shim.h"

static bool replace(const char *name, const char *text)
{
	char temporary[32];
	size_t length = strlen(text);
	bool done;
	int fd;

	snprintf(temporary, sizeof(temporary), "%s.new", name);
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	done = write(fd, text, length) == (ssize_t)length && fsync(fd) == 0;
	if (close(fd) < 0 || !done || rename(temporary, name) < 0) {
		int error = errno;

		unlink(temporary);
		errno = error;
		return false;
	}
	fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	done = fd >= 0 && fsync(fd) == 0;
	if (fd >= 0)
		close(fd);
	return done;
}

/* Field 22 of proc_pid_stat(5): when it was started, in clock ticks since boot; 0 if it is gone. */
unsigned long long process_start(pid_t pid)
{
	char path[32], text[1024], *at;
	unsigned long long start = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	/* its name may hold anything but ends with the last parenthesis */
	if (fgets(text, sizeof(text), file) && (at = strrchr(text, ')'))) {
		for (int field = 3; at && field <= 22; field++)
			at = strchr(at + 1, ' ');
		if (at)
			start = strtoull(at, NULL, 10);
	}
	fclose(file);
	return start;
}

void boot_id(char id[BOOT_ID_SIZE])
{
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

	if (!file || !fgets(id, BOOT_ID_SIZE, file))
		die("cannot read /proc/sys/kernel/random/boot_id: %s", strerror(errno));
	id[strcspn(id, "\n")] = 0;
	fclose(file);
}

bool record_lock(void)
{
	int fd = open("lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		die("cannot open the lock: %s", strerror(errno));
	/* stays open, and so locked, as long as this process lives */
	return flock(fd, LOCK_EX | LOCK_NB) == 0;
}

void record_fenced(void)
{
	if (!replace("fenced", ""))
		die("cannot write that it is fenced: %s", strerror(errno));
}

void record_pids(const struct kernel *kernel)
{
	char text[256], id[BOOT_ID_SIZE];

	boot_id(id);
	snprintf(text, sizeof(text), "%d %llu %s\n", kernel->pid, process_start(kernel->pid), id);
	if (!replace("pid", text))
		die("cannot write the pid file: %s", strerror(errno));
}

bool record_exit(const struct kernel *kernel)
{
	bool killed = WIFSIGNALED(kernel->status);
	char text[128];

	snprintf(text, sizeof(text), "%s %d %lld.%09ld\n", killed ? "killed" : "exited",
		 killed ? WTERMSIG(kernel->status) : WEXITSTATUS(kernel->status),
		 (long long)kernel->ended.tv_sec, kernel->ended.tv_nsec);
	return replace("exit", text);
}
