// SPDX-License-Identifier: Apache-2.0
/* What an agent does when another instance fails, and what its workload hears of that. */
#include <string.h>

#include "unit.h"

#define FAILED 9
#define SUCCESSOR 10

static uint8_t operation[16] = { 0xe1 };

static void prepare_as(uint32_t instance, uint16_t cause)
{
	struct kmp_recover_prepare message = { .failed_instance = instance,
					       .cause = cause,
					       .generation = 41 };

	memcpy(message.operation, operation, sizeof(operation));
	world_hear(KMP_RECOVER_PREPARE, &message, sizeof(message));
}

static void prepare(void)
{
	prepare_as(FAILED, KMP_CAUSE_PANIC);
}

static void reclaim(void)
{
	struct kmp_recover_reclaim message = { .failed_instance = FAILED, .generation = 42 };

	memcpy(message.operation, operation, sizeof(operation));
	world_hear(KMP_RECOVER_RECLAIM, &message, sizeof(message));
}

static size_t put_instance(uint8_t *payload, size_t length, uint32_t id, const char *name)
{
	struct {
		struct kmp_i_instance head;
		char name[64];
	} KMP_PACKED item = { .head = { .instance_id = id, .cid = id + 2, .running = 1 } };

	memcpy(item.name, name, strlen(name));
	return item_add(payload, length, 512, KMP_I_INSTANCE, &item,
			sizeof(item.head) + strlen(name));
}

static void complete_as(uint32_t successor, uint8_t outcome, uint64_t generation, const char *name)
{
	struct kmp_recover_complete message = { .failed_instance = FAILED,
						.successor_instance = successor,
						.outcome = outcome,
						.generation = generation };
	uint8_t payload[512];
	size_t length = sizeof(message);

	memcpy(message.operation, operation, sizeof(operation));
	memcpy(payload, &message, sizeof(message));
	length = put_instance(payload, length, 7, "web");
	length = put_instance(payload, length, SUCCESSOR, name);
	world_hear(KMP_RECOVER_COMPLETE, payload, length);
}

static void complete(void)
{
	complete_as(SUCCESSOR, KMP_OUTCOME_DONE, 43, "db");
}

static void answered(uint16_t request, uint8_t state)
{
	struct kmp_operation_rsp head;

	MUST(sent.header.msg_type == (request | KMP_ANSWER));
	MUST(sent.header.payload_len == sizeof(head));
	memcpy(&head, sent.payload, sizeof(head));
	MUST(memcmp(head.operation, operation, sizeof(operation)) == 0);
	MUST(head.state == state && head.verdict == KMP_VERDICT_NONE);
}

static void refused(uint16_t code, uint64_t value)
{
	struct kmp_error error;

	MUST(sent.header.msg_type == KMP_ERROR);
	memcpy(&error, sent.payload, sizeof(error));
	MUST(error.code == code && error.value == value);
}

static void fresh(enum kmp_workload_state state)
{
	operation[1]++;
	world_reset(state);
}

static void follow(void)
{
	struct kmorph_message message = { .type = LINK_FOLLOW };

	world_workload_says(&message, -1);
}

static void hears(uint64_t event, uint64_t successor, const char *name)
{
	struct kmorph_message message;

	do
		MUST(world_workload_hears(&message));
	while (message.type != LINK_PEER);
	MUST(message.id == FAILED && message.value == event && message.size == successor);
	MUST(strcmp(message.name, name) == 0);
}

static void hears_no_more(void)
{
	struct kmorph_message message;

	while (world_workload_hears(&message))
		MUST(message.type != LINK_PEER);
}

static void each_step_is_answered_with_where_it_stands(void)
{
	fresh(KMP_WORKLOAD_NONE);
	prepare();
	answered(KMP_RECOVER_PREPARE, KMP_OP_PREPARED);
	MUST(survivor_knows_failed(FAILED) && !survivor_knows_failed(SUCCESSOR));
	reclaim();
	answered(KMP_RECOVER_RECLAIM, KMP_OP_RECLAIMED);
	complete();
	answered(KMP_RECOVER_COMPLETE, KMP_OP_COMPLETE);
}

static void a_step_that_comes_again_or_late_changes_nothing(void)
{
	fresh(KMP_WORKLOAD_RUNNING);
	follow();
	prepare();
	prepare();
	answered(KMP_RECOVER_PREPARE, KMP_OP_PREPARED);
	reclaim();
	prepare();
	answered(KMP_RECOVER_PREPARE, KMP_OP_RECLAIMED);
	complete();
	complete();
	answered(KMP_RECOVER_COMPLETE, KMP_OP_COMPLETE);
	reclaim();
	answered(KMP_RECOVER_RECLAIM, KMP_OP_COMPLETE);
	hears(KMORPH_PEER_FAILED, KMORPH_NOBODY, "");
	hears(KMORPH_PEER_GONE, KMORPH_NOBODY, "");
	hears(KMORPH_PEER_OVER, SUCCESSOR, "db");
	hears_no_more();
}

