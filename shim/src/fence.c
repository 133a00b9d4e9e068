// SPDX-License-Identifier: Apache-2.0
/* Ending what runs, for certain. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shim.h"

static pid_t parent_of(pid_t pid)
{
	char path[32], text[1024], *at;
	int parent = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	if (!file)
		return -1;
	if (fgets(text, sizeof(text), file) && (at = strrchr(text, ')')) &&
	    sscanf(at, ") %*c %d", &parent) != 1)
		parent = -1;
	fclose(file);
	return parent;
}

/* Calls kill_it for every process there is; how many it says that it wanted dead. */
static int each_process(bool (*kill_it)(pid_t pid, const void *context), const void *context)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	int found = 0;

	if (!proc)
		return 1; /* nothing can be told, so nothing is certain */
	while ((entry = readdir(proc))) {
		pid_t pid = atoi(entry->d_name);

		if (pid > 1 && pid != getpid() && kill_it(pid, context)) {
			kill(pid, SIGKILL);
			found++;
		}
	}
	closedir(proc);
	return found;
}

static bool is_child(pid_t pid, const void *self)
{
	return parent_of(pid) == *(const pid_t *)self;
}

/*
 * As a subreaper we inherit every orphan below us. So when we have no child any more, nothing that
 * the kernel ever started runs.
 */
bool fence_is_complete(void)
{
	siginfo_t any;

	return waitid(P_ALL, 0, &any, WEXITED | WNOHANG | WNOWAIT) < 0 && errno == ECHILD;
}

void fence_kill(const struct kernel *kernel)
{
	pid_t self = getpid();

	if (kernel->exited) {
		each_process(is_child, &self);
	} else {
		kill(kernel->pid, SIGKILL);
		kill(-kernel->pid, SIGKILL);
	}
}

struct orphans {
	pid_t kernel;
	unsigned long long start;
	const char *marker; /* what the environment of all of them holds */
};

static bool has_marker(pid_t pid, const char *marker)
{
	char path[32], environment[65536];
	size_t length, marker_length = strlen(marker) + 1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/environ", pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	length = fread(environment, 1, sizeof(environment), file);
	fclose(file);
	for (size_t at = 0; at + marker_length <= length;) {
		if (memcmp(environment + at, marker, marker_length) == 0)
			return true;
		at += strnlen(environment + at, length - at) + 1;
	}
	return false;
}

static bool is_orphan(pid_t pid, const void *context)
{
	const struct orphans *orphans = context;

	unsigned long long leader = process_start(orphans->kernel);

	/* a session's number is not used again while one of its processes lives */
	if (getsid(pid) == orphans->kernel && (leader == 0 || leader == orphans->start))
		return true;
	return has_marker(pid, orphans->marker);
}

/* False when the directory's shim never let a kernel run since this machine was started. */
static bool read_pids(const char *directory, struct orphans *orphans)
{
	char booted[BOOT_ID_SIZE], now[BOOT_ID_SIZE];
	FILE *file = fopen("pid", "re");

	if (!file) {
		if (errno == ENOENT)
			return false;
		die("cannot read %s/pid: %s", directory, strerror(errno));
	}
	if (fscanf(file, "%d %llu %39s", &orphans->kernel, &orphans->start, booted) != 3)
		die("%s/pid is damaged; expected two numbers and a boot id", directory);
	fclose(file);
	boot_id(now);
	return strcmp(now, booted) == 0;
}

void fence_orphans(const char *directory)
{
	char marker[PATH_MAX + 32], absolute[PATH_MAX];
	struct orphans orphans = { .marker = marker };

	if (!record_lock())
		die("the shim of %s runs; ask it at its socket", directory);
	record_fenced();
	if (!read_pids(directory, &orphans))
		exit(0);
	if (!getcwd(absolute, sizeof(absolute)))
		die("cannot tell the path of %s: %s", directory, strerror(errno));
	snprintf(marker, sizeof(marker), DIRECTORY_VARIABLE "=%s", absolute);
	while (each_process(is_orphan, &orphans) > 0)
		usleep(10000);
	exit(0);
}
