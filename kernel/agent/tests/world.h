/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What surrounds the agent's parts when they are tested or fuzzed without its main loop: it stands
 * in for main.c, connection.c and workload.c. Time passes only when it is told to, nothing is
 * started, and whatever is sent is held against docs/kmp.md before it is kept.
 */
#ifndef KMORPH_AGENT_WORLD_H
#define KMORPH_AGENT_WORLD_H

#include "../src/morph.h"

/* Ends the program, with the place, when what must hold does not. */
#define MUST(condition) ((condition) ? (void)0 : world_fail(__FILE__, __LINE__, #condition))
void world_fail(const char *file, int line, const char *condition) __attribute__((noreturn));

/* What is being tried, for that message. */
extern const char *world_doing;

/* The last frame that was sent, and how many there were. */
struct sent {
	struct kmp_header header;
	uint8_t payload[KMP_MAX_PAYLOAD_BYTES];
	size_t count;
};
extern struct sent sent;
/* The same of what went to the agent of the target of a morph. */
extern struct sent sent_to_peer;

/* Called with every frame that is sent, unless it is NULL. */
extern void (*world_sees)(const struct frame *frame);

extern uint64_t world_time_ns;
struct connection *world_connection(void);

/* An agent without a morph, with a workload in this state: RUNNING with state to move, or HELD. */
void world_reset(enum kmp_workload_state state);

/* The agent takes a whole frame with this payload: its checksum is made here. */
void world_hear(uint16_t type, const void *payload, size_t length);
/* The same of an answer to what had this sequence. */
void world_answer(uint16_t type, uint32_t sequence, const void *payload, size_t length);
/* The daemon's connection is lost, and it makes another. */
void world_reconnect(void);
/* The one path at which another agent listens; what it says, with a sequence, and its end. */
#define WORLD_PEER "/run/next.sock"
void world_hear_from_peer(uint16_t type, uint32_t sequence, const void *payload, size_t length);
void world_lose_peer(void);
struct connection *world_peer(void);
/* A memfd as a workload's blob is, or is not. */
int world_blob(off_t bytes, int seals);
/* A workload that has said nothing yet. */
void world_open_link(bool successor);
/* The workload says this to the agent, with a descriptor unless it is -1. */
void world_workload_says(const struct kmorph_message *message, int fd);
/* The same, and the agent has not read it yet. */
void world_workload_says_unheard(const struct kmorph_message *message);
/* The next thing that the agent has said to the workload; false if there is none. */
bool world_workload_hears(struct kmorph_message *message);

#endif
