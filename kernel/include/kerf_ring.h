/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * The link between two kernels, or between a kernel and a process that stands in for one: a shared
 * memory, two doorbells, AF_VSOCK frames. Version 1. kernel/kerf-vsock/README draws it; the rules
 * are here. Freestanding, as kmp.h: kerf-vsock.ko and user space both compile it.
 *
 * One link joins two sides: side 0 is the host (CID 2), side 1 an instance (CID = instance id + 2).
 * One shared memory and one pair of doorbells serve one link, so that instances cannot read each
 * other. All integers are little-endian; indices and positions are free-running 32-bit counters
 * that wrap at 2^32, and differences of them are taken modulo 2^32.
 *
 * MEMORY. shm_bytes is a power of two between KERF_SHM_MIN_BYTES and KERF_SHM_MAX_BYTES,
 * zero-filled when made:
 *
 *   0                     struct kerf_side of side 0      written by side 0 only
 *   4096                  struct kerf_side of side 1      written by side 1 only
 *   8192                  slots of direction 0 (0 to 1)   written by side 0 only
 *   8192 + slots * 320    slots of direction 1 (1 to 0)   written by side 1 only
 *   shm_bytes / 2         bulk area of direction 0        written by side 0 only
 *   shm_bytes * 3 / 4     bulk area of direction 1        written by side 1 only
 *
 * with slots = shm_bytes / 2048 a direction, and a bulk area of shm_bytes / 4. The names of a
 * direction's ends below are producer and consumer; direction d is produced by side d.
 *
 * TRUST. The memory is writable by both; either may be hostile. Each word of the other side is read
 * once into a private copy (READ_ONCE; in Java one VarHandle access), checked, then used. No side
 * reads its own words back to learn something: it keeps private copies of all of them, and the only
 * exception is the generation it finds when it starts.
 *
 * ORDER. "Store-release" and "load-acquire" are C11's; "full fence" is seq_cst. All stores to words
 * of struct kerf_side are single, aligned 32-bit stores.
 *
 * SESSION. A generation names one life of one side; 0 means that the side is down. It is the
 * liveness word. To start (when it attaches, and again whenever it gives a session up), a side
 *   1. store-releases generation = 0,
 *   2. stores peer_generation = 0, head = tail = bulk_tail = 0, rx_event = 0, tx_event = 0xffffffff
 *      and the identity words, and forgets every frame and connection of before,
 *   3. store-releases generation = a random value that is not 0, not the one found in its own
 *      block, and not the peer_generation of the other side,
 *   4. rings KERF_VECTOR_CONTROL of the other.
 * A side looks at the other when a doorbell rings, and at least once in KERF_LOOK_MS:
 *   - g = load-acquire(other's generation). If g is 0, there is no session: a side that had one
 *     resets its connections, and stores peer_generation = 0.
 *   - If g is not the value that it acknowledged last, the other has started anew (connections of a
 *     session before are reset at once). If the other's identity words are right (magic, version,
 *     shm_bytes; id in its range), it sets head = tail = bulk_tail = 0, rx_event = 0, tx_event =
 *     0xffffffff, stores every other word of its block again (its own generation does not change),
 *     then store-releases peer_generation = g and rings KERF_VECTOR_CONTROL. If they are wrong, it
 *     acknowledges nothing, says so in its log, once, and looks again later.
 *   - The session is up for a side while it has acknowledged g, g still is the other's generation,
 *     and load-acquire(other's peer_generation), read after g, is its own generation. Only then are
 *     indices of the other read, frames written, and frames consumed. If a session was up and the
 *     other's peer_generation changes while g does not, the session is over and this side starts
 *     anew.
 *   - An index of the other that fails a check is judged only after its generation was read again:
 *     if that has changed, the other has restarted and nothing is wrong.
 *
 * STOP. A side that goes (unload, shutdown, panic, end of the process) store-releases generation =
 * 0 and rings KERF_VECTOR_CONTROL: the other resets its connections at that moment.
 *
 * KEEPER. Who made the memory (the ivshmem server; for a QEMU instance its shim) keeps the peace:
 * when a side has died without a word (its process ended, or its connection to the keeper closed)
 * the keeper stores 0 to that side's generation, and rings all vectors of the other side, before it
 * lets a successor in. It writes nothing else. Without a keeper, death is found by PROBE alone.
 *
 * FRAMES. A frame is a struct virtio_vsock_hdr (44 bytes, linux/virtio_vsock.h, the OASIS virtio
 * 1.2 specification section 5.10.6) and len bytes of payload, len <= KERF_MAX_PAYLOAD_BYTES. Each
 * frame takes one slot, in order. A payload below KERF_INLINE_BYTES (256) lies in the slot itself;
 * a larger one in the bulk area, at bulk_pos modulo the area's size, wrapping at its end, and takes
 * KERF_BULK_ALIGN(len) bytes there. bulk_pos begins at 0 and grows by that.
 *
 * PRODUCE. Private: head, bulk_head (0 at session start).
 *   - tail = load-acquire(consumer's tail), then bulk_tail = consumer's bulk_tail. head - tail >
 *     slots, or bulk_head - bulk_tail > bulk size, is a violation. (0 - 0 at session start.)
 *   - There is room if head - tail < slots and, for a bulk frame,
 *     bulk_head - bulk_tail + KERF_BULK_ALIGN(len) <= bulk size.
 *   - No room: store tx_event = any index t with tail <= t < head in counter order (tail: call me
 *     as soon as anything is consumed; later: when more is), full fence, look at the room once
 *     more, then wait for a doorbell. Frames are never dropped for want of room.
 *   - Room: write the slot at head modulo slots (seq = head, kind, bulk_pos) and the payload, then
 *     store-release head = head + 1 (or + n after n frames: one notification), full fence, load the
 *     consumer's rx_event e, and ring KERF_VECTOR_DATA if KERF_PASSED(e, old head, new head).
 *
 * CONSUME. Private: tail, bulk_tail.
 *   - head = load-acquire(producer's head). head - tail > slots is a violation. Copy each slot
 *     before its checks. Violations: seq is not tail; kind does not fit len (inline iff len < 256);
 *     len > KERF_MAX_PAYLOAD_BYTES; kind bulk and bulk_pos is not the private bulk_tail.
 *   - A frame whose CIDs are not those of the two sides, in that direction, is dropped and counted;
 *     it is no violation.
 *   - After a frame's bytes were copied out: bulk_tail += KERF_BULK_ALIGN(len) if bulk, stored;
 *     then store-release tail + 1 (or once after some frames), full fence, load the producer's
 *     tx_event e, and ring KERF_VECTOR_CONTROL if KERF_PASSED(e, old tail, new tail).
 *   - To sleep: store rx_event = tail, full fence, look at head once more. While it is busy a
 *     consumer leaves rx_event alone and is not rung for.
 *
 * VIOLATION. The side starts anew (SESSION), not earlier than KERF_VIOLATION_PAUSE_MS after its
 * last start, with its generation 0 in between. A side also compares its own block with its private
 * copies once in KERF_LOOK_MS: a difference (somebody scribbled) is a violation.
 *
 * DOORBELLS. They are hints: any may be spurious or merged, each means "look at everything". A side
 * publishes how many vectors it listens to (1 or 2); vector v is rung as min(v, vectors - 1), and
 * any other number of vectors counts as 1. On ivshmem: write (peer id << 16) | vector to register
 * Doorbell (BAR 0, offset 12); from user space: write 1 to the eventfd. The ivshmem peer id of side
 * 0 is 0, that of side 1 its instance id (IVPosition).
 *
 * PROBE. Is the other kernel alive, whatever its user space does? Store ping = a new value, ring
 * KERF_VECTOR_CONTROL. On any doorbell a side (a kernel in its interrupt handler) loads the other's
 * ping; if it is not its pong, it stores pong = ping and rings KERF_VECTOR_CONTROL. Valid as soon
 * as the answerer's generation is not 0, with or without a session. kerf-vsock.ko probes while
 * connections exist and gives a session up when no answer came for its parameter peer_timeout_ms.
 */
#ifndef KMORPH_KERF_RING_H
#define KMORPH_KERF_RING_H

#ifdef __KERNEL__
#include <linux/build_bug.h>
#include <linux/stddef.h>
#include <linux/types.h>
#else
#include <stddef.h>
#include <stdint.h>
#endif

#if !defined(__BYTE_ORDER__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "kerf_ring.h lays structures over little-endian bytes; this machine is not little-endian"
#endif

#ifdef __KERNEL__
typedef u32 kerf_u32;
typedef u8 kerf_u8;
#else
typedef uint32_t kerf_u32;
typedef uint8_t kerf_u8;
#endif

#define KERF_MAGIC 0x4652454bu /* in memory: "KERF" */
#define KERF_VERSION 1u

#define KERF_SHM_MIN_BYTES (1u << 20)
#define KERF_SHM_MAX_BYTES (256u << 20)
#define KERF_SIDE_BYTES 4096u
#define KERF_SLOT_BYTES 320u
#define KERF_FRAME_HEADER_BYTES 44u
#define KERF_INLINE_BYTES 256u /* payloads below ride in the slot */
#define KERF_MAX_PAYLOAD_BYTES 65536u
#define KERF_MAX_ID 65535u /* ivshmem peers are numbered in 16 bits */

#define KERF_LOOK_MS 1000u
#define KERF_VIOLATION_PAUSE_MS 100u

#define KERF_HOST_CID 2u
#define KERF_CID_OF_ID(id) ((id) + 2u) /* of the host too: id 0 */

#define KERF_VECTOR_DATA 0u /* frames are there */
#define KERF_VECTOR_CONTROL 1u /* room, generation, ping, pong */
#define KERF_VECTORS 2u

#define KERF_F_SEQPACKET (1u << 0) /* SOCK_SEQPACKET is spoken */

enum kerf_kind {
	KERF_INLINE = 1,
	KERF_BULK = 2,
};

/* One side's words. Each group has a cache line for itself. Reserved words are 0. */
struct kerf_side {
	/* identity: 0 */
	kerf_u32 magic;
	kerf_u32 version;
	kerf_u32 shm_bytes; /* as this side sees the memory */
	kerf_u32 id; /* side 0: 0; side 1: the instance id, 1 to KERF_MAX_ID */
	kerf_u32 features; /* KERF_F_*; unknown bits are ignored */
	kerf_u32 vectors;
	kerf_u32 reserved0[10];
	/* session: 64 */
	kerf_u32 generation;
	kerf_u32 peer_generation;
	kerf_u32 reserved1[14];
	/* as producer: 128 */
	kerf_u32 head;
	kerf_u32 tx_event;
	kerf_u32 reserved2[14];
	/* as consumer: 192 */
	kerf_u32 tail;
	kerf_u32 bulk_tail;
	kerf_u32 rx_event;
	kerf_u32 reserved3[13];
	/* probe: 256 */
	kerf_u32 ping;
	kerf_u32 pong;
	kerf_u32 reserved4[14];
	kerf_u8 reserved5[KERF_SIDE_BYTES - 320u];
};

struct kerf_slot {
	kerf_u32 seq; /* the index of this frame */
	kerf_u32 kind; /* enum kerf_kind */
	kerf_u32 bulk_pos; /* 0 of an inline frame */
	kerf_u32 reserved;
	kerf_u8 header[KERF_FRAME_HEADER_BYTES]; /* struct virtio_vsock_hdr */
	kerf_u8 payload[KERF_SLOT_BYTES - 16u - KERF_FRAME_HEADER_BYTES];
};

#ifdef __KERNEL__
#define KERF_ASSERT(what) static_assert(what)
#else
#define KERF_ASSERT(what) _Static_assert(what, #what)
#endif
KERF_ASSERT(sizeof(struct kerf_side) == KERF_SIDE_BYTES);
KERF_ASSERT(offsetof(struct kerf_side, generation) == 64);
KERF_ASSERT(offsetof(struct kerf_side, head) == 128);
KERF_ASSERT(offsetof(struct kerf_side, tail) == 192);
KERF_ASSERT(offsetof(struct kerf_side, ping) == 256);
KERF_ASSERT(sizeof(struct kerf_slot) == KERF_SLOT_BYTES);
KERF_ASSERT(offsetof(struct kerf_slot, header) == 16);
KERF_ASSERT(offsetof(struct kerf_slot, payload) == 60);

#define KERF_SLOTS(shm_bytes) ((shm_bytes) / 2048u)
#define KERF_BULK_BYTES(shm_bytes) ((shm_bytes) / 4u)
#define KERF_SIDE_OFFSET(side) ((side) * KERF_SIDE_BYTES)
#define KERF_SLOTS_OFFSET(shm_bytes, direction) \
	(2u * KERF_SIDE_BYTES + (direction) * KERF_SLOTS(shm_bytes) * KERF_SLOT_BYTES)
#define KERF_BULK_OFFSET(shm_bytes, direction) \
	((shm_bytes) / 2u + (direction) * KERF_BULK_BYTES(shm_bytes))
#define KERF_BULK_ALIGN(len) (((len) + 63u) & ~63u)

/* Whether a counter that went from old_index to new_index left event behind. */
#define KERF_PASSED(event, old_index, new_index) \
	((kerf_u32)((new_index) - (event) - 1u) < (kerf_u32)((new_index) - (old_index)))

#endif
