/* SPDX-License-Identifier: GPL-2.0-only */
/* The roles that this kernel plays for the vsock core: roles.c has a transport for each. */
#ifndef KERF_ROLES_H
#define KERF_ROLES_H

#include <linux/virtio_vsock.h>
#include <net/af_vsock.h>

#include "kerf_vsock.h"

enum kerf_role {
	KERF_HOST, /* side 0 of its links */
	KERF_INSTANCE, /* side 1 */
	KERF_LOCAL,
	KERF_ROLES
};

/* roles.c: their transports */
extern struct virtio_transport kerf_transports[KERF_ROLES];

/* transport.c: by the links of a role */
int kerf_role_send(enum kerf_role role, struct sk_buff *skb);
int kerf_role_cancel(struct vsock_sock *vsk);
bool kerf_role_seqpacket_allow(enum kerf_role role, u32 cid);
int kerf_role_socket_init(enum kerf_role role, struct vsock_sock *vsk, struct vsock_sock *parent);
void kerf_role_socket_destruct(enum kerf_role role, struct vsock_sock *vsk);
u32 kerf_role_instance_cid(void);

#endif
