/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * The Kernel Morphing Protocol on the wire, version 1. docs/kmp.md is the specification; this file
 * repeats it for C, and a test of bundles/kmp-codec compiles it and holds both, and the Java codec,
 * against the same frames.
 *
 * Freestanding: needs nothing but the fixed-width types. All integers are little-endian; the
 * structures are laid over the bytes as they stand, so this header refuses big-endian machines.
 * Fields named reserved are sent as 0 and ignored on receipt.
 */
#ifndef KMORPH_KMP_H
#define KMORPH_KMP_H

#ifdef __KERNEL__
#include <linux/build_bug.h>
#include <linux/stddef.h>
#include <linux/types.h>
#else
#include <stddef.h>
#include <stdint.h>
#endif

#if !defined(__BYTE_ORDER__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "kmp.h lays structures over little-endian bytes; this machine is not little-endian"
#endif

#define KMP_MAGIC 0x4B4D5000u /* on the wire: 00 50 4d 4b */
#define KMP_VERSION 1
#define KMP_VERSION_MIN 1
#define KMP_VERSION_MAX 1
#define KMP_PORT 9000 /* AF_VSOCK */
#define KMP_HEADER_LEN 32
#define KMP_ANSWER 0x8000 /* set in msg_type of an answer */

/* Limits. Units are in the names; without one they are counts. */
#define KMP_MAX_PAYLOAD_BYTES 1048576
/* a small message with its header stays under 256 bytes: the fast path */
#define KMP_MAX_SMALL_PAYLOAD_BYTES 223
#define KMP_MAX_ITEMS 4096
#define KMP_MAX_EXTENTS 1024
#define KMP_MAX_CHUNK_BYTES 1048576 /* of a chunk's data, uncompressed */
#define KMP_MAX_WINDOW_BYTES 67108864
#define KMP_MAX_REGIONS 1024
#define KMP_MAX_RELEASE_BYTES 64 /* text of KERNEL_RELEASE and MACHINE */
#define KMP_MAX_AGENT_VERSION_BYTES 16
#define KMP_MAX_NAME_BYTES 63
#define KMP_MAX_PEER_BYTES 107 /* as much as an address of AF_UNIX holds */
#define KMP_MAX_PATH_BYTES 4095 /* of MEMORY_FILE */
#define KMP_MAX_TEXT_BYTES 1024
#define KMP_MAX_SMALL_TEXT_BYTES 128 /* of TEXT in a small message */
#define KMP_MAX_DIGEST_BYTES 32
#define KMP_MAX_OUTSTANDING 256 /* unanswered requests of one side of a connection */
#define KMP_REMEMBERED_OPERATIONS 64

#define KMP_FRAME_DEADLINE_MS 5000 /* from a frame's first byte to its last */
#define KMP_RETRY_BASE_MS 50
#define KMP_RETRY_CAP_MS 5000
#define KMP_RETRY_MAX 8

enum kmp_type {
	KMP_HEARTBEAT_REQ = 0x0001,
	KMP_HEARTBEAT_RSP = 0x8001,
	KMP_HEALTH_STATUS = 0x0002,
	KMP_RECOVER_PREPARE = 0x0101,
	KMP_RECOVER_RECLAIM = 0x0102,
	KMP_RECOVER_COMPLETE = 0x0103,
	KMP_VMCORE_START = 0x0110,
	KMP_VMCORE_DATA = 0x0111,
	KMP_VMCORE_COMPLETE = 0x0112,
	KMP_MORPH_PREPARE = 0x0201,
	KMP_MORPH_NEGOTIATE = 0x0202,
	KMP_MORPH_TRANSFER_STATE = 0x0203,
	KMP_MORPH_VALIDATE = 0x0204,
	KMP_MORPH_COMMIT = 0x0205,
	KMP_MORPH_ROLLBACK = 0x0206,
	KMP_ERROR = 0x0F01,
	KMP_RETRY = 0x0F02,
};

