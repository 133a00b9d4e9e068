// SPDX-License-Identifier: Apache-2.0
/* The target's sockets once the source has let go of its own. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sockets.h"

/* The options' numbers of RFC 9293, 7323 and 2018: the C library has them in a header that cannot
 * be together with the kernel's. */
#define OPTION_MSS 2
#define OPTION_WINDOW 3
#define OPTION_SACK_PERMITTED 4
#define OPTION_TIMESTAMP 8

/* Milliseconds by which the clock of another kernel may be ahead of ours, that had the connections
 * meanwhile. */
#define CLOCK_MARGIN 1000u

static uint32_t clock_went_on; /* since they were saved, ms */

static bool is_connection(const struct made *one)
{
	return one->saved.what == CONNECTED || one->saved.what == ACCEPTED;
}

static bool queue(int fd, int which, const uint8_t *bytes, uint32_t length)
{
	if (length == 0)
		return true;
	if (!socket_set(fd, IPPROTO_TCP, TCP_REPAIR_QUEUE, which))
		return false;
	while (length > 0) {
		ssize_t taken = send(fd, bytes, length, MSG_NOSIGNAL);

		if (taken <= 0)
			return false;
		bytes += taken;
		length -= (uint32_t)taken;
	}
	return true;
}

/* What its clock goes on from. Linux 6.7 and later take the lowest bit for a clock in microseconds,
 * and clear it in what they say; older ones have it in the number. So it is cleared here, and the
 * number is that much larger that it never goes back: net/ipv4/tcp.c, TCP_TIMESTAMP. */
static int clock_of(const struct saved_socket *saved)
{
	return (int)((saved->timestamp + clock_went_on + 2u) & ~1u);
}

/* Its peer takes no packet that is older than the last one, and another kernel may have sent some
 * since. */
void sockets_were_kept(uint64_t for_ns)
{
	clock_went_on = (uint32_t)(for_ns / MS) + CLOCK_MARGIN;
}

static bool set_options(int fd, const struct saved_socket *saved)
{
	struct tcp_repair_opt agreed[4];
	size_t count = 0;

	agreed[count++] = (struct tcp_repair_opt){ OPTION_MSS, saved->mss };
	if (saved->options & TCPI_OPT_WSCALE)
		agreed[count++] = (struct tcp_repair_opt){
			OPTION_WINDOW, saved->send_scale | (uint32_t)saved->receive_scale << 16
		};
	if (saved->options & TCPI_OPT_SACK)
		agreed[count++] = (struct tcp_repair_opt){ OPTION_SACK_PERMITTED, 0 };
	if (saved->options & TCPI_OPT_TIMESTAMPS)
		agreed[count++] = (struct tcp_repair_opt){ OPTION_TIMESTAMP, 0 };
	return setsockopt(fd, IPPROTO_TCP, TCP_REPAIR_OPTIONS, agreed,
			  (socklen_t)(count * sizeof(agreed[0]))) == 0 &&
	       (!(saved->options & TCPI_OPT_TIMESTAMPS) ||
		socket_set(fd, IPPROTO_TCP, TCP_TIMESTAMP, clock_of(saved)));
}

/* It stays deaf and in repair mode: should we end now, its peer hears nothing of it. */
static bool connect_one(const struct made *one)
{
	const struct saved_socket *saved = &one->saved;
	struct sockaddr_in peer = { .sin_family = AF_INET,
				    .sin_addr.s_addr = saved->remote_address,
				    .sin_port = saved->remote_port };
	const uint8_t *sent = one->queues;
	const uint8_t *received = sent + saved->send_length + saved->unsent_length;

	return connect(one->fd, (struct sockaddr *)&peer, sizeof(peer)) == 0 &&
	       set_options(one->fd, saved) &&
	       queue(one->fd, TCP_RECV_QUEUE, received, saved->receive_length) &&
	       queue(one->fd, TCP_SEND_QUEUE, sent, saved->send_length) &&
	       setsockopt(one->fd, IPPROTO_TCP, TCP_REPAIR_WINDOW, &saved->window,
			  sizeof(saved->window)) == 0;
}

/* What a client may have said while nobody listened, it says to one of these. */
static size_t list_flows(struct known_flow **list)
{
	struct known_flow *flows = calloc(made_count + 1, sizeof(*flows));
	size_t count = 0;

	*list = flows;
	for (size_t i = 0; i < made_count && flows; i++) {
		const struct saved_socket *saved = &made[i].saved;

		if (!made[i].taken)
			continue;
		flows[count++] = (struct known_flow){
			.remote_address = saved->remote_address,
			.remote_port = saved->remote_port,
			.local_port = saved->local_port,
			.receive_seq = saved->receive_seq,
			.acknowledged = saved->send_seq - saved->unsent_length - saved->send_length,
		};
	}
	if (count > 0)
		qsort(flows, count, sizeof(*flows), capture_compare);
	return count;
}

