// SPDX-License-Identifier: Apache-2.0
/* A morph from the source's end and from the target's, message by message: who owns the workload.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"

#define LEASE_US 250000

static uint8_t operation[16];
static uint8_t compression; /* that is agreed on */

static void next_operation(void)
{
	operation[0]++;
}

static const struct kmp_operation_rsp *answer_head(void)
{
	static struct kmp_operation_rsp head;

	MUST(sent.header.payload_len >= sizeof(head));
	memcpy(&head, sent.payload, sizeof(head));
	MUST(memcmp(head.operation, operation, sizeof(operation)) == 0);
	return &head;
}

static void answered(uint16_t request, uint8_t state)
{
	MUST(sent.header.msg_type == (request | KMP_ANSWER));
	MUST(answer_head()->state == state);
}

static void refused(uint16_t code)
{
	struct kmp_error error;

	MUST(sent.header.msg_type == KMP_ERROR);
	memcpy(&error, sent.payload, sizeof(error));
	MUST(error.code == code);
}

static void prepare(uint8_t role, uint16_t flags)
{
	struct kmp_morph_prepare message = { .role = role, .flags = flags, .expires_ms = 60000 };

	memcpy(message.operation, operation, sizeof(operation));
	world_hear(KMP_MORPH_PREPARE, &message, sizeof(message));
}

static void negotiate(uint8_t stage, const void *items, size_t length)
{
	struct {
		struct kmp_morph_negotiate message;
		uint8_t items[512];
	} KMP_PACKED whole = { .message = { .stage = stage,
					    .compression = compression,
					    .digest = KMP_DIGEST_XXH64 } };

	memcpy(whole.message.operation, operation, sizeof(operation));
	if (length > 0)
		memcpy(whole.items, items, length);
	world_hear(KMP_MORPH_NEGOTIATE, &whole, sizeof(whole.message) + length);
}

static void commit(uint8_t phase, uint32_t time_us)
{
	struct kmp_morph_commit message = { .phase = phase, .time_us = time_us };

	memcpy(message.operation, operation, sizeof(operation));
	world_hear(KMP_MORPH_COMMIT, &message, sizeof(message));
}

static void roll_back(void)
{
	struct kmp_morph_rollback message = { .cause = KMP_CAUSE_OPERATOR };

	memcpy(message.operation, operation, sizeof(operation));
	world_hear(KMP_MORPH_ROLLBACK, &message, sizeof(message));
}

static void pull(uint32_t round, uint16_t flags)
{
	struct kmp_morph_transfer message = { .region = KMP_ALL_REGIONS,
					      .round = round,
					      .step = KMP_TRANSFER_PULL,
					      .flags = flags,
					      .window_bytes = 8 << 20 };

	memcpy(message.operation, operation, sizeof(operation));
	world_hear(KMP_MORPH_TRANSFER_STATE, &message, sizeof(message));
}

static void source_that_transfers(void)
{
	next_operation();
	world_reset(KMP_WORKLOAD_RUNNING);
	prepare(KMP_ROLE_SOURCE, 0);
	answered(KMP_MORPH_PREPARE, KMP_OP_PREPARED);
	negotiate(KMP_NEGOTIATE_DESCRIBE, NULL, 0);
	answered(KMP_MORPH_NEGOTIATE, KMP_OP_PREPARED);
	negotiate(KMP_NEGOTIATE_AGREE, NULL, 0);
	answered(KMP_MORPH_NEGOTIATE, KMP_OP_NEGOTIATED);
	pull(1, 0);
}

/* The workload saves its state and rests. */
static void source_that_is_frozen(void)
{
	struct kmorph_message message;

	source_that_transfers();
	while (world_workload_hears(&message))
		;
	commit(KMP_COMMIT_QUIESCE, LEASE_US);
	MUST(world_workload_hears(&message) && message.type == LINK_QUIESCE);
	MUST(workload.state == KMP_WORKLOAD_RUNNING);
	message = (struct kmorph_message){ .type = LINK_QUIESCED, .size = 10 };
	world_workload_says(&message, -1);
	answered(KMP_MORPH_COMMIT, KMP_OP_FROZEN);
	MUST(workload.state == KMP_WORKLOAD_FROZEN);
}

