// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "world.h"

struct connection {
	uint64_t number;
	bool corked;
};

struct options options;
struct workload workload;
struct sent sent, sent_to_peer;
uint64_t world_time_ns = SECOND;
void (*world_sees)(const struct frame *frame);

const char *world_doing = "start";

static struct connection connection = { .number = 1 };
static struct connection peer; /* the target's agent; number 0: is not connected */
static char *command[] = { (char *)"workload", NULL };
static int workload_end = -1;
static bool made_ready;

void world_fail(const char *file, int line, const char *condition)
{
	fprintf(stderr, "%s: %s:%d: %s does not hold\n", world_doing, file, line, condition);
	abort();
}

/* main.c */

void watch_add(struct watch *watch, uint32_t events)
{
	(void)events;
	MUST(watch->fd >= 0 && watch->ready);
}

void watch_change(struct watch *watch, uint32_t events)
{
	(void)events;
	MUST(watch->fd >= 0);
}

void watch_close(struct watch *watch)
{
	close(watch->fd);
	watch->fd = -1;
}

void checks_add(const char *path)
{
	(void)path;
}

void checks_forget(void)
{
}

void checks_run(void)
{
}

bool checks_are_over(void)
{
	return true;
}

bool checks_found(size_t number, bool *passed, char *text, size_t most)
{
	(void)number;
	(void)passed;
	(void)text;
	(void)most;
	return false;
}

void network_take(void)
{
}

void network_give_up(void)
{
}

void urgency_restore(void)
{
}

void urgency_bulk(uint64_t for_ns)
{
	(void)for_ns;
}

void urgency_freeze(uint64_t for_ns)
{
	(void)for_ns;
}

void urgency_hurry(pid_t pid)
{
	(void)pid;
}

void urgency_usual(void)
{
}

void die(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	abort();
}

void say(const char *format, ...)
{
	char text[512];
	va_list arguments;

	/* what it would write is made, so that its arguments are looked at */
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
}

uint64_t boot_ns(void)
{
	return world_time_ns;
}

uint64_t now_ns(void)
{
	return world_time_ns;
}

enum kmp_agent_state agent_state(void)
{
	return morph_busy() ? KMP_AGENT_MORPHING : KMP_AGENT_READY;
}

/* connection.c */

struct connection *world_connection(void)
{
	return &connection;
}

struct connection *world_peer(void)
{
	return &peer;
}

struct connection *connection_find(uint64_t number)
{
	if (number == 0)
		return NULL;
	return number == connection.number ? &connection : number == peer.number ? &peer : NULL;
}

struct connection *connection_open(const char *path)
{
	static uint64_t numbers = 1;

	if (strcmp(path, WORLD_PEER) != 0) {
		errno = ENOENT;
		return NULL;
	}
	peer.number = ++numbers;
	return &peer;
}

void connection_close(struct connection *one)
{
	MUST(one == &peer && peer.number != 0);
	peer.number = 0;
}

void connection_cork(struct connection *one)
{
	MUST(!one->corked);
	one->corked = true;
}

void connection_uncork(struct connection *one)
{
	MUST(one->corked);
	one->corked = false;
}

uint64_t connection_number(const struct connection *one)
{
	return one->number;
}

/* The bytes before the items; what docs/kmp.md says of each message that an agent sends. */
static size_t fixed_part(uint16_t type, const uint8_t *payload, size_t length)
{
	struct kmp_morph_transfer transfer;
	struct kmp_vmcore_data data;

	switch (type) {
	case KMP_HEARTBEAT_RSP:
		return sizeof(struct kmp_heartbeat_rsp);
	case KMP_HEALTH_STATUS:
		return sizeof(struct kmp_health_status);
	case KMP_RECOVER_PREPARE | KMP_ANSWER:
	case KMP_RECOVER_RECLAIM | KMP_ANSWER:
	case KMP_RECOVER_COMPLETE | KMP_ANSWER:
	case KMP_VMCORE_COMPLETE | KMP_ANSWER:
	case KMP_MORPH_PREPARE | KMP_ANSWER:
	case KMP_MORPH_NEGOTIATE | KMP_ANSWER:
	case KMP_MORPH_VALIDATE | KMP_ANSWER:
	case KMP_MORPH_ROLLBACK | KMP_ANSWER:
		return sizeof(struct kmp_operation_rsp);
	case KMP_MORPH_COMMIT | KMP_ANSWER:
		return sizeof(struct kmp_commit_rsp);
	case KMP_MORPH_TRANSFER_STATE | KMP_ANSWER:
		/* an operation that is over is answered by its state alone */
		return length < sizeof(struct kmp_ack) ? sizeof(struct kmp_operation_rsp)
						       : sizeof(struct kmp_ack);
	case KMP_MORPH_TRANSFER_STATE:
		MUST(length >= sizeof(transfer));
		memcpy(&transfer, payload, sizeof(transfer));
		return sizeof(transfer) + transfer.extent_count * sizeof(struct kmp_extent) +
		       transfer.data_len;
	case KMP_VMCORE_START | KMP_ANSWER:
		return sizeof(struct kmp_ack);
	case KMP_VMCORE_DATA:
		MUST(length >= sizeof(data));
		memcpy(&data, payload, sizeof(data));
		MUST(data.extent_count > 0 && data.extent_count <= KMP_MAX_EXTENTS);
		MUST(data.raw_len <= KMP_MAX_CHUNK_BYTES && data.data_len == data.raw_len);
		return sizeof(data) + data.extent_count * sizeof(struct kmp_extent) + data.data_len;
	case KMP_VMCORE_COMPLETE:
		return sizeof(struct kmp_vmcore_complete);
	case KMP_MORPH_VALIDATE:
		return sizeof(struct kmp_morph_validate);
	case KMP_MORPH_COMMIT:
		return sizeof(struct kmp_morph_commit);
	case KMP_ERROR:
		return sizeof(struct kmp_error);
	case KMP_RETRY:
		return sizeof(struct kmp_retry);
	default:
		fprintf(stderr, "an agent does not send messages of type %#x\n", type);
		abort();
	}
}

