// SPDX-License-Identifier: Apache-2.0
/*
 * Where this agent stands in a morph, as the source of one or as its target: docs/kmp.md, "Morph".
 * The workload is the source's until it has answered RELEASED, and the target's from ACTIVATE on.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "morph.h"

/* A workload that has just been started may be about to say hello. */
#define BEGIN_PATIENCE (2 * SECOND)
#define BEGIN_DELAY_MS 300

struct finished {
	uint8_t operation[16];
	uint8_t role, state;
	uint64_t since_ns;
};

struct morph morph;

static struct finished finished[KMP_REMEMBERED_OPERATIONS];
static size_t finished_next;
static struct finished released; /* remembered for ever: rule 4 */

static uint64_t expires_ns, heard_at;

static struct {
	const char *name;
	uint32_t took_us;
} steps[MAX_STEPS];
static size_t step_count;
static uint64_t step_since;

void asked_note(struct asked *asked, struct connection *connection, const struct kmp_header *header,
		uint64_t patience)
{
	asked->connection = connection_number(connection);
	asked->header = *header;
	asked->until = now_ns() + patience;
	asked->there = true;
}

void steps_begin(void)
{
	step_count = 0;
	step_since = now_ns();
}

void step_done(const char *name)
{
	uint64_t now = now_ns();

	if (step_count < MAX_STEPS) {
		steps[step_count].name = name;
		steps[step_count++].took_us = (uint32_t)((now - step_since) / 1000);
	}
	step_since = now;
}

bool morph_is_over(uint8_t state)
{
	return state >= KMP_OP_RELEASED && state <= KMP_OP_ROLLED_BACK;
}

bool morph_busy(void)
{
	return morph.role != 0 && !morph_is_over(morph.state);
}

uint64_t morph_capabilities(void)
{
	return KMP_CAP_MORPH_SOURCE | KMP_CAP_MORPH_TARGET | KMP_CAP_XXH64 | KMP_CAP_ZSTD |
	       memory_capabilities();
}

static const struct finished *remembered(const uint8_t *operation)
{
	if (released.state && memcmp(released.operation, operation, 16) == 0)
		return &released;
	for (size_t i = 0; i < KMP_REMEMBERED_OPERATIONS; i++)
		if (finished[i].state && memcmp(finished[i].operation, operation, 16) == 0)
			return &finished[i];
	return NULL;
}

static void remember(const uint8_t *operation, uint8_t role, uint8_t state)
{
	struct finished *slot = NULL;

	for (size_t i = 0; i < KMP_REMEMBERED_OPERATIONS && !slot; i++)
		if (finished[i].state && memcmp(finished[i].operation, operation, 16) == 0)
			slot = &finished[i]; /* it was active, and was given back */
	if (!slot)
		slot = &finished[finished_next++ % KMP_REMEMBERED_OPERATIONS];
	*slot = (struct finished){ .role = role, .state = state, .since_ns = boot_ns() };
	memcpy(slot->operation, operation, 16);
	if (state == KMP_OP_RELEASED)
		released = *slot;
}

void morph_become(uint8_t state)
{
	if (morph.state == state)
		return;
	morph.state = state;
	morph.since_ns = boot_ns();
	if (morph_is_over(state))
		remember(morph.operation, morph.role, state);
}

size_t morph_head(uint8_t *payload, uint8_t verdict)
{
	struct kmp_operation_rsp head = { .state = morph.state, .verdict = verdict };

	memcpy(head.operation, morph.operation, sizeof(head.operation));
	memcpy(payload, &head, sizeof(head));
	return sizeof(head);
}

size_t morph_add(uint8_t *payload, size_t length, uint16_t type, const void *value, size_t size)
{
	return item_add(payload, length, MORPH_ANSWER - KMP_HEADER_LEN, type, value, size);
}

size_t morph_add_check(uint8_t *payload, size_t length, bool passed, uint32_t took_us,
		       const char *name, const char *found)
{
	struct {
		struct kmp_i_check head;
		char text[240];
	} KMP_PACKED item = { .head = { .verdict = passed ? KMP_VERDICT_YES : KMP_VERDICT_NO,
					.duration_us = took_us } };

	snprintf(item.text, sizeof(item.text), "%s: %s", name, found);
	return morph_add(payload, length, KMP_I_CHECK, &item,
			 sizeof(item.head) + strlen(item.text));
}