static void a_source_sends_all_regions_and_ends_each(void)
{
	struct kmp_morph_transfer transfer;

	source_that_transfers();
	MUST(sent.header.msg_type == KMP_MORPH_TRANSFER_STATE);
	memcpy(&transfer, sent.payload, sizeof(transfer));
	MUST(transfer.step == KMP_TRANSFER_END && transfer.round == 1 &&
	     transfer.region == regions[region_count - 1].id);
}

static void a_lease_that_ends_gives_the_workload_back_for_good(void)
{
	source_that_is_frozen();
	world_time_ns += LEASE_US * 1000ull - 1;
	MUST(morph_tick() == 1 && workload.state == KMP_WORKLOAD_FROZEN);
	world_time_ns += 1;
	morph_tick();
	MUST(workload.state == KMP_WORKLOAD_RUNNING);
	MUST(sent.header.msg_type == KMP_HEALTH_STATUS);
	commit(KMP_COMMIT_RELEASE, 0);
	answered(KMP_MORPH_COMMIT, KMP_OP_RESUMED);
	commit(KMP_COMMIT_RELEASE, 0);
	answered(KMP_MORPH_COMMIT, KMP_OP_RESUMED);
	MUST(workload.state == KMP_WORKLOAD_RUNNING);
}

/* Rule 3, where the release comes before the tick that would have seen the end of the lease. */
static void a_release_after_the_lease_is_too_late(void)
{
	source_that_is_frozen();
	world_time_ns += LEASE_US * 1000ull;
	commit(KMP_COMMIT_RELEASE, 0);
	answered(KMP_MORPH_COMMIT, KMP_OP_RESUMED);
	MUST(workload.state == KMP_WORKLOAD_RUNNING);
}

static void what_is_released_stays_so(void)
{
	source_that_is_frozen();
	commit(KMP_COMMIT_RELEASE, 0);
	answered(KMP_MORPH_COMMIT, KMP_OP_RELEASED);
	MUST(workload.state == KMP_WORKLOAD_STOPPED);
	world_time_ns += 10 * LEASE_US * 1000ull;
	morph_tick();
	roll_back();
	answered(KMP_MORPH_ROLLBACK, KMP_OP_RELEASED);
	commit(KMP_COMMIT_RELEASE, 0);
	answered(KMP_MORPH_COMMIT, KMP_OP_RELEASED);
	MUST(workload.state == KMP_WORKLOAD_STOPPED);
	world_reset(KMP_WORKLOAD_RUNNING);
	commit(KMP_COMMIT_QUERY, 0);
	answered(KMP_MORPH_COMMIT, KMP_OP_RELEASED);
}

static void nothing_is_released_that_is_not_frozen(void)
{
	source_that_transfers();
	commit(KMP_COMMIT_RELEASE, 0);
	refused(KMP_E_WRONG_STATE);
	MUST(workload.state == KMP_WORKLOAD_RUNNING && morph.state == KMP_OP_TRANSFERRING);
	commit(KMP_COMMIT_ACTIVATE, 0);
	refused(KMP_E_WRONG_STATE);
}

static void rolling_back_a_freeze_resumes_at_once(void)
{
	source_that_is_frozen();
	roll_back();
	answered(KMP_MORPH_ROLLBACK, KMP_OP_RESUMED);
	MUST(workload.state == KMP_WORKLOAD_RUNNING);
}

static void a_morph_of_which_nothing_is_heard_is_dropped(void)
{
	source_that_transfers();
	world_time_ns += 60 * SECOND;
	morph_tick();
	MUST(!morph_busy() && morph.state == KMP_OP_ROLLED_BACK);
	MUST(workload.state == KMP_WORKLOAD_RUNNING);
	prepare(KMP_ROLE_SOURCE, 0);
	answered(KMP_MORPH_PREPARE, KMP_OP_ROLLED_BACK);
}

static void one_morph_at_a_time(void)
{
	source_that_transfers();
	next_operation();
	prepare(KMP_ROLE_SOURCE, 0);
	refused(KMP_E_BUSY);
	commit(KMP_COMMIT_QUIESCE, LEASE_US);
	refused(KMP_E_UNKNOWN_OPERATION);
	MUST(workload.state == KMP_WORKLOAD_RUNNING);
}

