/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kerf-vsock: AF_VSOCK between kernels that share memory. kerf_ring.h holds the layout and the
 * protocol; this header is what the files of the module say to each other.
 *
 * Contexts. Everything that changes a session, and everything that consumes, runs on the link's
 * ordered workqueue: the work and the tick of one link never run at once. Producing runs wherever
 * send_pkt is called, under tx_lock. The interrupt handler answers probes and queues the work.
 */
#ifndef KERF_VSOCK_H
#define KERF_VSOCK_H

#include <linux/atomic.h>
#include <linux/cache.h>
#include <linux/list.h>
#include <linux/skbuff.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include <kerf_ring.h>

struct dentry;
struct kerf_link;

/* What a kind of link (ivshmem, multikernel) does for the ring. */
struct kerf_link_ops {
	/* Rings the other side; @vector is within what it listens to. Any context. */
	void (*kick)(struct kerf_link *link, u32 vector);
};

/* Counters of debugfs. The groups are written under tx_lock, by the work, anywhere. */
struct kerf_stats {
	u64 tx_inline_frames;
	u64 tx_inline_bytes;
	u64 tx_bulk_frames;
	u64 tx_bulk_bytes;
	u64 tx_waits; /* the ring was full */

	u64 rx_inline_frames;
	u64 rx_inline_bytes;
	u64 rx_bulk_frames;
	u64 rx_bulk_bytes;
	u64 rx_dropped; /* frames of other CIDs than the two */
	u64 rx_no_memory; /* times that a frame waited for memory */
	u64 sessions;
	u64 resets; /* sessions that ended */
	u64 violations;
	u64 silences; /* sessions given up because the other did not answer */

	atomic64_t doorbells_sent;
	atomic64_t doorbells_received;
	atomic64_t probes_answered;
};

/* Connections that were asked for: those that are still open when a session ends are refused. */
#define KERF_ASKED 64

struct kerf_asked {
	u32 local_port;
	u32 peer_port;
	u16 type; /* 0: free */
};

struct kerf_link {
	/* fixed while the link exists */
	const struct kerf_link_ops *ops;
	void *bus;
	const char *name;
	u8 *shm;
	u32 shm_bytes;
	u32 slots;
	u32 bulk_bytes;
	u32 side; /* 0: we are the host, 1: an instance */
	u32 id; /* ours */
	u32 vectors; /* that we listen to */
	struct kerf_side *own; /* never read, see kerf_ring.h */
	struct kerf_side *peer; /* each word read once, then checked */
	u8 *tx_slots;
	u8 *tx_bulk;
	u8 *rx_slots;
	u8 *rx_bulk;
	struct workqueue_struct *wq;
	struct work_struct work;
	struct delayed_work tick;
	struct dentry *debugfs;
	struct list_head node; /* of the list of links; RCU */

	/* written by the work, read anywhere */
	u32 peer_id;
	u32 peer_features;
	u32 peer_vectors;
	bool up;
	bool stopping;

	/* the work's own */
	u32 generation; /* ours; 0 while down */
	u32 acknowledged; /* the other's generation that we acknowledged */
	u32 tail;
	u32 bulk_tail;
	u32 rx_event;
	u32 ping;
	u32 silent_ticks;
	u32 stuck_ticks;
	u32 stuck_tail;
	bool complained; /* about the other's identity, once */
	bool starving; /* a frame waits for memory */
	unsigned long started; /* jiffies */

	/* producing */
	spinlock_t tx_lock ____cacheline_aligned; /* the words below; taken before txq.lock */
	u32 head;
	u32 bulk_head;
	u32 tx_event;
	struct kerf_asked asked[KERF_ASKED];
	u32 asked_next;

	struct sk_buff_head txq; /* what found no room */
	atomic_t queued_replies; /* of txq; consuming stops while there are too many */
	atomic_t pong;
	atomic_t broken; /* enum kerf_broken, set anywhere, handled by the work */

	struct kerf_stats stats;
};

enum kerf_broken {
	KERF_SOUND = 0,
	KERF_BAD_HEAD,
	KERF_BAD_TAIL,
	KERF_BAD_SLOT,
	KERF_BAD_SESSION, /* the other acknowledges something else within one session */
	KERF_SCRIBBLED, /* our own words are not what we wrote */
};

/* link.c: doorbells, frames to and from the ring */
struct kerf_link *kerf_link_new(const struct kerf_link_ops *ops, void *bus, const char *name,
				void *shm, u32 shm_bytes, u32 side, u32 id);
int kerf_link_start(struct kerf_link *link, u32 vectors);
void kerf_link_interrupt(struct kerf_link *link);
void kerf_link_quiesce(struct kerf_link *link);
void kerf_link_free(struct kerf_link *link);
int kerf_link_send(struct kerf_link *link, struct sk_buff *skb);
void kerf_link_tell_down(struct kerf_link *link);
void kerf_link_kick(struct kerf_link *link, u32 vector);

/* session.c: lives of the two sides; by the link's work or tick */
bool kerf_session_words_are_ours(struct kerf_link *link);
void kerf_session_go_down(struct kerf_link *link);
void kerf_session_go_up(struct kerf_link *link);
void kerf_session_look(struct kerf_link *link);
void kerf_session_mend(struct kerf_link *link);
void kerf_session_probe(struct kerf_link *link);

/* ring.c: frames in and out of the memory */
void kerf_ring_layout(struct kerf_link *link);
void kerf_ring_reset(struct kerf_link *link);
bool kerf_ring_put(struct kerf_link *link, struct sk_buff *skb);
void kerf_ring_published(struct kerf_link *link, u32 old_head);
bool kerf_ring_take(struct kerf_link *link, struct sk_buff **skb);
bool kerf_ring_sleep(struct kerf_link *link);

/* roles.c: what the vsock core calls */
int kerf_roles_init(void);
void kerf_roles_exit(void);

/* transport.c: which link a frame goes by, and the places in the vsock core */
int kerf_transport_serve_local(void);
void kerf_transport_exit(void);
int kerf_transport_add(struct kerf_link *link);
void kerf_transport_remove(struct kerf_link *link);
bool kerf_transport_used(const struct kerf_link *link);
bool kerf_transport_peer_taken(struct kerf_link *link, u32 id);
void kerf_transport_receive(struct kerf_link *link, struct sk_buff *skb);
void kerf_transport_session_lost(struct kerf_link *link);
void kerf_transport_tell_down(void);

/* debugfs.c */
void kerf_debugfs_init(void);
void kerf_debugfs_exit(void);
void kerf_debugfs_add(struct kerf_link *link);
void kerf_debugfs_remove(struct kerf_link *link);

/* ivshmem.c, multikernel.c: the kinds of link */
int kerf_ivshmem_init(void);
void kerf_ivshmem_exit(void);
#ifdef KERF_MULTIKERNEL
int kerf_multikernel_init(void);
void kerf_multikernel_exit(void);
#else
static inline int kerf_multikernel_init(void)
{
	return 0;
}

static inline void kerf_multikernel_exit(void)
{
}
#endif

extern unsigned int kerf_peer_timeout_ms;

static inline u32 kerf_own_cid(const struct kerf_link *link)
{
	return KERF_CID_OF_ID(link->id);
}

static inline u32 kerf_peer_cid(const struct kerf_link *link)
{
	return KERF_CID_OF_ID(READ_ONCE(link->peer_id));
}

#endif