bool morph_operation(struct kmp_i_operation *item)
{
	if (morph.role == 0)
		return false;
	memcpy(item->operation, morph.operation, sizeof(item->operation));
	item->role = morph.role;
	item->state = morph.state;
	item->lease_left_us = freeze_lease_left_us();
	return true;
}

void morph_send_operation(struct connection *connection, const struct kmp_header *header,
			  uint8_t verdict)
{
	uint8_t bytes[KMP_HEADER_LEN + sizeof(struct kmp_operation_rsp)];

	morph_head(bytes + KMP_HEADER_LEN, verdict);
	connection_send(connection, bytes, header->msg_type | KMP_ANSWER, header->sequence,
			sizeof(struct kmp_operation_rsp));
}

/* An operation that is not the present one: what it came to, if it is known. */
static void send_past(struct connection *connection, const struct kmp_header *header,
		      const uint8_t *operation, const struct finished *past)
{
	uint8_t bytes[KMP_HEADER_LEN + sizeof(struct kmp_commit_rsp)];
	struct kmp_commit_rsp answer = { .head.state = past ? past->state : KMP_OP_UNKNOWN,
					 .since_ns = past ? past->since_ns : 0 };

	memcpy(answer.head.operation, operation, 16);
	memcpy(bytes + KMP_HEADER_LEN, &answer, sizeof(answer));
	connection_send(connection, bytes, header->msg_type | KMP_ANSWER, header->sequence,
			header->msg_type == KMP_MORPH_COMMIT ? sizeof(answer)
							     : sizeof(answer.head));
}

void morph_send_commit(struct connection *connection, const struct kmp_header *header)
{
	static uint8_t bytes[MORPH_ANSWER];
	uint8_t *payload = bytes + KMP_HEADER_LEN;
	struct kmp_commit_rsp answer = { .lease_left_us = freeze_lease_left_us(),
					 .since_ns = morph.since_ns };
	size_t length = sizeof(answer);

	morph_head((uint8_t *)&answer.head, KMP_VERDICT_NONE);
	memcpy(payload, &answer, sizeof(answer));
	for (size_t i = 0; i < step_count; i++)
		length = morph_add_check(payload, length, true, steps[i].took_us, "step",
					 steps[i].name);
	if (morph.state == KMP_OP_ACTIVE) {
		struct kmp_i_workload item = workload_item();

		length = morph_add(payload, length, KMP_I_WORKLOAD, &item, sizeof(item));
	}
	connection_send(connection, bytes, KMP_MORPH_COMMIT | KMP_ANSWER, header->sequence, length);
}

void morph_wrong_state(struct connection *connection, const struct kmp_header *header,
		       const char *text)
{
	answer_error(connection, header, KMP_E_WRONG_STATE, morph.state, text);
}

/* Whatever was begun is undone. */
static void drop(void)
{
	if (morph.role == KMP_ROLE_SOURCE) {
		freeze_undo();
		return;
	}
	validate_forget();
	activate_forget();
	workload_drop_ready();
	sockets_forget();
	intake_forget();
	morph_become(KMP_OP_ROLLED_BACK);
}

/* It has not come to kmorph_begin yet, though it may. */
static bool workload_is_beginning(void)
{
	return workload.state == KMP_WORKLOAD_RUNNING && !workload_link.ready &&
	       workload_link.watch.fd >= 0 &&
	       (workload_link.pid != 0 || boot_ns() - workload.since_ns < BEGIN_PATIENCE);
}

static void ask_for_patience(struct connection *connection, const struct kmp_header *header)
{
	uint8_t bytes[KMP_HEADER_LEN + sizeof(struct kmp_retry)];
	struct kmp_retry retry = { .delay_ms = BEGIN_DELAY_MS,
				   .request_type = header->msg_type,
				   .code = KMP_E_BUSY };

	memcpy(bytes + KMP_HEADER_LEN, &retry, sizeof(retry));
	connection_send(connection, bytes, KMP_RETRY, header->sequence, sizeof(retry));
}

static void begin(const struct kmp_morph_prepare *message)
{
	morph = (struct morph){ .role = message->role,
				.cold = message->flags & KMP_PREPARE_COLD,
				.peer = message->peer_instance,
				.since_ns = boot_ns() };
	memcpy(morph.operation, message->operation, 16);
	expires_ns = message->expires_ms * MS;
	validate_forget();
	activate_forget();
	freeze_forget();
	step_count = 0;
}