enum kmp_error_code {
	KMP_E_UNSUPPORTED_VERSION = 1,
	KMP_E_UNSUPPORTED_TYPE = 2,
	KMP_E_TOO_LARGE = 3,
	KMP_E_MALFORMED = 4,
	KMP_E_UNKNOWN_OPERATION = 5,
	KMP_E_WRONG_STATE = 6,
	KMP_E_BUSY = 7,
	KMP_E_NOT_SUPPORTED = 8,
	KMP_E_NO_SPACE = 9,
	KMP_E_DENIED = 10,
	KMP_E_IO = 11,
	KMP_E_DIGEST_MISMATCH = 12,
	KMP_E_EXPIRED = 13,
	KMP_E_NO_WORKLOAD = 14,
	KMP_E_INTERNAL = 15,
};

enum kmp_agent_state {
	KMP_AGENT_STARTING = 1,
	KMP_AGENT_READY = 2,
	KMP_AGENT_DEGRADED = 3, /* works, with a trouble */
	KMP_AGENT_MORPHING = 4, /* takes part in a morph */
	KMP_AGENT_STOPPING = 5,
};

enum kmp_workload_state {
	KMP_WORKLOAD_NONE = 0, /* the agent was given none */
	KMP_WORKLOAD_HELD = 1, /* given, waits for ACTIVATE */
	KMP_WORKLOAD_STARTING = 2,
	KMP_WORKLOAD_RUNNING = 3,
	KMP_WORKLOAD_FROZEN = 4,
	KMP_WORKLOAD_EXITED = 5, /* ended by itself with status 0 */
	KMP_WORKLOAD_FAILED = 6, /* ended by itself otherwise, or could not be started */
	KMP_WORKLOAD_STOPPED = 7, /* ended by RELEASE or RETIRE */
};

/* What a heartbeat request wants beside the fixed figures: bits of wants. */
#define KMP_WANT_KERNEL_RELEASE (1u << 0)
#define KMP_WANT_CAPABILITIES (1u << 1)
#define KMP_WANT_AGENT_VERSION (1u << 2)
#define KMP_WANT_WORKLOAD (1u << 3)
#define KMP_WANT_OPERATION (1u << 4)

/* flags of a heartbeat answer */
#define KMP_IO_STUCK (1u << 0) /* a synced write has not returned: io_us is its time so far */
#define KMP_IO_UNMEASURED (1u << 1) /* no synced write could be tried: io_us and io_age_ms are 0 */

/* Conditions. In trouble, condition n is bit n. */
enum kmp_condition {
	KMP_C_MEMORY_PRESSURE = 1,
	KMP_C_WRITER_STUCK = 2,
	KMP_C_WORKLOAD_ENDED = 3,
	KMP_C_LEASE_EXPIRED = 4,
	KMP_C_MORPH_EXPIRED = 5,
};

enum kmp_severity {
	KMP_S_CLEARED = 0, /* the condition is over */
	KMP_S_WARNING = 1,
	KMP_S_CRITICAL = 2,
};

/* bits of CAPABILITIES */
#define KMP_CAP_WORKLOAD (1ull << 0) /* runs workloads; knows phase RETIRE */
#define KMP_CAP_RECOVER (1ull << 1) /* takes part in recoveries as a survivor */
#define KMP_CAP_VMCORE (1ull << 2) /* can read a dead instance's memory */
#define KMP_CAP_MORPH_SOURCE (1ull << 3)
#define KMP_CAP_MORPH_TARGET (1ull << 4)
#define KMP_CAP_ZSTD (1ull << 5)
#define KMP_CAP_XXH64 (1ull << 6)
#define KMP_CAP_TRACK_UFFD_WP (1ull << 7) /* dirty tracking: userfaultfd write protection */
#define KMP_CAP_TRACK_SOFT_DIRTY (1ull << 8)
#define KMP_CAP_TRACK_HASH (1ull << 9) /* dirty tracking: page hashes */

