/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's parts, each by itself: unit.c runs these, under the sanitizers. */
#ifndef KMORPH_AGENT_UNIT_H
#define KMORPH_AGENT_UNIT_H

#include "world.h"

/* Runs a test, and names it should it fail. */
#define RUN(test) unit_run(#test, test)
void unit_run(const char *name, void (*test)(void));

void unit_compress(void);
void unit_frame(void);
void unit_state(void);
void unit_morph(void);
void unit_sockets(void);
void unit_bequest(void);
void unit_handover(void);
void unit_survivor(void);
void unit_share(void);

#endif
