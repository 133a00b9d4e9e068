/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Builds the frames of docs/kmp.md with kernel/include/kmp.h and writes them to standard output one after the other, in the
 * page's order. The test that runs it compares the bytes.
 */
#include "kmp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPERATION                                                                                  \
	{ 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,                                          \
	  0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff }

#define RSP(the_state, the_verdict)                                                                \
	{ .operation = OPERATION, .state = (the_state), .verdict = (the_verdict) }

static uint8_t payload[KMP_MAX_PAYLOAD_BYTES];
static uint32_t payload_len;
static uint32_t frames;

static void add(const void *bytes, size_t len)
{
	memcpy(payload + payload_len, bytes, len);
	payload_len += (uint32_t)len;
}

#define ADD(...) add(&(__VA_ARGS__), sizeof(__VA_ARGS__))

/* An item whose value is a structure, then bytes. */
static void item(uint16_t type, const void *value, size_t len, const void *rest, size_t rest_len)
{
	struct kmp_item head = { .type = type, .len = (uint16_t)(len + rest_len) };

	add(&head, sizeof(head));
	add(value, len);
	add(rest, rest_len);
}

static void text_item(uint16_t type, const char *text)
{
	item(type, text, strlen(text), "", 0);
}

static void send(uint16_t msg_type)
{
	struct kmp_header header = {
		.magic = KMP_MAGIC,
		.version = KMP_VERSION,
		.msg_type = msg_type,
		.sequence = ++frames,
		.payload_len = payload_len,
	};

	header.timestamp_ns = frames * 1000000000ull;
	header.crc32 = kmp_frame_crc32(&header, payload, payload_len);
	if (kmp_is_small(msg_type) && payload_len > KMP_MAX_SMALL_PAYLOAD_BYTES) {
		fprintf(stderr, "frame %u is no small one\n", (unsigned int)frames);
		exit(1);
	}
	fwrite(&header, sizeof(header), 1, stdout);
	fwrite(payload, 1, payload_len, stdout);
	payload_len = 0;
}

static void heartbeats(void)
{
	const struct kmp_heartbeat_req req = {
		.wants = KMP_WANT_KERNEL_RELEASE | KMP_WANT_CAPABILITIES | KMP_WANT_AGENT_VERSION |
			 KMP_WANT_WORKLOAD | KMP_WANT_OPERATION,
	};
	const struct kmp_heartbeat_rsp rsp = {
		.instance_id = 7,
		.agent_state = KMP_AGENT_READY,
		.workload_state = KMP_WORKLOAD_RUNNING,
		.cpu_count = 4,
		.boot_id = 0x1122334455667788,
		.uptime_ms = 3600000,
		.memory_total_bytes = 1ull << 30,
		.memory_available_bytes = 768ull << 20,
		.cpu_use = 1250,
		.load1 = 75,
		.io_us = 420,
		.io_age_ms = 900,
	};
	const uint64_t capabilities = KMP_CAP_WORKLOAD | KMP_CAP_MORPH_SOURCE | KMP_CAP_MORPH_TARGET;
	const struct kmp_i_workload workload = {
		.pid = 42, .exit_status = -1, .starts = 1, .since_ns = 5000000000
	};
	const struct kmp_i_operation operation = {
		.operation = OPERATION, .role = KMP_ROLE_SOURCE, .state = KMP_OP_TRANSFERRING
	};
	const struct kmp_health_status status = {
		.instance_id = 7,
		.condition = KMP_C_MEMORY_PRESSURE,
		.severity = KMP_S_WARNING,
		.workload_state = KMP_WORKLOAD_RUNNING,
		.boot_id = 0x1122334455667788,
		.value = 40 << 20,
		.limit = 50 << 20,
		.trouble = 1u << KMP_C_MEMORY_PRESSURE,
	};

	ADD(req);
	send(KMP_HEARTBEAT_REQ);
	ADD(rsp);
	text_item(KMP_I_KERNEL_RELEASE, "6.12.9-amd64");
	item(KMP_I_CAPABILITIES, &capabilities, sizeof(capabilities), "", 0);
	text_item(KMP_I_AGENT_VERSION, "0.1.0");
	item(KMP_I_WORKLOAD, &workload, sizeof(workload), "", 0);
	item(KMP_I_OPERATION, &operation, sizeof(operation), "", 0);
	send(KMP_HEARTBEAT_RSP);
	ADD(status);
	text_item(KMP_I_TEXT, "40 MiB of 1 GiB available");
	send(KMP_HEALTH_STATUS);
}

