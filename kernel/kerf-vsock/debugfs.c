// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/debug/kerf-vsock/LINK: what a link is and has done, one "name value" a line. The
 * counters are read as they change, so those of one reading need not fit each other to the frame.
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>

#include "kerf_vsock.h"

static struct dentry *kerf_debugfs;

static int kerf_debugfs_show(struct seq_file *file, void *unused)
{
	struct kerf_link *link = file->private;
	const struct kerf_stats *stats = &link->stats;

#define KERF_SHOW(name, value) seq_printf(file, "%s %llu\n", name, (unsigned long long)(value))
#define KERF_SHOW_STAT(name) KERF_SHOW(#name, READ_ONCE(stats->name))
	KERF_SHOW("cid", kerf_own_cid(link));
	KERF_SHOW("peer_cid", kerf_peer_cid(link));
	KERF_SHOW("up", READ_ONCE(link->up));
	KERF_SHOW("shm_bytes", link->shm_bytes);
	KERF_SHOW("generation", READ_ONCE(link->generation));
	KERF_SHOW("peer_generation", READ_ONCE(link->acknowledged));
	KERF_SHOW("waiting_frames", skb_queue_len_lockless(&link->txq));
	KERF_SHOW_STAT(tx_inline_frames);
	KERF_SHOW_STAT(tx_inline_bytes);
	KERF_SHOW_STAT(tx_bulk_frames);
	KERF_SHOW_STAT(tx_bulk_bytes);
	KERF_SHOW_STAT(tx_waits);
	KERF_SHOW_STAT(rx_inline_frames);
	KERF_SHOW_STAT(rx_inline_bytes);
	KERF_SHOW_STAT(rx_bulk_frames);
	KERF_SHOW_STAT(rx_bulk_bytes);
	KERF_SHOW_STAT(rx_dropped);
	KERF_SHOW_STAT(rx_no_memory);
	KERF_SHOW_STAT(sessions);
	KERF_SHOW_STAT(resets);
	KERF_SHOW_STAT(violations);
	KERF_SHOW_STAT(silences);
	KERF_SHOW("doorbells_sent", atomic64_read(&stats->doorbells_sent));
	KERF_SHOW("doorbells_received", atomic64_read(&stats->doorbells_received));
	KERF_SHOW("probes_answered", atomic64_read(&stats->probes_answered));
#undef KERF_SHOW_STAT
#undef KERF_SHOW
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(kerf_debugfs);

void kerf_debugfs_init(void)
{
	kerf_debugfs = debugfs_create_dir("kerf-vsock", NULL);
}

void kerf_debugfs_exit(void)
{
	debugfs_remove(kerf_debugfs);
}

void kerf_debugfs_add(struct kerf_link *link)
{
	link->debugfs = debugfs_create_file(link->name, 0400, kerf_debugfs, link,
					    &kerf_debugfs_fops);
}

void kerf_debugfs_remove(struct kerf_link *link)
{
	debugfs_remove(link->debugfs);
}
