// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the vsock core sees: up to three transports, one for each role that this kernel plays. As a
 * host it leads to instances (H2G, CID 2), as an instance to its host (G2H, CID id + 2), and CID 1
 * leads back to itself (LOCAL). The core has one place for each; where it is taken we say so.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rculist.h>
#include <linux/virtio_vsock.h>
#include <net/sock.h>
#include <net/af_vsock.h>

#include "compat.h"
#include "kerf_vsock.h"

enum kerf_role {
	KERF_HOST, /* side 0 of its links */
	KERF_INSTANCE, /* side 1 */
	KERF_LOCAL,
	KERF_ROLES
};

static struct virtio_transport kerf_transports[KERF_ROLES];
static bool kerf_registered[KERF_ROLES];
static atomic_t kerf_sockets[KERF_ROLES];

static LIST_HEAD(kerf_links); /* RCU */
static DEFINE_MUTEX(kerf_links_lock); /* writers of it, and of kerf_registered */

static struct workqueue_struct *kerf_local_wq;
static struct sk_buff_head kerf_local_queue;
static struct work_struct kerf_local_work;

static enum kerf_role kerf_role_of(const struct kerf_link *link)
{
	return link->side == 0 ? KERF_HOST : KERF_INSTANCE;
}

/* The link of a role that leads to @cid. Under RCU. */
static struct kerf_link *kerf_link_to(enum kerf_role role, u64 cid)
{
	struct kerf_link *link;

	list_for_each_entry_rcu(link, &kerf_links, node)
		if (kerf_role_of(link) == role && kerf_peer_cid(link) == cid)
			return link;
	return NULL;
}

/* The one link that an instance has. Under RCU, or kerf_links_lock. */
static struct kerf_link *kerf_link_to_host(void)
{
	struct kerf_link *link;

	list_for_each_entry_rcu(link, &kerf_links, node, lockdep_is_held(&kerf_links_lock))
		if (kerf_role_of(link) == KERF_INSTANCE)
			return link;
	return NULL;
}

static int kerf_send(enum kerf_role role, struct sk_buff *skb)
{
	u64 cid = le64_to_cpu(virtio_vsock_hdr(skb)->dst_cid);
	struct kerf_link *link;
	int ret = -ENODEV;

	rcu_read_lock();
	/* An instance id of 0 is none: a host's link whose peer has not been seen yet. */
	link = role == KERF_HOST && cid <= VMADDR_CID_HOST ? NULL : kerf_link_to(role, cid);
	if (link)
		ret = kerf_link_send(link, skb);
	rcu_read_unlock();
	if (!link)
		kfree_skb(skb);
	return ret;
}

static int kerf_cancel(struct vsock_sock *vsk)
{
	struct kerf_link *link;
	int replies;

	rcu_read_lock();
	list_for_each_entry_rcu(link, &kerf_links, node) {
		replies = virtio_transport_purge_skbs(vsk, &link->txq);
		if (replies) {
			atomic_sub(replies, &link->queued_replies);
			queue_work(link->wq, &link->work);
		}
	}
	rcu_read_unlock();
	return 0;
}

static bool kerf_seqpacket_allow(enum kerf_role role, u32 cid)
{
	struct kerf_link *link;
	bool allow;

	rcu_read_lock();
	link = kerf_link_to(role, cid);
	/* Without a session the connection fails anyway, and for the better reason. */
	allow = !link || !READ_ONCE(link->up) || READ_ONCE(link->peer_features) & KERF_F_SEQPACKET;
	rcu_read_unlock();
	return allow;
}

/* A socket of ours lives from init to destruct; links are probed while there is one. */
static int kerf_socket_init(enum kerf_role role, struct vsock_sock *vsk, struct vsock_sock *parent)
{
	int ret = virtio_transport_do_socket_init(vsk, parent);

	if (!ret)
		atomic_inc(&kerf_sockets[role]);
	return ret;
}

static void kerf_socket_destruct(enum kerf_role role, struct vsock_sock *vsk)
{
	/* The core calls this for sockets too whose init failed. */
	if (vsk->trans)
		atomic_dec(&kerf_sockets[role]);
	virtio_transport_destruct(vsk);
}

/* as host */

