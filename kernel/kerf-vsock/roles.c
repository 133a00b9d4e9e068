// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the vsock core calls: a transport for each role that this kernel plays. As a host and as an
 * instance its frames go by links; CID 1 leads back to this kernel itself.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/virtio_vsock.h>
#include <net/af_vsock.h>

#include "compat.h"
#include "roles.h"

static struct workqueue_struct *kerf_local_wq;
static struct sk_buff_head kerf_local_queue;
static struct work_struct kerf_local_work;

/* as host */

static u32 kerf_host_local_cid(void)
{
	return VMADDR_CID_HOST;
}

static int kerf_host_send(struct sk_buff *skb)
{
	return kerf_role_send(KERF_HOST, skb);
}

static bool kerf_host_seqpacket_allow(u32 cid)
{
	return kerf_role_seqpacket_allow(KERF_HOST, cid);
}

static int kerf_host_init(struct vsock_sock *vsk, struct vsock_sock *parent)
{
	return kerf_role_socket_init(KERF_HOST, vsk, parent);
}

static void kerf_host_destruct(struct vsock_sock *vsk)
{
	kerf_role_socket_destruct(KERF_HOST, vsk);
}

/* as instance */

static int kerf_instance_send(struct sk_buff *skb)
{
	return kerf_role_send(KERF_INSTANCE, skb);
}

static bool kerf_instance_seqpacket_allow(u32 cid)
{
	return kerf_role_seqpacket_allow(KERF_INSTANCE, cid);
}

/* Instances reach their host, nobody else. */
static bool kerf_instance_stream_allow(u32 cid, u32 port)
{
	return cid == VMADDR_CID_HOST;
}

static int kerf_instance_init(struct vsock_sock *vsk, struct vsock_sock *parent)
{
	return kerf_role_socket_init(KERF_INSTANCE, vsk, parent);
}

static void kerf_instance_destruct(struct vsock_sock *vsk)
{
	kerf_role_socket_destruct(KERF_INSTANCE, vsk);
}

/* local */

static u32 kerf_local_local_cid(void)
{
	return VMADDR_CID_LOCAL;
}

static int kerf_local_send(struct sk_buff *skb)
{
	int len = skb->len;

	virtio_vsock_skb_queue_tail(&kerf_local_queue, skb);
	queue_work(kerf_local_wq, &kerf_local_work);
	return len;
}

static int kerf_local_cancel(struct vsock_sock *vsk)
{
	virtio_transport_purge_skbs(vsk, &kerf_local_queue);
	return 0;
}

static bool kerf_local_seqpacket_allow(u32 cid)
{
	return true;
}

static int kerf_local_init(struct vsock_sock *vsk, struct vsock_sock *parent)
{
	return kerf_role_socket_init(KERF_LOCAL, vsk, parent);
}

static void kerf_local_destruct(struct vsock_sock *vsk)
{
	kerf_role_socket_destruct(KERF_LOCAL, vsk);
}

static void kerf_local_deliver(struct work_struct *work)
{
	struct sk_buff *skb;

	while ((skb = virtio_vsock_skb_dequeue(&kerf_local_queue))) {
		kerf_skb_passed_on(skb);
		virtio_transport_deliver_tap_pkt(skb);
		virtio_transport_recv_pkt(&kerf_transports[KERF_LOCAL], skb);
		cond_resched();
	}
}

#ifdef KERF_HAS_MSGZEROCOPY
static bool kerf_msgzerocopy_allow(void)
{
	return true;
}
#endif

