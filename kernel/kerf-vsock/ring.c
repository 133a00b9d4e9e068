// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames in and out of the shared memory: PRODUCE and CONSUME of kerf_ring.h. Nothing here trusts
 * what the other side wrote: every word is read once, checked, then used.
 */
#include <linux/virtio_vsock.h>

#include "compat.h"
#include "kerf_vsock.h"

static_assert(sizeof(struct virtio_vsock_hdr) == KERF_FRAME_HEADER_BYTES);
static_assert(VIRTIO_VSOCK_MAX_PKT_BUF_SIZE <= KERF_MAX_PAYLOAD_BYTES);

void kerf_ring_layout(struct kerf_link *link)
{
	u32 bytes = link->shm_bytes;
	u32 tx = link->side;
	u32 rx = 1 - link->side;

	link->slots = KERF_SLOTS(bytes);
	link->bulk_bytes = KERF_BULK_BYTES(bytes);
	link->own = (struct kerf_side *)(link->shm + KERF_SIDE_OFFSET(tx));
	link->peer = (struct kerf_side *)(link->shm + KERF_SIDE_OFFSET(rx));
	link->tx_slots = link->shm + KERF_SLOTS_OFFSET(bytes, tx);
	link->rx_slots = link->shm + KERF_SLOTS_OFFSET(bytes, rx);
	link->tx_bulk = link->shm + KERF_BULK_OFFSET(bytes, tx);
	link->rx_bulk = link->shm + KERF_BULK_OFFSET(bytes, rx);
}

/* Both directions count from zero. Under tx_lock, by the work, while the session is down. */
void kerf_ring_reset(struct kerf_link *link)
{
	link->head = 0;
	link->bulk_head = 0;
	link->tx_event = U32_MAX;
	link->tail = 0;
	link->bulk_tail = 0;
	link->rx_event = 0;
	link->starving = false;
}

static void kerf_ring_broken(struct kerf_link *link, enum kerf_broken why)
{
	atomic_cmpxchg(&link->broken, KERF_SOUND, why);
	queue_work(link->wq, &link->work);
}

static bool kerf_ring_has_room(struct kerf_link *link, u32 bulk)
{
	u32 tail, used, bulk_tail, bulk_used;

	/* before bulk_tail, and before what it frees is written again */
	tail = smp_load_acquire(&link->peer->tail);
	bulk_tail = READ_ONCE(link->peer->bulk_tail);
	used = link->head - tail;
	bulk_used = link->bulk_head - bulk_tail;

	if (used > link->slots || bulk_used > link->bulk_bytes) {
		kerf_ring_broken(link, KERF_BAD_TAIL);
		return false;
	}
	return used < link->slots && bulk <= link->bulk_bytes - bulk_used;
}

/*
 * No room: ask to be rung when half of what waits has been consumed, so that a full ring costs a
 * doorbell for many frames, not one for each.
 */
static bool kerf_ring_wait_for_room(struct kerf_link *link, u32 bulk)
{
	u32 used = link->head - READ_ONCE(link->peer->tail);

	if (used > link->slots)
		used = link->slots; /* judged by kerf_ring_has_room() */
	link->tx_event = link->head - used + (used ? (used - 1) / 2 : 0);
	WRITE_ONCE(link->own->tx_event, link->tx_event);
	smp_mb(); /* the wish before the look; the consumer has it the other way round */
	if (kerf_ring_has_room(link, bulk))
		return true;
	link->stats.tx_waits++;
	return false;
}

/**
 * kerf_ring_put() - put one frame into the ring, without telling
 * @link: the link; tx_lock is held and the session is up
 * @skb: the frame, which stays the caller's
 *
 * The caller tells of one or more frames with kerf_ring_published().
 *
 * Return: false if there is no room; the other side will ring when there is
 */
bool kerf_ring_put(struct kerf_link *link, struct sk_buff *skb)
{
	u32 len = skb->len;
	bool in_bulk = len >= KERF_INLINE_BYTES;
	u32 bulk = in_bulk ? KERF_BULK_ALIGN(len) : 0;
	struct kerf_slot *slot;

	if (!kerf_ring_has_room(link, bulk) && !kerf_ring_wait_for_room(link, bulk))
		return false;

	slot = (struct kerf_slot *)(link->tx_slots +
				    (size_t)(link->head & (link->slots - 1)) * KERF_SLOT_BYTES);
	WRITE_ONCE(slot->seq, link->head);
	WRITE_ONCE(slot->kind, in_bulk ? KERF_BULK : KERF_INLINE);
	WRITE_ONCE(slot->bulk_pos, in_bulk ? link->bulk_head : 0);
	WRITE_ONCE(slot->reserved, 0);
	memcpy(slot->header, virtio_vsock_hdr(skb), KERF_FRAME_HEADER_BYTES);
	if (in_bulk) {
		u32 at = link->bulk_head & (link->bulk_bytes - 1);
		u32 first = min(len, link->bulk_bytes - at);

		skb_copy_bits(skb, 0, link->tx_bulk + at, first);
		if (first < len)
			skb_copy_bits(skb, first, link->tx_bulk, len - first);
		link->bulk_head += bulk;
		link->stats.tx_bulk_frames++;
		link->stats.tx_bulk_bytes += len;
	} else {
		skb_copy_bits(skb, 0, slot->payload, len);
		link->stats.tx_inline_frames++;
		link->stats.tx_inline_bytes += len;
	}
	link->head++;
	/* after the frame */
	smp_store_release(&link->own->head, link->head);
	return true;
}

