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
	bool init;		    /* process 1 of a kernel of its own */
	bool hold;
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

/* init.c: process 1 makes itself at home; options come from the kernel command line. */
void init_setup(void);
void init_power_off(void) __attribute__((noreturn));

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

/* workload.c */
struct workload {
	enum kmp_workload_state state;
	pid_t pid;
	int exit_status; /* as in kmp_i_workload */
	uint32_t starts;
	uint64_t since_ns; /* boot time of the last change of state */
};
extern struct workload workload;
void workload_open(void);
/* SIGTERM, and SIGKILL after the grace; for good. */
void workload_stop(uint64_t grace_ns);
/* Whether nothing of it runs. */
bool workload_is_over(void);
bool workload_reaped(pid_t pid, int status);
/* At most this many ns until something is due; to be called then. */
uint64_t workload_tick(void);

/* trouble.c: conditions that the agent notices by itself. */
extern uint32_t trouble;
/* Looks, and tells every connection what has changed. */
void trouble_tick(void);

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

/* connection.c */
struct connection;
void connections_listen(void);
/* Queues a frame: its payload stands at bytes + KMP_HEADER_LEN. */
void connection_send(struct connection *connection, uint8_t *bytes, uint16_t type,
		     uint32_t sequence, size_t payload_length);
void connections_broadcast(uint8_t *bytes, uint16_t type, size_t payload_length);
/* Closes those whose deadline has passed; at most this many ns until the next one. */
uint64_t connections_tick(void);
/* The connection that has this number, if it is still open: what waits for an answer keeps the
 * number. */
struct connection *connection_find(uint64_t number);
uint64_t connection_number(const struct connection *connection);

/* answer.c: what is said to a whole frame. */
void answer(struct connection *connection, const struct frame *frame);
void answer_error(struct connection *connection, const struct kmp_header *request, uint16_t code,
		  uint64_t value, const char *text);
enum kmp_agent_state agent_state(void);
/* The workload has ended: whoever waited for that is told. */
void answer_retired(void);

#endif
