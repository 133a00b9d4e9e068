/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the virtio_transport_common helpers differ between kernels. Kbuild looks for each feature
 * in the headers that it builds against; versions are not compared.
 */
#ifndef KERF_COMPAT_H
#define KERF_COMPAT_H

#include <linux/virtio_vsock.h>

/* Says that @len bytes of payload are about to be stored into a fresh skb with its header set. */
static inline void kerf_skb_put(struct sk_buff *skb, u32 len)
{
#ifdef KERF_HAS_SKB_PUT
	virtio_vsock_skb_put(skb, len);
#else
	virtio_vsock_skb_rx_put(skb);
#endif
}

/* Frees an skb whose payload is on its way. */
static inline void kerf_skb_sent(struct sk_buff *skb)
{
#ifdef KERF_HAS_SKB_SENT
	virtio_transport_consume_skb_sent(skb, true);
#else
	consume_skb(skb);
#endif
}

/* The same for an skb that goes on to its receiver. */
static inline void kerf_skb_passed_on(struct sk_buff *skb)
{
#ifdef KERF_HAS_SKB_SENT
	virtio_transport_consume_skb_sent(skb, false);
#endif
}

#endif