/* Rings for the frames since @old_head, if the consumer sleeps. Under tx_lock. */
void kerf_ring_published(struct kerf_link *link, u32 old_head)
{
	if (link->head == old_head)
		return;
	smp_mb(); /* head before rx_event; the consumer has it the other way round */
	if (KERF_PASSED(READ_ONCE(link->peer->rx_event), old_head, link->head))
		kerf_link_kick(link, KERF_VECTOR_DATA);
}

static struct sk_buff *kerf_ring_copy(struct kerf_link *link, const struct kerf_slot *slot,
				      const u8 *payload, u32 len)
{
	struct sk_buff *skb;

	skb = virtio_vsock_alloc_skb(VIRTIO_VSOCK_SKB_HEADROOM + len, GFP_KERNEL | __GFP_NOWARN);
	if (!skb)
		return NULL;
	memcpy(virtio_vsock_hdr(skb), slot->header, KERF_FRAME_HEADER_BYTES);
	if (!len)
		return skb;
	kerf_skb_put(skb, len);
	if (slot->kind == KERF_BULK) {
		u32 at = link->bulk_tail & (link->bulk_bytes - 1);
		u32 first = min(len, link->bulk_bytes - at);

		if (skb_store_bits(skb, 0, link->rx_bulk + at, first) ||
		    (first < len && skb_store_bits(skb, first, link->rx_bulk, len - first)))
			goto drop;
	} else if (skb_store_bits(skb, 0, payload, len)) {
		goto drop;
	}
	return skb;

drop:
	kfree_skb(skb);
	return NULL;
}

static bool kerf_slot_is_sound(const struct kerf_link *link, const struct kerf_slot *slot, u32 len)
{
	if (slot->seq != link->tail || len > KERF_MAX_PAYLOAD_BYTES)
		return false;
	if (len < KERF_INLINE_BYTES)
		return slot->kind == KERF_INLINE;
	return slot->kind == KERF_BULK && slot->bulk_pos == link->bulk_tail;
}

static void kerf_ring_consumed(struct kerf_link *link, const struct kerf_slot *slot, u32 len)
{
	u32 old_tail = link->tail;

	if (slot->kind == KERF_BULK) {
		link->bulk_tail += KERF_BULK_ALIGN(len);
		WRITE_ONCE(link->own->bulk_tail, link->bulk_tail);
		link->stats.rx_bulk_frames++;
		link->stats.rx_bulk_bytes += len;
	} else {
		link->stats.rx_inline_frames++;
		link->stats.rx_inline_bytes += len;
	}
	link->tail++;
	/* after the frame was copied, and after bulk_tail */
	smp_store_release(&link->own->tail, link->tail);
	smp_mb(); /* tail before tx_event; the producer has it the other way round */
	if (KERF_PASSED(READ_ONCE(link->peer->tx_event), old_tail, link->tail))
		kerf_link_kick(link, KERF_VECTOR_CONTROL);
}

/**
 * kerf_ring_take() - take the next frame out of the ring
 * @link: the link; by its work, while the session is up
 * @skb: where the frame goes, or NULL if it was one of other CIDs
 *
 * Return: false if there is none, or none that can be had: see link->broken and link->starving
 */
bool kerf_ring_take(struct kerf_link *link, struct sk_buff **skb)
{
	struct virtio_vsock_hdr hdr;
	struct kerf_slot slot;
	const u8 *shared;
	u32 head, len;

	/* before the frame */
	head = smp_load_acquire(&link->peer->head);
	if (head == link->tail)
		return false;
	if (head - link->tail > link->slots) {
		kerf_ring_broken(link, KERF_BAD_HEAD);
		return false;
	}

	/* One copy of the slot, in private memory; only the copy is looked at. */
	shared = link->rx_slots + (size_t)(link->tail & (link->slots - 1)) * KERF_SLOT_BYTES;
	memcpy(&slot, shared, sizeof(slot));
	barrier();
	memcpy(&hdr, slot.header, sizeof(hdr));
	len = le32_to_cpu(hdr.len);
	if (!kerf_slot_is_sound(link, &slot, len)) {
		kerf_ring_broken(link, KERF_BAD_SLOT);
		return false;
	}

	*skb = NULL;
	if (le64_to_cpu(hdr.src_cid) == kerf_peer_cid(link) &&
	    le64_to_cpu(hdr.dst_cid) == kerf_own_cid(link)) {
		*skb = kerf_ring_copy(link, &slot, slot.payload, len);
		if (!*skb) {
			/* A frame of a stream cannot be dropped: it stays where it is. */
			link->starving = true;
			link->stats.rx_no_memory++;
			return false;
		}
	} else {
		link->stats.rx_dropped++;
	}
	link->starving = false;
	kerf_ring_consumed(link, &slot, len);
	return true;
}

/* Wants to be rung for the next frame. Returns false if one has come meanwhile. */
bool kerf_ring_sleep(struct kerf_link *link)
{
	link->rx_event = link->tail;
	WRITE_ONCE(link->own->rx_event, link->rx_event);
	smp_mb(); /* the wish before the look; the producer has it the other way round */
	return READ_ONCE(link->peer->head) == link->tail;
}