/* What was released comes back, to the state that was kept of it: as a target that has received all
 * of it. The operation in which it was released stays RELEASED. */
static void prepare_kept(struct connection *connection, const struct frame *frame,
			 const struct kmp_morph_prepare *message)
{
	uint64_t for_ns = boot_ns() - morph.since_ns;
	uint16_t digest = morph.digest;

	if (message->role != KMP_ROLE_TARGET || morph.role != KMP_ROLE_SOURCE || morph.cold ||
	    morph.state != KMP_OP_RELEASED || !flow_keeps_all()) {
		answer_error(connection, &frame->header, KMP_E_EXPIRED, 0,
			     "no state of a workload that was released is kept here");
		return;
	}
	if (!workload_is_over()) {
		ask_for_patience(connection, &frame->header);
		return;
	}
	flow_forget();
	begin(message);
	morph.digest = digest;
	for (size_t i = 0; i < region_count; i++) {
		regions[i].round = 1;
		regions[i].ended = regions[i].final = true;
	}
	sockets_were_kept(for_ns);
	workload_hold_again();
	morph_become(KMP_OP_TRANSFERRING);
	if (!workload_make_ready()) {
		drop();
		answer_error(connection, &frame->header, KMP_E_NO_WORKLOAD, 0,
			     "the workload cannot be started here");
		return;
	}
	morph_send_operation(connection, &frame->header, KMP_VERDICT_NONE);
}

static void prepare(struct connection *connection, const struct frame *frame)
{
	struct kmp_morph_prepare message;
	const struct finished *past;
	bool cold;

	memcpy(&message, frame->payload, sizeof(message));
	cold = message.flags & KMP_PREPARE_COLD;
	past = remembered(message.operation);
	if (past) {
		send_past(connection, &frame->header, message.operation, past);
		return;
	}
	if (message.expires_ms < 1 ||
	    (message.role != KMP_ROLE_SOURCE && message.role != KMP_ROLE_TARGET)) {
		answer_error(connection, &frame->header, KMP_E_MALFORMED,
			     offsetof(struct kmp_morph_prepare, role), NULL);
		return;
	}
	if (morph_busy() && memcmp(morph.operation, message.operation, 16) == 0) {
		expires_ns = message.expires_ms * MS;
		morph_send_operation(connection, &frame->header, KMP_VERDICT_NONE);
		return;
	}
	if (morph_busy() || activate_is_beginning()) {
		answer_error(connection, &frame->header, KMP_E_BUSY, 0,
			     morph_busy() ? "another morph is under way"
					  : "the workload has not begun here yet");
		return;
	}
	if (message.flags & KMP_PREPARE_KEPT) {
		prepare_kept(connection, frame, &message);
		return;
	}
	if (message.role == KMP_ROLE_SOURCE && !cold && workload_is_beginning()) {
		ask_for_patience(connection, &frame->header);
		return;
	}
	if (message.role == KMP_ROLE_SOURCE &&
	    (workload.state != KMP_WORKLOAD_RUNNING || (!cold && !workload_link.ready))) {
		answer_error(connection, &frame->header, KMP_E_NO_WORKLOAD, 0,
			     workload.state != KMP_WORKLOAD_RUNNING
				     ? "no workload runs here"
				     : "the workload has registered no state");
		return;
	}
	if (message.role == KMP_ROLE_TARGET && workload.state != KMP_WORKLOAD_HELD) {
		answer_error(connection, &frame->header, KMP_E_NO_WORKLOAD, 0,
			     "no workload is held here");
		return;
	}
	if (message.role == KMP_ROLE_SOURCE && survivor_knows_failed(message.peer_instance)) {
		answer_error(connection, &frame->header, KMP_E_WRONG_STATE, message.peer_instance,
			     "that instance has failed");
		return;
	}
	begin(&message);
	morph_become(KMP_OP_PREPARED);
	morph_send_operation(connection, &frame->header, KMP_VERDICT_NONE);
}

