// SPDX-License-Identifier: Apache-2.0
/*
 * Another instance has failed, and this one survives it: docs/kmp.md, "Recovery". Nothing more is
 * dealt out to the one that failed, no workload moves to it, and the workload here is told, if it
 * asked. All of it is forgotten with the agent.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "morph.h"

/* What is known of a failure, and what the workload was told of it: in this order. */
#define KNOWN_FAILED (1u << 0)
#define KNOWN_GONE (1u << 1)
#define KNOWN_OVER (1u << 2)

#define NAME_BYTES (KMP_MAX_NAME_BYTES + 1)

struct recovery {
	uint8_t operation[16];
	uint32_t instance, successor;
	uint8_t state; /* KMP_OP_UNKNOWN: the slot is free */
	uint8_t known, told;
	char name[NAME_BYTES], successor_name[NAME_BYTES];
};

static struct recovery recoveries[KMP_REMEMBERED_OPERATIONS];
static size_t recoveries_next;
static const struct recovery *latest;

struct peer {
	uint32_t instance;
	char name[NAME_BYTES];
};

/* Who is called what. */
static struct {
	uint64_t generation;
	struct peer *peers;
	size_t count;
} topology;

static struct recovery *find(const uint8_t *operation)
{
	for (size_t i = 0; i < KMP_REMEMBERED_OPERATIONS; i++)
		if (recoveries[i].state != KMP_OP_UNKNOWN &&
		    memcmp(recoveries[i].operation, operation, sizeof(recoveries[i].operation)) ==
			    0)
			return &recoveries[i];
	return NULL;
}

static const struct peer *peer_of(uint32_t instance)
{
	for (size_t i = 0; i < topology.count; i++)
		if (topology.peers[i].instance == instance)
			return &topology.peers[i];
	return NULL;
}

static void name_of(uint32_t instance, char name[NAME_BYTES])
{
	const struct peer *peer = peer_of(instance);

	if (peer)
		memcpy(name, peer->name, NAME_BYTES);
}

bool survivor_knows_failed(uint32_t instance)
{
	for (size_t i = 0; i < KMP_REMEMBERED_OPERATIONS; i++)
		if (recoveries[i].known & KNOWN_FAILED && recoveries[i].instance == instance)
			return true;
	return false;
}

bool survivor_operation(struct kmp_i_operation *item)
{
	if (!latest)
		return false;
	memcpy(item->operation, latest->operation, sizeof(item->operation));
	item->role = KMP_ROLE_SURVIVOR;
	item->state = latest->state;
	return true;
}

/* The workload may not listen now: then it is told at the next tick. */
static bool tell(const struct recovery *recovery, uint8_t what)
{
	struct kmorph_message message = { .type = LINK_PEER, .id = recovery->instance };
	const char *name = what == KNOWN_OVER ? recovery->successor_name : recovery->name;

	message.value = what == KNOWN_FAILED ? KMORPH_PEER_FAILED
			: what == KNOWN_GONE ? KMORPH_PEER_GONE
					     : KMORPH_PEER_OVER;
	message.size = what == KNOWN_OVER ? recovery->successor : KMORPH_NOBODY;
	memcpy(message.name, name, sizeof(message.name));
	return link_offer(&message);
}

/* False when it does not listen now. */
static bool tell_all(struct recovery *recovery)
{
	static const uint8_t order[] = { KNOWN_FAILED, KNOWN_GONE, KNOWN_OVER };

	for (size_t i = 0; i < sizeof(order); i++) {
		if (!(recovery->known & order[i]) || recovery->told & order[i])
			continue;
		if (!tell(recovery, order[i]))
			return false;
		recovery->told |= order[i];
	}
	return true;
}

void survivor_tick(void)
{
	if (!workload_link.follows)
		return;
	/* from the oldest on */
	for (size_t i = 0; i < KMP_REMEMBERED_OPERATIONS; i++)
		if (!tell_all(&recoveries[(recoveries_next + i) % KMP_REMEMBERED_OPERATIONS]))
			return;
}

void survivor_followed(void)
{
	for (size_t i = 0; i < KMP_REMEMBERED_OPERATIONS; i++)
		recoveries[i].told = 0;
	survivor_tick();
}