static void whoever_missed_a_step_does_it_with_the_next(void)
{
	fresh(KMP_WORKLOAD_NONE);
	reclaim();
	answered(KMP_RECOVER_RECLAIM, KMP_OP_RECLAIMED);
	MUST(survivor_knows_failed(FAILED));
	fresh(KMP_WORKLOAD_NONE);
	complete();
	answered(KMP_RECOVER_COMPLETE, KMP_OP_COMPLETE);
	MUST(survivor_knows_failed(FAILED));
}

static void what_was_cancelled_has_not_failed(void)
{
	fresh(KMP_WORKLOAD_NONE);
	prepare();
	complete_as(FAILED, KMP_OUTCOME_CANCELLED, 43, "db");
	answered(KMP_RECOVER_COMPLETE, KMP_OP_COMPLETE);
	MUST(!survivor_knows_failed(FAILED));
}

static void a_workload_that_did_not_ask_hears_nothing(void)
{
	fresh(KMP_WORKLOAD_RUNNING);
	prepare();
	survivor_tick();
	hears_no_more();
	/* and one that asks late hears what is known */
	follow();
	hears(KMORPH_PEER_FAILED, KMORPH_NOBODY, "");
	hears_no_more();
}

static void the_topology_of_the_highest_generation_counts(void)
{
	fresh(KMP_WORKLOAD_RUNNING);
	follow();
	complete_as(SUCCESSOR, KMP_OUTCOME_DONE, 43, "db");
	hears(KMORPH_PEER_FAILED, KMORPH_NOBODY, "");
	hears(KMORPH_PEER_OVER, SUCCESSOR, "db");
	operation[1]++;
	complete_as(SUCCESSOR, KMP_OUTCOME_DONE, 42, "old");
	hears(KMORPH_PEER_FAILED, KMORPH_NOBODY, "");
	hears(KMORPH_PEER_OVER, SUCCESSOR, "db");
	operation[1]++;
	complete_as(SUCCESSOR, KMP_OUTCOME_DONE, 44, "new");
	hears(KMORPH_PEER_FAILED, KMORPH_NOBODY, "");
	hears(KMORPH_PEER_OVER, SUCCESSOR, "new");
	hears_no_more();
}

static void what_makes_no_sense_is_refused_and_changes_nothing(void)
{
	struct kmp_recover_reclaim message = { .failed_instance = FAILED };
	struct kmp_item item = { .type = KMP_I_CPU_RANGE, .len = 4 };
	uint8_t payload[sizeof(message) + sizeof(item) + 4] = { 0 };

	fresh(KMP_WORKLOAD_NONE);
	prepare_as(options.instance, KMP_CAUSE_PANIC);
	refused(KMP_E_WRONG_STATE, KMP_OP_UNKNOWN);
	prepare_as(FAILED, KMP_CAUSE_TIMEOUT);
	refused(KMP_E_MALFORMED, 20);
	complete_as(SUCCESSOR, KMP_OUTCOME_CANCELLED + 1, 43, "db");
	refused(KMP_E_MALFORMED, 24);
	memcpy(message.operation, operation, sizeof(operation));
	memcpy(payload, &message, sizeof(message));
	memcpy(payload + sizeof(message), &item, sizeof(item));
	world_hear(KMP_RECOVER_RECLAIM, payload, sizeof(payload));
	refused(KMP_E_MALFORMED, sizeof(message));
	world_hear(KMP_RECOVER_PREPARE, payload, 39);
	refused(KMP_E_MALFORMED, 39);
	MUST(!survivor_knows_failed(FAILED));
	prepare();
	prepare_as(FAILED + 1, KMP_CAUSE_PANIC);
	refused(KMP_E_WRONG_STATE, KMP_OP_PREPARED);
	MUST(!survivor_knows_failed(FAILED + 1));
}

static void the_oldest_of_many_is_forgotten(void)
{
	fresh(KMP_WORKLOAD_NONE);
	prepare();
	for (uint32_t i = 0; i < KMP_REMEMBERED_OPERATIONS - 1; i++) {
		operation[2]++;
		prepare_as(100 + i, KMP_CAUSE_EXIT);
		answered(KMP_RECOVER_PREPARE, KMP_OP_PREPARED);
	}
	MUST(survivor_knows_failed(FAILED));
	operation[2]++;
	prepare_as(99, KMP_CAUSE_EXIT);
	MUST(!survivor_knows_failed(FAILED) && survivor_knows_failed(100));
}

static void begin_morph(uint8_t role, uint32_t peer)
{
	struct kmp_morph_prepare message = {
		.operation = { 0xe2 }, .role = role, .expires_ms = 60000, .peer_instance = peer
	};

	message.operation[1] = operation[1];
	world_hear(KMP_MORPH_PREPARE, &message, sizeof(message));
}

