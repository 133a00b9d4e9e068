/* SPDX-License-Identifier: Apache-2.0 */
/* Shares of a dead instance's memory: docs/kmp.md, "Capture". */
#ifndef KMORPH_AGENT_SHARE_H
#define KMORPH_AGENT_SHARE_H

#include "morph.h"

/* dead.c: the memory of another kernel that runs no more, as the daemon's files show it. */
struct dead {
	struct range *ranges; /* what is to be read: physical addresses */
	size_t range_count;
	struct dead_file *files;
	size_t file_count;
	uint64_t bytes; /* of all ranges */
	uint64_t read;	/* so far; what is read again counts again */
	unsigned tries; /* to read what is not in the page cache yet */
};
struct dead_place {
	size_t range;
	uint64_t done; /* bytes of it */
};
/* Takes the ranges and files that a message names. Else the code of an error, with its value. */
uint16_t dead_open(struct dead *dead, const uint8_t *items, size_t length, uint64_t *value,
		   const char **text);
void dead_close(struct dead *dead);
/* Reads on from there, as much as a chunk holds; false when it has to be waited for, and then it is
 * being fetched. */
bool dead_fill(struct dead *dead, struct dead_place *at, struct chunk *chunk);

#define MAX_SHARES 4

/* Chunks that are not acknowledged, and their data; it has room in the connection's buffer. */
#define SHARE_MARKS 16
#define SHARE_WINDOW (2u << 20)

/* So far all before has been sent. */
struct mark {
	struct dead_place at;
	struct digest digest;
	uint64_t offset, unreadable;
	uint32_t sequence, data_length; /* of the chunk that begins here */
};

struct share {
	bool there;
	uint8_t operation[16];
	uint32_t number;
	struct dead dead;
	uint64_t connection, lost_at;
	struct mark now, marks[SHARE_MARKS]; /* the oldest first */
	size_t mark_count;
	uint32_t window, in_flight;
	uint64_t rate, since; /* bytes in a second, counted from then on */
	uint64_t not_before;
	uint32_t complete; /* its sequence; 0: not sent */
};
extern struct share shares[MAX_SHARES];

/* share.c */
void share_end(struct share *share);
/* So many of its oldest chunks have come. */
void share_forget_marks(struct share *share, size_t count);
/* All from this one on is sent again. */
void share_rewind(struct share *share, size_t mark);

#endif