static size_t put(uint8_t *bytes, size_t length, const void *more, size_t size)
{
	memcpy(bytes + length, more, size);
	return length + size;
}

/* A region of one page of memory, which nobody else has. */
static void offer(uint64_t bytes)
{
	struct kmp_i_region region = { .region = 3, .kind = KMP_KIND_MEMORY, .bytes = bytes };
	struct kmp_item item = { .type = KMP_I_REGION, .len = sizeof(region) + 4 };
	uint8_t items[64];
	size_t length = put(items, 0, &item, sizeof(item));

	length = put(items, length, &region, sizeof(region));
	length = put(items, length, "heap", 4);
	negotiate(KMP_NEGOTIATE_OFFER, items, length);
}

static void target_that_has_agreed(void)
{
	next_operation();
	world_reset(KMP_WORKLOAD_HELD);
	prepare(KMP_ROLE_TARGET, 0);
	answered(KMP_MORPH_PREPARE, KMP_OP_PREPARED);
	offer(PAGE);
	MUST(answer_head()->verdict == KMP_VERDICT_YES);
	negotiate(KMP_NEGOTIATE_AGREE, NULL, 0);
	answered(KMP_MORPH_NEGOTIATE, KMP_OP_NEGOTIATED);
}

static void send_bytes(uint32_t round, uint64_t at, const char *data, uint32_t length)
{
	struct kmp_morph_transfer head = { .region = 3,
					   .round = round,
					   .step = KMP_TRANSFER_DATA,
					   .flags = KMP_CHUNK_LAST | KMP_CHUNK_FINAL,
					   .extent_count = 1,
					   .raw_len = length,
					   .data_len = length };
	struct kmp_extent extent = { .offset = at, .length = length };
	uint8_t payload[256];
	size_t size;

	memcpy(head.operation, operation, sizeof(operation));
	size = put(payload, 0, &head, sizeof(head));
	size = put(payload, size, &extent, sizeof(extent));
	size = put(payload, size, data, length);
	world_hear(KMP_MORPH_TRANSFER_STATE, payload, size);
}

/* What the source would say at the end of a round that had one extent. */
static void send_end(uint32_t round, uint64_t at, const char *data, uint32_t length)
{
	struct kmp_morph_transfer head = { .region = 3,
					   .round = round,
					   .step = KMP_TRANSFER_END,
					   .flags = KMP_CHUNK_FINAL,
					   .stream_offset = length };
	struct kmp_i_digest item = { .region = 3, .round = round, .algorithm = KMP_DIGEST_XXH64 };
	struct kmp_item item_head = { .type = KMP_I_DIGEST, .len = sizeof(item) + 8 };
	struct kmp_extent extent = { .offset = at, .length = length };
	uint8_t payload[256], covered[128];
	size_t size = put(covered, put(covered, 0, &extent, sizeof(extent)), data, length);
	uint64_t digest = xxh64(covered, size, 0);

	memcpy(head.operation, operation, sizeof(operation));
	size = put(payload, 0, &head, sizeof(head));
	size = put(payload, size, &item_head, sizeof(item_head));
	size = put(payload, size, &item, sizeof(item));
	size = put(payload, size, &digest, sizeof(digest));
	world_hear(KMP_MORPH_TRANSFER_STATE, payload, size);
}

static void validate(uint8_t scope)
{
	struct kmp_morph_validate message = { .scope = scope };

	memcpy(message.operation, operation, sizeof(operation));
	world_hear(KMP_MORPH_VALIDATE, &message, sizeof(message));
}