static u32 kerf_host_local_cid(void)
{
	return VMADDR_CID_HOST;
}

static int kerf_host_send(struct sk_buff *skb)
{
	return kerf_send(KERF_HOST, skb);
}

static bool kerf_host_seqpacket_allow(u32 cid)
{
	return kerf_seqpacket_allow(KERF_HOST, cid);
}

static int kerf_host_init(struct vsock_sock *vsk, struct vsock_sock *parent)
{
	return kerf_socket_init(KERF_HOST, vsk, parent);
}

static void kerf_host_destruct(struct vsock_sock *vsk)
{
	kerf_socket_destruct(KERF_HOST, vsk);
}

/* as instance */

static u32 kerf_instance_local_cid(void)
{
	struct kerf_link *link;
	u32 cid;

	rcu_read_lock();
	link = kerf_link_to_host();
	cid = link ? kerf_own_cid(link) : VMADDR_CID_ANY;
	rcu_read_unlock();
	return cid;
}

static int kerf_instance_send(struct sk_buff *skb)
{
	return kerf_send(KERF_INSTANCE, skb);
}

static bool kerf_instance_seqpacket_allow(u32 cid)
{
	return kerf_seqpacket_allow(KERF_INSTANCE, cid);
}

/* Instances reach their host, nobody else. */
static bool kerf_instance_stream_allow(u32 cid, u32 port)
{
	return cid == VMADDR_CID_HOST;
}

static int kerf_instance_init(struct vsock_sock *vsk, struct vsock_sock *parent)
{
	return kerf_socket_init(KERF_INSTANCE, vsk, parent);
}

static void kerf_instance_destruct(struct vsock_sock *vsk)
{
	kerf_socket_destruct(KERF_INSTANCE, vsk);
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
	return kerf_socket_init(KERF_LOCAL, vsk, parent);
}

