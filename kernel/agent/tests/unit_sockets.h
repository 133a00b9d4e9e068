/* SPDX-License-Identifier: Apache-2.0 */
/* What tests of a workload's connections have in common; unit_sockets.c has it. */
#ifndef KMORPH_AGENT_UNIT_SOCKETS_H
#define KMORPH_AGENT_UNIT_SOCKETS_H

#include "world.h"

/* Tags. */
#define LISTENER 1
#define CONNECTION 2

/* A listener and one connection of the workload's; returns the client's end. */
int connect_client(void);
/* The last one with this tag. */
struct carried *carried_last(uint64_t tag);
void say_to(int fd, const char *text);
void hears(int fd, const char *text);

#endif