/* Where a side stands in an operation. */
enum kmp_operation_state {
	KMP_OP_UNKNOWN = 0, /* never heard of it, or forgotten */
	KMP_OP_PREPARED = 1,
	KMP_OP_NEGOTIATED = 2,
	KMP_OP_TRANSFERRING = 3,
	KMP_OP_VALIDATED = 4,
	KMP_OP_FROZEN = 5,
	KMP_OP_RELEASED = 6,
	KMP_OP_RESUMED = 7,
	KMP_OP_ACTIVE = 8,
	KMP_OP_ROLLED_BACK = 9,
	KMP_OP_RECLAIMED = 10,
	KMP_OP_COMPLETE = 11,
	KMP_OP_CAPTURING = 12,
};

enum kmp_verdict {
	KMP_VERDICT_NONE = 0, /* the message asks for none */
	KMP_VERDICT_YES = 1,
	KMP_VERDICT_NO = 2, /* items say why */
};

enum kmp_item_type {
	KMP_I_KERNEL_RELEASE = 0x0001,
	KMP_I_CAPABILITIES = 0x0002,
	KMP_I_AGENT_VERSION = 0x0003,
	KMP_I_WORKLOAD = 0x0004,
	KMP_I_OPERATION = 0x0005,
	KMP_I_TEXT = 0x0006,
	KMP_I_MACHINE = 0x0007,
	KMP_I_STATE_KIND = 0x0010,
	KMP_I_REGION = 0x0011,
	KMP_I_INCOMPATIBLE = 0x0012,
	KMP_I_DIGEST = 0x0013,
	KMP_I_CHECK = 0x0014,
	KMP_I_PEER = 0x0015, /* text: the path of the target's agent's socket */
	KMP_I_UNPACKED = 0x0016, /* u64: what compressed data that was sent expands to */
	KMP_I_MEMORY_RANGE = 0x0020,
	KMP_I_CPU_RANGE = 0x0021,
	KMP_I_DEVICE = 0x0022,
	KMP_I_INSTANCE = 0x0023,
	KMP_I_MEMORY_FILE = 0x0024,
};

enum kmp_state_kind {
	KMP_KIND_MEMORY = 1,
	KMP_KIND_FILES = 2,
	KMP_KIND_SOCKETS = 3,
	KMP_KIND_OPAQUE = 4, /* the workload's own */
};

enum kmp_digest_algorithm {
	KMP_DIGEST_SHA256 = 1, /* 32 bytes; every peer knows it */
	KMP_DIGEST_XXH64 = 2, /* 8 bytes, little-endian, seed 0; both need KMP_CAP_XXH64 */
};

enum kmp_compression {
	KMP_COMPRESS_NONE = 0,
	KMP_COMPRESS_ZSTD = 1,
};

enum kmp_role {
	KMP_ROLE_SOURCE = 1, /* the old kernel */
	KMP_ROLE_TARGET = 2, /* the new one */
	KMP_ROLE_SURVIVOR = 3, /* in a recovery or capture */
};

/* flags of MORPH_PREPARE */
#define KMP_PREPARE_COLD (1u << 0) /* no state moves: ACTIVATE starts the workload afresh */
#define KMP_PREPARE_KEPT (1u << 1) /* the target has released this workload, and kept its state */

enum kmp_negotiate_stage {
	KMP_NEGOTIATE_DESCRIBE = 1, /* to the source: what have you? */
	KMP_NEGOTIATE_OFFER = 2, /* to the target: could you take this? */
	KMP_NEGOTIATE_AGREE = 3, /* to the source: this is what was agreed */
};

enum kmp_transfer_step {
	KMP_TRANSFER_PULL = 1, /* receiver to sender: begin this round, or go on with it */
	KMP_TRANSFER_DATA = 2, /* sender to receiver: a chunk */
	KMP_TRANSFER_END = 3, /* sender to receiver: a region's round is over; carries its DIGEST */
};

