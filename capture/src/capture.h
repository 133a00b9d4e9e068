/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KMORPH_CAPTURE_H
#define KMORPH_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sha256.h"

#define PAGE 4096u
/* pages that one thread takes at once: they and what they are packed to stay in its cache */
#define UNIT 64u
#define MOST_THREADS 64u

/* main.c: tells the daemon and ends the process; from any thread */
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* memory.c: the kernel's physical memory, as runs of files. Adding is for one thread, reading for
 * any. */
void memory_add(uint64_t physical, uint64_t length, uint64_t offset, const char *path);
/* fills a buffer; memory that is in no run is an error. Tells whether it may be other than zeros:
 * not where a file has a hole. */
bool memory_read(uint64_t physical, void *into, size_t length);
bool page_is_zero(const uint8_t page[PAGE]);

/* output.c: a file of which parts are written in any order, or a stream in makedumpfile's flattened
 * format */
void output_open(const char *path, bool stream);
void output_write(uint64_t position, const void *bytes, size_t length);
/* how long it is to be: what was not written is zeros */
void output_length(uint64_t length);
/* reads back, whole; only of a file */
void output_read(uint64_t position, void *into, size_t length);
/* the file's length, when all was written; its way to the disk begins. 0 of a stream. */
uint64_t output_size(void);
/* waits until what was written is safe */
void output_end(void);

/* pack.c: pages packed as the kdump format knows it */
enum compression { NONE = 0, ZLIB = 1, LZO = 2, ZSTD = 0x20 };
struct packer;
/* false when there is no such compression */
bool compression_of(const char *name, enum compression *found);
struct packer *packer_new(enum compression compression);
void packer_free(struct packer *packer);
/* pages that are packed at once */
#define TOGETHER 2u
/* packs each of some pages to less than a page. Tells how much, or 0 of one that does not get
 * smaller: what is in its `into` is of no use then. */
void packer_pack(struct packer *packer, unsigned count, const uint8_t *const *pages,
		 uint8_t *const *into, size_t *lengths);

/* lzo.c: LZO1X (the kernel's Documentation/staging/lzo.rst), in the same way */
void lzo_pack(unsigned count, const uint8_t *const *pages, uint8_t *const *into, size_t *lengths);

/* crew.c: threads that take numbered pieces of work, in order, until there are none */
struct crew_work {
	uint64_t pieces;
	/* makes, uses and frees what one thread needs for itself */
	void *(*begin)(void *work);
	void (*piece)(void *work, void *own, uint64_t number);
	/* between two pieces; so many are done from the first on */
	void (*after)(void *work, void *own, uint64_t done);
	void (*end)(void *own);
};
void crew_run(unsigned threads, const struct crew_work *work, void *argument);

/* pages.c: the bitmaps of a kdump file, its pages and their descriptors */
struct pages {
	enum compression compression;
	uint64_t frames;
	/* a bit for each frame, in whole blocks: which are memory, and which are kept */
	uint8_t *ram, *kept;
	/* where the sub-header ends, as it was put */
	uint64_t position;
};
/* of one of the bitmaps */
uint64_t pages_bitmap_bytes(const struct pages *pages);
void pages_write(const struct pages *pages, unsigned threads, bool digested);

/* copy.c: runs of memory as they are, in the order of their positions */
struct run {
	uint64_t physical, length, position;
};
void copy_write(const struct run *runs, uint64_t count, unsigned threads, bool digested);

/* progress.c: how far it is, told to the daemon ten times a second, and how much others suffer of
 * it */
void progress_start(void);
void progress_add(uint64_t bytes);
/* lets others go first, while memory is short */
void progress_pause(void);
void progress_end(void);

/* main.c: room for a unit */
uint8_t *buffer_new(void);

/* digest.c: SHA-256 of the file, which follows what is written */
/* has what was written for when it is its turn, if there is room for it; returns another buffer for
 * its own, else itself */
uint8_t *digest_keep(uint64_t position, uint8_t *bytes, size_t length);
/* from now on: what was put is as it will be */
void digest_open(void);
/* goes on to a position, before which all is as it will be; from any thread, and one at a time: the
 * others return at once, as all do where there is little to be done */
void digest_follow(uint64_t to);
/* when all is written */
void digest_end(uint64_t length, uint8_t digest[32]);

#endif