static void kerf_local_destruct(struct vsock_sock *vsk)
{
	kerf_socket_destruct(KERF_LOCAL, vsk);
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

static struct virtio_transport kerf_transports[KERF_ROLES] = {
	[KERF_HOST] = {
		.transport = {
			KERF_TRANSPORT_COMMON
			.get_local_cid = kerf_host_local_cid,
			.init = kerf_host_init,
			.destruct = kerf_host_destruct,
			.cancel_pkt = kerf_cancel,
			.stream_allow = virtio_transport_stream_allow,
			.seqpacket_allow = kerf_host_seqpacket_allow,
		},
		.send_pkt = kerf_host_send,
	},
	[KERF_INSTANCE] = {
		.transport = {
			KERF_TRANSPORT_COMMON
			.get_local_cid = kerf_instance_local_cid,
			.init = kerf_instance_init,
			.destruct = kerf_instance_destruct,
			.cancel_pkt = kerf_cancel,
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

/* Whether sockets of the link's role exist. */
bool kerf_transport_used(const struct kerf_link *link)
{
	return atomic_read(&kerf_sockets[kerf_role_of(link)]) > 0;
}

bool kerf_transport_peer_taken(struct kerf_link *link, u32 id)
{
	struct kerf_link *other;
	bool taken = false;

	rcu_read_lock();
	list_for_each_entry_rcu(other, &kerf_links, node)
		if (other != link && other->side == link->side && READ_ONCE(other->peer_id) == id)
			taken = true;
	rcu_read_unlock();
	return taken;
}

/* Hands a frame, whose CIDs were checked, to the socket that it is for. By the link's work. */
void kerf_transport_receive(struct kerf_link *link, struct sk_buff *skb)
{
	virtio_transport_recv_pkt(&kerf_transports[kerf_role_of(link)], skb);
}

/* Under vsock_table_lock, which keeps the socket; its own lock cannot be taken here. */
static void kerf_reset(enum kerf_role role, struct sock *sk)
{
	struct vsock_sock *vsk = vsock_sk(sk);
	struct kerf_link *link;
	bool alive;

	rcu_read_lock();
	link = kerf_link_to(role, vsk->remote_addr.svm_cid);
	alive = link && READ_ONCE(link->up);
	rcu_read_unlock();
	/* One that is being closed ends by itself: its timeout must not find it changed. */
	if (alive || vsk->close_work_scheduled)
		return;
	sock_set_flag(sk, SOCK_DONE);
	WRITE_ONCE(vsk->peer_shutdown, SHUTDOWN_MASK);
	sk->sk_state = TCP_CLOSE;
	sk->sk_err = ECONNRESET;
	sk_error_report(sk);
}

static void kerf_host_reset(struct sock *sk)
{
	kerf_reset(KERF_HOST, sk);
}

static void kerf_instance_reset(struct sock *sk)
{
	kerf_reset(KERF_INSTANCE, sk);
}

/* Resets the connections of a role whose link is not up; this link is one of them. */
void kerf_transport_session_lost(struct kerf_link *link)
{
	enum kerf_role role = kerf_role_of(link);

	vsock_for_each_connected_socket(&kerf_transports[role].transport,
					role == KERF_HOST ? kerf_host_reset : kerf_instance_reset);
}

/* The kernel dies: all peers learn it now. No locks, from the panic notifier. */
void kerf_transport_tell_down(void)
{
	struct kerf_link *link;

	list_for_each_entry_rcu(link, &kerf_links, node, true)
		kerf_link_tell_down(link);
}

static int kerf_register(enum kerf_role role)
{
	static const int features[KERF_ROLES] = {
		[KERF_HOST] = VSOCK_TRANSPORT_F_H2G,
		[KERF_INSTANCE] = VSOCK_TRANSPORT_F_G2H,
		[KERF_LOCAL] = VSOCK_TRANSPORT_F_LOCAL,
	};
	int ret;

	if (kerf_registered[role])
		return 0;
	ret = vsock_core_register(&kerf_transports[role].transport, features[role]);
	if (!ret)
		kerf_registered[role] = true;
	return ret;
}

/**
 * kerf_transport_add() - make a link reachable
 * @link: the link, without a session yet
 *
 * Return: 0, or -EBUSY if another transport, or another link, has the place
 */
int kerf_transport_add(struct kerf_link *link)
{
	enum kerf_role role = kerf_role_of(link);
	int ret;

	mutex_lock(&kerf_links_lock);
	if (role == KERF_INSTANCE && kerf_link_to_host()) {
		pr_err("%s: this kernel has a host already, and can have one\n", link->name);
		ret = -EBUSY;
	} else {
		ret = kerf_register(role);
		if (ret == -EBUSY)
			pr_err("%s: another vsock transport has the place; unload %s first\n",
			       link->name, role == KERF_HOST ?
			       "vhost_vsock (or whatever else leads to guests)" :
			       "vmw_vsock_virtio_transport (or whatever else leads to a host)");
	}
	if (!ret)
		list_add_tail_rcu(&link->node, &kerf_links);
	mutex_unlock(&kerf_links_lock);
	return ret;
}

/* After this nobody sends through the link. */
void kerf_transport_remove(struct kerf_link *link)
{
	mutex_lock(&kerf_links_lock);
	list_del_rcu(&link->node);
	mutex_unlock(&kerf_links_lock);
	synchronize_rcu();
}

int kerf_transport_init(void)
{
	skb_queue_head_init(&kerf_local_queue);
	INIT_WORK(&kerf_local_work, kerf_local_deliver);
	kerf_local_wq = alloc_ordered_workqueue("kerf-local", 0);
	return kerf_local_wq ? 0 : -ENOMEM;
}

/*
 * Serves CID 1. After the links: a kernel that is local and no instance is a host to the core, which
 * then takes CID 2 for this kernel itself, and a connection of an instance would never leave it.
 */
int kerf_transport_serve_local(void)
{
	int ret;

	mutex_lock(&kerf_links_lock);
	ret = kerf_register(KERF_LOCAL);
	mutex_unlock(&kerf_links_lock);
	if (ret != -EBUSY)
		return ret;
	pr_info("CID 1 is served by another transport already\n");
	return 0;
}

/* At the module's end: no socket is left, for each holds the module. Local ends first, see above. */
void kerf_transport_exit(void)
{
	int role;

	for (role = KERF_ROLES - 1; role >= 0; role--)
		if (kerf_registered[role])
			vsock_core_unregister(&kerf_transports[role].transport);
	destroy_workqueue(kerf_local_wq);
	virtio_vsock_skb_queue_purge(&kerf_local_queue);
}
