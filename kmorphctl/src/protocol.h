/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control protocol, version 1: docs/control-protocol.md.
 *
 * A frame is: type (u8), length of the payload (u32), payload. All numbers are big-endian. The
 * daemon speaks first (HELLO), the client asks (START), then both stream until the daemon says
 * EXIT, ERROR or AGAIN.
 */
#ifndef KMORPHCTL_PROTOCOL_H
#define KMORPHCTL_PROTOCOL_H

#include <stdint.h>

#define KMCT_MAGIC 0x4b4d4354u
#define KMCT_VERSION 1u
#define KMCT_HEADER 5u
#define KMCT_MAX_PAYLOAD 65536u
#define KMCT_HELLO_SIZE 20u
#define KMCT_MAX_WORDS 1024

enum kmct_type {
	KMCT_START = 0x01,
	KMCT_STDIN = 0x02,
	KMCT_STDIN_END = 0x03,
	KMCT_RESIZE = 0x04,
	KMCT_CANCEL = 0x05,
	KMCT_HELLO = 0x81,
	KMCT_STDOUT = 0x82,
	KMCT_STDERR = 0x83,
	KMCT_MODE = 0x84,
	KMCT_CREDIT = 0x85,
	KMCT_EXIT = 0x86,
	KMCT_ERROR = 0x87,
	KMCT_AGAIN = 0x88,
};

enum kmct_tag {
	KMCT_TAG_WORD = 1,
	KMCT_TAG_DIRECTORY = 2,
	KMCT_TAG_TERM = 3,
	KMCT_TAG_FLAGS = 4,
	KMCT_TAG_SIZE = 5,
};

#define KMCT_FLAG_STDIN_TTY (1u << 0)
#define KMCT_FLAG_STDOUT_TTY (1u << 1)
#define KMCT_FLAG_STDERR_TTY (1u << 2)
#define KMCT_FLAG_NO_COLOR (1u << 3)

static inline void put_u16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void put_u32(uint8_t *p, uint32_t v)
{
	put_u16(p, (uint16_t)(v >> 16));
	put_u16(p + 2, (uint16_t)v);
}

static inline uint16_t get_u16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t get_u32(const uint8_t *p)
{
	return (uint32_t)get_u16(p) << 16 | get_u16(p + 2);
}

#endif
