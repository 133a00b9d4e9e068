/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What multikernel.c uses of a multikernel kernel's <linux/multikernel.h>, so that it is compiled on
 * kernels that are none.
 */
#ifndef KERF_TESTS_MULTIKERNEL_H
#define KERF_TESTS_MULTIKERNEL_H

#include <linux/types.h>

#define MK_MSG_USER 0x4000

typedef void (*mk_msg_handler_t)(u32 msg_type, u32 subtype, void *payload, u32 payload_len,
				 void *ctx);

int mk_send_message(int instance_id, u32 msg_type, u32 subtype, void *payload, u32 payload_len);
int mk_register_msg_handler(u32 msg_type, mk_msg_handler_t handler, void *ctx);
int mk_unregister_msg_handler(u32 msg_type, mk_msg_handler_t handler);

#endif
