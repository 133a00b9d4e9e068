/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What libkmorph and the agent say to each other, over a pair of SOCK_SEQPACKET sockets that the
 * agent makes; the workload finds its end's number in the environment. One message each packet:
 * this structure, then tags or nothing. Both are built from one tree but may be of different
 * releases: HELLO carries the version, and an agent refuses one that it does not know.
 */
#ifndef KMORPH_LINK_H
#define KMORPH_LINK_H

#include <stdint.h>

#define KMORPH_LINK "KMORPH_LINK"
#define KMORPH_LINK_VERSION 1

/* Where region n stands: far from where programs, heaps and libraries are put. */
#define KMORPH_REGION_ADDRESS(n) (0x100000000000ull + ((uint64_t)(n) << 40))

/* Descriptors in one message. */
#define KMORPH_BATCH 128

enum kmorph_link_type {
	/* from the workload */
	LINK_HELLO = 1,	   /* value: version; size: 1 if it tracks writes by userfaultfd; id: its
			      pid; with the memfd of the blob, KMORPH_BLOB_BYTES long and
			      sealed against shrinking */
	LINK_REGION = 2,   /* id, size, name; a fresh one's with its memfd; a successor's is
			      answered by the same with the memfd, or size 0 if it does not fit */
	LINK_SOCKET = 3,   /* value: tag; with the descriptor */
	LINK_FILE = 4,	   /* likewise */
	LINK_FORGET = 5,   /* value: tag */
	LINK_READY = 6,	   /* all regions are there */
	LINK_QUIESCED = 7, /* size: length of the blob; value: 0, or 1 if it could not be saved */
	LINK_PREFAULTED = 8,
	LINK_HEALTHY = 9, /* value: 0 well, 1 not; name: why */
	LINK_BEGUN = 10,  /* value: 0 runs, 1 could not restore */
	LINK_FOLLOW =
		11, /* it wants to hear LINK_PEER; an agent that does not know this says none */
	LINK_CHECK = 12, /* name: a program to be run before it becomes the workload */
	/* from the agent */
	LINK_WELCOME = 32, /* value: enum kmorph_start */
	LINK_QUIESCE = 33,
	LINK_RESUME = 34,
	LINK_PREFAULT = 35,
	LINK_HEALTH = 36,
	LINK_ADOPT = 37,    /* size: how many tags follow, each with a descriptor */
	LINK_GO = 38,	    /* size: length of the blob */
	LINK_ACCEPTED = 39, /* as ADOPT: connections of the listeners with these tags */
	LINK_PEER = 40,	    /* value: enum kmorph_peer_event of instance id; size: its successor;
			       name: of the instance, or for OVER of the successor */
};

struct kmorph_message {
	uint32_t type;
	uint32_t id;
	uint64_t value;
	uint64_t size;
	char name[64];
};

#endif