/* flags of VMCORE_DATA and MORPH_TRANSFER_STATE */
#define KMP_CHUNK_LAST (1u << 0) /* the last chunk of the share, or of the region in this round */
#define KMP_CHUNK_COMPRESSED (1u << 1) /* data is one zstd frame of raw_len bytes */
#define KMP_CHUNK_FINAL (1u << 2) /* this round is the final one, taken while frozen */

/* flags of an extent */
#define KMP_EXTENT_ZERO (1u << 0) /* all zeros: no bytes of it follow */
#define KMP_EXTENT_UNREADABLE (1u << 1) /* could not be read: no bytes of it follow */

enum kmp_validate_scope {
	KMP_VALIDATE_REHEARSAL = 1, /* everything that can be tried before the freeze */
	KMP_VALIDATE_FINAL = 2, /* the final state's digests: quick */
};

enum kmp_commit_phase {
	KMP_COMMIT_QUERY = 0, /* changes nothing; the answer tells the state */
	KMP_COMMIT_QUIESCE = 1,
	KMP_COMMIT_RELEASE = 2,
	KMP_COMMIT_ACTIVATE = 3,
	KMP_COMMIT_RETIRE = 4, /* stop the workload for good, in an orderly way; no successor */
	KMP_COMMIT_HAND_OVER = 5, /* quiesce, final round, its validation, release: in one go */
	KMP_COMMIT_TAKE = 6, /* from the source's agent to the target's: it has released */
	KMP_COMMIT_GIVE_BACK = 7, /* to the target: never to begin the workload */
};

enum kmp_cause {
	KMP_CAUSE_SILENCE = 1,
	KMP_CAUSE_PANIC = 2,
	KMP_CAUSE_EXIT = 3,
	KMP_CAUSE_OPERATOR = 4,
	KMP_CAUSE_INCOMPATIBLE = 5,
	KMP_CAUSE_INVALID = 6,
	KMP_CAUSE_TIMEOUT = 7,
	KMP_CAUSE_PEER_LOST = 8,
};

enum kmp_outcome {
	KMP_OUTCOME_DONE = 1,
	KMP_OUTCOME_PARTIAL = 2,
	KMP_OUTCOME_FAILED = 3,
	KMP_OUTCOME_CANCELLED = 4,
};

#define KMP_ALL_REGIONS 0xffffffffu /* in PULL */
#define KMP_NO_INSTANCE 0xffffffffu /* for an instance id: none; as an owner: the pool */

#define KMP_PACKED __attribute__((packed))

struct kmp_header {
	uint32_t magic;
	uint16_t version;
	uint16_t msg_type;
	uint32_t sequence;
	uint32_t payload_len;
	uint64_t timestamp_ns;
	uint32_t crc32;
	uint32_t reserved;
} KMP_PACKED;

/* An item's head; len bytes of value follow, the next item comes straight after them, unaligned. */
struct kmp_item {
	uint16_t type;
	uint16_t len;
} KMP_PACKED;

struct kmp_heartbeat_req {
	uint32_t wants;
	uint32_t reserved;
} KMP_PACKED;

struct kmp_heartbeat_rsp {
	uint32_t instance_id;
	uint8_t agent_state;
	uint8_t workload_state;
	uint16_t cpu_count;
	uint64_t boot_id;
	uint64_t uptime_ms;
	uint64_t memory_total_bytes;
	uint64_t memory_available_bytes;
	uint32_t cpu_use; /* of all its processors, in hundredths of a percent: 0 to 10000 */
	uint32_t load1; /* load average of one minute, in hundredths */
	uint32_t io_us;
	uint32_t io_age_ms; /* since that write was begun */
	uint32_t flags;
	uint32_t trouble;
} KMP_PACKED;

struct kmp_health_status {
	uint32_t instance_id;
	uint16_t condition;
	uint8_t severity;
	uint8_t workload_state;
	uint64_t boot_id;
	uint64_t value;
	uint64_t limit;
	uint32_t trouble;
	uint32_t reserved;
} KMP_PACKED;

