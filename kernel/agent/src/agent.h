/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of kmorph-agent share. docs/agent.md describes it, docs/kmp.md what it says. */
#ifndef KMORPH_AGENT_H
#define KMORPH_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "kmp.h"

#define MAX_CGROUPS 16

struct options {
	uint32_t instance;
	const char *listen;
	const char
		*state; /* directory of the file that the writer syncs; NULL: none can be tried */
	const char *kernel_release; /* of a local agent: what its image names; else NULL */
	bool local;		    /* a process that stands for a kernel, on one that it shares */
	bool init;		    /* below process 1 of a kernel of its own */
	bool supervise;		    /* when it dies, its parent starts it again */
	bool hold;
	const char *address; /* of the workload, ADDRESS/BITS; NULL: none */
	const char *cgroups[MAX_CGROUPS];
	size_t cgroup_count;
	char **workload; /* and its arguments; empty: none */
};

/* main.c */
extern struct options options;
/* One descriptor in the event loop. Memory is the owner's. */
struct watch {
	int fd;
	void (*ready)(struct watch *watch, uint32_t events);
};
void watch_add(struct watch *watch, uint32_t events);
void watch_change(struct watch *watch, uint32_t events);
/* Takes it out of the loop and closes it. */
void watch_close(struct watch *watch);
void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Clocks in nanoseconds: since boot, suspended time included (as kmp.h wants it), and monotonic. */
uint64_t boot_ns(void);
uint64_t now_ns(void);

#define MS 1000000ull
#define SECOND 1000000000ull

/* urgency.c */
/* include/uapi/linux/sched/types.h; the C library has no name for it yet. */
struct scheduling {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t util_min, util_max;
};
/* A process that is waited for, and how it runs when it no longer is; pid 0: none is. */
struct hurried {
	pid_t pid;
	struct scheduling before;
};
void urgency_open(void);
/* In a child: it is no more urgent than who started us. */
void urgency_restore(void);
/* For so long: much is moved, others go first. */
void urgency_bulk(uint64_t for_ns);
/* For so long at the most: a workload stands still, or is about to. */
void urgency_freeze(uint64_t for_ns);
/* This process is waited for in a freeze: nearly as urgent, until the freeze is over or 100 ms are.
 * One that is real time by itself is left so. */
void urgency_hurry(pid_t pid);
void urgency_hurry_no_more(void);
/* Who is hurried now. */
struct hurried urgency_hurried(void);
/* It was by an agent that is dead. */
void urgency_calm(const struct hurried *hurried);
void urgency_usual(void);
uint64_t urgency_tick(void);

/* init.c: process 1 makes itself at home; options come from the kernel command line. */
void init_setup(void);
void init_power_off(void) __attribute__((noreturn));
/* -1000: the kernel never chooses this process when memory is short; 0: as any other. */
void oom_score_adjust(const char *value);

/* network.c */
void network_open(void);
/* The workload's address is ours; again is no error. */
void network_take(void);
/* Nobody is at it here any more. */
void network_give_up(void);

/* supervise.c */
struct legacy;
/* Returns in the agent, now and whenever one has died. */
void supervise(void);
bool supervised(void);
/* What the next agent is to find. */
void supervise_bequeath(const struct legacy *legacy);
/* What the agent before this one left; NULL for the first. */
const struct legacy *supervise_inherit(void);
/* Whether a process that outlived its agent has ended since, and how. */
bool supervise_has_ended(pid_t pid, int *status);

/* bequest.c: sockets that are not as their workload has them, for as long as that lasts. Should a
 * supervised agent die meanwhile, the next one finds them. */
struct bequest {
	bool listens, reuse_address;
	/* of a listener, as they are to be again; flags -1: as they are */
	bool reuse_port, freebind;
	int flags;
};
/* In the supervisor. */
void bequest_open(void);
/* Those that are added are kept when all are. False, with errno, if they cannot be. */
bool bequest_add(int fd, struct bequest as);
bool bequest_all_added(void);
/* They are as they were, or no more. */
void bequest_forget(void);
/* They become as they were, for a workload that goes on; or no more, and nobody is told. */
void bequest_take(bool goes_on);

/* figures.c */
struct figures {
	uint16_t cpu_count;
	uint64_t boot_id, uptime_ms;
	uint64_t memory_total, memory_available;
	uint32_t cpu_use; /* hundredths of a percent */
	uint32_t load1;	  /* hundredths */
};
void figures_open(void);
const struct figures *figures_read(void);

/* writer.c: a child that writes and syncs, so that a disk that hangs does not hang the agent. */
void writer_open(void);
/* Begins a write if the last one was begun at least a second ago and none is under way. */
void writer_prod(void);
/* How long the write that is under way takes already; 0 if none is. */
uint64_t writer_stuck_ns(void);
/* What a heartbeat says: microseconds, age in ms, flags. */
void writer_figures(uint32_t *io_us, uint32_t *age_ms, uint32_t *flags);
/* True if the process was the writer. */
bool writer_reaped(pid_t pid);

/* checks.c: true if the process was one. */
bool checks_reaped(pid_t pid, int status);

