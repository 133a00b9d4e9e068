// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sessions of a link, as kerf_ring.h has them: SESSION, STOP, VIOLATION and PROBE. All of it runs
 * by the link's work or tick.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/jiffies.h>
#include <linux/random.h>
#include <linux/virtio_vsock.h>

#include "compat.h"
#include "kerf_vsock.h"

static const char *const kerf_broken_why[] = {
	[KERF_BAD_HEAD] = "its head is beyond the ring",
	[KERF_BAD_TAIL] = "its tail is beyond what was sent",
	[KERF_BAD_SLOT] = "a frame of it makes no sense",
	[KERF_BAD_SESSION] = "it acknowledged another session",
	[KERF_SCRIBBLED] = "our own words were overwritten",
};

/* Writes all of our words but the generation and what it acknowledges. Under tx_lock. */
static void kerf_session_write_words(struct kerf_link *link)
{
	struct kerf_side *own = link->own;

	WRITE_ONCE(own->magic, KERF_MAGIC);
	WRITE_ONCE(own->version, KERF_VERSION);
	WRITE_ONCE(own->shm_bytes, link->shm_bytes);
	WRITE_ONCE(own->id, link->id);
	WRITE_ONCE(own->features, KERF_F_SEQPACKET);
	WRITE_ONCE(own->vectors, link->vectors);
	WRITE_ONCE(own->head, link->head);
	WRITE_ONCE(own->tx_event, link->tx_event);
	WRITE_ONCE(own->tail, link->tail);
	WRITE_ONCE(own->bulk_tail, link->bulk_tail);
	WRITE_ONCE(own->rx_event, link->rx_event);
	WRITE_ONCE(own->ping, link->ping);
	WRITE_ONCE(own->pong, (u32)atomic_read(&link->pong));
}

/* Whether our words still are what we wrote. Their only other writer is a peer that must not. */
bool kerf_session_words_are_ours(struct kerf_link *link)
{
	struct kerf_side *own = link->own;
	bool ours;

	spin_lock_bh(&link->tx_lock);
	ours = READ_ONCE(own->magic) == KERF_MAGIC &&
	       READ_ONCE(own->version) == KERF_VERSION &&
	       READ_ONCE(own->shm_bytes) == link->shm_bytes &&
	       READ_ONCE(own->id) == link->id &&
	       READ_ONCE(own->features) == KERF_F_SEQPACKET &&
	       READ_ONCE(own->vectors) == link->vectors &&
	       READ_ONCE(own->generation) == link->generation &&
	       READ_ONCE(own->peer_generation) == link->acknowledged &&
	       READ_ONCE(own->head) == link->head &&
	       READ_ONCE(own->tx_event) == link->tx_event &&
	       READ_ONCE(own->tail) == link->tail &&
	       READ_ONCE(own->bulk_tail) == link->bulk_tail &&
	       READ_ONCE(own->rx_event) == link->rx_event &&
	       READ_ONCE(own->ping) == link->ping;
	spin_unlock_bh(&link->tx_lock);
	/* The interrupt handler writes this one; a wrong value costs the peer one more question. */
	WRITE_ONCE(own->pong, (u32)atomic_read(&link->pong));
	return ours;
}

/* A REQUEST that nobody will answer any more is answered here, or it would wait for its timeout. */
static void kerf_session_refuse(struct kerf_link *link, const struct kerf_asked *asked)
{
	struct virtio_vsock_hdr *hdr;
	struct sk_buff *skb;

	skb = virtio_vsock_alloc_skb(VIRTIO_VSOCK_SKB_HEADROOM, GFP_KERNEL);
	if (!skb)
		return; /* connect() has a timeout */
	hdr = virtio_vsock_hdr(skb);
	memset(hdr, 0, sizeof(*hdr));
	hdr->src_cid = cpu_to_le64(kerf_peer_cid(link));
	hdr->dst_cid = cpu_to_le64(kerf_own_cid(link));
	hdr->src_port = cpu_to_le32(asked->peer_port);
	hdr->dst_port = cpu_to_le32(asked->local_port);
	hdr->type = cpu_to_le16(asked->type);
	hdr->op = cpu_to_le16(VIRTIO_VSOCK_OP_RST);
	kerf_transport_receive(link, skb);
}