static void a_target_runs_the_workload_when_told_and_once(void)
{
	struct kmorph_message begun = { .type = LINK_BEGUN };
	char there[5] = "";

	target_that_has_agreed();
	send_bytes(1, 100, "state", 5);
	answered(KMP_MORPH_TRANSFER_STATE, KMP_OP_TRANSFERRING);
	MUST(pread(region_find(3)->fd, there, 5, 100) == 5 && memcmp(there, "state", 5) == 0);
	commit(KMP_COMMIT_ACTIVATE, 0);
	refused(KMP_E_WRONG_STATE);
	MUST(workload.state == KMP_WORKLOAD_HELD);
	send_end(1, 100, "state", 5);
	answered(KMP_MORPH_TRANSFER_STATE, KMP_OP_TRANSFERRING);
	validate(KMP_VALIDATE_FINAL);
	answered(KMP_MORPH_VALIDATE, KMP_OP_VALIDATED);
	MUST(answer_head()->verdict == KMP_VERDICT_YES);
	MUST(workload.state == KMP_WORKLOAD_HELD);
	commit(KMP_COMMIT_ACTIVATE, 0);
	world_workload_says(&begun, -1);
	answered(KMP_MORPH_COMMIT, KMP_OP_ACTIVE);
	MUST(workload.state == KMP_WORKLOAD_RUNNING && workload.starts == 1);
	commit(KMP_COMMIT_ACTIVATE, 0);
	answered(KMP_MORPH_COMMIT, KMP_OP_ACTIVE);
	roll_back();
	answered(KMP_MORPH_ROLLBACK, KMP_OP_ACTIVE);
	MUST(workload.state == KMP_WORKLOAD_RUNNING && workload.starts == 1);
}

/* A chunk of the region's first bytes, which a frame is said to expand to. */
static void send_frame(const uint8_t *frame, uint32_t size, uint32_t length)
{
	struct kmp_morph_transfer head = { .region = 3,
					   .round = 1,
					   .step = KMP_TRANSFER_DATA,
					   .flags = KMP_CHUNK_COMPRESSED,
					   .extent_count = 1,
					   .raw_len = length,
					   .data_len = size };
	struct kmp_extent extent = { .length = length };
	uint8_t payload[2 * PAGE];
	size_t end;

	memcpy(head.operation, operation, sizeof(operation));
	end = put(payload, put(payload, 0, &head, sizeof(head)), &extent, sizeof(extent));
	world_hear(KMP_MORPH_TRANSFER_STATE, payload, put(payload, end, frame, size));
}

static void a_chunk_that_is_compressed_is_written_as_it_was(void)
{
	uint8_t state[PAGE], frame[PAGE], there[PAGE];
	uint32_t size;

	memset(state, 7, sizeof(state));
	compression = KMP_COMPRESS_ZSTD;
	target_that_has_agreed();
	size = (uint32_t)compress_pack(state, PAGE, frame, sizeof(frame));
	MUST(size > 0);
	send_frame(frame, size, PAGE - 1);
	refused(KMP_E_MALFORMED);
	send_frame(frame, size - 1, PAGE);
	refused(KMP_E_MALFORMED);
	send_frame(frame, size, UINT32_MAX);
	refused(KMP_E_MALFORMED);
	MUST(pread(region_find(3)->fd, there, PAGE, 0) == PAGE && is_zero(there, PAGE));
	send_frame(frame, size, PAGE);
	answered(KMP_MORPH_TRANSFER_STATE, KMP_OP_TRANSFERRING);
	MUST(pread(region_find(3)->fd, there, PAGE, 0) == PAGE && memcmp(there, state, PAGE) == 0);
	compression = KMP_COMPRESS_NONE;
	target_that_has_agreed();
	send_frame(frame, size, PAGE);
	refused(KMP_E_MALFORMED);
}

/* It has the workload's state and was told to run it; the workload has said nothing yet. */
static void target_that_begins(void)
{
	target_that_has_agreed();
	send_bytes(1, 100, "state", 5);
	send_end(1, 100, "state", 5);
	validate(KMP_VALIDATE_FINAL);
	answered(KMP_MORPH_VALIDATE, KMP_OP_VALIDATED);
	commit(KMP_COMMIT_ACTIVATE, 0);
	MUST(morph.state == KMP_OP_ACTIVE && workload.state == KMP_WORKLOAD_RUNNING);
}

/* What an answer says of the workload's process. */
static struct kmp_i_workload answered_workload(void)
{
	size_t at = 0, fixed = sizeof(struct kmp_commit_rsp);
	struct kmp_i_workload workload_said;
	const struct kmp_item *item;

	while ((item = kmp_next_item(sent.payload + fixed, sent.header.payload_len - fixed, &at)))
		if (item->type == KMP_I_WORKLOAD)
			break;
	MUST(item && item->len == sizeof(workload_said));
	memcpy(&workload_said, item + 1, sizeof(workload_said));
	return workload_said;
}