/* What the answer to every message with an operation begins with; some are nothing more. */
struct kmp_operation_rsp {
	uint8_t operation[16];
	uint8_t state;
	uint8_t verdict;
	uint16_t reserved;
	uint32_t reserved2;
} KMP_PACKED;

struct kmp_recover_prepare {
	uint8_t operation[16];
	uint32_t failed_instance;
	uint16_t cause;
	uint16_t reserved;
	uint64_t failed_boot_id;
	uint64_t generation;
} KMP_PACKED;

struct kmp_recover_reclaim {
	uint8_t operation[16];
	uint32_t failed_instance;
	uint32_t reserved;
	uint64_t generation;
} KMP_PACKED;

struct kmp_recover_complete {
	uint8_t operation[16];
	uint32_t failed_instance;
	uint32_t successor_instance;
	uint8_t outcome;
	uint8_t reserved[7];
	uint64_t generation;
} KMP_PACKED;

struct kmp_vmcore_start {
	uint8_t operation[16];
	uint32_t dead_instance;
	uint32_t share;
	uint32_t window_bytes;
	uint8_t compression;
	uint8_t reserved[3];
	uint64_t stream_offset;
	uint64_t rate_bytes_per_s;
} KMP_PACKED;

struct kmp_vmcore_data {
	uint8_t operation[16];
	uint32_t share;
	uint16_t flags;
	uint16_t extent_count;
	uint64_t stream_offset;
	uint32_t raw_len;
	uint32_t data_len;
} KMP_PACKED;

struct kmp_vmcore_complete {
	uint8_t operation[16];
	uint32_t share;
	uint8_t outcome;
	uint8_t reserved[3];
	uint64_t stream_bytes;
	uint64_t unreadable_bytes;
} KMP_PACKED;

/* The answer to VMCORE_START, VMCORE_DATA and MORPH_TRANSFER_STATE. */
struct kmp_ack {
	struct kmp_operation_rsp head;
	uint64_t stream_offset;
	uint64_t estimate_bytes;
	uint32_t window_bytes;
	uint32_t reserved;
} KMP_PACKED;

/*
 * Of VMCORE_DATA and MORPH_TRANSFER_STATE: after the structure come extent_count of these, then
 * data_len bytes, then items.
 */
struct kmp_extent {
	uint64_t offset;
	uint32_t length;
	uint32_t flags;
} KMP_PACKED;

struct kmp_morph_prepare {
	uint8_t operation[16];
	uint8_t role;
	uint8_t reserved;
	uint16_t flags;
	uint32_t expires_ms;
	uint32_t peer_instance;
	uint32_t reserved2;
} KMP_PACKED;

struct kmp_morph_negotiate {
	uint8_t operation[16];
	uint8_t stage;
	uint8_t compression;
	uint16_t digest;
	uint32_t reserved;
} KMP_PACKED;

struct kmp_morph_transfer {
	uint8_t operation[16];
	uint32_t region;
	uint32_t round;
	uint64_t stream_offset;
	uint8_t step;
	uint8_t reserved;
	uint16_t flags;
	uint16_t extent_count;
	uint16_t reserved2;
	uint32_t raw_len;
	uint32_t data_len;
	uint32_t window_bytes;
	uint32_t reserved3;
} KMP_PACKED;

struct kmp_morph_validate {
	uint8_t operation[16];
	uint8_t scope;
	uint8_t reserved[7];
} KMP_PACKED;

struct kmp_morph_commit {
	uint8_t operation[16];
	uint8_t phase;
	uint8_t reserved[3];
	uint32_t time_us; /* QUIESCE, HAND_OVER: the lease; RETIRE: the grace; else 0 */
} KMP_PACKED;

struct kmp_commit_rsp {
	struct kmp_operation_rsp head;
	uint32_t lease_left_us;
	uint32_t reserved;
	uint64_t since_ns; /* the answerer's boot time when it came into this state */
} KMP_PACKED;

