// SPDX-License-Identifier: GPL-2.0-only
/*
 * One link: its beginning and end, its doorbells, what comes by it, and the queue of frames that
 * wait for room.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/jiffies.h>
#include <linux/slab.h>
#include <linux/virtio_vsock.h>

#include "compat.h"
#include "kerf_vsock.h"

#define KERF_BUDGET 256 /* frames that are consumed in one go */
#define KERF_MAX_QUEUED_REPLIES 256
#define KERF_HUNGRY_MS 10 /* until memory is asked for again */

void kerf_link_kick(struct kerf_link *link, u32 vector)
{
	u32 vectors = READ_ONCE(link->peer_vectors);

	atomic64_inc(&link->stats.doorbells_sent);
	link->ops->kick(link, min(vector, vectors - 1));
}

/* Sends what waited for room. By the work. */
static void kerf_link_flush(struct kerf_link *link)
{
	struct sk_buff_head sent;
	struct sk_buff *skb;
	u32 old_head;

	if (skb_queue_empty_lockless(&link->txq))
		return;
	__skb_queue_head_init(&sent);
	spin_lock_bh(&link->tx_lock);
	old_head = link->head;
	while (link->up && (skb = virtio_vsock_skb_dequeue(&link->txq))) {
		if (!kerf_ring_put(link, skb)) {
			virtio_vsock_skb_queue_head(&link->txq, skb);
			break;
		}
		if (virtio_vsock_skb_reply(skb))
			atomic_dec(&link->queued_replies);
		__skb_queue_tail(&sent, skb);
	}
	if (link->up)
		kerf_ring_published(link, old_head);
	spin_unlock_bh(&link->tx_lock);

	while ((skb = __skb_dequeue(&sent)))
		kerf_skb_sent(skb);
}

/* Consumes what has come. Returns whether there is more to do at once. By the work. */
static bool kerf_link_consume(struct kerf_link *link)
{
	struct sk_buff *skb;
	int n = 0;

	for (;;) {
		/*
		 * A peer that asks and never takes the answers must not fill our memory with them.
		 * Sending some of them brings us back here.
		 */
		if (atomic_read(&link->queued_replies) >= KERF_MAX_QUEUED_REPLIES)
			return false;
		if (n++ >= KERF_BUDGET)
			return true;
		if (kerf_ring_take(link, &skb)) {
			if (!skb)
				continue;
			virtio_transport_deliver_tap_pkt(skb);
			kerf_transport_receive(link, skb);
			continue;
		}
		if (link->starving) {
			mod_delayed_work(link->wq, &link->tick, msecs_to_jiffies(KERF_HUNGRY_MS));
			return false;
		}
		if (atomic_read(&link->broken) != KERF_SOUND)
			return false;
		if (kerf_ring_sleep(link))
			return false;
	}
}

static void kerf_link_work(struct work_struct *work)
{
	struct kerf_link *link = container_of(work, struct kerf_link, work);

	if (READ_ONCE(link->stopping))
		return;
	kerf_session_look(link);
	if (link->up) {
		kerf_link_flush(link);
		if (kerf_link_consume(link))
			queue_work(link->wq, &link->work);
	}
	kerf_session_mend(link);
}

static void kerf_link_tick(struct work_struct *work)
{
	struct kerf_link *link = container_of(to_delayed_work(work), struct kerf_link, tick);

	if (READ_ONCE(link->stopping))
		return;
	queue_delayed_work(link->wq, &link->tick, msecs_to_jiffies(KERF_LOOK_MS));
	if (link->generation && !kerf_session_words_are_ours(link))
		atomic_cmpxchg(&link->broken, KERF_SOUND, KERF_SCRIBBLED);
	if (!link->starving)
		kerf_session_probe(link);
	kerf_link_work(&link->work);
}

/* From the interrupt handler: the kernel answers a probe, whatever its threads do. */
void kerf_link_interrupt(struct kerf_link *link)
{
	u32 ping = READ_ONCE(link->peer->ping);

	atomic64_inc(&link->stats.doorbells_received);
	if ((u32)atomic_read(&link->pong) != ping) {
		atomic_set(&link->pong, (int)ping);
		WRITE_ONCE(link->own->pong, ping);
		atomic64_inc(&link->stats.probes_answered);
		kerf_link_kick(link, KERF_VECTOR_CONTROL);
	}
	queue_work(link->wq, &link->work);
}

static void kerf_link_note_request(struct kerf_link *link, const struct virtio_vsock_hdr *hdr)
{
	struct kerf_asked *asked = &link->asked[link->asked_next++ % KERF_ASKED];

	asked->local_port = le32_to_cpu(hdr->src_port);
	asked->peer_port = le32_to_cpu(hdr->dst_port);
	asked->type = le16_to_cpu(hdr->type);
}

/**
 * kerf_link_send() - send a frame, now or when there is room
 * @link: the link that leads to the frame's CID
 * @skb: the frame, which is taken over
 *
 * Return: the payload's length, or -ENODEV if there is no session
 */