static void what_has_not_begun_is_given_back_for_good(void)
{
	struct kmorph_message begun = { .type = LINK_BEGUN };

	target_that_begins();
	commit(KMP_COMMIT_QUERY, 0);
	answered(KMP_MORPH_COMMIT, KMP_OP_ACTIVE);
	MUST(answered_workload().flags == KMP_PROCESS_BEGINNING);
	commit(KMP_COMMIT_GIVE_BACK, 0);
	answered(KMP_MORPH_COMMIT, KMP_OP_ROLLED_BACK);
	MUST(workload.state == KMP_WORKLOAD_STOPPED && region_count == 0);
	world_workload_says(&begun, -1);
	commit(KMP_COMMIT_GIVE_BACK, 0);
	answered(KMP_MORPH_COMMIT, KMP_OP_ROLLED_BACK);
	commit(KMP_COMMIT_ACTIVATE, 0);
	refused(KMP_E_WRONG_STATE);
	MUST(workload.state == KMP_WORKLOAD_STOPPED);
}

static void what_has_begun_is_not_given_back(void)
{
	struct kmorph_message begun = { .type = LINK_BEGUN };

	target_that_begins();
	world_workload_says(&begun, -1);
	commit(KMP_COMMIT_QUERY, 0);
	MUST(answered_workload().flags == 0);
	commit(KMP_COMMIT_GIVE_BACK, 0);
	answered(KMP_MORPH_COMMIT, KMP_OP_ACTIVE);
	MUST(workload.state == KMP_WORKLOAD_RUNNING);
}

/* It has said so, and the agent had not read it yet. */
static void what_has_begun_unheard_is_not_given_back(void)
{
	target_that_begins();
	world_workload_says_unheard(&(struct kmorph_message){ .type = LINK_BEGUN });
	commit(KMP_COMMIT_GIVE_BACK, 0);
	answered(KMP_MORPH_COMMIT, KMP_OP_ACTIVE);
	MUST(workload.state == KMP_WORKLOAD_RUNNING);
}

static void what_could_not_be_restored_has_not_begun(void)
{
	struct kmorph_message failed = { .type = LINK_BEGUN, .value = 1 };

	target_that_begins();
	world_workload_says(&failed, -1);
	workload.pid = 0;
	morph_workload_ended();
	answered(KMP_MORPH_COMMIT, KMP_OP_ACTIVE);
	MUST(answered_workload().flags == KMP_PROCESS_BEGINNING);
	commit(KMP_COMMIT_GIVE_BACK, 0);
	answered(KMP_MORPH_COMMIT, KMP_OP_ROLLED_BACK);
}

static void what_ended_after_it_had_begun_is_not_given_back(void)
{
	target_that_begins();
	world_workload_says_unheard(&(struct kmorph_message){ .type = LINK_BEGUN });
	workload.pid = 0;
	morph_workload_ended();
	commit(KMP_COMMIT_GIVE_BACK, 0);
	answered(KMP_MORPH_COMMIT, KMP_OP_ACTIVE);
	MUST(answered_workload().flags == 0);
}

static void only_a_target_that_was_told_to_run_gives_back(void)
{
	target_that_has_agreed();
	commit(KMP_COMMIT_GIVE_BACK, 0);
	refused(KMP_E_WRONG_STATE);
	source_that_is_frozen();
	commit(KMP_COMMIT_GIVE_BACK, 0);
	refused(KMP_E_WRONG_STATE);
	MUST(workload.state == KMP_WORKLOAD_FROZEN);
}

static void nothing_comes_back_where_nothing_is_kept(void)
{
	source_that_is_frozen();
	roll_back();
	next_operation();
	prepare(KMP_ROLE_TARGET, KMP_PREPARE_KEPT);
	refused(KMP_E_EXPIRED);
	MUST(workload.state == KMP_WORKLOAD_RUNNING);
	next_operation();
	world_reset(KMP_WORKLOAD_HELD);
	prepare(KMP_ROLE_TARGET, KMP_PREPARE_KEPT);
	refused(KMP_E_EXPIRED);
	MUST(workload.state == KMP_WORKLOAD_HELD);
	/* released without its final round: what is kept is older than the workload was */
	source_that_is_frozen();
	commit(KMP_COMMIT_RELEASE, 0);
	workload.pid = 0;
	morph_workload_ended();
	next_operation();
	prepare(KMP_ROLE_TARGET, KMP_PREPARE_KEPT);
	refused(KMP_E_EXPIRED);
}