struct kmp_morph_rollback {
	uint8_t operation[16];
	uint16_t cause;
	uint16_t reserved;
	uint32_t reserved2;
} KMP_PACKED;

struct kmp_error {
	uint16_t code;
	uint16_t request_type;
	uint16_t version_min;
	uint16_t version_max;
	uint64_t value;
} KMP_PACKED;

struct kmp_retry {
	uint32_t delay_ms;
	uint16_t request_type;
	uint16_t code;
} KMP_PACKED;

/* Values of items. Those whose value is only text or a u64 have no structure. */

/* flags of a workload */
#define KMP_PROCESS_BEGINNING (1u << 0) /* told to run, and it has not begun to: nobody has heard it */

struct kmp_i_workload {
	uint32_t pid; /* 0: none */
	int32_t exit_status; /* 0 to 255, or 256 + signal; -1 while it has not ended */
	uint32_t starts;
	uint32_t flags;
	uint64_t since_ns;
} KMP_PACKED;

struct kmp_i_operation {
	uint8_t operation[16];
	uint8_t role;
	uint8_t state;
	uint16_t reserved;
	uint32_t lease_left_us;
} KMP_PACKED;

struct kmp_i_state_kind {
	uint16_t kind;
	uint16_t version_min;
	uint16_t version_max;
	uint16_t reserved;
	uint32_t count;
	uint32_t reserved2;
	uint64_t bytes;
} KMP_PACKED;

struct kmp_i_region { /* then its name, text */
	uint32_t region;
	uint16_t kind;
	uint16_t version;
	uint64_t bytes;
} KMP_PACKED;

struct kmp_i_incompatible { /* then text */
	uint16_t code;
	uint16_t kind;
} KMP_PACKED;

struct kmp_i_digest { /* then the digest */
	uint32_t region;
	uint32_t round;
	uint16_t algorithm;
	uint16_t reserved;
} KMP_PACKED;

struct kmp_i_check { /* then text: name, colon, space, what was found */
	uint8_t verdict;
	uint8_t reserved[3];
	uint32_t duration_us;
} KMP_PACKED;

struct kmp_i_memory_range {
	uint64_t start;
	uint64_t length;
	uint32_t owner;
	uint32_t reserved;
} KMP_PACKED;

struct kmp_i_cpu_range {
	uint32_t first;
	uint32_t count;
	uint32_t owner;
} KMP_PACKED;

struct kmp_i_device { /* then its name, text */
	uint32_t owner;
} KMP_PACKED;

struct kmp_i_memory_file { /* then the file's path, text */
	uint64_t start; /* physical address */
	uint64_t length;
	uint64_t offset; /* in the file, where start is */
} KMP_PACKED;

struct kmp_i_instance { /* then its name, text */
	uint32_t instance_id;
	uint32_t cid;
	uint8_t running;
	uint8_t reserved[3];
} KMP_PACKED;