/* Stops dealing with it. */
static void turn_away(struct recovery *recovery)
{
	if (recovery->known & KNOWN_FAILED)
		return;
	recovery->known |= KNOWN_FAILED;
	name_of(recovery->instance, recovery->name);
	say("instance %u%s%s has failed: nothing more is sent to it", recovery->instance,
	    recovery->name[0] ? ", " : "", recovery->name);
	morph_peer_failed(recovery->instance);
}

static void become(struct recovery *recovery, uint8_t state)
{
	if (recovery->state < state)
		recovery->state = state;
}

static void reply(struct connection *connection, const struct kmp_header *header,
		  const struct recovery *recovery)
{
	uint8_t bytes[KMP_HEADER_LEN + sizeof(struct kmp_operation_rsp)];
	struct kmp_operation_rsp answer = { .state = recovery->state };

	memcpy(answer.operation, recovery->operation, sizeof(answer.operation));
	memcpy(bytes + KMP_HEADER_LEN, &answer, sizeof(answer));
	connection_send(connection, bytes, header->msg_type | KMP_ANSWER, header->sequence,
			sizeof(answer));
	survivor_tick();
}

/* The recovery that a message is of, new or not; NULL when the answer is given already. */
static struct recovery *recovery_of(struct connection *connection, const struct kmp_header *header,
				    const uint8_t *operation, uint32_t instance)
{
	struct recovery *known = find(operation);

	if (instance == options.instance || (known && known->instance != instance)) {
		answer_error(connection, header, KMP_E_WRONG_STATE,
			     known ? known->state : KMP_OP_UNKNOWN,
			     known ? "this recovery is of another instance"
				   : "this is the instance that is said to have failed");
		return NULL;
	}
	if (!known) {
		known = &recoveries[recoveries_next++ % KMP_REMEMBERED_OPERATIONS];
		*known = (struct recovery){ .instance = instance, .successor = KMP_NO_INSTANCE };
		memcpy(known->operation, operation, sizeof(known->operation));
	}
	latest = known;
	return known;
}

static void malformed(struct connection *connection, const struct kmp_header *header, size_t at)
{
	answer_error(connection, header, KMP_E_MALFORMED, at, NULL);
}

static void prepare(struct connection *connection, const struct frame *frame)
{
	struct kmp_recover_prepare message;
	struct recovery *recovery;

	if (!well_formed(connection, frame, sizeof(message)))
		return;
	memcpy(&message, frame->payload, sizeof(message));
	if (message.cause < KMP_CAUSE_SILENCE || message.cause > KMP_CAUSE_OPERATOR) {
		malformed(connection, &frame->header, offsetof(struct kmp_recover_prepare, cause));
		return;
	}
	recovery =
		recovery_of(connection, &frame->header, message.operation, message.failed_instance);
	if (!recovery)
		return;
	turn_away(recovery);
	become(recovery, KMP_OP_PREPARED);
	reply(connection, &frame->header, recovery);
}

/* The offset of an item whose value is shorter than its structure; 0 when there is none. */
static size_t short_item(const struct frame *frame, size_t fixed, uint16_t type, size_t size)
{
	size_t at = fixed, next = 0;
	const struct kmp_item *item;

	while ((item = kmp_next_item(frame->payload + fixed, frame->header.payload_len - fixed,
				     &next))) {
		if (item->type == type && item->len < size)
			return at;
		at = fixed + next;
	}
	return 0;
}

static void reclaim(struct connection *connection, const struct frame *frame)
{
	struct kmp_recover_reclaim message;
	struct recovery *recovery;
	size_t at;

	if (!well_formed(connection, frame, sizeof(message)))
		return;
	at = short_item(frame, sizeof(message), KMP_I_MEMORY_RANGE,
			sizeof(struct kmp_i_memory_range));
	if (!at)
		at = short_item(frame, sizeof(message), KMP_I_CPU_RANGE,
				sizeof(struct kmp_i_cpu_range));
	if (!at)
		at = short_item(frame, sizeof(message), KMP_I_DEVICE, sizeof(struct kmp_i_device));
	if (at) {
		malformed(connection, &frame->header, at);
		return;
	}
	memcpy(&message, frame->payload, sizeof(message));
	recovery =
		recovery_of(connection, &frame->header, message.operation, message.failed_instance);
	if (!recovery)
		return;
	turn_away(recovery);
	recovery->known |= KNOWN_GONE;
	become(recovery, KMP_OP_RECLAIMED);
	reply(connection, &frame->header, recovery);
}