/* workload.c */
struct workload {
	enum kmp_workload_state state;
	pid_t pid;
	int exit_status; /* as in kmp_i_workload */
	uint32_t starts;
	uint64_t since_ns; /* boot time of the last change of state */
};
extern struct workload workload;
/* What the workload is to the next agent. */
struct legacy {
	struct workload workload;
	pid_t made_ready;
	bool ending;
	uint64_t still_until; /* it may stand still, and goes on then (now_ns); 0: it does not */
	struct hurried hurried;
};
/* First of all that the next agent does: a workload that stands still goes on, with its sockets. */
void workload_inherit(void);
void workload_open(void);
/* Something of the legacy that stands elsewhere has changed. */
void workload_bequeath(void);
/* SIGTERM, and SIGKILL after the grace; for good. */
void workload_stop(uint64_t grace_ns);
/* Whether nothing of it runs. */
bool workload_is_over(void);
bool workload_reaped(pid_t pid, int status);
/* True if it was taken over from an agent before this one, and has ended. */
bool workload_taken_over_has_ended(void);
/* It is told to stand still; false if there is none. Should this agent die, it goes on then. */
bool workload_stop_running(uint64_t until);
/* It stands still on return; false if it does not within 100 ms, and then it runs on. */
bool workload_freeze(void);
void workload_thaw(void);
/* Source: it never runs again. It may not have been reaped yet. */
void workload_end_now(void);
/* Target: a process is made ready to be the workload, and waits; whether it does. */
bool workload_make_ready(void);
bool workload_is_made_ready(void);
/* What has ended here for good, and was not begun anywhere else: it is held, to be made ready. */
void workload_hold_again(void);
/* It is waited for, from now on: the workload, or what is made ready to be it. */
void workload_hurry(void);
void workload_hurry_ready(void);
void workload_drop_ready(void);
/* Target: it is the workload; or, with nothing made ready, it is started. */
void workload_activate(void);
/* At most this many ns until something is due; to be called then. */
uint64_t workload_tick(void);

/* trouble.c: conditions that the agent notices by itself. */
extern uint32_t trouble;
/* One of those that happen and do not last. */
void trouble_happened(enum kmp_condition number, uint64_t value, const char *text);
/* Looks, and tells every connection what has changed. */
void trouble_tick(void);

/* crc.c: of IEEE 802.3, in pieces: begin with 0, give the last result to the next call. */
uint32_t crc_of(uint32_t crc, const uint8_t *bytes, size_t length);

/* frame.c: pure, for the fuzzer too. */
enum frame_state {
	FRAME_MORE, /* not whole yet */
	FRAME_WHOLE,
	FRAME_UNTRUSTED, /* close, say nothing */
	FRAME_OTHER_VERSION,
	FRAME_TOO_LARGE,
};
struct frame {
	struct kmp_header header;
	const uint8_t *payload;
	uint32_t limit; /* TOO_LARGE: of its type */
};
/* The largest payload that a message of this type may have. */
uint32_t frame_limit(uint16_t type);
/* Looks at the bytes that there are; a whole frame points into them. */
enum frame_state frame_parse(const uint8_t *bytes, size_t length, struct frame *frame);
/* Fills in the header before a payload of this length; bytes has room for both. */
void frame_seal(uint8_t *bytes, uint16_t type, uint32_t sequence, uint32_t payload_length,
		uint64_t timestamp_ns);
/* Whether the rest of a payload is well-formed items; where not, *at is the offset of the fault. */
bool items_are_well_formed(const uint8_t *items, size_t length, size_t *at);
/* Appends an item if it still fits below the limit; the new length. */
size_t item_add(uint8_t *payload, size_t length, size_t limit, uint16_t type, const void *value,
		size_t value_length);

/* listen.c */
void connections_listen(void);

/* connection.c */
struct connection;
/* NULL when there are too many, or no memory; fd is the caller's then. */
struct connection *connection_add(int fd);
/* Queues a frame: its payload stands at bytes + KMP_HEADER_LEN. */
void connection_send(struct connection *connection, uint8_t *bytes, uint16_t type,
		     uint32_t sequence, size_t payload_length);
/* A chunk of a flow: false if the peer leaves too much unread, or is gone. */
bool connection_send_bulk(struct connection *connection, uint8_t *bytes, uint16_t type,
			  uint32_t sequence, size_t payload_length);
/* What is sent meanwhile goes out at once at the end. */
void connection_cork(struct connection *connection);
void connection_uncork(struct connection *connection);
/* To the agent of another instance on this machine; NULL, with errno, if it is not there. */
struct connection *connection_open(const char *path);
void connection_close(struct connection *connection);
void connections_broadcast(uint8_t *bytes, uint16_t type, size_t payload_length);
/* Closes those whose deadline has passed; at most this many ns until the next one. */
uint64_t connections_tick(void);
/* The connection that has this number, if it is still open: what waits for an answer keeps the
 * number. */
struct connection *connection_find(uint64_t number);
uint64_t connection_number(const struct connection *connection);

/* flow.c: a connection is no more. */
void flow_lost(uint64_t number);

/* answer.c: what is said to a whole frame. */
void answer(struct connection *connection, const struct frame *frame);
void answer_error(struct connection *connection, const struct kmp_header *request, uint16_t code,
		  uint64_t value, const char *text);
enum kmp_agent_state agent_state(void);
/* Whether the payload is what its message's fixed part and items make; if not, says so. */
bool well_formed(struct connection *connection, const struct frame *frame, size_t fixed);
/* How the workload's process does, as an item says it. */
struct kmp_i_workload workload_item(void);
/* The workload has ended: whoever waited for that is told. */
void answer_retired(void);

#endif
