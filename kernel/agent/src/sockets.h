/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TCP sockets of a workload, version 1 of their state: for each one a structure, and for
 * connections what stands in their queues. They are read and made again with TCP_REPAIR (tcp(7)
 * does not know it; net/ipv4/tcp.c and include/uapi/linux/tcp.h do).
 *
 * No packet may meet a port that nobody has: it would be answered with a reset. So the source's
 * sockets get a filter that drops everything, the target has a listener with such a filter at each
 * port before the source lets go, and that listener opens last. capture.c keeps what was dropped.
 */
#ifndef KMORPH_AGENT_SOCKETS_H
#define KMORPH_AGENT_SOCKETS_H

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "morph.h"

/* TCP_REPAIR_OFF_NO_WP: nothing is said to the peer. */
#define REPAIR_OFF_QUIETLY (-1)

enum what {
	LISTENING = 1,
	CONNECTED = 2,
	ENDING = 3,   /* the peer has said that it sends no more: read to the end, no more */
	ACCEPTED = 4, /* connected, and the workload has not accepted it yet */
};

struct saved_socket {
	uint64_t tag;
	uint32_t what, flags; /* flags: of the descriptor */
	uint32_t local_address, remote_address;
	uint16_t local_port, remote_port; /* as on the wire */
	uint32_t backlog;
	uint32_t send_seq, receive_seq; /* after what is queued */
	uint32_t send_length, unsent_length, receive_length;
	uint32_t mss, options;
	uint8_t send_scale, receive_scale, nodelay, keepalive;
	uint8_t reuse_address, reuse_port, reserved[2];
	uint32_t timestamp;
	struct tcp_repair_window window;
};

/* The target's: one for each structure, and for those that the sketch had and the state may have.
 */
struct made {
	struct saved_socket saved;
	const uint8_t *queues; /* in the region's blob */
	int fd;
	bool wanted; /* it is in what is being gone through */
	bool taken;
};
extern struct made *made;
extern size_t made_count;

/* guards.c: at most one for each port. */
/* Bound and deaf, and does not listen yet; -1 with errno. */
int guard_listener(const struct saved_socket *saved);
bool guard_bind(int fd, const struct saved_socket *saved);
/* False, perhaps with errno, when it cannot be. */
bool guard_port(const struct saved_socket *saved);
/* By a listener that is deaf already: a copy of it. */
void guard_with(int listener);

/* sockets_save.c: small helpers. */
int socket_get(int fd, int level, int name);
bool socket_set(int fd, int level, int name, int value);
/* Again as sockets_share_port did, where what the workload had set is known. */
void sockets_share_address(const struct carried *carried);
/* Of one in repair mode: gone at once, whoever else has it open, and nobody is told. */
void socket_vanish(int fd);
/* False, with the reason of errno. */
bool socket_refuse(char *text, size_t most, const char *what);

#endif
