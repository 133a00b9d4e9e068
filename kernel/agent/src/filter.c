// SPDX-License-Identifier: Apache-2.0
/*
 * A filter that drops all that comes to a socket. One program stands for all sockets where the
 * kernel lets us load it (bpf(2)): to attach it costs nothing, while each classic program is
 * compiled anew.
 */
#include <linux/bpf.h>
#include <linux/filter.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "morph.h"

#ifndef SO_ATTACH_BPF
#define SO_ATTACH_BPF 50
#endif

static int program = -1;

/* r0 = 0; exit: keep no byte of any packet. */
static void load(void)
{
	static bool tried;
	struct bpf_insn code[2] = { { .code = BPF_ALU64 | BPF_MOV | BPF_K },
				    { .code = BPF_JMP | BPF_EXIT } };
	union bpf_attr attributes = { .prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
				      .insn_cnt = 2,
				      .insns = (uintptr_t)code,
				      .license = (uintptr_t) "Apache-2.0" };

	if (tried)
		return;
	tried = true;
	program = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof(attributes));
}

bool filter_drop(int fd)
{
	struct sock_filter code = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog classic = { .len = 1, .filter = &code };

	load();
	if (program >= 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &program, sizeof(program)) == 0)
		return true;
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &classic, sizeof(classic)) == 0;
}

void filter_none(int fd)
{
	int nothing = 0;

	setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &nothing, sizeof(nothing));
}