/* Ends the session, if there is one: connections are reset, frames are dropped. By the work. */
static void kerf_session_end_session(struct kerf_link *link)
{
	struct kerf_asked asked[KERF_ASKED];
	bool was_up;
	int i;

	spin_lock_bh(&link->tx_lock);
	was_up = link->up;
	WRITE_ONCE(link->up, false);
	memcpy(asked, link->asked, sizeof(asked));
	memset(link->asked, 0, sizeof(link->asked));
	virtio_vsock_skb_queue_purge(&link->txq);
	atomic_set(&link->queued_replies, 0);
	kerf_ring_reset(link);
	spin_unlock_bh(&link->tx_lock);

	if (!was_up)
		return;
	link->stats.resets++;
	pr_info_ratelimited("%s: session with CID %u ended\n", link->name, kerf_peer_cid(link));
	kerf_transport_session_lost(link);
	for (i = 0; i < KERF_ASKED; i++)
		if (asked[i].type)
			kerf_session_refuse(link, &asked[i]);
}

/* Takes this side down: generation 0, nothing acknowledged. By the work. */
void kerf_session_go_down(struct kerf_link *link)
{
	link->generation = 0;
	/* after every word of this life */
	smp_store_release(&link->own->generation, 0);
	kerf_session_end_session(link);
	link->acknowledged = 0;
	spin_lock_bh(&link->tx_lock);
	WRITE_ONCE(link->own->peer_generation, 0);
	kerf_session_write_words(link);
	spin_unlock_bh(&link->tx_lock);
	kerf_link_kick(link, KERF_VECTOR_CONTROL);
}

/* Begins a new life of this side. By the work, after kerf_session_go_down(). */
void kerf_session_go_up(struct kerf_link *link)
{
	u32 found = READ_ONCE(link->own->generation);
	u32 known = READ_ONCE(link->peer->peer_generation);
	u32 generation;

	do {
		generation = get_random_u32();
	} while (!generation || generation == found || generation == known);

	atomic_set(&link->broken, KERF_SOUND);
	link->silent_ticks = 0;
	link->stuck_ticks = 0;
	link->started = jiffies;
	spin_lock_bh(&link->tx_lock);
	WRITE_ONCE(link->own->peer_generation, 0);
	kerf_session_write_words(link);
	spin_unlock_bh(&link->tx_lock);
	link->generation = generation;
	/* the words of this life are there before it begins */
	smp_store_release(&link->own->generation, generation);
	kerf_link_kick(link, KERF_VECTOR_CONTROL);
}

/* What the other side says of itself, checked. */
static bool kerf_session_knows_peer(struct kerf_link *link)
{
	u32 magic = READ_ONCE(link->peer->magic);
	u32 version = READ_ONCE(link->peer->version);
	u32 shm_bytes = READ_ONCE(link->peer->shm_bytes);
	u32 id = READ_ONCE(link->peer->id);
	u32 features = READ_ONCE(link->peer->features);
	u32 vectors = READ_ONCE(link->peer->vectors);
	const char *wrong = NULL;

	if (magic != KERF_MAGIC)
		wrong = "its magic is not KERF";
	else if (version != KERF_VERSION)
		wrong = "it speaks another version of the protocol";
	else if (shm_bytes != link->shm_bytes)
		wrong = "it sees another size of the shared memory";
	else if (link->side == 1 && id != 0)
		wrong = "it is not a host";
	else if (link->side == 0 && (id == 0 || id > KERF_MAX_ID))
		wrong = "its instance id is out of range";
	else if (link->side == 0 && link->peer_id && id != link->peer_id)
		wrong = "its instance id has changed";
	else if (link->side == 0 && kerf_transport_peer_taken(link, id))
		wrong = "its instance id is that of another link";

	if (wrong) {
		if (!link->complained)
			pr_warn_ratelimited("%s: not talking to the other side: %s\n", link->name,
					    wrong);
		link->complained = true;
		return false;
	}
	link->complained = false;
	WRITE_ONCE(link->peer_id, id);
	WRITE_ONCE(link->peer_features, features);
	WRITE_ONCE(link->peer_vectors, vectors == 2 ? 2 : 1);
	return true;
}

