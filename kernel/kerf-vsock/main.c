// SPDX-License-Identifier: GPL-2.0-only
/*
 * kerf-vsock: AF_VSOCK between kernels that share memory.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/net.h>
#include <linux/panic_notifier.h>

#include "kerf_vsock.h"

static bool local = true;
module_param(local, bool, 0444);
MODULE_PARM_DESC(local, "serve CID 1, this kernel itself, where nobody else does (default: yes)");

unsigned int kerf_peer_timeout_ms = 10000;
module_param_named(peer_timeout_ms, kerf_peer_timeout_ms, uint, 0644);
MODULE_PARM_DESC(peer_timeout_ms,
		 "reset connections when the other kernel has not answered for so long; 0: never (default: 10000)");

static int kerf_on_panic(struct notifier_block *nb, unsigned long event, void *unused)
{
	kerf_transport_tell_down();
	return NOTIFY_DONE;
}

/* Before pvpanic: where that pauses the machine, nothing runs after it. */
static struct notifier_block kerf_panic_notifier = {
	.notifier_call = kerf_on_panic,
	.priority = INT_MAX,
};

static int __init kerf_vsock_init(void)
{
	int ret;

	ret = kerf_roles_init();
	if (ret)
		return ret;
	kerf_debugfs_init();
	atomic_notifier_chain_register(&panic_notifier_list, &kerf_panic_notifier);
	ret = kerf_ivshmem_init();
	if (ret)
		goto no_ivshmem;
	ret = kerf_multikernel_init();
	if (ret)
		goto no_multikernel;
	if (local)
		ret = kerf_transport_serve_local();
	if (ret)
		goto no_local;
	return 0;

no_local:
	kerf_multikernel_exit();
no_multikernel:
	kerf_ivshmem_exit();
no_ivshmem:
	atomic_notifier_chain_unregister(&panic_notifier_list, &kerf_panic_notifier);
	kerf_debugfs_exit();
	kerf_transport_exit();
	return ret;
}

static void __exit kerf_vsock_exit(void)
{
	kerf_multikernel_exit();
	kerf_ivshmem_exit();
	atomic_notifier_chain_unregister(&panic_notifier_list, &kerf_panic_notifier);
	kerf_debugfs_exit();
	kerf_transport_exit();
}

module_init(kerf_vsock_init);
module_exit(kerf_vsock_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("kmorph");
MODULE_DESCRIPTION("AF_VSOCK between kernels that share memory");
MODULE_VERSION("1");
MODULE_ALIAS_NETPROTO(PF_VSOCK);
