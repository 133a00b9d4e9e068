// SPDX-License-Identifier: Apache-2.0
/* A source that hands over to the target's agent directly: when it lets go, and when it does not.
 */
#include <string.h>

#include "unit.h"

#define LEASE_US 250000

static uint8_t operation[16] = { 0xd1 };

static void tell(uint16_t type, void *message, size_t length)
{
	memcpy(message, operation, sizeof(operation));
	world_hear(type, message, length);
}

static void pull(uint32_t round)
{
	struct {
		struct kmp_morph_transfer message;
		struct kmp_item item;
		char path[sizeof(WORLD_PEER) - 1];
	} KMP_PACKED whole = { .message = { .region = KMP_ALL_REGIONS,
					    .round = round,
					    .step = KMP_TRANSFER_PULL,
					    .window_bytes = 1 << 20 },
			       .item = { .type = KMP_I_PEER, .len = sizeof(WORLD_PEER) - 1 } };

	if (morph.state == KMP_OP_RELEASED)
		whole.message.flags = KMP_CHUNK_FINAL;
	memcpy(whole.path, WORLD_PEER, sizeof(whole.path));
	tell(KMP_MORPH_TRANSFER_STATE, &whole, sizeof(whole));
}

/* The target has all that was sent to it since there were count. */
static void take_all(size_t count)
{
	struct kmp_ack ack = { .head = { .state = KMP_OP_TRANSFERRING }, .window_bytes = 1 << 20 };
	uint32_t end = sent_to_peer.header.sequence;
	size_t more = sent_to_peer.count - count;

	memcpy(ack.head.operation, operation, sizeof(operation));
	for (size_t i = 0; i < more; i++)
		world_hear_from_peer(KMP_MORPH_TRANSFER_STATE | KMP_ANSWER,
				     end - (uint32_t)(more - 1 - i), &ack, sizeof(ack));
}

static void answer_validation(uint8_t state, uint8_t verdict)
{
	struct kmp_operation_rsp answer = { .state = state, .verdict = verdict };

	MUST(sent_to_peer.header.msg_type == KMP_MORPH_VALIDATE);
	memcpy(answer.operation, operation, sizeof(operation));
	world_hear_from_peer(KMP_MORPH_VALIDATE | KMP_ANSWER, sent_to_peer.header.sequence, &answer,
			     sizeof(answer));
}

static void commit(uint8_t phase, uint32_t time_us)
{
	struct kmp_morph_commit message = { .phase = phase, .time_us = time_us };

	tell(KMP_MORPH_COMMIT, &message, sizeof(message));
}

static uint8_t answered_state(uint16_t request)
{
	struct kmp_operation_rsp head;

	MUST(sent.header.msg_type == (request | KMP_ANSWER));
	memcpy(&head, sent.payload, sizeof(head));
	return head.state;
}

static void source_that_transfers(void)
{
	struct kmp_morph_prepare prepare = { .role = KMP_ROLE_SOURCE, .expires_ms = 60000 };
	struct kmp_morph_negotiate agree = { .stage = KMP_NEGOTIATE_AGREE,
					     .digest = KMP_DIGEST_XXH64 };
	size_t count = sent_to_peer.count, before;

	operation[1]++;
	world_reset(KMP_WORKLOAD_RUNNING);
	tell(KMP_MORPH_PREPARE, &prepare, sizeof(prepare));
	tell(KMP_MORPH_NEGOTIATE, &agree, sizeof(agree));
	before = sent.count;
	pull(1);
	MUST(sent_to_peer.count > count);
	/* it is answered when the target has it */
	MUST(sent.count == before);
	take_all(count);
	MUST(sent.count == before + 1);
	MUST(answered_state(KMP_MORPH_TRANSFER_STATE) == KMP_OP_TRANSFERRING);
}

/* The final round is sent, and the question whether it is whole. */
static void source_that_hands_over(void)
{
	struct kmorph_message message = { .type = LINK_QUIESCED, .size = 10 };
	size_t count;

	source_that_transfers();
	count = sent_to_peer.count;
	commit(KMP_COMMIT_HAND_OVER, LEASE_US);
	MUST(workload.state == KMP_WORKLOAD_RUNNING);
	world_workload_says(&message, -1);
	MUST(workload.state == KMP_WORKLOAD_FROZEN && morph.state == KMP_OP_FROZEN);
	MUST(sent_to_peer.count > count);
}

static void what_the_target_has_validated_is_let_go_of(void)
{
	struct kmp_morph_commit take;

	source_that_hands_over();
	answer_validation(KMP_OP_VALIDATED, KMP_VERDICT_YES);
	MUST(workload.state == KMP_WORKLOAD_STOPPED);
	MUST(answered_state(KMP_MORPH_COMMIT) == KMP_OP_RELEASED);
	MUST(sent_to_peer.header.msg_type == KMP_MORPH_COMMIT);
	memcpy(&take, sent_to_peer.payload, sizeof(take));
	MUST(take.phase == KMP_COMMIT_TAKE);
	world_time_ns += 10 * LEASE_US * 1000ull;
	morph_tick();
	commit(KMP_COMMIT_HAND_OVER, LEASE_US);
	MUST(answered_state(KMP_MORPH_COMMIT) == KMP_OP_RELEASED);
}