static void read_peer(struct peer *peer, const struct kmp_item *item)
{
	struct kmp_i_instance head;

	memcpy(&head, item + 1, sizeof(head));
	*peer = (struct peer){ .instance = head.instance_id };
	memcpy(peer->name, (const uint8_t *)(item + 1) + sizeof(head), item->len - sizeof(head));
}

/* The offset of an INSTANCE that is malformed; 0 when there is none. */
static size_t bad_instance(const struct frame *frame, size_t fixed)
{
	size_t at = fixed, next = 0;
	const struct kmp_item *item;

	while ((item = kmp_next_item(frame->payload + fixed, frame->header.payload_len - fixed,
				     &next))) {
		if (item->type == KMP_I_INSTANCE &&
		    (item->len < sizeof(struct kmp_i_instance) ||
		     item->len - sizeof(struct kmp_i_instance) > KMP_MAX_NAME_BYTES))
			return at;
		at = fixed + next;
	}
	return 0;
}

/* False when there is no memory for it. */
static bool take_topology(const struct frame *frame, size_t fixed, uint64_t generation)
{
	const uint8_t *items = frame->payload + fixed;
	size_t length = frame->header.payload_len - fixed, next = 0, count = 0;
	const struct kmp_item *item;
	struct peer *peers;

	if (generation <= topology.generation)
		return true;
	while ((item = kmp_next_item(items, length, &next)))
		count += item->type == KMP_I_INSTANCE;
	peers = calloc(count ? count : 1, sizeof(*peers));
	if (!peers)
		return false;
	free(topology.peers);
	topology.generation = generation;
	topology.peers = peers;
	topology.count = 0;
	next = 0;
	while ((item = kmp_next_item(items, length, &next)))
		if (item->type == KMP_I_INSTANCE)
			read_peer(&peers[topology.count++], item);
	return true;
}

static void end(struct recovery *recovery, const struct kmp_recover_complete *message)
{
	if (recovery->known & KNOWN_OVER)
		return;
	if (message->outcome == KMP_OUTCOME_CANCELLED) {
		/* it was none: it may be dealt with again */
		recovery->known &= (uint8_t)~KNOWN_FAILED;
	} else {
		turn_away(recovery);
	}
	recovery->known |= KNOWN_OVER;
	recovery->successor = message->successor_instance;
	name_of(recovery->successor, recovery->successor_name);
	if (recovery->successor == KMP_NO_INSTANCE)
		say("instance %u: its recovery is over, nobody does its work", recovery->instance);
	else
		say("instance %u: its recovery is over, instance %u%s%s does its work",
		    recovery->instance, recovery->successor,
		    recovery->successor_name[0] ? ", " : "", recovery->successor_name);
}

static void complete(struct connection *connection, const struct frame *frame)
{
	struct kmp_recover_complete message;
	struct recovery *recovery;
	size_t at;

	if (!well_formed(connection, frame, sizeof(message)))
		return;
	memcpy(&message, frame->payload, sizeof(message));
	at = message.outcome < KMP_OUTCOME_DONE || message.outcome > KMP_OUTCOME_CANCELLED
		     ? offsetof(struct kmp_recover_complete, outcome)
		     : bad_instance(frame, sizeof(message));
	if (at) {
		malformed(connection, &frame->header, at);
		return;
	}
	recovery =
		recovery_of(connection, &frame->header, message.operation, message.failed_instance);
	if (!recovery)
		return;
	if (!take_topology(frame, sizeof(message), message.generation))
		say("no memory for a topology of %u bytes", frame->header.payload_len);
	end(recovery, &message);
	become(recovery, KMP_OP_COMPLETE);
	reply(connection, &frame->header, recovery);
}

void survivor_answer(struct connection *connection, const struct frame *frame)
{
	if (frame->header.msg_type == KMP_RECOVER_PREPARE)
		prepare(connection, frame);
	else if (frame->header.msg_type == KMP_RECOVER_RECLAIM)
		reclaim(connection, frame);
	else
		complete(connection, frame);
}

void survivor_forget(void)
{
	memset(recoveries, 0, sizeof(recoveries));
	recoveries_next = 0;
	latest = NULL;
	free(topology.peers);
	memset(&topology, 0, sizeof(topology));
}