/* The path of a PEER item; false when it is malformed. */
static bool peer_of(const struct frame *frame, char *path, size_t most)
{
	size_t at = 0, length = frame->header.payload_len - sizeof(struct kmp_morph_transfer);
	const uint8_t *items = frame->payload + sizeof(struct kmp_morph_transfer);
	const struct kmp_item *item;

	path[0] = 0;
	while ((item = kmp_next_item(items, length, &at))) {
		if (item->type != KMP_I_PEER)
			continue;
		if (item->len == 0 || item->len >= most || memchr(item + 1, 0, item->len))
			return false;
		memcpy(path, item + 1, item->len);
		path[item->len] = 0;
	}
	return true;
}

/* A round that D asks for. A source that has released gives its state again, to another target. */
static void pull(struct connection *connection, const struct frame *frame,
		 const struct kmp_morph_transfer *message)
{
	bool last = message->flags & KMP_CHUNK_FINAL;
	char path[108];

	if (!peer_of(frame, path, sizeof(path))) {
		answer_error(connection, &frame->header, KMP_E_MALFORMED, sizeof(*message), NULL);
		return;
	}
	if (last && !freeze_may_pull(connection, &frame->header, message))
		return;
	if (last != (morph.state == KMP_OP_FROZEN || morph.state == KMP_OP_RELEASED)) {
		morph_wrong_state(connection, &frame->header, "the final round is of the freeze");
		return;
	}
	flow_pull(connection, &frame->header, message, path[0] ? path : NULL);
}

static void transfer(struct connection *connection, const struct frame *frame)
{
	struct kmp_morph_transfer message;

	memcpy(&message, frame->payload, sizeof(message));
	if (message.step < KMP_TRANSFER_PULL || message.step > KMP_TRANSFER_END) {
		answer_error(connection, &frame->header, KMP_E_MALFORMED,
			     offsetof(struct kmp_morph_transfer, step), NULL);
		return;
	}
	if (morph.state < KMP_OP_NEGOTIATED || morph.cold ||
	    (morph_is_over(morph.state) && morph.state != KMP_OP_RELEASED) ||
	    (message.step == KMP_TRANSFER_PULL) != (morph.role == KMP_ROLE_SOURCE)) {
		morph_wrong_state(connection, &frame->header, NULL);
		return;
	}
	if (morph.role == KMP_ROLE_TARGET)
		intake_take(connection, frame, &message);
	else
		pull(connection, frame, &message);
}

static void commit(struct connection *connection, const struct frame *frame)
{
	struct kmp_morph_commit message;

	memcpy(&message, frame->payload, sizeof(message));
	switch (message.phase) {
	case KMP_COMMIT_QUIESCE:
	case KMP_COMMIT_HAND_OVER:
		freeze_quiesce(connection, frame, message.time_us,
			       message.phase == KMP_COMMIT_HAND_OVER);
		break;
	case KMP_COMMIT_RELEASE:
		freeze_release(connection, frame);
		break;
	case KMP_COMMIT_TAKE:
		activate_take(connection, frame);
		break;
	case KMP_COMMIT_ACTIVATE:
		activate(connection, frame);
		break;
	case KMP_COMMIT_GIVE_BACK:
		activate_give_back(connection, frame);
		break;
	default:
		morph_send_commit(connection, &frame->header);
	}
}

static void rollback(struct connection *connection, const struct frame *frame)
{
	if (!morph_is_over(morph.state)) {
		drop();
	} else if (morph.state == KMP_OP_ROLLED_BACK) {
		/* it was given back, and runs where it was */
		sockets_replay();
		sockets_forget();
	}
	morph_send_operation(connection, &frame->header, KMP_VERDICT_NONE);
}

static size_t fixed_part(uint16_t type)
{
	switch (type) {
	case KMP_MORPH_PREPARE:
		return sizeof(struct kmp_morph_prepare);
	case KMP_MORPH_TRANSFER_STATE:
		return sizeof(struct kmp_morph_transfer);
	default:
		return 24; /* NEGOTIATE, VALIDATE, COMMIT, ROLLBACK */
	}
}

/* A chunk's extents and data stand between the fixed part and the items. */
static size_t bulk_part(const struct frame *frame)
{
	struct kmp_morph_transfer message;

	if (frame->header.msg_type != KMP_MORPH_TRANSFER_STATE ||
	    frame->header.payload_len < sizeof(message))
		return 0;
	memcpy(&message, frame->payload, sizeof(message));
	return message.extent_count * sizeof(struct kmp_extent) + message.data_len;
}