static void instance(uint32_t id, uint32_t cid, const char *name)
{
	const struct kmp_i_instance instance = { .instance_id = id, .cid = cid, .running = 1 };

	item(KMP_I_INSTANCE, &instance, sizeof(instance), name, strlen(name));
}

static void recovery(void)
{
	const struct kmp_recover_prepare prepare = {
		.operation = OPERATION,
		.failed_instance = 9,
		.cause = KMP_CAUSE_PANIC,
		.failed_boot_id = 0x99aabbccddeeff01,
		.generation = 41,
	};
	const struct kmp_recover_reclaim reclaim = {
		.operation = OPERATION, .failed_instance = 9, .generation = 42
	};
	const struct kmp_i_memory_range memory = {
		.start = 0x140000000, .length = 0x40000000, .owner = KMP_NO_INSTANCE
	};
	const struct kmp_i_cpu_range cpus = { .first = 4, .count = 2, .owner = 7 };
	const struct kmp_i_device device = { .owner = KMP_NO_INSTANCE };
	const struct kmp_recover_complete complete = {
		.operation = OPERATION,
		.failed_instance = 9,
		.successor_instance = 10,
		.outcome = KMP_OUTCOME_DONE,
		.generation = 43,
	};

	ADD(prepare);
	send(KMP_RECOVER_PREPARE);
	ADD(reclaim);
	item(KMP_I_MEMORY_RANGE, &memory, sizeof(memory), "", 0);
	item(KMP_I_CPU_RANGE, &cpus, sizeof(cpus), "", 0);
	item(KMP_I_DEVICE, &device, sizeof(device), "0000:00:05.0", 12);
	send(KMP_RECOVER_RECLAIM);
	ADD(complete);
	instance(7, 9, "web");
	instance(10, 12, "db");
	send(KMP_RECOVER_COMPLETE);
}

static void digest(uint32_t region, uint32_t round)
{
	const struct kmp_i_digest digest = {
		.region = region, .round = round, .algorithm = KMP_DIGEST_XXH64
	};
	const uint64_t value = 0x0123456789abcdef;

	item(KMP_I_DIGEST, &digest, sizeof(digest), &value, sizeof(value));
}

static void share_digest(uint32_t share)
{
	const struct kmp_i_digest digest = { .region = share, .algorithm = KMP_DIGEST_SHA256 };
	uint8_t value[32];

	for (uint8_t i = 0; i < sizeof(value); i++)
		value[i] = i;
	item(KMP_I_DIGEST, &digest, sizeof(digest), value, sizeof(value));
}

static void capture(void)
{
	const struct kmp_vmcore_start start = {
		.operation = OPERATION,
		.dead_instance = 9,
		.share = 1,
		.window_bytes = 4 << 20,
		.compression = KMP_COMPRESS_ZSTD,
		.rate_bytes_per_s = 100000000,
	};
	const struct kmp_i_memory_range memory = {
		.start = 0x100000, .length = 0x200000, .owner = KMP_NO_INSTANCE
	};
	const struct kmp_i_memory_file file = { .length = 0x8000000, .offset = 0x1000 };
	const struct kmp_vmcore_data data = {
		.operation = OPERATION,
		.share = 1,
		.flags = KMP_CHUNK_LAST,
		.extent_count = 3,
		.stream_offset = 65536,
		.raw_len = 8,
		.data_len = 8,
	};
	const struct kmp_extent extents[] = {
		{ .offset = 0x100000, .length = 8 },
		{ .offset = 0x101000, .length = 4096, .flags = KMP_EXTENT_ZERO },
		{ .offset = 0x102000, .length = 4096, .flags = KMP_EXTENT_UNREADABLE },
	};
	const struct kmp_vmcore_complete complete = {
		.operation = OPERATION,
		.share = 1,
		.outcome = KMP_OUTCOME_PARTIAL,
		.stream_bytes = 65536 + 8 + 4096 + 4096,
		.unreadable_bytes = 4096,
	};

	ADD(start);
	item(KMP_I_MEMORY_RANGE, &memory, sizeof(memory), "", 0);
	item(KMP_I_MEMORY_FILE, &file, sizeof(file), "/run/9/memory", 13);
	send(KMP_VMCORE_START);
	ADD(data);
	ADD(extents);
	add("8 bytes!", 8);
	send(KMP_VMCORE_DATA);
	ADD(complete);
	share_digest(1);
	send(KMP_VMCORE_COMPLETE);
}

