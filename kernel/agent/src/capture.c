// SPDX-License-Identifier: Apache-2.0
/*
 * Packets that come while a workload's connections have no owner. Its sockets drop them without a
 * word; a client would send them again after its retransmission timeout, 200 ms at the least. So a
 * packet socket keeps a copy, and once the connections are there again the copies are put on the
 * loopback device, where they come in as they did first. One that was taken in all the same is a
 * duplicate, which TCP expects. They go out by a raw socket, whose route to a local address is the
 * loopback device and whose packets need no second look at the way by which they come in.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "morph.h"

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

/* What is kept at most. */
#define RECEIVE_BUFFER (16 << 20)
#define MAX_PACKET 66000

static int capture = -1, out = -1;

/* IPv4, TCP, not a later fragment, destined for one of the ports: see bpf(4) of the BSDs, or
 * Documentation/networking/filter.rst. */
static size_t compile(struct sock_filter *program, const uint16_t *ports, size_t count)
{
	size_t length = 0;

	program[length++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9);
	program[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 0,
							 (uint8_t)(count + 4));
	program[length++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 6);
	program[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x1fff,
							 (uint8_t)(count + 2), 0);
	program[length++] = (struct sock_filter)BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0);
	program[length++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_H | BPF_IND, 2);
	for (size_t i = 0; i < count; i++)
		program[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
								 ports[i], (uint8_t)(count - i), 0);
	program[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
	program[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, MAX_PACKET);
	return length;
}

bool capture_open(const uint16_t *ports, size_t count)
{
	struct sock_filter code[MAX_PORTS + 8];
	struct sock_fprog program = { .filter = code };
	struct sockaddr_ll everywhere = { .sll_family = AF_PACKET,
					  .sll_protocol = htons(ETH_P_IP) };
	int size = RECEIVE_BUFFER, on = 1;

	capture_close();
	if (count > MAX_PORTS)
		return false;
	program.len = (unsigned short)compile(code, ports, count);
	/* protocol 0: nothing comes before the filter is there */
	capture = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (capture < 0)
		return false;
	setsockopt(capture, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(capture, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on));
	if (setsockopt(capture, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ||
	    bind(capture, (struct sockaddr *)&everywhere, sizeof(everywhere)) < 0) {
		capture_close();
		return false;
	}
	return true;
}

static uint32_t sum16(uint32_t sum, const uint8_t *bytes, size_t length)
{
	for (; length > 1; length -= 2, bytes += 2)
		sum += (uint32_t)bytes[0] << 8 | bytes[1];
	return length ? sum + ((uint32_t)bytes[0] << 8) : sum;
}

/* What came over loopback has no checksum yet: the device that would make it does not exist. */
static void make_checksum(uint8_t *packet, size_t length)
{
	struct iphdr ip;
	struct tcphdr tcp;
	size_t head;
	uint32_t sum;

	memcpy(&ip, packet, sizeof(ip));
	head = ip.ihl * 4u;
	memcpy(&tcp, packet + head, sizeof(tcp));
	tcp.check = 0;
	memcpy(packet + head, &tcp, sizeof(tcp));
	sum = sum16(IPPROTO_TCP + (uint32_t)(length - head), packet + 12, 8);
	sum = sum16(sum, packet + head, length - head);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	tcp.check = htons((uint16_t)~sum);
	memcpy(packet + head, &tcp, sizeof(tcp));
}

int capture_compare(const void *one, const void *other)
{
	const struct known_flow *a = one, *b = other;

	if (a->remote_port != b->remote_port)
		return a->remote_port < b->remote_port ? -1 : 1;
	if (a->remote_address != b->remote_address)
		return a->remote_address < b->remote_address ? -1 : 1;
	return a->local_port < b->local_port ? -1 : a->local_port > b->local_port;
}

/* Whether a connection's state holds already what a packet says: bytes that have been received,
 * and an acknowledgement that has been seen. One that only repeats the last may open a window. */
static bool is_old(const uint8_t *packet, size_t length, const struct known_flow *flows,
		   size_t count)
{
	size_t head = (packet[0] & 15u) * 4u, data;
	const struct known_flow *flow;
	struct known_flow key = { 0 };
	struct tcphdr tcp;

	memcpy(&tcp, packet + head, sizeof(tcp));
	if (tcp.syn || tcp.fin || tcp.rst || count == 0)
		return false;
	memcpy(&key.remote_address, packet + 12, sizeof(key.remote_address));
	key.remote_port = tcp.source;
	key.local_port = tcp.dest;
	flow = bsearch(&key, flows, count, sizeof(*flows), capture_compare);
	if (!flow || length < head + tcp.doff * 4u)
		return false;
	data = length - head - tcp.doff * 4u;
	return (int32_t)(ntohl(tcp.seq) + (uint32_t)data - flow->receive_seq) <= 0 &&
	       (int32_t)(ntohl(tcp.ack_seq) - flow->acknowledged) < (data > 0);
}

/* What was caught and is not old, until it is sent: each packet's length, then its bytes. */
static struct blob sifted;

void capture_sift(const struct known_flow *flows, size_t count)
{
	static uint8_t packet[MAX_PACKET];
	ssize_t got;

	if (out < 0 && capture >= 0)
		out = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_RAW);
	while (capture >= 0 && (got = recv(capture, packet, sizeof(packet), MSG_DONTWAIT)) >= 0) {
		size_t length = (size_t)packet[2] << 8 | packet[3];

		if (got < 40 || length > (size_t)got || length < (packet[0] & 15u) * 4 + 20u ||
		    is_old(packet, length, flows, count))
			continue;
		make_checksum(packet, length);
		blob_add(&sifted, &length, sizeof(length));
		blob_add(&sifted, packet, length);
	}
}

void capture_replay(const struct known_flow *flows, size_t count)
{
	struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog closed = { .len = 1, .filter = &nothing };
	const uint8_t *at, *end;
	size_t length;

	/* lest what is sent is caught again */
	if (capture < 0 ||
	    setsockopt(capture, SOL_SOCKET, SO_ATTACH_FILTER, &closed, sizeof(closed)) < 0)
		return;
	capture_sift(flows, count);
	at = sifted.bytes;
	end = at + sifted.length;
	while (at < end && blob_take(&at, end, &length, sizeof(length))) {
		struct sockaddr_in to = { .sin_family = AF_INET };

		memcpy(&to.sin_addr, at + 16, sizeof(to.sin_addr));
		sendto(out, at, length, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof(to));
		at += length;
	}
}

/* Waits for the network's readers: not for where clients wait. */
void capture_close(void)
{
	if (capture >= 0)
		close(capture);
	if (out >= 0)
		close(out);
	capture = out = -1;
	free(sifted.bytes);
	sifted = (struct blob){ 0 };
}