static void freeze_workload(void)
{
	struct kmp_morph_commit message = { .operation = { 0xe2 },
					    .phase = KMP_COMMIT_QUIESCE,
					    .time_us = 250000 };
	struct kmorph_message rests = { .type = LINK_QUIESCED, .size = 10 };

	/* a morph that has negotiated, and pulled nothing */
	morph.state = KMP_OP_TRANSFERRING;
	message.operation[1] = operation[1];
	world_hear(KMP_MORPH_COMMIT, &message, sizeof(message));
	world_workload_says(&rests, -1);
	MUST(workload.state == KMP_WORKLOAD_FROZEN);
}

static void a_source_goes_on_when_its_target_has_failed(void)
{
	fresh(KMP_WORKLOAD_RUNNING);
	begin_morph(KMP_ROLE_SOURCE, FAILED);
	MUST(morph_busy());
	prepare();
	answered(KMP_RECOVER_PREPARE, KMP_OP_PREPARED);
	MUST(!morph_busy() && morph.state == KMP_OP_ROLLED_BACK);
	MUST(workload.state == KMP_WORKLOAD_RUNNING);
	fresh(KMP_WORKLOAD_RUNNING);
	begin_morph(KMP_ROLE_SOURCE, FAILED);
	freeze_workload();
	prepare();
	MUST(morph.state == KMP_OP_RESUMED && workload.state == KMP_WORKLOAD_RUNNING);
}

static void others_that_fail_are_nothing_to_a_morph(void)
{
	fresh(KMP_WORKLOAD_RUNNING);
	begin_morph(KMP_ROLE_SOURCE, SUCCESSOR);
	freeze_workload();
	prepare();
	MUST(morph.state == KMP_OP_FROZEN && workload.state == KMP_WORKLOAD_FROZEN);
}

/* What was released to it belongs to nobody here: rule 4. */
static void what_is_released_stays_so_when_the_target_fails(void)
{
	struct kmp_morph_commit message = { .operation = { 0xe2 }, .phase = KMP_COMMIT_RELEASE };

	fresh(KMP_WORKLOAD_RUNNING);
	begin_morph(KMP_ROLE_SOURCE, FAILED);
	freeze_workload();
	message.operation[1] = operation[1];
	world_hear(KMP_MORPH_COMMIT, &message, sizeof(message));
	MUST(morph.state == KMP_OP_RELEASED);
	prepare();
	MUST(morph.state == KMP_OP_RELEASED && workload.state == KMP_WORKLOAD_STOPPED);
}

/* What it has may be all that is left: rule 7. */
static void a_target_keeps_what_came_when_its_source_has_failed(void)
{
	fresh(KMP_WORKLOAD_HELD);
	begin_morph(KMP_ROLE_TARGET, FAILED);
	MUST(morph_busy());
	prepare();
	MUST(morph_busy() && morph.state == KMP_OP_PREPARED);
}

static void nothing_moves_to_one_that_has_failed(void)
{
	fresh(KMP_WORKLOAD_RUNNING);
	prepare();
	begin_morph(KMP_ROLE_SOURCE, FAILED);
	refused(KMP_E_WRONG_STATE, FAILED);
	MUST(!morph_busy());
	begin_morph(KMP_ROLE_SOURCE, SUCCESSOR);
	MUST(morph_busy());
}

static void a_heartbeat_tells_the_recovery_that_was_heard_of_last(void)
{
	struct kmp_heartbeat_req message = { .wants = KMP_WANT_OPERATION };
	struct kmp_i_operation item;

	fresh(KMP_WORKLOAD_NONE);
	world_hear(KMP_HEARTBEAT_REQ, &message, sizeof(message));
	MUST(sent.header.payload_len == sizeof(struct kmp_heartbeat_rsp));
	prepare();
	world_hear(KMP_HEARTBEAT_REQ, &message, sizeof(message));
	memcpy(&item, sent.payload + sizeof(struct kmp_heartbeat_rsp) + sizeof(struct kmp_item),
	       sizeof(item));
	MUST(memcmp(item.operation, operation, sizeof(operation)) == 0);
	MUST(item.role == KMP_ROLE_SURVIVOR && item.state == KMP_OP_PREPARED);
}

void unit_survivor(void)
{
	RUN(each_step_is_answered_with_where_it_stands);
	RUN(a_step_that_comes_again_or_late_changes_nothing);
	RUN(whoever_missed_a_step_does_it_with_the_next);
	RUN(what_was_cancelled_has_not_failed);
	RUN(a_workload_that_did_not_ask_hears_nothing);
	RUN(the_topology_of_the_highest_generation_counts);
	RUN(what_makes_no_sense_is_refused_and_changes_nothing);
	RUN(the_oldest_of_many_is_forgotten);
	RUN(a_source_goes_on_when_its_target_has_failed);
	RUN(others_that_fail_are_nothing_to_a_morph);
	RUN(what_is_released_stays_so_when_the_target_fails);
	RUN(a_target_keeps_what_came_when_its_source_has_failed);
	RUN(nothing_moves_to_one_that_has_failed);
	RUN(a_heartbeat_tells_the_recovery_that_was_heard_of_last);
}