void morph_answer(struct connection *connection, const struct frame *frame)
{
	size_t fixed = fixed_part(frame->header.msg_type) + bulk_part(frame);
	uint8_t operation[16];
	bool present;

	if (!well_formed(connection, frame, fixed))
		return;
	memcpy(operation, frame->payload, sizeof(operation));
	if (frame->header.msg_type == KMP_MORPH_PREPARE) {
		heard_at = now_ns();
		prepare(connection, frame);
		return;
	}
	present = morph.role != 0 && memcmp(morph.operation, operation, 16) == 0;
	if (!present) {
		const struct finished *past = remembered(operation);
		bool query = frame->header.msg_type == KMP_MORPH_COMMIT &&
			     frame->payload[16] == KMP_COMMIT_QUERY;

		if (!past && frame->header.msg_type == KMP_MORPH_ROLLBACK) {
			remember(operation, 0, KMP_OP_ROLLED_BACK);
			past = remembered(operation);
		}
		if (past || query)
			send_past(connection, &frame->header, operation, past);
		else
			answer_error(connection, &frame->header, KMP_E_UNKNOWN_OPERATION, 0, NULL);
		return;
	}
	heard_at = now_ns();
	switch (frame->header.msg_type) {
	case KMP_MORPH_NEGOTIATE:
		negotiate_answer(connection, frame);
		break;
	case KMP_MORPH_TRANSFER_STATE:
		transfer(connection, frame);
		break;
	case KMP_MORPH_VALIDATE:
		validate_answer(connection, frame);
		break;
	case KMP_MORPH_COMMIT:
		commit(connection, frame);
		break;
	default:
		rollback(connection, frame);
	}
}

void morph_heard(const struct kmorph_message *message)
{
	if (message->type == LINK_QUIESCED)
		freeze_heard(message);
	else if (message->type == LINK_BEGUN && message->value == 0)
		activate_begun();
	else if (message->type == LINK_FOLLOW)
		survivor_followed();
	else
		validate_heard(message);
}

void morph_link_lost(void)
{
	if (morph_busy() && morph.role == KMP_ROLE_SOURCE && morph.state != KMP_OP_FROZEN)
		freeze_failed("the workload has hung up");
	validate_look();
	activate_lost();
}

/* As source: the target has failed, so the workload runs on here at once. What was released to it
 * is kept for another target. As target nothing is dropped: what came may be all that is left. */
void morph_peer_failed(uint32_t instance)
{
	if (morph.role != KMP_ROLE_SOURCE || morph.peer != instance)
		return;
	if (morph.state == KMP_OP_RELEASED) {
		flow_forget_peer();
	} else if (!morph_is_over(morph.state)) {
		freeze_failed("the instance that was to take over has failed");
		drop();
	}
}

void morph_workload_ended(void)
{
	if (morph.role == KMP_ROLE_SOURCE && !morph_is_over(morph.state)) {
		/* by itself or killed: there is nothing to move any more */
		freeze_failed("the workload has ended");
		flow_forget();
		morph_become(KMP_OP_ROLLED_BACK);
	}
	if (morph.role == KMP_ROLE_TARGET && !morph_is_over(morph.state)) {
		validate_look();
		return;
	}
	if (activate_is_beginning())
		link_hear(); /* it may have begun before it ended */
	activate_lost();
	if (activate_is_beginning())
		return; /* its connections are kept, to be given back */
	link_close();
	/* what was released is kept, for another target */
	if (morph.state != KMP_OP_RELEASED)
		regions_forget();
}

uint64_t morph_tick(void)
{
	uint64_t now = now_ns(), due, other;

	if (!morph_busy())
		return UINT64_MAX;
	due = freeze_tick();
	if (morph.state == KMP_OP_FROZEN || !morph_busy())
		return due;
	other = validate_tick();
	due = other < due ? other : due;
	other = flow_tick();
	due = other < due ? other : due;
	if (now - heard_at >= expires_ns) {
		drop();
		trouble_happened(KMP_C_MORPH_EXPIRED, expires_ns / MS,
				 "nothing was heard of a prepared morph: it was dropped");
		return UINT64_MAX;
	}
	other = expires_ns - (now - heard_at);
	return other < due ? other : due;
}
