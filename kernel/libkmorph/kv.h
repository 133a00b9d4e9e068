/* SPDX-License-Identifier: Apache-2.0 */
/* What kmorph-kv and its client say to each other; little-endian as the machine is. */
#ifndef KMORPH_KV_H
#define KMORPH_KV_H

#include <stdint.h>

enum kv_operation {
	KV_GET = 1, /* answers the slot's value */
	KV_SET = 2, /* sets the slot, answers the value before */
	KV_ADD = 3, /* adds to the slot, answers the value after */
};

struct kv_request {
	uint64_t id;
	uint32_t operation;
	uint32_t slot;
	uint64_t value;
};

struct kv_answer {
	uint64_t id;
	uint64_t value;
	uint64_t served; /* requests that this server has answered in all its lives */
	uint64_t lives;	 /* kernels that it has run on, with the one that answers */
};

#endif