/* What the three have in common. */
#define KERF_TRANSPORT_COMMON						\
	.module = THIS_MODULE,						\
	.release = virtio_transport_release,				\
	.connect = virtio_transport_connect,				\
	.shutdown = virtio_transport_shutdown,				\
	.dgram_bind = virtio_transport_dgram_bind,			\
	.dgram_dequeue = virtio_transport_dgram_dequeue,		\
	.dgram_enqueue = virtio_transport_dgram_enqueue,		\
	.dgram_allow = virtio_transport_dgram_allow,			\
	.stream_dequeue = virtio_transport_stream_dequeue,		\
	.stream_enqueue = virtio_transport_stream_enqueue,		\
	.stream_has_data = virtio_transport_stream_has_data,		\
	.stream_has_space = virtio_transport_stream_has_space,		\
	.stream_rcvhiwat = virtio_transport_stream_rcvhiwat,		\
	.stream_is_active = virtio_transport_stream_is_active,		\
	.seqpacket_dequeue = virtio_transport_seqpacket_dequeue,	\
	.seqpacket_enqueue = virtio_transport_seqpacket_enqueue,	\
	.seqpacket_has_data = virtio_transport_seqpacket_has_data,	\
	.notify_poll_in = virtio_transport_notify_poll_in,		\
	.notify_poll_out = virtio_transport_notify_poll_out,		\
	.notify_recv_init = virtio_transport_notify_recv_init,		\
	.notify_recv_pre_block = virtio_transport_notify_recv_pre_block, \
	.notify_recv_pre_dequeue = virtio_transport_notify_recv_pre_dequeue, \
	.notify_recv_post_dequeue = virtio_transport_notify_recv_post_dequeue, \
	.notify_send_init = virtio_transport_notify_send_init,		\
	.notify_send_pre_block = virtio_transport_notify_send_pre_block, \
	.notify_send_pre_enqueue = virtio_transport_notify_send_pre_enqueue, \
	.notify_send_post_enqueue = virtio_transport_notify_send_post_enqueue, \
	.notify_buffer_size = virtio_transport_notify_buffer_size,	\
	KERF_TRANSPORT_SET_RCVLOWAT					\
	KERF_TRANSPORT_UNSENT_BYTES					\
	KERF_TRANSPORT_READ_SKB						\
	KERF_TRANSPORT_MSGZEROCOPY

#ifdef KERF_HAS_SET_RCVLOWAT
#define KERF_TRANSPORT_SET_RCVLOWAT .notify_set_rcvlowat = virtio_transport_notify_set_rcvlowat,
#else
#define KERF_TRANSPORT_SET_RCVLOWAT
#endif
#ifdef KERF_HAS_UNSENT_BYTES
#define KERF_TRANSPORT_UNSENT_BYTES .unsent_bytes = virtio_transport_unsent_bytes,
#else
#define KERF_TRANSPORT_UNSENT_BYTES
#endif
#ifdef KERF_HAS_READ_SKB
#define KERF_TRANSPORT_READ_SKB .read_skb = virtio_transport_read_skb,
#else
#define KERF_TRANSPORT_READ_SKB
#endif
#ifdef KERF_HAS_MSGZEROCOPY
#define KERF_TRANSPORT_MSGZEROCOPY .msgzerocopy_allow = kerf_msgzerocopy_allow,
#else
#define KERF_TRANSPORT_MSGZEROCOPY
#endif

struct virtio_transport kerf_transports[KERF_ROLES] = {
	[KERF_HOST] = {
		.transport = {
			KERF_TRANSPORT_COMMON
			.get_local_cid = kerf_host_local_cid,
			.init = kerf_host_init,
			.destruct = kerf_host_destruct,
			.cancel_pkt = kerf_role_cancel,
			.stream_allow = virtio_transport_stream_allow,
			.seqpacket_allow = kerf_host_seqpacket_allow,
		},
		.send_pkt = kerf_host_send,
	},
	[KERF_INSTANCE] = {
		.transport = {
			KERF_TRANSPORT_COMMON
			.get_local_cid = kerf_role_instance_cid,
			.init = kerf_instance_init,
			.destruct = kerf_instance_destruct,
			.cancel_pkt = kerf_role_cancel,
			.stream_allow = kerf_instance_stream_allow,
			.seqpacket_allow = kerf_instance_seqpacket_allow,
		},
		.send_pkt = kerf_instance_send,
	},
	[KERF_LOCAL] = {
		.transport = {
			KERF_TRANSPORT_COMMON
			.get_local_cid = kerf_local_local_cid,
			.init = kerf_local_init,
			.destruct = kerf_local_destruct,
			.cancel_pkt = kerf_local_cancel,
			.stream_allow = virtio_transport_stream_allow,
			.seqpacket_allow = kerf_local_seqpacket_allow,
		},
		.send_pkt = kerf_local_send,
	},
};

int kerf_roles_init(void)
{
	skb_queue_head_init(&kerf_local_queue);
	INIT_WORK(&kerf_local_work, kerf_local_deliver);
	kerf_local_wq = alloc_ordered_workqueue("kerf-local", 0);
	return kerf_local_wq ? 0 : -ENOMEM;
}

/* At the module's end: nothing is sent to CID 1 any more. */
void kerf_roles_exit(void)
{
	destroy_workqueue(kerf_local_wq);
	virtio_vsock_skb_queue_purge(&kerf_local_queue);
}
