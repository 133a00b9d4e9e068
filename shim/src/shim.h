/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of kmorph-shim share. docs/shim.md has the protocol and the files. */
#ifndef KMORPH_SHIM_H
#define KMORPH_SHIM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

/* Namespaces that a kernel is to have of its own: bits. */
enum {
	ISOLATE_PID = 1,
	ISOLATE_MOUNT = 2,
	ISOLATE_NET = 4,
};

#define MAX_CGROUPS 16

/* Names the directory in the environment of the kernel and all that it starts. */
#define DIRECTORY_VARIABLE "KMORPH_SHIM_DIR"

struct options {
	const char *directory;
	long long log_limit;  /* bytes of console log, both files together */
	long long link_bytes; /* 0: no link */
	unsigned link_id;     /* the kernel's number on it */
	bool isolate;
	const char *network_of; /* a process whose network namespace it has; NULL: its own */
	bool fence;		/* end what a dead shim has left, instead of starting something */
	const char *cpus;
	const char *cgroups[MAX_CGROUPS];
	size_t cgroup_count;
	char **program; /* and its arguments */
};

/* The process that is, or stands for, the kernel. */
struct kernel {
	pid_t pid;
	int console; /* read end of its output; -1 once it was closed */
	unsigned isolated;
	struct timespec since; /* CLOCK_REALTIME, as all times here */
	bool exited;
	int status; /* as waitpid gives it */
	struct timespec ended;
};

/* main.c */
void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* kernel.c: starts the program and holds it until kernel_release. */
void kernel_start(struct kernel *kernel, const struct options *options);
/* Lets it run. Returns once its program was executed. */
void kernel_release(struct kernel *kernel);

/* console.c: the console log, bounded; what the disk does not take is counted and said later. */
void console_open(long long limit);
/* Moves what there is into the log. False once the other end is closed. */
bool console_drain(int fd);

/* record.c: files that say what the shim knows to whom comes later. */
/* Takes the lock that a shim holds as long as it lives; false if another process has it. */
bool record_lock(void);
/* From now on, no shim starts anything in this directory. */
void record_fenced(void);
void record_pids(const struct kernel *kernel);
/* Whether the exit is on disk; to be tried again when not. */
bool record_exit(const struct kernel *kernel);
unsigned long long process_start(pid_t pid);
#define BOOT_ID_SIZE 40
void boot_id(char id[BOOT_ID_SIZE]);

/* fence.c */
/* Whether nothing is left of what this process started, and of what that started. */
bool fence_is_complete(void);
/* Kills what is found of it; to be repeated until the fence is complete. */
void fence_kill(const struct kernel *kernel);
/* Ends what the dead shim of this directory has left; exits 0 only when that is certain. */
void fence_orphans(const char *directory) __attribute__((noreturn));

/* link.c: the shared memory and the doorbells between the daemon (side 0) and the kernel (side 1).
 */
void link_open(const struct options *options);
bool link_is_there(void);
/* Where a QEMU comes for them, and the one that came; -1 for none. To be polled. */
int link_listener(void);
int link_machine(void);
void link_welcome(void);
void link_machine_left(void);
/* Sends the line LINK and all descriptors; false when the peer does not take them. */
bool link_hand_over(int fd);
/* It is gone without a word: the other side is told. */
void link_side_died(unsigned side);

/* serve.c: the sockets. serve never returns. */
int listen_at(const char *name);
void serve(int listener, struct kernel *kernel) __attribute__((noreturn));

#endif
