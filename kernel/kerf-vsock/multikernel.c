// SPDX-License-Identifier: GPL-2.0-only
/*
 * The multikernel link: kernels side by side on one machine, whose IPI messages are the doorbells. Built
 * only against a kernel that has <linux/multikernel.h>.
 *
 * The shared memory is a range of physical memory that belongs to neither kernel's allocator; who
 * makes the instance sets it aside, zeroed, and names it to both modules:
 *
 *   host:      insmod kerf-vsock.ko mk_link=3@0x140000000+0x400000,4@0x140400000+0x400000
 *   instance:  insmod kerf-vsock.ko mk_id=3 mk_link=0@0x140000000+0x400000
 *
 * A message of type MK_MSG_USER says "look"; its payload is the sender's id. It is a hint as every
 * doorbell is: a forged one costs a look.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/io.h>
#include <linux/module.h>
#include <linux/multikernel.h>
#include <linux/slab.h>

#include "kerf_vsock.h"

#define KERF_MK_SUBTYPE (MK_MSG_USER + 0x4b)
#define KERF_MK_LINKS 32

struct kerf_mk {
	struct kerf_link *link;
	void *shm;
	u32 peer;
	char name[16];
};

static unsigned int mk_id;
module_param(mk_id, uint, 0444);
MODULE_PARM_DESC(mk_id, "this kernel's multikernel instance id; 0: the host (default)");

static char *mk_link[KERF_MK_LINKS];
static int mk_links;
module_param_array(mk_link, charp, &mk_links, 0444);
MODULE_PARM_DESC(mk_link, "links over IPI messages, each PEER-ID@ADDRESS+BYTES of the shared memory");

static struct kerf_mk kerf_mk[KERF_MK_LINKS];

static void kerf_mk_kick(struct kerf_link *link, u32 vector)
{
	struct kerf_mk *mk = link->bus;
	u32 from = mk_id;

	/* A message that found no room is no harm: the other side looks once a second by itself. */
	mk_send_message(mk->peer, MK_MSG_USER, KERF_MK_SUBTYPE, &from, sizeof(from));
}

static const struct kerf_link_ops kerf_mk_ops = {
	.kick = kerf_mk_kick,
};

/* In interrupt context. */
static void kerf_mk_message(u32 type, u32 subtype, void *payload, u32 payload_len, void *unused)
{
	u32 from;
	int n;

	if (subtype != KERF_MK_SUBTYPE || payload_len != sizeof(from))
		return;
	memcpy(&from, payload, sizeof(from));
	for (n = 0; n < mk_links; n++) {
		struct kerf_link *link = READ_ONCE(kerf_mk[n].link);

		if (link && kerf_mk[n].peer == from)
			kerf_link_interrupt(link);
	}
}

static int kerf_mk_open(struct kerf_mk *mk, const char *text)
{
	unsigned long long address, bytes;
	struct kerf_link *link;
	unsigned int peer;
	char end;
	int ret;

	if (sscanf(text, "%u@%lli+%lli%c", &peer, &address, &bytes, &end) != 3 ||
	    !peer == !mk_id || peer > KERF_MAX_ID || mk_id > KERF_MAX_ID ||
	    bytes > KERF_SHM_MAX_BYTES || !PAGE_ALIGNED(address)) {
		pr_err("mk_link=%s: PEER-ID@ADDRESS+BYTES is wanted, with the host's id 0 at one end\n",
		       text);
		return -EINVAL;
	}
	mk->peer = peer;
	snprintf(mk->name, sizeof(mk->name), "mk-%u", peer);
	mk->shm = memremap(address, bytes, MEMREMAP_WB);
	if (!mk->shm)
		return -ENOMEM;
	link = kerf_link_new(&kerf_mk_ops, mk, mk->name, mk->shm, bytes, mk_id ? 1 : 0, mk_id);
	if (IS_ERR(link)) {
		ret = PTR_ERR(link);
		goto unmap;
	}
	/* Who is at the other end is known here, so it is not the other end that says. */
	link->peer_id = peer;
	WRITE_ONCE(mk->link, link);
	ret = kerf_link_start(link, 1);
	if (!ret)
		return 0;
	WRITE_ONCE(mk->link, NULL);
	synchronize_rcu(); /* interrupt handlers that saw it */
	kerf_link_free(link);
unmap:
	memunmap(mk->shm);
	return ret;
}

static void kerf_mk_close(struct kerf_mk *mk)
{
	struct kerf_link *link = mk->link;

	if (!link)
		return;
	kerf_link_quiesce(link);
	WRITE_ONCE(mk->link, NULL);
	synchronize_rcu(); /* interrupt handlers that saw it */
	kerf_link_free(link);
	memunmap(mk->shm);
}

void kerf_multikernel_exit(void)
{
	int n;

	if (!mk_links)
		return;
	mk_unregister_msg_handler(MK_MSG_USER, kerf_mk_message);
	for (n = 0; n < mk_links; n++)
		kerf_mk_close(&kerf_mk[n]);
}

int kerf_multikernel_init(void)
{
	int ret, n;

	if (!mk_links)
		return 0;
	ret = mk_register_msg_handler(MK_MSG_USER, kerf_mk_message, NULL);
	if (ret)
		return ret;
	for (n = 0; n < mk_links; n++) {
		ret = kerf_mk_open(&kerf_mk[n], mk_link[n]);
		if (ret) {
			kerf_multikernel_exit();
			return ret;
		}
	}
	return 0;
}