/* Until it is told to, or the lease ends: whoever finds it dead before can rely on that. */
static void what_the_target_refuses_stays_frozen(void)
{
	source_that_hands_over();
	answer_validation(KMP_OP_TRANSFERRING, KMP_VERDICT_NO);
	MUST(sent.header.msg_type == KMP_ERROR);
	MUST(workload.state == KMP_WORKLOAD_FROZEN && morph.state == KMP_OP_FROZEN);
	/* it has said so: a yes that comes late changes nothing */
	answer_validation(KMP_OP_VALIDATED, KMP_VERDICT_YES);
	MUST(workload.state == KMP_WORKLOAD_FROZEN);
	world_time_ns += LEASE_US * 1000ull;
	morph_tick();
	MUST(workload.state == KMP_WORKLOAD_RUNNING && morph.state == KMP_OP_RESUMED);
}

static void a_target_that_is_lost_leaves_it_frozen_until_it_is_told(void)
{
	struct kmp_morph_rollback undo = { .cause = KMP_CAUSE_OPERATOR };

	source_that_hands_over();
	world_lose_peer();
	MUST(sent.header.msg_type == KMP_ERROR);
	MUST(workload.state == KMP_WORKLOAD_FROZEN);
	tell(KMP_MORPH_ROLLBACK, &undo, sizeof(undo));
	MUST(answered_state(KMP_MORPH_ROLLBACK) == KMP_OP_RESUMED);
	MUST(workload.state == KMP_WORKLOAD_RUNNING);
}

static void an_answer_after_the_lease_is_too_late(void)
{
	source_that_hands_over();
	world_time_ns += LEASE_US * 1000ull;
	answer_validation(KMP_OP_VALIDATED, KMP_VERDICT_YES);
	MUST(workload.state == KMP_WORKLOAD_RUNNING && morph.state == KMP_OP_RESUMED);
}

static void nothing_is_handed_over_whose_rounds_went_nowhere(void)
{
	source_that_transfers();
	world_lose_peer();
	commit(KMP_COMMIT_HAND_OVER, LEASE_US);
	MUST(sent.header.msg_type == KMP_ERROR);
	MUST(workload.state == KMP_WORKLOAD_RUNNING);
}

static void what_was_released_can_be_given_to_another(void)
{
	struct kmp_morph_transfer transfer;
	size_t count;

	source_that_hands_over();
	answer_validation(KMP_OP_VALIDATED, KMP_VERDICT_YES);
	world_lose_peer();
	morph_workload_ended();
	count = sent_to_peer.count;
	pull(1);
	MUST(sent_to_peer.count > count);
	memcpy(&transfer, sent_to_peer.payload, sizeof(transfer));
	MUST(transfer.step == KMP_TRANSFER_END && transfer.flags & KMP_CHUNK_FINAL);
	MUST(transfer.region == regions[region_count - 1].id && transfer.round == 1);
	take_all(count);
	MUST(answered_state(KMP_MORPH_TRANSFER_STATE) == KMP_OP_RELEASED);
	MUST(sent_to_peer.header.msg_type == KMP_MORPH_COMMIT);
}

static void prepare_kept(void)
{
	struct kmp_morph_prepare prepare = { .role = KMP_ROLE_TARGET,
					     .flags = KMP_PREPARE_KEPT,
					     .expires_ms = 60000 };

	tell(KMP_MORPH_PREPARE, &prepare, sizeof(prepare));
}

/* The operation in which it was released stays so. */
static void what_was_released_comes_back_to_the_state_that_was_kept(void)
{
	struct kmp_morph_validate final = { .scope = KMP_VALIDATE_FINAL };
	struct kmorph_message begun = { .type = LINK_BEGUN };

	source_that_hands_over();
	answer_validation(KMP_OP_VALIDATED, KMP_VERDICT_YES);
	operation[1]++;
	prepare_kept();
	MUST(sent.header.msg_type == KMP_RETRY); /* it has not been reaped yet */
	workload.pid = 0;
	morph_workload_ended();
	prepare_kept();
	MUST(answered_state(KMP_MORPH_PREPARE) == KMP_OP_TRANSFERRING);
	MUST(workload.state == KMP_WORKLOAD_HELD && region_count == 4);
	commit(KMP_COMMIT_ACTIVATE, 0);
	MUST(sent.header.msg_type == KMP_ERROR);
	tell(KMP_MORPH_VALIDATE, &final, sizeof(final));
	MUST(answered_state(KMP_MORPH_VALIDATE) == KMP_OP_VALIDATED);
	commit(KMP_COMMIT_ACTIVATE, 0);
	world_workload_says(&begun, -1);
	MUST(answered_state(KMP_MORPH_COMMIT) == KMP_OP_ACTIVE);
	MUST(workload.state == KMP_WORKLOAD_RUNNING);
	prepare_kept();
	MUST(answered_state(KMP_MORPH_PREPARE) == KMP_OP_ACTIVE);
	operation[1]--;
	commit(KMP_COMMIT_QUERY, 0);
	MUST(answered_state(KMP_MORPH_COMMIT) == KMP_OP_RELEASED);
	operation[1]++;
}

void unit_handover(void)
{
	RUN(what_the_target_has_validated_is_let_go_of);
	RUN(what_the_target_refuses_stays_frozen);
	RUN(a_target_that_is_lost_leaves_it_frozen_until_it_is_told);
	RUN(an_answer_after_the_lease_is_too_late);
	RUN(nothing_is_handed_over_whose_rounds_went_nowhere);
	RUN(what_was_released_can_be_given_to_another);
	RUN(what_was_released_comes_back_to_the_state_that_was_kept);
	world_reset(KMP_WORKLOAD_HELD);
}