void connection_send(struct connection *to, uint8_t *bytes, uint16_t type, uint32_t sequence,
		     size_t payload_length)
{
	struct sent *sent_to = to == &peer ? &sent_to_peer : &sent;
	struct frame frame;
	size_t fixed, at;

	MUST(to == &connection || (to == &peer && peer.number));
	MUST(payload_length <= frame_limit(type));
	frame_seal(bytes, type, sequence, (uint32_t)payload_length, world_time_ns);
	MUST(frame_parse(bytes, KMP_HEADER_LEN + payload_length, &frame) == FRAME_WHOLE);
	fixed = fixed_part(type, frame.payload, payload_length);
	MUST(payload_length >= fixed);
	MUST(items_are_well_formed(frame.payload + fixed, payload_length - fixed, &at));
	sent_to->header = frame.header;
	memcpy(sent_to->payload, frame.payload, payload_length);
	sent_to->count++;
	if (world_sees)
		world_sees(&frame);
}

bool connection_send_bulk(struct connection *to, uint8_t *bytes, uint16_t type, uint32_t sequence,
			  size_t payload_length)
{
	connection_send(to, bytes, type, sequence, payload_length);
	return true;
}

void connections_broadcast(uint8_t *bytes, uint16_t type, size_t payload_length)
{
	connection_send(&connection, bytes, type, 1, payload_length);
}

static void hear(struct connection *from, uint16_t type, uint32_t sequence, const void *payload,
		 size_t length)
{
	static uint8_t bytes[KMP_HEADER_LEN + KMP_MAX_PAYLOAD_BYTES];
	struct frame frame;

	MUST(length <= frame_limit(type));
	memcpy(bytes + KMP_HEADER_LEN, payload, length);
	frame_seal(bytes, type, sequence, (uint32_t)length, 0);
	MUST(frame_parse(bytes, KMP_HEADER_LEN + length, &frame) == FRAME_WHOLE);
	answer(from, &frame);
}

void world_hear(uint16_t type, const void *payload, size_t length)
{
	static uint32_t sequence;

	hear(&connection, type, ++sequence, payload, length);
}

void world_answer(uint16_t type, uint32_t sequence, const void *payload, size_t length)
{
	hear(&connection, type, sequence, payload, length);
}

void world_reconnect(void)
{
	connection.number += 1000000;
}

void world_hear_from_peer(uint16_t type, uint32_t sequence, const void *payload, size_t length)
{
	MUST(peer.number);
	hear(&peer, type, sequence, payload, length);
}

void world_lose_peer(void)
{
	uint64_t number = peer.number;

	peer.number = 0;
	flow_lost(number);
}

/* workload.c, with a workload that never was a process */

static void become(enum kmp_workload_state state)
{
	workload.state = state;
	workload.since_ns = world_time_ns;
}

void world_open_link(bool successor)
{
	if (workload_end >= 0)
		close(workload_end);
	workload_end = link_open(successor);
	MUST(workload_end >= 0);
}

void workload_open(void)
{
}

bool workload_is_over(void)
{
	return workload.pid == 0;
}

void workload_stop(uint64_t grace_ns)
{
	(void)grace_ns;
	workload.pid = 0;
	become(KMP_WORKLOAD_STOPPED);
}

bool workload_reaped(pid_t pid, int status)
{
	(void)pid;
	(void)status;
	return false;
}