/* Looks at the other side's generation, and follows it. By the work. */
void kerf_session_look(struct kerf_link *link)
{
	u32 theirs, acknowledged;

	if (!link->generation)
		return;

	/* before the words of that life */
	theirs = smp_load_acquire(&link->peer->generation);
	if (theirs != link->acknowledged) {
		kerf_session_end_session(link);
		link->acknowledged = 0;
		if (!theirs || !kerf_session_knows_peer(link)) {
			WRITE_ONCE(link->own->peer_generation, 0);
			return;
		}
		spin_lock_bh(&link->tx_lock);
		kerf_session_write_words(link);
		spin_unlock_bh(&link->tx_lock);
		WRITE_ONCE(link->own->generation, link->generation);
		link->acknowledged = theirs;
		/* our indices are 0 before it may count on them */
		smp_store_release(&link->own->peer_generation, theirs);
		kerf_link_kick(link, KERF_VECTOR_CONTROL);
	}
	if (!theirs)
		return;

	/* its indices are 0 if this is our generation */
	acknowledged = smp_load_acquire(&link->peer->peer_generation);
	if (acknowledged == link->generation) {
		if (link->up)
			return;
		link->stats.sessions++;
		pr_info_ratelimited("%s: session with CID %u\n", link->name, kerf_peer_cid(link));
		link->silent_ticks = 0;
		spin_lock_bh(&link->tx_lock);
		WRITE_ONCE(link->up, true);
		spin_unlock_bh(&link->tx_lock);
	} else if (link->up && READ_ONCE(link->peer->generation) == theirs) {
		atomic_cmpxchg(&link->broken, KERF_SOUND, KERF_BAD_SESSION);
	}
}

/*
 * Something that the other side wrote, or somebody over our words, cannot be. Down, and up again
 * after a pause: a peer that does it again and again gets ten sessions a second, not all our time.
 */
void kerf_session_mend(struct kerf_link *link)
{
	unsigned long pause = msecs_to_jiffies(KERF_VIOLATION_PAUSE_MS);
	int why = atomic_read(&link->broken);

	if (why == KERF_SOUND)
		return;
	if (link->generation) {
		/* Not if it has just restarted: then its indices are of its new life. */
		if (why != KERF_SCRIBBLED && why != KERF_BAD_SESSION &&
		    READ_ONCE(link->peer->generation) != link->acknowledged) {
			atomic_set(&link->broken, KERF_SOUND);
			queue_work(link->wq, &link->work);
			return;
		}
		link->stats.violations++;
		pr_warn_ratelimited("%s: starting anew: %s\n", link->name, kerf_broken_why[why]);
		kerf_session_go_down(link);
	}
	if (time_before(jiffies, link->started + pause))
		mod_delayed_work(link->wq, &link->tick, pause);
	else
		kerf_session_go_up(link);
}

/*
 * Is anybody there? Counted in ticks of ours, not in time: a machine that was paused has missed
 * its own ticks too.
 */
void kerf_session_probe(struct kerf_link *link)
{
	u32 limit = DIV_ROUND_UP(READ_ONCE(kerf_peer_timeout_ms), KERF_LOOK_MS);
	u32 tail = READ_ONCE(link->peer->tail);

	if (!link->up || !limit)
		return;

	if (skb_queue_empty_lockless(&link->txq) || tail != link->stuck_tail)
		link->stuck_ticks = 0;
	else
		link->stuck_ticks++;
	link->stuck_tail = tail;

	if (READ_ONCE(link->peer->pong) != link->ping) {
		link->silent_ticks++;
	} else {
		link->silent_ticks = 0;
		if (!kerf_transport_used(link))
			return;
		link->ping++;
		WRITE_ONCE(link->own->ping, link->ping);
	}
	if (link->silent_ticks <= limit && link->stuck_ticks <= limit) {
		kerf_link_kick(link, KERF_VECTOR_CONTROL);
		return;
	}
	link->stats.silences++;
	pr_warn("%s: CID %u %s for %u ms; starting anew\n", link->name, kerf_peer_cid(link),
		link->silent_ticks > limit ? "did not answer" : "took nothing of what waits for it",
		limit * KERF_LOOK_MS);
	kerf_session_go_down(link);
	kerf_session_go_up(link);
}