static void transfer(void)
{
	const struct kmp_morph_transfer pull = {
		.operation = OPERATION,
		.region = KMP_ALL_REGIONS,
		.round = 2,
		.step = KMP_TRANSFER_PULL,
		.window_bytes = 8 << 20,
	};
	const struct kmp_morph_transfer data = {
		.operation = OPERATION,
		.region = 3,
		.round = 2,
		.stream_offset = 4096,
		.step = KMP_TRANSFER_DATA,
		.flags = KMP_CHUNK_LAST | KMP_CHUNK_FINAL,
		.extent_count = 2,
		.raw_len = 5,
		.data_len = 5,
	};
	const struct kmp_extent extents[] = {
		{ .offset = 0x2000, .length = 5 },
		{ .offset = 0x3000, .length = 4096, .flags = KMP_EXTENT_ZERO },
	};
	const struct kmp_morph_transfer end = {
		.operation = OPERATION,
		.region = 3,
		.round = 2,
		.stream_offset = 4096 + 5 + 4096,
		.step = KMP_TRANSFER_END,
		.flags = KMP_CHUNK_FINAL,
	};

	ADD(pull);
	text_item(KMP_I_PEER, "/run/b.sock");
	send(KMP_MORPH_TRANSFER_STATE);
	ADD(data);
	ADD(extents);
	add("dirty", 5);
	send(KMP_MORPH_TRANSFER_STATE);
	ADD(end);
	digest(3, 2);
	send(KMP_MORPH_TRANSFER_STATE);
}

static void morph(void)
{
	const struct kmp_morph_prepare prepare = {
		.operation = OPERATION,
		.role = KMP_ROLE_SOURCE,
		.expires_ms = 60000,
		.peer_instance = 11,
	};
	const struct kmp_morph_negotiate negotiate = {
		.operation = OPERATION,
		.stage = KMP_NEGOTIATE_AGREE,
		.compression = KMP_COMPRESS_ZSTD,
		.digest = KMP_DIGEST_XXH64,
	};
	const struct kmp_i_state_kind kind = {
		.kind = KMP_KIND_MEMORY,
		.version_min = 1,
		.version_max = 1,
		.count = 2,
		.bytes = 64 << 20,
	};
	const struct kmp_morph_validate validate = {
		.operation = OPERATION, .scope = KMP_VALIDATE_FINAL
	};
	const struct kmp_morph_commit commit = {
		.operation = OPERATION, .phase = KMP_COMMIT_QUIESCE, .time_us = 250000
	};
	const struct kmp_morph_rollback rollback = {
		.operation = OPERATION, .cause = KMP_CAUSE_TIMEOUT
	};

	ADD(prepare);
	send(KMP_MORPH_PREPARE);
	ADD(negotiate);
	item(KMP_I_STATE_KIND, &kind, sizeof(kind), "", 0);
	send(KMP_MORPH_NEGOTIATE);
	transfer();
	ADD(validate);
	send(KMP_MORPH_VALIDATE);
	ADD(commit);
	send(KMP_MORPH_COMMIT);
	ADD(rollback);
	text_item(KMP_I_TEXT, "too slow");
	send(KMP_MORPH_ROLLBACK);
}