#define KMP_SIZE(type, size) \
	_Static_assert(sizeof(struct type) == (size), #type " has another size in docs/kmp.md")

KMP_SIZE(kmp_header, KMP_HEADER_LEN);
KMP_SIZE(kmp_item, 4);
KMP_SIZE(kmp_heartbeat_req, 8);
KMP_SIZE(kmp_heartbeat_rsp, 64);
KMP_SIZE(kmp_health_status, 40);
KMP_SIZE(kmp_operation_rsp, 24);
KMP_SIZE(kmp_recover_prepare, 40);
KMP_SIZE(kmp_recover_reclaim, 32);
KMP_SIZE(kmp_recover_complete, 40);
KMP_SIZE(kmp_vmcore_start, 48);
KMP_SIZE(kmp_vmcore_data, 40);
KMP_SIZE(kmp_vmcore_complete, 40);
KMP_SIZE(kmp_ack, 48);
KMP_SIZE(kmp_extent, 16);
KMP_SIZE(kmp_morph_prepare, 32);
KMP_SIZE(kmp_morph_negotiate, 24);
KMP_SIZE(kmp_morph_transfer, 56);
KMP_SIZE(kmp_morph_validate, 24);
KMP_SIZE(kmp_morph_commit, 24);
KMP_SIZE(kmp_commit_rsp, 40);
KMP_SIZE(kmp_morph_rollback, 24);
KMP_SIZE(kmp_error, 16);
KMP_SIZE(kmp_retry, 8);
KMP_SIZE(kmp_i_workload, 24);
KMP_SIZE(kmp_i_operation, 24);
KMP_SIZE(kmp_i_state_kind, 24);
KMP_SIZE(kmp_i_region, 16);
KMP_SIZE(kmp_i_incompatible, 4);
KMP_SIZE(kmp_i_digest, 12);
KMP_SIZE(kmp_i_check, 8);
KMP_SIZE(kmp_i_memory_range, 24);
KMP_SIZE(kmp_i_cpu_range, 12);
KMP_SIZE(kmp_i_device, 4);
KMP_SIZE(kmp_i_instance, 12);
KMP_SIZE(kmp_i_memory_file, 24);

_Static_assert(offsetof(struct kmp_header, timestamp_ns) == 16, "timestamp at 16");
_Static_assert(offsetof(struct kmp_header, crc32) == 24, "crc32 at 24");

/*
 * CRC-32 of IEEE 802.3 as zlib computes it, in pieces: begin with 0, give the last result to the
 * next call. Four bits at a time: right for heartbeats; who moves bulk data brings something faster
 * that gives the same.
 */
static inline uint32_t kmp_crc32(uint32_t crc, const void *bytes, size_t len)
{
	static const uint32_t nibble[16] = {
		0x00000000u, 0x1db71064u, 0x3b6e20c8u, 0x26d930acu, 0x76dc4190u, 0x6b6b51f4u,
		0x4db26158u, 0x5005713cu, 0xedb88320u, 0xf00f9344u, 0xd6d6a3e8u, 0xcb61b38cu,
		0x9b64c2b0u, 0x86d3d2d4u, 0xa00ae278u, 0xbdbdf21cu,
	};
	const uint8_t *p = (const uint8_t *)bytes;

	crc = ~crc;
	while (len--) {
		crc ^= *p++;
		crc = (crc >> 4) ^ nibble[crc & 15];
		crc = (crc >> 4) ^ nibble[crc & 15];
	}
	return ~crc;
}

/* What crc32 of a frame must be: over the header with crc32 as 0, then the payload. */
static inline uint32_t kmp_frame_crc32(const struct kmp_header *header, const void *payload,
				       size_t len)
{
	struct kmp_header zeroed = *header;

	zeroed.crc32 = 0;
	return kmp_crc32(kmp_crc32(0, &zeroed, sizeof(zeroed)), payload, len);
}

/* 1 for messages that ride the fast path: their payload is at most KMP_MAX_SMALL_PAYLOAD_BYTES. */
static inline int kmp_is_small(uint16_t msg_type)
{
	switch (msg_type) {
	case KMP_HEARTBEAT_REQ:
	case KMP_HEARTBEAT_RSP:
	case KMP_HEALTH_STATUS:
	case KMP_ERROR:
	case KMP_RETRY:
		return 1;
	default:
		return 0;
	}
}

/*
 * The item at *at of a payload, its value in bounds; *at moves behind it. NULL when there is
 * none (then *at == len), or when the rest is no item (then *at != len: the payload is malformed).
 */
static inline const struct kmp_item *kmp_next_item(const void *items, size_t len, size_t *at)
{
	const uint8_t *bytes = (const uint8_t *)items;
	const struct kmp_item *item;

	if (*at > len || len - *at < sizeof(*item))
		return NULL;
	item = (const struct kmp_item *)(const void *)(bytes + *at);
	if (item->len > len - *at - sizeof(*item))
		return NULL;
	*at += sizeof(*item) + item->len;
	return item;
}

#endif /* KMORPH_KMP_H */