void sockets_take(void)
{
	struct known_flow *flows;
	size_t count;

	for (size_t i = 0; i < made_count; i++) {
		if (!is_connection(&made[i]) || made[i].taken)
			continue;
		made[i].taken = connect_one(&made[i]);
		/* the others still can: their clients shall not suffer for this one */
		if (!made[i].taken)
			say("a connection cannot be taken over: %s", strerror(errno));
	}
	count = list_flows(&flows);
	capture_sift(flows, count);
	free(flows);
}

/* From when the workload has them until they hear. */
static bool bequeath(void)
{
	for (size_t i = 0; i < made_count; i++) {
		const struct saved_socket *saved = &made[i].saved;

		if (saved->what == ENDING)
			continue;
		if (!bequest_add(made[i].fd, (struct bequest){
						     .listens = saved->what == LISTENING,
						     .flags = -1,
						     .reuse_address = saved->reuse_address != 0,
						     .reuse_port = saved->reuse_port != 0,
					     }))
			return false;
	}
	return bequest_all_added();
}

bool sockets_adopt(void)
{
	static uint64_t tags[MAX_CARRIED];
	static int fds[MAX_CARRIED];
	size_t count = 0, late = MAX_CARRIED;

	for (size_t i = 0; i < made_count && count < late; i++) {
		size_t to = made[i].saved.what == ACCEPTED ? --late : count++;

		tags[to] = made[i].saved.tag;
		fds[to] = made[i].fd;
	}
	return bequeath() && link_adopt(LINK_ADOPT, tags, fds, count) &&
	       link_adopt(LINK_ACCEPTED, tags + late, fds + late, MAX_CARRIED - late);
}

/* Out of repair mode a connection asks its peer for a sign of life, unless it is told not to: each
 * costs as long as all else that is done for it. It is worth that where the network has to learn
 * where the address is now. On this machine it has nothing to learn: what the peer has said is
 * replayed, and what it has not acknowledged is sent again in its time. */
void sockets_speak(void)
{
	int off = options.address ? 0 : REPAIR_OFF_QUIETLY;

	for (size_t i = 0; i < made_count; i++) {
		const struct made *one = &made[i];
		const uint8_t *unsent = one->queues + one->saved.send_length;

		if (!is_connection(one))
			continue;
		socket_set(one->fd, IPPROTO_TCP, TCP_REPAIR, off);
		if (one->saved.unsent_length > 0 &&
		    send(one->fd, unsent, one->saved.unsent_length, MSG_NOSIGNAL) !=
			    (ssize_t)one->saved.unsent_length)
			say("what a connection had still to send is lost: %s", strerror(errno));
	}
}

void sockets_open(void)
{
	for (size_t i = 0; i < made_count; i++) {
		const struct made *one = &made[i];

		if (one->saved.what == ENDING)
			continue;
		filter_none(one->fd);
		socket_set(one->fd, IPPROTO_IP, IP_FREEBIND, 0);
		if (one->saved.what == LISTENING)
			socket_set(one->fd, SOL_SOCKET, SO_REUSEPORT, one->saved.reuse_port);
	}
	bequest_forget();
	guards_close();
}

void sockets_withdraw(void)
{
	for (size_t i = 0; i < made_count; i++)
		if (made[i].saved.what == LISTENING)
			guard_with(made[i].fd);
	for (size_t i = 0; i < made_count; i++) {
		if (!made[i].taken || !socket_set(made[i].fd, IPPROTO_TCP, TCP_REPAIR, 1))
			continue;
		guard_port(&made[i].saved);
		socket_vanish(made[i].fd);
	}
	for (size_t i = 0; i < made_count; i++) {
		close(made[i].fd);
		made[i].fd = -1;
	}
}

void sockets_replay(void)
{
	struct known_flow *flows;
	size_t count = list_flows(&flows);

	capture_replay(flows, count);
	free(flows);
}

void sockets_carry(void)
{
	for (size_t i = 0; i < made_count; i++) {
		struct carried *carried;

		/* what was not accepted yet, the workload gives itself when it has accepted it */
		if (made[i].saved.what == ACCEPTED)
			continue;
		carried = link_carry(made[i].saved.tag, made[i].fd, true);
		if (!carried)
			continue;
		carried->reuse_address = made[i].saved.reuse_address;
		carried->reuse_port = made[i].saved.reuse_port;
		sockets_share_address(carried);
	}
}