int kerf_link_send(struct kerf_link *link, struct sk_buff *skb)
{
	struct virtio_vsock_hdr *hdr = virtio_vsock_hdr(skb);
	int len = skb->len;
	bool sent = false;
	u32 old_head;

	virtio_transport_deliver_tap_pkt(skb);

	spin_lock_bh(&link->tx_lock);
	if (!link->up) {
		spin_unlock_bh(&link->tx_lock);
		kfree_skb(skb);
		return -ENODEV;
	}
	if (le16_to_cpu(hdr->op) == VIRTIO_VSOCK_OP_REQUEST)
		kerf_link_note_request(link, hdr);
	if (skb_queue_empty_lockless(&link->txq)) {
		old_head = link->head;
		sent = kerf_ring_put(link, skb);
		kerf_ring_published(link, old_head);
	}
	if (!sent) {
		if (virtio_vsock_skb_reply(skb))
			atomic_inc(&link->queued_replies);
		virtio_vsock_skb_queue_tail(&link->txq, skb);
	}
	spin_unlock_bh(&link->tx_lock);

	if (sent)
		kerf_skb_sent(skb);
	return len;
}

struct kerf_link *kerf_link_new(const struct kerf_link_ops *ops, void *bus, const char *name,
				void *shm, u32 shm_bytes, u32 side, u32 id)
{
	struct kerf_link *link;

	if (!is_power_of_2(shm_bytes) || shm_bytes < KERF_SHM_MIN_BYTES ||
	    shm_bytes > KERF_SHM_MAX_BYTES || id > KERF_MAX_ID || !side != !id)
		return ERR_PTR(-EINVAL);

	link = kzalloc(sizeof(*link), GFP_KERNEL);
	if (!link)
		return ERR_PTR(-ENOMEM);
	/* Of no special priority: it is the other side that says how much there is to do. */
	link->wq = alloc_ordered_workqueue("kerf-%s", 0, name);
	if (!link->wq) {
		kfree(link);
		return ERR_PTR(-ENOMEM);
	}
	link->ops = ops;
	link->bus = bus;
	link->name = name;
	link->shm = shm;
	link->shm_bytes = shm_bytes;
	link->side = side;
	link->id = id;
	link->peer_vectors = 1;
	INIT_WORK(&link->work, kerf_link_work);
	INIT_DELAYED_WORK(&link->tick, kerf_link_tick);
	spin_lock_init(&link->tx_lock);
	skb_queue_head_init(&link->txq);
	kerf_ring_layout(link);
	kerf_ring_reset(link);
	return link;
}

static bool kerf_side_is_blank(const struct kerf_side *side)
{
	return !READ_ONCE(side->magic) && !READ_ONCE(side->version) &&
	       !READ_ONCE(side->shm_bytes) && !READ_ONCE(side->id) && !READ_ONCE(side->generation);
}

/**
 * kerf_link_start() - begin to talk
 * @link: the link, whose doorbells work
 * @vectors: how many of them we listen to
 *
 * Return: 0, -ENODEV if the memory is used by something else, or what kerf_transport_add() says
 */
int kerf_link_start(struct kerf_link *link, u32 vectors)
{
	int ret;

	/* Shared memory devices serve others too: what is neither blank nor ours is left alone. */
	if (READ_ONCE(link->own->magic) != KERF_MAGIC &&
	    READ_ONCE(link->peer->magic) != KERF_MAGIC &&
	    !(kerf_side_is_blank(link->own) && kerf_side_is_blank(link->peer))) {
		pr_warn("%s: the shared memory holds something else; left alone\n", link->name);
		return -ENODEV;
	}
	ret = kerf_transport_add(link);
	if (ret)
		return ret;
	link->vectors = vectors;
	link->started = jiffies;
	/* The first step is that of a side that comes back from a violation: down, then up. */
	WRITE_ONCE(link->own->peer_generation, 0);
	kerf_session_go_up(link);
	kerf_debugfs_add(link);
	queue_delayed_work(link->wq, &link->tick, 0);
	return 0;
}

/* Tells the other that we are gone, from wherever: two stores and a doorbell. */
void kerf_link_tell_down(struct kerf_link *link)
{
	WRITE_ONCE(link->up, false);
	WRITE_ONCE(link->own->generation, 0);
	kerf_link_kick(link, KERF_VECTOR_CONTROL);
}

/* Ends all that the link does; its doorbells may still ring until kerf_link_free(). */
void kerf_link_quiesce(struct kerf_link *link)
{
	WRITE_ONCE(link->stopping, true);
	cancel_delayed_work_sync(&link->tick);
	cancel_work_sync(&link->work);
	kerf_session_go_down(link);
	kerf_debugfs_remove(link);
	kerf_transport_remove(link);
}

/* After kerf_link_quiesce(), or without kerf_link_start(); its doorbells are silent. */
void kerf_link_free(struct kerf_link *link)
{
	cancel_work_sync(&link->work);
	destroy_workqueue(link->wq);
	kfree(link);
}