uint64_t workload_tick(void)
{
	return UINT64_MAX;
}

void workload_hold_again(void)
{
	become(KMP_WORKLOAD_HELD);
}

bool workload_stop_running(uint64_t until)
{
	MUST(until > 0);
	return workload.pid != 0;
}

bool workload_freeze(void)
{
	MUST(workload.pid != 0);
	become(KMP_WORKLOAD_FROZEN);
	return true;
}

void workload_thaw(void)
{
	if (workload.state == KMP_WORKLOAD_FROZEN)
		become(KMP_WORKLOAD_RUNNING);
}

void workload_end_now(void)
{
	become(KMP_WORKLOAD_STOPPED);
}

int world_blob(off_t bytes, int seals)
{
	int blob = memfd_create("blob", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	MUST(blob >= 0 && ftruncate(blob, bytes) == 0 && fcntl(blob, F_ADD_SEALS, seals) == 0);
	return blob;
}

bool workload_make_ready(void)
{
	struct kmorph_message hello = { .type = LINK_HELLO, .value = KMORPH_LINK_VERSION };
	struct kmorph_message ready = { .type = LINK_READY };
	int blob = world_blob(KMORPH_BLOB_BYTES, F_SEAL_SHRINK);

	world_open_link(true);
	made_ready = true;
	world_workload_says(&hello, blob);
	world_workload_says(&ready, -1);
	close(blob);
	return true;
}

bool workload_is_made_ready(void)
{
	return made_ready;
}

void workload_drop_ready(void)
{
	if (made_ready)
		link_close();
	made_ready = false;
}

void workload_hurry(void)
{
}

void workload_hurry_ready(void)
{
}

void workload_activate(void)
{
	made_ready = false;
	workload.pid = getpid();
	workload.starts++;
	become(KMP_WORKLOAD_RUNNING);
}

void world_workload_says(const struct kmorph_message *message, int fd)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { .head = { .cmsg_level = SOL_SOCKET,
				.cmsg_type = SCM_RIGHTS,
				.cmsg_len = CMSG_LEN(sizeof(int)) } };
	struct iovec part = { .iov_base = (void *)(uintptr_t)message, .iov_len = sizeof(*message) };
	struct msghdr packet = { .msg_iov = &part, .msg_iovlen = 1 };

	if (workload_link.watch.fd < 0)
		return;
	if (fd >= 0) {
		memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
		packet.msg_control = &control;
		packet.msg_controllen = sizeof(control);
	}
	MUST(sendmsg(workload_end, &packet, MSG_NOSIGNAL) == sizeof(*message));
	workload_link.watch.ready(&workload_link.watch, EPOLLIN);
}

void world_workload_says_unheard(const struct kmorph_message *message)
{
	MUST(send(workload_end, message, sizeof(*message), MSG_NOSIGNAL) == sizeof(*message));
}

bool world_workload_hears(struct kmorph_message *message)
{
	return workload_end >= 0 &&
	       recv(workload_end, message, sizeof(*message), MSG_DONTWAIT) == sizeof(*message);
}

static void bring_state(void)
{
	struct kmorph_message hello = { .type = LINK_HELLO,
					.value = KMORPH_LINK_VERSION,
					.id = (uint32_t)getpid() };
	struct kmorph_message memory = { .type = LINK_REGION, .size = 16 * PAGE, .name = "heap" };
	struct kmorph_message ready = { .type = LINK_READY };
	int blob = world_blob(KMORPH_BLOB_BYTES, F_SEAL_SHRINK);
	int heap = memfd_create("heap", MFD_CLOEXEC);

	MUST(heap >= 0 && ftruncate(heap, 16 * PAGE) == 0);
	world_open_link(false);
	world_workload_says(&hello, blob);
	world_workload_says(&memory, heap);
	world_workload_says(&ready, -1);
	close(blob);
	close(heap);
}

void world_reset(enum kmp_workload_state state)
{
	struct kmp_morph_rollback undo = { .cause = KMP_CAUSE_OPERATOR };

	if (morph_busy()) {
		memcpy(undo.operation, morph.operation, sizeof(undo.operation));
		world_hear(KMP_MORPH_ROLLBACK, &undo, sizeof(undo));
	}
	workload_drop_ready();
	sockets_forget();
	flow_forget();
	peer.number = 0;
	guards_close();
	link_close();
	regions_forget();
	morph = (struct morph){ 0 };
	survivor_forget();
	share_forget();
	options.instance = 7;
	options.workload = command;
	options.local = true;
	workload = (struct workload){ .exit_status = -1 };
	become(state);
	if (state != KMP_WORKLOAD_RUNNING)
		return;
	workload.pid = getpid();
	workload.starts = 1;
	bring_state();
}