static void a_target_does_not_run_what_came_otherwise_than_it_was_sent(void)
{
	target_that_has_agreed();
	send_bytes(1, 100, "state", 5);
	send_end(1, 100, "stale", 5);
	refused(KMP_E_DIGEST_MISMATCH);
	validate(KMP_VALIDATE_FINAL);
	MUST(answer_head()->verdict == KMP_VERDICT_NO);
	commit(KMP_COMMIT_ACTIVATE, 0);
	refused(KMP_E_WRONG_STATE);
	MUST(workload.state == KMP_WORKLOAD_HELD);
}

static void a_chunk_beyond_its_region_is_refused(void)
{
	target_that_has_agreed();
	send_bytes(1, PAGE - 4, "state", 5);
	refused(KMP_E_NO_SPACE);
	send_bytes(1, INT64_MAX - 2, "state", 5);
	refused(KMP_E_MALFORMED);
	send_bytes(1, UINT64_MAX - 2, "state", 5);
	refused(KMP_E_MALFORMED);
}

static void more_memory_than_there_is_is_refused(void)
{
	struct kmp_i_state_kind kind = { .kind = KMP_KIND_MEMORY,
					 .version_min = 1,
					 .version_max = 1,
					 .count = 1,
					 .bytes = 1ull << 60 };
	struct kmp_item item = { .type = KMP_I_STATE_KIND, .len = sizeof(kind) };
	uint8_t items[64];

	next_operation();
	world_reset(KMP_WORKLOAD_HELD);
	prepare(KMP_ROLE_TARGET, 0);
	negotiate(KMP_NEGOTIATE_OFFER, items,
		  put(items, put(items, 0, &item, sizeof(item)), &kind, sizeof(kind)));
	MUST(answer_head()->verdict == KMP_VERDICT_NO);
	MUST(region_count == 0);
}

static void a_standby_is_promoted_without_state(void)
{
	next_operation();
	world_reset(KMP_WORKLOAD_HELD);
	prepare(KMP_ROLE_TARGET, KMP_PREPARE_COLD);
	answered(KMP_MORPH_PREPARE, KMP_OP_PREPARED);
	commit(KMP_COMMIT_ACTIVATE, 0);
	answered(KMP_MORPH_COMMIT, KMP_OP_ACTIVE);
	MUST(workload.state == KMP_WORKLOAD_RUNNING);
}

void unit_morph(void)
{
	figures_open();
	RUN(a_source_sends_all_regions_and_ends_each);
	RUN(a_lease_that_ends_gives_the_workload_back_for_good);
	RUN(a_release_after_the_lease_is_too_late);
	RUN(what_is_released_stays_so);
	RUN(nothing_is_released_that_is_not_frozen);
	RUN(rolling_back_a_freeze_resumes_at_once);
	RUN(a_morph_of_which_nothing_is_heard_is_dropped);
	RUN(one_morph_at_a_time);
	RUN(a_target_runs_the_workload_when_told_and_once);
	RUN(a_chunk_that_is_compressed_is_written_as_it_was);
	RUN(what_has_not_begun_is_given_back_for_good);
	RUN(what_has_begun_is_not_given_back);
	RUN(what_has_begun_unheard_is_not_given_back);
	RUN(what_could_not_be_restored_has_not_begun);
	RUN(what_ended_after_it_had_begun_is_not_given_back);
	RUN(only_a_target_that_was_told_to_run_gives_back);
	RUN(nothing_comes_back_where_nothing_is_kept);
	RUN(a_target_does_not_run_what_came_otherwise_than_it_was_sent);
	RUN(a_chunk_beyond_its_region_is_refused);
	RUN(more_memory_than_there_is_is_refused);
	RUN(a_standby_is_promoted_without_state);
	world_reset(KMP_WORKLOAD_HELD);
}