static void operation_answers(void)
{
	const struct kmp_operation_rsp described = RSP(KMP_OP_PREPARED, KMP_VERDICT_NONE);
	const uint64_t capabilities = KMP_CAP_WORKLOAD | KMP_CAP_RECOVER | KMP_CAP_VMCORE |
				      KMP_CAP_MORPH_SOURCE | KMP_CAP_MORPH_TARGET | KMP_CAP_ZSTD |
				      KMP_CAP_XXH64 | KMP_CAP_TRACK_UFFD_WP | KMP_CAP_TRACK_HASH;
	const struct kmp_i_state_kind kind = {
		.kind = KMP_KIND_MEMORY,
		.version_min = 1,
		.version_max = 2,
		.count = 1,
		.bytes = 64 << 20,
	};
	const struct kmp_i_region region = {
		.region = 3, .kind = KMP_KIND_MEMORY, .bytes = 64 << 20
	};
	const struct kmp_operation_rsp rehearsed = RSP(KMP_OP_TRANSFERRING, KMP_VERDICT_YES);
	const struct kmp_i_check check = { .verdict = KMP_VERDICT_YES, .duration_us = 1500 };
	const struct kmp_operation_rsp refused = RSP(KMP_OP_PREPARED, KMP_VERDICT_NO);
	const struct kmp_i_incompatible incompatible = {
		.code = KMP_E_NOT_SUPPORTED, .kind = KMP_KIND_SOCKETS
	};

	ADD(described);
	text_item(KMP_I_KERNEL_RELEASE, "6.1.0-amd64");
	item(KMP_I_CAPABILITIES, &capabilities, sizeof(capabilities), "", 0);
	text_item(KMP_I_MACHINE, "x86_64");
	item(KMP_I_STATE_KIND, &kind, sizeof(kind), "", 0);
	item(KMP_I_REGION, &region, sizeof(region), "heap", 4);
	send(KMP_MORPH_NEGOTIATE | KMP_ANSWER);
	ADD(rehearsed);
	item(KMP_I_CHECK, &check, sizeof(check), "memory: 64 MiB mapped", 21);
	send(KMP_MORPH_VALIDATE | KMP_ANSWER);
	ADD(refused);
	item(KMP_I_INCOMPATIBLE, &incompatible, sizeof(incompatible), "no TCP_REPAIR", 13);
	send(KMP_MORPH_NEGOTIATE | KMP_ANSWER);
}

static void answers(void)
{
	const struct kmp_ack ack = {
		.head = RSP(KMP_OP_CAPTURING, KMP_VERDICT_NONE), .estimate_bytes = 0x200000
	};
	const struct kmp_commit_rsp commit = {
		.head = RSP(KMP_OP_FROZEN, KMP_VERDICT_NONE),
		.lease_left_us = 249000,
		.since_ns = 123456789000,
	};
	const struct kmp_error error = {
		.code = KMP_E_UNSUPPORTED_VERSION,
		.request_type = KMP_HEARTBEAT_REQ,
		.version_min = KMP_VERSION_MIN,
		.version_max = KMP_VERSION_MAX,
		.value = 2,
	};
	const struct kmp_ack round = {
		.head = RSP(KMP_OP_TRANSFERRING, KMP_VERDICT_NONE), .stream_offset = 5000
	};
	const uint64_t unpacked = 20000;
	const struct kmp_retry retry = {
		.delay_ms = 200, .request_type = KMP_MORPH_PREPARE, .code = KMP_E_BUSY
	};

	operation_answers();
	ADD(ack);
	send(KMP_VMCORE_START | KMP_ANSWER);
	ADD(commit);
	send(KMP_MORPH_COMMIT | KMP_ANSWER);
	ADD(error);
	text_item(KMP_I_TEXT, "version 2 is not spoken here");
	send(KMP_ERROR);
	ADD(retry);
	send(KMP_RETRY);
	ADD(round);
	item(KMP_I_UNPACKED, &unpacked, sizeof(unpacked), "", 0);
	send(KMP_MORPH_TRANSFER_STATE | KMP_ANSWER);
}

/* Walks items as the header offers it: every whole one, and never beyond the end. */
static int walk(void)
{
	static const uint8_t items[] = { 6, 0, 2, 0, 'o', 'k', 0x77, 0x77, 0, 0, 6, 0, 3, 0, 'o', 'k' };
	size_t at = 0;
	const struct kmp_item *item = kmp_next_item(items, sizeof(items), &at);

	if (!item || item->type != KMP_I_TEXT || item->len != 2 || at != 6)
		return 0;
	item = kmp_next_item(items, sizeof(items), &at);
	if (!item || item->type != 0x7777 || item->len != 0 || at != 10)
		return 0;
	/* the third claims a byte more than there is */
	if (kmp_next_item(items, sizeof(items), &at) || at != 10)
		return 0;
	at = 6;
	return !kmp_next_item(items, 6, &at) && at == 6;
}

int main(void)
{
	if (!walk() || kmp_crc32(0, "123456789", 9) != 0xcbf43926) {
		fputs("kmp_next_item or kmp_crc32 is wrong\n", stderr);
		return 1;
	}
	heartbeats();
	recovery();
	capture();
	morph();
	answers();
	return fflush(stdout) ? 1 : 0;
}
