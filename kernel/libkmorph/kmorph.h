/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libkmorph: what a workload links to be able to move to another kernel while it runs.
 *
 * A workload keeps what must survive in regions (memory that the library gives it), tells the
 * library which sockets and files belong to it, and comes to a point of rest when it is asked to.
 * docs/libkmorph.md tells the whole story; kernel/libkmorph/kmorph-kv.c is a workload made so.
 *
 * Everything here is called from one thread, the one that calls kmorph_dispatch. Without an agent
 * (KMORPH_LINK is not in the environment) all works as on a kernel that never morphs.
 */
#ifndef KMORPH_H
#define KMORPH_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What save may write. */
#define KMORPH_BLOB_BYTES (1u << 20)
/* Regions of memory, and what each may be large. */
#define KMORPH_MAX_REGIONS 64
#define KMORPH_MAX_REGION_BYTES (1ull << 40)

enum kmorph_start {
	KMORPH_FRESH = 0,     /* nothing precedes this process */
	KMORPH_SUCCESSOR = 1, /* it takes over what another one did: regions have their contents */
};

/* What becomes of another instance on this machine that has failed. */
enum kmorph_peer_event {
	KMORPH_PEER_FAILED = 1, /* it is about to be ended: nothing is to be expected of it */
	KMORPH_PEER_GONE = 2,	/* it runs no more, and what it had was taken from it */
	KMORPH_PEER_OVER = 3,	/* nothing more is done about it: the successor does its work */
};

#define KMORPH_NOBODY 0xffffffffu

struct kmorph_peer {
	enum kmorph_peer_event event;
	uint32_t instance;  /* its id */
	uint32_t successor; /* OVER: the id of who does its work now, or KMORPH_NOBODY */
	const char *name;   /* of the instance, for OVER of the successor; "" if not known */
};

struct kmorph_callbacks {
	/*
	 * The workload's own state, of whatever is not in regions: writes at most most bytes and
	 * returns how many, or -1 if it cannot be saved now (the freeze is then given up).
	 * Called at a point of rest; the workload may be asked to run on afterwards.
	 */
	ptrdiff_t (*save)(void *context, void *bytes, size_t most);
	/* In a successor, once: what save wrote. 0, or -1 if it cannot be taken. */
	int (*restore)(void *context, const void *bytes, size_t length);
	/* In a successor, once for each socket and file, after restore: the new descriptor. */
	void (*adopt)(void *context, uint64_t tag, int fd);
	/* In a successor, after that: a connection to the listener with this tag that nobody has
	 * accepted yet, as accept would return it; to be given to kmorph_socket if it is to move.
	 */
	void (*accepted)(void *context, uint64_t tag, int fd);
	/* Whether it is well: 0, or -1 with a reason in text. Asked of successors before they run,
	 * and of whoever runs. */
	int (*health)(void *context, char *text, size_t most);
	/* Another instance has failed, or what was done about it. Called from kmorph_dispatch, for
	 * one instance in the order of the events; some may be left out, or come again. */
	void (*peer)(void *context, const struct kmorph_peer *peer);
};

/*
 * Says hello to the agent. Callbacks may be NULL each, and stay the caller's. Returns how this
 * process starts, or -1 with errno.
 */
int kmorph_open(const struct kmorph_callbacks *callbacks, void *context);

/*
 * Memory that moves, zeroed in a fresh process. It stands at the same address in every kernel, so
 * pointers into it stay right. A successor asks for the same names and sizes as its predecessor,
 * in the same order, before kmorph_begin; the contents are there when kmorph_begin returns.
 * Returns NULL with errno. The name is at most 63 bytes.
 */
void *kmorph_region(const char *name, size_t bytes);

/*
 * A TCP socket over IPv4 that is to move, listening or connected. The tag is the workload's name
 * for it, unique among sockets and files. 0, or -1 with errno.
 */
int kmorph_socket(int fd, uint64_t tag);

/* A regular file that is to move, by its path, flags and offset. As kmorph_socket. */
int kmorph_file(int fd, uint64_t tag);

/*
 * A program of the workload's, by its absolute path of at most 63 bytes, that says whether it can
 * run here: in a morph the new kernel runs it before the commit, and does not commit if it ends
 * with anything but 0. To be called before kmorph_begin, at most 8 times. 0, or -1 with errno.
 */
int kmorph_check(const char *path);

/* To be called before a descriptor that was given is closed. */
int kmorph_forget(uint64_t tag);

/*
 * To be called once all regions are asked for. A fresh process goes on at once. A successor waits
 * here until the workload is its own; it must have had no effect on anything outside before this
 * returns, in its callbacks neither: until then it can be given back to the kernel it came from.
 * Returns 0, or -1 with errno.
 */
int kmorph_begin(void);

/* To be polled for reading; -1 without an agent. When the agent is gone, the descriptor that was
 * polled is still there, and nothing comes from it. */
int kmorph_fd(void);

/*
 * A point of rest: deals with what the agent wants, and returns at once if that is nothing. When a
 * morph freezes the workload this call waits; it returns if the morph is given up or the agent is
 * gone, and does not if the morph succeeds. 0, or -1 with errno. Once the agent is gone, all is as
 * without one.
 */
int kmorph_dispatch(void);

#ifdef __cplusplus
}
#endif
#endif
