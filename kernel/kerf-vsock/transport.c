// SPDX-License-Identifier: GPL-2.0-only
/*
 * Links, by role and CID, and the transports' places in the vsock core: up to three, one for each
 * role that this kernel plays. As a host it leads to instances (H2G, CID 2), as an instance to its
 * host (G2H, CID id + 2), and CID 1 leads back to itself (LOCAL). The core has one place for each;
 * where it is taken we say so.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/mutex.h>
#include <linux/rculist.h>
#include <linux/virtio_vsock.h>
#include <net/sock.h>
#include <net/af_vsock.h>

#include "roles.h"

static bool kerf_registered[KERF_ROLES];
static atomic_t kerf_sockets[KERF_ROLES];

static LIST_HEAD(kerf_links); /* RCU */
static DEFINE_MUTEX(kerf_links_lock); /* writers of it, and of kerf_registered */

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

int kerf_role_send(enum kerf_role role, struct sk_buff *skb)
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

int kerf_role_cancel(struct vsock_sock *vsk)
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

bool kerf_role_seqpacket_allow(enum kerf_role role, u32 cid)
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
int kerf_role_socket_init(enum kerf_role role, struct vsock_sock *vsk, struct vsock_sock *parent)
{
	int ret = virtio_transport_do_socket_init(vsk, parent);

	if (!ret)
		atomic_inc(&kerf_sockets[role]);
	return ret;
}

void kerf_role_socket_destruct(enum kerf_role role, struct vsock_sock *vsk)
{
	/* The core calls this for sockets too whose init failed. */
	if (vsk->trans)
		atomic_dec(&kerf_sockets[role]);
	virtio_transport_destruct(vsk);
}

/* What the one link of an instance makes it; VMADDR_CID_ANY without one. */
u32 kerf_role_instance_cid(void)
{
	struct kerf_link *link;
	u32 cid;

	rcu_read_lock();
	link = kerf_link_to_host();
	cid = link ? kerf_own_cid(link) : VMADDR_CID_ANY;
	rcu_read_unlock();
	return cid;
}

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
	kerf_roles_exit();
}
